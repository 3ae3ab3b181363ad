//! Deliver: what is due leaves. The intent is on the disk before the first byte, the decision is
//! taken anew in the transaction that writes it, and every outcome is stored.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::claim::Claim;
use super::outcome::PARKED_LOOK;
use super::poll::delta;
use super::{ChannelEnd, Pipeline};
use crate::domain::delivery::Outcome;
use crate::failpoint;
use crate::store::outbox::{self, Due, Look};
use crate::store::{self, channels, companies, sinks};

/// Messages on their way at once on one channel; one to each recipient.
const IN_FLIGHT: usize = 8;
/// Of these so many may be edits.
const EDITS_IN_FLIGHT: usize = 2;
/// While sends are under way, what else falls due is looked for this often.
const GLANCE: Duration = Duration::from_secs(5);
/// Taken from the outbox at once.
const BATCH: u32 = 64;
/// What was taken is looked up anew after this: who comes first may be another one by then.
const LINE_LIFE: Duration = Duration::from_millis(200);
/// Before a client is told something, the journal must have been read this recently.
pub(super) const FRESH: TimeDelta = TimeDelta::seconds(5);
/// When it cannot be read, a message still goes while the last good look is younger than this.
const STALE: Duration = Duration::from_mins(3);
/// What may not leave because the journal cannot be read is looked at again after this.
const BLIND_PAUSE: TimeDelta = TimeDelta::seconds(15);
/// A parked channel is asked this often whether it works again: it has to be back within ten seconds
/// of its recovery.
const PROBE_EVERY: TimeDelta = TimeDelta::seconds(8);
/// What came of a send is worth some tries more before the next start has to find it out.
const WRITE_AGAIN: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// What delivering came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliverReport {
    /// Taken by the channel.
    pub accepted: u32,
    /// Tried and not taken (yet).
    pub failed: u32,
    /// Left undone because the channel is down.
    pub parked: bool,
    /// Taken from the parked channel and given to the company's next one.
    pub moved: u32,
    /// When the parked channel is asked again.
    pub probe_at: Option<DateTime<Utc>>,
}

/// Messages that were due when the outbox was last looked at, in order.
#[derive(Default)]
struct Line {
    due: VecDeque<Due>,
    /// When that was; `None` when it has to be looked at anew.
    read_at: Option<Instant>,
    /// When something else falls due.
    next_at: Option<Instant>,
}

impl Line {
    /// The outbox may have something else to say by now.
    fn is_old(&self) -> bool {
        self.due.is_empty() || self.read_at.is_none_or(|at| at.elapsed() > LINE_LIFE)
    }
}

/// What came of one try to send something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// The channel took it.
    Taken,
    /// The channel did not.
    Failed,
    /// Something else is on its way to the same person: it is due as soon as that is over.
    Behind,
    /// It does not leave in this run.
    Left,
}

/// One thing under way on a channel.
enum Step {
    /// The journal of this company was looked at; until when its clients may be told things.
    Looked(i64, store::Result<Option<DateTime<Utc>>>),
    /// This notification was tried; whether it was taken, `None` when it did not leave.
    Tried(i64, store::Result<Tried>),
    /// The messenger's journal was searched for this send.
    LookedUp(i64, store::Result<()>),
    /// This message, which is out, was written anew.
    Edited(i64, store::Result<()>),
}

impl Pipeline {
    /// Sends everything that is due on one channel. Returns when nothing is.
    ///
    /// Looks at journals and sends run side by side, one send to each recipient, so that neither a
    /// slow journal nor a stuck recipient delays the others.
    pub async fn deliver_due(&self, end: &Arc<ChannelEnd>) -> store::Result<DeliverReport> {
        let halt = self.stopping.child_token();
        let mut flying = FuturesUnordered::new();
        let delivered = self.deliver(end, &halt, &mut flying).await;
        // When one fails, the intents of others may be on the disk by now: dropped, they would be in
        // doubt although they never left.
        halt.cancel();
        while flying.next().await.is_some() {}
        delivered
    }

    async fn deliver<'a>(
        &'a self,
        end: &'a Arc<ChannelEnd>,
        halt: &'a CancellationToken,
        flying: &mut FuturesUnordered<BoxFuture<'a, Step>>,
    ) -> store::Result<DeliverReport> {
        let mut report = DeliverReport::default();
        let (mut looking, mut sending) = (BTreeSet::new(), BTreeSet::new());
        let mut editing = 0;
        let mut may_speak: BTreeMap<i64, DateTime<Utc>> = BTreeMap::new();
        // What could not leave is left until then: for the next run, or a long one tries again.
        let mut blind: BTreeMap<i64, DateTime<Utc>> = BTreeMap::new();
        let mut left: BTreeMap<i64, DateTime<Utc>> = BTreeMap::new();
        let bell = Arc::clone(&self.bell);
        let mut line = Line::default();
        // Old words wait for new ones: an edit takes its turn in the chat's pace, too.
        let mut edits = Vec::new();
        loop {
            // Registered before looking, or a ring in between is lost.
            let rung = bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            let looks = end.life.work();
            let room = flying.len() < IN_FLIGHT && !self.stopping.is_cancelled();
            if room && line.is_old() {
                // A journal can be read when nothing can be sent.
                for look in self.looks_due(end).await? {
                    if sending.insert(look.id) {
                        let id = look.id;
                        let step = async move {
                            let _looks = end.life.work();
                            Step::LookedUp(id, self.look_up(end, look).await)
                        };
                        flying.push(step.boxed());
                    }
                }
                (line, edits) = (Line::default(), Vec::new());
                if self.is_open(end, &mut report).await? {
                    let (name, now) = (end.name.clone(), self.clock.now());
                    blind.retain(|_, until| *until > now);
                    left.retain(|_, until| *until > now);
                    // Salons that are being looked at, or cannot be read, keep no place from the others.
                    let not_now = |id: &i64| looking.contains(id) || blind.contains_key(id);
                    let (not_now, watched): (Vec<i64>, Vec<i64>) =
                        self.companies.keys().copied().partition(not_now);
                    let left: Vec<i64> = left.keys().chain(&sending).copied().collect();
                    let due = self
                        .store
                        .read(move |c| {
                            outbox::due(c, &name, (&watched, &not_now), &left, now, BATCH)
                        })
                        .await?;
                    line.due = due.into();
                    // No other journal is ever read.
                    for due in &mut line.due {
                        due.journals.retain(|id| self.companies.contains_key(id));
                    }
                    edits = self.edits_due(end).await?;
                }
                line.read_at = Some(Instant::now());
                line.next_at = Some(Instant::now() + self.next_due_in(end).await?);
            }
            let now = self.clock.now();
            while room && flying.len() < IN_FLIGHT {
                let Some(due) = line.due.pop_front() else {
                    break;
                };
                let until = |company: &i64| may_speak.get(company).copied();
                let cleared = due.journals.iter().map(until).min().flatten();
                let is_seen = cleared.is_some_and(|until| until >= now);
                if !due.to_client || due.journals.is_empty() || is_seen {
                    sending.insert(due.id);
                    flying.push(self.try_one(end, due, cleared, halt).boxed());
                    continue;
                }
                for company in due.journals {
                    let is_seen = until(&company).is_some_and(|until| until >= now);
                    if !is_seen && looking.insert(company) {
                        flying.push(self.look(company).boxed());
                    }
                }
            }
            for edit in edits.drain(..) {
                let id = edit.notification;
                if editing < EDITS_IN_FLIGHT && flying.len() < IN_FLIGHT && sending.insert(id) {
                    editing += 1;
                    let step = async move { Step::Edited(id, self.edit_one(end, edit).await) };
                    flying.push(step.boxed());
                }
            }
            drop(looks);
            // Whoever hangs delays nobody who comes later: the bell and the clock are heard too.
            let next_at = line.next_at.unwrap_or_else(|| Instant::now() + GLANCE);
            let step = tokio::select! {
                step = flying.next() => step,
                () = rung, if room && !flying.is_empty() => None,
                () = tokio::time::sleep_until(next_at), if room && !flying.is_empty() => None,
            };
            if !matches!(step, Some(Step::Tried(_, Ok(Tried::Taken)))) {
                line.read_at = None;
            }
            match step {
                None if flying.is_empty() => return Ok(report),
                None => {}
                Some(Step::Looked(company, verdict)) => {
                    looking.remove(&company);
                    match verdict? {
                        Some(until) => {
                            may_speak.insert(company, until);
                        }
                        None => {
                            blind.insert(company, self.clock.now() + BLIND_PAUSE);
                        }
                    }
                }
                Some(Step::Edited(id, outcome)) => {
                    editing -= 1;
                    sending.remove(&id);
                    outcome?;
                }
                Some(Step::LookedUp(id, outcome)) => {
                    sending.remove(&id);
                    outcome?;
                }
                Some(Step::Tried(id, outcome)) => {
                    sending.remove(&id);
                    match outcome? {
                        Tried::Taken => report.accepted += 1,
                        Tried::Failed => report.failed += 1,
                        Tried::Behind => {}
                        Tried::Left => {
                            left.insert(id, self.clock.now() + BLIND_PAUSE);
                        }
                    }
                }
            }
        }
    }

    /// How long until something else may fall due; a second at least, a glance at most.
    async fn next_due_in(&self, end: &ChannelEnd) -> store::Result<Duration> {
        let (now, name) = (self.clock.now(), end.name.clone());
        let next = self
            .store
            .read(move |c| outbox::next_step_at(c, &name, now))
            .await?;
        let wait = next.and_then(|at| (at - now).to_std().ok());
        Ok(wait.map_or(GLANCE, |wait| {
            wait.clamp(Duration::from_millis(100), GLANCE)
        }))
    }

    pub(super) async fn looks_due(&self, end: &ChannelEnd) -> store::Result<Vec<Look>> {
        let (name, now) = (end.name.clone(), self.clock.now());
        self.store
            .read(move |c| outbox::looks_due(c, &name, now))
            .await
    }

    async fn look(&self, company: i64) -> Step {
        Step::Looked(company, self.look_before_speaking(company).await)
    }

    async fn try_one(
        &self,
        end: &Arc<ChannelEnd>,
        due: Due,
        cleared: Option<DateTime<Utc>>,
        halt: &CancellationToken,
    ) -> Step {
        Step::Tried(due.id, self.deliver_one(end, &due, cleared, halt).await)
    }

    /// Whether this channel may send now: not told to wait, and not down. One that is down is asked
    /// again, now and then.
    pub(super) async fn is_open(
        &self,
        end: &Arc<ChannelEnd>,
        report: &mut DeliverReport,
    ) -> store::Result<bool> {
        let (name, now) = (end.name.clone(), self.clock.now());
        let state = self
            .store
            .read(move |c| channels::get(c, &name))
            .await?
            .unwrap_or_default();
        if state.blocked_until.is_some_and(|until| until > now) {
            report.moved += self.leave_shut(end).await?;
            return Ok(false);
        }
        if state.down_since.is_none() {
            return Ok(true);
        }
        let asked = state
            .checked_at
            .filter(|at| now - *at < PROBE_EVERY && now >= *at);
        report.parked = true;
        report.probe_at = Some(asked.unwrap_or(now) + PROBE_EVERY);
        if asked.is_none() {
            let verdict = end.channel.probe().await;
            report.parked = verdict.is_err();
            self.note_channel(end, verdict).await?;
        }
        if report.parked {
            report.moved += self.leave_shut(end).await?;
        }
        Ok(!report.parked)
    }

    /// What waits for a channel that sends nothing takes another one, where that is better.
    async fn leave_shut(&self, end: &ChannelEnd) -> store::Result<u32> {
        let (desk, name, now) = (self.desk(), end.name.clone(), self.clock.now());
        let moved = self
            .store
            .write(move |tx| desk.leave_parked(tx, &name, now));
        moved.await
    }

    /// Stores what a channel says of itself.
    pub async fn note_channel(
        &self,
        end: &ChannelEnd,
        verdict: Result<(), String>,
    ) -> store::Result<()> {
        let (name, now) = (end.name.clone(), self.clock.now());
        self.store
            .write(move |tx| match verdict {
                Ok(()) => {
                    let state = channels::get(tx, &name)?.unwrap_or_default();
                    if state.down_since.is_some() {
                        outbox::wake_refused(tx, &name, now, delta(PARKED_LOOK))?;
                    }
                    channels::set_answering(tx, &name, now)
                }
                Err(why) => channels::set_silent(tx, &name, &why, now),
            })
            .await
    }

    /// Stores that a channel cannot be listened to. Whether it could send it is asked itself: of one that
    /// nobody writes over just now nothing else tells that it is down.
    pub async fn note_deaf(&self, end: &ChannelEnd, why: &str) -> store::Result<()> {
        match end.channel.probe().await {
            Ok(()) => self.note_trouble(end, why).await,
            Err(why) => self.note_channel(end, Err(why)).await,
        }
    }

    /// Stores that a channel fails at something other than sending: `status` shows it.
    async fn note_trouble(&self, end: &ChannelEnd, why: &str) -> store::Result<()> {
        let (name, why) = (end.name.clone(), why.to_owned());
        self.store
            .write(move |tx| channels::note(tx, &name, &why))
            .await
    }

    /// A company whose journal was not read just now is read before its clients are told anything.
    /// What that finds restarts the delay; if it fails, only a fairly fresh look will do. Otherwise
    /// the company's messages wait. Returns until when its clients may be told things.
    async fn look_before_speaking(&self, id: i64) -> store::Result<Option<DateTime<Utc>>> {
        let row = || self.store.read(move |c| companies::get(c, id));
        let Some(company) = self.companies.get(&id) else {
            return Ok(None);
        };
        if !self.defences.look {
            return Ok(Some(self.clock.now() + FRESH));
        }
        let before = row().await?.unwrap_or_default();
        let now = self.clock.now();
        if before.next_try_at.is_none_or(|at| at <= now) {
            self.poll_unless_fresh(company, FRESH).await?;
        }
        let seen = row().await?.and_then(|r| r.last_poll_at);
        let now = self.clock.now();
        let patience = delta(STALE.max(company.settings.pace.interval));
        // One that is ahead of the clock was taken before the clock was put back: nobody knows when.
        match seen.filter(|at| *at <= now) {
            Some(at) if now - at <= FRESH => Ok(Some(at + FRESH)),
            // The journal cannot be read; what it said a moment ago still counts for a while.
            Some(at) if now - at <= patience => Ok(Some((at + patience).min(now + FRESH))),
            _ => {
                tracing::warn!(company = id, "messages wait: the journal cannot be read");
                let desk = self.desk();
                self.store
                    .write(move |tx| {
                        desk.reminders_unseen(tx, id, now)?;
                        desk.answers_unseen(tx, id, now)?;
                        let why = "the journal cannot be read";
                        outbox::postpone_company(tx, id, why, now, now + BLIND_PAUSE)
                    })
                    .await?;
                Ok(None)
            }
        }
    }

    /// One notification, from the intent to the stored outcome. `cleared` says until when its company's
    /// clients may be told things; no intent is written after `halt`.
    pub(super) async fn deliver_one(
        &self,
        end: &Arc<ChannelEnd>,
        due: &Due,
        cleared: Option<DateTime<Utc>>,
        halt: &CancellationToken,
    ) -> store::Result<Tried> {
        let id = due.id;
        if !self.ask_who_wrote(due).await? {
            return Ok(Tried::Left);
        }
        tokio::select! {
            () = halt.cancelled() => return Ok(Tried::Left),
            () = end.pace.wait(&due.recipient) => {}
        }
        if halt.is_cancelled() {
            return Ok(Tried::Left);
        }
        // The last thing before the intent: what is free now may be taken in a minute.
        let free = self.free_times(due).await?;
        let cleared = match (due.to_client, cleared) {
            (false, _) => None,
            (true, Some(until)) if until >= self.clock.now() => Some(until),
            // Its turn took longer than what the journal said is good for. One look serves all who wait.
            (true, _) => {
                let mut all = Vec::new();
                for company in &due.journals {
                    match self.look_before_speaking(*company).await? {
                        Some(until) => all.push(until),
                        None => return Ok(Tried::Left),
                    }
                }
                all.into_iter().min()
            }
        };
        let (desk, clock, halt) = (self.desk(), Arc::clone(&self.clock), halt.clone());
        // What the time is counts once nobody else writes.
        let claimed = move |tx: &rusqlite::Transaction<'_>| {
            let now = clock.now();
            if halt.is_cancelled() {
                return Ok(Claim::Skip);
            }
            if cleared.is_some_and(|until| until < now) && !desk.has_fresh_look(tx, id, now)? {
                return Ok(Claim::Behind);
            }
            desk.claim(tx, id, &free, now)
        };
        let claim = self.store.write_together(claimed).await?;
        let (attempt, outgoing, kind) = match claim {
            Claim::Go {
                attempt,
                outgoing,
                kind,
            } => (attempt, outgoing, kind),
            Claim::Behind => return Ok(Tried::Behind),
            Claim::Skip => return Ok(Tried::Left),
        };
        failpoint::pass("after_intent");
        // From here on the message may have left, so what follows must not be cut off halfway.
        let (desk, store, clock, end) = (
            self.desk(),
            self.store.clone(),
            Arc::clone(&self.clock),
            Arc::clone(end),
        );
        let (bell, meters) = (Arc::clone(&self.bell), self.meters.clone());
        let sending = tokio::spawn(async move {
            end.pace.leave().await;
            let began = std::time::Instant::now();
            let sends = end.life.work();
            let outcome = end.channel.send(&outgoing).await;
            drop(sends);
            meters.sent(&end.name, outcome.as_str(), began.elapsed());
            let (now, accepted) = (clock.now(), matches!(outcome, Outcome::Accepted { .. }));
            let channel = end.name.as_str();
            match outcome.why() {
                None => tracing::info!(
                    notification = id,
                    channel,
                    kind,
                    attempt,
                    "notification sent"
                ),
                Some(why) => tracing::warn!(
                    notification = id,
                    channel,
                    kind,
                    attempt,
                    outcome = outcome.as_str(),
                    why,
                    "send failed"
                ),
            }
            let outcome = Arc::new(outcome);
            let mut pauses = WRITE_AGAIN.into_iter();
            let settle_waits = loop {
                let (desk, outcome) = (desk.clone(), Arc::clone(&outcome));
                let written = store
                    .write_together(move |tx| {
                        let waits = desk.conclude(tx, id, attempt, &outcome, now)?;
                        failpoint::pass("before_commit_sent");
                        Ok(waits)
                    })
                    .await;
                // It has left: on a full disk the ballast makes room to write that down.
                match (written, pauses.next()) {
                    (Err(error), Some(pause)) if error.ailment().may_pass() => {
                        tokio::time::sleep(pause).await;
                    }
                    (written, _) => break written?,
                }
            };
            failpoint::pass("after_commit_sent");
            if settle_waits {
                bell.notify_waiters();
            }
            Ok(match accepted {
                true => Tried::Taken,
                false => Tried::Failed,
            })
        });
        match sending.await {
            Ok(result) => result,
            Err(_) => Err(store::StoreError::BrokenOff("a send")),
        }
    }

    /// At a start: what was on its way when the last process ended may have arrived, and what waits
    /// for a reason from the configuration is looked at anew.
    pub async fn recover_interrupted(&self) -> store::Result<usize> {
        let (desk, now) = (self.desk(), self.clock.now());
        let found = self
            .store
            .write(move |tx| {
                outbox::replan(tx, now)?;
                desk.bind_newcomers(tx)?;
                desk.replan_reminders(tx, now)?;
                sinks::recover(tx)?;
                let interrupted = outbox::interrupted(tx)?;
                for n in &interrupted {
                    // A search goes on where it stood, if the channel is still there.
                    if outbox::is_looked_for(tx, n.id)? && desk.channels.contains_key(&n.channel) {
                        continue;
                    }
                    outbox::end_looks(tx, n.id)?;
                    let why = "the program ended while it was being sent";
                    outbox::end_attempt(tx, n.id, n.attempts, "uncertain", Some(why), now)?;
                    desk.uncertain(tx, n, why, now)?;
                }
                desk.reroute(tx, now)?;
                Ok(interrupted.len())
            })
            .await?;
        if found > 0 {
            tracing::warn!(
                notifications = found,
                "sends were interrupted by the last end of the program"
            );
        }
        Ok(found)
    }
}
