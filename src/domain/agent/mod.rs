//! The agent: what a language model may see, call and say in a salon's name. Pure.
//!
//! The model is a stranger who writes well. It sees no phone, surname or e-mail ([`mask`]), calls only
//! the tools of [`tools`], and whatever it claims is held against what the journal answered ([`proof`]).
//! It writes nothing: it proposes, code composes the sentence ([`proposal`]), and only the client's yes
//! to exactly that sentence becomes an intent. Where a conversation stands is [`state`].

pub mod mask;
pub mod prompt;
pub mod proof;
pub mod proposal;
pub mod state;
pub mod tools;
mod words;

use crate::domain::message::Language;

/// The language of what somebody wrote; `None` where there is no letter.
#[must_use]
pub fn language_of(text: &str) -> Option<Language> {
    let (mut ru, mut en) = (0, 0);
    for c in text.to_lowercase().chars() {
        match c {
            'а'..='я' | 'ё' => ru += 1,
            'a'..='z' => en += 1,
            _ => {}
        }
    }
    match (ru, en) {
        (0, 0) => None,
        _ if ru >= en => Some(Language::Ru),
        _ => Some(Language::En),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_answered_in_their_language() {
        for (text, language) in [
            ("Сколько стоит стрижка?", Some(Language::Ru)),
            ("How much is a haircut?", Some(Language::En)),
            ("Стрижка Fade?", Some(Language::Ru)),
            ("21.08 14:30 👍", None),
        ] {
            assert_eq!(language_of(text), language, "{text}");
        }
    }
}
