//! What a Green API instance is watched for: one alert and one word of recovery for each trouble.

use serde_json::json;

use super::{OWNER, statuses, world_with_two_ways};
use crate::support::fake::Answer;
use crate::support::world::{World, haircut};

async fn later(world: &World, span: &str) {
    world.advance(span);
    world.poll().await;
    world.turn().await;
}

const CARD: &str = "⚠️ <b>Не работает канал: WhatsApp</b>\n\
    С 12:00: WhatsApp ограничил номер (yellowCard): его сообщений никто не видит. Дайте номеру \
    отдохнуть несколько дней, потом перезапустите инстанс в кабинете Green API.\n\
    Сообщения клиентам ждут. После починки отправлю те, что не устарели.";

#[tokio::test]
async fn a_yellow_card_is_alerted_once_and_its_end_once() {
    let world = World::watching_with("", OWNER).await;
    world.green.push_state("yellowCard");
    world.receive().await;
    for _ in 0..4 {
        later(&world, "6m").await;
    }
    assert_eq!(world.owner_told(), [CARD]);
    world.green.push_state("authorized");
    world.receive().await;
    for _ in 0..3 {
        later(&world, "6m").await;
    }
    let told = world.owner_told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].starts_with("✅ <b>Канал снова работает: WhatsApp</b>"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_yellow_card_on_a_message_parks_the_channel_and_the_message_takes_the_next() {
    let (world, gateway) = world_with_two_ways("", OWNER).await;
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    let id = world.green.sent()[0].id.clone();
    world.green.set_state("yellowCard");
    world.green.push_status(&id, "yellowCard");
    world.receive().await;
    assert_eq!(
        world.rows("SELECT name FROM channel_states WHERE down_since IS NOT NULL"),
        ["whatsapp"]
    );
    world.turn().await;
    assert_eq!(statuses(&world), ["sent"]);
    assert_eq!((world.told().len(), gateway.sent().len()), (1, 1));
    for _ in 0..3 {
        later(&world, "6m").await;
    }
    assert_eq!(world.owner_told().len(), 1, "{:?}", world.owner_told());
}

#[tokio::test]
async fn a_tariff_that_takes_no_new_people_is_alerted_once_a_day_and_stops_no_other_client() {
    let world = World::watching_with("", OWNER).await;
    world.green.push(json!({
        "typeWebhook": "quotaExceeded",
        "quotaData": {"method": "correspondents", "status": "CORRESPONDENTS_QUOTA_EXCEEDED"},
    }));
    world.receive().await;
    let quota = r#"{"correspondentsStatus":{"status":"CORRESPONDENTS_QUOTE_EXCEEDED"}}"#;
    world.green.answer_next(Answer::http(466, quota));
    world.salon.book(haircut("2026-08-24T14:30:00"));
    world
        .salon
        .book(haircut("2026-08-24T16:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    later(&world, "6m").await;
    assert_eq!(statuses(&world), ["dead", "sent"]);
    assert_eq!(
        world.owner_told(),
        [
            "⚠️ <b>Не отправлено: 1 сообщение: Малаховка</b>\n№ 1: ✅ Вы записаны! · +7 900 000-00-01",
            "⚠️ <b>Тариф исчерпан: WhatsApp</b>\n\
          Green API больше не берёт в этом месяце новых собеседников: новым клиентам сюда не пишу. \
          Остальным пишу как прежде. Тариф меняют в кабинете Green API."
        ]
    );
}

#[tokio::test]
async fn a_long_queue_at_the_provider_holds_messages_here_and_is_reported() {
    let world = World::watching_with("", OWNER).await;
    world.green.set_waiting(80);
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(
        world.rows("SELECT last_error FROM channel_states WHERE name = 'whatsapp'"),
        ["80 messages wait in Green API's own queue"]
    );
    later(&world, "11m").await;
    let told = world.owner_told();
    assert!(
        told[0].contains(
            "в очереди Green API ждут сообщения (80): она стоит или занята чужой рассылкой."
        ),
        "{told:?}"
    );
    world.green.set_waiting(3);
    later(&world, "9s").await;
    assert_eq!(world.told().len(), 1);
    assert!(
        world.owner_told()[1].contains("снова работает"),
        "{:?}",
        world.owner_told()
    );
}
