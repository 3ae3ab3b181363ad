//! Where the log goes, and how much of it.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The libraries below print addresses.
const LIBRARIES: [&str; 5] = [
    "rusqlite_migration",
    "hyper",
    "reqwest",
    "hyper_util",
    "rustls",
];

/// Talks about itself at every start and end.
const SCHEDULER: &str = "tokio_cron_scheduler";

/// Logs to stderr from now on: what `BOOKING_MONITOR_LOG` asks for, else as much as the flags say.
pub(super) fn start(verbose: bool, quiet: bool) {
    let level = match (verbose, quiet) {
        (true, _) => LevelFilter::DEBUG,
        (false, true) => LevelFilter::ERROR,
        (false, false) => LevelFilter::INFO,
    };
    let usual = Targets::new()
        .with_default(level)
        .with_target(SCHEDULER, LevelFilter::OFF)
        .with_targets(LIBRARIES.map(|library| (library, LevelFilter::WARN)));
    let asked = std::env::var("BOOKING_MONITOR_LOG").unwrap_or_default();
    let (filter, is_understood) = match (asked.trim(), read(&asked)) {
        ("", _) => (usual, true),
        (_, Some(filter)) => (filter, true),
        (_, None) => (usual, false),
    };
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false);
    let log = tracing_subscriber::registry().with(filter).with(lines);
    // A second start in one process (tests) keeps the first one's settings.
    if log.try_init().is_ok() && !is_understood {
        tracing::error!(
            "BOOKING_MONITOR_LOG is not understood: write debug, or info,booking_monitor=debug"
        );
    }
}

/// Levels, and `target=level`, with commas between; a target of ours or of a library by itself has all
/// it says. `None` for anything else.
fn read(asked: &str) -> Option<Targets> {
    let parts = asked.split(',').map(str::trim);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let mut filter = Targets::new();
    for part in parts.iter().copied() {
        let (target, level) = match part.split_once('=') {
            Some((target, level)) => (Some(target.trim()), level_of(level)?),
            None if is_target(part) => (Some(part), LevelFilter::TRACE),
            None => (None, level_of(part)?),
        };
        filter = match target {
            Some(target) => filter.with_target(target, level),
            None => filter.with_default(level),
        };
    }
    (!parts.is_empty()).then_some(filter)
}

/// A mistyped level is no target.
fn is_target(word: &str) -> bool {
    let name = word.split("::").next().unwrap_or_default();
    name == env!("CARGO_CRATE_NAME") || name == SCHEDULER || LIBRARIES.contains(&name)
}

fn level_of(word: &str) -> Option<LevelFilter> {
    let word = word.trim();
    word.parse().ok().filter(|_| !word.is_empty())
}
