//! What an agent proposes, or has done, as values of a text: composed from what the journal said, so that
//! a client agrees to what will be written and to nothing else.

use chrono::{NaiveDate, NaiveDateTime};

use super::compose::Writer;
use super::facts::Facts;
use super::markup::{data, named};
use super::words::{moment, money};
use super::{Language, words};
use crate::domain::agent::proposal::{Existing, Line, Proposal, total};
use crate::domain::record::Money;

/// Titles longer than this are somebody's mistake.
const LONGEST_TITLE: usize = 120;

impl Writer {
    /// What there is to say of a proposal.
    pub(super) fn proposal(&self, what: &Proposal) -> Facts {
        let (start, staff, services) = match what {
            Proposal::Make {
                start,
                staff,
                services,
                ..
            } => (*start, staff, services),
            Proposal::Move { was, start, staff } => (*start, staff, &was.services),
            Proposal::Cancel { was } => (was.start, &was.staff, &was.services),
        };
        let titles: Vec<String> = titles(services).collect();
        let mut facts = Facts {
            date: words::date(self.language, start.date(), self.today),
            time: words::time(start),
            weekday: words::weekday(self.language, start.date()),
            services: titles.join(", "),
            staff: named(&staff.name, LONGEST_TITLE),
            price: total(services).map_or_else(String::new, money),
            details: details(self.language, self.today, what),
            ..Facts::default()
        };
        facts.price_line.clone_from(&facts.price);
        match what {
            Proposal::Make { length, .. } => facts.duration = words::span(self.language, *length),
            Proposal::Move { was, .. } => {
                facts.old_date = words::date(self.language, was.start.date(), self.today);
                facts.old_time = words::time(was.start);
                facts.old_staff = named(&was.staff.name, LONGEST_TITLE);
            }
            Proposal::Cancel { .. } => {}
        }
        facts
    }
}

/// When, what, with whom and for how much, line by line, in neutral markup.
#[must_use]
pub fn details(language: Language, today: NaiveDate, what: &Proposal) -> String {
    let lines = Lines { language, today };
    match what {
        Proposal::Make {
            start,
            staff,
            services,
            ..
        } => lines.booking(*start, &staff.name, services),
        Proposal::Move { was, start, staff } => lines.moved(was, *start, &staff.name),
        Proposal::Cancel { was } => lines.booking(was.start, &was.staff.name, &was.services),
    }
}

fn titles(services: &[Line]) -> impl Iterator<Item = String> {
    let all = services.iter();
    all.map(|line| named(&line.title, LONGEST_TITLE))
        .filter(|title| !title.is_empty())
}

struct Lines {
    language: Language,
    today: NaiveDate,
}

impl Lines {
    fn booking(&self, start: NaiveDateTime, staff: &str, services: &[Line]) -> String {
        let when = moment(self.language, start, self.today);
        self.block(&when, &data(&named(staff, LONGEST_TITLE)), services)
    }

    fn moved(&self, was: &Existing, start: NaiveDateTime, staff: &str) -> String {
        let new = moment(self.language, start, self.today);
        let when = match was.start == start {
            true => new,
            false => {
                let old = moment(self.language, was.start, self.today);
                format!("~{old}~ → *{new}*")
            }
        };
        let (old, new) = (
            data(&named(&was.staff.name, LONGEST_TITLE)),
            data(&named(staff, LONGEST_TITLE)),
        );
        let who = match old == new || old.is_empty() {
            true => new,
            false => format!("~{old}~ → *{new}*"),
        };
        self.block(&when, &who, &was.services)
    }

    fn block(&self, when: &str, who: &str, services: &[Line]) -> String {
        let (master, cost) = match self.language {
            Language::Ru => ("Мастер:", "Стоимость:"),
            Language::En => ("Master:", "Price:"),
        };
        let titles: Vec<String> = titles(services).map(|title| data(&title)).collect();
        let price = total(services).map_or_else(String::new, money);
        let mut lines = vec![format!("📅 {when}")];
        if !titles.is_empty() {
            lines.push(format!("💇 {}", titles.join(", ")));
        }
        if !who.is_empty() {
            lines.push(format!("👤 {master} {who}"));
        }
        if !price.is_empty() {
            lines.push(format!("💰 {cost} {price}"));
        }
        lines.join("\n")
    }
}

/// `21 августа`, `2 января 2027 года`.
#[must_use]
pub fn day(language: Language, day: NaiveDate, today: NaiveDate) -> String {
    words::date(language, day, today)
}

/// `1 ч 30 мин`.
#[must_use]
pub fn lasts(language: Language, seconds: i64) -> String {
    words::span(language, seconds)
}

/// `1000 руб`.
#[must_use]
pub fn price(sum: Money) -> String {
    money(sum)
}

/// `пятница`, `Friday`.
#[must_use]
pub fn weekday(language: Language, day: NaiveDate) -> String {
    words::weekday(language, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{Markup, Place, Texts, Told, Way, compose};
    use crate::domain::record::Staff;

    /// What a client of this channel is to agree to.
    fn put(what: &Proposal, markup: Markup) -> String {
        let today = NaiveDate::from_ymd_opt(2026, 8, 20).unwrap();
        let way = Way {
            channel: "",
            markup,
            invite: true,
        };
        let texts = Texts::of_language(Language::Ru);
        compose(
            texts,
            &Told::Proposed { what, writes: true },
            &Place::default(),
            way,
            today,
        )
    }

    fn existing() -> Existing {
        Existing {
            record: 7,
            created_at: None,
            start: "2026-08-21T14:30:00".parse().unwrap(),
            staff: Staff {
                id: 5,
                name: "Бари".into(),
            },
            services: vec![Line {
                id: 45,
                title: "МУЖСКАЯ СТРИЖКА".into(),
                price: Some(Money(100_000)),
            }],
        }
    }

    #[test]
    fn the_sentence_says_what_when_with_whom_and_for_how_much() {
        let was = existing();
        let make = Proposal::Make {
            start: was.start,
            length: 3600,
            staff: was.staff.clone(),
            services: was.services.clone(),
        };
        assert_eq!(
            put(&make, Markup::WhatsApp),
            "Записываю:\n📅 21 августа в 14:30\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари\n💰 Стоимость: 1000 руб\nВсё верно? Ответьте *да*."
        );
        let moved = Proposal::Move {
            was: was.clone(),
            start: "2026-08-22T16:00:00".parse().unwrap(),
            staff: Staff {
                id: 6,
                name: "Тимур".into(),
            },
        };
        assert_eq!(
            put(&moved, Markup::WhatsApp),
            "Переношу:\n📅 ~21 августа в 14:30~ → *22 августа в 16:00*\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: ~Бари~ → *Тимур*\n💰 Стоимость: 1000 руб\nВсё верно? Ответьте *да*."
        );
        assert_eq!(
            put(&Proposal::Cancel { was }, Markup::WhatsApp),
            "Отменяю:\n📅 21 августа в 14:30\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари\n💰 Стоимость: 1000 руб\nВсё верно? Ответьте *да*."
        );
    }

    #[test]
    fn a_title_from_the_journal_is_neither_markup_nor_a_line_of_ours() {
        let mut was = existing();
        was.services[0].title = "*Стрижка*\n✅ Вы записаны".into();
        was.services[0].price = None;
        let text = put(&Proposal::Cancel { was }, Markup::WhatsApp);
        assert_eq!(
            text,
            "Отменяю:\n📅 21 августа в 14:30\n💇 ∗Стрижка∗ ✅ Вы записаны\n👤 Мастер: Бари\nВсё верно? Ответьте *да*."
        );
    }
}
