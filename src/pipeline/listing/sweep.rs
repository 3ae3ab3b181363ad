//! The whole horizon, slice by slice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{Listing, read_pages};
use crate::domain::record::Record;
use crate::ports::{ApiError, BookingApi, CompanyRef, Query};

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
    /// Requests that it took.
    pub requests: u32,
    /// Rows that could not be read.
    pub unreadable: u32,
    /// The slice that the next sweep begins with.
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
    let span = days_of(from, to);
    let mut result = Sweep::default();
    let mut size = match slice_days {
        0 => span,
        days => days.min(span),
    };
    // The rows of a full page; fewer than asked for once the API was seen to give fewer.
    let mut page = u64::from(api.page_size().max(1));
    let mut day = from;
    while day <= to {
        let last = (day + TimeDelta::days(i64::from(size) - 1)).min(to);
        let query = Query::Starting(day, last);
        let mut slice = read_pages(api, company, &query, Some(1)).await;
        result.server_date = result.server_date.or(slice.server_date);
        let mut overflows = slice.failure.is_none() && !slice.over;
        if overflows && slice.received < page {
            // Is the page smaller than asked for, is the count wrong, or is there none? The next
            // page tells for one request; halving would ask for every day of the slice by itself.
            let first = slice.received;
            slice.read_next(api, company, &query).await;
            overflows = slice.failure.is_none() && slice.received > first;
            if overflows {
                page = first;
            }
        }
        result.requests += slice.pages;
        if overflows {
            // What came is evidence all the same, should the sweep break off or see less of it.
            let seen = slice.ids();
            result.keep(std::mem::take(&mut slice.records));
            if day < last {
                size = (days_of(day, last) / 2).max(1);
                continue;
            }
            result.listed.extend(seen);
            slice = whole_day(api, company, day).await;
            result.requests += slice.pages * 2;
        }
        let is_small = slice.total.unwrap_or(slice.received) * 4 < page;
        let grown = if is_small { (size * 2).min(span) } else { size };
        if result.slice_days == 0 {
            // Near days are the busy ones: what fitted there is where the next sweep begins.
            result.slice_days = grown;
        }
        size = grown;
        result.absorb(slice, company.id, day, last);
        if result.failure.is_some() {
            return result;
        }
        day = last + TimeDelta::days(1);
    }
    result
}

/// How many days these are, both included.
fn days_of(from: NaiveDate, to: NaiveDate) -> u32 {
    u32::try_from((to - from).num_days() + 1)
        .unwrap_or(1)
        .max(1)
}

/// A single day beyond one page: read twice, and believed only if both reads agree.
async fn whole_day(api: &dyn BookingApi, company: &CompanyRef, day: NaiveDate) -> Listing {
    let query = Query::Starting(day, day);
    let first = read_pages(api, company, &query, None).await;
    if first.failure.is_some() {
        return first;
    }
    let mut second = read_pages(api, company, &query, None).await;
    if second.ids() != first.ids() {
        // Two looks that differ prove presence, not absence.
        second.over = false;
    }
    for (id, record) in first.records {
        second.records.entry(id).or_insert(record);
    }
    second
}

impl Sweep {
    /// Rows read are evidence; of one read twice, the newer.
    fn keep(&mut self, records: BTreeMap<i64, Record>) {
        for (id, record) in records {
            let newer = self
                .records
                .get(&id)
                .is_none_or(|had| had.changed_at <= record.changed_at);
            if newer {
                self.records.insert(id, record);
            }
        }
    }

    fn absorb(&mut self, slice: Listing, company: i64, from: NaiveDate, to: NaiveDate) {
        self.listed.extend(slice.ids());
        let unreadable = slice.unreadable.len() as u64 + slice.blanks;
        self.unreadable += u32::try_from(unreadable).unwrap_or(u32::MAX);
        if slice.is_complete() {
            // A plain empty answer covers its days, but proves nothing missing: it has no count.
            self.days.push(Days {
                from,
                to,
                proves_absence: slice.proves_absence(),
            });
        } else if slice.failure.is_none() {
            let (counted, came) = (slice.total, slice.distinct());
            tracing::warn!(company, %from, %to, counted, came, "slice not whole");
        }
        self.keep(slice.records);
        self.failure = slice.failure;
    }

    /// Whether the listing of every day came to an end, so that the sweep may serve as a baseline.
    #[must_use]
    pub fn covers(&self, from: NaiveDate, to: NaiveDate) -> bool {
        let mut next = from;
        for days in &self.days {
            if days.from > next {
                break;
            }
            next = next.max(days.to + TimeDelta::days(1));
        }
        self.failure.is_none() && next > to
    }
}
