//! Forgotten before: people of whom only hashes are left, looked for in all that a database holds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction};

use super::erase;
use super::find::texts;
use crate::domain::phone::{Phone, phones_in, runs};
use crate::store::Result;
use crate::store::forgotten::Ledger;

/// Where a client's id stands.
const CLIENTS: &str =
    "SELECT company_id, json_extract(snapshot, '$.client.id') FROM appointments_cache
     UNION SELECT company_id, json_extract(payload, '$.data.client.id') FROM booking_events
     UNION SELECT company_id, json_extract(before_state, '$.client.id') FROM booking_events
     UNION SELECT company_id, state.value ->> '$.record.client.id'
             FROM known, json_each(states) state";

/// What a database has of one forgotten person.
#[derive(Default)]
struct Trace {
    phone: Option<Phone>,
    clients: BTreeSet<(i64, i64)>,
}

/// Forgets here whom another copy of this database has forgotten. How many were found.
pub(in crate::store) fn forget_too(
    tx: &Transaction<'_>,
    ledger: &Ledger,
    now: DateTime<Utc>,
) -> Result<usize> {
    let mut found: BTreeMap<String, Trace> = BTreeMap::new();
    for phone in numbers(tx)? {
        if let Some(person) = ledger.person_of_phone(&phone) {
            found.entry(person.to_owned()).or_default().phone = Some(phone);
        }
    }
    for (company, client) in clients(tx)? {
        if let Some(person) = ledger.person_of_client(company, client) {
            let trace = found.entry(person.to_owned()).or_default();
            trace.clients.insert((company, client));
        }
    }
    let mut erased = 0;
    for trace in found.into_values() {
        let done = erase(tx, trace.phone.as_ref(), trace.clients, now)?;
        erased += usize::from(trace.phone.is_some() || done != super::Erased::default());
    }
    Ok(erased)
}

/// Ids that this person was forgotten under before.
pub(super) fn clients_before(tx: &Connection, phone: &Phone) -> Result<BTreeSet<(i64, i64)>> {
    let Some(ledger) = Ledger::read(tx)? else {
        return Ok(BTreeSet::new());
    };
    let Some(person) = ledger.person_of_phone(phone) else {
        return Ok(BTreeSet::new());
    };
    let mut clients = clients(tx)?;
    clients.retain(|(company, client)| ledger.person_of_client(*company, *client) == Some(person));
    Ok(clients)
}

fn clients(tx: &Connection) -> Result<BTreeSet<(i64, i64)>> {
    let mut query = tx.prepare(CLIENTS)?;
    let rows = query.query_map([], |r| Ok((r.get(0)?, r.get::<_, Option<i64>>(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter();
    let named = rows.filter_map(|(company, client)| Some((company, client?)));
    Ok(named.filter(|(_, client)| *client != 0).collect())
}

/// Every number that stands in any text of any table: a table that comes later is searched, too.
fn numbers(tx: &Connection) -> Result<BTreeSet<Phone>> {
    let tables = texts(
        tx,
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
            AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'forgotten%'",
        [],
    )?;
    let mut found = BTreeSet::new();
    let mut stretches = BTreeSet::new();
    for table in tables {
        let columns = texts(
            tx,
            "SELECT name FROM pragma_table_xinfo(?1) WHERE type = 'TEXT'",
            [&table],
        )?;
        for column in columns {
            let mut query = tx.prepare(&format!("SELECT {column} FROM {table}"))?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let Some(text) = row.get_ref(0)?.as_str_or_null().ok().flatten() else {
                    continue;
                };
                let stored = text.strip_prefix('+').is_some_and(is_number);
                found.extend(stored.then(|| Phone::from_stored(text.to_owned())));
                stretches.extend(runs(text));
            }
        }
    }
    found.extend(stretches.iter().flat_map(|run| phones_in(run)));
    Ok(found)
}

fn is_number(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}
