//! Writes: what clients asked for is written into the journal. The intent is on the disk before the
//! request, and whatever happens in between, the journal is read again before anything is repeated.
//!
//! It is done in the company's turn, so that no poll sees half of it; a poll that comes after a crash
//! does what is open first. In the transaction that stores what the journal says now, its client comes
//! to know it and is answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::apply::Applying;
use super::poll::delta;
use super::{Company, Pipeline};
use crate::domain::delivery::{retry_step, spread};
use crate::domain::event::Gone;
use crate::domain::phone::Phone;
use crate::domain::record::{Attendance, Record};
use crate::domain::reply::CancelBy;
use crate::domain::reply::order::{Act, Obstacle, Part, Standing, judge};
use crate::domain::zone::Zone;
use crate::failpoint;
use crate::ports::{ApiError, CompanyRef, Edit, Lookup, Urgency, WriteError};
use crate::store::companies::{self, CompanyRow};
use crate::store::writes::{self, Order, State};
use crate::store::{self, proposals};

mod closing;
mod foresee;

use closing::Closing;

/// What was written shows within this time, or is looked for again.
const SHOWS_AFTER: TimeDelta = TimeDelta::seconds(2);

/// An attempt at an order: what it found, and how it ended.
#[derive(Default)]
struct Attempt {
    /// The bookings as the journal shows them now, `None` where it knows no such record.
    seen: BTreeMap<i64, Option<Record>>,
    /// Of these the journal shows what was asked.
    done: BTreeSet<i64>,
}

/// How an attempt ended.
enum How {
    /// The journal shows what was asked of every booking.
    Done,
    /// What is not done by now is not to be written.
    Barred(Obstacle),
    /// Not now.
    Later(TimeDelta),
}

/// Which order is written, and where.
#[derive(Clone, Copy)]
struct Writing<'a> {
    company: &'a Company,
    reference: &'a CompanyRef,
    order: &'a Order,
}

impl Pipeline {
    /// Writes what clients asked for. Returns how many orders ended.
    pub async fn writes_due(&self, now: DateTime<Utc>) -> store::Result<u32> {
        let waiting = self
            .store
            .read(move |c| {
                let mut all = writes::companies_due(c, now)?;
                all.extend(proposals::companies_due(c, now)?);
                all.sort_unstable();
                all.dedup();
                Ok(all)
            })
            .await?;
        let mut ended = 0;
        for id in waiting {
            let Some(company) = self.companies.get(&id) else {
                continue;
            };
            let _turn = company.turn.lock().await;
            ended += self.write_in_turn(company).await?;
        }
        if ended > 0 {
            self.bell.notify_waiters();
        }
        Ok(ended)
    }

    /// The same for one company, by whoever has its turn.
    pub(super) async fn write_in_turn(&self, company: &Arc<Company>) -> store::Result<u32> {
        let (id, now) = (company.settings.id, self.clock.now());
        let (orders, row) = self
            .store
            .read(move |c| {
                let row = companies::get(c, id)?.unwrap_or_default();
                Ok((writes::due(c, id, now)?, row))
            })
            .await?;
        let mut ended = 0;
        for order in orders {
            let Some(zone) = company.zone(&row) else {
                break;
            };
            if self.stopping.is_cancelled() {
                break;
            }
            ended += u32::from(self.write_one(company, &row, zone, order).await?);
        }
        if let Some(zone) = company.zone(&row) {
            ended += self.deeds_in_turn(company, &row, zone).await?;
        }
        Ok(ended)
    }

    async fn write_one(
        &self,
        company: &Arc<Company>,
        row: &CompanyRow,
        zone: Zone,
        order: Order,
    ) -> store::Result<bool> {
        let reference = company.reference(zone, Urgency::Look);
        let writing = Writing {
            company,
            reference: &reference,
            order: &order,
        };
        let (attempt, how) = self.attempt(writing).await?;
        failpoint::pass("after_write_look");
        let now = self.clock.now();
        let how = match how {
            How::Later(_) if order.give_up_at.is_some_and(|until| until <= now) => {
                How::Barred(Obstacle::Unreachable)
            }
            how => how,
        };
        let (desk, company, row) = (self.desk(), Arc::clone(company), row.clone());
        let (id, defences) = (order.id, self.defences);
        let ended = self
            .store
            .write(move |tx| {
                // Another program may have ended it, or forgotten its client.
                let Some(order) = writes::get(tx, id)?.filter(|o| o.state == State::Open) else {
                    return Ok(None);
                };
                let closing = Closing {
                    tx,
                    desk: &desk,
                    company: &company,
                    row: &row,
                    zone,
                    order: &order,
                    now,
                };
                if let How::Later(pause) = how {
                    writes::postpone(tx, id, now + pause)?;
                    return Ok(None);
                }
                let mut applying = Applying {
                    baseline_at: row.baseline_at,
                    phones_hidden: row.phones_hidden_since.is_some(),
                    ..Applying::new(tx, &company, defences, zone, now)?
                };
                for (record, found) in &attempt.seen {
                    match found {
                        Some(found) => applying.row(found)?,
                        None if attempt.done.contains(record) => {
                            applying.gone(*record, Gone::Deleted)?;
                        }
                        // It may only be hidden.
                        None => {}
                    }
                }
                match how {
                    How::Barred(why) => {
                        closing.barred(&attempt.done, why)?;
                        Ok(Some(why.as_str()))
                    }
                    How::Done | How::Later(_) => {
                        closing.done()?;
                        Ok(Some("done"))
                    }
                }
            })
            .await?;
        if let Some(how) = ended {
            let (company, act) = (order.company, order.act.as_str());
            tracing::info!(company, order = id, act, how, "a client's change");
        }
        Ok(ended.is_some())
    }

    /// Looks at the bookings, writes what may be written, and looks again. All are looked at before any
    /// is written: a visit of which one booking may not be written is not begun.
    async fn attempt(&self, writing: Writing<'_>) -> store::Result<(Attempt, How)> {
        let mut attempt = Attempt::default();
        let (mut barred, mut ready) = (None, Vec::new());
        for part in &writing.order.parts {
            match self.look_at(writing, part, false, &mut attempt).await {
                Ok(Some(seen)) => ready.push((part, seen)),
                Ok(None) => {}
                Err(How::Barred(why)) => barred = barred.or(Some(why)),
                Err(how) => return Ok((attempt, how)),
            }
        }
        if let Some(why) = barred {
            return Ok((attempt, How::Barred(why)));
        }
        let mut is_first = true;
        for (part, mut seen) in ready {
            // Others were written meanwhile.
            if !is_first {
                match self.look_at(writing, part, false, &mut attempt).await {
                    Ok(Some(again)) => seen = again,
                    Ok(None) => continue,
                    Err(how) => return Ok((attempt, how)),
                }
            }
            is_first = false;
            if let Some(how) = self.write_part(writing, part, &seen).await? {
                return Ok((attempt, how));
            }
            match self.look_at(writing, part, true, &mut attempt).await {
                // Written, and not shown yet.
                Ok(Some(_)) => return Ok((attempt, How::Later(SHOWS_AFTER))),
                Ok(None) => {}
                Err(how) => return Ok((attempt, how)),
            }
        }
        Ok((attempt, How::Done))
    }

    /// How one booking of an order stands: as it is where it may be written, `None` where it is as was
    /// asked. That another one of the visit was written says nothing of it.
    async fn look_at(
        &self,
        writing: Writing<'_>,
        part: &Part,
        wrote: bool,
        attempt: &mut Attempt,
    ) -> Result<Option<Record>, How> {
        let Writing {
            reference, order, ..
        } = writing;
        let record = part.meant.record;
        let look = match self.api.record(reference, record).await {
            Ok(Lookup::Found(record)) => Some(*record),
            Ok(Lookup::Gone) => None,
            // It was not seen, so nothing may be said of it.
            Err(ApiError::Denied { .. }) => return Err(How::Barred(Obstacle::Unreachable)),
            Err(error) => return Err(not_seen(&error, order)),
        };
        attempt.seen.insert(record, look.clone());
        let phone = Phone::from_stored(order.phone.clone());
        let (asked, now) = (part.began_at.is_some() || wrote, self.clock.now());
        let around = (reference.zone, now);
        match judge(order.act, &part.meant, &phone, look.as_ref(), asked, around) {
            Standing::Done => {
                attempt.done.insert(record);
                return Ok(None);
            }
            // Its client was forgotten: whose it is cannot be seen, only whether what left arrived.
            _ if order.phone.is_empty() => return Err(How::Later(SHOWS_AFTER)),
            Standing::Barred(why) => return Err(How::Barred(why)),
            Standing::Ready => {}
        }
        let Some(seen) = look else {
            return Err(How::Barred(Obstacle::Off));
        };
        let begun = wrote || order.began_at.is_some() || !attempt.done.is_empty();
        match allowed(writing.company, order, &seen, begun, (reference.zone, now)) {
            Ok(true) => Ok(Some(seen)),
            Ok(false) => {
                attempt.done.insert(record);
                Ok(None)
            }
            Err(why) => Err(How::Barred(why)),
        }
    }

    /// One request, its intent first. How the attempt ends, where the journal is not to be read again.
    async fn write_part(
        &self,
        writing: Writing<'_>,
        part: &Part,
        seen: &Record,
    ) -> store::Result<Option<How>> {
        let Writing {
            reference, order, ..
        } = writing;
        let (id, record, now) = (order.id, part.meant.record, self.clock.now());
        let begun = self
            .store
            .write(move |tx| writes::begin(tx, id, record, now));
        if !begun.await? {
            return Ok(Some(How::Later(TimeDelta::zero())));
        }
        failpoint::pass("after_write_intent");
        let written = match order.act {
            Act::Confirm => {
                let edit = Edit {
                    attendance: Some(Attendance::Confirmed),
                    ..Edit::default()
                };
                self.api.change(reference, seen, &edit).await
            }
            Act::Cancel => self.api.cancel(reference, seen.id).await,
        };
        failpoint::pass("after_write");
        Ok(match written {
            // Whatever the answer was, or was not, the journal says what is.
            Ok(()) | Err(WriteError::Unknown(_)) => None,
            Err(WriteError::Overtaken) => Some(How::Later(TimeDelta::zero())),
            Err(WriteError::NotDone(error)) => Some(not_seen(&error, order)),
            Err(WriteError::Refused { status, message }) => {
                tracing::warn!(
                    company = order.company,
                    order = order.id,
                    status,
                    message,
                    "the journal refused a client's change"
                );
                Some(How::Barred(Obstacle::Refused))
            }
        })
    }
}

/// Whether the settings let this booking be written; `false` where it is done without: that the client
/// comes is theirs to say, and the journal need not show it.
fn allowed(
    company: &Company,
    order: &Order,
    seen: &Record,
    begun: bool,
    (zone, now): (Zone, DateTime<Utc>),
) -> Result<bool, Obstacle> {
    let replies = &company.settings.replies;
    let phone = Phone::from_stored(order.phone.clone());
    let by_itself = order.act == Act::Cancel && !order.by_owner;
    let may_write = replies.enabled && replies.write;
    if !company.settings.rules.writes_to(&phone)
        || (order.act == Act::Cancel && !may_write)
        || (by_itself && replies.cancel != CancelBy::Program)
    {
        return Err(Obstacle::Forbidden);
    }
    // It may have waited for hours.
    let is_near = seen.start_at(zone) - now < delta(replies.cancel_until);
    if by_itself && is_near && !begun {
        return Err(Obstacle::Near);
    }
    Ok(may_write)
}

/// The journal gave no answer: when to ask again, if ever.
fn not_seen(error: &ApiError, order: &Order) -> How {
    match error {
        ApiError::Denied { .. } => How::Barred(Obstacle::Refused),
        ApiError::Throttled { pause } => How::Later(delta(*pause)),
        ApiError::Unavailable(_) | ApiError::Unreadable(_) => {
            let tries = order.tries + 1;
            How::Later(delta(spread(retry_step(tries), order.id, tries)))
        }
    }
}
