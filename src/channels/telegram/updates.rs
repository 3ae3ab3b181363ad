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
            "allowed_updates": ["message", "edited_message", "callback_query", "my_chat_member"],
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
        .or_else(|| edited(&update["edited_message"]))
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
        .or_else(|| is_wordless(message, is_private).then_some(""))?;
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
        edits: None,
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

/// Words that were put right are new words; whether they were, or only what stands around them, is seen
/// from what was read before. (A shared place is edited all the time, without any.)
fn edited(message: &Value) -> Option<Incoming> {
    let edited_at = message["edit_date"].as_i64()?;
    let has_words = message["text"].is_string() || message["caption"].is_string();
    match self::message(message).filter(|_| has_words)? {
        Incoming::Text {
            message_id,
            chat_id,
            phone,
            name,
            text,
            quoted,
            sender,
            is_private,
            ..
        } => Some(Incoming::Text {
            message_id: format!("{message_id}/{edited_at}"),
            edits: Some(message_id),
            at: DateTime::from_timestamp(edited_at, 0)?,
            chat_id,
            phone,
            name,
            text,
            quoted,
            sender,
            is_private,
        }),
        _ => None,
    }
}

/// What a person sends without words.
const WORDLESS: [&str; 21] = [
    "animation",
    "audio",
    "checklist",
    "contact",
    "dice",
    "document",
    "game",
    "gift",
    "giveaway",
    "invoice",
    "live_photo",
    "location",
    "paid_media",
    "photo",
    "poll",
    "sticker",
    "story",
    "venue",
    "video",
    "video_note",
    "voice",
];

/// What Telegram itself tells of a private chat.
const TOLD_OF_CHAT: [&str; 15] = [
    "boost_added",
    "chat_background_set",
    "chat_shared",
    "connected_website",
    "group_chat_created",
    "message_auto_delete_timer_changed",
    "new_chat_photo",
    "new_chat_title",
    "passport_data",
    "pinned_message",
    "proximity_alert_triggered",
    "successful_payment",
    "users_shared",
    "web_app_data",
    "write_access_allowed",
];

/// What any message may have around its content.
const AROUND: [&str; 28] = [
    "author_signature",
    "business_connection_id",
    "chat",
    "date",
    "edit_date",
    "effect_id",
    "external_reply",
    "forward_date",
    "forward_from",
    "forward_from_chat",
    "forward_from_message_id",
    "forward_origin",
    "forward_sender_name",
    "forward_signature",
    "from",
    "has_protected_content",
    "is_from_offline",
    "is_topic_message",
    "link_preview_options",
    "media_group_id",
    "message_id",
    "message_thread_id",
    "quote",
    "reply_markup",
    "reply_to_message",
    "reply_to_story",
    "sender_chat",
    "via_bot",
];

/// Something a person sent that has no words, unlike what Telegram itself tells of a chat. Of a kind
/// that nobody knows yet it is taken for sent, where its author waits for an answer.
fn is_wordless(message: &Value, is_private: bool) -> bool {
    let Some(fields) = message.as_object() else {
        return false;
    };
    let has = |names: &[&str]| fields.keys().any(|key| names.contains(&key.as_str()));
    let is_new = |key: &String| !AROUND.contains(&key.as_str());
    has(&WORDLESS) || (is_private && !has(&TOLD_OF_CHAT) && fields.keys().any(is_new))
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
