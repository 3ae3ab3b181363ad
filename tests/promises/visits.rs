//! What a visit leaves behind: thanks, or that the client was missed; and salons that cancel by "did
//! not come".

use crate::support::world::{SALON, World, at, haircut};
use chrono::TimeDelta;

const BOTH: &str =
    r#"notify = { visited = true, no_show = true, review_link = "https://ya.ru/o" }"#;

/// An hour long, told at noon of the same day; it ends at half past three.
const START: &str = "2026-08-20T14:30:00";

fn until(world: &World, local: &str) {
    use booking_monitor::ports::Clock as _;
    let ahead = (at(local) - TimeDelta::hours(3)).and_utc() - world.clock.now();
    world.clock.advance(ahead.to_std().unwrap());
}

async fn turn_at(world: &World, local: &str) {
    until(world, local);
    world.poll().await;
    world.turn().await;
}

async fn told_of(monitor: &str, rest: &str) -> (World, i64) {
    let world = World::watching_with(monitor, rest).await;
    let record = world.salon.book(haircut(START));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    (world, record)
}

/// At that time the administrator writes this down, and it settles.
async fn marked(world: &World, record: i64, attendance: i64, local: &str) {
    until(world, local);
    world.salon.set_attendance(SALON, record, attendance);
    world.tell().await;
}

fn after(world: &World) -> Vec<String> {
    world.told().into_iter().skip(1).collect()
}

#[tokio::test]
async fn a_client_who_came_is_thanked_half_an_hour_after_the_visits_end() {
    let (world, record) = told_of("", BOTH).await;
    marked(&world, record, 1, "2026-08-20T14:40:00").await;
    turn_at(&world, "2026-08-20T15:59:00").await;
    assert_eq!(after(&world), [""; 0]);
    turn_at(&world, "2026-08-20T16:00:00").await;
    assert_eq!(
        after(&world),
        ["*Спасибо, что были у нас!* 🤍\n\
          \n\
          Всё ли понравилось? Напишите пару слов прямо здесь 👇\n\
          Отзыв можно оставить тут: https://ya.ru/o"]
    );
    assert_eq!(world.decisions(), ["created|sent|", "visited|sent|"]);
}

#[tokio::test]
async fn a_client_who_did_not_come_is_asked_after() {
    let (world, record) = told_of("", BOTH).await;
    marked(&world, record, -1, "2026-08-20T17:00:00").await;
    assert_eq!(
        after(&world),
        ["*Мы вас не дождались* 🤍\n\
          \n\
          📅 20 августа в 14:30\n\
          💇 МУЖСКАЯ СТРИЖКА\n\
          \n\
          Надеемся, всё хорошо. Если мы ошиблись или вам нужно другое время, напишите мне здесь 👇"]
    );
}

#[tokio::test]
async fn by_default_neither_is_told_and_the_reason_is_kept() {
    let (world, record) = told_of("", "").await;
    marked(&world, record, 1, "2026-08-20T17:00:00").await;
    assert_eq!(after(&world), [""; 0]);
    assert_eq!(
        world.decisions(),
        ["created|sent|", "visited|suppressed|disabled"]
    );
}

#[tokio::test]
async fn what_is_put_right_in_time_is_told_as_it_was_put_right() {
    let (world, record) = told_of("", BOTH).await;
    marked(&world, record, -1, "2026-08-20T14:45:00").await;
    marked(&world, record, 1, "2026-08-20T14:55:00").await;
    turn_at(&world, "2026-08-20T16:00:00").await;
    assert_eq!(after(&world).len(), 1);
    assert!(after(&world)[0].starts_with("*Спасибо"));
    assert_eq!(
        world.decisions(),
        [
            "created|sent|",
            "no_show|suppressed|superseded",
            "visited|sent|"
        ]
    );
}

#[tokio::test]
async fn what_is_taken_back_is_not_told() {
    let (world, record) = told_of("", BOTH).await;
    marked(&world, record, 1, "2026-08-20T14:45:00").await;
    marked(&world, record, 0, "2026-08-20T14:55:00").await;
    turn_at(&world, "2026-08-20T16:00:00").await;
    assert_eq!(after(&world), [""; 0]);
    assert_eq!(world.decisions()[1], "visited|suppressed|superseded");
}

#[tokio::test]
async fn what_flips_within_the_delay_leaves_no_trace_but_its_events() {
    let (world, record) = told_of("", BOTH).await;
    until(&world, "2026-08-20T17:00:00");
    world.salon.set_attendance(SALON, record, -1);
    world.poll().await;
    world.advance("10s");
    world.salon.set_attendance(SALON, record, 0);
    world.tell().await;
    world.turn().await;
    assert_eq!(after(&world), [""; 0]);
    assert_eq!(
        world.rows(
            "SELECT count(*) FROM booking_notifications WHERE kind IN ('visited', 'no_show')"
        ),
        ["0"]
    );
    assert_eq!(
        world.rows(
            "SELECT event_type, json_extract(payload, '$.changes.attendance.new')
               FROM booking_events ORDER BY id"
        ),
        ["record.created|-", "record.updated|-1", "record.updated|0"]
    );
}

#[tokio::test]
async fn a_visit_is_spoken_of_once() {
    let (world, record) = told_of("", BOTH).await;
    marked(&world, record, 1, "2026-08-20T17:00:00").await;
    for (attendance, time) in [(0, "17:10"), (1, "17:20"), (-1, "17:30"), (1, "17:40")] {
        marked(&world, record, attendance, &format!("2026-08-20T{time}:00")).await;
    }
    assert_eq!(after(&world).len(), 1);
}

#[tokio::test]
async fn a_visit_that_is_marked_a_day_later_is_not_spoken_of() {
    let (world, record) = told_of("", BOTH).await;
    marked(&world, record, 1, "2026-08-21T15:00:00").await;
    assert_eq!(after(&world), [""; 0]);
    assert_eq!(world.decisions()[1], "visited|suppressed|stale");
}

#[tokio::test]
async fn who_came_to_one_of_two_masters_was_there_and_the_last_end_counts() {
    let world = World::watching_with("", BOTH).await;
    let first = world.salon.book(haircut(START).visit(77));
    let second = world.salon.book(haircut("2026-08-20T15:30:00").visit(77));
    world.tell().await;
    marked(&world, first, 1, "2026-08-20T15:20:00").await;
    turn_at(&world, "2026-08-20T16:10:00").await;
    assert_eq!(after(&world), [""; 0]);
    marked(&world, second, -1, "2026-08-20T16:30:00").await;
    turn_at(&world, "2026-08-20T17:00:00").await;
    assert_eq!(after(&world).len(), 1);
    assert!(after(&world)[0].starts_with("*Спасибо"));
}

#[tokio::test]
async fn thanks_wait_for_the_end_of_quiet_hours() {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, BOTH).await;
    let record = world.salon.book(haircut("2026-08-20T20:30:00"));
    world.tell().await;
    marked(&world, record, 1, "2026-08-20T21:20:00").await;
    turn_at(&world, "2026-08-20T22:05:00").await;
    assert_eq!(after(&world), [""; 0]);
    turn_at(&world, "2026-08-21T09:00:00").await;
    assert_eq!(after(&world).len(), 1);
}

#[tokio::test]
async fn a_baseline_that_has_come_already_thanks_nobody_and_a_later_mark_does() {
    let world = World::with("", BOTH).await;
    let came = world.salon.book(haircut("2026-08-20T10:30:00"));
    let expected = world
        .salon
        .book(haircut("2026-08-20T10:30:00").client("Борис", "+79000000002"));
    world.salon.set_attendance(SALON, came, 1);
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told(), [""; 0]);
    world
        .salon
        .edit(SALON, came, |row| row["seance_length"] = 1800.into());
    world.salon.set_attendance(SALON, expected, 1);
    world.tell().await;
    let to: Vec<String> =
        world.rows("SELECT phone FROM booking_notifications WHERE status = 'sent'");
    assert_eq!(to, ["+79000000002"]);
}

#[tokio::test]
async fn a_restart_between_the_mark_and_the_thanks_thanks_once() {
    let (mut world, record) = told_of("", BOTH).await;
    marked(&world, record, 1, "2026-08-20T14:40:00").await;
    world.restart().await;
    turn_at(&world, "2026-08-20T15:00:00").await;
    assert_eq!(after(&world), [""; 0]);
    world.restart().await;
    turn_at(&world, "2026-08-20T16:00:00").await;
    world.restart().await;
    turn_at(&world, "2026-08-20T16:05:00").await;
    assert_eq!(after(&world).len(), 1);
}

#[tokio::test]
async fn an_owner_who_asked_for_them_gets_copies_of_both() {
    let rest = r#"notify = { visited = false }
        owner = [{ channel = "telegram", to = "500", events = ["visited", "no_show"] }]"#;
    let (world, record) = told_of("", rest).await;
    marked(&world, record, 1, "2026-08-20T17:00:00").await;
    marked(&world, record, -1, "2026-08-20T17:10:00").await;
    let heads: Vec<String> = world
        .owner_told()
        .iter()
        .map(|t| t.lines().next().unwrap().to_owned())
        .collect();
    assert_eq!(
        heads,
        [
            "🤍 <b>Клиент был у нас</b> · Малаховка",
            "🚫 <b>Клиент не пришёл</b> · Малаховка"
        ]
    );
    assert!(world.owner_told()[0].ends_with("Клиенту не сообщили: такие сообщения выключены"));
}

const STRIKES_OUT: &str = r#"attendance_minus_one = "cancelled""#;

#[tokio::test]
async fn where_did_not_come_means_cancelled_the_client_is_told_so_and_that_it_is_on_again() {
    let world = World::watching_with(STRIKES_OUT, BOTH).await;
    let record = world.salon.book(haircut("2026-08-24T14:30:00"));
    world.tell().await;
    world.salon.set_attendance(SALON, record, -1);
    world.tell().await;
    world.salon.set_attendance(SALON, record, 0);
    world.tell().await;
    let heads: Vec<String> = world
        .told()
        .iter()
        .map(|t| t.lines().next().unwrap().to_owned())
        .collect();
    assert_eq!(
        heads,
        [
            "✅ *Вы записаны!*",
            "❌ *Запись отменена*",
            "✅ *Ваша запись снова в силе*"
        ]
    );
    assert_eq!(
        world.rows(
            "SELECT event_type, json_extract(payload, '$.data.reason'),
                    json_extract(payload, '$.data.attendance') FROM booking_events ORDER BY id"
        ),
        [
            "record.created|-|0",
            "record.deleted|attendance|-1",
            "record.created|-|0"
        ]
    );
}

#[tokio::test]
async fn where_did_not_come_means_cancelled_a_deletion_after_it_is_no_news() {
    let world = World::watching_with(STRIKES_OUT, BOTH).await;
    let record = world.salon.book(haircut("2026-08-24T14:30:00"));
    world.tell().await;
    world.salon.set_attendance(SALON, record, -1);
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_events WHERE event_type = 'record.deleted'"),
        ["1"]
    );
}

#[tokio::test]
async fn where_did_not_come_means_cancelled_nothing_is_said_of_a_visit_that_has_begun() {
    let (world, record) = told_of(STRIKES_OUT, BOTH).await;
    marked(&world, record, -1, "2026-08-20T17:00:00").await;
    assert_eq!(after(&world), [""; 0]);
    assert_eq!(
        world.decisions(),
        ["created|sent|", "cancelled|suppressed|past"]
    );
}

#[tokio::test]
async fn a_mass_of_did_not_come_that_means_cancelled_is_held_like_deletions() {
    let rest = r#"owner = [{ channel = "telegram", to = "500", events = [] }]"#;
    let world = World::with(STRIKES_OUT, rest).await;
    let records: Vec<i64> = (0..8)
        .map(|n| {
            let draft = haircut(&format!("2026-08-24T{:02}:00:00", 10 + n));
            world
                .salon
                .book(draft.client("Анна", &format!("+7900000001{n}")))
        })
        .collect();
    world.poll().await;
    for record in records {
        world.salon.set_attendance(SALON, record, -1);
    }
    world.tell().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE status = 'held'"),
        ["8"]
    );
}

#[tokio::test]
async fn another_meaning_of_did_not_come_makes_no_news_of_what_is_marked_so_already() {
    let mut world = World::watching_with("", BOTH).await;
    let record = world.salon.book(haircut("2026-08-24T14:30:00"));
    world.tell().await;
    world.salon.set_attendance(SALON, record, -1);
    world.tell().await;
    use booking_monitor::domain::policy::MinusOne;
    for (meaning, deleted) in [(MinusOne::Cancelled, "1"), (MinusOne::NoShow, "0")] {
        world.config.companies[0].rules.attendance_minus_one = meaning;
        world.restart().await;
        world.advance("16m");
        world.tell().await;
        assert_eq!(
            world.rows("SELECT deleted FROM appointments_cache"),
            [deleted]
        );
    }
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn what_was_cancelled_so_at_the_baseline_is_told_when_it_is_on_again() {
    let world = World::with(STRIKES_OUT, "").await;
    let record = world.salon.book(haircut("2026-08-24T14:30:00"));
    world.salon.set_attendance(SALON, record, -1);
    world.poll().await;
    world.advance("5m");
    world.salon.set_attendance(SALON, record, 0);
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert!(world.told()[0].starts_with("✅ *Ваша запись снова в силе*"));
}

#[tokio::test]
async fn a_missed_booking_that_was_taken_off_and_put_back_is_on_again() {
    let (world, record) = told_of("", "").await;
    marked(&world, record, -1, "2026-08-20T12:05:00").await;
    world.advance("5m");
    world.salon.cancel(SALON, record);
    world.tell().await;
    world.advance("5m");
    world.salon.restore(SALON, record);
    world.tell().await;
    let heads: Vec<String> = after(&world)
        .iter()
        .map(|text| text.lines().next().unwrap().to_owned())
        .collect();
    assert_eq!(
        heads,
        ["❌ *Запись отменена*", "✅ *Ваша запись снова в силе*"]
    );
}
