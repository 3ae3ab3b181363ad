//! The binary against the simulated salon over HTTP: exit codes, `--once`, signals, restarts.

use std::time::Duration;

use crate::support::program::{Program, start, stderr, stdout};
use crate::support::world::SALON;
use booking_monitor::demo::salon::{Fault, PARTNER_TOKEN, Route, USER_TOKEN};
use booking_monitor::domain::zone::Zone;
use booking_monitor::ports::{Clock as _, SystemClock};

#[tokio::test(flavor = "multi_thread")]
async fn once_is_silent_first_and_tells_the_next_booking_in_a_later_run() {
    let program = Program::new().await;
    program.book();
    let first = program.run(&["--once"]).await;
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    // Made before the baseline: known to everybody. What comes now is news.
    let day = start(1).format("%Y-%m-%dT%H:%M:%S").to_string();
    program
        .salon
        .book(crate::support::world::haircut(&day).client("Вера", "+79000000002"));
    let second = program.run(&["--once"]).await;
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    assert_eq!(program.green.sent().len(), 0, "the delay has not passed");
    let third = program.run(&["--once", "--drain"]).await;
    assert_eq!(third.status.code(), Some(0), "{}", stderr(&third));
    let sent = program.green.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].chat, "79000000002@c.us");
    let fourth = program.run(&["--once", "--drain"]).await;
    assert_eq!(fourth.status.code(), Some(0));
    assert_eq!(program.green.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_tells_a_booking_and_leaves_on_sigterm() {
    let program = Program::new().await;
    let daemon = program.daemon();
    wait_for_baseline(&program).await;
    program.book();
    let sent = program.green.wait_for(1).await;
    assert!(
        sent[0].text.starts_with("✅ *Вы записаны!*"),
        "{}",
        sent[0].text
    );
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("notification sent"), "{log}");
    let secrets = [
        PARTNER_TOKEN,
        USER_TOKEN,
        crate::support::green_api::TOKEN,
        "9000000001",
        "Анна",
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_in_the_middle_of_a_send_finishes_it() {
    let program = Program::new().await;
    let daemon = program.daemon();
    wait_for_baseline(&program).await;
    let bell = program.green.hold_next();
    program.book();
    program.green.wait_for_requests("sendMessage", 1).await;
    daemon.signal("TERM");
    bell.notify_one();
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(
        program.rows("SELECT status FROM booking_notifications"),
        ["sent"]
    );

    let again = program.run(&["--once", "--drain"]).await;
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(program.green.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_a_send_is_cleared_up_by_the_journal_and_doubles_nothing() {
    let program = Program::new().await;
    let daemon = program.daemon();
    wait_for_baseline(&program).await;
    // Taken by the messenger, never answered.
    program
        .green
        .answer_next(crate::support::fake::Answer::Hang { taken: true });
    program.book();
    program.green.wait_for(1).await;
    daemon.signal("KILL");
    let (status, _) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), None);
    let again = program.run(&["--once", "--drain"]).await;
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(
        program.rows("SELECT status FROM booking_notifications"),
        ["delivered"]
    );
    assert_eq!(program.green.sent().len(), 1);
    let status = program.run(&["status"]).await;
    assert_eq!(status.status.code(), Some(0), "{}", stdout(&status));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_the_poll_and_the_message_loses_nothing() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    program.book();
    let daemon = program.daemon();
    wait_for_rows(&program, "SELECT event_id FROM booking_events").await;
    daemon.signal("KILL");
    daemon.end(Duration::from_secs(15)).await;
    let again = program.run(&["--once", "--drain"]).await;
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(program.green.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_instance_leaves_at_once_and_asks_nothing() {
    let program = Program::new().await;
    let _daemon = program.daemon();
    wait_for_baseline(&program).await;
    let second = program.run(&["--once"]).await;
    assert_eq!(second.status.code(), Some(75));
    assert!(
        stderr(&second).contains("error: another booking-monitor is running"),
        "{}",
        stderr(&second)
    );
    assert!(stderr(&second).contains("\nhint: "), "{}", stderr(&second));
    let status = program.run(&["status"]).await;
    assert_eq!(status.status.code(), Some(0), "{}", stdout(&status));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_as_much_as_it_is_asked_for() {
    let program = Program::new().await;
    for (asked, polls, complains) in [
        ("", true, false),
        ("warn", false, false),
        ("off,booking_monitor::pipeline=info", true, false),
        ("warn, booking_monitor=info,", true, false),
        ("booking_monitor", true, false),
        ("booking_monitor=loud", true, true),
        ("booking_monitor=", true, true),
        ("inof", true, true),
    ] {
        program.book();
        let mut run = program.command(&["--once"]);
        run.env("BOOKING_MONITOR_LOG", asked);
        let run = tokio::task::spawn_blocking(move || run.output().unwrap());
        let said = stderr(&run.await.unwrap());
        assert_eq!(said.contains("polled"), polls, "{asked}: {said}");
        let complaint = "BOOKING_MONITOR_LOG is not understood";
        assert_eq!(said.contains(complaint), complains, "{asked}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_company_in_trouble_is_named_and_the_others_go_on() {
    let program = Program::new().await;
    program
        .salon
        .add_company(222_222, "Вторая", "Москва", Zone::moscow());
    program.salon.forbid(222_222, true);
    program.configure("[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]\n[[companies]]\nid = 333333\nchannels = [\"whatsapp\"]");
    let run = program.run(&["--once"]).await;
    assert_eq!(run.status.code(), Some(1));
    let said = stderr(&run);
    assert!(said.contains("error: company 222222: HTTP 403"), "{said}");
    assert!(said.contains("error: company 333333: HTTP 404"), "{said}");
    assert!(
        said.contains("hint: the robot's user needs rights"),
        "{said}"
    );
    assert!(said.contains("hint: check `companies.id`"), "{said}");
    program.book();
    let run = program.run(&["--once", "--drain"]).await;
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(program.green.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_and_a_dead_address_are_said_with_a_hint() {
    let program = Program::new().await;
    let mut command = program.command(&["--once"]);
    command.env("YCLIENTS_USER_TOKEN", "wrong");
    let run = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert!(stderr(&run).contains("HTTP 401"), "{}", stderr(&run));
    assert!(
        stderr(&run).contains("hint: check `yclients.partner_token`"),
        "{}",
        stderr(&run)
    );

    let other = Program::new().await;
    other.write(
        &std::fs::read_to_string(other.config())
            .unwrap()
            .replace(&other.salon.base_url(), "http://127.0.0.1:9/api/v1"),
    );
    let run = other.run(&["--once"]).await;
    assert_eq!(run.status.code(), Some(1));
    assert!(
        stderr(&run).contains("error: company 111111: cannot connect"),
        "{}",
        stderr(&run)
    );
    assert!(
        stderr(&run).contains("`yclients.base_url`"),
        "{}",
        stderr(&run)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_is_exit_2_with_every_problem_at_once() {
    let program = Program::new().await;
    let text = std::fs::read_to_string(program.config()).unwrap();
    program.write(&text.replace(
        "interval = \"1s\"",
        "intervall = \"1s\"\nmax_delay = \"soon\"",
    ));
    for arguments in [&["--once"][..], &["check"][..]] {
        let run = program.run(arguments).await;
        assert_eq!(run.status.code(), Some(2), "{arguments:?}");
        let said = stderr(&run) + &stdout(&run);
        assert!(said.contains("monitor.intervall"), "{said}");
        assert!(
            said.contains("`interval`") || said.contains("interval"),
            "{said}"
        );
        assert!(said.contains("monitor.max_delay"), "{said}");
    }
    assert_eq!(program.salon.requests().len(), 0);
    assert!(!program.database().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_template_is_found_by_check() {
    let program = Program::new().await;
    program.configure("[templates]\ncreated = \"Вы записаны, {{ client_nmae }}\"");
    let run = program.run(&["check"]).await;
    assert_eq!(run.status.code(), Some(2));
    assert!(stdout(&run).contains("client_name"), "{}", stdout(&run));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_online_asks_everybody_and_sends_nothing() {
    let program = Program::new().await;
    let run = program.run(&["check", "--online"]).await;
    assert_eq!(
        run.status.code(),
        Some(0),
        "{}{}",
        stdout(&run),
        stderr(&run)
    );
    assert!(
        stdout(&run).contains("YClients: Малаховка (111111), Europe/Moscow"),
        "{}",
        stdout(&run)
    );
    assert_eq!(program.green.count("sendMessage"), 0);
    program.green.set_state("notAuthorized");
    let run = program.run(&["check", "--online"]).await;
    assert_eq!(run.status.code(), Some(1));
    assert!(
        stdout(&run).contains("channels.whatsapp"),
        "{}",
        stdout(&run)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_the_one_that_was_here_is_refused() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    std::fs::write(program.database(), "").unwrap();
    for path in ["booking-monitor.db-wal", "booking-monitor.db-shm"] {
        drop(std::fs::remove_file(program.folder.path().join(path)));
    }
    let asked = program.salon.requests().len();
    let run = program.run(&["--once"]).await;
    assert_eq!(run.status.code(), Some(78), "{}", stderr(&run));
    assert!(
        stderr(&run).contains("booking-monitor db accept"),
        "{}",
        stderr(&run)
    );
    assert_eq!(program.salon.requests().len(), asked);
    let accepted = program.run(&["db", "accept"]).await;
    assert_eq!(accepted.status.code(), Some(0), "{}", stderr(&accepted));
    let run = program.run(&["--once"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_it_asks_nothing_and_sends_nothing() {
    let program = Program::new().await;
    let mut command = program.command(&["--once"]);
    command.env("BOOKING_MONITOR_ENABLED", "no");
    let run = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert_eq!(stdout(&run).lines().count(), 1);
    assert_eq!(program.salon.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_a_good_configuration_and_keeps_the_old_one_from_a_broken_one() {
    let program = Program::new().await;
    let daemon = program.daemon();
    wait_for_baseline(&program).await;
    program.write("this is no configuration");
    daemon.signal("HUP");
    // Still at work with the old one.
    program.book();
    program.green.wait_for(1).await;
    program
        .salon
        .add_company(222_222, "Вторая", "Москва", Zone::moscow());
    program.configure("[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]");
    daemon.signal("HUP");
    wait_for_rows(
        &program,
        "SELECT baseline_at FROM companies WHERE company_id = 222222 AND baseline_at IS NOT NULL",
    )
    .await;
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("the old one stays in force"), "{log}");
    assert!(log.contains("the new configuration is in force"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_guard_holds_is_shown_and_let_go_or_dropped_by_hand() {
    for discard in [false, true] {
        let program = Program::new().await;
        program.run(&["--once"]).await;
        let day = start(0).format("%Y-%m-%dT%H:%M:%S").to_string();
        let records: Vec<i64> = (0..7)
            .map(|n| {
                let draft = crate::support::world::haircut(&day);
                program
                    .salon
                    .book(draft.client("Анна", &format!("+790000000{n:02}")))
            })
            .collect();
        program.run(&["--once", "--drain"]).await;
        assert_eq!(program.green.sent().len(), 7);
        for record in records {
            program.salon.cancel(SALON, record);
        }
        program.run(&["--once", "--drain"]).await;
        assert_eq!(program.green.sent().len(), 7, "held");
        let status = program.run(&["status", "--json"]).await;
        assert_eq!(status.status.code(), Some(1));
        let json: serde_json::Value = serde_json::from_str(&stdout(&status)).unwrap();
        assert_eq!(json["companies"][0]["held"], 7);
        let arguments: &[&str] = if discard {
            &["release", "--discard"]
        } else {
            &["release"]
        };
        let release = program.run(arguments).await;
        assert_eq!(release.status.code(), Some(0), "{}", stderr(&release));
        assert!(stdout(&release).contains('7'), "{}", stdout(&release));
        program.run(&["--once", "--drain"]).await;
        let (sent, word) = if discard { (7, "discarded") } else { (14, "-") };
        assert_eq!(program.green.sent().len(), sent);
        assert_eq!(
            program.rows("SELECT DISTINCT coalesce(reason, '-') FROM booking_notifications WHERE kind = 'cancelled'"),
            [word]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_counts_the_rows_that_cannot_be_read() {
    let program = Program::new().await;
    let day = start(3).format("%Y-%m-%dT%H:%M:%S").to_string();
    let record = program.salon.book(crate::support::world::haircut(&day));
    program.salon.book(crate::support::world::haircut(&day));
    program.salon.edit(111_111, record, |row| {
        row["date"] = format!("{} 99:99:99", &day[..10]).into();
        row["datetime"] = "?".into();
    });
    program.run(&["--once"]).await;
    let json = stdout(&program.run(&["status", "--json"]).await);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["companies"][0]["unreadable_rows"], 1);
    let status = stdout(&program.run(&["status"]).await);
    assert!(
        status.contains("не читаются строки журнала: 1."),
        "{status}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_how_many_of_the_people_written_to_wrote_back() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let day = start(3).format("%Y-%m-%dT%H:%M:%S").to_string();
    for n in 0..2 {
        let draft = crate::support::world::haircut(&day);
        let phone = format!("+790000000{n:02}");
        program.salon.book(draft.client("Анна", &phone));
    }
    program.run(&["--once", "--drain"]).await;
    assert_eq!(program.green.sent().len(), 2);
    // Providers know whole seconds only.
    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(1);
    program.green.push_text_at("79000000001", "спасибо", soon);
    program.run(&["--once"]).await;
    let json = stdout(&program.run(&["status", "--json"]).await);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let channels = json["channels"].as_array().unwrap();
    let whatsapp = channels.iter().find(|c| c["name"] == "whatsapp").unwrap();
    assert_eq!(whatsapp["written_to_7d"], 2);
    assert_eq!(whatsapp["replied_7d"], 1);
    assert_eq!(whatsapp["reply_rate_7d"], 0.5);
    let others = channels.iter().filter(|c| c["name"] != "whatsapp");
    assert!(others.clone().all(|c| c["reply_rate_7d"].is_null()));
    let status = stdout(&program.run(&["status"]).await);
    assert!(status.contains("1 из 2 (50%)"), "{status}");
    assert!(status.lines().all(|l| l.chars().count() <= 80), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_narrowed_rights_hide_is_shown_explained_and_given_up_by_hand() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let day = start(3).format("%Y-%m-%dT%H:%M:%S").to_string();
    let book = |n: usize| {
        let draft = crate::support::world::haircut(&day);
        program
            .salon
            .book(draft.client("Анна", &format!("+790000000{n:02}")))
    };
    let records: Vec<i64> = (0..3).map(book).collect();
    program.run(&["--once", "--drain"]).await;
    let status = stdout(&program.run(&["status"]).await);
    assert!(!status.contains("видно не всё"), "{status}");
    program.salon.hide_staff(SALON, 5);
    let gone = r#"{"success":false,"data":null,"meta":{"message":"Не найдено"}}"#;
    let fault = Fault::Status(404, gone.into());
    program.salon.set_fault(Route::Record, Some(fault));
    // The next run compares everything.
    let conn = rusqlite::Connection::open(program.database()).unwrap();
    conn.execute("UPDATE companies SET last_sweep_at = NULL", ())
        .unwrap();
    for _ in 0..3 {
        program.run(&["--once"]).await;
    }
    let json = stdout(&program.run(&["status", "--json"]).await);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rights = &json["companies"][0]["rights"];
    assert_eq!(rights["staff_hidden"][0]["name"], "Бари");
    assert_eq!(rights["staff_hidden"][0]["bookings"], 3);
    assert_eq!(rights["bookings_hidden"], 3);
    assert!(rights["staff_hidden_since"].is_string());
    for empty in ["hidden_from", "hidden_from_since", "phones_hidden_since"] {
        assert!(rights[empty].is_null(), "{empty}");
    }
    let status = stdout(&program.run(&["status"]).await);
    assert!(
        status.contains("Скрыты мастера (записей): Бари (3)"),
        "{status}"
    );
    assert!(status.lines().all(|l| l.chars().count() <= 80), "{status}");
    let record = records[0].to_string();
    let story = stdout(&program.run(&["explain", &record]).await);
    assert!(
        story.contains("Сейчас записи в журнале не видно (с ")
            && story.contains("клиенту ничего не пишем"),
        "{story}"
    );
    let json = stdout(&program.run(&["explain", &record, "--json"]).await);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["missing_since"].is_string());
    assert_eq!(program.green.sent().len(), 3);
    let release = program.run(&["release", "--hidden"]).await;
    assert!(stdout(&release).contains('3'), "{}", stdout(&release));
    program.run(&["--once"]).await;
    program.run(&["--once", "--drain"]).await;
    assert_eq!(program.green.sent().len(), 6);
    let both = program.run(&["release", "--hidden", "--discard"]).await;
    assert_eq!(both.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_starts_polls_in_place_of_the_interval() {
    let program = Program::new().await;
    let text = std::fs::read_to_string(program.config()).unwrap();
    program.write(&text.replace(
        "interval = \"1s\"",
        "interval = \"1h\"\nschedule = \"* * * * * *\"",
    ));
    let daemon = program.daemon();
    wait_for_baseline(&program).await;
    program.book();
    program.green.wait_for(1).await;
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_tells_when_a_client_will_be_reminded_or_why_not() {
    let program = Program::new().await;
    program.configure("[notify]\nreminders = [\"24h\", \"30d\"]");
    program.run(&["--once"]).await;
    let record = program.book().to_string();
    program.run(&["--once", "--drain"]).await;
    let story = stdout(&program.run(&["explain", &record]).await);
    let story = story.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "напоминание (24h) о визите",
        ": будет ",
        "напоминание (30d) о визите",
        "не будет — его время прошло раньше, чем стало известно",
    ] {
        assert!(story.contains(part), "{part} in {story}");
    }
    let json = stdout(&program.run(&["explain", &record, "--json"]).await);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["reminders"][0]["state"], "dropped");
    assert_eq!(json["reminders"][0]["reason"], "too_late");
    assert_eq!(json["reminders"][1]["lead"], "24h");
    assert_eq!(json["reminders"][1]["state"], "planned");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_log_and_explain_tell_the_story() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let record = program.book().to_string();
    program.run(&["--once", "--drain"]).await;
    let status = program.run(&["status", "--json"]).await;
    assert_eq!(status.status.code(), Some(0), "{}", stdout(&status));
    let json: serde_json::Value = serde_json::from_str(&stdout(&status)).unwrap();
    assert_eq!(json["companies"][0]["id"], SALON);
    assert_eq!(json["companies"][0]["title"], "Малаховка");
    assert_eq!(json["companies"][0]["healthy"], true);
    assert_eq!(json["channels"][0]["name"], "whatsapp");
    assert_eq!(json["channels"][0]["up"], true);
    assert_eq!(json["outbox"]["by_status"]["sent"], 1);
    let explain = program.run(&["explain", &record]).await;
    assert_eq!(explain.status.code(), Some(0), "{}", stderr(&explain));
    let story = stdout(&explain);
    for part in [
        "МУЖСКАЯ СТРИЖКА",
        "в журнале появилась",
        "принято",
        "+7 *** ***-**-01",
    ] {
        assert!(story.contains(part), "{part} in {story}");
    }
    assert!(!story.contains("9000000001"), "{story}");
    assert_eq!(program.run(&["explain", "1"]).await.status.code(), Some(1));
    let log = program.run(&["log", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&stdout(&log)).unwrap();
    assert_eq!(json[0]["kind"], "created");
    assert_eq!(json[0]["status"], "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_wrote_is_shown_without_their_phones() {
    let program = Program::new().await;
    let asks =
        "А можно на час позже? Звоните 8 900 000-00-01, я до вечера на связи и очень жду ответа";
    for (phone, text) in [
        ("+79000000001", asks),
        ("+79000000002", "стоп"),
        ("+79000000003", "Спасибо!"),
    ] {
        program.green.push_text_at(phone, text, SystemClock.now());
    }
    program.run(&["--once"]).await;
    let daemon = program.daemon();
    for (call, lines) in [
        (&["messages"] as &[&str], 4),
        (&["messages", "--limit", "2"], 2),
        (&["messages", "--phone", "89000000002"], 2),
        (&["messages", "--channel", "whatsapp"], 4),
        (&["inbox"], 3),
        (&["inbox", "--unanswered"], 1),
        (&["inbox", "--unanswered", "--phone", "+79000000003"], 0),
    ] {
        // No secret is needed.
        let text = program
            .command(call)
            .env_remove("GREEN_API_TOKEN")
            .env_remove("YCLIENTS_USER_TOKEN")
            .output()
            .unwrap();
        assert_eq!(text.status.code(), Some(0), "{}", stderr(&text));
        let text = stdout(&text);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert_eq!(text == "Ничего нет.\n", lines == 0, "{call:?}: {text}");
        let json = program.run(&[call, &["--json"]].concat()).await;
        let rows: serde_json::Value = serde_json::from_str(&stdout(&json)).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), lines, "{call:?}: {rows}");
        for shown in [text, rows.to_string()] {
            for phone in ["9000000001", "9000000002", "9000000003", "900 000-00-01"] {
                assert!(!shown.contains(phone), "{call:?}: {shown}");
            }
        }
    }
    let waiting = program.run(&["inbox", "--unanswered", "--json"]).await;
    let rows: serde_json::Value = serde_json::from_str(&stdout(&waiting)).unwrap();
    let row = &rows[0];
    assert_eq!(row["phone"], "+7 *** ***-**-01");
    assert_eq!(row["direction"], "inbound");
    assert_eq!(row["unanswered"], true);
    assert_eq!(row["answered_at"], serde_json::Value::Null);
    assert!(
        row["text"]
            .as_str()
            .unwrap()
            .starts_with("А можно на час позже?")
    );
    let both = stdout(&program.run(&["messages"]).await);
    for part in ["whatsapp", "+7 ***", "→", "←", "ждёт", "есть"] {
        assert!(both.contains(part), "{part}\n{both}");
    }
    let status = program.run(&["status", "--json"]).await;
    let status: serde_json::Value = serde_json::from_str(&stdout(&status)).unwrap();
    assert_eq!(status["messages"]["total"], 4);
    assert_eq!(status["messages"]["last_24h"], 4);
    assert_eq!(status["messages"]["recent"].as_array().unwrap().len(), 4);
    assert_eq!(status["messages"]["clients"]["whatsapp"], 3);
    let status = stdout(&program.run(&["status"]).await);
    let received = "Сообщений получено: 3, за 24 ч 3";
    assert!(status.contains(received), "{status}");
    daemon.signal("TERM");
    let (ended, log) = daemon.end(std::time::Duration::from_secs(10)).await;
    assert!(ended.success(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uncertain_message_can_be_sent_again_by_hand() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    program
        .green
        .answer_next(crate::support::fake::Answer::Drop { taken: false });
    program.book();
    program.run(&["--once", "--drain"]).await;
    // As a channel without a journal leaves it.
    program.sql(
        "UPDATE booking_notifications SET status = 'uncertain', look_at = NULL, doubt_at = NULL",
    );
    let status = program.run(&["status"]).await;
    assert_eq!(status.status.code(), Some(1), "{}", stdout(&status));
    let retry = program.run(&["retry", "1"]).await;
    assert_eq!(retry.status.code(), Some(0), "{}", stderr(&retry));
    program.run(&["--once"]).await;
    let sent = program.green.sent();
    assert_eq!(sent.len(), 1);
    assert!(
        sent[0]
            .text
            .starts_with("Повторяю на случай, если не дошло:"),
        "{}",
        sent[0].text
    );
    assert_eq!(
        program.rows("SELECT status FROM booking_notifications"),
        ["sent"]
    );
}

async fn wait_for_baseline(program: &Program) {
    wait_for_rows(
        program,
        "SELECT baseline_at FROM companies WHERE baseline_at IS NOT NULL",
    )
    .await;
}

/// Waits until the program has written such a row; a broken program reaches the guard of a minute.
async fn wait_for_rows(program: &Program, query: &str) {
    let look = async {
        loop {
            let ready = program.database().exists()
                && rusqlite::Connection::open(program.database())
                    .and_then(|c| c.query_row(query, [], |r| r.get::<_, String>(0)))
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
        .expect("the program wrote no such row");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_and_status_say_what_the_budget_allows() {
    let program = Program::new().await;
    let many: String = (1..=199)
        .map(|id| format!("[[companies]]\nid = {id}\nchannels = [\"whatsapp\"]\n"))
        .collect();
    let text = std::fs::read_to_string(program.config()).unwrap();
    program.write(
        &text
            .replace("\"1s\"", "\"60s\"")
            .replace("[[companies]]", &format!("{many}[[companies]]")),
    );
    let check = program.run(&["check"]).await;
    assert_eq!(check.status.code(), Some(0), "{}", stderr(&check));
    let said = "Запросов к YClients в минуту: опросы 200, сверки 27, можно 171. На всё не хватает: опросы в 1,4 раза реже заданного, сверки ждут.";
    assert!(stdout(&check).contains(said), "{}", stdout(&check));

    program.write(&text.replace("interval = \"1s\"", "interval = \"auto\""));
    program.run(&["--once"]).await;
    let status = program.run(&["status"]).await;
    let said = "Запросов к YClients в минуту: опросы 60, сверки 0, можно 171.\n";
    assert!(stdout(&status).contains(said), "{}", stdout(&status));
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&program.run(&["status", "--json"]).await)).unwrap();
    assert_eq!(json["companies"][0]["interval_seconds"], 1.0, "{json}");
    assert_eq!(json["companies"][0]["requests_per_minute"], 60.1, "{json}");
    assert_eq!(json["budget"]["suffices"], true, "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_interval_left_to_the_program_a_booking_is_told() {
    let program = Program::new().await;
    let text = std::fs::read_to_string(program.config()).unwrap();
    program.write(&text.replace("interval = \"1s\"", "interval = \"auto\""));
    let daemon = program.daemon();
    wait_for_baseline(&program).await;
    program.book();
    program.green.wait_for(1).await;
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_and_resume_say_what_they_did_and_status_shows_it() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let paused = program
        .run(&["pause", "--phone", "8 900 000-00-01", "--for", "2h"])
        .await;
    assert_eq!(
        stdout(&paused),
        "Пауза (клиент +7 *** ***-**-01): ещё 2 ч\n"
    );
    let paused = program.run(&["pause"]).await;
    assert_eq!(
        stdout(&paused),
        "Пауза для всех: пока не снимете: booking-monitor resume\n"
    );
    let status = stdout(&program.run(&["status"]).await);
    assert!(
        status.contains("Пауза для всех: до booking-monitor resume\n"),
        "{status}"
    );
    assert!(!status.contains("+79000000001"), "{status}");
    let resumed = program.run(&["resume"]).await;
    assert_eq!(stdout(&resumed), "Снято пауз: 2\n");
    let wrong = program.run(&["pause", "--for", "soon"]).await;
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = program.run(&["pause", "--company", "5"]).await;
    assert_eq!(wrong.status.code(), Some(2));
}
