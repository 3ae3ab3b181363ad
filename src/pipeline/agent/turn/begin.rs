//! The beginning of an answer: what was said so far, behind its mask, and what of it is proven.

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::super::{Chat, day_begins};
use super::{HISTORY, MOST_LINES, Turn};
use crate::domain::agent::language_of;
use crate::domain::agent::mask::Mask;
use crate::domain::agent::proof::{Deed, Evidence};
use crate::domain::agent::proposal::Proposal;
use crate::domain::phone::Phone;
use crate::pipeline::Desk;
use crate::ports::Said;
use crate::store::conversations::{self, Conversation, Line};
use crate::store::{self, cache, companies, contacts, proposals, talks, turns, writes};

/// Of what was said before, so much of one message.
const LONGEST_LINE: usize = 700;
/// What was done lately is still spoken of.
const LATELY: TimeDelta = TimeDelta::hours(24);

impl Desk {
    /// Begins an answer, if one is still due; what cannot be answered by a model is handed to a person.
    pub(super) fn begin_turn(
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
        let phone = (!contact.phone.is_empty()).then(|| Phone::from_stored(contact.phone.clone()));
        if !self.answers(company, phone.as_ref()) {
            drop_it()?;
            return Ok(None);
        }
        let row = companies::ensure(tx, company.settings.id)?;
        let mut lines = conversations::history(tx, contact.id, now - HISTORY, MOST_LINES)?;
        let is_new = |line: &Line| line.is_inbound && line.id > conversation.answered_id;
        let waiting = lines.iter().rposition(is_new);
        // What left since, or was written down late, answers nothing: the client has the last word.
        if let Some(last) = waiting {
            lines[last..].rotate_left(1);
        }
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
        let mut ahead = Vec::new();
        for cached in cache::ahead_of_phone(tx, &contact.phone, now)? {
            ahead.push(cached.record.start_local);
            names.extend(cached.record.client.map(|c| c.name));
        }
        let mut mask = Mask::of(names.iter().map(String::as_str));
        let here = now.with_timezone(&zone).date_naive();
        let mut evidence = Evidence::on(here);
        if !company.settings.replies.write {
            evidence.writes_nothing();
        }
        evidence.learn_text(&agent.tone);
        // What the owner forbids is no promise.
        evidence.learn_said(&agent.restrictions);
        evidence.learn_text(&company.title(&row));
        for (deed, moments) in deeds_of(tx, contact.id, now)? {
            // What was undone since, at the desk perhaps, is no proof any more.
            let stands = match deed {
                Deed::Booked | Deed::Moved => moments.last().is_some_and(|at| ahead.contains(at)),
                Deed::Cancelled => !moments.iter().any(|at| ahead.contains(at)),
            };
            if stands {
                evidence.prove(deed, &moments);
            }
        }
        let mut said: Vec<Said> = lines
            .iter()
            .map(|line| heard(line, up_to, &mut mask, &mut evidence))
            .collect();
        if waiting.is_none() {
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
        evidence.learn_said(&plain);
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

/// What the journal confirmed of this client's wishes lately, and the moments that it was for.
fn deeds_of(
    conn: &Connection,
    contact: i64,
    now: DateTime<Utc>,
) -> store::Result<Vec<(Deed, Vec<NaiveDateTime>)>> {
    let mut deeds = Vec::new();
    for done in proposals::done_since(conn, contact, now - LATELY)? {
        deeds.push(match done.what {
            Proposal::Make { start, .. } => (Deed::Booked, vec![start]),
            Proposal::Move { was, start, .. } => (Deed::Moved, vec![was.start, start]),
            Proposal::Cancel { was } => (Deed::Cancelled, vec![was.start]),
        });
    }
    for starts in writes::cancelled_since(conn, contact, now - LATELY)? {
        deeds.push((Deed::Cancelled, starts));
    }
    Ok(deeds)
}
