//! Deleted and made anew: administrators move a booking by deleting it and making another, which
//! gets another id. Within one delay, one booking of a person that went and one that came are one
//! booking that changed; what the person knows of the old one is what they know of the new.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::Company;
use super::visit::Visit;
use crate::domain::known::{Knowledge, Known};
use crate::domain::phone::Phone;
use crate::domain::policy::Kind;
use crate::domain::record::Record;
use crate::domain::settle::{Form, Member};
use crate::store::settling::Unit;
use crate::store::{self, cache, companies, known, settling};

/// Hands what this person knows of the one booking that went over to the one that came, if there is
/// exactly one of each.
///
/// What came must lie ahead: of a visit noted down after the fact nothing is told, and with the
/// old one's knowledge nobody would hear that the old one is off. And what is over did not move
/// anywhere when it is struck out of the journal.
pub(super) fn hand_over(
    conn: &Connection,
    company: &Company,
    phone: &str,
    now: DateTime<Utc>,
) -> store::Result<()> {
    if phone.is_empty() {
        return Ok(());
    }
    let id = company.settings.id;
    let (mut went, mut came) = (Vec::new(), Vec::new());
    let units = settling::of_person(conn, id, phone)?;
    // A visit is one or the other, so it takes two.
    if units.len() < 2 {
        return Ok(());
    }
    for unit in units {
        let visit = Visit::read(conn, company, &unit, phone)?;
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
    // A booking given to somebody else did not move. And of a move nobody can tell whose beginning
    // they do not know: a reader would not learn that the old one is off.
    let Some(Knowledge::Booked(state)) = went.known.single().filter(|_| went.record.deleted) else {
        return Ok(());
    };
    let zone = company.zone(&companies::ensure(conn, id)?);
    if zone.is_none_or(|zone| came.record.start_at(zone) <= now || state.end_at(zone) <= now) {
        return Ok(());
    }
    let (from, to) = (
        cache::create_date(&went.record),
        cache::create_date(&came.record),
    );
    let old = known::Key::of(&went.record, &from, phone);
    // A bot that moves a booking this way tells the client itself, as of any booking it makes.
    let told_by_bot = came.by_bot && company.settings.rules.bot_silences.contains(&Kind::Created);
    if told_by_bot {
        return known::forget(conn, old);
    }
    let told_at = known::get(conn, old)?.told_at;
    let handed = moved(state, &came.record);
    known::set(
        conn,
        known::Key::of(&came.record, &to, phone),
        &handed,
        told_at,
    )?;
    known::forget(conn, old)
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

/// What was known of the old booking, as knowledge of the new one. It keeps the old one's date of
/// making, by which it finds its way back.
fn moved(state: &Record, to: &Record) -> Known {
    Known::certain(Knowledge::Booked(Box::new(Record {
        id: to.id,
        visit_id: to.visit_id,
        ..state.clone()
    })))
}

/// The old booking is on again before anybody was told of the new one: then it was no move, and
/// what was handed over comes back. The new one is news of its own.
pub(super) fn hand_back(
    conn: &Connection,
    company: &Company,
    back: &Record,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let (Some(phone), Some(made)) = (back.phone(), back.created_at) else {
        return Ok(());
    };
    let (id, create_date) = (company.settings.id, cache::create_date(back));
    let own_key = known::Key::of(back, &create_date, phone.e164());
    for (record, made_anew, row) in known::of_person(conn, id, phone.e164())? {
        let Some(Knowledge::Booked(state)) = row.known.single() else {
            continue;
        };
        if record == back.id || made_anew == create_date || state.created_at != Some(made) {
            continue;
        }
        known::set(conn, own_key, &moved(state, back), row.told_at)?;
        let lent = known::Key {
            record,
            create_date: &made_anew,
            ..own_key
        };
        known::forget(conn, lent)?;
        if let Some(new) = cache::get(conn, id, record)? {
            let (unit, pace) = (cache::unit(&new.record), &company.settings.pace);
            let (delay, most) = (pace.notification_delay, pace.max_delay);
            settling::open(conn, id, &unit, phone.e164(), delay, most, now)?;
        }
    }
    Ok(())
}

/// A message that states a visit whole says nothing of the booking that one of its own was made in
/// place of: then that is told off by itself. Returns the visit as it stands afterwards.
pub(super) fn end_loans(
    conn: &Connection,
    company: &Company,
    unit: &str,
    visit: Visit,
    now: DateTime<Utc>,
) -> store::Result<Visit> {
    let is_whole = visit
        .net(company)
        .is_some_and(|net| net.form.states_whole());
    if !is_whole || !visit.members.iter().any(is_lent) {
        return Ok(visit);
    }
    let (id, phone) = (company.settings.id, visit.phone);
    give_back(conn, id, phone.as_ref(), &visit.members, now)?;
    Visit::read(conn, company, unit, phone.as_ref().map_or("", Phone::e164))
}

/// The booking that this one was made in place of, where that is all the person knows of this one.
fn lent(member: &Member) -> Option<&Record> {
    let Some(Knowledge::Booked(state)) = member.known.single() else {
        return None;
    };
    let is_other = cache::create_date(state) != cache::create_date(&member.record);
    is_other.then_some(state.as_ref())
}

/// What this person knows of a booking is what they knew of the one that it was made in place of.
pub(super) fn is_lent(member: &Member) -> bool {
    lent(member).is_some()
}

/// The new booking began, or went to another number, before anybody could be told of it: then the
/// old one is not a move any more but off, and is told as that. Or the client would come to it, of
/// which they alone know.
pub(super) fn give_back<'m>(
    conn: &Connection,
    company: i64,
    phone: Option<&Phone>,
    members: impl IntoIterator<Item = &'m Member>,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let Some(phone) = phone.map(Phone::e164) else {
        return Ok(());
    };
    for member in members {
        let Some(state) = lent(member) else {
            continue;
        };
        let new = &member.record;
        let own_date = cache::create_date(new);
        let old_date = cache::create_date(state);
        let new_key = known::Key::of(new, &own_date, phone);
        for old in cache::gone_of_phone(conn, company, phone, &old_date)? {
            // Several were made in the same second: it is the one of which nothing is known.
            let old_key = known::Key::of(&old, &old_date, phone);
            let row = known::get(conn, old_key)?;
            if row.known != Known::default() {
                continue;
            }
            let told_at = known::get(conn, new_key)?.told_at;
            known::set(conn, old_key, &moved(state, &old), told_at)?;
            known::forget(conn, new_key)?;
            let unit = Unit {
                company,
                unit: cache::unit(&old),
                phone: phone.to_owned(),
                first_change_at: now,
            };
            settling::reopen(conn, &unit)?;
            break;
        }
    }
    Ok(())
}
