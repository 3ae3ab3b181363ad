//! What differs between two states of one booking, by the API's names: no names of people, phones
//! masked, a comment's text left out.

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::domain::change::{self, Field};
use crate::domain::record::{Record, ServiceLine};
use crate::store::At;

/// Old and new values, field by field.
pub(super) struct Changes(Vec<(&'static str, Value, Value)>);

impl Changes {
    /// What the journal has otherwise than the cache. A client or a phone that it does not show is
    /// a matter of rights; the cache keeps what it had, on purpose.
    pub(super) fn between(cached: &Record, seen: &Record) -> Self {
        let mut changes = Vec::new();
        let mut note = |name, old: Value, new: Value| changes.push((name, old, new));
        if matches!((cached.created_at, seen.created_at), (Some(a), Some(b)) if a != b) {
            // The same id, another booking.
            note(
                "create_date",
                stamp(cached.created_at),
                stamp(seen.created_at),
            );
        }
        if cached.deleted != seen.deleted {
            note("deleted", cached.deleted.into(), seen.deleted.into());
        }
        // What a deleted row holds besides is no value of anything.
        let fields = if cached.is_alive() && seen.is_alive() {
            change::differing(cached, seen)
        } else {
            Vec::new()
        };
        for field in fields {
            match field {
                Field::Start => note("datetime", start(cached), start(seen)),
                Field::Staff => note("staff_id", cached.staff.id.into(), seen.staff.id.into()),
                Field::Services => note(
                    "services",
                    services(&cached.services),
                    services(&seen.services),
                ),
                Field::Price => note("cost", cost(cached), cost(seen)),
                Field::Duration => note("seance_length", cached.length.into(), seen.length.into()),
                Field::Client => {
                    let ids = [cached, seen].map(|r| r.client.as_ref().map(|c| c.id));
                    if ids[0] != ids[1] && ids[1].is_some() {
                        note("client.id", json!(ids[0]), json!(ids[1]));
                    }
                    let refused =
                        |r: &Record| r.client.as_ref().is_some_and(|c| c.refused_phone.is_some());
                    let is_hidden = seen.phone().is_none() && !refused(seen);
                    if cached.phone() != seen.phone() && !is_hidden {
                        note("client.phone", phone(cached), phone(seen));
                    }
                }
                Field::Attendance => note(
                    "attendance",
                    cached.attendance.number().into(),
                    seen.attendance.number().into(),
                ),
                Field::Comment => note("comment", hidden(cached), hidden(seen)),
                Field::Labels => note("record_labels", json!(cached.labels), json!(seen.labels)),
            }
        }
        Self(changes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn to_json(&self) -> Value {
        let changes: Map<String, Value> = self
            .0
            .iter()
            .map(|(name, old, new)| ((*name).to_owned(), json!({"old": old, "new": new})))
            .collect();
        changes.into()
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (name, old, new)) in self.0.iter().enumerate() {
            let gap = if n == 0 { "" } else { "; " };
            write!(f, "{gap}{name}: {} → {}", plain(old), plain(new))?;
        }
        Ok(())
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "—".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "—".to_owned(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(plain).collect();
            values.join(", ")
        }
        other => other.to_string(),
    }
}

fn stamp(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, |at| At(at).text().into())
}

fn start(record: &Record) -> Value {
    let start = record.start_local.format("%Y-%m-%d %H:%M:%S");
    start.to_string().into()
}

/// `45`, `45 × 2`: their ids, for titles are the salon's to reword.
fn services(lines: &[ServiceLine]) -> Value {
    lines
        .iter()
        .map(|line| match line.amount {
            1 => line.id.to_string(),
            amount => format!("{} × {amount}", line.id),
        })
        .collect()
}

fn cost(record: &Record) -> Value {
    record.price().to_string().into()
}

fn phone(record: &Record) -> Value {
    record
        .phone()
        .map_or(Value::Null, |phone| phone.masked().into())
}

/// That there is a comment, not what people wrote there.
fn hidden(record: &Record) -> Value {
    match record.comment.as_str() {
        "" => Value::Null,
        _ => "…".into(),
    }
}
