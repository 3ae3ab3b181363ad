//! `turns` and `model_questions`: each answer by a model, and what left the house for it.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::{At, Result, execute};

/// Begins an answer; one that a crash interrupted goes on, so that it is counted once.
pub fn begin(
    conn: &Connection,
    contact: i64,
    company: i64,
    up_to: i64,
    now: DateTime<Utc>,
) -> Result<i64> {
    let open: Option<i64> = conn
        .prepare_cached(
            "SELECT id FROM turns WHERE contact_id = ?1 AND ended_at IS NULL ORDER BY id DESC LIMIT 1",
        )?
        .query_row([contact], |r| r.get(0))
        .optional()?;
    if let Some(id) = open {
        execute(
            conn,
            "UPDATE turns SET up_to = ?2, company_id = ?3 WHERE id = ?1",
            (id, up_to, company),
        )?;
        return Ok(id);
    }
    Ok(conn
        .prepare_cached(
            "INSERT INTO turns (contact_id, company_id, up_to, began_at) VALUES (?1, ?2, ?3, ?4)
             RETURNING id",
        )?
        .query_row((contact, company, up_to, At(now)), |r| r.get(0))?)
}

/// An answer that was begun and not ended: a crash, or a busy model, interrupted it.
pub fn is_open(conn: &Connection, contact: i64) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM turns WHERE contact_id = ?1 AND ended_at IS NULL)",
        )?
        .query_row([contact], |r| r.get(0))?)
}

/// Whether this client was told since then that a person answers.
pub fn handed_since(conn: &Connection, contact: i64, since: DateTime<Utc>) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM turns
                             WHERE contact_id = ?1 AND ended_at > ?2
                               AND outcome LIKE 'handed:%' AND notification_id IS NOT NULL)",
        )?
        .query_row((contact, At(since)), |r| r.get(0))?)
}

/// It ended like this.
pub fn end(
    conn: &Connection,
    id: i64,
    outcome: &str,
    notification: Option<i64>,
    now: DateTime<Utc>,
) -> Result<()> {
    execute(
        conn,
        "UPDATE turns SET ended_at = ?2, outcome = ?3, notification_id = ?4 WHERE id = ?1",
        (id, At(now), outcome, notification),
    )?;
    Ok(())
}

/// Answers of a company since then: to one client, and in all.
pub fn count(
    conn: &Connection,
    company: i64,
    contact: i64,
    since: DateTime<Utc>,
) -> Result<(u32, u32)> {
    Ok(conn
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE contact_id = ?2), count(*) FROM turns
              WHERE company_id = ?1 AND began_at >= ?3",
        )?
        .query_row((company, contact, At(since)), |r| {
            Ok((r.get(0)?, r.get(1)?))
        })?)
}

/// This leaves the house now. Stored before the first byte of it goes.
pub fn asking(
    conn: &Connection,
    turn: i64,
    model: &str,
    sent: &str,
    now: DateTime<Utc>,
) -> Result<i64> {
    Ok(conn
        .prepare_cached(
            "INSERT INTO model_questions (turn_id, model, asked_at, sent) VALUES (?1, ?2, ?3, ?4)
             RETURNING id",
        )?
        .query_row((turn, model, At(now), sent), |r| r.get(0))?)
}

/// This was answered.
pub fn answered(
    conn: &Connection,
    question: i64,
    outcome: &str,
    answer: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    execute(
        conn,
        "UPDATE model_questions SET answered_at = ?2, outcome = ?3, answer = ?4 WHERE id = ?1",
        (question, At(now), outcome, answer),
    )?;
    Ok(())
}

/// How the agent of a company fares: answers since then, and how the last one ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answers.
    pub answers: i64,
    /// Of them handed to a person.
    pub handed: i64,
    /// How the last one ended.
    pub last: Option<String>,
}

/// The tally of a company.
pub fn tally(conn: &Connection, company: i64, since: DateTime<Utc>) -> Result<Tally> {
    let (answers, handed) = conn
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE outcome LIKE 'handed:%') FROM turns
              WHERE company_id = ?1 AND began_at >= ?2",
        )?
        .query_row((company, At(since)), |r| Ok((r.get(0)?, r.get(1)?)))?;
    let last = conn
        .prepare_cached(
            "SELECT outcome FROM turns WHERE company_id = ?1 AND outcome IS NOT NULL
              ORDER BY id DESC LIMIT 1",
        )?
        .query_row([company], |r| r.get(0))
        .optional()?;
    Ok(Tally {
        answers,
        handed,
        last,
    })
}

/// Which tools were called since then, in order.
pub fn called_since(conn: &Connection, since: DateTime<Utc>) -> Result<Vec<String>> {
    let mut query = conn.prepare(
        "SELECT call.value ->> '$.name' FROM model_questions q, json_each(q.answer) call
          WHERE q.outcome = 'calls' AND q.asked_at >= ?1 ORDER BY q.id",
    )?;
    let rows = query.query_map([At(since)], |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
