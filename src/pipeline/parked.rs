//! What waits for a parked channel. It stays for a while, because most outages are short; then it
//! takes the company's next channel, at once when the visit is near. What may have left goes nowhere
//! else.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::claim::VISIT_IS_NEAR;
use super::visit::Visit;
use super::warm_up::Room;
use super::{Company, Desk, trial};
use crate::domain::record::Record;
use crate::domain::zone::Zone;
use crate::store::channels;
use crate::store::outbox::{self, Notification};
use crate::store::{self, cache, companies, settling};

/// A channel may be parked for so long before others take over. One that has to wait for longer, by what
/// its messenger said, is as good as parked.
const PARKED_PATIENCE: TimeDelta = TimeDelta::minutes(15);

/// A stated pause that is over so soon is waited for whatever the visit.
const PAUSE_PATIENCE: TimeDelta = TimeDelta::minutes(1);

impl Desk {
    /// Moves on what is due on a parked channel and has waited long enough. Returns how many.
    pub(super) fn leave_parked(
        &self,
        conn: &Connection,
        channel: &str,
        now: DateTime<Utc>,
    ) -> store::Result<u32> {
        let mut moved = 0;
        for n in outbox::waiting_for(conn, channel, now)? {
            moved += u32::from(self.leave_if_parked(conn, &n, now)?);
        }
        Ok(moved)
    }

    /// The same for one message. `false` when it stays where it is.
    pub(super) fn leave_if_parked(
        &self,
        conn: &Connection,
        n: &Notification,
        now: DateTime<Utc>,
    ) -> store::Result<bool> {
        let state = channels::get(conn, &n.channel)?.unwrap_or_default();
        let shut = state.blocked_until.map(|until| until - now);
        let since = state.fails_since();
        if since.is_none() && shut.is_none_or(|left| left <= PAUSE_PATIENCE) {
            return Ok(false);
        }
        let Some(company) = self.companies.get(&n.company) else {
            return Ok(false);
        };
        // Where there is nowhere else to go, there is nothing to find out.
        if company.settings.channels.len() < 2 {
            return Ok(false);
        }
        let still = settling::is_open(conn, n.company, &n.unit, &n.phone)?;
        if n.phone.is_empty()
            || n.kind == trial::KIND
            || still
            || outbox::was_uncertain(conn, n.id)?
        {
            return Ok(false);
        }
        let row = companies::ensure(conn, n.company)?;
        let Some(zone) = company.zone(&row) else {
            return Ok(false);
        };
        let is_long = since.is_some_and(|since| now - since >= PARKED_PATIENCE)
            || shut.is_some_and(|left| left >= PARKED_PATIENCE);
        if !is_long && !is_near(conn, n, company, zone, now)? {
            return Ok(false);
        }
        for next in self.other_ways(conn, company, n)? {
            let next_state = channels::get(conn, &next.name)?.unwrap_or_default();
            // Where there is no room for a stranger, the message would wait longer than here.
            let room = self.room(conn, &next, &n.phone, zone, now)?;
            let is_shut = next_state.blocked_until.is_some_and(|until| until > now);
            if next_state.down_since.is_none() && !is_shut && room == Room::Free {
                let why = state.last_error.as_deref();
                outbox::set_pending(conn, n.id, &next.name, now, why, false)?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether the visit, as it is or as the client knows it, cannot wait.
fn is_near(
    conn: &Connection,
    n: &Notification,
    company: &Company,
    zone: Zone,
    now: DateTime<Utc>,
) -> store::Result<bool> {
    let near = |r: &Record| r.start_at(zone) - now < VISIT_IS_NEAR;
    let net = Visit::of_notification(conn, company, n)?.net(company);
    Ok(match net {
        Some(net) => net.now.iter().chain(&net.before).any(near),
        None => cache::get(conn, n.company, n.record)?.is_some_and(|c| near(&c.record)),
    })
}
