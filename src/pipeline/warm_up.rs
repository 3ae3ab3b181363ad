//! Warm-up of a new number: messengers ban one that writes to many strangers. So many a day get a
//! message; the rest take the company's next channel, or wait for another day, and under two days
//! before the visit the owner is asked to call.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::claim::VISIT_IS_NEAR;
use super::{ChannelEnd, Company, Desk};
use crate::domain::message::owner::Untold;
use crate::domain::policy::Reason;
use crate::domain::record::{Record, instant};
use crate::domain::zone::Zone;
use crate::store::outbox::{self, Notification};
use crate::store::{self, channels};

/// Who waits for another day is written to when people are awake: so long after midnight.
const MORNING: TimeDelta = TimeDelta::hours(9);

/// Nearer than this a visit's news does not wait for another day.
const CANNOT_WAIT: TimeDelta = TimeDelta::hours(48);

/// Another channel that has room and is down is waited for by so much at a time.
const SHORT_WAIT: TimeDelta = TimeDelta::minutes(2);

/// Down for longer than this it is no more waited for where the owner can call in time.
const DOWN_FOR_NOW: TimeDelta = TimeDelta::hours(1);

/// Whether a channel may write to a person today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It may.
    Free,
    /// The last places are taken by messages on their way, which may yet be refused.
    Soon,
    /// It has met enough people.
    None,
}

/// Messages on their way are waited for this long before the place is asked for again.
pub(super) const ON_ITS_WAY: TimeDelta = TimeDelta::seconds(2);

/// A message for which its channel has no room today.
pub(super) struct Full<'a> {
    pub(super) company: &'a Company,
    pub(super) zone: Zone,
    pub(super) now: DateTime<Utc>,
}

impl Desk {
    /// Whether this channel may write to this person today.
    pub(super) fn room(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        phone: &str,
        zone: Zone,
        now: DateTime<Utc>,
    ) -> store::Result<Room> {
        let most = end.new_recipients_per_day;
        if most == 0 || outbox::was_written_to(conn, &end.name, phone)? {
            return Ok(Room::Free);
        }
        let midnight = now
            .with_timezone(&zone)
            .date_naive()
            .and_time(NaiveTime::MIN);
        let today = outbox::first_written_to_since(conn, &end.name, instant(midnight, zone))?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let met = today.iter().filter(|(_, is_sure)| *is_sure).count();
        let known = today.iter().any(|(known, _)| known == phone);
        Ok(match today.len() {
            _ if known => Room::Free,
            all if all < most => Room::Free,
            _ if met < most => Room::Soon,
            _ => Room::None,
        })
    }

    /// The next channel with room, or another day, or the owner's own call.
    pub(super) fn wait_for_room(
        &self,
        conn: &Connection,
        n: &Notification,
        full: &Full<'_>,
        records: &[Record],
        expected: &[Record],
    ) -> store::Result<()> {
        let Full { company, zone, now } = *full;
        let why = "the channel is new and has met enough people for today";
        // Since when the other channels with room are down, the one that went down last.
        let mut down_since = None;
        if !outbox::was_uncertain(conn, n.id)? {
            for next in self.other_ways(conn, company, n)? {
                let state = channels::get(conn, &next.name)?.unwrap_or_default();
                if self.room(conn, &next, &n.phone, zone, now)? != Room::Free {
                    continue;
                }
                // One that is down would only give it back.
                match state.down_since {
                    None => {
                        return outbox::set_pending(conn, n.id, &next.name, now, Some(why), false);
                    }
                    Some(since) => down_since = down_since.max(Some(since)),
                }
            }
        }
        // Who is not told of a move comes as they expect.
        let starts = records.iter().chain(expected).map(|r| r.start_at(zone));
        let first = starts.filter(|start| *start > now).min();
        let too_near = first.is_some_and(|start| start - now < CANNOT_WAIT);
        let is_near = first.is_some_and(|start| start - now < VISIT_IS_NEAR);
        let today = now.with_timezone(&zone).date_naive();
        let soon = now + SHORT_WAIT;
        // Past midnight this channel has room again, and would wake people.
        let waits = down_since.filter(|_| soon.with_timezone(&zone).date_naive() == today);
        let may_be_back = waits.is_some_and(|since| now - since < DOWN_FOR_NOW && !is_near);
        // Where no card would be made, the message waits as long as it is of use.
        let asked = company.settings.owners.iter().any(|owner| owner.alerts)
            && company.settings.rules.only_phones.is_empty();
        if too_near && asked && !may_be_back {
            outbox::suppress(conn, n.id, Reason::NoChannel, None)?;
            outbox::note_error(conn, n.id, why)?;
            return self.card(conn, n, records, Untold::WarmingUp, now);
        }
        if waits.is_some() {
            outbox::note_error(conn, n.id, why)?;
            return outbox::wait_for_turn(conn, n.id, soon);
        }
        let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
        let morning = instant(tomorrow.and_time(NaiveTime::MIN) + MORNING, zone);
        // Looked at again when it becomes too near to wait, if that is sooner.
        let border = first
            .map(|start| start - CANNOT_WAIT + TimeDelta::seconds(1))
            .filter(|border| asked && *border > now);
        let until = border.map_or(morning, |border| border.min(morning));
        outbox::note_error(conn, n.id, why)?;
        outbox::wait_for_turn(conn, n.id, until)
    }
}
