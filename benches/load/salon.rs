//! The world outside, as fast as it gets: a journal whose rows are rendered when they are written, and
//! a messenger that takes whatever it is given. It counts and notes times; it checks nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// One message in so many is looked up in the database before it is taken.
const LOOKED_AT: usize = 250;
/// Test numbers end in four digits.
const PHONES: usize = 10_000;

/// The journal of all companies and the messenger, on loopback.
pub(crate) struct Salon {
    world: Arc<Mutex<World>>,
    /// Its address.
    pub(crate) url: String,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Default)]
struct World {
    journals: BTreeMap<i64, Journal>,
    /// Pages asked for, by company.
    pages: BTreeMap<i64, u64>,
    first_request_at: Option<Instant>,
    sent: Vec<(String, Instant)>,
    /// Pages of comparisons, kept while somebody wants them.
    kept: Option<Vec<Bytes>>,
    /// Where intents are looked up, how many were, and how many were there.
    database: Option<PathBuf>,
    looked_at: usize,
    intended: usize,
}

#[derive(Default)]
struct Journal {
    rows: Vec<Row>,
    days: BTreeMap<NaiveDate, BTreeSet<usize>>,
}

struct Row {
    day: NaiveDate,
    changed_at: DateTime<Utc>,
    value: Value,
    json: String,
}

impl Row {
    fn render(&mut self) {
        self.json = self.value.to_string();
    }
}

/// What rows are written with.
pub(crate) struct Draft {
    /// The company.
    pub(crate) company: i64,
    /// How many.
    pub(crate) count: usize,
    /// Spread over so many days, from tomorrow on.
    pub(crate) days: u64,
    /// When the last of them was made.
    pub(crate) made_at: DateTime<Utc>,
    /// How long before it the one before was made, and so on: what was written at one moment is read
    /// at every look, until something is written later.
    pub(crate) apart: TimeDelta,
}

/// The number of the client of a company's so-many-th booking.
pub(crate) fn phone(n: usize) -> String {
    format!("+7900000{:04}", n % PHONES)
}

fn moscow() -> FixedOffset {
    FixedOffset::east_opt(3 * 3600).unwrap()
}

fn stamp(at: DateTime<Utc>) -> Value {
    let local = at.with_timezone(&moscow());
    local.format("%Y-%m-%dT%H:%M:%S%z").to_string().into()
}

impl Salon {
    pub(crate) fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let world = Arc::new(Mutex::new(World::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(listener).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&world));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            world,
            url,
            _runtime: runtime,
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// A company without bookings.
    pub(crate) fn found(&self, company: i64) {
        self.world().journals.entry(company).or_default();
    }

    /// Writes bookings into a company's journal, all of which are to be seen at once.
    pub(crate) fn book(&self, draft: &Draft) {
        let first = self.world().journals[&draft.company].rows.len();
        let rows: Vec<Row> = (first..first + draft.count)
            .map(|n| row(draft, n))
            .collect();
        let mut world = self.world();
        let journal = world.journals.get_mut(&draft.company).unwrap();
        for row in rows {
            let n = journal.rows.len();
            journal.days.entry(row.day).or_default().insert(n);
            journal.rows.push(row);
        }
    }

    /// Another master takes over this booking, now. Returns when that could be seen.
    pub(crate) fn hand_over(&self, company: i64, n: usize, staff: i64) -> Instant {
        let mut world = self.world();
        let row = &mut world.journals.get_mut(&company).unwrap().rows[n];
        set_staff(&mut row.value, staff);
        row.changed_at = Utc::now();
        row.value["last_change_date"] = stamp(row.changed_at);
        row.render();
        Instant::now()
    }

    /// Another master takes over everything, and the date of the last change does not tell: only a
    /// comparison can see it.
    pub(crate) fn hand_over_all(&self, company: i64, staff: i64) {
        let mut values: Vec<Value> = {
            let world = self.world();
            let rows = world.journals[&company].rows.iter();
            rows.map(|row| row.value.clone()).collect()
        };
        let rendered: Vec<String> = values
            .iter_mut()
            .map(|value| {
                set_staff(value, staff);
                value.to_string()
            })
            .collect();
        let mut world = self.world();
        let rows = &mut world.journals.get_mut(&company).unwrap().rows;
        for (row, (value, json)) in rows.iter_mut().zip(values.into_iter().zip(rendered)) {
            (row.value, row.json) = (value, json);
        }
    }

    /// Pages asked for so far, of all companies.
    pub(crate) fn pages(&self) -> u64 {
        self.world().pages.values().sum()
    }

    /// From now on pages of comparisons are kept.
    pub(crate) fn keep_pages(&self) {
        self.world().kept = Some(Vec::new());
    }

    /// Those that were kept.
    pub(crate) fn kept_pages(&self) -> Vec<Bytes> {
        self.world().kept.take().unwrap_or_default()
    }

    /// Nothing was asked and nothing was sent so far.
    pub(crate) fn forget_traffic(&self) {
        let mut world = self.world();
        world.pages.clear();
        world.sent.clear();
        world.first_request_at = None;
        (world.looked_at, world.intended) = (0, 0);
    }

    /// When the journal was first asked.
    pub(crate) fn first_request_at(&self) -> Option<Instant> {
        self.world().first_request_at
    }

    /// Some of the messages are looked up in this database before they are taken.
    pub(crate) fn look_into(&self, database: &Path) {
        self.world().database = Some(database.to_owned());
    }

    /// How many messages were looked up, and of how many an intent was found.
    pub(crate) fn intents(&self) -> (usize, usize) {
        let world = self.world();
        (world.looked_at, world.intended)
    }

    /// What was taken, and when.
    pub(crate) fn sent(&self) -> Vec<(String, Instant)> {
        self.world().sent.clone()
    }

    /// Waits for so many messages.
    pub(crate) fn wait_for_sent(&self, count: usize, patience: Duration) {
        let began = Instant::now();
        while self.world().sent.len() < count {
            assert!(
                began.elapsed() < patience,
                "{} of {count} messages came",
                self.world().sent.len()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn row(draft: &Draft, n: usize) -> Row {
    let day = (Utc::now() + TimeDelta::hours(3)).date_naive();
    let day = day + Days::new(1 + n as u64 % draft.days);
    let hour = 9 + (n as u64 / draft.days) % 12;
    let id = draft.company * 1_000_000 + i64::try_from(n).unwrap();
    let made_at = draft.made_at - draft.apart * i32::try_from(n).unwrap();
    let mut value: Value =
        serde_json::from_str(include_str!("../../src/demo/salon/record.json")).unwrap();
    let start = format!("{day} {hour:02}:00:00");
    value["id"] = id.into();
    value["company_id"] = draft.company.into();
    value["visit_id"] = (id + 500_000).into();
    value["date"] = start.clone().into();
    value["datetime"] = format!("{day}T{hour:02}:00:00+03:00").into();
    value["client"]["id"] = (id + 700_000).into();
    value["client"]["phone"] = phone(n).into();
    value["create_date"] = stamp(made_at);
    value["last_change_date"] = stamp(made_at);
    set_staff(&mut value, 5);
    let mut row = Row {
        day,
        changed_at: made_at,
        value,
        json: String::new(),
    };
    row.render();
    row
}

fn set_staff(row: &mut Value, staff: i64) {
    row["staff_id"] = staff.into();
    row["staff"]["id"] = staff.into();
    row["staff"]["name"] = format!("Мастер {staff}").into();
}

type Parameters = std::collections::HashMap<String, String>;

async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    method: Method,
    uri: Uri,
    Query(parameters): Query<Parameters>,
    body: Bytes,
) -> Response {
    let mut world = world.lock().unwrap();
    let mut path = uri.path().trim_start_matches('/').split('/');
    let (first, id) = (path.next().unwrap_or_default(), path.next());
    let company: i64 = id.and_then(|id| id.parse().ok()).unwrap_or_default();
    if first != "send" {
        world.first_request_at.get_or_insert_with(Instant::now);
    }
    let json = match (method, first) {
        (Method::POST, "send") => world.take(&body),
        (Method::GET, "company") => info(company),
        (Method::GET, "records") => world.page(company, &parameters),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}

fn info(company: i64) -> Bytes {
    let mut value: Value =
        serde_json::from_str(include_str!("../../src/demo/salon/company.json")).unwrap();
    value["id"] = company.into();
    value["timezone_name"] = "Europe/Moscow".into();
    Bytes::from(format!(r#"{{"success":true,"data":{value},"meta":[]}}"#))
}

impl World {
    fn page(&mut self, company: i64, parameters: &Parameters) -> Bytes {
        *self.pages.entry(company).or_default() += 1;
        let number = |key: &str| parameters.get(key).and_then(|text| text.parse().ok());
        let day = |key: &str| parameters[key].parse::<NaiveDate>().unwrap();
        let journal = &self.journals[&company];
        let found: Vec<&Row> = match parameters.get("changed_after") {
            Some(since) => {
                let since: NaiveDateTime = since.parse().unwrap();
                let since = since.and_local_timezone(moscow()).unwrap();
                let rows = journal.rows.iter();
                rows.filter(|row| row.changed_at >= since).collect()
            }
            None => {
                let (from, to) = (day("start_date"), day("end_date"));
                let days = journal.days.range::<NaiveDate, _>(from..=to);
                days.flat_map(|(_, rows)| rows)
                    .map(|n| &journal.rows[*n])
                    .collect()
            }
        };
        let (page, count) = (number("page").unwrap_or(1), number("count").unwrap_or(25));
        let rows = found.iter().skip((page - 1) * count).take(count);
        let rows: Vec<&str> = rows.map(|row| row.json.as_str()).collect();
        let json = format!(
            r#"{{"success":true,"data":[{}],"meta":{{"page":{page},"total_count":{}}}}}"#,
            rows.join(","),
            found.len()
        );
        let json = Bytes::from(json);
        if let Some(kept) = &mut self.kept
            && !parameters.contains_key("changed_after")
        {
            kept.push(json.clone());
        }
        json
    }

    fn take(&mut self, body: &[u8]) -> Bytes {
        let at = Instant::now();
        let message: Value = serde_json::from_slice(body).unwrap();
        let to = format!("+{}", message["to"].as_str().unwrap());
        if let Some(database) = &self.database
            && self.sent.len().is_multiple_of(LOOKED_AT)
        {
            self.looked_at += 1;
            self.intended += usize::from(is_intended(database, &to));
        }
        self.sent.push((to, at));
        Bytes::from(format!(r#"{{"id":"m{}"}}"#, self.sent.len()))
    }
}

/// What is committed says that this message is on its way.
fn is_intended(database: &Path, phone: &str) -> bool {
    let conn = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let query =
        "SELECT count(*) FROM booking_notifications WHERE phone = ?1 AND status = 'sending'";
    let count: i64 = conn.query_row(query, [phone], |r| r.get(0)).unwrap();
    count == 1
}
