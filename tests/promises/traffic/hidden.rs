//! WhatsApp's hidden ids (`…@lid`): whose a chat is, and that a stranger's is nobody's.

use serde_json::{Value, json};

use super::OWNER;
use crate::support::world::{World, haircut};

const CHAT: &str = "100000000000001@lid";

fn words(text: &str) -> Value {
    json!({"typeMessage": "textMessage", "textMessageData": {"textMessage": text}})
}

fn incoming(id: &str, sender: Value, data: &Value) -> Value {
    json!({
        "typeWebhook": "incomingMessageReceived",
        "timestamp": 1_787_300_000,
        "idMessage": id,
        "senderData": sender,
        "messageData": data,
    })
}

fn stored(world: &World) -> Vec<String> {
    world.rows("SELECT chat_id, phone, text FROM messages WHERE direction = 'inbound' ORDER BY id")
}

fn contacts(world: &World) -> Vec<String> {
    world.rows("SELECT chat_id, phone FROM contacts WHERE channel = 'whatsapp' ORDER BY id")
}

#[tokio::test]
async fn a_phone_that_the_provider_names_stays_known_for_the_chat() {
    let mut world = World::watching_with("", OWNER).await;
    let sender = json!({"chatId": CHAT, "sender": CHAT, "senderPhoneNumber": 79_000_000_001_u64});
    world.green.push(incoming("3EB01", sender, &words("да")));
    world.receive().await;
    world.restart().await;
    world.green.push_message(CHAT, &words("буду"));
    world.receive().await;
    assert_eq!(contacts(&world), [format!("{CHAT}|+79000000001")]);
    let said = |text: &str| format!("{CHAT}|+79000000001|{text}");
    assert_eq!(stored(&world), [said("да"), said("буду")]);
}

#[tokio::test]
async fn a_sender_under_a_phone_in_a_hidden_chat_is_its_member() {
    let world = World::watching_with("", OWNER).await;
    let sender = json!({"chatId": CHAT, "sender": "79000000001@c.us"});
    world.green.push(incoming("3EB01", sender, &words("да")));
    world.receive().await;
    assert_eq!(contacts(&world), [format!("{CHAT}|+79000000001")]);
}

#[tokio::test]
async fn an_unknown_hidden_chat_is_nobodys_and_its_words_reach_the_owner() {
    let world = World::watching_with("recent_activity = \"10m\"", OWNER).await;
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    // Its own digits in place of a phone are no phone.
    let sender =
        json!({"chatId": CHAT, "sender": CHAT, "senderPhoneNumber": 100_000_000_000_001_u64});
    world.green.push(incoming("3EB01", sender, &words("стоп")));
    world.green.push_message(CHAT, &words("кто вы?"));
    world.receive().await;
    world.turn().await;
    assert_eq!(contacts(&world), [format!("{CHAT}|")]);
    assert_eq!(
        stored(&world),
        [format!("{CHAT}||стоп"), format!("{CHAT}||кто вы?")]
    );
    assert_eq!(
        world.rows("SELECT phone FROM opt_outs"),
        Vec::<String>::new()
    );
    assert!(
        world.owner_told().iter().any(|t| t.contains("«кто вы?»")),
        "{:?}",
        world.owner_told()
    );
    // Nobody else is taken to have written.
    world.salon.book(haircut("2026-08-24T14:30:00"));
    world.tell().await;
    assert!(world.told().iter().any(|t| t.contains("24 августа")));
}

#[tokio::test]
async fn a_receipt_tells_whose_the_hidden_chat_is_that_our_message_went_to() {
    let world = World::watching_with("", OWNER).await;
    // They asked for silence before anybody knew who they are.
    world.green.push_message(CHAT, &words("стоп"));
    world.receive().await;
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    let id = world
        .green
        .sent()
        .iter()
        .find(|s| s.chat == "79000000001@c.us")
        .unwrap()
        .id
        .clone();
    world.green.push(json!({
        "typeWebhook": "outgoingMessageStatus",
        "chatId": CHAT,
        "timestamp": 1_787_300_000,
        "idMessage": id,
        "status": "delivered",
        "sendByApi": true,
    }));
    world.receive().await;
    assert_eq!(contacts(&world), [format!("{CHAT}|+79000000001")]);
    assert_eq!(stored(&world), [format!("{CHAT}|+79000000001|стоп")]);
    assert_eq!(world.rows("SELECT phone FROM opt_outs"), ["+79000000001"]);
    assert_eq!(world.decisions().last().unwrap(), "created|delivered|");
    world.salon.book(haircut("2026-08-24T14:30:00"));
    world.tell().await;
    assert_eq!(
        world.decisions().last().unwrap(),
        "created|suppressed|opted_out"
    );
}

#[tokio::test]
async fn an_answer_that_quotes_our_message_is_its_recipients() {
    let world = World::watching_with("", OWNER).await;
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    let id = world.green.sent()[0].id.clone();
    let quoting = |stanza: &str, text: &str| {
        json!({
            "typeMessage": "quotedMessage",
            "extendedTextMessageData": {"text": text},
            "quotedMessage": {"stanzaId": stanza, "participant": "79000000009@c.us"},
        })
    };
    world
        .green
        .push_message("100000000000002@lid", &quoting("SOMEBODYS", "нет"));
    world.green.push_message(CHAT, &quoting(&id, "приду"));
    world.receive().await;
    assert_eq!(
        contacts(&world),
        [
            "100000000000002@lid|".to_owned(),
            format!("{CHAT}|+79000000001")
        ]
    );
}

#[tokio::test]
async fn what_is_known_of_a_hidden_chat_is_not_unlearnt_by_a_receipt() {
    let world = World::watching_with("", OWNER).await;
    let sender = json!({"chatId": CHAT, "senderPhoneNumber": "+79000000002"});
    world.green.push(incoming("3EB01", sender, &words("да")));
    world.receive().await;
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    let id = world.green.sent()[0].id.clone();
    world.green.push(json!({
        "typeWebhook": "outgoingMessageStatus",
        "chatId": CHAT,
        "idMessage": id,
        "status": "sent",
    }));
    world.receive().await;
    assert_eq!(contacts(&world), [format!("{CHAT}|+79000000002")]);
}
