//! Parsers of single values. Each reports what it was given and what it would take.

use std::time::Duration;

use chrono::{DateTime, NaiveTime, Utc};
use croner::parser::{CronParser, Seconds, Year};

use super::problem::{Said, did_you_mean, said};
use super::reader::Value;
use crate::domain::phone::Phone;
use crate::domain::zone::Zone;

/// The shortest interval and delay: the API's resolution is one second.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);

/// Ten years: beyond it a span is a typing error, and date arithmetic would overflow.
const LONGEST: Duration = Duration::from_hours(24 * 3650);

const DAY: Duration = Duration::from_hours(24);

pub(super) fn a_string() -> Said {
    said("expected a string, found", "нужна строка, а стоит")
}

pub(super) fn text(value: &Value<'_>) -> Option<String> {
    match value.node.as_str() {
        Some(text) => Some(text.trim().to_owned()),
        None => value.wrong(a_string(), None),
    }
}

/// Text that people tend to write as a number: chat ids, instance ids, phones.
pub(super) fn text_or_number(value: &Value<'_>) -> Option<String> {
    match integer(value) {
        Some(number) => Some(number.to_string()),
        None if value.node.is_str() => text(value),
        None => value.wrong_hidden(a_string(), None),
    }
}

pub(super) fn switch(value: &Value<'_>) -> Option<bool> {
    match value.node.as_bool() {
        Some(switch) => Some(switch),
        None => value.wrong(
            said(
                "expected true or false, found",
                "нужно true или false, а стоит",
            ),
            None,
        ),
    }
}

fn integer(value: &Value<'_>) -> Option<i64> {
    let number = value.node.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A whole number within bounds, both included.
pub(super) fn whole(least: i64, most: i64) -> impl Fn(&Value<'_>) -> Option<i64> {
    move |value| match integer(value) {
        Some(number) if (least..=most).contains(&number) => Some(number),
        _ if most == i64::MAX => value.wrong(
            said(
                format!("expected a whole number from {least}, found"),
                format!("нужно целое число от {least}, а стоит"),
            ),
            None,
        ),
        _ => value.wrong(
            said(
                format!("expected a whole number from {least} to {most}, found"),
                format!("нужно целое число от {least} до {most}, а стоит"),
            ),
            None,
        ),
    }
}

/// A count within bounds, for keys that are `u32` in the program.
pub(super) fn count(least: u32, most: u32) -> impl Fn(&Value<'_>) -> Option<u32> {
    move |value| {
        let number = whole(least.into(), most.into())(value)?;
        u32::try_from(number).ok()
    }
}

/// Messages a second: a slow account may be given one message in several seconds.
pub(super) fn rate(value: &Value<'_>) -> Option<f64> {
    let number = match integer(value) {
        Some(number) => number.to_string().parse().ok(),
        None => value.node.as_float().and_then(|n| n.as_str().parse().ok()),
    };
    match number {
        Some(rate) if (0.001..=100_000.0).contains(&rate) => Some(rate),
        _ => value.wrong(
            said(
                "expected a number from 0.001 to 100000, found",
                "нужно число от 0.001 до 100000, а стоит",
            ),
            None,
        ),
    }
}

/// A span of at least `least`.
pub(super) fn duration(least: Duration) -> impl Fn(&Value<'_>) -> Option<Duration> {
    move |value| {
        let Some(span) = value.node.as_str().and_then(parse_duration) else {
            let message = said(
                r#"expected a duration such as "60s", "15m", "2h" or "30d", found"#,
                r#"нужен срок вида "60s", "15m", "2h" или "30d", а стоит"#,
            );
            return value.wrong(message, None);
        };
        if span < least {
            let least = spell(least);
            value.wrong(
                said(
                    format!("must be at least {least:?}, found"),
                    format!("нужно не меньше {least:?}, а стоит"),
                ),
                None,
            )
        } else if span > LONGEST {
            let most = spell(LONGEST);
            value.wrong(
                said(
                    format!("must be at most {most:?}, found"),
                    format!("нужно не больше {most:?}, а стоит"),
                ),
                None,
            )
        } else {
            Some(span)
        }
    }
}

/// A span in whole days.
pub(super) fn days(value: &Value<'_>) -> Option<u32> {
    let span = duration(DAY)(value)?;
    if !span.as_secs().is_multiple_of(DAY.as_secs()) {
        let message = said(
            r#"expected whole days such as "180d", found"#,
            r#"нужны целые дни вида "180d", а стоит"#,
        );
        return value.wrong(message, None);
    }
    u32::try_from(span.as_secs() / DAY.as_secs()).ok()
}

/// One number and one unit: `90s`, `15m`, `2h`, `30d`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

/// A span as the file would have it.
pub(super) fn spell(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        _ if span.subsec_millis() != 0 => format!("{}ms", span.as_millis()),
        _ if seconds != 0 && seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
        _ if seconds != 0 && seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds != 0 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// `"20%"`, as 20.
pub(super) fn percent(value: &Value<'_>) -> Option<f64> {
    let number = value
        .node
        .as_str()
        .and_then(|text| text.trim().strip_suffix('%'));
    let number = number.and_then(|number| number.trim().parse::<f64>().ok());
    match number {
        Some(percent) if (0.0..=100.0).contains(&percent) => Some(percent),
        _ => value.wrong(
            said(
                r#"expected a share such as "20%", found"#,
                r#"нужна доля вида "20%", а стоит"#,
            ),
            None,
        ),
    }
}

/// `"21:00"`.
pub(super) fn hour(value: &Value<'_>) -> Option<NaiveTime> {
    let written = value.node.as_str().map(str::trim);
    let hour = written.and_then(|text| NaiveTime::parse_from_str(text, "%H:%M").ok());
    hour.or_else(|| {
        let message = said(
            r#"expected an hour such as "21:00", found"#,
            r#"нужно время вида "21:00", а стоит"#,
        );
        value.wrong(message, None)
    })
}

/// `"21:30-09:00"`.
pub(super) fn hours(value: &Value<'_>) -> Option<(NaiveTime, NaiveTime)> {
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
    let hours = value.node.as_str().and_then(|text| text.split_once('-'));
    match hours.and_then(|(from, to)| Some((time(from)?, time(to)?))) {
        // Equal ends could mean no hour or all of them: nobody should have to guess.
        Some((from, to)) if from != to => Some((from, to)),
        _ => value.wrong(
            said(
                r#"expected two different times such as "21:30-09:00", found"#,
                r#"нужны два разных времени вида "21:30-09:00", а стоит"#,
            ),
            None,
        ),
    }
}

/// An array of what `parse` reads.
pub(super) fn list<T>(
    parse: impl Fn(&Value<'_>) -> Option<T>,
) -> impl Fn(&Value<'_>) -> Option<Vec<T>> {
    move |value| {
        // Not collected straight into an Option: that would stop at the first broken item.
        let read: Vec<Option<T>> = value.items()?.iter().map(&parse).collect();
        read.into_iter().collect()
    }
}

/// A text to look for. An empty one would be found in every comment.
pub(super) fn marker(value: &Value<'_>) -> Option<String> {
    match value.node.as_str() {
        Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
        _ => value.wrong(
            said(
                "expected a text that is not empty, found",
                "нужен непустой текст, а стоит",
            ),
            None,
        ),
    }
}

/// One of a closed set of words.
pub(super) fn word<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(&Value<'_>) -> Option<T> {
    move |value| {
        let written = value.node.as_str().map_or("", str::trim);
        let found = words.iter().find(|(word, _)| *word == written);
        found.map(|(_, meaning)| *meaning).or_else(|| {
            let names: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            let message = match names.as_slice() {
                [one] => said(
                    format!("expected {one}, found"),
                    format!("нужно {one}, а стоит"),
                ),
                _ => {
                    let names = names.join(", ");
                    said(
                        format!("expected one of {names}, found"),
                        format!("нужно одно из {names}, а стоит"),
                    )
                }
            };
            let hint = did_you_mean(written, words.iter().map(|(word, _)| *word));
            value.wrong(message, hint)
        })
    }
}

pub(super) fn timezone(value: &Value<'_>) -> Option<Zone> {
    let name = text(value)?;
    name.parse().ok().or_else(|| {
        let names = Zone::names();
        let hint = did_you_mean(&name, names.iter().map(String::as_str));
        let hint = hint.unwrap_or_else(|| {
            said(
                r#"write a name such as "Europe/Moscow""#,
                r#"напишите имя вида "Europe/Moscow""#,
            )
        });
        let message = said("unknown time zone", "нет такого часового пояса:");
        value.wrong(message, Some(hint))
    })
}

pub(super) fn country(value: &Value<'_>) -> Option<String> {
    let code = text(value)?.to_uppercase();
    if code.len() == 2 && Phone::knows_country(&code) {
        return Some(code);
    }
    let hint = said(
        r#"write the country's two letters, such as "RU""#,
        r#"напишите две буквы страны, например "RU""#,
    );
    value.wrong(said("unknown country", "нет такой страны:"), Some(hint))
}

/// A cron expression with seconds first; one of five fields gets second 0.
///
/// It is read exactly as tokio-cron-scheduler reads it, whose own error says nothing: what passes
/// here will be taken there.
pub(super) fn schedule(value: &Value<'_>) -> Option<String> {
    let written = text(value)?;
    let fields = written.split_whitespace().count();
    let expression = match fields {
        5 => format!("0 {written}"),
        6 => written,
        _ => {
            let message = said(
                "expected a cron expression of 5 fields, or 6 with seconds first, found",
                "нужно расписание cron из 5 полей, или из 6 с секундами впереди, а стоит",
            );
            return value.wrong(message, None);
        }
    };
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Disallowed)
        .dom_and_dow(true)
        .build();
    match parser.parse(&expression) {
        Ok(cron) => {
            // Any fixed day will do: whether 30 February ever comes does not depend on today.
            if cron
                .find_next_occurrence(&DateTime::<Utc>::UNIX_EPOCH, false)
                .is_err()
            {
                let message = said(
                    "a cron expression that never comes due:",
                    "расписание, время которого не наступит никогда:",
                );
                return value.wrong(message, None);
            }
            Some(expression)
        }
        Err(error) => value.wrong(
            said("not a cron expression:", "это не расписание cron:"),
            Some(error.to_string().trim_end_matches('.').to_owned().into()),
        ),
    }
}

/// The part of a URL's path that is an account's number.
pub(super) fn account(value: &Value<'_>) -> Option<String> {
    let id = text_or_number(value)?;
    if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Some(id)
    } else {
        value.wrong_hidden(
            said(
                "expected letters and digits only, found",
                "нужны только латинские буквы и цифры, а стоит",
            ),
            None,
        )
    }
}
