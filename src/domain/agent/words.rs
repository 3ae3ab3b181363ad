//! Words as they are compared: small letters, one spelling for what looks the same.

use crate::domain::message::markup::tidy;

/// Latin letters that pass for Cyrillic ones.
const ALIKE: [(char, char); 16] = [
    ('a', 'а'),
    ('e', 'е'),
    ('o', 'о'),
    ('p', 'р'),
    ('c', 'с'),
    ('x', 'х'),
    ('y', 'у'),
    ('k', 'к'),
    ('m', 'м'),
    ('t', 'т'),
    ('h', 'н'),
    ('b', 'в'),
    ('n', 'п'),
    ('u', 'и'),
    ('i', 'и'),
    ('r', 'г'),
];

fn is_cyrillic(c: char) -> bool {
    matches!(c, 'а'..='я')
}

/// A line in small letters, without anything invisible; `ё` is `е`, and a word that mixes alphabets
/// is Cyrillic.
pub(super) fn folded(line: &str) -> String {
    let line = tidy(line).to_lowercase().replace('ё', "е");
    let mut out = String::with_capacity(line.len());
    let mut word = String::new();
    for c in line.chars().chain([' ']) {
        if c.is_alphanumeric() {
            word.push(c);
            continue;
        }
        match word.chars().any(is_cyrillic) {
            true => out.extend(word.chars().map(|c| {
                let alike = ALIKE.iter().find(|(latin, _)| *latin == c);
                alike.map_or(c, |(_, cyrillic)| *cyrillic)
            })),
            false => out.push_str(&word),
        }
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// The words of a folded line. Letters that stand apart (`з а п и с а л`) are one word.
pub(super) fn split(folded: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut apart = 0;
    for word in folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let letter = word.chars().count() == 1 && !word.starts_with(|c: char| c.is_ascii_digit());
        match (letter, words.last_mut()) {
            (true, Some(last)) if apart > 0 => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
        apart = if letter { apart + 1 } else { 0 };
    }
    words
}

/// Whether the words are nothing but listed phrases.
pub(super) fn made_of(words: &[String], listed: &[&str]) -> bool {
    let fits = |phrase: &&str| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let begins = words.len() >= phrase.len() && phrase.iter().zip(words).all(|(p, w)| p == w);
        begins.then_some(phrase.len())
    };
    words.is_empty()
        || listed
            .iter()
            .filter_map(fits)
            .any(|length| made_of(&words[length..], listed))
}
