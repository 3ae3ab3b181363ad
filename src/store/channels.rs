//! `channel_states`: how each channel fares.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::store::execute;

use super::{At, Result};

/// How a channel fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelState {
    /// Its name in the configuration.
    pub name: String,
    /// The word after `type =`.
    pub kind: String,
    /// Since when it cannot send; `None` when it works.
    pub down_since: Option<DateTime<Utc>>,
    /// The first send it refused for good, until one is taken again.
    pub sick_since: Option<DateTime<Utc>>,
    /// What the last trouble was.
    pub last_error: Option<String>,
    /// Told to wait until then.
    pub blocked_until: Option<DateTime<Utc>>,
    /// Throttled this many times in a row without a stated pause.
    pub throttled: u32,
    /// When it was last asked or found out whether it works.
    pub checked_at: Option<DateTime<Utc>>,
}

impl ChannelState {
    /// Since when nothing gets through. A channel that answers and refuses every message is no better
    /// than one that does not answer.
    #[must_use]
    pub fn fails_since(&self) -> Option<DateTime<Utc>> {
        let both = [self.sick_since, self.down_since];
        both.into_iter().flatten().min()
    }
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<ChannelState> {
    Ok(ChannelState {
        name: row.get("name")?,
        kind: row.get("type")?,
        down_since: row.get::<_, Option<At>>("down_since")?.map(|a| a.0),
        sick_since: row.get::<_, Option<At>>("sick_since")?.map(|a| a.0),
        last_error: row.get("last_error")?,
        blocked_until: row.get::<_, Option<At>>("blocked_until")?.map(|a| a.0),
        throttled: row.get("throttled")?,
        checked_at: row.get::<_, Option<At>>("checked_at")?.map(|a| a.0),
    })
}

/// How this channel fares, if it was ever used.
pub fn get(conn: &Connection, name: &str) -> Result<Option<ChannelState>> {
    Ok(conn
        .prepare_cached("SELECT * FROM channel_states WHERE name = ?1")?
        .query_row([name], read)
        .optional()?)
}

/// All channels ever used, by name.
pub fn all(conn: &Connection) -> Result<Vec<ChannelState>> {
    let mut query = conn.prepare_cached("SELECT * FROM channel_states ORDER BY name")?;
    let rows = query.query_map([], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Makes the row of a configured channel.
pub fn ensure(conn: &Connection, name: &str, kind: &str) -> Result<()> {
    execute(
        conn,
        "INSERT INTO channel_states (name, type) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET type = ?2 WHERE type <> ?2",
        (name, kind),
    )?;
    Ok(())
}

/// Forgets channels that the configuration names no more.
pub fn keep_only(conn: &Connection, names: &[String]) -> Result<()> {
    let names = serde_json::Value::from(names).to_string();
    execute(
        conn,
        "DELETE FROM channel_states WHERE name NOT IN (SELECT value FROM json_each(?1))",
        [names],
    )?;
    Ok(())
}

/// It took a message: it works.
pub fn set_up(conn: &Connection, name: &str, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE channel_states SET down_since = NULL, sick_since = NULL, last_error = NULL,
                throttled = 0, checked_at = ?2
          WHERE name = ?1 AND (down_since IS NOT NULL OR sick_since IS NOT NULL
                               OR last_error IS NOT NULL OR throttled > 0)",
    )?
    .execute((name, At(now)))?;
    Ok(())
}

/// It says that it works. Whether it takes messages again, only a message can tell: an account may
/// be authorized and its tariff exhausted.
pub fn set_answering(conn: &Connection, name: &str, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE channel_states SET down_since = NULL, checked_at = ?2,
                last_error = CASE WHEN sick_since IS NULL THEN NULL ELSE last_error END
          WHERE name = ?1 AND (down_since IS NOT NULL OR last_error IS NOT NULL)",
    )?
    .execute((name, At(now)))?;
    Ok(())
}

/// It refused a message for a reason that somebody has to mend.
pub fn set_sick(conn: &Connection, name: &str, why: &str, now: DateTime<Utc>) -> Result<()> {
    execute(
        conn,
        "UPDATE channel_states SET sick_since = coalesce(sick_since, ?2) WHERE name = ?1",
        (name, At(now)),
    )?;
    set_down(conn, name, why, now)
}

/// Something about it failed that does not stop it from sending. What it refuses messages for says more.
pub fn note(conn: &Connection, name: &str, why: &str) -> Result<()> {
    execute(
        conn,
        "UPDATE channel_states SET last_error = ?2
          WHERE name = ?1 AND down_since IS NULL AND sick_since IS NULL",
        (name, why),
    )?;
    Ok(())
}

/// It says of itself that it cannot send, or cannot be asked. Where it refused a message for this very
/// reason, that is over once it says that it can; what it refused one for otherwise stands.
pub fn set_silent(conn: &Connection, name: &str, why: &str, now: DateTime<Utc>) -> Result<()> {
    execute(
        conn,
        "UPDATE channel_states SET checked_at = ?3,
                down_since = min(coalesce(down_since, ?3), coalesce(sick_since, ?3)),
                sick_since = CASE WHEN last_error = ?2 THEN NULL ELSE sick_since END,
                last_error = CASE WHEN sick_since IS NULL THEN ?2 ELSE last_error END
          WHERE name = ?1",
        (name, why, At(now)),
    )?;
    Ok(())
}

/// It cannot send until somebody mends it.
pub fn set_down(conn: &Connection, name: &str, why: &str, now: DateTime<Utc>) -> Result<()> {
    execute(conn,
        "UPDATE channel_states SET down_since = coalesce(down_since, ?3), last_error = ?2, checked_at = ?3
          WHERE name = ?1",
        (name, why, At(now)),
    )?;
    Ok(())
}

/// It asked for a pause.
pub fn block(
    conn: &Connection,
    name: &str,
    why: &str,
    pause: Duration,
    stated: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    let until = now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
    execute(
        conn,
        "UPDATE channel_states SET blocked_until = ?3,
                last_error = CASE WHEN sick_since IS NULL THEN ?2 ELSE last_error END,
                throttled = CASE WHEN ?4 THEN throttled ELSE throttled + 1 END
          WHERE name = ?1",
        (name, why, At(until), stated),
    )?;
    Ok(())
}
