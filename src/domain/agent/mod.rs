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

/// Words that say nothing but hello or goodbye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Courtesy {
    /// Hello.
    Greeting,
    /// Goodbye.
    Farewell,
}

const HELLO: [&str; 13] = [
    "здравствуйте",
    "здравствуй",
    "добрый день",
    "добрый вечер",
    "доброе утро",
    "доброго дня",
    "привет",
    "приветствую",
    "hello",
    "hi",
    "good morning",
    "good day",
    "good evening",
];
const BYE: [&str; 13] = [
    "до свидания",
    "до встречи",
    "пока",
    "всего доброго",
    "всего хорошего",
    "хорошего дня",
    "спасибо",
    "большое",
    "и вам",
    "bye",
    "goodbye",
    "good bye",
    "see you",
];

/// What a whole message is, if it is nothing but courtesy. Thanks alone ask for no answer.
#[must_use]
pub fn courtesy(text: &str) -> Option<Courtesy> {
    let words: Vec<String> = text
        .lines()
        .flat_map(|line| words::split(&words::folded(line)))
        .collect();
    if words.is_empty() || text.contains('?') {
        return None;
    }
    let only_thanks = words::made_of(&words, &["спасибо", "большое"]);
    if words::made_of(&words, &HELLO) {
        Some(Courtesy::Greeting)
    } else if words::made_of(&words, &BYE) && !only_thanks {
        Some(Courtesy::Farewell)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn courtesy_is_nothing_but_courtesy() {
        for (text, expected) in [
            ("Здравствуйте!", Some(Courtesy::Greeting)),
            ("добрый день 🙂", Some(Courtesy::Greeting)),
            ("Спасибо, до свидания", Some(Courtesy::Farewell)),
            ("Здравствуйте, сколько стоит стрижка", None),
            ("спасибо", None),
            ("привет?", None),
            ("", None),
        ] {
            assert_eq!(courtesy(text), expected, "{text}");
        }
    }

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
