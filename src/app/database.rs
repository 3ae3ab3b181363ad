//! The way to the database for every command: its lock, its file, and what its errors come to.

use std::path::Path;

use super::failure::code;
use super::{Failure, user};
use crate::config::Config;
use crate::store::{self, Ailment, Lock, LockError, StoreError, health};

/// The lock of the process that polls and sends.
pub(super) fn take_lock(database: &Path) -> Result<Lock, Failure> {
    Lock::take(database).map_err(|error| match error {
        LockError::Taken => Failure::new(code::LOCKED, anyhow::Error::new(error))
            .hint("only one may poll and send; `booking-monitor status` works beside it"),
        LockError::File { path, source } => refused(StoreError::File { path, source }),
    })
}

/// Turns what the database says into an exit code and a way out: 78 where no restart can help.
pub(super) fn refused(error: StoreError) -> Failure {
    let ailment = error.ailment();
    let (code, hint) = match ailment {
        Ailment::Damaged => (
            code::DATABASE,
            "nothing was sent. Put a copy in force: booking-monitor db restore FILE, or start afresh on purpose: booking-monitor db accept",
        ),
        Ailment::NoRoom => (
            code::FAILED,
            "the disk is full: nothing is sent that cannot be written down first. Make room, then it goes on",
        ),
        Ailment::ReadOnly => (
            code::FAILED,
            "the disk takes no writes: nothing is sent that cannot be written down first. After a failure of the disk mount it anew",
        ),
        Ailment::Busy => (
            code::FAILED,
            "another program keeps writing to the database, an open sqlite3 perhaps",
        ),
        Ailment::Disk => (
            code::FAILED,
            "the disk fails: see the system's log, and copy the database away: booking-monitor db backup FILE",
        ),
        Ailment::Other => (
            code::FAILED,
            "the folder of `database.path` must exist and be writable for this user",
        ),
    };
    Failure::new(code, anyhow::Error::new(error))
        .hint(hint)
        .with_ailment(ailment)
}

/// Opens the database of a command that needs one to be there already.
pub(super) fn existing(
    config: &Config,
    open: fn(&Path) -> store::Result<rusqlite::Connection>,
) -> Result<rusqlite::Connection, Failure> {
    open(present(config)?).map_err(refused)
}

/// The database's path, if there is something in its file.
pub(super) fn present(config: &Config) -> Result<&Path, Failure> {
    let path = &config.database.path;
    // A folder that may not be looked into is no empty folder.
    match path.try_exists() {
        Ok(_) if !health::is_blank(path) => Ok(path),
        Ok(_) if health::is_gone(path) => Err(refused(StoreError::Refused(format!(
            "the database {} is missing or empty, but one was here before",
            path.display()
        )))),
        Ok(_) => {
            let error = anyhow::anyhow!("no database at {} yet", path.display());
            Err(Failure::new(code::FAILED, error)
                .hint("it appears with the first run: booking-monitor --once"))
        }
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("cannot see {}", path.display()));
            Err(Failure::new(code::FAILED, error).hint(user::HINT))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn the_database_ends_the_program_with_78_where_no_restart_helps_and_is_waited_for_where_it_passes()
     {
        let sqlite = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            refused(StoreError::from(error))
        };
        for (failure, code, may_pass) in [
            (sqlite(ffi::SQLITE_FULL), code::FAILED, true),
            (sqlite(ffi::SQLITE_READONLY), code::FAILED, true),
            (sqlite(ffi::SQLITE_BUSY), code::FAILED, true),
            (sqlite(ffi::SQLITE_IOERR_FSYNC), code::FAILED, false),
            (sqlite(ffi::SQLITE_CORRUPT), code::DATABASE, false),
            (sqlite(ffi::SQLITE_NOTADB), code::DATABASE, false),
            (sqlite(ffi::SQLITE_CANTOPEN), code::FAILED, false),
            (
                refused(StoreError::Corrupt("booking")),
                code::DATABASE,
                false,
            ),
        ] {
            assert_eq!(
                (failure.code, failure.may_pass()),
                (code, may_pass),
                "{failure:?}"
            );
        }
    }
}
