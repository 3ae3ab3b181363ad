//! What a person decides about messages, at the command line or in the owner's chat: let go, drop,
//! send again, pause. A running daemon notices within seconds.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::visit::Visit;
use crate::domain::delivery::Status;
use crate::domain::policy::Reason;
use crate::domain::record::Record;
use crate::store::outbox::{self, Notification};
use crate::store::pauses::{self, Pause, Selector};
use crate::store::{self, companies, guard};

/// A pause without an end of its own is looked at again so often; whoever ends it plans anew.
const OPEN_END: TimeDelta = TimeDelta::hours(24);

/// Drops what the guard holds for a company: its people may be taken to know, nobody tells them.
pub fn discard_held(conn: &Connection, company: i64, now: DateTime<Utc>) -> store::Result<usize> {
    let held = guard::held_ids(conn, company)?;
    for id in &held {
        let Some(n) = outbox::get(conn, *id)? else {
            continue;
        };
        outbox::suppress(conn, *id, Reason::Discarded, None)?;
        Visit::read(conn, company, &n.unit, &n.phone)?.take_as_known(conn, company)?;
    }
    companies::release_guard(conn, company, now)?;
    Ok(held.len())
}

/// Sends a dead or uncertain notification again. `false` when it is neither.
pub fn retry(conn: &Connection, n: &Notification, now: DateTime<Utc>) -> store::Result<bool> {
    // What may have arrived is repeated to the letter: it tells nothing new.
    let frozen = match n.status {
        Status::Dead => false,
        Status::Uncertain => true,
        _ => return Ok(false),
    };
    outbox::set_pending(conn, n.id, &n.channel, now, None, frozen)?;
    Ok(true)
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
pub(super) fn paused_until(
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
