//! A change is a pair of states of one booking. Created, updated and deleted are read off it,
//! never asserted: there is no other constructor than [`Change::between`].

use serde::{Deserialize, Serialize};

use super::record::{Record, ServiceLine};

/// What may differ between two states of one booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Start, wall clock.
    Start,
    /// The master's id.
    Staff,
    /// Services as a multiset of (id, amount).
    Services,
    /// The total price.
    Price,
    /// Length in seconds.
    Duration,
    /// The client's id or phone.
    Client,
    /// Whether the client came.
    Attendance,
    /// The comment: recorded, never told.
    Comment,
    /// The labels: recorded, never told.
    Labels,
}

/// Which side of the pair is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there, or was off, and is there now.
    Created,
    /// It is there on both sides.
    Updated,
    /// It was there and is off.
    Deleted,
}

impl ChangeKind {
    /// `record.created`, `record.updated`, `record.deleted`.
    #[must_use]
    pub fn event_type(self) -> &'static str {
        match self {
            Self::Created => "record.created",
            Self::Updated => "record.updated",
            Self::Deleted => "record.deleted",
        }
    }

    /// The webhook's word: `create`, `update`, `delete`.
    #[must_use]
    pub fn status(self) -> &'static str {
        match self {
            Self::Created => "create",
            Self::Updated => "update",
            Self::Deleted => "delete",
        }
    }
}

/// Two states of one booking that differ in something watched.
///
/// A deleted record counts as absent for the kind, but its data stays at hand.
#[derive(Clone, Debug)]
pub struct Change {
    before: Option<Record>,
    after: Option<Record>,
    fields: Vec<Field>,
}

impl Change {
    /// What happened between two states, or `None` when nothing watched differs.
    #[must_use]
    pub fn between(before: Option<&Record>, after: Option<&Record>) -> Option<Self> {
        let alive = |r: Option<&Record>| r.is_some_and(Record::is_alive);
        // What a dead state held is no old value of anything.
        let fields = match (before, after) {
            (Some(b), Some(a)) if b.is_alive() && a.is_alive() => differing(b, a),
            _ => Vec::new(),
        };
        let differs = match (alive(before), alive(after)) {
            (false, false) => false,
            (true, true) => !fields.is_empty(),
            _ => true,
        };
        differs.then(|| Self {
            before: before.cloned(),
            after: after.cloned(),
            fields,
        })
    }

    /// One change in place of two that follow each other: from the first's before to the second's
    /// after. `None` when they undo each other.
    #[must_use]
    pub fn coalesce(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (None, one) | (one, None) => one,
            (Some(first), Some(second)) => {
                Self::between(first.before.as_ref(), second.after.as_ref())
            }
        }
    }

    /// Created, updated or deleted, by which side is alive.
    #[must_use]
    pub fn kind(&self) -> ChangeKind {
        let alive = |r: &Option<Record>| r.as_ref().is_some_and(Record::is_alive);
        match (alive(&self.before), alive(&self.after)) {
            (true, true) => ChangeKind::Updated,
            (true, false) => ChangeKind::Deleted,
            (false, _) => ChangeKind::Created,
        }
    }

    /// The state before, if there was one.
    #[must_use]
    pub fn before(&self) -> Option<&Record> {
        self.before.as_ref()
    }

    /// The state after, if there is one.
    #[must_use]
    pub fn after(&self) -> Option<&Record> {
        self.after.as_ref()
    }

    /// What differs, where both sides stand.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

/// The watched fields in which two states differ, in the order of [`Field`].
#[must_use]
pub fn differing(a: &Record, b: &Record) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut note = |differs: bool, field| {
        if differs {
            fields.push(field);
        }
    };
    note(a.start_local != b.start_local, Field::Start);
    note(a.staff.id != b.staff.id, Field::Staff);
    note(
        multiset(&a.services) != multiset(&b.services),
        Field::Services,
    );
    note(a.price() != b.price(), Field::Price);
    note(a.length != b.length, Field::Duration);
    note(identity(a) != identity(b), Field::Client);
    note(a.attendance != b.attendance, Field::Attendance);
    note(a.comment != b.comment, Field::Comment);
    note(sorted(&a.labels) != sorted(&b.labels), Field::Labels);
    fields
}

/// Services without their order, which the API changes from call to call.
fn multiset(services: &[ServiceLine]) -> Vec<(i64, i64)> {
    let mut lines: Vec<_> = services.iter().map(|s| (s.id, s.amount)).collect();
    lines.sort_unstable();
    lines
}

fn identity(record: &Record) -> Option<(i64, Option<&str>)> {
    record
        .client
        .as_ref()
        .map(|c| (c.id, c.phone.as_ref().map(|p| p.e164())))
}

fn sorted(labels: &[String]) -> Vec<&String> {
    let mut labels: Vec<_> = labels.iter().collect();
    labels.sort_unstable();
    labels
}
