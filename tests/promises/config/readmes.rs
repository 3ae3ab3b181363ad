//! The READMEs' tables of settings and of commands, held against the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use booking_monitor::cli::Cli;
use clap::{Command, CommandFactory as _};

use super::draft::FILE;
use super::example::{example, keys_of, with_every_channel};

/// Each README: the heads of its table of commands and of its tables of settings.
const READMES: [(&str, &str, &str); 2] = [
    (
        "README.md",
        "| command | what it does |",
        "| key | default | what it does |",
    ),
    (
        "README.ru.md",
        "| команда | что делает |",
        "| ключ | по умолчанию | что делает |",
    ),
];

fn text_of(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// The rows of every table with this head.
fn rows<'a>(readme: &'a str, head: &str) -> Vec<&'a str> {
    let tables: Vec<&str> = readme.split(&format!("\n{head}\n")).skip(1).collect();
    assert!(!tables.is_empty(), "{head}");
    let rows = tables
        .iter()
        .flat_map(|table| table.lines().skip(1).take_while(|l| l.starts_with('|')));
    rows.collect()
}

/// A setting as the READMEs name it: the channel's type is said in words, the texts stand elsewhere. None
/// is what holds other settings, and what a company may set again.
fn shown_as(key: &str, all: &BTreeSet<String>) -> Option<String> {
    if let Some(own) = key.strip_prefix("companies[].") {
        let whole = ["notify", "templates", "replies", "agent"];
        let table = own.split('.').next().unwrap();
        if whole.contains(&table) || all.contains(&format!("monitor.{own}")) {
            return None;
        }
    }
    let holds = |other: &String| {
        let rest = other.strip_prefix(key);
        rest.is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    if all.iter().any(holds) {
        return None;
    }
    let parts: Vec<&str> = key.split('.').collect();
    match parts.as_slice() {
        ["templates", _, _] => Some("templates.NAME.KEY".into()),
        ["templates", _] => Some("templates.KEY".into()),
        ["channels", _, "templates", _] => None,
        ["channels", _, rest @ ..] => Some(format!("channels.NAME.{}", rest.join("."))),
        _ => Some(key.to_owned()),
    }
}

/// What the row of a setting says it is when nothing is written.
fn settings(readme: &str, head: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for row in rows(readme, head) {
        let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
        let key = cells.next().unwrap().trim_matches('`').to_owned();
        let default = cells.next().unwrap().to_owned();
        assert!(found.insert(key.clone(), default).is_none(), "{key} twice");
    }
    found
}

#[test]
fn the_readmes_tables_of_settings_name_every_key_that_is_accepted() {
    let accepted = example(&with_every_channel().path()).keys;
    // What the example shows behind a comment sign alone; its prose has such lines, too.
    let is_key = |key: &String| {
        key.chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.[]".contains(c))
    };
    let accepted: BTreeSet<String> = accepted
        .into_iter()
        .chain(keys_of(&text_of(FILE)).into_iter().filter(is_key))
        .collect();
    let accepted: BTreeSet<String> = accepted
        .iter()
        .filter_map(|key| shown_as(key, &accepted))
        .collect();
    for (file, _, head) in READMES {
        let shown: BTreeSet<String> = settings(&text_of(file), head).into_keys().collect();
        let missing: Vec<_> = accepted.difference(&shown).collect();
        let unknown: Vec<_> = shown.difference(&accepted).collect();
        assert!(
            missing.is_empty() && unknown.is_empty(),
            "{file}: missing {missing:?}, unknown {unknown:?}"
        );
    }
}

#[test]
fn the_readmes_say_the_defaults_that_the_example_shows() {
    let example = text_of(FILE);
    for (file, _, head) in READMES {
        for (key, default) in settings(&text_of(file), head) {
            // Without backticks it is said in words, or there is none.
            let Some(value) = default.strip_prefix('`') else {
                continue;
            };
            let name = key.rsplit('.').next().unwrap();
            let shown = format!("{name} = {}", value.trim_end_matches('`'));
            assert!(example.contains(&shown), "{file}: {key} is never {default}");
        }
    }
}

/// Each command with its own long flags, as `db prune` has `--messages`.
fn commands(of: &Command, path: &str, found: &mut BTreeMap<String, Vec<String>>) {
    for command in of.get_subcommands().filter(|c| c.get_name() != "help") {
        let path = format!("{path} {}", command.get_name());
        let path = path.trim_start();
        if command.has_subcommands() {
            commands(command, path, found);
            continue;
        }
        let flags = command.get_arguments().filter(|a| !a.is_global_set());
        let flags = flags.filter_map(|a| a.get_long()).filter(|&l| l != "help");
        let flags = flags.map(|long| format!("--{long}")).collect();
        found.insert(path.to_owned(), flags);
    }
}

#[test]
fn the_readmes_tables_of_commands_have_every_command_with_every_flag() {
    let mut wanted = BTreeMap::new();
    commands(&Cli::command(), "", &mut wanted);
    for (file, head, _) in READMES {
        let text = text_of(file);
        let rows = rows(&text, head);
        let mut missing = Vec::new();
        for (command, flags) in &wanted {
            let names_it = |row: &&&str| {
                let first = row.trim_matches('|').split(" | ").next().unwrap();
                first.split('`').skip(1).step_by(2).any(|code| {
                    let code = code.strip_prefix("booking-monitor ").unwrap_or(code);
                    code == command || code.starts_with(&format!("{command} "))
                })
            };
            match rows.iter().find(names_it) {
                None => missing.push(command.clone()),
                Some(row) => missing.extend(
                    flags
                        .iter()
                        .filter(|flag| !row.contains(*flag))
                        .map(|flag| format!("{command} {flag}")),
                ),
            }
        }
        assert_eq!(missing, Vec::<String>::new(), "{file}");
    }
}

#[test]
fn the_readmes_call_no_command_that_there_is_not() {
    let cli = Cli::command();
    let known: BTreeSet<&str> = cli.get_subcommands().map(Command::get_name).collect();
    for (file, ..) in READMES {
        let text = text_of(file);
        // Every other part stands in backticks or in a block of code.
        for code in text.split('`').skip(1).step_by(2) {
            for (at, called) in code.match_indices("booking-monitor ") {
                // The user or the unit of this name.
                let is_named = ["-u ", "-o ", "-g "]
                    .iter()
                    .any(|o| code[..at].ends_with(o));
                let after = &code[at + called.len()..];
                let word = after.split([' ', '\n']).next().unwrap();
                // Neither a flag nor a path.
                let is_word = word.starts_with(|c: char| c.is_ascii_lowercase())
                    && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
                let is_wrong = is_word && !is_named && !known.contains(word);
                assert!(!is_wrong, "{file}: booking-monitor {word}");
            }
        }
    }
}
