//! `companies`: how far each journal has been read, and how the reading goes.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::domain::zone::Zone;
use crate::store::execute;

use super::{At, Result};
use crate::domain::reply::hours;
use crate::ports::CompanyInfo;

/// One company's reading state.
#[derive(Clone, Debug, Default)]
pub struct CompanyRow {
    /// The company.
    pub id: i64,
    /// What the API says of it.
    pub info: CompanyInfo,
    /// When that was read.
    pub info_at: Option<DateTime<Utc>>,
    /// Server time of the first whole sweep.
    pub baseline_at: Option<DateTime<Utc>>,
    /// Server time up to which changes are read.
    pub cursor_at: Option<DateTime<Utc>>,
    /// How far before the cursor each poll looks.
    pub overlap: Duration,
    /// Days a sweep asks for at once; 0: the whole horizon.
    pub slice_days: u32,
    /// Last good poll.
    pub last_poll_at: Option<DateTime<Utc>>,
    /// Requests of the last whole sweep.
    pub sweep_requests: Option<u32>,
    /// Rows of the last whole sweep that could not be read.
    pub unreadable_rows: u32,
    /// Last whole sweep.
    pub last_sweep_at: Option<DateTime<Utc>>,
    /// Failed polls in a row.
    pub failures: u32,
    /// Since when.
    pub failing_since: Option<DateTime<Utc>>,
    /// Not asked again before.
    pub next_try_at: Option<DateTime<Utc>>,
    /// The HTTP status that says a person has to act.
    pub denied: Option<u16>,
    /// What the last failure was.
    pub last_error: Option<String>,
    /// Deletions up to here were decided about by a person.
    pub guard_released_at: Option<DateTime<Utc>>,
    /// Moves seen up to here were.
    pub moves_released_at: Option<DateTime<Utc>>,
    /// What was hidden up to here is gone, a person said.
    pub hidden_gone_at: Option<DateTime<Utc>>,
    /// Readings lack numbers that we know.
    pub phones_hidden_since: Option<DateTime<Utc>>,
}

impl CompanyRow {
    /// Since when phones are hidden, once a sweep agrees: one poll may have brought but the one
    /// client whose number was erased.
    #[must_use]
    pub fn phones_hidden_for_certain(&self) -> Option<DateTime<Utc>> {
        let agrees = |since: &DateTime<Utc>| self.last_sweep_at.is_some_and(|at| at >= *since);
        self.phones_hidden_since.filter(agrees)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<CompanyRow> {
    let at = |name: &str| row.get::<_, Option<At>>(name).map(|v| v.map(|a| a.0));
    let zone: String = row.get("zone")?;
    Ok(CompanyRow {
        id: row.get("company_id")?,
        info: CompanyInfo {
            title: row.get("title")?,
            address: row.get("address")?,
            phone: row.get("phone")?,
            zone: zone.parse::<Zone>().ok(),
            booking_link: row.get("booking_link")?,
            opening_hours: hours::named_in(&row.get::<_, String>("opening_hours")?),
        },
        info_at: at("info_at")?,
        baseline_at: at("baseline_at")?,
        cursor_at: at("cursor_at")?,
        overlap: Duration::from_secs(row.get::<_, u32>("overlap_seconds")?.into()),
        slice_days: row.get("slice_days")?,
        sweep_requests: row.get("sweep_requests")?,
        unreadable_rows: row.get("unreadable_rows")?,
        last_poll_at: at("last_poll_at")?,
        last_sweep_at: at("last_sweep_at")?,
        failures: row.get("failures")?,
        failing_since: at("failing_since")?,
        next_try_at: at("next_try_at")?,
        denied: row.get("denied")?,
        last_error: row.get("last_error")?,
        guard_released_at: at("guard_released_at")?,
        moves_released_at: at("moves_released_at")?,
        hidden_gone_at: at("hidden_gone_at")?,
        phones_hidden_since: at("phones_hidden_since")?,
    })
}

/// The company's state, if it was ever polled.
pub fn get(conn: &Connection, id: i64) -> Result<Option<CompanyRow>> {
    Ok(conn
        .prepare_cached("SELECT * FROM companies WHERE company_id = ?1")?
        .query_row([id], read)
        .optional()?)
}

/// The states of all companies ever polled, by id.
pub fn all(conn: &Connection) -> Result<BTreeMap<i64, CompanyRow>> {
    let mut query = conn.prepare_cached("SELECT * FROM companies")?;
    let rows = query.query_map([], |r| read(r).map(|row| (row.id, row)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Every company ever polled, in order of their ids.
pub fn ids(conn: &Connection) -> Result<Vec<i64>> {
    let mut query = conn.prepare_cached("SELECT company_id FROM companies ORDER BY 1")?;
    let rows = query.query_map([], |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The company's row, made on first sight.
pub fn ensure(conn: &Connection, id: i64) -> Result<CompanyRow> {
    conn.prepare_cached("INSERT OR IGNORE INTO companies (company_id) VALUES (?1)")?
        .execute([id])?;
    Ok(conn
        .prepare_cached("SELECT * FROM companies WHERE company_id = ?1")?
        .query_row([id], read)?)
}

/// Stores what the API says of the company.
pub fn set_info(conn: &Connection, id: i64, info: &CompanyInfo, now: DateTime<Utc>) -> Result<()> {
    execute(
        conn,
        "UPDATE companies SET title = ?2, address = ?3, phone = ?4,
                zone = CASE WHEN ?5 <> '' THEN ?5 ELSE zone END, booking_link = ?6,
                info_at = ?7, opening_hours = ?8 WHERE company_id = ?1",
        (
            id,
            &info.title,
            &info.address,
            &info.phone,
            info.zone.map_or("", |z| z.name()),
            &info.booking_link,
            At(now),
            info.opening_hours
                .map_or_else(String::new, |(opens, closes)| {
                    format!("{}-{}", opens.format("%H:%M"), closes.format("%H:%M"))
                }),
        ),
    )?;
    Ok(())
}

/// What a good reading leaves behind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Set once, by the first whole sweep.
    pub baseline_at: Option<DateTime<Utc>>,
    /// The new cursor; never moved back.
    pub cursor_at: Option<DateTime<Utc>>,
    /// A whole sweep was read.
    pub swept: bool,
    /// The new slice.
    pub slice_days: Option<u32>,
    /// Requests that the sweep took.
    pub sweep_requests: Option<u32>,
    /// Rows of the sweep that could not be read.
    pub unreadable_rows: Option<u32>,
}

/// A good listing: the cursor moves. Trouble is over only when the whole poll went well.
pub fn succeeded(conn: &Connection, id: i64, progress: Progress, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE companies SET
            last_poll_at = ?2,
            baseline_at = coalesce(baseline_at, ?3),
            cursor_at = max(coalesce(cursor_at, ''), coalesce(?4, cursor_at, '')),
            last_sweep_at = CASE WHEN ?5 THEN ?2 ELSE last_sweep_at END,
            slice_days = coalesce(?6, slice_days),
            sweep_requests = coalesce(?7, sweep_requests),
            unreadable_rows = coalesce(?8, unreadable_rows)
          WHERE company_id = ?1",
    )?
    .execute((
        id,
        At(now),
        progress.baseline_at.map(At),
        progress.cursor_at.map(At),
        progress.swept,
        progress.slice_days,
        progress.sweep_requests,
        progress.unreadable_rows,
    ))?;
    conn.prepare_cached(
        "UPDATE companies SET cursor_at = NULL WHERE company_id = ?1 AND cursor_at = ''",
    )?
    .execute([id])?;
    Ok(())
}

/// The overlap after a sweep proved that a poll had missed a change: enough for any confusion about
/// the zone in which the API reads `changed_after`. It is kept.
const WIDE_OVERLAP: Duration = Duration::from_hours(26);

/// A sweep brought what a poll should have: from now on each poll looks back far.
pub fn widen_overlap(conn: &Connection, id: i64) -> Result<()> {
    execute(
        conn,
        "UPDATE companies SET overlap_seconds = max(overlap_seconds, ?2) WHERE company_id = ?1",
        (
            id,
            i64::try_from(WIDE_OVERLAP.as_secs()).unwrap_or(i64::MAX),
        ),
    )?;
    Ok(())
}

/// A whole poll went well: whatever was wrong is over.
pub fn recovered(conn: &Connection, id: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE companies SET failures = 0, failing_since = NULL, next_try_at = NULL, denied = NULL,
                throttled = 0, last_error = NULL
          WHERE company_id = ?1 AND (failures > 0 OR last_error IS NOT NULL)",
    )?
    .execute([id])?;
    Ok(())
}

/// How a poll failed.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// In words.
    pub error: &'a str,
    /// The HTTP status that says a person has to act.
    pub denied: Option<u16>,
    /// The API asked for a pause.
    pub throttled: bool,
    /// Not asked again before.
    pub next_try_at: DateTime<Utc>,
}

/// A failed poll: counted, described, and when to ask again.
pub fn failed(conn: &Connection, id: i64, failed: &Failed<'_>, now: DateTime<Utc>) -> Result<()> {
    execute(conn,
        "UPDATE companies SET failures = failures + 1, failing_since = coalesce(failing_since, ?2),
                last_error = ?3, denied = ?4, throttled = ?5, next_try_at = ?6 WHERE company_id = ?1",
        (
            id,
            At(now),
            failed.error,
            failed.denied,
            failed.throttled,
            At(failed.next_try_at),
        ),
    )?;
    Ok(())
}

/// Until when the API asked everybody to wait, if it did.
pub fn paused_until(conn: &Connection, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let until: Option<At> = conn
        .prepare_cached(
            "SELECT max(next_try_at) FROM companies WHERE throttled = 1 AND next_try_at > ?1",
        )?
        .query_row([At(now)], |r| r.get(0))?;
    Ok(until.map(|a| a.0))
}
