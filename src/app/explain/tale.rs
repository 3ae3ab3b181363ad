//! The lines of a story, each at its moment.

use chrono::{DateTime, Utc};

use super::{Say, asked, journal, notes, proposals, reminders, wrapped};
use crate::config::Company;
use crate::domain::zone::Zone;
use crate::store::cache::Cached;
use crate::store::channels::ChannelState;
use crate::store::story::Story;

/// What is told of the same moment stands in this order: what came, what follows from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// It was seen.
    Seen,
    /// Its client wrote.
    Heard,
    /// What the client wants.
    Asked,
    /// The journal changed.
    Changed,
    /// What became of the client's wish.
    Written,
    /// A reminder was planned or dropped.
    Planned,
    /// What to tell was decided.
    Decided,
    /// A channel was asked to take it.
    Tried,
    /// It came to nothing.
    Ended,
    /// It arrived, it was read.
    Received,
    /// The salon's own automation got the event.
    HandedOn,
}

/// One line of the story.
pub(super) type Line = (DateTime<Utc>, Step, String);

/// Who tells it: in which words and by whose clock, and what it takes to say why something waits.
pub(super) struct Teller<'a> {
    pub(super) words: Say,
    pub(super) zone: Zone,
    pub(super) company: Option<&'a Company>,
    pub(super) now: DateTime<Utc>,
    pub(super) is_paused: bool,
    pub(super) channels: Vec<ChannelState>,
    /// What was before may have been erased.
    pub(super) remembered: DateTime<Utc>,
}

impl Teller<'_> {
    /// `21.08.2026 14:30:00`, by the salon's clock.
    pub(super) fn when(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        local.format("%d.%m.%Y %H:%M:%S").to_string()
    }

    /// The whole story in order of time, in lines that fit.
    pub(super) fn lines(&self, story: &Story) -> Vec<String> {
        let mut told = self.first_sight(story);
        for event in &story.events {
            told.extend(journal::event(self, event));
        }
        told.extend(
            story
                .settle_at
                .map(|at| journal::unsettled(self, story, at)),
        );
        told.extend(story.heard.iter().map(|heard| journal::heard(self, heard)));
        for order in &story.orders {
            told.extend(asked::lines(self, order, story.booking.record.id));
        }
        for proposed in &story.proposals {
            told.extend(proposals::lines(self, proposed));
        }
        let planned = story.reminders.iter();
        told.extend(planned.map(|planned| {
            let (at, what) = reminders::line(planned, self.words, |at| self.when(at));
            (at, Step::Planned, what)
        }));
        for n in &story.told {
            told.extend(notes::lines(self, n));
        }
        told.sort_by_key(|(at, step, _)| (*at, *step));
        told.into_iter()
            .flat_map(|(at, _, what)| self.shown(at, &what))
            .collect()
    }

    fn shown(&self, at: DateTime<Utc>, what: &str) -> Vec<String> {
        let when = self.when(at);
        let indent = when.chars().count() + 2;
        let mut lines = what.lines();
        let first = lines.next().unwrap_or_default();
        let mut shown = wrapped(&format!("{:indent$}{first}", ""), indent);
        if let Some(line) = shown.first_mut() {
            *line = format!("{when}  {}", line.trim_start());
        }
        for line in lines {
            let margin = line.len() - line.trim_start().len();
            shown.extend(wrapped(line, margin));
        }
        shown
    }

    /// When it was first seen, and, where nothing was told of that, why.
    fn first_sight(&self, story: &Story) -> Vec<Line> {
        let Cached {
            first_seen_at,
            by_bot,
            ..
        } = story.booking;
        let mut told = Vec::new();
        let mut note = |what: &str| told.push((first_seen_at, Step::Seen, what.to_owned()));
        let appeared = story.events.iter();
        let appeared = appeared.clone().find(|e| e.event_type == "record.created");
        match appeared {
            Some(event) if event.created_at <= first_seen_at => {}
            Some(_) => note(self.words.of("впервые увидена", "first seen")),
            // The event of its creation may have been erased with the other old ones.
            None if first_seen_at < self.remembered && !story.events.is_empty() => {
                note(self.words.of("впервые увидена", "first seen"));
            }
            None => note(self.words.of(
                "впервые увидена; клиент считается знающим о ней, сообщения нет",
                "first seen; the client is taken to know of it, no message",
            )),
        }
        if by_bot {
            note(self.words.of("записана ботом", "booked by a bot"));
        }
        told
    }
}
