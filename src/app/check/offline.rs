//! What can be known without asking anybody: settings, texts, the database, who would hear of trouble.

use std::path::Path;

use nix::unistd::{AccessFlags, access};

use super::findings::{Findings, Sign};
use crate::app::agent::Models;
use crate::app::db::told;
use crate::app::text::Say;
use crate::app::{
    Failure, api, channel_ends, compiled, sink_ends, stdout_sink, switch, text_remarks,
};
use crate::config::{Company, Config, Language};
use crate::pipeline::ChannelEnd;
use crate::store::health::{self, Finding};
use crate::store::{self, Ailment};

pub(super) fn look(config: &Config, words: Say, found: &mut Findings) {
    let plan = config.plan(|_| None);
    let budget = words.budget(&plan);
    match plan.suffices() {
        true => found.good(budget),
        false => found.remark(
            budget,
            words.of(
                "Поставьте monitor.interval или sweep_interval больше.",
                "Make monitor.interval or sweep_interval longer.",
            ),
        ),
    }
    // Everything that a start would make is made here, and thrown away.
    let ends = channel_ends(config, &stdout_sink());
    texts(config, ends.as_deref().ok(), words, found);
    for problem in [
        models(config).err(),
        ends.err(),
        api(config).err(),
        sink_ends(config).err(),
        switch(config).err(),
    ]
    .into_iter()
    .flatten()
    {
        found.said(Sign::Problem, words.spoken(&problem.lines().join(": ")));
    }
    database(&config.database.path, words, found);
    owners(config, words, found);
}

/// What can be looked at although parts of the file could not be read.
pub(super) fn look_at_part(config: &Config, has_path: bool, words: Say, found: &mut Findings) {
    texts(config, None, words, found);
    if has_path {
        database(&config.database.path, words, found);
    }
}

fn texts(config: &Config, ends: Option<&[ChannelEnd]>, words: Say, found: &mut Findings) {
    match compiled(config, words.0) {
        Ok(companies) => {
            for remark in text_remarks(&companies, ends.unwrap_or_default(), words.0) {
                found.said(Sign::Remark, remark);
            }
        }
        Err(problems) => {
            for problem in problems {
                found.said(Sign::Problem, problem);
            }
        }
    }
}

fn models(config: &Config) -> Result<(), Failure> {
    let mut models = Models::default();
    for company in &config.companies {
        models.of(company)?;
    }
    Ok(())
}

fn database(path: &Path, words: Say, found: &mut Findings) {
    let at = |what: &str| format!("database.path: {what}: {}", path.display());
    let way_back = words.of(
        "Вернуть копию: booking-monitor db restore ФАЙЛ; начать заново, молча: booking-monitor db accept.",
        "Put a copy in force: booking-monitor db restore FILE; start afresh, in silence: booking-monitor db accept.",
    );
    if health::is_gone(path) {
        let what = words.of(
            "базы нет или она пуста, хотя раньше была",
            "the database is missing or empty, but one was here before",
        );
        found.problem(at(what), way_back);
        return;
    }
    match path.try_exists() {
        Ok(_) if health::is_blank(path) => {
            first_run(path, words, found);
            return;
        }
        Ok(_) => {}
        Err(error) => {
            let what = words.spoken(&error.to_string());
            found.problem(
                at(&what),
                words.of(
                    "Запустите от пользователя службы: sudo -u booking-monitor booking-monitor check",
                    "Run it as the service's user: sudo -u booking-monitor booking-monitor check",
                ),
            );
            return;
        }
    }
    let seen = match health::glance(path) {
        Ok(seen) => seen,
        Err(error) => {
            let what = told::unusable(&error, words);
            let action = match error.ailment() {
                Ailment::Damaged => way_back,
                _ => words.of(
                    "Подробности и выход: booking-monitor db check",
                    "Details and the way out: booking-monitor db check",
                ),
            };
            found.problem(at(&what), action);
            return;
        }
    };
    if let Err(error) = may_write(path) {
        unwritable(path, &error, words, found);
    } else if !seen.iter().any(Finding::is_wrong) {
        found.good(format!(
            "{} {}",
            words.of("база цела:", "the database is sound:"),
            path.display()
        ));
    }
    for finding in &seen {
        let what = told::words(finding, words);
        match finding {
            Finding::Marker(_) => {}
            Finding::Open(file) => {
                found.remark(what, &format!("chmod 600 {}", file.display()));
            }
            wrong if wrong.is_wrong() => found.problem(at(&what), way_back),
            _ => found.note(what),
        }
    }
}

/// There is no database yet, and never was.
fn first_run(path: &Path, words: Say, found: &mut Findings) {
    let folder = store::folder_of(path);
    if folder.is_dir() {
        if let Err(error) = may_write(path) {
            return unwritable(path, &error, words, found);
        }
        found.good(format!(
            "{} {}",
            words.of(
                "база появится при первом запуске:",
                "the database appears with the first run:"
            ),
            path.display()
        ));
        return;
    }
    let shown = folder.display();
    found.remark(
        format!(
            "database.path: {} {shown}",
            words.of("нет папки", "there is no folder")
        ),
        &match words.0 {
            Language::Ru => {
                format!("Её создаст служба, когда запустится; без службы: mkdir -p -m 700 {shown}")
            }
            Language::En => format!(
                "The unit makes it when it starts; without the unit: mkdir -p -m 700 {shown}"
            ),
        },
    );
}

/// The database, and what is made beside it, can be written to.
fn may_write(path: &Path) -> std::io::Result<()> {
    access(
        store::folder_of(path),
        AccessFlags::W_OK | AccessFlags::X_OK,
    )?;
    if path.exists() {
        access(path, AccessFlags::W_OK)?;
    }
    Ok(())
}

/// A start would fail on it, whatever stands in the file.
fn unwritable(path: &Path, error: &std::io::Error, words: Say, found: &mut Findings) {
    found.problem(
        format!(
            "database.path: {} {}: {}",
            words.of("нельзя записать", "cannot be written:"),
            path.display(),
            words.spoken(&error.to_string())
        ),
        words.of(
            "Нужны права на файл и его папку. Пользователь не тот? sudo -u booking-monitor booking-monitor check",
            "It takes rights to the file and its folder. The wrong user? sudo -u booking-monitor booking-monitor check",
        ),
    );
}

/// Who hears when something breaks, and over what.
fn owners(config: &Config, words: Say, found: &mut Findings) {
    // That no company has an owner at all is a warning of the configuration's own.
    if config.companies.iter().all(|c| c.owners.is_empty()) {
        return;
    }
    let routes = |c: &Company| -> Vec<String> {
        let alerted = c.owners.iter().filter(|o| o.alerts);
        alerted.map(|o| o.channel.clone()).collect()
    };
    let listed = |of: &dyn Fn(&Company) -> bool| {
        let ids: Vec<String> = config
            .companies
            .iter()
            .filter(|c| of(c))
            .map(|c| c.id.to_string())
            .collect();
        ids.join(", ")
    };
    let deaf = listed(&|c| routes(c).is_empty());
    if !deaf.is_empty() {
        let what = match words.0 {
            Language::Ru => format!("некому узнать о поломке, филиалы: {deaf}"),
            Language::En => format!("nobody hears of trouble, companies: {deaf}"),
        };
        let action = words.of(
            "Добавьте филиалу owner = [{ channel = \"…\", to = \"…\" }] с alerts = true.",
            "Give the company owner = [{ channel = \"…\", to = \"…\" }] with alerts = true.",
        );
        found.remark(what, action);
    }
    // What breaks is most often that very channel, and then nothing can be said over it.
    let same_way = listed(&|c| {
        let routes = routes(c);
        !routes.is_empty() && routes.iter().all(|route| c.channels.contains(route))
    });
    if !same_way.is_empty() {
        let what = match words.0 {
            Language::Ru => format!(
                "о поломке канала узнать будет неоткуда: владельцу и клиентам пишет один и тот же, филиалы: {same_way}"
            ),
            Language::En => format!(
                "that the channel is down could not be told: owner and clients are written to over the same one, companies: {same_way}"
            ),
        };
        let action = words.of(
            "Дайте владельцу другой канал, например своего бота в Telegram.",
            "Give the owner another channel, such as a Telegram bot of its own.",
        );
        found.remark(what, action);
    }
}
