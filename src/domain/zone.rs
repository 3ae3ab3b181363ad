//! Time zones by their IANA names, for chrono. Their rules are built in, packed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use chrono::{
    Datelike, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone,
    Timelike,
};
use jiff::tz::{AmbiguousOffset, TimeZoneDatabase};

/// A time zone. There are some 600, and those asked for are kept for good.
#[derive(Clone, Copy)]
pub struct Zone(&'static Rules);

struct Rules {
    name: &'static str,
    rules: jiff::tz::TimeZone,
}

static UTC: Rules = Rules {
    name: "UTC",
    rules: jiff::tz::TimeZone::UTC,
};

/// What a clock is said to show that nobody has set yet.
const NO_ZONE: &str = "Factory";

/// The zones asked for so far.
static KNOWN: Mutex<BTreeMap<&'static str, Zone>> = Mutex::new(BTreeMap::new());

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(&UTC);

    /// Moscow's: where what is invented for people to look at takes place.
    #[must_use]
    pub fn moscow() -> Self {
        "Europe/Moscow".parse().unwrap_or(Self::UTC)
    }

    /// Its IANA name: `Europe/Moscow`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The names of all zones.
    #[must_use]
    pub fn names() -> Vec<String> {
        let all = TimeZoneDatabase::bundled();
        let names = all.available().map(|name| name.to_string());
        names.filter(|name| name != NO_ZONE).collect()
    }

    fn local(self, offset: jiff::tz::Offset) -> LocalOffset {
        // Below a day everywhere, which is all that chrono asks for.
        let fixed = FixedOffset::east_opt(offset.seconds()).unwrap_or_else(|| chrono::Utc.fix());
        LocalOffset { zone: self, fixed }
    }
}

/// There is no zone of this name.
#[derive(Debug, thiserror::Error)]
#[error("no such time zone")]
pub struct UnknownZone;

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = known.get(name) {
            return Ok(*zone);
        }
        let all = TimeZoneDatabase::bundled();
        let rules = all.get(name).map_err(|_| UnknownZone)?;
        let is_meant = |found: &&str| *found == name && *found != NO_ZONE;
        let Some(name) = rules.iana_name().filter(is_meant) else {
            return Err(UnknownZone);
        };
        let name: &'static str = Box::leak(Box::from(name));
        let zone = Self(Box::leak(Box::new(Rules { name, rules })));
        known.insert(name, zone);
        Ok(zone)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a zone's clocks show beside UTC at some moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LocalOffset {
    zone: Zone,
    fixed: FixedOffset,
}

impl Offset for LocalOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

impl fmt::Debug for LocalOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.fixed, f)
    }
}

impl fmt::Display for LocalOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.fixed, f)
    }
}

/// The same day and time in the other library's words; the end of its calendar for what lies past it.
fn civil(local: &NaiveDateTime) -> jiff::civil::DateTime {
    let part = |number: u32| i8::try_from(number).unwrap_or_default();
    i16::try_from(local.year())
        .ok()
        .and_then(|year| {
            let (month, day) = (part(local.month()), part(local.day()));
            let (hour, minute) = (part(local.hour()), part(local.minute()));
            jiff::civil::DateTime::new(year, month, day, hour, minute, part(local.second()), 0).ok()
        })
        .unwrap_or(match local.year() > 0 {
            true => jiff::civil::DateTime::MAX,
            false => jiff::civil::DateTime::MIN,
        })
}

impl TimeZone for Zone {
    type Offset = LocalOffset;

    fn from_offset(offset: &LocalOffset) -> Self {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<LocalOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<LocalOffset> {
        match self.0.rules.to_ambiguous_timestamp(civil(local)).offset() {
            AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(self.local(offset)),
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            AmbiguousOffset::Fold { before, after } => {
                MappedLocalTime::Ambiguous(self.local(before), self.local(after))
            }
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> LocalOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> LocalOffset {
        let seconds = utc.and_utc().timestamp();
        let at = jiff::Timestamp::from_second(seconds).unwrap_or(match seconds > 0 {
            true => jiff::Timestamp::MAX,
            false => jiff::Timestamp::MIN,
        });
        self.local(self.0.rules.to_offset(at))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn berlin() -> Zone {
        "Europe/Berlin".parse().unwrap()
    }

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn clocks_show_what_they_show_there_in_summer_and_in_winter() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let here = |text: &str| at(text).with_timezone(&berlin()).to_rfc3339();
        assert_eq!(here("2026-07-01T12:00:00Z"), "2026-07-01T14:00:00+02:00");
        assert_eq!(here("2026-12-01T12:00:00Z"), "2026-12-01T13:00:00+01:00");
        let later = at("2061-07-01T12:00:00Z").with_timezone(&berlin());
        assert_eq!(later.to_rfc3339(), "2061-07-01T14:00:00+02:00");
    }

    #[test]
    fn an_hour_that_clocks_leave_out_is_none_and_one_that_they_show_twice_is_two() {
        let moments = |text: &str| {
            let found = berlin().from_local_datetime(&local(text));
            let both = [found.earliest(), found.latest()];
            both.map(|at| at.map(|at| at.to_utc().to_rfc3339()))
        };
        assert_eq!(moments("2026-03-29T02:30:00"), [None, None]);
        let twice = ["2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"];
        assert_eq!(
            moments("2026-10-25T02:30:00"),
            twice.map(|at| Some(at.to_owned()))
        );
        let once = Some("2026-10-25T02:30:00+00:00".to_owned());
        assert_eq!(moments("2026-10-25T03:30:00"), [once.clone(), once]);
    }

    #[test]
    fn a_year_that_no_calendar_has_is_no_harm() {
        for text in ["+260000-01-01T00:00:00", "-260000-12-31T23:59:59"] {
            let found = Zone::moscow().from_local_datetime(&local(text));
            assert!(found.single().is_some(), "{text}");
            let there = Zone::moscow().from_utc_datetime(&local(text));
            assert_eq!(there.timezone(), Zone::moscow());
        }
    }

    #[test]
    fn a_zone_goes_by_its_whole_name() {
        for name in Zone::names() {
            assert_eq!(name.parse::<Zone>().unwrap().name(), name);
        }
        for name in [
            "europe/moscow",
            "Moscow",
            "",
            "MSK-3",
            "Europe/Moscow ",
            "Factory",
        ] {
            assert!(name.parse::<Zone>().is_err(), "{name}");
        }
    }
}
