//! `writes`: what of the journal clients asked to be changed, from the wish to what became of it.

use chrono::{DateTime, NaiveDateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{At, Result, StoreError, execute};
use crate::domain::reply::order::{Act, Meant, Obstacle, Part};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The owner decides.
    Asked,
    /// It is to be written.
    Open,
    /// It is written, and was seen to be.
    Done,
    /// It was not written.
    Barred,
    /// It came to nothing: the owner did it by hand, or the moment passed.
    Over,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Asked,
        Self::Open,
        Self::Done,
        Self::Barred,
        Self::Over,
    ];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Open => "open",
            Self::Done => "done",
            Self::Barred => "barred",
            Self::Over => "over",
        }
    }

    fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// One order.
#[derive(Clone)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// The company.
    pub company: i64,
    /// The first of its bookings.
    pub record: i64,
    /// The visit.
    pub unit: String,
    /// Whose bookings they have to be, in E.164; '' once that person is forgotten.
    pub phone: String,
    /// Who is answered.
    pub contact: Option<i64>,
    /// What is to become of them.
    pub act: Act,
    /// The bookings as their client knew them, and how far each came.
    pub parts: Vec<Part>,
    /// Where it stands.
    pub state: State,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the client is told that it has to wait for a person.
    pub give_up_at: Option<DateTime<Utc>>,
    /// When the first request may have left.
    pub began_at: Option<DateTime<Utc>>,
    /// Requests so far.
    pub tries: u32,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was not written.
    pub obstacle: Option<Obstacle>,
    /// The owner pressed the button.
    pub by_owner: bool,
    /// The messages by which owners were shown it.
    pub cards: Vec<i64>,
}

debug_only!(Order: id, company, record, act, state, began_at, tries, obstacle);

fn read(row: &Row<'_>) -> rusqlite::Result<(Order, String, String)> {
    let at = |name: &str| row.get::<_, Option<At>>(name).map(|at| at.map(|at| at.0));
    let (act, state): (String, String) = (row.get("act")?, row.get("state")?);
    let obstacle: Option<String> = row.get("obstacle")?;
    let order = Order {
        id: row.get("id")?,
        company: row.get("company_id")?,
        record: row.get("record_id")?,
        unit: row.get("unit")?,
        phone: row.get("phone")?,
        contact: row.get("contact_id")?,
        act: Act::from_stored(&act).ok_or(rusqlite::Error::InvalidQuery)?,
        parts: Vec::new(),
        state: State::from_stored(&state).ok_or(rusqlite::Error::InvalidQuery)?,
        created_at: row.get::<_, At>("created_at")?.0,
        give_up_at: at("give_up_at")?,
        began_at: at("began_at")?,
        tries: row.get("tries")?,
        ended_at: at("ended_at")?,
        obstacle: obstacle.as_deref().and_then(Obstacle::from_stored),
        by_owner: row.get("by_owner")?,
        cards: Vec::new(),
    };
    Ok((order, row.get("meant")?, row.get("cards")?))
}

fn whole((order, parts, cards): (Order, String, String)) -> Result<Order> {
    let unreadable = |_| StoreError::Corrupt("order");
    let parts = serde_json::from_str(&parts).map_err(unreadable)?;
    let cards = serde_json::from_str(&cards).map_err(unreadable)?;
    Ok(Order {
        parts,
        cards,
        ..order
    })
}

fn stored(parts: &[Part]) -> Result<String> {
    serde_json::to_string(parts).map_err(|_| StoreError::Corrupt("order to be stored"))
}

/// Owners were shown it by these messages.
pub fn set_cards(conn: &Connection, id: i64, cards: &[i64]) -> Result<()> {
    let cards = serde_json::Value::from(cards).to_string();
    execute(
        conn,
        "UPDATE writes SET cards = ?2 WHERE id = ?1",
        (id, cards),
    )?;
    Ok(())
}

/// An order to be made.
#[derive(Clone)]
pub struct New<'a> {
    /// The company.
    pub company: i64,
    /// The visit.
    pub unit: &'a str,
    /// Whose bookings they have to be, in E.164.
    pub phone: &'a str,
    /// Who is answered.
    pub contact: Option<i64>,
    /// What is to become of them.
    pub act: Act,
    /// The bookings as their client knows them, at least one.
    pub meant: &'a [Meant],
    /// `Asked` or `Open`.
    pub state: State,
    /// When the client is told that it has to wait for a person.
    pub give_up_at: Option<DateTime<Utc>>,
}

/// Makes an order; its number.
pub fn add(conn: &Connection, new: &New<'_>, now: DateTime<Utc>) -> Result<i64> {
    let parts: Vec<Part> = new.meant.iter().cloned().map(Part::from).collect();
    let meant = stored(&parts)?;
    Ok(conn
        .prepare_cached(
            "INSERT INTO writes (company_id, record_id, unit, phone, contact_id, act, meant, state,
                                 created_at, due_at, give_up_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10) RETURNING id",
        )?
        .query_row(
            (
                new.company,
                new.meant.first().map_or(0, |m| m.record),
                new.unit,
                new.phone,
                new.contact,
                new.act.as_str(),
                meant,
                new.state.as_str(),
                At(now),
                new.give_up_at.map(At),
            ),
            |r| r.get(0),
        )?)
}

/// One order.
pub fn get(conn: &Connection, id: i64) -> Result<Option<Order>> {
    let found = conn
        .prepare_cached("SELECT * FROM writes WHERE id = ?1")?
        .query_row([id], read)
        .optional()?;
    found.map(whole).transpose()
}

/// What is to be written in this company now, in order.
pub fn due(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<Vec<Order>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM writes INDEXED BY writes_open
          WHERE company_id = ?1 AND state = 'open' AND due_at <= ?2 ORDER BY id",
    )?;
    let rows = query.query_map((company, At(now)), read)?;
    rows.map(|row| whole(row?)).collect()
}

/// The companies in which something is to be written now.
pub fn companies_due(conn: &Connection, now: DateTime<Utc>) -> Result<Vec<i64>> {
    let mut query = conn.prepare_cached(
        "SELECT DISTINCT company_id FROM writes INDEXED BY writes_open
          WHERE state = 'open' AND due_at <= ?1",
    )?;
    let rows = query.query_map([At(now)], |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the next order is to be looked at.
pub fn next_at(conn: &Connection) -> Result<Option<DateTime<Utc>>> {
    let next: Option<At> = conn
        .prepare_cached(
            "SELECT min(due_at) FROM writes INDEXED BY writes_open WHERE state = 'open'",
        )?
        .query_row([], |r| r.get(0))?;
    Ok(next.map(|at| at.0))
}

/// Whether something of this visit is being written: what the journal shows of it meanwhile may be ours.
pub fn is_open(conn: &Connection, company: i64, unit: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM writes
                             WHERE company_id = ?1 AND unit = ?2 AND state = 'open')",
        )?
        .query_row((company, unit), |r| r.get(0))?)
}

/// What this person asked of this visit (company, unit, phone) already and is not decided: of one visit
/// each booking may have been asked about by itself.
pub fn pending(conn: &Connection, of: (i64, &str, &str), act: Act) -> Result<Vec<Order>> {
    let (company, unit, phone) = of;
    let mut query = conn.prepare_cached(
        "SELECT * FROM writes
          WHERE company_id = ?1 AND unit = ?2 AND phone = ?4 AND act = ?3
            AND state IN ('asked', 'open')
          ORDER BY id",
    )?;
    let rows = query.query_map((company, unit, act.as_str(), phone), read)?;
    rows.map(|row| whole(row?)).collect()
}

/// Whether this person asked for the same of this visit since then, and it was done.
pub fn was_done(
    conn: &Connection,
    (company, unit, phone): (i64, &str, &str),
    act: Act,
    since: DateTime<Utc>,
) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM writes
                             WHERE company_id = ?1 AND unit = ?2 AND phone = ?5 AND act = ?3
                               AND state = 'done' AND ended_at >= ?4)",
        )?
        .query_row((company, unit, act.as_str(), At(since), phone), |r| {
            r.get(0)
        })?)
}

/// Whether it was we who took this booking off, for its client.
pub fn took_off(conn: &Connection, company: i64, record: i64) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM writes, json_each(meant) m
                             WHERE company_id = ?1 AND m.value ->> '$.record' = ?2
                               AND act = 'cancel' AND m.value ->> '$.began_at' IS NOT NULL
                               AND coalesce(m.value ->> '$.obstacle', 'unknown') = 'unknown')",
        )?
        .query_row((company, record), |r| r.get(0))?)
}

/// What the client was answered when this visit was last written, since then.
pub fn answered(
    conn: &Connection,
    (company, unit, phone): (i64, &str, &str),
    since: DateTime<Utc>,
) -> Result<Option<i64>> {
    Ok(conn
        .prepare_cached(
            "SELECT reply_id FROM writes
              WHERE company_id = ?1 AND unit = ?2 AND phone = ?4 AND state = 'done'
                AND ended_at >= ?3 AND reply_id IS NOT NULL
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row((company, unit, At(since), phone), |r| r.get(0))
        .optional()?)
}

/// The intent: from here on a request about this booking of it may have left. `false` when the order
/// was taken back meanwhile: then none may.
pub fn begin(conn: &Connection, id: i64, record: i64, now: DateTime<Utc>) -> Result<bool> {
    let Some(mut order) = get(conn, id)?.filter(|order| order.state == State::Open) else {
        return Ok(false);
    };
    let about = order.parts.iter_mut().filter(|p| p.meant.record == record);
    for part in about {
        part.began_at.get_or_insert(now);
    }
    execute(
        conn,
        "UPDATE writes SET began_at = coalesce(began_at, ?2), tries = tries + 1, meant = ?3
          WHERE id = ?1",
        (id, At(now), stored(&order.parts)?),
    )?;
    Ok(true)
}

/// How far each booking of it came.
pub fn set_parts(conn: &Connection, id: i64, parts: &[Part]) -> Result<()> {
    execute(
        conn,
        "UPDATE writes SET meant = ?2 WHERE id = ?1",
        (id, stored(parts)?),
    )?;
    Ok(())
}

/// The owner wants it written.
pub fn open(
    conn: &Connection,
    id: i64,
    give_up_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let opened = execute(
        conn,
        "UPDATE writes SET state = 'open', by_owner = 1, due_at = ?2, give_up_at = ?3
          WHERE id = ?1 AND state = 'asked'",
        (id, At(now), At(give_up_at)),
    )?;
    Ok(opened == 1)
}

/// It is not wanted any more. `false` when a request may have left already.
pub fn take_back(conn: &Connection, id: i64, now: DateTime<Utc>) -> Result<bool> {
    let taken = execute(
        conn,
        "UPDATE writes SET state = 'over', ended_at = ?2
          WHERE id = ?1 AND (state = 'asked' OR state = 'open' AND began_at IS NULL)",
        (id, At(now)),
    )?;
    Ok(taken == 1)
}

/// It is looked at again then.
pub fn postpone(conn: &Connection, id: i64, due_at: DateTime<Utc>) -> Result<()> {
    execute(
        conn,
        "UPDATE writes SET due_at = ?2 WHERE id = ?1 AND state = 'open'",
        (id, At(due_at)),
    )?;
    Ok(())
}

/// How it ended, and what the client was answered.
pub fn end(
    conn: &Connection,
    id: i64,
    state: State,
    obstacle: Option<Obstacle>,
    reply: Option<i64>,
    now: DateTime<Utc>,
) -> Result<()> {
    execute(
        conn,
        "UPDATE writes SET state = ?2, obstacle = ?3, reply_id = coalesce(?4, reply_id), ended_at = ?5
          WHERE id = ?1",
        (
            id,
            state.as_str(),
            obstacle.map(Obstacle::as_str),
            reply,
            At(now),
        ),
    )?;
    Ok(())
}

/// Every order about this record, oldest first.
pub fn of_record(conn: &Connection, company: i64, record: i64) -> Result<Vec<Order>> {
    let mut query = conn.prepare(
        "SELECT w.* FROM writes w
          WHERE w.company_id = ?1
            AND EXISTS (SELECT 1 FROM json_each(w.meant) m WHERE m.value ->> '$.record' = ?2)
          ORDER BY w.id",
    )?;
    let rows = query.query_map((company, record), read)?;
    rows.map(|row| whole(row?)).collect()
}

/// When the bookings began that were taken off for this contact since then, order by order.
pub fn cancelled_since(
    conn: &Connection,
    contact: i64,
    since: DateTime<Utc>,
) -> Result<Vec<Vec<NaiveDateTime>>> {
    let mut query = conn.prepare_cached(
        "SELECT * FROM writes
          WHERE contact_id = ?1 AND act = 'cancel' AND state = 'done' AND ended_at >= ?2
          ORDER BY id",
    )?;
    let rows = query.query_map((contact, At(since)), read)?;
    rows.map(|row| {
        let order = whole(row?)?;
        Ok(order
            .parts
            .iter()
            .map(|part| part.meant.start_local)
            .collect())
    })
    .collect()
}
