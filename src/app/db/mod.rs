//! `db`: everything that is done to the database's file. One file a command.

use std::path::Path;

use super::Outcome;
use crate::cli::DbCommand;

mod accept;
mod backup;
mod check;
mod prune;
mod restore;
pub(super) mod told;

pub(super) fn run(path: &Path, command: DbCommand) -> Outcome {
    match command {
        DbCommand::Backup { file } => backup::run(path, &file),
        DbCommand::Check => check::run(path),
        DbCommand::Prune { messages: None } => prune::run(path),
        DbCommand::Prune {
            messages: Some(channel),
        } => prune::messages(path, &channel),
        DbCommand::Restore { file } => restore::run(path, &file),
        DbCommand::Accept => accept::run(path),
    }
}
