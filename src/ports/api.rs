//! The records API: what is read of a salon's journal, and what is written into it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use crate::domain::catalogue::{Master, Offer};
use crate::domain::free::Wanted;
use crate::domain::phone::Phone;
use crate::domain::record::{Attendance, Money, Record};
use crate::domain::zone::Zone;

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
    pub zone: Zone,
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
    pub zone: Option<Zone>,
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
