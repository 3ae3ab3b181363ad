//! Alerts of channels that send all the same: a tariff that takes no new people.

use chrono::TimeDelta;

use super::{Watch, words};
use crate::domain::message::owner::alert_tariff;
use crate::pipeline::ChannelEnd;
use crate::ports::Concern;
use crate::store::{self, alerts, companies};

/// Nothing says when a month's quota is filled up again, so that the alert ends by itself and is
/// raised again by the next refusal after this.
const TOLD_FOR: TimeDelta = TimeDelta::hours(24);

impl Watch<'_> {
    /// What a channel noticed: every company it writes to clients for hears of it, once.
    pub(super) fn concern(&self, end: &ChannelEnd) -> store::Result<u32> {
        let cause = format!("tariff:{}", end.name);
        match end.channel.concern() {
            Some(Concern::Tariff) => {}
            None => {
                let since = alerts::open_since(self.conn, &cause)?;
                if since.is_some_and(|since| self.now - since >= TOLD_FOR) {
                    alerts::close(self.conn, &cause)?;
                }
                return Ok(0);
            }
        }
        if !alerts::open(self.conn, &cause, self.now, self.now)? {
            return Ok(0);
        }
        let label = words::label(Some(end), &end.name);
        let (mut raised, mut told) = (0, Vec::new());
        let all = self.desk.companies.values();
        for company in all.filter(|c| c.writes_over(&end.name)) {
            let row = companies::ensure(self.conn, company.settings.id)?;
            raised += self.tell_once(company, &row, &mut told, |voice, _| {
                alert_tariff(voice, &label)
            })?;
        }
        Ok(raised)
    }
}
