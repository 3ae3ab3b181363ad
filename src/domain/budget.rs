//! What the polls and comparisons of all companies ask of the API, against what it allows.
//!
//! The API counts requests per address, so everything that is watched shares one budget. Where it is
//! short, comparisons get at most a quarter of it and every company is polled less often, all by the
//! same factor; where intervals are left to the program, they are as short as the budget allows.

use std::time::Duration;

/// Requests of a comparison that was never made: a salon of 300 bookings with pages of 200.
const USUAL_SWEEP: u32 = 2;
/// The share of all requests that comparisons may take when they are short.
const SWEEPS_AT_MOST: f64 = 0.25;
/// The shortest interval that is chosen by itself; the API's own resolution.
const SHORTEST: Duration = Duration::from_secs(1);

/// What one company asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// How often it is polled.
    pub polls: Polls,
    /// Between two comparisons.
    pub sweep_interval: Duration,
    /// Requests of the last comparison; `None` when there was none.
    pub sweep_requests: Option<u32>,
}

/// How often a company is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polls {
    /// At this interval.
    Every(Duration),
    /// As often as the budget allows.
    Auto,
    /// When a calendar says so, which is not counted.
    ByCalendar,
}

/// All demands against the budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What the API may be asked in a minute, for good.
    pub allowed: f64,
    /// Polls that are asked for in a minute.
    pub polls: f64,
    /// Requests of comparisons that are asked for in a minute.
    pub sweeps: f64,
    /// The interval of companies that leave it to the program.
    pub auto: Duration,
    /// By this factor intervals are longer than asked for; 1 where the budget suffices.
    pub stretch: f64,
}

impl Plan {
    /// Plans `demands` within `allowed` requests a minute.
    #[must_use]
    pub fn of(demands: &[Demand], allowed: f64) -> Self {
        let sweeps: f64 = demands.iter().map(Demand::sweeps).sum();
        let for_sweeps = sweeps.min(allowed * SWEEPS_AT_MOST);
        let for_polls = allowed - for_sweeps;
        let fixed: f64 = demands.iter().map(|d| per_minute(d.polls)).sum();
        let autos = demands.iter().filter(|d| d.polls == Polls::Auto).count() as f64;
        // A quarter is theirs even where fixed intervals ask for everything.
        let for_autos = (for_polls - fixed).max(for_polls / 4.0);
        let auto = Duration::from_secs_f64(60.0 * autos / for_autos.max(0.1)).max(SHORTEST);
        let polls = fixed + 60.0 * autos / auto.as_secs_f64();
        Self {
            allowed,
            polls,
            sweeps,
            auto,
            stretch: (polls / for_polls).max(1.0),
        }
    }

    /// Whether everything that is asked for can be had.
    #[must_use]
    pub fn suffices(&self) -> bool {
        self.stretch <= 1.0 && self.polls + self.sweeps <= self.allowed
    }

    /// How often a company is really polled, about; `None` by a calendar.
    #[must_use]
    pub fn interval(&self, polls: Polls) -> Option<Duration> {
        match polls {
            Polls::Every(interval) => Some(interval.mul_f64(self.stretch)),
            Polls::Auto => Some(self.auto.mul_f64(self.stretch)),
            Polls::ByCalendar => None,
        }
    }

    /// What this company really asks in a minute, about.
    #[must_use]
    pub fn share(&self, demand: &Demand) -> f64 {
        let squeezed =
            (self.allowed * SWEEPS_AT_MOST / self.sweeps.max(f64::MIN_POSITIVE)).min(1.0);
        let polls = self.interval(demand.polls).map_or(0.0, rate);
        let short = self.polls + self.sweeps > self.allowed;
        polls + demand.sweeps() * if short { squeezed } else { 1.0 }
    }
}

impl Demand {
    fn sweeps(&self) -> f64 {
        let requests = f64::from(self.sweep_requests.unwrap_or(USUAL_SWEEP).max(1));
        requests * rate(self.sweep_interval)
    }
}

fn per_minute(polls: Polls) -> f64 {
    match polls {
        Polls::Every(interval) => rate(interval),
        Polls::Auto | Polls::ByCalendar => 0.0,
    }
}

fn rate(interval: Duration) -> f64 {
    60.0 / interval.as_secs_f64().max(0.001)
}

/// How a company whose interval is left to the program stands among the others of its kind: an open
/// or busy salon is looked at more often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveliness {
    /// People are at the desk.
    pub is_open: bool,
    /// Something changed in the journal a short while ago.
    pub is_busy: bool,
}

impl Liveliness {
    /// How many times as often as a sleeping salon.
    #[must_use]
    pub fn weight(self) -> f64 {
        (if self.is_open { 3.0 } else { 1.0 }) * (if self.is_busy { 2.0 } else { 1.0 })
    }

    /// The interval of a company of this weight where the plan's average is `auto` and the average
    /// weight is `mean`.
    #[must_use]
    pub fn interval(self, auto: Duration, mean: f64) -> Duration {
        auto.mul_f64(mean / self.weight()).max(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default budget, 180 a minute, as the limiter keeps it for good.
    const DEFAULT: f64 = 171.4;

    fn salons(count: usize, polls: Polls) -> Vec<Demand> {
        let demand = Demand {
            polls,
            sweep_interval: Duration::from_mins(15),
            sweep_requests: None,
        };
        vec![demand; count]
    }

    fn every(seconds: u64) -> Polls {
        Polls::Every(Duration::from_secs(seconds))
    }

    #[test]
    fn a_hundred_and_fifty_salons_fit_at_a_minute_and_two_hundred_at_eighty_seconds() {
        assert!(Plan::of(&salons(150, every(60)), DEFAULT).suffices());
        let plan = Plan::of(&salons(200, every(60)), DEFAULT);
        assert!(!plan.suffices());
        let real = plan.interval(every(60)).unwrap().as_secs_f64();
        assert!((78.0..85.0).contains(&real), "{real}");
    }

    #[test]
    fn a_single_salon_left_to_the_program_is_seen_within_three_seconds_at_half_of_the_limit() {
        let demands = salons(1, Polls::Auto);
        let plan = Plan::of(&demands, DEFAULT);
        assert!(plan.auto <= Duration::from_secs(3), "{:?}", plan.auto);
        assert!(plan.share(&demands[0]) <= 100.0, "{plan:?}");
    }

    #[test]
    fn whatever_is_asked_for_the_shares_stay_within_the_budget() {
        for count in [1, 2, 10, 150, 151, 200, 1000] {
            for polls in [every(1), every(60), every(3600), Polls::Auto] {
                let demands = salons(count, polls);
                let plan = Plan::of(&demands, DEFAULT);
                let all: f64 = demands.iter().map(|d| plan.share(d)).sum();
                assert!(all <= DEFAULT * 1.001, "{count} {polls:?}: {all}");
            }
        }
    }

    #[test]
    fn an_interval_of_its_own_is_the_whole_budget_shared_out() {
        let demands = salons(100, Polls::Auto);
        let plan = Plan::of(&demands, DEFAULT);
        let all: f64 = demands.iter().map(|d| plan.share(d)).sum();
        assert!(all > DEFAULT * 0.99, "{all}");
    }

    #[test]
    fn an_open_and_a_busy_salon_are_looked_at_more_often() {
        let of = |is_open, is_busy| {
            let mean = 2.0;
            Liveliness { is_open, is_busy }.interval(Duration::from_secs(60), mean)
        };
        assert!(of(true, false) < of(false, false));
        assert!(of(true, true) < of(true, false));
    }
}
