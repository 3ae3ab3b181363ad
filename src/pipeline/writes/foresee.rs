//! What an order would come to, for who tries a message out.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::allowed;
use super::closing::Closing;
use crate::domain::phone::Phone;
use crate::domain::reply::order::{Standing, judge};
use crate::pipeline::Desk;
use crate::store::writes::Order;
use crate::store::{self, cache, companies};

impl Desk {
    /// Ends an order as it will end if the journal says what the cache does, and takes what is asked of
    /// it. For who tries a message out.
    pub(in crate::pipeline) fn foresee(
        &self,
        tx: &Connection,
        order: &Order,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        let row = companies::ensure(tx, order.company)?;
        let Some(company) = self.companies.get(&order.company) else {
            return Ok(());
        };
        let Some(zone) = company.zone(&row) else {
            return Ok(());
        };
        let closing = Closing {
            tx,
            desk: self,
            company,
            row: &row,
            zone,
            order,
            now,
        };
        let phone = Phone::from_stored(order.phone.clone());
        for part in &order.parts {
            let cached = cache::get(tx, order.company, part.meant.record)?;
            let seen = cached.map(|cached| cached.record);
            let around = (zone, now);
            let standing = judge(order.act, &part.meant, &phone, seen.as_ref(), false, around);
            let why = match (standing, &seen) {
                (Standing::Ready, Some(seen)) => allowed(company, order, seen, false, around).err(),
                (Standing::Barred(why), _) => Some(why),
                (Standing::Done | Standing::Ready, _) => None,
            };
            if let Some(why) = why {
                return closing.barred(&BTreeSet::new(), why);
            }
        }
        closing.done()
    }
}
