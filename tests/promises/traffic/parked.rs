//! A channel that is out of order: what waits for it, what leaves it, and how soon it is back.

use super::{OWNER, statuses, world_with_two_ways};
use crate::support::fake::Answer;
use crate::support::world::{SALON, World, at, haircut};

async fn later(world: &World, span: &str) {
    world.advance(span);
    world.poll().await;
    world.turn().await;
}

#[tokio::test]
async fn a_message_leaves_a_channel_that_is_parked_for_a_quarter_of_an_hour() {
    let (world, gateway) = world_with_two_ways("", OWNER).await;
    world.green.set_state("notAuthorized");
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    later(&world, "14m").await;
    assert_eq!(gateway.sent().len(), 0);
    later(&world, "1m").await;
    assert_eq!(gateway.sent().len(), 1);
    // The row is the same, and it is told once.
    assert_eq!(
        world.rows("SELECT id, kind, channel, status FROM booking_notifications WHERE phone <> ''"),
        ["1|created|gateway|sent"]
    );
    let attempts = world.rows(
        "SELECT channel, outcome FROM delivery_attempts WHERE notification_id = 1 ORDER BY attempt",
    );
    assert_eq!(attempts.first().unwrap(), "whatsapp|channel_down");
    assert_eq!(attempts.last().unwrap(), "gateway|accepted");
    world.green.push_state("authorized");
    world.receive().await;
    later(&world, "5m").await;
    assert_eq!((world.told().len(), gateway.sent().len()), (0, 1));
    // News that comes while it is parked need not wait at all.
    world.green.push_state("notAuthorized");
    world.receive().await;
    world.salon.book(haircut("2026-08-24T14:30:00"));
    world.tell().await;
    later(&world, "20m").await;
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    assert_eq!(gateway.sent().len(), 3);
}

#[tokio::test]
async fn news_of_a_visit_within_three_hours_leaves_a_parked_channel_at_once() {
    let (world, gateway) = world_with_two_ways("", OWNER).await;
    world.green.set_state("notAuthorized");
    // In two hours and a half, and in three and a half.
    world.salon.book(haircut("2026-08-20T14:30:00"));
    world
        .salon
        .book(haircut("2026-08-20T15:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    let chats: Vec<String> = gateway.sent().into_iter().map(|s| s.chat).collect();
    assert_eq!(chats, ["79000000001@c.us"]);
    assert_eq!(statuses(&world), ["sent", "pending"]);
}

#[tokio::test]
async fn a_visit_that_moves_away_from_the_next_hours_cannot_wait_either() {
    let (world, gateway) = world_with_two_ways("", OWNER).await;
    let record = world.salon.book(haircut("2026-08-20T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    world.green.push_state("notAuthorized");
    world.receive().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-25T14:30:00"));
    world.tell().await;
    assert_eq!(gateway.sent().len(), 1);
}

#[tokio::test]
async fn what_may_have_left_a_channel_goes_over_no_other() {
    let (world, gateway) = world_with_two_ways("on_uncertain = \"resend\"", OWNER).await;
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: true });
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    world.green.push_state("notAuthorized");
    world.receive().await;
    world.give_up_searching().await;
    later(&world, "61s").await;
    later(&world, "20m").await;
    later(&world, "20m").await;
    assert_eq!(statuses(&world), ["pending"]);
    assert_eq!((world.told().len(), gateway.sent().len()), (1, 0));
}

#[tokio::test]
async fn where_every_channel_is_parked_messages_stay() {
    let (world, gateway) = world_with_two_ways("", OWNER).await;
    world.green.set_state("notAuthorized");
    gateway.set_state("SCAN_QR_CODE");
    gateway.answer_next(Answer::http(
        422,
        r#"{"error":"Session status is not as expected","status":"SCAN_QR_CODE"}"#,
    ));
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    later(&world, "15m").await;
    later(&world, "15m").await;
    assert_eq!(
        world.rows("SELECT channel, status FROM booking_notifications WHERE phone <> ''"),
        ["gateway|pending"]
    );
    // Whichever is back first takes it, also one that it had left.
    world.green.set_state("authorized");
    later(&world, "11s").await;
    later(&world, "11s").await;
    assert_eq!((world.told().len(), gateway.sent().len()), (1, 0));
    gateway.set_state("WORKING");
    later(&world, "10m").await;
    assert_eq!((world.told().len(), gateway.sent().len()), (1, 0));
}

#[tokio::test]
async fn a_channel_that_answers_and_refuses_everything_is_left_as_one_that_does_not_answer() {
    let (world, gateway) = world_with_two_ways("", OWNER).await;
    let exhausted = r#"{"invokeStatus":{"method":"sendmessage","status":"QUOTE_EXCEEDED"}}"#;
    for _ in 0..200 {
        world.green.answer_next(Answer::http(466, exhausted));
    }
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    for _ in 0..5 {
        later(&world, "4m").await;
    }
    assert_eq!((world.told().len(), gateway.sent().len()), (0, 1));
}

#[tokio::test]
async fn an_account_that_cannot_be_asked_for_a_minute_has_not_begun_to_take_messages() {
    let (world, gateway) = world_with_two_ways("", OWNER).await;
    let exhausted = r#"{"invokeStatus":{"method":"sendmessage","status":"QUOTE_EXCEEDED"}}"#;
    for _ in 0..200 {
        world.green.answer_next(Answer::http(466, exhausted));
    }
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    let reboot = async || {
        for state in ["starting", "starting", "authorized", "authorized"] {
            world.green.set_state(state);
            later(&world, "1m").await;
        }
    };
    later(&world, "5m").await;
    reboot().await;
    later(&world, "6m").await;
    // A quarter of an hour after the refusal, not after the reboot.
    assert_eq!(gateway.sent().len(), 1, "{:?}", world.decisions());
    // Nothing is left that could show whether it takes messages.
    reboot().await;
    reboot().await;
    let told = world.owner_told();
    assert_eq!(told.len(), 1, "{told:?}");
    let why = "SELECT last_error FROM channel_states WHERE sick_since IS NOT NULL";
    assert_eq!(world.rows(why), ["HTTP 466: QUOTE_EXCEEDED"]);
}

#[tokio::test]
async fn a_notice_that_the_account_works_again_sends_what_waited_at_once() {
    let world = World::watching_with("", OWNER).await;
    world.green.set_state("notAuthorized");
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    world.green.push_state("authorized");
    world.receive().await;
    world.deliver().await;
    assert_eq!(world.told().len(), 1, "and the clock has not moved");
}

#[tokio::test]
async fn a_channel_is_back_within_ten_seconds_of_its_recovery_without_a_notice() {
    let world = World::watching_with("", OWNER).await;
    world.green.set_state("notAuthorized");
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    later(&world, "8s").await;
    // It recovers right after it was asked.
    world.green.set_state("authorized");
    world.advance("9s");
    world.deliver().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn after_an_outage_only_what_is_still_news_is_told() {
    let world = World::watching_with("", OWNER).await;
    world.green.set_state("notAuthorized");
    let off = world.salon.book(haircut("2026-08-23T14:30:00"));
    let moved = world
        .salon
        .book(haircut("2026-08-24T14:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    later(&world, "2h").await;
    world.salon.cancel(SALON, off);
    for start in ["2026-08-24T16:00:00", "2026-08-24T17:00:00"] {
        world.salon.reschedule(SALON, moved, at(start));
        world.tell().await;
    }
    later(&world, "2h").await;
    world.green.set_state("authorized");
    later(&world, "11s").await;
    later(&world, "11s").await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("✅ *Вы записаны!*\n\n📅 24 августа в 17:00"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_parked_channel_is_not_left_for_one_that_has_no_room_for_strangers() {
    let (mut world, gateway) = world_with_two_ways("", OWNER).await;
    let mut all = world.config.channels.iter_mut();
    all.find(|c| c.name == "gateway")
        .unwrap()
        .new_recipients_per_day = 1;
    world.restart().await;
    world.green.set_state("notAuthorized");
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    later(&world, "15m").await;
    assert_eq!(gateway.sent().len(), 1);
    world
        .salon
        .book(haircut("2026-08-21T15:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    later(&world, "4s").await;
    assert_eq!(
        world.rows("SELECT channel, status FROM booking_notifications WHERE phone <> ''"),
        ["gateway|sent", "whatsapp|pending"]
    );
    let cards = |world: &World| {
        let told = world.owner_told();
        told.iter().filter(|text| text.starts_with('📞')).count()
    };
    assert_eq!(cards(&world), 0, "{:?}", world.owner_told());
    world.green.set_state("authorized");
    later(&world, "11s").await;
    assert_eq!((world.told().len(), gateway.sent().len()), (1, 1));
    assert_eq!(cards(&world), 0);
}

#[tokio::test]
async fn what_left_a_parked_channel_and_reaches_nobody_on_the_next_goes_back() {
    let mut world = World::with("", OWNER).await;
    world.config.companies[0].channels = vec!["whatsapp".into(), "telegram".into()];
    world.restart().await;
    world.poll().await;
    world
        .sql()
        .execute("INSERT INTO contacts (phone, channel, chat_id) VALUES ('+79000000001', 'telegram', '900')", [])
        .unwrap();
    world.telegram.block("900");
    world.green.set_state("notAuthorized");
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    later(&world, "16m").await;
    later(&world, "1m").await;
    world.green.set_state("authorized");
    later(&world, "11s").await;
    later(&world, "11s").await;
    assert_eq!(world.told().len(), 1, "{:?}", world.decisions());
}

#[tokio::test]
async fn what_goes_back_and_reaches_nobody_there_either_is_tried_nowhere_twice() {
    let (mut world, gateway) = world_with_two_ways("", OWNER).await;
    world.write_over(&["whatsapp", "gateway", "telegram"]).await;
    world.poll().await;
    let contact =
        "INSERT INTO contacts (phone, channel, chat_id) VALUES ('+79000000001', 'telegram', '900')";
    world.sql().execute(contact, []).unwrap();
    world.telegram.block("900");
    world.green.set_state("notAuthorized");
    let nobody = r#"{"error":"the number does not exist on whatsapp"}"#;
    gateway.answer_next(Answer::http(400, nobody));
    let absent = "Validation failed. Details: 'chatId' must be one of the following formats";
    world.green.answer_next(Answer::http(400, absent));
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    for _ in 0..20 {
        later(&world, "1m").await;
    }
    world.green.set_state("authorized");
    for _ in 0..6 {
        later(&world, "11s").await;
    }
    let attempts = "SELECT channel, outcome FROM delivery_attempts
                     WHERE notification_id = 1 AND outcome <> 'channel_down' ORDER BY attempt";
    assert_eq!(
        world.rows(attempts),
        [
            "gateway|unreachable",
            "telegram|unreachable",
            "whatsapp|unreachable"
        ]
    );
    assert_eq!(statuses(&world), ["dead"]);
}

#[tokio::test]
async fn what_may_have_left_a_channel_goes_over_no_other_when_that_one_is_configured_no_more() {
    let (mut world, gateway) = world_with_two_ways("on_uncertain = \"resend\"", OWNER).await;
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: true });
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    for _ in 0..11 {
        later(&world, "60s").await;
        if statuses(&world) == ["pending"] {
            break;
        }
    }
    assert_eq!(statuses(&world), ["pending"]);
    world.config.channels.retain(|c| c.name != "whatsapp");
    world.write_over(&["gateway"]).await;
    later(&world, "1m").await;
    later(&world, "10m").await;
    assert_eq!(gateway.sent().len(), 0, "{:?}", statuses(&world));
    assert_eq!(statuses(&world), ["uncertain"]);
}

#[tokio::test]
async fn what_waits_for_a_channel_that_its_salon_writes_over_no_more_takes_the_present_one() {
    let (mut world, gateway) = world_with_two_ways("quiet_hours = \"21:30-09:00\"", OWNER).await;
    world.write_over(&["whatsapp"]).await;
    // 22:00 in Moscow.
    world.advance("10h");
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    assert_eq!(statuses(&world), ["pending"]);
    // The channel stays: other salons write over it, and owners read there.
    world.write_over(&["gateway"]).await;
    later(&world, "12h").await;
    assert_eq!((world.told().len(), gateway.sent().len()), (0, 1));
}

#[tokio::test]
async fn what_died_on_a_channel_that_was_replaced_since_is_sent_again_over_the_new_one() {
    let (mut world, gateway) = world_with_two_ways("", OWNER).await;
    world.write_over(&["whatsapp"]).await;
    let refused = r#"{"message":"Validation failed"}"#;
    world.green.answer_next(Answer::http(400, refused));
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    assert_eq!(statuses(&world), ["dead"]);
    world.config.channels.retain(|c| c.name != "whatsapp");
    world.write_over(&["gateway"]).await;
    world.telegram.push_text(500, "/retry 1");
    world.receive().await;
    later(&world, "1s").await;
    assert_eq!(statuses(&world), ["sent"]);
    assert_eq!(gateway.sent().len(), 1);
}

/// A salon that writes over Telegram, to a client who came to the bot.
async fn world_over_telegram(rest: &str) -> World {
    let mut world = World::with("", &format!("{OWNER}\n{rest}")).await;
    world.write_over(&["telegram"]).await;
    world.poll().await;
    let contact =
        "INSERT INTO contacts (phone, channel, chat_id) VALUES ('+79000000001', 'telegram', '900')";
    world.sql().execute(contact, []).unwrap();
    world
}

/// The salon writes over WhatsApp from now on, and its owner wants the only message in doubt again.
async fn retry_over_whatsapp(world: &mut World) {
    world.write_over(&["whatsapp"]).await;
    let uncertain = world.rows("SELECT id FROM booking_notifications WHERE status = 'uncertain'");
    assert_eq!(uncertain.len(), 1, "{:?}", world.decisions());
    let order = format!("/retry {}", uncertain[0]);
    world.telegram.push_text(500, &order);
    world.receive().await;
    later(world, "1s").await;
}

#[tokio::test]
async fn what_is_repeated_over_another_channel_is_in_the_markup_of_that_one() {
    let mut world = world_over_telegram("notify = { updated = false }").await;
    world.telegram.answer_next(Answer::Drop { taken: true });
    let record = world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    retry_over_whatsapp(&mut world).await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{:?}", world.decisions());
    let head = "✅ *Вы записаны!*\n\n📅 23 августа в 14:30";
    assert!(told[0].starts_with(head), "{told:?}");
    // That was told surely.
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.decisions());
}

#[tokio::test]
async fn a_move_and_a_cancellation_that_are_repeated_over_another_channel_say_what_is_true() {
    let mut world = world_over_telegram("").await;
    let record = world.salon.book(haircut("2026-08-23T14:30:00"));
    let gone = haircut("2026-08-24T14:30:00");
    let gone = world.salon.book(gone);
    world.tell().await;
    later(&world, "1m").await;
    world.telegram.answer_next(Answer::Drop { taken: true });
    world
        .salon
        .reschedule(SALON, record, at("2026-08-23T16:00:00"));
    world.tell().await;
    retry_over_whatsapp(&mut world).await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{:?}", world.decisions());
    assert!(told[0].contains("23 августа в 16:00"), "{told:?}");
    assert!(!told[0].contains("<b>"), "{told:?}");
    assert!(!told[0].contains("24 августа"), "{told:?}");
    world.write_over(&["telegram"]).await;
    world.telegram.answer_next(Answer::Drop { taken: true });
    world.salon.cancel(SALON, gone);
    world.tell().await;
    retry_over_whatsapp(&mut world).await;
    let told = world.told();
    assert_eq!(told.len(), 2, "{:?}", world.decisions());
    assert!(told[1].starts_with("❌ *"), "{told:?}");
    assert!(told[1].contains("24 августа в 14:30"), "{told:?}");
}

#[tokio::test]
async fn a_reminder_that_is_repeated_over_another_channel_is_in_the_markup_of_that_one() {
    let mut world = world_over_telegram("notify = { reminders = [\"24h\"] }").await;
    world.salon.book(haircut("2026-08-24T14:30:00"));
    world.tell().await;
    later(&world, "71h").await;
    world.advance("4h");
    world.poll().await;
    world.telegram.answer_next(Answer::Drop { taken: true });
    world.turn().await;
    retry_over_whatsapp(&mut world).await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{:?}", world.decisions());
    assert!(told[0].starts_with("⏰ *"), "{told:?}");
}
