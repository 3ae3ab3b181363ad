//! One fake gateway that speaks WAHA, Evolution API, WPPConnect and Wazzup: sends, state, lists.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Response};
use serde_json::{Value, json};

use super::fake::{Call, Desk, Sent, json as answer, lock, play, serve};

pub const TOKEN: &str = "CANARY-gateway-token";
/// A name with a slash and a space: it has to be one segment of a path.
pub const SESSION: &str = "salon 1/2";

/// The fake; its desk has the sent messages, the script and the log.
#[derive(Clone)]
pub struct Gateway {
    api: Arc<Api>,
    /// `http://127.0.0.1:…`, for `base_url`.
    pub url: String,
}

struct Api {
    desk: Desk,
    state: Mutex<String>,
    /// Wazzup's memory of keys.
    keys: Mutex<HashSet<String>>,
    /// WAHA's engine lists all chats at once.
    lists_all: Mutex<bool>,
    /// People are listed under hidden ids.
    hides_phones: Mutex<bool>,
    /// Every list is a whole page and never ends.
    endless: Mutex<bool>,
}

impl Deref for Gateway {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.api.desk
    }
}

impl Gateway {
    /// Starts a gateway whose phone is connected.
    pub async fn start() -> Self {
        let api = Arc::new(Api {
            desk: Desk::default(),
            state: Mutex::new(String::new()),
            keys: Mutex::default(),
            lists_all: Mutex::new(true),
            hides_phones: Mutex::default(),
            endless: Mutex::default(),
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

    /// The word for the state; empty for the good one of each gateway.
    pub fn set_state(&self, state: &str) {
        state.clone_into(&mut lock(&self.api.state));
    }

    /// WAHA's engine knows no list of all chats.
    pub fn list_chat_by_chat(&self) {
        *lock(&self.api.lists_all) = false;
    }

    /// People are listed as `…@lid`.
    pub fn hide_phones(&self) {
        *lock(&self.api.hides_phones) = true;
    }

    /// Lists never end.
    pub fn be_endless(&self) {
        *lock(&self.api.endless) = true;
    }
}

fn has(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get(name).and_then(|v| v.to_str().ok()) == Some(value)
}

/// A path's segments, decoded.
fn segments(path: &str) -> Vec<String> {
    path.trim_start_matches('/')
        .split('/')
        .map(|segment| {
            let mut bytes = Vec::new();
            let mut rest = segment.as_bytes();
            while let Some((first, tail)) = rest.split_first() {
                if *first == b'%' {
                    let hex = std::str::from_utf8(&tail[..2]).unwrap();
                    bytes.push(u8::from_str_radix(hex, 16).unwrap());
                    rest = &tail[2..];
                } else {
                    bytes.push(*first);
                    rest = tail;
                }
            }
            String::from_utf8(bytes).unwrap()
        })
        .collect()
}

impl Api {
    async fn handle(&self, call: Call) -> Response<Body> {
        let parts = segments(call.uri.path());
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let query = call.uri.query().unwrap_or_default();
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let bearer = has(&call.headers, "authorization", &format!("Bearer {TOKEN}"));
        let waha = has(&call.headers, "x-api-key", TOKEN);
        let evolution = has(&call.headers, "apikey", TOKEN);
        let name = match parts.as_slice() {
            ["api", "sendText"] => "sendText",
            ["message", "sendText", SESSION] => "sendText",
            ["api", SESSION, "send-message"] => "sendText",
            ["v3", "message"] => "sendText",
            ["api", "sessions", SESSION] => "state",
            ["instance", "connectionState", SESSION] => "state",
            ["api", SESSION, "status-session"] => "state",
            ["api", SESSION, "chats", ..] => "list",
            ["chat", "findMessages", SESSION] => "list",
            ["api", SESSION, "get-messages", _] => "list",
            _ => "unknown",
        };
        self.desk.log(&call.http, name, query, &call.body);
        match (&call.http, parts.as_slice()) {
            _ if !(bearer || waha || evolution) => {
                answer(401, &json!({"message": "Unauthorized", "statusCode": 401}))
            }
            (&Method::POST, ["api", "sendText"]) if waha => {
                let id = |id: &str| json!({"id": {"_serialized": format!("true_{}_{id}", text("chatId"))}});
                self.send(&text("chatId"), &text("text"), 201, id).await
            }
            (&Method::POST, ["message", "sendText", _]) if evolution => {
                let chat = format!("{}@s.whatsapp.net", text("number"));
                let id = |id: &str| json!({"key": {"id": id, "fromMe": true}, "status": "PENDING"});
                self.send(&chat, &text("text"), 201, id).await
            }
            (&Method::POST, ["api", _, "send-message"]) if bearer => {
                let chat = format!("{}@c.us", text("phone"));
                let id = |id: &str| json!({"status": "success", "response": [{"id": id}]});
                self.send(&chat, &text("message"), 201, id).await
            }
            (&Method::POST, ["v3", "message"]) if bearer => {
                let key = text("crmMessageId");
                if lock(&self.keys).contains(&key) {
                    return answer(
                        400,
                        &json!({"error": "repeatedCrmMessageId", "description": "You have already sent message with the same crmMessageId"}),
                    );
                }
                let id = |id: &str| json!({"messageId": id, "chatId": text("chatId")});
                // Before the answer: one that is never given was taken all the same.
                lock(&self.keys).insert(key.clone());
                let before = self.desk.sent().len();
                let response = self.send(&text("chatId"), &text("text"), 201, id).await;
                if self.desk.sent().len() == before {
                    lock(&self.keys).remove(&key);
                }
                response
            }
            (&Method::GET, ["api", "sessions", _]) if waha => answer(
                200,
                &json!({"name": SESSION, "status": self.state("WORKING")}),
            ),
            (&Method::GET, ["instance", "connectionState", _]) if evolution => answer(
                200,
                &json!({"instance": {"instanceName": SESSION, "state": self.state("open")}}),
            ),
            (&Method::GET, ["api", _, "status-session"]) if bearer => answer(
                200,
                &json!({"status": self.state("CONNECTED"), "qrcode": null}),
            ),
            (&Method::GET, ["api", _, "chats", "all", "messages"]) if waha => {
                if !*lock(&self.lists_all) {
                    return answer(400, &json!({"message": "not on this engine"}));
                }
                answer(200, &self.waha(query, |_| true))
            }
            (&Method::GET, ["api", _, "chats", chat, "messages"]) if waha => {
                answer(200, &self.waha(query, |sent| sent.chat == **chat))
            }
            (&Method::POST, ["chat", "findMessages", _]) if evolution => {
                let records: Vec<Value> =
                    self.desk.sent().iter().map(|s| self.evolution(s)).collect();
                let pages = if *lock(&self.endless) { 1000 } else { 1 };
                answer(
                    200,
                    &json!({"messages": {"total": records.len(), "pages": pages, "currentPage": 1, "records": records}}),
                )
            }
            (&Method::GET, ["api", _, "get-messages", phone]) if bearer => {
                let chat = format!("{phone}@c.us");
                let mut list: Vec<Value> = self
                    .desk
                    .sent()
                    .iter()
                    .filter(|s| s.chat == chat)
                    .map(|s| {
                        json!({"id": s.id, "body": s.text, "t": s.stamp, "fromMe": true, "to": s.chat})
                    })
                    .collect();
                if let (true, Some(last)) = (*lock(&self.endless), list.last().cloned()) {
                    list.resize(100, last);
                }
                answer(200, &json!({"status": "success", "response": list}))
            }
            _ => answer(404, &json!({"message": "Not Found"})),
        }
    }

    fn state(&self, good: &str) -> String {
        let state = lock(&self.state).clone();
        if state.is_empty() {
            good.to_owned()
        } else {
            state
        }
    }

    async fn send(
        &self,
        chat: &str,
        text: &str,
        status: u16,
        body: impl Fn(&str) -> Value,
    ) -> Response<Body> {
        if let Some(scripted) = self.desk.scripted() {
            return play(scripted, || {
                self.desk.take(chat, text, "3EB0");
            })
            .await;
        }
        let id = self.desk.take(chat, text, "3EB0");
        answer(status, &body(&id))
    }

    fn chat_of(&self, sent: &Sent) -> String {
        if *lock(&self.hides_phones) {
            "100000000000001@lid".to_owned()
        } else {
            sent.chat.clone()
        }
    }

    fn waha(&self, query: &str, wanted: impl Fn(&Sent) -> bool) -> Value {
        let number = |name: &str| -> i64 {
            let value = query.split('&').find_map(|p| p.strip_prefix(name));
            value.unwrap().parse().unwrap()
        };
        let (gte, lte) = (
            number("filter.timestamp.gte="),
            number("filter.timestamp.lte="),
        );
        let (limit, offset) = (number("limit="), number("offset="));
        let within = |sent: &Sent| (gte..=lte).contains(&sent.stamp);
        let mut list: Vec<Value> = self
            .desk
            .sent()
            .iter()
            .filter(|s| within(s) && wanted(s))
            .map(|s| {
                json!({
                    "id": format!("true_{}_{}", s.chat, s.id),
                    "timestamp": s.stamp,
                    "from": "79000000009@c.us",
                    "to": self.chat_of(s),
                    "fromMe": true,
                    "body": s.text,
                    "ack": 2,
                })
            })
            .collect();
        if let (true, Some(last)) = (*lock(&self.endless), list.last().cloned()) {
            list.resize(usize::try_from(offset + limit).unwrap(), last);
        }
        let page = list.into_iter().skip(usize::try_from(offset).unwrap());
        page.take(usize::try_from(limit).unwrap()).collect()
    }

    fn evolution(&self, sent: &Sent) -> Value {
        json!({
            "key": {"id": sent.id, "fromMe": true, "remoteJid": self.chat_of(sent)},
            "message": {"extendedTextMessage": {"text": sent.text}},
            "messageTimestamp": sent.stamp,
        })
    }
}
