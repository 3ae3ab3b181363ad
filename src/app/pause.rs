//! `pause` and `resume`: nothing is sent to some clients, or to any, for a while.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::release::open;
use super::text::Say;
use super::{Failure, Outcome, names, refused, say};
use crate::cli::PauseArgs;
use crate::config::{Config, Language, parse_span};
use crate::domain::phone::{Phone, PhoneProblem};
use crate::pipeline::orders;
use crate::store;
use crate::store::pauses::{Pause, Selector};

pub(super) fn pause(path: &Path, of: &PauseArgs, span: Option<&str>) -> Outcome {
    let (config, mut conn) = open(path)?;
    let of = selector(&config, of)?;
    let now = Utc::now();
    let until = match span {
        Some(written) => Some(end_of(written, now)?),
        None => None,
    };
    let pause = Pause { of, until };
    store::write_on(&mut conn, |tx| orders::pause(tx, &pause, now)).map_err(refused)?;
    let words = Say(config.language);
    let end = match (until, words.0) {
        (Some(until), _) => words.until(until, now),
        (None, Language::Ru) => "пока не снимете: booking-monitor resume".to_owned(),
        (None, Language::En) => "until booking-monitor resume".to_owned(),
    };
    say(&format!("{}: {end}", words.paused(&pause.of)))?;
    Ok(0)
}

pub(super) fn resume(path: &Path, of: &PauseArgs) -> Outcome {
    let (config, mut conn) = open(path)?;
    let of = selector(&config, of)?;
    let named = of != Selector::default();
    let of = named.then_some(&of);
    let now = Utc::now();
    let lifted = store::write_on(&mut conn, |tx| orders::resume(tx, of, now)).map_err(refused)?;
    let words = Say(config.language);
    say(&match lifted {
        0 => words
            .of("Такой паузы не было.", "There was no such pause.")
            .to_owned(),
        n => format!("{} {n}", words.of("Снято пауз:", "Pauses ended:")),
    })?;
    Ok(0)
}

fn selector(config: &Config, of: &PauseArgs) -> Result<Selector, Failure> {
    if of.company.is_some() {
        names::company(config, of.company)?;
    }
    Ok(Selector {
        company: of.company,
        staff: of.staff,
        phone: phone(config, of.company, of.phone.as_deref())?,
    })
}

/// `--phone` as the database has it; without a code it is of the company's country.
pub(super) fn phone(
    config: &Config,
    company: Option<i64>,
    written: Option<&str>,
) -> Result<Option<String>, Failure> {
    let mut companies = config.companies.iter();
    let company = companies.find(|c| company.is_none_or(|id| c.id == id));
    let country = company.map_or("RU", |c| c.country.as_str());
    match written {
        Some(written) => {
            let phone = Phone::parse(written, country)
                .map_err(|problem| not_a_phone("--phone", problem))?;
            Ok(Some(phone.e164().to_owned()))
        }
        None => Ok(None),
    }
}

/// A number that cannot be read as one.
pub(super) fn not_a_phone(flag: &str, problem: PhoneProblem) -> Failure {
    Failure::usage(&format!("{flag}: {problem}")).hint("write it whole, as +79000000001")
}

fn end_of(written: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Failure> {
    let wrong = || {
        Failure::usage(&format!(
            "--for: expected a span of time, found {written:?}"
        ))
        .hint("write it as 30m, 2h or 3d")
    };
    let span = parse_span(written)
        .filter(|span| !span.is_zero())
        .ok_or_else(wrong)?;
    let span = chrono::TimeDelta::from_std(span).map_err(|_| wrong())?;
    now.checked_add_signed(span).ok_or_else(wrong)
}
