//! What the commands' own output shares: two languages, spans of time, tables.

use std::time::Duration;

use chrono::{DateTime, Utc};
use comfy_table::{ContentArrangement, Table, presets};

use crate::domain::budget::Plan;
use crate::domain::delivery::Status;
use crate::domain::message::owner::Voice;
use crate::domain::message::{Language, Markup};
use crate::domain::phone::{Phone, PhoneProblem};
use crate::domain::policy::Reason;
use crate::store::Free;
use crate::store::outbox::Notification;
use crate::store::pauses::{Pause, Selector};

/// Picks the wording.
#[derive(Clone, Copy, Debug)]
pub(super) struct Say(pub(super) Language);

impl Say {
    pub(super) fn of<'t>(self, ru: &'t str, en: &'t str) -> &'t str {
        match self.0 {
            Language::Ru => ru,
            Language::En => en,
        }
    }

    /// Rows of a company's journal that say nothing anybody could understand.
    pub(super) fn unreadable(self, title: &str, rows: u32) -> String {
        match self.0 {
            Language::Ru => format!(
                "{title}: не читаются строки журнала: {rows}. О них никто не узнает, номера есть в журнале работы."
            ),
            Language::En => format!(
                "{title}: rows of the journal that cannot be read: {rows}. Nobody hears of them; the program's log names them."
            ),
        }
    }

    /// A table, or that there is nothing to put into it.
    pub(super) fn listed(self, table: &Table) -> String {
        match table.is_empty() {
            true => self.of("Ничего нет.", "There is nothing.").to_owned(),
            false => table.to_string(),
        }
    }

    /// Where several notifications stand, in a word.
    pub(super) fn status(self, status: Status) -> &'static str {
        match status {
            Status::Pending => self.of("ждут", "waiting"),
            Status::Held => self.of("придержано", "held back"),
            Status::Sending => self.of("отправляются", "being sent"),
            Status::Uncertain => self.of("под вопросом", "in doubt"),
            Status::Sent => self.of("принято", "accepted"),
            Status::Delivered => self.of("доставлено", "delivered"),
            Status::Read => self.of("прочитано", "read"),
            Status::Failed | Status::Dead => self.of("не дошло", "did not arrive"),
            Status::Suppressed => self.of("не отправлено", "not sent"),
        }
    }

    /// `3 мин`, `2 ч 10 мин`, `5 с`.
    pub(super) fn span(self, span: Duration) -> String {
        let seconds = span.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        let (d, h, m, s) = match self.0 {
            Language::Ru => ("д", "ч", "мин", "с"),
            Language::En => ("d", "h", "min", "s"),
        };
        match (days, hours, minutes) {
            (0, 0, 0) => format!("{seconds} {s}"),
            (0, 0, _) => format!("{minutes} {m}"),
            (0, _, 0) => format!("{hours} {h}"),
            (0, _, _) => format!("{hours} {h} {minutes} {m}"),
            _ => format!("{days} {d} {hours} {h}"),
        }
    }

    /// What a pause is about: `Пауза для всех`, `Pause for company 7, master 5`.
    pub(super) fn paused(self, of: &Selector) -> String {
        let mut about = Vec::new();
        if let Some(id) = of.company {
            about.push(format!("{} {id}", self.of("салон", "company")));
        }
        if let Some(id) = of.staff {
            about.push(format!("{} {id}", self.of("мастер", "master")));
        }
        if let Some(phone) = &of.phone {
            let phone = Phone::from_stored(phone.clone());
            about.push(format!(
                "{} {}",
                self.of("клиент", "client"),
                phone.masked()
            ));
        }
        if about.is_empty() {
            return self.of("Пауза для всех", "Pause for everybody").to_owned();
        }
        format!("{} ({})", self.of("Пауза", "Pause"), about.join(", "))
    }

    /// `отмена`, `cancellation`: the kind of a notification, as it is stored.
    pub(super) fn kind(self, stored: &str) -> &str {
        match (stored, self.0) {
            ("created", Language::Ru) => "запись",
            ("updated", Language::Ru) => "изменение",
            ("cancelled", Language::Ru) => "отмена",
            ("no_show", Language::Ru) => "не пришли",
            ("visited", Language::Ru) => "после визита",
            ("reminder", Language::Ru) => "напоминание",
            ("reply", Language::Ru) => "ответ",
            ("correction", Language::Ru) => "не тот номер",
            ("test", Language::Ru) => "проверка",
            ("owner", Language::Ru) => "владельцу",
            ("alert", Language::Ru) => "тревога",
            ("created", Language::En) => "booking",
            ("updated", Language::En) => "change",
            ("cancelled", Language::En) => "cancellation",
            ("no_show", Language::En) => "did not come",
            ("visited", Language::En) => "after the visit",
            ("correction", Language::En) => "wrong number",
            ("owner", Language::En) => "to the owner",
            _ => stored,
        }
    }

    /// `доставлено`: what became of a notification.
    pub(super) fn outcome(self, status: Status) -> &'static str {
        match status {
            Status::Pending => self.of("ждёт", "waiting"),
            Status::Sending => self.of("отправляется", "being sent"),
            Status::Held => self.of("придержано", "held back"),
            Status::Uncertain => self.of("неизвестно, дошло ли", "did it arrive?"),
            Status::Sent => self.of("принято", "accepted"),
            Status::Delivered => self.of("доставлено", "delivered"),
            Status::Read => self.of("прочитано", "read"),
            Status::Failed | Status::Dead => self.of("не дошло", "did not arrive"),
            Status::Suppressed => self.of("не отправлено", "not sent"),
        }
    }

    /// `нет телефона (слишком короткий)`: why a notification was not sent, or what keeps it.
    pub(super) fn why(self, n: &Notification) -> String {
        match (n.reason, n.status) {
            (Some(reason), _) => self.silence(n, reason),
            (None, Status::Held) => self
                .of(
                    "массовое изменение: решает владелец",
                    "a mass change: the owner decides",
                )
                .to_owned(),
            (
                None,
                Status::Pending
                | Status::Sending
                | Status::Uncertain
                | Status::Failed
                | Status::Dead,
            ) => self.spoken(n.last_error.as_deref().unwrap_or_default()),
            (None, Status::Sent | Status::Delivered | Status::Read | Status::Suppressed) => {
                String::new()
            }
        }
    }

    fn silence(self, n: &Notification, reason: Reason) -> String {
        let voice = Voice {
            language: self.0,
            markup: Markup::Plain,
            today: n.created_at.date_naive(),
        };
        let why = match (reason, n.superseded_by, self.0) {
            (Reason::Superseded, Some(id), Language::Ru) => format!("вошло в сообщение № {id}"),
            (Reason::Superseded, Some(id), Language::En) => format!("part of message № {id}"),
            // Only what was open in a backup has it.
            (Reason::Baseline, ..) => self
                .of(
                    "база восстановлена из копии, ушло ли оно тогда, неизвестно",
                    "the database was restored from a backup, nobody knows whether it was sent then",
                )
                .to_owned(),
            (Reason::Stale, ..) if n.kind == "reminder" => self
                .of(
                    "журнал не удалось прочитать, а по старым данным не напоминаем",
                    "the journal could not be read, and nobody is reminded from old data",
                )
                .to_owned(),
            (reason, ..) => voice.reason(reason.as_str()).to_owned(),
        };
        let problem = n.last_error.as_deref().and_then(PhoneProblem::from_stored);
        let problem = problem.map_or_else(String::new, |p| format!(" ({})", self.refused(p)));
        format!("{why}{problem}")
    }

    /// `Пауза для всех: ещё 2 ч`.
    pub(super) fn pause(self, pause: &Pause, now: DateTime<Utc>) -> String {
        let end = match pause.until {
            Some(until) => self.until(until, now),
            None => self
                .of("до booking-monitor resume", "until booking-monitor resume")
                .to_owned(),
        };
        format!("{}: {end}", self.paused(&pause.of))
    }

    /// `ещё 2 ч`, `2 h more`.
    pub(super) fn until(self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let span = self.span((at - now).to_std().unwrap_or_default());
        match self.0 {
            Language::Ru => format!("ещё {span}"),
            Language::En => format!("{span} more"),
        }
    }

    /// What is wrong with a number.
    pub(super) fn refused(self, problem: PhoneProblem) -> &'static str {
        let en = match problem {
            PhoneProblem::Empty => "it has no digits",
            PhoneProblem::Hidden => "some digits are hidden",
            PhoneProblem::TooShort => "it is too short",
            PhoneProblem::TooLong => "it is too long",
            PhoneProblem::Length => "a wrong number of digits",
            PhoneProblem::Invalid => "there is no such number",
        };
        self.of(problem.in_russian(), en)
    }

    /// An interval: to the second where seconds matter.
    pub(super) fn every(self, interval: Duration) -> String {
        if interval < Duration::from_mins(10) {
            format!("{:.0} {}", interval.as_secs_f64(), self.of("с", "s"))
        } else {
            self.span(interval)
        }
    }

    /// What all companies ask of the API, against what it allows.
    pub(super) fn budget(self, plan: &Plan) -> String {
        let (polls, sweeps, allowed) = (plan.polls, plan.sweeps, plan.allowed);
        let needed = match self.0 {
            Language::Ru => format!(
                "Запросов к YClients в минуту: опросы {polls:.0}, сверки {sweeps:.0}, можно {allowed:.0}."
            ),
            Language::En => format!(
                "Requests to YClients a minute: polls {polls:.0}, comparisons {sweeps:.0}, allowed {allowed:.0}."
            ),
        };
        if plan.suffices() {
            return needed;
        }
        let factor = format!("{:.1}", plan.stretch);
        let short = match (plan.stretch > 1.0, self.0) {
            (true, Language::Ru) => {
                let factor = factor.replace('.', ",");
                format!("На всё не хватает: опросы в {factor} раза реже заданного, сверки ждут.")
            }
            (true, Language::En) => {
                format!(
                    "Not enough: polls are {factor} times rarer than asked for, comparisons wait."
                )
            }
            (false, Language::Ru) => {
                "На все сверки не хватает: они идут реже заданного.".to_owned()
            }
            (false, Language::En) => "Not enough: comparisons are rarer than asked for.".to_owned(),
        };
        format!("{needed} {short}")
    }

    /// `Свободно на диске: 12,3 ГБ.`
    pub(super) fn room(self, free: Free) -> String {
        let megabytes = free.bytes >> 20;
        let free_text = match (megabytes, self.0) {
            (0..10_240, Language::Ru) => format!("{megabytes} МБ"),
            (0..10_240, Language::En) => format!("{megabytes} MB"),
            (_, Language::Ru) => format!("{} ГБ", megabytes >> 10),
            (_, Language::En) => format!("{} GB", megabytes >> 10),
        };
        let what = match free.is_little() {
            true => self.of(
                "На диске мало места, осталось",
                "There is little room on the disk, left",
            ),
            false => self.of("Свободно на диске", "Free on the disk"),
        };
        format!("{what}: {free_text}")
    }

    /// How long ago, or a dash.
    pub(super) fn ago(self, at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
        at.map_or_else(
            || "—".to_owned(),
            |at| {
                let span = self.span((now - at).to_std().unwrap_or_default());
                match self.0 {
                    Language::Ru => format!("{span} назад"),
                    Language::En => format!("{span} ago"),
                }
            },
        )
    }
}

/// The width that people's terminals have at least.
pub(super) const WIDTH: usize = 80;

/// Stands for a space at which no line may end.
const KEPT: char = '\u{E000}';

/// A date with its time, a number with its sign and a masked phone stay in one line.
fn kept_together(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut last = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let is_inside = match (last, next) {
            ('№' | '+' | '*', _) => next.is_ascii_digit() || next == '*',
            (before, after) if before.is_ascii_digit() => after.is_ascii_digit() || after == '*',
            _ => false,
        };
        kept.push(if c == ' ' && is_inside { KEPT } else { c });
        last = c;
    }
    kept
}

/// A paragraph in lines that fit, the following ones indented. What it begins with stays as it is.
pub(super) fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let margin = text.len() - text.trim_start().len();
    let (mut lines, mut line) = (Vec::new(), text[..margin].to_owned());
    let mut is_empty = true;
    let kept = kept_together(text);
    for word in kept.split_whitespace() {
        let word = word.replace(KEPT, " ");
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

/// The same for many lines. Those that fit stay as they are.
pub(super) fn folded(text: &str) -> String {
    let fold = |line: &str| match line.chars().count() > WIDTH {
        true => wrapped(line, line.len() - line.trim_start().len() + 2),
        false => vec![line.to_owned()],
    };
    text.lines().flat_map(fold).collect::<Vec<_>>().join("\n")
}

/// A plain table that fits 80 columns.
pub(super) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(WIDTH).unwrap_or(80))
        .set_header(head.to_vec());
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_between_words_and_keeps_its_indent() {
        let long = format!("\n   {}конец", "сообщение ".repeat(12));
        let folded = folded(&long);
        assert!(folded.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(folded.starts_with("\n   сообщение"), "{folded}");
        assert!(
            folded.ends_with("\n     сообщение сообщение сообщение сообщение сообщение конец"),
            "{folded}"
        );
        assert_eq!(super::folded("a  b"), "a  b");
    }

    #[test]
    fn a_line_ends_at_eighty_columns_and_never_inside_a_phone_a_date_or_a_number() {
        let text = format!(
            "12:00:31  {} +7 *** ***-**-01 до 21.08.2026 14:30 в сообщении № 54",
            "слово ".repeat(10).trim()
        );
        assert_eq!(
            wrapped(&text, 10),
            [
                "12:00:31 слово слово слово слово слово слово слово слово слово слово",
                "          +7 *** ***-**-01 до 21.08.2026 14:30 в сообщении № 54",
            ]
        );
        let long = "ы".repeat(90);
        assert_eq!(wrapped(&long, 2), std::slice::from_ref(&long));
        assert_eq!(wrapped("    отступ остаётся", 4), ["    отступ остаётся"]);
    }
}
