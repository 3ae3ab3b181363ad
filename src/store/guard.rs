//! The figures of the guard against mass change.
//!
//! `+company_id` keeps SQLite on the index by status: held rows are few, a company's rows are many.
//! `INDEXED BY`, where it would go through all of a company's rows for each one that is gone.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::store::execute;

use super::cache::ONCE;
use super::{At, Result, StoreError, questions};
use crate::domain::guard::Move;
use crate::domain::policy::{Kind, Reason};
use crate::domain::question::{End, Matter};

/// What may be held, kind by kind.
pub const KINDS: [Kind; 3] = Kind::NEWS;

/// Visits of this company that somebody knew of, that vanished since `from` and still lie ahead; an
/// activity or a visit counts once, and not while something of it stands.
pub fn vanished(
    conn: &Connection,
    company: i64,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<i64> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT count(DISTINCT {ONCE})
               FROM appointments_cache g
              WHERE company_id = ?1 AND deleted = 1 AND deleted_at > ?2 AND start_at > ?3
                AND EXISTS (SELECT 1 FROM known k
                             WHERE k.company_id = g.company_id AND k.record_id = g.record_id
                               AND k.phone <> '')
                AND NOT EXISTS (SELECT 1 FROM appointments_cache s INDEXED BY appointments_by_unit
                                 WHERE s.company_id = g.company_id AND s.unit = g.unit
                                   AND s.deleted = 0)"
        ))?
        .query_row((company, At(from), At(now)), |r| r.get(0))?)
}

/// Bookings ahead whose start is not what it was before the first change seen since `from`.
pub fn moves(
    conn: &Connection,
    company: i64,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Move>> {
    let mut query = conn.prepare_cached(&format!(
        "SELECT e.record_id, {ONCE}, json_extract(e.before_state, '$.start_local') AS had,
                a.start_local, a.last_change_at, json_extract(e.before_state, '$.changed_at'),
                min(e.id)
           FROM booking_events e
           JOIN appointments_cache a
             ON a.company_id = e.company_id AND a.record_id = e.record_id AND a.deleted = 0
          WHERE +e.company_id = ?1 AND e.created_at > ?2 AND e.event_type = 'record.updated'
            AND e.before_state IS NOT NULL AND a.start_at > ?3
          GROUP BY e.record_id HAVING had <> a.start_local"
    ))?;
    let rows = query.query_map((company, At(from), At(now)), |r| {
        let at = |column| r.get::<_, Option<At>>(column).map(|at| at.map(|a| a.0));
        let changed_at =
            at(4)?.filter(|now| at(5).is_ok_and(|had| had.is_none_or(|had| had < *now)));
        Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, changed_at))
    })?;
    let start = |text: String| text.parse().map_err(|_| StoreError::Corrupt("start"));
    rows.map(|row| {
        let (record, once, from, to, changed_at): (i64, String, String, String, _) = row?;
        Ok(Move {
            record,
            once,
            from: start(from)?,
            to: start(to)?,
            changed_at,
        })
    })
    .collect()
}

/// Companies in whose journals more than `most` changes were seen since `from`. Without the `+` SQLite
/// would read the whole history, to have it in order of companies.
pub fn busy(conn: &Connection, from: DateTime<Utc>, most: i64) -> Result<Vec<i64>> {
    let mut query = conn.prepare_cached(
        "SELECT company_id FROM booking_events
          WHERE created_at > ?1 AND event_type = 'record.updated'
          GROUP BY +company_id HAVING count(*) > ?2",
    )?;
    let rows = query.query_map((At(from), most), |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What a company's guard holds: how many, and the nearest visit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Notifications held.
    pub count: i64,
    /// When the newest of them was made.
    pub newest_at: Option<DateTime<Utc>>,
    /// The earliest start among them.
    pub nearest_at: Option<DateTime<Utc>>,
}

/// Whether what is held (`n`) is of a visit that lies ahead of `?2`: as the journal has it (`a`), or as
/// its person expects it. A booking put into the past and erased there is expected later.
const AHEAD: &str = "(a.start_at > ?2 OR EXISTS (
    SELECT 1 FROM known k, json_each(k.states) s
     WHERE k.company_id = n.company_id AND k.record_id = n.record_id AND k.phone = n.phone
       AND s.value ->> '$.is' = 'booked'
       AND julianday(s.value ->> '$.record.start_local') - julianday(a.start_local)
           > julianday(?2) - julianday(a.start_at)))";

/// What the guard holds for a company. What is held of a visit that has begun is past: nobody can
/// decide about it any more.
pub fn held(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<Held> {
    held_as(conn, company, None, now)
}

/// What it holds of one kind of notification, or of all.
pub fn held_as(
    conn: &Connection,
    company: i64,
    kind: Option<Kind>,
    now: DateTime<Utc>,
) -> Result<Held> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT count(*), max(n.created_at), min(iif(a.start_at > ?2, a.start_at, NULL))
               FROM booking_notifications n
               JOIN appointments_cache a ON a.company_id = n.company_id AND a.record_id = n.record_id
              WHERE +n.company_id = ?1 AND n.status = 'held' AND (?3 IS NULL OR n.kind = ?3) AND {AHEAD}"
        ))?
        .query_row((company, At(now), kind.map(Kind::as_str)), |r| {
            let at = |column| r.get::<_, Option<At>>(column).map(|at| at.map(|a| a.0));
            Ok(Held {
                count: r.get(0)?,
                newest_at: at(1)?,
                nearest_at: at(2)?,
            })
        })?)
}

/// Ends what is held of visits that have begun.
pub fn end_past(conn: &Connection, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(&format!(
        "UPDATE booking_notifications AS n SET status = 'suppressed', reason = ?1
          WHERE status = 'held'
            AND EXISTS (SELECT 1 FROM appointments_cache a
                         WHERE a.company_id = n.company_id AND a.record_id = n.record_id AND NOT {AHEAD})"
    ))?
    .execute((Reason::Past.as_str(), At(now)))?;
    Ok(())
}

/// Holds every cancellation of the company that has not left yet.
pub fn hold_cancellations(conn: &Connection, company: i64) -> Result<usize> {
    Ok(execute(
        conn,
        "UPDATE booking_notifications SET status = 'held'
          WHERE +company_id = ?1 AND kind = 'cancelled' AND status = 'pending'",
        [company],
    )?)
}

/// Holds every news of these bookings' moves that has not left yet.
pub fn hold_moves(conn: &Connection, company: i64, records: &BTreeSet<i64>) -> Result<usize> {
    let records = serde_json::json!(records).to_string();
    Ok(execute(
        conn,
        "UPDATE booking_notifications SET status = 'held'
          WHERE +company_id = ?1 AND kind = 'updated' AND status = 'pending'
            AND record_id IN (SELECT value FROM json_each(?2))",
        (company, records),
    )?)
}

/// Lets go what is held; it is due now.
pub fn release(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<usize> {
    release_as(conn, company, None, now)
}

/// Lets go what is held of one kind of notification, or of all.
pub fn release_as(
    conn: &Connection,
    company: i64,
    kind: Option<Kind>,
    now: DateTime<Utc>,
) -> Result<usize> {
    let mut released = 0;
    for kind in KINDS.into_iter().filter(|k| kind.is_none_or(|of| of == *k)) {
        decided(conn, company, kind, now)?;
        let count = execute(
            conn,
            "UPDATE booking_notifications SET status = 'pending', due_at = ?2
              WHERE +company_id = ?1 AND status = 'held' AND kind = ?3",
            (company, At(now), kind.as_str()),
        )?;
        if count > 0 {
            let end = End::Sent(i64::try_from(count).unwrap_or(i64::MAX));
            questions::end(conn, company, &Matter::Guard(kind), end, now)?;
        }
        released += count;
    }
    Ok(released)
}

/// A person decides about what is held of this kind: from now on it does not count. What came after
/// it and still settles does, and so does every other kind: nobody spoke of those.
pub fn decided(conn: &Connection, company: i64, kind: Kind, now: DateTime<Utc>) -> Result<()> {
    let sql = match kind {
        // No guard holds what is new, nor what a clock brings.
        Kind::Created | Kind::NoShow | Kind::Visited | Kind::Reminder => return Ok(()),
        Kind::Cancelled => {
            "UPDATE companies SET guard_released_at =
                (SELECT nullif(max(coalesce(guard_released_at, ''),
                                   min(?2, coalesce(max(g.deleted_at), ''))), '')
                   FROM booking_notifications n
                   JOIN appointments_cache g
                     ON g.company_id = n.company_id AND g.unit = n.unit AND g.deleted = 1
                  WHERE +n.company_id = ?1 AND n.status = 'held' AND n.kind = ?3)
              WHERE company_id = ?1"
        }
        Kind::Updated => {
            "UPDATE companies SET moves_released_at =
                (SELECT nullif(max(coalesce(moves_released_at, ''),
                                   min(?2, coalesce(max(e.created_at), ''))), '')
                   FROM booking_notifications n
                   JOIN appointments_cache a ON a.company_id = n.company_id AND a.unit = n.unit
                   JOIN booking_events e
                     ON e.company_id = a.company_id AND e.record_id = a.record_id
                    AND e.processed_at IS NOT NULL
                  WHERE +n.company_id = ?1 AND n.status = 'held' AND n.kind = ?3)
              WHERE company_id = ?1"
        }
    };
    execute(conn, sql, (company, At(now), kind.as_str()))?;
    Ok(())
}

/// The ids of what is held for a company of one kind of notification.
pub fn held_ids(conn: &Connection, company: i64, kind: Kind) -> Result<Vec<i64>> {
    let mut query = conn.prepare_cached(
        "SELECT id FROM booking_notifications
          WHERE +company_id = ?1 AND status = 'held' AND kind = ?2 ORDER BY id",
    )?;
    let rows = query.query_map((company, kind.as_str()), |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
