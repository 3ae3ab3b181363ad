//! Whether a message whose answer was lost can be found again.

use std::sync::Arc;

use booking_monitor::channels::green_api::Flavour;
use booking_monitor::channels::http_gateway::Preset;
use booking_monitor::domain::delivery::Status;
use booking_monitor::domain::journal::find;
use booking_monitor::ports::{Channel, Journaled, Proof};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{
    PHONE, cloud_at, common, gateway_at, green_at, green_with, hurried, send, telegram_at,
};
use crate::support::cloud::Cloud;
use crate::support::fake::{Answer, Desk};
use crate::support::gateway::Gateway;
use crate::support::green_api::GreenApi;
use crate::support::telegram::Telegram;

const TEXT: &str = "*Вы записаны!*\n\n📅 21 августа";

async fn look(channel: &Arc<dyn Channel>) -> Result<Vec<Journaled>, String> {
    let minute = TimeDelta::minutes(1);
    let now = Utc::now();
    channel.look_up(PHONE, now - minute, now + minute).await
}

/// Two messages to the client, and one to somebody else; of the last one to the client the answer
/// is lost.
async fn lose_an_answer(channel: &Arc<dyn Channel>, desk: &Desk) {
    assert_eq!(
        send(channel, PHONE, "другой текст").await.as_str(),
        "accepted"
    );
    let other = send(channel, "+79000000002", TEXT).await;
    assert_eq!(other.as_str(), "accepted");
    desk.answer_next(Answer::Hang { taken: true });
    assert_eq!(send(channel, PHONE, TEXT).await.as_str(), "uncertain");
}

fn found<'a>(listed: &'a [Journaled], desk: &Desk) -> &'a Journaled {
    let lost = desk.sent().pop().unwrap();
    assert_eq!(listed.len(), 2, "two went to this client: {listed:?}");
    let entry = find(listed, TEXT, |_| false).unwrap();
    assert!(entry.id.ends_with(&lost.id), "{entry:?}");
    assert_eq!(entry.at.map(|at| at.timestamp()), Some(lost.stamp));
    entry
}

#[tokio::test]
async fn every_channel_with_a_journal_finds_what_it_sent() {
    let green = GreenApi::start().await;
    let channel = green_at(&green.url, hurried()).channel;
    lose_an_answer(&channel, &green).await;
    let listed = look(&channel).await.unwrap();
    assert_eq!(found(&listed, &green).status, Some(Status::Delivered));

    let max = GreenApi::start_hiding_phones().await;
    let channel = green_with(&max.url, Flavour::Max, hurried()).channel;
    lose_an_answer(&channel, &max).await;
    found(&look(&channel).await.unwrap(), &max);

    for preset in [Preset::Waha, Preset::Evolution, Preset::WppConnect] {
        let fake = Gateway::start().await;
        let channel = gateway_at(&fake.url, preset, hurried()).channel;
        lose_an_answer(&channel, &fake).await;
        found(&look(&channel).await.unwrap(), &fake);
    }
}

#[tokio::test]
async fn a_channel_without_a_journal_says_that_it_knows_nothing() {
    let (telegram, cloud, gateway) = (
        Telegram::start().await,
        Cloud::start().await,
        Gateway::start().await,
    );
    for built in [
        telegram_at(&telegram.url, common()),
        cloud_at(&cloud.url, common()),
        gateway_at(&gateway.url, Preset::Wazzup, common()),
        gateway_at(&gateway.url, Preset::None, common()),
    ] {
        assert_ne!(built.channel.proof(), Proof::Journal);
        assert!(look(&built.channel).await.is_err());
    }
    assert_eq!(gateway.requests().len(), 0);
}

#[tokio::test]
async fn green_apis_queue_shows_what_the_journal_does_not_show_yet() {
    let fake = GreenApi::start().await;
    let channel = green_at(&fake.url, common()).channel;
    assert_eq!(send(&channel, PHONE, TEXT).await.as_str(), "accepted");
    let id = fake.sent()[0].id.clone();

    fake.hide(&[&id], true);
    let listed = look(&channel).await.unwrap();
    assert_eq!(
        listed,
        [Journaled {
            id,
            text: TEXT.into(),
            at: None,
            status: None
        }]
    );
    fake.hide(&[&fake.sent()[0].id], false);
    assert_eq!(look(&channel).await, Ok(vec![]));
}

#[tokio::test]
async fn a_look_that_failed_is_not_an_empty_one() {
    let fake = GreenApi::start().await;
    let channel = green_at(&fake.url, common()).channel;
    fake.blind(1);
    assert_eq!(
        look(&channel).await,
        Err("HTTP 500: Internal Server Error".into())
    );
    assert_eq!(look(&channel).await, Ok(vec![]));

    for preset in [Preset::Waha, Preset::Evolution, Preset::WppConnect] {
        let fake = Gateway::start().await;
        let channel = gateway_at(&fake.url, preset, common()).channel;
        assert_eq!(look(&channel).await, Ok(vec![]));
        assert_eq!(send(&channel, PHONE, TEXT).await.as_str(), "accepted");
        fake.be_endless();
        assert_eq!(
            look(&channel).await,
            Err("the list is longer than what can be read".into()),
            "{preset:?}"
        );
    }
    for channel in [
        green_at("http://127.0.0.1:1", common()).channel,
        gateway_at("http://127.0.0.1:1", Preset::Evolution, common()).channel,
    ] {
        let said = look(&channel).await.unwrap_err();
        assert!(said.starts_with("cannot connect"), "{said}");
        assert!(!said.contains("CANARY") && !said.contains("waInstance"));
    }
}

#[tokio::test]
async fn what_a_person_typed_and_what_is_too_old_is_not_ours() {
    let fake = GreenApi::start().await;
    let channel = green_at(&fake.url, common()).channel;
    let entry = |id: &str, by_us: bool, at: DateTime<Utc>, chat: &str| {
        json!({
            "type": "outgoing",
            "idMessage": id,
            "timestamp": at.timestamp(),
            "statusMessage": "sent",
            "sendByApi": by_us,
            "typeMessage": "extendedTextMessage",
            "chatId": chat,
            "extendedTextMessage": {"text": TEXT},
        })
    };
    let (now, ours) = (Utc::now(), "79000000001@c.us");
    fake.journal(entry("typed", false, now, ours));
    fake.journal(entry("old", true, now - TimeDelta::minutes(2), ours));
    fake.journal(entry("others", true, now, "79000000002@c.us"));
    fake.journal(entry("group", true, now, "120363000000000000@g.us"));
    fake.journal(entry("hidden", true, now, "100000000000001@lid"));
    let listed = look(&channel).await.unwrap();
    let ids: Vec<&str> = listed.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids, ["hidden"]);
    assert_eq!(listed[0].status, Some(Status::Sent));
}

#[tokio::test]
async fn people_under_hidden_ids_are_found_by_their_text() {
    for preset in [Preset::Waha, Preset::Evolution] {
        let fake = Gateway::start().await;
        let channel = gateway_at(&fake.url, preset, common()).channel;
        assert_eq!(send(&channel, PHONE, TEXT).await.as_str(), "accepted");
        fake.hide_phones();
        let listed = look(&channel).await.unwrap();
        assert!(find(&listed, TEXT, |_| false).is_some(), "{preset:?}");
    }
}

#[tokio::test]
async fn an_engine_without_a_list_of_all_chats_is_asked_for_the_one() {
    let fake = Gateway::start().await;
    fake.list_chat_by_chat();
    let channel = gateway_at(&fake.url, Preset::Waha, hurried()).channel;
    lose_an_answer(&channel, &fake).await;
    found(&look(&channel).await.unwrap(), &fake);
}
