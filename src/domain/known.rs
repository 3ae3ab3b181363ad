//! What a person may be assumed to know of one booking: the other half of every message.

use serde::{Deserialize, Serialize};

use super::record::Record;

/// One state of knowledge about one booking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", content = "record", rename_all = "snake_case")]
pub enum Knowledge {
    /// Never heard of it.
    Nothing,
    /// Knows that it exists, but we do not know in which form.
    Unseen,
    /// Knows it in this form.
    Booked(Box<Record>),
    /// Knows that it is off; this was its last form.
    Cancelled(Box<Record>),
}

impl Knowledge {
    /// The knowledge of someone who sees the booking as it is.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let record = Box::new(record.clone());
        if record.is_alive() {
            Self::Booked(record)
        } else {
            Self::Cancelled(record)
        }
    }

    /// The person believes that the booking stands.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        matches!(self, Self::Unseen | Self::Booked(_))
    }

    /// The form in which it is known, when it is.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Booked(r) | Self::Cancelled(r) => Some(r),
            Self::Nothing | Self::Unseen => None,
        }
    }
}

/// One or two states: two after a send whose outcome nobody can tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Known(Vec<Knowledge>);

impl Known {
    /// Certain knowledge.
    #[must_use]
    pub fn certain(state: Knowledge) -> Self {
        Self(vec![state])
    }

    /// What is known after a send that may or may not have arrived.
    #[must_use]
    pub fn or(mut self, state: Knowledge) -> Self {
        if !self.0.contains(&state) {
            self.0.push(state);
        }
        self
    }

    /// The same where states of this kind count as never heard of.
    #[must_use]
    pub fn without(&self, none: impl Fn(&Knowledge) -> bool) -> Self {
        let states = self.0.iter().map(|state| match none(state) {
            true => Knowledge::Nothing,
            false => state.clone(),
        });
        let known = states.fold(None, |known: Option<Self>, state| {
            Some(known.map_or_else(|| Self::certain(state.clone()), |k| k.or(state.clone())))
        });
        known.unwrap_or_default()
    }

    /// The possible states, at least one.
    #[must_use]
    pub fn states(&self) -> &[Knowledge] {
        &self.0
    }

    /// The state, when there is only one.
    #[must_use]
    pub fn single(&self) -> Option<&Knowledge> {
        match self.0.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

impl Default for Known {
    fn default() -> Self {
        Self::certain(Knowledge::Nothing)
    }
}
