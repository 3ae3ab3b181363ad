//! `alerts`: what the owners were alerted to and is not over yet.

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

/// Of uncertain sends only these are still uncertain; one that becomes so again is told of again.
pub fn keep_uncertain(conn: &Connection, open: &[i64]) -> Result<()> {
    let open = serde_json::Value::from(open).to_string();
    conn.prepare_cached(
        "DELETE FROM alerts WHERE cause LIKE 'uncertain:%'
            AND CAST(substr(cause, 11) AS INTEGER) NOT IN (SELECT value FROM json_each(?1))",
    )?
    .execute([open])?;
    Ok(())
}
