//! Backups, the way back from one, and retention: what is erased and what outlives it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::program::{Program, given_to_nobody, stderr, stdout};
use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::ports::Clock as _;
use booking_monitor::store::{self, StoreError, prune};
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500", events = [], alerts = true }]"#;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Everything committed is in the file itself.
fn write_down(database: &Path) {
    let conn = Connection::open(database).unwrap();
    let work = "PRAGMA wal_checkpoint(TRUNCATE)";
    let busy: bool = conn.query_row(work, [], |r| r.get(0)).unwrap();
    assert!(!busy);
}

/// The program ends in peace, so that its files can be moved.
async fn end(world: &mut World) {
    let store = world.pipeline().store().clone();
    world.stop();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_restored_database_tells_nothing_twice_and_gives_the_owner_one_list() {
    let mut world = World::watching_with("", OWNED).await;
    let moved = world.salon.book(haircut("2026-08-21T14:30:00"));
    let dropped = world
        .salon
        .book(haircut("2026-08-21T16:30:00").client("Вера", "+79000000002"));
    let erased = world
        .salon
        .book(haircut("2026-08-21T18:30:00").client("Ева", "+79000000003"));
    world.tell().await;
    // Open in the copy: settled, not yet sent.
    world
        .salon
        .book(haircut("2026-08-25T10:00:00").client("Зоя", "+79000000004"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    let copy = world.folder.path().join("copy.db");
    store::backup(&world.database(), &copy).unwrap();
    assert_eq!(mode(&copy), 0o600);
    world.turn().await;
    // After it: told before the failure.
    world
        .salon
        .reschedule(SALON, moved, at("2026-08-22T16:00:00"));
    world.salon.cancel(SALON, dropped);
    world.salon.erase(SALON, erased);
    world
        .salon
        .book(haircut("2026-08-23T12:00:00").client("Рита", "+79000000005"));
    world.tell().await;
    world.green.push_text("+79000000005", "СТОП");
    world.receive().await;
    world.turn().await;
    let told = world.told().len();
    let owner = world.owner_told().len();
    end(&mut world).await;
    let restored = store::restore(&world.database(), &copy).unwrap();
    assert_eq!((restored.dropped, restored.opt_outs), (1, 1));
    assert!(restored.kept.unwrap().exists());
    assert_eq!(mode(&world.database()), 0o600);
    world.advance("1h");
    world.start().await;
    for _ in 0..3 {
        world.tell().await;
        world.advance("16m");
    }
    assert_eq!(world.told().len(), told, "{:?}", world.told());
    let heard = world.owner_told().split_off(owner);
    assert_eq!(
        heard,
        ["\
♻️ <b>База восстановлена из копии: Малаховка</b>
Копия знает журнал на 20 августа в 12:00.
Что изменилось с тех пор. Клиентам об этом уже не пишу: кому-то сообщили до сбоя. Кого предупредить, решите сами.
❌ 21 августа в 16:30 · Бари · Вера, +7 900 000-00-02
❔ 21 августа в 18:30 · Бари · Ева, +7 900 000-00-03 · в журнале её нет
🔄 <s>21 августа в 14:30</s> → <b>22 августа в 16:00</b> · Бари · Анна, +7 900 000-00-01
🆕 23 августа в 12:00 · Бари · Рита, +7 900 000-00-05
О новых изменениях сообщаю как обычно."]
    );
    assert_eq!(
        world.rows("SELECT status, reason FROM booking_notifications WHERE phone = '+79000000004'"),
        ["suppressed|baseline"]
    );
    assert_eq!(
        world.rows(&format!(
            "SELECT event_type, processed_at IS NOT NULL FROM booking_events
              WHERE record_id = {moved} ORDER BY id"
        )),
        ["record.created|1", "record.updated|1"]
    );
    // What changes from here on is told as ever, from what is true.
    world
        .salon
        .reschedule(SALON, moved, at("2026-08-24T11:00:00"));
    world.tell().await;
    let last = world.told().pop().unwrap();
    assert_eq!(world.told().len(), told + 1);
    assert!(
        last.contains("~22 августа в 16:00~ → *24 августа в 11:00*"),
        "{last}"
    );
    // Who asked for silence after the copy was made is still left in peace.
    let rita = "SELECT count(*) FROM opt_outs WHERE phone = '+79000000005'";
    assert_eq!(world.rows(rita), ["1"]);
}

#[tokio::test]
async fn a_restored_database_without_changes_says_so() {
    let mut world = World::watching_with("", OWNED).await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let copy = world.folder.path().join("copy.db");
    store::backup(&world.database(), &copy).unwrap();
    end(&mut world).await;
    store::restore(&world.database(), &copy).unwrap();
    world.start().await;
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(
        world.owner_told(),
        ["\
♻️ <b>База восстановлена из копии: Малаховка</b>
Копия знает журнал на 20 августа в 12:00.
С тех пор в предстоящих записях ничего не изменилось.
О новых изменениях сообщаю как обычно."]
    );
}

#[tokio::test]
async fn a_backup_laid_over_the_database_by_hand_is_refused_and_restore_puts_it_in_force() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let copy = program.folder.path().join("copy.db");
    let name = copy.to_str().unwrap();
    let daemon = program.daemon();
    program.book();
    program.green.wait_for(1).await;
    let made = program.run(&["db", "backup", name]).await;
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    assert!(stdout(&made).starts_with("Копия сделана и проверена:"));
    assert_eq!(mode(&copy), 0o600);
    let again = program.run(&["db", "backup", name]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(
        stderr(&again).contains("never written over"),
        "{}",
        stderr(&again)
    );
    let busy = program.run(&["db", "restore", name]).await;
    assert_eq!(busy.status.code(), Some(75), "{}", stderr(&busy));
    daemon.signal("TERM");
    daemon.end(std::time::Duration::from_secs(15)).await;

    std::fs::copy(&copy, program.database()).unwrap();
    let asked = program.salon.requests().len();
    let refused = program.run(&["--once"]).await;
    assert_eq!(refused.status.code(), Some(78), "{}", stderr(&refused));
    assert!(
        stderr(&refused).contains("db restore FILE"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(program.salon.requests().len(), asked);
    let check = program.run(&["db", "check"]).await;
    assert_eq!(check.status.code(), Some(1), "{}", stdout(&check));
    assert!(
        stdout(&check).contains("✗ это старая копия"),
        "{}",
        stdout(&check)
    );

    let restored = program.run(&["db", "restore", name]).await;
    assert_eq!(restored.status.code(), Some(0), "{}", stderr(&restored));
    let check = program.run(&["db", "check"]).await;
    assert_eq!(check.status.code(), Some(0), "{}", stdout(&check));
    let run = program.run(&["--once", "--drain"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert_eq!(program.green.sent().len(), 1);
}

#[tokio::test]
async fn what_is_no_sound_backup_is_not_put_in_force_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    store::Store::open(&path)
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    let good = std::fs::read(&path).unwrap();
    let mut damaged = good.clone();
    damaged[4096..12_288].fill(0xAA);
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    for (what, bytes) in [
        ("damaged", damaged),
        ("half", good[..good.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("text", b"no database".repeat(999)),
        ("foreign", std::fs::read(&foreign).unwrap()),
    ] {
        let bad = folder.path().join("bad.db");
        std::fs::write(&bad, &bytes).unwrap();
        let refused = store::restore(&path, &bad).unwrap_err();
        assert!(
            matches!(refused, StoreError::Refused(_)),
            "{what}: {refused}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), good, "{what}");
        assert_eq!(std::fs::read(&bad).unwrap(), bytes, "{what}");
        assert!(!folder.path().join("a.db.restoring").exists(), "{what}");
    }
}

#[tokio::test]
async fn a_restore_that_breaks_off_at_any_step_is_refused_or_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("a.db"), folder.path().join("copy.db"));
    store::Store::open(&path)
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    store::backup(&path, &copy).unwrap();
    // The old one is away, the new one not there yet.
    std::fs::rename(&path, folder.path().join("a.db.replaced")).unwrap();
    let refused = store::Store::open(&path).await.err().unwrap();
    assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
    // Done again, but for the marker, which still knows of the start before.
    let marker = std::fs::read(folder.path().join("a.db.id")).unwrap();
    store::restore(&path, &copy).unwrap();
    std::fs::write(folder.path().join("a.db.id"), marker).unwrap();
    store::Store::open(&path)
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
}

#[tokio::test]
async fn accepting_twice_keeps_both_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut kept = Vec::<PathBuf>::new();
    for text in ["first", "second"] {
        std::fs::write(&path, text).unwrap();
        kept.push(store::accept(&path).unwrap().unwrap());
    }
    let texts: Vec<String> = kept
        .iter()
        .map(|f| std::fs::read_to_string(f).unwrap())
        .collect();
    assert_eq!(texts, ["first", "second"]);
    assert_eq!(store::accept(&path).unwrap(), None);
}

#[tokio::test]
async fn a_daily_backup_is_made_once_a_day_and_seven_are_kept() {
    let world = World::watching().await;
    let folder = world.folder.path().join("backups");
    let start: DateTime<Utc> = world.clock.now();
    for day in 0..9 {
        let made = store::daily(&world.database(), &folder, start + TimeDelta::days(day)).unwrap();
        assert_eq!(mode(&made), 0o600);
    }
    assert_eq!(mode(&folder), 0o700);
    std::fs::write(folder.join("notes.txt"), "not ours").unwrap();
    let kept = store::dailies(&world.database(), &folder).unwrap();
    let days: Vec<i64> = kept
        .iter()
        .map(|(at, _)| (*at - start).num_days())
        .collect();
    assert_eq!(days, [2, 3, 4, 5, 6, 7, 8]);
    for (_, file) in kept {
        let conn = Connection::open(file).unwrap();
        let verdict: String = conn
            .query_row("PRAGMA integrity_check", [], |r| r.get(0))
            .unwrap();
        assert_eq!(verdict, "ok");
    }
    assert!(folder.join("notes.txt").exists());
}

#[tokio::test]
async fn once_does_the_chores_of_the_day_and_status_names_the_backup() {
    let program = Program::new().await;
    program.configure("[database]\nbackup_dir = \"backups\"");
    for _ in 0..2 {
        let run = program.run(&["--once"]).await;
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    }
    let made = std::fs::read_dir(program.folder.path().join("backups"))
        .unwrap()
        .count();
    assert_eq!(made, 1, "one a day");
    let status = program.run(&["status"]).await;
    assert!(
        stdout(&status).contains("Копия базы: "),
        "{}",
        stdout(&status)
    );

    // So is what has grown too old, once a day.
    let old =
        "INSERT INTO messages (channel, direction, phone, chat_id, text, external_id, created_at)
               VALUES ('whatsapp', 'inbound', '', '1', 'old', 'x', '2020-01-01T00:00:00.000Z')";
    program.sql(old);
    program.run(&["--once"]).await;
    assert_eq!(
        program.rows("SELECT text FROM messages"),
        ["old"],
        "done today"
    );
    program.sql("UPDATE chores SET due_at = '2026-01-01T00:00:00.000Z' WHERE name = 'prune'");
    program.run(&["--once"]).await;
    assert_eq!(program.rows("SELECT text FROM messages"), [""; 0]);

    // A folder that cannot be made is no reason to stop, but is said.
    std::fs::write(program.folder.path().join("file"), "").unwrap();
    program.configure("[database]\nbackup_dir = \"file/backups\"");
    program.sql("DELETE FROM chores WHERE name = 'backup'");
    let run = program.run(&["--once"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert!(
        stderr(&run).contains("no backup could be made"),
        "{}",
        stderr(&run)
    );
    let status = program.run(&["status"]).await;
    assert!(
        stdout(&status).contains("⚠️ Копия базы: — ("),
        "{}",
        stdout(&status)
    );
}

/// Everything that has an age is so many days older.
fn age(world: &World, days: i64) {
    let conn = world.sql();
    let list = |sql: &str| -> Vec<(String, String)> {
        let mut query = conn.prepare(sql).unwrap();
        let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let columns = list(
        "SELECT t.name, c.name FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c
          WHERE t.schema = 'main' AND t.type = 'table' AND c.name LIKE '%\\_at' ESCAPE '\\'",
    );
    for (table, column) in columns {
        conn.execute(
            &format!(
                "UPDATE {table} SET {column} = strftime('%Y-%m-%dT%H:%M:%fZ', {column}, ?1)
                  WHERE {column} IS NOT NULL"
            ),
            [format!("-{days} days")],
        )
        .unwrap();
    }
}

async fn prune_all(world: &World, days: i64) -> prune::Pruned {
    let before = world.clock.now() - TimeDelta::days(days);
    let mut all = prune::Pruned::default();
    loop {
        let store = world.pipeline().store();
        let some = store
            .write(move |tx| prune::older_than(tx, before))
            .await
            .unwrap();
        if some.is_nothing() {
            return all;
        }
        all = all.and(some);
    }
}

#[tokio::test]
async fn what_is_old_is_erased_and_what_is_open_known_or_a_stop_outlives_it() {
    let world = World::watching_with("", OWNED).await;
    // A visit of yesterday, which nobody will ask about again.
    world
        .salon
        .book(haircut("2026-08-20T15:00:00").client("Вера", "+79000000002"));
    // A visit ahead whose message went long ago, one held, one uncertain.
    let ahead = world.salon.book(haircut("2026-08-29T14:30:00"));
    world.tell().await;
    world.green.push_text("+79000000003", "СТОП");
    world.receive().await;
    world.turn().await;
    age(&world, 200);
    let conn = world.sql();
    // The bookings themselves keep their days but for the first.
    conn.execute_batch(
        "UPDATE appointments_cache SET start_at = '2026-08-29T11:30:00.000Z'
          WHERE start_local LIKE '2026-08-29%';",
    )
    .unwrap();
    conn.execute_batch(
        "INSERT INTO booking_notifications (company_id, record_id, visit_id, unit, kind, phone,
            recipient, channel, status, first_change_at, changed_at, due_at, created_at)
         SELECT 111111, 0, 0, '', 'created', '+79000000009', '', 'whatsapp', value,
                '2025-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z',
                '2025-01-01T00:00:00.000Z'
           FROM json_each('[\"pending\",\"held\",\"sending\",\"uncertain\",\"dead\"]');
         INSERT INTO delivery_attempts (notification_id, attempt, channel, started_at)
         SELECT id, 1, 'whatsapp', created_at FROM booking_notifications WHERE phone = '+79000000009';",
    )
    .unwrap();
    drop(conn);
    let erased = prune_all(&world, 180).await;
    assert_eq!((erased.events, erased.bookings), (2, 1), "{erased:?}");
    assert!(
        erased.notifications >= 3 && erased.messages == 2,
        "{erased:?}"
    );
    assert_eq!(
        world.rows("SELECT status FROM booking_notifications ORDER BY id"),
        ["pending", "held", "sending", "uncertain"]
    );
    assert_eq!(world.rows("SELECT count(*) FROM delivery_attempts"), ["4"]);
    assert_eq!(world.rows("SELECT phone FROM opt_outs"), ["+79000000003"]);
    assert_eq!(
        world.rows("SELECT record_id FROM appointments_cache UNION SELECT record_id FROM known"),
        [ahead.to_string()]
    );
    // What they know of the visit ahead was not forgotten: the change has its old value.
    world
        .sql()
        .execute_batch("DELETE FROM booking_notifications")
        .unwrap();
    world
        .salon
        .reschedule(SALON, ahead, at("2026-08-30T12:00:00"));
    world.tell().await;
    let last = world.told().pop().unwrap();
    assert!(
        last.contains("~29 августа в 14:30~ → *30 августа в 12:00*"),
        "{last}"
    );
}

#[tokio::test]
async fn what_is_younger_stays() {
    let world = World::watching().await;
    world.salon.book(haircut("2026-08-20T15:00:00"));
    world.tell().await;
    assert!(prune_all(&world, 1).await.is_nothing());
    age(&world, 3);
    assert!(!prune_all(&world, 1).await.is_nothing());
}

#[tokio::test]
async fn pruning_by_hand_keeps_what_retention_keeps_and_erases_a_channels_words_to_the_last_byte() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    program.sql(
        "INSERT INTO contacts (id, phone, name, channel, chat_id, opted_out_at)
         VALUES (1, '+79000000001', 'Анна-Канарейка', 'whatsapp', '79000000001@c.us', NULL),
                (2, '+79000000002', 'Вера-Канарейка', 'whatsapp', '79000000002@c.us', '2026-01-01T00:00:00.000Z'),
                (3, '+79000000003', 'Ева', 'telegram', '77', NULL);
         INSERT INTO opt_outs VALUES (111111, '+79000000002', '2026-01-01T00:00:00.000Z');
         INSERT INTO messages (contact_id, channel, direction, phone, chat_id, text, external_id, created_at)
         VALUES (1, 'whatsapp', 'inbound', '+79000000001', '79000000001@c.us', 'слова-канарейки', 'a', '2099-01-01T00:00:00.000Z'),
                (3, 'telegram', 'inbound', '+79000000003', '77', 'останутся', 'b', '2099-01-01T00:00:00.000Z'),
                (3, 'telegram', 'inbound', '+79000000003', '77', 'старые', 'c', '2020-01-01T00:00:00.000Z');",
    );
    let pruned = program.run(&["db", "prune"]).await;
    assert_eq!(pruned.status.code(), Some(0), "{}", stderr(&pruned));
    assert_eq!(
        stdout(&pruned),
        "Удалено: уведомлений 0, событий 0, сообщений 1, прошедших записей 0.\n"
    );
    let erased = program
        .run(&["db", "prune", "--messages", "whatsapp"])
        .await;
    assert_eq!(erased.status.code(), Some(0), "{}", stderr(&erased));
    assert_eq!(
        stdout(&erased),
        "Удалено из whatsapp: сообщений 1, контактов 2.\nОтказы (СТОП) остались в силе, без имён.\n"
    );
    assert_eq!(
        program.rows("SELECT phone || name FROM contacts ORDER BY id"),
        ["+79000000002", "+79000000003Ева"]
    );
    assert_eq!(program.rows("SELECT text FROM messages"), ["останутся"]);
    assert_eq!(program.rows("SELECT phone FROM opt_outs"), ["+79000000002"]);
    for ending in ["", "-wal"] {
        let name = format!("booking-monitor.db{ending}");
        let bytes = std::fs::read(program.folder.path().join(name)).unwrap_or_default();
        for word in ["анарейк", "79000000001"] {
            let found = bytes.windows(word.len()).any(|w| w == word.as_bytes());
            assert!(!found, "{word} is still in the file{ending}");
        }
    }
    let unknown = program.run(&["db", "prune", "--messages", "whatsup"]).await;
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("the configuration names: whatsapp"));
}

#[tokio::test]
async fn db_check_says_in_plain_words_what_is_well_and_what_is_not() {
    let program = Program::new().await;
    let none = program.run(&["db", "check"]).await;
    assert_eq!(none.status.code(), Some(1));
    assert!(
        stderr(&none).contains("no database at"),
        "{}",
        stderr(&none)
    );
    program.run(&["--once"]).await;
    let well = program.run(&["db", "check"]).await;
    assert_eq!(well.status.code(), Some(0), "{}", stderr(&well));
    let said = stdout(&well);
    let lines: Vec<&str> = said.lines().filter(|l| !l.contains("на диске")).collect();
    assert_eq!(
        lines,
        [
            "✓ все страницы целы",
            "✓ все ссылки между таблицами на месте",
            "✓ все таблицы на месте",
            "✓ та самая база, запусков и копий: 1",
            "База цела."
        ]
    );
    program.sql(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO delivery_attempts (notification_id, attempt, channel, started_at)
         VALUES (4711, 1, 'whatsapp', '2026-01-01T00:00:00.000Z');
         DROP VIEW event_stats_24h;",
    );
    let id = program.folder.path().join("booking-monitor.db.id");
    std::fs::write(&id, "another 1\n").unwrap();
    std::fs::set_permissions(&id, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ill = program.run(&["db", "check"]).await;
    assert_eq!(ill.status.code(), Some(1), "{}", stderr(&ill));
    for line in [
        "✗ строки ссылаются на то, чего нет: delivery_attempts 1",
        "✗ не хватает: view event_stats_24h",
        "✗ это не та база, что была здесь раньше (файл .id о другой)",
        "! файл могут читать другие:",
        "База не годится.",
    ] {
        assert!(stdout(&ill).contains(line), "{line} in {}", stdout(&ill));
    }
    std::fs::write(program.database(), "").unwrap();
    let gone = program.run(&["db", "check"]).await;
    assert_eq!(gone.status.code(), Some(1), "{}", stderr(&gone));
    assert!(
        stdout(&gone).contains("✗ базы нет или она пуста"),
        "{}",
        stdout(&gone)
    );
}

#[tokio::test]
async fn a_database_that_cannot_be_looked_at_is_not_said_to_be_unfit() {
    let program = Program::new().await;
    let state = program.folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    program.configure("[database]\npath = \"state/booking-monitor.db\"");
    let first = program.run(&["--once"]).await;
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let database = state.join("booking-monitor.db");
    write_down(&database);
    if !given_to_nobody(&database) || !given_to_nobody(&state) {
        return;
    }
    // No room for what a reader shares with writers, as on a full disk.
    for ending in ["-wal", "-shm"] {
        drop(std::fs::remove_file(
            state.join(format!("booking-monitor.db{ending}")),
        ));
    }
    let marker = state.join("booking-monitor.db.id");
    std::fs::set_permissions(&marker, std::fs::Permissions::from_mode(0o644)).unwrap();
    for folder in [program.folder.path(), &state] {
        let mode = std::fs::Permissions::from_mode(0o555);
        std::fs::set_permissions(folder, mode).unwrap();
    }
    let still = program.run(&["db", "check"]).await;
    assert_eq!(
        still.status.code(),
        Some(0),
        "{}{}",
        stdout(&still),
        stderr(&still)
    );
    assert!(stdout(&still).contains("База цела."), "{}", stdout(&still));

    // A log of a writer that nobody may read without that room.
    std::fs::write(state.join("booking-monitor.db-wal"), "log").unwrap();
    let unseen = program.run(&["db", "check"]).await;
    assert_eq!(unseen.status.code(), Some(1), "{}", stdout(&unseen));
    assert_eq!(stdout(&unseen), "");
    assert!(
        stderr(&unseen).contains("hint: the folder of `database.path` must exist and be writable"),
        "{}",
        stderr(&unseen)
    );
}

#[tokio::test]
async fn what_a_copy_knows_is_said_by_the_salons_clock() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let copy = program.folder.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    let made = program.run(&["db", "backup", copy]).await;
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    program.sql("UPDATE companies SET cursor_at = NULL, last_poll_at = NULL");
    let conn = Connection::open(copy).unwrap();
    conn.execute_batch(
        "UPDATE companies SET cursor_at = '2026-08-20T09:00:00.000Z',
                last_poll_at = '2026-08-20T09:00:00.000Z', zone = 'Asia/Vladivostok'",
    )
    .unwrap();
    drop(conn);
    let done = program.run(&["db", "restore", copy]).await;
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert!(
        stdout(&done).contains("Она знает журнал на 20.08.2026 19:00\n"),
        "{}",
        stdout(&done)
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_file_of_a_copy_is_not_said_of_the_disk() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let copies = program.folder.path().join("copies");
    std::fs::create_dir(&copies).unwrap();
    let folder = program
        .run(&["db", "restore", copies.to_str().unwrap()])
        .await;
    assert_eq!(folder.status.code(), Some(1));
    assert_eq!(
        stderr(&folder),
        format!(
            "error: {} is a folder, no copy\n\nhint: name one of the files in it\n",
            copies.display()
        )
    );
    // As the owner of the database's folder the program may not read what root alone may.
    let copy = copies.join("copy.db");
    let made = program.run(&["db", "backup", copy.to_str().unwrap()]).await;
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    if !given_to_nobody(program.folder.path()) {
        return;
    }
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(program.folder.path(), open).unwrap();
    let barred = program
        .run(&["db", "restore", copy.to_str().unwrap()])
        .await;
    assert_eq!(barred.status.code(), Some(1), "{}", stdout(&barred));
    assert!(
        stderr(&barred).starts_with(&format!("error: cannot read {}", copy.display())),
        "{}",
        stderr(&barred)
    );
    assert!(
        stderr(&barred).contains("put the copy where that user may read it"),
        "{}",
        stderr(&barred)
    );
}

#[tokio::test]
async fn a_visit_of_the_past_that_retention_took_is_no_new_booking_when_it_is_edited() {
    let owner = r#"owner = [{ channel = "telegram", to = "500" }]"#;
    let mut world = World::with("", owner).await;
    world.config.database.retention = std::time::Duration::from_hours(24);
    world.restart().await;
    world.poll().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let before = world.owner_told().len();
    world.advance("4d");
    world.poll().await;
    while !prune_all(&world, 1).await.is_nothing() {}
    assert_eq!(world.rows("SELECT count(*) FROM appointments_cache"), ["0"]);
    world
        .salon
        .edit(SALON, record, |row| row["comment"] = "оплачено".into());
    world.tell().await;
    assert_eq!(world.rows("SELECT event_type FROM booking_events"), [""; 0]);
    assert_eq!(world.owner_told()[before..], [""; 0]);
    // One that is entered only now is news to the owner, however long ago it was.
    world.salon.book(haircut("2026-08-21T16:30:00"));
    world.tell().await;
    assert_eq!(
        world.rows("SELECT event_type FROM booking_events"),
        ["record.created"]
    );
    assert_eq!(world.owner_told()[before..].len(), 1);
}
