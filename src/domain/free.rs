//! Free times: what is asked for, and which of what there is are worth offering.

use chrono::{NaiveDateTime, TimeDelta};

use super::record::Record;

/// Two offers of one day are at least this far apart: a quarter of an hour later is no choice.
const APART: TimeDelta = TimeDelta::hours(2);
/// So many offers of one day.
const A_DAY: usize = 2;

/// What somebody would book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// With this master; `None` with any.
    pub staff: Option<i64>,
    /// All of these, by id.
    pub services: Vec<i64>,
}

impl Wanted {
    /// What the client of a visit would book again; `None` for a class, which is no free time, and
    /// where no service is named.
    #[must_use]
    pub fn again(records: &[Record]) -> Option<Self> {
        if records.iter().any(|r| r.activity_id != 0) {
            return None;
        }
        let mut services: Vec<i64> = Vec::new();
        for line in records.iter().flat_map(|r| &r.services) {
            if line.id != 0 && !services.contains(&line.id) {
                services.push(line.id);
            }
        }
        let staff = records.first()?.staff.id;
        let is_one = staff != 0 && records.iter().all(|r| r.staff.id == staff);
        (!services.is_empty()).then_some(Self {
            staff: is_one.then_some(staff),
            services,
        })
    }
}

/// At most so many of these times to offer: ahead of `now`, not the one that has just been given up,
/// and far enough apart to be a choice.
#[must_use]
pub fn offered(
    times: &[NaiveDateTime],
    given_up: &[NaiveDateTime],
    now: NaiveDateTime,
    most: usize,
) -> Vec<NaiveDateTime> {
    let mut times: Vec<NaiveDateTime> = times.to_vec();
    times.sort_unstable();
    let mut offered: Vec<NaiveDateTime> = Vec::new();
    for at in times {
        let same_day = offered.iter().filter(|o| o.date() == at.date());
        let crowded =
            same_day.clone().count() >= A_DAY || same_day.clone().any(|o| at - *o < APART);
        if at > now && !given_up.contains(&at) && !crowded && offered.len() < most {
            offered.push(at);
        }
    }
    offered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn offers_lie_ahead_and_apart_and_are_not_what_was_given_up() {
        let times = [
            at("2026-08-23T11:00:00"),
            at("2026-08-22T11:00:00"),
            at("2026-08-22T12:00:00"),
            at("2026-08-22T12:15:00"),
            at("2026-08-22T14:30:00"),
            at("2026-08-22T18:00:00"),
        ];
        let now = at("2026-08-22T11:30:00");
        let all = offered(&times, &[], now, 9);
        assert_eq!(all, [times[2], times[4], times[0]]);
        assert_eq!(offered(&times, &[], now, 1), [times[2]]);
        let other = offered(&times, &[times[2]], now, 9);
        assert_eq!(other, [times[3], times[4], times[0]]);
        assert_eq!(offered(&times, &[], now, 0), []);
    }
}
