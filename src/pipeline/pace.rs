//! How fast messages leave one channel: so many a second in all, and one a second to a chat.
//!
//! A person's account keeps uneven distances: messengers ban numbers that write like a metronome.
//! The distance is never shorter than the limit allows, whatever chance says.

#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::pace::KeyedGate;

/// A chat takes this many messages at once, then one a second (Telegram, facts 5.4).
const CHAT_BURST: u32 = 3;

/// Timers count in milliseconds: shorter distances than this are kept on average, not one by one.
const FINE: Duration = Duration::from_millis(10);
/// What a timer cannot wait for.
const TICK: Duration = Duration::from_millis(1);

/// A distance on a person's account is longer than it must be by up to this share.
const UNEVEN: f64 = 0.5;

/// The pace of one channel.
#[derive(Debug)]
pub(super) struct Pace {
    all: Option<Rhythm>,
    chats: Option<KeyedGate>,
    #[cfg(debug_assertions)]
    is_hurried: AtomicBool,
}

/// The distances between messages of one channel.
#[derive(Debug)]
struct Rhythm {
    shortest: Duration,
    uneven: bool,
    /// When the next message may be decided on.
    next: Mutex<Option<Instant>>,
    /// When the last one left.
    left: Mutex<Option<Instant>>,
}

impl Pace {
    /// `messages_per_second` for the whole channel, `None` for no limit; `uneven` for a person's
    /// account; `per_chat` for the limit of one chat.
    pub(super) fn new(messages_per_second: Option<f64>, uneven: bool, per_chat: bool) -> Self {
        let all = messages_per_second
            .filter(|rate| rate.is_finite() && *rate > 0.0)
            .map(|rate| Rhythm {
                shortest: Duration::from_secs_f64(1.0 / rate),
                uneven,
                next: Mutex::default(),
                left: Mutex::default(),
            });
        let chats = per_chat.then(|| KeyedGate::new(Duration::from_secs(1), CHAT_BURST));
        Self {
            all,
            chats,
            #[cfg(debug_assertions)]
            is_hurried: AtomicBool::new(false),
        }
    }

    /// From now on a chat takes messages as fast as they come: for tests, whose clock is not the one
    /// on the wall. Nothing of it is in a release.
    #[cfg(debug_assertions)]
    pub(super) fn hurry(&self) {
        self.is_hurried.store(true, Ordering::Relaxed);
    }

    /// The limit of each chat, where there is one.
    fn chats(&self) -> Option<&KeyedGate> {
        #[cfg(debug_assertions)]
        if self.is_hurried.load(Ordering::Relaxed) {
            return None;
        }
        self.chats.as_ref()
    }

    /// Waits until a message to this recipient may be decided on.
    pub(super) async fn wait(&self, recipient: &str) {
        if let Some(chats) = self.chats() {
            chats.pass(recipient).await;
        }
        let Some(all) = &self.all else { return };
        // Whoever waits holds the place: the others come after it, in order.
        let mut next = all.next.lock().await;
        if all.shortest < FINE {
            *next = Some(all.next_fine(*next).await);
            return;
        }
        if let Some(at) = *next {
            sleep_until(at).await;
        }
        let more = match all.uneven {
            true => all.shortest.mul_f64(UNEVEN * rand::random::<f64>()),
            false => Duration::ZERO,
        };
        *next = Some(Instant::now() + all.shortest + more);
    }

    /// Waits until a message that was decided on may leave: one whose decision took long must not
    /// leave together with the one behind it.
    pub(super) async fn leave(&self) {
        let Some(all) = self.all.as_ref().filter(|all| all.shortest >= FINE) else {
            return;
        };
        let mut left = all.left.lock().await;
        if let Some(at) = *left {
            sleep_until(at + all.shortest).await;
        }
        *left = Some(Instant::now());
    }
}

impl Rhythm {
    /// Waits until `at`, which a timer may overshoot: by what it does, the next distance is shorter.
    async fn next_fine(&self, at: Option<Instant>) -> Instant {
        let now = Instant::now();
        let at = at.filter(|at| *at + 2 * TICK > now).unwrap_or(now);
        if at >= now + TICK {
            sleep_until(at).await;
        }
        at + self.shortest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn distances(pace: &Pace, count: usize) -> Vec<Duration> {
        let mut left = Vec::new();
        for _ in 0..count {
            pace.wait("one").await;
            pace.leave().await;
            left.push(Instant::now());
        }
        left.windows(2).map(|w| w[1] - w[0]).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_persons_account_keeps_uneven_distances_and_none_is_too_short() {
        let distances = distances(&Pace::new(Some(1.0), true, false), 100).await;
        let second = Duration::from_secs(1);
        assert!(
            distances
                .iter()
                .all(|d| *d >= second && *d <= second.mul_f64(1.51))
        );
        let mut all = distances.clone();
        all.sort_unstable();
        all.dedup();
        assert!(all.len() > 50, "a metronome: {distances:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_bot_and_an_official_number_use_their_whole_pace() {
        let distances = distances(&Pace::new(Some(25.0), false, false), 50).await;
        // tokio's clock has whole milliseconds.
        assert!(distances.iter().all(|d| *d >= Duration::from_millis(40)));
        assert!(distances.iter().all(|d| *d <= Duration::from_millis(42)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_that_no_timer_can_keep_is_kept_on_average() {
        let pace = Pace::new(Some(2500.0), false, false);
        let began = Instant::now();
        distances(&pace, 2501).await;
        let took = began.elapsed();
        let off = took.abs_diff(Duration::from_secs(1));
        assert!(off <= 2 * TICK, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_decided_on_late_does_not_leave_together_with_the_next() {
        let pace = Pace::new(Some(1.0), false, false);
        pace.wait("one").await;
        tokio::time::sleep(Duration::from_millis(900)).await;
        pace.leave().await;
        let first = Instant::now();
        pace.wait("two").await;
        pace.leave().await;
        assert!(first.elapsed() >= Duration::from_secs(1));
    }
}
