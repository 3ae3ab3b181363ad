//! What a configuration asks of the API, as [`budget`](crate::domain::budget) reckons it.

use super::{Company, Config};
use crate::domain::budget::{Demand, Plan, Polls};
use crate::yclients::sustained_per_minute;

impl Company {
    /// What this company asks for; `sweep_requests` is what its last comparison took, where known.
    #[must_use]
    pub fn demand(&self, sweep_requests: Option<u32>) -> Demand {
        Demand {
            polls: match (&self.schedule, self.pace.auto) {
                (Some(_), _) => Polls::ByCalendar,
                (None, true) => Polls::Auto,
                (None, false) => Polls::Every(self.pace.interval),
            },
            sweep_interval: self.pace.sweep_interval,
            sweep_requests,
        }
    }
}

impl Config {
    /// All companies against the limits of `[yclients]`.
    #[must_use]
    pub fn plan(&self, sweep_requests: impl Fn(i64) -> Option<u32>) -> Plan {
        let demands: Vec<Demand> = self
            .companies
            .iter()
            .map(|company| company.demand(sweep_requests(company.id)))
            .collect();
        let limits = &self.yclients;
        let allowed = sustained_per_minute(limits.requests_per_second, limits.requests_per_minute);
        Plan::of(&demands, allowed)
    }

    /// Gives the companies that leave their interval to the program the one that the budget allows.
    pub(super) fn share_out(&mut self) {
        let auto = self.plan(|_| None).auto;
        for company in self.companies.iter_mut().filter(|c| c.pace.auto) {
            company.pace.interval = auto;
        }
    }
}
