//! One answer by the model: begun as a row, thought over without a transaction, ended in one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::super::poll::delta;
use super::super::{Company, Pipeline};
use super::tools::Ran;
use crate::domain::agent::mask::Mask;
use crate::domain::agent::prompt::{self, Setting};
use crate::domain::agent::proof::{Breach, Evidence};
use crate::domain::agent::proposal::Proposal;
use crate::domain::agent::state::{State, Step};
use crate::domain::agent::tools as offered;
use crate::domain::message::Language;
use crate::domain::zone::Zone;
use crate::failpoint;
use crate::ports::{Ask, Model, ModelError, Said, Thought, Tool};
use crate::store::companies::CompanyRow;
use crate::store::contacts::Contact;
use crate::store::conversations::{self, Conversation};
use crate::store::{self, turns};

mod begin;
mod end;

/// So many conversations at once; a slow model then keeps nobody else waiting.
const AT_ONCE: usize = 8;
/// So often the model is asked for one answer.
const ROUNDS: usize = 8;
/// So much of what was said before is told again.
const HISTORY: TimeDelta = TimeDelta::hours(12);
const MOST_LINES: u32 = 24;
/// An answer longer than this is none.
const LONGEST_ANSWER: usize = 2000;
/// A model that is busy is asked again, for so long.
const BUSY_FOR: TimeDelta = TimeDelta::seconds(30);
const BUSY_PAUSE: TimeDelta = TimeDelta::seconds(3);

/// One answer in the making.
pub(super) struct Turn {
    pub(super) id: i64,
    pub(super) contact: Contact,
    pub(super) company: Arc<Company>,
    pub(super) row: CompanyRow,
    pub(super) zone: Zone,
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
            writes: self.company.settings.replies.writes(),
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
            let what = breach.what();
            return Err(match &breach {
                Breach::Language(_) => {
                    "Так ответить нельзя. Пиши только по-русски или по-английски.".to_owned()
                }
                Breach::Deed(_) => format!(
                    "Так ответить нельзя: «{what}» значит, что это сделано. О сделанном говорит программа; о записи, которая стоит, говори с её днём и временем из my_bookings."
                ),
                _ => format!(
                    "Так ответить нельзя: «{what}» не подтверждено ответом инструмента. Проверь инструментом или ответь без этого."
                ),
            });
        }
        let shown = self.mask.show(text);
        shown.ok_or_else(|| "Такого скрытого слова не было. Ответь без него.".to_owned())
    }
}
