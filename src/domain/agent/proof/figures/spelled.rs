//! Figures in words: `две тысячи рублей`, `в три часа`, `четырнадцать тридцать`, `полпятого`, `двадцать
//! второго августа`.

use super::{Figure, Found, Unit, month, unit_of};

/// What a number word is worth, in the cases in which times are told.
const NUMBERS: &[(&str, u32)] = &[
    ("ноль", 0),
    ("один", 1),
    ("одну", 1),
    ("два", 2),
    ("две", 2),
    ("двух", 2),
    ("три", 3),
    ("трех", 3),
    ("четыре", 4),
    ("четырех", 4),
    ("пять", 5),
    ("пяти", 5),
    ("шесть", 6),
    ("шести", 6),
    ("семь", 7),
    ("семи", 7),
    ("восемь", 8),
    ("восьми", 8),
    ("девять", 9),
    ("девяти", 9),
    ("десять", 10),
    ("десяти", 10),
    ("одиннадцать", 11),
    ("одиннадцати", 11),
    ("двенадцать", 12),
    ("двенадцати", 12),
    ("тринадцать", 13),
    ("тринадцати", 13),
    ("четырнадцать", 14),
    ("четырнадцати", 14),
    ("пятнадцать", 15),
    ("пятнадцати", 15),
    ("шестнадцать", 16),
    ("шестнадцати", 16),
    ("семнадцать", 17),
    ("семнадцати", 17),
    ("восемнадцать", 18),
    ("восемнадцати", 18),
    ("девятнадцать", 19),
    ("девятнадцати", 19),
    ("двадцать", 20),
    ("двадцати", 20),
    ("тридцать", 30),
    ("сорок", 40),
    ("пятьдесят", 50),
    ("шестьдесят", 60),
    ("семьдесят", 70),
    ("восемьдесят", 80),
    ("девяносто", 90),
    ("сто", 100),
    ("двести", 200),
    ("триста", 300),
    ("четыреста", 400),
    ("пятьсот", 500),
    ("шестьсот", 600),
    ("семьсот", 700),
    ("восемьсот", 800),
    ("девятьсот", 900),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("ninety", 90),
];

/// Ordinals without their ending, in the order of what they are worth.
const ORDINALS: &[(&str, u32)] = &[
    ("перв", 1),
    ("втор", 2),
    ("трет", 3),
    ("четверт", 4),
    ("пят", 5),
    ("шест", 6),
    ("седьм", 7),
    ("восьм", 8),
    ("девят", 9),
    ("десят", 10),
    ("одиннадцат", 11),
    ("двенадцат", 12),
    ("тринадцат", 13),
    ("четырнадцат", 14),
    ("пятнадцат", 15),
    ("шестнадцат", 16),
    ("семнадцат", 17),
    ("восемнадцат", 18),
    ("девятнадцат", 19),
    ("двадцат", 20),
    ("тридцат", 30),
];

/// After these a bare number is a time of day, if nothing is counted by it.
const AT: &[&str] = &[
    "в",
    "во",
    "к",
    "ко",
    "с",
    "со",
    "до",
    "после",
    "около",
    "на",
    "at",
    "by",
    "until",
];

/// What is counted: `на 2 процедуры` is no time. Behind anything else a bare figure is taken for an hour.
const COUNTED: &[&str] = &[
    "процедур",
    "человек",
    "персон",
    "услуг",
    "мастеров",
    "мастерам",
    "сеанс",
    "этап",
    "этаж",
    "недел",
    "месяц",
    "гостей",
    "гостям",
    "пальц",
    "ногт",
    "клиент",
    "детей",
    "детям",
    "девуш",
    "женщин",
    "мужчин",
    "взросл",
    "подруг",
    "визит",
    "посещени",
    "лет",
    "года",
    "раз",
    "рук",
    "ног",
    "зон",
    "дней",
    "people",
    "person",
    "service",
    "guest",
];

fn is_counted(word: &str) -> bool {
    // "в 16 летом" counts nothing.
    let is = |counted: &&&str| {
        word == **counted || (counted.chars().count() > 3 && word.starts_with(**counted))
    };
    COUNTED.iter().any(|counted| is(&counted))
}

/// `в 14`: a bare figure that is a time by what stands before it, and counts nothing that stands behind it.
pub(in super::super) fn at_hour(words: &[String]) -> Vec<Figure> {
    let hours = words.windows(2).enumerate().filter_map(|(at, pair)| {
        let hour: u32 = pair[1].parse().ok().filter(|hour| *hour <= 24)?;
        let word = |ahead: usize| words.get(at + ahead).map_or("", String::as_str);
        let back = |behind: usize| at.checked_sub(behind).map_or("", |i| words[i].as_str());
        let is_number = |word: &str| word.parse::<u32>().is_ok();
        let next = word(2);
        // `на 21 и 22 августа`.
        let of_days = is_number(word(3)) && month(word(4)).is_some();
        // `улица, 38, к 2`, and not `с 14 к 16`.
        let is_house = pair[0] == "к" && is_number(back(1)) && !AT.contains(&back(2));
        let counts = month(next).is_some() || unit_of(next).is_some() || is_number(next) || of_days;
        let counts = counts || is_house || is_counted(next);
        (AT.contains(&pair[0].as_str()) && !counts).then_some(Figure::Hour(hour))
    });
    hours.collect()
}

/// `в 9.10` is a time; so is `с 9.10` where another day is named.
pub(in super::super) fn is_told(words: &[String], hour: u32, minute: u32, has_day: bool) -> bool {
    let is = |word: &String, number: u32| word.parse() == Ok(number);
    words.windows(3).any(|three| {
        let before = three[0].as_str();
        let tells = matches!(before, "в" | "во" | "at") || (has_day && AT.contains(&before));
        tells && is(&three[1], hour) && is(&three[2], minute)
    })
}

/// Whether such a word stands right before this number, in digits or in words.
pub(in super::super) fn is_behind_at(words: &[String], value: u32) -> bool {
    let is = |word: &String| word.parse().ok().or_else(|| number(word)) == Some(value);
    words
        .windows(2)
        .any(|pair| AT.contains(&pair[0].as_str()) && is(&pair[1]))
}

fn number(word: &str) -> Option<u32> {
    let found = NUMBERS.iter().find(|(w, _)| *w == word);
    found.map(|(_, value)| *value)
}

fn ordinal(word: &str) -> Option<u32> {
    let is = |(beginning, _): &&(&str, u32)| {
        let rest = word.strip_prefix(beginning);
        rest.is_some_and(|rest| {
            matches!(
                rest,
                "ого" | "ое" | "ому" | "ая" | "ый" | "ой" | "ьего" | "ье" | "ьему" | "ий"
            )
        })
    };
    ORDINALS.iter().find(is).map(|(_, value)| *value)
}

fn is_thousand(word: &str) -> bool {
    word.starts_with("тысяч") || word.starts_with("thousand")
}

/// A number of several words, and where it ends.
struct Run {
    from: usize,
    until: usize,
    value: u32,
}

fn runs(words: &[String]) -> Vec<Run> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < words.len() {
        // What follows has to be smaller than this: after hundreds tens, after tens ones, then nothing.
        let (from, mut total, mut part, mut below) = (at, 0, 0, u32::MAX);
        while let Some(word) = words.get(at) {
            match number(word) {
                _ if is_thousand(word) && total == 0 => {
                    total = part.max(1) * 1000;
                    (part, below) = (0, u32::MAX);
                }
                Some(value) if value < below && (value > 0 || at == from) => {
                    part += value;
                    below = match value {
                        100.. => 100,
                        20.. => 10,
                        _ => 0,
                    };
                }
                _ => break,
            }
            at += 1;
        }
        match at > from {
            true => all.push(Run {
                from,
                until: at,
                value: total + part,
            }),
            false => at += 1,
        }
    }
    all
}

/// Every figure in words of these.
pub(in super::super) fn spelled(words: &[String]) -> Vec<Found> {
    let mut found = Vec::new();
    let all = runs(words);
    let mut skip = 0;
    for (index, run) in all.iter().enumerate() {
        let before = run.from.checked_sub(1).map_or("", |i| words[i].as_str());
        // "полторы тысячи" are told below.
        if index < skip || before == "полторы" {
            continue;
        }
        let written = |until: usize| words[run.from..until].join(" ");
        let mut add = |kind, until, value: Option<u32>| {
            found.push(Found {
                kind,
                value: value.map_or_else(|| written(until), |value| value.to_string()),
            });
        };
        // "четырнадцать тридцать", "пятнадцать ноль ноль".
        let minutes = all.get(index + 1).filter(|next| next.from == run.until);
        if let Some(minutes) = minutes.filter(|m| run.value <= 24 && m.value < 60) {
            add(Figure::Time(run.value, minutes.value), minutes.until, None);
            let zeros = all[index + 1..].iter().take_while(|r| r.value == 0).count();
            skip = index + 1 + zeros.max(1);
            continue;
        }
        let after = |n: usize| words.get(run.until + n).map_or("", String::as_str);
        let unit = [after(0), after(1)].into_iter().find_map(unit_of);
        match unit {
            Some(Unit::Money) => add(Figure::Money, run.until, Some(run.value)),
            Some(Unit::Hour) => add(Figure::Hour(run.value), run.until, Some(run.value)),
            Some(Unit::Percent) => add(Figure::Percent, run.until, Some(run.value)),
            Some(Unit::Minutes) => add(Figure::Other, run.until, Some(run.value)),
            None if run.value >= 100 => add(Figure::Money, run.until, Some(run.value)),
            None => {
                let ends = after(0).is_empty() || after(0) == "ровно" || AT.contains(&after(0));
                let ends = ends || matches!(after(0), "и" | "или" | "and" | "or");
                if run.value <= 24 && AT.contains(&before) && ends {
                    add(Figure::Hour(run.value), run.until, Some(run.value));
                }
            }
        }
    }
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).map(|i| words[i].as_str());
        let kind = match word.as_str() {
            "полдень" | "полудня" | "полудню" | "noon" | "midday" => {
                Some(Figure::Time(12, 0))
            }
            "полночь" | "полуночи" | "midnight" => Some(Figure::Time(0, 0)),
            // Half of an hour, and which hour it is.
            "четверти" if before == Some("без") => Some(Figure::Time(99, 45)),
            word => half(word, before).or_else(|| day(words, at)),
        };
        let after = words.get(at + 1).map_or("", String::as_str);
        let (kind, value) = match word.as_str() {
            "полтора" if unit_of(after) == Some(Unit::Hour) => (Some(Figure::Other), "90"),
            "полторы" if is_thousand(after) => (Some(Figure::Money), "1500"),
            word => (kind, word),
        };
        found.extend(kind.map(|kind| Found {
            kind,
            value: value.to_owned(),
        }));
    }
    found
}

/// `полпятого`, `половина пятого`.
fn half(word: &str, before: Option<&str>) -> Option<Figure> {
    let of = match word.strip_prefix("пол") {
        Some(rest) => ordinal(rest),
        None if before.is_some_and(|b| b.starts_with("половин")) => ordinal(word),
        None => None,
    };
    of.filter(|hour| (1..=12).contains(hour))
        .map(|hour| Figure::Half(hour - 1))
}

/// `второго августа`, `двадцать второе августа`: the word before a month.
fn day(words: &[String], at: usize) -> Option<Figure> {
    let of = month(words[at].as_str())?;
    let one = ordinal(words[at.checked_sub(1)?].as_str())?;
    let tens = at.checked_sub(2).and_then(|i| number(&words[i]));
    let tens = tens.filter(|tens| matches!(tens, 20 | 30) && one < 10);
    Some(Figure::Day(one + tens.unwrap_or(0), of))
}
