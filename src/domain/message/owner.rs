//! What owners read: copies of what happened, and alerts of trouble.

use chrono::NaiveDate;

use super::compose::{client_name, masters, titles};
use super::markup::{Markup, data, render};
use super::{Language, words};
use crate::domain::phone::Phone;
use crate::domain::policy::Kind;
use crate::domain::record::{Money, Record};

mod alerts;
mod cards;
mod database;
mod day;
mod doubts;
mod models;
mod questions;
mod threads;
mod troubles;
mod wishes;

pub use alerts::{
    Blind, Waited, alert_channel_down, alert_channel_up, alert_company_seen, alert_company_unseen,
    alert_sink_down, alert_sink_loses, alert_sink_up, alert_uncertain,
};
pub use cards::{Untold, card_call};
pub use database::{
    Altered, RestoredList, Sick, alert_database, alert_database_well, restored_list,
};
pub use day::{Audience, CompanyDay, Days, FirstDay, company_day, day_head, first_day, rehearsal};
pub use doubts::{
    Held, SeenAgain, Unseen, alert_guard, alert_many_moves, alert_unseen, alert_unseen_over,
};
pub use models::{Mute, alert_model_down, alert_model_up};
pub use questions::{PauseEnd, Refusal, alert_dead, ask_pause, waiting_list};
pub use threads::{Card, Head, Unwritten, card, card_taken_off, card_unanswered, card_unwritten};
pub use troubles::alert_tariff;
pub use wishes::{card_undone, card_wanted};

/// In which language and markup an owner is written to.
#[derive(Clone, Copy, Debug)]
pub struct Voice {
    /// The owner's language.
    pub language: Language,
    /// The markup of the owner's channel.
    pub markup: Markup,
    /// The salon's day.
    pub today: NaiveDate,
}

/// What became of the client's own message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToClient<'a> {
    /// On its way: what stands after `Клиенту:`, as [`Voice::accepted`] says it.
    Told(&'a str),
    /// Not told: the reason in words, as [`Voice::reason`] says it.
    NotTold(&'a str),
}

/// A copy for the owner of what happened to a visit.
#[derive(Clone, Copy, Debug)]
pub struct OwnerCopy<'a> {
    /// What happened.
    pub kind: Kind,
    /// The visit as it was, where that is known.
    pub before: Option<&'a [Record]>,
    /// The visit as it is; of a cancelled one, as it was.
    pub records: &'a [Record],
    /// The salon's title.
    pub salon: &'a str,
    /// What became of the client's message.
    pub to_client: ToClient<'a>,
    /// Show masked phones.
    pub mask: bool,
}

impl Voice {
    fn say<'t>(&self, ru: &'t str, en: &'t str) -> &'t str {
        match self.language {
            Language::Ru => ru,
            Language::En => en,
        }
    }

    fn write(&self, lines: &[String]) -> String {
        let lines: Vec<&str> = lines
            .iter()
            .map(String::as_str)
            .filter(|l| !l.is_empty())
            .collect();
        render(&lines.join("\n"), self.markup)
    }

    /// `принято WhatsApp`: a channel took the client's message.
    #[must_use]
    pub fn accepted(&self, channel: &str) -> String {
        format!("{} {channel}", self.say("принято", "accepted by"))
    }

    /// A stored reason of silence (`no_phone`, `opted_out` …) in words.
    #[must_use]
    pub fn reason(&self, stored: &str) -> &'static str {
        let (ru, en) = match stored {
            "baseline" => (
                "запись была до начала наблюдения",
                "booked before monitoring began",
            ),
            "created_by_bot" => (
                "записал бот, он уже сообщил",
                "booked by a bot, which told them",
            ),
            "past" => ("время уже прошло", "the time has passed"),
            "stale" => ("новость устарела", "the news is old"),
            "no_client" => ("в записи нет клиента", "the booking names no client"),
            "no_phone" => ("нет телефона", "no phone"),
            "no_channel" => ("нет канала связи", "no channel reaches them"),
            "opted_out" => ("клиент отписался", "the client opted out"),
            "recent_activity" => (
                "клиент только что нам писал",
                "the client has just written to us",
            ),
            "unchanged" => ("ничего нового", "nothing new"),
            "disabled" => (
                "такие сообщения выключены",
                "such messages are switched off",
            ),
            "superseded" => ("вошло в другое сообщение", "part of another message"),
            "test_mode" => ("включён тестовый режим", "test mode is on"),
            "origin" => (
                "о таких записях не сообщаем",
                "such bookings are not told of",
            ),
            "quiet_marker" => (
                "в записи пометка о тишине",
                "the booking is marked as quiet",
            ),
            "ignored" => ("не считается записью", "not counted as a booking"),
            "discarded" => ("отменено владельцем", "dropped by the owner"),
            "forgotten" => ("данные клиента удалены", "the client's data were erased"),
            "expired" => ("сообщение опоздало", "the message came too late"),
            _ => ("причина неизвестна", "reason unknown"),
        };
        match self.language {
            Language::Ru => ru,
            Language::En => en,
        }
    }
}

/// `🆕 *Новая запись* · Малаховка …`: what happened, to whom, and what the client heard of it.
#[must_use]
pub fn owner_copy(voice: Voice, copy: &OwnerCopy<'_>) -> String {
    let mut records: Vec<&Record> = copy.records.iter().collect();
    records.sort_by_key(|r| (r.start_local, r.id));
    let before = |record: &Record| {
        let known = copy.before.filter(|_| copy.kind == Kind::Updated)?;
        let only = known
            .first()
            .filter(|_| known.len() == 1 && records.len() == 1);
        known.iter().find(|b| b.id == record.id).or(only)
    };
    let moved = records
        .iter()
        .any(|r| before(r).is_some_and(|b| b.start_local != r.start_local));
    let head = match copy.kind {
        Kind::Created => voice.say("🆕 *Новая запись*", "🆕 *New booking*"),
        Kind::Updated if moved => voice.say("🔄 *Перенос*", "🔄 *Moved*"),
        Kind::Updated => voice.say("🔄 *Изменение*", "🔄 *Changed*"),
        Kind::Cancelled => voice.say("❌ *Отмена*", "❌ *Cancelled*"),
        Kind::NoShow => voice.say("🚫 *Клиент не пришёл*", "🚫 *No-show*"),
        Kind::Visited => voice.say("🤍 *Клиент был у нас*", "🤍 *The client came*"),
        Kind::Reminder => voice.say("⏰ *Напоминание*", "⏰ *Reminder*"),
    };
    let mut lines = vec![joined(&[head.to_owned(), data(copy.salon)])];
    for record in &records {
        let old = before(record);
        let moment = |r: &Record| data(&words::moment(voice.language, r.start_local, voice.today));
        let master = |r: &Record| data(&masters(&[r]));
        lines.push(joined(&[
            became(voice, old.map(moment), moment(record)),
            became(voice, old.map(master), master(record)),
        ]));
    }
    let total: Money = records.iter().map(|r| r.price()).sum();
    lines.push(joined(&[
        data(&titles(&records)),
        data(&words::money(total)),
    ]));
    lines.push(
        records
            .first()
            .map_or_else(String::new, |r| client_line(r, copy.mask)),
    );
    lines.push(match copy.to_client {
        ToClient::Told(how) => format!("{} {}", voice.say("Клиенту:", "To the client:"), data(how)),
        ToClient::NotTold(why) => format!(
            "{} {}",
            voice.say("Клиенту не сообщили:", "The client was not told:"),
            data(why)
        ),
    });
    voice.write(&lines)
}

/// `~old~ → *new*`, or the new one as it is when nothing differs.
fn became(voice: Voice, old: Option<String>, new: String) -> String {
    match old {
        Some(old) if old != new && !old.is_empty() && !new.is_empty() => {
            if voice.markup.strikes() {
                format!("~{old}~ → *{new}*")
            } else {
                format!("{old} → {new}")
            }
        }
        _ => new,
    }
}

fn joined(parts: &[String]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|p| !p.is_empty())
        .collect();
    parts.join(" · ")
}

/// `Анна, +7 900 000-00-01`.
fn client_line(record: &Record, mask: bool) -> String {
    let shown = |phone: &Phone| {
        if mask {
            phone.masked()
        } else {
            phone.readable()
        }
    };
    let name = data(&client_name(record));
    // The mask's stars pass as data, or they would open bold text.
    let phone = record.phone().map_or_else(String::new, |p| data(&shown(p)));
    let parts: Vec<String> = [name, phone]
        .into_iter()
        .filter(|p| !p.is_empty())
        .collect();
    parts.join(", ")
}
