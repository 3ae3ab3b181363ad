//! Free times in a cancellation (`notify.offer_times`): read just before it leaves, left out where
//! that is in vain.

use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::demo::salon::{Fault, Route};

const TWO: &str = "notify = { offer_times = 2 }";

async fn cancelled(world: &World) -> String {
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("❌ *Запись отменена*"), "{}", told[1]);
    told[1].clone()
}

fn asked(world: &World) -> usize {
    world.salon.asked(Route::BookDates) + world.salon.asked(Route::BookTimes)
}

#[tokio::test]
async fn a_cancellation_offers_free_times_of_its_master() {
    let world = World::watching_with("", "notify = { offer_times = 3 }").await;
    world.salon.offer(
        SALON,
        5,
        &[
            // What is past, what was given up and what is a quarter of an hour later is no offer.
            at("2026-08-20T10:00:00"),
            at("2026-08-21T14:30:00"),
            at("2026-08-22T12:00:00"),
            at("2026-08-22T12:15:00"),
            at("2026-08-22T14:30:00"),
            at("2026-08-23T11:00:00"),
        ],
    );
    world.salon.offer(SALON, 6, &[at("2026-08-21T09:00:00")]);
    assert_eq!(
        cancelled(&world).await,
        "❌ *Запись отменена*\n\n📅 21 августа в 14:30\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари\n\
         Свободно: 22 августа в 12:00 и 14:30, 23 августа в 11:00\n\n\
         Подобрать другое время? Напишите мне здесь 👇"
    );
    let paths: Vec<String> = world.salon.requests().into_iter().map(|r| r.path).collect();
    assert!(
        paths
            .iter()
            .any(|p| p.starts_with("/book_dates/111111?service_ids")
                && p.ends_with("=45&staff_id=5")),
        "{paths:?}"
    );
    // Whoever is booked is offered nothing else, and the confirmation asked for nothing.
    assert!(!world.told()[0].contains("Свободно"));
}

#[tokio::test]
async fn where_the_master_has_no_time_anybody_elses_is_offered() {
    let world = World::watching_with("", TWO).await;
    world.salon.offer(SALON, 6, &[at("2026-08-22T09:00:00")]);
    let text = cancelled(&world).await;
    assert!(text.contains("\nСвободно: 22 августа в 09:00\n"), "{text}");
}

#[tokio::test]
async fn nothing_is_asked_unless_it_is_wanted_and_nothing_free_is_no_line() {
    let world = World::watching().await;
    world.salon.offer(SALON, 5, &[at("2026-08-22T12:00:00")]);
    assert!(!cancelled(&world).await.contains("Свободно"));
    assert_eq!(asked(&world), 0);

    let world = World::watching_with("", TWO).await;
    assert!(!cancelled(&world).await.contains("Свободно"));
    // Of its master, then of any.
    assert_eq!(asked(&world), 2);
}

#[tokio::test]
async fn a_read_that_fails_leaves_the_line_out_and_holds_nothing_back() {
    for fault in [
        Fault::Status(500, "out of order".to_owned()),
        Fault::Status(403, String::new()),
        Fault::Html,
        Fault::SuccessFalse("Ошибка".to_owned()),
        Fault::TooManyRequests { seconds: 30 },
        Fault::Hang,
    ] {
        let world = World::watching_with("", TWO).await;
        world.salon.offer(SALON, 5, &[at("2026-08-22T12:00:00")]);
        world.salon.set_fault(Route::BookTimes, Some(fault.clone()));
        let text = cancelled(&world).await;
        assert!(!text.contains("Свободно"), "{fault:?}: {text}");
        assert_eq!(
            world.decisions(),
            ["created|sent|", "cancelled|sent|"],
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_class_is_no_free_time() {
    let world = World::watching_with("", TWO).await;
    world.salon.offer(SALON, 5, &[at("2026-08-22T12:00:00")]);
    let record = world
        .salon
        .book(haircut("2026-08-21T14:30:00").activity(77));
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert!(
        world.told()[1].starts_with("❌ *Занятие отменено*"),
        "{:?}",
        world.told()
    );
    assert_eq!(asked(&world), 0);
}
