//! A line taken apart: sentences, each with the mark it ends with, and their clauses, of which each affirms
//! or denies for itself. "Не сомневайтесь, на 18:00 свободно" denies nothing of 18:00.

use super::super::words::{folded, split};

/// A clause with one of these denies what it names.
const DENIALS: [&str; 11] = [
    "не",
    "нет",
    "ни",
    "нельзя",
    "no",
    "not",
    "t",
    "unavailable",
    "taken",
    "busy",
    "никак",
];

/// With one of these it affirms all the same, or denies something else: a doubt, a problem.
const AFFIRMS: &[&str] = &[
    "проблем",
    "сомне",
    "пережива",
    "волну",
    "беспоко",
    "есть",
    "можно",
    "приходите",
    "ждем",
    "хотите",
    "желаете",
    "problem",
    "worry",
    "doubt",
    "только",
];

/// These affirm unless they are denied themselves.
const FREE: &[&str] = &["свободн", "доступн", "подход", "free", "available"];

/// Behind a denial one of these sets a bound, which is offered: "не раньше 16:00".
const BOUNDS: [&str; 8] = [
    "раньше",
    "ранее",
    "позже",
    "позднее",
    "before",
    "earlier",
    "after",
    "later",
];

/// In a question "не" denies nothing ("не хотите в 16:00?") but these.
const FAILS: &[&str] = &["получ", "выйдет", "остал", "свободн", "доступн"];

/// Words that make no clause by themselves.
const SMALL: [&str; 16] = [
    "на", "в", "во", "и", "с", "со", "до", "к", "ко", "по", "или", "от", "at", "on", "and", "or",
];

/// Sentences of a line, each with the mark it ends with.
pub(super) fn sentences(line: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut from = 0;
    let mut marks = line.char_indices().peekable();
    while let Some((at, c)) = marks.next() {
        let ends = matches!(c, '!' | '?' | ';' | '…')
            || (c == '.' && marks.peek().is_none_or(|(_, next)| next.is_whitespace()));
        if ends {
            let end = at + c.len_utf8();
            all.push(&line[from..end]);
            from = end;
        }
    }
    all.push(&line[from..]);
    all
}

/// Clauses of a sentence. One that only counts up (`12:00, 14:30 и 16:00 заняты`) belongs to what follows.
pub(super) fn clauses(sentence: &str) -> Vec<&str> {
    let mut ends = Vec::new();
    let mut marks = sentence.char_indices().peekable();
    while let Some((at, c)) = marks.next() {
        let parts = matches!(c, ',' | '—' | '–' | ':')
            && marks.peek().is_none_or(|(_, next)| next.is_whitespace());
        if parts {
            ends.push(at + c.len_utf8());
        }
        for word in [" но ", " а ", " зато ", " but "] {
            if sentence[at..].starts_with(word) {
                ends.push(at);
            }
        }
    }
    ends.push(sentence.len());
    let (mut all, mut from) = (Vec::new(), 0);
    for end in ends {
        let says = || says(&split(&folded(&sentence[from..end])));
        if end > from && (end == sentence.len() || says()) {
            all.push(&sentence[from..end]);
            from = end;
        }
    }
    all
}

/// Whether these words say anything but figures.
pub(super) fn says(words: &[String]) -> bool {
    let is_word = |word: &String| word.chars().all(char::is_alphabetic);
    let mut all = words.iter().filter(|word| is_word(word));
    all.any(|word| !is_small(word))
}

pub(super) fn is_small(word: &str) -> bool {
    SMALL.contains(&word)
}

/// Clauses of a sentence, folded, each with its words and whether it denies what it names.
pub(super) fn stances(sentence: &str) -> Vec<(String, Vec<String>, bool)> {
    let asks = sentence.trim_end().ends_with('?');
    // "на 18:00, к сожалению, занято" is one clause.
    let sentence = sentence.replace(", к сожалению,", "").replace(", увы,", "");
    let lines = clauses(&sentence).into_iter().map(folded);
    let mut all: Vec<(String, Vec<String>, bool)> = lines
        .map(|line| {
            let words = split(&line);
            let denies = denies(&words) && (!asks || is_denial(&words));
            (line, words, denies)
        })
        .collect();
    // What is asked itself is offered.
    if let Some((_, _, denies)) = all.last_mut().filter(|_| asks) {
        *denies = false;
    }
    all
}

/// Whether a clause of a question denies: by another word than "не", or that something works out.
fn is_denial(words: &[String]) -> bool {
    let fails = |word: &String| FAILS.iter().any(|beginning| word.starts_with(beginning));
    let mut pairs = words.windows(2);
    let is_other = |word: &String| {
        word.starts_with("занят") || (word != "не" && DENIALS.contains(&word.as_str()))
    };
    words.iter().any(is_other) || pairs.any(|pair| pair[0] == "не" && fails(&pair[1]))
}

/// Whether a clause of these words denies what it names.
pub(super) fn denies(words: &[String]) -> bool {
    let is_denied = |at: usize| {
        let before = at.checked_sub(1).map(|i| words[i].as_str());
        before.is_some_and(|b| matches!(b, "не" | "not" | "no" | "t" | "нет"))
    };
    let is = |word: &str, beginnings: &[&str]| beginnings.iter().any(|b| word.starts_with(b));
    let mut denies = false;
    for (at, word) in words.iter().enumerate() {
        // "не занято" is free, "не свободно" is not.
        let takes = word.starts_with("занят");
        if (takes && is_denied(at)) || is(word, AFFIRMS) || (is(word, FREE) && !is_denied(at)) {
            return false;
        }
        let next = words.get(at + 1).map_or("", String::as_str);
        denies |= takes || (DENIALS.contains(&word.as_str()) && !BOUNDS.contains(&next));
    }
    denies
}
