//! Blocked slots: nobody's bookings, remembered only so that one which gets a client later is known
//! for a new booking, however old its row is.
//!
//! A slot is kept as what nobody knows: an entry of `known` without a phone.

use rusqlite::Connection;

use crate::domain::known::{Knowledge, Known};
use crate::domain::record::Record;
use crate::store::{Result, cache, known};

fn slot(conn: &Connection, record: &Record) -> Result<Option<Record>> {
    let create_date = cache::create_date(record);
    let row = known::get(conn, known::Key::of(record, &create_date, ""))?;
    Ok(row.known.single().and_then(Knowledge::record).cloned())
}

/// Whether this is what is kept of a blocked slot, and nobody's knowledge of a booking.
pub(super) fn is_slot(known: &Known) -> bool {
    let record = known.single().and_then(Knowledge::record);
    record.is_some_and(Record::is_blocked_slot)
}

/// Remembers a blocked slot.
pub(super) fn note(conn: &Connection, seen: &Record) -> Result<()> {
    if !seen.is_alive() || slot(conn, seen)?.is_some_and(|had| had == *seen) {
        return Ok(());
    }
    let create_date = cache::create_date(seen);
    let state = Known::certain(Knowledge::of(seen));
    let key = known::Key::of(seen, &create_date, "");
    known::set(conn, key, &state, None)
}

/// Whether this booking was a blocked slot and was changed since. A row that shows more than it did
/// without having changed is a matter of rights.
pub(super) fn was_slot(conn: &Connection, record: &Record) -> Result<bool> {
    Ok(slot(conn, record)?.is_some_and(|slot| record.changed_at > slot.changed_at))
}
