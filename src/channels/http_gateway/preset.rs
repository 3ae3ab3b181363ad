//! The gateways known by name: their requests, and what only they say.

use reqwest::Method;
use serde_json::{Value, json};

use super::Settings;
use super::form::{Form, percent};
use crate::channels::classify::Answer;

/// Which gateway it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// WAHA (<https://waha.devlike.pro/docs/how-to/send-messages/>).
    Waha,
    /// Evolution API v2 (<https://doc.evolution-api.com/v2/api-reference/message-controller/send-text>).
    Evolution,
    /// WPPConnect Server (<https://wppconnect.io/swagger/wppconnect-server/>).
    WppConnect,
    /// Wazzup v3 (<https://wazzup24.com/help/api-en/sending-messages/>).
    Wazzup,
    /// One of the salon's own.
    None,
}

/// Longest text that Wazzup takes for WhatsApp.
const WAZZUP_TEXT: usize = 10_000;
/// Wazzup counts requests in windows of five seconds.
const WAZZUP_PAUSE: u64 = 5;

/// The gateway's request, and where its answer keeps things.
pub(super) fn form(settings: &Settings) -> Form {
    let session = percent(&settings.session);
    let (path, header, body, ids): (String, _, Value, &[&str]) = match settings.preset {
        Preset::Waha => (
            "/api/sendText".into(),
            ("X-Api-Key", "{token}"),
            json!({
                "session": "{session}",
                "chatId": "{chat_id}",
                "text": "{text}",
                "linkPreview": false,
            }),
            &["/id", "/id/_serialized", "/key/id", "/id/id"],
        ),
        Preset::Evolution => (
            format!("/message/sendText/{session}"),
            ("apikey", "{token}"),
            json!({"number": "{phone}", "text": "{text}", "linkPreview": false}),
            &["/key/id", "/id", "/message/key/id"],
        ),
        Preset::WppConnect => (
            format!("/api/{session}/send-message"),
            ("Authorization", "Bearer {token}"),
            json!({"phone": "{phone}", "message": "{text}", "isGroup": false}),
            &[
                "/response/0/id",
                "/response/0/id/_serialized",
                "/response/id",
                "/response/id/_serialized",
            ],
        ),
        Preset::Wazzup => (
            "/v3/message".into(),
            ("Authorization", "Bearer {token}"),
            json!({
                "channelId": settings.channel_id,
                "chatType": "whatsapp",
                "chatId": "{phone}",
                "text": "{text}",
                "crmMessageId": "{key}",
            }),
            &["/messageId"],
        ),
        Preset::None => return custom(settings),
    };
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let wazzup = settings.preset == Preset::Wazzup;
    Form {
        method: Method::POST,
        path,
        headers: vec![(header.0.to_owned(), header.1.to_owned())],
        body: Some(body),
        ok: Vec::new(),
        ids: own(ids),
        errors: own(&["/description", "/message", "/response/message", "/error"]),
        unreachable: Vec::new(),
        down: Vec::new(),
        longest: wazzup.then_some(WAZZUP_TEXT),
        pause: wazzup.then_some(WAZZUP_PAUSE),
    }
}

fn custom(settings: &Settings) -> Form {
    let custom = settings.custom.clone();
    let set = |pointer: String| (!pointer.is_empty()).then_some(pointer);
    Form {
        method: custom.method,
        path: custom.path,
        headers: custom.headers,
        body: custom.body,
        ok: custom.ok,
        ids: set(custom.id).into_iter().collect(),
        errors: set(custom.error).into_iter().collect(),
        unreachable: custom.unreachable,
        down: custom.down,
        longest: None,
        pause: None,
    }
}

/// What a gateway's own words say more than the status does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It has this key already.
    Repeated,
    /// This person is not on WhatsApp.
    Unreachable,
    /// Nobody can be reached until somebody mends it.
    Down,
}

/// Reads the words of a refusal; `None` leaves it to the status. Their lists are not documented, so
/// they are matched loosely, and only where the body is the gateway's own JSON.
pub(super) fn meaning(preset: Preset, answer: &Answer, json: &Value) -> Option<Meaning> {
    if !json.is_object() || answer.status.is_success() {
        return None;
    }
    let words = answer.text().to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    match preset {
        Preset::Wazzup if has(&["repeatedcrmmessageid"]) => Some(Meaning::Repeated),
        Preset::Wazzup
            if has(&[
                "channel_blocked",
                "no_money",
                "channel_not_found",
                "balance",
            ]) =>
        {
            Some(Meaning::Down)
        }
        Preset::Wazzup if has(&["bad_contact", "contact_not_found", "no_contact"]) => {
            Some(Meaning::Unreachable)
        }
        // Its word for a session that is not WORKING.
        Preset::Waha
            if has(&["session status", "not as expected", "scan_qr_code"])
                || json["expected"].is_array()
                || json["status"]
                    .as_str()
                    .is_some_and(|s| ["FAILED", "STARTING", "STOPPED"].contains(&s)) =>
        {
            Some(Meaning::Down)
        }
        Preset::WppConnect if has(&["disconnected"]) => Some(Meaning::Down),
        Preset::Waha | Preset::Evolution | Preset::WppConnect if is_absent(json) => {
            Some(Meaning::Unreachable)
        }
        Preset::Waha | Preset::Evolution | Preset::WppConnect
            if has(&[
                "not on whatsapp",
                "no lid for user",
                "n\u{e3}o existe",
                "nao existe",
                "does not exist on whatsapp",
                "is not registered",
            ]) =>
        {
            Some(Meaning::Unreachable)
        }
        _ => None,
    }
}

/// `"exists": false` at any depth.
fn is_absent(json: &Value) -> bool {
    match json {
        Value::Array(items) => items.iter().any(is_absent),
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            let says = key == "exists" || key == "numberExists";
            (says && *value == false) || is_absent(value)
        }),
        _ => false,
    }
}
