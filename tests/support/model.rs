//! A fake language model that says what the test scripts, as GigaChat or as OpenAI would: strict about
//! keys and shapes, with a log of everything that was sent to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};

use super::fake::{Call, Desk, json as answer, lock, serve};

/// GigaChat's ready Basic key, and the key of an OpenAI-compatible address.
pub const KEY: &str = "CANARY-model-key";
/// The name of the model that is there.
pub const MODEL: &str = "GigaChat-2";

/// What the model does when it is asked.
#[derive(Clone, Debug)]
pub enum Act {
    /// It says this.
    Say(String),
    /// It calls these tools.
    Call(Vec<(String, Value)>),
    /// Its filter refuses.
    Blocked,
    /// The service answers this.
    Http(u16, String),
    /// HTTP 200 with this body.
    Body(String),
    /// No answer, ever.
    Hang,
}

/// From what it was asked to what it does.
type Habit = Box<dyn FnMut(&Value) -> Act + Send>;

/// It says this.
pub fn say(text: &str) -> Act {
    Act::Say(text.to_owned())
}

/// It calls this tool.
pub fn call(name: &str, arguments: Value) -> Act {
    Act::Call(vec![(name.to_owned(), arguments)])
}

#[derive(Clone)]
pub struct FakeModel {
    api: Arc<Api>,
    /// For `base_url`, without the version's path.
    pub url: String,
}

struct Api {
    desk: Desk,
    script: Mutex<VecDeque<Act>>,
    /// What it does where nothing is scripted.
    habit: Mutex<Option<Habit>>,
    asked: Mutex<Vec<Value>>,
    /// Tokens given out; the last one is good.
    tokens: Mutex<u32>,
    /// So many milliseconds a token lives.
    life: Mutex<i64>,
    at_once: Mutex<(u32, u32)>,
    /// Whatever is asked is answered with this status.
    trouble: Mutex<Option<u16>>,
}

impl std::ops::Deref for FakeModel {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.api.desk
    }
}

impl FakeModel {
    pub async fn start() -> Self {
        let api = Arc::new(Api {
            desk: Desk::default(),
            script: Mutex::default(),
            habit: Mutex::default(),
            asked: Mutex::default(),
            tokens: Mutex::default(),
            life: Mutex::new(30 * 60_000),
            at_once: Mutex::default(),
            trouble: Mutex::default(),
        });
        let address = serve(Arc::clone(&api), |api, call| async move {
            api.handle(call).await
        })
        .await;
        Self {
            api,
            url: format!("http://{address}"),
        }
    }

    /// What it does next, after what was scripted before.
    pub fn then(&self, act: Act) {
        lock(&self.api.script).push_back(act);
    }

    /// What it does from now on where nothing is scripted.
    pub fn be_used_to(&self, habit: impl FnMut(&Value) -> Act + Send + 'static) {
        *lock(&self.api.habit) = Some(Box::new(habit));
    }

    /// Everything it was asked, in order: the bodies.
    pub fn asked(&self) -> Vec<Value> {
        lock(&self.api.asked).clone()
    }

    /// What it was scripted to do and was never asked for.
    pub fn unsaid(&self) -> usize {
        lock(&self.api.script).len()
    }

    /// From now on whatever is asked is answered with this status, or as usual.
    pub fn be_in_trouble(&self, status: Option<u16>) {
        *lock(&self.api.trouble) = status;
    }

    /// The token that is out is not taken any more.
    pub fn revoke(&self) {
        *lock(&self.api.tokens) += 1;
    }

    /// Tokens live so long from now on.
    pub fn let_tokens_live(&self, milliseconds: i64) {
        *lock(&self.api.life) = milliseconds;
    }

    /// The most questions that were open at once.
    pub fn most_at_once(&self) -> u32 {
        lock(&self.api.at_once).1
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
}

impl Api {
    async fn handle(&self, call: Call) -> Response<Body> {
        let path = call.uri.path().to_owned();
        self.desk.log(&call.http, &path, "", &call.body);
        let key = header(&call.headers, "authorization").to_owned();
        if let Some(status) = *lock(&self.trouble) {
            return refuse(status, "in trouble");
        }
        match path.as_str() {
            "/oauth" => self.sign_in(&call, &key),
            "/gigachat/models" | "/openai/models" => {
                if !self.lets_in(&path, &key) {
                    return refuse(401, "Unauthorized");
                }
                answer(
                    200,
                    &json!({"object": "list", "data": [{"id": MODEL, "object": "model"}]}),
                )
            }
            "/gigachat/chat/completions" | "/openai/chat/completions" => {
                if !self.lets_in(&path, &key) {
                    return refuse(401, "Unauthorized");
                }
                let body: Value = serde_json::from_slice(&call.body).unwrap();
                if let Err(why) = check(&body, path.starts_with("/gigachat")) {
                    return refuse(422, why);
                }
                lock(&self.asked).push(body.clone());
                {
                    let mut at_once = lock(&self.at_once);
                    at_once.0 += 1;
                    at_once.1 = at_once.1.max(at_once.0);
                }
                self.desk.held().await;
                let response = self.act(path.starts_with("/gigachat"), &body).await;
                lock(&self.at_once).0 -= 1;
                response
            }
            _ => refuse(404, "no such path"),
        }
    }

    fn lets_in(&self, path: &str, key: &str) -> bool {
        match path.starts_with("/gigachat") {
            true => key == format!("Bearer giga-{}", lock(&self.tokens)),
            false => key == format!("Bearer {KEY}"),
        }
    }

    fn sign_in(&self, call: &Call, key: &str) -> Response<Body> {
        // `id:secret` of the tests in base64, or the ready key.
        let known = [format!("Basic {KEY}"), "Basic aWQ6c2VjcmV0".to_owned()];
        if !known.iter().any(|k| k == key) {
            return refuse(401, "Authorization error: header is incorrect");
        }
        let id = header(&call.headers, "rquid");
        if id.len() != 36 || id.matches('-').count() != 4 {
            return refuse(400, "RqUID is empty or not a UUID");
        }
        if call.body.as_ref() != b"scope=GIGACHAT_API_PERS" {
            return answer(
                400,
                &json!({"code": 7, "message": "scope from db not fully includes consumed scope"}),
            );
        }
        let mut tokens = lock(&self.tokens);
        *tokens += 1;
        let until = chrono::Utc::now().timestamp_millis() + *lock(&self.life);
        answer(
            200,
            &json!({"access_token": format!("giga-{tokens}"), "expires_at": until}),
        )
    }

    async fn act(&self, is_giga: bool, body: &Value) -> Response<Body> {
        let act = lock(&self.script).pop_front();
        let act = act.or_else(|| lock(&self.habit).as_mut().map(|habit| habit(body)));
        let choice = |message: Value, reason: &str| {
            answer(
                200,
                &json!({
                    "choices": [{"index": 0, "message": message, "finish_reason": reason}],
                    "model": MODEL,
                    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
                }),
            )
        };
        match act {
            None => refuse(500, "nothing was scripted"),
            Some(Act::Say(text)) => choice(json!({"role": "assistant", "content": text}), "stop"),
            Some(Act::Call(calls)) if is_giga => {
                let (name, arguments) = &calls[0];
                choice(
                    json!({
                        "role": "assistant", "content": "",
                        "function_call": {"name": name, "arguments": arguments},
                        "functions_state_id": format!("state-{}", lock(&self.asked).len()),
                    }),
                    "function_call",
                )
            }
            Some(Act::Call(calls)) => {
                let asked = lock(&self.asked).len();
                let calls: Vec<Value> = calls
                    .iter()
                    .enumerate()
                    .map(|(index, (name, arguments))| {
                        let arguments = match arguments {
                            Value::String(raw) => raw.clone(),
                            other => other.to_string(),
                        };
                        json!({
                            "id": format!("call-{asked}-{index}"), "type": "function",
                            "function": {"name": name, "arguments": arguments},
                        })
                    })
                    .collect();
                choice(
                    json!({"role": "assistant", "content": null, "tool_calls": calls}),
                    "tool_calls",
                )
            }
            Some(Act::Blocked) if is_giga => choice(
                json!({"role": "assistant", "content": "Не люблю менять тему разговора."}),
                "blacklist",
            ),
            Some(Act::Blocked) => choice(
                json!({"role": "assistant", "content": ""}),
                "content_filter",
            ),
            Some(Act::Http(status, body)) => Response::builder()
                .status(status)
                .body(Body::from(body))
                .unwrap(),
            Some(Act::Body(body)) => Response::new(Body::from(body)),
            Some(Act::Hang) => std::future::pending().await,
        }
    }
}

/// What both services refuse.
fn check(body: &Value, is_giga: bool) -> Result<(), &'static str> {
    if body["model"] != MODEL {
        return Err("No such model");
    }
    let messages = body["messages"].as_array().ok_or("messages")?;
    if messages.first().is_none_or(|m| m["role"] != "system") {
        return Err("system message must be the first message");
    }
    let mut open: Vec<String> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        match (message["role"].as_str().unwrap_or_default(), is_giga) {
            ("system", true) if index > 0 => {
                return Err("system message must be the first message");
            }
            ("tool", true) | ("function", false) => return Err("unknown role"),
            ("tool", false) => {
                let id = message["tool_call_id"].as_str().ok_or("tool_call_id")?;
                let at = open.iter().position(|o| o == id);
                open.remove(at.ok_or("a tool's result without its call")?);
            }
            ("function", true) => {
                let previous = &messages[index - 1];
                if previous["function_call"]["name"] != message["name"] {
                    return Err("a function's result without its call");
                }
                serde_json::from_str::<Value>(message["content"].as_str().ok_or("content")?)
                    .map_err(|_| "function content must be JSON")?;
            }
            ("assistant", true) if message["function_call"].is_object() => {
                if !message["function_call"]["arguments"].is_object() {
                    return Err("arguments must be an object");
                }
                if !message["functions_state_id"].is_string() {
                    return Err("functions_state_id is lost");
                }
            }
            ("assistant", false) if message["tool_calls"].is_array() => {
                for call in message["tool_calls"].as_array().unwrap() {
                    open.push(call["id"].as_str().ok_or("id")?.to_owned());
                    call["function"]["arguments"]
                        .as_str()
                        .ok_or("arguments must be a string")?;
                }
            }
            ("system" | "user" | "assistant", _) => {
                if !open.is_empty() {
                    return Err("a call without its result");
                }
                message["content"].as_str().ok_or("content")?;
            }
            _ => return Err("unknown role"),
        }
    }
    let tools = if is_giga {
        &body["functions"]
    } else {
        &body["tools"]
    };
    match tools.as_array().is_none_or(|t| !t.is_empty()) {
        true => Ok(()),
        false => Err("tools must not be empty"),
    }
}

fn refuse(status: u16, message: &str) -> Response<Body> {
    answer(
        status,
        &json!({"status": status, "error": {"message": message}, "message": message}),
    )
}
