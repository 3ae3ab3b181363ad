//! `[[events]]`: where booking events are handed on to.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;

use super::load::Secrets;
use super::problem::said;
use super::reader::{Value, Wrong};
use super::secret::secret_address;
use super::section::Section;
use super::values::{list, text, whole, word};
use super::{Company, Database};
use crate::domain::change::ChangeKind;
use crate::sinks::{self, Settings, Target};

#[derive(Clone, Copy)]
enum To {
    Http,
    Jsonl,
}

const TO: [(&str, To); 2] = [("http", To::Http), ("jsonl", To::Jsonl)];

const TYPES: [(&str, ChangeKind); 3] = [
    ("record.created", ChangeKind::Created),
    ("record.updated", ChangeKind::Updated),
    ("record.deleted", ChangeKind::Deleted),
];

/// `folder`: where a relative path begins.
pub(super) fn read(
    root: &mut Section<'_>,
    companies: &[Company],
    database: &Database,
    folder: &Path,
) -> Vec<Settings> {
    let mut all: Vec<Settings> = Vec::new();
    let read = root.tables("events", |at| one(at, companies, database, folder));
    for mut settings in read.into_iter().flatten() {
        let others = all.iter().filter(|s| s.label.starts_with(&settings.label));
        let number = others.count() + 1;
        if number > 1 {
            settings.label = format!("{} ({number})", settings.label);
        }
        all.push(settings);
    }
    let named_twice = |s: &Settings| all.iter().filter(|o| o.sink == s.sink).count() > 1;
    let known = root.reader.secrets == Secrets::Needed;
    if known && all.iter().any(named_twice) {
        let wrong = Wrong::new(said(
            "two of these go to the same place",
            "двое из них ведут в одно место",
        ))
        .hint(said(
            "every event would come twice; keep one, with the companies of both",
            "каждое событие пришло бы дважды; оставьте одно, с филиалами обоих",
        ));
        root.reader.problem(&root.place_of("events"), wrong);
    }
    all
}

fn one(
    at: &mut Section<'_>,
    companies: &[Company],
    database: &Database,
    folder: &Path,
) -> Option<Settings> {
    let to = at.required(
        "to",
        said(r#""http" or "jsonl""#, r#""http" или "jsonl""#),
        word(&TO),
    );
    let types = at.get("types", Vec::new(), list(word(&TYPES)));
    let id = |value: &Value<'_>| company(value, companies);
    let companies = at.get("companies", Vec::new(), list(id));
    let (place, label, to) = match to {
        Some(To::Http) => {
            let url = at.required("url", r#""https://host/path""#.to_owned(), secret_address);
            let token = at.optional_secret("token");
            let secret = at.optional_secret("secret");
            let url = url?;
            let shown = sinks::host_of(url.expose_secret());
            let place = url.expose_secret().to_owned();
            let to = sinks::http::Settings { url, token, secret };
            (place, shown, Target::Http(to))
        }
        Some(To::Jsonl) => {
            let path = at.required("path", r#""events.jsonl""#.to_owned(), |value| {
                file(value, database, folder)
            })?;
            let label = path.file_name().unwrap_or(path.as_os_str());
            let label = label.to_string_lossy().into_owned();
            let place = path.display().to_string();
            (place, label, Target::Jsonl { path })
        }
        None => {
            // Which keys belong here is unknown until this is mended.
            at.others();
            return None;
        }
    };
    Some(Settings {
        sink: sinks::hash(&place),
        label,
        to,
        companies,
        types,
    })
}

/// A company that is watched.
fn company(value: &Value<'_>, companies: &[Company]) -> Option<i64> {
    let id = whole(1, i64::MAX)(value)?;
    // While a company cannot be read, nobody can say that this one is not there.
    if companies.iter().any(|c| c.id == id || c.id == 0) {
        return Some(id);
    }
    value.wrong(
        said("no company has this id:", "нет филиала с таким id:"),
        Some(said(
            "it must stand in [[companies]]",
            "он должен стоять в [[companies]]",
        )),
    )
}

fn file(value: &Value<'_>, database: &Database, folder: &Path) -> Option<PathBuf> {
    let written = folder.join(text(value)?);
    let path = std::path::absolute(&written).unwrap_or(written);
    let base = std::path::absolute(&database.path).unwrap_or_else(|_| database.path.clone());
    if path.file_name().is_none() || path.is_dir() {
        return value.wrong(said("expected a file, found", "нужен файл, а стоит"), None);
    }
    // The database and what lies beside it under its name.
    let theirs = base.as_os_str().to_string_lossy().into_owned();
    if path.as_os_str().to_string_lossy().starts_with(&theirs) {
        return value.wrong(
            said(
                "must not be the database, nor one of its files:",
                "это база или один из её файлов:",
            ),
            None,
        );
    }
    if path.starts_with("/etc") {
        return value.wrong(
            said("no data are kept under /etc:", "в /etc данные не хранят:"),
            None,
        );
    }
    Some(path)
}
