//! A reminder and the thanks after the visit, with the program ended at every point that it passes on
//! the way: neither is lost, neither comes twice.
#![cfg(debug_assertions)]

use crate::support::power::{Power, vanish};
use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::failpoint;
use booking_monitor::ports::Clock as _;
use chrono::TimeDelta;

const BOTH: &str = r#"notify = { reminders = ["2h"], visited = true }"#;

async fn turn_at(world: &World, local: &str) {
    let ahead = (at(local) - TimeDelta::hours(3)).and_utc() - world.clock.now();
    if let Ok(ahead) = ahead.to_std() {
        world.clock.advance(ahead);
    }
    world.poll().await;
    world.turn().await;
}

/// What is left of the way, from this step on.
async fn go_on(world: &World, record: i64, from: usize) {
    if from < 1 {
        turn_at(world, "2026-08-21T12:30:00").await;
    }
    if from < 2 {
        world.salon.set_attendance(SALON, record, 1);
        turn_at(world, "2026-08-21T15:00:00").await;
        world.advance("31s");
        world.turn().await;
    }
    turn_at(world, "2026-08-21T16:01:00").await;
}

/// The program ends at this point, if it gets there. Returns whether it did.
async fn day(end_at: usize) -> bool {
    let mut world = World::watching_with("", BOTH).await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let power = Power::until(end_at);
    let out = !power.unless_out(go_on(&world, record, 0)).await;
    if out {
        vanish(&mut world).await;
        failpoint::watch(None);
        world.start().await;
        // Whatever was under way is looked for in the messenger's journal, which takes its time.
        for _ in 0..8 {
            world.advance("30s");
            world.poll().await;
            world.turn().await;
        }
        let reminded = world.told().iter().any(|t| t.starts_with('⏰'));
        go_on(&world, record, usize::from(reminded)).await;
    }
    failpoint::watch(None);
    let heads: Vec<String> = world
        .told()
        .iter()
        .filter_map(|t| t.chars().next())
        .map(String::from)
        .collect();
    let point = power.passed().last().copied();
    assert_eq!(heads, ["✅", "⏰", "*"], "ended at {end_at}: {point:?}");
    out
}

#[test]
fn wherever_the_program_ends_the_client_is_reminded_once_and_thanked_once() {
    const SHARDS: usize = 4;
    let shards: Vec<_> = (1..=SHARDS)
        .map(|shard| {
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                let runtime = runtime.unwrap();
                let mut days = 0;
                for end_at in (shard..).step_by(SHARDS) {
                    days += 1;
                    if !runtime.block_on(day(end_at)) {
                        return days;
                    }
                }
                days
            })
        })
        .collect();
    let days: usize = shards.into_iter().map(|shard| shard.join().unwrap()).sum();
    assert!(days > 20, "the program passed {days} points only");
}
