//! `/metrics`: beside what is counted while the program runs, what the database can say at once.
//! Nothing here reads more than the open rows and one index.

use std::sync::atomic::AtomicU64;

use chrono::{DateTime, Utc};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use rusqlite::Connection;

use super::super::status;
use super::age;
use crate::config::Config;
use crate::store::{self, Room, channels, companies, guard, sinks, stats};

type Figure = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfCompany {
    company: i64,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfChannel {
    channel: String,
    r#type: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfStatus {
    status: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfSink {
    sink: String,
}

/// Puts it beside the meters.
pub(super) fn register(
    all: &mut Registry,
    conn: &Connection,
    config: &Config,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    all.register("build", "The program that runs", Info::new(version));
    of_companies(all, conn, config, now)?;
    of_channels(all, conn)?;
    of_outbox(all, conn, now)?;
    of_sinks(all, conn, now)?;
    let path = &config.database.path;
    let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
    one(
        all,
        "database_size",
        "The database's file",
        Some(Unit::Bytes),
        size as f64,
    );
    if let Ok(free) = Room::beside(path).free() {
        let help = "Room left on the database's disk";
        one(all, "disk_free", help, Some(Unit::Bytes), free.bytes as f64);
    }
    Ok(())
}

fn of_companies(
    all: &mut Registry,
    conn: &Connection,
    config: &Config,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let family = Family::<OfCompany, Figure>::default;
    let (poll_age, poll_lag, sweep_age) = (family(), family(), family());
    let (healthy, failures, held) = (family(), family(), family());
    for settings in &config.companies {
        let of = OfCompany {
            company: settings.id,
        };
        let row = companies::get(conn, settings.id)?.unwrap_or_default();
        let lag = row.last_poll_at.map(|at| age(at, now));
        if let Some(polled) = lag {
            poll_age.get_or_create(&of).set(polled.as_secs_f64());
            // By a calendar nobody can say when the next one should have been.
            if settings.schedule.is_none() {
                let late = polled.saturating_sub(settings.pace.interval);
                poll_lag.get_or_create(&of).set(late.as_secs_f64());
            }
        }
        if let Some(at) = row.last_sweep_at {
            sweep_age.get_or_create(&of).set(age(at, now).as_secs_f64());
        }
        let well = status::is_healthy(settings, &row, lag, now);
        healthy.get_or_create(&of).set(f64::from(u8::from(well)));
        failures.get_or_create(&of).set(row.failures.into());
        let count = guard::held(conn, settings.id, now)?.count;
        held.get_or_create(&of).set(count as f64);
    }
    let seconds = || Some(Unit::Seconds);
    put(
        all,
        "poll_age",
        "Time since the last good poll",
        seconds(),
        poll_age,
    );
    let help = "By how much the next poll is overdue";
    put(all, "poll_lag", help, seconds(), poll_lag);
    let help = "Time since the last whole comparison of the journal";
    put(all, "sweep_age", help, seconds(), sweep_age);
    let help = "1 while the company is read in time and refused by nobody";
    put(all, "company_healthy", help, None, healthy);
    put(
        all,
        "poll_failures",
        "Polls that failed in a row",
        None,
        failures,
    );
    let help = "Messages that the guard against mass changes holds";
    put(all, "guard_held", help, None, held);
    Ok(())
}

fn of_channels(all: &mut Registry, conn: &Connection) -> store::Result<()> {
    let up = Family::<OfChannel, Figure>::default();
    for state in channels::all(conn)? {
        let works = state.fails_since().is_none();
        let of = OfChannel {
            channel: state.name,
            r#type: state.kind,
        };
        up.get_or_create(&of).set(f64::from(u8::from(works)));
    }
    put(all, "channel_up", "1 while the channel can send", None, up);
    Ok(())
}

fn of_outbox(all: &mut Registry, conn: &Connection, now: DateTime<Utc>) -> store::Result<()> {
    let outbox = Family::<OfStatus, Figure>::default();
    let counts = stats::by_status(conn)?;
    // What is not there is zero, or an alert on it would never have seen it.
    for status in crate::domain::delivery::Status::ALL {
        let status = status.as_str();
        let count = counts.get(status).copied().unwrap_or_default();
        let of = OfStatus {
            status: status.to_owned(),
        };
        outbox.get_or_create(&of).set(count as f64);
    }
    let help = "Stored notifications by status";
    put(all, "outbox", help, None, outbox);
    let uncertain = counts.get("uncertain").copied().unwrap_or_default();
    let help = "Sends whose outcome nobody can tell";
    one(all, "uncertain", help, None, uncertain as f64);
    let oldest = stats::oldest_pending(conn)?.map_or(0.0, |at| age(at, now).as_secs_f64());
    let help = "Age of the oldest notification that waits, 0 when none does";
    one(all, "oldest_pending_age", help, Some(Unit::Seconds), oldest);
    Ok(())
}

fn of_sinks(all: &mut Registry, conn: &Connection, now: DateTime<Utc>) -> store::Result<()> {
    let family = Family::<OfSink, Figure>::default;
    let (up, pending, oldest) = (family(), family(), family());
    for state in sinks::all(conn, now)? {
        let of = OfSink { sink: state.label };
        let works = f64::from(u8::from(state.failing_since.is_none()));
        up.get_or_create(&of).set(works);
        pending.get_or_create(&of).set(state.pending as f64);
        let waits = state.oldest_pending_at;
        let waits = waits.map_or(0.0, |at| age(at, now).as_secs_f64());
        oldest.get_or_create(&of).set(waits);
    }
    put(all, "sink_up", "1 while the sink takes events", None, up);
    put(
        all,
        "sink_pending",
        "Events that wait for the sink",
        None,
        pending,
    );
    let help = "Age of the oldest event that waits for the sink";
    put(
        all,
        "sink_oldest_pending_age",
        help,
        Some(Unit::Seconds),
        oldest,
    );
    Ok(())
}

fn put<S>(all: &mut Registry, name: &str, help: &str, unit: Option<Unit>, of: Family<S, Figure>)
where
    S: Clone + std::hash::Hash + Eq + EncodeLabelSet + std::fmt::Debug + Send + Sync + 'static,
{
    match unit {
        Some(unit) => all.register_with_unit(name, help, unit, of),
        None => all.register(name, help, of),
    }
}

fn one(all: &mut Registry, name: &str, help: &str, unit: Option<Unit>, value: f64) {
    let figure = Figure::default();
    figure.set(value);
    match unit {
        Some(unit) => all.register_with_unit(name, help, unit, figure),
        None => all.register(name, help, figure),
    }
}
