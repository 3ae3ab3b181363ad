//! Reminders: planned in the transaction that stores the booking, made into a notification when
//! they are due, so that nothing `pending` means next month.
//!
//! A reminder is of one booking, its present start and one lead; it moves with the booking and dies
//! with it. Those of one person's day that are due are told in one message, which names all of the
//! day. Whether it is still true is decided when it leaves ([`speech`]).

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::quiet::quiet_at;
use super::{Company, Desk, Pipeline, outcome};
use crate::domain::message::Told;
use crate::domain::record::{Attendance, Record};
use crate::domain::reminder::{self, Dropped};
use crate::domain::zone::Zone;
use crate::store::reminders::{self, Planned};
use crate::store::{self, cache, events, known, outbox};

mod day;
mod plan;
mod speech;

pub(super) use plan::follow;
pub(super) use speech::named;

/// Reminders looked at in one transaction.
const BATCH: u32 = 100;

/// Whether their client is asked to answer "1" or "2": where that is understood, and not who has said
/// already that they come.
pub(super) fn asks(company: &Company, records: &[Record]) -> bool {
    let is_sure = |r: &Record| r.attendance == Attendance::Confirmed;
    company.settings.replies.enabled && !records.iter().any(is_sure)
}

/// What the visits of a day are told as.
pub(super) fn told<'a>(company: &Company, records: &'a [Record]) -> Told<'a> {
    Told::Reminder {
        now: records,
        asks: asks(company, records),
    }
}

/// Why nobody is reminded of this; `None`: its client expects it.
fn unexpected(company: &Company, record: &Record) -> Option<Dropped> {
    let is_none = company.settings.rules.ignore.covers(record);
    let off = is_none.then_some(Dropped::Off);
    off.or_else(|| reminder::unexpected(record))
}

/// A reminder and its booking.
struct Due {
    planned: Planned,
    record: Record,
}

impl Desk {
    /// The day after which a reminder with this moment is no use: quiet hours move the moment.
    fn expires_at(
        company: &Company,
        zone: Zone,
        moment: DateTime<Utc>,
        start: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let leaves_at = quiet_at(company, zone, moment, Some(start)).unwrap_or(moment);
        reminder::expires_at(leaves_at, zone)
    }
}

impl Pipeline {
    /// Makes the reminders that are due into notifications. Returns how many.
    pub async fn remind_due(&self, now: DateTime<Utc>) -> store::Result<u32> {
        let mut made = 0;
        let watched: Vec<i64> = self.companies.keys().copied().collect();
        let due = move |c: &Connection| reminders::due(c, &watched, now, 1);
        // Most turns find nothing, and need not keep others from writing.
        if self.store.read(due).await?.is_empty() {
            return Ok(0);
        }
        loop {
            let desk = self.desk();
            let (seen, part) = self
                .store
                .write(move |tx| {
                    let watched: Vec<i64> = desk.companies.keys().copied().collect();
                    let due = reminders::due(tx, &watched, now, BATCH)?;
                    let mut part = None;
                    for planned in &due {
                        let new = desk.remind(tx, planned, now)?;
                        part = new.map_or(part, |new| Some(part.unwrap_or(0) + new));
                    }
                    Ok((due.len(), part))
                })
                .await?;
            made += part.unwrap_or(0);
            // What could not be looked at is left for the next turn, not tried for ever. That nothing was
            // made says nothing: all of them may have been dropped.
            if seen < BATCH as usize || part.is_none() {
                if made > 0 {
                    tracing::info!(reminders = made, "reminders due");
                }
                return Ok(made);
            }
        }
    }
}

/// Whether a message told this person of the booking so shortly before a reminder that it needs
/// none. Reminders themselves do not count: two leads are two reminders. Nor does what was said of
/// another start, or that the booking is off, where nobody was told of the change since.
fn was_told_lately(
    conn: &Connection,
    record: &Record,
    phone: &str,
    moment: DateTime<Utc>,
    start: DateTime<Utc>,
) -> store::Result<bool> {
    let create_date = cache::create_date(record);
    let key = known::Key::of(record, &create_date, phone);
    let told_at = known::get(conn, key)?.told_at;
    let lately = reminder::told_lately_from(moment, start);
    let Some(told_at) = told_at.filter(|at| *at >= lately) else {
        return Ok(false);
    };
    let is_so = |said: &Record| said.is_alive() && said.start_local == record.start_local;
    Ok(
        match events::state_then(conn, record.company_id, record.id, told_at)? {
            None => true,
            Some(Some(then)) => is_so(&then),
            // It was made since in another one's place: that is what was spoken of.
            Some(None) => {
                let sent = outbox::sent_to_at(conn, record.company_id, phone, told_at)?;
                let said = sent.iter().map(outcome::told);
                let said = said.collect::<store::Result<Vec<_>>>()?;
                let mut said = said.iter().flatten().filter_map(|t| t.state.record());
                said.any(is_so)
            }
        },
    )
}
