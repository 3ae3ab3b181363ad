//! Questions to owners: what stands under a message with buttons, and how a matter stands that is
//! asked about.
//!
//! The database decides, not the button: whatever settles a matter (a press, an order, a command, the
//! messenger's journal) ends its questions in every chat.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rusqlite::Connection;

use super::{ChannelEnd, Desk};
use crate::domain::delivery::Status;
use crate::domain::message::Language;
use crate::domain::message::markup::render;
use crate::domain::message::owner::Voice;
use crate::domain::question::{Choice, End, Matter, Pressed};
use crate::ports::Button;
use crate::store::outbox::{self, Notification};
use crate::store::pauses::{self, Pause};
use crate::store::questions::{self, Question};
use crate::store::{self, At, cache, guard, writes};

/// A card is made for a visit within two days: after this nobody calls any more.
const LONGEST_CALL: TimeDelta = TimeDelta::days(3);

/// How a matter stands.
pub(super) enum Standing {
    /// It waits for an answer; so many messages are concerned.
    Open(i64),
    /// It is over.
    Ended(End),
}

impl Desk {
    /// A message with questions as it is to stand now: its own text, what was decided, and buttons
    /// for the rest.
    pub(super) fn with_questions(
        &self,
        conn: &Connection,
        n: &Notification,
        text: &str,
        now: DateTime<Utc>,
    ) -> store::Result<(String, Vec<Vec<Button>>)> {
        let asked = questions::of_message(conn, n.id)?;
        let Some(end) = self.channels.get(&n.channel).filter(|_| !asked.is_empty()) else {
            return Ok((text.to_owned(), Vec::new()));
        };
        let voice = self.asking(end, &n.recipient);
        let (mut lines, mut rows) = (vec![text.to_owned()], Vec::new());
        for question in &asked {
            let number = question.matter.notification().filter(|_| asked.len() > 1);
            if let Some(end) = question.ended {
                let line = voice.decided(&question.matter, end, number);
                lines.push(render(&line, voice.markup));
                continue;
            }
            let foreign = match &question.matter {
                Matter::Pause(since) => pause_since(conn, question.company, since, now)?
                    .is_some_and(|pause| pause.of.company.is_none()),
                _ => false,
            };
            let button = |choice: &Choice| Button {
                label: voice.button(*choice, number, question.figure),
                data: Pressed {
                    question: question.id,
                    choice: *choice,
                    figure: question.figure,
                }
                .data(),
            };
            let choices = question.matter.choices().iter();
            let offered = choices.filter(|choice| !foreign || **choice != Choice::Send);
            // What decides stands together, apart from what only shows.
            let (shows, decides): (Vec<&Choice>, Vec<&Choice>) =
                offered.partition(|choice| **choice == Choice::Show);
            for row in [shows, decides].into_iter().filter(|row| !row.is_empty()) {
                rows.push(row.into_iter().map(button).collect());
            }
        }
        Ok((lines.join("\n"), rows))
    }

    /// How owners in this chat are spoken to where no day and no company matters.
    pub(super) fn asking(&self, end: &ChannelEnd, chat_id: &str) -> Voice {
        Voice {
            language: self.language_of(&end.name, chat_id),
            markup: end.channel.markup(),
            today: NaiveDate::default(),
        }
    }

    /// In which language a company's clients and owners are written to.
    pub(super) fn language_of_company(&self, company: i64) -> Language {
        let company = self.companies.get(&company);
        company.map_or(Language::Ru, |c| c.settings.language)
    }

    /// In which language a company says that it says something again, and over which channels.
    pub(super) fn repeats(&self, company: i64) -> (Language, &[String]) {
        let settings = self.companies.get(&company).map(|c| &c.settings);
        let channels = settings.map_or(&[] as &[_], |s| s.channels.as_slice());
        (self.language_of_company(company), channels)
    }

    /// Ends the questions that something else than a button decided, and brings the figures of the
    /// rest up to date. Returns whether any message has to be edited.
    pub(super) fn review_questions(
        &self,
        conn: &Connection,
        now: DateTime<Utc>,
    ) -> store::Result<bool> {
        let mut changed = false;
        for question in questions::open(conn)? {
            match standing(conn, &question, now)? {
                Standing::Ended(end) => {
                    questions::end(conn, question.company, &question.matter, end, now)?;
                    changed = true;
                }
                Standing::Open(count) if count != question.figure && count > 0 => {
                    questions::set_figure(conn, question.id, count, now)?;
                    changed = true;
                }
                Standing::Open(_) => {}
            }
        }
        Ok(changed)
    }
}

/// The pause that began then and keeps back this company, while it runs.
pub(super) fn pause_since(
    conn: &Connection,
    company: i64,
    since: &str,
    now: DateTime<Utc>,
) -> store::Result<Option<Pause>> {
    let running = pauses::running_since(conn, now)?;
    let mut concerning = running.into_iter().filter(|(began, pause)| {
        At(*began).text() == since && pause.of.company.is_none_or(|id| id == company)
    });
    Ok(concerning.next().map(|(_, pause)| pause))
}

/// How the matter of this question stands.
pub(super) fn standing(
    conn: &Connection,
    question: &Question,
    now: DateTime<Utc>,
) -> store::Result<Standing> {
    let company = question.company;
    Ok(match &question.matter {
        Matter::Uncertain(id) | Matter::Dead(id) => {
            let Some(n) = outbox::get(conn, *id)?.filter(|n| n.company == company) else {
                return Ok(Standing::Ended(End::Over));
            };
            let asks_of_doubt = matches!(question.matter, Matter::Uncertain(_));
            match n.status {
                Status::Uncertain if n.superseded_by.is_some() => Standing::Ended(End::Superseded),
                Status::Uncertain if asks_of_doubt => Standing::Open(0),
                Status::Dead if !asks_of_doubt => Standing::Open(0),
                Status::Sent | Status::Delivered | Status::Read if asks_of_doubt => {
                    Standing::Ended(End::Arrived)
                }
                Status::Pending | Status::Sending => Standing::Ended(End::Again),
                Status::Sent | Status::Delivered | Status::Read => Standing::Ended(End::Again),
                Status::Uncertain
                | Status::Dead
                | Status::Held
                | Status::Failed
                | Status::Suppressed => Standing::Ended(End::Over),
            }
        }
        Matter::Call(id) => match outbox::get(conn, *id)? {
            Some(n) if n.company == company && now - n.created_at < LONGEST_CALL => {
                Standing::Open(0)
            }
            _ => Standing::Ended(End::Over),
        },
        Matter::Cancel(id) => {
            let order = writes::get(conn, *id)?.filter(|order| order.company == company);
            let Some(order) = order else {
                return Ok(Standing::Ended(End::Over));
            };
            let booking = cache::get(conn, company, order.record)?;
            // Taken off by hand, or begun: there is nothing left to ask.
            let stands = booking.is_some_and(|b| b.record.is_alive())
                && cache::ahead_of_phone(conn, &order.phone, now)?
                    .iter()
                    .any(|b| b.record.id == order.record);
            match order.state {
                writes::State::Asked if stands => Standing::Open(0),
                writes::State::Asked | writes::State::Over => Standing::Ended(End::Over),
                writes::State::Open => Standing::Ended(End::TakingOff),
                writes::State::Done => Standing::Ended(End::TakenOff),
                writes::State::Barred => Standing::Ended(End::NotTakenOff),
            }
        }
        Matter::Guard(kind) => match guard::held_as(conn, company, Some(*kind), now)?.count {
            0 => Standing::Ended(End::Over),
            count => Standing::Open(count),
        },
        Matter::Pause(since) => match pause_since(conn, company, since, now)? {
            Some(pause) => {
                let waiting = pauses::kept_back(conn, company, &pause.of)?.len();
                Standing::Open(i64::try_from(waiting).unwrap_or(i64::MAX))
            }
            None => Standing::Ended(End::Over),
        },
    })
}
