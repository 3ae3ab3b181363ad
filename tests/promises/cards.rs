//! A visit is near and its client could not be told: the owner is asked to call.

use crate::support::fake::Answer;
use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::demo::salon::BookingDraft;

/// Copies are off, so that only cards are read.
const OWNER: &str = r#"owner = [{ channel = "telegram", to = "500", events = [] }]"#;

fn cards(world: &World) -> Vec<String> {
    let told = world.owner_told();
    told.into_iter()
        .filter(|t| t.contains("Позвоните"))
        .collect()
}

#[tokio::test]
async fn a_cancellation_that_an_opted_out_client_is_not_told_becomes_a_card() {
    let world = World::watching_with("", OWNER).await;
    let record = world.salon.book(haircut("2026-08-20T18:00:00"));
    world.tell().await;
    world.green.push_text(PHONE, "стоп");
    world.receive().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(
        cards(&world),
        ["📞 <b>Позвоните клиенту</b>\n\
          Отмена: сегодня, 20 августа, в 18:00 · Бари\n\
          Анна, +7 900 000-00-01\n\
          Сообщение не ушло: клиент отписался."]
    );
}

#[tokio::test]
async fn a_message_that_no_channel_delivers_becomes_a_card() {
    let world = World::watching_with("", OWNER).await;
    let refused = r#"{"message":"Validation failed"}"#;
    world.green.answer_next(Answer::http(400, refused));
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(
        cards(&world),
        ["📞 <b>Позвоните клиенту</b>\n\
          Новая запись: завтра, 21 августа, в 14:30 · Бари\n\
          Анна, +7 900 000-00-01\n\
          Сообщение не дошло."]
    );
}

#[tokio::test]
async fn a_client_without_a_number_whose_visit_is_near_becomes_a_card() {
    let world = World::watching_with("", OWNER).await;
    let draft = BookingDraft::new(SALON, at("2026-08-21T10:00:00"));
    world.salon.book(
        draft
            .client("Вера", "")
            .staff(5, "Бари")
            .service(45, "СТРИЖКА", 2000, 0),
    );
    world.tell().await;
    assert_eq!(
        cards(&world),
        ["📞 <b>Позвоните клиенту</b>\n\
          Новая запись: завтра, 21 августа, в 10:00 · Бари\n\
          Вера\n\
          Сообщение не ушло: нет телефона."]
    );
}

#[tokio::test]
async fn a_visit_that_is_far_makes_no_card() {
    let world = World::watching_with("", OWNER).await;
    world.green.push_text(PHONE, "стоп");
    world.receive().await;
    world.salon.book(haircut("2026-08-29T14:30:00"));
    world.tell().await;
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn while_only_test_phones_are_written_to_nobody_has_to_be_called() {
    let world = World::watching_with("dry_run = true", OWNER).await;
    let draft = BookingDraft::new(SALON, at("2026-08-21T10:00:00"));
    world.salon.book(
        draft
            .client("Вера", "")
            .staff(5, "Бари")
            .service(45, "СТРИЖКА", 2000, 0),
    );
    world.tell().await;
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn a_visit_that_moves_away_from_tomorrow_and_is_told_to_nobody_becomes_a_card() {
    let world = World::watching_with("", OWNER).await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.green.push_text(PHONE, "стоп");
    world.receive().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-27T16:00:00"));
    world.tell().await;
    assert_eq!(
        cards(&world),
        ["📞 <b>Позвоните клиенту</b>\n\
          Изменение: 27 августа в 16:00 · Бари\n\
          Клиент ждёт визита: завтра, 21 августа, в 14:30\n\
          Анна, +7 900 000-00-01\n\
          Сообщение не ушло: клиент отписался."]
    );
}

#[tokio::test]
async fn a_move_away_from_tomorrow_that_no_channel_delivers_becomes_a_card() {
    let world = World::watching_with("", OWNER).await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let refused = r#"{"message":"Validation failed"}"#;
    world.green.answer_next(Answer::http(400, refused));
    world
        .salon
        .reschedule(SALON, record, at("2026-08-27T16:00:00"));
    world.tell().await;
    assert_eq!(cards(&world).len(), 1, "{:?}", world.decisions());
}

#[tokio::test]
async fn a_cancellation_after_a_move_that_nobody_was_told_of_becomes_a_card_of_the_known_visit() {
    let world = World::watching_with("", OWNER).await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let refused = r#"{"message":"Validation failed"}"#;
    world.green.answer_next(Answer::http(400, refused));
    world
        .salon
        .reschedule(SALON, record, at("2026-08-27T16:00:00"));
    world.poll().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(
        cards(&world),
        ["📞 <b>Позвоните клиенту</b>\n\
          Отмена: завтра, 21 августа, в 14:30 · Бари\n\
          Анна, +7 900 000-00-01\n\
          Сообщение не дошло."]
    );
}
