//! What a client agreed to is written into the journal: a booking made, or moved. (One taken off is an
//! order like those of the rules.) The intent is on the disk before the request; what became of a lost
//! answer is read from the journal, and a booking is never asked for twice.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;

use super::super::apply::Applying;
use super::super::poll::delta;
use super::super::{Company, Desk, Pipeline, answers};
use super::Chat;
use crate::domain::agent::proposal::{Existing, Proposal};
use crate::domain::delivery::{retry_step, spread};
use crate::domain::known::{Knowledge, Known};
use crate::domain::message::Told;
use crate::domain::message::markup::named;
use crate::domain::message::owner::card_undone;
use crate::domain::phone::Phone;
use crate::domain::record::{Record, Staff};
use crate::domain::reply::order::{Act, Meant, Obstacle, Standing as Seen, judge};
use crate::domain::zone::Zone;
use crate::failpoint;
use crate::ports::{ApiError, CompanyRef, Draft, Edit, Lookup, Urgency, WriteError};
use crate::store::companies::CompanyRow;
use crate::store::proposals::{self, Proposed, Standing};
use crate::store::{self, cache, contacts, known, outbox, talks};

/// What was written shows within this time, or is looked for again.
const SHOWS_AFTER: TimeDelta = TimeDelta::seconds(2);
/// A slot that somebody else took meanwhile is refused like this.
const CONFLICT: u16 = 409;
/// A client of whom the messenger shows no name.
const NAMELESS: &str = "Клиент";
/// Of one with a very long name.
const LONGEST_NAME: usize = 64;

/// How an attempt ended.
enum Attempt {
    /// The journal shows it.
    Done(Box<Record>),
    /// Somebody else has that time.
    Taken,
    /// It is not to be written.
    Barred(Obstacle),
    /// Not now.
    Later(TimeDelta),
}

impl Pipeline {
    /// Writes what this company's clients agreed to, by whoever has its turn.
    pub(in crate::pipeline) async fn deeds_in_turn(
        &self,
        company: &Arc<Company>,
        row: &CompanyRow,
        zone: Zone,
    ) -> store::Result<u32> {
        let (id, now) = (company.settings.id, self.clock.now());
        let agreed = self.store.read(move |c| proposals::due(c, id, now)).await?;
        let mut ended = 0;
        for proposed in agreed {
            if self.stopping.is_cancelled() {
                break;
            }
            ended += u32::from(self.deed(company, row, zone, proposed).await?);
        }
        Ok(ended)
    }

    async fn deed(
        &self,
        company: &Arc<Company>,
        row: &CompanyRow,
        zone: Zone,
        proposed: Proposed,
    ) -> store::Result<bool> {
        let reference = company.reference(zone, Urgency::Look);
        let attempt = match &proposed.what {
            Proposal::Make { .. } => self.make(company, &reference, &proposed).await?,
            Proposal::Move { was, start, staff } => {
                let target = (*start, staff);
                self.shift(company, &reference, &proposed, was, target)
                    .await?
            }
            // An order does that.
            Proposal::Cancel { .. } => Attempt::Barred(Obstacle::Off),
        };
        failpoint::pass("after_deed");
        let now = self.clock.now();
        let (desk, company, row) = (self.desk(), Arc::clone(company), row.clone());
        let (id, defences) = (proposed.id, self.defences);
        let ended = self
            .store
            .write(move |tx| {
                let Some(proposed) =
                    proposals::get(tx, id)?.filter(|p| p.standing == Standing::Agreed)
                else {
                    return Ok(None);
                };
                let closing = Closing {
                    tx,
                    desk: &desk,
                    company: &company,
                    proposed: &proposed,
                    now,
                };
                let gave_up = proposed.give_up_at.is_some_and(|until| until <= now);
                match attempt {
                    Attempt::Later(pause) if !gave_up => {
                        proposals::postpone(tx, id, now + pause)?;
                        Ok(None)
                    }
                    Attempt::Later(_) => {
                        closing.barred(match proposed.began_at {
                            Some(_) => Obstacle::Unknown,
                            None => Obstacle::Unreachable,
                        })?;
                        Ok(Some("given up"))
                    }
                    Attempt::Taken => {
                        closing.taken()?;
                        Ok(Some("taken"))
                    }
                    Attempt::Barred(why) => {
                        closing.barred(why)?;
                        Ok(Some(why.as_str()))
                    }
                    Attempt::Done(record) => {
                        let mut applying = Applying {
                            baseline_at: row.baseline_at,
                            phones_hidden: row.phones_hidden_since.is_some(),
                            ..Applying::new(tx, &company, defences, zone, now)?
                        };
                        applying.row(&record)?;
                        closing.done(&record)?;
                        Ok(Some("done"))
                    }
                }
            })
            .await?;
        if let Some(how) = ended {
            let company = proposed.company;
            tracing::info!(
                company,
                proposal = proposed.id,
                how,
                "what a client agreed to"
            );
        }
        Ok(ended.is_some())
    }

    /// The intent is on the disk from here on. `false` when there is none to be had.
    async fn intend(&self, proposed: &Proposed) -> store::Result<bool> {
        let (id, now) = (proposed.id, self.clock.now());
        let begun = self
            .store
            .write(move |tx| proposals::begin(tx, id, now))
            .await?;
        failpoint::pass("after_deed_intent");
        Ok(begun)
    }

    /// The request surely did nothing.
    async fn nothing_left(&self, proposed: &Proposed) -> store::Result<()> {
        let id = proposed.id;
        self.store
            .write(move |tx| proposals::not_begun(tx, id))
            .await
    }

    async fn make(
        &self,
        company: &Company,
        reference: &CompanyRef,
        proposed: &Proposed,
    ) -> store::Result<Attempt> {
        let Proposal::Make {
            start,
            length,
            staff,
            services,
        } = &proposed.what
        else {
            return Ok(Attempt::Barred(Obstacle::Off));
        };
        // A request left before, and nobody knows what came of it: the day says.
        if proposed.began_at.is_some() {
            let day = start.date();
            return Ok(
                match self.api.made(reference, day, &proposed.api_id).await {
                    Ok(Some(record)) if record.deleted => Attempt::Barred(Obstacle::Off),
                    Ok(Some(record)) => Attempt::Done(record),
                    Ok(None) => Attempt::Later(SHOWS_AFTER),
                    Err(error) => not_seen(&error, proposed),
                },
            );
        }
        let phone = Phone::from_stored(proposed.phone.clone());
        if !may_write(company, &phone) {
            return Ok(Attempt::Barred(Obstacle::Forbidden));
        }
        let now = self.clock.now();
        if crate::domain::record::instant(*start, reference.zone) <= now {
            return Ok(Attempt::Barred(Obstacle::Begun));
        }
        if !self.intend(proposed).await? {
            return Ok(Attempt::Later(SHOWS_AFTER));
        }
        let contact = proposed.contact;
        let name = self
            .store
            .read(move |c| Ok(contacts::get(c, contact)?.map(|c| c.name)))
            .await?;
        let draft = Draft {
            staff: staff.id,
            services: services.iter().map(|line| (line.id, line.price)).collect(),
            start: *start,
            length: *length,
            phone,
            // Whoever writes chooses this name: it is one line of the journal, and a short one.
            name: name
                .map(|name| named(&name, LONGEST_NAME))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| NAMELESS.to_owned()),
            api_id: proposed.api_id.clone(),
        };
        let made = self.api.make(reference, &draft).await;
        failpoint::pass("after_deed_request");
        Ok(match made {
            Ok(id) => match self.api.record(reference, id).await {
                Ok(Lookup::Found(record)) => Attempt::Done(record),
                // It shows in a moment, under our id.
                Ok(Lookup::Gone) | Err(_) => Attempt::Later(SHOWS_AFTER),
            },
            Err(WriteError::Unknown(_)) => Attempt::Later(TimeDelta::zero()),
            Err(WriteError::NotDone(error)) => {
                self.nothing_left(proposed).await?;
                not_seen(&error, proposed)
            }
            Err(WriteError::Overtaken) => Attempt::Taken,
            Err(WriteError::Refused { status, message }) => refused(proposed, status, &message),
        })
    }

    async fn shift(
        &self,
        company: &Company,
        reference: &CompanyRef,
        proposed: &Proposed,
        was: &Existing,
        (start, staff): (chrono::NaiveDateTime, &Staff),
    ) -> store::Result<Attempt> {
        let mut wrote = false;
        loop {
            let look = match self.api.record(reference, was.record).await {
                Ok(Lookup::Found(record)) => record,
                Ok(Lookup::Gone) => return Ok(Attempt::Barred(Obstacle::Off)),
                Err(error) => return Ok(not_seen(&error, proposed)),
            };
            let is_there = look.start_local == start && look.staff.id == staff.id;
            // Its client was forgotten: it is only looked whether what left arrived.
            if proposed.phone.is_empty() {
                return Ok(match is_there {
                    true => Attempt::Done(look),
                    false => Attempt::Later(SHOWS_AFTER),
                });
            }
            // Whose it is, and that it may be written at all, is judged as for every order.
            let meant = Meant {
                record: was.record,
                created_at: was.created_at,
                start_local: look.start_local,
            };
            let phone = Phone::from_stored(proposed.phone.clone());
            let around = (reference.zone, self.clock.now());
            match judge(Act::Cancel, &meant, &phone, Some(&look), false, around) {
                Seen::Barred(why) => return Ok(Attempt::Barred(why)),
                Seen::Done => return Ok(Attempt::Barred(Obstacle::Off)),
                Seen::Ready => {}
            }
            if is_there {
                return Ok(Attempt::Done(look));
            }
            // Nobody agreed to what it has become since.
            let is_as_shown = Existing::of(&look) == *was;
            if !is_as_shown {
                return Ok(Attempt::Barred(Obstacle::Moved));
            }
            if wrote {
                return Ok(Attempt::Later(SHOWS_AFTER));
            }
            if !may_write(company, &phone) {
                return Ok(Attempt::Barred(Obstacle::Forbidden));
            }
            // It stands where it stood: a request that left before came to nothing.
            if proposed.began_at.is_some() {
                self.nothing_left(proposed).await?;
            }
            if !self.intend(proposed).await? {
                return Ok(Attempt::Later(SHOWS_AFTER));
            }
            let edit = Edit {
                attendance: None,
                start: Some(start),
                staff: (staff.id != was.staff.id).then_some(staff.id),
            };
            let written = self.api.change(reference, &look, &edit).await;
            failpoint::pass("after_deed_request");
            match written {
                // Whatever the answer was, or was not, the journal says what is.
                Ok(()) | Err(WriteError::Unknown(_)) => wrote = true,
                Err(WriteError::Overtaken) => {
                    self.nothing_left(proposed).await?;
                    return Ok(Attempt::Later(TimeDelta::zero()));
                }
                Err(WriteError::NotDone(error)) => {
                    self.nothing_left(proposed).await?;
                    return Ok(not_seen(&error, proposed));
                }
                Err(WriteError::Refused { status, message }) => {
                    return Ok(refused(proposed, status, &message));
                }
            }
        }
    }
}

/// Whether anything may be written for this person.
fn may_write(company: &Company, phone: &Phone) -> bool {
    let replies = &company.settings.replies;
    replies.enabled && replies.write && company.settings.rules.writes_to(phone)
}

fn refused(proposed: &Proposed, status: u16, message: &str) -> Attempt {
    if status == CONFLICT {
        return Attempt::Taken;
    }
    tracing::warn!(
        company = proposed.company,
        proposal = proposed.id,
        status,
        message,
        "the journal refused what a client agreed to"
    );
    Attempt::Barred(Obstacle::Refused)
}

/// The journal gave no answer: when to ask again, if ever.
fn not_seen(error: &ApiError, proposed: &Proposed) -> Attempt {
    match error {
        ApiError::Denied { .. } => Attempt::Barred(Obstacle::Refused),
        ApiError::Throttled { pause } => Attempt::Later(delta(*pause)),
        ApiError::Unavailable(_) | ApiError::Unreadable(_) => {
            let tries = proposed.tries + 1;
            Attempt::Later(delta(spread(retry_step(tries), proposed.id, tries)))
        }
    }
}

/// A proposal that ends.
struct Closing<'a> {
    tx: &'a Transaction<'a>,
    desk: &'a Desk,
    company: &'a Company,
    proposed: &'a Proposed,
    now: DateTime<Utc>,
}

impl Closing<'_> {
    /// Does something in the client's chat, where it can still be written to.
    fn in_chat<T>(
        &self,
        act: impl FnOnce(&Chat<'_>) -> store::Result<T>,
    ) -> store::Result<Option<T>> {
        // Nor where the program is only tried out by now.
        let phone = Phone::from_stored(self.proposed.phone.clone());
        if !self.company.settings.rules.writes_to(&phone) {
            return Ok(None);
        }
        let Some(contact) = contacts::get(self.tx, self.proposed.contact)? else {
            return Ok(None);
        };
        let Some(end) = self.desk.channels.get(&contact.channel) else {
            return Ok(None);
        };
        act(&Chat {
            conn: self.tx,
            desk: self.desk,
            company: self.company,
            end,
            contact: &contact,
            language: self.proposed.language,
            now: self.now,
        })
        .map(Some)
    }

    /// It is as the client wanted: they know it, and are told so.
    fn done(&self, record: &Record) -> store::Result<()> {
        let create_date = cache::create_date(record);
        let phone = &self.proposed.phone;
        let stated = answers::stated_of(self.tx, std::slice::from_ref(record), phone)?;
        if !phone.is_empty() {
            let key = known::Key::of(record, &create_date, phone);
            known::set(self.tx, key, &Known::certain(Knowledge::of(record)), None)?;
        }
        let what = self.proposed.what.as_written(record);
        let reply = self.in_chat(|chat| chat.tell_now(&Told::Written { what: &what }))?;
        let reply = reply.map(|(id, _)| id);
        if let Some(reply) = reply {
            outbox::set_told(self.tx, reply, &stated)?;
        }
        let unit = cache::unit(record);
        proposals::done(self.tx, self.proposed.id, &unit, reply, self.now)?;
        talks::answered(self.tx, self.proposed.contact)
    }

    /// Somebody was faster: the client chooses anew.
    fn taken(&self) -> store::Result<()> {
        self.in_chat(|chat| chat.tell_now(&Told::Taken))?;
        let (id, why) = (self.proposed.id, Some(proposals::TAKEN));
        proposals::end(self.tx, id, Standing::Barred, why, self.now)
    }

    /// It was not written: a person has to do it.
    fn barred(&self, why: Obstacle) -> store::Result<()> {
        let (id, stored) = (self.proposed.id, Some(why.as_str()));
        proposals::end(self.tx, id, Standing::Barred, stored, self.now)?;
        let name = self.in_chat(|chat| {
            chat.tell_now(match why {
                Obstacle::NotTheirs => &Told::NotYours,
                _ => &Told::HandedOn,
            })?;
            let (contact, now) = (self.proposed.contact, self.now);
            self.desk
                .waits_for_person(self.tx, self.company, contact, now, now)?;
            Ok(chat.contact.name.clone())
        })?;
        // Owners hear of it also where the client was forgotten meanwhile.
        let phone = &self.proposed.phone;
        let phone = (!phone.is_empty()).then(|| Phone::from_stored(phone.clone()));
        let record = self.proposed.what.record().unwrap_or(0);
        let about = (record, name.is_some().then_some(self.proposed.contact));
        let (name, mask) = (name.unwrap_or_default(), self.desk.mask_phones);
        self.desk
            .write_to_owners(self.tx, self.company, about, self.now, |voice, salon| {
                let client = (name.as_str(), phone.as_ref());
                card_undone(voice, salon, client, (&self.proposed.what, why), mask)
            })
    }
}
