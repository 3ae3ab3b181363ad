//! `forget`: a person's name and number are nowhere in the files any more, come back with no
//! reading, and nothing is sent, until they write themselves.

use std::path::Path;
use std::time::Duration;

use crate::support::fake::Answer;
use crate::support::program::{Program, start, stderr, stdout};
use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::domain::phone::Phone;
use booking_monitor::ports::Clock as _;
use booking_monitor::store;

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500", events = ["created", "updated", "cancelled"] }]"#;
const NAME: &str = "Серафима";
const OTHER: &str = "+79000000002";

/// What would give the person away, in any file.
const TRACES: [&str; 6] = [
    "9000000001",
    "900 000-00-01",
    "900 000 00 01",
    "(900) 000-00-01",
    NAME,
    "аллергия",
];

/// Every file of the folder that holds one of these words; the copies a migration keeps included.
fn files_with(folder: &Path, traces: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        // The log of a database that has just been closed goes away by itself.
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        for trace in traces {
            let holds = bytes.windows(trace.len()).any(|w| w == trace.as_bytes());
            if holds && path.extension().is_none_or(|e| e != "toml") {
                found.push(format!("{}: {trace}", path.display()));
            }
        }
    }
    found
}

/// Everything that a person may have left behind: bookings told and untold, a cancelled one, an
/// uncertain send, words, an answer, copies and cards for the owner, a pause, a friend's comment.
async fn known_well() -> (World, i64) {
    let world = World::watching_with("", OWNED).await;
    let theirs = |start: &str| {
        haircut(start)
            .client(NAME, "8 (900) 000-00-01")
            .comment("аллергия на краску, звонить +7 900 000 00 01")
    };
    let record = world.salon.book(theirs("2026-08-25T14:30:00"));
    let other = world.salon.book(theirs("2026-08-26T10:00:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-25T16:00:00"));
    world.green.answer_next(Answer::http(
        400,
        r#"{"message":"Серафима 79000000001 is unknown"}"#,
    ));
    world.tell().await;
    world.salon.cancel(SALON, other);
    world.salon.book(
        haircut("2026-08-27T10:00:00")
            .client("Вера", OTHER)
            .comment("подруга Серафимы, её номер 8-900-000-00-01"),
    );
    world.green.push_text("79000000001", "Это Серафима, буду");
    world
        .green
        .push_text("79000000002", "звоните лучше 8 900 000 00 01");
    world.receive().await;
    world.tell().await;
    let forwarded = world.telegram.sent();
    let words = forwarded.iter().find(|s| s.text.contains("буду")).unwrap();
    let mut answer = crate::support::telegram::private(500);
    answer["message_id"] = 7001.into();
    answer["text"] = "Серафима, ждём вас".into();
    answer["reply_to_message"] =
        serde_json::json!({"message_id": words.id.parse::<i64>().unwrap()});
    world
        .telegram
        .push_update(serde_json::json!({ "message": answer }));
    world.receive().await;
    world.turn().await;
    // Waits to be told when the program is asked to forget.
    world
        .salon
        .reschedule(SALON, record, at("2026-08-25T17:00:00"));
    world.poll().await;
    (world, record)
}

fn forget(world: &mut World, written: &str) {
    world.stop();
    let phone = Phone::parse(written, "RU").unwrap();
    let erased = store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    assert_eq!((erased.bookings, erased.messages), (2, 2));
}

#[tokio::test]
async fn not_a_byte_of_the_number_and_the_name_stays_in_any_file() {
    let (mut world, _) = known_well().await;
    let before = files_with(world.folder.path(), &TRACES);
    assert_eq!(before.len(), 5, "{before:?}");
    forget(&mut world, "8 900 000 00 01");
    assert_eq!(files_with(world.folder.path(), &TRACES), [""; 0]);
    assert_eq!(
        world.rows(
            "SELECT client_name, client_phone FROM appointments_cache WHERE client_name <> ''"
        ),
        [format!("Вера|{OTHER}")],
        "others stay"
    );
}

#[tokio::test]
async fn no_reading_brings_them_back_and_nothing_is_sent() {
    let (mut world, record) = known_well().await;
    forget(&mut world, "+7 900 000-00-01");
    let told = world.told().len();
    world.start().await;
    world.tell().await;
    // Moved, cancelled, booked anew under another spelling, and all of it read whole.
    world
        .salon
        .reschedule(SALON, record, at("2026-08-25T18:00:00"));
    world.tell().await;
    world.salon.cancel(SALON, record);
    world
        .salon
        .book(haircut("2026-08-28T11:00:00").client(NAME, "9000000001"));
    world.tell().await;
    world.salon.hide_phones(SALON);
    world.advance("16m");
    world.tell().await;
    world.salon.show_phones(SALON);
    world.advance("16m");
    world.tell().await;
    assert_eq!(world.told().len(), told);
    let decisions = world.decisions();
    assert_eq!(decisions.last().unwrap(), "created|suppressed|forgotten");
    assert!(
        !decisions.iter().any(|d| d.contains("pending")),
        "{decisions:?}"
    );
    // The owner hears what happened, and of whom not.
    let told = world.owner_told();
    let copy = told.iter().rfind(|t| !t.starts_with('⏰')).unwrap();
    assert!(
        copy.contains("Клиенту не сообщили: данные клиента удалены"),
        "{copy}"
    );
    assert!(!copy.contains(NAME) && !copy.contains("00-01"), "{copy}");
    assert!(!world.owner_told().last().unwrap().contains("Позвоните"));
    assert_eq!(world.poll().await.counts.events(), 0);
    world.stop();
    assert_eq!(files_with(world.folder.path(), &TRACES), [""; 0]);
}

#[tokio::test]
async fn who_writes_again_is_served_again_from_what_they_see() {
    let (mut world, record) = known_well().await;
    forget(&mut world, PHONE);
    world.start().await;
    world.tell().await;
    let told = world.told().len();
    world.green.push_text("79000000001", "Здравствуйте");
    world.receive().await;
    world.advance("16m");
    world.tell().await;
    assert_eq!(world.told().len(), told, "what stands is no news");
    world
        .salon
        .reschedule(SALON, record, at("2026-08-25T19:00:00"));
    world.tell().await;
    let last = world.told().pop().unwrap();
    assert!(
        last.contains("~25 августа в 17:00~ → *25 августа в 19:00*"),
        "{last}"
    );
}

#[tokio::test]
async fn silence_asked_for_outlives_being_forgotten() {
    let (mut world, record) = known_well().await;
    world.green.push_text("79000000001", "стоп");
    world.receive().await;
    world.deliver().await;
    world.stop();
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    assert_eq!(files_with(world.folder.path(), &TRACES), [""; 0]);
    assert_eq!(world.rows("SELECT count(*) FROM opt_outs"), ["1"]);
    world.start().await;
    world.green.push_text("79000000001", "А можно вопрос?");
    world.receive().await;
    let told = world.told().len();
    world
        .salon
        .reschedule(SALON, record, at("2026-08-25T19:00:00"));
    world.advance("16m");
    world.tell().await;
    assert_eq!(world.told().len(), told);
    assert_eq!(
        world.rows("SELECT phone FROM opt_outs"),
        [PHONE],
        "they wrote, and their silence holds"
    );
    assert_eq!(
        world.decisions().last().unwrap(),
        "updated|suppressed|opted_out"
    );
}

#[tokio::test]
async fn whoever_was_never_here_stays_unknown() {
    let mut world = World::watching().await;
    world.stop();
    let phone = Phone::parse(PHONE, "RU").unwrap();
    let erased = store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    assert_eq!(erased, store::Erased::default());
    world.start().await;
    world
        .salon
        .book(haircut("2026-08-25T14:30:00").client(NAME, PHONE));
    world.tell().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(world.decisions(), ["created|suppressed|forgotten"]);
    world.stop();
    assert_eq!(files_with(world.folder.path(), &TRACES), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_takes_the_lock_names_the_copies_and_leaves_verify_content() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let day = start(1).format("%Y-%m-%dT%H:%M:%S").to_string();
    let record = program.salon.book(haircut(&day).client(NAME, PHONE));
    program.run(&["--once", "--drain"]).await;
    program.run(&["--once", "--drain"]).await;
    assert_eq!(program.green.sent().len(), 1);
    // Those of the single runs before do not show that the daemon is up.
    let asked = program.green.count("receiveNotification");
    let daemon = program.daemon();
    program
        .green
        .wait_for_requests("receiveNotification", asked + 1)
        .await;
    let refused = program.run(&["forget", PHONE]).await;
    assert_eq!(refused.status.code(), Some(75), "{}", stderr(&refused));
    daemon.signal("TERM");
    daemon.end(Duration::from_secs(15)).await;
    let wrong = program.run(&["forget", "12"]).await;
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
    let copy = program.folder.path().join("booking-monitor.db.schema-1");
    std::fs::write(&copy, "").unwrap();
    // A backup of another name is a copy, too; another database is none.
    let backup = program.folder.path().join("копия за ноябрь.db");
    let made = program
        .run(&["db", "backup", backup.to_str().unwrap()])
        .await;
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let stranger = program.folder.path().join("stranger.db");
    store::Store::open(&stranger)
        .await
        .unwrap()
        .close()
        .await
        .unwrap();

    let done = program.run(&["forget", "8 900 000-00-01"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let said = stdout(&done);
    assert!(
        said.starts_with(
            "+7 *** ***-**-01: стёрто имя и телефон. Записей: 1, уведомлений: 1, сообщений: 0.\n"
        ),
        "{said}"
    );
    assert!(
        said.contains(&format!("\n  {}\n", copy.display())),
        "{said}"
    );
    assert!(
        said.contains(&format!("\n  {}\n", backup.display())),
        "{said}"
    );
    assert!(!said.contains("stranger"), "{said}");
    std::fs::remove_file(&backup).unwrap();
    assert_eq!(files_with(program.folder.path(), &TRACES), [""; 0]);
    let same = program.run(&["verify"]).await;
    assert_eq!(same.status.code(), Some(0), "{}", stdout(&same));
    let story = stdout(&program.run(&["explain", &record.to_string()]).await);
    assert!(story.contains("Данные клиента удалены"), "{story}");
    let story = program
        .run(&["explain", &record.to_string(), "--json"])
        .await;
    assert!(!stdout(&story).contains(NAME), "{}", stdout(&story));
}

#[tokio::test]
async fn a_backup_from_before_brings_nobody_back() {
    let (mut world, _) = known_well().await;
    let backup = tempfile::tempdir().unwrap();
    let copy = backup.path().join("copy.db");
    world.stop();
    store::backup(&world.database(), &copy).unwrap();
    assert_ne!(files_with(backup.path(), &TRACES), [""; 0]);
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    store::restore(&world.database(), &copy).unwrap();
    assert_eq!(files_with(world.folder.path(), &TRACES), [""; 0]);
    world.start().await;
    world.advance("15m");
    world.tell().await;
    world.stop();
    assert_eq!(files_with(world.folder.path(), &TRACES), [""; 0]);
}

#[tokio::test]
async fn words_written_before_being_forgotten_bring_nobody_back() {
    let (mut world, _) = known_well().await;
    // On its way when the daemon is stopped.
    let now = world.clock.now();
    let words = "Это Серафима, удалите мои данные";
    world.green.push_text_at("79000000001", words, now);
    world.advance("1m");
    forget(&mut world, PHONE);
    world.start().await;
    world.receive().await;
    world.advance("16m");
    world.tell().await;
    world.stop();
    assert_eq!(files_with(world.folder.path(), &TRACES), [""; 0]);
}

#[tokio::test]
async fn what_no_channel_took_from_somebody_forgotten_is_not_sent_again() {
    let mut world = World::watching_with("", OWNED).await;
    world
        .green
        .answer_next(Answer::http(400, r#"{"message":"refused"}"#));
    world
        .salon
        .book(haircut("2026-08-25T14:30:00").client(NAME, PHONE));
    world.tell().await;
    assert_eq!(world.decisions(), ["created|dead|"]);
    world.stop();
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    world.start().await;
    assert_eq!(world.decisions(), ["created|suppressed|forgotten"]);
    world.tell().await;
    assert_eq!(world.told(), [""; 0]);
}

/// A copy is restored over the database that has forgotten the person since. What stays of them?
async fn restored_over_forgotten(mut world: World, statements: &str) -> World {
    world.stop();
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("copy.db");
    store::backup(&world.database(), &copy).unwrap();
    rusqlite::Connection::open(&copy)
        .unwrap()
        .execute_batch(statements)
        .unwrap();
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    store::restore(&world.database(), &copy).unwrap();
    world
}

#[tokio::test]
async fn a_restored_copy_is_searched_wherever_a_number_can_stand() {
    const MOMENT: &str = "2026-08-20T12:00:00.000Z";
    let notification = |phone: &str, recipient: &str, message: &str| {
        format!(
            "INSERT INTO booking_notifications (company_id, record_id, visit_id, unit, kind, phone,
                recipient, channel, status, message, first_change_at, changed_at, due_at, created_at)
             VALUES (111111, 0, 0, '', 'reply', '{phone}', '{recipient}', 'whatsapp', 'sent',
                '{message}', '{MOMENT}', '{MOMENT}', '{MOMENT}', '{MOMENT}');"
        )
    };
    let statements = [
        format!("INSERT INTO opt_outs VALUES (111111, '{PHONE}', '{MOMENT}')"),
        format!("INSERT INTO pauses (phone, since) VALUES ('{PHONE}', '{MOMENT}')"),
        "INSERT INTO contacts (phone, name, channel, chat_id)
         VALUES ('', 'Серафима', 'whatsapp', '79000000001@c.us')"
            .to_owned(),
        format!(
            "INSERT INTO messages (channel, direction, phone, chat_id, text, external_id, created_at)
             VALUES ('whatsapp', 'inbound', '', '79000000001@c.us', 'Это Серафима', 'x', '{MOMENT}')"
        ),
        notification("", PHONE, "Серафима, ждём"),
        notification("+79000000002", "+79000000002", "звоните: дом 12, 9000000001"),
        format!(
            "INSERT INTO booking_events
                (event_id, event_type, company_id, record_id, payload, before_state, created_at)
             VALUES ('a', 'record.updated', 111111, 77,
                '{{\"data\":{{\"client\":{{\"id\":5,\"name\":\"Серафима\",\"phone\":\"{PHONE}\"}},\"comment\":\"аллергия\"}},
                  \"changes\":{{\"comment\":{{\"old\":\"\",\"new\":\"аллергия\"}}}}}}',
                '{{\"client\":{{\"id\":5,\"name\":\"Серафима\",\"phone\":\"{PHONE}\"}},\"comment\":\"аллергия\"}}', '{MOMENT}')"
        ),
        format!("INSERT INTO settling VALUES (111111, 'v1', '{PHONE}', '{MOMENT}', '{MOMENT}')"),
    ];
    // Each is found by itself.
    for statement in statements {
        let world = World::watching().await;
        let world = restored_over_forgotten(world, &statement).await;
        assert_eq!(
            files_with(world.folder.path(), &TRACES),
            [""; 0],
            "{statement}"
        );
    }
}

/// A salon whose phones are hidden after a first booking of theirs was told: another one and a note
/// of it come without a number.
async fn hidden_since() -> World {
    let world = World::watching_with("", OWNED).await;
    for n in 2..6 {
        let phone = format!("+790000000{n:02}");
        world
            .salon
            .book(haircut("2026-08-22T10:00:00").client("Вера", &phone));
    }
    let theirs = |start: &str| haircut(start).client(NAME, PHONE);
    world.salon.book(theirs("2026-08-25T14:30:00"));
    world.tell().await;
    world.salon.hide_phones(SALON);
    world.advance("16m");
    world.tell().await;
    let hidden = world
        .salon
        .book(theirs("2026-08-26T10:00:00").comment("аллергия"));
    world.tell().await;
    world.salon.edit(SALON, hidden, |row| {
        row["comment"] = "аллергия на всё".into();
    });
    world
        .salon
        .reschedule(SALON, hidden, at("2026-08-26T12:00:00"));
    world.tell().await;
    world
}

#[tokio::test]
async fn bookings_that_came_without_a_number_are_theirs_by_the_client() {
    let mut world = hidden_since().await;
    world.stop();
    assert_ne!(files_with(world.folder.path(), &TRACES), [""; 0]);
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    assert_eq!(files_with(world.folder.path(), &TRACES), [""; 0]);
    assert_eq!(
        world.rows("SELECT count(*) FROM appointments_cache WHERE client_name = 'Вера'"),
        ["4"],
        "others stay"
    );
    assert_eq!(
        world.rows(
            "SELECT count(*) FROM appointments_cache
              WHERE json_extract(snapshot, '$.client.forgotten')"
        ),
        ["2"]
    );
    assert_eq!(
        world.rows(
            "SELECT count(*) FROM known k JOIN appointments_cache c USING (company_id, record_id)
              WHERE json_extract(c.snapshot, '$.client.forgotten')"
        ),
        ["0"]
    );
    let told = world.told().len();
    world.start().await;
    world.tell().await;
    world.salon.show_phones(SALON);
    for _ in 0..3 {
        world.advance("16m");
        world.tell().await;
    }
    assert_eq!(world.told().len(), told, "{:?}", world.told());
    world.stop();
    assert_eq!(files_with(world.folder.path(), &TRACES), [""; 0]);
}

#[tokio::test]
async fn a_restored_copy_without_numbers_is_searched_by_the_client() {
    let mut world = hidden_since().await;
    world.stop();
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("copy.db");
    store::backup(&world.database(), &copy).unwrap();
    // All of their bookings came without a number.
    rusqlite::Connection::open(&copy)
        .unwrap()
        .execute_batch(
            "DELETE FROM booking_notifications WHERE phone = '+79000000001';
             DELETE FROM booking_events WHERE payload LIKE '%+79000000001%';
             DELETE FROM booking_events WHERE before_state LIKE '%+79000000001%';
             UPDATE known SET phone = '', states = replace(states, '\"+79000000001\"', 'null')
              WHERE phone = '+79000000001';",
        )
        .unwrap();
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    store::restore(&world.database(), &copy).unwrap();
    assert_eq!(files_with(world.folder.path(), &TRACES), [""; 0]);
}

#[tokio::test]
async fn another_number_of_the_same_client_is_another_person() {
    let mut world = World::watching_with("", OWNED).await;
    let record = world
        .salon
        .book(haircut("2026-08-25T14:30:00").client(NAME, PHONE));
    world.tell().await;
    // The number was mistyped: it is somebody else's who wants to be forgotten.
    world.salon.edit(SALON, record, |row| {
        row["client"]["phone"] = OTHER.into();
    });
    world.tell().await;
    world.stop();
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    assert_eq!(files_with(world.folder.path(), &["9000000001"]), [""; 0]);
    world.start().await;
    let told = world.told().len();
    world
        .salon
        .reschedule(SALON, record, at("2026-08-26T12:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), told + 1, "{:?}", world.decisions());
}
