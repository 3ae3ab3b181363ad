//! The machine's clock was put back: what was planned by the old time is moved along, or an hour's
//! step would keep everybody waiting for an hour.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::{At, Result};

/// Columns that say when something is due, and which rows may be moved.
const PLANNED: [(&str, &str, &str); 24] = [
    ("booking_notifications", "due_at", "status = 'pending'"),
    ("booking_notifications", "look_at", "status = 'sending'"),
    ("booking_notifications", "doubt_at", "status = 'sending'"),
    ("event_deliveries", "due_at", "status = 'pending'"),
    ("event_sinks", "next_try_at", "1"),
    ("event_sinks", "failing_since", "1"),
    ("settling", "settle_at", "1"),
    ("settling", "first_change_at", "1"),
    ("channel_states", "blocked_until", "1"),
    ("channel_states", "down_since", "1"),
    ("channel_states", "sick_since", "1"),
    ("companies", "next_try_at", "1"),
    ("companies", "last_poll_at", "1"),
    ("companies", "last_sweep_at", "1"),
    // What is seen from now on would lie before them, and nobody guard it.
    ("companies", "guard_released_at", "1"),
    ("companies", "moves_released_at", "1"),
    ("writes", "due_at", "state = 'open'"),
    ("writes", "give_up_at", "state = 'open'"),
    ("talks", "silent_until", "1"),
    ("talks", "escalate_at", "1"),
    ("conversations", "answer_at", "1"),
    ("proposals", "lapses_at", "state = 'open'"),
    ("proposals", "due_at", "state = 'agreed'"),
    ("proposals", "give_up_at", "state = 'agreed'"),
];

/// Moves what lies ahead of `now` back by `step`. What waits for an hour of the day is decided anew
/// when that is reached too early.
pub fn put_back(conn: &Connection, step: TimeDelta, now: DateTime<Utc>) -> Result<()> {
    let seconds = step.num_milliseconds() as f64 / 1000.0;
    let shift = format!("-{seconds:.3} seconds");
    for (table, column, which) in PLANNED {
        conn.execute(
            &format!(
                "UPDATE {table} SET {column} = strftime('%Y-%m-%dT%H:%M:%fZ', {column}, ?1)
                  WHERE {column} > ?2 AND {which}"
            ),
            (&shift, At(now)),
        )?;
    }
    Ok(())
}
