//! Alerts: what is out of order since when, what that holds up, and that it works again.

use chrono::NaiveTime;

use super::super::markup::data;
use super::super::{Language, words};
use super::Voice;
use super::troubles::in_words;

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
    pub(super) fn clock(&self, at: NaiveTime) -> String {
        at.format("%H:%M").to_string()
    }

    pub(super) fn messages(&self, n: usize) -> String {
        match self.language {
            Language::Ru => words::count(self.language, n, "сообщение", "сообщения", "сообщений"),
            Language::En => words::count(self.language, n, "message", "messages", "messages"),
        }
    }

    /// How a message is sent again where there is no button for it.
    pub(super) fn retry_by_hand(&self, has_buttons: bool) -> Option<String> {
        let words = self.say(
            "Отправить ещё раз: booking-monitor retry НОМЕР",
            "To send one again: booking-monitor retry NUMBER",
        );
        (!has_buttons).then(|| words.to_owned())
    }

    /// `Перерыв 2 ч 10 мин. Отправляю 7 сообщений, 3 устарели.`
    pub(super) fn recovery(&self, gap_seconds: i64, waited: Waited) -> String {
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
            in_words(voice, why).trim_end_matches('.')
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

/// `⚠️ *События не принимают: 127.0.0.1:8080* …`
#[must_use]
pub fn alert_sink_down(voice: Voice, sink: &str, since: NaiveTime, why: &str) -> String {
    voice.write(&[
        format!(
            "⚠️ *{}: {}*",
            voice.say("События не принимают", "Events are not taken"),
            data(sink)
        ),
        format!(
            "{} {}: {}.",
            voice.say("С", "Since"),
            voice.clock(since),
            data(why).trim_end_matches('.')
        ),
        voice
            .say(
                "Это ваша автоматика, [[events]] в настройках: клиентам пишу как обычно. Каждое событие ждёт приёма сутки.",
                "This is your own automation, [[events]] in the settings: clients are written to as usual. Each event waits for a day to be taken.",
            )
            .to_owned(),
    ])
}

/// `⚠️ *События пропадают: 127.0.0.1:8080* …`
#[must_use]
pub fn alert_sink_loses(voice: Voice, sink: &str, lost: i64) -> String {
    voice.write(&[
        format!(
            "⚠️ *{}: {}*",
            voice.say("События пропадают", "Events are lost"),
            data(sink)
        ),
        format!("{}: {lost}.", voice.say("Не приняты", "Not taken")),
        voice
            .say(
                "Их ваша автоматика уже не получит. Клиентам пишу как обычно.",
                "Your automation will not get them any more. Clients are written to as usual.",
            )
            .to_owned(),
    ])
}

/// `✅ *События снова принимают: 127.0.0.1:8080* …`
#[must_use]
pub fn alert_sink_up(voice: Voice, sink: &str, gap_seconds: i64) -> String {
    voice.write(&[
        format!(
            "✅ *{}: {}*",
            voice.say("События снова принимают", "Events are taken again"),
            data(sink)
        ),
        voice.recovery(gap_seconds, Waited::default()),
    ])
}

/// `❔ *Не знаю, дошло ли: 3 сообщения* …`, then one line for each of `list`, and how to decide where
/// no button says so.
#[must_use]
pub fn alert_uncertain(voice: Voice, count: usize, list: &[String], has_buttons: bool) -> String {
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
    lines.extend(voice.retry_by_hand(has_buttons));
    voice.write(&lines)
}
