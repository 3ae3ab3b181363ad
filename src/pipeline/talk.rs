//! What follows from a client's words: which booking they are about, what the rules make of them, what
//! is answered, and what the owners are shown. One transaction a message, no request within it: what has
//! to be written into the journal is an order ([`super::writes`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::agent::Heard;
use super::poll::delta;
use super::receive::{Answers, Written};
use super::visit::Visit;
use super::wishes::address;
use super::{ChannelEnd, Company, Desk, answers, words};
use crate::domain::agent::courtesy;
use crate::domain::agent::proposal::Answer as Agreement;
use crate::domain::known::Knowledge;
use crate::domain::message::Told;
use crate::domain::message::owner::Head;
use crate::domain::phone::Phone;
use crate::domain::question::{End, Matter};
use crate::domain::record::Record;
use crate::domain::reply::meaning::{self, Meaning};
use crate::domain::reply::order::{Act, Meant};
use crate::domain::reply::{Around, Request, Verdict, decide, hours};
use crate::domain::zone::Zone;
use crate::store::outbox::{self, New};
use crate::store::talks::{self, Asked};
use crate::store::writes::{self, Order, State};
use crate::store::{
    self, cache, companies, contacts, conversations, messages, questions, reminders,
};

/// What was said last counts as what is answered for so long.
const FRESH: TimeDelta = TimeDelta::hours(24);

/// After so long without a word a conversation with the agent is over.
const LIVES: TimeDelta = TimeDelta::hours(1);

/// A client is not kept waiting longer for the journal.
pub(super) const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// The same answer within this time is a second press of the same button.
const SAID_AGAIN: TimeDelta = TimeDelta::minutes(10);

/// More messages in a minute are read by people alone.
const MOST_IN_A_MINUTE: i64 = 10;

/// So many answers by rules within [`LOOP_SPAN`], and another program may be on the other side.
const MOST_ANSWERS: i64 = 5;
const MOST_TURNS: i64 = 20;
const LOOP_SPAN: TimeDelta = TimeDelta::minutes(10);

/// Words that were read so late are a person's: meanwhile somebody may have answered them.
const STALE: TimeDelta = TimeDelta::hours(1);

/// Who sends what cannot be read is told so this rarely.
const WORDLESS_EVERY: TimeDelta = TimeDelta::hours(1);

/// One visit that a message may be about.
#[derive(Clone)]
pub(super) struct Meeting {
    pub(super) company: i64,
    pub(super) unit: String,
    pub(super) records: Vec<Record>,
}

/// What a message is about, as far as the database knows.
#[derive(Default)]
pub(super) struct Subject {
    /// The visits it may be about, the next one first.
    pub(super) meetings: Vec<Meeting>,
    /// It answers a reminder.
    pub(super) answers_reminder: bool,
    /// It answers a message about a booking, which then is the one that is meant.
    names_booking: bool,
    /// A reminder or something else was said last, and nobody knows which: one may not have arrived.
    is_in_doubt: bool,
    /// What was said last, or may have been, is an answer; or one is quoted, or what nobody knows.
    follows_answer: bool,
    /// The message of ours that it quotes, as the messenger calls it.
    pub(super) quotes: Option<String>,
    /// It quotes a message about a booking that is another person's by now.
    is_foreign: bool,
}

/// What owners are shown of a message.
pub(super) struct Shown {
    pub(super) head: Head,
    pub(super) booking: Vec<Record>,
    pub(super) answer: Option<String>,
    /// The order that the owner decides about.
    pub(super) asks: Option<i64>,
    /// The order that the message gave.
    pub(super) order: Vec<i64>,
    /// The rule that was chosen, for who tries it out.
    pub(super) rule: &'static str,
    /// The messages that show it.
    pub(super) cards: Vec<i64>,
}

impl Shown {
    /// Words that were answered, or will be when the journal did.
    pub(super) fn answered(
        booking: Vec<Record>,
        answer: Option<String>,
        rule: &'static str,
    ) -> Self {
        Self {
            answer,
            rule,
            ..Self::words(booking)
        }
    }

    fn words(booking: Vec<Record>) -> Self {
        Self {
            head: Head::Words,
            booking,
            answer: None,
            asks: None,
            order: Vec::new(),
            rule: "words",
            cards: Vec::new(),
        }
    }
}

impl Desk {
    /// What a message is about: the booking of the message that it quotes, or of the reminder that was
    /// said last; else whatever this person has ahead of them with the salons of this channel.
    pub(super) fn subject(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        written: &Written,
        answers: &Answers,
        now: DateTime<Utc>,
    ) -> store::Result<Subject> {
        let Some(phone) = &written.phone else {
            return Ok(Subject::default());
        };
        let contact = contacts::of_chat(conn, &end.name, &written.chat_id)?;
        let (mut is_in_doubt, mut follows_answer) = (false, false);
        let about = match answers {
            Answers::Notification(id) => outbox::get(conn, *id)?,
            Answers::Message(id) => {
                let to = address(end, &written.chat_id, Some(phone));
                let quoted = outbox::by_message(conn, &end.name, &to, id)?;
                follows_answer = quoted.as_ref().is_none_or(|n| n.kind == "reply");
                quoted
            }
            Answers::Nothing | Answers::Lost => {
                let last = outbox::last_said(conn, &end.name, phone.e164(), contact)?;
                let last = last.filter(|n| n.sent_at.is_some_and(|at| now - at <= FRESH));
                let since = last.as_ref().and_then(|n| n.sent_at);
                let since = since.unwrap_or(now - FRESH);
                let mut maybe =
                    outbox::in_doubt_since(conn, &end.name, phone.e164(), contact, since)?;
                let mut said = maybe.iter().chain(last.iter().map(|n| &n.kind));
                follows_answer = said.any(|kind| kind == "reply");
                let last = last.filter(|n| n.kind == "reminder");
                if !maybe.is_empty() {
                    maybe.extend(last.map(|n| n.kind));
                    is_in_doubt = maybe.iter().any(|kind| kind == "reminder");
                    None
                } else {
                    // What a person of the salon said after it is what is answered.
                    match last.as_ref().and_then(|n| n.sent_at).zip(contact) {
                        Some((at, contact)) if messages::was_said_since(conn, contact, at)? => None,
                        _ => last,
                    }
                }
            }
        };
        let about = about.filter(|n| !n.phone.is_empty() && n.record != 0);
        let all = self.meetings(conn, end, phone.e164(), now)?;
        let Some(about) = about else {
            return Ok(Subject {
                meetings: all,
                is_in_doubt,
                follows_answer,
                ..Subject::default()
            });
        };
        let answers_reminder = about.kind == "reminder";
        let cached = cache::get(conn, about.company, about.record)?.map(|c| c.record);
        let is_foreign = about.phone != phone.e164()
            || cached.as_ref().is_some_and(|r| {
                r.phone()
                    .is_some_and(|theirs| theirs.e164() != phone.e164())
            });
        // A reminder names everything of its day that stood then: a booking made since is none of it, nor
        // is what has been moved there.
        let mut reminded = Vec::new();
        if answers_reminder {
            let named = reminders::of_notification(conn, about.id)?;
            let theirs = named.iter().filter(|r| r.phone == phone.e164());
            reminded.extend(theirs.map(|r| r.start_local));
        }
        let meant = |meeting: &Meeting| {
            let mut records = meeting.records.iter();
            meeting.company == about.company
                && match answers_reminder {
                    true => records.any(|r| reminded.contains(&r.start_local)),
                    false => cached
                        .as_ref()
                        .is_some_and(|record| meeting.unit == cache::unit(record)),
                }
        };
        let said_at = about.sent_at.filter(|_| answers_reminder);
        let meetings = all.into_iter().filter(meant).collect();
        let meetings = self.as_known(conn, meetings, phone, said_at)?;
        Ok(Subject {
            meetings,
            answers_reminder,
            names_booking: true,
            is_in_doubt,
            follows_answer,
            quotes: None,
            is_foreign,
        })
    }

    /// What this person has ahead of them with the salons that write over this channel.
    pub(super) fn meetings(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        phone: &str,
        now: DateTime<Utc>,
    ) -> store::Result<Vec<Meeting>> {
        let mut meetings: Vec<Meeting> = Vec::new();
        for cached in cache::ahead_of_phone(conn, phone, now)? {
            let (company, record) = (cached.record.company_id, cached.record);
            let serves = |c: &&Arc<Company>| {
                c.writes_over(&end.name) && !c.settings.rules.ignore.covers(&record)
            };
            if self.companies.get(&company).filter(serves).is_none() {
                continue;
            }
            let unit = cache::unit(&record);
            let same = |m: &&mut Meeting| m.company == company && m.unit == unit;
            match meetings.iter_mut().find(same) {
                Some(meeting) => meeting.records.push(record),
                None => meetings.push(Meeting {
                    company,
                    unit,
                    records: vec![record],
                }),
            }
        }
        Ok(meetings)
    }

    /// What the rules make of a message that was just stored, done: answers are queued, orders made, and
    /// who has to read it is noted.
    pub(super) fn converse(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        written: &Written,
        subject: &Subject,
        (at, now): (DateTime<Utc>, DateTime<Utc>),
    ) -> store::Result<Shown> {
        let booking = |meetings: &[Meeting]| -> Vec<Record> {
            let all = meetings.iter().flat_map(|m| m.records.clone());
            all.take(6).collect()
        };
        // Of several visits none is more likely than the next one.
        let likely = &subject.meetings[..subject.meetings.len().min(1)];
        let plain = Shown::words(booking(likely));
        let Some(contact) = written.contact else {
            return Ok(plain);
        };
        let company = self.whose_words(end, subject, written, conn)?;
        let Some(company) = company.filter(|c| self.answers(c, written.phone.as_ref())) else {
            return Ok(plain);
        };
        let talk = talks::get(conn, contact)?;
        let chosen = self.chosen(&talk, written, subject, now);
        // Whichever visit is meant, its own salon's rules say what may be done.
        let of_chosen = chosen.as_ref().map(|(_, meeting)| meeting.company);
        let of_chosen = of_chosen.and_then(|id| self.companies.get(&id));
        let company = of_chosen.map_or(company, |c| c.as_ref());
        let id = company.settings.id;
        let of_chosen = chosen.as_ref().map(|(_, meeting)| meeting);
        let first = of_chosen.or(likely.first());
        let first = first.and_then(|meeting| meeting.records.first());
        talks::about(conn, contact, Some(id), first.map(|r| r.id))?;
        let replies = &company.settings.replies;
        let taken_over = talks::silent_until(conn, contact)?.is_some_and(|until| until > now);
        // Whatever is said next is not the answer to it any more.
        talks::ask(conn, contact, None, now)?;
        // Nobody waits for a person any more who only did so for this.
        if chosen.is_some() && talk.asked.as_ref().is_some_and(|asked| !asked.waited) {
            talks::answered(conn, contact)?;
        }
        // A number that names none of the visits asked about is nobody's yes or no.
        let is_lost_number = chosen.is_none()
            && !subject.answers_reminder
            && is_asked(&talk, now)
            && meaning::number(&written.text).is_some();
        // Nor does anybody know what a bare yes or no answers where the question may not have arrived.
        let meaning = Meaning::of(&written.text, &replies.words);
        let is_unclear = subject.is_in_doubt && matches!(meaning, Some(Meaning::Nod | Meaning::No));
        let meaning = meaning.filter(|_| !is_lost_number && !is_unclear);
        let chosen_none = chosen.is_none();
        let (meetings, verdict) = match chosen.filter(|_| !taken_over) {
            Some((request, meeting)) => {
                let meaning = match request {
                    Request::Cancel => Meaning::Cancel,
                    Request::Move => Meaning::Move,
                    Request::Late => Meaning::Late,
                    Request::Person => Meaning::Person,
                };
                let meetings = vec![meeting];
                let around = self.around(company, &meetings, false, taken_over, conn, now)?;
                (meetings, decide(Some(meaning), around, replies))
            }
            None => {
                let mut meetings = subject.meetings.clone();
                let is_unasked = meaning == Some(Meaning::Confirm) && !subject.answers_reminder;
                if let Some(phone) = written.phone.as_ref().filter(|_| is_unasked) {
                    meetings = self.as_known(conn, meetings, phone, None)?;
                }
                let answers = subject.answers_reminder;
                let around = self.around(company, &meetings, answers, taken_over, conn, now)?;
                (meetings, decide(meaning, around, replies))
            }
        };
        let is_for_people =
            is_unclear || now - at > STALE || self.is_too_much(conn, contact, at, now)?;
        let has_agent = !taken_over && !is_for_people && self.agent_of(conn, company)?.is_some();
        // In a conversation a yes, a no or a number answers what the agent said last. "нет" to "на 15:00?"
        // must take nobody's booking off.
        let is_short = meaning == Some(Meaning::Nod)
            || Agreement::of(&written.text) == Agreement::No
            || meaning::number(&written.text).is_some();
        let answers_agent = |within| -> store::Result<bool> {
            let is_free = chosen_none && !subject.names_booking;
            Ok(is_free && conversations::is_live(conn, contact, within, now)?)
        };
        // So do "не смогу" and "приду", though they come hours later: what they would write is lasting. They
        // may also go on with words that are not answered yet.
        let writes = matches!(meaning, Some(Meaning::Cancel | Meaning::Confirm));
        let goes_on = (is_short && has_agent && answers_agent(LIVES)?)
            || (writes && subject.follows_answer && answers_agent(FRESH)?)
            || (writes && answers_agent(PATIENCE)?);
        let verdict = match verdict {
            _ if goes_on => Verdict::Words,
            Verdict::Acknowledged if has_agent && courtesy(&written.text).is_some() => {
                Verdict::Words
            }
            Verdict::Acknowledged => Verdict::Acknowledged,
            _ if is_for_people => Verdict::Words,
            // It knows the free times, and a person does not always.
            Verdict::HandOn(Request::Move) | Verdict::AskWhich(Request::Move) if has_agent => {
                Verdict::Words
            }
            verdict => verdict,
        };
        let speaker = Speaking {
            conn,
            desk: self,
            end,
            company,
            written,
            contact,
            now,
        };
        match verdict {
            Verdict::Acknowledged => Ok(Shown {
                rule: "acknowledged",
                ..plain
            }),
            Verdict::Confirm => {
                // Of a reminder that names several visits one yes is one order, and one answer.
                let whole = meetings.first().map(|first| Meeting {
                    records: meetings.iter().flat_map(|m| m.records.clone()).collect(),
                    ..first.clone()
                });
                let mut order = Vec::new();
                if let Some(whole) = &whole {
                    order.extend(speaker.order(whole, Act::Confirm, State::Open)?);
                }
                Ok(Shown {
                    booking: booking(&meetings),
                    order,
                    rule: "confirm",
                    ..plain
                })
            }
            Verdict::Cancel => {
                let mut order = Vec::new();
                for meeting in &meetings {
                    order.extend(speaker.order(meeting, Act::Cancel, State::Open)?);
                }
                Ok(Shown {
                    booking: booking(&meetings),
                    order,
                    rule: "cancel",
                    ..plain
                })
            }
            Verdict::HandOn(request) => {
                let records = booking(&meetings);
                let asks = match (request, meetings.as_slice()) {
                    (Request::Cancel, [one]) => speaker.order(one, Act::Cancel, State::Asked)?,
                    _ => None,
                };
                let told = match request {
                    Request::Cancel => Told::Declined { now: &records },
                    Request::Move | Request::Late | Request::Person => Told::HandedOn,
                };
                let answer = speaker.say(&told, records.first())?;
                speaker.waits(at)?;
                Ok(Shown {
                    head: Head::Wants(request),
                    booking: records,
                    answer,
                    asks,
                    rule: request.as_str(),
                    ..plain
                })
            }
            Verdict::AskWhich(request) => {
                let firsts: Vec<Record> = meetings
                    .iter()
                    .take(9)
                    .filter_map(|m| m.records.first().cloned())
                    .collect();
                let visits = meetings.iter().take(9).map(|m| (m.company, m.unit.clone()));
                let asked = Asked {
                    request: request.as_str().to_owned(),
                    visits: visits.collect(),
                    waited: talk.waiting_since.is_some()
                        && talk.asked.as_ref().is_none_or(|asked| asked.waited),
                };
                let answer = speaker.say(&Told::Which { now: &firsts }, None)?;
                talks::ask(conn, contact, Some(&asked), now)?;
                speaker.waits(at)?;
                Ok(Shown {
                    booking: firsts,
                    answer,
                    rule: "which",
                    ..plain
                })
            }
            Verdict::Words => {
                let mut answer = None;
                let may_speak = !taken_over && !is_for_people;
                let wants_write = matches!(
                    meaning,
                    Some(
                        Meaning::Cancel
                            | Meaning::No
                            | Meaning::Move
                            | Meaning::Confirm
                            | Meaning::Late
                    )
                );
                if may_speak && subject.is_foreign && subject.meetings.is_empty() && wants_write {
                    answer = speaker.say(&Told::NotYours, None)?;
                }
                let lately = talk
                    .wordless_at
                    .is_some_and(|at| now - at < WORDLESS_EVERY && now >= at);
                if may_speak && meaning::is_wordless(&written.text) && !lately {
                    answer = speaker.say(&Told::TextOnly, None)?;
                    talks::asked_for_words(conn, contact, now)?;
                }
                if may_speak && goes_on && !has_agent && answer.is_none() {
                    answer = speaker.say(&Told::HandedOn, None)?;
                }
                let may_think = has_agent && answer.is_none();
                if may_think && !meaning::is_wordless(&written.text) {
                    match self.agent_hears(conn, end, company, written, now)? {
                        Some(Heard::Waits) => {
                            return Ok(Shown {
                                rule: "agent",
                                ..plain
                            });
                        }
                        Some(Heard::Answered(text)) => {
                            return Ok(Shown {
                                answer: Some(text),
                                rule: "courtesy",
                                ..plain
                            });
                        }
                        None => {}
                    }
                }
                speaker.waits(at)?;
                Ok(Shown { answer, ..plain })
            }
        }
    }

    /// A word to the program, or one that nobody waits for an answer to, needs no card of its own kind:
    /// what owners are shown of it.
    pub(super) fn shown_plain(&self, subject: &Subject, rule: &'static str) -> Shown {
        let likely = subject.meetings.first();
        Shown {
            rule,
            ..Shown::words(likely.map_or_else(Vec::new, |m| m.records.clone()))
        }
    }

    /// The company in whose name these words are answered.
    fn whose_words<'a>(
        &'a self,
        end: &ChannelEnd,
        subject: &Subject,
        written: &Written,
        conn: &Connection,
    ) -> store::Result<Option<&'a Company>> {
        let known = match subject.meetings.first() {
            Some(meeting) => Some(meeting.company),
            None => {
                let phone = written.phone.as_ref().map_or("", |p| p.e164());
                cache::company_of_phone(conn, phone)?
            }
        };
        let served = |c: &&Company| c.writes_over(&end.name);
        let known = known.and_then(|id| self.companies.get(&id));
        let known = known.map(|c| c.as_ref()).filter(served);
        let first = || self.companies.values().map(|c| c.as_ref()).find(served);
        Ok(known.or_else(first))
    }

    /// Whether this person is answered by the program at all: nobody is while it is tried out on others.
    pub(super) fn answers(&self, company: &Company, phone: Option<&Phone>) -> bool {
        let rules = &company.settings.rules;
        let is_let = match phone {
            Some(phone) => rules.writes_to(phone),
            None => !rules.dry_run && rules.only_phones.is_empty(),
        };
        company.settings.replies.enabled && is_let
    }

    fn around(
        &self,
        company: &Company,
        meetings: &[Meeting],
        answers_reminder: bool,
        taken_over: bool,
        conn: &Connection,
        now: DateTime<Utc>,
    ) -> store::Result<Around> {
        let until = delta(company.settings.replies.cancel_until);
        let row = companies::ensure(conn, company.settings.id)?;
        let zone = company.zone(&row).unwrap_or(Zone::UTC);
        let near = |r: &Record| r.start_at(zone) - now < until;
        Ok(Around {
            taken_over,
            answers_reminder,
            visits: meetings.len(),
            is_near: meetings.iter().flat_map(|m| &m.records).any(near),
        })
    }

    /// The visit that a number names, if it was asked for.
    fn chosen(
        &self,
        talk: &talks::Talk,
        written: &Written,
        subject: &Subject,
        now: DateTime<Utc>,
    ) -> Option<(Request, Meeting)> {
        // "1" under a reminder that came after the question is the answer to the reminder.
        if subject.answers_reminder || subject.is_in_doubt || !is_asked(talk, now) {
            return None;
        }
        let asked = talk.asked.as_ref()?;
        let number = meaning::number(&written.text)?.checked_sub(1)?;
        let (company, unit) = asked.visits.get(number)?;
        let meant = |m: &&Meeting| m.company == *company && m.unit == *unit;
        let meeting = subject.meetings.iter().find(meant)?;
        Some((Request::from_stored(&asked.request)?, meeting.clone()))
    }

    /// The visits that are when their client knows them to be.
    fn as_known(
        &self,
        conn: &Connection,
        meetings: Vec<Meeting>,
        phone: &Phone,
        said_at: Option<DateTime<Utc>>,
    ) -> store::Result<Vec<Meeting>> {
        let mut known = Vec::new();
        for meeting in meetings {
            let company = self.companies.get(&meeting.company);
            let is_known = company.map(|c| is_as_known(conn, c, &meeting, phone, said_at));
            if is_known.transpose()?.unwrap_or_default() {
                known.push(meeting);
            }
        }
        Ok(known)
    }

    /// A flood, or another program on the other side: nothing is answered any more.
    fn is_too_much(
        &self,
        conn: &Connection,
        contact: i64,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> store::Result<bool> {
        let minute = TimeDelta::minutes(1);
        let wrote = contacts::wrote_between(conn, contact, at - minute, at)?;
        let answers = outbox::replies_since(conn, contact, now - LOOP_SPAN)?;
        // A conversation has more turns than an exchange with rules.
        let most = match conversations::get(conn, contact)? {
            Some(_) => MOST_TURNS,
            None => MOST_ANSWERS,
        };
        if wrote > MOST_IN_A_MINUTE || answers >= most {
            tracing::warn!(
                contact,
                wrote,
                answers,
                "too many messages: nothing is answered"
            );
            return Ok(true);
        }
        Ok(false)
    }
}

/// Whether the client was asked which visit is meant, and may still answer that.
fn is_asked(talk: &talks::Talk, now: DateTime<Utc>) -> bool {
    talk.asked.is_some() && talk.asked_at.is_some_and(|at| now - at <= FRESH)
}

/// Whether the client knows when this visit is: a yes to another time is no yes, nor is one under a
/// reminder (`said_at`) that something was told after.
fn is_as_known(
    conn: &Connection,
    company: &Company,
    meeting: &Meeting,
    phone: &Phone,
    said_at: Option<DateTime<Utc>>,
) -> store::Result<bool> {
    let visit = Visit::read(conn, company, &meeting.unit, phone.e164())?;
    if said_at.is_some_and(|said| visit.told_at.is_some_and(|told| told > said)) {
        return Ok(false);
    }
    Ok(visit.members.iter().filter(|m| m.theirs).all(|member| {
        let known = member.known.states().iter().filter_map(Knowledge::record);
        let mut moved = known.filter(|known| known.start_local != member.record.start_local);
        moved.next().is_none()
    }))
}

/// Who is answered, in whose name.
struct Speaking<'a> {
    conn: &'a Connection,
    desk: &'a Desk,
    end: &'a ChannelEnd,
    company: &'a Company,
    written: &'a Written,
    contact: i64,
    now: DateTime<Utc>,
}

impl Speaking<'_> {
    /// Queues an answer; what it says, plain. Nothing where the text is empty.
    fn say(&self, told: &Told<'_>, record: Option<&Record>) -> store::Result<Option<String>> {
        let to = address(self.end, &self.written.chat_id, self.written.phone.as_ref());
        let said = Answer {
            company: self.company,
            end: self.end,
            to: &to,
            contact: self.contact,
            record,
        };
        let said = self.desk.answer(self.conn, &said, told, self.now)?;
        Ok(said.map(|(_, plain)| plain))
    }

    /// What the client asked for, stored before anybody acts on it.
    fn order(&self, meeting: &Meeting, act: Act, state: State) -> store::Result<Option<i64>> {
        let Some(phone) = &self.written.phone else {
            return Ok(None);
        };
        let meant: Vec<Meant> = meeting.records.iter().map(Meant::of).collect();
        let new = writes::New {
            company: meeting.company,
            unit: &meeting.unit,
            phone: phone.e164(),
            contact: Some(self.contact),
            act,
            meant: &meant,
            state,
            give_up_at: (state == State::Open).then_some(self.now + PATIENCE),
        };
        order(self.conn, &new, self.now)
    }

    /// A person has to answer, in opening hours.
    fn waits(&self, at: DateTime<Utc>) -> store::Result<()> {
        self.desk
            .waits_for_person(self.conn, self.company, self.contact, at, self.now)
    }
}

/// Stores what a client asked for; what waits already is not asked for twice. The order that the owner is
/// to decide about, or the new one.
pub(super) fn order(
    conn: &Connection,
    new: &writes::New<'_>,
    now: DateTime<Utc>,
) -> store::Result<Option<i64>> {
    let of = (new.company, new.unit, new.phone);
    for old in writes::pending(conn, of, new.act)? {
        let asked: Vec<&Meant> = old.parts.iter().map(|part| &part.meant).collect();
        if old.state == State::Open {
            if new.meant.iter().all(|meant| asked.contains(&meant)) {
                return Ok(None);
            }
        } else if new.state == State::Asked && asked.iter().copied().eq(new.meant) {
            return Ok(Some(old.id));
        } else if asked
            .iter()
            .any(|a| new.meant.iter().any(|m| m.record == a.record))
        {
            // What the owner was asked is not what is asked for now: the visit was moved, may be taken
            // off without them, or less of it is meant.
            take_back(conn, &old, now)?;
        }
    }
    if new.act == Act::Confirm {
        // Whoever comes after all does not want it taken off any more.
        let mut units = BTreeSet::from([new.unit.to_owned()]);
        for meant in new.meant {
            let cached = cache::get(conn, new.company, meant.record)?;
            units.extend(cached.map(|cached| cache::unit(&cached.record)));
        }
        let mut changed = false;
        for unit in &units {
            let of = (new.company, unit.as_str(), new.phone);
            for old in writes::pending(conn, of, Act::Cancel)? {
                changed |= take_back(conn, &old, now)?;
            }
        }
        if !changed && writes::was_done(conn, of, new.act, now - SAID_AGAIN)? {
            return Ok(None);
        }
    }
    let id = writes::add(conn, new, now)?;
    tracing::info!(
        company = new.company,
        order = id,
        act = new.act.as_str(),
        state = new.state.as_str(),
        "a client asks for a change"
    );
    Ok(Some(id))
}

/// An order is not wanted any more, nor its owner's decision. `false` when a request may have left.
fn take_back(conn: &Connection, old: &Order, now: DateTime<Utc>) -> store::Result<bool> {
    let is_back = writes::take_back(conn, old.id, now)?;
    if is_back {
        let matter = Matter::Cancel(old.id);
        questions::end(conn, old.company, &matter, End::Over, now)?;
    }
    Ok(is_back)
}

/// An answer to be queued.
pub(super) struct Answer<'a> {
    pub(super) company: &'a Company,
    pub(super) end: &'a ChannelEnd,
    pub(super) to: &'a str,
    pub(super) contact: i64,
    pub(super) record: Option<&'a Record>,
}

impl Desk {
    /// Queues an answer to a client; its number, and what it says, plain. Nothing where the text is empty.
    pub(super) fn answer(
        &self,
        conn: &Connection,
        answer: &Answer<'_>,
        told: &Told<'_>,
        now: DateTime<Utc>,
    ) -> store::Result<Option<(i64, String)>> {
        let Answer { company, end, .. } = *answer;
        let row = companies::ensure(conn, company.settings.id)?;
        let place = words::Place {
            company,
            row: &row,
            zone: company.zone(&row).unwrap_or(Zone::UTC),
            now,
        };
        let message = words::said(&place, end, told);
        if message.is_empty() {
            return Ok(None);
        }
        let phone = contacts::get(conn, answer.contact)?.map_or_else(String::new, |c| c.phone);
        let id = outbox::add(
            conn,
            &New {
                told: &answers::stated(conn, told, &phone)?,
                company: company.settings.id,
                record: answer.record.map_or(0, |r| r.id),
                visit: answer.record.map_or(0, |r| r.visit_id),
                recipient: answer.to,
                channel: &end.name,
                message: &message,
                contact: Some(answer.contact),
                ..New::note("reply", now)
            },
            now,
        )?;
        Ok(Some((id, words::plain(&place, end, told))))
    }

    /// A person of the salon has to answer these words, and is reminded of them in opening hours.
    pub(super) fn waits_for_person(
        &self,
        conn: &Connection,
        company: &Company,
        contact: i64,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let row = companies::ensure(conn, company.settings.id)?;
        let zone = company.zone(&row).unwrap_or(Zone::UTC);
        let replies = &company.settings.replies;
        let open = replies.opening_hours.or(row.info.opening_hours);
        let open = open.unwrap_or(hours::USUAL);
        let escalate_at = hours::after(delta(replies.escalate_after), now, open, zone);
        talks::waits(conn, contact, at.min(now), escalate_at)
    }

    /// A person answered this contact: the rules are silent for a while.
    pub(super) fn taken_over(
        &self,
        conn: &Connection,
        contact: i64,
        channel: &str,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let company = talks::get(conn, contact)?.company;
        let company = company.and_then(|id| self.companies.get(&id));
        let served = || self.companies.values().find(|c| c.writes_over(channel));
        let takeover = company.or_else(served).map(|c| c.settings.replies.takeover);
        let until = now + delta(takeover.unwrap_or_default());
        talks::answered_by_person(conn, contact, until)
    }
}
