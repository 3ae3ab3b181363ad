//! The edge of the process: what the pipeline asks of the world outside, and how it can fail.
//!
//! Errors are named by what the caller does next. None of them carries a token, a phone or a URL.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::domain::catalogue::{Master, Offer};
use crate::domain::delivery::Outcome;
pub use crate::domain::free::Wanted;
pub use crate::domain::journal::Journaled;
pub use crate::domain::message::{Brief, Markup};
use crate::domain::phone::Phone;
use crate::domain::record::{Attendance, Money, Record};

mod model;
pub use model::{Ask, Call, Model, ModelError, Said, Thought, Tool};

/// The time. Production reads the machine's clock; tests hold the hands.
pub trait Clock: Send + Sync {
    /// This instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// How a reading stands in line when requests are short, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A look before speaking: a message waits for it.
    Look,
    /// The first comparison of a company.
    FirstSweep,
    /// A poll. The company that was read longest ago goes first, one never read before all.
    Poll(Option<DateTime<Utc>>),
    /// A comparison of the horizon: at most a quarter of the requests while others wait.
    Sweep,
}

/// The place of one company's reading in that line. It moves up when a message comes to wait for it.
#[derive(Clone, Debug)]
pub struct Standing {
    urgency: Urgency,
    awaited: Arc<AtomicU32>,
}

impl Standing {
    /// A reading that a message waits for while `awaited` is not 0.
    #[must_use]
    pub fn new(urgency: Urgency, awaited: Arc<AtomicU32>) -> Self {
        Self { urgency, awaited }
    }

    /// A reading that a person waits for.
    #[must_use]
    pub fn first() -> Self {
        Self::new(Urgency::Look, Arc::default())
    }

    /// It compares the horizon, and no message waits for it from the start.
    #[must_use]
    pub fn is_sweep(&self) -> bool {
        self.urgency == Urgency::Sweep
    }

    /// How urgent it is at this moment.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        match self.awaited.load(Ordering::Relaxed) {
            0 => self.urgency,
            _ => Urgency::Look,
        }
    }
}

/// The company a request is about, and what is needed to read its rows.
#[derive(Clone, Debug)]
pub struct CompanyRef {
    /// The company's (branch's) id.
    pub id: i64,
    /// Its IANA zone, in which the journal's naive times are meant.
    pub zone: Tz,
    /// ISO 3166 country, which completes phones written without a code.
    pub country: String,
    /// Its place in the line.
    pub standing: Standing,
}

/// Which records a listing asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Created or changed since this instant, deleted ones included.
    ChangedSince(DateTime<Utc>),
    /// Starting on these salon days, both inclusive, deleted ones left out.
    Starting(NaiveDate, NaiveDate),
}

/// One row of a listing.
#[derive(Clone, Debug)]
pub enum Row {
    /// A booking.
    Record(Box<Record>),
    /// A row that could not be read; counted, never guessed at.
    Unreadable {
        /// Its id, when at least that could be read.
        id: Option<i64>,
        /// What was wrong with it, without its data.
        why: String,
    },
    /// A null in place of a row.
    Null,
}

/// One page of a listing.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Rows in the API's order.
    pub rows: Vec<Row>,
    /// How many rows the whole listing has, where the API said it.
    pub total_count: Option<u64>,
    /// The `Date` header of the answer.
    pub server_date: Option<DateTime<Utc>>,
}

/// One record asked for by its id.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// It is there (perhaps marked deleted).
    Found(Box<Record>),
    /// The API says 404.
    Gone,
}

/// What the API says of a company.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompanyInfo {
    /// Its public title.
    pub title: String,
    /// Its address: city and street as the API has them.
    pub address: String,
    /// Its telephone, as written.
    pub phone: String,
    /// Its IANA zone, where the API names a known one.
    pub zone: Option<Tz>,
    /// The address of its booking form, where the API names one.
    pub booking_link: String,
    /// When it is open, where the API says one pair of hours for all days.
    pub opening_hours: Option<(NaiveTime, NaiveTime)>,
}

/// Why the records API gave no information.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Too many requests: wait this long, for every company on that address.
    #[error("too many requests, told to wait {} s", pause.as_secs())]
    Throttled {
        /// The stated pause, at least one second.
        pause: Duration,
    },
    /// A person has to act: key, licence, rights or an unknown company.
    #[error("HTTP {status}: {message}")]
    Denied {
        /// 401, 402, 403 or 404.
        status: u16,
        /// What the API said.
        message: String,
    },
    /// The API or the way to it is out of order; worth trying again.
    #[error("{0}")]
    Unavailable(String),
    /// An answer that is no answer: HTML, truncated JSON, `success: false`.
    #[error("unreadable answer: {0}")]
    Unreadable(String),
}

/// What of a booking is to become another; what is `None` stays as the journal has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// Whether the client is expected, confirmed, came.
    pub attendance: Option<Attendance>,
    /// Wall-clock start in the salon.
    pub start: Option<NaiveDateTime>,
    /// The master's id.
    pub staff: Option<i64>,
}

/// A booking that is to be made.
#[derive(Clone)]
pub struct Draft {
    /// The master's id.
    pub staff: i64,
    /// What is done: ids of the catalogue, with the price that was promised.
    pub services: Vec<(i64, Option<Money>)>,
    /// Wall-clock start in the salon.
    pub start: NaiveDateTime,
    /// Length in seconds.
    pub length: i64,
    /// Whose it is.
    pub phone: Phone,
    /// What they are called.
    pub name: String,
    /// By this the booking is known again should the answer be lost.
    pub api_id: String,
}

// Written out: whose it is, is for the journal alone.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({}, staff {})", self.start, self.staff)
    }
}

/// Why something was not written into the journal, named by what the caller does next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Surely nothing was written, and it is worth trying again.
    #[error("{0}")]
    NotDone(ApiError),
    /// The booking is another than the one that was looked at: surely nothing was written.
    #[error("the booking has become another meanwhile")]
    Overtaken,
    /// The API said no, and will say so again.
    #[error("HTTP {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the API said.
        message: String,
    },
    /// The request left and nothing says what became of it: only the journal can.
    #[error("no answer: {0}")]
    Unknown(String),
}

/// The records API.
#[async_trait]
pub trait BookingApi: Send + Sync {
    /// One page of a listing; pages count from 1. A good empty poll («Не найдено») is a page
    /// without rows.
    async fn page(&self, company: &CompanyRef, query: &Query, page: u32) -> Result<Page, ApiError>;

    /// One record by its id.
    async fn record(&self, company: &CompanyRef, record_id: i64) -> Result<Lookup, ApiError>;

    /// The company's own data.
    async fn company(&self, company_id: i64) -> Result<CompanyInfo, ApiError>;

    /// Days on which this can be booked, in order. An API that takes no bookings has none.
    async fn bookable_days(
        &self,
        _company: &CompanyRef,
        _wanted: &Wanted,
    ) -> Result<Vec<NaiveDate>, ApiError> {
        Ok(Vec::new())
    }

    /// Starts at which this can be booked on one of them, by the salon's clock.
    async fn bookable_times(
        &self,
        _company: &CompanyRef,
        _wanted: &Wanted,
        _day: NaiveDate,
    ) -> Result<Vec<NaiveDateTime>, ApiError> {
        Ok(Vec::new())
    }

    /// The services that can be booked, of one master or of all. An API that takes no bookings has none.
    async fn offers(
        &self,
        _company: &CompanyRef,
        _staff: Option<i64>,
    ) -> Result<Vec<Offer>, ApiError> {
        Ok(Vec::new())
    }

    /// The masters who can be booked for all of these services.
    async fn masters(
        &self,
        _company: &CompanyRef,
        _services: &[i64],
    ) -> Result<Vec<Master>, ApiError> {
        Ok(Vec::new())
    }

    /// The number of rows a full page has.
    fn page_size(&self) -> u32;

    /// Changes a booking that was looked at a moment ago: reads it anew, and if it is still the same
    /// sends it whole with nothing changed but what is asked. Never called without an intent on disk.
    async fn change(
        &self,
        _company: &CompanyRef,
        _seen: &Record,
        _edit: &Edit,
    ) -> Result<(), WriteError> {
        Err(WriteError::Refused {
            status: 0,
            message: "this journal can only be read".to_owned(),
        })
    }

    /// Makes a booking; its id. Never called without an intent on disk, and never twice for one: what
    /// became of a lost answer says [`BookingApi::made`].
    async fn make(&self, _company: &CompanyRef, _draft: &Draft) -> Result<i64, WriteError> {
        Err(WriteError::Refused {
            status: 0,
            message: "this journal can only be read".to_owned(),
        })
    }

    /// The booking of this day that was made under this id of ours, if there is one.
    async fn made(
        &self,
        _company: &CompanyRef,
        _day: NaiveDate,
        _api_id: &str,
    ) -> Result<Option<Box<Record>>, ApiError> {
        Ok(None)
    }

    /// Takes a booking off. Never called without an intent on disk.
    async fn cancel(&self, _company: &CompanyRef, _record_id: i64) -> Result<(), WriteError> {
        Err(WriteError::Refused {
            status: 0,
            message: "this journal can only be read".to_owned(),
        })
    }
}

/// A message ready to leave: text in the channel's own markup, one recipient.
#[derive(Clone, Default)]
pub struct Outgoing {
    /// The phone (digits of E.164 with a plus) or the chat id, as the channel addresses people.
    pub to: String,
    /// The text in the channel's markup.
    pub text: String,
    /// What the chat shows in place of its keyboard, where the channel can.
    pub keyboard: Option<Keyboard>,
    /// Buttons under the message, row by row, where the channel has them; they stand in place of
    /// `keyboard`.
    pub buttons: Vec<Vec<Button>>,
    /// The provider's id of the message in this chat that it follows, where there is one.
    pub follows: Option<String>,
    /// The same for every try of these words to this person, and never for others
    /// ([`crate::domain::delivery::message_key`]).
    pub key: String,
    /// What an approved template is filled from; `None` for what no template stands for.
    pub brief: Option<Brief>,
    /// The person wrote to this channel so lately that an official one may answer in free text.
    pub wrote_lately: bool,
}

/// A button under a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What a press carries, at most 64 bytes.
    pub data: String,
}

/// A message of ours as it is to stand from now on.
#[derive(Clone)]
pub struct Edited {
    /// The chat.
    pub to: String,
    /// The provider's id of the message.
    pub message_id: String,
    /// The text in the channel's markup.
    pub text: String,
    /// The buttons that remain.
    pub buttons: Vec<Vec<Button>>,
}

/// What became of an edit. Whatever it is, it says nothing of the channel and nothing is sent in
/// place of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditOutcome {
    /// It stands so now, or did already.
    Done,
    /// It will never stand so: the message is gone, or may not be edited.
    Never {
        /// What the provider said.
        why: String,
    },
    /// Not now.
    Later {
        /// The stated pause.
        after: Option<Duration>,
        /// What went wrong.
        why: String,
    },
}

/// How long a messenger's journal may lag behind its sends, unless the settings say otherwise.
pub const JOURNAL_GRACE: Duration = Duration::from_secs(150);

/// What a channel can prove about a send whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: it may have arrived, and nobody will ever know.
    Nothing,
    /// The same [`Outgoing::key`] is never delivered twice: the send may be repeated as it was.
    Key,
    /// It lists what went out: [`Channel::look_up`].
    Journal,
}

/// A change of the keyboard under a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyboard {
    /// One button that sends the person's own number.
    AskContact,
    /// The ordinary keyboard again.
    Remove,
}

impl Keyboard {
    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AskContact => "ask_contact",
            Self::Remove => "remove",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::AskContact, Self::Remove]
            .into_iter()
            .find(|k| k.as_str() == word)
    }
}

/// How a channel names a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// By phone: anyone can be written to.
    Phone,
    /// By chat id: only people who wrote to the bot first.
    Chat,
}

/// One way to a person.
#[async_trait]
pub trait Channel: Send + Sync {
    /// How this channel writes emphasis.
    fn markup(&self) -> Markup;

    /// How this channel names people.
    fn addressing(&self) -> Addressing;

    /// Whether a client who answers here is heard.
    fn hears_replies(&self) -> bool;

    /// Sends one message. Never called without an intent on disk.
    async fn send(&self, message: &Outgoing) -> Outcome;

    /// Asks whether the channel works at all, sending nothing. The error says what is wrong.
    async fn probe(&self) -> Result<(), String>;

    /// What can be proved about a send whose answer was lost.
    fn proof(&self) -> Proof {
        Proof::Nothing
    }

    /// What went out to this person between the two instants of our clock, as the messenger lists
    /// it, and what of it still waits in the provider's queue. An error is no empty list: it says
    /// nothing. Only with [`Proof::Journal`].
    async fn look_up(
        &self,
        _to: &str,
        _since: DateTime<Utc>,
        _until: DateTime<Utc>,
    ) -> Result<Vec<Journaled>, String> {
        Err("this channel keeps no journal".to_owned())
    }

    /// Whether messages may have buttons whose presses are heard.
    fn has_buttons(&self) -> bool {
        false
    }

    /// Changes a message that is out. Only with [`Channel::has_buttons`].
    async fn edit(&self, _message: &Edited) -> EditOutcome {
        EditOutcome::Never {
            why: "this channel edits nothing".to_owned(),
        }
    }

    /// Tells whoever pressed a button what became of it; a press nobody answers looks stuck.
    async fn answer_press(&self, _press_id: &str, _text: &str) -> Result<(), String> {
        Ok(())
    }

    /// Whether nobody but this program reads what is written there (a bot, an official number), so
    /// that people see an answer only where an owner gets it.
    fn is_robot(&self) -> bool {
        false
    }

    /// What people call the messenger; `None` where only the configuration's name tells.
    fn messenger(&self) -> Option<&'static str> {
        None
    }

    /// Who we are there, as people would find us (`@salon_bot`), where it tells. For `check --online`.
    async fn introduce(&self) -> Option<String> {
        None
    }

    /// What it noticed lately that does not stop it from sending, for `status` and the owners.
    fn concern(&self) -> Option<Concern> {
        None
    }

    /// The same for `check --online`, asked for anew, with what else is set up against us.
    async fn inspect(&self) -> Vec<String> {
        self.concern().iter().map(Concern::to_string).collect()
    }

    /// What is wrong, at the messenger, with the templates it should have approved. An error says
    /// nothing of them.
    async fn template_gaps(&self) -> Result<Vec<TemplateGap>, String> {
        Ok(Vec::new())
    }

    /// Whether it is a person's own account, which the messenger bans when it writes like a machine:
    /// its sends keep uneven distances.
    fn is_personal(&self) -> bool {
        false
    }

    /// Whether it can be asked who wrote lately, because its queue is another program's to read:
    /// [`Channel::heard`].
    fn lists_inbox(&self) -> bool {
        false
    }

    /// What was written here since then by this person, or by somebody whose phone is hidden. Takes
    /// nothing from anybody's queue. An error says nothing of who wrote.
    async fn heard(&self, _to: &str, _since: DateTime<Utc>) -> Result<Vec<Heard>, String> {
        Ok(Vec::new())
    }
}

/// Trouble of a channel that sends all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The tariff takes no new correspondents this month.
    Tariff,
}

impl std::fmt::Display for Concern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tariff => {
                "the tariff's correspondents of this month are used up: new clients are not reached"
            }
        })
    }
}

/// A template of the settings that the messenger would not take as they use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateGap {
    /// The kind of message it stands for.
    pub kind: String,
    /// Its name in the settings.
    pub name: String,
    /// Its language in the settings.
    pub language: String,
    /// What is wrong.
    pub what: Gap,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The messenger knows none of that name.
    Missing,
    /// It has that name in these languages alone.
    Language(String),
    /// It is named by this id, not by its name.
    Id(String),
    /// The messenger's word for a state that is not `APPROVED`.
    Status(String),
    /// Its text takes so many parameters, and gets another number.
    Parameters {
        /// What its text has.
        takes: usize,
        /// What the settings list.
        gives: usize,
    },
    /// Its parameters have names in place of numbers.
    Named,
    /// Its heading, or a button of it, has a parameter: these are not filled.
    Elsewhere,
    /// Its category is not `UTILITY`.
    Category(String),
    /// Its own words take so many characters that the values may not fit.
    Long(usize),
}

/// One entry of a channel's list of what people wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The chat.
    pub chat_id: String,
    /// The phone in E.164, where the list shows whose chat it is.
    pub phone: Option<String>,
    /// What was written; empty for what has no words.
    pub text: String,
    /// When, by our clock.
    pub at: DateTime<Utc>,
}

/// Something a channel told us by itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Incoming {
    /// How a message of ours fares.
    Status {
        /// The provider's id of our message.
        message_id: String,
        /// What became of it.
        status: Receipt,
        /// The provider's words, where something went wrong.
        why: Option<String>,
        /// The hidden id of the chat it went to, where the provider names one in place of the phone.
        hidden_chat: Option<String>,
    },
    /// Somebody wrote to us.
    Text {
        /// The provider's id of their message.
        message_id: String,
        /// The id of the message whose words these are now, where one was edited; then `message_id` is
        /// this, a slash, and what tells one edit from another.
        edits: Option<String>,
        /// The chat to answer to.
        chat_id: String,
        /// Their phone in digits, where the channel shows it.
        phone: Option<String>,
        /// Their name there.
        name: String,
        /// What they wrote; empty for what has no words: a picture, a voice message.
        text: String,
        /// When, provider's time.
        at: DateTime<Utc>,
        /// The provider's id of the message of ours that they answer.
        quoted: Option<String>,
        /// The provider's id of the person, where it is another than the chat's.
        sender: String,
        /// Nobody else reads along; what is said in groups concerns owners only.
        is_private: bool,
    },
    /// A person of the salon wrote to somebody from the account's own phone.
    Answered {
        /// The provider's id of the message.
        message_id: String,
        /// The chat.
        chat_id: String,
        /// Whose chat it is, in digits, where the channel shows it.
        phone: Option<String>,
        /// What was written; empty for what has no words.
        text: String,
        /// When, provider's time.
        at: DateTime<Utc>,
    },
    /// Somebody opened the bot, or opened it again.
    Started {
        /// The provider's id of their message.
        message_id: String,
        /// The chat to answer to.
        chat_id: String,
        /// What the deep link carried; empty without one.
        payload: String,
        /// Their name there.
        name: String,
        /// When, provider's time.
        at: DateTime<Utc>,
    },
    /// Somebody shared a contact in a private chat.
    Contact {
        /// The provider's id of their message.
        message_id: String,
        /// The chat to answer to.
        chat_id: String,
        /// The phone in digits, only when the contact is surely the sender's own; `None` links
        /// nothing.
        phone: Option<String>,
        /// Their name there.
        name: String,
        /// When, provider's time.
        at: DateTime<Utc>,
    },
    /// Somebody pressed a button under a message of ours.
    Pressed {
        /// The provider's id of the press, to answer it.
        press_id: String,
        /// The chat in which the message stands.
        chat_id: String,
        /// The provider's id of that message.
        message_id: String,
        /// When it was sent, provider's time; `None` of one too old to be shown.
        sent_at: Option<DateTime<Utc>>,
        /// The provider's id of the person.
        sender: String,
        /// Nobody else reads along.
        is_private: bool,
        /// What the button carried.
        data: String,
    },
    /// A chat blocked the bot, or let it in again.
    Reachable {
        /// The chat.
        chat_id: String,
        /// Whether it can be written to now.
        reachable: bool,
    },
    /// The account's state changed: `true` when it can send.
    State {
        /// Whether messages can leave now.
        up: bool,
        /// The provider's word for the state.
        state: String,
    },
    /// A kind nobody here needs; acknowledged and counted.
    Other {
        /// The provider's word for it.
        kind: String,
    },
}

// Written out: what people wrote, and who they are, is for the database alone.
impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status {
                message_id, status, ..
            } => write!(f, "Status({message_id}, {status:?})"),
            Self::Text { message_id, at, .. } => write!(f, "Text({message_id}, {at})"),
            Self::Answered { message_id, at, .. } => write!(f, "Answered({message_id}, {at})"),
            Self::Started { message_id, at, .. } => write!(f, "Started({message_id}, {at})"),
            Self::Contact { message_id, at, .. } => write!(f, "Contact({message_id}, {at})"),
            Self::Pressed { press_id, data, .. } => write!(f, "Pressed({press_id}, {data})"),
            Self::Reachable { reachable, .. } => write!(f, "Reachable({reachable})"),
            Self::State { up, state } => write!(f, "State({up}, {state})"),
            Self::Other { kind } => write!(f, "Other({kind})"),
        }
    }
}

/// A delivery receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Receipt {
    /// It left the provider.
    Sent,
    /// It reached the device.
    Delivered,
    /// It was opened.
    Read,
    /// It did not arrive.
    Failed,
    /// This person has no account there.
    NoAccount,
    /// Free text is not taken: the person did not write lately. An approved template would be.
    NoSession,
    /// The account is restricted, and what it sends is shown to nobody.
    Withheld,
}

/// One received notification and what acknowledges it.
#[derive(Clone, Debug)]
pub struct Received {
    /// The token that acknowledges it.
    pub receipt: String,
    /// What it says.
    pub what: Incoming,
}

/// A booking event on its way to a salon's own automation.
#[derive(Clone)]
pub struct Handover<'a> {
    /// The event's id: the same for every try.
    pub event_id: &'a str,
    /// Its body: the same for every try.
    pub body: &'a str,
    /// It was begun before, and nobody knows how that ended.
    pub again: bool,
    /// The time of this try.
    pub now: DateTime<Utc>,
}

debug_only!(Handover<'_>: event_id, again, now);

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    /// Taken.
    Taken,
    /// Not this time.
    Later {
        /// What went wrong, without the address.
        why: String,
        /// How long the receiver wants to be left alone, where it says so.
        after: Option<Duration>,
        /// Nothing else can be given to it either.
        closed: bool,
    },
    /// This event will never be taken as it is.
    Refused {
        /// What went wrong.
        why: String,
    },
}

/// Where booking events are handed on to.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// Hands one event on. Never called without an intent on disk.
    async fn hand_over(&self, event: &Handover<'_>) -> Handed;

    /// Whether a try may be abandoned halfway: it then goes again under the same id.
    fn may_be_left(&self) -> bool {
        true
    }
}

/// A switch that somebody else watches: it has to be touched again and again.
#[async_trait]
pub trait Heartbeat: Send + Sync {
    /// Touches it. The error says what went wrong, without the address.
    async fn beat(&self) -> Result<(), String>;
}

/// A channel's inbound side, read by polling. What is not acknowledged comes again.
#[async_trait]
pub trait Receiver: Send + Sync {
    /// The next notification, waiting for one at most `patience`; `None` when nothing came.
    async fn receive(&self, patience: Duration) -> Result<Option<Received>, String>;

    /// Removes it from the provider's queue. Called after it is stored.
    async fn acknowledge(&self, receipt: &str) -> Result<(), String>;

    /// Whether it has to ask message by message and so must be told, by [`Receiver::follow`], for
    /// which.
    fn asks_by_id(&self) -> bool {
        false
    }

    /// Our messages of the last day that may still get a receipt, with the last one they got, the
    /// newest first; in place of what was followed before.
    fn follow(&self, _open: Vec<(String, Receipt)>) {}
}
