//! A message tried out: everything that would follow from it is done in a transaction and taken back.
//! One row in `messages` says that it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::receive::{Answers, Heard, Written};
use super::{ChannelEnd, Company, Desk};
use crate::domain::defences::Defences;
use crate::domain::phone::Phone;
use crate::domain::record::Record;
use crate::ports::Addressing;
use crate::store::{self, contacts, messages, outbox, writes};

/// What somebody is taken to have written.
pub struct Emulated<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// Their phone.
    pub phone: &'a Phone,
    /// What they write.
    pub text: &'a str,
    /// What the row in `messages` is called.
    pub external_id: &'a str,
}

/// What would follow.
pub struct Rehearsed {
    /// The company whose client it is, where that is known.
    pub company: Option<i64>,
    /// They wrote before.
    pub is_known: bool,
    /// Their data were erased: nothing is kept of what they wrote before that.
    pub is_forgotten: bool,
    /// The bookings it may be about.
    pub booking: Vec<Record>,
    /// The rule that was chosen.
    pub rule: &'static str,
    /// What would be written into the journal, or asked of the owner.
    pub orders: Vec<writes::Order>,
    /// Whether the journal would be written, and not only read.
    pub writes: bool,
    /// What would be said: channel, recipient, text; to the client.
    pub answers: Vec<(String, String)>,
    /// The same to owners.
    pub cards: Vec<(String, String)>,
}

/// Does everything that would follow from this message and takes it back.
pub fn rehearse(
    conn: &Connection,
    companies: Vec<Company>,
    channels: Vec<ChannelEnd>,
    mask_phones: bool,
    emulated: &Emulated<'_>,
    now: DateTime<Utc>,
) -> store::Result<Option<Rehearsed>> {
    let companies: BTreeMap<_, _> = companies
        .into_iter()
        .map(|c| (c.settings.id, Arc::new(c)))
        .collect();
    let channels: BTreeMap<_, _> = channels
        .into_iter()
        .map(|c| (c.name.clone(), Arc::new(c)))
        .collect();
    let desk = Desk {
        companies: Arc::new(companies),
        channels: Arc::new(channels),
        mask_phones,
        defences: Defences::all(),
        sinks: Vec::new(),
    };
    let Some(end) = desk.channels.get(emulated.channel).cloned() else {
        return Ok(None);
    };
    let linked = contacts::chat_of(conn, &end.name, emulated.phone.e164())?;
    let is_known = linked.is_some();
    let chat_id = linked.unwrap_or_else(|| match end.channel.addressing() {
        Addressing::Phone => format!("{}@c.us", emulated.phone.digits()),
        Addressing::Chat => "0".to_owned(),
    });
    let mut served = desk.companies.values();
    let mut served = served.by_ref().filter(|c| c.writes_over(&end.name));
    let only = match (served.next(), served.next()) {
        (Some(only), None) => Some(only.settings.id),
        _ => None,
    };
    let heard = Heard {
        end: Arc::clone(&end),
        company: only,
        external_id: emulated.external_id.to_owned(),
        edits: None,
        written: Written {
            chat_id: chat_id.clone(),
            phone: Some(emulated.phone.clone()),
            name: String::new(),
            text: emulated.text.to_owned(),
            contact: None,
        },
        answers: Answers::Nothing,
        at: now,
    };
    let rehearsed = store::taken_back(conn, |conn| {
        let before = outbox::latest(conn, None, None, 1)?;
        let before = before.first().map_or(0, |n| n.id);
        let Some((_, shown)) = desk.hear(conn, heard, now)? else {
            return Ok(Rehearsed {
                company: None,
                is_known,
                is_forgotten: true,
                booking: Vec::new(),
                rule: "forgotten",
                orders: Vec::new(),
                writes: false,
                answers: Vec::new(),
                cards: Vec::new(),
            });
        };
        let shown = shown.ok_or(store::StoreError::Corrupt("message"))?;
        let mut orders = Vec::new();
        for id in shown.order.iter().chain(shown.asks.iter()) {
            orders.extend(writes::get(conn, *id)?);
        }
        // What is answered once the journal was read and written.
        for order in orders.iter().filter(|o| o.state == writes::State::Open) {
            desk.foresee(conn, order, now)?;
        }
        let (mut answers, mut cards) = (Vec::new(), Vec::new());
        let mut queued = outbox::latest(conn, None, None, 100)?;
        queued.retain(|n| n.id > before);
        for n in queued.into_iter().rev() {
            match n.kind.as_str() {
                "reply" => answers.push((n.channel, n.message)),
                _ => cards.push((n.channel, n.message)),
            }
        }
        let companies = orders.iter().filter_map(|o| desk.companies.get(&o.company));
        let mut replies = companies.map(|c| &c.settings.replies);
        Ok(Rehearsed {
            writes: replies.any(|r| r.enabled && r.write),
            company: shown.booking.first().map(|r| r.company_id).or(only),
            is_known,
            is_forgotten: false,
            booking: shown.booking,
            rule: shown.rule,
            orders,
            answers,
            cards,
        })
    })?;
    messages::store_test(
        conn,
        &messages::Test {
            company: rehearsed.company,
            channel: &end.name,
            phone: emulated.phone.e164(),
            chat_id: &chat_id,
            text: emulated.text,
            external_id: emulated.external_id,
        },
        now,
    )?;
    Ok(Some(rehearsed))
}
