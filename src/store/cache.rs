//! `appointments_cache`: the journal as last seen.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::json;

use super::at::local_text;
use super::{At, Result, StoreError};
use crate::domain::record::{Origin, Record};
use crate::domain::zone::Zone;

/// A booking as the cache has it.
#[derive(Clone, Debug)]
pub struct Cached {
    /// The booking.
    pub record: Record,
    /// Made through a bot.
    pub by_bot: bool,
    /// Whether to tell of it was decided at least once.
    pub settled: bool,
    /// Number of events so far.
    pub revision: i64,
    /// Absent from a whole slice, and not found again since.
    pub missing: bool,
    /// When it was first seen.
    pub first_seen_at: DateTime<Utc>,
    /// When it was last seen.
    pub last_seen_at: DateTime<Utc>,
}

/// The unit of settling and of messages: the visit, or the record where it has none.
#[must_use]
pub fn unit(record: &Record) -> String {
    match record.visit_id {
        0 => format!("r{}", record.id),
        visit => format!("v{visit}"),
    }
}

/// The identity of a booking beside its id: `create_date`, as the columns hold it.
#[must_use]
pub fn create_date(record: &Record) -> String {
    record.created_at.map_or_else(String::new, |t| At(t).text())
}

const COLUMNS: &str = "snapshot, created_by_bot, settled, revision, missing_since IS NOT NULL, first_seen_at, last_seen_at";

fn read(row: &Row<'_>) -> rusqlite::Result<(String, Cached)> {
    let snapshot: String = row.get(0)?;
    // What serde says of it quotes it.
    let record = serde_json::from_str(&snapshot).map_err(|_| {
        let why = "unreadable snapshot of a booking".into();
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, why)
    })?;
    let cached = Cached {
        record,
        by_bot: row.get(1)?,
        settled: row.get(2)?,
        revision: row.get(3)?,
        missing: row.get(4)?,
        first_seen_at: row.get::<_, At>(5)?.0,
        last_seen_at: row.get::<_, At>(6)?.0,
    };
    Ok((snapshot, cached))
}

/// One booking.
pub fn get(conn: &Connection, company: i64, record: i64) -> Result<Option<Cached>> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM appointments_cache WHERE company_id = ?1 AND record_id = ?2"
        ))?
        .query_row((company, record), |r| read(r).map(|(_, c)| c))
        .optional()?)
}

/// The number by which a booking's client is known: its own, or where none is shown the one that
/// another record of the same visit has for the same client. '' when there is none.
pub fn number_of(conn: &Connection, record: &Record) -> Result<String> {
    if let Some(phone) = record.phone() {
        return Ok(phone.e164().to_owned());
    }
    if !record.has_unseen_number() {
        return Ok(String::new());
    }
    let unit = of_unit(conn, record.company_id, &unit(record))?;
    let same = |c: &&Cached| c.record.client_id() == record.client_id();
    let number = unit.iter().filter(same).find_map(|c| c.record.phone());
    Ok(number.map_or_else(String::new, |phone| phone.e164().to_owned()))
}

/// The bookings of one visit.
pub fn of_unit(conn: &Connection, company: i64, unit: &str) -> Result<Vec<Cached>> {
    let mut query = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM appointments_cache INDEXED BY appointments_by_unit
          WHERE company_id = ?1 AND unit = ?2 ORDER BY start_local, record_id"
    ))?;
    let rows = query.query_map((company, unit), |r| read(r).map(|(_, c)| c))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Standing bookings of this phone that have not begun, the next one first.
pub fn ahead_of_phone(conn: &Connection, phone: &str, now: DateTime<Utc>) -> Result<Vec<Cached>> {
    if phone.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM appointments_cache INDEXED BY appointments_by_phone
          WHERE client_phone = ?1 AND deleted = 0 AND start_at > ?2
          ORDER BY start_at, company_id, record_id"
    ))?;
    let rows = query.query_map((phone, At(now)), |r| read(r).map(|(_, c)| c))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Ids of standing bookings that start on these salon days, both inclusive.
pub fn standing(
    conn: &Connection,
    company: i64,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<i64>> {
    let mut query = conn.prepare_cached(
        "SELECT record_id FROM appointments_cache
          WHERE company_id = ?1 AND deleted = 0 AND start_local >= ?2 AND start_local < ?3",
    )?;
    let past_the_last = to.succ_opt().unwrap_or(to);
    let rows = query.query_map(
        (company, from.to_string(), past_the_last.to_string()),
        |r| r.get(0),
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One activity or visit, however many records it has; in a query whose rows are bookings.
pub(super) const ONCE: &str = "CASE json_extract(snapshot, '$.activity_id')
    WHEN 0 THEN unit ELSE 'a' || json_extract(snapshot, '$.activity_id') END";

/// The same of a booking at hand.
#[must_use]
pub fn once(record: &Record) -> String {
    match record.activity_id {
        0 => unit(record),
        activity => format!("a{activity}"),
    }
}

/// Standing bookings that start later than this; an activity or a visit counts once.
pub fn count_ahead(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<i64> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT count(DISTINCT {ONCE}) FROM appointments_cache
              WHERE company_id = ?1 AND deleted = 0 AND start_at > ?2"
        ))?
        .query_row((company, At(now)), |r| r.get(0))?)
}

/// Standing bookings that start later than this.
pub fn ahead(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<Vec<Record>> {
    let mut query = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM appointments_cache
          WHERE company_id = ?1 AND deleted = 0 AND start_at > ?2 ORDER BY record_id"
    ))?;
    let rows = query.query_map((company, At(now)), |r| read(r).map(|(_, c)| c.record))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What [`put`] cannot read off the record.
#[derive(Clone, Copy, Debug)]
pub struct Sighting {
    /// The company's zone.
    pub zone: Zone,
    /// Made through a bot.
    pub by_bot: bool,
    /// Nothing is left to be decided about telling of it.
    pub settled: bool,
    /// Number of events so far, this one included.
    pub revision: i64,
    /// When it was deleted; for a deleted one.
    pub deleted_at: DateTime<Utc>,
    /// The present moment.
    pub now: DateTime<Utc>,
}

/// Stores a booking as seen now. What was missing is found again.
pub fn put(conn: &Connection, record: &Record, sighting: Sighting) -> Result<()> {
    let snapshot =
        serde_json::to_string(record).map_err(|_| StoreError::Corrupt("record to be stored"))?;
    let services: Vec<_> = record
        .services
        .iter()
        .map(|s| json!({"id": s.id, "title": s.title, "amount": s.amount, "cost": s.cost.0 as f64 / 100.0}))
        .collect();
    let origin = match (sighting.by_bot, record.online) {
        (true, _) => Origin::Bot,
        (false, true) => Origin::Online,
        (false, false) => Origin::Staff,
    };
    let deleted_at = record.deleted.then_some(At(sighting.deleted_at));
    conn.prepare_cached(
        "INSERT INTO appointments_cache (
            company_id, record_id, visit_id, unit, start_local, start_at, staff_id, staff_name,
            services, client_name, client_phone, attendance, deleted, created_by_bot, origin,
            comment, snapshot, create_date, first_seen_at, last_seen_at, last_change_at, revision,
            settled, deleted_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
                 ?19, ?19, ?20, ?21, ?22, ?23)
         ON CONFLICT (company_id, record_id) DO UPDATE SET
            visit_id = ?3, unit = ?4, start_local = ?5, start_at = ?6, staff_id = ?7,
            staff_name = ?8, services = ?9, client_name = ?10, client_phone = ?11,
            attendance = ?12, deleted = ?13, created_by_bot = ?14, origin = ?15, comment = ?16,
            snapshot = ?17, create_date = ?18, last_seen_at = ?19, last_change_at = ?20,
            revision = ?21, settled = ?22,
            deleted_at = CASE WHEN deleted = 1 AND ?13 = 1 THEN deleted_at ELSE ?23 END,
            missing_since = NULL, missing_asked_at = NULL, missing_looks = 0,
                looked_at = NULL, hidden_by = NULL",
    )?
    .execute(rusqlite::params![
        record.company_id,
        record.id,
        record.visit_id,
        unit(record),
        local_text(record.start_local),
        At(record.start_at(sighting.zone)),
        record.staff.id,
        record.staff.name,
        serde_json::Value::Array(services).to_string(),
        record.client.as_ref().map_or("", |c| c.name.as_str()),
        record.phone().map_or("", |p| p.e164()),
        record.attendance.number(),
        record.deleted,
        sighting.by_bot,
        origin.as_str(),
        record.comment,
        snapshot,
        create_date(record),
        At(sighting.now),
        record.changed_at.map(At),
        sighting.revision,
        sighting.settled,
        deleted_at,
    ])?;
    Ok(())
}

/// Whether to tell of these was decided now.
pub fn set_settled(conn: &Connection, company: i64, records: &[i64]) -> Result<()> {
    let mut update = conn.prepare_cached(
        "UPDATE appointments_cache SET settled = 1 WHERE company_id = ?1 AND record_id = ?2",
    )?;
    for record in records {
        update.execute((company, record))?;
    }
    Ok(())
}

/// Masters of whom a sweep of this moment listed a standing booking ahead, as a JSON array.
pub fn masters_listed(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<String> {
    Ok(conn
        .prepare_cached(
            "SELECT json_group_array(DISTINCT staff_id) FROM appointments_cache
              WHERE company_id = ?1 AND deleted = 0 AND missing_since IS NULL
                AND start_at > ?2 AND last_seen_at = ?2",
        )?
        .query_row((company, At(now)), |r| r.get(0))?)
}

/// A booking was absent from a whole slice: a suspicion, no more. It weighs more where the same
/// sweep listed another one of its master.
pub fn suspect(
    conn: &Connection,
    company: i64,
    record: i64,
    masters_listed: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    conn.prepare_cached(
        "UPDATE appointments_cache
            SET missing_since = coalesce(missing_since, ?3),
                missed_at = CASE WHEN staff_id IN (SELECT value FROM json_each(?4))
                                 THEN ?3 ELSE missed_at END
          WHERE company_id = ?1 AND record_id = ?2",
    )?
    .execute((company, record, At(now), masters_listed))?;
    Ok(())
}

/// Whether the API said of something by id that it is gone, since the horizon was last compared.
pub fn awaits_a_sweep(
    conn: &Connection,
    company: i64,
    last_sweep_at: Option<DateTime<Utc>>,
) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM appointments_cache INDEXED BY appointments_missing
                             WHERE company_id = ?1 AND missing_since IS NOT NULL
                               AND looked_at >= coalesce(?2, ''))",
        )?
        .query_row((company, last_sweep_at.map(At)), |r| r.get(0))?)
}

/// Whether anything is under suspicion.
pub fn has_suspects(conn: &Connection, company: i64) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM appointments_cache INDEXED BY appointments_missing
                             WHERE company_id = ?1 AND missing_since IS NOT NULL)",
        )?
        .query_row([company], |r| r.get(0))?)
}

/// These were listed, readable or not: none of them is missing, and what is missing beside them is
/// judged by that.
pub fn listed(
    conn: &Connection,
    company: i64,
    records: &BTreeSet<i64>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut update = conn.prepare_cached(
        "UPDATE appointments_cache
            SET last_seen_at = ?3, missing_since = NULL, missing_asked_at = NULL,
                missing_looks = 0, looked_at = NULL, hidden_by = NULL
          WHERE company_id = ?1 AND record_id = ?2",
    )?;
    for record in records {
        update.execute((company, record, At(now)))?;
    }
    Ok(())
}

/// The API said by id that the booking is gone. Returns how often it has said so.
pub fn looked(conn: &Connection, company: i64, record: i64, now: DateTime<Utc>) -> Result<u32> {
    Ok(conn
        .prepare_cached(
            "UPDATE appointments_cache
                SET missing_looks = missing_looks + 1, missing_asked_at = ?3, hidden_by = NULL,
                    looked_at = coalesce(looked_at, ?3)
              WHERE company_id = ?1 AND record_id = ?2 RETURNING missing_looks",
        )?
        .query_row((company, record, At(now)), |r| r.get(0))?)
}

/// Hidden for want of rights, it is asked for by id this rarely: the sweeps show when it is back.
const HIDDEN_ASKED_EVERY: TimeDelta = TimeDelta::hours(1);

/// Bookings under suspicion that still lie ahead, or that somebody expects ahead who has not heard
/// that they were put into the past: those asked for least lately first, so that none keeps the
/// others from their turn.
pub fn suspects(
    conn: &Connection,
    company: i64,
    (now, zone): (DateTime<Utc>, Zone),
    most: u32,
) -> Result<Vec<i64>> {
    let mut query = conn.prepare_cached(
        "SELECT record_id FROM appointments_cache c INDEXED BY appointments_missing
          WHERE company_id = ?1 AND missing_since IS NOT NULL
            AND (start_at > ?2 OR EXISTS (
                  SELECT 1 FROM known k, json_each(k.states) state
                   WHERE k.company_id = ?1 AND k.record_id = c.record_id
                     AND k.create_date = c.create_date
                     AND state.value ->> '$.is' = 'booked'
                     AND state.value ->> '$.record.start_local' > ?5))
            AND (hidden_by IS NULL OR missing_asked_at <= ?4)
          ORDER BY coalesce(missing_asked_at, ''), +start_local LIMIT ?3",
    )?;
    let here = local_text(now.with_timezone(&zone).naive_local());
    let rows = query.query_map(
        (company, At(now), most, At(now - HIDDEN_ASKED_EVERY), here),
        |r| r.get(0),
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The API was asked for a booking under suspicion, and told nothing of use.
pub fn asked(conn: &Connection, company: i64, record: i64, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE appointments_cache SET missing_asked_at = ?3 WHERE company_id = ?1 AND record_id = ?2",
    )?
    .execute((company, record, At(now)))?;
    Ok(())
}

/// The booking was found again.
pub fn unsuspect(conn: &Connection, company: i64, record: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE appointments_cache SET missing_since = NULL, missing_asked_at = NULL, missing_looks = 0,
                looked_at = NULL, hidden_by = NULL
          WHERE company_id = ?1 AND record_id = ?2",
    )?
    .execute((company, record))?;
    Ok(())
}

/// When the first booking ahead of this client begins whose number is not shown, of those that came
/// since `from`.
pub fn start_without_phone(
    conn: &Connection,
    company: i64,
    client: i64,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let start: Option<At> = conn
        .prepare_cached(
            "SELECT min(start_at) FROM appointments_cache
              WHERE client_phone = '' AND company_id = ?1 AND deleted = 0 AND start_at > ?4
                AND first_seen_at >= ?3 AND json_extract(snapshot, '$.client.id') = ?2",
        )?
        .query_row((company, client, At(from), At(now)), |r| r.get(0))?;
    Ok(start.map(|a| a.0))
}

/// The deleted bookings of this phone that were made at this moment.
pub fn gone_of_phone(
    conn: &Connection,
    company: i64,
    phone: &str,
    create_date: &str,
) -> Result<Vec<Record>> {
    let mut query = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM appointments_cache INDEXED BY appointments_by_phone
          WHERE client_phone = ?2 AND company_id = ?1 AND deleted = 1 AND create_date = ?3
          ORDER BY record_id"
    ))?;
    let rows = query.query_map((company, phone, create_date), |r| {
        read(r).map(|(_, cached)| cached.record)
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The company in whose journal this phone was booked last; '' is nobody's.
pub fn company_of_phone(conn: &Connection, phone: &str) -> Result<Option<i64>> {
    if phone.is_empty() {
        return Ok(None);
    }
    Ok(conn
        .prepare_cached(
            "SELECT company_id FROM appointments_cache WHERE client_phone = ?1
              ORDER BY start_at DESC LIMIT 1",
        )?
        .query_row([phone], |r| r.get(0))
        .optional()?)
}
