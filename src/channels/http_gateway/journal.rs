//! The lists of sent messages that WAHA, Evolution API and WPPConnect keep.
//!
//! A list that may be cut short is an error and not an empty one: what is missing from it would go
//! out twice.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::form::percent;
use super::{Chat, HttpGateway, Preset};
use crate::channels::classify::{Answer, read_journal};
use crate::channels::same_chat;
use crate::domain::delivery::Status;
use crate::ports::Journaled;

/// Messages of one page, and the most pages that are read.
const PAGE: usize = 100;
const PAGES: usize = 20;

/// The gateway's clock may be off by what its `Date` header does not show.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

const CUT: &str = "the list is longer than what can be read";

impl HttpGateway {
    pub(super) async fn journal(
        &self,
        chat: &Chat,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Journaled>, String> {
        let listed = match self.settings.preset {
            Preset::Waha => self.waha(chat, since, until).await?,
            Preset::Evolution => self.evolution(since, until).await?,
            Preset::WppConnect => self.wppconnect(chat, since).await?,
            Preset::Wazzup | Preset::None => {
                return Err("this gateway lists nothing".to_owned());
            }
        };
        let mut found: Vec<Journaled> = Vec::new();
        for (entry, skew) in &listed {
            let Some(entry) = read(entry, chat, *skew) else {
                continue;
            };
            let known = found.iter().any(|other| other.id == entry.id);
            if !known && entry.at.is_some_and(|at| at >= since && at <= until) {
                found.push(entry);
            }
        }
        Ok(found)
    }

    fn listed(&self, answer: &Answer) -> Result<Value, String> {
        answer.listed(self.settings.token.expose_secret())
    }

    /// All chats at once, because a person's may go by a hidden id; engines that keep no such list
    /// are asked for the one chat.
    async fn waha(
        &self,
        chat: &Chat,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<(Value, TimeDelta)>, String> {
        match self.waha_chat("all", since, until).await {
            Ok(found) => Ok(found),
            Err(_) => self.waha_chat(&percent(&chat.id), since, until).await,
        }
    }

    async fn waha_chat(
        &self,
        chat: &str,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<(Value, TimeDelta)>, String> {
        let session = percent(&self.settings.session);
        let (gte, lte) = ((since - MARGIN).timestamp(), (until + MARGIN).timestamp());
        let mut found = Vec::new();
        for page in 0..PAGES {
            let path = format!(
                "/api/{session}/chats/{chat}/messages?limit={PAGE}&offset={}&downloadMedia=false\
                 &filter.timestamp.gte={gte}&filter.timestamp.lte={lte}&filter.fromMe=true",
                page * PAGE
            );
            let answer = read_journal(self.ask(Method::GET, &path)).await?;
            let json = self.listed(&answer)?;
            let entries = json.as_array().ok_or("the answer is no list")?;
            found.extend(entries.iter().map(|entry| (entry.clone(), answer.skew)));
            if entries.len() < PAGE {
                return Ok(found);
            }
        }
        Err(CUT.to_owned())
    }

    async fn evolution(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<(Value, TimeDelta)>, String> {
        let path = format!("/chat/findMessages/{}", percent(&self.settings.session));
        let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut found = Vec::new();
        for page in 1..=PAGES {
            // Not by chat: a person's may go by a hidden id.
            let body = json!({
                "where": {
                    "key": {"fromMe": true},
                    "messageTimestamp": {
                        "gte": instant(since - MARGIN),
                        "lte": instant(until + MARGIN),
                    },
                },
                "page": page,
                "offset": PAGE,
            });
            let request = self.ask(Method::POST, &path).json(&body);
            let answer = read_journal(request).await?;
            let json = self.listed(&answer)?;
            let places = ["/messages/records", "/records", "/messages", ""];
            let mut lists = places.into_iter().filter_map(|place| json.pointer(place));
            let entries = lists
                .find_map(Value::as_array)
                .ok_or("the answer is no list")?;
            found.extend(entries.iter().map(|entry| (entry.clone(), answer.skew)));
            let pages = json.pointer("/messages/pages").and_then(Value::as_u64);
            let last = match pages {
                Some(pages) => u64::try_from(page).is_ok_and(|page| page >= pages),
                None => entries.len() < PAGE,
            };
            if last {
                return Ok(found);
            }
        }
        Err(CUT.to_owned())
    }

    async fn wppconnect(
        &self,
        chat: &Chat,
        since: DateTime<Utc>,
    ) -> Result<Vec<(Value, TimeDelta)>, String> {
        let session = percent(&self.settings.session);
        let path = format!(
            "/api/{session}/get-messages/{}?count={PAGE}",
            percent(&chat.phone)
        );
        let answer = read_journal(self.ask(Method::GET, &path)).await?;
        let json = self.listed(&answer)?;
        let list = json["response"].as_array().or(json.as_array());
        let entries = list.ok_or("the answer is no list")?;
        let times = entries.iter().filter_map(|entry| at(entry, answer.skew));
        if entries.len() >= PAGE && times.min().is_none_or(|oldest| oldest > since) {
            return Err(CUT.to_owned());
        }
        Ok(entries
            .iter()
            .map(|entry| (entry.clone(), answer.skew))
            .collect())
    }
}

/// When it was sent, by our clock: seconds, as a number or a text.
fn at(entry: &Value, skew: TimeDelta) -> Option<DateTime<Utc>> {
    let places = [&entry["timestamp"], &entry["t"], &entry["messageTimestamp"]];
    let seconds = places.into_iter().find_map(|value| match value {
        Value::Number(n) => n.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    })?;
    Some(DateTime::from_timestamp(seconds, 0)? - skew)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|t| !t.is_empty()).map(str::to_owned)
}

/// One entry of any of the three lists; `None` when it is no text of ours to this chat.
fn read(entry: &Value, chat: &Chat, skew: TimeDelta) -> Option<Journaled> {
    let ours = [
        &entry["fromMe"],
        &entry["key"]["fromMe"],
        &entry["id"]["fromMe"],
    ];
    if ours.into_iter().find_map(Value::as_bool) != Some(true) {
        return None;
    }
    let ids = [
        &entry["id"]["_serialized"],
        &entry["key"]["id"],
        &entry["id"],
    ];
    let id = ids.into_iter().find_map(text)?;
    let chats = [
        &entry["key"]["remoteJid"],
        &entry["key"]["remoteJidAlt"],
        &entry["to"]["_serialized"],
        &entry["to"],
        &entry["chatId"]["_serialized"],
        &entry["chatId"],
    ];
    let mut named = chats.into_iter().filter_map(Value::as_str).peekable();
    // Some versions name the chat in the id alone: `true_79000000001@c.us_3EB0…`.
    let in_id = id.split('_').nth(1).filter(|part| part.contains('@'));
    let is_ours = match named.peek() {
        Some(_) => named.any(|listed| same_chat(listed, &chat.id)),
        None => same_chat(in_id?, &chat.id),
    };
    if !is_ours {
        return None;
    }
    let texts = [
        &entry["body"],
        &entry["message"]["conversation"],
        &entry["message"]["extendedTextMessage"]["text"],
        &entry["content"],
    ];
    let status = match (entry["ack"].as_i64(), entry["status"].as_str()) {
        (Some(-1), _) | (_, Some("ERROR")) => Some(Status::Failed),
        (Some(1), _) | (_, Some("SERVER_ACK")) => Some(Status::Sent),
        (Some(2), _) | (_, Some("DELIVERY_ACK")) => Some(Status::Delivered),
        (Some(3 | 4), _) | (_, Some("READ" | "PLAYED")) => Some(Status::Read),
        _ => None,
    };
    Some(Journaled {
        text: texts.into_iter().find_map(text)?,
        at: at(entry, skew),
        status,
        id,
    })
}
