//! What the database is asked for does not grow with what it holds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;

use crate::support::world::{World, haircut};
use rusqlite::StatementStatus;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

/// Steps of SQLite's machine so far, by connection and statement.
static STEPS: Mutex<Option<HashMap<(ThreadId, String), i64>>> = Mutex::new(None);

fn note(event: TraceEvent<'_>) {
    if let TraceEvent::Profile(statement, _) = event {
        let key = (std::thread::current().id(), statement.sql().into_owned());
        let steps = statement.get_status(StatementStatus::VmStep);
        let mut all = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_or_insert_default().insert(key, steps.into());
    }
}

fn steps() -> i64 {
    let all = STEPS.lock().unwrap();
    all.iter().flat_map(HashMap::values).sum()
}

/// A round in which nothing happens, and one with a new booking, in steps.
async fn rounds(told: u32) -> (i64, i64) {
    let world = World::watching().await;
    let store = world.pipeline().store();
    let codes = TraceEventCodes::SQLITE_TRACE_PROFILE;
    let traced = store.write(move |tx| {
        tx.trace_v2(codes, Some(note));
        Ok(())
    });
    traced.await.unwrap();
    let traced = store.read(move |c| {
        c.trace_v2(codes, Some(note));
        Ok(())
    });
    traced.await.unwrap();
    let client = |n: u32| haircut("2026-08-21T14:30:00").client("Анна", &format!("+7900000{n:04}"));
    for n in 0..told {
        world.salon.book(client(n));
    }
    world.tell().await;
    // By now neither the polls nor the guard look back as far as these.
    world.advance("2h");
    world.salon.book(client(told));
    world.tell().await;
    world.advance("1m");
    let before = steps();
    world.poll().await;
    world.turn().await;
    let idle = steps() - before;
    world.salon.book(client(told + 1));
    let before = steps();
    world.tell().await;
    assert_eq!(world.told().len(), told as usize + 2);
    (idle, steps() - before)
}

#[tokio::test]
async fn neither_an_idle_round_nor_a_new_booking_costs_more_where_there_are_many() {
    let (idle_of_few, new_of_few) = rounds(10).await;
    let (idle_of_many, new_of_many) = rounds(200).await;
    assert!(
        idle_of_many < idle_of_few + idle_of_few / 10,
        "an idle round: {idle_of_few} steps beside 10 bookings, {idle_of_many} beside 200"
    );
    assert!(
        new_of_many < new_of_few + new_of_few / 10,
        "a new booking: {new_of_few} steps beside 10 bookings, {new_of_many} beside 200"
    );
}
