//! `db check`: whether the file is whole and the one that belongs here, in plain words.

use std::path::Path;

use super::told;
use crate::app::failure::code;
use crate::app::text::Say;
use crate::app::{Outcome, load, present, refused, say};
use crate::config::Secrets;
use crate::store::health::{self, Finding};
use crate::store::{self, Ailment, StoreError};

pub(super) fn run(path: &Path) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    let words = Say(config.language);
    let database = &config.database.path;
    let found = if health::is_gone(database) {
        let why = words.of(
            "базы нет или она пуста, хотя раньше здесь была",
            "the database is missing or empty, but one was here before",
        );
        Err(StoreError::Refused(why.to_owned()))
    } else {
        health::examine(present(&config)?)
    };
    // What cannot be looked at, for want of room or rights, may well be whole: a copy or a new beginning
    // in its place would lose it.
    let found = match found {
        Err(error) if error.ailment() != Ailment::Damaged => return Err(refused(error)),
        found => found,
    };
    let (wrong, lines) = match &found {
        Ok(findings) => {
            let lines: Vec<String> = findings.iter().map(|f| told::line(f, words)).collect();
            (findings.iter().any(Finding::is_wrong), lines)
        }
        Err(error) => (true, vec![format!("✗ {}", told::unusable(error, words))]),
    };
    for line in lines {
        say(&line)?;
    }
    if let Ok(free) = store::Room::beside(database).free() {
        let sign = if free.is_little() { "!" } else { "✓" };
        say(&format!("{sign} {}", words.room(free)))?;
    }
    if wrong {
        say(words.of(
            "База не годится. Вернуть копию: booking-monitor db restore ФАЙЛ; начать заново: booking-monitor db accept. Файл при этом сохраняется.",
            "The database is not fit. To put a copy in force: booking-monitor db restore FILE; to start afresh: booking-monitor db accept. The file is kept either way.",
        ))?;
        return Ok(code::FAILED);
    }
    say(words.of("База цела.", "The database is sound."))?;
    Ok(0)
}
