//! Who is booked: group activities, slots that become bookings, numbers that change.

use booking_monitor::demo::salon::BookingDraft;

use super::{heads, told_to};
use crate::support::world::{PHONE, SALON, World, at, haircut};

const OTHER: &str = "+79000000002";
const WRONG_NUMBER: &str = "пришло на этот номер по ошибке";
const CREATED: &str = "✅ *Вы записаны!*";
const MOVED: &str = "🔄 *Запись перенесена*";
const CANCELLED: &str = "❌ *Запись отменена*";
const CLASS_OFF: &str = "❌ *Занятие отменено*";

fn seat(n: u32) -> BookingDraft {
    BookingDraft::new(SALON, at("2026-08-22T10:00:00"))
        .client("Анна", &format!("+790000010{n:02}"))
        .staff(9, "Лена")
        .service(70, "Стретчинг", 600, 0)
        .activity(4242)
}

#[tokio::test]
async fn everyone_in_a_group_hears_of_it_once_and_its_end_is_one_vanished_booking_to_the_guard() {
    let world = World::watching().await;
    let seats: Vec<i64> = (0..12).map(|n| world.salon.book(seat(n))).collect();
    let single = world.salon.book(haircut("2026-08-22T14:30:00"));
    world.tell().await;
    assert_eq!(heads(&world, 0), vec![CREATED; 13]);
    assert_eq!(
        told_to(&world, "+79000001003"),
        ["✅ *Вы записаны!*

📅 22 августа в 10:00
🧘 Стретчинг
👤 Мастер: Лена
💰 Стоимость: 600 руб
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇"]
    );
    for record in &seats {
        world
            .salon
            .reschedule(SALON, *record, at("2026-08-22T11:00:00"));
    }
    world.tell().await;
    assert_eq!(heads(&world, 13), vec![MOVED; 12]);
    for record in &seats {
        world.salon.cancel(SALON, *record);
    }
    world.salon.cancel(SALON, single);
    world.tell().await;
    let mut told = heads(&world, 25);
    told.sort();
    let mut expected = vec![CLASS_OFF; 12];
    expected.push(CANCELLED);
    expected.sort_unstable();
    assert_eq!(told, expected, "{:?}", world.decisions());
}

#[tokio::test]
async fn a_slot_that_gets_a_client_is_a_new_booking_whenever_it_was_blocked() {
    // Blocked before the program was there, and days before somebody was booked into it.
    for before_baseline in [true, false] {
        let world = World::new().await;
        let block = || {
            world
                .salon
                .book(BookingDraft::new(SALON, at("2026-08-25T14:30:00")).staff(5, "Бари"))
        };
        let early = before_baseline.then(block);
        world.advance("1h");
        world.poll().await;
        world.advance("1h");
        let slot = early.unwrap_or_else(block);
        world.tell().await;
        for _ in 0..6 {
            world.advance("10h");
            world.tell().await;
        }
        assert_eq!(world.rows("SELECT count(*) FROM booking_events"), ["0"]);
        world.salon.edit(SALON, slot, |row| {
            let booked = haircut("2026-08-25T14:30:00");
            let (name, phone) = booked.client.unwrap();
            row["client"] = serde_json::json!({ "id": 77, "name": name, "phone": phone });
            row["visit_id"] = 548_999_999.into();
        });
        world
            .salon
            .change_services(SALON, slot, &haircut("2026-08-25T14:30:00").services);
        world.tell().await;
        assert_eq!(heads(&world, 0), [CREATED], "{:?}", world.decisions());
        assert_eq!(
            world.rows("SELECT event_type FROM booking_events"),
            ["record.created"]
        );
        world
            .salon
            .reschedule(SALON, slot, at("2026-08-26T16:00:00"));
        world.advance("1h");
        world.tell().await;
        world.salon.cancel(SALON, slot);
        world.tell().await;
        assert_eq!(heads(&world, 1), [MOVED, CANCELLED]);
    }
}

/// The client's card gets another number: every booking shows it, few of them count as changed.
fn correct_number(world: &World, records: &[i64], touched: usize, phone: &str) {
    for (n, record) in records.iter().enumerate() {
        let stamp = world.salon.row(SALON, *record).unwrap()["last_change_date"].clone();
        world.salon.edit(SALON, *record, |row| {
            row["client"]["phone"] = phone.into();
            if n >= touched {
                row["last_change_date"] = stamp;
            }
        });
    }
}

#[tokio::test]
async fn a_corrected_number_is_told_of_all_bookings_at_once() {
    for touched in [3, 1] {
        let world = World::watching().await;
        let records: Vec<i64> = ["22", "23", "24"]
            .iter()
            .map(|day| {
                world
                    .salon
                    .book(haircut(&format!("2026-08-{day}T14:30:00")))
            })
            .collect();
        world.tell().await;
        world.advance("12m");
        // Another client's booking moves the cursor on.
        world
            .salon
            .book(haircut("2026-08-23T16:00:00").client("Вера", "+79000000003"));
        world.tell().await;
        assert_eq!(world.told().len(), 4);
        world.advance("30m");
        correct_number(&world, &records, touched, OTHER);
        world.tell().await;
        assert_eq!(
            told_to(&world, OTHER),
            ["✅ *Вы записаны!*

📅 22 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари

📅 23 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари

📅 24 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: ~6000 руб~ 3000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇"],
            "{touched} touched"
        );
        for _ in 0..4 {
            world.advance("15m");
            world.tell().await;
        }
        assert_eq!(told_to(&world, OTHER).len(), 1, "{touched} touched");
        // From here on each of them is a booking like any other.
        world
            .salon
            .reschedule(SALON, records[1], at("2026-08-23T18:00:00"));
        world.tell().await;
        world.salon.cancel(SALON, records[2]);
        world.tell().await;
        let told = told_to(&world, OTHER);
        assert!(told[1].contains("→ *23 августа в 18:00*"), "{}", told[1]);
        assert!(told[2].starts_with(CANCELLED), "{}", told[2]);
        assert_eq!(told.len(), 3);
        assert!(
            told_to(&world, PHONE)[3..]
                .iter()
                .all(|t| t.contains(WRONG_NUMBER)),
            "{:?}",
            told_to(&world, PHONE)
        );
    }
}

#[tokio::test]
async fn bookings_told_together_that_change_before_they_are_told_are_told_once_and_right() {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, "").await;
    let records: Vec<i64> = ["22", "23", "24"]
        .iter()
        .map(|day| {
            world
                .salon
                .book(haircut(&format!("2026-08-{day}T14:30:00")))
        })
        .collect();
    world.tell().await;
    assert_eq!(world.told().len(), 3);
    // 22:00 in Moscow: what is to be told waits for the morning.
    world.advance("10h");
    correct_number(&world, &records, 3, OTHER);
    world.tell().await;
    world.advance("1h");
    world.salon.cancel(SALON, records[0]);
    world.tell().await;
    world.advance("1h");
    world
        .salon
        .reschedule(SALON, records[2], at("2026-08-25T16:00:00"));
    world.tell().await;
    assert_eq!(told_to(&world, OTHER).len(), 0);
    world.advance("11h");
    world.poll().await;
    world.turn().await;
    let told = told_to(&world, OTHER);
    let text = told.concat();
    assert!(told.iter().all(|t| t.starts_with(CREATED)), "{told:?}");
    assert_eq!(text.matches("📅 23 августа в 14:30").count(), 1, "{told:?}");
    assert_eq!(text.matches("📅 25 августа в 16:00").count(), 1, "{told:?}");
    assert_eq!(text.matches("📅").count(), 2, "{told:?}");
}

#[tokio::test]
async fn a_number_corrected_long_after_it_was_told_is_no_business_of_the_old_one() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-22T14:30:00"));
    world.tell().await;
    world.advance("2h");
    correct_number(&world, &[record], 1, OTHER);
    world.tell().await;
    assert_eq!(told_to(&world, PHONE).len(), 1);
    assert_eq!(told_to(&world, OTHER).len(), 1);
}

#[tokio::test]
async fn an_old_booking_whose_number_is_corrected_before_it_was_told_is_no_cancellation() {
    let world = World::watching_with(r#"horizon = "7d""#, "").await;
    world.advance("1m");
    let far = world.salon.book(haircut("2026-10-01T14:30:00"));
    world
        .salon
        .backdate(SALON, far, "2026-08-01T09:00:00Z".parse().unwrap());
    world.poll().await;
    world
        .salon
        .reschedule(SALON, far, at("2026-10-01T15:00:00"));
    world.poll().await;
    world.advance("10s");
    world.salon.edit(SALON, far, |row| {
        row["client"]["phone"] = OTHER.into();
    });
    world.tell().await;
    world.advance("5m");
    world.tell().await;
    assert_eq!(told_to(&world, PHONE), [""; 0], "{:?}", world.decisions());
    assert_eq!(told_to(&world, OTHER).len(), 1, "{:?}", world.decisions());
    assert!(told_to(&world, OTHER)[0].starts_with(CREATED));
}

#[tokio::test]
async fn an_old_booking_given_to_somebody_else_before_it_was_told_is_off_for_the_one_who_had_it() {
    let world = World::watching_with(r#"horizon = "7d""#, "").await;
    world.advance("1m");
    let far = world.salon.book(haircut("2026-10-01T14:30:00"));
    world
        .salon
        .backdate(SALON, far, "2026-08-01T09:00:00Z".parse().unwrap());
    world.poll().await;
    world
        .salon
        .reschedule(SALON, far, at("2026-10-01T15:00:00"));
    world.poll().await;
    world.advance("10s");
    world.salon.edit(SALON, far, |row| {
        row["client"]["id"] = 424_242.into();
        row["client"]["phone"] = OTHER.into();
    });
    world.tell().await;
    let (had, has) = (told_to(&world, PHONE), told_to(&world, OTHER));
    assert_eq!(had.len(), 1, "{:?}", world.decisions());
    assert!(had[0].starts_with(CANCELLED), "{had:?}");
    assert_eq!(has.len(), 1, "{:?}", world.decisions());
    assert!(has[0].starts_with(CREATED), "{has:?}");
}

#[tokio::test]
async fn a_number_that_disappears_or_is_masked_and_comes_back_is_nothing_to_anybody() {
    for hidden in ["", "+7900***0001", "+7 900 ***-**-01", "7900XXXXX01"] {
        let world = World::watching().await;
        let record = world.salon.book(haircut("2026-08-22T14:30:00"));
        world.tell().await;
        for phone in [hidden, PHONE] {
            world.salon.edit(SALON, record, |row| {
                row["client"]["phone"] = phone.into();
            });
            world.tell().await;
            assert_eq!(world.told().len(), 1, "{hidden:?}: {:?}", world.told());
        }
        world.salon.cancel(SALON, record);
        world.tell().await;
        assert_eq!(heads(&world, 1), [CANCELLED], "{hidden:?}");
    }
}

#[tokio::test]
async fn a_slot_whose_client_gets_a_number_a_minute_later_is_a_new_booking() {
    let world = World::watching().await;
    let slot = world
        .salon
        .book(BookingDraft::new(SALON, at("2026-08-25T14:30:00")).staff(5, "Бари"));
    world.tell().await;
    let services = haircut("2026-08-25T14:30:00").services;
    world.salon.edit(SALON, slot, |row| {
        row["client"] = serde_json::json!({"id": 77, "name": "Анна", "phone": ""});
    });
    world.salon.change_services(SALON, slot, &services);
    world.tell().await;
    assert_eq!(world.told(), [""; 0]);
    world.salon.edit(SALON, slot, |row| {
        row["client"] = serde_json::json!({"id": 77, "name": "Анна", "phone": "+79000000001"});
    });
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{:?}", world.decisions());
    assert!(told[0].starts_with("✅ *Вы записаны!*"), "{}", told[0]);
}
