//! Conversations by rules: what is configured, what is said, and how everything that follows is done.

use booking_monitor::ports::Clock as _;
use serde_json::json;

use super::world::{SALON, World, haircut};

pub const OTHER: &str = "+79000000002";
pub const CONFIRMED: &str = "Спасибо, ждём вас! 🤍";
pub const DECLINED: &str = "Понятно. Передаю администратору, он ответит вам здесь.";
pub const HANDED_ON: &str = "Передаю администратору, он ответит вам здесь.";
pub const CALLED_OFF: &str = "Готово, ваша запись на 21 августа в 14:30 отменена. Захотите прийти в другой раз — напишите мне здесь 👇";
pub const WHICH: &str = "О какой записи речь? Ответьте номером:\n\n*1* — 21 августа в 14:30, МУЖСКАЯ СТРИЖКА\n*2* — 23 августа в 12:00, МУЖСКАЯ СТРИЖКА";
pub const STOPPED: &str = "Хорошо, больше не буду присылать сообщения о записях. Сами записи остаются в силе. Передумаете — напишите СТАРТ.";
pub const TEXT_ONLY: &str = "Пока читаю только текст. Напишите, пожалуйста, словами.";

pub const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500" }]"#;

pub fn settings(replies: &str) -> String {
    format!("{OWNED}\nreplies = {{ {replies} }}")
}

pub const OFF: &str = "write = false";
pub const WRITES: &str = "write = true";
pub const CANCELS: &str = "write = true, cancel = \"self\"";

/// A client who was told of these bookings.
pub async fn told_of(replies: &str, starts: &[&str]) -> (World, Vec<i64>) {
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
pub fn remind(world: &World, record: i64) {
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
    name_in_reminder(world);
}

/// The newest reminder names whatever its client has that day.
pub fn name_in_reminder(world: &World) {
    let named = world.sql().execute(
        "INSERT INTO reminders (company_id, record_id, phone, start_local, lead, due_at, state,
             notification_id, changed_at)
         SELECT a.company_id, a.record_id, n.phone, a.start_local, '24h', n.due_at, 'made', n.id, n.due_at
           FROM booking_notifications n
           JOIN appointments_cache of ON of.company_id = n.company_id AND of.record_id = n.record_id
           JOIN appointments_cache a ON a.company_id = n.company_id AND a.client_phone = n.phone
                                    AND date(a.start_local) = date(of.start_local)
          WHERE n.id = (SELECT max(id) FROM booking_notifications WHERE kind = 'reminder')",
        [],
    );
    assert!(named.unwrap() > 0);
}

/// The client writes, and everything that follows is done.
pub async fn say(world: &World, phone: &str, text: &str) {
    world.green.push_text_at(phone, text, world.clock.now());
    follow(world).await;
}

pub async fn follow(world: &World) {
    world.receive().await;
    let now = world.clock.now();
    world.pipeline().writes_due(now).await.unwrap();
    world.deliver().await;
    world.advance("2s");
}

/// The client answers a message by quoting it.
pub async fn quote(world: &World, phone: &str, message: &str, text: &str) {
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

pub fn journal(world: &World, records: &[i64]) -> String {
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

pub const ONE: &[&str] = &["2026-08-21T14:30:00"];
pub const TWO: &[&str] = &["2026-08-21T14:30:00", "2026-08-23T12:00:00"];
/// An hour from now.
pub const NEAR: &[&str] = &["2026-08-20T13:30:00"];
