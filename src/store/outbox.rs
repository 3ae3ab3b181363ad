//! `booking_notifications` and `delivery_attempts`: the outbox and its history.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{At, Result, StoreError};
use crate::domain::delivery::Status;
use crate::domain::policy::Reason;
use crate::ports::Keyboard;

/// One notification.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
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
    /// What an owner's copy is composed from, JSON; `[]` otherwise.
    pub told: &'a str,
    /// The first change of its delay.
    pub first_change_at: DateTime<Utc>,
    /// The change in the journal that it tells.
    pub changed_at: DateTime<Utc>,
    /// When it may leave.
    pub due_at: DateTime<Utc>,
}

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
                due_at, created_at, keyboard)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                     ?18, ?19, ?20)
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

/// A later notification states what this uncertain one may have told.
pub fn set_superseded_by(conn: &Connection, id: i64, by: i64) -> Result<()> {
    conn.execute(
        "UPDATE booking_notifications SET superseded_by = ?2 WHERE id = ?1",
        (id, by),
    )?;
    Ok(())
}

/// The owner's copy waits this long for the outcome of the client's message, then goes without.
pub const COPY_PATIENCE: TimeDelta = TimeDelta::seconds(60);

/// What may leave now on one channel, in order. At most one per recipient: the oldest, and none
/// behind one that is on its way or waits for its next try. None whose delay is running again, and
/// none to clients of companies that are not watched.
const DUE: &str = "
    FROM booking_notifications n
   WHERE n.status = 'pending' AND n.due_at <= ?1 AND n.channel = ?2
     AND (n.phone = '' OR n.company_id IN (SELECT value FROM json_each(?4)))
     AND NOT EXISTS (SELECT 1 FROM settling s
                      WHERE s.company_id = n.company_id AND s.unit = n.unit AND s.phone = n.phone)
     AND NOT EXISTS (SELECT 1 FROM booking_notifications o
                      WHERE coalesce(nullif(o.phone, ''), o.recipient)
                            = coalesce(nullif(n.phone, ''), n.recipient)
                        AND o.status IN ('pending', 'sending') AND o.id <> n.id
                        AND (o.status = 'sending'
                             OR (o.id < n.id AND (o.attempts > 0 OR o.due_at <= ?1)
                                 AND o.channel = n.channel AND o.about IS NULL)))
     AND (n.about IS NULL OR n.created_at <= ?3
          OR (SELECT a.status FROM booking_notifications a WHERE a.id = n.about)
             NOT IN ('pending', 'sending'))";

/// Something that may leave now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The notification.
    pub id: i64,
    /// Its company.
    pub company: i64,
    /// To whom, as the pace of the channel counts.
    pub recipient: String,
    /// It tells a client something about a booking.
    pub to_client: bool,
}

/// What may leave now on this channel, in order.
pub fn due(
    conn: &Connection,
    channel: &str,
    companies: &[i64],
    now: DateTime<Utc>,
    most: u32,
) -> Result<Vec<Due>> {
    let watched = serde_json::Value::from(companies).to_string();
    let mut query = conn.prepare_cached(&format!(
        "SELECT n.id, n.company_id, n.recipient, n.phone <> '' {DUE} ORDER BY n.due_at, n.id LIMIT ?5"
    ))?;
    let rows = query.query_map(
        (At(now), channel, At(now - COPY_PATIENCE), watched, most),
        |r| {
            Ok(Due {
                id: r.get(0)?,
                company: r.get(1)?,
                recipient: r.get(2)?,
                to_client: r.get(3)?,
            })
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
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

/// How many notifications can become due until then.
pub fn count_pending_until(conn: &Connection, until: DateTime<Utc>) -> Result<i64> {
    Ok(conn.query_row(
        "SELECT count(*) FROM booking_notifications
          WHERE status = 'sending' OR (status = 'pending' AND due_at <= ?1)",
        [At(until)],
        |r| r.get(0),
    )?)
}

/// The intent: from here on the message may have left. Returns the attempt's number.
pub fn begin(
    conn: &Connection,
    id: i64,
    recipient: &str,
    message: &str,
    told: &str,
    now: DateTime<Utc>,
) -> Result<u32> {
    let (attempt, channel): (u32, String) = conn
        .prepare_cached(
            "UPDATE booking_notifications
                SET status = 'sending', attempts = attempts + 1, recipient = ?2, message = ?3, told = ?4
              WHERE id = ?1 AND status = 'pending' RETURNING attempts, channel",
        )?
        .query_row((id, recipient, message, told), |r| Ok((r.get(0)?, r.get(1)?)))?;
    conn.prepare_cached(
        "INSERT INTO delivery_attempts (notification_id, attempt, channel, started_at)
         VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((id, attempt, channel, At(now)))?;
    Ok(attempt)
}

/// The outcome of an attempt.
pub fn end_attempt(
    conn: &Connection,
    id: i64,
    attempt: u32,
    outcome: &str,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    conn.prepare_cached(
        "UPDATE delivery_attempts SET finished_at = ?3, outcome = ?4, error = ?5
          WHERE notification_id = ?1 AND attempt = ?2",
    )?
    .execute((id, attempt, At(now), outcome, error))?;
    Ok(())
}

/// A channel took it.
pub fn set_sent(
    conn: &Connection,
    id: i64,
    provider_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    conn.prepare_cached(
        "UPDATE booking_notifications
            SET status = 'sent', sent_at = ?2, provider_message_id = ?3, last_error = NULL WHERE id = ?1",
    )?
    .execute((id, At(now), provider_id))?;
    Ok(())
}

/// It goes again later, perhaps on another channel.
pub fn set_pending(
    conn: &Connection,
    id: i64,
    channel: &str,
    due_at: DateTime<Utc>,
    error: Option<&str>,
    frozen: bool,
) -> Result<()> {
    conn.prepare_cached(
        "UPDATE booking_notifications
            SET status = 'pending', channel = ?2, due_at = ?3, last_error = coalesce(?4, last_error),
                frozen = max(frozen, ?5)
          WHERE id = ?1",
    )?
    .execute((id, channel, At(due_at), error, frozen))?;
    Ok(())
}

/// It waits until then; nothing else changes.
pub fn postpone(conn: &Connection, id: i64, due_at: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached("UPDATE booking_notifications SET due_at = ?2 WHERE id = ?1")?
        .execute((id, At(due_at)))?;
    Ok(())
}

/// A company's messages to clients that are due wait until then.
pub fn postpone_company(
    conn: &Connection,
    company: i64,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<()> {
    conn.execute(
        "UPDATE booking_notifications SET due_at = ?3
          WHERE company_id = ?1 AND status = 'pending' AND phone <> '' AND due_at <= ?2",
        (company, At(now), At(until)),
    )?;
    Ok(())
}

/// A final or undecided state with what went wrong.
pub fn set_ended(conn: &Connection, id: i64, status: Status, error: &str) -> Result<()> {
    conn.execute(
        "UPDATE booking_notifications SET status = ?2, last_error = ?3 WHERE id = ?1",
        (id, status.as_str(), error),
    )?;
    Ok(())
}

/// What waits without ever having been tried waits for a reason from the configuration (quiet
/// hours), which may be another one now. Sending decides anew.
pub fn replan(conn: &Connection, now: DateTime<Utc>) -> Result<()> {
    conn.execute(
        "UPDATE booking_notifications SET due_at = ?1
          WHERE status = 'pending' AND attempts = 0 AND due_at > ?1",
        [At(now)],
    )?;
    Ok(())
}

/// Messages to clients that may have arrived, oldest first.
pub fn uncertain(conn: &Connection) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications WHERE status = 'uncertain' AND phone <> '' ORDER BY id",
    )?;
    let rows = query.query_map([], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What was on its way when the process ended.
pub fn interrupted(conn: &Connection) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM booking_notifications WHERE status = 'sending' ORDER BY id",
    )?;
    let rows = query.query_map([], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

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

/// A receipt said that it arrived or was opened. Receipts may come out of order: only forward.
pub fn set_receipt(conn: &Connection, id: i64, status: Status, now: DateTime<Utc>) -> Result<()> {
    let from = match status {
        Status::Delivered => "('sent')",
        Status::Read => "('sent', 'delivered')",
        _ => return Err(StoreError::Corrupt("receipt")),
    };
    conn.execute(
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
    conn.execute(
        "INSERT OR IGNORE INTO early_receipts (channel, provider_message_id, receipt, error, received_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        (channel, provider_id, receipt, error, At(now)),
    )?;
    conn.execute(
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

/// The latest notifications, newest first.
pub fn latest(
    conn: &Connection,
    company: Option<i64>,
    status: Option<Status>,
    most: u32,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare(
        "SELECT * FROM booking_notifications
          WHERE (?1 IS NULL OR company_id = ?1) AND (?2 IS NULL OR status = ?2)
          ORDER BY id DESC LIMIT ?3",
    )?;
    let rows = query.query_map((company, status.map(Status::as_str), most), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Every notification that tells of this record, oldest first.
pub fn of_record(
    conn: &Connection,
    company: Option<i64>,
    record: i64,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare(
        "SELECT * FROM booking_notifications
          WHERE record_id = ?2 AND (?1 IS NULL OR company_id = ?1) ORDER BY id",
    )?;
    let rows = query.query_map((company, record), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
