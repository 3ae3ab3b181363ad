//! Is this the database that was here before? A missing, empty or older file must never look like
//! a first run: a first run is silent, and the next change would be told from nothing.
//!
//! A marker beside the database (`<path>.id`) holds its identity and the number of its last start.
//! The generation is committed first, the marker written after, so a crash between the two leaves
//! the database ahead of its marker, which is fine; behind it is refused. A database that comes
//! without its marker was put there by a person, from a backup or from another machine: nobody knows
//! what was told since, so its companies begin anew, in silence.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::Utc;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::{
    APPLICATION_ID, At, MIGRATIONS, Result, SCHEMA, SCHEMA_VERSION, StoreError, configure,
    reminders, sinks,
};
use crate::domain::policy::Reason;
use crate::failpoint;

/// The file `<database>.<ending>`.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// What the file beside the database says.
pub(super) struct Marker {
    pub(super) uuid: String,
    pub(super) generation: i64,
}

pub(super) fn read_marker(database: &Path) -> Result<Option<Marker>> {
    let path = beside(database, "id");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::File { path, source }),
    };
    let mut words = text.split_whitespace();
    let marker = words.next().zip(words.next().and_then(|w| w.parse().ok()));
    let (uuid, generation) = marker.ok_or_else(|| {
        StoreError::Refused(format!("the marker {} is unreadable", path.display()))
    })?;
    Ok(Some(Marker {
        uuid: uuid.to_owned(),
        generation,
    }))
}

pub(super) fn write_marker(database: &Path, uuid: &str, generation: i64) -> Result<()> {
    let path = beside(database, "id");
    let fresh = beside(database, "id.new");
    let failed = |source| StoreError::File {
        path: path.clone(),
        source,
    };
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(failed)?;
    writeln!(file, "{uuid} {generation}").map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&fresh, &path).map_err(failed)?;
    sync_folder(&path).map_err(failed)
}

/// Names of files reach the disk with their folder.
pub(super) fn sync_folder(of: &Path) -> std::io::Result<()> {
    File::open(folder_of(of))?.sync_all()
}

/// The folder a file lies in; of a bare name it is the one we are in.
#[must_use]
pub fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes or checks the database and marks this start. Only for the holder of the lock.
pub(super) fn prepare(path: &Path) -> Result<()> {
    super::gate(rusqlite::version_number())?;
    let marker = read_marker(path)?;
    let size = match fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => 0,
        Err(source) => {
            return Err(StoreError::File {
                path: path.into(),
                source,
            });
        }
    };
    if size == 0 && marker.is_some() {
        return Err(StoreError::Refused(format!(
            "the database {} is missing or empty, but one was here before",
            path.display()
        )));
    }
    if size == 0 {
        create(path)?;
    }
    read_ahead(path);
    let mut conn = Connection::open(path)?;
    // A first start that broke off leaves a file in which nothing is.
    let is_blank = size == 0 || marker.is_none() && holds_nothing(&conn);
    // A log that another database left here would be worked into a file that is refused: until it
    // is known for ours, the file is only looked at.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    if !is_blank {
        let log = has_log(path);
        inspect(&conn)
            .and_then(|()| {
                if log {
                    verify_all(&conn)
                } else {
                    verify(&conn)
                }
            })
            .and_then(|()| agrees(&conn, path, marker.as_ref()))
            .map_err(|e| unreadable(path, e))?;
    }
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    configure(&conn).map_err(|e| unreadable(path, e))?;
    if is_blank {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(SCHEMA)?;
        tx.commit()?;
    } else {
        bring_up_to_date(&mut conn, path)?;
    }
    mark_start(&mut conn, path, marker.is_none())
}

/// Has the system read the file from end to end while the check goes through its pages, which lie
/// criss-cross: after a boot, waiting for one after the other would be most of a start. Not while a
/// connection is open: closing the file would give up the locks that SQLite holds on it.
fn read_ahead(path: &Path) {
    /// The system reads no more than about this much for one word of advice.
    const STEP: usize = 128 << 10;
    let Ok(file) = File::open(path) else { return };
    let length = file.metadata().map_or(0, |meta| meta.len());
    let step = i64::try_from(STEP).unwrap_or(i64::MAX);
    for from in (0..i64::try_from(length).unwrap_or(0)).step_by(STEP) {
        if posix_fadvise(&file, from, step, PosixFadviseAdvice::POSIX_FADV_WILLNEED).is_err() {
            return;
        }
    }
}

/// A write-ahead log lies beside the database: the last process did not end in peace, or it is not
/// this database's.
pub(super) fn has_log(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    fs::metadata(PathBuf::from(name)).is_ok_and(|meta| meta.len() > 0)
}

/// The database is the one that the marker knows, and not an older copy of it.
fn agrees(conn: &Connection, path: &Path, marker: Option<&Marker>) -> Result<()> {
    let Some(marker) = marker else { return Ok(()) };
    let same = identity(conn)?
        .is_some_and(|(uuid, generation)| uuid == marker.uuid && generation >= marker.generation);
    if same {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "the database {} is not the one that was here before, or an older copy of it",
        path.display()
    )))
}

/// Which database this is, and how often it was started or copied.
pub(super) fn identity(conn: &Connection) -> Result<Option<(String, i64)>> {
    Ok(conn
        .query_row("SELECT uuid, generation FROM installation", [], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .optional()?)
}

fn holds_nothing(conn: &Connection) -> bool {
    conn.query_row(
        "SELECT count(*) = 0 AND (SELECT application_id FROM pragma_application_id) = 0
           FROM sqlite_schema",
        [],
        |r| r.get(0),
    )
    .unwrap_or(false)
}

/// Migrates an older database, with a copy of it kept beside.
fn bring_up_to_date(conn: &mut Connection, path: &Path) -> Result<()> {
    let version: i64 = conn.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    if version == SCHEMA_VERSION {
        return Ok(());
    }
    let kept = beside(path, &format!("schema-{version}"));
    // One that was left by a start that broke off may be half a copy.
    match fs::remove_file(&kept) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::File {
                path: kept,
                source: e,
            });
        }
        _ => {}
    }
    create(&kept)?;
    failpoint::pass("in_backup");
    conn.backup("main", &kept, None)?;
    failpoint::pass("before_migration");
    migrate(conn)?;
    tracing::info!(from = version, to = SCHEMA_VERSION, copy = %kept.display(), "schema brought up to date");
    Ok(())
}

/// Every step to this program's schema; none where it has it.
pub(super) fn migrate(conn: &mut Connection) -> Result<()> {
    Migrations::new(MIGRATIONS.iter().map(|sql| step(sql)).collect())
        .to_latest(conn)
        .map_err(|error| match error {
            // A full disk is no reason to refuse the file for good.
            rusqlite_migration::Error::RusqliteError { err, .. } => err.into(),
            other => StoreError::Refused(format!(
                "the schema could not be brought up to date: {other}"
            )),
        })
}

/// One migration, in a transaction of its own.
fn step(sql: &'static str) -> M<'static> {
    M::up_with_hook(sql, |_| {
        failpoint::pass("in_migration");
        Ok(())
    })
}

/// An empty file that nobody else may read.
pub(super) fn create(path: &Path) -> Result<()> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|source| StoreError::File {
            path: path.into(),
            source,
        })
}

pub(super) fn unreadable(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Sqlite(rusqlite::Error::SqliteFailure(e, _))
            if matches!(
                e.code,
                rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt
            ) =>
        {
            StoreError::Refused(format!("the database {} is damaged", path.display()))
        }
        other => other,
    }
}

/// No page is damaged.
pub fn verify(conn: &Connection) -> Result<()> {
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(StoreError::Refused("the database is damaged".into()))
    }
}

/// No page is damaged and every index agrees with its table.
fn verify_all(conn: &Connection) -> Result<()> {
    let verdict: String = conn.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Refused(
            "the database is damaged, or the log beside it is another's".into(),
        )),
    }
}

/// Ours and not newer than this program.
pub(super) fn inspect(conn: &Connection) -> Result<()> {
    let id: i64 = conn.query_row("PRAGMA application_id", [], |r| r.get(0))?;
    let version: i64 = conn.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    if id != APPLICATION_ID {
        return Err(StoreError::Refused(
            "the file is not a booking-monitor database".into(),
        ));
    }
    if version > SCHEMA_VERSION {
        return Err(StoreError::Refused(format!(
            "the database has schema {version}, this program knows {SCHEMA_VERSION} at most: it is older than the database"
        )));
    }
    Ok(())
}

/// Ours and of exactly this program's schema: only a start brings an older one up to date.
pub(super) fn inspect_current(conn: &Connection) -> Result<()> {
    inspect(conn)?;
    let version: i64 = conn.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    if version < SCHEMA_VERSION {
        return Err(StoreError::Refused(format!(
            "the database has schema {version}, this program works with {SCHEMA_VERSION}: restart the daemon, or run --once"
        )));
    }
    Ok(())
}

/// Says which database this is, and how often it was started or copied.
pub(super) fn set_identity(conn: &Connection, uuid: &str, generation: i64) -> Result<()> {
    conn.execute(
        "INSERT INTO installation (one, uuid, generation) VALUES (1, ?1, ?2)
         ON CONFLICT (one) DO UPDATE SET generation = ?2",
        (uuid, generation),
    )?;
    Ok(())
}

fn mark_start(conn: &mut Connection, path: &Path, came_alone: bool) -> Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (uuid, generation) = match identity(&tx)? {
        Some((uuid, generation)) => {
            if came_alone {
                begin_anew(&tx)?;
            }
            (uuid, generation + 1)
        }
        None => (fresh_uuid(), 1),
    };
    set_identity(&tx, &uuid, generation)?;
    tx.commit()?;
    failpoint::pass("before_marker");
    write_marker(path, &uuid, generation)
}

/// One generation on: a copy made before is an older one from here. Works beside a daemon.
pub(super) fn bump(path: &Path) -> Result<()> {
    let mut conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    configure(&conn)?;
    conn.execute("UPDATE installation SET generation = generation + 1", [])?;
    // Held while the marker is written, so that of two who do this at once the later one is last.
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let (Some((uuid, generation)), Some(_)) = (identity(&tx)?, read_marker(path)?) {
        write_marker(path, &uuid, generation)?;
    }
    tx.commit()?;
    Ok(())
}

/// What was open in a copy was dealt with since, or is too old to be. The cursors stay: with them the
/// next baseline finds what was changed and deleted meanwhile. Returns how many messages stay unsent.
pub(super) fn begin_anew(conn: &Connection) -> Result<usize> {
    let now = At(Utc::now());
    let dropped = conn.execute(
        "UPDATE booking_notifications SET status = 'suppressed', reason = ?1, look_at = NULL
          WHERE status IN ('pending', 'held', 'sending', 'uncertain')",
        [Reason::Baseline.as_str()],
    )?;
    conn.execute("DELETE FROM settling", [])?;
    reminders::forget_plans(conn)?;
    conn.execute(
        "UPDATE booking_events SET processed_at = ?1 WHERE processed_at IS NULL",
        [now],
    )?;
    // What clients wanted then was done since, or is a person's to ask about.
    conn.execute(
        "UPDATE writes SET state = 'over', ended_at = ?1 WHERE state IN ('asked', 'open')",
        [now],
    )?;
    conn.execute("DELETE FROM talks", [])?;
    conn.execute(
        "UPDATE proposals SET state = 'lapsed', ended_at = ?1 WHERE state IN ('open', 'agreed')",
        [now],
    )?;
    conn.execute("DELETE FROM conversations", [])?;
    conn.execute(
        "UPDATE turns SET ended_at = ?1, outcome = 'overtaken' WHERE ended_at IS NULL",
        [now],
    )?;
    // What was out of order then is looked at anew, and told of anew.
    conn.execute("DELETE FROM alerts", [])?;
    conn.execute("DELETE FROM early_receipts", [])?;
    conn.execute("DELETE FROM channel_states", [])?;
    sinks::begin_anew(conn)?;
    // What the owners have read since of their days nobody knows: nothing of it is told again.
    conn.execute("DELETE FROM chores WHERE name LIKE 'digest:%'", [])?;
    conn.execute(
        "INSERT OR IGNORE INTO chores (name, due_at, done_at)
         SELECT 'first_day:' || company_id, ?1, ?1 FROM companies",
        [now],
    )?;
    let companies = conn.execute(
        "UPDATE companies SET baseline_at = NULL, failures = 0, failing_since = NULL,
                next_try_at = NULL, denied = NULL, throttled = 0, last_error = NULL",
        [],
    )?;
    if companies > 0 {
        tracing::warn!(
            companies,
            dropped,
            "the database is a copy: nothing of its past is told"
        );
    }
    Ok(dropped)
}

pub(super) fn fresh_uuid() -> String {
    uuid::Builder::from_random_bytes(rand::random())
        .into_uuid()
        .to_string()
}

/// Starts afresh on purpose: the refused file is renamed, never deleted, and the marker goes. The
/// next start is a first run: a silent baseline. Returns where the old file went.
pub fn accept(path: &Path) -> Result<Option<PathBuf>> {
    let moved = put_away(path, "refused")?;
    match fs::remove_file(beside(path, "id")) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(StoreError::File {
            path: beside(path, "id"),
            source,
        }),
        _ => Ok(moved),
    }
}

/// Renames the database and its log to a name that nobody has yet. Nothing is deleted.
pub(super) fn put_away(path: &Path, why: &str) -> Result<Option<PathBuf>> {
    let stamp = Utc::now().format("%Y%m%dT%H%M%SZ");
    let names = (1..).map(|n| match n {
        1 => beside(path, &format!("{why}-{stamp}")),
        n => beside(path, &format!("{why}-{stamp}-{n}")),
    });
    let mut free = names.filter(|name| fs::symlink_metadata(name).is_err());
    let Some(kept) = free.next() else {
        return Ok(None);
    };
    let mut moved = None;
    // The log last: without it the file before it would lose its latest commits unnoticed.
    for ending in ["", "-wal", "-shm"] {
        let with = |base: &Path| {
            let mut name = base.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        match fs::rename(with(path), with(&kept)) {
            Ok(()) if ending.is_empty() => moved = Some(kept.clone()),
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(StoreError::File {
                    path: path.into(),
                    source,
                });
            }
        }
    }
    Ok(moved)
}
