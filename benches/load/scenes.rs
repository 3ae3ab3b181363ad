//! What is measured, and how: each scene is one day in the life of an installation, on a disk and a
//! loopback of its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use rusqlite::Connection;

use crate::daemon::{Daemon, Folder, PATIENCE, Setup};
use crate::figures::{Figure, median, percentile};
use crate::plain;
use crate::salon::{Draft, Salon, phone};

/// The company of scenes that need one.
const SALON: i64 = 111;
/// The shortest there is; what is waited on purpose is taken off.
const DELAY: Duration = Duration::from_secs(1);
/// Two looks at the journal are this far apart where nothing else is said.
const INTERVAL: Duration = Duration::from_secs(60);
/// Bookings that were there all along.
const OLD: TimeDelta = TimeDelta::days(2);

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

fn old(company: i64, count: usize, days: u64) -> Draft {
    Draft {
        company,
        count,
        days,
        made_at: Utc::now() - OLD,
        apart: TimeDelta::minutes(9),
    }
}

fn new(count: usize) -> Draft {
    Draft {
        company: SALON,
        count,
        days: 60,
        made_at: Utc::now(),
        apart: TimeDelta::zero(),
    }
}

/// A salon whose company has these bookings, and a folder that has seen them.
fn watched(draft: &Draft, monitor: &str) -> (Salon, Folder, Setup) {
    let (salon, folder) = (Salon::open(), Folder::new());
    let setup = Setup::of([draft.company], monitor);
    salon.found(draft.company);
    salon.book(draft);
    folder.once(&salon.url, &setup);
    salon.forget_traffic();
    (salon, folder, setup)
}

/// Companies that have nothing to tell, over one interval.
pub(crate) fn idle(companies: i64, bookings: usize) -> Idle {
    let (salon, folder) = (Salon::open(), Folder::new());
    for company in 1..=companies {
        salon.found(company);
        salon.book(&old(company, bookings, 60));
    }
    let daemon = folder.start(&salon.url, &Setup::of(1..=companies, ""), false);
    for _ in 0..companies {
        daemon.line(&["polled", "baseline=true"]);
    }
    let baseline = daemon.started.elapsed();
    // The first looks are soon for everybody; after them they keep their distance.
    std::thread::sleep(Duration::from_secs(10));
    let (pages, before) = (salon.pages(), daemon.usage());
    std::thread::sleep(INTERVAL);
    let after = daemon.usage();
    Idle {
        baseline,
        requests: (salon.pages() - pages) as f64 / companies as f64,
        resident: after.resident,
        peak: after.peak,
        cpu: (after.cpu - before.cpu).as_secs_f64() / INTERVAL.as_secs_f64() * 100.0,
        wakes: after.wakes.saturating_sub(before.wakes) as f64 / INTERVAL.as_secs_f64(),
    }
}

/// How an idle daemon fares.
pub(crate) struct Idle {
    baseline: Duration,
    requests: f64,
    resident: f64,
    peak: f64,
    cpu: f64,
    wakes: f64,
}

/// One salon and two hundred.
pub(crate) fn idles(_runs: usize) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (companies, memory, cpu) in [(1, "< 20 MB", ""), (200, "< 40 MB", "< 1 %")] {
        let idle = idle(companies, 300);
        let of = |what: &str| format!("{what}: {companies} x 300 bookings");
        figures.extend([
            Figure::new(of("requests per idle poll"), "1", "", vec![idle.requests]),
            Figure::new(of("resident"), memory, " MB", vec![idle.resident]),
            Figure::new(of("resident, most ever"), "", " MB", vec![idle.peak]),
            Figure::new(of("idle, of one core"), cpu, " %", vec![idle.cpu]),
            Figure::new(of("idle, wake-ups"), "", " /s", vec![idle.wakes]),
        ]);
    }
    figures
}

/// New bookings wait when the program starts; until each is told.
pub(crate) fn burst(runs: usize) -> Vec<Figure> {
    const BOOKINGS: usize = 300;
    let (mut ours, mut memory, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    let mut others: BTreeMap<&'static str, [Vec<f64>; 3]> = BTreeMap::new();
    for _ in 0..runs {
        let (salon, folder, setup) = watched(&old(SALON, 1, 60), "notification_delay = \"1s\"");
        salon.book(&new(BOOKINGS));
        let daemon = folder.start(&salon.url, &setup, false);
        salon.wait_for_sent(BOOKINGS, PATIENCE);
        let last = salon.sent()[BOOKINGS - 1].1;
        let took = (last - daemon.started).saturating_sub(DELAY).as_secs_f64();
        ours.push(took);
        memory.push(daemon.usage().peak);
        cpu.push(daemon.usage().cpu.as_secs_f64());
        for script in plain::SCRIPTS {
            salon.forget_traffic();
            let Some(run) = script.run(&salon, SALON, BOOKINGS) else {
                continue;
            };
            let [spans, ratios, peaks] = others.entry(script.name).or_default();
            spans.push(run.took.as_secs_f64());
            ratios.push(run.took.as_secs_f64() / took);
            peaks.push(run.peak);
        }
    }
    let what = "300 new bookings to 300 accepted, less the delay";
    let mut figures = vec![
        Figure::new(what, "< 1.0 s", " s", ours),
        Figure::new("the same: processor time", "", " s", cpu),
        Figure::new("the same: most memory", "", " MB", memory),
    ];
    for (name, [spans, ratios, peaks]) in others {
        let of = |what: &str| format!("a plain {name} script{what}");
        figures.extend([
            Figure::new(of(" doing the same"), "", " s", spans),
            Figure::new(of(": so many times slower"), ">= 15 x", " x", ratios),
            Figure::new(of(": most memory"), "", " MB", peaks),
        ]);
    }
    figures
}

/// Comparisons of a journal in which nothing changes.
pub(crate) struct Sweeps {
    /// Milliseconds each.
    spans: Vec<f64>,
    /// Milliseconds of processor time each.
    cpu: f64,
    bytes: usize,
    /// Milliseconds that nothing but reading the same bytes as JSON takes.
    bare: Vec<f64>,
    resident: f64,
}

fn sweeps(bookings: usize, days: u64, runs: usize) -> Sweeps {
    let monitor = "interval = \"1s\"\nsweep_interval = \"1s\"\nhorizon = \"365d\"";
    let (salon, folder, setup) = watched(&old(SALON, bookings, days), monitor);
    let daemon = folder.start(&salon.url, &setup, true);
    let swept = |daemon: &Daemon| daemon.line(&["polled", "swept=true"]).number("duration_ms");
    // The first ones find how many days fit a page.
    for _ in 0..3 {
        swept(&daemon);
    }
    salon.keep_pages();
    swept(&daemon);
    swept(&daemon);
    let mut pages = salon.kept_pages();
    // Whatever part of a comparison was kept at either end, each has as many pages.
    pages.truncate(pages.len().div_ceil(2));
    let before = daemon.usage();
    let spans: Vec<f64> = (0..runs).map(|_| swept(&daemon) as f64).collect();
    let after = daemon.usage();
    let bare = (0..runs.max(5)).map(|_| {
        let began = Instant::now();
        for page in &pages {
            drop(serde_json::from_slice::<serde_json::Value>(page).unwrap());
        }
        milliseconds(began.elapsed())
    });
    Sweeps {
        cpu: milliseconds(after.cpu - before.cpu) / runs as f64,
        bytes: pages.iter().map(bytes::len).sum(),
        bare: bare.collect(),
        spans,
        resident: after.resident,
    }
}

mod bytes {
    pub(super) fn len(page: &axum::body::Bytes) -> usize {
        page.len()
    }
}

/// A comparison of ten thousand bookings.
pub(crate) fn sweep(runs: usize) -> Vec<Figure> {
    let of = sweeps(10_000, 170, runs.max(5));
    let ratio = of.cpu / median(&of.bare);
    let megabytes = of.bytes as f64 / 1e6;
    vec![
        Figure::new("sweep of 10,000 bookings", "< 300 ms", " ms", of.spans),
        Figure::new("the same, processor time", "", " ms", vec![of.cpu]),
        Figure::new(
            format!("bare JSON parsing of the same {megabytes:.1} MB"),
            "",
            " ms",
            of.bare,
        ),
        Figure::new("processor time beside it", "<= 2.5 x", " x", vec![ratio]),
    ]
}

/// Everything changes, and only a comparison can see it.
pub(crate) fn storm(runs: usize) -> Vec<Figure> {
    const BOOKINGS: usize = 10_000;
    let monitor = "interval = \"1s\"\nsweep_interval = \"1s\"\nnotification_delay = \"1s\"\n\
                   missing_limit = \"100%\"";
    let (mut events, mut outbox) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let (salon, folder, setup) = watched(&old(SALON, BOOKINGS, 170), monitor);
        let daemon = folder.start(&salon.url, &setup.at_rate(0.001), true);
        daemon.line(&["polled", "swept=true"]);
        salon.hand_over_all(SALON, 6);
        // What was being compared meanwhile is found by two comparisons, and settled in two turns.
        let (mut read, mut settled) = (Duration::ZERO, 0);
        let (mut first_at, mut last) = (None, None);
        while settled < BOOKINGS as u64 {
            let line = daemon.line(&[]);
            if line.number("updated") > 0 {
                let span = Duration::from_millis(line.number("duration_ms"));
                read += span;
                first_at.get_or_insert(line.at - span);
            }
            if line.number("visits") > 0 {
                settled += line.number("visits");
                last = Some(line.at);
            }
        }
        let span = first_at.zip(last).map(|(first, last)| last - first);
        events.push(read.as_secs_f64());
        outbox.push(span.unwrap_or_default().saturating_sub(DELAY).as_secs_f64());
    }
    vec![
        Figure::new("10,000 changed in one sweep: events", "", " s", events),
        Figure::new("the same, events and outbox", "< 1 s", " s", outbox),
    ]
}

/// From a change in the journal to the message about it.
pub(crate) fn latency(_runs: usize) -> Vec<Figure> {
    const BOOKINGS: usize = 300;
    let monitor = "interval = \"1s\"\nnotification_delay = \"1s\"";
    let (salon, folder, setup) = watched(&old(SALON, BOOKINGS, 60), monitor);
    let daemon = folder.start(&salon.url, &setup, false);
    daemon.line(&["ready"]);
    std::thread::sleep(Duration::from_secs(2));
    let mut seen_at = BTreeMap::new();
    for n in 0..BOOKINGS {
        seen_at.insert(phone(n), salon.hand_over(SALON, n, 6));
        // At any moment between two looks, evenly.
        std::thread::sleep(Duration::from_millis(97));
    }
    salon.wait_for_sent(BOOKINGS, PATIENCE);
    let spans: Vec<f64> = salon
        .sent()
        .iter()
        .map(|(to, at)| (*at - seen_at[to]).saturating_sub(DELAY).as_secs_f64())
        .collect();
    let figure = |what: &str, target, percent| {
        let what = format!("change to accepted, less the delay, {what}");
        Figure::new(what, target, " s", vec![percentile(&spans, percent)])
    };
    vec![figure("p50", "< 0.6 s", 50), figure("p95", "< 1.2 s", 95)]
}

/// Messages that wait leave as fast as they can.
pub(crate) fn drain(runs: usize) -> Vec<Figure> {
    const BOOKINGS: usize = 5000;
    let (mut rates, mut spans, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    let (mut looked_at, mut intended) = (0, 0);
    for _ in 0..runs {
        let (salon, folder, setup) = watched(&old(SALON, 1, 60), "notification_delay = \"1s\"");
        salon.book(&new(BOOKINGS));
        let daemon = folder.start(&salon.url, &setup.at_rate(0.001), false);
        let mut settled = 0;
        while settled < BOOKINGS as u64 {
            settled += daemon.line(&["settled", "visits="]).number("visits");
        }
        drop(daemon);
        let waiting = BOOKINGS - salon.sent().len();
        salon.forget_traffic();
        salon.look_into(&folder.database());
        let daemon = folder.start(&salon.url, &setup, false);
        salon.wait_for_sent(waiting, PATIENCE);
        let sent = salon.sent();
        let (first, last) = (sent[0].1, sent[waiting - 1].1);
        rates.push((waiting - 1) as f64 / (last - first).as_secs_f64());
        spans.push((last - daemon.started).as_secs_f64());
        cpu.push(milliseconds(daemon.usage().cpu) / waiting as f64);
        let (looked, found) = salon.intents();
        looked_at += looked;
        intended += found;
    }
    let share = f64::from(u32::try_from(intended).unwrap()) * 100.0 / looked_at as f64;
    vec![
        Figure::new("outbox, 5,000 due: messages", "> 1500 /s", " /s", rates),
        Figure::new("the same, start-up included", "", " s", spans),
        Figure::new("processor time of each", "", " ms", cpu),
        Figure::new(
            "intents found on the disk before the message was taken",
            "100 %",
            " %",
            vec![share],
        ),
    ]
}

/// From the start of the process to the first request, with a large database.
pub(crate) fn cold(runs: usize) -> Vec<Figure> {
    let (salon, folder, setup) = watched(&old(SALON, 300, 60), "");
    let size = fatten(&folder, 200_000_000);
    let what = format!("first request with {:.0} MB of database", size as f64 / 1e6);
    let start = |is_cached: bool| {
        if !is_cached {
            drop_from_cache(&folder);
        }
        salon.forget_traffic();
        let daemon = folder.start(&salon.url, &setup, false);
        daemon.line(&["ready"]);
        while salon.first_request_at().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let first = salon.first_request_at().unwrap_or(daemon.started);
        (first - daemon.started).as_secs_f64()
    };
    let read = (0..runs).map(|_| start(false)).collect();
    start(true);
    let cached = (0..runs).map(|_| start(true)).collect();
    vec![
        Figure::new(what.clone(), "< 0.5 s", " s", cached),
        Figure::new(what + ", not in the system's cache", "", " s", read),
    ]
}

/// Half a year of history, until the file is this large.
fn fatten(folder: &Folder, bytes: u64) -> u64 {
    let mut conn = Connection::open(folder.database()).unwrap();
    let size = || std::fs::metadata(folder.database()).unwrap().len();
    let mut n: i64 = 0;
    while size() < bytes {
        let tx = conn.transaction().unwrap();
        for _ in 0..5000 {
            n += 1;
            let payload = format!(
                r#"{{"event":"record.updated","data":"{}"}}"#,
                "д".repeat(700)
            );
            let at = Utc::now() - TimeDelta::minutes(n);
            let at = at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            tx.prepare_cached(
                "INSERT INTO booking_events (event_id, event_type, company_id, record_id, payload,
                                             before_state, created_at, processed_at)
                 VALUES (?1, 'record.updated', 111, ?2, ?3, ?3, ?4, ?4)",
            )
            .unwrap()
            .execute((format!("old-{n}"), n % 3000, payload, &at))
            .unwrap();
            tx.prepare_cached(
                "INSERT INTO booking_notifications (company_id, record_id, visit_id, unit, kind,
                    phone, recipient, channel, status, message, first_change_at, changed_at, due_at,
                    created_at, sent_at, provider_message_id)
                 VALUES (111, ?1, 0, 'r' || ?1, 'updated', ?2, ?2, 'load', 'sent', ?3, ?4, ?4, ?4,
                         ?4, ?4, 'old-' || ?5)",
            )
            .unwrap()
            .execute((n % 3000, phone(7), "д".repeat(300), &at, n))
            .unwrap();
        }
        tx.commit().unwrap();
        let kept = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| {
            r.get::<_, i64>(0)
        });
        assert_eq!(kept.unwrap(), 0);
    }
    size()
}

/// The kernel reads the file from the disk next time.
fn drop_from_cache(folder: &Folder) {
    let file = format!("of={}", folder.database().display());
    let arguments = [&file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"];
    let done = std::process::Command::new("dd").args(arguments).output();
    assert!(done.is_ok_and(|done| done.status.success()));
}

/// What more companies cost, and more bookings.
pub(crate) fn growth(_runs: usize) -> Vec<Figure> {
    let mut figures = Vec::new();
    for companies in [1, 10, 100, 1000] {
        let idle = idle(companies, 100);
        let of = |what: &str| format!("{companies} companies x 100 bookings: {what}");
        let baseline = idle.baseline.as_secs_f64();
        figures.extend([
            Figure::new(of("all baselines"), "", " s", vec![baseline]),
            Figure::new(of("requests per poll"), "1", "", vec![idle.requests]),
            Figure::new(of("resident"), "", " MB", vec![idle.resident]),
            Figure::new(of("idle, of one core"), "", " %", vec![idle.cpu]),
        ]);
    }
    for bookings in [100, 1000, 10_000, 100_000] {
        let of = |what: &str| format!("1 company x {bookings} bookings: {what}");
        let swept = sweeps(bookings, 360, 5);
        figures.extend([
            Figure::new(of("sweep"), "", " ms", swept.spans),
            Figure::new(of("its processor time"), "", " ms", vec![swept.cpu]),
            Figure::new(of("resident"), "", " MB", vec![swept.resident]),
            Figure::new(of("idle poll"), "", " ms", vec![idle_polls(bookings)]),
        ]);
    }
    figures
}

/// Milliseconds of processor time that a poll takes which brings nothing.
fn idle_polls(bookings: usize) -> f64 {
    const POLLS: u32 = 20;
    let monitor = "interval = \"1s\"\nhorizon = \"365d\"";
    let (salon, folder, setup) = watched(&old(SALON, bookings, 360), monitor);
    let daemon = folder.start(&salon.url, &setup, true);
    for _ in 0..3 {
        daemon.line(&["polled"]);
    }
    let before = daemon.usage();
    for _ in 0..POLLS {
        daemon.line(&["polled"]);
    }
    milliseconds(daemon.usage().cpu - before.cpu) / f64::from(POLLS)
}
