//! The ways in which an answer goes wrong.

use std::collections::{HashMap, VecDeque};

/// The parts of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// `GET /records/{company}`.
    Records,
    /// `GET /record/{company}/{id}`.
    Record,
    /// `GET /company/{company}`.
    Company,
    /// `GET /companies`.
    Companies,
    /// `GET /book_dates/{company}`.
    BookDates,
    /// `GET /book_times/{company}/{staff}/{day}`.
    BookTimes,
    /// `GET /book_services/{company}`.
    BookServices,
    /// `GET /book_staff/{company}`.
    BookStaff,
    /// `POST /auth`.
    Auth,
    /// `POST /records/{company}`.
    Make,
    /// `PUT /record/{company}/{id}`.
    Change,
    /// `DELETE /record/{company}/{id}`.
    Cancel,
    /// `PUT /visits/{visit}/{id}`.
    Attend,
}

/// One way to go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status with this body.
    Status(u16, String),
    /// A well-formed, successful, empty listing: the journal that is not empty looks so.
    Empty200,
    /// HTTP 200 with a gateway's page.
    Html,
    /// The right answer, cut off in the middle.
    Truncated,
    /// HTTP 200 with `success: false` and this message.
    SuccessFalse(String),
    /// HTTP 429, the pause named in its text (0 is seen, too).
    TooManyRequests {
        /// The N of «через N секунд».
        seconds: u64,
    },
    /// HTTP 429 without a text, the pause named in `Retry-After`.
    RetryAfter {
        /// The header's value.
        seconds: u64,
    },
    /// The first page again, whichever was asked for.
    RepeatPage,
    /// Pages without an end: past the last one the first begins anew.
    EndlessPages,
    /// Pages of at most so many rows, however many were asked for.
    SmallPages(usize),
    /// While pages are read a row goes: of each later page the first row is nowhere.
    Drift,
    /// `total_count` is off by so much.
    Miscounted(i64),
    /// A null stands in the place of the first row.
    NullRow,
    /// The connection breaks before the body has come.
    Disconnect,
    /// What was asked is done, and then the connection breaks.
    AnswerLost,
    /// No answer, ever.
    Hang,
}

impl Fault {
    /// The API's own words for too many requests.
    #[must_use]
    pub fn limit_message(seconds: u64) -> String {
        format!("Превышен лимит запросов, попробуйте повторить запрос через {seconds} секунд.")
    }
}

#[derive(Default)]
pub(super) struct Faults {
    queued: HashMap<Route, VecDeque<Fault>>,
    standing: HashMap<Route, Fault>,
}

impl Faults {
    pub(super) fn queue(&mut self, route: Route, times: usize, fault: Fault) {
        let queue = self.queued.entry(route).or_default();
        queue.extend(std::iter::repeat_n(fault, times));
    }

    pub(super) fn set(&mut self, route: Route, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.standing.insert(route, fault),
            None => self.standing.remove(&route),
        };
    }

    /// The fault of this answer: the queued one first, then the standing one.
    pub(super) fn take(&mut self, route: Route) -> Option<Fault> {
        let queued = self.queued.get_mut(&route).and_then(VecDeque::pop_front);
        queued.or_else(|| self.standing.get(&route).cloned())
    }
}
