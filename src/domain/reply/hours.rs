//! The hours in which somebody answers: how far away so much open time is.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::domain::record::instant;
use crate::domain::zone::Zone;

/// Where neither the salon nor its company says.
pub const USUAL: (NaiveTime, NaiveTime) = (
    NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
    NaiveTime::from_hms_opt(21, 0, 0).unwrap(),
);

/// The hours that a text names, such as «Пн–Вс: 10:00 – 21:00», if it names no others.
#[must_use]
pub fn named_in(text: &str) -> Option<(NaiveTime, NaiveTime)> {
    let is_part = |c: char| c.is_ascii_digit() || c == ':';
    let times: Vec<NaiveTime> = text
        .split(|c: char| !is_part(c))
        .filter(|part| part.contains(':'))
        .filter_map(|part| NaiveTime::parse_from_str(part.trim_matches(':'), "%H:%M").ok())
        .collect();
    let (pairs, odd) = times.as_chunks::<2>();
    let first = pairs.first().filter(|_| odd.is_empty())?;
    let same = pairs.iter().all(|pair| pair == first);
    (same && first[0] != first[1]).then_some((first[0], first[1]))
}

/// The moment at which so much time has passed in opening hours. Hours whose end is not after their
/// beginning go past midnight.
#[must_use]
pub fn after(
    span: TimeDelta,
    from: DateTime<Utc>,
    (opens, closes): (NaiveTime, NaiveTime),
    zone: Zone,
) -> DateTime<Utc> {
    let mut left = span;
    let today = from.with_timezone(&zone).date_naive();
    // Yesterday's evening may last until now. Nobody waits for a year.
    let first = today.pred_opt().unwrap_or(today);
    for day in first.iter_days().take(400) {
        let (opens_at, closes_at) = open(day, (opens, closes), zone);
        let start = opens_at.max(from);
        let room = closes_at - start;
        if room <= TimeDelta::zero() {
            continue;
        }
        if left <= room {
            return start + left;
        }
        left -= room;
    }
    from + span
}

fn open(
    day: NaiveDate,
    (opens, closes): (NaiveTime, NaiveTime),
    zone: Zone,
) -> (DateTime<Utc>, DateTime<Utc>) {
    let last = match closes > opens {
        true => day,
        false => day.checked_add_days(Days::new(1)).unwrap_or(day),
    };
    (
        instant(day.and_time(opens), zone),
        instant(last.and_time(closes), zone),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn only_open_time_counts() {
        let quarter = TimeDelta::minutes(15);
        let zone = Zone::moscow();
        let hours = (
            NaiveTime::from_hms_opt(10, 0, 0).unwrap(),
            NaiveTime::from_hms_opt(21, 0, 0).unwrap(),
        );
        for (from, until) in [
            // Noon: a quarter of an hour later.
            ("2026-08-20T09:00:00Z", "2026-08-20T09:15:00Z"),
            // 20:55: five minutes today, ten tomorrow.
            ("2026-08-20T17:55:00Z", "2026-08-21T07:10:00Z"),
            // At night: after the doors open.
            ("2026-08-20T22:00:00Z", "2026-08-21T07:15:00Z"),
        ] {
            assert_eq!(after(quarter, at(from), hours, zone), at(until), "{from}");
        }
    }

    #[test]
    fn hours_are_taken_from_a_text_that_names_one_pair() {
        let hours = |a: u32, b: u32| {
            let at = |h| NaiveTime::from_hms_opt(h, 0, 0).unwrap();
            Some((at(a), at(b)))
        };
        assert_eq!(named_in("10:00-21:00"), hours(10, 21));
        assert_eq!(named_in("Пн–Вс: 10:00 – 21:00"), hours(10, 21));
        assert_eq!(named_in("Пн-Пт 9:00-20:00, Сб 09:00-20:00"), hours(9, 20));
        for text in [
            "",
            "ежедневно",
            "Пн-Пт 10:00-21:00, Сб 11:00-19:00",
            "с 10:00",
            "25:00-26:00",
        ] {
            assert_eq!(named_in(text), None, "{text}");
        }
    }

    #[test]
    fn an_evening_may_go_past_midnight() {
        let hours = (
            NaiveTime::from_hms_opt(18, 0, 0).unwrap(),
            NaiveTime::from_hms_opt(2, 0, 0).unwrap(),
        );
        let until = after(
            TimeDelta::minutes(15),
            at("2026-08-20T22:30:00Z"),
            hours,
            Zone::moscow(),
        );
        assert_eq!(until, at("2026-08-20T22:45:00Z"));
    }
}
