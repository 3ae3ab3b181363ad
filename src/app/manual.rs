//! `completions` and `man`: what packagers put beside the binary, made from the command line's own
//! types. Needs no configuration and reads none.

use std::path::Path;

use clap::CommandFactory as _;

use super::failure::{Failure, code};
use super::{Outcome, print};
use crate::cli::Cli;

/// A shell's completions, to stdout.
pub(super) fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    if shell == clap_complete::Shell::Bash {
        // It spells a name with a hyphen in two ways, so that nothing behind a subcommand would ever be
        // completed (clap#6421). Where it does not, this changes nothing.
        let text = String::from_utf8_lossy(&script);
        script = text
            .replace("booking__subcmd__monitor", "booking__monitor")
            .into_bytes();
    }
    print(&script)?;
    Ok(0)
}

/// The manual page to stdout, or one page a command into a folder.
pub(super) fn man(into: Option<&Path>) -> Outcome {
    let Some(folder) = into else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
        rendered.map_err(|e| unwritten(e, "the page"))?;
        print(&page)?;
        return Ok(0);
    };
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|e| unwritten(e, &folder.display().to_string()))?;
    Ok(0)
}

fn unwritten(error: std::io::Error, what: &str) -> Failure {
    let error = anyhow::Error::new(error).context(format!("cannot write {what}"));
    Failure::new(code::FAILED, error)
}
