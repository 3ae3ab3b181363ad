//! A messenger: what goes out over it, and what it can say of itself.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::delivery::Outcome;
use crate::domain::journal::Journaled;
use crate::domain::message::{Brief, Markup};

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
