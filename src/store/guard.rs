//! The figures of the guard against mass change.
//!
//! `+company_id` keeps SQLite on the index by status: held rows are few, a company's rows are many.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::{At, Result};

/// Visits of this company that somebody knew of, that vanished since `from` and still lie ahead; an
/// activity or a visit counts once, and not while something of it stands. Deletions that a person let go do not count.
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
               FROM appointments_cache g
              WHERE company_id = ?1 AND deleted = 1 AND deleted_at > ?2 AND start_at > ?3
                AND EXISTS (SELECT 1 FROM known k
                             WHERE k.company_id = g.company_id AND k.record_id = g.record_id)
                AND NOT EXISTS (SELECT 1 FROM appointments_cache s
                                 WHERE s.company_id = g.company_id AND s.unit = g.unit
                                   AND s.deleted = 0)",
        )?
        .query_row((company, At(from), At(now)), |r| r.get(0))?)
}

/// What a company's guard holds: how many, and the nearest visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Notifications held.
    pub count: i64,
    /// The newest of them.
    pub newest: Option<i64>,
    /// The earliest start among them.
    pub nearest_at: Option<DateTime<Utc>>,
}

/// What the guard holds for a company. What is held of a visit that has begun is past: nobody can
/// decide about it any more.
pub fn held(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<Held> {
    Ok(conn
        .prepare_cached(
            "SELECT count(*), max(n.id), min(a.start_at) FROM booking_notifications n
               JOIN appointments_cache a
                 ON a.company_id = n.company_id AND a.record_id = n.record_id AND a.start_at > ?2
              WHERE +n.company_id = ?1 AND n.status = 'held'",
        )?
        .query_row((company, At(now)), |r| {
            Ok(Held {
                count: r.get(0)?,
                newest: r.get(1)?,
                nearest_at: r.get::<_, Option<At>>(2)?.map(|a| a.0),
            })
        })?)
}

/// Ends what is held of visits that have begun.
pub fn end_past(conn: &Connection, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE booking_notifications SET status = 'suppressed', reason = 'past'
          WHERE status = 'held'
            AND EXISTS (SELECT 1 FROM appointments_cache a
                         WHERE a.company_id = booking_notifications.company_id
                           AND a.record_id = booking_notifications.record_id AND a.start_at <= ?1)",
    )?
    .execute([At(now)])?;
    Ok(())
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
