//! Room on the disk: how much there is, whether a write would go through, and a ballast file that
//! is dropped when there is none, so that what was sent a moment ago can still be written down.
//!
//! Without the ballast a write-ahead log that ate the disk could not even be checkpointed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::statvfs::statvfs;

use super::identity::{beside, folder_of};

/// What is set aside.
const BALLAST: u64 = 8 << 20;
/// The ballast is made, and made again, when this much is free beside it.
const PLENTY: u64 = 64 << 20;
/// Less than this is little; of a small file system, less than a tenth of it.
const LITTLE: u64 = 100 << 20;
/// A trial write is as large as a busy minute's commits.
const TRIAL: usize = 256 << 10;

/// What is free where the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Free {
    /// Bytes that this user may still write.
    pub bytes: u64,
    /// Bytes of the whole file system.
    pub of: u64,
    /// Files that can still be made, in a hundred; 100 where the file system does not count them.
    pub files_percent: u64,
}

impl Free {
    /// So little that it may soon be too little.
    #[must_use]
    pub fn is_little(self) -> bool {
        self.bytes < LITTLE.min(self.of / 10) || self.files_percent < 2
    }
}

/// The place beside a database.
#[derive(Clone, Debug)]
pub struct Room {
    database: PathBuf,
}

impl Room {
    /// Beside this database.
    #[must_use]
    pub fn beside(database: &Path) -> Self {
        Self {
            database: database.to_owned(),
        }
    }

    /// The database's file.
    #[must_use]
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// What is free there.
    pub fn free(&self) -> io::Result<Free> {
        let found = statvfs(folder_of(&self.database))?;
        let size = found.fragment_size();
        let files = found.files();
        Ok(Free {
            bytes: found.blocks_available().saturating_mul(size),
            of: found.blocks().saturating_mul(size),
            files_percent: match files {
                0 => 100,
                _ => found.files_available().saturating_mul(100) / files,
            },
        })
    }

    /// Writes as much as a while of work would, and takes it back: whether there is room, a quota
    /// and a file system that takes writes.
    pub fn try_out(&self) -> io::Result<()> {
        let path = beside(&self.database, "trial");
        let written = private(&path).and_then(|mut file| {
            file.write_all(&vec![b'.'; TRIAL])?;
            file.sync_all()
        });
        let removed = fs::remove_file(&path);
        written.and(removed)
    }

    /// Gives the ballast back to the disk. `false` when there was none.
    pub fn drop_ballast(&self) -> bool {
        fs::remove_file(beside(&self.database, "ballast")).is_ok()
    }

    /// Sets the ballast aside where there is plenty of room and none is there yet. A file system
    /// that cannot set room aside goes without.
    pub fn lay_ballast(&self) -> io::Result<()> {
        let path = beside(&self.database, "ballast");
        if path.exists() || self.free()?.bytes < PLENTY + BALLAST {
            return Ok(());
        }
        let file = private(&path)?;
        let length = i64::try_from(BALLAST).unwrap_or(i64::MAX);
        if let Err(error) = fallocate(&file, FallocateFlags::empty(), 0, length) {
            tracing::debug!(%error, "no ballast can be set aside here");
            drop(file);
            return fs::remove_file(&path);
        }
        Ok(())
    }
}

/// An empty file that nobody else may read.
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_a_hundred_megabytes_or_a_tenth_or_hardly_a_file() {
        let free = |bytes, of, files_percent| Free {
            bytes,
            of,
            files_percent,
        };
        assert!(!free(LITTLE, 1 << 40, 50).is_little());
        assert!(free(LITTLE - 1, 1 << 40, 50).is_little());
        assert!(!free(3 << 20, 20 << 20, 50).is_little());
        assert!(free(1 << 20, 20 << 20, 50).is_little());
        assert!(free(1 << 40, 1 << 41, 1).is_little());
    }
}
