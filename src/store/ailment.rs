//! What a database error means for whoever goes on: wait, leave, or never touch the file again.

use std::io;

use rusqlite::ErrorCode;

use super::StoreError;

/// Extended codes that SQLite files under another word than the one that helps.
const IOERR_SHMSIZE: i32 = 4874;
const READONLY_DBMOVED: i32 = 1032;

/// What kind of trouble the database is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// The disk is full, or this user's share of it.
    NoRoom,
    /// The file system takes no writes.
    ReadOnly,
    /// Somebody else keeps writing.
    Busy,
    /// The disk fails, or the file was taken away: nothing on these connections counts any more.
    Disk,
    /// The file is damaged, or is not the one that was here before.
    Damaged,
    /// Anything else.
    Other,
}

impl Ailment {
    /// It goes away by itself, or when somebody makes room, and nothing was lost.
    #[must_use]
    pub fn may_pass(self) -> bool {
        matches!(self, Self::NoRoom | Self::ReadOnly | Self::Busy)
    }

    /// After it nothing may be read or written over the same connection: a page in memory may not
    /// be the page on the disk.
    #[must_use]
    pub fn ends_connections(self) -> bool {
        matches!(self, Self::Disk | Self::Damaged)
    }

    /// Of a file beside the database.
    #[must_use]
    pub fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ if error.raw_os_error() == Some(nix::libc::EIO) => Self::Disk,
            _ => Self::Other,
        }
    }

    fn of_sqlite(error: &rusqlite::Error) -> Self {
        use rusqlite::Error;
        let failure = match error {
            Error::SqliteFailure(failure, _) => failure,
            // The types of columns are fixed, so a value that does not fit was not written by us.
            Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidQuery
            | Error::Utf8Error(..) => return Self::Damaged,
            _ => return Self::Other,
        };
        match (failure.code, failure.extended_code) {
            (ErrorCode::DiskFull, _) | (_, IOERR_SHMSIZE) => Self::NoRoom,
            (_, READONLY_DBMOVED) => Self::Disk,
            (ErrorCode::ReadOnly, _) => Self::ReadOnly,
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Self::Busy,
            (ErrorCode::SystemIoFailure, _) => Self::Disk,
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Self::Damaged,
            _ => Self::Other,
        }
    }
}

impl StoreError {
    /// SQLite could not open the file, or one that it needs beside it, and says no more.
    pub(super) fn cannot_open(&self) -> bool {
        matches!(
            self,
            Self::Sqlite(rusqlite::Error::SqliteFailure(failure, _))
            | Self::Worker(async_sqlite::Error::Rusqlite(rusqlite::Error::SqliteFailure(failure, _)))
                if failure.code == ErrorCode::CannotOpen
        )
    }

    /// What kind of trouble this is.
    #[must_use]
    pub fn ailment(&self) -> Ailment {
        match self {
            Self::Refused(_) | Self::Corrupt(_) => Ailment::Damaged,
            Self::Sqlite(error) | Self::Worker(async_sqlite::Error::Rusqlite(error)) => {
                Ailment::of_sqlite(error)
            }
            Self::Abandoned { ailment, .. } => *ailment,
            Self::File { source, .. } => Ailment::of_io(source),
            Self::Worker(_) | Self::Broken | Self::BrokenOff(_) | Self::Unfit(_) => Ailment::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn ailment(code: i32) -> Ailment {
        StoreError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)).ailment()
    }

    #[test]
    fn what_can_pass_is_told_from_what_cannot() {
        for (code, expected) in [
            (ffi::SQLITE_FULL, Ailment::NoRoom),
            (IOERR_SHMSIZE, Ailment::NoRoom),
            (ffi::SQLITE_READONLY, Ailment::ReadOnly),
            (ffi::SQLITE_BUSY, Ailment::Busy),
            (ffi::SQLITE_IOERR_WRITE, Ailment::Disk),
            (ffi::SQLITE_IOERR_FSYNC, Ailment::Disk),
            (ffi::SQLITE_IOERR_READ, Ailment::Disk),
            (READONLY_DBMOVED, Ailment::Disk),
            (ffi::SQLITE_CORRUPT, Ailment::Damaged),
            (ffi::SQLITE_NOTADB, Ailment::Damaged),
            (ffi::SQLITE_CONSTRAINT, Ailment::Other),
        ] {
            assert_eq!(ailment(code), expected, "{code}");
        }
        let full = StoreError::File {
            path: "x".into(),
            source: io::Error::from_raw_os_error(nix::libc::ENOSPC),
        };
        assert_eq!(full.ailment(), Ailment::NoRoom);
    }
}
