//! What the database that is being replaced knows and no backup can: who asked for silence, who was
//! forgotten and who came back. A damaged one is read table by table and row by row, from both ends,
//! as far as it goes.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction};

use super::rows::Rows;
use crate::store::forgotten::{self, Ledger};
use crate::store::identity::{Marker, identity};
use crate::store::{APPLICATION_ID, Result, erase};

/// What could not be taken along. Whoever asked for something there has to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// There was no database to be replaced.
    Database,
    /// The replaced one is not what became of the database that the backup was made of: another, or
    /// an older copy.
    Between,
    /// All wishes for silence.
    Silence,
    /// Some of the wishes for silence.
    SomeSilence,
    /// Everybody who was forgotten.
    Forgotten,
    /// Some of those who were forgotten.
    SomeForgotten,
}

/// The first schema with wishes for silence beside those of chats.
const OPT_OUTS_SINCE: i64 = 2;

/// The first schema that knows of people who were forgotten, and of lines.
const FORGETS_SINCE: i64 = 3;

/// Which state of which database the backup is.
pub(super) struct Backup<'a> {
    pub(super) uuid: &'a str,
    pub(super) generation: i64,
    pub(super) line: &'a str,
}

/// The line of restores by which nothing was lost.
pub(super) fn line_of(conn: &Connection) -> rusqlite::Result<String> {
    let line = conn
        .query_row("SELECT line FROM installation", [], |r| r.get(0))
        .optional();
    Ok(line?.unwrap_or_default())
}

/// What was taken along.
pub(super) struct Taken {
    /// Wishes for silence that only the replaced database knew of.
    pub(super) opt_outs: usize,
    /// People whom it has forgotten, found in the backup and erased there.
    pub(super) forgotten: usize,
    pub(super) lost: Vec<Lost>,
}

/// What can still be read of the replaced database.
#[derive(Default)]
pub(super) struct Replaced {
    is_there: bool,
    identity: Option<(String, i64)>,
    /// Within one line nothing was lost.
    line: Option<String>,
    /// Company, phone, since when.
    opt_outs: Rows<(i64, String, String)>,
    /// Channel, chat, phone, since when: silence asked for in a chat.
    chats: Rows<(String, String, String, String)>,
    key: Option<Vec<u8>>,
    forgotten: Rows<forgotten::Row>,
}

impl Replaced {
    pub(super) fn read(database: &Path) -> Self {
        // A file that cannot be looked at is one that cannot be read.
        let is_there = std::fs::metadata(database).map_or_else(
            |e| e.kind() != std::io::ErrorKind::NotFound,
            |m| m.len() > 0,
        );
        let unreadable = Self {
            is_there,
            ..Self::default()
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let Ok(conn) = Connection::open_with_flags(database, flags) else {
            return unreadable;
        };
        let number = |sql| conn.query_row(sql, [], |r| r.get::<_, i64>(0));
        match number("PRAGMA application_id") {
            Ok(APPLICATION_ID) => {}
            Ok(_) => return Self::default(),
            Err(_) => return unreadable,
        }
        // Without the number of its schema it counts as of the newest: what is not there is lost.
        let schema = number("PRAGMA user_version").unwrap_or(i64::MAX);
        let is_old = schema < FORGETS_SINCE;
        let opt_outs = match schema < OPT_OUTS_SINCE {
            true => Rows::none(),
            false => Rows::read(
                &conn,
                ("opt_outs", "company_id, phone, since", "company_id, phone"),
                |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
            ),
        };
        let (key, forgotten) = match is_old {
            true => (None, Rows::none()),
            false => read_forgotten(&conn),
        };
        let line = match is_old {
            true => Some(String::new()),
            false => line_of(&conn).ok(),
        };
        Self {
            is_there,
            identity: identity(&conn).ok().flatten(),
            line,
            opt_outs,
            chats: read_chats(&conn),
            key,
            forgotten,
        }
    }

    /// Whether it is what became of the database of which the backup was made: then it is right about
    /// what it does not have any more, too.
    fn continues(&self, backup: &Backup<'_>, marker: Option<&Marker>) -> bool {
        let Some((uuid, generation)) = &self.identity else {
            return false;
        };
        let is_the_last =
            marker.is_none_or(|marker| marker.uuid == *uuid && *generation >= marker.generation);
        is_the_last
            && uuid == backup.uuid
            && self.line.as_deref() == Some(backup.line)
            && *generation > backup.generation
    }

    /// Gives the backup what only the replaced database knows.
    pub(super) fn hand_over(
        self,
        tx: &Transaction<'_>,
        backup: &Backup<'_>,
        marker: Option<&Marker>,
        now: DateTime<Utc>,
    ) -> Result<Taken> {
        let mut lost = Vec::new();
        let continues = self.continues(backup, marker);
        if !self.is_there {
            lost.push(Lost::Database);
        } else {
            lost.extend(lost_of(&self.opt_outs, Lost::Silence, Lost::SomeSilence));
            lost.extend((!self.chats.whole && lost.is_empty()).then_some(Lost::SomeSilence));
            let forgotten = lost_of(&self.forgotten, Lost::Forgotten, Lost::SomeForgotten);
            lost.extend(forgotten);
            // One that says nothing at all is not said to be another one as well.
            let is_another = self.identity.is_some() && !continues;
            lost.extend(is_another.then_some(Lost::Between));
        }
        let opt_outs = self.add_opt_outs(tx)?;
        let silence_is_whole = self.opt_outs.whole && self.chats.whole;
        if continues && silence_is_whole {
            self.end_silence(tx)?;
        }
        let all_forgotten = self.forgotten.whole;
        let may_lift = continues && silence_is_whole && all_forgotten;
        let ledger = self.key.map(|key| Ledger::of(key, self.forgotten.all));
        let mut forgotten = 0;
        if let Some(ledger) = ledger {
            if may_lift {
                ledger.lift_the_others(tx)?;
            }
            if !ledger.carry(tx)? && all_forgotten {
                lost.push(Lost::SomeForgotten);
            }
            forgotten = erase::forget_too(tx, &ledger, now)?;
        }
        Ok(Taken {
            opt_outs,
            forgotten,
            lost,
        })
    }

    fn add_opt_outs(&self, tx: &Transaction<'_>) -> Result<usize> {
        let mut added = 0;
        for (company, phone, since) in &self.opt_outs.all {
            added += tx.execute(
                "INSERT OR IGNORE INTO opt_outs (company_id, phone, since) VALUES (?1, ?2, ?3)",
                (company, phone, since),
            )?;
        }
        for (channel, chat, phone, since) in &self.chats.all {
            tx.execute(
                "INSERT INTO contacts (phone, channel, chat_id, opted_out_at) VALUES (?3, ?1, ?2, ?4)
                 ON CONFLICT (channel, chat_id)
                 DO UPDATE SET opted_out_at = coalesce(opted_out_at, ?4)",
                (channel, chat, phone, since),
            )?;
        }
        Ok(added)
    }

    /// Whoever asked for messages again since gets them; only where every wish for silence was read.
    fn end_silence(&self, tx: &Transaction<'_>) -> Result<()> {
        let still: BTreeSet<_> = self.opt_outs.all.iter().map(|(c, p, _)| (*c, p)).collect();
        let mut query = tx.prepare("SELECT company_id, phone FROM opt_outs")?;
        let had = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
        for (company, phone) in had.collect::<rusqlite::Result<Vec<(i64, String)>>>()? {
            if !still.contains(&(company, &phone)) {
                let sql = "DELETE FROM opt_outs WHERE company_id = ?1 AND phone = ?2";
                tx.execute(sql, (company, phone))?;
            }
        }
        let still: BTreeSet<_> = self.chats.all.iter().map(|(c, id, ..)| (c, id)).collect();
        let mut query =
            tx.prepare("SELECT channel, chat_id FROM contacts WHERE opted_out_at IS NOT NULL")?;
        let had = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
        for (channel, chat) in had.collect::<rusqlite::Result<Vec<(String, String)>>>()? {
            if !still.contains(&(&channel, &chat)) {
                let sql =
                    "UPDATE contacts SET opted_out_at = NULL WHERE channel = ?1 AND chat_id = ?2";
                tx.execute(sql, (channel, chat))?;
            }
        }
        Ok(())
    }
}

/// What of these rows is lost, in their words.
fn lost_of<T>(rows: &Rows<T>, all: Lost, some: Lost) -> Option<Lost> {
    match (rows.whole, rows.all.is_empty()) {
        (true, _) => None,
        (false, true) => Some(all),
        (false, false) => Some(some),
    }
}

fn read_chats(conn: &Connection) -> Rows<(String, String, String, String)> {
    type Chat = (String, String, String, Option<String>);
    let chats: Rows<Chat> = Rows::read(
        conn,
        ("contacts", "channel, chat_id, phone, opted_out_at", "id"),
        |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)),
    );
    let silent = chats.all.into_iter();
    let silent = silent.filter_map(|(channel, chat, phone, at)| Some((channel, chat, phone, at?)));
    Rows {
        all: silent.collect(),
        whole: chats.whole,
    }
}

/// The key, and the hashes under it: without it they say nothing.
fn read_forgotten(conn: &Connection) -> (Option<Vec<u8>>, Rows<forgotten::Row>) {
    let key = conn
        .query_row("SELECT key FROM forgotten_key", [], |r| r.get(0))
        .optional();
    match key {
        Ok(None) => (None, Rows::none()),
        Err(_) => (None, Rows::default()),
        Ok(Some(key)) => {
            let table = ("forgotten", "hash, person, since", "hash");
            let rows = Rows::read(conn, table, |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)));
            (Some(key), rows)
        }
    }
}
