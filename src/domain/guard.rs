//! The guard against mass change, pure: what is too much at once to be believed without a person.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// Bookings that change at once and are always believed, whatever share of all they are.
const ALWAYS_BELIEVED: f64 = 5.0;
/// Fewer bookings that moved by one same shift are no wrong zone.
const LEAST_OF_SHIFT: usize = 6;
/// Zones differ by quarters of an hour.
const ZONE_STEP_MINUTES: i64 = 15;
/// No two zones in use by salons are further apart.
const WIDEST_SHIFT: TimeDelta = TimeDelta::hours(14);

/// Whether so many of all known bookings ahead are a mass change; the limit is in percent.
#[must_use]
pub fn is_mass(changed: i64, ahead: i64, missing_limit: f64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "bookings are far below 2^53")]
    let (changed, ahead) = (changed as f64, ahead as f64);
    changed > (ahead * missing_limit / 100.0).max(ALWAYS_BELIEVED)
}

/// A booking of which the start changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The record.
    pub record: i64,
    /// The activity or visit that it belongs to: those count once.
    pub once: String,
    /// The start before.
    pub from: NaiveDateTime,
    /// The start now.
    pub to: NaiveDateTime,
    /// When the journal dates it, where it does.
    pub changed_at: Option<DateTime<Utc>>,
}

impl Move {
    fn shift(&self) -> TimeDelta {
        self.to - self.from
    }
}

/// How many activities and visits moved since then, as the journal dates it: what was moved one by
/// one while nobody looked is no mass change.
#[must_use]
pub fn moved(moves: &[Move], since: DateTime<Utc>) -> i64 {
    let lately = |m: &&Move| m.changed_at.is_none_or(|at| at > since);
    let lately = moves.iter().filter(lately);
    let mut once: Vec<&str> = lately.map(|m| m.once.as_str()).collect();
    once.sort_unstable();
    once.dedup();
    i64::try_from(once.len()).unwrap_or(i64::MAX)
}

/// The one shift by which nearly all of the known bookings ahead moved, if a wrong zone could make
/// it. A master's day put an hour later is not nearly all.
#[must_use]
pub fn zone_shift(moves: &[Move], ahead: i64) -> Option<TimeDelta> {
    let mut by_shift: BTreeMap<TimeDelta, Vec<&str>> = BTreeMap::new();
    for m in moves {
        by_shift.entry(m.shift()).or_default().push(&m.once);
    }
    let counted = by_shift.into_iter().map(|(shift, mut once)| {
        once.sort_unstable();
        once.dedup();
        (once.len(), shift)
    });
    let (count, shift) = counted.max_by_key(|(count, _)| *count)?;
    let of_a_zone = !shift.is_zero()
        && shift.abs() <= WIDEST_SHIFT
        && shift.num_seconds() % (ZONE_STEP_MINUTES * 60) == 0;
    let nearly_all =
        count >= LEAST_OF_SHIFT && i64::try_from(count).is_ok_and(|n| n * 5 >= ahead * 4);
    (of_a_zone && nearly_all).then_some(shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(count: usize, minutes: i64) -> Vec<Move> {
        let from: NaiveDateTime = "2026-08-21T14:30:00".parse().unwrap();
        (0..count)
            .map(|n| Move {
                record: n as i64,
                once: format!("v{n}"),
                from,
                to: from + TimeDelta::minutes(minutes),
                changed_at: None,
            })
            .collect()
    }

    #[test]
    fn six_of_six_and_eight_of_ten_are_nearly_all_and_seven_of_ten_are_not() {
        let shift = |count, ahead| zone_shift(&moves(count, 180), ahead).is_some();
        assert!(shift(6, 6) && shift(8, 10));
        assert!(!shift(5, 5) && !shift(7, 10));
    }

    #[test]
    fn only_what_a_zone_could_make_is_a_shift() {
        let shift = |minutes| zone_shift(&moves(6, minutes), 6).map(|s| s.num_minutes());
        assert_eq!(shift(-60), Some(-60));
        assert_eq!(shift(345), Some(345));
        assert_eq!(shift(14 * 60), Some(14 * 60));
        assert_eq!(shift(14 * 60 + 15), None);
        assert_eq!(shift(10), None);
        assert_eq!(shift(0), None);
    }

    #[test]
    fn the_places_of_one_class_are_one_booking() {
        let mut class = moves(8, 60);
        for m in &mut class {
            m.once = "a7".into();
        }
        assert_eq!(zone_shift(&class, 1), None);
        assert_eq!(moved(&class, DateTime::UNIX_EPOCH), 1);
    }

    #[test]
    fn five_are_always_believed_and_more_only_below_the_limit() {
        assert!(!is_mass(5, 5, 20.0) && is_mass(6, 10, 20.0));
        assert!(!is_mass(20, 100, 20.0) && is_mass(21, 100, 20.0));
    }
}
