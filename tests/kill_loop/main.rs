//! The program killed with SIGKILL, again and again, in the middle of its work: at random moments
//! while a salon lives on, and at one system call after the other of a single send.
//!
//! The oracle reads what the messengers were given and what the database says in the end. A seed is
//! printed and can be given again (`KILL_LOOP_SEED`); it replays the salon and the moments, as far
//! as the machine's own pace lets it. `tests/kill_loop/run` runs a release at length.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![expect(clippy::print_stdout, reason = "figures are what a long run is for")]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod oracle;
mod stage;

use std::time::{Duration, Instant};

use oracle::Verdict;
use stage::{Chance, Ears, Stage, setting};

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_random_moments_lose_nothing_double_nothing_and_hide_no_doubt() {
    let rounds = setting("KILL_LOOP_ROUNDS", 40);
    let seed = setting("KILL_LOOP_SEED", rand::random());
    println!("KILL_LOOP_SEED={seed} KILL_LOOP_ROUNDS={rounds}");
    let mut stage = Stage::build(Chance::new(seed), Ears::Open).await;
    let began = Instant::now();
    for _ in 0..rounds {
        let mut daemon = stage.daemon();
        let ends = Instant::now() + stage.chance.between(30, 900);
        while Instant::now() < ends {
            stage.something_happens();
            let pause = stage.chance.between(10, 60);
            tokio::time::sleep(pause.min(ends - Instant::now().min(ends))).await;
        }
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        // At once or a little later, as a supervisor would.
        if stage.chance.one_in(4) {
            tokio::time::sleep(stage.chance.between(1, 400)).await;
        }
    }
    let killed = began.elapsed();
    let mut daemon = stage.daemon();
    stage.wait_until_quiet(Duration::from_secs(240)).await;
    stage.stop(&mut daemon).await;
    let verdict = Verdict::of(&stage);
    println!("{rounds} kills in {killed:.0?}: {verdict}");
    assert_eq!(verdict.faults, [""; 0], "KILL_LOOP_SEED={seed}");
    assert!(verdict.told > 0, "nothing was told at all");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs strace, which .ci/run brings along"]
async fn a_kill_at_any_system_call_of_a_send_loses_nothing_and_doubles_nothing() {
    calls::walk(setting("KILL_LOOP_STEP", 37)).await;
}
