//! The net change of one visit for one person: what they know against what is true now.
//!
//! Create and cancel inside the delay vanish, A -> B -> A vanishes, five moves are one, with no
//! table of cases: a message is `between(known, current)`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::change::{Field, differing};
use super::known::{Knowledge, Known};
use super::policy::{Kind, Rules};
use super::record::Record;

/// One record of a visit, as one person stands to it.
#[derive(Clone, Debug)]
pub struct Member {
    /// What the person may be assumed to know.
    pub known: Known,
    /// The record as it is in the journal, whoever it belongs to now.
    pub record: Record,
    /// It is this person's: its phone is theirs.
    pub theirs: bool,
    /// It was made through a bot.
    pub by_bot: bool,
}

impl Member {
    /// The booking stands and is this person's.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.theirs && self.record.is_alive()
    }

    /// What the person knows once they have been told.
    #[must_use]
    pub fn told(&self) -> Knowledge {
        if self.is_alive() {
            Knowledge::of(&self.record)
        } else {
            let last = self.known.states().iter().rev().find_map(Knowledge::record);
            let mut last = last.unwrap_or(&self.record).clone();
            last.deleted = true;
            Knowledge::Cancelled(Box::new(last))
        }
    }

    /// The person already knows it as it is; what is never told does not count.
    #[must_use]
    pub fn is_as_known(&self) -> bool {
        match self.known.single() {
            Some(Knowledge::Booked(known)) => {
                let never_told = |f: &Field| matches!(f, Field::Comment | Field::Labels);
                self.is_alive() && differing(known, &self.record).iter().all(never_told)
            }
            Some(Knowledge::Nothing | Knowledge::Cancelled(_)) => !self.is_alive(),
            Some(Knowledge::Unseen) | None => false,
        }
    }

    /// What the person expects: the booking as they know it.
    #[must_use]
    pub fn expected(&self) -> Option<Record> {
        self.believes().then(|| last_known(self))
    }

    fn believes(&self) -> bool {
        self.known.states().iter().any(Knowledge::is_alive)
    }
}

/// The form a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A new booking.
    Created,
    /// A change, with old and new.
    Updated,
    /// A change whose old state is unknown: the whole present one is stated.
    Restated,
    /// A booking that is on again.
    Restored,
    /// A booking that is off.
    Cancelled,
}

impl Form {
    /// The kind that switches and statistics know.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Created => Kind::Created,
            Self::Updated | Self::Restated | Self::Restored => Kind::Updated,
            Self::Cancelled => Kind::Cancelled,
        }
    }

    /// It states the booking as it stands, without old values.
    #[must_use]
    pub fn states_whole(self) -> bool {
        matches!(self, Self::Created | Self::Restated | Self::Restored)
    }
}

/// What is to be told of a visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Net {
    /// In which form.
    pub form: Form,
    /// The states the person knew, where they are certain, by record.
    pub before: Vec<Record>,
    /// The visit's records as they are now (as they were, when cancelled), in order of time.
    pub now: Vec<Record>,
    /// What differs.
    pub fields: Vec<Field>,
}

/// What happened to one record of the visit.
enum Part {
    Nothing,
    Created,
    Restored,
    Changed(Vec<Field>),
    Restated,
    Gone,
}

/// The net change of a visit, or `None` when the person knows what there is to know.
#[must_use]
pub fn net(members: &[Member], rules: &Rules) -> Option<Net> {
    let parts: Vec<(&Member, Part)> = members.iter().map(|m| (m, part(m, rules))).collect();
    if parts.iter().all(|(_, p)| matches!(p, Part::Nothing)) {
        return None;
    }
    let alive: Vec<&Member> = in_order(members.iter().filter(|m| m.is_alive()));
    if alive.is_empty() {
        let gone = in_order(
            parts
                .iter()
                .filter(|(_, p)| matches!(p, Part::Gone))
                .map(|(m, _)| *m),
        );
        let was: Vec<Record> = gone.iter().map(|m| last_known(m)).collect();
        return Some(Net {
            form: Form::Cancelled,
            before: was.clone(),
            now: was,
            fields: Vec::new(),
        });
    }
    let believed = members.iter().any(Member::believes);
    let form = if !believed {
        let restored = parts.iter().any(|(_, p)| matches!(p, Part::Restored));
        if restored {
            Form::Restored
        } else {
            Form::Created
        }
    } else if parts.iter().any(|(_, p)| matches!(p, Part::Restated)) {
        Form::Restated
    } else {
        Form::Updated
    };
    let mut fields: Vec<Field> = parts
        .iter()
        .flat_map(|(_, p)| match p {
            Part::Changed(fields) => fields.clone(),
            // A record that joined or left a known visit changes what is done there.
            Part::Created | Part::Restored | Part::Gone => vec![Field::Services],
            Part::Nothing | Part::Restated => Vec::new(),
        })
        .collect();
    fields.sort_unstable();
    fields.dedup();
    let before = if form == Form::Updated {
        in_order(members.iter().filter(|m| m.believes()))
            .into_iter()
            .map(last_known)
            .collect()
    } else {
        Vec::new()
    };
    Some(Net {
        form,
        before,
        now: alive.into_iter().map(|m| m.record.clone()).collect(),
        fields,
    })
}

fn in_order<'a>(members: impl Iterator<Item = &'a Member>) -> Vec<&'a Member> {
    let mut members: Vec<_> = members.collect();
    members.sort_by_key(|m| (m.record.start_local, m.record.id));
    members
}

fn last_known(member: &Member) -> Record {
    member
        .known
        .states()
        .iter()
        .rev()
        .find_map(Knowledge::record)
        .unwrap_or(&member.record)
        .clone()
}

fn part(member: &Member, rules: &Rules) -> Part {
    let Some(known) = member.known.single() else {
        return uncertain_part(member, rules);
    };
    match (known, member.is_alive()) {
        (Knowledge::Nothing, true) => Part::Created,
        (Knowledge::Cancelled(_), true) => Part::Restored,
        (Knowledge::Unseen, true) => Part::Restated,
        (Knowledge::Booked(known), true) => match told_fields(known, &member.record, rules) {
            fields if fields.is_empty() => Part::Nothing,
            fields => Part::Changed(fields),
        },
        (Knowledge::Booked(_) | Knowledge::Unseen, false) => Part::Gone,
        (Knowledge::Nothing | Knowledge::Cancelled(_), false) => Part::Nothing,
    }
}

/// After an uncertain send: silence only if the present equals everything the person may believe.
fn uncertain_part(member: &Member, rules: &Rules) -> Part {
    let agrees = |known: &Knowledge| match known {
        Knowledge::Booked(known) => {
            member.is_alive() && told_fields(known, &member.record, rules).is_empty()
        }
        Knowledge::Nothing | Knowledge::Cancelled(_) => !member.is_alive(),
        Knowledge::Unseen => false,
    };
    if member.known.states().iter().all(agrees) {
        Part::Nothing
    } else if member.is_alive() {
        Part::Restated
    } else {
        Part::Gone
    }
}

/// The differences between two states that this company wants told.
#[must_use]
pub fn told_fields(known: &Record, now: &Record, rules: &Rules) -> Vec<Field> {
    let mut fields = differing(known, now);
    fields.retain(|f| rules.updated_fields.contains(f));
    if fields == [Field::Start] && is_small_shift(known, now, rules.min_shift) {
        fields.clear();
    }
    // A price that became zero alone says nothing a client could use.
    if fields == [Field::Price] && now.price().0 == 0 {
        fields.clear();
    }
    fields
}

/// Whether only a move smaller than `min_shift` keeps these two apart: not told, and not taken as
/// known either, so that small moves add up.
#[must_use]
pub fn is_small_shift(known: &Record, now: &Record, min_shift: Duration) -> bool {
    let shift = (now.start_local - known.start_local).abs();
    shift
        .to_std()
        .is_ok_and(|shift| !shift.is_zero() && shift < min_shift)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDateTime, Utc};

    use super::*;
    use crate::domain::record::{ServiceLine, Staff};

    fn record(id: i64, start: &str) -> Record {
        let at: DateTime<Utc> = "2026-08-01T09:00:00Z".parse().unwrap();
        Record {
            company_id: 1,
            id,
            visit_id: 7,
            activity_id: 0,
            start_local: start.parse::<NaiveDateTime>().unwrap(),
            length: 3600,
            staff: Staff {
                id: 5,
                name: "Бари".into(),
            },
            services: vec![ServiceLine {
                id: 9,
                title: "Стрижка".into(),
                amount: 1,
                ..Default::default()
            }],
            client: None,
            seats: 1,
            attendance: Default::default(),
            deleted: false,
            online: false,
            created_user_id: 0,
            comment: String::new(),
            labels: Vec::new(),
            link: String::new(),
            created_at: Some(at),
            changed_at: Some(at),
        }
    }

    fn member(known: Knowledge, record: Record) -> Member {
        Member {
            known: Known::certain(known),
            record,
            theirs: true,
            by_bot: false,
        }
    }

    fn form(members: &[Member]) -> Option<Form> {
        net(members, &Rules::default()).map(|n| n.form)
    }

    #[test]
    fn what_was_made_and_dropped_before_anybody_heard_of_it_is_nothing() {
        let gone = Record {
            deleted: true,
            ..record(1, "2026-08-21T14:30:00")
        };
        assert_eq!(form(&[member(Knowledge::Nothing, gone)]), None);
    }

    #[test]
    fn there_and_back_is_nothing_and_there_is_one_message() {
        let a = record(1, "2026-08-21T14:30:00");
        let b = record(1, "2026-08-22T16:00:00");
        assert_eq!(form(&[member(Knowledge::of(&a), a.clone())]), None);
        let net = net(&[member(Knowledge::of(&a), b.clone())], &Rules::default()).unwrap();
        assert_eq!((net.form, net.fields), (Form::Updated, vec![Field::Start]));
        assert_eq!((net.before, net.now), (vec![a], vec![b]));
    }

    #[test]
    fn a_visit_is_cancelled_only_when_nothing_of_it_stands() {
        let a = record(1, "2026-08-21T14:30:00");
        let b = record(2, "2026-08-21T15:30:00");
        let gone = |r: &Record| Record {
            deleted: true,
            ..r.clone()
        };
        let one_left = [
            member(Knowledge::of(&a), gone(&a)),
            member(Knowledge::of(&b), b.clone()),
        ];
        assert_eq!(form(&one_left), Some(Form::Updated));
        let none_left = [
            member(Knowledge::of(&a), gone(&a)),
            member(Knowledge::of(&b), gone(&b)),
        ];
        assert_eq!(form(&none_left), Some(Form::Cancelled));
    }

    #[test]
    fn what_was_told_to_be_off_and_stands_is_restored() {
        let a = record(1, "2026-08-21T14:30:00");
        let off = Knowledge::Cancelled(Box::new(Record {
            deleted: true,
            ..a.clone()
        }));
        assert_eq!(form(&[member(off, a)]), Some(Form::Restored));
    }

    #[test]
    fn after_an_uncertain_confirmation_a_change_restates_and_a_cancellation_cancels() {
        let a = record(1, "2026-08-21T14:30:00");
        let b = record(1, "2026-08-22T16:00:00");
        let maybe = Known::certain(Knowledge::Nothing).or(Knowledge::of(&a));
        let with = |record: Record| Member {
            known: maybe.clone(),
            record,
            theirs: true,
            by_bot: false,
        };
        assert_eq!(form(&[with(b)]), Some(Form::Restated));
        assert_eq!(
            form(&[with(Record { deleted: true, ..a })]),
            Some(Form::Cancelled)
        );
    }

    #[test]
    fn an_uncertain_message_of_the_present_state_is_silent_only_when_both_beliefs_agree() {
        let a = record(1, "2026-08-21T14:30:00");
        let b = record(1, "2026-08-22T16:00:00");
        let known = Known::certain(Knowledge::of(&a)).or(Knowledge::of(&b));
        let moved = Member {
            known: known.clone(),
            record: b,
            theirs: true,
            by_bot: false,
        };
        assert_eq!(form(&[moved]), Some(Form::Restated));
        let same = Known::certain(Knowledge::of(&a)).or(Knowledge::of(&Record {
            comment: "x".into(),
            ..a.clone()
        }));
        assert_eq!(
            form(&[Member {
                known: same,
                record: a,
                theirs: true,
                by_bot: false
            }]),
            None
        );
    }

    #[test]
    fn small_moves_are_passed_over_until_they_add_up() {
        let rules = Rules {
            min_shift: Duration::from_mins(15),
            ..Rules::default()
        };
        let a = record(1, "2026-08-21T14:30:00");
        let near = record(1, "2026-08-21T14:40:00");
        let far = record(1, "2026-08-21T14:45:00");
        assert_eq!(net(&[member(Knowledge::of(&a), near)], &rules), None);
        assert!(net(&[member(Knowledge::of(&a), far)], &rules).is_some());
    }
}
