//! What the page shows, in the words it shows it with. No name, no number and no text of a message
//! gets this far.

use chrono::{DateTime, Duration, Utc};
use rusqlite::Connection;
use serde::Serialize;

use super::super::names::Zones;
use super::super::text::Say;
use super::super::{log, status};
use super::chart::{self, Chart};
use crate::config::Config;
use crate::domain::delivery::Status;
use crate::domain::zone::Zone;
use crate::store;
use crate::store::outbox::{self, Notification};
use crate::store::stats::{self, Hour};

/// So many of the last notifications are shown.
const LAST: usize = 25;
/// So many are read to find them among owners' copies.
const READ: u32 = 150;

/// Everything on the page.
#[derive(Serialize)]
pub(super) struct Picture {
    language: &'static str,
    words: Words,
    healthy: bool,
    verdict: &'static str,
    made_at: String,
    version: &'static str,
    companies: Vec<Company>,
    channels: Vec<Channel>,
    sinks: Vec<Sink>,
    outbox: Vec<Tile>,
    remarks: Vec<String>,
    charts: Vec<Chart>,
    last: Vec<Told>,
}

/// The page's fixed words.
#[derive(Serialize)]
struct Words {
    title: &'static str,
    as_of: &'static str,
    companies: &'static str,
    company: &'static str,
    every: &'static str,
    read: &'static str,
    compared: &'static str,
    state: &'static str,
    channels: &'static str,
    channel: &'static str,
    replied: &'static str,
    sinks: &'static str,
    waiting: &'static str,
    owed: &'static str,
    taken: &'static str,
    outbox: &'static str,
    charts: &'static str,
    told: &'static str,
    silent: &'static str,
    trouble: &'static str,
    last: &'static str,
    when: &'static str,
    what: &'static str,
    record: &'static str,
    to: &'static str,
    outcome: &'static str,
    nothing: &'static str,
}

#[derive(Serialize)]
struct Company {
    title: String,
    id: i64,
    every: String,
    read: String,
    compared: String,
    healthy: bool,
    state: String,
}

#[derive(Serialize)]
struct Channel {
    name: String,
    kind: String,
    up: bool,
    replied: String,
    state: String,
}

#[derive(Serialize)]
struct Sink {
    name: String,
    waiting: i64,
    taken: String,
    up: bool,
    state: String,
}

/// A figure with its name.
#[derive(Serialize)]
struct Tile {
    name: &'static str,
    figure: String,
    class: &'static str,
}

#[derive(Serialize)]
struct Told {
    id: i64,
    when: String,
    what: String,
    company: String,
    record: String,
    channel: String,
    to: String,
    class: &'static str,
    outcome: String,
    why: String,
}

pub(super) fn look(
    conn: &Connection,
    config: &Config,
    now: DateTime<Utc>,
) -> store::Result<Picture> {
    let words = Say(config.language);
    let seen = status::look(conn, config, now)?;
    let zone = Zones::read(conn, config)?.of(None);
    let hours = stats::hours(conn, now - Duration::days(8))?;
    let healthy = seen.is_healthy();
    let companies = seen.companies.iter().map(|c| Company {
        title: c.title.clone(),
        id: c.id,
        every: c
            .interval
            .map_or_else(|| "—".to_owned(), |every| words.every(every)),
        read: words.ago(c.row.last_poll_at, now),
        compared: words.ago(c.row.last_sweep_at, now),
        healthy: c.healthy,
        state: c.state(words),
    });
    let channels = seen.channels.iter().map(|c| Channel {
        name: c.name.clone(),
        kind: c.kind.clone(),
        up: c.fails_since().is_none(),
        replied: seen.replied(&c.name, words),
        state: status::channel_state(c, words),
    });
    let sinks = seen.sinks.iter().map(|s| Sink {
        name: s.label.clone(),
        waiting: s.pending,
        taken: words.ago(s.taken_at, now),
        up: s.failing_since.is_none(),
        state: status::sinks::state(s, words),
    });
    let mut remarks = seen.paused(words);
    remarks.extend(seen.agents(words));
    for company in &seen.companies {
        remarks.extend(company.narrowness(words, now));
    }
    remarks.extend(seen.oldest(words));
    remarks.extend(seen.remarks(words));
    let title = |id: i64| {
        let named = seen.companies.iter().find(|c| c.id == id);
        named.map_or_else(|| id.to_string(), |c| c.title.clone())
    };
    let last = outbox::latest(conn, None, None, READ)?;
    let last = last
        .iter()
        .filter(|n| !n.phone.is_empty() || !is_for_owners(n));
    let last = last
        .take(LAST)
        .map(|n| told(n, title(n.company), zone, words));
    Ok(Picture {
        language: words.of("ru", "en"),
        words: fixed(words),
        healthy,
        verdict: match healthy {
            true => words.of("Всё в порядке", "All is well"),
            false => words.of("Не всё в порядке", "Not all is well"),
        },
        made_at: now
            .with_timezone(&zone)
            .format("%d.%m %H:%M:%S")
            .to_string(),
        version: env!("CARGO_PKG_VERSION"),
        outbox: tiles(&seen, &hours, now, words),
        charts: vec![
            chart::day(&hours, zone, now, words),
            chart::week(&hours, zone, now, words),
        ],
        last: last.collect(),
        companies: companies.collect(),
        channels: channels.collect(),
        sinks: sinks.collect(),
        remarks,
    })
}

/// Copies, cards and alerts are owners' own; the page is about clients.
fn is_for_owners(n: &Notification) -> bool {
    matches!(n.kind.as_str(), "owner" | "alert")
}

fn tiles(seen: &status::Picture, hours: &[Hour], now: DateTime<Utc>, words: Say) -> Vec<Tile> {
    let stats = &seen.outbox;
    let all = |statuses: &[Status]| -> i64 {
        let count = |s: &Status| stats.by_status.get(s.as_str()).copied().unwrap_or_default();
        statuses.iter().map(count).sum()
    };
    let day = |statuses: &[Status]| -> i64 {
        let of = |h: &&Hour| {
            let status = h.status.as_deref().and_then(Status::from_stored);
            now - h.at < Duration::hours(24) && status.is_some_and(|s| statuses.contains(&s))
        };
        hours.iter().filter(of).map(|hour| hour.count).sum()
    };
    let tile = |name, count: i64, class| Tile {
        name,
        figure: count.to_string(),
        class: if count > 0 { class } else { "" },
    };
    let waiting = all(&[Status::Pending, Status::Sending]);
    vec![
        tile(
            words.of("ждут отправки", "waiting to be sent"),
            waiting,
            "waiting",
        ),
        tile(
            words.of("придержано", "held back"),
            all(&[Status::Held]),
            "trouble",
        ),
        tile(
            words.of("неизвестно, дошло ли", "unknown whether they arrived"),
            all(&[Status::Uncertain]),
            "trouble",
        ),
        tile(
            words.of("не дошло за сутки", "not arrived in 24 h"),
            day(&[Status::Dead, Status::Failed]),
            "trouble",
        ),
        tile(
            words.of("отправлено за сутки", "sent in 24 h"),
            day(&[Status::Sent, Status::Delivered, Status::Read]),
            "told",
        ),
        tile(
            words.of("получено за сутки", "received in 24 h"),
            seen.messages.received_24h,
            "told",
        ),
    ]
}

fn told(n: &Notification, company: String, zone: Zone, words: Say) -> Told {
    let outcome = words.outcome(n.status);
    let class = match n.status {
        Status::Pending | Status::Sending => "waiting",
        Status::Held | Status::Uncertain | Status::Failed | Status::Dead => "trouble",
        Status::Sent | Status::Delivered | Status::Read => "told",
        Status::Suppressed => "silent",
    };
    Told {
        id: n.id,
        when: n
            .created_at
            .with_timezone(&zone)
            .format("%d.%m %H:%M")
            .to_string(),
        what: words.kind(&n.kind).to_owned(),
        company,
        // A test, and an answer to somebody without a booking, are about none.
        record: match n.record {
            0 => "—".to_owned(),
            record => record.to_string(),
        },
        channel: match n.channel.as_str() {
            "" => "—".to_owned(),
            name => name.to_owned(),
        },
        to: log::masked(n),
        class,
        outcome: outcome.to_owned(),
        why: words.why(n),
    }
}

fn fixed(words: Say) -> Words {
    Words {
        title: "booking-monitor",
        as_of: words.of("на", "as of"),
        companies: words.of("Салоны", "Salons"),
        company: words.of("Салон", "Salon"),
        every: words.of("Каждые", "Every"),
        read: words.of("Журнал прочитан", "Journal read"),
        compared: words.of("Сверка", "Compared"),
        state: words.of("Состояние", "State"),
        channels: words.of("Каналы", "Channels"),
        channel: words.of("Канал", "Channel"),
        replied: words.of("Ответили за 7 дн.", "Replied, 7 d"),
        sinks: words.of("Приёмники событий", "Receivers of events"),
        waiting: words.of("ждут", "waiting"),
        owed: words.of("Ждут", "Waiting"),
        taken: words.of("Принято", "Taken"),
        outbox: words.of("Отправка", "Outbox"),
        charts: words.of("Сообщения клиентам", "Messages to clients"),
        told: words.of("сообщили", "told"),
        silent: words.of("промолчали", "silent"),
        trouble: words.of("с трудностями", "in trouble"),
        last: words.of("Последние уведомления", "Last notifications"),
        when: words.of("Когда", "When"),
        what: words.of("О чём", "About"),
        record: words.of("Запись", "Record"),
        to: words.of("Кому", "To"),
        outcome: words.of("Исход", "Outcome"),
        nothing: words.of("Пока ничего.", "Nothing yet."),
    }
}
