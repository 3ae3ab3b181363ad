//! `send-test`: an emulated event through rendering, outbox and a real channel.
//!
//! Beside a daemon, which holds the lock, it only queues and waits: one process sends. Without one it
//! sends by itself, and nothing but the test.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDateTime, Utc};
use tokio::time::Instant;

use super::failure::code;
use super::text::Say;
use super::{
    Failure, Outcome, assemble, existing, loaded, log, names, pause, refused, sample, say,
};
use super::{channel_ends, stdout_sink};
use crate::channels;
use crate::cli::SendTestArgs;
use crate::config::{Company, Config};
use crate::domain::delivery::Status;
use crate::domain::phone::Phone;
use crate::domain::policy::{Kind, Reason};
use crate::domain::record::Money;
use crate::domain::zone::Zone;

use crate::pipeline::ChannelEnd;
use crate::pipeline::trial::{self, Emulated};
use crate::store::companies::{self, CompanyRow};
use crate::store::outbox::{self, Notification};
use crate::store::{self, Lock, LockError, Store};

/// The outcome is waited for so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at how it fares.
const STEP: Duration = Duration::from_millis(200);

pub(super) async fn run(path: &Path, args: &SendTestArgs) -> Outcome {
    // Read once: a process that was started by root goes on as somebody who may not read secrets.
    let config = loaded(path)?;
    if !config.enabled {
        let error = anyhow::anyhow!("monitor.enabled is false: nothing is sent");
        return Err(Failure::new(code::FAILED, error).hint("switch it on under [monitor] first"));
    }
    let company = names::company(&config, Some(args.company))?;
    let phone = Phone::parse(&args.phone, &company.country)
        .map_err(|problem| pause::not_a_phone("--phone", problem))?;
    let ends = ends(&config, company, args.channel.as_deref())?;
    let test = Test {
        company,
        ends,
        phone,
        args,
    };
    let words = Say(config.language);
    let mut is_ours = true;
    let ended = match Lock::take(&config.database.path) {
        Err(LockError::Taken) => {
            is_ours = false;
            test.beside(&config).await?
        }
        Err(LockError::File { path, source }) => {
            return Err(refused(store::StoreError::File { path, source }));
        }
        Ok(lock) => {
            let ended = test.alone(&config).await?;
            drop(lock);
            ended
        }
    };
    let of = config.channels.iter().find(|c| c.name == ended.channel);
    let prints = of.is_some_and(|c| matches!(c.kind, channels::Kind::Console(_)));
    report(&ended, is_ours && prints, words)
}

/// The company's channels in order, or the one that was named.
fn ends(
    config: &Config,
    company: &Company,
    named: Option<&str>,
) -> Result<Vec<Arc<ChannelEnd>>, Failure> {
    let mut all = channel_ends(config, &stdout_sink())?;
    let wanted: Vec<&str> = match named {
        Some(name) => vec![name],
        None => company.channels.iter().map(String::as_str).collect(),
    };
    let mut ends = Vec::new();
    for name in wanted {
        let Some(at) = all.iter().position(|end| end.name == name) else {
            return Err(names::no_channel(config, name));
        };
        ends.push(Arc::new(all.swap_remove(at)));
    }
    Ok(ends)
}

struct Test<'a> {
    company: &'a Company,
    ends: Vec<Arc<ChannelEnd>>,
    phone: Phone,
    args: &'a SendTestArgs,
}

impl Test<'_> {
    /// What it tells, by the clock of the company as far as that is known.
    fn trial(&self, row: Option<&CompanyRow>) -> Result<trial::Trial, Failure> {
        let zone = self.company.timezone.or(row.and_then(|row| row.info.zone));
        let zone = zone.unwrap_or(Zone::UTC);
        Ok(trial::Trial {
            company: self.company.id,
            ends: self.ends.clone(),
            phone: self.phone.clone(),
            emulated: emulated(self.args, self.company, zone, Utc::now())?,
        })
    }

    /// A daemon sends it.
    async fn beside(&self, config: &Config) -> Result<Notification, Failure> {
        let mut conn = existing(config, store::open_writer)?;
        let row = companies::get(&conn, self.company.id).map_err(refused)?;
        let trial = self.trial(row.as_ref())?;
        let queued = store::write_on(&mut conn, |tx| trial.queue(tx, Utc::now()));
        let id = queued.map_err(refused)?;
        let until = Instant::now() + PATIENCE;
        loop {
            let n = outbox::get(&conn, id).map_err(refused)?;
            let Some(n) = n else { return Err(gone()) };
            let is_open = matches!(n.status, Status::Pending | Status::Sending);
            if !is_open {
                return Ok(n);
            }
            if Instant::now() >= until {
                let ended = store::write_on(&mut conn, |tx| trial::give_up(tx, id));
                return ended.map_err(refused)?.ok_or_else(gone);
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// The lock is ours, so the sending is.
    async fn alone(&self, config: &Config) -> Result<Notification, Failure> {
        let store = Store::open(&config.database.path).await.map_err(refused)?;
        let sent = self.through(config, &store).await;
        store.close().await.map_err(refused)?;
        sent
    }

    async fn through(&self, config: &Config, store: &Store) -> Result<Notification, Failure> {
        let pipeline = assemble(config, store.clone(), &stdout_sink()).await?;
        let id = self.company.id;
        let row = store.read(move |c| companies::get(c, id)).await;
        let trial = self.trial(row.map_err(refused)?.as_ref())?;
        let queued = store.write(move |tx| trial.queue(tx, Utc::now())).await;
        let id = queued.map_err(refused)?;
        let sent = pipeline.send_trial(id, PATIENCE).await.map_err(refused)?;
        if sent.status != Status::Pending {
            return Ok(sent);
        }
        let ended = store.write(move |tx| trial::give_up(tx, id)).await;
        ended.map_err(refused)?.ok_or_else(gone)
    }
}

fn gone() -> Failure {
    Failure::new(
        code::FAILED,
        anyhow::anyhow!("the test was erased meanwhile"),
    )
}

/// What the event would tell.
fn emulated(
    args: &SendTestArgs,
    company: &Company,
    zone: Zone,
    now: DateTime<Utc>,
) -> Result<Emulated, Failure> {
    let kind = kind(&args.event)?;
    let at = |text: &Option<String>, flag: &str| {
        let read = text.as_deref().map(|text| moment(text, zone));
        match read {
            Some(None) => Err(Failure::usage(&format!(
                "{flag}: expected a date, found {:?}",
                text.as_deref().unwrap_or_default()
            ))
            .hint("write it as \"2026-08-21 14:30\", or 2026-08-21T14:30:00+03:00")),
            Some(at) => Ok(at),
            None => Ok(None),
        }
    };
    let start = at(&args.datetime, "--datetime")?;
    let old_start = at(&args.old_datetime, "--old-datetime")?;
    let mut record = sample::record(
        company,
        start.unwrap_or_else(|| sample::tomorrow(zone, now)),
    );
    if let Some(name) = &args.master {
        record.staff.name.clone_from(name);
    }
    if let (Some(name), Some(client)) = (&args.client_name, &mut record.client) {
        client.name.clone_from(name);
    }
    for line in &mut record.services {
        if let Some(title) = &args.service {
            line.title.clone_from(title);
        }
        if let Some(price) = Price::of(args) {
            line.cost = Money::from_units(price.cost);
            line.first_cost = Money::from_units(price.first);
            line.discount = Money::from_units(price.discount).0;
        }
    }
    let mut before = record.clone();
    let is_told = old_start.is_some() || args.old_master.is_some();
    let day_before = before.start_local.checked_sub_days(Days::new(1));
    before.start_local = match (old_start, day_before) {
        (Some(at), _) => at,
        // Nothing is said of what it was: then it was a day earlier.
        (None, Some(day_before)) if !is_told => day_before,
        (None, _) => before.start_local,
    };
    if let Some(name) = args
        .old_master
        .as_ref()
        .filter(|n| **n != record.staff.name)
    {
        before.staff.name.clone_from(name);
        before.staff.id += 1;
    }
    let net = sample::net(kind, Some(before), record);
    Ok(Emulated { kind, net })
}

/// The kind of message that an event makes, or that was named itself.
fn kind(word: &str) -> Result<Kind, Failure> {
    let by_event = match word {
        "record.created" => Some(Kind::Created),
        "record.updated" => Some(Kind::Updated),
        "record.deleted" => Some(Kind::Cancelled),
        _ => None,
    };
    let found = by_event.or_else(|| Kind::from_stored(word));
    found.ok_or_else(|| {
        let kinds = Kind::ALL.map(Kind::as_str);
        Failure::usage(&format!(
            "unknown event {word:?}: one of record.created, record.updated, record.deleted, {}",
            kinds.join(", ")
        ))
        .hint("--event takes what happened, or a kind of message")
    })
}

/// A time of the salon's wall clock; one with an offset is an instant.
fn moment(text: &str, zone: Zone) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.with_timezone(&zone).naive_local());
    }
    let formats = [
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M:%S",
    ];
    let read = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    formats.iter().find_map(read)
}

/// What the flags say of the price. What they leave out follows from the rest.
struct Price {
    cost: f64,
    first: f64,
    discount: f64,
}

impl Price {
    fn of(args: &SendTestArgs) -> Option<Self> {
        let off = |percent: f64| 1.0 - percent / 100.0;
        let ratio = |cost: f64, first: f64| match first > cost && first > 0.0 {
            true => (1.0 - cost / first) * 100.0,
            false => 0.0,
        };
        let (cost, first, discount) = match (args.cost, args.old_cost, args.discount) {
            (None, None, None) => return None,
            (Some(cost), Some(first), Some(discount)) => (cost, first, discount),
            (Some(cost), Some(first), None) => (cost, first, ratio(cost, first)),
            (Some(cost), None, Some(discount)) if discount < 100.0 => {
                (cost, cost / off(discount), discount)
            }
            (Some(cost), None, _) => (cost, cost, 0.0),
            (None, Some(first), discount) => {
                let discount = discount.unwrap_or(0.0);
                (first * off(discount), first, discount)
            }
            (None, None, Some(discount)) => (2000.0 * off(discount), 2000.0, discount),
        };
        Some(Self {
            cost,
            first,
            discount,
        })
    }
}

/// How it ended. 1 when nothing went out.
fn report(n: &Notification, is_printed: bool, words: Say) -> Outcome {
    let (channel, to) = (&n.channel, log::masked(n));
    let sent = matches!(n.status, Status::Sent | Status::Delivered | Status::Read);
    if sent {
        let taken = words.of("Отправлено", "Sent");
        say(&format!("{taken}: № {}, {channel}, {to}", n.id))?;
        // On a terminal of ours it stands already.
        let lines = n.message.lines().filter(|_| !is_printed);
        for line in lines {
            say(&format!("  {line}"))?;
        }
        return Ok(0);
    }
    let why = match n.reason {
        Some(Reason::Discarded) => words
            .of(
                "за полминуты до него не дошла очередь",
                "its turn did not come within half a minute",
            )
            .to_owned(),
        _ => words.why(n),
    };
    let what = match n.status {
        Status::Uncertain | Status::Sending => {
            words.of("Неизвестно, дошло ли", "Nobody can tell whether it arrived")
        }
        _ => words.of("Не отправлено", "Not sent"),
    };
    let via = match channel.as_str() {
        "" => to,
        name => format!("{name} {to}"),
    };
    let said = [format!("{what}: № {}", n.id), via];
    let said: Vec<String> = said
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .collect();
    let said = said.join(", ");
    say(&match why.as_str() {
        "" => said,
        why => format!("{said}: {why}"),
    })?;
    Err(
        Failure::new(code::FAILED, anyhow::anyhow!("nothing went out"))
            .hint("booking-monitor check --online asks each channel whether it works"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_people_and_programs_write_it() {
        let zone = Zone::moscow();
        for text in [
            "2026-08-21 14:30",
            "2026-08-21 14:30:00",
            "2026-08-21T14:30",
            "2026-08-21T14:30:00+03:00",
            "2026-08-21T11:30:00Z",
        ] {
            let read = moment(text, zone).map(|at| at.to_string());
            assert_eq!(read.as_deref(), Some("2026-08-21 14:30:00"), "{text}");
        }
        assert_eq!(moment("завтра", zone), None);
    }
}
