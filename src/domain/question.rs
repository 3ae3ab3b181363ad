//! What an owner decides by a button under a message: the matter, the choices, and how it ended.
//!
//! A button carries only the number of its question, the choice, and how many messages it spoke of
//! when it was shown. Nothing in it is a right: who may decide is asked anew at every press.

use super::policy::Kind;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matter {
    /// Whether this notification arrived.
    Uncertain(i64),
    /// What to do about this notification, which no channel took.
    Dead(i64),
    /// What to do with what the guard holds of this kind.
    Guard(Kind),
    /// What to do with what waits for the end of the pause that began then.
    Pause(String),
    /// Whether the client was called whom this notification could not tell.
    Call(i64),
    /// What to do about a client who wants this order's booking taken off.
    Cancel(i64),
}

impl Matter {
    /// The stored word.
    #[must_use]
    pub fn stored(&self) -> String {
        match self {
            Self::Uncertain(id) => format!("uncertain:{id}"),
            Self::Dead(id) => format!("dead:{id}"),
            Self::Guard(kind) => format!("guard:{}", kind.as_str()),
            Self::Pause(since) => format!("pause:{since}"),
            Self::Call(id) => format!("call:{id}"),
            Self::Cancel(id) => format!("cancel:{id}"),
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        let (what, of) = word.split_once(':')?;
        match what {
            "uncertain" => of.parse().ok().map(Self::Uncertain),
            "dead" => of.parse().ok().map(Self::Dead),
            "guard" => Kind::NEWS
                .into_iter()
                .find(|kind| kind.as_str() == of)
                .map(Self::Guard),
            "pause" => Some(Self::Pause(of.to_owned())),
            "call" => of.parse().ok().map(Self::Call),
            "cancel" => of.parse().ok().map(Self::Cancel),
            _ => None,
        }
    }

    /// The notification it is about, where it is about one.
    #[must_use]
    pub fn notification(&self) -> Option<i64> {
        match self {
            Self::Uncertain(id) | Self::Dead(id) | Self::Call(id) => Some(*id),
            Self::Guard(_) | Self::Pause(_) | Self::Cancel(_) => None,
        }
    }

    /// What can be chosen, in the order of the buttons.
    #[must_use]
    pub fn choices(&self) -> &'static [Choice] {
        match self {
            Self::Uncertain(_) => &[Choice::Arrived, Choice::Again],
            Self::Dead(_) => &[Choice::Again],
            Self::Guard(_) | Self::Pause(_) => &[Choice::Show, Choice::Send, Choice::Drop],
            Self::Call(_) => &[Choice::Called],
            Self::Cancel(_) => &[Choice::TakeOff, Choice::Answer],
        }
    }
}

/// What a button says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It arrived.
    Arrived,
    /// Send it again.
    Again,
    /// Send what waits.
    Send,
    /// Do not send what waits.
    Drop,
    /// Show what waits; that decides nothing.
    Show,
    /// The client was called.
    Called,
    /// Take the booking off.
    TakeOff,
    /// Say how the client is answered; that decides nothing.
    Answer,
}

const CHOICES: [(Choice, char); 8] = [
    (Choice::Arrived, 'y'),
    (Choice::Again, 'a'),
    (Choice::Send, 's'),
    (Choice::Drop, 'd'),
    (Choice::Show, 'l'),
    (Choice::Called, 'c'),
    (Choice::TakeOff, 'o'),
    (Choice::Answer, 'r'),
];

/// A press, as a button carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// The question's number.
    pub question: i64,
    /// What was chosen.
    pub choice: Choice,
    /// How many messages the button spoke of.
    pub figure: i64,
}

impl Pressed {
    /// `q17:s:14`: far below the 64 bytes that a button may carry.
    #[must_use]
    pub fn data(&self) -> String {
        let letter = CHOICES.iter().find(|(c, _)| *c == self.choice);
        let letter = letter.map_or('?', |(_, letter)| *letter);
        format!("q{}:{letter}:{}", self.question, self.figure)
    }

    /// What a button carried; `None` for what none of ours carries.
    #[must_use]
    pub fn read(data: &str) -> Option<Self> {
        let mut parts = data.strip_prefix('q')?.split(':');
        let (question, letter, figure) = (parts.next()?, parts.next()?, parts.next()?);
        let choice = CHOICES.iter().find(|(_, l)| letter == l.to_string())?.0;
        let whole = parts.next().is_none();
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<i64>().ok().filter(|_| digits)
        };
        whole
            .then_some(Self {
                question: number(question)?,
                choice,
                figure: number(figure)?,
            })
            .filter(|pressed| pressed.data() == data)
    }
}

/// What a client answers by a button under a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The reminder.
    pub notification: i64,
    /// They come.
    pub comes: bool,
}

impl Answered {
    /// `a17:y`.
    #[must_use]
    pub fn data(self) -> String {
        let letter = if self.comes { 'y' } else { 'n' };
        format!("a{}:{letter}", self.notification)
    }

    /// What a button carried; `None` for what none of ours carries.
    #[must_use]
    pub fn read(data: &str) -> Option<Self> {
        let (number, letter) = data.strip_prefix('a')?.split_once(':')?;
        let answered = Self {
            notification: number.parse().ok()?,
            comes: letter == "y",
        };
        (answered.data() == data).then_some(answered)
    }
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It arrived, a person says, or a messenger.
    Arrived,
    /// It goes again.
    Again,
    /// A later message states what this one may have said.
    Superseded,
    /// So many messages were let go.
    Sent(i64),
    /// So many messages are not sent.
    Dropped(i64),
    /// The client was called.
    Called,
    /// The booking is being taken off.
    TakingOff,
    /// The booking was taken off.
    TakenOff,
    /// The booking could not be taken off.
    NotTakenOff,
    /// There is nothing to decide any more.
    Over,
}

impl End {
    /// The stored word.
    #[must_use]
    pub fn stored(self) -> String {
        match self {
            Self::Arrived => "arrived".to_owned(),
            Self::Again => "again".to_owned(),
            Self::Superseded => "superseded".to_owned(),
            Self::Sent(count) => format!("sent:{count}"),
            Self::Dropped(count) => format!("dropped:{count}"),
            Self::Called => "called".to_owned(),
            Self::TakingOff => "taking_off".to_owned(),
            Self::TakenOff => "taken_off".to_owned(),
            Self::NotTakenOff => "not_taken_off".to_owned(),
            Self::Over => "over".to_owned(),
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(word: &str) -> Self {
        let (what, count) = word.split_once(':').unwrap_or((word, ""));
        let count = count.parse().unwrap_or(0);
        match what {
            "arrived" => Self::Arrived,
            "again" => Self::Again,
            "superseded" => Self::Superseded,
            "sent" => Self::Sent(count),
            "dropped" => Self::Dropped(count),
            "called" => Self::Called,
            "taking_off" => Self::TakingOff,
            "taken_off" => Self::TakenOff,
            "not_taken_off" => Self::NotTakenOff,
            _ => Self::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_carries_little_and_is_read_back() {
        for (choice, _) in CHOICES {
            let pressed = Pressed {
                question: i64::MAX,
                choice,
                figure: i64::MAX,
            };
            assert!(pressed.data().len() <= 64, "{}", pressed.data());
            assert_eq!(Pressed::read(&pressed.data()), Some(pressed));
        }
    }

    #[test]
    fn a_clients_button_is_no_owners() {
        let answered = Answered {
            notification: 17,
            comes: false,
        };
        assert_eq!(Answered::read(&answered.data()), Some(answered));
        assert_eq!(Pressed::read(&answered.data()), None);
        for forged in ["a17:x", "a+17:y", "a017:y", "q17:s:1", "a17", "a17:y:1"] {
            assert_eq!(Answered::read(forged), None, "{forged}");
        }
    }

    #[test]
    fn what_no_button_of_ours_carries_is_no_press() {
        for forged in [
            "",
            "q",
            "q1",
            "q1:s",
            "q1:s:",
            "q1:x:1",
            "q1:s:1:1",
            "q-1:s:1",
            "q1:s:-1",
            "q+1:s:1",
            "q01:s:1",
            "1:s:1",
            "q1:sd:1",
            "q99999999999999999999:s:1",
            "q1:s:1; DROP TABLE known",
        ] {
            assert_eq!(Pressed::read(forged), None, "{forged}");
        }
    }

    #[test]
    fn matters_and_ends_are_read_back_as_they_were_stored() {
        for matter in [
            Matter::Uncertain(17),
            Matter::Dead(18),
            Matter::Guard(Kind::Cancelled),
            Matter::Guard(Kind::Updated),
            Matter::Pause("2026-08-20T09:00:00.000Z".to_owned()),
            Matter::Call(19),
            Matter::Cancel(20),
        ] {
            assert_eq!(Matter::from_stored(&matter.stored()), Some(matter));
        }
        for end in [
            End::Arrived,
            End::Again,
            End::Superseded,
            End::Sent(14),
            End::Dropped(0),
            End::Called,
            End::TakingOff,
            End::TakenOff,
            End::NotTakenOff,
            End::Over,
        ] {
            assert_eq!(End::from_stored(&end.stored()), end);
        }
    }
}
