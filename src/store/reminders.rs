//! `reminders`: when clients are to be reminded of their visits, and why not after all.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use rusqlite::{Connection, Row};

use super::at::local_text;
use super::{At, Result, StoreError, execute};
use crate::domain::reminder::Dropped;

/// One reminder of one booking in its present form.
#[derive(Clone, PartialEq, Eq)]
pub struct Planned {
    /// The company.
    pub company: i64,
    /// The booking.
    pub record: i64,
    /// Whom it is for, '' when nobody can be written to.
    pub phone: String,
    /// The start that it reminds of.
    pub start_local: NaiveDateTime,
    /// The lead, as stored.
    pub lead: String,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// Where it stands.
    pub state: State,
    /// When that was decided.
    pub changed_at: DateTime<Utc>,
}

debug_only!(Planned: company, record, start_local, lead, due_at, state);

/// Where a reminder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for its moment.
    Planned,
    /// It became part of this notification.
    Made(i64),
    /// It is not to be.
    Dropped(Dropped),
}

impl State {
    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Made(_) => "made",
            Self::Dropped(_) => "dropped",
        }
    }
}

const COLUMNS: &str = "company_id, record_id, phone, start_local, lead, due_at, state, reason, notification_id, changed_at";

fn read(row: &Row<'_>) -> rusqlite::Result<(Planned, String)> {
    let word: String = row.get("state")?;
    let reason: Option<String> = row.get("reason")?;
    let state = match (word.as_str(), row.get("notification_id")?) {
        ("planned", _) => State::Planned,
        ("made", Some(id)) => State::Made(id),
        _ => State::Dropped(
            reason
                .as_deref()
                .and_then(Dropped::from_stored)
                .ok_or(rusqlite::Error::InvalidQuery)?,
        ),
    };
    let planned = Planned {
        company: row.get("company_id")?,
        record: row.get("record_id")?,
        phone: row.get("phone")?,
        start_local: NaiveDateTime::MIN,
        lead: row.get("lead")?,
        due_at: row.get::<_, At>("due_at")?.0,
        state,
        changed_at: row.get::<_, At>("changed_at")?.0,
    };
    Ok((planned, row.get("start_local")?))
}

fn all(conn: &Connection, which: &str, params: impl rusqlite::Params) -> Result<Vec<Planned>> {
    let mut query = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM reminders {which}"))?;
    let rows = query.query_map(params, read)?;
    rows.map(|row| {
        let (planned, start) = row?;
        let start_local = start.parse().map_err(|_| StoreError::Corrupt("reminder"))?;
        Ok(Planned {
            start_local,
            ..planned
        })
    })
    .collect()
}

/// Plans one, or drops it at once. What was made or dropped for good stays as it is, and what is
/// planned already only gets its moment: it may be due by now. So it may be of a booking that was off
/// and is on again, which was known before its moment.
pub fn plan(conn: &Connection, new: &Planned) -> Result<()> {
    let reason = match new.state {
        State::Dropped(why) => Some(why.as_str()),
        State::Planned | State::Made(_) => None,
    };
    let back: Vec<&str> = Dropped::ALL
        .into_iter()
        .filter(|why| why.may_come_back())
        .map(Dropped::as_str)
        .collect();
    conn.prepare_cached(
        "INSERT INTO reminders (company_id, record_id, phone, start_local, lead, due_at, state, reason, changed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (company_id, record_id, phone, start_local, lead) DO UPDATE
            SET due_at = ?6,
                changed_at = iif(state = 'planned', changed_at, ?9),
                state = iif(state = 'planned' OR reason = ?11, 'planned', ?7),
                reason = iif(state = 'planned' OR reason = ?11, NULL, ?8)
          WHERE state = 'planned' AND due_at <> ?6
             OR state = 'dropped' AND reason = ?11
             OR state = 'dropped' AND ?7 = 'planned' AND reason IN (SELECT value FROM json_each(?10))",
    )?
    .execute((
        new.company,
        new.record,
        &new.phone,
        local_text(new.start_local),
        &new.lead,
        At(new.due_at),
        new.state.as_str(),
        reason,
        At(new.changed_at),
        serde_json::Value::from(back).to_string(),
        Dropped::Off.as_str(),
    ))?;
    Ok(())
}

fn set(conn: &Connection, of: &Planned, state: State, now: DateTime<Utc>) -> Result<()> {
    let (reason, notification) = match state {
        State::Planned => (None, None),
        State::Made(id) => (None, Some(id)),
        State::Dropped(why) => (Some(why.as_str()), None),
    };
    conn.prepare_cached(
        "UPDATE reminders SET state = ?6, reason = ?7, notification_id = ?8, changed_at = ?9
          WHERE company_id = ?1 AND record_id = ?2 AND phone = ?3 AND start_local = ?4 AND lead = ?5",
    )?
    .execute((
        of.company,
        of.record,
        &of.phone,
        local_text(of.start_local),
        &of.lead,
        state.as_str(),
        reason,
        notification,
        At(now),
    ))?;
    Ok(())
}

/// It is not to be.
pub fn drop_one(conn: &Connection, of: &Planned, why: Dropped, now: DateTime<Utc>) -> Result<()> {
    set(conn, of, State::Dropped(why), now)
}

/// It is part of this notification.
pub fn made(conn: &Connection, of: &Planned, notification: i64, now: DateTime<Utc>) -> Result<()> {
    set(conn, of, State::Made(notification), now)
}

/// It waits for its own moment again.
pub fn unmake(conn: &Connection, of: &Planned, now: DateTime<Utc>) -> Result<()> {
    set(conn, of, State::Planned, now)
}

/// The booking's number is shown by another one of its visit.
pub fn set_phone(conn: &Connection, of: &Planned, phone: &str) -> Result<()> {
    execute(
        conn,
        "UPDATE OR REPLACE reminders SET phone = ?6
          WHERE company_id = ?1 AND record_id = ?2 AND phone = ?3 AND start_local = ?4 AND lead = ?5",
        (
            of.company,
            of.record,
            &of.phone,
            local_text(of.start_local),
            &of.lead,
            phone,
        ),
    )?;
    Ok(())
}

/// All of a booking, in the order of their moments.
pub fn of_record(conn: &Connection, company: i64, record: i64) -> Result<Vec<Planned>> {
    all(
        conn,
        "WHERE company_id = ?1 AND record_id = ?2 ORDER BY start_local, due_at",
        (company, record),
    )
}

/// Those of a booking that wait for their moment.
pub fn planned_of_record(conn: &Connection, company: i64, record: i64) -> Result<Vec<Planned>> {
    all(
        conn,
        "WHERE company_id = ?1 AND record_id = ?2 AND state = 'planned'",
        (company, record),
    )
}

/// What this notification reminds of, in order of time.
pub fn of_notification(conn: &Connection, id: i64) -> Result<Vec<Planned>> {
    all(
        conn,
        "WHERE notification_id = ?1 AND state = 'made' ORDER BY start_local, record_id",
        [id],
    )
}

/// What is planned for one person's day, in order of time.
pub fn planned_of_day(
    conn: &Connection,
    company: i64,
    phone: &str,
    day: NaiveDate,
) -> Result<Vec<Planned>> {
    let next = day.succ_opt().unwrap_or(day);
    all(
        conn,
        "WHERE company_id = ?1 AND phone = ?2 AND start_local >= ?3 AND start_local < ?4
           AND state = 'planned' ORDER BY start_local, record_id",
        (company, phone, day.to_string(), next.to_string()),
    )
}

/// Notifications that wait to remind one person of one day.
pub fn waiting_of_day(
    conn: &Connection,
    company: i64,
    phone: &str,
    day: NaiveDate,
) -> Result<Vec<i64>> {
    let next = day.succ_opt().unwrap_or(day);
    let mut query = conn.prepare_cached(
        "SELECT DISTINCT notification_id FROM reminders
          WHERE company_id = ?1 AND phone = ?2 AND start_local >= ?3 AND start_local < ?4
            AND state = 'made'
            AND (SELECT n.status FROM booking_notifications n WHERE n.id = notification_id) = 'pending'
          ORDER BY 1",
    )?;
    let rows = query.query_map((company, phone, day.to_string(), next.to_string()), |r| {
        r.get(0)
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One that is due, of each booking: whose turn it is. Those of companies that are not watched wait
/// until they are.
pub fn due(
    conn: &Connection,
    companies: &[i64],
    now: DateTime<Utc>,
    most: u32,
) -> Result<Vec<Planned>> {
    let watched = serde_json::Value::from(companies).to_string();
    all(
        conn,
        "WHERE state = 'planned' AND due_at <= ?1
           AND company_id IN (SELECT value FROM json_each(?3))
         ORDER BY due_at LIMIT ?2",
        (At(now), most, watched),
    )
}

/// When the next one is due, after this moment.
pub fn next_at(conn: &Connection, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let next: Option<At> = conn
        .prepare_cached(
            "SELECT min(due_at) FROM reminders WHERE state = 'planned' AND due_at > ?1",
        )?
        .query_row([At(after)], |r| r.get(0))?;
    Ok(next.map(|at| at.0))
}

/// Drops what is planned by leads that a company does not have any more.
pub fn drop_other_leads(
    conn: &Connection,
    company: i64,
    leads: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    let kept = serde_json::Value::from(leads).to_string();
    execute(
        conn,
        "UPDATE reminders SET state = 'dropped', reason = ?3, changed_at = ?4
          WHERE state = 'planned' AND +company_id = ?1
            AND lead NOT IN (SELECT value FROM json_each(?2))",
        (company, kept, Dropped::Disabled.as_str(), At(now)),
    )?;
    Ok(())
}

/// When this person was last reminded of this booking, as far as nobody said later that it failed.
pub fn sent_at(
    conn: &Connection,
    company: i64,
    record: i64,
    phone: &str,
) -> Result<Option<DateTime<Utc>>> {
    let at: Option<At> = conn
        .prepare_cached(
            "SELECT max(n.sent_at) FROM reminders r JOIN booking_notifications n
                 ON n.id = r.notification_id
              WHERE r.company_id = ?1 AND r.record_id = ?2 AND r.phone = ?3
                AND n.status IN ('sent', 'delivered', 'read')",
        )?
        .query_row((company, record, phone), |r| r.get(0))?;
    Ok(at.map(|at| at.0))
}

/// Whether an owner was asked to call instead of reminding a client of this booking, as it starts now.
pub fn has_card(conn: &Connection, company: i64, record: i64) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM booking_notifications n JOIN booking_notifications c
                                ON c.company_id = n.company_id AND c.record_id = n.record_id
                               AND c.about = n.id AND c.kind = 'owner' AND c.told = '[]'
                                JOIN appointments_cache a
                                     ON a.company_id = n.company_id AND a.record_id = n.record_id
                             WHERE n.company_id = ?1 AND n.record_id = ?2 AND n.kind = 'reminder'
                               AND EXISTS (SELECT 1 FROM reminders r
                                            WHERE r.notification_id = n.id
                                              AND r.record_id = n.record_id
                                              AND r.start_local = a.start_local))",
        )?
        .query_row((company, record), |r| r.get(0))?)
}

/// A copy of the database knows nothing of what was sent since: what it plans is planned anew by the
/// first comparison.
pub fn forget_plans(conn: &Connection) -> Result<()> {
    conn.execute(
        "DELETE FROM reminders WHERE state = 'planned' OR reason = ?1",
        [Dropped::Off.as_str()],
    )?;
    Ok(())
}
