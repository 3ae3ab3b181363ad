//! Writes: what clients asked for is written into the journal. The intent is on the disk before the
//! request, and whatever happens in between, the journal is read again before anything is repeated.
//!
//! It is done in the company's turn, so that no poll sees half of it; a poll that comes after a crash
//! does what is open first. In the transaction that stores what the journal says now, its client comes
//! to know it and is answered.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rusqlite::Transaction;

use super::apply::Applying;
use super::poll::delta;
use super::talk::Answer;
use super::wishes::address;
use super::{Company, Desk, Pipeline, words};
use crate::domain::delivery::{retry_step, spread};
use crate::domain::event::Gone;
use crate::domain::known::{Knowledge, Known};
use crate::domain::message::Told;
use crate::domain::message::markup::render;
use crate::domain::message::owner::{Voice, card_taken_off, card_unwritten};
use crate::domain::phone::Phone;
use crate::domain::policy::Kind;
use crate::domain::question::{End, Matter};
use crate::domain::record::{Attendance, Record};
use crate::domain::reply::CancelBy;
use crate::domain::reply::order::{Act, Obstacle, Standing, judge};
use crate::domain::settle::told_fields;
use crate::failpoint;
use crate::ports::{ApiError, CompanyRef, Edit, Lookup, Urgency, WriteError};
use crate::store::companies::{self, CompanyRow};
use crate::store::outbox::{self, New};
use crate::store::writes::{self, Order, State};
use crate::store::{self, cache, contacts, known, proposals, questions, talks};

/// What was written shows within this time, or is looked for again.
const SHOWS_AFTER: TimeDelta = TimeDelta::seconds(2);

/// How an attempt at an order ended.
enum Attempt {
    /// The journal shows what was asked: each booking as it is now, `None` where it is no more.
    Done(Vec<(i64, Option<Record>)>),
    /// It is not to be written.
    Barred(Obstacle),
    /// Not now.
    Later(TimeDelta),
}

impl Pipeline {
    /// Writes what clients asked for. Returns how many orders ended.
    pub async fn writes_due(&self, now: DateTime<Utc>) -> store::Result<u32> {
        let waiting = self
            .store
            .read(move |c| {
                let mut all = writes::companies_due(c, now)?;
                all.extend(proposals::companies_due(c, now)?);
                all.sort_unstable();
                all.dedup();
                Ok(all)
            })
            .await?;
        let mut ended = 0;
        for id in waiting {
            let Some(company) = self.companies.get(&id) else {
                continue;
            };
            let _turn = company.turn.lock().await;
            ended += self.write_in_turn(company).await?;
        }
        if ended > 0 {
            self.bell.notify_waiters();
        }
        Ok(ended)
    }

    /// The same for one company, by whoever has its turn.
    pub(super) async fn write_in_turn(&self, company: &Arc<Company>) -> store::Result<u32> {
        let (id, now) = (company.settings.id, self.clock.now());
        let (orders, row) = self
            .store
            .read(move |c| {
                let row = companies::get(c, id)?.unwrap_or_default();
                Ok((writes::due(c, id, now)?, row))
            })
            .await?;
        let mut ended = 0;
        for order in orders {
            let Some(zone) = company.zone(&row) else {
                break;
            };
            if self.stopping.is_cancelled() {
                break;
            }
            ended += u32::from(self.write_one(company, &row, zone, order).await?);
        }
        if let Some(zone) = company.zone(&row) {
            ended += self.deeds_in_turn(company, &row, zone).await?;
        }
        Ok(ended)
    }

    async fn write_one(
        &self,
        company: &Arc<Company>,
        row: &CompanyRow,
        zone: Tz,
        order: Order,
    ) -> store::Result<bool> {
        let reference = company.reference(zone, Urgency::Look);
        let attempt = self.attempt(company, &reference, &order).await?;
        failpoint::pass("after_write_look");
        let now = self.clock.now();
        let attempt = match attempt {
            Attempt::Later(_) if order.give_up_at.is_some_and(|until| until <= now) => {
                let left = self.store.read(move |c| writes::get(c, order.id)).await?;
                let began = left.is_some_and(|order| order.began_at.is_some());
                Attempt::Barred(match began {
                    true => Obstacle::Unknown,
                    false => Obstacle::Unreachable,
                })
            }
            attempt => attempt,
        };
        let (desk, company, row) = (self.desk(), Arc::clone(company), row.clone());
        let (id, defences) = (order.id, self.defences);
        let ended = self
            .store
            .write(move |tx| {
                // Another program may have ended it, or forgotten its client.
                let Some(order) = writes::get(tx, id)?.filter(|o| o.state == State::Open) else {
                    return Ok(None);
                };
                let closing = Closing {
                    tx,
                    desk: &desk,
                    company: &company,
                    row: &row,
                    zone,
                    order: &order,
                    now,
                };
                match attempt {
                    Attempt::Later(pause) => {
                        writes::postpone(tx, id, now + pause)?;
                        Ok(None)
                    }
                    Attempt::Barred(why) => {
                        closing.barred(why)?;
                        Ok(Some(why.as_str()))
                    }
                    Attempt::Done(found) => {
                        let mut applying = Applying {
                            baseline_at: row.baseline_at,
                            phones_hidden: row.phones_hidden_since.is_some(),
                            ..Applying::new(tx, &company, defences, zone, now)?
                        };
                        for (record, found) in &found {
                            match found {
                                Some(found) => applying.row(found)?,
                                None => applying.gone(*record, Gone::Deleted)?,
                            }
                        }
                        closing.done()?;
                        Ok(Some("done"))
                    }
                }
            })
            .await?;
        if let Some(how) = ended {
            let (company, act) = (order.company, order.act.as_str());
            tracing::info!(company, order = id, act, how, "a client's change");
        }
        Ok(ended.is_some())
    }

    /// Looks at the bookings, writes what may be written, and looks again.
    async fn attempt(
        &self,
        company: &Company,
        reference: &CompanyRef,
        order: &Order,
    ) -> store::Result<Attempt> {
        let phone = Phone::from_stored(order.phone.clone());
        let mut began = order.began_at.is_some();
        let mut found = Vec::new();
        for meant in &order.meant {
            // Once to see whether it may be written, once to see that it was.
            let mut wrote = false;
            loop {
                let look = match self.api.record(reference, meant.record).await {
                    Ok(Lookup::Found(record)) => Some(*record),
                    Ok(Lookup::Gone) => None,
                    // It was not seen, so nothing may be said of it.
                    Err(ApiError::Denied { .. }) => {
                        return Ok(Attempt::Barred(match began {
                            true => Obstacle::Unknown,
                            false => Obstacle::Unreachable,
                        }));
                    }
                    Err(error) => return Ok(not_seen(&error, order)),
                };
                let around = (reference.zone, self.clock.now());
                // Of this booking: that another one of the visit was written says nothing of it.
                let asked = order.began_at.is_some() || wrote;
                let standing = judge(order.act, meant, &phone, look.as_ref(), asked, around);
                match standing {
                    Standing::Done => {
                        found.push((meant.record, look));
                        break;
                    }
                    Standing::Barred(why) => return Ok(Attempt::Barred(why)),
                    // Written, and not shown yet.
                    Standing::Ready if wrote => return Ok(Attempt::Later(SHOWS_AFTER)),
                    Standing::Ready => {}
                }
                let Some(seen) = look else {
                    return Ok(Attempt::Barred(Obstacle::Off));
                };
                let replies = &company.settings.replies;
                let by_itself = order.act == Act::Cancel && !order.by_owner;
                if by_itself && replies.cancel != CancelBy::Program {
                    return Ok(Attempt::Barred(Obstacle::Forbidden));
                }
                // It may have waited for hours.
                let left = seen.start_at(reference.zone) - self.clock.now();
                if by_itself && !began && left < delta(replies.cancel_until) {
                    return Ok(Attempt::Barred(Obstacle::Near));
                }
                if !replies.write {
                    match order.act {
                        // That the client comes is theirs to say; the journal need not show it.
                        Act::Confirm => {
                            found.push((meant.record, Some(seen)));
                            break;
                        }
                        Act::Cancel => return Ok(Attempt::Barred(Obstacle::Forbidden)),
                    }
                }
                let (id, now) = (order.id, self.clock.now());
                let begun = self.store.write(move |tx| writes::begin(tx, id, now));
                if !begun.await? {
                    return Ok(Attempt::Later(TimeDelta::zero()));
                }
                failpoint::pass("after_write_intent");
                began = true;
                let written = match order.act {
                    Act::Confirm => {
                        let edit = Edit {
                            attendance: Some(Attendance::Confirmed),
                            ..Edit::default()
                        };
                        self.api.change(reference, &seen, &edit).await
                    }
                    Act::Cancel => self.api.cancel(reference, seen.id).await,
                };
                failpoint::pass("after_write");
                match written {
                    // Whatever the answer was, or was not, the journal says what is.
                    Ok(()) | Err(WriteError::Unknown(_)) => wrote = true,
                    Err(WriteError::Overtaken) => return Ok(Attempt::Later(TimeDelta::zero())),
                    Err(WriteError::NotDone(error)) => return Ok(not_seen(&error, order)),
                    Err(WriteError::Refused { status, message }) => {
                        tracing::warn!(
                            company = order.company,
                            order = order.id,
                            status,
                            message,
                            "the journal refused a client's change"
                        );
                        return Ok(Attempt::Barred(Obstacle::Refused));
                    }
                }
            }
        }
        Ok(Attempt::Done(found))
    }
}

/// The journal gave no answer: when to ask again, if ever.
fn not_seen(error: &ApiError, order: &Order) -> Attempt {
    match error {
        ApiError::Denied { .. } => Attempt::Barred(Obstacle::Refused),
        ApiError::Throttled { pause } => Attempt::Later(delta(*pause)),
        ApiError::Unavailable(_) | ApiError::Unreadable(_) => {
            let tries = order.tries + 1;
            Attempt::Later(delta(spread(retry_step(tries), order.id, tries)))
        }
    }
}

/// An order that ends.
struct Closing<'a> {
    tx: &'a Transaction<'a>,
    desk: &'a Desk,
    company: &'a Company,
    row: &'a CompanyRow,
    zone: Tz,
    order: &'a Order,
    now: DateTime<Utc>,
}

impl Closing<'_> {
    /// The bookings as the cache has them.
    fn records(&self) -> store::Result<Vec<Record>> {
        let mut records = Vec::new();
        for meant in &self.order.meant {
            let cached = cache::get(self.tx, self.order.company, meant.record)?;
            records.extend(cached.map(|c| c.record));
        }
        Ok(records)
    }

    /// It is as the client wanted: they know it, and are told so.
    fn done(&self) -> store::Result<()> {
        let records = self.records()?;
        let told = match self.order.act {
            Act::Confirm => Told::Confirmed { now: &records },
            Act::Cancel => Told::CalledOff { was: &records },
        };
        // Before they know it: the answer keeps what they knew, should it never arrive.
        let reply = self.reply(&told, records.first())?;
        for record in &records {
            self.know(record)?;
        }
        let id = reply.as_ref().map(|(id, _)| *id);
        writes::end(self.tx, self.order.id, State::Done, None, id, self.now)?;
        if let Some((_, plain)) = &reply {
            self.show_answer(plain)?;
        }
        if self.order.act == Act::Cancel {
            self.end_question(End::TakenOff)?;
            self.note_taken_off(&records)?;
        }
        // Whoever's button it was has read the words. What else was asked before a yes by rules still waits.
        if let Some(contact) = self.order.contact.filter(|_| self.order.by_owner) {
            talks::answered(self.tx, contact)?;
        }
        Ok(())
    }

    /// It was not written: a person has to do it.
    fn barred(&self, why: Obstacle) -> store::Result<()> {
        let records = self.records()?;
        let told = match (self.order.act, why) {
            (_, Obstacle::NotTheirs) => Told::NotYours,
            // Seen a moment ago, and it stands.
            (Act::Confirm, Obstacle::Refused | Obstacle::Forbidden) => {
                Told::Confirmed { now: &records }
            }
            (Act::Confirm, _) => Told::HandedOn,
            (Act::Cancel, _) => Told::Declined { now: &records },
        };
        // Whoever asked the owner was answered then.
        let reply = match self.order.by_owner {
            true => None,
            false => self.reply(&told, records.first())?,
        };
        let id = reply.as_ref().map(|(id, _)| *id);
        writes::end(
            self.tx,
            self.order.id,
            State::Barred,
            Some(why),
            id,
            self.now,
        )?;
        if let Some((_, plain)) = &reply {
            self.show_answer(plain)?;
        }
        self.end_question(End::NotTakenOff)?;
        self.tell_owners(|voice, salon, contact| {
            let phone = Phone::from_stored(self.order.phone.clone());
            let mask = self.desk.mask_phones;
            let client = (contact, Some(&phone));
            card_unwritten(voice, salon, client, &records, (self.order.act, why), mask)
        })?;
        if let Some(contact) = self.order.contact {
            self.desk
                .waits_for_person(self.tx, self.company, contact, self.now, self.now)?;
        }
        Ok(())
    }

    /// Its client knows the booking as it is now: they wanted it so.
    fn know(&self, record: &Record) -> store::Result<()> {
        let create_date = cache::create_date(record);
        let key = known::Key::of(record, &create_date, &self.order.phone);
        let is_news = match self.order.act {
            Act::Cancel => record.is_alive(),
            // What else changed, and is not told yet, stays to be told.
            Act::Confirm => {
                let known = known::get(self.tx, key)?.known;
                let rules = &self.company.settings.rules;
                !matches!(known.single(), Some(Knowledge::Booked(k)) if told_fields(k, record, rules).is_empty())
            }
        };
        if is_news {
            return Ok(());
        }
        known::set(self.tx, key, &Known::certain(Knowledge::of(record)), None)
    }

    fn reply(
        &self,
        told: &Told<'_>,
        record: Option<&Record>,
    ) -> store::Result<Option<(i64, String)>> {
        let Some(contact) = self.order.contact else {
            return Ok(None);
        };
        let Some(contact) = contacts::get(self.tx, contact)? else {
            return Ok(None);
        };
        let Some(end) = self.desk.channels.get(&contact.channel) else {
            return Ok(None);
        };
        let phone = (!contact.phone.is_empty()).then(|| Phone::from_stored(contact.phone.clone()));
        let to = address(end, &contact.chat_id, phone.as_ref());
        let answer = Answer {
            company: self.company,
            end,
            to: &to,
            contact: contact.id,
            record,
        };
        self.desk.answer(self.tx, &answer, told, self.now)
    }

    /// The owners' cards of what was asked show what was answered.
    fn show_answer(&self, plain: &str) -> store::Result<()> {
        for card in &self.order.cards {
            let Some(n) = outbox::get(self.tx, *card)? else {
                continue;
            };
            let Some(end) = self.desk.channels.get(&n.channel) else {
                continue;
            };
            let voice = self.place().voice(end.channel.markup());
            let line = render(&voice.answered(plain), end.channel.markup());
            outbox::set_message(self.tx, *card, &format!("{}\n{line}", n.message))?;
            if end.channel.has_buttons() {
                questions::want_edit(self.tx, *card, self.now)?;
            }
        }
        Ok(())
    }

    fn end_question(&self, how: End) -> store::Result<()> {
        let matter = Matter::Cancel(self.order.id);
        questions::end_anew(self.tx, self.order.company, &matter, how, self.now)
    }

    /// Owners who get no copies of cancellations hear of one that they had no part in.
    fn note_taken_off(&self, records: &[Record]) -> store::Result<()> {
        let copies = |o: &crate::config::Owner| o.events.contains(&Kind::Cancelled);
        if self.order.by_owner || self.company.settings.owners.iter().any(copies) {
            return Ok(());
        }
        self.tell_owners(|voice, salon, contact| {
            let phone = Phone::from_stored(self.order.phone.clone());
            let client = (contact, Some(&phone));
            card_taken_off(voice, salon, client, records, self.desk.mask_phones)
        })
    }

    fn place(&self) -> words::Place<'_> {
        words::Place {
            company: self.company,
            row: self.row,
            zone: self.zone,
            now: self.now,
        }
    }

    /// Writes into the client's thread in the chats of the owners who read clients' words.
    fn tell_owners(&self, text: impl Fn(Voice, &str, &str) -> String) -> store::Result<()> {
        let contact = match self.order.contact {
            Some(id) => contacts::get(self.tx, id)?,
            None => None,
        };
        let name = contact.as_ref().map_or("", |c| c.name.as_str());
        let salon = self.company.title(self.row);
        let owners = self.company.settings.owners.iter();
        for owner in owners.filter(|o| o.reads_words(true)) {
            let Some(end) = self.desk.channels.get(&owner.channel) else {
                continue;
            };
            let voice = self.place().voice(end.channel.markup());
            outbox::add(
                self.tx,
                &New {
                    company: self.order.company,
                    record: self.order.record,
                    recipient: &owner.to,
                    channel: &owner.channel,
                    message: &text(voice, &salon, name),
                    contact: self.order.contact,
                    ..New::note("owner", self.now)
                },
                self.now,
            )?;
        }
        Ok(())
    }
}
