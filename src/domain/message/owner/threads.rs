//! The thread of a client in the owner's chat: what they wrote, which booking that is about, what they
//! were answered, and what a person has to do.

use super::super::compose::{masters, titles};
use super::super::markup::{capped, data};
use super::super::{Language, words};
use super::{Voice, joined};
use crate::domain::phone::Phone;
use crate::domain::record::Record;
use crate::domain::reply::Request;
use crate::domain::reply::order::{Act, Obstacle};

/// Of a client's words, so many characters are shown.
const LONGEST_QUOTE: usize = 1000;

/// What stands over a client's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Nothing but who wrote.
    Words,
    /// What they want of the salon.
    Wants(Request),
    /// That nobody answered for so many minutes of opening hours.
    Waits(i64),
}

/// A client's words as an owner reads them.
#[derive(Clone, Copy)]
pub struct Card<'a> {
    /// What stands over them.
    pub head: Head,
    /// The client's name there.
    pub name: &'a str,
    /// Their phone, where it is known.
    pub phone: Option<&'a Phone>,
    /// The salon's title.
    pub salon: &'a str,
    /// The visits that it may be about.
    pub booking: &'a [Record],
    /// What they wrote; empty for what has no words.
    pub words: &'a str,
    /// What they were answered, plain.
    pub answer: Option<&'a str>,
    /// Show masked phones.
    pub mask: bool,
}

/// `💬 Анна, +7 900 000-00-01 · Малаховка: «…»`, or what they want of the salon.
#[must_use]
pub fn card(voice: Voice, card: &Card<'_>) -> String {
    let said = match card.words {
        "" => voice
            .say(
                "[без слов: фото, голос или файл]",
                "[no words: a picture, a voice or a file]",
            )
            .to_owned(),
        words => format!("«{}»", data(&capped(words, LONGEST_QUOTE))),
    };
    let who = client(card.name, card.phone, card.mask);
    let booking = voice.booking(card.booking);
    let salon = data(card.salon);
    let mut lines = match card.head {
        Head::Words => vec![
            format!("💬 {who} · {salon}: {said}"),
            with_sign("📅", &booking),
        ],
        Head::Wants(request) => {
            let (sign, ru, en) = match request {
                Request::Cancel => ("✋", "Просит отменить", "Wants to cancel"),
                Request::Move => ("✋", "Просит перенести", "Wants to reschedule"),
                Request::Late => ("🕒", "Опаздывает", "Is late"),
                Request::Person => ("🙋", "Клиент просит человека", "A client asks for a person"),
            };
            vec![
                format!("{sign} *{}: {salon}*", voice.say(ru, en)),
                joined(&[who, booking]),
                said,
            ]
        }
        Head::Waits(minutes) => {
            let head = match voice.language {
                Language::Ru => format!("Клиент ждёт ответа {minutes} мин"),
                Language::En => format!("A client has waited {minutes} min for an answer"),
            };
            vec![
                format!("⏰ *{head}: {salon}*"),
                joined(&[who, booking]),
                said,
            ]
        }
    };
    let is_persons = matches!(card.head, Head::Wants(Request::Person) | Head::Waits(_));
    if is_persons {
        lines.push(data(&voice.how_to_answer()));
    }
    if let Some(answer) = card.answer {
        lines.push(voice.answered(answer));
    }
    voice.write(&lines)
}

impl Voice {
    /// `Ответил: «…»`, in neutral markup.
    #[must_use]
    pub fn answered(&self, plain: &str) -> String {
        let one_line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        let answer = data(&capped(&one_line, 300));
        format!("{}: «{answer}»", self.say("Ответил", "Answered"))
    }

    /// `21 августа в 14:30 · МУЖСКАЯ СТРИЖКА · Бари`; of several visits the moments alone.
    fn booking(&self, records: &[Record]) -> String {
        let moment = |r: &Record| words::moment(self.language, r.start_local, self.today);
        match records {
            [] => String::new(),
            [one] => joined(&[
                data(&moment(one)),
                data(&titles(&[one])),
                data(&masters(&[one])),
            ]),
            several => {
                let mut moments: Vec<String> = several.iter().map(|r| data(&moment(r))).collect();
                moments.dedup();
                moments.join(", ")
            }
        }
    }
}

fn with_sign(sign: &str, booking: &str) -> String {
    match booking {
        "" => String::new(),
        booking => format!("{sign} {booking}"),
    }
}

pub(super) fn client(name: &str, phone: Option<&Phone>, mask: bool) -> String {
    let phone = phone.map(|p| if mask { p.masked() } else { p.readable() });
    let parts = [data(name), phone.map_or_else(String::new, |p| data(&p))];
    let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    parts.join(", ")
}

/// `✅ *Отменил по просьбе клиента: Малаховка* …`
#[must_use]
pub fn card_taken_off(
    voice: Voice,
    salon: &str,
    (name, phone): (&str, Option<&Phone>),
    booking: &[Record],
    mask: bool,
) -> String {
    let what = voice.say("Отменил по просьбе клиента", "Cancelled for the client");
    voice.write(&[
        format!("✅ *{what}: {}*", data(salon)),
        joined(&[client(name, phone, mask), voice.booking(booking)]),
    ])
}

/// `⚠️ *Мой ответ до клиента не дошёл: Малаховка* …`: nothing else speaks to this client. `plain` is what
/// they would have read.
#[must_use]
pub fn card_unanswered(
    voice: Voice,
    salon: &str,
    (name, phone): (&str, Option<&Phone>),
    plain: &str,
    mask: bool,
) -> String {
    let what = voice.say(
        "Мой ответ до клиента не дошёл",
        "My answer did not reach the client",
    );
    let one_line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    voice.write(&[
        format!("⚠️ *{what}: {}*", data(salon)),
        joined(&[client(name, phone, mask)]),
        format!("«{}»", data(&capped(&one_line, 300))),
        data(&voice.how_to_answer()),
    ])
}

/// How far an order came that a person has to see to.
#[derive(Clone, Copy)]
pub struct Unwritten<'a> {
    /// What was asked.
    pub act: Act,
    /// Why it is not done.
    pub why: Obstacle,
    /// The bookings of which it is done.
    pub done: &'a [Record],
    /// The others.
    pub left: &'a [Record],
}

/// `⚠️ *Не получилось отменить: Малаховка* …`: what the client asked for is a person's to do. What is
/// not known is not said to have failed.
#[must_use]
pub fn card_unwritten(
    voice: Voice,
    salon: &str,
    (name, phone): (&str, Option<&Phone>),
    came: &Unwritten<'_>,
    mask: bool,
) -> String {
    let (is_part, is_unknown) = (!came.done.is_empty(), came.why == Obstacle::Unknown);
    let what = match (came.act, is_part, is_unknown) {
        (Act::Cancel, false, false) => voice.say("Не получилось отменить", "Could not cancel"),
        (Act::Cancel, true, false) => voice.say("Отменено не всё", "Only a part is cancelled"),
        (Act::Cancel, false, true) => voice.say(
            "Неизвестно, отменена ли запись",
            "Nobody knows whether the booking is cancelled",
        ),
        (Act::Cancel, true, true) => voice.say(
            "Неизвестно, всё ли отменено",
            "Nobody knows whether all is cancelled",
        ),
        (Act::Confirm, _, false) => voice.say(
            "Клиент придёт, но в журнал это не записано",
            "The client comes, but the journal does not say so",
        ),
        (Act::Confirm, _, true) => voice.say(
            "Клиент придёт, но неизвестно, записано ли это в журнал",
            "The client comes, but nobody knows whether the journal says so",
        ),
    };
    let mut lines = vec![format!("⚠️ *{what}: {}*", data(salon))];
    let who = client(name, phone, mask);
    if is_part {
        let (done, left) = match came.act {
            Act::Cancel => (
                voice.say("Отменено", "Cancelled"),
                voice.say("Осталось", "Left"),
            ),
            Act::Confirm => (
                voice.say("Записано", "Written"),
                voice.say("Не записано", "Not written"),
            ),
        };
        let left = match is_unknown {
            true => voice.say("Неизвестно", "Unknown"),
            false => left,
        };
        lines.push(who);
        lines.push(format!("{done}: {}", voice.booking(came.done)));
        lines.push(format!("{left}: {}", voice.booking(came.left)));
    } else {
        lines.push(joined(&[who, voice.booking(came.left)]));
    }
    lines.push(format!(
        "{}: {}.",
        voice.say("Причина", "Why"),
        data(voice.obstacle(came.why))
    ));
    voice.write(&lines)
}

impl Voice {
    /// Why a booking was not written, in words.
    #[must_use]
    pub fn obstacle(&self, why: Obstacle) -> &'static str {
        let (ru, en) = match why {
            Obstacle::NotTheirs => (
                "запись уже другого клиента",
                "the booking is another client's by now",
            ),
            Obstacle::Unseen => (
                "в журнале не видно, чья это запись",
                "the journal does not show whose booking it is",
            ),
            Obstacle::Moved => ("запись успели перенести", "the booking was moved meanwhile"),
            Obstacle::Off => ("записи в журнале уже нет", "the booking is off already"),
            Obstacle::Begun => ("визит уже начался", "the visit has begun"),
            Obstacle::Refused => (
                "YClients не разрешил менять запись: она оплачена или закрыта, или у ключа нет прав",
                "YClients refused: the booking is paid or closed, or the key has no rights",
            ),
            Obstacle::Unreachable => ("YClients не отвечает", "YClients does not answer"),
            Obstacle::Unknown => (
                "связь оборвалась, и неизвестно, прошло ли: проверьте в журнале",
                "the connection broke, and nobody knows what came of it: look into the journal",
            ),
            Obstacle::Forbidden => (
                "менять записи выключено в настройках",
                "writing is switched off in the settings",
            ),
            Obstacle::Near => (
                "до визита осталось мало времени, решать вам",
                "the visit is near, so it is yours to decide",
            ),
        };
        self.say(ru, en)
    }
}
