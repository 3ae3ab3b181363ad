//! A reminder at the moment of sending: what it names is read anew, "tomorrow" is counted from now,
//! and what the journal cannot vouch for becomes a call.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, Transaction};

use super::{Due, told, unexpected, was_told_lately};
use crate::domain::delivery::Status;
use crate::domain::message::owner::Untold;
use crate::domain::policy::{Kind, Reason};
use crate::domain::record::Record;
use crate::domain::reminder::Dropped;
use crate::pipeline::claim::{Claim, Parting, VISIT_IS_NEAR};
use crate::pipeline::quiet::quiet_at;
use crate::pipeline::visit::{Around, Visit};
use crate::pipeline::{ChannelEnd, Desk, words};
use crate::store::outbox::{self, Notification};
use crate::store::{self, cache, reminders, settling};

/// What is about to be told of the same visits goes first.
const NEWS_FIRST: TimeDelta = TimeDelta::seconds(30);
/// A booking that the last comparison lacks is looked for by id meanwhile.
const MISSING_LOOK: TimeDelta = TimeDelta::minutes(1);
/// So long; then its reminder is a call.
const MISSING_PATIENCE: TimeDelta = TimeDelta::minutes(15);

/// What is due for so long and has not left waits for its channel, or for the program.
const KEPT: TimeDelta = TimeDelta::minutes(15);

/// Why a reminder is not to leave now.
enum Hindrance {
    /// It is looked at again then.
    Wait(DateTime<Utc>),
    /// At the next turn: its visit is being settled.
    Settling,
    /// It never will.
    Over(Reason),
    /// Nobody knows whether it is true.
    Unseen,
}

impl Desk {
    /// Decides anew whether a reminder leaves, and what it names.
    pub(in crate::pipeline) fn claim_reminder(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        end: &ChannelEnd,
        place: &words::Place<'_>,
    ) -> store::Result<Claim> {
        let (company, zone, now) = (place.company, place.zone, place.now);
        let (named, has_begun) = standing(tx, n, place)?;
        if named.is_empty() && has_begun && n.attempts > 0 {
            outbox::set_ended(tx, n.id, Status::Dead, "the visit has begun")?;
            return Ok(Claim::Skip);
        }
        let records: Vec<Record> = named.iter().map(|due| due.record.clone()).collect();
        let hindrance = match has_begun && named.is_empty() {
            true => Some(Hindrance::Over(Reason::Past)),
            false => self.hindrance(tx, n, place, &named)?,
        };
        match hindrance {
            None => {}
            Some(Hindrance::Settling) => return Ok(Claim::Skip),
            Some(Hindrance::Wait(until)) => {
                outbox::postpone(tx, n.id, until)?;
                return Ok(Claim::Skip);
            }
            Some(Hindrance::Over(reason)) => {
                outbox::suppress(tx, n.id, reason, None)?;
                // Its day passed while a channel kept it, not because a person wanted it to wait.
                let was_kept = n.attempts > 0 || now - n.due_at >= KEPT;
                if reason == Reason::Expired && was_kept {
                    self.card(tx, n, &records, Untold::NotDelivered, now)?;
                }
                return Ok(Claim::Skip);
            }
            Some(Hindrance::Unseen) => {
                self.unseen(tx, n, &records, now)?;
                return Ok(Claim::Skip);
            }
        }
        let visit = Visit::of_records(tx, company, &n.phone, &records)?;
        let around = Around {
            conn: tx,
            desk: self,
            company,
            zone,
            changed_at: n.changed_at,
            now,
        };
        if let Some(reason) = visit.untimely(Kind::Reminder, &records, &around)? {
            outbox::suppress(tx, n.id, reason, None)?;
            self.card_for_silence(tx, n.id, &records, reason, now)?;
            return Ok(Claim::Skip);
        }
        let text = words::said(place, end, &told(company, &records));
        // Said again to the letter, as long as every word is still true.
        if n.frozen && !n.message.ends_with(&text) {
            outbox::suppress(tx, n.id, Reason::Expired, None)?;
            return Ok(Claim::Skip);
        }
        let starts = || records.iter().map(|r| r.start_at(zone));
        let parting = Parting {
            records: &records,
            quiet_until: quiet_at(company, zone, now, starts().min()),
            is_near: starts().any(|start| start - now <= VISIT_IS_NEAR),
            text: match n.frozen {
                true => n.message.clone(),
                false => text,
            },
            brief: words::brief_of(place, &told(company, &records)),
            // It states the bookings whole, so whoever gets it knows them as they stand.
            told: serde_json::to_string(&visit.told())
                .map_err(|_| store::StoreError::Corrupt("knowledge to be stored"))?,
        };
        self.part(tx, n, end, place, parting)
    }

    fn hindrance(
        &self,
        conn: &Connection,
        n: &Notification,
        place: &words::Place<'_>,
        named: &[Due],
    ) -> store::Result<Option<Hindrance>> {
        let (company, zone, now) = (place.company, place.zone, place.now);
        let Some(first) = named.first() else {
            return Ok(Some(Hindrance::Over(Reason::Superseded)));
        };
        // Its day is that of the latest moment for which it was made.
        let own = |due: &&Due| due.planned.due_at <= n.created_at;
        let moment = named.iter().filter(own).map(|due| due.planned.due_at).max();
        let start = first.record.start_at(zone);
        let moment = moment.unwrap_or(n.created_at);
        if now >= Self::expires_at(company, zone, moment, start) {
            return Ok(Some(Hindrance::Over(Reason::Expired)));
        }
        let mut units: Vec<String> = named.iter().map(|due| cache::unit(&due.record)).collect();
        units.dedup();
        for unit in &units {
            if settling::is_open(conn, n.company, unit, &n.phone)? {
                return Ok(Some(Hindrance::Settling));
            }
            // What the guard holds may be false, and so may be what the journal says meanwhile.
            let news = outbox::open_of_unit(conn, n.company, unit, &n.phone)?;
            if news.iter().any(|news| news.status != Status::Uncertain) {
                return Ok(Some(Hindrance::Wait(now + NEWS_FIRST)));
            }
        }
        let mut is_told = true;
        for due in named.iter().filter(own) {
            let Due { planned, record } = due;
            let start = record.start_at(zone);
            is_told &= was_told_lately(conn, record, &n.phone, planned.due_at, start)?;
        }
        if is_told && named.iter().any(|due| own(&due)) {
            for due in named {
                match own(&due) {
                    true => reminders::drop_one(conn, &due.planned, Dropped::Told, now)?,
                    false => reminders::unmake(conn, &due.planned, now)?,
                }
            }
            return Ok(Some(Hindrance::Over(Reason::Unchanged)));
        }
        for due in named {
            let cached = cache::get(conn, n.company, due.record.id)?;
            if cached.is_some_and(|cached| cached.missing) {
                return Ok(Some(match now - n.created_at < MISSING_PATIENCE {
                    true => Hindrance::Wait(now + MISSING_LOOK),
                    false => Hindrance::Unseen,
                }));
            }
        }
        Ok(None)
    }

    /// The journal of a company cannot be read: what it said a while ago reminds nobody. The owners
    /// are asked to call.
    pub(in crate::pipeline) fn reminders_unseen(
        &self,
        conn: &Connection,
        company: i64,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        for n in outbox::reminders_due(conn, company, now)? {
            self.unseen(conn, &n, &named(conn, &n)?, now)?;
        }
        Ok(())
    }

    fn unseen(
        &self,
        conn: &Connection,
        n: &Notification,
        records: &[Record],
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        outbox::suppress(conn, n.id, Reason::Stale, None)?;
        outbox::note_error(conn, n.id, "the journal could not be seen")?;
        self.card(conn, n, records, Untold::Unseen, now)
    }
}

/// The bookings that this reminder names, as they are now.
pub(in crate::pipeline) fn named(
    conn: &Connection,
    n: &Notification,
) -> store::Result<Vec<Record>> {
    let mut records = Vec::new();
    for planned in reminders::of_notification(conn, n.id)? {
        let cached = cache::get(conn, n.company, planned.record)?;
        records.extend(cached.map(|cached| cached.record));
    }
    Ok(records)
}

/// What this reminder names and still stands so; and whether a visit of its own has begun.
fn standing(
    conn: &Connection,
    n: &Notification,
    place: &words::Place<'_>,
) -> store::Result<(Vec<Due>, bool)> {
    let now = place.now;
    let (mut standing, mut has_begun) = (Vec::new(), false);
    for planned in reminders::of_notification(conn, n.id)? {
        let Some(cached) = cache::get(conn, n.company, planned.record)? else {
            reminders::drop_one(conn, &planned, Dropped::Off, now)?;
            continue;
        };
        let record = cached.record;
        let is_moved = record.start_local != planned.start_local
            || cache::number_of(conn, &record)? != n.phone;
        let begun = record.start_at(place.zone) <= now;
        has_begun |= begun;
        let why = unexpected(place.company, &record)
            .or(is_moved.then_some(Dropped::Moved))
            .or(begun.then_some(Dropped::Expired));
        match why {
            Some(why) => reminders::drop_one(conn, &planned, why, now)?,
            None => standing.push(Due { planned, record }),
        }
    }
    // A booking that is to be kept quiet by now silences itself, not the others of the day.
    let rules = &place.company.settings.rules;
    if !standing.iter().all(|due| rules.is_quiet(&due.record)) {
        standing.retain(|due| !rules.is_quiet(&due.record));
    }
    Ok((standing, has_begun))
}
