//! The words for what is found out about a database file.

use crate::app::text::Say;
use crate::config::Language;
use crate::store::health::Finding;
use crate::store::{Ailment, StoreError};

/// A file that cannot even be examined.
pub(in crate::app) fn unusable(error: &StoreError, words: Say) -> String {
    match (error, error.ailment()) {
        (StoreError::Refused(why), _) => words.spoken(why),
        (_, Ailment::Damaged) => words
            .of(
                "файл повреждён: это не база или её страницы испорчены",
                "the file is damaged: no database, or its pages are spoilt",
            )
            .to_owned(),
        (error, _) => words.spoken(&error.to_string()),
    }
}

/// A line of `db check`.
pub(super) fn line(finding: &Finding, words: Say) -> String {
    let sign = match finding {
        wrong if wrong.is_wrong() => '✗',
        Finding::MarkerMissing | Finding::Open(_) | Finding::Older(_) => '!',
        _ => '✓',
    };
    format!("{sign} {}", self::words(finding, words))
}

/// What was found, without its sign.
pub(in crate::app) fn words(finding: &Finding, words: Say) -> String {
    let russian = words.0 == Language::Ru;
    match finding {
        Finding::Pages(wrong) if wrong.is_empty() => {
            words.of("все страницы целы", "every page is whole").to_owned()
        }
        Finding::Pages(wrong) => format!(
            "{}: {}",
            words.of("повреждена", "damaged"),
            wrong.join("; ")
        ),
        Finding::References(wrong) if wrong.is_empty() => words.of("все ссылки между таблицами на месте", "every reference leads somewhere").to_owned(),
        Finding::References(wrong) => {
            let tables: Vec<String> = wrong.iter().map(|(t, n)| format!("{t} {n}")).collect();
            let what = words.of(
                "строки ссылаются на то, чего нет",
                "rows refer to what is not there",
            );
            format!("{what}: {}", tables.join(", "))
        }
        Finding::Schema(wrong) if wrong.is_empty() => words.of("все таблицы на месте", "every table is there").to_owned(),
        Finding::Schema(wrong) => format!(
            "{}: {}",
            words.of("не хватает", "missing"),
            wrong.join(", ")
        ),
        Finding::Marker(generation) if russian => {
            format!("та самая база, запусков и копий: {generation}")
        }
        Finding::Marker(generation) => {
            format!("the one that belongs here, starts and copies so far: {generation}")
        }
        Finding::Older(version) if russian => {
            format!("база прошлой версии программы (схема {version}): следующий запуск обновит её, копия останется рядом")
        }
        Finding::Older(version) => {
            format!("a database of an older program (schema {version}): the next start brings it up to date and keeps a copy beside")
        }
        Finding::MarkerMissing => words.of(
                "рядом нет файла .id: при следующем запуске база будет считаться копией, без сообщений о прошлом",
                "no .id file beside it: the next start takes it for a copy and tells nothing of its past"
            ).to_owned(),
        Finding::MarkerForeign => words.of(
                "это не та база, что была здесь раньше (файл .id о другой)",
                "not the database that was here before (the .id file is about another)"
            ).to_owned(),
        Finding::MarkerNewer { marker, database } if russian => {
            format!("это старая копия: файл .id знает запуск {marker}, база — только {database}")
        }
        Finding::MarkerNewer { marker, database } => {
            format!("an older copy: the .id file knows of start {marker}, the database of {database}")
        }
        Finding::Open(file) => format!(
            "{} {}: chmod 600",
            words.of("файл могут читать другие:", "others may read"),
            file.display()
        ),
    }
}
