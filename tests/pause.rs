//! `pause` and `resume`: nothing goes to some clients for a while, and the net change after it.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use booking_monitor::pipeline::orders;
use booking_monitor::ports::Clock as _;
use booking_monitor::store::{self, pauses::Pause, pauses::Selector};
use chrono::TimeDelta;
use support::world::{PHONE, SALON, World, at, haircut};

/// As the command does it: on a connection of its own, beside the daemon.
fn pause(world: &World, of: Selector, minutes: Option<i64>) {
    let now = world.clock.now();
    let until = minutes.map(|minutes| now + TimeDelta::minutes(minutes));
    let mut conn = store::open_writer(&world.database()).unwrap();
    store::write_on(&mut conn, |tx| orders::pause(tx, &Pause { of, until }, now)).unwrap();
}

fn resume(world: &World, of: Option<&Selector>) -> usize {
    let now = world.clock.now();
    let mut conn = store::open_writer(&world.database()).unwrap();
    store::write_on(&mut conn, |tx| orders::resume(tx, of, now)).unwrap()
}

#[tokio::test]
async fn what_changes_during_a_pause_is_told_after_it_as_one_change() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    pause(&world, Selector::default(), Some(120));
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T10:00:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    world.advance("121m");
    world.turn().await;
    let told = world.told();
    assert_eq!(told.len(), 2);
    assert!(
        told[1].contains("~21 августа в 14:30~ → *22 августа в 16:00*"),
        "{}",
        told[1]
    );
}

#[tokio::test]
async fn a_pause_without_an_end_lasts_until_a_person_ends_it() {
    let world = World::watching().await;
    pause(&world, Selector::default(), None);
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    world.advance("12h");
    world.turn().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(resume(&world, None), 1);
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_pause_of_one_master_or_client_is_none_of_the_others() {
    let world = World::watching().await;
    let master = Selector {
        company: Some(SALON),
        staff: Some(5),
        phone: None,
    };
    let client = Selector {
        company: None,
        staff: None,
        phone: Some("+79000000003".to_owned()),
    };
    pause(&world, master.clone(), None);
    pause(&world, client.clone(), None);
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.salon.book(
        haircut("2026-08-21T14:30:00")
            .client("Вера", "+79000000002")
            .staff(6, "Тимур"),
    );
    world.salon.book(
        haircut("2026-08-21T14:30:00")
            .client("Олег", "+79000000003")
            .staff(6, "Тимур"),
    );
    world.tell().await;
    let sent =
        |world: &World| -> Vec<String> { world.green.sent().into_iter().map(|s| s.chat).collect() };
    assert_eq!(sent(&world), ["79000000002@c.us"]);
    assert_eq!(resume(&world, Some(&master)), 1);
    world.turn().await;
    assert_eq!(sent(&world)[1..], [format!("{}@c.us", &PHONE[1..])]);
    assert_eq!(
        resume(&world, Some(&Selector::default())),
        0,
        "that one never was"
    );
    assert_eq!(resume(&world, Some(&client)), 1);
    world.turn().await;
    assert_eq!(sent(&world).len(), 3);
}

#[tokio::test]
async fn answers_to_clients_and_words_to_owners_know_no_pause() {
    let world = World::watching_with("", r#"owner = [{ channel = "telegram", to = "500" }]"#).await;
    pause(&world, Selector::default(), None);
    world.green.push_text(PHONE, "стоп");
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(world.owner_told().len(), 1);
}
