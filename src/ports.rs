//! The edge of the process: what the pipeline asks of the world outside, and how it can fail.
//!
//! Errors are named by what the caller does next. None of them carries a token, a phone or a URL.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use crate::domain::free::Wanted;
pub use crate::domain::journal::Journaled;
pub use crate::domain::message::{Brief, Markup};

mod api;
mod channel;
mod model;
mod receiver;

pub use api::{
    ApiError, BookingApi, CompanyInfo, CompanyRef, Draft, Edit, Lookup, Page, Query, Row, Standing,
    Urgency, WriteError,
};
pub use channel::{
    Addressing, Button, Channel, Concern, EditOutcome, Edited, Gap, Heard, JOURNAL_GRACE, Keyboard,
    Outgoing, Proof, TemplateGap,
};
pub use model::{Ask, Call, Model, ModelError, Said, Thought, Tool};
pub use receiver::{Incoming, Receipt, Received, Receiver};

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
