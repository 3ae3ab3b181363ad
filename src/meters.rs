//! What is counted while the program runs, for `/metrics`. What the database can say at any moment
//! (ages, the outbox, who is down) is read there when somebody asks.
//!
//! Labels are ids and the names of the configuration: no person ever becomes one.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Bounds of the histograms, in seconds: from a quick answer to a time-out.
const SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0];

/// Everything is named so.
pub const PREFIX: &str = "booking_monitor";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfCompany {
    company: i64,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfKind {
    company: i64,
    r#type: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfStatus {
    status: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfChannel {
    channel: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfSend {
    channel: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfSink {
    sink: String,
    outcome: &'static str,
}

/// Counters and histograms; copies count together.
#[derive(Clone, Debug)]
pub struct Meters {
    requests: Family<OfStatus, Counter>,
    polls: Family<OfCompany, Counter>,
    poll_seconds: Histogram,
    changes: Family<OfKind, Counter>,
    sends: Family<OfSend, Counter>,
    send_seconds: Family<OfChannel, Histogram, fn() -> Histogram>,
    handed: Family<OfSink, Counter>,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            polls: Family::default(),
            poll_seconds: Histogram::new(SECONDS),
            changes: Family::default(),
            sends: Family::default(),
            send_seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            handed: Family::default(),
        }
    }
}

impl Meters {
    /// YClients answered a request with this HTTP status, or not at all.
    pub fn requested(&self, status: Option<u16>) {
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.requests.get_or_create(&OfStatus { status }).inc();
    }

    /// A company was polled.
    pub fn polled(&self, company: i64, well: bool, took: Duration) {
        let outcome = if well { "ok" } else { "failed" };
        self.polls
            .get_or_create(&OfCompany { company, outcome })
            .inc();
        self.poll_seconds.observe(took.as_secs_f64());
    }

    /// So many changes of this type were seen in the journal.
    pub fn changed(&self, company: i64, r#type: &'static str, count: u64) {
        if count > 0 {
            let of = OfKind { company, r#type };
            self.changes.get_or_create(&of).inc_by(count);
        }
    }

    /// A channel was given a message.
    pub fn sent(&self, channel: &str, outcome: &'static str, took: Duration) {
        let channel = channel.to_owned();
        self.send_seconds
            .get_or_create(&OfChannel {
                channel: channel.clone(),
            })
            .observe(took.as_secs_f64());
        self.sends.get_or_create(&OfSend { channel, outcome }).inc();
    }

    /// A sink was given an event.
    pub fn handed(&self, sink: &str, outcome: &'static str) {
        let sink = sink.to_owned();
        self.handed.get_or_create(&OfSink { sink, outcome }).inc();
    }

    /// A registry that has them, for others to be put beside.
    #[must_use]
    pub fn registry(&self) -> Registry {
        let mut all = Registry::with_prefix(PREFIX);
        all.register(
            "requests",
            "Requests to the records API by the HTTP status of the answer, none without one",
            self.requests.clone(),
        );
        all.register(
            "polls",
            "Polls of the journal by outcome",
            self.polls.clone(),
        );
        all.register_with_unit(
            "poll_duration",
            "How long a poll took, waiting for its turn included",
            Unit::Seconds,
            self.poll_seconds.clone(),
        );
        all.register(
            "changes",
            "Changes seen in the journal by type, each an event",
            self.changes.clone(),
        );
        all.register(
            "sends",
            "Messages given to a channel, by what came of it at once",
            self.sends.clone(),
        );
        all.register_with_unit(
            "send_duration",
            "How long a channel took to answer",
            Unit::Seconds,
            self.send_seconds.clone(),
        );
        all.register(
            "events_handed",
            "Booking events given to a sink, by what came of it",
            self.handed.clone(),
        );
        all
    }
}

/// The text that is answered.
#[must_use]
pub fn encoded(registry: &Registry) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    if text::encode(&mut out, registry).is_err() {
        out.clear();
    }
    out
}
