//! `check`: every problem at once, and one verdict; with `--online` it asks the services too.

use std::path::Path;
use std::sync::Arc;

use super::failure::code;
use super::text::Say;
use super::{
    Outcome, api, channel_ends, companies, say, sink_ends, stdout_sink, switch, templates,
    text_remarks,
};
use crate::config::{self, Config, Language, Loaded, ProcessEnvironment, Secrets};
use crate::ports::{ApiError, BookingApi, CompanyRef, Query, Standing};
use crate::store;

/// Local clocks further off than this make messages early or late.
const SKEW: i64 = 120;

/// What was found.
#[derive(Default)]
struct Findings {
    problems: Vec<String>,
    warnings: Vec<String>,
    good: Vec<String>,
}

pub(super) async fn run(path: &Path, online: bool) -> Outcome {
    let mut found = Findings::default();
    if !path.exists() {
        super::load(path, Secrets::Needed)?;
    }
    let loaded = match config::load(path, &ProcessEnvironment, Secrets::Needed) {
        Ok(loaded) => Some(loaded),
        Err(report) => {
            found
                .problems
                .extend(report.problems.iter().map(ToString::to_string));
            found
                .warnings
                .extend(report.warnings.iter().map(ToString::to_string));
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
        found
            .warnings
            .extend(warnings.iter().map(ToString::to_string));
        offline(config, words, &mut found);
        if online && found.problems.is_empty() {
            failed = code::FAILED;
            ask(config, words, &mut found).await?;
        }
    }
    for line in &found.good {
        say(&format!("✓ {line}"))?;
    }
    for line in &found.warnings {
        say(&format!("! {line}"))?;
    }
    for line in &found.problems {
        say(&format!("✗ {line}"))?;
    }
    if let Some(Loaded { config, .. }) = &loaded {
        say(&audience(config, words))?;
    }
    say(&verdict(&found, words))?;
    Ok(if found.problems.is_empty() { 0 } else { failed })
}

fn offline(config: &Config, words: Say, found: &mut Findings) {
    let plan = config.plan(|_| None);
    let budget = words.budget(&plan);
    if plan.suffices() {
        found.good.push(budget);
    } else {
        found.warnings.push(budget);
    }
    // Everything that a start would make is made here, and thrown away.
    let (companies, ends) = (companies(config), channel_ends(config, &stdout_sink()));
    if let (Ok(companies), Ok(ends)) = (&companies, &ends) {
        found.warnings.extend(text_remarks(companies, ends));
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
        found.problems.extend(problem.lines());
    }
    let path = &config.database.path;
    if !path.exists() {
        found.good.push(format!(
            "{} {}",
            words.of(
                "база появится при первом запуске:",
                "the database appears with the first run:"
            ),
            path.display()
        ));
    } else {
        match store::open_reader(path).and_then(|conn| store::verify(&conn)) {
            Ok(()) => found.good.push(format!(
                "{} {}",
                words.of("база цела:", "the database is sound:"),
                path.display()
            )),
            Err(error) => found.problems.push(format!("database.path: {error}")),
        }
    }
}

async fn ask(config: &Config, words: Say, found: &mut Findings) -> Result<(), super::Failure> {
    let api: Arc<dyn BookingApi> = Arc::new(api(config)?);
    for company in &config.companies {
        match ask_company(api.as_ref(), company).await {
            Ok((title, zone, skew)) => {
                found
                    .good
                    .push(format!("YClients: {title} ({}), {zone}", company.id));
                if skew.is_some_and(|s| s.abs() > SKEW) {
                    found.warnings.push(match words.0 {
                        Language::Ru => format!(
                            "часы этой машины расходятся с YClients на {} с",
                            skew.unwrap_or(0)
                        ),
                        Language::En => format!(
                            "this machine's clock differs from YClients by {} s",
                            skew.unwrap_or(0)
                        ),
                    });
                }
            }
            Err(error) => found
                .problems
                .push(format!("companies.id = {}: {error}", company.id)),
        }
    }
    for end in channel_ends(config, &stdout_sink())? {
        match end.channel.probe().await {
            Ok(()) => {
                found.good.push(format!(
                    "{} {} ({})",
                    words.of("канал", "channel"),
                    end.name,
                    end.kind
                ));
                let remarks = end.channel.inspect().await.into_iter();
                let name = &end.name;
                found
                    .warnings
                    .extend(remarks.map(|remark| format!("channels.{name}: {remark}")));
                match end.channel.template_gaps().await {
                    Ok(gaps) => found
                        .warnings
                        .extend(gaps.iter().map(|gap| templates::gap(words, name, gap))),
                    Err(why) => found.warnings.push(format!(
                        "channels.{name}: {}: {why}",
                        words.of("шаблоны не прочитаны", "the templates could not be read")
                    )),
                }
            }
            Err(why) => found.problems.push(format!("channels.{}: {why}", end.name)),
        }
    }
    Ok(())
}

/// The company's title, its zone, and by how many seconds our clock is ahead of the API's.
async fn ask_company(
    api: &dyn BookingApi,
    company: &config::Company,
) -> Result<(String, String, Option<i64>), ApiError> {
    let info = api.company(company.id).await?;
    let zone = company.timezone.or(info.zone).ok_or_else(|| {
        ApiError::Unreadable("the company names no time zone: set `timezone` under it".into())
    })?;
    let reference = CompanyRef {
        id: company.id,
        zone,
        country: company.country.clone(),
        standing: Standing::first(),
    };
    let now = chrono::Utc::now();
    let page = api.page(&reference, &Query::ChangedSince(now), 1).await?;
    let skew = page.server_date.map(|date| (now - date).num_seconds());
    Ok((info.title, zone.name().to_owned(), skew))
}

/// To whom messages go right now.
fn audience(config: &Config, words: Say) -> String {
    let tested = |c: &config::Company| c.rules.dry_run || !c.rules.only_phones.is_empty();
    let tested_count = config.companies.iter().filter(|c| tested(c)).count();
    let text = match (config.enabled, tested_count) {
        (false, _) => words.of(
            "Выключено: никому ничего не уходит.",
            "Switched off: nothing goes to anybody.",
        ),
        (true, 0) => words.of(
            "Сообщения уходят всем клиентам.",
            "Messages go to every client.",
        ),
        (true, n) if n == config.companies.len() => words.of(
            "Сообщения уходят только на тестовые номера.",
            "Messages go to the test phones only.",
        ),
        (true, _) => words.of(
            "Часть салонов пишет всем клиентам, часть — только на тестовые номера.",
            "Some salons write to every client, some to test phones only.",
        ),
    };
    text.to_owned()
}

fn verdict(found: &Findings, words: Say) -> String {
    match (found.problems.len(), found.warnings.len(), words.0) {
        (0, 0, _) => words.of("Готово к работе.", "Ready.").to_owned(),
        (0, n, Language::Ru) => format!("Может работать, но есть замечания: {n}."),
        (0, n, Language::En) => format!("Can run, but there are remarks: {n}."),
        (n, _, Language::Ru) => {
            format!("Работать не может, причин: {n}. Каждая строка с ✗ говорит, что поправить.")
        }
        (n, _, Language::En) => {
            format!("Cannot run, reasons: {n}. Each line with ✗ says what to mend.")
        }
    }
}
