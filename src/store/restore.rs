//! Puts a backup in force. What was told since it was made nobody knows, so nothing that was open
//! in it is sent, and the first comparison is silent (see [`super::identity`]).
//!
//! The work is done on a copy under another name. Whenever it breaks off, the next start either
//! finds the old database, or none and says so, or the restored one whole.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

pub use replaced::Lost;
use replaced::{Backup, Replaced, line_of};

use super::identity::{
    Marker, begin_anew, beside, create, fresh_uuid, identity, inspect, migrate, put_away,
    read_marker, set_identity, sync_folder, unreadable, write_marker,
};
use super::{At, Result, StoreError};

mod replaced;
mod rows;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// The last good poll that the backup knows of.
    pub as_of: Option<DateTime<Utc>>,
    /// Where the replaced database went.
    pub kept: Option<PathBuf>,
    /// Notifications that were open in the backup and stay unsent.
    pub dropped: usize,
    /// Wishes for silence that only the replaced database knew of.
    pub opt_outs: usize,
    /// People whom the replaced database has forgotten and the backup had not.
    pub forgotten: usize,
    /// What the replaced database could not tell.
    pub lost: Vec<Lost>,
}

/// Puts `source` in the database's place. Only for the holder of the lock; `source` stays as it is.
pub fn restore(database: &Path, source: &Path) -> Result<Restored> {
    super::gate(rusqlite::version_number())?;
    // A marker that cannot be read is no hindrance: a person has decided.
    let marker = read_marker(database).unwrap_or_default();
    let working = beside(database, "restoring");
    clear(&working)?;
    let prepared = prepare(database, source, &working, marker.as_ref());
    let (mut restored, uuid, generation) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            clear(&working)?;
            return Err(error);
        }
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::File { path, source }
    };
    restored.kept = put_away(database, "replaced")?;
    fs::rename(&working, database).map_err(failed(database))?;
    sync_folder(database).map_err(failed(database))?;
    write_marker(database, &uuid, generation)?;
    Ok(restored)
}

/// Everything that can go wrong, before anything is moved.
fn prepare(
    database: &Path,
    source: &Path,
    working: &Path,
    marker: Option<&Marker>,
) -> Result<(Restored, String, i64)> {
    let named = |e| unreadable(source, e);
    let from = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|e| named(e.into()))?;
    inspect(&from).map_err(named)?;
    sound(&from).map_err(named)?;
    create(working)?;
    from.backup("main", working, None)?;
    drop(from);
    let mut conn = Connection::open(working)?;
    conn.execute_batch(
        "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;",
    )?;
    migrate(&mut conn)?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let as_of: Option<At> =
        tx.query_row("SELECT max(last_poll_at) FROM companies", [], |r| r.get(0))?;
    let dropped = begin_anew(&tx)?;
    let (uuid, had) = identity(&tx)?.unwrap_or_else(|| (fresh_uuid(), 0));
    let line = line_of(&tx)?;
    let backup = Backup {
        uuid: &uuid,
        generation: had,
        line: &line,
    };
    let taken = Replaced::read(database).hand_over(&tx, &backup, marker, Utc::now())?;
    let generation = had.max(marker.map_or(0, |m| m.generation)) + 1;
    set_identity(&tx, &uuid, generation)?;
    if !taken.lost.is_empty() {
        // It lacks what was lost: to no backup made before may it pass for what became of it.
        tx.execute("UPDATE installation SET line = ?1", [fresh_uuid()])?;
    }
    tx.commit()?;
    // The backup may be any copy, with remains of what was erased in its free pages.
    conn.execute_batch("VACUUM;")?;
    conn.close().map_err(|(_, e)| e)?;
    let restored = Restored {
        as_of: as_of.map(|at| at.0),
        kept: None,
        dropped,
        opt_outs: taken.opt_outs,
        forgotten: taken.forgotten,
        lost: taken.lost,
    };
    Ok((restored, uuid, generation))
}

/// Every page and every index: a backup may have lain around for long.
fn sound(conn: &Connection) -> Result<()> {
    let verdict: String = conn.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Refused("the backup is damaged".into())),
    }
}

/// What an attempt that broke off left behind.
fn clear(working: &Path) -> Result<()> {
    for ending in ["", "-journal", "-wal", "-shm"] {
        let mut name = working.as_os_str().to_owned();
        name.push(ending);
        let path = PathBuf::from(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::File { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}
