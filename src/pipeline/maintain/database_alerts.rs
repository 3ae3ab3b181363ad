//! The database itself: that it works again after trouble that the owners were told of past it, and
//! what changed in the journal since the copy that was put in force.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::{Desk, Watch};
use crate::config::Alerts;
use crate::domain::message::owner::{Altered, RestoredList, alert_database_well, restored_list};
use crate::pipeline::{Company, Pipeline};
use crate::store::companies::{self, CompanyRow};
use crate::store::{self};

impl Pipeline {
    /// Since when the trouble lasted that the owners were told of without the database, if it is
    /// over: the database takes writes again (or this would not run), and there is room for more.
    pub(super) fn trouble_over(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let room = self.store.room()?;
        let sign = store::Sign::beside(room.database());
        let since = sign.since()?;
        let little = room.free().is_ok_and(store::Free::is_little);
        (!little && !sign.may_return(now)).then_some(since)
    }

    /// It was told that the trouble is over. Should the sign outlive this, it is told once more.
    pub(super) fn lower_sign(&self) {
        let Some(room) = self.store.room() else {
            return;
        };
        if let Err(error) = store::Sign::beside(room.database()).lower() {
            tracing::warn!(%error, "the sign of the database's trouble stays");
        }
    }
}

impl Watch<'_> {
    /// One word to each owner's chat.
    pub(super) fn database_well(&self, since: DateTime<Utc>) -> store::Result<u32> {
        let (mut told, mut raised) = (Vec::new(), 0);
        let waited = self.waited(None)?;
        let gap = (self.now - since).num_seconds().max(0);
        for company in self.desk.companies.values() {
            let row = companies::ensure(self.conn, company.settings.id)?;
            raised += self.tell_once(company, &row, &mut told, |v, _| {
                alert_database_well(v, gap, waited)
            })?;
        }
        Ok(raised)
    }
}

/// After the first comparison of a database that was put in force from a copy: one list.
pub(in crate::pipeline) fn tell_restored(
    conn: &Connection,
    desk: &Desk,
    settings: &Alerts,
    company: &Company,
    row: &CompanyRow,
    altered: &[Altered],
    now: DateTime<Utc>,
) -> store::Result<()> {
    let watch = Watch {
        conn,
        desk,
        settings,
        now,
    };
    let here = |at| watch.local(company, row, at);
    watch.tell(company, row, |voice, salon| {
        restored_list(
            voice,
            &RestoredList {
                salon,
                as_of: row.last_poll_at.map(here),
                now: here(now),
                altered,
                mask: settings.mask_phones,
            },
        )
    })?;
    Ok(())
}
