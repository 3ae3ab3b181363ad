//! The store under fire: full and read-only disks, damaged and foreign files, another user's files.
//! Nothing is sent without an intent on the disk; what can pass is waited for.
//!
//! Real disks are small tmpfs mounts, which only root can make. Without root those tests say that
//! they were skipped; what a full disk does to the stages is shown without one too.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::program::{Program, stderr, stdout};
use crate::support::telegram::{self, Telegram};
use crate::support::world::{World, haircut};
use booking_monitor::store::{self, Ailment, Store, StoreError};
use rusqlite::Connection;

/// A small disk of our own, gone with this value.
struct Disk(PathBuf);

impl Disk {
    /// `None`, and a word on stderr, where this user cannot mount one.
    fn mount(folder: &Path, options: &str) -> Option<Self> {
        let path = folder.join("disk");
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(&path)
            .output();
        if mounted.is_ok_and(|m| m.status.success()) {
            return Some(Self(path));
        }
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED: a small disk can only be mounted by root").unwrap();
        None
    }

    /// Takes every byte that is left.
    fn fill(&self) {
        let mut filler = fs::File::create(self.0.join("filler")).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            while filler.write_all(&vec![1; size]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }

    fn remount(&self, how: &str) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(&self.0)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

/// The database on this path, an owner in Telegram.
fn configure(program: &Program, owner: &Telegram, database: &Path) {
    program.configure(&format!(
        r#"owner = [{{ channel = "owners", to = "500", events = [], alerts = true }}]
[channels.owners]
type = "telegram"
api_url = "{}"
token = "{}"
[database]
path = "{}""#,
        owner.url,
        telegram::TOKEN,
        database.display()
    ));
}

fn texts(owner: &Telegram) -> Vec<String> {
    owner.sent().into_iter().map(|s| s.text).collect()
}

const FULL: &str = "\
⚠️ <b>База данных: нет места на диске</b>
Ничего нельзя записать, поэтому клиентам ничего не отправляю: сообщения ждут.
Освободите место на сервере, дальше всё пойдёт само.";
const READ_ONLY: &str = "\
⚠️ <b>База данных: диск доступен только для чтения</b>
Ничего нельзя записать, поэтому клиентам ничего не отправляю: сообщения ждут.
Так бывает после сбоя диска: проверьте сервер. Дальше всё пойдёт само.";
const REFUSED: &str = "\
⚠️ <b>База данных: повреждена, пропала или не та</b>
Клиентам ничего не отправляю и жду человека.
На сервере: booking-monitor db check, затем booking-monitor db restore с копией.";
const WELL: &str = "✅ <b>База данных снова в порядке</b>\nПерерыв ";

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_the_daemon_sends_nothing_says_so_once_and_goes_on_by_itself() {
    let program = Program::new().await;
    let Some(disk) = Disk::mount(program.folder.path(), "size=12m") else {
        return;
    };
    let owner = Telegram::start().await;
    configure(&program, &owner, &disk.0.join("a.db"));
    assert_eq!(program.run(&["--once"]).await.status.code(), Some(0));
    let daemon = program.daemon();
    let asked = program.salon.requests().len();
    while program.salon.requests().len() == asked {
        tokio::task::yield_now().await;
    }
    disk.fill();
    program.book();
    owner.wait_for(1).await;
    assert_eq!(texts(&owner), [FULL]);
    assert_eq!(program.green.sent().len(), 0);
    disk.free();
    program.green.wait_for(1).await;
    owner.wait_for(2).await;
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("error: "), "{log}");
    assert!(log.contains("hint: the disk is full"), "{log}");
    assert!(
        !log.contains("9000000001") && !log.contains("Анна"),
        "{log}"
    );
    let told = texts(&owner);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with(WELL), "{}", told[1]);
    assert_eq!(program.green.sent().len(), 1);
    let conn = Connection::open(disk.0.join("a.db")).unwrap();
    let tries: i64 = conn
        .query_row(
            "SELECT count(*) FROM delivery_attempts WHERE channel = 'whatsapp'",
            [],
            |r| r.get(0),
        )
        .unwrap();
    assert_eq!(tries, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn once_on_a_full_disk_fails_plainly_and_tells_the_owner_one_time() {
    let program = Program::new().await;
    let Some(disk) = Disk::mount(program.folder.path(), "size=12m") else {
        return;
    };
    let owner = Telegram::start().await;
    configure(&program, &owner, &disk.0.join("a.db"));
    assert_eq!(program.run(&["--once"]).await.status.code(), Some(0));
    program.book();
    disk.fill();
    for _ in 0..2 {
        let run = program.run(&["--once", "--drain"]).await;
        assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
        assert!(
            stderr(&run).contains("hint: the disk is full"),
            "{}",
            stderr(&run)
        );
    }
    assert_eq!(texts(&owner), [FULL]);
    assert_eq!(program.green.sent().len(), 0);
    let status = program.run(&["status", "--json"]).await;
    assert_eq!(status.status.code(), Some(1), "{}", stderr(&status));
    let json: serde_json::Value = serde_json::from_str(&stdout(&status)).unwrap();
    assert!(json["database"]["trouble_since"].is_string(), "{json}");
    assert_eq!(json["database"]["little_room"], true);
    disk.free();
    let run = program.run(&["--once", "--drain"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert_eq!(program.green.sent().len(), 1);
    let told = texts(&owner);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with(WELL), "{}", told[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_file_can_be_made_the_disk_counts_as_full() {
    let program = Program::new().await;
    let Some(disk) = Disk::mount(program.folder.path(), "size=12m,nr_inodes=12") else {
        return;
    };
    let owner = Telegram::start().await;
    configure(&program, &owner, &disk.0.join("a.db"));
    assert_eq!(program.run(&["--once"]).await.status.code(), Some(0));
    program.book();
    let spare: Vec<PathBuf> = (0..20).map(|n| disk.0.join(format!("spare-{n}"))).collect();
    let made = spare.iter().filter(|path| fs::write(path, "").is_ok());
    assert!(made.count() < spare.len());
    let run = program.run(&["--once"]).await;
    assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
    assert!(
        stderr(&run).contains("hint: the disk is full"),
        "{}",
        stderr(&run)
    );
    let daemon = program.daemon();
    owner.wait_for(1).await;
    assert_eq!(texts(&owner), [FULL]);
    assert_eq!(program.green.sent().len(), 0);
    for path in spare.iter().filter(|path| path.exists()) {
        fs::remove_file(path).unwrap();
    }
    program.green.wait_for(1).await;
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ballast_makes_room_for_what_is_under_way() {
    let program = Program::new().await;
    let Some(disk) = Disk::mount(program.folder.path(), "size=100m") else {
        return;
    };
    let owner = Telegram::start().await;
    configure(&program, &owner, &disk.0.join("a.db"));
    assert_eq!(program.run(&["--once"]).await.status.code(), Some(0));
    let ballast = disk.0.join("a.db.ballast");
    let meta = fs::metadata(&ballast).unwrap();
    assert_eq!(
        (meta.blocks() * 512, meta.permissions().mode() & 0o777),
        (8 << 20, 0o600)
    );
    disk.fill();
    program.book();
    let daemon = program.daemon();
    // On the ballast's room the salon is served for a while, and the owner has been warned.
    program.green.wait_for(1).await;
    owner.wait_for(1).await;
    assert_eq!(texts(&owner), [FULL]);
    assert!(!ballast.exists());
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
    disk.free();
    assert_eq!(program.run(&["--once"]).await.status.code(), Some(0));
    assert!(ballast.exists(), "set aside again");
    assert_eq!(texts(&owner).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_no_writes_is_said_and_waited_for() {
    let program = Program::new().await;
    let Some(disk) = Disk::mount(program.folder.path(), "size=12m") else {
        return;
    };
    let owner = Telegram::start().await;
    configure(&program, &owner, &disk.0.join("a.db"));
    assert_eq!(program.run(&["--once"]).await.status.code(), Some(0));
    program.book();
    let asked = program.salon.requests().len();
    disk.remount("ro");
    let run = program.run(&["--once"]).await;
    assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
    assert!(
        stderr(&run).contains("hint: the disk takes no writes"),
        "{}",
        stderr(&run)
    );
    assert_eq!(program.salon.requests().len(), asked);
    assert_eq!(
        texts(&owner),
        [""; 0],
        "cron would tell them every five minutes"
    );
    let daemon = program.daemon();
    owner.wait_for(1).await;
    assert_eq!(texts(&owner), [READ_ONLY]);
    assert_eq!(program.green.sent().len(), 0);
    disk.remount("rw");
    program.green.wait_for(1).await;
    owner.wait_for(2).await;
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(texts(&owner)[1].starts_with(WELL));
}

#[tokio::test]
async fn a_message_whose_intent_finds_no_room_does_not_leave_and_leaves_once_there_is_some() {
    let world = World::watching().await;
    let store = world.pipeline().store().clone();
    for n in 0..40 {
        world
            .salon
            .book(haircut("2026-08-21T14:30:00").client("Анна", &format!("+790000000{n:02}")));
    }
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    // As full as a disk can be: the file may not grow by a page.
    let set = |pages: &'static str| store.write(move |tx| Ok(tx.execute_batch(pages)?));
    set("PRAGMA max_page_count = 1").await.unwrap();
    let end = std::sync::Arc::clone(&world.pipeline().channels()["whatsapp"]);
    let mut refused = None;
    while refused.is_none() {
        let report = world.pipeline().deliver_due(&end).await;
        match report {
            Err(error) => refused = Some(error),
            Ok(report) => assert!(report.accepted > 0, "nothing is left to send"),
        }
    }
    assert_eq!(refused.unwrap().ailment(), Ailment::NoRoom);
    // Every message that left had its intent on the disk.
    let intents = world.rows("SELECT count(*) FROM delivery_attempts");
    let left = world.green.sent().len();
    assert!(
        intents[0].parse::<usize>().unwrap() >= left,
        "{intents:?} for {left}"
    );
    assert!(left < 40);
    set("PRAGMA max_page_count = 1073741823").await.unwrap();
    world.pipeline().recover_interrupted().await.unwrap();
    world.poll().await;
    world.turn().await;
    world.advance("5m");
    world.poll().await;
    world.turn().await;
    let mut chats: Vec<String> = world.green.sent().into_iter().map(|s| s.chat).collect();
    chats.sort();
    let all = chats.len();
    chats.dedup();
    assert_eq!((all, chats.len()), (40, 40));
}

/// A database with some pages' worth of rows, closed in peace.
async fn filled(path: &Path, rows: u32) {
    Store::open(path).await.unwrap().close().await.unwrap();
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO messages (channel, direction, phone, chat_id, text, external_id, created_at)
         SELECT 'whatsapp', 'inbound', '', '1', hex(randomblob(200)), i, '2026-08-20T09:00:00.000Z' FROM n;
         PRAGMA wal_checkpoint(TRUNCATE);"
    ))
    .unwrap();
}

#[tokio::test]
async fn after_a_damaged_page_nothing_is_read_or_written_over_the_same_connections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    filled(&path, 2000).await;
    let store = Store::open(&path).await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let tail = bytes.len() / 2;
    for byte in &mut bytes[tail..] {
        *byte ^= 0x5A;
    }
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all(&bytes).unwrap();
    let read = store
        .read(|c| {
            Ok(
                c.query_row("SELECT sum(length(text)) FROM messages", [], |r| {
                    r.get::<_, i64>(0)
                })?,
            )
        })
        .await;
    assert_eq!(read.unwrap_err().ailment(), Ailment::Damaged);
    let written = store
        .write(|tx| Ok(tx.execute("DELETE FROM pauses", [])?))
        .await;
    let refused = written.unwrap_err();
    assert!(matches!(refused, StoreError::Abandoned { .. }), "{refused}");
    assert_eq!(refused.ailment(), Ailment::Damaged);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kinds_of_damage_are_refused_kept_and_told_once() {
    let program = Program::new().await;
    let owner = Telegram::start().await;
    configure(&program, &owner, &program.database());
    program.run(&["--once"]).await;
    filled(&program.database(), 2000).await;
    program.book();
    let path = program.database();
    let good = fs::read(&path).unwrap();
    let copy = program.folder.path().join("good.db");
    let made = program.run(&["db", "backup", copy.to_str().unwrap()]).await;
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let pages = good.len() / 4096;
    let mut variants: Vec<(String, Vec<u8>)> = Vec::new();
    for n in 0..12 {
        // Whole pages of noise, spread over the file; the first page last.
        let page = (pages - 1) * (12 - n) / 12;
        let mut bytes = good.clone();
        for (i, byte) in bytes[page * 4096..(page + 1) * 4096].iter_mut().enumerate() {
            *byte = u8::try_from((i * 31 + n * 7) % 251).unwrap();
        }
        variants.push((format!("page {page}"), bytes));
    }
    for part in [1, 2, 3, 5] {
        variants.push((
            format!("{part}/6 of it"),
            good[..good.len() * part / 6].to_vec(),
        ));
    }
    variants.push((
        "a header of noise".into(),
        [&[0x5A; 100], &good[100..]].concat(),
    ));
    variants.push(("a text".into(), b"these are no pages".repeat(500)));
    variants.push(("nothing".into(), Vec::new()));
    variants.push(("one byte".into(), vec![b'S']));
    let asked = program.salon.requests().len();
    for (what, bytes) in &variants {
        for ending in ["-wal", "-shm"] {
            drop(fs::remove_file(format!("{}{ending}", path.display())));
        }
        fs::write(&path, bytes).unwrap();
        let run = program.run(&["--once", "--drain"]).await;
        assert_eq!(run.status.code(), Some(78), "{what}: {}", stderr(&run));
        assert_eq!(fs::read(&path).unwrap(), *bytes, "{what}");
        let check = program.run(&["db", "check"]).await;
        assert_eq!(check.status.code(), Some(1), "{what}: {}", stdout(&check));
    }
    assert_eq!(variants.len(), 20);
    assert_eq!(program.salon.requests().len(), asked);
    assert_eq!(program.green.sent().len(), 0);
    assert_eq!(texts(&owner), [REFUSED]);

    // The drill: the copy in force, nothing told, the owner knows that it is over and what changed.
    let restored = program
        .run(&["db", "restore", copy.to_str().unwrap()])
        .await;
    assert_eq!(restored.status.code(), Some(0), "{}", stderr(&restored));
    let run = program.run(&["--once", "--drain"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert_eq!(program.green.sent().len(), 0);
    let told = texts(&owner);
    assert_eq!(told.len(), 3, "{told:?}");
    let begins = |words: &str| told.iter().filter(|t| t.starts_with(words)).count();
    assert_eq!(
        (begins(WELL), begins("♻️ <b>База восстановлена")),
        (1, 1),
        "{told:?}"
    );
}

/// Lays a log beside a database that was not written with it, and starts.
async fn start_with_log(path: &Path, log: &[u8]) -> Option<StoreError> {
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", path.display()));
    drop(fs::remove_file(beside("-shm")));
    fs::write(beside("-wal"), log).unwrap();
    let before = fs::read(path).unwrap();
    let refused = Store::open(path).await.err();
    assert!(fs::read(path).unwrap() == before, "the file stays as it is");
    assert!(fs::read(beside("-wal")).unwrap() == log, "so does the log");
    refused
}

#[tokio::test]
async fn a_log_that_is_another_databases_is_refused_and_not_worked_into_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (
        folder.path().join("ours.db"),
        folder.path().join("theirs.db"),
    );
    filled(&ours, 2000).await;
    filled(&theirs, 3000).await;
    let other = Connection::open(&theirs).unwrap();
    other
        .execute_batch(
            "DELETE FROM messages WHERE id > 2500; CREATE INDEX x ON messages (chat_id);",
        )
        .unwrap();
    let log = fs::read(folder.path().join("theirs.db-wal")).unwrap();
    assert!(log.len() > 4096);
    let refused = start_with_log(&ours, &log).await.unwrap();
    assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
}

#[tokio::test]
async fn a_backup_laid_under_the_log_of_a_killed_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("a.db"), folder.path().join("copy.db"));
    filled(&path, 2000).await;
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("DELETE FROM messages WHERE id % 5 = 0; PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
    drop(conn);
    store::backup(&path, &copy).unwrap();
    // A start, some work, and the process is gone without a farewell: its log has both.
    let killed = Store::open(&path).await.unwrap();
    killed
        .write(|tx| Ok(tx.execute("DELETE FROM messages WHERE id > 1000", [])?))
        .await
        .unwrap();
    let log = fs::read(folder.path().join("a.db-wal")).unwrap();
    killed.close().await.unwrap();
    fs::copy(&copy, &path).unwrap();
    let refused = start_with_log(&path, &log).await.unwrap();
    assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn started_by_root_it_goes_on_as_the_owner_of_the_folder() {
    const NOBODY: u32 = 65_534;
    let program = Program::new().await;
    let folder = program.folder.path();
    if std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)).is_err() {
        writeln!(
            std::io::stderr(),
            "SKIPPED: only root can give a folder away"
        )
        .unwrap();
        return;
    }
    // Root alone may read the settings.
    fs::set_permissions(program.config(), fs::Permissions::from_mode(0o600)).unwrap();
    program.configure("[database]\nbackup_dir = \"backups\"");
    for arguments in [
        &["--once"][..],
        &["status"],
        &["db", "prune"],
        &["pause"],
        &["db", "check"],
    ] {
        let run = program.run(arguments).await;
        assert_eq!(
            run.status.code(),
            Some(0),
            "{arguments:?}: {}{}",
            stdout(&run),
            stderr(&run)
        );
    }
    let mut seen = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let (path, meta) = entry.map(|e| (e.path(), e.metadata().unwrap())).unwrap();
            if path == program.config() {
                continue;
            }
            assert_eq!(
                (meta.uid(), meta.gid()),
                (NOBODY, NOBODY),
                "{}",
                path.display()
            );
            assert_eq!(meta.permissions().mode() & 0o077, 0, "{}", path.display());
            seen += 1;
            if meta.is_dir() {
                folders.push(path);
            }
        }
    }
    assert!(seen >= 5, "database, marker, lock, backups and a backup");
    let away = tempfile::tempdir().unwrap();
    let target = away.path().join("copy.db");
    let refused = program
        .run(&["db", "backup", target.to_str().unwrap()])
        .await;
    assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
    assert!(
        stderr(&refused).contains("started by root"),
        "{}",
        stderr(&refused)
    );
}
