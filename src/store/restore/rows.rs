//! The rows of a table of a database that may be damaged: all that can be read.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row};

/// Rows of a table that may be damaged.
pub(super) struct Rows<T> {
    pub(super) all: BTreeSet<T>,
    /// There were no others.
    pub(super) whole: bool,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            all: BTreeSet::new(),
            whole: false,
        }
    }
}

impl<T> Rows<T> {
    /// Surely none.
    pub(super) fn none() -> Self {
        Self {
            whole: true,
            ..Self::default()
        }
    }
}

impl<T: Ord> Rows<T> {
    /// `key` orders the rows; `of` reads one.
    pub(super) fn read(
        conn: &Connection,
        (table, columns, key): (&str, &str, &str),
        of: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Self {
        let check = format!("PRAGMA integrity_check({table})");
        let verdict = conn.query_row(&check, [], |r| r.get::<_, String>(0));
        let mut rows = Self::default();
        let mut whole = rows.add(
            conn,
            &format!("SELECT {columns} FROM {table} ORDER BY {key}"),
            of,
        );
        if !whole {
            // What lies behind the damage.
            let key = key.replace(',', " DESC,");
            let sql = format!("SELECT {columns} FROM {table} ORDER BY {key} DESC");
            rows.add(conn, &sql, of);
        }
        // A page may be lost without a trace for whoever reads its neighbours.
        whole &= verdict.is_ok_and(|verdict| verdict == "ok");
        Self { whole, ..rows }
    }

    /// Whether the end was reached, and every row was readable.
    fn add(
        &mut self,
        conn: &Connection,
        sql: &str,
        of: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> bool {
        let Ok(mut query) = conn.prepare(sql) else {
            return false;
        };
        let Ok(mut rows) = query.query([]) else {
            return false;
        };
        let mut whole = true;
        loop {
            match rows.next() {
                Ok(Some(row)) => match of(row) {
                    Ok(row) => drop(self.all.insert(row)),
                    Err(_) => whole = false,
                },
                Ok(None) => return whole,
                Err(_) => return false,
            }
        }
    }
}
