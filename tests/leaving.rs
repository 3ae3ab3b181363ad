//! What leaves is true when it leaves, and what never leaves stays to be told.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use booking_monitor::demo::salon::{BookingDraft, Route};
use support::dialogue::*;
use support::fake::Answer;
use support::world::{PHONE, SALON, World, at, haircut};

/// The next message waits for an hour, and so does everything behind it.
fn block_for_an_hour(world: &World) {
    let answer = Answer::http(429, "Too Many Requests").with_header("Retry-After", "3600");
    world.green.answer_next(answer);
}

fn replies(world: &World) -> Vec<String> {
    world.rows(
        "SELECT status, coalesce(reason, '') FROM booking_notifications WHERE kind = 'reply'
          ORDER BY id",
    )
}

fn cards(world: &World) -> Vec<String> {
    let mut told = world.owner_told();
    told.retain(|text| text.contains("ответ до клиента не дошёл"));
    told
}

#[tokio::test]
async fn nobody_is_awaited_at_a_booking_that_was_taken_off_meanwhile() {
    let (world, records) = told_of(WRITES, ONE).await;
    remind(&world, records[0]);
    block_for_an_hour(&world);
    say(&world, PHONE, "1").await;
    assert_eq!(journal(&world, &records), "confirmed");
    // The salon takes it off while the answer waits, and nobody polls before its turn comes.
    world.salon.cancel(SALON, records[0]);
    world.advance("1h");
    world.turn().await;
    world.advance("31s");
    world.turn().await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("❌"), "{told:?}");
    assert_eq!(replies(&world), ["suppressed|superseded"]);
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn nobody_is_awaited_at_the_time_that_a_booking_was_moved_from() {
    let (world, records) = told_of(WRITES, ONE).await;
    remind(&world, records[0]);
    block_for_an_hour(&world);
    say(&world, PHONE, "1").await;
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-22T16:00:00"));
    world.advance("1h");
    world.turn().await;
    world.advance("31s");
    world.turn().await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("🔄"), "{told:?}");
    assert_eq!(replies(&world), ["suppressed|superseded"]);
}

#[tokio::test]
async fn nobody_is_awaited_at_a_visit_that_has_begun_and_the_owner_reads_who_was_not_answered() {
    let (world, records) = told_of(WRITES, &["2026-08-20T12:45:00"]).await;
    remind(&world, records[0]);
    block_for_an_hour(&world);
    say(&world, PHONE, "1").await;
    world.advance("1h");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(replies(&world), ["suppressed|past"]);
    let cards = cards(&world);
    assert_eq!(cards.len(), 1, "{cards:?}");
    assert!(
        cards[0].contains("Анна, +7 900 000-00-01") && cards[0].contains(CONFIRMED),
        "{cards:?}"
    );
}

#[tokio::test]
async fn what_is_still_true_an_hour_later_is_said() {
    let (world, records) = told_of(WRITES, ONE).await;
    remind(&world, records[0]);
    block_for_an_hour(&world);
    say(&world, PHONE, "1").await;
    world.advance("1h");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told(), [CONFIRMED]);
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn a_list_of_bookings_that_changed_meanwhile_is_not_asked_about() {
    let (world, records) = told_of(CANCELS, TWO).await;
    block_for_an_hour(&world);
    say(&world, PHONE, "отмена").await;
    world
        .salon
        .reschedule(SALON, records[1], at("2026-08-24T16:00:00"));
    world.advance("1h");
    world.turn().await;
    world.advance("31s");
    world.turn().await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("🔄"), "{told:?}");
    // They asked for something, and nobody answered.
    assert_eq!(cards(&world).len(), 1, "{:?}", world.owner_told());
}

#[tokio::test]
async fn an_answer_that_no_journal_proves_is_too_old_in_an_hour() {
    let (world, _) = told_of(CANCELS, ONE).await;
    block_for_an_hour(&world);
    say(&world, PHONE, "перенести").await;
    world.advance("1h");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(replies(&world), ["suppressed|expired"]);
    let cards = cards(&world);
    assert_eq!(cards.len(), 1, "{cards:?}");
    assert!(cards[0].contains(HANDED_ON), "{cards:?}");
}

#[tokio::test]
async fn a_cancellation_whose_answer_is_never_taken_is_told_like_any_other() {
    let (world, records) = told_of(CANCELS, ONE).await;
    world
        .green
        .answer_next(Answer::http(400, "Validation failed"));
    say(&world, PHONE, "отмена").await;
    assert_eq!(journal(&world, &records), "off");
    assert_eq!(replies(&world), ["dead|"]);
    assert_eq!(world.told(), [""; 0]);
    world.tell().await;
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("❌"), "{told:?}");
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn a_cancellation_whose_answer_died_of_age_is_told_like_any_other() {
    let (mut world, records) = told_of(CANCELS, &["2026-08-25T14:30:00"]).await;
    world.green.set_state("notAuthorized");
    // What the gateway said of itself a moment ago counts no more.
    world.restart().await;
    say(&world, PHONE, "отмена").await;
    world.tell().await;
    assert_eq!(journal(&world, &records), "off");
    world.advance("25h");
    world.green.set_state("authorized");
    world.poll().await;
    world.turn().await;
    world.turn().await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("❌"), "{told:?}");
    assert_eq!(replies(&world), ["dead|"]);
    world.tell().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_cancellation_whose_answer_may_have_arrived_is_not_told_again() {
    let (world, _) = told_of(CANCELS, ONE).await;
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: true });
    say(&world, PHONE, "отмена").await;
    world.give_up_searching().await;
    assert_eq!(replies(&world), ["uncertain|"]);
    assert_eq!(world.told(), [CALLED_OFF]);
}

#[tokio::test]
async fn a_yes_whose_answer_is_never_taken_is_the_owners_to_answer() {
    let (world, records) = told_of(WRITES, ONE).await;
    remind(&world, records[0]);
    world
        .green
        .answer_next(Answer::http(400, "Validation failed"));
    say(&world, PHONE, "1").await;
    world.tell().await;
    world.tell().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(cards(&world).len(), 1, "{:?}", world.owner_told());
}

/// A world that asks who wrote before it tells of a new booking: by that a test sees a message on its way.
async fn asking() -> World {
    let mut world = World::with("recent_activity = \"10m\"", OWNED).await;
    for channel in &mut world.config.channels {
        if let booking_monitor::channels::Kind::GreenApi(green) = &mut channel.kind {
            green.common.receive = false;
        }
    }
    world.restart().await;
    world.poll().await;
    world
}
