//! `log`: the last notifications.

use std::path::Path;

use comfy_table::ColumnConstraint;
use serde_json::{Value, json};

use super::text::{Say, table};
use super::{Failure, Outcome, existing, load, names, refused, say};
use crate::config::Secrets;
use crate::domain::delivery::Status;
use crate::domain::phone::Phone;
use crate::domain::policy::Reason;
use crate::store::outbox::{self, Notification};
use crate::store::{self, At};

pub(super) fn run(
    path: &Path,
    limit: u32,
    company: Option<i64>,
    status: Option<&str>,
    as_json: bool,
) -> Outcome {
    let status = status
        .map(|word| {
            Status::from_stored(word).ok_or_else(|| {
                let all: Vec<&str> = Status::ALL.iter().map(|s| s.as_str()).collect();
                Failure::usage(&format!(
                    "unknown status {word:?}: one of {}",
                    all.join(", ")
                ))
                .hint("booking-monitor log --status dead, or without --status for all")
            })
        })
        .transpose()?;
    let config = load(path, Secrets::NotNeeded)?.config;
    let conn = existing(&config, store::open_reader)?;
    names::known_company(&config, &conn, company)?;
    let rows = outbox::latest(&conn, company, status, limit).map_err(refused)?;
    if as_json {
        let rows: Vec<Value> = rows.iter().map(to_json).collect();
        say(&format!("{:#}", Value::Array(rows)))?;
        return Ok(0);
    }
    let words = Say(config.language);
    let zones = names::Zones::read(&conn, &config).map_err(refused)?;
    let mut shown = table(&[
        "№",
        words.of("Когда", "When"),
        words.of("О чём, запись", "Kind, record"),
        words.of("Кому", "To"),
        words.of("Исход", "Outcome"),
    ]);
    // All but the outcome stand whole.
    for column in shown.column_iter_mut().take(4) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    for n in &rows {
        let why = words.why(n);
        let mut outcome = words.outcome(n.status).to_owned();
        if !why.is_empty() {
            let colon = if outcome.ends_with('?') { "" } else { ":" };
            outcome += &format!("{colon} {why}");
        }
        // What would have been sent: its first line tells which it was, explain has it whole.
        if n.reason == Some(Reason::TestMode) {
            let head = n.message.lines().next().unwrap_or_default();
            outcome += &format!("\n{head}");
        }
        shown.add_row([
            n.id.to_string(),
            n.created_at
                .with_timezone(&zones.of(Some(n.company)))
                .format("%d.%m %H:%M:%S")
                .to_string(),
            about(n, words),
            to(n),
            outcome,
        ]);
    }
    say(&words.listed(&shown))?;
    Ok(0)
}

/// What it is about, and the number that `explain` takes where it is of one booking.
fn about(n: &Notification, words: Say) -> String {
    let kind = words.kind(&n.kind);
    match n.record {
        0 => kind.to_owned(),
        record => format!("{kind}\n{record}"),
    }
}

/// By which channel it goes, and to whom; a phone is not torn apart.
fn to(n: &Notification) -> String {
    let whom = masked(n);
    let parts = [n.channel.as_str(), &whom];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let one_line = parts.join(" ");
    match one_line.chars().count() {
        0 => "—".to_owned(),
        1..=16 => one_line,
        _ => parts.join("\n"),
    }
}

/// Whom it goes to, without giving away who that is.
pub(super) fn masked(n: &Notification) -> String {
    if !n.phone.is_empty() {
        return Phone::from_stored(n.phone.clone()).masked();
    }
    // Answers go to an address, which on some channels is the phone.
    let number = n.recipient.split('@').next().unwrap_or_default();
    let is_phone = n.recipient.starts_with('+') || number.len() < n.recipient.len();
    match Phone::parse(&format!("+{}", number.trim_start_matches('+')), "RU") {
        Ok(phone) if is_phone => phone.masked(),
        _ => n.recipient.clone(),
    }
}

pub(super) fn to_json(n: &Notification) -> Value {
    json!({
        "id": n.id,
        "company_id": n.company,
        "record_id": n.record,
        "visit_id": n.visit,
        "kind": n.kind,
        "recipient": masked(n),
        "channel": n.channel,
        "status": n.status.as_str(),
        "reason": n.reason.map(Reason::as_str),
        "superseded_by": n.superseded_by,
        "message": (!n.phone.is_empty()).then_some(&n.message),
        "attempts": n.attempts,
        "last_error": n.last_error,
        "due_at": At(n.due_at).text(),
        "created_at": At(n.created_at).text(),
        "sent_at": n.sent_at.map(|at| At(at).text()),
    })
}
