//! `contacts` and `messages`: who writes to us where, and what.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest as _, Sha256};

use crate::store::execute;

use super::{At, Result, hex};

/// One message somebody wrote to us.
#[derive(Clone)]
pub struct Inbound<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// The company, where the channel serves only one.
    pub company: Option<i64>,
    /// The chat.
    pub chat_id: &'a str,
    /// Their phone in E.164, '' where unknown.
    pub phone: &'a str,
    /// Their name there.
    pub name: &'a str,
    /// What they wrote.
    pub text: &'a str,
    /// The provider's id.
    pub external_id: &'a str,
    /// When.
    pub at: DateTime<Utc>,
    /// It is a word to the program, such as STOP: its author is not talking with anybody.
    pub is_command: bool,
}

debug_only!(Inbound<'_>: channel, company, external_id, at, is_command);

/// What storing a message found.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// Whose message it is: the contact's id.
    pub contact: i64,
    /// The contact was not known before.
    pub contact_is_new: bool,
    /// The message was not stored before.
    pub message_is_new: bool,
}

/// Stores an inbound message and its contact; the same message again changes nothing.
pub fn store_inbound(conn: &Connection, message: &Inbound<'_>) -> Result<Stored> {
    let known: Option<i64> = conn
        .query_row(
            "SELECT id FROM contacts WHERE channel = ?1 AND chat_id = ?2",
            [message.channel, message.chat_id],
            |r| r.get(0),
        )
        .optional()?;
    let contact: i64 = conn.query_row(
        "INSERT INTO contacts (phone, name, channel, chat_id, last_inbound_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (channel, chat_id) DO UPDATE SET
            phone = CASE WHEN ?1 <> '' THEN ?1 ELSE phone END,
            name = CASE WHEN ?2 <> '' THEN ?2 ELSE name END,
            last_inbound_at = nullif(max(coalesce(last_inbound_at, ''), coalesce(?5, '')), '')
         RETURNING id",
        (
            message.phone,
            message.name,
            message.channel,
            message.chat_id,
            (!message.is_command).then_some(At(message.at)),
        ),
        |r| r.get(0),
    )?;
    let added = execute(conn,
        "INSERT OR IGNORE INTO messages
            (company_id, contact_id, channel, direction, phone, chat_id, text, external_id, created_at)
         VALUES (?1, ?2, ?3, 'inbound', ?4, ?5, ?6, ?7, ?8)",
        (
            message.company,
            contact,
            message.channel,
            message.phone,
            message.chat_id,
            message.text,
            message.external_id,
            At(message.at),
        ),
    )?;
    Ok(Stored {
        contact,
        contact_is_new: known.is_none(),
        message_is_new: added == 1,
    })
}

/// Notes that a message which is no text of a client's was read. `false` when it was before.
pub fn note_read(
    conn: &Connection,
    channel: &str,
    chat_id: &str,
    external_id: &str,
    what: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let added = execute(
        conn,
        "INSERT OR IGNORE INTO messages
            (channel, direction, phone, chat_id, text, external_id, created_at)
         VALUES (?1, 'inbound', '', ?2, ?3, ?4, ?5)",
        (channel, chat_id, what, external_id, At(now)),
    )?;
    Ok(added == 1)
}

/// What an owner wrote.
#[derive(Clone)]
pub struct Words<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// The chat.
    pub chat_id: &'a str,
    /// The provider's id.
    pub external_id: &'a str,
    /// The message whose words these are now, where one was edited.
    pub edits: Option<&'a str>,
    /// What they wrote; not kept.
    pub text: &'a str,
}

debug_only!(Words<'_>: channel, external_id, edits);

/// What there is to words that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// They are to be read.
    New,
    /// The message was read before, or edited without a change of its words. Whose it is, where that is
    /// known.
    Same(Option<i64>),
    /// A message was edited of which nobody knows what it said: these words may have been read long ago.
    Unknown,
}

/// Notes that an owner's words were read, by their hash.
pub fn note_words(conn: &Connection, words: &Words<'_>, now: DateTime<Utc>) -> Result<News> {
    let last = |id| {
        let newest =
            format!("SELECT external_id FROM messages WHERE {OF_MESSAGE} ORDER BY id DESC LIMIT 1");
        let row: Option<String> = conn
            .prepare_cached(&newest)?
            .query_row([words.channel, id], |r| r.get(0))
            .optional()?;
        Result::Ok(row)
    };
    if last(words.external_id)?.is_some() {
        return Ok(News::Same(None));
    }
    let hash = Sha256::digest(words.text.as_bytes());
    let hash = hex(&hash);
    let id = format!("{}/{hash}", words.external_id);
    let news = match words.edits {
        None => News::New,
        Some(edited) => {
            let before = last(edited)?;
            let before = before.as_deref().and_then(|id| id.rsplit('/').next());
            match before.filter(|before| before.len() == hash.len()) {
                Some(before) if before == hash => News::Same(None),
                Some(_) => News::New,
                None => News::Unknown,
            }
        }
    };
    note_read(conn, words.channel, words.chat_id, &id, "owner", now)?;
    Ok(news)
}

/// What there is to the words of a client's message that was edited then: they are compared with what it
/// said when it was last looked at before.
pub fn news_of_edit(
    conn: &Connection,
    channel: &str,
    edited: &str,
    text: &str,
    at: DateTime<Utc>,
) -> Result<News> {
    let last: Option<(Option<i64>, String)> = conn
        .prepare_cached(&format!(
            "SELECT contact_id, text FROM messages WHERE {OF_MESSAGE} AND created_at <= ?3
              ORDER BY created_at DESC, id DESC LIMIT 1"
        ))?
        .query_row((channel, edited, At(at)), |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    Ok(match last {
        Some((Some(contact), before)) if before == text => News::Same(Some(contact)),
        Some(_) => News::New,
        None => News::Unknown,
    })
}

/// The rows of a message that came in and of its edits, whose ids are its own, a slash, and more. The first
/// two bounds make it one search of the index; what else lies between them is left out by the third.
pub const OF_MESSAGE: &str = "channel = ?1 AND direction = 'inbound'
      AND external_id >= ?2 AND external_id < ?2 || '0'
      AND (external_id = ?2 OR external_id > ?2 || '/')";

/// Links a chat to a phone. The same phone in another chat of that channel is unlinked first.
pub fn link(
    conn: &Connection,
    channel: &str,
    chat_id: &str,
    phone: &str,
    name: &str,
) -> Result<()> {
    execute(
        conn,
        "UPDATE contacts SET phone = '' WHERE channel = ?1 AND phone = ?2 AND chat_id <> ?3",
        (channel, phone, chat_id),
    )?;
    execute(
        conn,
        "INSERT INTO contacts (phone, name, channel, chat_id) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (channel, chat_id) DO UPDATE SET phone = ?1,
            name = CASE WHEN ?2 <> '' THEN ?2 ELSE name END",
        (phone, name, channel, chat_id),
    )?;
    Ok(())
}

/// The chat through which this phone can be written to on this channel.
pub fn chat_of(conn: &Connection, channel: &str, phone: &str) -> Result<Option<String>> {
    Ok(conn
        .prepare_cached(
            "SELECT chat_id FROM contacts WHERE channel = ?1 AND phone = ?2 AND blocked_at IS NULL
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row([channel, phone], |r| r.get(0))
        .optional()?)
}

/// When this person (a phone, or a chat) last wrote on this channel.
pub fn last_inbound_at(
    conn: &Connection,
    channel: &str,
    address: &str,
) -> Result<Option<DateTime<Utc>>> {
    let at: Option<At> = conn
        .prepare_cached(
            "SELECT max(last_inbound_at) FROM contacts
              WHERE channel = ?1 AND (chat_id = ?2 OR phone = ?2)",
        )?
        .query_row([channel, address], |r| r.get(0))?;
    Ok(at.map(|at| at.0))
}

/// The phone that this chat is linked to.
pub fn phone_of(conn: &Connection, channel: &str, chat_id: &str) -> Result<Option<String>> {
    Ok(conn
        .prepare_cached(
            "SELECT phone FROM contacts WHERE channel = ?1 AND chat_id = ?2 AND phone <> ''",
        )?
        .query_row([channel, chat_id], |r| r.get(0))
        .optional()?)
}

/// Notes when somebody last wrote, as a channel's list shows it. What they wrote is not ours to keep.
pub fn note_heard(
    conn: &Connection,
    channel: &str,
    chat_id: &str,
    phone: &str,
    at: DateTime<Utc>,
) -> Result<()> {
    conn.execute(
        "INSERT INTO contacts (phone, channel, chat_id, last_inbound_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (channel, chat_id) DO UPDATE SET
            phone = CASE WHEN phone = '' THEN ?1 ELSE phone END,
            last_inbound_at = max(coalesce(last_inbound_at, ''), ?4)",
        (phone, channel, chat_id, At(at)),
    )?;
    Ok(())
}

/// A hidden chat that wrote before turned out to be this phone's. What is known of it already stays.
/// `false` when nothing was learnt.
pub fn learn(conn: &Connection, channel: &str, chat_id: &str, phone: &str) -> Result<bool> {
    let learnt = conn.execute(
        "UPDATE contacts SET phone = ?1 WHERE channel = ?2 AND chat_id = ?3 AND phone = ''",
        (phone, channel, chat_id),
    )? == 1;
    if learnt {
        conn.execute(
            "UPDATE messages SET phone = ?1 WHERE channel = ?2 AND chat_id = ?3 AND phone = ''",
            (phone, channel, chat_id),
        )?;
    }
    Ok(learnt)
}

/// When the person of this phone last wrote something to a person on one of these channels.
pub fn wrote_at(
    conn: &Connection,
    phone: &str,
    channels: &[String],
) -> Result<Option<DateTime<Utc>>> {
    let channels = serde_json::Value::from(channels).to_string();
    let at: Option<At> = conn
        .prepare_cached(
            "SELECT max(nullif(last_inbound_at, '')) FROM contacts
              WHERE phone = ?1 AND channel IN (SELECT value FROM json_each(?2))",
        )?
        .query_row([phone, &channels], |r| r.get(0))?;
    Ok(at.map(|at| at.0))
}

/// Somebody who can be written to in a chat.
#[derive(Clone)]
pub struct Contact {
    /// The contact.
    pub id: i64,
    /// Their phone in E.164, '' where unknown.
    pub phone: String,
    /// Their name there.
    pub name: String,
    /// The channel's name.
    pub channel: String,
    /// Their chat there.
    pub chat_id: String,
}

debug_only!(Contact: id, channel);

/// The contact of this chat, if it ever wrote.
pub fn of_chat(conn: &Connection, channel: &str, chat_id: &str) -> Result<Option<i64>> {
    Ok(conn
        .prepare_cached("SELECT id FROM contacts WHERE channel = ?1 AND chat_id = ?2")?
        .query_row([channel, chat_id], |r| r.get(0))
        .optional()?)
}

/// The contacts on this channel that a person wrote to: this chat, or this phone's.
pub fn written_to(
    conn: &Connection,
    channel: &str,
    chat_id: &str,
    phone: &str,
) -> Result<Vec<i64>> {
    let mut query = conn.prepare_cached(
        "SELECT id FROM contacts WHERE channel = ?1 AND (chat_id = ?2 OR phone = ?3 AND phone <> '')",
    )?;
    let rows = query.query_map([channel, chat_id, phone], |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many messages this contact wrote between these moments, provider's time.
pub fn wrote_between(
    conn: &Connection,
    contact: i64,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<i64> {
    Ok(conn
        .prepare_cached(
            "SELECT count(*) FROM messages
              WHERE contact_id = ?1 AND direction = 'inbound' AND created_at > ?2 AND created_at <= ?3",
        )?
        .query_row((contact, At(since), At(until)), |r| r.get(0))?)
}

/// One contact.
pub fn get(conn: &Connection, id: i64) -> Result<Option<Contact>> {
    Ok(conn
        .prepare_cached("SELECT id, phone, channel, chat_id, name FROM contacts WHERE id = ?1")?
        .query_row([id], |r| {
            Ok(Contact {
                id: r.get(0)?,
                phone: r.get(1)?,
                channel: r.get(2)?,
                chat_id: r.get(3)?,
                name: r.get(4)?,
            })
        })
        .optional()?)
}

/// A chat that opened the bot; what is known of it stays.
pub fn ensure(conn: &Connection, channel: &str, chat_id: &str, name: &str) -> Result<()> {
    execute(
        conn,
        "INSERT INTO contacts (phone, name, channel, chat_id) VALUES ('', ?1, ?2, ?3)
         ON CONFLICT (channel, chat_id) DO UPDATE SET
            blocked_at = NULL, name = CASE WHEN ?1 <> '' THEN ?1 ELSE name END",
        (name, channel, chat_id),
    )?;
    Ok(())
}

/// A chat blocked the bot, or let it in again.
pub fn set_reachable(
    conn: &Connection,
    channel: &str,
    chat_id: &str,
    reachable: bool,
) -> Result<()> {
    let sql = if reachable {
        "UPDATE contacts SET blocked_at = NULL WHERE channel = ?1 AND chat_id = ?2"
    } else {
        "UPDATE contacts SET blocked_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
          WHERE channel = ?1 AND chat_id = ?2"
    };
    execute(conn, sql, [channel, chat_id])?;
    Ok(())
}
