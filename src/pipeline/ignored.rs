//! What is no booking: columns of the journal that hold a waiting list, a reserve, a training model
//! (`monitor.ignore`).
//!
//! Nothing is told of them, and nobody knows of them: whoever knew of a booking that went there may
//! still come to it, so the owner is asked to call, and one that comes out is news.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::happened::Happened;
use super::settle::Settling;
use super::visit::Visit;
use super::{Desk, renumbered, slots};
use crate::domain::delivery::Status;
use crate::domain::phone::Phone;
use crate::domain::policy::Reason;
use crate::store::outbox::{self, New, Notification};
use crate::store::{self, cache, events, known};

impl Visit {
    /// Nothing of it is a booking.
    pub(super) fn is_ignored(&self) -> bool {
        self.members.is_empty() && !self.ignored.is_empty()
    }

    /// What of it is no booking, as a visit of its own.
    fn aside(&self) -> Self {
        Self {
            members: self.ignored.clone(),
            ignored: Vec::new(),
            phone: self.phone.clone(),
            told_at: self.told_at,
        }
    }

    /// The person knows of none of it.
    fn make_unknown(&self, conn: &Connection) -> store::Result<()> {
        let phone = self.phone.as_ref().map_or("", Phone::e164);
        for member in &self.members {
            let create_date = cache::create_date(&member.record);
            let key = known::Key::of(&member.record, &create_date, phone);
            if !slots::is_slot(&known::get(conn, key)?.known) {
                known::forget(conn, key)?;
            }
        }
        Ok(())
    }
}

impl Settling<'_> {
    /// Deals with what of this visit is no booking. Returns what waits to be told of the rest.
    pub(super) fn leave_out_ignored(
        &self,
        visit: &Visit,
        open: Vec<Notification>,
    ) -> store::Result<Vec<Notification>> {
        if visit.ignored.is_empty() {
            return Ok(open);
        }
        let aside = visit.aside();
        let company = self.unit.company;
        let happened = Happened::read(self.tx, company, self.row.baseline_at, &aside)?;
        let waits = |n: &Notification| visit.is_ignored() && n.status != Status::Uncertain;
        let (waiting, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(waits);
        let mut filed = None;
        for notification in waiting {
            renumbered::part(self.tx, &notification, &self.unit.unit)?;
            let why = (Reason::Ignored, None);
            self.desk.suppress(self.tx, &notification, why, self.now)?;
            filed = Some(notification.id);
        }
        if let (None, Some(first), Some(kind)) = (filed, &happened.first, happened.kind()) {
            filed = Some(self.add(&New {
                kind: kind.as_str(),
                ..self.plain(first, Status::Suppressed, Some(Reason::Ignored))
            })?);
        }
        // Without a number there is nobody to call, and nobody was told.
        if let Some(id) = filed.filter(|_| aside.phone.is_some()) {
            self.desk
                .card_for_ignored(self.tx, id, &aside.expected(), self.now)?;
        }
        aside.make_unknown(self.tx)?;
        self.copy_to_owners(&aside, &happened, filed)?;
        let theirs = aside.members.iter().filter(|m| m.theirs);
        let theirs: Vec<i64> = theirs.map(|m| m.record.id).collect();
        events::settle(self.tx, company, &theirs, self.now)?;
        cache::set_settled(self.tx, company, &theirs)?;
        Ok(rest)
    }
}

impl Desk {
    /// At the moment of sending: since it was decided to tell of this, the configuration said that it
    /// is no booking.
    pub(super) fn pass_over(
        &self,
        conn: &Connection,
        n: &Notification,
        visit: &Visit,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let aside = visit.aside();
        outbox::suppress(conn, n.id, Reason::Ignored, None)?;
        self.card_for_ignored(conn, n.id, &aside.expected(), now)?;
        aside.make_unknown(conn)
    }
}
