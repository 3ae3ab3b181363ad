//! Call the client: a visit is near, and its client could not be told what became of it.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::outcome::is_news;
use super::visit::Visit;
use super::{Company, Desk, words};
use crate::domain::message::owner::{Untold, Voice, card_call};
use crate::domain::policy::{Kind, Reason};
use crate::domain::question::Matter;
use crate::domain::record::Record;
use crate::domain::zone::Zone;
use crate::store::companies::CompanyRow;
use crate::store::outbox::{self, New, Notification};
use crate::store::{self, cache, companies, questions, reminders};

/// Visits nearer than this cannot wait for the client to find out.
const NEAR: TimeDelta = TimeDelta::hours(48);

impl Desk {
    /// Asks the owners to call, if the visit is near and `reason` is one a call can mend.
    pub(super) fn card_for_silence(
        &self,
        conn: &Connection,
        about: i64,
        records: &[Record],
        reason: Reason,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let mendable = matches!(
            reason,
            Reason::NoPhone | Reason::NoChannel | Reason::OptedOut
        );
        if !mendable {
            return Ok(());
        }
        let why = Untold::Reason(reason.as_str());
        match outbox::get(conn, about)? {
            Some(n) => self.card(conn, &n, records, why, now),
            None => Ok(()),
        }
    }

    /// The same for what was moved to where no bookings are kept. However far ahead the visit is:
    /// nothing will bring it up again, and its client still expects it as it was.
    pub(super) fn card_for_ignored(
        &self,
        conn: &Connection,
        about: i64,
        expected: &[Record],
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let ahead = |row: &CompanyRow, company: &Company| {
            let zone = company.zone(row);
            zone.is_some_and(|z| expected.iter().any(|r| r.start_at(z) > now))
        };
        match outbox::get(conn, about)? {
            Some(n) => self.call(conn, &n, (expected, &[]), Untold::Ignored, ahead, now),
            None => Ok(()),
        }
    }

    /// The same for a message that no channel delivered.
    pub(super) fn card_for_failure(
        &self,
        conn: &Connection,
        n: &Notification,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let (Some(cached), Some(company)) = (
            cache::get(conn, n.company, n.record)?,
            self.companies.get(&n.company),
        ) else {
            return Ok(());
        };
        let net = Visit::of_notification(conn, company, n)?.net(company);
        let records = match net.filter(|_| is_news(n)) {
            Some(net) => net.now,
            None => vec![cached.record],
        };
        self.card(conn, n, &records, Untold::NotDelivered, now)
    }

    /// The card itself, if the visit is near, or was before the client could not be told that it moved.
    pub(super) fn card(
        &self,
        conn: &Connection,
        n: &Notification,
        records: &[Record],
        why: Untold<'_>,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let expected = match self.companies.get(&n.company) {
            Some(company) => Visit::of_notification(conn, company, n)?.expected(),
            None => Vec::new(),
        };
        let near = |row: &CompanyRow, company: &Company| {
            let zone = company.zone(row);
            zone.is_some_and(|zone| is_near(records, zone, now) || is_near(&expected, zone, now))
        };
        self.call(conn, n, (records, &expected), why, near, now)
    }

    fn call(
        &self,
        conn: &Connection,
        n: &Notification,
        (records, expected): (&[Record], &[Record]),
        why: Untold<'_>,
        in_time: impl Fn(&CompanyRow, &Company) -> bool,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let Some(kind) = Kind::from_stored(&n.kind) else {
            return Ok(());
        };
        // Two reminders of one visit that come to nothing are one call.
        if kind == Kind::Reminder && reminders::has_card(conn, n.company, n.record)? {
            return Ok(());
        }
        let Some(company) = self.companies.get(&n.company) else {
            return Ok(());
        };
        let rules = &company.settings.rules;
        if rules.dry_run || !rules.only_phones.is_empty() {
            // Nobody is written to yet, so nobody has to be called instead.
            return Ok(());
        }
        let row = companies::ensure(conn, n.company)?;
        let Some(zone) = company.zone(&row).filter(|_| in_time(&row, company)) else {
            return Ok(());
        };
        let place = words::Place {
            company,
            row: &row,
            zone,
            now,
        };
        // Where the visit as it stands is far, the one that is expected is what hurries.
        let moved: Vec<&Record> = match is_near(records, zone, now) {
            true => Vec::new(),
            false => near(expected, zone, now).collect(),
        };
        self.tell_owners(
            conn,
            company,
            n,
            |end| {
                let voice = place.voice(end.channel.markup());
                card_call(voice, kind, (records, &moved), why, self.mask_phones)
            },
            now,
        )
    }

    fn tell_owners(
        &self,
        conn: &Connection,
        company: &Company,
        n: &Notification,
        text: impl Fn(&super::ChannelEnd) -> String,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        for owner in company.settings.owners.iter().filter(|o| o.alerts) {
            let Some(end) = self.channels.get(&owner.channel) else {
                continue;
            };
            let card = outbox::add(
                conn,
                &New {
                    company: n.company,
                    record: n.record,
                    visit: n.visit,
                    recipient: &owner.to,
                    channel: &owner.channel,
                    message: &text(end),
                    about: Some(n.id),
                    ..New::note("owner", now)
                },
                now,
            )?;
            if end.channel.has_buttons() {
                questions::ask(conn, card, n.company, &Matter::Call(n.id), 0)?;
            }
        }
        Ok(())
    }
}

/// Whether one of these starts soon, and not before now.
fn is_near(records: &[Record], zone: Zone, now: DateTime<Utc>) -> bool {
    near(records, zone, now).next().is_some()
}

/// Those that do.
fn near(records: &[Record], zone: Zone, now: DateTime<Utc>) -> impl Iterator<Item = &Record> {
    records.iter().filter(move |r| {
        let ahead = r.start_at(zone) - now;
        ahead > TimeDelta::zero() && ahead <= NEAR
    })
}

impl Desk {
    /// Writes into the chats of the owners who read clients' words: about this booking (0: none), in the
    /// thread of this client where there is one.
    pub(super) fn write_to_owners(
        &self,
        conn: &Connection,
        company: &Company,
        (record, contact): (i64, Option<i64>),
        now: DateTime<Utc>,
        text: impl Fn(Voice, &str) -> String,
    ) -> store::Result<()> {
        let row = companies::ensure(conn, company.settings.id)?;
        let salon = company.title(&row);
        let place = words::Place {
            company,
            row: &row,
            zone: company.zone(&row).unwrap_or(Zone::UTC),
            now,
        };
        let owners = company.settings.owners.iter();
        for owner in owners.filter(|o| o.reads_words(true)) {
            let Some(end) = self.channels.get(&owner.channel) else {
                continue;
            };
            outbox::add(
                conn,
                &New {
                    company: company.settings.id,
                    record,
                    recipient: &owner.to,
                    channel: &owner.channel,
                    message: &text(place.voice(end.channel.markup()), &salon),
                    contact,
                    ..New::note("owner", now)
                },
                now,
            )?;
        }
        Ok(())
    }
}
