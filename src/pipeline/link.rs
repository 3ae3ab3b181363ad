//! Linking a chat to a phone: a bot cannot write first, so a client opens it and sends their own
//! contact. The answers leave at once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::receive::{Answers, Written};
use super::talk::Shown;
use super::{ChannelEnd, Company, Desk, Pipeline, answers, words};
use crate::domain::message::markup::render;
use crate::domain::message::owner::{Card, Head, card};
use crate::domain::message::{Language, Told};
use crate::domain::phone::Phone;
use crate::domain::question::Matter;
use crate::domain::wish::Wish;
use crate::domain::zone::Zone;
use crate::ports::Keyboard;
use crate::store::outbox::{self, New};
use crate::store::{self, companies, contacts, forgotten, questions};

/// Somebody who opened the bot, or sent it a contact.
pub(super) struct Opened {
    pub(super) message_id: String,
    pub(super) chat_id: String,
    pub(super) name: String,
}

impl Opened {
    /// Whether this was not read before; it is from now on. Only in the transaction of what follows
    /// from it, or a crash in between leaves somebody without an answer for good.
    fn is_first(
        &self,
        conn: &Connection,
        channel: &str,
        what: &str,
        now: DateTime<Utc>,
    ) -> store::Result<bool> {
        contacts::note_read(conn, channel, &self.chat_id, &self.message_id, what, now)
    }
}

impl Pipeline {
    /// Somebody opened the bot: a greeting, and a button that sends their number.
    pub(super) async fn greet(&self, end: &Arc<ChannelEnd>, opened: Opened) -> store::Result<()> {
        let company = self.only_company_of(&end.name);
        let for_clients = self.companies.values().any(|c| c.writes_over(&end.name));
        if !for_clients || self.is_owners_chat(&end.name, &opened.chat_id) {
            return self.name_chat(end, company, opened).await;
        }
        let (desk, end, now) = (self.desk(), Arc::clone(end), self.clock.now());
        self.store
            .write(move |tx| {
                if !opened.is_first(tx, &end.name, "/start", now)? {
                    return Ok(());
                }
                let Opened { chat_id, name, .. } = opened;
                contacts::ensure(tx, &end.name, &chat_id, &name)?;
                let linked = contacts::phone_of(tx, &end.name, &chat_id)?;
                let is_linked = linked.is_some();
                // Who opens the bot again after a STOP wants its messages.
                let written = Written {
                    chat_id: chat_id.clone(),
                    phone: linked.map(Phone::from_stored),
                    name,
                    text: String::new(),
                    contact: None,
                };
                if desk.heed(tx, &end, &written, Wish::Start, now)? && is_linked {
                    return Ok(());
                }
                if desk.agent_greets(tx, company)? {
                    // The number is asked for once it is needed; who wants to may show it now.
                    let keyboard = (!is_linked).then_some(Keyboard::AskContact);
                    let greeting = company.and_then(|id| desk.companies.get(&id));
                    let told = Told::Greeting {
                        writes: greeting.map_or(&[], |c| c.settings.replies.writes()),
                    };
                    return desk.say(tx, &end, company, &chat_id, &told, keyboard, now);
                }
                let told = Told::Start {
                    named: company.is_some(),
                };
                let keyboard = Some(Keyboard::AskContact);
                desk.say(tx, &end, company, &chat_id, &told, keyboard, now)
            })
            .await
    }

    /// A bot for owners only: the chat's number is what they need to become one.
    async fn name_chat(
        &self,
        end: &Arc<ChannelEnd>,
        company: Option<i64>,
        opened: Opened,
    ) -> store::Result<()> {
        let (desk, end, now) = (self.desk(), Arc::clone(end), self.clock.now());
        let known = self.is_owners_chat(&end.name, &opened.chat_id);
        self.store
            .write(move |tx| {
                if !opened.is_first(tx, &end.name, "/start", now)? {
                    return Ok(());
                }
                let chat_id = &opened.chat_id;
                let (language, _) = desk.salon(tx, company)?;
                let text = match (language, known) {
                    (Language::Ru, true) => "Всё в порядке: копии и предупреждения приходят сюда.".to_owned(),
                    (Language::En, true) => "All is well: copies and alerts come here.".to_owned(),
                    (Language::Ru, false) => format!(
                        "Номер этого чата: {chat_id}. Впишите его в owner салона в booking-monitor.toml, и сюда будут приходить копии и предупреждения."
                    ),
                    (Language::En, false) => format!(
                        "This chat's number: {chat_id}. Write it into the salon's owner in booking-monitor.toml, and copies and alerts will come here."
                    ),
                };
                answer(tx, &end, desk.whose(company, &end.name), chat_id, &text, None, now)
            })
            .await
    }

    /// Somebody sent a contact: their own links the chat, another's links nothing.
    pub(super) async fn link(
        &self,
        end: &Arc<ChannelEnd>,
        opened: Opened,
        phone: Option<Phone>,
    ) -> store::Result<()> {
        if phone.is_none() {
            let (name, chat) = (end.name.clone(), opened.chat_id.clone());
            let linked = self
                .store
                .read(move |c| contacts::phone_of(c, &name, &chat))
                .await?;
            // Whose chat it is is known: somebody else's number is shown to a person of the salon.
            if linked.is_some() {
                let written = Written {
                    chat_id: opened.chat_id,
                    phone: None,
                    name: opened.name,
                    text: String::new(),
                    contact: None,
                };
                let (id, now) = (opened.message_id, self.clock.now());
                return self
                    .store_text(end, id, None, written, Answers::Nothing, now)
                    .await;
            }
        }
        let company = self.only_company_of(&end.name);
        let channel = end.name.as_str();
        match &phone {
            Some(_) => tracing::info!(channel, "chat linked to a phone"),
            None => tracing::info!(channel, "contact refused: not the sender's own number"),
        }
        let (desk, end, now) = (self.desk(), Arc::clone(end), self.clock.now());
        self.store
            .write(move |tx| {
                if !opened.is_first(tx, &end.name, "contact", now)? {
                    return Ok(());
                }
                let Opened { chat_id, name, .. } = opened;
                let Some(phone) = phone else {
                    let keyboard = Some(Keyboard::AskContact);
                    let told = Told::ForeignContact;
                    return desk.say(tx, &end, company, &chat_id, &told, keyboard, now);
                };
                forgotten::lift(tx, &phone)?;
                contacts::link(tx, &end.name, &chat_id, phone.e164(), &name)?;
                desk.carry_silence(tx, &end, &chat_id, &phone, now)?;
                desk.goes_on(tx, &end.name, &chat_id, now)?;
                let next = desk.meetings(tx, &end, phone.e164(), now)?;
                let next = next.into_iter().next().map(|meeting| meeting.records);
                let told = Told::Linked {
                    next: &next.unwrap_or_default(),
                };
                let keyboard = Some(Keyboard::Remove);
                desk.say(tx, &end, company, &chat_id, &told, keyboard, now)
            })
            .await
    }
}

impl Desk {
    /// Whether the agent answers this company's clients.
    fn agent_greets(&self, conn: &Connection, company: Option<i64>) -> store::Result<bool> {
        let company = company.and_then(|id| self.companies.get(&id));
        company.map_or(Ok(false), |company| {
            Ok(self.agent_of(conn, company)?.is_some())
        })
    }

    /// The language and the title of the company a chat belongs to; of several, no title.
    fn salon(
        &self,
        conn: &Connection,
        company: Option<i64>,
    ) -> store::Result<(Language, Option<String>)> {
        let Some(company) = company.and_then(|id| self.companies.get(&id)) else {
            let any = self.companies.values().next();
            return Ok((any.map_or(Language::Ru, |c| c.settings.language), None));
        };
        let row = companies::ensure(conn, company.settings.id)?;
        Ok((company.settings.language, Some(company.title(&row))))
    }

    /// Says one of the salon's texts to a chat that opened the bot; it leaves at once.
    #[expect(clippy::too_many_arguments, reason = "everything that one answer has")]
    fn say(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        company: Option<i64>,
        chat_id: &str,
        told: &Told<'_>,
        keyboard: Option<Keyboard>,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let whose = self.whose(company, &end.name);
        let Some(company) = self.companies.get(&whose) else {
            return Ok(());
        };
        let row = companies::ensure(conn, whose)?;
        let place = words::Place {
            company,
            row: &row,
            zone: company.zone(&row).unwrap_or(Zone::UTC),
            now,
        };
        let message = words::said(&place, end, told);
        outbox::add(
            conn,
            &New {
                told: &answers::stated(conn, told, "")?,
                company: whose,
                recipient: chat_id,
                channel: &end.name,
                message: &message,
                keyboard,
                ..New::note("reply", now)
            },
            now,
        )?;
        Ok(())
    }

    /// Whose owners hear what becomes of an answer in this channel: those of the company it belongs
    /// to; of several the first that writes to clients there; of a bot for owners only, the first
    /// whose owners read it.
    fn whose(&self, company: Option<i64>, channel: &str) -> i64 {
        let writes = self.companies.values().find(|c| c.writes_over(channel));
        let is_read = |c: &&Arc<Company>| c.settings.owners.iter().any(|o| o.channel == channel);
        let first = writes.or_else(|| self.companies.values().find(is_read));
        company.or(first.map(|c| c.settings.id)).unwrap_or(0)
    }
}

impl Desk {
    /// Hands what a client wrote to the owners of the company it concerns; to those of every company
    /// on that channel where that is unknown. Returns the messages that do so.
    pub(super) fn forward(
        &self,
        conn: &Connection,
        channel: &str,
        company: Option<i64>,
        written: &Written,
        shown: &Shown,
        now: DateTime<Utc>,
    ) -> store::Result<Vec<i64>> {
        let (mut told, mut cards) = (Vec::new(), Vec::new());
        let concerned = self.companies.values().filter(|c| match company {
            Some(id) => c.settings.id == id,
            None => c.writes_over(channel),
        });
        for company in concerned {
            let row = companies::ensure(conn, company.settings.id)?;
            let asks = !matches!(shown.head, Head::Words);
            let owners = company.settings.owners.iter();
            for owner in owners.filter(|o| o.reads_words(asks)) {
                let Some(end) = self.channels.get(&owner.channel) else {
                    continue;
                };
                if told.contains(&(&owner.channel, &owner.to)) {
                    continue;
                }
                told.push((&owner.channel, &owner.to));
                let place = words::Place {
                    company,
                    row: &row,
                    zone: company.zone(&row).unwrap_or(Zone::UTC),
                    now,
                };
                let voice = place.voice(end.channel.markup());
                let message = card(
                    voice,
                    &Card {
                        head: shown.head,
                        name: &written.name,
                        phone: written.phone.as_ref(),
                        salon: &company.title(&row),
                        booking: &shown.booking,
                        words: &written.text,
                        answer: shown.answer.as_deref(),
                        mask: self.mask_phones,
                    },
                );
                let id = outbox::add(
                    conn,
                    &New {
                        company: company.settings.id,
                        record: shown.booking.first().map_or(0, |r| r.id),
                        recipient: &owner.to,
                        channel: &owner.channel,
                        message: &message,
                        contact: written.contact,
                        ..New::note("owner", now)
                    },
                    now,
                )?;
                if let Some(order) = shown.asks.filter(|_| end.channel.has_buttons()) {
                    questions::ask(conn, id, company.settings.id, &Matter::Cancel(order), 0)?;
                }
                cards.push(id);
            }
        }
        Ok(cards)
    }
}

/// Queues an answer to a chat; it leaves at once.
fn answer(
    conn: &Connection,
    end: &ChannelEnd,
    company: i64,
    chat_id: &str,
    text: &str,
    keyboard: Option<Keyboard>,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let message = render(text, end.channel.markup());
    outbox::add(
        conn,
        &New {
            company,
            recipient: chat_id,
            channel: &end.name,
            message: &message,
            keyboard,
            ..New::note("reply", now)
        },
        now,
    )?;
    Ok(())
}
