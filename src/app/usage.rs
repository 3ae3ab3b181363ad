//! What is wrong with the command line itself, said as every other error: a line, then a hint.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Error};

use super::failure::code;
use crate::cli::Cli;

/// The end of clap's own text: what it says there stands in our hint.
const MORE: &str = "For more information, try";

/// Prints what clap has to say: help and version as they are, an error with a hint below it.
#[must_use]
pub fn refuse(error: &Error) -> ExitCode {
    if !error.use_stderr() {
        // Nothing can be done about a stdout that is gone.
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let rendered = error.render();
    let text = match coloured {
        true => rendered.ansi().to_string(),
        false => rendered.to_string(),
    };
    let said = text.lines().filter(|line| !line.contains(MORE));
    let mut shown: Vec<&str> = said.collect();
    while shown.last().is_some_and(|line| line.trim().is_empty()) {
        shown.pop();
    }
    let named = std::env::args_os().skip(1);
    let hint = hint(error, named.filter_map(|word| word.into_string().ok()));
    let text = format!("{}\n\nhint: {hint}\n", shown.join("\n"));
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
    ExitCode::from(code::USAGE)
}

/// What was probably meant, else where it stands how it is called.
fn hint(error: &Error, words: impl Iterator<Item = String>) -> String {
    let command = path_of(words);
    let near = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    let near = near.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) => words.first().cloned(),
        _ => None,
    });
    match near {
        Some(word) => format!("{word} perhaps; {command} --help lists what there is"),
        None => format!("{command} --help lists what there is"),
    }
}

/// `booking-monitor db backup`, as far as the words name commands.
fn path_of(words: impl Iterator<Item = String>) -> String {
    let mut command = Cli::command();
    let mut path = command.get_name().to_owned();
    for word in words {
        if let Some(named) = command.find_subcommand(&word) {
            path = format!("{path} {word}");
            command = named.clone();
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn hint_for(words: &[&str]) -> String {
        let all = std::iter::once("booking-monitor").chain(words.iter().copied());
        let Err(error) = Cli::try_parse_from(all) else {
            panic!("it is right");
        };
        hint(&error, words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant_and_with_the_commands_own_help() {
        for (words, expected) in [
            (
                &["statsu"][..],
                "status perhaps; booking-monitor --help lists what there is",
            ),
            (
                &["log", "--limti", "3"],
                "--limit perhaps; booking-monitor log --help lists what there is",
            ),
            (
                &["explain"],
                "booking-monitor explain --help lists what there is",
            ),
            (
                &["db", "backup"],
                "booking-monitor db backup --help lists what there is",
            ),
            (
                &["completions", "dos"],
                "booking-monitor completions --help lists what there is",
            ),
        ] {
            assert_eq!(hint_for(words), expected);
        }
    }
}
