//! The power goes out: the program ends at a point that it passes, wherever it is.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use booking_monitor::failpoint;
use futures_util::FutureExt as _;

use super::world::World;

/// What the program passed so far, and where it is to end.
#[derive(Default)]
struct Points {
    passed: Vec<&'static str>,
    end_at: usize,
    ended: bool,
}

/// The end of the program.
struct Ended;

#[derive(Clone, Default)]
pub struct Power(Arc<Mutex<Points>>);

impl Power {
    /// The program ends when it has passed so many points; 0 is never.
    pub fn until(end_at: usize) -> Self {
        let power = Self(Arc::new(Mutex::new(Points {
            end_at,
            ..Points::default()
        })));
        let points = Arc::clone(&power.0);
        failpoint::watch(Some(Arc::new(move |point| {
            let mut points = points.lock().unwrap();
            if !points.ended {
                points.passed.push(point);
                points.ended = points.passed.len() == points.end_at;
            }
            // What is still under way elsewhere goes no further than its next point.
            if points.ended {
                drop(points);
                resume_unwind(Box::new(Ended));
            }
        })));
        power
    }

    pub fn passed(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().passed.clone()
    }

    pub fn is_out(&self) -> bool {
        self.0.lock().unwrap().ended
    }

    /// Does this, unless the program ends in it. A panic of any other kind is the test's.
    pub async fn unless_out(&self, work: impl Future<Output = ()>) -> bool {
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(()) => !self.is_out(),
            Err(_) if self.is_out() => false,
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// The program is gone, with everything it had under way.
pub async fn vanish(world: &mut World) {
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
        .expect("something of the ended program lives on");
}
