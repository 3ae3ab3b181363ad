//! Reading a listing that moves while it is read: pages of changes, slices of a sweep.
//!
//! Whatever was read is evidence; whether the reading is *whole* is a separate question, and only a
//! whole slice says anything about what it does not contain.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::domain::record::Record;
use crate::failpoint;
use crate::ports::{ApiError, BookingApi, CompanyRef, Query, Row};

mod sweep;

pub use sweep::{Days, Sweep, sweep};

/// Pages after which a listing is taken as endless, beyond those that its own count explains.
const MOST_PAGES: u64 = 200;
/// Rows of a page where the API takes no notice of the count asked for.
const SMALLEST_PAGE: u64 = 25;

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
    /// The listing's own count, from the last page with rows that said it.
    pub total: Option<u64>,
    /// The `Date` of the first answer.
    pub server_date: Option<DateTime<Utc>>,
    /// What ended the reading early.
    pub failure: Option<ApiError>,
    /// Pages read.
    pub pages: u32,
    /// It came to its end: an empty page, or a short one with the last row that it counts.
    over: bool,
    /// Its count fell while it was read: a row before the ones already read is gone, and as many
    /// slipped past between two pages.
    shrank: bool,
    last_ids: Vec<Option<i64>>,
}

impl Listing {
    /// Rows that came, each once.
    fn distinct(&self) -> u64 {
        let unreadable = self
            .unreadable
            .iter()
            .filter(|id| !self.records.contains_key(id));
        (self.records.len() + unreadable.count()) as u64 + self.blanks
    }

    /// It ended, and nothing says that a row slipped past. Without a count a repeated row says so:
    /// what moved down may have moved something up.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let all_came = match self.total {
            Some(total) => self.distinct() >= total,
            None => self.received == self.distinct(),
        };
        self.failure.is_none() && self.over && !self.shrank && all_came
    }

    /// Complete, readable to the last row, and of exactly as many rows as it counts: only such a
    /// listing also speaks of what it does not contain.
    fn proves_absence(&self) -> bool {
        self.is_complete()
            && self.unreadable.is_empty()
            && self.blanks == 0
            && self.received == self.distinct()
            && self.total == Some(self.received)
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
/// counts. A short page is not the last one, and a full one is not either, whatever it counts:
/// deleted rows may be listed without being counted. At most `pages` pages where given; without
/// such a limit a listing that moved meanwhile, or gave fewer rows than it counts, has failed.
pub async fn read(
    api: &dyn BookingApi,
    company: &CompanyRef,
    query: &Query,
    pages: Option<u32>,
) -> Listing {
    let mut listing = read_pages(api, company, query, pages).await;
    if pages.is_none() && listing.failure.is_none() && !listing.is_complete() {
        let came = listing.distinct();
        listing.failure = Some(ApiError::Unreadable(match listing.total {
            Some(total) if came < total => {
                format!("the listing counts {total} rows and gave {came}")
            }
            _ => "the listing moved while it was read".to_owned(),
        }));
    }
    listing
}

async fn read_pages(
    api: &dyn BookingApi,
    company: &CompanyRef,
    query: &Query,
    pages: Option<u32>,
) -> Listing {
    let mut listing = Listing::default();
    while listing.failure.is_none()
        && !listing.over
        && pages.is_none_or(|most| listing.pages < most)
    {
        listing.read_next(api, company, query).await;
    }
    listing
}

impl Listing {
    async fn read_next(&mut self, api: &dyn BookingApi, company: &CompanyRef, query: &Query) {
        let number = self.pages + 1;
        let page = match api.page(company, query, number).await {
            Ok(page) => page,
            Err(error) => {
                self.failure = Some(error);
                return;
            }
        };
        failpoint::pass("after_poll_page");
        self.pages = number;
        self.server_date = self.server_date.or(page.server_date);
        let came = page.rows.len() as u64;
        if came == 0 {
            // What a page past the end counts is nobody's word about the rows before it.
            if number == 1 {
                self.total = page.total_count;
            }
            self.over = true;
            return;
        }
        if let Some(total) = page.total_count {
            self.shrank |= self.total.is_some_and(|before| total < before);
            self.total = Some(total);
        }
        let had = self.distinct();
        let ids = self.take(page.rows);
        let is_full = came >= u64::from(api.page_size());
        self.over = !is_full && self.total.is_some_and(|total| self.received >= total);
        if ids == self.last_ids {
            self.end_at(format!("page {number} repeats the one before"));
        } else if !self.over && self.distinct() == had {
            self.end_at(format!("page {number} brings nothing new"));
        }
        self.last_ids = ids;
        let most = self.total.unwrap_or(0) / SMALLEST_PAGE + MOST_PAGES;
        if !self.over && u64::from(number) >= most {
            self.end_at("the listing has no end".to_owned());
        }
    }

    fn end_at(&mut self, why: String) {
        self.failure = self.failure.take().or(Some(ApiError::Unreadable(why)));
    }
}
