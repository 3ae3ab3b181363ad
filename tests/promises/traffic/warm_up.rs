//! `new_recipients_per_day`: a new number meets few strangers a day.

use booking_monitor::demo::salon::BookingDraft;
use booking_monitor::ports::Clock;
use booking_monitor::store::stats;
use chrono::TimeDelta;

use super::{OWNER, statuses, world_with_two_ways};
use crate::support::world::{SALON, World, at, haircut};

fn client(n: u32, start: &str) -> BookingDraft {
    haircut(start).client("Анна", &format!("+7900000{n:04}"))
}

fn limit(world: &mut World, channel: &str, most: u32) {
    let mut all = world.config.channels.iter_mut();
    let found = all.find(|c| c.name == channel).unwrap();
    found.new_recipients_per_day = most;
}

/// A world whose WhatsApp meets two strangers a day.
async fn warming_up(rest: &str) -> World {
    let mut world = World::with("", rest).await;
    limit(&mut world, "whatsapp", 2);
    world.restart().await;
    world.poll().await;
    world
}

/// The bookings are told; who waited for a message on its way has had the time.
async fn tell(world: &World) {
    world.tell().await;
    settle_down(world).await;
}

async fn later(world: &World, span: &str) {
    world.advance(span);
    world.poll().await;
    world.turn().await;
    settle_down(world).await;
}

async fn settle_down(world: &World) {
    for _ in 0..2 {
        world.advance("2s");
        world.turn().await;
    }
}

#[tokio::test]
async fn a_new_number_meets_two_strangers_a_day_and_the_rest_waits_for_the_morning() {
    let world = warming_up(OWNER).await;
    let mut records = Vec::new();
    for n in 1..=5 {
        records.push(world.salon.book(client(n, "2026-08-27T14:30:00")));
    }
    tell(&world).await;
    assert_eq!(
        statuses(&world),
        ["sent", "sent", "pending", "pending", "pending"]
    );
    // Whom it has met may be written to again the same day.
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-28T10:00:00"));
    tell(&world).await;
    assert_eq!(world.told().len(), 3);

    // Past midnight nobody is woken.
    later(&world, "13h").await;
    assert_eq!(world.told().len(), 3);
    later(&world, "8h").await;
    assert_eq!(
        statuses(&world),
        ["sent", "sent", "sent", "sent", "pending", "sent"]
    );
    later(&world, "24h").await;
    assert_eq!(world.told().len(), 6);
    let alone: Vec<String> = world.green.sent().into_iter().map(|s| s.chat).collect();
    assert_eq!(
        alone[..2],
        ["79000000001@c.us", "79000000002@c.us"],
        "in the order of their booking"
    );
    assert_eq!(world.owner_told(), Vec::<String>::new());
}

#[tokio::test]
async fn who_finds_no_room_on_a_new_number_is_written_to_on_the_next_channel() {
    let (mut world, gateway) = world_with_two_ways("", OWNER).await;
    limit(&mut world, "whatsapp", 1);
    limit(&mut world, "gateway", 1);
    world.restart().await;
    for n in 1..=3 {
        world.salon.book(client(n, "2026-08-27T14:30:00"));
    }
    tell(&world).await;
    assert_eq!((world.told().len(), gateway.sent().len()), (1, 1));
    let mut all = statuses(&world);
    all.sort();
    assert_eq!(all, ["pending", "sent", "sent"]);
    // A limit that is taken away holds nobody any more.
    limit(&mut world, "whatsapp", 0);
    world.restart().await;
    world.turn().await;
    assert_eq!(world.told().len(), 2);
}

#[tokio::test]
async fn who_finds_no_room_is_not_handed_to_a_channel_that_is_down() {
    let (mut world, gateway) = world_with_two_ways("", OWNER).await;
    limit(&mut world, "whatsapp", 1);
    world.restart().await;
    gateway.set_state("SCAN_QR_CODE");
    world
        .sql()
        .execute(
            "UPDATE channel_states SET down_since = '2026-08-20T08:00:00.000Z' WHERE name = 'gateway'",
            [],
        )
        .unwrap();
    for n in 1..=2 {
        world.salon.book(client(n, "2026-08-27T14:30:00"));
    }
    tell(&world).await;
    later(&world, "20m").await;
    let standing =
        "SELECT channel, status FROM booking_notifications WHERE phone <> '' ORDER BY id";
    assert_eq!(world.rows(standing), ["whatsapp|sent", "whatsapp|pending"]);
    assert_eq!(gateway.sent().len(), 0);
}

#[tokio::test]
async fn who_finds_no_room_shortly_before_the_visit_becomes_a_card() {
    let world = warming_up(OWNER).await;
    for n in 1..=3 {
        world.salon.book(client(n, "2026-08-21T14:30:00"));
    }
    tell(&world).await;
    assert_eq!(statuses(&world), ["sent", "sent", "suppressed"]);
    assert_eq!(
        world.owner_told(),
        ["📞 <b>Позвоните клиенту</b>\n\
          Новая запись: завтра, 21 августа, в 14:30 · Бари\n\
          Анна, +7 900 000-00-03\n\
          Сообщение не ушло: номер салона новый, на сегодня новых собеседников довольно."]
    );
    later(&world, "24h").await;
    assert_eq!(world.told().len(), 2, "the owner has called");
    assert_eq!(world.owner_told().len(), 1);
}

#[tokio::test]
async fn a_visit_that_comes_near_while_its_client_waits_becomes_a_card_then() {
    let world = warming_up(OWNER).await;
    for n in 1..=3 {
        // In two days and ten hours.
        world.salon.book(client(n, "2026-08-22T22:00:00"));
    }
    tell(&world).await;
    assert_eq!(statuses(&world), ["sent", "sent", "pending"]);
    later(&world, "9h").await;
    assert_eq!(statuses(&world), ["sent", "sent", "pending"]);
    later(&world, "1h").await;
    assert_eq!(statuses(&world), ["sent", "sent", "suppressed"]);
    assert_eq!(world.owner_told().len(), 1);
}

#[tokio::test]
async fn where_no_owner_is_asked_to_call_the_client_waits_for_the_morning() {
    let world = warming_up("").await;
    for n in 1..=3 {
        world.salon.book(client(n, "2026-08-21T14:30:00"));
    }
    tell(&world).await;
    assert_eq!(statuses(&world), ["sent", "sent", "pending"]);
    later(&world, "21h").await;
    assert_eq!(world.told().len(), 3);
}

#[tokio::test]
async fn a_stranger_whose_message_may_have_arrived_counts_and_a_refused_one_does_not() {
    let world = warming_up(OWNER).await;
    world.green.answer_next(crate::support::fake::Answer::http(
        400,
        r#"{"message":"bad phone number, valid from 11 to 16 digits"}"#,
    ));
    for n in 1..=3 {
        world.salon.book(client(n, "2026-08-27T14:30:00"));
    }
    tell(&world).await;
    assert_eq!(statuses(&world), ["dead", "sent", "sent"]);
    world.shut_the_journal();
    let world = warming_up(OWNER).await;
    world
        .green
        .answer_next(crate::support::fake::Answer::Drop { taken: true });
    for n in 1..=3 {
        world.salon.book(client(n, "2026-08-27T14:30:00"));
    }
    tell(&world).await;
    assert_eq!(world.told().len(), 2);
}

#[tokio::test]
async fn of_the_people_written_to_those_count_as_replying_who_wrote_after_that() {
    let world = World::watching_with("", OWNER).await;
    // She wrote before anybody wrote to her, and not since.
    world
        .green
        .push_text_at("79000000001", "здравствуйте", world.clock.now());
    world.receive().await;
    world.advance("1m");
    for n in 1..=4 {
        world.salon.book(client(n, "2026-08-27T14:30:00"));
    }
    world.tell().await;
    world.advance("1m");
    for phone in ["79000000002", "79000000002", "79000000003", "79000000009"] {
        world
            .green
            .push_text_at(phone, "спасибо", world.clock.now());
    }
    world.receive().await;
    let since = world.clock.now() - TimeDelta::days(7);
    let replies = stats::replies(&world.sql(), since).unwrap();
    let whatsapp = replies["whatsapp"];
    assert_eq!((whatsapp.written_to, whatsapp.replied), (4, 2));
    // A week later they are nobody's figures any more.
    let later = stats::replies(&world.sql(), since + TimeDelta::days(8)).unwrap();
    assert!(later.is_empty());
}

/// WhatsApp meets one stranger a day, and the gateway is down since a moment.
async fn with_the_other_way_down() -> (World, crate::support::gateway::Gateway) {
    let (mut world, gateway) = world_with_two_ways("", OWNER).await;
    limit(&mut world, "whatsapp", 1);
    world.restart().await;
    gateway.set_state("SCAN_QR_CODE");
    world
        .sql()
        .execute(
            "UPDATE channel_states SET down_since = '2026-08-20T09:00:00.000Z' WHERE name = 'gateway'",
            [],
        )
        .unwrap();
    (world, gateway)
}

#[tokio::test]
async fn who_finds_no_room_waits_minutes_for_another_channel_that_is_down_for_now() {
    let (world, gateway) = with_the_other_way_down().await;
    for n in 1..=2 {
        world.salon.book(client(n, "2026-08-27T14:30:00"));
    }
    tell(&world).await;
    later(&world, "90m").await;
    assert_eq!((world.told().len(), gateway.sent().len()), (1, 0));
    gateway.set_state("WORKING");
    later(&world, "10s").await;
    later(&world, "3m").await;
    assert_eq!((world.told().len(), gateway.sent().len()), (1, 1));
}

#[tokio::test]
async fn no_card_is_made_while_another_channel_is_but_down_for_now() {
    let (world, gateway) = with_the_other_way_down().await;
    for n in 1..=3 {
        world.salon.book(client(n, "2026-08-21T14:30:00"));
    }
    tell(&world).await;
    later(&world, "20m").await;
    assert_eq!(statuses(&world), ["sent", "pending", "pending"]);
    gateway.set_state("WORKING");
    later(&world, "10s").await;
    later(&world, "3m").await;
    assert_eq!(statuses(&world), ["sent", "sent", "sent"]);
    assert_eq!(gateway.sent().len(), 2);

    let (world, _) = with_the_other_way_down().await;
    for n in 1..=2 {
        world.salon.book(client(n, "2026-08-21T14:30:00"));
    }
    tell(&world).await;
    later(&world, "61m").await;
    assert_eq!(
        statuses(&world),
        ["sent", "suppressed"],
        "an hour is no moment"
    );
}

#[tokio::test]
async fn who_waits_for_another_channel_is_not_woken_at_midnight() {
    let (world, gateway) = with_the_other_way_down().await;
    for n in 1..=2 {
        world.salon.book(client(n, "2026-08-27T14:30:00"));
    }
    tell(&world).await;
    later(&world, "11h").await;
    later(&world, "55m").await;
    for _ in 0..15 {
        later(&world, "1m").await;
    }
    assert_eq!((world.told().len(), gateway.sent().len()), (1, 0));
    later(&world, "9h").await;
    assert_eq!(world.told().len(), 2);
}

#[tokio::test]
async fn a_visit_that_moves_away_from_tomorrow_cannot_wait_for_the_morning_either() {
    let mut world = World::with("", OWNER).await;
    limit(&mut world, "whatsapp", 1);
    world.restart().await;
    // Known from the baseline: the new number has written to neither.
    let records = [1, 2].map(|n| world.salon.book(client(n, "2026-08-20T20:00:00")));
    world.poll().await;
    for record in records {
        world
            .salon
            .reschedule(SALON, record, at("2026-08-27T14:30:00"));
    }
    tell(&world).await;
    assert_eq!(statuses(&world), ["sent", "suppressed"]);
    assert_eq!(world.owner_told().len(), 1);
}
