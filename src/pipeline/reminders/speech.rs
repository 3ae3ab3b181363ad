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
use crate::pipeline::poll::delta;
use crate::pipeline::quiet::quiet_at;
use crate::pipeline::visit::{Around, Visit};
use crate::pipeline::{ChannelEnd, Company, Desk, words};
use crate::store::cache::Cached;
use crate::store::outbox::{self, Notification};
use crate::store::reminders::Planned;
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
    /// It is looked at again then; for what it waits.
    Wait(&'static str, DateTime<Utc>),
    /// At the next turn: its visit is being settled.
    Settling,
    /// It never will.
    Over(Reason),
    /// Nobody knows whether it is true.
    Unseen,
}

/// Something is about to be told of the same visits.
fn news_first(now: DateTime<Utc>) -> Hindrance {
    Hindrance::Wait("news of the visit goes first", now + NEWS_FIRST)
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
        let Standing {
            named,
            has_begun,
            undecided,
        } = standing(tx, n, place)?;
        if undecided.is_none() && named.is_empty() && has_begun && n.attempts > 0 {
            outbox::set_ended(tx, n.id, Status::Dead, "the visit has begun")?;
            return Ok(Claim::Skip);
        }
        let records: Vec<Record> = named.iter().map(|due| due.record.clone()).collect();
        let hindrance = match undecided {
            None if has_begun && named.is_empty() => Some(Hindrance::Over(Reason::Past)),
            None => self.hindrance(tx, n, place, &named)?,
            undecided => undecided,
        };
        match hindrance {
            None => {}
            Some(Hindrance::Settling) => return Ok(Claim::Skip),
            Some(Hindrance::Wait(why, until)) => {
                outbox::wait_for(tx, n.id, why, until)?;
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
        if n.letter().is_some_and(|said| !said.ends_with(&text)) {
            outbox::suppress(tx, n.id, Reason::Expired, None)?;
            return Ok(Claim::Skip);
        }
        let starts = || records.iter().map(|r| r.start_at(zone));
        let parting = Parting {
            records: &records,
            expected: &[],
            quiet_until: quiet_at(company, zone, now, starts().min()),
            is_near: starts().any(|start| start - now <= VISIT_IS_NEAR),
            text: n.letter().map_or(text, str::to_owned),
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
            if has_news(conn, n, unit)? {
                return Ok(Some(news_first(now)));
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
                    true => Hindrance::Wait(
                        "the booking is not seen in the journal",
                        now + MISSING_LOOK,
                    ),
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
        let Some(settings) = self.companies.get(&company) else {
            return Ok(());
        };
        for n in outbox::reminders_due(conn, company, now)? {
            let mut records = Vec::new();
            for planned in reminders::of_notification(conn, n.id)? {
                let cached = cache::get(conn, company, planned.record)?;
                if let Some(Cached { record, .. }) = cached
                    && not_as_planned(conn, settings, &planned, &record)?.is_none()
                {
                    records.push(record);
                }
            }
            self.unseen(conn, &n, &records, now)?;
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

/// Whether something of this visit waits to be told. What the guard holds may be false, and so may be
/// what the journal says meanwhile.
fn has_news(conn: &Connection, n: &Notification, unit: &str) -> store::Result<bool> {
    let news = outbox::open_of_unit(conn, n.company, unit, &n.phone)?;
    Ok(news.iter().any(|news| news.status != Status::Uncertain))
}

/// What a reminder names, as the journal has it at the moment of sending.
struct Standing {
    /// What still stands so.
    named: Vec<Due>,
    /// A visit of its own has begun.
    has_begun: bool,
    /// Something does not stand so, which is not told yet: it may be again as it was.
    undecided: Option<Hindrance>,
}

/// Why this booking is not as its reminder has it; `None` while it is.
fn not_as_planned(
    conn: &Connection,
    company: &Company,
    planned: &Planned,
    record: &Record,
) -> store::Result<Option<Dropped>> {
    let is_moved = record.start_local != planned.start_local
        || cache::number_of(conn, record)? != planned.phone;
    let moved = is_moved.then_some(Dropped::Moved);
    Ok(unexpected(company, record).or(moved))
}

/// What this reminder names and still stands so.
fn standing(
    conn: &Connection,
    n: &Notification,
    place: &words::Place<'_>,
) -> store::Result<Standing> {
    let (now, pace) = (place.now, &place.company.settings.pace);
    let mut standing = Standing {
        named: Vec::new(),
        has_begun: false,
        undecided: None,
    };
    let mut others = Vec::new();
    for planned in reminders::of_notification(conn, n.id)? {
        let Some(cached) = cache::get(conn, n.company, planned.record)? else {
            others.push((planned, Dropped::Off));
            continue;
        };
        let record = cached.record;
        let begun = record.start_at(place.zone) <= now;
        standing.has_begun |= begun;
        let Some(why) = not_as_planned(conn, place.company, &planned, &record)? else {
            match begun {
                true => others.push((planned, Dropped::Expired)),
                false => standing.named.push(Due { planned, record }),
            }
            continue;
        };
        let unit = cache::unit(&record);
        let ends_at = settling::of_unit(conn, n.company, &unit)?;
        // What settles later than a delay can end waits for numbers that are hidden.
        if ends_at.is_some_and(|at| at - now <= delta(pace.max_delay)) {
            standing.undecided = Some(Hindrance::Settling);
        } else if has_news(conn, n, &unit)? {
            standing.undecided = Some(news_first(now));
        }
        others.push((planned, why));
    }
    if standing.undecided.is_some() {
        return Ok(standing);
    }
    for (planned, why) in others {
        reminders::drop_one(conn, &planned, why, now)?;
    }
    // A booking that is to be kept quiet by now silences itself, not the others of the day.
    let rules = &place.company.settings.rules;
    let named = &mut standing.named;
    if !named.iter().all(|due| rules.is_quiet(&due.record)) {
        named.retain(|due| !rules.is_quiet(&due.record));
    }
    Ok(standing)
}
