//! A listing that moves, repeats itself, miscounts or never ends: what was read is believed, what
//! was not read is no proof.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::world::{SALON, World, at, haircut};
use async_trait::async_trait;
use booking_monitor::app;
use booking_monitor::domain::record::{Attendance, Record, Staff};
use booking_monitor::domain::zone::Zone;
use booking_monitor::pipeline::Pipeline;
use booking_monitor::pipeline::listing::{self, Days, Sweep};
use booking_monitor::pipeline::poll::PollReport;
use booking_monitor::ports::{
    ApiError, BookingApi, Clock as _, CompanyInfo, CompanyRef, Lookup, Page, Query, Row, Standing,
};
use booking_monitor::store::Store;
use booking_monitor::yclients;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// A listing by script: what is answered is a function of the query and the page.
struct Fake<F> {
    page_size: u32,
    answer: F,
    asked: Mutex<Vec<(Query, u32)>>,
}

impl<F: Fn(&Query, u32) -> Page + Send + Sync> Fake<F> {
    fn new(page_size: u32, answer: F) -> Self {
        Self {
            page_size,
            answer,
            asked: Mutex::default(),
        }
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    async fn changes(&self) -> listing::Listing {
        let since = Query::ChangedSince(DateTime::UNIX_EPOCH);
        listing::read(self, &company(), &since, None).await
    }

    /// The first ten days of September.
    async fn sweep(&self, slice_days: u32) -> Sweep {
        listing::sweep(self, &company(), day(1), day(10), slice_days).await
    }
}

#[async_trait]
impl<F: Fn(&Query, u32) -> Page + Send + Sync> BookingApi for Fake<F> {
    async fn page(&self, _: &CompanyRef, query: &Query, page: u32) -> Result<Page, ApiError> {
        self.asked.lock().unwrap().push((query.clone(), page));
        Ok((self.answer)(query, page))
    }

    async fn record(&self, _: &CompanyRef, _: i64) -> Result<Lookup, ApiError> {
        unreachable!("a listing asks for no record")
    }

    async fn company(&self, _: i64) -> Result<CompanyInfo, ApiError> {
        unreachable!("a listing asks for no company")
    }

    fn page_size(&self) -> u32 {
        self.page_size
    }
}

fn company() -> CompanyRef {
    CompanyRef {
        id: SALON,
        zone: Zone::moscow(),
        country: "RU".into(),
        standing: Standing::first(),
    }
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 9, day).unwrap()
}

/// A booking of this day of September.
fn booking(id: i64, on: u32) -> Record {
    let made: DateTime<Utc> = "2026-08-20T09:00:00Z".parse().unwrap();
    Record {
        company_id: SALON,
        id,
        visit_id: 0,
        activity_id: 0,
        start_local: day(on).and_hms_opt(12, 0, 0).unwrap(),
        length: 3600,
        staff: Staff::default(),
        services: Vec::new(),
        client: None,
        seats: 0,
        attendance: Attendance::Waiting,
        deleted: false,
        online: false,
        created_user_id: 0,
        comment: String::new(),
        labels: Vec::new(),
        link: String::new(),
        created_at: Some(made),
        changed_at: Some(made),
    }
}

fn row(record: Record) -> Row {
    Row::Record(Box::new(record))
}

fn page(rows: Vec<Row>, total_count: Option<u64>) -> Page {
    Page {
        rows,
        total_count,
        server_date: None,
    }
}

/// A page of bookings with these ids.
fn ids(ids: &[i64], total_count: impl Into<Option<u64>>) -> Page {
    let rows = ids.iter().map(|id| row(booking(*id, 1))).collect();
    page(rows, total_count.into())
}

/// A truthful answer of a journal, whatever page size it serves.
fn serve(journal: &[Record], served: usize, query: &Query, number: u32) -> Page {
    let found: Vec<&Record> = journal
        .iter()
        .filter(|r| match query {
            Query::ChangedSince(_) => true,
            Query::Starting(from, to) => (*from..=*to).contains(&r.start_local.date()),
        })
        .collect();
    let total = found.len() as u64;
    let rows = found
        .into_iter()
        .skip((number as usize - 1) * served)
        .take(served)
        .map(|r| row(r.clone()))
        .collect();
    page(rows, Some(total))
}

/// So many bookings on each of the ten days.
fn full_days(each: i64) -> Vec<Record> {
    (1..=10)
        .flat_map(|on| (0..each).map(move |n| booking(i64::from(on) * 1000 + n, on)))
        .collect()
}

fn proven(sweep: &Sweep) -> Vec<Days> {
    let proven = sweep.days.iter().filter(|d| d.proves_absence);
    proven.copied().collect()
}

fn proves_every_day(sweep: &Sweep) -> bool {
    sweep.covers(day(1), day(10)) && sweep.days.iter().all(|d| d.proves_absence)
}

fn said(error: Option<&ApiError>) -> String {
    error.map(ToString::to_string).unwrap_or_default()
}

// Pages.

#[tokio::test]
async fn a_row_that_moves_behind_the_reader_lets_no_listing_pass_for_complete() {
    // Row 1 moves to the end after the first page: row 4 slips past.
    let fake = Fake::new(3, |_, number| match number {
        1 => ids(&[1, 2, 3], 7),
        2 => ids(&[5, 6, 7], 7),
        3 => ids(&[1], 7),
        _ => ids(&[], 7),
    });
    let listing = fake.changes().await;
    assert_eq!(listing.records.len(), 6, "what came is evidence");
    assert_eq!(
        said(listing.failure.as_ref()),
        "unreadable answer: the listing counts 7 rows and gave 6"
    );
}

#[tokio::test]
async fn a_row_that_goes_before_the_reader_lets_no_listing_pass_for_complete() {
    // Row 1 goes: the count falls, so that it agrees with what came although row 4 did not.
    let fake = Fake::new(3, |_, number| match number {
        1 => ids(&[1, 2, 3], 7),
        2 => ids(&[5, 6, 7], 6),
        _ => ids(&[], 6),
    });
    let listing = fake.changes().await;
    assert_eq!(listing.records.len(), 6);
    assert_eq!(
        said(listing.failure.as_ref()),
        "unreadable answer: the listing moved while it was read"
    );
}

#[tokio::test]
async fn a_row_added_behind_the_last_one_harms_nothing() {
    let fake = Fake::new(3, |_, number| match number {
        1 => ids(&[1, 2, 3], 4),
        2 => ids(&[4, 5], 5),
        _ => ids(&[], 5),
    });
    let listing = fake.changes().await;
    assert_eq!(listing.failure, None);
    assert_eq!((listing.records.len(), fake.asked()), (5, 2));
}

#[tokio::test]
async fn a_repeated_page_ends_the_reading() {
    let fake = Fake::new(3, |_, _| ids(&[1, 2, 3], 100));
    let listing = fake.changes().await;
    assert_eq!(
        said(listing.failure.as_ref()),
        "unreadable answer: page 2 repeats the one before"
    );
    assert_eq!(listing.records.len(), 3);
}

#[tokio::test]
async fn pages_in_a_circle_end_the_reading_at_once() {
    let fake = Fake::new(3, |_, number| match number % 2 {
        1 => ids(&[1, 2, 3], None),
        _ => ids(&[4, 5, 6], None),
    });
    let listing = fake.changes().await;
    assert_eq!(
        said(listing.failure.as_ref()),
        "unreadable answer: page 3 brings nothing new"
    );
    assert_eq!(fake.asked(), 3);
}

#[tokio::test]
async fn endless_paging_has_an_end() {
    let fake = Fake::new(1, |_, number| ids(&[i64::from(number)], None));
    let listing = fake.changes().await;
    assert_eq!(
        said(listing.failure.as_ref()),
        "unreadable answer: the listing has no end"
    );
    assert_eq!(fake.asked(), 200);
}

#[tokio::test]
async fn a_page_smaller_than_asked_for_is_not_the_last_one() {
    let journal = full_days(100);
    let fake = Fake::new(200, |query, number| serve(&journal, 25, query, number));
    let listing = fake.changes().await;
    assert_eq!(listing.failure, None);
    assert_eq!((listing.records.len(), fake.asked()), (1000, 40));
}

#[tokio::test]
async fn a_count_beyond_the_rows_is_a_failure_and_one_below_them_ends_nothing_early() {
    let more = Fake::new(3, |_, number| match number {
        1 => ids(&[1, 2], 9),
        _ => ids(&[], 9),
    });
    let listing = more.changes().await;
    assert_eq!(
        said(listing.failure.as_ref()),
        "unreadable answer: the listing counts 9 rows and gave 2"
    );
    // Deleted rows are listed; nobody knows whether they are counted.
    let fewer = Fake::new(3, |_, number| match number {
        1 => ids(&[1, 2, 3], 2),
        2 => ids(&[4], 2),
        _ => ids(&[], 2),
    });
    let listing = fewer.changes().await;
    assert_eq!(listing.failure, None);
    assert_eq!(listing.records.len(), 4);
}

#[tokio::test]
async fn without_a_count_an_empty_page_is_the_end_whatever_it_counts() {
    let fake = Fake::new(3, |_, number| match number {
        1 => ids(&[1, 2, 3], None),
        2 => ids(&[4], None),
        _ => ids(&[], 0),
    });
    let listing = fake.changes().await;
    assert_eq!(listing.failure, None);
    assert_eq!((listing.records.len(), fake.asked()), (4, 3));
}

// Slices.

#[tokio::test]
async fn a_small_journal_is_one_request_and_proves_every_day() {
    let journal = full_days(2);
    let fake = Fake::new(200, |query, number| serve(&journal, 200, query, number));
    let sweep = fake.sweep(0).await;
    assert!(proves_every_day(&sweep));
    assert_eq!((sweep.records.len(), fake.asked()), (20, 1));
}

#[tokio::test]
async fn a_slice_that_overflows_is_halved_and_grows_again_where_days_are_quiet() {
    // Ten bookings on each of the first three days, then nothing.
    let mut journal = full_days(10);
    journal.retain(|r| r.start_local.date() <= day(3));
    let fake = Fake::new(25, |query, number| serve(&journal, 25, query, number));
    let sweep = fake.sweep(0).await;
    assert!(proves_every_day(&sweep));
    assert_eq!(sweep.records.len(), 30);
    let slices: Vec<_> = sweep.days.iter().map(|d| (d.from, d.to)).collect();
    assert_eq!(
        slices,
        [
            (day(1), day(2)),
            (day(3), day(4)),
            (day(5), day(6)),
            (day(7), day(10))
        ]
    );
    // The next sweep begins with what fitted the near days.
    assert_eq!(sweep.slice_days, 2);
    let asked = fake.asked();
    assert!(proves_every_day(&fake.sweep(sweep.slice_days).await));
    assert_eq!(fake.asked() - asked, 4);
}

#[tokio::test]
async fn slices_grow_over_days_without_a_count_too() {
    let fake = Fake::new(200, |_, _| ids(&[], None));
    let sweep = fake.sweep(1).await;
    assert!(sweep.covers(day(1), day(10)));
    assert_eq!(proven(&sweep), [], "such an answer proves nothing");
    assert_eq!(fake.asked(), 4, "one day, two, four, the rest");
}

#[tokio::test]
async fn a_sweep_learns_that_pages_are_smaller_than_asked_for() {
    let journal = full_days(10);
    let fake = Fake::new(200, |query, number| serve(&journal, 25, query, number));
    let sweep = fake.sweep(0).await;
    assert!(proves_every_day(&sweep));
    assert_eq!(sweep.records.len(), 100);
    // Ten days: page 1 and 2; five; then two at a time.
    assert_eq!(fake.asked(), 2 + 1 + 5);
}

#[tokio::test]
async fn a_slice_that_counts_more_than_it_gives_proves_nothing_and_costs_one_request_more() {
    let journal = full_days(3);
    let fake = Fake::new(200, |query, number| {
        let mut page = serve(&journal, 200, query, number);
        page.total_count = page.total_count.map(|total| total + 5);
        page
    });
    let sweep = fake.sweep(0).await;
    assert_eq!(sweep.records.len(), 30);
    assert_eq!((proven(&sweep), fake.asked()), (Vec::new(), 2));
    assert!(!sweep.covers(day(1), day(10)), "no baseline of it");
}

#[tokio::test]
async fn a_slice_that_counts_fewer_than_it_gives_proves_nothing() {
    let journal = full_days(3);
    let short = Fake::new(200, |query, number| {
        let mut page = serve(&journal, 200, query, number);
        page.total_count = Some(10);
        page
    });
    let sweep = short.sweep(0).await;
    assert_eq!(proven(&sweep), []);
    assert!(sweep.covers(day(1), day(10)));
    // A full page may have more behind it, whatever it counts.
    let full = Fake::new(10, |query, number| {
        let mut page = serve(&journal, 10, query, number);
        page.total_count = page.total_count.map(|total| total.min(10));
        page
    });
    let sweep = full.sweep(0).await;
    assert_eq!(sweep.records.len(), 30);
    assert!(sweep.covers(day(1), day(10)));
}

#[tokio::test]
async fn an_empty_slice_that_counts_rows_covers_nothing() {
    let fake = Fake::new(200, |_, _| ids(&[], 30));
    let sweep = fake.sweep(0).await;
    assert_eq!((sweep.days.len(), fake.asked()), (0, 1));
    assert!(!sweep.covers(day(1), day(10)));
}

#[tokio::test]
async fn a_slice_without_a_count_covers_its_days_and_proves_nothing() {
    let journal = full_days(3);
    let fake = Fake::new(200, |query, number| {
        let mut page = serve(&journal, 200, query, number);
        page.total_count = None;
        page
    });
    let sweep = fake.sweep(0).await;
    assert!(sweep.covers(day(1), day(10)));
    assert_eq!(
        (sweep.records.len(), proven(&sweep), fake.asked()),
        (30, Vec::new(), 2)
    );
}

#[tokio::test]
async fn an_unreadable_row_or_a_null_blocks_its_own_slice_only() {
    for odd in [
        Row::Null,
        Row::Unreadable {
            id: Some(77),
            why: "no start".into(),
        },
        Row::Unreadable {
            id: None,
            why: "no id".into(),
        },
    ] {
        let journal = full_days(4);
        let fake = Fake::new(30, |query, number| {
            let mut page = serve(&journal, 30, query, number);
            if matches!(query, Query::Starting(from, to) if (*from..=*to).contains(&day(8))) {
                page.rows.push(odd.clone());
                page.total_count = page.total_count.map(|total| total + 1);
            }
            page
        });
        let sweep = fake.sweep(5).await;
        assert_eq!(sweep.records.len(), 40, "{odd:?}");
        assert!(sweep.covers(day(1), day(10)), "{odd:?}");
        let proven: Vec<_> = proven(&sweep).iter().map(|d| (d.from, d.to)).collect();
        assert_eq!(proven, [(day(1), day(5))], "{odd:?}");
        let named = matches!(odd, Row::Unreadable { id: Some(_), .. });
        assert_eq!(sweep.listed.contains(&77), named, "listed, so not missing");
    }
}

#[tokio::test]
async fn a_day_beyond_one_page_is_believed_if_two_reads_agree() {
    let journal: Vec<_> = (0..7).map(|n| booking(n, 4)).collect();
    let fake = Fake::new(3, |query, number| serve(&journal, 3, query, number));
    let sweep = fake.sweep(1).await;
    assert!(proves_every_day(&sweep));
    assert_eq!(sweep.records.len(), 7);
}

#[tokio::test]
async fn a_day_beyond_one_page_whose_two_reads_differ_proves_presence_alone() {
    let journal: Vec<_> = (0..8).map(|n| booking(n, 4)).collect();
    let reads = AtomicU32::new(0);
    let busy = |query: &Query| *query == Query::Starting(day(4), day(4));
    // The slice, then the first read, then the second, which lacks the last booking.
    let fake = Fake::new(3, |query, number| {
        if busy(query) && number == 1 {
            reads.fetch_add(1, Ordering::Relaxed);
        }
        let rows = if reads.load(Ordering::Relaxed) < 3 {
            8
        } else {
            7
        };
        serve(&journal[..rows], 3, query, number)
    });
    let sweep = fake.sweep(1).await;
    assert_eq!(reads.load(Ordering::Relaxed), 3);
    assert_eq!(sweep.failure, None);
    assert!(!sweep.covers(day(1), day(10)));
    assert!(sweep.covers(day(1), day(3)), "the other days are whole");
    assert!(sweep.days.iter().all(|d| d.from != day(4)));
    assert_eq!(sweep.days.last().map(|d| d.to), Some(day(10)));
}

#[tokio::test]
async fn what_the_first_look_at_a_full_day_showed_is_kept_when_the_next_looks_show_nothing() {
    let journal: Vec<_> = (0..8).map(|n| booking(n, 1)).collect();
    let reads = AtomicU32::new(0);
    let fake = Fake::new(3, |query, number| {
        if *query != Query::Starting(day(1), day(1)) {
            return serve(&[], 3, query, number);
        }
        let is_first = reads.fetch_add(1, Ordering::Relaxed) == 0;
        serve(if is_first { &journal } else { &[] }, 3, query, number)
    });
    let sweep = fake.sweep(1).await;
    assert_eq!(sweep.records.len(), 3);
    assert_eq!(sweep.listed.len(), 3, "what was seen is not missing");
}

#[test]
fn a_sweep_covers_what_its_days_cover_without_a_gap_and_without_a_failure() {
    let days = |from, to| Days {
        from: day(from),
        to: day(to),
        proves_absence: false,
    };
    let sweep = |days: Vec<Days>, failure| Sweep {
        days,
        failure,
        ..Sweep::default()
    };
    assert!(sweep(vec![days(1, 4), days(5, 10)], None).covers(day(1), day(10)));
    assert!(sweep(vec![days(1, 4), days(5, 10)], None).covers(day(2), day(9)));
    assert!(!sweep(vec![days(1, 4), days(6, 10)], None).covers(day(1), day(10)));
    assert!(!sweep(vec![days(2, 10)], None).covers(day(1), day(10)));
    assert!(!sweep(vec![days(1, 9)], None).covers(day(1), day(10)));
    assert!(!sweep(Vec::new(), None).covers(day(1), day(10)));
    let failed = Some(ApiError::Unavailable("HTTP 502".into()));
    assert!(!sweep(vec![days(1, 10)], failed).covers(day(1), day(10)));
}

// The whole pipeline over an API that bends the listing.

type Bend = Box<dyn Fn(&Query, u32, &mut Page) + Send + Sync>;

/// The real client, its pages bent.
struct Bent {
    client: yclients::Client,
    /// What the client believes to have asked for.
    page_size: u32,
    bend: Arc<Mutex<Option<Bend>>>,
}

#[async_trait]
impl BookingApi for Bent {
    async fn page(&self, c: &CompanyRef, query: &Query, number: u32) -> Result<Page, ApiError> {
        let mut page = self.client.page(c, query, number).await?;
        if let Some(bend) = &*self.bend.lock().unwrap() {
            bend(query, number, &mut page);
        }
        Ok(page)
    }

    async fn record(&self, c: &CompanyRef, record: i64) -> Result<Lookup, ApiError> {
        self.client.record(c, record).await
    }

    async fn company(&self, company: i64) -> Result<CompanyInfo, ApiError> {
        self.client.company(company).await
    }

    fn page_size(&self) -> u32 {
        self.page_size
    }
}

/// A world whose pipeline reads through [`Bent`].
struct BentWorld {
    world: World,
    pipeline: Arc<Pipeline>,
    bend: Arc<Mutex<Option<Bend>>>,
}

impl BentWorld {
    async fn new(asked: u32, served: u32) -> Self {
        let world = World::new().await;
        let settings = yclients::Settings {
            page_size: served,
            ..world.salon.settings()
        };
        let bend: Arc<Mutex<Option<Bend>>> = Arc::default();
        let api = Arc::new(Bent {
            client: yclients::Client::new(settings).unwrap(),
            page_size: asked,
            bend: Arc::clone(&bend),
        });
        let path = world.folder.path().join("bent.db");
        let store = Store::open(&path).await.unwrap();
        let sink = Arc::new(Mutex::new(Vec::<u8>::new()));
        let clock = Arc::new(world.clock.clone());
        let pipeline = app::assemble_with(&world.config, store, api, clock, &(sink as _)).await;
        Self {
            pipeline: pipeline.unwrap(),
            world,
            bend,
        }
    }

    fn bend(&self, bend: impl Fn(&Query, u32, &mut Page) + Send + Sync + 'static) {
        *self.bend.lock().unwrap() = Some(Box::new(bend));
    }

    fn straighten(&self) {
        *self.bend.lock().unwrap() = None;
    }

    async fn poll(&self) -> PollReport {
        let company = Arc::clone(&self.pipeline.companies()[&SALON]);
        self.pipeline.poll_once(&company).await.unwrap()
    }

    /// A poll, the delay, and everything that is due after it; how many messages have left so far.
    async fn told(&self) -> usize {
        self.poll().await;
        self.world.advance("31s");
        for _ in 0..2 {
            let now = self.world.clock.now();
            self.pipeline.settle_due(now).await.unwrap();
            for end in self.pipeline.channels().values() {
                self.pipeline.deliver_due(end).await.unwrap();
            }
        }
        self.world.told().len()
    }

    /// So many bookings, one a day.
    fn book(&self, count: u32) -> Vec<i64> {
        (0..count)
            .map(|n| {
                let start = at("2026-08-21T14:30:00") + TimeDelta::days(i64::from(n));
                let draft = haircut(&start.format("%Y-%m-%dT%H:%M:%S").to_string());
                let draft = draft.client("Анна", &format!("+7900000{n:04}"));
                self.world.salon.book(draft)
            })
            .collect()
    }

    async fn count(&self, what: &'static str) -> i64 {
        let count = self.pipeline.store().read(move |c| {
            let query = format!("SELECT count(*) FROM appointments_cache WHERE {what}");
            Ok(c.query_row(&query, [], |r| r.get(0))?)
        });
        count.await.unwrap()
    }
}

#[tokio::test]
async fn a_page_size_reduced_in_silence_costs_no_booking_and_no_false_word() {
    let bent = BentWorld::new(200, 25).await;
    let records = bent.book(60);
    bent.world.advance("10m");
    assert!(bent.poll().await.baseline);
    assert_eq!(bent.count("deleted = 0").await, 60);
    for _ in 0..3 {
        bent.world.advance("15m");
        assert_eq!(bent.told().await, 0);
    }
    assert_eq!(bent.count("missing_since IS NOT NULL").await, 0);
    // The soonest one stands on the last page of a listing that begins with the furthest.
    bent.world
        .salon
        .reschedule(SALON, records[0], at("2026-08-21T17:00:00"));
    assert_eq!(bent.told().await, 1);
}

#[tokio::test]
async fn a_change_that_slips_past_between_two_pages_is_told_after_the_next_poll() {
    let bent = BentWorld::new(2, 2).await;
    let records = bent.book(5);
    bent.world.advance("10m");
    bent.poll().await;
    bent.world.advance("1m");
    for record in &records {
        let start = at("2026-09-01T10:00:00") + TimeDelta::days(record % 10);
        bent.world.salon.reschedule(SALON, *record, start);
    }
    // The last of the list is put before all others after its first page was read.
    let (salon, moved) = (bent.world.salon.clone(), Mutex::new(None));
    bent.bend(move |query, number, page| {
        let first = page.rows.first();
        if let (Query::ChangedSince(_), 1, Some(Row::Record(row))) = (query, number, first) {
            let mut moved = moved.lock().unwrap();
            if moved.is_none() {
                salon.reschedule(SALON, row.id, at("2026-08-21T10:00:00"));
                *moved = Some(row.id);
            }
        }
    });
    let report = bent.poll().await;
    assert_eq!(
        said(report.error.as_ref()),
        "unreadable answer: the listing counts 5 rows and gave 4"
    );
    bent.straighten();
    // Far beyond the overlap of a cursor that had gone on without the fifth.
    bent.world.advance("14m");
    assert_eq!(bent.told().await, 5);
    bent.world.advance("15m");
    assert_eq!(bent.told().await, 5);
}

#[tokio::test]
async fn a_wrong_count_in_a_sweep_makes_nobody_missing() {
    type Count = fn(Option<u64>) -> Option<u64>;
    let wrong: [(&str, Count); 4] = [
        ("right", |total| total),
        ("more", |total| total.map(|t| t + 40)),
        ("none of them", |_| Some(0)),
        ("absent", |_| None),
    ];
    for (wrong, count) in wrong {
        let bent = BentWorld::new(2, 2).await;
        bent.book(5);
        bent.world.advance("10m");
        bent.poll().await;
        // Every page loses all rows but one; the count is another.
        bent.bend(move |query, _, page| {
            if matches!(query, Query::Starting(..)) {
                page.rows.truncate(1);
                page.total_count = count(page.total_count);
            }
        });
        let asked = bent.world.salon.requests().len();
        for _ in 0..3 {
            bent.world.advance("15m");
            assert_eq!(bent.told().await, 0, "{wrong}");
        }
        let lookups = bent.world.salon.requests()[asked..]
            .iter()
            .filter(|r| r.path.starts_with("/record/"))
            .count();
        assert_eq!(
            (bent.count("missing_since IS NOT NULL").await, lookups),
            (0, 0),
            "{wrong}"
        );
    }
}
