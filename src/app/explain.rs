//! `explain`: one booking's whole story in order of time, each decision with its reason.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::failure::code;
use super::text::Say;
use super::{Failure, Outcome, existing, load, log, refused, say};
use crate::config::{Language, Secrets};
use crate::domain::delivery::Status;
use crate::domain::message::Markup;
use crate::domain::message::owner::Voice;
use crate::domain::phone::{Phone, PhoneProblem};
use crate::domain::policy::Reason;
use crate::domain::record::Client;
use crate::domain::reply::order::Act;
use crate::store::sinks::Owed;
use crate::store::story::{self, Attempt, EventRow, Told};
use crate::store::writes::{Order, State};
use crate::store::{self, At, cache::Cached, rights};

mod proposals;
mod reminders;

pub(super) fn run(path: &Path, record: i64, company: Option<i64>, as_json: bool) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    let conn = existing(&config, store::open_reader)?;
    let found = story::of_record(&conn, company, record).map_err(refused)?;
    let story = match found.as_slice() {
        [] => {
            return Err(Failure::new(
                code::FAILED,
                anyhow::anyhow!("record {record} was never seen"),
            )
            .hint(
                "it may lie beyond `monitor.horizon`, or belong to a company that is not watched",
            ));
        }
        [one] => one,
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|s| s.booking.record.company_id.to_string())
                .collect();
            return Err(Failure::new(
                code::FAILED,
                anyhow::anyhow!(
                    "several companies have a record {record}: {}",
                    ids.join(", ")
                ),
            )
            .hint("name one with --company ID"));
        }
    };
    let unseen = unseen(&conn, story).map_err(refused)?;
    if as_json {
        say(&format!("{:#}", to_json(story, &unseen)))?;
        return Ok(0);
    }
    let words = Say(config.language);
    let zone = conn_zone(&conn, &config, story.booking.record.company_id).map_err(refused)?;
    let record = &story.booking.record;
    let company = config.companies.iter().find(|c| c.id == record.company_id);
    let ignored = company.filter(|c| c.rules.ignore.covers(record)).map(|_| {
        words
            .of(
                "Сейчас она в колонке, которая не считается записями (monitor.ignore): клиенту о ней не пишем.",
                "At present it is in a column that is not counted as bookings (monitor.ignore): the client is told nothing of it.",
            )
            .to_owned()
    });
    let country = company.map_or("RU", |c| c.country.as_str());
    for line in lines(story, words, zone, country)
        .into_iter()
        .chain(ignored)
        .chain(unseen_lines(&unseen, words, zone))
    {
        say(&line)?;
    }
    Ok(0)
}

/// What of a booking cannot be seen at present.
struct Unseen {
    booking: Option<DateTime<Utc>>,
    phone: Option<DateTime<Utc>>,
}

fn unseen(conn: &rusqlite::Connection, story: &story::Story) -> store::Result<Unseen> {
    let record = &story.booking.record;
    let row = store::companies::get(conn, record.company_id)?.unwrap_or_default();
    Ok(Unseen {
        booking: rights::missing_since(conn, record.company_id, record.id)?,
        phone: row
            .phones_hidden_since
            .filter(|_| record.is_alive() && record.client.is_some() && record.phone().is_none()),
    })
}

fn unseen_lines(unseen: &Unseen, words: Say, zone: chrono_tz::Tz) -> Vec<String> {
    let when = |at: DateTime<Utc>| at.with_timezone(&zone).format("%d.%m.%Y %H:%M:%S");
    let booking = unseen.booking.map(|since| match words.0 {
        Language::Ru => format!(
            "Сейчас записи в журнале не видно (с {}), и ничто не говорит, что её удалили: клиенту ничего не пишем.",
            when(since)
        ),
        Language::En => format!(
            "At present it is not seen in the journal (since {}), and nothing says that it was deleted: the client is told nothing.",
            when(since)
        ),
    });
    let phone = unseen.phone.map(|since| match words.0 {
        Language::Ru => format!(
            "Телефоны в журнале сейчас скрыты (с {}): когда номер станет виден, решим заново.",
            when(since)
        ),
        Language::En => format!(
            "Phones in the journal are hidden at present (since {}): once the number is seen, it is decided anew.",
            when(since)
        ),
    });
    booking.into_iter().chain(phone).collect()
}

fn conn_zone(
    conn: &rusqlite::Connection,
    config: &crate::config::Config,
    company: i64,
) -> store::Result<chrono_tz::Tz> {
    let own = config
        .companies
        .iter()
        .find(|c| c.id == company)
        .and_then(|c| c.timezone);
    let api = store::companies::get(conn, company)?.and_then(|row| row.info.zone);
    Ok(own.or(api).unwrap_or(chrono_tz::UTC))
}

fn lines(story: &story::Story, words: Say, zone: chrono_tz::Tz, country: &str) -> Vec<String> {
    let when = |at: DateTime<Utc>| {
        at.with_timezone(&zone)
            .format("%d.%m.%Y %H:%M:%S")
            .to_string()
    };
    let Cached {
        record,
        first_seen_at,
        by_bot,
        ..
    } = &story.booking;
    let services: Vec<&str> = record.services.iter().map(|s| s.title.as_str()).collect();
    let mut lines = vec![
        format!(
            "{} {} · {} · {} · {}",
            words.of("Запись", "Record"),
            record.id,
            record.start_local.format("%d.%m.%Y %H:%M"),
            record.staff.name,
            services.join(", ")
        ),
        match (record.phone(), &record.client) {
            (Some(phone), _) => format!("{} {}", words.of("Телефон", "Phone"), phone.masked()),
            (None, Some(client)) if client.forgotten => words
                .of("Данные клиента удалены", "The client's data were erased")
                .to_owned(),
            (
                None,
                Some(Client {
                    refused_phone: Some(text),
                    ..
                }),
            ) => {
                let problem = Phone::parse(text, country).err();
                let problem = problem.map_or("", |problem| words.refused(problem));
                format!(
                    "{}: {problem}",
                    words.of(
                        "Номер клиента не годится",
                        "The client's number is of no use"
                    )
                )
            }
            (None, Some(_)) => words
                .of("У клиента нет телефона", "The client has no phone")
                .to_owned(),
            (None, None) => words.of("Клиент не указан", "No client").to_owned(),
        },
        String::new(),
    ];
    let mut told: Vec<(DateTime<Utc>, String)> = Vec::new();
    let silent = if story.events.is_empty() {
        words.of(
            "впервые увидена; клиент считается знающим о ней, сообщения нет",
            "first seen; the client is taken to know of it, no message",
        )
    } else {
        words.of("впервые увидена", "first seen")
    };
    told.push((*first_seen_at, silent.to_owned()));
    if *by_bot {
        told.push((
            *first_seen_at,
            words.of("записана ботом", "booked by a bot").to_owned(),
        ));
    }
    for event in &story.events {
        told.push((event.created_at, event_line(event, words)));
        for owed in &event.owed {
            let at = owed.sent_at.unwrap_or(event.created_at);
            told.push((at, owed_line(owed, words)));
        }
    }
    for Told {
        notification: n,
        attempts,
    } in &story.told
    {
        told.push((n.created_at, decision_line(n, words)));
        for attempt in attempts {
            told.push((attempt.started_at, attempt_line(attempt, words)));
        }
        for (at, what) in [
            (n.delivered_at, ("доставлено", "delivered")),
            (n.read_at, ("прочитано", "read")),
        ] {
            if let Some(at) = at {
                told.push((at, format!("№ {}: {}", n.id, words.of(what.0, what.1))));
            }
        }
    }
    for order in &story.orders {
        told.push((order.created_at, asked_line(order, words)));
        told.extend(order.ended_at.map(|at| (at, written_line(order, words))));
    }
    let proposals = story.proposals.iter();
    told.extend(proposals.flat_map(|proposed| proposals::lines(proposed, words)));
    let reminders = story.reminders.iter();
    told.extend(reminders.map(|planned| reminders::line(planned, words, when)));
    told.sort_by_key(|(at, _)| *at);
    lines.extend(
        told.into_iter()
            .map(|(at, what)| format!("{}  {what}", when(at))),
    );
    lines
}

fn asked_line(order: &Order, words: Say) -> String {
    let what = match order.act {
        Act::Confirm => words.of("клиент придёт", "the client comes"),
        Act::Cancel => words.of("клиент просит отменить", "the client wants it cancelled"),
    };
    let how = match (order.state, order.by_owner) {
        (State::Asked, _) => words.of("решает владелец", "the owner decides"),
        (_, true) => words.of("владелец велел отменить", "the owner said so"),
        (_, false) => words.of("пишем в журнал сами", "written into the journal"),
    };
    format!("{what}: {how}")
}

fn written_line(order: &Order, words: Say) -> String {
    let voice = Voice {
        language: words.0,
        markup: Markup::Plain,
        today: order.created_at.date_naive(),
    };
    match (order.state, order.obstacle) {
        (State::Done, _) => words
            .of(
                "в журнале так и стоит, клиенту сказано",
                "the journal says so, the client was told",
            )
            .to_owned(),
        (State::Barred, Some(why)) => format!(
            "{}: {}",
            words.of("в журнал не записано", "not written into the journal"),
            voice.obstacle(why)
        ),
        _ => words
            .of("больше не нужно", "nothing to do any more")
            .to_owned(),
    }
}

fn event_line(event: &EventRow, words: Say) -> String {
    let what = match event.event_type.as_str() {
        "record.created" => words.of("в журнале появилась", "appeared in the journal"),
        "record.deleted" => words.of("из журнала удалена", "deleted from the journal"),
        _ => words.of("в журнале изменилась", "changed in the journal"),
    };
    let changes: Vec<String> = event
        .payload
        .get("changes")
        .and_then(Value::as_object)
        .map(|changes| {
            changes
                .iter()
                .map(|(field, pair)| match field.as_str() {
                    "datetime" | "staff_id" | "seance_length" | "attendance" => {
                        format!("{field}: {} → {}", plain(&pair["old"]), plain(&pair["new"]))
                    }
                    _ => field.clone(),
                })
                .collect()
        })
        .unwrap_or_default();
    if changes.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {}", changes.join("; "))
    }
}

/// What became of an event at the salon's own automation.
fn owed_line(owed: &Owed, words: Say) -> String {
    let what = match owed.status.as_str() {
        "sent" => words.of("событие передано:", "event handed on:"),
        "dead" => words.of("событие не передано:", "event given up:"),
        _ => words.of("событие ждёт передачи:", "event waits to be handed on:"),
    };
    let why = owed.last_error.as_ref();
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{what} {}{why}", owed.label)
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn decision_line(n: &crate::store::outbox::Notification, words: Say) -> String {
    let voice = Voice {
        language: words.0,
        markup: Markup::Plain,
        today: n.created_at.date_naive(),
    };
    let kind = n.kind.as_str();
    let head = format!("№ {} ({kind})", n.id);
    let to = log::masked(n);
    match (n.status, n.reason) {
        (Status::Suppressed, Some(reason)) => {
            let why = voice.reason(reason.as_str());
            let problem = n.last_error.as_deref().and_then(PhoneProblem::from_stored);
            let problem = problem.map_or_else(String::new, |p| format!(" ({})", words.refused(p)));
            format!(
                "{head}: {} — {why}{problem}{}",
                words.of("не отправлено", "not sent"),
                would_read(n, words)
            )
        }
        (Status::Held, _) => format!(
            "{head}: {}",
            words.of(
                "придержано защитой от массовых изменений",
                "held by the mass-change guard"
            )
        ),
        (Status::Pending, _) => format!(
            "{head}: {} {} {to}",
            words.of("ждёт отправки:", "waits to be sent:"),
            n.channel
        ),
        (Status::Dead | Status::Failed, _) => format!(
            "{head}: {} {} {to}: {}",
            words.of("не дошло:", "did not arrive:"),
            n.channel,
            n.last_error.as_deref().unwrap_or("")
        ),
        (Status::Uncertain, _) => format!(
            "{head}: {} {} {to}",
            words.of("неизвестно, дошло ли:", "unknown whether it arrived:"),
            n.channel
        ),
        (
            Status::Sending | Status::Sent | Status::Delivered | Status::Read | Status::Suppressed,
            _,
        ) => {
            format!(
                "{head}: {} {} {to}",
                words.of("решено отправить:", "to be sent:"),
                n.channel
            )
        }
    }
}

/// In a test mode: what the client would have read, and where.
fn would_read(n: &crate::store::outbox::Notification, words: Say) -> String {
    if n.reason != Some(Reason::TestMode) || n.message.is_empty() {
        return String::new();
    }
    let text: Vec<String> = n.message.lines().map(|l| format!("    {l}")).collect();
    format!(
        "\n  {} {} {}:\n{}",
        words.of("ушло бы:", "would have gone:"),
        n.channel,
        log::masked(n),
        text.join("\n")
    )
}

fn attempt_line(attempt: &Attempt, words: Say) -> String {
    let outcome = match attempt.outcome.as_deref() {
        Some("accepted") => words.of("принято", "accepted").to_owned(),
        Some(other) => match words.0 {
            Language::Ru => format!("не принято ({other})"),
            Language::En => format!("not accepted ({other})"),
        },
        None => words.of("отправляется", "under way").to_owned(),
    };
    let error = attempt
        .error
        .as_deref()
        .map(|e| format!(": {e}"))
        .unwrap_or_default();
    format!(
        "№ {} {} {} → {}: {outcome}{error}",
        attempt.notification,
        words.of("попытка", "attempt"),
        attempt.attempt,
        attempt.channel
    )
}

fn to_json(story: &story::Story, unseen: &Unseen) -> Value {
    let record = &story.booking.record;
    json!({
        "company_id": record.company_id,
        "record_id": record.id,
        "visit_id": record.visit_id,
        "first_seen_at": At(story.booking.first_seen_at).text(),
        "last_seen_at": At(story.booking.last_seen_at).text(),
        "created_by_bot": story.booking.by_bot,
        "deleted": record.deleted,
        "missing_since": unseen.booking.map(|at| At(at).text()),
        "phones_hidden_since": unseen.phone.map(|at| At(at).text()),
        "events": story.events.iter().map(|e| json!({
            "event_id": e.payload["event_id"],
            "event_type": e.event_type,
            "created_at": At(e.created_at).text(),
            "processed_at": e.processed_at.map(|at| At(at).text()),
            "changes": e.payload["changes"].as_object().map(|c| c.keys().collect::<Vec<_>>()),
            "handed_on": e.owed.iter().map(|owed| json!({
                "sink": owed.label,
                "status": owed.status,
                "attempts": owed.attempts,
                "sent_at": owed.sent_at.map(|at| At(at).text()),
                "last_error": owed.last_error,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "asked": story.orders.iter().map(|o| json!({
            "id": o.id,
            "act": o.act.as_str(),
            "state": o.state.as_str(),
            "obstacle": o.obstacle.map(|why| why.as_str()),
            "by_owner": o.by_owner,
            "tries": o.tries,
            "created_at": At(o.created_at).text(),
            "began_at": o.began_at.map(|at| At(at).text()),
            "ended_at": o.ended_at.map(|at| At(at).text()),
        })).collect::<Vec<_>>(),
        "proposed": story.proposals.iter().map(proposals::to_json).collect::<Vec<_>>(),
        "reminders": story.reminders.iter().map(reminders::to_json).collect::<Vec<_>>(),
        "notifications": story.told.iter().map(|t| {
            let mut n = log::to_json(&t.notification);
            n["tries"] = t.attempts.iter().map(|a| json!({
                "attempt": a.attempt,
                "channel": a.channel,
                "started_at": At(a.started_at).text(),
                "outcome": a.outcome,
                "error": a.error,
            })).collect();
            n
        }).collect::<Vec<_>>(),
    })
}
