//! `check`: every problem at once, each with what to do, and one verdict; with `--online` it asks the
//! services too.

use std::path::Path;

use super::failure::code;
use super::text::Say;
use super::{Failure, Outcome, say};
use crate::config::{self, Config, Language, Loaded, ProcessEnvironment, Secrets};

pub(super) mod advice;
mod findings;
mod offline;
pub(super) mod online;
mod unit;

use findings::{Findings, Sign};

pub(super) async fn run(path: &Path, online: bool) -> Outcome {
    let mut found = Findings::default();
    if !path.exists() {
        super::load(path, Secrets::Needed)?;
    }
    let loaded = match config::load(path, &ProcessEnvironment, Secrets::Needed) {
        Ok(loaded) => Some(loaded),
        Err(report) => {
            for problem in &report.problems {
                found.said(Sign::Problem, problem.to_string());
            }
            for warning in &report.warnings {
                found.said(Sign::Remark, warning.to_string());
            }
            None
        }
    };
    let words = Say(loaded.as_ref().map_or(Language::Ru, |l| l.config.language));
    let mut failed = code::USAGE;
    if let Some(Loaded {
        config, warnings, ..
    }) = &loaded
    {
        super::user::settle(&config.database.path)?;
        for warning in warnings {
            found.said(Sign::Remark, warning.to_string());
        }
        offline::look(config, words, &mut found);
        if online && found.count(Sign::Problem) == 0 {
            failed = code::FAILED;
            online::ask(config, words, &mut found).await?;
        }
    }
    conclude(loaded.as_ref().map(|l| &l.config), words, &found)?;
    Ok(match found.count(Sign::Problem) {
        0 => 0,
        _ => failed,
    })
}

fn conclude(config: Option<&Config>, words: Say, found: &Findings) -> Result<(), Failure> {
    found.print()?;
    if let Some(config) = config {
        say(&audience(config, words))?;
    }
    say(&found.verdict(words))
}

/// To whom messages go right now.
fn audience(config: &Config, words: Say) -> String {
    let silent = |c: &&config::Company| c.rules.dry_run;
    let tested = |c: &&config::Company| !c.rules.dry_run && !c.rules.only_phones.is_empty();
    let all = config.companies.len();
    let silent = config.companies.iter().filter(silent).count();
    let mut phones: Vec<String> = config
        .companies
        .iter()
        .filter(tested)
        .flat_map(|c| c.rules.only_phones.iter().map(|p| p.masked()))
        .collect();
    let tested = config.companies.iter().filter(tested).count();
    phones.sort();
    phones.dedup();
    let phones = phones.join(", ");
    let live = all - silent - tested;
    match (config.enabled, words.0) {
        (false, _) => words
            .of(
                "Выключено: никому ничего не уходит.",
                "Switched off: nothing goes to anybody.",
            )
            .to_owned(),
        (true, _) if live == all => words
            .of(
                "Сообщения уходят всем клиентам.",
                "Messages go to every client.",
            )
            .to_owned(),
        (true, _) if silent == all => words
            .of(
                "Сообщения не уходят никому: dry_run. Всем клиентам их включит booking-monitor go-live.",
                "Messages go to nobody: dry_run. booking-monitor go-live switches them on for every client.",
            )
            .to_owned(),
        (true, Language::Ru) if tested == all => format!(
            "Сообщения уходят только на тестовые номера: {phones}. Всем клиентам их включит booking-monitor go-live."
        ),
        (true, Language::En) if tested == all => format!(
            "Messages go to the test phones only: {phones}. booking-monitor go-live switches them on for every client."
        ),
        (true, Language::Ru) => format!(
            "Филиалов, которые пишут всем клиентам: {live}, только на тестовые номера: {tested}, никому: {silent}."
        ),
        (true, Language::En) => format!(
            "Companies that write to every client: {live}, to test phones only: {tested}, to nobody: {silent}."
        ),
    }
}
