//! Every channel keeps the same contract: what its answers mean, and that no secret gets out.

mod buttons;
mod cloud;
mod flavours;
mod gateway;
mod journals;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use booking_monitor::channels::approved::{Template, Templates};
use booking_monitor::channels::green_api::Flavour;
use booking_monitor::channels::http_gateway::{Custom, Preset};
use booking_monitor::channels::{
    self, Built, Common, ConsoleSink, JOURNAL_GRACE, Kind, Settings, build, console,
};
use booking_monitor::domain::delivery::Outcome;
use booking_monitor::http_client::ClientSettings;
use booking_monitor::ports::{Brief, Channel, Incoming, Outgoing, Receipt, Receiver};
use serde_json::{Value, json};

use crate::support::cloud::{self as cloud_api, Cloud};
use crate::support::fake::{Answer, Desk};
use crate::support::gateway::{self as gateways, Gateway};
use crate::support::green_api::{self, GreenApi};
use crate::support::telegram::{self, Telegram, private};

const PHONE: &str = "+79000000001";
const CHAT: &str = "555";

fn common() -> Common {
    Common {
        journal_grace: JOURNAL_GRACE,
        client: ClientSettings {
            timeout: Duration::from_secs(20),
            proxy: None,
            ca_file: None,
        },
        messages_per_second: 1.0,
        receive: true,
    }
}

fn hurried() -> Common {
    let mut common = common();
    common.client.timeout = Duration::from_millis(1500);
    common
}

fn nowhere() -> ConsoleSink {
    Arc::new(Mutex::new(std::io::sink()))
}

fn made(kind: Kind) -> Built {
    let settings = Settings {
        name: "канал".into(),
        kind,
        new_recipients_per_day: 0,
    };
    build(&settings, nowhere()).unwrap()
}

fn green_at(url: &str, common: Common) -> Built {
    green_with(url, Flavour::WhatsApp, common)
}

fn green_with(url: &str, flavour: Flavour, common: Common) -> Built {
    let official = flavour == Flavour::Waba;
    made(Kind::GreenApi(channels::green_api::Settings {
        api_url: url.to_owned(),
        instance_id: green_api::INSTANCE.into(),
        token: green_api::TOKEN.into(),
        flavour,
        templates: if official {
            templates()
        } else {
            Templates::default()
        },
        common,
    }))
}

/// One approved template, for new bookings.
fn templates() -> Templates {
    let created = Template {
        name: "booking_created".into(),
        language: "ru".into(),
        parameters: vec!["date".into(), "services".into()],
    };
    Templates([("created".to_owned(), created)].into())
}

fn cloud_at(url: &str, common: Common) -> Built {
    made(Kind::WhatsAppCloud(channels::whatsapp_cloud::Settings {
        api_url: url.to_owned(),
        phone_number_id: cloud_api::NUMBER_ID.into(),
        waba_id: Some(cloud_api::WABA_ID.into()),
        token: cloud_api::TOKEN.into(),
        templates: templates(),
        common,
    }))
}

fn gateway_at(url: &str, preset: Preset, common: Common) -> Built {
    gateway_with(url, preset, Custom::default(), common)
}

fn gateway_with(url: &str, preset: Preset, custom: Custom, common: Common) -> Built {
    made(Kind::Http(Box::new(channels::http_gateway::Settings {
        preset,
        base_url: url.to_owned(),
        token: gateways::TOKEN.into(),
        session: gateways::SESSION.into(),
        channel_id: "e0629e11".into(),
        custom,
        common,
    })))
}

const PRESETS: [Preset; 4] = [
    Preset::Waha,
    Preset::Evolution,
    Preset::WppConnect,
    Preset::Wazzup,
];

/// A form of one's own that the fake takes for WAHA.
fn custom() -> Custom {
    Custom {
        path: "/api/sendText".into(),
        headers: vec![("X-Api-Key".into(), "{token}".into())],
        body: Some(json!({"chatId": "{chat_id}", "text": "{text}", "key": "{key}"})),
        id: "/id/_serialized".into(),
        error: "/message".into(),
        unreachable: vec!["nobody there".into()],
        down: vec!["logged out".into()],
        ..Custom::default()
    }
}

fn telegram_at(url: &str, common: Common) -> Built {
    made(Kind::Telegram(channels::telegram::Settings {
        api_url: url.to_owned(),
        token: telegram::TOKEN.into(),
        common,
    }))
}

async fn send(channel: &Arc<dyn Channel>, to: &str, text: &str) -> Outcome {
    channel.send(&message(to, text)).await
}

/// A message about a new booking to somebody who did not write lately.
fn message(to: &str, text: &str) -> Outgoing {
    let values = [("date", "21 августа"), ("services", "Стрижка\nУкладка")];
    let values = values.into_iter().map(|(k, v)| (k, v.to_owned()));
    Outgoing {
        to: to.into(),
        text: text.into(),
        key: format!("key of {text}"),
        brief: Some(Brief {
            kind: "created",
            values: values.collect(),
        }),
        ..Outgoing::default()
    }
}

/// Fails when a secret, a phone or an address is in what people may see.
fn assert_discreet(said: &str) {
    for secret in [
        "CANARY",
        green_api::INSTANCE,
        cloud_api::NUMBER_ID,
        "79000000001",
        "000-00-01",
        "127.0.0.1",
        "http",
        "Анна",
    ] {
        let folded = said.replace("HTTP ", "");
        assert!(!folded.contains(secret), "{secret} is in: {said}");
    }
    assert!(said.chars().count() <= 160, "too long: {said}");
}

/// One row: the answer to a send, and the outcome's stored word.
type Row = (u16, String, &'static str);

fn row(status: u16, body: impl ToString, word: &'static str) -> Row {
    (status, body.to_string(), word)
}

/// Rows that mean the same whatever the channel: the body is no answer of its API.
fn common_rows() -> Vec<Row> {
    let echo = "<html>https://api/bot100500:CANARY-telegram-token CANARY-green-token CANARY-cloud-token CANARY-gateway-token 79000000001</html>";
    let mut rows = Vec::new();
    for status in [200, 201, 408, 499, 500, 502, 503, 504, 520] {
        rows.push(row(status, echo, "uncertain"));
        rows.push(row(status, "", "uncertain"));
        rows.push(row(status, "{\"broken", "uncertain"));
    }
    for status in [301, 302, 401, 402, 403, 404, 407, 410] {
        rows.push(row(status, echo, "channel_down"));
    }
    for status in [400, 413, 422] {
        rows.push(row(status, echo, "refused"));
    }
    rows.push(row(429, echo, "retry_after"));
    rows
}

fn telegram_rows() -> Vec<Row> {
    let says = |status: u16, text: &str, word| {
        let body = json!({"ok": false, "error_code": status, "description": text});
        row(status, body, word)
    };
    vec![
        row(
            200,
            json!({"ok": true, "result": {"message_id": 7}}),
            "accepted",
        ),
        row(200, json!({"ok": true, "result": {}}), "uncertain"),
        row(200, json!({"ok": false, "description": "?"}), "uncertain"),
        says(400, "Bad Request: chat not found", "unreachable"),
        says(400, "Bad Request: user not found", "unreachable"),
        says(400, "Bad Request: PEER_ID_INVALID", "unreachable"),
        says(403, "Forbidden: bot was blocked by the user", "unreachable"),
        says(403, "Forbidden: user is deactivated", "unreachable"),
        says(
            403,
            "Forbidden: bot can't initiate conversation with a user",
            "unreachable",
        ),
        says(
            403,
            "Forbidden: bot was kicked from the group chat",
            "unreachable",
        ),
        says(
            403,
            "Forbidden: something new about 79000000001",
            "unreachable",
        ),
        says(
            400,
            "Bad Request: can't parse entities: Unsupported start tag \"Анна\"",
            "refused",
        ),
        says(400, "Bad Request: message is too long", "refused"),
        says(400, "Bad Request: message text is empty", "refused"),
        says(401, "Unauthorized", "channel_down"),
        says(404, "Not Found", "channel_down"),
        says(429, "Too Many Requests: retry after 5", "retry_after"),
        says(500, "Internal Server Error: restart", "uncertain"),
        says(502, "Bad Gateway", "uncertain"),
    ]
}

fn green_rows() -> Vec<Row> {
    let says = |status: u16, text: &str, word| row(status, json!({"message": text}), word);
    let quota = |invoke: &str, people: &str| {
        json!({
            "invokeStatus": {"method": "sendmessage", "status": invoke},
            "correspondentsStatus": {"method": "correspondents", "status": people, "description": "Monthly quota"},
        })
    };
    vec![
        row(
            200,
            json!({"idMessage": "3EB0C767D097B7C7C030"}),
            "accepted",
        ),
        row(200, json!({"idMessage": ""}), "uncertain"),
        row(200, json!({}), "uncertain"),
        says(400, "instance in starting process try later", "retry"),
        says(400, "check phone number timeout limit exceeded", "retry"),
        says(
            400,
            "instance is starting or not authorized",
            "channel_down",
        ),
        says(400, "instance account not authorized", "channel_down"),
        says(
            400,
            "Instance account is expired. Renew your instance from personal area",
            "channel_down",
        ),
        says(400, "Instance is deleted", "channel_down"),
        says(
            400,
            "Validation failed. Details: 'chatId' 79000000001@c.us is wrong",
            "unreachable",
        ),
        says(
            400,
            "bad phone number, valid from 11 to 16 digits",
            "unreachable",
        ),
        says(
            400,
            "Validation failed. Details: 'message' length must be less",
            "refused",
        ),
        says(400, "bad request data", "refused"),
        says(400, "Unexpected token _ in JSON", "refused"),
        says(401, "Unauthorized", "channel_down"),
        says(403, "Your account is suspended", "channel_down"),
        says(404, "Not Found", "channel_down"),
        says(429, "Too Many Requests", "retry_after"),
        row(
            466,
            quota("QUOTE_ALLOWED", "CORRESPONDENTS_QUOTE_EXCEEDED"),
            "unreachable",
        ),
        row(
            466,
            quota("QUOTA_ALLOWED", "CORRESPONDENTS_QUOTA_EXCEEDED"),
            "unreachable",
        ),
        row(
            466,
            json!({"invokeStatus": {"status": "QUOTE_EXCEEDED"}}),
            "channel_down",
        ),
        says(469, "too many checks", "retry_after"),
    ]
}

async fn keeps_the_contract(channel: &Arc<dyn Channel>, desk: &Desk, to: &str, rows: Vec<Row>) {
    keeps_the_contract_but_waits(channel, desk, to, rows, None).await;
}

/// `pause` is what the service is known to want after a 429 that names no time.
async fn keeps_the_contract_but_waits(
    channel: &Arc<dyn Channel>,
    desk: &Desk,
    to: &str,
    rows: Vec<Row>,
    pause: Option<Duration>,
) {
    for (status, body, word) in common_rows().into_iter().chain(rows) {
        desk.answer_next(Answer::http(status, &body));
        let before = desk.requests().len();
        let outcome = send(channel, to, "текст").await;
        assert_eq!(outcome.as_str(), word, "{status} {body}: {outcome:?}");
        let requests = desk.requests();
        let posts = requests[before..].iter().filter(|r| r.http == "POST");
        assert_eq!(posts.count(), 1, "{status} {body}: one message, one POST");
        assert_discreet(outcome.why().unwrap_or_default());
    }
    for (header, seconds) in [("17", 17), ("3600", 3600), ("0", 1)] {
        desk.answer_next(Answer::http(429, "{}").with_header("Retry-After", header));
        let Outcome::Throttled { after, .. } = send(channel, to, "текст").await else {
            panic!("429 is a pause");
        };
        let after = after.map(|a| a.as_secs()).unwrap_or_default();
        // Telegram's adapter adds a second.
        assert!(
            (seconds..=seconds + 1).contains(&after),
            "{header}: {after}"
        );
    }
    desk.answer_next(Answer::http(429, ""));
    let outcome = send(channel, to, "текст").await;
    assert!(
        matches!(outcome, Outcome::Throttled { after, .. } if after == pause),
        "{outcome:?}"
    );

    let before = desk.sent().len();
    desk.answer_next(Answer::Drop { taken: true });
    let outcome = send(channel, to, "оборвалось").await;
    assert_eq!(outcome.as_str(), "uncertain", "{outcome:?}");
    assert_discreet(outcome.why().unwrap_or_default());
    assert_eq!(desk.sent().len(), before + 1, "and it did go out");
}

#[tokio::test]
async fn telegram_keeps_the_contract() {
    let fake = Telegram::start().await;
    let built = telegram_at(&fake.url, common());
    keeps_the_contract(&built.channel, &fake, CHAT, telegram_rows()).await;
}

#[tokio::test]
async fn green_api_keeps_the_contract() {
    let fake = GreenApi::start().await;
    let built = green_at(&fake.url, common());
    keeps_the_contract(&built.channel, &fake, PHONE, green_rows()).await;
}

#[tokio::test]
async fn every_flavour_of_green_api_keeps_the_contract() {
    for flavour in [Flavour::Waba, Flavour::Max, Flavour::Telegram] {
        let (fake, to) = match flavour {
            Flavour::WhatsApp | Flavour::Waba => (GreenApi::start().await, PHONE),
            // As a chat: what a phone is exchanged for is a request more.
            Flavour::Max | Flavour::Telegram => (GreenApi::start_hiding_phones().await, "10000001"),
        };
        let built = green_with(&fake.url, flavour, common());
        keeps_the_contract(&built.channel, &fake, to, green_rows()).await;
    }
}

#[tokio::test]
async fn the_cloud_api_keeps_the_contract() {
    let fake = Cloud::start().await;
    let built = cloud_at(&fake.url, common());
    keeps_the_contract(&built.channel, &fake, PHONE, cloud::rows()).await;
}

#[tokio::test]
async fn every_gateway_keeps_the_contract() {
    for preset in PRESETS {
        let fake = Gateway::start().await;
        let built = gateway_at(&fake.url, preset, common());
        let pause = (preset == Preset::Wazzup).then(|| Duration::from_secs(5));
        let rows = gateway::rows(preset);
        keeps_the_contract_but_waits(&built.channel, &fake, PHONE, rows, pause).await;
    }
    let fake = Gateway::start().await;
    let built = gateway_with(&fake.url, Preset::None, custom(), common());
    keeps_the_contract(&built.channel, &fake, PHONE, gateway::rows(Preset::None)).await;
}

#[tokio::test]
async fn a_send_that_is_never_answered_may_have_arrived() {
    let green = GreenApi::start().await;
    let telegram = Telegram::start().await;
    let cloud = Cloud::start().await;
    let gateway = Gateway::start().await;
    // The state is asked for with the same short time-out.
    for (built, desk, to) in [
        (green_at(&green.url, hurried()), &*green, PHONE),
        (telegram_at(&telegram.url, hurried()), &*telegram, CHAT),
        (cloud_at(&cloud.url, hurried()), &*cloud, PHONE),
        (
            gateway_at(&gateway.url, Preset::Waha, hurried()),
            &*gateway,
            PHONE,
        ),
    ] {
        desk.answer_next(Answer::Hang { taken: true });
        let outcome = send(&built.channel, to, "текст").await;
        assert_eq!(outcome.as_str(), "uncertain", "{outcome:?}");
        assert_discreet(outcome.why().unwrap_or_default());
    }
}

#[tokio::test]
async fn without_a_connection_nothing_left() {
    // Port 1 of loopback refuses; the name cannot exist; a plain port speaks no TLS.
    let plain = GreenApi::start().await;
    let no_tls = plain.url.replace("http://", "https://");
    for url in ["http://127.0.0.1:1", "http://no-such-host.invalid", &no_tls] {
        for (built, to) in [
            (green_at(url, common()), PHONE),
            (telegram_at(url, common()), CHAT),
            (cloud_at(url, common()), PHONE),
            (gateway_at(url, Preset::Wazzup, common()), PHONE),
        ] {
            let outcome = send(&built.channel, to, "текст").await;
            assert_eq!(outcome.as_str(), "retry", "{url}: {outcome:?}");
            let said = outcome.why().unwrap_or_default();
            assert!(
                !said.contains("CANARY") && !said.contains("waInstance"),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn an_accepted_message_arrives_as_it_was_written() {
    let green = GreenApi::start().await;
    let built = green_at(&green.url, common());
    let outcome = send(&built.channel, PHONE, "*Вы записаны!*\n\nстрока").await;
    let sent = green.wait_for(1).await;
    assert_eq!(sent[0].chat, "79000000001@c.us");
    assert_eq!(sent[0].text, "*Вы записаны!*\n\nстрока");
    assert_eq!(
        outcome,
        Outcome::Accepted {
            id: Some(sent[0].id.clone())
        }
    );
    let request = green.requests().pop().unwrap();
    assert!(
        request.body.contains("\"linkPreview\":false"),
        "{}",
        request.body
    );

    let telegram = Telegram::start().await;
    let built = telegram_at(&telegram.url, common());
    let outcome = send(&built.channel, CHAT, "<b>Вы записаны!</b> &amp; &lt;3").await;
    let sent = telegram.wait_for(1).await;
    assert_eq!(
        (sent[0].chat.as_str(), outcome.as_str()),
        (CHAT, "accepted")
    );
    let request = telegram.requests().pop().unwrap();
    assert!(
        request.body.contains("\"is_disabled\":true"),
        "{}",
        request.body
    );
}

#[tokio::test]
async fn a_text_over_the_limit_is_refused_without_a_request() {
    let green = GreenApi::start().await;
    let telegram = Telegram::start().await;
    for (built, desk, to, limit) in [
        (green_at(&green.url, common()), &*green, PHONE, 20_000),
        (
            telegram_at(&telegram.url, common()),
            &*telegram,
            CHAT,
            4_096,
        ),
    ] {
        let fits = send(&built.channel, to, &"я".repeat(limit)).await;
        assert_eq!(fits.as_str(), "accepted", "{fits:?}");
        let requests = desk.count("sendMessage");
        let outcome = send(&built.channel, to, &"я".repeat(limit + 1)).await;
        assert_eq!(outcome.as_str(), "refused", "{outcome:?}");
        assert_eq!(desk.count("sendMessage"), requests);
    }
}

#[tokio::test]
async fn broken_html_is_refused_in_telegrams_words() {
    let fake = Telegram::start().await;
    let built = telegram_at(&fake.url, common());
    for text in [
        "<b>не закрыт",
        "</b>",
        "<x>y</x>",
        "<b><i>x</b></i>",
        "a < b",
    ] {
        let outcome = send(&built.channel, CHAT, text).await;
        assert_eq!(outcome.as_str(), "refused", "{text}");
        let said = outcome.why().unwrap_or_default();
        assert!(said.contains("can't parse entities"), "{said}");
    }
    assert!(fake.sent().is_empty());
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_gets_the_message_under_its_new_id() {
    let fake = Telegram::start().await;
    let built = telegram_at(&fake.url, common());
    let moved = json!({
        "ok": false,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": -1_001_234_567_890_i64},
    });
    fake.answer_next(Answer::http(400, &moved.to_string()));
    let outcome = send(&built.channel, "-555", "текст").await;
    assert_eq!(outcome.as_str(), "accepted");
    assert_eq!(fake.sent()[0].chat, "-1001234567890");
}

#[tokio::test]
async fn a_probe_says_what_is_wrong_and_sends_nothing() {
    let green = GreenApi::start().await;
    let telegram = Telegram::start().await;
    let built = green_at(&green.url, common());
    assert_eq!(built.channel.probe().await, Ok(()));
    green.set_state("notAuthorized");
    assert_eq!(
        built.channel.probe().await,
        Err("the account is notAuthorized".into())
    );
    let built = telegram_at(&telegram.url, common());
    assert_eq!(built.channel.probe().await, Ok(()));
    let other = Telegram::start_with("another").await;
    let built = telegram_at(&other.url, common());
    assert_eq!(
        built.channel.probe().await,
        Err("HTTP 401: Unauthorized".into())
    );
    assert!(green.sent().is_empty() && telegram.sent().is_empty());
}

#[tokio::test]
async fn a_check_names_a_webhook_that_takes_the_bots_updates() {
    let fake = Telegram::start().await;
    let built = telegram_at(&fake.url, common());
    assert_eq!(built.channel.inspect().await, Vec::<String>::new());
    fake.set_webhook("https://bot.example/hook");
    assert_eq!(
        built.channel.inspect().await,
        [
            "the bot has a webhook: nothing can be received; call deleteWebhook, unless another service needs it"
        ]
    );
    let mut deaf = common();
    deaf.receive = false;
    let deaf = telegram_at(&fake.url, deaf);
    assert_eq!(deaf.channel.inspect().await, Vec::<String>::new());
}

// Green API's account.

#[tokio::test]
async fn the_state_is_asked_for_once_a_minute_and_again_after_a_notice() {
    let fake = GreenApi::start().await;
    let built = green_at(&fake.url, common());
    for _ in 0..3 {
        assert_eq!(
            send(&built.channel, PHONE, "текст").await.as_str(),
            "accepted"
        );
    }
    assert_eq!(fake.count("getStateInstance"), 1);

    let receiver = built.receiver.unwrap();
    fake.push_state("notAuthorized");
    let received = receiver
        .receive(Duration::from_secs(5))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        received.what,
        Incoming::State {
            up: false,
            state: "notAuthorized".into()
        }
    );
    let outcome = send(&built.channel, PHONE, "в никуда").await;
    assert_eq!(outcome.as_str(), "channel_down", "{outcome:?}");
    assert_eq!(
        fake.sent().len(),
        3,
        "an unauthorized instance would keep it for a day"
    );

    fake.set_state("starting");
    assert_eq!(send(&built.channel, PHONE, "рано").await.as_str(), "retry");
    fake.set_state("authorized");
    assert_eq!(
        send(&built.channel, PHONE, "снова").await.as_str(),
        "accepted"
    );
    assert_eq!(fake.count("getStateInstance"), 4);
}

#[tokio::test]
async fn many_sends_at_once_ask_for_the_state_once() {
    let fake = GreenApi::start().await;
    let built = green_at(&fake.url, common());
    let sends = (0..8).map(|_| send(&built.channel, PHONE, "текст"));
    let outcomes = futures_util::future::join_all(sends).await;
    assert!(outcomes.iter().all(|o| o.as_str() == "accepted"));
    assert_eq!(fake.count("getStateInstance"), 1);
}

// Receiving.

async fn next(receiver: &Arc<dyn Receiver>) -> Option<Incoming> {
    let received = receiver.receive(Duration::from_secs(5)).await.unwrap()?;
    receiver.acknowledge(&received.receipt).await.unwrap();
    Some(received.what)
}

#[tokio::test]
async fn green_api_tells_what_became_of_our_messages() {
    let fake = GreenApi::start().await;
    let receiver = green_at(&fake.url, common()).receiver.unwrap();
    for (word, status) in [
        ("sent", Receipt::Sent),
        ("delivered", Receipt::Delivered),
        ("read", Receipt::Read),
        ("noAccount", Receipt::NoAccount),
        ("failed", Receipt::Failed),
        ("yellowCard", Receipt::Withheld),
        ("noActiveSession", Receipt::NoSession),
    ] {
        fake.push_status("BAE51", word);
        let arrives = matches!(status, Receipt::Sent | Receipt::Delivered | Receipt::Read);
        assert_eq!(
            next(&receiver).await,
            Some(Incoming::Status {
                message_id: "BAE51".into(),
                status,
                why: (!arrives).then(|| word.to_owned()),
                hidden_chat: None,
            })
        );
    }
    assert_eq!(fake.deleted(), [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn green_api_reads_every_kind_of_words() {
    let fake = GreenApi::start().await;
    let receiver = green_at(&fake.url, common()).receiver.unwrap();
    let kinds = [
        json!({"typeMessage": "textMessage", "textMessageData": {"textMessage": "да"}}),
        json!({"typeMessage": "extendedTextMessage", "extendedTextMessageData": {"text": "да"}}),
        json!({"typeMessage": "quotedMessage", "extendedTextMessageData": {"text": "да", "stanzaId": "BAE51"}}),
        json!({"typeMessage": "reactionMessage", "extendedTextMessageData": {"text": "да"}}),
        json!({"typeMessage": "templateButtonsReplyMessage", "templateButtonReplyMessage": {"selectedDisplayText": "да"}}),
        json!({"typeMessage": "editedMessage", "editedMessageData": {"textMessage": "да"}}),
        json!({"typeMessage": "imageMessage", "fileMessageData": {"caption": "да"}}),
    ];
    for data in kinds {
        fake.push_message("79000000001@c.us", &data);
        let Some(Incoming::Text {
            phone,
            chat_id,
            name,
            text,
            ..
        }) = next(&receiver).await
        else {
            panic!("no text in {data}");
        };
        assert_eq!(phone.as_deref(), Some("79000000001"));
        assert_eq!(
            (chat_id.as_str(), name.as_str(), text.as_str()),
            ("79000000001@c.us", "Анна", "да")
        );
    }
}

#[tokio::test]
async fn a_hidden_id_shows_a_phone_only_where_the_provider_names_it() {
    let fake = GreenApi::start().await;
    let receiver = green_at(&fake.url, common()).receiver.unwrap();
    let text = json!({"typeMessage": "textMessage", "textMessageData": {"textMessage": "да"}});
    fake.push_message("100000000000001@lid", &text);
    let Some(Incoming::Text { phone, .. }) = next(&receiver).await else {
        panic!("no text");
    };
    assert_eq!(phone, None);
    fake.push(json!({
        "typeWebhook": "incomingMessageReceived",
        "timestamp": 1_787_300_000,
        "idMessage": "IN9",
        "senderData": {"chatId": "100000000000001@lid", "senderPhoneNumber": 79_000_000_001_u64},
        "messageData": text,
    }));
    let Some(Incoming::Text { phone, .. }) = next(&receiver).await else {
        panic!("no text");
    };
    assert_eq!(phone.as_deref(), Some("79000000001"));
}

#[tokio::test]
async fn what_has_no_words_and_what_a_person_wrote_from_the_phone_are_heard() {
    let fake = GreenApi::start().await;
    let receiver = green_at(&fake.url, common()).receiver.unwrap();
    let chat = "79000000001@c.us";
    for kind in [
        "audioMessage",
        "stickerMessage",
        "imageMessage",
        "locationMessage",
        "contactMessage",
        "pollMessage",
        // An answer by a sticker, and what there may be one day.
        "quotedMessage",
        "somethingNewMessage",
    ] {
        fake.push_message(chat, &json!({"typeMessage": kind}));
        match next(&receiver).await {
            Some(Incoming::Text { text, .. }) => assert_eq!(text, "", "{kind}"),
            other => panic!("{kind}: {other:?}"),
        }
    }
    let wrote = |by_api: bool| {
        json!({
            "typeWebhook": "outgoingMessageReceived",
            "timestamp": 1_787_300_000,
            "idMessage": "OUT1",
            "sendByApi": by_api,
            "senderData": {"chatId": chat, "sender": "79000000009@c.us"},
            "messageData": {"typeMessage": "textMessage", "textMessageData": {"textMessage": "Ждём"}},
        })
    };
    fake.push(wrote(false));
    match next(&receiver).await {
        Some(Incoming::Answered {
            chat_id,
            phone,
            text,
            ..
        }) => {
            assert_eq!((chat_id.as_str(), text.as_str()), (chat, "Ждём"));
            assert_eq!(phone.as_deref(), Some("79000000001"));
        }
        other => panic!("{other:?}"),
    }
    fake.push(wrote(true));
    assert!(matches!(
        next(&receiver).await,
        Some(Incoming::Other { .. })
    ));
}

#[tokio::test]
async fn what_nobody_can_read_never_blocks_the_queue() {
    let fake = GreenApi::start().await;
    let receiver = green_at(&fake.url, common()).receiver.unwrap();
    let chat = "79000000001@c.us";
    fake.push(json!({"typeWebhook": "somethingNew", "x": [1, 2]}));
    fake.push(json!({"typeWebhook": "outgoingMessageStatus", "status": "newStatus"}));
    fake.push(json!(null));
    fake.push(json!("text"));
    fake.push_raw(|receipt| format!("{{\"receiptId\": {receipt}, \"body\": {{\"broken"));
    for told in ["pollUpdateMessage", "deletedMessage"] {
        fake.push_message(chat, &json!({"typeMessage": told}));
    }
    fake.push_message(
        "120363000000000000@g.us",
        &json!({"typeMessage": "textMessage", "textMessageData": {"textMessage": "x"}}),
    );
    for _ in 0..8 {
        let what = next(&receiver).await;
        assert!(matches!(what, Some(Incoming::Other { .. })), "{what:?}");
    }
    fake.push_text("79000000001", "наконец");
    assert!(matches!(next(&receiver).await, Some(Incoming::Text { .. })));
    assert_eq!(fake.deleted().len(), 9);
}

#[tokio::test]
async fn words_cut_in_the_middle_of_a_character_are_read_all_the_same() {
    let fake = GreenApi::start().await;
    let receiver = green_at(&fake.url, common()).receiver.unwrap();
    fake.push_raw(|receipt| {
        let body = r#"{"typeWebhook":"incomingMessageReceived","timestamp":1787300000,
            "idMessage":"3EB0","senderData":{"chatId":"79000000001@c.us","senderName":"\ude00"},
            "messageData":{"typeMessage":"textMessage","textMessageData":{"textMessage":"буду \ud83d"}}}"#;
        format!(r#"{{"receiptId":{receipt},"body":{body}}}"#)
    });
    let Some(Incoming::Text { text, .. }) = next(&receiver).await else {
        panic!("no text");
    };
    assert_eq!(text, "буду \u{fffd}");
}

#[tokio::test]
async fn an_unacknowledged_notification_comes_again() {
    let fake = GreenApi::start().await;
    let receiver = green_at(&fake.url, common()).receiver.unwrap();
    fake.push_text("79000000001", "да");
    let patience = Duration::from_secs(5);
    let first = receiver.receive(patience).await.unwrap().unwrap();
    let again = receiver.receive(patience).await.unwrap().unwrap();
    assert_eq!(
        (first.receipt, first.what),
        (again.receipt.clone(), again.what)
    );
    receiver.acknowledge(&again.receipt).await.unwrap();
    receiver.acknowledge(&again.receipt).await.unwrap();
    assert_eq!(fake.deleted(), [1], "deleting twice is no error");
}

#[tokio::test]
async fn little_patience_hangs_up_and_loses_nothing() {
    let fake = GreenApi::start().await;
    let receiver = green_at(&fake.url, common()).receiver.unwrap();
    let nothing = receiver.receive(Duration::from_millis(50)).await.unwrap();
    assert!(nothing.is_none());
    let asked = fake.requests();
    assert!(
        asked.iter().all(|r| r.query == "receiveTimeout=5"),
        "{asked:?}"
    );
    fake.push_text("79000000001", "да");
    assert!(next(&receiver).await.is_some());
}

#[tokio::test]
async fn a_receiver_that_is_refused_says_so_without_secrets() {
    let fake = GreenApi::start().await;
    let wrong = made(Kind::GreenApi(channels::green_api::Settings {
        api_url: fake.url.clone(),
        instance_id: green_api::INSTANCE.into(),
        token: "CANARY-wrong".into(),
        flavour: Flavour::WhatsApp,
        templates: Templates::default(),
        common: common(),
    }));
    let refused = wrong
        .receiver
        .unwrap()
        .receive(Duration::from_secs(5))
        .await;
    assert_eq!(refused.unwrap_err(), "HTTP 401: Unauthorized");
    let unheard = green_at("http://127.0.0.1:1", common()).receiver.unwrap();
    let said = unheard.receive(Duration::from_secs(5)).await.unwrap_err();
    assert!(
        !said.contains("CANARY") && !said.contains("waInstance"),
        "{said}"
    );
}

#[tokio::test]
async fn a_channel_without_receive_has_no_receiver() {
    let mut deaf = common();
    deaf.receive = false;
    let green = green_at("http://127.0.0.1:1", deaf.clone());
    let telegram = telegram_at("http://127.0.0.1:1", deaf);
    assert!(green.receiver.is_none() && telegram.receiver.is_none());
    assert!(
        green.channel.hears_replies(),
        "the salon's own phone rings all the same"
    );
    assert!(!telegram.channel.hears_replies());
}

// Telegram's updates.

#[tokio::test]
async fn telegram_tells_words_starts_contacts_and_blocks() {
    let fake = Telegram::start().await;
    let receiver = telegram_at(&fake.url, common()).receiver.unwrap();
    fake.push_text(555, "да");
    let Some(Incoming::Text {
        chat_id,
        phone,
        name,
        text,
        ..
    }) = next(&receiver).await
    else {
        panic!("no text");
    };
    assert_eq!(
        (chat_id.as_str(), phone, name.as_str(), text.as_str()),
        ("555", None, "Анна", "да")
    );

    for (text, expected) in [
        ("/start", ""),
        ("/start abc_1", "abc_1"),
        ("/start@salon_bot", ""),
    ] {
        fake.push_text(555, text);
        let Some(Incoming::Started { payload, .. }) = next(&receiver).await else {
            panic!("no start in {text}");
        };
        assert_eq!(payload, expected);
    }
    fake.push_text(555, "/starting");
    assert!(matches!(next(&receiver).await, Some(Incoming::Text { .. })));

    for (status, reachable) in [("kicked", false), ("member", true)] {
        fake.push_update(json!({"my_chat_member": {
            "chat": {"id": 555, "type": "private"},
            "new_chat_member": {"status": status},
        }}));
        let chat_id = "555".to_owned();
        assert_eq!(
            next(&receiver).await,
            Some(Incoming::Reachable { chat_id, reachable })
        );
    }
}

#[tokio::test]
async fn only_ones_own_unforwarded_contact_shows_a_phone() {
    let fake = Telegram::start().await;
    let receiver = telegram_at(&fake.url, common()).receiver.unwrap();
    fake.push_contact(555, "+79000000001", Some(555));
    fake.push_contact(555, "79000000002", Some(777));
    fake.push_contact(555, "79000000002", None);
    let mut forwarded = private(555);
    forwarded["contact"] = json!({"phone_number": "79000000001", "user_id": 555});
    forwarded["forward_origin"] = json!({"type": "user"});
    fake.push_update(json!({ "message": forwarded }));
    let mut phones = Vec::new();
    for _ in 0..4 {
        let Some(Incoming::Contact { phone, .. }) = next(&receiver).await else {
            panic!("no contact");
        };
        phones.push(phone);
    }
    assert_eq!(phones, [Some("79000000001".to_owned()), None, None, None]);
}

#[tokio::test]
async fn nothing_that_a_person_sends_a_bot_vanishes() {
    let fake = Telegram::start().await;
    let receiver = telegram_at(&fake.url, common()).receiver.unwrap();
    let push = |chat: Value, fields: Value| {
        let mut message = private(555);
        message["chat"] = chat;
        for (field, value) in fields.as_object().unwrap() {
            message[field] = value.clone();
        }
        fake.push_update(json!({ "message": message }));
    };
    let (own, group) = (
        json!({"id": 555, "type": "private"}),
        json!({"id": -100, "type": "supergroup"}),
    );
    for kind in [
        "animation",
        "audio",
        "checklist",
        "dice",
        "document",
        "game",
        "location",
        "paid_media",
        "photo",
        "poll",
        "sticker",
        "story",
        "venue",
        "video",
        "video_note",
        "voice",
        "something_new",
    ] {
        push(
            own.clone(),
            json!({ kind: {}, "reply_to_message": {"message_id": 7} }),
        );
        match next(&receiver).await {
            Some(Incoming::Text { text, quoted, .. }) => {
                assert_eq!(
                    (text.as_str(), quoted.as_deref()),
                    ("", Some("7")),
                    "{kind}"
                );
            }
            other => panic!("{kind}: {other:?}"),
        }
    }
    // An owner answers a client by somebody's number.
    let contact = json!({"contact": {"phone_number": "79000000002"}});
    push(group.clone(), contact);
    let what = next(&receiver).await;
    assert!(matches!(what, Some(Incoming::Text { .. })), "{what:?}");
    // What Telegram itself tells of a chat.
    for (chat, told) in [
        (&own, "pinned_message"),
        (&own, "message_auto_delete_timer_changed"),
        (&group, "new_chat_members"),
        (&group, "something_new"),
    ] {
        push(chat.clone(), json!({ told: {} }));
        let what = next(&receiver).await;
        assert!(
            matches!(what, Some(Incoming::Other { .. })),
            "{told}: {what:?}"
        );
    }
}

#[tokio::test]
async fn what_is_put_right_comes_as_words_of_their_own() {
    let fake = Telegram::start().await;
    let receiver = telegram_at(&fake.url, common()).receiver.unwrap();
    let mut message = private(555);
    message["text"] = "отмна".into();
    fake.push_update(json!({ "message": message }));
    message["text"] = "отмена".into();
    message["edit_date"] = 1_787_300_060.into();
    fake.push_update(json!({ "edited_message": message }));
    let mut read = Vec::new();
    for _ in 0..2 {
        match next(&receiver).await {
            Some(Incoming::Text {
                message_id,
                text,
                at,
                ..
            }) => read.push((message_id, text, at.timestamp())),
            other => panic!("{other:?}"),
        }
    }
    assert_ne!(read[0].0, read[1].0);
    assert_eq!((read[1].1.as_str(), read[1].2), ("отмена", 1_787_300_060));
    // A place that is shared is edited by itself, again and again.
    let mut place = private(555);
    place["location"] = json!({});
    place["edit_date"] = 1_787_300_061.into();
    fake.push_update(json!({ "edited_message": place }));
    let what = next(&receiver).await;
    assert!(matches!(what, Some(Incoming::Other { .. })), "{what:?}");
}

#[tokio::test]
async fn an_update_is_forgotten_only_after_it_was_acknowledged() {
    let fake = Telegram::start().await;
    let receiver = telegram_at(&fake.url, common()).receiver.unwrap();
    fake.push_update(json!({"something_new": {}}));
    fake.push_text(555, "да");
    let patience = Duration::from_secs(5);
    let first = receiver.receive(patience).await.unwrap().unwrap();
    assert_eq!(
        first.what,
        Incoming::Other {
            kind: "something_new".into()
        }
    );
    let again = receiver.receive(patience).await.unwrap().unwrap();
    assert_eq!(first.receipt, again.receipt);

    // A restart before acknowledging: everything comes again.
    let restarted = telegram_at(&fake.url, common()).receiver.unwrap();
    let repeated = restarted.receive(patience).await.unwrap().unwrap();
    assert_eq!(repeated.receipt, first.receipt);

    assert!(next(&receiver).await.is_some());
    assert!(matches!(next(&receiver).await, Some(Incoming::Text { .. })));
    assert_eq!(fake.unconfirmed(), 2);
    assert!(receiver.receive(Duration::ZERO).await.unwrap().is_none());
    assert_eq!(
        fake.unconfirmed(),
        0,
        "the next poll confirms what was acknowledged"
    );
}

// The console.

#[tokio::test]
async fn the_console_shows_the_message_and_hides_the_phone() {
    let paper: Arc<Mutex<Vec<u8>>> = Arc::default();
    let settings = Settings {
        name: "terminal".into(),
        kind: Kind::Console(console::Settings::default()),
        new_recipients_per_day: 0,
    };
    let built = build(&settings, paper.clone()).unwrap();
    let outcome = send(&built.channel, PHONE, "*Вы записаны!*").await;
    assert_eq!(outcome, Outcome::Accepted { id: None });
    assert_eq!(
        String::from_utf8(paper.lock().unwrap().clone()).unwrap(),
        "── terminal → +7 *** ***-**-01\n*Вы записаны!*\n\n"
    );
}

#[tokio::test]
async fn a_console_nobody_reads_is_down() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let settings = Settings {
        name: "terminal".into(),
        kind: Kind::Console(console::Settings::default()),
        new_recipients_per_day: 0,
    };
    let built = build(&settings, Arc::new(Mutex::new(Closed))).unwrap();
    let outcome = send(&built.channel, PHONE, "текст").await;
    assert_eq!(outcome.as_str(), "channel_down", "{outcome:?}");
}
