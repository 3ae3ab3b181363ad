//! The ways to people: one registry, one classifier of HTTP outcomes, one file per kind.
//!
//! An adapter sends one message when told to and says what became of it; it neither paces nor
//! tries again. Pace, order and repetition are the pipeline's.

use std::sync::Arc;
use std::time::Duration;

use crate::http_client::{ClientError, ClientSettings};
pub use crate::ports::JOURNAL_GRACE;
use crate::ports::{Channel, Receiver};

pub mod approved;
mod classify;
pub mod console;
pub mod green_api;
pub mod http_gateway;
pub mod telegram;
pub mod whatsapp_cloud;

pub use console::ConsoleSink;

/// `[channels.NAME]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The channel's name in the configuration.
    pub name: String,
    /// Which service, with what only it needs.
    pub kind: Kind,
    /// Warm-up of a new number: so many people a day that it has never written to; 0 for no limit.
    pub new_recipients_per_day: u32,
}

/// The services, with their own keys.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `type = "console"`.
    Console(console::Settings),
    /// `type = "telegram"`.
    Telegram(telegram::Settings),
    /// `type = "green-api"`.
    GreenApi(green_api::Settings),
    /// `type = "whatsapp-cloud"`.
    WhatsAppCloud(whatsapp_cloud::Settings),
    /// `type = "http"`.
    Http(Box<http_gateway::Settings>),
}

impl Kind {
    /// The word after `type =`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Console(_) => "console",
            Self::Telegram(_) => "telegram",
            Self::GreenApi(_) => "green-api",
            Self::WhatsAppCloud(_) => "whatsapp-cloud",
            Self::Http(_) => "http",
        }
    }

    /// How fast messages may leave; `None` where nothing limits them.
    #[must_use]
    pub fn messages_per_second(&self) -> Option<f64> {
        match self {
            Self::Console(settings) => settings.messages_per_second,
            Self::Telegram(settings) => Some(settings.common.messages_per_second),
            Self::GreenApi(settings) => Some(settings.common.messages_per_second),
            Self::WhatsAppCloud(settings) => Some(settings.common.messages_per_second),
            Self::Http(settings) => Some(settings.common.messages_per_second),
        }
    }
}

impl Kind {
    /// Whether what people write there is read.
    #[must_use]
    pub fn hears(&self) -> bool {
        match self {
            Self::Telegram(settings) => settings.common.receive,
            Self::GreenApi(settings) => settings.common.receive,
            // Meta tells inbound text to webhooks alone, and gateways are not listened to.
            Self::WhatsAppCloud(_) | Self::Http(_) | Self::Console(_) => false,
        }
    }

    /// Its approved templates, where it takes no other message to somebody who did not write lately.
    #[must_use]
    pub fn approved(&self) -> Option<&approved::Templates> {
        match self {
            Self::WhatsAppCloud(settings) => Some(&settings.templates),
            Self::GreenApi(settings) => {
                (settings.flavour == green_api::Flavour::Waba).then_some(&settings.templates)
            }
            Self::Telegram(_) | Self::Http(_) | Self::Console(_) => None,
        }
    }

    /// How long one request to it may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        match self {
            Self::Console(_) => DEFAULT_TIMEOUT,
            Self::Telegram(settings) => settings.common.client.timeout,
            Self::GreenApi(settings) => settings.common.client.timeout,
            Self::WhatsAppCloud(settings) => settings.common.client.timeout,
            Self::Http(settings) => settings.common.client.timeout,
        }
    }

    /// So long the messenger's journal may lag behind its sends.
    #[must_use]
    pub fn journal_grace(&self) -> Duration {
        match self {
            Self::GreenApi(settings) => settings.common.journal_grace,
            Self::Http(settings) => settings.common.journal_grace,
            Self::Console(_) | Self::Telegram(_) | Self::WhatsAppCloud(_) => JOURNAL_GRACE,
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
    /// So long the messenger's journal may lag behind its sends, where it keeps one.
    pub journal_grace: Duration,
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
        Kind::Console(_) => Built {
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
        Kind::WhatsAppCloud(kind) => {
            let (channel, history) = whatsapp_cloud::WhatsAppCloud::build(kind)?;
            Built {
                channel: Arc::new(channel),
                receiver: history.map(|r| Arc::new(r) as Arc<dyn Receiver>),
            }
        }
        Kind::Http(kind) => Built {
            channel: Arc::new(http_gateway::HttpGateway::build(kind)?),
            receiver: None,
        },
    })
}

/// The default time-out of a request to a messenger.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);

/// Whether a chat of a messenger's list may be this one. WhatsApp lists people under hidden ids
/// (`…@lid`), too: such a one may be anybody's, and text and time have to decide.
fn same_chat(listed: &str, ours: &str) -> bool {
    if listed == ours {
        return true;
    }
    fn split(chat: &str) -> (&str, &str) {
        let (number, server) = chat.split_once('@').unwrap_or((chat, ""));
        // After a colon stands the person's device.
        (number.split_once(':').map_or(number, |(n, _)| n), server)
    }
    let ((listed, there), (ours, here)) = (split(listed), split(ours));
    let by_phone = |server| matches!(server, "c.us" | "s.whatsapp.net");
    match there {
        "lid" => by_phone(here),
        _ => by_phone(there) && by_phone(here) && listed == ours,
    }
}

#[cfg(test)]
mod tests {
    use super::same_chat;

    #[test]
    fn a_chat_is_known_by_its_phone_and_a_hidden_one_may_be_anybodys() {
        for listed in [
            "79000000001@c.us",
            "79000000001@s.whatsapp.net",
            "79000000001:12@s.whatsapp.net",
            "100000000000001@lid",
        ] {
            assert!(same_chat(listed, "79000000001@c.us"), "{listed}");
        }
        for other in ["79000000002@c.us", "79000000001@g.us", "79000000001"] {
            assert!(!same_chat(other, "79000000001@c.us"), "{other}");
        }
        assert!(same_chat("10000000", "10000000"));
        assert!(!same_chat("10000001", "10000000"));
        assert!(!same_chat("100000000000002@lid", "100000000000001@lid"));
    }
}
