//! Upkeep: what is done once a day, whoever is running. Retention erases what is old, a backup is
//! put aside, and room for bad times is kept on the disk.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Pipeline;
use super::poll::delta;
use crate::config;
use crate::store::chores::{self, Chore};
use crate::store::{self, StoreError, prune};

/// Chores are done this often.
const DAILY: TimeDelta = TimeDelta::hours(24);
/// A backup that could not be made is tried again after this.
const AGAIN: TimeDelta = TimeDelta::minutes(15);

/// What the configuration says of it.
#[derive(Clone, Debug)]
pub(super) struct Upkeep {
    retention: Duration,
    backup_dir: Option<PathBuf>,
}

impl Upkeep {
    pub(super) fn of(database: &config::Database) -> Self {
        Self {
            retention: database.retention,
            backup_dir: database.backup_dir.clone(),
        }
    }
}

impl Pipeline {
    /// Does the daily chores that are due. One that fails for want of its own place, such as a
    /// backup, is noted; what the database itself refuses is an error.
    pub async fn chores_due(&self, now: DateTime<Utc>) -> store::Result<()> {
        let Some(upkeep) = self.upkeep.clone() else {
            return Ok(());
        };
        self.lay_ballast().await;
        if self.is_due("prune", now).await? {
            let before = now - delta(upkeep.retention);
            let mut erased = prune::Pruned::default();
            while !self.stopping.is_cancelled() {
                let some = self
                    .store
                    .write(move |tx| prune::older_than(tx, before))
                    .await?;
                erased = erased.and(some);
                if some.is_nothing() {
                    self.note_chore("prune", Ok(()), now).await?;
                    break;
                }
            }
            if !erased.is_nothing() {
                tracing::info!(
                    notifications = erased.notifications,
                    events = erased.events,
                    messages = erased.messages,
                    bookings = erased.bookings,
                    "erased what is older than database.retention"
                );
            }
        }
        if let (Some(folder), Some(room)) = (upkeep.backup_dir, self.store.room())
            && self.is_due("backup", now).await?
        {
            let database = room.database().to_owned();
            let made =
                tokio::task::spawn_blocking(move || store::daily(&database, &folder, now)).await;
            let made = made.unwrap_or(Err(StoreError::BrokenOff("the backup")));
            match &made {
                Ok(file) => tracing::info!(file = %file.display(), "backup made"),
                Err(error) => tracing::error!(%error, "no backup could be made"),
            }
            let outcome = made.map(drop).map_err(|error| error.to_string());
            self.note_chore("backup", outcome, now).await?;
        }
        Ok(())
    }

    /// Of what was over before then nothing is kept.
    pub(super) fn erased_before(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let retention = self.upkeep.as_ref().map(|upkeep| upkeep.retention);
        retention.map(|retention| now - delta(retention))
    }

    async fn is_due(&self, chore: &'static str, now: DateTime<Utc>) -> store::Result<bool> {
        let Chore { due_at, .. } = self.store.read(move |c| chores::get(c, chore)).await?;
        // A clock that was set back must not put a chore off for years.
        Ok(due_at.is_none_or(|at| at <= now || at > now + DAILY))
    }

    async fn note_chore(
        &self,
        chore: &'static str,
        outcome: Result<(), String>,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let due_at = now + if outcome.is_ok() { DAILY } else { AGAIN };
        self.store
            .write(move |tx| {
                let error = outcome.as_ref().err().map(String::as_str);
                chores::put(tx, chore, error, now, due_at)
            })
            .await
    }

    async fn lay_ballast(&self) {
        let Some(room) = self.store.room().cloned() else {
            return;
        };
        let laid = tokio::task::spawn_blocking(move || room.lay_ballast()).await;
        if let Ok(Err(error)) = laid {
            tracing::warn!(%error, "no ballast could be set aside");
        }
    }
}
