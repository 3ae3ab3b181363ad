//! GigaChat: a token for half an hour, `functions` in place of tools, arguments as an object.
//! <https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/post-chat>

use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{Answer, Key, Settings, fetch};
use crate::http_client::{self, ClientError};
use crate::ports::{Ask, Call, Model, ModelError, Said, Thought};

/// A token that ends sooner than this is not begun with.
const SPARE: TimeDelta = TimeDelta::minutes(2);
/// How long a token lives where the answer does not say.
const LIFE: TimeDelta = TimeDelta::minutes(30);

/// One account at GigaChat.
pub struct GigaChat {
    http: reqwest::Client,
    base_url: String,
    auth_url: String,
    scope: String,
    key: Key,
    model: String,
    /// So many questions at once: a private account has a single stream.
    streams: Semaphore,
    token: Mutex<Option<Token>>,
    /// Held while a token is fetched: ten who wait need one.
    signing_in: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    until: DateTime<Utc>,
}

impl GigaChat {
    /// Ready to be asked. The error is always the configuration's fault.
    pub fn new(settings: &Settings) -> Result<Self, ClientError> {
        Ok(Self {
            http: http_client::client_for(&settings.base_url, &settings.client)?,
            base_url: settings.base_url.clone(),
            auth_url: settings.auth_url.clone(),
            scope: settings.scope.clone(),
            key: settings.key.clone(),
            model: settings.model.clone(),
            streams: Semaphore::new(settings.concurrency.max(1) as usize),
            token: Mutex::new(None),
            signing_in: tokio::sync::Mutex::new(()),
        })
    }

    /// The present token, or a new one where there is none, it is about to end, or it is the one
    /// that was just refused.
    async fn token(&self, refused: Option<&HeaderValue>) -> Result<HeaderValue, ModelError> {
        let good = || {
            let token = self.token.lock().unwrap_or_else(|e| e.into_inner());
            token
                .as_ref()
                .filter(|t| t.until - SPARE > Utc::now() && Some(&t.header) != refused)
                .map(|t| t.header.clone())
        };
        if let Some(header) = good() {
            return Ok(header);
        }
        let _alone = self.signing_in.lock().await;
        if let Some(header) = good() {
            return Ok(header);
        }
        let request = self
            .http
            .post(&self.auth_url)
            .header("RqUID", request_id())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("scope={}", self.scope));
        let answer = fetch(self.introduced(request)).await?;
        let text = |key: &str| answer.body[key].as_str();
        let token = text("access_token").or_else(|| text("tok"));
        let Some(token) = token.filter(|_| answer.status == 200) else {
            return Err(match answer.status {
                200 => ModelError::Nonsense("no token in the answer".into()),
                _ => answer.error(&self.key),
            });
        };
        let unfit = || ModelError::Nonsense("a token that no header can carry".into());
        let mut header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| unfit())?;
        header.set_sensitive(true);
        let until = ["expires_at", "exp"]
            .iter()
            .find_map(|key| answer.body[*key].as_i64())
            .and_then(|at| match at {
                // Some stands write seconds.
                ..100_000_000_000 => DateTime::from_timestamp(at, 0),
                _ => DateTime::from_timestamp_millis(at),
            });
        let token = Token {
            header: header.clone(),
            until: until.unwrap_or_else(|| Utc::now() + LIFE),
        };
        *self.token.lock().unwrap_or_else(|e| e.into_inner()) = Some(token);
        Ok(header)
    }

    /// The request with the account's own key: a ready one, or the client's name and secret.
    fn introduced(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let text = |secret: &Option<SecretString>| {
            let secret = secret.as_ref().map(|s| s.expose_secret().to_owned());
            secret.unwrap_or_default()
        };
        match &self.key.token {
            Some(key) => {
                let header = HeaderValue::from_str(&format!("Basic {}", key.expose_secret()));
                match header {
                    Ok(mut header) => {
                        header.set_sensitive(true);
                        request.header(AUTHORIZATION, header)
                    }
                    // The service will say that nobody was named.
                    Err(_) => request,
                }
            }
            None => request.basic_auth(
                text(&self.key.client_id),
                Some(text(&self.key.client_secret)),
            ),
        }
    }

    /// A request with the token; a refused token is replaced and the request repeated, once.
    async fn with_token(
        &self,
        request: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<Answer, ModelError> {
        let header = self.token(None).await?;
        let answer = fetch(request().header(AUTHORIZATION, header.clone())).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let renewed = self.token(Some(&header)).await?;
        fetch(request().header(AUTHORIZATION, renewed)).await
    }
}

#[async_trait]
impl Model for GigaChat {
    fn name(&self) -> &str {
        &self.model
    }

    async fn ask(&self, ask: &Ask) -> Result<Thought, ModelError> {
        // The semaphore is never closed.
        let _stream = self.streams.acquire().await;
        let body = body(&self.model, ask);
        let url = format!("{}/chat/completions", self.base_url);
        let answer = self.with_token(|| self.http.post(&url).json(&body)).await?;
        match answer.status {
            200 => thought(&answer.body),
            _ => Err(answer.error(&self.key)),
        }
    }

    async fn probe(&self) -> Result<(), ModelError> {
        let url = format!("{}/models", self.base_url);
        let answer = self.with_token(|| self.http.get(&url)).await?;
        if answer.status != 200 {
            return Err(answer.error(&self.key));
        }
        super::lists(&answer.body, &self.model)
    }
}

fn body(model: &str, ask: &Ask) -> Value {
    let mut messages = vec![json!({"role": "system", "content": ask.system})];
    for said in &ask.said {
        messages.push(match said {
            Said::Client { text } => json!({"role": "user", "content": text}),
            Said::Salon { text } => json!({"role": "assistant", "content": text}),
            // The service takes one function call a turn; `calls` never has more.
            Said::Called { calls } => {
                let mut message = json!({"role": "assistant", "content": ""});
                if let Some(call) = calls.first() {
                    message["function_call"] =
                        json!({"name": call.name, "arguments": call.arguments});
                    if !call.id.is_empty() {
                        message["functions_state_id"] = call.id.as_str().into();
                    }
                }
                message
            }
            Said::Result { name, content, .. } => {
                json!({"role": "function", "name": name, "content": content.to_string()})
            }
            // The service takes a system message at the beginning alone.
            Said::Note { text } => json!({"role": "user", "content": text}),
        });
    }
    let functions: Vec<Value> = ask
        .tools
        .iter()
        .map(|tool| {
            json!({
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            })
        })
        .collect();
    let mut body = json!({
        "model": model,
        "messages": messages,
        "temperature": super::TEMPERATURE,
        "max_tokens": super::MOST_TOKENS,
    });
    if !functions.is_empty() {
        body["functions"] = functions.into();
        body["function_call"] = "auto".into();
    }
    body
}

fn thought(body: &Value) -> Result<Thought, ModelError> {
    let choice = &body["choices"][0];
    if choice["finish_reason"] == "blacklist" {
        return Err(ModelError::Blocked);
    }
    let message = &choice["message"];
    let call = &message["function_call"];
    if let Some(name) = call["name"].as_str() {
        let arguments = super::arguments(&call["arguments"])?;
        let id = message["functions_state_id"].as_str().unwrap_or_default();
        return Ok(Thought::Calls(vec![Call {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments,
        }]));
    }
    super::words(&message["content"])
}

/// An id of its own for each request, as the service demands one.
fn request_id() -> String {
    uuid::Builder::from_random_bytes(rand::random())
        .into_uuid()
        .to_string()
}

impl std::fmt::Debug for GigaChat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GigaChat({})", self.model)
    }
}
