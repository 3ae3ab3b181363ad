//! What owners read: copies of what happened, and alerts.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::compose::{client_name, masters, titles};
use super::markup::{Markup, data, render};
use super::{Language, words};
use crate::domain::change::ChangeKind;
use crate::domain::phone::Phone;
use crate::domain::record::{Money, Record};

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
    pub kind: ChangeKind,
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

/// Why the journal cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blind<'a> {
    /// 401.
    Key,
    /// 402.
    Unpaid,
    /// 403.
    Rights,
    /// 404.
    Unknown,
    /// Anything else, in words.
    Other(&'a str),
}

impl Blind<'_> {
    /// By the API's HTTP status, where that says it.
    #[must_use]
    pub fn from_status(status: u16) -> Option<Self> {
        match status {
            401 => Some(Self::Key),
            402 => Some(Self::Unpaid),
            403 => Some(Self::Rights),
            404 => Some(Self::Unknown),
            _ => None,
        }
    }
}

/// What happens to the messages that waited while the journal or a channel was out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waited {
    /// Being sent now.
    pub sending: usize,
    /// No longer worth sending.
    pub stale: usize,
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

    fn clock(&self, at: NaiveTime) -> String {
        at.format("%H:%M").to_string()
    }

    fn messages(&self, n: usize) -> String {
        match self.language {
            Language::Ru => words::count(self.language, n, "сообщение", "сообщения", "сообщений"),
            Language::En => words::count(self.language, n, "message", "messages", "messages"),
        }
    }

    /// `Перерыв 2 ч 10 мин. Отправляю 7 сообщений, 3 устарели.`
    fn recovery(&self, gap_seconds: i64, waited: Waited) -> String {
        let gap = match words::span(self.language, gap_seconds) {
            short if short.is_empty() => self.say("меньше минуты", "under a minute").to_owned(),
            long => long,
        };
        let mut text = format!("{} {gap}.", self.say("Перерыв", "Out for"));
        let stale = match (self.language, waited.stale) {
            (_, 0) => String::new(),
            (Language::Ru, n) => words::count(self.language, n, "устарело", "устарели", "устарели"),
            (Language::En, n) => words::count(self.language, n, "is too old", "", "are too old"),
        };
        let sending = match waited.sending {
            0 => String::new(),
            n => format!("{} {}", self.say("Отправляю", "Sending"), self.messages(n)),
        };
        let parts: Vec<String> = [sending, stale]
            .into_iter()
            .filter(|p| !p.is_empty())
            .collect();
        if !parts.is_empty() {
            text.push_str(&format!(" {}.", parts.join(", ")));
        }
        text
    }

    fn waiting(&self) -> String {
        self.say(
            "Сообщения клиентам ждут. После починки отправлю те, что не устарели.",
            "Messages to clients are waiting. Once it is mended, those still of use will go.",
        )
        .to_owned()
    }
}

/// `🆕 *Новая запись* · Малаховка …`: what happened, to whom, and what the client heard of it.
#[must_use]
pub fn owner_copy(voice: Voice, copy: &OwnerCopy<'_>) -> String {
    let mut records: Vec<&Record> = copy.records.iter().collect();
    records.sort_by_key(|r| (r.start_local, r.id));
    let before = |record: &Record| {
        let known = copy.before.filter(|_| copy.kind == ChangeKind::Updated)?;
        let only = known
            .first()
            .filter(|_| known.len() == 1 && records.len() == 1);
        known.iter().find(|b| b.id == record.id).or(only)
    };
    let moved = records
        .iter()
        .any(|r| before(r).is_some_and(|b| b.start_local != r.start_local));
    let head = match copy.kind {
        ChangeKind::Created => voice.say("🆕 *Новая запись*", "🆕 *New booking*"),
        ChangeKind::Updated if moved => voice.say("🔄 *Перенос*", "🔄 *Moved*"),
        ChangeKind::Updated => voice.say("🔄 *Изменение*", "🔄 *Changed*"),
        ChangeKind::Deleted => voice.say("❌ *Отмена*", "❌ *Cancelled*"),
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

/// `⚠️ *Не вижу журнал: Малаховка* …`
#[must_use]
pub fn alert_company_unseen(voice: Voice, salon: &str, since: NaiveTime, why: Blind<'_>) -> String {
    let (ru, en) = match why {
        Blind::Key => (
            "YClients не принимает ключ (401). Обычно это значит, что в YClients сменили пароль.",
            "YClients refuses the key (401). Usually the password was changed in YClients.",
        ),
        Blind::Unpaid => (
            "YClients отвечает, что доступ не оплачен (402). Проверьте лицензию филиала.",
            "YClients says that access is not paid for (402). Check the branch's licence.",
        ),
        Blind::Rights => (
            "YClients не даёт прав на журнал (403). Проверьте права пользователя и подключение приложения.",
            "YClients gives no rights to the journal (403). Check the user's rights and the application.",
        ),
        Blind::Unknown => (
            "YClients не знает такого филиала (404). Проверьте его номер в настройках.",
            "YClients knows no such branch (404). Check its id in the configuration.",
        ),
        Blind::Other(_) => (
            "YClients не отвечает как следует:",
            "YClients does not answer properly:",
        ),
    };
    let mut reason = voice.say(ru, en).to_owned();
    if let Blind::Other(words) = why {
        reason = format!("{reason} {}.", data(words).trim_end_matches('.'));
    }
    voice.write(&[
        format!(
            "⚠️ *{}: {}*",
            voice.say("Не вижу журнал", "I cannot see the journal"),
            data(salon)
        ),
        format!(
            "{} {} {reason}",
            voice.say("С", "Since"),
            voice.clock(since)
        ),
        voice.waiting(),
    ])
}

/// `✅ *Снова вижу журнал: Малаховка* …`
#[must_use]
pub fn alert_company_seen(voice: Voice, salon: &str, gap_seconds: i64, waited: Waited) -> String {
    voice.write(&[
        format!(
            "✅ *{}: {}*",
            voice.say("Снова вижу журнал", "I see the journal again"),
            data(salon)
        ),
        voice.recovery(gap_seconds, waited),
    ])
}

/// `⚠️ *Не работает канал: whatsapp* …`
#[must_use]
pub fn alert_channel_down(voice: Voice, channel: &str, since: NaiveTime, why: &str) -> String {
    voice.write(&[
        format!(
            "⚠️ *{}: {}*",
            voice.say("Не работает канал", "Channel is down"),
            data(channel)
        ),
        format!(
            "{} {}: {}.",
            voice.say("С", "Since"),
            voice.clock(since),
            data(why).trim_end_matches('.')
        ),
        voice.waiting(),
    ])
}

/// `✅ *Канал снова работает: whatsapp* …`
#[must_use]
pub fn alert_channel_up(voice: Voice, channel: &str, gap_seconds: i64, waited: Waited) -> String {
    voice.write(&[
        format!(
            "✅ *{}: {}*",
            voice.say("Канал снова работает", "Channel works again"),
            data(channel)
        ),
        voice.recovery(gap_seconds, waited),
    ])
}

/// `✋ *Придержал 14 отмен: Малаховка* …`, and how to let them go.
#[must_use]
pub fn alert_guard(
    voice: Voice,
    salon: &str,
    held: usize,
    nearest: Option<NaiveDateTime>,
) -> String {
    let language = voice.language;
    let nearest = nearest.map(|at| words::near_moment(language, at, voice.today));
    let (head, mut story) = match language {
        Language::Ru => {
            let records = words::count(language, held, "запись", "записи", "записей");
            let gone = if records.ends_with("запись") {
                "пропала"
            } else {
                "пропали"
            };
            (
                format!(
                    "Придержал {}",
                    words::count(language, held, "отмену", "отмены", "отмен")
                ),
                format!("Из журнала сразу {gone} {records}"),
            )
        }
        Language::En => (
            format!(
                "Held back {}",
                words::count(language, held, "cancellation", "", "cancellations")
            ),
            format!(
                "{} vanished from the journal at once",
                words::count(language, held, "booking", "", "bookings")
            ),
        ),
    };
    if let Some(nearest) = nearest {
        story.push_str(&format!(
            ", {} {nearest}",
            voice.say("ближайшая", "the nearest")
        ));
    }
    story.push_str(voice.say(
        ". Клиентам об этих отменах не писал.",
        ". Clients were not told of these.",
    ));
    voice.write(&[
        format!("✋ *{head}: {}*", data(salon)),
        story,
        voice
            .say(
                "Отправить: booking-monitor release. Не отправлять: booking-monitor release --discard",
                "To send them: booking-monitor release. To drop them: booking-monitor release --discard",
            )
            .to_owned(),
    ])
}

/// `❔ *Не знаю, дошло ли: 3 сообщения* …`, then one line for each of `list`.
#[must_use]
pub fn alert_uncertain(voice: Voice, count: usize, list: &[String]) -> String {
    let mut lines = vec![
        format!(
            "❔ *{}: {}*",
            voice.say("Не знаю, дошло ли", "Did it arrive? I cannot tell"),
            voice.messages(count)
        ),
        voice
            .say(
                "Связь оборвалась во время отправки.",
                "The connection broke off while sending.",
            )
            .to_owned(),
    ];
    lines.extend(list.iter().map(|line| data(line)));
    voice.write(&lines)
}
