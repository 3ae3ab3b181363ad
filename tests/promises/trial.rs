//! `send-test`: an emulated event through rendering, outbox and a real channel.

use std::time::Duration;

use crate::support::fake::Answer;
use crate::support::program::{Program, stderr, stdout};
use crate::support::world::{PHONE, SALON, World, haircut};
use booking_monitor::domain::phone::Phone;
use booking_monitor::domain::policy::Kind;
use booking_monitor::domain::settle::{Form, Net};
use booking_monitor::pipeline::trial::{Emulated, Trial};
use booking_monitor::store::cache;

const DECIDED: &str = "SELECT kind || '|' || status || '|' || coalesce(reason, '')
    FROM booking_notifications ORDER BY id";

fn test_of<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["send-test", "--company", "111111", "--phone", "79000000001"];
    arguments.extend(rest);
    arguments
}

#[tokio::test]
async fn every_part_of_an_event_can_be_said_and_the_message_reads_as_a_real_one() {
    let program = Program::new().await;
    let sent = program
        .run(&test_of(&[
            "--event",
            "record.updated",
            "--service",
            "Стрижка",
            "--master",
            "Тимур",
            "--datetime",
            "2025-08-22 16:00",
            "--cost",
            "1000",
            "--old-cost",
            "2000",
            "--discount",
            "50",
            "--old-datetime",
            "2025-08-21T14:30:00+03:00",
            "--old-master",
            "Бари",
            "--client-name",
            "Анна",
            "--channel",
            "whatsapp",
        ]))
        .await;
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let messages = program.green.sent();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].chat, "79000000001@c.us");
    // Never polled, so nothing is known of the salon; the zone is then the one of the instant.
    assert!(
        messages[0]
            .text
            .starts_with("🔄 *Запись изменилась*\n\n📅 ~21 августа 2025 года в "),
        "{}",
        messages[0].text
    );
    for part in [
        "→ *22 августа 2025 года в 16:00*",
        "👤 Мастер: ~Бари~ → *Тимур*",
        "💇 Стрижка",
        "💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)",
    ] {
        assert!(
            messages[0].text.contains(part),
            "{part}: {}",
            messages[0].text
        );
    }
    assert!(
        stdout(&sent).contains("+7 *** ***-**-01"),
        "{}",
        stdout(&sent)
    );
    assert_eq!(program.rows(DECIDED), ["test|sent|"]);
    for table in ["known", "booking_events", "appointments_cache", "settling"] {
        let count = program.rows(&format!("SELECT CAST(count(*) AS TEXT) FROM {table}"));
        assert_eq!(count, ["0"], "{table}");
    }
}

#[tokio::test]
async fn every_kind_can_be_tried() {
    let program = Program::new().await;
    for (kind, head) in [
        ("created", "✅ *Вы записаны!*"),
        ("updated", "🔄 *Запись перенесена*"),
        ("cancelled", "❌ *Запись отменена*"),
        ("no_show", "*Мы вас не дождались* 🤍"),
        ("visited", "*Спасибо, что были у нас!* 🤍"),
        ("reminder", "⏰ *Ждём вас завтра"),
    ] {
        let output = program.run(&test_of(&["--event", kind])).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = program.green.sent().pop().unwrap().text;
        assert!(text.starts_with(head), "{text}");
    }
}

#[tokio::test]
async fn alone_it_sends_the_test_and_nothing_that_waits_for_the_daemon() {
    let program = Program::new().await;
    let first = program.run(&["--once"]).await;
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    program.book();
    // Seen, and not yet due.
    program.run(&["--once"]).await;
    let waiting = program.rows("SELECT CAST(count(*) AS TEXT) FROM settling");
    assert_eq!(waiting, ["1"]);
    let sent = program.run(&test_of(&["--event", "cancelled"])).await;
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let told: Vec<String> = program.green.sent().into_iter().map(|s| s.text).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("❌ *Запись отменена*"), "{}", told[0]);
    assert_eq!(program.rows(DECIDED), ["test|sent|"]);
}

#[tokio::test]
async fn beside_a_daemon_it_is_the_daemon_that_sends() {
    let program = Program::new().await;
    let daemon = program.daemon();
    program
        .green
        .wait_for_requests("receiveNotification", 1)
        .await;
    let sent = program
        .run(&test_of(&["--datetime", "2025-01-01 10:00"]))
        .await;
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    assert_eq!(program.green.sent().len(), 1);
    assert!(
        program.green.sent()[0]
            .text
            .starts_with("✅ *Вы записаны!*")
    );
    assert_eq!(program.rows(DECIDED), ["test|sent|"]);
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(30)).await;
    assert!(status.success(), "{log}");
}

#[tokio::test]
async fn of_the_policy_only_a_stop_counts() {
    let program = Program::new().await;
    program.configure("dry_run = true\nonly_phones = [\"+79000000009\"]\nquiet_hours = \"00:00-23:59\"\nnotify = { created = false }\n");
    program.run(&["--once"]).await;
    let paused = program.run(&["pause"]).await;
    assert_eq!(paused.status.code(), Some(0), "{}", stderr(&paused));
    let sent = program.run(&test_of(&[])).await;
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    assert_eq!(program.green.sent().len(), 1);

    program.sql(
        "INSERT INTO opt_outs (company_id, phone, since)
         VALUES (111111, '+79000000001', '2026-01-01T00:00:00.000Z')",
    );
    let stopped = program.run(&test_of(&[])).await;
    assert_eq!(stopped.status.code(), Some(1));
    assert!(
        stdout(&stopped).contains("клиент отписался"),
        "{}",
        stdout(&stopped)
    );
    assert_eq!(program.green.sent().len(), 1);
    assert_eq!(
        program.rows(DECIDED),
        ["test|sent|", "test|suppressed|opted_out"]
    );
}

#[tokio::test]
async fn what_the_messenger_refuses_goes_nowhere_else_and_says_so() {
    let program = Program::new().await;
    program
        .green
        .answer_next(Answer::http(400, r#"{"message":"bad request"}"#));
    let refused = program.run(&test_of(&[])).await;
    assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
    assert!(
        stderr(&refused).contains("\nerror: nothing went out\n"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(program.rows(DECIDED), ["test|dead|"]);
}

#[tokio::test]
async fn what_makes_no_sense_is_wrong_usage_and_leaves_nothing_behind() {
    let program = Program::new().await;
    for (wrong, said) in [
        (
            vec!["--event", "record.moved"],
            "one of record.created, record.updated, record.deleted, created, updated, cancelled, no_show, visited, reminder",
        ),
        (
            vec!["--datetime", "завтра"],
            "--datetime: expected a date, found \"завтра\"",
        ),
        (
            vec!["--channel", "pigeon"],
            "no channel \"pigeon\" is configured: there are whatsapp",
        ),
        (vec!["--discount", "200"], "expected a number from 0 to 100"),
    ] {
        let output = program.run(&test_of(&wrong)).await;
        assert_eq!(
            output.status.code(),
            Some(2),
            "{wrong:?}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(said),
            "{wrong:?}: {}",
            stderr(&output)
        );
    }
    for (phone, said) in [
        ("12345", "too short"),
        ("+7 222 000-00-00", "not a valid number"),
    ] {
        let output = program
            .run(&["send-test", "--company", "111111", "--phone", phone])
            .await;
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
    let output = program
        .run(&["send-test", "--company", "7", "--phone", PHONE])
        .await;
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no company 7 is configured: there are 111111"));
    assert_eq!(program.green.sent().len(), 0);
}

#[tokio::test]
async fn who_was_forgotten_is_sent_no_test_and_does_not_come_back_by_one() {
    let program = Program::new().await;
    let sent = program.run(&test_of(&["--client-name", "Анна"])).await;
    assert_eq!(sent.status.code(), Some(0), "{}", stderr(&sent));
    let forgotten = program.run(&["forget", PHONE]).await;
    assert_eq!(forgotten.status.code(), Some(0), "{}", stderr(&forgotten));
    let again = program.run(&test_of(&["--client-name", "Анна"])).await;
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(program.green.sent().len(), 1);
    assert_eq!(
        program.rows(
            "SELECT status || '|' || coalesce(reason, '') || '|' || phone || recipient || told
               FROM booking_notifications ORDER BY id"
        ),
        ["sent||[]", "suppressed|forgotten|[]"]
    );
}

#[tokio::test]
async fn switched_off_means_tests_too() {
    let program = Program::new().await;
    let mut command = program.command(&test_of(&[]));
    command.env("BOOKING_MONITOR_ENABLED", "false");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("monitor.enabled is false"),
        "{}",
        stderr(&output)
    );
    assert_eq!(program.green.sent().len(), 0);
}

/// A test in the outbox of a world, as a person beside a daemon puts it there.
async fn queued(world: &World, channels: &[&str]) {
    let record = world
        .salon
        .book(haircut("2026-08-21T14:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    let ends = channels.iter();
    let ends = ends.map(|name| std::sync::Arc::clone(&world.pipeline().channels()[*name]));
    let ends: Vec<_> = ends.collect();
    world
        .pipeline()
        .store()
        .write(move |tx| {
            let record = cache::get(tx, SALON, record)?.unwrap().record;
            let trial = Trial {
                company: SALON,
                ends,
                phone: Phone::parse(PHONE, "RU").unwrap(),
                emulated: Emulated {
                    kind: Kind::Created,
                    net: Net {
                        form: Form::Created,
                        before: Vec::new(),
                        now: vec![record],
                        fields: Vec::new(),
                    },
                },
            };
            trial.queue(tx, "2026-08-20T09:00:31Z".parse().unwrap())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_test_counts_for_no_cap_and_makes_nothing_known() {
    let world = World::watching_with("per_client_per_hour = 1", "").await;
    queued(&world, &["whatsapp"]).await;
    world.turn().await;
    assert_eq!(world.told().len(), 2);
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 3, "{:?}", world.decisions());
}

#[tokio::test]
async fn a_test_that_nobody_waits_for_any_more_is_not_sent() {
    let world = World::watching().await;
    queued(&world, &["whatsapp"]).await;
    world.advance("10m");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(world.decisions()[1], "test|suppressed|discarded");
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_keeps_no_test_back() {
    use booking_monitor::demo::salon::{Fault, Route};
    let world = World::watching().await;
    queued(&world, &["whatsapp"]).await;
    world
        .salon
        .set_fault(Route::Records, Some(Fault::Status(500, String::new())));
    world.advance("20s");
    world.turn().await;
    assert_eq!(world.told().len(), 2, "{:?}", world.decisions());
}

#[tokio::test]
async fn a_test_stays_on_its_channel_and_needs_a_linked_chat_where_people_are_chats() {
    let world = World::watching().await;
    queued(&world, &["telegram"]).await;
    world.turn().await;
    assert_eq!(world.decisions()[1], "test|suppressed|no_channel");
    assert_eq!(world.told().len(), 1);
}
