//! What the agent says in the salon's name without a model: greetings, the sentence before a write, what
//! became of it, and the honest words for when there is no answer. Neutral markup.

use chrono::{NaiveDate, NaiveDateTime};

use super::markup::{data, named};
use super::words::{moment, money};
use super::{Language, words};
use crate::domain::agent::proposal::{Existing, Line, Proposal, total};
use crate::domain::record::Money;

/// Titles longer than this are somebody's mistake.
const LONGEST_TITLE: usize = 120;

/// Words about a conversation, in its language.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// The client's.
    pub language: Language,
    /// The salon's day: a date of another year names it.
    pub today: NaiveDate,
}

impl Talk {
    fn say(self, ru: &'static str, en: &'static str) -> &'static str {
        match self.language {
            Language::Ru => ru,
            Language::En => en,
        }
    }

    /// Who is there, and what for.
    #[must_use]
    pub fn greeting(self) -> &'static str {
        self.say(
            "Здравствуйте! Подскажу услуги и цены, запишу, перенесу или отменю запись. Чем помочь?",
            "Hello! I can tell you about services and prices, and book, move or cancel a visit. How can I help?",
        )
    }

    /// A person will answer.
    #[must_use]
    pub fn handed_over(self) -> &'static str {
        self.say(
            "Передаю администратору, он ответит вам здесь.",
            "I am passing this to the administrator, who will answer you here.",
        )
    }

    /// The client asked for something that a person decides.
    #[must_use]
    pub fn understood(self) -> &'static str {
        self.say(
            "Понятно. Передаю администратору, он ответит вам здесь.",
            "I see. I am passing this to the administrator, who will answer you here.",
        )
    }

    /// The same words whether there is such a booking or not.
    #[must_use]
    pub fn not_yours(self) -> &'static str {
        self.say(
            "Не вижу у вас такой записи.",
            "I do not see such a booking of yours.",
        )
    }

    /// Whose chat it is has to be known first.
    #[must_use]
    pub fn contact_wanted(self) -> &'static str {
        self.say(
            "Для этого нужен ваш номер. Нажмите кнопку, чтобы прислать его.",
            "I need your number for that. Press the button to send it.",
        )
    }

    /// The client took leave.
    #[must_use]
    pub fn goodbye(self) -> &'static str {
        self.say("Хорошего дня! 🤍", "Have a good day! 🤍")
    }

    /// The client said no.
    #[must_use]
    pub fn left_as_it_was(self) -> &'static str {
        self.say(
            "Хорошо, ничего не меняю. Чем ещё помочь?",
            "All right, nothing is changed. Anything else?",
        )
    }

    /// The client nodded where a word was asked for.
    #[must_use]
    pub fn word_wanted(self) -> &'static str {
        self.say(
            "Если всё верно, ответьте *да*.",
            "If everything is right, answer *yes*.",
        )
    }

    /// What is to be written, line by line.
    #[must_use]
    pub fn body(self, proposal: &Proposal) -> String {
        match proposal {
            Proposal::Make {
                start,
                staff,
                services,
                ..
            } => self.lines(*start, &staff.name, services),
            Proposal::Move { was, start, staff } => self.moved(was, *start, &staff.name),
            Proposal::Cancel { was } => self.lines(was.start, &was.staff.name, &was.services),
        }
    }

    /// What the client is to agree to.
    #[must_use]
    pub fn proposal(self, proposal: &Proposal) -> String {
        let head = match proposal {
            Proposal::Make { .. } => self.say("Записываю:", "Booking:"),
            Proposal::Move { .. } => self.say("Переношу:", "Moving:"),
            Proposal::Cancel { .. } => self.say("Отменяю:", "Cancelling:"),
        };
        let foot = self.say(
            "Всё верно? Ответьте *да*.",
            "Is everything right? Answer *yes*.",
        );
        format!("{head}\n{}\n{foot}", self.body(proposal))
    }

    /// The journal confirmed it.
    #[must_use]
    pub fn done(self, proposal: &Proposal, address: &str) -> String {
        let head = match proposal {
            Proposal::Make { .. } => self.say("✅ *Вы записаны!*", "✅ *You are booked!*"),
            Proposal::Move { .. } => {
                self.say("🔄 *Запись перенесена*", "🔄 *Your booking was moved*")
            }
            Proposal::Cancel { .. } => {
                self.say("❌ *Запись отменена*", "❌ *Your booking was cancelled*")
            }
        };
        let address = data(address);
        let place = match proposal {
            Proposal::Make { .. } | Proposal::Move { .. } if !address.is_empty() => {
                format!("\n📍 {address}")
            }
            _ => String::new(),
        };
        format!("{head}\n\n{}{place}", self.body(proposal))
    }

    /// The journal refused because somebody was faster.
    #[must_use]
    pub fn taken(self) -> &'static str {
        self.say(
            "Это время только что заняли. Подобрать другое?",
            "That time was just taken. Shall I look for another?",
        )
    }

    fn lines(self, start: NaiveDateTime, staff: &str, services: &[Line]) -> String {
        let when = moment(self.language, start, self.today);
        self.block(&when, &data(&named(staff, LONGEST_TITLE)), services)
    }

    fn moved(self, was: &Existing, start: NaiveDateTime, staff: &str) -> String {
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

    fn block(self, when: &str, who: &str, services: &[Line]) -> String {
        let titles: Vec<String> = services
            .iter()
            .map(|line| data(&named(&line.title, LONGEST_TITLE)))
            .filter(|title| !title.is_empty())
            .collect();
        let master = self.say("Мастер:", "Master:");
        let cost = self.say("Стоимость:", "Price:");
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
    use crate::domain::message::{Markup, markup::render};
    use crate::domain::record::Staff;

    fn talk() -> Talk {
        Talk {
            language: Language::Ru,
            today: NaiveDate::from_ymd_opt(2026, 8, 20).unwrap(),
        }
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
            talk().proposal(&make),
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
            talk().proposal(&moved),
            "Переношу:\n📅 ~21 августа в 14:30~ → *22 августа в 16:00*\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: ~Бари~ → *Тимур*\n💰 Стоимость: 1000 руб\nВсё верно? Ответьте *да*."
        );
        assert_eq!(
            talk().proposal(&Proposal::Cancel { was }),
            "Отменяю:\n📅 21 августа в 14:30\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари\n💰 Стоимость: 1000 руб\nВсё верно? Ответьте *да*."
        );
    }

    #[test]
    fn a_title_from_the_journal_is_neither_markup_nor_a_line_of_ours() {
        let mut was = existing();
        was.services[0].title = "*Стрижка*\n✅ Вы записаны".into();
        was.services[0].price = None;
        let text = render(
            &talk().proposal(&Proposal::Cancel { was }),
            Markup::WhatsApp,
        );
        assert_eq!(
            text,
            "Отменяю:\n📅 21 августа в 14:30\n💇 ∗Стрижка∗ ✅ Вы записаны\n👤 Мастер: Бари\nВсё верно? Ответьте *да*."
        );
    }
}
