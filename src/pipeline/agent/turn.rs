//! One answer by the model: begun as a row, thought over without a transaction, ended in one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use rusqlite::Connection;

use super::super::poll::delta;
use super::super::{Company, Desk, Pipeline};
use super::tools::Ran;
use super::{Chat, day_begins, typing};
use crate::domain::agent::language_of;
use crate::domain::agent::mask::Mask;
use crate::domain::agent::prompt::{self, Setting};
use crate::domain::agent::proof::{Deed, Evidence};
use crate::domain::agent::proposal::{LASTS, Proposal};
use crate::domain::agent::state::{State, Step};
use crate::domain::agent::tools as offered;
use crate::domain::message::Language;
use crate::domain::message::markup::data;
use crate::domain::message::owner::{Card, Head, card};
use crate::domain::reply::Request;
use crate::failpoint;
use crate::ports::{Ask, Keyboard, Model, ModelError, Said, Thought, Tool};
use crate::store::companies::{self, CompanyRow};
use crate::store::contacts::Contact;
use crate::store::conversations::{self, Conversation, Line};
use crate::store::proposals::{self, New};
use crate::store::{self, cache, contacts, talks, turns, writes};

/// So many conversations at once; a slow model then keeps nobody else waiting.
const AT_ONCE: usize = 8;
/// So often the model is asked for one answer.
const ROUNDS: usize = 8;
/// So much of what was said before is told again.
const HISTORY: TimeDelta = TimeDelta::hours(12);
const MOST_LINES: u32 = 24;
/// Of what was said before, so much of one message.
const LONGEST_LINE: usize = 700;
/// An answer longer than this is none.
const LONGEST_ANSWER: usize = 2000;
/// A model that is busy is asked again, for so long.
const BUSY_FOR: TimeDelta = TimeDelta::seconds(30);
const BUSY_PAUSE: TimeDelta = TimeDelta::seconds(3);
/// What was done lately is still spoken of.
const LATELY: TimeDelta = TimeDelta::hours(24);

/// One answer in the making.
pub(super) struct Turn {
    pub(super) id: i64,
    pub(super) contact: Contact,
    pub(super) company: Arc<Company>,
    pub(super) row: CompanyRow,
    pub(super) zone: Tz,
    pub(super) language: Language,
    model: Arc<dyn Model>,
    said: Vec<Said>,
    pub(super) evidence: Evidence,
    pub(super) mask: Mask,
    state: State,
    up_to: i64,
    since: DateTime<Utc>,
    /// What happened in it, in order.
    pub(super) steps: Vec<Step>,
}

/// How it ends.
pub(super) enum End {
    /// With these words.
    Said(String),
    /// With a sentence that the client is to agree to.
    Proposed(Proposal),
    /// With the same words whether there is such a booking or not.
    NotYours,
    /// The phone is needed first.
    WantsNumber,
    /// The client wants a person.
    Person,
    /// No answer: a person has to give one.
    Handed(&'static str),
    /// Not now: the model is busy.
    Later(TimeDelta),
}

impl Pipeline {
    /// Answers what waits for the model. Returns how many conversations were answered.
    pub async fn answers_due(&self, now: DateTime<Utc>) -> store::Result<u32> {
        let due = self.store.read(move |c| conversations::due(c, now)).await?;
        let answered = AtomicU32::new(0);
        let all = due.into_iter().map(|conversation| async {
            if !self.stopping.is_cancelled() && self.answer_one(conversation).await? {
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), store::StoreError>(())
        });
        let all = stream::iter(all).buffer_unordered(AT_ONCE);
        all.try_collect::<Vec<()>>().await?;
        let answered = answered.into_inner();
        if answered > 0 {
            self.bell.notify_waiters();
        }
        Ok(answered)
    }

    async fn answer_one(&self, conversation: Conversation) -> store::Result<bool> {
        let (desk, now) = (self.desk(), self.clock.now());
        let contact = conversation.contact;
        let begun = self
            .store
            .write(move |tx| desk.begin_turn(tx, &conversation, now))
            .await?;
        failpoint::pass("after_turn_began");
        let Some(mut turn) = begun else {
            return Ok(false);
        };
        let end = self.think(&mut turn).await?;
        failpoint::pass("after_thought");
        let (desk, now) = (self.desk(), self.clock.now());
        let (id, company) = (turn.id, turn.company.settings.id);
        let how = self
            .store
            .write(move |tx| desk.end_turn(tx, &turn, end, now))
            .await?;
        failpoint::pass("after_turn_ended");
        tracing::info!(
            company,
            contact,
            turn = id,
            how,
            "a conversation was answered"
        );
        Ok(true)
    }

    /// Asks the model, runs what it calls, and holds what it says against the proof.
    async fn think(&self, turn: &mut Turn) -> store::Result<End> {
        let mut refused = false;
        for _ in 0..ROUNDS {
            let ask = turn.ask(self.clock.now());
            let (id, name, now) = (turn.id, turn.model.name().to_owned(), self.clock.now());
            let sent = serde_json::json!({"system": ask.system, "said": ask.said}).to_string();
            let question = self
                .store
                .write(move |tx| turns::asking(tx, id, &name, &sent, now))
                .await?;
            failpoint::pass("after_question_intent");
            let thought = turn.model.ask(&ask).await;
            let (outcome, answer) = match &thought {
                Ok(Thought::Words(text)) => ("words", text.clone()),
                Ok(Thought::Calls(calls)) => {
                    ("calls", serde_json::to_string(calls).unwrap_or_default())
                }
                Err(error) => (error.as_str(), error.to_string()),
            };
            let now = self.clock.now();
            self.store
                .write(move |tx| turns::answered(tx, question, outcome, &answer, now))
                .await?;
            match thought {
                Err(ModelError::Busy { pause }) if now - turn.since < BUSY_FOR => {
                    let pause = pause.map_or(BUSY_PAUSE, delta);
                    return Ok(End::Later(pause.min(BUSY_FOR)));
                }
                Err(error) => {
                    let company = turn.company.settings.id;
                    tracing::warn!(company, turn = id, %error, "the model gave no answer");
                    return Ok(End::Handed(error.as_str()));
                }
                Ok(Thought::Words(text)) => match turn.checked(&text) {
                    Ok(text) => return Ok(End::Said(text)),
                    Err(_) if refused => return Ok(End::Handed("unproven")),
                    Err(note) => {
                        refused = true;
                        turn.said.push(Said::Salon { text });
                        turn.said.push(Said::Note { text: note });
                    }
                },
                Ok(Thought::Calls(calls)) => {
                    turn.said.push(Said::Called {
                        calls: calls.clone(),
                    });
                    for call in calls {
                        let result = match offered::read(&call.name, &call.arguments) {
                            Ok(wanted) => match self.run(turn, wanted).await? {
                                Ran::Result(result) => result,
                                Ran::End(end) => return Ok(end),
                            },
                            Err(refusal) => serde_json::json!({"error": refusal.0}),
                        };
                        turn.evidence.learn(&result);
                        let hidden = turn.mask.hide_known(&result.to_string());
                        turn.said.push(Said::Result {
                            id: call.id,
                            name: call.name,
                            content: serde_json::from_str(&hidden).unwrap_or_default(),
                        });
                    }
                }
            }
        }
        Ok(End::Handed("rounds"))
    }
}

impl Turn {
    fn ask(&self, now: DateTime<Utc>) -> Ask {
        let agent = &self.company.settings.agent;
        let system = prompt::system(&Setting {
            salon: &self.company.title(&self.row),
            now: now.with_timezone(&self.zone).naive_local(),
            tone: &agent.tone,
            restrictions: &agent.restrictions,
            language: self.language,
            state: self.state,
            is_linked: !self.contact.phone.is_empty(),
        });
        let tools = offered::all().into_iter().map(|tool| Tool {
            name: tool.name,
            description: tool.description,
            parameters: tool.parameters,
        });
        Ask {
            system,
            said: self.said.clone(),
            tools: tools.collect(),
        }
    }

    /// The words as the client may read them, or what the model is told of why they may not.
    fn checked(&self, text: &str) -> Result<String, String> {
        if text.chars().count() > LONGEST_ANSWER {
            return Err("Слишком длинно. Ответь короче.".to_owned());
        }
        let bare = Mask::without(text);
        if let Err(breach) = self.evidence.bears_out(&bare) {
            tracing::info!(turn = self.id, breach = breach.as_str(), "unproven words");
            return Err(format!(
                "Так ответить нельзя: «{}» не подтверждено ответом инструмента. Проверь инструментом или ответь без этого.",
                breach.what()
            ));
        }
        let shown = self.mask.show(text);
        shown.ok_or_else(|| "Такого скрытого слова не было. Ответь без него.".to_owned())
    }
}

impl Desk {
    /// Begins an answer, if one is still due; what cannot be answered by a model is handed to a person.
    fn begin_turn(
        &self,
        tx: &Connection,
        due: &Conversation,
        now: DateTime<Utc>,
    ) -> store::Result<Option<Turn>> {
        let Some(conversation) = conversations::get(tx, due.contact)? else {
            return Ok(None);
        };
        if conversation.answer_at.is_none_or(|at| at > now) {
            return Ok(None);
        }
        let up_to = conversations::last_heard(tx, conversation.contact)?;
        let drop_it = || conversations::answered(tx, conversation.contact, up_to);
        let (Some(company), Some(contact)) = (
            self.companies.get(&conversation.company),
            contacts::get(tx, conversation.contact)?,
        ) else {
            drop_it()?;
            return Ok(None);
        };
        let Some(end) = self.channels.get(&contact.channel) else {
            drop_it()?;
            return Ok(None);
        };
        let since = conversation.waits_since.unwrap_or(now);
        if talks::silent_until(tx, contact.id)?.is_some_and(|until| until > now) {
            drop_it()?;
            return Ok(None);
        }
        let row = companies::ensure(tx, company.settings.id)?;
        let lines = conversations::history(tx, contact.id, now - HISTORY, MOST_LINES)?;
        let language = lines
            .iter()
            .rev()
            .filter(|line| line.is_inbound)
            .find_map(|line| language_of(&line.text))
            .unwrap_or(company.settings.language);
        let chat = Chat {
            conn: tx,
            desk: self,
            company,
            end,
            contact: &contact,
            language,
            now,
        };
        let id = company.settings.id;
        let Some(model) = self.agent_of(tx, company)? else {
            // Switched off meanwhile: people read it.
            self.waits_for_person(tx, company, contact.id, since, now)?;
            drop_it()?;
            return Ok(None);
        };
        let Some(zone) = company.zone(&row) else {
            // Nothing was read of the salon yet.
            self.waits_for_person(tx, company, contact.id, since, now)?;
            drop_it()?;
            return Ok(None);
        };
        let agent = &company.settings.agent;
        let (theirs, all) = turns::count(tx, id, contact.id, day_begins(company, &row, now))?;
        let over = |most: u32, had: u32| most > 0 && had >= most;
        let is_over = over(agent.per_client_per_day, theirs) || over(agent.per_day, all);
        let is_over = is_over && !turns::is_open(tx, contact.id)?;
        let turn = turns::begin(tx, contact.id, id, up_to, now)?;
        if is_over {
            let said = chat.hand_over(since)?;
            if let Some((_, text)) = &said {
                chat.show_answer(&conversation.cards, text)?;
            }
            let reply = said.map(|(id, _)| id);
            turns::end(tx, turn, "handed:budget", reply, now)?;
            drop_it()?;
            tracing::warn!(company = id, contact = contact.id, "over the day's answers");
            return Ok(None);
        }
        let mut names = vec![contact.name.clone()];
        for cached in cache::ahead_of_phone(tx, &contact.phone, now)? {
            names.extend(cached.record.client.map(|c| c.name));
        }
        let mut mask = Mask::of(names.iter().map(String::as_str));
        let mut evidence = Evidence::default();
        evidence.learn_text(&agent.tone);
        evidence.learn_text(&agent.restrictions);
        evidence.learn_text(&company.title(&row));
        for deed in deeds_of(tx, contact.id, now)? {
            evidence.prove(deed);
        }
        let mut said: Vec<Said> = lines
            .iter()
            .map(|line| heard(line, up_to, &mut mask, &mut evidence))
            .collect();
        if lines.last().is_some_and(|line| !line.is_inbound) {
            said.push(Said::Note {
                text: "Клиент прислал свой номер: записи теперь видны. Продолжай.".to_owned(),
            });
        }
        Ok(Some(Turn {
            id: turn,
            company: Arc::clone(company),
            row,
            zone,
            language,
            model,
            said,
            evidence,
            mask,
            state: conversation.state,
            up_to,
            since,
            steps: Vec::new(),
            contact,
        }))
    }

    /// Ends it: what is said is queued, and everything that follows from it stored, at once.
    fn end_turn(
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
        let talk = chat.talk()?;
        // Reading and thinking took its time already.
        let pause = |text: &str| (typing(text) - (now - turn.since)).max(TimeDelta::zero());
        let (outcome, said) = match &end {
            End::Said(text) => {
                let lines: Vec<String> = text.lines().map(data).collect();
                let text = lines.join("\n");
                let id = chat.say(&text, None, pause(&text))?;
                talks::answered(tx, contact)?;
                ("said", Some((id, text)))
            }
            End::Proposed(proposal) => {
                let text = talk.proposal(proposal);
                let id = chat.say(&text, None, pause(&text))?;
                let new = New {
                    contact,
                    company: turn.company.settings.id,
                    phone: &turn.contact.phone,
                    language: turn.language,
                    what: proposal,
                    notification: id,
                    lapses_at: now + LASTS,
                };
                proposals::add(tx, &new, now)?;
                chat.step(Step::Proposed)?;
                talks::answered(tx, contact)?;
                ("proposed", Some((id, text)))
            }
            End::NotYours => {
                let text = talk.not_yours();
                let id = chat.say(text, None, pause(text))?;
                ("not_yours", Some((id, text.to_owned())))
            }
            End::WantsNumber => match way.channel.is_robot() && way.channel.has_buttons() {
                true => {
                    let text = talk.contact_wanted();
                    let id = chat.say(text, Some(Keyboard::AskContact), pause(text))?;
                    conversations::want_number(tx, contact)?;
                    ("number", Some((id, text.to_owned())))
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

/// One line of the conversation, behind its mask; what it proves, or asks, is learnt.
fn heard(line: &Line, up_to: i64, mask: &mut Mask, evidence: &mut Evidence) -> Said {
    if line.is_inbound {
        evidence.learn_question(&line.text);
        // What is being answered now is read whole.
        let longest = if line.id == up_to { 4000 } else { LONGEST_LINE };
        let text: String = line.text.chars().take(longest).collect();
        Said::Client {
            text: mask.hide(&text),
        }
    } else {
        let plain = plain(&line.text);
        evidence.learn_text(&plain);
        let text: String = plain.chars().take(LONGEST_LINE).collect();
        Said::Salon {
            text: mask.hide(&text),
        }
    }
}

/// A message of ours without the markup of its channel.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..];
        let known = ["<b>", "</b>", "<s>", "</s>", "<i>", "</i>"];
        let tag = known.iter().find(|known| tag.starts_with(**known));
        out.push_str(&rest[..at]);
        match tag {
            Some(tag) => rest = &rest[at + tag.len()..],
            None => {
                out.push('<');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace(['*', '~'], "")
}

/// What the journal confirmed of this client's wishes lately.
fn deeds_of(conn: &Connection, contact: i64, now: DateTime<Utc>) -> store::Result<Vec<Deed>> {
    let mut deeds = Vec::new();
    for done in proposals::done_since(conn, contact, now - LATELY)? {
        deeds.push(match done.what {
            Proposal::Make { .. } => Deed::Booked,
            Proposal::Move { .. } => Deed::Moved,
            Proposal::Cancel { .. } => Deed::Cancelled,
        });
    }
    if writes::cancelled_since(conn, contact, now - LATELY)? {
        deeds.push(Deed::Cancelled);
    }
    Ok(deeds)
}

fn last_words(conn: &Connection, contact: i64, now: DateTime<Utc>) -> store::Result<String> {
    let lines = conversations::history(conn, contact, now - HISTORY, MOST_LINES)?;
    let last = lines.into_iter().rev().find(|line| line.is_inbound);
    Ok(last.map_or_else(String::new, |line| line.text))
}
