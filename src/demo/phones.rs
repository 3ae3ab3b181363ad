//! The clients' phones: a channel that takes every message and hands it to the show, and what their
//! owners type into them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, mpsc};

use crate::domain::delivery::Outcome;
use crate::domain::message::Markup;
use crate::domain::phone::Phone;
use crate::ports::{Addressing, Channel, Incoming, Outgoing, Received, Receiver};

/// WhatsApp as the pipeline sees it, without WhatsApp.
pub struct Phones(mpsc::UnboundedSender<Outgoing>);

impl Phones {
    /// The phones, and what arrives on them.
    #[must_use]
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Outgoing>) {
        let (arrived, read) = mpsc::unbounded_channel();
        (Self(arrived), read)
    }
}

#[async_trait]
impl Channel for Phones {
    fn markup(&self) -> Markup {
        Markup::WhatsApp
    }

    fn addressing(&self) -> Addressing {
        Addressing::Phone
    }

    fn hears_replies(&self) -> bool {
        true
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        match self.0.send(message.clone()) {
            Ok(()) => Outcome::Accepted { id: None },
            Err(_) => Outcome::ChannelDown {
                why: "nobody looks at the phones any more".into(),
            },
        }
    }

    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }
}

/// What clients type. Clones are the same.
#[derive(Clone, Default)]
pub struct Typed(Arc<Waiting>);

#[derive(Default)]
struct Waiting {
    queue: Mutex<VecDeque<Received>>,
    came: Notify,
}

impl Typed {
    /// A client writes.
    pub fn say(&self, number: u32, phone: &Phone, text: &str, at: chrono::DateTime<chrono::Utc>) {
        let what = Incoming::Text {
            // A database that is kept remembers those of the run before.
            message_id: format!("typed-{}-{number}", at.timestamp_millis()),
            edits: None,
            chat_id: format!("{}@c.us", phone.digits()),
            phone: Some(phone.digits().to_owned()),
            name: String::new(),
            text: text.to_owned(),
            at,
            quoted: None,
            sender: String::new(),
            is_private: true,
        };
        let receipt = number.to_string();
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(Received { receipt, what });
        drop(queue);
        self.0.came.notify_one();
    }

    fn first(&self) -> Option<Received> {
        let queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.front().cloned()
    }
}

#[async_trait]
impl Receiver for Typed {
    async fn receive(&self, patience: Duration) -> Result<Option<Received>, String> {
        let came = async {
            loop {
                if let Some(first) = self.first() {
                    return first;
                }
                self.0.came.notified().await;
            }
        };
        Ok(tokio::time::timeout(patience, came).await.ok())
    }

    async fn acknowledge(&self, receipt: &str) -> Result<(), String> {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.retain(|received| received.receipt != receipt);
        Ok(())
    }
}
