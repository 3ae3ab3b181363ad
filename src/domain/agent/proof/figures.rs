//! The figures of a text: what is a time, a day, a sum, whether it is written in digits or in words.

use chrono::{Datelike as _, NaiveDate};

mod spelled;

pub(super) use spelled::{at_hour, is_behind_at, is_told, spelled};

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    /// `14:30`.
    Time(u32, u32),
    /// `14 часов`, `в 15 ч`.
    Hour(u32),
    /// `полпятого` is half past four, of the morning or of the afternoon.
    Half(u32),
    /// `21 августа`, `2026-08-21`.
    Day(u32, u32),
    /// `суббота`, counted from Monday: only where it says when something was done.
    Weekday(u32),
    /// `14.30` or `21.08`.
    Either(u32, u32),
    /// `1000 руб`.
    Money,
    /// `20%`.
    Percent,
    /// Anything else.
    Other,
}

impl Figure {
    /// A moment, or a part of one.
    pub(super) fn is_moment(self) -> bool {
        !matches!(self, Self::Money | Self::Percent | Self::Other)
    }

    /// Whether it names this hour and minute.
    pub(super) fn is_time(self, (h, m): (u32, u32)) -> bool {
        match self {
            Self::Time(hour, minute) | Self::Either(hour, minute) => (hour, minute) == (h, m),
            Self::Hour(hour) => m == 0 && (hour == h || (hour <= 12 && hour + 12 == h)),
            Self::Half(hour) => m == 30 && (hour == h || hour + 12 == h),
            Self::Day(..) | Self::Weekday(_) | Self::Money | Self::Percent | Self::Other => false,
        }
    }

    /// Whether it names this day and month.
    pub(super) fn is_day(self, (d, m): (u32, u32)) -> bool {
        matches!(self, Self::Day(day, month) | Self::Either(day, month) if (day, month) == (d, m))
    }

    /// Whether it names the day of this date.
    pub(super) fn is_on(self, date: NaiveDate) -> bool {
        match self {
            Self::Weekday(number) => date.weekday().num_days_from_monday() == number,
            figure => figure.is_day((date.day(), date.month())),
        }
    }
}

/// A figure, and how it is written.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) kind: Figure,
    pub(super) value: String,
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

/// `завтра` is that day.
pub(super) fn near_day(word: &str, today: NaiveDate) -> Option<(u32, u32)> {
    let ahead = match word {
        "сегодня" | "today" => 0,
        "завтра" | "tomorrow" => 1,
        "послезавтра" => 2,
        _ => return None,
    };
    let day = today + chrono::TimeDelta::days(ahead);
    Some((day.day(), day.month()))
}

/// Which day of the week this is, counted from Monday, and how our own answers begin its name.
pub(super) fn weekday(word: &str) -> Option<(u32, &'static str)> {
    const DAYS: [(&str, &str); 7] = [
        ("понедельник", "monday"),
        ("вторник", "tuesday"),
        ("сред", "wednesday"),
        ("четверг", "thursday"),
        ("пятниц", "friday"),
        ("суббот", "saturday"),
        ("воскресен", "sunday"),
    ];
    let is = |(ru, en): &&(&str, &str)| match *ru {
        "сред" => {
            matches!(word, "среда" | "среду" | "среды" | "среде" | "средам") || word == *en
        }
        ru => word.starts_with(ru) || word == *en,
    };
    let at = DAYS.iter().position(|day| is(&day))?;
    Some((u32::try_from(at).ok()?, DAYS[at].0))
}

fn is_money(word: &str) -> bool {
    word.starts_with("руб") || matches!(word, "р" | "rub" | "rur" | "roubles" | "rubles" | "тыс")
}

/// Every figure in digits of a folded line.
pub(super) fn figures(line: &str) -> Vec<Found> {
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
    if after.starts_with('%') || matches!(unit_of(&next), Some(Unit::Percent)) {
        return add(Figure::Percent, run);
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
    Percent,
    Minutes,
}

fn unit_of(word: &str) -> Option<Unit> {
    if is_money(word) {
        Some(Unit::Money)
    } else if word.starts_with("час")
        || matches!(
            word,
            "ч" | "утра" | "дня" | "вечера" | "ночи" | "am" | "pm" | "hour" | "hours"
        )
    {
        Some(Unit::Hour)
    } else if word.starts_with("процент") || word == "percent" {
        Some(Unit::Percent)
    } else if word.starts_with("минут") {
        Some(Unit::Minutes)
    } else {
        None
    }
}
