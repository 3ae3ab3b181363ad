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

/// Logs to stderr from now on: what `BOOKING_MONITOR_LOG` asks for, else as much as the flags say.
pub(super) fn start(verbose: bool, quiet: bool) {
    let level = match (verbose, quiet) {
        (true, _) => LevelFilter::DEBUG,
        (false, true) => LevelFilter::ERROR,
        (false, false) => LevelFilter::INFO,
    };
    // The scheduler talks about itself at every start and end.
    let usual = Targets::new()
        .with_default(level)
        .with_target("tokio_cron_scheduler", LevelFilter::OFF)
        .with_targets(LIBRARIES.map(|library| (library, LevelFilter::WARN)));
    let asked = std::env::var("BOOKING_MONITOR_LOG").unwrap_or_default();
    let (filter, is_understood) = match (asked.trim(), asked.trim().parse()) {
        ("", _) => (usual, true),
        (_, Ok(filter)) => (filter, true),
        (_, Err(_)) => (usual, false),
    };
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false);
    let log = tracing_subscriber::registry().with(filter).with(lines);
    // A second start in one process (tests) keeps the first one's settings.
    if log.try_init().is_ok() && !is_understood {
        tracing::warn!(
            "BOOKING_MONITOR_LOG is not understood: write debug, or info,booking_monitor=debug"
        );
    }
}
