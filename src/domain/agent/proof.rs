//! The proof rule: what the model writes is said only as far as the journal's own answers bear it out.
//!
//! That something was booked, moved or cancelled is said in no form without the API's answer in hand, and
//! only of the very moment that it was done for. Times, days, prices and other figures, links, and people
//! by name have to stand in what our tools answered in this conversation, or in what the salon itself said;
//! a time that stands with a day has to be one of that day, a price that stands with a service that one's.
//! What cannot be checked by code (tone, general words) is the model's own. The rule errs on the side of
//! silence: a true sentence that is refused costs one more question, a false one costs a client.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime, Timelike as _};
use serde_json::Value;

use super::words::{folded, split};
use claims::{Claim, claims};
use clauses::{clauses, denies, says, sentences, stances};
use figures::{Figure, Found, figures, near_day, spelled, weekday};
use pairs::{Mismatch, Pairs, Reading, Stance, counted};

mod claims;
mod clauses;
mod figures;
mod pairs;
#[cfg(test)]
mod tests;

pub use claims::Deed;

/// Why a text is not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// It claims a deed that nothing proves.
    Deed(String),
    /// A time of day that no answer named.
    Time(String),
    /// A day that no answer named.
    Day(String),
    /// A sum of money that no answer named.
    Price(String),
    /// Another figure that no answer named.
    Figure(String),
    /// An address that is not the salon's.
    Link(String),
    /// A person whom no answer named.
    Master(String),
    /// Words of a language in which nobody can tell what they claim.
    Language(String),
}

impl Breach {
    /// The stored word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Deed(_) => "deed",
            Self::Time(_) => "time",
            Self::Day(_) => "day",
            Self::Price(_) => "price",
            Self::Figure(_) => "figure",
            Self::Link(_) => "link",
            Self::Master(_) => "master",
            Self::Language(_) => "language",
        }
    }

    /// What offended, for the note to the model.
    #[must_use]
    pub fn what(&self) -> &str {
        match self {
            Self::Deed(what)
            | Self::Time(what)
            | Self::Day(what)
            | Self::Price(what)
            | Self::Figure(what)
            | Self::Link(what)
            | Self::Master(what)
            | Self::Language(what) => what,
        }
    }

    fn of(found: &Found) -> Self {
        let what = found.value.clone();
        match found.kind {
            Figure::Time(..) | Figure::Hour(_) | Figure::Half(_) => Self::Time(what),
            Figure::Day(..) | Figure::Either(..) | Figure::Weekday(_) => Self::Day(what),
            Figure::Money => Self::Price(what),
            Figure::Percent | Figure::Other => Self::Figure(what),
        }
    }
}

/// What some texts name.
#[derive(Clone, Default)]
struct Named {
    times: BTreeSet<(u32, u32)>,
    days: BTreeSet<(u32, u32)>,
    money: BTreeSet<String>,
    percents: BTreeSet<String>,
    figures: BTreeSet<String>,
    /// All of it, folded, for links and names.
    text: String,
}

impl Named {
    /// A folded line.
    fn learn(&mut self, line: &str) {
        let words = split(line);
        for found in figures(line).into_iter().chain(spelled(&words)) {
            match found.kind {
                Figure::Time(h, m) => {
                    self.times.insert((h, m));
                }
                Figure::Hour(h) => {
                    self.times.insert((h, 0));
                }
                Figure::Half(h) => {
                    self.times.insert((h, 30));
                }
                Figure::Day(d, m) => {
                    self.days.insert((d, m));
                }
                // `14.30` and `21.08` alike.
                Figure::Either(a, b) => {
                    self.times.insert((a, b));
                    self.days.insert((a, b));
                }
                Figure::Money => {
                    self.money.insert(found.value);
                }
                Figure::Percent => {
                    self.percents.insert(found.value);
                }
                Figure::Other => {
                    self.figures.insert(found.value);
                }
                Figure::Weekday(_) => {}
            }
        }
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn names(&self, found: &Found) -> bool {
        let (kind, value) = (found.kind, &found.value);
        let is_time = || self.times.iter().any(|at| kind.is_time(*at));
        match kind {
            Figure::Time(..) | Figure::Half(_) => is_time(),
            Figure::Hour(_) => is_time() || self.figures.contains(value),
            Figure::Day(..) => self.days.iter().any(|day| kind.is_day(*day)),
            Figure::Either(..) => is_time() || self.days.iter().any(|day| kind.is_day(*day)),
            Figure::Money => self.money.contains(value),
            Figure::Percent => self.percents.contains(value),
            Figure::Weekday(_) => false,
            Figure::Other => {
                let number = value.parse().unwrap_or(u32::MAX);
                self.figures.contains(value)
                    || self.money.contains(value)
                    || self.times.contains(&(number, 0))
                    || self.days.iter().any(|(day, _)| *day == number)
            }
        }
    }

    fn has_word(&self, beginning: &str) -> bool {
        let mut words = self.text.split(|c: char| !c.is_alphanumeric());
        words.any(|word| word.starts_with(beginning))
    }
}

/// Under these a tool's answer has numbers for tools, which say nothing to people.
const IDS: [&str; 3] = ["service", "master", "booking"];

/// What is known in a conversation by the journal's own answers.
#[derive(Clone, Default)]
pub struct Evidence {
    said: Named,
    /// Asked for and not free, or only asked for: may be named where it is denied.
    denied: Named,
    today: Option<NaiveDate>,
    /// What was done for this client, and for which moments.
    deeds: Vec<(Deed, Vec<NaiveDateTime>)>,
    /// When the bookings begin that this client has.
    bookings: Vec<NaiveDateTime>,
    /// Which times are of which days, and which prices of which services.
    pairs: Pairs,
    /// Nothing is written into the journal for clients: that is not even offered.
    writes_nothing: bool,
}

impl Evidence {
    /// Nothing is known yet but which day it is at the salon.
    #[must_use]
    pub fn on(today: NaiveDate) -> Self {
        Self {
            today: Some(today),
            ..Self::default()
        }
    }

    /// The salon has nothing written into its journal for clients.
    pub fn writes_nothing(&mut self) {
        self.writes_nothing = true;
    }

    /// What a tool of ours answered. What stands under `not_free` may only be denied.
    pub fn learn(&mut self, result: &Value) {
        match result {
            Value::String(text) => text.lines().for_each(|line| self.said.learn(&folded(line))),
            Value::Number(number) => {
                self.said.figures.insert(number.to_string());
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(fields) => {
                self.pairs.learn(fields);
                for (key, value) in fields {
                    match key.as_str() {
                        "not_free" => self.deny(value),
                        key if IDS.contains(&key) && value.is_number() => {}
                        _ => self.learn(value),
                    }
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn deny(&mut self, what: &Value) {
        match what {
            Value::Array(items) => items.iter().for_each(|item| self.deny(item)),
            Value::String(text) => self.learn_question(text),
            _ => {}
        }
    }

    /// What the salon's own texts say.
    pub fn learn_text(&mut self, text: &str) {
        for line in text.lines() {
            self.said.learn(&folded(line));
            self.pairs.learn_undated(line);
        }
    }

    /// What was said in the salon's name before. What it denied is no truer for that.
    pub fn learn_said(&mut self, text: &str) {
        for line in text.lines() {
            let mut day = None;
            for clause in sentences(line).into_iter().flat_map(clauses) {
                let line = folded(clause);
                if denies(&split(&line)) {
                    self.denied.learn(&line);
                    continue;
                }
                self.said.learn(&line);
                if let Some(today) = self.today {
                    self.pairs.learn_said(&line, today, &mut day);
                }
            }
        }
    }

    /// What the client asked for: nothing of it is true for that, but it may be denied.
    pub fn learn_question(&mut self, text: &str) {
        text.lines()
            .for_each(|line| self.denied.learn(&folded(line)));
    }

    /// The journal confirmed a write of ours, from and to these moments.
    pub fn prove(&mut self, deed: Deed, moments: &[NaiveDateTime]) {
        moments.iter().for_each(|at| self.pairs.learn_moment(*at));
        match (deed, moments) {
            (Deed::Booked, [at]) | (Deed::Moved, [.., at]) => {
                self.bookings.retain(|booked| !moments.contains(booked));
                self.bookings.push(*at);
            }
            _ => self.bookings.retain(|booked| !moments.contains(booked)),
        }
        self.deeds.push((deed, moments.to_vec()));
    }

    /// The journal shows a booking of this client at this moment.
    pub fn show_booking(&mut self, at: NaiveDateTime) {
        self.pairs.learn_moment(at);
        self.bookings.push(at);
    }

    /// Whether this may be said.
    ///
    /// # Errors
    /// The first thing that nothing proves.
    pub fn bears_out(&self, text: &str) -> Result<(), Breach> {
        let mut reading = Reading::of(&self.pairs, self.today);
        for line in text.lines() {
            let line = without_number(line);
            self.check_links(line)?;
            self.check_language(line)?;
            for sentence in sentences(line) {
                self.check_sentence(sentence)?;
                self.check_people(sentence)?;
                check_pairs(&mut reading, sentence)?;
            }
        }
        Ok(())
    }

    fn check_sentence(&self, sentence: &str) -> Result<(), Breach> {
        let asks = sentence.trim_end().ends_with('?');
        self.check_deeds(sentence, asks)?;
        for (line, words, denies) in stances(sentence) {
            for found in figures(&line).iter().chain(&spelled(&words)) {
                // A price is never denied by naming another.
                let may_deny = denies && !matches!(found.kind, Figure::Money | Figure::Percent);
                if !(self.said.names(found) || (may_deny && self.denied.names(found))) {
                    return Err(Breach::of(found));
                }
            }
            for word in words.iter().filter(|_| !asks) {
                let names = |named: &Named| self.names_day(named, word);
                if !(names(&self.said) || (denies && names(&self.denied))) {
                    return Err(Breach::Day(word.clone()));
                }
            }
            let gift = words
                .iter()
                .find(|w| w.starts_with("бесплатн") || *w == "даром");
            if let Some(gift) = gift.filter(|_| !denies && !asks)
                && !self.said.has_word("бесплатн")
            {
                return Err(Breach::Price(gift.clone()));
            }
        }
        Ok(())
    }

    /// Whether these texts name the day that this word means, if it means one.
    fn names_day(&self, named: &Named, word: &str) -> bool {
        if let Some((_, beginning)) = weekday(word) {
            return named.has_word(beginning);
        }
        match self.today.and_then(|today| near_day(word, today)) {
            Some(day) => named.days.contains(&day) || named.has_word(word),
            None => true,
        }
    }

    /// `записал`, `перенесена`, `cancelled`: each only with its proof, and only of what it was done for.
    fn check_deeds(&self, sentence: &str, asks: bool) -> Result<(), Breach> {
        let line = folded(sentence);
        let words = split(&line);
        let all = claims(&words);
        if all.is_empty() {
            return Ok(());
        }
        let moments = self.moments_of(&line, &words);
        let offers = asks && !self.writes_nothing;
        for (claim, word) in all {
            let did = |deed: Option<Deed>| {
                let mut deeds = self.deeds.iter();
                let same = |d: &Deed| deed.is_none_or(|deed| deed == *d);
                // That something was done says too little where there may be something else to do.
                !moments.is_empty() && deeds.any(|(d, at)| same(d) && are_of(&moments, at))
            };
            let proven = match claim {
                Claim::Did(deed) => did(Some(deed)),
                Claim::Doing(deed) => offers || did(Some(deed)),
                Claim::Any => did(None),
                Claim::Stands => !self.bookings.is_empty() && are_of(&moments, &self.bookings),
                // "запишу вас?" is a question, "запишу вас" a promise that nobody keeps.
                Claim::Promise => offers,
            };
            if !proven {
                return Err(Breach::Deed(word.to_owned()));
            }
        }
        Ok(())
    }

    /// The days and times of a sentence: the days in words, then the rest in its order.
    fn moments_of(&self, line: &str, words: &[String]) -> Vec<Figure> {
        let in_words = words.iter().filter_map(|word| {
            let near = || near_day(word, self.today?);
            match weekday(word) {
                Some((number, _)) => Some(Figure::Weekday(number)),
                None => near().map(|(day, month)| Figure::Day(day, month)),
            }
        });
        let all = figures(line).into_iter().chain(spelled(words));
        let figures = all.filter_map(|found| match (found.kind, found.value.parse()) {
            (kind, _) if kind.is_moment() => Some(kind),
            // "записаны на 14": what else a bare figure would be is hard to tell.
            (Figure::Other, Ok(hour @ 0..=24)) => Some(Figure::Hour(hour)),
            _ => None,
        });
        in_words.chain(figures).collect()
    }

    fn check_links(&self, line: &str) -> Result<(), Breach> {
        for word in line.split_whitespace() {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
            let lower = word.to_lowercase();
            let is_link = lower.contains("://")
                || lower.starts_with("www.")
                || lower.contains('@')
                || lower.split(['/', ':']).next().is_some_and(is_domain);
            if is_link && !self.said.text.contains(&folded(word)) {
                return Err(Breach::Link(word.to_owned()));
            }
        }
        Ok(())
    }

    /// In a language that is neither Russian nor English nobody can tell what is claimed.
    fn check_language(&self, line: &str) -> Result<(), Breach> {
        let line = folded(line);
        let words = split(&line);
        let known = |c: char| matches!(c, 'а'..='я' | 'a'..='z') || !c.is_alphabetic();
        let strange = words.iter().find(|word| !word.chars().all(known));
        if let Some(word) = strange.filter(|word| !self.said.has_word(word)) {
            return Err(Breach::Language(word.clone()));
        }
        let is_latin = |w: &&String| w.len() > 1 && w.chars().all(|c| c.is_ascii_alphabetic());
        let latin: Vec<&String> = words.iter().filter(is_latin).collect();
        let is_english = latin.iter().any(|w| ENGLISH.contains(&w.as_str()));
        let has_cyrillic = words
            .iter()
            .any(|w| w.chars().any(|c| matches!(c, 'а'..='я')));
        match latin.first() {
            Some(word) if latin.len() > 2 && !is_english && !has_cyrillic => {
                let named = latin.iter().all(|word| self.said.has_word(word));
                if named {
                    return Ok(());
                }
                Err(Breach::Language((*word).clone()))
            }
            _ => Ok(()),
        }
    }

    /// A name behind the word "мастер", or one with a capital inside of a sentence, has to be one that an
    /// answer named.
    fn check_people(&self, sentence: &str) -> Result<(), Breach> {
        let words: Vec<&str> = sentence
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty())
            .collect();
        let denies = denies(&split(&folded(sentence)));
        // "Карина вас примет": whoever opens a sentence has a capital anyway, and is a person by what they do.
        let receives = words.iter().skip(1).take(2).any(|word| {
            let word = folded(word);
            RECEIVES.iter().any(|verb| word.starts_with(verb))
        });
        let opening = words.first().filter(|_| receives);
        let opening = opening.filter(|word| !NOBODY.contains(&folded(word).as_str()));
        let opening = opening.map(|word| (String::new(), *word));
        let pairs = words.windows(2).map(|pair| (folded(pair[0]), pair[1]));
        for (title, word) in opening.into_iter().chain(pairs) {
            let titled = title.starts_with("мастер") || title == "master" || title == "stylist";
            let mut letters = word.chars();
            let (first, second) = (letters.next(), letters.next());
            let is_capital = first.is_some_and(char::is_uppercase);
            let is_name = is_capital
                && second.is_some_and(char::is_lowercase)
                && folded(word).chars().all(|c| matches!(c, 'а'..='я'));
            if word.chars().count() < 3 || !(is_name || (titled && is_capital)) {
                continue;
            }
            let name = folded(word);
            if ["ваш", "вас", "вам"]
                .iter()
                .any(|you| name.starts_with(you))
            {
                continue;
            }
            // Names decline: all but the last letters have to agree.
            let kept = name.chars().count().saturating_sub(2).clamp(3, 6);
            let beginning: String = name.chars().take(kept).collect();
            let is_known =
                self.said.has_word(&beginning) || (denies && self.denied.has_word(&beginning));
            if !is_known {
                return Err(Breach::Master(word.to_owned()));
            }
        }
        Ok(())
    }
}

/// A time has to be one of its day, a price its service's.
fn check_pairs(reading: &mut Reading<'_>, sentence: &str) -> Result<(), Breach> {
    let all = stances(sentence);
    if all.iter().all(|(_, words, _)| words.is_empty()) {
        return Ok(());
    }
    reading.sentence();
    for (at, (line, _, denies)) in all.iter().enumerate() {
        let next = all.get(at + 1);
        let stance = Stance {
            denies: *denies,
            leads: next.is_some_and(|(line, words, _)| {
                counted(line).is_some() || !(words.is_empty() || says(words))
            }),
        };
        let read = reading.clause(line, stance);
        read.map_err(|mismatch| match mismatch {
            Mismatch::Time(time) => Breach::Time(time),
            Mismatch::Price(sum) => Breach::Price(sum),
        })?;
    }
    Ok(())
}

/// What masters do.
const RECEIVES: [&str; 5] = ["примет", "ждет", "свободн", "свободен", "сможет"];
/// Who does so without being named.
const NOBODY: [&str; 14] = [
    "мастер",
    "администратор",
    "салон",
    "кто",
    "никто",
    "она",
    "они",
    "сегодня",
    "завтра",
    "послезавтра",
    "утром",
    "днем",
    "вечером",
    "который",
];

/// A line of English has one of these.
const ENGLISH: &[&str] = &[
    "the",
    "is",
    "are",
    "you",
    "your",
    "we",
    "our",
    "to",
    "of",
    "and",
    "it",
    "have",
    "has",
    "not",
    "for",
    "this",
    "that",
    "with",
    "can",
    "what",
    "which",
    "when",
    "how",
    "at",
    "please",
    "from",
    "would",
    "there",
    "thank",
    "thanks",
    "yes",
    "sure",
    "hello",
    "good",
    "price",
    "cost",
    "costs",
    "free",
    "available",
    "time",
    "times",
    "tomorrow",
    "today",
    "any",
    "will",
    "men",
    "women",
    "let",
    "help",
];

/// Whether each of these days and times belongs to one of the moments; a time behind a day is that day's.
fn are_of(named: &[Figure], moments: &[NaiveDateTime]) -> bool {
    let mut day: Option<NaiveDate> = None;
    named.iter().all(|figure| {
        if let Some(at) = moments.iter().find(|at| figure.is_on(at.date())) {
            day = Some(at.date());
            return true;
        }
        let mut there = moments
            .iter()
            .filter(|at| day.is_none_or(|day| day == at.date()));
        there.any(|at| figure.is_time((at.hour(), at.minute())))
    })
}

/// `1. `, `2) `: the number of a line in a list is no fact.
fn without_number(line: &str) -> &str {
    let line = line.trim_start();
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    match (digits, line[digits..].strip_prefix(['.', ')'])) {
        (1..=2, Some(rest)) if rest.starts_with(' ') => rest,
        _ => line,
    }
}

/// `salon.ru`, `салон.рф`.
fn is_domain(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let label =
        |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-');
    let last = parts.last().copied().unwrap_or_default();
    let ends = last.len() >= 2 && last.chars().all(|c| c.is_ascii_alphabetic())
        || matches!(last, "рф" | "рус" | "москва" | "онлайн" | "сайт");
    parts.len() >= 2 && parts.iter().all(label) && ends
}
