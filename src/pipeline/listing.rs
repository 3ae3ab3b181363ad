//! Reading a listing that moves while it is read: pages of changes, slices of a sweep.
//!
//! Whatever was read is evidence; whether the reading is *whole* is a separate question, and only a
//! whole slice says anything about what it does not contain.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::domain::record::Record;
use crate::ports::{ApiError, BookingApi, CompanyRef, Query, Row};

/// Pages after which a listing without a total is taken as endless.
const MOST_PAGES: u64 = 200;

/// What was read of one query.
#[derive(Debug, Default)]
pub struct Listing {
    /// The rows by id; of one read twice, the newer.
    pub records: BTreeMap<i64, Record>,
    /// Ids of rows that could not be read, where at least that could.
    pub unreadable: BTreeSet<i64>,
    /// Rows that could not be read at all, and nulls.
    pub blanks: u64,
    /// Rows that came, repeats included.
    received: u64,
    /// The listing's own count, from the last page that said it.
    pub total: Option<u64>,
    /// The `Date` of the first answer.
    pub server_date: Option<DateTime<Utc>>,
    /// What ended the reading early.
    pub failure: Option<ApiError>,
    /// Pages read.
    pub pages: u32,
}

impl Listing {
    /// Every row that the listing counts was received.
    fn is_whole(&self) -> bool {
        let distinct = (self.records.len() + self.unreadable.len()) as u64 + self.blanks;
        self.failure.is_none() && self.total.is_some_and(|total| distinct >= total)
    }

    /// Nothing in it was unreadable, so it also speaks of what it does not contain.
    fn is_clear(&self) -> bool {
        self.unreadable.is_empty() && self.blanks == 0
    }

    fn ids(&self) -> BTreeSet<i64> {
        self.records
            .keys()
            .chain(&self.unreadable)
            .copied()
            .collect()
    }

    fn take(&mut self, rows: Vec<Row>) -> Vec<Option<i64>> {
        let mut ids = Vec::with_capacity(rows.len());
        self.received += rows.len() as u64;
        for row in rows {
            match row {
                Row::Record(record) => {
                    ids.push(Some(record.id));
                    let newer = self
                        .records
                        .get(&record.id)
                        .is_none_or(|had| had.changed_at <= record.changed_at);
                    if newer {
                        self.records.insert(record.id, *record);
                    }
                }
                Row::Unreadable { id, why } => {
                    tracing::warn!(record = id, why, "row skipped: unreadable");
                    ids.push(id);
                    match id {
                        Some(id) => {
                            self.unreadable.insert(id);
                        }
                        None => self.blanks += 1,
                    }
                }
                Row::Null => {
                    ids.push(None);
                    self.blanks += 1;
                }
            }
        }
        ids
    }
}

/// Reads a listing page by page until it says that it is over: an empty page, or as many rows as it
/// counts. A short page is not the last one. At most `pages` pages where given.
pub async fn read(
    api: &dyn BookingApi,
    company: &CompanyRef,
    query: &Query,
    pages: Option<u32>,
) -> Listing {
    let mut listing = Listing::default();
    let mut last_ids = Vec::new();
    loop {
        let number = listing.pages + 1;
        let page = match api.page(company, query, number).await {
            Ok(page) => page,
            Err(error) => {
                listing.failure = Some(error);
                return listing;
            }
        };
        listing.pages = number;
        listing.server_date = listing.server_date.or(page.server_date);
        listing.total = page.total_count.or(listing.total);
        let empty = page.rows.is_empty();
        let ids = listing.take(page.rows);
        if !empty && ids == last_ids {
            listing.failure = Some(ApiError::Unreadable(format!(
                "page {number} repeats the one before"
            )));
            return listing;
        }
        last_ids = ids;
        let over = empty || listing.total.is_some_and(|total| listing.received >= total);
        if over || pages.is_some_and(|most| number >= most) {
            return listing;
        }
        let most = listing.total.map_or(MOST_PAGES, |total| {
            total / u64::from(api.page_size().max(1)) + MOST_PAGES
        });
        if u64::from(number) >= most {
            listing.failure = Some(ApiError::Unreadable("the listing has no end".into()));
            return listing;
        }
    }
}

/// What a sweep of the horizon brought.
#[derive(Debug, Default)]
pub struct Sweep {
    /// Every booking that was listed.
    pub records: BTreeMap<i64, Record>,
    /// Ids listed, readable or not: none of them is missing.
    pub listed: BTreeSet<i64>,
    /// Days whose listing came to an end.
    pub days: Vec<Days>,
    /// The `Date` of the first answer.
    pub server_date: Option<DateTime<Utc>>,
    /// The slice that fits one page, for the next sweep.
    pub slice_days: u32,
    /// What ended the sweep early.
    pub failure: Option<ApiError>,
}

/// Days that one slice covered, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Whole and readable: a booking of these days that was not listed is missing.
    pub proves_absence: bool,
}

/// Reads every booking from `from` to `to` in slices of days that fit one page each, because one
/// page is an atomic look and many pages of a moving list are not.
pub async fn sweep(
    api: &dyn BookingApi,
    company: &CompanyRef,
    from: NaiveDate,
    to: NaiveDate,
    slice_days: u32,
) -> Sweep {
    let span = u32::try_from((to - from).num_days() + 1)
        .unwrap_or(1)
        .max(1);
    let mut result = Sweep {
        slice_days: if slice_days == 0 {
            span
        } else {
            slice_days.min(span)
        },
        ..Sweep::default()
    };
    let mut day = from;
    while day <= to {
        let last = (day + TimeDelta::days(i64::from(result.slice_days) - 1)).min(to);
        let slice = read(api, company, &Query::Starting(day, last), Some(1)).await;
        result.server_date = result.server_date.or(slice.server_date);
        if slice.failure.is_none() && !slice.is_whole() && overflows(&slice, api.page_size()) {
            if result.slice_days > 1 {
                result.slice_days = (result.slice_days / 2).max(1);
                continue;
            }
            let paged = whole_day(api, company, day).await;
            result.absorb(paged, day, day);
        } else {
            let small = slice
                .total
                .is_some_and(|t| t * 4 < u64::from(api.page_size()));
            result.absorb(slice, day, last);
            if small {
                result.slice_days = (result.slice_days * 2).min(span);
            }
        }
        if result.failure.is_some() {
            return result;
        }
        day = last + TimeDelta::days(1);
    }
    result
}

/// More rows than came: the listing counts more, or counts nothing and filled the page.
fn overflows(slice: &Listing, page_size: u32) -> bool {
    match slice.total {
        Some(_) => true,
        None => slice.received >= u64::from(page_size),
    }
}

/// A single day beyond one page: read twice, and believed about absence only if both reads agree.
async fn whole_day(api: &dyn BookingApi, company: &CompanyRef, day: NaiveDate) -> Listing {
    let query = Query::Starting(day, day);
    let first = read(api, company, &query, None).await;
    if first.failure.is_some() {
        return first;
    }
    let mut second = read(api, company, &query, None).await;
    if second.ids() != first.ids() {
        // Two looks that differ prove presence, not absence.
        second.total = None;
    }
    second
}

impl Sweep {
    fn absorb(&mut self, slice: Listing, from: NaiveDate, to: NaiveDate) {
        self.listed.extend(slice.ids());
        // A plain empty answer covers its days, but proves nothing missing.
        if slice.is_whole() || (slice.failure.is_none() && slice.received == 0) {
            let proves_absence = slice.is_whole() && slice.is_clear();
            self.days.push(Days {
                from,
                to,
                proves_absence,
            });
        }
        self.records.extend(slice.records);
        self.failure = slice.failure;
    }

    /// Whether the listing of every day came to an end, so that the sweep may serve as a baseline.
    #[must_use]
    pub fn covers(&self, from: NaiveDate, to: NaiveDate) -> bool {
        let mut next = from;
        for days in &self.days {
            if days.from > next {
                return false;
            }
            next = next.max(days.to + TimeDelta::days(1));
        }
        self.failure.is_none() && next > to
    }
}
