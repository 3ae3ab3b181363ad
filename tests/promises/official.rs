//! Official WhatsApp and gateways from a booking to its receipt: what leaves, under which key, and
//! what is heard of it.

use crate::support::cloud::{self, Cloud};
use crate::support::fake::Answer;
use crate::support::gateway::{self, Gateway};
use crate::support::green_api::{self, GreenApi};
use crate::support::program::{Program, stderr, stdout};
use crate::support::world::{OWNER, PHONE, SALON, World, at};
use booking_monitor::demo::salon::BookingDraft;
use booking_monitor::domain::zone::Zone;
use serde_json::Value;

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
    let zone = Zone::moscow();
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
async fn a_move_of_one_booking_of_a_visit_names_it() {
    let fake = Cloud::start().await;
    let world = world_over(&cloud_channel(&fake), "").await;
    world.salon.book(haircut("2026-08-21T14:30:00").visit(900));
    let nails = BookingDraft::new(BRANCH, at("2026-08-21T15:30:00"))
        .client("Анна", PHONE)
        .staff(6, "Ольга")
        .service(46, "Маникюр", 1500, 0)
        .by_user(77)
        .visit(900);
    let nails = world.salon.book(nails);
    tell(&world).await;
    world
        .salon
        .reschedule(BRANCH, nails, at("2026-08-21T17:00:00"));
    tell(&world).await;
    assert_eq!(
        fake.sent()[1].text,
        "booking_updated/ru: 📅 Маникюр. Было: 21 августа в 15:30; Стало: 21 августа в 17:00"
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

#[tokio::test]
async fn who_may_have_been_told_is_told_of_the_cancellation_although_a_key_would_have_settled_it() {
    let fake = Gateway::start().await;
    let channel = format!(
        "type = \"http\"\npreset = \"wazzup\"\nbase_url = \"{}\"\ntoken = \"{}\"\nchannel_id = \"x\"",
        fake.url,
        gateway::TOKEN
    );
    let world = world_over(&channel, "").await;
    fake.answer_next(Answer::Drop { taken: true });
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    tell(&world).await;
    assert_eq!(fake.sent().len(), 1);
    // Off before the same words could go again under the same key.
    world.salon.cancel(BRANCH, record);
    tell(&world).await;
    let told = fake.sent();
    assert_eq!(told.len(), 2);
    assert!(told[1].text.starts_with("❌"), "{}", told[1].text);
}

/// A world over official WhatsApp.
async fn world_over_waba(fake: &GreenApi) -> World {
    let channel = format!(
        "type = \"green-api\"\nflavour = \"waba\"\napi_url = \"{}\"\ninstance_id = \"{}\"\ntoken = \"{}\"",
        fake.url,
        green_api::INSTANCE,
        green_api::TOKEN
    );
    world_over(&channel, "").await
}

#[tokio::test]
async fn free_text_that_turns_out_not_to_be_taken_goes_once_as_the_template() {
    let fake = GreenApi::start().await;
    let world = world_over_waba(&fake).await;
    fake.push_text("79000000001", "добрый день");
    world.receive().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    tell(&world).await;
    assert_eq!(
        (fake.count("sendMessage"), fake.count("sendTemplate")),
        (1, 0)
    );

    let id = fake.sent()[0].id.clone();
    fake.push_status(&id, "noActiveSession");
    world.receive().await;
    tell(&world).await;
    assert_eq!(
        (fake.count("sendMessage"), fake.count("sendTemplate")),
        (1, 1)
    );
    let standing = "SELECT kind, status FROM booking_notifications WHERE channel = 'other'
                     AND phone <> ''";
    assert_eq!(world.rows(standing), ["created|sent"]);
    assert_eq!(
        world
            .rows("SELECT outcome FROM delivery_attempts WHERE channel = 'other' ORDER BY attempt"),
        ["window_closed", "accepted"]
    );
    // A template that is not taken either is the end of it here.
    let id = fake.sent()[1].id.clone();
    fake.push_status(&id, "noActiveSession");
    world.receive().await;
    tell(&world).await;
    assert_eq!(
        (fake.count("sendMessage"), fake.count("sendTemplate")),
        (1, 1)
    );
    assert_eq!(world.rows(standing), ["created|failed"]);
    assert!(
        world
            .owner_told()
            .iter()
            .any(|t| t.contains("Позвоните клиенту")),
        "{:?}",
        world.owner_told()
    );
}

#[tokio::test]
async fn free_text_without_a_template_to_stand_for_it_takes_the_next_channel() {
    let fake = GreenApi::start().await;
    let mut world = world_over_waba(&fake).await;
    world.config.companies[1].channels = vec!["other".into(), "whatsapp".into()];
    world.restart().await;
    world.salon.book(haircut("2026-08-23T14:30:00"));
    tell(&world).await;
    fake.push_text("79000000001", "отмените, пожалуйста, запись");
    world.receive().await;
    let record = world.rows("SELECT record_id FROM appointments_cache")[0]
        .parse()
        .unwrap();
    world.salon.cancel(BRANCH, record);
    tell(&world).await;
    world.poll_of(BRANCH).await;
    tell(&world).await;
    assert_eq!(
        fake.count("sendMessage"),
        1,
        "there is no template for cancellations"
    );
    let id = fake.sent()[1].id.clone();
    fake.push_status(&id, "noActiveSession");
    world.receive().await;
    tell(&world).await;
    assert_eq!(world.told().len(), 1);
    assert!(world.told()[0].starts_with("❌"), "{:?}", world.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn check_online_asks_official_whatsapp_and_a_gateway_and_sends_nothing() {
    let program = Program::new().await;
    let (cloud, gateway) = (Cloud::start().await, Gateway::start().await);
    let channels = |template: &str| {
        format!(
            r#"
            [channels.cloud]
            {}
            waba_id = "{}"
            [channels.cloud.templates]
            created = {{ name = "{template}", parameters = ["date"] }}
            updated = {{ name = "{template}", parameters = ["date"] }}
            cancelled = {{ name = "{template}", parameters = ["date"] }}
            [channels.gateway]
            type = "http"
            preset = "waha"
            base_url = "{}"
            token = "{}"
            session = "{}"
            [[companies]]
            id = {BRANCH}
            channels = ["cloud", "gateway"]
            "#,
            cloud_channel(&cloud),
            cloud::WABA_ID,
            gateway.url,
            gateway::TOKEN,
            gateway::SESSION,
        )
    };
    let zone = Zone::moscow();
    program.salon.add_company(BRANCH, "Филиал", "", zone);
    cloud.set_templates(serde_json::json!([{
        "name": "visit", "language": "ru", "status": "APPROVED",
        "components": [{"type": "BODY", "text": "Ждём вас {{1}}"}],
    }]));
    program.configure(&channels("visit"));
    let run = program.run(&["check", "--online"]).await;
    let said = stdout(&run);
    assert_eq!(run.status.code(), Some(0), "{said}{}", stderr(&run));
    for line in ["✓ канал cloud (whatsapp-cloud)", "✓ канал gateway (http)"] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!said.contains("шаблон"), "{said}");

    // What is wrong with a template is a remark; a session that is not connected is a reason.
    program.configure(&channels("other"));
    gateway.set_state("SCAN_QR_CODE");
    let run = program.run(&["check", "--online"]).await;
    let said = stdout(&run);
    assert_eq!(run.status.code(), Some(1), "{said}");
    for line in [
        "! channels.cloud: шаблон other (created): у мессенджера такого нет; текст для подачи покажет booking-monitor templates suggest",
        "✗ channels.gateway: сессия в состоянии SCAN_QR_CODE\n  → Телефон не привязан к шлюзу: отсканируйте QR-код",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!said.contains("CANARY"), "{said}");
    assert_eq!(cloud.count("messages") + gateway.count("sendText"), 0);
}

/// A channel of official WhatsApp, with what a company needs to write over it.
fn official_channels(cloud: &Cloud, templates: &str) -> String {
    format!(
        r#"
        [channels.cloud]
        {}
        waba_id = "{}"
        {templates}
        [channels.waba]
        type = "green-api"
        flavour = "waba"
        api_url = "http://127.0.0.1:9"
        instance_id = "1101000002"
        token = {{ env = "NOBODY_HAS_IT" }}
        [[companies]]
        id = {BRANCH}
        channels = ["cloud"]
        phone = "+7 900 000-00-09"
        [[companies]]
        id = 333333
        channels = ["waba"]
        owner = [{{ channel = "whatsapp", to = "+79000000009" }}]
        language = "en"
        "#,
        cloud_channel(cloud),
        cloud::WABA_ID,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_suggested_can_be_submitted_and_fits_the_settings_printed_with_it() {
    let program = Program::new().await;
    let cloud = Cloud::start().await;
    program
        .salon
        .add_company(BRANCH, "Филиал", "", Zone::moscow());
    program.configure(&official_channels(&cloud, ""));
    let run = program
        .run(&["templates", "suggest", "--channel", "cloud"])
        .await;
    let said = stdout(&run);
    assert_eq!(run.status.code(), Some(0), "{said}{}", stderr(&run));
    assert!(
        said.starts_with(
            "\
# Канал cloud (whatsapp-cloud): шаблоны, которые надо подать на одобрение.
# WhatsApp Manager → Шаблоны сообщений → Создать. Категория: Utility (UTILITY), язык: ru,
# параметры: номера. Заголовок, подпись и кнопки не нужны: программа заполняет только текст.

── created: booking_created · UTILITY · ru
✅ *Вы записаны!*

📅 {{1}}
💰 Стоимость: {{2}}
📍 Адрес: {{3}}

Планы изменились? Позвоните нам: {{4}}. Подберём другое время.
── Примеры значений:
{{1}} 21 августа в 14:30, МУЖСКАЯ СТРИЖКА, Бари
{{2}} 1000 руб
{{3}} Малаховка, Южная улица, 38
{{4}} +7 900 000-00-09

── updated: booking_updated · UTILITY · ru
"
        ),
        "{said}"
    );

    // Meta approves each of them as it stands.
    let submitted: Vec<Value> = said
        .split("\n── ")
        .filter_map(|block| block.split_once(" · UTILITY · ru\n"))
        .map(|(head, body)| {
            let name = head.split_once(": ").unwrap().1;
            serde_json::json!({
                "name": name, "language": "ru", "status": "APPROVED", "category": "UTILITY",
                "components": [{"type": "BODY", "text": body}],
            })
        })
        .collect();
    assert_eq!(submitted.len(), 8);
    cloud.set_templates(submitted.into());
    let (_, settings) = said.split_once("когда их одобрят:\n").unwrap();
    let only_cloud = official_channels(&cloud, settings);
    let (only_cloud, _) = only_cloud.split_once("[channels.waba]").unwrap();
    program.configure(&format!(
        "{only_cloud}\n[[companies]]\nid = {BRANCH}\nchannels = [\"cloud\"]"
    ));
    let run = program.run(&["check", "--online"]).await;
    let said = stdout(&run);
    assert_eq!(run.status.code(), Some(0), "{said}{}", stderr(&run));
    assert!(said.contains("✓ канал cloud (whatsapp-cloud)"), "{said}");
    assert!(
        !said.contains("шаблон") && !said.contains("template"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn suggestions_need_no_secret_no_settings_and_follow_the_channel() {
    let program = Program::new().await;
    let cloud = Cloud::start().await;
    program.configure(&official_channels(&cloud, ""));
    let run = program.run(&["templates", "suggest"]).await;
    let said = stdout(&run);
    assert_eq!(run.status.code(), Some(0), "{said}{}", stderr(&run));
    let (_, waba) = said.split_once("\n\n# Канал waba (green-api): ").unwrap();
    // Its clients read English and are heard, and its templates have ids.
    for line in [
        "── created: booking_created · UTILITY · en",
        "To cancel or reschedule, just write to me here 👇",
        "{{1}} 21 August at 14:30, HAIRCUT, Bari",
        "# name: id шаблона в Green API; пока он не вписан, check --online назовёт его.",
        "[channels.waba.templates]",
        r#"cancelled = { name = "booking_cancelled", language = "en", parameters = ["items"] }"#,
    ] {
        assert!(waba.lines().any(|l| l == line), "{line}: {waba}");
    }

    let run = program
        .run(&["templates", "suggest", "--channel", "whatsapp"])
        .await;
    assert_eq!(run.status.code(), Some(2));
    assert_eq!(
        stderr(&run),
        "error: `whatsapp` is no channel that takes approved templates\n\n\
         hint: these are whatsapp-cloud, and green-api with flavour = \"waba\"\n"
    );

    std::fs::remove_file(program.config()).unwrap();
    let run = program.run(&["templates", "suggest"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert!(stdout(&run).contains("\n[channels.cloud.templates]\n"));
}
