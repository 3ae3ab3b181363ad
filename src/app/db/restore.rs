//! `db restore`: a backup takes the database's place.

use std::path::Path;

use crate::app::failure::code;
use crate::app::text::Say;
use crate::app::{Failure, Outcome, load, refused, say, take_lock};
use crate::config::{Language, Secrets};
use crate::store::{self, Ailment, Restored, StoreError};

pub(super) fn run(path: &Path, file: &Path) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    let database = &config.database.path;
    match file.try_exists() {
        Ok(true) if !is_same(file, database) => {}
        Ok(true) => {
            return Err(Failure::usage("that is the database itself, no copy of it")
                .hint("name a file made by `booking-monitor db backup`, or one in `database.backup_dir`"));
        }
        Ok(false) => {
            let error = anyhow::anyhow!("no file at {}", file.display());
            return Err(Failure::new(code::FAILED, error)
                .hint("daily copies lie in `database.backup_dir`, where that is set"));
        }
        Err(error) => {
            let what = format!("cannot see {}", file.display());
            return Err(
                Failure::new(code::FAILED, anyhow::Error::new(error).context(what))
                    .hint("started by root the program goes on as the owner of the database's folder: put the copy where that user may read it"),
            );
        }
    }
    let _lock = take_lock(database)?;
    let restored = store::restore(database, file).map_err(|error| not_restored(error, file))?;
    let words = Say(config.language);
    let Restored {
        as_of,
        kept,
        dropped,
        opt_outs,
    } = restored;
    say(&format!(
        "{} {}",
        words.of("Копия в силе:", "The copy is in force:"),
        file.display()
    ))?;
    if let Some(as_of) = as_of {
        let as_of = as_of.format("%Y-%m-%d %H:%M UTC");
        say(&format!(
            "{} {as_of}",
            words.of("Она знает журнал на", "It knows the journal as of")
        ))?;
    }
    if let Some(kept) = kept {
        say(&format!(
            "{} {}",
            words.of("Прежняя база сохранена:", "The old database is kept:"),
            kept.display()
        ))?;
    }
    say(&match words.0 {
        Language::Ru => format!(
            "Не будет отправлено из того, что в копии ждало: {dropped}. Отказов (СТОП) взято из прежней базы: {opt_outs}."
        ),
        Language::En => format!(
            "What waited in the copy and stays unsent: {dropped}. Wishes for silence (STOP) taken from the old database: {opt_outs}."
        ),
    })?;
    say(words.of(
        "При следующем запуске журнал сверяется без сообщений клиентам, владелец получит один список того, что изменилось после копии.",
        "The next start compares the journal without a word to clients; the owner gets one list of what changed since the copy.",
    ))?;
    Ok(0)
}

fn is_same(file: &Path, database: &Path) -> bool {
    match (file.canonicalize(), database.canonicalize()) {
        (Ok(file), Ok(database)) => file == database,
        _ => false,
    }
}

/// The copy is no good: nothing was touched. That is no 78, which is about the database in force.
fn not_restored(error: StoreError, file: &Path) -> Failure {
    if error.ailment() != Ailment::Damaged {
        return refused(error);
    }
    let what = format!("{} cannot be put in force", file.display());
    Failure::new(code::FAILED, anyhow::Error::new(error).context(what))
        .hint("the database was left as it is; try an older copy")
}
