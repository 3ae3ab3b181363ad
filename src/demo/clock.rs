//! A clock that can skip what is dull to watch: the quiet half minute before a message, the quarter
//! of an hour between two comparisons. So the demonstration runs with the delays salons run with.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::ports::Clock;

/// The machine's clock, set back at first and moved on at will, but never past the present: a
/// database that is kept must not hold times that are still to come.
pub struct TimeLapse {
    behind_ms: AtomicI64,
}

impl TimeLapse {
    /// As though it were so much earlier.
    #[must_use]
    pub fn behind(span: Duration) -> Self {
        Self {
            behind_ms: AtomicI64::new(milliseconds(span)),
        }
    }

    /// Skips a span, as far as there is anything left to skip.
    pub fn skip(&self, span: Duration) {
        self.behind_ms
            .fetch_sub(milliseconds(span), Ordering::SeqCst);
    }
}

impl Clock for TimeLapse {
    fn now(&self) -> DateTime<Utc> {
        let behind = self.behind_ms.load(Ordering::SeqCst).max(0);
        Utc::now() - TimeDelta::milliseconds(behind)
    }
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_on_but_never_into_the_future() {
        let clock = TimeLapse::behind(Duration::from_mins(10));
        let start = clock.now();
        assert!(start <= Utc::now() - TimeDelta::minutes(10));
        clock.skip(Duration::from_mins(4));
        assert!(clock.now() >= start + TimeDelta::minutes(4));
        clock.skip(Duration::from_hours(1));
        assert!(clock.now() <= Utc::now());
    }
}
