//! Hard cases, each of them once a way to say something false, to say it twice, or not at all.

use std::time::Duration;

use crate::support::fake::Answer;
use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::daemon;
use booking_monitor::demo::salon::{BookingDraft, Fault, Route};
use booking_monitor::domain::zone::Zone;
use booking_monitor::store::outbox;

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500" }]"#;
const SECOND: &str = "[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]";
const GUARD: Duration = Duration::from_secs(10);

/// A world of two companies.
async fn two_salons() -> World {
    let world = World::watching_with("", SECOND).await;
    world
        .salon
        .add_company(222_222, "Вторая", "Москва", Zone::moscow());
    world.poll_of(222_222).await;
    world
}

/// The second company leaves the configuration.
async fn without_second(world: &mut World) {
    world.config.companies.retain(|c| c.id == SALON);
    world.restart().await;
}

fn in_second(mut draft: BookingDraft) -> BookingDraft {
    draft.company = 222_222;
    draft
}

#[tokio::test]
async fn many_bookings_that_answer_404_at_once_are_held() {
    let world = World::watching().await;
    let records: Vec<i64> = (0..10)
        .map(|n| {
            world
                .salon
                .book(haircut("2026-08-21T14:30:00").client("Анна", &format!("+790000000{n:02}")))
        })
        .collect();
    world.tell().await;
    world.advance("2h");
    world.poll().await;
    for record in &records[..7] {
        world.salon.erase(SALON, *record);
    }
    world.advance("15m");
    world.poll().await;
    world.advance("1m");
    world.poll().await;
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told().len(), 10, "no cancellation left");
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE status = 'held'"),
        ["7"]
    );
}

#[tokio::test]
async fn what_waits_for_a_company_that_left_the_configuration_stops_nobody_else() {
    let mut world = two_salons().await;
    world.salon.book(in_second(haircut("2026-08-21T14:30:00")));
    world.poll_of(222_222).await;
    world.advance("31s");
    world.settle().await;
    without_second(&mut world).await;
    // The same client at the company that stayed.
    world.salon.book(haircut("2026-08-21T16:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    let ended = tokio::time::timeout(GUARD, world.deliver()).await;
    assert_eq!(world.told().len(), 1, "the other company's message left");
    assert!(ended.is_ok(), "delivering never ends");
}

#[tokio::test]
async fn delays_of_a_company_that_left_the_configuration_end_settling_all_the_same() {
    let mut world = two_salons().await;
    for n in 0..100 {
        world.salon.book(in_second(
            haircut("2026-08-21T14:30:00").client("Анна", &format!("+7900000{n:04}")),
        ));
    }
    world.poll_of(222_222).await;
    without_second(&mut world).await;
    world.advance("1m");
    world.salon.book(haircut("2026-08-21T16:30:00"));
    world.poll().await;
    world.advance("31s");
    let ended = tokio::time::timeout(GUARD, world.settle()).await;
    assert!(ended.is_ok(), "settling never ends");
    assert_eq!(world.decisions(), ["created|pending|"]);
}

#[tokio::test]
async fn a_late_failure_of_an_old_message_unsays_nothing_that_was_told_since() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    let first = world.green.sent()[0].id.clone();
    world.green.push_status(&first, "failed");
    world.receive().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 3, "{:?}", world.decisions());
    assert!(world.told()[2].starts_with("❌ *Запись отменена*"));
}

#[tokio::test]
async fn a_booking_given_to_somebody_without_a_phone_is_not_told_to_the_one_who_had_it() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.edit(SALON, record, |row| {
        row["client"]["id"] = 424_242.into();
        row["client"]["name"] = "Борис".into();
        row["client"]["phone"] = "".into();
    });
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("❌ *Запись отменена*"), "{}", told[1]);
}

#[tokio::test]
async fn an_uncertain_message_that_a_later_one_replaced_is_not_sent_again() {
    let world = World::watching().await;
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: false });
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.give_up_searching().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert!(world.told()[0].starts_with("❌ *Запись отменена*"));
    // What `booking-monitor retry 1` writes.
    let now = booking_monitor::ports::Clock::now(&world.clock);
    world
        .pipeline()
        .store()
        .write(move |tx| outbox::set_pending(tx, 1, "whatsapp", now, None, true))
        .await
        .unwrap();
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1, "{:?}", world.told());
}

#[tokio::test]
async fn a_repeated_send_obeys_a_dry_run_that_was_switched_on_meanwhile() {
    let mut world = World::watching_with(r#"on_uncertain = "resend""#, "").await;
    world.green.answer_next(Answer::Drop { taken: false });
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.config.companies[0].rules.dry_run = true;
    world.restart().await;
    world.advance("5s");
    world.turn().await;
    assert_eq!(world.told().len(), 0);
}

#[tokio::test]
async fn a_hidden_master_with_many_bookings_hides_no_deletion_of_others() {
    let world = World::new().await;
    for n in 0..20 {
        world
            .salon
            .book(haircut("2026-08-21T14:30:00").client("Анна", &format!("+790000000{n:02}")));
    }
    let erased = world.salon.book(
        haircut("2026-08-22T14:30:00")
            .staff(6, "Вера")
            .client("Борис", "+79000000099"),
    );
    world.advance("10m");
    world.poll().await;
    world.salon.hide_staff(SALON, 5);
    world.salon.erase(SALON, erased);
    for _ in 0..4 {
        world.advance("15m");
        world.poll().await;
        world.turn().await;
    }
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn suspicions_of_the_past_cost_no_requests() {
    let world = World::new().await;
    world.salon.book(haircut("2026-08-20T18:00:00"));
    world.advance("10m");
    world.poll().await;
    world.salon.hide_staff(SALON, 5);
    world.advance("15m");
    world.poll().await;
    world.advance("1d");
    world.poll().await;
    let before = world.salon.asked(Route::Record);
    world.advance("1m");
    world.poll().await;
    assert_eq!(world.salon.asked(Route::Record), before);
}

#[tokio::test]
async fn the_owner_hears_of_an_exhausted_tariff_although_the_account_is_authorized() {
    let world = World::watching_with("", OWNED).await;
    for _ in 0..200 {
        world.green.answer_next(Answer::http(
            466,
            r#"{"invokeStatus":{"status":"QUOTE_EXCEEDED"}}"#,
        ));
    }
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    for _ in 0..30 {
        world.advance("30s");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.told().len(), 0);
    let alerts: Vec<String> = world
        .owner_told()
        .into_iter()
        .filter(|t| t.starts_with("⚠️"))
        .collect();
    assert_eq!(alerts.len(), 1, "{:?}", world.owner_told());
}

#[tokio::test]
async fn a_sweep_that_keeps_failing_is_asked_more_and_more_rarely_and_told_to_the_owner() {
    let world = World::with("", OWNED).await;
    for n in 0..230 {
        world
            .salon
            .book(haircut("2026-08-21T12:00:00").client("Анна", &format!("+7900000{n:04}")));
    }
    world.advance("10m");
    world.poll().await;
    world.advance("20m");
    world
        .salon
        .book(haircut("2026-08-22T12:00:00").comment("AI Admin"));
    world.tell().await;
    let already = world.owner_told().len();
    world
        .salon
        .set_fault(Route::Records, Some(Fault::RepeatPage));
    world.advance("15m");
    for _ in 0..14 {
        assert!(world.poll_of(SALON).await.error.is_some());
        world.turn().await;
        world.advance("1m");
    }
    assert_eq!(world.rows("SELECT failures FROM companies"), ["14"]);
    assert_eq!(world.owner_told().len() - already, 1);
}

#[tokio::test]
async fn a_message_whose_visit_changed_while_it_was_on_its_way_is_tried_again() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    world.green.answer_next(Answer::http(
        400,
        r#"{"message":"instance in starting process try later"}"#,
    ));
    let bell = world.green.hold_next();
    tokio::join!(world.deliver(), async {
        world.green.wait_for_requests("sendMessage", 1).await;
        world
            .salon
            .edit(SALON, record, |row| row["visit_id"] = 987_654.into());
        world.poll().await;
        bell.notify_one();
    });
    for _ in 0..3 {
        world.advance("31s");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.told().len(), 1, "{:?}", world.decisions());
}

#[tokio::test]
async fn a_single_run_keeps_a_stated_pause_of_the_run_before() {
    let mut world = World::watching().await;
    world.salon.set_fault(
        Route::Records,
        Some(Fault::TooManyRequests { seconds: 600 }),
    );
    world.poll_of(SALON).await;
    world.restart().await;
    let before = world.salon.requests().len();
    daemon::once(world.pipeline(), None).await.unwrap();
    assert_eq!(world.salon.requests().len(), before);
}

#[tokio::test]
async fn one_recipient_who_hangs_does_not_delay_another_who_comes_later() {
    let world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    let bell = world.green.hold_next();
    tokio::join!(world.deliver(), async {
        world.green.wait_for_requests("sendMessage", 1).await;
        world
            .salon
            .book(haircut("2026-08-21T16:30:00").client("Вера", "+79000000002"));
        world.poll().await;
        world.advance("31s");
        world.settle().await;
        world.pipeline().bell.notify_waiters();
        world.green.wait_for(1).await;
        assert_eq!(world.decisions()[0], "created|sending|");
        bell.notify_one();
    });
}

#[tokio::test]
async fn looking_for_what_is_due_reads_no_history() {
    let world = World::watching().await;
    let conn = world.sql();
    for query in [
        "SELECT id FROM booking_notifications WHERE status = 'pending' AND due_at <= 'x'",
        "SELECT min(due_at) FROM booking_notifications WHERE status = 'pending' AND due_at > 'x'",
        "SELECT * FROM booking_notifications WHERE status = 'sending' ORDER BY id",
    ] {
        let plan: String = conn
            .query_row(&format!("EXPLAIN QUERY PLAN {query}"), [], |r| r.get(3))
            .unwrap();
        assert!(plan.contains("notifications_status"), "{query}: {plan}");
    }
}

#[tokio::test]
async fn looking_for_what_a_message_said_reads_no_channel() {
    let world = World::watching().await;
    let of_message = booking_monitor::store::contacts::OF_MESSAGE;
    for rest in ["", " AND created_at <= 'x'"] {
        let query = format!(
            "SELECT external_id FROM messages WHERE {of_message}{rest} ORDER BY id DESC LIMIT 1"
        );
        let plan: String = world
            .sql()
            .query_row(
                &format!("EXPLAIN QUERY PLAN {query}"),
                ["whatsapp", "77"],
                |r| r.get(3),
            )
            .unwrap();
        let range = "(channel=? AND direction=? AND external_id>? AND external_id<?)";
        assert!(plan.contains(range), "{query}: {plan}");
    }
}

#[tokio::test]
async fn an_online_booking_is_confirmed_at_once_also_in_quiet_hours() {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, "").await;
    world.advance("10h");
    world.salon.book(haircut("2026-08-21T14:30:00").online());
    world.tell().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_wrong_number_is_not_woken_at_night() {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, "").await;
    // 21:00 in Moscow, then 22:00.
    world.advance("9h");
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    world.advance("1h");
    world.salon.edit(SALON, record, |row| {
        row["client"]["phone"] = "+79000000002".into()
    });
    world.tell().await;
    assert_eq!(world.told().len(), 1, "{:?}", world.told());
}

#[tokio::test]
async fn a_row_that_leaves_out_its_creation_date_loses_nothing_that_is_known() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.edit(SALON, record, |row| {
        row["create_date"] = "0000-00-00 00:00:00".into();
    });
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.decisions());
}

#[tokio::test]
async fn a_blocked_slot_that_is_freed_is_no_cancellation_to_anybody() {
    let world = World::with("", OWNED).await;
    let slot = world
        .salon
        .book(BookingDraft::new(SALON, at("2026-08-21T14:30:00")).staff(5, "Бари"));
    world.advance("10m");
    world.poll().await;
    world.advance("1m");
    world.salon.cancel(SALON, slot);
    world.tell().await;
    assert_eq!(world.owner_told().len(), 0, "{:?}", world.owner_told());
    assert_eq!(world.rows("SELECT count(*) FROM booking_events"), ["0"]);
}

#[tokio::test]
async fn bookings_that_nobody_ever_knew_trip_no_guard() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    for n in 10..16 {
        let gone = world
            .salon
            .book(haircut("2026-08-21T14:30:00").client("Вера", &format!("+790000000{n}")));
        world.salon.cancel(SALON, gone);
    }
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.decisions());
}

#[tokio::test]
async fn the_owner_hears_of_a_second_mass_cancellation_weeks_after_the_first() {
    let world = World::watching_with("", OWNED).await;
    let mut alerts = 0;
    for day in ["21", "28"] {
        let records: Vec<i64> = (0..7)
            .map(|n| {
                world.salon.book(
                    haircut(&format!("2026-08-{day}T14:30:00"))
                        .client("Анна", &format!("+790000000{n:02}")),
                )
            })
            .collect();
        world.tell().await;
        for record in records {
            world.salon.cancel(SALON, record);
        }
        world.tell().await;
        let told = world
            .owner_told()
            .iter()
            .filter(|t| t.starts_with("✋"))
            .count();
        assert!(told > alerts, "{:?}", world.owner_told());
        alerts = told;
        world.advance("6d");
        world.poll().await;
        world.turn().await;
    }
}

#[tokio::test]
async fn an_owners_copy_whose_answer_was_lost_reaches_the_owner() {
    let world = World::watching_with("", OWNED).await;
    world.telegram.answer_next(Answer::Drop { taken: false });
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    for _ in 0..3 {
        world.advance("5m");
        world.poll().await;
        world.turn().await;
    }
    assert!(!world.owner_told().is_empty());
}

#[tokio::test]
async fn the_owner_hears_that_a_booking_was_given_to_another_client() {
    let world = World::watching_with("", OWNED).await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let before = world.owner_told().len();
    world.salon.edit(SALON, record, |row| {
        row["client"]["id"] = 424_242.into();
        row["client"]["phone"] = "+79000000002".into();
    });
    world.tell().await;
    assert_eq!(world.told().len(), 3);
    assert!(world.owner_told().len() > before);
}

#[tokio::test]
async fn one_record_that_cannot_be_looked_up_hides_no_deletion_of_others() {
    let world = World::new().await;
    let near = world.salon.book(haircut("2026-08-21T14:30:00"));
    let far = world
        .salon
        .book(haircut("2026-08-22T14:30:00").client("Борис", "+79000000099"));
    // The master's third booking stands, so that this is no master who was hidden.
    world
        .salon
        .book(haircut("2026-08-23T14:30:00").client("Вера", "+79000000098"));
    world.advance("10m");
    world.poll().await;
    world.salon.erase(SALON, near);
    world.salon.erase(SALON, far);
    for _ in 0..4 {
        world
            .salon
            .fail_next(Route::Record, 1, Fault::Status(500, String::new()));
        world.advance("15m");
        world.poll_of(SALON).await;
    }
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_company_that_once_named_its_zone_keeps_it() {
    let world = World::watching().await;
    world.salon.edit_company(SALON, |info| {
        for (key, value) in info.as_object_mut().unwrap() {
            if key.contains("timezone") {
                *value = serde_json::Value::Null;
            }
        }
    });
    world.advance("25h");
    assert_eq!(world.poll_of(SALON).await.error, None);
}

#[tokio::test]
async fn refusals_of_sends_that_left_together_count_as_one() {
    let world = World::watching().await;
    for _ in 0..8 {
        world
            .green
            .answer_next(Answer::http(429, "Too Many Requests"));
    }
    for n in 0..8 {
        world
            .salon
            .book(haircut("2026-08-21T14:30:00").client("Анна", &format!("+7900000000{n}")));
    }
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    world.deliver().await;
    assert_eq!(
        world.rows("SELECT throttled FROM channel_states WHERE name = 'whatsapp'"),
        ["1"]
    );
}

#[tokio::test]
async fn a_change_of_what_waited_for_the_morning_has_its_own_delay() {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, "").await;
    // 22:00 in Moscow.
    world.advance("10h");
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    // 09:00:31.
    world.advance("11h");
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 0, "no delay has passed");
}

#[tokio::test]
async fn what_waits_for_a_channel_that_left_the_configuration_takes_the_one_that_stayed() {
    let mut world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    world.config.channels.retain(|c| c.name != "whatsapp");
    world.config.companies[0].channels = vec!["telegram".into()];
    world
        .sql()
        .execute("INSERT INTO contacts (phone, channel, chat_id) VALUES ('+79000000001', 'telegram', '900')", [])
        .unwrap();
    world.restart().await;
    world.turn().await;
    assert_eq!(world.telegram.sent().len(), 1, "{:?}", world.decisions());
}

#[tokio::test]
async fn quiet_hours_that_were_switched_off_keep_nothing_waiting_after_a_restart() {
    let mut world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, "").await;
    world.advance("10h");
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    world.config.companies[0].quiet_hours = None;
    world.restart().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_start_that_is_read_twice_is_answered_once() {
    let mut world = World::new().await;
    world.telegram.push_text(900, "/start");
    let end = std::sync::Arc::clone(&world.pipeline().channels()["telegram"]);
    let receiver = end.receiver.clone().unwrap();
    world
        .pipeline()
        .receive_once(&end, &receiver, Duration::from_millis(200))
        .await
        .unwrap();
    // Killed before the next poll named a higher offset.
    world.restart().await;
    world.receive().await;
    world.turn().await;
    assert_eq!(world.telegram.sent().len(), 1);
}

#[tokio::test]
async fn a_late_failure_of_an_old_message_says_nothing_a_second_time() {
    let mut world = World::new().await;
    world.config.companies[0].channels = vec!["whatsapp".into(), "telegram".into()];
    world.restart().await;
    world.poll().await;
    world
        .sql()
        .execute("INSERT INTO contacts (phone, channel, chat_id) VALUES ('+79000000001', 'telegram', '900')", [])
        .unwrap();
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    let sent = world.green.sent();
    world.green.push_status(&sent[1].id, "read");
    world.green.push_status(&sent[0].id, "failed");
    world.receive().await;
    world.poll().await;
    world.turn().await;
    assert_eq!(
        world.telegram.sent().len(),
        0,
        "{:?}",
        world.telegram.sent()
    );
}
