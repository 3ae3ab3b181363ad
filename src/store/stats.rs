//! Figures for `status`: read from the database alone.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::messages::CONVERSATION;
use super::{At, Result, talks};

/// Figures of the outbox.
#[derive(Clone, Debug, Default)]
pub struct OutboxStats {
    /// Notifications by status, all that are stored.
    pub by_status: BTreeMap<String, i64>,
    /// Notifications of the last 24 h by status.
    pub last_24h: BTreeMap<String, i64>,
    /// When the oldest pending one was made.
    pub oldest_pending_at: Option<DateTime<Utc>>,
    /// Held by the guard.
    pub held: i64,
    /// Uncertain or dead since less than 24 h.
    pub lost: i64,
}

/// Counts the outbox.
pub fn outbox(conn: &Connection, now: DateTime<Utc>) -> Result<OutboxStats> {
    let counts = |since: DateTime<Utc>| -> Result<BTreeMap<String, i64>> {
        let mut query = conn.prepare(
            "SELECT status, count(*) FROM booking_notifications WHERE created_at >= ?1 GROUP BY status",
        )?;
        let rows = query.query_map([At(since)], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    let day = now - TimeDelta::hours(24);
    // What waited long before it was lost was made before that day, but was due within it.
    let (held, lost) = conn.query_row(
        "SELECT count(*) FILTER (WHERE status = 'held'),
                count(*) FILTER (WHERE status IN ('uncertain', 'dead')
                                   AND (created_at >= ?1 OR due_at BETWEEN ?1 AND ?2))
           FROM booking_notifications WHERE status IN ('held', 'uncertain', 'dead')",
        (At(day), At(now)),
        |r| Ok((r.get(0)?, r.get(1)?)),
    )?;
    Ok(OutboxStats {
        by_status: counts(DateTime::UNIX_EPOCH)?,
        last_24h: counts(day)?,
        oldest_pending_at: oldest_pending(conn)?,
        held,
        lost,
    })
}

/// Notifications by status, all that are stored; off one index.
pub fn by_status(conn: &Connection) -> Result<BTreeMap<String, i64>> {
    let mut query =
        conn.prepare_cached("SELECT status, count(*) FROM booking_notifications GROUP BY status")?;
    let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the oldest pending notification was made.
pub fn oldest_pending(conn: &Connection) -> Result<Option<DateTime<Utc>>> {
    let oldest: Option<At> = conn
        .prepare_cached(
            "SELECT min(created_at) FROM booking_notifications WHERE status = 'pending'",
        )?
        .query_row([], |r| r.get(0))?;
    Ok(oldest.map(|at| at.0))
}

/// One hour's notifications to clients of one status, or its changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hour {
    /// When it began.
    pub at: DateTime<Utc>,
    /// The status; `None` for changes seen in the journal.
    pub status: Option<String>,
    /// How many.
    pub count: i64,
}

/// What happened since then, hour by hour.
pub fn hours(conn: &Connection, since: DateTime<Utc>) -> Result<Vec<Hour>> {
    let mut query = conn.prepare_cached(
        "SELECT substr(created_at, 1, 13) || ':00:00.000Z' AS hour, status, count(*)
           FROM booking_notifications
          WHERE kind NOT IN ('owner', 'alert') AND created_at >= ?1 GROUP BY 1, 2
         UNION ALL
         SELECT substr(created_at, 1, 13) || ':00:00.000Z', NULL, count(*)
           FROM booking_events WHERE created_at >= ?1 GROUP BY 1",
    )?;
    let rows = query.query_map([At(since)], |r| {
        Ok(Hour {
            at: r.get::<_, At>(0)?.0,
            status: r.get(1)?,
            count: r.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Figures of what clients wrote and were answered.
#[derive(Clone, Debug, Default)]
pub struct MessageStats {
    /// What clients wrote, all that is stored.
    pub received: i64,
    /// The same of the last 24 h.
    pub received_24h: i64,
    /// All stored, answers included.
    pub total: i64,
    /// Of the last 24 h.
    pub last_24h: i64,
    /// The latest: when, channel, direction.
    pub recent: Vec<(DateTime<Utc>, String, String)>,
    /// Contacts by channel.
    pub clients: BTreeMap<String, i64>,
    /// People who wait for a person's answer.
    pub unanswered: i64,
}

/// Counts the messages.
pub fn messages(conn: &Connection, now: DateTime<Utc>) -> Result<MessageStats> {
    let count = |since: DateTime<Utc>| {
        conn.query_row(
            &format!(
                "SELECT count(*), count(*) FILTER (WHERE direction = 'inbound')
                   FROM messages WHERE {CONVERSATION} AND created_at >= ?1"
            ),
            [At(since)],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
    };
    let (total, received) = count(DateTime::UNIX_EPOCH)?;
    let (last_24h, received_24h) = count(now - TimeDelta::hours(24))?;
    let mut query = conn.prepare(&format!(
        "SELECT created_at, channel, direction FROM messages WHERE {CONVERSATION}
          ORDER BY created_at DESC, id DESC LIMIT 5"
    ))?;
    let recent = query
        .query_map([], |r| Ok((r.get::<_, At>(0)?.0, r.get(1)?, r.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut query = conn
        .prepare("SELECT channel, count(*) FROM contacts WHERE channel <> '' GROUP BY channel")?;
    let clients = query
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(MessageStats {
        received,
        received_24h,
        total,
        last_24h,
        recent,
        clients,
        unanswered: talks::unanswered(conn)?,
    })
}

/// Of the people a channel wrote to lately, how many wrote back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replies {
    /// People written to.
    pub written_to: i64,
    /// Of them, who wrote after that.
    pub replied: i64,
}

/// Counts both since a moment, by channel.
pub fn replies(conn: &Connection, since: DateTime<Utc>) -> Result<BTreeMap<String, Replies>> {
    // Sent shortly after it was due: the bound on `due_at` keeps the search within the index.
    let mut query = conn.prepare(
        "WITH written AS (
           SELECT channel, phone, min(sent_at) AS at FROM booking_notifications
            WHERE status IN ('sent', 'delivered', 'read') AND due_at >= ?2
              AND sent_at >= ?1 AND phone <> '' AND kind <> 'test'
            GROUP BY channel, phone),
         heard AS (
           SELECT m.channel, c.phone, max(m.created_at) AS at
             FROM messages m JOIN contacts c ON c.id = m.contact_id
            WHERE m.direction = 'inbound' AND m.created_at >= ?1 AND c.phone <> ''
            GROUP BY m.channel, c.phone)
         SELECT w.channel, count(*), sum(h.at IS NOT NULL AND h.at >= w.at)
           FROM written w LEFT JOIN heard h ON h.channel = w.channel AND h.phone = w.phone
          GROUP BY w.channel",
    )?;
    let rows = query.query_map((At(since), At(since - TimeDelta::days(2))), |r| {
        let replies = Replies {
            written_to: r.get(1)?,
            replied: r.get(2)?,
        };
        Ok((r.get(0)?, replies))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Messages to clients that wait to be sent, of one company or all.
pub fn waiting(conn: &Connection, company: Option<i64>) -> Result<i64> {
    Ok(conn.query_row(
        "SELECT count(*) FROM booking_notifications
          WHERE status = 'pending' AND phone <> '' AND (?1 IS NULL OR company_id = ?1)",
        [company],
        |r| r.get(0),
    )?)
}

/// Bookings ahead that stand in the cache.
pub fn known_bookings(conn: &Connection) -> Result<i64> {
    Ok(conn.query_row(
        "SELECT count(*) FROM appointments_cache WHERE deleted = 0",
        [],
        |r| r.get(0),
    )?)
}
