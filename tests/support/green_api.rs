//! A fake of a Green API instance: state, sends, the queue of notifications.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Response};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::fake::{Call, Desk, json as answer, lock, play, serve};

pub const INSTANCE: &str = "1101000001";
pub const TOKEN: &str = "CANARY-green-token";

/// The fake; its desk has the sent messages, the script and the log.
#[derive(Clone)]
pub struct GreenApi {
    api: Arc<Api>,
    /// `http://127.0.0.1:…`, for `api_url`.
    pub url: String,
}

struct Api {
    desk: Desk,
    state: Mutex<String>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    last_receipt: i64,
    last_text: u64,
    waiting: VecDeque<(i64, String)>,
    deleted: Vec<i64>,
}

impl Deref for GreenApi {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.api.desk
    }
}

impl GreenApi {
    /// Starts an authorized instance.
    pub async fn start() -> Self {
        let api = Arc::new(Api {
            desk: Desk::default(),
            state: Mutex::new("authorized".into()),
            queue: Mutex::default(),
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

    /// Changes the state without telling anybody.
    pub fn set_state(&self, state: &str) {
        state.clone_into(&mut lock(&self.api.state));
    }

    /// Changes the state and queues `stateInstanceChanged`.
    pub fn push_state(&self, state: &str) -> i64 {
        self.set_state(state);
        self.push(json!({
            "typeWebhook": "stateInstanceChanged",
            "timestamp": 1_787_300_000,
            "stateInstance": state,
        }))
    }

    /// Queues a delivery status of a message.
    pub fn push_status(&self, id: &str, status: &str) -> i64 {
        self.push(json!({
            "typeWebhook": "outgoingMessageStatus",
            "chatId": "79000000001@c.us",
            "timestamp": 1_787_300_000,
            "idMessage": id,
            "status": status,
            "sendByApi": true,
        }))
    }

    /// Queues a text from a phone (digits).
    pub fn push_text(&self, phone: &str, text: &str) -> i64 {
        let data = json!({
            "typeMessage": "textMessage",
            "textMessageData": {"textMessage": text},
        });
        self.push_message(&format!("{phone}@c.us"), &data)
    }

    /// Queues a text from a phone (digits), written then.
    pub fn push_text_at(&self, phone: &str, text: &str, at: DateTime<Utc>) -> i64 {
        let data = json!({
            "typeMessage": "textMessage",
            "textMessageData": {"textMessage": text},
        });
        self.push_message_at(&format!("{phone}@c.us"), &data, at.timestamp())
    }

    /// Queues a message of any kind from a chat.
    pub fn push_message(&self, chat: &str, message_data: &Value) -> i64 {
        self.push_message_at(chat, message_data, 1_787_300_000)
    }

    fn push_message_at(&self, chat: &str, message_data: &Value, timestamp: i64) -> i64 {
        let number = {
            let mut queue = lock(&self.api.queue);
            queue.last_text += 1;
            queue.last_text
        };
        self.push(json!({
            "typeWebhook": "incomingMessageReceived",
            "instanceData": {"idInstance": 1_101_000_001_u64, "typeInstance": "whatsapp"},
            "timestamp": timestamp,
            "idMessage": format!("IN{number}"),
            "senderData": {"chatId": chat, "sender": chat, "senderName": "Анна"},
            "messageData": message_data,
        }))
    }

    /// Queues a notification with this body and gives its receipt.
    pub fn push(&self, body: Value) -> i64 {
        self.push_raw(|receipt| json!({"receiptId": receipt, "body": body}).to_string())
    }

    /// Queues a notification whose whole text is made of its receipt.
    pub fn push_raw(&self, text: impl FnOnce(i64) -> String) -> i64 {
        let receipt = {
            let mut queue = lock(&self.api.queue);
            queue.last_receipt += 1;
            let receipt = queue.last_receipt;
            queue.waiting.push_back((receipt, text(receipt)));
            receipt
        };
        self.poke();
        receipt
    }

    /// Receipts that were deleted, in order.
    pub fn deleted(&self) -> Vec<i64> {
        lock(&self.api.queue).deleted.clone()
    }

    /// Waits until at least `n` notifications were deleted.
    pub async fn wait_for_deleted(&self, n: usize) -> Vec<i64> {
        self.wait_until(&format!("{n} deleted notifications"), || {
            let deleted = self.deleted();
            (deleted.len() >= n).then_some(deleted)
        })
        .await
    }
}

fn plain(status: u16, text: &str) -> Response<Body> {
    answer(status, &json!({"statusCode": status, "message": text}))
}

impl Api {
    async fn handle(&self, call: Call) -> Response<Body> {
        let path = call.uri.path().to_owned();
        let mut parts = path.trim_start_matches('/').split('/');
        let (instance, method, token, tail) =
            (parts.next(), parts.next(), parts.next(), parts.next());
        let method = method.unwrap_or_default();
        let query = call.uri.query().unwrap_or_default();
        self.desk.log(&call.http, method, query, &call.body);
        if instance != Some(&format!("waInstance{INSTANCE}")) {
            return plain(403, "Forbidden");
        }
        if token != Some(TOKEN) {
            return plain(401, "Unauthorized");
        }
        match (&call.http, method) {
            (&Method::GET, "getStateInstance") => {
                let state = lock(&self.state).clone();
                answer(200, &json!({"stateInstance": state}))
            }
            (&Method::POST, "sendMessage") => self.send(&call.body).await,
            (&Method::GET, "receiveNotification") => self.receive(query).await,
            (&Method::DELETE, "deleteNotification") => self.delete(tail),
            _ => plain(404, "Not Found"),
        }
    }

    async fn send(&self, body: &[u8]) -> Response<Body> {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return plain(400, "Unexpected token _ in JSON at position 0");
        };
        let chat = body["chatId"].as_str().unwrap_or_default().to_owned();
        let text = body["message"].as_str().unwrap_or_default().to_owned();
        self.desk.held().await;
        if let Some(scripted) = self.desk.scripted() {
            return play(scripted, || {
                self.desk.take(&chat, &text, "BAE5");
            })
            .await;
        }
        let number = chat.strip_suffix("@c.us").or(chat.strip_suffix("@lid"));
        let is_chat = number.is_some_and(|n| {
            n.len() >= 11 && n.len() <= 16 && n.chars().all(|c| c.is_ascii_digit())
        });
        if !is_chat {
            return plain(
                400,
                "Validation failed. Details: 'chatId' must be one of the following formats",
            );
        }
        if text.is_empty() {
            return plain(
                400,
                "Validation failed. Details: 'message' is not allowed to be empty",
            );
        }
        if text.chars().count() > 20_000 {
            return plain(
                400,
                "Validation failed. Details: 'message' length must be less than or equal to 20000 characters long",
            );
        }
        // Taken in any state: an unauthorized instance keeps it for a day, which is the trap.
        let id = self.desk.take(&chat, &text, "BAE5");
        answer(200, &json!({"idMessage": id}))
    }

    async fn receive(&self, query: &str) -> Response<Body> {
        let seconds: Option<u64> = query
            .strip_prefix("receiveTimeout=")
            .and_then(|s| s.parse().ok());
        let Some(seconds) = seconds.filter(|s| (5..=60).contains(s)) else {
            return plain(
                400,
                "Validation failed. Details: 'receiveTimeout' must be between 5 and 60",
            );
        };
        let first = || {
            lock(&self.queue)
                .waiting
                .front()
                .map(|(_, text)| text.clone())
        };
        let wait = self.desk.wait_until("a notification", first);
        let text = match first() {
            Some(text) => text,
            None => tokio::time::timeout(Duration::from_secs(seconds), wait)
                .await
                .unwrap_or_else(|_| "null".into()),
        };
        Response::builder()
            .header("content-type", "application/json")
            .body(Body::from(text))
            .unwrap()
    }

    fn delete(&self, receipt: Option<&str>) -> Response<Body> {
        let receipt: Option<i64> = receipt.and_then(|r| r.parse().ok());
        let found = {
            let mut queue = lock(&self.queue);
            let front = queue.waiting.front().map(|(id, _)| *id);
            let found = receipt.is_some() && front == receipt;
            if found {
                queue.waiting.pop_front();
                queue.deleted.extend(receipt);
            }
            found
        };
        self.desk.poke();
        answer(200, &json!({"result": found, "reason": ""}))
    }
}
