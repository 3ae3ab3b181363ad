//! The language models behind [`Model`]: one file a service, one meaning for every HTTP answer.
//!
//! They carry words and know nothing of salons: what may be asked, and what of an answer may be
//! said, is decided in [`crate::domain::agent`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::http_client::{ClientError, ClientSettings, failure, readable};
use crate::ports::{Model, ModelError, Thought};

mod gigachat;
mod openai;

pub use gigachat::GigaChat;
pub use openai::OpenAi;

/// Of what a service says about an error, so much is repeated.
const LONGEST_MESSAGE: usize = 200;
/// A stated pause beyond this is taken for nonsense.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// An answer of the model is a few sentences; what is larger is none.
const LARGEST_BODY: usize = 1 << 20;
/// The longest answer, in the services' own units: a few sentences.
const MOST_TOKENS: u32 = 700;
/// The same question is answered much the same.
const TEMPERATURE: f64 = 0.1;

/// Which service it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sber's GigaChat.
    GigaChat,
    /// Anything that speaks as OpenAI does.
    OpenAi,
}

/// How the service knows who asks.
#[derive(Clone, Default)]
pub struct Key {
    /// GigaChat's client, with its secret …
    pub client_id: Option<SecretString>,
    /// … which together make the Basic key.
    pub client_secret: Option<SecretString>,
    /// A ready key.
    pub token: Option<SecretString>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let had = |secret: &Option<SecretString>| if secret.is_some() { "***" } else { "-" };
        let (id, secret, token) = (
            had(&self.client_id),
            had(&self.client_secret),
            had(&self.token),
        );
        write!(f, "Key({id}, {secret}, {token})")
    }
}

impl Key {
    /// Whether anything at all is given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.token.is_some() || (self.client_id.is_some() && self.client_secret.is_some())
    }

    fn is(&self, other: &Self) -> bool {
        let text = |s: &Option<SecretString>| s.as_ref().map(|s| s.expose_secret().to_owned());
        text(&self.token) == text(&other.token)
            && text(&self.client_id) == text(&other.client_id)
            && text(&self.client_secret) == text(&other.client_secret)
    }

    /// Every secret of it.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        [&self.token, &self.client_id, &self.client_secret]
            .into_iter()
            .flatten()
            .map(|secret| secret.expose_secret())
    }
}

/// The part of `[agent]` that names a model.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which service it is.
    pub kind: Kind,
    /// Without a trailing slash.
    pub base_url: String,
    /// Where GigaChat gives out tokens.
    pub auth_url: String,
    /// GigaChat's package.
    pub scope: String,
    /// Who asks.
    pub key: Key,
    /// The model's name.
    pub model: String,
    /// So many questions at once.
    pub concurrency: u32,
    /// Time-out and extra roots.
    pub client: ClientSettings,
}

impl Settings {
    /// Whether both are the same account, whose limits count for both together.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.base_url == other.base_url
            && self.auth_url == other.auth_url
            && self.scope == other.scope
            && self.model == other.model
            && self.concurrency == other.concurrency
            && self.client.timeout == other.client.timeout
            && self.client.ca_file == other.client.ca_file
            && self.key.is(&other.key)
    }
}

/// Makes the model ready to be asked. The error is always the configuration's fault.
pub fn build(settings: &Settings) -> Result<Arc<dyn Model>, ClientError> {
    Ok(match settings.kind {
        Kind::GigaChat => Arc::new(GigaChat::new(settings)?),
        Kind::OpenAi => Arc::new(OpenAi::new(settings)?),
    })
}

/// One whole answer.
struct Answer {
    status: u16,
    pause: Option<Duration>,
    body: Value,
}

/// Sends a request and reads its answer; what is no JSON has a null for a body.
async fn fetch(request: reqwest::RequestBuilder) -> Result<Answer, ModelError> {
    let response = request.send().await.map_err(lost)?;
    let status = response.status().as_u16();
    let pause = stated_pause(response.headers());
    let bytes = response.bytes().await.map_err(lost)?;
    if bytes.len() > LARGEST_BODY {
        return Err(ModelError::Nonsense("an answer without end".into()));
    }
    let body = serde_json::from_str(&readable(&bytes)).unwrap_or(Value::Null);
    Ok(Answer {
        status,
        pause,
        body,
    })
}

fn lost(error: reqwest::Error) -> ModelError {
    match error.is_timeout() {
        true => ModelError::TimedOut,
        false => ModelError::Unavailable(failure(error)),
    }
}

fn stated_pause(headers: &HeaderMap) -> Option<Duration> {
    let stated = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let pause = Duration::from_secs(stated.trim().parse().ok()?);
    (pause <= LONGEST_PAUSE).then_some(pause)
}

impl Answer {
    /// What an answer means that is not the wanted one.
    fn error(&self, key: &Key) -> ModelError {
        let said = self.said(key);
        let word = |word: &str| said.to_lowercase().contains(word);
        match self.status {
            429 if word("quota") || word("billing") => ModelError::OverQuota,
            429 => ModelError::Busy { pause: self.pause },
            402 => ModelError::OverQuota,
            400 | 403 if word("content_filter") || word("content management") || word("safety") => {
                ModelError::Blocked
            }
            400..=499 => ModelError::Refused {
                status: self.status,
                why: said,
            },
            500..=599 => ModelError::Unavailable(format!("HTTP {}", self.status)),
            _ => ModelError::Nonsense(format!("HTTP {}", self.status)),
        }
    }

    /// The service's words for an error: short, on one line, without the key.
    fn said(&self, key: &Key) -> String {
        let places = ["/error/message", "/message", "/error/code", "/error"];
        let said = places
            .iter()
            .filter_map(|at| self.body.pointer(at))
            .find_map(Value::as_str)
            .unwrap_or("without a message");
        let code = self.body.pointer("/error/code").and_then(Value::as_str);
        let mut said = match code {
            Some(code) if !said.contains(code) => format!("{said} ({code})"),
            _ => said.to_owned(),
        };
        for secret in key.secrets().filter(|secret| secret.len() >= 4) {
            said = said.replace(secret, "***");
        }
        said.chars()
            .take(LONGEST_MESSAGE)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect()
    }
}

/// Whether the service lists the model.
fn lists(body: &Value, model: &str) -> Result<(), ModelError> {
    let listed = body["data"].as_array().into_iter().flatten();
    let ids: Vec<&str> = listed.filter_map(|m| m["id"].as_str()).collect();
    match ids.is_empty() || ids.contains(&model) {
        true => Ok(()),
        false => Err(ModelError::Refused {
            status: 404,
            why: format!("no such model; there are: {}", ids.join(", ")),
        }),
    }
}

/// The arguments of a call: an object, or a text that holds one.
fn arguments(given: &Value) -> Result<Value, ModelError> {
    let read = match given {
        Value::String(text) if text.trim().is_empty() => Value::Object(Default::default()),
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        Value::Null => Value::Object(Default::default()),
        other => other.clone(),
    };
    match read.is_object() {
        true => Ok(read),
        false => Err(ModelError::Nonsense("arguments that are no object".into())),
    }
}

/// The words of an answer.
fn words(content: &Value) -> Result<Thought, ModelError> {
    match content.as_str().map(str::trim) {
        Some(text) if !text.is_empty() => Ok(Thought::Words(text.to_owned())),
        _ => Err(ModelError::Nonsense("neither words nor a call".into())),
    }
}
