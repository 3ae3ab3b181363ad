//! `--once`: the same stages as the daemon's, each called once.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{DaemonError, until};
use crate::pipeline::receive::ReceiveError;
use crate::pipeline::{Company, Pipeline};
use crate::ports::ApiError;
use crate::store::{StoreError, companies, outbox, settling};

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
                ReceiveError::Store(error) => return Err(error.into()),
                error => {
                    let why = format!("cannot receive: {error}");
                    pipeline.note_deaf(end, &why).await?;
                    troubles.push(Trouble::Channel {
                        name: end.name.clone(),
                        why,
                    });
                }
            }
        }
    }
    pipeline.writes_due(pipeline.clock().now()).await?;
    pipeline.answers_due(pipeline.clock().now()).await?;
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
    // Nobody waits for them: people were told first.
    let handed = pipeline.sinks().iter().map(|end| pipeline.events_due(end));
    for report in futures_util::future::join_all(handed).await {
        report?;
    }
    pipeline.evenings_due(pipeline.clock().now()).await?;
    pipeline.models_due(pipeline.clock().now()).await?;
    pipeline.alerts_due(pipeline.clock().now()).await?;
    turn(pipeline).await?;
    pipeline.chores_due(pipeline.clock().now()).await?;
    for down in channels_down(pipeline).await? {
        let is_same = |told: &Trouble| told.channel().is_some_and(|c| down.channel() == Some(c));
        if !troubles.iter().any(is_same) {
            troubles.push(down);
        }
    }
    if troubles.is_empty() {
        pipeline.beat_due().await?;
    }
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

impl Trouble {
    /// The channel that it is about.
    fn channel(&self) -> Option<&str> {
        match self {
            Self::Channel { name, .. } => Some(name),
            Self::Company { .. } => None,
        }
    }
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
            ApiError::Denied { status, .. } => Some(status),
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
