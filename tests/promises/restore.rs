//! What a backup cannot know and the database that it replaces still does: who asked for silence,
//! who was forgotten and who came back. What is damaged tells what it can, and the rest is said.

use std::path::{Path, PathBuf};

use crate::support::program::{Program, stderr, stdout};
use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::domain::phone::Phone;
use booking_monitor::ports::Clock as _;
use booking_monitor::store;
use rusqlite::Connection;

const NAME: &str = "Серафима";

/// So many people ask for silence that their table takes many pages.
const MANY: &str = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
    INSERT INTO opt_outs SELECT 111111, printf('+7900%07d', n), '2026-01-01T00:00:00.000Z' FROM n";

/// Spoils the page on which these bytes stand for the last time.
fn spoil(database: &Path, bytes: &str) {
    let mut file = std::fs::read(database).unwrap();
    let bytes = bytes.as_bytes();
    let at = file.windows(bytes.len()).rposition(|w| w == bytes).unwrap();
    let page = at / 4096 * 4096;
    file[page..page + 4096].fill(0xAA);
    std::fs::write(database, file).unwrap();
}

/// Everything committed is in the file itself.
fn write_down(database: &Path) {
    let conn = Connection::open(database).unwrap();
    let work = "PRAGMA wal_checkpoint(TRUNCATE)";
    let busy: bool = conn.query_row(work, [], |r| r.get(0)).unwrap();
    assert!(!busy);
}

fn forget(world: &World) {
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
}

async fn end(world: &mut World) {
    let store = world.pipeline().store().clone();
    world.stop();
    store.close().await.unwrap();
}

/// A copy of the database as it is now.
fn copy(world: &World, name: &str) -> PathBuf {
    let copy = world.folder.path().join(name);
    store::backup(&world.database(), &copy).unwrap();
    copy
}

/// The program has run once, and a copy was made.
async fn backed_up() -> (Program, String) {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let copy = program.folder.path().join("copy.db");
    let name = copy.to_str().unwrap().to_owned();
    let made = program.run(&["db", "backup", &name]).await;
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    (program, name)
}

async fn restore(program: &Program, copy: &str) -> String {
    let done = program.run(&["db", "restore", copy]).await;
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let well = program.run(&["db", "check"]).await;
    assert_eq!(well.status.code(), Some(0), "{}", stdout(&well));
    stdout(&done)
}

#[tokio::test]
async fn around_a_damaged_page_every_wish_for_silence_is_taken_and_the_gap_is_said() {
    let (program, copy) = backed_up().await;
    program.sql(MANY);
    write_down(&program.database());
    spoil(&program.database(), "+79000001500");
    let said = restore(&program, &copy).await;
    assert!(
        said.contains(
            "⚠️ Отказы (СТОП) в прежней базе прочитаны не все: кто попросил тишины после копии и не прочитан, тем писать будем."
        ),
        "{said}"
    );
    let taken: i64 = program.rows("SELECT CAST(count(*) AS TEXT) FROM opt_outs")[0]
        .parse()
        .unwrap();
    assert!((2500..3000).contains(&taken), "{taken}");
    let ends = "SELECT phone FROM opt_outs
                 WHERE phone IN ('+79000000001', '+79000001500', '+79000003000') ORDER BY 1";
    assert_eq!(program.rows(ends), ["+79000000001", "+79000003000"]);
}

#[tokio::test]
async fn a_damaged_page_elsewhere_costs_no_wish_for_silence_and_nobody_forgotten() {
    let (program, copy) = backed_up().await;
    let gone = program.run(&["forget", PHONE]).await;
    assert_eq!(gone.status.code(), Some(0), "{}", stderr(&gone));
    program.sql(MANY);
    program.sql(
        "INSERT INTO messages (channel, direction, phone, chat_id, text, external_id, created_at)
         VALUES ('whatsapp', 'inbound', '', '', 'слово-канарейка', 'x', '2026-01-01T00:00:00.000Z')",
    );
    write_down(&program.database());
    spoil(&program.database(), "слово-канарейка");
    let said = restore(&program, &copy).await;
    assert!(!said.contains("⚠️"), "{said}");
    assert!(
        said.contains("Отказов (СТОП) взято из прежней базы: 3000."),
        "{said}"
    );
    assert_eq!(program.rows("SELECT hash FROM forgotten").len(), 1);
}

#[tokio::test]
async fn a_database_that_tells_nothing_any_more_is_replaced_with_a_warning() {
    let (program, copy) = backed_up().await;
    std::fs::write(program.database(), "no database ".repeat(999)).unwrap();
    let said = restore(&program, &copy).await;
    assert!(
        said.contains(
            "⚠️ Отказы (СТОП) в прежней базе не прочитать: кто попросил тишины после копии, тем писать будем."
        ),
        "{said}"
    );
    assert!(
        said.contains(
            "⚠️ Кого стёрли (forget) после копии, в прежней базе не прочитать: в копии и в журнале их данные есть. Сотрите их ещё раз до запуска: booking-monitor forget ТЕЛЕФОН"
        ),
        "{said}"
    );
}

#[tokio::test]
async fn where_no_database_is_left_that_is_said() {
    let (program, copy) = backed_up().await;
    std::fs::remove_file(program.database()).unwrap();
    let said = restore(&program, &copy).await;
    assert!(
        said.contains(
            "⚠️ Прежней базы здесь нет, а копия не знает, кто после неё попросил тишины (СТОП) и кого стёрли (forget)."
        ),
        "{said}"
    );
}

#[tokio::test]
async fn who_came_back_after_the_copy_is_served_and_their_wishes_hold() {
    let mut world = World::watching().await;
    let theirs = |start: &str| haircut(start).client(NAME, PHONE);
    let record = world.salon.book(theirs("2026-08-25T14:30:00"));
    world.tell().await;
    world.green.push_text("79000000001", "стоп");
    world.receive().await;
    world.turn().await;
    end(&mut world).await;
    forget(&world);
    let copy = copy(&world, "copy.db");
    world.start().await;
    world.advance("1m");
    world.green.push_text("79000000001", "старт");
    world.receive().await;
    world.turn().await;
    assert_eq!(world.rows("SELECT hash FROM forgotten"), [""; 0]);
    let told = world.told().len();
    end(&mut world).await;
    store::restore(&world.database(), &copy).unwrap();
    assert_eq!(world.rows("SELECT hash FROM forgotten"), [""; 0]);
    assert_eq!(world.rows("SELECT phone FROM opt_outs"), [""; 0]);
    world.start().await;
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-25T19:00:00"));
    world.tell().await;
    let heard = world.told().split_off(told);
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(
        heard[0].contains("~25 августа в 14:30~ → *25 августа в 19:00*"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn silence_that_the_copy_knows_holds_for_who_was_forgotten_since() {
    let mut world = World::watching().await;
    world.green.push_text("79000000001", "стоп");
    world.receive().await;
    world.turn().await;
    end(&mut world).await;
    let copy = copy(&world, "copy.db");
    forget(&world);
    let restored = store::restore(&world.database(), &copy).unwrap();
    assert_eq!((restored.forgotten, restored.lost), (1, Vec::new()));
    assert_eq!(
        world.rows("SELECT substr(phone, 1, 1) FROM opt_outs"),
        ["#"]
    );
}

#[tokio::test]
async fn an_older_copy_laid_over_the_database_gives_nobody_back_who_was_forgotten() {
    let mut world = World::watching().await;
    end(&mut world).await;
    // The key is there before the first copy is made.
    let other = Phone::parse("+79000000009", "RU").unwrap();
    store::forget(&world.database(), &other, world.clock.now()).unwrap();
    let older = copy(&world, "older.db");
    forget(&world);
    let newer = copy(&world, "newer.db");
    std::fs::copy(&older, world.database()).unwrap();
    let restored = store::restore(&world.database(), &newer).unwrap();
    assert_eq!(restored.lost, [store::Lost::Between]);
    assert_eq!(world.rows("SELECT count(*) FROM forgotten"), ["2"]);
    // Nor does one that was put in force first, and has run since.
    std::fs::remove_file(world.database()).unwrap();
    let restored = store::restore(&world.database(), &older).unwrap();
    assert_eq!(restored.lost, [store::Lost::Database]);
    for _ in 0..3 {
        world.start().await;
        end(&mut world).await;
    }
    let restored = store::restore(&world.database(), &newer).unwrap();
    assert_eq!(restored.lost, [store::Lost::Between]);
    assert_eq!(world.rows("SELECT count(*) FROM forgotten"), ["2"]);
}

#[tokio::test]
async fn on_a_new_server_an_older_copy_is_not_what_became_of_a_newer_one() {
    let mut world = World::watching().await;
    end(&mut world).await;
    let older = copy(&world, "older.db");
    let stop = "INSERT INTO opt_outs VALUES (111111, '+79000000001', '2026-08-20T12:00:00.000Z')";
    world.sql().execute_batch(stop).unwrap();
    let newer = copy(&world, "newer.db");
    // Nothing of the old server is here but two copies.
    let server = tempfile::tempdir().unwrap();
    let database = server.path().join("a.db");
    store::restore(&database, &older).unwrap();
    for _ in 0..5 {
        let store = store::Store::open(&database).await.unwrap();
        store.close().await.unwrap();
    }
    store::restore(&database, &newer).unwrap();
    let conn = Connection::open(&database).unwrap();
    let silent: i64 = conn
        .query_row("SELECT count(*) FROM opt_outs", [], |r| r.get(0))
        .unwrap();
    assert_eq!(silent, 1);
}

#[tokio::test]
async fn a_copy_made_with_phones_shown_and_restored_with_phones_hidden_knows_what_stands_now() {
    let mut world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    let copy = copy(&world, "copy.db");
    end(&mut world).await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-26T16:00:00"));
    world.salon.hide_phones(SALON);
    store::restore(&world.database(), &copy).unwrap();
    world.start().await;
    world.tell().await;
    world.salon.show_phones(SALON);
    for _ in 0..3 {
        world.advance("16m");
        world.tell().await;
    }
    assert_eq!(world.told().len(), 1, "{:?}", world.told());
    world
        .salon
        .reschedule(SALON, record, at("2026-08-27T17:00:00"));
    world.tell().await;
    let last = world.told().pop().unwrap();
    assert!(
        last.contains("~26 августа в 16:00~ → *27 августа в 17:00*"),
        "{last}"
    );
}
