//! Green API beyond WhatsApp: official WhatsApp, MAX, Telegram; and what an instance is watched for.

use std::time::Duration;

use booking_monitor::channels::green_api::Flavour;
use booking_monitor::domain::delivery::Outcome;
use booking_monitor::ports::{Concern, Gap, Incoming, Markup, Outgoing, Proof};
use serde_json::json;

use super::{PHONE, common, green_at, green_with, message, next, send};
use crate::support::fake::Answer;
use crate::support::green_api::GreenApi;

#[tokio::test]
async fn official_whatsapp_sends_the_template_unless_the_client_wrote_lately() {
    let fake = GreenApi::start().await;
    let built = green_with(&fake.url, Flavour::Waba, common());
    assert_eq!(
        send(&built.channel, PHONE, "*Вы записаны!*").await.as_str(),
        "accepted"
    );
    let free = Outgoing {
        wrote_lately: true,
        ..message(PHONE, "*Вы записаны!*")
    };
    assert_eq!(built.channel.send(&free).await.as_str(), "accepted");
    let sent = fake.sent();
    assert_eq!(
        sent[0].text,
        r#""booking_created" ["21 августа","Стрижка; Укладка"]"#
    );
    assert_eq!(sent[1].text, "*Вы записаны!*");
    let copy = Outgoing {
        brief: None,
        ..message(PHONE, "текст")
    };
    assert_eq!(built.channel.send(&copy).await.as_str(), "refused");
    assert_eq!(fake.sent().len(), 2);
    // Its journal has the template's words: looking for ours there would find nothing.
    assert_eq!(built.channel.proof(), Proof::Nothing);
    assert!(built.channel.is_robot() && built.channel.hears_replies());
    let mut deaf = common();
    deaf.receive = false;
    let deaf = green_with(&fake.url, Flavour::Waba, deaf);
    assert!(!deaf.channel.hears_replies());
}

#[tokio::test]
async fn max_and_telegram_exchange_a_phone_for_a_chat_once() {
    for (flavour, name) in [(Flavour::Max, "MAX"), (Flavour::Telegram, "Telegram")] {
        let fake = GreenApi::start_hiding_phones().await;
        let built = green_with(&fake.url, flavour, common());
        for text in ["раз", "два"] {
            assert_eq!(send(&built.channel, PHONE, text).await.as_str(), "accepted");
        }
        // A reply goes to the chat it came from.
        assert_eq!(
            send(&built.channel, "10000002", "три").await.as_str(),
            "accepted"
        );
        let chats: Vec<String> = fake.sent().into_iter().map(|s| s.chat).collect();
        assert_eq!(chats, ["10000001", "10000001", "10000002"]);
        assert_eq!(fake.count("checkAccount"), 1);
        assert_eq!(built.channel.markup(), Markup::Plain);
        assert_eq!(built.channel.messenger(), Some(name));
        assert_eq!(built.channel.proof(), Proof::Journal);
        assert!(built.channel.hears_replies() && !built.channel.is_robot());
    }
}

#[tokio::test]
async fn a_phone_without_an_account_is_unreachable_and_gets_no_message() {
    let fake = GreenApi::start_hiding_phones().await;
    let channel = green_with(&fake.url, Flavour::Max, common()).channel;
    fake.has_no_account("79000000001");
    let outcome = send(&channel, PHONE, "текст").await;
    assert_eq!(
        outcome,
        Outcome::Unreachable {
            why: "no account with this phone".into()
        }
    );
    assert_eq!(fake.count("sendMessage"), 0);
}

#[tokio::test]
async fn an_instance_that_exchanges_no_phones_gets_them_as_they_are() {
    // It answers 404 to `checkAccount`.
    let fake = GreenApi::start().await;
    let channel = green_with(&fake.url, Flavour::Telegram, common()).channel;
    assert_eq!(send(&channel, PHONE, "текст").await.as_str(), "accepted");
    assert_eq!(fake.sent()[0].chat, "79000000001@c.us");
}

#[tokio::test]
async fn each_messenger_has_its_own_longest_text() {
    for (flavour, longest) in [(Flavour::Max, 4000), (Flavour::Telegram, 4096)] {
        let fake = GreenApi::start_hiding_phones().await;
        let channel = green_with(&fake.url, flavour, common()).channel;
        let outcome = send(&channel, PHONE, &"я".repeat(longest + 1)).await;
        assert_eq!(outcome.as_str(), "refused", "{outcome:?}");
        assert_eq!(fake.requests().len(), 0);
        let fits = send(&channel, PHONE, &"я".repeat(longest)).await;
        assert_eq!(fits.as_str(), "accepted", "{fits:?}");
    }
}

#[tokio::test]
async fn a_chat_id_is_taken_for_a_phone_only_where_it_is_one() {
    let fake = GreenApi::start_hiding_phones().await;
    let built = green_with(&fake.url, Flavour::Max, common());
    let receiver = built.receiver.unwrap();
    let data = json!({"typeMessage": "textMessage", "textMessageData": {"textMessage": "да"}});
    fake.push_message("10000001", &data);
    let Some(Incoming::Text { phone, chat_id, .. }) = next(&receiver).await else {
        panic!("no text");
    };
    assert_eq!((phone, chat_id.as_str()), (None, "10000001"));

    fake.push(json!({
        "typeWebhook": "incomingMessageReceived",
        "timestamp": 1_787_300_000,
        "idMessage": "IN9",
        "senderData": {"chatId": "10000005", "senderPhoneNumber": 79_000_000_001_u64},
        "messageData": data,
    }));
    let Some(Incoming::Text { phone, .. }) = next(&receiver).await else {
        panic!("no text");
    };
    assert_eq!(phone.as_deref(), Some("79000000001"));
    // What a person's own message showed need not be asked for.
    assert_eq!(
        send(&built.channel, PHONE, "текст").await.as_str(),
        "accepted"
    );
    assert_eq!(fake.sent()[0].chat, "10000005");
    assert_eq!(fake.count("checkAccount"), 0);

    fake.push_message("-10000000", &data);
    assert!(matches!(
        next(&receiver).await,
        Some(Incoming::Other { .. })
    ));
}

#[tokio::test]
async fn a_yellow_card_parks_the_instance_also_when_a_message_shows_it_first() {
    let fake = GreenApi::start().await;
    let built = green_at(&fake.url, common());
    assert_eq!(
        send(&built.channel, PHONE, "текст").await.as_str(),
        "accepted"
    );
    fake.set_state("yellowCard");
    fake.push_status("BAE51", "yellowCard");
    assert!(next(&built.receiver.unwrap()).await.is_some());
    let outcome = send(&built.channel, PHONE, "в никуда").await;
    assert_eq!(
        outcome,
        Outcome::ChannelDown {
            why: "the account is yellowCard: WhatsApp throttles this number; let it rest for some \
                  days, then reboot the instance"
                .into()
        }
    );
    assert_eq!(fake.sent().len(), 1);
}

#[tokio::test]
async fn a_used_up_tariff_is_a_concern_however_it_shows() {
    let fake = GreenApi::start().await;
    let channel = green_at(&fake.url, common()).channel;
    let quota = json!({"correspondentsStatus": {"status": "CORRESPONDENTS_QUOTE_EXCEEDED"}});
    fake.answer_next(Answer::http(466, &quota.to_string()));
    assert_eq!(send(&channel, PHONE, "текст").await.as_str(), "unreachable");
    assert_eq!(channel.concern(), Some(Concern::Tariff));

    let built = green_at(&fake.url, common());
    assert_eq!(built.channel.concern(), None);
    fake.push(json!({
        "typeWebhook": "quotaExceeded",
        "quotaData": {"method": "correspondents", "status": "CORRESPONDENTS_QUOTA_EXCEEDED"},
    }));
    assert!(next(&built.receiver.unwrap()).await.is_some());
    assert_eq!(built.channel.concern(), Some(Concern::Tariff));
}

#[tokio::test]
async fn a_long_queue_at_the_provider_holds_messages_here_until_it_is_shorter() {
    let fake = GreenApi::start().await;
    fake.set_waiting(49);
    let channel = green_at(&fake.url, common()).channel;
    assert_eq!(channel.probe().await, Ok(()));
    assert_eq!(send(&channel, PHONE, "раз").await.as_str(), "accepted");
    assert_eq!(fake.count("getMessagesCount"), 1, "asked for once a minute");

    fake.set_waiting(50);
    let channel = green_at(&fake.url, common()).channel;
    let outcome = send(&channel, PHONE, "два").await;
    assert_eq!(
        outcome,
        Outcome::ChannelDown {
            why: "50 messages wait in Green API's own queue".into()
        }
    );
    assert_eq!(fake.count("sendMessage"), 1);
    fake.set_waiting(12);
    assert_eq!(channel.probe().await, Ok(()));
    assert_eq!(send(&channel, PHONE, "два").await.as_str(), "accepted");
}

#[tokio::test]
async fn a_check_names_settings_by_which_nothing_is_received() {
    let fake = GreenApi::start().await;
    let built = green_at(&fake.url, common());
    assert_eq!(built.channel.inspect().await, Vec::<String>::new());
    fake.set_settings(json!({
        "webhookUrl": "https://crm.example/hook",
        "incomingWebhook": "no",
        "outgoingWebhook": "yes",
        "stateWebhook": "no",
    }));
    assert_eq!(
        built.channel.inspect().await,
        [
            "the instance has a webhookUrl: it gives nothing to those who ask; clear it, or set receive = false",
            "incomingWebhook of the instance is off; switch it on",
            "stateWebhook of the instance is off; switch it on",
        ]
    );
    let mut deaf = common();
    deaf.receive = false;
    deaf.client.timeout = Duration::from_secs(5);
    let deaf = green_at(&fake.url, deaf);
    assert_eq!(deaf.channel.inspect().await, Vec::<String>::new());
}

#[tokio::test]
async fn official_templates_are_known_by_their_id() {
    let fake = GreenApi::start().await;
    let channel = green_with(&fake.url, Flavour::Waba, common()).channel;
    let template = |id: &str, submitted: &str| {
        json!([{
            "id": id,
            "elementName": "booking_created",
            "languageCode": "ru",
            "status": "APPROVED",
            "category": "UTILITY",
            "templateType": "TEXT",
            "data": "Вы записаны на {{1}}: {{2}}. | [Сайт,https://a.example/{{1}}]",
            "containerMeta": submitted,
        }])
    };
    let whole = r#"{"data": "Вы записаны на {{1}}: {{2}}.", "header": "Салон"}"#;
    let button = r#"{"data": "На {{1}}: {{2}}.", "buttons": [{"url": "https://a.example/{{1}}"}]}"#;
    for (templates, expected) in [
        (template("booking_created", whole), vec![]),
        (template("booking_created", ""), vec![]),
        (template("booking_created", button), vec![Gap::Elsewhere]),
        (
            template("51eddb1e", whole),
            vec![Gap::Id("51eddb1e".into())],
        ),
        (json!([]), vec![Gap::Missing]),
    ] {
        fake.set_templates(templates);
        let gaps = channel.template_gaps().await.unwrap();
        let gaps: Vec<Gap> = gaps.into_iter().map(|gap| gap.what).collect();
        assert_eq!(gaps, expected);
    }
    // A person's account has none.
    let personal = green_at(&fake.url, common()).channel;
    assert_eq!(personal.template_gaps().await, Ok(Vec::new()));
}
