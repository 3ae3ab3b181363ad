//! What `init` asks a bot: its name, whether another service reads it, and in which chat somebody
//! wrote a word. Nothing is sent, and nobody else's updates are taken.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bot, Settings};
use crate::channels::classify::exchange;
use crate::http_client::ClientError;

/// Updates of one answer, the most that Telegram gives.
const BATCH: usize = 100;
/// For the answer to come after the server's own time is up.
const MARGIN: Duration = Duration::from_secs(10);

/// A bot that is being set up.
pub struct Setup(Bot);

/// Where a word was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The chat.
    pub chat: String,
    /// Who wrote it.
    pub user: String,
    /// Nobody else reads along.
    pub is_private: bool,
}

/// Why a bot cannot be listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deaf {
    /// Another program reads it: it has a webhook, or is polled.
    ReadElsewhere,
    /// So much waits unread in it that what is new does not come through.
    Overfull,
    /// Anything else, in words.
    Other(String),
}

impl Setup {
    /// The bot with this token.
    pub fn new(settings: &Settings) -> Result<Self, ClientError> {
        Bot::new(settings).map(Self)
    }

    /// Its name, as in `t.me/NAME`. The error says why there is none.
    pub async fn name(&self) -> Result<String, String> {
        let reply = self.0.call("getMe", &json!({})).await.map_err(|s| s.why)?;
        let name = reply.result().and_then(|me| me["username"].as_str());
        name.map(str::to_owned).ok_or_else(|| reply.why())
    }

    /// Whether it has a webhook, through which another service gets everything.
    pub async fn has_webhook(&self) -> Result<bool, String> {
        let asked = self.0.call("getWebhookInfo", &json!({})).await;
        let reply = asked.map_err(|s| s.why)?;
        let url = reply.result().and_then(|info| info["url"].as_str());
        Ok(url.is_some_and(|url| !url.is_empty()))
    }

    /// Where this word was written, waiting at most `patience` for it.
    pub async fn hear(&self, word: &str, patience: Duration) -> Result<Option<Place>, Deaf> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            let updates = self.unread(left.min(Duration::from_secs(20))).await?;
            let said = updates.iter().find_map(|update| place(update, word));
            if let Some(place) = said {
                self.clear_away(&updates, &place).await;
                return Ok(Some(place));
            }
            if updates.len() >= BATCH {
                return Err(Deaf::Overfull);
            }
            if left.is_zero() {
                return Ok(None);
            }
            // What is unread already is given again at once, however long the poll.
            if !updates.is_empty() {
                tokio::time::sleep(Duration::from_secs(1).min(left)).await;
            }
        }
    }

    /// What nobody has taken yet; it stays there.
    async fn unread(&self, patience: Duration) -> Result<Vec<Value>, Deaf> {
        let ask =
            json!({"limit": BATCH, "timeout": patience.as_secs(), "allowed_updates": ["message"]});
        let request = self.0.request("getUpdates", &ask);
        let answer = exchange(request.timeout(patience + MARGIN)).await;
        let reply = self.0.read(answer.map_err(|s| Deaf::Other(s.why))?);
        match reply.result().and_then(Value::as_array) {
            Some(updates) => Ok(updates.clone()),
            None if reply.answer.status.as_u16() == 409 => Err(Deaf::ReadElsewhere),
            None => Err(Deaf::Other(reply.why())),
        }
    }

    /// The word is no message to anybody: it goes, unless it would take others' words along.
    async fn clear_away(&self, updates: &[Value], place: &Place) {
        let chat = |u: &Value| u["message"]["chat"]["id"].to_string();
        let last = updates.iter().filter_map(|u| u["update_id"].as_i64()).max();
        if let (true, Some(last)) = (updates.iter().all(|u| chat(u) == place.chat), last) {
            let ask = json!({"offset": last + 1, "limit": 1, "timeout": 0});
            // Left unread it is forwarded to the very chat it came from: nothing is lost.
            drop(self.0.call("getUpdates", &ask).await);
        }
    }
}

fn place(update: &Value, word: &str) -> Option<Place> {
    let message = &update["message"];
    let text = message["text"].as_str()?;
    // In a group the bot hears it as `/4821@salon_bot` or `@salon_bot 4821`.
    text.contains(word).then(|| Place {
        chat: message["chat"]["id"].to_string(),
        user: message["from"]["id"].to_string(),
        is_private: message["chat"]["type"] == "private",
    })
}
