//! Who wrote lately, for an instance whose queue of notifications another program reads:
//! `lastIncomingMessages`, which takes nothing from that queue.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::Value;
use tokio::time::Instant;

use super::account::Account;
use super::notifications::digits_of;
use crate::channels::classify::read_journal;
use crate::ports::Heard;

/// The list may be asked for once a second, and a burst of new bookings needs it once.
const HOLDS: Duration = Duration::from_secs(5);

/// The list reaches back a day at most.
const LONGEST_LOOK: i64 = 1440;

/// The list as it was read, and how far back it reaches.
#[derive(Clone, Debug)]
pub(super) struct Inbox {
    since: DateTime<Utc>,
    entries: Vec<Heard>,
}

impl Account {
    /// What this person, or somebody hidden, wrote since then.
    pub(super) async fn heard(&self, to: &str, since: DateTime<Utc>) -> Result<Vec<Heard>, String> {
        if self.flavour.hides_phones() {
            // Whose chats are whose is learnt by asking for this one, which the send needs anyway.
            let chat = self.chat_of(to).await;
            chat.map_err(|outcome| outcome.why().unwrap_or_default().to_owned())?;
        }
        let mut entries = self.inbox(since).await?;
        for entry in &mut entries {
            if self.flavour.hides_phones() {
                let known = self.phone_of(&entry.chat_id);
                entry.phone = known
                    .map(|digits| format!("+{digits}"))
                    .or(entry.phone.take());
            }
        }
        let hidden = |chat: &str| chat.ends_with("@lid");
        entries.retain(|entry| {
            let theirs = match &entry.phone {
                Some(phone) => phone == to,
                None => hidden(&entry.chat_id),
            };
            theirs && entry.at >= since
        });
        Ok(entries)
    }

    async fn inbox(&self, since: DateTime<Utc>) -> Result<Vec<Heard>, String> {
        let _reading = self.reading_inbox.lock().await;
        let kept = self.state().inbox.clone();
        if let Some((at, inbox)) = kept
            && at.elapsed() < HOLDS
            && inbox.since <= since
        {
            return Ok(inbox.entries);
        }
        // Reckoned from the machine's own clock: the list ends now.
        let minutes = (Utc::now() - since).num_minutes() + 2;
        let tail = format!("?minutes={}", minutes.clamp(10, LONGEST_LOOK));
        let request = self.request(Method::GET, "lastIncomingMessages", &tail);
        let answer = read_journal(request).await?;
        let listed = answer.listed(self.secret())?;
        let listed = listed.as_array().ok_or("the answer is no list")?;
        let read = |entry: &Value| read(entry, answer.skew);
        let entries: Vec<Heard> = listed.iter().filter_map(read).collect();
        let inbox = Inbox {
            since,
            entries: entries.clone(),
        };
        self.state().inbox = Some((Instant::now(), inbox));
        Ok(entries)
    }
}

fn read(entry: &Value, skew: chrono::TimeDelta) -> Option<Heard> {
    let chat_id = match &entry["chatId"] {
        Value::Number(id) => id.to_string(),
        id => id.as_str()?.to_owned(),
    };
    let at = DateTime::from_timestamp(entry["timestamp"].as_i64()?, 0)? - skew;
    let named = ["senderPhoneNumber", "phoneNumber", "senderPhone"];
    let named = named.iter().find_map(|key| digits_of(&entry[*key]));
    let hidden = chat_id.strip_suffix("@lid");
    let named = named.filter(|digits| hidden != Some(digits.as_str()));
    let own = chat_id
        .ends_with("@c.us")
        .then(|| digits_of(&entry["chatId"]));
    let texts = [
        &entry["textMessage"],
        &entry["extendedTextMessage"]["text"],
        &entry["extendedTextMessageData"]["text"],
    ];
    let text = texts.into_iter().find_map(Value::as_str);
    Some(Heard {
        phone: own.flatten().or(named).map(|digits| format!("+{digits}")),
        text: text.unwrap_or_default().to_owned(),
        chat_id,
        at,
    })
}
