//! The plain script that somebody would write in an afternoon: poll, insert, send. It keeps no
//! promise, and shows what the machine gives.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::daemon::{Folder, PATIENCE};
use crate::salon::Salon;

/// A script in one language.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    interpreter: &'static str,
    file: &'static str,
}

/// Python has SQLite at hand; node appends to a file.
pub(crate) const SCRIPTS: [Script; 2] = [
    Script {
        name: "Python",
        interpreter: "python3",
        file: concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/plain.py"),
    },
    Script {
        name: "Node",
        interpreter: "node",
        file: concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/plain.mjs"),
    },
];

/// One run of a script.
pub(crate) struct Run {
    pub(crate) took: Duration,
    /// The most memory it had, MB.
    pub(crate) peak: f64,
}

impl Script {
    /// Runs it until so many bookings are told. `None` where its language is not installed.
    pub(crate) fn run(&self, salon: &Salon, company: i64, bookings: usize) -> Option<Run> {
        let folder = Folder::new();
        let mut command = Command::new(self.interpreter);
        command
            .arg(self.file)
            .args([&salon.url, &company.to_string()])
            .arg(folder.path())
            .arg(bookings.to_string());
        let began = Instant::now();
        let running = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let Ok(running) = running else {
            eprintln!(
                "{} is not installed: no comparison with it",
                self.interpreter
            );
            return None;
        };
        salon.wait_for_sent(bookings, PATIENCE);
        let last = salon.sent()[bookings - 1].1;
        let said = running.wait_with_output().unwrap();
        let peak = String::from_utf8_lossy(&said.stdout).trim().parse();
        Some(Run {
            took: last - began,
            peak: peak.unwrap_or(f64::NAN),
        })
    }
}
