//! The instance's own lists of what went out: `lastOutgoingMessages`, which lags by up to two
//! minutes, and `showMessagesQueue`, which holds what was taken and not sent on yet.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::Value;

use super::account::Account;
use crate::channels::classify::read_journal;
use crate::channels::same_chat;
use crate::domain::delivery::Status;
use crate::ports::Journaled;

/// The journal reaches back a day at most.
const LONGEST_LOOK: i64 = 1440;

impl Account {
    pub(super) async fn look_up(
        &self,
        to: &str,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Journaled>, String> {
        let chat = match self.chat_of(to).await {
            Ok(chat) => chat,
            Err(outcome) => return Err(outcome.why().unwrap_or_default().to_owned()),
        };
        // Queue first: what leaves it in between shows up in the journal, and is in neither only
        // while the journal lags.
        let request = self.request(Method::GET, "showMessagesQueue", "");
        let answer = read_journal(request).await?;
        let queue = answer.listed(self.secret())?;
        let queued = list(&queue)?.iter().filter_map(|entry| {
            let body = &entry["body"];
            let ours = same_chat(body["chatId"].as_str()?, &chat);
            ours.then_some(())?;
            Some(Journaled {
                id: text(&entry["messageID"]).or_else(|| text(&entry["idMessage"]))?,
                text: body["message"].as_str()?.to_owned(),
                at: None,
                status: None,
            })
        });
        let mut found: Vec<Journaled> = queued.collect();

        // Reckoned from the machine's own clock: the list ends now, whenever the search does.
        let minutes = (Utc::now() - since).num_minutes() + 3;
        let tail = format!("?minutes={}", minutes.clamp(10, LONGEST_LOOK));
        let request = self.request(Method::GET, "lastOutgoingMessages", &tail);
        let answer = read_journal(request).await?;
        let journal = answer.listed(self.secret())?;
        let went = list(&journal)?
            .iter()
            .filter_map(|entry| read(entry, &chat, answer.skew))
            .filter(|entry| entry.at.is_none_or(|at| at >= since && at <= until));
        for entry in went {
            // The journal knows more of a message than the queue does.
            found.retain(|queued| queued.id != entry.id);
            found.push(entry);
        }
        Ok(found)
    }
}

fn list(json: &Value) -> Result<&Vec<Value>, String> {
    json.as_array().ok_or("the answer is no list".to_owned())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|t| !t.is_empty()).map(str::to_owned)
}

fn read(entry: &Value, chat: &str, skew: TimeDelta) -> Option<Journaled> {
    let chats = [&entry["chatId"], &entry["senderData"]["chatId"]];
    let listed = chats.into_iter().find_map(Value::as_str)?;
    // What a person typed on the salon's phone is not ours, be it the same words.
    if entry["sendByApi"] == false || !same_chat(listed, chat) {
        return None;
    }
    let texts = [
        &entry["textMessage"],
        &entry["extendedTextMessage"]["text"],
        &entry["extendedTextMessageData"]["text"],
        &entry["textMessageData"]["textMessage"],
    ];
    let at = entry["timestamp"].as_i64();
    Some(Journaled {
        id: text(&entry["idMessage"])?,
        text: texts.into_iter().find_map(text)?,
        at: at.and_then(|at| Some(DateTime::from_timestamp(at, 0)? - skew)),
        status: match entry["statusMessage"].as_str().unwrap_or_default() {
            "sent" => Some(Status::Sent),
            "delivered" => Some(Status::Delivered),
            "read" => Some(Status::Read),
            "noAccount" | "failed" | "yellowCard" | "notInGroup" => Some(Status::Failed),
            _ => None,
        },
    })
}
