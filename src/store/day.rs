//! Figures of a company's day, for the owner's digest: what was booked and how, what clients heard of
//! it, and why some did not. Read from events and notifications; nothing is counted twice that a
//! visit of several records did once.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rusqlite::Connection;

use super::{At, Result, StoreError};
use crate::domain::record::Record;

/// A span of time, its end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From here.
    pub from: DateTime<Utc>,
    /// To here.
    pub to: DateTime<Utc>,
}

/// What a company did in a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Visits booked, by origin: bot, online, staff.
    pub booked: Vec<(String, i64)>,
    /// Visits that got another time.
    pub moved: i64,
    /// Visits that kept their time and got another master or other services.
    pub changed: i64,
    /// Visits that went.
    pub cancelled: i64,
    /// Messages that clients were sent.
    pub told: i64,
    /// Of them, those that arrived.
    pub delivered: i64,
    /// Of them, those that were opened.
    pub read: i64,
    /// Messages that no channel took, or that failed later.
    pub undelivered: i64,
    /// Messages of which nobody knows whether they arrived.
    pub uncertain: i64,
    /// What stayed unsaid, by stored reason, the most frequent first.
    pub silent: Vec<(String, i64)>,
}

/// A message that test mode kept back.
#[derive(Clone, PartialEq)]
pub struct Rehearsed {
    /// The stored word of its kind.
    pub kind: String,
    /// The booking, where it is still in the cache.
    pub record: Option<Record>,
}

debug_only!(Rehearsed: kind);

/// Kinds that tell a client of a booking; answers, tests and what owners read are none.
const TO_CLIENTS: &str = "kind NOT IN ('owner', 'alert', 'reply', 'test')";
/// A message may leave long after it was made; the bound keeps the search within the index.
const LATE: TimeDelta = TimeDelta::days(2);

/// Counts a company's span.
pub fn figures(conn: &Connection, company: i64, span: Span) -> Result<Figures> {
    let (from, to) = (At(span.from), At(span.to));
    let events = "booking_events e LEFT JOIN appointments_cache c
                    ON c.company_id = e.company_id AND c.record_id = e.record_id
            WHERE e.company_id = ?1 AND e.created_at >= ?2 AND e.created_at < ?3";
    let visit = "coalesce(c.unit, 'r' || e.record_id)";
    let mut query = conn.prepare(&format!(
        "SELECT coalesce(c.origin, 'staff'), count(DISTINCT {visit}) FROM {events}
            AND e.event_type = 'record.created' GROUP BY 1 ORDER BY 2 DESC, 1"
    ))?;
    let booked = query
        .query_map((company, from, to), |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let has = |field: &str| format!("json_extract(e.payload, '$.changes.{field}') IS NOT NULL");
    let (moved, staff, services) = (has("datetime"), has("staff_id"), has("services"));
    let updated = "e.event_type = 'record.updated'";
    let (moved, changed, cancelled) = conn.query_row(
        &format!(
            "SELECT count(DISTINCT {visit}) FILTER (WHERE {updated} AND {moved}),
                    count(DISTINCT {visit}) FILTER
                      (WHERE {updated} AND NOT {moved} AND ({staff} OR {services})),
                    count(DISTINCT {visit}) FILTER (WHERE e.event_type = 'record.deleted')
               FROM {events}"
        ),
        (company, from, to),
        |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
    )?;
    let (told, delivered, read, undelivered, uncertain) = conn.query_row(
        &format!(
            "SELECT count(*) FILTER (WHERE sent_at >= ?2 AND sent_at < ?3
                                       AND status IN ('sent', 'delivered', 'read')),
                    count(*) FILTER (WHERE sent_at >= ?2 AND sent_at < ?3
                                       AND status IN ('delivered', 'read')),
                    count(*) FILTER (WHERE sent_at >= ?2 AND sent_at < ?3 AND status = 'read'),
                    count(*) FILTER (WHERE created_at >= ?2 AND status IN ('dead', 'failed')),
                    count(*) FILTER (WHERE created_at >= ?2 AND status = 'uncertain')
               FROM booking_notifications
              WHERE company_id = ?1 AND created_at >= ?4 AND created_at < ?3 AND {TO_CLIENTS}"
        ),
        (company, from, to, At(span.from - LATE)),
        |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)),
    )?;
    // What another message says, and what is no news, is no silence.
    let mut query = conn.prepare(&format!(
        "SELECT reason, count(*) FROM booking_notifications
          WHERE company_id = ?1 AND created_at >= ?2 AND created_at < ?3 AND {TO_CLIENTS}
            AND status = 'suppressed' AND reason NOT IN ('superseded', 'unchanged', 'baseline')
          GROUP BY reason ORDER BY 2 DESC, 1"
    ))?;
    let silent = query
        .query_map((company, from, to), |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Figures {
        booked,
        moved,
        changed,
        cancelled,
        told,
        delivered,
        read,
        undelivered,
        uncertain,
        silent,
    })
}

/// Standing bookings of one salon day that name a client, the first record of each visit, by time.
pub fn visits_on(conn: &Connection, company: i64, day: NaiveDate) -> Result<Vec<Record>> {
    let mut query = conn.prepare_cached(
        "SELECT snapshot, min(start_local || record_id) FROM appointments_cache
          WHERE company_id = ?1 AND deleted = 0 AND start_local >= ?2 AND start_local < ?3
            AND (client_phone <> '' OR json_extract(snapshot, '$.client') IS NOT NULL)
          GROUP BY unit, client_phone ORDER BY start_local, record_id",
    )?;
    let next = day.succ_opt().unwrap_or(day);
    let rows = query.query_map((company, day.to_string(), next.to_string()), |r| {
        r.get::<_, String>(0)
    })?;
    let mut visits = Vec::new();
    for snapshot in rows {
        visits.push(parsed(&snapshot?)?);
    }
    Ok(visits)
}

/// What test mode kept from clients, in order.
pub fn rehearsed(conn: &Connection, company: i64, span: Span) -> Result<Vec<Rehearsed>> {
    let mut query = conn.prepare_cached(
        "SELECT n.kind, c.snapshot FROM booking_notifications n LEFT JOIN appointments_cache c
             ON c.company_id = n.company_id AND c.record_id = n.record_id
          WHERE n.company_id = ?1 AND n.created_at >= ?2 AND n.created_at < ?3
            AND n.status = 'suppressed' AND n.reason = 'test_mode' AND n.phone <> ''
          ORDER BY n.id",
    )?;
    let rows = query.query_map((company, At(span.from), At(span.to)), |r| {
        Ok((r.get::<_, String>(0)?, r.get::<_, Option<String>>(1)?))
    })?;
    let mut rehearsed = Vec::new();
    for row in rows {
        let (kind, snapshot) = row?;
        let record = snapshot.as_deref().map(parsed).transpose()?;
        rehearsed.push(Rehearsed { kind, record });
    }
    Ok(rehearsed)
}

/// Bookings ahead that name a client, each with whether it shows a phone.
pub fn known_ahead(
    conn: &Connection,
    company: i64,
    now: DateTime<Utc>,
) -> Result<Vec<(Record, bool)>> {
    let mut query = conn.prepare_cached(
        "SELECT snapshot, client_phone <> '' FROM appointments_cache
          WHERE company_id = ?1 AND deleted = 0 AND start_at > ?2
            AND (client_phone <> '' OR json_extract(snapshot, '$.client') IS NOT NULL)",
    )?;
    let rows = query.query_map((company, At(now)), |r| {
        Ok((r.get::<_, String>(0)?, r.get(1)?))
    })?;
    let row = |row: rusqlite::Result<(String, bool)>| {
        let (snapshot, has_phone) = row?;
        Ok((parsed(&snapshot)?, has_phone))
    };
    rows.map(row).collect()
}

fn parsed(snapshot: &str) -> Result<Record> {
    serde_json::from_str(snapshot).map_err(|_| StoreError::Corrupt("booking"))
}
