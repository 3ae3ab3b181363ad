//! Everything about one booking, for `explain`.

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use serde_json::Value;

use super::cache::{self, Cached};
use super::outbox::{self, Notification};
use super::proposals::{self, Proposed};
use super::reminders::{self, Planned, State};
use super::sinks::{self, Owed};
use super::writes::{self, Order};
use super::{At, Result, StoreError};

/// One booking's story.
#[derive(Clone, Debug)]
pub struct Story {
    /// The booking as last seen.
    pub booking: Cached,
    /// Its events, oldest first.
    pub events: Vec<EventRow>,
    /// What was told of it, or why not, oldest first.
    pub told: Vec<Told>,
    /// What its client asked to be changed, oldest first.
    pub orders: Vec<Order>,
    /// What the agent put to its client, oldest first.
    pub proposals: Vec<Proposed>,
    /// When its client is reminded of it, or why not.
    pub reminders: Vec<Planned>,
}

/// One event.
#[derive(Clone)]
pub struct EventRow {
    /// `record.created` …
    pub event_type: String,
    /// The webhook-shaped body.
    pub payload: Value,
    /// When it was seen.
    pub created_at: DateTime<Utc>,
    /// When it was settled.
    pub processed_at: Option<DateTime<Utc>>,
    /// What became of it at the salon's own automation.
    pub owed: Vec<Owed>,
}

debug_only!(EventRow: event_type, created_at, processed_at);

/// One notification with its tries.
#[derive(Clone, Debug)]
pub struct Told {
    /// The notification.
    pub notification: Notification,
    /// Its tries.
    pub attempts: Vec<Attempt>,
}

/// One try.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The notification's id.
    pub notification: i64,
    /// 1 for the first.
    pub attempt: u32,
    /// The channel.
    pub channel: String,
    /// When its intent was written.
    pub started_at: DateTime<Utc>,
    /// What came of it; `None` while it is under way.
    pub outcome: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

/// The stories of a record id: one for each company that has it.
pub fn of_record(conn: &Connection, company: Option<i64>, record: i64) -> Result<Vec<Story>> {
    let mut query = conn.prepare(
        "SELECT company_id FROM appointments_cache
          WHERE record_id = ?2 AND (?1 IS NULL OR company_id = ?1) ORDER BY 1",
    )?;
    let companies: Vec<i64> = query
        .query_map((company, record), |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    companies
        .into_iter()
        .map(|company| {
            let booking =
                cache::get(conn, company, record)?.ok_or(StoreError::Corrupt("booking"))?;
            let reminders = reminders::of_record(conn, company, record)?;
            let mut told = outbox::of_record(conn, Some(company), record)?;
            // A reminder that names several bookings is filed under the first of them.
            for planned in &reminders {
                if let State::Made(id) = planned.state
                    && told.iter().all(|n| n.id != id)
                {
                    told.extend(outbox::get(conn, id)?);
                }
            }
            let told = told
                .into_iter()
                .map(|notification| {
                    Ok(Told {
                        attempts: attempts(conn, notification.id)?,
                        notification,
                    })
                })
                .collect::<Result<_>>()?;
            Ok(Story {
                proposals: proposals::of_record(conn, company, &booking.record)?,
                booking,
                events: events(conn, company, record)?,
                told,
                orders: writes::of_record(conn, company, record)?,
                reminders,
            })
        })
        .collect()
}

fn events(conn: &Connection, company: i64, record: i64) -> Result<Vec<EventRow>> {
    let mut query = conn.prepare(
        "SELECT event_type, payload, created_at, processed_at, id FROM booking_events
          WHERE company_id = ?1 AND record_id = ?2 ORDER BY id",
    )?;
    let rows = query.query_map((company, record), |r| {
        let event = EventRow {
            event_type: r.get(0)?,
            payload: r.get(1)?,
            created_at: r.get::<_, At>(2)?.0,
            processed_at: r.get::<_, Option<At>>(3)?.map(|a| a.0),
            owed: Vec::new(),
        };
        Ok((r.get(4)?, event))
    })?;
    let rows: Vec<(i64, EventRow)> = rows.collect::<rusqlite::Result<_>>()?;
    rows.into_iter()
        .map(|(id, event)| {
            let owed = sinks::of_event(conn, id)?;
            Ok(EventRow { owed, ..event })
        })
        .collect()
}

fn attempts(conn: &Connection, notification: i64) -> Result<Vec<Attempt>> {
    let mut query = conn.prepare(
        "SELECT attempt, channel, started_at, outcome, error FROM delivery_attempts
          WHERE notification_id = ?1 ORDER BY attempt",
    )?;
    let rows = query.query_map([notification], |r| {
        Ok(Attempt {
            notification,
            attempt: r.get(0)?,
            channel: r.get(1)?,
            started_at: r.get::<_, At>(2)?.0,
            outcome: r.get(3)?,
            error: r.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
