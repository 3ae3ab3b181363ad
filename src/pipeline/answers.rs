//! Answers to clients at the moment they leave, and once it is sure that they never do.
//!
//! An answer is true when it is queued, and a channel that is down may keep it for a day. What it says of
//! bookings is stored with it and compared with the journal when it leaves; what it makes known is taken
//! back when it never arrives, so that it is told like any other change; and given back when somebody has
//! it sent again and it arrives after all.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::Desk;
use super::visit::{Around, Told, Visit};
use crate::domain::known::Knowledge;
use crate::domain::message::owner::card_unanswered;
use crate::domain::message::{self, Told as Said};
use crate::domain::phone::Phone;
use crate::domain::policy::{Reason, Rules};
use crate::domain::record::Record;
use crate::domain::settle::told_fields;
use crate::store::outbox::{self, Notification};
use crate::store::settling::Unit;
use crate::store::{
    self, StoreError, cache, companies, contacts, known, proposals, reminders, settling,
};

/// What nothing in the journal proves right or wrong (prices, free times, "wait a moment") is said within
/// this time or not at all: by then a person has the conversation.
const STALE: TimeDelta = TimeDelta::hours(1);

/// The bookings that an answer speaks of, as it has them, JSON. `phone` is whom it answers, '' for a
/// stranger.
pub(super) fn stated(conn: &Connection, said: &Said<'_>, phone: &str) -> store::Result<String> {
    let records: &[Record] = match said {
        message::Told::Confirmed { now } | message::Told::Which { now } => now,
        message::Told::CalledOff { was } => was,
        message::Told::Linked { next } => next,
        _ => &[],
    };
    stated_of(conn, records, phone)
}

/// The same for these bookings.
pub(super) fn stated_of(
    conn: &Connection,
    records: &[Record],
    phone: &str,
) -> store::Result<String> {
    let mut all = Vec::new();
    for record in records {
        let create_date = cache::create_date(record);
        let before = known::get(conn, known::Key::of(record, &create_date, phone))?.known;
        all.push(Told {
            record: record.id,
            create_date,
            before,
            state: Knowledge::of(record),
            taken_back: false,
        });
    }
    json(&all)
}

fn json(told: &[Told]) -> store::Result<String> {
    serde_json::to_string(told).map_err(|_| StoreError::Corrupt("answer to be stored"))
}

fn read(n: &Notification) -> store::Result<Vec<Told>> {
    serde_json::from_str(&n.told).map_err(|_| StoreError::Corrupt("answer"))
}

/// Whether this is an answer of the program's to a client; not what a person of the salon wrote.
fn is_ours(n: &Notification) -> bool {
    n.kind == "reply" && n.about.is_none()
}

/// The number of whoever is answered; '' for a stranger.
fn phone_of(conn: &Connection, n: &Notification) -> store::Result<String> {
    let contact = match n.contact {
        Some(id) => contacts::get(conn, id)?,
        None => None,
    };
    Ok(contact.map_or_else(String::new, |contact| contact.phone))
}

/// An answer that had been given up was sent again: what was taken back then is known, or may be.
pub(super) fn give_back(conn: &Connection, n: &Notification, is_sure: bool) -> store::Result<()> {
    if !is_ours(n) {
        return Ok(());
    }
    let told = read(n)?;
    let phone = phone_of(conn, n)?;
    for told in told.iter().filter(|told| told.taken_back) {
        if let Some(said) = told.state.record().filter(|_| !phone.is_empty()) {
            told.give_back(conn, said.company_id, &phone, is_sure)?;
        }
    }
    Ok(())
}

/// The booking as it is now, if it is still the one that was spoken of. It may be another salon's than the
/// one in whose name the answer goes.
fn present(conn: &Connection, told: &Told) -> store::Result<Option<Record>> {
    let Some(said) = told.state.record() else {
        return Ok(None);
    };
    let cached = cache::get(conn, said.company_id, told.record)?.map(|c| c.record);
    Ok(cached.filter(|record| cache::create_date(record) == told.create_date))
}

/// Whether what was said of a booking is how it stands.
fn stands(said: &Knowledge, now: &Record, rules: &Rules) -> bool {
    match said {
        Knowledge::Booked(said) => {
            let theirs = said.phone().zip(now.phone()).is_none_or(|(a, b)| a == b);
            now.is_alive()
                && theirs
                && said.start_local == now.start_local
                && told_fields(said, now, rules).is_empty()
        }
        Knowledge::Cancelled(_) => !now.is_alive(),
        Knowledge::Nothing | Knowledge::Unseen => false,
    }
}

impl Desk {
    /// Why an answer is not to leave any more: what it says of a booking is not so, or nobody needs it.
    pub(super) fn outdated(
        &self,
        conn: &Connection,
        n: &Notification,
        now: DateTime<Utc>,
    ) -> store::Result<Option<Reason>> {
        if !is_ours(n) {
            return Ok(None);
        }
        let told = read(n)?;
        if told.is_empty() {
            if !self.companies.contains_key(&n.company) {
                return Ok(None);
            }
            // A question about a proposal that stands no more would be answered in vain.
            if proposals::is_over(conn, n.contact, n.id, now)? {
                return Ok(Some(Reason::Superseded));
            }
            let age = now - n.created_at.max(n.changed_at);
            return Ok((n.contact.is_some() && age > STALE).then_some(Reason::Expired));
        }
        if self.was_told_since(conn, n, &told)? {
            return Ok(Some(Reason::Superseded));
        }
        let mut is_ahead = false;
        for told in &told {
            let Some(record) = present(conn, told)? else {
                return Ok(Some(Reason::Superseded));
            };
            // The journal of a salon that is watched no more proves nothing.
            let Some(theirs) = self.companies.get(&record.company_id) else {
                return Ok(Some(Reason::Expired));
            };
            if !stands(&told.state, &record, &theirs.settings.rules) {
                return Ok(Some(Reason::Superseded));
            }
            let row = companies::get(conn, record.company_id)?.unwrap_or_default();
            let zone = theirs.zone(&row);
            is_ahead |= zone.is_none_or(|zone| record.start_at(zone) > now);
        }
        // What was asked for just before the visit may be answered just after it began.
        let has_waited = now - n.created_at > outbox::COPY_PATIENCE;
        Ok((!is_ahead && has_waited).then_some(Reason::Past))
    }

    /// Whether all that an answer said when it was given up was told by something else since.
    fn was_told_since(
        &self,
        conn: &Connection,
        n: &Notification,
        told: &[Told],
    ) -> store::Result<bool> {
        if !told.iter().all(|told| told.taken_back) {
            return Ok(false);
        }
        let phone = phone_of(conn, n)?;
        for told in told {
            let id = told.state.record().map_or(n.company, |r| r.company_id);
            let Some(company) = self.companies.get(&id) else {
                return Ok(false);
            };
            let rules = &company.settings.rules;
            let since = told.told_since(conn, id, &phone, n.created_at)?;
            let is_same = match (&told.state, &since) {
                (Knowledge::Booked(_), Some(Knowledge::Booked(k))) => stands(&told.state, k, rules),
                (Knowledge::Cancelled(_), Some(Knowledge::Cancelled(_))) => true,
                _ => false,
            };
            if !is_same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// An answer that never reaches its client. What it would have made known is told like any other change;
    /// where nothing else speaks to the client, the owners hear that they were left without an answer.
    pub(super) fn unsaid(
        &self,
        conn: &Connection,
        n: &Notification,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let Some(company) = self.companies.get(&n.company).filter(|_| is_ours(n)) else {
            return Ok(());
        };
        let contact = match n.contact {
            Some(id) => contacts::get(conn, id)?,
            None => None,
        };
        // The answer to a /start or a STOP is nobody's to give.
        let Some(contact) = contact else {
            return Ok(());
        };
        let mut told = read(n)?;
        let mut is_told = !told.is_empty();
        for told in &mut told {
            is_told &= self.is_told_else(conn, n, told, &contact.phone, now)?;
        }
        if told.iter().any(|told| told.taken_back) {
            outbox::set_told(conn, n.id, &json(&told)?)?;
        }
        if is_told {
            return Ok(());
        }
        if told.is_empty() {
            self.waits_for_person(conn, company, contact.id, now, now)?;
        }
        let phone = (!contact.phone.is_empty()).then(|| Phone::from_stored(contact.phone.clone()));
        let client = (contact.name.as_str(), phone.as_ref());
        let about = (n.record, Some(contact.id));
        self.write_to_owners(conn, company, about, now, |voice, salon| {
            card_unanswered(voice, salon, client, &n.message, self.mask_phones)
        })
    }

    /// Whether something else tells the client how this booking stands. What only the answer made known is
    /// not known.
    fn is_told_else(
        &self,
        conn: &Connection,
        n: &Notification,
        told: &mut Told,
        phone: &str,
        now: DateTime<Utc>,
    ) -> store::Result<bool> {
        let Some(record) = present(conn, told)?.filter(|_| !phone.is_empty()) else {
            return Ok(false);
        };
        let id = record.company_id;
        let row = companies::get(conn, id)?.unwrap_or_default();
        let company = self.companies.get(&id);
        let Some((company, zone)) = company.and_then(|c| Some((c, c.zone(&row)?))) else {
            return Ok(false);
        };
        let unit = cache::unit(&record);
        let visit = Visit::read(conn, company, &unit, phone)?;
        let reminded_at = reminders::sent_at(conn, id, record.id, phone)?;
        if visit
            .told_at
            .max(reminded_at)
            .is_some_and(|at| at > n.created_at)
        {
            told.taken_back = true;
            return Ok(true);
        }
        // What was learned since stands. What may have arrived is known or is not.
        if told.is_what_is_known(conn, id, phone)? {
            match outbox::was_uncertain(conn, n.id)? {
                true => {
                    let either = told.before.clone().or(told.state.clone());
                    told.set(conn, id, phone, &either, None)?;
                }
                false => told.take_back(conn, id, phone, None)?,
            }
            told.taken_back = true;
        }
        let visit = Visit::read(conn, company, &unit, phone)?;
        let around = Around {
            conn,
            desk: self,
            company,
            zone,
            changed_at: now,
            now,
        };
        let is_tellable = match visit.net(company) {
            Some(net) => visit.silence(&net, &around)?.is_none(),
            None => false,
        };
        if is_tellable {
            let unit = Unit {
                company: id,
                unit,
                phone: phone.to_owned(),
                first_change_at: now,
            };
            settling::reopen(conn, &unit)?;
        }
        Ok(is_tellable)
    }
}
