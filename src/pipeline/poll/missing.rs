//! What the journal does not list any more: a suspicion, which only the API's own word, asked for by id,
//! makes a deletion.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::super::apply::Applying;
use super::super::listing::{Days as Slice, Sweep};
use super::super::{Company, Pipeline};
use super::{Failure, PollReport};
use crate::domain::defences::Defences;
use crate::domain::event::Gone;
use crate::domain::message::owner::Altered;
use crate::failpoint;
use crate::ports::{ApiError, CompanyRef, Lookup};
use crate::store::companies::{self, CompanyRow};
use crate::store::rights::{self, View};
use crate::store::{self, cache, known};

/// Missing bookings asked for by id in one poll, so that a hidden master costs no storm of requests.
const MOST_LOOKUPS: u32 = 20;
/// The API must say this often, in different polls, that a missing booking is gone.
const LOOKS_TO_BELIEVE: u32 = 2;

impl Pipeline {
    /// Asks by id for what a sweep did not list. The API has to say twice, in different polls, that
    /// a booking is gone; whatever else it says is evidence as any row is.
    pub(super) async fn ask_for_missing(
        &self,
        company: &Arc<Company>,
        row: &CompanyRow,
        reference: &CompanyRef,
        report: &mut PollReport,
    ) -> Result<(), Failure> {
        let id = company.settings.id;
        let present = (self.clock.now(), reference.zone);
        let (missing, swept_at) = self
            .store
            .read(move |c| {
                let swept_at = companies::get(c, id)?.and_then(|row| row.last_sweep_at);
                Ok((cache::suspects(c, id, present, MOST_LOOKUPS)?, swept_at))
            })
            .await?;
        let mut trouble = None;
        for record_id in missing {
            let answer = match self.defences.confirmation {
                true => self.api.record(reference, record_id).await,
                false => Ok(Lookup::Gone),
            };
            failpoint::pass("after_lookup");
            let found = match answer {
                Ok(Lookup::Found(record)) if record.is_alive() => Ok(record),
                Ok(Lookup::Found(_)) => Err(Gone::Deleted),
                Ok(Lookup::Gone) => Err(Gone::NotFound),
                // Rights to one record say nothing about it; the suspicion stays. Another error is
                // the poll's, once the others had their turn.
                Err(error) => {
                    let refused = matches!(error, ApiError::Denied { status: 403, .. });
                    if !matches!(error, ApiError::Denied { .. }) {
                        trouble = Some(error);
                    }
                    let now = self.clock.now();
                    self.store
                        .write(move |tx| match refused {
                            true => rights::refused(tx, id, record_id, now),
                            false => cache::asked(tx, id, record_id, now),
                        })
                        .await?;
                    continue;
                }
            };
            let now = self.clock.now();
            let swept_at = swept_at.unwrap_or(now);
            let view = View {
                now,
                ..self.view(company, swept_at, reference.zone)
            };
            let (company, zone) = (Arc::clone(company), reference.zone);
            let (baseline_at, counts) = (row.baseline_at, report.counts);
            let (defences, phones_hidden) = (self.defences, row.phones_hidden_since.is_some());
            report.counts = self
                .store
                .write(move |tx| {
                    let mut applying = Applying {
                        baseline_at,
                        phones_hidden,
                        counts,
                        ..Applying::new(tx, &company, defences, zone, now)?
                    };
                    match found {
                        Ok(record) => {
                            applying.row(&record)?;
                            cache::unsuspect(tx, id, record_id)?;
                        }
                        Err(how) if !defences.confirmation => applying.gone(record_id, how)?,
                        Err(Gone::NotFound) if rights::is_hidden(tx, id, record_id, view)? => {
                            cache::asked(tx, id, record_id, now)?;
                        }
                        Err(how) => {
                            if cache::looked(tx, id, record_id, now)? >= LOOKS_TO_BELIEVE {
                                applying.gone(record_id, how)?;
                            }
                        }
                    }
                    Ok(applying.counts)
                })
                .await?;
        }
        trouble.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// What the API does not list of days it listed whole. A suspicion, no more.
pub(super) fn suspect_missing(
    tx: &rusqlite::Transaction<'_>,
    company: i64,
    sweep: &Sweep,
    defences: Defences,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let whole = |d: &&Slice| d.proves_absence || !defences.completeness;
    let mut missing = Vec::new();
    for days in sweep.days.iter().filter(whole) {
        let standing = cache::standing(tx, company, days.from, days.to)?;
        missing.extend(standing.into_iter().filter(|r| !sweep.listed.contains(r)));
    }
    if !missing.is_empty() || cache::has_suspects(tx, company)? {
        cache::listed(tx, company, &sweep.listed, now)?;
    }
    if !missing.is_empty() {
        let masters = cache::masters_listed(tx, company, now)?;
        for record in missing {
            cache::suspect(tx, company, record, &masters, now)?;
        }
    }
    Ok(())
}

/// What is not there although a copy of the database has it: its people may have been told. Returns
/// what that is.
pub(super) fn forget_missing(
    tx: &rusqlite::Transaction<'_>,
    company: i64,
    sweep: &Sweep,
) -> store::Result<Vec<Altered>> {
    let mut missing = Vec::new();
    for days in sweep.days.iter().filter(|d| d.proves_absence) {
        for record in cache::standing(tx, company, days.from, days.to)? {
            if !sweep.listed.contains(&record) {
                known::forget_record(tx, company, record)?;
                missing.extend(cache::get(tx, company, record)?.map(|cached| Altered {
                    before: Some(cached.record),
                    after: None,
                }));
            }
        }
    }
    Ok(missing)
}
