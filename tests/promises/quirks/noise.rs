//! Edits that are nobody's news, and spellings that are no edits.

use serde_json::{Value, json};

use super::heads;
use crate::support::world::{SALON, World, at, haircut};

const CREATED: &str = "✅ *Вы записаны!*";
const MOVED: &str = "🔄 *Запись перенесена*";

fn events(world: &World) -> usize {
    world.rows("SELECT count(*) FROM booking_events")[0]
        .parse()
        .unwrap()
}

/// A booking that its client knows of, half an hour ago.
async fn told() -> (World, i64) {
    let world = World::watching().await;
    let draft = haircut("2026-08-22T14:30:00").service(47, "Борода", 1500, 0);
    let record = world.salon.book(draft);
    world.tell().await;
    assert_eq!(heads(&world, 0), [CREATED]);
    world.advance("30m");
    world.tell().await;
    (world, record)
}

#[tokio::test]
async fn attendance_that_flips_is_an_event_each_time_and_no_message() {
    let (world, record) = told().await;
    for (n, attendance) in [2, 0, 1, 2, -1, 0, -1, 1].into_iter().enumerate() {
        world.salon.set_attendance(SALON, record, attendance);
        world.tell().await;
        assert_eq!(events(&world), n + 2);
        assert_eq!(world.told().len(), 1, "{attendance}");
        assert_eq!(
            world.rows("SELECT attendance FROM appointments_cache"),
            [attendance.to_string()]
        );
    }
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_events WHERE processed_at IS NULL"),
        ["0"]
    );
}

#[tokio::test]
async fn a_comment_or_a_label_is_an_event_and_neither_told_nor_a_reason_to_wait() {
    let (world, record) = told().await;
    let comment = |text: &str| {
        world
            .salon
            .edit(SALON, record, |row| row["comment"] = text.into());
    };
    let label = |title: &str| {
        world.salon.edit(SALON, record, |row| {
            row["record_labels"] = json!([{ "id": "67001", "title": title, "color": "#009800" }]);
        });
    };
    comment("аллергия на аммиак");
    world.tell().await;
    label("Сотрудник не важен");
    world.tell().await;
    assert_eq!((events(&world), world.told().len()), (3, 1));
    // A move, and the administrator goes on typing.
    world
        .salon
        .reschedule(SALON, record, at("2026-08-23T16:00:00"));
    world.poll().await;
    world.advance("20s");
    comment("придёт с ребёнком");
    world.poll().await;
    world.advance("9s");
    label("VIP");
    world.poll().await;
    world.advance("2s");
    world.turn().await;
    assert_eq!(
        heads(&world, 1),
        [MOVED],
        "told when the move's own delay had passed"
    );
    assert_eq!(events(&world), 6);
    world.advance("5m");
    world.tell().await;
    assert_eq!(world.told().len(), 2);
}

#[tokio::test]
async fn an_edit_dated_before_what_is_known_is_a_stale_read() {
    let (world, record) = told().await;
    let old = "2026-08-20T11:00:00+0300";
    world.salon.edit(SALON, record, |row| {
        row["date"] = "2026-08-29 10:00:00".into();
        row["last_change_date"] = old.into();
    });
    for _ in 0..4 {
        world.advance("15m");
        world.tell().await;
    }
    assert_eq!((events(&world), world.told().len()), (1, 1));
    assert_eq!(
        world.rows("SELECT start_local FROM appointments_cache"),
        ["2026-08-22T14:30:00"]
    );
}

#[tokio::test]
async fn an_edit_dated_behind_the_cursor_is_found_by_a_sweep_and_told_once() {
    let (world, record) = told().await;
    world.advance("1h");
    world
        .salon
        .book(haircut("2026-08-23T16:00:00").client("Вера", "+79000000002"));
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    // Newer than what is known of this booking, older than anything a poll still asks for.
    world.salon.edit(SALON, record, |row| {
        row["date"] = "2026-08-23 10:00:00".into();
        row["last_change_date"] = "2026-08-20T12:31:00+0300".into();
    });
    world.tell().await;
    assert_eq!(world.told().len(), 2, "no poll lists it");
    for _ in 0..4 {
        world.advance("15m");
        world.tell().await;
    }
    assert_eq!(heads(&world, 2), [MOVED]);
    assert_eq!(
        world.rows("SELECT overlap_seconds FROM companies"),
        ["93600"]
    );
}

#[tokio::test]
async fn other_spellings_of_the_same_booking_are_no_change() {
    let (world, record) = told().await;
    type Edit = fn(&mut Value);
    let edits: [Edit; 9] = [
        |row| row["services"].as_array_mut().unwrap().reverse(),
        |row| row["services"][0]["cost"] = json!(1500.0),
        |row| row["services"][1]["cost"] = json!("1000.00"),
        // What 0.1 + 0.2 is to a machine.
        |row| row["services"][0]["cost"] = json!(500.1 + 999.9 + 1e-10),
        |row| row["services"][0]["cost_to_pay"] = json!(11.5),
        |row| row["visit_id"] = json!(row["visit_id"].to_string()),
        |row| row["client"]["phone"] = json!(79_000_000_001_i64),
        |row| row["client"]["phone"] = json!("8 (900) 000-00-01"),
        |row| {
            row["client"]["success_visits_count"] = json!(99);
            row["client"]["name"] = json!("Анна Петровна");
            row["confirmed"] = json!(0);
            row["paid_full"] = json!(1);
            row["documents"] = json!([]);
            row["custom_fields"] = json!({ "a": 1 });
            row["staff"]["position"] = json!([]);
            row["staff"]["name"] = json!("Бари Б.");
        },
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        world.salon.edit(SALON, record, edit);
        world.tell().await;
        assert_eq!((events(&world), world.told().len()), (1, 1), "edit {n}");
    }
}

#[tokio::test]
async fn a_client_that_is_no_more_in_the_row_is_still_the_client() {
    for nobody in [
        json!(null),
        json!([]),
        json!({}),
        Value::String("absent".into()),
    ] {
        let (world, record) = told().await;
        let client = world.salon.row(SALON, record).unwrap()["client"].clone();
        world.salon.edit(SALON, record, |row| {
            if nobody == "absent" {
                row.as_object_mut().unwrap().remove("client");
            } else {
                row["client"] = nobody.clone();
            }
        });
        world.advance("15m");
        world.tell().await;
        assert_eq!((events(&world), world.told().len()), (1, 1), "{nobody}");
        world
            .salon
            .edit(SALON, record, |row| row["client"] = client);
        world.tell().await;
        assert_eq!((events(&world), world.told().len()), (1, 1), "{nobody}");
        world.salon.cancel(SALON, record);
        world.tell().await;
        assert_eq!(heads(&world, 1), ["❌ *Запись отменена*"], "{nobody}");
    }
}
