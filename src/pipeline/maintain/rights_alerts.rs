//! Alerts of narrowed rights: what the program may not see any more, since when, and that it sees
//! it again.

use chrono::{DateTime, Utc};

use super::Watch;
use crate::domain::message::owner::{SeenAgain, Unseen, alert_unseen, alert_unseen_over};
use crate::pipeline::Company;
use crate::pipeline::poll::delta;
use crate::store::{self, alerts, cache, companies, rights};

impl Watch<'_> {
    /// One alert for each thing hidden, once it has lasted, and one word when it is seen again.
    pub(super) fn rights(&self, company: &Company) -> store::Result<u32> {
        let id = company.settings.id;
        let row = companies::ensure(self.conn, id)?;
        let hidden = rights::hidden(self.conn, id, self.now)?;
        let names: Vec<&str> = hidden.staff.iter().map(|s| s.name.as_str()).collect();
        let staff = hidden.staff_since.map(|since| {
            let bookings = hidden.staff.iter().map(|s| s.bookings).sum();
            let names = &names;
            (since, Unseen::Staff { names, bookings })
        });
        let period = hidden.period.map(|p| {
            let (from, bookings) = (p.from.date(), p.bookings);
            (p.since, Unseen::Period { from, bookings })
        });
        let mut raised = self.unseen(company, SeenAgain::Staff, staff)?;
        raised += self.unseen(company, SeenAgain::Period, period)?;
        let phones = match row.phones_hidden_for_certain() {
            Some(since) => {
                let bookings = cache::count_ahead(self.conn, id, self.now)?;
                let bookings = usize::try_from(bookings).unwrap_or(usize::MAX);
                Some((since, Unseen::Phones { bookings }))
            }
            // The next sweep knows whether it has begun.
            None if row.phones_hidden_since.is_some() => return Ok(raised),
            None => None,
        };
        Ok(raised + self.unseen(company, SeenAgain::Phones, phones)?)
    }

    fn unseen(
        &self,
        company: &Company,
        kind: SeenAgain,
        unseen: Option<(DateTime<Utc>, Unseen<'_>)>,
    ) -> store::Result<u32> {
        let id = company.settings.id;
        let what = match kind {
            SeenAgain::Staff => "staff",
            SeenAgain::Period => "period",
            SeenAgain::Phones => "phones",
        };
        let cause = format!("rights:{id}:{what}");
        let Some((since, unseen)) = unseen else {
            let Some(since) = alerts::close(self.conn, &cause)? else {
                return Ok(0);
            };
            let row = companies::ensure(self.conn, id)?;
            let gap = (self.now - since).num_seconds();
            return self.tell(company, &row, |v, salon| {
                alert_unseen_over(v, salon, kind, gap)
            });
        };
        if self.now - since < delta(self.settings.after)
            || !alerts::open(self.conn, &cause, since, self.now)?
        {
            return Ok(0);
        }
        let row = companies::ensure(self.conn, id)?;
        let at = self.local(company, &row, since);
        self.tell(company, &row, |v, salon| alert_unseen(v, salon, at, unseen))
    }
}
