//! A sign beside the database (`<path>.alert`) that the owners were told of its trouble: kept
//! outside of it, because the database is what cannot be written to.
//!
//! Its name alone is the memory, since on a full disk a file can be made and not filled. What it
//! holds beside is when the trouble began and whether the disk fails; when it was last met is the
//! file's own time.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};

use super::identity::beside;
use super::{Ailment, At};

/// The mark of a failing disk.
const FAILS: &str = " disk";
/// A failing disk must have kept quiet for so long.
const QUIET: TimeDelta = TimeDelta::minutes(2);

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
        match DateTime::parse_from_rfc3339(text.split(' ').next().unwrap_or("")) {
            Ok(at) => Some(at.with_timezone(&Utc)),
            Err(_) => self.last_met(),
        }
    }

    /// A disk that fails now and then lets the program start each time, which is no end of it.
    #[must_use]
    pub fn may_return(&self, now: DateTime<Utc>) -> bool {
        let fails = fs::read_to_string(&self.path).is_ok_and(|text| text.ends_with(FAILS));
        let quiet = self.last_met().map(|at| now - at);
        fails && quiet.is_some_and(|quiet| (TimeDelta::zero()..QUIET).contains(&quiet))
    }

    /// When it was last met.
    fn last_met(&self) -> Option<DateTime<Utc>> {
        let met = fs::metadata(&self.path).and_then(|meta| meta.modified());
        met.ok().map(DateTime::<Utc>::from)
    }

    /// Puts the sign up. `false` when it was up already.
    pub fn raise(&self, ailment: Ailment, now: DateTime<Utc>) -> io::Result<bool> {
        let mut options = OpenOptions::new();
        let made = options
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&self.path);
        match made {
            Ok(mut file) => {
                // Without its text it is dated by the file system.
                let fails = if ailment == Ailment::Disk { FAILS } else { "" };
                let text = format!("{}{fails}", At(now).text());
                if let Err(error) = file.write_all(text.as_bytes()) {
                    tracing::debug!(%error, "the sign stays empty");
                }
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let touched = fs::File::open(&self.path).and_then(|f| f.set_modified(now.into()));
                if let Err(error) = touched {
                    tracing::debug!(%error, "the sign keeps its time");
                }
                Ok(false)
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_raised_once_dated_and_a_failing_disk_has_to_keep_quiet() {
        let folder = tempfile::tempdir().unwrap();
        let sign = Sign::beside(&folder.path().join("a.db"));
        assert_eq!(sign.since(), None);
        let start: DateTime<Utc> = "2026-08-20T09:00:00Z".parse().unwrap();
        assert!(sign.raise(Ailment::Disk, start).unwrap());
        let later = start + TimeDelta::minutes(10);
        assert!(!sign.raise(Ailment::Disk, later).unwrap());
        assert_eq!(sign.since(), Some(start));
        assert!(sign.may_return(later + TimeDelta::minutes(1)));
        assert!(!sign.may_return(later + TimeDelta::minutes(2)));
        sign.lower().unwrap();
        sign.lower().unwrap();
        assert!(sign.raise(Ailment::NoRoom, later).unwrap());
        assert!(!sign.may_return(later));
        // As a full disk leaves it.
        fs::write(&sign.path, "").unwrap();
        assert!(sign.since().is_some());
    }
}
