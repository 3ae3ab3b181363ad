//! A language model, as the agent asks one: a conversation in, words or calls of tools out.
//!
//! What is asked has passed the mask already: no phone, surname or e-mail stands in it. An answer is
//! a stranger's words, whatever it claims.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in the model's language.
    pub description: &'static str,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// A call of a tool.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// What ties the result to the call: the service's own word, given back as it came.
    pub id: String,
    /// The tool's name, as the model wrote it.
    pub name: String,
    /// An object, or whatever else the model wrote.
    pub arguments: Value,
}

/// One thing said, in order.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Said {
    /// By the client.
    Client {
        /// Their words.
        text: String,
    },
    /// By the salon: the robot or a person.
    Salon {
        /// The words.
        text: String,
    },
    /// The model called tools.
    Called {
        /// Which, in its order.
        calls: Vec<Call>,
    },
    /// A tool's result.
    Result {
        /// The call's.
        id: String,
        /// The tool's name.
        name: String,
        /// JSON.
        content: Value,
    },
    /// A word of the program's to the model.
    Note {
        /// The words.
        text: String,
    },
}

/// What a model is asked.
#[derive(Clone, PartialEq)]
pub struct Ask {
    /// What it is to be and to obey.
    pub system: String,
    /// The conversation so far.
    pub said: Vec<Said>,
    /// What it may call.
    pub tools: Vec<Tool>,
}

// What people say is for the database alone, also behind a mask.
impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Ask({} said, {} tools)",
            self.said.len(),
            self.tools.len()
        )
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.name)
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client { .. } => "Client",
            Self::Salon { .. } => "Salon",
            Self::Called { .. } => "Called",
            Self::Result { .. } => "Result",
            Self::Note { .. } => "Note",
        })
    }
}

/// What it answered.
#[derive(Clone, PartialEq)]
pub enum Thought {
    /// Words for the client.
    Words(String),
    /// Calls of tools; their results are waited for.
    Calls(Vec<Call>),
}

impl fmt::Debug for Thought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(_) => f.write_str("Words"),
            Self::Calls(calls) => write!(f, "{calls:?}"),
        }
    }
}

/// Why there is no answer. None of them repeats what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Too many requests at once: a moment later it may answer.
    #[error("busy")]
    Busy {
        /// The stated pause.
        pause: Option<Duration>,
    },
    /// What was paid for is used up.
    #[error("over its quota")]
    OverQuota,
    /// Its filter refuses to speak of this.
    #[error("refused by its filter")]
    Blocked,
    /// A person has to act: key, scope, model's name.
    #[error("HTTP {status}: {why}")]
    Refused {
        /// 400, 401, 403, 404.
        status: u16,
        /// What the service said.
        why: String,
    },
    /// An answer that is none.
    #[error("unreadable answer: {0}")]
    Nonsense(String),
    /// No answer in time.
    #[error("timed out")]
    TimedOut,
    /// The service or the way to it is out of order.
    #[error("{0}")]
    Unavailable(String),
}

impl ModelError {
    /// The stored word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::OverQuota => "over_quota",
            Self::Blocked => "blocked",
            Self::Refused { .. } => "refused",
            Self::Nonsense(_) => "nonsense",
            Self::TimedOut => "timed_out",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

/// A language model.
#[async_trait]
pub trait Model: Send + Sync {
    /// What it is called there.
    fn name(&self) -> &str;

    /// Asks it once.
    async fn ask(&self, ask: &Ask) -> Result<Thought, ModelError>;

    /// Whether it could be asked at all: the key is taken and the model is there. Sends nobody's
    /// words.
    async fn probe(&self) -> Result<(), ModelError>;
}
