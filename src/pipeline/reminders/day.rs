//! One person's day: what is due of it becomes one notification, which names all of it.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::Transaction;

use super::{Due, told, unexpected, was_told_lately};
use crate::domain::delivery::Status;
use crate::domain::policy::{Kind, Reason};
use crate::domain::record::Record;
use crate::domain::reminder::Dropped;
use crate::domain::zone::Zone;
use crate::pipeline::quiet::quiet_at;
use crate::pipeline::visit::{Around, Visit};
use crate::pipeline::{Company, Desk, words};
use crate::store::companies::{self, CompanyRow};
use crate::store::outbox::{self, New};
use crate::store::reminders::{self, Planned};
use crate::store::{self, cache};

/// One person's day in one company.
struct PersonsDay<'a> {
    tx: &'a Transaction<'a>,
    desk: &'a Desk,
    company: &'a Company,
    row: &'a CompanyRow,
    zone: Zone,
    phone: &'a str,
    day: NaiveDate,
    now: DateTime<Utc>,
}

impl Desk {
    /// Makes what is due of the day that this one belongs to. Returns how many notifications; `None` when
    /// it cannot be looked at now.
    pub(super) fn remind(
        &self,
        tx: &Transaction<'_>,
        planned: &Planned,
        now: DateTime<Utc>,
    ) -> store::Result<Option<u32>> {
        let row = companies::ensure(tx, planned.company)?;
        let Some(company) = self.companies.get(&planned.company) else {
            return Ok(None);
        };
        let Some(zone) = company.zone(&row) else {
            return Ok(None);
        };
        let day = PersonsDay {
            tx,
            desk: self,
            company,
            row: &row,
            zone,
            phone: &planned.phone,
            day: planned.start_local.date(),
            now,
        };
        day.remind(planned).map(Some)
    }
}

impl PersonsDay<'_> {
    fn remind(&self, first: &Planned) -> store::Result<u32> {
        // A booking that is to be kept quiet silences itself, not the others of the day.
        let rules = &self.company.settings.rules;
        let is_quiet = |due: &Due| rules.is_quiet(&due.record);
        let (quiet, others): (Vec<Due>, Vec<Due>) =
            self.read(first)?.into_iter().partition(is_quiet);
        Ok(self.remind_of(others)? + self.remind_of(quiet)?)
    }

    fn remind_of(&self, mut waiting: Vec<Due>) -> store::Result<u32> {
        let mut made = 0;
        loop {
            // Of several that are due only the latest is sent.
            let is_due = |due: &&Due| due.planned.due_at <= self.now;
            let latest = waiting
                .iter()
                .filter(is_due)
                .max_by_key(|d| d.planned.due_at);
            let Some(lead) = latest.map(|due| due.planned.lead.clone()) else {
                return Ok(made);
            };
            let (named, others): (Vec<Due>, Vec<Due>) = waiting
                .into_iter()
                .partition(|due| due.planned.lead == lead);
            waiting = Vec::new();
            for other in others {
                let is_named = named.iter().any(|due| due.record.id == other.record.id);
                if is_named && other.planned.due_at <= self.now {
                    self.drop(&other.planned, Dropped::Superseded)?;
                } else {
                    waiting.push(other);
                }
            }
            self.make(&named)?;
            made += 1;
        }
    }

    /// What is planned for the day and stands; what is due and of no use is dropped.
    fn read(&self, first: &Planned) -> store::Result<Vec<Due>> {
        let company = self.company.settings.id;
        let planned = reminders::planned_of_day(self.tx, company, self.phone, self.day)?;
        let unit = cache::get(self.tx, company, first.record)?.map(|c| cache::unit(&c.record));
        let mut standing = Vec::new();
        for planned in planned {
            let Some(cached) = cache::get(self.tx, company, planned.record)? else {
                self.drop(&planned, Dropped::Off)?;
                continue;
            };
            let record = cached.record;
            // Who has no number is nobody in particular: only a visit keeps them together.
            if self.phone.is_empty() && Some(cache::unit(&record)) != unit {
                continue;
            }
            let number = cache::number_of(self.tx, &record)?;
            if let Some(why) = unexpected(self.company, &record) {
                self.drop(&planned, why)?;
            } else if planned.start_local != record.start_local {
                self.drop(&planned, Dropped::Moved)?;
            } else if number != self.phone {
                // Another booking of the visit shows the number by now.
                reminders::set_phone(self.tx, &planned, &number)?;
            } else if self.is_hidden(&planned, &record) {
                self.drop(&planned, Dropped::Unseen)?;
            } else if let Some(why) = self.is_of_no_use(&planned, &record)? {
                self.drop(&planned, why)?;
            } else {
                standing.push(Due { planned, record });
            }
        }
        Ok(standing)
    }

    /// While the journal shows no numbers, who has none is not one more client to be called: the
    /// owners know of it.
    fn is_hidden(&self, planned: &Planned, record: &Record) -> bool {
        let hidden = self.row.phones_hidden_since.is_some();
        hidden && planned.due_at <= self.now && record.has_unseen_number() && self.phone.is_empty()
    }

    fn is_of_no_use(&self, planned: &Planned, record: &Record) -> store::Result<Option<Dropped>> {
        let start = record.start_at(self.zone);
        if planned.due_at > self.now {
            return Ok(None);
        }
        let expires_at = Desk::expires_at(self.company, self.zone, planned.due_at, start);
        let leaves_at = quiet_at(self.company, self.zone, self.now, Some(start));
        if start <= self.now || leaves_at.unwrap_or(self.now) >= expires_at {
            return Ok(Some(Dropped::Expired));
        }
        let told = was_told_lately(self.tx, record, self.phone, planned.due_at, start)?;
        Ok(told.then_some(Dropped::Told))
    }

    /// One notification that names these.
    fn make(&self, named: &[Due]) -> store::Result<()> {
        let records: Vec<Record> = named.iter().map(|due| due.record.clone()).collect();
        let first = records
            .first()
            .ok_or(store::StoreError::Corrupt("reminder of nothing"))?;
        let company = self.company.settings.id;
        let visit = Visit::of_records(self.tx, self.company, self.phone, &records)?;
        let around = Around {
            conn: self.tx,
            desk: self.desk,
            company: self.company,
            zone: self.zone,
            changed_at: self.now,
            now: self.now,
        };
        let reason = visit.untimely(Kind::Reminder, &records, &around)?;
        let way = match &visit.phone {
            Some(phone) => self.desk.way_to(self.tx, self.company, phone, None)?,
            None => None,
        };
        let place = words::Place {
            company: self.company,
            row: self.row,
            zone: self.zone,
            now: self.now,
        };
        let message = way.as_ref().map_or_else(String::new, |(end, _)| {
            words::said(&place, end, &told(self.company, &records))
        });
        let start = records.iter().map(|r| r.start_at(self.zone)).min();
        let due_at = quiet_at(self.company, self.zone, self.now, start);
        let id = outbox::add(
            self.tx,
            &New {
                company,
                record: first.id,
                visit: first.visit_id,
                unit: &cache::unit(first),
                kind: Kind::Reminder.as_str(),
                phone: self.phone,
                recipient: self.phone,
                channel: way.as_ref().map_or("", |(end, _)| end.name.as_str()),
                status: match reason {
                    Some(_) => Status::Suppressed,
                    None => Status::Pending,
                },
                reason,
                superseded_by: None,
                message: &message,
                frozen: false,
                keyboard: None,
                about: None,
                contact: None,
                told: "[]",
                first_change_at: self.now,
                changed_at: self.now,
                due_at: due_at.filter(|_| reason.is_none()).unwrap_or(self.now),
            },
            self.now,
        )?;
        for due in named {
            reminders::made(self.tx, &due.planned, id, self.now)?;
        }
        match reason {
            Some(reason) => {
                let (desk, now) = (self.desk, self.now);
                desk.card_for_silence(self.tx, id, &records, reason, now)
            }
            None => self.take_over(named, id),
        }
    }

    /// An earlier reminder of the day that still waits says nothing beside this one, which names
    /// also what only that one named.
    fn take_over(&self, named: &[Due], id: i64) -> store::Result<()> {
        let company = self.company.settings.id;
        let waiting = reminders::waiting_of_day(self.tx, company, self.phone, self.day)?;
        for earlier in waiting.into_iter().filter(|earlier| *earlier != id) {
            for planned in reminders::of_notification(self.tx, earlier)? {
                if named.iter().any(|due| due.record.id == planned.record) {
                    self.drop(&planned, Dropped::Superseded)?;
                } else {
                    reminders::made(self.tx, &planned, id, self.now)?;
                }
            }
            outbox::suppress(self.tx, earlier, Reason::Superseded, Some(id))?;
        }
        Ok(())
    }

    fn drop(&self, planned: &Planned, why: Dropped) -> store::Result<()> {
        reminders::drop_one(self.tx, planned, why, self.now)
    }
}
