//! `messages`, to be looked at: what clients wrote, and what they were answered.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{At, Result};

/// Rows that are no conversation with a client: they only note that an owner's order or a press of a
/// button was read.
pub(super) const CONVERSATION: &str =
    "(contact_id IS NOT NULL OR direction = 'outbound' OR text NOT IN ('owner', 'press'))";

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: i64,
    /// The company, where that is known.
    pub company: Option<i64>,
    /// The contact, where there is one.
    pub contact: Option<i64>,
    /// The channel's name.
    pub channel: String,
    /// It came from the client.
    pub is_inbound: bool,
    /// The client's phone in E.164, '' where unknown.
    pub phone: String,
    /// The chat.
    pub chat_id: String,
    /// What was said.
    pub text: String,
    /// The notification that said it.
    pub notification: Option<i64>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When the client was next written to in answer, after an inbound message.
    pub answered_at: Option<DateTime<Utc>>,
    /// Since when the conversation waits for a person; `None` where nothing waits, or nobody keeps count.
    pub waiting_since: Option<DateTime<Utc>>,
}

/// Which messages are asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Of this phone only.
    pub phone: Option<&'a str>,
    /// In this channel only.
    pub channel: Option<&'a str>,
    /// What clients wrote only.
    pub inbound: bool,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    let direction: String = row.get("direction")?;
    Ok(Message {
        id: row.get("id")?,
        company: row.get("company_id")?,
        contact: row.get("contact_id")?,
        channel: row.get("channel")?,
        is_inbound: direction == "inbound",
        phone: row.get("phone")?,
        chat_id: row.get("chat_id")?,
        text: row.get("text")?,
        notification: row.get("notification_id")?,
        created_at: row.get::<_, At>("created_at")?.0,
        answered_at: row.get::<_, Option<At>>("answered_at")?.map(|at| at.0),
        waiting_since: row.get::<_, Option<At>>("waiting_since")?.map(|at| at.0),
    })
}

/// The messages asked for, the newest first, each with whether it was answered; as many as `each`
/// takes.
pub fn newest(
    conn: &Connection,
    wanted: &Wanted<'_>,
    mut each: impl FnMut(Message) -> bool,
) -> Result<()> {
    // A chat may have been linked to its phone after the message: the contact knows.
    let mut query = conn.prepare(&format!(
        "SELECT m.id, m.company_id, m.contact_id, m.channel, m.direction, m.chat_id, m.text,
                m.notification_id, m.created_at,
                coalesce(nullif(m.phone, ''), c.phone, '') AS phone,
                CASE WHEN m.direction = 'inbound' THEN
                  (SELECT min(a.created_at) FROM messages a
                    WHERE a.contact_id = m.contact_id AND a.direction = 'outbound'
                      AND a.created_at >= m.created_at) END AS answered_at,
                t.waiting_since
           FROM (SELECT * FROM messages WHERE {CONVERSATION}) m
           LEFT JOIN contacts c ON c.id = m.contact_id
           LEFT JOIN talks t ON t.contact_id = m.contact_id
          WHERE (?1 IS NULL OR m.phone = ?1 OR c.phone = ?1) AND (?2 IS NULL OR m.channel = ?2)
            AND (NOT ?3 OR m.direction = 'inbound')
          ORDER BY m.created_at DESC, m.id DESC"
    ))?;
    let rows = query.query_map((wanted.phone, wanted.channel, wanted.inbound), read)?;
    for row in rows {
        if !each(row?) {
            break;
        }
    }
    Ok(())
}

/// A message that was only tried out.
#[derive(Clone)]
pub struct Test<'a> {
    /// The company, where that is known.
    pub company: Option<i64>,
    /// The channel's name.
    pub channel: &'a str,
    /// The phone in E.164.
    pub phone: &'a str,
    /// The chat.
    pub chat_id: &'a str,
    /// What was said.
    pub text: &'a str,
    /// What it is called.
    pub external_id: &'a str,
}

debug_only!(Test<'_>: company, channel, external_id);

/// Keeps that a message was tried out. It is nobody's: no conversation begins with it.
pub fn store_test(conn: &Connection, test: &Test<'_>, now: DateTime<Utc>) -> Result<()> {
    conn.execute(
        "INSERT INTO messages (company_id, channel, direction, phone, chat_id, text, external_id, created_at)
         VALUES (?1, ?2, 'inbound', ?3, ?4, ?5, ?6, ?7)",
        (
            test.company,
            test.channel,
            test.phone,
            test.chat_id,
            test.text,
            test.external_id,
            At(now),
        ),
    )?;
    Ok(())
}

/// What this contact wrote last.
pub fn last_words(conn: &Connection, contact: i64) -> Result<Option<String>> {
    Ok(conn
        .prepare_cached(
            "SELECT text FROM messages WHERE contact_id = ?1 AND direction = 'inbound'
              ORDER BY created_at DESC, id DESC LIMIT 1",
        )?
        .query_row([contact], |r| r.get(0))
        .optional()?)
}

/// What a person of the salon wrote to a client past us.
#[derive(Clone)]
pub struct Said<'a> {
    /// The contact.
    pub contact: i64,
    /// What was said.
    pub text: &'a str,
    /// The provider's id.
    pub external_id: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

debug_only!(Said<'_>: contact, external_id, at);

/// Keeps it, once; whether it is new.
pub fn store_said(conn: &Connection, said: &Said<'_>) -> Result<bool> {
    let added = conn.execute(
        "INSERT OR IGNORE INTO messages
            (contact_id, channel, direction, phone, chat_id, text, external_id, created_at)
         SELECT id, channel, 'outbound', phone, chat_id, ?2, chat_id || '/' || ?3, ?4
           FROM contacts WHERE id = ?1",
        (said.contact, said.text, said.external_id, At(said.at)),
    )?;
    Ok(added == 1)
}

/// Whether a person of the salon wrote to this contact since then.
pub fn was_said_since(conn: &Connection, contact: i64, since: DateTime<Utc>) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM messages
                             WHERE created_at > ?2 AND contact_id = ?1
                               AND direction = 'outbound' AND notification_id IS NULL)",
        )?
        .query_row((contact, At(since)), |r| r.get(0))?)
}

/// What a client was answered.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// The company; 0 where it is unknown.
    pub company: i64,
    /// The contact, where it is known.
    pub contact: Option<i64>,
    /// The channel's name.
    pub channel: &'a str,
    /// The phone or chat id it went to.
    pub recipient: &'a str,
    /// What was said.
    pub text: &'a str,
    /// The provider's id, where it gave one.
    pub external_id: Option<&'a str>,
    /// The notification that said it.
    pub notification: i64,
}

/// Keeps what a client was answered, once. Answers to others are nothing to keep.
pub fn store_answer(conn: &Connection, answer: &Answer<'_>, now: DateTime<Utc>) -> Result<()> {
    let contact = conn
        .query_row(
            "SELECT id, phone, chat_id FROM contacts
              WHERE CASE WHEN ?1 IS NULL
                    THEN channel = ?2 AND (chat_id = ?3 OR phone = ?3) ELSE id = ?1 END
              ORDER BY id DESC LIMIT 1",
            (answer.contact, answer.channel, answer.recipient),
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
        .optional()?;
    // Whoever never wrote as a client (an owner who opened the bot) has no conversation.
    let Some((contact, phone, chat_id)): Option<(i64, String, String)> = contact else {
        return Ok(());
    };
    // Telegram numbers messages within their chat; a send that was taken on a person's word has no
    // number at all.
    let external_id = match answer.external_id {
        Some(id) => format!("{chat_id}/{id}"),
        None => format!("notification/{}", answer.notification),
    };
    conn.execute(
        "INSERT OR IGNORE INTO messages
            (company_id, contact_id, channel, direction, phone, chat_id, text, external_id,
             notification_id, created_at)
         VALUES (nullif(?1, 0), ?2, ?3, 'outbound', ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            answer.company,
            contact,
            answer.channel,
            phone,
            chat_id,
            answer.text,
            external_id,
            answer.notification,
            At(now),
        ),
    )?;
    Ok(())
}
