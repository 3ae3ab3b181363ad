//! The guard's figures, counted at most once for each company and transaction of settling, however
//! many cancellations it brings.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::Company;
use super::poll::delta;
use crate::domain::change::Field;
use crate::domain::delivery::Status;
use crate::domain::guard::{Move, is_mass, zone_shift};
use crate::domain::policy::Kind;
use crate::domain::settle::{Form, Net};
use crate::store::companies::CompanyRow;
use crate::store::outbox::Notification;
use crate::store::{self, cache, guard};

/// Changes count by the journal's dates, and its clock may be a quarter of an hour behind ours: a
/// shorter view than this would be blind there.
const SHORTEST_WINDOW: TimeDelta = TimeDelta::minutes(30);

/// How far back the guard looks: two sweeps, and the delays after them.
pub(super) fn window(company: &Company) -> TimeDelta {
    let pace = &company.settings.pace;
    let span = delta(pace.sweep_interval + pace.notification_delay) * 2;
    span.max(SHORTEST_WINDOW)
}

/// Since when deletions count: those that a person decided about do not.
fn deletions_from(company: &Company, row: &CompanyRow, now: DateTime<Utc>) -> DateTime<Utc> {
    let from = now - window(company);
    row.guard_released_at.map_or(from, |at| at.max(from))
}

/// The same of moves.
pub(super) fn moves_from(company: &Company, row: &CompanyRow, now: DateTime<Utc>) -> DateTime<Utc> {
    let from = now - window(company);
    row.moves_released_at.map_or(from, |at| at.max(from))
}

/// Standing bookings ahead; an activity or a visit counts once, and what is no booking does not: a
/// waiting list says nothing of how many may vanish.
pub(super) fn ahead(
    conn: &Connection,
    company: &Company,
    now: DateTime<Utc>,
) -> store::Result<i64> {
    let (id, ignore) = (company.settings.id, &company.settings.rules.ignore);
    if ignore.is_empty() {
        return cache::count_ahead(conn, id, now);
    }
    let standing = cache::ahead(conn, id, now)?;
    let bookings = standing.iter().filter(|r| !ignore.covers(r));
    let once: BTreeSet<String> = bookings.map(cache::once).collect();
    Ok(i64::try_from(once.len()).unwrap_or(i64::MAX))
}

/// Bookings ahead that moved since then, without what is none.
pub(super) fn moves(
    conn: &Connection,
    company: &Company,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> store::Result<Vec<Move>> {
    let (id, ignore) = (company.settings.id, &company.settings.rules.ignore);
    let mut moves = guard::moves(conn, id, from, now)?;
    if !ignore.is_empty() && !moves.is_empty() {
        let standing = cache::ahead(conn, id, now)?.into_iter();
        let ignored: BTreeSet<i64> = standing
            .filter(|r| ignore.covers(r))
            .map(|r| r.id)
            .collect();
        moves.retain(|m| !ignored.contains(&m.record));
    }
    Ok(moves)
}

/// What the guard found in one transaction.
#[derive(Default)]
pub(super) struct Guards {
    /// By company: more vanished at once than is believed.
    vanished: BTreeMap<i64, bool>,
    /// By company: bookings that moved by what a wrong zone makes.
    shifted: BTreeMap<i64, BTreeSet<i64>>,
}

/// Where one visit is settled.
pub(super) struct At<'a> {
    pub(super) conn: &'a Connection,
    pub(super) company: &'a Company,
    pub(super) row: &'a CompanyRow,
    pub(super) now: DateTime<Utc>,
}

impl Guards {
    /// Whether this message has to wait for a person. When the guard trips, what the company has
    /// not sent of the kind waits too. `open` is what waits already of the same visit: what was
    /// held stays held, in its new words.
    pub(super) fn holds(
        &mut self,
        at: &At<'_>,
        net: &Net,
        open: &[Notification],
    ) -> store::Result<bool> {
        let kind = net.form.kind();
        let held = open
            .iter()
            .any(|n| n.status == Status::Held && n.kind == kind.as_str());
        match kind {
            Kind::Created | Kind::NoShow | Kind::Visited | Kind::Reminder => Ok(false),
            Kind::Cancelled => Ok(held | self.too_many_vanished(at)?),
            // What does not differ in its time is no matter of zones.
            Kind::Updated if net.form == Form::Updated && !net.fields.contains(&Field::Start) => {
                Ok(false)
            }
            Kind::Updated => {
                let shifted = self.shifted(at)?;
                Ok(held | net.now.iter().any(|r| shifted.contains(&r.id)))
            }
        }
    }

    fn too_many_vanished(&mut self, at: &At<'_>) -> store::Result<bool> {
        let id = at.company.settings.id;
        if let Some(known) = self.vanished.get(&id) {
            return Ok(*known);
        }
        let from = deletions_from(at.company, at.row, at.now);
        let vanished = guard::vanished(at.conn, id, from, at.now)?;
        let ahead = ahead(at.conn, at.company, at.now)? + vanished;
        let trips = is_mass(vanished, ahead, at.company.settings.rules.missing_limit);
        if trips {
            guard::hold_cancellations(at.conn, id)?;
        }
        self.vanished.insert(id, trips);
        Ok(trips)
    }

    fn shifted(&mut self, at: &At<'_>) -> store::Result<&BTreeSet<i64>> {
        let id = at.company.settings.id;
        match self.shifted.entry(id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let from = moves_from(at.company, at.row, at.now);
                let moves = moves(at.conn, at.company, from, at.now)?;
                let ahead = ahead(at.conn, at.company, at.now)?;
                let shift = zone_shift(&moves, ahead);
                let by_it = moves.iter().filter(|m| Some(m.to - m.from) == shift);
                let records: BTreeSet<i64> = by_it.map(|m| m.record).collect();
                if !records.is_empty() {
                    guard::hold_moves(at.conn, id, &records)?;
                }
                Ok(unknown.insert(records))
            }
        }
    }
}
