//! What clients write: STOP and START, and words that a person answers from the owner's chat.

use crate::support::world::{OWNER, PHONE, SALON, World, at, haircut};
use booking_monitor::ports::Clock as _;
use chrono::TimeDelta;
use serde_json::json;

const WITH_OWNER: &str = r#"owner = [{ channel = "telegram", to = "500" }]"#;
const STOPPED: &str = "Хорошо, больше не буду присылать сообщения о записях. Сами записи остаются в силе. Передумаете — напишите СТАРТ.";
const STARTED: &str = "Готово, снова буду писать о ваших записях 🤍";

#[tokio::test]
async fn who_writes_stop_hears_of_it_once_and_of_bookings_no_more() {
    let world = World::watching().await;
    world.green.push_text(PHONE, "Стоп!");
    world.green.push_text(PHONE, "стоп");
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told(), [STOPPED]);
    assert_eq!(
        world.rows("SELECT phone, opted_out_at IS NOT NULL FROM contacts"),
        [format!("{PHONE}|1")]
    );
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told(), [STOPPED]);
    assert_eq!(
        world.decisions(),
        ["reply|sent|", "created|suppressed|opted_out"]
    );
}

#[tokio::test]
async fn start_after_stop_is_heard_and_the_next_change_is_told_from_what_was_known() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.green.push_text(PHONE, "не пишите мне");
    world.receive().await;
    world.deliver().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    world.green.push_text(PHONE, "СТАРТ");
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told()[1..], [STOPPED, STARTED]);
    world
        .salon
        .reschedule(SALON, record, at("2026-08-23T12:00:00"));
    world.tell().await;
    let told = world.told();
    let last = told.last().unwrap();
    assert!(
        last.contains("~21 августа в 14:30~ → *23 августа в 12:00*"),
        "{last}"
    );
    assert_eq!(world.rows("SELECT opted_out_at FROM contacts"), ["-"],);
}

#[tokio::test]
async fn a_message_that_waits_when_stop_comes_is_not_sent() {
    let world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    world.green.push_text(PHONE, "stop");
    world.receive().await;
    world.turn().await;
    assert_eq!(world.told(), [STOPPED]);
    assert_eq!(
        world.decisions(),
        ["created|suppressed|opted_out", "reply|sent|"]
    );
}

#[tokio::test]
async fn stop_among_other_words_goes_to_a_person_and_stops_nothing() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.green.push_text(PHONE, "стоп, я не то написала");
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told(), [""; 0]);
    assert!(world.owner_told()[0].contains("«стоп, я не то написала»"));
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn start_of_somebody_who_never_stopped_is_just_words() {
    let world = World::watching().await;
    world.green.push_text(PHONE, "Старт");
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told(), [""; 0]);
}

#[tokio::test]
async fn stop_is_carried_past_by_no_other_channel() {
    let world = World::with("", "[[companies]]\nid = 222222\nchannels = [\"telegram\"]").await;
    // Telegram serves both salons, WhatsApp the first alone.
    let text = std::fs::read_to_string(world.folder.path().join("booking-monitor.toml")).unwrap();
    assert!(text.contains("channels = [\"whatsapp\"]"));
    let mut world = world;
    world.config = crate::support::world::parse(
        &world.folder.path().join("booking-monitor.toml"),
        &text.replace(
            "channels = [\"whatsapp\"]",
            "channels = [\"telegram\", \"whatsapp\"]",
        ),
    );
    world.restart().await;
    world.telegram.push_contact(900, PHONE, Some(900));
    world.telegram.push_text(900, "стоп");
    world.receive().await;
    world.deliver().await;
    world.poll().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told(), [""; 0], "nothing over WhatsApp either");
    assert_eq!(
        world.rows("SELECT company_id, phone FROM opt_outs ORDER BY 1"),
        [format!("{SALON}|{PHONE}"), format!("222222|{PHONE}")]
    );
}

#[tokio::test]
async fn a_chat_that_stopped_before_it_was_linked_stays_silent() {
    let mut world = World::with("", "").await;
    world.write_over(&["telegram"]).await;
    world.poll().await;
    world.telegram.push_text(900, "стоп");
    world.receive().await;
    world.deliver().await;
    let said = |world: &World| -> Vec<String> {
        world.telegram.sent().into_iter().map(|s| s.text).collect()
    };
    assert_eq!(said(&world), [STOPPED]);
    world.telegram.push_contact(900, PHONE, Some(900));
    world.receive().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(said(&world)[1..], ["Готово ✅"]);
    // Opening the bot anew is a START.
    world.telegram.push_text(900, "/start");
    world.receive().await;
    world.deliver().await;
    assert_eq!(said(&world)[2..], [STARTED]);
}

#[tokio::test]
async fn an_owner_answers_a_client_by_answering_the_words_in_the_chat() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.green.push_text(PHONE, "А можно на час позже?");
    world.receive().await;
    world.deliver().await;
    let forwarded =
        world.rows("SELECT provider_message_id FROM booking_notifications WHERE kind = 'owner'");
    let answer = json!({"message": {
        "message_id": 77,
        "from": {"id": 500, "first_name": "Владелец"},
        "chat": {"id": 500, "type": "private"},
        "date": 1_787_220_000,
        "text": "Да, *ждём* вас в 15:30",
        "reply_to_message": {"message_id": forwarded[0].parse::<i64>().unwrap()},
    }});
    world.telegram.push_update(answer.clone());
    world.telegram.push_update(answer);
    world.receive().await;
    world.deliver().await;
    // The owner's stars are words, not emphasis.
    assert_eq!(world.told(), ["Да, ∗ждём∗ вас в 15:30"]);
    assert_eq!(world.green.sent()[0].chat, "79000000001@c.us");
}

#[tokio::test]
async fn an_owners_words_to_nobody_get_a_word_on_how_to_answer() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.telegram.push_text(500, "привет");
    world.receive().await;
    world.deliver().await;
    assert_eq!(
        world.owner_told(),
        ["Чтобы ответить клиенту, ответьте на сообщение с его словами, и я передам."]
    );
    assert_eq!(world.told(), [""; 0]);
}

#[tokio::test]
async fn an_answer_that_does_not_reach_the_client_comes_back_to_the_owner() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.green.push_text(PHONE, "Здравствуйте");
    world.receive().await;
    world.deliver().await;
    let forwarded =
        world.rows("SELECT provider_message_id FROM booking_notifications WHERE kind = 'owner'");
    world.green.answer_next(crate::support::fake::Answer::http(
        400,
        "{\"message\":\"bad chatId\"}",
    ));
    world.telegram.push_update(json!({"message": {
        "message_id": 78,
        "from": {"id": 500},
        "chat": {"id": 500, "type": "private"},
        "date": 1_787_220_000,
        "text": "Добрый день!",
        "reply_to_message": {"message_id": forwarded[0].parse::<i64>().unwrap()},
    }}));
    world.receive().await;
    world.turn().await;
    let told = world.owner_told();
    assert_eq!(
        told.last().unwrap(),
        "⚠️ Ваш ответ до клиента не дошёл: «Добрый день!»"
    );
}

#[tokio::test]
async fn in_a_group_only_listed_people_speak_for_the_salon() {
    let owner = r#"owner = [{ channel = "telegram", to = "-700", users = [41] }]"#;
    let world = World::watching_with("", owner).await;
    world.green.push_text(PHONE, "Здравствуйте");
    world.receive().await;
    world.deliver().await;
    let forwarded =
        world.rows("SELECT provider_message_id FROM booking_notifications WHERE kind = 'owner'");
    for (id, user) in [(80, 40), (81, 41)] {
        reply_in_group(&world, id, user, &forwarded[0]);
    }
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told(), ["говорит 41"]);
}

#[tokio::test]
async fn in_a_group_of_two_salons_orders_reach_only_the_one_that_lists_who_gives_them() {
    let rest = r#"owner = [{ channel = "telegram", to = "-700", users = [41] }]
        [[companies]]
        id = 222222
        channels = ["whatsapp"]
        owner = [{ channel = "telegram", to = "-700", users = [42] }]"#;
    let world = World::watching_with("", rest).await;
    world.telegram.push_update(json!({"message": {
        "message_id": 80,
        "from": {"id": 41},
        "chat": {"id": -700, "type": "supergroup"},
        "date": 1_787_220_000,
        "text": "/pause 2h",
    }}));
    world.receive().await;
    assert_eq!(
        world.rows("SELECT company_id FROM pauses"),
        [SALON.to_string()]
    );
}

/// As `[channels.telegram]` for clients too.
async fn for_clients_too() -> World {
    let mut world = World::with("", "").await;
    world.write_over(&["telegram", "whatsapp"]).await;
    world.poll().await;
    world
}

/// The disk is full when what follows from a message is to be stored, and then it is not.
async fn disk_full_then_not(world: &World, channel: &str, table: &str) {
    world
        .sql()
        .execute_batch(&format!(
            "CREATE TRIGGER disk_full BEFORE INSERT ON {table}
             BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        ))
        .unwrap();
    let end = &world.pipeline().channels()[channel];
    let patience = std::time::Duration::from_millis(200);
    let received = world.pipeline().receive_all(end, patience).await;
    assert!(received.is_err());
    assert_eq!(world.rows("SELECT count(*) FROM messages"), ["0"]);
    world.sql().execute_batch("DROP TRIGGER disk_full").unwrap();
    world.receive().await;
    world.deliver().await;
}

#[tokio::test]
async fn somebody_who_opens_the_bot_is_greeted_although_the_disk_was_full() {
    let world = for_clients_too().await;
    world.telegram.push_text(900, "/start");
    disk_full_then_not(&world, "telegram", "booking_notifications").await;
    let said = world.telegram.sent();
    assert_eq!(said.len(), 1);
    assert!(said[0].text.starts_with("Здравствуйте!"), "{said:?}");
}

#[tokio::test]
async fn a_shared_contact_links_although_the_disk_was_full() {
    let world = for_clients_too().await;
    world.telegram.push_contact(900, PHONE, Some(900));
    disk_full_then_not(&world, "telegram", "booking_notifications").await;
    assert_eq!(world.telegram.sent().len(), 1);
    assert_eq!(world.telegram.sent()[0].text, "Готово ✅");
    assert_eq!(
        world.rows("SELECT phone, chat_id FROM contacts"),
        [format!("{PHONE}|900")]
    );
}

#[tokio::test]
async fn stop_is_heeded_although_the_disk_was_full() {
    let world = World::watching().await;
    world.green.push_text(PHONE, "стоп");
    disk_full_then_not(&world, "whatsapp", "opt_outs").await;
    assert_eq!(world.told(), [STOPPED]);
    assert_eq!(world.rows("SELECT phone FROM opt_outs"), [PHONE.to_owned()]);
}

#[tokio::test]
async fn a_clients_words_reach_the_owner_although_the_disk_was_full() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.green.push_text(PHONE, "А можно на час позже?");
    disk_full_then_not(&world, "whatsapp", "booking_notifications").await;
    assert_eq!(world.owner_told().len(), 1);
}

#[tokio::test]
async fn both_sides_of_a_conversation_are_kept() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.green.push_text(PHONE, "А можно на час позже?");
    world.receive().await;
    world.deliver().await;
    let forwarded =
        world.rows("SELECT provider_message_id FROM booking_notifications WHERE kind = 'owner'");
    world.telegram.push_update(json!({"message": {
        "message_id": 77,
        "from": {"id": 500},
        "chat": {"id": 500, "type": "private"},
        "date": 1_787_220_000,
        "text": "Да, ждём",
        "reply_to_message": {"message_id": forwarded[0].parse::<i64>().unwrap()},
    }}));
    world.receive().await;
    world.deliver().await;
    assert_eq!(
        world.rows(
            "SELECT direction, phone, chat_id, text, contact_id IS NOT NULL, notification_id IS NOT NULL
               FROM messages WHERE text <> 'owner' ORDER BY id"
        ),
        [
            format!("inbound|{PHONE}|{PHONE}@c.us|А можно на час позже?|1|0"),
            format!("outbound|{PHONE}|{PHONE}@c.us|Да, ждём|1|1"),
        ]
    );
}

/// The owner's answer to a client's words, as Telegram shows it; `edited` says when it was.
fn answer(to: &str, text: &str, edited: Option<i64>) -> serde_json::Value {
    let message = json!({
        "message_id": 77,
        "from": {"id": 500, "first_name": "Владелец"},
        "chat": {"id": 500, "type": "private"},
        "date": 1_787_220_000,
        "text": text,
        "reply_to_message": {"message_id": to.parse::<i64>().unwrap()},
    });
    let Some(edited) = edited else {
        return json!({ "message": message });
    };
    let mut message = message;
    message["edit_date"] = (1_787_220_000 + edited).into();
    json!({ "edited_message": message })
}

#[tokio::test]
async fn an_owners_answer_is_handed_on_anew_only_when_its_words_were_edited() {
    let mut world = World::watching_with("", WITH_OWNER).await;
    world.green.push_text(PHONE, "А можно на час позже?");
    world.receive().await;
    world.deliver().await;
    let asked =
        world.rows("SELECT provider_message_id FROM booking_notifications WHERE kind = 'owner'");
    let asked = &asked[0];
    let wrong = "Да, ждём вас в 15:30";
    let right = "Да, ждём вас в 16:30";
    world.telegram.push_update(answer(asked, wrong, None));
    // A reaction, or a preview of a link.
    world.telegram.push_update(answer(asked, wrong, Some(10)));
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told(), [wrong]);
    world.restart().await;
    world.telegram.push_update(answer(asked, wrong, Some(20)));
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told(), [wrong]);
    // A correction is handed on; an edit that came before it and is shown again is not.
    world.telegram.push_update(answer(asked, right, Some(30)));
    world.telegram.push_update(answer(asked, wrong, Some(20)));
    world.telegram.push_update(answer(asked, right, Some(40)));
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told(), [wrong, right]);
    // Taken back, it is a correction again.
    world.telegram.push_update(answer(asked, wrong, Some(50)));
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told(), [wrong, right, wrong]);
    assert_eq!(world.owner_told().len(), 1, "{:?}", world.owner_told());
}

const EDIT_UNKNOWN: &str = "Это правка старого сообщения, и что в нём изменилось, мне не видно: ничего не делаю. Если слова новые, напишите их ещё раз.";

#[tokio::test]
async fn an_edit_of_what_an_owner_wrote_before_words_were_compared_is_not_handed_on() {
    // Read by a version that kept no trace of the words, and never read.
    for read in [1_usize, 0] {
        let world = World::watching_with("", WITH_OWNER).await;
        world.green.push_text(PHONE, "А можно на час позже?");
        world.receive().await;
        world.deliver().await;
        let asked = world.rows(FORWARDED);
        let asked = &asked[0];
        let older = "INSERT INTO messages (channel, direction, phone, chat_id, text, external_id, created_at)
                     SELECT 'telegram', 'inbound', '', '500', 'owner', '500/77', '2026-08-20T08:00:00.000Z'
                      WHERE ?1";
        assert_eq!(world.sql().execute(older, [read == 1]).unwrap(), read);
        let words = "Да, ждём вас в 15:30";
        for edited in [10, 20] {
            world
                .telegram
                .push_update(answer(asked, words, Some(edited)));
        }
        world.receive().await;
        world.deliver().await;
        assert_eq!(world.told(), [""; 0]);
        assert_eq!(world.owner_told()[1..], [EDIT_UNKNOWN]);
        // From here on the words are known.
        let right = "Да, ждём вас в 16:30";
        world.telegram.push_update(answer(asked, right, Some(30)));
        world.receive().await;
        world.deliver().await;
        assert_eq!(world.told(), [right]);
    }
}

#[tokio::test]
async fn an_edit_of_words_that_nobody_kept_is_the_owners_to_read() {
    let mut world = World::with("", WITH_OWNER).await;
    world.write_over(&["telegram"]).await;
    world.poll().await;
    let mut message = crate::support::telegram::private(900);
    message["message_id"] = 90.into();
    message["text"] = "стоп".into();
    for edited in [1_787_300_060, 1_787_300_070] {
        message["edit_date"] = edited.into();
        world
            .telegram
            .push_update(json!({ "edited_message": message }));
    }
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.owner_told(), ["💬 Анна · Малаховка: «стоп»"]);
    assert_eq!(world.telegram.sent().len(), 1);
    assert_eq!(world.rows("SELECT count(*) FROM opt_outs"), ["0"]);
    // From here on the words are known.
    message["text"] = "отписка".into();
    message["edit_date"] = 1_787_300_080.into();
    world
        .telegram
        .push_update(json!({ "edited_message": message }));
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.telegram.sent().last().unwrap().text, STOPPED);
}

#[tokio::test]
async fn an_owners_order_is_obeyed_once_whatever_is_edited_around_it() {
    let world = World::watching_with("", WITH_OWNER).await;
    let mut message = crate::support::telegram::private(500);
    message["message_id"] = 90.into();
    message["text"] = "/pause 2h".into();
    world.telegram.push_update(json!({ "message": message }));
    message["edit_date"] = 1_787_300_060.into();
    world
        .telegram
        .push_update(json!({ "edited_message": message }));
    world.receive().await;
    world.deliver().await;
    assert_eq!(
        world.owner_told(),
        ["Пауза: клиентам не пишу. Снять: /resume"]
    );
}

#[tokio::test]
async fn a_clients_words_are_read_once_whatever_is_edited_around_them() {
    let mut world = for_clients_too().await;
    let mut message = crate::support::telegram::private(900);
    message["message_id"] = 90.into();
    message["text"] = "стоп".into();
    world.telegram.push_update(json!({ "message": message }));
    message["edit_date"] = 1_787_300_060.into();
    world
        .telegram
        .push_update(json!({ "edited_message": message }));
    world.receive().await;
    world.deliver().await;
    let said = |world: &World| -> Vec<String> {
        world.telegram.sent().into_iter().map(|s| s.text).collect()
    };
    let kept = "SELECT text FROM messages WHERE direction = 'inbound' ORDER BY id";
    assert_eq!(said(&world), [STOPPED]);
    assert_eq!(world.rows(kept), ["стоп"]);
    world.restart().await;
    message["edit_date"] = 1_787_300_070.into();
    world
        .telegram
        .push_update(json!({ "edited_message": message }));
    world.receive().await;
    world.deliver().await;
    assert_eq!(said(&world), [STOPPED]);
    // Other words are new ones, once.
    message["text"] = "старт".into();
    for edited in [1_787_300_080, 1_787_300_090] {
        message["edit_date"] = edited.into();
        world
            .telegram
            .push_update(json!({ "edited_message": message }));
    }
    world.receive().await;
    world.deliver().await;
    assert_eq!(said(&world), [STOPPED, STARTED]);
    assert_eq!(world.rows(kept), ["стоп", "старт"]);
}

#[tokio::test]
async fn an_order_that_could_not_be_stored_is_read_again() {
    let world = World::watching_with("", WITH_OWNER).await;
    world
        .sql()
        .execute_batch(
            "CREATE TRIGGER disk_full BEFORE INSERT ON booking_notifications
             BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        )
        .unwrap();
    world.telegram.push_text(500, "/pause 2h");
    let telegram = &world.pipeline().channels()["telegram"];
    let patience = std::time::Duration::from_millis(200);
    let received = world.pipeline().receive_all(telegram, patience).await;
    assert!(received.is_err());
    world.sql().execute_batch("DROP TRIGGER disk_full").unwrap();
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.rows("SELECT count(*) FROM pauses"), ["1"]);
    assert_eq!(
        world.owner_told(),
        ["Пауза: клиентам не пишу. Снять: /resume"]
    );
}

#[tokio::test]
async fn who_is_talking_with_us_needs_no_message_of_the_booking_that_is_made_meanwhile() {
    let world = World::watching_with("recent_activity = \"10m\"", "").await;
    let minutes_ago = |minutes| world.clock.now() - TimeDelta::minutes(minutes);
    world
        .green
        .push_text_at(PHONE, "Запишите меня на завтра", minutes_ago(5));
    world.receive().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(world.decisions(), ["created|suppressed|recent_activity"]);
    // Of what happens to it later they are told, as of any booking they know of.
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    assert!(
        world.told()[0].contains("~21 августа в 14:30~"),
        "{:?}",
        world.told()
    );
}

#[tokio::test]
async fn old_words_and_orders_to_the_program_are_no_conversation() {
    let world = World::watching_with("recent_activity = \"10m\"", "").await;
    let now = world.clock.now();
    world
        .green
        .push_text_at(PHONE, "Спасибо", now - TimeDelta::minutes(20));
    world.green.push_text_at(PHONE, "стоп", now);
    world.green.push_text_at(PHONE, "старт", now);
    world.receive().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let told = world.told();
    assert!(
        told.last().unwrap().starts_with("✅ *Вы записаны!*"),
        "{told:?}"
    );
}

#[tokio::test]
async fn orders_from_the_owners_chat_are_obeyed_and_from_no_other() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.telegram.push_text(500, "/pause 2h");
    world.receive().await;
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    world.telegram.push_text(600, "/resume");
    world.receive().await;
    world.turn().await;
    assert_eq!(world.told().len(), 0, "a stranger's order");
    world.telegram.push_text(500, "/status");
    world.telegram.push_text(500, "/resume@salon_bot");
    world.telegram.push_text(500, "/retry 1");
    world.telegram.push_text(500, "/release");
    world.telegram.push_text(500, "/dance");
    world.receive().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1);
    let told = world.owner_told();
    for said in [
        "Пауза: клиентам не пишу. Снять: /resume",
        "<b>Малаховка</b>: журнал прочитан 0 с назад\nждут отправки: 1\nпауз: 1\nTelegram: работает\nWhatsApp: работает",
        "Пауза снята.",
        "Таких сообщений, чтобы отправить ещё раз, нет.",
        "Ничего не придержано.",
        "Понимаю: /status, /release, /retry НОМЕР, /pause 2h, /resume, /agent on|off",
    ] {
        assert!(told.iter().any(|text| text == said), "{said}\n{told:#?}");
    }
}

#[tokio::test]
async fn an_owner_decides_about_an_uncertain_message_in_the_chat() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.shut_the_journal();
    world
        .green
        .answer_next(crate::support::fake::Answer::Drop { taken: false });
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.give_up_searching().await;
    let uncertain = world.rows("SELECT id FROM booking_notifications WHERE status = 'uncertain'");
    assert_eq!(uncertain.len(), 1);
    world
        .telegram
        .push_text(500, &format!("/retry {}", uncertain[0]));
    world.receive().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

/// A person of this group answers that message of ours.
fn reply_in_group(world: &World, id: i64, user: i64, quoted: &str) {
    world.telegram.push_update(json!({"message": {
        "message_id": id,
        "from": {"id": user},
        "chat": {"id": -700, "type": "supergroup"},
        "date": 1_787_220_000,
        "text": format!("говорит {user}"),
        "reply_to_message": {"message_id": quoted.parse::<i64>().unwrap()},
    }}));
}

/// Two salons whose owners share a group.
const SHARED_GROUP: &str = r#"owner = [{ channel = "telegram", to = "-700", users = [41] }]
    [[companies]]
    id = 222222
    channels = ["whatsapp"]
    owner = [{ channel = "telegram", to = "-700", users = [42] }]"#;

const FORWARDED: &str = "SELECT provider_message_id FROM booking_notifications
     WHERE kind = 'owner' AND contact_id IS NOT NULL ORDER BY id DESC LIMIT 1";

#[tokio::test]
async fn in_a_group_of_two_salons_a_client_is_answered_by_those_of_their_salon_only() {
    let world = World::watching_with("", SHARED_GROUP).await;
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    world.green.push_text(PHONE, "А можно на час позже?");
    world.receive().await;
    world.deliver().await;
    let forwarded = world.rows(FORWARDED);
    reply_in_group(&world, 80, 42, &forwarded[0]);
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told().len(), 1, "{:?}", world.told());
    let group: Vec<String> = world.telegram.sent().into_iter().map(|s| s.text).collect();
    assert_eq!(
        group.last().unwrap(),
        "Не передал: этому клиенту отвечают владельцы его салона."
    );
    reply_in_group(&world, 81, 41, &forwarded[0]);
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told()[1..], ["говорит 41"]);
}

#[tokio::test]
async fn a_client_of_no_known_salon_is_answered_by_the_owners_of_any() {
    let world = World::watching_with("", SHARED_GROUP).await;
    world.green.push_text(PHONE, "Здравствуйте");
    world.receive().await;
    world.deliver().await;
    let forwarded = world.rows(FORWARDED);
    for (id, user) in [(80, 40), (81, 42), (82, 41)] {
        reply_in_group(&world, id, user, &forwarded[0]);
    }
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told(), ["говорит 42", "говорит 41"]);
}

/// The owner answers the words that were handed on last.
fn owner_answers(world: &World, text: &str) {
    world.telegram.push_update(json!({"message": {
        "message_id": 78,
        "from": {"id": 500},
        "chat": {"id": 500, "type": "private"},
        "date": 1_787_220_000,
        "text": text,
        "reply_to_message": {"message_id": world.rows(FORWARDED)[0].parse::<i64>().unwrap()},
    }}));
}

#[tokio::test]
async fn an_answer_that_could_not_leave_for_a_day_comes_back_to_the_owner() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.green.push_text(PHONE, "Здравствуйте");
    world.receive().await;
    world.deliver().await;
    world.green.set_state("notAuthorized");
    owner_answers(&world, "Добрый день!");
    world.receive().await;
    world.turn().await;
    world.advance("25h");
    world.green.set_state("authorized");
    world.turn().await;
    assert_eq!(world.told(), [""; 0]);
    let told = world.owner_told();
    let word = "⚠️ Ваш ответ до клиента не дошёл: «Добрый день!»";
    assert!(told.iter().any(|text| text == word), "{told:?}");
}

#[tokio::test]
async fn an_answer_is_sent_again_by_the_owners_word_although_a_day_has_passed() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.green.push_text(PHONE, "Здравствуйте");
    world.receive().await;
    world.deliver().await;
    world.shut_the_journal();
    world
        .green
        .answer_next(crate::support::fake::Answer::Drop { taken: false });
    owner_answers(&world, "Добрый день!");
    world.receive().await;
    world.turn().await;
    world.give_up_searching().await;
    let uncertain = world.rows("SELECT id FROM booking_notifications WHERE status = 'uncertain'");
    world.advance("25h");
    world
        .telegram
        .push_text(500, &format!("/retry {}", uncertain[0]));
    world.receive().await;
    world.turn().await;
    assert_eq!(
        world.told(),
        ["Повторяю на случай, если не дошло:\n\nДобрый день!"]
    );
}

#[tokio::test]
async fn the_words_of_a_client_of_a_salon_that_is_watched_no_more_are_read_all_the_same() {
    let world = World::watching_with("", SHARED_GROUP).await;
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    // The salon where they were booked is taken out of the settings.
    world
        .sql()
        .execute("UPDATE appointments_cache SET company_id = 333333", [])
        .unwrap();
    world.green.push_text(PHONE, "Здравствуйте");
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.rows(FORWARDED).len(), 1);
}

/// A private message of these fields beside the usual ones.
fn push_wordless(world: &World, chat: i64, fields: serde_json::Value) {
    let mut message = crate::support::telegram::private(chat);
    message["message_id"] = 90.into();
    for (name, value) in fields.as_object().unwrap() {
        message[name] = value.clone();
    }
    world.telegram.push_update(json!({ "message": message }));
}

#[tokio::test]
async fn an_owner_who_answers_without_words_hears_that_it_did_not_reach_the_client() {
    let world = World::watching_with("", WITH_OWNER).await;
    world.green.push_text(PHONE, "Как к вам пройти?");
    world.receive().await;
    world.deliver().await;
    let quoted: i64 = world.rows(FORWARDED)[0].parse().unwrap();
    push_wordless(
        &world,
        500,
        json!({"voice": {"file_id": "v"}, "reply_to_message": {"message_id": quoted}}),
    );
    world.receive().await;
    world.deliver().await;
    assert_eq!(
        world.owner_told()[1..],
        ["Передаю только слова. Этого клиент не получил, напишите текстом."]
    );
    assert_eq!(world.told(), [""; 0]);
    // What nobody sent to a client, and what Telegram tells of a chat, needs no word.
    push_wordless(
        &world,
        500,
        json!({"message_id": 91, "sticker": {"file_id": "s"}}),
    );
    push_wordless(&world, 500, json!({"message_id": 92, "pinned_message": {}}));
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.owner_told().len(), 2);
}

#[tokio::test]
async fn what_a_client_sends_without_words_is_told_to_the_owner() {
    let mut world = World::with("", WITH_OWNER).await;
    world.write_over(&["telegram"]).await;
    world.poll().await;
    push_wordless(&world, 900, json!({"photo": [{"file_id": "p"}]}));
    world.receive().await;
    world.deliver().await;
    assert_eq!(
        world.owner_told(),
        ["💬 Анна · Малаховка: [без слов: фото, голос или файл]\n\
             Ответил: «Пока читаю только текст. Напишите, пожалуйста, словами.»"]
    );
}

#[tokio::test]
async fn an_owner_without_alerts_reads_clients_words_or_requests_where_the_events_say_so() {
    for (events, read) in [
        ("", 0),
        ("\"messages\"", 2),
        ("\"support\"", 1),
        ("\"created\"", 0),
    ] {
        let owner = format!(
            "owner = [{{ channel = \"telegram\", to = \"{OWNER}\", alerts = false, events = [{events}] }}]"
        );
        let world = World::watching_with("", &owner).await;
        world.green.push_text(PHONE, "А можно с ребёнком?");
        world.receive().await;
        world.green.push_text(PHONE, "Позовите администратора");
        world.receive().await;
        world.deliver().await;
        let told = world.owner_told();
        assert_eq!(told.len(), read, "{events}: {told:?}");
    }
}

#[tokio::test]
async fn the_number_of_a_friend_is_shown_to_the_owner_and_links_nothing() {
    let mut world = World::with("", WITH_OWNER).await;
    world.write_over(&["telegram"]).await;
    world.poll().await;
    world.telegram.push_contact(900, PHONE, Some(900));
    world.telegram.push_contact(900, "+79000000002", None);
    world.receive().await;
    world.deliver().await;
    let told = world.owner_told();
    assert!(told[0].contains("[без слов"), "{told:?}");
    assert_eq!(
        world.rows("SELECT phone FROM contacts WHERE chat_id = '900'"),
        [PHONE]
    );
}
