//! Alerts of sinks: a salon's own automation that takes no events.

use super::Watch;
use crate::domain::message::owner::{alert_sink_down, alert_sink_loses, alert_sink_up};
use crate::pipeline::Company;
use crate::pipeline::events::SinkEnd;
use crate::pipeline::poll::delta;
use crate::store::sinks::{self, SinkState};
use crate::store::{self, alerts, companies};

impl Watch<'_> {
    /// A sink that takes nothing: the owners of every company it is for hear of it, once, and once
    /// more when it takes events again. One that is configured no more is over without a word.
    pub(super) fn sinks(&self) -> store::Result<u32> {
        if self.desk.sinks.is_empty() {
            alerts::close_all(self.conn, "sink:")?;
            alerts::close_all(self.conn, "sink_loses:")?;
            return Ok(0);
        }
        let states = sinks::all(self.conn, self.now)?;
        let causes: Vec<String> = states.iter().map(|s| cause(&s.sink)).collect();
        alerts::keep(self.conn, "sink:", &causes)?;
        let losing = states.iter().filter(|s| s.failing_since.is_some());
        let losing: Vec<String> = losing.map(|s| loss(&s.sink)).collect();
        alerts::keep(self.conn, "sink_loses:", &losing)?;
        let mut raised = 0;
        for end in &self.desk.sinks {
            if let Some(state) = states.iter().find(|s| s.sink == end.name) {
                raised += self.sink(end, state)?;
            }
        }
        Ok(raised)
    }

    fn sink(&self, end: &SinkEnd, state: &SinkState) -> store::Result<u32> {
        let cause = cause(&end.name);
        let (mut raised, mut told) = (0, Vec::new());
        let Some(since) = state.failing_since else {
            let Some(since) = alerts::close(self.conn, &cause)? else {
                return Ok(0);
            };
            let gap = (self.now - since).num_seconds();
            for company in self.served_by(end) {
                let row = companies::ensure(self.conn, company.settings.id)?;
                raised += self.tell_once(company, &row, &mut told, |voice, _| {
                    alert_sink_up(voice, &end.label, gap)
                })?;
            }
            return Ok(raised);
        };
        if self.now - since < delta(self.settings.after) {
            return Ok(0);
        }
        if state.lost > 0 && alerts::open(self.conn, &loss(&end.name), since, self.now)? {
            let mut told = Vec::new();
            for company in self.served_by(end) {
                let row = companies::ensure(self.conn, company.settings.id)?;
                raised += self.tell_once(company, &row, &mut told, |voice, _| {
                    alert_sink_loses(voice, &end.label, state.lost)
                })?;
            }
        }
        if !alerts::open(self.conn, &cause, since, self.now)? {
            return Ok(raised);
        }
        let why = state.last_error.as_deref().unwrap_or("");
        for company in self.served_by(end) {
            let row = companies::ensure(self.conn, company.settings.id)?;
            let at = self.local(company, &row, since).time();
            raised += self.tell_once(company, &row, &mut told, |voice, _| {
                alert_sink_down(voice, &end.label, at, why)
            })?;
        }
        Ok(raised)
    }

    /// The companies whose events this sink takes.
    fn served_by<'e>(&'e self, end: &'e SinkEnd) -> impl Iterator<Item = &'e Company> {
        let all = self.desk.companies.values().map(AsRef::as_ref);
        all.filter(|c: &&Company| {
            end.companies.is_empty() || end.companies.contains(&c.settings.id)
        })
    }
}

fn loss(sink: &str) -> String {
    format!("sink_loses:{sink}")
}

fn cause(sink: &str) -> String {
    format!("sink:{sink}")
}
