//! `preview`: a message as its recipient would read it, composed as the real ones are, sent to nobody.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::{ChannelEnd, Company, words};
use crate::domain::message::markup::{LONGEST_TEXT, fitted};
use crate::domain::message::{Brief, Markup, Told};
use crate::domain::settle::Net;
use crate::domain::zone::Zone;
use crate::store::companies::CompanyRow;

/// What is to be shown.
pub enum Shown<'a> {
    /// A change of a booking.
    Change(&'a Net),
    /// What is said by itself about a booking: it has an approved template.
    News(Told<'a>),
    /// An answer, which goes to whoever wrote a moment ago.
    Answer(Told<'a>),
}

/// Where and when it would be said.
pub struct Scene<'a> {
    /// The company.
    pub company: &'a Company,
    /// What is known of it.
    pub row: &'a CompanyRow,
    /// Its zone.
    pub zone: Zone,
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
        let place = self.place();
        let text = match shown {
            Shown::Change(net) => words::offering(&place, end, net, self.free, markup),
            Shown::News(told) | Shown::Answer(told) => words::said_as(&place, end, told, markup),
        };
        fitted(text, markup, LONGEST_TEXT)
    }

    /// What an approved template would be filled from; answers have none.
    #[must_use]
    pub fn brief(&self, shown: &Shown<'_>) -> Option<Brief> {
        match shown {
            Shown::Change(net) => Some(words::brief(&self.place(), net, self.free, false)),
            Shown::News(told) => Some(words::brief_of(&self.place(), told)),
            Shown::Answer(_) => None,
        }
    }
}
