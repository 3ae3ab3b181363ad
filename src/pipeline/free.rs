//! Free times for a cancellation to offer (`notify.offer_times`), read just before it leaves.
//!
//! They are a courtesy: what cannot be read in a few seconds, is refused or stands behind a queue of
//! polls is left out, and the cancellation goes without.

use std::time::Duration;

use chrono::NaiveDateTime;
use rusqlite::Connection;

use super::visit::Visit;
use super::{Company, Pipeline};
use crate::domain::free::{Wanted, offered};
use crate::domain::settle::Form;
use crate::domain::zone::Zone;
use crate::ports::{ApiError, CompanyRef, Urgency};
use crate::store::outbox::{self, Due};
use crate::store::{self, cache, companies};

/// The cancellation waits no longer for them.
const PATIENCE: Duration = Duration::from_secs(3);

/// The nearest days are looked through, no more: each is a request.
const DAYS: usize = 4;

/// What is asked for one cancellation.
struct Asked {
    wanted: Wanted,
    /// The starts that were given up: to offer them again would mock.
    given_up: Vec<NaiveDateTime>,
    zone: Zone,
}

impl Pipeline {
    /// Times to offer with what is about to leave; none for most messages.
    pub(super) async fn free_times(&self, due: &Due) -> store::Result<Vec<NaiveDateTime>> {
        let company = self.companies.get(&due.company);
        let company = company.filter(|c| due.to_client && c.settings.offer_times > 0);
        let Some(company) = company.cloned() else {
            return Ok(Vec::new());
        };
        let (id, now) = (due.id, self.clock.now());
        let asked = {
            let company = std::sync::Arc::clone(&company);
            let asked = move |c: &Connection| asked(c, &company, id);
            self.store.read(asked).await?
        };
        let Some(asked) = asked else {
            return Ok(Vec::new());
        };
        let here = now.with_timezone(&asked.zone).naive_local();
        // Behind every poll: the journal matters more.
        let reference = company.reference(asked.zone, Urgency::Poll(Some(now)));
        let most = usize::try_from(company.settings.offer_times).unwrap_or(0);
        let read = self.read_free(&reference, asked, here, most);
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(times)) => Ok(times),
            Ok(Err(error)) => {
                tracing::info!(company = due.company, %error, "no free times to offer");
                Ok(Vec::new())
            }
            Err(_) => {
                tracing::info!(company = due.company, "no free times to offer: too slow");
                Ok(Vec::new())
            }
        }
    }

    async fn read_free(
        &self,
        company: &CompanyRef,
        asked: Asked,
        here: NaiveDateTime,
        most: usize,
    ) -> Result<Vec<NaiveDateTime>, ApiError> {
        let mut wanted = asked.wanted;
        loop {
            let mut times = Vec::new();
            let days = self.api.bookable_days(company, &wanted).await?;
            let ahead = days.into_iter().filter(|day| *day >= here.date());
            for day in ahead.take(DAYS) {
                times.extend(self.api.bookable_times(company, &wanted, day).await?);
                let found = offered(&times, &asked.given_up, here, most);
                if found.len() >= most {
                    return Ok(found);
                }
            }
            let found = offered(&times, &asked.given_up, here, most);
            if !found.is_empty() || wanted.staff.take().is_none() {
                return Ok(found);
            }
        }
    }
}

/// What to ask for, if this tells of a cancellation.
fn asked(conn: &Connection, company: &Company, id: i64) -> store::Result<Option<Asked>> {
    let n = outbox::get(conn, id)?;
    let Some(n) = n.filter(|n| n.kind == "cancelled" && !n.frozen) else {
        return Ok(None);
    };
    let row = companies::get(conn, n.company)?.unwrap_or_default();
    // Told to wait, or refused: a cancellation asks for nothing then.
    if row.failures > 0 || row.next_try_at.is_some() {
        return Ok(None);
    }
    let Some(zone) = company.zone(&row) else {
        return Ok(None);
    };
    let record = cache::get(conn, n.company, n.record)?.map(|c| c.record);
    let unit = record.as_ref().map_or_else(|| n.unit.clone(), cache::unit);
    let net = Visit::read(conn, company, &unit, &n.phone)?.net(company);
    let Some(net) = net.filter(|net| net.form == Form::Cancelled) else {
        return Ok(None);
    };
    Ok(Wanted::again(&net.now).map(|wanted| Asked {
        wanted,
        given_up: net.now.iter().map(|r| r.start_local).collect(),
        zone,
    }))
}
