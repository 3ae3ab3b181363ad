//! From a path to a checked [`Config`], or to everything that is wrong with it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

use super::agent::AgentKeys;
use super::channels::Channels;
use super::companies::{LANGUAGES, Surroundings};
use super::environment::{Environment, Overrides, ProcessEnvironment};
use super::monitor::Inherited;
use super::problem::{Problem, Report, Said, said};
use super::reader::{Notes, Place, Reader, Wrong, line_of};
use super::secret::secret_address;
use super::section::Section;
use super::values::{SHORTEST, duration, hour, switch, text, word};
use super::{
    Alerts, Company, Config, Database, Language, approved, channels, companies, events, http,
    replies, templates, yclients,
};
use crate::domain::reply::Replies;

/// The file's name, wherever it lies.
const FILE_NAME: &str = "booking-monitor.toml";
const SYSTEM_FOLDER: &str = "/etc/booking-monitor";
/// Where the unit keeps its state; a shell must find the same database there.
const STATE_FOLDER: &str = "/var/lib/booking-monitor";
const DATABASE: &str = "booking-monitor.db";

/// What is older is pruned.
const RETENTION: Duration = Duration::from_hours(180 * 24);
/// Messengers hand out again what is younger.
const SHORTEST_RETENTION: Duration = Duration::from_hours(24);

/// Syntax errors beyond this many are mostly echoes of the first.
const SYNTAX_ERRORS: usize = 5;

/// Whether the command at hand talks to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// A secret that cannot be had is a problem.
    Needed,
    /// Secrets are not looked up, and stay empty: `status` works for who may not read them.
    NotNeeded,
}

/// A configuration that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Checked, with every default filled in.
    pub config: Config,
    /// Legal, but hardly meant.
    pub warnings: Vec<Problem>,
    /// Every key that this file's sections may hold, as `companies[].timezone` or
    /// `channels.telegram.token`: what the example file is held against.
    pub keys: BTreeSet<String>,
}

/// Which file to read: the one given, `$BOOKING_MONITOR_CONFIG`, `./booking-monitor.toml`, or the
/// one under `/etc`.
#[must_use]
pub fn locate(explicit: Option<&Path>) -> PathBuf {
    locate_from(explicit, &ProcessEnvironment, Path::new(""))
}

/// [`locate`] in a given environment and working folder.
#[must_use]
pub fn locate_from(explicit: Option<&Path>, env: &dyn Environment, folder: &Path) -> PathBuf {
    let named = explicit.map(Path::to_owned).or_else(|| {
        let path = env.var("BOOKING_MONITOR_CONFIG")?;
        (!path.is_empty()).then(|| path.into())
    });
    named.unwrap_or_else(|| {
        let here = folder.join(FILE_NAME);
        match here.exists() {
            true => here,
            false => Path::new(SYSTEM_FOLDER).join(FILE_NAME),
        }
    })
}

/// Reads and checks a file.
///
/// # Errors
/// The report names every problem at once.
pub fn load(path: &Path, env: &dyn Environment, secrets: Secrets) -> Result<Loaded, Report> {
    let failed = |language, problems| Report {
        file: path.to_owned(),
        language,
        problems,
        warnings: Vec::new(),
        partial: None,
    };
    let text = read(path).map_err(|problem| failed(Language::default(), vec![*problem]))?;
    let (document, errors) = DeTable::parse_recoverable(&text);
    if !errors.is_empty() {
        return Err(failed(
            spoken(document.get_ref()),
            syntax(path, &text, errors),
        ));
    }

    let reader = Reader {
        file: path,
        folder: path.parent().unwrap_or(Path::new("")).to_owned(),
        text: &text,
        env,
        secrets,
        notes: RefCell::new(Notes::default()),
    };
    let mut root = Section::root(&reader, document.get_ref());
    let config = config(&mut root);
    root.finish();

    let mut notes = reader.notes.into_inner();
    notes.send_home();
    // Keys are looked up in the program's order; people mend a file from top to bottom.
    let by_line = |problem: &Problem| (problem.line.is_none(), problem.line);
    notes.problems.sort_by_key(by_line);
    notes.warnings.sort_by_key(by_line);
    if notes.problems.is_empty() {
        Ok(Loaded {
            config,
            warnings: notes.warnings,
            keys: notes.keys,
        })
    } else {
        Err(Report {
            file: path.to_owned(),
            language: config.language,
            problems: notes.problems,
            warnings: notes.warnings,
            partial: Some(Box::new(config)),
        })
    }
}

/// The language of a file that is no TOML, as far as it could be parsed.
fn spoken(document: &DeTable<'_>) -> Language {
    let written = document.get("language").and_then(|v| v.get_ref().as_str());
    let known = LANGUAGES.iter().find(|(word, _)| Some(*word) == written);
    known.map(|(_, language)| *language).unwrap_or_default()
}

fn config(root: &mut Section<'_>) -> Config {
    let reader = root.reader;
    let overrides = Overrides::read(reader.env, &mut reader.notes.borrow_mut().problems);
    let language = root.optional("language", word(&LANGUAGES));
    let language = language.unwrap_or_default();
    let database = root.table("database", database);
    let (enabled, inherited) = root.table("monitor", |at| {
        let enabled = at.get("enabled", true, switch);
        let inherited = Inherited::default().monitor(at, &overrides);
        inherited.warn_of_delay(at);
        (overrides.enabled.unwrap_or(enabled), inherited)
    });
    let mut yclients = root.table("yclients", yclients::read);
    let inherited = root.table("notify", |at| {
        let inherited = inherited.notify(at);
        inherited.warn_of_idle_no_show(None, &at.place_of("no_show"), at);
        inherited
    });
    let channels = root.table("channels", channels::read);
    let templates = root.table("templates", |at| templates::read(at, &[], &channels));
    let replies = root.table("replies", |at| replies::read(at, Replies::default()));
    let agent = root.table("agent", |at| AgentKeys::default().read(at));
    let around = Surroundings {
        language,
        inherited,
        templates,
        replies,
        agent,
        channels: &channels,
        overrides,
    };
    let companies = companies::read(root, &around);
    let alerts = root.table("alerts", |at| Alerts {
        after: at.get("after", Duration::from_mins(10), duration(SHORTEST)),
        heartbeat_url: at.optional("heartbeat_url", secret_address),
        mask_phones: at.get("mask_phones", false, switch),
        digest: at.optional("digest", hour),
    });
    let folder = database_folder(&reader.folder);
    let events = events::read(root, &companies, &database, &folder);
    let http = root.table("http", http::read);

    // A company that could not be read may be the one that uses it.
    if reader.problem_count() == 0 {
        warn_of_channels(reader, &channels, &companies);
    }
    let own = |c: &Company| Some((c.id, c.user_token.clone()?));
    yclients.own_users = companies.iter().filter_map(own).collect();
    let mut config = Config {
        file: reader.file.to_owned(),
        language,
        database,
        enabled,
        yclients,
        channels: channels.settings,
        companies,
        alerts,
        events,
        http,
    };
    config.share_out();
    config
}

/// Channels over which nobody is written to, and official ones that lack a template for what is told.
fn warn_of_channels(reader: &Reader<'_>, channels: &Channels, companies: &[Company]) {
    for (name, place) in &channels.places {
        let writers = companies.iter().filter(|c| c.channels.contains(name));
        let writers: Vec<&Company> = writers.collect();
        let is_owners = |c: &Company| c.owners.iter().any(|o| o.channel == *name);
        if writers.is_empty() && !companies.iter().any(is_owners) {
            let wrong = Wrong::new(said(
                "no company uses this channel",
                "этим каналом не пользуется ни один филиал",
            ))
            .hint(said(
                "name it in a company's `channels` or `owner`",
                "назовите его в channels или owner филиала",
            ));
            reader.warning(place, wrong);
        }
        let settings = channels.settings.iter().find(|c| c.name == *name);
        if let Some(templates) = settings.and_then(|c| c.kind.approved()) {
            let place = Place {
                key: format!("{}.templates", place.key),
                line: place.line,
            };
            approved::warn_of_gaps(reader, &place, templates, &writers);
        }
    }
}

fn database(at: &mut Section<'_>) -> Database {
    let place = at.place_of("path");
    let written = at.optional("path", text).unwrap_or_else(|| DATABASE.into());
    let path = database_folder(&at.reader.folder).join(written);
    if std::path::absolute(&path).is_ok_and(|path| path.starts_with("/etc")) {
        let wrong = Wrong::new(said(
            "a database is not kept under /etc:",
            "базу не хранят в /etc:",
        ))
        .found(format!("{:?}", path.display().to_string()))
        .hint(said(
            format!("write a path such as \"{STATE_FOLDER}/{DATABASE}\""),
            format!("напишите путь вида \"{STATE_FOLDER}/{DATABASE}\""),
        ));
        at.reader.problem(&place, wrong);
    } else if path.is_dir() {
        let inside = path.join(DATABASE).display().to_string();
        let wrong = Wrong::new(said("a folder, not a file:", "это папка, а не файл:"))
            .found(format!("{:?}", path.display().to_string()))
            .hint(said(
                format!("write {inside:?}"),
                format!("напишите {inside:?}"),
            ));
        at.reader.problem(&place, wrong);
    }
    let backup_dir = at.optional("backup_dir", text);
    let backup_dir = backup_dir.map(|written| database_folder(&at.reader.folder).join(written));
    let retention = at.get("retention", RETENTION, duration(SHORTEST_RETENTION));
    Database {
        path,
        backup_dir,
        retention,
    }
}

/// Where a relative database path begins. No database is ever made under `/etc`.
fn database_folder(config: &Path) -> PathBuf {
    // Made absolute for the comparison alone, so that `cd /etc/booking-monitor` changes nothing.
    let whole = std::path::absolute(config.join("."));
    match whole.is_ok_and(|whole| whole == Path::new(SYSTEM_FOLDER)) {
        true => PathBuf::from(STATE_FOLDER),
        false => config.to_owned(),
    }
}

fn read(path: &Path) -> Result<String, Box<Problem>> {
    let problem = |line, message: Said, hint: Said| {
        Box::new(Problem {
            file: path.to_owned(),
            line,
            key: String::new(),
            message,
            found: None,
            hint: Some(hint),
        })
    };
    let bytes = fs::read(path).map_err(|error| {
        let hint = said(
            "name the file with --config or BOOKING_MONITOR_CONFIG",
            "назовите файл: --config или BOOKING_MONITOR_CONFIG",
        );
        let message = said(
            format!("cannot read the configuration: {error}"),
            format!("настройки не прочитать: {error}"),
        );
        problem(None, message, hint)
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes());
        let line = line_of(&text, good);
        problem(
            line,
            said("not UTF-8 text", "это не текст в UTF-8"),
            said("save the file as UTF-8", "сохраните файл в UTF-8"),
        )
    })
}

/// What people trip over, by the parser's words.
const SLIPS: [(&str, &str); 10] = [
    ("unclosed inline table", "не закрыта скобка }"),
    ("unclosed", "не закрыта скобка ]"),
    ("must be quoted", "текст стоит в прямых кавычках: \"так\""),
    ("invalid basic string", "нет закрывающей кавычки"),
    ("invalid literal string", "нет закрывающей кавычки"),
    ("duplicate key", "такой ключ уже стоит выше"),
    ("key with no value", "после ключа нужен знак ="),
    ("missing comma", "не хватает запятой"),
    ("unexpected key or value", "после значения стоит лишнее"),
    (
        "invalid boolean",
        "здесь бывает true или false, без кавычек",
    ),
];

fn not_toml(why: &str) -> Said {
    let slip = SLIPS.iter().find(|(words, _)| why.contains(words));
    said(
        format!("not TOML: {why}"),
        format!(
            "строка записана не по правилам TOML: {}",
            slip.map_or(why, |(_, russian)| russian)
        ),
    )
}

/// Syntax errors, one a line: the parser's own words never quote the file, which may hold secrets.
fn syntax(path: &Path, text: &str, mut errors: Vec<toml::de::Error>) -> Vec<Problem> {
    let start = |error: &toml::de::Error| error.span().map(|span| span.start);
    errors.sort_by_key(start);
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors {
        let line = start(&error).and_then(|offset| line_of(text, offset));
        if problems.last().is_none_or(|last| last.line != line) {
            problems.push(Problem {
                file: path.to_owned(),
                line,
                key: String::new(),
                message: not_toml(error.message()),
                found: None,
                hint: None,
            });
        }
    }
    problems.truncate(SYNTAX_ERRORS);
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_configuration_has_its_database_in_the_state_folder() {
        for (config, database) in [
            ("/etc/booking-monitor", "/var/lib/booking-monitor"),
            ("/etc/booking-monitor/", "/var/lib/booking-monitor"),
            ("/etc/./booking-monitor", "/var/lib/booking-monitor"),
            ("/srv/salon", "/srv/salon"),
            ("", ""),
        ] {
            assert_eq!(database_folder(Path::new(config)), Path::new(database));
        }
    }
}
