//! The clients' phones: a channel that takes every message and hands it to the show.

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::domain::delivery::Outcome;
use crate::domain::message::Markup;
use crate::ports::{Addressing, Channel, Outgoing};

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
