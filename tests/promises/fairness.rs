//! Many companies under one budget: who waits how long. Time is tokio's own, held by the test.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use booking_monitor::ports::{Standing, Urgency};
use booking_monitor::yclients::limit::Limiter;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(20);
/// The defaults of `[yclients]`.
const PER_SECOND: u32 = 3;
const PER_MINUTE: u32 = 180;
const SWEEP_INTERVAL: Duration = Duration::from_mins(15);
/// Requests of one comparison.
const SWEEP_REQUESTS: u32 = 2;
const WATCHED: Duration = Duration::from_hours(1);

/// When each company was polled, from the first poll on.
type Polls = BTreeMap<u32, Vec<Duration>>;

/// `count` companies polled every `interval` for an hour; the answers to company 0 take `slow`.
async fn an_hour(count: u32, interval: Duration, slow: Duration) -> Polls {
    let limiter = Arc::new(Limiter::new(PER_SECOND, PER_MINUTE));
    let polls = Arc::new(Mutex::new(Polls::new()));
    let began = Instant::now();
    let mut companies = tokio::task::JoinSet::new();
    for id in 0..count {
        let (limiter, polls) = (Arc::clone(&limiter), Arc::clone(&polls));
        companies.spawn(async move {
            let mut next = began + interval / count * id;
            // Their comparisons do not come all at once either.
            let mut sweep_at = next + SWEEP_INTERVAL / count * id;
            let mut last_poll_at: Option<DateTime<Utc>> = None;
            while began.elapsed() < WATCHED {
                tokio::time::sleep_until(next).await;
                let started = Instant::now();
                let ask = async |urgency| {
                    let standing = Standing::new(urgency, Arc::default());
                    limiter.turn(&standing, PATIENCE).await.unwrap();
                    if id == 0 {
                        tokio::time::sleep(slow).await;
                    }
                };
                ask(Urgency::Poll(last_poll_at)).await;
                let polled = began.elapsed();
                last_poll_at = Some(DateTime::UNIX_EPOCH + TimeDelta::from_std(polled).unwrap());
                polls.lock().unwrap().entry(id).or_default().push(polled);
                if Instant::now() >= sweep_at {
                    for _ in 0..SWEEP_REQUESTS {
                        ask(Urgency::Sweep).await;
                    }
                    sweep_at = Instant::now() + SWEEP_INTERVAL;
                }
                next = (started + interval).max(Instant::now());
            }
        });
    }
    companies.join_all().await;
    Arc::into_inner(polls).unwrap().into_inner().unwrap()
}

fn seconds(span: Duration) -> f64 {
    span.as_secs_f64()
}

/// The mean gap between two polls of each company, and the longest of all gaps.
fn gaps(polls: &Polls) -> (Vec<f64>, f64) {
    let gaps = |times: &Vec<Duration>| -> Vec<f64> {
        times.windows(2).map(|w| seconds(w[1] - w[0])).collect()
    };
    let all: Vec<Vec<f64>> = polls.values().map(gaps).collect();
    let mean = |gaps: &Vec<f64>| gaps.iter().sum::<f64>() / gaps.len() as f64;
    let longest = all.iter().flatten().copied().fold(0.0, f64::max);
    (all.iter().map(mean).collect(), longest)
}

#[tokio::test(start_paused = true)]
async fn a_hundred_and_fifty_companies_are_polled_every_minute_within_the_default_budget() {
    let polls = an_hour(150, Duration::from_mins(1), Duration::ZERO).await;
    let (means, longest) = gaps(&polls);
    assert!(means.iter().all(|mean| *mean < 61.0), "{means:?}");
    assert!(longest < 65.0, "{longest}");
}

#[tokio::test(start_paused = true)]
async fn two_hundred_companies_are_polled_about_every_eighty_seconds_each_as_often_as_the_others() {
    let polls = an_hour(200, Duration::from_mins(1), Duration::ZERO).await;
    let (means, longest) = gaps(&polls);
    assert!(
        means.iter().all(|mean| (75.0..85.0).contains(mean)),
        "{means:?}"
    );
    assert!(longest < 100.0, "{longest}");
}

#[tokio::test(start_paused = true)]
async fn a_company_that_answers_slowly_delays_no_other() {
    let polls = an_hour(150, Duration::from_mins(1), Duration::from_secs(19)).await;
    let (means, longest) = gaps(&polls.into_iter().filter(|(id, _)| *id != 0).collect());
    assert!(means.iter().all(|mean| *mean < 61.0), "{means:?}");
    assert!(longest < 65.0, "{longest}");
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_moves_up_while_the_head_of_the_line_sits_out_a_pause_hangs_nobody() {
    let limiter = Arc::new(Limiter::new(PER_SECOND, PER_MINUTE));
    limiter.pause(Duration::from_secs(10));
    let awaited = Arc::new(AtomicU32::new(0));
    let mut turns = tokio::task::JoinSet::new();
    for awaited in [Arc::default(), Arc::clone(&awaited)] {
        let (limiter, standing) = (
            Arc::clone(&limiter),
            Standing::new(Urgency::Poll(None), awaited),
        );
        turns.spawn(async move { limiter.turn(&standing, PATIENCE).await });
        tokio::task::yield_now().await;
    }
    // A message comes to wait for the second.
    awaited.store(1, Ordering::Relaxed);
    let all = tokio::time::timeout(Duration::from_mins(1), turns.join_all()).await;
    assert!(all.is_ok(), "both wait for ever");
}
