//! `type = "http"`: a gateway known by name, or a request of the salon's own.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value as Json;
use toml::de::DeValue;

use super::address::channel_address;
use super::channels::journal_grace;
use super::load::Secrets;
use super::problem::{known, said};
use super::reader::{Place, Value, Wrong};
use super::secret::a_secret;
use super::section::{Section, a_table};
use super::values::{a_string, list, marker, switch, text, text_or_number, whole, word};
use crate::channels::Common;
use crate::channels::http_gateway::{Custom, PLACEHOLDERS, Preset, Settings, placeholders};

const PRESETS: [(&str, Preset); 5] = [
    ("waha", Preset::Waha),
    ("evolution", Preset::Evolution),
    ("wppconnect", Preset::WppConnect),
    ("wazzup", Preset::Wazzup),
    ("none", Preset::None),
];

const METHODS: [(&str, Request); 4] = [
    ("POST", Request::Post),
    ("PUT", Request::Put),
    ("PATCH", Request::Patch),
    ("GET", Request::Get),
];

#[derive(Clone, Copy)]
enum Request {
    Post,
    Put,
    Patch,
    Get,
}

impl From<Request> for Method {
    fn from(request: Request) -> Self {
        match request {
            Request::Post => Self::POST,
            Request::Put => Self::PUT,
            Request::Patch => Self::PATCH,
            Request::Get => Self::GET,
        }
    }
}

pub(super) fn read(
    at: &mut Section<'_>,
    common: impl FnOnce(&mut Section<'_>) -> Common,
) -> Settings {
    let preset = at.required(
        "preset",
        said(
            r#""waha", "evolution", "wppconnect", "wazzup" or "none""#,
            r#""waha", "evolution", "wppconnect", "wazzup" или "none""#,
        ),
        word(&PRESETS),
    );
    let base_url = at.optional("base_url", channel_address);
    let base_url = base_url.or_else(|| {
        (preset == Some(Preset::Wazzup)).then(|| "https://api.wazzup24.com".to_owned())
    });
    if base_url.is_none() && preset.is_some() && !at.has("base_url") {
        at.missing(
            "base_url",
            said(
                r#"the gateway's address, such as "http://127.0.0.1:3000""#,
                r#"адрес шлюза вида "http://127.0.0.1:3000""#,
            ),
        );
    }
    let token = match preset {
        // A gateway of one's own in one's own network may ask for no key.
        Some(Preset::None) | None => at.optional_secret("token"),
        Some(_) => Some(at.secret("token")),
    };
    let session = at.optional("session", text_or_number);
    let channel_id = at.optional("channel_id", text_or_number);
    if preset == Some(Preset::Wazzup) && channel_id.is_none() {
        at.missing(
            "channel_id",
            said(
                "the channel's id, from GET /v3/channels",
                "id канала, его называет GET /v3/channels",
            ),
        );
    }
    if channel_id.is_some() && preset.is_some_and(|preset| preset != Preset::Wazzup) {
        let wrong = Wrong::new(said(
            "read only with preset = \"wazzup\"",
            "читается только при preset = \"wazzup\"",
        ));
        at.reader.warning(&at.place_of("channel_id"), wrong);
    }
    let custom = custom(at, preset == Some(Preset::None));
    let needs_token = named_in(&custom).contains(&"token") && !at.has("token");
    if preset == Some(Preset::None) && needs_token && at.reader.secrets == Secrets::Needed {
        at.missing("token", a_secret());
    }
    if preset.is_some_and(|preset| preset != Preset::None) {
        for table in ["request", "answer"] {
            if at.has(table) {
                let wrong = Wrong::new(said(
                    "read only with preset = \"none\"",
                    "читается только при preset = \"none\"",
                ));
                at.reader.warning(&at.place_of(table), wrong);
            }
        }
    }
    Settings {
        preset: preset.unwrap_or(Preset::None),
        base_url: base_url.unwrap_or_default(),
        token: token.unwrap_or_default(),
        session: session.unwrap_or_else(|| "default".into()),
        channel_id: channel_id.unwrap_or_default(),
        custom,
        common: match preset {
            Some(Preset::Waha | Preset::Evolution | Preset::WppConnect) => Common {
                journal_grace: journal_grace(at),
                ..common(at)
            },
            _ => common(at),
        },
    }
}

fn custom(at: &mut Section<'_>, needed: bool) -> Custom {
    let mut form = Custom::default();
    let before = at.reader.problem_count();
    let mut idempotent = Place::default();
    at.table("request", |at| {
        form.method = at.get("method", Request::Post, word(&METHODS)).into();
        form.path = if needed {
            let example = said(
                r#"what follows base_url, such as "/send""#,
                r#"то, что идёт за base_url, вида "/send""#,
            );
            at.required("path", example, path).unwrap_or_default()
        } else {
            at.optional("path", path).unwrap_or_default()
        };
        form.headers = at.get("headers", Vec::new(), headers);
        form.body = at.get("body", None, |value| body(value).map(Some));
    });
    at.table("answer", |at| {
        form.ok = at.get("ok", form.ok.clone(), |value| {
            let statuses = list(whole(200, 299))(value)?;
            let statuses: Vec<u16> = statuses
                .into_iter()
                .filter_map(|s| u16::try_from(s).ok())
                .collect();
            match statuses.is_empty() {
                true => value.wrong_hidden(
                    said(
                        "expected at least one status, found",
                        "нужен хотя бы один код ответа, а стоит",
                    ),
                    None,
                ),
                false => Some(statuses),
            }
        });
        form.id = at.get("id", form.id.clone(), pointer);
        form.error = at.get("error", form.error.clone(), pointer);
        let parts = |value: &Value<'_>| {
            let parts = list(marker)(value)?;
            Some(parts.iter().map(|part| part.to_lowercase()).collect())
        };
        form.unreachable = at.get("unreachable", Vec::new(), parts);
        form.down = at.get("down", Vec::new(), parts);
        form.idempotent = at.get("idempotent", false, switch);
        idempotent = at.place_of("idempotent");
    });
    // What looks left out may only be broken.
    if needed && at.reader.problem_count() == before {
        complete(at, &form, &idempotent);
    }
    form
}

/// A request has to say what, to whom, and under which key where one is promised to count.
fn complete(at: &Section<'_>, form: &Custom, idempotent: &Place) {
    let named = named_in(form);
    for (places, what) in [
        (
            &["text"][..],
            said(
                "neither path nor body says the text: name {text}",
                "ни в path, ни в body нет текста: впишите {text}",
            ),
        ),
        (
            &["phone", "chat_id"][..],
            said(
                "neither path nor body says the person: name {phone} or {chat_id}",
                "ни в path, ни в body нет получателя: впишите {phone} или {chat_id}",
            ),
        ),
    ] {
        if !places.iter().any(|place| named.contains(place)) {
            at.reader.problem(&at.place_of("request"), Wrong::new(what));
        }
    }
    if form.idempotent && !named.contains(&"key") {
        // A lost answer would be followed by the same message again, and nothing to know it by.
        let wrong = Wrong::new(said(
            "the request does not name the {key} by which a repetition is known",
            "в запросе нет {key}, по которому узнают повтор",
        ));
        at.reader.problem(idempotent, wrong);
    }
}

/// A form whose places are all known; `header` lets no text of a message in.
fn form(value: &Value<'_>, header: bool) -> Option<String> {
    let written = value.node.as_str();
    let Some(written) = written else {
        return value.wrong_hidden(a_string(), None);
    };
    for place in placeholders(written) {
        if !PLACEHOLDERS.contains(&place) {
            let all = format!("{{{}}}", PLACEHOLDERS.join("} {"));
            let wrong = Wrong::new(said("nothing has the name", "нет значения с именем"))
                .found(format!("{{{place}}}"))
                .hint(known(&all));
            return value.refuse(wrong);
        }
        if header && place == "text" {
            return value.refuse(Wrong::new(said(
                "{text} has more than the one line of a header",
                "в заголовке одна строка, а в {text} их больше",
            )));
        }
    }
    Some(written.to_owned())
}

fn path(value: &Value<'_>) -> Option<String> {
    let path = form(value, false)?;
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '#';
    if path.starts_with('/') && path.chars().all(plain) {
        Some(path)
    } else {
        value.wrong_hidden(
            said(
                "expected a path that begins with /, found",
                "нужен путь, который начинается с /, а стоит",
            ),
            None,
        )
    }
}

/// JSON pointers begin with a slash; an empty one means that there is no such place.
fn pointer(value: &Value<'_>) -> Option<String> {
    let pointer = text(value)?;
    if pointer.is_empty() || pointer.starts_with('/') {
        Some(pointer)
    } else {
        let hint = said(
            "a JSON pointer begins with /, as \"/message/id\"",
            "он начинается с /, вида \"/message/id\"",
        );
        let message = said(
            "expected a JSON pointer, found",
            "нужен указатель JSON, а стоит",
        );
        value.wrong(message, Some(hint))
    }
}

/// The values of a table, each with its own place.
fn entries<'r>(value: &Value<'r>) -> Option<Vec<(String, Value<'r>)>> {
    let Some(table) = value.node.as_table() else {
        return value.wrong_hidden(a_table(), None);
    };
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let entry = |(name, node): (
        &toml::Spanned<toml::de::DeString<'r>>,
        &'r toml::Spanned<DeValue<'r>>,
    )| {
        let mut place = value.place.clone();
        place.key = format!("{}.{}", place.key, name.get_ref());
        place.line = value.reader.line(name.span().start);
        let entry = Value {
            reader: value.reader,
            place,
            node: node.get_ref(),
        };
        (name.get_ref().to_string(), entry)
    };
    Some(entries.into_iter().map(entry).collect())
}

fn headers(value: &Value<'_>) -> Option<Vec<(String, String)>> {
    let read: Vec<Option<(String, String)>> = entries(value)?
        .into_iter()
        .map(|(name, value)| {
            let form = form(&value, true)?;
            let fits = HeaderName::from_bytes(name.as_bytes()).is_ok()
                && HeaderValue::from_str(&form).is_ok();
            match fits {
                true => Some((name, form)),
                // It may be a key that was written out.
                false => value.wrong_hidden(
                    said(
                        "expected the one line of a header, found",
                        "нужна одна строка заголовка, а стоит",
                    ),
                    None,
                ),
            }
        })
        .collect();
    read.into_iter().collect()
}

fn body(value: &Value<'_>) -> Option<Json> {
    if !value.node.is_table() {
        return value.wrong_hidden(
            a_table(),
            Some(said(
                r#"write body = { to = "{phone}", text = "{text}" }"#,
                r#"напишите body = { to = "{phone}", text = "{text}" }"#,
            )),
        );
    }
    json(value)
}

fn json(value: &Value<'_>) -> Option<Json> {
    match value.node {
        DeValue::String(_) => form(value, false).map(Json::String),
        DeValue::Boolean(switch) => Some(Json::Bool(*switch)),
        DeValue::Integer(_) => whole(i64::MIN, i64::MAX)(value).map(Json::from),
        DeValue::Float(number) => {
            let number = number.as_str().parse::<f64>().ok();
            let number = number.and_then(serde_json::Number::from_f64);
            number.map(Json::Number).or_else(|| {
                value.wrong_hidden(said("no number of JSON:", "нет такого числа в JSON:"), None)
            })
        }
        DeValue::Datetime(_) => value.wrong_hidden(
            said("write a text in place of", "нужен текст, а стоит"),
            None,
        ),
        DeValue::Array(_) => {
            let items: Vec<Option<Json>> = value.items()?.iter().map(json).collect();
            items
                .into_iter()
                .collect::<Option<Vec<Json>>>()
                .map(Json::Array)
        }
        DeValue::Table(_) => {
            let fields: Vec<Option<(String, Json)>> = entries(value)?
                .into_iter()
                .map(|(name, value)| Some((name, json(&value)?)))
                .collect();
            let fields: Option<serde_json::Map<String, Json>> = fields.into_iter().collect();
            fields.map(Json::Object)
        }
    }
}

/// The places that a request names anywhere.
fn named_in(form: &Custom) -> Vec<&str> {
    fn in_body<'a>(body: &'a Json, named: &mut Vec<&'a str>) {
        match body {
            Json::String(text) => named.extend(placeholders(text)),
            Json::Array(items) => items.iter().for_each(|item| in_body(item, named)),
            Json::Object(fields) => fields.values().for_each(|field| in_body(field, named)),
            _ => {}
        }
    }
    let mut named = placeholders(&form.path);
    for (_, value) in &form.headers {
        named.extend(placeholders(value));
    }
    form.body.iter().for_each(|body| in_body(body, &mut named));
    named
}
