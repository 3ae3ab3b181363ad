//! What happens once a day at an hour of the salon's clock, and when that is.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::record::instant;
use crate::domain::zone::Zone;

/// That hour of that day. Where the clocks skip it, as long after midnight as on any other day.
#[must_use]
pub fn on(day: NaiveDate, hour: NaiveTime, zone: Zone) -> DateTime<Utc> {
    instant(day.and_time(hour), zone)
}

/// The first time that hour comes after this moment.
#[must_use]
pub fn after(moment: DateTime<Utc>, hour: NaiveTime, zone: Zone) -> DateTime<Utc> {
    let day = moment.with_timezone(&zone).date_naive();
    let days = (-1..=2).map(|n| on(day + TimeDelta::days(n), hour, zone));
    let mut later = days.filter(|at| *at > moment);
    later.next().unwrap_or(moment + TimeDelta::days(1))
}

/// The last time that hour came, this moment included.
#[must_use]
pub fn until(moment: DateTime<Utc>, hour: NaiveTime, zone: Zone) -> DateTime<Utc> {
    let day = moment.with_timezone(&zone).date_naive();
    let days = (-2..=1)
        .rev()
        .map(|n| on(day + TimeDelta::days(n), hour, zone));
    let mut earlier = days.filter(|at| *at <= moment);
    earlier.next().unwrap_or(moment - TimeDelta::days(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn berlin() -> Zone {
        "Europe/Berlin".parse().unwrap()
    }

    fn hour(text: &str) -> NaiveTime {
        text.parse().unwrap()
    }

    #[test]
    fn every_day_has_the_hour_once_also_the_days_when_clocks_change() {
        for (first, evening, night) in [
            ("2026-03-27T12:00:00Z", "21:00:00", "02:30:00"),
            ("2026-10-23T12:00:00Z", "21:00:00", "02:30:00"),
        ] {
            for at in [evening, night] {
                let mut moment = utc(first);
                let mut days = Vec::new();
                for _ in 0..5 {
                    let next = after(moment, hour(at), berlin());
                    assert_eq!(until(next, hour(at), berlin()), next);
                    let second = TimeDelta::seconds(1);
                    assert!(until(next - second, hour(at), berlin()) < next);
                    days.push(next.with_timezone(&berlin()).date_naive());
                    moment = next;
                }
                let whole: Vec<NaiveDate> = (0..5).map(|n| days[0] + TimeDelta::days(n)).collect();
                assert_eq!(days, whole, "{at}");
            }
        }
    }

    #[test]
    fn a_skipped_hour_is_not_left_out() {
        // Clocks go from 02:00 to 03:00 on that night.
        let night = after(utc("2026-03-28T12:00:00Z"), hour("02:30:00"), berlin());
        assert_eq!(night, utc("2026-03-29T01:30:00Z"));
    }
}
