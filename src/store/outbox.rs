//! `booking_notifications` and `delivery_attempts`: the outbox and its history.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::store::execute;

use super::{At, Result};
use crate::domain::delivery::Status;
use crate::domain::policy::Reason;
use crate::ports::Keyboard;

mod looks;
mod parked;
mod receipts;
mod send;
mod strangers;
mod talk;

pub use looks::*;
pub use parked::*;
pub use receipts::*;
pub use send::*;
pub use strangers::*;
pub use talk::*;

/// One notification.
#[derive(Clone)]
pub struct Notification {
    /// Its id.
    pub id: i64,
    /// The company.
    pub company: i64,
    /// The first record it tells of; 0 for alerts.
    pub record: i64,
    /// That record's visit.
    pub visit: i64,
    /// The visit's unit of settling, '' for owners and alerts.
    pub unit: String,
    /// `created`, `updated`, `cancelled`, `owner`, `alert` …
    pub kind: String,
    /// The client's phone, '' for owners and alerts.
    pub phone: String,
    /// The phone or chat id it goes to.
    pub recipient: String,
    /// The channel's name, '' when there is none.
    pub channel: String,
    /// Where it stands.
    pub status: Status,
    /// Why nothing was sent.
    pub reason: Option<Reason>,
    /// The notification that tells it instead.
    pub superseded_by: Option<i64>,
    /// The text.
    pub message: String,
    /// The text goes as it stands.
    pub frozen: bool,
    /// What the chat shows in place of its keyboard.
    pub keyboard: Option<Keyboard>,
    /// What it makes known, JSON.
    pub told: String,
    /// The client's notification that an owner's copy is about.
    pub about: Option<i64>,
    /// Whose words it hands on, or who is answered.
    pub contact: Option<i64>,
    /// The first change of its delay.
    pub first_change_at: DateTime<Utc>,
    /// The change in the journal that it tells.
    pub changed_at: DateTime<Utc>,
    /// When it may leave.
    pub due_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a channel took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it reached the device.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was opened.
    pub read_at: Option<DateTime<Utc>>,
    /// Tries so far.
    pub attempts: u32,
    /// What the last failed try said.
    pub last_error: Option<String>,
}

impl Notification {
    /// The words that may have arrived and are said again to the letter.
    #[must_use]
    pub fn letter(&self) -> Option<&str> {
        (self.frozen && !self.message.is_empty()).then_some(self.message.as_str())
    }
}

debug_only!(Notification: id, company, record, kind, channel, status, reason, due_at, attempts);

fn read(row: &Row<'_>) -> rusqlite::Result<Notification> {
    let status: String = row.get("status")?;
    let reason: Option<String> = row.get("reason")?;
    Ok(Notification {
        id: row.get("id")?,
        company: row.get("company_id")?,
        record: row.get("record_id")?,
        visit: row.get("visit_id")?,
        unit: row.get("unit")?,
        kind: row.get("kind")?,
        phone: row.get("phone")?,
        recipient: row.get("recipient")?,
        channel: row.get("channel")?,
        status: Status::from_stored(&status).ok_or(rusqlite::Error::InvalidQuery)?,
        reason: reason.as_deref().and_then(Reason::from_stored),
        superseded_by: row.get("superseded_by")?,
        message: row.get("message")?,
        frozen: row.get("frozen")?,
        keyboard: Keyboard::from_stored(&row.get::<_, String>("keyboard")?),
        told: row.get("told")?,
        about: row.get("about")?,
        contact: row.get("contact_id")?,
        first_change_at: row.get::<_, At>("first_change_at")?.0,
        changed_at: row.get::<_, At>("changed_at")?.0,
        due_at: row.get::<_, At>("due_at")?.0,
        created_at: row.get::<_, At>("created_at")?.0,
        sent_at: row.get::<_, Option<At>>("sent_at")?.map(|a| a.0),
        delivered_at: row.get::<_, Option<At>>("delivered_at")?.map(|a| a.0),
        read_at: row.get::<_, Option<At>>("read_at")?.map(|a| a.0),
        attempts: row.get("attempts")?,
        last_error: row.get("last_error")?,
    })
}

/// A notification to be made.
#[derive(Clone)]
pub struct New<'a> {
    /// The company.
    pub company: i64,
    /// The first record it tells of.
    pub record: i64,
    /// That record's visit.
    pub visit: i64,
    /// The visit's unit of settling, '' for owners and alerts.
    pub unit: &'a str,
    /// The stored word of the kind.
    pub kind: &'a str,
    /// The client's phone, '' for owners and alerts.
    pub phone: &'a str,
    /// The phone or chat id it goes to.
    pub recipient: &'a str,
    /// The channel's name, '' when there is none.
    pub channel: &'a str,
    /// `Pending`, `Held` or `Suppressed`.
    pub status: Status,
    /// Why nothing is sent.
    pub reason: Option<Reason>,
    /// The notification that tells it instead.
    pub superseded_by: Option<i64>,
    /// The text, as far as it is known.
    pub message: &'a str,
    /// The text goes as it stands.
    pub frozen: bool,
    /// What the chat shows in place of its keyboard.
    pub keyboard: Option<Keyboard>,
    /// The client's notification that an owner's copy is about.
    pub about: Option<i64>,
    /// Whose words it hands on, or who is answered.
    pub contact: Option<i64>,
    /// What an owner's copy is composed from, JSON; `[]` otherwise.
    pub told: &'a str,
    /// The first change of its delay.
    pub first_change_at: DateTime<Utc>,
    /// The change in the journal that it tells.
    pub changed_at: DateTime<Utc>,
    /// When it may leave.
    pub due_at: DateTime<Utc>,
}

debug_only!(New<'_>: company, record, kind, channel, status, reason, due_at);

impl New<'_> {
    /// A text that stands as it is, due at once, about no booking: alerts, answers, forwarded words.
    #[must_use]
    pub fn note(kind: &'static str, now: DateTime<Utc>) -> Self {
        Self {
            company: 0,
            record: 0,
            visit: 0,
            unit: "",
            kind,
            phone: "",
            recipient: "",
            channel: "",
            status: Status::Pending,
            reason: None,
            superseded_by: None,
            message: "",
            frozen: true,
            keyboard: None,
            about: None,
            contact: None,
            told: "[]",
            first_change_at: now,
            changed_at: now,
            due_at: now,
        }
    }
}

/// Makes a notification and returns its id.
pub fn add(conn: &Connection, new: &New<'_>, now: DateTime<Utc>) -> Result<i64> {
    Ok(conn
        .prepare_cached(
            "INSERT INTO booking_notifications (
                company_id, record_id, visit_id, unit, kind, phone, recipient, channel, status,
                reason, superseded_by, message, frozen, told, about, first_change_at, changed_at,
                due_at, created_at, keyboard, contact_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                     ?18, ?19, ?20, ?21)
             RETURNING id",
        )?
        .query_row(
            rusqlite::params![
                new.company,
                new.record,
                new.visit,
                new.unit,
                new.kind,
                new.phone,
                new.recipient,
                new.channel,
                new.status.as_str(),
                new.reason.map(Reason::as_str),
                new.superseded_by,
                new.message,
                new.frozen,
                new.told,
                new.about,
                At(new.first_change_at),
                At(new.changed_at),
                At(new.due_at),
                At(now),
                new.keyboard.map_or("", Keyboard::as_str),
                new.contact,
            ],
            |r| r.get(0),
        )?)
}

/// One notification.
pub fn get(conn: &Connection, id: i64) -> Result<Option<Notification>> {
    Ok(conn
        .prepare_cached("SELECT * FROM booking_notifications WHERE id = ?1")?
        .query_row([id], read)
        .optional()?)
}

/// The message of ours that has this id in this chat of this channel.
pub fn by_message(
    conn: &Connection,
    channel: &str,
    recipient: &str,
    message_id: &str,
) -> Result<Option<Notification>> {
    Ok(conn
        .prepare_cached(
            "SELECT * FROM booking_notifications
              WHERE channel = ?1 AND provider_message_id = ?3 AND recipient = ?2
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row((channel, recipient, message_id), read)
        .optional()?)
}

/// What waits to be told to one person of how a visit stands: pending, held or uncertain.
pub fn open_of_unit(
    conn: &Connection,
    company: i64,
    unit: &str,
    phone: &str,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications
          WHERE company_id = ?1 AND unit = ?2 AND phone = ?3
            AND kind IN ('created', 'updated', 'cancelled')
            AND status IN ('pending', 'held', 'uncertain') ORDER BY id",
    )?;
    let rows = query.query_map((company, unit, phone), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What waits to be told to one person of what a visit left behind.
pub fn open_aftermath(
    conn: &Connection,
    company: i64,
    unit: &str,
    phone: &str,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications
          WHERE company_id = ?1 AND unit = ?2 AND phone = ?3
            AND kind IN ('no_show', 'visited') AND status = 'pending' ORDER BY id",
    )?;
    let rows = query.query_map((company, unit, phone), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether one person was told, or may have been, what the visit that begins then left behind; what
/// an earlier visit under the same number of the journal did was due before it.
pub fn has_aftermath(
    conn: &Connection,
    company: i64,
    unit: &str,
    phone: &str,
    begins_at: DateTime<Utc>,
) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM booking_notifications
                             WHERE company_id = ?1 AND unit = ?2 AND phone = ?3
                               AND kind IN ('no_show', 'visited') AND due_at >= ?4
                               AND status NOT IN ('pending', 'suppressed'))",
        )?
        .query_row((company, unit, phone, At(begins_at)), |r| r.get(0))?)
}

/// Reminders of a company that are due and have surely not arrived, oldest first.
pub fn reminders_due(
    conn: &Connection,
    company: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications
          WHERE status = 'pending' AND due_at <= ?2 AND +company_id = ?1 AND kind = 'reminder'
            AND frozen = 0 ORDER BY id",
    )?;
    let rows = query.query_map((company, At(now)), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Not to be sent, for this reason.
pub fn suppress(
    conn: &Connection,
    id: i64,
    reason: Reason,
    superseded_by: Option<i64>,
) -> Result<()> {
    conn.prepare_cached(
        "UPDATE booking_notifications SET status = 'suppressed', reason = ?2, superseded_by = ?3
          WHERE id = ?1",
    )?
    .execute((id, reason.as_str(), superseded_by))?;
    Ok(())
}

/// It says this from now on.
pub fn set_message(conn: &Connection, id: i64, message: &str) -> Result<()> {
    conn.execute(
        "UPDATE booking_notifications SET message = ?2 WHERE id = ?1",
        (id, message),
    )?;
    Ok(())
}

/// It says this of bookings, JSON.
pub fn set_told(conn: &Connection, id: i64, told: &str) -> Result<()> {
    execute(
        conn,
        "UPDATE booking_notifications SET told = ?2 WHERE id = ?1",
        (id, told),
    )?;
    Ok(())
}

/// A later notification states what this uncertain one may have told.
pub fn set_superseded_by(conn: &Connection, id: i64, by: i64) -> Result<()> {
    execute(
        conn,
        "UPDATE booking_notifications SET superseded_by = ?2 WHERE id = ?1",
        (id, by),
    )?;
    Ok(())
}

/// A reminder that was sent states what uncertain messages about its bookings may have told.
pub fn supersede_uncertain(conn: &Connection, company: i64, phone: &str, by: i64) -> Result<()> {
    execute(
        conn,
        "UPDATE booking_notifications AS n SET superseded_by = ?3
          WHERE company_id = ?1 AND phone = ?2 AND status = 'uncertain' AND superseded_by IS NULL
            AND kind IN ('created', 'updated', 'cancelled')
            AND unit IN (SELECT a.unit FROM reminders r JOIN appointments_cache a
                             ON a.company_id = r.company_id AND a.record_id = r.record_id
                          WHERE r.notification_id = ?3)",
        (company, phone, by),
    )?;
    Ok(())
}

/// When the next pending notification falls due, on any channel.
pub fn next_due_at(conn: &Connection, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let next: Option<At> = conn
        .prepare_cached(
            "SELECT min(due_at) FROM booking_notifications WHERE status = 'pending' AND due_at > ?1",
        )?
        .query_row([At(after)], |r| r.get(0))?;
    Ok(next.map(|a| a.0))
}

/// Messages to clients that may have arrived, oldest first.
pub fn uncertain(conn: &Connection) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications WHERE status = 'uncertain' AND kind <> 'test'
            AND (phone <> '' OR kind = 'reply') ORDER BY id",
    )?;
    let rows = query.query_map([], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Messages to clients that no channel took since then and that no card asks to call about, oldest
/// first.
pub fn dead(conn: &Connection, since: DateTime<Utc>) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications n
          WHERE status = 'dead' AND phone <> '' AND kind <> 'test' AND created_at >= ?1
            AND NOT EXISTS (SELECT 1 FROM booking_notifications c
                             WHERE c.company_id = n.company_id AND c.record_id = n.record_id
                               AND c.about = n.id AND c.kind = 'owner' AND c.told = '[]')
          ORDER BY id",
    )?;
    let rows = query.query_map([At(since)], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Messages to clients of a company that wait to be sent, oldest first.
pub fn pending_of(conn: &Connection, company: i64) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications
          WHERE status = 'pending' AND +company_id = ?1 AND phone <> '' AND kind <> 'test' ORDER BY id",
    )?;
    let rows = query.query_map([company], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What waits for a channel that is none of these, or none over which its company writes to clients.
pub fn stranded(
    conn: &Connection,
    channels: &[String],
    of_companies: &BTreeMap<i64, &[String]>,
) -> Result<Vec<Notification>> {
    let known = serde_json::Value::from(channels).to_string();
    let of_companies: serde_json::Map<_, _> = of_companies
        .iter()
        .map(|(id, channels)| (id.to_string(), (*channels).into()))
        .collect();
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications
          WHERE status IN ('pending', 'held')
            AND (channel NOT IN (SELECT value FROM json_each(?1))
                 OR phone <> '' AND kind <> 'test'
                    AND NOT EXISTS (SELECT 1 FROM json_each(?2, '$.\"' || company_id || '\"')
                                     WHERE value = channel))
          ORDER BY id",
    )?;
    let rows = query.query_map(
        [known, serde_json::Value::from(of_companies).to_string()],
        read,
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// It takes another channel.
pub fn set_channel(conn: &Connection, id: i64, channel: &str) -> Result<()> {
    execute(
        conn,
        "UPDATE booking_notifications SET channel = ?2 WHERE id = ?1",
        (id, channel),
    )?;
    Ok(())
}

/// What was on its way when the process ended.
pub fn interrupted(conn: &Connection) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications WHERE status = 'sending' ORDER BY id",
    )?;
    let rows = query.query_map([], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The latest notifications, newest first.
pub fn latest(
    conn: &Connection,
    company: Option<i64>,
    status: Option<Status>,
    most: u32,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications
          WHERE (?1 IS NULL OR company_id = ?1) AND (?2 IS NULL OR status = ?2)
          ORDER BY id DESC LIMIT ?3",
    )?;
    let rows = query.query_map((company, status.map(Status::as_str), most), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What was not sent to clients for this reason since then, oldest first.
pub fn silenced(
    conn: &Connection,
    reason: Reason,
    since: DateTime<Utc>,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications
          WHERE created_at >= ?2 AND status = 'suppressed' AND reason = ?1 AND phone <> ''
          ORDER BY id",
    )?;
    let rows = query.query_map((reason.as_str(), At(since)), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Every notification that tells of this record, oldest first.
pub fn of_record(
    conn: &Connection,
    company: Option<i64>,
    record: i64,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications
          WHERE record_id = ?2 AND (?1 IS NULL OR company_id = ?1) ORDER BY id",
    )?;
    let rows = query.query_map((company, record), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What this person was sent by a company at that very moment.
pub fn sent_to_at(
    conn: &Connection,
    company: i64,
    phone: &str,
    at: DateTime<Utc>,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications
          WHERE phone = ?2 AND phone <> '' AND sent_at = ?3 AND company_id = ?1 ORDER BY id",
    )?;
    let rows = query.query_map((company, phone, At(at)), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Answers about no booking that a contact got at that very moment.
pub fn answers_at(conn: &Connection, contact: i64, at: DateTime<Utc>) -> Result<Vec<i64>> {
    let mut query = conn.prepare_cached(
        "SELECT id FROM booking_notifications
          WHERE kind = 'reply' AND record_id = 0 AND created_at = ?2
            AND recipient IN (SELECT chat_id FROM contacts WHERE id = ?1
                              UNION SELECT phone FROM contacts WHERE id = ?1 AND phone <> '')",
    )?;
    let rows = query.query_map((contact, At(at)), |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
