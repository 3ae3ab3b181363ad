//! Quiet hours of a company: a message waits for their end, unless the visit is too near.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::Company;
use crate::domain::record::{Record, instant};
use crate::domain::settle::{Form, Net};
use crate::domain::zone::Zone;

/// Quiet hours give way when they would end later than this before the visit.
const QUIET_MARGIN: TimeDelta = TimeDelta::hours(1);

/// An online booking made this recently is confirmed at once: its author is awake.
const AUTHOR_AWAKE: TimeDelta = TimeDelta::minutes(15);

/// Until when this message waits for the end of the company's quiet hours, if it does. The visit that it
/// has to come before is also the one that its client `expected`.
pub(super) fn hold_until(
    company: &Company,
    zone: Zone,
    net: &Net,
    expected: &[Record],
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let recent = |r: &Record| r.created_at.is_some_and(|at| now - at <= AUTHOR_AWAKE);
    if net.form == Form::Created && net.now.iter().all(|r| r.online && recent(r)) {
        return None;
    }
    let awaited = expected.iter().filter(|r| r.start_at(zone) > now);
    let start = net.now.iter().chain(awaited).map(|r| r.start_at(zone));
    let start = start.min();
    quiet_at(company, zone, now, start)
}

/// The same for what is no change: until when quiet hours keep a message back that might leave at
/// this moment; `start` where it has to come before a visit.
pub(super) fn quiet_at(
    company: &Company,
    zone: Zone,
    moment: DateTime<Utc>,
    start: Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    quiet_until(company.settings.quiet_hours, zone, moment, start)
}

/// Whether quiet hours run at that time of the day.
pub(crate) fn covers((from, to): (NaiveTime, NaiveTime), time: NaiveTime) -> bool {
    if from <= to {
        from <= time && time < to
    } else {
        time >= from || time < to
    }
}

/// The end of quiet hours, when they are running and leave enough time before the visit.
fn quiet_until(
    hours: Option<(NaiveTime, NaiveTime)>,
    zone: Zone,
    now: DateTime<Utc>,
    start: Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    let (from, to) = hours?;
    let local = now.with_timezone(&zone).naive_local();
    let (time, today) = (local.time(), local.date());
    if !covers((from, to), time) {
        return None;
    }
    let day = if time < to { today } else { today.succ_opt()? };
    let end = instant(day.and_time(to), zone);
    start
        .is_none_or(|start| end + QUIET_MARGIN <= start)
        .then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn quiet_hours_end_in_the_morning_unless_the_visit_is_too_near() {
        let hours = Some((
            NaiveTime::from_hms_opt(21, 30, 0).unwrap(),
            NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
        ));
        let zone = Zone::moscow();
        let until = |now: &str, start: &str| quiet_until(hours, zone, at(now), Some(at(start)));
        // 22:00 in Moscow, the visit at noon: nine in the morning is early enough.
        assert_eq!(
            until("2026-08-20T19:00:00Z", "2026-08-21T09:00:00Z"),
            Some(at("2026-08-21T06:00:00Z"))
        );
        // 05:00 in Moscow, the visit at half past nine: it cannot wait.
        assert_eq!(until("2026-08-21T02:00:00Z", "2026-08-21T06:30:00Z"), None);
        // Noon is not quiet.
        assert_eq!(until("2026-08-21T09:00:00Z", "2026-08-22T09:00:00Z"), None);
    }
}
