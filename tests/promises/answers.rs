//! What a word of a client is the answer to, and what follows where it is the answer to nothing.

use crate::support::dialogue::*;
use crate::support::fake::Answer;
use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::ports::Clock as _;
use serde_json::json;

/// An unanswered "which one?" and then a reminder: "1" is a yes to the reminder.
#[tokio::test]
async fn a_yes_to_a_reminder_is_no_answer_to_an_older_question() {
    let (world, records) = told_of(CANCELS, TWO).await;
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [WHICH]);
    world.advance("2h");
    world.poll().await;
    remind(&world, records[0]);
    quote(&world, PHONE, "REMINDER", "1").await;
    assert_eq!(
        (journal(&world, &records).as_str(), world.told()),
        (
            "confirmed stands",
            vec![WHICH.to_owned(), CONFIRMED.to_owned()]
        )
    );
}

/// Two persons of one visit.
#[tokio::test]
async fn two_persons_of_one_visit_are_each_answered() {
    let world = World::watching_with("", &settings(CANCELS)).await;
    let a = world.salon.book(haircut("2026-08-21T14:30:00").visit(77));
    let b = world.salon.book(
        haircut("2026-08-21T14:30:00")
            .visit(77)
            .client("Ольга", OTHER)
            .staff(6, "Анна"),
    );
    world.tell().await;
    world.green.forget_sent();
    say(&world, PHONE, "отмена").await;
    assert_eq!(journal(&world, &[a, b]), "off stands");
    say(&world, OTHER, "отмена").await;
    assert_eq!(
        (journal(&world, &[a, b]).as_str(), world.told().len()),
        ("off off", 2),
        "{:?}",
        world.told()
    );
}

/// The owner is asked about the right person's booking.
#[tokio::test]
async fn two_persons_of_one_visit_are_two_orders() {
    let world = World::watching_with("", &settings(WRITES)).await;
    world.salon.book(haircut("2026-08-21T14:30:00").visit(77));
    world.salon.book(
        haircut("2026-08-21T14:30:00")
            .visit(77)
            .client("Ольга", OTHER)
            .staff(6, "Анна"),
    );
    world.tell().await;
    world.green.forget_sent();
    say(&world, PHONE, "отмена").await;
    say(&world, OTHER, "буду").await;
    assert_eq!(
        world.rows("SELECT act, state FROM writes ORDER BY id"),
        ["cancel|asked", "confirm|done"]
    );
}

/// The button or quote of a reminder of another time.
#[tokio::test]
async fn a_no_to_a_reminder_of_another_time_takes_nothing_off() {
    let (world, records) = told_of(CANCELS, ONE).await;
    remind(&world, records[0]);
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-25T14:30:00"));
    world.tell().await;
    eprintln!("{:?}", world.told());
    quote(&world, PHONE, "REMINDER", "2").await;
    assert_eq!(journal(&world, &records), "stands", "{:?}", world.told());
}

/// The journal refuses to be read, and the booking is somewhere else.
#[tokio::test]
async fn a_yes_is_not_confirmed_of_a_journal_that_was_not_seen() {
    let (world, records) = told_of(WRITES, ONE).await;
    remind(&world, records[0]);
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-25T14:30:00"));
    world
        .salon
        .set_fault(Route::Record, Some(Fault::Status(403, String::new())));
    say(&world, PHONE, "1").await;
    assert_eq!(world.told(), [HANDED_ON]);
}

/// A no to nothing.
#[tokio::test]
async fn a_no_that_answers_nothing_takes_nothing_off() {
    let (world, records) = told_of(CANCELS, ONE).await;
    say(&world, PHONE, "нет").await;
    assert_eq!(journal(&world, &records), "stands", "{:?}", world.told());
}

/// A reminder falls due while nothing is being settled.
#[tokio::test]
async fn a_reminder_needs_no_change_beside_it() {
    let world = World::watching_with("", "notify = { reminders = [\"24h\"] }").await;
    world.salon.book(haircut("2026-08-22T14:30:00"));
    world.tell().await;
    world.green.forget_sent();
    world.advance("1d");
    world.advance("3h");
    for _ in 0..3 {
        world.turn().await;
        world.advance("30s");
    }
    assert_eq!(world.told().len(), 1);
}

/// A visit that was moved needs a call of its own.
#[tokio::test]
async fn a_visit_that_moved_is_another_call() {
    let rest = format!("{OWNED}\nnotify = {{ reminders = [\"24h\"] }}");
    let world = World::watching_with("", &rest).await;
    let record = world
        .salon
        .book(haircut("2026-08-22T14:30:00").client("Анна", ""));
    world.tell().await;
    let calls = |world: &World| {
        world.rows("SELECT id FROM booking_notifications WHERE kind = 'owner' AND told = '[]' AND about IN (SELECT id FROM booking_notifications WHERE kind = 'reminder')").len()
    };
    world.advance("1d");
    world.advance("3h");
    world.turn().await;
    assert_eq!(calls(&world), 1);
    world
        .salon
        .reschedule(SALON, record, at("2026-08-28T14:30:00"));
    world.tell().await;
    for _ in 0..6 {
        world.advance("1d");
        world.turn().await;
        world.turn().await;
    }
    assert_eq!(
        calls(&world),
        2,
        "{:?}",
        world.rows("SELECT state, reason, due_at, start_local FROM reminders")
    );
}

/// A person of the salon asked something after the reminder.
#[tokio::test]
async fn a_no_to_a_person_is_no_answer_to_the_reminder_before() {
    let (world, records) = told_of(CANCELS, ONE).await;
    say(&world, PHONE, "спасибо").await;
    remind(&world, records[0]);
    world.advance("60s");
    world.green.push(json!({
        "typeWebhook": "outgoingMessageReceived",
        "timestamp": world.clock.now().timestamp(),
        "idMessage": "OUT1",
        "senderData": {"chatId": format!("{PHONE}@c.us").replace('+', ""), "sender": "79000000009@c.us"},
        "messageData": {"typeMessage": "textMessage", "textMessageData": {"textMessage": "Добавить к стрижке маникюр?"}},
    }));
    follow(&world).await;
    world.advance("3h");
    world.poll().await;
    say(&world, PHONE, "нет").await;
    assert_eq!(
        (journal(&world, &records).as_str(), world.told()),
        ("stands", vec![]),
        "{:?}",
        world.rows("SELECT text FROM messages")
    );
}

/// What was told and turned out not to have arrived told nobody.
#[tokio::test]
async fn a_message_that_failed_later_makes_no_reminder_needless() {
    let rest = format!("{OWNED}\nnotify = {{ reminders = [\"24h\"] }}");
    let world = World::watching_with("", &rest).await;
    world.salon.book(haircut("2026-08-21T12:30:00"));
    world.tell().await;
    let id =
        world.rows("SELECT provider_message_id FROM booking_notifications WHERE kind = 'created'");
    world.green.push_status(&id[0], "failed");
    world.receive().await;
    world.green.forget_sent();
    world.advance("30m");
    for _ in 0..3 {
        world.turn().await;
        world.advance("30s");
    }
    assert_eq!(
        world.told().len(),
        1,
        "{:?} {:?}",
        world.rows("SELECT state, reason FROM reminders"),
        world.rows("SELECT kind, status, reason FROM booking_notifications")
    );
}

#[tokio::test]
async fn a_yes_to_a_reminder_is_not_the_number_of_an_older_question() {
    let (world, records) = told_of(CANCELS, TWO).await;
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [WHICH]);
    world.advance("1h");
    remind(&world, records[0]);
    say(&world, PHONE, "1").await;
    assert_eq!(
        journal(&world, &records),
        "confirmed stands",
        "{:?}",
        world.told()
    );
}

#[tokio::test]
async fn the_number_of_a_visit_that_is_gone_takes_off_no_other() {
    let (world, records) = told_of(CANCELS, TWO).await;
    say(&world, PHONE, "перенести").await;
    assert_eq!(world.told(), [WHICH]);
    world.salon.cancel(SALON, records[1]);
    world.poll().await;
    say(&world, PHONE, "2").await;
    let shown = world.salon.row(SALON, records[0]).unwrap();
    assert_eq!(
        shown["deleted"].as_bool(),
        Some(false),
        "{:?}",
        world.told()
    );
}

#[tokio::test]
async fn whoever_comes_after_all_is_not_taken_off_by_what_waits() {
    let (world, records) = told_of(CANCELS, ONE).await;
    remind(&world, records[0]);
    world.green.push_text_at(PHONE, "2", world.clock.now());
    world.receive().await;
    world.green.push_text_at(PHONE, "приду", world.clock.now());
    follow(&world).await;
    follow(&world).await;
    assert_eq!(journal(&world, &records), "confirmed", "{:?}", world.told());
}

#[tokio::test]
async fn a_number_that_moves_does_not_take_off() {
    let (world, records) = told_of(CANCELS, TWO).await;
    for words in ["перенести", "спасибо", "2", "2"] {
        say(&world, PHONE, words).await;
    }
    assert_eq!(
        journal(&world, &records),
        "stands stands",
        "{:?}",
        world.told()
    );
}

#[tokio::test]
async fn a_no_to_how_was_it_takes_nothing_off() {
    let (world, records) = told_of(CANCELS, ONE).await;
    let added = world.sql().execute(
        "INSERT INTO booking_notifications (company_id, record_id, visit_id, unit, kind, phone,
             recipient, channel, status, message, frozen, first_change_at, changed_at, due_at,
             created_at, sent_at, provider_message_id)
         SELECT company_id, record_id, visit_id, unit, 'visited', client_phone, client_phone,
                'whatsapp', 'sent', 'Всё ли понравилось?', 1, ?2, ?2, ?2, ?2, ?2, 'VISITED'
           FROM appointments_cache WHERE record_id = ?1",
        (
            records[0],
            world
                .clock
                .now()
                .to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        ),
    );
    assert_eq!(added.unwrap(), 1);
    say(&world, PHONE, "Нет").await;
    assert_eq!(journal(&world, &records), "stands", "{:?}", world.told());
}

#[tokio::test]
async fn a_question_still_waits_after_a_yes() {
    let (world, records) = told_of(WRITES, ONE).await;
    remind(&world, records[0]);
    say(&world, PHONE, "А можно прийти с ребёнком?").await;
    say(&world, PHONE, "1").await;
    assert_eq!(
        world.rows("SELECT count(*) FROM talks WHERE waiting_since IS NOT NULL"),
        ["1"]
    );
}

#[tokio::test]
async fn what_the_salon_asked_first_is_not_answered_by_rules() {
    let (world, records) = told_of(CANCELS, ONE).await;
    remind(&world, records[0]);
    world.green.push(json!({
        "typeWebhook": "outgoingMessageReceived",
        "timestamp": world.clock.now().timestamp(),
        "idMessage": "OUT1",
        "senderData": {"chatId": format!("{PHONE}@c.us"), "sender": "79000000009@c.us"},
        "messageData": {"typeMessage": "textMessage",
                        "textMessageData": {"textMessage": "Бари заболел. Подойдёт Тимур?"}},
    }));
    follow(&world).await;
    say(&world, PHONE, "нет").await;
    assert_eq!(journal(&world, &records), "stands", "{:?}", world.told());
    assert!(world.told().is_empty(), "{:?}", world.told());
}

#[tokio::test]
async fn what_cannot_be_decrypted_is_shown_to_the_owner() {
    let (world, _) = told_of(CANCELS, ONE).await;
    say(&world, PHONE, "{{SWE003}}").await;
    assert_eq!(world.told(), [TEXT_ONLY]);
}

#[tokio::test]
async fn after_a_prune_the_owners_answer_reaches_nobody_else() {
    let (world, _) = told_of(CANCELS, ONE).await;
    say(&world, PHONE, "А можно с ребёнком?").await;
    world.deliver().await;
    let owners = world.rows(
        "SELECT id, contact_id FROM booking_notifications WHERE kind = 'owner' AND contact_id IS NOT NULL",
    );
    assert!(!owners.is_empty());
    let pruned = world
        .pipeline()
        .store()
        .write(|tx| booking_monitor::store::prune::received_on(tx, "whatsapp"));
    assert_eq!(pruned.await.unwrap().contacts, 1);
    say(&world, OTHER, "Здравствуйте! Сколько стоит стрижка?").await;
    assert_eq!(
        world.rows(
            "SELECT count(*) FROM booking_notifications n JOIN contacts c ON c.id = n.contact_id
              WHERE n.kind = 'owner' AND c.phone = '+79000000002'"
        ),
        ["1"]
    );
}

#[tokio::test]
async fn a_request_from_before_a_move_does_not_swallow_the_next() {
    let (world, records) = told_of(CANCELS, NEAR).await;
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [DECLINED]);
    let later = "2026-08-21T14:30:00".parse().unwrap();
    world.salon.reschedule(SALON, records[0], later);
    world.poll().await;
    world.tell().await;
    world.green.forget_sent();
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [CALLED_OFF]);
    assert_eq!(journal(&world, &records), "off");
}

#[tokio::test]
async fn an_unasked_yes_to_a_visit_that_was_moved_is_no_yes() {
    let (world, records) = told_of(CANCELS, ONE).await;
    let later = "2026-08-21T18:00:00".parse().unwrap();
    world.salon.reschedule(SALON, records[0], later);
    world.poll().await;
    say(&world, PHONE, "приду").await;
    assert_eq!(journal(&world, &records), "stands", "{:?}", world.told());
}

#[tokio::test]
async fn a_yes_to_the_day_takes_back_what_was_asked_of_any_of_it() {
    let (world, records) = told_of(WRITES, &["2026-08-21T14:30:00", "2026-08-21T18:00:00"]).await;
    say(&world, PHONE, "отмена").await;
    say(&world, PHONE, "2").await;
    assert_eq!(world.rows("SELECT state FROM writes"), ["asked"]);
    world.advance("1h");
    remind(&world, records[0]);
    say(&world, PHONE, "1").await;
    assert_eq!(
        world.rows("SELECT act, state FROM writes ORDER BY id"),
        ["cancel|over", "confirm|done"]
    );
}

/// The words of the client's talk that wait for a person.
fn waiting(world: &World) -> Vec<String> {
    world.rows("SELECT count(*) FROM talks WHERE waiting_since IS NOT NULL")
}

#[tokio::test]
async fn a_number_is_not_a_yes_to_the_reminder_before_a_question_that_may_have_arrived() {
    let day = &["2026-08-21T14:30:00", "2026-08-21T18:00:00"];
    for taken in [true, false] {
        let (world, records) = told_of(CANCELS, day).await;
        remind(&world, records[0]);
        world.advance("1m");
        world.shut_the_journal();
        world.green.answer_next(Answer::Drop { taken });
        // Which of the two is asked, and nobody knows whether that arrived.
        say(&world, PHONE, "отмена").await;
        world.advance("20s");
        say(&world, PHONE, "1").await;
        assert_eq!(journal(&world, &records), "stands stands", "{taken}");
        assert_eq!(waiting(&world), ["1"]);
    }
}

#[tokio::test]
async fn an_answer_to_a_reminder_that_may_have_arrived_is_read_by_a_person() {
    for (answer, written) in [("1", 0), ("да", 0), ("2", 0), ("приду", 1)] {
        let rest = format!(
            "{}\nnotify = {{ reminders = [\"24h\"] }}",
            settings(CANCELS)
        );
        let world = World::watching_with("", &rest).await;
        let record = world.salon.book(haircut("2026-08-22T14:30:00"));
        world.tell().await;
        world.shut_the_journal();
        world.green.answer_next(Answer::Drop { taken: true });
        world.advance("27h");
        world.poll().await;
        world.turn().await;
        assert_eq!(
            world.rows("SELECT sent_at FROM booking_notifications WHERE kind = 'reminder'"),
            ["-"]
        );
        say(&world, PHONE, answer).await;
        let state = ["stands", "confirmed"][written];
        assert_eq!(journal(&world, &[record]), state, "{answer}");
        assert_eq!(waiting(&world), [(1 - written).to_string()], "{answer}");
    }
}

#[tokio::test]
async fn who_says_which_visit_is_meant_waits_for_nobody_when_it_is_taken_off() {
    let before = [
        (None, "0"),
        (Some("отмена"), "0"),
        (Some("А можно с ребёнком?"), "1"),
    ];
    for (before, left) in before {
        let (world, _) = told_of(CANCELS, TWO).await;
        if let Some(question) = before {
            say(&world, PHONE, question).await;
        }
        say(&world, PHONE, "отмена").await;
        assert_eq!(waiting(&world), ["1"]);
        say(&world, PHONE, "1").await;
        assert!(
            world
                .told()
                .ends_with(&[WHICH.to_owned(), CALLED_OFF.to_owned()])
        );
        assert_eq!(waiting(&world), [left], "{before:?}");
    }
}
