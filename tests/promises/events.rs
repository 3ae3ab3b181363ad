//! `[[events]]`: every booking event reaches the salon's own automation, under its own id, in order,
//! and whatever is wrong there delays nobody else.

use std::collections::BTreeSet;

use crate::support::fake::Answer;
use crate::support::program::{Program, stderr, stdout};
use crate::support::receiver::{PATH, Posted, Receiver, SECRET, TOKEN};
use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::domain::phone::Phone;
use booking_monitor::store;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500", events = [] }]"#;

/// A sink at this address.
fn http(receiver: &Receiver, more: &str) -> String {
    let url = &receiver.url;
    format!("[[events]]\nto = \"http\"\nurl = \"{url}\"\n{more}\n")
}

const FILE: &str = "[[events]]\nto = \"jsonl\"\npath = \"events.jsonl\"\n";

async fn watching(sinks: &[String]) -> World {
    World::watching_with("", &format!("{OWNED}\n{}", sinks.concat())).await
}

/// A poll, and what is due to the sinks after it.
async fn seen(world: &World) {
    world.poll().await;
    world.hand_on().await;
}

fn lines(world: &World) -> Vec<Value> {
    let path = world.folder.path().join("events.jsonl");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn deliveries(world: &World) -> Vec<String> {
    world.rows("SELECT status, attempts FROM event_deliveries ORDER BY id")
}

#[tokio::test]
async fn an_event_is_posted_at_once_with_its_id_its_token_and_a_signature_of_time_and_body() {
    let receiver = Receiver::start().await;
    let keys = format!("token = \"{TOKEN}\"\nsecret = \"{SECRET}\"");
    let world = watching(&[http(&receiver, &keys)]).await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    let [posted] = &receiver.posted()[..] else {
        panic!("{} requests", receiver.posted().len());
    };
    let stored = world.rows("SELECT event_id, payload, processed_at FROM booking_events");
    let (id, body) = (posted.json()["event_id"].clone(), &posted.body);
    assert_eq!(stored, [format!("{}|{body}|-", id.as_str().unwrap())]);
    assert_eq!(posted.what(), format!("record.created {record}"));
    assert_eq!(posted.header("idempotency-key"), id.as_str().unwrap());
    assert_eq!(posted.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(posted.header("content-type"), "application/json");
    assert_eq!(posted.header("x-booking-monitor-timestamp"), "1787216400");
    assert_eq!(
        posted.header("x-booking-monitor-signature"),
        signature(posted)
    );
    seen(&world).await;
    assert_eq!(receiver.posted().len(), 1);
    assert_eq!(deliveries(&world), ["sent|1"]);
}

/// As a receiver computes it.
fn signature(posted: &Posted) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(posted.header("x-booking-monitor-timestamp").as_bytes());
    mac.update(b".");
    mac.update(posted.body.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_try_that_failed_is_made_again_with_the_same_body_and_a_new_signature() {
    let receiver = Receiver::start().await;
    let world = watching(&[http(&receiver, &format!("secret = \"{SECRET}\""))]).await;
    receiver.answer_next(Answer::Drop { taken: false });
    receiver.answer_next(Answer::http(500, "+79000000001"));
    receiver.answer_next(Answer::http(503, "").with_header("Retry-After", "60"));
    world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    for (span, tries) in [("2s", 2), ("4s", 3), ("59s", 3), ("2s", 4), ("1h", 4)] {
        world.advance(span);
        world.hand_on().await;
        assert_eq!(receiver.posted().len(), tries, "after {span}");
    }
    let posted = receiver.posted();
    let same = |of: fn(&Posted) -> String| {
        let all: BTreeSet<String> = posted.iter().map(of).collect();
        all.len()
    };
    assert_eq!(same(|p| p.body.clone()), 1);
    assert_eq!(same(|p| p.header("idempotency-key").to_owned()), 1);
    assert_eq!(
        same(|p| p.header("x-booking-monitor-signature").to_owned()),
        4
    );
    for p in &posted {
        assert_eq!(p.header("x-booking-monitor-signature"), signature(p));
    }
    assert_eq!(deliveries(&world), ["sent|4"]);
}

#[tokio::test]
async fn an_event_that_nobody_takes_for_a_day_is_given_up() {
    let receiver = Receiver::start().await;
    let world = watching(&[http(&receiver, "")]).await;
    receiver.answer(500);
    world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    for _ in 0..23 {
        world.advance("1h");
        world.hand_on().await;
    }
    assert_eq!(deliveries(&world), ["pending|24"]);
    world.advance("58m");
    world.hand_on().await;
    assert_eq!(deliveries(&world), ["dead|25"]);
    world.advance("1h");
    world.hand_on().await;
    assert_eq!(receiver.posted().len(), 25);
}

#[tokio::test]
async fn an_event_that_is_refused_is_given_up_at_once_and_the_next_one_goes() {
    let receiver = Receiver::start().await;
    let world = watching(&[http(&receiver, "")]).await;
    receiver.answer_next(Answer::http(410, ""));
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-26T16:00:00"));
    seen(&world).await;
    assert_eq!(receiver.took(), [format!("record.updated {record}")]);
    assert_eq!(deliveries(&world), ["dead|1", "sent|1"]);
    let why = world.rows("SELECT last_error FROM event_deliveries WHERE status = 'dead'");
    assert_eq!(why, ["HTTP 410 Gone"]);
}

#[tokio::test]
async fn the_events_of_a_booking_keep_their_order_and_hold_no_other_booking_up() {
    let receiver = Receiver::start().await;
    let world = watching(&[http(&receiver, "")]).await;
    receiver.answer_next(Answer::http(500, ""));
    let first = world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    world
        .salon
        .reschedule(SALON, first, at("2026-08-26T16:00:00"));
    let second = world
        .salon
        .book(haircut("2026-08-27T14:30:00").client("Вера", "+79000000002"));
    seen(&world).await;
    assert_eq!(receiver.took(), [format!("record.created {second}")]);
    world.advance("2s");
    world.hand_on().await;
    assert_eq!(
        receiver.took()[1..],
        [
            format!("record.created {first}"),
            format!("record.updated {first}")
        ]
    );
}

#[tokio::test]
async fn a_dead_sink_delays_neither_another_sink_nor_a_client() {
    let (dead, alive) = (Receiver::start().await, Receiver::start().await);
    let world = watching(&[http(&dead, ""), http(&alive, ""), FILE.to_owned()]).await;
    dead.answer(404);
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-26T16:00:00"));
    seen(&world).await;
    // Where nobody listens, one knock is enough.
    assert_eq!(dead.posted().len(), 1);
    assert_eq!(alive.taken().len(), 2);
    assert_eq!(lines(&world).len(), 2);
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_sink_gets_what_its_companies_and_types_name() {
    let all = Receiver::start().await;
    let (none, some) = (Receiver::start().await, Receiver::start().await);
    let other = "[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]\n";
    let world = watching(&[
        other.to_owned(),
        http(&all, ""),
        http(&none, "companies = [222222]"),
        http(&some, "types = [\"record.deleted\"]\ncompanies = [111111]"),
    ])
    .await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    world.salon.cancel(SALON, record);
    seen(&world).await;
    let deleted = format!("record.deleted {record}");
    assert_eq!(
        all.took(),
        [format!("record.created {record}"), deleted.clone()]
    );
    assert_eq!(some.took(), [deleted]);
    assert_eq!(none.took(), [""; 0]);
}

#[tokio::test]
async fn a_new_sink_gets_what_happens_from_then_on_and_one_that_is_gone_is_owed_nothing() {
    let (old, new) = (Receiver::start().await, Receiver::start().await);
    let mut world = watching(&[http(&old, ""), http(&new, "")]).await;
    let both = world.config.events.clone();
    world.config.events.truncate(1);
    world.restart().await;
    old.answer(500);
    let first = world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    world.config.events = both[1..].to_vec();
    world.restart().await;
    assert_eq!(deliveries(&world), [""; 0]);
    world
        .salon
        .reschedule(SALON, first, at("2026-08-26T16:00:00"));
    seen(&world).await;
    assert_eq!(new.took(), [format!("record.updated {first}")]);
    assert_eq!(old.posted().len(), 1);
}

#[tokio::test]
async fn a_file_gets_a_line_an_event_and_may_be_moved_away() {
    let world = watching(&[FILE.to_owned()]).await;
    let path = world.folder.path().join("events.jsonl");
    std::fs::write(&path, "{\"half\":").unwrap();
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let payload = world.rows("SELECT payload FROM booking_events");
    assert_eq!(text, format!("{{\"half\":\n{}\n", payload[0]));
    std::fs::rename(&path, world.folder.path().join("events.1")).unwrap();
    world.salon.cancel(SALON, record);
    seen(&world).await;
    assert_eq!(lines(&world)[0]["event"], "record.deleted");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_keeps_its_events_in_order() {
    let world = watching(&[FILE.to_owned()]).await;
    let path = world.folder.path().join("events.jsonl");
    std::fs::create_dir(&path).unwrap();
    world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    world
        .salon
        .book(haircut("2026-08-26T14:30:00").client("Вера", "+79000000002"));
    seen(&world).await;
    std::fs::remove_dir(&path).unwrap();
    world.advance("1m");
    world.hand_on().await;
    let starts: Vec<Value> = lines(&world)
        .iter()
        .map(|l| l["data"]["datetime"].clone())
        .collect();
    assert_eq!(starts, ["2026-08-25 14:30:00", "2026-08-26 14:30:00"]);
}

#[tokio::test]
async fn a_sink_that_takes_nothing_is_one_alert_and_one_word_when_it_is_over() {
    let receiver = Receiver::start().await;
    let world = watching(&[http(&receiver, "")]).await;
    receiver.answer(502);
    world
        .salon
        .book(haircut("2026-08-25T14:30:00").client("Анна", ""));
    seen(&world).await;
    for _ in 0..3 {
        world.advance("6m");
        world.hand_on().await;
        world.turn().await;
    }
    let host = receiver
        .url
        .trim_start_matches("http://")
        .trim_end_matches(PATH);
    // Nothing that Telegram would make a link of.
    let host = host.replace('.', ".\u{2060}");
    let alert = format!(
        "⚠️ <b>События не принимают: {host}</b>\nС 12:00: HTTP 502 Bad Gateway.\nЭто ваша автоматика, [[events]] в настройках: клиентам пишу как обычно. Каждое событие ждёт приёма сутки."
    );
    let about = |told: Vec<String>| -> Vec<String> {
        told.into_iter().filter(|t| t.contains("События")).collect()
    };
    let told = about(world.owner_told());
    assert_eq!(told, [alert.as_str()]);
    receiver.answer(204);
    world.advance("6m");
    world.hand_on().await;
    world.turn().await;
    world.turn().await;
    let over = format!("✅ <b>События снова принимают: {host}</b>\nПерерыв 24 мин.");
    assert_eq!(about(world.owner_told()), [alert, over]);
}

#[tokio::test]
async fn what_was_not_handed_on_of_a_forgotten_person_is_dropped() {
    let receiver = Receiver::start().await;
    let mut world = watching(&[http(&receiver, "")]).await;
    receiver.answer(500);
    world
        .salon
        .book(haircut("2026-08-25T14:30:00").comment("аллергия"));
    let other = world
        .salon
        .book(haircut("2026-08-27T14:30:00").client("Вера", "+79000000002"));
    seen(&world).await;
    world.stop();
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(
        &world.database(),
        &phone,
        "2026-08-20T10:00:00Z".parse().unwrap(),
    )
    .unwrap();
    world.start().await;
    receiver.answer(200);
    world.advance("1m");
    world.hand_on().await;
    assert_eq!(receiver.took(), [format!("record.created {other}")]);
}

#[tokio::test]
async fn retention_takes_what_nobody_took() {
    let receiver = Receiver::start().await;
    let world = watching(&[http(&receiver, "")]).await;
    receiver.answer(500);
    world.salon.book(haircut("2026-08-21T14:30:00"));
    seen(&world).await;
    world.advance("31s");
    world.turn().await;
    assert_eq!(deliveries(&world), ["pending|1"]);
    let later = "2026-12-01T00:00:00Z".parse().unwrap();
    let mut conn = world.sql();
    conn.pragma_update(None, "foreign_keys", true).unwrap();
    store::write_on(&mut conn, |tx| store::prune::older_than(tx, later)).unwrap();
    assert_eq!(deliveries(&world), [""; 0]);
    assert_eq!(world.rows("SELECT count(*) FROM booking_events"), ["0"]);
    receiver.answer(200);
    world.hand_on().await;
    assert_eq!(receiver.taken().len(), 0);
}

#[tokio::test]
async fn a_dead_sink_gives_up_all_that_is_a_day_old_at_once_and_says_so_once() {
    let receiver = Receiver::start().await;
    let world = watching(&[http(&receiver, "")]).await;
    // Nobody listens there.
    receiver.answer(404);
    for hour in 10..15 {
        let start = format!("2026-08-25T{hour}:00:00");
        world.salon.book(haircut(&start).client("Анна", ""));
    }
    seen(&world).await;
    assert_eq!(deliveries(&world).len(), 5);
    for _ in 0..23 {
        world.advance("1h");
        world.hand_on().await;
        world.turn().await;
    }
    world
        .salon
        .book(haircut("2026-08-26T10:00:00").client("Анна", ""));
    seen(&world).await;
    for _ in 0..3 {
        world.advance("1h");
        world.hand_on().await;
        world.turn().await;
    }
    let mut statuses = deliveries(&world);
    statuses.retain(|row| row.starts_with("pending"));
    assert_eq!(statuses.len(), 1, "{:?}", deliveries(&world));
    let mut told = world.owner_told();
    told.retain(|text| text.contains("События пропадают"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("Не приняты: 5."), "{told:?}");
    // What is younger still goes.
    receiver.answer(200);
    world.advance("1h");
    world.hand_on().await;
    assert_eq!(receiver.taken().len(), 1);
}

#[tokio::test]
async fn what_happened_while_nothing_ran_is_offered_once_before_it_is_given_up() {
    let receiver = Receiver::start().await;
    let world = watching(&[http(&receiver, "")]).await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.poll().await;
    world.advance("2d");
    world.hand_on().await;
    assert_eq!(receiver.took(), [format!("record.created {record}")]);
}

#[tokio::test]
async fn a_copy_of_the_database_hands_nothing_on_again() {
    let receiver = Receiver::start().await;
    let mut world = watching(&[http(&receiver, "")]).await;
    receiver.answer(500);
    world.salon.book(haircut("2026-08-25T14:30:00"));
    seen(&world).await;
    let copy = world.folder.path().join("copy.db");
    store::backup(&world.database(), &copy).unwrap();
    receiver.answer(200);
    world.advance("1m");
    world.hand_on().await;
    assert_eq!(receiver.taken().len(), 1);
    world.stop();
    store::restore(&world.database(), &copy).unwrap();
    world.start().await;
    world.advance("1m");
    world.hand_on().await;
    assert_eq!(receiver.taken().len(), 1);
    assert_eq!(deliveries(&world), ["dead|1"]);
}

/// The program with a receiver and a file, and a booking that happened after the baseline.
async fn program(receiver: &Receiver) -> Program {
    let program = Program::new().await;
    let keys = format!("token = \"{TOKEN}\"\nsecret = \"{SECRET}\"");
    program.configure(&format!("{}{FILE}", http(receiver, &keys)));
    let first = program.run(&["--once"]).await;
    assert!(first.status.success(), "{}", stderr(&first));
    program.book();
    program
}

#[tokio::test]
async fn a_single_run_hands_events_on_and_status_shows_how_that_goes() {
    let receiver = Receiver::start().await;
    let program = program(&receiver).await;
    receiver.answer(500);
    let run = program.run(&["--once", "-v"]).await;
    assert!(
        run.status.success(),
        "a sink is no channel: {}",
        stderr(&run)
    );
    let json = program.run(&["status", "--json"]).await;
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let host = receiver
        .url
        .trim_start_matches("http://")
        .trim_end_matches(PATH);
    let sinks = &json["events"];
    assert_eq!(sinks[0]["sink"], host);
    assert_eq!(sinks[0]["up"], false);
    assert_eq!(sinks[0]["last_error"], "HTTP 500 Internal Server Error");
    assert_eq!(sinks[0]["pending"], 1);
    assert_eq!(sinks[1]["sink"], "events.jsonl");
    assert_eq!(sinks[1]["up"], true);
    assert_eq!(sinks[1]["pending"], 0);
    let record = program.rows("SELECT CAST(record_id AS TEXT) FROM booking_events");
    let told = program.run(&["explain", &record[0]]).await;
    for line in [
        format!("событие ждёт передачи: {host} (HTTP 500 Internal Server Error)"),
        "событие передано: events.jsonl".to_owned(),
    ] {
        let told = stdout(&told);
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(&line), "{line}: {told}");
    }
    let shown = program.run(&["status"]).await;
    assert!(stdout(&shown).contains("HTTP 500"), "{}", stdout(&shown));
    for output in [&run, &shown, &told] {
        let printed = format!("{}{}", stdout(output), stderr(output));
        for canary in ["CANARY", "9000000001", "Анна"] {
            assert!(!printed.contains(canary), "{canary}: {printed}");
        }
    }
}

#[tokio::test]
async fn forget_names_the_file_of_events_that_it_cannot_reach() {
    let receiver = Receiver::start().await;
    let program = program(&receiver).await;
    program.run(&["--once"]).await;
    let said = program.run(&["forget", PHONE]).await;
    let file = program.folder.path().join("events.jsonl");
    assert!(
        stdout(&said).contains(&format!("  {}", file.display())),
        "{}",
        stdout(&said)
    );
}
