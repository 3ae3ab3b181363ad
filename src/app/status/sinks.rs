//! How the sinks of booking events fare.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::super::text::{Say, table};
use super::stamp;
use crate::store::sinks::SinkState;

/// It has taken nothing for longer than anybody would wait.
pub(in crate::app) fn is_stuck(sink: &SinkState, patience: TimeDelta, now: DateTime<Utc>) -> bool {
    sink.failing_since
        .is_some_and(|since| now - since >= patience)
}

pub(super) fn to_json(sinks: &[SinkState]) -> Value {
    let all = sinks.iter().map(|sink| {
        json!({
            "sink": sink.label,
            "up": sink.failing_since.is_none(),
            "failing_since": stamp(sink.failing_since),
            "last_error": sink.last_error,
            "last_taken_at": stamp(sink.taken_at),
            "pending": sink.pending,
            "oldest_pending_at": stamp(sink.oldest_pending_at),
            "lost_48h": sink.lost,
        })
    });
    all.collect()
}

pub(super) fn table_of(sinks: &[SinkState], words: Say, now: DateTime<Utc>) -> String {
    let mut shown = table(&[
        words.of("События", "Events"),
        words.of("Ждут", "Waiting"),
        words.of("Пропали", "Lost"),
        words.of("Принято", "Taken"),
        words.of("Состояние", "State"),
    ]);
    for sink in sinks {
        shown.add_row([
            sink.label.clone(),
            sink.pending.to_string(),
            sink.lost.to_string(),
            words.ago(sink.taken_at, now),
            state(sink, words),
        ]);
    }
    shown.to_string()
}

/// `в порядке`, or what is wrong.
pub(in crate::app) fn state(sink: &SinkState, words: Say) -> String {
    match (sink.failing_since, &sink.last_error) {
        (Some(_), Some(error)) => words.spoken(error),
        (Some(_), None) => words.of("не принимает", "takes nothing").to_owned(),
        (None, _) => words.of("в порядке", "well").to_owned(),
    }
}
