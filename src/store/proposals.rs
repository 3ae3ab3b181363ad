//! `proposals`: what was put to a client before anything is written, and, once agreed to, the intent of
//! the write. No request leaves before its row says that it was agreed to.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::{At, Result, StoreError, execute};
use crate::domain::agent::proposal::Proposal;
use crate::domain::message::Language;
use crate::domain::record::Record;

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The client is asked.
    Open,
    /// Other talk, or time, passed over it.
    Lapsed,
    /// The client said no.
    Declined,
    /// The client said yes: it is to be written.
    Agreed,
    /// The client said yes, and the owner decides.
    Handed,
    /// It is written, and was seen to be.
    Done,
    /// It was not written.
    Barred,
}

impl Standing {
    const ALL: [Self; 7] = [
        Self::Open,
        Self::Lapsed,
        Self::Declined,
        Self::Agreed,
        Self::Handed,
        Self::Done,
        Self::Barred,
    ];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Lapsed => "lapsed",
            Self::Declined => "declined",
            Self::Agreed => "agreed",
            Self::Handed => "handed",
            Self::Done => "done",
            Self::Barred => "barred",
        }
    }

    fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// One proposal.
#[derive(Clone)]
pub struct Proposed {
    /// Its number.
    pub id: i64,
    /// Whom it was put to.
    pub contact: i64,
    /// The company.
    pub company: i64,
    /// Whose booking it is to be, in E.164.
    pub phone: String,
    /// The language of the conversation.
    pub language: Language,
    /// What is proposed.
    pub what: Proposal,
    /// The sentence promised that the program writes it, not that a person does.
    pub writes: bool,
    /// The sentence.
    pub notification: i64,
    /// Where it stands.
    pub standing: Standing,
    /// When it was put to them.
    pub made_at: DateTime<Utc>,
    /// When a yes comes too late.
    pub lapses_at: DateTime<Utc>,
    /// By this a booking we made is known again.
    pub api_id: String,
    /// The client is not kept waiting longer.
    pub give_up_at: Option<DateTime<Utc>>,
    /// When the request may have left.
    pub began_at: Option<DateTime<Utc>>,
    /// Attempts so far.
    pub tries: u32,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was not written, as stored: an obstacle, or [`TAKEN`].
    pub obstacle: Option<String>,
    /// Done: the visit.
    pub unit: String,
}

/// Somebody else has that time.
pub const TAKEN: &str = "taken";

impl Proposed {
    /// Whether a booking is to be taken off: then an order does it.
    #[must_use]
    pub fn is_cancel(&self) -> bool {
        matches!(self.what, Proposal::Cancel { .. })
    }
}

debug_only!(Proposed: id, contact, company, standing, began_at, tries);

fn read(row: &Row<'_>) -> rusqlite::Result<(Proposed, String)> {
    let at = |name: &str| row.get::<_, Option<At>>(name).map(|at| at.map(|at| at.0));
    let (standing, language): (String, String) = (row.get("state")?, row.get("language")?);
    let what: String = row.get("what")?;
    let nothing = Proposal::Cancel {
        was: crate::domain::agent::proposal::Existing::none(),
    };
    let proposed = Proposed {
        id: row.get("id")?,
        contact: row.get("contact_id")?,
        company: row.get("company_id")?,
        phone: row.get("phone")?,
        language: if language == "en" {
            Language::En
        } else {
            Language::Ru
        },
        what: nothing,
        writes: false,
        notification: row.get("notification_id")?,
        standing: Standing::from_stored(&standing).ok_or(rusqlite::Error::InvalidQuery)?,
        made_at: row.get::<_, At>("made_at")?.0,
        lapses_at: row.get::<_, At>("lapses_at")?.0,
        api_id: row.get("api_id")?,
        give_up_at: at("give_up_at")?,
        began_at: at("began_at")?,
        tries: row.get("tries")?,
        ended_at: at("ended_at")?,
        obstacle: row.get("obstacle")?,
        unit: row.get("unit")?,
    };
    Ok((proposed, what))
}

fn whole((proposed, what): (Proposed, String)) -> Result<Proposed> {
    let Shown { what, writes } =
        serde_json::from_str(&what).map_err(|_| StoreError::Corrupt("proposal"))?;
    Ok(Proposed {
        what,
        writes,
        ..proposed
    })
}

/// What is stored of a sentence: what it proposes, and who was to do it.
#[derive(Serialize, Deserialize)]
struct Shown<P> {
    #[serde(flatten)]
    what: P,
    /// Sentences were once all of what the program does.
    #[serde(default = "promised")]
    writes: bool,
}

fn promised() -> bool {
    true
}

/// A proposal to be put to a client.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// Whom it is put to.
    pub contact: i64,
    /// The company.
    pub company: i64,
    /// Whose booking it is to be, in E.164.
    pub phone: &'a str,
    /// The language of the conversation.
    pub language: Language,
    /// What is proposed.
    pub what: &'a Proposal,
    /// The sentence promises that the program writes it, not that a person does.
    pub writes: bool,
    /// The sentence.
    pub notification: i64,
    /// When a yes comes too late.
    pub lapses_at: DateTime<Utc>,
}

/// Stores it; what was put to this client before lapses.
pub fn add(conn: &Connection, new: &New<'_>, now: DateTime<Utc>) -> Result<i64> {
    lapse(conn, new.contact, now)?;
    let shown = Shown {
        what: new.what,
        writes: new.writes,
    };
    let what =
        serde_json::to_string(&shown).map_err(|_| StoreError::Corrupt("proposal to be stored"))?;
    Ok(conn
        .prepare_cached(
            "INSERT INTO proposals (contact_id, company_id, phone, language, what, notification_id,
                                    state, made_at, lapses_at, api_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?7, ?8, ?9) RETURNING id",
        )?
        .query_row(
            (
                new.contact,
                new.company,
                new.phone,
                match new.language {
                    Language::Ru => "ru",
                    Language::En => "en",
                },
                what,
                new.notification,
                At(now),
                At(new.lapses_at),
                super::identity::fresh_uuid(),
            ),
            |r| r.get(0),
        )?)
}

/// One proposal.
pub fn get(conn: &Connection, id: i64) -> Result<Option<Proposed>> {
    let found = conn
        .prepare_cached("SELECT * FROM proposals WHERE id = ?1")?
        .query_row([id], read)
        .optional()?;
    found.map(whole).transpose()
}

/// What was put to clients about this booking, or came to it, oldest first. One of which nobody knew
/// what came of it is known by whose it is, when it begins and with whom.
pub fn of_record(conn: &Connection, record: &Record, unit: &str) -> Result<Vec<Proposed>> {
    let mut query = conn.prepare("SELECT * FROM proposals WHERE company_id = ?1 ORDER BY id")?;
    let rows = query.query_map([record.company_id], read)?;
    let all = rows.map(|row| whole(row?)).collect::<Result<Vec<_>>>()?;
    let is_about = |proposed: &Proposed| match &proposed.what {
        Proposal::Make { start, staff, .. } => {
            let is_theirs = record.phone().is_some_and(|p| p.e164() == proposed.phone);
            let is_there = *start == record.start_local && staff.id == record.staff.id;
            match proposed.standing {
                Standing::Done => proposed.unit == unit,
                _ => is_theirs && is_there && proposed.began_at.is_some(),
            }
        }
        Proposal::Move { was, .. } | Proposal::Cancel { was } => was.record == record.id,
    };
    Ok(all.into_iter().filter(is_about).collect())
}

/// What this client is asked.
pub fn open_of(conn: &Connection, contact: i64) -> Result<Option<Proposed>> {
    let found = conn
        .prepare_cached(
            "SELECT * FROM proposals WHERE contact_id = ?1 AND state = 'open'
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row([contact], read)
        .optional()?;
    found.map(whole).transpose()
}

/// Whether this sentence puts something to a client that stands no more.
pub fn is_over(
    conn: &Connection,
    contact: Option<i64>,
    notification: i64,
    now: DateTime<Utc>,
) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM proposals
                             WHERE contact_id = ?1 AND notification_id = ?2
                               AND (state <> 'open' OR lapses_at <= ?3))",
        )?
        .query_row((contact, notification, At(now)), |r| r.get(0))?)
}

/// Whatever this client was asked stands no more. Returns whether anything did.
pub fn lapse(conn: &Connection, contact: i64, now: DateTime<Utc>) -> Result<bool> {
    let lapsed = execute(
        conn,
        "UPDATE proposals SET state = 'lapsed', ended_at = ?2
          WHERE contact_id = ?1 AND state = 'open'",
        (contact, At(now)),
    )?;
    Ok(lapsed > 0)
}

/// It ended like this.
pub fn end(
    conn: &Connection,
    id: i64,
    standing: Standing,
    obstacle: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    execute(
        conn,
        "UPDATE proposals SET state = ?2, obstacle = ?3, ended_at = ?4 WHERE id = ?1",
        (id, standing.as_str(), obstacle, At(now)),
    )?;
    Ok(())
}

/// The client said yes: it is to be written, from now on until then. `false` when it was not open.
pub fn agree(
    conn: &Connection,
    id: i64,
    give_up_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let agreed = execute(
        conn,
        "UPDATE proposals SET state = 'agreed', due_at = ?2, give_up_at = ?3
          WHERE id = ?1 AND state = 'open'",
        (id, At(now), At(give_up_at)),
    )?;
    Ok(agreed == 1)
}

/// The request leaves now. `false` when it is not to leave: it was not agreed to, or left already.
pub fn begin(conn: &Connection, id: i64, now: DateTime<Utc>) -> Result<bool> {
    let begun = execute(
        conn,
        "UPDATE proposals SET began_at = ?2, tries = tries + 1
          WHERE id = ?1 AND state = 'agreed' AND began_at IS NULL",
        (id, At(now)),
    )?;
    Ok(begun == 1)
}

/// The request surely did nothing: it may leave once more.
pub fn not_begun(conn: &Connection, id: i64) -> Result<()> {
    execute(
        conn,
        "UPDATE proposals SET began_at = NULL WHERE id = ?1 AND state = 'agreed'",
        [id],
    )?;
    Ok(())
}

/// It is looked at again then.
pub fn postpone(conn: &Connection, id: i64, due_at: DateTime<Utc>) -> Result<()> {
    execute(
        conn,
        "UPDATE proposals SET due_at = ?2 WHERE id = ?1 AND state = 'agreed'",
        (id, At(due_at)),
    )?;
    Ok(())
}

/// What is to be written in this company now, in order.
pub fn due(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<Vec<Proposed>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM proposals INDEXED BY proposals_agreed
          WHERE company_id = ?1 AND state = 'agreed' AND due_at <= ?2 ORDER BY id",
    )?;
    let rows = query.query_map((company, At(now)), read)?;
    rows.map(|row| whole(row?)).collect()
}

/// The companies in which something is to be written now.
pub fn companies_due(conn: &Connection, now: DateTime<Utc>) -> Result<Vec<i64>> {
    let mut query = conn.prepare_cached(
        "SELECT DISTINCT company_id FROM proposals INDEXED BY proposals_agreed
          WHERE state = 'agreed' AND due_at <= ?1",
    )?;
    let rows = query.query_map([At(now)], |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the next one is to be looked at.
pub fn next_at(conn: &Connection) -> Result<Option<DateTime<Utc>>> {
    let next: Option<At> = conn
        .prepare_cached(
            "SELECT min(due_at) FROM proposals INDEXED BY proposals_agreed WHERE state = 'agreed'",
        )?
        .query_row([], |r| r.get(0))?;
    Ok(next.map(|at| at.0))
}

/// Whether something of this person is being written: what the journal shows of them meanwhile may be
/// ours.
pub fn is_agreed(conn: &Connection, company: i64, phone: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM proposals INDEXED BY proposals_agreed
                             WHERE company_id = ?1 AND state = 'agreed' AND phone = ?2)",
        )?
        .query_row((company, phone), |r| r.get(0))?)
}

/// What was agreed to and done with this contact since then.
pub fn done_since(conn: &Connection, contact: i64, since: DateTime<Utc>) -> Result<Vec<Proposed>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM proposals WHERE contact_id = ?1 AND state = 'done' AND ended_at >= ?2
          ORDER BY id",
    )?;
    let rows = query.query_map((contact, At(since)), read)?;
    rows.map(|row| whole(row?)).collect()
}

/// It is written, and its client was answered so.
pub fn done(
    conn: &Connection,
    id: i64,
    unit: &str,
    reply: Option<i64>,
    now: DateTime<Utc>,
) -> Result<()> {
    execute(
        conn,
        "UPDATE proposals SET state = 'done', ended_at = ?2, unit = ?3, reply_id = ?4 WHERE id = ?1",
        (id, At(now), unit, reply),
    )?;
    Ok(())
}

/// What this person was answered when this visit of theirs was last written, since then.
pub fn answered(
    conn: &Connection,
    (company, unit, phone): (i64, &str, &str),
    since: DateTime<Utc>,
) -> Result<Option<i64>> {
    Ok(conn
        .prepare_cached(
            "SELECT reply_id FROM proposals
              WHERE company_id = ?1 AND unit = ?2 AND phone = ?4 AND state = 'done'
                AND ended_at >= ?3 AND reply_id IS NOT NULL
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row((company, unit, At(since), phone), |r| r.get(0))
        .optional()?)
}

/// Erases this contact with everything that was put to it. What may be in the journal by now is kept
/// until that is known: of its contact nothing stays but an empty row.
pub fn forget(conn: &Connection, contact: i64) -> Result<()> {
    let kept = execute(
        conn,
        "UPDATE proposals SET phone = ''
          WHERE contact_id = ?1 AND state = 'agreed' AND began_at IS NOT NULL",
        [contact],
    )?;
    if kept == 0 {
        execute(conn, "DELETE FROM contacts WHERE id = ?1", [contact])?;
        return Ok(());
    }
    execute(
        conn,
        "UPDATE contacts SET phone = '', name = '', channel = '', chat_id = id,
                opted_out_at = NULL, blocked_at = NULL, last_inbound_at = NULL WHERE id = ?1",
        [contact],
    )?;
    for table in ["talks", "conversations", "conversation_steps", "turns"] {
        execute(
            conn,
            &format!("DELETE FROM {table} WHERE contact_id = ?1"),
            [contact],
        )?;
    }
    execute(
        conn,
        "DELETE FROM proposals
          WHERE contact_id = ?1 AND NOT (state = 'agreed' AND began_at IS NOT NULL)",
        [contact],
    )?;
    Ok(())
}
