//! What comes into view at once is no news: a new company, a wider horizon, a database of yesterday,
//! two days of downtime.

use std::time::Duration;

use super::{heads, told_to};
use crate::support::program::{Program, start as in_days};
use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::domain::zone::Zone;

const CREATED: &str = "✅ *Вы записаны!*";
const MOVED: &str = "🔄 *Запись перенесена*";
const CANCELLED: &str = "❌ *Запись отменена*";

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_joins_a_running_daemon_is_silent_until_something_happens_there() {
    let program = Program::new().await;
    let daemon = program.daemon();
    let second = 222_222;
    program
        .salon
        .add_company(second, "Вторая", "Москва", Zone::moscow());
    let there = |days: i64, phone: &str| {
        let start = in_days(days).format("%Y-%m-%dT%H:%M:%S").to_string();
        let mut draft = haircut(&start).client("Вера", phone);
        draft.company = second;
        program.salon.book(draft)
    };
    let records: Vec<i64> = (0..20)
        .map(|n| there(n, &format!("+790000020{n:02}")))
        .collect();
    // The running daemon is at work with the first company.
    wait_for(&program, 111_111).await;
    program.book();
    program.green.wait_for(1).await;
    program.configure("[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]");
    daemon.signal("HUP");
    wait_for(&program, second).await;
    program.salon.reschedule(second, records[3], in_days(5));
    let sent = program.green.wait_for(2).await;
    daemon.signal("TERM");
    daemon.end(Duration::from_secs(15)).await;
    assert_eq!(sent[1].chat, "79000002003@c.us");
    assert!(sent[1].text.starts_with(MOVED), "{}", sent[1].text);
    assert_eq!(program.green.sent().len(), 2);
}

/// Waits for this company's baseline; a broken program reaches the guard of a minute.
async fn wait_for(program: &Program, company: i64) {
    let query = format!(
        "SELECT baseline_at FROM companies WHERE company_id = {company} AND baseline_at IS NOT NULL"
    );
    let look = async {
        loop {
            let ready = program.database().exists()
                && rusqlite::Connection::open(program.database())
                    .and_then(|c| c.query_row(&query, [], |r| r.get::<_, String>(0)))
                    .is_ok();
            if ready {
                return;
            }
            // Another process's file rings no bell; the turn goes to whoever else has work.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), look)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_wider_horizon_brings_silence_and_later_changes_as_changes() {
    let mut world = World::with(r#"horizon = "30d""#, "").await;
    let far: Vec<i64> = (0..40)
        .map(|n| {
            let day = format!("2026-1{}-{:02}T14:30:00", n % 3, 1 + n % 27);
            world
                .salon
                .book(haircut(&day).client("Анна", &format!("+790000000{n:02}")))
        })
        .collect();
    world.advance("1h");
    world.poll().await;
    assert_eq!(world.rows("SELECT count(*) FROM appointments_cache"), ["0"]);
    world.advance("1d");
    world.tell().await;
    world.config.companies[0].pace.horizon_days = 180;
    world.restart().await;
    for _ in 0..3 {
        world.advance("15m");
        world.tell().await;
    }
    assert_eq!(
        world.rows("SELECT count(*) FROM appointments_cache"),
        ["40"]
    );
    assert_eq!(world.told().len(), 0, "{:?}", world.decisions());
    assert_eq!(world.rows("SELECT count(*) FROM booking_events"), ["0"]);
    world
        .salon
        .reschedule(SALON, far[0], at("2026-10-02T16:00:00"));
    world.salon.cancel(SALON, far[1]);
    world.tell().await;
    let mut told = heads(&world, 0);
    told.sort();
    assert_eq!(told, [CANCELLED, MOVED]);
    let moved = told_to(&world, "+79000000000");
    assert!(
        moved[0].contains("~1 октября в 14:30~ → *2 октября в 16:00*"),
        "{moved:?}"
    );
}

/// Copies the database as a backup does, and puts it back as a person does: the file alone.
fn restore(world: &World, backup: &std::path::Path) {
    for ending in ["", "-wal", "-shm", ".id"] {
        let mut name = world.database().into_os_string();
        name.push(ending);
        drop(std::fs::remove_file(name));
    }
    std::fs::copy(backup, world.database()).unwrap();
}

#[tokio::test]
async fn a_database_of_yesterday_repeats_nothing_and_later_changes_are_told() {
    let mut world = World::watching().await;
    let book = |world: &World, n: u32| {
        let draft = haircut("2026-08-25T14:30:00").client("Анна", &format!("+790000000{n:02}"));
        world.salon.book(draft)
    };
    let records: Vec<i64> = (0..12).map(|n| book(&world, n)).collect();
    world.tell().await;
    // One booking is still to be told when the backup is made.
    world.advance("1h");
    let waiting = book(&world, 12);
    world.poll().await;
    let backup = world.folder.path().join("backup");
    world
        .sql()
        .execute("VACUUM INTO ?1", [backup.to_str().unwrap()])
        .unwrap();
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told().len(), 13);
    // A day goes by, and everything in it is told.
    world.advance("10h");
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-26T16:00:00"));
    world.salon.cancel(SALON, records[1]);
    world.salon.erase(SALON, records[2]);
    world.salon.edit(SALON, records[3], |row| {
        row["client"]["id"] = 424_242.into();
        row["client"]["phone"] = "+79000000050".into();
    });
    let new = book(&world, 13);
    for _ in 0..6 {
        world.advance("15m");
        world.tell().await;
    }
    let told = world.told().len();
    assert_eq!(told, 13 + 6, "{:?}", world.decisions());

    let database = world.database();
    world.stop();
    restore(&world, &backup);
    assert!(database.exists());
    world.start().await;
    for _ in 0..8 {
        world.advance("15m");
        world.tell().await;
    }
    assert_eq!(world.told().len(), told, "{:?}", &world.told()[told..]);
    let open = "SELECT count(*) FROM booking_notifications WHERE status IN ('pending', 'sending')";
    assert_eq!(world.rows(open), ["0"]);

    // Everybody is taken to know what is so now.
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-27T18:00:00"));
    world.salon.restore(SALON, records[1]);
    world.salon.cancel(SALON, records[3]);
    world.salon.cancel(SALON, new);
    world
        .salon
        .reschedule(SALON, waiting, at("2026-08-27T18:00:00"));
    world.tell().await;
    let last = |phone: &str| told_to(&world, phone).pop().unwrap();
    assert!(last("+79000000000").contains("~26 августа в 16:00~ → *27 августа в 18:00*"));
    assert!(last("+79000000001").starts_with("✅ *Ваша запись снова в силе*"));
    assert!(last("+79000000050").starts_with(CANCELLED));
    assert!(last("+79000000013").starts_with(CANCELLED));
    assert!(last("+79000000012").contains("~25 августа в 14:30~ → *27 августа в 18:00*"));
    assert_eq!(world.told().len(), told + 5);
}

#[tokio::test]
async fn after_two_days_of_downtime_only_what_still_matters_is_told_and_the_guard_lets_it_pass() {
    let world = World::watching().await;
    let book = |start: &str, n: u32| {
        world
            .salon
            .book(haircut(start).client("Анна", &format!("+790000000{n:02}")))
    };
    let ahead: Vec<i64> = (0..30).map(|n| book("2026-08-25T14:30:00", n)).collect();
    let past: Vec<i64> = (30..36).map(|n| book("2026-08-21T14:30:00", n)).collect();
    world.tell().await;
    assert_eq!(heads(&world, 0), vec![CREATED; 36]);
    world.advance("15m");
    world.tell().await;

    // Nobody looks for two days, in which the salon goes on: one cancellation or so every two hours.
    let (mut moved, mut cancelled) = (0, 0);
    let old = book("2026-08-26T10:00:00", 40);
    for (n, record) in ahead.iter().take(24).enumerate() {
        world.advance("2h");
        if n < 11 {
            world.salon.cancel(SALON, *record);
            cancelled += 1;
        } else if n < 20 {
            world
                .salon
                .reschedule(SALON, *record, at("2026-08-26T16:00:00"));
            moved += 1;
        }
        match n {
            3 => world
                .salon
                .reschedule(SALON, past[0], at("2026-08-21T18:00:00")),
            4 => world.salon.cancel(SALON, past[1]),
            _ => {}
        }
    }
    world.salon.cancel(SALON, past[2]);
    let fresh = book("2026-08-26T12:00:00", 41);
    world.tell().await;
    let mut told = heads(&world, 36);
    told.sort();
    let mut expected = vec![CREATED];
    expected.extend(vec![CANCELLED; cancelled]);
    expected.extend(vec![MOVED; moved]);
    expected.sort_unstable();
    assert_eq!(told, expected, "{:?}", world.decisions());
    assert_eq!(
        told_to(&world, "+79000000041").len(),
        1,
        "{fresh} was made just now"
    );
    assert_eq!(
        told_to(&world, "+79000000040").len(),
        0,
        "{old} is an old story"
    );
    for n in 30..36 {
        assert_eq!(told_to(&world, &format!("+790000000{n}")).len(), 1);
    }
    let of_old = "SELECT reason FROM booking_notifications WHERE phone = '+79000000040'";
    assert_eq!(world.rows(of_old), ["stale"]);
    // The old story is known all the same: what happens to it next is told.
    world
        .salon
        .reschedule(SALON, old, at("2026-08-26T15:00:00"));
    world.tell().await;
    assert!(told_to(&world, "+79000000040")[0].starts_with(MOVED));
}
