//! A private folder for a database that nobody keeps.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A folder that goes when this value does.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one that only this user can look into. A name that exists already is an error, never
    /// used: somebody else may have put it there.
    pub fn make() -> std::io::Result<Self> {
        let name = format!("booking-monitor-demo-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What the system would clear away anyway is not worth an error after a good show.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
