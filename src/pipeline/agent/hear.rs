//! What a client's words do to a conversation, in the transaction that stores them: they answer the
//! sentence that waits, or they are answered by the model a moment later.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::super::receive::Written;
use super::super::talk::{PATIENCE, Shown, Subject, order};
use super::super::wishes::address;
use super::super::{ChannelEnd, Company, Desk};
use super::{Chat, join};
use crate::domain::agent::proposal::{Answer, Proposal};
use crate::domain::agent::state::Step;
use crate::domain::agent::{Courtesy, courtesy, language_of};
use crate::domain::message::Told;
use crate::domain::message::owner::{Head, card_wanted};
use crate::domain::record::Record;
use crate::domain::reply::Request;
use crate::domain::reply::order::{Act, Meant};
use crate::domain::zone::Zone;
use crate::store::proposals::{self, Proposed, Standing};
use crate::store::writes::{self, State};
use crate::store::{self, cache, contacts, conversations, outbox, talks};

/// Words that come while others wait put the answer off, though not for longer than so many joins.
const MOST_JOINS: i32 = 5;
/// Messengers tell the time of a message in whole seconds.
const SECOND: TimeDelta = TimeDelta::seconds(1);
/// After so long a conversation is a new one.
const NEW_AFTER: TimeDelta = TimeDelta::hours(12);

impl Desk {
    /// Whether these words answer the sentence that waits, and what follows; `None` where they do not:
    /// then it stands no more.
    pub(in crate::pipeline) fn answers_proposal(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        written: &Written,
        subject: &Subject,
        (at, now): (DateTime<Utc>, DateTime<Utc>),
    ) -> store::Result<Option<Shown>> {
        let Some(contact) = written.contact else {
            return Ok(None);
        };
        let Some(proposed) = proposals::open_of(conn, contact)? else {
            return Ok(None);
        };
        let (Some(company), Some(contact)) = (
            self.companies.get(&proposed.company),
            contacts::get(conn, contact)?,
        ) else {
            return Ok(None);
        };
        let chat = Chat {
            conn,
            desk: self,
            company,
            end,
            contact: &contact,
            language: proposed.language,
            now,
        };
        // A yes from before the sentence stood there is an answer to something else.
        let sentence = outbox::get(conn, proposed.notification)?;
        let stood_at = sentence.and_then(|n| n.sent_at);
        let is_heard = stood_at.is_some_and(|stood| at + SECOND >= stood);
        let taken_over = talks::silent_until(conn, contact.id)?.is_some_and(|until| until > now);
        let is_theirs = contact.phone == proposed.phone;
        // A yes below an older sentence, or to a reminder that came since, is a yes to that. Below what was
        // said of it later it is meant for it.
        let is_to_it = match &subject.quotes {
            Some(quoted) => {
                let to = address(end, &contact.chat_id, written.phone.as_ref());
                let quoted = outbox::by_message(conn, &end.name, &to, quoted)?;
                quoted.is_some_and(|n| {
                    n.id == proposed.notification
                        || (n.id > proposed.notification && n.kind == "reply")
                })
            }
            // Nor is it one where anything else was told since, or may have been: "Всё ли понравилось?"
            // asks, too.
            None => {
                let phone = contact.phone.as_str();
                let last = outbox::last_said(conn, &end.name, phone, Some(contact.id))?;
                let since = last.as_ref().and_then(|n| n.sent_at).unwrap_or(now);
                let maybe =
                    outbox::in_doubt_since(conn, &end.name, phone, Some(contact.id), since)?;
                let is_answer = |kind: &str| kind == "reply";
                !subject.answers_reminder
                    && last.is_some_and(|n| is_answer(&n.kind))
                    && maybe.iter().all(|kind| is_answer(kind))
            }
        };
        if !self.answers(company, written.phone.as_ref()) {
            proposals::lapse(conn, contact.id, now)?;
            return Ok(None);
        }
        let counts = now < proposed.lapses_at && is_heard && !taken_over && is_theirs && is_to_it;
        let answer = match counts {
            true => Answer::of(&written.text),
            false => Answer::Other,
        };
        let booking: Vec<Record> = {
            let meant = |r: &&Record| Some(r.id) == proposed.what.record();
            let all = subject.meetings.iter().flat_map(|m| &m.records);
            all.filter(meant).cloned().collect()
        };
        match answer {
            Answer::Yes => chat.agreed(&proposed, booking, at).map(Some),
            Answer::No => {
                proposals::end(conn, proposed.id, Standing::Declined, None, now)?;
                chat.step(Step::Lapsed)?;
                let (_, text) = chat.tell_now(&Told::NothingChanged)?;
                Ok(Some(Shown::answered(booking, Some(text), "declined")))
            }
            Answer::Nod => {
                let (_, text) = chat.tell_now(&Told::YesWanted)?;
                Ok(Some(Shown::answered(booking, Some(text), "nodded")))
            }
            Answer::Other => {
                proposals::lapse(conn, contact.id, now)?;
                chat.step(Step::Lapsed)?;
                Ok(None)
            }
        }
    }

    /// Whether the model answers these words, and when. A greeting and a farewell need none.
    pub(in crate::pipeline) fn agent_hears(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        company: &Company,
        written: &Written,
        now: DateTime<Utc>,
    ) -> store::Result<Option<Heard>> {
        let Some(contact) = written.contact else {
            return Ok(None);
        };
        if self.agent_of(conn, company)?.is_none() {
            return Ok(None);
        }
        // Prices of another branch would be false words: a chat of which nobody knows whose client it is
        // belongs to people where several salons share the bot.
        let known = cache::company_of_phone(conn, written.phone.as_ref().map_or("", |p| p.e164()))?;
        let served = self.companies.values().filter(|c| c.writes_over(&end.name));
        if known.is_none() && served.count() > 1 {
            return Ok(None);
        }
        let Some(contact) = contacts::get(conn, contact)? else {
            return Ok(None);
        };
        let before = conversations::get(conn, contact.id)?;
        let is_new = before
            .as_ref()
            .and_then(|c| c.spoke_at)
            .is_none_or(|at| now - at > NEW_AFTER);
        let id = company.settings.id;
        conversations::ensure(conn, contact.id, id, now)?;
        let chat = Chat {
            conn,
            desk: self,
            company,
            end,
            contact: &contact,
            language: language_of(&written.text).unwrap_or(company.settings.language),
            now,
        };
        let waits = before.as_ref().is_some_and(|c| c.answer_at.is_some());
        if !waits {
            let courtesy = match courtesy(&written.text) {
                Some(Courtesy::Greeting) if is_new => {
                    let writes = company.settings.replies.writes();
                    Some((Told::Greeting { writes }, Step::Greeted))
                }
                Some(Courtesy::Farewell) => Some((Told::Goodbye, Step::Left)),
                _ => None,
            };
            if let Some((told, step)) = courtesy {
                chat.step(step)?;
                let (_, text) = chat.tell_now(&told)?;
                let last = conversations::last_heard(conn, contact.id)?;
                conversations::answered(conn, contact.id, last)?;
                return Ok(Some(Heard::Answered(text)));
            }
        }
        let first = before.and_then(|c| c.waits_since).unwrap_or(now);
        let latest = first + join(company) * MOST_JOINS;
        conversations::wait(
            conn,
            contact.id,
            (now + join(company)).min(latest.max(now)),
            now,
        )?;
        Ok(Some(Heard::Waits))
    }

    /// A chat that a conversation waited for is linked to its phone now: it goes on.
    pub(in crate::pipeline) fn goes_on(
        &self,
        conn: &Connection,
        channel: &str,
        chat_id: &str,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let Some(contact) = contacts::of_chat(conn, channel, chat_id)? else {
            return Ok(());
        };
        let waits = conversations::get(conn, contact)?.is_some_and(|c| c.wants_number);
        if waits {
            conversations::wait(conn, contact, now, now)?;
        }
        Ok(())
    }
}

/// What the agent makes of words.
pub(in crate::pipeline) enum Heard {
    /// They are answered in a moment.
    Waits,
    /// They were answered, with this.
    Answered(String),
}

impl Chat<'_> {
    /// Whether the program itself writes this into the journal; else a person has to.
    pub(super) fn writes(&self, what: &Proposal) -> store::Result<bool> {
        let replies = &self.company.settings.replies;
        let row = self.row()?;
        let zone = self.company.zone(&row).unwrap_or(Zone::UTC);
        let is_near = match what {
            Proposal::Make { .. } => false,
            Proposal::Move { was, .. } | Proposal::Cancel { was } => {
                let starts = crate::domain::record::instant(was.start, zone);
                starts - self.now < super::delta(replies.cancel_until)
            }
        };
        Ok(replies.writes().contains(&what.word()) && !is_near)
    }

    /// The client said yes to exactly this.
    fn agreed(
        &self,
        proposed: &Proposed,
        booking: Vec<Record>,
        at: DateTime<Utc>,
    ) -> store::Result<Shown> {
        self.step(Step::Agreed)?;
        // What may be written may have changed since; a yes is one to what was said.
        let by_program = proposed.writes && self.writes(&proposed.what)?;
        let is_cancel = proposed.is_cancel();
        match (by_program, &proposed.what) {
            (true, Proposal::Cancel { .. }) => {
                let order = self.order(proposed, State::Open)?;
                Ok(Shown {
                    order: order.into_iter().collect(),
                    ..Shown::answered(booking, None, "agreed")
                })
            }
            (true, Proposal::Make { .. } | Proposal::Move { .. }) => {
                proposals::agree(self.conn, proposed.id, self.now + PATIENCE, self.now)?;
                Ok(Shown::answered(booking, None, "agreed"))
            }
            (false, _) => {
                let asks = match is_cancel {
                    true => self.order(proposed, State::Asked)?,
                    false => None,
                };
                proposals::end(self.conn, proposed.id, Standing::Handed, None, self.now)?;
                let told = match is_cancel {
                    true => Told::Declined { now: &booking },
                    false => Told::HandedOn,
                };
                let (_, text) = self.tell_now(&told)?;
                self.desk.waits_for_person(
                    self.conn,
                    self.company,
                    self.contact.id,
                    at,
                    self.now,
                )?;
                if !is_cancel {
                    let (name, phone) = (&self.contact.name, self.phone());
                    let mask = self.desk.mask_phones;
                    self.tell_owners(|voice, salon| {
                        let client = (name.as_str(), phone.as_ref());
                        card_wanted(voice, salon, client, &proposed.what, mask)
                    })?;
                }
                let head = match is_cancel {
                    true => Head::Wants(Request::Cancel),
                    false => Head::Words,
                };
                Ok(Shown {
                    head,
                    asks,
                    ..Shown::answered(booking, Some(text), "agreed")
                })
            }
        }
    }

    /// The cancellation that the client agreed to, as an order like any other.
    fn order(&self, proposed: &Proposed, state: State) -> store::Result<Option<i64>> {
        let Proposal::Cancel { was } = &proposed.what else {
            return Ok(None);
        };
        let id = self.company.settings.id;
        proposals::end(self.conn, proposed.id, Standing::Handed, None, self.now)?;
        let Some(cached) = cache::get(self.conn, id, was.record)? else {
            return Ok(None);
        };
        let unit = cache::unit(&cached.record);
        let meant = [Meant {
            record: was.record,
            created_at: was.created_at,
            start_local: was.start,
        }];
        let new = writes::New {
            company: id,
            unit: &unit,
            phone: &proposed.phone,
            contact: Some(self.contact.id),
            act: Act::Cancel,
            meant: &meant,
            state,
            give_up_at: (state == State::Open).then_some(self.now + PATIENCE),
        };
        order(self.conn, &new, self.now)
    }
}
