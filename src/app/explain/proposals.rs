//! What `explain` tells of the agent's proposals: what was put to the client, what they said to it, and
//! what became of it in the journal.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};

use super::tale::{Line, Step, Teller};
use super::{Say, asked};
use crate::domain::agent::proposal::Proposal;
use crate::domain::reply::order::Obstacle;
use crate::store::At;
use crate::store::proposals::{Proposed, Standing, TAKEN};

/// Each step, with the moment of it.
pub(super) fn lines(by: &Teller<'_>, proposed: &Proposed) -> Vec<Line> {
    let words = by.words;
    let offered = format!(
        "{}: {}",
        words.of("агент предложил клиенту", "the agent proposed"),
        what(&proposed.what, words)
    );
    let mut all = vec![(proposed.made_at, Step::Asked, offered)];
    let ended_at = proposed.ended_at;
    let answered = match proposed.standing {
        Standing::Open => None,
        Standing::Lapsed => Some((
            ended_at,
            words.of(
                "клиент заговорил о другом: предложение снято",
                "the client spoke of something else: the proposal stands no more",
            ),
        )),
        Standing::Declined => Some((ended_at, words.of("клиент отказался", "the client refused"))),
        Standing::Handed if proposed.is_cancel() => Some((
            ended_at,
            words.of(
                "клиент подтвердил: стало просьбой об отмене",
                "the client confirmed: it became a request to cancel",
            ),
        )),
        Standing::Handed => Some((
            ended_at,
            words.of(
                "клиент подтвердил: решает владелец",
                "the client confirmed: the owner decides",
            ),
        )),
        Standing::Agreed | Standing::Done | Standing::Barred => Some((
            proposed.began_at.or(ended_at),
            words.of(
                "клиент подтвердил: пишем в журнал сами",
                "the client confirmed: written into the journal",
            ),
        )),
    };
    if let Some((at, text)) = answered {
        let at = at.unwrap_or(proposed.made_at);
        all.push((at, Step::Heard, text.to_owned()));
    }
    let written = match proposed.standing {
        Standing::Done => Some(
            words
                .of("в журнале так и стоит", "the journal says so")
                .to_owned(),
        ),
        Standing::Barred => Some(unwritten(proposed, words)),
        _ => None,
    };
    all.extend(
        ended_at
            .zip(written)
            .map(|(at, what)| (at, Step::Written, what)),
    );
    all
}

fn what(proposal: &Proposal, words: Say) -> String {
    let when = |at: NaiveDateTime| at.format("%d.%m.%Y %H:%M").to_string();
    match proposal {
        Proposal::Make { start, staff, .. } => format!(
            "{} {} · {}",
            words.of("записать на", "a booking at"),
            when(*start),
            staff.name
        ),
        Proposal::Move { was, start, staff } => format!(
            "{} {} · {} → {} · {}",
            words.of("перенести", "a move"),
            when(was.start),
            was.staff.name,
            when(*start),
            staff.name
        ),
        Proposal::Cancel { was } => format!(
            "{} {} · {}",
            words.of("отменить", "to cancel"),
            when(was.start),
            was.staff.name
        ),
    }
}

fn unwritten(proposed: &Proposed, words: Say) -> String {
    let stored = proposed.obstacle.as_deref().unwrap_or_default();
    let why = match Obstacle::from_stored(stored) {
        Some(obstacle) => return asked::unwritten(obstacle, words),
        None if stored == TAKEN => words.of(
            "это время занял другой клиент",
            "somebody else took that time",
        ),
        None => stored,
    };
    let head = words.of("в журнал не записано", "not written into the journal");
    format!("{head}: {why}")
}

pub(super) fn to_json(proposed: &Proposed) -> Value {
    let stamp = |at: Option<DateTime<Utc>>| at.map(|at| At(at).text());
    json!({
        "id": proposed.id,
        "act": proposed.what.word(),
        "state": proposed.standing.as_str(),
        "obstacle": proposed.obstacle,
        "tries": proposed.tries,
        "made_at": At(proposed.made_at).text(),
        "lapses_at": At(proposed.lapses_at).text(),
        "began_at": stamp(proposed.began_at),
        "ended_at": stamp(proposed.ended_at),
    })
}
