//! The proof rule: what the model writes is said only as far as the journal's own answers bear it out.
//!
//! That something was booked, moved or cancelled is said in no form without the API's answer in hand.
//! Times, days, prices and other figures, links, and masters by name have to stand in what our tools
//! answered in this conversation, or in what the salon itself said. What cannot be checked by code
//! (tone, general words) is the model's own. The rule errs on the side of silence: a true sentence that
//! is refused costs one more question, a false one costs a client.

use std::collections::BTreeSet;

use serde_json::Value;

use super::words::{folded, split};

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
    /// A master whom no answer named.
    Master(String),
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
            | Self::Master(what) => what,
        }
    }
}

/// A deed of ours that the journal confirmed in this conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// A booking was made.
    Booked,
    /// A booking was moved.
    Moved,
    /// A booking was taken off.
    Cancelled,
}

/// What is known in a conversation by the journal's own answers.
#[derive(Clone, Default)]
pub struct Evidence {
    times: BTreeSet<(u32, u32)>,
    days: BTreeSet<(u32, u32)>,
    money: BTreeSet<String>,
    figures: BTreeSet<String>,
    /// Folded text of everything, for links and names.
    text: String,
    /// Asked for and not free, or only asked for: may be named where it is denied.
    denied: Option<Box<Evidence>>,
    deeds: BTreeSet<Deed>,
    has_bookings: bool,
}

impl Evidence {
    /// What a tool of ours answered. What stands under `not_free` may only be denied.
    pub fn learn(&mut self, result: &Value) {
        match result {
            Value::String(text) => self.learn_text(text),
            Value::Number(number) => {
                self.figures.insert(number.to_string());
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    match key.as_str() {
                        "not_free" => self.ask(value),
                        _ => self.learn(value),
                    }
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// What the salon said: its own texts, and what was said in its name and passed this rule.
    pub fn learn_text(&mut self, text: &str) {
        for line in text.lines() {
            let line = folded(line);
            for figure in figures(&line) {
                match figure.kind {
                    Figure::Time(h, m) => {
                        self.times.insert((h, m));
                    }
                    Figure::Day(d, m) => {
                        self.days.insert((d, m));
                    }
                    Figure::Money => {
                        self.money.insert(figure.value);
                    }
                    Figure::Hour(h) => {
                        self.times.insert((h, 0));
                    }
                    // `14.30` and `21.08` alike.
                    Figure::Either(a, b) => {
                        self.times.insert((a, b));
                        self.days.insert((a, b));
                    }
                    Figure::Other => {
                        self.figures.insert(figure.value);
                    }
                }
            }
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    /// What the client asked for: nothing of it is true for that, but it may be denied.
    pub fn learn_question(&mut self, text: &str) {
        self.ask(&Value::String(text.to_owned()));
    }

    fn ask(&mut self, what: &Value) {
        self.denied.get_or_insert_default().learn(what);
    }

    /// The journal confirmed a write of ours.
    pub fn prove(&mut self, deed: Deed) {
        self.deeds.insert(deed);
    }

    /// The journal shows a booking of this client.
    pub fn show_booking(&mut self) {
        self.has_bookings = true;
    }

    /// Whether this may be said.
    ///
    /// # Errors
    /// The first thing that nothing proves.
    pub fn bears_out(&self, text: &str) -> Result<(), Breach> {
        for line in text.lines() {
            let line = without_number(line);
            self.check_links(line)?;
            for sentence in sentences(line) {
                self.check_sentence(sentence)?;
            }
            self.check_master(line)?;
        }
        Ok(())
    }

    fn check_sentence(&self, sentence: &str) -> Result<(), Breach> {
        let line = folded(sentence);
        let words = split(&line);
        let denies = words.iter().any(|word| DENIALS.contains(&word.as_str()))
            || words.iter().any(|word| word.starts_with("занят"));
        let asks = sentence.trim_end().ends_with('?');
        self.check_deeds(&words, asks)?;
        for figure in figures(&line) {
            let known = |e: &Self| match figure.kind {
                Figure::Time(h, m) => e.times.contains(&(h, m)),
                Figure::Hour(h) => {
                    e.times.contains(&(h, 0))
                        || (h <= 12 && e.times.contains(&(h + 12, 0)))
                        || e.figures.contains(&figure.value)
                }
                Figure::Day(d, m) => e.days.contains(&(d, m)),
                Figure::Either(a, b) => e.times.contains(&(a, b)) || e.days.contains(&(a, b)),
                Figure::Money => e.money.contains(&figure.value),
                Figure::Other => {
                    let number = figure.value.parse().unwrap_or(u32::MAX);
                    e.figures.contains(&figure.value)
                        || e.money.contains(&figure.value)
                        || e.times.contains(&(number, 0))
                        || e.days.iter().any(|(day, _)| *day == number)
                }
            };
            // A price is never denied by naming another.
            let may_deny = denies && !matches!(figure.kind, Figure::Money);
            let is_known = known(self) || (may_deny && self.denied.as_deref().is_some_and(known));
            if !is_known {
                let what = figure.value;
                return Err(match figure.kind {
                    Figure::Time(..) | Figure::Hour(_) => Breach::Time(what),
                    Figure::Day(..) | Figure::Either(..) => Breach::Day(what),
                    Figure::Money => Breach::Price(what),
                    Figure::Other => Breach::Figure(what),
                });
            }
        }
        self.check_spelled(&words)
    }

    /// `записал`, `перенесена`, `cancelled`: each only with its proof.
    fn check_deeds(&self, words: &[String], asks: bool) -> Result<(), Breach> {
        for (index, word) in words.iter().enumerate() {
            let before = index.checked_sub(1).map(|i| words[i].as_str());
            if before.is_some_and(|b| matches!(b, "не" | "not" | "never" | "t" | "isn" | "wasn"))
            {
                continue;
            }
            let Some((claim, form)) = claim_of(word) else {
                continue;
            };
            let proven = match (claim, form) {
                (Claim::Deed(deed), Form::Past) => self.deeds.contains(&deed),
                // "вы записаны": true of whoever has a booking.
                (Claim::Deed(Deed::Booked), Form::Standing) => {
                    self.deeds.contains(&Deed::Booked) || self.has_bookings
                }
                (Claim::Deed(deed), Form::Standing) => self.deeds.contains(&deed),
                // "запишу вас?" is a question, "запишу вас" a promise that nobody keeps.
                (Claim::Deed(_), Form::Promise) => asks,
                (Claim::Any, _) => !self.deeds.is_empty(),
                (Claim::Expected, _) => self.deeds.contains(&Deed::Booked) || self.has_bookings,
            };
            if !proven {
                return Err(Breach::Deed(word.clone()));
            }
        }
        Ok(())
    }

    /// `две тысячи рублей`, `в три часа`: figures in words.
    fn check_spelled(&self, words: &[String]) -> Result<(), Breach> {
        for (index, word) in words.iter().enumerate() {
            let Some(number) = spelled(word) else {
                continue;
            };
            let near = words.iter().skip(index + 1).take(2);
            let Some(unit) = near.map(|w| unit_of(w)).find(Option::is_some).flatten() else {
                continue;
            };
            let hours = [(number, 0), (number + 12, 0)];
            let known = match unit {
                Unit::Money => self.money.contains(&number.to_string()),
                Unit::Hour => {
                    hours.iter().any(|at| self.times.contains(at))
                        || self.figures.contains(&number.to_string())
                }
                Unit::Other => self.figures.contains(&number.to_string()),
            };
            if !known {
                return Err(match unit {
                    Unit::Money => Breach::Price(word.clone()),
                    Unit::Hour => Breach::Time(word.clone()),
                    Unit::Other => Breach::Figure(word.clone()),
                });
            }
        }
        Ok(())
    }

    fn check_links(&self, line: &str) -> Result<(), Breach> {
        for word in line.split_whitespace() {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
            let lower = word.to_lowercase();
            let is_link = lower.contains("://")
                || lower.starts_with("www.")
                || lower.contains('@')
                || lower.split(['/', ':']).next().is_some_and(is_domain);
            if is_link && !self.text.contains(&folded(word)) {
                return Err(Breach::Link(word.to_owned()));
            }
        }
        Ok(())
    }

    /// A name behind the word "мастер" has to be one that an answer named.
    fn check_master(&self, line: &str) -> Result<(), Breach> {
        let words: Vec<&str> = line
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let title = folded(pair[0]);
            let names = title.starts_with("мастер") || title == "master" || title == "stylist";
            if !names || !pair[1].starts_with(char::is_uppercase) || pair[1].chars().count() < 3 {
                continue;
            }
            let name = folded(pair[1]);
            // Names decline: all but the last letters have to agree.
            let kept = name.chars().count().saturating_sub(2).clamp(3, 6);
            let beginning: String = name.chars().take(kept).collect();
            let known = split(&self.text)
                .iter()
                .any(|word| word.starts_with(&beginning));
            if !known {
                return Err(Breach::Master(pair[1].to_owned()));
            }
        }
        Ok(())
    }
}

/// A sentence with one of these denies what it names.
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
    "без",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    Deed(Deed),
    /// "готово", "done".
    Any,
    /// "ждём вас".
    Expected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// We did it, or are doing it.
    Past,
    /// It stands done.
    Standing,
    /// We will.
    Promise,
}

/// What a participle that claims ends with: "оформление" claims nothing.
const DONE: [&str; 4] = ["", "а", "о", "ы"];

/// Beginnings of words, what they claim, and endings that they claim it with; no endings: any.
const CLAIMS: [(&str, &[&str], Deed, Form); 34] = [
    ("записал", &[], Deed::Booked, Form::Past),
    ("записыва", &["ю", "ем"], Deed::Booked, Form::Past),
    ("записан", &DONE, Deed::Booked, Form::Standing),
    ("запиш", &["у", "ем"], Deed::Booked, Form::Promise),
    ("забронировал", &[], Deed::Booked, Form::Past),
    ("забронирован", &DONE, Deed::Booked, Form::Standing),
    ("забронирую", &[], Deed::Booked, Form::Promise),
    ("бронирую", &[], Deed::Booked, Form::Past),
    ("зарезервирова", &[], Deed::Booked, Form::Past),
    ("оформил", &[], Deed::Booked, Form::Past),
    ("оформлен", &DONE, Deed::Booked, Form::Past),
    ("оформлю", &[], Deed::Booked, Form::Promise),
    ("подтвержден", &DONE, Deed::Booked, Form::Standing),
    ("подтвердил", &[], Deed::Booked, Form::Past),
    (
        "внес",
        &["", "ла", "ли", "ен", "ена", "ены"],
        Deed::Booked,
        Form::Past,
    ),
    ("создал", &[], Deed::Booked, Form::Past),
    ("создан", &DONE, Deed::Booked, Form::Past),
    ("закрепил", &[], Deed::Booked, Form::Past),
    (
        "перенес",
        &["", "ла", "ли", "ен", "ена", "ено", "ены"],
        Deed::Moved,
        Form::Past,
    ),
    ("перенесу", &[], Deed::Moved, Form::Promise),
    ("переношу", &[], Deed::Moved, Form::Past),
    ("передвинул", &[], Deed::Moved, Form::Past),
    ("переместил", &[], Deed::Moved, Form::Past),
    ("перезаписал", &[], Deed::Moved, Form::Past),
    ("отменил", &[], Deed::Cancelled, Form::Past),
    ("отменен", &DONE, Deed::Cancelled, Form::Past),
    ("отменяю", &[], Deed::Cancelled, Form::Past),
    ("отменю", &[], Deed::Cancelled, Form::Promise),
    ("аннулирова", &[], Deed::Cancelled, Form::Past),
    ("удалил", &[], Deed::Cancelled, Form::Past),
    ("удален", &DONE, Deed::Cancelled, Form::Past),
    ("снял", &[], Deed::Cancelled, Form::Past),
    ("снят", &["", "а", "о", "ы"], Deed::Cancelled, Form::Past),
    ("убрал", &[], Deed::Cancelled, Form::Past),
];

const ENGLISH: [(&str, Deed, Form); 14] = [
    ("booked", Deed::Booked, Form::Standing),
    ("booking", Deed::Booked, Form::Standing),
    ("scheduled", Deed::Booked, Form::Standing),
    ("reserved", Deed::Booked, Form::Standing),
    ("confirmed", Deed::Booked, Form::Standing),
    ("arranged", Deed::Booked, Form::Past),
    ("moved", Deed::Moved, Form::Past),
    ("rescheduled", Deed::Moved, Form::Past),
    ("postponed", Deed::Moved, Form::Past),
    ("changed", Deed::Moved, Form::Past),
    ("cancelled", Deed::Cancelled, Form::Past),
    ("canceled", Deed::Cancelled, Form::Past),
    ("deleted", Deed::Cancelled, Form::Past),
    ("removed", Deed::Cancelled, Form::Past),
];

fn claim_of(word: &str) -> Option<(Claim, Form)> {
    if matches!(
        word,
        "готово" | "сделано" | "выполнено" | "done" | "completed"
    ) {
        return Some((Claim::Any, Form::Past));
    }
    if matches!(word, "ждем" | "жду" | "ожидаем") {
        return Some((Claim::Expected, Form::Standing));
    }
    if let Some((_, deed, form)) = ENGLISH.iter().find(|(w, ..)| *w == word && *w != "booking") {
        return Some((Claim::Deed(*deed), *form));
    }
    let claim = CLAIMS.iter().find(|(beginning, endings, ..)| {
        let rest = word.strip_prefix(*beginning);
        rest.is_some_and(|rest| endings.is_empty() || endings.contains(&rest))
    });
    claim.map(|(_, _, deed, form)| (Claim::Deed(*deed), *form))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Figure {
    /// `14:30`.
    Time(u32, u32),
    /// `14 часов`, `в 15 ч`.
    Hour(u32),
    /// `21 августа`, `2026-08-21`.
    Day(u32, u32),
    /// `14.30` or `21.08`.
    Either(u32, u32),
    /// `1000 руб`.
    Money,
    /// Anything else.
    Other,
}

struct Found {
    kind: Figure,
    value: String,
}

const MONTHS: [&str; 12] = [
    "январ",
    "феврал",
    "март",
    "апрел",
    "ма",
    "июн",
    "июл",
    "август",
    "сентябр",
    "октябр",
    "ноябр",
    "декабр",
];
const MONTHS_EN: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

fn month(word: &str) -> Option<u32> {
    let at = MONTHS.iter().position(|m| match *m {
        "ма" => matches!(word, "мая" | "май" | "мае"),
        m => word.starts_with(m) && word.chars().count() <= m.chars().count() + 2,
    });
    let at = at.or_else(|| MONTHS_EN.iter().position(|m| word.starts_with(m)));
    at.and_then(|at| u32::try_from(at + 1).ok())
}

fn is_money(word: &str) -> bool {
    word.starts_with("руб") || matches!(word, "р" | "rub" | "rur" | "roubles" | "rubles" | "тыс")
}

/// Every figure of a folded line.
fn figures(line: &str) -> Vec<Found> {
    let chars: Vec<char> = line.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if !chars[at].is_numeric() {
            at += 1;
            continue;
        }
        let begin = at;
        let digit = |i: usize| chars.get(i).is_some_and(|c| c.is_numeric());
        while at < chars.len() {
            let joins = matches!(chars[at], '.' | ':' | ',' | '-') && digit(at + 1);
            // `1 500`: three digits behind a space belong to the number before.
            let thousands = matches!(chars[at], ' ' | '\u{a0}')
                && (at - begin) <= 3
                && (1..=3).all(|i| digit(at + i))
                && !digit(at + 4)
                && chars[begin..at].iter().all(|c| c.is_numeric());
            if !(chars[at].is_numeric() || joins || thousands) {
                break;
            }
            at += 1;
        }
        let run: String = chars[begin..at]
            .iter()
            .filter(|c| !c.is_whitespace())
            .collect();
        let before = begin.checked_sub(1).map(|i| chars[i]);
        let after: String = chars[at..].iter().collect();
        classify(&run, before, after.trim_start(), &mut found);
    }
    found
}

/// What a run of digits and what joins them is, from what stands around it.
fn classify(run: &str, before: Option<char>, after: &str, found: &mut Vec<Found>) {
    let mut add = |kind, value: &str| {
        found.push(Found {
            kind,
            value: value.to_owned(),
        });
    };
    let next: String = after.chars().take_while(|c| c.is_alphabetic()).collect();
    let sign = after.starts_with('₽') || before == Some('₽') || before == Some('$');
    let number = |text: &str| text.parse::<u32>().ok();
    if !run.is_ascii() {
        // Digits of other scripts: nobody here writes them, and nothing proves them.
        return add(Figure::Other, run);
    }
    let dashed: Vec<&str> = run.split('-').collect();
    if let [year, m, d] = dashed.as_slice()
        && year.len() == 4
        && let (Some(m), Some(d)) = (number(m), number(d))
    {
        return add(Figure::Day(d, m), run);
    }
    if dashed.len() > 1 {
        // `10:00-21:00`, `1000-1500 руб`: each end by itself.
        for part in dashed {
            classify(part, None, after, found);
        }
        return;
    }
    if let Some((h, m)) = run.split_once(':')
        && let (Some(h), Some(m)) = (number(h), number(m))
    {
        return add(Figure::Time(h, m), run);
    }
    if is_money(&next) || sign {
        let value = run.replace(',', ".");
        let value = value.strip_suffix(".00").unwrap_or(&value);
        return add(Figure::Money, value);
    }
    let dotted: Vec<&str> = run.split('.').collect();
    match dotted.as_slice() {
        [d, m, _year] => {
            if let (Some(d), Some(m)) = (number(d), number(m)) {
                return add(Figure::Day(d, m), run);
            }
        }
        [a, b] if b.len() == 2 => {
            if let (Some(a), Some(b)) = (number(a), number(b)) {
                return add(Figure::Either(a, b), run);
            }
        }
        _ => {}
    }
    match (number(run), month(&next)) {
        (Some(day), Some(month)) if !next.is_empty() => add(Figure::Day(day, month), run),
        (Some(hour), _) if matches!(unit_of(&next), Some(Unit::Hour)) => {
            add(Figure::Hour(hour), run);
        }
        _ => add(Figure::Other, run),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Money,
    Hour,
    Other,
}

fn unit_of(word: &str) -> Option<Unit> {
    if is_money(word) || word.starts_with("тысяч") {
        Some(Unit::Money)
    } else if word.starts_with("час")
        || matches!(
            word,
            "ч" | "утра" | "вечера" | "am" | "pm" | "hour" | "hours"
        )
    {
        Some(Unit::Hour)
    } else if word.starts_with("минут") || word.starts_with("процент") || word == "percent"
    {
        Some(Unit::Other)
    } else {
        None
    }
}

/// The number a word spells; the tens and hundreds of a compound one are looked at by themselves.
fn spelled(word: &str) -> Option<u32> {
    const NUMBERS: [(&str, u32); 38] = [
        ("один", 1),
        ("одну", 1),
        ("два", 2),
        ("две", 2),
        ("три", 3),
        ("четыре", 4),
        ("пять", 5),
        ("шесть", 6),
        ("семь", 7),
        ("восемь", 8),
        ("девять", 9),
        ("десять", 10),
        ("одиннадцать", 11),
        ("двенадцать", 12),
        ("тринадцать", 13),
        ("четырнадцать", 14),
        ("пятнадцать", 15),
        ("шестнадцать", 16),
        ("семнадцать", 17),
        ("восемнадцать", 18),
        ("девятнадцать", 19),
        ("двадцать", 20),
        ("тридцать", 30),
        ("сорок", 40),
        ("пятьдесят", 50),
        ("сто", 100),
        ("двести", 200),
        ("триста", 300),
        ("четыреста", 400),
        ("пятьсот", 500),
        ("шестьсот", 600),
        ("семьсот", 700),
        ("восемьсот", 800),
        ("девятьсот", 900),
        ("полтора", 90),
        ("тысяча", 1000),
        ("тысячу", 1000),
        ("полторы", 1500),
    ];
    let found = NUMBERS.iter().find(|(w, _)| *w == word);
    found.map(|(_, number)| *number)
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

/// Sentences of a line, each with the mark it ends with.
fn sentences(line: &str) -> Vec<&str> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn evidence() -> Evidence {
        let mut evidence = Evidence::default();
        evidence.learn(&json!({
            "services": [{"service": 45, "title": "Мужская стрижка", "price": "2000 руб", "minutes": 60}],
            "day": "2026-08-21", "times": ["12:00", "14:30"], "not_free": ["15:00"],
            "masters": ["Бари", "Анна"],
        }));
        evidence.learn_text("Малаховка, Южная улица, 38. https://salon.example/book");
        evidence
    }

    #[test]
    fn what_the_journal_answered_may_be_said() {
        let evidence = evidence();
        for text in [
            "Мужская стрижка стоит 2000 руб, занимает 60 минут.",
            "Мужская стрижка — 2 000 рублей.",
            "21 августа свободно в 12:00 и 14:30. На какое время вас записать?",
            "21.08 есть время 12:00.",
            "1. Бари\n2. Анна",
            "К сожалению, на 15:00 времени нет. Есть 14:30.",
            "Вас примет мастер Бари. Мы на Южной улице, 38.",
            "Записаться можно и тут: https://salon.example/book",
            "Запишу вас на 14:30?",
            "Я ещё не записал вас: нужно ваше «да».",
            "Здравствуйте! Чем помочь?",
            "Оформление бороды, подтверждение и создание образа.",
            "В 12 часов свободно.",
        ] {
            assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_deed_is_claimed_in_no_form_without_the_journals_answer() {
        let evidence = evidence();
        for text in [
            "Записал вас на 14:30!",
            "Готово, вы записаны.",
            "вы зaписaны",
            "З а п и с а л вас",
            "ЗАПИСАЛА, ждём!",
            "Ваша запись перенесена.",
            "Перенёс.",
            "Отменила вашу запись",
            "Запись отменена",
            "Запись снята.",
            "Всё, запись удалена",
            "Записываю вас на 14:30",
            "Запишу вас на 14:30.",
            "Ждём вас в 14:30!",
            "You are booked for 14:30.",
            "I have cancelled it.",
            "Your visit was moved",
            "Done!",
            "за\u{200b}писал",
            "Бронь подтверждена",
            "Забронировано на 12:00",
        ] {
            let breach = evidence.bears_out(text);
            assert!(matches!(breach, Err(Breach::Deed(_))), "{text}: {breach:?}");
        }
    }

    #[test]
    fn each_deed_is_said_with_its_own_proof() {
        let said = |deed: Deed, text: &str| {
            let mut evidence = evidence();
            evidence.prove(deed);
            evidence.bears_out(text).is_ok()
        };
        assert!(said(
            Deed::Booked,
            "Готово, записал вас на 14:30. Ждём вас!"
        ));
        assert!(said(Deed::Moved, "Перенёс на 14:30."));
        assert!(said(Deed::Cancelled, "Запись отменена."));
        assert!(!said(Deed::Cancelled, "Перенёс на 14:30."));
        assert!(!said(Deed::Moved, "Запись отменена."));
        let mut standing = evidence();
        standing.show_booking();
        assert_eq!(
            standing.bears_out("Вы записаны на 21 августа в 14:30."),
            Ok(())
        );
        assert!(standing.bears_out("Записал вас на 14:30.").is_err());
    }

    #[test]
    fn figures_that_no_answer_named_are_not_said() {
        let evidence = evidence();
        for (text, breach) in [
            ("Свободно в 13:00.", "time"),
            ("На 15:00 свободно.", "time"),
            ("Приходите 22 августа в 12:00.", "day"),
            ("Приходите 22.08", "day"),
            ("Стрижка стоит 1500 руб.", "price"),
            ("Стрижка стоит 1 500 ₽", "price"),
            ("Не 2000, а всего 500 руб!", "price"),
            ("Стоит пятьсот рублей.", "price"),
            ("В три часа свободно.", "time"),
            ("Скидка 20%!", "figure"),
            ("Это займёт 90 минут.", "figure"),
            ("Приходите в 13.", "figure"),
            ("Пишите на www.evil.example", "link"),
            ("Смотрите evil.ru/book", "link"),
            ("Вас примет мастер Карина.", "master"),
            ("٣ услуги", "figure"),
        ] {
            let found = evidence.bears_out(text);
            assert_eq!(
                found.as_ref().map_err(Breach::as_str),
                Err(breach),
                "{text}"
            );
        }
    }

    #[test]
    fn what_the_client_asked_for_may_be_denied_and_not_confirmed() {
        let mut evidence = evidence();
        evidence.learn_question("А можно 25 августа в 18:30 за 300 руб?");
        assert_eq!(
            evidence.bears_out("На 25 августа в 18:30 времени нет."),
            Ok(())
        );
        assert!(evidence.bears_out("25 августа в 18:30 свободно.").is_err());
        assert!(evidence.bears_out("Нет проблем, 300 руб.").is_err());
    }
}
