//! The owner's chat: what is written there in answer to a client's words goes to that client.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::commands::Order;
use super::wishes::address;
use super::{ChannelEnd, Company, Desk, Pipeline};
use crate::domain::message::Language;
use crate::domain::message::markup::{capped, data, render};
use crate::domain::phone::Phone;
use crate::store::contacts::{Contact, News};
use crate::store::outbox::{self, New, Notification};
use crate::store::{self, cache, contacts};

/// Of what an owner answers, so many characters reach the client; messengers take no more.
const LONGEST_ANSWER: usize = 3500;

/// Who says something in an owners' chat.
pub(super) struct Speaker {
    pub(super) chat_id: String,
    /// The user, where the chat is a group.
    pub(super) sender: String,
    pub(super) is_private: bool,
}

/// What an owner wrote.
pub(super) struct OwnersWords {
    pub(super) message_id: String,
    /// The message whose words these are now, where one was edited.
    pub(super) edits: Option<String>,
    pub(super) by: Speaker,
    pub(super) text: String,
    /// The message of ours that is answered.
    pub(super) quoted: Option<String>,
}

impl Pipeline {
    /// Reads what an owner wrote, once.
    pub(super) async fn owner_wrote(
        &self,
        end: &Arc<ChannelEnd>,
        wrote: OwnersWords,
    ) -> store::Result<()> {
        let channel = end.name.as_str();
        if !self.may_speak(channel, &wrote) {
            tracing::info!(channel, "words in an owners' group by somebody not listed");
            return Ok(());
        }
        let (desk, end, now) = (self.desk(), Arc::clone(end), self.clock.now());
        self.store
            .write(move |tx| {
                let words = contacts::Words {
                    channel: &end.name,
                    chat_id: &wrote.by.chat_id,
                    external_id: &wrote.message_id,
                    edits: wrote.edits.as_deref(),
                    text: &wrote.text,
                };
                // Noted as read only together with what follows from it.
                match contacts::note_words(tx, &words, now)? {
                    News::New => desk.hand_over(tx, &end, &wrote, now),
                    News::Same(_) => Ok(()),
                    News::Unknown => desk.not_compared(tx, &end, &wrote, now),
                }
            })
            .await
    }

    fn may_speak(&self, channel: &str, wrote: &OwnersWords) -> bool {
        let mut companies = self.companies.values();
        companies.any(|company| wrote.by.speaks_for(channel, company))
    }
}

impl Speaker {
    /// In a chat of their own every owner speaks for the company; in a group only those whom it
    /// lists, and another company may share the group.
    pub(super) fn speaks_for(&self, channel: &str, company: &Company) -> bool {
        company.settings.owners.iter().any(|o| {
            o.channel == channel
                && o.to == self.chat_id
                && (self.is_private || o.users.contains(&self.sender))
        })
    }
}

impl Desk {
    /// Words that may have been handed on long ago are not handed on by an edit.
    fn not_compared(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        wrote: &OwnersWords,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let text = match self.language_of(&end.name, &wrote.by.chat_id) {
            Language::Ru => {
                "Это правка старого сообщения, и что в нём изменилось, мне не видно: ничего не делаю. Если слова новые, напишите их ещё раз."
            }
            Language::En => {
                "This is an edit of an old message, and I cannot see what changed: I do nothing. If the words are new, write them again."
            }
        };
        self.note(conn, end, 0, &wrote.by.chat_id, text, now)
    }

    /// An answer to a client's words goes to that client; whatever else is said gets a word on how
    /// to answer one.
    fn hand_over(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        wrote: &OwnersWords,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        if let Some(order) = Order::read(&wrote.text) {
            let language = self.language_of(&end.name, &wrote.by.chat_id);
            let all = self.companies.values().map(|c| c.as_ref());
            let scope: Vec<&Company> = all.filter(|c| wrote.by.speaks_for(&end.name, c)).collect();
            let answer = self.obey(conn, &scope, language, &order, now)?;
            return self.note(conn, end, 0, &wrote.by.chat_id, &answer, now);
        }
        let asked = match &wrote.quoted {
            Some(id) => outbox::by_message(conn, &end.name, &wrote.by.chat_id, id)?,
            None => None,
        };
        let contact = match asked.as_ref().and_then(|n| n.contact) {
            Some(id) => contacts::get(conn, id)?,
            None => None,
        };
        if wrote.text.trim().is_empty() {
            let text = match self.language_of(&end.name, &wrote.by.chat_id) {
                Language::Ru => "Передаю только слова. Этого клиент не получил, напишите текстом.",
                Language::En => "I hand on words only. The client did not get this: write it out.",
            };
            return match contact {
                Some(_) => self.note(conn, end, 0, &wrote.by.chat_id, text, now),
                None => Ok(()),
            };
        }
        let (Some(asked), Some(contact)) = (asked, contact) else {
            let text = match self.language_of(&end.name, &wrote.by.chat_id) {
                Language::Ru => {
                    "Чтобы ответить клиенту, ответьте на сообщение с его словами, и я передам."
                }
                Language::En => {
                    "To answer a client, reply to the message with their words, and I will hand it on."
                }
            };
            return self.note(conn, end, 0, &wrote.by.chat_id, text, now);
        };
        let talk = (&asked, &contact);
        let Some(company) = self.answers_for(conn, &end.name, &wrote.by, talk)? else {
            let text = match self.language_of(&end.name, &wrote.by.chat_id) {
                Language::Ru => "Не передал: этому клиенту отвечают владельцы его салона.",
                Language::En => "Not handed on: the owners of this client's salon answer them.",
            };
            return self.note(conn, end, asked.company, &wrote.by.chat_id, text, now);
        };
        let Some(way) = self.channels.get(&contact.channel) else {
            let text = match self.language_of(&end.name, &wrote.by.chat_id) {
                Language::Ru => {
                    "Не передал: канала, по которому писал клиент, больше нет в настройках."
                }
                Language::En => {
                    "Not handed on: the channel the client wrote in is not configured any more."
                }
            };
            return self.note(conn, end, asked.company, &wrote.by.chat_id, text, now);
        };
        let phone = (!contact.phone.is_empty()).then(|| Phone::from_stored(contact.phone.clone()));
        let words = data(&capped(&wrote.text, LONGEST_ANSWER));
        outbox::add(
            conn,
            &New {
                company,
                recipient: &address(way, &contact.chat_id, phone.as_ref()),
                channel: &way.name,
                message: &render(&words, way.channel.markup()),
                about: Some(asked.id),
                contact: Some(contact.id),
                ..New::note("reply", now)
            },
            now,
        )?;
        self.taken_over(conn, contact.id, &contact.channel, now)
    }

    /// An answer that did not reach the client. Of an owner's own the owner hears.
    pub(super) fn answer_failed(
        &self,
        conn: &Connection,
        n: &Notification,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let Some(asked) = n.about.filter(|_| n.kind == "reply") else {
            return self.unsaid(conn, n, now);
        };
        let Some(asked) = outbox::get(conn, asked)? else {
            return Ok(());
        };
        let Some(end) = self.channels.get(&asked.channel) else {
            return Ok(());
        };
        let text = match self.language_of(&asked.channel, &asked.recipient) {
            Language::Ru => "⚠️ Ваш ответ до клиента не дошёл:",
            Language::En => "⚠️ Your answer did not reach the client:",
        };
        let text = format!("{text} «{}»", data(&capped(&n.message, 200)));
        self.note(conn, end, asked.company, &asked.recipient, &text, now)
    }

    /// Whether an owner of any company reads this chat.
    pub(super) fn is_owners_chat(&self, channel: &str, chat_id: &str) -> bool {
        let mut all = self.companies.values();
        all.any(|company| company.is_owned_from(channel, chat_id))
    }

    /// The company in whose name this person may answer this client, if there is one. Of a client
    /// of whom nobody knows whose they are, the owners of all were told.
    fn answers_for(
        &self,
        conn: &Connection,
        channel: &str,
        by: &Speaker,
        (asked, contact): (&Notification, &Contact),
    ) -> store::Result<Option<i64>> {
        let speaks = |company: &&Arc<Company>| by.speaks_for(channel, company);
        if let Some(theirs) = self.companies.get(&asked.company).filter(speaks) {
            return Ok(Some(theirs.settings.id));
        }
        let served = self.companies.values();
        let mut served = served.filter(|c| c.writes_over(&contact.channel));
        let booked_at = cache::company_of_phone(conn, &contact.phone)?;
        let is_known = served.clone().count() < 2
            || booked_at.is_some_and(|id| self.companies.contains_key(&id));
        Ok(served
            .find(speaks)
            .filter(|_| !is_known)
            .map(|company| company.settings.id))
    }

    pub(super) fn language_of(&self, channel: &str, chat_id: &str) -> Language {
        let mut all = self.companies.values();
        let company = all.find(|c| c.is_owned_from(channel, chat_id));
        company.map_or(Language::Ru, |c| c.settings.language)
    }

    /// A word to an owner's chat.
    fn note(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        company: i64,
        chat_id: &str,
        text: &str,
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
                ..New::note("owner", now)
            },
            now,
        )?;
        Ok(())
    }
}
