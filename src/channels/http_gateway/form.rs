//! A request as a form with places to fill in, and where its answer keeps what matters.

use std::fmt;

use reqwest::Method;
use serde_json::Value;

/// What a form may name, between braces.
pub const PLACEHOLDERS: [&str; 6] = ["phone", "chat_id", "session", "token", "text", "key"];

/// A request and an answer of the salon's own: `[channels.NAME.request]`, `[channels.NAME.answer]`.
#[derive(Clone)]
pub struct Custom {
    /// The HTTP method.
    pub method: Method,
    /// Appended to the base address.
    pub path: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// A JSON object; `None` sends no body.
    pub body: Option<Value>,
    /// Statuses that mean: taken.
    pub ok: Vec<u16>,
    /// JSON pointer to the message's id; empty where there is none.
    pub id: String,
    /// JSON pointer to the error's text; empty where there is none.
    pub error: String,
    /// Parts of error texts that mean: this person is not there. In lower case.
    pub unreachable: Vec<String>,
    /// Parts of error texts that mean: nobody can be reached now. In lower case.
    pub down: Vec<String>,
    /// The same `{key}` is never delivered twice.
    pub idempotent: bool,
}

impl Default for Custom {
    fn default() -> Self {
        Self {
            method: Method::POST,
            path: String::new(),
            headers: Vec::new(),
            body: None,
            ok: vec![200, 201],
            id: "/id".into(),
            error: "/error".into(),
            unreachable: Vec::new(),
            down: Vec::new(),
            idempotent: false,
        }
    }
}

/// Without the values of headers and body: a key may be written out in them.
impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Custom")
            .field("method", &self.method)
            .field("headers", &headers)
            .field("ok", &self.ok)
            .field("id", &self.id)
            .field("error", &self.error)
            .field("unreachable", &self.unreachable)
            .field("down", &self.down)
            .field("idempotent", &self.idempotent)
            .finish_non_exhaustive()
    }
}

/// The same for every gateway, known by name or not.
pub(super) struct Form {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Value>,
    /// Statuses that mean: taken; empty for any 2xx.
    pub(super) ok: Vec<u16>,
    /// Where the id may be; empty where there is none.
    pub(super) ids: Vec<String>,
    /// Where the error's text may be.
    pub(super) errors: Vec<String>,
    pub(super) unreachable: Vec<String>,
    pub(super) down: Vec<String>,
    /// Longest text, in characters.
    pub(super) longest: Option<usize>,
    /// Seconds to wait after a 429 that names no time.
    pub(super) pause: Option<u64>,
}

impl Form {
    pub(super) fn id_in(&self, json: &Value) -> Option<String> {
        let found = self.ids.iter().filter_map(|place| json.pointer(place));
        found.into_iter().find_map(|id| match id {
            Value::String(id) if !id.is_empty() => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        })
    }

    pub(super) fn error_in(&self, json: &Value) -> Option<String> {
        let mut found = self.errors.iter().filter_map(|place| json.pointer(place));
        found.find_map(|error| match error {
            Value::Null | Value::Bool(false) => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        })
    }
}

/// What the places of one message are filled with.
pub(super) struct Values<'a> {
    pub(super) phone: &'a str,
    pub(super) chat_id: &'a str,
    pub(super) session: &'a str,
    pub(super) token: &'a str,
    pub(super) text: &'a str,
    pub(super) key: &'a str,
}

impl Values<'_> {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = match name {
            "phone" => self.phone,
            "chat_id" => self.chat_id,
            "session" => self.session,
            "token" => self.token,
            "text" => self.text,
            "key" => self.key,
            _ => return None,
        };
        Some(value.to_owned())
    }
}

/// Fills `{name}` in one pass: what a value holds is never looked at again, so a client called
/// `{token}` gets no token. Names that are none stay as they are written.
pub(super) fn fill(form: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(form.len());
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let place = after.split_once('}');
        let filled = place.and_then(|(name, tail)| Some((value(name)?, tail)));
        rest = match filled {
            Some((value, tail)) => {
                out.push_str(&value);
                tail
            }
            None => {
                out.push('{');
                after
            }
        };
    }
    out + rest
}

/// The places that a form names, known or not: words of small letters between braces.
#[must_use]
pub fn placeholders(form: &str) -> Vec<&str> {
    let named = form.split('{').skip(1);
    named
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .filter(|name| {
            let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
            !name.is_empty() && name.chars().all(is_word)
        })
        .collect()
}

/// A JSON form with its texts filled in. Escaping is the serializer's.
pub(super) fn filled(form: &Value, values: &Values<'_>) -> Value {
    match form {
        Value::String(text) => Value::String(fill(text, |name| values.get(name))),
        Value::Array(items) => items.iter().map(|item| filled(item, values)).collect(),
        Value::Object(fields) => {
            let fill = |(key, value): (&String, &Value)| (key.clone(), filled(value, values));
            Value::Object(fields.iter().map(fill).collect())
        }
        other => other.clone(),
    }
}

/// A value as one segment of a path or one value of a query.
pub(super) fn percent(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const VALUES: Values<'static> = Values {
        phone: "79000000001",
        chat_id: "79000000001@c.us",
        session: "a/b",
        token: "s3cret",
        text: "\"{token}\"\n{key} {",
        key: "k",
    };

    #[test]
    fn places_are_filled_once_and_what_a_value_holds_is_left_alone() {
        let fill = |form| fill(form, |name| VALUES.get(name));
        assert_eq!(fill("{text}|{key}"), "\"{token}\"\n{key} {|k");
        assert_eq!(fill("{phone}{chat_id}"), "7900000000179000000001@c.us");
        assert_eq!(fill("{unknown} {} {{key}} }{"), "{unknown} {} {k} }{");
    }

    #[test]
    fn a_body_is_filled_at_any_depth_and_stays_json() {
        let form = json!({"to": ["{phone}"], "m": {"text": "{text}", "n": 1, "{key}": true}});
        assert_eq!(
            filled(&form, &VALUES),
            json!({
                "to": ["79000000001"],
                "m": {"text": "\"{token}\"\n{key} {", "n": 1, "{key}": true},
            })
        );
    }

    #[test]
    fn a_value_in_a_path_is_one_segment() {
        assert_eq!(
            percent("a/b?c=d&e #%.я"),
            "a%2Fb%3Fc%3Dd%26e%20%23%25%2E%D1%8F"
        );
    }

    #[test]
    fn a_form_says_what_it_names() {
        assert_eq!(placeholders("/{phone}/{x}{ no }{}"), ["phone", "x"]);
    }
}
