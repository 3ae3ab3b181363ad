//! `recent_activity` where another program reads the instance's queue: the list of incoming messages
//! is asked, and nothing is taken from the queue.

use chrono::TimeDelta;

use super::OWNER;
use crate::support::world::{World, haircut};

/// A world that does not receive.
async fn deaf() -> World {
    let mut world = World::with("recent_activity = \"10m\"", OWNER).await;
    for channel in &mut world.config.channels {
        if let booking_monitor::channels::Kind::GreenApi(green) = &mut channel.kind {
            green.common.receive = false;
        }
    }
    world.restart().await;
    world.poll().await;
    world
}

fn ago(world: &World, minutes: i64) -> chrono::DateTime<chrono::Utc> {
    use booking_monitor::ports::Clock;
    world.clock.now() - TimeDelta::minutes(minutes)
}

#[tokio::test]
async fn who_has_just_been_writing_needs_no_message_also_where_we_do_not_receive() {
    let world = deaf().await;
    world
        .green
        .list_incoming("79000000001@c.us", "запишите меня", ago(&world, 3));
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world
        .salon
        .book(haircut("2026-08-23T16:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    assert_eq!(
        world.decisions(),
        ["created|suppressed|recent_activity", "created|sent|"]
    );
    // One list serves them all, and the queue is another's.
    assert_eq!(world.green.count("lastIncomingMessages"), 1);
    assert_eq!(world.green.count("receiveNotification"), 0);
    assert_eq!(world.rows("SELECT count(*) FROM messages"), ["0"]);
}

#[tokio::test]
async fn old_words_strangers_and_orders_to_the_program_are_no_conversation() {
    let world = deaf().await;
    world
        .green
        .list_incoming("79000000001@c.us", "спасибо", ago(&world, 30));
    world
        .green
        .list_incoming("79000000001@c.us", "стоп", ago(&world, 1));
    world
        .green
        .list_incoming("100000000000001@lid", "запишите меня", ago(&world, 1));
    world
        .green
        .list_incoming("79000000002@c.us", "запишите меня", ago(&world, 1));
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    assert_eq!(world.decisions(), ["created|sent|"]);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_holds_a_message_for_a_minute_and_no_longer() {
    let world = deaf().await;
    world
        .green
        .list_incoming("79000000001@c.us", "запишите меня", ago(&world, 1));
    world.green.blind(2);
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0, "it waits, and is asked for again");
    for _ in 0..2 {
        world.advance("11s");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.decisions(), ["created|suppressed|recent_activity"]);

    world.green.blind(u32::MAX);
    world
        .salon
        .book(haircut("2026-08-24T14:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    for _ in 0..7 {
        world.advance("10s");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn only_a_new_booking_is_asked_for() {
    let world = deaf().await;
    let record = world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    world.advance("1m");
    world
        .green
        .list_incoming("79000000001@c.us", "перенесите", ago(&world, 0));
    world.salon.reschedule(
        crate::support::world::SALON,
        record,
        crate::support::world::at("2026-08-24T14:30:00"),
    );
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    assert_eq!(world.green.count("lastIncomingMessages"), 1);
}
