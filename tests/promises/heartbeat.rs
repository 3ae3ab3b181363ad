//! `[alerts] heartbeat_url`: asked for after every good cycle and after no other, and nothing ever
//! waits for it.

use std::time::Duration;

use crate::support::fake::Answer;
use crate::support::program::{Program, stderr, stdout};
use crate::support::receiver::{PATH, Receiver};
use crate::support::world::{SALON, World, haircut};
use booking_monitor::demo::salon::{Fault, Route};

fn url(receiver: &Receiver) -> String {
    format!("[alerts]\nheartbeat_url = \"{}\"\n", receiver.url)
}

#[tokio::test]
async fn the_switch_is_touched_once_an_interval_while_the_journal_is_read() {
    let receiver = Receiver::start().await;
    let world = World::with("", &url(&receiver)).await;
    let beats = async || {
        world.pipeline().beat_due().await.unwrap();
        world.pipeline().beat_due().await.unwrap();
        receiver.requests().len()
    };
    assert_eq!(beats().await, 0, "nothing was read yet");
    world.poll().await;
    assert_eq!(beats().await, 1);
    assert_eq!(receiver.requests()[0].http, "GET");
    world.advance("59s");
    world.poll().await;
    assert_eq!(beats().await, 1);
    world.advance("1s");
    assert_eq!(beats().await, 2);
    world.salon.set_fault(Route::Records, Some(Fault::Html));
    world.advance("60s");
    world.poll_of(SALON).await;
    assert_eq!(beats().await, 2, "a poll that failed is no good cycle");
    world.salon.set_fault(Route::Records, None);
    world.poll().await;
    assert_eq!(beats().await, 3);
    world.advance("4m");
    assert_eq!(beats().await, 3, "nobody polls any more");
}

#[tokio::test]
async fn a_switch_that_cannot_be_touched_stops_nothing_and_is_named_nowhere() {
    let receiver = Receiver::start().await;
    let program = Program::new().await;
    program.configure(&url(&receiver));
    receiver.answer_next(Answer::http(500, "nobody knows this address"));
    let failed = program.run(&["--once", "-v"]).await;
    let heard = program.run(&["--once", "-v"]).await;
    assert_eq!(receiver.count(PATH), 2);
    program
        .salon
        .set_fault(Route::Records, Some(Fault::Status(500, "{}".into())));
    let bad = program.run(&["--once"]).await;
    assert_eq!(bad.status.code(), Some(1));
    assert_eq!(
        receiver.count(PATH),
        2,
        "after a bad round it is left alone"
    );
    assert!(stderr(&failed).contains("the heartbeat was not heard"));
    for output in [&failed, &heard] {
        assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
        let printed = format!("{}{}", stdout(output), stderr(output));
        assert!(!printed.contains("CANARY"), "{printed}");
    }
}

#[tokio::test]
async fn a_message_is_sent_while_the_switch_hangs() {
    let receiver = Receiver::start().await;
    receiver.answer_next(Answer::Hang { taken: false });
    let program = Program::new().await;
    program.configure(&url(&receiver));
    let daemon = program.daemon();
    receiver.wait_for_requests(PATH, 1).await;
    let draft = haircut(
        &crate::support::program::start(0)
            .format("%Y-%m-%dT%H:%M:%S")
            .to_string(),
    );
    program.salon.book(draft);
    program.green.wait_for(1).await;
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(20)).await;
    assert!(status.success(), "{log}");
}
