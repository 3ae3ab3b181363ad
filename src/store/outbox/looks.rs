//! Sends whose answer was lost, while the messenger's own journal is searched for them. Until the
//! search ends they count as being sent: nothing else is told of that visit.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::store::execute;

use super::super::{At, Result};
use super::next_due_at;

/// A send to be looked for.
#[derive(Clone)]
pub struct Look {
    /// The notification.
    pub id: i64,
    /// To whom it went.
    pub recipient: String,
    /// What it said, to the letter.
    pub message: String,
    /// Which try of it.
    pub attempt: u32,
    /// When that began.
    pub started_at: DateTime<Utc>,
    /// When its answer was lost.
    pub doubt_at: DateTime<Utc>,
    /// How often the journal was read since, and did not have it.
    pub empty_looks: u32,
}

debug_only!(Look: id, attempt, started_at, doubt_at, empty_looks);

/// The answer was lost: the journal is looked at, at once.
pub fn begin_looks(conn: &Connection, id: i64, why: &str, now: DateTime<Utc>) -> Result<()> {
    execute(
        conn,
        "UPDATE booking_notifications
            SET status = 'sending', look_at = ?2, doubt_at = ?2, empty_looks = 0, last_error = ?3
          WHERE id = ?1",
        (id, At(now), why),
    )?;
    Ok(())
}

/// What is to be looked for now on this channel.
pub fn looks_due(conn: &Connection, channel: &str, now: DateTime<Utc>) -> Result<Vec<Look>> {
    let mut query = conn.prepare_cached(
        "SELECT n.id, n.recipient, n.message, n.attempts, a.started_at, n.doubt_at, n.empty_looks
           FROM booking_notifications n
           JOIN delivery_attempts a ON a.notification_id = n.id AND a.attempt = n.attempts
          WHERE n.status = 'sending' AND n.channel = ?1 AND n.look_at <= ?2 ORDER BY n.id",
    )?;
    let rows = query.query_map((channel, At(now)), |r| {
        Ok(Look {
            id: r.get(0)?,
            recipient: r.get(1)?,
            message: r.get(2)?,
            attempt: r.get(3)?,
            started_at: r.get::<_, At>(4)?.0,
            doubt_at: r.get::<_, At>(5)?.0,
            empty_looks: r.get(6)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When a channel has something to do next: a pending notification falls due, on any channel, or a
/// look of its own.
pub fn next_step_at(
    conn: &Connection,
    channel: &str,
    after: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let (due, look) = (next_due_at(conn, after)?, next_look_at(conn, channel)?);
    Ok(due.into_iter().chain(look).min())
}

/// When the next look is due on this channel.
fn next_look_at(conn: &Connection, channel: &str) -> Result<Option<DateTime<Utc>>> {
    let next: Option<At> = conn
        .prepare_cached("SELECT min(look_at) FROM booking_notifications WHERE status = \'sending\' AND channel = ?1")?
        .query_row([channel], |r| r.get(0))?;
    Ok(next.map(|at| at.0))
}

/// Whether the search for this send still runs.
pub fn is_looked_for(conn: &Connection, id: i64) -> Result<bool> {
    Ok(conn
        .query_row(
            "SELECT look_at IS NOT NULL FROM booking_notifications
              WHERE id = ?1 AND status = 'sending'",
            [id],
            |r| r.get(0),
        )
        .optional()?
        .unwrap_or(false))
}

/// Looked in vain, or the journal could not be read: the next look.
pub fn look_again(
    conn: &Connection,
    id: i64,
    look_at: DateTime<Utc>,
    empty_looks: u32,
) -> Result<()> {
    execute(
        conn,
        "UPDATE booking_notifications SET look_at = ?2, empty_looks = ?3 WHERE id = ?1",
        (id, At(look_at), empty_looks),
    )?;
    Ok(())
}

/// The search is over.
pub fn end_looks(conn: &Connection, id: i64) -> Result<()> {
    execute(
        conn,
        "UPDATE booking_notifications SET look_at = NULL, doubt_at = NULL, empty_looks = 0
          WHERE id = ?1",
        [id],
    )?;
    Ok(())
}

/// Whether a message of the channel that has this id is known as another notification's.
pub fn is_taken(
    conn: &Connection,
    channel: &str,
    message_id: &str,
    by_other_than: i64,
) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM booking_notifications
                             WHERE channel = ?1 AND provider_message_id = ?2 AND id <> ?3)",
        )?
        .query_row((channel, message_id, by_other_than), |r| r.get(0))?)
}
