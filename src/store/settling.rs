//! `settling`: visits whose delay is running. When it ends is a column, so a restart changes nothing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::{At, Result};

/// One visit and person whose delay is running.
#[derive(Clone, PartialEq, Eq)]
pub struct Unit {
    /// The company.
    pub company: i64,
    /// The visit (or record).
    pub unit: String,
    /// The person's phone, '' when nobody can be written to.
    pub phone: String,
    /// The first change of this delay.
    pub first_change_at: DateTime<Utc>,
}

debug_only!(Unit: company, unit, first_change_at);

/// When the delay of a visit ends, for whomever it is; `None` when none is running.
pub fn of_unit(conn: &Connection, company: i64, unit: &str) -> Result<Option<DateTime<Utc>>> {
    let at: Option<At> = conn.query_row(
        "SELECT max(settle_at) FROM settling WHERE company_id = ?1 AND unit = ?2",
        (company, unit),
        |r| r.get(0),
    )?;
    Ok(at.map(|at| at.0))
}

/// Starts or restarts the delay of a visit.
///
/// It ends `delay` after this change, at most `max_delay` after the first one. A message that is
/// ready but has never left counts as still waiting: the look before speaking found this change,
/// and the clock of `max_delay` goes on from its first change. What has waited longer (for the
/// morning, for a channel, for hidden phones) waits for another reason, and this change has a delay of
/// its own.
pub fn open(
    conn: &Connection,
    company: i64,
    unit: &str,
    phone: &str,
    delay: Duration,
    max_delay: Duration,
    now: DateTime<Utc>,
) -> Result<()> {
    let delta = |d: Duration| TimeDelta::from_std(d).unwrap_or(TimeDelta::MAX);
    let running: Option<At> = conn
        .prepare_cached(
            "SELECT first_change_at FROM settling
              WHERE company_id = ?1 AND unit = ?2 AND phone = ?3 AND settle_at <= ?5
             UNION ALL
             SELECT first_change_at FROM booking_notifications
              WHERE company_id = ?1 AND unit = ?2 AND phone = ?3
                AND status = 'pending' AND attempts = 0 AND created_at > ?4
                AND kind IN ('created', 'updated', 'cancelled')
             ORDER BY 1 LIMIT 1",
        )?
        .query_row(
            (
                company,
                unit,
                phone,
                At(now - delta(max_delay)),
                At(now + delta(delay)),
            ),
            |r| r.get(0),
        )
        .optional()?;
    let first = running.map_or(now, |a| a.0.min(now));
    let settle_at = (now + delta(delay)).min(first + delta(max_delay)).max(now);
    conn.prepare_cached(
        "INSERT INTO settling (company_id, unit, phone, first_change_at, settle_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (company_id, unit, phone) DO UPDATE SET settle_at = ?5",
    )?
    .execute((company, unit, phone, At(first), At(settle_at)))?;
    Ok(())
}

/// A booking left one visit for another. Whatever waited to be told in the old one is settled anew
/// in both, or it would be looked for where the booking no longer is, and be lost.
pub fn follow(
    conn: &Connection,
    company: i64,
    from: &str,
    to: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut query = conn.prepare_cached(
        "SELECT phone, min(first_change_at), min(settle_at) FROM (
            SELECT phone, first_change_at, settle_at FROM settling
             WHERE company_id = ?1 AND unit = ?2
            UNION ALL
            SELECT phone, first_change_at, ?3 FROM booking_notifications
             WHERE company_id = ?1 AND unit = ?2 AND status IN ('pending', 'held', 'sending')
               AND kind IN ('created', 'updated', 'cancelled'))
         GROUP BY phone",
    )?;
    let waiting: Vec<(String, At, At)> = query
        .query_map((company, from, At(now)), |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut open = conn.prepare_cached(
        "INSERT OR IGNORE INTO settling (company_id, unit, phone, first_change_at, settle_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (phone, first, settle_at) in waiting {
        for unit in [from, to] {
            open.execute((company, unit, &phone, first, settle_at))?;
        }
    }
    Ok(())
}

/// Visits whose delay has ended, oldest first. A person to whom a message is on its way is left
/// until its outcome is known; those of companies that are not watched wait until they are.
///
/// `+company_id` and `INDEXED BY`, because SQLite would sort all that wait, and read all that a
/// company's clients were ever told for each of them; `+s.phone`, because the index of an expression
/// is not searched for a text.
pub fn due(
    conn: &Connection,
    companies: &[i64],
    now: DateTime<Utc>,
    most: u32,
) -> Result<Vec<Unit>> {
    let watched = serde_json::Value::from(companies).to_string();
    let mut query = conn.prepare_cached(
        "SELECT company_id, unit, phone, first_change_at FROM settling s
          WHERE settle_at <= ?1 AND +company_id IN (SELECT value FROM json_each(?3))
            AND NOT EXISTS (SELECT 1 FROM booking_notifications n INDEXED BY notifications_queue
                             WHERE s.phone <> '' AND coalesce(nullif(n.phone, ''), n.recipient) = +s.phone
                               AND n.status IN ('pending', 'sending') AND n.status = 'sending'
                               AND n.company_id = s.company_id)
          ORDER BY settle_at LIMIT ?2",
    )?;
    let rows = query.query_map((At(now), most, watched), |r| {
        Ok(Unit {
            company: r.get(0)?,
            unit: r.get(1)?,
            phone: r.get(2)?,
            first_change_at: r.get::<_, At>(3)?.0,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether any delay has ended: where none has, nothing needs a transaction.
pub fn is_due(conn: &Connection, now: DateTime<Utc>) -> Result<bool> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM settling WHERE settle_at <= ?1)")?
        .query_row([At(now)], |r| r.get(0))?)
}

/// Whether the delay of this visit is running.
pub fn is_open(conn: &Connection, company: i64, unit: &str, phone: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM settling WHERE company_id = ?1 AND unit = ?2 AND phone = ?3)",
        )?
        .query_row((company, unit, phone), |r| r.get(0))?)
}

/// The visits of this person whose delay is running or has just ended.
pub fn of_person(conn: &Connection, company: i64, phone: &str) -> Result<Vec<String>> {
    let mut query = conn.prepare_cached(
        "SELECT unit FROM settling WHERE company_id = ?1 AND phone = ?2 ORDER BY unit",
    )?;
    let rows = query.query_map((company, phone), |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether any visit of this person is being settled.
pub fn person_waits(conn: &Connection, company: i64, phone: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM settling WHERE company_id = ?1 AND phone = ?2)",
        )?
        .query_row((company, phone), |r| r.get(0))?)
}

/// This visit is to be settled once more, at once unless its delay is running.
pub fn reopen(conn: &Connection, unit: &Unit) -> Result<()> {
    conn.prepare_cached(
        "INSERT OR IGNORE INTO settling (company_id, unit, phone, first_change_at, settle_at)
         VALUES (?1, ?2, ?3, ?4, ?4)",
    )?
    .execute((
        unit.company,
        &unit.unit,
        &unit.phone,
        At(unit.first_change_at),
    ))?;
    Ok(())
}

/// The delay of this visit has ended and was dealt with.
pub fn close(conn: &Connection, unit: &Unit) -> Result<()> {
    conn.prepare_cached("DELETE FROM settling WHERE company_id = ?1 AND unit = ?2 AND phone = ?3")?
        .execute((unit.company, &unit.unit, &unit.phone))?;
    Ok(())
}

/// The visit is settled later: what it needs is not to be seen at present.
pub fn postpone(conn: &Connection, unit: &Unit, until: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE settling SET settle_at = ?4 WHERE company_id = ?1 AND unit = ?2 AND phone = ?3",
    )?
    .execute((unit.company, &unit.unit, &unit.phone, At(until)))?;
    Ok(())
}

/// When the next delay ends, after this moment.
pub fn next_at(conn: &Connection, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let next: Option<At> = conn
        .prepare_cached("SELECT min(settle_at) FROM settling WHERE settle_at > ?1")?
        .query_row([At(after)], |r| r.get(0))?;
    Ok(next.map(|a| a.0))
}
