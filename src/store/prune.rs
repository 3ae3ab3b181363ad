//! Retention: what is older than it goes, in short transactions, so that a running daemon never
//! waits long. What is open, held or uncertain stays whatever its age, and so do opt-outs, contacts
//! and what people know of bookings that are kept.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::{At, Result, at};

/// So many rows of a kind go in one transaction.
const BATCH: u32 = 500;

/// What was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Notifications, with their attempts.
    pub notifications: usize,
    /// Events.
    pub events: usize,
    /// Messages received and answered.
    pub messages: usize,
    /// Past bookings, with what was known of them.
    pub bookings: usize,
}

impl Pruned {
    /// Together with what went before.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            notifications: self.notifications + more.notifications,
            events: self.events + more.events,
            messages: self.messages + more.messages,
            bookings: self.bookings + more.bookings,
        }
    }

    /// Nothing was left to erase.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// Erases one batch of what is older than this. Nothing erased: there is no more.
pub fn older_than(conn: &Connection, before: DateTime<Utc>) -> Result<Pruned> {
    let (cutoff, most) = (At(before), BATCH);
    let notifications = conn.execute(
        "DELETE FROM booking_notifications WHERE id IN (
            SELECT id FROM booking_notifications
             WHERE created_at < ?1
               AND status IN ('sent', 'delivered', 'read', 'failed', 'dead', 'suppressed')
               AND max(coalesce(sent_at, ''), coalesce(delivered_at, ''), coalesce(read_at, '')) < ?1
               AND id NOT IN (SELECT about FROM booking_notifications
                               WHERE about IS NOT NULL
                                 AND status IN ('pending', 'held', 'sending', 'uncertain'))
             LIMIT ?2)",
        (cutoff, most),
    )?;
    let events = conn.execute(
        "DELETE FROM booking_events WHERE id IN (
            SELECT id FROM booking_events
             WHERE created_at < ?1 AND processed_at IS NOT NULL
             LIMIT ?2)",
        (cutoff, most),
    )?;
    let messages = conn.execute(
        "DELETE FROM messages WHERE id IN (
            SELECT id FROM messages WHERE created_at < ?1 LIMIT ?2)",
        (cutoff, most),
    )?;
    conn.execute(
        "DELETE FROM early_receipts WHERE received_at < ?1",
        [cutoff],
    )?;
    conn.execute(
        "DELETE FROM writes WHERE created_at < ?1 AND state <> 'open'",
        [cutoff],
    )?;
    // What left to a model is kept as long as what was said.
    conn.execute(
        "DELETE FROM turns WHERE began_at < ?1 AND ended_at IS NOT NULL",
        [cutoff],
    )?;
    conn.execute(
        "DELETE FROM proposals WHERE made_at < ?1 AND state NOT IN ('open', 'agreed')",
        [cutoff],
    )?;
    // What stayed of somebody forgotten, for the sake of a write.
    conn.execute(
        "DELETE FROM contacts
          WHERE channel = '' AND id NOT IN (SELECT contact_id FROM proposals)",
        [],
    )?;
    conn.execute("DELETE FROM conversation_steps WHERE at < ?1", [cutoff])?;
    conn.execute(
        "DELETE FROM conversations WHERE spoke_at < ?1 AND answer_at IS NULL",
        [cutoff],
    )?;
    Ok(Pruned {
        notifications,
        events,
        messages,
        bookings: past_bookings(conn, before)?,
    })
}

/// A booking goes once nothing of it is left that is younger: an event, an open message, a delay.
fn past_bookings(conn: &Connection, before: DateTime<Utc>) -> Result<usize> {
    let mut query = conn.prepare_cached(
        "SELECT company_id, record_id FROM appointments_cache AS a
          WHERE start_at < ?1
            AND NOT EXISTS (SELECT 1 FROM booking_events e
                             WHERE e.company_id = a.company_id AND e.record_id = a.record_id)
            AND NOT EXISTS (SELECT 1 FROM settling s
                             WHERE s.company_id = a.company_id AND s.unit = a.unit)
            AND NOT EXISTS (SELECT 1 FROM booking_notifications n
                             WHERE n.company_id = a.company_id AND n.unit = a.unit
                               AND n.status IN ('pending', 'held', 'sending', 'uncertain'))
          LIMIT ?2",
    )?;
    let gone: Vec<(i64, i64)> = query
        .query_map((At(before), BATCH), |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (company, record) in &gone {
        for table in ["appointments_cache", "known", "reminders"] {
            conn.prepare_cached(&format!(
                "DELETE FROM {table} WHERE company_id = ?1 AND record_id = ?2"
            ))?
            .execute((company, record))?;
        }
    }
    // Blocked slots are in no cache. Their time is the salon's, so a day more is left to them.
    let slots: NaiveDateTime = (before - TimeDelta::days(1)).naive_utc();
    let slots = conn.execute(
        "DELETE FROM known
          WHERE phone = '' AND json_extract(states, '$[0].record.start_local') < ?1
            AND NOT EXISTS (SELECT 1 FROM appointments_cache a
                             WHERE a.company_id = known.company_id
                               AND a.record_id = known.record_id)",
        [at::local_text(slots)],
    )?;
    tracing::debug!(slots, "blocked slots of the past erased");
    Ok(gone.len())
}

/// What was erased of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Texts received and answered there.
    pub messages: usize,
    /// Contacts known from there.
    pub contacts: usize,
}

/// Whether anything was ever received on a channel of this name.
pub fn knows_channel(conn: &Connection, channel: &str) -> Result<bool> {
    Ok(conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE channel = ?1)
             OR EXISTS (SELECT 1 FROM contacts WHERE channel = ?1)",
        [channel],
        |r| r.get(0),
    )?)
}

/// Erases what was received on one channel, and what of it was handed on to owners. Who asked for
/// silence stays, without a name, and so does a contact that a waiting message goes to.
pub fn received_on(conn: &Connection, channel: &str) -> Result<Erased> {
    let messages = conn.execute("DELETE FROM messages WHERE channel = ?1", [channel])?;
    conn.execute(
        "UPDATE booking_notifications SET message = '', told = iif(kind = 'reply', '[]', told)
          WHERE contact_id IN (SELECT id FROM contacts WHERE channel = ?1)
            AND status IN ('sent', 'delivered', 'read', 'failed', 'dead', 'suppressed')",
        [channel],
    )?;
    for (table, stays) in [
        ("turns", ""),
        ("conversation_steps", ""),
        ("proposals", " AND state NOT IN ('open', 'agreed')"),
    ] {
        conn.execute(
            &format!(
                "DELETE FROM {table}
                  WHERE contact_id IN (SELECT id FROM contacts WHERE channel = ?1){stays}"
            ),
            [channel],
        )?;
    }
    let contacts = conn.execute(
        "DELETE FROM contacts
          WHERE channel = ?1 AND opted_out_at IS NULL
            AND id NOT IN (SELECT contact_id FROM booking_notifications
                            WHERE contact_id IS NOT NULL
                              AND status IN ('pending', 'held', 'sending', 'uncertain'))
            AND id NOT IN (SELECT contact_id FROM messages WHERE contact_id IS NOT NULL)
            AND id NOT IN (SELECT contact_id FROM writes
                            WHERE contact_id IS NOT NULL AND state IN ('asked', 'open'))
            AND id NOT IN (SELECT contact_id FROM proposals)",
        [channel],
    )?;
    // Numbers are given anew: what names one that is gone would name somebody else.
    for table in ["booking_notifications", "writes"] {
        conn.execute(
            &format!(
                "UPDATE {table} SET contact_id = NULL
                  WHERE contact_id IS NOT NULL AND contact_id NOT IN (SELECT id FROM contacts)"
            ),
            [],
        )?;
    }
    let nameless = conn.execute(
        "UPDATE contacts SET name = '', last_inbound_at = NULL WHERE channel = ?1",
        [channel],
    )?;
    Ok(Erased {
        messages,
        contacts: contacts + nameless,
    })
}

/// What was erased leaves the log, too: its bytes were overwritten in the file, not yet there.
pub fn sweep_log(conn: &Connection) -> Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}
