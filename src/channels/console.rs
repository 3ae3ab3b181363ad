//! Messages as the client would read them, written to a sink: dry runs and demonstrations.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::domain::delivery::Outcome;
use crate::domain::message::Markup;
use crate::domain::phone::Phone;
use crate::ports::{Addressing, Channel, Outgoing};

/// Where the console channel writes; the composition root hands in standard output.
pub type ConsoleSink = Arc<Mutex<dyn Write + Send>>;

/// What may be set of a console channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// How fast messages appear at most; `None`: as fast as they come.
    pub messages_per_second: Option<f64>,
}

/// `type = "console"`.
pub struct Console {
    name: String,
    sink: ConsoleSink,
}

impl Console {
    /// A channel of this name that writes to `sink`.
    #[must_use]
    pub fn new(name: &str, sink: ConsoleSink) -> Self {
        Self {
            name: name.to_owned(),
            sink,
        }
    }

    fn print(&self, message: &Outgoing) -> std::io::Result<()> {
        let to = Phone::from_stored(message.to.clone()).masked();
        let block = format!("── {} → {to}\n{}\n\n", self.name, message.text);
        // A writer that panicked left at worst half a block behind.
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        sink.write_all(block.as_bytes())?;
        sink.flush()
    }
}

#[async_trait]
impl Channel for Console {
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
        match self.print(message) {
            Ok(()) => Outcome::Accepted { id: None },
            // `status | head` closes the pipe: nobody reads this terminal any more.
            Err(e) => Outcome::ChannelDown {
                why: format!("cannot write: {}", e.kind()),
            },
        }
    }

    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }
}
