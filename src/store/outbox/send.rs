//! What may leave, the intent to send it, and what became of it.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::store::execute;

use super::super::{At, Result};
use super::{Notification, read};
use crate::domain::delivery::Status;

/// No failed try is repeated later than this. What is due later waits for another reason (a pause,
/// quiet hours), also when it was tried before.
pub(in crate::store) const LATEST_RETRY: TimeDelta = TimeDelta::minutes(10);

/// The owner's copy waits this long for the outcome of the client's message, then goes without.
pub const COPY_PATIENCE: TimeDelta = TimeDelta::seconds(60);

/// It tells a client how a booking stands: a message, or an answer that has waited. An answer that is
/// queued says what the journal said a moment ago.
const TO_CLIENT: &str = "(n.phone <> '' AND n.kind <> 'test'
      OR n.kind = 'reply' AND n.told <> '[]' AND n.created_at <= ?3)";

/// An answer that says how bookings stand. They may be another salon's than the one in whose name it goes.
const OF_BOOKINGS: &str = "(n.kind = 'reply' AND n.told <> '[]')";

/// Whose they are. Asked only behind a CASE: of what is no answer it reads what it cannot, and AND does not
/// say which of its sides comes first.
const THEIR_COMPANIES: &str =
    "(SELECT DISTINCT json_extract(t.value, '$.state.record.company_id') AS id
      FROM json_each(n.told) t)";

/// What may leave now on one channel, in order. At most one per recipient: the oldest, and none
/// behind one that is on its way or waits for its next try; an answer that waits for the journal keeps
/// nobody waiting. None whose delay is running again, none to clients of companies that are not watched,
/// and no answer about one that is just not to be spoken of. (Of a company that is watched no more nothing
/// can be waited for.)
const DUE: &str = "
    FROM booking_notifications n
   WHERE n.status = 'pending' AND n.due_at <= ?1 AND n.channel = ?2
     AND n.id NOT IN (SELECT value FROM json_each(?7))
     AND CASE WHEN NOT {TO_CLIENT} THEN 1
              WHEN {OF_BOOKINGS} THEN NOT EXISTS (SELECT 1 FROM {THEIR_COMPANIES}
                                                   WHERE id IN (SELECT value FROM json_each(?8)))
              ELSE n.company_id IN (SELECT value FROM json_each(?4)) END
     AND NOT EXISTS (SELECT 1 FROM settling s
                      WHERE s.company_id = n.company_id AND s.unit = n.unit AND s.phone = n.phone)
     AND NOT EXISTS (SELECT 1 FROM booking_notifications o
                      WHERE coalesce(nullif(o.phone, ''), o.recipient)
                            = coalesce(nullif(n.phone, ''), n.recipient)
                        AND o.status IN ('pending', 'sending') AND o.id <> n.id
                        AND (o.status = 'sending'
                             OR (o.id < n.id AND o.company_id = n.company_id AND (o.due_at <= ?1 OR o.attempts > 0 AND o.due_at <= ?6)
                                 AND o.channel = n.channel AND o.about IS NULL
                                 AND NOT (o.kind = 'reply' AND o.told <> '[]' AND o.created_at <= ?3 AND o.due_at > ?1))))
     AND (n.about IS NULL OR n.created_at <= ?3
          OR (SELECT a.status FROM booking_notifications a WHERE a.id = n.about)
             NOT IN ('pending', 'sending'))";

/// Something that may leave now.
#[derive(Clone, PartialEq, Eq)]
pub struct Due {
    /// The notification.
    pub id: i64,
    /// Its company.
    pub company: i64,
    /// The companies whose journals it speaks of.
    pub journals: Vec<i64>,
    /// To whom, as the pace of the channel counts.
    pub recipient: String,
    /// It tells a client something about a booking.
    pub to_client: bool,
}

debug_only!(Due: id, company, to_client);

/// What may leave now on this channel, in order, without those that were `left` for another time: they
/// would keep the places of all who come after them. The clients of some `companies` may be spoken to, and
/// of others that are watched, too, nothing is to be said just now.
pub fn due(
    conn: &Connection,
    channel: &str,
    (companies, not_now): (&[i64], &[i64]),
    left: &[i64],
    now: DateTime<Utc>,
    most: u32,
) -> Result<Vec<Due>> {
    let watched = serde_json::Value::from(companies).to_string();
    let not_now = serde_json::Value::from(not_now).to_string();
    let left = serde_json::Value::from(left).to_string();
    let due = filled(DUE);
    let journals = filled(JOURNALS);
    let mut query = conn.prepare_cached(&format!(
        "SELECT n.id, n.company_id, n.recipient, {TO_CLIENT}, {journals} {due}
          ORDER BY n.due_at, n.id LIMIT ?5"
    ))?;
    let rows = query.query_map(
        (
            At(now),
            channel,
            At(now - COPY_PATIENCE),
            watched,
            most,
            At(now + LATEST_RETRY),
            left,
            not_now,
        ),
        |r| {
            Ok(Due {
                id: r.get(0)?,
                company: r.get(1)?,
                recipient: r.get(2)?,
                to_client: r.get(3)?,
                journals: numbers(&r.get::<_, String>(4)?),
            })
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The companies whose journals a notification speaks of, JSON.
const JOURNALS: &str = "CASE WHEN {OF_BOOKINGS}
      THEN (SELECT json_group_array(id) FROM {THEIR_COMPANIES}) ELSE json_array(n.company_id) END";

fn filled(sql: &str) -> String {
    sql.replace("{TO_CLIENT}", TO_CLIENT)
        .replace("{OF_BOOKINGS}", OF_BOOKINGS)
        .replace("{THEIR_COMPANIES}", THEIR_COMPANIES)
}

fn numbers(json: &str) -> Vec<i64> {
    serde_json::from_str(json).unwrap_or_default()
}

/// The companies whose journals this speaks of.
pub fn journals(conn: &Connection, id: i64) -> Result<Vec<i64>> {
    let sql = filled(JOURNALS);
    let sql = format!("SELECT {sql} FROM booking_notifications n WHERE n.id = ?1");
    let json: Option<String> = conn
        .prepare_cached(&sql)?
        .query_row([id], |r| r.get(0))
        .optional()?;
    Ok(json.as_deref().map(numbers).unwrap_or_default())
}

/// Answers that are due, speak of a company's journal and have waited since before then.
pub fn answers_of(
    conn: &Connection,
    company: i64,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Notification>> {
    let mut query = conn.prepare_cached(&filled(
        "SELECT * FROM booking_notifications n
          WHERE n.status = 'pending' AND n.due_at <= ?3
            AND max(n.created_at, n.changed_at) < ?2
            AND CASE WHEN {OF_BOOKINGS} THEN ?1 IN (SELECT id FROM {THEIR_COMPANIES}) END
          ORDER BY n.id",
    ))?;
    let rows = query.query_map((company, At(before), At(now)), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether something else is on its way to the same person, over whichever channel: it may have been
/// taken up since the list of what is due was read.
pub fn is_person_busy(conn: &Connection, id: i64) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM booking_notifications n, booking_notifications o
                             WHERE n.id = ?1 AND o.id <> n.id
                               AND coalesce(nullif(o.phone, ''), o.recipient)
                                   = coalesce(nullif(n.phone, ''), n.recipient)
                               AND o.status IN ('pending', 'sending') AND o.status = 'sending')",
        )?
        .query_row([id], |r| r.get(0))?)
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
                SET status = 'sending', attempts = attempts + 1, recipient = ?2, message = ?3, told = ?4,
                    due_at = max(due_at, ?5)
              WHERE id = ?1 AND status = 'pending' RETURNING attempts, channel",
        )?
        .query_row((id, recipient, message, told, At(now)), |r| Ok((r.get(0)?, r.get(1)?)))?;
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

/// When a client who got `most` messages of a company within the last hour may get another: an hour
/// after the earliest of those. `None`: now.
pub fn full_until(
    conn: &Connection,
    company: i64,
    phone: &str,
    most: u32,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    const HOUR: TimeDelta = TimeDelta::hours(1);
    let Some(before) = most.checked_sub(1) else {
        return Ok(None);
    };
    let earliest: Option<At> = conn
        .prepare_cached(
            "SELECT sent_at FROM booking_notifications
              WHERE phone = ?2 AND phone <> '' AND sent_at > ?3 AND company_id = ?1 AND kind <> 'test'
              ORDER BY sent_at DESC LIMIT 1 OFFSET ?4",
        )?
        .query_row((company, phone, At(now - HOUR), before), |r| r.get(0))
        .optional()?;
    Ok(earliest.map(|at| at.0 + HOUR))
}

/// It waits until then; nothing else changes.
pub fn postpone(conn: &Connection, id: i64, due_at: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached("UPDATE booking_notifications SET due_at = ?2 WHERE id = ?1")?
        .execute((id, At(due_at)))?;
    Ok(())
}

/// The same, if it was not taken up meanwhile.
pub fn postpone_pending(conn: &Connection, id: i64, due_at: DateTime<Utc>) -> Result<()> {
    conn.execute(
        "UPDATE booking_notifications SET due_at = ?2 WHERE id = ?1 AND status = 'pending'",
        (id, At(due_at)),
    )?;
    Ok(())
}

/// It waits until then for this.
pub fn wait_for(conn: &Connection, id: i64, why: &str, due_at: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE booking_notifications SET due_at = ?3, last_error = ?2 WHERE id = ?1",
    )?
    .execute((id, why, At(due_at)))?;
    Ok(())
}

/// It stands in line until then by our own choice, and does not grow old meanwhile.
pub fn wait_for_turn(conn: &Connection, id: i64, until: DateTime<Utc>) -> Result<()> {
    conn.execute(
        "UPDATE booking_notifications SET due_at = ?2, changed_at = max(changed_at, ?2) WHERE id = ?1",
        (id, At(until)),
    )?;
    Ok(())
}

/// What keeps it waiting, or kept it from being sent.
pub fn note_error(conn: &Connection, id: i64, why: &str) -> Result<()> {
    conn.execute(
        "UPDATE booking_notifications SET last_error = ?2 WHERE id = ?1",
        (id, why),
    )?;
    Ok(())
}

/// Messages to clients that are due and speak of a company's journal wait until then.
pub fn postpone_company(
    conn: &Connection,
    company: i64,
    why: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<()> {
    execute(
        conn,
        &filled(
            "UPDATE booking_notifications AS n SET due_at = ?4, last_error = ?5
              WHERE n.status = 'pending' AND {TO_CLIENT} AND n.due_at <= ?2
                AND CASE WHEN {OF_BOOKINGS} THEN ?1 IN (SELECT id FROM {THEIR_COMPANIES})
                         ELSE n.company_id = ?1 END",
        ),
        (company, At(now), At(now - COPY_PATIENCE), At(until), why),
    )?;
    Ok(())
}

/// A final or undecided state with what went wrong.
pub fn set_ended(conn: &Connection, id: i64, status: Status, error: &str) -> Result<()> {
    execute(
        conn,
        "UPDATE booking_notifications SET status = ?2, last_error = ?3 WHERE id = ?1",
        (id, status.as_str(), error),
    )?;
    Ok(())
}

/// What waits for another reason than its next try waits for one that may be gone (quiet hours, a
/// pause). Sending decides anew.
pub fn replan(conn: &Connection, now: DateTime<Utc>) -> Result<()> {
    execute(
        conn,
        "UPDATE booking_notifications
            SET due_at = ?1, last_error = CASE attempts WHEN 0 THEN NULL ELSE last_error END
          WHERE status = 'pending' AND due_at > CASE attempts WHEN 0 THEN ?1 ELSE ?2 END",
        (At(now), At(now + LATEST_RETRY)),
    )?;
    Ok(())
}

/// When it was last tried.
pub fn tried_at(conn: &Connection, id: i64) -> Result<Option<DateTime<Utc>>> {
    let at: Option<At> = conn.query_row(
        "SELECT max(started_at) FROM delivery_attempts WHERE notification_id = ?1",
        [id],
        |r| r.get(0),
    )?;
    Ok(at.map(|at| at.0))
}

/// Over which channel it was last tried.
pub fn tried_over(conn: &Connection, id: i64) -> Result<Option<String>> {
    Ok(conn
        .prepare_cached(
            "SELECT channel FROM delivery_attempts WHERE notification_id = ?1
              ORDER BY attempt DESC LIMIT 1",
        )?
        .query_row([id], |r| r.get(0))
        .optional()?)
}

/// A try of which nobody knows whether it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InDoubt {
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it ended, once that was found out.
    pub ended: Option<DateTime<Utc>>,
}

/// Such tries of this notification, in order.
pub fn tries_in_doubt(conn: &Connection, id: i64) -> Result<Vec<InDoubt>> {
    let mut query = conn.prepare_cached(
        "SELECT started_at, finished_at FROM delivery_attempts
          WHERE notification_id = ?1 AND coalesce(outcome, 'uncertain') = 'uncertain'
          ORDER BY attempt",
    )?;
    let rows = query.query_map([id], |r| {
        Ok(InDoubt {
            began: r.get::<_, At>(0)?.0,
            ended: r.get::<_, Option<At>>(1)?.map(|at| at.0),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The provider's id of it, once it gave one.
pub fn provider_id(conn: &Connection, id: i64) -> Result<Option<String>> {
    Ok(conn
        .prepare_cached("SELECT provider_message_id FROM booking_notifications WHERE id = ?1")?
        .query_row([id], |r| r.get(0))?)
}

/// Whether this may have arrived once already.
pub fn was_uncertain(conn: &Connection, id: i64) -> Result<bool> {
    Ok(conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM delivery_attempts
                         WHERE notification_id = ?1 AND outcome = 'uncertain')",
        [id],
        |r| r.get(0),
    )?)
}
