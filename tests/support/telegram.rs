//! A fake of Telegram's Bot API: `getMe`, `sendMessage` with real HTML checks, `getUpdates`.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::fake::{Call, Desk, json as answer, lock, play, serve};

pub const TOKEN: &str = "100500:CANARY-telegram-token";

/// The fake; its desk has the sent messages, the script and the log.
#[derive(Clone)]
pub struct Telegram {
    api: Arc<Api>,
    /// `http://127.0.0.1:…`, for `api_url`.
    pub url: String,
}

struct Api {
    desk: Desk,
    token: String,
    updates: Mutex<Updates>,
    blocked: Mutex<BTreeSet<String>>,
    webhook: Mutex<String>,
}

#[derive(Default)]
struct Updates {
    last_id: i64,
    waiting: Vec<Value>,
}

impl Deref for Telegram {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.api.desk
    }
}

impl Telegram {
    /// Starts a fake that knows [`TOKEN`].
    pub async fn start() -> Self {
        Self::start_with(TOKEN).await
    }

    /// Starts a fake that knows this token.
    pub async fn start_with(token: &str) -> Self {
        let api = Arc::new(Api {
            desk: Desk::default(),
            token: token.to_owned(),
            updates: Mutex::default(),
            blocked: Mutex::default(),
            webhook: Mutex::default(),
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

    /// Another service receives the bot's updates.
    pub fn set_webhook(&self, url: &str) {
        url.clone_into(&mut lock(&self.api.webhook));
    }

    /// The chat blocks the bot: sends to it are refused as Telegram refuses them.
    pub fn block(&self, chat: &str) {
        lock(&self.api.blocked).insert(chat.to_owned());
    }

    /// Puts an update into the queue and gives its id: `{"message": …}` and the like.
    pub fn push_update(&self, mut update: Value) -> i64 {
        let id = {
            let mut updates = lock(&self.api.updates);
            updates.last_id += 1;
            update["update_id"] = updates.last_id.into();
            updates.waiting.push(update);
            updates.last_id
        };
        self.poke();
        id
    }

    /// A private message without content, with an id of its own.
    fn next_message(&self, chat: i64) -> Value {
        let mut message = private(chat);
        message["message_id"] = (1000 + lock(&self.api.updates).last_id).into();
        message
    }

    /// A private message of this person.
    pub fn push_text(&self, chat: i64, text: &str) -> i64 {
        let mut message = self.next_message(chat);
        message["text"] = text.into();
        self.push_update(json!({ "message": message }))
    }

    /// A contact shared in a private chat; `owner` is whose it is.
    pub fn push_contact(&self, chat: i64, phone: &str, owner: Option<i64>) -> i64 {
        let mut message = self.next_message(chat);
        message["contact"] = json!({"phone_number": phone, "first_name": "Анна"});
        if let Some(owner) = owner {
            message["contact"]["user_id"] = owner.into();
        }
        self.push_update(json!({ "message": message }))
    }

    /// Updates that were not confirmed by a higher offset yet.
    pub fn unconfirmed(&self) -> usize {
        lock(&self.api.updates).waiting.len()
    }
}

/// A private message without content.
pub fn private(chat: i64) -> Value {
    json!({
        "message_id": 1000,
        "date": 1_787_300_000,
        "chat": {"id": chat, "type": "private"},
        "from": {"id": chat, "first_name": "Анна"},
    })
}

fn refuse(status: u16, description: &str) -> Response<Body> {
    let body = json!({"ok": false, "error_code": status, "description": description});
    answer(status, &body)
}

fn accept(result: &Value) -> Response<Body> {
    answer(200, &json!({"ok": true, "result": result}))
}

impl Api {
    async fn handle(&self, call: Call) -> Response<Body> {
        let path = call.uri.path().to_owned();
        let Some((token, method)) = path
            .strip_prefix("/bot")
            .and_then(|rest| rest.split_once('/'))
        else {
            return refuse(404, "Not Found");
        };
        self.desk.log(
            &call.http,
            method,
            call.uri.query().unwrap_or_default(),
            &call.body,
        );
        if token != self.token {
            return refuse(401, "Unauthorized");
        }
        let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
            return refuse(400, "Bad Request: can't parse JSON object");
        };
        match method {
            "getMe" => accept(&json!({"id": 100_500, "is_bot": true, "username": "salon_bot"})),
            "getWebhookInfo" => accept(&json!({"url": lock(&self.webhook).clone()})),
            "sendMessage" => self.send(&body).await,
            "getUpdates" => self.updates(&body).await,
            _ => refuse(404, "Not Found: method not found"),
        }
    }

    async fn send(&self, body: &Value) -> Response<Body> {
        let chat = match &body["chat_id"] {
            Value::Number(n) => n.to_string(),
            Value::String(s) => s.clone(),
            _ => return refuse(400, "Bad Request: chat_id is empty"),
        };
        let text = body["text"].as_str().unwrap_or_default().to_owned();
        if let Some(scripted) = self.desk.scripted() {
            return play(scripted, || {
                self.desk.take(&chat, &text, "");
            })
            .await;
        }
        if lock(&self.blocked).contains(&chat) {
            return refuse(403, "Forbidden: bot was blocked by the user");
        }
        let visible = match body["parse_mode"].as_str() {
            None => Ok(text.clone()),
            Some("HTML") => parse_html(&text),
            Some(_) => return refuse(400, "Bad Request: unsupported parse_mode"),
        };
        match visible {
            Err(why) => refuse(400, &format!("Bad Request: can't parse entities: {why}")),
            Ok(visible) if visible.trim().is_empty() => {
                refuse(400, "Bad Request: message text is empty")
            }
            Ok(visible) if visible.chars().count() > 4096 => {
                refuse(400, "Bad Request: message is too long")
            }
            Ok(_) => {
                self.desk.takes_time().await;
                let id: i64 = self.desk.take(&chat, &text, "").parse().unwrap();
                self.desk.takes_time().await;
                accept(&json!({"message_id": id, "date": 1_787_300_000, "text": text}))
            }
        }
    }

    async fn updates(&self, body: &Value) -> Response<Body> {
        let offset = body["offset"].as_i64().unwrap_or(0);
        let limit = usize::try_from(body["limit"].as_i64().unwrap_or(100)).unwrap();
        let timeout = Duration::from_secs(body["timeout"].as_u64().unwrap_or(0).min(50));
        let some = || {
            let mut updates = lock(&self.updates);
            updates
                .waiting
                .retain(|u| u["update_id"].as_i64().unwrap() >= offset);
            let found: Vec<Value> = updates.waiting.iter().take(limit).cloned().collect();
            (!found.is_empty()).then_some(found)
        };
        let wait = self.desk.wait_until("an update", some);
        let found = match some() {
            Some(found) => found,
            None => tokio::time::timeout(timeout, wait)
                .await
                .unwrap_or_default(),
        };
        accept(&Value::from(found))
    }
}

/// Telegram's HTML as its server reads it: known tags, closed in order, and no bare `<` or `&`-entity
/// it does not know. Gives the visible text, or Telegram's words.
fn parse_html(text: &str) -> Result<String, String> {
    const TAGS: [&str; 14] = [
        "b",
        "strong",
        "i",
        "em",
        "u",
        "ins",
        "s",
        "strike",
        "del",
        "code",
        "pre",
        "a",
        "tg-spoiler",
        "blockquote",
    ];
    let mut visible = String::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        visible.push_str(&rest[..at]);
        let offset = text.len() - rest.len() + at;
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('&') {
            // An unknown entity stays as it is written.
            let known = [("lt;", '<'), ("gt;", '>'), ("amp;", '&'), ("quot;", '"')];
            let entity = known.iter().find(|(name, _)| after.starts_with(name));
            visible.push(entity.map_or('&', |(_, c)| *c));
            rest = entity.map_or(after, |(name, _)| &after[name.len()..]);
            continue;
        }
        let Some(end) = rest.find('>') else {
            return Err(format!("Unclosed start tag at byte offset {offset}"));
        };
        let tag = rest[1..end].to_lowercase();
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(expected) if expected == name.trim() => {}
                Some(expected) => {
                    return Err(format!(
                        "Unmatched end tag at byte offset {offset}, expected \"</{expected}>\", found \"</{name}>\""
                    ));
                }
                None => return Err(format!("Unexpected end tag at byte offset {offset}")),
            }
        } else {
            let name = tag.split_whitespace().next().unwrap_or_default();
            if !TAGS.contains(&name) {
                return Err(format!(
                    "Unsupported start tag \"{name}\" at byte offset {offset}"
                ));
            }
            open.push(name.to_owned());
        }
    }
    visible.push_str(rest);
    match open.pop() {
        Some(tag) => Err(format!(
            "Can't find end tag corresponding to start tag \"{tag}\""
        )),
        None => Ok(visible),
    }
}
