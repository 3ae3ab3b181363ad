//! `pause` and `resume`: nothing goes to some clients for a while, and the net change after it.

use crate::support::fake::Answer;
use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::pipeline::orders;
use booking_monitor::ports::Clock as _;
use booking_monitor::store::{self, pauses::Pause, pauses::Selector};
use chrono::TimeDelta;

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

#[tokio::test]
async fn a_shorter_pause_in_place_of_a_long_one_keeps_nothing_waiting_for_the_long_ones_end() {
    let world = World::watching().await;
    pause(&world, Selector::default(), Some(24 * 60));
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    pause(&world, Selector::default(), Some(60));
    world.turn().await;
    assert_eq!(world.told().len(), 0);
    world.advance("61m");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

/// A booking whose message could not be sent at the first try and then met a pause of its master.
async fn tried_and_paused(world: &World, master: &Selector) {
    let later = r#"{"message":"instance in starting process try later"}"#;
    world.green.answer_next(Answer::http(400, later));
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    pause(world, master.clone(), None);
    world.advance("1m");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 0);
}

fn of_master(staff: i64) -> Selector {
    Selector {
        company: Some(SALON),
        staff: Some(staff),
        phone: None,
    }
}

#[tokio::test]
async fn a_message_that_was_tried_before_a_pause_leaves_when_the_pause_ends() {
    let world = World::watching().await;
    tried_and_paused(&world, &of_master(5)).await;
    assert_eq!(resume(&world, Some(&of_master(5))), 1);
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn what_waits_for_one_masters_pause_keeps_back_nothing_of_another_master() {
    let world = World::watching().await;
    tried_and_paused(&world, &of_master(5)).await;
    world
        .salon
        .book(haircut("2026-08-26T14:30:00").staff(6, "Тимур"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert!(world.told()[0].contains("26 августа"));
}

const OTHER: &str = "+79000000002";

/// Two bookings of one client, of masters 5 and 6, are told; then the client's number is corrected.
async fn two_and_then_corrected(world: &World, starts: [&str; 2], of: Selector) {
    let [one, two] = starts;
    let records = [
        world.salon.book(haircut(one)),
        world.salon.book(haircut(two).staff(6, "Тимур")),
    ];
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    pause(world, of, None);
    for record in records {
        world.salon.edit(SALON, record, |row| {
            row["client"]["phone"] = OTHER.into();
        });
    }
    world.tell().await;
}

fn told_to_other(world: &World) -> Vec<String> {
    let sent = world.green.sent().into_iter();
    let theirs = sent.filter(|s| s.chat == "79000000002@c.us");
    theirs.map(|s| s.text).collect()
}

#[tokio::test]
async fn bookings_told_together_wait_for_no_pause_of_another_ones_master() {
    for paused in [5, 6] {
        let world = World::watching().await;
        let starts = ["2026-08-22T14:30:00", "2026-08-23T14:30:00"];
        two_and_then_corrected(&world, starts, of_master(paused)).await;
        world.turn().await;
        let told = told_to_other(&world);
        let (free, held) = match paused {
            5 => ("23 августа", "22 августа"),
            _ => ("22 августа", "23 августа"),
        };
        assert_eq!(told.len(), 1, "{paused}: {told:?}");
        assert!(
            told[0].contains(free) && !told[0].contains(held),
            "{told:?}"
        );
        resume(&world, None);
        world.turn().await;
        let told = told_to_other(&world);
        assert_eq!(told.len(), 2, "{paused}: {told:?}");
        assert!(
            told[1].contains(held) && !told[1].contains(free),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn of_bookings_told_together_one_that_has_begun_meanwhile_is_not_told() {
    for starts in [
        ["2026-08-20T15:00:00", "2026-08-23T14:30:00"],
        ["2026-08-23T14:30:00", "2026-08-20T15:00:00"],
    ] {
        let world = World::watching().await;
        two_and_then_corrected(&world, starts, Selector::default()).await;
        assert_eq!(told_to_other(&world), [""; 0]);
        world.advance("4h");
        world.poll().await;
        resume(&world, None);
        world.turn().await;
        let told = told_to_other(&world);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("23 августа"), "{told:?}");
        assert!(!told[0].contains("20 августа"), "{told:?}");
    }
}
