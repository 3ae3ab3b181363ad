//! When a client is reminded of a visit, and why not after all.
//!
//! A reminder has a moment, which its visit's start gives it; it is planned when that start becomes
//! known, moves with it and dies with it. Nothing here reads a clock: a moment that lies before what
//! is now known is dropped by whoever plans.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::record::{Attendance, Record, instant};
use crate::domain::zone::Zone;

/// Who was told of a visit so shortly before its reminder needs none, however short the lead.
const LEAST_QUIET: TimeDelta = TimeDelta::hours(1);
/// A reminder earlier than this would come from another season.
const LONGEST: Duration = Duration::from_hours(24 * 30);
const MOST_DAYS: u64 = 30;

/// How far ahead of a visit its reminder goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lead {
    /// So long before it starts: `"24h"`.
    Before(Duration),
    /// At this hour of the salon's day, so many days before the visit's: `"18:00 -1d"`.
    At(NaiveTime, u64),
}

impl Lead {
    /// So long before a visit; `None` for nothing at all and for more than a month.
    #[must_use]
    pub fn before(span: Duration) -> Option<Self> {
        (!span.is_zero() && span <= LONGEST).then_some(Self::Before(span))
    }

    /// From `"18:00 -1d"`.
    #[must_use]
    pub fn at_hour(text: &str) -> Option<Self> {
        let (time, days) = text.trim().split_once(char::is_whitespace)?;
        let time = NaiveTime::parse_from_str(time, "%H:%M").ok()?;
        let days = days.trim().strip_prefix('-')?.strip_suffix('d')?;
        let digits = !days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit());
        let days: u64 = digits.then(|| days.parse().ok())??;
        (days <= MOST_DAYS).then_some(Self::At(time, days))
    }

    /// The moment of a visit's reminder.
    #[must_use]
    pub fn moment(self, start: NaiveDateTime, zone: Zone) -> DateTime<Utc> {
        match self {
            Self::Before(span) => {
                instant(start, zone) - TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX)
            }
            Self::At(time, days) => {
                let day = start.date();
                let day = day.checked_sub_days(Days::new(days)).unwrap_or(day);
                instant(day.and_time(time), zone)
            }
        }
    }
}

impl fmt::Display for Lead {
    /// The stored word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = match self {
            Self::Before(span) => span.as_secs(),
            Self::At(time, days) => return write!(f, "{} -{days}d", time.format("%H:%M")),
        };
        match seconds {
            _ if seconds.is_multiple_of(86_400) && seconds > 2 * 86_400 => {
                write!(f, "{}d", seconds / 86_400)
            }
            _ if seconds.is_multiple_of(3600) => write!(f, "{}h", seconds / 3600),
            _ if seconds.is_multiple_of(60) => write!(f, "{}m", seconds / 60),
            _ => write!(f, "{seconds}s"),
        }
    }
}

/// Whoever is told of a visit from here on needs no reminder at that moment: a quarter of the way to
/// the start, and an hour at least.
#[must_use]
pub fn told_lately_from(moment: DateTime<Utc>, start: DateTime<Utc>) -> DateTime<Utc> {
    moment - ((start - moment) / 4).max(LEAST_QUIET)
}

/// The midnight after which a reminder that might have left at this moment is no use.
#[must_use]
pub fn expires_at(moment: DateTime<Utc>, zone: Zone) -> DateTime<Utc> {
    let day = moment.with_timezone(&zone).date_naive();
    let next = day.succ_opt().unwrap_or(day);
    instant(next.and_time(NaiveTime::MIN), zone)
}

/// Why a planned reminder is not to be. The words are stored in `reminders.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// Its moment had passed when the booking, or its present start, became known.
    TooLate,
    /// The client was told of the visit shortly before.
    Told,
    /// The booking starts at another time now, or has another number.
    Moved,
    /// The booking is off.
    Off,
    /// The journal says already whether the client came.
    Attended,
    /// A later reminder names the visit.
    Superseded,
    /// Its day was over before it could be sent.
    Expired,
    /// Such reminders are switched off.
    Disabled,
    /// The journal shows no numbers at present.
    Unseen,
}

impl Dropped {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::TooLate,
        Self::Told,
        Self::Moved,
        Self::Off,
        Self::Attended,
        Self::Superseded,
        Self::Expired,
        Self::Disabled,
        Self::Unseen,
    ];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLate => "too_late",
            Self::Told => "told",
            Self::Moved => "moved",
            Self::Off => "off",
            Self::Attended => "attended",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Unseen => "unseen",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.as_str() == word)
    }

    /// Whether it comes back when the booking is again as it was.
    #[must_use]
    pub fn may_come_back(self) -> bool {
        match self {
            Self::Moved | Self::Off | Self::Attended | Self::Disabled => true,
            Self::TooLate | Self::Told | Self::Superseded | Self::Expired | Self::Unseen => false,
        }
    }
}

/// Why nobody is reminded of a booking in this state; `None`: its client expects it.
#[must_use]
pub fn unexpected(record: &Record) -> Option<Dropped> {
    if !record.is_alive() || record.is_blocked_slot() || record.is_forgotten() {
        return Some(Dropped::Off);
    }
    match record.attendance {
        Attendance::Waiting | Attendance::Confirmed => {
            record.client.is_none().then_some(Dropped::Off)
        }
        Attendance::Arrived | Attendance::NoShow => Some(Dropped::Attended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_lead_is_a_span_or_an_hour_of_a_day_before() {
        let day = Lead::before(Duration::from_hours(24)).unwrap();
        let evening = Lead::at_hour("18:00 -1d").unwrap();
        let zone = Zone::moscow();
        let start = local("2026-08-21T14:30:00");
        assert_eq!(day.moment(start, zone), at("2026-08-20T11:30:00Z"));
        assert_eq!(evening.moment(start, zone), at("2026-08-20T15:00:00Z"));
        assert_eq!([day.to_string(), evening.to_string()], ["24h", "18:00 -1d"]);
        for wrong in [
            "18:00",
            "18:00 1d",
            "18:00 -d",
            "25:00 -1d",
            "18:00 -31d",
            "-1d 18:00",
        ] {
            assert_eq!(Lead::at_hour(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_day_before_is_a_day_of_the_clock_on_the_wall_and_a_span_is_one_of_time() {
        // The night of 25 October 2026 has 25 hours in Berlin.
        let zone = "Europe/Berlin".parse::<Zone>().unwrap();
        let start = local("2026-10-25T12:00:00");
        let span = Lead::before(Duration::from_hours(24)).unwrap();
        let noon = Lead::at_hour("12:00 -1d").unwrap();
        assert_eq!(span.moment(start, zone), at("2026-10-24T11:00:00Z"));
        assert_eq!(noon.moment(start, zone), at("2026-10-24T10:00:00Z"));
        assert_eq!(
            expires_at(at("2026-10-24T11:00:00Z"), zone),
            at("2026-10-24T22:00:00Z")
        );
    }

    #[test]
    fn a_quarter_of_the_way_and_an_hour_at_least_count_as_lately() {
        let start = at("2026-08-21T12:00:00Z");
        assert_eq!(
            told_lately_from(at("2026-08-20T12:00:00Z"), start),
            at("2026-08-20T06:00:00Z")
        );
        assert_eq!(
            told_lately_from(at("2026-08-21T10:00:00Z"), start),
            at("2026-08-21T09:00:00Z")
        );
    }
}
