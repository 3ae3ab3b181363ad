//! A send whose answer was lost, on a channel with a journal: found there it was sent; missing there
//! twice, the last time after the journal had its time, it was not and is sent again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::poll::delta;
use super::{ChannelEnd, Desk, Pipeline};
use crate::domain::delivery::{Outcome, Status};
use crate::domain::journal::{self, Journaled};
use crate::ports::Receipt;
use crate::store;
use crate::store::outbox::{self, Look};

/// The provider's clock and ours may differ by so much.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// Two looks that find nothing are at least this far apart.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Looks that must find nothing before a message counts as not sent.
const EMPTY_LOOKS: u32 = 2;
/// A journal that cannot be read for so long, or for four graces, decides nothing any more.
const PATIENCE: Duration = Duration::from_mins(10);

impl Pipeline {
    /// One look into a channel's journal for one send.
    pub(super) async fn look_up(&self, end: &Arc<ChannelEnd>, look: Look) -> store::Result<()> {
        let until = look.doubt_at + SKEW;
        let listed = end
            .channel
            .look_up(&look.recipient, look.started_at - SKEW, until)
            .await;
        let (desk, end, now) = (self.desk(), Arc::clone(end), self.clock.now());
        let settled = self
            .store
            .write(move |tx| desk.decide(tx, &end, &look, listed, now))
            .await?;
        if settled {
            self.bell.notify_waiters();
        }
        Ok(())
    }
}

impl Desk {
    /// What a look says of the send. Returns whether it is decided.
    fn decide(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        look: &Look,
        listed: Result<Vec<Journaled>, String>,
        now: DateTime<Utc>,
    ) -> store::Result<bool> {
        let (id, channel) = (look.id, end.name.as_str());
        if !outbox::is_looked_for(conn, id)? {
            return Ok(true);
        }
        let Some(n) = outbox::get(conn, id)? else {
            return Ok(true);
        };
        let step = delta(BETWEEN_LOOKS.max(end.journal_grace / 5));
        let grace_ends = look.doubt_at + delta(end.journal_grace);
        match listed {
            Ok(listed) => {
                let mut free = Vec::new();
                for entry in listed {
                    if !outbox::is_taken(conn, channel, &entry.id, id)? {
                        free.push(entry);
                    }
                }
                if let Some(found) = journal::find(&free, &look.message, |_| false) {
                    tracing::info!(
                        notification = id,
                        channel,
                        "found in the messenger's journal"
                    );
                    outbox::end_looks(conn, id)?;
                    let sent = Outcome::Accepted {
                        id: Some(found.id.clone()),
                    };
                    self.conclude(conn, id, look.attempt, &sent, now)?;
                    if let Some(receipt) = found.status.and_then(receipt_of) {
                        self.receipt(conn, channel, &found.id, receipt, None, now)?;
                    }
                    return Ok(true);
                }
                let empty_looks = look.empty_looks + 1;
                if empty_looks < EMPTY_LOOKS || now < grace_ends {
                    // Not later than the grace allows a decision.
                    let next = match now < grace_ends {
                        true => (now + step).min(grace_ends.max(now + delta(BETWEEN_LOOKS))),
                        false => now + delta(BETWEEN_LOOKS),
                    };
                    outbox::look_again(conn, id, next, empty_looks)?;
                    return Ok(false);
                }
                tracing::info!(
                    notification = id,
                    channel,
                    "not in the messenger's journal: sent again"
                );
                let why = "not in the messenger's journal";
                outbox::end_looks(conn, id)?;
                outbox::end_attempt(conn, id, look.attempt, "retry", Some(why), now)?;
                outbox::set_pending(conn, id, &n.channel, now, Some(why), true)?;
                Ok(true)
            }
            Err(why) if now < look.doubt_at + delta(PATIENCE.max(end.journal_grace * 4)) => {
                tracing::warn!(
                    notification = id,
                    channel,
                    why,
                    "the messenger's journal cannot be read"
                );
                outbox::look_again(conn, id, now + step, look.empty_looks)?;
                Ok(false)
            }
            Err(why) => {
                outbox::end_looks(conn, id)?;
                self.in_doubt(conn, &n, &why, now)?;
                Ok(true)
            }
        }
    }
}

fn receipt_of(status: Status) -> Option<Receipt> {
    match status {
        Status::Delivered => Some(Receipt::Delivered),
        Status::Read => Some(Receipt::Read),
        Status::Failed => Some(Receipt::Failed),
        _ => None,
    }
}
