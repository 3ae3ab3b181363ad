//! The ways to people: one registry, one classifier of HTTP outcomes, one file per kind.

use std::time::Duration;

use crate::http_client::ClientSettings;

pub mod green_api;
pub mod telegram;

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

/// The default time-out of a request to a messenger.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
