//! SQLite, concrete: the only place that says SQL.
//!
//! Two connections on threads of their own: one writes, one reads. Every write is one
//! `BEGIN IMMEDIATE` transaction that never spans a network call; `synchronous=FULL`, so that an
//! intent is on the disk before its first byte leaves. The functions in this room take a
//! connection or transaction and are plain; [`Store`] carries them to the right thread.

use std::path::{Path, PathBuf};

use async_sqlite::{Client, ClientBuilder};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::failpoint;

pub mod alerts;
pub mod at;
pub mod cache;
pub mod channels;
pub mod companies;
pub mod contacts;
mod erase;
pub mod events;
pub mod forgotten;
pub mod guard;
mod identity;
pub mod known;
mod lock;
mod memory;
pub mod optouts;
pub mod outbox;
pub mod pauses;
pub mod rights;
pub mod settling;
pub mod stats;
pub mod story;

pub use at::At;
pub use erase::{Erased, forget};
pub use identity::{accept, verify};
pub use lock::{Lock, LockError};
pub use memory::Keeper;

/// The schema a fresh database gets.
pub const SCHEMA: &str = include_str!("../../schema.sql");
/// The way to it from the first schema: each leads from the one before, and never changes once
/// somebody may have run it.
pub const MIGRATIONS: [&str; 3] = [
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
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
    File { writer: Client, reader: Client },
    Memory(memory::Memory),
}

impl Store {
    /// Opens the database for the process that holds its [`Lock`]: creates it on the first run,
    /// checks that it is whole, ours and not older than its marker, and marks this start.
    pub async fn open(path: &Path) -> Result<Self> {
        let owned = path.to_owned();
        let watched = failpoint::carry();
        let prepare = move || watched.run(|| identity::prepare(&owned));
        let prepared = tokio::task::spawn_blocking(prepare).await;
        match prepared {
            Ok(result) => result?,
            Err(_) => {
                return Err(StoreError::Refused(
                    "the check of the database broke off".into(),
                ));
            }
        }
        let writer = ClientBuilder::new().path(path).open().await?;
        writer.conn_and_then(configure).await?;
        let reader = ClientBuilder::new()
            .path(path)
            .flags(OpenFlags::SQLITE_OPEN_READ_ONLY)
            .open()
            .await?;
        reader.conn_and_then(configure_reader).await?;
        let place = Place::File { writer, reader };
        Ok(Self { place })
    }

    /// Opens a database in memory, which lasts while its [`Keeper`] does: for simulations, where a
    /// process ends and begins thousands of times a minute. Nothing of it ever reaches a disk.
    pub fn in_memory(keeper: &Keeper) -> Result<Self> {
        let place = Place::Memory(memory::Memory::open(keeper)?);
        Ok(Self { place })
    }

    /// Runs one write transaction. It commits when `work` returns `Ok`, else leaves no trace.
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
            Place::File { writer, .. } => {
                let work = move |conn: &mut Connection| watched.run(|| write_on(conn, work));
                writer.conn_mut_and_then(work).await
            }
            Place::Memory(memory) => memory.with(|conn| write_on(conn, work)).await,
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
            Place::File { reader, .. } => reader.conn_and_then(move |conn| work(conn)).await,
            Place::Memory(memory) => memory.with(|conn| work(conn)).await,
        }
    }

    /// Closes both connections; what was committed stays.
    pub async fn close(self) -> Result<()> {
        match self.place {
            Place::File { writer, reader } => {
                reader.close().await?;
                writer.conn(|c| c.execute_batch("PRAGMA optimize;")).await?;
                writer.close().await?;
            }
            Place::Memory(memory) => memory.close(),
        }
        Ok(())
    }
}

/// Opens an existing database for looking, beside a daemon or without one. Needs no lock.
pub fn open_reader(path: &Path) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    configure_reader(&conn)?;
    identity::inspect_current(&conn)?;
    Ok(conn)
}

/// Opens an existing database for one short write beside a daemon. Needs no lock.
pub fn open_writer(path: &Path) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    configure(&conn)?;
    identity::inspect_current(&conn)?;
    Ok(conn)
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

fn configure(conn: &Connection) -> Result<()> {
    conn.set_prepared_statement_cache_capacity(64);
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = 4194304;",
    )?;
    Ok(())
}

fn configure_reader(conn: &Connection) -> Result<()> {
    conn.set_prepared_statement_cache_capacity(64);
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;")?;
    Ok(())
}
