//! What the API's user may not see: bookings that are missing for want of rights, not deleted.
//!
//! One ticked box in YClients looks like a mass deletion: rows leave the listing, and asked for by
//! id they may be 404 as if they had never been. So a 404 is no proof while everything of one
//! master, or everything from some day on, is missing, nor of another booking meanwhile: it may have
//! passed to that master or behind that day. Once taken for hidden a booking stays so until
//! something that was hidden with it is seen again, however many of them pass meanwhile.
//!
//! `INDEXED BY`, because SQLite takes the index of the missing rows for no better than the primary
//! key, and would read a company's whole history each time.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::store::execute;

use super::at::local_text;
use super::outbox::LATEST_RETRY;
use super::{At, Result};

/// Fewer bookings than this missing at the end of the journal are no shortened period.
const LEAST_OF_PERIOD: i64 = 3;
/// Fewer bookings than this of one master, none of which is seen, are no hidden master.
const LEAST_OF_STAFF: i64 = 2;

/// What the last whole sweep looked at, from now on: elsewhere nothing can be seen to be missing.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The present moment.
    pub now: DateTime<Utc>,
    /// When that sweep was.
    pub swept_at: DateTime<Utc>,
    /// The last day of the horizon of that sweep.
    pub to: NaiveDate,
}

impl View {
    fn end(self) -> String {
        self.to.succ_opt().unwrap_or(self.to).to_string()
    }
}

/// A standing booking ahead that was shown at this time or later: one that no whole slice has listed
/// since may be as hidden as the one in question.
fn seen(since: &str) -> String {
    format!(
        "v.deleted = 0 AND v.missing_since IS NULL AND v.start_at > :now
         AND v.start_local < :end AND v.last_seen_at >= {since}"
    )
}

/// Since the API first said by id that the booking in question is gone, or since the last sweep when
/// it says so for the first time.
const SINCE_LOOKED: &str = "coalesce(m.looked_at, :swept)";
/// A standing booking that is missing, refused by no 403 and given up by nobody.
const MISSING: &str = "m.company_id = :company AND m.missing_since IS NOT NULL AND m.deleted = 0
    AND m.hidden_by IS NOT 'refused'
    AND m.missing_since > coalesce((SELECT hidden_gone_at FROM companies
                                     WHERE company_id = :company), '')";

/// The API says by id that this missing booking is gone. Whether it is to be taken for hidden all
/// the same; then everything that is hidden with it is noted as such.
pub fn is_hidden(conn: &Connection, company: i64, record: i64, view: View) -> Result<bool> {
    let (now, end) = (At(view.now), view.end());
    let found: Option<(i64, String, Option<String>)> = conn
        .prepare_cached(&format!(
            "SELECT m.staff_id, m.start_local, m.hidden_by FROM appointments_cache m
              WHERE m.company_id = :company AND m.record_id = :record
                AND (({MISSING}) OR (m.missing_since IS NOT NULL AND m.hidden_by = 'refused'))"
        ))?
        .query_row(
            rusqlite::named_params! {":company": company, ":record": record},
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
        .optional()?;
    let Some((staff, start, hidden_by)) = found else {
        return Ok(false);
    };
    if hidden_by.is_some_and(|by| by != "refused") {
        return Ok(true);
    }
    let seen = seen(SINCE_LOOKED);
    let last_seen: String = conn
        .prepare_cached(&format!(
            "SELECT coalesce(max(v.start_local), '') FROM appointments_cache m, appointments_cache v
              WHERE m.company_id = :company AND m.record_id = :record
                AND v.company_id = :company AND {seen}"
        ))?
        .query_row(
            rusqlite::named_params! {
                ":company": company, ":record": record, ":now": now, ":end": end,
                ":swept": At(view.swept_at),
            },
            |r| r.get(0),
        )?;
    let (tail, masters, days): (i64, i64, i64) = conn
        .prepare_cached(&format!(
            "SELECT count(*), count(DISTINCT m.staff_id), count(DISTINCT substr(m.start_local, 1, 10))
               FROM appointments_cache m INDEXED BY appointments_missing
              WHERE {MISSING} AND m.start_at > :now AND m.start_local > :last"
        ))?
        .query_row(
            rusqlite::named_params! {":company": company, ":now": now, ":last": last_seen},
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )?;
    let all_of_staff: bool = conn
        .prepare_cached(&format!(
            "SELECT NOT EXISTS (SELECT 1 FROM appointments_cache m
                                 WHERE m.company_id = :company AND m.record_id = :record
                                   AND m.missed_at >= {SINCE_LOOKED})
                AND (SELECT count(*) FROM appointments_cache s
                      WHERE s.company_id = :company AND s.deleted = 0 AND s.start_at > :now
                        AND (s.staff_id = :staff OR s.hidden_by = 'staff')) >= :least"
        ))?
        .query_row(
            rusqlite::named_params! {
                ":company": company, ":record": record, ":staff": staff, ":now": now,
                ":swept": At(view.swept_at), ":least": LEAST_OF_STAFF,
            },
            |r| r.get(0),
        )?;
    let is_period = tail >= LEAST_OF_PERIOD && (masters > 1 || days > 1) && start > last_seen;
    if is_period && (masters > 1 || !all_of_staff) {
        mark(
            conn,
            company,
            "period",
            "m.start_local > :value",
            &last_seen,
        )?;
    } else if all_of_staff {
        mark(conn, company, "staff", "m.staff_id = :value", &staff)?;
    } else if something_is_hidden(conn, company, now)? {
        mark(conn, company, "elsewhere", "m.record_id = :value", &record)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// A master or the end of the journal is hidden: whatever passed there looks erased.
fn something_is_hidden(conn: &Connection, company: i64, now: At) -> Result<bool> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM appointments_cache m INDEXED BY appointments_missing
                             WHERE {MISSING} AND m.start_at > :now
                               AND m.hidden_by IN ('staff', 'period'))"
        ))?
        .query_row(
            rusqlite::named_params! {":company": company, ":now": now},
            |r| r.get(0),
        )?)
}

fn mark(
    conn: &Connection,
    company: i64,
    by: &str,
    which: &str,
    value: &dyn rusqlite::ToSql,
) -> Result<()> {
    conn.prepare_cached(&format!(
        "UPDATE appointments_cache AS m INDEXED BY appointments_missing SET hidden_by = :by,
                missing_looks = 0, looked_at = NULL
          WHERE {MISSING} AND {which}"
    ))?
    .execute(rusqlite::named_params! {
        ":company": company, ":by": by, ":value": value,
    })?;
    Ok(())
}

/// After a whole sweep: where what was hidden together is seen again, what is still missing is an
/// ordinary suspicion. A 403 does not say what hides a booking: it is neither its master nor the
/// period when both are seen.
pub fn reconsider(conn: &Connection, company: i64, view: View) -> Result<()> {
    let seen = seen(":now");
    conn.prepare_cached(&format!(
        "UPDATE appointments_cache AS m INDEXED BY appointments_missing
            SET hidden_by = NULL, missing_looks = 0, looked_at = NULL
          WHERE m.company_id = :company AND m.missing_since IS NOT NULL AND m.hidden_by IS NOT NULL
            AND (m.hidden_by = 'elsewhere' OR (m.hidden_by = 'period' OR EXISTS (
                    SELECT 1 FROM appointments_cache v
                     WHERE v.company_id = :company AND v.staff_id = m.staff_id AND {seen}))
            AND (m.hidden_by = 'staff' OR EXISTS (
                    SELECT 1 FROM appointments_cache v
                     WHERE v.company_id = :company AND v.start_local >= m.start_local AND {seen})))"
    ))?
    .execute(
        rusqlite::named_params! {":company": company, ":now": At(view.now), ":end": view.end()},
    )?;
    Ok(())
}

/// The API refuses this missing booking by id: there is one, and we may not see it.
pub fn refused(conn: &Connection, company: i64, record: i64, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE appointments_cache
            SET missing_asked_at = ?3, hidden_by = coalesce(hidden_by, 'refused')
          WHERE company_id = ?1 AND record_id = ?2 AND missing_since IS NOT NULL",
    )?
    .execute((company, record, At(now)))?;
    Ok(())
}

/// A person says that what is hidden now is really gone: a 404 is believed again, though not more
/// than the guard lets pass. How many bookings that is.
pub fn give_up(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<usize> {
    let mut update = conn.prepare_cached(
        "UPDATE appointments_cache SET hidden_by = NULL, missing_looks = 0, looked_at = NULL
          WHERE company_id = ?1 AND missing_since IS NOT NULL
            AND hidden_by IN ('staff', 'period', 'elsewhere') RETURNING start_at > ?2",
    )?;
    let ahead = update
        .query_map((company, At(now)), |r| r.get(0))?
        .collect::<rusqlite::Result<Vec<bool>>>()?;
    if !ahead.is_empty() {
        execute(
            conn,
            "UPDATE companies SET hidden_gone_at = ?2 WHERE company_id = ?1",
            (company, At(now)),
        )?;
    }
    Ok(ahead.into_iter().filter(|is_ahead| *is_ahead).count())
}

/// What of a company's bookings ahead is hidden at present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// All hidden bookings.
    pub bookings: usize,
    /// Of them those that the API says are there, and not for us (403): nobody can take them for gone.
    pub refused: usize,
    /// Masters none of whose bookings are seen.
    pub staff: Vec<HiddenStaff>,
    /// Since when those are missing.
    pub staff_since: Option<DateTime<Utc>>,
    /// The end of the journal that is not seen.
    pub period: Option<HiddenPeriod>,
}

/// A master none of whose bookings are seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenStaff {
    /// The master.
    pub id: i64,
    /// The master's name.
    pub name: String,
    /// How many bookings that hides.
    pub bookings: usize,
}

/// The end of the journal that is not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HiddenPeriod {
    /// The first hidden booking's start.
    pub from: NaiveDateTime,
    /// How many bookings that hides.
    pub bookings: usize,
    /// Since when they are missing.
    pub since: DateTime<Utc>,
}

/// What is hidden at present. Reads the missing rows alone, unless some were refused by id.
pub fn hidden(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<Hidden> {
    let mut query = conn.prepare_cached(
        "SELECT staff_id, staff_name, start_local, missing_since, hidden_by
           FROM appointments_cache INDEXED BY appointments_missing
          WHERE company_id = ?1 AND missing_since IS NOT NULL AND hidden_by IS NOT NULL
            AND deleted = 0 AND start_at > ?2 ORDER BY staff_name, staff_id",
    )?;
    let rows: Vec<(i64, String, NaiveDateTime, DateTime<Utc>, String)> = query
        .query_map((company, At(now)), |r| {
            let start: String = r.get(2)?;
            let start = start.parse().map_err(|e| {
                let text = rusqlite::types::Type::Text;
                rusqlite::Error::FromSqlConversionFailure(2, text, Box::new(e))
            })?;
            Ok((r.get(0)?, r.get(1)?, start, r.get::<_, At>(3)?.0, r.get(4)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut hidden = Hidden {
        bookings: rows.len(),
        refused: rows.iter().filter(|row| row.4 == "refused").count(),
        ..Hidden::default()
    };
    // A 403 does not say why: a master of whom nothing is seen is hidden, else it may be the end.
    let mut seen_of_staff = conn.prepare_cached(
        "SELECT coalesce(max(start_local), '') FROM appointments_cache
          WHERE company_id = ?1 AND deleted = 0 AND missing_since IS NULL AND start_at > ?2
            AND (?3 IS NULL OR staff_id = ?3)",
    )?;
    let mut last_seen = |staff: Option<i64>| -> rusqlite::Result<String> {
        seen_of_staff.query_row((company, At(now), staff), |r| r.get(0))
    };
    for (id, name, start, since, by) in rows {
        let (of_staff, of_period) = match by.as_str() {
            "staff" => (true, false),
            "period" => (false, true),
            _ if last_seen(Some(id))?.is_empty() => (true, false),
            _ => (false, local_text(start) > last_seen(None)?),
        };
        if of_period {
            let period = hidden.period.get_or_insert(HiddenPeriod {
                from: start,
                bookings: 0,
                since,
            });
            period.bookings += 1;
            period.from = period.from.min(start);
            period.since = period.since.min(since);
        } else if of_staff {
            hidden.staff_since = Some(hidden.staff_since.map_or(since, |s| s.min(since)));
            match hidden.staff.last_mut().filter(|s| s.id == id) {
                Some(staff) => staff.bookings += 1,
                None => hidden.staff.push(HiddenStaff {
                    id,
                    name,
                    bookings: 1,
                }),
            }
        }
    }
    Ok(hidden)
}

/// Since when this booking is missing from the journal, if it is and nothing says that it is gone.
pub fn missing_since(
    conn: &Connection,
    company: i64,
    record: i64,
) -> Result<Option<DateTime<Utc>>> {
    let since: Option<Option<At>> = conn
        .prepare_cached(
            "SELECT missing_since FROM appointments_cache
              WHERE company_id = ?1 AND record_id = ?2 AND deleted = 0",
        )?
        .query_row((company, record), |r| r.get(0))
        .optional()?;
    Ok(since.flatten().map(|a| a.0))
}

/// Whole readings come without the numbers that we know.
pub fn phones_vanished(conn: &Connection, company: i64, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE companies SET phones_hidden_since = coalesce(phones_hidden_since, ?2)
          WHERE company_id = ?1",
    )?
    .execute((company, At(now)))?;
    Ok(())
}

/// Numbers are shown again: what waited for them is looked at anew, now. It waits until its visit
/// begins, longer than `longest_delay`, which is how it is told from what waits for its delay.
pub fn phones_seen(
    conn: &Connection,
    company: i64,
    longest_delay: TimeDelta,
    now: DateTime<Utc>,
) -> Result<()> {
    let ended = conn
        .prepare_cached(
            "UPDATE companies SET phones_hidden_since = NULL
              WHERE company_id = ?1 AND phones_hidden_since IS NOT NULL",
        )?
        .execute([company])?;
    if ended == 0 {
        return Ok(());
    }
    execute(
        conn,
        "UPDATE settling SET settle_at = ?2 WHERE company_id = ?1 AND settle_at > ?3",
        (company, At(now), At(now + longest_delay)),
    )?;
    // Quiet hours and the like are decided again when it is taken up. What was tried before waits for its
    // next try, or like the rest.
    execute(
        conn,
        "UPDATE booking_notifications SET due_at = ?2
          WHERE +company_id = ?1 AND status = 'pending' AND phone <> ''
            AND due_at > CASE attempts WHEN 0 THEN ?2 ELSE ?3 END",
        (company, At(now), At(now + LATEST_RETRY)),
    )?;
    Ok(())
}
