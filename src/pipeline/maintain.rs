//! Maintain: what is broken is told to the owners, once, and once more when it is over.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::poll::delta;
use super::{Company, Desk, Pipeline, words};
use crate::config::{Alerts, Owner};
use crate::domain::message::owner::{
    Blind, Voice, Waited, alert_channel_down, alert_channel_up, alert_company_seen,
    alert_company_unseen, alert_uncertain,
};
use crate::store::channels::{self, ChannelState};
use crate::store::companies::{self, CompanyRow};
use crate::store::outbox::{self, New, Notification};
use crate::store::{self, alerts, guard, pauses, stats};

mod database_alerts;
mod guard_alerts;
mod rights_alerts;

pub(super) use database_alerts::tell_restored;

impl Pipeline {
    /// Raises alerts that have become due and ends those that are over. Returns how many messages
    /// to owners that makes.
    pub async fn alerts_due(&self, now: DateTime<Utc>) -> store::Result<u32> {
        let (desk, settings) = (self.desk(), self.alerts.clone());
        let trouble_over = self.trouble_over(now);
        let raised = self
            .store
            .write(move |tx| {
                let watch = Watch {
                    conn: tx,
                    desk: &desk,
                    settings: &settings,
                    now,
                };
                guard::end_past(tx, now)?;
                pauses::forget_ended(tx, now)?;
                let mut raised = 0;
                let busy = watch.busy()?;
                let uncertain = outbox::uncertain(tx)?;
                let open: Vec<i64> = uncertain.iter().map(|n| n.id).collect();
                alerts::keep_uncertain(tx, &open)?;
                for company in desk.companies.values() {
                    raised += watch.journal(company)?;
                    raised += watch.guard(company)?;
                    raised += watch.moves(company, &busy)?;
                    raised += watch.rights(company)?;
                    raised += watch.uncertain(company, &uncertain)?;
                }
                for state in channels::all(tx)? {
                    raised += watch.channel(&state)?;
                }
                if let Some(since) = trouble_over {
                    raised += watch.database_well(since)?;
                }
                Ok(raised)
            })
            .await?;
        if trouble_over.is_some() {
            self.lower_sign();
        }
        if raised > 0 {
            tracing::info!(messages = raised, "owners alerted");
        }
        Ok(raised)
    }
}

/// One look at everything that may be broken.
struct Watch<'a> {
    conn: &'a Connection,
    desk: &'a Desk,
    settings: &'a Alerts,
    now: DateTime<Utc>,
}

impl Watch<'_> {
    /// The journal of a company: at once when a person has to act, else after a while.
    fn journal(&self, company: &Company) -> store::Result<u32> {
        let row = companies::ensure(self.conn, company.settings.id)?;
        let cause = format!("company:{}", company.settings.id);
        let Some(since) = row.failing_since else {
            let Some(since) = alerts::close(self.conn, &cause)? else {
                return Ok(0);
            };
            let waited = self.waited(Some(company.settings.id))?;
            let gap = (self.now - since).num_seconds();
            return self.tell(company, &row, |v, salon| {
                alert_company_seen(v, salon, gap, waited)
            });
        };
        let due = row.denied.is_some() || self.now - since >= delta(self.settings.after);
        if !due || !alerts::open(self.conn, &cause, since, self.now)? {
            return Ok(0);
        }
        let error = row.last_error.clone().unwrap_or_default();
        let why = row
            .denied
            .and_then(Blind::from_status)
            .unwrap_or(Blind::Other(&error));
        let at = self.local(company, &row, since).time();
        self.tell(company, &row, |v, salon| {
            alert_company_unseen(v, salon, at, why)
        })
    }

    /// Sends whose outcome nobody can tell, together.
    fn uncertain(&self, company: &Company, all: &[Notification]) -> store::Result<u32> {
        let id = company.settings.id;
        let mut fresh = Vec::new();
        for n in all.iter().filter(|n| n.company == id) {
            let cause = format!("uncertain:{}", n.id);
            if alerts::open(self.conn, &cause, self.now, self.now)? {
                let first_line = n
                    .message
                    .lines()
                    .next()
                    .unwrap_or("")
                    .replace(['*', '_', '~'], "");
                fresh.push(format!("№ {}: {first_line}", n.id));
            }
        }
        if fresh.is_empty() {
            return Ok(0);
        }
        let row = companies::ensure(self.conn, id)?;
        self.tell(company, &row, |v, _| {
            alert_uncertain(v, fresh.len(), &fresh)
        })
    }

    /// A channel that cannot send: every company it serves hears of it.
    fn channel(&self, state: &ChannelState) -> store::Result<u32> {
        let cause = format!("channel:{}", state.name);
        let end = self.desk.channels.get(&state.name);
        let label = words::label(end.map(|e| e.as_ref()), &state.name);
        let mut told = Vec::new();
        let mut raised = 0;
        let serves = |c: &&std::sync::Arc<Company>| {
            c.settings.channels.contains(&state.name)
                || c.settings.owners.iter().any(|o| o.channel == state.name)
        };
        let served: Vec<_> = self.desk.companies.values().filter(serves).collect();
        let Some(since) = state.sick_since.or(state.down_since) else {
            let Some(since) = alerts::close(self.conn, &cause)? else {
                return Ok(0);
            };
            let gap = (self.now - since).num_seconds();
            let waited = self.waited(None)?;
            for company in served {
                let row = companies::ensure(self.conn, company.settings.id)?;
                raised += self.tell_once(company, &row, &mut told, |v, _| {
                    alert_channel_up(v, &label, gap, waited)
                })?;
            }
            return Ok(raised);
        };
        if self.now - since < delta(self.settings.after)
            || !alerts::open(self.conn, &cause, since, self.now)?
        {
            return Ok(0);
        }
        let why = state.last_error.as_deref().unwrap_or("");
        for company in served {
            let row = companies::ensure(self.conn, company.settings.id)?;
            let at = self.local(company, &row, since).time();
            raised += self.tell_once(company, &row, &mut told, |v, _| {
                alert_channel_down(v, &label, at, why)
            })?;
        }
        Ok(raised)
    }

    fn local(
        &self,
        company: &Company,
        row: &CompanyRow,
        at: DateTime<Utc>,
    ) -> chrono::NaiveDateTime {
        company.zone(row).map_or_else(
            || at.naive_utc(),
            |zone| at.with_timezone(&zone).naive_local(),
        )
    }

    /// How many messages to clients wait now.
    fn waited(&self, company: Option<i64>) -> store::Result<Waited> {
        let waiting = stats::waiting(self.conn, company)?;
        Ok(Waited {
            sending: usize::try_from(waiting).unwrap_or(0),
            stale: 0,
        })
    }

    fn tell(
        &self,
        company: &Company,
        row: &CompanyRow,
        text: impl Fn(Voice, &str) -> String,
    ) -> store::Result<u32> {
        self.tell_once(company, row, &mut Vec::new(), text)
    }

    /// Writes to the owners of a company who take alerts and have not been told in this matter.
    fn tell_once(
        &self,
        company: &Company,
        row: &CompanyRow,
        told: &mut Vec<(String, String)>,
        text: impl Fn(Voice, &str) -> String,
    ) -> store::Result<u32> {
        let zone = company.zone(row).unwrap_or(chrono_tz::UTC);
        let place = words::Place {
            company,
            row,
            zone,
            now: self.now,
        };
        let mut raised = 0;
        for Owner { channel, to, .. } in company.settings.owners.iter().filter(|o| o.alerts) {
            let chat = (channel.clone(), to.clone());
            let Some(end) = self.desk.channels.get(channel) else {
                continue;
            };
            if told.contains(&chat) {
                continue;
            }
            told.push(chat);
            let message = text(place.voice(end.channel.markup()), &company.title(row));
            outbox::add(
                self.conn,
                &New {
                    company: company.settings.id,
                    recipient: to,
                    channel,
                    message: &message,
                    ..New::note("alert", self.now)
                },
                self.now,
            )?;
            raised += 1;
        }
        Ok(raised)
    }
}
