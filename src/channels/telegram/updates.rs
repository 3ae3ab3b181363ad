//! The bot's inbound side: `getUpdates`, one long poll at a time.
//!
//! Updates come in batches and are handed out one by one; the server forgets them when a later poll
//! names a higher offset, so one that was never acknowledged comes again after a restart. Every
//! update is read by itself and leniently: one of an unknown kind can never stop the rest.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use serde_json::{Value, json};

use super::Bot;
use crate::channels::classify::exchange;
use crate::ports::{Incoming, Received, Receiver};

/// The server shortens longer polls to this.
const LONGEST_POLL: Duration = Duration::from_secs(50);

/// For the answer to come after the server's own time is up.
const MARGIN: Duration = Duration::from_secs(10);

/// The receiver of a bot.
pub struct Updates {
    bot: Bot,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Lower ids are acknowledged.
    offset: i64,
    /// Fetched and not acknowledged.
    waiting: VecDeque<(i64, Incoming)>,
}

impl Updates {
    pub(super) fn new(bot: Bot) -> Self {
        Self {
            bot,
            queue: Mutex::default(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while holding it, and a half-done queue only repeats updates.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn front(&self) -> Option<Received> {
        self.queue().waiting.front().map(|(id, what)| Received {
            receipt: id.to_string(),
            what: what.clone(),
        })
    }
}

#[async_trait]
impl Receiver for Updates {
    async fn receive(&self, patience: Duration) -> Result<Option<Received>, String> {
        if let Some(waiting) = self.front() {
            return Ok(Some(waiting));
        }
        let poll = patience.min(LONGEST_POLL);
        let mut body = json!({
            "timeout": poll.as_secs(),
            "limit": 100,
            "allowed_updates": ["message", "callback_query", "my_chat_member"],
        });
        let offset = self.queue().offset;
        if offset > 0 {
            body["offset"] = offset.into();
        }
        let request = self.bot.request("getUpdates", &body).timeout(poll + MARGIN);
        let reply = self.bot.read(exchange(request).await.map_err(|s| s.why)?);
        let Some(updates) = reply.result().and_then(Value::as_array) else {
            return Err(reply.why());
        };
        // Whatever comes was not acknowledged, also where its number is lower: after a week without
        // updates Telegram begins anew with any.
        self.queue().waiting = updates
            .iter()
            .filter_map(|u| Some((u["update_id"].as_i64()?, read(u))))
            .collect();
        Ok(self.front())
    }

    async fn acknowledge(&self, receipt: &str) -> Result<(), String> {
        let id: i64 = receipt
            .parse()
            .map_err(|_| "the receipt is no update id".to_owned())?;
        let mut queue = self.queue();
        queue.offset = id + 1;
        queue.waiting.retain(|(waiting, _)| *waiting != id);
        Ok(())
    }
}

fn read(update: &Value) -> Incoming {
    let read = message(&update["message"])
        .or_else(|| press(&update["callback_query"]))
        .or_else(|| membership(&update["my_chat_member"]));
    read.unwrap_or_else(|| Incoming::Other {
        kind: update
            .as_object()
            .and_then(|fields| fields.keys().find(|k| *k != "update_id"))
            .map_or_else(|| "empty update".to_owned(), String::clone),
    })
}

fn is_private(chat: &Value) -> bool {
    chat["type"] == "private"
}

fn name(person: &Value) -> String {
    let parts = [&person["first_name"], &person["last_name"]];
    let parts: Vec<&str> = parts.into_iter().filter_map(Value::as_str).collect();
    parts.join(" ")
}

/// A message: words, and in a private chat `/start`, or a shared contact.
fn message(message: &Value) -> Option<Incoming> {
    let is_private = is_private(&message["chat"]);
    let chat_id = message["chat"]["id"].as_i64()?.to_string();
    // Telegram numbers messages within their chat; the pair is unique.
    let message_id = format!("{chat_id}/{}", message["message_id"].as_i64()?);
    let name = name(&message["from"]);
    let at = DateTime::from_timestamp(message["date"].as_i64()?, 0)?;
    let contact = &message["contact"];
    if contact.is_object() && is_private {
        let own = contact["user_id"].is_i64()
            && contact["user_id"] == message["from"]["id"]
            && !is_forwarded(message);
        let digits = |p: &str| p.chars().filter(char::is_ascii_digit).collect::<String>();
        return Some(Incoming::Contact {
            message_id,
            chat_id,
            phone: contact["phone_number"].as_str().filter(|_| own).map(digits),
            name,
            at,
        });
    }
    let text = [&message["text"], &message["caption"]]
        .into_iter()
        .find_map(Value::as_str)
        .or_else(|| is_wordless(message).then_some(""))?;
    if let Some(payload) = start_payload(text).filter(|_| is_private) {
        return Some(Incoming::Started {
            message_id,
            chat_id,
            payload: payload.to_owned(),
            name,
            at,
        });
    }
    Some(Incoming::Text {
        message_id,
        chat_id,
        phone: None,
        name,
        text: text.to_owned(),
        at,
        quoted: message["reply_to_message"]["message_id"]
            .as_i64()
            .map(|id| id.to_string()),
        sender: message["from"]["id"].as_i64()?.to_string(),
        is_private,
    })
}

/// Something a person sent that has no words, unlike what Telegram itself tells of a chat.
fn is_wordless(message: &Value) -> bool {
    [
        "animation",
        "audio",
        "document",
        "location",
        "photo",
        "sticker",
        "video",
        "video_note",
        "voice",
    ]
    .iter()
    .any(|field| !message[*field].is_null())
}

/// A press of a button. One under a message that Telegram no longer shows still names its chat.
fn press(query: &Value) -> Option<Incoming> {
    let message = &query["message"];
    let (chat, date) = (&message["chat"], message["date"].as_i64());
    Some(Incoming::Pressed {
        press_id: query["id"].as_str()?.to_owned(),
        chat_id: chat["id"].as_i64()?.to_string(),
        message_id: message["message_id"].as_i64()?.to_string(),
        // One that Telegram no longer shows has the date 0.
        sent_at: date
            .filter(|date| *date > 0)
            .and_then(|date| DateTime::from_timestamp(date, 0)),
        sender: query["from"]["id"].as_i64()?.to_string(),
        is_private: is_private(chat),
        data: query["data"].as_str()?.to_owned(),
    })
}

/// A contact that was passed on proves nothing about who passes it on.
fn is_forwarded(message: &Value) -> bool {
    [
        "forward_origin",
        "forward_date",
        "forward_from",
        "forward_sender_name",
    ]
    .iter()
    .any(|field| !message[*field].is_null())
}

/// What follows `/start` in a deep link; empty without one.
fn start_payload(text: &str) -> Option<&str> {
    let (command, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (command, _) = command.split_once('@').unwrap_or((command, ""));
    (command == "/start").then_some(rest.trim())
}

/// The bot was blocked, or let in again.
fn membership(change: &Value) -> Option<Incoming> {
    if !is_private(&change["chat"]) {
        return None;
    }
    let reachable = match change["new_chat_member"]["status"].as_str()? {
        "kicked" => false,
        "member" => true,
        _ => return None,
    };
    Some(Incoming::Reachable {
        chat_id: change["chat"]["id"].as_i64()?.to_string(),
        reachable,
    })
}
