//! What a company wants told, and every reason not to tell: named, stored, explainable.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::change::Field;
use super::phone::Phone;
use super::record::{Attendance, Origin, Record};
use super::reminder::Lead;

/// What a message to a person is about. The words are stored in `booking_notifications.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A booking the client does not know of.
    Created,
    /// A booking that became another, or came back.
    Updated,
    /// A booking that is off.
    Cancelled,
    /// A visit that the client did not come to.
    NoShow,
    /// A visit that is over, and was one.
    Visited,
    /// A visit that is near.
    Reminder,
}

impl Kind {
    /// What a change in the journal may become: what a bot may tell itself, and the guard may hold.
    pub const NEWS: [Self; 3] = [Self::Created, Self::Updated, Self::Cancelled];

    /// What a visit leaves behind once it is over.
    pub const AFTERMATH: [Self; 2] = [Self::NoShow, Self::Visited];

    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Updated,
        Self::Cancelled,
        Self::NoShow,
        Self::Visited,
        Self::Reminder,
    ];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no_show",
            Self::Visited => "visited",
            Self::Reminder => "reminder",
        }
    }

    /// From the stored word; `None` for what tells a client of no booking: cards, alerts, answers.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What the journal's "did not come" (`attendance` -1) stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinusOne {
    /// The client did not come.
    NoShow,
    /// The booking is off: so salons that strike a booking out instead of deleting it.
    Cancelled,
}

/// What is done with a send whose outcome nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUncertain {
    /// Leave it and tell the owner: most such sends did arrive.
    Hold,
    /// Send it again.
    Resend,
}

/// The clock rules of one company's polls and messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Between two polls; of a company that leaves it to the program, what the budget allows on
    /// average.
    pub interval: Duration,
    /// The interval is left to the program: open and busy salons are polled more often.
    pub auto: bool,
    /// Quiet time after the last change before it is told.
    pub notification_delay: Duration,
    /// Never wait longer than this after the first change.
    pub max_delay: Duration,
    /// Between two full comparisons of the horizon.
    pub sweep_interval: Duration,
    /// How many days ahead bookings are watched.
    pub horizon_days: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            interval: Duration::from_mins(1),
            auto: false,
            notification_delay: Duration::from_secs(30),
            max_delay: Duration::from_mins(5),
            sweep_interval: Duration::from_mins(15),
            horizon_days: 180,
        }
    }
}

/// Columns and rows of the journal that are no bookings: a waiting list, a reserve, a training model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ignore {
    /// Masters who are none.
    pub staff: Vec<i64>,
    /// Services that are none; a row with any other service beside them is a booking.
    pub services: Vec<i64>,
    /// Numbers that are nobody's.
    pub phones: Vec<Phone>,
    /// Titles of labels, exact.
    pub labels: Vec<String>,
}

impl Ignore {
    /// Nothing is ignored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.staff.is_empty()
            && self.services.is_empty()
            && self.phones.is_empty()
            && self.labels.is_empty()
    }

    /// Whether this row is no booking.
    #[must_use]
    pub fn covers(&self, record: &Record) -> bool {
        let services = &record.services;
        let all_ignored = services.iter().all(|s| self.services.contains(&s.id));
        self.staff.contains(&record.staff.id)
            || (!services.is_empty() && all_ignored)
            || record.phone().is_some_and(|p| self.phones.contains(p))
            || record.labels.iter().any(|l| self.labels.contains(l))
    }
}

/// What one company wants told, to whom, and what is passed over in silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Kinds that clients get.
    pub kinds: Vec<Kind>,
    /// Fields whose change is an `updated`; the others move what is known in silence.
    pub updated_fields: Vec<Field>,
    /// Whose new bookings get a `created`.
    pub created_from: Vec<Origin>,
    /// Texts in a comment that mean: booked through a bot.
    pub bot_markers: Vec<String>,
    /// Users whose bookings are a bot's.
    pub bot_user_ids: Vec<i64>,
    /// What a bot's booking silences.
    pub bot_silences: Vec<Kind>,
    /// Texts in a comment that silence the booking.
    pub quiet_markers: Vec<String>,
    /// What in the journal is no booking.
    pub ignore: Ignore,
    /// Moves smaller than this are not told (yet).
    pub min_shift: Duration,
    /// A `created` older than this is not sent.
    pub stale_after: Duration,
    /// When not empty: nobody else is written to.
    pub only_phones: Vec<Phone>,
    /// Nobody is written to.
    pub dry_run: bool,
    /// The share of known future bookings, in percent, that may vanish at once.
    pub missing_limit: f64,
    /// What is done with a send whose outcome nobody can tell.
    pub on_uncertain: OnUncertain,
    /// No `created` to a client who wrote to us within this time; zero: it does not matter.
    pub recent_activity: Duration,
    /// Messages about bookings that one client gets in any hour; 0: as many as there are.
    pub per_client_per_hour: u32,
    /// When clients are reminded of a visit.
    pub reminders: Vec<Lead>,
    /// What "did not come" stands for.
    pub attendance_minus_one: MinusOne,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            kinds: vec![Kind::Created, Kind::Updated, Kind::Cancelled],
            updated_fields: vec![Field::Start, Field::Staff, Field::Services],
            created_from: vec![Origin::Staff, Origin::Online],
            bot_markers: vec!["AI Admin".into(), "WhatsApp".into()],
            bot_user_ids: Vec::new(),
            bot_silences: vec![Kind::Created],
            quiet_markers: Vec::new(),
            ignore: Ignore::default(),
            min_shift: Duration::ZERO,
            stale_after: Duration::from_hours(24),
            only_phones: Vec::new(),
            dry_run: false,
            missing_limit: 20.0,
            on_uncertain: OnUncertain::Hold,
            recent_activity: Duration::ZERO,
            per_client_per_hour: 6,
            reminders: Vec::new(),
            attendance_minus_one: MinusOne::NoShow,
        }
    }
}

impl Rules {
    /// Whether clients get this kind of message.
    #[must_use]
    pub fn tells(&self, kind: Kind) -> bool {
        match kind {
            Kind::Reminder => !self.reminders.is_empty(),
            other => self.kinds.contains(&other),
        }
    }

    /// Whether this person may be written to at all: nobody else is while the program is tried out.
    #[must_use]
    pub fn writes_to(&self, phone: &Phone) -> bool {
        !self.dry_run && (self.only_phones.is_empty() || self.only_phones.contains(phone))
    }

    /// Whether the comment asks for silence about this booking.
    #[must_use]
    pub fn is_quiet(&self, record: &Record) -> bool {
        self.quiet_markers
            .iter()
            .any(|m| !m.is_empty() && record.comment.contains(m.as_str()))
    }

    /// Whether the booking stands in the journal and is off all the same: "did not come" is how this
    /// salon cancels.
    #[must_use]
    pub fn is_called_off(&self, record: &Record) -> bool {
        self.attendance_minus_one == MinusOne::Cancelled
            && record.is_alive()
            && record.attendance == Attendance::NoShow
    }

    /// A row of the journal as this salon means it.
    #[must_use]
    pub fn as_meant<'r>(&self, row: &'r Record) -> Cow<'r, Record> {
        if !self.is_called_off(row) {
            return Cow::Borrowed(row);
        }
        Cow::Owned(Record {
            deleted: true,
            ..row.clone()
        })
    }

    /// Whether this booking was made by a chat bot: its comment holds a marker, or its author is one.
    #[must_use]
    pub fn is_bot_booking(&self, record: &Record) -> bool {
        self.bot_markers
            .iter()
            .any(|m| !m.is_empty() && record.comment.contains(m.as_str()))
            || (record.created_user_id != 0 && self.bot_user_ids.contains(&record.created_user_id))
    }
}

/// Why nothing is sent. The words are stored in `booking_notifications.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was there before the program was.
    Baseline,
    /// A bot made the booking and told the client.
    CreatedByBot,
    /// The visit has begun.
    Past,
    /// Too old to be worth telling.
    Stale,
    /// The record names no client.
    NoClient,
    /// The client has no number a message could reach.
    NoPhone,
    /// The client is on none of the company's channels.
    NoChannel,
    /// The client asked for silence.
    OptedOut,
    /// The client knows what there is to know.
    Unchanged,
    /// This kind is switched off.
    Disabled,
    /// Another notification tells it.
    Superseded,
    /// Only test phones are written to.
    TestMode,
    /// Not booked where a `created` is wanted.
    Origin,
    /// The comment asks for silence.
    QuietMarker,
    /// It stands where no bookings are kept.
    Ignored,
    /// A person dropped it.
    Discarded,
    /// The client has just been writing with us.
    RecentActivity,
    /// The client's data were erased.
    Forgotten,
    /// It could not leave in time.
    Expired,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 19] = [
        Self::Baseline,
        Self::CreatedByBot,
        Self::Past,
        Self::Stale,
        Self::NoClient,
        Self::NoPhone,
        Self::NoChannel,
        Self::OptedOut,
        Self::Unchanged,
        Self::Disabled,
        Self::Superseded,
        Self::TestMode,
        Self::Origin,
        Self::QuietMarker,
        Self::Ignored,
        Self::Discarded,
        Self::RecentActivity,
        Self::Forgotten,
        Self::Expired,
    ];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::CreatedByBot => "created_by_bot",
            Self::Past => "past",
            Self::Stale => "stale",
            Self::NoClient => "no_client",
            Self::NoPhone => "no_phone",
            Self::NoChannel => "no_channel",
            Self::OptedOut => "opted_out",
            Self::Unchanged => "unchanged",
            Self::Disabled => "disabled",
            Self::Superseded => "superseded",
            Self::TestMode => "test_mode",
            Self::Origin => "origin",
            Self::QuietMarker => "quiet_marker",
            Self::Ignored => "ignored",
            Self::Discarded => "discarded",
            Self::RecentActivity => "recent_activity",
            Self::Forgotten => "forgotten",
            Self::Expired => "expired",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == word)
    }

    /// Whether the person may be taken to know it although we said nothing: somebody else told
    /// them, or nobody wants them told, now or later. What is ignored empties it instead.
    #[must_use]
    pub fn moves_known(self) -> bool {
        match self {
            Self::Baseline
            | Self::CreatedByBot
            | Self::Stale
            | Self::Disabled
            | Self::TestMode
            | Self::Origin
            | Self::QuietMarker
            | Self::Discarded
            | Self::RecentActivity => true,
            Self::Past
            | Self::NoClient
            | Self::NoPhone
            | Self::NoChannel
            | Self::OptedOut
            | Self::Unchanged
            | Self::Superseded
            | Self::Ignored
            | Self::Forgotten
            | Self::Expired => false,
        }
    }
}
