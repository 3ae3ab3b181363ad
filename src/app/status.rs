//! `status`: how everything fares, from the database alone, beside a daemon or without one.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::failure::code;
use super::text::{Say, table, wrapped};
use super::{Outcome, existing, load, refused, say};
use crate::config::{Company, Config, Language, Secrets};
use crate::domain::budget::Plan;
use crate::domain::delivery::Status;
use crate::domain::phone::Phone;
use crate::domain::policy::Kind;
use crate::store::channels::{self, ChannelState};
use crate::store::companies::{self, CompanyRow};
use crate::store::pauses::{self, Pause};
use crate::store::rights::{self, Hidden};
use crate::store::sinks::{SinkState, all as states_of_sinks};
use crate::store::stats::{self, MessageStats, OutboxStats, Replies};
use crate::store::turns::{self, Tally};
use crate::store::{self, alerts, conversations, guard, models};

mod disk;
pub(super) mod sight;
pub(super) mod sinks;

use disk::Disk;

/// Late by this much counts, if it is also more than three intervals.
const LATE: Duration = Duration::from_mins(1);

/// Everything that is shown.
pub(super) struct Picture {
    now: DateTime<Utc>,
    /// `monitor.enabled`.
    enabled: bool,
    pub(super) companies: Vec<CompanyPicture>,
    pub(super) channels: Vec<ChannelState>,
    pub(super) sinks: Vec<SinkState>,
    /// Where events are not taken for longer than this, it is not well.
    patience: TimeDelta,
    /// Of the people of the last week.
    replies: BTreeMap<String, Replies>,
    pub(super) outbox: OutboxStats,
    pub(super) messages: MessageStats,
    plan: Plan,
    pauses: Vec<Pause>,
    disk: Disk,
}

/// One company.
pub(super) struct CompanyPicture {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) row: CompanyRow,
    lag: Option<Duration>,
    held: i64,
    held_moves: i64,
    hidden: Hidden,
    pub(super) healthy: bool,
    agent: Option<AgentPicture>,
    /// How often it is really polled, about; `None` by a calendar.
    pub(super) interval: Option<Duration>,
    /// What it asks of the API in a minute, about.
    requests: f64,
}

impl Picture {
    pub(super) fn is_healthy(&self) -> bool {
        self.companies.iter().all(|c| c.healthy)
            && self.channels.iter().all(|c| c.fails_since().is_none())
            && !self
                .sinks
                .iter()
                .any(|s| sinks::is_stuck(s, self.patience, self.now))
            && !self.companies.iter().any(CompanyPicture::is_mute)
            && self.outbox.held == 0
            && self.outbox.lost == 0
            && self.disk.trouble_since.is_none()
    }

    /// `5 из 12 (41%)`: of the people a channel wrote to, who wrote back.
    pub(super) fn replied(&self, channel: &str, words: Say) -> String {
        self.replies.get(channel).map_or_else(
            || "—".to_owned(),
            |r| {
                let share = r.replied * 100 / r.written_to.max(1);
                match words.0 {
                    Language::Ru => format!("{} из {} ({share}%)", r.replied, r.written_to),
                    Language::En => format!("{} of {} ({share}%)", r.replied, r.written_to),
                }
            },
        )
    }

    /// `Пауза для всех: ещё 2 ч`, or that everything is switched off.
    pub(super) fn paused(&self, words: Say) -> Vec<String> {
        let line = |pause| words.pause(pause, self.now);
        let off = (!self.enabled).then(|| {
            words
                .of(
                    "Выключено (monitor.enabled = false): журнал не читается, никому ничего не уходит.",
                    "Switched off (monitor.enabled = false): the journal is not read, nothing goes to anybody.",
                )
                .to_owned()
        });
        off.into_iter()
            .chain(self.pauses.iter().map(line))
            .collect()
    }

    /// `Самое старое ждёт: 3 с`.
    pub(super) fn oldest(&self, words: Say) -> Option<String> {
        let waits = self.now - self.outbox.oldest_pending_at?;
        let span = words.span(waits.to_std().unwrap_or_default());
        let head = words.of("Самое старое ждёт:", "The oldest waits:");
        Some(format!("{head} {span}"))
    }

    /// How the agents fare, a line for each company that has one.
    pub(super) fn agents(&self, words: Say) -> Vec<String> {
        let of = |c: &CompanyPicture| Some(c.agent.as_ref()?.line(&c.title, words, self.now));
        self.companies.iter().filter_map(of).collect()
    }

    /// What there is to say of requests, the disk and backups.
    pub(super) fn remarks(&self, words: Say) -> Vec<String> {
        let mut lines = vec![words.budget(&self.plan)];
        lines.extend(self.disk.lines(words, self.now));
        if self.outbox.lost > 0 {
            lines.push(format!(
                "{} {} (booking-monitor log --status dead, --status uncertain)",
                words.of(
                    "⚠️ Не дошло или неизвестно, дошло ли, за 24 ч:",
                    "⚠️ Not arrived, or unknown whether, in 24 h:"
                ),
                self.outbox.lost
            ));
        }
        lines
    }
}

impl CompanyPicture {
    /// Its agent is on, and has no model.
    fn is_mute(&self) -> bool {
        let agent = self.agent.as_ref().filter(|agent| agent.is_on);
        agent.is_some_and(|agent| agent.down_since.is_some())
    }

    /// `в порядке`, or what is wrong.
    pub(super) fn state(&self, words: Say) -> String {
        match (&self.row.last_error, self.held) {
            (Some(error), _) => words.spoken(error),
            (None, held) if held > 0 => sight::held(held, self.held_moves, words),
            (None, _) if sight::is_narrow(&self.row, &self.hidden) => words
                .of("видно не всё, см. ниже", "not all is seen, see below")
                .to_owned(),
            (None, _) if self.row.baseline_at.is_none() => {
                words.of("ещё не прочитан", "not read yet").to_owned()
            }
            (None, _) if self.healthy => words.of("в порядке", "well").to_owned(),
            (None, _) => words.of("опаздывает", "late").to_owned(),
        }
    }

    /// What of the journal is hidden from us, line by line.
    pub(super) fn narrowness(&self, words: Say, now: DateTime<Utc>) -> Vec<String> {
        sight::lines(&self.title, &self.row, &self.hidden, words, now)
    }
}

/// `в порядке`, or what is wrong with a channel.
pub(super) fn channel_state(c: &ChannelState, words: Say) -> String {
    match (c.fails_since(), &c.last_error) {
        (Some(_), Some(error)) => words.spoken(error),
        (Some(_), None) => words.of("не работает", "down").to_owned(),
        (None, Some(error)) => match error.strip_prefix("cannot receive: ") {
            Some(why) => format!(
                "{}: {}",
                words.of("отправляет, но не получает", "sends, but does not receive"),
                words.spoken(why)
            ),
            None => format!(
                "{}: {}",
                words.of("отправляет", "sends"),
                words.spoken(error)
            ),
        },
        (None, None) => words.of("в порядке", "well").to_owned(),
    }
}

pub(super) fn run(path: &Path, as_json: bool) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    let conn = existing(&config, store::open_reader)?;
    let picture = look(&conn, &config, Utc::now()).map_err(refused)?;
    if as_json {
        say(&format!("{:#}", to_json(&picture)))?;
    } else {
        let lines = lines(&picture, Say(config.language));
        // Tables are of a width that fits; what is said beside them is made to.
        let lines = lines.iter().flat_map(|line| match line.contains('\n') {
            true => vec![line.clone()],
            false => wrapped(line, 2),
        });
        for line in lines {
            say(&line)?;
        }
    }
    Ok(if picture.is_healthy() {
        0
    } else {
        code::FAILED
    })
}

/// Looks at everything.
pub(super) fn look(
    conn: &rusqlite::Connection,
    config: &Config,
    now: DateTime<Utc>,
) -> store::Result<Picture> {
    let mut rows = BTreeMap::new();
    for company in &config.companies {
        let row = companies::get(conn, company.id)?.unwrap_or_default();
        rows.insert(company.id, row);
    }
    let requests = |id: i64| rows.get(&id).and_then(|row| row.sweep_requests);
    let plan = config.plan(requests);
    let companies = config
        .companies
        .iter()
        .map(|company| {
            let row = rows.get(&company.id).cloned().unwrap_or_default();
            let demand = company.demand(row.sweep_requests);
            let held = guard::held(conn, company.id, now)?.count;
            let held_moves = guard::held_as(conn, company.id, Some(Kind::Updated), now)?.count;
            let hidden = rights::hidden(conn, company.id, now)?;
            let lag = row
                .last_poll_at
                .map(|at| (now - at).to_std().unwrap_or_default());
            let title = match (&company.title, row.info.title.as_str()) {
                (Some(title), _) => title.clone(),
                (None, "") => company.id.to_string(),
                (None, title) => title.to_owned(),
            };
            let patience = TimeDelta::from_std(config.alerts.after).unwrap_or(TimeDelta::MAX);
            let healthy = held == 0
                && is_healthy(company, &row, lag, now)
                && !sight::is_narrow_since(&row, &hidden, now - patience);
            let agent = agent(conn, config, company, now)?;
            Ok(CompanyPicture {
                agent,
                id: company.id,
                title,
                row,
                lag,
                held,
                held_moves,
                hidden,
                healthy,
                interval: plan.interval(demand.polls),
                requests: plan.share(&demand),
            })
        })
        .collect::<store::Result<_>>()?;
    Ok(Picture {
        now,
        enabled: config.enabled,
        companies,
        channels: channels::all(conn)?,
        sinks: states_of_sinks(conn, now)?,
        patience: TimeDelta::from_std(config.alerts.after).unwrap_or(TimeDelta::MAX),
        replies: heard(config, stats::replies(conn, now - TimeDelta::days(7))?),
        outbox: stats::outbox(conn, now)?,
        messages: stats::messages(conn, now)?,
        plan,
        pauses: pauses::running(conn, now)?,
        disk: Disk::look(conn, &config.database)?,
    })
}

/// How a company's agent fares, where it has a model.
struct AgentPicture {
    is_on: bool,
    tally: Tally,
    /// Its model gives no answers, and the owners were told so.
    down_since: Option<DateTime<Utc>>,
}

fn agent(
    conn: &rusqlite::Connection,
    config: &Config,
    company: &Company,
    now: DateTime<Utc>,
) -> store::Result<Option<AgentPicture>> {
    let model_of = |c: &'_ Company| c.agent.model.clone().filter(|_| c.agent.external);
    let Some(model) = model_of(company) else {
        return Ok(None);
    };
    // A model that several share is known by the first of them.
    let shares = |c: &&Company| model_of(c).is_some_and(|m| m.is_same(&model));
    let first = config.companies.iter().filter(shares).map(|c| c.id).min();
    let cause = models::name(first.unwrap_or(company.id));
    let agent = &company.agent;
    let said = conversations::switch(conn, company.id)?;
    Ok(Some(AgentPicture {
        is_on: said.unwrap_or(agent.enabled),
        tally: turns::tally(conn, company.id, now - TimeDelta::hours(24))?,
        down_since: alerts::open_since(conn, &cause)?,
    }))
}

impl AgentPicture {
    fn line(&self, title: &str, words: Say, now: DateTime<Utc>) -> String {
        let state = match self.is_on {
            true => words.of("отвечает", "answers"),
            false => words.of("выключен", "off"),
        };
        let mut line = format!("{}, {title}: {state}", words.of("Агент", "Agent"));
        if self.tally.answers > 0 {
            line += &format!(
                "; {} {}, {} {}",
                words.of("ответов за 24 ч", "answers in 24 h"),
                self.tally.answers,
                words.of("передано людям", "handed to people"),
                self.tally.handed,
            );
        }
        let last = self.tally.last.as_deref().unwrap_or_default();
        let why = match last.strip_prefix("handed:") {
            Some("refused") => words.of("модель не приняла ключ", "the model refused the key"),
            Some("over_quota") => {
                words.of("кончилась квота модели", "the model's quota is used up")
            }
            Some("unavailable" | "timed_out" | "busy") => {
                words.of("модель не отвечала", "the model did not answer")
            }
            Some("journal") => words.of("YClients не отвечал", "YClients did not answer"),
            Some("budget") => words.of("кончились ответы на день", "the day's answers are used up"),
            _ => "",
        };
        if !why.is_empty() {
            line += &format!("; {}: {why}", words.of("в последний раз", "the last time"));
        }
        if self.down_since.is_some() {
            line += &format!(
                "; {} {}",
                words.of("модель не отвечает, началось:", "the model is down, since:"),
                words.ago(self.down_since, now)
            );
        }
        line
    }
}

/// Only channels that are listened to know who wrote back.
fn heard(config: &Config, all: BTreeMap<String, Replies>) -> BTreeMap<String, Replies> {
    let listens = |name: &str| {
        let settings = config.channels.iter().find(|c| c.name == name);
        settings.is_some_and(|c| c.kind.hears())
    };
    all.into_iter().filter(|(name, _)| listens(name)).collect()
}

/// Polled lately, swept lately, refused by nobody. A company on a calendar may rest between firings.
pub(super) fn is_healthy(
    company: &Company,
    row: &CompanyRow,
    lag: Option<Duration>,
    now: DateTime<Utc>,
) -> bool {
    let patience = (company.pace.interval * 3).max(LATE);
    let on_time =
        company.schedule.is_some() && row.failures == 0 || lag.is_some_and(|lag| lag <= patience);
    let sweep_patience = (company.pace.sweep_interval * 3).max(LATE);
    let swept = company.schedule.is_some()
        || row
            .last_sweep_at
            .is_some_and(|at| (now - at).to_std().unwrap_or_default() <= sweep_patience + patience);
    row.denied.is_none() && on_time && swept
}

fn stamp(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, |at| {
        at.to_rfc3339_opts(SecondsFormat::Millis, true).into()
    })
}

fn to_json(p: &Picture) -> Value {
    json!({
        "healthy": p.is_healthy(),
        "enabled": p.enabled,
        "companies": p.companies.iter().map(|c| json!({
            "id": c.id,
            "title": c.title,
            "healthy": c.healthy,
            "last_poll_at": stamp(c.row.last_poll_at),
            "last_sweep_at": stamp(c.row.last_sweep_at),
            "lag_seconds": c.lag.map(|lag| lag.as_secs()),
            "last_error": c.row.last_error,
            "held": c.held,
            "held_moves": c.held_moves,
            "rights": sight::to_json(&c.row, &c.hidden),
            "overlap_seconds": c.row.overlap.as_secs(),
            "unreadable_rows": c.row.unreadable_rows,
            "agent": c.agent.as_ref().map(|agent| json!({
                "on": agent.is_on,
                "answers_24h": agent.tally.answers,
                "handed_24h": agent.tally.handed,
                "last": agent.tally.last,
                "down_since": stamp(agent.down_since),
            })),
            "interval_seconds": c.interval.map(|every| tenths(every.as_secs_f64())),
            "requests_per_minute": tenths(c.requests),
        })).collect::<Vec<_>>(),
        "pauses": p.pauses.iter().map(|pause| json!({
            "company": pause.of.company,
            "staff": pause.of.staff,
            "phone": pause.of.phone.clone().map(|p| Phone::from_stored(p).masked()),
            "until": stamp(pause.until),
        })).collect::<Vec<_>>(),
        "budget": {
            "allowed_per_minute": tenths(p.plan.allowed),
            "polls_per_minute": tenths(p.plan.polls),
            "sweeps_per_minute": tenths(p.plan.sweeps),
            "suffices": p.plan.suffices(),
        },
        "database": p.disk.to_json(),
        "channels": p.channels.iter().map(|c| json!({
            "name": c.name,
            "type": c.kind,
            "up": c.fails_since().is_none(),
            "last_error": c.last_error,
            "written_to_7d": p.replies.get(&c.name).map(|r| r.written_to),
            "replied_7d": p.replies.get(&c.name).map(|r| r.replied),
            "reply_rate_7d": p.replies.get(&c.name).map(|r| {
                (r.replied as f64 / r.written_to.max(1) as f64 * 1000.0).round() / 1000.0
            }),
        })).collect::<Vec<_>>(),
        "events": sinks::to_json(&p.sinks),
        "outbox": {
            "by_status": p.outbox.by_status,
            "last_24h": p.outbox.last_24h,
            "oldest_pending_at": stamp(p.outbox.oldest_pending_at),
        },
        "messages": {
            "total": p.messages.total,
            "last_24h": p.messages.last_24h,
            "recent": p.messages.recent.iter().map(|(at, channel, direction)| json!({
                "created_at": stamp(Some(*at)), "channel": channel, "direction": direction,
            })).collect::<Vec<_>>(),
            "clients": p.messages.clients,
            "unanswered": p.messages.unanswered,
        },
    })
}

fn tenths(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}

/// `принято 61, прочитано 1`: how many stand where.
fn counted(counts: &BTreeMap<String, i64>, words: Say) -> String {
    let mut listed: Vec<(&str, i64)> = Vec::new();
    for status in Status::ALL {
        let count = counts.get(status.as_str()).copied().unwrap_or_default();
        let word = words.status(status);
        match listed.iter_mut().find(|(listed, _)| *listed == word) {
            Some((_, sum)) => *sum += count,
            None => listed.push((word, count)),
        }
    }
    let listed = listed.into_iter().filter(|(_, count)| *count > 0);
    let listed: Vec<String> = listed
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    match listed.is_empty() {
        true => "—".to_owned(),
        false => listed.join(", "),
    }
}

fn lines(p: &Picture, words: Say) -> Vec<String> {
    let mut companies = table(&[
        words.of("Салон", "Salon"),
        words.of("Каждые", "Every"),
        words.of("Журнал прочитан", "Journal read"),
        words.of("Сверка", "Compared"),
        words.of("Состояние", "State"),
    ]);
    for c in &p.companies {
        companies.add_row([
            c.title.clone(),
            c.interval
                .map_or_else(|| "—".to_owned(), |every| words.every(every)),
            words.ago(c.row.last_poll_at, p.now),
            words.ago(c.row.last_sweep_at, p.now),
            c.state(words),
        ]);
    }
    let mut channels = table(&[
        words.of("Канал", "Channel"),
        words.of("Вид", "Type"),
        words.of("Ответили за 7 дн.", "Replied, 7 d"),
        words.of("Состояние", "State"),
    ]);
    for c in &p.channels {
        channels.add_row([
            c.name.clone(),
            c.kind.clone(),
            p.replied(&c.name, words),
            channel_state(c, words),
        ]);
    }
    let mut lines = vec![companies.to_string(), String::new()];
    for c in &p.companies {
        let narrow = c.narrowness(words, p.now);
        if !narrow.is_empty() {
            lines.extend(narrow);
            lines.push(String::new());
        }
        if c.row.unreadable_rows > 0 {
            lines.push(words.unreadable(&c.title, c.row.unreadable_rows));
            lines.push(String::new());
        }
    }
    if !p.channels.is_empty() {
        lines.extend([channels.to_string(), String::new()]);
    }
    lines.extend(p.agents(words));
    if !p.sinks.is_empty() {
        lines.extend([sinks::table_of(&p.sinks, words, p.now), String::new()]);
    }
    lines.extend(p.paused(words));
    lines.extend(p.remarks(words));
    lines.push(format!(
        "{} {}",
        words.of("Уведомления за 24 ч:", "Notifications, 24 h:"),
        counted(&p.outbox.last_24h, words)
    ));
    lines.extend(p.oldest(words));
    lines.push(format!(
        "{} {}, {} {}",
        words.of("Сообщений получено:", "Messages received:"),
        p.messages.received,
        words.of("за 24 ч", "in 24 h"),
        p.messages.received_24h
    ));
    if p.messages.unanswered > 0 {
        lines.push(format!(
            "{} {} (booking-monitor inbox --unanswered)",
            words.of("Ждут ответа:", "Wait for an answer:"),
            p.messages.unanswered
        ));
    }
    lines.push(
        if p.is_healthy() {
            words.of("Всё в порядке.", "All is well.")
        } else {
            words.of("Не всё в порядке: см. выше.", "Not all is well: see above.")
        }
        .to_owned(),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_sends_and_does_not_receive_says_so_in_one_language() {
        let deaf = ChannelState {
            last_error: Some("cannot receive: HTTP 500".to_owned()),
            ..ChannelState::default()
        };
        for (language, said) in [
            (Language::Ru, "отправляет, но не получает: HTTP 500"),
            (Language::En, "sends, but does not receive: HTTP 500"),
        ] {
            assert_eq!(channel_state(&deaf, Say(language)), said);
        }
    }

    #[test]
    fn what_is_lost_one_way_or_the_other_is_counted_together() {
        let counts = [("dead", 1), ("failed", 2), ("sent", 3), ("held", 0)];
        let counts = counts.map(|(status, n)| (status.to_owned(), n)).into();
        assert_eq!(counted(&counts, Say(Language::Ru)), "принято 3, не дошло 3");
        assert_eq!(counted(&BTreeMap::new(), Say(Language::Ru)), "—");
    }
}
