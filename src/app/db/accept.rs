//! `db accept`: start afresh on purpose. The refused file is renamed, never deleted.

use std::path::Path;

use crate::app::text::Say;
use crate::app::{Outcome, load, refused, say, take_lock};
use crate::config::Secrets;
use crate::store;

pub(super) fn run(path: &Path) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    let _lock = take_lock(&config.database.path)?;
    let words = Say(config.language);
    match store::accept(&config.database.path).map_err(refused)? {
        Some(kept) => say(&format!(
            "{} {}",
            words.of("Прежняя база сохранена:", "The old database is kept:"),
            kept.display()
        ))?,
        None => say(words.of("Базы не было.", "There was no database."))?,
    }
    say(words.of(
        "При следующем запуске всё, что уже записано, считается известным, без сообщений.",
        "The next start takes everything that is booked as known, in silence.",
    ))?;
    Ok(0)
}
