//! `chores`: what is done once a day, when it is due next, and what went wrong the last time.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::{At, Result};

/// One chore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chore {
    /// Not before.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was last done.
    pub done_at: Option<DateTime<Utc>>,
    /// Why it could not be, since.
    pub last_error: Option<String>,
}

/// How a chore stands; one never done is due.
pub fn get(conn: &Connection, name: &str) -> Result<Chore> {
    let found = conn
        .prepare_cached("SELECT due_at, done_at, last_error FROM chores WHERE name = ?1")?
        .query_row([name], |r| {
            let at = |i: usize| r.get::<_, Option<At>>(i).map(|at| at.map(|a| a.0));
            Ok(Chore {
                due_at: at(0)?,
                done_at: at(1)?,
                last_error: r.get(2)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// It was done, or could not be for this reason; either way it is due again then.
pub fn put(
    conn: &Connection,
    name: &str,
    error: Option<&str>,
    now: DateTime<Utc>,
    due_at: DateTime<Utc>,
) -> Result<()> {
    conn.execute(
        "INSERT INTO chores (name, due_at, done_at, last_error) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE
            SET due_at = ?2, done_at = coalesce(?3, done_at), last_error = ?4",
        (name, At(due_at), error.is_none().then_some(At(now)), error),
    )?;
    Ok(())
}

/// It is looked at again then; whether it can be done is not known.
pub fn postpone(conn: &Connection, name: &str, due_at: DateTime<Utc>) -> Result<()> {
    conn.execute(
        "INSERT INTO chores (name, due_at) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET due_at = ?2",
        (name, At(due_at)),
    )?;
    Ok(())
}
