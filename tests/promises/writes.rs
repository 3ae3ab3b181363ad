//! What the program writes into the journal: one request of each kind, everything else left as it was.

use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::domain::record::{Attendance, Record};
use booking_monitor::domain::zone::Zone;
use booking_monitor::ports::{BookingApi, CompanyRef, Edit, Lookup, Standing, WriteError};
use booking_monitor::yclients::Client;
use serde_json::{Value, json};

fn company() -> CompanyRef {
    CompanyRef {
        id: SALON,
        zone: Zone::moscow(),
        country: "RU".into(),
        standing: Standing::first(),
    }
}

fn confirmed() -> Edit {
    Edit {
        attendance: Some(Attendance::Confirmed),
        ..Edit::default()
    }
}

async fn look(client: &Client, record: i64) -> Record {
    match client.record(&company(), record).await.unwrap() {
        Lookup::Found(record) => *record,
        Lookup::Gone => panic!("it is gone"),
    }
}

/// A booking with something in every field that a careless PUT would lose.
async fn rich() -> (World, Client, i64) {
    let world = World::new().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.salon.edit(SALON, record, |row| {
        row["comment"] = "аллергия".into();
        row["api_id"] = "own-1".into();
        row["custom_color"] = "ff0000".into();
        row["custom_fields"] = json!({"a": 1});
        row["master_request"] = 1.into();
        row["record_labels"] = json!([{"id": 67001, "title": "VIP"}]);
        row["client"]["surname"] = "Иванова".into();
        row["client"]["email"] = "a@example.com".into();
        row["resource_instance_ids"] = json!([7]);
    });
    let client = Client::new(world.salon.settings()).unwrap();
    (world, client, record)
}

fn without(mut row: Value, keys: &[&str]) -> Value {
    for key in keys {
        row.as_object_mut().unwrap().remove(*key);
    }
    // The API says the title and more of a service by itself.
    for line in row["services"].as_array_mut().unwrap() {
        line.as_object_mut().unwrap().retain(|key, _| {
            ["id", "title", "amount", "cost", "first_cost", "discount"].contains(&key.as_str())
        });
    }
    row
}

#[tokio::test]
async fn a_confirmation_changes_nothing_but_the_attendance() {
    let (world, client, record) = rich().await;
    let before = world.salon.row(SALON, record).unwrap();
    let seen = look(&client, record).await;
    client
        .change(&company(), &seen, &confirmed())
        .await
        .unwrap();
    let after = world.salon.row(SALON, record).unwrap();
    assert_eq!(after["attendance"], 2);
    let moved = ["attendance", "visit_attendance", "last_change_date"];
    assert_eq!(without(after, &moved), without(before, &moved));
}

#[tokio::test]
async fn a_move_changes_nothing_but_the_start_and_the_master() {
    let (_world, client, record) = rich().await;
    let seen = look(&client, record).await;
    let edit = Edit {
        start: Some(at("2026-08-22T16:00:00")),
        staff: Some(6),
        ..Edit::default()
    };
    client.change(&company(), &seen, &edit).await.unwrap();
    let now = look(&client, record).await;
    assert_eq!(
        (now.start_local, now.staff.id),
        (at("2026-08-22T16:00:00"), 6)
    );
    assert_eq!(now.comment, "аллергия");
    assert_eq!(now.services, seen.services);
    assert_eq!(now.client, seen.client);
}

#[tokio::test]
async fn a_booking_that_became_another_since_it_was_looked_at_is_not_written() {
    let (world, client, record) = rich().await;
    let seen = look(&client, record).await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    let written = client.change(&company(), &seen, &confirmed()).await;
    assert_eq!(written, Err(WriteError::Overtaken));
    assert_eq!(world.salon.asked(Route::Change), 0);
}

#[tokio::test]
async fn a_paid_booking_is_confirmed_through_its_visit() {
    let (world, client, record) = rich().await;
    world
        .salon
        .edit(SALON, record, |row| row["paid_full"] = 1.into());
    let seen = look(&client, record).await;
    client
        .change(&company(), &seen, &confirmed())
        .await
        .unwrap();
    let row = world.salon.row(SALON, record).unwrap();
    assert_eq!(
        (&row["attendance"], &row["comment"]),
        (&json!(2), &json!("аллергия"))
    );
}

#[tokio::test]
async fn a_booking_is_taken_off_and_a_second_time_is_refused() {
    let (world, client, record) = rich().await;
    client.cancel(&company(), record).await.unwrap();
    assert_eq!(world.salon.row(SALON, record).unwrap()["deleted"], true);
    let again = client.cancel(&company(), record).await;
    assert!(
        matches!(again, Err(WriteError::Refused { status: 404, .. })),
        "{again:?}"
    );
}

#[tokio::test]
async fn every_answer_to_a_write_says_whether_it_may_have_been_done() {
    let (world, client, record) = rich().await;
    let refused = |status: u16| {
        Fault::Status(
            status,
            r#"{"success":false,"meta":{"message":"нет"}}"#.into(),
        )
    };
    let cases = [
        (refused(403), "refused"),
        (refused(409), "refused"),
        (refused(422), "refused"),
        (Fault::SuccessFalse("Запрещено".into()), "refused"),
        (Fault::TooManyRequests { seconds: 1 }, "not done"),
        (refused(500), "unknown"),
        (Fault::Html, "unknown"),
        (Fault::Disconnect, "unknown"),
    ];
    for (fault, expected) in cases {
        world.salon.fail_next(Route::Cancel, 1, fault.clone());
        let said = match client.cancel(&company(), record).await {
            Ok(()) => "done",
            Err(WriteError::Refused { .. }) => "refused",
            Err(WriteError::NotDone(_)) => "not done",
            Err(WriteError::Unknown(_)) => "unknown",
            Err(WriteError::Overtaken) => "overtaken",
        };
        assert_eq!(said, expected, "{fault:?}");
    }
    assert_eq!(world.salon.row(SALON, record).unwrap()["deleted"], false);
}
