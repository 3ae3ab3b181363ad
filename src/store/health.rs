//! What can be said of a database file from outside, for `db check`: nothing is written and no lock
//! is taken.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::identity::{beside, read_marker, verify};
use super::reader::{open_any_version, open_reader};
use super::{Result, SCHEMA, SCHEMA_VERSION, StoreError};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Every page and index is whole, or what SQLite says is wrong.
    Pages(Vec<String>),
    /// Rows that refer to rows that are not there, by table.
    References(Vec<(String, i64)>),
    /// Tables, views and indexes of the schema that are missing.
    Schema(Vec<String>),
    /// Started so often, and the marker agrees.
    Marker(i64),
    /// There is no marker: the next start takes the file for a copy and begins in silence.
    MarkerMissing,
    /// The marker belongs to another database.
    MarkerForeign,
    /// The marker knows of a later start than the database.
    MarkerNewer {
        /// The marker's generation.
        marker: i64,
        /// The database's.
        database: i64,
    },
    /// Its schema is an older program's: the next start brings it up to date.
    Older(i64),
    /// Others may read this file.
    Open(PathBuf),
}

impl Finding {
    /// The database cannot be used, or not trusted, as it is.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        match self {
            Self::Pages(wrong) | Self::Schema(wrong) => !wrong.is_empty(),
            Self::References(wrong) => !wrong.is_empty(),
            Self::MarkerForeign | Self::MarkerNewer { .. } => true,
            Self::Marker(_) | Self::MarkerMissing | Self::Older(_) | Self::Open(_) => false,
        }
    }
}

/// Looks at everything. An error is a file that is no database of ours at all, or cannot be looked at.
pub fn examine(path: &Path) -> Result<Vec<Finding>> {
    let conn = open_reader(path)?;
    let mut found = vec![Finding::Pages(pages(&conn)?)];
    found.push(Finding::References(references(&conn)?));
    found.push(Finding::Schema(missing(&conn)?));
    found.push(marker(&conn, path)?);
    found.extend(open_to_others(path));
    Ok(found)
}

/// What decides whether a start would take it, without reading all of it twice.
pub fn glance(path: &Path) -> Result<Vec<Finding>> {
    let conn = open_any_version(path)?;
    verify(&conn)?;
    let version = conn.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    let mut found = vec![marker(&conn, path)?];
    if version < SCHEMA_VERSION {
        found.push(Finding::Older(version));
    }
    found.extend(open_to_others(path));
    Ok(found)
}

/// The files of the database that others may read.
fn open_to_others(path: &Path) -> impl Iterator<Item = Finding> {
    let files = ["", "-wal", "-shm", ".id", ".lock"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    });
    let open = |meta: fs::Metadata| meta.permissions().mode() & 0o077 != 0;
    let open = move |file: &PathBuf| fs::metadata(file).is_ok_and(open);
    files.into_iter().filter(open).map(Finding::Open)
}

fn pages(conn: &Connection) -> Result<Vec<String>> {
    let mut query = conn.prepare("PRAGMA integrity_check(10)")?;
    let rows = query.query_map([], |r| r.get::<_, String>(0))?;
    let said: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(said.into_iter().filter(|line| line != "ok").collect())
}

fn references(conn: &Connection) -> Result<Vec<(String, i64)>> {
    let mut query = conn.prepare(
        "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1 ORDER BY 1",
    )?;
    let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn missing(conn: &Connection) -> Result<Vec<String>> {
    let names = |conn: &Connection| -> Result<BTreeSet<String>> {
        let mut query = conn.prepare(
            "SELECT type || ' ' || name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'",
        )?;
        let rows = query.query_map([], |r| r.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(SCHEMA)?;
    let here = names(conn)?;
    let all = names(&fresh)?.into_iter();
    Ok(all.filter(|name| !here.contains(name)).collect())
}

fn marker(conn: &Connection, path: &Path) -> Result<Finding> {
    let marker = match read_marker(path) {
        Ok(Some(marker)) => marker,
        Ok(None) => return Ok(Finding::MarkerMissing),
        Err(StoreError::Refused(_)) => return Ok(Finding::MarkerForeign),
        Err(error) => return Err(error),
    };
    let found: Option<(String, i64)> = conn
        .query_row("SELECT uuid, generation FROM installation", [], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .optional()?;
    Ok(match found {
        Some((uuid, generation)) if uuid == marker.uuid => {
            if generation < marker.generation {
                Finding::MarkerNewer {
                    marker: marker.generation,
                    database: generation,
                }
            } else {
                Finding::Marker(generation)
            }
        }
        _ => Finding::MarkerForeign,
    })
}

/// The marker says that a database was here, and none is.
#[must_use]
pub fn is_gone(path: &Path) -> bool {
    is_blank(path) && beside(path, "id").exists()
}

/// There is no file, or nothing in it: a first start makes the database of it.
#[must_use]
pub fn is_blank(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |meta| meta.len() == 0)
}
