//! How clients are answered by rules: what a message means ([`meaning`]), what follows from it
//! ([`decide`]), which hours a person answers in ([`hours`]), and whether a booking may be written
//! ([`order`]). Pure; nothing here reads a clock or a journal.
//!
//! When in doubt a message goes to a person: a rule that is too eager cancels somebody's visit.

use std::time::Duration;

use chrono::NaiveTime;

pub mod hours;
pub mod meaning;
pub mod order;

pub use meaning::{Meaning, Words};

/// Who takes a booking off that its client does not want any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelBy {
    /// The owner, who is asked.
    Owner,
    /// The program, at once.
    Program,
}

/// `[replies]` of one company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replies {
    /// Clients are answered at all.
    pub enabled: bool,
    /// Bookings may be changed in the journal.
    pub write: bool,
    /// Who takes a booking off.
    pub cancel: CancelBy,
    /// A visit nearer than this is the owner's to take off.
    pub cancel_until: Duration,
    /// So long nothing is answered after a person did.
    pub takeover: Duration,
    /// Words that nobody answered for so long, in opening hours, are shown to the owner once more.
    pub escalate_after: Duration,
    /// When somebody is there; `None`: as the company says, else from nine to nine.
    pub opening_hours: Option<(NaiveTime, NaiveTime)>,
    /// The salon's own words beside the listed ones.
    pub words: Words,
}

impl Replies {
    /// What the program itself may write into the journal, in a proposal's words: what else clients want is
    /// passed to a person.
    #[must_use]
    pub fn writes(&self) -> &'static [&'static str] {
        match (self.write, self.cancel) {
            (false, _) => &[],
            (true, CancelBy::Owner) => &["make", "move"],
            (true, CancelBy::Program) => &["make", "move", "cancel"],
        }
    }
}

impl Default for Replies {
    fn default() -> Self {
        Self {
            enabled: true,
            write: false,
            cancel: CancelBy::Owner,
            cancel_until: Duration::from_hours(3),
            takeover: Duration::from_hours(2),
            escalate_after: Duration::from_mins(15),
            opening_hours: None,
            words: Words::default(),
        }
    }
}

/// What a client wants of the salon, for the head of the owner's card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// To have the booking taken off.
    Cancel,
    /// Another time.
    Move,
    /// To be awaited a little longer.
    Late,
    /// A person.
    Person,
}

impl Request {
    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Move => "move",
            Self::Late => "late",
            Self::Person => "person",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Cancel, Self::Move, Self::Late, Self::Person]
            .into_iter()
            .find(|request| request.as_str() == word)
    }
}

/// What surrounds a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// A person took this conversation over.
    pub taken_over: bool,
    /// It answers a reminder: quotes it, or the reminder is the last thing that was said.
    pub answers_reminder: bool,
    /// Visits that it may be about.
    pub visits: usize,
    /// The only such visit begins so soon that its cancellation is the owner's.
    pub is_near: bool,
}

/// What follows from a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: nobody waits for an answer.
    Acknowledged,
    /// The client comes.
    Confirm,
    /// The booking is taken off.
    Cancel,
    /// The owner is asked, the client is told so.
    HandOn(Request),
    /// The client is asked which visit is meant.
    AskWhich(Request),
    /// A person has to read it.
    Words,
}

/// What follows from a message of this meaning.
#[must_use]
pub fn decide(meaning: Option<Meaning>, around: Around, replies: &Replies) -> Verdict {
    let Some(meaning) = meaning else {
        return Verdict::Words;
    };
    if around.taken_over {
        // What is said to a person is theirs to understand.
        return match meaning {
            Meaning::Thanks => Verdict::Acknowledged,
            Meaning::Nod if !around.answers_reminder => Verdict::Acknowledged,
            _ => Verdict::Words,
        };
    }
    match meaning {
        Meaning::Thanks => Verdict::Acknowledged,
        Meaning::Nod if !around.answers_reminder => Verdict::Acknowledged,
        Meaning::Nod | Meaning::Confirm => match around.visits {
            // Of a reminder that names several visits all are meant.
            1 => Verdict::Confirm,
            n if n > 1 && around.answers_reminder => Verdict::Confirm,
            _ => Verdict::Words,
        },
        Meaning::Person => Verdict::HandOn(Request::Person),
        Meaning::Late if around.visits == 0 => Verdict::Words,
        Meaning::Late => Verdict::HandOn(Request::Late),
        Meaning::Move => match around.visits {
            0 => Verdict::HandOn(Request::Person),
            1 => Verdict::HandOn(Request::Move),
            _ => Verdict::AskWhich(Request::Move),
        },
        // A no to anything else ("Всё ли понравилось?", a question of the salon's) takes nothing off.
        Meaning::No if !around.answers_reminder => Verdict::Words,
        Meaning::No | Meaning::Cancel => match around.visits {
            0 => Verdict::Words,
            1 if replies.write && replies.cancel == CancelBy::Program && !around.is_near => {
                Verdict::Cancel
            }
            1 => Verdict::HandOn(Request::Cancel),
            _ => Verdict::AskWhich(Request::Cancel),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(visits: usize) -> Around {
        Around {
            visits,
            ..Around::default()
        }
    }

    #[test]
    fn a_nod_confirms_only_in_answer_to_a_reminder() {
        let replies = Replies::default();
        let decide = |around| decide(Some(Meaning::Nod), around, &replies);
        assert_eq!(decide(around(1)), Verdict::Acknowledged);
        let asked = Around {
            answers_reminder: true,
            ..around(1)
        };
        assert_eq!(decide(asked), Verdict::Confirm);
        assert_eq!(decide(Around { visits: 2, ..asked }), Verdict::Confirm);
        assert_eq!(decide(Around { visits: 0, ..asked }), Verdict::Words);
    }

    #[test]
    fn nothing_is_taken_off_unless_everything_allows_it() {
        let allowed = Replies {
            write: true,
            cancel: CancelBy::Program,
            ..Replies::default()
        };
        let decide = |around, replies: &Replies| decide(Some(Meaning::Cancel), around, replies);
        assert_eq!(decide(around(1), &allowed), Verdict::Cancel);
        let near = Around {
            is_near: true,
            ..around(1)
        };
        let asked = Verdict::HandOn(Request::Cancel);
        assert_eq!(decide(near, &allowed), asked);
        let no_write = Replies {
            write: false,
            ..allowed.clone()
        };
        assert_eq!(decide(around(1), &no_write), asked);
        let by_owner = Replies {
            cancel: CancelBy::Owner,
            ..allowed.clone()
        };
        assert_eq!(decide(around(1), &by_owner), asked);
        assert_eq!(
            decide(around(2), &allowed),
            Verdict::AskWhich(Request::Cancel)
        );
        assert_eq!(decide(around(0), &allowed), Verdict::Words);
    }

    #[test]
    fn while_a_person_speaks_no_rule_does() {
        let replies = Replies {
            write: true,
            cancel: CancelBy::Program,
            ..Replies::default()
        };
        let taken_over = Around {
            taken_over: true,
            answers_reminder: true,
            ..around(1)
        };
        for meaning in [
            Meaning::Nod,
            Meaning::Confirm,
            Meaning::Cancel,
            Meaning::Move,
            Meaning::Late,
            Meaning::Person,
        ] {
            let verdict = decide(Some(meaning), taken_over, &replies);
            assert_eq!(verdict, Verdict::Words, "{meaning:?}");
        }
    }
}
