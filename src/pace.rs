//! Rate limits on tokio's clock, so that a paused test clock holds them too.
//!
//! governor's own waiting sleeps on a thread outside tokio; here it only says how long, and tokio
//! sleeps.

use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// tokio's monotonic clock as governor reads it.
#[derive(Clone, Debug)]
pub struct TokioClock(Instant);

impl Default for TokioClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Limiter<K, S> = RateLimiter<K, S, TokioClock, NoOpMiddleware<Duration>>;

/// One limit for everything that passes.
#[derive(Debug)]
pub struct Gate {
    limiter: Limiter<NotKeyed, InMemoryState>,
    clock: TokioClock,
}

impl Gate {
    /// Lets `burst` pass at once and one more every `period`.
    #[must_use]
    pub fn new(period: Duration, burst: u32) -> Self {
        let clock = TokioClock::default();
        Self {
            limiter: RateLimiter::direct_with_clock(quota(period, burst), clock.clone()),
            clock,
        }
    }

    /// Waits for its turn.
    pub async fn pass(&self) {
        while let Err(wait) = self.limiter.check() {
            tokio::time::sleep(wait.wait_time_from(self.clock.now())).await;
        }
    }
}

/// One limit for each key.
#[derive(Debug)]
pub struct KeyedGate {
    limiter: Limiter<String, HashMapStateStore<String>>,
    clock: TokioClock,
}

impl KeyedGate {
    /// For each key: `burst` at once and one more every `period`.
    #[must_use]
    pub fn new(period: Duration, burst: u32) -> Self {
        let clock = TokioClock::default();
        Self {
            limiter: RateLimiter::hashmap_with_clock(quota(period, burst), clock.clone()),
            clock,
        }
    }

    /// Waits for the key's turn.
    pub async fn pass(&self, key: &str) {
        let key = key.to_owned();
        while let Err(wait) = self.limiter.check_key(&key) {
            tokio::time::sleep(wait.wait_time_from(self.clock.now())).await;
        }
        // Keys that are idle again need no memory.
        if self.limiter.len() > 10_000 {
            self.limiter.retain_recent();
        }
    }
}

fn quota(period: Duration, burst: u32) -> Quota {
    let period = period.max(Duration::from_nanos(1));
    let burst = std::num::NonZeroU32::new(burst).unwrap_or(std::num::NonZeroU32::MIN);
    Quota::with_period(period)
        .unwrap_or_else(|| Quota::per_second(burst))
        .allow_burst(burst)
}
