//! The shared pace of one API address: never more than the caps, never during a told pause.
//!
//! The API counts per IP address, so every request of every company stands in one queue here. The
//! queue is fair (tokio's mutex is first in, first out), and one request at a time takes its turn.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::pace::Gate;

/// Requests are spaced by this much more than the caps ask: the server sees them after a journey
/// of uneven length, and two that left at the cap's distance may arrive closer together.
const JOURNEY: Duration = Duration::from_millis(50);

/// One queue for everything that goes to one address.
#[derive(Debug)]
pub struct Limiter {
    gate: tokio::sync::Mutex<()>,
    second: Gate,
    minute: Gate,
    paused_until: Mutex<Option<Instant>>,
}

impl Limiter {
    /// Hard caps in any second and in any minute; 0 counts as 1.
    #[must_use]
    pub fn new(per_second: u32, per_minute: u32) -> Self {
        let (per_second, per_minute) = (per_second.max(1), per_minute.max(1));
        let spacing = (Duration::from_secs(1) + JOURNEY) / per_second;
        let burst = (per_minute / 18).max(1);
        // A minute's permit may wait one spacing for its second's one: the window is that much longer.
        let window = Duration::from_secs(60) + spacing + JOURNEY;
        let refill = window / per_minute.saturating_sub(burst).max(1);
        Self {
            gate: tokio::sync::Mutex::new(()),
            second: Gate::new(spacing, 1),
            minute: Gate::new(refill, burst),
            paused_until: Mutex::new(None),
        }
    }

    /// Waits for this request's turn. A pause that lasts longer than `patience` is not waited out
    /// but answered with what is left of it, so that nobody hangs on a penalty of an hour.
    pub async fn turn(&self, patience: Duration) -> Result<(), Duration> {
        let _first_in_line = self.gate.lock().await;
        loop {
            if let Some(left) = self.paused() {
                if left > patience {
                    return Err(left);
                }
                tokio::time::sleep(left).await;
                continue;
            }
            self.minute.pass().await;
            self.second.pass().await;
            // A 429 may have come in meanwhile; permits older than its pause are worth nothing.
            if self.paused().is_none() {
                return Ok(());
            }
        }
    }

    /// Nothing leaves for this long. A shorter pause never cuts a longer one.
    pub fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut held = self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *held = Some(held.map_or(until, |known| known.max(until)));
    }

    /// What is left of the pause.
    fn paused(&self) -> Option<Duration> {
        let held = *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        held.map(|until| until.saturating_duration_since(Instant::now()))
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    async fn starts(limiter: Limiter, count: usize) -> Vec<Duration> {
        let began = Instant::now();
        let limiter = Arc::new(limiter);
        let mut turns = tokio::task::JoinSet::new();
        for _ in 0..count {
            let limiter = Arc::clone(&limiter);
            turns.spawn(async move {
                limiter.turn(PATIENCE).await.unwrap();
                began.elapsed()
            });
        }
        let mut starts = turns.join_all().await;
        starts.sort_unstable();
        starts
    }

    fn most_within(starts: &[Duration], window: Duration) -> usize {
        let within = |from: Duration| {
            starts
                .iter()
                .filter(move |t| **t >= from && **t <= from + window)
        };
        starts.iter().map(|t| within(*t).count()).max().unwrap_or(0)
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_of_a_second_or_a_minute_holds_more_than_its_cap() {
        for (per_second, per_minute) in [(3, 180), (5, 200), (1, 600), (10, 20), (2, 1), (1, 2)] {
            let count = (per_minute as usize * 2 + 10).min(500);
            let starts = starts(Limiter::new(per_second, per_minute), count).await;
            let caps = format!("{per_second}/s {per_minute}/min");
            assert!(
                most_within(&starts, Duration::from_secs(1)) <= per_second as usize,
                "{caps}"
            );
            assert!(
                most_within(&starts, Duration::from_secs(60)) <= per_minute as usize,
                "{caps}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_caps_are_nearly_used_up() {
        let starts = starts(Limiter::new(3, 180), 400).await;
        assert!(most_within(&starts, Duration::from_secs(60)) >= 168);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everyone_and_a_shorter_one_does_not_cut_it() {
        let limiter = Limiter::new(100, 1000);
        limiter.pause(Duration::from_secs(7));
        limiter.pause(Duration::from_secs(2));
        let starts = starts(limiter, 5).await;
        assert!(starts[0] >= Duration::from_secs(7), "{starts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_patience_is_answered_at_once() {
        let limiter = Limiter::new(3, 180);
        limiter.pause(Duration::from_secs(3600));
        let left = limiter.turn(PATIENCE).await.unwrap_err();
        assert_eq!(left, Duration::from_secs(3600));
    }
}
