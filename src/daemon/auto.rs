//! `interval = "auto"`: whose turn comes how soon.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use tokio::time::Instant;

use crate::domain::budget::Liveliness;
use crate::domain::zone::Zone;

/// A journal that changed this lately is busy.
const BUSY_FOR: Duration = Duration::from_mins(15);
/// Hours of the salon's day in which somebody is at the desk.
const OPEN: std::ops::Range<u32> = 8..22;

/// The salons whose interval is left to the program, as they were at their last polls.
#[derive(Debug, Default)]
pub(super) struct Autos {
    weights: BTreeMap<i64, f64>,
    changed_at: BTreeMap<i64, Instant>,
}

impl Autos {
    /// Something changed in this journal.
    pub(super) fn changed(&mut self, id: i64) {
        self.changed_at.insert(id, Instant::now());
    }

    /// How long this company waits, where `average` is what the budget allows all of them.
    pub(super) fn interval(
        &mut self,
        id: i64,
        zone: Option<Zone>,
        average: Duration,
        now: DateTime<Utc>,
    ) -> Duration {
        let hour = zone.map(|zone| now.with_timezone(&zone).hour());
        let changed_at = self.changed_at.get(&id);
        let liveliness = Liveliness {
            is_open: hour.is_none_or(|hour| OPEN.contains(&hour)),
            is_busy: changed_at.is_some_and(|at| at.elapsed() < BUSY_FOR),
        };
        self.weights.insert(id, liveliness.weight());
        let mean = self.weights.values().sum::<f64>() / self.weights.len() as f64;
        liveliness.interval(average, mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVERAGE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_sleeping_salon_gives_way_to_an_open_one_and_that_to_a_busy_one() {
        let noon: DateTime<Utc> = "2026-08-05T11:00:00Z".parse().unwrap();
        let (moscow, kamchatka) = (Zone::moscow(), "Asia/Kamchatka".parse::<Zone>().unwrap());
        let mut autos = Autos::default();
        autos.changed(2);
        let mut round = || {
            let of = |autos: &mut Autos, id, zone| autos.interval(id, Some(zone), AVERAGE, noon);
            // It is 23 hours in Kamchatka.
            let asleep = of(&mut autos, 1, kamchatka);
            let busy = of(&mut autos, 2, moscow);
            let open = of(&mut autos, 3, moscow);
            (asleep, open, busy)
        };
        round();
        let (asleep, open, busy) = round();
        assert!(busy < open && open < asleep, "{busy:?} {open:?} {asleep:?}");
        let rate = |wait: Duration| 1.0 / wait.as_secs_f64();
        let all = rate(asleep) + rate(open) + rate(busy);
        assert!((all - 3.0 * rate(AVERAGE)).abs() < 1e-6, "{all}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_salon_alone_is_polled_as_the_budget_allows_at_any_hour() {
        let night: DateTime<Utc> = "2026-08-05T23:00:00Z".parse().unwrap();
        let zone = Some(Zone::moscow());
        let second = Duration::from_secs(1);
        assert_eq!(Autos::default().interval(1, zone, second, night), second);
    }
}
