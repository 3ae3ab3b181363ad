//! What was written to a person, about them and by them.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::Value;

use super::Person;
use crate::domain::delivery::Status;
use crate::domain::policy::Reason;
use crate::store::{Result, proposals};

impl Person<'_> {
    /// What was sent to them, and what others were told of them.
    pub(super) fn erase_notifications(&self, tx: &Connection) -> Result<usize> {
        let mut query = tx.prepare(
            "SELECT id, company_id, record_id, kind, phone, recipient, about, contact_id,
                    message || ' ' || told || ' ' || coalesce(last_error, '') || ' '
                    || coalesce(provider_message_id, ''), message, told
               FROM booking_notifications ORDER BY id",
        )?;
        let mut ids = BTreeSet::new();
        let mut others: Vec<(i64, i64, String, String)> = Vec::new();
        let mut rows = query.query([])?;
        while let Some(r) = rows.next()? {
            let id: i64 = r.get(0)?;
            let (kind, phone, recipient): (String, String, String) =
                (r.get(3)?, r.get(4)?, r.get(5)?);
            let (about, contact): (Option<i64>, Option<i64>) = (r.get(6)?, r.get(7)?);
            let words: String = r.get(8)?;
            let (company, record): (i64, i64) = (r.get(1)?, r.get(2)?);
            let theirs = self.records.contains(&(company, record));
            let told: String = r.get(10)?;
            // What stayed unsaid for want of a number says whom it was about.
            let of_client =
                theirs && phone.is_empty() && self.without(&told, company, true)?.is_some();
            let to_them = phone == self.e164() || self.is_chat(&recipient);
            let of_them = of_client
                || about.is_some_and(|about| ids.contains(&about))
                || contact.is_some_and(|contact| self.contacts.contains(&contact));
            // What owners read names people in words.
            let to_owners = phone.is_empty() && kind != "reply";
            let named = self.is_in(&words) || ((to_owners || theirs) && self.is_named_in(&words));
            // Another client's message: only the number goes, should it stand in there.
            if named && !to_them && !of_them && !phone.is_empty() {
                others.push((id, company, r.get(9)?, told));
            } else if to_them || of_them || named {
                ids.insert(id);
            }
        }
        drop(rows);
        drop(query);
        let mut update = tx.prepare(
            "UPDATE booking_notifications
                SET message = '', told = '[]', last_error = NULL, contact_id = NULL, phone = '',
                    recipient = CASE WHEN phone <> '' OR kind = 'reply' THEN '' ELSE recipient END,
                    provider_message_id = NULL, look_at = NULL,
                    reason = CASE WHEN status IN (SELECT value FROM json_each(?3)) THEN ?2 ELSE reason END,
                    status = CASE WHEN status IN (SELECT value FROM json_each(?3)) THEN 'suppressed' ELSE status END
              WHERE id = ?1",
        )?;
        let mut attempts =
            tx.prepare("UPDATE delivery_attempts SET error = NULL WHERE notification_id = ?1")?;
        let open = [
            Status::Pending,
            Status::Held,
            Status::Sending,
            Status::Uncertain,
            // What was given up could be sent again by hand.
            Status::Dead,
        ];
        let open = Value::from(open.map(Status::as_str).to_vec()).to_string();
        for (id, company, message, told) in others {
            let told = self.without(&told, company, false)?.unwrap_or(told);
            let message = if self.is_in(&message) { "" } else { &message };
            tx.execute(
                "UPDATE booking_notifications SET message = ?2, told = ?3, last_error = NULL WHERE id = ?1",
                (id, message, told),
            )?;
        }
        for id in &ids {
            update.execute((id, Reason::Forgotten.as_str(), &open))?;
            attempts.execute([id])?;
        }
        Ok(ids.len())
    }

    /// What they wrote, and how they are reached.
    pub(super) fn erase_messages(&self, tx: &Connection) -> Result<usize> {
        let mut query =
            tx.prepare("SELECT id, phone, chat_id, contact_id, text, external_id FROM messages")?;
        let mut found = Vec::new();
        let mut rows = query.query([])?;
        while let Some(r) = rows.next()? {
            let (phone, chat): (String, String) = (r.get(1)?, r.get(2)?);
            let contact: Option<i64> = r.get(3)?;
            let (text, external): (String, String) = (r.get(4)?, r.get(5)?);
            let theirs = phone == self.e164()
                || self.is_chat(&chat)
                || contact.is_some_and(|contact| self.contacts.contains(&contact));
            if theirs || self.is_in(&text) || self.is_in(&external) {
                found.push((r.get::<_, i64>(0)?, theirs, self.is_in(&external)));
            }
        }
        drop(rows);
        drop(query);
        let mut count = 0;
        for (id, theirs, named_by_id) in found {
            // The row stays where it can: the same message read twice must not look like a new one.
            match (theirs, named_by_id) {
                (_, true) => tx.execute("DELETE FROM messages WHERE id = ?1", [id])?,
                (true, false) => tx.execute(
                    "UPDATE messages SET phone = '', chat_id = '', text = '', contact_id = NULL WHERE id = ?1",
                    [id],
                )?,
                (false, false) => tx.execute("UPDATE messages SET text = '' WHERE id = ?1", [id])?,
            };
            count += usize::from(theirs);
        }
        for contact in &self.contacts {
            tx.execute(
                "UPDATE messages SET contact_id = NULL WHERE contact_id = ?1",
                [contact],
            )?;
            proposals::forget(tx, *contact)?;
        }
        Ok(count)
    }
}
