//! The instance's queue of notifications: `receiveNotification`, `deleteNotification`.
//!
//! The queue is first in, first out, and shows the same notification until it is deleted. Whatever
//! comes is therefore turned into something that can be acknowledged: one unreadable body must not
//! hold back every reply behind it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::Value;

use super::account::{Account, wording};
use crate::channels::classify::{Answer, exchange, worded};
use crate::ports::{Incoming, Receipt, Received, Receiver};

/// The server takes no less and no more.
const SHORTEST_POLL: Duration = Duration::from_secs(5);
const LONGEST_POLL: Duration = Duration::from_secs(60);

/// For the answer to come after the server's own time is up.
const MARGIN: Duration = Duration::from_secs(10);

/// The receiver of an instance.
pub struct Notifications {
    account: Arc<Account>,
}

impl Notifications {
    pub(super) fn new(account: Arc<Account>) -> Self {
        Self { account }
    }

    fn refusal(&self, answer: &Answer) -> String {
        let said = self.account.scrub(&wording(answer.text()));
        worded(answer.status, &said)
    }

    async fn poll(&self, poll: Duration) -> Result<Option<Received>, String> {
        let tail = format!("?receiveTimeout={}", poll.as_secs());
        let request = self
            .account
            .request(Method::GET, "receiveNotification", &tail)
            .timeout(poll + MARGIN);
        let answer = exchange(request).await.map_err(|s| s.why)?;
        if !answer.status.is_success() {
            return Err(self.refusal(&answer));
        }
        let Some(body) = &answer.body else {
            return Err("the answer broke off".to_owned());
        };
        if matches!(body.trim(), "" | "null") {
            return Ok(None);
        }
        let json = serde_json::from_str::<Value>(body).unwrap_or(Value::Null);
        let receipt = receipt(&json, body).ok_or("a notification without a receipt")?;
        let what = read(&json["body"], &self.account);
        let body = &json["body"];
        // A yellow card shows in the state of the account, too, which was good a moment ago.
        if matches!(what, Incoming::State { .. }) || body["status"] == "yellowCard" {
            self.account.state_changed();
        }
        if body["typeWebhook"] == "quotaExceeded" {
            self.account.quota_exceeded();
        }
        Ok(Some(Received { receipt, what }))
    }
}

#[async_trait]
impl Receiver for Notifications {
    async fn receive(&self, patience: Duration) -> Result<Option<Received>, String> {
        let poll = patience.clamp(SHORTEST_POLL, LONGEST_POLL);
        // Hanging up is safe: nothing leaves the queue before it is deleted.
        if patience < SHORTEST_POLL {
            return tokio::time::timeout(patience, self.poll(poll))
                .await
                .unwrap_or(Ok(None));
        }
        self.poll(poll).await
    }

    async fn acknowledge(&self, receipt: &str) -> Result<(), String> {
        let tail = format!("/{receipt}");
        let request = self
            .account
            .request(Method::DELETE, "deleteNotification", &tail);
        let answer = exchange(request).await.map_err(|s| s.why)?;
        // `"result": false` means that it is gone already.
        if answer.status.is_success() {
            Ok(())
        } else {
            Err(self.refusal(&answer))
        }
    }
}

/// The id that deletes a notification, even one whose JSON is broken.
fn receipt(json: &Value, raw: &str) -> Option<String> {
    match &json["receiptId"] {
        Value::Number(n) => Some(n.to_string()),
        Value::String(s) => Some(s.clone()),
        _ => {
            let (_, after) = raw.split_once("\"receiptId\"")?;
            let digits: String = after
                .trim_start_matches([':', ' ', '"'])
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            Some(digits)
        }
    }
    .filter(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
}

fn read(body: &Value, account: &Account) -> Incoming {
    let kind = body["typeWebhook"].as_str().unwrap_or("unreadable");
    let read = match kind {
        "outgoingMessageStatus" => status(body, account),
        "incomingMessageReceived" => text(body, account),
        "outgoingMessageReceived" => answered(body, account),
        "stateInstanceChanged" => body["stateInstance"].as_str().map(|state| Incoming::State {
            up: state == "authorized",
            state: state.to_owned(),
        }),
        _ => None,
    };
    read.unwrap_or_else(|| Incoming::Other {
        kind: match body["messageData"]["typeMessage"].as_str() {
            Some(message) => format!("{kind} {message}"),
            None => kind.to_owned(),
        },
    })
}

fn status(body: &Value, account: &Account) -> Option<Incoming> {
    let word = body["status"].as_str()?;
    let status = match word {
        "sent" => Receipt::Sent,
        "delivered" => Receipt::Delivered,
        "read" => Receipt::Read,
        "noAccount" => Receipt::NoAccount,
        "noActiveSession" => Receipt::NoSession,
        "yellowCard" => Receipt::Withheld,
        "failed" | "notInGroup" => Receipt::Failed,
        _ => return None,
    };
    let arrives = matches!(status, Receipt::Sent | Receipt::Delivered | Receipt::Read);
    let why = (!arrives).then(|| match body["description"].as_str() {
        Some(said) if !said.is_empty() => format!("{word}: {}", account.scrub(said)),
        _ => word.to_owned(),
    });
    Some(Incoming::Status {
        message_id: body["idMessage"].as_str()?.to_owned(),
        status,
        why,
        hidden_chat: body["chatId"]
            .as_str()
            .filter(|chat| chat.ends_with("@lid"))
            .map(str::to_owned),
    })
}

fn text(body: &Value, account: &Account) -> Option<Incoming> {
    let sender = &body["senderData"];
    let chat_id = match &sender["chatId"] {
        Value::Number(id) => id.to_string(),
        id => id.as_str()?.to_owned(),
    };
    // A group's id ends so on WhatsApp, and is negative elsewhere.
    if chat_id.ends_with("@g.us") || chat_id.starts_with('-') {
        return None;
    }
    let text = words(&body["messageData"])?;
    let named = [
        &sender["senderPhoneNumber"],
        &sender["phoneNumber"],
        &sender["senderPhone"],
    ];
    let named = named.into_iter().find_map(digits_of);
    // Some versions repeat the hidden id there without its ending: that is nobody's phone.
    let hidden = chat_id.strip_suffix("@lid");
    let named = named.filter(|digits| hidden != Some(digits.as_str()));
    // Where the chat is hidden, its only other member may be named by phone.
    let sender_id = sender["sender"].as_str().filter(|id| id.ends_with("@c.us"));
    let named = named.or_else(|| hidden.and(sender_id).and_then(|id| digits_of(&id.into())));
    let phone = if account.flavour.hides_phones() {
        // The id of a chat is no phone there, though it may look like one.
        if let Some(digits) = &named {
            account.learn_chat(digits, &chat_id);
        }
        named
    } else {
        digits_of(&sender["chatId"]).or(named)
    };
    let names = ["senderContactName", "senderName", "chatName"];
    let name = names
        .iter()
        .filter_map(|n| sender[*n].as_str())
        .find(|n| !n.is_empty());
    let at = body["timestamp"]
        .as_i64()
        .and_then(|t| DateTime::from_timestamp(t, 0));
    let id = body["idMessage"].as_str()?;
    // An edit has an id of its own.
    let edits = body["messageData"]["editedMessageData"]["stanzaId"].as_str();
    Some(Incoming::Text {
        message_id: edits.map_or_else(|| id.to_owned(), |edits| format!("{edits}/{id}")),
        edits: edits.map(str::to_owned),
        chat_id,
        phone,
        name: name.unwrap_or_default().to_owned(),
        text,
        at: at.unwrap_or(DateTime::<Utc>::UNIX_EPOCH),
        quoted: body["messageData"]["quotedMessage"]["stanzaId"]
            .as_str()
            .map(str::to_owned),
        sender: String::new(),
        is_private: true,
    })
}

/// A person wrote from the phone that the account lives on.
fn answered(body: &Value, account: &Account) -> Option<Incoming> {
    // What we sent comes back under another kind, and in some versions under this one, with a mark.
    if body["sendByApi"] == true {
        return None;
    }
    match text(body, account)? {
        Incoming::Text {
            message_id,
            chat_id,
            text,
            at,
            ..
        } => Some(Incoming::Answered {
            phone: digits_of(&Value::from(chat_id.as_str()))
                .filter(|_| !account.flavour.hides_phones()),
            message_id,
            chat_id,
            text,
            at,
        }),
        _ => None,
    }
}

/// The digits of `79000000001@c.us`, of a bare number or of one in a string; a hidden id
/// (`…@lid`) has none.
pub(super) fn digits_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.clone(),
        _ => return None,
    };
    let (number, server) = text.split_once('@').unwrap_or((&text, "c.us"));
    let number = number.trim_start_matches('+');
    let is_phone =
        server == "c.us" && number.len() >= 7 && number.chars().all(|c| c.is_ascii_digit());
    is_phone.then(|| number.to_owned())
}

/// Where each kind of message keeps its words; empty for what a person sent without any. What the
/// messenger itself tells of a chat gives `None`.
fn words(data: &Value) -> Option<String> {
    let kind = data["typeMessage"].as_str()?;
    spoken(data).or_else(|| {
        let is_told = TOLD_OF_CHAT.contains(&kind) && !is_undecrypted(data);
        (!is_told).then(String::new)
    })
}

/// What the messenger tells of a message that was read before: that it was deleted, voted on, or that a
/// reaction to it was taken back. Whatever else has no words was sent by a person.
const TOLD_OF_CHAT: [&str; 3] = ["deletedMessage", "pollUpdateMessage", "reactionMessage"];

/// The vendor could not read it; its author waits for an answer all the same.
fn is_undecrypted(data: &Value) -> bool {
    let text = [
        &data["textMessageData"]["textMessage"],
        &data["extendedTextMessageData"]["text"],
    ];
    let mut text = text.into_iter().filter_map(Value::as_str);
    text.any(|text| text.contains("{{SWE"))
}

fn spoken(data: &Value) -> Option<String> {
    let text = match data["typeMessage"].as_str()? {
        "textMessage" => &data["textMessageData"]["textMessage"],
        "extendedTextMessage" | "quotedMessage" | "reactionMessage" => {
            &data["extendedTextMessageData"]["text"]
        }
        "templateButtonsReplyMessage" | "templateButtonReplyMessage" => {
            &data["templateButtonReplyMessage"]["selectedDisplayText"]
        }
        "editedMessage" => &data["editedMessageData"]["textMessage"],
        "imageMessage" | "videoMessage" | "documentMessage" => &data["fileMessageData"]["caption"],
        _ => return None,
    };
    // The vendor's marks for a message that could not be decrypted are nobody's words.
    text.as_str()
        .filter(|t| !t.trim().is_empty() && !t.contains("{{SWE"))
        .map(str::to_owned)
}
