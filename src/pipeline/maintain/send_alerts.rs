//! Alerts of single messages: sends whose outcome nobody can tell, and what no channel took. Told
//! together where they come together, each with its own buttons.

use chrono::TimeDelta;

use super::Watch;
use crate::domain::message::markup::capped;
use crate::domain::message::owner::{alert_dead, alert_uncertain};
use crate::domain::phone::Phone;
use crate::domain::question::Matter;
use crate::pipeline::Company;
use crate::pipeline::orders::{cause_of_death, cause_of_doubt};
use crate::pipeline::poll::delta;
use crate::store::outbox::{self, Notification};
use crate::store::{self, alerts, companies};

/// One message asks about so many at most; a chat takes no longer texts and no more buttons.
const MOST_IN_ONE: usize = 20;
/// Of a message that is asked about so much of its first line is shown.
const LONGEST_LINE: usize = 60;
/// Uncertain sends that follow each other are gathered for so long; they are told within a minute.
const GATHER: TimeDelta = TimeDelta::seconds(20);
/// What no channel took for longer than this is history.
const LATELY: TimeDelta = TimeDelta::hours(24);

impl Watch<'_> {
    /// Sends whose outcome nobody can tell.
    pub(super) fn uncertain(&self) -> store::Result<u32> {
        let mut all = outbox::uncertain(self.conn)?;
        // Whoever asks an owner whether they read something has said it again.
        all.retain(|n| !self.desk.is_to_owner(n));
        let open: Vec<String> = all.iter().map(|n| cause_of_doubt(n.id)).collect();
        alerts::keep(self.conn, "uncertain:", &open)?;
        if all.is_empty() {
            return Ok(0);
        }
        let mut raised = 0;
        for company in self.desk.companies.values() {
            let fresh = self.fresh(company, &all, cause_of_doubt, "doubts", GATHER)?;
            let row = companies::ensure(self.conn, company.settings.id)?;
            for some in fresh.chunks(MOST_IN_ONE) {
                let list: Vec<String> = some.iter().map(|n| self.line(n)).collect();
                let asks: Vec<_> = some.iter().map(|n| (Matter::Uncertain(n.id), 0)).collect();
                raised += self.ask(company, &row, &asks, |v, _, has_buttons| {
                    alert_uncertain(v, some.len(), &list, has_buttons)
                })?;
            }
        }
        Ok(raised)
    }

    /// What no channel took, and no card asks to call about.
    pub(super) fn dead(&self) -> store::Result<u32> {
        let all = outbox::dead(self.conn, self.now - LATELY)?;
        let open: Vec<String> = all.iter().map(|n| cause_of_death(n.id)).collect();
        alerts::keep(self.conn, "dead:", &open)?;
        if all.is_empty() {
            return Ok(0);
        }
        let mut raised = 0;
        for company in self.desk.companies.values() {
            let pause = delta(self.settings.after);
            let fresh = self.fresh(company, &all, cause_of_death, "deaths", pause)?;
            if fresh.is_empty() {
                continue;
            }
            let row = companies::ensure(self.conn, company.settings.id)?;
            let shown = &fresh[..fresh.len().min(MOST_IN_ONE)];
            let list: Vec<String> = shown.iter().map(|n| self.line(n)).collect();
            let asks: Vec<_> = shown.iter().map(|n| (Matter::Dead(n.id), 0)).collect();
            raised += self.ask(company, &row, &asks, |v, salon, has_buttons| {
                alert_dead(v, salon, fresh.len(), &list, has_buttons)
            })?;
        }
        Ok(raised)
    }

    /// Those of the company that its owners do not know of; none while they were told of others so
    /// shortly before.
    fn fresh<'n>(
        &self,
        company: &Company,
        all: &'n [Notification],
        cause: fn(i64) -> String,
        told: &str,
        pause: TimeDelta,
    ) -> store::Result<Vec<&'n Notification>> {
        let id = company.settings.id;
        let told = format!("{told}:{id}");
        let told_at = alerts::told_at(self.conn, &told)?;
        if told_at.is_some_and(|at| self.now - at < pause && at <= self.now) {
            return Ok(Vec::new());
        }
        let mut fresh = Vec::new();
        for n in all.iter().filter(|n| n.company == id) {
            if alerts::open(self.conn, &cause(n.id), self.now, self.now)? {
                fresh.push(n);
            }
        }
        if !fresh.is_empty() {
            alerts::close(self.conn, &told)?;
            alerts::open(self.conn, &told, self.now, self.now)?;
        }
        Ok(fresh)
    }

    /// `№ 17: Вы записаны! · +7 900 000-00-01`.
    fn line(&self, n: &Notification) -> String {
        let words = n.message.replace(['*', '_', '~'], "");
        let first = words.lines().next().unwrap_or("");
        let mut line = format!("№ {}: {}", n.id, capped(first, LONGEST_LINE));
        if !n.phone.is_empty() {
            let phone = Phone::from_stored(n.phone.clone());
            let shown = match self.desk.mask_phones {
                true => phone.masked(),
                false => phone.readable(),
            };
            line = format!("{line} · {shown}");
        }
        line
    }
}
