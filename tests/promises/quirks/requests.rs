//! The log of requests: never more than the caps, and no request that is not needed.

use std::sync::Arc;
use std::time::Duration;

use booking_monitor::demo::salon::{Route, Salon};
use booking_monitor::ports::{BookingApi, CompanyRef, Query, Standing, SystemClock};
use booking_monitor::yclients;
use tokio::task::JoinSet;

use crate::support::world::{World, haircut};
use booking_monitor::domain::zone::Zone;

const COMPANIES: i64 = 60;
const ROUNDS: usize = 7;

/// The most requests that any window of this length holds.
fn most_within(salon: &Salon, window: Duration) -> usize {
    let requests = salon.requests();
    let times: Vec<_> = requests.iter().map(|request| request.at).collect();
    let within = |first: &std::time::Instant| {
        let until = *first + window;
        times
            .iter()
            .filter(|at| *at >= first && **at < until)
            .count()
    };
    times.iter().map(within).max().unwrap_or(0)
}

/// The clock is tokio's and runs ahead whenever everybody waits, for requests as for their log.
#[tokio::test(start_paused = true)]
async fn many_companies_together_never_ask_more_than_the_caps() {
    for (per_second, per_minute) in [(3, 180), (5, 60)] {
        let salon = Salon::start(Arc::new(SystemClock)).await.unwrap();
        let settings = yclients::Settings {
            requests_per_second: per_second,
            requests_per_minute: per_minute,
            ..salon.settings()
        };
        let client = yclients::Client::new(settings).unwrap();
        let mut polls = JoinSet::new();
        for id in 1..=COMPANIES {
            salon.add_company(id, "Салон", "", Zone::moscow());
            let client = client.clone();
            polls.spawn(async move {
                let company = CompanyRef {
                    id,
                    zone: Zone::moscow(),
                    country: "RU".into(),
                    standing: Standing::first(),
                };
                let since = Query::ChangedSince(chrono::DateTime::UNIX_EPOCH);
                for _ in 0..ROUNDS {
                    client.page(&company, &since, 1).await.unwrap();
                }
            });
        }
        polls.join_all().await;
        assert_eq!(salon.requests().len(), COMPANIES as usize * ROUNDS);
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let most = (most_within(&salon, second), most_within(&salon, minute));
        assert!(most.0 <= per_second as usize, "{most:?}");
        assert!(most.1 <= per_minute as usize, "{most:?}");
    }
}

#[tokio::test]
async fn an_idle_poll_costs_exactly_one_request_whatever_the_salon_has() {
    let world = World::new().await;
    for n in 0..450 {
        let day = 22 + n % 9;
        world.salon.book(
            haircut(&format!("2026-08-{day}T12:00:00")).client("Анна", &format!("+7900000{n:04}")),
        );
        world.advance("1m");
    }
    world.poll().await;
    let before = world.salon.requests().len();
    for n in 1..=14 {
        world.advance("1m");
        world.poll().await;
        assert_eq!(world.salon.requests().len() - before, n);
    }
    let asked = world.salon.requests();
    for request in &asked[before..] {
        assert_eq!(request.route, Some(Route::Records));
        assert!(request.path.contains("changed_after="), "{}", request.path);
        assert!(request.path.contains("with_deleted=1"), "{}", request.path);
        assert!(request.path.contains("page=1&"), "{}", request.path);
    }
}
