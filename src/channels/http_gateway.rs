//! Any gateway that takes a message by one HTTP request: four that are known by name, and a form of
//! the salon's own ([`Custom`]).
//!
//! A known one has its request, the places of its answer, its words and its lists in files of their
//! own; here they meet the one classifier. Gateways change their answers from version to
//! version, so every shape that was ever seen is read.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Common;
use super::classify::{Answer, by_status, exchange, pause, scrub, worded};
use crate::domain::delivery::Outcome;
use crate::domain::message::Markup;
use crate::http_client::{self, ClientError};
use crate::ports::{Addressing, Channel, Journaled, Outgoing, Proof};

mod form;
mod journal;
mod preset;
mod state;

pub use form::{Custom, PLACEHOLDERS, placeholders};
pub use preset::Preset;

use form::{Form, Values};

/// `type = "http"`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which gateway it is.
    pub preset: Preset,
    /// To which the gateway's paths are appended; without a trailing slash.
    pub base_url: String,
    /// Its key; empty where it needs none.
    pub token: SecretString,
    /// The session (WAHA, WPPConnect) or instance (Evolution).
    pub session: String,
    /// The channel (Wazzup).
    pub channel_id: String,
    /// The request and its answer, for [`Preset::None`].
    pub custom: Custom,
    /// What every channel has.
    pub common: Common,
}

/// A channel through a gateway.
pub struct HttpGateway {
    client: Client,
    settings: Settings,
    form: Form,
}

impl HttpGateway {
    /// The channel. A gateway is not listened to.
    pub fn build(settings: &Settings) -> Result<Self, ClientError> {
        Ok(Self {
            client: http_client::client_for(&settings.base_url, &settings.common.client)?,
            form: preset::form(settings),
            settings: settings.clone(),
        })
    }

    fn values<'a>(&'a self, message: &'a Outgoing, chat: &'a Chat) -> Values<'a> {
        Values {
            phone: &chat.phone,
            chat_id: &chat.id,
            session: &self.settings.session,
            token: self.settings.token.expose_secret(),
            text: &message.text,
            key: &message.key,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.settings.base_url)
    }

    fn headers(&self, values: &Values<'_>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.form.headers {
            let value = HeaderValue::from_str(&form::fill(value, |n| values.get(n)));
            // The configuration refuses names and values that are none.
            if let (Ok(name), Ok(mut value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        headers
    }

    fn request(&self, message: &Outgoing, chat: &Chat) -> reqwest::RequestBuilder {
        let values = self.values(message, chat);
        let path = form::fill(&self.form.path, |name| {
            values.get(name).map(|value| form::percent(&value))
        });
        let request = self
            .client
            .request(self.form.method.clone(), self.url(&path));
        let request = request.headers(self.headers(&values));
        match &self.form.body {
            Some(body) => request.json(&form::filled(body, &values)),
            None => request,
        }
    }

    /// A question that changes nothing, with the gateway's own authorization.
    fn ask(&self, http: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let (message, chat) = (Outgoing::default(), Chat::default());
        let headers = self.headers(&self.values(&message, &chat));
        let request = self.client.request(http, self.url(path));
        request.headers(headers)
    }

    fn outcome(&self, answer: &Answer) -> Outcome {
        let json = answer.json();
        let said = self.said(answer, &json);
        let ok = match self.form.ok.as_slice() {
            [] => answer.status.is_success(),
            listed => listed.contains(&answer.status.as_u16()),
        };
        let id = self.form.id_in(&json);
        // Without a place for the id there is none to wait for, but an answer there must be.
        let taken = id.is_some() || (self.form.ids.is_empty() && answer.body.is_some());
        let error = self.form.error_in(&json);
        if ok && answer.status.is_success() && taken && (id.is_some() || error.is_none()) {
            return Outcome::Accepted { id };
        }
        let why = worded(answer.status, &said);
        let meaning = preset::meaning(self.settings.preset, answer, &json);
        match meaning {
            // The same key again: it went out the first time.
            Some(preset::Meaning::Repeated) => return Outcome::Accepted { id },
            _ if answer.leaves_doubt() && !answer.status.is_success() => {}
            Some(preset::Meaning::Down) => return Outcome::ChannelDown { why },
            Some(preset::Meaning::Unreachable) => return Outcome::Unreachable { why },
            None => {
                let text = error.unwrap_or_default().to_lowercase();
                let has = |parts: &[String]| parts.iter().any(|part| text.contains(part.as_str()));
                if has(&self.form.down) {
                    return Outcome::ChannelDown { why };
                }
                if has(&self.form.unreachable) {
                    return Outcome::Unreachable { why };
                }
            }
        }
        match by_status(answer, &said) {
            Outcome::Throttled { after: None, why } => Outcome::Throttled {
                after: self.form.pause.map(pause),
                why,
            },
            other => other,
        }
    }

    /// The gateway's own words for what went wrong.
    fn said(&self, answer: &Answer, json: &Value) -> String {
        let said = self.form.error_in(json);
        let said = said.unwrap_or_else(|| answer.text().to_owned());
        scrub(&said, self.settings.token.expose_secret())
    }
}

/// A person as gateways name them.
#[derive(Default)]
struct Chat {
    /// `79000000001`
    phone: String,
    /// `79000000001@c.us`
    id: String,
}

impl Chat {
    fn of(to: &str) -> Self {
        let number = to.split_once('@').map_or(to, |(number, _)| number);
        let phone: String = number.chars().filter(char::is_ascii_digit).collect();
        let id = match to.contains('@') {
            true => to.to_owned(),
            false => format!("{phone}@c.us"),
        };
        Self { phone, id }
    }
}

#[async_trait]
impl Channel for HttpGateway {
    fn markup(&self) -> Markup {
        match self.settings.preset {
            // What is behind it, and what it makes of asterisks, nobody knows.
            Preset::None => Markup::Plain,
            _ => Markup::WhatsApp,
        }
    }

    fn addressing(&self) -> Addressing {
        Addressing::Phone
    }

    fn hears_replies(&self) -> bool {
        // The salon's own phone rings, or Wazzup's chats do.
        self.settings.preset != Preset::None
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let length = message.text.chars().count();
        if let Some(longest) = self.form.longest.filter(|longest| length > *longest) {
            return Outcome::Refused {
                why: format!("{length} characters, the limit is {longest}"),
            };
        }
        match exchange(self.request(message, &Chat::of(&message.to))).await {
            Ok(answer) => self.outcome(&answer),
            Err(silence) => silence.of_send(),
        }
    }

    async fn probe(&self) -> Result<(), String> {
        self.state().await
    }

    fn proof(&self) -> Proof {
        match self.settings.preset {
            Preset::Waha | Preset::Evolution | Preset::WppConnect => Proof::Journal,
            Preset::Wazzup => Proof::Key,
            Preset::None if self.settings.custom.idempotent => Proof::Key,
            Preset::None => Proof::Nothing,
        }
    }

    async fn look_up(
        &self,
        to: &str,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Journaled>, String> {
        self.journal(&Chat::of(to), since, until).await
    }

    fn is_personal(&self) -> bool {
        true
    }

    fn messenger(&self) -> Option<&'static str> {
        (self.settings.preset != Preset::None).then_some("WhatsApp")
    }
}
