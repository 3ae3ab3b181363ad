//! The contract's views and the metrics: what they count is what `status --json` counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use booking_monitor::app::page::{self, Shown};
use booking_monitor::daemon::Pulse;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::salon::FaultySalon;
use crate::support::program::stdout;

/// The figures of `/metrics`, by name and labels.
async fn metrics(salon: &FaultySalon) -> BTreeMap<String, f64> {
    let world = &salon.world;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shown = Shown::working(
        &world.config,
        world.pipeline().meters(),
        &Arc::<Pulse>::default(),
    );
    let served = tokio::spawn(page::serve(listener, shown, CancellationToken::new()));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .get(format!("http://{address}/metrics"))
        .send()
        .await
        .unwrap();
    let text = answer.text().await.unwrap();
    served.abort();
    let figures = text.lines().filter(|line| !line.starts_with('#'));
    figures
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, figure)| (name.to_owned(), figure.parse().unwrap()))
        .collect()
}

/// The sum of one column of a view, and how many rows it has.
fn sum(salon: &FaultySalon, column: &str, view: &str) -> i64 {
    let sql = format!("SELECT coalesce(sum({column}), 0) FROM {view}");
    salon.world.sql().query_row(&sql, [], |r| r.get(0)).unwrap()
}

fn count(counts: &Value, statuses: &[&str]) -> i64 {
    let one = |status: &&str| counts[*status].as_i64().unwrap_or_default();
    statuses.iter().map(one).sum()
}

/// Every figure that two of them show differently.
pub(crate) async fn problems(salon: &FaultySalon) -> Vec<String> {
    let call = ["status".to_owned(), "--json".to_owned()];
    let status: Value = serde_json::from_str(&stdout(&salon.run(&call).await)).unwrap();
    let metrics = metrics(salon).await;
    let metric = |name: &str| metrics.get(&format!("booking_monitor_{name}")).copied();
    let (all, day) = (
        &status["outbox"]["by_status"],
        &status["outbox"]["last_24h"],
    );
    let mut pairs: Vec<(String, f64, f64)> = Vec::new();
    let mut same = |what: &str, a: f64, b: f64| pairs.push((what.to_owned(), a, b));
    let statuses = [
        "pending",
        "held",
        "sending",
        "uncertain",
        "sent",
        "delivered",
        "read",
        "failed",
        "dead",
        "suppressed",
    ];
    for of in statuses {
        let shown = metric(&format!("outbox{{status=\"{of}\"}}")).unwrap_or(-1.0);
        same(of, count(all, &[of]) as f64, shown);
    }
    same(
        "uncertain",
        count(all, &["uncertain"]) as f64,
        metric("uncertain").unwrap_or(-1.0),
    );
    for company in status["companies"].as_array().unwrap() {
        let id = &company["id"];
        let held = metric(&format!("guard_held{{company=\"{id}\"}}"));
        same(
            "held",
            company["held"].as_f64().unwrap(),
            held.unwrap_or(-1.0),
        );
        let age = metric(&format!("poll_age_seconds{{company=\"{id}\"}}")).unwrap_or(-1.0);
        let lag = company["lag_seconds"].as_f64().unwrap();
        same("lag", 0.0, f64::from(u8::from((age - lag).abs() > 30.0)));
    }
    for channel in status["channels"].as_array().unwrap() {
        let (name, kind) = (&channel["name"], &channel["type"]);
        let up = metric(&format!("channel_up{{channel={name},type={kind}}}"));
        let is_up = f64::from(u8::from(channel["up"].as_bool().unwrap()));
        same("channel", is_up, up.unwrap_or(-1.0));
    }
    for sink in status["events"].as_array().unwrap() {
        let waits = metric(&format!("sink_pending{{sink={}}}", sink["sink"]));
        same(
            "sink",
            sink["pending"].as_f64().unwrap(),
            waits.unwrap_or(-1.0),
        );
    }
    let view = "notification_stats_24h";
    let reached = ["sent", "delivered", "read"];
    same(
        "all of a day",
        count(day, &statuses) as f64,
        sum(salon, "total", view) as f64,
    );
    same(
        "sent",
        count(day, &reached) as f64,
        sum(salon, "sent", view) as f64,
    );
    same(
        "delivered",
        count(day, &reached[1..]) as f64,
        sum(salon, "delivered", view) as f64,
    );
    same(
        "read",
        count(day, &reached[2..]) as f64,
        sum(salon, "read", view) as f64,
    );
    same(
        "failed",
        count(day, &["failed", "dead"]) as f64,
        sum(salon, "failed", view) as f64,
    );
    same(
        "suppressed",
        count(day, &["suppressed"]) as f64,
        sum(salon, "suppressed", view) as f64,
    );
    let events = sum(salon, "total", "event_stats_24h");
    same(
        "events",
        events as f64,
        sum(salon, "1", "booking_events") as f64,
    );
    let settled = sum(salon, "processed + pending", "event_stats_24h");
    same("settled and open events", events as f64, settled as f64);
    let booked = sum(salon, "total", "bookings_by_origin_30d");
    same(
        "bookings",
        booked as f64,
        sum(salon, "1", "appointments_cache") as f64,
    );
    pairs.retain(|(_, a, b)| (a - b).abs() > f64::EPSILON);
    pairs
        .into_iter()
        .map(|(what, a, b)| format!("{what}: {a} and {b}"))
        .collect()
}
