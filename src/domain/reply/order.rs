//! A change of a booking that its client asked for: what is looked at before anything is written, and
//! how it is known to be done. A booking is written only for the person whose number stands in it.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::phone::Phone;
use crate::domain::record::{Attendance, Record};
use crate::domain::zone::Zone;

/// What is to become of the booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Its client comes: attendance 2.
    Confirm,
    /// It is taken off.
    Cancel,
}

impl Act {
    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Confirm, Self::Cancel]
            .into_iter()
            .find(|act| act.as_str() == word)
    }
}

/// The booking that was meant, as its client knew it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meant {
    /// The record's id.
    pub record: i64,
    /// When it was made: the same id with another date is another booking.
    pub created_at: Option<DateTime<Utc>>,
    /// When it began.
    pub start_local: NaiveDateTime,
}

impl Meant {
    /// This booking, as it stands.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            record: record.id,
            created_at: record.created_at,
            start_local: record.start_local,
        }
    }
}

/// One booking of an order, and how far it came: of a visit one may be off while another stands, so
/// what was asked of each is kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The booking.
    #[serde(flatten)]
    pub meant: Meant,
    /// When the first request about it may have left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<DateTime<Utc>>,
    /// Why it was not written, once the order ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<Obstacle>,
}

impl From<Meant> for Part {
    fn from(meant: Meant) -> Self {
        Self {
            meant,
            began_at: None,
            obstacle: None,
        }
    }
}

/// Why a booking is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// It is another person's, or another booking.
    NotTheirs,
    /// Whose it is cannot be seen.
    Unseen,
    /// It was moved since.
    Moved,
    /// It is off already.
    Off,
    /// It has begun, or its client came.
    Begun,
    /// The journal said no.
    Refused,
    /// The journal could not be asked in time.
    Unreachable,
    /// The journal did not answer, and nobody knows what it did.
    Unknown,
    /// Writing was switched off meanwhile.
    Forbidden,
    /// The visit is so near by now that its cancellation is the owner's.
    Near,
}

impl Obstacle {
    const ALL: [Self; 10] = [
        Self::NotTheirs,
        Self::Unseen,
        Self::Moved,
        Self::Off,
        Self::Begun,
        Self::Refused,
        Self::Unreachable,
        Self::Unknown,
        Self::Forbidden,
        Self::Near,
    ];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotTheirs => "not_theirs",
            Self::Unseen => "unseen",
            Self::Moved => "moved",
            Self::Off => "off",
            Self::Begun => "begun",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Unknown => "unknown",
            Self::Forbidden => "forbidden",
            Self::Near => "near",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.as_str() == word)
    }

    /// What it means for one booking: a journal that does not answer leaves unknown what was begun.
    #[must_use]
    pub fn of_part(self, began: bool) -> Self {
        match (self, began) {
            (Self::Unreachable, true) => Self::Unknown,
            (Self::Unknown, false) => Self::Unreachable,
            (why, _) => why,
        }
    }
}

/// What a look at the journal says of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is as was asked.
    Done,
    /// It may be written now.
    Ready,
    /// It is not to be written.
    Barred(Obstacle),
}

/// How one booking of an order stands, by what the journal says now; `found` is `None` where it knows
/// no such record. Before anything of ours left (`began`), that it is gone proves nothing: it may only
/// be hidden.
#[must_use]
pub fn judge(
    act: Act,
    meant: &Meant,
    phone: &Phone,
    found: Option<&Record>,
    began: bool,
    (zone, now): (Zone, DateTime<Utc>),
) -> Standing {
    let gone = match act {
        Act::Cancel if began => Standing::Done,
        Act::Cancel | Act::Confirm => Standing::Barred(Obstacle::Off),
    };
    let Some(found) = found else {
        return gone;
    };
    let same = found
        .created_at
        .zip(meant.created_at)
        .is_none_or(|(a, b)| a == b);
    if !same {
        return Standing::Barred(Obstacle::NotTheirs);
    }
    if found.deleted {
        // What is off may lack its client.
        return gone;
    }
    match found.phone() {
        Some(theirs) if theirs == phone => {}
        Some(_) => return Standing::Barred(Obstacle::NotTheirs),
        None if found.has_unseen_number() => return Standing::Barred(Obstacle::Unseen),
        None => return Standing::Barred(Obstacle::NotTheirs),
    }
    if found.start_local != meant.start_local {
        return Standing::Barred(Obstacle::Moved);
    }
    if found.start_at(zone) <= now {
        return Standing::Barred(Obstacle::Begun);
    }
    match (act, found.attendance) {
        (_, Attendance::Arrived | Attendance::NoShow) => Standing::Barred(Obstacle::Begun),
        (Act::Confirm, Attendance::Confirmed) => Standing::Done,
        (Act::Confirm | Act::Cancel, Attendance::Waiting | Attendance::Confirmed) => {
            Standing::Ready
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Client;

    #[test]
    fn an_obstacle_is_stored_under_one_word_wherever_it_is() {
        for obstacle in Obstacle::ALL {
            let json = serde_json::to_value(obstacle).unwrap();
            assert_eq!(json, obstacle.as_str());
        }
    }

    const NOW: &str = "2026-08-20T09:00:00Z";

    fn record(phone: &str) -> Record {
        let json = serde_json::json!({
            "company_id": 1, "id": 7, "start_local": "2026-08-21T14:30:00",
            "created_at": "2026-08-01T00:00:00Z", "changed_at": null,
        });
        let mut record: Record = serde_json::from_value(json).unwrap();
        record.client = Some(Client {
            id: 9,
            phone: Phone::parse(phone, "RU").ok(),
            ..Client::default()
        });
        record
    }

    fn judged(act: Act, found: Option<&Record>, began: bool) -> Standing {
        let meant = Meant::of(&record("+79000000001"));
        let phone = Phone::parse("+79000000001", "RU").unwrap();
        let around = (Zone::moscow(), NOW.parse().unwrap());
        judge(act, &meant, &phone, found, began, around)
    }

    #[test]
    fn only_the_booking_that_was_meant_is_written() {
        let theirs = record("+79000000001");
        assert_eq!(judged(Act::Cancel, Some(&theirs), false), Standing::Ready);
        let change = |change: fn(&mut Record)| {
            let mut record = theirs.clone();
            change(&mut record);
            judged(Act::Cancel, Some(&record), false)
        };
        let barred = |obstacle| Standing::Barred(obstacle);
        assert_eq!(
            judged(Act::Cancel, Some(&record("+79000000002")), false),
            barred(Obstacle::NotTheirs)
        );
        assert_eq!(
            change(|r| r.created_at = Some("2026-08-02T00:00:00Z".parse().unwrap())),
            barred(Obstacle::NotTheirs)
        );
        assert_eq!(
            change(|r| r.start_local += chrono::TimeDelta::hours(1)),
            barred(Obstacle::Moved)
        );
        assert_eq!(
            change(|r| r.attendance = Attendance::Arrived),
            barred(Obstacle::Begun)
        );
        assert_eq!(change(|r| r.deleted = true), barred(Obstacle::Off));
        assert_eq!(
            change(|r| r.client.as_mut().unwrap().phone = None),
            barred(Obstacle::Unseen)
        );
        assert_eq!(change(|r| r.client = None), barred(Obstacle::NotTheirs));
    }

    #[test]
    fn that_a_booking_is_gone_is_our_doing_only_after_we_asked_for_it() {
        assert_eq!(
            judged(Act::Cancel, None, false),
            Standing::Barred(Obstacle::Off)
        );
        assert_eq!(judged(Act::Cancel, None, true), Standing::Done);
        assert_eq!(
            judged(Act::Confirm, None, true),
            Standing::Barred(Obstacle::Off)
        );
    }

    #[test]
    fn a_confirmed_booking_is_confirmed() {
        let mut theirs = record("+79000000001");
        theirs.attendance = Attendance::Confirmed;
        assert_eq!(judged(Act::Confirm, Some(&theirs), false), Standing::Done);
        assert_eq!(judged(Act::Cancel, Some(&theirs), false), Standing::Ready);
    }
}
