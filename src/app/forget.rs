//! `forget`: erases one person's data and says what it cannot reach.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::Utc;

use super::text::Say;
use super::{Failure, Outcome, existing, load, pause, refused, say, take_lock};
use crate::config::{Config, Language, Secrets};
use crate::domain::phone::Phone;
use crate::sinks::Target;
use crate::store::{self, Erased};

pub(super) fn run(path: &Path, written: &str) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    let phones = phones(&config, written)?;
    // Said before the lock is waited for in vain: without a database nothing has to be forgotten.
    drop(existing(&config, store::open_reader)?);
    let database = &config.database.path;
    let _lock = take_lock(database)?;
    let words = Say(config.language);
    for phone in phones {
        let erased = store::forget(database, &phone, Utc::now()).map_err(refused)?;
        say(&summary(words, &phone, erased))?;
    }
    say(words.of(
        "Вместо номера остался отпечаток: при следующем чтении журнала данные не вернутся, и писать этому человеку не будем, пока он не напишет сам.",
        "A keyed hash stays in place of the number: the next reading of the journal brings nothing back, and nothing is sent to this person until they write themselves.",
    ))?;
    let mut copies: BTreeSet<PathBuf> = copies_of(database).into_iter().collect();
    copies.extend(store::copies_beside(database).unwrap_or_default());
    if let Some(folder) = &config.database.backup_dir {
        let dailies = store::dailies(database, folder).unwrap_or_default();
        copies.extend(dailies.into_iter().map(|(_, path)| path));
    }
    let events = config.events.iter().filter_map(|sink| match &sink.to {
        Target::Jsonl { path } => Some(path.clone()),
        Target::Http(_) => None,
    });
    copies.extend(events.filter(|path| path.exists()));
    if !copies.is_empty() {
        say(words.of(
            "Сюда не достаю, эти копии удалите сами (в файле событий — строки):",
            "Out of reach, delete these copies yourself (of a file of events, the lines):",
        ))?;
        for copy in copies {
            say(&format!("  {}", copy.display()))?;
        }
    }
    say(words.of(
        "Резервные копии, сделанные раньше и лежащие в других местах, хранят данные, пока их не сотрут; в журнале YClients и в мессенджерах ничего не удалено.",
        "Backups made before and kept elsewhere have the data until they are deleted; nothing was erased in YClients or in the messengers.",
    ))?;
    Ok(0)
}

/// The number, as each country that a company names would read it.
fn phones(config: &Config, written: &str) -> Result<BTreeSet<Phone>, Failure> {
    let countries: BTreeSet<&str> = config
        .companies
        .iter()
        .map(|c| c.country.as_str())
        .collect();
    let read = countries
        .iter()
        .map(|country| Phone::parse(written, country));
    let (good, bad): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    let problem = bad.into_iter().find_map(Result::err);
    match (good.is_empty(), problem) {
        (true, Some(problem)) => Err(pause::not_a_phone("PHONE", problem)),
        _ => Ok(good.into_iter().flatten().collect()),
    }
}

fn summary(words: Say, phone: &Phone, erased: Erased) -> String {
    let Erased {
        bookings,
        notifications,
        messages,
    } = erased;
    match words.0 {
        Language::Ru if erased == Erased::default() => {
            format!("{phone}: в базе не встречается, стирать нечего.")
        }
        Language::En if erased == Erased::default() => {
            format!("{phone}: nowhere in the database, there is nothing to erase.")
        }
        Language::Ru => format!(
            "{phone}: стёрто имя и телефон. Записей: {bookings}, уведомлений: {notifications}, сообщений: {messages}."
        ),
        Language::En => format!(
            "{phone}: name and number erased. Bookings: {bookings}, notifications: {notifications}, messages: {messages}."
        ),
    }
}

/// Copies of the database that lie beside it: from before a migration, or refused once.
fn copies_of(database: &Path) -> Vec<PathBuf> {
    let Some(name) = database.file_name().and_then(|n| n.to_str()) else {
        return Vec::new();
    };
    let folder = store::folder_of(database);
    let ours = [
        "", "-wal", "-shm", ".lock", ".id", ".id.new", ".alert", ".ballast", ".trial",
    ];
    let ours = ours.map(|end| format!("{name}{end}"));
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut copies: Vec<PathBuf> = files
        .filter(|file| {
            let file = file.file_name();
            let file = file.to_string_lossy();
            file.starts_with(name) && !ours.contains(&file.as_ref().to_owned())
        })
        .map(|file| file.path())
        .collect();
    copies.sort();
    copies
}
