//! One visit of one person, as the database has it: read the same way when its delay ends and at
//! the moment of sending, so that the two cannot disagree.

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::{Company, Desk, slots};
use crate::domain::known::{Knowledge, Known};
use crate::domain::phone::Phone;
use crate::domain::policy::{Ignore, Kind, Reason, Rules};
use crate::domain::record::Record;
use crate::domain::settle::{self, Member, Net, told_fields};
use crate::domain::silence::{self, Circumstances};
use crate::domain::zone::Zone;
use crate::store::outbox::Notification;
use crate::store::{self, cache, contacts, events, known, optouts};

/// A visit and one person.
pub(super) struct Visit {
    pub(super) members: Vec<Member>,
    /// Records of it that are no bookings: nothing is told of them.
    pub(super) ignored: Vec<Member>,
    /// `None` when nobody can be written to.
    pub(super) phone: Option<Phone>,
    /// When a message last told this person of it.
    pub(super) told_at: Option<DateTime<Utc>>,
}

impl Visit {
    /// Reads the visit as this person stands to it, without what is no booking. `phone` is '' when
    /// the records name none.
    pub(super) fn read(
        conn: &Connection,
        company: &Company,
        unit: &str,
        phone: &str,
    ) -> store::Result<Self> {
        let settings = &company.settings;
        let whole = Self::read_whole(conn, settings.id, unit, phone)?;
        Ok(whole.without_ignored(&settings.rules.ignore))
    }

    /// The visit that a notification is about, which its record may have left for another one.
    pub(super) fn of_notification(
        conn: &Connection,
        company: &Company,
        n: &Notification,
    ) -> store::Result<Self> {
        let record = cache::get(conn, n.company, n.record)?.map(|c| c.record);
        let unit = record.as_ref().map_or_else(|| n.unit.clone(), cache::unit);
        Self::read(conn, company, &unit, &n.phone)
    }

    /// The same with everything that is filed under it.
    pub(super) fn read_whole(
        conn: &Connection,
        company: i64,
        unit: &str,
        phone: &str,
    ) -> store::Result<Self> {
        let mut members = Vec::new();
        let mut last_told = None;
        for cached in cache::of_unit(conn, company, unit)? {
            let record = cached.record;
            let theirs = cache::number_of(conn, &record)? == phone;
            let row = if phone.is_empty() {
                // Nobody was ever told, so what the window began with stands for what is known.
                let before = events::state_before_open(conn, company, record.id)?;
                let known = match before {
                    Some(Some(before)) => Knowledge::of(&before),
                    Some(None) => Knowledge::Nothing,
                    None => Knowledge::of(&record),
                };
                known::KnownRow {
                    known: Known::certain(known),
                    told_at: None,
                }
            } else {
                let create_date = cache::create_date(&record);
                let of = |phone| known::Key::of(&record, &create_date, phone);
                let row = known::get(conn, of(phone))?;
                match theirs && record.phone().is_none() && row.known == Known::default() {
                    true => known_unseen(conn, of(""), &record, cached.revision)?,
                    false => row,
                }
            };
            let believes = row.known.states().iter().any(Knowledge::is_alive);
            if !theirs && !believes {
                continue;
            }
            last_told = last_told.max(row.told_at);
            members.push(Member {
                known: row.known,
                record,
                theirs,
                by_bot: cached.by_bot,
            });
        }
        let phone = (!phone.is_empty()).then(|| Phone::from_stored(phone.to_owned()));
        Ok(Self {
            members,
            ignored: Vec::new(),
            phone,
            told_at: last_told,
        })
    }

    /// What is no booking is put aside, and nobody knows of one that was none.
    fn without_ignored(mut self, ignore: &Ignore) -> Self {
        if ignore.is_empty() {
            return self;
        }
        let members = std::mem::take(&mut self.members).into_iter();
        (self.ignored, self.members) = members.partition(|m| ignore.covers(&m.record));
        for member in &mut self.members {
            member.known = member
                .known
                .without(|state| state.record().is_some_and(|r| ignore.covers(r)));
        }
        self
    }

    /// What one person stands to have of these records, whichever visits they belong to.
    pub(super) fn of_records(
        conn: &Connection,
        company: &Company,
        phone: &str,
        records: &[Record],
    ) -> store::Result<Self> {
        let mut units: Vec<String> = records.iter().map(cache::unit).collect();
        units.sort_unstable();
        units.dedup();
        let mut all = Self {
            members: Vec::new(),
            ignored: Vec::new(),
            phone: (!phone.is_empty()).then(|| Phone::from_stored(phone.to_owned())),
            told_at: None,
        };
        for unit in units {
            let visit = Self::read(conn, company, &unit, phone)?;
            all.told_at = all.told_at.max(visit.told_at);
            all.members.extend(visit.members);
        }
        let is_one = |m: &Member| records.iter().any(|r| r.id == m.record.id);
        all.members.retain(is_one);
        Ok(all)
    }

    /// This visit and others of the same person as one.
    pub(super) fn along_with<'a>(&self, others: impl Iterator<Item = &'a Self>) -> Self {
        let others = others.flat_map(|visit| &visit.members);
        Self {
            members: self.members.iter().chain(others).cloned().collect(),
            ignored: Vec::new(),
            phone: self.phone.clone(),
            told_at: self.told_at,
        }
    }

    /// Until when nothing can be said while phones are hidden: the booking passed to a client whose
    /// number is not shown, who may be the same person. `None` when there is no such booking, or
    /// it has begun.
    pub(super) fn waits_for_phones(&self, zone: Zone, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let unseen = |m: &&Member| {
            !m.theirs
                && m.record.is_alive()
                && m.record.client.is_some()
                && m.record.phone().is_none()
        };
        self.phone.as_ref()?;
        let starts = self.members.iter().filter(unseen);
        starts
            .map(|m| m.record.start_at(zone))
            .filter(|start| *start > now)
            .min()
    }

    /// What is to be spoken of. Once all that stands of the visit has begun, it is only what the
    /// person would come for in vain: a message of what stands would be past, and not leave.
    pub(super) fn still_to_come(mut self, zone: Zone, now: DateTime<Utc>) -> Self {
        let is_ahead = |r: &Record| r.start_at(zone) > now;
        let is_expected = |m: &Member| m.expected().as_ref().is_some_and(is_ahead);
        let (standing, off): (Vec<_>, Vec<_>) = self.members.iter().partition(|m| m.is_alive());
        let over = |m: &Member| !is_ahead(&m.record) && !is_expected(m);
        if off.into_iter().any(is_expected) && standing.into_iter().all(over) {
            self.members.retain(|m| !m.is_alive());
        }
        self
    }

    /// The bookings that the person would come to.
    pub(super) fn expected(&self) -> Vec<Record> {
        self.members.iter().filter_map(|m| m.expected()).collect()
    }

    /// The net change to be told.
    pub(super) fn net(&self, company: &Company) -> Option<Net> {
        settle::net(&self.members, &company.settings.rules)
    }

    /// The reason not to tell it, evaluated anew each time it is asked for.
    pub(super) fn silence(&self, net: &Net, around: &Around<'_>) -> store::Result<Option<Reason>> {
        self.reason_against(net, false, around)
    }

    /// The reason not to send this; of a correction only what bars any message counts.
    pub(super) fn reason_against(
        &self,
        net: &Net,
        correction: bool,
        around: &Around<'_>,
    ) -> store::Result<Option<Reason>> {
        let rules = &around.company.settings.rules;
        let circumstances = self.circumstances(&net.now, around)?;
        Ok(if correction {
            silence::barred(&net.now, rules, circumstances)
        } else {
            silence::silence(net, rules, circumstances)
        })
    }

    /// The reason not to tell what a clock brings of these records.
    pub(super) fn untimely(
        &self,
        kind: Kind,
        records: &[Record],
        around: &Around<'_>,
    ) -> store::Result<Option<Reason>> {
        let rules = &around.company.settings.rules;
        let circumstances = self.circumstances(records, around)?;
        Ok(silence::untimely(kind, records, rules, circumstances))
    }

    /// What stands around a message about these records.
    fn circumstances(
        &self,
        records: &[Record],
        around: &Around<'_>,
    ) -> store::Result<Circumstances<'_>> {
        let Around {
            conn,
            desk,
            company,
            zone,
            changed_at,
            now,
        } = *around;
        let (mut opted_out, mut addressable, mut wrote_at) = (false, false, None);
        if let Some(phone) = &self.phone {
            opted_out = optouts::is_out(conn, company.settings.id, phone.e164())?;
            wrote_at = contacts::wrote_at(conn, phone.e164(), &company.settings.channels)?;
            addressable = desk.way_to(conn, company, phone, None)?.is_some();
        }
        let told_of = |m: &&Member| records.iter().any(|r| r.id == m.record.id);
        let told: Vec<&Member> = self.members.iter().filter(told_of).collect();
        let by_bot = !told.is_empty() && told.iter().all(|m| m.by_bot);
        let rules = &company.settings.rules;
        let quiet = told.iter().any(|m| rules.is_quiet(&m.record));
        Ok(Circumstances {
            now,
            zone,
            changed_at,
            phone: self.phone.as_ref(),
            opted_out,
            wrote_at,
            addressable,
            by_bot,
            quiet,
        })
    }

    /// Whether what a message said is still how things stand.
    pub(super) fn still_stands(&self, told: &[Told], rules: &Rules) -> bool {
        told.iter().all(|t| {
            self.members.iter().any(|m| {
                m.record.id == t.record
                    && match &t.state {
                        Knowledge::Booked(said) => {
                            m.is_alive() && told_fields(said, &m.record, rules).is_empty()
                        }
                        Knowledge::Cancelled(_) => !m.is_alive(),
                        Knowledge::Nothing | Knowledge::Unseen => false,
                    }
            })
        })
    }

    /// What the person will know once they are told how things stand.
    pub(super) fn told(&self) -> Vec<Told> {
        self.members
            .iter()
            .map(|m| Told {
                record: m.record.id,
                create_date: cache::create_date(&m.record),
                before: m.known.clone(),
                state: m.told(),
                taken_back: false,
            })
            .collect()
    }

    /// Stores that the person may be taken to know how things stand, although we said nothing.
    pub(super) fn take_as_known(&self, conn: &Connection, company: i64) -> store::Result<()> {
        let Some(phone) = &self.phone else {
            return Ok(());
        };
        for told in self.told() {
            told.set(
                conn,
                company,
                phone.e164(),
                &Known::certain(told.state.clone()),
                None,
            )?;
        }
        Ok(())
    }

    /// The same for how things stood when this visit was last settled: a change whose delay still
    /// runs is told when it ends. What is again as the person knows it stays so.
    pub(super) fn take_settled_as_known(
        &self,
        conn: &Connection,
        company: i64,
    ) -> store::Result<()> {
        let Some(phone) = &self.phone else {
            return Ok(());
        };
        for (member, told) in self.members.iter().zip(self.told()) {
            let state = match events::state_before_open(conn, company, member.record.id)? {
                None => told.state.clone(),
                Some(_) if member.is_as_known() => continue,
                // It came into being since.
                Some(None) => continue,
                Some(Some(before)) => {
                    let theirs = before.phone().is_some_and(|p| p.e164() == phone.e164());
                    let then = Member {
                        record: before,
                        theirs,
                        ..member.clone()
                    };
                    then.told()
                }
            };
            told.set(conn, company, phone.e164(), &Known::certain(state), None)?;
        }
        Ok(())
    }

    /// The first record of the visit: the earliest standing one, else the earliest.
    pub(super) fn first(&self, net: &Net) -> Option<Record> {
        net.now
            .first()
            .or_else(|| self.members.first().map(|m| &m.record))
            .cloned()
    }
}

/// What is known of a booking by whoever has it without a number: what is stored, or all there is,
/// as long as nothing has happened since we know it.
fn known_unseen(
    conn: &Connection,
    key: known::Key<'_>,
    record: &Record,
    revision: i64,
) -> store::Result<known::KnownRow> {
    let row = known::get(conn, key)?;
    if slots::is_slot(&row.known) {
        return Ok(known::KnownRow::default());
    }
    let is_stored = row.known != Known::default() || revision > 0;
    Ok(match is_stored {
        true => row,
        false => known::KnownRow {
            known: Known::certain(Knowledge::of(record)),
            told_at: None,
        },
    })
}

/// Where and when it is decided whether to tell of a visit.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) conn: &'a Connection,
    pub(super) desk: &'a Desk,
    pub(super) company: &'a Company,
    pub(super) zone: Zone,
    /// The change in the journal that made it tellable.
    pub(super) changed_at: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
}

/// What one message makes known of one booking. Stored with the notification.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) record: i64,
    pub(super) create_date: String,
    /// What was known before: it comes back when the message turns out not to have arrived.
    pub(super) before: Known,
    pub(super) state: Knowledge,
    /// An answer that was given up: they know what they knew before, or what something else told them
    /// meanwhile, unless it is sent again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) taken_back: bool,
}

impl Told {
    fn key<'a>(&'a self, company: i64, phone: &'a str) -> known::Key<'a> {
        known::Key {
            company,
            record: self.record,
            create_date: &self.create_date,
            phone,
        }
    }

    /// Whether this is still the last thing the person knows of the booking.
    pub(super) fn is_what_is_known(
        &self,
        conn: &Connection,
        company: i64,
        phone: &str,
    ) -> store::Result<bool> {
        Ok(known::get(conn, self.key(company, phone))?.known == Known::certain(self.state.clone()))
    }

    /// What they know of the booking by a message that came since then.
    pub(super) fn told_since(
        &self,
        conn: &Connection,
        company: i64,
        phone: &str,
        since: DateTime<Utc>,
    ) -> store::Result<Option<Knowledge>> {
        let row = known::get(conn, self.key(company, phone))?;
        let is_later = row.told_at.is_some_and(|at| at > since);
        Ok(row.known.single().filter(|_| is_later).cloned())
    }

    /// What was taken back is known after all, or may be, where nothing was learned since.
    pub(super) fn give_back(
        &self,
        conn: &Connection,
        company: i64,
        phone: &str,
        is_sure: bool,
    ) -> store::Result<()> {
        let key = self.key(company, phone);
        let known = known::get(conn, key)?.known;
        let either = self.before.clone().or(self.state.clone());
        if known != self.before && known != either {
            return Ok(());
        }
        let known = match is_sure {
            true => Known::certain(self.state.clone()),
            false => either,
        };
        known::set(conn, key, &known, None)
    }

    /// Whether all that is known of the booking is still what an uncertain message left: what was
    /// known before it, or what it said.
    pub(super) fn is_in_doubt(
        &self,
        conn: &Connection,
        company: i64,
        phone: &str,
    ) -> store::Result<bool> {
        Ok(known::get(conn, self.key(company, phone))?.known
            == self.before.clone().or(self.state.clone()))
    }

    /// What told them of it then did not arrive: they know what they knew before.
    pub(super) fn take_back(
        &self,
        conn: &Connection,
        company: i64,
        phone: &str,
        told_at: Option<DateTime<Utc>>,
    ) -> store::Result<()> {
        self.set(conn, company, phone, &self.before, None)?;
        match told_at {
            Some(at) => known::untell(conn, self.key(company, phone), at),
            None => Ok(()),
        }
    }

    /// Stores what this person knows of this booking.
    pub(super) fn set(
        &self,
        conn: &Connection,
        company: i64,
        phone: &str,
        known: &Known,
        told_at: Option<DateTime<Utc>>,
    ) -> store::Result<()> {
        known::set(conn, self.key(company, phone), known, told_at)
    }
}
