//! A database in memory that outlives the connections to it, as a file outlives a process.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};

use super::{Result, SCHEMA, StoreError, configure};

/// Keeps a database in memory. What was committed stays as long as this does.
pub struct Keeper {
    name: String,
    _conn: Connection,
}

impl Keeper {
    /// Makes an empty database.
    pub fn new() -> Result<Self> {
        let name = format!("file:/{:032x}?vfs=memdb", rand::random::<u128>());
        let conn = connect(&name)?;
        conn.execute_batch(SCHEMA)?;
        Ok(Self { name, _conn: conn })
    }
}

/// One connection to it. It works on the thread that asks: there is no disk to wait for.
#[derive(Clone)]
pub(super) struct Memory(Arc<Mutex<Option<Connection>>>);

impl Memory {
    pub(super) fn open(keeper: &Keeper) -> Result<Self> {
        let conn = connect(&keeper.name)?;
        Ok(Self(Arc::new(Mutex::new(Some(conn)))))
    }

    pub(super) async fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T>,
    ) -> Result<T> {
        // As a file does, it lets others have their turn, and the power go out.
        tokio::task::yield_now().await;
        let mut conn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *conn {
            Some(conn) => work(conn),
            None => Err(StoreError::Refused("the database is closed".into())),
        }
    }

    pub(super) fn close(self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn connect(name: &str) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(name, flags)?;
    configure(&conn)?;
    Ok(conn)
}
