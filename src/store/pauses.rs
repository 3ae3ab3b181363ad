//! `pauses`: where a person wants no client written to for a while.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::store::execute;

use super::{At, Result};

/// What a pause is about; what is not named is any.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// The company.
    pub company: Option<i64>,
    /// The master.
    pub staff: Option<i64>,
    /// The client, in E.164.
    pub phone: Option<String>,
}

debug_only!(Selector: company, staff);

/// One pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// What it is about.
    pub of: Selector,
    /// When it ends by itself; `None`: when a person says so.
    pub until: Option<DateTime<Utc>>,
}

/// Begins a pause; one about the same takes the place of the one before.
pub fn begin(conn: &Connection, pause: &Pause, now: DateTime<Utc>) -> Result<()> {
    lift(conn, &pause.of)?;
    let Selector {
        company,
        staff,
        phone,
    } = &pause.of;
    execute(
        conn,
        "INSERT INTO pauses (company_id, staff_id, phone, until, since) VALUES (?1, ?2, ?3, ?4, ?5)",
        (company, staff, phone, pause.until.map(At), At(now)),
    )?;
    Ok(())
}

/// Ends the pause that is about exactly this. Returns how many there were.
pub fn lift(conn: &Connection, of: &Selector) -> Result<usize> {
    Ok(execute(
        conn,
        "DELETE FROM pauses WHERE company_id IS ?1 AND staff_id IS ?2 AND phone IS ?3",
        (of.company, of.staff, &of.phone),
    )?)
}

/// Ends every pause.
pub fn lift_all(conn: &Connection) -> Result<usize> {
    Ok(execute(conn, "DELETE FROM pauses", [])?)
}

/// Ends every pause about this company alone, its masters and clients included.
pub fn lift_company(conn: &Connection, company: i64) -> Result<usize> {
    Ok(execute(
        conn,
        "DELETE FROM pauses WHERE company_id = ?1",
        [company],
    )?)
}

/// The pauses that run, the oldest first. Those that are over are forgotten.
pub fn running(conn: &Connection, now: DateTime<Utc>) -> Result<Vec<Pause>> {
    let running = running_since(conn, now)?;
    Ok(running.into_iter().map(|(_, pause)| pause).collect())
}

/// The same, each with when it began.
pub fn running_since(conn: &Connection, now: DateTime<Utc>) -> Result<Vec<(DateTime<Utc>, Pause)>> {
    let mut query = conn.prepare_cached(
        "SELECT company_id, staff_id, phone, until, since FROM pauses
          WHERE until IS NULL OR until > ?1 ORDER BY since",
    )?;
    let rows = query.query_map([At(now)], |r| {
        let pause = Pause {
            of: Selector {
                company: r.get(0)?,
                staff: r.get(1)?,
                phone: r.get(2)?,
            },
            until: r.get::<_, Option<At>>(3)?.map(|at| at.0),
        };
        Ok((r.get::<_, At>(4)?.0, pause))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Pending messages to clients of this company that a pause about this keeps back, oldest first.
pub fn kept_back(conn: &Connection, company: i64, of: &Selector) -> Result<Vec<i64>> {
    if of.company.is_some_and(|id| id != company) {
        return Ok(Vec::new());
    }
    let mut query = conn.prepare_cached(
        "SELECT n.id FROM booking_notifications n
          WHERE n.status = 'pending' AND +n.company_id = ?1 AND n.phone <> ''
            AND n.kind IN ('created', 'updated', 'cancelled') AND (?3 IS NULL OR n.phone = ?3)
            AND (?2 IS NULL
                 OR EXISTS (SELECT 1 FROM appointments_cache a INDEXED BY appointments_by_unit
                             WHERE a.company_id = n.company_id AND a.unit = n.unit AND a.staff_id = ?2))
          ORDER BY n.id",
    )?;
    let rows = query.query_map((company, of.staff, &of.phone), |r| r.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Forgets the pauses that are over.
pub fn forget_ended(conn: &Connection, now: DateTime<Utc>) -> Result<()> {
    conn.prepare_cached("DELETE FROM pauses WHERE until <= ?1")?
        .execute([At(now)])?;
    Ok(())
}
