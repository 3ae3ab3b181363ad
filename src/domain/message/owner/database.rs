//! The database's own trouble, and what happened in the journal since the copy that was put in its
//! place.

use chrono::NaiveDateTime;

use super::super::markup::data;
use super::super::{Language, words};
use super::{Voice, Waited, became, client_line, joined, masters};
use crate::domain::record::Record;

/// Bookings that one list names; a messenger's message has its length, and an owner's day its hours.
const MOST: usize = 30;

/// What is wrong with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sick {
    /// The disk is full.
    NoRoom,
    /// The disk takes no writes.
    ReadOnly,
    /// The disk fails.
    Disk,
    /// The file is damaged, or not the one that was there.
    Refused,
}

/// `⚠️ *База данных: нет места на диске* …`
#[must_use]
pub fn alert_database(voice: Voice, what: Sick) -> String {
    let (head, why, help) = match what {
        Sick::NoRoom => (
            voice.say("нет места на диске", "the disk is full"),
            voice.say(
                "Ничего нельзя записать, поэтому клиентам ничего не отправляю: сообщения ждут.",
                "Nothing can be written down, so nothing is sent to clients: messages wait.",
            ),
            voice.say(
                "Освободите место на сервере, дальше всё пойдёт само.",
                "Make room on the server, then it goes on by itself.",
            ),
        ),
        Sick::ReadOnly => (
            voice.say(
                "диск доступен только для чтения",
                "the disk takes no writes",
            ),
            voice.say(
                "Ничего нельзя записать, поэтому клиентам ничего не отправляю: сообщения ждут.",
                "Nothing can be written down, so nothing is sent to clients: messages wait.",
            ),
            voice.say(
                "Так бывает после сбоя диска: проверьте сервер. Дальше всё пойдёт само.",
                "A disk that failed does that: look after the server. Then it goes on by itself.",
            ),
        ),
        Sick::Disk => (
            voice.say("диск даёт ошибки", "the disk fails"),
            voice.say(
                "Клиентам ничего не отправляю, пока база не откроется снова.",
                "Nothing is sent to clients until the database opens again.",
            ),
            voice.say(
                "Проверьте диск сервера и сделайте копию базы.",
                "Look after the server's disk and make a copy of the database.",
            ),
        ),
        Sick::Refused => (
            voice.say("повреждена, пропала или не та", "damaged, missing or another"),
            voice.say(
                "Клиентам ничего не отправляю и жду человека.",
                "Nothing is sent to clients until a person has looked.",
            ),
            voice.say(
                "На сервере: booking-monitor db check, затем booking-monitor db restore с копией.",
                "On the server: booking-monitor db check, then booking-monitor db restore with a copy.",
            ),
        ),
    };
    voice.write(&[
        format!("⚠️ *{}: {head}*", voice.say("База данных", "Database")),
        why.to_owned(),
        help.to_owned(),
    ])
}

/// `✅ *База данных снова в порядке* …`
#[must_use]
pub fn alert_database_well(voice: Voice, gap_seconds: i64, waited: Waited) -> String {
    voice.write(&[
        format!(
            "✅ *{}*",
            voice.say("База данных снова в порядке", "The database works again")
        ),
        voice.recovery(gap_seconds, waited),
    ])
}

/// One booking that is not as the copy has it.
#[derive(Clone, Debug)]
pub struct Altered {
    /// As the copy has it; `None` where it has none.
    pub before: Option<Record>,
    /// As the journal has it; `None` where the journal does not list it.
    pub after: Option<Record>,
}

impl Altered {
    /// The form that says when it is.
    fn shown(&self) -> Option<&Record> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// Its visit, or the one it was before, is still ahead.
    fn is_ahead(&self, now: NaiveDateTime) -> bool {
        let mut forms = self.before.iter().chain(&self.after);
        forms.any(|r| r.start_local > now)
    }
}

/// What changed since a copy.
#[derive(Clone, Copy, Debug)]
pub struct RestoredList<'a> {
    /// The salon's title.
    pub salon: &'a str,
    /// The last reading that the copy knows of, salon time.
    pub as_of: Option<NaiveDateTime>,
    /// Salon time now.
    pub now: NaiveDateTime,
    /// What differs.
    pub altered: &'a [Altered],
    /// Show masked phones.
    pub mask: bool,
}

/// `♻️ *База восстановлена из копии: Малаховка* …`, then a line for each booking ahead.
#[must_use]
pub fn restored_list(voice: Voice, list: &RestoredList<'_>) -> String {
    let mut lines = vec![format!(
        "♻️ *{}: {}*",
        voice.say(
            "База восстановлена из копии",
            "The database was restored from a copy"
        ),
        data(list.salon)
    )];
    if let Some(as_of) = list.as_of {
        lines.push(format!(
            "{} {}.",
            voice.say("Копия знает журнал на", "The copy knows the journal as of"),
            data(&words::moment(voice.language, as_of, voice.today))
        ));
    }
    let mut ahead: Vec<&Altered> = list
        .altered
        .iter()
        .filter(|a| a.is_ahead(list.now))
        .collect();
    ahead.sort_by_key(|a| a.shown().map(|r| (r.start_local, r.id)));
    if ahead.is_empty() {
        lines.push(
            voice
                .say(
                    "С тех пор в предстоящих записях ничего не изменилось.",
                    "Nothing has changed since in the bookings ahead.",
                )
                .to_owned(),
        );
    } else {
        lines.push(
            voice
                .say(
                    "Что изменилось с тех пор. Клиентам об этом уже не пишу: кому-то сообщили до сбоя. Кого предупредить, решите сами.",
                    "What has changed since. Clients are not told of it any more: some were before the failure. Whom to call is for you to decide.",
                )
                .to_owned(),
        );
    }
    let named = ahead.iter().take(MOST);
    lines.extend(named.map(|altered| line(voice, altered, list.mask)));
    if let Some(more @ 1..) = ahead.len().checked_sub(MOST) {
        lines.push(format!("{} {more}.", voice.say("И ещё", "And more:")));
    }
    lines.push(
        voice
            .say(
                "О новых изменениях сообщаю как обычно.",
                "New changes are told as ever.",
            )
            .to_owned(),
    );
    voice.write(&lines)
}

fn line(voice: Voice, altered: &Altered, mask: bool) -> String {
    let Some(record) = altered.shown() else {
        return String::new();
    };
    let sign = match (&altered.before, &altered.after) {
        (_, None) => "❔",
        (_, Some(after)) if !after.is_alive() => "❌",
        (Some(before), Some(_)) if before.is_alive() => "🔄",
        _ => "🆕",
    };
    let old = altered.before.as_ref().filter(|_| sign == "🔄");
    let moment = |r: &Record| data(&words::moment(voice.language, r.start_local, voice.today));
    let master = |r: &Record| data(&masters(&[r]));
    let mut text = joined(&[
        became(voice, old.map(moment), moment(record)),
        became(voice, old.map(master), master(record)),
        client_line(record, mask),
    ]);
    if altered.after.is_none() {
        text.push_str(match voice.language {
            Language::Ru => " · в журнале её нет",
            Language::En => " · not in the journal",
        });
    }
    format!("{sign} {text}")
}
