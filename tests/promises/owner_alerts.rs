//! Alerts to owners: one for each cause and chat, one word when it is over.

use crate::support::fake::Answer;
use crate::support::world::{SALON, World, haircut};
use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::domain::zone::Zone;

const OTHER: i64 = 222_222;

/// Two salons of one owner, both watched.
async fn two_salons() -> World {
    let rest = format!(
        r#"title = "Малаховка"
        owner = [{{ channel = "telegram", to = "500", events = [] }}]
        [[companies]]
        id = {OTHER}
        title = "Бутово"
        channels = ["whatsapp"]
        owner = [{{ channel = "telegram", to = "500", events = [] }}]"#
    );
    let world = World::with("", &rest).await;
    let zone = Zone::moscow();
    world.salon.add_company(OTHER, "Бутово", "Бутово", zone);
    both(&world).await;
    assert_eq!(world.owner_told(), [""; 0]);
    world
}

/// One after the other is polled, and each time the rest of the program goes on.
async fn both(world: &World) {
    for company in [SALON, OTHER] {
        world.poll_of(company).await;
        world.turn().await;
        world.advance("20s");
    }
}

fn refused_key() -> Fault {
    let body = r#"{"success":false,"meta":{"message":"Необходима авторизация"}}"#;
    Fault::Status(401, body.to_owned())
}

#[tokio::test]
async fn a_refused_key_is_one_alert_that_names_every_salon_and_one_recovery() {
    let world = two_salons().await;
    world.salon.set_fault(Route::Records, Some(refused_key()));
    for _ in 0..4 {
        both(&world).await;
        world.advance("6m");
    }
    let alert = "⚠️ <b>Не вижу журнал: Малаховка, Бутово</b>\nС 12:00 YClients не принимает ключ (401). Обычно это значит, что в YClients сменили пароль.\nСообщения клиентам ждут. После починки отправлю те, что не устарели.";
    assert_eq!(world.owner_told(), [alert]);
    world.salon.set_fault(Route::Records, None);
    for _ in 0..3 {
        both(&world).await;
        world.advance("6m");
    }
    let told = world.owner_told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].starts_with("✅ <b>Снова вижу журнал: Малаховка, Бутово</b>\nПерерыв 27 мин."),
        "{}",
        told[1]
    );
}

#[tokio::test]
async fn an_outage_is_one_alert_that_names_every_salon_and_one_recovery() {
    let world = two_salons().await;
    let broken = Fault::Status(502, "<html>Bad Gateway</html>".to_owned());
    world.salon.set_fault(Route::Records, Some(broken));
    both(&world).await;
    world.advance("8m");
    both(&world).await;
    assert_eq!(world.owner_told(), [""; 0]);
    for _ in 0..3 {
        world.advance("5m");
        both(&world).await;
    }
    let told = world.owner_told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with(
            "⚠️ <b>Не вижу журнал: Малаховка, Бутово</b>\nС 12:00 YClients не отвечает как следует:"
        ),
        "{}",
        told[0]
    );
    world.salon.set_fault(Route::Records, None);
    world.poll_of(SALON).await;
    world.turn().await;
    assert_eq!(world.owner_told().len(), 1, "the other is not seen yet");
    world.advance("1m");
    world.poll_of(OTHER).await;
    world.turn().await;
    let told = world.owner_told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].starts_with("✅ <b>Снова вижу журнал: Малаховка, Бутово</b>\nПерерыв "),
        "{}",
        told[1]
    );
}

#[tokio::test]
async fn a_salon_that_stays_unseen_keeps_nobodys_recovery_back_for_long() {
    let world = two_salons().await;
    let broken = Fault::Status(502, String::new());
    world.salon.set_fault(Route::Records, Some(broken));
    for _ in 0..3 {
        both(&world).await;
        world.advance("6m");
    }
    assert_eq!(world.owner_told().len(), 1);
    world.salon.set_fault(Route::Records, None);
    world.poll_of(SALON).await;
    world.salon.forbid(OTHER, true);
    world.poll_of(OTHER).await;
    for _ in 0..5 {
        world.turn().await;
        world.advance("3m");
        world.poll_of(SALON).await;
    }
    let told = world.owner_told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].starts_with("✅ <b>Снова вижу журнал: Малаховка</b>\n"),
        "{}",
        told[1]
    );
    world.salon.forbid(OTHER, false);
    world.poll_of(OTHER).await;
    world.turn().await;
    let told = world.owner_told();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[2].starts_with("✅ <b>Снова вижу журнал: Бутово</b>\n"),
        "{}",
        told[2]
    );
}

#[tokio::test]
async fn a_right_that_one_salon_lacks_is_told_of_that_salon_alone() {
    let world = two_salons().await;
    world.salon.forbid(SALON, true);
    both(&world).await;
    let told = world.owner_told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("⚠️ <b>Не вижу журнал: Малаховка</b>\n"),
        "{}",
        told[0]
    );
    both(&world).await;
    assert_eq!(world.owner_told().len(), 1);
    world.salon.forbid(SALON, false);
    world.advance("5m");
    both(&world).await;
    assert_eq!(world.owner_told().len(), 2);
}

#[tokio::test]
async fn rights_that_every_salon_lost_are_one_alert() {
    let world = two_salons().await;
    world.salon.forbid(SALON, true);
    world.salon.forbid(OTHER, true);
    for _ in 0..4 {
        both(&world).await;
    }
    let told = world.owner_told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("⚠️ <b>Не вижу журнал: Малаховка, Бутово</b>\n"),
        "{}",
        told[0]
    );
}

#[tokio::test]
async fn a_channel_that_is_down_is_one_alert_for_all_its_salons_and_one_recovery() {
    let world = two_salons().await;
    world.green.set_state("notAuthorized");
    world.salon.book(haircut("2026-08-27T14:30:00"));
    world.tell().await;
    for _ in 0..3 {
        world.advance("6m");
        both(&world).await;
    }
    let told = world.owner_told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("⚠️ <b>Не работает канал: WhatsApp</b>\n"),
        "{}",
        told[0]
    );
    world.green.set_state("authorized");
    for _ in 0..3 {
        world.advance("1m");
        both(&world).await;
    }
    let told = world.owner_told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].starts_with("✅ <b>Канал снова работает: WhatsApp</b>\n"),
        "{}",
        told[1]
    );
}

/// Two salons whose clients and owners write to one bot.
async fn one_bot() -> World {
    let rest = format!(
        r#"owner = [{{ channel = "telegram", to = "500", events = [] }}]
        [[companies]]
        id = {OTHER}
        channels = ["telegram"]
        owner = [{{ channel = "telegram", to = "501", events = [] }}]"#
    );
    let mut world = World::with("", &rest).await;
    world.write_over(&["telegram"]).await;
    world.poll().await;
    world
}

#[tokio::test]
async fn an_answer_in_doubt_of_a_bot_of_two_salons_is_told_to_the_owners_of_the_first() {
    let world = one_bot().await;
    world.telegram.push_text(900, "/start");
    world.receive().await;
    world.telegram.answer_next(Answer::Drop { taken: false });
    world.turn().await;
    let asked = world.telegram.questions("500").pop().unwrap();
    assert_eq!(
        asked.text,
        "❔ <b>Не знаю, дошло ли: 1 сообщение</b>\nСвязь оборвалась во время отправки.\n№ 1: Здравствуйте! Буду писать сюда о ваших записях."
    );
    assert_eq!(world.telegram.questions("501"), []);
    let press = world.telegram.press(500, &asked.data("Отправить ещё раз"));
    world.receive().await;
    world.turn().await;
    assert_eq!(
        world.telegram.answered(&press).unwrap(),
        "Отправляю ещё раз."
    );
    let greeted = world.telegram.sent().into_iter();
    assert_eq!(greeted.filter(|s| s.chat == "900").count(), 1);
}

#[tokio::test]
async fn an_answer_to_an_owners_chat_goes_again_when_nobody_knows_whether_it_arrived() {
    let world = World::watching_with("", r#"owner = [{ channel = "telegram", to = "500" }]"#).await;
    world.telegram.push_text(500, "/start");
    world.receive().await;
    world.telegram.answer_next(Answer::Drop { taken: false });
    world.turn().await;
    assert_eq!(world.owner_told(), [""; 0]);
    world.advance("31s");
    world.turn().await;
    assert_eq!(
        world.owner_told(),
        ["Всё в порядке: копии и предупреждения приходят сюда."]
    );
}

#[tokio::test]
async fn of_a_bot_for_owners_only_an_answer_in_doubt_is_told_to_who_reads_it() {
    let world = World::watching_with("", r#"owner = [{ channel = "telegram", to = "500" }]"#).await;
    world.telegram.push_text(600, "/start");
    world.receive().await;
    world.telegram.answer_next(Answer::Drop { taken: false });
    world.turn().await;
    let told = world.owner_told();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("№ 1: Номер этого чата: 600."), "{told:?}");
}

#[tokio::test]
async fn a_messenger_that_cannot_be_reached_is_down_although_nobody_is_written_to() {
    let mut world = World::watching().await;
    let path = world.folder.path().join("booking-monitor.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let nowhere = text.replace(&world.telegram.url, "http://127.0.0.1:9");
    world.config = crate::support::world::parse(&path, &nowhere);
    world.restart().await;
    let troubles = booking_monitor::daemon::once(world.pipeline(), None).await;
    assert_eq!(troubles.unwrap().len(), 1);
    let down = "SELECT down_since IS NOT NULL FROM channel_states WHERE name = 'telegram'";
    assert_eq!(world.rows(down), ["1"]);
}

#[tokio::test]
async fn an_account_that_is_back_is_not_called_down_for_a_message_that_nobody_needs_any_more() {
    let owned = r#"owner = [{ channel = "telegram", to = "500", events = [] }]"#;
    let world = World::watching_with("", owned).await;
    // The phone is unlinked while a message is due; the booking is taken off before it is linked again.
    world.green.set_state("notAuthorized");
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    world.advance("1m");
    world.turn().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    world.green.set_state("authorized");
    for _ in 0..20 {
        world.advance("1m");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(world.owner_told(), [""; 0]);
    let errors = "SELECT name FROM channel_states WHERE last_error IS NOT NULL";
    assert_eq!(world.rows(errors), [""; 0]);
}
