//! What a person decides about messages, at the command line or in the owner's chat: let go, drop,
//! send again, pause. A running daemon notices within seconds.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::visit::Visit;
use super::{answers, edits, outcome, trial};
use crate::domain::delivery::Status;
use crate::domain::known::Known;
use crate::domain::message::Language;
use crate::domain::policy::{Kind, Reason};
use crate::domain::question::{End, Matter};
use crate::domain::record::Record;
use crate::store::outbox::{self, Notification};
use crate::store::pauses::{self, Pause, Selector};
use crate::store::{self, alerts, cache, guard, questions};

/// A pause without an end of its own is looked at again so often; whoever ends it plans anew.
const OPEN_END: TimeDelta = TimeDelta::hours(24);

/// Drops what the guard holds for a company: its people may be taken to know, nobody tells them.
pub fn discard_held(conn: &Connection, company: i64, now: DateTime<Utc>) -> store::Result<usize> {
    discard_held_as(conn, company, None, now)
}

/// The same for one kind of notification, or for all.
pub(super) fn discard_held_as(
    conn: &Connection,
    company: i64,
    kind: Option<Kind>,
    now: DateTime<Utc>,
) -> store::Result<usize> {
    let mut dropped = 0;
    let kinds = guard::KINDS.into_iter();
    for kind in kinds.filter(|k| kind.is_none_or(|of| of == *k)) {
        let held = guard::held_ids(conn, company, kind)?;
        guard::decided(conn, company, kind, now)?;
        for id in &held {
            discard(conn, *id, now)?;
        }
        if !held.is_empty() {
            let end = End::Dropped(i64::try_from(held.len()).unwrap_or(i64::MAX));
            questions::end(conn, company, &Matter::Guard(kind), end, now)?;
        }
        dropped += held.len();
    }
    Ok(dropped)
}

/// Drops one message that waits: its person may be taken to know what it would have said. What
/// changed since it was made is told by itself when its delay ends.
pub(super) fn discard(conn: &Connection, id: i64, now: DateTime<Utc>) -> store::Result<()> {
    let Some(n) = outbox::get(conn, id)? else {
        return Ok(());
    };
    outbox::suppress(conn, id, Reason::Discarded, None)?;
    // At the command line nobody knows which channels can; in the others nothing comes of it.
    edits::refresh_copies(conn, &n, |_| true, now)?;
    // The record may have joined another visit since.
    let unit = cache::get(conn, n.company, n.record)?.map(|c| cache::unit(&c.record));
    let unit = unit.as_deref().unwrap_or(&n.unit);
    let visit = Visit::read_whole(conn, n.company, unit, &n.phone)?;
    visit.take_settled_as_known(conn, n.company)?;
    // Bookings that would have been told along with it.
    for told in outcome::told(&n)? {
        if !visit.members.iter().any(|m| m.record.id == told.record) {
            let known = Known::certain(told.state.clone());
            told.set(conn, n.company, &n.phone, &known, None)?;
        }
    }
    Ok(())
}

/// Sends a dead or uncertain notification again: where it was, or over the first of the company's
/// `channels` if it writes there no more. `false` when it is neither.
pub fn retry(
    conn: &Connection,
    n: &Notification,
    (language, channels): (Language, &[String]),
    now: DateTime<Utc>,
) -> store::Result<bool> {
    // What may have arrived is repeated to the letter: it tells nothing new. Over another channel the
    // same is said in its own markup.
    let frozen = match n.status {
        Status::Dead => false,
        Status::Uncertain => true,
        _ => return Ok(false),
    };
    let first = channels.first().filter(|_| {
        let to_client = !n.phone.is_empty() && n.kind != trial::KIND;
        to_client && !channels.contains(&n.channel)
    });
    let channel = first.unwrap_or(&n.channel);
    let opening = language.said_again();
    let to_the_letter = frozen && first.is_none() && !n.message.is_empty();
    if to_the_letter && !n.message.starts_with(opening) {
        outbox::set_message(conn, n.id, &format!("{opening}\n\n{}", n.message))?;
    }
    outbox::set_pending(conn, n.id, channel, now, None, frozen)?;
    // A person wants it sent although it is old.
    outbox::wait_for_turn(conn, n.id, now)?;
    for matter in [Matter::Uncertain(n.id), Matter::Dead(n.id)] {
        questions::end(conn, n.company, &matter, End::Again, now)?;
    }
    // If that comes to nothing, the owners hear of it once more.
    alerts::close(conn, &cause_of_doubt(n.id))?;
    alerts::close(conn, &cause_of_death(n.id))?;
    Ok(true)
}

/// A person knows that an uncertain message arrived: it was sent, and what it said is known. `false`
/// when it is not uncertain, or a later message states what it may have said.
pub(super) fn was_sent(
    conn: &Connection,
    n: &Notification,
    now: DateTime<Utc>,
) -> store::Result<bool> {
    if n.status != Status::Uncertain || n.superseded_by.is_some() {
        return Ok(false);
    }
    let at = outbox::tried_at(conn, n.id)?.unwrap_or(now);
    outbox::set_sent(conn, n.id, None, at)?;
    if n.kind == "reply" {
        outcome::note_answer(conn, n, None, at)?;
        answers::give_back(conn, n, true)?;
    }
    for told in outcome::told(n)? {
        let known = Known::certain(told.state.clone());
        // What was learned since stands.
        if told.is_in_doubt(conn, n.company, &n.phone)? {
            let told_at = outcome::is_news(n).then_some(at);
            told.set(conn, n.company, &n.phone, &known, told_at)?;
        }
    }
    alerts::close(conn, &cause_of_doubt(n.id))?;
    Ok(true)
}

/// Under this the owners were told that a send is uncertain.
pub(super) fn cause_of_doubt(id: i64) -> String {
    format!("uncertain:{id}")
}

/// Under this the owners were told that no channel took a message.
pub(super) fn cause_of_death(id: i64) -> String {
    format!("dead:{id}")
}

/// From now on nothing is sent to the clients this is about. What waits is planned anew: for a longer
/// pause that this one takes the place of it would wait too long.
pub fn pause(conn: &Connection, pause: &Pause, now: DateTime<Utc>) -> store::Result<()> {
    pauses::begin(conn, pause, now)?;
    outbox::replan(conn, now)
}

/// Ends pauses: the one about exactly this, or all. What waited is decided anew.
pub fn resume(
    conn: &Connection,
    of: Option<&Selector>,
    now: DateTime<Utc>,
) -> store::Result<usize> {
    let lifted = match of {
        Some(of) => pauses::lift(conn, of)?,
        None => pauses::lift_all(conn)?,
    };
    outbox::replan(conn, now)?;
    Ok(lifted)
}

/// Until when a message about these records waits for the end of a pause, if it does.
pub(crate) fn paused_until(
    conn: &Connection,
    company: i64,
    phone: &str,
    records: &[Record],
    now: DateTime<Utc>,
) -> store::Result<Option<DateTime<Utc>>> {
    let concerns = |of: &Selector| {
        of.company.is_none_or(|id| id == company)
            && of.phone.as_deref().is_none_or(|p| p == phone)
            && of
                .staff
                .is_none_or(|id| records.iter().any(|r| r.staff.id == id))
    };
    let running = pauses::running(conn, now)?;
    let ends = running.iter().filter(|pause| concerns(&pause.of));
    Ok(ends
        .map(|pause| pause.until.unwrap_or(now + OPEN_END))
        .max())
}
