//! Whoever asks why a message has not come reads what it waits for, in the language of the salon.

use std::process::Command;

use chrono::{TimeDelta, Utc};

use crate::support::fake::Answer;
use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::domain::zone::Zone;
use booking_monitor::pipeline::orders;
use booking_monitor::ports::Clock as _;
use booking_monitor::store::pauses::{Pause, Selector};

/// What `explain` says of a booking, without the ends of lines.
async fn explained(world: &World, record: i64) -> String {
    let config = world.folder.path().join("booking-monitor.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_booking-monitor"));
    command.arg("--config").arg(config);
    command.args(["explain", &record.to_string()]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let said = String::from_utf8(output.await.unwrap().stdout).unwrap();
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn says(world: &World, record: i64, words: &str) {
    let told = explained(world, record).await;
    assert!(told.contains(words), "{words} is missing in: {told}");
}

#[tokio::test]
async fn a_message_that_waits_for_its_clients_hour_says_so() {
    let world = World::watching_with("per_client_per_hour = 1", "").await;
    let record = world.salon.book(haircut("2026-08-27T10:00:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-27T11:00:00"));
    world.tell().await;
    let why = "за час клиент получил столько сообщений, сколько можно";
    let words = format!(
        "(изменение): ждёт отправки: whatsapp +7 *** ***-**-01; не раньше 20.08.2026 13:00:31 ({why})"
    );
    says(&world, record, &words).await;
}

#[tokio::test]
async fn a_message_for_which_a_new_number_has_no_room_says_so() {
    let mut world = World::new().await;
    for channel in &mut world.config.channels {
        channel.new_recipients_per_day = 1;
    }
    world.restart().await;
    world.poll().await;
    let first = haircut("2026-08-27T10:00:00").client("Вера", "+79000000002");
    world.salon.book(first);
    let record = world.salon.book(haircut("2026-08-27T10:00:00"));
    world.tell().await;
    world.advance("5s");
    world.turn().await;
    let why = "номер новый, на сегодня новых собеседников довольно";
    let words = format!("не раньше 21.08.2026 09:00:00 ({why})");
    says(&world, record, &words).await;
}

#[tokio::test]
async fn a_message_that_waits_for_the_journal_says_so() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-27T10:00:00"));
    world.poll().await;
    let down = || Fault::Status(500, "no".into());
    world.salon.fail_next(Route::Records, 5, down());
    world.advance("5m");
    world.turn().await;
    says(&world, record, "(журнал сейчас не прочитать)").await;
}

#[tokio::test]
async fn a_message_that_waits_for_a_pause_after_a_try_says_for_which() {
    let world = World::watching_with("quiet_hours = \"12:10-14:00\"", "").await;
    world.green.set_state("notAuthorized");
    let record = world.salon.book(haircut("2026-08-27T10:00:00"));
    world.tell().await;
    world.advance("10m");
    world.green.set_state("authorized");
    world.poll().await;
    world.turn().await;
    let words = "ещё раз не раньше 20.08.2026 14:00:00 (тихие часы)";
    says(&world, record, words).await;
}

#[tokio::test]
async fn a_message_whose_messenger_asks_to_wait_says_so() {
    let now = Utc::now();
    let world = World::beginning(now, Zone::moscow(), "", "").await;
    world.poll().await;
    let start = (now + TimeDelta::days(7)).format("%Y-%m-%dT10:00:00");
    let start = start.to_string();
    let shut = Answer::http(429, "Too Many Requests").with_header("Retry-After", "3600");
    world.green.answer_next(shut);
    world
        .salon
        .book(haircut(&start).client("Вера", "+79000000002"));
    world.tell().await;
    let record = world.salon.book(haircut(&start));
    world.tell().await;
    says(&world, record, "(мессенджер просит подождать до ").await;
}

#[tokio::test]
async fn a_message_that_came_too_late_says_so_in_the_salons_language() {
    let world = World::watching().await;
    world.green.set_state("notAuthorized");
    let record = world.salon.book(haircut("2026-08-20T14:00:00"));
    world.tell().await;
    world.advance("3h");
    world.green.set_state("authorized");
    world.poll().await;
    world.turn().await;
    says(&world, record, "не дошло (визит уже начался)").await;
}

#[tokio::test]
async fn a_message_says_what_it_waits_for_now_and_not_what_it_waited_for() {
    let quiet = "quiet_hours = \"14:20-14:40\"";
    let world = World::watching_with(quiet, "notify = { reminders = [\"24h\"] }").await;
    let record = world.salon.book(haircut("2026-08-24T14:30:00"));
    world.tell().await;
    // Its moment, noon and half an hour before three on the day before.
    world.advance("74h");
    world.advance("30m");
    world.poll().await;
    world.turn().await;
    says(&world, record, "(тихие часы)").await;
    // It gets another master, and that is news.
    world.salon.change_staff(SALON, record, 6, "Тимур");
    world.advance("9m");
    world.poll().await;
    world.advance("31s");
    world.turn().await;
    says(&world, record, "(сначала уйдёт новость об этом визите)").await;
}

#[tokio::test]
async fn a_pause_that_was_ended_is_not_what_a_message_waits_for() {
    let world = World::watching().await;
    let all = Selector::default();
    let pause = Pause {
        of: all.clone(),
        until: None,
    };
    orders::pause(&world.sql(), &pause, world.clock.now()).unwrap();
    let record = world.salon.book(haircut("2026-08-27T10:00:00"));
    world.tell().await;
    says(&world, record, "(пауза)").await;
    world.advance("1h");
    orders::resume(&world.sql(), Some(&all), world.clock.now()).unwrap();
    let told = explained(&world, record).await;
    assert!(!told.contains("пауза"), "{told}");
}
