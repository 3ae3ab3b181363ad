//! `alerts`: what the owners were alerted to and is not over yet.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::{At, Result};

/// Since when this trouble lasts, if the owners were alerted to it.
pub fn open_since(conn: &Connection, cause: &str) -> Result<Option<DateTime<Utc>>> {
    let since: Option<At> = conn
        .prepare_cached("SELECT since FROM alerts WHERE cause = ?1")?
        .query_row([cause], |r| r.get(0))
        .optional()?;
    Ok(since.map(|a| a.0))
}

/// The owners are being alerted. `false` when they already were.
pub fn open(
    conn: &Connection,
    cause: &str,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let added = conn
        .prepare_cached("INSERT OR IGNORE INTO alerts (cause, since, told_at) VALUES (?1, ?2, ?3)")?
        .execute((cause, At(since), At(now)))?;
    Ok(added == 1)
}

/// The trouble is over. Since when it lasted, if the owners had been alerted to it.
pub fn close(conn: &Connection, cause: &str) -> Result<Option<DateTime<Utc>>> {
    let since: Option<At> = conn
        .prepare_cached("DELETE FROM alerts WHERE cause = ?1 RETURNING since")?
        .query_row([cause], |r| r.get(0))
        .optional()?;
    Ok(since.map(|a| a.0))
}

/// Everything that begins so is over.
pub fn close_all(conn: &Connection, beginning: &str) -> Result<()> {
    conn.prepare_cached("DELETE FROM alerts WHERE substr(cause, 1, length(?1)) = ?1")?
        .execute([beginning])?;
    Ok(())
}

/// Of the troubles that begin so only these go on; one that comes again is told of again.
pub fn keep(conn: &Connection, beginning: &str, going_on: &[String]) -> Result<()> {
    let going_on = serde_json::Value::from(going_on).to_string();
    conn.prepare_cached(
        "DELETE FROM alerts WHERE substr(cause, 1, length(?1)) = ?1
            AND cause NOT IN (SELECT value FROM json_each(?2))",
    )?
    .execute((beginning, going_on))?;
    Ok(())
}

/// One trouble that the owners were alerted to.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its cause.
    pub cause: String,
    /// Since when it lasts.
    pub since: DateTime<Utc>,
    /// When the owners were alerted.
    pub told_at: DateTime<Utc>,
}

/// Everything that begins so.
pub fn all(conn: &Connection, beginning: &str) -> Result<Vec<Alert>> {
    let mut query = conn.prepare_cached(
        "SELECT cause, since, told_at FROM alerts
          WHERE substr(cause, 1, length(?1)) = ?1 ORDER BY cause",
    )?;
    let rows = query.query_map([beginning], |r| {
        Ok(Alert {
            cause: r.get(0)?,
            since: r.get::<_, At>(1)?.0,
            told_at: r.get::<_, At>(2)?.0,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Companies of which there may be something to say: something of theirs is held, missing or hidden,
/// or was, and the owners know it. They are few, and the others need no look each.
pub fn concerned(conn: &Connection) -> Result<BTreeSet<i64>> {
    let mut query = conn.prepare_cached(
        "SELECT company_id FROM booking_notifications WHERE status = 'held'
         UNION
         SELECT company_id FROM appointments_cache INDEXED BY appointments_missing
          WHERE missing_since IS NOT NULL
         UNION
         SELECT company_id FROM companies WHERE phones_hidden_since IS NOT NULL
         UNION
         SELECT CAST(substr(cause, instr(cause, ':') + 1) AS INTEGER) FROM alerts",
    )?;
    let rows = query.query_map([], |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the owners were last told of this, whether or not it goes on.
pub fn told_at(conn: &Connection, cause: &str) -> Result<Option<DateTime<Utc>>> {
    let at: Option<At> = conn
        .prepare_cached("SELECT told_at FROM alerts WHERE cause = ?1")?
        .query_row([cause], |r| r.get(0))
        .optional()?;
    Ok(at.map(|a| a.0))
}
