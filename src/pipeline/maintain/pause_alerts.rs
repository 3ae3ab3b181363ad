//! What waits for the end of a pause: the owners decide about it before it leaves.

use super::Watch;
use crate::domain::message::owner::{PauseEnd, ask_pause};
use crate::domain::question::Matter;
use crate::pipeline::Company;
use crate::pipeline::poll::delta;
use crate::store::pauses::{self, Pause};
use crate::store::{self, At, alerts, companies};

impl Watch<'_> {
    /// One question for each pause that keeps something back: shortly before it ends, or, where it
    /// has no end, once it has lasted. Nothing waits for the answer.
    pub(super) fn pauses(&self) -> store::Result<u32> {
        let running = pauses::running_since(self.conn, self.now)?;
        let (mut raised, mut going_on) = (0, Vec::new());
        for company in self.desk.companies.values() {
            let id = company.settings.id;
            for (since, pause) in &running {
                if pause.of.company.is_some_and(|of| of != id) {
                    continue;
                }
                let since = At(*since);
                going_on.push(format!("pause:{id}:{}", since.text()));
                if self.is_time_to_ask(since, pause) {
                    raised += self.ask_about(company, &since.text(), pause)?;
                }
            }
        }
        alerts::keep(self.conn, "pause:", &going_on)?;
        Ok(raised)
    }

    fn is_time_to_ask(&self, since: At, pause: &Pause) -> bool {
        let after = delta(self.settings.after);
        match pause.until {
            Some(until) => until - self.now <= after,
            None => self.now - since.0 >= after,
        }
    }

    fn ask_about(&self, company: &Company, since: &str, pause: &Pause) -> store::Result<u32> {
        let id = company.settings.id;
        let waiting = pauses::kept_back(self.conn, id, &pause.of)?.len();
        let cause = format!("pause:{id}:{since}");
        // Whoever has no buttons can do nothing about it here, and everything leaves by itself.
        let mut can_press = self.chats(company).into_iter().filter(|(channel, _)| {
            let end = self.desk.channels.get(channel);
            end.is_some_and(|end| end.channel.has_buttons())
        });
        if waiting == 0
            || can_press.next().is_none()
            || !alerts::open(self.conn, &cause, self.now, self.now)?
        {
            return Ok(0);
        }
        let row = companies::ensure(self.conn, id)?;
        let end = match pause.until {
            Some(until) => PauseEnd::At(self.local(company, &row, until).time()),
            None if pause.of.company.is_some() => PauseEnd::Open,
            None => PauseEnd::Foreign,
        };
        let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
        let asks = [(Matter::Pause(since.to_owned()), waiting)];
        self.ask(company, &row, &asks, |v, salon, _| {
            ask_pause(v, salon, end, waiting)
        })
    }
}
