//! Looking into the database beside whoever works with it, or when nobody does.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{Ailment, Result, StoreError, configure_reader, gate, identity};

/// Opens an existing database for looking, beside a daemon or without one. Needs no lock.
pub fn open_reader(path: &Path) -> Result<Connection> {
    open(path, identity::inspect_current)
}

/// The same of a database that an older program wrote.
pub(super) fn open_any_version(path: &Path) -> Result<Connection> {
    open(path, identity::inspect)
}

fn open(path: &Path, inspect: fn(&Connection) -> Result<()>) -> Result<Connection> {
    gate(rusqlite::version_number())?;
    let look = |conn: Connection| {
        configure_reader(&conn)?;
        inspect(&conn)?;
        Ok(conn)
    };
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let shared = Connection::open_with_flags(path, read_only)
        .map_err(StoreError::from)
        .and_then(look);
    match shared {
        // Even a reader takes room beside the file, for what it shares with writers. Where there is
        // none, and no log of a writer either, the file can be read as it stands.
        Err(error) if cannot_share(&error) && !identity::has_log(path) => {
            open_still(path).and_then(look).map_err(|_| error)
        }
        shared => shared,
    }
}

fn cannot_share(error: &StoreError) -> bool {
    error.cannot_open() || matches!(error.ailment(), Ailment::NoRoom | Ailment::ReadOnly)
}

/// Opens a file that nobody writes to, and makes none beside it.
pub(super) fn open_still(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(still(path), flags)?)
}

fn still(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}
