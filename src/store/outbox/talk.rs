//! What was said to whom, as a conversation needs it.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::super::{At, Result};
use super::{Notification, read};

/// What was said last to this person on this channel, and when.
pub fn last_said(
    conn: &Connection,
    channel: &str,
    phone: &str,
    contact: Option<i64>,
) -> Result<Option<Notification>> {
    let of_phone = conn
        .prepare_cached(
            "SELECT * FROM booking_notifications INDEXED BY notifications_sent
              WHERE phone = ?1 AND phone <> '' AND sent_at IS NOT NULL AND channel = ?2
              ORDER BY sent_at DESC, id DESC LIMIT 1",
        )?
        .query_row([phone, channel], read)
        .optional()?;
    let reply = conn
        .prepare_cached(
            "SELECT * FROM booking_notifications INDEXED BY notifications_contact
              WHERE contact_id = ?1 AND contact_id IS NOT NULL AND kind = 'reply'
                AND sent_at IS NOT NULL
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row([contact], read)
        .optional()?;
    let all = [of_phone, reply].into_iter().flatten();
    Ok(all.max_by_key(|n| (n.sent_at, n.id)))
}

/// Of what kinds the messages are that this person may have been sent on this channel since then: on
/// their way, or cut off.
pub fn in_doubt_since(
    conn: &Connection,
    channel: &str,
    phone: &str,
    contact: Option<i64>,
    since: DateTime<Utc>,
) -> Result<Vec<String>> {
    let mut query = conn.prepare_cached(
        "SELECT n.kind FROM booking_notifications n
          WHERE n.sent_at IS NULL AND n.status IN ('pending', 'sending', 'uncertain')
            AND (n.phone = ?2 AND n.phone <> '' OR n.contact_id = ?3 AND n.kind = 'reply')
            AND EXISTS (SELECT 1 FROM delivery_attempts a
                         WHERE a.notification_id = n.id AND a.channel = ?1 AND a.started_at >= ?4
                           AND coalesce(a.outcome, 'uncertain') = 'uncertain')",
    )?;
    let rows = query.query_map((channel, phone, contact, At(since)), |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many answers this contact was given by rules since then.
pub fn replies_since(conn: &Connection, contact: i64, since: DateTime<Utc>) -> Result<i64> {
    Ok(conn
        .prepare_cached(
            "SELECT count(*) FROM booking_notifications INDEXED BY notifications_contact
              WHERE contact_id = ?1 AND contact_id IS NOT NULL AND kind = 'reply'
                AND about IS NULL AND created_at > ?2",
        )?
        .query_row((contact, At(since)), |r| r.get(0))?)
}

/// The provider's id of what this chat was last shown of the same conversation, before this message.
pub fn thread_of(conn: &Connection, n: &Notification) -> Result<Option<String>> {
    let Some(contact) = n.contact else {
        return Ok(None);
    };
    Ok(conn
        .prepare_cached(
            "SELECT provider_message_id FROM booking_notifications INDEXED BY notifications_contact
              WHERE contact_id = ?1 AND contact_id IS NOT NULL AND kind = 'owner' AND id < ?2
                AND channel = ?3 AND recipient = ?4 AND provider_message_id IS NOT NULL
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row((contact, n.id, &n.channel, &n.recipient), |r| r.get(0))
        .optional()?)
}
