//! What the database knows of a person: where they are looked for, and by what.

use std::collections::BTreeSet;

use rusqlite::{Connection, Params};

use super::{NO_NUMBER, Person};
use crate::domain::phone::Phone;
use crate::store::Result;

/// Everything of a query whose columns are two numbers.
fn pairs(conn: &Connection, sql: &str, params: impl Params) -> Result<Vec<(i64, i64)>> {
    let mut query = conn.prepare(sql)?;
    let rows = query.query_map(params, |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Everything of a query with one column of text.
pub(super) fn texts(conn: &Connection, sql: &str, params: impl Params) -> Result<Vec<String>> {
    let mut query = conn.prepare(sql)?;
    let rows = query.query_map(params, |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Ids of clients under this number; of those who had it once only where none has another by now.
fn clients_of(conn: &Connection, e164: &str) -> Result<Vec<(i64, i64)>> {
    let now = "SELECT company_id, json_extract(snapshot, '$.client.id') FROM appointments_cache
                WHERE client_phone = ?1 AND json_extract(snapshot, '$.client.id') <> 0";
    let once = "SELECT company_id, client FROM (
                  SELECT company_id, json_extract(before_state, '$.client.id') AS client
                    FROM booking_events WHERE json_extract(before_state, '$.client.phone') = ?1
                  UNION
                  SELECT company_id, json_extract(payload, '$.data.client.id')
                    FROM booking_events WHERE json_extract(payload, '$.data.client.phone') = ?1
                  UNION
                  SELECT k.company_id, state.value ->> '$.record.client.id'
                    FROM known k, json_each(k.states) state
                   WHERE k.phone = ?1 AND state.value ->> '$.record.client.phone' = ?1) had
                 WHERE client <> 0 AND NOT EXISTS (
                   SELECT 1 FROM appointments_cache c
                    WHERE c.company_id = had.company_id AND c.client_phone NOT IN ('', ?1)
                      AND json_extract(c.snapshot, '$.client.id') = had.client)";
    let mut all = pairs(conn, now, [e164])?;
    all.extend(pairs(conn, once, [e164])?);
    Ok(all)
}

impl<'a> Person<'a> {
    /// `clients`: ids that are known to be theirs beside those that the number shows.
    pub(super) fn find(
        tx: &Connection,
        phone: Option<&'a Phone>,
        mut clients: BTreeSet<(i64, i64)>,
    ) -> Result<Self> {
        let e164 = phone.map_or(NO_NUMBER, Phone::e164);
        clients.extend(clients_of(tx, e164)?);
        let mut person = Self {
            phone,
            names: BTreeSet::new(),
            records: BTreeSet::new(),
            clients,
            contacts: BTreeSet::new(),
            chats: BTreeSet::new(),
        };
        person.find_by_number(tx, e164)?;
        person.find_without_number(tx)?;
        person.find_chats(tx, e164)?;
        person.names.retain(|name| name.chars().count() > 1);
        Ok(person)
    }

    fn find_by_number(&mut self, tx: &Connection, e164: &str) -> Result<()> {
        for sql in [
            "SELECT client_name FROM appointments_cache WHERE client_phone = ?1",
            "SELECT name FROM contacts WHERE phone = ?1",
            "SELECT json_extract(before_state, '$.client.name') FROM booking_events
              WHERE json_extract(before_state, '$.client.phone') = ?1",
            "SELECT coalesce(json_extract(payload, '$.data.client.name'), '') FROM booking_events
              WHERE json_extract(payload, '$.data.client.phone') = ?1",
        ] {
            self.names.extend(texts(tx, sql, [e164])?);
        }
        for sql in [
            "SELECT company_id, record_id FROM appointments_cache WHERE client_phone = ?1",
            "SELECT company_id, record_id FROM known WHERE phone = ?1",
            "SELECT company_id, record_id FROM booking_notifications WHERE phone = ?1",
        ] {
            self.records.extend(pairs(tx, sql, [e164])?);
        }
        Ok(())
    }

    /// Their bookings whose number was hidden when they were read.
    fn find_without_number(&mut self, tx: &Connection) -> Result<()> {
        let mut queries = Vec::new();
        for sql in [
            "SELECT record_id, client_name FROM appointments_cache
              WHERE company_id = ?1 AND client_phone = ''
                AND json_extract(snapshot, '$.client.id') = ?2",
            "SELECT record_id, coalesce(json_extract(payload, '$.data.client.name'), '')
               FROM booking_events
              WHERE company_id = ?1 AND json_extract(payload, '$.data.client.id') = ?2
                AND coalesce(json_extract(payload, '$.data.client.phone'), '') NOT LIKE '+%'",
            "SELECT record_id, coalesce(json_extract(before_state, '$.client.name'), '')
               FROM booking_events
              WHERE company_id = ?1 AND json_extract(before_state, '$.client.id') = ?2
                AND json_extract(before_state, '$.client.phone') IS NULL",
            "SELECT record_id, coalesce(state.value ->> '$.record.client.name', '')
               FROM known, json_each(states) state
              WHERE company_id = ?1 AND phone = ''
                AND state.value ->> '$.record.client.id' = ?2",
        ] {
            queries.push(tx.prepare(sql)?);
        }
        for (company, client) in &self.clients {
            for query in &mut queries {
                let rows = query.query_map([company, client], |r| Ok((r.get(0)?, r.get(1)?)))?;
                for row in rows {
                    let (record, name) = row?;
                    self.records.insert((*company, record));
                    self.names.insert(name);
                }
            }
        }
        Ok(())
    }

    fn find_chats(&mut self, tx: &Connection, e164: &str) -> Result<()> {
        let mut query = tx.prepare(
            "SELECT id, chat_id FROM contacts
              WHERE phone = ?1 OR chat_id IN (?1, substr(?1, 2))
                 OR substr(chat_id, 1, instr(chat_id, '@') - 1) = substr(?1, 2)",
        )?;
        for row in query.query_map([e164], |r| Ok((r.get(0)?, r.get(1)?)))? {
            let (id, chat) = row?;
            self.contacts.insert(id);
            self.chats.insert(chat);
        }
        Ok(())
    }
}
