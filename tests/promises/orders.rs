//! What clients asked to be written, where it is more than one booking, or the settings, the program
//! or the client are not any more what they were when it was asked for.

use crate::support::dialogue::*;
use crate::support::telegram::Standing;
use crate::support::world::{OWNER, PHONE, SALON, World, at, haircut, parse};
use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::domain::phone::Phone;
use booking_monitor::ports::Clock as _;
use booking_monitor::store;

fn refusal() -> Fault {
    let words = r#"{"success":false,"meta":{"message":"Недостаточно прав"}}"#;
    Fault::Status(403, words.into())
}

/// A client who was told of a visit to two masters.
async fn visit(replies: &str) -> (World, Vec<i64>) {
    let world = World::watching_with("", &settings(replies)).await;
    let first = haircut("2026-08-21T14:30:00").visit(77);
    let second = haircut("2026-08-21T15:30:00").visit(77).staff(6, "Анна");
    let records = [first, second].map(|draft| world.salon.book(draft));
    world.tell().await;
    world.green.forget_sent();
    (world, records.to_vec())
}

/// The owner's newest message that says this.
fn card(world: &World, words: &str) -> Standing {
    let cards = world.telegram.standing(OWNER).into_iter().rev();
    let mut found = cards.filter(|card| card.text.contains(words));
    found.next().unwrap()
}

/// The configuration gets these keys in `[monitor]`, and the program starts anew.
async fn restart_with(world: &mut World, monitor: &str) {
    let path = world.folder.path().join("booking-monitor.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("[monitor]", &format!("[monitor]\n{monitor}"));
    world.config = parse(&path, &text);
    world.restart().await;
}

async fn press(world: &World, data: &str) -> String {
    let press = world.telegram.press(500, data);
    follow(world).await;
    world.telegram.answered(&press).unwrap()
}

#[tokio::test]
async fn of_a_visit_that_is_taken_off_by_half_nobody_hears_that_it_is_off() {
    let (world, records) = visit(CANCELS).await;
    // The first is taken off, though the answer is lost; the second is refused.
    world.salon.fail_next(Route::Cancel, 1, Fault::AnswerLost);
    world.salon.fail_next(Route::Cancel, 1, refusal());
    say(&world, PHONE, "отмена").await;
    assert_eq!(journal(&world, &records), "off stands");
    assert_eq!(world.told(), [DECLINED]);
    let text = card(&world, "Отменено не всё").text;
    for line in [
        "Отменено: 21 августа в 14:30 · МУЖСКАЯ СТРИЖКА · Бари",
        "Осталось: 21 августа в 15:30 · МУЖСКАЯ СТРИЖКА · Анна",
        "Причина: YClients не разрешил",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // What stands is told as of any change, once.
    for _ in 0..3 {
        world.tell().await;
    }
    let told = world.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].contains("15:30") && !told[1].contains("тмен"),
        "{told:?}"
    );
    assert_eq!(
        world.rows("SELECT resource_id, payload ->> '$.data.deleted_by' FROM (SELECT record_id AS resource_id, payload FROM booking_events WHERE event_type = 'record.deleted')"),
        [format!("{}|client", records[0])]
    );
    assert_eq!(world.salon.asked(Route::Cancel), 2);
}

#[tokio::test]
async fn a_booking_that_hides_while_its_visit_is_written_is_not_taken_for_off() {
    let (mut world, records) = visit(CANCELS).await;
    // The first is taken off and shows late; meanwhile the program ends and the second master hides.
    world.salon.lag(SALON, chrono::TimeDelta::seconds(5));
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [""; 0]);
    world.salon.hide_staff(SALON, 6);
    world.restart().await;
    world.advance("10s");
    follow(&world).await;
    assert_eq!(journal(&world, &records), "off stands");
    assert_eq!(world.told(), [DECLINED]);
    assert!(card(&world, "Отменено не всё").text.contains("15:30"));
    assert_eq!(world.salon.asked(Route::Cancel), 1);
}

#[tokio::test]
async fn of_a_visit_of_which_one_booking_was_moved_nothing_is_taken_off() {
    let (world, records) = visit(CANCELS).await;
    world
        .salon
        .reschedule(SALON, records[1], at("2026-08-21T18:00:00"));
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [DECLINED]);
    assert_eq!(journal(&world, &records), "stands stands");
    assert_eq!(world.salon.asked(Route::Cancel), 0);
    // The owner reads of it as it is, not as it was.
    let text = card(&world, "Не получилось отменить").text;
    assert!(text.contains("в 14:30, 21 августа в 18:00"), "{text}");
}

#[tokio::test]
async fn of_a_day_of_which_one_visit_was_moved_nothing_is_confirmed() {
    let (world, records) = told_of(WRITES, &["2026-08-21T14:30:00", "2026-08-21T18:00:00"]).await;
    remind(&world, records[0]);
    world
        .salon
        .reschedule(SALON, records[1], at("2026-08-21T19:00:00"));
    say(&world, PHONE, "1").await;
    assert_eq!(world.told(), [HANDED_ON]);
    assert_eq!(journal(&world, &records), "stands stands");
    assert_eq!(world.salon.asked(Route::Change), 0);
}

#[tokio::test]
async fn a_request_from_before_a_dry_run_is_not_written_in_it() {
    for keys in ["dry_run = true", "only_phones = [\"+79000000009\"]"] {
        let (mut world, records) = told_of(WRITES, ONE).await;
        say(&world, PHONE, "отмена").await;
        let button = card(&world, "Просит отменить").data("Отменить");
        restart_with(&mut world, keys).await;
        let said = press(&world, &button).await;
        assert!(said.starts_with("Отмените запись в YClients"), "{said}");
        assert!(said.contains("никому не пишу"), "{said}");
        follow(&world).await;
        assert_eq!(world.salon.asked(Route::Cancel), 0, "{keys}");
        assert_eq!(journal(&world, &records), "stands");
        assert_eq!(world.told(), [DECLINED]);
    }
}

#[tokio::test]
async fn what_waited_for_the_journal_when_a_dry_run_began_is_the_owners() {
    for (words, replies) in [("отмена", CANCELS), ("буду", WRITES)] {
        let (mut world, records) = told_of(replies, ONE).await;
        world.green.push_text_at(PHONE, words, world.clock.now());
        world.receive().await;
        restart_with(&mut world, "dry_run = true").await;
        follow(&world).await;
        assert_eq!(world.salon.asked(Route::Cancel), 0);
        assert_eq!(world.salon.asked(Route::Change), 0);
        assert_eq!(journal(&world, &records), "stands");
        assert_eq!(world.told(), [""; 0], "{words}");
        let why = "Причина: менять записи выключено в настройках";
        assert!(!card(&world, why).text.is_empty());
    }
}

#[tokio::test]
async fn of_what_nobody_knows_the_owner_is_told_exactly_that() {
    let (world, records) = told_of(CANCELS, ONE).await;
    // The request leaves, is not seen to be done, and the journal says no word any more.
    world.salon.fail_next(Route::Cancel, 1, Fault::Disconnect);
    world.salon.lag(SALON, chrono::TimeDelta::hours(1));
    say(&world, PHONE, "отмена").await;
    world
        .salon
        .set_fault(Route::Record, Some(Fault::Status(500, String::new())));
    for _ in 0..12 {
        world.advance("30s");
        follow(&world).await;
    }
    assert_eq!(world.told(), [DECLINED]);
    let text = card(&world, "Неизвестно, отменена ли запись").text;
    assert!(text.contains("проверьте в журнале"), "{text}");
    assert!(text.contains("21 августа в 14:30"), "{text}");
    assert!(!text.contains("Не получилось"), "{text}");
    assert_eq!(journal(&world, &records), "stands");
}

#[tokio::test]
async fn what_came_of_a_cancellation_outlives_its_client_being_forgotten_meanwhile() {
    let (mut world, records) = told_of(CANCELS, ONE).await;
    // It is taken off, which shows late; meanwhile its client is forgotten.
    world.salon.lag(SALON, chrono::TimeDelta::seconds(5));
    say(&world, PHONE, "отмена").await;
    world.stop();
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    world.start().await;
    world.advance("10s");
    follow(&world).await;
    assert_eq!(journal(&world, &records), "off");
    assert_eq!(
        world.rows("SELECT state, phone, contact_id FROM writes"),
        ["done||-"]
    );
    world.tell().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(
        world.rows("SELECT payload ->> '$.data.deleted_by' FROM booking_events WHERE event_type = 'record.deleted'"),
        ["client"]
    );
    // What had not begun is nobody's any more.
    let (mut world, records) = told_of(CANCELS, ONE).await;
    world.green.push_text_at(PHONE, "отмена", world.clock.now());
    world.receive().await;
    world.stop();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    world.start().await;
    follow(&world).await;
    assert_eq!(journal(&world, &records), "stands");
    assert_eq!(world.rows("SELECT state FROM writes"), ["over"]);
}
