//! The figures of the guard against mass change.
//!
//! `+company_id` keeps SQLite on the index by status: held rows are few, a company's rows are many.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::{At, Result};

/// Visits of this company that vanished since `from` and still lie ahead; an activity or a visit
/// counts once. Deletions that a person let go do not count.
pub fn vanished(
    conn: &Connection,
    company: i64,
    from: DateTime<Utc>,
    released_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<i64> {
    let from = released_at.map_or(from, |r| r.max(from));
    Ok(conn
        .prepare_cached(
            "SELECT count(DISTINCT CASE json_extract(snapshot, '$.activity_id')
                                   WHEN 0 THEN unit
                                   ELSE 'a' || json_extract(snapshot, '$.activity_id') END)
               FROM appointments_cache
              WHERE company_id = ?1 AND deleted = 1 AND deleted_at > ?2 AND start_at > ?3",
        )?
        .query_row((company, At(from), At(now)), |r| r.get(0))?)
}

/// What a company's guard holds: how many, and the nearest visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Notifications held.
    pub count: i64,
    /// The earliest start among them.
    pub nearest_at: Option<DateTime<Utc>>,
}

/// What the guard holds for a company.
pub fn held(conn: &Connection, company: i64) -> Result<Held> {
    Ok(conn
        .prepare_cached(
            "SELECT count(*), min(a.start_at) FROM booking_notifications n
               LEFT JOIN appointments_cache a
                 ON a.company_id = n.company_id AND a.record_id = n.record_id
              WHERE +n.company_id = ?1 AND n.status = 'held'",
        )?
        .query_row([company], |r| {
            Ok(Held {
                count: r.get(0)?,
                nearest_at: r.get::<_, Option<At>>(1)?.map(|a| a.0),
            })
        })?)
}

/// Holds every cancellation of the company that has not left yet.
pub fn hold_cancellations(conn: &Connection, company: i64) -> Result<usize> {
    Ok(conn.execute(
        "UPDATE booking_notifications SET status = 'held'
          WHERE +company_id = ?1 AND kind = 'cancelled' AND status = 'pending'",
        [company],
    )?)
}

/// Lets go what is held; it is due now.
pub fn release(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<usize> {
    super::companies::release_guard(conn, company, now)?;
    Ok(conn.execute(
        "UPDATE booking_notifications SET status = 'pending', due_at = ?2
          WHERE +company_id = ?1 AND status = 'held'",
        (company, At(now)),
    )?)
}

/// The ids of what is held for a company.
pub fn held_ids(conn: &Connection, company: i64) -> Result<Vec<i64>> {
    let mut query = conn.prepare_cached(
        "SELECT id FROM booking_notifications WHERE +company_id = ?1 AND status = 'held' ORDER BY id",
    )?;
    let rows = query.query_map([company], |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
