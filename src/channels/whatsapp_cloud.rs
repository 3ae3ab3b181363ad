//! WhatsApp's official Cloud API
//! (<https://developers.facebook.com/documentation/business-messaging/whatsapp>).
//!
//! It tells inbound text to webhooks alone, so what clients write there is never heard and every
//! message is a template that Meta has approved. A send whose answer was lost cannot be looked up.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::Common;
use super::approved::{Listed, Templates, placeholders};
use super::classify::{Answer, exchange, scrub, worded};
use crate::domain::delivery::Outcome;
use crate::domain::message::Markup;
use crate::http_client::{self, ClientError};
use crate::ports::{Addressing, Channel, Outgoing, TemplateGap};

mod codes;
mod history;

pub use history::History;

/// A business account has 6000 templates at most, and a hundred come on a page.
const MOST_PAGES: usize = 60;

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

    /// Every template of the business account.
    async fn templates(&self, waba: &str) -> Result<Vec<Listed>, String> {
        let path = format!("{waba}/message_templates");
        let fields = "name,language,status,category,components";
        let (mut all, mut after) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let mut query = vec![("fields", fields), ("limit", "100")];
            if !after.is_empty() {
                query.push(("after", &after));
            }
            let answer = exchange(self.get(&path, &query)).await.map_err(|s| s.why)?;
            let json = answer.json();
            let Some(page) = json["data"]
                .as_array()
                .filter(|_| answer.status.is_success())
            else {
                return Err(self.refusal(&answer));
            };
            all.extend(page.iter().map(listed));
            let next = json["paging"]["cursors"]["after"].as_str();
            match next.filter(|_| json["paging"]["next"].is_string()) {
                Some(next) => next.clone_into(&mut after),
                None => return Ok(all),
            }
        }
        Err(format!("more than {} templates", all.len()))
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

    async fn template_gaps(&self) -> Result<Vec<TemplateGap>, String> {
        match &self.waba_id {
            Some(waba) => Ok(self.templates.gaps(&self.line.templates(waba).await?)),
            None => Err("waba_id is not set".to_owned()),
        }
    }
}

/// One entry of the account's list. Parts that are not texts (a picture above, a link in a button)
/// have their own parameters, which are not filled.
fn listed(template: &Value) -> Listed {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let components = template["components"].as_array();
    let parts = || components.into_iter().flatten();
    let body = parts().find(|part| part["type"] == "BODY");
    let takes = |value: &Value| !placeholders(value.as_str().unwrap_or_default()).is_empty();
    let buttons = |part: &Value| {
        let buttons = part["buttons"].as_array().into_iter().flatten();
        buttons
            .into_iter()
            .any(|button| takes(&button["url"]) || button["type"] == "COPY_CODE")
    };
    let elsewhere = parts().any(|part| match part["type"].as_str() {
        Some("HEADER") => {
            takes(&part["text"]) || part["format"].as_str().is_some_and(|f| f != "TEXT")
        }
        Some("BUTTONS") => buttons(part),
        _ => false,
    });
    Listed {
        name: text(&template["name"]),
        id: None,
        language: text(&template["language"]),
        status: text(&template["status"]),
        category: text(&template["category"]),
        body: body.map(|part| text(&part["text"])).unwrap_or_default(),
        elsewhere,
    }
}
