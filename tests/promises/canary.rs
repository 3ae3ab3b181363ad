//! Tokens, phones and names are for the database and the messengers alone: whatever goes wrong, and
//! however loudly the program talks, they stand in nothing that it prints.

use std::process::Output;
use std::time::Duration;

use crate::support::fake::Answer;
use crate::support::program::{Program, start, stderr, stdout};
use crate::support::world::{SALON, World, haircut};
use crate::support::{green_api, telegram};
use booking_monitor::demo::salon::{Fault, PARTNER_TOKEN, Route, USER_TOKEN};
use booking_monitor::domain::journal::Journaled;
use booking_monitor::domain::message::Brief;
use booking_monitor::ports::{Incoming, Received};
use booking_monitor::store::pauses::Selector;
use booking_monitor::store::{cache, contacts, events, known, outbox, settling, story};
use chrono::Utc;
use serde_json::json;

const NAME: &str = "Канарейкина";
const PHONE: &str = "+79005550123";
/// What a client's comment and words hold.
const WORDS: &str = "бессонница";

/// What must stand nowhere.
const CANARIES: [&str; 12] = [
    PARTNER_TOKEN,
    USER_TOKEN,
    green_api::TOKEN,
    telegram::TOKEN,
    NAME,
    WORDS,
    "9005550123",
    "900 555-01-23",
    "900 555 01 23",
    "900) 555-01-23",
    "CANARY",
    "Q0FOQVJZ",
];

fn sing(printed: &str) -> Vec<&'static str> {
    let here = |canary: &&&str| printed.contains(**canary);
    CANARIES.iter().filter(here).copied().collect()
}

fn silent(of: &str, output: &Output) {
    let printed = format!("{}{}", stdout(output), stderr(output));
    assert_eq!(sing(&printed), [""; 0], "{of}: {printed}");
}

/// What a careless service says: the tokens it was given, and phones however they are written.
fn gossip(tokens: &[&str]) -> String {
    let tokens = tokens.join(", ");
    json!({
        "success": false,
        "ok": false,
        "error_code": 400,
        "message": format!("bad token {tokens} for +7 (900) 555-01-23"),
        "meta": {"message": format!("user {tokens}, phone 8 900 555 01 23 / {PHONE} / 9005550123")},
        "description": format!("Bad Request: {PHONE} {tokens}"),
    })
    .to_string()
}

/// Every way for the records API to fail.
fn failures() -> Vec<Fault> {
    let gossip = || gossip(&[PARTNER_TOKEN, USER_TOKEN]);
    let mut all: Vec<Fault> = [400, 401, 402, 403, 404, 422, 429, 500, 502]
        .into_iter()
        .map(|status| Fault::Status(status, gossip()))
        .collect();
    all.extend([
        Fault::SuccessFalse(gossip()),
        Fault::SuccessFalse(format!("{PARTNER_TOKEN} 8 (900) 555-01-23")),
        Fault::Html,
        Fault::Truncated,
        Fault::Disconnect,
        Fault::NullRow,
        Fault::Status(200, gossip()),
    ]);
    all
}

async fn program() -> Program {
    let program = Program::new().await;
    let telegram = telegram::Telegram::start().await;
    program.configure(&format!(
        r#"owner = [{{ channel = "owners", to = "500", events = [] }}]
        [channels.owners]
        type = "telegram"
        api_url = "{}"
        token = "{}"
        "#,
        telegram.url,
        telegram::TOKEN
    ));
    // What fails is not waited for.
    let text = std::fs::read_to_string(program.config()).unwrap();
    let brief = "notification_delay = \"1s\"\nmax_delay = \"2s\"";
    program.write(&text.replace("notification_delay = \"1s\"", brief));
    program
}

/// Books for the client whom nothing may name.
fn book(program: &Program, day: i64) -> i64 {
    let day = start(day).format("%Y-%m-%dT%H:%M:%S").to_string();
    let draft = haircut(&day).client(NAME, PHONE);
    let comment = format!("{WORDS}, {PHONE}");
    program.salon.book(draft.comment(&comment))
}

/// A salon that is watched, and a message told.
async fn watched() -> (Program, i64) {
    let program = program().await;
    silent("first", &program.run(&["--once", "-v"]).await);
    let record = book(&program, 1);
    for _ in 0..2 {
        silent("told", &program.run(&["--once", "--drain", "-v"]).await);
    }
    assert_eq!(program.green.sent().len(), 1);
    (program, record)
}

#[tokio::test(flavor = "multi_thread")]
async fn however_the_records_api_fails_nothing_printed_names_a_token_or_a_phone() {
    let (program, _) = watched().await;
    for (n, fault) in failures().into_iter().enumerate() {
        let of = format!("{fault:?}");
        for route in [Route::Records, Route::Record, Route::Company] {
            program.salon.set_fault(route, Some(fault.clone()));
        }
        program.sql("UPDATE companies SET next_try_at = NULL, denied = NULL, info_at = NULL");
        let loud: &[&str] = &["--once", "-v"];
        let call = if n % 2 == 0 { &loud[..1] } else { loud };
        silent(&of, &program.run(call).await);
        silent(&of, &program.run(&["status", "--json"]).await);
        // These ask it, too.
        if n % 4 == 0 {
            silent(&of, &program.run(&["verify", "--json"]).await);
            silent(&of, &program.run(&["check", "--online", "-v"]).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_the_messenger_fails_no_command_names_a_token_a_phone_or_a_client() {
    let (program, record) = watched().await;
    // It fails in the middle of sends.
    let answers = [400, 401, 403, 404, 429, 466, 500, 200]
        .map(|s| Answer::http(s, &gossip(&[green_api::TOKEN])));
    let answers = answers.into_iter().chain([
        Answer::http(200, "<html>"),
        Answer::Drop { taken: false },
        Answer::Drop { taken: true },
    ]);
    for (day, answer) in (2..).zip(answers) {
        let of = format!("{answer:?}").replace(|c: char| !c.is_ascii_alphanumeric(), "");
        book(&program, day);
        program.run(&["--once"]).await;
        program.green.answer_next(answer);
        let output = program.run(&["--once", "--drain", "-v"]).await;
        silent(&of[..of.len().min(20)], &output);
        program.sql(
            "UPDATE channel_states SET blocked_until = NULL, down_since = NULL;
             UPDATE booking_notifications SET due_at = '2026-01-01T00:00:00.000Z' WHERE status = 'pending'",
        );
    }

    // Clients write, one of them STOP, and are answered.
    program
        .green
        .push_text(&PHONE[1..], &format!("{NAME}: {WORDS} {PHONE}"));
    program.green.push_text(&PHONE[1..], "стоп");
    program.green.push(json!({"typeWebhook": format!("новое {PHONE}"), "senderData": {"chatId": "79005550123@c.us"}}));
    silent("inbound", &program.run(&["--once", "--drain", "-v"]).await);
    silent("inbound", &program.run(&["--once", "--drain"]).await);

    let record = record.to_string();
    for call in [
        &["status"][..],
        &["status", "--json"],
        &["log", "--limit", "100"],
        &["log", "--limit", "100", "--json"],
        &["explain", &record],
        &["explain", &record, "--json"],
        &["verify"],
        &["verify", "--json"],
        &["check"],
        &["check", "--online"],
        &["retry", "--dead"],
        &["release"],
        &["pause", "--phone", PHONE],
        &["status"],
        &["resume", "--phone", PHONE],
        &["pause", "--phone", "+7900555012"],
        &["forget", "+7 900 555-01"],
    ] {
        let mut spoken = program.command(call);
        spoken.env("BOOKING_MONITOR_LOG", "debug");
        let output = tokio::task::spawn_blocking(move || spoken.output().unwrap());
        silent(&call.join(" "), &output.await.unwrap());
    }
    let log = stdout(&program.run(&["log", "--limit", "100", "--json"]).await);
    assert!(
        log.contains("+7 *** ***-**-23") && log.contains("reply"),
        "{log}"
    );

    // A row that somebody edited by hand is unreadable, and not quoted.
    program.sql(&format!(
        "UPDATE appointments_cache SET snapshot = '{{\"id\":\"{NAME} {PHONE}\"}}'"
    ));
    for call in [&["--once", "-v"][..], &["explain", &record], &["verify"]] {
        let output = program.run(call).await;
        assert_ne!(output.status.code(), Some(0), "{call:?}");
        silent(&call.join(" "), &output);
    }
    silent("forget", &program.run(&["forget", PHONE]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_shows_no_secret_in_the_list_of_processes() {
    let program = program().await;
    let daemon = program.daemon();
    // The first is the daemon's own: what went before would be counted, or missing where its caller hung
    // up before it came through.
    program
        .green
        .wait_for_requests("receiveNotification", 1)
        .await;
    for file in ["cmdline", "comm", "status", "stat"] {
        let shown = std::fs::read(format!("/proc/{}/{file}", daemon.id())).unwrap();
        let shown = String::from_utf8_lossy(&shown);
        assert_eq!(sing(&shown), [""; 0], "{file}: {shown}");
    }
    daemon.signal("TERM");
    let (_, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(sing(&log), [""; 0], "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_refused_without_its_secrets_and_phones() {
    let program = program().await;
    let good = std::fs::read_to_string(program.config()).unwrap();
    let secret = |key: &str| format!("{key} = [\"CANARY\", \"{PHONE}\"]");
    for (of, wrong) in [
        (
            "token",
            good.replace("timeout = \"5s\"", "timeout = \"5s\"\ntokken = \"CANARY\""),
        ),
        (
            "list",
            good.replace(
                "timeout = \"5s\"\n[channels",
                &format!("timeout = \"5s\"\n{}\n[channels", secret("password")),
            ),
        ),
        (
            "phones",
            good.replace(
                "interval = \"1s\"",
                &format!("interval = \"1s\"\nonly_phones = [\"{PHONE}9\", \"{PHONE}\"]"),
            ),
        ),
        (
            "syntax",
            good.replace("interval = \"1s\"", "interval = \"1s\"\nCANARY CANARY"),
        ),
    ] {
        assert_ne!(wrong, good, "{of}");
        program.write(&wrong);
        for call in [&["check"][..], &["--once"], &["status", "--json"]] {
            let output = program.run(call).await;
            assert_eq!(output.status.code(), Some(2), "{of}: {}", stderr(&output));
            silent(of, &output);
        }
    }
}

#[tokio::test]
async fn a_transaction_that_panics_does_not_quote_what_it_worked_on() {
    let world = World::new().await;
    let store = world.pipeline().store();
    let work = |_: &rusqlite::Transaction<'_>| -> booking_monitor::store::Result<()> {
        std::panic::resume_unwind(Box::new(format!("no char boundary in {NAME}")))
    };
    let error = store.write(work).await.unwrap_err();
    assert_eq!(error.to_string(), "database: a transaction broke off");
    assert_eq!(sing(&format!("{error:?}")), [""; 0]);
}

/// Everything that holds a person's data, printed as a careless log line would.
#[tokio::test]
async fn no_debug_output_of_what_holds_personal_data_shows_any() {
    let world = World::watching_with("", r#"owner = [{ channel = "telegram", to = "500" }]"#).await;
    let draft = haircut("2026-08-25T14:30:00").client(NAME, PHONE);
    let record = world.salon.book(draft.comment(WORDS));
    world.tell().await;
    world.green.push_text(&PHONE[1..], WORDS);
    world.receive().await;
    let conn = world.sql();
    let cached = cache::get(&conn, SALON, record).unwrap().unwrap();
    let told = outbox::get(&conn, 1).unwrap().unwrap();
    let contact = contacts::get(&conn, 1).unwrap().unwrap();
    let story = story::of_record(&conn, None, record).unwrap();
    let known = known::of_person(&conn, SALON, PHONE).unwrap();
    assert!(!known.is_empty() && told.message.len() > 20 && contact.phone == PHONE);
    let now = Utc::now();
    let (text, phone, name) = (WORDS.to_owned(), PHONE.to_owned(), NAME.to_owned());
    let text = Incoming::Text {
        message_id: "1".into(),
        edits: None,
        chat_id: phone.clone(),
        phone: Some(phone.clone()),
        name: name.clone(),
        text: text.clone(),
        at: now,
        quoted: None,
        sender: phone.clone(),
        is_private: true,
    };
    let received = Received {
        receipt: "1".into(),
        what: text,
    };
    let shared = Incoming::Contact {
        message_id: "1".into(),
        chat_id: phone.clone(),
        phone: Some(phone.clone()),
        name: name.clone(),
        at: now,
    };
    let inbound = contacts::Inbound {
        channel: "whatsapp",
        company: None,
        chat_id: PHONE,
        phone: PHONE,
        name: NAME,
        text: WORDS,
        external_id: "1",
        at: now,
        is_command: false,
    };
    let event = events::NewEvent {
        event_id: "1".into(),
        event_type: "record.created",
        record: &cached.record,
        payload: json!({"client": {"name": NAME, "phone": PHONE}}),
        before: Some(&cached.record),
        settled: false,
    };
    let new = outbox::New {
        phone: PHONE,
        recipient: PHONE,
        message: WORDS,
        told: NAME,
        ..outbox::New::note("reply", now)
    };
    let unit = settling::Unit {
        company: SALON,
        unit: "v1".into(),
        phone: phone.clone(),
        first_change_at: now,
    };
    let selector = Selector {
        phone: Some(phone.clone()),
        ..Selector::default()
    };
    let key = known::Key {
        company: SALON,
        record,
        create_date: "",
        phone: PHONE,
    };
    let journaled = Journaled {
        id: "1".into(),
        text: WORDS.into(),
        at: Some(now),
        status: None,
    };
    let brief = Brief {
        kind: "created",
        values: [("client_name", name)].into(),
    };
    let printed = format!(
        "{cached:?} {told:?} {contact:?} {story:?} {known:?} {received:?} {shared:?} {inbound:?} \
         {event:?} {new:?} {unit:?} {selector:?} {key:?} {journaled:?} {brief:?} {:?}",
        world.config
    );
    assert_eq!(sing(&printed), [""; 0], "{printed}");
}
