//! What `explain` tells of a booking's reminders: when one will come, what it became, why it will not.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Say;
use crate::config::Language;
use crate::domain::reminder::Dropped;
use crate::store::At;
use crate::store::at::local_text;
use crate::store::reminders::{Planned, State};

/// One line, and the moment at which it was decided.
pub(super) fn line(
    planned: &Planned,
    words: Say,
    when: impl Fn(DateTime<Utc>) -> String,
) -> (DateTime<Utc>, String) {
    let start = planned.start_local.format("%d.%m.%Y %H:%M");
    let head = match words.0 {
        Language::Ru => format!("напоминание ({}) о визите {start}", planned.lead),
        Language::En => format!("reminder ({}) of the visit of {start}", planned.lead),
    };
    let what = match (planned.state, words.0) {
        (State::Planned, Language::Ru) => format!("будет {}", when(planned.due_at)),
        (State::Planned, Language::En) => format!("due {}", when(planned.due_at)),
        (State::Made(id), Language::Ru) => format!("в сообщении № {id}"),
        (State::Made(id), Language::En) => format!("in the message № {id}"),
        (State::Dropped(why), Language::Ru) => format!("не будет — {}", reason(why, words)),
        (State::Dropped(why), Language::En) => format!("not to be — {}", reason(why, words)),
    };
    (planned.changed_at, format!("{head}: {what}"))
}

fn reason(why: Dropped, words: Say) -> &'static str {
    let (ru, en) = match why {
        Dropped::TooLate => (
            "его время прошло раньше, чем стало известно о записи, её времени или напоминаниях",
            "its moment had passed before the booking, its time or the reminder became known",
        ),
        Dropped::Told => (
            "незадолго до него клиенту уже писали об этой записи",
            "the client was told of the booking shortly before",
        ),
        Dropped::Moved => (
            "у записи теперь другое время или номер",
            "the booking has another time or number now",
        ),
        Dropped::Off => ("записи больше нет", "the booking is off"),
        Dropped::Attended => (
            "в журнале уже отмечено, пришёл ли клиент",
            "the journal says already whether the client came",
        ),
        Dropped::Superseded => (
            "о визите напомнило более позднее",
            "a later one reminds of the visit",
        ),
        Dropped::Expired => (
            "не успело уйти в свой день",
            "it could not leave on its day",
        ),
        Dropped::Unseen => (
            "номера в журнале были скрыты",
            "numbers in the journal were hidden",
        ),
        Dropped::Disabled => ("такие выключены", "such are switched off"),
    };
    words.of(ru, en)
}

pub(super) fn to_json(planned: &Planned) -> Value {
    let (reason, notification) = match planned.state {
        State::Planned => (None, None),
        State::Made(id) => (None, Some(id)),
        State::Dropped(why) => (Some(why.as_str()), None),
    };
    json!({
        "lead": planned.lead,
        "start_local": local_text(planned.start_local),
        "due_at": At(planned.due_at).text(),
        "state": planned.state.as_str(),
        "reason": reason,
        "notification_id": notification,
    })
}
