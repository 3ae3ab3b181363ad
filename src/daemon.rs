//! The daemon: loops that call the stages when something is due, and the signals that end them.
//!
//! One dispatcher starts polls, one loop settles and raises alerts, one loop a channel sends, one a
//! receiver listens. They share nothing but the database and a bell. Between two due moments
//! everything sleeps.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::pipeline::events::SinkEnd;
use crate::pipeline::{ChannelEnd, Pipeline};
use crate::store::{
    StoreError, companies, conversations, outbox, proposals, reminders, settling, sinks, stats,
    writes,
};

mod auto;
mod dispatch;
mod once;

use dispatch::{calendar, dispatch};
pub use once::{Trouble, once};

/// Other programs (`release`, `retry`) write to the database too; this often it is looked at anew.
const GLANCE: Duration = Duration::from_secs(5);
/// A receiver waits this long for a notification in one request.
const LISTEN: Duration = Duration::from_secs(20);
/// After a receiver's error it rests this long.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);
/// Chores of the day are looked for this often.
const CHORES: Duration = Duration::from_mins(1);
/// How long what is in hand may take after a signal; the rest of ten seconds is for leaving.
const DRAIN: Duration = Duration::from_secs(8);

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

/// Signs of life of the loops that do the work, and what else systemd is to be shown of a round.
pub struct Pulse {
    dispatcher: AtomicI64,
    worker: AtomicI64,
    /// What sends, once it does.
    channels: OnceLock<Vec<Arc<ChannelEnd>>>,
    /// New settings were refused since.
    refused: AtomicBool,
}

/// Those who reload need not read the log to know of it.
const REFUSED: &str = "the new settings are refused, see the log; the old ones are in force";

impl Default for Pulse {
    /// Loops that are about to begin count as alive.
    fn default() -> Self {
        Self::last_at(Utc::now())
    }
}

impl Pulse {
    /// Loops that moved then for the last time.
    #[must_use]
    pub fn last_at(at: DateTime<Utc>) -> Self {
        Self {
            dispatcher: at.timestamp().into(),
            worker: at.timestamp().into(),
            channels: OnceLock::new(),
            refused: AtomicBool::new(false),
        }
    }

    /// Tells systemd, from now on, that new settings were refused: `systemctl status` shows it.
    pub fn settings_refused(&self) {
        self.refused.store(true, Ordering::Relaxed);
        notify(&[sd_notify::NotifyState::Status(REFUSED)]);
    }

    fn beat(slot: &AtomicI64) {
        slot.store(Utc::now().timestamp(), Ordering::Relaxed);
    }

    /// Whether every loop that does the work has moved lately, and nothing hangs in those that send.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let now = Utc::now().timestamp();
        let move_on = [&self.dispatcher, &self.worker]
            .iter()
            .all(|s| now - s.load(Ordering::Relaxed) < 60);
        let mut channels = self.channels.get().into_iter().flatten();
        move_on && channels.all(|end| end.is_well(Instant::now()))
    }
}

/// Runs until `stop` is cancelled; then finishes what is in hand and returns.
pub async fn run(
    pipeline: Arc<Pipeline>,
    stop: CancellationToken,
    pulse: Arc<Pulse>,
) -> Result<(), DaemonError> {
    pipeline.recover_interrupted().await?;
    Pulse::beat(&pulse.dispatcher);
    Pulse::beat(&pulse.worker);
    let ends = pipeline.channels().values().map(Arc::clone);
    pulse.channels.get_or_init(|| ends.collect());
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
    for end in pipeline.sinks() {
        let (p, end) = (Arc::clone(&pipeline), Arc::clone(end));
        loops.spawn(async move { ("events", hand_on(p, end).await) });
    }
    if pipeline.has_heartbeat() {
        let p = Arc::clone(&pipeline);
        loops.spawn(async move { ("heartbeat", heartbeat(p).await) });
    }
    {
        let (p, pulse) = (Arc::clone(&pipeline), Arc::clone(&pulse));
        loops.spawn(async move { ("upkeep", upkeep(p, pulse).await) });
    }
    {
        let p = Arc::clone(&pipeline);
        loops.spawn(async move { ("writing", write(p).await) });
    }
    {
        let p = Arc::clone(&pipeline);
        loops.spawn(async move { ("answering", answer(p).await) });
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

/// Tells systemd that the process is on its way out, unless it only waits for better times.
pub fn announce_stopping_unless(waits: bool) {
    if !waits {
        notify(&[sd_notify::NotifyState::Stopping]);
    }
}

/// Rests for so long, ready and alive for systemd, which would only start it again and again.
pub async fn rest(why: &str, span: Duration, stop: &CancellationToken) {
    notify(&[
        sd_notify::NotifyState::Ready,
        sd_notify::NotifyState::Status(why),
    ]);
    let feed = feed_watchdog(|| true);
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(span) => {}
        () = feed => {}
    }
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

/// How it goes, for `systemctl status`.
async fn announce_state(pipeline: &Pipeline, pulse: &Pulse) -> Result<(), DaemonError> {
    let watched: Vec<i64> = pipeline.companies().keys().copied().collect();
    let of = watched.len();
    let (failing, waiting) = pipeline
        .store()
        .read(move |c| {
            let mut failing = 0;
            for id in watched {
                let row = companies::get(c, id)?;
                failing += usize::from(row.is_some_and(|row| row.failing_since.is_some()));
            }
            Ok((failing, stats::waiting(c, None)?))
        })
        .await?;
    let mut status =
        format!("companies: {of}, not readable: {failing}; messages waiting: {waiting}");
    if pulse.refused.load(Ordering::Relaxed) {
        status = format!("{REFUSED}; {status}");
    }
    notify(&[sd_notify::NotifyState::Status(&status)]);
    Ok(())
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
        if report.visits + report.reminders > 0 || raised > 0 {
            pipeline.bell.notify_waiters();
        }
        let next = pipeline
            .store()
            .read(move |c| {
                let next = [settling::next_at(c, now)?, reminders::next_at(c, now)?];
                Ok(next.into_iter().flatten().min())
            })
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

/// Does the daily chores when they are due, in a loop of their own: a large backup takes a while.
async fn upkeep(pipeline: Arc<Pipeline>, pulse: Arc<Pulse>) -> Result<(), DaemonError> {
    loop {
        announce_state(&pipeline, &pulse).await?;
        pipeline.evenings_due(pipeline.clock().now()).await?;
        pipeline.models_due(pipeline.clock().now()).await?;
        pipeline.chores_due(pipeline.clock().now()).await?;
        tokio::select! {
            () = pipeline.stopping.cancelled() => return Ok(()),
            () = tokio::time::sleep(CHORES) => {}
        }
    }
}

/// Writes into journals what clients asked for; sleeps until something is asked.
async fn write(pipeline: Arc<Pipeline>) -> Result<(), DaemonError> {
    loop {
        let bell = Arc::clone(&pipeline.bell);
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        pipeline.writes_due(pipeline.clock().now()).await?;
        let next = pipeline
            .store()
            .read(|c| Ok([writes::next_at(c)?, proposals::next_at(c)?]))
            .await?;
        let next = next.into_iter().flatten().min();
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

/// Answers by a model what clients wrote; sleeps until something waits.
async fn answer(pipeline: Arc<Pipeline>) -> Result<(), DaemonError> {
    loop {
        let bell = Arc::clone(&pipeline.bell);
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        // A model may think for a while; whoever leaves does not wait for it: the turn begins anew.
        tokio::select! {
            () = pipeline.stopping.cancelled() => return Ok(()),
            answered = pipeline.answers_due(pipeline.clock().now()) => { answered?; }
        }
        let next = pipeline.store().read(conversations::next_at).await?;
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
        if report.accepted + report.failed + report.moved > 0 {
            // The next in line for the same person, or on another channel, may be due now.
            pipeline.bell.notify_waiters();
        }
        let (now, name) = (pipeline.clock().now(), end.name.clone());
        let next = pipeline
            .store()
            .read(move |c| outbox::next_step_at(c, &name, now))
            .await?;
        let next = next.into_iter().chain(report.probe_at).min();
        let wait = next.map_or(GLANCE, |at| until(at, now)).min(GLANCE);
        tokio::select! {
            () = pipeline.stopping.cancelled() => return Ok(()),
            () = rung => {}
            () = tokio::time::sleep(wait.max(Duration::from_millis(5))) => {}
        }
    }
}

/// Hands events on to one sink; sleeps until the next is due.
async fn hand_on(pipeline: Arc<Pipeline>, end: Arc<SinkEnd>) -> Result<(), DaemonError> {
    loop {
        let bell = Arc::clone(&pipeline.bell);
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        // A request in hand ends by itself in its time; what it came to has to be written down.
        pipeline.events_due(&end).await?;
        if pipeline.stopping.is_cancelled() {
            return Ok(());
        }
        let name = end.name.clone();
        let next = pipeline.store().read(move |c| sinks::next_at(c, &name));
        let now = pipeline.clock().now();
        let wait = next.await?.map_or(GLANCE, |at| until(at, now)).min(GLANCE);
        tokio::select! {
            () = pipeline.stopping.cancelled() => return Ok(()),
            () = rung => {}
            () = tokio::time::sleep(wait.max(Duration::from_millis(5))) => {}
        }
    }
}

/// Touches the dead-man switch after every good cycle. Nothing waits for its answer.
async fn heartbeat(pipeline: Arc<Pipeline>) -> Result<(), DaemonError> {
    loop {
        tokio::select! {
            () = pipeline.stopping.cancelled() => return Ok(()),
            beaten = pipeline.beat_due() => drop(beaten?),
        }
        tokio::select! {
            () = pipeline.stopping.cancelled() => return Ok(()),
            () = tokio::time::sleep(GLANCE) => {}
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
                }
                troubled = true;
                let why = format!("cannot receive: {error}");
                pipeline.note_deaf(&end, &why).await?;
                tokio::select! {
                    () = pipeline.stopping.cancelled() => return Ok(()),
                    () = tokio::time::sleep(LISTEN_AGAIN) => {}
                }
            }
        }
    }
}

/// How long it is until then; nothing when it has passed.
fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (at - now).to_std().unwrap_or(Duration::ZERO)
}
