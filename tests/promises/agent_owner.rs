//! What owners see of the agent: its proposals in a booking's story, its model out of order, and that one
//! person's answer is not taken for another's.

use std::process::Command;

use crate::support::agent::{
    OTHER, WRITES, booked, follow, furnish, replies, salon, say, settings, write,
};
use crate::support::model::{Act, FakeModel, call, say as words};
use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::ports::Clock as _;
use serde_json::{Value, json};

/// What a command prints beside the running program.
async fn printed(world: &World, arguments: &[&str]) -> String {
    let config = world.folder.path().join("booking-monitor.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_booking-monitor"));
    command.arg("--config").arg(config).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        !said.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

async fn explained(world: &World, record: i64) -> (String, Value) {
    let record = record.to_string();
    let json = printed(world, &["explain", &record, "--json"]).await;
    let told = printed(world, &["explain", &record]).await;
    (unfolded(&told), serde_json::from_str(&json).unwrap())
}

/// Without the ends of lines, which stand where the width of a terminal has them.
fn unfolded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn states(story: &Value) -> Vec<String> {
    let all = story["proposed"].as_array().unwrap().iter();
    all.map(|p| {
        format!(
            "{} {}",
            p["act"].as_str().unwrap(),
            p["state"].as_str().unwrap()
        )
    })
    .collect()
}

#[tokio::test]
async fn a_bookings_story_names_what_the_agent_proposed_and_what_became_of_it() {
    let (world, model) = salon("", WRITES).await;
    let record = booked(&world, PHONE, "2026-08-23T12:00:00").await;
    let propose = |day: &str, time: &str| {
        let to = json!({"booking": record, "day": day, "time": time});
        call("propose_move", to)
    };
    model.then(propose("2026-08-21", "14:30"));
    say(&world, "Перенесите мою запись на пятницу").await;
    say(&world, "нет").await;
    model.then(propose("2026-08-22", "16:00"));
    say(&world, "Тогда на субботу").await;
    model.then(words("Подскажу администратор."));
    say(&world, "А дорого это?").await;
    model.then(propose("2026-08-22", "16:00"));
    say(&world, "Давайте на субботу").await;
    say(&world, "да").await;
    let (told, story) = explained(&world, record).await;
    assert_eq!(
        states(&story),
        ["move declined", "move lapsed", "move done"],
        "{told}"
    );
    let at = |needle: &str| {
        told.find(needle)
            .unwrap_or_else(|| panic!("{needle}: {told}"))
    };
    assert!(
        at("агент предложил клиенту: перенести 23.08.2026 12:00 · Бари → 21.08.2026 14:30 · Бари")
            < at("клиент отказался")
    );
    assert!(at("клиент отказался") < at("предложение снято"));
    assert!(at("предложение снято") < at("клиент подтвердил: пишем в журнал сами"));
    assert!(at("клиент подтвердил") < at("в журнале так и стоит"));
}

#[tokio::test]
async fn the_story_of_a_booking_that_was_made_in_a_conversation_begins_there() {
    let (world, model) = salon("", WRITES).await;
    model.then(call(
        "propose_booking",
        json!({"services": [45], "master": 5, "day": "2026-08-21", "time": "14:30"}),
    ));
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    say(&world, "да").await;
    let record = world.rows("SELECT record_id FROM appointments_cache");
    let (told, story) = explained(&world, record[0].parse().unwrap()).await;
    assert_eq!(states(&story), ["make done"], "{told}");
    assert!(
        told.contains("агент предложил клиенту: записать на 21.08.2026 14:30 · Бари"),
        "{told}"
    );
}

#[tokio::test]
async fn the_story_says_why_what_a_client_agreed_to_was_not_written() {
    let (world, model) = salon("", WRITES).await;
    let record = booked(&world, PHONE, "2026-08-23T12:00:00").await;
    model.then(call(
        "propose_move",
        json!({"booking": record, "day": "2026-08-22", "time": "16:00"}),
    ));
    say(&world, "Перенесите на субботу в 16").await;
    // Somebody moves it by hand before the yes.
    let elsewhere = at("2026-08-24T12:00:00");
    world.salon.reschedule(SALON, record, elsewhere);
    say(&world, "да").await;
    let (told, story) = explained(&world, record).await;
    assert_eq!(states(&story), ["move barred"], "{told}");
    assert!(told.contains("в журнал не записано: "), "{told}");
    assert_eq!(
        world.salon.row(SALON, record).unwrap()["datetime"]
            .as_str()
            .unwrap()[..16],
        *"2026-08-24T12:00"
    );
}

/// Two persons of one visit: what the one was answered is no answer to the other.
#[tokio::test]
async fn of_two_persons_of_one_visit_only_the_one_who_asked_was_answered() {
    let (world, model) = salon("", WRITES).await;
    let own = world.salon.book(haircut("2026-08-23T12:00:00").visit(77));
    let others = world.salon.book(
        haircut("2026-08-23T12:00:00")
            .visit(77)
            .client("Ольга", OTHER)
            .staff(6, "Анна"),
    );
    world.tell().await;
    // Moved there and back at the desk, so that there is nothing to tell in the end.
    world
        .salon
        .reschedule(SALON, others, at("2026-08-23T17:00:00"));
    world.poll().await;
    model.then(call(
        "propose_move",
        json!({"booking": own, "day": "2026-08-22", "time": "16:00"}),
    ));
    say(&world, "Перенесите на субботу в 16").await;
    say(&world, "да").await;
    world
        .salon
        .reschedule(SALON, others, at("2026-08-23T12:00:00"));
    world.tell().await;
    let done = world.rows("SELECT state, unit FROM proposals");
    assert_eq!(done, ["done|v77"]);
    let told = world.rows(&format!(
        "SELECT kind, status, coalesce(reason, '') FROM booking_notifications
          WHERE record_id = {others} AND kind = 'updated'"
    ));
    assert_eq!(told, ["updated|suppressed|unchanged"]);
}

/// What owners read of the model.
fn alerts(world: &World) -> Vec<String> {
    let of_model = |text: &String| text.contains("модел");
    world.owner_told().into_iter().filter(of_model).collect()
}

/// What the daemon does beside answering, once.
async fn look_after(world: &World) {
    let now = world.clock.now();
    world.pipeline().models_due(now).await.unwrap();
    world.pipeline().alerts_due(now).await.unwrap();
    world.deliver().await;
}

#[tokio::test]
async fn a_refused_key_is_told_at_once_and_once_and_so_is_its_end() {
    let (world, model) = salon("", WRITES).await;
    model.be_in_trouble(Some(401));
    say(&world, "Сколько стоит стрижка?").await;
    look_after(&world).await;
    assert_eq!(
        alerts(&world),
        [
            "⚠️ <b>Агент без модели: GigaChat-2</b>\nС 12:00: модель не принимает ключ. Проверьте его в [agent].\nКлиентам отвечаю, что ответит администратор: их слова у вас. Простые ответы и напоминания идут как прежде."
        ]
    );
    let told = unfolded(&printed(&world, &["status"]).await);
    assert!(
        told.contains("модель не принимала ключ") || told.contains("модель не отвечает, началось"),
        "{told}"
    );
    let checked = printed(&world, &["check", "--online"]).await;
    assert!(checked.contains("agent: HTTP 401"), "{checked}");
    world.advance("2h");
    say(&world, "Алло?").await;
    look_after(&world).await;
    assert_eq!(alerts(&world).len(), 1);
    // The key is put right; nobody writes.
    model.be_in_trouble(None);
    world.advance("5m");
    look_after(&world).await;
    let told = alerts(&world);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].starts_with("✅ <b>Агент снова с моделью: GigaChat-2</b>\nПерерыв 2 ч 5 мин"),
        "{told:?}"
    );
    let status: Value =
        serde_json::from_str(&printed(&world, &["status", "--json"]).await).unwrap();
    assert_eq!(status["companies"][0]["agent"]["down_since"], Value::Null);
    for _ in 0..3 {
        world.advance("10m");
        look_after(&world).await;
    }
    assert_eq!(alerts(&world).len(), 2);
}

#[tokio::test]
async fn a_model_that_is_down_is_told_of_after_a_while_though_nobody_writes() {
    let (world, model) = salon("", WRITES).await;
    model.be_in_trouble(Some(503));
    say(&world, "Вы тут?").await;
    for _ in 0..9 {
        look_after(&world).await;
        world.advance("1m");
    }
    assert_eq!(alerts(&world), Vec::<String>::new(), "under ten minutes");
    world.advance("2m");
    look_after(&world).await;
    look_after(&world).await;
    let told = alerts(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("ни одного ответа (HTTP 503)"), "{told:?}");
    model.be_in_trouble(None);
    model.then(words("Слушаю вас."));
    say(&world, "Алло?").await;
    look_after(&world).await;
    assert_eq!(alerts(&world).len(), 2);
    assert_eq!(replies(&world, PHONE).last().unwrap(), "Слушаю вас.");
}

#[tokio::test]
async fn a_moments_trouble_of_the_model_is_told_to_nobody_and_one_that_comes_again_is() {
    let (world, model) = salon("", WRITES).await;
    model.then(Act::Http(503, String::new()));
    say(&world, "Сколько стоит стрижка?").await;
    for _ in 0..3 {
        look_after(&world).await;
        world.advance("5m");
    }
    assert_eq!(alerts(&world), Vec::<String>::new());
    // Its list of models is there, and still it answers nobody.
    model.then(Act::Http(503, String::new()));
    say(&world, "Вы тут?").await;
    look_after(&world).await;
    assert_eq!(alerts(&world).len(), 1);
}

#[tokio::test]
async fn what_is_not_paid_for_is_not_over_because_the_models_are_listed() {
    let (world, model) = salon("", WRITES).await;
    model.then(Act::Http(402, "{}".into()));
    say(&world, "Сколько стоит стрижка?").await;
    for _ in 0..3 {
        look_after(&world).await;
        world.advance("5m");
    }
    let told = alerts(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("кончилось оплаченное"), "{told:?}");
    model.then(words("Слушаю."));
    say(&world, "Алло?").await;
    look_after(&world).await;
    assert_eq!(alerts(&world).len(), 2);
}

#[tokio::test]
async fn a_restart_in_the_middle_of_an_outage_tells_nothing_again() {
    let (mut world, model) = salon("", WRITES).await;
    model.be_in_trouble(Some(401));
    say(&world, "Сколько стоит стрижка?").await;
    look_after(&world).await;
    world.restart().await;
    world.advance("5m");
    look_after(&world).await;
    assert_eq!(alerts(&world).len(), 1);
}

#[tokio::test]
async fn a_salons_own_words_of_the_agent_are_for_those_who_speak_its_language() {
    let model = FakeModel::start().await;
    let own = r#"
        templates = { greeting = "Салам! Это {{ salon }}.", propose_booking = "Пишу вас?\n{{ details }}\nСкажите *да*.", yes_wanted = "Скажите *да* 😉", booked = "Записал! Ждём {{ date }} в {{ time }}.", nothing_changed = "Ну и ладно.", handed_on = "Зову Марину." }
    "#;
    let world = World::with("", &format!("{}{own}", settings(&model, "", WRITES))).await;
    furnish(&world.salon);
    world.poll().await;
    let propose = || {
        let to = json!({"services": [45], "master": 5, "day": "2026-08-21", "time": "14:30"});
        call("propose_booking", to)
    };
    say(&world, "Здравствуйте").await;
    model.then(propose());
    say(&world, "Запишите на стрижку завтра в 14:30").await;
    say(&world, "нет").await;
    model.then(propose());
    say(&world, "Нет, всё-таки запишите").await;
    say(&world, "ок").await;
    say(&world, "да").await;
    model.then(Act::Http(503, String::new()));
    say(&world, "А кофе есть?").await;
    let lines =
        "📅 21 августа в 14:30\n💇 Мужская стрижка\n👤 Мастер: Бари\n💰 Стоимость: 2000 руб";
    assert_eq!(
        replies(&world, PHONE),
        [
            "Салам! Это Малаховка.",
            &format!("Пишу вас?\n{lines}\nСкажите *да*."),
            "Ну и ладно.",
            &format!("Пишу вас?\n{lines}\nСкажите *да*."),
            "Скажите *да* 😉",
            "Записал! Ждём 21 августа в 14:30.",
            "Зову Марину.",
        ]
    );
    world.green.forget_sent();
    model.then(Act::Http(503, String::new()));
    write(&world, OTHER, "How much is a haircut?").await;
    follow(&world).await;
    assert_eq!(
        replies(&world, OTHER),
        ["I am passing this to the administrator, who will answer you here."]
    );
}
