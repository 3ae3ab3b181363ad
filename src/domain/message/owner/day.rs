//! The owner's evening: the day in figures, and what a rehearsal would have sent. And the letter of
//! the first day.

use chrono::NaiveDate;

use super::{Language, Voice, client_line, joined};
use crate::domain::message::compose::masters;
use crate::domain::message::markup::data;
use crate::domain::message::words;
use crate::domain::record::{Attendance, Record};

/// More lines than this nobody reads; the rest are counted.
const MOST_LINES: usize = 10;

/// The days that a digest speaks of, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: NaiveDate,
    /// The last.
    pub to: NaiveDate,
}

/// One company's day.
#[derive(Clone, Debug)]
pub struct CompanyDay<'a> {
    /// The salon's title.
    pub salon: &'a str,
    /// Visits booked, by stored origin.
    pub booked: &'a [(String, i64)],
    /// Visits that got another time.
    pub moved: i64,
    /// Visits that changed otherwise.
    pub changed: i64,
    /// Visits that went.
    pub cancelled: i64,
    /// Messages to clients: sent, of them delivered, of them read.
    pub told: (i64, i64, i64),
    /// Messages that did not arrive.
    pub undelivered: i64,
    /// Messages that may have arrived.
    pub uncertain: i64,
    /// What stayed unsaid, by stored reason.
    pub silent: &'a [(String, i64)],
    /// The next day, and its visits by time.
    pub next: (NaiveDate, &'a [Record]),
    /// Show masked phones.
    pub mask: bool,
}

/// `📋 *Итоги дня: 21 августа*`.
#[must_use]
pub fn day_head(voice: Voice, days: Days) -> String {
    let date = |day| words::date(voice.language, day, voice.today);
    let of = match (days.from == days.to, voice.language) {
        (true, Language::Ru) => format!("Итоги дня: {}", date(days.to)),
        (true, Language::En) => format!("The day: {}", date(days.to)),
        (false, Language::Ru) => format!("Итоги: {} — {}", date(days.from), date(days.to)),
        (false, Language::En) => format!("The days: {} to {}", date(days.from), date(days.to)),
    };
    voice.write(&[format!("📋 *{of}*")])
}

/// One company's part of it.
#[must_use]
pub fn company_day(voice: Voice, day: &CompanyDay<'_>) -> String {
    let mut lines = vec![format!("*{}*", data(day.salon))];
    let all: i64 = day.booked.iter().map(|(_, n)| n).sum();
    let by: Vec<(&str, i64)> = day
        .booked
        .iter()
        .map(|(o, n)| (origin(voice, o), *n))
        .collect();
    lines.push(with_parts(
        &format!("{} {all}", voice.say("Записали:", "Booked:")),
        &by,
    ));
    lines.push(joined(&[
        figure(voice.say("Перенесли:", "Moved:"), day.moved),
        figure(voice.say("Изменили:", "Changed:"), day.changed),
        figure(voice.say("Отменили:", "Cancelled:"), day.cancelled),
    ]));
    let (sent, delivered, read) = day.told;
    let parts = [
        (voice.say("доставлено", "delivered"), delivered),
        (voice.say("прочитано", "read"), read),
    ];
    lines.push(with_parts(
        &format!(
            "{} {sent}",
            voice.say("Сообщений клиентам:", "Messages to clients:")
        ),
        &parts,
    ));
    lines.push(unreached(voice, day));
    lines.push(unsaid(voice, day));
    lines.extend(next_day(voice, day));
    voice.write(&lines)
}

/// Who could not be reached, by why.
fn unreached(voice: Voice, day: &CompanyDay<'_>) -> String {
    let mut parts = vec![
        (voice.say("не дошло", "did not arrive"), day.undelivered),
        (
            voice.say("неизвестно, дошло ли", "unknown whether it arrived"),
            day.uncertain,
        ),
    ];
    let out_of_reach = day
        .silent
        .iter()
        .filter(|(reason, _)| is_out_of_reach(reason));
    parts.extend(out_of_reach.map(|(reason, n)| (voice.reason(reason), *n)));
    summed(voice.say("Не достучались:", "Not reached:"), &parts)
}

/// What was meant to stay unsaid, by why.
fn unsaid(voice: Voice, day: &CompanyDay<'_>) -> String {
    let meant = day
        .silent
        .iter()
        .filter(|(reason, _)| !is_out_of_reach(reason));
    let parts: Vec<(&str, i64)> = meant
        .map(|(reason, n)| (voice.reason(reason), *n))
        .collect();
    summed(voice.say("Промолчали:", "Kept silent:"), &parts)
}

fn is_out_of_reach(reason: &str) -> bool {
    matches!(reason, "no_phone" | "no_channel")
}

/// By its date and not as tomorrow: the owner's messenger may be down until then.
fn next_day(voice: Voice, day: &CompanyDay<'_>) -> Vec<String> {
    let (date, visits) = day.next;
    let date = words::date(voice.language, date, voice.today);
    if visits.is_empty() {
        return vec![match voice.language {
            Language::Ru => format!("На {date} записей нет."),
            Language::En => format!("Nothing is booked for {date}."),
        }];
    }
    let unconfirmed: Vec<&Record> = visits
        .iter()
        .filter(|r| r.attendance == Attendance::Waiting)
        .collect();
    let (all, open) = (visits.len(), unconfirmed.len());
    let mut lines = vec![match (open, voice.language) {
        (0, Language::Ru) => format!("На {date}: {all}, все подтвердили."),
        (0, Language::En) => format!("For {date}: {all}, all confirmed."),
        (_, Language::Ru) => format!("На {date}: {all}, не подтвердили {open}:"),
        (_, Language::En) => format!("For {date}: {all}, not confirmed {open}:"),
    }];
    for record in unconfirmed.iter().take(MOST_LINES) {
        lines.push(joined(&[
            words::time(record.start_local),
            data(&masters(&[record])),
            client_line(record, day.mask),
        ]));
    }
    lines.push(more(voice, open));
    lines
}

/// `*Ушло бы клиентам: 3*`, then a line for each.
#[must_use]
pub fn rehearsal(
    voice: Voice,
    salon: &str,
    kept: &[(String, Option<Record>)],
    mask: bool,
) -> String {
    let head = match voice.language {
        Language::Ru => format!("Проба (dry_run), ушло бы клиентам: {}", kept.len()),
        Language::En => format!(
            "Rehearsal (dry_run), clients would have got: {}",
            kept.len()
        ),
    };
    let mut lines = vec![format!("🎭 *{head}* · {}", data(salon))];
    for (kind, record) in kept.iter().take(MOST_LINES * 2) {
        let Some(record) = record else {
            lines.push(told_kind(voice, kind).to_owned());
            continue;
        };
        let moment = words::moment(voice.language, record.start_local, voice.today);
        lines.push(joined(&[
            data(&format!("{}: {moment}", told_kind(voice, kind))),
            data(&masters(&[record])),
            client_line(record, mask),
        ]));
    }
    match kept.len().saturating_sub(MOST_LINES * 2) {
        0 => {}
        n => lines.push(format!("{} {n}", voice.say("и ещё", "and more:"))),
    }
    voice.write(&lines)
}

fn told_kind(voice: Voice, kind: &str) -> &'static str {
    match kind {
        "created" => voice.say("Новая запись", "New booking"),
        "updated" => voice.say("Изменение", "Changed"),
        "cancelled" => voice.say("Отмена", "Cancelled"),
        "reminder" => voice.say("Напоминание", "Reminder"),
        "no_show" => voice.say("Не дождались", "No show"),
        "visited" => voice.say("После визита", "After the visit"),
        "correction" => voice.say("Не тот номер", "Wrong number"),
        _ => voice.say("Сообщение", "Message"),
    }
}

/// To whom a company's messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every client.
    Everyone,
    /// So many test phones.
    TestPhones(usize),
    /// Nobody: a rehearsal.
    Nobody,
}

/// What a company's owner is told after the first day.
#[derive(Clone, Copy, Debug)]
pub struct FirstDay<'a> {
    /// The salon's title.
    pub salon: &'a str,
    /// Bookings ahead that name a client.
    pub known: usize,
    /// Of them, those that show a phone.
    pub with_phone: usize,
    /// To whom messages go now.
    pub audience: Audience,
    /// Stored words of what is told.
    pub told: &'a [&'a str],
    /// Something of the rest, as it is written in the settings.
    pub to_switch_on: &'a [String],
}

/// `👋 *Первый день: Малаховка* …`
#[must_use]
pub fn first_day(voice: Voice, day: &FirstDay<'_>) -> String {
    let (known, shown) = (day.known, day.with_phone);
    let mut lines = vec![format!(
        "👋 *{} {}*",
        voice.say("Первый день:", "The first day:"),
        data(day.salon)
    )];
    lines.push(match voice.language {
        Language::Ru => format!("Записей впереди: {known}. Они были до меня: молчу о них, но если изменятся, клиенты узнают."),
        Language::En => format!("Bookings ahead: {known}. They were there before me: I am silent about them, but clients hear when they change."),
    });
    lines.push(match (known, shown, voice.language) {
        (0, _, _) => String::new(),
        (_, 0, Language::Ru) => format!("⚠️ Телефоны видны в 0 из {known}: писать некому. Поставьте роботу галочку в YClients: Настройки → Пользователи → «Видеть телефоны клиентов»."),
        (_, 0, Language::En) => format!("⚠️ Phones are visible in 0 of {known}: there is nobody to write to. Tick the robot's box in YClients: Settings → Users → see clients' phones."),
        (_, _, Language::Ru) => format!("Телефоны видны в {shown} из {known}."),
        (_, _, Language::En) => format!("Phones are visible in {shown} of {known}."),
    });
    lines.push(match (day.audience, voice.language) {
        (Audience::Everyone, Language::Ru) => "Сообщения уходят всем клиентам.".to_owned(),
        (Audience::Everyone, Language::En) => "Messages go to every client.".to_owned(),
        (Audience::TestPhones(n), Language::Ru) => format!("Сообщения уходят только на тестовые номера ({n}). Всем клиентам: booking-monitor go-live"),
        (Audience::TestPhones(n), Language::En) => format!("Messages go to the test phones only ({n}). To every client: booking-monitor go-live"),
        (Audience::Nobody, Language::Ru) => "Сообщения не уходят никому, вечером пришлю список того, что ушло бы. Всем клиентам: booking-monitor go-live".to_owned(),
        (Audience::Nobody, Language::En) => "Messages go to nobody; in the evening I list what would have gone. To every client: booking-monitor go-live".to_owned(),
    });
    let told: Vec<&str> = day
        .told
        .iter()
        .map(|kind| plural_kind(voice, kind))
        .collect();
    lines.push(match told.as_slice() {
        [] => voice
            .say(
                "Клиентам не сообщаю ни о чём.",
                "Clients are told of nothing.",
            )
            .to_owned(),
        told => format!(
            "{} {}.",
            voice.say("Сообщаю:", "Clients are told of:"),
            told.join(", ")
        ),
    });
    if !day.to_switch_on.is_empty() {
        lines.push(format!(
            "{} {}",
            voice.say(
                "Остальное включается в booking-monitor.toml:",
                "The rest is switched on in booking-monitor.toml:"
            ),
            data(&day.to_switch_on.join(", "))
        ));
    }
    voice.write(&lines)
}

fn plural_kind(voice: Voice, kind: &str) -> &'static str {
    match kind {
        "created" => voice.say("новые записи", "new bookings"),
        "updated" => voice.say("переносы и изменения", "moves and changes"),
        "cancelled" => voice.say("отмены", "cancellations"),
        "no_show" => voice.say("неявки", "no-shows"),
        "visited" => voice.say("спасибо после визита", "thanks after the visit"),
        "reminder" => voice.say("напоминания", "reminders"),
        _ => voice.say("другое", "other"),
    }
}

fn origin(voice: Voice, stored: &str) -> &'static str {
    match stored {
        "bot" => voice.say("бот", "bot"),
        "online" => voice.say("онлайн", "online"),
        _ => voice.say("салон", "salon"),
    }
}

/// `Перенесли: 2`, or nothing for none.
fn figure(label: &str, n: i64) -> String {
    match n {
        0 => String::new(),
        n => format!("{label} {n}"),
    }
}

/// `Записали: 12 (салон 8, онлайн 4)`.
fn with_parts(whole: &str, parts: &[(&str, i64)]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(label, n)| format!("{label} {n}"))
        .collect();
    match parts.as_slice() {
        [] => data(whole),
        parts => data(&format!("{whole} ({})", parts.join(", "))),
    }
}

/// The same with its own sum, or nothing where that is none.
fn summed(label: &str, parts: &[(&str, i64)]) -> String {
    match parts.iter().map(|(_, n)| n).sum::<i64>() {
        0 => String::new(),
        all => with_parts(&format!("{label} {all}"), parts),
    }
}

fn more(voice: Voice, all: usize) -> String {
    match all.saturating_sub(MOST_LINES) {
        0 => String::new(),
        n => format!("{} {n}", voice.say("и ещё", "and more:")),
    }
}
