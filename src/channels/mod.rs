//! The ways to people: one registry, one classifier of HTTP outcomes, one file per kind.
//!
//! An adapter sends one message when told to and says what became of it; it neither paces nor
//! tries again. Pace, order and repetition are the pipeline's.

use std::sync::Arc;
use std::time::Duration;

use crate::http_client::{ClientError, ClientSettings};
use crate::ports::{Channel, Receiver};

mod classify;
pub mod console;
pub mod green_api;
pub mod telegram;

pub use console::ConsoleSink;

/// `[channels.NAME]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The channel's name in the configuration.
    pub name: String,
    /// Which service, with what only it needs.
    pub kind: Kind,
}

/// The services, with their own keys.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `type = "console"`.
    Console,
    /// `type = "telegram"`.
    Telegram(telegram::Settings),
    /// `type = "green-api"`.
    GreenApi(green_api::Settings),
}

impl Kind {
    /// The word after `type =`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Telegram(_) => "telegram",
            Self::GreenApi(_) => "green-api",
        }
    }

    /// How fast messages may leave; `None` where nothing limits them.
    #[must_use]
    pub fn messages_per_second(&self) -> Option<f64> {
        match self {
            Self::Console => None,
            Self::Telegram(settings) => Some(settings.common.messages_per_second),
            Self::GreenApi(settings) => Some(settings.common.messages_per_second),
        }
    }
}

/// Keys that every channel over HTTP has.
#[derive(Clone, Debug)]
pub struct Common {
    /// Time-out, proxy, extra roots.
    pub client: ClientSettings,
    /// Messages a second, in all.
    pub messages_per_second: f64,
    /// Poll for statuses and replies.
    pub receive: bool,
}

/// A channel ready for use.
#[derive(Clone)]
pub struct Built {
    /// Its outbound side.
    pub channel: Arc<dyn Channel>,
    /// Its inbound side, where the settings ask for one.
    pub receiver: Option<Arc<dyn Receiver>>,
}

/// Makes the channel that `settings` describe. Fails only by the configuration's fault; nothing is
/// sent or asked yet.
pub fn build(settings: &Settings, console: ConsoleSink) -> Result<Built, ClientError> {
    Ok(match &settings.kind {
        Kind::Console => Built {
            channel: Arc::new(console::Console::new(&settings.name, console)),
            receiver: None,
        },
        Kind::Telegram(kind) => {
            let (channel, updates) = telegram::Telegram::build(kind)?;
            Built {
                channel: Arc::new(channel),
                receiver: updates.map(|r| Arc::new(r) as Arc<dyn Receiver>),
            }
        }
        Kind::GreenApi(kind) => {
            let (channel, notifications) = green_api::GreenApi::build(kind)?;
            Built {
                channel: Arc::new(channel),
                receiver: notifications.map(|r| Arc::new(r) as Arc<dyn Receiver>),
            }
        }
    })
}

/// The default time-out of a request to a messenger.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
