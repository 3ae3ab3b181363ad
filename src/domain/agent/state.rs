//! Where a conversation stands, as a typed machine: what happened moves it, never the model's word.

/// Where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Somebody wrote, and nothing is known of what they want.
    #[default]
    Greeting,
    /// What the salon does, and who does it.
    ServiceInquiry,
    /// What it costs.
    Pricing,
    /// When there is time, and which bookings there are.
    Booking,
    /// A sentence waits for the client's yes.
    Confirmation,
    /// All is said.
    Goodbye,
}

/// Every state, in the order of a conversation.
pub const STATES: [State; 6] = [
    State::Greeting,
    State::ServiceInquiry,
    State::Pricing,
    State::Booking,
    State::Confirmation,
    State::Goodbye,
];

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The client said hello.
    Greeted,
    /// The model looked at services, masters or the salon.
    Inquired,
    /// It looked at prices.
    Priced,
    /// It looked for free time, or at the client's bookings.
    Searched,
    /// A sentence was put to the client.
    Proposed,
    /// The client said yes to it.
    Agreed,
    /// The client said no, said something else, or nothing in time.
    Lapsed,
    /// The client took leave.
    Left,
}

/// Everything that can happen.
pub const STEPS: [Step; 8] = [
    Step::Greeted,
    Step::Inquired,
    Step::Priced,
    Step::Searched,
    Step::Proposed,
    Step::Agreed,
    Step::Lapsed,
    Step::Left,
];

impl State {
    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::ServiceInquiry => "service_inquiry",
            Self::Pricing => "pricing",
            Self::Booking => "booking",
            Self::Confirmation => "confirmation",
            Self::Goodbye => "goodbye",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        STATES.into_iter().find(|state| state.as_str() == word)
    }

    /// Where it stands after this; `None` when this cannot happen here.
    ///
    /// A sentence that waits has to be agreed to or to lapse before anything else happens: so no yes
    /// can ever be taken for an answer to what was asked before other talk.
    #[must_use]
    pub fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Confirmation, Step::Agreed) => Some(Self::Goodbye),
            (Self::Confirmation, Step::Lapsed) => Some(Self::Booking),
            (Self::Confirmation, _) | (_, Step::Agreed | Step::Lapsed) => None,
            (_, Step::Greeted) => Some(Self::Greeting),
            (_, Step::Inquired) => Some(Self::ServiceInquiry),
            (_, Step::Priced) => Some(Self::Pricing),
            (_, Step::Searched) => Some(Self::Booking),
            (_, Step::Proposed) => Some(Self::Confirmation),
            (_, Step::Left) => Some(Self::Goodbye),
        }
    }
}

impl Step {
    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Greeted => "greeted",
            Self::Inquired => "inquired",
            Self::Priced => "priced",
            Self::Searched => "searched",
            Self::Proposed => "proposed",
            Self::Agreed => "agreed",
            Self::Lapsed => "lapsed",
            Self::Left => "left",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_waits_is_agreed_to_or_lapses_and_nothing_else_happens_before() {
        for step in STEPS {
            let after = State::Confirmation.after(step);
            match step {
                Step::Agreed => assert_eq!(after, Some(State::Goodbye)),
                Step::Lapsed => assert_eq!(after, Some(State::Booking)),
                _ => assert_eq!(after, None, "{step:?}"),
            }
        }
    }

    #[test]
    fn nobody_agrees_to_what_was_not_proposed() {
        for state in STATES {
            let agreed = state.after(Step::Agreed).is_some();
            assert_eq!(agreed, state == State::Confirmation, "{state:?}");
        }
    }

    #[test]
    fn every_state_is_stored_under_a_word_of_its_own() {
        for state in STATES {
            assert_eq!(State::from_stored(state.as_str()), Some(state));
        }
        assert_eq!(State::from_stored("booked"), None);
    }
}
