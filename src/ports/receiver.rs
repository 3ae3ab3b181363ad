//! A messenger's inbound side: what comes back over it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Something a channel told us by itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Incoming {
    /// How a message of ours fares.
    Status {
        /// The provider's id of our message.
        message_id: String,
        /// What became of it.
        status: Receipt,
        /// The provider's words, where something went wrong.
        why: Option<String>,
        /// The hidden id of the chat it went to, where the provider names one in place of the phone.
        hidden_chat: Option<String>,
    },
    /// Somebody wrote to us.
    Text {
        /// The provider's id of their message.
        message_id: String,
        /// The id of the message whose words these are now, where one was edited; then `message_id` is
        /// this, a slash, and what tells one edit from another.
        edits: Option<String>,
        /// The chat to answer to.
        chat_id: String,
        /// Their phone in digits, where the channel shows it.
        phone: Option<String>,
        /// Their name there.
        name: String,
        /// What they wrote; empty for what has no words: a picture, a voice message.
        text: String,
        /// When, provider's time.
        at: DateTime<Utc>,
        /// The provider's id of the message of ours that they answer.
        quoted: Option<String>,
        /// The provider's id of the person, where it is another than the chat's.
        sender: String,
        /// Nobody else reads along; what is said in groups concerns owners only.
        is_private: bool,
    },
    /// A person of the salon wrote to somebody from the account's own phone.
    Answered {
        /// The provider's id of the message.
        message_id: String,
        /// The chat.
        chat_id: String,
        /// Whose chat it is, in digits, where the channel shows it.
        phone: Option<String>,
        /// What was written; empty for what has no words.
        text: String,
        /// When, provider's time.
        at: DateTime<Utc>,
    },
    /// Somebody opened the bot, or opened it again.
    Started {
        /// The provider's id of their message.
        message_id: String,
        /// The chat to answer to.
        chat_id: String,
        /// What the deep link carried; empty without one.
        payload: String,
        /// Their name there.
        name: String,
        /// When, provider's time.
        at: DateTime<Utc>,
    },
    /// Somebody shared a contact in a private chat.
    Contact {
        /// The provider's id of their message.
        message_id: String,
        /// The chat to answer to.
        chat_id: String,
        /// The phone in digits, only when the contact is surely the sender's own; `None` links
        /// nothing.
        phone: Option<String>,
        /// Their name there.
        name: String,
        /// When, provider's time.
        at: DateTime<Utc>,
    },
    /// Somebody pressed a button under a message of ours.
    Pressed {
        /// The provider's id of the press, to answer it.
        press_id: String,
        /// The chat in which the message stands.
        chat_id: String,
        /// The provider's id of that message.
        message_id: String,
        /// When it was sent, provider's time; `None` of one too old to be shown.
        sent_at: Option<DateTime<Utc>>,
        /// The provider's id of the person.
        sender: String,
        /// Nobody else reads along.
        is_private: bool,
        /// What the button carried.
        data: String,
    },
    /// A chat blocked the bot, or let it in again.
    Reachable {
        /// The chat.
        chat_id: String,
        /// Whether it can be written to now.
        reachable: bool,
    },
    /// The account's state changed: `true` when it can send.
    State {
        /// Whether messages can leave now.
        up: bool,
        /// The provider's word for the state.
        state: String,
    },
    /// A kind nobody here needs; acknowledged and counted.
    Other {
        /// The provider's word for it.
        kind: String,
    },
}

// Written out: what people wrote, and who they are, is for the database alone.
impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status {
                message_id, status, ..
            } => write!(f, "Status({message_id}, {status:?})"),
            Self::Text { message_id, at, .. } => write!(f, "Text({message_id}, {at})"),
            Self::Answered { message_id, at, .. } => write!(f, "Answered({message_id}, {at})"),
            Self::Started { message_id, at, .. } => write!(f, "Started({message_id}, {at})"),
            Self::Contact { message_id, at, .. } => write!(f, "Contact({message_id}, {at})"),
            Self::Pressed { press_id, data, .. } => write!(f, "Pressed({press_id}, {data})"),
            Self::Reachable { reachable, .. } => write!(f, "Reachable({reachable})"),
            Self::State { up, state } => write!(f, "State({up}, {state})"),
            Self::Other { kind } => write!(f, "Other({kind})"),
        }
    }
}

/// A delivery receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Receipt {
    /// It left the provider.
    Sent,
    /// It reached the device.
    Delivered,
    /// It was opened.
    Read,
    /// It did not arrive.
    Failed,
    /// This person has no account there.
    NoAccount,
    /// Free text is not taken: the person did not write lately. An approved template would be.
    NoSession,
    /// The account is restricted, and what it sends is shown to nobody.
    Withheld,
}

/// One received notification and what acknowledges it.
#[derive(Clone, Debug)]
pub struct Received {
    /// The token that acknowledges it.
    pub receipt: String,
    /// What it says.
    pub what: Incoming,
}

/// A channel's inbound side, read by polling. What is not acknowledged comes again.
#[async_trait]
pub trait Receiver: Send + Sync {
    /// The next notification, waiting for one at most `patience`; `None` when nothing came.
    async fn receive(&self, patience: Duration) -> Result<Option<Received>, String>;

    /// Removes it from the provider's queue. Called after it is stored.
    async fn acknowledge(&self, receipt: &str) -> Result<(), String>;

    /// Whether it has to ask message by message and so must be told, by [`Receiver::follow`], for
    /// which.
    fn asks_by_id(&self) -> bool {
        false
    }

    /// Our messages of the last day that may still get a receipt, with the last one they got, the
    /// newest first; in place of what was followed before.
    fn follow(&self, _open: Vec<(String, Receipt)>) {}
}
