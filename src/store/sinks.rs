//! `event_sinks` and `event_deliveries`: the outbox of `[[events]]`.
//!
//! What a sink is owed is written in the transaction that records the event, by what its row says it
//! takes: a sink that is new gets what happens from then on. The body is the event's own payload and
//! is stored once; it goes with the event.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{At, Result, execute};

/// How a sink fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkState {
    /// A hash of its address or path.
    pub sink: String,
    /// For people: the host, or the file.
    pub label: String,
    /// Since when it does not take what it is given; `None` when it does.
    pub failing_since: Option<DateTime<Utc>>,
    /// In a row, at which nothing at all could be given to it.
    pub failures: u32,
    /// What the last trouble was.
    pub last_error: Option<String>,
    /// When it last took an event.
    pub taken_at: Option<DateTime<Utc>>,
    /// Events that it is owed.
    pub pending: i64,
    /// When the oldest of them was recorded.
    pub oldest_pending_at: Option<DateTime<Utc>>,
    /// Events of the last two days that it will never get.
    pub lost: i64,
}

/// A lost event is spoken of for so long after it happened: a day of tries, and a day to hear of it.
const LOST_LATELY: TimeDelta = TimeDelta::hours(48);

/// What a sink of the configuration takes. Empty lists are everything.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// A hash of its address or path.
    pub sink: &'a str,
    /// For people.
    pub label: &'a str,
    /// Of these companies.
    pub companies: &'a [i64],
    /// `record.created` …
    pub types: Vec<&'static str>,
}

/// Makes the sinks those of the configuration. What was owed to one that is gone goes with it.
pub fn keep_only(conn: &Connection, wanted: &[Wanted<'_>]) -> Result<()> {
    let names: Vec<&str> = wanted.iter().map(|w| w.sink).collect();
    execute(
        conn,
        "DELETE FROM event_sinks WHERE sink NOT IN (SELECT value FROM json_each(?1))",
        [serde_json::Value::from(names).to_string()],
    )?;
    for w in wanted {
        execute(
            conn,
            "INSERT INTO event_sinks (sink, label, companies, types) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (sink) DO UPDATE SET label = ?2, companies = ?3, types = ?4
              WHERE (label, companies, types) <> (?2, ?3, ?4)",
            (
                w.sink,
                w.label,
                serde_json::Value::from(w.companies).to_string(),
                serde_json::Value::from(w.types.clone()).to_string(),
            ),
        )?;
    }
    Ok(())
}

/// Owes an event that was just recorded to every sink that takes it.
pub(super) fn owe(conn: &Connection, event: i64, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO event_deliveries (sink, event, company_id, record_id, status, due_at)
         SELECT s.sink, e.id, e.company_id, e.record_id, 'pending', ?2
           FROM booking_events e, event_sinks s
          WHERE e.id = ?1
            AND (s.companies = '[]' OR e.company_id IN (SELECT value FROM json_each(s.companies)))
            AND (s.types = '[]' OR e.event_type IN (SELECT value FROM json_each(s.types)))",
    )?
    .execute((event, At(now)))?;
    Ok(())
}

/// One event on its way to one sink.
#[derive(Clone)]
pub struct Delivery {
    /// Its id.
    pub id: i64,
    /// The event's own id, the same for every sink and every try.
    pub event_id: String,
    /// The company.
    pub company: i64,
    /// The booking.
    pub record: i64,
    /// The body.
    pub payload: String,
    /// Tries so far, the one that begins included.
    pub attempts: u32,
    /// When the event was recorded.
    pub happened_at: DateTime<Utc>,
}

debug_only!(Delivery: id, event_id, company, record, attempts);

fn read(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: row.get("id")?,
        event_id: row.get("event_id")?,
        company: row.get("company_id")?,
        record: row.get("record_id")?,
        payload: row.get("payload")?,
        attempts: row.get("attempts")?,
        happened_at: row.get::<_, At>("happened_at")?.0,
    })
}

/// The first of its booking that this sink still has to take. Events of one booking keep their order.
/// The list of open statuses stands there in full, or no index of open rows is used.
const FIRST_OF_RECORD: &str =
    "d.sink = ?1 AND d.status IN ('pending', 'sending') AND d.status = 'pending'
       AND NOT EXISTS (SELECT 1 FROM event_deliveries o
                        WHERE o.sink = d.sink AND o.company_id = d.company_id
                          AND o.record_id = d.record_id AND o.id < d.id
                          AND o.status IN ('pending', 'sending'))";

/// Whether this sink is owed anything at all.
pub fn is_owed(conn: &Connection, sink: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM event_deliveries
                             WHERE sink = ?1 AND status IN ('pending', 'sending'))",
        )?
        .query_row([sink], |r| r.get(0))?)
}

/// Writes the intent for the next event that this sink is due, and returns it.
pub fn claim(conn: &Connection, sink: &str, now: DateTime<Utc>) -> Result<Option<Delivery>> {
    let waits: bool = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM event_sinks WHERE sink = ?1 AND next_try_at > ?2)",
        )?
        .query_row((sink, At(now)), |r| r.get(0))?;
    if waits {
        return Ok(None);
    }
    let due: Option<i64> = conn
        .prepare_cached(&format!(
            "SELECT d.id FROM event_deliveries d
              WHERE {FIRST_OF_RECORD} AND d.due_at <= ?2 ORDER BY d.id LIMIT 1"
        ))?
        .query_row((sink, At(now)), |r| r.get(0))
        .optional()?;
    let Some(id) = due else {
        return Ok(None);
    };
    execute(
        conn,
        "UPDATE event_deliveries SET status = 'sending', attempts = attempts + 1,
                tried_at = coalesce(tried_at, ?2)
          WHERE id = ?1",
        (id, At(now)),
    )?;
    Ok(Some(
        conn.prepare_cached(
            "SELECT d.*, e.event_id, e.payload, e.created_at AS happened_at
               FROM event_deliveries d JOIN booking_events e ON e.id = d.event WHERE d.id = ?1",
        )?
        .query_row([id], read)?,
    ))
}

/// When this sink can be given something again; `None` when it is owed nothing.
pub fn next_at(conn: &Connection, sink: &str) -> Result<Option<DateTime<Utc>>> {
    let next: Option<At> = conn
        .prepare_cached(&format!(
            "SELECT max(min(d.due_at), coalesce((SELECT next_try_at FROM event_sinks WHERE sink = ?1), ''))
               FROM event_deliveries d WHERE {FIRST_OF_RECORD}"
        ))?
        .query_row([sink], |r| r.get(0))?;
    Ok(next.map(|at| at.0))
}

/// It was taken.
pub fn taken(conn: &Connection, sink: &str, id: i64, now: DateTime<Utc>) -> Result<()> {
    execute(
        conn,
        "UPDATE event_deliveries SET status = 'sent', sent_at = ?2, last_error = NULL WHERE id = ?1",
        (id, At(now)),
    )?;
    execute(
        conn,
        "UPDATE event_sinks SET failing_since = NULL, failures = 0, next_try_at = NULL,
                last_error = NULL, taken_at = ?2
          WHERE sink = ?1",
        (sink, At(now)),
    )?;
    Ok(())
}

/// It was not taken. Tried again then, or never.
pub fn not_taken(
    conn: &Connection,
    sink: &str,
    id: i64,
    why: &str,
    again_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<()> {
    let status = if again_at.is_some() {
        "pending"
    } else {
        "dead"
    };
    execute(
        conn,
        "UPDATE event_deliveries SET status = ?2, last_error = ?3, due_at = coalesce(?4, due_at)
          WHERE id = ?1",
        (id, status, why, again_at.map(At)),
    )?;
    execute(
        conn,
        "UPDATE event_sinks SET failing_since = coalesce(failing_since, ?2), last_error = ?3
          WHERE sink = ?1",
        (sink, At(now), why),
    )?;
    Ok(())
}

/// It takes nothing at all, and what happened before then has waited long enough: it is given up together.
/// One after the other, each tried for its own day, they would never be over.
pub fn give_up(conn: &Connection, sink: &str, before: DateTime<Utc>) -> Result<usize> {
    Ok(execute(
        conn,
        "UPDATE event_deliveries
            SET status = 'dead', last_error = coalesce(last_error, 'the sink took nothing for a day')
          WHERE sink = ?1 AND status IN ('pending', 'sending') AND status = 'pending'
            AND (SELECT e.created_at FROM booking_events e WHERE e.id = event) <= ?2",
        (sink, At(before)),
    )?)
}

/// Nothing at all could be given to it: it rests until then.
pub fn rests(conn: &Connection, sink: &str, until: DateTime<Utc>) -> Result<()> {
    execute(
        conn,
        "UPDATE event_sinks SET failures = failures + 1, next_try_at = ?2 WHERE sink = ?1",
        (sink, At(until)),
    )?;
    Ok(())
}

/// So often in a row nothing could be given to it.
pub fn failures(conn: &Connection, sink: &str) -> Result<u32> {
    let failures = conn
        .prepare_cached("SELECT failures FROM event_sinks WHERE sink = ?1")?
        .query_row([sink], |r| r.get(0))
        .optional()?;
    Ok(failures.unwrap_or_default())
}

/// A program begins. What was on its way when the last one ended goes again: who takes it knows it by
/// its id. No sink rests for what happened before.
pub fn recover(conn: &Connection) -> Result<()> {
    execute(
        conn,
        "UPDATE event_deliveries SET status = 'pending' WHERE status IN ('pending', 'sending') AND status = 'sending'",
        [],
    )?;
    execute(
        conn,
        "UPDATE event_sinks SET failures = 0, next_try_at = NULL WHERE next_try_at IS NOT NULL",
        [],
    )?;
    Ok(())
}

/// A copy of the database cannot know what was handed on since it was made: nothing of it goes again.
pub(super) fn begin_anew(conn: &Connection) -> Result<()> {
    conn.execute(
        "UPDATE event_deliveries SET status = 'dead', last_error = 'the database is a copy'
          WHERE status IN ('pending', 'sending')",
        [],
    )?;
    conn.execute(
        "UPDATE event_sinks SET failing_since = NULL, failures = 0, next_try_at = NULL, last_error = NULL",
        [],
    )?;
    Ok(())
}

/// What became of one event at one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// What people call the sink.
    pub label: String,
    /// `pending`, `sending`, `sent` or `dead`.
    pub status: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was taken.
    pub sent_at: Option<DateTime<Utc>>,
    /// What the last trouble was.
    pub last_error: Option<String>,
}

/// What became of an event, sink by sink.
pub(super) fn of_event(conn: &Connection, event: i64) -> Result<Vec<Owed>> {
    let mut query = conn.prepare_cached(
        "SELECT s.label, d.status, d.attempts, d.sent_at, d.last_error
           FROM event_deliveries d JOIN event_sinks s ON s.sink = d.sink
          WHERE d.event = ?1 ORDER BY s.label",
    )?;
    let rows = query.query_map([event], |r| {
        Ok(Owed {
            label: r.get(0)?,
            status: r.get(1)?,
            attempts: r.get(2)?,
            sent_at: r.get::<_, Option<At>>(3)?.map(|at| at.0),
            last_error: r.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// All sinks, by what people call them.
pub fn all(conn: &Connection, now: DateTime<Utc>) -> Result<Vec<SinkState>> {
    let mut query = conn.prepare_cached(
        "SELECT s.*, count(d.id) AS pending, min(e.created_at) AS oldest,
                (SELECT count(*) FROM booking_events l CROSS JOIN event_deliveries x ON x.event = l.id
                  WHERE l.created_at > ?1 AND x.sink = s.sink AND x.status = 'dead') AS lost
           FROM event_sinks s
           LEFT JOIN event_deliveries d ON d.sink = s.sink AND d.status IN ('pending', 'sending')
           LEFT JOIN booking_events e ON e.id = d.event
          GROUP BY s.sink ORDER BY s.label, s.sink",
    )?;
    let at = |row: &Row<'_>, column| row.get::<_, Option<At>>(column).map(|at| at.map(|a| a.0));
    let rows = query.query_map([At(now - LOST_LATELY)], |row| {
        Ok(SinkState {
            sink: row.get("sink")?,
            label: row.get("label")?,
            failing_since: at(row, "failing_since")?,
            failures: row.get("failures")?,
            last_error: row.get("last_error")?,
            taken_at: at(row, "taken_at")?,
            pending: row.get("pending")?,
            oldest_pending_at: at(row, "oldest")?,
            lost: row.get("lost")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
