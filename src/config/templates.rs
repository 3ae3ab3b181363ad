//! `[templates]`: texts in place of the built-in ones, for all channels or for one.

use std::fs;

use toml::de::DeValue;

use super::Template;
use super::channels::Channels;
use super::problem::{cannot_read, did_you_mean, known, known_here, said};
use super::reader::{Value, Wrong};
use super::section::{Section, unknown_key};
use crate::domain::message::Key;

fn keys() -> impl Iterator<Item = &'static str> {
    Key::ALL.into_iter().map(Key::as_str)
}

/// Reads a `templates` table; what it sets takes the place of `inherited`.
pub(super) fn read(
    at: &mut Section<'_>,
    inherited: &[Template],
    channels: &Channels,
) -> Vec<Template> {
    let mut own = texts(at, None);
    for (name, value) in at.others() {
        // `creatd = { file = "…" }` is a mistyped text, not a channel named "creatd".
        let is_text = !value.node.is_table() || value.node.get("file").is_some();
        if is_text {
            let hint = did_you_mean(&name, keys());
            let hint = hint.unwrap_or_else(|| known_here(&keys().collect::<Vec<_>>().join(", ")));
            value.refuse::<()>(Wrong::new(unknown_key()).hint(hint));
        } else {
            if !channels.names().any(|known| known == name) {
                value.refuse::<()>(unknown_channel(&name, channels));
            }
            own.extend(at.named(&value, "NAME", |at| texts(at, Some(&name))));
        }
    }
    // The nearer text wins: a company's `created` also replaces the `created` that the whole
    // program has for one channel, or it would seem to do nothing there.
    let replaced = |old: &Template| {
        let mut same_key = own.iter().filter(|new| new.key == old.key);
        same_key.any(|new| new.channel.is_none() || new.channel == old.channel)
    };
    let kept = inherited.iter().filter(|old| !replaced(old)).cloned();
    let mut all: Vec<Template> = kept.collect();
    all.extend(own);
    all
}

pub(super) fn unknown_channel(name: &str, channels: &Channels) -> Wrong {
    let all: Vec<&str> = channels.names().collect();
    let hint = did_you_mean(name, all.iter().copied());
    let hint = hint.unwrap_or_else(|| match all.as_slice() {
        [] => said("add it as [channels.NAME]", "добавьте его: [channels.ИМЯ]"),
        _ => known(&all.join(", ")),
    });
    Wrong::new(said("no channel named", "нет канала"))
        .found(format!("{name:?}"))
        .hint(hint)
}

fn texts(at: &mut Section<'_>, channel: Option<&str>) -> Vec<Template> {
    let mut templates = Vec::new();
    for key in keys() {
        if let Some((source, origin)) = at.optional(key, text) {
            templates.push(Template {
                key: key.to_owned(),
                channel: channel.map(str::to_owned),
                source,
                origin,
            });
        }
    }
    templates
}

/// A text and where it was written.
fn text(value: &Value<'_>) -> Option<(String, String)> {
    let file = match value.node {
        DeValue::String(source) => return Some((source.to_string(), here(value))),
        DeValue::Table(table) if table.len() == 1 => value.node.get("file"),
        _ => None,
    };
    let Some(file) = file.and_then(|file| file.get_ref().as_str()) else {
        return value.wrong_hidden(
            said(
                r#"expected a string or { file = "PATH" }, found"#,
                r#"нужна строка или { file = "ПУТЬ" }, а стоит"#,
            ),
            None,
        );
    };
    let path = value.reader.path(file);
    match fs::read_to_string(&path) {
        Ok(source) if source.trim().is_empty() => {
            let path = path.display();
            value.refuse(Wrong::new(said(
                format!("{path} is empty"),
                format!("файл {path} пуст"),
            )))
        }
        // The newline that ends a file would end every message.
        Ok(source) => Some((source.trim_end().to_owned(), path.display().to_string())),
        Err(error) => value.refuse(Wrong::new(cannot_read(&path, &error))),
    }
}

/// Where a text stands in the file itself: `booking-monitor.toml:116: templates.created`.
fn here(value: &Value<'_>) -> String {
    let file = value.reader.file.display();
    let line = value
        .place
        .line
        .map_or_else(String::new, |n| format!(":{n}"));
    format!("{file}{line}: {}", value.place.key)
}
