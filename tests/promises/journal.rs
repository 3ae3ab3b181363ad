//! A send whose answer was lost, on a channel with a journal: found there it was sent, missing there
//! it is sent again; never twice and never not at all.

use crate::support::fake::Answer;
use crate::support::world::{SALON, World, at, haircut};

/// A booking whose message leaves now, with this answer.
async fn send_with(world: &World, answer: Answer) -> i64 {
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    world.green.answer_next(answer);
    world.deliver().await;
    record
}

fn status(world: &World) -> Vec<String> {
    world.rows("SELECT status FROM booking_notifications WHERE phone <> '' ORDER BY id")
}

async fn wait(world: &World, span: &str) {
    world.advance(span);
    world.poll().await;
    world.turn().await;
}

#[tokio::test]
async fn what_the_journal_lists_was_sent_although_the_answer_was_lost() {
    let world = World::watching().await;
    send_with(&world, Answer::Drop { taken: true }).await;
    assert_eq!(status(&world), ["delivered"], "found at once");
    wait(&world, "10m").await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn what_the_journal_lacks_is_sent_again_after_the_grace_and_two_looks_and_not_before() {
    let world = World::watching().await;
    send_with(&world, Answer::Drop { taken: false }).await;
    for _ in 0..4 {
        wait(&world, "30s").await;
        assert_eq!(
            (status(&world)[0].as_str(), world.told().len()),
            ("sending", 0)
        );
    }
    wait(&world, "31s").await;
    assert_eq!(
        (status(&world)[0].as_str(), world.told().len()),
        ("sent", 1)
    );
    assert!(world.green.count("lastOutgoingMessages") >= 2);
}

#[tokio::test]
async fn a_journal_that_lags_doubles_nothing() {
    let world = World::watching().await;
    world.green.hide(&["GREEN0001", "1", "BAE50001"], false);
    send_with(&world, Answer::Drop { taken: true }).await;
    let id = world.green.sent()[0].id.clone();
    world.green.hide(&[id.as_str()], false);
    wait(&world, "60s").await;
    // It shows up only now.
    world.green.hide(&[], false);
    wait(&world, "60s").await;
    wait(&world, "10m").await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(status(&world), ["delivered"]);
}

#[tokio::test]
async fn a_message_in_the_providers_queue_is_on_its_way() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    let ids: Vec<String> = (1..5).map(|n| format!("BAE5{n:04}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    world.green.hide(&ids, true);
    world.green.answer_next(Answer::Drop { taken: true });
    world.deliver().await;
    let id = world.green.sent()[0].id.clone();
    world.green.hide(&[id.as_str()], true);
    wait(&world, "10m").await;
    assert_eq!(world.told().len(), 1, "of record {record}");
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_is_no_empty_one() {
    let world = World::watching().await;
    world.green.blind(3);
    send_with(&world, Answer::Drop { taken: true }).await;
    wait(&world, "100s").await;
    wait(&world, "100s").await;
    assert_eq!(world.told().len(), 1);
    wait(&world, "60s").await;
    wait(&world, "60s").await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(status(&world), ["delivered"]);
}

#[tokio::test]
async fn a_journal_that_stays_shut_leaves_the_decision_to_a_person() {
    let world = World::watching_with("", r#"owner = [{ channel = "telegram", to = "500" }]"#).await;
    world.green.blind(1000);
    send_with(&world, Answer::Drop { taken: false }).await;
    for _ in 0..12 {
        wait(&world, "60s").await;
    }
    assert_eq!(status(&world), ["uncertain"]);
    assert_eq!(world.told().len(), 0);
    let told = world.owner_told();
    assert!(
        told.iter().any(|t| t.contains("Не знаю, дошло ли")),
        "{told:?}"
    );
}

#[tokio::test]
async fn after_a_kill_in_the_middle_of_a_send_the_journal_decides() {
    for (taken, first) in [(true, "delivered"), (false, "sending")] {
        let mut world = World::watching().await;
        send_with(&world, Answer::Drop { taken }).await;
        // As if the process had died before it heard of the dropped connection.
        world
            .sql()
            .execute_batch(
                "UPDATE booking_notifications SET status = 'sending', look_at = NULL, doubt_at = NULL,
                        sent_at = NULL, delivered_at = NULL, provider_message_id = NULL;
                 UPDATE delivery_attempts SET finished_at = NULL, outcome = NULL;",
            )
            .unwrap();
        world.restart().await;
        world.turn().await;
        assert_eq!(status(&world), [first]);
        for _ in 0..3 {
            wait(&world, "80s").await;
        }
        assert_eq!(world.told().len(), 1, "taken: {taken}");
    }
}

#[tokio::test]
async fn a_change_of_the_visit_waits_for_the_journal_and_is_told_from_what_it_says() {
    let world = World::watching().await;
    let record = send_with(&world, Answer::Drop { taken: false }).await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-26T16:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    for _ in 0..4 {
        wait(&world, "60s").await;
    }
    // It had not arrived, so there is nothing to move: the booking is told as it is now.
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("26 августа в 16:00") && !told[0].contains("25 августа"),
        "{}",
        told[0]
    );
}

#[tokio::test]
async fn the_same_words_to_the_same_person_before_are_no_proof() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    world.salon.restore(SALON, record);
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    world.green.answer_next(Answer::Drop { taken: false });
    world.deliver().await;
    for _ in 0..4 {
        wait(&world, "60s").await;
    }
    let told = world.told();
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told[1], told[3]);
}
