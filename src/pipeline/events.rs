//! Events on their way to the salon's own automation: intent, hand-over, outcome.
//!
//! Each sink is served by itself, so that a dead one delays nobody. What it is owed was written with
//! the event; the events of one booking go one after the other.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Pipeline;
use super::poll::delta;
use crate::domain::delivery::{retry_step, spread};
use crate::failpoint;
use crate::ports::{EventSink, Handed, Handover};
use crate::store::sinks::{self, Delivery};
use crate::store::{self};

/// What was not taken is tried again until it is so old.
const PATIENCE: TimeDelta = TimeDelta::hours(24);

/// One sink as the stages need it.
pub struct SinkEnd {
    /// A hash of its address or path.
    pub name: String,
    /// For people.
    pub label: String,
    /// Of these companies; empty: of all.
    pub companies: Vec<i64>,
    /// The way there.
    pub sink: Arc<dyn EventSink>,
}

/// What one turn of a sink came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandedOn {
    /// Taken.
    pub taken: u32,
    /// Not taken, this time or ever.
    pub failed: u32,
}

impl Pipeline {
    /// Hands on what this sink is due, until there is nothing left or it takes nothing more.
    pub async fn events_due(&self, end: &Arc<SinkEnd>) -> store::Result<HandedOn> {
        let mut report = HandedOn::default();
        while !self.stopping.is_cancelled() {
            let (name, now) = (end.name.clone(), self.clock.now());
            // Looked at on the reading connection first: mostly there is nothing.
            let looked = end.name.clone();
            let owed = self.store.read(move |c| sinks::is_owed(c, &looked));
            if !owed.await? {
                break;
            }
            let claimed = self.store.write(move |tx| sinks::claim(tx, &name, now));
            let Some(delivery) = claimed.await? else {
                break;
            };
            failpoint::pass("after_intent");
            let event = Handover {
                event_id: &delivery.event_id,
                body: &delivery.payload,
                again: delivery.attempts > 1,
                now,
            };
            let handed = tokio::select! {
                handed = end.sink.hand_over(&event) => handed,
                // A receiver that takes its time holds no end up. The next start tries again.
                () = self.stopping.cancelled(), if end.sink.may_be_left() => break,
            };
            let outcome = match &handed {
                Handed::Taken => "taken",
                Handed::Later { .. } => "later",
                Handed::Refused { .. } => "refused",
            };
            self.meters.handed(&end.label, outcome);
            match outcome {
                "taken" => report.taken += 1,
                _ => report.failed += 1,
            }
            self.note_handed(end, delivery, handed).await?;
        }
        Ok(report)
    }

    async fn note_handed(&self, end: &SinkEnd, of: Delivery, handed: Handed) -> store::Result<()> {
        let (sink, now) = (end.name.clone(), self.clock.now());
        let (label, event) = (end.label.as_str(), of.event_id.as_str());
        match &handed {
            Handed::Taken => tracing::debug!(sink = label, event, "event handed on"),
            Handed::Later { why, .. } if of.happened_at + PATIENCE > now => {
                tracing::warn!(
                    sink = label,
                    event,
                    attempt = of.attempts,
                    error = why,
                    "event not taken"
                );
            }
            Handed::Later { why, .. } | Handed::Refused { why } => {
                tracing::error!(sink = label, event, error = why, "event given up");
            }
        }
        let given_up = self
            .store
            .write(move |tx| match handed {
                Handed::Taken => sinks::taken(tx, &sink, of.id, now).map(|()| 0),
                Handed::Refused { why } => {
                    sinks::not_taken(tx, &sink, of.id, &why, None, now).map(|()| 0)
                }
                Handed::Later { why, after, closed } => {
                    let in_time = |at: DateTime<Utc>| at < of.happened_at + PATIENCE;
                    let step = |tries| now + delta(spread(retry_step(tries), of.id, tries));
                    if closed {
                        let failures = sinks::failures(tx, &sink)? + 1;
                        let until =
                            after.map_or_else(|| step(failures), |pause| now + delta(pause));
                        sinks::rests(tx, &sink, until)?;
                        // It is the next to go again, before those that came after it.
                        let again = in_time(now).then_some(now);
                        sinks::not_taken(tx, &sink, of.id, &why, again, now)?;
                        return sinks::give_up(tx, &sink, now - PATIENCE);
                    }
                    let again = after.map_or_else(|| step(of.attempts), |pause| now + delta(pause));
                    let again = in_time(again).then_some(again);
                    sinks::not_taken(tx, &sink, of.id, &why, again, now).map(|()| 0)
                }
            })
            .await?;
        if given_up > 0 {
            tracing::error!(sink = label, events = given_up, "events given up");
        }
        Ok(())
    }
}
