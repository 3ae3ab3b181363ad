//! Signs of life of what sends: work that has to end by itself, and has not.
//!
//! A loop that waits for a clock, a bell or its turn in the pace is well however long that takes. Only
//! what it has begun is held against a time within which it must be over.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Beside the requests themselves: the database may be busy for a while.
const GRACE: Duration = Duration::from_mins(1);
/// The most requests that one piece of work makes, one after another.
const REQUESTS: u32 = 4;

/// What is under way on one channel.
#[derive(Debug)]
pub(super) struct Life {
    /// Each request ends within this.
    timeout: Duration,
    begun: Mutex<Begun>,
}

#[derive(Debug, Default)]
struct Begun {
    last: u64,
    since: BTreeMap<u64, Instant>,
}

/// A piece of work; over when dropped.
pub(super) struct Work<'l> {
    life: &'l Life,
    number: u64,
}

impl Life {
    /// Of a channel whose requests end within this.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            begun: Mutex::default(),
        }
    }

    /// A piece of work begins.
    pub(super) fn work(&self) -> Work<'_> {
        let mut begun = self.begun();
        begun.last += 1;
        let number = begun.last;
        begun.since.insert(number, Instant::now());
        Work { life: self, number }
    }

    /// Whether everything that was begun may still be under way then.
    pub(super) fn is_well(&self, now: Instant) -> bool {
        let patience = GRACE + self.timeout * REQUESTS;
        let begun = self.begun();
        let mut since = begun.since.values();
        since.all(|at| now.saturating_duration_since(*at) <= patience)
    }

    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.life.begun().since.remove(&self.number);
    }
}
