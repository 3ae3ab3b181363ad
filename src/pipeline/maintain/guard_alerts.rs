//! Alerts of the guard: what it holds, and many moves at once, which it lets pass.

use chrono::TimeDelta;

use super::Watch;
use crate::domain::guard::{is_mass, moved, zone_shift};
use crate::domain::message::owner::{Held, alert_guard, alert_many_moves};
use crate::domain::policy::Kind;
use crate::domain::question::Matter;
use crate::pipeline::Company;
use crate::pipeline::guard::{ahead, moves, moves_from, window};
use crate::store::{self, alerts, companies, guard};

/// A batch that the guard holds is told of again when its nearest visit is this near.
const GUARD_REMINDER: TimeDelta = TimeDelta::hours(3);
/// So many moves are an ordinary day whatever the share.
const MOST_MOVES: i64 = 5;

impl Watch<'_> {
    /// What the guard holds, at once; a hold that ends needs no word.
    pub(super) fn guard(&self, company: &Company) -> store::Result<u32> {
        let cancelled = self.held(company, Kind::Cancelled, "guard")?;
        Ok(cancelled + self.held(company, Kind::Updated, "shift")?)
    }

    /// One word for each batch, and one more when its nearest visit is near. What joins a batch
    /// within the guard's window belongs to it.
    fn held(&self, company: &Company, kind: Kind, word: &str) -> store::Result<u32> {
        let id = company.settings.id;
        let held = guard::held_as(self.conn, id, Some(kind), self.now)?;
        let cause = |of: &str| format!("{word}:{id}:{of}");
        let Some(newest_at) = held.newest_at else {
            alerts::close_all(self.conn, &cause(""))?;
            return Ok(0);
        };
        let told_at = alerts::open_since(self.conn, &cause("new"))?;
        if told_at.is_some_and(|at| newest_at > at + window(company)) {
            alerts::close_all(self.conn, &cause(""))?;
        }
        let is_near = held
            .nearest_at
            .is_some_and(|at| at - self.now <= GUARD_REMINDER);
        let is_new = alerts::open(self.conn, &cause("new"), self.now, self.now)?;
        // Told for the first time, and near already: one word is enough.
        let comes_near = is_near && alerts::open(self.conn, &cause("near"), self.now, self.now)?;
        if !is_new && !comes_near {
            return Ok(0);
        }
        let row = companies::ensure(self.conn, id)?;
        let count = usize::try_from(held.count).unwrap_or(usize::MAX);
        let nearest = held.nearest_at.map(|at| self.local(company, &row, at));
        let what = match kind {
            Kind::Updated => {
                let from = moves_from(company, &row, self.now);
                let moves = moves(self.conn, company, from, self.now)?;
                let ahead = ahead(self.conn, company, self.now)?;
                Held::Moves(count, zone_shift(&moves, ahead).map(|s| s.num_minutes()))
            }
            Kind::Created | Kind::Cancelled | Kind::NoShow | Kind::Visited | Kind::Reminder => {
                Held::Cancellations(count)
            }
        };
        let asks = [(Matter::Guard(kind), held.count)];
        self.ask(company, &row, &asks, |v, salon, has_buttons| {
            alert_guard(v, salon, what, nearest, has_buttons)
        })
    }

    /// Companies in whose journals so much changed lately that their moves are worth counting.
    pub(super) fn busy(&self) -> store::Result<Vec<i64>> {
        let longest = self.desk.companies.values().map(|c| window(c)).max();
        guard::busy(
            self.conn,
            self.now - longest.unwrap_or_default(),
            MOST_MOVES,
        )
    }

    /// Many moves at once are told to the clients, and the owners hear of it, once for each batch:
    /// a master's day put an hour later looks like this, and so does a slip of the hand.
    pub(super) fn moves(&self, company: &Company, busy: &[i64]) -> store::Result<u32> {
        let id = company.settings.id;
        let cause = format!("moves:{id}");
        if !busy.contains(&id) {
            alerts::close(self.conn, &cause)?;
            return Ok(0);
        }
        let row = companies::ensure(self.conn, id)?;
        let from = moves_from(company, &row, self.now);
        let moves = moves(self.conn, company, from, self.now)?;
        let ahead = ahead(self.conn, company, self.now)?;
        let count = moved(&moves, from);
        let limit = company.settings.rules.missing_limit;
        // What is held has an alert of its own.
        if !is_mass(count, ahead, limit) || zone_shift(&moves, ahead).is_some() {
            alerts::close(self.conn, &cause)?;
            return Ok(0);
        }
        if !alerts::open(self.conn, &cause, self.now, self.now)? {
            return Ok(0);
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.tell(company, &row, |v, salon| alert_many_moves(v, salon, count))
    }
}
