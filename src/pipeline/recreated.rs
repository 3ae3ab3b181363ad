//! Deleted and made anew: administrators move a booking by deleting it and making another, which
//! gets another id. Within one delay, one booking of a person that went and one that came are one
//! booking that changed; what the person knows of the old one is what they know of the new.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::Company;
use super::visit::Visit;
use crate::domain::policy::Kind;
use crate::domain::record::Record;
use crate::domain::settle::Form;
use crate::store::{self, cache, known, settling};

/// Hands what this person knows of the one booking that went over to the one that came, if there is
/// exactly one of each.
pub(super) fn hand_over(conn: &Connection, company: &Company, phone: &str) -> store::Result<()> {
    if phone.is_empty() {
        return Ok(());
    }
    let id = company.settings.id;
    let (mut went, mut came) = (Vec::new(), Vec::new());
    for unit in settling::of_person(conn, id, phone)? {
        let visit = Visit::read(conn, id, &unit, phone)?;
        let Some(net) = visit.net(company) else {
            continue;
        };
        let side = match net.form {
            Form::Cancelled => &mut went,
            Form::Created => &mut came,
            Form::Updated | Form::Restated | Form::Restored => continue,
        };
        side.extend(
            visit
                .members
                .into_iter()
                .filter(|m| net.now.iter().any(|r| r.id == m.record.id)),
        );
    }
    let ([went], [came]) = (went.as_slice(), came.as_slice()) else {
        return Ok(());
    };
    // A booking given to somebody else did not move.
    if !went.record.deleted || went.known.single().is_none() {
        return Ok(());
    }
    let (from, to) = (
        cache::create_date(&went.record),
        cache::create_date(&came.record),
    );
    let key = |record: &Record| known::Key {
        company: id,
        record: record.id,
        create_date: if record.id == went.record.id {
            &from
        } else {
            &to
        },
        phone,
    };
    // A bot that moves a booking this way tells the client itself, as of any booking it makes.
    let told_by_bot = came.by_bot && company.settings.rules.bot_silences.contains(&Kind::Created);
    if told_by_bot {
        return known::forget(conn, key(&went.record));
    }
    let told_at = known::get(conn, key(&went.record))?.told_at;
    known::set(conn, key(&came.record), &went.known, told_at)?;
    known::forget(conn, key(&went.record))
}

/// While phones are hidden: when the booking begins that may stand in this deleted one's place. It
/// is the same client's, and shows no number yet by which the two could be known for one.
pub(super) fn unseen(
    conn: &Connection,
    company: i64,
    visit: &Visit,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> store::Result<Option<DateTime<Utc>>> {
    let records = || visit.members.iter().map(|m| &m.record);
    if visit.phone.is_none() || records().any(Record::is_alive) {
        return Ok(None);
    }
    let mut client = records().filter_map(|r| r.client.as_ref().map(|c| c.id));
    match client.next().filter(|id| *id != 0) {
        Some(client) => cache::start_without_phone(conn, company, client, since, now),
        None => Ok(None),
    }
}
