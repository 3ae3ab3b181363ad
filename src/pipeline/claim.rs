//! The claim: the decision to send, taken anew in the transaction that writes the intent.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;

use super::quiet::quiet_until;
use super::visit::{Around, Visit};
use super::{ChannelEnd, Desk, words};
use crate::domain::delivery::Status;
use crate::domain::phone::Phone;
use crate::domain::policy::Reason;
use crate::domain::record::Record;
use crate::ports::Outgoing;
use crate::store::outbox::{self, Notification};
use crate::store::{self, cache, companies, contacts};

/// Owners' copies and alerts that could not be sent for so long are given up.
const OWNER_PATIENCE: TimeDelta = TimeDelta::hours(24);

/// What the transaction of the intent decided.
pub(super) enum Claim {
    Go {
        attempt: u32,
        outgoing: Outgoing,
        kind: String,
    },
    Skip,
}

impl Desk {
    /// Decides anew whether this leaves, and if so writes the intent. After this transaction the
    /// message counts as possibly sent.
    pub(super) fn claim(
        &self,
        tx: &Transaction<'_>,
        id: i64,
        mask: bool,
        now: DateTime<Utc>,
    ) -> store::Result<Claim> {
        let Some(n) = outbox::get(tx, id)? else {
            return Ok(Claim::Skip);
        };
        // Another change may have come, or another task been faster, since the list was read.
        if n.status != Status::Pending
            || n.due_at > now
            || store::settling::is_open(tx, n.company, &n.unit, &n.phone)?
        {
            return Ok(Claim::Skip);
        }
        let Some(end) = self.channels.get(&n.channel) else {
            return Ok(Claim::Skip);
        };
        if n.phone.is_empty() {
            return self.claim_for_owner(tx, &n, end, mask, now);
        }
        self.claim_for_client(tx, &n, now)
    }

    fn claim_for_client(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        now: DateTime<Utc>,
    ) -> store::Result<Claim> {
        let row = companies::ensure(tx, n.company)?;
        let Some(company) = self.companies.get(&n.company) else {
            return Ok(Claim::Skip);
        };
        let Some(zone) = company.zone(&row) else {
            return Ok(Claim::Skip);
        };
        let phone = Phone::from_stored(n.phone.clone());
        let visit = Visit::read(tx, n.company, &n.unit, &n.phone)?;
        let (mut message, mut told) = (n.message.clone(), n.told.clone());
        if n.frozen {
            // The text stands; whether it may still go does not.
            let begun = cache::get(tx, n.company, n.record)?
                .is_none_or(|c| Record::start_at(&c.record, zone) <= now);
            if begun {
                outbox::set_ended(tx, n.id, Status::Dead, "the visit has begun")?;
                return Ok(Claim::Skip);
            }
            if contacts::opted_out(tx, &n.phone, &company.settings.channels)? {
                outbox::suppress(tx, n.id, Reason::OptedOut, None)?;
                return Ok(Claim::Skip);
            }
        } else {
            let Some(net) = visit.net(company) else {
                outbox::suppress(tx, n.id, Reason::Unchanged, None)?;
                return Ok(Claim::Skip);
            };
            let around = Around {
                conn: tx,
                desk: self,
                company,
                zone,
                changed_at: n.changed_at,
                now,
            };
            if let Some(reason) = visit.silence(&net, &around)? {
                if reason == Reason::Past && n.attempts > 0 {
                    outbox::set_ended(tx, n.id, Status::Dead, "the visit has begun")?;
                } else {
                    outbox::suppress(tx, n.id, reason, None)?;
                }
                if reason.moves_known() {
                    visit.take_as_known(tx, n.company)?;
                }
                return Ok(Claim::Skip);
            }
            let start = net.now.iter().map(|r| r.start_at(zone)).min();
            if let Some(until) = quiet_until(company.settings.quiet_hours, zone, now, start) {
                outbox::postpone(tx, n.id, until)?;
                return Ok(Claim::Skip);
            }
            let place = words::Place {
                company,
                row: &row,
                zone,
                now,
            };
            let Some(end) = self.channels.get(&n.channel) else {
                return Ok(Claim::Skip);
            };
            message = words::client(&place, end, &net);
            told = serde_json::to_string(&visit.told())
                .map_err(|_| store::StoreError::Corrupt("notification to be stored"))?;
        }
        let Some(end) = self.channels.get(&n.channel) else {
            return Ok(Claim::Skip);
        };
        let Some(address) = end.address(tx, &phone)? else {
            // The chat was unlinked meanwhile: the next channel that can address the person.
            match self.way_to(tx, company, &phone, Some(&n.channel))? {
                Some((next, _)) => {
                    outbox::set_pending(tx, n.id, &next.name, now, None, false)?;
                }
                None => outbox::suppress(tx, n.id, Reason::NoChannel, None)?,
            }
            return Ok(Claim::Skip);
        };
        self.go(tx, n, address, message, &told, now)
    }

    fn claim_for_owner(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        end: &ChannelEnd,
        mask: bool,
        now: DateTime<Utc>,
    ) -> store::Result<Claim> {
        if now - n.created_at > OWNER_PATIENCE {
            outbox::set_ended(tx, n.id, Status::Dead, "could not be sent for a day")?;
            return Ok(Claim::Skip);
        }
        let mut message = n.message.clone();
        if !n.frozen {
            let Some(company) = self.companies.get(&n.company) else {
                return Ok(Claim::Skip);
            };
            let row = companies::ensure(tx, n.company)?;
            let Some(zone) = company.zone(&row) else {
                return Ok(Claim::Skip);
            };
            let copy: words::Copy = serde_json::from_str(&n.told)
                .map_err(|_| store::StoreError::Corrupt("owner's copy"))?;
            let about = match n.about {
                Some(about) => outbox::get(tx, about)?,
                None => None,
            };
            let label = about.as_ref().map_or_else(String::new, |a| {
                words::label(
                    self.channels.get(&a.channel).map(|c| c.as_ref()),
                    &a.channel,
                )
            });
            let place = words::Place {
                company,
                row: &row,
                zone,
                now,
            };
            message = copy.text(&place, end.channel.markup(), about.as_ref(), &label, mask);
        }
        self.go(tx, n, n.recipient.clone(), message, &n.told, now)
    }

    fn go(
        &self,
        tx: &Transaction<'_>,
        n: &Notification,
        to: String,
        text: String,
        told: &str,
        now: DateTime<Utc>,
    ) -> store::Result<Claim> {
        let attempt = outbox::begin(tx, n.id, &to, &text, told, now)?;
        Ok(Claim::Go {
            attempt,
            outgoing: Outgoing {
                to,
                text,
                keyboard: n.keyboard,
            },
            kind: n.kind.clone(),
        })
    }
}
