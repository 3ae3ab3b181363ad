//! What waits for a channel that is parked, and what came back from a messenger that takes free text
//! only from those who wrote lately.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::super::{At, Result};
use super::{Notification, read};

/// Messages to clients that are due on this channel, oldest first.
pub fn waiting_for(
    conn: &Connection,
    channel: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications
          WHERE status = 'pending' AND due_at <= ?2 AND channel = ?1 AND phone <> ''
          ORDER BY due_at, id",
    )?;
    let rows = query.query_map((channel, At(now)), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The channel works again: what it refused and was to try again within `soon` may go now.
pub fn wake_refused(
    conn: &Connection,
    channel: &str,
    now: DateTime<Utc>,
    soon: TimeDelta,
) -> Result<()> {
    conn.execute(
        "UPDATE booking_notifications SET due_at = ?2
          WHERE status = 'pending' AND channel = ?1 AND due_at > ?2 AND due_at <= ?3
            AND 'channel_down' = (SELECT a.outcome FROM delivery_attempts a
                                   WHERE a.notification_id = id AND a.attempt = attempts)",
        (channel, At(now), At(now + soon)),
    )?;
    Ok(())
}

/// The messenger did not take the free text of this try after all: the person did not write lately.
pub fn close_window(conn: &Connection, id: i64, attempt: u32, why: &str) -> Result<()> {
    conn.execute(
        "UPDATE delivery_attempts SET outcome = 'window_closed', error = ?3
          WHERE notification_id = ?1 AND attempt = ?2",
        (id, attempt, why),
    )?;
    Ok(())
}

/// Whether a channel answered for this message in any other way than that it is out of order.
pub fn was_given_to(conn: &Connection, id: i64, channel: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM delivery_attempts
                             WHERE notification_id = ?1 AND channel = ?2
                               AND coalesce(outcome, 'uncertain') NOT IN ('channel_down', 'retry',
                                                                          'retry_after'))",
        )?
        .query_row((id, channel), |r| r.get(0))?)
}

/// Whether [`close_window`] was said of this message on this channel.
pub fn window_was_closed(conn: &Connection, id: i64, channel: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM delivery_attempts
                             WHERE notification_id = ?1 AND channel = ?2
                               AND outcome = 'window_closed')",
        )?
        .query_row((id, channel), |r| r.get(0))?)
}
