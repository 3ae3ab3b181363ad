//! `go-live`: from test phones to every client. Shows first what that means, asks, and changes the two
//! keys in the file, leaving every comment where it stands.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::check::online;
use super::failure::code;
use super::init::Ask;
use super::progress::Progress;
use super::text::{Say, table};
use super::{Failure, Outcome, api, read, refused, say, talk, user};
use crate::config::{self, Config, ProcessEnvironment, Secrets};
use crate::domain::phone::Phone;
use crate::domain::policy::{Kind, Reason};
use crate::domain::zone::Zone;
use crate::store::{self, outbox};

/// More rows than this nobody reads; the rest are counted.
const MOST_SHOWN: usize = 20;

pub(super) async fn run(path: &Path, yes: bool) -> Outcome {
    let config = read(path, Secrets::Needed)?.config;
    let words = Say(config.language);
    let ask = Ask { words };
    let is_tested = |c: &config::Company| c.rules.dry_run || !c.rules.only_phones.is_empty();
    if !config.companies.iter().any(is_tested) {
        ask.tell(
            "Сообщения и так уходят всем клиентам: ни only_phones, ни dry_run не заданы.",
            "Messages go to every client already: neither only_phones nor dry_run is set.",
        )?;
        return Ok(0);
    }
    {
        // The file may be root's to change; the database is the service's to open.
        let _aside = user::step_aside(&config.database.path)?;
        yesterday(&config, words)?;
    }
    doubled(&config, words).await?;
    let prompt = words.of("\nПисать всем клиентам", "\nWrite to every client");
    if !yes && !ask.yes(prompt, false)? {
        ask.tell("Ничего не изменено.", "Nothing was changed.")?;
        return Ok(code::FAILED);
    }
    let text = fs::read_to_string(path).map_err(|e| unwritten(path, &e.to_string()))?;
    put(path, &lifted(&text).map_err(|why| unwritten(path, &why))?)?;
    ask.tell(
        "✓ Теперь сообщения уходят всем клиентам. О том, что было до сих пор, вдогонку никто не узнает.\n  Служба перечитает настройки: sudo systemctl reload booking-monitor. Запущенную в терминале остановите и запустите снова.",
        "✓ From now on messages go to every client. Nobody is told afterwards of what has been until now.\n  The service reads the settings anew: sudo systemctl reload booking-monitor. One in a terminal has to be restarted.",
    )?;
    Ok(0)
}

/// What test mode kept from clients in the last day.
fn yesterday(config: &Config, words: Say) -> Result<(), Failure> {
    let none = words.of(
        "За последние сутки тестовый режим ничего не удержал.",
        "In the last 24 hours test mode kept nothing back.",
    );
    if !config.database.path.exists() {
        return talk(none);
    }
    let conn = super::existing(config, store::open_reader)?;
    let since = Utc::now() - TimeDelta::hours(24);
    let kept = outbox::silenced(&conn, Reason::TestMode, since).map_err(refused)?;
    if kept.is_empty() {
        return talk(none);
    }
    talk(&format!(
        "{} {}",
        words.of(
            "За последние сутки ушло бы клиентам сообщений:",
            "Messages that would have gone to clients in the last 24 hours:"
        ),
        kept.len()
    ))?;
    let zones = super::names::Zones::read(&conn, config).map_err(refused)?;
    let mut shown = table(&[
        words.of("Когда", "When"),
        words.of("О чём", "Kind"),
        words.of("Запись", "Record"),
        words.of("Кому", "To"),
    ]);
    for n in kept.iter().take(MOST_SHOWN) {
        shown.add_row([
            local(n.created_at, zones.of(Some(n.company))),
            words.kind(&n.kind).to_owned(),
            n.record.to_string(),
            Phone::from_stored(n.phone.clone()).masked(),
        ]);
    }
    say(&shown.to_string())?;
    match kept.len().saturating_sub(MOST_SHOWN) {
        0 => Ok(()),
        more => talk(&format!("{} {more}", words.of("… и ещё", "… and more:"))),
    }
}

fn local(at: DateTime<Utc>, zone: Zone) -> String {
    let at = at.with_timezone(&zone);
    at.format("%d.%m %H:%M").to_string()
}

/// What YClients tells its clients itself. That it cannot be asked now is no reason to stop.
async fn doubled(config: &Config, words: Say) -> Result<(), Failure> {
    let api = api(config)?;
    for company in &config.companies {
        let asked = words.of("Спрашиваю YClients", "Asking YClients");
        let shown = Progress::of(format!("{asked}: {}", company.id));
        let seen = online::look_at(&api, company).await;
        drop(shown);
        match seen {
            Err(error) => talk(&format!(
                "! {}: {}",
                company.id,
                words.spoken(&error.to_string())
            ))?,
            Ok(seen) => {
                let sends = seen.survey.notices;
                let ours = company.rules.kinds.contains(&Kind::Created);
                if ours && sends.sms_now + sends.email_now > 0 {
                    talk(&format!(
                        "! {}",
                        online::notices(words, &seen.title, &seen.survey)
                    ))?;
                    talk(&format!("  → {}", online::switch_theirs_off(words)))?;
                }
            }
        }
    }
    Ok(())
}

/// The same text without test mode. Values change in place, so that comments stay.
fn lifted(text: &str) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|_| "it is not TOML".to_owned())?;
    if let Some(monitor) = document
        .get_mut("monitor")
        .and_then(Item::as_table_like_mut)
    {
        lift(monitor);
    }
    match document.get_mut("companies") {
        Some(Item::ArrayOfTables(companies)) => {
            for company in companies.iter_mut() {
                lift(company);
            }
        }
        Some(Item::Value(Value::Array(companies))) => {
            for company in companies.iter_mut() {
                if let Some(company) = company.as_inline_table_mut() {
                    lift(company);
                }
            }
        }
        _ => {}
    }
    Ok(document.to_string())
}

fn lift(table: &mut dyn TableLike) {
    for (key, off) in [
        ("only_phones", Value::Array(toml_edit::Array::new())),
        ("dry_run", Value::from(false)),
    ] {
        if let Some(value) = table.get_mut(key).and_then(Item::as_value_mut) {
            let decor = value.decor().clone();
            *value = off;
            *value.decor_mut() = decor;
        }
    }
}

/// Puts the text in the file's place, once it is proven to be a configuration.
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| unwritten(path, &error.to_string());
    // The file itself, should the name be a link.
    let path = fs::canonicalize(path).map_err(failed)?;
    let before = fs::metadata(&path).map_err(failed)?;
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let mode = before.permissions().mode() & 0o7777;
        // Who cannot give a file away owns it anyhow.
        drop(chown(&fresh, Some(before.uid()), Some(before.gid())));
        fs::set_permissions(&fresh, fs::Permissions::from_mode(mode))
    };
    write().map_err(|error| {
        drop(fs::remove_file(&fresh));
        failed(error)
    })?;
    if let Err(report) = config::load(&fresh, &ProcessEnvironment, Secrets::NotNeeded) {
        drop(fs::remove_file(&fresh));
        return Err(unwritten(&path, &report.to_string()));
    }
    fs::rename(&fresh, &path).map_err(failed)
}

fn unwritten(path: &Path, why: &str) -> Failure {
    let error = anyhow::anyhow!("cannot change {}: {why}", path.display());
    Failure::new(code::FAILED, error)
        .hint("set `only_phones = []` and `dry_run = false` in it by hand, or be whoever owns it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_mode_goes_and_every_comment_stays() {
        let before = "# mine\n[monitor]\n# why\nonly_phones = [\"+79000000009\"] # me\ndry_run = true\n\n[[companies]]\nid = 1\n# its own\nonly_phones = [\n  \"+79000000008\", # her\n]\n";
        let after = "# mine\n[monitor]\n# why\nonly_phones = [] # me\ndry_run = false\n\n[[companies]]\nid = 1\n# its own\nonly_phones = []\n";
        assert_eq!(lifted(before).unwrap(), after);
    }
}
