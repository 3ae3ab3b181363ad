//! The owner's thread of a client: who has the word, what a button decides, and what happens to words
//! that nobody answers.

use crate::support::dialogue::{
    CALLED_OFF, CONFIRMED, DECLINED, HANDED_ON, journal, name_in_reminder,
};
use crate::support::fake::{Answer, Sent};
use crate::support::telegram::{Standing, private};
use crate::support::world::{OWNER, PHONE, SALON, World, haircut};
use booking_monitor::demo::salon::Route;
use booking_monitor::ports::Clock as _;
use serde_json::{Value, json};

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500", events = [] }]"#;

/// A client who was told of a booking.
async fn told(replies: &str) -> (World, i64) {
    let rest = format!("{OWNED}\nreplies = {{ {replies} }}");
    let world = World::watching_with("", &rest).await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.green.forget_sent();
    (world, record)
}

async fn follow(world: &World) {
    world.receive().await;
    let now = world.clock.now();
    world.pipeline().writes_due(now).await.unwrap();
    world.turn().await;
    world.advance("2s");
}

async fn say(world: &World, text: &str) {
    world.green.push_text_at(PHONE, text, world.clock.now());
    follow(world).await;
}

/// A person of the salon writes from its phone.
async fn answer_by_phone(world: &World, text: &str) {
    push_by_phone(world, text);
    follow(world).await;
}

fn push_by_phone(world: &World, text: &str) {
    let chat = format!("{PHONE}@c.us");
    world.green.push(json!({
        "typeWebhook": "outgoingMessageReceived",
        "timestamp": world.clock.now().timestamp(),
        "idMessage": format!("OUT{}", world.clock.now().timestamp()),
        "senderData": {"chatId": chat, "sender": "79000000009@c.us"},
        "messageData": {"typeMessage": "textMessage", "textMessageData": {"textMessage": text}},
    }));
}

/// The owner answers the card that was shown last.
async fn answer_in_chat(world: &World, text: &str) {
    let card = world.rows(
        "SELECT provider_message_id FROM booking_notifications
          WHERE kind = 'owner' AND contact_id IS NOT NULL ORDER BY id DESC LIMIT 1",
    );
    let mut message = private(500);
    message["message_id"] = (7000 + world.clock.now().timestamp() % 1000).into();
    message["text"] = text.into();
    message["reply_to_message"] = json!({"message_id": card[0].parse::<i64>().unwrap()});
    world.telegram.push_update(json!({ "message": message }));
    follow(world).await;
}

fn last_card(world: &World) -> Standing {
    world.telegram.standing(OWNER).pop().unwrap()
}

async fn press(world: &World, data: &str) -> String {
    let press = world.telegram.press(500, data);
    follow(world).await;
    world.telegram.answered(&press).unwrap()
}

#[tokio::test]
async fn a_request_is_shown_with_the_booking_and_what_was_answered() {
    let (world, _) = told("write = true").await;
    say(&world, "Не смогу").await;
    let card = last_card(&world);
    assert_eq!(
        card.text,
        "✋ <b>Просит отменить: Малаховка</b>\n\
         Анна, +7 900 000-00-01 · 21 августа в 14:30 · МУЖСКАЯ СТРИЖКА · Бари\n\
         «Не смогу»\n\
         Ответил: «Понятно. Передаю администратору, он ответит вам здесь.»"
    );
    assert_eq!(card.labels(), ["Отменить", "Ответить"]);
}

#[tokio::test]
async fn a_person_is_asked_for() {
    let (world, _) = told("write = true").await;
    say(&world, "администратор").await;
    assert_eq!(world.told(), [HANDED_ON]);
    let card = last_card(&world);
    assert_eq!(
        card.text,
        "🙋 <b>Клиент просит человека: Малаховка</b>\n\
         Анна, +7 900 000-00-01 · 21 августа в 14:30 · МУЖСКАЯ СТРИЖКА · Бари\n\
         «администратор»\n\
         Ответьте на это сообщение, я передам.\n\
         Ответил: «Передаю администратору, он ответит вам здесь.»"
    );
}

#[tokio::test]
async fn the_owner_takes_a_booking_off_by_a_button_and_the_client_is_told() {
    let (world, record) = told("write = true").await;
    say(&world, "отмена").await;
    let card = last_card(&world);
    assert_eq!(
        press(&world, &card.data("Ответить")).await,
        "Ответьте на это сообщение, я передам."
    );
    assert_eq!(world.salon.asked(Route::Cancel), 0);
    assert_eq!(press(&world, &card.data("Отменить")).await, "Отменяю.");
    follow(&world).await;
    assert_eq!(world.told(), [DECLINED, CALLED_OFF]);
    assert_eq!(world.salon.row(SALON, record).unwrap()["deleted"], true);
    world.advance("15s");
    world.turn().await;
    let card = world.telegram.standing(OWNER);
    let card = card
        .iter()
        .rev()
        .find(|c| c.text.contains("Просит"))
        .unwrap();
    assert!(card.text.ends_with("✅ Запись отменена"), "{}", card.text);
    assert_eq!(card.labels(), [""; 0]);
    world.tell().await;
    assert_eq!(world.told(), [DECLINED, CALLED_OFF]);
}

#[tokio::test]
async fn a_button_without_the_right_to_write_says_how_it_is_done_by_hand() {
    let (world, record) = told("write = false").await;
    say(&world, "отмена").await;
    let card = last_card(&world);
    let said = press(&world, &card.data("Отменить")).await;
    assert!(said.starts_with("Отмените запись в YClients"), "{said}");
    assert_eq!(world.salon.asked(Route::Cancel), 0);
    // The owner does it by hand: the client is told as of any cancellation, and nothing is asked any more.
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert!(
        world.told()[1].starts_with("❌ *Запись отменена*"),
        "{:?}",
        world.told()
    );
    world.advance("15s");
    world.turn().await;
    let card = world.telegram.standing(OWNER);
    let card = card.iter().find(|c| c.text.contains("Просит")).unwrap();
    assert_eq!(card.labels(), [""; 0]);
}

#[tokio::test]
async fn whoever_comes_after_all_is_not_taken_off_by_the_button() {
    let (world, record) = told("write = true").await;
    say(&world, "не смогу").await;
    let card = last_card(&world);
    let data = card.data("Отменить");
    say(&world, "приду").await;
    assert_eq!(world.told(), [DECLINED, CONFIRMED]);
    press(&world, &data).await;
    follow(&world).await;
    let row = world.salon.row(SALON, record).unwrap();
    assert_eq!(
        (&row["deleted"], &row["attendance"]),
        (&json!(false), &json!(2))
    );
}

#[tokio::test]
async fn after_a_person_answered_from_the_phone_the_rules_are_silent_for_a_while() {
    let (mut world, record) = told("write = true, cancel = \"self\"").await;
    say(&world, "А можно с собакой?").await;
    answer_by_phone(&world, "Можно!").await;
    world.advance("119m");
    world.restart().await;
    say(&world, "отмена").await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(world.salon.row(SALON, record).unwrap()["deleted"], false);
    // The owner reads it.
    assert!(last_card(&world).text.contains("«отмена»"));
    world.advance("2m");
    say(&world, "отмена").await;
    assert_eq!(world.told(), [CALLED_OFF]);
}

#[tokio::test]
async fn what_a_person_said_hours_before_it_is_read_silences_nobody() {
    let (world, record) = told("write = true, cancel = \"self\"").await;
    say(&world, "А можно с собакой?").await;
    // The program is down meanwhile.
    push_by_phone(&world, "Можно!");
    world.advance("3h");
    world.poll().await;
    follow(&world).await;
    say(&world, "отмена").await;
    assert_eq!(world.told(), [CALLED_OFF]);
    assert_eq!(world.salon.row(SALON, record).unwrap()["deleted"], true);
}

#[tokio::test]
async fn after_an_answer_from_the_owners_chat_the_rules_are_silent_too_but_for_stop() {
    let (world, _) = told("write = true, takeover = \"10m\"").await;
    say(&world, "А можно с собакой?").await;
    answer_in_chat(&world, "Можно!").await;
    say(&world, "не смогу").await;
    assert_eq!(world.told(), ["Можно!"]);
    say(&world, "стоп").await;
    assert_eq!(world.told().len(), 2, "STOP is heeded always");
    world.advance("11m");
    say(&world, "не смогу").await;
    assert_eq!(world.told()[2..], [DECLINED]);
}

/// Cards that say that somebody waits.
fn escalations(world: &World) -> Vec<String> {
    let mut told = world.owner_told();
    told.retain(|text| text.starts_with('⏰'));
    told
}

#[tokio::test]
async fn words_that_nobody_answers_are_shown_once_more_once() {
    let (mut world, _) = told("write = true").await;
    say(&world, "А можно с собакой?").await;
    world.advance("14m");
    world.turn().await;
    assert_eq!(escalations(&world), [""; 0]);
    say(&world, "Ау").await;
    world.restart().await;
    world.advance("1m");
    world.turn().await;
    assert_eq!(
        escalations(&world),
        ["⏰ <b>Клиент ждёт ответа 15 мин: Малаховка</b>\n\
          Анна, +7 900 000-00-01 · 21 августа в 14:30 · МУЖСКАЯ СТРИЖКА · Бари\n\
          «Ау»\n\
          Ответьте на это сообщение, я передам."]
    );
    world.advance("2h");
    say(&world, "Эй").await;
    world.advance("2h");
    world.turn().await;
    assert_eq!(escalations(&world).len(), 1);
    // Answered, it may happen anew.
    answer_in_chat(&world, "Можно!").await;
    world.advance("3h");
    say(&world, "А с кошкой?").await;
    world.advance("16m");
    world.turn().await;
    assert_eq!(escalations(&world).len(), 2);
}

#[tokio::test]
async fn what_was_answered_by_phone_after_it_was_shown_is_shown_anew_when_it_happens_anew() {
    let (world, _) = told("write = true").await;
    say(&world, "А можно с собакой?").await;
    world.advance("16m");
    world.turn().await;
    assert_eq!(escalations(&world).len(), 1);
    answer_by_phone(&world, "Можно!").await;
    for (wait, shown) in [("1m", 2), ("3h", 3), ("25h", 4)] {
        world.advance(wait);
        say(&world, "А с кошкой?").await;
        world.advance("16m");
        world.turn().await;
        assert_eq!(escalations(&world).len(), shown, "{wait}");
        answer_by_phone(&world, "Тоже").await;
    }
}

#[tokio::test]
async fn what_nobody_was_seen_to_answer_is_shown_once_more_when_they_write_on_another_day() {
    let (world, _) = told("write = true").await;
    say(&world, "А можно с собакой?").await;
    world.advance("16m");
    world.turn().await;
    assert_eq!(escalations(&world).len(), 1);
    // They were called back, of which nobody here knows.
    world.advance("23h");
    say(&world, "Спасибо, и ещё вопрос").await;
    world.advance("1h");
    world.turn().await;
    assert_eq!(
        escalations(&world).len(),
        1,
        "within a day it is the same talk"
    );
    world.advance("2h");
    say(&world, "А с кошкой?").await;
    world.advance("16m");
    world.turn().await;
    assert_eq!(escalations(&world).len(), 2);
    world.advance("2h");
    say(&world, "Ау").await;
    world.advance("16m");
    world.turn().await;
    assert_eq!(escalations(&world).len(), 2);
}

#[tokio::test]
async fn an_answer_by_phone_is_one_to_what_the_client_wrote_to_the_bot_too() {
    let mut world = World::with("", &format!("{OWNED}\nreplies = {{ takeover = \"10m\" }}")).await;
    world.write_over(&["whatsapp", "telegram"]).await;
    world.poll().await;
    world.telegram.push_contact(900, PHONE, Some(900));
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    for shown in [1, 2] {
        world.telegram.push_text(900, "А можно с собакой?");
        follow(&world).await;
        world.advance("16m");
        world.turn().await;
        assert_eq!(escalations(&world).len(), shown);
        answer_by_phone(&world, "Можно!").await;
        let waiting = "SELECT count(*) FROM talks WHERE waiting_since IS NOT NULL";
        assert_eq!(world.rows(waiting), ["0"]);
        world.advance("11m");
    }
}

#[tokio::test]
async fn what_is_answered_in_time_is_not_shown_again() {
    let (world, _) = told("write = true").await;
    say(&world, "А можно с собакой?").await;
    answer_by_phone(&world, "Можно!").await;
    world.advance("1h");
    world.turn().await;
    assert_eq!(escalations(&world), [""; 0]);
    assert_eq!(
        world.rows("SELECT direction, text FROM messages WHERE contact_id IS NOT NULL ORDER BY id"),
        ["inbound|А можно с собакой?", "outbound|Можно!"]
    );
}

#[tokio::test]
async fn nobody_waits_for_an_answer_to_thanks() {
    let (world, _) = told("write = true").await;
    say(&world, "Спасибо!").await;
    say(&world, "ок").await;
    world.advance("1h");
    world.turn().await;
    assert_eq!(escalations(&world), [""; 0]);
}

#[tokio::test]
async fn at_night_nobody_is_shown_what_waits_until_the_doors_have_been_open() {
    let (world, _) = told("opening_hours = \"10:00-21:00\"").await;
    // It is noon; 23:00 is 11 hours away.
    world.advance("11h");
    say(&world, "А можно с собакой?").await;
    world.advance("11h");
    world.turn().await;
    assert_eq!(escalations(&world), [""; 0], "10:00");
    world.advance("14m");
    world.turn().await;
    assert_eq!(escalations(&world), [""; 0], "10:14");
    world.advance("2m");
    world.turn().await;
    assert_eq!(escalations(&world).len(), 1);
}

#[tokio::test]
async fn the_cards_of_one_client_hang_together() {
    let (world, _) = told("write = true").await;
    say(&world, "А можно с собакой?").await;
    let first = last_card(&world);
    say(&world, "Ау").await;
    let bodies = world.telegram.requests();
    let last = bodies
        .iter()
        .rev()
        .find(|r| r.body.contains("«Ау»"))
        .unwrap();
    let body: Value = serde_json::from_str(&last.body).unwrap();
    assert_eq!(body["reply_parameters"]["message_id"].to_string(), first.id);
}

/// A salon that writes in a bot, which its client has opened.
async fn in_a_bot(keys: &str) -> World {
    let mut world = World::with("", keys).await;
    world.write_over(&["telegram"]).await;
    world.telegram.push_contact(900, PHONE, Some(900));
    world.receive().await;
    world.poll().await;
    world
}

/// The client has Telegram, and a reminder with buttons there.
#[tokio::test]
async fn a_reminder_in_a_bot_is_answered_by_its_buttons() {
    let world = in_a_bot(&format!("{OWNED}\nreplies = {{ write = true }}")).await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let sent = world.telegram.sent();
    let told = sent.iter().rev().find(|s| s.chat == "900").unwrap();
    world
        .sql()
        .execute(
            "UPDATE booking_notifications SET kind = 'reminder' WHERE kind = 'created'",
            [],
        )
        .unwrap();
    name_in_reminder(&world);
    let id = world.rows("SELECT id FROM booking_notifications WHERE kind = 'reminder'");
    // A stranger's press is nobody's answer.
    for (chat, data) in [(901, "n"), (900, "y")] {
        world.telegram.push_update(json!({"callback_query": {
            "id": format!("P{chat}"),
            "from": {"id": chat},
            "message": {"message_id": told.id.parse::<i64>().unwrap(), "date": 1_787_220_000,
                        "chat": {"id": chat, "type": "private"}},
            "data": format!("a{}:{data}", id[0]),
        }}));
    }
    follow(&world).await;
    let told: Vec<String> = world
        .telegram
        .sent()
        .into_iter()
        .filter(|s| s.chat == "900")
        .map(|s| s.text)
        .collect();
    assert_eq!(told.last().unwrap(), CONFIRMED);
    let row = world.salon.row(SALON, record).unwrap();
    assert_eq!(
        (&row["deleted"], &row["attendance"]),
        (&json!(false), &json!(2))
    );
}

/// A client with a bot, and a reminder with buttons of which nobody knows whether it arrived.
async fn reminded_in_doubt(more: &str) -> (World, i64, Standing) {
    let keys = format!(
        "{OWNED}\nreplies = {{ write = true }}\nnotify = {{ reminders = [\"24h\"] }}\n{more}"
    );
    let world = in_a_bot(&keys).await;
    let record = world.salon.book(haircut("2026-08-23T15:00:00"));
    world.tell().await;
    world.telegram.answer_next(Answer::Drop { taken: true });
    world.advance("51h");
    world.poll().await;
    world.turn().await;
    let asked = world.telegram.standing("900").pop().unwrap();
    assert_eq!(asked.labels(), ["Приду", "Не смогу"]);
    (world, record, asked)
}

#[tokio::test]
async fn a_button_under_a_reminder_whose_answer_was_lost_is_heard_and_proves_that_it_arrived() {
    let (world, record, asked) = reminded_in_doubt("").await;
    let state = "SELECT status FROM booking_notifications WHERE kind = 'reminder'";
    assert_eq!(world.rows(state), ["uncertain"]);
    let sent_at = world.clock.now().timestamp();
    world.advance("40m");
    // The date says which message it is: one of another day is another database's.
    for (date, attendance) in [(sent_at - 86_400, 0), (sent_at, 2)] {
        let data = asked.data("Приду");
        let press = world.telegram.press_under(900, &asked, date, &data);
        follow(&world).await;
        assert_eq!(world.telegram.answered(&press).as_deref(), Some(""));
        let row = world.salon.row(SALON, record).unwrap();
        assert_eq!(row["attendance"], json!(attendance), "{date}");
    }
    let to_client = |s: &Sent| s.chat == "900";
    let told: Vec<_> = world
        .telegram
        .sent()
        .into_iter()
        .filter(to_client)
        .collect();
    assert_eq!(told.last().unwrap().text, CONFIRMED);
    assert_eq!(world.rows(state), ["sent"]);
    // The owner is asked no more what to do about it.
    world.advance("1m");
    world.turn().await;
    let doubt = world.telegram.questions(OWNER);
    assert!(doubt.iter().all(|q| q.labels().is_empty()), "{doubt:?}");
}

/// A client with a bot whose reminder of the 23rd asks with buttons.
async fn reminded_in_a_bot() -> (World, i64, Standing) {
    let keys = format!(
        "{OWNED}\nreplies = {{ write = true, cancel = \"self\" }}\nnotify = {{ reminders = [\"24h\"] }}"
    );
    let world = in_a_bot(&keys).await;
    let record = world.salon.book(haircut("2026-08-23T15:00:00"));
    world.tell().await;
    world.advance("51h");
    world.poll().await;
    world.turn().await;
    let asked = world.telegram.standing("900").pop().unwrap();
    assert_eq!(asked.labels(), ["Приду", "Не смогу"]);
    (world, record, asked)
}

async fn press_under(world: &World, asked: &Standing, label: &str) {
    let data = asked.data(label);
    world.telegram.press_under(900, asked, 0, &data);
    follow(world).await;
}

#[tokio::test]
async fn a_button_of_a_visit_that_was_moved_takes_off_no_other_visit_of_its_new_day() {
    let (world, moved, asked) = reminded_in_a_bot().await;
    // Of this one a bot of the salon told its client.
    let other = world
        .salon
        .book(haircut("2026-08-30T17:00:00").comment("WhatsApp"));
    world.tell().await;
    let later = "2026-08-30T15:00:00".parse().unwrap();
    world.salon.reschedule(SALON, moved, later);
    world.tell().await;
    press_under(&world, &asked, "Не смогу").await;
    assert_eq!(journal(&world, &[moved, other]), "stands stands");
    assert!(last_card(&world).text.contains("«2»"));
}

/// A copy of the database from before the reminder was put back.
#[tokio::test]
async fn a_button_under_a_reminder_that_nobody_knows_any_more_is_shown_to_the_owner_and_does_nothing()
 {
    let (world, record, asked) = reminded_in_a_bot().await;
    world
        .sql()
        .execute_batch(
            "DELETE FROM reminders; DELETE FROM booking_notifications WHERE kind = 'reminder'",
        )
        .unwrap();
    press_under(&world, &asked, "Не смогу").await;
    assert_eq!(journal(&world, &[record]), "stands");
    let shown = last_card(&world).text;
    assert!(shown.contains("«Не смогу»"), "{shown}");
    assert_eq!(
        world.rows("SELECT company_id FROM talks WHERE waiting_since IS NOT NULL"),
        [SALON.to_string()]
    );
    // Of a chat that is nobody's client's nothing is shown.
    let before = world.owner_told().len();
    let data = asked.data("Не смогу");
    world.telegram.press_under(901, &asked, 0, &data);
    follow(&world).await;
    assert_eq!(world.owner_told().len(), before);
}

#[tokio::test]
async fn a_yes_to_a_reminder_confirms_nothing_that_was_booked_since() {
    let (world, reminded, asked) = reminded_in_a_bot().await;
    let other = world
        .salon
        .book(haircut("2026-08-23T18:00:00").comment("WhatsApp"));
    world.tell().await;
    press_under(&world, &asked, "Приду").await;
    assert_eq!(journal(&world, &[reminded, other]), "confirmed stands");
}

#[tokio::test]
async fn a_yes_to_a_reminder_confirms_the_visit_that_was_entered_anew_for_the_same_time() {
    let (world, first, asked) = reminded_in_a_bot().await;
    world.salon.cancel(SALON, first);
    let anew = world.salon.book(haircut("2026-08-23T15:00:00"));
    world.tell().await;
    press_under(&world, &asked, "Приду").await;
    assert_eq!(journal(&world, &[first, anew]), "off confirmed");
}

#[tokio::test]
async fn where_nobody_reads_along_nobody_is_promised_an_answer() {
    let mut world = World::with("", "phone = \"+7 495 000-00-00\"").await;
    world.write_over(&["telegram"]).await;
    world.poll().await;
    world.telegram.push_contact(900, PHONE, Some(900));
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.telegram.push_text(900, "не смогу");
    follow(&world).await;
    let told = world.telegram.sent().pop().unwrap().text;
    assert_eq!(
        told,
        "Понятно.\nДля отмены или переноса позвоните: +7 495 000-00-00"
    );
}

#[tokio::test]
async fn whoever_links_a_chat_reads_of_the_next_visit_there() {
    let mut world = World::with("", OWNED).await;
    world.write_over(&["telegram"]).await;
    // Booked before anybody watched.
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.telegram.push_contact(900, PHONE, Some(900));
    follow(&world).await;
    let told = world.telegram.sent();
    let told = told.iter().rev().find(|s| s.chat == "900").unwrap();
    assert_eq!(
        told.text,
        "Готово ✅\n\n📅 21 августа в 14:30\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари"
    );
}

/// The same on the whole way: planned, due, asked, pressed, written. Whoever is sure is not asked.
#[tokio::test]
async fn a_reminder_that_is_due_asks_with_buttons_until_its_client_is_sure() {
    let keys = format!(
        "{OWNED}\nreplies = {{ write = true }}\nnotify = {{ reminders = [\"24h\", \"18h\"] }}"
    );
    let world = in_a_bot(&keys).await;
    let record = world.salon.book(haircut("2026-08-23T15:00:00"));
    world.tell().await;

    world.advance("51h");
    world.poll().await;
    world.turn().await;
    let asked = world.telegram.standing("900").pop().unwrap();
    assert!(asked.text.contains("Ждём вас завтра"), "{}", asked.text);
    assert!(asked.text.contains("Придёте? Ответьте"), "{}", asked.text);
    assert_eq!(asked.labels(), ["Приду", "Не смогу"]);
    world.telegram.press(900, &asked.data("Приду"));
    follow(&world).await;
    assert_eq!(
        world.salon.row(SALON, record).unwrap()["attendance"],
        json!(2)
    );
    assert_eq!(world.telegram.sent().pop().unwrap().text, CONFIRMED);

    world.advance("6h");
    world.poll().await;
    world.turn().await;
    let again = world.telegram.standing("900").pop().unwrap();
    assert!(again.text.contains("Ждём вас завтра"), "{}", again.text);
    assert!(!again.text.contains("Придёте?"), "{}", again.text);
    assert_eq!(again.labels(), [""; 0]);
}
