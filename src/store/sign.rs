//! A sign beside the database (`<path>.alert`) that the owners were told of its trouble: kept
//! outside of it, because the database is what cannot be written to.
//!
//! Its name alone is the memory, since on a full disk a file can be made and not filled.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::At;
use super::identity::beside;

/// The sign beside one database.
#[derive(Clone, Debug)]
pub struct Sign {
    path: PathBuf,
}

impl Sign {
    /// Of this database.
    #[must_use]
    pub fn beside(database: &Path) -> Self {
        Self {
            path: beside(database, "alert"),
        }
    }

    /// Since when the trouble lasts that the owners were told of; `None` when there is no sign.
    #[must_use]
    pub fn since(&self) -> Option<DateTime<Utc>> {
        let text = fs::read_to_string(&self.path).ok()?;
        let written = DateTime::parse_from_rfc3339(text.trim()).ok();
        let made = || fs::metadata(&self.path).and_then(|meta| meta.modified());
        match written {
            Some(at) => Some(at.with_timezone(&Utc)),
            None => made().ok().map(DateTime::<Utc>::from),
        }
    }

    /// Puts the sign up. `false` when it was up already.
    pub fn raise(&self, now: DateTime<Utc>) -> io::Result<bool> {
        let mut options = OpenOptions::new();
        let made = options
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&self.path);
        match made {
            Ok(mut file) => {
                // Without its text it is dated by the file system.
                if let Err(error) = file.write_all(At(now).text().as_bytes()) {
                    tracing::debug!(%error, "the sign stays empty");
                }
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes it down.
    pub fn lower(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
