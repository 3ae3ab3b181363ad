//! Parses the command line, hands over to [`booking_monitor::app`], and turns what comes back into
//! an exit code and a few lines on stderr.

use std::process::ExitCode;

use booking_monitor::app;
use booking_monitor::cli::Cli;
use clap::Parser as _;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => app::main(cli),
        Err(error) => app::refuse(&error),
    }
}
