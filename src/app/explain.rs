//! `explain`: one booking's whole story in order of time, each decision with its reason.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use super::failure::code;
use super::text::{Say, wrapped};
use super::{Failure, Outcome, existing, load, log, names, refused, say};
use crate::config::{Language, Secrets};
use crate::domain::phone::Phone;
use crate::domain::record::Client;
use crate::domain::zone::Zone;
use crate::pipeline::orders::paused_until;
use crate::store::{self, channels, rights, story};

mod asked;
mod journal;
mod json;
mod notes;
mod proposals;
mod reminders;
mod tale;

use tale::Teller;

pub(super) fn run(path: &Path, record: i64, company: Option<i64>, as_json: bool) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    let conn = existing(&config, store::open_reader)?;
    names::known_company(&config, &conn, company)?;
    let found = story::of_record(&conn, company, record).map_err(refused)?;
    let story = match found.as_slice() {
        [] => {
            return Err(Failure::new(
                code::FAILED,
                anyhow::anyhow!("record {record} was never seen"),
            )
            .hint(
                "it may lie beyond `monitor.horizon`, or belong to a company that is not watched",
            ));
        }
        [one] => one,
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|s| s.booking.record.company_id.to_string())
                .collect();
            return Err(Failure::new(
                code::FAILED,
                anyhow::anyhow!(
                    "several companies have a record {record}: {}",
                    ids.join(", ")
                ),
            )
            .hint("name one with --company ID"));
        }
    };
    let unseen = unseen(&conn, story).map_err(refused)?;
    if as_json {
        say(&format!("{:#}", json::of(story, &unseen)))?;
        return Ok(0);
    }
    let words = Say(config.language);
    let record = &story.booking.record;
    let zones = names::Zones::read(&conn, &config).map_err(refused)?;
    let zone = zones.of(Some(record.company_id));
    let company = config.companies.iter().find(|c| c.id == record.company_id);
    let now = Utc::now();
    let phone = record.phone().map_or("", Phone::e164);
    let records = std::slice::from_ref(record);
    let teller = Teller {
        words,
        zone,
        company,
        now,
        is_paused: paused_until(&conn, record.company_id, phone, records, now)
            .map_err(refused)?
            .is_some(),
        channels: channels::all(&conn).map_err(refused)?,
        remembered: now - TimeDelta::from_std(config.database.retention).unwrap_or(TimeDelta::MAX),
    };
    let country = company.map_or("RU", |c| c.country.as_str());
    let ignored = company.filter(|c| c.rules.ignore.covers(record)).map(|_| {
        words
            .of(
                "Сейчас она в колонке, которая не считается записями (monitor.ignore): клиенту о ней не пишем.",
                "At present it is in a column that is not counted as bookings (monitor.ignore): the client is told nothing of it.",
            )
            .to_owned()
    });
    let opening = opening(story, words, country).into_iter();
    let closing = ignored
        .into_iter()
        .chain(unseen_lines(&unseen, words, zone));
    for line in opening.flat_map(|line| wrapped(&line, 2)) {
        say(&line)?;
    }
    say("")?;
    for line in teller.lines(story) {
        say(&line)?;
    }
    for line in closing.flat_map(|line| wrapped(&line, 2)) {
        say(&line)?;
    }
    Ok(0)
}

/// Which booking it is, and how its client can be reached.
fn opening(story: &story::Story, words: Say, country: &str) -> [String; 2] {
    let record = &story.booking.record;
    let services: Vec<&str> = record.services.iter().map(|s| s.title.as_str()).collect();
    let what = format!(
        "{} {} · {} · {} · {}",
        words.of("Запись", "Record"),
        record.id,
        record.start_local.format("%d.%m.%Y %H:%M"),
        record.staff.name,
        services.join(", ")
    );
    let whose = match (record.phone(), &record.client) {
        (Some(phone), _) => format!("{} {}", words.of("Телефон", "Phone"), phone.masked()),
        (None, Some(client)) if client.forgotten => words
            .of("Данные клиента удалены", "The client's data were erased")
            .to_owned(),
        (
            None,
            Some(Client {
                refused_phone: Some(text),
                ..
            }),
        ) => {
            let problem = Phone::parse(text, country).err();
            let problem = problem.map_or("", |problem| words.refused(problem));
            format!(
                "{}: {problem}",
                words.of(
                    "Номер клиента не годится",
                    "The client's number is of no use"
                )
            )
        }
        (None, Some(_)) => words
            .of("У клиента нет телефона", "The client has no phone")
            .to_owned(),
        (None, None) => words.of("Клиент не указан", "No client").to_owned(),
    };
    [what, whose]
}

/// What of a booking cannot be seen at present.
struct Unseen {
    booking: Option<DateTime<Utc>>,
    phone: Option<DateTime<Utc>>,
}

fn unseen(conn: &rusqlite::Connection, story: &story::Story) -> store::Result<Unseen> {
    let record = &story.booking.record;
    let row = store::companies::get(conn, record.company_id)?.unwrap_or_default();
    Ok(Unseen {
        booking: rights::missing_since(conn, record.company_id, record.id)?,
        phone: row
            .phones_hidden_since
            .filter(|_| record.is_alive() && record.client.is_some() && record.phone().is_none()),
    })
}

fn unseen_lines(unseen: &Unseen, words: Say, zone: Zone) -> Vec<String> {
    let when = |at: DateTime<Utc>| at.with_timezone(&zone).format("%d.%m.%Y %H:%M:%S");
    let booking = unseen.booking.map(|since| match words.0 {
        Language::Ru => format!(
            "Сейчас записи в журнале не видно (с {}), и ничто не говорит, что её удалили: клиенту ничего не пишем.",
            when(since)
        ),
        Language::En => format!(
            "At present it is not seen in the journal (since {}), and nothing says that it was deleted: the client is told nothing.",
            when(since)
        ),
    });
    let phone = unseen.phone.map(|since| match words.0 {
        Language::Ru => format!(
            "Телефоны в журнале сейчас скрыты (с {}): когда номер станет виден, решим заново.",
            when(since)
        ),
        Language::En => format!(
            "Phones in the journal are hidden at present (since {}): once the number is seen, it is decided anew.",
            when(since)
        ),
    });
    booking.into_iter().chain(phone).collect()
}
