//! `booking_events`: every change, in the shape of a YClients webhook.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use super::{At, Result, StoreError, sinks};
use crate::domain::record::Record;

/// One event to be recorded.
#[derive(Clone)]
pub struct NewEvent<'a> {
    /// UUIDv5, deterministic.
    pub event_id: String,
    /// `record.created`, `record.updated`, `record.deleted`.
    pub event_type: &'static str,
    /// The booking it is about.
    pub record: &'a Record,
    /// The webhook-shaped body.
    pub payload: Value,
    /// The state before, when there was one.
    pub before: Option<&'a Record>,
    /// Settled at once: nothing about it could be told.
    pub settled: bool,
}

debug_only!(NewEvent<'_>: event_id, event_type, settled);

/// Records one event, and owes it to the sinks that take it; the same event twice is one.
pub fn add(conn: &Connection, event: &NewEvent<'_>, now: DateTime<Utc>) -> Result<()> {
    let before = event
        .before
        .map(serde_json::to_string)
        .transpose()
        .map_err(|_| StoreError::Corrupt("record to be stored"))?;
    let added = conn
        .prepare_cached(
            "INSERT OR IGNORE INTO booking_events
            (event_id, event_type, company_id, record_id, payload, before_state, created_at, processed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            &event.event_id,
            event.event_type,
            event.record.company_id,
            event.record.id,
            event.payload.to_string(),
            before,
            At(now),
            event.settled.then_some(At(now)),
        ))?;
    if added == 1 {
        sinks::owe(conn, conn.last_insert_rowid(), now)?;
    }
    Ok(())
}

/// The first unsettled event of a booking: its state before, `Some(None)` when it was not there.
/// `None` when no event waits.
pub fn state_before_open(
    conn: &Connection,
    company: i64,
    record: i64,
) -> Result<Option<Option<Record>>> {
    let before: Option<Option<String>> = conn
        .prepare_cached(
            "SELECT before_state FROM booking_events
              WHERE company_id = ?1 AND record_id = ?2 AND processed_at IS NULL
              ORDER BY id LIMIT 1",
        )?
        .query_row((company, record), |r| r.get(0))
        .optional()?;
    before.map(read_state).transpose()
}

/// The last state before a change in which a booking had this number.
pub fn last_state_of_phone(
    conn: &Connection,
    company: i64,
    record: i64,
    phone: &str,
) -> Result<Option<Record>> {
    let before: Option<String> = conn
        .prepare_cached(
            "SELECT before_state FROM booking_events
              WHERE company_id = ?1 AND record_id = ?2
                AND json_extract(before_state, '$.client.phone') = ?3
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row((company, record, phone), |r| r.get(0))
        .optional()?;
    before
        .map(|text| serde_json::from_str(&text).map_err(|_| StoreError::Corrupt("event")))
        .transpose()
}

/// A booking as it stood before its last change, where it stood.
pub fn last_before(conn: &Connection, company: i64, record: i64) -> Result<Option<Record>> {
    let before: Option<String> = conn
        .prepare_cached(
            "SELECT before_state FROM booking_events
              WHERE company_id = ?1 AND record_id = ?2 AND before_state IS NOT NULL
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row((company, record), |r| r.get(0))
        .optional()?;
    before
        .map(|text| serde_json::from_str(&text).map_err(|_| StoreError::Corrupt("event")))
        .transpose()
}

/// A booking as it stood at that moment: before the first change seen since. `Some(None)` when it was
/// not there, `None` when it stands so still.
pub fn state_then(
    conn: &Connection,
    company: i64,
    record: i64,
    then: DateTime<Utc>,
) -> Result<Option<Option<Record>>> {
    let before: Option<Option<String>> = conn
        .prepare_cached(
            "SELECT before_state FROM booking_events
              WHERE company_id = ?1 AND record_id = ?2 AND created_at >= ?3
              ORDER BY id LIMIT 1",
        )?
        .query_row((company, record, At(then)), |r| r.get(0))
        .optional()?;
    before.map(read_state).transpose()
}

fn read_state(text: Option<String>) -> Result<Option<Record>> {
    text.map(|t| serde_json::from_str(&t).map_err(|_| StoreError::Corrupt("event")))
        .transpose()
}

/// When the first unsettled event of a booking was seen.
pub fn open_since(conn: &Connection, company: i64, record: i64) -> Result<Option<DateTime<Utc>>> {
    let since: Option<At> = conn
        .prepare_cached(
            "SELECT min(created_at) FROM booking_events
              WHERE company_id = ?1 AND record_id = ?2 AND processed_at IS NULL",
        )?
        .query_row((company, record), |r| r.get(0))?;
    Ok(since.map(|a| a.0))
}

/// The kind of the latest unsettled event of a booking.
pub fn last_open_type(conn: &Connection, company: i64, record: i64) -> Result<Option<String>> {
    Ok(conn
        .prepare_cached(
            "SELECT event_type FROM booking_events
              WHERE company_id = ?1 AND record_id = ?2 AND processed_at IS NULL
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row((company, record), |r| r.get(0))
        .optional()?)
}

/// All waiting events of these bookings are settled now.
pub fn settle(conn: &Connection, company: i64, records: &[i64], now: DateTime<Utc>) -> Result<()> {
    let mut update = conn.prepare_cached(
        "UPDATE booking_events SET processed_at = ?3
          WHERE company_id = ?1 AND record_id = ?2 AND processed_at IS NULL",
    )?;
    for record in records {
        update.execute((company, record, At(now)))?;
    }
    Ok(())
}
