//! What one row of a reading means against the cache.
//!
//! Every readable row is positive evidence; absence is none. A row marked deleted proves the
//! deletion only, so what it lacks comes from the cache.

use chrono::{DateTime, TimeDelta, Utc};

use super::change::{Change, Field};
use super::known::Knowledge;
use super::record::{Attendance, Record};
use crate::domain::zone::Zone;

/// The moment before which a company's bookings are taken as known by everybody.
#[derive(Clone, Copy, Debug)]
pub struct Baseline {
    /// Server time of the first whole sweep.
    pub at: DateTime<Utc>,
    /// The company's zone.
    pub zone: Zone,
}

/// Bookings made this shortly before the baseline still count as new: the sweep takes a while, and
/// what it listed is silent anyway.
const BASELINE_GRACE: TimeDelta = TimeDelta::minutes(2);

/// What is to be done with one seen row.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Older than what we have: a stale read.
    Stale,
    /// A break or a blocked slot: nobody's booking.
    NoBooking,
    /// Nothing watched differs; the snapshot is refreshed.
    Same(Box<Record>),
    /// To be remembered without an event: its people know it already, or need not.
    Silent {
        /// What is remembered.
        record: Box<Record>,
        /// What its person may be assumed to know.
        known: Knowledge,
    },
    /// A change.
    Changed {
        /// The state before; `None` when it was not in the cache.
        before: Option<Box<Record>>,
        /// The state now.
        after: Box<Record>,
        /// What its person may be assumed to know, where the cache cannot tell.
        assumed: Option<Knowledge>,
    },
}

/// Judges one row against what the cache has of the same booking.
#[must_use]
pub fn judge(
    cached: Option<&Record>,
    seen: &Record,
    baseline: Baseline,
    now: DateTime<Utc>,
) -> Verdict {
    match cached.filter(|c| c.is_same_booking(seen)) {
        Some(cached) => against(cached, seen, baseline),
        None => first_sight(seen, baseline, now),
    }
}

fn against(cached: &Record, seen: &Record, baseline: Baseline) -> Verdict {
    if matches!((cached.changed_at, seen.changed_at), (Some(c), Some(s)) if s < c) {
        return Verdict::Stale;
    }
    let now = merged(cached, seen);
    match Change::between(Some(cached), Some(&now)) {
        None => Verdict::Same(Box::new(now)),
        Some(_) => {
            let assumed = phone_came_to_light(cached, &now, baseline).then(|| Knowledge::of(&now));
            Verdict::Changed {
                before: Some(Box::new(cached.clone())),
                after: Box::new(now),
                assumed,
            }
        }
    }
}

/// A number that appears in a booking of the baseline whose change date has not moved since then was
/// there all along: the rights to see it came, and nobody is told of hundreds of old bookings.
fn phone_came_to_light(cached: &Record, now: &Record, baseline: Baseline) -> bool {
    let old = cached
        .created_at
        .is_none_or(|at| at < baseline.at - BASELINE_GRACE);
    let client = |r: &Record| r.client.as_ref().map(|c| c.id);
    let same = client(cached).is_none_or(|had| Some(had) == client(now));
    // While numbers are not shown, a number that is typed in moves nothing but the change date.
    let untouched =
        cached.changed_at == now.changed_at && cached.changed_at.is_none_or(|at| at < baseline.at);
    old && same && untouched && cached.phone().is_none() && now.phone().is_some()
}

/// The row as it is to be believed: with what it may have left out taken from the cache.
fn merged(cached: &Record, seen: &Record) -> Record {
    if seen.deleted {
        // "Did not come" may be all that the deletion is made of; else it says nothing of that.
        let attendance = match seen.attendance {
            Attendance::NoShow => Attendance::NoShow,
            _ => cached.attendance,
        };
        return Record {
            deleted: true,
            attendance,
            changed_at: seen.changed_at.or(cached.changed_at),
            ..cached.clone()
        };
    }
    // The same booking (the caller has seen to that), so a date left out is the one we have.
    let mut now = Record {
        created_at: cached.created_at,
        ..seen.clone()
    };
    match (&cached.client, &mut now.client) {
        // A client that disappears is a matter of rights more often than of fact.
        (Some(had), None) => now.client = Some(had.clone()),
        (Some(had), Some(has))
            if had.id == has.id
                && had.phone.is_some()
                && has.phone.is_none()
                && has.refused_phone.is_none() =>
        {
            has.phone = had.phone.clone();
        }
        _ => {}
    }
    // A row without a master names no other one.
    if now.staff.id == 0 {
        now.staff = cached.staff.clone();
    }
    now
}

fn first_sight(seen: &Record, baseline: Baseline, now: DateTime<Utc>) -> Verdict {
    if seen.is_blocked_slot() {
        return Verdict::NoBooking;
    }
    let record = || Box::new(seen.clone());
    let ahead = seen.start_at(baseline.zone) > now;
    let is_new = seen
        .created_at
        .is_some_and(|c| c >= baseline.at - BASELINE_GRACE);
    let touched = seen.changed_at.is_some_and(|c| c > baseline.at);
    let as_it_was = || Record {
        deleted: false,
        ..seen.clone()
    };
    match (is_new, seen.deleted) {
        // Came and went between two looks.
        (true, true) => Verdict::Silent {
            record: record(),
            known: Knowledge::Nothing,
        },
        (true, false) => Verdict::Changed {
            before: None,
            after: record(),
            assumed: None,
        },
        (false, true) if touched && ahead => Verdict::Changed {
            before: Some(Box::new(as_it_was())),
            after: record(),
            assumed: Some(Knowledge::of(&as_it_was())),
        },
        (false, true) => Verdict::Silent {
            record: record(),
            known: Knowledge::of(seen),
        },
        // Changed since the baseline, though its past is unknown.
        (false, false) if touched && ahead => Verdict::Changed {
            before: None,
            after: record(),
            assumed: Some(Knowledge::Unseen),
        },
        (false, false) => Verdict::Silent {
            record: record(),
            known: Knowledge::of(seen),
        },
    }
}

/// Whether a change is one that people may be told of, so that the delay starts anew.
#[must_use]
pub fn restarts_delay(before: Option<&Record>, after: &Record) -> bool {
    Change::between(before, Some(after)).is_some_and(|change| {
        change.kind() != super::change::ChangeKind::Updated
            || change
                .fields()
                .iter()
                .any(|f| !matches!(f, Field::Comment | Field::Labels))
    })
}
