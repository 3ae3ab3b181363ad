//! How fast messages leave one channel: so many a second in all, and one a second to a chat.

use std::time::Duration;

use crate::pace::{Gate, KeyedGate};

/// A chat takes this many messages at once, then one a second (Telegram, facts 5.4).
const CHAT_BURST: u32 = 3;

/// The pace of one channel.
#[derive(Debug)]
pub(super) struct Pace {
    all: Option<Gate>,
    chats: Option<KeyedGate>,
}

impl Pace {
    /// `messages_per_second` for the whole channel, `None` for no limit; `per_chat` for the limit
    /// of one chat.
    pub(super) fn new(messages_per_second: Option<f64>, per_chat: bool) -> Self {
        let all = messages_per_second
            .filter(|rate| rate.is_finite() && *rate > 0.0)
            .map(|rate| Gate::new(Duration::from_secs_f64(1.0 / rate), 1));
        let chats = per_chat.then(|| KeyedGate::new(Duration::from_secs(1), CHAT_BURST));
        Self { all, chats }
    }

    /// Waits until a message to this recipient may leave.
    pub(super) async fn wait(&self, recipient: &str) {
        if let Some(chats) = &self.chats {
            chats.pass(recipient).await;
        }
        if let Some(all) = &self.all {
            all.pass().await;
        }
    }
}
