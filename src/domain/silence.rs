//! Whether a message goes: the reasons not to, in the order in which they are asked for.

use chrono::{DateTime, Utc};

use super::phone::Phone;
use super::policy::{Kind, Reason, Rules};
use super::record::{Origin, Record};
use super::settle::Net;
use crate::domain::zone::Zone;

/// What stands around a message when it is decided whether to send it.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The present moment.
    pub now: DateTime<Utc>,
    /// The company's zone.
    pub zone: Zone,
    /// The change in the journal that made it tellable.
    pub changed_at: DateTime<Utc>,
    /// Whose visit it is, when there is a number.
    pub phone: Option<&'a Phone>,
    /// The person asked for silence.
    pub opted_out: bool,
    /// When the person last wrote to the company.
    pub wrote_at: Option<DateTime<Utc>>,
    /// Some channel of the company can address the person.
    pub addressable: bool,
    /// A bot made the visit's bookings.
    pub by_bot: bool,
    /// The comment of one of them asks for silence, as it reads now.
    pub quiet: bool,
}

/// The reason not to tell this, or `None` when it goes.
#[must_use]
pub fn silence(net: &Net, rules: &Rules, around: Circumstances<'_>) -> Option<Reason> {
    let kind = net.form.kind();
    let records = &net.now;
    let any = |test: &dyn Fn(&Record) -> bool| records.iter().any(test);
    if around.phone.is_none() {
        return Some(without_number(records));
    }
    if around.by_bot && rules.bot_silences.contains(&kind) {
        return Some(Reason::CreatedByBot);
    }
    if !rules.kinds.contains(&kind) {
        return Some(Reason::Disabled);
    }
    let wanted = |r: &Record| {
        let origin = if r.online {
            Origin::Online
        } else {
            Origin::Staff
        };
        rules.created_from.contains(&origin)
    };
    if kind == Kind::Created && !around.by_bot && !any(&wanted) {
        return Some(Reason::Origin);
    }
    if around.quiet {
        return Some(Reason::QuietMarker);
    }
    if kind == Kind::Created && !starts_in_the_past(records, around) {
        let age = (around.now - around.changed_at).to_std();
        if age.is_ok_and(|age| age > rules.stale_after) {
            return Some(Reason::Stale);
        }
    }
    let talking = around.wrote_at.is_some_and(|at| {
        (around.now - at)
            .to_std()
            .unwrap_or_default()
            .lt(&rules.recent_activity)
    });
    if kind == Kind::Created && talking {
        return Some(Reason::RecentActivity);
    }
    barred(records, rules, around)
}

/// The reason not to tell what a clock brings, and no change: a reminder of these records, or what
/// they leave behind.
#[must_use]
pub fn untimely(
    kind: Kind,
    records: &[Record],
    rules: &Rules,
    around: Circumstances<'_>,
) -> Option<Reason> {
    if around.phone.is_none() {
        return Some(without_number(records));
    }
    if !rules.tells(kind) {
        return Some(Reason::Disabled);
    }
    if around.quiet {
        return Some(Reason::QuietMarker);
    }
    if kind == Kind::Reminder {
        return barred(records, rules, around);
    }
    let start = records.iter().map(|r| r.start_at(around.zone)).min();
    let age = start.and_then(|start| (around.now - start).to_std().ok());
    if age.is_some_and(|age| age > rules.stale_after) {
        return Some(Reason::Stale);
    }
    unreachable(rules, around)
}

/// Why there is no number to write to.
fn without_number(records: &[Record]) -> Reason {
    if records.iter().any(Record::is_forgotten) {
        Reason::Forgotten
    } else if records.iter().all(|r| r.client.is_none()) {
        Reason::NoClient
    } else {
        Reason::NoPhone
    }
}

fn starts_in_the_past(records: &[Record], around: Circumstances<'_>) -> bool {
    records
        .iter()
        .all(|r| r.start_at(around.zone) <= around.now)
}

/// The reasons that hold for any message about these records, whatever it says.
#[must_use]
pub fn barred(records: &[Record], rules: &Rules, around: Circumstances<'_>) -> Option<Reason> {
    if around.phone.is_some() && starts_in_the_past(records, around) {
        return Some(Reason::Past);
    }
    unreachable(rules, around)
}

/// Whether this person is not written to, whatever there is to say.
fn unreachable(rules: &Rules, around: Circumstances<'_>) -> Option<Reason> {
    let Some(phone) = around.phone else {
        return Some(Reason::NoPhone);
    };
    if !rules.writes_to(phone) {
        return Some(Reason::TestMode);
    }
    if around.opted_out {
        return Some(Reason::OptedOut);
    }
    (!around.addressable).then_some(Reason::NoChannel)
}
