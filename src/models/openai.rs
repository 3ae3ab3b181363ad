//! Any address that speaks as OpenAI does: `/chat/completions` with `tools`.
//! <https://platform.openai.com/docs/api-reference/chat/create>

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{Key, Settings, fetch};
use crate::http_client::{self, ClientError};
use crate::ports::{Ask, Call, Model, ModelError, Said, Thought};

/// One account at such an address.
pub struct OpenAi {
    http: reqwest::Client,
    base_url: String,
    key: Key,
    model: String,
    streams: Semaphore,
}

impl std::fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenAi({})", self.model)
    }
}

impl OpenAi {
    /// Ready to be asked. The error is always the configuration's fault.
    pub fn new(settings: &Settings) -> Result<Self, ClientError> {
        Ok(Self {
            http: http_client::client_for(&settings.base_url, &settings.client)?,
            base_url: settings.base_url.clone(),
            key: settings.key.clone(),
            model: settings.model.clone(),
            streams: Semaphore::new(settings.concurrency.max(1) as usize),
        })
    }

    /// A model on this machine may want no key.
    fn with_key(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.key.token {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
        }
    }
}

#[async_trait]
impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.model
    }

    async fn ask(&self, ask: &Ask) -> Result<Thought, ModelError> {
        // The semaphore is never closed.
        let _stream = self.streams.acquire().await;
        let url = format!("{}/chat/completions", self.base_url);
        let request = self.http.post(url).json(&body(&self.model, ask));
        let answer = fetch(self.with_key(request)).await?;
        match answer.status {
            200 => thought(&answer.body),
            _ => Err(answer.error(&self.key)),
        }
    }

    async fn probe(&self) -> Result<(), ModelError> {
        let request = self.http.get(format!("{}/models", self.base_url));
        let answer = fetch(self.with_key(request)).await?;
        match answer.status {
            200 => super::lists(&answer.body, &self.model),
            _ => Err(answer.error(&self.key)),
        }
    }
}

fn body(model: &str, ask: &Ask) -> Value {
    let mut messages = vec![json!({"role": "system", "content": ask.system})];
    for said in &ask.said {
        messages.push(match said {
            Said::Client { text } => json!({"role": "user", "content": text}),
            Said::Salon { text } => json!({"role": "assistant", "content": text}),
            Said::Called { calls } => {
                let calls: Vec<Value> = calls
                    .iter()
                    .map(|call| {
                        json!({
                            "id": call.id,
                            "type": "function",
                            "function": {
                                "name": call.name,
                                "arguments": call.arguments.to_string(),
                            },
                        })
                    })
                    .collect();
                json!({"role": "assistant", "content": null, "tool_calls": calls})
            }
            Said::Result { id, content, .. } => {
                json!({"role": "tool", "tool_call_id": id, "content": content.to_string()})
            }
            Said::Note { text } => json!({"role": "system", "content": text}),
        });
    }
    let tools: Vec<Value> = ask
        .tools
        .iter()
        .map(|tool| {
            json!({
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            })
        })
        .collect();
    let mut body = json!({
        "model": model,
        "messages": messages,
        "temperature": super::TEMPERATURE,
        "max_tokens": super::MOST_TOKENS,
    });
    if !tools.is_empty() {
        body["tools"] = tools.into();
    }
    body
}

fn thought(body: &Value) -> Result<Thought, ModelError> {
    let choice = &body["choices"][0];
    if choice["finish_reason"] == "content_filter" || choice["message"]["refusal"].is_string() {
        return Err(ModelError::Blocked);
    }
    let message = &choice["message"];
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    let calls: Vec<Call> = calls
        .map(|call| {
            let function = &call["function"];
            let name = function["name"].as_str();
            let name = name.ok_or_else(|| ModelError::Nonsense("a call without a name".into()))?;
            Ok(Call {
                id: call["id"].as_str().unwrap_or_default().to_owned(),
                name: name.to_owned(),
                arguments: super::arguments(&function["arguments"])?,
            })
        })
        .collect::<Result<_, ModelError>>()?;
    match calls.is_empty() {
        true => super::words(&message["content"]),
        false => Ok(Thought::Calls(calls)),
    }
}
