//! `messages` and `inbox`: what clients wrote, and what they were answered.

use std::path::Path;

use serde_json::{Value, json};

use super::text::{Say, table};
use super::{Outcome, existing, load, names, pause, refused, say};
use crate::cli::MessagesArgs;
use crate::config::{Config, Secrets};
use crate::domain::message::markup::capped;
use crate::domain::phone::{Phone, without_long_numbers};
use crate::domain::wish::needs_no_answer;
use crate::store::messages::{self, Message, Wanted};
use crate::store::{self, At};

/// Of a message so much is shown in the table; `--json` has it whole.
const LONGEST_SHOWN: usize = 200;

/// Everything that was said, the newest first.
pub(super) fn messages(path: &Path, of: &MessagesArgs) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    show(&config, of, &read(&config, of, false, |_| true)?)
}

/// What clients wrote, the newest first.
pub(super) fn inbox(path: &Path, unanswered: bool, of: &MessagesArgs) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    show(
        &config,
        of,
        &read(&config, of, true, |m| !unanswered || waits(m))?,
    )
}

/// Somebody waits for an answer to this.
fn waits(m: &Message) -> bool {
    let is_said = m.contact.is_some();
    if !m.is_inbound || !is_said || needs_no_answer(&m.text) {
        return false;
    }
    // That a person was told is no answer yet.
    match m.waiting_since {
        Some(since) => m.created_at >= since,
        None => m.answered_at.is_none(),
    }
}

fn read(
    config: &Config,
    of: &MessagesArgs,
    inbound: bool,
    wanted: impl Fn(&Message) -> bool,
) -> Result<Found, super::Failure> {
    let phone = pause::phone(config, None, of.phone.as_deref())?;
    let conn = existing(config, store::open_reader)?;
    names::known_channel(config, &conn, of.channel.as_deref())?;
    let limit = usize::try_from(of.limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let which = Wanted {
        phone: phone.as_deref(),
        channel: of.channel.as_deref(),
        inbound,
    };
    messages::newest(&conn, &which, |message| {
        if found.len() < limit && wanted(&message) {
            found.push(message);
        }
        found.len() < limit
    })
    .map_err(refused)?;
    let zones = names::Zones::read(&conn, config).map_err(refused)?;
    Ok(Found {
        messages: found,
        zones,
    })
}

/// What was found, and by whose clock each is told.
struct Found {
    messages: Vec<Message>,
    zones: names::Zones,
}

fn show(config: &Config, of: &MessagesArgs, found: &Found) -> Outcome {
    if of.json {
        let rows: Vec<Value> = found.messages.iter().map(to_json).collect();
        say(&format!("{:#}", Value::Array(rows)))?;
        return Ok(0);
    }
    let words = Say(config.language);
    let mut shown = table(&[
        words.of("Когда", "When"),
        words.of("Канал", "Channel"),
        words.of("Кто", "Who"),
        words.of("Что", "What"),
        words.of("Ответ", "Answer"),
    ]);
    for m in &found.messages {
        let at = m.created_at.with_timezone(&found.zones.of(m.company));
        let answer = match (m.is_inbound, m.answered_at) {
            (false, _) => "",
            (true, _) if waits(m) => words.of("ждёт", "waits"),
            (true, Some(_)) => words.of("есть", "given"),
            (true, None) => "—",
        };
        let sign = if m.is_inbound { "←" } else { "→" };
        let text = without_long_numbers(&m.text.replace('\n', " "));
        shown.add_row([
            at.format("%d.%m %H:%M").to_string(),
            m.channel.clone(),
            masked(m),
            format!("{sign} {}", capped(&text, LONGEST_SHOWN)),
            answer.to_owned(),
        ]);
    }
    say(&words.listed(&shown))?;
    Ok(0)
}

/// Who it is, without giving it away.
fn masked(m: &Message) -> String {
    match m.phone.as_str() {
        "" => "—".to_owned(),
        phone => Phone::from_stored(phone.to_owned()).masked(),
    }
}

fn to_json(m: &Message) -> Value {
    let phone = (!m.phone.is_empty()).then(|| masked(m));
    json!({
        "id": m.id,
        "company_id": m.company,
        "contact_id": m.contact,
        "channel": m.channel,
        "direction": if m.is_inbound { "inbound" } else { "outbound" },
        "phone": phone,
        "text": without_long_numbers(&m.text),
        "notification_id": m.notification,
        "created_at": At(m.created_at).text(),
        "answered_at": m.answered_at.map(|at| At(at).text()),
        "unanswered": waits(m),
    })
}
