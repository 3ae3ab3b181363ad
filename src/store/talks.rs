//! `talks`: how each conversation with a client stands.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::{At, Result, StoreError, execute};

/// What a client was asked: which of these visits they mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What they want done, as [`crate::domain::reply::Request`] is stored.
    pub request: String,
    /// Company and unit of each visit, in the order of the numbers.
    pub visits: Vec<(i64, String)>,
    /// Other words of theirs waited for a person already.
    #[serde(default = "waited")]
    pub waited: bool,
}

/// Questions were once stored without it.
fn waited() -> bool {
    true
}

/// One conversation.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    /// The contact.
    pub contact: i64,
    /// Whose client, where that is known.
    pub company: Option<i64>,
    /// The booking that was spoken of.
    pub record: Option<i64>,
    /// The first of their words that no person answered.
    pub waiting_since: Option<DateTime<Utc>>,
    /// What they were asked.
    pub asked: Option<Asked>,
    /// When.
    pub asked_at: Option<DateTime<Utc>>,
    /// When they were last asked to write in words.
    pub wordless_at: Option<DateTime<Utc>>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<(Talk, Option<String>)> {
    let at = |name: &str| row.get::<_, Option<At>>(name).map(|at| at.map(|at| at.0));
    let talk = Talk {
        contact: row.get("contact_id")?,
        company: row.get("company_id")?,
        record: row.get("record_id")?,
        waiting_since: at("waiting_since")?,
        asked: None,
        asked_at: at("asked_at")?,
        wordless_at: at("wordless_at")?,
    };
    Ok((talk, row.get("asked")?))
}

fn whole((talk, asked): (Talk, Option<String>)) -> Result<Talk> {
    let read = |text: String| serde_json::from_str(&text);
    let asked = asked.map(read).transpose();
    let asked = asked.map_err(|_| StoreError::Corrupt("question to a client"))?;
    Ok(Talk { asked, ..talk })
}

/// How this conversation stands; as one that never was, where there is none.
pub fn get(conn: &Connection, contact: i64) -> Result<Talk> {
    let found = conn
        .prepare_cached("SELECT * FROM talks WHERE contact_id = ?1")?
        .query_row([contact], read)
        .optional()?;
    let unheard = Talk {
        contact,
        ..Talk::default()
    };
    found.map_or(Ok(unheard), whole)
}

/// Until when a person has the word with the client of this contact, in whichever of their chats.
pub fn silent_until(conn: &Connection, contact: i64) -> Result<Option<DateTime<Utc>>> {
    let until: Option<At> = conn
        .prepare_cached(
            "SELECT max(t.silent_until) FROM talks t
              WHERE t.contact_id = ?1
                 OR t.contact_id IN (SELECT o.id FROM contacts c JOIN contacts o ON o.phone = c.phone
                                      WHERE c.id = ?1 AND c.phone <> '')",
        )?
        .query_row([contact], |r| r.get(0))?;
    Ok(until.map(|at| at.0))
}

fn ensure(conn: &Connection, contact: i64) -> Result<()> {
    execute(
        conn,
        "INSERT OR IGNORE INTO talks (contact_id) VALUES (?1)",
        [contact],
    )?;
    Ok(())
}

/// It is about this company's client and this booking.
pub fn about(
    conn: &Connection,
    contact: i64,
    company: Option<i64>,
    record: Option<i64>,
) -> Result<()> {
    ensure(conn, contact)?;
    execute(
        conn,
        "UPDATE talks SET company_id = coalesce(?2, company_id), record_id = ?3 WHERE contact_id = ?1",
        (contact, company, record),
    )?;
    Ok(())
}

/// Words that were shown once more and got no answer that anybody saw are the talk of a day. What is
/// written after it waits anew: the salon may have called back.
const TALK_OF_A_DAY: TimeDelta = TimeDelta::hours(24);

/// Somebody waits for a person's answer since then; what waits already waits since its first word.
pub fn waits(
    conn: &Connection,
    contact: i64,
    since: DateTime<Utc>,
    escalate_at: DateTime<Utc>,
) -> Result<()> {
    ensure(conn, contact)?;
    execute(
        conn,
        "UPDATE talks SET waiting_since = NULL
          WHERE contact_id = ?1 AND escalate_at IS NULL AND waiting_since < ?2",
        (contact, At(since - TALK_OF_A_DAY)),
    )?;
    execute(
        conn,
        "UPDATE talks SET escalate_at = CASE WHEN waiting_since IS NULL THEN ?3 ELSE escalate_at END,
                waiting_since = coalesce(waiting_since, ?2)
          WHERE contact_id = ?1",
        (contact, At(since), At(escalate_at)),
    )?;
    Ok(())
}

/// A person answered: nothing waits in any chat of theirs, and nobody else answers until then.
pub fn answered_by_person(conn: &Connection, contact: i64, until: DateTime<Utc>) -> Result<()> {
    ensure(conn, contact)?;
    execute(
        conn,
        "UPDATE talks SET silent_until = max(coalesce(silent_until, ''), ?2), asked = NULL,
                asked_at = NULL WHERE contact_id = ?1",
        (contact, At(until)),
    )?;
    execute(
        conn,
        "UPDATE talks SET waiting_since = NULL, escalate_at = NULL
          WHERE contact_id IN (SELECT o.id FROM contacts c JOIN contacts o ON o.phone = c.phone
                                WHERE c.id = ?1 AND c.phone <> '')",
        [contact],
    )?;
    answered(conn, contact)
}

/// What they wanted is answered for good.
pub fn answered(conn: &Connection, contact: i64) -> Result<()> {
    execute(
        conn,
        "UPDATE talks SET waiting_since = NULL, escalate_at = NULL WHERE contact_id = ?1",
        [contact],
    )?;
    Ok(())
}

/// They were asked which visit they mean, or are asked nothing any more.
pub fn ask(
    conn: &Connection,
    contact: i64,
    asked: Option<&Asked>,
    now: DateTime<Utc>,
) -> Result<()> {
    let text = asked.map(serde_json::to_string).transpose();
    let text = text.map_err(|_| StoreError::Corrupt("question to be stored"))?;
    if text.is_some() {
        ensure(conn, contact)?;
    }
    execute(
        conn,
        "UPDATE talks SET asked = ?2, asked_at = ?3 WHERE contact_id = ?1",
        (contact, &text, text.as_ref().map(|_| At(now))),
    )?;
    Ok(())
}

/// They were asked to write in words.
pub fn asked_for_words(conn: &Connection, contact: i64, now: DateTime<Utc>) -> Result<()> {
    ensure(conn, contact)?;
    execute(
        conn,
        "UPDATE talks SET wordless_at = ?2 WHERE contact_id = ?1",
        (contact, At(now)),
    )?;
    Ok(())
}

/// Conversations whose words waited too long, the oldest first.
pub fn overdue(conn: &Connection, now: DateTime<Utc>) -> Result<Vec<Talk>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM talks INDEXED BY talks_waiting WHERE escalate_at <= ?1 ORDER BY escalate_at",
    )?;
    let rows = query.query_map([At(now)], read)?;
    rows.map(|row| whole(row?)).collect()
}

/// The owners heard of it once more, and will not again.
pub fn escalated(conn: &Connection, contact: i64) -> Result<()> {
    execute(
        conn,
        "UPDATE talks SET escalate_at = NULL WHERE contact_id = ?1",
        [contact],
    )?;
    Ok(())
}

/// How many people wait for an answer.
pub fn unanswered(conn: &Connection) -> Result<i64> {
    Ok(conn.query_row(
        "SELECT count(*) FROM talks WHERE waiting_since IS NOT NULL",
        [],
        |r| r.get(0),
    )?)
}
