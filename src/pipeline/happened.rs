//! What happened in the journal to one visit while its delay ran.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::{slots, visit::Visit};
use crate::domain::change::{Change, ChangeKind, Field};
use crate::domain::policy::Kind;
use crate::domain::record::{Attendance, Record};
use crate::store::{self, events};

/// What happened in the journal since a visit was last settled.
#[derive(Default)]
pub(super) struct Happened {
    pub(super) changes: Vec<Change>,
    /// The journal's time of what made it tellable: the creation, or the last change.
    pub(super) tellable_at: Option<DateTime<Utc>>,
    pub(super) first: Option<Record>,
    last_event: Option<String>,
}

impl Happened {
    /// What happened in the journal since this visit was last settled, record by record.
    pub(super) fn read(
        conn: &Connection,
        company: i64,
        baseline_at: Option<DateTime<Utc>>,
        visit: &Visit,
    ) -> store::Result<Self> {
        let mut happened = Self::default();
        for member in visit.members.iter().filter(|m| m.theirs) {
            let Some(before) = events::state_before_open(conn, company, member.record.id)? else {
                continue;
            };
            let kind = events::last_open_type(conn, company, member.record.id)?;
            happened.last_event = kind.or(happened.last_event);
            // What was there before we were became tellable by a change, not by its creation.
            let created = member
                .record
                .created_at
                .filter(|at| Some(*at) >= baseline_at);
            let was_slot = || slots::was_slot(conn, &member.record);
            happened.tellable_at = happened.tellable_at.max(match &before {
                // Blocked long before somebody was booked there.
                None if was_slot()? => member.record.changed_at,
                None => created.or(member.record.changed_at),
                Some(before) if came_to_light(before, &member.record) => {
                    events::open_since(conn, company, member.record.id)?
                }
                Some(_) => member.record.changed_at,
            });
            happened.first = happened.first.or_else(|| Some(member.record.clone()));
            if let Some(change) = Change::between(before.as_ref(), Some(&member.record)) {
                happened.changes.push(change);
            }
        }
        Ok(happened)
    }

    /// Whether the journal says of it since that the client came, or did not.
    pub(super) fn is_about_attendance(&self) -> bool {
        let says = |r: &Record| matches!(r.attendance, Attendance::Arrived | Attendance::NoShow);
        let of = |c: &Change| {
            c.after().is_some_and(says)
                && (c.fields().contains(&Field::Attendance) || c.kind() == ChangeKind::Created)
        };
        self.changes.iter().any(of)
    }

    /// The kind that a silence about it is filed under.
    pub(super) fn kind(&self) -> Option<Kind> {
        let net = self.changes.first().map(|c| match c.kind() {
            ChangeKind::Created => Kind::Created,
            ChangeKind::Updated => Kind::Updated,
            ChangeKind::Deleted => Kind::Cancelled,
        });
        net.or(match self.last_event.as_deref() {
            Some("record.created") => Some(Kind::Created),
            Some("record.deleted") => Some(Kind::Cancelled),
            Some(_) => Some(Kind::Updated),
            None => None,
        })
    }
}

/// The number was hidden and is shown now: the journal dates nothing, so it counts from our seeing it.
fn came_to_light(before: &Record, now: &Record) -> bool {
    before.phone().is_none() && now.phone().is_some() && before.changed_at == now.changed_at
}
