//! `db restore`: a backup takes the database's place.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::app::failure::code;
use crate::app::names::Zones;
use crate::app::text::Say;
use crate::app::{Failure, Outcome, load, refused, say, take_lock};
use crate::config::{Language, Secrets};
use crate::domain::zone::Zone;
use crate::store::{self, Ailment, Lost, Restored, StoreError};

pub(super) fn run(path: &Path, file: &Path) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    let database = &config.database.path;
    match fs::File::open(file).and_then(|copy| copy.metadata()) {
        Ok(copy) if copy.is_dir() => {
            let error = anyhow::anyhow!("{} is a folder, no copy", file.display());
            return Err(Failure::new(code::FAILED, error).hint("name one of the files in it"));
        }
        Ok(_) if !is_same(file, database) => {}
        Ok(_) => {
            return Err(Failure::usage("that is the database itself, no copy of it")
                .hint("name a file made by `booking-monitor db backup`, or one in `database.backup_dir`"));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let error = anyhow::anyhow!("no file at {}", file.display());
            return Err(Failure::new(code::FAILED, error)
                .hint("daily copies lie in `database.backup_dir`, where that is set"));
        }
        Err(error) => {
            let what = format!("cannot read {}", file.display());
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
        forgotten,
        lost,
    } = restored;
    say(&format!(
        "{} {}",
        words.of("Копия в силе:", "The copy is in force:"),
        file.display()
    ))?;
    if let Some(as_of) = as_of {
        let zones = store::open_reader(database).and_then(|conn| Zones::read(&conn, &config));
        let zone = zones.map_or(Zone::UTC, |zones| zones.of(None));
        let as_of = as_of.with_timezone(&zone);
        let as_of = as_of.format("%d.%m.%Y %H:%M");
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
    if forgotten > 0 {
        say(&match words.0 {
            Language::Ru => format!(
                "Стёрто в ней заново тех, кого забыли после копии: {forgotten}. В самом файле копии их данные остались: удалите его, когда он не нужен."
            ),
            Language::En => format!(
                "Forgotten since the copy was made, and erased in it again: {forgotten}. The copy's own file still has their data: delete it when it is not needed."
            ),
        })?;
    }
    for lost in lost {
        say(&format!("⚠️ {}", said_of(lost, words)))?;
    }
    say(words.of(
        "При следующем запуске журнал сверяется без сообщений клиентам, владелец получит один список того, что изменилось после копии.",
        "The next start compares the journal without a word to clients; the owner gets one list of what changed since the copy.",
    ))?;
    Ok(0)
}

/// What the old database could not tell, and what comes of it.
fn said_of(lost: Lost, words: Say) -> &'static str {
    match lost {
        Lost::Database => words.of(
            "Прежней базы здесь нет, а копия не знает, кто после неё попросил тишины (СТОП) и кого стёрли (forget).",
            "There was no old database here, and the copy does not know who asked for silence (STOP) or was erased (forget) after it was made.",
        ),
        Lost::Between => words.of(
            "Прежняя база не продолжение этой копии (другая или старее): кто в промежутке попросил тишины (СТОП) или был стёрт (forget), тех она не знает.",
            "The old database is not what became of this copy's (another one, or older): it does not know who asked for silence (STOP) or was erased (forget) in between.",
        ),
        Lost::Silence => words.of(
            "Отказы (СТОП) в прежней базе не прочитать: кто попросил тишины после копии, тем писать будем.",
            "Wishes for silence (STOP) in the old database could not be read: people who asked for it since the copy will be written to.",
        ),
        Lost::SomeSilence => words.of(
            "Отказы (СТОП) в прежней базе прочитаны не все: кто попросил тишины после копии и не прочитан, тем писать будем.",
            "Not all wishes for silence (STOP) in the old database could be read: people who asked for it since the copy and could not be read will be written to.",
        ),
        Lost::Forgotten => words.of(
            "Кого стёрли (forget) после копии, в прежней базе не прочитать: в копии и в журнале их данные есть. Сотрите их ещё раз до запуска: booking-monitor forget ТЕЛЕФОН",
            "Who was erased (forget) since the copy could not be read in the old database: the copy and the journal have their data. Erase them again before the start: booking-monitor forget PHONE",
        ),
        Lost::SomeForgotten => words.of(
            "Не всех, кого стёрли (forget) после копии, удалось взять из прежней базы: в копии и в журнале данные остальных есть. Сотрите их ещё раз до запуска: booking-monitor forget ТЕЛЕФОН",
            "Not everybody who was erased (forget) since the copy could be taken from the old database: the copy and the journal have the data of the others. Erase them again before the start: booking-monitor forget PHONE",
        ),
    }
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
