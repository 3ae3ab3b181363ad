//! Chats under a hidden id (`…@lid`): WhatsApp shows no phone there. Whose one is, its messages tell:
//! the provider names the phone, or a message of ours turns out to have gone there, or is quoted
//! there. Nothing else is evidence, and a chat that nobody knows stays nobody's.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::{ChannelEnd, Desk};
use crate::domain::phone::Phone;
use crate::ports::Addressing;
use crate::store::{self, contacts, outbox};

/// How WhatsApp ends a hidden id.
const HIDDEN: &str = "@lid";

impl Desk {
    /// Whose a hidden chat is in which a message of ours stands.
    pub(super) fn phone_behind(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        chat_id: &str,
        message_id: &str,
    ) -> store::Result<Option<Phone>> {
        // Elsewhere ids of messages are counted chat by chat, and would name somebody else's.
        if end.channel.addressing() != Addressing::Phone || !chat_id.ends_with(HIDDEN) {
            return Ok(None);
        }
        let ours = outbox::of_provider_id(conn, &end.name, message_id)?;
        // An answer goes by phone, too, where that is known.
        let to = ours.into_iter().flat_map(|n| [n.phone, n.recipient]);
        let phone = to.into_iter().find(|to| to.starts_with('+'));
        Ok(phone.map(Phone::from_stored))
    }

    /// A receipt of a message of ours names the hidden chat that it went to.
    pub(super) fn learn_chat(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        chat_id: &str,
        message_id: &str,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let Some(phone) = self.phone_behind(conn, end, chat_id, message_id)? else {
            return Ok(());
        };
        contacts::ensure(conn, &end.name, chat_id, "")?;
        self.know_chat(conn, end, chat_id, &phone, now)
    }

    /// A hidden chat is this phone's. Silence that was asked for there goes with it.
    pub(super) fn know_chat(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        chat_id: &str,
        phone: &Phone,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        if chat_id.ends_with(HIDDEN) && contacts::learn(conn, &end.name, chat_id, phone.e164())? {
            tracing::info!(
                channel = end.name.as_str(),
                "a hidden chat is known by its phone"
            );
            self.carry_silence(conn, end, chat_id, phone, now)?;
        }
        Ok(())
    }
}
