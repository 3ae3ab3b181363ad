//! `preview`: a message as its recipient would read it, composed as the real ones are, sent to nobody.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::{ChannelEnd, Company, reminders, words};
use crate::domain::message::markup::{LONGEST_TEXT, fitted};
use crate::domain::message::{Brief, Markup, Told};
use crate::domain::record::Record;
use crate::domain::settle::Net;
use crate::store::companies::CompanyRow;

/// What is to be shown.
pub enum Shown<'a> {
    /// A change of a booking.
    Change(&'a Net),
    /// A booking that stands again.
    Restored(&'a [Record]),
    /// A visit the client did not come to.
    NoShow(&'a [Record]),
    /// A visit that is over.
    Visited(&'a [Record]),
    /// A visit that is near.
    Reminder(&'a [Record]),
    /// To a number that was told of this booking by mistake.
    WrongNumber(&'a [Record]),
    /// The answer to a STOP.
    Stopped,
    /// The answer to a START.
    Started,
}

impl<'a> Shown<'a> {
    fn told(&self) -> Option<Told<'a>> {
        match *self {
            Self::Change(_) => None,
            Self::Restored(now) => Some(Told::Restored { now }),
            Self::NoShow(was) => Some(Told::NoShow { was }),
            Self::Visited(was) => Some(Told::Visited { was }),
            Self::Reminder(now) => Some(reminders::told(now)),
            Self::WrongNumber(was) => Some(Told::WrongNumber { was }),
            Self::Stopped => Some(Told::Stopped),
            Self::Started => Some(Told::Started),
        }
    }
}

/// Where and when it would be said.
pub struct Scene<'a> {
    /// The company.
    pub company: &'a Company,
    /// What is known of it.
    pub row: &'a CompanyRow,
    /// Its zone.
    pub zone: Tz,
    /// The present moment.
    pub now: DateTime<Utc>,
    /// Free times for a cancellation to offer.
    pub free: &'a [NaiveDateTime],
}

impl Scene<'_> {
    fn place(&self) -> words::Place<'_> {
        words::Place {
            company: self.company,
            row: self.row,
            zone: self.zone,
            now: self.now,
        }
    }

    /// The text on this channel, in its own markup or in another one.
    #[must_use]
    pub fn text(&self, shown: &Shown<'_>, end: &ChannelEnd, markup: Option<Markup>) -> String {
        let markup = markup.unwrap_or_else(|| end.channel.markup());
        let text = match (shown, shown.told()) {
            (Shown::Change(net), _) => words::offering(&self.place(), end, net, self.free, markup),
            (_, Some(told)) => words::said_as(&self.place(), end, &told, markup),
            (_, None) => String::new(),
        };
        fitted(text, markup, LONGEST_TEXT)
    }

    /// What an approved template would be filled from; answers have none.
    #[must_use]
    pub fn brief(&self, shown: &Shown<'_>) -> Option<Brief> {
        match (shown, shown.told()) {
            (Shown::Change(net), _) => Some(words::brief(&self.place(), net, self.free, false)),
            (Shown::Stopped | Shown::Started, _) | (_, None) => None,
            (_, Some(told)) => Some(words::brief_of(&self.place(), &told)),
        }
    }
}
