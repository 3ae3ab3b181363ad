//! A client takes a booking off, and the program ends at every point between their words and the answer:
//! the booking is taken off once, the client is answered once, and nothing is announced again.
#![cfg(debug_assertions)]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::world::{PHONE, SALON, World, haircut};
use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::failpoint;
use booking_monitor::ports::Clock as _;
use futures_util::FutureExt as _;

const SETTINGS: &str = r#"owner = [{ channel = "telegram", to = "500" }]
    replies = { write = true, cancel = "self" }"#;
const CALLED_OFF: &str = "Готово, ваша запись на 21 августа в 14:30 отменена. Захотите прийти в другой раз — напишите мне здесь 👇";

/// Points passed, and the one at which the program ends.
#[derive(Default)]
struct Points {
    passed: Vec<&'static str>,
    end_at: usize,
    ended: bool,
}

fn watch(end_at: usize) -> Arc<Mutex<Points>> {
    let points = Arc::new(Mutex::new(Points {
        end_at,
        ..Points::default()
    }));
    let watched = Arc::clone(&points);
    failpoint::watch(Some(Arc::new(move |point| {
        let mut points = watched.lock().unwrap();
        if !points.ended {
            points.passed.push(point);
            points.ended = points.passed.len() == points.end_at;
        }
        if points.ended {
            drop(points);
            resume_unwind(Box::new("the program ends"));
        }
    })));
    points
}

async fn follow(world: &World) {
    world.receive().await;
    let now = world.clock.now();
    world.pipeline().writes_due(now).await.unwrap();
    world.deliver().await;
}

/// The program is gone with everything it had under way, and is started anew.
async fn begin_anew(world: &mut World) {
    let ends: Vec<_> = match world.is_running() {
        true => world
            .pipeline()
            .channels()
            .values()
            .map(Arc::downgrade)
            .collect(),
        false => Vec::new(),
    };
    world.stop();
    let gone = async {
        while ends.iter().any(|end| end.strong_count() > 0) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone)
        .await
        .unwrap();
    failpoint::watch(None);
    world.start().await;
}

/// The points passed; whether the program ended at one.
async fn day(end_at: usize, fault: Option<Fault>, of: usize) -> (Vec<&'static str>, bool) {
    let mut world = World::watching_with("", SETTINGS).await;
    let mut records = Vec::new();
    for (n, master) in ["Бари", "Анна"].iter().enumerate().take(of) {
        let start = ["2026-08-21T14:30:00", "2026-08-21T15:30:00"][n];
        let draft = haircut(start).staff(5 + n as i64, master).visit(77);
        records.push(world.salon.book(draft));
    }
    world.tell().await;
    if let Some(fault) = fault {
        world.salon.fail_next(Route::Cancel, 1, fault);
    }
    world.green.push_text_at(PHONE, "отмена", world.clock.now());
    let points = watch(end_at);
    let done = AssertUnwindSafe(follow(&world)).catch_unwind().await;
    let ended = points.lock().unwrap().ended;
    assert!(done.is_ok() || ended);
    if ended {
        begin_anew(&mut world).await;
    }
    failpoint::watch(None);
    // A poll may come first, or what is left to do.
    for n in 0..8 {
        if (n + end_at).is_multiple_of(2) {
            world.poll().await;
        }
        follow(&world).await;
        world.advance("31s");
        world.turn().await;
    }
    let passed = points.lock().unwrap().passed.clone();
    let point = format!("point {end_at}, {:?}", passed.last());
    assert_eq!(world.told()[1..], [CALLED_OFF], "{point}");
    for record in records {
        let row = world.salon.row(SALON, record).unwrap();
        assert_eq!(row["deleted"], true, "{point}");
    }
    assert_eq!(world.salon.asked(Route::Cancel), of, "{point}");
    assert_eq!(
        world.rows("SELECT act, state FROM writes"),
        ["cancel|done"],
        "{point}"
    );
    let deleted = "SELECT payload ->> '$.data.deleted_by' FROM booking_events WHERE event_type = 'record.deleted'";
    assert_eq!(world.rows(deleted), vec!["client"; of], "{point}");
    (passed, ended)
}

fn walk(fault: Option<Fault>, of: usize) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        let (passed, _) = day(0, fault.clone(), of).await;
        for point in ["after_write_intent", "after_write", "after_write_look"] {
            assert!(passed.contains(&point), "{point} of {passed:?}");
        }
        // Of the points at which neither the disk nor the world outside is another, each kind once.
        let mut seen = BTreeSet::new();
        let telling = (1..).zip(&passed).filter(|(_, point)| {
            seen.insert(**point) || ["after_commit", "after_request_written"].contains(*point)
        });
        let (mut walked, mut missed) = (0, 0);
        for (end_at, _) in telling {
            let (_, ended) = day(end_at, fault.clone(), of).await;
            walked += 1;
            missed += u32::from(!ended);
        }
        // Writes that meet share a transaction, so a day may have a point less than the day before.
        assert!(missed * 20 <= walked, "never got to {missed} of {walked}");
    });
}

#[test]
fn wherever_it_ends_a_booking_is_taken_off_once_and_its_client_answered_once() {
    walk(None, 1);
}

#[test]
fn the_same_where_the_journals_answer_is_lost() {
    walk(Some(Fault::AnswerLost), 1);
}

#[test]
fn a_visit_of_two_bookings_is_taken_off_whole_and_answered_once() {
    walk(Some(Fault::AnswerLost), 2);
}
