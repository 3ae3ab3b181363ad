//! What providers say later of messages they took.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::store::execute;

use super::super::{At, Result, StoreError};
use super::{Notification, read};
use crate::domain::delivery::Status;

/// The notification that a provider's id belongs to.
pub fn of_provider_id(
    conn: &Connection,
    channel: &str,
    provider_id: &str,
) -> Result<Option<Notification>> {
    Ok(conn
        .prepare_cached(
            "SELECT * FROM booking_notifications WHERE channel = ?1 AND provider_message_id = ?2
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row([channel, provider_id], read)
        .optional()?)
}

/// What this channel took since then and what may still get a receipt, the newest first: the
/// provider's id, and whether it has arrived.
pub fn awaiting_receipt(
    conn: &Connection,
    channel: &str,
    since: DateTime<Utc>,
) -> Result<Vec<(String, bool)>> {
    // Due shortly before it was sent: the bound on `due_at` keeps the search within the index.
    let mut query = conn.prepare_cached(
        "SELECT provider_message_id, status = 'delivered' FROM booking_notifications
          WHERE status IN ('sent', 'delivered') AND due_at >= ?3 AND sent_at >= ?2
            AND channel = ?1 AND provider_message_id IS NOT NULL
          ORDER BY sent_at DESC, id DESC",
    )?;
    let rows = query.query_map((channel, At(since), At(since - TimeDelta::days(2))), |r| {
        Ok((r.get(0)?, r.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A receipt said that it arrived or was opened. Receipts may come out of order: only forward.
pub fn set_receipt(conn: &Connection, id: i64, status: Status, now: DateTime<Utc>) -> Result<()> {
    let from = match status {
        Status::Delivered => "('sent')",
        Status::Read => "('sent', 'delivered')",
        _ => return Err(StoreError::Corrupt("receipt")),
    };
    execute(
        conn,
        &format!(
            "UPDATE booking_notifications
                SET status = ?2,
                    delivered_at = coalesce(delivered_at, ?3),
                    read_at = CASE WHEN ?2 = 'read' THEN coalesce(read_at, ?3) ELSE read_at END
              WHERE id = ?1 AND status IN {from}"
        ),
        (id, status.as_str(), At(now)),
    )?;
    Ok(())
}

/// Keeps a receipt that overtook the answer to its send.
pub fn keep_early_receipt(
    conn: &Connection,
    channel: &str,
    provider_id: &str,
    receipt: &str,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    execute(conn,
        "INSERT OR IGNORE INTO early_receipts (channel, provider_message_id, receipt, error, received_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        (channel, provider_id, receipt, error, At(now)),
    )?;
    execute(
        conn,
        "DELETE FROM early_receipts WHERE received_at < ?1",
        [At(now - TimeDelta::days(2))],
    )?;
    Ok(())
}

/// Takes the receipts that overtook this answer, in the order they came.
pub fn take_early_receipts(
    conn: &Connection,
    channel: &str,
    provider_id: &str,
) -> Result<Vec<(String, Option<String>)>> {
    let mut query = conn.prepare_cached(
        "DELETE FROM early_receipts WHERE channel = ?1 AND provider_message_id = ?2
         RETURNING received_at, receipt, error",
    )?;
    let rows = query.query_map([channel, provider_id], |r| {
        Ok((r.get::<_, String>(0)?, r.get(1)?, r.get(2)?))
    })?;
    let mut receipts: Vec<(String, String, Option<String>)> =
        rows.collect::<rusqlite::Result<_>>()?;
    receipts.sort();
    Ok(receipts
        .into_iter()
        .map(|(_, receipt, error)| (receipt, error))
        .collect())
}
