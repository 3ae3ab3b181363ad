//! How an order ends: who comes to know what, who is answered, and what the owners read.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::domain::known::{Knowledge, Known};
use crate::domain::message::Told;
use crate::domain::message::markup::render;
use crate::domain::message::owner::{Unwritten, Voice, card_taken_off, card_unwritten};
use crate::domain::phone::Phone;
use crate::domain::policy::Kind;
use crate::domain::question::{End, Matter};
use crate::domain::record::Record;
use crate::domain::reply::order::{Act, Obstacle};
use crate::domain::settle::told_fields;
use crate::domain::zone::Zone;
use crate::pipeline::talk::Answer;
use crate::pipeline::wishes::address;
use crate::pipeline::{Company, Desk, words};
use crate::store::companies::CompanyRow;
use crate::store::outbox;
use crate::store::writes::{self, Order, State};
use crate::store::{self, cache, contacts, known, questions, talks};

/// An order that ends.
pub(super) struct Closing<'a> {
    pub(super) tx: &'a Connection,
    pub(super) desk: &'a Desk,
    pub(super) company: &'a Company,
    pub(super) row: &'a CompanyRow,
    pub(super) zone: Zone,
    pub(super) order: &'a Order,
    pub(super) now: DateTime<Utc>,
}

impl Closing<'_> {
    /// The bookings as the cache has them.
    fn records(&self) -> store::Result<Vec<Record>> {
        let mut records = Vec::new();
        for part in &self.order.parts {
            let cached = cache::get(self.tx, self.order.company, part.meant.record)?;
            records.extend(cached.map(|c| c.record));
        }
        Ok(records)
    }

    /// It is as the client wanted: they know it, and are told so.
    pub(super) fn done(&self) -> store::Result<()> {
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

    /// Of these bookings alone it is as was asked: a person has to see to the rest.
    pub(super) fn barred(&self, done: &BTreeSet<i64>, why: Obstacle) -> store::Result<()> {
        let mut parts = self.order.parts.clone();
        for part in &mut parts {
            let is_done = done.contains(&part.meant.record);
            part.obstacle = (!is_done).then(|| why.of_part(part.began_at.is_some()));
        }
        let left = parts.iter().filter_map(|part| part.obstacle);
        let why = left.min_by_key(|why| *why != Obstacle::Unknown);
        let why = why.unwrap_or(Obstacle::Unknown);
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
        writes::set_parts(self.tx, self.order.id, &parts)?;
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
        let (done, left): (Vec<Record>, Vec<Record>) =
            records.into_iter().partition(|r| done.contains(&r.id));
        self.tell_owners(|voice, salon, contact| {
            let phone = self.phone();
            let client = (contact, phone.as_ref());
            let came = Unwritten {
                act: self.order.act,
                why,
                done: &done,
                left: &left,
            };
            card_unwritten(voice, salon, client, &came, self.desk.mask_phones)
        })?;
        if let Some(contact) = self.order.contact {
            self.desk
                .waits_for_person(self.tx, self.company, contact, self.now, self.now)?;
        }
        Ok(())
    }

    /// Whose it is; nobody once they were forgotten.
    fn phone(&self) -> Option<Phone> {
        let phone = &self.order.phone;
        (!phone.is_empty()).then(|| Phone::from_stored(phone.clone()))
    }

    /// Its client knows the booking as it is now: they wanted it so.
    fn know(&self, record: &Record) -> store::Result<()> {
        if self.order.phone.is_empty() {
            return Ok(());
        }
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
        // Where the program is only tried out by now, nobody is answered.
        let rules = &self.company.settings.rules;
        if self.phone().is_none_or(|phone| !rules.writes_to(&phone)) {
            return Ok(None);
        }
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
            let phone = self.phone();
            let client = (contact, phone.as_ref());
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
        let about = (self.order.record, contact.as_ref().map(|c| c.id));
        self.desk
            .write_to_owners(self.tx, self.company, about, self.now, |voice, salon| {
                text(voice, salon, name)
            })
    }
}
