//! WhatsApp's Cloud API: Meta's codes, approved templates, the window for free text, statuses.

use std::sync::Arc;
use std::time::Duration;

use booking_monitor::domain::delivery::Outcome;
use booking_monitor::ports::{Channel, Gap, Incoming, Outgoing, Proof, Receipt, Receiver};
use serde_json::{Value, json};

use super::{PHONE, Row, cloud_at, common, message, row, send};
use crate::support::cloud::{Cloud, error};
use crate::support::fake::Answer;

/// Meta's codes, and what each comes to.
const CODES: [(i64, u16, &str); 57] = [
    (0, 401, "channel_down"),
    (190, 401, "channel_down"),
    (190, 400, "channel_down"),
    (3, 400, "channel_down"),
    (10, 403, "channel_down"),
    (200, 403, "channel_down"),
    (299, 403, "channel_down"),
    (131_005, 403, "channel_down"),
    (33, 400, "channel_down"),
    (368, 403, "channel_down"),
    (131_031, 403, "channel_down"),
    (130_497, 403, "channel_down"),
    (131_042, 400, "channel_down"),
    (131_045, 400, "channel_down"),
    (133_010, 400, "channel_down"),
    (133_006, 400, "channel_down"),
    (131_037, 400, "channel_down"),
    (131_030, 400, "channel_down"),
    (132_001, 404, "channel_down"),
    (132_015, 400, "channel_down"),
    (132_016, 400, "channel_down"),
    (1, 500, "uncertain"),
    (1, 400, "refused"),
    (131_000, 500, "uncertain"),
    (131_000, 400, "uncertain"),
    (2, 400, "retry"),
    (2, 503, "uncertain"),
    (131_016, 400, "retry"),
    (133_004, 400, "retry"),
    (131_057, 400, "retry"),
    (131_057, 500, "uncertain"),
    (4, 400, "retry_after"),
    (80_007, 400, "retry_after"),
    (130_429, 400, "retry_after"),
    (130_429, 429, "retry_after"),
    (131_056, 400, "retry_after"),
    (131_048, 400, "retry_after"),
    (131_049, 400, "unreachable"),
    (131_050, 400, "unreachable"),
    (130_472, 400, "unreachable"),
    (131_026, 400, "unreachable"),
    (131_021, 400, "unreachable"),
    (131_047, 400, "refused"),
    (131_051, 400, "refused"),
    (131_052, 400, "refused"),
    (131_053, 400, "refused"),
    (100, 400, "refused"),
    (131_008, 400, "refused"),
    (131_009, 400, "refused"),
    (132_018, 400, "refused"),
    (132_000, 400, "refused"),
    (132_005, 400, "refused"),
    (132_007, 400, "refused"),
    (132_012, 400, "refused"),
    (999_999, 400, "refused"),
    (999_999, 403, "channel_down"),
    (131_026, 500, "uncertain"),
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = CODES
        .into_iter()
        .map(|(code, status, word)| {
            let (status, body) = error(status, code, "Message to 79000000001 undeliverable");
            row(status, body, word)
        })
        .collect();
    let id =
        json!({"messages": [{"id": "wamid.1", "message_status": "held_for_quality_assessment"}]});
    rows.push(row(200, id, "accepted"));
    rows.push(row(200, json!({"messages": []}), "uncertain"));
    rows.push(row(200, json!({"messages": [{"id": ""}]}), "uncertain"));
    rows
}

#[tokio::test]
async fn a_throttled_number_waits_as_long_as_meta_wants() {
    let fake = Cloud::start().await;
    let channel = cloud_at(&fake.url, common()).channel;
    for (code, seconds) in [(4, 60), (130_429, 60), (131_056, 6), (131_048, 3600)] {
        let (status, body) = error(400, code, "slow down");
        fake.answer_next(Answer::http(status, &body.to_string()));
        let Outcome::Throttled { after, .. } = send(&channel, PHONE, "текст").await else {
            panic!("{code} is a pause");
        };
        assert_eq!(after, Some(Duration::from_secs(seconds)), "{code}");
    }
}

#[tokio::test]
async fn who_did_not_write_lately_gets_an_approved_template() {
    let fake = Cloud::start().await;
    let built = cloud_at(&fake.url, common());
    let outcome = send(&built.channel, PHONE, "*Вы записаны!*\n\n…").await;
    let sent = fake.wait_for(1).await;
    assert_eq!(
        outcome,
        Outcome::Accepted {
            id: Some(sent[0].id.clone())
        }
    );
    assert_eq!(sent[0].chat, "79000000001");
    assert_eq!(
        sent[0].text,
        "booking_created/ru: 21 августа | Стрижка; Укладка"
    );
    assert_eq!(built.channel.proof(), Proof::Nothing);
    assert!(!built.channel.hears_replies() && built.channel.is_robot());
}

#[tokio::test]
async fn what_no_template_stands_for_is_refused_without_a_request() {
    let fake = Cloud::start().await;
    let channel = cloud_at(&fake.url, common()).channel;
    let mut other = message(PHONE, "текст");
    if let Some(brief) = &mut other.brief {
        brief.kind = "cancelled";
    }
    let outcome = channel.send(&other).await;
    assert_eq!(
        outcome,
        Outcome::Refused {
            why: "no approved template for \"cancelled\"".into()
        }
    );
    let copy = Outgoing {
        brief: None,
        ..message(PHONE, "текст")
    };
    assert_eq!(channel.send(&copy).await.as_str(), "refused");
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn who_wrote_lately_gets_free_text_and_the_template_when_meta_disagrees() {
    let fake = Cloud::start().await;
    let channel = cloud_at(&fake.url, common()).channel;
    let free = Outgoing {
        wrote_lately: true,
        ..message(PHONE, "*Вы записаны!*")
    };
    fake.set_window(true);
    assert_eq!(channel.send(&free).await.as_str(), "accepted");
    fake.set_window(false);
    assert_eq!(channel.send(&free).await.as_str(), "accepted");
    let texts: Vec<String> = fake.sent().into_iter().map(|s| s.text).collect();
    assert_eq!(
        texts,
        [
            "*Вы записаны!*",
            "booking_created/ru: 21 августа | Стрижка; Укладка"
        ]
    );
    // A broken connection is no refusal: nothing goes out in its place.
    fake.answer_next(Answer::Drop { taken: true });
    assert_eq!(channel.send(&free).await.as_str(), "uncertain");
    assert_eq!(fake.sent().len(), 3);
    assert_eq!(fake.count("messages"), 4);
}

#[tokio::test]
async fn a_probe_asks_for_the_number() {
    let fake = Cloud::start().await;
    let channel = cloud_at(&fake.url, common()).channel;
    assert_eq!(channel.probe().await, Ok(()));
    assert_eq!(fake.requests()[0].query, "fields=id");
    let other = cloud_at(&fake.url.replace("/v26.0", "/v1"), common());
    assert_eq!(
        other.channel.probe().await,
        Err("HTTP 400: (100) Unsupported request".into())
    );
    assert_eq!(
        other.channel.template_gaps().await,
        Err("HTTP 400: (100) Unsupported request".into())
    );
}

/// What is wrong with the one template of the settings, which gives two parameters.
async fn gap(channel: &Arc<dyn Channel>) -> Option<Gap> {
    let mut gaps = channel.template_gaps().await.unwrap();
    assert!(gaps.len() <= 1, "{gaps:?}");
    let gap = gaps.pop()?;
    assert_eq!(
        (gap.kind.as_str(), gap.name.as_str(), gap.language.as_str()),
        ("created", "booking_created", "ru")
    );
    Some(gap.what)
}

#[tokio::test]
async fn the_templates_that_are_approved_are_held_against_the_settings() {
    let fake = Cloud::start().await;
    let channel = cloud_at(&fake.url, common()).channel;
    let template = |status: &str, text: &str| {
        json!({
            "name": "booking_created",
            "language": "ru",
            "status": status,
            "category": "UTILITY",
            "components": [
                {"type": "HEADER", "format": "TEXT", "text": "Салон"},
                {"type": "BODY", "text": text},
                {"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://a.example"}]},
            ],
        })
    };
    let good = template("APPROVED", "Вы записаны на {{1}}: {{2}}. Ждём {{1}}");
    let changed = |path: &str, value: Value| {
        let mut template = good.clone();
        *template.pointer_mut(path).unwrap() = value;
        template
    };
    for (template, expected) in [
        (good.clone(), None),
        (
            template("PAUSED", "{{1}} {{2}}"),
            Some(Gap::Status("PAUSED".into())),
        ),
        (
            template("APPROVED", "{{1}}"),
            Some(Gap::Parameters { takes: 1, gives: 2 }),
        ),
        (
            template("APPROVED", "Вы записаны на {{date}}: {{what}}"),
            Some(Gap::Named),
        ),
        (
            template(
                "APPROVED",
                &format!("{} {{{{1}}}} {{{{2}}}}.", "я".repeat(400)),
            ),
            Some(Gap::Long(413)),
        ),
        (
            changed("/language", json!("en")),
            Some(Gap::Language("en".into())),
        ),
        (
            changed("/category", json!("MARKETING")),
            Some(Gap::Category("MARKETING".into())),
        ),
        (
            changed("/components/0/text", json!("Салон {{1}}")),
            Some(Gap::Elsewhere),
        ),
        (
            changed("/components/0/format", json!("IMAGE")),
            Some(Gap::Elsewhere),
        ),
        (
            changed(
                "/components/2/buttons/0/url",
                json!("https://a.example/{{1}}"),
            ),
            Some(Gap::Elsewhere),
        ),
        (changed("/name", json!("other")), Some(Gap::Missing)),
    ] {
        // The list comes page by page.
        fake.set_templates(json!([{"name": "hello", "language": "ru"}, template]));
        assert_eq!(gap(&channel).await, expected);
    }
    assert_eq!(fake.sent().len(), 0);
}

async fn heard(receiver: &Arc<dyn Receiver>) -> Option<Incoming> {
    let received = receiver.receive(Duration::from_secs(1)).await.unwrap()?;
    receiver.acknowledge(&received.receipt).await.unwrap();
    Some(received.what)
}

fn status(id: &str, status: Receipt) -> Option<Incoming> {
    Some(Incoming::Status {
        message_id: id.into(),
        status,
        why: None,
        hidden_chat: None,
    })
}

#[tokio::test]
async fn statuses_are_asked_for_message_by_message() {
    let fake = Cloud::start().await;
    let receiver = cloud_at(&fake.url, common()).receiver.unwrap();
    assert!(receiver.asks_by_id());
    fake.set_status("wamid.1", "SENT");
    fake.set_status("wamid.2", "DELIVERED");
    fake.set_status("wamid.3", "READ");
    receiver.follow(vec![
        ("wamid.3".into(), Receipt::Delivered),
        ("wamid.2".into(), Receipt::Sent),
        ("wamid.1".into(), Receipt::Sent),
    ]);
    assert_eq!(heard(&receiver).await, status("wamid.3", Receipt::Read));
    assert_eq!(
        heard(&receiver).await,
        status("wamid.2", Receipt::Delivered)
    );
    assert_eq!(heard(&receiver).await, None, "the third is only sent");
    assert_eq!(fake.count("message_history"), 3);

    // What is known already is no news, and after a restart it is known from the database.
    let restarted = cloud_at(&fake.url, common()).receiver.unwrap();
    restarted.follow(vec![("wamid.2".into(), Receipt::Delivered)]);
    assert_eq!(heard(&restarted).await, None);
}

#[tokio::test]
async fn a_history_that_does_not_answer_is_left_in_peace() {
    let fake = Cloud::start().await;
    fake.keep_no_history();
    let receiver = cloud_at(&fake.url, common()).receiver.unwrap();
    receiver.follow(vec![
        ("wamid.1".into(), Receipt::Sent),
        ("wamid.2".into(), Receipt::Sent),
    ]);
    assert_eq!(heard(&receiver).await, None);
    assert_eq!(heard(&receiver).await, None);
    assert_eq!(fake.count("message_history"), 1);
}
