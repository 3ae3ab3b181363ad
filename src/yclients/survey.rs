//! What a user sees of a journal, in figures: whether phones are shown, and whether YClients writes
//! to clients, too. Figures only; no name and no number stays.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

pub use super::wire::Notices;
use crate::ports::{Page, Row};

/// Figures over some bookings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Bookings that name a client.
    pub bookings: usize,
    /// Of them, those that show a phone, a wrong one included.
    pub with_phone: usize,
    /// Their masters' ids.
    pub masters: BTreeSet<i64>,
    /// What YClients itself sends about them.
    pub notices: Notices,
    /// The `Date` of the first answer.
    pub server_date: Option<DateTime<Utc>>,
    /// Rows that came.
    pub(super) rows: u64,
    /// Rows that there are, where the API said it.
    pub(super) total: Option<u64>,
}

impl Survey {
    /// Phones are shown in none of several bookings: a box is not ticked.
    #[must_use]
    pub fn hides_phones(&self) -> bool {
        self.bookings > 0 && self.with_phone == 0
    }

    pub(super) fn add(&mut self, page: Page, notices: Notices) {
        self.server_date = self.server_date.or(page.server_date);
        self.total = page.total_count.or(self.total);
        self.rows += page.rows.len() as u64;
        self.notices.add(notices);
        for row in page.rows {
            let Row::Record(record) = row else { continue };
            let Some(client) = &record.client else {
                continue;
            };
            let written = client.refused_phone.as_deref().unwrap_or_default();
            self.bookings += 1;
            self.with_phone += usize::from(client.phone.is_some() || !written.is_empty());
            self.masters.insert(record.staff.id);
        }
    }
}
