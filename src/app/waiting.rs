//! A daemon's patience: a full disk, a disk that takes no writes for a while and a database that
//! somebody else keeps busy are waited for, in the process. Systemd would start it again every five
//! seconds, and each start would read the whole database.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::emergency::{self, Told};
use super::{Failure, refused, take_lock};
use crate::config::Config;
use crate::daemon;
use crate::store::{Ailment, Lock, Room, Sign, Store, StoreError};

/// Pauses between two tries; the last one repeats.
const PAUSES: [u64; 4] = [1, 2, 5, 10];
/// Work that lasted this long was no mere attempt.
const LASTED: Duration = Duration::from_mins(2);
/// Owners whom nobody could reach are tried again after this.
const TELL_AGAIN: Duration = Duration::from_mins(1);

/// How the waiting goes.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Tries in a row that came to nothing.
    tries: usize,
    opened: Option<Instant>,
    /// The owners were told of this, and nothing on the disk says so.
    unsigned: Option<Ailment>,
    told: bool,
    tried_to_tell: Option<Instant>,
}

impl Patience {
    /// The lock. `None`: told to stop meanwhile.
    pub(super) async fn lock(
        &mut self,
        config: &Config,
        stop: &CancellationToken,
    ) -> Result<Option<Lock>, Failure> {
        loop {
            match take_lock(&config.database.path) {
                Ok(lock) => return Ok(Some(lock)),
                Err(failure) => self.pass(config, failure).await?,
            }
            if !self.rest(stop).await {
                return Ok(None);
            }
        }
    }

    /// The database, on new connections. `None`: told to stop meanwhile.
    pub(super) async fn open(
        &mut self,
        config: &Config,
        stop: &CancellationToken,
    ) -> Result<Option<Store>, Failure> {
        loop {
            if self.tries > 0 && !self.rest(stop).await {
                return Ok(None);
            }
            match self.try_open(config).await {
                Ok(store) => {
                    self.opened = Some(Instant::now());
                    self.remember(config);
                    return Ok(Some(store));
                }
                Err(error) => self.pass(config, refused(error)).await?,
            }
        }
    }

    async fn try_open(&self, config: &Config) -> Result<Store, StoreError> {
        let path = &config.database.path;
        if self.tries > 0 {
            // Cheaper than to read a whole database only to find that it cannot be written to.
            Room::beside(path)
                .try_out()
                .map_err(|source| StoreError::File {
                    path: path.clone(),
                    source,
                })?;
        }
        Store::open(path).await
    }

    /// What went wrong is told to the owners. It is the caller's error, unless it may pass.
    pub(super) async fn pass(&mut self, config: &Config, failure: Failure) -> Result<(), Failure> {
        let opened = self.opened.take();
        if opened.is_some_and(|at| at.elapsed() > LASTED) {
            self.tries = 0;
        }
        let again = self
            .tried_to_tell
            .is_none_or(|at| at.elapsed() >= TELL_AGAIN);
        if !self.told && again {
            self.tried_to_tell = Some(Instant::now());
            let told = emergency::tell(config, &failure, true).await;
            self.told = told != Told::No;
            self.unsigned = failure.ailment.filter(|_| told == Told::Unsigned);
        }
        if !failure.may_pass() {
            return Err(failure);
        }
        if self.tries == 0 {
            failure.print();
        }
        self.tries += 1;
        Ok(())
    }

    /// Rests before the next try. `false`: told to stop.
    async fn rest(&self, stop: &CancellationToken) -> bool {
        let step = self.tries.saturating_sub(1).min(PAUSES.len() - 1);
        tracing::warn!(seconds = PAUSES[step], "waiting for the database");
        daemon::rest(
            "waiting: the database cannot be written to",
            Duration::from_secs(PAUSES[step]),
            stop,
        )
        .await;
        !stop.is_cancelled()
    }

    /// The database opens again. What nothing could be written of before is written now, so that the
    /// owners hear that it is over.
    fn remember(&mut self, config: &Config) {
        let sign = Sign::beside(&config.database.path);
        if let Some(ailment) = self.unsigned.take()
            && let Err(error) = sign.raise(ailment, chrono::Utc::now())
        {
            tracing::warn!(%error, "the owners will not hear that it is over");
        }
        self.told = false;
        self.tried_to_tell = None;
    }
}
