//! The channels as the program makes them from its settings: whatever they say of themselves decides
//! how a text reads there.

use std::sync::{Arc, Mutex};

use booking_monitor::channels::build;
use booking_monitor::config::{self, Secrets};
use booking_monitor::domain::message::suggested::Foot;
use booking_monitor::domain::message::{Markup, Way};

const CHANNELS: &str = r#"
[yclients]
partner_token = "p"
user_token = "u"
[channels.whatsapp]
type = "green-api"
api_url = "https://7103.api.greenapi.com"
instance_id = "1101000001"
token = "t"
[channels.telegram]
type = "telegram"
token = "t"
[channels.max]
type = "green-api"
flavour = "max"
api_url = "https://3100.api.green-api.com/v3"
instance_id = "3100000001"
token = "t"
[channels.waba]
type = "green-api"
flavour = "waba"
api_url = "https://7103.api.greenapi.com"
instance_id = "1101000002"
token = "t"
[channels.cloud]
type = "whatsapp-cloud"
phone_number_id = "106540352242922"
token = "t"
[channels.gateway]
type = "http"
preset = "waha"
base_url = "http://127.0.0.1:3000"
token = "t"
[channels.plain]
type = "http"
preset = "none"
base_url = "http://127.0.0.1:3000"
token = "t"
[channels.plain.request]
path = "/send"
body = { to = "{phone}", text = "{text}" }
[channels.terminal]
type = "console"
[[companies]]
id = 962302
channels = ["whatsapp", "telegram", "max", "waba", "cloud", "gateway", "plain", "terminal"]
owner = [{ channel = "telegram", to = "1" }]
"#;

/// One channel, of a company that has an owner.
pub(crate) struct End {
    pub(crate) name: String,
    markup: Markup,
    invite: bool,
    /// It takes approved templates alone.
    pub(crate) template: Option<Foot>,
}

impl End {
    pub(crate) fn way(&self) -> Way<'_> {
        Way {
            channel: &self.name,
            markup: self.markup,
            invite: self.invite,
        }
    }
}

pub(crate) fn ends() -> Vec<End> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("booking-monitor.toml");
    std::fs::write(&path, CHANNELS).unwrap();
    let loaded = config::load(&path, &|_: &str| None, Secrets::Needed);
    let channels = loaded
        .unwrap_or_else(|report| panic!("{report}"))
        .config
        .channels;
    let end = |settings: &booking_monitor::channels::Settings| {
        let paper = Arc::new(Mutex::new(Vec::new()));
        let channel = build(settings, paper).unwrap().channel;
        let invite = channel.hears_replies();
        let official = ["waba", "cloud"].contains(&settings.name.as_str());
        let foot = match invite {
            true => Foot::Write,
            false => Foot::Call,
        };
        End {
            name: settings.name.clone(),
            markup: channel.markup(),
            invite,
            template: official.then_some(foot),
        }
    };
    channels.iter().map(end).collect()
}
