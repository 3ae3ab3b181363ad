//! What owners read once: the day in the evening, the list of a rehearsal, the letter of the first
//! day. Each chat gets each of them once, whatever happens in between.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::support::world::{OWNER, PHONE, SALON, World, at, haircut};
use booking_monitor::domain::phone::Phone;
use booking_monitor::domain::zone::Zone;
use booking_monitor::failpoint;
use booking_monitor::ports::Clock as _;
use booking_monitor::store;
use futures_util::FutureExt as _;

/// An owner who gets no copies, told of the day at this hour.
fn told_at(hour: &str) -> String {
    format!(
        "owner = [{{ channel = \"telegram\", to = \"{OWNER}\", events = [] }}]\n[alerts]\ndigest = \"{hour}\""
    )
}

/// What is due in the evening is written and leaves.
async fn evening(world: &World) -> u32 {
    let written = world
        .pipeline()
        .evenings_due(world.clock.now())
        .await
        .unwrap();
    world.deliver().await;
    written
}

/// A world that had its first day long ago.
async fn seasoned(monitor: &str, rest: &str) -> World {
    let world = World::watching_with(monitor, rest).await;
    world.advance("24h");
    world.poll().await;
    evening(&world).await;
    world.telegram.forget_sent();
    world
}

#[tokio::test]
async fn the_day_is_told_in_one_message_with_what_stayed_silent_and_who_is_not_confirmed() {
    let world = seasoned("", &told_at("21:00")).await;
    // Friday, noon.
    world.salon.book(haircut("2026-08-22T10:00:00"));
    let moved = world
        .salon
        .book(haircut("2026-08-23T12:00:00").client("Вера", "+79000000002"));
    let gone = world
        .salon
        .book(haircut("2026-08-24T12:00:00").client("Лев", "+79000000003"));
    world.tell().await;
    let draft = haircut("2026-08-22T15:00:00").client("Ира", "+79000000004");
    world.salon.book(draft.comment("AI Admin"));
    world
        .salon
        .book(haircut("2026-08-22T11:00:00").client("Без телефона", ""));
    let sure = haircut("2026-08-22T09:00:00").client("Рита", "+79000000005");
    let sure = world.salon.book(sure);
    world.salon.set_attendance(SALON, sure, 2);
    world
        .salon
        .reschedule(SALON, moved, at("2026-08-23T18:00:00"));
    world.salon.cancel(SALON, gone);
    world.tell().await;
    world.receive().await;
    world.advance("9h");
    assert_eq!(evening(&world).await, 1);
    let told = world.owner_told();
    // Before it came the card of the client without a number.
    assert_eq!(
        told[1..],
        ["📋 <b>Итоги дня: 21 августа</b>\n\n\
          <b>Малаховка</b>\n\
          Записали: 6 (салон 5, бот 1)\n\
          Перенесли: 1 · Отменили: 1\n\
          Сообщений клиентам: 6\n\
          Не достучались: 1 (нет телефона 1)\n\
          Промолчали: 1 (записал бот, он уже сообщил 1)\n\
          На 22 августа: 4, не подтвердили 3:\n\
          10:00 · Бари · Анна, +7 900 000-00-01\n\
          11:00 · Бари · Без телефона\n\
          15:00 · Бари · Ира, +7 900 000-00-04"]
    );
    // The same evening again, and after a restart.
    assert_eq!(evening(&world).await, 0);
    world.advance("2h");
    assert_eq!(evening(&world).await, 0);
}

#[tokio::test]
async fn a_quiet_day_is_told_too_and_the_next_one_begins_where_it_ended() {
    let world = seasoned("", &told_at("21:00")).await;
    world.advance("9h");
    assert_eq!(evening(&world).await, 1);
    // Past the hour, before midnight: tomorrow's news.
    world.advance("1h");
    world.poll().await;
    world.salon.book(haircut("2026-08-25T10:00:00"));
    world.tell().await;
    world.advance("23h");
    world.poll().await;
    assert_eq!(evening(&world).await, 1);
    let told = world.owner_told();
    assert_eq!(
        told[0],
        "📋 <b>Итоги дня: 21 августа</b>\n\n<b>Малаховка</b>\nЗаписали: 0\nСообщений клиентам: 0\nНа 22 августа записей нет."
    );
    assert!(
        told[1].starts_with("📋 <b>Итоги дня: 22 августа</b>"),
        "{}",
        told[1]
    );
    assert!(told[1].contains("Записали: 1 (салон 1)"), "{}", told[1]);
}

#[tokio::test]
async fn days_missed_while_the_machine_was_off_are_one_message_at_the_next_wake() {
    let mut world = seasoned("", &told_at("21:00")).await;
    world.salon.book(haircut("2026-08-25T10:00:00"));
    world.tell().await;
    world.stop();
    // Down over two evenings, up at noon.
    world.advance("72h");
    world.start().await;
    assert_eq!(evening(&world).await, 1);
    assert_eq!(evening(&world).await, 0);
    let told = world.owner_told();
    assert!(
        told[0].starts_with("📋 <b>Итоги: 21 августа — 23 августа</b>"),
        "{}",
        told[0]
    );
    assert!(told[0].contains("Записали: 1 (салон 1)"), "{}", told[0]);
    // The next day is that of the reader.
    let next = "На 25 августа: 1, не подтвердили 1:\n10:00 · Бари · Анна";
    assert!(told[0].contains(next), "{}", told[0]);
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn killed_at_any_point_the_evening_is_written_once() {
    let mut points = 0;
    loop {
        points += 1;
        let mut world = seasoned("", &told_at("21:00")).await;
        world.advance("9h");
        let (passed, ended) = (
            Arc::new(AtomicU32::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (count, end) = (Arc::clone(&passed), Arc::clone(&ended));
        failpoint::watch(Some(Arc::new(move |_| {
            if count.fetch_add(1, Ordering::SeqCst) + 1 >= points {
                end.store(true, Ordering::SeqCst);
                std::panic::resume_unwind(Box::new("killed"));
            }
        })));
        let killed = AssertUnwindSafe(evening(&world)).catch_unwind().await;
        failpoint::watch(None);
        if !ended.load(Ordering::SeqCst) {
            killed.unwrap();
            break;
        }
        let taken = world.owner_told().len();
        world.restart().await;
        for _ in 0..3 {
            evening(&world).await;
            world.advance("5m");
        }
        let stored = world.rows(
            "SELECT status FROM booking_notifications WHERE kind = 'owner' AND message LIKE '%Итоги%'",
        );
        // Written once. A send that was cut off may come again: owners read twice more gladly than
        // not at all.
        assert_eq!(stored, ["sent"], "point {points}");
        let told = world.owner_told().len();
        assert!(told == 1 || told == 1 + taken, "point {points}: {told}");
    }
    assert!(points > 4, "{points}");
}

#[tokio::test]
async fn what_is_no_booking_waits_for_no_confirmation() {
    let world = seasoned("ignore = { labels = [\"Резерв\"] }", &told_at("21:00")).await;
    let record = world.salon.book(haircut("2026-08-22T10:00:00"));
    world.salon.edit(SALON, record, |row| {
        row["record_labels"] = serde_json::json!([{"id": 1, "title": "Резерв"}]);
    });
    world.poll().await;
    world.advance("9h");
    evening(&world).await;
    let told = world.owner_told();
    assert!(
        told[0].ends_with("На 22 августа записей нет."),
        "{}",
        told[0]
    );
}

#[tokio::test]
async fn an_owner_who_reads_english_is_told_in_english() {
    let world = seasoned("", &format!("language = \"en\"\n{}", told_at("21:00"))).await;
    world.salon.book(haircut("2026-08-22T10:00:00").online());
    world.tell().await;
    world.advance("9h");
    evening(&world).await;
    assert_eq!(
        world.owner_told(),
        ["📋 <b>The day: 21 August</b>\n\n\
          <b>Малаховка</b>\n\
          Booked: 1 (online 1)\n\
          Messages to clients: 1\n\
          For 22 August: 1, not confirmed 1:\n\
          10:00 · Бари · Анна, +7 900 000-00-01"]
    );
}

#[tokio::test]
async fn another_hour_gives_no_second_digest_of_the_same_day() {
    let mut world = seasoned("", &told_at("20:00")).await;
    world.advance("8h");
    assert_eq!(evening(&world).await, 1);
    let later = chrono::NaiveTime::from_hms_opt(22, 0, 0);
    world.config.alerts.digest = later;
    world.restart().await;
    world.advance("3h");
    assert_eq!(evening(&world).await, 0);
    world.advance("23h");
    assert_eq!(evening(&world).await, 1);
}

#[tokio::test]
async fn salons_of_one_owner_share_one_message() {
    let second = format!(
        "{}\n[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]\nowner = [{{ channel = \"telegram\", to = \"{OWNER}\", events = [] }}]",
        told_at("21:00")
    );
    let world = World::with("", &second).await;
    world
        .salon
        .add_company(222_222, "Вторая", "Москва", Zone::moscow());
    for company in [SALON, 222_222] {
        world.poll_of(company).await;
    }
    evening(&world).await;
    world.advance("9h");
    // Two letters of the first day, and the day.
    assert_eq!(evening(&world).await, 3);
    let told = world.owner_told();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[2].contains("<b>Малаховка</b>") && told[2].contains("<b>Вторая</b>"),
        "{}",
        told[2]
    );
}

#[tokio::test]
async fn a_rehearsal_lists_every_evening_what_would_have_been_sent() {
    let rest = format!("owner = [{{ channel = \"telegram\", to = \"{OWNER}\", events = [] }}]");
    let world = seasoned("dry_run = true", &rest).await;
    world.salon.book(haircut("2026-08-25T10:00:00"));
    world.tell().await;
    assert_eq!(world.told(), Vec::<String>::new());
    world.advance("9h");
    assert_eq!(evening(&world).await, 1);
    assert_eq!(
        world.owner_told(),
        [
            "🎭 <b>Проба (dry_run), ушло бы клиентам: 1</b> · Малаховка\n\
          Новая запись: 25 августа в 10:00 · Бари · Анна, +7 900 000-00-01"
        ]
    );
}

#[tokio::test]
async fn the_letter_of_the_first_day_goes_once_a_day_after_the_baseline() {
    let rest = format!(
        "owner = [{{ channel = \"telegram\", to = \"{OWNER}\" }}]\nonly_phones = [\"+79000000009\"]\nnotify = {{ cancelled = false }}"
    );
    let mut world = World::with("ignore = { staff = [99] }", &rest).await;
    world.salon.book(haircut("2026-08-25T14:30:00"));
    // A column that holds no bookings.
    world
        .salon
        .book(haircut("2026-08-25T16:30:00").staff(99, "Лист ожидания"));
    world
        .salon
        .book(haircut("2026-08-25T15:30:00").client("Без телефона", ""));
    world.poll().await;
    world.advance("23h");
    assert_eq!(evening(&world).await, 0);
    world.advance("1h");
    assert_eq!(evening(&world).await, 1);
    assert_eq!(
        world.owner_told(),
        ["👋 <b>Первый день: Малаховка</b>\n\
          Записей впереди: 2. Они были до меня: молчу о них, но если изменятся, клиенты узнают.\n\
          Телефоны видны в 1 из 2.\n\
          Сообщения уходят только на тестовые номера (1). Всем клиентам: booking-monitor go-live\n\
          Сообщаю: новые записи, переносы и изменения.\n\
          Остальное включается в booking-monitor.toml: [notify] cancelled = true, [notify] no_show = true, [notify] visited = true, [notify] reminders = [\"24h\"], [alerts] digest = \"21:00\""]
    );
    world.restart().await;
    world.advance("24h");
    assert_eq!(evening(&world).await, 0);
}

#[tokio::test]
async fn a_company_watched_for_long_before_this_version_gets_no_first_letter() {
    let rest = format!("owner = [{{ channel = \"telegram\", to = \"{OWNER}\" }}]");
    let world = World::watching_with("", &rest).await;
    world.advance("8d");
    assert_eq!(evening(&world).await, 0);
    assert_eq!(evening(&world).await, 0);
}

#[tokio::test]
async fn a_restored_database_tells_no_day_and_no_first_day_again() {
    let mut world = World::watching_with("", &told_at("21:00")).await;
    evening(&world).await;
    let copy = world.folder.path().join("copy.db");
    store::backup(&world.database(), &copy).unwrap();
    world.advance("9h");
    assert_eq!(evening(&world).await, 2);
    world.stop();
    store::restore(&world.database(), &copy).unwrap();
    world.start().await;
    world.poll().await;
    world.advance("1h");
    assert_eq!(evening(&world).await, 0);
    world.advance("24h");
    // The next evening as always.
    assert_eq!(evening(&world).await, 1);
}

#[tokio::test]
async fn an_erased_client_is_in_no_evening_either() {
    let mut world = seasoned("", &told_at("21:00")).await;
    world.salon.book(haircut("2026-08-22T10:00:00"));
    world.tell().await;
    world.advance("9h");
    evening(&world).await;
    assert_eq!(world.owner_told().len(), 1);
    let phone = Phone::parse(PHONE, "RU").unwrap();
    world.stop();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE message LIKE '%Анна%'"),
        ["0"]
    );
}
