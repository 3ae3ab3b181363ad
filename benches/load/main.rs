//! The whole program under load, measured from outside: a release daemon between a journal and a
//! messenger on loopback, which are in this process so that what they use is not counted.
//!
//! `benches/run` says how it is called. It asserts nothing about times: machines differ.
#![expect(clippy::unwrap_used, reason = "whoever measures may fail by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table for people"
)]

use std::process::ExitCode;

mod daemon;
mod figures;
mod plain;
mod salon;
mod scenes;

use figures::Figure;

/// A scene: measures so many times.
type Scene = fn(usize) -> Vec<Figure>;

const SCENES: [(&str, Scene); 8] = [
    ("idle", scenes::idles),
    ("burst", scenes::burst),
    ("sweep", scenes::sweep),
    ("storm", scenes::storm),
    ("latency", scenes::latency),
    ("drain", scenes::drain),
    ("cold", scenes::cold),
    ("growth", scenes::growth),
];

fn main() -> ExitCode {
    // `cargo bench` adds a flag of its own.
    let mut arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    let (mut runs, mut wanted) = (5, Vec::new());
    while let Some(word) = arguments.next() {
        match word.as_str() {
            "--runs" => {
                runs = arguments
                    .next()
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(runs)
            }
            name if SCENES.iter().any(|(known, _)| *known == name) => wanted.push(word),
            other => {
                let known: Vec<&str> = SCENES.iter().map(|(name, _)| *name).collect();
                eprintln!("no scene {other:?}; there are: {}", known.join(" "));
                return ExitCode::FAILURE;
            }
        }
    }
    let mut figures = Vec::new();
    for (name, scene) in SCENES {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            eprintln!("{name} …");
            let measured = scene(runs);
            eprintln!("{}", figures::table(&measured));
            figures.extend(measured);
        }
    }
    println!("{}", figures::table(&figures));
    ExitCode::SUCCESS
}
