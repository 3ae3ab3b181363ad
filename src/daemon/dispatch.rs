//! Who is polled when: deadlines of a monotonic clock, and the calendar for companies that have one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_cron_scheduler::{Job, JobScheduler};

use super::{DaemonError, GLANCE, Pulse, until};
use crate::pipeline::Pipeline;
use crate::pipeline::poll::PollReport;
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
        let row = pipeline
            .store()
            .read(move |c| companies::get(c, id))
            .await?
            .unwrap_or_default();
        let zone = company
            .settings
            .timezone
            .or(row.info.zone)
            .unwrap_or(chrono_tz::UTC);
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

/// Starts each company's polls, at most one at a time, spread over the interval.
pub(super) async fn dispatch(
    pipeline: Arc<Pipeline>,
    mut rung: mpsc::UnboundedReceiver<i64>,
    pulse: Arc<Pulse>,
) -> Result<(), DaemonError> {
    let mut due: BinaryHeap<Reverse<(Instant, i64)>> = BinaryHeap::new();
    let mut polling: JoinSet<(i64, Result<PollReport, StoreError>)> = JoinSet::new();
    let start = Instant::now();
    let count = u32::try_from(pipeline.companies().len())
        .unwrap_or(u32::MAX)
        .max(1);
    for (n, company) in pipeline.companies().values().enumerate() {
        // The first look is soon for everybody; after it they keep their distance.
        let spread = company.settings.pace.interval.min(Duration::from_secs(60)) / count;
        let n = u32::try_from(n).unwrap_or(0);
        due.push(Reverse((start + spread * n, company.settings.id)));
    }
    let mut calendar_open = true;
    loop {
        Pulse::beat(&pulse.dispatcher);
        let next = due.peek().map(|Reverse((at, _))| *at);
        let wake = next
            .unwrap_or_else(|| Instant::now() + GLANCE)
            .min(Instant::now() + GLANCE * 4);
        tokio::select! {
            () = pipeline.stopping.cancelled() => break,
            () = tokio::time::sleep_until(wake) => {
                while let Some(Reverse((at, id))) = due.peek().copied() {
                    if at > Instant::now() {
                        break;
                    }
                    due.pop();
                    start_poll(&pipeline, id, &mut polling);
                }
            }
            id = rung.recv(), if calendar_open => match id {
                Some(id) => start_poll(&pipeline, id, &mut polling),
                None => calendar_open = false,
            },
            Some(done) = polling.join_next() => {
                let Ok((id, report)) = done else { return Err(DaemonError::LoopEnded("poll")) };
                if let Some(at) = next_poll(&pipeline, id, report?).await? {
                    due.push(Reverse((at, id)));
                }
            }
        }
    }
    while polling.join_next().await.is_some() {}
    Ok(())
}

fn start_poll(
    pipeline: &Arc<Pipeline>,
    id: i64,
    polling: &mut JoinSet<(i64, Result<PollReport, StoreError>)>,
) {
    let Some(company) = pipeline.companies().get(&id).map(Arc::clone) else {
        return;
    };
    let pipeline = Arc::clone(pipeline);
    polling.spawn(async move {
        // A look before speaking may have failed a moment ago; its pause holds here too.
        (id, pipeline.poll_once(&company).await)
    });
}

/// When this company is polled next: after the interval, or when its trouble allows. With a
/// `schedule` only trouble brings an earlier poll than the calendar.
async fn next_poll(
    pipeline: &Pipeline,
    id: i64,
    report: PollReport,
) -> Result<Option<Instant>, StoreError> {
    let Some(company) = pipeline.companies().get(&id) else {
        return Ok(None);
    };
    if report.error.is_none() {
        let interval = company.settings.pace.interval;
        let half = interval / 2;
        // Something was missing: the second look comes with the next poll, which a calendar may
        // put far away; the interval stands in for it.
        return Ok(company
            .settings
            .schedule
            .is_none()
            .then(|| Instant::now() + interval.max(half)));
    }
    let row = pipeline
        .store()
        .read(move |c| companies::get(c, id))
        .await?
        .unwrap_or_default();
    let wait = row
        .next_try_at
        .map_or(company.settings.pace.interval, |at| {
            until(at, pipeline.clock().now())
        });
    Ok(Some(Instant::now() + wait))
}
