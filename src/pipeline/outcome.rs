//! What a channel's answer does to the notification, to the channel, and to what the client may be
//! assumed to know: one transaction an answer.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::poll::delta;
use super::visit::Told;
use super::{Company, Desk, answers, trial};
use crate::domain::delivery::{Outcome, Status, retry_step, spread};
use crate::domain::known::Known;
use crate::domain::phone::Phone;
use crate::domain::policy::{Kind, OnUncertain, Reason};
use crate::ports::{Proof, Receipt};
use crate::store::outbox::{self, Notification};
use crate::store::{self, StoreError, cache, channels, contacts, messages, reminders, settling};

/// Messages that were in flight when a channel went down look again this often.
pub(super) const PARKED_LOOK: Duration = Duration::from_secs(10);

/// What may have arrived goes again after these pauses, and then no more: a gateway that never answers may
/// deliver every time. Owners read twice more gladly than not at all, so it is so for them always, though of
/// a copy only once; for clients where the configuration says `resend`.
const AGAIN: [Duration; 2] = [Duration::from_secs(30), Duration::from_mins(5)];

/// What an owner can do without: the copy of what a client was told, the answer to a command. Alerts and
/// cards ask for something to be done.
fn is_copy(n: &Notification) -> bool {
    n.kind == "reply" || n.kind == "owner" && n.told != "[]"
}

impl Desk {
    /// Stores the outcome of an attempt and what follows from it. Returns whether a change of the
    /// same visit has been waiting for it.
    pub(super) fn conclude(
        &self,
        conn: &Connection,
        id: i64,
        attempt: u32,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) -> store::Result<bool> {
        let Some(n) = outbox::get(conn, id)? else {
            return Ok(false);
        };
        self.follow(conn, &n, attempt, outcome, now)?;
        self.refresh_copies(conn, &n, now)?;
        let end = self.channels.get(&n.channel);
        if let Some(concern) = end.and_then(|end| end.channel.concern()) {
            channels::note(conn, &n.channel, &concern.to_string())?;
        }
        // An answer that came to nothing is told anew to whoever was answered.
        let answered = match n.contact.filter(|_| n.kind == "reply") {
            Some(contact) => contacts::get(conn, contact)?.map(|c| c.phone),
            None => None,
        };
        settling::person_waits(conn, n.company, answered.as_ref().unwrap_or(&n.phone))
    }

    fn follow(
        &self,
        conn: &Connection,
        n: &Notification,
        attempt: u32,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let id = n.id;
        outbox::end_attempt(conn, id, attempt, outcome.as_str(), outcome.why(), now)?;
        match outcome {
            Outcome::Accepted { id: provider_id } => {
                outbox::set_sent(conn, id, provider_id.as_deref(), now)?;
                for told in told(n)? {
                    told.set(
                        conn,
                        n.company,
                        &n.phone,
                        &Known::certain(told.state.clone()),
                        is_news(n).then_some(now),
                    )?;
                }
                if !is_news(n) {
                    outbox::supersede_uncertain(conn, n.company, &n.phone, id)?;
                }
                channels::set_up(conn, &n.channel, now)?;
                answers::give_back(conn, n, true)?;
                if let Some(provider_id) = provider_id {
                    for (receipt, why) in
                        outbox::take_early_receipts(conn, &n.channel, provider_id)?
                    {
                        if let Some(receipt) = receipt_from(&receipt) {
                            self.receipt(
                                conn,
                                &n.channel,
                                provider_id,
                                receipt,
                                why.as_deref(),
                                now,
                            )?;
                        }
                    }
                }
                if n.kind == "reply" {
                    note_answer(conn, n, provider_id.as_deref(), now)?;
                }
                Ok(())
            }
            Outcome::Retry { why } => {
                let failures = failures(conn, id)?;
                let pause = spread(retry_step(failures), id, failures);
                outbox::set_pending(conn, id, &n.channel, now + delta(pause), Some(why), false)
            }
            Outcome::Throttled { after, why } => {
                // Of several that left together only the first refusal makes the pause longer.
                let state = channels::get(conn, &n.channel)?.unwrap_or_default();
                let left = state
                    .blocked_until
                    .and_then(|until| (until - now).to_std().ok());
                let pause = match (after, left) {
                    (Some(stated), left) => (*stated).max(left.unwrap_or_default()),
                    (None, Some(left)) => left,
                    (None, None) => spread(retry_step(state.throttled + 1), id, state.throttled),
                };
                let known = after.is_some() || left.is_some();
                channels::block(conn, &n.channel, why, pause, known, now)?;
                outbox::set_pending(conn, id, &n.channel, now + delta(pause), Some(why), false)?;
                self.leave_if_parked(conn, n, now).map(drop)
            }
            Outcome::ChannelDown { why } => {
                channels::set_sick(conn, &n.channel, why, now)?;
                outbox::set_pending(
                    conn,
                    id,
                    &n.channel,
                    now + delta(PARKED_LOOK),
                    Some(why),
                    false,
                )?;
                self.leave_if_parked(conn, n, now).map(drop)
            }
            Outcome::Unreachable { why } => {
                self.answer_failed(conn, n, now)?;
                self.next_channel(conn, n, why, Status::Dead, now)
            }
            Outcome::Refused { why } => {
                self.answer_failed(conn, n, now)?;
                // The messenger takes no free text for this one, and there is no template for it.
                if outbox::window_was_closed(conn, id, &n.channel)? {
                    return self.next_channel(conn, n, why, Status::Failed, now);
                }
                self.card_for_failure(conn, n, now)?;
                outbox::set_ended(conn, id, Status::Dead, why)
            }
            Outcome::Uncertain { why } => self.uncertain(conn, n, why, now),
        }
    }

    /// It may have arrived: whatever the channel can prove is looked at first.
    pub(super) fn uncertain(
        &self,
        conn: &Connection,
        n: &Notification,
        why: &str,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let proof = self.channels.get(&n.channel).map(|end| end.channel.proof());
        match proof {
            Some(Proof::Journal) => outbox::begin_looks(conn, n.id, why, now),
            // The same words under the same key arrive once, however often they are sent.
            Some(Proof::Key) => {
                // What changes before it goes again is told to whoever has it, and to whoever has not.
                may_be_known(conn, n)?;
                let pause = spread(retry_step(n.attempts), n.id, n.attempts);
                let due_at = now + delta(pause);
                outbox::set_pending(conn, n.id, &n.channel, due_at, Some(why), true)
            }
            Some(Proof::Nothing) | None => self.in_doubt(conn, n, why, now),
        }
    }

    /// It may have arrived and nothing proves it: what is known becomes either of two, and the configuration says whether
    /// to send again.
    pub(super) fn in_doubt(
        &self,
        conn: &Connection,
        n: &Notification,
        why: &str,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        may_be_known(conn, n)?;
        self.refresh_copies(conn, n, now)?;
        let most = match self.is_to_owner(n) {
            true if is_copy(n) => 1,
            true => AGAIN.len(),
            false if n.kind != trial::KIND && self.resends(n.company) => AGAIN.len(),
            false => 0,
        };
        let tries = outbox::tries_in_doubt(conn, n.id)?.len();
        let again = AGAIN[..most].get(tries.saturating_sub(1)).copied();
        match again {
            Some(pause) => {
                let due_at = now + delta(pause);
                outbox::set_pending(conn, n.id, &n.channel, due_at, Some(why), true)
            }
            None => outbox::set_ended(conn, n.id, Status::Uncertain, why),
        }
    }

    fn resends(&self, company: i64) -> bool {
        let company = self.companies.get(&company);
        company.is_some_and(|c| c.settings.rules.on_uncertain == OnUncertain::Resend)
    }

    /// Whether an owner reads it; the answer to a client is theirs.
    pub(super) fn is_to_owner(&self, n: &Notification) -> bool {
        n.phone.is_empty() && (n.kind != "reply" || self.is_owners_chat(&n.channel, &n.recipient))
    }

    /// This channel cannot reach the person: the company's next one, or the end.
    fn next_channel(
        &self,
        conn: &Connection,
        n: &Notification,
        why: &str,
        end: Status,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        // What may have arrived here goes nowhere else, and a test tries this channel.
        if n.kind == trial::KIND || outbox::was_uncertain(conn, n.id)? {
            self.card_for_failure(conn, n, now)?;
            return outbox::set_ended(conn, n.id, end, why);
        }
        let company: Option<&Company> = self.companies.get(&n.company).map(|c| c.as_ref());
        if let (Some(company), false) = (company, n.phone.is_empty())
            && let Some(next) = self.other_ways(conn, company, n)?.first()
        {
            return outbox::set_pending(conn, n.id, &next.name, now, Some(why), false);
        }
        self.card_for_failure(conn, n, now)?;
        outbox::set_ended(conn, n.id, end, why)
    }

    /// At a start: what waits for a channel that the configuration names no more, or no more for its
    /// company, takes the first one that can address the person, or ends for want of one. What may have
    /// left goes over no other.
    pub(super) fn reroute(&self, conn: &Connection, now: DateTime<Utc>) -> store::Result<()> {
        let names: Vec<String> = self.channels.keys().cloned().collect();
        let companies = self.companies.iter();
        let of_companies: BTreeMap<i64, &[String]> = companies
            .map(|(id, company)| (*id, company.settings.channels.as_slice()))
            .collect();
        for n in outbox::stranded(conn, &names, &of_companies)? {
            let company = self.companies.get(&n.company);
            if company.is_some() && !n.phone.is_empty() && outbox::was_uncertain(conn, n.id)? {
                if !names.contains(&n.channel) {
                    let why = "its channel is configured no more";
                    outbox::set_ended(conn, n.id, Status::Uncertain, why)?;
                    self.refresh_copies(conn, &n, now)?;
                }
                continue;
            }
            let way = match company {
                Some(company) if !n.phone.is_empty() => {
                    let phone = Phone::from_stored(n.phone.clone());
                    self.way_to(conn, company, &phone, None)?
                }
                // A company that is not watched comes back with its channels.
                None if !n.phone.is_empty() => continue,
                _ => None,
            };
            match way {
                Some((end, _)) => outbox::set_channel(conn, n.id, &end.name)?,
                None => {
                    self.answer_failed(conn, &n, now)?;
                    self.no_channel(conn, &n, now)?;
                }
            }
        }
        Ok(())
    }

    /// Nobody can be written to: of a visit that is near the owners are asked to call.
    pub(super) fn no_channel(
        &self,
        conn: &Connection,
        n: &Notification,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        self.suppress(conn, n, (Reason::NoChannel, None), now)?;
        match cache::get(conn, n.company, n.record)? {
            Some(cached) if !n.phone.is_empty() => {
                self.card_for_silence(conn, n.id, &[cached.record], Reason::NoChannel, now)
            }
            _ => Ok(()),
        }
    }

    /// What the provider says later of a message it took.
    pub(super) fn receipt(
        &self,
        conn: &Connection,
        channel: &str,
        provider_id: &str,
        receipt: Receipt,
        why: Option<&str>,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let Some(n) = outbox::of_provider_id(conn, channel, provider_id)? else {
            if receipt == Receipt::Withheld {
                channels::set_down(conn, channel, RESTRICTED, now)?;
            }
            let word = receipt_word(receipt);
            return outbox::keep_early_receipt(conn, channel, provider_id, word, why, now);
        };
        if receipt != Receipt::Sent {
            self.refresh_copies(conn, &n, now)?;
        }
        match receipt {
            Receipt::Sent => Ok(()),
            Receipt::Delivered => outbox::set_receipt(conn, n.id, Status::Delivered, now),
            Receipt::Read => outbox::set_receipt(conn, n.id, Status::Read, now),
            Receipt::Failed | Receipt::NoAccount | Receipt::NoSession | Receipt::Withheld => {
                if receipt == Receipt::Withheld {
                    channels::set_down(conn, channel, RESTRICTED, now)?;
                }
                // Only a message that counts as sent can turn out not to have arrived.
                if n.status != Status::Sent {
                    return Ok(());
                }
                let why = why.unwrap_or(match receipt {
                    Receipt::NoAccount => "no account there",
                    Receipt::NoSession => "the client did not write lately",
                    Receipt::Withheld => RESTRICTED,
                    _ => "failed",
                });
                let told = told(&n)?;
                // What was told since stands, by a reminder, too: a failure that comes late unsays nothing.
                for told in &told {
                    let reminded = reminders::sent_at(conn, n.company, told.record, &n.phone)?;
                    if reminded > n.sent_at || !told.is_what_is_known(conn, n.company, &n.phone)? {
                        return outbox::set_ended(conn, n.id, Status::Failed, why);
                    }
                }
                for told in &told {
                    told.take_back(conn, n.company, &n.phone, n.sent_at)?;
                }
                self.answer_failed(conn, &n, now)?;
                let with_template = receipt == Receipt::NoSession
                    && !n.phone.is_empty()
                    && !outbox::window_was_closed(conn, n.id, channel)?;
                if with_template {
                    outbox::close_window(conn, n.id, n.attempts, why)?;
                    return outbox::set_pending(conn, n.id, channel, now, Some(why), false);
                }
                self.next_channel(conn, &n, why, Status::Failed, now)
            }
        }
    }
}

/// A client was answered: `messages` has both sides of a conversation.
pub(super) fn note_answer(
    conn: &Connection,
    n: &Notification,
    provider_id: Option<&str>,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let answer = messages::Answer {
        company: n.company,
        contact: n.contact,
        channel: &n.channel,
        recipient: &n.recipient,
        text: &n.message,
        external_id: provider_id,
        notification: n.id,
    };
    messages::store_answer(conn, &answer, now)
}

/// What a client's message makes known; nothing for owners, alerts and tests.
pub(super) fn told(n: &Notification) -> store::Result<Vec<Told>> {
    if n.phone.is_empty() || n.kind == trial::KIND {
        return Ok(Vec::new());
    }
    serde_json::from_str(&n.told).map_err(|_| StoreError::Corrupt("notification"))
}

/// What it would have made known is known or is not: nobody can tell.
fn may_be_known(conn: &Connection, n: &Notification) -> store::Result<()> {
    for told in told(n)? {
        let either = told.before.clone().or(told.state.clone());
        told.set(conn, n.company, &n.phone, &either, None)?;
    }
    answers::give_back(conn, n, false)
}

/// Whether it told something new: a reminder states what is known, and does not make the next one
/// needless.
pub(super) fn is_news(n: &Notification) -> bool {
    n.kind != Kind::Reminder.as_str()
}

/// Tries of this notification that surely failed, this one included.
fn failures(conn: &Connection, id: i64) -> store::Result<u32> {
    let count: Option<u32> = conn
        .query_row(
            "SELECT count(*) FROM delivery_attempts WHERE notification_id = ?1 AND outcome = 'retry'",
            [id],
            |r| r.get(0),
        )
        .optional()?;
    Ok(count.unwrap_or(1))
}

/// A yellow card that shows in a message's status; the account's own state says the same.
const RESTRICTED: &str = "the account is yellowCard: WhatsApp shows nobody what this number sends; \
                          let it rest for some days, then reboot the instance";

const RECEIPTS: [(Receipt, &str); 7] = [
    (Receipt::Sent, "sent"),
    (Receipt::Delivered, "delivered"),
    (Receipt::Read, "read"),
    (Receipt::Failed, "failed"),
    (Receipt::NoAccount, "no_account"),
    (Receipt::NoSession, "no_session"),
    (Receipt::Withheld, "withheld"),
];

fn receipt_word(receipt: Receipt) -> &'static str {
    RECEIPTS
        .iter()
        .find(|(r, _)| *r == receipt)
        .map_or("sent", |(_, word)| word)
}

fn receipt_from(word: &str) -> Option<Receipt> {
    RECEIPTS.iter().find(|(_, w)| *w == word).map(|(r, _)| *r)
}
