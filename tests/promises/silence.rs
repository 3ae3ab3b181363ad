//! Every reason not to write to a client: nothing is sent, and the reason is stored.

use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::demo::salon::BookingDraft;

/// Books, waits, and returns what was decided; nothing may have been sent.
async fn silent(world: &World, draft: BookingDraft) -> Vec<String> {
    world.salon.book(draft);
    world.tell().await;
    assert_eq!(world.told().len(), 0, "{:?}", world.told());
    world.decisions()
}

#[tokio::test]
async fn a_booking_made_through_a_bot_is_silent_and_its_later_move_is_told() {
    let world = World::watching().await;
    let record = world
        .salon
        .book(haircut("2026-08-21T14:30:00").comment("Записано: AI Admin"));
    world.tell().await;
    assert_eq!(world.decisions(), ["created|suppressed|created_by_bot"]);
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert!(
        world.told()[0].contains("~21 августа в 14:30~ → *22 августа в 16:00*"),
        "{}",
        world.told()[0]
    );
    assert_eq!(
        world.rows("SELECT origin, created_by_bot FROM appointments_cache"),
        ["bot|1"]
    );
}

#[tokio::test]
async fn a_bot_that_writes_its_mark_a_moment_later_is_recognised() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("2s");
    world
        .salon
        .edit(SALON, record, |row| row["comment"] = "WhatsApp".into());
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(world.decisions(), ["created|suppressed|created_by_bot"]);
}

#[tokio::test]
async fn a_mark_typed_long_after_the_booking_was_told_makes_no_bot_of_it() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.edit(SALON, record, |row| {
        row["comment"] = "писала в WhatsApp".into()
    });
    world.tell().await;
    assert_eq!(
        world.rows("SELECT created_by_bot FROM appointments_cache"),
        ["0"]
    );
    assert_eq!(world.decisions().len(), 1);
}

#[tokio::test]
async fn a_bots_user_is_as_good_as_its_mark() {
    let world = World::watching_with("bot_user_ids = [77]", "").await;
    let decisions = silent(&world, haircut("2026-08-21T14:30:00")).await;
    assert_eq!(decisions, ["created|suppressed|created_by_bot"]);
}

#[tokio::test]
async fn what_has_begun_is_not_told() {
    let world = World::watching().await;
    let decisions = silent(&world, haircut("2026-08-20T11:00:00")).await;
    assert_eq!(decisions, ["created|suppressed|past"]);
}

#[tokio::test]
async fn a_client_without_a_phone_is_no_phone_and_none_at_all_is_no_client() {
    let world = World::watching().await;
    world
        .salon
        .book(haircut("2026-08-21T14:30:00").client("Анна", ""));
    let nobody = world.salon.book(haircut("2026-08-21T16:30:00"));
    world
        .salon
        .edit(SALON, nobody, |row| row["client"] = serde_json::Value::Null);
    world
        .salon
        .book(haircut("2026-08-21T18:30:00").client("Борис", "12345"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    let mut decisions = world.decisions();
    decisions.sort();
    assert_eq!(
        decisions,
        [
            "created|suppressed|no_client",
            "created|suppressed|no_phone",
            "created|suppressed|no_phone"
        ]
    );
}

#[tokio::test]
async fn a_blocked_slot_is_no_booking() {
    let world = World::watching().await;
    world
        .salon
        .book(BookingDraft::new(SALON, at("2026-08-21T14:30:00")).staff(5, "Бари"));
    world.tell().await;
    assert_eq!(world.decisions().len(), 0);
    assert_eq!(world.rows("SELECT count(*) FROM booking_events"), ["0"]);
}

#[tokio::test]
async fn a_kind_that_is_switched_off_moves_what_is_known() {
    let world = World::watching_with("", "notify = { updated = false }").await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    assert_eq!(
        world.decisions(),
        ["created|sent|", "updated|suppressed|disabled"]
    );
    world.salon.cancel(SALON, record);
    world.tell().await;
    // The cancellation names the time that stood last.
    assert!(
        world.told()[1].contains("22 августа в 16:00"),
        "{}",
        world.told()[1]
    );
}

#[tokio::test]
async fn only_test_phones_are_written_to_when_they_are_named() {
    let world = World::watching_with(r#"only_phones = ["+79000000002"]"#, "").await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world
        .salon
        .book(haircut("2026-08-21T16:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(world.green.sent()[0].chat, "79000000002@c.us");
    let mut decisions = world.decisions();
    decisions.sort();
    assert_eq!(decisions, ["created|sent|", "created|suppressed|test_mode"]);
}

#[tokio::test]
async fn a_dry_run_sends_nothing() {
    let world = World::watching_with("dry_run = true", "").await;
    let decisions = silent(&world, haircut("2026-08-21T14:30:00")).await;
    assert_eq!(decisions, ["created|suppressed|test_mode"]);
    // What would have been sent can be read.
    assert!(
        world.rows("SELECT message FROM booking_notifications")[0].starts_with("✅ *Вы записаны!*")
    );
}

#[tokio::test]
async fn a_marked_booking_and_an_unwanted_origin_are_silent() {
    let world = World::watching_with(
        r##"quiet_markers = ["#тихо"]
            created_from = ["staff"]"##,
        "",
    )
    .await;
    world
        .salon
        .book(haircut("2026-08-21T14:30:00").comment("#тихо"));
    world.salon.book(haircut("2026-08-21T16:30:00").online());
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    let mut decisions = world.decisions();
    decisions.sort();
    assert_eq!(
        decisions,
        [
            "created|suppressed|origin",
            "created|suppressed|quiet_marker"
        ]
    );
}

#[tokio::test]
async fn a_booking_made_during_two_days_of_downtime_is_stale_and_a_move_is_told() {
    let world = World::watching().await;
    let moved = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    world
        .salon
        .book(haircut("2026-08-26T14:30:00").client("Вера", "+79000000002"));
    world
        .salon
        .reschedule(SALON, moved, at("2026-08-25T16:00:00"));
    world.advance("2d");
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    assert!(
        world.told()[1].starts_with("🔄 *Запись перенесена*"),
        "{}",
        world.told()[1]
    );
    assert!(
        world
            .decisions()
            .contains(&"created|suppressed|stale".to_owned()),
        "{:?}",
        world.decisions()
    );
}

#[tokio::test]
async fn a_price_or_an_attendance_that_changes_is_recorded_and_not_told() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.set_attendance(SALON, record, 2);
    world.tell().await;
    world.salon.edit(SALON, record, |row| {
        row["services"][0]["cost"] = 1200.into()
    });
    world.tell().await;
    world.salon.edit(SALON, record, |row| {
        row["comment"] = "аллергия на аммиак".into()
    });
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(
        world.rows("SELECT json_extract(payload, '$.changes') IS NOT NULL, event_type FROM booking_events ORDER BY id"),
        ["1|record.created", "1|record.updated", "1|record.updated", "1|record.updated"]
    );
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_events WHERE processed_at IS NULL"),
        ["0"]
    );
}

#[tokio::test]
async fn small_moves_are_not_told_until_they_add_up() {
    let world = World::watching_with(r#"min_shift = "15m""#, "").await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-21T14:40:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    world
        .salon
        .reschedule(SALON, record, at("2026-08-21T14:50:00"));
    world.tell().await;
    assert!(
        world.told()[1].contains("~21 августа в 14:30~ → *21 августа в 14:50*"),
        "{}",
        world.told()[1]
    );
}

#[tokio::test]
async fn quiet_hours_make_a_message_wait_for_the_morning() {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, "").await;
    // 22:00 in Moscow.
    world.advance("10h");
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(world.decisions(), ["created|pending|"]);
    // Half past nine in the morning.
    world.advance("11h");
    world.advance("30m");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_corrected_number_is_told_of_the_booking_and_the_wrong_one_that_it_was_a_mistake() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.edit(SALON, record, |row| {
        row["client"]["phone"] = "+79000000002".into()
    });
    world.tell().await;
    let sent = world.green.sent();
    assert_eq!(sent.len(), 3);
    let to = |chat: &str| {
        sent[1..]
            .iter()
            .find(|s| s.chat == chat)
            .unwrap()
            .text
            .clone()
    };
    assert!(to("79000000002@c.us").starts_with("✅ *Вы записаны!*"));
    assert_eq!(
        to("79000000001@c.us"),
        "Сообщение о записи на 21 августа в 14:30 пришло на этот номер по ошибке. Делать ничего не нужно, простите за беспокойство 🙏"
    );
}

#[tokio::test]
async fn another_client_in_the_same_booking_is_a_cancellation_for_one_and_news_for_the_other() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.edit(SALON, record, |row| {
        row["client"]["id"] = 424_242.into();
        row["client"]["phone"] = "+79000000002".into();
    });
    world.tell().await;
    let sent = world.green.sent();
    let to = |chat: &str| {
        sent[1..]
            .iter()
            .find(|s| s.chat == chat)
            .unwrap()
            .text
            .clone()
    };
    assert!(to("79000000002@c.us").starts_with("✅ *Вы записаны!*"));
    assert!(to("79000000001@c.us").starts_with("❌ *Запись отменена*"));
}

#[tokio::test]
async fn phones_that_disappear_change_nothing() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.hide_phones(SALON);
    world
        .salon
        .reschedule(SALON, record, at("2026-08-21T16:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    assert!(
        world.told()[1].starts_with("🔄 *Запись перенесена*"),
        "{}",
        world.told()[1]
    );
}

#[tokio::test]
async fn a_client_who_gets_many_messages_waits_and_hears_the_rest_as_one() {
    let world = World::watching_with("per_client_per_hour = 2", "").await;
    let record = world.salon.book(haircut("2026-08-27T10:00:00"));
    world.tell().await;
    for hour in 11..15 {
        world
            .salon
            .reschedule(SALON, record, at(&format!("2026-08-27T{hour}:00:00")));
        world.tell().await;
    }
    assert_eq!(world.told().len(), 2);
    world.advance("61m");
    world.turn().await;
    let told = world.told();
    assert_eq!(told.len(), 3);
    assert!(
        told[2].contains("~27 августа в 11:00~ → *27 августа в 14:00*"),
        "{}",
        told[2]
    );
}

#[tokio::test]
async fn news_of_a_visit_that_is_near_waits_for_no_hour() {
    let world = World::watching_with("per_client_per_hour = 1", "").await;
    let record = world.salon.book(haircut("2026-08-20T14:00:00"));
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 2);
}

#[tokio::test]
async fn a_mark_that_was_typed_in_after_the_booking_silences_its_cancellation_too() {
    let world = World::watching_with(r##"quiet_markers = ["#тихо"]"##, "").await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world
        .salon
        .edit(SALON, record, |row| row["comment"] = "#тихо".into());
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(
        world.decisions(),
        ["created|sent|", "cancelled|suppressed|quiet_marker"]
    );
}

#[tokio::test]
async fn no_number_that_nobody_can_have_reaches_a_gateway() {
    let world = World::watching().await;
    let before = world.green.count("sendMessage");
    for (hour, (number, why)) in [
        ("12345", "too short for a number"),
        ("8 900 000-00-0", "not a valid number"),
        ("+7 900 000-00-012", "a wrong number of digits"),
        ("+7 222 000-00-00", "not a valid number"),
        ("8 000 000 00 00", "not a valid number"),
        ("8 (900) 000-00-01, 8 (900) 000-00-02", "not a valid number"),
        ("+999 123 45 67", "not a valid number"),
    ]
    .into_iter()
    .enumerate()
    {
        let start = format!("2026-08-21T1{hour}:00:00");
        let record = world.salon.book(haircut(&start).client("Анна", number));
        world.tell().await;
        let decided = world.rows(&format!(
            "SELECT status, reason, last_error FROM booking_notifications WHERE record_id = {record}"
        ));
        assert_eq!(decided, [format!("suppressed|no_phone|{why}")], "{number}");
    }
    assert_eq!(world.green.count("sendMessage"), before);
    // However it is written, a number that can be had does.
    for (hour, number) in [
        "8 (900) 000-00-01",
        "9000000002",
        "+8 900 000-00-03",
        "375 29 123-45-67",
    ]
    .into_iter()
    .enumerate()
    {
        let start = format!("2026-08-22T1{hour}:00:00");
        world.salon.book(haircut(&start).client("Анна", number));
    }
    world.tell().await;
    let mut chats: Vec<String> = world.green.sent().into_iter().map(|s| s.chat).collect();
    chats.sort();
    assert_eq!(
        chats,
        [
            "375291234567@c.us",
            "79000000001@c.us",
            "79000000002@c.us",
            "79000000003@c.us"
        ]
    );
}

#[tokio::test]
async fn a_field_that_is_not_told_moves_what_is_known_in_silence() {
    let world =
        World::watching_with("", r#"notify = { updated_fields = ["start", "price"] }"#).await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.change_staff(SALON, record, 6, "Тимур");
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(world.decisions()[1], "updated|suppressed|unchanged");
    world.salon.edit(SALON, record, |row| {
        row["services"][0]["cost"] = 1500.into();
        row["services"][0]["discount"] = 25.into();
    });
    world.tell().await;
    let told = world.told();
    assert!(
        told[1].starts_with("🔄 *Изменилась стоимость*"),
        "{}",
        told[1]
    );
    assert!(told[1].contains("👤 Мастер: Тимур"), "{}", told[1]);
}

#[tokio::test]
async fn what_test_phones_keep_from_others_is_recorded_as_it_would_have_been_sent() {
    let world = World::watching_with(r#"only_phones = ["+79000000002"]"#, "").await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    let kept = world.rows(
        "SELECT channel, reason, substr(message, 1, 19) FROM booking_notifications ORDER BY id",
    );
    assert_eq!(
        kept,
        [
            "whatsapp|test_mode|✅ *Вы записаны!*\n\n📅",
            "whatsapp|test_mode|❌ *Запись отменена*"
        ]
    );
}

#[tokio::test]
async fn a_visit_that_moves_away_from_early_morning_does_not_wait_for_the_end_of_quiet_hours() {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, "").await;
    let record = world.salon.book(haircut("2026-08-21T09:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    // 22:00 in Moscow.
    world.advance("10h");
    world
        .salon
        .reschedule(SALON, record, at("2026-08-27T16:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.decisions());
}
