//! Official WhatsApp and gateways from a booking to its receipt: what leaves, under which key, and
//! what is heard of it.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use booking_monitor::demo::salon::BookingDraft;
use serde_json::Value;
use support::cloud::{self, Cloud};
use support::fake::Answer;
use support::gateway::{self, Gateway};
use support::green_api::{self, GreenApi};
use support::world::{OWNER, PHONE, SALON, World, at};

const BRANCH: i64 = 222_222;

/// A world with a second branch, whose clients are written to over this channel.
async fn world_over(channel: &str, monitor: &str) -> World {
    let rest = format!(
        r#"
        owner = [{{ channel = "telegram", to = "{OWNER}" }}]
        [channels.other]
        {channel}
        messages_per_second = 1000
        timeout = "2s"
        [channels.other.templates]
        created = {{ name = "booking_created", parameters = ["date", "time", "services", "staff", "price", "client_name"] }}
        updated = {{ name = "booking_updated", parameters = ["changes"] }}
        [[companies]]
        id = {BRANCH}
        channels = ["other"]
        owner = [{{ channel = "telegram", to = "{OWNER}" }}]
        "#
    );
    let rest = match channel.contains("\"http\"") {
        // A gateway has no approved templates.
        true => {
            let (before, after) = rest.split_once("[channels.other.templates]").unwrap();
            let (_, company) = after.split_once("[[companies]]").unwrap();
            format!("{before}[[companies]]{company}")
        }
        false => rest,
    };
    let world = World::with(monitor, &rest).await;
    let zone = chrono_tz::Europe::Moscow;
    world
        .salon
        .add_company(BRANCH, "Филиал", "Южная улица, 40", zone);
    assert_eq!(world.poll_of(BRANCH).await.error, None);
    world
}

fn haircut(start: &str) -> BookingDraft {
    BookingDraft::new(BRANCH, at(start))
        .client("*Анна*\nhttp://evil.example", PHONE)
        .staff(5, "Бари")
        .service(45, "МУЖСКАЯ СТРИЖКА", 2000, 50)
        .by_user(77)
}

async fn tell(world: &World) {
    world.poll_of(SALON).await;
    world.poll_of(BRANCH).await;
    world.advance("31s");
    world.turn().await;
}

fn cloud_channel(fake: &Cloud) -> String {
    format!(
        "type = \"whatsapp-cloud\"\napi_url = \"{}\"\nphone_number_id = \"{}\"\ntoken = \"{}\"",
        fake.url,
        cloud::NUMBER_ID,
        cloud::TOKEN
    )
}

#[tokio::test]
async fn a_booking_is_told_by_an_approved_template_and_its_receipts_are_polled() {
    let fake = Cloud::start().await;
    let world = world_over(&cloud_channel(&fake), "").await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    tell(&world).await;
    let sent = fake.sent();
    assert_eq!(
        sent[0].text,
        "booking_created/ru: 21 августа | 14:30 | МУЖСКАЯ СТРИЖКА | Бари | 1000 руб | \
         ∗Анна∗ http:\u{2060}//\u{2060}evil.\u{2060}example"
    );
    assert!(
        world.owner_told()[0].ends_with("Клиенту: принято WhatsApp"),
        "{:?}",
        world.owner_told()
    );
    // Nobody hears an answer there, so none is invited.
    let kept = world.rows("SELECT message FROM booking_notifications WHERE channel = 'other'");
    assert!(!kept[0].contains("напишите"), "{kept:?}");

    let standing = "SELECT status, provider_message_id FROM booking_notifications
                     WHERE channel = 'other'";
    world.receive().await;
    assert_eq!(world.rows(standing), ["sent|wamid.1"]);
    fake.set_status("wamid.1", "DELIVERED");
    fake.set_status("wamid.1", "READ");
    let mut world = world;
    world.restart().await;
    world.receive().await;
    assert_eq!(world.rows(standing), ["read|wamid.1"]);
    let asked = fake.count("message_history");
    world.receive().await;
    assert_eq!(
        fake.count("message_history"),
        asked,
        "what was read has no more to tell"
    );
}

#[tokio::test]
async fn a_move_names_what_was_and_what_is_in_one_line() {
    let fake = Cloud::start().await;
    let world = world_over(&cloud_channel(&fake), "").await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    tell(&world).await;
    world
        .salon
        .reschedule(BRANCH, record, at("2026-08-22T16:00:00"));
    tell(&world).await;
    assert_eq!(
        fake.sent()[1].text,
        "booking_updated/ru: 📅 Было: 21 августа в 14:30; Стало: 22 августа в 16:00"
    );
    world.salon.cancel(BRANCH, record);
    tell(&world).await;
    world.poll_of(BRANCH).await;
    world.turn().await;
    assert_eq!(fake.sent().len(), 2);
    assert_eq!(
        world.rows(
            "SELECT kind, status, last_error FROM booking_notifications
              WHERE channel = 'other' AND status = 'dead'"
        ),
        [r#"cancelled|dead|no approved template for "cancelled""#]
    );
}

#[tokio::test]
async fn a_receipt_is_asked_for_a_day_and_no_longer() {
    let fake = Cloud::start().await;
    let world = world_over(&cloud_channel(&fake), "").await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    tell(&world).await;
    world.advance("23h");
    world.receive().await;
    assert_eq!(fake.count("message_history"), 1);
    world.advance("2h");
    let mut world = world;
    world.restart().await;
    world.receive().await;
    assert_eq!(fake.count("message_history"), 1);
}

#[tokio::test]
async fn who_wrote_to_the_official_number_gets_free_text() {
    let fake = GreenApi::start().await;
    let channel = format!(
        "type = \"green-api\"\nflavour = \"waba\"\napi_url = \"{}\"\ninstance_id = \"{}\"\ntoken = \"{}\"",
        fake.url,
        green_api::INSTANCE,
        green_api::TOKEN
    );
    let world = world_over(&channel, "").await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    tell(&world).await;
    assert_eq!(fake.count("sendTemplate"), 1);

    fake.push_text("79000000001", "а можно позже?");
    world.receive().await;
    world.salon.book(haircut("2026-08-23T12:00:00"));
    tell(&world).await;
    assert_eq!(fake.count("sendTemplate"), 1);
    let text = fake.sent().pop().unwrap().text;
    assert!(text.starts_with("✅ *Вы записаны!*"), "{text}");
    // An owner reads what clients write there.
    assert!(text.ends_with("напишите мне здесь 👇"), "{text}");
}

#[tokio::test]
async fn every_try_of_one_message_has_one_key_and_other_words_have_another() {
    let fake = Gateway::start().await;
    let channel = format!(
        "type = \"http\"\npreset = \"wazzup\"\nbase_url = \"{}\"\ntoken = \"{}\"\nchannel_id = \"x\"",
        fake.url,
        gateway::TOKEN
    );
    let world = world_over(&channel, "on_uncertain = \"resend\"").await;
    fake.answer_next(Answer::Drop { taken: true });
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    tell(&world).await;
    for _ in 0..3 {
        world.advance("5s");
        world.turn().await;
    }
    world
        .salon
        .reschedule(BRANCH, record, at("2026-08-22T16:00:00"));
    tell(&world).await;
    let keys: Vec<String> = fake
        .requests()
        .iter()
        .map(|request| serde_json::from_str::<Value>(&request.body).unwrap())
        .map(|body| body["crmMessageId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 3, "{keys:?}");
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2]);
    assert_eq!(fake.sent().len(), 2, "told once, and once more of the move");
    assert_eq!(
        world.rows("SELECT status FROM booking_notifications WHERE channel = 'other' ORDER BY id"),
        ["sent", "sent"]
    );
}
