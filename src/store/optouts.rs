//! `opt_outs`: who asked for silence, and of whom. A STOP binds a phone and the companies served by
//! the channel it was written in, on all their channels.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::store::execute;

use super::{At, Result};

/// Whether this phone asked this company for silence.
pub fn is_out(conn: &Connection, company: i64, phone: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM opt_outs WHERE company_id = ?1 AND phone = ?2)",
        )?
        .query_row((company, phone), |r| r.get(0))?)
}

/// Silence from these companies. `false` when it was so already with all of them.
pub fn stop(conn: &Connection, phone: &str, companies: &[i64], at: DateTime<Utc>) -> Result<bool> {
    let mut is_new = false;
    for company in companies {
        is_new |= execute(
            conn,
            "INSERT OR IGNORE INTO opt_outs (company_id, phone, since) VALUES (?1, ?2, ?3)",
            (company, phone, At(at)),
        )? == 1;
    }
    Ok(is_new)
}

/// Who asked for silence on this channel, and of all of these companies on it, gets none from this one
/// either.
pub fn bind_newcomer(conn: &Connection, company: i64, channel: &str, others: &[i64]) -> Result<()> {
    execute(
        conn,
        "INSERT OR IGNORE INTO opt_outs (company_id, phone, since)
         SELECT ?1, c.phone, min(c.opted_out_at) FROM contacts c
          WHERE c.channel = ?2 AND c.opted_out_at IS NOT NULL AND c.phone <> ''
            AND NOT EXISTS (SELECT 1 FROM json_each(?3) o
                             WHERE NOT EXISTS (SELECT 1 FROM opt_outs p
                                                WHERE p.company_id = o.value AND p.phone = c.phone))
          GROUP BY c.phone",
        (
            company,
            channel,
            serde_json::Value::from(others).to_string(),
        ),
    )?;
    Ok(())
}

/// Messages from these companies again. `false` when there was no silence.
pub fn start(conn: &Connection, phone: &str, companies: &[i64]) -> Result<bool> {
    let mut was_out = false;
    for company in companies {
        was_out |= execute(
            conn,
            "DELETE FROM opt_outs WHERE company_id = ?1 AND phone = ?2",
            (company, phone),
        )? == 1;
    }
    Ok(was_out)
}

/// Shows it in `contacts`: on the chat where it was asked for, and on the phone's chats of these
/// channels. `None` is no silence. `false` when that chat stood so already.
pub fn mark(
    conn: &Connection,
    channel: &str,
    chat_id: &str,
    phone: &str,
    channels: &[String],
    at: Option<DateTime<Utc>>,
) -> Result<bool> {
    let channels = serde_json::Value::from(channels).to_string();
    let changed = execute(
        conn,
        "UPDATE contacts SET opted_out_at = ?3
          WHERE channel = ?1 AND chat_id = ?2 AND (opted_out_at IS NULL) <> (?3 IS NULL)",
        (channel, chat_id, at.map(At)),
    )? == 1;
    execute(
        conn,
        "UPDATE contacts SET opted_out_at = ?3
          WHERE phone = ?1 AND phone <> '' AND channel IN (SELECT value FROM json_each(?2))
            AND (opted_out_at IS NULL) <> (?3 IS NULL)",
        (phone, &channels, at.map(At)),
    )?;
    Ok(changed)
}

/// Whether this chat asked for silence.
pub fn is_chat_out(conn: &Connection, channel: &str, chat_id: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM contacts
                             WHERE channel = ?1 AND chat_id = ?2 AND opted_out_at IS NOT NULL)",
        )?
        .query_row([channel, chat_id], |r| r.get(0))?)
}
