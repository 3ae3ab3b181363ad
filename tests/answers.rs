//! What a word of a client is the answer to, and what follows where it is the answer to nothing.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::ports::Clock as _;
use serde_json::json;
use support::world::{PHONE, SALON, World, at, haircut};

const OTHER: &str = "+79000000002";
const CONFIRMED: &str = "Спасибо, ждём вас! 🤍";
const HANDED_ON: &str = "Передаю администратору, он ответит вам здесь.";
const WHICH: &str = "О какой записи речь? Ответьте номером:\n\n*1* — 21 августа в 14:30, МУЖСКАЯ СТРИЖКА\n*2* — 23 августа в 12:00, МУЖСКАЯ СТРИЖКА";

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500" }]"#;

fn settings(replies: &str) -> String {
    format!("{OWNED}\nreplies = {{ {replies} }}")
}

const WRITES: &str = "write = true";
const CANCELS: &str = "write = true, cancel = \"self\"";

/// A client who was told of these bookings.
async fn told_of(replies: &str, starts: &[&str]) -> (World, Vec<i64>) {
    let world = World::watching_with("", &settings(replies)).await;
    let records = starts
        .iter()
        .map(|s| world.salon.book(haircut(s)))
        .collect();
    world.tell().await;
    world.green.forget_sent();
    (world, records)
}

/// A reminder of this booking that its client got.
fn remind(world: &World, record: i64) {
    let now = world
        .clock
        .now()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let added = world.sql().execute(
        "INSERT INTO booking_notifications (company_id, record_id, visit_id, unit, kind, phone,
             recipient, channel, status, message, frozen, first_change_at, changed_at, due_at,
             created_at, sent_at, provider_message_id)
         SELECT company_id, record_id, visit_id, unit, 'reminder', client_phone, client_phone,
                'whatsapp', 'sent', '⏰', 1, ?2, ?2, ?2, ?2, ?2, 'REMINDER'
           FROM appointments_cache WHERE record_id = ?1",
        (record, now),
    );
    assert_eq!(added.unwrap(), 1);
}

/// The client writes, and everything that follows is done.
async fn say(world: &World, phone: &str, text: &str) {
    world.green.push_text_at(phone, text, world.clock.now());
    follow(world).await;
}

async fn follow(world: &World) {
    world.receive().await;
    let now = world.clock.now();
    world.pipeline().writes_due(now).await.unwrap();
    world.deliver().await;
    world.advance("2s");
}

/// The client answers a message by quoting it.
async fn quote(world: &World, phone: &str, message: &str, text: &str) {
    let chat = format!("{phone}@c.us");
    world.green.push_message(
        &chat,
        &json!({
            "typeMessage": "quotedMessage",
            "extendedTextMessageData": {"text": text, "stanzaId": message},
            "quotedMessage": {"stanzaId": message, "typeMessage": "textMessage"},
        }),
    );
    follow(world).await;
}

fn journal(world: &World, records: &[i64]) -> String {
    let state = |record: &i64| {
        let row = world.salon.row(SALON, *record).unwrap();
        match (row["deleted"].as_bool(), row["attendance"].as_i64()) {
            (Some(true), _) => "off".to_owned(),
            (_, Some(2)) => "confirmed".to_owned(),
            (_, Some(0)) => "stands".to_owned(),
            (_, attendance) => format!("{attendance:?}"),
        }
    };
    records.iter().map(state).collect::<Vec<_>>().join(" ")
}

const CANCELS2: &str = CANCELS;
const ONE: &[&str] = &["2026-08-21T14:30:00"];
const TWO: &[&str] = &["2026-08-21T14:30:00", "2026-08-23T12:00:00"];

/// 1: an unanswered "which one?" and then a reminder: "1" is a yes to the reminder.
#[tokio::test]
async fn a_yes_to_a_reminder_is_no_answer_to_an_older_question() {
    let (world, records) = told_of(CANCELS2, TWO).await;
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

/// 2: two persons of one visit.
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

/// 2b: the owner is asked about the right person's booking.
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

/// 3: the button or quote of a reminder of another time.
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

/// 4: the journal refuses to be read, and the booking is somewhere else.
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

/// 5: a no to nothing.
#[tokio::test]
async fn a_no_that_answers_nothing_takes_nothing_off() {
    let (world, records) = told_of(CANCELS, ONE).await;
    say(&world, PHONE, "нет").await;
    assert_eq!(journal(&world, &records), "stands", "{:?}", world.told());
}

/// 0: a reminder falls due while nothing is being settled.
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

/// 7: a visit that was moved needs a call of its own.
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

/// 8: a person of the salon asked something after the reminder.
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

/// 9: what was told and turned out not to have arrived told nobody.
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
