//! The daemon: loops that call the stages when something is due, and the signals that end them.
//!
//! One dispatcher starts polls, one loop settles and raises alerts, one loop a channel sends, one a
//! receiver listens. They share nothing but the database and a bell. Between two due moments
//! everything sleeps.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_cron_scheduler::{Job, JobScheduler};
use tokio_util::sync::CancellationToken;

use crate::pipeline::poll::PollReport;
use crate::pipeline::{ChannelEnd, Company, Pipeline};
use crate::store::{StoreError, companies, outbox, settling};

/// Other programs (`release`, `retry`) write to the database too; this often it is looked at anew.
const GLANCE: Duration = Duration::from_secs(5);
/// A receiver waits this long for a notification in one request.
const LISTEN: Duration = Duration::from_secs(20);
/// After a receiver's error it rests this long.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);
/// How long what is in hand may take after a signal; the rest of ten seconds is for leaving.
const DRAIN: Duration = Duration::from_secs(8);
/// Firings that the scheduler may owe at once; with its default of 200 it loses some (measured).
const CALENDAR_CHANNEL: usize = 4096;

/// Why the daemon ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The database cannot be trusted any more.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A loop ended that never should.
    #[error("the {0} loop ended unexpectedly")]
    LoopEnded(&'static str),
    /// A cron expression could not be scheduled.
    #[error("cannot schedule polls of company {company}: {why}")]
    Calendar {
        /// The company.
        company: i64,
        /// What the scheduler said.
        why: String,
    },
}

/// Signs of life of the loops that do the work, for the watchdog.
#[derive(Debug, Default)]
struct Pulse {
    dispatcher: AtomicI64,
    worker: AtomicI64,
}

impl Pulse {
    fn beat(slot: &AtomicI64) {
        slot.store(Utc::now().timestamp(), Ordering::Relaxed);
    }

    fn is_alive(&self) -> bool {
        let now = Utc::now().timestamp();
        [&self.dispatcher, &self.worker]
            .iter()
            .all(|s| now - s.load(Ordering::Relaxed) < 60)
    }
}

/// Runs until `stop` is cancelled; then finishes what is in hand and returns.
pub async fn run(pipeline: Arc<Pipeline>, stop: CancellationToken) -> Result<(), DaemonError> {
    pipeline.recover_interrupted().await?;
    let pulse = Arc::new(Pulse::default());
    Pulse::beat(&pulse.dispatcher);
    Pulse::beat(&pulse.worker);
    let mut loops: JoinSet<(&'static str, Result<(), DaemonError>)> = JoinSet::new();
    let (calendar, polls) = calendar(&pipeline).await?;
    {
        let (p, pulse) = (Arc::clone(&pipeline), Arc::clone(&pulse));
        loops.spawn(async move { ("dispatcher", dispatch(p, polls, pulse).await) });
    }
    {
        let (p, pulse) = (Arc::clone(&pipeline), Arc::clone(&pulse));
        loops.spawn(async move { ("settling", settle(p, pulse).await) });
    }
    for end in pipeline.channels().values() {
        let (p, end) = (Arc::clone(&pipeline), Arc::clone(end));
        if end.receiver.is_some() {
            let (p, end) = (Arc::clone(&p), Arc::clone(&end));
            loops.spawn(async move { ("receiving", listen(p, end).await) });
        }
        loops.spawn(async move { ("delivery", deliver(p, end).await) });
    }
    {
        let stopping = pipeline.stopping.clone();
        loops.spawn(async move { ("watchdog", watchdog(pulse, stopping).await) });
    }
    announce_ready(&pipeline);
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        Some(ended) = loops.join_next() => match ended {
            Ok((name, Ok(()))) => Err(DaemonError::LoopEnded(name)),
            Ok((_, Err(error))) => Err(error),
            Err(_) => Err(DaemonError::LoopEnded("panicked")),
        },
    };
    pipeline.stopping.cancel();
    pipeline.bell.notify_waiters();
    if let Some(mut scheduler) = calendar {
        // It only sets a flag; its jobs do nothing but ring.
        if scheduler.shutdown().await.is_err() {
            tracing::debug!("the calendar was already down");
        }
    }
    drain(loops).await;
    ended
}

/// Stays up and ready without doing anything: `enabled = false`.
pub async fn idle(stop: CancellationToken) {
    notify(&[
        sd_notify::NotifyState::Ready,
        sd_notify::NotifyState::Status("switched off: monitor.enabled is false"),
    ]);
    let feed = feed_watchdog(|| true);
    tokio::select! {
        () = stop.cancelled() => {}
        () = feed => {}
    }
}

/// Tells systemd that the process is on its way out.
pub fn announce_stopping() {
    notify(&[sd_notify::NotifyState::Stopping]);
}

/// Waits for the loops to leave by themselves: sends in hand end, no new one begins.
async fn drain(mut loops: JoinSet<(&'static str, Result<(), DaemonError>)>) {
    let in_hand = async { while loops.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, in_hand).await.is_err() {
        tracing::warn!(
            "gave up waiting for requests in hand; a send among them counts as uncertain at the next start"
        );
    }
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

fn announce_ready(pipeline: &Pipeline) {
    let status = format!(
        "watching {} companies, {} channels",
        pipeline.companies().len(),
        pipeline.channels().len()
    );
    tracing::info!(
        companies = pipeline.companies().len(),
        channels = pipeline.channels().len(),
        "ready"
    );
    notify(&[
        sd_notify::NotifyState::Ready,
        sd_notify::NotifyState::Status(&status),
    ]);
}

/// Tells systemd that the loops that work are alive; only they feed the watchdog.
async fn watchdog(pulse: Arc<Pulse>, stopping: CancellationToken) -> Result<(), DaemonError> {
    let feed = feed_watchdog(|| pulse.is_alive());
    tokio::select! {
        () = stopping.cancelled() => {}
        () = feed => {}
    }
    Ok(())
}

/// Feeds systemd's watchdog while `is_alive` says so; for ever, and never where there is none.
async fn feed_watchdog(is_alive: impl Fn() -> bool) {
    let Some(period) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    let mut tick = tokio::time::interval(period / 3);
    loop {
        tick.tick().await;
        if is_alive() {
            notify(&[sd_notify::NotifyState::Watchdog]);
        }
    }
}

/// Polls that a calendar starts: companies with a `schedule`. The scheduler only rings; a firing
/// that is missed is made up by the next one.
async fn calendar(
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
async fn dispatch(
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

fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (at - now).to_std().unwrap_or(Duration::ZERO)
}

/// Settles what is due and raises alerts; sleeps until the next delay ends.
async fn settle(pipeline: Arc<Pipeline>, pulse: Arc<Pulse>) -> Result<(), DaemonError> {
    loop {
        // Register before looking, or a ring in between is lost.
        let bell = Arc::clone(&pipeline.bell);
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        Pulse::beat(&pulse.worker);
        let now = pipeline.clock().now();
        let report = pipeline.settle_due(now).await?;
        let raised = pipeline.alerts_due(now).await?;
        if report.visits > 0 || raised > 0 {
            pipeline.bell.notify_waiters();
        }
        let next = pipeline
            .store()
            .read(move |c| settling::next_at(c, now))
            .await?;
        let wait = next
            .map_or(GLANCE, |at| until(at, pipeline.clock().now()))
            .min(GLANCE);
        tokio::select! {
            () = pipeline.stopping.cancelled() => return Ok(()),
            () = rung => {}
            () = tokio::time::sleep(wait.max(Duration::from_millis(5))) => {}
        }
    }
}

/// Sends what is due on one channel; sleeps until the next message is.
async fn deliver(pipeline: Arc<Pipeline>, end: Arc<ChannelEnd>) -> Result<(), DaemonError> {
    loop {
        let bell = Arc::clone(&pipeline.bell);
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        if pipeline.stopping.is_cancelled() {
            return Ok(());
        }
        let report = pipeline.deliver_due(&end).await?;
        if report.accepted + report.failed > 0 {
            // The next in line for the same person, or on another channel, may be due now.
            pipeline.bell.notify_waiters();
        }
        let now = pipeline.clock().now();
        let next = pipeline
            .store()
            .read(move |c| outbox::next_due_at(c, now))
            .await?;
        let wait = next.map_or(GLANCE, |at| until(at, now)).min(GLANCE);
        tokio::select! {
            () = pipeline.stopping.cancelled() => return Ok(()),
            () = rung => {}
            () = tokio::time::sleep(wait.max(Duration::from_millis(5))) => {}
        }
    }
}

/// Listens to one channel.
async fn listen(pipeline: Arc<Pipeline>, end: Arc<ChannelEnd>) -> Result<(), DaemonError> {
    let Some(receiver) = end.receiver.clone() else {
        return std::future::pending().await;
    };
    let mut troubled = false;
    loop {
        let heard = tokio::select! {
            () = pipeline.stopping.cancelled() => return Ok(()),
            heard = pipeline.receive_once(&end, &receiver, LISTEN) => heard,
        };
        match heard {
            Ok(_) if troubled => {
                troubled = false;
                pipeline.note_channel(&end, Ok(())).await?;
            }
            Ok(_) => {}
            Err(crate::pipeline::receive::ReceiveError::Store(error)) => return Err(error.into()),
            Err(error) => {
                // Said once, not every five seconds.
                if !troubled {
                    tracing::warn!(channel = end.name, %error, "cannot receive");
                    let why = format!("cannot receive: {error}");
                    pipeline.note_trouble(&end, &why).await?;
                }
                troubled = true;
                tokio::select! {
                    () = pipeline.stopping.cancelled() => return Ok(()),
                    () = tokio::time::sleep(LISTEN_AGAIN) => {}
                }
            }
        }
    }
}

/// One turn of every stage, for `--once`: receive first, so that what clients wrote counts.
/// Returns what went wrong, company by company and channel by channel.
pub async fn once(
    pipeline: &Arc<Pipeline>,
    drain_for: Option<Duration>,
) -> Result<Vec<Trouble>, DaemonError> {
    pipeline.recover_interrupted().await?;
    let mut troubles = Vec::new();
    for end in pipeline.channels().values() {
        if let Err(error) = pipeline.receive_all(end, Duration::from_secs(1)).await {
            match error {
                crate::pipeline::receive::ReceiveError::Store(error) => return Err(error.into()),
                error => {
                    let why = format!("cannot receive: {error}");
                    pipeline.note_trouble(end, &why).await?;
                    troubles.push(Trouble::Channel {
                        name: end.name.clone(),
                        why,
                    });
                }
            }
        }
    }
    troubles.extend(poll_all(pipeline).await?);
    let until = drain_for.map(|span| Instant::now() + span);
    loop {
        turn(pipeline).await?;
        let Some(until) = until else { break };
        let Some(wait) = next_work(pipeline, until).await? else {
            break;
        };
        tokio::select! {
            () = pipeline.stopping.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
        }
    }
    pipeline.alerts_due(pipeline.clock().now()).await?;
    turn(pipeline).await?;
    troubles.extend(channels_down(pipeline).await?);
    Ok(troubles)
}

/// What went wrong in a single run; the rest was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This company could not be polled.
    Company {
        /// Its id.
        id: i64,
        /// What the API said.
        why: String,
        /// A person has to act.
        denied: Option<u16>,
    },
    /// This channel does not work.
    Channel {
        /// Its name.
        name: String,
        /// What it said.
        why: String,
    },
}

async fn poll_all(pipeline: &Arc<Pipeline>) -> Result<Vec<Trouble>, DaemonError> {
    let mut troubles = Vec::new();
    let mut polls = JoinSet::new();
    for company in pipeline.companies().values() {
        let (pipeline, company) = (Arc::clone(pipeline), Arc::clone(company));
        polls.spawn(async move { poll_unless_paused(&pipeline, &company).await });
    }
    while let Some(done) = polls.join_next().await {
        match done {
            Ok(trouble) => troubles.extend(trouble?),
            Err(_) => return Err(DaemonError::LoopEnded("poll")),
        }
    }
    Ok(troubles)
}

/// A refused company is probed once per five minutes even from cron; any other pause is ignored.
async fn poll_unless_paused(
    pipeline: &Pipeline,
    company: &Arc<Company>,
) -> Result<Option<Trouble>, StoreError> {
    let id = company.settings.id;
    let row = pipeline
        .store()
        .read(move |c| companies::get(c, id))
        .await?
        .unwrap_or_default();
    let waits = row
        .next_try_at
        .is_some_and(|at| at > pipeline.clock().now());
    if let (Some(status), true) = (row.denied, waits) {
        let why = row.last_error.unwrap_or_default();
        return Ok(Some(Trouble::Company {
            id,
            why,
            denied: Some(status),
        }));
    }
    let report = pipeline.poll_once(company).await?;
    Ok(report.error.map(|error| Trouble::Company {
        id,
        why: error.to_string(),
        denied: match error {
            crate::ports::ApiError::Denied { status, .. } => Some(status),
            _ => None,
        },
    }))
}

async fn turn(pipeline: &Pipeline) -> Result<(), DaemonError> {
    pipeline.settle_due(pipeline.clock().now()).await?;
    let mut sending = Vec::new();
    for end in pipeline.channels().values() {
        sending.push(pipeline.deliver_due(end));
    }
    for report in futures_util::future::join_all(sending).await {
        report?;
    }
    Ok(())
}

/// How long to wait for the next thing that becomes due before `until`; `None` when nothing does.
async fn next_work(
    pipeline: &Pipeline,
    until_at: Instant,
) -> Result<Option<Duration>, DaemonError> {
    let now = pipeline.clock().now();
    let left = until_at.saturating_duration_since(Instant::now());
    let (settles, due) = pipeline
        .store()
        .read(move |c| Ok((settling::next_at(c, now)?, outbox::next_due_at(c, now)?)))
        .await?;
    let next = [settles, due].into_iter().flatten().min();
    Ok(next
        .map(|at| until(at, now).max(Duration::from_millis(20)))
        .filter(|wait| *wait <= left))
}

async fn channels_down(pipeline: &Pipeline) -> Result<Vec<Trouble>, DaemonError> {
    let states = pipeline.store().read(crate::store::channels::all).await?;
    let down = states.into_iter().filter(|s| s.down_since.is_some());
    Ok(down
        .map(|s| Trouble::Channel {
            name: s.name,
            why: s.last_error.unwrap_or_default(),
        })
        .collect())
}
