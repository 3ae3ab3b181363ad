//! Alerts of what is not believed: too much at once, and what narrowed rights hide.

use chrono::{NaiveDate, NaiveDateTime};

use super::super::markup::data;
use super::super::{Language, words};
use super::Voice;

/// What the guard holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// So many cancellations.
    Cancellations(usize),
    /// So many moves, all by so many minutes where that is still known.
    Moves(usize, Option<i64>),
}

/// What kind of thing was not seen and is seen again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenAgain {
    /// Masters.
    Staff,
    /// The end of the journal.
    Period,
    /// The clients' numbers.
    Phones,
}

/// What the program may not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen<'a> {
    /// Everything of these masters.
    Staff {
        /// Their names.
        names: &'a [&'a str],
        /// How many bookings that hides.
        bookings: usize,
    },
    /// Everything from some day on.
    Period {
        /// The day.
        from: NaiveDate,
        /// How many bookings that hides.
        bookings: usize,
    },
    /// The clients' numbers.
    Phones {
        /// How many bookings are ahead.
        bookings: usize,
    },
}

impl Voice {
    fn bookings(&self, n: usize) -> String {
        match self.language {
            Language::Ru => words::count(self.language, n, "запись", "записи", "записей"),
            Language::En => words::count(self.language, n, "booking", "", "bookings"),
        }
    }
}

/// `✋ *Придержал 14 отмен: Малаховка* …`, and how to let them go where no button says so.
#[must_use]
pub fn alert_guard(
    voice: Voice,
    salon: &str,
    held: Held,
    nearest: Option<NaiveDateTime>,
    has_buttons: bool,
) -> String {
    let language = voice.language;
    let nearest = nearest.map_or_else(String::new, |at| {
        let at = words::near_moment(language, at, voice.today);
        format!(", {} {at}", voice.say("ближайшая", "the nearest"))
    });
    let (head, story) = match (held, language) {
        (Held::Cancellations(n), Language::Ru) => {
            let records = voice.bookings(n);
            let gone = if records.ends_with("запись") {
                "пропала"
            } else {
                "пропали"
            };
            (
                format!(
                    "Придержал {}",
                    words::count(language, n, "отмену", "отмены", "отмен")
                ),
                format!(
                    "Из журнала сразу {gone} {records}{nearest}. Клиентам об этих отменах не писал."
                ),
            )
        }
        (Held::Cancellations(n), Language::En) => (
            format!(
                "Held back {}",
                words::count(language, n, "cancellation", "", "cancellations")
            ),
            format!(
                "{} vanished from the journal at once{nearest}. Clients were not told of these.",
                voice.bookings(n)
            ),
        ),
        (Held::Moves(n, minutes), Language::Ru) => (
            format!(
                "Придержал {}",
                words::count(language, n, "перенос", "переноса", "переносов")
            ),
            format!(
                "Почти все записи журнала сдвинулись разом{}{nearest}. Похоже на неверный часовой \
                 пояс филиала в YClients. Клиентам об этих переносах не писал.",
                shift(voice, " на", minutes)
            ),
        ),
        (Held::Moves(n, minutes), Language::En) => (
            format!(
                "Held back {}",
                words::count(language, n, "move", "", "moves")
            ),
            format!(
                "Nearly all bookings moved at once{}{nearest}. It looks like a wrong time zone of \
                 the branch in YClients. Clients were not told of these.",
                shift(voice, " by", minutes)
            ),
        ),
    };
    let by_hand = match has_buttons {
        true => "",
        false => voice.say(
            "Отправить: booking-monitor release. Не отправлять: booking-monitor release --discard",
            "To send them: booking-monitor release. To drop them: booking-monitor release --discard",
        ),
    };
    voice.write(&[
        format!("✋ *{head}: {}*", data(salon)),
        story,
        by_hand.to_owned(),
    ])
}

/// ` на +3 ч`, ` by -45 min`.
fn shift(voice: Voice, by: &str, minutes: Option<i64>) -> String {
    minutes.map_or_else(String::new, |minutes| {
        let sign = if minutes < 0 { '−' } else { '+' };
        let span = words::span(voice.language, minutes.abs() * 60);
        format!("{by} {sign}{span}")
    })
}

/// `⚠️ *Сразу 12 переносов: Малаховка* …`
#[must_use]
pub fn alert_many_moves(voice: Voice, salon: &str, moves: usize) -> String {
    let head = match voice.language {
        Language::Ru => format!(
            "Сразу {}",
            words::count(voice.language, moves, "перенос", "переноса", "переносов")
        ),
        Language::En => format!(
            "{} at once",
            words::count(voice.language, moves, "move", "", "moves")
        ),
    };
    voice.write(&[
        format!("⚠️ *{head}: {}*", data(salon)),
        voice
            .say(
                "Клиентам об этом пишу. Если это ошибка, верните время в журнале: напишу им и об этом.",
                "Clients are being told. If this is a mistake, put the times right in the journal: they will be told that too.",
            )
            .to_owned(),
    ])
}

/// `⚠️ *Не вижу часть журнала: Малаховка* …`: what is hidden, since when, and what to tick.
#[must_use]
pub fn alert_unseen(voice: Voice, salon: &str, since: NaiveDateTime, what: Unseen<'_>) -> String {
    let since = if since.date() == voice.today {
        words::time(since)
    } else {
        words::moment(voice.language, since, voice.today)
    };
    let since = format!("{} {since}", voice.say("С", "Since"));
    let head = match what {
        Unseen::Phones { .. } => {
            voice.say("Не вижу телефоны клиентов", "I cannot see clients' phones")
        }
        Unseen::Staff { .. } | Unseen::Period { .. } => {
            voice.say("Не вижу часть журнала", "I cannot see part of the journal")
        }
    };
    let (story, cure) = match what {
        Unseen::Staff { names, bookings } => (
            format!(
                "{since} {} {} ({}).",
                voice.say(
                    "в журнале не видно ни одной записи мастеров:",
                    "no booking in the journal is seen of:"
                ),
                data(&names.join(", ")),
                voice.bookings(bookings)
            ),
            voice.say(
                "Похоже, в YClients сузили права моего пользователя. Настройки → Пользователи → Права доступа → Журнал записи: откройте журнал всех сотрудников.",
                "It looks as if my user's rights in YClients were narrowed. Settings → Users → Access rights → Appointment calendar: open it for all employees.",
            ),
        ),
        Unseen::Period { from, bookings } => (
            format!(
                "{since} {} {} ({}).",
                voice.say(
                    "в журнале не видно ничего начиная с",
                    "nothing in the journal is seen from"
                ),
                words::date(voice.language, from, voice.today),
                voice.bookings(bookings)
            ),
            voice.say(
                "Похоже, моему пользователю в YClients сократили период. Настройки → Пользователи → Права доступа → Журнал записи: снимите ограничение по дням.",
                "It looks as if my user's period in YClients was shortened. Settings → Users → Access rights → Appointment calendar: lift the limit of days.",
            ),
        ),
        Unseen::Phones { bookings } => (
            format!(
                "{since} {} ({} {}).",
                voice.say(
                    "записи приходят без номеров",
                    "bookings come without numbers"
                ),
                voice.say("впереди", "ahead:"),
                voice.bookings(bookings)
            ),
            voice.say(
                "Похоже, моему пользователю в YClients закрыли телефоны. Настройки → Пользователи → Права доступа → Журнал записи и Клиенты: отметьте «Видит телефоны».",
                "It looks as if phones were closed to my user in YClients. Settings → Users → Access rights → Appointment calendar and Clients: tick that phones are shown.",
            ),
        ),
    };
    let meanwhile = match what {
        Unseen::Phones { .. } => voice.say(
            "Кого знаю, тем пишу по прежним номерам; о новых записях без номера сообщу, когда номер станет виден.",
            "Those whose number I know are written to as before; new bookings without one are told once it is seen.",
        ),
        Unseen::Staff { .. } | Unseen::Period { .. } => voice.say(
            "Отменами это не считаю, клиентам об этом не пишу. Если этих записей правда больше нет: booking-monitor release --hidden",
            "I do not take it for cancellations and tell clients nothing. If these bookings are really gone: booking-monitor release --hidden",
        ),
    };
    voice.write(&[
        format!("⚠️ *{head}: {}*", data(salon)),
        story,
        cure.to_owned(),
        meanwhile.to_owned(),
    ])
}

/// `✅ *Снова вижу телефоны клиентов: Малаховка* …`
#[must_use]
pub fn alert_unseen_over(voice: Voice, salon: &str, what: SeenAgain, gap_seconds: i64) -> String {
    let head = match what {
        SeenAgain::Staff => voice.say(
            "Больше никто из мастеров не скрыт",
            "No master is hidden any more",
        ),
        SeenAgain::Period => voice.say(
            "Конец журнала больше не скрыт",
            "The end of the journal is hidden no more",
        ),
        SeenAgain::Phones => voice.say(
            "Снова вижу телефоны клиентов",
            "I see clients' phones again",
        ),
    };
    let gap = match words::span(voice.language, gap_seconds) {
        short if short.is_empty() => voice.say("меньше минуты", "under a minute").to_owned(),
        long => long,
    };
    voice.write(&[
        format!("✅ *{head}: {}*", data(salon)),
        format!("{} {gap}.", voice.say("Перерыв", "Out for")),
    ])
}
