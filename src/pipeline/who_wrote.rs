//! Who wrote lately, asked of channels whose inbox another program reads: without the answer
//! `recent_activity` would know of nobody there.
//!
//! A list that cannot be read keeps a message back for a minute from its making and no longer: a
//! client who hears of a booking twice is better off than one who hears of it never.

use std::sync::Arc;

use chrono::TimeDelta;
use rusqlite::Connection;

use super::poll::delta;
use super::{ChannelEnd, Pipeline};
use crate::domain::wish::Wish;
use crate::ports::Heard;
use crate::store::outbox::{self, Due, Notification};
use crate::store::{self, contacts};

/// A list that cannot be read is asked for again after this …
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(10);
/// … until the message is this old.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);

impl Pipeline {
    /// Learns whether the client has just been writing with us, where that has to be asked for.
    /// `false` when the message has to wait for the answer.
    pub(super) async fn ask_who_wrote(&self, due: &Due) -> store::Result<bool> {
        let Some(company) = self.companies.get(&due.company) else {
            return Ok(true);
        };
        let lately = company.settings.rules.recent_activity;
        let names = company.settings.channels.iter();
        let ends = names.filter_map(|name| self.channels.get(name));
        let silent: Vec<&Arc<ChannelEnd>> = ends.filter(|e| e.channel.lists_inbox()).collect();
        if !due.to_client || lately.is_zero() || silent.is_empty() {
            return Ok(true);
        }
        let id = due.id;
        let n = self.store.read(move |c| outbox::get(c, id)).await?;
        let Some(n) = n.filter(|n| n.kind == "created") else {
            return Ok(true);
        };
        for end in silent {
            let now = self.clock.now();
            let since = now.checked_sub_signed(delta(lately)).unwrap_or_default();
            match end.channel.heard(&n.phone, since).await {
                Ok(heard) => self.note_heard(end, &n, heard).await?,
                Err(why) => {
                    let channel = end.name.as_str();
                    tracing::warn!(
                        notification = id,
                        channel,
                        why,
                        "cannot see who wrote lately"
                    );
                    if (now - n.created_at).abs() < PATIENCE {
                        let again = now + ASK_AGAIN;
                        self.store
                            .write(move |tx| outbox::postpone_pending(tx, id, again))
                            .await?;
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    async fn note_heard(
        &self,
        end: &ChannelEnd,
        n: &Notification,
        heard: Vec<Heard>,
    ) -> store::Result<()> {
        if heard.is_empty() {
            return Ok(());
        }
        let (channel, phone) = (end.name.clone(), n.phone.clone());
        self.store
            .write(move |tx| {
                for entry in &heard {
                    note(tx, &channel, &phone, entry)?;
                }
                Ok(())
            })
            .await
    }
}

/// Keeps when the client last wrote, if this is theirs. Words to the program are no conversation.
fn note(conn: &Connection, channel: &str, phone: &str, heard: &Heard) -> store::Result<()> {
    let theirs = match &heard.phone {
        Some(shown) => shown == phone,
        None => {
            contacts::phone_of(conn, channel, &heard.chat_id)?.is_some_and(|known| known == phone)
        }
    };
    if !theirs || Wish::of(&heard.text).is_some() {
        return Ok(());
    }
    contacts::note_heard(conn, channel, &heard.chat_id, phone, heard.at)
}
