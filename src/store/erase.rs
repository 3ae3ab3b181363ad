//! `forget`: one person's data, erased wherever the database has them.
//!
//! What is counted, ordered and compared stays (bookings, events, decisions, outcomes); what names
//! the person goes. Other people's rows lose the number where it stands in their words.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction};
use serde_json::Value;

use super::{Result, StoreError, forgotten, open_writer, write_on};
use crate::domain::phone::Phone;
use crate::failpoint;

mod correspondence;

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
    let erased = write_on(&mut conn, |tx| erase(tx, phone, now))?;
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

/// Forgets here whom another copy of this database has forgotten. How many were found.
pub(super) fn forget_too(
    tx: &Transaction<'_>,
    ledger: &forgotten::Ledger,
    now: DateTime<Utc>,
) -> Result<usize> {
    ledger.carry(tx)?;
    let mut query = tx.prepare(
        "SELECT client_phone FROM appointments_cache UNION SELECT phone FROM contacts
          UNION SELECT phone FROM known UNION SELECT phone FROM messages
          UNION SELECT phone FROM booking_notifications",
    )?;
    let phones = query.query_map([], |r| r.get::<_, Option<String>>(0))?;
    let phones: Vec<Option<String>> = phones.collect::<rusqlite::Result<_>>()?;
    let mut found = 0;
    for phone in phones.into_iter().flatten().map(Phone::from_stored) {
        if ledger.has(&phone) {
            erase(tx, &phone, now)?;
            found += 1;
        }
    }
    Ok(found)
}

/// One person, as the database knows them.
struct Person<'a> {
    phone: &'a Phone,
    names: BTreeSet<String>,
    /// Company and record.
    records: BTreeSet<(i64, i64)>,
    /// Company and client.
    clients: BTreeSet<(i64, i64)>,
    contacts: BTreeSet<i64>,
    chats: BTreeSet<String>,
}

fn erase(tx: &Transaction<'_>, phone: &Phone, now: DateTime<Utc>) -> Result<Erased> {
    let person = Person::find(tx, phone)?;
    forgotten::remember(tx, phone, &person.clients, now)?;
    let erased = Erased {
        bookings: person.erase_bookings(tx)?,
        notifications: person.erase_notifications(tx)?,
        messages: person.erase_messages(tx)?,
    };
    person.erase_rest(tx)?;
    Ok(erased)
}

/// Everything of a query whose columns are two numbers.
fn pairs(conn: &Connection, sql: &str, phone: &str) -> Result<Vec<(i64, i64)>> {
    let mut query = conn.prepare(sql)?;
    let rows = query.query_map([phone], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn texts(conn: &Connection, sql: &str, phone: &str) -> Result<Vec<String>> {
    let mut query = conn.prepare(sql)?;
    let rows = query.query_map([phone], |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl<'a> Person<'a> {
    fn find(tx: &Connection, phone: &'a Phone) -> Result<Self> {
        let e164 = phone.e164();
        let mut names = BTreeSet::new();
        for sql in [
            "SELECT client_name FROM appointments_cache WHERE client_phone = ?1",
            "SELECT name FROM contacts WHERE phone = ?1",
            "SELECT json_extract(before_state, '$.client.name') FROM booking_events
              WHERE json_extract(before_state, '$.client.phone') = ?1",
            "SELECT coalesce(json_extract(payload, '$.data.client.name'), '') FROM booking_events
              WHERE json_extract(payload, '$.data.client.phone') = ?1",
        ] {
            let found = texts(tx, sql, e164)?;
            names.extend(found.into_iter().filter(|n| n.chars().count() > 1));
        }
        let mut records = BTreeSet::new();
        for sql in [
            "SELECT company_id, record_id FROM appointments_cache WHERE client_phone = ?1",
            "SELECT company_id, record_id FROM known WHERE phone = ?1",
            "SELECT company_id, record_id FROM booking_notifications WHERE phone = ?1",
        ] {
            records.extend(pairs(tx, sql, e164)?);
        }
        let clients = pairs(
            tx,
            "SELECT company_id, json_extract(snapshot, '$.client.id') FROM appointments_cache
              WHERE client_phone = ?1 AND json_extract(snapshot, '$.client.id') <> 0",
            e164,
        )?;
        let mut contacts = BTreeSet::new();
        let mut chats = BTreeSet::new();
        let mut query = tx.prepare(
            "SELECT id, chat_id FROM contacts
              WHERE phone = ?1 OR chat_id IN (?1, substr(?1, 2))
                 OR substr(chat_id, 1, instr(chat_id, '@') - 1) = substr(?1, 2)",
        )?;
        for row in query.query_map([e164], |r| Ok((r.get(0)?, r.get(1)?)))? {
            let (id, chat) = row?;
            contacts.insert(id);
            chats.insert(chat);
        }
        drop(query);
        Ok(Self {
            phone,
            names,
            records,
            clients: clients.into_iter().collect(),
            contacts,
            chats,
        })
    }

    /// The number stands in these words, however it is written.
    fn is_in(&self, words: &str) -> bool {
        self.phone.stands_in(words)
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
            self.rewrite_each(tx, &select, &update)?;
        }
        tx.execute("DELETE FROM known WHERE phone = ?1", [self.phone.e164()])?;
        let mut rows =
            tx.prepare("SELECT company_id, record_id, create_date, phone, states FROM known")?;
        let mut update = tx.prepare(
            "UPDATE known SET states = ?5
              WHERE company_id = ?1 AND record_id = ?2 AND create_date = ?3 AND phone = ?4",
        )?;
        let found = rows.query_map([], |r| {
            let key: (i64, i64, String, String) = (r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?);
            Ok((key, r.get::<_, String>(4)?))
        })?;
        for row in found.collect::<rusqlite::Result<Vec<_>>>()? {
            let ((company, record, date, phone), states) = row;
            let theirs = self.records.contains(&(company, record));
            if let Some(states) = self.without(&states, theirs)? {
                update.execute((company, record, date, phone, states))?;
            }
        }
        // Delays that run are dealt with as those of a booking without a number.
        let e164 = self.phone.e164();
        tx.execute(
            "INSERT OR IGNORE INTO settling (company_id, unit, phone, first_change_at, settle_at)
             SELECT company_id, unit, '', first_change_at, settle_at FROM settling WHERE phone = ?1",
            [e164],
        )?;
        tx.execute("DELETE FROM settling WHERE phone = ?1", [e164])?;
        Ok(self.records.len())
    }

    /// Rewrites the JSON of rows that are known by company and record.
    fn rewrite(&self, tx: &Connection, select: &str, update: &str) -> Result<()> {
        let mut query = tx.prepare(select)?;
        let mut update = tx.prepare(update)?;
        let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        for row in rows.collect::<rusqlite::Result<Vec<(i64, i64, String)>>>()? {
            let (company, record, json) = row;
            if let Some(json) = self.without(&json, self.records.contains(&(company, record)))? {
                update.execute((company, record, json))?;
            }
        }
        Ok(())
    }

    /// The same of rows that have an id of their own beside.
    fn rewrite_each(&self, tx: &Connection, select: &str, update: &str) -> Result<()> {
        let mut query = tx.prepare(select)?;
        let mut update = tx.prepare(update)?;
        let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?;
        for row in rows.collect::<rusqlite::Result<Vec<(i64, i64, String, i64)>>>()? {
            let (company, record, json, id) = row;
            if let Some(json) = self.without(&json, self.records.contains(&(company, record)))? {
                update.execute((company, record, json, id))?;
            }
        }
        Ok(())
    }

    /// JSON without this person; `None` when they are not in it.
    fn without(&self, json: &str, theirs: bool) -> Result<Option<String>> {
        let named = self.is_in(json) || theirs && self.is_named_in(json);
        if !named {
            return Ok(None);
        }
        let mut value: Value =
            serde_json::from_str(json).map_err(|_| StoreError::Corrupt("stored JSON"))?;
        self.clean(&mut value, theirs);
        Ok(Some(value.to_string()))
    }

    fn clean(&self, value: &mut Value, theirs: bool) {
        match value {
            Value::String(words) => {
                if self.is_in(words) || (theirs && self.is_named_in(words)) {
                    words.clear();
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|v| self.clean(v, theirs)),
            Value::Object(fields) => {
                let has_them = |v: Option<&Value>| {
                    let phone = v.and_then(|client| client["phone"].as_str());
                    phone.is_some_and(|phone| self.is_in(phone))
                };
                // What was noted of them at their booking is about them, too.
                if has_them(fields.get("client")) && fields.contains_key("comment") {
                    fields.insert("comment".into(), "".into());
                }
                let is_them = fields
                    .get("phone")
                    .and_then(Value::as_str)
                    .is_some_and(|phone| self.is_in(phone));
                if is_them {
                    let words = fields.values_mut().filter(|v| v.is_string());
                    words.for_each(|v| *v = "".into());
                    fields.insert("phone".into(), Value::Null);
                    fields.insert("forgotten".into(), true.into());
                }
                fields.values_mut().for_each(|v| self.clean(v, theirs));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Words of providers and of the API, and orders about this number.
    fn erase_rest(&self, tx: &Connection) -> Result<()> {
        tx.execute("DELETE FROM pauses WHERE phone = ?1", [self.phone.e164()])?;
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
        let early = texts(
            tx,
            "SELECT DISTINCT provider_message_id FROM early_receipts WHERE ?1 <> ''",
            self.phone.e164(),
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
