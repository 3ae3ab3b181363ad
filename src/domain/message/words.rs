//! How dates, times, spans, money and numbers of things are written, in both languages.

use chrono::{Datelike, NaiveDate, NaiveDateTime};

use super::Language;
use crate::domain::record::Money;

/// Months as they follow a number.
const MONTHS_OF: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

/// Days of the week, from Monday.
const WEEKDAYS: [&str; 7] = [
    "понедельник",
    "вторник",
    "среда",
    "четверг",
    "пятница",
    "суббота",
    "воскресенье",
];

/// `21 августа`, `2 января 2027 года`; `21 August`, `2 January 2027`. The year only when it is not
/// this one.
pub(super) fn date(language: Language, day: NaiveDate, today: NaiveDate) -> String {
    let same_year = day.year() == today.year();
    let (year, month) = (day.year(), MONTHS_OF[day.month0() as usize]);
    match (language, same_year) {
        (Language::Ru, true) => format!("{} {month}", day.day()),
        (Language::Ru, false) => format!("{} {month} {year} года", day.day()),
        (Language::En, true) => day.format("%-d %B").to_string(),
        (Language::En, false) => day.format("%-d %B %Y").to_string(),
    }
}

/// `14:30`.
pub(super) fn time(at: NaiveDateTime) -> String {
    at.format("%H:%M").to_string()
}

/// `21 августа в 14:30`, `21 August at 14:30`.
#[must_use]
pub fn moment(language: Language, at: NaiveDateTime, today: NaiveDate) -> String {
    let word = match language {
        Language::Ru => "в",
        Language::En => "at",
    };
    format!("{} {word} {}", date(language, at.date(), today), time(at))
}

/// `22 августа в 12:00 и 14:30, 23 августа в 11:00`: times in order, each day named once.
pub(super) fn moments(language: Language, times: &[NaiveDateTime], today: NaiveDate) -> String {
    let and = match language {
        Language::Ru => " и ",
        Language::En => " and ",
    };
    let days = times.chunk_by(|a, b| a.date() == b.date()).map(|day| {
        let first = day.first().map(|at| moment(language, *at, today));
        let rest: Vec<String> = day.iter().skip(1).map(|at| time(*at)).collect();
        let mut text = first.unwrap_or_default();
        for (n, at) in rest.iter().enumerate() {
            text += if n + 1 == rest.len() { and } else { ", " };
            text += at;
        }
        text
    });
    days.collect::<Vec<_>>().join(", ")
}

/// `сегодня в 16:00`, `завтра в 16:00`, else [`moment`].
pub(super) fn near_moment(language: Language, at: NaiveDateTime, today: NaiveDate) -> String {
    let days = (at.date() - today).num_days();
    let (at_word, near) = match (language, days) {
        (Language::Ru, 0) => ("в", "сегодня"),
        (Language::Ru, 1) => ("в", "завтра"),
        (Language::En, 0) => ("at", "today"),
        (Language::En, 1) => ("at", "tomorrow"),
        _ => return moment(language, at, today),
    };
    format!("{near} {at_word} {}", time(at))
}

/// `сегодня, 21 августа, в 16:00`, `tomorrow, 22 August, at 16:00`, else [`moment`].
pub(super) fn dated_near_moment(language: Language, at: NaiveDateTime, today: NaiveDate) -> String {
    let (at_word, near) = match (language, (at.date() - today).num_days()) {
        (Language::Ru, 0) => ("в", "сегодня"),
        (Language::Ru, 1) => ("в", "завтра"),
        (Language::En, 0) => ("at", "today"),
        (Language::En, 1) => ("at", "tomorrow"),
        _ => return moment(language, at, today),
    };
    let day = date(language, at.date(), today);
    format!("{near}, {day}, {at_word} {}", time(at))
}

/// `сегодня`, `завтра`; empty for any other day.
pub(super) fn near_day(language: Language, day: NaiveDate, today: NaiveDate) -> &'static str {
    match (language, (day - today).num_days()) {
        (Language::Ru, 0) => "сегодня",
        (Language::Ru, 1) => "завтра",
        (Language::En, 0) => "today",
        (Language::En, 1) => "tomorrow",
        _ => "",
    }
}

/// `пятница`, `Friday`.
pub(super) fn weekday(language: Language, day: NaiveDate) -> String {
    match language {
        Language::Ru => WEEKDAYS[day.weekday().num_days_from_monday() as usize].to_owned(),
        Language::En => day.format("%A").to_string(),
    }
}

/// `1000 руб`; empty for nothing to pay.
pub(super) fn money(sum: Money) -> String {
    if sum.0 == 0 {
        String::new()
    } else {
        format!("{sum} руб")
    }
}

/// `50%`, `12,5%` from hundredths of a percent.
pub(super) fn percent(hundredths: i64) -> String {
    let (whole, rest) = (hundredths / 100, (hundredths % 100).abs());
    match rest {
        0 => format!("{whole}%"),
        _ if rest % 10 == 0 => format!("{whole},{}%", rest / 10),
        _ => format!("{whole},{rest:02}%"),
    }
}

/// `1 ч 30 мин`, `2 ч`, `45 мин`; empty under a minute.
pub(super) fn span(language: Language, seconds: i64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    let (h, m) = match language {
        Language::Ru => ("ч", "мин"),
        Language::En => ("h", "min"),
    };
    match (hours, minutes) {
        (..=0, ..=0) => String::new(),
        (..=0, m_count) => format!("{m_count} {m}"),
        (h_count, 0) => format!("{h_count} {h}"),
        (h_count, m_count) => format!("{h_count} {h} {m_count} {m}"),
    }
}

/// A number with the right form of a word: `1 место`, `2 места`, `5 мест`. English has two forms:
/// give the second twice.
pub(super) fn count(language: Language, n: usize, one: &str, few: &str, many: &str) -> String {
    let form = match language {
        Language::En if n == 1 => one,
        Language::En => many,
        Language::Ru => match (n % 10, n % 100) {
            (_, 11..=14) => many,
            (1, _) => one,
            (2..=4, _) => few,
            _ => many,
        },
    };
    format!("{n} {form}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_month_is_declined() {
        let today = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let names: Vec<String> = (1..=12)
            .map(|m| {
                date(
                    Language::Ru,
                    NaiveDate::from_ymd_opt(2026, m, 1).unwrap(),
                    today,
                )
            })
            .collect();
        assert_eq!(
            names.join(" "),
            "1 января 1 февраля 1 марта 1 апреля 1 мая 1 июня 1 июля 1 августа 1 сентября \
             1 октября 1 ноября 1 декабря"
        );
    }

    #[test]
    fn a_date_of_another_year_names_it() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        let day = NaiveDate::from_ymd_opt(2027, 1, 2).unwrap();
        assert_eq!(date(Language::Ru, day, today), "2 января 2027 года");
        assert_eq!(date(Language::En, day, today), "2 January 2027");
        assert_eq!(weekday(Language::Ru, day), "суббота");
    }

    #[test]
    fn spans_percents_and_numbers_read_as_people_say_them() {
        assert_eq!(span(Language::Ru, 5400), "1 ч 30 мин");
        assert_eq!(span(Language::En, 7200), "2 h");
        assert_eq!(span(Language::Ru, 0), "");
        assert_eq!(percent(5000), "50%");
        assert_eq!(percent(1250), "12,5%");
        assert_eq!(percent(3333), "33,33%");
        let forms: Vec<String> = [1, 2, 5, 11, 21, 112]
            .map(|n| count(Language::Ru, n, "место", "места", "мест"))
            .into();
        assert_eq!(
            forms.join(", "),
            "1 место, 2 места, 5 мест, 11 мест, 21 место, 112 мест"
        );
    }
}
