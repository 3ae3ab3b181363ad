//! The database's file in `status`: room on the disk, trouble that the owners were told of, and the
//! daily backup.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::stamp;
use crate::app::text::Say;
use crate::config::Database;
use crate::store::chores::{self, Chore};
use crate::store::{self, Free, Room, Sign};

/// A daily backup older than this is missed.
const MISSED: TimeDelta = TimeDelta::hours(48);

/// What there is to say of the file.
pub(super) struct Disk {
    /// Since when it cannot be written to or is refused, as far as the owners were told.
    pub(super) trouble_since: Option<DateTime<Utc>>,
    free: Option<Free>,
    bytes: u64,
    /// `None` where no backup is asked for.
    backup: Option<Chore>,
}

impl Disk {
    pub(super) fn look(conn: &rusqlite::Connection, settings: &Database) -> store::Result<Self> {
        let backup = match settings.backup_dir {
            Some(_) => Some(chores::get(conn, "backup")?),
            None => None,
        };
        Ok(Self {
            trouble_since: Sign::beside(&settings.path).since(),
            free: Room::beside(&settings.path).free().ok(),
            bytes: std::fs::metadata(&settings.path).map_or(0, |meta| meta.len()),
            backup,
        })
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "bytes": self.bytes,
            "free_bytes": self.free.map(|free| free.bytes),
            "little_room": self.free.is_some_and(Free::is_little),
            "trouble_since": stamp(self.trouble_since),
            "backup": self.backup.as_ref().map(|backup| json!({
                "last_at": stamp(backup.done_at),
                "last_error": backup.last_error,
            })),
        })
    }

    pub(super) fn lines(&self, words: Say, now: DateTime<Utc>) -> Vec<String> {
        let mut lines = Vec::new();
        if self.trouble_since.is_some() {
            lines.push(format!(
                "{} {}",
                words.of(
                    "⚠️ База недоступна для записи или отвергнута, сообщения ждут. Началось:",
                    "⚠️ The database cannot be written to or is refused, messages wait. Since:"
                ),
                words.ago(self.trouble_since, now)
            ));
        }
        if let Some(free) = self.free.filter(|free| free.is_little()) {
            lines.push(format!("⚠️ {}", words.room(free)));
        }
        if let Some(backup) = &self.backup {
            let missed = backup.done_at.is_none_or(|at| now - at > MISSED);
            let sign = if missed && backup.last_error.is_some() {
                "⚠️ "
            } else {
                ""
            };
            let why = backup.last_error.as_ref();
            lines.push(format!(
                "{sign}{} {}{}",
                words.of("Копия базы:", "Backup:"),
                words.ago(backup.done_at, now),
                why.map_or_else(String::new, |why| format!(" ({})", words.spoken(why)))
            ));
        }
        lines
    }
}
