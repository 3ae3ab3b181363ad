//! What `explain` tells of the journal: what changed in it, what its client wanted changed, and what the
//! salon's own automation got of it.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use super::tale::{Line, Step, Teller};
use crate::config::Language;
use crate::domain::message::markup::capped;
use crate::domain::phone::{Phone, without_long_numbers};
use crate::domain::record::Attendance;
use crate::store::sinks::Owed;
use crate::store::story::{EventRow, Heard, Story};

/// So much of a client's message is shown.
const LONGEST_SHOWN: usize = 200;

/// A change in the journal, and what became of the news.
pub(super) fn event(by: &Teller<'_>, event: &EventRow) -> Vec<Line> {
    let mut lines = vec![(event.created_at, Step::Changed, change(by, event))];
    if event.processed_at == Some(event.created_at) {
        lines.push((event.created_at, Step::Decided, silence(by, event)));
    }
    for owed in &event.owed {
        let at = owed.sent_at.unwrap_or(event.created_at);
        lines.push((at, Step::HandedOn, handed_on(by, owed)));
    }
    lines
}

fn change(by: &Teller<'_>, event: &EventRow) -> String {
    let words = by.words;
    let data = &event.payload["data"];
    let what = match event.event_type.as_str() {
        "record.created" => words.of("в журнале появилась", "appeared in the journal"),
        "record.deleted" if data["reason"] == "attendance" => words.of(
            "в журнале отмечена как отменённая",
            "marked as off in the journal",
        ),
        "record.deleted" => words.of("из журнала удалена", "deleted from the journal"),
        _ => words.of("в журнале изменилась", "changed in the journal"),
    };
    let how = match event.event_type.as_str() {
        "record.created" if data["online"] == true => words.of(" (онлайн)", " (online)"),
        "record.deleted" if data["deleted_by"] == "client" => {
            words.of(" (по просьбе клиента, нами)", " (by us, for the client)")
        }
        _ => "",
    };
    let changes = event.payload["changes"].as_object().into_iter().flatten();
    let changes: Vec<String> = changes
        .map(|(field, pair)| changed(by, event, field, &pair["old"], &pair["new"]))
        .collect();
    match changes.is_empty() {
        true => format!("{what}{how}"),
        false => format!("{what}: {}", changes.join("; ")),
    }
}

/// `время 21.08.2026 14:30 → 22.08.2026 16:00`.
fn changed(by: &Teller<'_>, event: &EventRow, field: &str, old: &Value, new: &Value) -> String {
    let words = by.words;
    let pair = |name: &str, old: String, new: String| match old == new {
        true => name.to_owned(),
        false => format!("{name} {old} → {new}"),
    };
    match field {
        "datetime" => pair(words.of("время", "time"), clock(old), clock(new)),
        "staff_id" => pair(
            words.of("мастер", "master"),
            event.staff_before.clone().unwrap_or_else(|| plain(old)),
            plain(&event.payload["data"]["staff"]["name"]),
        ),
        "services" => pair(words.of("услуги", "services"), titles(old), titles(new)),
        "seance_length" => pair(
            words.of("длительность", "length"),
            length(by, old),
            length(by, new),
        ),
        "attendance" => pair(
            words.of("посещение", "attendance"),
            attendance(by, old),
            attendance(by, new),
        ),
        "client" => {
            let (had, has) = (number(&old["phone"]), number(&new["phone"]));
            match had == has {
                true => words.of("клиент", "client").to_owned(),
                false => pair(words.of("телефон", "phone"), had, has),
            }
        }
        "comment" => words.of("комментарий", "comment").to_owned(),
        "record_labels" => words.of("метки", "labels").to_owned(),
        other => other.to_owned(),
    }
}

fn clock(value: &Value) -> String {
    let text = plain(value);
    let read = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S");
    read.map_or(text, |at| at.format("%d.%m.%Y %H:%M").to_string())
}

fn titles(value: &Value) -> String {
    let lines = value.as_array().into_iter().flatten();
    let titles: Vec<String> = lines.map(|line| plain(&line["title"])).collect();
    match titles.is_empty() {
        true => "—".to_owned(),
        false => titles.join(", "),
    }
}

fn length(by: &Teller<'_>, value: &Value) -> String {
    let seconds = value.as_u64().unwrap_or_default();
    by.words.span(std::time::Duration::from_secs(seconds))
}

fn attendance(by: &Teller<'_>, value: &Value) -> String {
    let (ru, en) = match Attendance::from_number(value.as_i64().unwrap_or_default()) {
        Attendance::Waiting => ("ожидается", "expected"),
        Attendance::Confirmed => ("подтверждено", "confirmed"),
        Attendance::Arrived => ("пришёл", "came"),
        Attendance::NoShow => ("не пришёл", "did not come"),
    };
    by.words.of(ru, en).to_owned()
}

fn number(value: &Value) -> String {
    match Phone::parse(value.as_str().unwrap_or_default(), "RU") {
        Ok(phone) => phone.masked(),
        Err(_) => "—".to_owned(),
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// It was settled the moment it was seen. What would else be told is silent only in the reading that
/// follows a restore.
fn silence(by: &Teller<'_>, event: &EventRow) -> String {
    let changes = event.payload["changes"].as_object();
    let told = |field: &String| !matches!(field.as_str(), "comment" | "record_labels");
    let is_news = event.event_type != "record.updated"
        || changes.is_some_and(|changes| changes.keys().any(told));
    let (ru, en) = match is_news {
        true => (
            "не сообщаем: база восстановлена из копии, и что было клиенту сказано после неё, неизвестно; клиент считается знающим, владельцу ушёл список",
            "not told: the database was restored from a backup, and nobody knows what the client was told after it; the client is taken to know, the owner got a list",
        ),
        false => (
            "о таком клиентам не пишем",
            "of this clients are told nothing",
        ),
    };
    by.words.of(ru, en).to_owned()
}

/// The delay runs: what is told is decided at its end.
pub(super) fn unsettled(by: &Teller<'_>, story: &Story, at: DateTime<Utc>) -> Line {
    let last = story.events.last().map(|event| event.created_at);
    let until = by.when(at);
    let what = match by.words.0 {
        Language::Ru => {
            format!("ждём, не изменится ли ещё раз; что сообщить, решим {until}")
        }
        Language::En => {
            format!("waits for what else may change; what to tell is decided {until}")
        }
    };
    (last.unwrap_or(by.now), Step::Decided, what)
}

/// What its client wrote.
pub(super) fn heard(by: &Teller<'_>, heard: &Heard) -> Line {
    let text = without_long_numbers(&heard.text.replace('\n', " "));
    let text = capped(&text, LONGEST_SHOWN);
    let what = match by.words.0 {
        Language::Ru => format!("клиент написал ({}): «{text}»", heard.channel),
        Language::En => format!("the client wrote ({}): “{text}”", heard.channel),
    };
    (heard.at, Step::Heard, what)
}

/// What became of an event at the salon's own automation.
fn handed_on(by: &Teller<'_>, owed: &Owed) -> String {
    let what = match owed.status.as_str() {
        "sent" => by.words.of("событие передано:", "event handed on:"),
        "dead" => by.words.of("событие не передано:", "event given up:"),
        _ => by
            .words
            .of("событие ждёт передачи:", "event waits to be handed on:"),
    };
    let why = owed.last_error.as_ref().map(|why| by.words.spoken(why));
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{what} {}{why}", owed.label)
}
