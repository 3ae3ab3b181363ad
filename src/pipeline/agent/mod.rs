//! The agent: clients' words that no rule understands are answered by a language model.
//!
//! A turn is a row: what is heard sets when it is answered ([`hear`]), a turn begins, asks the model and
//! runs the tools it calls ([`turn`], [`tools`]), and ends in one transaction that queues the reply. Killed
//! anywhere before that, it begins anew and nobody was told anything. Nothing is written by the model:
//! what it proposes is put to the client by code, and their yes makes the intent that [`deeds`] carries
//! out.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::poll::delta;
use super::wishes::address;
use super::{ChannelEnd, Company, Desk, words};
use crate::domain::agent::state::Step;
use crate::domain::message::markup::render;
use crate::domain::message::{Language, Markup, Told};
use crate::domain::phone::Phone;
use crate::domain::zone::Zone;
use crate::ports::{Keyboard, Model};
use crate::store::companies::{self, CompanyRow};
use crate::store::contacts::Contact;
use crate::store::outbox::{self, New};
use crate::store::{self, conversations, questions, turns};

mod deeds;
mod hear;
mod tools;
mod turn;

pub(super) use hear::Heard;

/// That a person answers is said this rarely.
const SAID_AGAIN: TimeDelta = TimeDelta::hours(1);

impl Desk {
    /// The model that answers this company's clients now, if one does.
    pub(super) fn agent_of(
        &self,
        conn: &Connection,
        company: &Company,
    ) -> store::Result<Option<Arc<dyn Model>>> {
        let agent = &company.settings.agent;
        let Some(model) = company.model.as_ref().filter(|_| company.has_agent()) else {
            return Ok(None);
        };
        let said = conversations::switch(conn, company.settings.id)?;
        Ok(said.unwrap_or(agent.enabled).then(|| Arc::clone(model)))
    }
}

/// Somebody who is spoken with, and where.
pub(super) struct Chat<'a> {
    pub(super) conn: &'a Connection,
    pub(super) desk: &'a Desk,
    pub(super) company: &'a Company,
    pub(super) end: &'a ChannelEnd,
    pub(super) contact: &'a Contact,
    pub(super) language: Language,
    pub(super) now: DateTime<Utc>,
}

impl Chat<'_> {
    fn row(&self) -> store::Result<CompanyRow> {
        companies::ensure(self.conn, self.company.settings.id)
    }

    /// The salon, as texts name it.
    fn place<'p>(&'p self, row: &'p CompanyRow) -> words::Place<'p> {
        words::Place {
            company: self.company,
            row,
            zone: self.company.zone(row).unwrap_or(Zone::UTC),
            now: self.now,
        }
    }

    fn phone(&self) -> Option<Phone> {
        let phone = &self.contact.phone;
        (!phone.is_empty()).then(|| Phone::from_stored(phone.clone()))
    }

    /// Queues one of the salon's texts, in the client's language; it leaves after the pause that its
    /// words are worth. Returns them without markup.
    fn tell(
        &self,
        told: &Told<'_>,
        keyboard: Option<Keyboard>,
        pause: impl Fn(&str) -> TimeDelta,
    ) -> store::Result<(i64, String)> {
        let row = self.row()?;
        let place = self.place(&row);
        let said = |markup| words::said_in(&place, self.end, told, (self.language, markup));
        let plain = said(Markup::Plain);
        let id = self.say(&said(self.end.channel.markup()), keyboard, pause(&plain))?;
        Ok((id, plain))
    }

    /// The same at once.
    fn tell_now(&self, told: &Told<'_>) -> store::Result<(i64, String)> {
        self.tell(told, None, |_| TimeDelta::zero())
    }

    /// Queues a reply in the channel's markup; it leaves after `pause`.
    fn say(
        &self,
        message: &str,
        keyboard: Option<Keyboard>,
        pause: TimeDelta,
    ) -> store::Result<i64> {
        let to = address(self.end, &self.contact.chat_id, self.phone().as_ref());
        outbox::add(
            self.conn,
            &New {
                company: self.company.settings.id,
                recipient: &to,
                channel: &self.end.name,
                message,
                keyboard,
                contact: Some(self.contact.id),
                due_at: self.now + pause,
                ..New::note("reply", self.now)
            },
            self.now,
        )
    }

    fn step(&self, step: Step) -> store::Result<()> {
        conversations::step(self.conn, self.contact.id, step, self.now)
    }

    /// A person has to answer: the client is told so, though not again and again, and the owners hear of
    /// it once more where nobody does.
    fn hand_over(&self, since: DateTime<Utc>) -> store::Result<Option<(i64, String)>> {
        self.desk
            .waits_for_person(self.conn, self.company, self.contact.id, since, self.now)?;
        if turns::handed_since(self.conn, self.contact.id, self.now - SAID_AGAIN)? {
            return Ok(None);
        }
        self.tell_now(&Told::HandedOn).map(Some)
    }

    /// The owners' cards of these words show what was answered.
    fn show_answer(&self, cards: &[i64], plain: &str) -> store::Result<()> {
        let row = self.row()?;
        let place = self.place(&row);
        for card in cards {
            let Some(n) = outbox::get(self.conn, *card)? else {
                continue;
            };
            let Some(end) = self.desk.channels.get(&n.channel) else {
                continue;
            };
            let voice = place.voice(end.channel.markup());
            let line = render(&voice.answered(plain), end.channel.markup());
            outbox::set_message(self.conn, *card, &format!("{}\n{line}", n.message))?;
            if end.channel.has_buttons() {
                questions::want_edit(self.conn, *card, self.now)?;
            }
        }
        Ok(())
    }

    /// Writes into the client's thread in the chats of the owners who read clients' words.
    fn tell_owners(
        &self,
        text: impl Fn(crate::domain::message::owner::Voice, &str) -> String,
    ) -> store::Result<()> {
        let about = (0, Some(self.contact.id));
        self.desk
            .write_to_owners(self.conn, self.company, about, self.now, text)
    }
}

/// The beginning of the salon's day, by which answers are counted.
fn day_begins(company: &Company, row: &CompanyRow, now: DateTime<Utc>) -> DateTime<Utc> {
    let zone = company.zone(row).unwrap_or(Zone::UTC);
    let midnight = now
        .with_timezone(&zone)
        .date_naive()
        .and_time(chrono::NaiveTime::MIN);
    crate::domain::record::instant(midnight, zone)
}

/// So long a person would type this.
fn typing(text: &str) -> TimeDelta {
    let letters = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    TimeDelta::milliseconds((letters.min(400) * 15).clamp(800, 6000))
}

fn join(company: &Company) -> TimeDelta {
    delta(company.settings.agent.join)
}
