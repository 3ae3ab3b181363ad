//! `conversations` and `conversation_steps`: where a model's talk with a client stands; and
//! `agent_switches`, by which owners turn it on and off.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{At, Result, StoreError, execute};
use crate::domain::agent::state::{State, Step};

/// One conversation.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The contact.
    pub contact: i64,
    /// The company in whose name it is held.
    pub company: i64,
    /// Where it stands.
    pub state: State,
    /// The first of their words that is not answered.
    pub waits_since: Option<DateTime<Utc>>,
    /// When they are answered.
    pub answer_at: Option<DateTime<Utc>>,
    /// Messages up to this one are dealt with.
    pub answered_id: i64,
    /// It goes on once the chat is linked to a phone.
    pub wants_number: bool,
    /// The messages by which owners were shown the last words.
    pub cards: Vec<i64>,
    /// When anything last happened in it.
    pub spoke_at: Option<DateTime<Utc>>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<(Conversation, String)> {
    let at = |name: &str| row.get::<_, Option<At>>(name).map(|at| at.map(|at| at.0));
    let state: String = row.get("state")?;
    let conversation = Conversation {
        contact: row.get("contact_id")?,
        company: row.get("company_id")?,
        state: State::from_stored(&state).ok_or(rusqlite::Error::InvalidQuery)?,
        waits_since: at("waits_since")?,
        answer_at: at("answer_at")?,
        answered_id: row.get("answered_id")?,
        wants_number: row.get("wants_number")?,
        cards: Vec::new(),
        spoke_at: at("spoke_at")?,
    };
    Ok((conversation, row.get("cards")?))
}

fn whole((conversation, cards): (Conversation, String)) -> Result<Conversation> {
    let cards = serde_json::from_str(&cards).map_err(|_| StoreError::Corrupt("conversation"))?;
    Ok(Conversation {
        cards,
        ..conversation
    })
}

/// One conversation, if there is one.
pub fn get(conn: &Connection, contact: i64) -> Result<Option<Conversation>> {
    let found = conn
        .prepare_cached("SELECT * FROM conversations WHERE contact_id = ?1")?
        .query_row([contact], read)
        .optional()?;
    found.map(whole).transpose()
}

/// A conversation is there; one that went on in another company's name goes on in this one's.
pub fn ensure(conn: &Connection, contact: i64, company: i64, now: DateTime<Utc>) -> Result<()> {
    execute(
        conn,
        "INSERT INTO conversations (contact_id, company_id, spoke_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (contact_id) DO UPDATE SET company_id = ?2, spoke_at = ?3",
        (contact, company, At(now)),
    )?;
    Ok(())
}

/// What was written is answered then; what waits already waits since its first word.
pub fn wait(
    conn: &Connection,
    contact: i64,
    answer_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    execute(
        conn,
        "UPDATE conversations
            SET answer_at = ?2, waits_since = coalesce(waits_since, ?3), wants_number = 0
          WHERE contact_id = ?1",
        (contact, At(answer_at), At(now)),
    )?;
    Ok(())
}

/// Nothing waits: messages up to this one are dealt with.
pub fn answered(conn: &Connection, contact: i64, up_to: i64) -> Result<()> {
    execute(
        conn,
        "UPDATE conversations SET answer_at = NULL, waits_since = NULL, answered_id = ?2
          WHERE contact_id = ?1",
        (contact, up_to),
    )?;
    Ok(())
}

/// It goes on once the chat is linked to a phone.
pub fn want_number(conn: &Connection, contact: i64) -> Result<()> {
    execute(
        conn,
        "UPDATE conversations SET wants_number = 1 WHERE contact_id = ?1",
        [contact],
    )?;
    Ok(())
}

/// Owners were shown the last words by these messages.
pub fn set_cards(conn: &Connection, contact: i64, cards: &[i64]) -> Result<()> {
    let cards = serde_json::Value::from(cards).to_string();
    execute(
        conn,
        "UPDATE conversations SET cards = ?2 WHERE contact_id = ?1",
        (contact, cards),
    )?;
    Ok(())
}

/// Something happened: where the conversation stands now. What cannot happen where it stands leaves it
/// as it is.
pub fn step(conn: &Connection, contact: i64, step: Step, now: DateTime<Utc>) -> Result<()> {
    let Some(conversation) = get(conn, contact)? else {
        return Ok(());
    };
    let Some(state) = conversation.state.after(step) else {
        tracing::warn!(
            contact,
            state = conversation.state.as_str(),
            step = step.as_str(),
            "this cannot happen here"
        );
        return Ok(());
    };
    execute(
        conn,
        "UPDATE conversations SET state = ?2, spoke_at = ?3 WHERE contact_id = ?1",
        (contact, state.as_str(), At(now)),
    )?;
    execute(
        conn,
        "INSERT INTO conversation_steps (contact_id, at, step, state) VALUES (?1, ?2, ?3, ?4)",
        (contact, At(now), step.as_str(), state.as_str()),
    )?;
    Ok(())
}

/// Conversations in which something is to be answered now, the longest waiting first.
pub fn due(conn: &Connection, now: DateTime<Utc>) -> Result<Vec<Conversation>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM conversations INDEXED BY conversations_due
          WHERE answer_at <= ?1 ORDER BY answer_at",
    )?;
    let rows = query.query_map([At(now)], read)?;
    rows.map(|row| whole(row?)).collect()
}

/// When the next one is to be answered.
pub fn next_at(conn: &Connection) -> Result<Option<DateTime<Utc>>> {
    let next: Option<At> = conn
        .prepare_cached(
            "SELECT min(answer_at) FROM conversations INDEXED BY conversations_due
              WHERE answer_at IS NOT NULL",
        )?
        .query_row([], |r| r.get(0))?;
    Ok(next.map(|at| at.0))
}

/// One thing that was said.
pub struct Line {
    /// The message's number.
    pub id: i64,
    /// The client said it.
    pub is_inbound: bool,
    /// The words; of ours in the channel's markup.
    pub text: String,
}

/// What was said since then, oldest first, the last so many. What we say stands where it was composed: it
/// answers nothing that came while it waited to leave.
pub fn history(
    conn: &Connection,
    contact: i64,
    since: DateTime<Utc>,
    most: u32,
) -> Result<Vec<Line>> {
    let mut query = conn.prepare_cached(
        "SELECT m.id, m.direction, m.text,
                coalesce((SELECT t.up_to FROM turns t
                           WHERE t.contact_id = m.contact_id AND t.notification_id = m.notification_id),
                         (SELECT min(i.id) - 1
                            FROM booking_notifications n JOIN messages i ON i.contact_id = m.contact_id
                           WHERE n.id = m.notification_id AND i.direction = 'inbound' AND i.id < m.id
                             AND i.created_at > n.created_at),
                         m.id)
           FROM messages m
          WHERE m.contact_id = ?1 AND m.created_at >= ?2 AND m.text <> ''
          ORDER BY m.id DESC LIMIT ?3",
    )?;
    let rows = query.query_map((contact, At(since), most), |r| {
        let (id, direction, after): (i64, String, i64) = (r.get(0)?, r.get(1)?, r.get(3)?);
        let line = Line {
            id,
            is_inbound: direction == "inbound",
            text: r.get(2)?,
        };
        Ok(((after, !line.is_inbound, id), line))
    })?;
    let mut lines = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    lines.sort_by_key(|(place, _)| *place);
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// The last message that the client wrote; 0 without one.
pub fn last_heard(conn: &Connection, contact: i64) -> Result<i64> {
    Ok(conn
        .prepare_cached(
            "SELECT coalesce(max(id), 0) FROM messages
              WHERE contact_id = ?1 AND direction = 'inbound'",
        )?
        .query_row([contact], |r| r.get(0))?)
}

/// Whether a word of a conversation with the agent fell within this time.
pub fn is_live(
    conn: &Connection,
    contact: i64,
    within: TimeDelta,
    now: DateTime<Utc>,
) -> Result<bool> {
    let conversation = get(conn, contact)?;
    let spoke_at = conversation.and_then(|c| c.spoke_at);
    Ok(spoke_at.is_some_and(|at| now - at < within))
}

/// What an owner said of the agent of this company, if anything.
pub fn switch(conn: &Connection, company: i64) -> Result<Option<bool>> {
    Ok(conn
        .prepare_cached("SELECT is_on FROM agent_switches WHERE company_id = ?1")?
        .query_row([company], |r| r.get(0))
        .optional()?)
}

/// An owner turns it on or off.
pub fn set_switch(conn: &Connection, company: i64, is_on: bool, now: DateTime<Utc>) -> Result<()> {
    conn.execute(
        "INSERT INTO agent_switches (company_id, is_on, since) VALUES (?1, ?2, ?3)
         ON CONFLICT (company_id) DO UPDATE SET is_on = ?2, since = ?3",
        (company, is_on, At(now)),
    )?;
    Ok(())
}
