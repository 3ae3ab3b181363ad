//! The four gateways known by name, and a form of one's own.

use booking_monitor::channels::http_gateway::{Custom, Preset};
use booking_monitor::domain::delivery::Outcome;
use booking_monitor::ports::{Markup, Proof};
use serde_json::{Value, json};

use super::{
    PHONE, PRESETS, Row, assert_discreet, common, custom, gateway_at, gateway_with, row, send,
};
use crate::support::fake::Answer;
use crate::support::gateway::Gateway;

pub(crate) fn rows(preset: Preset) -> Vec<Row> {
    match preset {
        Preset::Waha => vec![
            row(201, json!({"id": "true_79000000001@c.us_3EB0"}), "accepted"),
            row(200, json!({"id": {"_serialized": "3EB0"}}), "accepted"),
            row(201, json!({"key": {"id": "3EB0"}}), "accepted"),
            row(201, json!({"id": ""}), "uncertain"),
            row(
                422,
                json!({"error": "Session status is not as expected. Try again later or restart the session", "status": "FAILED", "expected": ["WORKING"]}),
                "channel_down",
            ),
            row(422, json!({"status": "SCAN_QR_CODE"}), "channel_down"),
            row(422, json!({"message": "text must be a string"}), "refused"),
            row(404, json!({"message": "Session not found"}), "channel_down"),
            row(400, json!({"message": "no LID for user"}), "unreachable"),
            row(500, json!({"message": "no LID for user"}), "uncertain"),
        ],
        Preset::Evolution => vec![
            row(
                201,
                json!({"key": {"id": "3EB0"}, "status": "PENDING"}),
                "accepted",
            ),
            row(201, json!({"status": "PENDING"}), "uncertain"),
            row(
                400,
                json!({"status": 400, "error": "Bad Request", "response": {"message": [{"exists": false, "jid": "79000000001@s.whatsapp.net", "number": "79000000001"}]}}),
                "unreachable",
            ),
            row(
                400,
                json!({"status": 400, "error": "Bad Request", "response": {"message": ["instance requires property \"text\""]}}),
                "refused",
            ),
            row(401, json!({"error": "Unauthorized"}), "channel_down"),
            row(
                404,
                json!({"response": {"message": ["The \"salon\" instance does not exist"]}}),
                "channel_down",
            ),
            row(
                500,
                json!({"response": {"message": "Connection Closed"}}),
                "uncertain",
            ),
        ],
        Preset::WppConnect => vec![
            row(
                201,
                json!({"status": "success", "response": [{"id": "3EB0"}]}),
                "accepted",
            ),
            row(
                201,
                json!({"response": [{"id": {"_serialized": "3EB0"}}]}),
                "accepted",
            ),
            row(
                201,
                json!({"status": "success", "response": []}),
                "uncertain",
            ),
            row(
                404,
                json!({"response": null, "status": "Disconnected"}),
                "channel_down",
            ),
            row(400, json!({"status": "Disconnected"}), "channel_down"),
            row(
                400,
                json!({"status": "Connected", "message": "79000000001 não existe."}),
                "unreachable",
            ),
            row(
                500,
                json!({"status": "error", "message": "não existe"}),
                "uncertain",
            ),
        ],
        Preset::Wazzup => vec![
            row(
                201,
                json!({"messageId": "f66c53a6", "chatId": "79000000001"}),
                "accepted",
            ),
            row(201, json!({"chatId": "79000000001"}), "uncertain"),
            row(
                400,
                json!({"error": "repeatedCrmMessageId", "description": "You have already sent message with the same crmMessageId"}),
                "accepted",
            ),
            row(
                400,
                json!({"error": "ERROR", "description": "CHANNEL_BLOCKED", "data": {}}),
                "channel_down",
            ),
            row(
                400,
                json!({"error": "BAD_CONTACT", "description": "79000000001"}),
                "unreachable",
            ),
            row(400, json!({"error": "24_HOURS_EXCEEDED"}), "refused"),
            row(403, json!({"error": "FORBIDDEN"}), "channel_down"),
            row(500, json!({"error": "INTERNAL"}), "uncertain"),
        ],
        Preset::None => vec![
            row(200, json!({"id": {"_serialized": 7}}), "accepted"),
            row(200, json!({"id": {}}), "uncertain"),
            // Said in a good answer, too: no id, and the words for it.
            row(
                200,
                json!({"message": "Nobody there: 79000000001"}),
                "unreachable",
            ),
            row(200, json!({"message": "Something else"}), "uncertain"),
            row(202, json!({"id": {"_serialized": "7"}}), "uncertain"),
            row(400, json!({"message": "NOBODY THERE"}), "unreachable"),
            row(
                400,
                json!({"message": "you are logged out"}),
                "channel_down",
            ),
            row(500, json!({"message": "nobody there"}), "uncertain"),
            row(400, json!({"message": "?"}), "refused"),
        ],
    }
}

#[tokio::test]
async fn each_gateway_gets_the_request_it_knows() {
    let text = "*Вы записаны!*\n\"{token}\" {key}";
    for (preset, chat, path) in [
        (Preset::Waha, "79000000001@c.us", "sendText"),
        (Preset::Evolution, "79000000001@s.whatsapp.net", "sendText"),
        (Preset::WppConnect, "79000000001@c.us", "sendText"),
        (Preset::Wazzup, "79000000001", "sendText"),
    ] {
        let fake = Gateway::start().await;
        let built = gateway_at(&fake.url, preset, common());
        let outcome = send(&built.channel, PHONE, text).await;
        assert_eq!(outcome.as_str(), "accepted", "{preset:?} {outcome:?}");
        let sent = fake.wait_for(1).await;
        assert_eq!((sent[0].chat.as_str(), sent[0].text.as_str()), (chat, text));
        assert_eq!(fake.count(path), 1);
        let Outcome::Accepted { id: Some(id) } = outcome else {
            panic!("an id");
        };
        assert!(id.ends_with(&sent[0].id), "{id}");
        assert!(built.channel.hears_replies() && built.receiver.is_none());
    }
}

#[tokio::test]
async fn a_gateway_is_asked_for_its_state_where_it_tells() {
    for (preset, bad) in [
        (Preset::Waha, "SCAN_QR_CODE"),
        (Preset::Evolution, "close"),
        (Preset::WppConnect, "QRCODE"),
    ] {
        let fake = Gateway::start().await;
        let channel = gateway_at(&fake.url, preset, common()).channel;
        assert_eq!(channel.probe().await, Ok(()), "{preset:?}");
        fake.set_state(bad);
        assert_eq!(channel.probe().await, Err(format!("the session is {bad}")));
        assert_eq!(fake.count("state"), 2);
        let nowhere = gateway_at(&format!("{}/x", fake.url), preset, common());
        assert_eq!(
            nowhere.channel.probe().await,
            Err("HTTP 404: Not Found".into())
        );
    }
    for preset in [Preset::Wazzup, Preset::None] {
        let fake = Gateway::start().await;
        let channel = gateway_at(&fake.url, preset, common()).channel;
        assert_eq!(channel.probe().await, Ok(()));
        assert_eq!(fake.requests().len(), 0, "only a message can tell");
    }
}

#[tokio::test]
async fn wazzup_takes_the_same_message_twice_and_delivers_it_once() {
    let fake = Gateway::start().await;
    let channel = gateway_at(&fake.url, Preset::Wazzup, super::hurried()).channel;
    assert_eq!(channel.proof(), Proof::Key);
    fake.answer_next(Answer::Hang { taken: true });
    assert_eq!(send(&channel, PHONE, "текст").await.as_str(), "uncertain");
    let again = send(&channel, PHONE, "текст").await;
    assert_eq!(again, Outcome::Accepted { id: None });
    assert_eq!(fake.sent().len(), 1);
    // Other words have another key.
    assert_eq!(send(&channel, PHONE, "иначе").await.as_str(), "accepted");
    assert_eq!(fake.sent().len(), 2);
}

#[tokio::test]
async fn what_can_be_proved_is_a_matter_of_the_gateway() {
    for preset in PRESETS {
        let expected = match preset {
            Preset::Wazzup => Proof::Key,
            _ => Proof::Journal,
        };
        let channel = gateway_at("http://127.0.0.1:1", preset, common()).channel;
        assert_eq!(channel.proof(), expected);
        assert_eq!(channel.markup(), Markup::WhatsApp);
        assert_eq!(channel.messenger(), Some("WhatsApp"));
    }
    for (idempotent, proof) in [(false, Proof::Nothing), (true, Proof::Key)] {
        let form = Custom {
            idempotent,
            ..custom()
        };
        let channel = gateway_with("http://127.0.0.1:1", Preset::None, form, common()).channel;
        assert_eq!(channel.proof(), proof);
        assert_eq!(channel.markup(), Markup::Plain);
        assert_eq!(channel.messenger(), None);
        assert!(!channel.hears_replies());
    }
}

#[tokio::test]
async fn a_form_of_ones_own_is_filled_in_path_headers_and_body() {
    let fake = Gateway::start().await;
    let form = Custom {
        path: "/send/{session}/{phone}?text={text}".into(),
        headers: vec![
            ("X-Api-Key".into(), "{token}".into()),
            ("Idempotency-Key".into(), "{phone}".into()),
        ],
        body: Some(json!({"to": ["{chat_id}"], "text": "{text}", "key": "{key}", "n": 1})),
        id: String::new(),
        ..Custom::default()
    };
    let channel = gateway_with(&fake.url, Preset::None, form, common()).channel;
    let text = "a&b=c \"{token}\"\nя";
    let outcome = send(&channel, PHONE, text).await;
    assert_eq!(
        outcome.as_str(),
        "channel_down",
        "the fake has no such path"
    );
    assert_discreet(outcome.why().unwrap_or_default());
    let request = fake.requests().pop().unwrap();
    assert_eq!(request.query, "text=a%26b%3Dc%20%22%7Btoken%7D%22%0A%D1%8F");
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(
        body,
        json!({"to": ["79000000001@c.us"], "text": text, "key": format!("key of {text}"), "n": 1})
    );
    // Without a place for an id any readable answer that names no error will do.
    fake.answer_next(Answer::http(200, "ok"));
    let blind = Custom {
        id: String::new(),
        ..custom()
    };
    let channel = gateway_with(&fake.url, Preset::None, blind, common()).channel;
    let outcome = send(&channel, PHONE, text).await;
    assert_eq!(outcome, Outcome::Accepted { id: None });
}

#[tokio::test]
async fn a_text_over_wazzups_limit_is_refused_without_a_request() {
    let fake = Gateway::start().await;
    let channel = gateway_at(&fake.url, Preset::Wazzup, common()).channel;
    let outcome = send(&channel, PHONE, &"я".repeat(10_001)).await;
    assert_eq!(outcome.as_str(), "refused", "{outcome:?}");
    assert_eq!(fake.requests().len(), 0);
}
