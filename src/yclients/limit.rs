//! The shared pace of one API address: never more than the caps, never during a told pause.
//!
//! The API counts per IP address, so every request of every company stands in one line here. The
//! most urgent goes first, among equals the one that came first, one at a time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::line::Line;
use crate::pace::Gate;
use crate::ports::Standing;

/// Requests are spaced by this much more than the caps ask: the server sees them after a journey
/// of uneven length, and two that left at the cap's distance may arrive closer together.
const JOURNEY: Duration = Duration::from_millis(50);

/// While others wait, one request of four may be a comparison's.
const SWEEPS_ARE_ONE_OF: u32 = 4;

/// One queue for everything that goes to one address.
#[derive(Debug)]
pub struct Limiter {
    line: Line,
    /// Held by whoever waits for a permit at the head of the line.
    gate: tokio::sync::Mutex<()>,
    second: Gate,
    minute: Gate,
    /// The quarter that comparisons get while others wait.
    sweeps: Gate,
    paused_until: Mutex<Option<Instant>>,
}

/// The caps as gates keep them: one request every `spacing`; `burst` at once and one more every
/// `refill`.
struct Caps {
    spacing: Duration,
    refill: Duration,
    burst: u32,
}

impl Caps {
    fn of(per_second: u32, per_minute: u32) -> Self {
        let (per_second, per_minute) = (per_second.max(1), per_minute.max(1));
        let spacing = (Duration::from_secs(1) + JOURNEY) / per_second;
        // What is allowed at once is lost for good: both together must stay within the minute.
        let burst = per_second.min(per_minute / 18).max(1);
        // A minute's permit may wait one spacing for its second's one: the window is that much longer.
        let window = Duration::from_secs(60) + spacing + JOURNEY;
        let refill = window / per_minute.saturating_sub(burst).max(1);
        Self {
            spacing,
            refill,
            burst,
        }
    }
}

/// How many requests a minute these caps let through for good.
#[must_use]
pub fn sustained_per_minute(per_second: u32, per_minute: u32) -> f64 {
    let caps = Caps::of(per_second, per_minute);
    60.0 / caps.spacing.max(caps.refill).as_secs_f64()
}

impl Limiter {
    /// Hard caps in any second and in any minute; 0 counts as 1.
    #[must_use]
    pub fn new(per_second: u32, per_minute: u32) -> Self {
        let caps = Caps::of(per_second, per_minute);
        Self {
            line: Line::default(),
            gate: tokio::sync::Mutex::new(()),
            second: Gate::new(caps.spacing, 1),
            minute: Gate::new(caps.refill, caps.burst),
            sweeps: Gate::new(caps.spacing.max(caps.refill) * SWEEPS_ARE_ONE_OF, 1),
            paused_until: Mutex::new(None),
        }
    }

    /// Waits for this request's turn. A pause that lasts longer than `patience` is not waited out
    /// but answered with what is left of it, so that nobody hangs on a penalty of an hour.
    pub async fn turn(&self, standing: &Standing, patience: Duration) -> Result<(), Duration> {
        let place = self.line.join(standing);
        loop {
            place.comes_first(&self.sweeps).await;
            let _alone = self.gate.lock().await;
            // Somebody more urgent may have come while the one before took its permit.
            if !place.is_first() {
                continue;
            }
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
    use crate::ports::Urgency;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn poll() -> Standing {
        Standing::new(Urgency::Poll(None), Arc::default())
    }

    async fn starts(limiter: Limiter, count: usize) -> Vec<Duration> {
        let began = Instant::now();
        let limiter = Arc::new(limiter);
        let mut turns = tokio::task::JoinSet::new();
        for _ in 0..count {
            let limiter = Arc::clone(&limiter);
            turns.spawn(async move {
                limiter.turn(&poll(), PATIENCE).await.unwrap();
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

    /// Everybody joins the line while one request is in the gate; the order in which they pass.
    async fn order(limiter: Limiter, standings: Vec<Standing>) -> Vec<usize> {
        limiter.turn(&poll(), PATIENCE).await.unwrap();
        let limiter = Arc::new(limiter);
        let passed = Arc::new(Mutex::new(Vec::new()));
        let mut turns = tokio::task::JoinSet::new();
        for (n, standing) in standings.into_iter().enumerate() {
            let (limiter, passed) = (Arc::clone(&limiter), Arc::clone(&passed));
            turns.spawn(async move {
                limiter.turn(&standing, PATIENCE).await.unwrap();
                passed.lock().unwrap().push(n);
            });
            tokio::task::yield_now().await;
        }
        turns.join_all().await;
        let passed = passed.lock().unwrap();
        passed.clone()
    }

    #[tokio::test(start_paused = true)]
    async fn looks_go_before_first_sweeps_and_those_before_the_poll_that_waited_longest() {
        let at = |text: &str| Some(text.parse().unwrap());
        let lately = Urgency::Poll(at("2026-08-05T09:00:30Z"));
        let long_ago = Urgency::Poll(at("2026-08-05T09:00:00Z"));
        let line = [lately, lately, long_ago, Urgency::FirstSweep, Urgency::Look];
        let line = line.map(|u| Standing::new(u, Arc::default()));
        // The first is in the gate already when the others come.
        let order = order(Limiter::new(1, 60), line.into()).await;
        assert_eq!(order, [0, 4, 3, 2, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_that_a_message_comes_to_wait_for_moves_up() {
        let awaited = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let mut line = vec![
            poll(),
            poll(),
            Standing::new(Urgency::Sweep, Arc::clone(&awaited)),
        ];
        line.push(Standing::first());
        awaited.store(1, std::sync::atomic::Ordering::Relaxed);
        let order = order(Limiter::new(1, 60), line).await;
        assert_eq!(order, [0, 2, 3, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn comparisons_get_a_quarter_while_polls_wait_and_everything_when_none_do() {
        let polls = vec![poll(); 60];
        let sweeps = vec![Standing::new(Urgency::Sweep, Arc::default()); 60];
        let order = order(Limiter::new(3, 180), [polls, sweeps].concat()).await;
        let last_poll = order.iter().rposition(|n| *n < 60).unwrap();
        let among = order[..last_poll].iter().filter(|n| **n >= 60).count();
        assert!((17..=21).contains(&among), "{among} of {last_poll}");
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
        let left = limiter.turn(&poll(), PATIENCE).await.unwrap_err();
        assert_eq!(left, Duration::from_secs(3600));
    }
}
