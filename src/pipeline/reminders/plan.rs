//! What is planned, and dropped again: as the journal has it, and as the configuration asks for it.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::unexpected;
use crate::domain::record::Record;
use crate::domain::reminder::{Dropped, Lead};
use crate::domain::zone::Zone;
use crate::pipeline::{Company, Desk};
use crate::store::reminders::{self, Planned, State};
use crate::store::{self, cache, companies};

/// Plans a booking's reminders anew, as it is stored now: those of another start or another number
/// are dropped, and so is what would have had to leave before this was known. What is on its way is
/// decided when it leaves: the booking may be as it was by then.
pub(in crate::pipeline) fn follow(
    conn: &Connection,
    company: &Company,
    zone: Zone,
    record: &Record,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let leads = &company.settings.rules.reminders;
    if leads.is_empty() {
        return Ok(());
    }
    let phone = cache::number_of(conn, record)?;
    let unexpected = unexpected(company, record);
    for planned in reminders::planned_of_record(conn, record.company_id, record.id)? {
        let is_other = planned.start_local != record.start_local || planned.phone != phone;
        if let Some(why) = unexpected.or(is_other.then_some(Dropped::Moved)) {
            reminders::drop_one(conn, &planned, why, now)?;
        }
    }
    let start = record.start_at(zone);
    if unexpected.is_some() || start <= now {
        return Ok(());
    }
    for lead in leads {
        plan(conn, record, &phone, *lead, (zone, now))?;
    }
    Ok(())
}

fn plan(
    conn: &Connection,
    record: &Record,
    phone: &str,
    lead: Lead,
    (zone, now): (Zone, DateTime<Utc>),
) -> store::Result<()> {
    let due_at = lead.moment(record.start_local, zone);
    // At nine on the same day, of a visit at eight.
    if due_at >= record.start_at(zone) {
        return Ok(());
    }
    let state = match due_at <= now {
        true => State::Dropped(Dropped::TooLate),
        false => State::Planned,
    };
    let planned = Planned {
        company: record.company_id,
        record: record.id,
        phone: phone.to_owned(),
        start_local: record.start_local,
        lead: lead.to_string(),
        due_at,
        state,
        changed_at: now,
    };
    reminders::plan(conn, &planned)
}

impl Desk {
    /// At a start: what the configuration does not ask for any more is dropped, and what it asks for
    /// since is planned, as far as its moment lies ahead.
    pub(in crate::pipeline) fn replan_reminders(
        &self,
        conn: &Connection,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        for (id, company) in self.companies.iter() {
            let leads = company.settings.rules.reminders.iter();
            let leads: Vec<String> = leads.map(Lead::to_string).collect();
            reminders::drop_other_leads(conn, *id, &leads, now)?;
            let row = companies::get(conn, *id)?.unwrap_or_default();
            let Some(zone) = company.zone(&row).filter(|_| !leads.is_empty()) else {
                continue;
            };
            for record in cache::ahead(conn, *id, now)? {
                follow(conn, company, zone, &record, now)?;
            }
        }
        Ok(())
    }
}
