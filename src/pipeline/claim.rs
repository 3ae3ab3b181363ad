//! The claim: the decision to send, taken anew in the transaction that writes the intent.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use rusqlite::{Connection, Transaction};

use super::deliver::FRESH;
use super::orders::paused_until;
use super::quiet::hold_until;
use super::visit::{self, Around, Visit};
use super::warm_up::{Full, ON_ITS_WAY, Room};
use super::{ChannelEnd, Company, Desk, recreated, renumbered, trial, words};
use crate::domain::delivery::{Status, message_key, wrote_lately};
use crate::domain::known::Knowledge;
use crate::domain::message::Brief;
use crate::domain::message::markup::{LONGEST_TEXT, fitted};
use crate::domain::phone::Phone;
use crate::domain::policy::{Kind, Reason};
use crate::domain::record::Record;
use crate::domain::settle::{Form, Net};
use crate::ports::Outgoing;
use crate::store::outbox::{self, Notification};
use crate::store::{self, cache, channels, companies, contacts};

/// Owners' copies and alerts that could not be sent for so long are given up.
const OWNER_PATIENCE: TimeDelta = TimeDelta::hours(24);

/// A visit so near that its news cannot wait for a client's hour to pass.
pub(super) const VISIT_IS_NEAR: TimeDelta = TimeDelta::hours(3);

/// What the transaction of the intent decided.
pub(super) enum Claim {
    Go {
        attempt: u32,
        outgoing: Outgoing,
        kind: String,
    },
    /// Something else is on its way to the same person.
    Behind,
    Skip,
}

/// What a client is to be told.
struct Speech {
    net: Net,
    /// The text where it stands already.
    text: Option<String>,
    /// What it makes known, JSON.
    told: String,
    /// It takes back a message that went to a wrong number.
    correction: bool,
}

/// A message that nothing bars.
pub(super) struct Parting<'a> {
    /// The bookings it is about, as they stand.
    pub(super) records: &'a [Record],
    /// And as their client expects them.
    pub(super) expected: &'a [Record],
    /// Until when quiet hours keep it back.
    pub(super) quiet_until: Option<DateTime<Utc>>,
    /// Of a visit so near that a client who got many messages lately gets this one, too.
    pub(super) is_near: bool,
    pub(super) text: String,
    pub(super) brief: Brief,
    /// What it makes known, JSON.
    pub(super) told: String,
}

/// What leaves, and for whom.
pub(super) struct Message {
    pub(super) to: String,
    pub(super) text: String,
    pub(super) brief: Option<Brief>,
}

impl Desk {
    /// Decides anew whether this leaves, and if so writes the intent. After this transaction the
    /// message counts as possibly sent.
    pub(super) fn claim(
        &self,
        tx: &Transaction<'_>,
        id: i64,
        free: &[NaiveDateTime],
        now: DateTime<Utc>,
    ) -> store::Result<Claim> {
        let Some(mut n) = outbox::get(tx, id)? else {
            return Ok(Claim::Skip);
        };
        // Another change may have come, or another task been faster, since the list was read.
        if n.status != Status::Pending
            || n.due_at > now
            || store::settling::is_open(tx, n.company, &n.unit, &n.phone)?
        {
            return Ok(Claim::Skip);
        }
        if outbox::is_person_busy(tx, id)? {
            return Ok(Claim::Behind);
        }
        let Some(end) = self.channels.get(&n.channel) else {
            return Ok(Claim::Skip);
        };
        // While this one waited for its turn, another may have been told to wait, or refused.
        let state = channels::get(tx, &n.channel)?.unwrap_or_default();
        if state.down_since.is_some() || state.blocked_until.is_some_and(|until| until > now) {
            return Ok(Claim::Skip);
        }
        if n.kind == trial::KIND {
            return self.claim_trial(tx, &n, end, now);
        }
        if n.phone.is_empty() {
            return self.claim_for_owner(tx, &n, end, now);
        }
        // The words are in the markup of the channel where they may have arrived.
        if n.frozen
            && n.kind != "correction"
            && outbox::tried_over(tx, id)?.is_some_and(|channel| channel != n.channel)
        {
            n.message.clear();
        }
        let claim = self.claim_for_client(tx, &n, end, free, now)?;
        let left = outbox::get(tx, id)?.is_some_and(|n| n.status == Status::Pending);
        if matches!(claim, Claim::Skip) && !left {
            self.refresh_copies(tx, &n, now)?;
        }
        Ok(claim)
    }

    /// Whether the journals that this speaks of were read a moment ago.
    pub(super) fn has_fresh_look(
        &self,
        conn: &Connection,
        id: i64,
        now: DateTime<Utc>,
    ) -> store::Result<bool> {
        let journals = outbox::journals(conn, id)?.into_iter();
        for company in journals.filter(|id| self.companies.contains_key(id)) {
            let seen = companies::get(conn, company)?.and_then(|row| row.last_poll_at);
            let is_fresh = seen.is_some_and(|at| at <= now && now - at <= FRESH);
            if self.defences.look && !is_fresh {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn claim_for_client(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        end: &ChannelEnd,
        free: &[NaiveDateTime],
        now: DateTime<Utc>,
    ) -> store::Result<Claim> {
        let row = companies::ensure(tx, n.company)?;
        let Some(company) = self.companies.get(&n.company) else {
            return Ok(Claim::Skip);
        };
        let Some(zone) = company.zone(&row) else {
            return Ok(Claim::Skip);
        };
        let place = words::Place {
            company,
            row: &row,
            zone,
            now,
        };
        match Kind::from_stored(&n.kind) {
            Some(Kind::Reminder) => return self.claim_reminder(tx, n, end, &place),
            Some(kind @ (Kind::NoShow | Kind::Visited)) => {
                return self.claim_aftermath(tx, n, end, &place, kind);
            }
            // A correction is none of them, and is told like a change.
            Some(Kind::Created | Kind::Updated | Kind::Cancelled) | None => {}
        }
        // The record may have joined another visit since: what counts is where it is now.
        let record = cache::get(tx, n.company, n.record)?.map(|c| c.record);
        let unit = record.as_ref().map_or_else(|| n.unit.clone(), cache::unit);
        let visit = Visit::read(tx, company, &unit, &n.phone)?;
        let mut visit = recreated::end_loans(tx, company, &unit, visit, now)?;
        renumbered::join(tx, n, company, (zone, now), (&unit, &mut visit))?;
        let hidden = row.phones_hidden_since.is_some();
        if let Some(until) = visit.waits_for_phones(zone, now).filter(|_| hidden) {
            outbox::wait_for(tx, n.id, "phones are hidden in the journal", until)?;
            return Ok(Claim::Skip);
        }
        if visit.is_ignored() && n.kind != "correction" {
            self.pass_over(tx, n, &visit, now)?;
            return Ok(Claim::Skip);
        }
        let visit = visit.still_to_come(zone, now);
        let Some(speech) = self.speech(tx, n, company, &visit, record)? else {
            return Ok(Claim::Skip);
        };
        let around = Around {
            conn: tx,
            desk: self,
            company,
            zone,
            changed_at: n.changed_at,
            now,
        };
        if let Some(reason) = visit.reason_against(&speech.net, speech.correction, &around)? {
            if reason == Reason::Past && !speech.correction {
                let Visit { phone, members, .. } = &visit;
                recreated::give_back(tx, n.company, phone.as_ref(), members, now)?;
            }
            if reason == Reason::Past && n.attempts > 0 {
                outbox::set_ended(tx, n.id, Status::Dead, "the visit has begun")?;
            } else {
                outbox::suppress(tx, n.id, reason, None)?;
                self.card_for_silence(tx, n.id, &speech.net.now, reason, now)?;
            }
            if reason.moves_known() && !speech.correction {
                visit.take_as_known(tx, n.company)?;
            }
            return Ok(Claim::Skip);
        }
        let net = &speech.net;
        let expected = visit.expected();
        let near = |r: &Record| r.start_at(zone) - now <= VISIT_IS_NEAR;
        let parting = Parting {
            records: &net.now,
            expected: &expected,
            quiet_until: hold_until(company, zone, net, &expected, now),
            is_near: net.now.iter().chain(&net.before).any(near),
            text: speech
                .text
                .unwrap_or_else(|| words::offering(&place, end, net, free, end.channel.markup())),
            brief: words::brief(&place, net, free, speech.correction),
            told: speech.told,
        };
        self.part(tx, n, end, &place, parting)
    }

    /// What nothing bars leaves, unless it has to wait.
    pub(super) fn part(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        end: &ChannelEnd,
        place: &words::Place<'_>,
        parting: Parting<'_>,
    ) -> store::Result<Claim> {
        let (company, zone, now) = (place.company, place.zone, place.now);
        let records = parting.records;
        if let Some(until) = paused_until(tx, n.company, &n.phone, records, now)? {
            outbox::wait_for(tx, n.id, "paused by a person", until)?;
            return Ok(Claim::Skip);
        }
        if let Some(until) = parting.quiet_until {
            outbox::wait_for(tx, n.id, "quiet hours", until)?;
            return Ok(Claim::Skip);
        }
        // What changes meanwhile is told then, together; a visit that is near does not wait.
        let most = company.settings.rules.per_client_per_hour;
        let full_until = match parting.is_near {
            true => None,
            false => outbox::full_until(tx, n.company, &n.phone, most, now)?,
        };
        if let Some(until) = full_until {
            let why = "the client got as many messages within an hour as one may";
            outbox::wait_for(tx, n.id, why, until)?;
            return Ok(Claim::Skip);
        }
        let phone = Phone::from_stored(n.phone.clone());
        let Some(address) = end.address(tx, &phone)? else {
            // The chat was unlinked meanwhile: the next channel that can address the person.
            match self.other_ways(tx, company, n)?.first() {
                Some(next) => outbox::set_pending(tx, n.id, &next.name, now, None, false)?,
                None => self.no_channel(tx, n, now)?,
            }
            return Ok(Claim::Skip);
        };
        match self.room(tx, end, &n.phone, zone, now)? {
            Room::Free => {}
            Room::Soon => {
                let why = "the channel is new and has others on their way";
                outbox::wait_for(tx, n.id, why, now + ON_ITS_WAY)?;
                return Ok(Claim::Skip);
            }
            Room::None => {
                let full = Full { company, zone, now };
                self.wait_for_room(tx, n, &full, records, parting.expected)?;
                return Ok(Claim::Skip);
            }
        }
        let message = Message {
            to: address,
            text: parting.text,
            brief: Some(parting.brief),
        };
        self.go(tx, n, end, message, (&parting.told, now))
    }

    /// What is to be said, or `None` when nothing is any more.
    fn speech(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        company: &Company,
        visit: &Visit,
        record: Option<Record>,
    ) -> store::Result<Option<Speech>> {
        let unreadable = |_| store::StoreError::Corrupt("notification");
        if n.kind == "correction" {
            let now = record.into_iter().collect();
            let net = Net {
                form: Form::Updated,
                before: Vec::new(),
                now,
                fields: Vec::new(),
            };
            let text = Some(n.message.clone());
            return Ok(Some(Speech {
                net,
                text,
                told: n.told.clone(),
                correction: true,
            }));
        }
        if n.superseded_by.is_some() {
            outbox::suppress(tx, n.id, Reason::Superseded, n.superseded_by)?;
            return Ok(None);
        }
        if n.frozen {
            // Said again, to the letter where it was, as long as it is still true; else said anew.
            let told: Vec<visit::Told> = serde_json::from_str(&n.told).map_err(unreadable)?;
            if visit.still_stands(&told, &company.settings.rules) {
                let text = n.letter().map(str::to_owned);
                let form = match n.kind.as_str() {
                    "created" => Form::Created,
                    "cancelled" => Form::Cancelled,
                    _ if text.is_none() => Form::Restated,
                    _ => Form::Updated,
                };
                let is_named = |t: &&visit::Told| match form {
                    _ if text.is_some() => true,
                    Form::Cancelled => t.before.states().iter().any(Knowledge::is_alive),
                    _ => t.state.is_alive(),
                };
                let named = told.iter().filter(is_named);
                let now = named.filter_map(|t| t.state.record().cloned()).collect();
                let net = Net {
                    form,
                    before: Vec::new(),
                    now,
                    fields: Vec::new(),
                };
                return Ok(Some(Speech {
                    net,
                    text,
                    told: n.told.clone(),
                    correction: false,
                }));
            }
        }
        let Some(net) = visit.net(company) else {
            outbox::suppress(tx, n.id, Reason::Unchanged, None)?;
            return Ok(None);
        };
        let told = serde_json::to_string(&visit.told()).map_err(unreadable)?;
        Ok(Some(Speech {
            net,
            text: None,
            told,
            correction: false,
        }))
    }

    fn claim_for_owner(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        end: &ChannelEnd,
        now: DateTime<Utc>,
    ) -> store::Result<Claim> {
        // What a person sends again is as old as their word.
        if now - n.created_at.max(n.changed_at) > OWNER_PATIENCE {
            self.too_late(tx, n, now)?;
            return Ok(Claim::Skip);
        }
        if let Some(reason) = self.outdated(tx, n, now)? {
            outbox::suppress(tx, n.id, reason, None)?;
            self.unsaid(tx, n, now)?;
            return Ok(Claim::Skip);
        }
        let text = match n.frozen {
            true => n.message.clone(),
            false => match self.copy_text(tx, n, end, now)? {
                Some(text) => text,
                None => return Ok(Claim::Skip),
            },
        };
        let message = Message {
            to: n.recipient.clone(),
            text,
            brief: None,
        };
        self.go(tx, n, end, message, (&n.told, now))
    }

    /// What could not be sent for so long is given up.
    fn too_late(
        &self,
        conn: &Connection,
        n: &Notification,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        self.answer_failed(conn, n, now)?;
        outbox::set_ended(conn, n.id, Status::Dead, "could not be sent for a day")
    }

    /// Answers about a journal that cannot be read never come to be claimed; they are given up as late as
    /// others.
    pub(super) fn answers_unseen(
        &self,
        conn: &Connection,
        company: i64,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        for n in outbox::answers_of(conn, company, now - OWNER_PATIENCE, now)? {
            self.too_late(conn, &n, now)?;
        }
        Ok(())
    }

    /// An owner's copy as it is to read now; `None` while its company cannot be written about.
    pub(super) fn copy_text(
        &self,
        conn: &Connection,
        n: &Notification,
        end: &ChannelEnd,
        now: DateTime<Utc>,
    ) -> store::Result<Option<String>> {
        let Some(company) = self.companies.get(&n.company) else {
            return Ok(None);
        };
        let row = companies::get(conn, n.company)?.unwrap_or_default();
        let Some(zone) = company.zone(&row) else {
            return Ok(None);
        };
        let copy: words::Copy = serde_json::from_str(&n.told)
            .map_err(|_| store::StoreError::Corrupt("owner's copy"))?;
        let about = match n.about {
            Some(about) => outbox::get(conn, about)?,
            None => None,
        };
        let label = about.as_ref().map_or_else(String::new, |a| {
            words::label(
                self.channels.get(&a.channel).map(|c| c.as_ref()),
                &a.channel,
            )
        });
        let place = words::Place {
            company,
            row: &row,
            zone,
            now,
        };
        let (markup, mask) = (end.channel.markup(), self.mask_phones);
        Ok(Some(copy.text(
            &place,
            markup,
            about.as_ref(),
            &label,
            mask,
        )))
    }

    /// Writes the intent.
    pub(super) fn go(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        end: &ChannelEnd,
        message: Message,
        (told, now): (&str, DateTime<Utc>),
    ) -> store::Result<Claim> {
        let Message { to, text, brief } = message;
        // What is too long is refused each time it is tried.
        let fit = |text| fitted(text, end.channel.markup(), LONGEST_TEXT);
        let text = fit(text);
        let attempt = outbox::begin(tx, n.id, &to, &text, told, now)?;
        // What was decided since, and the buttons, are no part of the text that is kept.
        let (shown, buttons) = match n.kind.as_str() {
            "alert" | "owner" => {
                let (shown, buttons) = self.with_questions(tx, n, &text, now)?;
                (fit(shown), buttons)
            }
            "reminder" => (text.clone(), self.reminder_buttons(tx, n)?),
            _ => (text.clone(), Vec::new()),
        };
        let wrote = contacts::last_inbound_at(tx, &n.channel, &to)?;
        // The messenger knows better whether it takes free text.
        let closed = outbox::window_was_closed(tx, n.id, &n.channel)?;
        Ok(Claim::Go {
            attempt,
            outgoing: Outgoing {
                key: message_key(n.id, n.created_at, &to, &text),
                to,
                text: shown,
                keyboard: n.keyboard,
                buttons,
                follows: outbox::thread_of(tx, n)?.filter(|_| n.kind != "reply"),
                brief,
                wrote_lately: wrote_lately(wrote, now) && !closed,
            },
            kind: n.kind.clone(),
        })
    }
}
