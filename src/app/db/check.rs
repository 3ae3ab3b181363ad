//! `db check`: whether the file is whole and the one that belongs here, in plain words.

use std::path::Path;

use crate::app::failure::code;
use crate::app::text::Say;
use crate::app::{Outcome, load, present, say};
use crate::config::{Language, Secrets};
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
    let (wrong, lines) = match &found {
        Ok(findings) => {
            let lines: Vec<String> = findings.iter().map(|f| line(f, words)).collect();
            (findings.iter().any(Finding::is_wrong), lines)
        }
        Err(error) => (true, vec![format!("✗ {}", unusable(error, words))]),
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

/// A file that cannot even be examined.
fn unusable(error: &StoreError, words: Say) -> String {
    match (error, error.ailment()) {
        (StoreError::Refused(why), _) => why.clone(),
        (_, Ailment::Damaged) => words
            .of(
                "файл повреждён: это не база или её страницы испорчены",
                "the file is damaged: no database, or its pages are spoilt",
            )
            .to_owned(),
        (error, _) => error.to_string(),
    }
}

fn line(finding: &Finding, words: Say) -> String {
    let russian = words.0 == Language::Ru;
    match finding {
        Finding::Pages(wrong) if wrong.is_empty() => {
            format!("✓ {}", words.of("все страницы целы", "every page is whole"))
        }
        Finding::Pages(wrong) => format!(
            "✗ {}: {}",
            words.of("повреждена", "damaged"),
            wrong.join("; ")
        ),
        Finding::References(wrong) if wrong.is_empty() => format!(
            "✓ {}",
            words.of("все ссылки между таблицами на месте", "every reference leads somewhere")
        ),
        Finding::References(wrong) => {
            let tables: Vec<String> = wrong.iter().map(|(t, n)| format!("{t} {n}")).collect();
            let what = words.of(
                "строки ссылаются на то, чего нет",
                "rows refer to what is not there",
            );
            format!("✗ {what}: {}", tables.join(", "))
        }
        Finding::Schema(wrong) if wrong.is_empty() => format!(
            "✓ {}",
            words.of("все таблицы на месте", "every table is there")
        ),
        Finding::Schema(wrong) => format!(
            "✗ {}: {}",
            words.of("не хватает", "missing"),
            wrong.join(", ")
        ),
        Finding::Marker(generation) if russian => {
            format!("✓ та самая база, запусков и копий: {generation}")
        }
        Finding::Marker(generation) => {
            format!("✓ the one that belongs here, starts and copies so far: {generation}")
        }
        Finding::MarkerMissing => format!(
            "! {}",
            words.of(
                "рядом нет файла .id: при следующем запуске база будет считаться копией, без сообщений о прошлом",
                "no .id file beside it: the next start takes it for a copy and tells nothing of its past"
            )
        ),
        Finding::MarkerForeign => format!(
            "✗ {}",
            words.of(
                "это не та база, что была здесь раньше (файл .id о другой)",
                "not the database that was here before (the .id file is about another)"
            )
        ),
        Finding::MarkerNewer { marker, database } if russian => {
            format!("✗ это старая копия: файл .id знает запуск {marker}, база — только {database}")
        }
        Finding::MarkerNewer { marker, database } => {
            format!("✗ an older copy: the .id file knows of start {marker}, the database of {database}")
        }
        Finding::Open(file) => format!(
            "! {} {}: chmod 600",
            words.of("файл могут читать другие:", "others may read"),
            file.display()
        ),
    }
}
