//! A fake of a Green API instance: state, sends, the queue of notifications.

use std::collections::{HashSet, VecDeque};
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Response};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::fake::{Call, Desk, Sent, json as answer, lock, play, serve};

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
    /// People have chat ids of their own: MAX, Telegram.
    hides_phones: bool,
    state: Mutex<String>,
    settings: Mutex<Value>,
    templates: Mutex<Value>,
    queue: Mutex<Queue>,
    outbox: Mutex<Outbox>,
}

/// What was taken and is listed.
#[derive(Default)]
struct Outbox {
    /// Messages that the journal does not show yet, and of them those that wait in the queue.
    unlisted: HashSet<String>,
    queued: HashSet<String>,
    /// What the queue's length is said to be, beside those.
    waiting: u64,
    /// Entries of the journal that are not ours.
    foreign: Vec<Value>,
    /// The next looks go wrong.
    blind: u32,
    /// Phones (digits) without an account.
    absent: HashSet<String>,
    /// What the list of incoming messages shows.
    inbox: Vec<Value>,
    /// The journal lists a message only so long after it was taken.
    lag: Duration,
}

#[derive(Default)]
struct Queue {
    last_receipt: i64,
    last_text: u64,
    waiting: VecDeque<(i64, String)>,
    /// Whoever asks while nothing waits is told so at once.
    hasty: bool,
    deleted: Vec<i64>,
}

impl Deref for GreenApi {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.api.desk
    }
}

impl GreenApi {
    /// Starts an authorized instance of WhatsApp.
    pub async fn start() -> Self {
        Self::start_with(false).await
    }

    /// Starts one of MAX or Telegram, where people have chat ids: `1` and the last seven digits of
    /// their phones.
    pub async fn start_hiding_phones() -> Self {
        Self::start_with(true).await
    }

    async fn start_with(hides_phones: bool) -> Self {
        let api = Arc::new(Api {
            desk: Desk::default(),
            hides_phones,
            state: Mutex::new("authorized".into()),
            settings: Mutex::new(json!({"webhookUrl": "", "incomingWebhook": "yes"})),
            templates: Mutex::new(json!([])),
            queue: Mutex::default(),
            outbox: Mutex::default(),
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

    /// What `getSettings` says.
    pub fn set_settings(&self, settings: Value) {
        *lock(&self.api.settings) = settings;
    }

    /// The templates that are listed, approved or not.
    pub fn set_templates(&self, templates: Value) {
        *lock(&self.api.templates) = templates;
    }

    /// The journal does not show these messages; the queue does, when `queued`.
    pub fn hide(&self, ids: &[&str], queued: bool) {
        let mut outbox = lock(&self.api.outbox);
        outbox.unlisted = ids.iter().map(|id| (*id).to_owned()).collect();
        outbox.queued = match queued {
            true => outbox.unlisted.clone(),
            false => HashSet::new(),
        };
    }

    /// The journal lists each message this late.
    pub fn list_late(&self, lag: Duration) {
        lock(&self.api.outbox).lag = lag;
    }

    /// The journal also has this entry.
    pub fn journal(&self, entry: Value) {
        lock(&self.api.outbox).foreign.push(entry);
    }

    /// So many messages of others wait in the queue.
    pub fn set_waiting(&self, waiting: u64) {
        lock(&self.api.outbox).waiting = waiting;
    }

    /// The list of incoming messages also has this text from a chat.
    pub fn list_incoming(&self, chat: &str, text: &str, at: DateTime<Utc>) {
        lock(&self.api.outbox).inbox.push(json!({
            "type": "incoming",
            "idMessage": "3A0001",
            "timestamp": at.timestamp(),
            "typeMessage": "textMessage",
            "chatId": chat,
            "senderId": chat,
            "senderName": "Анна",
            "textMessage": text,
        }));
    }

    /// The next looks into journal or queue are answered with 500.
    pub fn blind(&self, looks: u32) {
        lock(&self.api.outbox).blind = looks;
    }

    /// Nobody has an account under this phone (digits).
    pub fn has_no_account(&self, phone: &str) {
        lock(&self.api.outbox).absent.insert(phone.to_owned());
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

    /// Notifications that wait to be received.
    pub fn undeleted(&self) -> usize {
        lock(&self.api.queue).waiting.len()
    }

    /// Receipts that were deleted, in order.
    pub fn deleted(&self) -> Vec<i64> {
        lock(&self.api.queue).deleted.clone()
    }

    /// From now on whoever asks while nothing waits is told so at once, or waits again as they asked.
    pub fn be_hasty(&self, hasty: bool) {
        lock(&self.api.queue).hasty = hasty;
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
            (&Method::POST, "sendTemplate") => self.send_template(&call.body).await,
            (&Method::GET, "getSettings") => answer(200, &lock(&self.settings).clone()),
            (&Method::GET, "getTemplates") => {
                answer(200, &json!({"templates": lock(&self.templates).clone()}))
            }
            (&Method::POST, "setSettings") => {
                let wanted: Value = serde_json::from_slice(&call.body).unwrap();
                let mut settings = lock(&self.settings);
                for (key, value) in wanted.as_object().unwrap() {
                    settings[key] = value.clone();
                }
                answer(200, &json!({"saveSettings": true}))
            }
            (&Method::GET, "getMessagesCount") => {
                let outbox = lock(&self.outbox);
                let count = outbox.waiting + outbox.queued.len() as u64;
                // As one page of the vendor's spells it: with a Cyrillic letter.
                answer(200, &json!({"\u{441}ount": count}))
            }
            (&Method::GET, "showMessagesQueue") => self.look(Self::queued),
            (&Method::GET, "lastOutgoingMessages") => self.look(Self::went_out),
            (&Method::GET, "lastIncomingMessages") => {
                self.look(|api| lock(&api.outbox).inbox.clone())
            }
            (&Method::POST, "checkAccount") if self.hides_phones => self.check(&call.body),
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
        if !self.is_chat(&chat) {
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
        self.desk.takes_time().await;
        // Taken in any state: an unauthorized instance keeps it for a day, which is the trap.
        let id = self.desk.take(&chat, &text, "BAE5");
        self.desk.takes_time().await;
        answer(200, &json!({"idMessage": id}))
    }

    fn is_chat(&self, chat: &str) -> bool {
        let digits = |n: &str| n.chars().all(|c| c.is_ascii_digit());
        if self.hides_phones {
            return chat.len() == 8 && digits(chat);
        }
        let number = chat.strip_suffix("@c.us").or(chat.strip_suffix("@lid"));
        number.is_some_and(|n| n.len() >= 11 && n.len() <= 16 && digits(n))
    }

    async fn send_template(&self, body: &[u8]) -> Response<Body> {
        let body: Value = serde_json::from_slice(body).unwrap();
        let chat = body["chatId"].as_str().unwrap_or_default().to_owned();
        let text = format!("{} {}", body["templateId"], body["params"]);
        if let Some(scripted) = self.desk.scripted() {
            return play(scripted, || {
                self.desk.take(&chat, &text, "BAE5");
            })
            .await;
        }
        if !self.is_chat(&chat) {
            return plain(400, "Validation failed. Details: 'chatId' is wrong");
        }
        let id = self.desk.take(&chat, &text, "BAE5");
        answer(200, &json!({"idMessage": id}))
    }

    fn check(&self, body: &[u8]) -> Response<Body> {
        let body: Value = serde_json::from_slice(body).unwrap();
        let phone = body["phoneNumber"].as_u64().unwrap().to_string();
        if lock(&self.outbox).absent.contains(&phone) {
            return answer(200, &json!({"exist": false, "chatId": ""}));
        }
        let chat = format!("1{}", &phone[phone.len() - 7..]);
        answer(200, &json!({"exist": true, "chatId": chat}))
    }

    fn look(&self, list: fn(&Self) -> Vec<Value>) -> Response<Body> {
        {
            let mut outbox = lock(&self.outbox);
            if outbox.blind > 0 {
                outbox.blind -= 1;
                return plain(500, "Internal Server Error");
            }
        }
        answer(200, &Value::from(list(self)))
    }

    fn queued(&self) -> Vec<Value> {
        let outbox = lock(&self.outbox);
        let sent = self.desk.sent().into_iter();
        sent.filter(|s| outbox.queued.contains(&s.id))
            .map(|s| {
                json!({
                    "messageID": s.id,
                    "type": "sendMessage",
                    "body": {"chatId": s.chat, "message": s.text, "linkPreview": false},
                })
            })
            .collect()
    }

    fn went_out(&self) -> Vec<Value> {
        let outbox = lock(&self.outbox);
        let sent = self.desk.sent().into_iter();
        let is_listed = |s: &Sent| !outbox.unlisted.contains(&s.id) && s.at.elapsed() >= outbox.lag;
        let listed = sent.filter(is_listed).map(|s| {
            json!({
                "type": "outgoing",
                "idMessage": s.id,
                "timestamp": s.stamp,
                "statusMessage": "delivered",
                "sendByApi": true,
                "typeMessage": "textMessage",
                "chatId": s.chat,
                "textMessage": s.text,
            })
        });
        listed.chain(outbox.foreign.clone()).collect()
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
            None if lock(&self.queue).hasty => "null".into(),
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
