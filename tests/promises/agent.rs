//! The agent beyond single dialogues: what leaves the house, budgets, outages, people who take over, kills.

use crate::support::agent::{
    OTHER, WRITES, booked, follow, furnish, replies, salon, salon_with, say, write,
};
use crate::support::dialogue::remind;
use crate::support::fake::Answer;
use crate::support::model::{Act, call, say as words};
use crate::support::world::{OWNER, PHONE, SALON, World, haircut};
use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::domain::phone::Phone;
use booking_monitor::ports::Clock as _;
use booking_monitor::store::{self, story};
use serde_json::json;

const HANDED: &str = "Передаю администратору, он ответит вам здесь.";
const PROPOSED: &str = "Записываю:\n📅 21 августа в 14:30\n💇 Мужская стрижка\n👤 Мастер: Бари\n💰 Стоимость: 2000 руб\nВсё верно? Ответьте *да*.";
const DONE: &str = "✅ *Вы записаны!*\n\n📅 21 августа в 14:30\n💇 Мужская стрижка\n👤 Мастер: Бари\n💰 Стоимость: 2000 руб\n📍 Малаховка, Южная улица, 38";

fn propose() -> Act {
    call(
        "propose_booking",
        json!({"services": [45], "master": 5, "day": "2026-08-21", "time": "14:30"}),
    )
}

fn outcomes(world: &World) -> Vec<String> {
    world.rows("SELECT outcome FROM turns ORDER BY id")
}

/// How many wait for a person.
fn waiting(world: &World) -> Vec<String> {
    world.rows("SELECT count(*) FROM talks WHERE waiting_since IS NOT NULL")
}

fn posts(world: &World) -> usize {
    world.salon.asked(Route::Make)
}

#[tokio::test]
async fn no_phone_surname_or_e_mail_leaves_and_they_come_back() {
    let (world, model) = salon("", WRITES).await;
    booked(&world, PHONE, "2026-08-23T12:00:00").await;
    model.then(call("my_bookings", json!({})));
    model.then(words("[name5], пишите на [mail1]. Ваш номер [phone2]."));
    say(
        &world,
        "Это +7 900 000-00-01, anna.petrova@example.com, меня зовут Мария Сидорова, Петрова тоже я",
    )
    .await;
    let left: String = model.asked().iter().map(ToString::to_string).collect();
    for secret in ["900", "example.com", "Сидоров", "Петров"] {
        assert!(!left.contains(secret), "{secret} left: {left}");
    }
    assert_eq!(
        replies(&world, PHONE),
        [
            "Петрова, пишите на anna.\u{2060}petrova@\u{2060}example.\u{2060}com. Ваш номер +7 900 000-00-01."
        ]
    );
    // What left can be looked up to the letter.
    let audited = world.rows("SELECT sent ->> '$.said[0].text', outcome FROM model_questions");
    assert_eq!(audited.len(), 2);
    assert_eq!(
        audited[0],
        "Это [phone2], [mail1], меня зовут [name3] [name4], [name5] тоже я|calls"
    );
}

#[tokio::test]
async fn where_nothing_may_leave_no_model_is_asked() {
    let (world, model) = salon(", external = false", WRITES).await;
    say(&world, "Сколько стоит стрижка?").await;
    assert_eq!(model.asked().len(), 0);
    assert_eq!(replies(&world, PHONE), Vec::<String>::new());
    assert!(
        world
            .owner_told()
            .concat()
            .contains("Сколько стоит стрижка?")
    );
}

#[tokio::test]
async fn words_of_a_few_seconds_are_answered_together() {
    let (world, model) = salon("", WRITES).await;
    model.then(words("Подскажу всё."));
    write(&world, PHONE, "А скажите").await;
    world.advance("1s");
    write(&world, PHONE, "сколько стоит").await;
    world.advance("1s");
    write(&world, PHONE, "стрижка?").await;
    world.advance("3s");
    world
        .pipeline()
        .answers_due(world.clock.now())
        .await
        .unwrap();
    assert_eq!(model.asked().len(), 0, "the last word is 3 s old");
    follow(&world).await;
    assert_eq!(model.asked().len(), 1);
    let said = model.asked()[0]["messages"].as_array().unwrap().len();
    assert_eq!(said, 4, "the system and three messages");
    assert_eq!(replies(&world, PHONE), ["Подскажу всё."]);
}

#[tokio::test]
async fn an_answer_leaves_after_the_time_that_typing_it_takes() {
    let (world, model) = salon("", WRITES).await;
    let answer = "Подскажу услуги и цены. ".repeat(12);
    model.then(words(&answer));
    write(&world, PHONE, "Вопрос").await;
    world.advance("4s");
    let pipeline = world.pipeline();
    pipeline.answers_due(world.clock.now()).await.unwrap();
    // Joining the client's words took four seconds of it.
    world.deliver().await;
    assert_eq!(replies(&world, PHONE), Vec::<String>::new());
    world.advance("1s");
    world.deliver().await;
    assert_eq!(replies(&world, PHONE), [answer.trim()]);
}

#[tokio::test]
async fn what_is_written_before_an_answer_left_is_asked_after_it_and_is_no_number() {
    let (world, model) = salon("", WRITES).await;
    model.then(words("Подскажу услуги и цены."));
    model.then(words("Парковки рядом нет."));
    write(&world, PHONE, "Вопрос").await;
    world.advance("4s");
    let pipeline = world.pipeline();
    pipeline.answers_due(world.clock.now()).await.unwrap();
    // It comes while the answer waits to leave, and is stored before it.
    write(&world, PHONE, "А парковка есть?").await;
    follow(&world).await;
    assert_eq!(
        conversation(&model.asked()[1]),
        [
            "user: Вопрос",
            "assistant: Подскажу услуги и цены.",
            "user: А парковка есть?"
        ]
    );
}

/// What the model read of a conversation.
fn conversation(asked: &serde_json::Value) -> Vec<String> {
    let said = |m: &serde_json::Value| {
        let [role, content] = ["role", "content"].map(|key| m[key].as_str().unwrap());
        format!("{role}: {content}")
    };
    let all = asked["messages"].as_array().unwrap();
    all[1..].iter().map(said).collect()
}

#[tokio::test]
async fn all_that_is_written_before_an_answer_left_is_asked_after_it() {
    let (world, model) = salon("", WRITES).await;
    model.then(words("Подскажу услуги и цены."));
    model.then(words("Парковки рядом нет, чай есть."));
    write(&world, PHONE, "Вопрос").await;
    world.advance("4s");
    let pipeline = world.pipeline();
    pipeline.answers_due(world.clock.now()).await.unwrap();
    // One comes while the answer waits to leave, the other once it has left.
    write(&world, PHONE, "А парковка есть?").await;
    write(&world, PHONE, "И чай?").await;
    assert_eq!(
        world.rows("SELECT text FROM messages ORDER BY id"),
        [
            "Вопрос",
            "А парковка есть?",
            "Подскажу услуги и цены.",
            "И чай?"
        ]
    );
    follow(&world).await;
    assert_eq!(
        conversation(&model.asked()[1]),
        [
            "user: Вопрос",
            "assistant: Подскажу услуги и цены.",
            "user: А парковка есть?",
            "user: И чай?"
        ]
    );
}

#[tokio::test]
async fn who_writes_without_an_end_is_answered_all_the_same() {
    let (world, model) = salon("", WRITES).await;
    model.then(words("Слушаю вас."));
    for _ in 0..8 {
        write(&world, PHONE, "и вот ещё что").await;
        world.advance("1s");
    }
    let now = world.clock.now();
    assert_eq!(world.pipeline().answers_due(now).await.unwrap(), 1);
    assert_eq!(model.asked().len(), 1);
}

#[tokio::test]
async fn what_is_written_while_the_model_thinks_is_answered_together_with_it() {
    let (world, model) = salon("", WRITES).await;
    let bell = model.hold_next();
    model.then(words("Первый ответ."));
    model.then(words("Ответ на всё."));
    write(&world, PHONE, "Вопрос").await;
    world.advance("4s");
    let pipeline = world.pipeline();
    let thinking = pipeline.answers_due(world.clock.now());
    let meanwhile = async {
        model.wait_for_requests("/openai/chat/completions", 1).await;
        world
            .green
            .push_text_at(PHONE, "и ещё вопрос", world.clock.now());
        world.receive().await;
        bell.notify_one();
    };
    let (answered, ()) = tokio::join!(thinking, meanwhile);
    answered.unwrap();
    follow(&world).await;
    assert_eq!(outcomes(&world), ["overtaken", "said"]);
    assert_eq!(replies(&world, PHONE), ["Ответ на всё."]);
}

#[tokio::test]
async fn a_yes_from_before_the_sentence_stood_there_agrees_to_nothing() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    write(&world, PHONE, "Запишите на стрижку завтра в 14:30").await;
    world.advance("4s");
    world
        .pipeline()
        .answers_due(world.clock.now())
        .await
        .unwrap();
    // Typed while the sentence was on its way, received after it.
    let early = world.clock.now();
    world.advance("7s");
    world.deliver().await;
    assert_eq!(replies(&world, PHONE), [PROPOSED]);
    world.green.push_text_at(PHONE, "да", early);
    world.receive().await;
    follow(&world).await;
    assert_eq!(posts(&world), 0);
    assert_eq!(world.rows("SELECT state FROM proposals"), ["lapsed"]);
}

#[tokio::test]
async fn an_edit_of_a_yes_from_long_ago_agrees_to_nothing() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    assert_eq!(replies(&world, PHONE), [PROPOSED]);
    let edit = json!({
        "typeMessage": "editedMessage",
        "editedMessageData": {"textMessage": "да", "stanzaId": "LONG_AGO"},
    });
    world.green.push_message(&format!("{PHONE}@c.us"), &edit);
    world.receive().await;
    follow(&world).await;
    assert_eq!(posts(&world), 0);
    assert_eq!(world.rows("SELECT state FROM proposals"), ["open"]);
    assert_eq!(replies(&world, PHONE), [PROPOSED]);
    // The client's own yes is heard all the same.
    say(&world, "да").await;
    assert_eq!(replies(&world, PHONE), [PROPOSED, DONE]);
}

#[tokio::test]
async fn a_yes_to_what_was_to_be_handed_on_writes_nothing_although_the_program_may_by_then() {
    let (mut world, model) = salon("", "write = false").await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    world.config.companies[0].replies.write = true;
    world.restart().await;
    say(&world, "да").await;
    assert_eq!(
        replies(&world, PHONE),
        [
            "Хотите записаться:\n📅 21 августа в 14:30\n💇 Мужская стрижка\n👤 Мастер: Бари\n💰 Стоимость: 2000 руб\nВсё верно? Ответьте *да*, и я передам администратору.",
            HANDED
        ]
    );
    assert_eq!(posts(&world), 0);
    assert_eq!(world.rows("SELECT state FROM proposals"), ["handed"]);
}

#[tokio::test]
async fn a_yes_to_what_was_promised_before_promises_were_kept_is_written() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    let older = "UPDATE proposals SET what = json_remove(what, '$.writes')";
    assert_eq!(world.sql().execute(older, []).unwrap(), 1);
    say(&world, "да").await;
    assert_eq!(replies(&world, PHONE), [PROPOSED, DONE]);
}

#[tokio::test]
async fn a_booking_made_here_is_announced_once_whatever_the_poll_sees() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    say(&world, "да").await;
    assert_eq!(replies(&world, PHONE), [PROPOSED, DONE]);
    for _ in 0..3 {
        world.tell().await;
    }
    assert_eq!(replies(&world, PHONE), [PROPOSED, DONE]);
    let copies: Vec<String> = world
        .owner_told()
        .into_iter()
        .filter(|text| text.contains("Новая запись"))
        .collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert!(!copies[0].contains("не сообщили"), "{copies:?}");
    assert_eq!(
        world.rows("SELECT event_type FROM booking_events"),
        ["record.created"]
    );
    let row = world.rows("SELECT state, unit <> '', reply_id IS NOT NULL FROM proposals");
    assert_eq!(row, ["done|1|1"]);
}

#[tokio::test]
async fn a_lost_answer_is_found_by_reading_the_day_and_nothing_is_made_twice() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    world.salon.fail_next(Route::Make, 1, Fault::AnswerLost);
    say(&world, "да").await;
    follow(&world).await;
    assert_eq!(posts(&world), 1);
    assert_eq!(replies(&world, PHONE), [PROPOSED, DONE]);
}

#[tokio::test]
async fn a_request_that_came_to_nothing_is_never_repeated_blindly() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    // It left, and did not arrive: nobody can know.
    world.salon.fail_next(Route::Make, 1, Fault::Disconnect);
    say(&world, "да").await;
    for _ in 0..40 {
        world.advance("10s");
        world
            .pipeline()
            .writes_due(world.clock.now())
            .await
            .unwrap();
    }
    world.deliver().await;
    assert_eq!(posts(&world), 1);
    assert_eq!(replies(&world, PHONE), [PROPOSED, HANDED]);
    assert_eq!(
        world.rows("SELECT state, obstacle FROM proposals"),
        ["barred|unknown"]
    );
    let told = world.owner_told().concat();
    assert!(told.contains("Неизвестно, записан ли клиент"), "{told}");
    assert!(told.contains("21 августа в 14:30"), "{told}");
    assert!(told.contains("проверьте в журнале"), "{told}");
    // An owner who finds it there is told where it came from.
    let record = world
        .salon
        .book(haircut("2026-08-21T14:30:00").staff(5, "Бари"));
    world.poll().await;
    let story = story::of_record(&world.sql(), None, record).unwrap();
    let proposed = &story[0].proposals[0];
    assert_eq!(proposed.obstacle.as_deref(), Some("unknown"));
}

#[tokio::test]
async fn what_came_of_a_booking_outlives_its_client_being_forgotten_meanwhile() {
    for (fault, outcome) in [
        (Fault::AnswerLost, "done|-|"),
        (Fault::Disconnect, "barred|unknown|"),
    ] {
        let (mut world, model) = salon("", WRITES).await;
        model.then(propose());
        say(&world, "Запишите на стрижку завтра в 14:30").await;
        world.salon.fail_next(Route::Make, 1, fault);
        // Nor does the day say what came of it, until its client is forgotten.
        let ill = Fault::Status(500, String::new());
        world.salon.set_fault(Route::Records, Some(ill));
        say(&world, "да").await;
        assert_eq!(world.rows("SELECT state FROM proposals"), ["agreed"]);
        world.stop();
        let phone = Phone::parse(PHONE, "RU").unwrap();
        store::forget(&world.database(), &phone, world.clock.now()).unwrap();
        world.salon.set_fault(Route::Records, None);
        world.start().await;
        for _ in 0..40 {
            world.advance("10s");
            let now = world.clock.now();
            world.pipeline().writes_due(now).await.unwrap();
        }
        world.deliver().await;
        assert_eq!(
            world.rows("SELECT state, obstacle, phone FROM proposals"),
            [outcome]
        );
        assert_eq!(replies(&world, PHONE), [PROPOSED]);
        assert_eq!(posts(&world), 1);
        let told = world.owner_told().pop().unwrap_or_default();
        let is_unknown = told.contains("Неизвестно, записан ли клиент");
        assert_eq!(is_unknown, outcome.starts_with("barred"), "{told}");
        assert_eq!(
            world.rows("SELECT channel, phone, name FROM contacts"),
            ["||"]
        );
    }
}

#[tokio::test]
async fn a_journal_that_is_down_is_asked_again_and_then_handed_on() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    let limit = Fault::TooManyRequests { seconds: 3 };
    world.salon.fail_next(Route::Make, 1, limit);
    say(&world, "да").await;
    assert_eq!(posts(&world), 1);
    world.advance("4s");
    world
        .pipeline()
        .writes_due(world.clock.now())
        .await
        .unwrap();
    world.deliver().await;
    assert_eq!(posts(&world), 2, "the first one surely did nothing");
    assert_eq!(replies(&world, PHONE), [PROPOSED, DONE]);
}

#[tokio::test]
async fn a_tool_that_fails_hands_the_conversation_on_and_invents_nothing() {
    let (world, model) = salon("", WRITES).await;
    world
        .salon
        .set_fault(Route::BookServices, Some(Fault::Html));
    model.then(call("prices", json!({})));
    say(&world, "Сколько стоит стрижка?").await;
    assert_eq!(replies(&world, PHONE), [HANDED]);
    assert_eq!(outcomes(&world), ["handed:journal"]);
}

#[tokio::test]
async fn a_busy_model_is_asked_again_and_one_that_stays_busy_is_not_waited_for() {
    let (world, model) = salon("", WRITES).await;
    model.then(Act::Http(429, "{}".into()));
    model.then(words("Слушаю."));
    say(&world, "Вопрос").await;
    follow(&world).await;
    assert_eq!(replies(&world, PHONE), ["Слушаю."]);
    assert_eq!(
        outcomes(&world),
        ["said"],
        "one answer, however often it was asked"
    );
    for _ in 0..12 {
        model.then(Act::Http(429, "{}".into()));
    }
    say(&world, "Ещё вопрос").await;
    for _ in 0..4 {
        follow(&world).await;
    }
    assert_eq!(replies(&world, PHONE), ["Слушаю.", HANDED]);
    assert_eq!(outcomes(&world), ["said", "handed:busy"]);
}

#[tokio::test]
async fn after_an_outage_conversations_go_on() {
    let (world, model) = salon("", WRITES).await;
    for _ in 0..2 {
        model.then(Act::Http(503, String::new()));
        say(&world, "Сколько стоит стрижка?").await;
        world.advance("10m");
    }
    assert_eq!(replies(&world, PHONE), [HANDED], "said once an hour");
    model.then(words("Слушаю вас."));
    say(&world, "Алло").await;
    assert_eq!(replies(&world, PHONE), [HANDED, "Слушаю вас."]);
    // Nobody answered the first words for a quarter of an hour: the owner hears of it once more, unless
    // the client was answered since.
    let asked = world.rows("SELECT waiting_since IS NULL FROM talks");
    assert_eq!(asked, ["1"]);
}

#[tokio::test]
async fn what_no_model_answers_is_escalated_like_any_words() {
    let (world, model) = salon("", WRITES).await;
    model.then(Act::Hang);
    say(&world, "Сколько стоит стрижка?").await;
    assert_eq!(outcomes(&world), ["handed:timed_out"]);
    world.advance("16m");
    world
        .pipeline()
        .alerts_due(world.clock.now())
        .await
        .unwrap();
    world.deliver().await;
    let told = world.owner_told().concat();
    assert!(told.contains("Клиент ждёт ответа"), "{told}");
}

#[tokio::test]
async fn a_client_gets_so_many_answers_a_day_and_tomorrow_more() {
    let (world, model) = salon(", per_client_per_day = 2", WRITES).await;
    for text in ["Раз?", "Два?", "Три?"] {
        model.then(words("Слушаю."));
        say(&world, text).await;
    }
    assert_eq!(model.asked().len(), 2);
    assert_eq!(replies(&world, PHONE), ["Слушаю.", "Слушаю.", HANDED]);
    assert_eq!(outcomes(&world), ["said", "said", "handed:budget"]);
    world.advance("13h");
    say(&world, "А сегодня?").await;
    assert_eq!(model.asked().len(), 3);
}

#[tokio::test]
async fn all_clients_together_get_so_many_answers_a_day() {
    let (world, model) = salon(", per_day = 1", WRITES).await;
    model.then(words("Слушаю."));
    say(&world, "Вопрос").await;
    write(&world, OTHER, "И у меня вопрос").await;
    follow(&world).await;
    assert_eq!(model.asked().len(), 1);
    assert_eq!(replies(&world, OTHER), [HANDED]);
}

#[tokio::test]
async fn while_a_person_speaks_no_model_does() {
    let (world, model) = salon("", WRITES).await;
    model.then(words("Слушаю."));
    say(&world, "Вопрос").await;
    // The owner answers the client's words from their chat.
    let card = world
        .telegram
        .standing(OWNER)
        .into_iter()
        .next_back()
        .unwrap();
    world.telegram.push_update(json!({"message": {
        "message_id": 9000, "date": 1_787_300_000, "text": "Я сама отвечу",
        "chat": {"id": 500, "type": "private"}, "from": {"id": 500, "first_name": "Владелец"},
        "reply_to_message": {"message_id": card.id.parse::<i64>().unwrap()},
    }}));
    world.receive().await;
    world.deliver().await;
    say(&world, "А по цене?").await;
    assert_eq!(model.asked().len(), 1);
    assert_eq!(replies(&world, PHONE), ["Слушаю.", "Я сама отвечу"]);
    world.advance("2h");
    model.then(words("Снова я."));
    say(&world, "Вы тут?").await;
    assert_eq!(replies(&world, PHONE).last().unwrap(), "Снова я.");
}

#[tokio::test]
async fn an_owner_turns_it_off_and_on_and_a_restart_changes_nothing() {
    let (mut world, model) = salon("", WRITES).await;
    world.telegram.push_text(500, "/agent off");
    world.receive().await;
    world.deliver().await;
    assert_eq!(
        world.owner_told().last().unwrap(),
        "Агент молчит, клиентам отвечаете вы. Включить: /agent on"
    );
    world.restart().await;
    say(&world, "Вопрос").await;
    assert_eq!(model.asked().len(), 0);
    world.telegram.push_text(500, "/agent on");
    world.receive().await;
    world.restart().await;
    model.then(words("Слушаю."));
    say(&world, "Ещё вопрос").await;
    assert_eq!(replies(&world, PHONE), ["Слушаю."]);
}

#[tokio::test]
async fn owners_read_what_was_answered_below_the_words() {
    let (world, model) = salon("", WRITES).await;
    model.then(words("Слушаю вас."));
    say(&world, "Вопрос").await;
    world
        .pipeline()
        .alerts_due(world.clock.now())
        .await
        .unwrap();
    world.deliver().await;
    let cards = world.telegram.standing(OWNER);
    let card = cards.last().unwrap();
    assert!(card.text.contains("«Вопрос»"), "{}", card.text);
    assert!(
        card.text.contains("Ответил: «Слушаю вас.»"),
        "{}",
        card.text
    );
}

#[tokio::test]
async fn a_salon_that_has_nothing_written_promises_to_write_nothing() {
    for (replies_are, greeting) in [
        (
            "write = false",
            "Здравствуйте! Подскажу услуги, цены и свободное время, а запись, перенос или отмену передам администратору. Чем помочь?",
        ),
        (
            "write = true",
            "Здравствуйте! Подскажу услуги и цены, запишу или перенесу запись, отмену передам администратору. Чем помочь?",
        ),
    ] {
        let (world, _) = salon("", replies_are).await;
        say(&world, "Здравствуйте").await;
        assert_eq!(replies(&world, PHONE), [greeting]);
    }
    let (world, model) = salon("", "write = false").await;
    let record = booked(&world, PHONE, "2026-08-23T12:00:00").await;
    let to = json!({"booking": record, "day": "2026-08-22", "time": "16:00"});
    model.then(call("propose_move", to));
    say(&world, "Перенесите на субботу в 16").await;
    say(&world, "да").await;
    assert_eq!(
        replies(&world, PHONE),
        [
            "Хотите перенести запись:\n📅 ~23 августа в 12:00~ → *22 августа в 16:00*\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари\n💰 Стоимость: 1000 руб\nВсё верно? Ответьте *да*, и я передам администратору.",
            "Передаю администратору, он ответит вам здесь.",
        ]
    );
    // Nor does the model, not even by asking; and it is told that it may not.
    model.then(words("Запишу вас на пятницу?"));
    model.then(words("Чем ещё помочь?"));
    say(&world, "Ещё вопрос").await;
    assert_eq!(replies(&world, PHONE).last().unwrap(), "Чем ещё помочь?");
}

#[tokio::test]
async fn a_chat_that_nobody_is_linked_to_is_answered_and_asked_for_its_number_when_needed() {
    let (mut world, model) = salon("", WRITES).await;
    world.config.companies[0].channels.push("telegram".into());
    world.restart().await;
    furnish(&world.salon);
    booked(&world, PHONE, "2026-08-23T12:00:00").await;
    let chat = |world: &World| -> Vec<String> {
        let sent = world
            .telegram
            .sent()
            .into_iter()
            .filter(|s| s.chat == "700");
        sent.map(|s| s.text).collect()
    };
    world.telegram.push_update(json!({"message": {
        "message_id": 1, "date": 1_787_300_000, "text": "/start",
        "chat": {"id": 700, "type": "private"}, "from": {"id": 700, "first_name": "Анна"},
    }}));
    world.receive().await;
    world.deliver().await;
    assert_eq!(
        chat(&world),
        ["Здравствуйте! Подскажу услуги и цены, запишу, перенесу или отменю запись. Чем помочь?"]
    );
    model.then(call("prices", json!({"about": "борода"})));
    model.then(words("Оформление бороды 1000 руб."));
    world.telegram.push_text(700, "Сколько стоит борода?");
    world.receive().await;
    follow(&world).await;
    assert_eq!(chat(&world).last().unwrap(), "Оформление бороды 1000 руб.");
    model.then(call("my_bookings", json!({})));
    world.telegram.push_text(700, "А когда я записана?");
    world.receive().await;
    follow(&world).await;
    assert_eq!(
        chat(&world).last().unwrap(),
        "Для этого нужен ваш номер. Нажмите кнопку, чтобы прислать его."
    );
    model.then(call("my_bookings", json!({})));
    model.then(words("Вы записаны на 23 августа в 12:00."));
    world.telegram.push_contact(700, "79000000001", Some(700));
    world.receive().await;
    follow(&world).await;
    let chat = chat(&world);
    assert!(chat[3].starts_with("Готово ✅"), "{chat:?}");
    assert_eq!(chat[4..], ["Вы записаны на 23 августа в 12:00."]);
}

#[tokio::test]
async fn a_conversation_is_forgotten_with_its_client() {
    let (mut world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    say(&world, "да").await;
    world.stop();
    let phone = booking_monitor::domain::phone::Phone::parse(PHONE, "RU").unwrap();
    booking_monitor::store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    for table in [
        "conversations",
        "conversation_steps",
        "turns",
        "model_questions",
        "proposals",
    ] {
        let left = world.rows(&format!("SELECT count(*) FROM {table}"));
        assert_eq!(left, ["0"], "{table}");
    }
}

#[tokio::test]
async fn where_a_conversation_stood_is_kept_step_by_step() {
    let (world, model) = salon("", WRITES).await;
    say(&world, "Здравствуйте").await;
    model.then(call("prices", json!({})));
    model.then(words("Мужская стрижка 2000 руб."));
    say(&world, "Цены?").await;
    model.then(propose());
    say(&world, "Завтра в 14:30 к Бари").await;
    say(&world, "да").await;
    say(&world, "до свидания").await;
    assert_eq!(
        world.rows("SELECT step, state FROM conversation_steps ORDER BY rowid"),
        [
            "greeted|greeting",
            "priced|pricing",
            "proposed|confirmation",
            "agreed|goodbye",
            "left|goodbye",
        ]
    );
}

#[tokio::test]
async fn another_program_on_the_other_side_is_not_talked_with_for_ever() {
    let (world, model) = salon("", WRITES).await;
    for _ in 0..34 {
        model.then(words("Чем ещё помочь?"));
        say(&world, "Спасибо за обращение! Ваш звонок важен для нас.").await;
    }
    assert_eq!(model.asked().len(), 20);
    // People see all of it.
    let told = world.owner_told();
    assert_eq!(
        told.iter()
            .filter(|t| t.contains("Ваш звонок важен"))
            .count(),
        34
    );
}

#[tokio::test]
async fn of_twenty_thousand_characters_the_first_are_read() {
    let (world, model) = salon("", WRITES).await;
    model.then(words("Слишком длинно для меня."));
    say(&world, &"слово ".repeat(4000)).await;
    let sent = model.asked()[0]["messages"][1]["content"]
        .as_str()
        .unwrap()
        .chars()
        .count();
    assert!(sent <= 4000, "{sent}");
    assert_eq!(replies(&world, PHONE), ["Слишком длинно для меня."]);
}

#[tokio::test]
async fn a_move_whose_answer_was_lost_is_seen_to_be_done() {
    let (world, model) = salon("", WRITES).await;
    let record = booked(&world, PHONE, "2026-08-23T12:00:00").await;
    model.then(call(
        "propose_move",
        json!({"booking": record, "day": "2026-08-22", "time": "16:00"}),
    ));
    say(&world, "Перенесите на субботу в 16").await;
    world.salon.fail_next(Route::Change, 1, Fault::AnswerLost);
    say(&world, "да").await;
    follow(&world).await;
    let told = replies(&world, PHONE);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("🔄 *Запись перенесена*"), "{told:?}");
    assert_eq!(world.salon.asked(Route::Change), 1);
    world.tell().await;
    assert_eq!(replies(&world, PHONE).len(), 2);
    assert_eq!(SALON, 111_111);
}

#[tokio::test]
async fn what_left_is_erased_with_what_is_old() {
    let (world, model) = salon("", WRITES).await;
    model.then(words("Слушаю."));
    say(&world, "Вопрос").await;
    let all = world.clock.now() + chrono::TimeDelta::days(1);
    booking_monitor::store::prune::older_than(&world.sql(), all).unwrap();
    // References are kept by whoever opens the database as the program does.
    for table in ["conversations", "conversation_steps", "turns"] {
        assert_eq!(
            world.rows(&format!("SELECT count(*) FROM {table}")),
            ["0"],
            "{table}"
        );
    }
}

#[tokio::test]
async fn a_clock_that_is_put_back_keeps_nobody_waiting() {
    let (world, model) = salon("", WRITES).await;
    model.then(words("Слушаю."));
    write(&world, PHONE, "Вопрос").await;
    world.settle().await;
    world.clock.put_back(std::time::Duration::from_secs(3600));
    world.poll().await;
    world.settle().await;
    follow(&world).await;
    assert_eq!(model.asked().len(), 1);
}

#[tokio::test]
async fn a_sentence_that_stands_no_more_when_its_turn_comes_is_not_put_to_anybody() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    let shut = Answer::http(429, "Too Many Requests").with_header("Retry-After", "1200");
    world.green.answer_next(shut);
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    world.advance("20m");
    world.poll().await;
    world.deliver().await;
    assert_eq!(replies(&world, PHONE), [""; 0]);
    assert_eq!(
        world.rows("SELECT status, reason FROM booking_notifications WHERE kind = 'reply'"),
        ["suppressed|superseded"]
    );
}

#[tokio::test]
async fn a_booking_made_here_whose_answer_is_never_taken_is_told_like_any_other() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    world
        .green
        .answer_next(Answer::http(400, "Validation failed"));
    say(&world, "да").await;
    assert_eq!(replies(&world, PHONE), [PROPOSED]);
    for _ in 0..2 {
        world.tell().await;
    }
    let told = replies(&world, PHONE);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("✅ *Вы записаны!*"), "{told:?}");
    assert_eq!(
        world.rows("SELECT status FROM booking_notifications WHERE kind = 'created'"),
        ["sent"]
    );
}

#[tokio::test]
async fn a_yes_to_a_reminder_that_came_since_is_no_yes_to_the_proposal() {
    let reminds = r#"notify = { reminders = ["2h"] }"#;
    let (world, model) = salon_with(reminds, "", WRITES).await;
    let today = booked(&world, PHONE, "2026-08-20T17:10:00").await;
    let later = booked(&world, PHONE, "2026-08-24T12:00:00").await;
    world.advance("3h");
    world.poll().await;
    model.then(call("propose_cancel", json!({"booking": later})));
    say(&world, "Отмените понедельник").await;
    world.advance("9m");
    world.poll().await;
    world.turn().await;
    let told = replies(&world, PHONE);
    assert!(told[0].starts_with("Отменяю:"), "{told:?}");
    assert!(told[1].starts_with('⏰'), "{told:?}");
    say(&world, "да").await;
    assert_eq!(
        world.salon.asked(Route::Cancel),
        0,
        "{:?}",
        replies(&world, PHONE)
    );
    let row = |record| world.salon.row(SALON, record).unwrap();
    assert_eq!(row(later)["deleted"], false);
    assert_eq!(row(today)["attendance"], 2);
}

#[tokio::test]
async fn a_yes_to_how_was_it_is_no_yes_to_the_proposal_before() {
    let thanks = r#"notify = { visited = true }"#;
    let (world, model) = salon_with(thanks, "", WRITES).await;
    let visit = booked(&world, PHONE, "2026-08-20T13:00:00").await;
    world.advance("70m");
    world.salon.set_attendance(SALON, visit, 1);
    world.poll().await;
    world.advance("75m");
    world.poll().await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    world.advance("2m");
    for _ in 0..8 {
        world.poll().await;
        world.turn().await;
        world.advance("60s");
    }
    let told = replies(&world, PHONE);
    assert_eq!(told[0], PROPOSED);
    assert!(told[1].contains("Всё ли понравилось?"), "{told:?}");
    model.be_used_to(|_| words("Уточните, пожалуйста."));
    say(&world, "да").await;
    assert_eq!(posts(&world), 0, "{:?}", replies(&world, PHONE));
}

#[tokio::test]
async fn what_the_desk_took_off_since_is_not_said_to_be_booked() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на завтра в 14:30").await;
    say(&world, "да").await;
    let record = world.rows("SELECT record_id FROM appointments_cache")[0]
        .parse()
        .unwrap();
    world.salon.cancel(SALON, record);
    world.tell().await;
    world.green.forget_sent();
    model.then(words("Да, вы записаны на 21 августа в 14:30."));
    model.then(words("Записала вас на 14:30."));
    say(&world, "Так я записан?").await;
    assert_eq!(replies(&world, PHONE), [HANDED]);
}

#[tokio::test]
async fn who_never_read_that_they_are_booked_reads_of_no_cancellation() {
    let (world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на завтра в 14:30").await;
    world.green.forget_sent();
    let wait = Answer::http(429, "Too Many Requests").with_header("Retry-After", "3600");
    world.green.answer_next(wait);
    say(&world, "да").await;
    let record = world.rows("SELECT record_id FROM appointments_cache");
    world.salon.cancel(SALON, record[0].parse().unwrap());
    world.poll().await;
    world.advance("31s");
    world.turn().await;
    world.advance("1h");
    world.turn().await;
    world.advance("31s");
    world.turn().await;
    assert_eq!(replies(&world, PHONE), [""; 0]);
    let told = world.owner_told().concat();
    assert!(told.contains("ответ до клиента не дошёл"), "{told}");
}

/// What the client of a visit that stands does not want is what the agent just spoke of.
#[tokio::test]
async fn who_cannot_come_when_the_agent_asks_loses_no_booking_that_stands() {
    let sentences = [
        words("Хорошо. Утром или вечером вам удобнее?"),
        call(
            "propose_booking",
            json!({"services": [45], "master": 5, "day": "2026-08-21", "time": "14:30"}),
        ),
        call(
            "propose_move",
            json!({"booking": 1_950_000_001, "day": "2026-08-22", "time": "16:00"}),
        ),
    ];
    for (sentence, wait) in sentences.into_iter().zip(["0s", "30m", "5h"]) {
        for no in ["не смогу", "не получится", "отмена"] {
            let (world, model) = salon("", WRITES).await;
            let record = booked(&world, PHONE, "2026-08-23T12:00:00").await;
            assert_eq!(record, 1_950_000_001);
            model.be_used_to(|_| words("Хорошо, поняла вас."));
            model.then(sentence.clone());
            say(&world, "А можно мне в другой день?").await;
            world.advance(wait);
            say(&world, no).await;
            let told = replies(&world, PHONE);
            assert_eq!(world.salon.asked(Route::Cancel), 0, "{no}: {told:?}");
            assert_eq!(told.last().unwrap(), "Хорошо, поняла вас.", "{no}");
        }
    }
}

#[tokio::test]
async fn who_says_to_come_when_the_agent_asks_confirms_no_other_visit() {
    let (world, model) = salon("", WRITES).await;
    let record = booked(&world, PHONE, "2026-08-23T12:00:00").await;
    model.be_used_to(|_| words("Хорошо, поняла вас."));
    say(&world, "Хочу ещё и завтра").await;
    say(&world, "приду").await;
    assert_eq!(world.salon.row(SALON, record).unwrap()["attendance"], 0);
}

#[tokio::test]
async fn a_no_to_an_agent_that_was_switched_off_since_is_a_persons_to_read() {
    let (mut world, model) = salon("", WRITES).await;
    booked(&world, PHONE, "2026-08-23T12:00:00").await;
    model.then(words("Хорошо. Утром или вечером вам удобнее?"));
    say(&world, "А можно мне в другой день?").await;
    world.config.companies[0].agent.enabled = false;
    world.restart().await;
    say(&world, "не получится").await;
    assert_eq!(world.salon.asked(Route::Cancel), 0);
    assert_eq!(waiting(&world), ["1"]);
    assert_eq!(replies(&world, PHONE).last().unwrap(), HANDED);
}

/// A message that is quoted says which booking is meant, whatever was spoken of.
#[tokio::test]
async fn what_is_said_below_a_message_about_a_booking_is_said_of_that() {
    let (world, model) = salon("", WRITES).await;
    let record = world.salon.book(haircut("2026-08-23T12:00:00"));
    world.tell().await;
    let id =
        world.rows("SELECT provider_message_id FROM booking_notifications WHERE kind = 'created'");
    model.then(words("Хорошо. Утром или вечером вам удобнее?"));
    say(&world, "Хочу ещё и завтра").await;
    world.green.push_message(
        &format!("{PHONE}@c.us"),
        &json!({
            "typeMessage": "quotedMessage",
            "extendedTextMessageData": {"text": "отмена", "stanzaId": id[0]},
            "quotedMessage": {"stanzaId": id[0], "typeMessage": "textMessage"},
        }),
    );
    world.receive().await;
    follow(&world).await;
    assert_eq!(world.salon.row(SALON, record).unwrap()["deleted"], true);
}

#[tokio::test]
async fn a_yes_to_a_sentence_that_may_have_arrived_is_no_yes_to_the_reminder_before() {
    let reminds = r#"notify = { reminders = ["24h"] }"#;
    let (world, model) = salon_with(reminds, "", WRITES).await;
    let record = booked(&world, PHONE, "2026-08-22T14:30:00").await;
    world.advance("27h");
    world.poll().await;
    world.turn().await;
    assert!(replies(&world, PHONE)[0].starts_with('⏰'));
    model.then(call(
        "propose_booking",
        json!({"services": [45], "master": 5, "day": "2026-08-22", "time": "16:00"}),
    ));
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: true });
    say(&world, "Запишите ещё на субботу в 16").await;
    model.be_used_to(|_| words("Уточните, пожалуйста."));
    say(&world, "да").await;
    assert_eq!(world.salon.row(SALON, record).unwrap()["attendance"], 0);
    assert_eq!(posts(&world), 0);
    assert_eq!(waiting(&world), ["1"]);
}

#[tokio::test]
async fn a_yes_to_a_cancellation_is_not_swallowed_by_what_the_owner_was_asked_before_a_move() {
    let (world, model) = salon("", WRITES).await;
    // So near a visit is the owner's to take off.
    let record = booked(&world, PHONE, "2026-08-20T13:30:00").await;
    say(&world, "отмена").await;
    assert_eq!(world.rows("SELECT state FROM writes"), ["asked"]);
    let later = "2026-08-23T12:00:00".parse().unwrap();
    world.salon.reschedule(SALON, record, later);
    world.tell().await;
    model.then(call("propose_cancel", json!({"booking": record})));
    say(&world, "Снимите меня и с воскресенья, я уезжаю").await;
    say(&world, "да").await;
    assert_eq!(world.salon.row(SALON, record).unwrap()["deleted"], true);
    assert_eq!(
        world.rows("SELECT state FROM writes ORDER BY id"),
        ["over", "done"]
    );
    let told = replies(&world, PHONE);
    assert!(told.last().unwrap().starts_with("Готово"), "{told:?}");
}

#[tokio::test]
async fn of_a_visit_of_two_bookings_each_yes_takes_its_own_off_though_the_journal_is_slow() {
    let (world, model) = salon("", WRITES).await;
    let draft = |start: &str| haircut(start).client("Анна Петрова", PHONE).visit(77);
    let first = world.salon.book(draft("2026-08-23T12:00:00"));
    let second = world.salon.book(draft("2026-08-23T13:00:00"));
    world.tell().await;
    let ill = Fault::Status(500, String::new());
    for record in [first, second] {
        model.then(call("propose_cancel", json!({"booking": record})));
        say(&world, "Уберите, пожалуйста, и эту").await;
        write(&world, PHONE, "да").await;
        world.salon.set_fault(Route::Record, Some(ill.clone()));
        follow(&world).await;
        world.salon.set_fault(Route::Record, None);
    }
    world.advance("30s");
    follow(&world).await;
    follow(&world).await;
    let off = |record| world.salon.row(SALON, record).unwrap()["deleted"].clone();
    assert_eq!((off(first), off(second)), (json!(true), json!(true)));
}

#[tokio::test]
async fn where_nobody_is_answered_any_more_a_yes_writes_nothing_and_a_no_is_not_answered() {
    type Change = fn(&mut World);
    let changes: [Change; 2] = [
        |world| world.config.companies[0].replies.enabled = false,
        |world| world.config.companies[0].rules.dry_run = true,
    ];
    for change in changes {
        for text in ["да", "нет", "хорошо"] {
            let (mut world, model) = salon("", WRITES).await;
            model.then(propose());
            say(&world, "Запишите на стрижку завтра в 14:30").await;
            change(&mut world);
            world.restart().await;
            say(&world, text).await;
            assert_eq!(replies(&world, PHONE), [PROPOSED], "{text}");
            assert_eq!(posts(&world), 0);
            assert!(world.owner_told().last().unwrap().contains(text));
        }
    }
}

#[tokio::test]
async fn what_was_agreed_to_is_not_written_once_nobody_is_answered_any_more() {
    let (mut world, model) = salon("", WRITES).await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    write(&world, PHONE, "да").await;
    world.config.companies[0].replies.enabled = false;
    world.restart().await;
    follow(&world).await;
    assert_eq!(posts(&world), 0);
    let told = world.owner_told();
    assert!(told.last().unwrap().contains("Не получилось"), "{told:?}");
}

#[tokio::test]
async fn what_waits_for_the_model_is_not_answered_once_nobody_is_any_more() {
    let (mut world, model) = salon("", WRITES).await;
    model.be_used_to(|_| words("Здравствуйте, чем помочь?"));
    write(&world, PHONE, "Сколько стоит стрижка?").await;
    world.config.companies[0].rules.dry_run = true;
    world.restart().await;
    follow(&world).await;
    assert_eq!(replies(&world, PHONE), [""; 0]);
    assert_eq!(model.asked().len(), 0);
}

#[tokio::test]
async fn of_a_visit_of_two_bookings_the_owner_decides_about_each_that_was_agreed_to() {
    let (world, model) = salon("", "write = true").await;
    let draft = |start: &str| haircut(start).client("Анна Петрова", PHONE).visit(77);
    let first = world.salon.book(draft("2026-08-23T12:00:00"));
    let second = world.salon.book(draft("2026-08-23T13:00:00"));
    world.tell().await;
    for record in [first, second] {
        model.then(call("propose_cancel", json!({"booking": record})));
        say(&world, "Уберите, пожалуйста, и эту").await;
        say(&world, "да").await;
    }
    let orders = "SELECT act || ' ' || state FROM writes ORDER BY id";
    assert_eq!(world.rows(orders), ["cancel asked", "cancel asked"]);
    // Who comes after all wants neither.
    remind(&world, first);
    say(&world, "1").await;
    assert_eq!(
        world.rows(orders),
        ["cancel over", "cancel over", "confirm done"]
    );
}

#[tokio::test]
async fn a_no_below_the_agents_answer_or_before_it_came_takes_nothing_off() {
    let (world, model) = salon("", WRITES).await;
    let record = booked(&world, PHONE, "2026-08-23T12:00:00").await;
    model.be_used_to(|_| words("Хорошо. Утром или вечером вам удобнее?"));
    // In two bubbles, before anything is answered.
    write(&world, PHONE, "Хочу ещё и в субботу").await;
    write(&world, PHONE, "не смогу").await;
    follow(&world).await;
    assert_eq!(world.salon.asked(Route::Cancel), 0);
    // Below the answer itself, though a message about the booking came since.
    let id = world.rows(
        "SELECT provider_message_id FROM booking_notifications WHERE kind = 'reply' ORDER BY id DESC",
    );
    let later = "2026-08-24T12:00:00".parse().unwrap();
    world.salon.reschedule(SALON, record, later);
    world.tell().await;
    world.advance("5h");
    world.green.push_message(
        &format!("{PHONE}@c.us"),
        &json!({
            "typeMessage": "quotedMessage",
            "extendedTextMessageData": {"text": "не смогу", "stanzaId": id[0]},
            "quotedMessage": {"stanzaId": id[0], "typeMessage": "textMessage"},
        }),
    );
    world.receive().await;
    follow(&world).await;
    assert_eq!(world.salon.asked(Route::Cancel), 0);
    assert_eq!(world.salon.row(SALON, record).unwrap()["deleted"], false);
}

#[tokio::test]
async fn what_is_said_after_a_message_about_a_booking_is_said_of_that_though_the_agent_spoke_today()
{
    let (world, model) = salon("", WRITES).await;
    model.then(words("Здравствуйте! Чем помочь?"));
    say(&world, "А вы сегодня работаете?").await;
    world.advance("5h");
    let record = booked(&world, PHONE, "2026-08-23T12:00:00").await;
    say(&world, "отмена").await;
    assert_eq!(world.salon.row(SALON, record).unwrap()["deleted"], true);
}

#[tokio::test]
async fn a_yes_below_a_reminder_that_may_have_arrived_agrees_to_no_sentence_before_it() {
    let reminds = r#"notify = { reminders = ["24h"] }"#;
    let (world, model) = salon_with(reminds, "", WRITES).await;
    booked(&world, PHONE, "2026-08-22T14:30:00").await;
    world.advance("26h");
    world.poll().await;
    world.turn().await;
    model.then(call(
        "propose_booking",
        json!({"services": [45], "master": 5, "day": "2026-08-22", "time": "16:00"}),
    ));
    while world.rows("SELECT count(*) FROM proposals") == ["0"] {
        let moment = world.clock.now() + chrono::TimeDelta::minutes(5);
        let reminder = "2026-08-21T11:30:00Z".parse::<chrono::DateTime<chrono::Utc>>();
        match moment < reminder.unwrap() {
            true => world.advance("1m"),
            false => say(&world, "Запишите ещё на субботу в 16").await,
        }
    }
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: true });
    world.advance("5m");
    world.poll().await;
    world.turn().await;
    assert_eq!(
        world.rows(
            "SELECT count(*) FROM booking_notifications WHERE kind = 'reminder' AND sent_at IS NULL"
        ),
        ["1"]
    );
    model.be_used_to(|_| words("Уточните, пожалуйста."));
    say(&world, "да").await;
    assert_eq!(posts(&world), 0);
}
