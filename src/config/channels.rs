//! `[channels.NAME]`: the type first, then the keys that this type has.

use std::time::Duration;

use super::address::channel_address;
use super::problem::{did_you_mean, known, said};
use super::reader::{Place, Value, Wrong};
use super::section::Section;
use super::values::{SHORTEST, account, count, duration, rate, switch, text, word};
use super::yclients::client;
use super::{approved, gateway};
use crate::channels::green_api::Flavour;
use crate::channels::{
    Common, DEFAULT_TIMEOUT, JOURNAL_GRACE, Kind, Settings, console, green_api, telegram,
    whatsapp_cloud,
};

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

    /// Whether this channel takes approved templates alone.
    pub(super) fn is_official(&self, name: &str) -> bool {
        let named = self.settings.iter().find(|channel| channel.name == name);
        named.is_some_and(|channel| channel.kind.approved().is_some())
    }
}

#[derive(Clone, Copy)]
enum Type {
    GreenApi,
    WhatsAppCloud,
    Telegram,
    Http,
    Console,
}

const TYPES: [(&str, Type); 5] = [
    ("green-api", Type::GreenApi),
    ("whatsapp-cloud", Type::WhatsAppCloud),
    ("telegram", Type::Telegram),
    ("http", Type::Http),
    ("console", Type::Console),
];

/// Messages a second that each service takes without complaint.
const GREEN_API_RATE: f64 = 1.0;
const TELEGRAM_RATE: f64 = 25.0;
const CLOUD_RATE: f64 = 20.0;
const HTTP_RATE: f64 = 1.0;

const FLAVOURS: [(&str, Flavour); 4] = [
    ("whatsapp", Flavour::WhatsApp),
    ("waba", Flavour::Waba),
    ("max", Flavour::Max),
    ("telegram", Flavour::Telegram),
];

pub(super) fn read(at: &mut Section<'_>) -> Channels {
    let mut channels = Channels {
        settings: Vec::new(),
        places: Vec::new(),
    };
    for (name, value) in at.others() {
        channels.places.push((name.clone(), value.place.clone()));
        if let Some((kind, new_recipients_per_day)) = channel(at, &value) {
            channels.settings.push(Settings {
                name,
                kind,
                new_recipients_per_day,
            });
        }
    }
    channels
}

/// The channel, and how many strangers a day it may write to.
fn channel(at: &Section<'_>, value: &Value<'_>) -> Option<(Kind, u32)> {
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
            said(
                r#""green-api", "whatsapp-cloud", "telegram", "http" or "console""#,
                r#""green-api", "whatsapp-cloud", "telegram", "http" или "console""#,
            ),
            channel_type,
        );
        let kind = match kind {
            Some(Type::GreenApi) => Some(Kind::GreenApi(green_api(at))),
            Some(Type::Telegram) => Some(Kind::Telegram(telegram(at))),
            Some(Type::WhatsAppCloud) => Some(Kind::WhatsAppCloud(whatsapp_cloud(at))),
            Some(Type::Http) => {
                // Gateways are not listened to, so there is no `receive`.
                let gateway = gateway::read(at, |at| outbound(at, HTTP_RATE));
                Some(Kind::Http(Box::new(gateway)))
            }
            Some(Type::Console) => Some(Kind::Console(console(at))),
            None => {
                // Which keys belong here is unknown until the type is mended.
                at.others();
                None
            }
        };
        let most = at.get("new_recipients_per_day", 0, count(0, 1_000_000));
        kind.map(|kind| (kind, most))
    })
}

fn channel_type(value: &Value<'_>) -> Option<Type> {
    let written = text(value)?;
    let found = TYPES.iter().find(|(name, _)| *name == written);
    found.map(|(_, kind)| *kind).or_else(|| {
        let names = TYPES.map(|(name, _)| name);
        let hint = did_you_mean(&written, names);
        let hint = hint.unwrap_or_else(|| known(&names.join(", ")));
        let message = said(
            "this version does not know the type",
            "эта версия не знает вида",
        );
        value.wrong(message, Some(hint))
    })
}

/// Nothing leaves over the network there; the keys that every channel has are taken all the same, so that
/// a channel can be made a console for a trial by its type alone.
fn console(at: &mut Section<'_>) -> console::Settings {
    let most = at.optional("messages_per_second", rate);
    client(at, DEFAULT_TIMEOUT);
    console::Settings {
        messages_per_second: most,
    }
}

fn green_api(at: &mut Section<'_>) -> green_api::Settings {
    let api_url = at.required(
        "api_url",
        said(
            r#"the instance's own address, such as "https://7103.api.greenapi.com""#,
            r#"адрес инстанса вида "https://7103.api.greenapi.com""#,
        ),
        channel_address,
    );
    let instance_id = at.required(
        "instance_id",
        said(
            r#"the number from the console, such as "1101000001""#,
            r#"номер инстанса из консоли вида "1101000001""#,
        ),
        account,
    );
    let flavour = at.get("flavour", Flavour::WhatsApp, word(&FLAVOURS));
    let place = at.place_of("templates");
    let templates = approved::read(at);
    if flavour != Flavour::Waba && !templates.is_empty() {
        let wrong = Wrong::new(said(
            "approved templates belong to official WhatsApp",
            "одобренные шаблоны бывают только у официального WhatsApp",
        ))
        .hint(said(
            "set flavour = \"waba\", or remove them",
            "напишите flavour = \"waba\" или уберите их",
        ));
        at.reader.problem(&place, wrong);
    }
    green_api::Settings {
        api_url: api_url.unwrap_or_default(),
        instance_id: instance_id.unwrap_or_default(),
        token: at.secret("token"),
        flavour,
        templates: templates.whole(),
        common: Common {
            // Official messages are listed in their template's words, so nothing could be found.
            journal_grace: match flavour {
                Flavour::Waba => JOURNAL_GRACE,
                Flavour::WhatsApp | Flavour::Max | Flavour::Telegram => journal_grace(at),
            },
            ..common(at, GREEN_API_RATE)
        },
    }
}

fn whatsapp_cloud(at: &mut Section<'_>) -> whatsapp_cloud::Settings {
    let api_url = at.optional("api_url", channel_address);
    let phone_number_id = at.required(
        "phone_number_id",
        said(
            "the id of the sending number (not the number itself), from the app's API setup",
            "id номера (не сам номер), со страницы API Setup приложения",
        ),
        account,
    );
    let templates = approved::read(at);
    whatsapp_cloud::Settings {
        api_url: api_url.unwrap_or_else(|| "https://graph.facebook.com/v26.0".into()),
        phone_number_id: phone_number_id.unwrap_or_default(),
        waba_id: at.optional("waba_id", account),
        token: at.secret("token"),
        templates: templates.whole(),
        common: common(at, CLOUD_RATE),
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
    let receive = at.get("receive", true, switch);
    Common {
        receive,
        ..outbound(at, messages_per_second)
    }
}

/// How long the messenger's own list may lag behind.
pub(super) fn journal_grace(at: &mut Section<'_>) -> Duration {
    at.get("journal_grace", JOURNAL_GRACE, duration(SHORTEST))
}

/// What a channel has that is not listened to.
fn outbound(at: &mut Section<'_>, messages_per_second: f64) -> Common {
    Common {
        receive: false,
        journal_grace: JOURNAL_GRACE,
        messages_per_second: at.get("messages_per_second", messages_per_second, rate),
        client: client(at, DEFAULT_TIMEOUT),
    }
}
