//! Presses of buttons: who may press, what a press does, and what it is answered.
//!
//! A press is authorised anew, acts only on what still waits, and is stored before it is answered.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::owner_chat::Speaker;
use super::questions::{Standing, pause_since, standing};
use super::receive::{Answers, Written};
use super::talk::PATIENCE;
use super::{ChannelEnd, Desk, Pipeline, orders, reminders};
use crate::domain::delivery::Status;
use crate::domain::message::Language;
use crate::domain::message::owner::{Refusal, Voice, waiting_list};
use crate::domain::phone::Phone;
use crate::domain::policy::Kind;
use crate::domain::question::{Answered, Choice, End, Matter, Pressed};
use crate::domain::zone::Zone;
use crate::ports::Button;
use crate::store::outbox::{self, New};
use crate::store::questions::{self, Question};
use crate::store::{self, cache, companies, contacts, guard, pauses, writes};

/// A press is answered within this time or not at all: whoever pressed sees the edited message anyway.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Telegram's clock and ours agree to the second or so.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(2);

/// No try takes longer. One that a crash cut off ends for us only at the next start.
const LONGEST_TRY: TimeDelta = TimeDelta::minutes(2);

/// A list shows so many; a chat takes no longer texts.
const MOST_SHOWN: usize = 30;

/// A press of a button.
pub(super) struct Press {
    /// The provider's id of it.
    pub(super) id: String,
    /// Who pressed, and where.
    pub(super) by: Speaker,
    /// Under which message.
    pub(super) under: Under,
    /// What the button carried.
    pub(super) data: String,
}

/// A press of a client's button under a reminder.
pub(super) struct Chosen {
    /// The provider's id of it.
    pub(super) press_id: String,
    /// In which chat.
    pub(super) chat_id: String,
    /// Under which message.
    pub(super) under: Under,
    /// What the button carried.
    pub(super) answered: Answered,
}

/// A message of ours, as a press names it.
pub(super) struct Under {
    /// The provider's id of it.
    pub(super) message_id: String,
    /// When it was sent, provider's time.
    pub(super) sent_at: Option<DateTime<Utc>>,
}

impl Pipeline {
    /// Does what a press says, once, and tells whoever pressed.
    pub(super) async fn pressed(&self, end: &Arc<ChannelEnd>, press: Press) -> store::Result<()> {
        let (desk, now) = (self.desk(), self.clock.now());
        let (press_id, owner) = (press.id.clone(), Arc::clone(end));
        let answer = self
            .store
            .write(move |tx| desk.press(tx, &owner, &press, now))
            .await?;
        let answered = end.channel.answer_press(&press_id, &answer);
        let channel = end.name.as_str();
        match tokio::time::timeout(ANSWER_WITHIN, answered).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => tracing::debug!(channel, why, "a press was not answered"),
            Err(_) => tracing::debug!(channel, "a press was not answered in time"),
        }
        Ok(())
    }
}

impl Pipeline {
    /// A client answers a reminder by its button, as if they had written so. Of a reminder that is not
    /// theirs, or is not known any more, nothing follows; what a client pressed there the owners read.
    pub(super) async fn chose(&self, end: &Arc<ChannelEnd>, chosen: Chosen) -> store::Result<()> {
        let (id, now) = (chosen.answered.notification, self.clock.now());
        let (name, chat_id, under) = (end.name.clone(), chosen.chat_id.clone(), chosen.under);
        let (is_theirs, is_client) = self
            .store
            .write(move |tx| {
                let is_client = contacts::phone_of(tx, &name, &chat_id)?.is_some();
                let reminder = outbox::get(tx, id)?.filter(|n| {
                    n.kind == "reminder" && n.channel == name && n.recipient == chat_id
                });
                let is_theirs = match reminder {
                    Some(reminder) => proves(tx, &reminder, &under, now)?,
                    None => false,
                };
                Ok((is_theirs, is_client))
            })
            .await?;
        if is_theirs || is_client {
            let comes = chosen.answered.comes;
            let company = self.only_company_of(&end.name).unwrap_or_default();
            let [yes, no] = labels(self.desk().language_of_company(company));
            let (text, answers) = match (is_theirs, comes) {
                (true, true) => ("1", Answers::Notification(id)),
                (true, false) => ("2", Answers::Notification(id)),
                (false, true) => (yes, Answers::Lost),
                (false, false) => (no, Answers::Lost),
            };
            let written = Written {
                chat_id: chosen.chat_id,
                phone: None,
                name: String::new(),
                text: text.to_owned(),
                contact: None,
            };
            let external = format!("press/{}", chosen.press_id);
            self.store_text(end, external, None, written, answers, now)
                .await?;
        }
        let answered = end.channel.answer_press(&chosen.press_id, "");
        if tokio::time::timeout(ANSWER_WITHIN, answered).await.is_err() {
            tracing::debug!(
                channel = end.name.as_str(),
                "a press was not answered in time"
            );
        }
        Ok(())
    }
}

/// What the buttons under a reminder say.
fn labels(language: Language) -> [&'static str; 2] {
    match language {
        Language::Ru => ["Приду", "Не смогу"],
        Language::En => ["I will come", "I cannot"],
    }
}

impl Desk {
    /// What stands under a reminder that asks, where its client can press.
    pub(super) fn reminder_buttons(
        &self,
        conn: &Connection,
        n: &outbox::Notification,
    ) -> store::Result<Vec<Vec<Button>>> {
        let end = self.channels.get(&n.channel);
        let named = reminders::named(conn, n)?;
        let company = self.companies.get(&n.company);
        let asks = company.is_some_and(|c| reminders::asks(c, &named));
        if !asks || !end.is_some_and(|end| end.channel.has_buttons()) {
            return Ok(Vec::new());
        }
        let [yes, no] = labels(self.language_of_company(n.company));
        let button = |(label, comes): (&str, bool)| Button {
            label: label.to_owned(),
            data: Answered {
                notification: n.id,
                comes,
            }
            .data(),
        };
        Ok(vec![vec![button((yes, true)), button((no, false))]])
    }

    /// Why this question's booking may not be changed in the journal, whatever is pressed.
    fn keeps_hands_off(
        &self,
        conn: &Connection,
        question: &Question,
    ) -> store::Result<Option<Refusal>> {
        let Matter::Cancel(order) = question.matter else {
            return Ok(None);
        };
        let company = self.companies.get(&question.company);
        let settings = company.map(|company| &company.settings);
        let Some(settings) = settings.filter(|s| s.replies.enabled && s.replies.write) else {
            return Ok(Some(Refusal::ByHand));
        };
        let order = writes::get(conn, order)?;
        let phone = order.map(|order| Phone::from_stored(order.phone));
        let is_let = phone.is_none_or(|phone| settings.rules.writes_to(&phone));
        Ok((!is_let).then_some(Refusal::TriedOut))
    }

    /// What a press does; what to answer.
    fn press(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        press: &Press,
        now: DateTime<Utc>,
    ) -> store::Result<String> {
        let channel = end.name.as_str();
        let voice = self.asking(end, &press.by.chat_id);
        let mut listed = self.companies.values();
        if !listed.any(|company| press.by.speaks_for(channel, company)) {
            tracing::info!(channel, "a button pressed by somebody not listed");
            return Ok(voice.refused(Refusal::NotYours));
        }
        let id = format!("press/{}", press.id);
        let is_new = contacts::note_read(conn, channel, &press.by.chat_id, &id, "press", now)?;
        let Some(pressed) = Pressed::read(&press.data) else {
            return Ok(voice.refused(Refusal::Void));
        };
        let Some(question) = questions::get(conn, pressed.question)? else {
            return Ok(voice.refused(Refusal::Void));
        };
        if !stands_under(conn, &question, end, press, now)? {
            return Ok(voice.refused(Refusal::Void));
        }
        match self.companies.get(&question.company) {
            None => return Ok(voice.refused(Refusal::Void)),
            Some(company) if !press.by.speaks_for(channel, company) => {
                return Ok(voice.refused(Refusal::NotYours));
            }
            Some(_) => {}
        }
        let (matter, company) = (&question.matter, question.company);
        if let Some(end) = question.ended {
            // Read twice, and the first answer may not have come through.
            return Ok(voice.pressed(matter, end, is_new));
        }
        let standing = standing(conn, &question, now)?;
        if let (Standing::Open(_), Choice::TakeOff) = (&standing, pressed.choice)
            && let Some(refusal) = self.keeps_hands_off(conn, &question)?
        {
            return Ok(voice.refused(refusal));
        }
        match standing {
            Standing::Ended(end) => {
                questions::end(conn, company, matter, end, now)?;
                return Ok(voice.pressed(matter, end, true));
            }
            Standing::Open(_) if pressed.choice == Choice::Answer => {
                return Ok(voice.how_to_answer());
            }
            Standing::Open(_) if pressed.choice == Choice::Show => {
                if is_new {
                    self.show(conn, end, &question, &press.by.chat_id, now)?;
                }
                return Ok(voice.shown());
            }
            // What was not spoken of is not decided about.
            Standing::Open(count) if count > pressed.figure => {
                questions::set_figure(conn, question.id, count, now)?;
                return Ok(voice.refused(Refusal::Grown(count)));
            }
            Standing::Open(_) => {}
        }
        let Some(end) = self.do_as_chosen(conn, &question, pressed.choice, now)? else {
            return Ok(voice.refused(Refusal::Void));
        };
        tracing::info!(
            channel,
            company,
            matter = matter.stored(),
            how = end.stored(),
            "decided by a button"
        );
        questions::end(conn, company, matter, end, now)?;
        Ok(voice.pressed(matter, end, false))
    }

    /// Does what was chosen. `None` when that cannot be chosen here.
    fn do_as_chosen(
        &self,
        conn: &Connection,
        question: &Question,
        choice: Choice,
        now: DateTime<Utc>,
    ) -> store::Result<Option<End>> {
        let company = question.company;
        let figure = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Ok(match (&question.matter, choice) {
            (Matter::Uncertain(id), Choice::Arrived) => {
                let Some(n) = outbox::get(conn, *id)? else {
                    return Ok(None);
                };
                self.refresh_copies(conn, &n, now)?;
                orders::was_sent(conn, &n, now)?.then_some(End::Arrived)
            }
            (Matter::Uncertain(id) | Matter::Dead(id), Choice::Again) => {
                let Some(n) = outbox::get(conn, *id)? else {
                    return Ok(None);
                };
                orders::retry(conn, &n, self.repeats(company), now)?.then_some(End::Again)
            }
            (Matter::Guard(kind), Choice::Send) => {
                let count = guard::release_as(conn, company, Some(*kind), now)?;
                Some(End::Sent(figure(count)))
            }
            (Matter::Guard(kind), Choice::Drop) => {
                let count = orders::discard_held_as(conn, company, Some(*kind), now)?;
                Some(End::Dropped(figure(count)))
            }
            (Matter::Pause(since), Choice::Send | Choice::Drop) => {
                let Some(pause) = pause_since(conn, company, since, now)? else {
                    return Ok(None);
                };
                let waiting = pauses::kept_back(conn, company, &pause.of)?;
                if choice == Choice::Drop {
                    for id in &waiting {
                        orders::discard(conn, *id, now)?;
                    }
                    Some(End::Dropped(figure(waiting.len())))
                } else if pause.of.company == Some(company) {
                    orders::resume(conn, Some(&pause.of), now)?;
                    Some(End::Sent(figure(waiting.len())))
                } else {
                    // It keeps back other companies too, which this chat does not speak for.
                    None
                }
            }
            (Matter::Call(_), Choice::Called) => Some(End::Called),
            (Matter::Cancel(order), Choice::TakeOff) => {
                writes::open(conn, *order, now + PATIENCE, now)?.then_some(End::TakingOff)
            }
            (Matter::Uncertain(_), _)
            | (Matter::Dead(_), _)
            | (Matter::Call(_), _)
            | (Matter::Cancel(_), _)
            | (Matter::Guard(_), _)
            | (Matter::Pause(_), _) => None,
        })
    }

    /// Writes into the chat what waits for a decision.
    fn show(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        question: &Question,
        chat_id: &str,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let company = question.company;
        let ids = match &question.matter {
            Matter::Guard(kind) => guard::held_ids(conn, company, *kind)?,
            Matter::Pause(since) => match pause_since(conn, company, since, now)? {
                Some(pause) => pauses::kept_back(conn, company, &pause.of)?,
                None => Vec::new(),
            },
            Matter::Uncertain(id) | Matter::Dead(id) | Matter::Call(id) => vec![*id],
            Matter::Cancel(_) => Vec::new(),
        };
        let mut waiting = Vec::new();
        for id in ids.iter().take(MOST_SHOWN) {
            let Some(n) = outbox::get(conn, *id)? else {
                continue;
            };
            let kind = Kind::from_stored(&n.kind).unwrap_or(Kind::Updated);
            let cached = cache::get(conn, n.company, n.record)?;
            waiting.extend(cached.map(|cached| (kind, cached.record)));
        }
        waiting.sort_by_key(|(_, record)| (record.start_local, record.id));
        let row = companies::ensure(conn, company)?;
        let zone = self.companies.get(&company).and_then(|c| c.zone(&row));
        let voice = Voice {
            today: now.with_timezone(&zone.unwrap_or(Zone::UTC)).date_naive(),
            ..self.asking(end, chat_id)
        };
        let more = ids.len().saturating_sub(MOST_SHOWN);
        outbox::add(
            conn,
            &New {
                company,
                recipient: chat_id,
                channel: &end.name,
                message: &waiting_list(voice, &waiting, more, self.mask_phones),
                ..New::note("owner", now)
            },
            now,
        )?;
        Ok(())
    }
}

/// Whether this message asks that question. Numbers of questions begin anew with another database
/// (a copy put back, a fresh one), and the chat still shows the buttons of the old one.
fn stands_under(
    conn: &Connection,
    question: &Question,
    end: &ChannelEnd,
    press: &Press,
    now: DateTime<Utc>,
) -> store::Result<bool> {
    let chat_id = &press.by.chat_id;
    let Some(asking) = outbox::get(conn, question.notification)? else {
        return Ok(false);
    };
    if asking.channel != end.name || asking.recipient != *chat_id {
        return Ok(false);
    }
    proves(conn, &asking, &press.under, now)
}

/// Whether the message that was pressed is this notification, which it then proves to have arrived.
/// Numbers begin anew with another database, so a button's own is not enough.
fn proves(
    conn: &Connection,
    n: &outbox::Notification,
    under: &Under,
    now: DateTime<Utc>,
) -> store::Result<bool> {
    if outbox::provider_id(conn, n.id)?.as_ref() == Some(&under.message_id) {
        return Ok(true);
    }
    // A send whose answer was lost left a message of which nobody knows the number; its date tells.
    let Some(sent_at) = under.sent_at else {
        return Ok(false);
    };
    let lost = outbox::tries_in_doubt(conn, n.id)?;
    let is_one = lost.iter().any(|lost| {
        let ended = lost.ended.unwrap_or(now).min(lost.began + LONGEST_TRY);
        (lost.began - CLOCKS_DIFFER..=ended + CLOCKS_DIFFER).contains(&sent_at)
    });
    let has_arrived = is_one
        && match n.status {
            // It need not go again.
            Status::Pending => true,
            Status::Uncertain => orders::was_sent(conn, n, now)?,
            _ => false,
        };
    if has_arrived {
        outbox::set_sent(conn, n.id, Some(&under.message_id), sent_at)?;
    }
    Ok(is_one)
}
