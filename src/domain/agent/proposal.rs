//! What is put to a client before anything is written, and what they answer to it.
//!
//! The sentence is composed here from what the journal said, so the client agrees to what will be
//! written and to nothing else. A yes counts for one sentence, for a quarter of an hour, and only as the
//! next thing that is said.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::words::{folded, made_of, split};
use crate::domain::record::{Money, Record, Staff};

/// A yes after this answers something else.
pub const LASTS: TimeDelta = TimeDelta::minutes(15);

/// One service of what is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its id in the catalogue.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// What it costs, where the catalogue names one price.
    pub price: Option<Money>,
}

/// An existing booking that a proposal is about, as the client was shown it. Nothing of the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Existing {
    /// The record's id.
    pub record: i64,
    /// When it was made: the same id with another date is another booking.
    pub created_at: Option<DateTime<Utc>>,
    /// When it begins, on the salon's wall.
    pub start: NaiveDateTime,
    /// The master.
    pub staff: Staff,
    /// What is done.
    pub services: Vec<Line>,
}

impl Existing {
    /// No booking at all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            record: 0,
            created_at: None,
            start: Record::START_UNKNOWN,
            staff: Staff::default(),
            services: Vec::new(),
        }
    }

    /// This booking.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let services = record.services.iter();
        Self {
            record: record.id,
            created_at: record.created_at,
            start: record.start_local,
            staff: record.staff.clone(),
            services: services
                .map(|line| Line {
                    id: line.id,
                    title: line.title.clone(),
                    price: (line.cost.0 > 0).then_some(line.cost),
                })
                .collect(),
        }
    }

    /// The sum, where every service has a price.
    #[must_use]
    pub fn price(&self) -> Option<Money> {
        total(&self.services)
    }
}

/// The sum of lines that all have a price.
#[must_use]
pub fn total(lines: &[Line]) -> Option<Money> {
    lines.iter().map(|line| line.price).sum()
}

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Proposal {
    /// A new booking.
    Make {
        /// When it begins, on the salon's wall.
        start: NaiveDateTime,
        /// How long it lasts, in seconds.
        length: i64,
        /// The master.
        staff: Staff,
        /// What is done.
        services: Vec<Line>,
    },
    /// Another time, or another master.
    Move {
        /// The booking as it is.
        was: Existing,
        /// When it is to begin.
        start: NaiveDateTime,
        /// Who is to do it.
        staff: Staff,
    },
    /// A booking taken off.
    Cancel {
        /// The booking as it is.
        was: Existing,
    },
}

impl Proposal {
    /// The word for what it would do.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Make { .. } => "make",
            Self::Move { .. } => "move",
            Self::Cancel { .. } => "cancel",
        }
    }

    /// The same with what the journal shows of it now that it is written: that is what may be said.
    #[must_use]
    pub fn as_written(&self, record: &Record) -> Self {
        let now = Existing::of(record);
        match self {
            Self::Make { .. } => Self::Make {
                start: now.start,
                length: record.length,
                staff: now.staff,
                services: now.services,
            },
            Self::Move { was, .. } => Self::Move {
                was: Existing {
                    services: now.services,
                    ..was.clone()
                },
                start: now.start,
                staff: now.staff,
            },
            Self::Cancel { was } => Self::Cancel { was: was.clone() },
        }
    }

    /// The booking it is about, where there is one.
    #[must_use]
    pub fn record(&self) -> Option<i64> {
        match self {
            Self::Make { .. } => None,
            Self::Move { was, .. } | Self::Cancel { was } => Some(was.record),
        }
    }
}

/// What a message says to a sentence that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes to exactly this.
    Yes,
    /// No.
    No,
    /// Something like a yes, which is not the word that was asked for.
    Nod,
    /// Other talk: the sentence does not stand any more.
    Other,
}

const YES: [&str; 22] = [
    "да",
    "ага",
    "верно",
    "все верно",
    "всё верно",
    "да верно",
    "да все верно",
    "подтверждаю",
    "записывайте",
    "записывай",
    "запишите",
    "переносите",
    "перенесите",
    "отменяйте",
    "отмените",
    "yes",
    "yep",
    "correct",
    "that s right",
    "confirm",
    "i confirm",
    "да да",
];
const POLITE: [&str; 8] = [
    "пожалуйста",
    "спасибо",
    "большое",
    "please",
    "thanks",
    "thank you",
    "конечно",
    "именно",
];
const NO: [&str; 16] = [
    "нет",
    "не надо",
    "не нужно",
    "неверно",
    "не верно",
    "не то",
    "стой",
    "подождите",
    "передумал",
    "передумала",
    "я передумал",
    "я передумала",
    "no",
    "wrong",
    "don t",
    "not",
];
const NODS: [&str; 10] = [
    "ок",
    "окей",
    "ok",
    "okay",
    "хорошо",
    "ладно",
    "понятно",
    "давайте",
    "давай",
    "угу",
];

impl Answer {
    /// What this whole message says. A yes is a yes only when nothing else stands beside it.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let words: Vec<String> = text.lines().flat_map(|line| split(&folded(line))).collect();
        // A sign in the place of a word: 👍 is a nod, a question mark is a question.
        if text.contains('?') {
            return Self::Other;
        }
        if words.is_empty() {
            let nods = ["👍", "👌", "🆗", "✅", "+"];
            return match nods.iter().any(|nod| text.trim().starts_with(nod)) {
                true => Self::Nod,
                false => Self::Other,
            };
        }
        let with_polite = |listed: &[&str]| {
            let polite: Vec<&str> = listed.iter().chain(&POLITE).copied().collect();
            made_of(&words, &polite) && !made_of(&words, &POLITE)
        };
        if with_polite(&YES) && words.iter().any(|word| is_yes(word)) {
            Self::Yes
        } else if with_polite(&NO) {
            Self::No
        } else if with_polite(&NODS) {
            Self::Nod
        } else {
            Self::Other
        }
    }
}

/// Beside "да", only these say yes by themselves: "отмените" alone may be about something else.
fn is_yes(word: &str) -> bool {
    matches!(
        word,
        "да" | "ага" | "верно" | "подтверждаю" | "yes" | "yep" | "correct" | "right" | "confirm"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_that_was_asked_for_is_a_yes() {
        for text in [
            "да",
            "Да!",
            "ДА",
            "да, записывайте",
            "Да, всё верно",
            "верно",
            "подтверждаю",
            "yes",
            "да пожалуйста",
            "Да, отменяйте, спасибо",
            "да да",
        ] {
            assert_eq!(Answer::of(text), Answer::Yes, "{text}");
        }
        for text in ["нет", "Нет, спасибо", "не надо", "я передумала", "no"]
        {
            assert_eq!(Answer::of(text), Answer::No, "{text}");
        }
        for text in ["ок", "хорошо", "👍", "давайте", "Ладно, спасибо", "+"]
        {
            assert_eq!(Answer::of(text), Answer::Nod, "{text}");
        }
        for text in [
            "да, но в 15:00",
            "да?",
            "а можно другого мастера?",
            "отмените",
            "отмените все записи",
            "да нет наверное",
            "спасибо",
            "данные",
            "",
            "записывайте на завтра",
            "да и ещё маникюр",
        ] {
            assert_eq!(Answer::of(text), Answer::Other, "{text}");
        }
    }
}
