//! `known`: what each person may be assumed to know of each booking.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::{At, Result, StoreError};
use crate::domain::known::Known;
use crate::domain::record::Record;

/// The key of one person's knowledge of one booking.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// The company.
    pub company: i64,
    /// The record's id.
    pub record: i64,
    /// Its `create_date` as the cache holds it.
    pub create_date: &'a str,
    /// The person's phone in E.164.
    pub phone: &'a str,
}

debug_only!(Key<'_>: company, record, create_date);

impl<'a> Key<'a> {
    /// The knowledge of whoever has this number, `""` where none is shown, of a booking;
    /// `create_date` is the booking's, by [`super::cache::create_date`].
    #[must_use]
    pub fn of(record: &Record, create_date: &'a str, phone: &'a str) -> Self {
        Self {
            company: record.company_id,
            record: record.id,
            create_date,
            phone,
        }
    }
}

/// What is known, and when a message last said so.
#[derive(Clone, Debug, Default)]
pub struct KnownRow {
    /// One state or two.
    pub known: Known,
    /// When a message last said so.
    pub told_at: Option<DateTime<Utc>>,
}

/// What this person knows of this booking; nothing when it was never stored.
pub fn get(conn: &Connection, key: Key<'_>) -> Result<KnownRow> {
    let row: Option<(String, Option<At>)> = conn
        .prepare_cached(
            "SELECT states, told_at FROM known
              WHERE company_id = ?1 AND record_id = ?2 AND create_date = ?3 AND phone = ?4",
        )?
        .query_row((key.company, key.record, key.create_date, key.phone), |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .optional()?;
    let Some((states, told_at)) = row else {
        return Ok(KnownRow::default());
    };
    let known = serde_json::from_str(&states).map_err(|_| StoreError::Corrupt("known state"))?;
    Ok(KnownRow {
        known,
        told_at: told_at.map(|a| a.0),
    })
}

/// Stores what this person knows. `told_at` is set by a message, kept by silence.
pub fn set(
    conn: &Connection,
    key: Key<'_>,
    known: &Known,
    told_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let states = serde_json::to_string(known)
        .map_err(|_| StoreError::Corrupt("known state to be stored"))?;
    conn.prepare_cached(
        "INSERT INTO known (company_id, record_id, create_date, phone, states, told_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (company_id, record_id, create_date, phone)
         DO UPDATE SET states = ?5, told_at = coalesce(?6, told_at)",
    )?
    .execute((
        key.company,
        key.record,
        key.create_date,
        key.phone,
        states,
        told_at.map(At),
    ))?;
    Ok(())
}

/// What told this person then did not arrive.
pub fn untell(conn: &Connection, key: Key<'_>, told_at: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE known SET told_at = NULL
          WHERE company_id = ?1 AND record_id = ?2 AND create_date = ?3 AND phone = ?4
            AND told_at = ?5",
    )?
    .execute((
        key.company,
        key.record,
        key.create_date,
        key.phone,
        At(told_at),
    ))?;
    Ok(())
}

/// Whoever knew of this record may have been told that it is off: nothing is known any more.
pub fn forget_record(conn: &Connection, company: i64, record: i64) -> Result<()> {
    conn.prepare_cached("DELETE FROM known WHERE company_id = ?1 AND record_id = ?2")?
        .execute((company, record))?;
    Ok(())
}

/// Everything that is stored of what this person knows in a company: record, `create_date`, row.
pub fn of_person(
    conn: &Connection,
    company: i64,
    phone: &str,
) -> Result<Vec<(i64, String, KnownRow)>> {
    let mut query = conn.prepare_cached(
        "SELECT record_id, create_date, states, told_at FROM known
          WHERE company_id = ?1 AND phone = ?2",
    )?;
    let rows = query.query_map((company, phone), |r| {
        let states: String = r.get(2)?;
        Ok((r.get(0)?, r.get(1)?, states, r.get::<_, Option<At>>(3)?))
    })?;
    rows.map(|row| {
        let (record, create_date, states, told_at) = row?;
        let known =
            serde_json::from_str(&states).map_err(|_| StoreError::Corrupt("known state"))?;
        let told_at = told_at.map(|a| a.0);
        Ok((record, create_date, KnownRow { known, told_at }))
    })
    .collect()
}

/// This person knows nothing of this booking, and never did.
pub fn forget(conn: &Connection, key: Key<'_>) -> Result<()> {
    conn.prepare_cached(
        "DELETE FROM known
          WHERE company_id = ?1 AND record_id = ?2 AND create_date = ?3 AND phone = ?4",
    )?
    .execute((key.company, key.record, key.create_date, key.phone))?;
    Ok(())
}
