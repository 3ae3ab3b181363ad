//! `[channels.NAME]`: the type first, then the keys that this type has.

use super::address::channel_address;
use super::problem::did_you_mean;
use super::reader::{Place, Value};
use super::section::Section;
use super::values::{account, rate, switch, text, word};
use super::yclients::client;
use crate::channels::{Common, DEFAULT_TIMEOUT, Kind, Settings, green_api, telegram};

/// Channels by name, also those too broken to use: whoever names one of these should not be told
/// that it does not exist.
pub(super) struct Channels {
    pub(super) settings: Vec<Settings>,
    pub(super) places: Vec<(String, Place)>,
}

impl Channels {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|(name, _)| name.as_str())
    }
}

#[derive(Clone, Copy)]
enum Type {
    GreenApi,
    Telegram,
    Console,
}

const TYPES: [(&str, Type); 3] = [
    ("green-api", Type::GreenApi),
    ("telegram", Type::Telegram),
    ("console", Type::Console),
];

/// Messages a second that each service takes without complaint.
const GREEN_API_RATE: f64 = 1.0;
const TELEGRAM_RATE: f64 = 25.0;

pub(super) fn read(at: &mut Section<'_>) -> Channels {
    let mut channels = Channels {
        settings: Vec::new(),
        places: Vec::new(),
    };
    for (name, value) in at.others() {
        channels.places.push((name.clone(), value.place.clone()));
        if let Some(kind) = channel(at, &value) {
            channels.settings.push(Settings { name, kind });
        }
    }
    channels
}

fn channel(at: &Section<'_>, value: &Value<'_>) -> Option<Kind> {
    // Looked at before the walk, because it decides which keys the table may hold.
    let written = value
        .node
        .get("type")
        .and_then(|kind| kind.get_ref().as_str());
    let label = TYPES.iter().find(|(name, _)| Some(*name) == written);
    let label = label.map_or("NAME", |(name, _)| *name);
    at.named(value, label, |at| {
        let kind = at.required(
            "type",
            r#""green-api", "telegram" or "console""#,
            channel_type,
        );
        match kind {
            Some(Type::GreenApi) => Some(Kind::GreenApi(green_api(at))),
            Some(Type::Telegram) => Some(Kind::Telegram(telegram(at))),
            Some(Type::Console) => Some(Kind::Console),
            None => {
                // Which keys belong here is unknown until the type is mended.
                at.others();
                None
            }
        }
    })
}

fn channel_type(value: &Value<'_>) -> Option<Type> {
    let written = text(value)?;
    let found = TYPES.iter().find(|(name, _)| *name == written);
    found.map(|(_, kind)| *kind).or_else(|| {
        let known = TYPES.map(|(name, _)| name);
        let hint = did_you_mean(&written, known);
        let hint = hint.unwrap_or_else(|| format!("known: {}", known.join(", ")));
        value.wrong("this version does not know the type", Some(hint))
    })
}

fn green_api(at: &mut Section<'_>) -> green_api::Settings {
    let api_url = at.required(
        "api_url",
        r#"the instance's own address, such as "https://7103.api.greenapi.com""#,
        channel_address,
    );
    let instance_id = at.required(
        "instance_id",
        r#"the number from the console, such as "1101000001""#,
        account,
    );
    // The messenger behind the instance decides what its answers mean; one is spoken so far.
    at.get("flavour", (), word(&[("whatsapp", ())]));
    green_api::Settings {
        api_url: api_url.unwrap_or_default(),
        instance_id: instance_id.unwrap_or_default(),
        token: at.secret("token"),
        common: common(at, GREEN_API_RATE),
    }
}

fn telegram(at: &mut Section<'_>) -> telegram::Settings {
    telegram::Settings {
        api_url: at
            .optional("api_url", channel_address)
            .unwrap_or_else(|| "https://api.telegram.org".into()),
        token: at.secret("token"),
        common: common(at, TELEGRAM_RATE),
    }
}

fn common(at: &mut Section<'_>, messages_per_second: f64) -> Common {
    Common {
        receive: at.get("receive", true, switch),
        messages_per_second: at.get("messages_per_second", messages_per_second, rate),
        client: client(at, DEFAULT_TIMEOUT),
    }
}
