//! The life of a booking, from the journal to the client's phone, through the real HTTP client, the
//! real database and the real adapters.

use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::demo::salon::{BookingDraft, DraftService};

const CREATED: &str = "✅ *Вы записаны!*

📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇";

#[tokio::test]
async fn a_booking_is_told_when_made_moved_and_cancelled() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told(), [CREATED]);

    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    assert_eq!(
        world.told()[1],
        "🔄 *Запись перенесена*

📅 ~21 августа в 14:30~ → *22 августа в 16:00*
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Если время не подходит, напишите мне здесь 👇"
    );

    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(
        world.told()[2],
        "❌ *Запись отменена*

📅 22 августа в 16:00
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари

Подобрать другое время? Напишите мне здесь 👇"
    );
    assert_eq!(world.green.sent()[0].chat, "79000000001@c.us");
    assert_eq!(
        world.decisions(),
        ["created|sent|", "updated|sent|", "cancelled|sent|"]
    );
    assert_eq!(
        world.rows("SELECT event_type, processed_at IS NOT NULL FROM booking_events ORDER BY id"),
        ["record.created|1", "record.updated|1", "record.deleted|1"]
    );
}

#[tokio::test]
async fn the_first_run_is_silent_and_the_next_change_is_told() {
    let world = World::new().await;
    let mut records = Vec::new();
    for n in 0..30 {
        let draft = haircut("2026-08-21T14:30:00").client("Анна", &format!("+790000000{n:02}"));
        records.push(world.salon.book(draft));
    }
    world.advance("10m");
    let report = world.poll().await;
    assert!(report.baseline);
    assert_eq!((report.counts.silent, report.counts.events()), (30, 0));
    world.advance("1h");
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications"),
        ["0"]
    );

    world.salon.change_staff(SALON, records[7], 6, "Тимур");
    world.tell().await;
    assert_eq!(
        world.told(),
        ["🔄 *Вас примет другой мастер*

👤 ~Бари~ → *Тимур*
📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Если хотите остаться у прежнего мастера, напишите мне здесь 👇"]
    );
}

#[tokio::test]
async fn nothing_leaves_before_the_delay_after_the_last_change_has_passed() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("29s");
    world.turn().await;
    assert_eq!(world.told().len(), 0);
    world
        .salon
        .reschedule(SALON, record, at("2026-08-21T15:00:00"));
    world.poll().await;
    world.advance("29s");
    world.turn().await;
    assert_eq!(world.told().len(), 0);
    world.advance("1s");
    world.turn().await;
    assert_eq!(world.told(), [CREATED.replace("14:30", "15:00")]);
}

#[tokio::test]
async fn endless_changes_are_told_when_the_longest_delay_ends() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T10:00:00"));
    world.poll().await;
    for minute in 1..=15 {
        world.advance("20s");
        let start = format!("2026-08-21T10:{minute:02}:00");
        world.salon.reschedule(SALON, record, at(&start));
        world.poll().await;
        world.turn().await;
    }
    // Five minutes after the first change.
    assert_eq!(world.told(), [CREATED.replace("14:30", "10:15")]);
}

#[tokio::test]
async fn five_moves_within_the_delay_are_one_message_with_the_final_state() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    for hour in 11..=15 {
        world
            .salon
            .reschedule(SALON, record, at(&format!("2026-08-22T{hour}:00:00")));
        world.poll().await;
        world.advance("5s");
    }
    world.advance("30s");
    world.turn().await;
    assert_eq!(world.told().len(), 2);
    assert!(
        world.told()[1].contains("~21 августа в 14:30~ → *22 августа в 15:00*"),
        "{}",
        world.told()[1]
    );
}

#[tokio::test]
async fn made_and_dropped_within_the_delay_is_silence() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("10s");
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(world.decisions(), ["cancelled|suppressed|unchanged"]);
}

#[tokio::test]
async fn there_and_back_within_the_delay_is_silence() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.poll().await;
    world.advance("10s");
    world
        .salon
        .reschedule(SALON, record, at("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told(), [CREATED]);
    assert_eq!(world.decisions()[1], "updated|suppressed|unchanged");
}

#[tokio::test]
async fn what_comes_back_after_a_cancellation_is_told_as_restored() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    world.salon.restore(SALON, record);
    world.tell().await;
    assert!(
        world.told()[2].starts_with("✅ *Ваша запись снова в силе*"),
        "{}",
        world.told()[2]
    );
    assert_eq!(world.decisions()[2], "updated|sent|");
}

#[tokio::test]
async fn two_records_of_one_visit_are_one_message() {
    let world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00").visit(900));
    world.salon.book(
        BookingDraft::new(SALON, at("2026-08-21T15:30:00"))
            .client("Анна", PHONE)
            .staff(6, "Анна")
            .service(46, "Маникюр", 1500, 0)
            .visit(900),
    );
    world.tell().await;
    assert_eq!(
        world.told(),
        ["✅ *Вы записаны!*

📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари

📅 21 августа в 15:30
💇 Маникюр
👤 Мастер: Анна
💰 Стоимость: ~3500 руб~ 2500 руб
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇"]
    );
    assert_eq!(
        world.rows(
            "SELECT kind, status, coalesce(reason, ''), superseded_by IS NOT NULL
               FROM booking_notifications ORDER BY id"
        ),
        ["created|sent||0", "created|suppressed|superseded|1"]
    );
}

#[tokio::test]
async fn a_move_of_one_booking_is_told_as_a_change_of_the_visit_in_order_of_time() {
    let world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00").visit(900));
    let nails = BookingDraft::new(SALON, at("2026-08-21T15:30:00"))
        .client("Анна", PHONE)
        .staff(6, "Анна")
        .service(46, "Маникюр", 1500, 0)
        .visit(900);
    let nails = world.salon.book(nails);
    world.tell().await;
    world
        .salon
        .reschedule(SALON, nails, at("2026-08-21T12:00:00"));
    world.tell().await;
    assert_eq!(
        world.told()[1..],
        ["🔄 *Запись перенесена*

📅 ~21 августа в 15:30~ → *21 августа в 12:00*
💇 Маникюр
👤 Мастер: Анна

📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: ~3500 руб~ 2500 руб
📍 Малаховка, Южная улица, 38

Если время не подходит, напишите мне здесь 👇"]
    );
}

#[tokio::test]
async fn a_visit_of_which_something_stands_is_changed_and_not_cancelled() {
    let world = World::watching().await;
    let first = world.salon.book(haircut("2026-08-21T14:30:00").visit(900));
    let second = world.salon.book(haircut("2026-08-21T15:30:00").visit(900));
    world.tell().await;
    world.salon.cancel(SALON, first);
    world.tell().await;
    assert!(
        world.decisions().contains(&"updated|sent|".to_owned()),
        "{:?}",
        world.decisions()
    );
    assert!(!world.told()[1].contains("отменена"), "{}", world.told()[1]);
    world.salon.cancel(SALON, second);
    world.tell().await;
    assert!(
        world.told()[2].starts_with("❌ *Запись отменена*"),
        "{}",
        world.told()[2]
    );
}

#[tokio::test]
async fn a_changed_service_is_told_with_what_came_and_what_went() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.change_services(
        SALON,
        record,
        &[
            DraftService::new(45, "МУЖСКАЯ СТРИЖКА", 2000, 50),
            DraftService::new(47, "Оформление бороды", 1500, 0),
        ],
    );
    world.tell().await;
    assert_eq!(
        world.told()[1],
        "🔄 *Изменились услуги*

➕ Добавили: Оформление бороды
📅 21 августа в 14:30
💇 Теперь в записи: МУЖСКАЯ СТРИЖКА, Оформление бороды
👤 Мастер: Бари
💰 Стоимость: ~3500 руб~ 2500 руб
📍 Малаховка, Южная улица, 38

Если что-то не так, напишите мне здесь 👇"
    );
}

#[tokio::test]
async fn an_event_carries_the_webhook_shape_with_old_and_new() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    let payload: serde_json::Value = serde_json::from_str(
        &world.rows("SELECT payload FROM booking_events ORDER BY id DESC LIMIT 1")[0],
    )
    .unwrap();
    assert_eq!(payload["event"], "record.updated");
    assert_eq!(payload["resource"], "record");
    assert_eq!(payload["status"], "update");
    assert_eq!(payload["company_id"], SALON);
    assert_eq!(payload["resource_id"], record);
    assert_eq!(payload["changes"]["datetime"]["old"], "2026-08-21 14:30:00");
    assert_eq!(payload["changes"]["datetime"]["new"], "2026-08-22 16:00:00");
    assert_eq!(payload["data"]["sum"], 1000);
    assert_eq!(payload["data"]["client"]["phone"], PHONE);
    assert_eq!(
        world.rows("SELECT event_id FROM booking_events ORDER BY id DESC LIMIT 1")[0],
        payload["event_id"].as_str().unwrap()
    );
}

#[tokio::test]
async fn a_booking_that_joins_another_visit_before_it_was_told_is_told_all_the_same() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00").visit(900));
    world.poll().await;
    // The message is ready; the visit's id changes before it leaves, and nothing else does.
    world.advance("31s");
    world.settle().await;
    world
        .salon
        .edit(SALON, record, |row| row["visit_id"] = 901.into());
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told(), [CREATED]);
}

#[tokio::test]
async fn a_booking_that_leaves_a_visit_takes_what_is_known_of_it_along() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00").visit(900));
    world.tell().await;
    world
        .salon
        .edit(SALON, record, |row| row["visit_id"] = 901.into());
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    assert!(
        world.told()[1].starts_with("🔄 *Запись перенесена*"),
        "{}",
        world.told()[1]
    );
}

#[tokio::test]
async fn a_booking_deleted_and_made_anew_within_the_delay_is_a_move() {
    for new_first in [false, true] {
        let world = World::watching().await;
        let old = world.salon.book(haircut("2026-08-21T14:30:00"));
        world.tell().await;
        if new_first {
            world.salon.book(haircut("2026-08-22T16:00:00"));
            world.poll().await;
            world.advance("10s");
            world.salon.cancel(SALON, old);
        } else {
            world.salon.cancel(SALON, old);
            world.poll().await;
            world.advance("10s");
            world.salon.book(haircut("2026-08-22T16:00:00"));
        }
        world.poll().await;
        for _ in 0..5 {
            world.advance("15s");
            world.turn().await;
        }
        assert_eq!(world.told().len(), 2, "{:?}", world.told());
        assert!(
            world.told()[1].contains("~21 августа в 14:30~ → *22 августа в 16:00*"),
            "{}",
            world.told()[1]
        );

        // From then on it is a booking like any other.
        let new = world.rows("SELECT record_id FROM appointments_cache WHERE deleted = 0");
        world.salon.cancel(SALON, new[0].parse().unwrap());
        world.tell().await;
        assert!(
            world.told()[2].starts_with("❌ *Запись отменена*"),
            "{}",
            world.told()[2]
        );
    }
}

/// The old one went, and half a delay later the new one came: when the old one's delay ends, the new
/// one's still runs.
async fn moved_by_making_anew(to: &str) -> (World, i64, i64) {
    let world = World::watching().await;
    let old = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.cancel(SALON, old);
    world.poll().await;
    world.advance("15s");
    let new = world.salon.book(haircut(to));
    world.poll().await;
    world.advance("16s");
    world.turn().await;
    assert_eq!(world.told(), [CREATED]);
    (world, old, new)
}

#[tokio::test]
async fn a_booking_made_anew_and_dropped_before_anybody_heard_of_it_is_a_cancellation() {
    let (world, _, new) = moved_by_making_anew("2026-08-22T16:00:00").await;
    world.salon.cancel(SALON, new);
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.told());
    assert!(
        world.told()[1].starts_with("❌ *Запись отменена*"),
        "{}",
        world.told()[1]
    );
}

#[tokio::test]
async fn a_booking_that_is_on_again_beside_the_one_made_anew_is_not_told_a_second_time() {
    let (world, old, _) = moved_by_making_anew("2026-08-22T16:00:00").await;
    world.salon.restore(SALON, old);
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.told());
    let new = &world.told()[1];
    assert!(new.starts_with("✅ *Вы записаны!*"), "{new}");
    assert!(new.contains("22 августа в 16:00"), "{new}");
}

#[tokio::test]
async fn a_booking_made_anew_that_gets_another_number_leaves_its_old_one_cancelled() {
    let (world, _, new) = moved_by_making_anew("2026-08-22T16:00:00").await;
    world.salon.edit(SALON, new, |row| {
        row["client"]["phone"] = "+79000000042".into();
    });
    world.tell().await;
    world.tell().await;
    let sent = world.green.sent();
    let mut told: Vec<(&str, bool)> = sent[1..]
        .iter()
        .map(|s| (s.chat.as_str(), s.text.starts_with("❌ *Запись отменена*")))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [("79000000001@c.us", true), ("79000000042@c.us", false)],
        "{:?}",
        world.told()
    );
    let off = sent.iter().find(|s| s.text.starts_with('❌'));
    assert!(off.unwrap().text.contains("21 августа в 14:30"), "{off:?}");
}

#[tokio::test]
async fn a_booking_made_anew_into_a_visit_that_is_told_whole_leaves_its_old_one_cancelled() {
    let world = World::new().await;
    let unseen = haircut("2026-08-22T17:00:00").staff(6, "Тимур").visit(77);
    let unseen = world.salon.book(unseen);
    world.salon.hide_staff(SALON, 6);
    world.advance("1h");
    world.poll().await;
    let old = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1, "{:?}", world.told());
    world.salon.cancel(SALON, old);
    world.salon.book(haircut("2026-08-22T16:00:00").visit(77));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    assert_eq!(world.decisions().last().unwrap(), "updated|pending|");
    // Before it leaves, a part of the visit comes into view of which nobody knows what was said.
    world.salon.show_staff(SALON, 6);
    world.salon.edit(SALON, unseen, |row| {
        row["comment"] = "у окна".into();
    });
    world.tell().await;
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 3, "{:?}", world.decisions());
    let off = told.iter().find(|t| t.starts_with("❌ *Запись отменена*"));
    assert!(off.unwrap().contains("21 августа в 14:30"), "{told:?}");
    let whole = told[1..].iter().find(|t| !t.starts_with('❌')).unwrap();
    assert!(
        whole.contains("16:00") && whole.contains("17:00"),
        "{whole}"
    );
}

#[tokio::test]
async fn a_visit_noted_down_after_the_fact_takes_no_booking_ahead_with_it() {
    let world = World::watching().await;
    let old = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.cancel(SALON, old);
    world.salon.book(haircut("2026-08-05T09:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.told());
    assert!(
        world.told()[1].starts_with("❌ *Запись отменена*"),
        "{}",
        world.told()[1]
    );
}

#[tokio::test]
async fn a_visit_that_is_over_and_struck_out_did_not_move_to_the_one_booked_next() {
    let world = World::watching().await;
    let over = world.salon.book(haircut("2026-08-20T14:30:00"));
    world.tell().await;
    world.advance("2d");
    world.poll().await;
    world.salon.cancel(SALON, over);
    world.salon.book(haircut("2026-08-29T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.told());
    let new = &world.told()[1];
    assert!(new.starts_with("✅ *Вы записаны!*"), "{new}");
    assert!(new.contains("29 августа в 14:30"), "{new}");
}

#[tokio::test]
async fn a_booking_ahead_is_told_off_when_what_was_made_in_its_place_began_before_anybody_was_told()
{
    for the_delay_ends_in_time in [true, false] {
        let world = World::watching().await;
        let old = world.salon.book(haircut("2026-08-21T14:30:00"));
        world.tell().await;
        world.salon.cancel(SALON, old);
        let new = world.salon.book(haircut("2026-08-20T12:05:00"));
        world.poll().await;
        if the_delay_ends_in_time {
            world.advance("31s");
            world.settle().await;
            assert_eq!(world.decisions().last().unwrap(), "updated|pending|");
        } else {
            // The old one's delay ends, and it moved; the new one goes on changing.
            world.advance("15s");
            world
                .salon
                .reschedule(SALON, new, at("2026-08-20T12:04:00"));
            world.poll().await;
            world.advance("16s");
            world.settle().await;
        }
        world.advance("6m");
        world.turn().await;
        world.turn().await;
        assert_eq!(world.told().len(), 2, "{:?}", world.told());
        let last = &world.told()[1];
        assert!(last.starts_with("❌ *Запись отменена*"), "{last}");
        assert!(last.contains("21 августа в 14:30"), "{last}");
        // And that is the end of it.
        world.advance("15m");
        world.tell().await;
        assert_eq!(world.told().len(), 2, "{:?}", world.told());
    }
}

#[tokio::test]
async fn a_bot_that_moves_a_booking_by_making_it_anew_has_told_the_client_itself() {
    let world = World::watching().await;
    let old = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.cancel(SALON, old);
    world
        .salon
        .book(haircut("2026-08-22T16:00:00").comment("AI Admin"));
    world.tell().await;
    assert_eq!(world.told(), [CREATED]);
    assert!(
        world
            .decisions()
            .contains(&"created|suppressed|created_by_bot".to_owned())
    );
}

#[tokio::test]
async fn a_booking_made_anew_as_it_was_is_silence() {
    let world = World::watching().await;
    let old = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.cancel(SALON, old);
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told(), [CREATED]);
}

#[tokio::test]
async fn two_bookings_that_went_and_one_that_came_are_told_as_what_they_are() {
    let world = World::watching().await;
    let first = world.salon.book(haircut("2026-08-21T14:30:00"));
    let second = world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    world.salon.cancel(SALON, first);
    world.salon.cancel(SALON, second);
    world.salon.book(haircut("2026-08-22T16:00:00"));
    world.tell().await;
    let mut heads: Vec<String> = world.told()[2..]
        .iter()
        .map(|t| t.lines().next().unwrap().to_owned())
        .collect();
    heads.sort();
    assert_eq!(
        heads,
        [
            "✅ *Вы записаны!*",
            "❌ *Запись отменена*",
            "❌ *Запись отменена*"
        ]
    );
}

#[tokio::test]
async fn the_rest_of_a_visit_that_has_begun_is_told_off() {
    let world = World::watching().await;
    world.salon.book(haircut("2026-08-20T12:30:00").visit(900));
    let draft = BookingDraft::new(SALON, at("2026-08-20T18:00:00"));
    let draft = draft.client("Анна", PHONE).staff(6, "Анна");
    let evening = world
        .salon
        .book(draft.service(46, "Маникюр", 1500, 0).visit(900));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    // The haircut is over, and the client would come again in the evening.
    world.advance("1h");
    world.salon.cancel(SALON, evening);
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.decisions());
    let text = &world.told()[1];
    assert!(text.starts_with("❌ *Запись отменена*"), "{text}");
    assert!(text.contains("20 августа в 18:00"), "{text}");
    assert!(!text.contains("12:30"), "{text}");
    world.advance("15m");
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.told());
}
