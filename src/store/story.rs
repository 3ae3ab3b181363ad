//! Everything about one booking, for `explain`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;

use super::cache::{self, Cached};
use super::outbox::{self, Notification};
use super::proposals::{self, Proposed};
use super::reminders::{self, Planned, State};
use super::settling;
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
    /// What its client wrote of it, oldest first.
    pub heard: Vec<Heard>,
    /// When it is decided what to tell of its last change, while that waits for the next one.
    pub settle_at: Option<DateTime<Utc>>,
}

/// Words of a client that owners or a rule took for this booking.
#[derive(Clone)]
pub struct Heard {
    /// The message.
    pub id: i64,
    /// What it came by.
    pub channel: String,
    /// What was written.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
}

debug_only!(Heard: id, channel, at);

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
    /// The master before it, where there was one.
    pub staff_before: Option<String>,
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
    /// When its answer was stored.
    pub finished_at: Option<DateTime<Utc>>,
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
            let heard = heard(conn, &mut told)?;
            // What names several bookings is filed under the first of them.
            let made = reminders.iter().filter_map(|planned| match planned.state {
                State::Made(id) => Some(id),
                State::Planned | State::Dropped(_) => None,
            });
            let instead = told.iter().filter_map(|n| n.superseded_by);
            for id in made.chain(instead).collect::<BTreeSet<_>>() {
                if told.iter().all(|n| n.id != id) {
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
            let unit = cache::unit(&booking.record);
            let settle_at = settling::of_unit(conn, company, &unit)?;
            Ok(Story {
                proposals: proposals::of_record(conn, &booking.record, &unit)?,
                booking,
                events: events(conn, company, record)?,
                told,
                orders: writes::of_record(conn, company, record)?,
                reminders,
                heard,
                settle_at,
            })
        })
        .collect()
}

/// The words that these hand on or answer. An answer that is about no booking, as the one to STOP, is
/// told with those that left beside it.
fn heard(conn: &Connection, told: &mut Vec<Notification>) -> Result<Vec<Heard>> {
    let mut words = conn.prepare_cached(
        "SELECT id, channel, text, created_at FROM messages
          WHERE contact_id = ?1 AND direction = 'inbound' AND created_at <= ?2
          ORDER BY created_at DESC, id DESC LIMIT 1",
    )?;
    let mut heard: BTreeMap<i64, Heard> = BTreeMap::new();
    let mut beside = BTreeSet::new();
    for n in told.iter() {
        let Some(contact) = n.contact else { continue };
        let found = words.query_row((contact, At(n.created_at)), |r| {
            Ok(Heard {
                id: r.get(0)?,
                channel: r.get(1)?,
                text: r.get(2)?,
                at: r.get::<_, At>(3)?.0,
            })
        });
        if let Some(found) = found.optional()? {
            heard.insert(found.id, found);
            beside.extend(outbox::answers_at(conn, contact, n.created_at)?);
        }
    }
    for id in beside {
        if told.iter().all(|n| n.id != id) {
            told.extend(outbox::get(conn, id)?);
        }
    }
    Ok(heard.into_values().collect())
}

fn events(conn: &Connection, company: i64, record: i64) -> Result<Vec<EventRow>> {
    let mut query = conn.prepare(
        "SELECT event_type, payload, created_at, processed_at, id,
                json_extract(before_state, '$.staff.name') FROM booking_events
          WHERE company_id = ?1 AND record_id = ?2 ORDER BY id",
    )?;
    let rows = query.query_map((company, record), |r| {
        let event = EventRow {
            event_type: r.get(0)?,
            payload: r.get(1)?,
            created_at: r.get::<_, At>(2)?.0,
            processed_at: r.get::<_, Option<At>>(3)?.map(|a| a.0),
            staff_before: r.get(5)?,
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
        "SELECT attempt, channel, started_at, finished_at, outcome, error FROM delivery_attempts
          WHERE notification_id = ?1 ORDER BY attempt",
    )?;
    let rows = query.query_map([notification], |r| {
        Ok(Attempt {
            notification,
            attempt: r.get(0)?,
            channel: r.get(1)?,
            started_at: r.get::<_, At>(2)?.0,
            finished_at: r.get::<_, Option<At>>(3)?.map(|at| at.0),
            outcome: r.get(4)?,
            error: r.get(5)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
