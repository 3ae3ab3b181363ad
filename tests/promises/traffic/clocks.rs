//! The machine's clock jumps while messages wait: nothing is lost, nothing is told twice.

use std::time::Duration;

use super::OWNER;
use crate::support::fake::Answer;
use crate::support::world::{SALON, World, at, haircut};

const HOUR: Duration = Duration::from_hours(1);

async fn later(world: &World, span: &str) {
    world.advance(span);
    world.poll().await;
    world.turn().await;
}

/// A booking whose delay runs, one that waits for its next try, and one that waits for a pause.
async fn waiting() -> World {
    waiting_with("").await
}

async fn waiting_with(monitor: &str) -> World {
    let world = World::watching_with(monitor, OWNER).await;
    world.green.answer_next(Answer::http(
        400,
        r#"{"message":"instance in starting process try later"}"#,
    ));
    world.salon.book(haircut("2026-08-23T10:00:00"));
    world.tell().await;
    world
        .salon
        .book(haircut("2026-08-23T12:00:00").client("Вера", "+79000000002"));
    world.poll().await;
    assert_eq!(world.told().len(), 0);
    world
}

#[tokio::test]
async fn a_clock_put_back_by_an_hour_keeps_nobody_waiting_for_an_hour() {
    let world = waiting().await;
    world.clock.put_back(HOUR);
    world.poll().await;
    world.turn().await;
    later(&world, "31s").await;
    assert_eq!(world.told().len(), 2);
    // And once more past the hour that comes twice.
    for _ in 0..8 {
        later(&world, "10m").await;
    }
    assert_eq!(world.told().len(), 2);
    assert_eq!(world.decisions(), ["created|sent|", "created|sent|"]);
}

#[tokio::test]
async fn a_stated_pause_lasts_as_long_as_it_was_stated_when_the_clock_is_put_back() {
    let world = World::watching_with("", OWNER).await;
    world
        .green
        .answer_next(Answer::http(429, "Too Many Requests").with_header("Retry-After", "60"));
    world.salon.book(haircut("2026-08-23T10:00:00"));
    world.tell().await;
    world.clock.put_back(HOUR);
    world.turn().await;
    later(&world, "58s").await;
    assert_eq!(world.green.count("sendMessage"), 1);
    later(&world, "3s").await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn after_a_clock_put_back_the_journal_is_looked_at_before_anything_is_said() {
    let world = waiting().await;
    world.clock.put_back(HOUR);
    world.turn().await;
    let asked = world.salon.requests().len();
    world.advance("31s");
    world.turn().await;
    assert!(world.salon.requests().len() > asked);
}

#[tokio::test]
async fn a_clock_that_jumps_a_day_ahead_and_back_tells_everything_once_and_in_order() {
    let world = waiting_with("stale_after = \"48h\"").await;
    let record = world
        .salon
        .book(haircut("2026-08-23T15:00:00").client("Ира", "+79000000003"));
    world.poll().await;
    later(&world, "1d").await;
    later(&world, "31s").await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-23T16:00:00"));
    world.clock.put_back(HOUR * 24);
    world.tell().await;
    later(&world, "31s").await;
    later(&world, "10m").await;
    let mut chats: Vec<String> = world.green.sent().into_iter().map(|s| s.chat).collect();
    let last = world.told().pop().unwrap();
    chats.sort();
    assert_eq!(
        chats,
        [
            "79000000001@c.us",
            "79000000002@c.us",
            "79000000003@c.us",
            "79000000003@c.us"
        ]
    );
    assert!(last.contains("16:00"), "{last}");
    for _ in 0..30 {
        later(&world, "1h").await;
    }
    assert_eq!(world.told().len(), 4);
}
