//! Messages of ours that no longer show how things stand are written anew: questions that are decided,
//! owners' copies of what a client has read meanwhile. Whatever comes of that, nothing is parked and
//! nothing is sent in place of it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::poll::delta;
use super::{ChannelEnd, Desk, Pipeline};
use crate::domain::delivery::{retry_step, spread};
use crate::domain::policy::Reason;
use crate::ports::{EditOutcome, Edited};
use crate::store;
use crate::store::outbox::{self, Notification};
use crate::store::questions::{self, Edit};

/// A receipt seldom comes alone: a copy is edited once for those that follow each other.
const GATHER: TimeDelta = TimeDelta::seconds(10);

/// An edit that fails so often is given up: the matter is decided, whatever the message shows.
const MOST_TRIES: u32 = 8;

impl Pipeline {
    /// What is to be edited on this channel now.
    pub(super) async fn edits_due(&self, end: &ChannelEnd) -> store::Result<Vec<Edit>> {
        if !end.channel.has_buttons() {
            return Ok(Vec::new());
        }
        let (name, now) = (end.name.clone(), self.clock.now());
        self.store
            .read(move |c| questions::edits_due(c, &name, now))
            .await
    }

    /// Writes one message anew, as it is to stand at this moment.
    pub(super) async fn edit_one(&self, end: &Arc<ChannelEnd>, edit: Edit) -> store::Result<()> {
        end.pace.wait(&edit.chat).await;
        if self.stopping.is_cancelled() {
            return Ok(());
        }
        let (desk, id, now) = (self.desk(), edit.notification, self.clock.now());
        let owner = Arc::clone(end);
        let stands = self
            .store
            .read(move |c| {
                let Some(n) = outbox::get(c, id)? else {
                    return Ok(None);
                };
                let text = match n.frozen {
                    true => Some(n.message.clone()),
                    false => desk.copy_text(c, &n, &owner, now)?,
                };
                let stands = text.map(|text| desk.with_questions(c, &n, &text, now));
                stands.transpose()
            })
            .await?;
        let Some((text, buttons)) = stands else {
            // Gone, or of a company that is not watched.
            return self
                .store
                .write(move |tx| questions::edited(tx, &edit))
                .await;
        };
        let message = Edited {
            to: edit.chat.clone(),
            message_id: edit.message_id.clone(),
            text,
            buttons,
        };
        let outcome = end.channel.edit(&message).await;
        let channel = end.name.as_str();
        let again_at = match &outcome {
            EditOutcome::Done => None,
            EditOutcome::Never { why } => {
                tracing::debug!(
                    notification = id,
                    channel,
                    why,
                    "a message cannot be edited"
                );
                None
            }
            EditOutcome::Later { after, why } => {
                tracing::debug!(
                    notification = id,
                    channel,
                    why,
                    "a message was not edited yet"
                );
                again_at(&edit, *after, self.clock.now())
            }
        };
        self.store
            .write(move |tx| match again_at {
                Some(at) => questions::edit_later(tx, &edit, at),
                None => questions::edited(tx, &edit),
            })
            .await
    }
}

impl Desk {
    /// What owners were told of this notification is no longer how it stands.
    pub(super) fn refresh_copies(
        &self,
        conn: &Connection,
        n: &Notification,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        refresh_copies(
            conn,
            n,
            |channel| {
                let end = self.channels.get(channel);
                end.is_some_and(|end| end.channel.has_buttons())
            },
            now,
        )
    }

    /// A message to a client that waited is not to be sent, for this reason; owners who read that it was
    /// not sent yet read that, too.
    pub(super) fn suppress(
        &self,
        conn: &Connection,
        n: &Notification,
        (reason, by): (Reason, Option<i64>),
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        outbox::suppress(conn, n.id, reason, by)?;
        self.refresh_copies(conn, n, now)
    }
}

/// The same where it is known which channels can write a message anew.
pub(super) fn refresh_copies(
    conn: &Connection,
    n: &Notification,
    can_edit: impl Fn(&str) -> bool,
    now: DateTime<Utc>,
) -> store::Result<()> {
    if n.phone.is_empty() {
        return Ok(());
    }
    for (copy, channel) in questions::copies_of(conn, n)? {
        if can_edit(&channel) {
            questions::want_edit(conn, copy, now + GATHER)?;
        }
    }
    Ok(())
}

/// When an edit that failed is tried again, if it is.
fn again_at(
    edit: &Edit,
    after: Option<std::time::Duration>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let step = spread(retry_step(edit.tries + 1), edit.notification, edit.tries);
    let pause: TimeDelta = delta(after.unwrap_or(step));
    (edit.tries + 1 < MOST_TRIES).then(|| now + pause)
}
