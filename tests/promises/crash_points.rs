//! A salon's day, ended at every point that the program passes and begun anew on what is on the
//! disk: after each transaction, around each request. With a messenger whose journal can be read
//! nothing is lost and nothing doubled; with one that proves nothing, nothing is doubled and every
//! send in doubt is shown and told.
#![cfg(debug_assertions)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::power::{Power, vanish};
use crate::support::receiver::Receiver;
use crate::support::telegram::private;
use crate::support::world::{OWNER, SALON, World, at, haircut};
use booking_monitor::failpoint;
use booking_monitor::store::{MIGRATIONS, Store};
use serde_json::json;

/// Copies go to a console, so that the owner's chat is not paced for the length of the test.
const OWNED: &str = r#"owner = [
        { channel = "telegram", to = "500", events = [] },
        { channel = "terminal", to = "desk", events = ["created", "updated", "cancelled"], alerts = false },
    ]
    [channels.terminal]
    type = "console""#;
const ANNA: &str = "+79000000001";
const VERA: &str = "+79000000002";
const INNA: &str = "+79000000003";

/// Days that run side by side: most of a day is waiting for answers.
const SHARDS: usize = 4;

/// How clients are written to.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Green API: its journal tells what became of a send.
    Journal,
    /// A Telegram bot: nothing tells.
    Blind,
}

/// What happens in the salon and in people's chats, one thing after the other.
const DAY: [fn(&World, Way); 11] = [
    // Booked before anybody watched: never told.
    |world, _| book(world, "2026-08-29T10:00:00", "Ольга", "+79000000009"),
    |world, way| {
        for (chat, phone) in [(901, ANNA), (902, VERA), (903, INNA)] {
            if way == Way::Blind {
                world.telegram.push_contact(chat, phone, Some(chat));
            }
        }
    },
    |world, _| {
        book(world, "2026-08-25T14:30:00", "Анна", ANNA);
        book(world, "2026-08-25T15:30:00", "Вера", VERA);
    },
    |world, _| {
        let record = record_of(world, ANNA);
        let later = at("2026-08-26T16:00:00");
        world.salon.reschedule(SALON, record, later);
    },
    |world, way| write(world, way, VERA, "Спасибо, буду"),
    |world, _| {
        // The owner answers the client's words. Of two copies, which an end may leave, the later one:
        // whose number was lost with the answer nobody can tell whom it hands on.
        let told = world.telegram.sent();
        let words = told.iter().rfind(|s| s.text.contains("Спасибо, буду"));
        let mut answer = private(500);
        answer["message_id"] = 7001.into();
        answer["text"] = "Ждём вас".into();
        answer["reply_to_message"] =
            json!({"message_id": words.unwrap().id.parse::<i64>().unwrap()});
        world.telegram.push_update(json!({ "message": answer }));
    },
    |world, _| {
        world.telegram.push_text(500, "/pause 2h");
        book(world, "2026-08-27T12:00:00", "Инна", INNA);
    },
    |world, way| {
        world.telegram.push_text(500, "/resume");
        if way == Way::Journal {
            let sent = world.green.sent();
            world.green.push_status(&sent[0].id, "read");
        }
    },
    |world, way| write(world, way, ANNA, "стоп"),
    |world, _| {
        let record = record_of(world, ANNA);
        let later = at("2026-08-27T18:00:00");
        world.salon.reschedule(SALON, record, later);
    },
    |world, _| {
        let record = record_of(world, VERA);
        world.salon.cancel(SALON, record);
    },
];

fn book(world: &World, start: &str, name: &str, phone: &str) {
    world.salon.book(haircut(start).client(name, phone));
}

fn write(world: &World, way: Way, phone: &str, words: &str) {
    match way {
        Way::Journal => world.green.push_text(phone.trim_start_matches('+'), words),
        Way::Blind => {
            let chat = 900 + phone[phone.len() - 1..].parse::<i64>().unwrap();
            world.telegram.push_text(chat, words)
        }
    };
}

/// The record of this client.
fn record_of(world: &World, phone: &str) -> i64 {
    let query = format!("SELECT record_id FROM appointments_cache WHERE client_phone = '{phone}'");
    world.rows(&query)[0].parse().unwrap()
}

/// Every stage, until nothing is left to be received or sent now.
async fn work(world: &World) {
    for (name, end) in world.pipeline().channels() {
        let Some(receiver) = &end.receiver else {
            continue;
        };
        let waiting = || match name.as_str() {
            "telegram" => world.telegram.unconfirmed(),
            _ => world.green.undeleted(),
        };
        while waiting() > 0 {
            let patience = Duration::from_millis(200);
            let received = world.pipeline().receive_once(end, receiver, patience);
            received.await.unwrap();
        }
    }
    world.poll().await;
    world.advance("31s");
    world.turn().await;
}

/// The time that a journal needs to prove that it lacks something, and more.
async fn rest(world: &World) {
    for _ in 0..4 {
        world.advance("30s");
        work(world).await;
    }
}

/// The program is gone, with everything it had under way; then it is started again.
async fn begin_anew(world: &mut World) {
    vanish(world).await;
    failpoint::watch(None);
    world.start().await;
    // Whatever is in doubt now, the owner hears of within a minute.
    for _ in 0..5 {
        world.advance("10s");
        world.turn().await;
    }
    assert_eq!(untold_doubts(world), [""; 0]);
}

/// Sends in doubt that the owner has not heard of.
fn untold_doubts(world: &World) -> Vec<String> {
    let told = world.owner_told();
    let doubts = world.rows(
        "SELECT id FROM booking_notifications
          WHERE status = 'uncertain' AND (phone <> '' OR kind = 'reply')",
    );
    let is_told = |id: &String| told.iter().any(|t| t.contains(&format!("№ {id}:")));
    doubts.into_iter().filter(|id| !is_told(id)).collect()
}

/// One day in which the program ends at this point, if it gets there, and begins anew at once.
async fn day(way: Way, end_at: usize) -> (World, Vec<&'static str>, bool) {
    let mut world = World::with("", OWNED).await;
    if way == Way::Blind {
        world.config.companies[0].channels = vec!["telegram".into()];
    }
    world.stop();
    let power = Power::until(end_at);
    let mut out = !power.unless_out(world.start()).await;
    if out {
        begin_anew(&mut world).await;
    }
    for (n, event) in DAY.iter().enumerate() {
        event(&world, way);
        if out {
            work(&world).await;
            continue;
        }
        // Now and then it is started anew in peace, too.
        let restart = async {
            if n == 6 {
                world.restart().await;
            }
            work(&world).await;
        };
        out = !power.unless_out(restart).await;
        if out {
            begin_anew(&mut world).await;
            work(&world).await;
            rest(&world).await;
        }
    }
    failpoint::watch(None);
    rest(&world).await;
    (world, power.passed(), out)
}

/// What each chat was sent, in order; the owner's apart.
fn chats(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut chats: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for sent in world.green.sent().into_iter().chain(world.telegram.sent()) {
        if sent.chat != OWNER {
            chats.entry(sent.chat).or_default().push(sent.text);
        }
    }
    chats
}

/// Rows to each person that left or may have.
fn told_rows(world: &World) -> Vec<String> {
    world.rows(
        "SELECT recipient, kind, count(*) FROM booking_notifications
          WHERE (phone <> '' OR kind = 'reply') AND status IN ('sent', 'delivered', 'read', 'uncertain')
          GROUP BY recipient, kind ORDER BY 1, 2",
    )
}

/// What clients and owners asked for, as it stands at the end.
fn asked_for(world: &World) -> Vec<String> {
    let mut asked = world.rows("SELECT phone, company_id FROM opt_outs ORDER BY 1");
    asked.extend(world.rows("SELECT chat_id, phone FROM contacts ORDER BY 1"));
    asked.extend(
        world.rows("SELECT text, direction FROM messages WHERE direction = 'inbound' ORDER BY 1"),
    );
    asked.extend(world.rows("SELECT count(*) FROM pauses"));
    asked
}

/// What a day comes to that nothing disturbed.
struct Whole {
    asked_for: Vec<String>,
    chats: BTreeMap<String, Vec<String>>,
    told_rows: Vec<String>,
}

fn check(way: Way, world: &World, whole: &Whole, point: &str) {
    let unfinished = "SELECT id, kind, status FROM booking_notifications
        WHERE status NOT IN ('sent', 'delivered', 'read', 'suppressed', 'uncertain')";
    assert_eq!(world.rows(unfinished), [""; 0], "{point}");
    assert_eq!(asked_for(world), whole.asked_for, "{point}");
    let count = |what: &str| -> usize {
        let query = format!("SELECT count(*) FROM booking_notifications WHERE {what}");
        world.rows(&query)[0].parse().unwrap()
    };
    match way {
        Way::Journal => {
            assert_eq!(chats(world), whole.chats, "{point}");
            let doubts = count("status = 'uncertain' AND channel = 'whatsapp'");
            assert_eq!(doubts, 0, "{point}");
        }
        Way::Blind => {
            assert_eq!(told_rows(world), whole.told_rows, "{point}");
            assert_eq!(untold_doubts(world), [""; 0], "{point}");
            // One end can leave what was on its way to all three people in doubt.
            let doubts = count("status = 'uncertain'");
            assert!(doubts <= 3, "{point}: {doubts}");
            for (chat, texts) in chats(world) {
                for text in &texts {
                    let times = texts.iter().filter(|t| *t == text).count();
                    assert_eq!(times, 1, "{point}: {chat} was told twice: {text}");
                }
            }
            let sure = count("status = 'sent' AND (phone <> '' OR kind = 'reply')");
            let arrived: usize = chats(world).values().map(Vec::len).sum();
            let possible = sure..=sure + doubts;
            assert!(
                possible.contains(&arrived),
                "{point}: {arrived} of {possible:?}"
            );
        }
    }
}

/// The points at which the disk or the world outside is another than at the one before, and every
/// kind of the others once: an end there leaves the same behind. `CRASH_POINTS=all` walks them all
/// the same.
fn telling(passed: &[&'static str]) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let all = std::env::var("CRASH_POINTS").is_ok_and(|which| which == "all");
    let mut is_telling = |point: &'static str| {
        all || seen.insert(point) || ["after_commit", "after_request_written"].contains(&point)
    };
    let numbered = (1..).zip(passed);
    let telling = numbered.filter(|(_, point)| is_telling(point));
    telling.map(|(n, _)| n).collect()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    // One thread for everything, or the watch would miss what another one does.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

/// A day for every point.
fn walk(way: Way) {
    let (whole, points) = block_on(async {
        let (world, passed, _) = day(way, 0).await;
        let whole = Whole {
            asked_for: asked_for(&world),
            chats: chats(&world),
            told_rows: told_rows(&world),
        };
        check(way, &world, &whole, "undisturbed");
        (whole, telling(&passed))
    });
    assert!(points.len() > 100, "{points:?}");
    // Writes that meet share a transaction, so a day may have a few points less than the day before.
    let missed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for shard in 0..SHARDS {
            let (whole, points, missed) = (&whole, &points, &missed);
            let walk = async move {
                for end_at in points.iter().skip(shard).step_by(SHARDS) {
                    let (world, passed, out) = day(way, *end_at).await;
                    if !out {
                        missed.fetch_add(1, Ordering::Relaxed);
                    }
                    let name = passed.last().unwrap();
                    check(way, &world, whole, &format!("point {end_at}, {name}"));
                }
            };
            scope.spawn(|| block_on(walk));
        }
    });
    let missed = missed.into_inner();
    assert!(missed * 20 <= points.len(), "never got to {missed} points");
}

#[test]
fn with_a_journal_nothing_is_lost_and_nothing_doubled() {
    walk(Way::Journal);
}

#[test]
fn without_proof_nothing_is_doubled_and_every_doubt_is_told() {
    walk(Way::Blind);
}

#[tokio::test]
async fn a_migration_that_breaks_off_anywhere_is_made_up_at_the_next_start() {
    for end_at in 1.. {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let old = rusqlite::Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.execute_batch("INSERT INTO companies (company_id, title) VALUES (7, 'Салон')")
            .unwrap();
        drop(old);
        let power = Power::until(end_at);
        let opened = Store::open(&path).await;
        failpoint::watch(None);
        if !power.is_out() {
            assert!(opened.is_ok());
            assert!(
                power.passed().contains(&"in_migration"),
                "{:?}",
                power.passed()
            );
            break;
        }
        let store = Store::open(&path).await.unwrap();
        let title = store
            .read(|c| {
                let title: String = c.query_row("SELECT title FROM companies", [], |r| r.get(0))?;
                Ok(title)
            })
            .await;
        assert_eq!(title.unwrap(), "Салон", "{:?}", power.passed());
        store.close().await.unwrap();
    }
}

/// The lines of the file of events.
fn lines(world: &World) -> Vec<String> {
    let path = world.folder.path().join("events.jsonl");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let id = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        json["event_id"].as_str().unwrap().to_owned()
    };
    text.lines().map(id).collect()
}

/// Three events, and what is due to the sinks after each.
async fn hand_on(world: &World, step: usize) {
    match step {
        0 => book(world, "2026-08-25T14:30:00", "Анна", ANNA),
        1 => book(world, "2026-08-26T14:30:00", "Вера", VERA),
        _ => world.salon.cancel(SALON, record_of(world, ANNA)),
    }
    world.poll().await;
    world.hand_on().await;
}

/// Three events of which each sink is owed one after the other; the program may end at this point.
async fn events(end_at: usize) -> (Vec<&'static str>, bool) {
    let receiver = Receiver::start().await;
    let sinks = format!(
        "[[events]]\nto = \"jsonl\"\npath = \"events.jsonl\"\n[[events]]\nto = \"http\"\nurl = \"{}\"",
        receiver.url
    );
    let mut world = World::watching_with("", &sinks).await;
    let power = Power::until(end_at);
    for step in 0..3 {
        if power.is_out() {
            hand_on(&world, step).await;
        } else if !power.unless_out(hand_on(&world, step)).await {
            begin_anew(&mut world).await;
            world.poll().await;
            world.hand_on().await;
        }
    }
    failpoint::watch(None);
    let events = world.rows("SELECT event_id FROM booking_events ORDER BY id");
    assert_eq!(events.len(), 3);
    assert_eq!(lines(&world), events, "{:?}", power.passed());
    let taken: BTreeSet<String> = receiver
        .taken()
        .iter()
        .map(|posted| posted.header("idempotency-key").to_owned())
        .collect();
    assert_eq!(taken, events.into_iter().collect(), "{:?}", power.passed());
    (power.passed(), power.is_out())
}

#[test]
fn an_event_is_one_line_and_posted_once_or_more_wherever_the_program_ends() {
    let (passed, _) = block_on(events(0));
    assert!(passed.contains(&"in_line"), "{passed:?}");
    let points = telling(&passed);
    std::thread::scope(|scope| {
        for shard in 0..SHARDS {
            let points = &points;
            let walk = async move {
                for end_at in points.iter().skip(shard).step_by(SHARDS) {
                    assert!(events(*end_at).await.1, "point {end_at} was never reached");
                }
            };
            scope.spawn(|| block_on(walk));
        }
    });
}
