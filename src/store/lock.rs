//! One process at a time: an exclusive lock on a file beside the database. The system drops it
//! with the process, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The right to poll and to send. Held as long as this value lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another booking-monitor is running on this database")]
    Taken,
    /// The file beside the database could not be opened.
    #[error("cannot open {}: {source}", path.display())]
    File {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Lock {
    /// Takes the lock of this database, or says at once that another has it.
    pub fn take(database: &Path) -> Result<Self, LockError> {
        let path = super::identity::beside(database, "lock");
        let failed = |source| LockError::File {
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
