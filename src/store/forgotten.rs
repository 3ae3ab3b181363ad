//! `forgotten`: people whose data were erased. Of each number stays a keyed hash, by which the next
//! reading knows them again and stores their bookings without name and phone, until they write
//! themselves.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rusqlite::{Connection, OptionalExtension};
use sha2::Sha256;

use super::{At, Result, StoreError, hex};
use crate::domain::phone::{Phone, phones_in};
use crate::domain::record::{Client, Record};

/// Bytes of the key.
const KEY_LENGTH: i64 = 32;

/// Whom this database has forgotten.
#[derive(Clone, Default)]
pub struct Forgotten {
    key: Vec<u8>,
    hashes: BTreeSet<String>,
}

impl Forgotten {
    /// Reads the hashes, of which there are few or none.
    pub fn read(conn: &Connection) -> Result<Self> {
        let Some(key) = key(conn)? else {
            return Ok(Self::default());
        };
        let mut query = conn.prepare_cached("SELECT hash FROM forgotten")?;
        let hashes = query.query_map([], |r| r.get(0))?;
        let hashes = hashes.collect::<rusqlite::Result<_>>()?;
        Ok(Self { key, hashes })
    }

    /// Whether whoever has this number was forgotten.
    #[must_use]
    pub fn has_phone(&self, phone: &Phone) -> bool {
        self.has(&of_phone(phone))
    }

    fn has_client(&self, company: i64, client: &Client) -> bool {
        client.id != 0 && self.has(&of_client(company, client.id))
    }

    fn has(&self, what: &str) -> bool {
        hash(&self.key, what).is_ok_and(|hash| self.hashes.contains(&hash))
    }

    /// The row as it may be stored: of a forgotten client without name and phone and without what
    /// was noted of them; of anybody else without a forgotten number in its words.
    #[must_use]
    pub fn without_them<'r>(&self, seen: &'r Record, cached: Option<&Record>) -> Cow<'r, Record> {
        if self.hashes.is_empty() {
            return Cow::Borrowed(seen);
        }
        let is_theirs = seen.client.as_ref().is_some_and(|c| match &c.phone {
            Some(phone) => self.has_phone(phone),
            // A number may be hidden for a while; the client stays the same.
            None => {
                let was_theirs = cached.and_then(|r| r.client.as_ref());
                was_theirs.is_some_and(|had| had.forgotten && had.id == c.id)
                    || self.has_client(seen.company_id, c)
            }
        });
        if is_theirs {
            let mut record = seen.clone();
            record.forget_client();
            return Cow::Owned(record);
        }
        let names_them = |words: &str| phones_in(words).iter().any(|p| self.has_phone(p));
        let named = seen.client.as_ref().is_some_and(|c| names_them(&c.name));
        if !named && !names_them(&seen.comment) {
            return Cow::Borrowed(seen);
        }
        let mut record = seen.clone();
        if names_them(&record.comment) {
            record.comment.clear();
        }
        if let Some(client) = record.client.as_mut().filter(|_| named) {
            client.name.clear();
        }
        Cow::Owned(record)
    }
}

/// Whom a database has forgotten, by hash: to be looked up, or carried into another database.
pub(super) struct Ledger {
    key: Vec<u8>,
    /// Person and since when, by hash.
    rows: BTreeMap<String, (String, String)>,
}

/// A row of `forgotten`: hash, person, since when.
pub(super) type Row = (String, String, String);

impl Ledger {
    /// `None` where nobody was ever forgotten.
    pub(super) fn read(conn: &Connection) -> Result<Option<Self>> {
        let Some(key) = key(conn)? else {
            return Ok(None);
        };
        let mut query = conn.prepare_cached("SELECT hash, person, since FROM forgotten")?;
        let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        let rows: Vec<Row> = rows.collect::<rusqlite::Result<_>>()?;
        Ok(Some(Self::of(key, rows)))
    }

    pub(super) fn of(key: Vec<u8>, rows: impl IntoIterator<Item = Row>) -> Self {
        let rows = rows.into_iter();
        let rows = rows.map(|(hash, person, since)| (hash, (person, since)));
        Self {
            key,
            rows: rows.collect(),
        }
    }

    /// Hashes under another key say nothing here.
    fn is_of(&self, conn: &Connection) -> Result<bool> {
        Ok(key(conn)?.is_some_and(|key| key == self.key))
    }

    /// Writes it down in another copy of the same database. `false` where that cannot be, because
    /// the copy has a key of its own.
    pub(super) fn carry(&self, conn: &Connection) -> Result<bool> {
        conn.execute(
            "INSERT OR IGNORE INTO forgotten_key (one, key) VALUES (1, ?1)",
            [&self.key],
        )?;
        if !self.is_of(conn)? {
            return Ok(self.rows.is_empty());
        }
        let mut add = conn.prepare_cached(
            "INSERT INTO forgotten (hash, person, since) VALUES (?1, ?2, ?3)
             ON CONFLICT (hash) DO UPDATE SET since = max(since, ?3)",
        )?;
        for (hash, (person, since)) in &self.rows {
            add.execute((hash, person, since))?;
        }
        Ok(true)
    }

    /// Whoever is not in it any more came back since: they are not forgotten there either.
    pub(super) fn lift_the_others(&self, conn: &Connection) -> Result<()> {
        if !self.is_of(conn)? {
            return Ok(());
        }
        let mut query = conn.prepare("SELECT hash FROM forgotten")?;
        let had = query.query_map([], |r| r.get(0))?;
        for hash in had.collect::<rusqlite::Result<Vec<String>>>()? {
            if !self.rows.contains_key(&hash) {
                conn.execute("DELETE FROM forgotten WHERE hash = ?1", [hash])?;
            }
        }
        Ok(())
    }

    /// The person of this number, if they were forgotten.
    pub(super) fn person_of_phone(&self, phone: &Phone) -> Option<&str> {
        self.person(&of_phone(phone))
    }

    /// The person of this client id, if they were forgotten.
    pub(super) fn person_of_client(&self, company: i64, client: i64) -> Option<&str> {
        self.person(&of_client(company, client))
    }

    fn person(&self, what: &str) -> Option<&str> {
        let hash = hash(&self.key, what).ok()?;
        self.rows.get(&hash).map(|(person, _)| person.as_str())
    }
}

/// Since when the person of this number is forgotten.
pub fn since(conn: &Connection, phone: &Phone) -> Result<Option<DateTime<Utc>>> {
    let Some(key) = key(conn)? else {
        return Ok(None);
    };
    let since: Option<At> = conn
        .prepare_cached("SELECT since FROM forgotten WHERE hash = ?1")?
        .query_row([hash(&key, &of_phone(phone))?], |r| r.get(0))
        .optional()?;
    Ok(since.map(|at| at.0))
}

/// The person of this number wrote to us: they are served again. Silence they asked for before holds.
pub fn lift(conn: &Connection, phone: &Phone) -> Result<()> {
    let Some(key) = key(conn)? else {
        return Ok(());
    };
    let person = hash(&key, &of_phone(phone))?;
    if conn.execute("DELETE FROM forgotten WHERE person = ?1", [&person])? == 0 {
        return Ok(());
    }
    conn.execute(
        "UPDATE OR IGNORE opt_outs SET phone = ?1 WHERE phone = ?2",
        (phone.e164(), out(&person)),
    )?;
    conn.execute("DELETE FROM opt_outs WHERE phone = ?1", [out(&person)])?;
    tracing::info!("somebody who was forgotten wrote to us and is served again");
    Ok(())
}

/// Remembers that this person is forgotten, under these client ids too, and that their silence holds.
pub(super) fn remember(
    conn: &Connection,
    phone: &Phone,
    clients: &BTreeSet<(i64, i64)>,
    now: DateTime<Utc>,
) -> Result<()> {
    conn.execute(
        "INSERT OR IGNORE INTO forgotten_key (one, key) VALUES (1, randomblob(?1))",
        [KEY_LENGTH],
    )?;
    let key = key(conn)?.ok_or(StoreError::Corrupt("key"))?;
    let person = hash(&key, &of_phone(phone))?;
    let mut add = conn.prepare_cached(
        "INSERT OR IGNORE INTO forgotten (hash, person, since) VALUES (?1, ?2, ?3)",
    )?;
    add.execute((&person, &person, At(now)))?;
    for (company, client) in clients {
        add.execute((
            &hash(&key, &of_client(*company, *client))?,
            &person,
            At(now),
        ))?;
    }
    conn.execute(
        "UPDATE OR IGNORE opt_outs SET phone = ?2 WHERE phone = ?1",
        (phone.e164(), out(&person)),
    )?;
    conn.execute("DELETE FROM opt_outs WHERE phone = ?1", [phone.e164()])?;
    Ok(())
}

/// What stands for a forgotten phone among those who asked for silence.
fn out(person: &str) -> String {
    format!("#{person}")
}

fn of_phone(phone: &Phone) -> String {
    format!("phone:{}", phone.e164())
}

fn of_client(company: i64, client: i64) -> String {
    format!("client:{company}:{client}")
}

fn key(conn: &Connection) -> Result<Option<Vec<u8>>> {
    Ok(conn
        .prepare_cached("SELECT key FROM forgotten_key")?
        .query_row([], |r| r.get(0))
        .optional()?)
}

fn hash(key: &[u8], what: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| StoreError::Corrupt("key"))?;
    mac.update(what.as_bytes());
    let bytes = mac.finalize().into_bytes();
    Ok(hex(&bytes))
}
