//! What must hold in the end, read off the messengers' logs and the database.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{Datelike as _, NaiveDateTime};

use super::stage::{BLIND, Client, JOURNAL, OWNER, Stage};

const STOPPED: &str = "Хорошо, больше не буду присылать";

/// What came of it all.
pub(super) struct Verdict {
    pub(super) faults: Vec<String>,
    /// Messages that reached clients.
    pub(super) told: usize,
    resent: i64,
    found: i64,
    doubts: usize,
    alerts: usize,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages told, {} sent again after a look into the journal, {} kept in doubt \
             (all told to the owner in {} messages), {} sends cut off in all, {} faults",
            self.told,
            self.resent,
            self.doubts,
            self.alerts,
            self.found,
            self.faults.len()
        )
    }
}

impl Verdict {
    pub(super) fn of(stage: &Stage) -> Self {
        let mut chats: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for sent in stage.green.sent().into_iter().chain(stage.telegram.sent()) {
            chats.entry(sent.chat).or_default().push(sent.text);
        }
        let owner = chats.remove(OWNER).unwrap_or_default();
        let mut faults = Vec::new();
        let doubtful = in_doubt(stage);
        let none = Vec::new();
        for client in &stage.clients {
            let told = chats.get(&client.chat()).unwrap_or(&none);
            let chat = client.chat();
            doubled(told, |what| {
                faults.push(format!("{chat}: told twice: {what}"))
            });
            let in_doubt = doubtful.contains_key(&client.phone()) || doubtful.contains_key(&chat);
            if !in_doubt && let Some(lost) = lost(stage, client, told) {
                faults.push(format!("{chat}: {lost}; told {:?}", told.last()));
            }
        }
        for (company, channel) in [(JOURNAL, "whatsapp"), (BLIND, "telegram")] {
            let sure = stage.count(&format!(
                "SELECT count(*) FROM booking_notifications WHERE channel = '{channel}'
                    AND recipient <> '{OWNER}' AND status IN ('sent', 'delivered', 'read')"
            ));
            let clients = stage.clients.iter().filter(|c| c.company == company);
            let told: usize = clients
                .filter_map(|c| chats.get(&c.chat()))
                .map(Vec::len)
                .sum();
            let told = i64::try_from(told).unwrap();
            let doubts = doubtful
                .values()
                .flatten()
                .filter(|d| d.channel == channel)
                .count();
            let most = sure + i64::try_from(doubts).unwrap();
            if !(sure..=most).contains(&told) {
                faults.push(format!(
                    "{channel}: {told} arrived, {sure} to {most} were sent"
                ));
            }
            if channel == "whatsapp" && doubts > 0 {
                faults.push(format!(
                    "{doubts} sends in doubt although there is a journal"
                ));
            }
        }
        for doubt in doubtful.values().flatten() {
            if !owner
                .iter()
                .any(|t| t.contains(&format!("№ {}:", doubt.id)))
            {
                faults.push(format!("the owner never heard of № {}", doubt.id));
            }
        }
        let failed = stage.count(
            "SELECT count(*) FROM booking_notifications WHERE status IN ('dead', 'failed', 'held')",
        );
        if failed > 0 {
            faults.push(format!("{failed} notifications failed or held"));
        }
        Self {
            faults,
            told: chats.values().map(Vec::len).sum(),
            resent: stage.count("SELECT count(*) FROM delivery_attempts WHERE outcome = 'retry'"),
            found: stage.count(
                "SELECT count(*) FROM delivery_attempts
                  WHERE outcome = 'uncertain' OR error LIKE '%while it was being sent%'
                     OR error LIKE '%journal%'",
            ),
            doubts: doubtful.values().map(Vec::len).sum(),
            alerts: owner.len(),
        }
    }
}

struct Doubt {
    id: i64,
    channel: String,
}

/// Sends in doubt, by phone or chat.
fn in_doubt(stage: &Stage) -> BTreeMap<String, Vec<Doubt>> {
    let sql = stage.sql();
    let mut query = sql
        .prepare(
            "SELECT coalesce(nullif(phone, ''), recipient), id, channel FROM booking_notifications
              WHERE status = 'uncertain'",
        )
        .unwrap();
    let mut doubts: BTreeMap<String, Vec<Doubt>> = BTreeMap::new();
    let rows = query.query_map([], |r| {
        let (id, channel) = (r.get(1)?, r.get(2)?);
        Ok((r.get(0)?, Doubt { id, channel }))
    });
    for row in rows.unwrap() {
        let (who, doubt): (String, Doubt) = row.unwrap();
        doubts.entry(who).or_default().push(doubt);
    }
    doubts
}

/// Every state of a booking is told once at most, however it is worded.
fn doubled(told: &[String], mut fault: impl FnMut(&str)) {
    let mut seen = BTreeSet::new();
    for text in told {
        let state = match (text.starts_with(STOPPED), announced(text)) {
            (true, _) => STOPPED.to_owned(),
            (false, Some(start)) => format!("{} {start}", text.starts_with('❌')),
            (false, None) => text.clone(),
        };
        if !seen.insert(state) {
            fault(text);
        }
    }
}

/// Why the last message is not how things stand.
fn lost(stage: &Stage, client: &Client, told: &[String]) -> Option<String> {
    let confirmed = told.iter().any(|t| t.starts_with(STOPPED));
    if client.silent {
        let phone = client.phone();
        let out = stage.count(&format!(
            "SELECT count(*) FROM opt_outs WHERE phone = '{phone}'"
        ));
        return (!confirmed || out != 1).then(|| "asked for silence in vain".to_owned());
    }
    let last = told.last().map_or("", String::as_str);
    match (client.record, client.start) {
        (Some(_), Some(start)) => {
            let right = !last.starts_with('❌') && announced(last) == Some(written(start));
            (!right).then(|| format!("not told of {}", written(start)))
        }
        // Cancelled before it was ever told: silence is right.
        (None, _) if told.is_empty() => None,
        (None, Some(_)) => (!last.starts_with('❌')).then(|| "not told it is off".to_owned()),
        _ => None,
    }
}

/// `25 августа в 14:30`: the last moment that a text names.
fn announced(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || "*~_<>/".contains(c))
        .filter(|w| !w.is_empty())
        .collect();
    let is_time = |w: &str| {
        w.len() == 5
            && w.as_bytes()[2] == b':'
            && w[..2].parse::<u8>().is_ok()
            && w[3..].parse::<u8>().is_ok()
    };
    let at = words
        .windows(2)
        .rposition(|w| w[0] == "в" && is_time(w[1]))?;
    let from = at.checked_sub(2)?;
    Some(words[from..=at + 1].join(" "))
}

fn written(start: NaiveDateTime) -> String {
    const MONTHS: [&str; 12] = [
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ];
    let month = MONTHS[usize::try_from(start.month0()).unwrap()];
    format!("{} {month} в {}", start.day(), start.format("%H:%M"))
}
