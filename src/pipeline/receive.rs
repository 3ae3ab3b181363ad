//! Receive: what channels tell by themselves. Stored first, acknowledged after, so what a crash
//! interrupts comes again; what comes again changes nothing.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::link::Opened;
use super::owner_chat::{OwnersWords, Speaker};
use super::presses::{Chosen, Press, Under};
use super::talk::{Shown, Subject};
use super::{ChannelEnd, Desk, Pipeline};
use crate::domain::agent::state::Step;
use crate::domain::message::markup::capped;
use crate::domain::phone::Phone;
use crate::domain::question::Answered;
use crate::domain::wish::Wish;
use crate::failpoint;
use crate::ports::{Incoming, Receipt, Received, Receiver};
use crate::store::contacts::{self, Inbound, News};
use crate::store::{
    self, StoreError, cache, conversations, forgotten, messages, outbox, proposals, talks, writes,
};

/// Of one message so many characters are read.
const LONGEST_TEXT: usize = 4000;

/// How long after a send its receipts are asked for, where they have to be asked for.
const FOLLOWED: TimeDelta = TimeDelta::days(1);

/// A message from a client, before anything is known of it.
pub(super) struct Heard {
    pub(super) end: Arc<ChannelEnd>,
    /// The company that the channel belongs to, where it serves only one.
    pub(super) company: Option<i64>,
    pub(super) external_id: String,
    /// The message whose words these are now, where one was edited.
    pub(super) edits: Option<String>,
    pub(super) written: Written,
    pub(super) answers: Answers,
    pub(super) at: DateTime<Utc>,
}

/// What a message says it is an answer to.
#[derive(Clone)]
pub(super) enum Answers {
    /// Nothing in particular.
    Nothing,
    /// A message, by the provider's id.
    Message(String),
    /// A notification of ours, by the button under it.
    Notification(i64),
    /// A message of ours that nobody knows any more, by the button under it.
    Lost,
}

impl From<Option<String>> for Answers {
    fn from(quoted: Option<String>) -> Self {
        quoted.map_or(Self::Nothing, Self::Message)
    }
}

impl Desk {
    /// Stores a message and does what follows from it; what owners are shown of one that is new.
    /// `None` when its author was forgotten since they wrote it.
    pub(super) fn hear(
        &self,
        tx: &Connection,
        heard: Heard,
        now: DateTime<Utc>,
    ) -> store::Result<Option<(contacts::Stored, Option<Shown>)>> {
        let Heard {
            end,
            company,
            external_id,
            edits,
            mut written,
            answers,
            at,
        } = heard;
        let name = end.name.as_str();
        // Nobody writes so much by hand; what is beyond is read by nobody.
        written.text = capped(&written.text, LONGEST_TEXT);
        // Telegram calls a message edited for a reaction to it, too.
        let is_lost = matches!(answers, Answers::Lost);
        let news = match &edits {
            Some(edits) => contacts::news_of_edit(tx, name, edits, &written.text, at)?,
            None if is_lost => News::Unknown,
            None => News::New,
        };
        if let News::Same(Some(contact)) = news {
            let stored = contacts::Stored {
                contact,
                contact_is_new: false,
                message_is_new: false,
            };
            return Ok(Some((stored, None)));
        }
        if written.phone.is_none() {
            let linked = contacts::phone_of(tx, name, &written.chat_id)?;
            written.phone = linked.map(Phone::from_stored);
        }
        if let (None, Answers::Message(quoted)) = (&written.phone, &answers) {
            written.phone = self.phone_behind(tx, &end, &written.chat_id, quoted)?;
        }
        if let Some(phone) = &written.phone {
            let is_from_before = |since| at <= since || news == News::Unknown;
            if forgotten::since(tx, phone)?.is_some_and(is_from_before) {
                return Ok(None);
            }
            self.know_chat(tx, &end, &written.chat_id, phone, now)?;
            forgotten::lift(tx, phone)?;
        }
        let wish = Wish::of(&written.text);
        let mut subject = self.subject(tx, &end, &written, &answers, now)?;
        subject.quotes = match answers {
            Answers::Message(quoted) => Some(quoted),
            Answers::Nothing | Answers::Notification(_) | Answers::Lost => None,
        };
        let phone = written.phone.as_ref().map_or("", |p| p.e164());
        let company = match company {
            Some(only) => Some(only),
            // One that is not watched any more has nobody to read it.
            None => {
                cache::company_of_phone(tx, phone)?.filter(|id| self.companies.contains_key(id))
            }
        };
        let message = Inbound {
            channel: name,
            company,
            chat_id: &written.chat_id,
            phone,
            name: &written.name,
            text: &written.text,
            external_id: &external_id,
            at,
            is_command: wish.is_some() || subject.answers_reminder || news == News::Unknown,
        };
        let stored = contacts::store_inbound(tx, &message)?;
        let mut shown = None;
        if stored.message_is_new {
            written.contact = Some(stored.contact);
            shown = Some(match news {
                News::Unknown => {
                    let company = subject.meetings.first().map(|m| m.company).or(company);
                    // What was pressed was meant as an answer.
                    if let Some(company) = company.and_then(|id| self.companies.get(&id))
                        && is_lost
                        && self.answers(company, written.phone.as_ref())
                    {
                        let first = subject.meetings.first().and_then(|m| m.records.first());
                        let id = company.settings.id;
                        talks::about(tx, stored.contact, Some(id), first.map(|r| r.id))?;
                        talks::ask(tx, stored.contact, None, now)?;
                        self.waits_for_person(tx, company, stored.contact, at, now)?;
                    }
                    self.show_only(tx, &end, company, &written, &subject, now)?
                }
                News::New | News::Same(_) => {
                    self.take_words(tx, &end, company, &written, &subject, wish, (at, now))?
                }
            });
        }
        Ok(Some((stored, shown)))
    }

    /// What may have been read long ago is shown to the owners, and nothing follows from it.
    fn show_only(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        company: Option<i64>,
        written: &Written,
        subject: &Subject,
        now: DateTime<Utc>,
    ) -> store::Result<Shown> {
        let mut shown = self.shown_plain(subject, "edited");
        shown.cards = self.forward(conn, &end.name, company, written, &shown, now)?;
        Ok(shown)
    }

    /// What follows from words that were just stored: wishes first, then the rules, and in any case the
    /// owners read them.
    #[expect(
        clippy::too_many_arguments,
        reason = "everything that is known of one message"
    )]
    pub(super) fn take_words(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        company: Option<i64>,
        written: &Written,
        subject: &Subject,
        wish: Option<Wish>,
        (at, now): (DateTime<Utc>, DateTime<Utc>),
    ) -> store::Result<Shown> {
        let company = subject.meetings.first().map(|m| m.company).or(company);
        let Some(wish) = wish else {
            let answer = self.answers_proposal(conn, end, written, subject, (at, now))?;
            let mut shown = match answer {
                Some(shown) => shown,
                None => self.converse(conn, end, written, subject, (at, now))?,
            };
            // Of several salons the one whose visit was meant in the end.
            let company = shown.booking.first().map(|r| r.company_id).or(company);
            shown.cards = self.forward(conn, &end.name, company, written, &shown, now)?;
            for order in &shown.order {
                writes::set_cards(conn, *order, &shown.cards)?;
            }
            if let Some(contact) = written.contact {
                conversations::set_cards(conn, contact, &shown.cards)?;
            }
            return Ok(shown);
        };
        // A yes or a number after it is one to what it is answered.
        if let Some(contact) = written.contact {
            talks::ask(conn, contact, None, now)?;
            if proposals::lapse(conn, contact, now)? {
                conversations::step(conn, contact, Step::Lapsed, now)?;
            }
        }
        let rule = match wish {
            Wish::Stop => "stop",
            Wish::Start => "start",
        };
        let mut shown = self.shown_plain(subject, rule);
        shown.cards = self.forward(conn, &end.name, company, written, &shown, now)?;
        self.heed(conn, end, written, wish, now)?;
        Ok(shown)
    }
}

/// What somebody wrote to us.
#[derive(Clone)]
pub(super) struct Written {
    pub(super) chat_id: String,
    pub(super) phone: Option<Phone>,
    pub(super) name: String,
    pub(super) text: String,
    /// Who that is, once stored.
    pub(super) contact: Option<i64>,
}

/// Why nothing was received.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The channel.
    #[error("{0}")]
    Channel(String),
    /// Our own database: nothing is acknowledged that is not stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Pipeline {
    /// Waits for one notification at most `patience`, stores it and acknowledges it. `false` when
    /// nothing came.
    pub async fn receive_once(
        &self,
        end: &Arc<ChannelEnd>,
        receiver: &Arc<dyn Receiver>,
        patience: Duration,
    ) -> Result<bool, ReceiveError> {
        if receiver.asks_by_id() {
            let (name, since) = (end.name.clone(), self.clock.now() - FOLLOWED);
            let open = self
                .store
                .read(move |c| outbox::awaiting_receipt(c, &name, since))
                .await?;
            let known = |(id, arrived)| match arrived {
                true => (id, Receipt::Delivered),
                false => (id, Receipt::Sent),
            };
            receiver.follow(open.into_iter().map(known).collect());
        }
        let received = receiver
            .receive(patience)
            .await
            .map_err(ReceiveError::Channel)?;
        let Some(received) = received else {
            return Ok(false);
        };
        let receipt = received.receipt.clone();
        failpoint::pass("after_received");
        self.take_in(end, received).await?;
        failpoint::pass("before_acknowledge");
        receiver
            .acknowledge(&receipt)
            .await
            .map_err(ReceiveError::Channel)?;
        failpoint::pass("after_acknowledge");
        self.bell.notify_waiters();
        Ok(true)
    }

    /// Empties a channel's queue of notifications, for `--once`.
    pub async fn receive_all(
        &self,
        end: &Arc<ChannelEnd>,
        patience: Duration,
    ) -> Result<u32, ReceiveError> {
        let Some(receiver) = &end.receiver else {
            return Ok(0);
        };
        let mut count = 0;
        while !self.stopping.is_cancelled() && self.receive_once(end, receiver, patience).await? {
            count += 1;
        }
        Ok(count)
    }

    async fn take_in(&self, end: &Arc<ChannelEnd>, received: Received) -> store::Result<()> {
        let (name, now, channel) = (end.name.clone(), self.clock.now(), end.name.as_str());
        match received.what {
            Incoming::Status {
                message_id,
                status,
                why,
                hidden_chat,
            } => {
                tracing::debug!(channel, ?status, "receipt");
                let (desk, end) = (self.desk(), Arc::clone(end));
                self.store
                    .write(move |tx| {
                        if let Some(chat) = hidden_chat {
                            desk.learn_chat(tx, &end, &chat, &message_id, now)?;
                        }
                        desk.receipt(tx, &name, &message_id, status, why.as_deref(), now)
                    })
                    .await
            }
            Incoming::Text {
                message_id,
                edits,
                chat_id,
                phone,
                name: sender,
                text,
                at,
                quoted,
                sender: user,
                is_private,
            } => {
                let phone = phone.and_then(|digits| Phone::parse(&format!("+{digits}"), "RU").ok());
                tracing::info!(channel, "message received");
                if phone.is_some() {
                    tracing::info!(channel, "phone found");
                }
                if self.is_owners_chat(channel, &chat_id) {
                    let by = Speaker {
                        chat_id,
                        sender: user,
                        is_private,
                    };
                    let wrote = OwnersWords {
                        message_id,
                        edits,
                        by,
                        text,
                        quoted,
                    };
                    return self.owner_wrote(end, wrote).await;
                }
                if !is_private {
                    return Ok(());
                }
                let written = Written {
                    chat_id,
                    phone,
                    name: sender,
                    text,
                    contact: None,
                };
                let answers = Answers::from(quoted);
                self.store_text(end, message_id, edits, written, answers, at)
                    .await
            }
            Incoming::Answered {
                message_id,
                chat_id,
                phone,
                text,
                at,
            } => {
                let phone = phone.and_then(|digits| Phone::parse(&format!("+{digits}"), "RU").ok());
                tracing::info!(channel, "a person of the salon wrote");
                let (desk, end) = (self.desk(), Arc::clone(end));
                self.store
                    .write(move |tx| {
                        let number = phone.as_ref().map_or("", |p| p.e164());
                        let mut spoken_to = contacts::written_to(tx, &end.name, &chat_id, number)?;
                        // Of somebody with a booking, also where the salon has the first word: what
                        // they answer is not for the rules.
                        if let (true, Some(phone)) = (spoken_to.is_empty(), &phone)
                            && cache::company_of_phone(tx, number)?.is_some()
                            && forgotten::since(tx, phone)?.is_none()
                        {
                            contacts::ensure(tx, &end.name, &chat_id, "")?;
                            contacts::learn(tx, &end.name, &chat_id, number)?;
                            spoken_to.extend(contacts::of_chat(tx, &end.name, &chat_id)?);
                        }
                        for contact in spoken_to {
                            let said = messages::Said {
                                contact,
                                text: &capped(&text, LONGEST_TEXT),
                                external_id: &message_id,
                                at,
                            };
                            // Read twice or late, it counts from when it was said.
                            if messages::store_said(tx, &said)? {
                                desk.taken_over(tx, contact, &end.name, at.min(now))?;
                            }
                        }
                        Ok(())
                    })
                    .await
            }
            Incoming::State { up, state } => {
                tracing::info!(channel, up, state, "channel state");
                let verdict = if up {
                    Ok(())
                } else {
                    Err(format!("the account is {state}"))
                };
                self.note_channel(end, verdict).await
            }
            Incoming::Started {
                message_id,
                chat_id,
                name: sender,
                ..
            } => {
                let opened = Opened {
                    message_id,
                    chat_id,
                    name: sender,
                };
                self.greet(end, opened).await
            }
            Incoming::Contact {
                message_id,
                chat_id,
                phone,
                name: sender,
                ..
            } => {
                let phone = phone.and_then(|digits| Phone::parse(&format!("+{digits}"), "RU").ok());
                let opened = Opened {
                    message_id,
                    chat_id,
                    name: sender,
                };
                self.link(end, opened, phone).await
            }
            Incoming::Pressed {
                press_id,
                chat_id,
                message_id,
                sent_at,
                sender,
                is_private,
                data,
            } => {
                let by = Speaker {
                    chat_id,
                    sender,
                    is_private,
                };
                let under = Under {
                    message_id,
                    sent_at,
                };
                if let Some(answered) = Answered::read(&data) {
                    let press = Chosen {
                        press_id,
                        chat_id: by.chat_id,
                        under,
                        answered,
                    };
                    return self.chose(end, press).await;
                }
                let press = Press {
                    id: press_id,
                    by,
                    under,
                    data,
                };
                self.pressed(end, press).await
            }
            Incoming::Reachable { chat_id, reachable } => {
                tracing::info!(channel, reachable, "chat reachable");
                self.store
                    .write(move |tx| contacts::set_reachable(tx, &name, &chat_id, reachable))
                    .await
            }
            Incoming::Other { kind } => {
                // A service's word, and perhaps more: only what a name of a kind is made of is logged.
                let is_letter = |c: &char| c.is_ascii_alphabetic() || " _".contains(*c);
                let kind: String = kind.chars().filter(is_letter).take(40).collect();
                tracing::debug!(channel, kind, "acknowledged unread");
                Ok(())
            }
        }
    }

    /// Keeps what a client wrote and hands it to the owners: no inbox is a black hole. The same
    /// message read twice is kept and handed on once.
    pub(super) async fn store_text(
        &self,
        end: &Arc<ChannelEnd>,
        external_id: String,
        edits: Option<String>,
        written: Written,
        answers: Answers,
        at: DateTime<Utc>,
    ) -> store::Result<()> {
        let (desk, now) = (self.desk(), self.clock.now());
        let company = self.only_company_of(&end.name);
        let channel = end.name.as_str();
        let heard = Heard {
            end: Arc::clone(end),
            company,
            external_id,
            edits,
            written,
            answers,
            at,
        };
        let taken = self
            .store
            .write(move |tx| desk.hear(tx, heard, now))
            .await?;
        let stored = taken.map(|(stored, _)| stored);
        let Some(stored) = stored else {
            tracing::info!(channel, "written before its author was forgotten: not kept");
            return Ok(());
        };
        let contact = stored.contact;
        if stored.contact_is_new {
            tracing::info!(channel, contact, "client created");
        } else {
            tracing::info!(channel, contact, "client found");
        }
        tracing::info!(
            channel,
            contact,
            repeated = !stored.message_is_new,
            "message processed"
        );
        Ok(())
    }

    /// Whether this chat is where an owner gets copies: what is written there is no client's.
    pub(super) fn is_owners_chat(&self, channel: &str, chat_id: &str) -> bool {
        self.desk().is_owners_chat(channel, chat_id)
    }

    /// The company a channel belongs to, when it serves only one.
    pub(super) fn only_company_of(&self, channel: &str) -> Option<i64> {
        let mut served = self
            .companies
            .values()
            .filter(|c| c.writes_over(channel))
            .map(|c| c.settings.id);
        match (served.next(), served.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}
