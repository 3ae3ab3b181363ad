//! Maintain: what is broken is told to the owners, once, and once more when it is over.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::poll::delta;
use super::{Company, Desk, Pipeline, words};
use crate::config::{Alerts, Owner};
use crate::domain::message::owner::{Voice, Waited, alert_channel_down, alert_channel_up};
use crate::domain::question::Matter;
use crate::domain::zone::Zone;
use crate::store::channels::{self, ChannelState};
use crate::store::companies::{self, CompanyRow};
use crate::store::outbox::{self, New};
use crate::store::{self, alerts, guard, pauses, questions, stats};

mod channel_alerts;
mod database_alerts;
mod evening;
mod guard_alerts;
mod journal_alerts;
mod model_alerts;
mod pause_alerts;
mod rights_alerts;
mod send_alerts;
mod sink_alerts;
mod talk_alerts;

pub(super) use database_alerts::tell_restored;

impl Pipeline {
    /// Raises alerts that have become due and ends those that are over. Returns how many messages
    /// to owners that makes.
    pub async fn alerts_due(&self, now: DateTime<Utc>) -> store::Result<u32> {
        let (desk, settings) = (self.desk(), self.alerts.clone());
        let trouble_over = self.trouble_over(now);
        let (raised, to_edit) = self
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
                let mut raised = watch.journals()?;
                let busy = watch.busy()?;
                let mut concerned = alerts::concerned(tx)?;
                concerned.extend(&busy);
                let of = |(id, company)| concerned.contains(id).then_some(company);
                for company in desk.companies.iter().filter_map(of) {
                    raised += watch.guard(company)?;
                    raised += watch.moves(company, &busy)?;
                    raised += watch.rights(company)?;
                }
                raised += watch.uncertain()?;
                raised += watch.dead()?;
                raised += watch.pauses()?;
                raised += watch.unanswered()?;
                for state in channels::all(tx)? {
                    raised += watch.channel(&state)?;
                }
                for end in desk.channels.values() {
                    raised += watch.concern(end)?;
                }
                raised += watch.models()?;
                raised += watch.sinks()?;
                if let Some(since) = trouble_over {
                    raised += watch.database_well(since)?;
                }
                Ok((raised, desk.review_questions(tx, now)?))
            })
            .await?;
        if trouble_over.is_some() {
            self.lower_sign();
        }
        if raised > 0 {
            tracing::info!(messages = raised, "owners alerted");
        }
        if to_edit {
            self.bell.notify_waiters();
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
        let Some(since) = state.fails_since() else {
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
        told: &mut Vec<Chat>,
        text: impl Fn(Voice, &str) -> String,
    ) -> store::Result<u32> {
        let mut raised = 0;
        for chat in self.chats(company) {
            if told.contains(&chat) {
                continue;
            }
            let (voice, _) = self.voice(company, row, &chat)?;
            self.write(company, &chat, &text(voice, &company.title(row)), &[])?;
            told.push(chat);
            raised += 1;
        }
        Ok(raised)
    }

    /// Asks the owners of a company who take alerts. `text` is told whether there will be buttons;
    /// where there are none, the same is only said.
    fn ask(
        &self,
        company: &Company,
        row: &CompanyRow,
        asks: &[(Matter, i64)],
        text: impl Fn(Voice, &str, bool) -> String,
    ) -> store::Result<u32> {
        let mut raised = 0;
        for chat in self.chats(company) {
            let (voice, has_buttons) = self.voice(company, row, &chat)?;
            let asks = if has_buttons { asks } else { &[] };
            let text = text(voice, &company.title(row), has_buttons);
            self.write(company, &chat, &text, asks)?;
            raised += 1;
        }
        Ok(raised)
    }

    /// Where the owners of a company take alerts, over channels that there are.
    fn chats(&self, company: &Company) -> Vec<Chat> {
        let mut chats = Vec::new();
        for Owner { channel, to, .. } in company.settings.owners.iter().filter(|o| o.alerts) {
            let chat = (channel.clone(), to.clone());
            if self.desk.channels.contains_key(channel) && !chats.contains(&chat) {
                chats.push(chat);
            }
        }
        chats
    }

    /// How that chat is written to, and whether it can have buttons.
    fn voice(
        &self,
        company: &Company,
        row: &CompanyRow,
        (channel, _): &Chat,
    ) -> store::Result<(Voice, bool)> {
        let end = self.desk.channels.get(channel);
        let end = end.ok_or(store::StoreError::Corrupt("owner's channel"))?;
        let place = words::Place {
            company,
            row,
            zone: company.zone(row).unwrap_or(Zone::UTC),
            now: self.now,
        };
        let voice = place.voice(end.channel.markup());
        Ok((voice, end.channel.has_buttons()))
    }

    fn write(
        &self,
        company: &Company,
        (channel, to): &Chat,
        message: &str,
        asks: &[(Matter, i64)],
    ) -> store::Result<()> {
        let id = outbox::add(
            self.conn,
            &New {
                company: company.settings.id,
                recipient: to,
                channel,
                message,
                ..New::note("alert", self.now)
            },
            self.now,
        )?;
        for (matter, figure) in asks {
            questions::ask(self.conn, id, company.settings.id, matter, *figure)?;
        }
        Ok(())
    }
}

/// An owner's chat: the channel's name, and the address there.
type Chat = (String, String);
