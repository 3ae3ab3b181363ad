//! WhatsApp's official Cloud API
//! (<https://developers.facebook.com/documentation/business-messaging/whatsapp>).
//!
//! It tells inbound text to webhooks alone, so what clients write there is never heard and every
//! message is a template that Meta has approved. A send whose answer was lost cannot be looked up.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::Common;
use super::approved::Templates;
use super::classify::{Answer, exchange, scrub, worded};
use crate::domain::delivery::Outcome;
use crate::domain::message::Markup;
use crate::http_client::{self, ClientError};
use crate::ports::{Addressing, Channel, Outgoing};

mod codes;
mod history;

pub use history::History;

/// Longest free text, in characters.
const LONGEST_TEXT: usize = 4096;

/// `type = "whatsapp-cloud"`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// With Meta's version in its path, without a trailing slash.
    pub api_url: String,
    /// The sending number's id, which is not the number.
    pub phone_number_id: String,
    /// The business account that the templates belong to.
    pub waba_id: Option<String>,
    /// The access token.
    pub token: SecretString,
    /// What Meta has approved.
    pub templates: Templates,
    /// What every channel has.
    pub common: Common,
}

/// The sending number: address, token, connection.
struct Line {
    client: Client,
    api_url: String,
    phone_number_id: String,
    token: SecretString,
}

impl Line {
    fn get(&self, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        self.client
            .get(format!("{}/{path}", self.api_url))
            .bearer_auth(self.token.expose_secret())
            .query(query)
    }

    /// Meta's own words for what went wrong.
    fn said(&self, answer: &Answer) -> String {
        let json = answer.json();
        let error = &json["error"];
        let texts = [&error["error_data"]["details"], &error["message"]];
        let said = texts.into_iter().find_map(Value::as_str);
        let said = scrub(said.unwrap_or(answer.text()), self.token.expose_secret());
        match error["code"].as_i64() {
            Some(code) => format!("({code}) {said}"),
            None => said,
        }
    }

    fn refusal(&self, answer: &Answer) -> String {
        worded(answer.status, &self.said(answer))
    }

    /// Posts one message.
    async fn post(&self, body: &Value) -> Sent {
        let url = format!("{}/{}/messages", self.api_url, self.phone_number_id);
        let request = self.client.post(url);
        let request = request.bearer_auth(self.token.expose_secret());
        let answer = match exchange(request.json(body)).await {
            Ok(answer) => answer,
            Err(silence) => return Sent::Ended(silence.of_send()),
        };
        let json = answer.json();
        let id = json["messages"][0]["id"].as_str().map(str::to_owned);
        let id = id.filter(|id| answer.status.is_success() && !id.is_empty());
        if id.is_some() {
            return Sent::Ended(Outcome::Accepted { id });
        }
        if !answer.leaves_doubt() && codes::of(&json) == Some(codes::WINDOW_CLOSED) {
            return Sent::WindowClosed(self.refusal(&answer));
        }
        Sent::Ended(codes::outcome(&answer, &self.said(&answer)))
    }
}

/// What became of one request.
enum Sent {
    Ended(Outcome),
    /// Surely not sent: free text is not taken from us now.
    WindowClosed(String),
}

/// A channel through a number of the Cloud API.
pub struct WhatsAppCloud {
    line: Arc<Line>,
    waba_id: Option<String>,
    templates: Templates,
}

impl WhatsAppCloud {
    /// The channel, and the reader of its statuses when the settings ask for one.
    pub fn build(settings: &Settings) -> Result<(Self, Option<History>), ClientError> {
        let line = Arc::new(Line {
            client: http_client::client(&settings.common.client)?,
            api_url: settings.api_url.trim_end_matches('/').to_owned(),
            phone_number_id: settings.phone_number_id.clone(),
            token: settings.token.clone(),
        });
        let history = settings.common.receive;
        let history = history.then(|| History::new(Arc::clone(&line)));
        let channel = Self {
            line,
            waba_id: settings.waba_id.clone(),
            templates: settings.templates.clone(),
        };
        Ok((channel, history))
    }

    fn body(to: &str, kind: &str, content: Value) -> Value {
        let digits: String = to.chars().filter(char::is_ascii_digit).collect();
        let mut body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": digits,
            "type": kind,
        });
        body[kind] = content;
        body
    }

    fn template(&self, message: &Outgoing) -> Result<Value, Outcome> {
        let letter = self.templates.letter(message.brief.as_ref())?;
        let mut template = json!({
            "name": letter.name,
            "language": {"code": letter.language},
        });
        if !letter.parameters.is_empty() {
            let text = |text: String| json!({"type": "text", "text": text});
            let filled: Vec<Value> = letter.parameters.into_iter().map(text).collect();
            template["components"] = json!([{"type": "body", "parameters": filled}]);
        }
        Ok(Self::body(&message.to, "template", template))
    }
}

#[async_trait]
impl Channel for WhatsAppCloud {
    fn markup(&self) -> Markup {
        Markup::WhatsApp
    }

    fn addressing(&self) -> Addressing {
        Addressing::Phone
    }

    fn hears_replies(&self) -> bool {
        false
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let fits = message.text.chars().count() <= LONGEST_TEXT;
        if message.wrote_lately && fits {
            let text = json!({"preview_url": false, "body": message.text});
            let body = Self::body(&message.to, "text", text);
            match self.line.post(&body).await {
                Sent::Ended(outcome) => return outcome,
                // The client's clock and Meta's disagree; the template goes in its place.
                Sent::WindowClosed(_) => {}
            }
        }
        match self.template(message) {
            Ok(body) => match self.line.post(&body).await {
                Sent::Ended(outcome) => outcome,
                Sent::WindowClosed(why) => Outcome::Refused { why },
            },
            Err(outcome) => outcome,
        }
    }

    async fn probe(&self) -> Result<(), String> {
        let path = &self.line.phone_number_id;
        let request = self.line.get(path, &[("fields", "id")]);
        let answer = exchange(request).await.map_err(|s| s.why)?;
        if answer.status.is_success() && answer.json().is_object() {
            Ok(())
        } else {
            Err(self.line.refusal(&answer))
        }
    }

    fn is_robot(&self) -> bool {
        true
    }

    fn messenger(&self) -> Option<&'static str> {
        Some("WhatsApp")
    }

    async fn inspect(&self) -> Vec<String> {
        let Some(waba) = &self.waba_id else {
            return Vec::new();
        };
        let fields = [
            ("fields", "name,language,status,components"),
            ("limit", "250"),
        ];
        let path = format!("{waba}/message_templates");
        let answer = match exchange(self.line.get(&path, &fields)).await {
            Ok(answer) if answer.status.is_success() => answer,
            Ok(answer) => {
                return vec![format!("templates: {}", self.line.refusal(&answer))];
            }
            Err(silence) => return vec![format!("templates: {}", silence.why)],
        };
        let json = answer.json();
        let whole = json["paging"]["next"].is_null();
        let listed = json["data"].as_array().cloned().unwrap_or_default();
        let wrong = |(kind, template): (&String, &super::approved::Template)| {
            let (name, language) = (&template.name, &template.language);
            let known = listed
                .iter()
                .find(|t| t["name"] == **name && t["language"] == **language);
            let why = match known {
                None if whole => format!("there is none in \"{language}\""),
                None => return None,
                Some(t) if t["status"] != "APPROVED" => {
                    let status = t["status"].as_str().unwrap_or("of unknown status");
                    format!("it is {status}, not APPROVED")
                }
                Some(t) => {
                    let (takes, gives) = (placeholders(t), template.parameters.len());
                    if takes == gives {
                        return None;
                    }
                    format!("it takes {takes} parameters, and gets {gives}")
                }
            };
            Some(format!("template {name} ({kind}): {why}"))
        };
        self.templates.0.iter().filter_map(wrong).collect()
    }
}

/// How many parameters a template's body takes.
fn placeholders(template: &Value) -> usize {
    let components = template["components"].as_array();
    let body = components
        .into_iter()
        .flatten()
        .find(|c| c["type"] == "BODY");
    let text = body.and_then(|b| b["text"].as_str()).unwrap_or_default();
    let names: BTreeSet<&str> = text
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}").map(|(name, _)| name.trim()))
        .collect();
    names.len()
}
