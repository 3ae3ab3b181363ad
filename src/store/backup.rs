//! Online backups: one file each, whole, proven sound before it gets its name.
//!
//! The generation moves on with every backup, so that a copy laid over the database by hand is
//! known for an older one and refused: `db restore` is the way back.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use rusqlite::{Connection, OpenFlags};

use super::identity::{beside, bump, create, folder_of, identity, inspect, sync_folder, verify};
use super::reader::open_still;
use super::{Result, Room, StoreError};

/// Daily backups kept.
const KEPT: usize = 7;
/// What a copy leaves free, at least.
const MARGIN: u64 = 1 << 20;
/// How a daily backup's name ends, in UTC.
const STAMP: &str = "-%Y%m%dT%H%M%SZ.db";

/// Copies the database as it is at this moment into a new file that nobody else may read. Works
/// beside a running daemon. A file that is there already is never written over.
pub fn backup(database: &Path, target: &Path) -> Result<()> {
    super::gate(rusqlite::version_number())?;
    let failed = |source| StoreError::File {
        path: target.to_owned(),
        source,
    };
    if fs::symlink_metadata(target).is_ok() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    let unproven = beside(target, "part");
    remove(&unproven)?;
    let copied = copy(database, &unproven).and_then(|()| {
        // A hard link and not a rename: it takes no name that somebody else took meanwhile.
        match fs::hard_link(&unproven, target) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                fs::rename(&unproven, target)
            }
            linked => linked,
        }
        .map_err(failed)
    });
    remove(&unproven)?;
    // The name it has meanwhile says nothing to whoever asked for the other.
    copied.map_err(|error| match error {
        StoreError::File { path, source } if path == unproven => failed(source),
        other => other,
    })?;
    sync_folder(target).map_err(failed)?;
    // The backup stands whether or not there is room to write this down.
    if let Err(error) = bump(database) {
        tracing::warn!(%error, "the backup was made, but the database could not note it");
    }
    Ok(())
}

fn copy(database: &Path, to: &Path) -> Result<()> {
    let source = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    inspect(&source)?;
    // A copy that fills the disk would stop the database that it is made for.
    let size: i64 = source.query_row(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        [],
        |r| r.get(0),
    )?;
    let free = Room::beside(to).free().map_err(|source| StoreError::File {
        path: to.to_owned(),
        source,
    })?;
    if free.bytes < u64::try_from(size).unwrap_or(0) + MARGIN {
        return Err(StoreError::File {
            path: to.to_owned(),
            source: io::ErrorKind::StorageFull.into(),
        });
    }
    // It would be made readable by all otherwise.
    create(to)?;
    let name = to.to_str().ok_or_else(|| StoreError::File {
        path: to.to_owned(),
        source: io::Error::other("the name is no text"),
    })?;
    source.execute("VACUUM INTO ?1", [name])?;
    drop(source);
    let made = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    inspect(&made).and_then(|()| verify(&made))?;
    drop(made);
    // SQLite leaves it to the system when the copy reaches the disk.
    File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|source| StoreError::File {
            path: to.to_owned(),
            source,
        })
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::File {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// The daily backups in a folder, oldest first, with the moment each was made.
pub fn dailies(database: &Path, folder: &Path) -> io::Result<Vec<(DateTime<Utc>, PathBuf)>> {
    let stem = stem(database);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let stamp = name.and_then(|name| name.strip_prefix(&stem));
        let at = stamp.and_then(|stamp| NaiveDateTime::parse_from_str(stamp, STAMP).ok());
        if let Some(at) = at {
            found.push((at.and_utc(), path));
        }
    }
    found.sort();
    Ok(found)
}

fn stem(database: &Path) -> String {
    let stem = database.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// Copies of this database in its folder whose names do not begin with its own.
pub fn copies_beside(database: &Path) -> Result<Vec<PathBuf>> {
    let folder = folder_of(database);
    let conn = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let Some((uuid, _)) = identity(&conn)? else {
        return Ok(Vec::new());
    };
    let files = fs::read_dir(folder).map_err(|source| StoreError::File {
        path: folder.to_owned(),
        source,
    })?;
    let stem = database.file_name().unwrap_or_default();
    let mut copies: Vec<PathBuf> = files
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.is_file())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default();
            !name.as_bytes().starts_with(stem.as_bytes())
        })
        .filter(|path| uuid_of(path).is_ok_and(|of| of.as_ref() == Some(&uuid)))
        .collect();
    copies.sort();
    Ok(copies)
}

/// Which database a file is a copy of. Nothing is made beside it, as SQLite would of a copy by hand.
fn uuid_of(path: &Path) -> Result<Option<String>> {
    let conn = open_still(path)?;
    inspect(&conn)?;
    Ok(identity(&conn)?.map(|(uuid, _)| uuid))
}

/// Makes today's backup in a folder of its own and lets the oldest beyond seven go, but never before
/// the new one is proven sound.
pub fn daily(database: &Path, folder: &Path, now: DateTime<Utc>) -> Result<PathBuf> {
    let failed = |source| StoreError::File {
        path: folder.to_owned(),
        source,
    };
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    let name = format!("{}{}", stem(database), now.format(STAMP));
    let target = folder.join(name);
    backup(database, &target)?;
    let all = dailies(database, folder).map_err(failed)?;
    let spare = all.len().saturating_sub(KEPT);
    for (_, old) in all.into_iter().take(spare) {
        remove(&old)?;
    }
    Ok(target)
}
