//! The line in which requests wait for their turn.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::pace::Gate;
use crate::ports::{Standing, Urgency};

/// Everybody who waits. The head is found anew at each step, because a place moves up when a message
/// comes to wait for it.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    places: Vec<Ticket>,
    next: u64,
}

#[derive(Debug)]
struct Ticket {
    number: u64,
    standing: Standing,
    /// A comparison that has its share of the requests stands before the polls.
    has_share: bool,
    called: Arc<Notify>,
}

impl Ticket {
    fn rank(&self) -> (Urgency, u64) {
        let urgency = match self.standing.urgency() {
            Urgency::Sweep if self.has_share => Urgency::FirstSweep,
            urgency => urgency,
        };
        (urgency, self.number)
    }
}

impl Waiting {
    fn head(&self) -> Option<&Ticket> {
        self.places.iter().min_by_key(|ticket| ticket.rank())
    }

    fn call(&self) {
        if let Some(head) = self.head() {
            head.called.notify_one();
        }
    }
}

impl Line {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place, which is left when it is dropped.
    pub(super) fn join(&self, standing: &Standing) -> Place<'_> {
        let called = Arc::new(Notify::new());
        let mut waiting = self.waiting();
        let number = waiting.next;
        waiting.next += 1;
        waiting.places.push(Ticket {
            number,
            standing: standing.clone(),
            has_share: false,
            called: Arc::clone(&called),
        });
        Place {
            line: self,
            number,
            called,
            is_sweep: standing.is_sweep(),
        }
    }
}

/// One request in the line.
pub(super) struct Place<'a> {
    line: &'a Line,
    number: u64,
    called: Arc<Notify>,
    is_sweep: bool,
}

impl Place<'_> {
    /// Nobody who waits is more urgent.
    pub(super) fn is_first(&self) -> bool {
        let waiting = self.line.waiting();
        waiting
            .head()
            .is_some_and(|head| head.number == self.number)
    }

    /// Waits until nobody else is more urgent. A comparison moves up when `share` lets one pass.
    pub(super) async fn comes_first(&self, share: &Gate) {
        let mut has_share = !self.is_sweep || self.has_share();
        while !self.is_first() {
            // A place moves up without being called: whoever was called in its stead passes it on,
            // or both would wait for ever.
            self.line.waiting().call();
            tokio::select! {
                () = self.called.notified() => {}
                () = share.pass(), if !has_share => {
                    has_share = true;
                    self.move_up();
                }
            }
        }
    }

    fn has_share(&self) -> bool {
        let waiting = self.line.waiting();
        let mine = waiting.places.iter().find(|t| t.number == self.number);
        mine.is_some_and(|ticket| ticket.has_share)
    }

    fn move_up(&self) {
        let mut waiting = self.line.waiting();
        let mine = |ticket: &&mut Ticket| ticket.number == self.number;
        if let Some(ticket) = waiting.places.iter_mut().find(mine) {
            ticket.has_share = true;
        }
        waiting.call();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.line.waiting();
        waiting.places.retain(|ticket| ticket.number != self.number);
        waiting.call();
    }
}
