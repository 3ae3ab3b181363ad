//! `questions` and `edits`: what owners are asked with buttons, and which of our messages in a chat
//! no longer show how things stand.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::outbox::Notification;
use super::{At, Result, StoreError};
use crate::domain::question::{End, Matter};

/// One question under one message.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its number, which its buttons carry.
    pub id: i64,
    /// The message under which it stands.
    pub notification: i64,
    /// The company whose owners decide.
    pub company: i64,
    /// What is asked.
    pub matter: Matter,
    /// How many messages its buttons speak of; 0 where that does not matter.
    pub figure: i64,
    /// How it ended; `None` while it waits for an answer.
    pub ended: Option<End>,
}

const COLUMNS: &str = "id, notification_id, company_id, matter, figure, ended";

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, i64, i64, String, i64, Option<String>)> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
    ))
}

fn question(
    (id, notification, company, matter, figure, ended): (
        i64,
        i64,
        i64,
        String,
        i64,
        Option<String>,
    ),
) -> Result<Question> {
    Ok(Question {
        id,
        notification,
        company,
        matter: Matter::from_stored(&matter).ok_or(StoreError::Corrupt("question"))?,
        figure,
        ended: ended.as_deref().map(End::from_stored),
    })
}

/// Asks something under this message.
pub fn ask(
    conn: &Connection,
    notification: i64,
    company: i64,
    matter: &Matter,
    figure: i64,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO questions (notification_id, company_id, matter, figure) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((notification, company, matter.stored(), figure))?;
    Ok(())
}

/// One question.
pub fn get(conn: &Connection, id: i64) -> Result<Option<Question>> {
    let row = conn
        .prepare_cached(&format!("SELECT {COLUMNS} FROM questions WHERE id = ?1"))?
        .query_row([id], read)
        .optional()?;
    row.map(question).transpose()
}

/// What is asked under this message, in the order of its rows.
pub fn of_message(conn: &Connection, notification: i64) -> Result<Vec<Question>> {
    let mut query = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM questions WHERE notification_id = ?1 ORDER BY id"
    ))?;
    let rows = query.query_map([notification], read)?;
    rows.map(|row| question(row?)).collect()
}

/// Everything that waits for an answer.
pub fn open(conn: &Connection) -> Result<Vec<Question>> {
    let mut query = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM questions INDEXED BY questions_open WHERE ended IS NULL ORDER BY id"
    ))?;
    let rows = query.query_map([], read)?;
    rows.map(|row| question(row?)).collect()
}

/// The buttons of this question speak of so many messages from now on.
pub fn set_figure(conn: &Connection, id: i64, figure: i64, now: DateTime<Utc>) -> Result<()> {
    let message: i64 = conn
        .prepare_cached("UPDATE questions SET figure = ?2 WHERE id = ?1 RETURNING notification_id")?
        .query_row((id, figure), |r| r.get(0))?;
    want_edit(conn, message, now)
}

/// The matter is decided, or over: in every chat where it is asked.
pub fn end(
    conn: &Connection,
    company: i64,
    matter: &Matter,
    how: End,
    now: DateTime<Utc>,
) -> Result<()> {
    let messages: Vec<i64> = conn
        .prepare_cached(
            "UPDATE questions SET ended = ?3
              WHERE company_id = ?1 AND matter = ?2 AND ended IS NULL RETURNING notification_id",
        )?
        .query_map((company, matter.stored(), how.stored()), |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for message in messages {
        want_edit(conn, message, now)?;
    }
    Ok(())
}

/// What was decided came to this end.
pub fn end_anew(
    conn: &Connection,
    company: i64,
    matter: &Matter,
    how: End,
    now: DateTime<Utc>,
) -> Result<()> {
    let messages: Vec<i64> = conn
        .prepare_cached(
            "UPDATE questions SET ended = ?3
              WHERE company_id = ?1 AND matter = ?2 AND coalesce(ended, '') <> ?3
              RETURNING notification_id",
        )?
        .query_map((company, matter.stored(), how.stored()), |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for message in messages {
        want_edit(conn, message, now)?;
    }
    Ok(())
}

/// Owners' copies of what this notification told that are out, with the channel of each.
pub fn copies_of(conn: &Connection, n: &Notification) -> Result<Vec<(i64, String)>> {
    let mut query = conn.prepare_cached(
        "SELECT id, channel FROM booking_notifications
          WHERE company_id = ?1 AND about = ?4 AND kind = 'owner' AND frozen = 0
            AND status IN ('sending', 'sent', 'delivered', 'read')
            AND record_id IN (SELECT ?3 UNION ALL
                              SELECT record_id FROM appointments_cache
                               WHERE company_id = ?1 AND unit = ?2)",
    )?;
    let rows = query.query_map((n.company, &n.unit, n.record, n.id), |r| {
        Ok((r.get(0)?, r.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// This message of ours no longer shows how things stand; it is edited then.
pub fn want_edit(conn: &Connection, notification: i64, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO edits (notification_id, due_at) VALUES (?1, ?2)
         ON CONFLICT (notification_id) DO UPDATE SET due_at = ?2, tries = 0, version = version + 1",
    )?
    .execute((notification, At(now)))?;
    Ok(())
}

/// A message to be edited.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The notification.
    pub notification: i64,
    /// Which wish it answers; a later one is another.
    pub version: i64,
    /// Tries so far.
    pub tries: u32,
    /// The chat it stands in.
    pub chat: String,
    /// The provider's id of it.
    pub message_id: String,
}

/// What is to be edited on this channel now; of messages that are out, and known to be.
pub fn edits_due(conn: &Connection, channel: &str, now: DateTime<Utc>) -> Result<Vec<Edit>> {
    let mut query = conn.prepare_cached(
        "SELECT e.notification_id, e.version, e.tries, n.recipient, n.provider_message_id
           FROM edits e JOIN booking_notifications n ON n.id = e.notification_id
          WHERE e.due_at <= ?2 AND n.channel = ?1 AND n.provider_message_id IS NOT NULL
            AND n.status IN ('sent', 'delivered', 'read')
          ORDER BY e.due_at, e.notification_id LIMIT 20",
    )?;
    let rows = query.query_map((channel, At(now)), |r| {
        Ok(Edit {
            notification: r.get(0)?,
            version: r.get(1)?,
            tries: r.get(2)?,
            chat: r.get(3)?,
            message_id: r.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The message shows how things stand, or never will.
pub fn edited(conn: &Connection, edit: &Edit) -> Result<()> {
    conn.execute(
        "DELETE FROM edits WHERE notification_id = ?1 AND version = ?2",
        (edit.notification, edit.version),
    )?;
    Ok(())
}

/// It could not be edited now: once more, then.
pub fn edit_later(conn: &Connection, edit: &Edit, due_at: DateTime<Utc>) -> Result<()> {
    conn.execute(
        "UPDATE edits SET due_at = ?3, tries = tries + 1 WHERE notification_id = ?1 AND version = ?2",
        (edit.notification, edit.version, At(due_at)),
    )?;
    Ok(())
}
