//! `send-test`: an emulated event on its way through rendering, outbox and a real channel.
//!
//! Of the policy only a STOP counts, and that somebody was forgotten. It goes to one channel, makes
//! nothing known, asks no owner, and is not sent any more once whoever waited for it has left.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::claim::{Claim, Message};
use super::deliver::DeliverReport;
use super::{ChannelEnd, Company, Desk, Pipeline, reminders, words};
use crate::domain::delivery::Status;
use crate::domain::message::{Brief, Told};
use crate::domain::phone::Phone;
use crate::domain::policy::{Kind, Reason};
use crate::domain::settle::Net;
use crate::domain::zone::Zone;
use crate::store::forgotten::Forgotten;
use crate::store::outbox::{self, Due, New, Notification};
use crate::store::{self, StoreError, companies, optouts};

/// The word stored in `booking_notifications.kind`.
pub const KIND: &str = "test";

/// Nobody waits longer for it.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);
/// Between two looks at how it fares.
const STEP: Duration = Duration::from_millis(100);

/// What is sent for a test.
pub struct Trial {
    /// The company in whose name.
    pub company: i64,
    /// The channels to try, in order: the first that can address the person takes it.
    pub ends: Vec<Arc<ChannelEnd>>,
    /// To whom.
    pub phone: Phone,
    /// What it tells.
    pub emulated: Emulated,
}

/// What a test tells: a message of this kind, about these bookings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Emulated {
    /// The kind of message.
    pub kind: Kind,
    /// The bookings; of a change, what they were besides.
    pub net: Net,
}

impl Emulated {
    /// What it is told as, where it is no change.
    fn told(&self, company: &Company) -> Option<Told<'_>> {
        let records = &self.net.now;
        match self.kind {
            Kind::Created | Kind::Updated | Kind::Cancelled => None,
            Kind::NoShow => Some(Told::NoShow { was: records }),
            Kind::Visited => Some(Told::Visited { was: records }),
            Kind::Reminder => Some(reminders::told(company, records)),
        }
    }

    fn text(&self, place: &words::Place<'_>, end: &ChannelEnd) -> String {
        match self.told(place.company) {
            Some(told) => words::said(place, end, &told),
            None => words::client(place, end, &self.net),
        }
    }

    fn brief(&self, place: &words::Place<'_>) -> Brief {
        match self.told(place.company) {
            Some(told) => words::brief_of(place, &told),
            None => words::brief(place, &self.net, &[], false),
        }
    }
}

impl Trial {
    /// Puts it into the outbox, due at once. Without a way to the person it is there with the reason.
    pub fn queue(&self, conn: &Connection, now: DateTime<Utc>) -> store::Result<i64> {
        if Forgotten::read(conn)?.has_phone(&self.phone) {
            // Their number is not to come back by a test either.
            let new = New {
                company: self.company,
                status: Status::Suppressed,
                reason: Some(Reason::Forgotten),
                ..New::note(KIND, now)
            };
            return outbox::add(conn, &new, now);
        }
        let mut way = None;
        for end in &self.ends {
            if let Some(address) = end.address(conn, &self.phone)? {
                way = Some((end.name.as_str(), address));
                break;
            }
        }
        let (status, reason) = match way {
            Some(_) => (Status::Pending, None),
            None => (Status::Suppressed, Some(Reason::NoChannel)),
        };
        let (channel, recipient) = way.unwrap_or_else(|| ("", self.phone.e164().to_owned()));
        let told = serde_json::to_string(&self.emulated)
            .map_err(|_| StoreError::Corrupt("test to be stored"))?;
        let new = New {
            company: self.company,
            phone: self.phone.e164(),
            recipient: &recipient,
            channel,
            status,
            reason,
            frozen: false,
            told: &told,
            ..New::note(KIND, now)
        };
        outbox::add(conn, &new, now)
    }
}

/// Nobody waits for it any more: what has not left does not.
pub fn give_up(conn: &Connection, id: i64) -> store::Result<Option<Notification>> {
    if let Some(n) = outbox::get(conn, id)?.filter(|n| n.status == Status::Pending) {
        match n.last_error.as_deref() {
            Some(why) => outbox::set_ended(conn, id, Status::Dead, why)?,
            None => outbox::suppress(conn, id, Reason::Discarded, None)?,
        }
    }
    outbox::get(conn, id)
}

impl Pipeline {
    /// Sends this test and nothing else, and waits for what comes of it; returns how it stands then.
    /// For the process that holds the lock, when no daemon does.
    pub async fn send_trial(&self, id: i64, patience: Duration) -> store::Result<Notification> {
        let until = Instant::now() + patience;
        loop {
            let n = self.store.read(move |c| outbox::get(c, id)).await?;
            let n = n.ok_or(StoreError::Corrupt("test"))?;
            let open = matches!(n.status, Status::Pending | Status::Sending);
            let Some(end) = self.channels.get(&n.channel).filter(|_| open) else {
                return Ok(n);
            };
            if Instant::now() >= until {
                return Ok(n);
            }
            if n.status == Status::Sending {
                let looks = self.looks_due(end).await?;
                for look in looks.into_iter().filter(|look| look.id == id) {
                    self.look_up(end, look).await?;
                }
            } else if n.due_at <= self.clock.now() {
                let mut report = DeliverReport::default();
                if !self.is_open(end, &mut report).await? && report.parked {
                    return Ok(n);
                }
                let due = Due {
                    id,
                    company: n.company,
                    journals: vec![n.company],
                    recipient: n.recipient.clone(),
                    to_client: false,
                };
                self.deliver_one(end, &due, None, &self.stopping).await?;
                continue;
            }
            tokio::time::sleep(STEP).await;
        }
    }
}

impl Desk {
    pub(super) fn claim_trial(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        end: &ChannelEnd,
        now: DateTime<Utc>,
    ) -> store::Result<Claim> {
        let Some(company) = self.companies.get(&n.company) else {
            return Ok(Claim::Skip);
        };
        // A person may want it tried again.
        if now - n.created_at.max(n.changed_at) > PATIENCE {
            give_up(tx, n.id)?;
            return Ok(Claim::Skip);
        }
        let phone = Phone::from_stored(n.phone.clone());
        let barred = if Forgotten::read(tx)?.has_phone(&phone) {
            Some(Reason::Forgotten)
        } else if optouts::is_out(tx, n.company, phone.e164())? {
            Some(Reason::OptedOut)
        } else {
            None
        };
        let address = end.address(tx, &phone)?;
        let (None, Some(to)) = (barred, address) else {
            outbox::suppress(tx, n.id, barred.unwrap_or(Reason::NoChannel), None)?;
            return Ok(Claim::Skip);
        };
        let emulated: Emulated =
            serde_json::from_str(&n.told).map_err(|_| StoreError::Corrupt("test message"))?;
        let row = companies::get(tx, n.company)?.unwrap_or_default();
        let place = words::Place {
            company,
            row: &row,
            zone: company.zone(&row).unwrap_or(Zone::UTC),
            now,
        };
        let message = Message {
            to,
            text: emulated.text(&place, end),
            brief: Some(emulated.brief(&place)),
        };
        self.go(tx, n, end, message, (&n.told, now))
    }
}
