//! A client's number was corrected: every booking of theirs becomes news to the new number at once,
//! and is told in one message. The visit that settles first leads, the others ride along.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::Company;
use super::happened::Happened;
use super::orders::paused_until;
use super::settle::Settling;
use super::visit::{Told, Visit};
use crate::domain::delivery::Status;
use crate::domain::policy::{Kind, Reason};
use crate::domain::record::Record;
use crate::domain::settle::Form;
use crate::domain::zone::Zone;
use crate::store::outbox::{self, New, Notification};
use crate::store::settling::Unit;
use crate::store::{self, StoreError, cache, events, settling};

/// Another visit of the same person that is told in the same message.
pub(super) struct Rider {
    pub(super) unit: Unit,
    pub(super) visit: Visit,
}

impl Settling<'_> {
    /// The visits to be told along with this one. Only what is news through a corrected number
    /// rides, and only what would be told by itself too.
    pub(super) fn riders(&self, lead: &Visit) -> store::Result<Vec<Rider>> {
        let company = self.unit.company;
        let phone = self.unit.phone.as_str();
        let mut riders = Vec::new();
        if phone.is_empty() || !is_renumbered(self.tx, company, lead)? {
            return Ok(riders);
        }
        for unit in settling::of_person(self.tx, company, phone)? {
            if unit == self.unit.unit {
                continue;
            }
            let visit = Visit::read(self.tx, self.company, &unit, phone)?;
            let is_told = is_news(&visit, self.company) && self.would_go(&visit)?;
            if is_told && is_renumbered(self.tx, company, &visit)? {
                riders.push(Rider {
                    unit: Unit {
                        unit,
                        ..self.unit.clone()
                    },
                    visit,
                });
            }
        }
        Ok(riders)
    }

    /// A visit that is told in the message of another one.
    pub(super) fn ride(&self, rider: &Rider, lead: i64) -> store::Result<()> {
        let Unit {
            company,
            unit,
            phone,
            ..
        } = &rider.unit;
        let (company, visit) = (*company, &rider.visit);
        let happened = Happened::read(self.tx, company, self.row.baseline_at, visit)?;
        for notification in outbox::open_of_unit(self.tx, company, unit, phone)? {
            if notification.status == Status::Uncertain {
                outbox::set_superseded_by(self.tx, notification.id, lead)?;
            } else {
                let why = (Reason::Superseded, Some(lead));
                self.desk.suppress(self.tx, &notification, why, self.now)?;
            }
        }
        let theirs: Vec<i64> = visit
            .members
            .iter()
            .filter(|m| m.theirs)
            .map(|m| m.record.id)
            .collect();
        for member in visit.members.iter().filter(|m| m.is_alive()) {
            self.add(&New {
                unit,
                kind: Kind::Created.as_str(),
                superseded_by: Some(lead),
                ..self.plain(&member.record, Status::Suppressed, Some(Reason::Superseded))
            })?;
        }
        self.copy_to_owners(visit, &happened, Some(lead))?;
        events::settle(self.tx, company, &theirs, self.now)?;
        cache::set_settled(self.tx, company, &theirs)?;
        settling::close(self.tx, &rider.unit)
    }

    /// Whether nothing bars this visit's message.
    pub(super) fn would_go(&self, visit: &Visit) -> store::Result<bool> {
        let Some(net) = visit.net(self.company) else {
            return Ok(false);
        };
        let baseline_at = self.row.baseline_at;
        let happened = Happened::read(self.tx, self.unit.company, baseline_at, visit)?;
        let changed_at = happened.tellable_at.unwrap_or(self.now);
        Ok(visit.silence(&net, &self.around(changed_at))?.is_none())
    }
}

/// Whether this person never heard of the visit.
fn is_news(visit: &Visit, company: &Company) -> bool {
    visit
        .net(company)
        .is_some_and(|net| net.form == Form::Created)
}

/// Whether a booking of this visit came to this number by a correction, while its delay ran.
fn is_renumbered(conn: &Connection, company: i64, visit: &Visit) -> store::Result<bool> {
    let client = |r: &Record| r.client.as_ref().map_or(0, |c| c.id);
    for member in visit.members.iter().filter(|m| m.is_alive()) {
        let before = events::state_before_open(conn, company, member.record.id)?.flatten();
        let corrected = before.is_some_and(|before| {
            client(&before) != 0
                && client(&before) == client(&member.record)
                && before.phone().is_some()
                && before.phone() != member.record.phone()
        });
        if corrected {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The visits beside this one that a notification tells of. It is filed under its earliest record,
/// which need not be one of the visit that it was settled for.
fn other_units(conn: &Connection, n: &Notification, own: &str) -> store::Result<Vec<String>> {
    let told: Vec<Told> =
        serde_json::from_str(&n.told).map_err(|_| StoreError::Corrupt("notification"))?;
    let mut units = Vec::new();
    for told in told {
        let unit = cache::get(conn, n.company, told.record)?.map(|c| cache::unit(&c.record));
        units.extend(unit.filter(|unit| unit != own));
    }
    units.sort_unstable();
    units.dedup();
    Ok(units)
}

/// Whether a pause or its beginning keeps nobody from telling this visit now.
fn may_leave(
    conn: &Connection,
    n: &Notification,
    visit: &Visit,
    zone: Zone,
    now: DateTime<Utc>,
) -> store::Result<bool> {
    let standing = visit.members.iter().filter(|m| m.is_alive());
    let records: Vec<Record> = standing.map(|m| m.record.clone()).collect();
    let is_ahead = records.iter().any(|r| r.start_at(zone) > now);
    Ok(is_ahead && paused_until(conn, n.company, &n.phone, &records, now)?.is_none())
}

/// At the moment of sending: joins to the visit what still rides along. What changed meanwhile is
/// told by itself, and so is what may leave while this may not, or the other way round: nobody hears
/// of a visit that has begun, and none waits for the pause of another one's master.
pub(super) fn join(
    conn: &Connection,
    n: &Notification,
    company: &Company,
    (zone, now): (Zone, DateTime<Utc>),
    (own, visit): (&str, &mut Visit),
) -> store::Result<()> {
    let units = other_units(conn, n, own)?;
    if units.is_empty() {
        return Ok(());
    }
    if !n.frozen && !is_news(visit, company) {
        return part(conn, n, own);
    }
    let leaves = may_leave(conn, n, visit, zone, now)?;
    for unit in units {
        let other = Visit::read(conn, company, &unit, &n.phone)?;
        let rides = !settling::is_open(conn, n.company, &unit, &n.phone)?;
        let stands = n.frozen || rides && is_news(&other, company);
        if !stands {
            continue;
        }
        if n.frozen || may_leave(conn, n, &other, zone, now)? == leaves {
            visit.members.extend(other.members);
        } else {
            settle_anew(conn, n, unit)?;
        }
    }
    Ok(())
}

/// The notification is not to leave as it is: what rode along is settled anew, or nobody would
/// tell it.
pub(super) fn part(conn: &Connection, n: &Notification, own: &str) -> store::Result<()> {
    for unit in other_units(conn, n, own)? {
        settle_anew(conn, n, unit)?;
    }
    Ok(())
}

fn settle_anew(conn: &Connection, n: &Notification, unit: String) -> store::Result<()> {
    let unit = Unit {
        company: n.company,
        unit,
        phone: n.phone.clone(),
        first_change_at: n.first_change_at,
    };
    settling::reopen(conn, &unit)
}
