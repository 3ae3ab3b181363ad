//! Buttons in the owner's chat: what they decide, who may press them, and what a press that decides
//! nothing is answered.

use crate::support::fake::Answer;
use crate::support::telegram::Standing;
use crate::support::world::{OWNER, SALON, World, at, haircut};
use booking_monitor::ports::Clock as _;
use serde_json::{Value, json};

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500", events = [] }]"#;
const VOID: &str = "Эта кнопка больше не действует.";
const NOT_YOURS: &str = "Это решают владельцы салона.";

/// A booking whose message may have arrived: nobody can tell.
async fn uncertain(world: &World) -> i64 {
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: false });
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    world.give_up_searching().await;
    assert_eq!(world.decisions(), ["created|uncertain|"]);
    record
}

/// What was pressed is read, done, and shown.
async fn heed(world: &World) {
    world.receive().await;
    world.turn().await;
}

fn asked(world: &World, chat: &str) -> Standing {
    world.telegram.questions(chat).pop().unwrap()
}

/// A press in the owner's own chat, and what it is answered.
async fn press(world: &World, data: &str) -> String {
    let press = world.telegram.press(500, data);
    heed(world).await;
    world.telegram.answered(&press).unwrap()
}

#[tokio::test]
async fn a_message_that_arrived_by_the_owners_word_is_sent_and_known() {
    let world = World::watching_with("", OWNED).await;
    let record = uncertain(&world).await;
    let question = asked(&world, OWNER);
    assert_eq!(
        question.text,
        "❔ <b>Не знаю, дошло ли: 1 сообщение</b>\nСвязь оборвалась во время отправки.\n№ 1: ✅ Вы записаны! · +7 900 000-00-01"
    );
    assert_eq!(question.labels(), ["Дошло", "Отправить ещё раз"]);
    assert_eq!(press(&world, &question.data("Дошло")).await, "Дошло.");
    let decided = asked(&world, OWNER);
    assert_eq!(decided.text, format!("{}\n✅ Дошло", question.text));
    assert_eq!(decided.labels(), [""; 0]);
    assert_eq!(world.decisions(), ["created|sent|"]);
    // The client knows the booking as it was: the next change names what it was.
    world
        .salon
        .reschedule(SALON, record, at("2026-08-26T16:00:00"));
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("~25 августа в 14:30~ → *26 августа в 16:00*"),
        "{}",
        told[0]
    );
}

#[tokio::test]
async fn a_message_sent_again_by_the_owners_word_says_why_it_comes_twice() {
    let world = World::watching_with("", OWNED).await;
    uncertain(&world).await;
    let question = asked(&world, OWNER);
    let again = question.data("Отправить ещё раз");
    assert_eq!(press(&world, &again).await, "Отправляю ещё раз.");
    let told = world.told();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("Повторяю на случай, если не дошло:\n\n✅ *Вы записаны!*\n"),
        "{}",
        told[0]
    );
    let decided = asked(&world, OWNER);
    assert_eq!(
        decided.text,
        format!("{}\n🔁 Отправляю ещё раз", question.text)
    );
    assert_eq!(decided.labels(), [""; 0]);
}

#[tokio::test]
async fn a_button_pressed_twice_decides_once() {
    let world = World::watching_with("", OWNED).await;
    uncertain(&world).await;
    let again = asked(&world, OWNER).data("Отправить ещё раз");
    let chat = json!({"id": 500, "type": "private"});
    world.telegram.press_again("p", &chat, 500, &again);
    heed(&world).await;
    // The same press is read once more: its first answer may not have come through.
    world.telegram.press_again("p", &chat, 500, &again);
    heed(&world).await;
    assert_eq!(world.telegram.answered("p").unwrap(), "Отправляю ещё раз.");
    assert_eq!(
        press(&world, &again).await,
        "Уже решено: отправляю ещё раз."
    );
    assert_eq!(world.told().len(), 1);
    assert_eq!(world.decisions(), ["created|sent|"]);
}

#[tokio::test]
async fn what_one_owner_decides_shows_in_the_chats_of_all() {
    let owners = r#"owner = [{ channel = "telegram", to = "500", events = [] }, { channel = "telegram", to = "501", events = [] }]"#;
    let world = World::watching_with("", owners).await;
    uncertain(&world).await;
    let (first, second) = (asked(&world, "500"), asked(&world, "501"));
    assert_eq!(press(&world, &first.data("Дошло")).await, "Дошло.");
    for chat in ["500", "501"] {
        assert!(asked(&world, chat).text.ends_with("\n✅ Дошло"));
        assert_eq!(asked(&world, chat).labels(), [""; 0]);
    }
    let late = world.telegram.press(501, &second.data("Отправить ещё раз"));
    heed(&world).await;
    assert_eq!(
        world.telegram.answered(&late).unwrap(),
        "Уже решено: дошло."
    );
    assert_eq!(world.told().len(), 0);
    // One chat's button is none of another's.
    let foreign = world.telegram.press(501, &first.data("Дошло"));
    heed(&world).await;
    assert_eq!(world.telegram.answered(&foreign).unwrap(), VOID);
}

#[tokio::test]
async fn what_is_decided_by_an_order_or_a_newer_message_takes_the_buttons_away() {
    let world = World::watching_with("", OWNED).await;
    uncertain(&world).await;
    world.telegram.push_text(500, "/retry 1");
    heed(&world).await;
    assert_eq!(world.decisions(), ["created|sent|"]);
    let decided = asked(&world, OWNER);
    assert!(
        decided.text.ends_with("\n🔁 Отправляю ещё раз"),
        "{decided:?}"
    );
    assert_eq!(decided.labels(), [""; 0]);

    let world = World::watching_with("", OWNED).await;
    let record = uncertain(&world).await;
    let button = asked(&world, OWNER).data("Отправить ещё раз");
    world
        .salon
        .reschedule(SALON, record, at("2026-08-26T16:00:00"));
    world.tell().await;
    let decided = asked(&world, OWNER);
    assert!(
        decided
            .text
            .ends_with("\n➡️ Об этом уже сказано в новом сообщении"),
        "{decided:?}"
    );
    assert_eq!(
        press(&world, &button).await,
        "Уже решено: об этом уже сказано в новом сообщении."
    );
    assert_eq!(world.told().len(), 1, "nothing old goes again");
}

#[tokio::test]
async fn a_message_that_becomes_uncertain_again_is_asked_about_again() {
    let world = World::watching_with("", OWNED).await;
    uncertain(&world).await;
    world.green.answer_next(Answer::Drop { taken: false });
    let again = asked(&world, OWNER).data("Отправить ещё раз");
    press(&world, &again).await;
    world.give_up_searching().await;
    assert_eq!(world.decisions(), ["created|uncertain|"]);
    let questions = world.telegram.questions(OWNER);
    assert_eq!(questions.len(), 2);
    assert_eq!(questions[0].labels(), [""; 0]);
    let again = questions[1].data("Отправить ещё раз");
    press(&world, &again).await;
    let told = world.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].matches("Повторяю").count(), 1, "{}", told[0]);
}

#[tokio::test]
async fn several_uncertain_messages_are_one_question_with_buttons_for_each() {
    let world = World::watching_with("", OWNED).await;
    world.shut_the_journal();
    for n in 1..4 {
        world.green.answer_next(Answer::Drop { taken: false });
        world
            .salon
            .book(haircut("2026-08-25T14:30:00").client("Анна", &format!("+7900000000{n}")));
    }
    world.tell().await;
    world.give_up_searching().await;
    let all = world.telegram.questions(OWNER);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(
        all[0].labels(),
        [
            "№ 1: дошло",
            "№ 1: ещё раз",
            "№ 2: дошло",
            "№ 2: ещё раз",
            "№ 3: дошло",
            "№ 3: ещё раз"
        ]
    );
    press(&world, &all[0].data("№ 2: дошло")).await;
    press(&world, &all[0].data("№ 3: ещё раз")).await;
    let now = asked(&world, OWNER);
    assert_eq!(now.labels(), ["№ 1: дошло", "№ 1: ещё раз"]);
    assert!(
        now.text
            .ends_with("\n✅ № 2: дошло\n🔁 № 3: отправляю ещё раз"),
        "{}",
        now.text
    );
    assert_eq!(
        world.decisions(),
        ["created|uncertain|", "created|sent|", "created|sent|"]
    );
}

#[tokio::test]
async fn after_a_restart_every_send_that_was_cut_off_is_asked_about_within_a_minute() {
    let mut world = World::with("", OWNED).await;
    world.write_over(&["telegram"]).await;
    world.poll().await;
    for n in 1..4 {
        let phone = format!("+7900000000{n}");
        world.telegram.push_contact(900 + n, &phone, Some(900 + n));
        world
            .salon
            .book(haircut("2026-08-25T14:30:00").client("Анна", &phone));
    }
    world.receive().await;
    world.tell().await;
    // As if the power had gone in the middle of these sends.
    world
        .sql()
        .execute_batch(
            "UPDATE booking_notifications SET status = 'sending', provider_message_id = NULL, sent_at = NULL
              WHERE kind = 'created';
             UPDATE delivery_attempts SET finished_at = NULL, outcome = NULL
              WHERE notification_id IN (SELECT id FROM booking_notifications WHERE kind = 'created')",
        )
        .unwrap();
    let before = world.telegram.sent().len();
    world.restart().await;
    world.turn().await;
    assert_eq!(world.telegram.sent().len(), before + 1);
    assert_eq!(asked(&world, OWNER).labels().len(), 6);
    assert_eq!(
        world.rows("SELECT status FROM booking_notifications WHERE kind = 'created'"),
        ["uncertain"; 3]
    );
}

#[tokio::test]
async fn strangers_and_forged_buttons_decide_nothing_and_are_told_so() {
    let world = World::watching_with("", OWNED).await;
    uncertain(&world).await;
    let arrived = asked(&world, OWNER).data("Дошло");
    let stranger = world.telegram.press(600, &arrived);
    heed(&world).await;
    assert_eq!(world.telegram.answered(&stranger).unwrap(), NOT_YOURS);
    for forged in [
        "q1:s:0",
        "q1:d:0",
        "q99:y:0",
        "q1:y",
        "yes",
        "q1:y:0:0",
        "\u{0}",
        "q9223372036854775808:y:0",
    ] {
        assert_eq!(press(&world, forged).await, VOID, "{forged}");
    }
    assert_eq!(world.decisions(), ["created|uncertain|"]);
    assert_eq!(
        asked(&world, OWNER).labels(),
        ["Дошло", "Отправить ещё раз"]
    );
    assert_eq!(press(&world, &arrived).await, "Дошло.");
}

fn group() -> Value {
    json!({"id": -700, "type": "supergroup"})
}

#[tokio::test]
async fn in_a_group_of_two_salons_a_button_obeys_only_those_its_salon_lists() {
    let rest = r#"owner = [{ channel = "telegram", to = "-700", users = [41], events = [] }]
        [[companies]]
        id = 222222
        channels = ["whatsapp"]
        owner = [{ channel = "telegram", to = "-700", users = [42], events = [] }]"#;
    let world = World::watching_with("", rest).await;
    uncertain(&world).await;
    let arrived = asked(&world, "-700").data("Дошло");
    for user in [40, 42] {
        let refused = world.telegram.press_in(&group(), user, &arrived);
        heed(&world).await;
        assert_eq!(
            world.telegram.answered(&refused).unwrap(),
            NOT_YOURS,
            "{user}"
        );
        assert_eq!(world.decisions(), ["created|uncertain|"]);
    }
    let listed = world.telegram.press_in(&group(), 41, &arrived);
    heed(&world).await;
    assert_eq!(world.telegram.answered(&listed).unwrap(), "Дошло.");
    assert_eq!(world.decisions(), ["created|sent|"]);
}

#[tokio::test]
async fn a_press_that_could_not_be_stored_is_read_again() {
    let world = World::watching_with("", OWNED).await;
    uncertain(&world).await;
    world
        .sql()
        .execute_batch(
            "CREATE TRIGGER disk_full BEFORE UPDATE ON questions
             BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        )
        .unwrap();
    let press = world
        .telegram
        .press(500, &asked(&world, OWNER).data("Дошло"));
    let telegram = &world.pipeline().channels()["telegram"];
    let patience = std::time::Duration::from_millis(200);
    let received = world.pipeline().receive_all(telegram, patience).await;
    assert!(received.is_err());
    assert_eq!(world.telegram.answered(&press), None);
    assert_eq!(world.decisions(), ["created|uncertain|"]);
    world.sql().execute_batch("DROP TRIGGER disk_full").unwrap();
    heed(&world).await;
    assert_eq!(world.telegram.answered(&press).unwrap(), "Дошло.");
    assert_eq!(world.decisions(), ["created|sent|"]);
}

#[tokio::test]
async fn whatever_an_edit_is_answered_nothing_is_parked_and_nothing_is_sent_instead() {
    for answer in [
        Answer::http(
            400,
            r#"{"ok":false,"description":"Bad Request: message can't be edited"}"#,
        ),
        Answer::http(401, r#"{"ok":false,"description":"Unauthorized"}"#),
        Answer::http(
            403,
            r#"{"ok":false,"description":"Forbidden: bot was kicked"}"#,
        ),
        Answer::http(
            429,
            r#"{"ok":false,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#,
        ),
        Answer::http(502, "<html>Bad Gateway</html>"),
        Answer::Drop { taken: false },
    ] {
        let world = World::watching_with("", OWNED).await;
        uncertain(&world).await;
        let arrived = asked(&world, OWNER).data("Дошло");
        let sent = world.owner_told().len();
        // One for the answer to the press, one for the edit.
        world.telegram.answer_next_edit(answer.clone());
        world.telegram.answer_next_edit(answer.clone());
        world.telegram.press(500, &arrived);
        heed(&world).await;
        assert_eq!(world.decisions(), ["created|sent|"], "{answer:?}");
        assert_eq!(
            world.rows("SELECT count(*) FROM channel_states WHERE down_since IS NOT NULL OR sick_since IS NOT NULL OR blocked_until IS NOT NULL"),
            ["0"],
            "{answer:?}"
        );
        for _ in 0..6 {
            world.advance("10s");
            world.poll().await;
            world.turn().await;
        }
        assert_eq!(world.owner_told().len(), sent, "{answer:?}");
        let for_good = matches!(
            &answer,
            Answer::Http {
                status: 400 | 403,
                ..
            }
        );
        assert_eq!(
            asked(&world, OWNER).labels().is_empty(),
            !for_good,
            "{answer:?}"
        );
        assert_eq!(
            world.rows("SELECT count(*) FROM edits"),
            ["0"],
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn an_edit_that_a_crash_cut_off_is_made_after_the_restart() {
    let mut world = World::watching_with("", OWNED).await;
    uncertain(&world).await;
    world
        .telegram
        .press(500, &asked(&world, OWNER).data("Дошло"));
    world.receive().await;
    world.restart().await;
    assert_eq!(asked(&world, OWNER).labels().len(), 2);
    world.turn().await;
    assert_eq!(asked(&world, OWNER).labels(), [""; 0]);
}

/// Bookings of clients of their own that are told, then vanish.
async fn held(world: &World, count: usize) -> Vec<i64> {
    let records: Vec<i64> = (0..count)
        .map(|n| {
            let draft = haircut(&format!("2026-08-24T{:02}:00:00", 9 + n));
            world
                .salon
                .book(draft.client("Анна", &format!("+790000000{n:02}")))
        })
        .collect();
    world.tell().await;
    for record in &records[..7] {
        world.salon.cancel(SALON, *record);
    }
    world.tell().await;
    records
}

#[tokio::test]
async fn the_owner_lets_go_what_the_guard_holds() {
    let world = World::watching_with("", OWNED).await;
    held(&world, 9).await;
    assert_eq!(world.told().len(), 9);
    let question = asked(&world, OWNER);
    assert_eq!(
        question.text,
        "✋ <b>Придержал 7 отмен: Малаховка</b>\nИз журнала сразу пропали 7 записей, ближайшая 24 августа в 09:00. Клиентам об этих отменах не писал."
    );
    assert_eq!(
        question.labels(),
        ["Показать", "Отправить 7", "Не отправлять"]
    );
    assert_eq!(
        press(&world, &question.data("Отправить 7")).await,
        "Отправляю: 7."
    );
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 16);
    let decided = asked(&world, OWNER);
    assert!(decided.text.ends_with("\n✅ Отправляю: 7"), "{decided:?}");
    assert_eq!(decided.labels(), [""; 0]);
}

#[tokio::test]
async fn the_owner_may_look_before_deciding() {
    let world = World::watching_with("", OWNED).await;
    held(&world, 9).await;
    let question = asked(&world, OWNER);
    let chat = json!({"id": 500, "type": "private"});
    for _ in 0..2 {
        // Read twice, and shown once.
        world
            .telegram
            .press_again("p", &chat, 500, &question.data("Показать"));
        heed(&world).await;
        assert_eq!(world.telegram.answered("p").unwrap(), "Список в чате.");
    }
    let told = world.owner_told();
    assert_eq!(told.len(), 2);
    let lines: Vec<&str> = told[1].lines().collect();
    assert_eq!(lines.len(), 7);
    assert_eq!(
        lines[0],
        "Отмена: 24 августа в 09:00 · Бари · Анна, +7 900 000-00-00"
    );
    assert_eq!(asked(&world, OWNER), question);
    assert_eq!(world.told().len(), 9);
}

#[tokio::test]
async fn a_card_shows_that_the_client_was_called() {
    let world = World::watching_with("", OWNED).await;
    let refused = r#"{"message":"Validation failed"}"#;
    world.green.answer_next(Answer::http(400, refused));
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let card = asked(&world, OWNER);
    assert!(card.text.starts_with("📞 <b>Позвоните клиенту</b>\n"));
    assert_eq!(card.labels(), ["Позвонили"]);
    assert_eq!(press(&world, &card.data("Позвонили")).await, "Позвонили.");
    let called = asked(&world, OWNER);
    assert_eq!(called.text, format!("{}\n✅ Позвонили", card.text));
    assert_eq!(called.labels(), [""; 0]);
    // The card is the alert: there is no other.
    assert_eq!(world.owner_told().len(), 1);
}

#[tokio::test]
async fn the_owner_drops_what_the_guard_holds() {
    let world = World::watching_with("", OWNED).await;
    held(&world, 9).await;
    let question = asked(&world, OWNER);
    assert_eq!(
        press(&world, &question.data("Не отправлять")).await,
        "Не отправляю: 7."
    );
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 9);
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE reason = 'discarded'"),
        ["7"]
    );
    assert_eq!(
        press(&world, &question.data("Отправить 7")).await,
        "Уже решено: не отправляю: 7."
    );
    assert_eq!(world.told().len(), 9);
}

#[tokio::test]
async fn a_button_decides_about_no_more_than_it_spoke_of() {
    let world = World::watching_with("", OWNED).await;
    let records = held(&world, 9).await;
    let question = asked(&world, OWNER);
    world.salon.cancel(SALON, records[7]);
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    // An eighth was held, and the message still speaks of seven.
    assert_eq!(
        press(&world, &question.data("Отправить 7")).await,
        "Их уже 8. Проверьте и нажмите ещё раз."
    );
    assert_eq!(world.told().len(), 9);
    let question = asked(&world, OWNER);
    assert_eq!(
        question.labels(),
        ["Показать", "Отправить 8", "Не отправлять"]
    );
    assert_eq!(
        press(&world, &question.data("Отправить 8")).await,
        "Отправляю: 8."
    );
}

#[tokio::test]
async fn what_is_let_go_by_an_order_shows_under_the_question() {
    let world = World::watching_with("", OWNED).await;
    held(&world, 9).await;
    world.telegram.push_text(500, "/release");
    heed(&world).await;
    let decided = asked(&world, OWNER);
    assert!(decided.text.ends_with("\n✅ Отправляю: 7"), "{decided:?}");
    assert_eq!(decided.labels(), [""; 0]);
}

#[tokio::test]
async fn a_hold_that_ends_by_itself_takes_its_buttons_with_it() {
    let world = World::watching_with("", OWNED).await;
    let records = held(&world, 9).await;
    let button = asked(&world, OWNER).data("Не отправлять");
    for record in &records[..7] {
        world.salon.restore(SALON, *record);
    }
    world.tell().await;
    let over = asked(&world, OWNER);
    assert!(
        over.text.ends_with("\n✅ Больше ничего не придержано"),
        "{over:?}"
    );
    assert_eq!(over.labels(), [""; 0]);
    assert_eq!(
        press(&world, &button).await,
        "Уже решено: больше ничего не придержано."
    );
}

/// A pause by the owner's order, and three bookings that wait for its end.
async fn paused(world: &World, order: &str) {
    world.telegram.push_text(500, order);
    world.receive().await;
    for n in 1..4 {
        let draft = haircut("2026-08-25T14:30:00");
        world
            .salon
            .book(draft.client("Анна", &format!("+7900000000{n}")));
    }
    world.tell().await;
    assert_eq!(world.told().len(), 0);
}

async fn pass(world: &World, span: &str) {
    world.advance(span);
    world.poll().await;
    world.turn().await;
}

#[tokio::test]
async fn before_a_pause_ends_the_owner_may_send_at_once() {
    let world = World::watching_with("", OWNED).await;
    paused(&world, "/pause 2h").await;
    pass(&world, "100m").await;
    assert_eq!(world.telegram.questions(OWNER), []);
    pass(&world, "10m").await;
    let question = asked(&world, OWNER);
    assert_eq!(
        question.text,
        "⏸ <b>Пауза до 14:00: Малаховка</b>\nНакопилось: 3 сообщения клиентам. В 14:00 уйдут, если не решите иначе."
    );
    assert_eq!(
        question.labels(),
        ["Показать", "Отправить 3", "Не отправлять"]
    );
    assert_eq!(
        press(&world, &question.data("Отправить 3")).await,
        "Отправляю: 3."
    );
    assert_eq!(world.told().len(), 3);
    assert_eq!(world.rows("SELECT count(*) FROM pauses"), ["0"]);
}

#[tokio::test]
async fn what_the_owner_drops_at_the_end_of_a_pause_counts_as_known() {
    let world = World::watching_with("", OWNED).await;
    let record = world.salon.book(haircut("2026-08-25T10:00:00"));
    world.tell().await;
    world.telegram.push_text(500, "/pause 5m");
    world.receive().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-26T16:00:00"));
    world.tell().await;
    let question = asked(&world, OWNER);
    assert_eq!(
        press(&world, &question.data("Не отправлять")).await,
        "Не отправляю: 1."
    );
    assert_eq!(world.decisions()[1..], ["updated|suppressed|discarded"]);
    pass(&world, "10m").await;
    assert_eq!(world.told().len(), 1);
    world
        .salon
        .reschedule(SALON, record, at("2026-08-27T12:00:00"));
    world.tell().await;
    let told = world.told();
    assert!(
        told[1].contains("~26 августа в 16:00~ → *27 августа в 12:00*"),
        "{}",
        told[1]
    );
}

#[tokio::test]
async fn a_pause_ends_when_it_says_whether_or_not_the_owner_answers() {
    let world = World::watching_with("", OWNED).await;
    paused(&world, "/pause 5m").await;
    let button = asked(&world, OWNER).data("Не отправлять");
    pass(&world, "5m").await;
    assert_eq!(world.told().len(), 3);
    let over = asked(&world, OWNER);
    assert!(over.text.ends_with("\n▶️ Пауза кончилась"), "{over:?}");
    assert_eq!(over.labels(), [""; 0]);
    assert_eq!(press(&world, &button).await, "Уже решено: пауза кончилась.");
}

#[tokio::test]
async fn of_a_pause_without_an_end_the_owner_is_reminded_once() {
    let world = World::watching_with("", OWNED).await;
    paused(&world, "/pause").await;
    for _ in 0..5 {
        pass(&world, "11m").await;
    }
    let all = world.telegram.questions(OWNER);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(
        all[0].text,
        "⏸ <b>Пауза без срока: Малаховка</b>\nНакопилось: 3 сообщения клиентам. Уйдут, когда снимете паузу."
    );
    // What joins them is spoken of too.
    world
        .salon
        .book(haircut("2026-08-27T14:30:00").client("Вера", "+79000000009"));
    world.tell().await;
    assert_eq!(
        asked(&world, OWNER).labels(),
        ["Показать", "Отправить 4", "Не отправлять"]
    );
}

#[tokio::test]
async fn a_pause_for_all_salons_is_not_the_chats_to_end() {
    let world = World::watching_with("", OWNED).await;
    world
        .sql()
        .execute(
            "INSERT INTO pauses (since) VALUES ('2026-08-20T09:00:00.000Z')",
            [],
        )
        .unwrap();
    paused(&world, "/resume").await;
    assert_eq!(
        world.owner_told(),
        [
            "Идёт пауза, поставленная для всех салонов: из чата её не снять. Снять: booking-monitor resume"
        ]
    );
    pass(&world, "11m").await;
    let question = asked(&world, OWNER);
    assert_eq!(question.labels(), ["Показать", "Не отправлять"]);
    let forged = question.data("Не отправлять").replace(":d:", ":s:");
    assert_eq!(press(&world, &forged).await, VOID);
    assert_eq!(world.rows("SELECT count(*) FROM pauses"), ["1"]);
    assert_eq!(
        press(&world, &question.data("Не отправлять")).await,
        "Не отправляю: 3."
    );
}

#[tokio::test]
async fn the_owner_hears_of_what_no_channel_took_and_may_send_it_again() {
    let world = World::watching_with("", OWNED).await;
    let refused = r#"{"message":"Validation failed"}"#;
    world.green.answer_next(Answer::http(400, refused));
    world.salon.book(haircut("2026-08-29T14:30:00"));
    world.tell().await;
    assert_eq!(world.decisions(), ["created|dead|"]);
    let question = asked(&world, OWNER);
    assert_eq!(
        question.text,
        "⚠️ <b>Не отправлено: 1 сообщение: Малаховка</b>\n№ 1: ✅ Вы записаны! · +7 900 000-00-01"
    );
    // Others that die soon after are told together, later.
    for n in 2..4 {
        world.green.answer_next(Answer::http(400, refused));
        world
            .salon
            .book(haircut("2026-08-29T14:30:00").client("Вера", &format!("+7900000000{n}")));
    }
    world.tell().await;
    assert_eq!(world.telegram.questions(OWNER).len(), 1);
    pass(&world, "10m").await;
    let all = world.telegram.questions(OWNER);
    assert_eq!(all.len(), 2);
    assert!(
        all[1]
            .text
            .starts_with("⚠️ <b>Не отправлено: 2 сообщения: Малаховка</b>\n"),
        "{}",
        all[1].text
    );
    assert_eq!(
        press(&world, &question.data("Отправить ещё раз")).await,
        "Отправляю ещё раз."
    );
    assert_eq!(world.told().len(), 1);
    assert!(world.told()[0].starts_with("✅ *Вы записаны!*"));
}

/// A copy of each booking, too.
const COPIED: &str = r#"owner = [{ channel = "telegram", to = "500" }]"#;

/// What the owner's copy says of the client's message.
fn copied(world: &World) -> String {
    let all = world.telegram.standing(OWNER);
    let copy = all.iter().find(|m| m.text.starts_with("🆕")).unwrap();
    copy.text.lines().last().unwrap().to_owned()
}

#[tokio::test]
async fn the_owners_copy_shows_what_became_of_the_clients_message() {
    let world = World::watching_with("", COPIED).await;
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    assert_eq!(copied(&world), "Клиенту: принято WhatsApp");
    let id = world.green.sent()[0].id.clone();
    world.green.push_status(&id, "delivered");
    world.green.push_status(&id, "read");
    heed(&world).await;
    assert_eq!(world.telegram.count("editMessageText"), 0);
    pass(&world, "10s").await;
    assert_eq!(copied(&world), "Клиенту: прочитано");
    // Receipts that come together are one edit, and nothing new is said.
    assert_eq!(world.telegram.count("editMessageText"), 1);
    assert_eq!(world.owner_told().len(), 1);
}

#[tokio::test]
async fn the_owners_copy_of_an_uncertain_message_shows_what_was_decided() {
    let world = World::watching_with("", COPIED).await;
    uncertain(&world).await;
    assert_eq!(copied(&world), "Клиенту: неизвестно, дошло ли");
    press(&world, &asked(&world, OWNER).data("Дошло")).await;
    pass(&world, "10s").await;
    assert_eq!(copied(&world), "Клиенту: принято WhatsApp");
}

#[tokio::test]
async fn a_copy_that_cannot_be_edited_holds_up_nothing() {
    let world = World::watching_with("", COPIED).await;
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    let id = world.green.sent()[0].id.clone();
    world.green.push_status(&id, "delivered");
    world.telegram.answer_next_edit(Answer::http(
        429,
        r#"{"ok":false,"description":"Too Many Requests: retry after 30","parameters":{"retry_after":30}}"#,
    ));
    world.receive().await;
    pass(&world, "10s").await;
    assert_eq!(copied(&world), "Клиенту: принято WhatsApp");
    world
        .salon
        .book(haircut("2026-08-26T14:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    assert_eq!(world.owner_told().len(), 2, "copies go on");
    pass(&world, "31s").await;
    assert_eq!(copied(&world), "Клиенту: доставлено");
}

#[tokio::test]
async fn of_bookings_that_would_have_been_told_together_all_count_as_known() {
    let world = World::watching_with("", OWNED).await;
    let other = "+79000000002";
    let records = [
        world.salon.book(haircut("2026-08-25T14:30:00")),
        world.salon.book(haircut("2026-08-26T14:30:00")),
    ];
    world.tell().await;
    world.telegram.push_text(500, "/pause 5m");
    world.receive().await;
    for record in records {
        world.salon.edit(SALON, record, |row| {
            row["client"]["phone"] = other.into();
        });
    }
    world.tell().await;
    let drop = asked(&world, OWNER).data("Не отправлять");
    assert_eq!(press(&world, &drop).await, "Не отправляю: 1.");
    pass(&world, "10m").await;
    for record in records {
        world
            .salon
            .reschedule(SALON, record, at("2026-08-27T12:00:00"));
    }
    world.tell().await;
    let sent = world.green.sent().into_iter();
    let told: Vec<String> = sent
        .filter(|s| s.chat == "79000000002@c.us")
        .map(|s| s.text)
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    for (text, was) in told.iter().zip(["25", "26"]) {
        let moved = format!("~{was} августа в 14:30~ → *27 августа в 12:00*");
        assert!(text.contains(&moved), "{text}");
    }
}

/// The database is lost, and a fresh one takes its place.
async fn start_afresh(world: &mut World) {
    world.stop();
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("booking-monitor.db") {
            std::fs::remove_file(path).unwrap();
        }
    }
    world.start().await;
    world.poll().await;
}

/// A press under this very message of the owner's chat, and what it is answered.
async fn press_under(world: &World, message: &Standing, date: i64, data: &str) -> String {
    let press = world.telegram.press_under(500, message, date, data);
    heed(world).await;
    world.telegram.answered(&press).unwrap()
}

#[tokio::test]
async fn a_button_of_a_database_that_is_gone_decides_nothing_in_the_one_that_took_its_place() {
    let mut world = World::watching_with("", OWNED).await;
    uncertain(&world).await;
    let old = asked(&world, OWNER);
    let again = old.data("Отправить ещё раз");
    start_afresh(&mut world).await;
    uncertain(&world).await;
    let new = asked(&world, OWNER);
    assert_ne!(old.id, new.id);
    assert_eq!(
        again,
        new.data("Отправить ещё раз"),
        "the numbers begin anew"
    );
    let now = world.clock.now().timestamp();
    for date in [now, 0] {
        assert_eq!(press_under(&world, &old, date, &again).await, VOID);
    }
    assert_eq!(world.decisions(), ["created|uncertain|"]);
    assert_eq!(asked(&world, OWNER).labels().len(), 2);
    assert_eq!(
        press_under(&world, &new, 0, &again).await,
        "Отправляю ещё раз."
    );
}

#[tokio::test]
async fn a_press_proves_that_a_question_whose_answer_was_lost_has_arrived() {
    let world = World::watching_with("", OWNED).await;
    world.telegram.answer_next(Answer::Drop { taken: true });
    held(&world, 9).await;
    let question = asked(&world, OWNER);
    let button = question.data("Отправить 7");
    let asked_at = world.clock.now().timestamp();
    // Nobody knows the number of the message that asks: of another day it is another one.
    for date in [asked_at - 86_400, asked_at - 60, asked_at + 60, 0] {
        assert_eq!(press_under(&world, &question, date, &button).await, VOID);
    }
    assert_eq!(world.told().len(), 9);
    assert_eq!(
        press_under(&world, &question, asked_at, &button).await,
        "Отправляю: 7."
    );
    pass(&world, "5s").await;
    assert_eq!(world.told().len(), 16);
    let all = world.telegram.questions(OWNER);
    assert_eq!(all.len(), 1, "it is not asked twice: {all:?}");
    assert!(all[0].text.ends_with("\n✅ Отправляю: 7"), "{all:?}");
}

#[tokio::test]
async fn a_question_that_came_twice_is_answered_under_either_message() {
    let world = World::watching_with("", OWNED).await;
    world.telegram.answer_next(Answer::Drop { taken: true });
    held(&world, 9).await;
    let asked_at = world.clock.now().timestamp();
    pass(&world, "31s").await;
    let all = world.telegram.questions(OWNER);
    assert_eq!(all.len(), 2);
    let button = all[0].data("Отправить 7");
    assert_eq!(
        press_under(&world, &all[0], asked_at, &button).await,
        "Отправляю: 7."
    );
    assert_eq!(
        press_under(&world, &all[1], asked_at + 31, &button).await,
        "Уже решено: отправляю: 7."
    );
    assert!(asked(&world, OWNER).text.ends_with("\n✅ Отправляю: 7"));
}

#[tokio::test]
async fn letting_moves_go_lets_no_cancellation_pass_that_was_seen_meanwhile() {
    let world = World::watching_with("", OWNED).await;
    let start = at("2026-08-22T10:00:00");
    let bookings: Vec<_> = (0..20)
        .map(|n| {
            let start = start + chrono::TimeDelta::hours(2 * n);
            let draft = haircut(&start.format("%Y-%m-%dT%H:%M:%S").to_string());
            let draft = draft.client("Анна", &format!("+790000000{n:02}"));
            (world.salon.book(draft), start)
        })
        .collect();
    world.tell().await;
    for (record, start) in &bookings[..17] {
        let later = *start + chrono::TimeDelta::hours(1);
        world.salon.reschedule(SALON, *record, later);
    }
    world.tell().await;
    let moves = asked(&world, OWNER);
    for (record, _) in &bookings[..8] {
        world.salon.cancel(SALON, *record);
    }
    world.advance("10s");
    world.poll().await;
    assert_eq!(
        press(&world, &moves.data("Отправить 17")).await,
        "Отправляю: 17."
    );
    world.tell().await;
    assert_eq!(
        world.rows(
            "SELECT kind, count(*) FROM booking_notifications WHERE status = 'held' GROUP BY kind"
        ),
        ["cancelled|8"]
    );
    assert_eq!(world.told().len(), 20 + 9, "{:?}", world.told());
    assert_eq!(
        asked(&world, OWNER).labels(),
        ["Показать", "Отправить 8", "Не отправлять"]
    );
}

#[tokio::test]
async fn dropping_moves_lets_no_cancellation_pass_either() {
    let world = World::watching_with("", OWNED).await;
    let records = held(&world, 15).await;
    let cancellations = asked(&world, OWNER);
    // The others, all of them, an hour later; and the cancellations are dropped while that settles.
    for (n, record) in records.iter().enumerate().skip(7) {
        let start = at("2026-08-24T09:00:00") + chrono::TimeDelta::hours(n as i64 + 1);
        world.salon.reschedule(SALON, *record, start);
    }
    world.advance("10s");
    world.poll().await;
    assert_eq!(
        press(&world, &cancellations.data("Не отправлять")).await,
        "Не отправляю: 7."
    );
    world.tell().await;
    assert_eq!(
        world.rows(
            "SELECT kind, count(*) FROM booking_notifications WHERE status = 'held' GROUP BY kind"
        ),
        ["updated|8"]
    );
    assert_eq!(world.told().len(), 15);
}

#[tokio::test]
async fn a_message_sent_again_on_the_next_day_by_the_owners_word_goes() {
    let world = World::watching_with("", OWNED).await;
    uncertain(&world).await;
    pass(&world, "25h").await;
    let again = asked(&world, OWNER).data("Отправить ещё раз");
    assert_eq!(press(&world, &again).await, "Отправляю ещё раз.");
    assert_eq!(world.told().len(), 1, "{:?}", world.decisions());
}
