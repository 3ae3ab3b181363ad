//! A dead-man switch: while every company is read as it should be, an address of the owner's choice
//! is asked for over and over. Whoever listens there raises the alarm when that stops.
//!
//! Nothing waits for it and nothing depends on it; that it could not be touched is logged alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::poll::delta;
use super::{Company, Pipeline};
use crate::ports::Heartbeat;
use crate::store::companies::CompanyRow;
use crate::store::{self, companies};

/// Nobody needs to hear more often that all is well.
const SHORTEST: Duration = Duration::from_secs(10);
/// A poll is late by this, if that is more than three intervals.
const LATE: Duration = Duration::from_mins(1);

/// The switch, and how it was touched.
pub(super) struct Pulse {
    switch: Arc<dyn Heartbeat>,
    last: Mutex<Last>,
}

#[derive(Clone, Copy, Default)]
struct Last {
    at: Option<DateTime<Utc>>,
    failed: bool,
}

impl Pulse {
    pub(super) fn new(switch: Arc<dyn Heartbeat>) -> Self {
        Self {
            switch,
            last: Mutex::default(),
        }
    }

    fn last(&self) -> Last {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pipeline {
    /// Whether there is a switch to be touched.
    #[must_use]
    pub fn has_heartbeat(&self) -> bool {
        self.heartbeat.is_some()
    }

    /// Touches the switch, once for each interval in which every company was read well. Returns
    /// whether it did.
    pub async fn beat_due(&self) -> store::Result<bool> {
        let Some(pulse) = &self.heartbeat else {
            return Ok(false);
        };
        let (now, last) = (self.clock.now(), pulse.last());
        let intervals = self.companies.values().map(|c| c.settings.pace.interval);
        let period = intervals.min().unwrap_or_default().max(SHORTEST);
        // One that is ahead of the clock was before the clock was put back.
        let waits = last
            .at
            .is_some_and(|at| at <= now && now - at < delta(period));
        if waits || !self.all_read_well(now).await? {
            return Ok(false);
        }
        let beaten = pulse.switch.beat().await;
        match &beaten {
            Err(error) if !last.failed => tracing::warn!(%error, "the heartbeat was not heard"),
            Err(error) => tracing::debug!(%error, "the heartbeat was not heard"),
            Ok(()) if last.failed => tracing::info!("the heartbeat is heard again"),
            Ok(()) => {}
        }
        *pulse.last.lock().unwrap_or_else(PoisonError::into_inner) = Last {
            at: Some(now),
            failed: beaten.is_err(),
        };
        Ok(true)
    }

    async fn all_read_well(&self, now: DateTime<Utc>) -> store::Result<bool> {
        let companies: Vec<_> = self.companies.values().map(Arc::clone).collect();
        let rows = self.store.read(move |conn| {
            let rows = companies.iter().map(|company| {
                let row = companies::get(conn, company.settings.id)?;
                Ok(row.is_some_and(|row| is_read_well(company, &row, now)))
            });
            rows.collect::<store::Result<Vec<bool>>>()
        });
        Ok(rows.await?.into_iter().all(|well| well))
    }
}

/// Its last poll went well and is not late. One on a calendar may rest between firings.
fn is_read_well(company: &Company, row: &CompanyRow, now: DateTime<Utc>) -> bool {
    let settings = &company.settings;
    let patience = delta((settings.pace.interval * 3).max(LATE));
    let on_time = |at| settings.schedule.is_some() || now - at <= patience.max(TimeDelta::zero());
    row.failures == 0 && row.denied.is_none() && row.last_poll_at.is_some_and(on_time)
}
