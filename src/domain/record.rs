//! The booking as it is watched: what the journal says of one record, in our own canonical terms.
//!
//! Everything that only the API's spelling decides (strings for numbers, missing keys, three kinds
//! of dates) is gone by here; everything a message or a comparison needs is present.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use serde::{Deserialize, Serialize};

use super::phone::Phone;
use crate::domain::zone::Zone;

/// A sum of money in hundredths (kopecks), exact where the API sends floats.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    /// From the API's number of whole units, rounded to the hundredth.
    #[must_use]
    pub fn from_units(units: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "prices are far below 2^53 hundredths"
        )]
        Self((units * 100.0).round() as i64)
    }
}

impl fmt::Display for Money {
    /// `1000` or `11523,81`: whole sums without decimals, as Russians write them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, rest) = (self.0 / 100, (self.0 % 100).abs());
        if rest == 0 {
            write!(f, "{units}")
        } else {
            write!(f, "{units},{rest:02}")
        }
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        Self(iter.map(|m| m.0).sum())
    }
}

/// One line of the booking: a service, its quantity and its prices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceLine {
    /// The service's id in the company's catalogue.
    pub id: i64,
    /// Its title, as the salon wrote it.
    pub title: String,
    /// Quantity, at least 1.
    pub amount: i64,
    /// The final price of the line, for the whole quantity.
    pub cost: Money,
    /// The price before the discount; per unit or per line, the API does not say.
    pub first_cost: Money,
    /// The discount in percent, in hundredths (50 % is 5000).
    pub discount: i64,
}

/// Who performs the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Staff {
    /// 0 when the record names nobody.
    pub id: i64,
    /// Empty when unknown.
    pub name: String,
}

/// Who is booked.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    /// The client's id in the company, 0 when absent.
    pub id: i64,
    /// As the administrator typed it: often a note rather than a name.
    pub name: String,
    /// The number a message can go to.
    pub phone: Option<Phone>,
    /// What stood in the phone field when it was no valid number.
    pub refused_phone: Option<String>,
    /// Their data were erased: name and phone are not kept, and nothing is sent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("phone", &self.phone)
            .finish_non_exhaustive()
    }
}

/// The visit's state in the journal (`attendance`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attendance {
    /// 0: expected.
    #[default]
    Waiting,
    /// 2: the client said they will come.
    Confirmed,
    /// 1: they came.
    Arrived,
    /// -1: they did not.
    NoShow,
}

impl Attendance {
    /// The API's number.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Confirmed => 2,
            Self::Arrived => 1,
            Self::NoShow => -1,
        }
    }

    /// From the API's number; an unknown one is `Waiting`.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            2 => Self::Confirmed,
            1 => Self::Arrived,
            -1 => Self::NoShow,
            _ => Self::Waiting,
        }
    }
}

/// Where a booking was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// By a chat bot, which told the client itself.
    Bot,
    /// By the client, in the widget or the app.
    Online,
    /// By the salon's people: at the desk or by phone.
    Staff,
}

impl Origin {
    /// The word stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Online => "online",
            Self::Staff => "staff",
        }
    }
}

/// A YClients booking row as last seen, in canonical terms.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The company (branch) the booking belongs to.
    pub company_id: i64,
    /// The record's id. The same id with another `created_at` is another booking.
    pub id: i64,
    /// The visit that groups records of one client; 0 when the record stands alone.
    #[serde(default)]
    pub visit_id: i64,
    /// The group activity; 0 for an individual booking.
    #[serde(default)]
    pub activity_id: i64,
    /// Wall-clock start in the salon: the API's naive `date`, never its `datetime`.
    pub start_local: NaiveDateTime,
    /// Length in seconds.
    #[serde(default)]
    pub length: i64,
    /// The master.
    #[serde(default)]
    pub staff: Staff,
    /// Services in the API's order; compared as a multiset.
    #[serde(default)]
    pub services: Vec<ServiceLine>,
    /// The client, if the record names one.
    #[serde(default)]
    pub client: Option<Client>,
    /// Seats taken (group activities).
    #[serde(default)]
    pub seats: i64,
    /// Whether the client came, confirmed or is expected.
    #[serde(default)]
    pub attendance: Attendance,
    /// The journal says the booking is off.
    #[serde(default)]
    pub deleted: bool,
    /// Booked by the client in the widget or the app.
    #[serde(default)]
    pub online: bool,
    /// The user who created it; 0 for the client.
    #[serde(default)]
    pub created_user_id: i64,
    /// The administrator's comment, which may hold a bot's marker.
    #[serde(default)]
    pub comment: String,
    /// Titles of the record's labels (categories).
    #[serde(default)]
    pub labels: Vec<String>,
    /// The client's own link to the booking; empty when the API names none.
    #[serde(default)]
    pub link: String,
    /// When the booking was made (`create_date`), server time; `None` where the API sent zeros.
    pub created_at: Option<DateTime<Utc>>,
    /// `last_change_date`, server time, resolution one second.
    pub changed_at: Option<DateTime<Utc>>,
}

debug_only!(Record: company_id, id, start_local, staff, client, attendance, deleted, created_at, changed_at);

/// No booking takes longer, in seconds, whatever a row says.
const LONGEST: i64 = 366 * 86_400;

impl Record {
    /// Stands for the start of a deleted row that came without its date: the one remembered counts.
    pub const START_UNKNOWN: NaiveDateTime = DateTime::UNIX_EPOCH.naive_utc();

    /// No client and no services: a break or a blocked slot, nobody's booking.
    #[must_use]
    pub fn is_blocked_slot(&self) -> bool {
        self.client.is_none() && self.services.is_empty() && self.activity_id == 0
    }

    /// The client's id, where the row names a client with one.
    #[must_use]
    pub fn client_id(&self) -> Option<i64> {
        self.client.as_ref().map(|c| c.id).filter(|id| *id != 0)
    }

    /// It is a client's whose number is not shown: neither a number nor one that was refused.
    #[must_use]
    pub fn has_unseen_number(&self) -> bool {
        let unseen = |c: &Client| c.phone.is_none() && c.refused_phone.is_none() && !c.forgotten;
        self.client_id().is_some() && self.client.as_ref().is_some_and(unseen)
    }

    /// The number messages about this booking go to.
    #[must_use]
    pub fn phone(&self) -> Option<&Phone> {
        self.client.as_ref().and_then(|c| c.phone.as_ref())
    }

    /// Keeps nothing of the client but the id, and that they are forgotten.
    pub fn forget_client(&mut self) {
        let id = self.client.as_ref().map_or(0, |c| c.id);
        self.comment.clear();
        self.client = Some(Client {
            id,
            forgotten: true,
            ..Client::default()
        });
    }

    /// The client's data were erased.
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.client.as_ref().is_some_and(|c| c.forgotten)
    }

    /// Whether two rows of one id are the same booking: the same id with another date of making is
    /// another one. A date left out says nothing.
    #[must_use]
    pub fn is_same_booking(&self, other: &Self) -> bool {
        let dates = self.created_at.zip(other.created_at);
        dates.is_none_or(|(a, b)| a == b)
    }

    /// Not deleted.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.deleted
    }

    /// The start as an instant, in the salon's zone.
    #[must_use]
    pub fn start_at(&self, zone: Zone) -> DateTime<Utc> {
        instant(self.start_local, zone)
    }

    /// Total of the lines' final prices.
    #[must_use]
    pub fn price(&self) -> Money {
        self.services.iter().map(|s| s.cost).sum()
    }

    /// The end on the salon's clock, as the journal draws it.
    #[must_use]
    pub fn end_local(&self) -> NaiveDateTime {
        self.start_local + TimeDelta::seconds(self.length.clamp(0, LONGEST))
    }

    /// The end as an instant: the length is real time, also over a change of clocks.
    #[must_use]
    pub fn end_at(&self, zone: Zone) -> DateTime<Utc> {
        self.start_at(zone) + TimeDelta::seconds(self.length.clamp(0, LONGEST))
    }
}

/// A wall-clock time in a zone as an instant: the earlier one where the clock shows it twice, the
/// moment after the gap where it never does.
#[must_use]
pub fn instant(local: NaiveDateTime, zone: Zone) -> DateTime<Utc> {
    use chrono::LocalResult;
    match zone.from_local_datetime(&local) {
        LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => t.with_timezone(&Utc),
        LocalResult::None => {
            // No zone skips more than a few hours; read the clock as it was before the gap.
            let before = local - TimeDelta::hours(4);
            zone.from_local_datetime(&before).earliest().map_or_else(
                || local.and_utc(),
                |t| t.with_timezone(&Utc) + TimeDelta::hours(4),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn money_is_written_as_people_write_it() {
        assert_eq!(Money::from_units(1000.0).to_string(), "1000");
        assert_eq!(Money::from_units(11523.81).to_string(), "11523,81");
        assert_eq!(Money::from_units(0.1 + 0.2).to_string(), "0,30");
    }

    #[test]
    fn the_hour_that_exists_twice_is_its_first_and_the_missing_one_is_moved_on() {
        let zone = "Europe/Berlin".parse::<Zone>().unwrap();
        assert_eq!(
            instant(local("2026-10-25T02:30:00"), zone).to_rfc3339(),
            "2026-10-25T00:30:00+00:00"
        );
        assert_eq!(
            instant(local("2026-03-29T02:30:00"), zone).to_rfc3339(),
            "2026-03-29T01:30:00+00:00"
        );
        assert_eq!(
            instant(local("2026-08-21T14:30:00"), Zone::moscow()).to_rfc3339(),
            "2026-08-21T11:30:00+00:00"
        );
    }
}
