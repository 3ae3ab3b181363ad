//! `forget`: one person's data, erased wherever the database has them.
//!
//! What is counted, ordered and compared stays (bookings, events, decisions, outcomes); what names
//! the person goes. Other people's rows lose the number where it stands in their words.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction};

use super::{Result, StoreError, forgotten, open_writer, write_on};
use crate::domain::phone::Phone;
use crate::failpoint;

mod again;
mod correspondence;
mod find;
mod json;

pub(super) use again::forget_too;

/// What was found of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Bookings that were theirs.
    pub bookings: usize,
    /// Notifications to them, or about them.
    pub notifications: usize,
    /// What they wrote and were answered.
    pub messages: usize,
}

/// Forgets the person of this number. Only for the holder of the lock: whoever else reads would keep
/// the old pages in the log.
pub fn forget(database: &Path, phone: &Phone, now: DateTime<Utc>) -> Result<Erased> {
    let mut conn = open_writer(database)?;
    // What is freed is overwritten, whatever ends the program before the file is made anew.
    conn.execute_batch("PRAGMA secure_delete = ON;")?;
    let erased = write_on(&mut conn, |tx| {
        let clients = again::clients_before(tx, phone)?;
        erase(tx, Some(phone), clients, now)
    })?;
    failpoint::pass("in_erasure");
    conn.execute_batch("VACUUM;")?;
    let busy: bool = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))?;
    if busy {
        return Err(StoreError::Refused(
            "another program reads the database and keeps old pages in its log: end it and run this again"
                .into(),
        ));
    }
    Ok(erased)
}

/// One person, as the database knows them.
struct Person<'a> {
    /// `None` where only the ids are known that they had as a client.
    phone: Option<&'a Phone>,
    names: BTreeSet<String>,
    /// Company and record.
    records: BTreeSet<(i64, i64)>,
    /// Company and client.
    clients: BTreeSet<(i64, i64)>,
    contacts: BTreeSet<i64>,
    chats: BTreeSet<String>,
}

/// Stands for the number of a person who has none here.
const NO_NUMBER: &str = "none";

/// Erases a person of whom the number is known, or ids they had as a client, or both.
fn erase(
    tx: &Transaction<'_>,
    phone: Option<&Phone>,
    clients: BTreeSet<(i64, i64)>,
    now: DateTime<Utc>,
) -> Result<Erased> {
    let person = Person::find(tx, phone, clients)?;
    if let Some(phone) = phone {
        forgotten::remember(tx, phone, &person.clients, now)?;
    }
    let erased = Erased {
        bookings: person.erase_bookings(tx)?,
        notifications: person.erase_notifications(tx)?,
        messages: person.erase_messages(tx)?,
    };
    person.erase_rest(tx)?;
    Ok(erased)
}

impl Person<'_> {
    fn e164(&self) -> &str {
        self.phone.map_or(NO_NUMBER, Phone::e164)
    }

    /// A chat of theirs, or one that is called by their number although it is no contact.
    fn is_chat(&self, chat: &str) -> bool {
        let name = chat.split('@').next().unwrap_or(chat);
        self.chats.contains(chat)
            || self
                .phone
                .is_some_and(|phone| name.trim_start_matches('+') == phone.digits())
    }

    /// The number stands in these words, however it is written.
    fn is_in(&self, words: &str) -> bool {
        self.phone.is_some_and(|phone| phone.stands_in(words))
    }

    /// The number, or the name as words of their own.
    fn is_named_in(&self, words: &str) -> bool {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let stands = |name: &str| {
            words.match_indices(name).any(|(at, name)| {
                let (before, after) = (&words[..at], &words[at + name.len()..]);
                !letter(before.chars().next_back()) && !letter(after.chars().next())
            })
        };
        self.is_in(words) || self.names.iter().any(|name| stands(name))
    }

    fn erase_bookings(&self, tx: &Connection) -> Result<usize> {
        self.rewrite(
            tx,
            "SELECT company_id, record_id, snapshot FROM appointments_cache",
            "UPDATE appointments_cache
                SET snapshot = ?3, comment = coalesce(json_extract(?3, '$.comment'), ''),
                    client_name = coalesce(json_extract(?3, '$.client.name'), ''),
                    client_phone = coalesce(json_extract(?3, '$.client.phone'), '')
              WHERE company_id = ?1 AND record_id = ?2",
        )?;
        for column in ["payload", "before_state"] {
            let select = format!(
                "SELECT company_id, record_id, {column}, id FROM booking_events WHERE {column} IS NOT NULL"
            );
            let update = format!(
                "UPDATE booking_events SET {column} = ?3 WHERE company_id = ?1 AND record_id = ?2 AND id = ?4"
            );
            self.rewrite_events(tx, &select, &update)?;
        }
        self.erase_known(tx)?;
        // Delays that run are dealt with as those of a booking without a number.
        let e164 = self.e164();
        tx.execute(
            "INSERT OR IGNORE INTO settling (company_id, unit, phone, first_change_at, settle_at)
             SELECT company_id, unit, '', first_change_at, settle_at FROM settling WHERE phone = ?1",
            [e164],
        )?;
        tx.execute("DELETE FROM settling WHERE phone = ?1", [e164])?;
        tx.execute("DELETE FROM reminders WHERE phone = ?1", [e164])?;
        Ok(self.records.len())
    }

    /// What they know is theirs; what others know may name them.
    fn erase_known(&self, tx: &Connection) -> Result<()> {
        tx.execute("DELETE FROM known WHERE phone = ?1", [self.e164()])?;
        let mut rows =
            tx.prepare("SELECT company_id, record_id, create_date, phone, states FROM known")?;
        let mut update = tx.prepare(
            "UPDATE known SET states = ?5
              WHERE company_id = ?1 AND record_id = ?2 AND create_date = ?3 AND phone = ?4",
        )?;
        let mut delete = tx.prepare(
            "DELETE FROM known
              WHERE company_id = ?1 AND record_id = ?2 AND create_date = ?3 AND phone = ?4",
        )?;
        let found = rows.query_map([], |r| {
            let key: (i64, i64, String, String) = (r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?);
            Ok((key, r.get::<_, String>(4)?))
        })?;
        for row in found.collect::<rusqlite::Result<Vec<_>>>()? {
            let ((company, record, date, phone), states) = row;
            let theirs = self.records.contains(&(company, record));
            let Some(cleaned) = self.without(&states, company, theirs)? else {
                continue;
            };
            // Known without a number, while it was not shown.
            if phone.is_empty() && theirs {
                delete.execute((company, record, date, phone))?;
            } else {
                update.execute((company, record, date, phone, cleaned))?;
            }
        }
        Ok(())
    }

    /// Rewrites the JSON of rows that are known by company and record.
    fn rewrite(&self, tx: &Connection, select: &str, update: &str) -> Result<()> {
        let mut query = tx.prepare(select)?;
        let mut update = tx.prepare(update)?;
        let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        for row in rows.collect::<rusqlite::Result<Vec<(i64, i64, String)>>>()? {
            let (company, record, json) = row;
            let theirs = self.records.contains(&(company, record));
            if let Some(json) = self.without(&json, company, theirs)? {
                update.execute((company, record, json))?;
            }
        }
        Ok(())
    }

    /// The same of events, which have an id of their own beside.
    fn rewrite_events(&self, tx: &Connection, select: &str, update: &str) -> Result<()> {
        let mut query = tx.prepare(select)?;
        let mut update = tx.prepare(update)?;
        let mut owed = tx.prepare(
            "DELETE FROM event_deliveries WHERE event = ?1 AND status IN ('pending', 'sending')",
        )?;
        let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?;
        for row in rows.collect::<rusqlite::Result<Vec<(i64, i64, String, i64)>>>()? {
            let (company, record, json, id) = row;
            let theirs = self.records.contains(&(company, record));
            if let Some(json) = self.without(&json, company, theirs)? {
                update.execute((company, record, json, id))?;
                // What has not been handed on yet is not handed on without them either: under the id
                // of an event there is one body for ever.
                owed.execute([id])?;
            }
        }
        Ok(())
    }

    /// Words of providers and of the API, and orders about this number.
    fn erase_rest(&self, tx: &Connection) -> Result<()> {
        tx.execute("DELETE FROM pauses WHERE phone = ?1", [self.e164()])?;
        // What they asked for is written for nobody any more; what may have left is looked for.
        tx.execute(
            "UPDATE writes SET phone = '', contact_id = NULL,
                    state = CASE WHEN state = 'asked' OR state = 'open' AND began_at IS NULL
                                 THEN 'over' ELSE state END
              WHERE phone = ?1",
            [self.e164()],
        )?;
        for (table, key, column, emptied) in [
            (
                "delivery_attempts",
                "notification_id || ' ' || attempt",
                "error",
                "NULL",
            ),
            ("companies", "company_id", "last_error", "''"),
            ("channel_states", "name", "last_error", "''"),
            (
                "early_receipts",
                "channel || provider_message_id || receipt",
                "error",
                "NULL",
            ),
            ("contacts", "id", "name", "''"),
        ] {
            let mut query = tx.prepare(&format!(
                "SELECT CAST({key} AS TEXT), {column} FROM {table} WHERE {column} IS NOT NULL"
            ))?;
            let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
            for row in rows.collect::<rusqlite::Result<Vec<(String, String)>>>()? {
                let (of, words) = row;
                if self.is_in(&words) {
                    tx.execute(
                        &format!(
                            "UPDATE {table} SET {column} = {emptied} WHERE CAST({key} AS TEXT) = ?1"
                        ),
                        [of],
                    )?;
                }
            }
        }
        let early = find::texts(
            tx,
            "SELECT DISTINCT provider_message_id FROM early_receipts",
            [],
        )?;
        for id in early.iter().filter(|id| self.is_in(id)) {
            tx.execute(
                "DELETE FROM early_receipts WHERE provider_message_id = ?1",
                [id],
            )?;
        }
        Ok(())
    }
}
