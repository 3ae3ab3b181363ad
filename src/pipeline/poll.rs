//! Poll: read what changed, now and then compare everything, ask by id for what is missing; store
//! records, events and cursor in one transaction.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Days, TimeDelta, Utc};

use super::apply::{Applying, Counts, Phones, hides_phones};
use super::listing::{self, Listing, Sweep};
use super::maintain::tell_restored;
use super::{Company, Pipeline};
use crate::domain::delivery::spread;
use crate::domain::zone::Zone;
use crate::failpoint;
use crate::ports::{ApiError, CompanyRef, Query, Urgency};
use crate::store::companies::{self, CompanyRow, Progress};
use crate::store::rights::{self, View};
use crate::store::{self, StoreError, cache};

mod missing;

use missing::{forget_missing, suspect_missing};

/// How long the company's title, address and zone are kept.
const INFO_LIFE: TimeDelta = TimeDelta::hours(24);
/// A company whose key, licence or rights are refused is asked this rarely.
const DENIED_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// Waits after failed polls; the last one repeats, or the interval where that is longer.
const FAILURE_STEPS: [u64; 5] = [1, 2, 4, 8, 15];

/// A message waits for a look at this company, until this is dropped.
struct Awaited<'a>(&'a Company);

impl<'a> Awaited<'a> {
    fn new(company: &'a Company) -> Self {
        company.awaited.fetch_add(1, Ordering::Relaxed);
        Self(company)
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.0.awaited.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What one poll of one company came to.
#[derive(Clone, Debug)]
pub struct PollReport {
    /// The company.
    pub company: i64,
    /// What was stored.
    pub counts: Counts,
    /// Its first whole sweep.
    pub baseline: bool,
    /// The horizon was compared whole.
    pub swept: bool,
    /// Why there was no information, or only some.
    pub error: Option<ApiError>,
}

impl PollReport {
    fn of(company: i64) -> Self {
        Self {
            company,
            counts: Counts::default(),
            baseline: false,
            swept: false,
            error: None,
        }
    }
}

/// Why a poll could not be stored: the database's fault, never the API's.
pub type PollResult = Result<PollReport, StoreError>;

impl Pipeline {
    /// Polls one company once. Polls of one company never overlap.
    pub async fn poll_once(&self, company: &Arc<Company>) -> PollResult {
        let _turn = company.turn.lock().await;
        self.poll_in_turn(company).await
    }

    /// A look before speaking: polls unless somebody has just done it.
    pub(super) async fn poll_unless_fresh(
        &self,
        company: &Arc<Company>,
        fresh: TimeDelta,
    ) -> Result<(), StoreError> {
        // Whoever is polling it meanwhile is hurried along.
        let _awaited = Awaited::new(company);
        let _turn = company.turn.lock().await;
        let id = company.settings.id;
        let row = self.store.read(move |c| companies::get(c, id)).await?;
        let row = row.unwrap_or_default();
        let now = self.clock.now();
        // One that is ahead of the clock was taken before the clock was put back. Whoever waited here for a
        // look that failed is not to wait for the next one as well.
        let is_fresh = row
            .last_poll_at
            .is_some_and(|at| at <= now && now - at <= fresh);
        let has_failed = row.next_try_at.is_some_and(|at| at > now);
        if !is_fresh && !has_failed {
            self.poll_in_turn(company).await?;
        }
        Ok(())
    }

    async fn poll_in_turn(&self, company: &Arc<Company>) -> PollResult {
        let id = company.settings.id;
        if let Some(pause) = self.stated_pause().await? {
            let error = Some(ApiError::Throttled { pause });
            return Ok(PollReport {
                error,
                ..PollReport::of(id)
            });
        }
        // What is being written is not read half done.
        if self.write_in_turn(company).await? > 0 {
            self.bell.notify_waiters();
        }
        let started = std::time::Instant::now();
        let mut report = PollReport::of(id);
        if let Err(failure) = self.read_company(company, &mut report).await {
            match failure {
                Failure::Store(error) => return Err(error),
                Failure::Api(error) => {
                    self.note_failure(company, &error).await?;
                    report.error = Some(error);
                }
            }
        } else {
            self.store
                .write(move |tx| companies::recovered(tx, id))
                .await?;
        }
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Counts {
            created,
            updated,
            deleted,
            silent,
            missed,
            renumbered: _,
        } = report.counts;
        self.meters
            .polled(id, report.error.is_none(), started.elapsed());
        for (what, count) in [
            ("created", created),
            ("updated", updated),
            ("deleted", deleted),
        ] {
            self.meters.changed(id, what, count.into());
        }
        if missed > 0 {
            tracing::warn!(
                company = id,
                missed,
                "a sweep brought what a poll should have: polls look back further from now on"
            );
        }
        match &report.error {
            None if report.counts.events() > 0 || report.baseline => tracing::info!(
                company = id,
                created,
                updated,
                deleted,
                silent,
                baseline = report.baseline,
                swept = report.swept,
                duration_ms,
                "polled"
            ),
            None => tracing::debug!(company = id, swept = report.swept, duration_ms, "polled"),
            Some(error) => tracing::warn!(company = id, %error, duration_ms, "poll failed"),
        }
        if report.counts.events() > 0 || report.error.is_some() {
            self.bell.notify_waiters();
        }
        Ok(report)
    }

    /// What is left of a pause that the API asked for, whichever company met it: it holds for all, and
    /// across restarts.
    async fn stated_pause(&self) -> Result<Option<Duration>, StoreError> {
        let now = self.clock.now();
        let until = self
            .store
            .read(move |c| companies::paused_until(c, now))
            .await?;
        Ok(until.and_then(|until| (until - now).to_std().ok()))
    }

    async fn read_company(
        &self,
        company: &Arc<Company>,
        report: &mut PollReport,
    ) -> Result<(), Failure> {
        let id = company.settings.id;
        let row = self
            .store
            .write(move |tx| companies::ensure(tx, id))
            .await?;
        let row = self.fresh_info(row).await?;
        let zone = company.zone(&row).ok_or_else(|| {
            ApiError::Unreadable("the company names no time zone: set `timezone` under it".into())
        })?;
        if row.baseline_at.is_none() {
            let reference = company.reference(zone, Urgency::FirstSweep);
            return self.baseline(company, &row, &reference, report).await;
        }
        let reference = company.reference(zone, Urgency::Poll(row.last_poll_at));
        // A listing that contradicts itself ends no poll: the comparison may still be whole, and the
        // trouble is reported after it.
        let mut unsure = false;
        let changes = self
            .changes(company, &row, &reference, report, &mut unsure)
            .await;
        let (polled_at, trouble) = match changes {
            Ok(polled_at) => (polled_at, None),
            Err(Failure::Api(error @ ApiError::Unreadable(_))) => (None, Some(error)),
            Err(failure) => return Err(failure),
        };
        let now = self.clock.now();
        // A corrected number stands in all of a client's bookings, of which few count as changed: they
        // are looked for now, so that they are told together. And whether phones are hidden, the
        // whole journal tells, before anybody is told a thing.
        let now_or_never = unsure || report.counts.renumbered > 0;
        let sweep_interval = company.settings.pace.sweep_interval;
        // What is asked for by id and gone may be hidden: whether its like are seen, a sweep says.
        let last = row.last_sweep_at;
        let awaited = self
            .store
            .read(move |c| cache::awaits_a_sweep(c, id, last))
            .await?;
        let wanted = now_or_never || awaited || is_due(last, sweep_interval, now);
        if self.defences.sweep && wanted {
            let reference = company.reference(zone, Urgency::Sweep);
            self.compare(company, &row, &reference, polled_at, report)
                .await?;
        }
        if let Some(error) = trouble {
            return Err(error.into());
        }
        self.ask_for_missing(company, &row, &reference, report)
            .await
    }

    /// Reads the company's title, address and zone once a day. An old answer serves while the API
    /// does not give a new one.
    async fn fresh_info(&self, row: CompanyRow) -> Result<CompanyRow, Failure> {
        let now = self.clock.now();
        if row.info_at.is_some_and(|at| now - at < INFO_LIFE) {
            return Ok(row);
        }
        match self.api.company(row.id).await {
            Ok(info) => {
                failpoint::pass("after_company");
                let id = row.id;
                Ok(self
                    .store
                    .write(move |tx| {
                        companies::set_info(tx, id, &info, now)?;
                        companies::ensure(tx, id)
                    })
                    .await?)
            }
            Err(ApiError::Unavailable(_) | ApiError::Unreadable(_)) if row.info_at.is_some() => {
                Ok(row)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The first whole sweep: stored in silence.
    async fn baseline(
        &self,
        company: &Arc<Company>,
        row: &CompanyRow,
        reference: &CompanyRef,
        report: &mut PollReport,
    ) -> Result<(), Failure> {
        let (from, to) = self.horizon(company, reference.zone);
        // A copy of a database: what went since is known to its people, too.
        let mut since_copy = Vec::new();
        if let Some(cursor) = row.cursor_at {
            let query = Query::ChangedSince(cursor - delta(row.overlap));
            let listing = listing::read(self.api.as_ref(), reference, &query, None).await;
            if let Some(error) = listing.failure {
                return Err(error.into());
            }
            since_copy.extend(listing.records.into_values());
        }
        let is_copy = row.cursor_at.is_some();
        let read = || listing::sweep(self.api.as_ref(), reference, from, to, row.slice_days);
        let mut sweep = read().await;
        if sweep.records.is_empty() && sweep.failure.is_none() {
            // A salon without a single booking is rare, an empty answer is not: look twice.
            sweep = read().await;
        }
        if let Some(error) = sweep.failure {
            return Err(error.into());
        }
        if !sweep.covers(from, to) {
            return Err(ApiError::Unreadable("the first listing is not whole".into()).into());
        }
        let now = self.clock.now();
        let server_date = sweep.server_date.unwrap_or(now);
        let newest = sweep.records.values().filter_map(|r| r.changed_at).max();
        let progress = Progress {
            baseline_at: Some(server_date),
            cursor_at: Some(newest.map_or(server_date, |n| n.min(server_date))),
            swept: true,
            slice_days: Some(sweep.slice_days),
            sweep_requests: Some(sweep.requests),
            unreadable_rows: Some(sweep.unreadable),
        };
        let (company, zone, defences) = (Arc::clone(company), reference.zone, self.defences);
        let (desk, settings, copy) = (self.desk(), self.alerts.clone(), row.clone());
        report.counts = self
            .store
            .write(move |tx| {
                let phones_hidden = hides_phones(sweep.records.values());
                let mut applying = Applying {
                    phones_hidden,
                    copied_at: copy.cursor_at,
                    ..Applying::new(tx, &company, defences, zone, now)?
                };
                for record in since_copy.iter().chain(sweep.records.values()) {
                    applying.row(record)?;
                }
                let (counts, mut altered) = (applying.counts, applying.altered);
                if phones_hidden {
                    rights::phones_vanished(tx, company.settings.id, now)?;
                }
                if is_copy {
                    altered.extend(forget_missing(tx, company.settings.id, &sweep)?);
                    tell_restored(tx, &desk, &settings, &company, &copy, &altered, now)?;
                }
                companies::succeeded(tx, company.settings.id, progress, now)?;
                Ok(counts)
            })
            .await?;
        report.baseline = true;
        report.swept = true;
        Ok(())
    }

    /// What was created, changed or deleted since the cursor. Returns the server's time of the reading.
    async fn changes(
        &self,
        company: &Arc<Company>,
        row: &CompanyRow,
        reference: &CompanyRef,
        report: &mut PollReport,
        unsure: &mut bool,
    ) -> Result<Option<DateTime<Utc>>, Failure> {
        // Of a server's clock that was ahead and was set right, the cursor is ahead too.
        let now = self.clock.now();
        let cursor = row.cursor_at.or(row.baseline_at);
        let cursor = cursor.map_or(now, |cursor| cursor.min(now));
        let since = match self.defences.overlap {
            true => cursor - delta(row.overlap),
            false => cursor,
        };
        let query = Query::ChangedSince(since);
        let mut listing = listing::read(self.api.as_ref(), reference, &query, None).await;
        let failure = listing.failure.take();
        let progress = failure.is_none().then(|| Progress {
            cursor_at: cursor_after(&listing),
            ..Progress::default()
        });
        let server_date = listing.server_date;
        let records: Vec<_> = listing.records.into_values().collect();
        let phones = self
            .store_rows(
                company,
                row,
                reference.zone,
                report,
                records,
                progress,
                server_date,
                None,
            )
            .await?;
        *unsure = phones.unsure;
        failure.map_or(Ok(server_date), |error| Err(error.into()))
    }

    /// The whole horizon against the cache. What a whole slice does not list is under suspicion.
    async fn compare(
        &self,
        company: &Arc<Company>,
        row: &CompanyRow,
        reference: &CompanyRef,
        polled_at: Option<DateTime<Utc>>,
        report: &mut PollReport,
    ) -> Result<(), Failure> {
        let (from, to) = self.horizon(company, reference.zone);
        let mut sweep =
            listing::sweep(self.api.as_ref(), reference, from, to, row.slice_days).await;
        let failure = sweep.failure.take().or_else(|| {
            let whole = sweep.covers(from, to);
            (!whole).then(|| ApiError::Unreadable("the listing of the horizon is not whole".into()))
        });
        let progress = failure.is_none().then(|| Progress {
            swept: true,
            slice_days: Some(sweep.slice_days),
            sweep_requests: Some(sweep.requests),
            unreadable_rows: Some(sweep.unreadable),
            ..Progress::default()
        });
        let records: Vec<_> = std::mem::take(&mut sweep.records).into_values().collect();
        self.store_rows(
            company,
            row,
            reference.zone,
            report,
            records,
            progress,
            sweep.server_date,
            Some((sweep, polled_at)),
        )
        .await?;
        report.swept = failure.is_none();
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// One transaction: rows, events, delays, suspicions and, when the reading was good, progress.
    #[expect(
        clippy::too_many_arguments,
        reason = "one call site each for polls and sweeps"
    )]
    async fn store_rows(
        &self,
        company: &Arc<Company>,
        row: &CompanyRow,
        zone: Zone,
        report: &mut PollReport,
        records: Vec<crate::domain::record::Record>,
        progress: Option<Progress>,
        server_at: Option<DateTime<Utc>>,
        sweep: Option<(Sweep, Option<DateTime<Utc>>)>,
    ) -> Result<Phones, Failure> {
        let now = self.clock.now();
        let (company, baseline_at, counts) = (Arc::clone(company), row.baseline_at, report.counts);
        let (defences, phones_hidden) = (self.defences, row.phones_hidden_since.is_some());
        let (sweep, polled_at) = sweep.map_or((None, None), |(sweep, at)| (Some(sweep), at));
        let view = self.view(company.as_ref(), now, zone);
        let erased_before = self.erased_before(now);
        let (counts, phones) = self
            .store
            .write(move |tx| {
                let mut applying = Applying {
                    baseline_at,
                    erased_before,
                    phones_hidden,
                    polled_at,
                    server_at,
                    counts,
                    ..Applying::new(tx, &company, defences, zone, now)?
                };
                for record in &records {
                    applying.row(record)?;
                }
                applying.finish(&records)?;
                let (counts, phones) = (applying.counts, applying.phones);
                let id = company.settings.id;
                if counts.missed > 0 {
                    companies::widen_overlap(tx, id)?;
                }
                if let Some(sweep) = sweep {
                    suspect_missing(tx, id, &sweep, defences, now)?;
                    rights::reconsider(tx, id, view)?;
                }
                if phones.hidden() {
                    rights::phones_vanished(tx, id, now)?;
                } else if progress.is_some_and(|p| p.swept) && phones.any_shown() {
                    let longest_delay = delta(company.settings.pace.notification_delay);
                    rights::phones_seen(tx, id, longest_delay, now)?;
                }
                if let Some(progress) = progress {
                    companies::succeeded(tx, id, progress, now)?;
                }
                failpoint::pass("before_commit_poll");
                Ok((counts, phones))
            })
            .await?;
        failpoint::pass("after_commit_poll");
        report.counts = counts;
        Ok(phones)
    }

    fn horizon(&self, company: &Company, zone: Zone) -> (chrono::NaiveDate, chrono::NaiveDate) {
        let now = self.clock.now();
        let today = now.with_timezone(&zone).date_naive();
        (today, self.view(company, now, zone).to)
    }

    /// What a sweep at this moment looks at.
    fn view(&self, company: &Company, at: DateTime<Utc>, zone: Zone) -> View {
        let today = at.with_timezone(&zone).date_naive();
        let days = Days::new(u64::from(company.settings.pace.horizon_days));
        View {
            now: at,
            swept_at: at,
            to: today.checked_add_days(days).unwrap_or(today),
        }
    }

    async fn note_failure(&self, company: &Company, error: &ApiError) -> store::Result<()> {
        let id = company.settings.id;
        let interval = company.settings.pace.interval;
        let text = error.to_string();
        let denied = match error {
            ApiError::Denied { status, .. } => Some(*status),
            _ => None,
        };
        let throttled = matches!(error, ApiError::Throttled { .. });
        let stated = match error {
            ApiError::Throttled { pause } => Some(delta(*pause)),
            ApiError::Denied { .. } => Some(DENIED_PAUSE),
            ApiError::Unavailable(_) | ApiError::Unreadable(_) => None,
        };
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                let failures = companies::ensure(tx, id)?.failures + 1;
                let pause = stated.unwrap_or_else(|| {
                    delta(spread(failure_step(failures, interval), id, failures))
                });
                companies::failed(
                    tx,
                    id,
                    &companies::Failed {
                        error: &text,
                        denied,
                        throttled,
                        next_try_at: now + pause,
                    },
                    now,
                )
            })
            .await
    }
}

/// Server time up to which this listing speaks: its newest change, never past its own `Date`, which
/// a change dated in the future would carry us over.
fn cursor_after(listing: &Listing) -> Option<DateTime<Utc>> {
    let newest = listing
        .records
        .values()
        .filter_map(|r| r.changed_at)
        .max()?;
    Some(listing.server_date.map_or(newest, |date| newest.min(date)))
}

fn is_due(last: Option<DateTime<Utc>>, every: Duration, now: DateTime<Utc>) -> bool {
    last.is_none_or(|last| now - last >= delta(every))
}

/// A span as chrono counts it; the configuration's are far below its end.
pub(super) fn delta(span: Duration) -> TimeDelta {
    TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX)
}

fn failure_step(failures: u32, interval: Duration) -> Duration {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    match FAILURE_STEPS.get(index) {
        Some(seconds) => Duration::from_secs(*seconds),
        None => Duration::from_secs(FAILURE_STEPS[FAILURE_STEPS.len() - 1]).max(interval),
    }
}

/// What ended a reading: the API, or our own database.
enum Failure {
    Api(ApiError),
    Store(StoreError),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
