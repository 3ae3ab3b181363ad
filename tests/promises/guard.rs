//! The guard against mass change: what is too much at once waits for a person, the rest goes on.

use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::pipeline::orders::discard_held;
use booking_monitor::ports::Clock as _;
use booking_monitor::store::guard;
use chrono::{NaiveDateTime, TimeDelta};

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500", events = [], alerts = true }]"#;

const HELD: &str =
    "SELECT kind, count(*) FROM booking_notifications WHERE status = 'held' GROUP BY kind";

/// So many bookings two hours apart from this moment on, each of a client of its own; all are told.
async fn booked(world: &World, count: usize, first: &str) -> Vec<(i64, NaiveDateTime)> {
    let before = world.told().len();
    let records = (0..count).map(|n| {
        let start = at(first) + TimeDelta::hours(2 * n as i64);
        let draft = haircut(&start.format("%Y-%m-%dT%H:%M:%S").to_string());
        let draft = draft.client("Анна", &format!("+790000000{n:02}"));
        (world.salon.book(draft), start)
    });
    let records: Vec<_> = records.collect();
    world.tell().await;
    assert_eq!(world.told().len(), before + count);
    records
}

/// These bookings are read as so many minutes later.
fn shift(world: &World, bookings: &[(i64, NaiveDateTime)], minutes: i64) {
    for (record, start) in bookings {
        let start = *start + TimeDelta::minutes(minutes);
        world.salon.reschedule(SALON, *record, start);
    }
}

async fn release(world: &World) -> usize {
    let now = world.clock.now();
    let store = world.pipeline().store();
    let let_go = store.write(move |tx| guard::release(tx, SALON, now)).await;
    let_go.unwrap()
}

async fn discard(world: &World) -> usize {
    let now = world.clock.now();
    let store = world.pipeline().store();
    let dropped = store.write(move |tx| discard_held(tx, SALON, now)).await;
    dropped.unwrap()
}

#[tokio::test]
async fn a_journal_read_in_a_wrong_zone_is_held_and_the_hold_ends_when_the_zone_is_put_right() {
    let world = World::watching_with("", OWNED).await;
    let bookings = booked(&world, 10, "2026-08-22T10:00:00").await;
    shift(&world, &bookings, 180);
    world.tell().await;
    assert_eq!(world.told().len(), 10, "{:?}", world.told());
    assert_eq!(world.rows(HELD), ["updated|10"]);
    assert_eq!(
        world.owner_told(),
        ["✋ <b>Придержал 10 переносов: Малаховка</b>\n\
          Почти все записи журнала сдвинулись разом на +3 ч, ближайшая 22 августа в 13:00. Похоже на неверный часовой пояс филиала в YClients. Клиентам об этих переносах не писал."]
    );
    // Hours later, when the guard's window has passed.
    world.advance("5h");
    world.poll().await;
    world.turn().await;
    shift(&world, &bookings, 0);
    world.tell().await;
    assert_eq!(world.rows(HELD).len(), 0);
    assert_eq!(world.told().len(), 10, "{:?}", world.told());
    assert_eq!(world.owner_told().len(), 1);
}

#[tokio::test]
async fn a_held_shift_is_told_when_a_person_lets_it_go() {
    let world = World::watching().await;
    let bookings = booked(&world, 10, "2026-08-22T10:00:00").await;
    shift(&world, &bookings[..8], -60);
    world.tell().await;
    assert_eq!(world.rows(HELD), ["updated|8"]);
    assert_eq!(release(&world).await, 8);
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 18);
    assert!(world.told()[17].starts_with("🔄 *Запись перенесена*"));
}

#[tokio::test]
async fn a_held_shift_that_is_dropped_counts_as_known() {
    let world = World::watching().await;
    let bookings = booked(&world, 6, "2026-08-22T10:00:00").await;
    shift(&world, &bookings, 60);
    world.tell().await;
    assert_eq!(discard(&world).await, 6);
    world
        .salon
        .reschedule(SALON, bookings[0].0, at("2026-08-25T09:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 7);
    assert!(
        world.told()[6].contains("~22 августа в 11:00~ → *25 августа в 9:00*")
            || world.told()[6].contains("~22 августа в 11:00~ → *25 августа в 09:00*"),
        "{}",
        world.told()[6]
    );
}

#[tokio::test]
async fn what_changes_while_a_held_shift_is_dropped_is_told_all_the_same() {
    let world = World::watching().await;
    let bookings = booked(&world, 6, "2026-08-22T10:00:00").await;
    shift(&world, &bookings, 60);
    world.tell().await;
    // Seen, and its delay still runs when a person drops what is held.
    world
        .salon
        .reschedule(SALON, bookings[0].0, at("2026-08-25T09:00:00"));
    world.poll().await;
    assert_eq!(discard(&world).await, 6);
    world.tell().await;
    assert_eq!(world.told().len(), 7, "{:?}", world.decisions());
    assert!(
        world.told()[6].contains("~22 августа в 11:00~ → *25 августа в 09:00*"),
        "{}",
        world.told()[6]
    );
}

#[tokio::test]
async fn what_is_put_back_while_a_held_change_is_dropped_is_told_to_nobody() {
    let world = World::watching().await;
    let bookings = booked(&world, 9, "2026-08-22T10:00:00").await;
    for (record, _) in &bookings[..7] {
        world.salon.cancel(SALON, *record);
    }
    world.tell().await;
    world.salon.restore(SALON, bookings[0].0);
    world.poll().await;
    assert_eq!(discard(&world).await, 7);
    world.tell().await;
    // For its client nothing ever happened.
    assert_eq!(world.told().len(), 9, "{:?}", world.told());
    // Who knew and was told nothing may be taken to know that theirs is off.
    world.salon.restore(SALON, bookings[1].0);
    world.tell().await;
    assert_eq!(world.told().len(), 10);
    assert!(
        world.told()[9].starts_with("✅ *Ваша запись снова в силе*"),
        "{}",
        world.told()[9]
    );
}

#[tokio::test]
async fn everything_else_of_the_company_goes_on_while_a_shift_is_held() {
    let world = World::watching().await;
    let bookings = booked(&world, 10, "2026-08-22T10:00:00").await;
    shift(&world, &bookings[..8], 180);
    world.salon.cancel(SALON, bookings[8].0);
    let moved = bookings[9].1 + TimeDelta::minutes(30);
    world.salon.reschedule(SALON, bookings[9].0, moved);
    world.tell().await;
    assert_eq!(world.rows(HELD), ["updated|8"]);
    assert_eq!(world.told().len(), 12, "{:?}", world.told());
}

#[tokio::test]
async fn a_shift_that_is_held_stays_held_when_the_booking_changes_again() {
    let world = World::watching().await;
    let bookings = booked(&world, 6, "2026-08-22T10:00:00").await;
    shift(&world, &bookings, 180);
    world.tell().await;
    world.advance("1h");
    world.poll().await;
    world.salon.change_staff(SALON, bookings[0].0, 6, "Тимур");
    world.tell().await;
    assert_eq!(world.told().len(), 6, "{:?}", world.told());
    assert_eq!(world.rows(HELD), ["updated|6"]);
}

#[tokio::test]
async fn a_part_of_the_day_put_an_hour_later_is_told_and_the_owner_hears_of_it_once() {
    let world = World::watching_with("", OWNED).await;
    let bookings = booked(&world, 20, "2026-08-22T10:00:00").await;
    shift(&world, &bookings[..7], 60);
    world.tell().await;
    assert_eq!(world.told().len(), 27);
    for _ in 0..3 {
        world.advance("5m");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(
        world.owner_told(),
        ["⚠️ <b>Сразу 7 переносов: Малаховка</b>\n\
          Клиентам об этом пишу. Если это ошибка, верните время в журнале: напишу им и об этом."]
    );
    // Another batch, hours later.
    world.advance("2h");
    world.poll().await;
    world.turn().await;
    shift(&world, &bookings[7..14], 60);
    world.tell().await;
    assert_eq!(world.told().len(), 34);
    assert_eq!(world.owner_told().len(), 2);
}

#[tokio::test]
async fn five_moves_by_one_shift_are_an_ordinary_day() {
    let world = World::watching_with("", OWNED).await;
    let bookings = booked(&world, 5, "2026-08-22T10:00:00").await;
    shift(&world, &bookings, 60);
    world.tell().await;
    assert_eq!(world.told().len(), 10);
    assert_eq!(world.owner_told().len(), 0);
}

#[tokio::test]
async fn the_owner_hears_of_held_cancellations_once_and_again_three_hours_before_the_first_visit() {
    let world = World::watching_with("", OWNED).await;
    let bookings = booked(&world, 9, "2026-08-21T10:00:00").await;
    for (record, _) in &bookings[..7] {
        world.salon.cancel(SALON, *record);
    }
    world.tell().await;
    let alert = |held: &str, gone: &str, near: &str| {
        format!(
            "✋ <b>Придержал {held}: Малаховка</b>\n\
             Из журнала сразу пропали {gone}, ближайшая {near} в 10:00. Клиентам об этих отменах не писал."
        )
    };
    let first = alert("7 отмен", "7 записей", "завтра");
    assert_eq!(world.owner_told(), std::slice::from_ref(&first));
    // It grows, and is still the same batch.
    world.advance("1m");
    world.salon.cancel(SALON, bookings[7].0);
    world.tell().await;
    assert_eq!(world.rows(HELD), ["cancelled|8"]);
    assert_eq!(world.owner_told().len(), 1, "{:?}", world.owner_told());
    // Noon in Moscow is 22 hours before the first visit.
    world.advance("18h");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.owner_told().len(), 1);
    world.advance("1h");
    for _ in 0..3 {
        world.advance("10m");
        world.poll().await;
        world.turn().await;
    }
    let second = alert("8 отмен", "8 записей", "сегодня");
    assert_eq!(world.owner_told(), [first, second]);
}

#[tokio::test]
async fn cancellations_made_one_by_one_while_nobody_looked_are_no_mass_change() {
    let world = World::watching().await;
    let bookings = booked(&world, 10, "2026-08-24T10:00:00").await;
    for (record, _) in &bookings[..8] {
        world.advance("30m");
        world.salon.cancel(SALON, *record);
    }
    world.advance("20m");
    world.tell().await;
    assert_eq!(world.told().len(), 18, "{:?}", world.rows(HELD));
}

#[tokio::test]
async fn moves_made_one_by_one_while_nobody_looked_alarm_no_owner() {
    let world = World::watching_with("", OWNED).await;
    let bookings = booked(&world, 20, "2026-08-24T10:00:00").await;
    for (record, start) in &bookings[..8] {
        world.advance("30m");
        let start = *start + TimeDelta::minutes(30);
        world.salon.reschedule(SALON, *record, start);
    }
    world.advance("20m");
    world.tell().await;
    assert_eq!(world.told().len(), 28);
    assert_eq!(world.owner_told().len(), 0, "{:?}", world.owner_told());
}

#[tokio::test]
async fn a_class_that_is_cancelled_is_one_cancellation_however_many_seats_it_has() {
    let world = World::watching().await;
    booked(&world, 6, "2026-08-24T10:00:00").await;
    let seats: Vec<i64> = (10..18)
        .map(|n| {
            let draft = haircut("2026-08-23T12:00:00").activity(77);
            world
                .salon
                .book(draft.client("Анна", &format!("+790000000{n}")))
        })
        .collect();
    world.tell().await;
    assert_eq!(world.told().len(), 14);
    for seat in seats {
        world.salon.cancel(SALON, seat);
    }
    world.tell().await;
    assert_eq!(world.told().len(), 22, "{:?}", world.rows(HELD));
}

#[tokio::test]
async fn a_limit_counts_a_class_once_too() {
    let world = World::watching().await;
    let bookings = booked(&world, 7, "2026-08-24T10:00:00").await;
    for n in 10..50 {
        let draft = haircut("2026-08-23T12:00:00").activity(77);
        world
            .salon
            .book(draft.client("Анна", &format!("+790000000{n}")));
    }
    world.tell().await;
    for (record, _) in &bookings[..6] {
        world.salon.cancel(SALON, *record);
    }
    world.tell().await;
    // Six of eight, though 47 records stood in the journal.
    assert_eq!(world.rows(HELD), ["cancelled|6"]);
}

#[tokio::test]
async fn hundreds_of_cancellations_in_several_transactions_are_all_held() {
    let world = World::new().await;
    let records: Vec<i64> = (0..250)
        .map(|n| {
            let draft = haircut("2026-08-24T10:00:00");
            world
                .salon
                .book(draft.client("Анна", &format!("+79000000{n:03}")))
        })
        .collect();
    world.advance("10m");
    world.poll().await;
    for record in records {
        world.salon.cancel(SALON, record);
    }
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(world.rows(HELD), ["cancelled|250"]);
}

#[tokio::test]
async fn what_is_held_of_a_booking_put_into_the_past_is_not_past_for_whoever_expects_it_later() {
    let world = World::watching_with("", OWNED).await;
    let bookings = booked(&world, 12, "2026-08-22T10:00:00").await;
    let (slipped, _) = bookings[0];
    world
        .salon
        .reschedule(SALON, slipped, at("2026-08-20T08:00:00"));
    world.tell().await;
    for (record, _) in &bookings[..8] {
        world.salon.erase(SALON, *record);
    }
    world.advance("15m");
    for _ in 0..3 {
        world.tell().await;
    }
    assert_eq!(world.rows(HELD), ["cancelled|8"]);
    assert_eq!(release(&world).await, 8);
    world.turn().await;
    let to_them = |text: &str| {
        text.starts_with("❌ *Запись отменена*") && text.contains("22 августа в 10:00")
    };
    assert!(
        world.told().iter().any(|text| to_them(text)),
        "{:?}",
        world.told()
    );
}

#[tokio::test]
async fn what_is_let_go_speaks_for_no_cancellations_that_still_settle() {
    let world = World::watching().await;
    let bookings = booked(&world, 24, "2026-08-22T10:00:00").await;
    for (record, _) in &bookings[..7] {
        world.salon.cancel(SALON, *record);
    }
    world.tell().await;
    assert_eq!(world.rows(HELD), ["cancelled|7"]);
    world.advance("10s");
    for (record, _) in &bookings[7..14] {
        world.salon.cancel(SALON, *record);
    }
    world.poll().await;
    world.advance("10s");
    assert_eq!(release(&world).await, 7);
    world.deliver().await;
    assert_eq!(world.told().len(), 31);
    world.tell().await;
    assert_eq!(world.rows(HELD), ["cancelled|7"], "{:?}", world.told());
    assert_eq!(world.told().len(), 31);
}

#[tokio::test]
async fn where_nothing_is_held_an_order_to_let_go_opens_no_door() {
    let world = World::watching().await;
    let bookings = booked(&world, 10, "2026-08-22T10:00:00").await;
    for (record, _) in &bookings[..7] {
        world.salon.cancel(SALON, *record);
    }
    world.advance("10s");
    world.poll().await;
    assert_eq!(release(&world).await, 0);
    assert_eq!(discard(&world).await, 0);
    world.tell().await;
    assert_eq!(world.rows(HELD), ["cancelled|7"]);
    assert_eq!(world.told().len(), 10);
}

#[tokio::test]
async fn a_clock_that_is_put_back_leaves_the_guard_awake() {
    let world = World::watching().await;
    let bookings = booked(&world, 10, "2026-08-22T10:00:00").await;
    shift(&world, &bookings, 60);
    world.tell().await;
    assert_eq!(release(&world).await, 10);
    let decided = "SELECT moves_released_at FROM companies";
    assert_eq!(world.rows(decided), ["2026-08-20T09:00:31.000Z"]);
    world
        .clock
        .put_back(std::time::Duration::from_secs(3 * 3600));
    world.settle().await;
    // Left where it was, it would lie ahead of every move of the next three hours.
    assert_eq!(world.rows(decided), ["2026-08-20T06:00:31.000Z"]);
}

#[tokio::test]
async fn a_journal_whose_clock_is_behind_is_guarded_however_often_it_is_compared() {
    let world = World::with(r#"sweep_interval = "5m""#, "").await;
    world.salon.skew_clock(TimeDelta::minutes(-15));
    world.poll().await;
    world.advance("1h");
    let records: Vec<i64> = (0..12)
        .map(|n| {
            let draft = haircut("2026-08-29T14:30:00");
            world
                .salon
                .book(draft.client("Анна", &format!("+790000000{n:02}")))
        })
        .collect();
    world.tell().await;
    assert_eq!(world.told().len(), 12);
    world.advance("1h");
    world.poll().await;
    for record in records {
        world.salon.cancel(SALON, record);
    }
    world.tell().await;
    assert_eq!(world.told().len(), 12, "{:?}", world.decisions());
    assert_eq!(release(&world).await, 12);
}
