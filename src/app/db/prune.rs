//! `db prune`: retention now, or everything that was received on one channel. Short transactions,
//! so it works beside a running daemon.

use std::path::Path;

use chrono::{TimeDelta, Utc};

use crate::app::failure::code;
use crate::app::release::open;
use crate::app::text::Say;
use crate::app::{Failure, Outcome, refused, say};
use crate::config::Language;
use crate::store::{self, prune};

pub(super) fn run(path: &Path) -> Outcome {
    let (config, mut conn) = open(path)?;
    let span = TimeDelta::from_std(config.database.retention).unwrap_or(TimeDelta::MAX);
    let before = Utc::now() - span;
    let mut erased = prune::Pruned::default();
    loop {
        let some = store::write_on(&mut conn, |tx| prune::older_than(tx, before));
        let some = some.map_err(refused)?;
        erased = erased.and(some);
        if some.is_nothing() {
            break;
        }
    }
    prune::sweep_log(&conn).map_err(refused)?;
    let prune::Pruned {
        notifications,
        events,
        messages,
        bookings,
    } = erased;
    say(&match config.language {
        Language::Ru => format!(
            "Удалено: уведомлений {notifications}, событий {events}, сообщений {messages}, прошедших записей {bookings}."
        ),
        Language::En => format!(
            "Erased: notifications {notifications}, events {events}, messages {messages}, past bookings {bookings}."
        ),
    })?;
    Ok(0)
}

/// Erases texts and contacts of one channel.
pub(super) fn messages(path: &Path, channel: &str) -> Outcome {
    let (config, mut conn) = open(path)?;
    let configured = config.channels.iter().any(|c| c.name == channel);
    if !configured && !prune::knows_channel(&conn, channel).map_err(refused)? {
        let names: Vec<&str> = config.channels.iter().map(|c| c.name.as_str()).collect();
        let what = anyhow::anyhow!("no channel is called {channel:?}");
        return Err(Failure::new(code::FAILED, what)
            .hint(&format!("the configuration names: {}", names.join(", "))));
    }
    let erased = store::write_on(&mut conn, |tx| prune::received_on(tx, channel));
    let prune::Erased { messages, contacts } = erased.map_err(refused)?;
    prune::sweep_log(&conn).map_err(refused)?;
    let words = Say(config.language);
    say(&match words.0 {
        Language::Ru => {
            format!("Удалено из {channel}: сообщений {messages}, контактов {contacts}.")
        }
        Language::En => format!("Erased of {channel}: messages {messages}, contacts {contacts}."),
    })?;
    say(words.of(
        "Отказы (СТОП) остались в силе, без имён.",
        "Wishes for silence (STOP) stay in force, without names.",
    ))?;
    Ok(0)
}
