//! Whom a channel has written to before, and since when.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::super::{At, Result};

/// Whether a channel took a message to this person, as far back as notifications are kept.
pub fn was_written_to(conn: &Connection, channel: &str, phone: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (
               SELECT 1 FROM booking_notifications n
                 JOIN delivery_attempts a ON a.notification_id = n.id
                WHERE n.phone = ?2 AND n.phone <> '' AND n.sent_at IS NOT NULL
                  AND a.channel = ?1 AND a.outcome = 'accepted')",
        )?
        .query_row([channel, phone], |r| r.get(0))?)
}

/// Phones that a channel first wrote to after this moment. What may have arrived counts, and so
/// does what is on its way, which is `false`.
pub fn first_written_to_since(
    conn: &Connection,
    channel: &str,
    since: DateTime<Utc>,
) -> Result<Vec<(String, bool)>> {
    // An intent moves `due_at` up to its own time: the bound keeps the search within the index.
    let mut query = conn.prepare_cached(
        "SELECT n.phone, max(a.outcome IS NOT NULL)
           FROM booking_notifications n JOIN delivery_attempts a ON a.notification_id = n.id
          WHERE n.status IN ('pending', 'held', 'sending', 'uncertain', 'sent', 'delivered', 'read',
                             'failed', 'dead', 'suppressed')
            AND n.due_at >= ?2 AND n.phone <> ''
            AND a.channel = ?1 AND a.started_at >= ?2
            AND coalesce(a.outcome, 'uncertain') IN ('accepted', 'uncertain', 'window_closed')
            AND NOT EXISTS (
                  SELECT 1 FROM booking_notifications m
                    JOIN delivery_attempts b ON b.notification_id = m.id
                   WHERE m.phone = n.phone AND m.phone <> '' AND m.sent_at IS NOT NULL
                     AND b.channel = ?1 AND b.outcome = 'accepted' AND b.started_at < ?2)
          GROUP BY n.phone",
    )?;
    let rows = query.query_map((channel, At(since)), |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
