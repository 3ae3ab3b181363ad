//! What can be known without asking anybody: settings, texts, the database, who would hear of trouble.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::findings::{Findings, Sign};
use crate::app::text::Say;
use crate::app::{api, channel_ends, companies, sink_ends, stdout_sink, switch, text_remarks};
use crate::config::{Company, Config, Language};
use crate::store;

pub(super) fn look(config: &Config, words: Say, found: &mut Findings) {
    let plan = config.plan(|_| None);
    let budget = words.budget(&plan);
    match plan.suffices() {
        true => found.good(budget),
        false => found.said(Sign::Remark, budget),
    }
    // Everything that a start would make is made here, and thrown away.
    let (companies, ends) = (companies(config), channel_ends(config, &stdout_sink()));
    if let (Ok(companies), Ok(ends)) = (&companies, &ends) {
        for remark in text_remarks(companies, ends) {
            found.said(Sign::Remark, remark);
        }
    }
    for problem in [
        companies.err(),
        ends.err(),
        api(config).err(),
        sink_ends(config).err(),
        switch(config).err(),
    ]
    .into_iter()
    .flatten()
    {
        for line in problem.lines() {
            found.said(Sign::Problem, line);
        }
    }
    database(&config.database.path, words, found);
    owners(config, words, found);
}

fn database(path: &Path, words: Say, found: &mut Findings) {
    if !path.exists() {
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
    match store::open_reader(path).and_then(|conn| store::verify(&conn)) {
        Ok(()) => found.good(format!(
            "{} {}",
            words.of("база цела:", "the database is sound:"),
            path.display()
        )),
        Err(error) => found.problem(
            format!("database.path: {error}"),
            words.of(
                "Подробности и выход: booking-monitor db check",
                "Details and the way out: booking-monitor db check",
            ),
        ),
    }
    for file in open_to_others(path) {
        let shown = file.display();
        let what = match words.0 {
            Language::Ru => format!("файл базы могут прочитать другие: {shown}"),
            Language::En => format!("others may read this file of the database: {shown}"),
        };
        found.remark(what, &format!("chmod 600 {shown}"));
    }
}

/// The database's files that hold people's names and that others may read.
fn open_to_others(path: &Path) -> Vec<PathBuf> {
    let beside = ["", "-wal", "-shm"].map(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    });
    let open = |file: &PathBuf| {
        let meta = std::fs::metadata(file);
        meta.is_ok_and(|meta| meta.permissions().mode() & 0o044 != 0)
    };
    beside.into_iter().filter(open).collect()
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
