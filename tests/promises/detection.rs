//! Never a false word: what the API does not say is not believed, and what it says is not missed.

use crate::support::fake::Answer;
use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::domain::zone::Zone;
use booking_monitor::ports::ApiError;
use chrono::TimeDelta;

#[tokio::test]
async fn an_idle_poll_costs_one_request() {
    let world = World::watching().await;
    world.advance("1m");
    world.poll().await;
    let before = world.salon.requests().len();
    world.advance("1m");
    world.poll().await;
    assert_eq!(world.salon.requests().len() - before, 1);
}

#[tokio::test]
async fn a_sweep_of_a_small_salon_costs_one_request_more() {
    let world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let before = world.salon.requests().len();
    world.advance("15m");
    assert!(world.poll().await.swept);
    assert_eq!(world.salon.requests().len() - before, 2);
}

#[tokio::test]
async fn a_journal_beyond_one_page_is_read_in_slices_that_fit() {
    let mut world = World::new().await;
    for n in 0..450 {
        let day = 21 + n % 9;
        let draft = haircut(&format!("2026-08-{day}T{:02}:00:00", 9 + n % 10))
            .client("Анна", &format!("+7900000{n:04}"));
        world.salon.book(draft);
    }
    // Older than the baseline, so silence is expected of all of them.
    world.advance("10m");
    world.poll().await;
    assert_eq!(
        world.rows("SELECT count(*) FROM appointments_cache"),
        ["450"]
    );
    world.advance("15m");
    assert!(world.poll().await.swept);
    world.restart().await;
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(
        world.rows("SELECT count(*) FROM appointments_cache WHERE missing_since IS NOT NULL"),
        ["0"]
    );
}

#[tokio::test]
async fn a_single_day_beyond_one_page_is_read_too() {
    let world = World::new().await;
    for n in 0..230 {
        world
            .salon
            .book(haircut("2026-08-21T12:00:00").client("Анна", &format!("+7900000{n:04}")));
    }
    world.advance("10m");
    world.poll().await;
    assert_eq!(
        world.rows("SELECT count(*) FROM appointments_cache"),
        ["230"]
    );
}

#[tokio::test]
async fn answers_that_are_no_answers_change_nothing_and_the_next_poll_heals() {
    let faults = [
        Fault::Status(500, String::new()),
        Fault::Status(502, "<html>bad gateway</html>".into()),
        Fault::Empty200,
        Fault::Html,
        Fault::Truncated,
        Fault::SuccessFalse("Внутренняя ошибка".into()),
        Fault::TooManyRequests { seconds: 1 },
    ];
    for fault in faults {
        let world = World::watching().await;
        let records: Vec<i64> = (0..12)
            .map(|n| {
                world.salon.book(
                    haircut("2026-08-21T14:30:00").client("Анна", &format!("+790000000{n:02}")),
                )
            })
            .collect();
        world.tell().await;
        assert_eq!(world.told().len(), 12, "{fault:?}");
        world.salon.set_fault(Route::Records, Some(fault.clone()));
        for _ in 0..6 {
            world.advance("15m");
            world.poll_of(SALON).await;
            world.turn().await;
        }
        assert_eq!(world.told().len(), 12, "{fault:?}");
        world.salon.set_fault(Route::Records, None);
        world.advance("5s");
        world
            .salon
            .reschedule(SALON, records[0], at("2026-08-21T16:30:00"));
        world.tell().await;
        assert_eq!(world.told().len(), 13, "{fault:?}");
        assert!(
            world.told()[12].starts_with("🔄 *Запись перенесена*"),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_first_listing_that_is_cut_short_is_no_baseline() {
    let world = World::new().await;
    for n in 0..12 {
        world
            .salon
            .book(haircut("2026-08-21T14:30:00").client("Анна", &format!("+790000000{n:02}")));
    }
    world.advance("1h");
    world
        .salon
        .set_fault(Route::Records, Some(Fault::Truncated));
    assert!(matches!(
        world.poll_of(SALON).await.error,
        Some(ApiError::Unreadable(_))
    ));
    world.salon.set_fault(Route::Records, Some(Fault::Empty200));
    world.poll_of(SALON).await;
    world.salon.set_fault(Route::Records, None);
    for _ in 0..4 {
        world.advance("15m");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.told().len(), 0);
    assert_eq!(
        world.rows("SELECT count(*) FROM appointments_cache"),
        ["12"]
    );
}

#[tokio::test]
async fn a_record_that_vanishes_is_told_as_cancelled_once_the_api_has_said_so_twice() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.erase(SALON, record);
    world.advance("15m");
    world.poll().await;
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told().len(), 1, "one look is no proof");
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    assert!(
        world.told()[1].starts_with("❌ *Запись отменена*"),
        "{}",
        world.told()[1]
    );
    let reason = world.rows("SELECT json_extract(payload, '$.data.reason') FROM booking_events ORDER BY id DESC LIMIT 1");
    assert_eq!(reason, ["not_found"]);
}

#[tokio::test]
async fn a_booking_put_into_the_past_and_erased_there_is_cancelled_for_whoever_expects_it_later() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    // A slip of the mouse at the desk: nobody is told that their visit was this morning.
    world
        .salon
        .reschedule(SALON, record, at("2026-08-20T08:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1, "{:?}", world.decisions());
    world.salon.erase(SALON, record);
    world.advance("15m");
    world.tell().await;
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.decisions());
    let text = &world.told()[1];
    assert!(text.starts_with("❌ *Запись отменена*"), "{text}");
    assert!(text.contains("25 августа в 14:30"), "{text}");
}

#[tokio::test]
async fn such_a_cancellation_is_repeated_when_nobody_knows_whether_it_arrived() {
    let world = World::watching_with(r#"on_uncertain = "resend""#, "").await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-20T08:00:00"));
    world.tell().await;
    world.salon.erase(SALON, record);
    world.advance("15m");
    world.tell().await;
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: false });
    world.tell().await;
    assert_eq!(world.told().len(), 1, "{:?}", world.decisions());
    world.give_up_searching().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.decisions());
    let text = &world.told()[1];
    assert!(text.contains("25 августа в 14:30"), "{text}");
}

#[tokio::test]
async fn what_has_passed_and_is_erased_afterwards_is_asked_for_by_nobody() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-20T13:00:00"));
    world.tell().await;
    world.advance("2h");
    world.salon.erase(SALON, record);
    let before = world.salon.requests().len();
    world.advance("15m");
    world.tell().await;
    world.tell().await;
    let asked = world.salon.requests().split_off(before);
    let by_id = |r: &&booking_monitor::demo::salon::Request| r.route == Some(Route::Record);
    assert_eq!(asked.iter().filter(by_id).count(), 0, "{asked:?}");
    assert_eq!(world.told().len(), 1);
}

/// Every record asked for by id is not found, for as long as five sweeps take.
async fn an_hour_of_404(world: &World) {
    let gone = r#"{"success":false,"data":null,"meta":{"message":"Не найдено"}}"#;
    world
        .salon
        .set_fault(Route::Record, Some(Fault::Status(404, gone.into())));
    for _ in 0..5 {
        world.advance("15m");
        world.poll().await;
        world.advance("31s");
        world.turn().await;
    }
}

#[tokio::test]
async fn a_booking_that_passes_to_a_hidden_master_is_no_cancellation() {
    let world = World::watching().await;
    let book = |staff: i64, name: &str, n: i64| {
        let draft = haircut("2026-08-22T14:30:00").staff(staff, name);
        world
            .salon
            .book(draft.client("Анна", &format!("+790000000{n:02}")))
    };
    let records: Vec<i64> = (0..3).map(|n| book(5, "Ольга", n)).collect();
    for n in 3..6 {
        book(6, "Тимур", n);
    }
    world.tell().await;
    assert_eq!(world.told().len(), 6);
    world.salon.hide_staff(SALON, 6);
    world.salon.change_staff(SALON, records[0], 6, "Тимур");
    an_hour_of_404(&world).await;
    assert_eq!(world.told().len(), 6, "{:?}", world.told());
    // Seen again, it is what it always was: a booking with another master.
    world.salon.set_fault(Route::Record, None);
    world.salon.show_staff(SALON, 6);
    world.advance("15m");
    world.tell().await;
    assert_eq!(world.told().len(), 7);
    assert!(world.told()[6].contains("Тимур"), "{}", world.told()[6]);
}

#[tokio::test]
async fn what_changed_while_numbers_were_hidden_is_told_once_they_are_shown() {
    let world = World::new().await;
    let book = |n: i64| {
        let draft = haircut("2026-08-22T14:30:00");
        world
            .salon
            .book(draft.client("Анна", &format!("+790000000{n:02}")))
    };
    let records: Vec<i64> = (0..3).map(book).collect();
    world.salon.hide_phones(SALON);
    world.advance("1h");
    world.poll().await;
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-23T16:00:00"));
    world.tell().await;
    world.salon.show_phones(SALON);
    world.advance("15m");
    world.tell().await;
    assert_eq!(world.told().len(), 1, "{:?}", world.told());
    let text = &world.told()[0];
    assert!(
        text.contains("~22 августа в 14:30~ → *23 августа в 16:00*"),
        "{text}"
    );
}

#[tokio::test]
async fn a_hidden_master_is_no_cancellation() {
    let world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.hide_staff(SALON, 5);
    for _ in 0..4 {
        world.advance("15m");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_hidden_master_whose_bookings_answer_404_is_no_cancellation() {
    let world = World::watching().await;
    for n in 0..3 {
        let draft = haircut("2026-08-22T14:30:00");
        world
            .salon
            .book(draft.client("Анна", &format!("+790000000{n:02}")));
    }
    world.salon.book(
        haircut("2026-08-22T14:30:00")
            .staff(6, "Тимур")
            .client("Вера", "+79000000099"),
    );
    world.tell().await;
    world.salon.hide_staff(SALON, 5);
    an_hour_of_404(&world).await;
    assert_eq!(world.told().len(), 4);
    world.salon.set_fault(Route::Record, None);
    world.salon.show_staff(SALON, 5);
    world.advance("15m");
    world.tell().await;
    assert_eq!(world.told().len(), 4);
}

#[tokio::test]
async fn phones_that_were_hidden_at_the_baseline_bring_no_burst_when_they_come_to_light() {
    let world = World::new().await;
    let records: Vec<i64> = (0..12)
        .map(|n| {
            let draft = haircut("2026-08-22T14:30:00");
            world
                .salon
                .book(draft.client("Анна", &format!("+790000000{n:02}")))
        })
        .collect();
    world.salon.hide_phones(SALON);
    world.advance("1h");
    world.poll().await;
    world.salon.show_phones(SALON);
    world.advance("15m");
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    // They know their bookings, and hear of a move as a move.
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-23T16:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert!(
        world.told()[0].starts_with("🔄 *Запись перенесена*"),
        "{}",
        world.told()[0]
    );
}

#[tokio::test]
async fn a_booking_moved_beyond_the_horizon_is_a_change_and_one_that_passes_is_nothing() {
    let world = World::watching_with(r#"horizon = "7d""#, "").await;
    let moved = world.salon.book(haircut("2026-08-21T14:30:00"));
    world
        .salon
        .book(haircut("2026-08-20T18:00:00").client("Вера", "+79000000002"));
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    world
        .salon
        .reschedule(SALON, moved, at("2026-10-01T14:30:00"));
    world.tell().await;
    assert!(
        world.told()[2].contains("→ *1 октября в 14:30*"),
        "{}",
        world.told()[2]
    );
    for _ in 0..30 {
        world.advance("2h");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.told().len(), 3);
}

#[tokio::test]
async fn what_a_poll_missed_the_sweep_brings() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let stamp = world.salon.row(SALON, record).unwrap()["last_change_date"].clone();
    // Another booking moves the cursor on, beyond the overlap.
    world.advance("20m");
    world
        .salon
        .book(haircut("2026-08-21T16:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    // Moved without its change date moving: no `changed_after` lists it.
    world.salon.edit(SALON, record, |row| {
        row["date"] = "2026-08-22 16:00:00".into();
        row["datetime"] = "2026-08-22T16:00:00+03:00".into();
        row["last_change_date"] = stamp;
    });
    world.tell().await;
    assert_eq!(world.told().len(), 2, "the poll cannot see it");
    world.advance("15m");
    world.tell().await;
    assert_eq!(world.told().len(), 3);
    assert!(
        world.told()[2].starts_with("🔄 *Запись перенесена*"),
        "{}",
        world.told()[2]
    );
}

#[tokio::test]
async fn a_change_that_a_poll_should_have_brought_widens_its_view_for_good() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.rows("SELECT overlap_seconds FROM companies"), ["600"]);
    // The poll says that nothing changed; the sweep right after it knows better.
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.advance("15m");
    world.salon.fail_next(Route::Records, 1, Fault::Empty200);
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    assert_eq!(
        world.rows("SELECT overlap_seconds FROM companies"),
        ["93600"]
    );
    // What a sweep merely sees first is no miss.
    let other = World::watching().await;
    let record = other.salon.book(haircut("2026-08-21T14:30:00"));
    other.tell().await;
    other.advance("15m");
    other
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    other.salon.fail_next(Route::Records, 1, Fault::Empty200);
    other.tell().await;
    assert_eq!(other.rows("SELECT overlap_seconds FROM companies"), ["600"]);
}

#[tokio::test]
async fn an_old_booking_changed_for_the_first_time_is_told_without_old_values() {
    let world = World::watching_with(r#"horizon = "7d""#, "").await;
    world.advance("1m");
    let far = world.salon.book(haircut("2026-12-01T14:30:00"));
    world
        .salon
        .backdate(SALON, far, "2026-08-01T09:00:00Z".parse().unwrap());
    world.poll().await;
    world
        .salon
        .reschedule(SALON, far, at("2026-12-01T15:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert!(
        world.told()[0].starts_with("🔄 *Запись обновлена*"),
        "{}",
        world.told()[0]
    );
    assert_eq!(
        world.rows("SELECT event_type FROM booking_events"),
        ["record.updated"]
    );
}

#[tokio::test]
async fn services_in_another_order_are_the_same_services() {
    let world = World::watching().await;
    let record = world
        .salon
        .book(haircut("2026-08-21T14:30:00").service(47, "Борода", 1500, 0));
    world.tell().await;
    world.salon.edit(SALON, record, |row| {
        let services = row["services"].as_array_mut().unwrap();
        services.reverse();
    });
    world.tell().await;
    assert_eq!(world.rows("SELECT count(*) FROM booking_events"), ["1"]);
}

#[tokio::test]
async fn a_refused_company_is_asked_again_only_after_five_minutes_and_the_others_go_on() {
    let world =
        World::watching_with("", "[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]").await;
    world
        .salon
        .add_company(222_222, "Вторая", "Москва", Zone::moscow());
    world.poll_of(222_222).await;
    world.salon.forbid(SALON, true);
    let report = world.poll_of(SALON).await;
    assert!(
        matches!(report.error, Some(ApiError::Denied { status: 403, .. })),
        "{:?}",
        report.error
    );
    assert_eq!(
        world.rows(
            "SELECT denied, strftime('%M', next_try_at) FROM companies WHERE company_id = 111111"
        ),
        ["403|05"]
    );
    world.salon.book(haircut("2026-08-21T14:30:00"));
    let mut other = haircut("2026-08-21T14:30:00");
    other.company = 222_222;
    world.salon.book(other);
    world.poll_of(222_222).await;
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told().len(), 1);
    world.salon.forbid(SALON, false);
    world.tell().await;
    assert_eq!(world.told().len(), 2, "nothing was lost");
}

#[tokio::test]
async fn many_cancellations_at_once_are_held_until_a_person_lets_them_go() {
    let world = World::watching().await;
    let records: Vec<i64> = (0..10)
        .map(|n| {
            world
                .salon
                .book(haircut("2026-08-21T14:30:00").client("Анна", &format!("+790000000{n:02}")))
        })
        .collect();
    world.tell().await;
    for record in &records[..7] {
        world.salon.cancel(SALON, *record);
    }
    world.tell().await;
    assert_eq!(world.told().len(), 10, "no cancellation left");
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE status = 'held'"),
        ["7"]
    );
    // One comes back: its hold ends by itself.
    world.salon.restore(SALON, records[0]);
    world.tell().await;
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE status = 'held'"),
        ["6"]
    );
    let now = booking_monitor::ports::Clock::now(&world.clock);
    world
        .pipeline()
        .store()
        .write(move |tx| booking_monitor::store::guard::release(tx, SALON, now))
        .await
        .unwrap();
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 16);
    assert!(
        world.told()[10..]
            .iter()
            .all(|t| t.starts_with("❌ *Запись отменена*"))
    );
}

#[tokio::test]
async fn records_erased_without_a_trace_count_for_the_guard_too() {
    let world = World::watching().await;
    let records: Vec<i64> = (0..10)
        .map(|n| {
            let draft = haircut("2026-08-23T14:30:00");
            world
                .salon
                .book(draft.client("Анна", &format!("+790000000{n:02}")))
        })
        .collect();
    world.tell().await;
    world.advance("12h");
    for record in &records[..7] {
        world.salon.erase(SALON, *record);
    }
    world.poll().await;
    world.tell().await;
    assert_eq!(world.told().len(), 10, "no cancellation left");
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE status = 'held'"),
        ["7"]
    );
}

#[tokio::test]
async fn five_cancellations_at_once_are_an_ordinary_day() {
    let world = World::watching().await;
    let records: Vec<i64> = (0..5)
        .map(|n| {
            world
                .salon
                .book(haircut("2026-08-21T14:30:00").client("Анна", &format!("+790000000{n:02}")))
        })
        .collect();
    world.tell().await;
    for record in records {
        world.salon.cancel(SALON, record);
    }
    world.tell().await;
    assert_eq!(world.told().len(), 10);
}

#[tokio::test]
async fn the_cache_shows_the_journal_to_people_with_sqlite() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(
        world.rows(
            "SELECT record_id, start_local, start_at, staff_name, client_phone, attendance, deleted, origin
               FROM appointments_cache"
        ),
        [format!("{record}|2026-08-21T14:30:00|2026-08-21T11:30:00.000Z|Бари|{PHONE}|0|0|staff")]
    );
}

#[tokio::test]
async fn a_change_made_just_after_the_servers_clock_was_set_right_is_no_stale_read() {
    let world = World::new().await;
    world.salon.skew_clock(TimeDelta::minutes(15));
    world.poll().await;
    world.advance("1h");
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    world.salon.skew_clock(TimeDelta::zero());
    world.advance("2m");
    // Dated before the booking itself, which bears a date of the wrong clock.
    world
        .salon
        .reschedule(SALON, record, at("2026-08-26T16:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.decisions());
    assert!(world.told()[1].starts_with("🔄 *Запись перенесена*"));
    for _ in 0..4 {
        world.advance("15m");
        world.tell().await;
    }
    assert_eq!(world.told().len(), 2, "{:?}", world.told());
}

#[tokio::test]
async fn another_booking_under_the_same_id_is_no_bots_for_the_old_ones_sake() {
    let world = World::watching().await;
    let record = world
        .salon
        .book(haircut("2026-08-25T14:30:00").comment("AI Admin"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    world.advance("1h");
    world.salon.edit(SALON, record, |row| {
        row["create_date"] = row["last_change_date"].clone();
        row["comment"] = "".into();
        row["client"]["id"] = 424_242.into();
        row["client"]["phone"] = "+79000000033".into();
    });
    world.tell().await;
    let sent = world.green.sent();
    let to: Vec<&str> = sent.iter().map(|s| s.chat.as_str()).collect();
    assert_eq!(to, ["79000000033@c.us"], "{:?}", world.decisions());
}

#[tokio::test]
async fn a_row_without_a_master_names_no_other_master() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    world.salon.edit(SALON, record, |row| {
        row["staff"] = serde_json::Value::Null;
        row["staff_id"] = 0.into();
    });
    world.tell().await;
    assert_eq!(world.told().len(), 1, "{:?}", world.told());
    world
        .salon
        .reschedule(SALON, record, at("2026-08-25T16:00:00"));
    world.tell().await;
    assert!(world.told()[1].contains("Бари"), "{}", world.told()[1]);
}

#[tokio::test]
async fn a_company_with_a_user_of_its_own_is_read_with_that_users_token_alone() {
    let rest = "user_token = \"of somebody whom the salon does not know\"\n\
                [[companies]]\nid = 222222\nchannels = [\"whatsapp\"]";
    let world = World::with("", rest).await;
    world
        .salon
        .add_company(222_222, "Вторая", "Москва", Zone::moscow());
    let refused = world.poll_of(SALON).await.error;
    assert!(refused.is_some());
    assert_eq!(world.poll_of(222_222).await.error, None);
}
