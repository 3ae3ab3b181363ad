//! What a client's message asks for as a whole. A word among others is no command: "стоп, я не то
//! написала" goes to a person.

/// Beside politeness: nobody waits for an answer to these.
const ACKNOWLEDGED: [&str; 13] = [
    "да",
    "ок",
    "окей",
    "ok",
    "okay",
    "yes",
    "хорошо",
    "буду",
    "приду",
    "придем",
    "подтверждаю",
    "понятно",
    "поняла",
];

/// Whether nobody waits for an answer to this: a wish, which is confirmed, thanks, a nod, a picture.
#[must_use]
pub fn needs_no_answer(text: &str) -> bool {
    let words = words(text);
    let nods = made_of(&words, &ACKNOWLEDGED, &mut false);
    Wish::of(text).is_some() || nods && !text.trim_start().starts_with('/')
}

/// What a whole message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// No more messages about bookings.
    Stop,
    /// Messages again.
    Start,
}

const STOP: [&str; 11] = [
    "стоп",
    "stop",
    "отписаться",
    "отписка",
    "отпишите",
    "отпишите меня",
    "не пишите",
    "не пишите мне",
    "больше не пишите",
    "больше не пишите мне",
    "unsubscribe",
];

const START: [&str; 3] = ["старт", "start", "подписаться"];

/// May stand beside any of them and mean nothing.
const POLITE: [&str; 14] = [
    "пожалуйста",
    "здравствуйте",
    "добрый день",
    "добрый вечер",
    "доброе утро",
    "привет",
    "спасибо",
    "благодарю",
    "please",
    "hello",
    "hi",
    "good day",
    "thanks",
    "thank you",
];

impl Wish {
    /// What this text asks for, if it is nothing but that.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let words = words(text);
        let made_of = |listed: &[&str]| {
            let mut found = false;
            made_of(&words, listed, &mut found) && found
        };
        match (made_of(&STOP), made_of(&START)) {
            (true, false) => Some(Self::Stop),
            (false, true) => Some(Self::Start),
            _ => None,
        }
    }
}

/// Whether the words are nothing but listed phrases and politeness; `found` when a listed one is
/// among them.
fn made_of(words: &[String], listed: &[&str], found: &mut bool) -> bool {
    if words.is_empty() {
        return true;
    }
    let begins = |phrase: &&str| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let fits = words.len() >= phrase.len() && phrase.iter().zip(words).all(|(p, w)| p == w);
        fits.then_some(phrase.len())
    };
    let asked = listed.iter().filter_map(begins).max();
    let polite = POLITE.iter().filter_map(begins).max();
    match (asked, polite) {
        (Some(length), _) => {
            *found = true;
            made_of(&words[length..], listed, found)
        }
        (None, Some(length)) => made_of(&words[length..], listed, found),
        (None, None) => false,
    }
}

/// The words of a text in small letters, without punctuation and pictures.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .replace('ё', "е")
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_nothing_but_the_word_is_a_wish() {
        for text in [
            "стоп",
            "СТОП!!!",
            "Stop.",
            "  стоп 🙏 ",
            "«Стоп»",
            "не пишите",
            "Не пишите мне!",
            "Больше не пишите мне, пожалуйста",
            "Здравствуйте! Отпишите меня, спасибо.",
            "стоп стоп",
            "Please, stop",
            "unsubscribe",
        ] {
            assert_eq!(Wish::of(text), Some(Wish::Stop), "{text}");
        }
        for text in ["старт", "START", "Подписаться, пожалуйста 🤍"] {
            assert_eq!(Wish::of(text), Some(Wish::Start), "{text}");
        }
    }

    #[test]
    fn nobody_waits_for_an_answer_to_thanks_and_nods() {
        for text in [
            "Спасибо!",
            "ок",
            "👍",
            "Да, хорошо, спасибо 🤍",
            "Стоп",
            "Буду",
        ] {
            assert!(needs_no_answer(text), "{text}");
        }
        for text in ["да, но можно позже?", "не приду", "?1", "спасибо, не смогу"]
        {
            assert!(!needs_no_answer(text), "{text}");
        }
    }

    #[test]
    fn a_word_among_others_goes_to_a_person() {
        for text in [
            "стоп, я не то написала",
            "не пишите мне завтра",
            "старт стоп",
            "спасибо",
            "стопа болит",
            "когда старт занятия?",
            "не стоп",
            "",
            "🙏",
        ] {
            assert_eq!(Wish::of(text), None, "{text}");
        }
    }
}
