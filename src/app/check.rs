//! `check`: every problem at once, each with what to do, and one verdict; with `--online` it asks the
//! services too.

use std::path::Path;

use chrono::Utc;

use super::failure::code;
use super::text::Say;
use super::{Outcome, talk};
use crate::config::{self, Config, Language, ProcessEnvironment, Secrets};
use crate::store;
use crate::store::pauses::{self, Pause, Selector};

pub(super) mod advice;
mod findings;
mod offline;
pub(super) mod online;
mod unit;

use findings::{Findings, Sign};

pub(super) async fn run(path: &Path, online: bool) -> Outcome {
    if !path.exists() {
        super::load(path, Secrets::Needed)?;
    }
    let mut found = Findings::default();
    let (read, problems, warnings) = match config::load(path, &ProcessEnvironment, Secrets::Needed)
    {
        Ok(loaded) => (Ok(loaded.config), Vec::new(), loaded.warnings),
        Err(mut report) => {
            let problems = std::mem::take(&mut report.problems);
            let warnings = std::mem::take(&mut report.warnings);
            (Err(report), problems, warnings)
        }
    };
    let words = Say(match &read {
        Ok(config) => config.language,
        Err(report) => report.language,
    });
    for (sign, all) in [(Sign::Problem, &problems), (Sign::Remark, &warnings)] {
        for problem in all {
            found.said(sign, problem.within(words.0));
        }
    }
    let config = match &read {
        Ok(config) => {
            super::user::settle(&config.database.path)?;
            offline::look(config, words, &mut found);
            Some(config)
        }
        // The rest is looked at all the same: mending one line only to be told of the next is no way
        // to spend an evening.
        Err(report) => {
            if let Some(partial) = &report.partial {
                super::user::settle(&partial.database.path)?;
                let is_database = |key: &str| key.starts_with("database");
                let has_path = !problems.iter().any(|p| is_database(&p.key));
                offline::look_at_part(partial, has_path, words, &mut found);
            }
            None
        }
    };
    let mut failed = code::USAGE;
    match config {
        Some(config) if online && found.count(Sign::Problem) == 0 => {
            failed = code::FAILED;
            online::ask(config, words, &mut found).await?;
        }
        _ if online => found.note(words.of(
            "YClients и каналы не спрошены: сначала поправьте то, что ниже",
            "YClients and the channels were not asked: first mend what stands below",
        )),
        _ => {}
    }
    found.print()?;
    if let Some(config) = config {
        talk(&now(config, words))?;
    }
    talk(&found.verdict(words))?;
    Ok(match found.count(Sign::Problem) {
        0 => 0,
        _ => failed,
    })
}

/// To whom messages go right now, with the pauses that keep some back, as far as the database can be
/// read.
fn now(config: &Config, words: Say) -> String {
    let now = Utc::now();
    let conn = store::open_reader(&config.database.path);
    let running = conn.and_then(|conn| pauses::running(&conn, now));
    let running = running.unwrap_or_default();
    let is_of_all = |pause: &&Pause| pause.of == Selector::default();
    if let Some(pause) = running.iter().find(is_of_all) {
        let nothing = words.of(
            "Сейчас клиентам не уходит ничего.",
            "Right now nothing goes to clients.",
        );
        return format!("{nothing} {}.", words.pause(pause, now));
    }
    let mut lines = vec![audience(config, words)];
    lines.extend(running.iter().map(|pause| words.pause(pause, now)));
    lines.join("\n")
}

/// To whom messages go where nothing is paused.
fn audience(config: &Config, words: Say) -> String {
    let silent = |c: &&config::Company| c.rules.dry_run || c.channels.is_empty();
    let tested = |c: &&config::Company| !silent(c) && !c.rules.only_phones.is_empty();
    let unwritten = config.companies.iter().all(|c| c.channels.is_empty());
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
        (true, _) if unwritten => words
            .of(
                "Сообщения не уходят никому: ни у одного филиала нет channels.",
                "Messages go to nobody: no company has channels.",
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
