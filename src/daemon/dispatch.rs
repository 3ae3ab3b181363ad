//! Who is polled when: deadlines of a monotonic clock, and the calendar for companies that have one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_cron_scheduler::{Job, JobScheduler};

use super::auto::Autos;
use super::{DaemonError, GLANCE, Pulse, until};
use crate::domain::zone::Zone;
use crate::pipeline::poll::PollReport;
use crate::pipeline::{Company, Pipeline};
use crate::ports::ApiError;
use crate::store::{StoreError, companies};

/// Firings that the scheduler may owe at once; with its default of 200 it loses some (measured).
const CALENDAR_CHANNEL: usize = 4096;

/// Polls that a calendar starts: companies with a `schedule`. The scheduler only rings; a firing
/// that is missed is made up by the next one.
pub(super) async fn calendar(
    pipeline: &Arc<Pipeline>,
) -> Result<(Option<JobScheduler>, mpsc::UnboundedReceiver<i64>), DaemonError> {
    let (ring, polls) = mpsc::unbounded_channel();
    let mut scheduled = pipeline
        .companies()
        .values()
        .filter(|c| c.settings.schedule.is_some())
        .peekable();
    if scheduled.peek().is_none() {
        return Ok((None, polls));
    }
    let failed = |company: i64| {
        move |e: tokio_cron_scheduler::JobSchedulerError| DaemonError::Calendar {
            company,
            why: e.to_string(),
        }
    };
    let scheduler = JobScheduler::new_with_channel_size(CALENDAR_CHANNEL)
        .await
        .map_err(failed(0))?;
    for company in scheduled {
        let id = company.settings.id;
        let Some(expression) = company.settings.schedule.clone() else {
            continue;
        };
        let zone = zone_of(pipeline, company).await?;
        let ring = ring.clone();
        let job = Job::new_async_tz(expression.as_str(), zone, move |_, _| {
            let ring = ring.clone();
            Box::pin(async move {
                if ring.send(id).is_err() {
                    tracing::debug!("a scheduled poll came too late");
                }
            })
        })
        .map_err(failed(id))?;
        scheduler.add(job).await.map_err(failed(id))?;
    }
    scheduler.start().await.map_err(failed(0))?;
    Ok((Some(scheduler), polls))
}

/// The company's zone. One that was never polled is polled now: its calendar means its own clock.
async fn zone_of(pipeline: &Pipeline, company: &Arc<Company>) -> Result<Zone, StoreError> {
    let id = company.settings.id;
    let known = || pipeline.store().read(move |c| companies::get(c, id));
    let zone = |row: Option<companies::CompanyRow>| {
        company
            .settings
            .timezone
            .or(row.and_then(|row| row.info.zone))
    };
    if let Some(zone) = zone(known().await?) {
        return Ok(zone);
    }
    pipeline.poll_once(company).await?;
    Ok(zone(known().await?).unwrap_or_else(|| {
        tracing::warn!(
            company = id,
            "the schedule is read in UTC until the next start: the zone is unknown"
        );
        Zone::UTC
    }))
}

/// When each company is polled next, and which are being polled now.
#[derive(Default)]
struct Plan {
    due: BTreeMap<i64, Instant>,
    /// Started then.
    polling: BTreeMap<i64, Instant>,
    /// Rung while they were being polled.
    rung: BTreeSet<i64>,
    /// Not asked before.
    not_before: BTreeMap<i64, Instant>,
}

impl Plan {
    fn next_at(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }

    /// The calendar asks for a poll: now, or when the company's trouble allows. One that is being
    /// polled is polled again.
    fn ring(&mut self, id: i64) {
        if self.polling.contains_key(&id) {
            self.rung.insert(id);
        } else {
            let at = self.not_before.get(&id).copied();
            let now = Instant::now();
            self.due.insert(id, at.map_or(now, |at| at.max(now)));
        }
    }

    /// Companies whose time has come; they count as being polled from here on.
    fn take_due(&mut self) -> Vec<i64> {
        let now = Instant::now();
        let ready: Vec<i64> = self
            .due
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in &ready {
            self.due.remove(id);
            self.polling.insert(*id, now);
        }
        ready
    }

    /// A poll has ended. `wait` counts from its start, or from now after trouble; `None` leaves the
    /// company to the calendar.
    fn ended(&mut self, id: i64, wait: Wait) {
        let now = Instant::now();
        let started = self.polling.remove(&id).unwrap_or(now);
        let rung = self.rung.remove(&id);
        self.not_before.remove(&id);
        let next = match wait {
            Wait::Interval(interval) => Some((started + interval).max(now)),
            Wait::Trouble(pause) => {
                self.not_before.insert(id, now + pause);
                Some(now + pause)
            }
            Wait::Calendar => rung.then_some(now),
        };
        if let Some(at) = next {
            self.due.insert(id, at);
        }
    }
}

/// What a company waits for after a poll.
enum Wait {
    /// From the start of the last poll.
    Interval(Duration),
    /// From its end.
    Trouble(Duration),
    /// The next firing.
    Calendar,
}

/// Starts each company's polls, at most one at a time, spread over the interval.
pub(super) async fn dispatch(
    pipeline: Arc<Pipeline>,
    mut calendar: mpsc::UnboundedReceiver<i64>,
    pulse: Arc<Pulse>,
) -> Result<(), DaemonError> {
    let mut plan = Plan::default();
    let mut autos = Autos::default();
    let mut polls: JoinSet<(i64, Result<PollReport, StoreError>)> = JoinSet::new();
    let start = Instant::now();
    let count = u32::try_from(pipeline.companies().len())
        .unwrap_or(u32::MAX)
        .max(1);
    for (n, company) in (0..).zip(pipeline.companies().values()) {
        // The first look is soon for everybody; after it they keep their distance.
        let spread = company.settings.pace.interval.min(Duration::from_secs(60)) / count;
        plan.due.insert(company.settings.id, start + spread * n);
    }
    let mut calendar_open = true;
    loop {
        Pulse::beat(&pulse.dispatcher);
        // The pulse is felt even while nothing is due for long.
        let idle = Instant::now() + GLANCE * 4;
        let wake = plan.next_at().map_or(idle, |at| at.min(idle));
        tokio::select! {
            () = pipeline.stopping.cancelled() => break,
            () = tokio::time::sleep_until(wake) => {
                for id in plan.take_due() {
                    let Some(company) = pipeline.companies().get(&id).map(Arc::clone) else { continue };
                    let pipeline = Arc::clone(&pipeline);
                    polls.spawn(async move { (id, pipeline.poll_once(&company).await) });
                }
            }
            id = calendar.recv(), if calendar_open => match id {
                Some(id) => plan.ring(id),
                None => calendar_open = false,
            },
            Some(done) = polls.join_next() => {
                let Ok((id, report)) = done else { return Err(DaemonError::LoopEnded("poll")) };
                plan.ended(id, wait_after(&pipeline, id, report?, &mut autos).await?);
            }
        }
    }
    while polls.join_next().await.is_some() {}
    Ok(())
}

/// What a company waits for after this poll: the interval or the calendar, or what its trouble
/// asks for.
async fn wait_after(
    pipeline: &Pipeline,
    id: i64,
    report: PollReport,
    autos: &mut Autos,
) -> Result<Wait, StoreError> {
    let Some(company) = pipeline.companies().get(&id) else {
        return Ok(Wait::Calendar);
    };
    let settings = &company.settings;
    let row = || pipeline.store().read(move |c| companies::get(c, id));
    if report.counts.events() > 0 {
        autos.changed(id);
    }
    match report.error {
        None if settings.schedule.is_some() => Ok(Wait::Calendar),
        None if settings.pace.auto => {
            let zone = settings.timezone.or(row().await?.and_then(|r| r.info.zone));
            let (average, now) = (settings.pace.interval, pipeline.clock().now());
            Ok(Wait::Interval(autos.interval(id, zone, average, now)))
        }
        None => Ok(Wait::Interval(settings.pace.interval)),
        Some(ApiError::Throttled { pause }) => Ok(Wait::Trouble(pause)),
        Some(_) => {
            let at = row().await?.and_then(|row| row.next_try_at);
            let pause = at.map_or(settings.pace.interval, |at| {
                until(at, pipeline.clock().now())
            });
            Ok(Wait::Trouble(pause))
        }
    }
}
