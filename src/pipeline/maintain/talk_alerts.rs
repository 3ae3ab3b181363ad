//! Words of clients that nobody answered: shown to the owners once more, once.

use super::Watch;
use crate::domain::message::owner::{Card, Head, card};
use crate::domain::phone::Phone;
use crate::domain::zone::Zone;
use crate::pipeline::words;
use crate::store::outbox::{self, New};
use crate::store::{self, cache, companies, contacts, messages, talks};

impl Watch<'_> {
    /// Shows what waited too long. Returns how many messages that makes.
    pub(super) fn unanswered(&self) -> store::Result<u32> {
        let mut raised = 0;
        for talk in talks::overdue(self.conn, self.now)? {
            talks::escalated(self.conn, talk.contact)?;
            let contact = contacts::get(self.conn, talk.contact)?;
            let company = talk.company.and_then(|id| self.desk.companies.get(&id));
            let (Some(contact), Some(company)) = (contact, company) else {
                continue;
            };
            let row = companies::ensure(self.conn, company.settings.id)?;
            let booking = match talk.record {
                Some(record) => cache::get(self.conn, company.settings.id, record)?,
                None => None,
            };
            let booking: Vec<_> = booking
                .map(|cached| cached.record)
                .filter(|record| record.is_alive())
                .into_iter()
                .collect();
            let words = messages::last_words(self.conn, contact.id)?.unwrap_or_default();
            let phone =
                (!contact.phone.is_empty()).then(|| Phone::from_stored(contact.phone.clone()));
            let after = company.settings.replies.escalate_after;
            let minutes = i64::try_from(after.as_secs() / 60).unwrap_or(i64::MAX);
            let place = words::Place {
                company,
                row: &row,
                zone: company.zone(&row).unwrap_or(Zone::UTC),
                now: self.now,
            };
            for (channel, to) in self.chats(company) {
                let Some(end) = self.desk.channels.get(&channel) else {
                    continue;
                };
                let message = card(
                    place.voice(end.channel.markup()),
                    &Card {
                        head: Head::Waits(minutes),
                        name: &contact.name,
                        phone: phone.as_ref(),
                        salon: &company.title(&row),
                        booking: &booking,
                        words: &words,
                        answer: None,
                        mask: self.desk.mask_phones,
                    },
                );
                outbox::add(
                    self.conn,
                    &New {
                        company: company.settings.id,
                        recipient: &to,
                        channel: &channel,
                        message: &message,
                        contact: Some(contact.id),
                        ..New::note("owner", self.now)
                    },
                    self.now,
                )?;
                raised += 1;
            }
            tracing::info!(contact = contact.id, "a client waits for an answer");
        }
        Ok(raised)
    }
}
