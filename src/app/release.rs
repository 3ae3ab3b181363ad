//! `release` and `retry`: what a person decides about messages that wait for one. One short
//! transaction; a running daemon notices within seconds.

use std::path::Path;

use chrono::Utc;

use super::failure::code;
use super::status::sight;
use super::text::Say;
use super::{Failure, Outcome, existing, load, names, refused, say};
use crate::config::{Config, Language, Secrets};
use crate::domain::delivery::Status;
use crate::pipeline::orders;
use crate::store::{self, guard, outbox, rights};

pub(super) fn open(path: &Path) -> Result<(Config, rusqlite::Connection), Failure> {
    let config = load(path, Secrets::NotNeeded)?.config;
    let conn = existing(&config, store::open_writer)?;
    Ok((config, conn))
}

pub(super) fn release(path: &Path, company: Option<i64>, discard: bool) -> Outcome {
    let (config, mut conn) = open(path)?;
    let ids = chosen(&config, &conn, company)?;
    let now = Utc::now();
    let count = store::write_on(&mut conn, |tx| {
        let mut count = 0;
        for id in &ids {
            if discard {
                count += orders::discard_held(tx, *id, now)?;
            } else {
                count += guard::release(tx, *id, now)?;
            }
        }
        Ok(count)
    })
    .map_err(refused)?;
    let words = Say(config.language);
    let what = match (count, discard) {
        (0, _) => words
            .of("Ничего не придержано.", "Nothing is held.")
            .to_owned(),
        (n, false) => format!(
            "{} {n}",
            words.of("Отпущено сообщений:", "Messages let go:")
        ),
        (n, true) => format!(
            "{} {n}",
            words.of("Отброшено сообщений:", "Messages dropped:")
        ),
    };
    say(&what)?;
    Ok(0)
}

/// What is missing and taken for hidden is really gone, a person says. YClients is asked again, and
/// the guard still holds what is too much at once.
pub(super) fn give_up_hidden(path: &Path, company: Option<i64>) -> Outcome {
    let (config, mut conn) = open(path)?;
    let ids = chosen(&config, &conn, company)?;
    let now = Utc::now();
    let count = store::write_on(&mut conn, |tx| {
        ids.iter()
            .map(|id| rights::give_up(tx, *id, now))
            .sum::<store::Result<usize>>()
    })
    .map_err(refused)?;
    let words = Say(config.language);
    let mut refused_by_api = 0;
    for id in &ids {
        let hidden = rights::hidden(&conn, *id, now).map_err(refused)?;
        refused_by_api += hidden.refused;
    }
    say(&match count {
        0 if refused_by_api > 0 => sight::refused(refused_by_api, words),
        0 => words
            .of("Ничего не скрыто.", "Nothing is hidden.")
            .to_owned(),
        n => format!(
            "{} {n}",
            words.of(
                "Записей, о которых YClients будет спрошен ещё раз:",
                "Bookings that YClients is asked for again:"
            )
        ),
    })?;
    Ok(0)
}

/// The company that is named, or all.
fn chosen(
    config: &Config,
    conn: &rusqlite::Connection,
    company: Option<i64>,
) -> Result<Vec<i64>, Failure> {
    names::known_company(config, conn, company)?;
    Ok(match company {
        Some(id) => vec![id],
        None => config.companies.iter().map(|c| c.id).collect(),
    })
}

/// In which language a company says that it says something again, and over which channels.
fn repeats(config: &Config, company: i64) -> (Language, &[String]) {
    let company = config.companies.iter().find(|c| c.id == company);
    company.map_or((config.language, &[]), |c| (c.language, &c.channels))
}

pub(super) fn retry(path: &Path, ids: &[i64], dead: bool) -> Outcome {
    let (config, mut conn) = open(path)?;
    let now = Utc::now();
    let (count, refused_ids) = store::write_on(&mut conn, |tx| {
        let ids: Vec<i64> = if dead {
            outbox::latest(tx, None, Some(Status::Dead), u32::MAX)?
                .iter()
                .map(|n| n.id)
                .collect()
        } else {
            ids.to_vec()
        };
        let (mut count, mut refused) = (0, Vec::new());
        for id in ids {
            let again = match outbox::get(tx, id)? {
                Some(n) => orders::retry(tx, &n, repeats(&config, n.company), now)?,
                None => false,
            };
            if again {
                count += 1;
            } else {
                refused.push(id);
            }
        }
        Ok((count, refused))
    })
    .map_err(refused)?;
    let words = Say(config.language);
    say(&format!(
        "{} {count}",
        words.of("Уйдут ещё раз:", "Due again:")
    ))?;
    if refused_ids.is_empty() {
        return Ok(0);
    }
    let listed: Vec<String> = refused_ids.iter().map(ToString::to_string).collect();
    Err(Failure::new(
        code::FAILED,
        anyhow::anyhow!("neither dead nor uncertain: {}", listed.join(", ")),
    )
    .hint("booking-monitor log --status dead shows what can be tried again"))
}
