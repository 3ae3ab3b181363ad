//! What a visit leaves behind: thanks, or that the client was missed. The journal says which by its
//! attendance, and may say otherwise a moment later; so it waits for the visit's end and half an
//! hour more, is decided anew when it leaves, and is told once a visit.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;

use super::claim::{Claim, Parting};
use super::happened::Happened;
use super::quiet::quiet_at;
use super::settle::Settling;
use super::visit::{Around, Visit};
use super::{ChannelEnd, Desk, words};
use crate::domain::delivery::Status;
use crate::domain::message::Told;
use crate::domain::policy::{Kind, Reason};
use crate::domain::record::{Attendance, Record};
use crate::domain::zone::Zone;
use crate::store::outbox::{self, New, Notification};
use crate::store::{self, cache};

/// An administrator has so long after a visit to put right what the journal says of it.
const AFTER_THE_END: TimeDelta = TimeDelta::minutes(30);

/// What the journal says of a visit whose client came, or did not.
struct Aftermath {
    kind: Kind,
    /// Its standing bookings in order of time.
    records: Vec<Record>,
}

impl Aftermath {
    /// `None` while the client is expected. Who came to one booking of a visit was there.
    fn of(visit: &Visit) -> Option<Self> {
        let standing = visit.members.iter().filter(|m| m.is_alive());
        let mut records: Vec<Record> = standing.map(|m| m.record.clone()).collect();
        records.sort_by_key(|r| (r.start_local, r.id));
        let is = |r: &Record, attendance| r.attendance == attendance;
        let kind = if records.iter().any(|r| is(r, Attendance::Arrived)) {
            Kind::Visited
        } else if !records.is_empty() && records.iter().all(|r| is(r, Attendance::NoShow)) {
            Kind::NoShow
        } else {
            return None;
        };
        Some(Self { kind, records })
    }

    fn begins_at(&self, zone: Zone) -> Option<DateTime<Utc>> {
        self.records.iter().map(|r| r.start_at(zone)).min()
    }

    /// When it may be told.
    fn due_at(&self, zone: Zone, now: DateTime<Utc>) -> DateTime<Utc> {
        let end = |r: &Record| r.start_at(zone) + TimeDelta::seconds(r.length.max(0));
        let end = self.records.iter().map(end).max();
        end.map_or(now, |end| end + AFTER_THE_END)
    }

    fn told(&self) -> Told<'_> {
        match self.kind {
            Kind::NoShow => Told::NoShow { was: &self.records },
            _ => Told::Visited { was: &self.records },
        }
    }
}

impl Settling<'_> {
    /// Plans what the visit leaves behind, or drops what the journal says no more. Returns the
    /// notification that says so, or why not.
    pub(super) fn aftermath(
        &self,
        visit: &Visit,
        happened: &Happened,
    ) -> store::Result<Option<i64>> {
        let Some(phone) = &visit.phone else {
            return Ok(None);
        };
        let (company, unit) = (self.unit.company, self.unit.unit.as_str());
        let open = outbox::open_aftermath(self.tx, company, unit, phone.e164())?;
        let aftermath = Aftermath::of(visit);
        let (same, other): (Vec<_>, Vec<_>) = open.iter().partition(|n| {
            let kind = aftermath.as_ref().map(|a| a.kind);
            kind == Kind::from_stored(&n.kind)
        });
        let id = match (&aftermath, same.first()) {
            (None, _) => None,
            (Some(aftermath), Some(waiting)) => {
                let due_at = aftermath.due_at(self.zone, self.now).max(self.now);
                outbox::postpone(self.tx, waiting.id, due_at)?;
                Some(waiting.id)
            }
            (Some(aftermath), None) => self.leave_behind(visit, aftermath, happened)?,
        };
        for n in other {
            let why = (Reason::Superseded, id);
            self.desk.suppress(self.tx, n, why, self.now)?;
        }
        Ok(id)
    }

    fn leave_behind(
        &self,
        visit: &Visit,
        aftermath: &Aftermath,
        happened: &Happened,
    ) -> store::Result<Option<i64>> {
        let Some(first) = aftermath.records.first() else {
            return Ok(None);
        };
        let (company, unit) = (self.unit.company, self.unit.unit.as_str());
        let begins_at = aftermath.begins_at(self.zone).unwrap_or(self.now);
        let is_told = outbox::has_aftermath(self.tx, company, unit, &self.unit.phone, begins_at)?;
        if is_told || !happened.is_about_attendance() {
            return Ok(None);
        }
        let around = self.around(self.now);
        let reason = visit.untimely(aftermath.kind, &aftermath.records, &around)?;
        let way = match &visit.phone {
            Some(phone) => around.desk.way_to(self.tx, self.company, phone, None)?,
            None => None,
        };
        let place = words::Place {
            company: self.company,
            row: self.row,
            zone: self.zone,
            now: self.now,
        };
        let message = way.as_ref().map_or_else(String::new, |(end, _)| {
            words::said(&place, end, &aftermath.told())
        });
        let status = match reason {
            Some(_) => Status::Suppressed,
            None => Status::Pending,
        };
        let id = self.add(&New {
            kind: aftermath.kind.as_str(),
            channel: way.as_ref().map_or("", |(end, _)| end.name.as_str()),
            message: &message,
            due_at: aftermath.due_at(self.zone, self.now).max(self.now),
            ..self.plain(first, status, reason)
        })?;
        Ok(Some(id))
    }
}

impl Desk {
    /// Decides anew whether what a visit left behind is told: the journal has to say still what it
    /// said, and nobody is thanked before the end.
    pub(super) fn claim_aftermath(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        end: &ChannelEnd,
        place: &words::Place<'_>,
        kind: Kind,
    ) -> store::Result<Claim> {
        let (company, zone, now) = (place.company, place.zone, place.now);
        let record = cache::get(tx, n.company, n.record)?.map(|c| c.record);
        let unit = record.as_ref().map_or_else(|| n.unit.clone(), cache::unit);
        let visit = Visit::read(tx, company, &unit, &n.phone)?;
        let Some(aftermath) = Aftermath::of(&visit).filter(|a| a.kind == kind) else {
            outbox::suppress(tx, n.id, Reason::Superseded, None)?;
            return Ok(Claim::Skip);
        };
        let due_at = aftermath.due_at(zone, now);
        if due_at > now {
            outbox::wait_for(tx, n.id, "the visit is not over", due_at)?;
            return Ok(Claim::Skip);
        }
        let around = Around {
            conn: tx,
            desk: self,
            company,
            zone,
            changed_at: n.changed_at,
            now,
        };
        if let Some(reason) = visit.untimely(kind, &aftermath.records, &around)? {
            outbox::suppress(tx, n.id, reason, None)?;
            return Ok(Claim::Skip);
        }
        let parting = Parting {
            records: &aftermath.records,
            expected: &[],
            quiet_until: quiet_at(company, zone, now, None),
            is_near: false,
            text: match n.letter() {
                Some(said) => said.to_owned(),
                None => words::said(place, end, &aftermath.told()),
            },
            brief: words::brief_of(place, &aftermath.told()),
            // It says nothing of a booking that anybody could still come for.
            told: "[]".to_owned(),
        };
        self.part(tx, n, end, place, parting)
    }
}
