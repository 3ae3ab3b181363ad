//! SQLite, concrete: the only place that says SQL.
//!
//! Two connections on threads of their own: one writes, one reads. Every write is one
//! `BEGIN IMMEDIATE` transaction that never spans a network call; `synchronous=FULL`, so that an
//! intent is on the disk before its first byte leaves. The functions in this room take a
//! connection or transaction and are plain; [`Store`] carries them to the right thread.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use async_sqlite::{Client, ClientBuilder};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Params, Transaction, TransactionBehavior};

use crate::failpoint;

mod ailment;
pub mod alerts;
pub mod at;
mod backup;
pub mod cache;
pub mod channels;
pub mod chores;
pub mod clock;
pub mod companies;
pub mod contacts;
pub mod conversations;
pub mod day;
mod erase;
pub mod events;
pub mod forgotten;
pub mod guard;
pub mod health;
mod identity;
pub mod known;
mod lock;
mod memory;
pub mod messages;
pub mod models;
pub mod optouts;
pub mod outbox;
pub mod pauses;
pub mod proposals;
pub mod prune;
pub mod questions;
mod reader;
pub mod reminders;
mod restore;
pub mod rights;
mod room;
pub mod settling;
mod sign;
pub mod sinks;
pub mod stats;
pub mod story;
pub mod talks;
mod together;
pub mod turns;
pub mod writes;

pub use ailment::Ailment;
pub use at::At;
pub use backup::{backup, copies_beside, dailies, daily};
pub use erase::{Erased, forget};
pub use identity::{accept, folder_of, verify};
pub use lock::{Lock, LockError};
pub use memory::Keeper;
pub use reader::open_reader;
pub use restore::{Lost, Restored, restore};
pub use room::{Free, Room};
pub use sign::Sign;
use together::Together;

/// The schema a fresh database gets.
pub const SCHEMA: &str = include_str!("../../schema.sql");
/// The way to it from the first schema: each leads from the one before, and never changes once
/// somebody may have run it.
pub const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
];
/// `PRAGMA user_version` of [`SCHEMA`].
const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;
/// `PRAGMA application_id` of [`SCHEMA`].
const APPLICATION_ID: i64 = 1_112_232_270;

/// What went wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is not the database that was here before, is damaged, or is newer than the program.
    #[error("{0}")]
    Refused(String),
    /// SQLite's own error: disk full, read-only, I/O.
    #[error("database: {0}")]
    Sqlite(rusqlite::Error),
    /// The thread that owns the connection is gone.
    #[error("database: {0}")]
    Worker(async_sqlite::Error),
    /// The file beside the database could not be written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A mistake of ours; what it says may quote what it worked on, and is not repeated.
    #[error("database: a transaction broke off")]
    Broken,
    /// A row that this program wrote cannot be read back.
    #[error("database: unreadable {0}")]
    Corrupt(&'static str),
    /// After what went wrong before, these connections are not used any more.
    #[error("database: not used any more after: {why}")]
    Abandoned {
        /// What went wrong.
        ailment: Ailment,
        /// In words.
        why: String,
    },
    /// A task of this program broke off.
    #[error("{0} broke off")]
    BrokenOff(&'static str),
    /// The SQLite in use is known to damage databases.
    #[error("{0}")]
    Unfit(String),
}

// Written out, because `#[from]` would make them sources too, and every report would say them twice.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<async_sqlite::Error> for StoreError {
    fn from(error: async_sqlite::Error) -> Self {
        match error {
            async_sqlite::Error::Panic { .. } => Self::Broken,
            other => Self::Worker(other),
        }
    }
}

/// What functions of this room return.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The open database.
#[derive(Clone)]
pub struct Store {
    place: Place,
}

/// Where the database is.
#[derive(Clone)]
enum Place {
    File {
        writer: Client,
        reader: Client,
        room: Room,
        /// What the writer is to write in one go.
        together: Together,
        /// What ended the use of the two.
        ended: Arc<OnceLock<(Ailment, String)>>,
    },
    Memory(memory::Memory),
}

/// SQLite before 3.51.3 can damage a database to which two connections write and checkpoint at once.
const FIT: i32 = 3_051_003;

/// Refuses to work with an SQLite that may damage the file. It is built in; a packager may still
/// link another.
fn gate(version: i32) -> Result<()> {
    if version >= FIT {
        return Ok(());
    }
    let (major, minor, patch) = (version / 1_000_000, version / 1000 % 1000, version % 1000);
    Err(StoreError::Unfit(format!(
        "this program was built with SQLite {major}.{minor}.{patch}, which can damage databases: 3.51.3 is needed"
    )))
}

impl Store {
    /// Opens the database for the process that holds its [`Lock`]: creates it on the first run,
    /// checks that it is whole, ours and not older than its marker, and marks this start.
    pub async fn open(path: &Path) -> Result<Self> {
        Self::connect(path)
            .await
            .map_err(|error| not_opened(path, error))
    }

    async fn connect(path: &Path) -> Result<Self> {
        let owned = path.to_owned();
        let watched = failpoint::carry();
        let prepare = move || watched.run(|| identity::prepare(&owned));
        let prepared = tokio::task::spawn_blocking(prepare).await;
        match prepared {
            Ok(result) => result?,
            Err(_) => return Err(StoreError::BrokenOff("the check of the database")),
        }
        let writer = ClientBuilder::new().path(path).open().await?;
        writer.conn_and_then(configure).await?;
        let reader = ClientBuilder::new()
            .path(path)
            // Each is used by one thread alone.
            .flags(OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .open()
            .await?;
        reader.conn_and_then(configure_reader).await?;
        let place = Place::File {
            writer,
            reader,
            room: Room::beside(path),
            together: Together::default(),
            ended: Arc::default(),
        };
        Ok(Self { place })
    }

    /// The place on the disk beside it; `None` in memory.
    #[must_use]
    pub fn room(&self) -> Option<&Room> {
        match &self.place {
            Place::File { room, .. } => Some(room),
            Place::Memory(_) => None,
        }
    }

    /// Opens a database in memory, which lasts while its [`Keeper`] does: for simulations, where a
    /// process ends and begins thousands of times a minute. Nothing of it ever reaches a disk.
    pub fn in_memory(keeper: &Keeper) -> Result<Self> {
        let place = Place::Memory(memory::Memory::open(keeper)?);
        Ok(Self { place })
    }

    /// Runs one write transaction. It commits when `work` returns `Ok`, else leaves no trace.
    ///
    /// On a full disk the ballast is dropped: what must be written down may be tried once more.
    /// After a failing disk or a damaged page nothing is read or written here again.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        failpoint::pass("before_transaction");
        let work = |tx: &Transaction<'_>| {
            let value = work(tx)?;
            failpoint::pass("before_commit");
            Ok(value)
        };
        let watched = failpoint::carry();
        let done = match &self.place {
            Place::File {
                writer,
                room,
                ended,
                ..
            } => {
                let (room, ended) = (room.clone(), Arc::clone(ended));
                writer
                    .conn_mut_and_then(move |conn| {
                        let written = unless_ended(&ended, || watched.run(|| write_on(conn, work)));
                        if let Err(error) = &written {
                            note(&ended, error);
                            make_room(conn, &room, error);
                        }
                        written
                    })
                    .await
            }
            Place::Memory(memory) => memory.with(|conn| write_on(conn, work)).await,
        };
        failpoint::pass("after_commit");
        done
    }

    /// The same for what many do at once: those that wait for the writer share a transaction, and the
    /// disk is waited for once. What one of them does is taken back when it fails, and only that.
    pub async fn write_together<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let Place::File {
            writer,
            room,
            together,
            ended,
            ..
        } = &self.place
        else {
            return self.write(work).await;
        };
        failpoint::pass("before_transaction");
        let answered = together.add(|tx| {
            let value = work(tx)?;
            failpoint::pass("before_commit");
            Ok(value)
        });
        let (room, together, ended) = (room.clone(), together.clone(), Arc::clone(ended));
        let watched = failpoint::carry();
        let written = writer.conn_mut_and_then(move |conn| {
            watched.run(|| together.write(conn, &room, &ended));
            Ok::<_, StoreError>(())
        });
        // Whoever comes first takes along those who wait behind: their answer is there before their turn.
        let done = tokio::select! {
            biased;
            Ok(done) = answered => done,
            Err(error) = written => Err(error),
            else => Err(StoreError::Broken),
        };
        failpoint::pass("after_commit");
        done
    }

    /// Reads on the reading connection, beside any write.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        match &self.place {
            Place::File { reader, ended, .. } => {
                let ended = Arc::clone(ended);
                reader
                    .conn_and_then(move |conn| {
                        let read = unless_ended(&ended, || work(conn));
                        if let Err(error) = &read {
                            note(&ended, error);
                        }
                        read
                    })
                    .await
            }
            Place::Memory(memory) => memory.with(|conn| work(conn)).await,
        }
    }

    /// Closes both connections; what was committed stays.
    pub async fn close(self) -> Result<()> {
        match self.place {
            Place::File {
                writer,
                reader,
                ended,
                ..
            } => {
                let read = reader.close().await;
                if ended.get().is_none() {
                    let tidied = writer.conn(|c| c.execute_batch("PRAGMA optimize;")).await;
                    if let Err(error) = tidied {
                        tracing::debug!(%error, "left untidied");
                    }
                }
                writer.close().await?;
                read?;
            }
            Place::Memory(memory) => memory.close(),
        }
        Ok(())
    }
}

/// What stands in the way of opening: SQLite only says that it cannot where no file can be made.
/// Where room is what is wanted, the next try has the ballast's.
fn not_opened(path: &Path, error: StoreError) -> StoreError {
    let room = Room::beside(path);
    let error = match error.cannot_open().then(|| room.try_out()) {
        Some(Err(source)) if Ailment::of_io(&source).may_pass() => StoreError::File {
            path: path.to_owned(),
            source,
        },
        _ => error,
    };
    if error.ailment() == Ailment::NoRoom {
        let dropped = room.drop_ballast();
        tracing::error!(%error, ballast = dropped, "no room on the disk");
    }
    error
}

fn unless_ended<T>(
    ended: &OnceLock<(Ailment, String)>,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    match ended.get() {
        Some((ailment, why)) => Err(StoreError::Abandoned {
            ailment: *ailment,
            why: why.clone(),
        }),
        None => work(),
    }
}

fn note(ended: &OnceLock<(Ailment, String)>, error: &StoreError) {
    let ailment = error.ailment();
    if ailment.ends_connections() && ended.set((ailment, error.to_string())).is_ok() {
        tracing::error!(%error, "the database is not touched any more");
    }
}

/// Drops the ballast, and writes what the log holds into the file: a log that ate the disk gives it
/// back.
fn make_room(conn: &Connection, room: &Room, error: &StoreError) {
    if error.ailment() != Ailment::NoRoom {
        return;
    }
    let dropped = room.drop_ballast();
    let emptied = prune::sweep_log(conn).is_ok();
    tracing::error!(%error, ballast = dropped, log = emptied, "no room on the disk");
}

/// Opens an existing database for one short write beside a daemon. Needs no lock.
pub fn open_writer(path: &Path) -> Result<Connection> {
    gate(rusqlite::version_number())?;
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    configure(&conn)?;
    identity::inspect_current(&conn)?;
    Ok(conn)
}

/// Executes a statement that is compiled once a connection.
pub(crate) fn execute(
    conn: &Connection,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<usize> {
    conn.prepare_cached(sql)?.execute(params)
}

/// A hash as it is stored.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Does something within a transaction and takes it back; what it came to stays.
pub fn taken_back<T>(conn: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    conn.execute_batch("SAVEPOINT rehearsal")?;
    let done = work(conn);
    conn.execute_batch("ROLLBACK TO rehearsal; RELEASE rehearsal")?;
    done
}

/// One write transaction on a connection of [`open_writer`].
pub fn write_on<T>(
    conn: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&tx)?;
    tx.commit()?;
    Ok(value)
}

/// Every query is compiled once a connection. Without the planner's stability guarantee each new value
/// bound to a query of a table with a partial index compiles it again: a quarter of all time.
fn prepare_once(conn: &Connection) -> Result<()> {
    conn.set_prepared_statement_cache_capacity(256);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn configure(conn: &Connection) -> Result<()> {
    prepare_once(conn)?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA secure_delete = ON;
         PRAGMA journal_size_limit = 4194304;",
    )?;
    Ok(())
}

fn configure_reader(conn: &Connection) -> Result<()> {
    prepare_once(conn)?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sqlite_that_damages_databases_is_not_worked_with() {
        assert!(gate(rusqlite::version_number()).is_ok());
        assert!(gate(FIT).is_ok());
        let refused = gate(3_051_002).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "this program was built with SQLite 3.51.2, which can damage databases: 3.51.3 is needed"
        );
    }
}
