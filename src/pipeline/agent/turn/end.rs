//! The end of an answer: what is said is queued, and everything that follows from it stored, in one
//! transaction.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::super::{Chat, typing};
use super::{End, HISTORY, MOST_LINES, Turn};
use crate::domain::agent::proposal::LASTS;
use crate::domain::agent::state::Step;
use crate::domain::message::markup::{data, render};
use crate::domain::message::owner::{Card, Head, card};
use crate::domain::message::{Markup, Told};
use crate::domain::reply::Request;
use crate::pipeline::Desk;
use crate::ports::Keyboard;
use crate::store::proposals::{self, New};
use crate::store::{self, conversations, talks, turns};

impl Desk {
    /// Ends it: what is said is queued, and everything that follows from it stored, at once.
    pub(super) fn end_turn(
        &self,
        tx: &Connection,
        turn: &Turn,
        end: End,
        now: DateTime<Utc>,
    ) -> store::Result<&'static str> {
        let contact = turn.contact.id;
        let Some(conversation) = conversations::get(tx, contact)? else {
            return Ok("forgotten");
        };
        if let End::Later(pause) = end {
            conversations::wait(tx, contact, now + pause, now)?;
            return Ok("busy");
        }
        if conversations::last_heard(tx, contact)? > turn.up_to {
            // More was said meanwhile: all of it is answered together.
            turns::end(tx, turn.id, "overtaken", None, now)?;
            return Ok("overtaken");
        }
        let taken_over = talks::silent_until(tx, contact)?.is_some_and(|until| until > now);
        let end_of_channel = self.channels.get(&turn.contact.channel);
        let (false, Some(way)) = (taken_over, end_of_channel) else {
            turns::end(tx, turn.id, "taken_over", None, now)?;
            conversations::answered(tx, contact, turn.up_to)?;
            return Ok("taken_over");
        };
        let chat = Chat {
            conn: tx,
            desk: self,
            company: &turn.company,
            end: way,
            contact: &turn.contact,
            language: turn.language,
            now,
        };
        for step in &turn.steps {
            chat.step(*step)?;
        }
        // Reading and thinking took its time already.
        let pause = |text: &str| (typing(text) - (now - turn.since)).max(TimeDelta::zero());
        let (outcome, said) = match &end {
            End::Said(text) => {
                let lines: Vec<String> = text.lines().map(data).collect();
                let text = lines.join("\n");
                let plain = render(&text, Markup::Plain);
                let message = render(&text, way.channel.markup());
                let id = chat.say(&message, None, pause(&plain))?;
                talks::answered(tx, contact)?;
                ("said", Some((id, plain)))
            }
            End::Proposed(proposal) => {
                let writes = chat.writes(proposal)?;
                let told = Told::Proposed {
                    what: proposal,
                    writes,
                };
                let (id, text) = chat.tell(&told, None, pause)?;
                let new = New {
                    contact,
                    company: turn.company.settings.id,
                    phone: &turn.contact.phone,
                    language: turn.language,
                    what: proposal,
                    writes,
                    notification: id,
                    lapses_at: now + LASTS,
                };
                proposals::add(tx, &new, now)?;
                chat.step(Step::Proposed)?;
                talks::answered(tx, contact)?;
                ("proposed", Some((id, text)))
            }
            End::NotYours => ("not_yours", Some(chat.tell(&Told::NotYours, None, pause)?)),
            End::WantsNumber => match way.channel.is_robot() && way.channel.has_buttons() {
                true => {
                    let keyboard = Some(Keyboard::AskContact);
                    let said = chat.tell(&Told::NumberWanted, keyboard, pause)?;
                    conversations::want_number(tx, contact)?;
                    ("number", Some(said))
                }
                // Nobody can show a number here.
                false => ("handed:number", chat.hand_over(turn.since)?),
            },
            End::Person => {
                let words = last_words(tx, contact, now)?;
                let (name, phone) = (&turn.contact.name, chat.phone());
                let mask = self.mask_phones;
                chat.tell_owners(|voice, salon| {
                    card(
                        voice,
                        &Card {
                            head: Head::Wants(Request::Person),
                            name,
                            phone: phone.as_ref(),
                            salon,
                            booking: &[],
                            words: &words,
                            answer: None,
                            mask,
                        },
                    )
                })?;
                ("handed:person", chat.hand_over(turn.since)?)
            }
            End::Handed(why) => (handed(why), chat.hand_over(turn.since)?),
            End::Later(_) => ("busy", None),
        };
        if let Some((_, text)) = &said {
            chat.show_answer(&conversation.cards, text)?;
        }
        let reply = said.map(|(id, _)| id);
        turns::end(tx, turn.id, outcome, reply, now)?;
        conversations::answered(tx, contact, turn.up_to)?;
        Ok(outcome)
    }
}

/// Why a person has to answer, as it is stored.
fn handed(why: &'static str) -> &'static str {
    match why {
        "busy" => "handed:busy",
        "over_quota" => "handed:over_quota",
        "blocked" => "handed:blocked",
        "refused" => "handed:refused",
        "nonsense" => "handed:nonsense",
        "timed_out" => "handed:timed_out",
        "unavailable" => "handed:unavailable",
        "unproven" => "handed:unproven",
        "rounds" => "handed:rounds",
        "journal" => "handed:journal",
        _ => "handed:other",
    }
}

fn last_words(conn: &Connection, contact: i64, now: DateTime<Utc>) -> store::Result<String> {
    let lines = conversations::history(conn, contact, now - HISTORY, MOST_LINES)?;
    let last = lines.into_iter().rev().find(|line| line.is_inbound);
    Ok(last.map_or_else(String::new, |line| line.text))
}
