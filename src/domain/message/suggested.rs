//! Texts to submit for approval where a messenger takes approved templates alone, each with the
//! variables that fill it.
//!
//! They keep the messenger's rules: numbered parameters, none of them first, last or beside another.
//! What is missing is sent as a dash, so they ask for little, and for `items` because a visit may have
//! several bookings.

use super::compose::{Place, brief, brief_kind};
use super::facts::VARIABLES;
use super::template::{Key, Texts};
use super::{Language, trial};
use crate::domain::change::Field;

/// A template as it is submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggested {
    /// One of [`super::brief::KINDS`].
    pub kind: &'static str,
    /// The name to give it.
    pub name: &'static str,
    /// The body, with `{{1}}`, `{{2}}` … in it.
    pub body: String,
    /// The variables that fill them, in order.
    pub parameters: Vec<&'static str>,
    /// A value of each, as the form asks for them.
    pub samples: Vec<String>,
}

/// How a client who wants something else answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foot {
    /// In the same chat.
    Write,
    /// By telephone.
    Call,
}

/// A template for each kind of message, filled with an invented booking at this salon.
#[must_use]
pub fn suggested(language: Language, foot: Foot, place: &Place) -> Vec<Suggested> {
    let texts = Texts::builtin(language);
    let of = |key| {
        let words = words(language, key)?;
        let foot = match foot {
            Foot::Write => words.write,
            Foot::Call => words.call,
        };
        let (body, parameters) = numbered(&format!("{}{foot}", words.body));
        let (before, now) = trial::ordinary(language);
        let what = trial::proposal(key, &before, &now);
        let told = trial::told(key, &before, &now, &[Field::Start], &what);
        let names: Vec<String> = parameters.iter().map(|p| (*p).to_owned()).collect();
        let samples = brief(&texts, &told, place, trial::today()).parameters(&names);
        Some(Suggested {
            kind: brief_kind(key),
            name: words.name,
            body,
            parameters,
            samples,
        })
    };
    Key::ALL.into_iter().filter_map(of).collect()
}

/// The words of one template; `{items}` stands for a variable.
struct Words {
    name: &'static str,
    body: &'static str,
    /// What follows where an answer is heard.
    write: &'static str,
    /// And where it is not.
    call: &'static str,
}

/// `None` for what is an answer: it goes to who has just written, and needs no approval.
fn words(language: Language, key: Key) -> Option<Words> {
    let other = |ru, en| match language {
        Language::Ru => (
            ru,
            "\n\nПланы изменились? Позвоните нам: {phone}. Подберём другое время.",
        ),
        Language::En => (
            en,
            "\n\nHave your plans changed? Call us: {phone}. We will find another time.",
        ),
    };
    let on = other(
        "\n\nДля отмены или переноса напишите мне здесь 👇",
        "\n\nTo cancel or reschedule, just write to me here 👇",
    );
    let (name, ru, en, (write, call)) = match key {
        Key::Created => (
            "booking_created",
            "✅ *Вы записаны!*\n\n📅 {items}\n💰 Стоимость: {price}\n📍 Адрес: {address}",
            "✅ *You are booked!*\n\n📅 {items}\n💰 Price: {price}\n📍 Address: {address}",
            on,
        ),
        Key::Updated => (
            "booking_updated",
            "🔄 *Запись изменилась*\n\nЧто изменилось: {changes}\n\nСейчас она такая:\n📅 {items}\n💰 Стоимость: {price}\n📍 Адрес: {address}",
            "🔄 *Your booking has changed*\n\nWhat has changed: {changes}\n\nThis is how it stands now:\n📅 {items}\n💰 Price: {price}\n📍 Address: {address}",
            other(
                "\n\nЕсли что-то не подходит, напишите мне здесь 👇",
                "\n\nIf anything does not suit you, just write to me here 👇",
            ),
        ),
        Key::Restored => (
            "booking_restored",
            "✅ *Ваша запись снова в силе*\n\n📅 {items}\n💰 Стоимость: {price}\n📍 Адрес: {address}",
            "✅ *Your booking is on again*\n\n📅 {items}\n💰 Price: {price}\n📍 Address: {address}",
            on,
        ),
        Key::Cancelled => (
            "booking_cancelled",
            "❌ *Запись отменена*\n\n📅 {items}",
            "❌ *Your booking is cancelled*\n\n📅 {items}",
            match language {
                Language::Ru => (
                    "\n\nПодобрать другое время? Напишите мне здесь 👇",
                    "\n\nПодобрать другое время? Позвоните нам: {phone}. Будем рады помочь.",
                ),
                Language::En => (
                    "\n\nShall we find another time? Write to me here 👇",
                    "\n\nShall we find another time? Call us: {phone}. We will be glad to help.",
                ),
            },
        ),
        Key::NoShow => (
            "booking_no_show",
            "*Мы вас не дождались* 🤍\n\n📅 {items}",
            "*We missed you* 🤍\n\n📅 {items}",
            match language {
                Language::Ru => (
                    "\n\nНадеемся, всё хорошо. Если мы ошиблись или вам нужно другое время, напишите мне здесь 👇",
                    "\n\nНадеемся, всё хорошо. Если мы ошиблись, позвоните нам: {phone}. Подберём другое время.",
                ),
                Language::En => (
                    "\n\nWe hope all is well. If we got it wrong or you need another time, just write to me here 👇",
                    "\n\nWe hope all is well. If we got it wrong, call us: {phone}. We will find another time.",
                ),
            },
        ),
        Key::Visited => (
            "booking_visited",
            "*Спасибо, что были у нас!* 🤍",
            "*Thank you for coming!* 🤍",
            match language {
                Language::Ru => (
                    "\n\nВсё ли понравилось? Напишите пару слов прямо здесь 👇",
                    "\n\nЧто-то не понравилось? Позвоните нам: {phone}. Будем рады исправить.",
                ),
                Language::En => (
                    "\n\nDid you like everything? Write a few words right here 👇",
                    "\n\nAnything you did not like? Call us: {phone}. We will be glad to put it right.",
                ),
            },
        ),
        Key::Reminder => (
            "booking_reminder",
            "⏰ *Ждём вас*\n\n📅 {items}\n📍 Адрес: {address}",
            "⏰ *See you soon*\n\n📅 {items}\n📍 Address: {address}",
            other(
                "\n\nЕсли планы изменились, напишите мне здесь 👇",
                "\n\nIf your plans have changed, write to me here 👇",
            ),
        ),
        Key::WrongNumber => (
            "booking_wrong_number",
            "Сообщение о записи на {date} в {time} пришло на этот номер по ошибке. Делать ничего не нужно, простите за беспокойство 🙏",
            "A message about a booking on {date} at {time} came to this number by mistake. There is nothing to do, sorry for the trouble 🙏",
            ("", ""),
        ),
        Key::Stopped
        | Key::Started
        | Key::Confirmed
        | Key::Declined
        | Key::CalledOff
        | Key::HandedOn
        | Key::Which
        | Key::TextOnly
        | Key::NotYours
        | Key::Start
        | Key::Linked
        | Key::ForeignContact
        | Key::Greeting
        | Key::Goodbye
        | Key::NumberWanted
        | Key::ProposeBooking
        | Key::ProposeMove
        | Key::ProposeCancel
        | Key::YesWanted
        | Key::NothingChanged
        | Key::Booked
        | Key::Moved
        | Key::Taken => return None,
    };
    let body = match language {
        Language::Ru => ru,
        Language::En => en,
    };
    Some(Words {
        name,
        body,
        write,
        call,
    })
}

/// The text with its variables numbered, and their names in that order.
fn numbered(text: &str) -> (String, Vec<&'static str>) {
    let mut names: Vec<&'static str> = Vec::new();
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (word, after) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        // A test fills each of them; a word that is none would stand there empty.
        if let Some(name) = VARIABLES.into_iter().find(|name| *name == word) {
            let known = names.iter().position(|n| *n == name);
            let index = known.unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            out.push_str(&format!("{{{{{}}}}}", index + 1));
        }
        rest = after;
    }
    (out + rest, names)
}

#[cfg(test)]
mod tests {
    use super::super::brief::KINDS;
    use super::*;

    fn place() -> Place {
        Place {
            salon: "Малаховка".into(),
            address: "Южная улица, 38".into(),
            phone: "+7 900 000-00-00".into(),
            ..Place::default()
        }
    }

    fn all() -> Vec<Suggested> {
        let mut all = Vec::new();
        for language in [Language::Ru, Language::En] {
            for foot in [Foot::Write, Foot::Call] {
                all.extend(suggested(language, foot, &place()));
            }
        }
        all
    }

    #[test]
    fn every_kind_that_a_template_can_stand_for_has_one_to_submit() {
        for four in all().chunks(KINDS.len()) {
            let kinds: Vec<&str> = four.iter().map(|s| s.kind).collect();
            assert_eq!(kinds, KINDS);
        }
    }

    #[test]
    fn what_is_suggested_keeps_the_rules_of_the_review() {
        for Suggested {
            name,
            body,
            parameters,
            samples,
            ..
        } in all()
        {
            let plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(name.chars().all(plain), "{name}");
            // Green API takes 550 characters and 10 emoji, Meta 1024.
            assert!(body.chars().count() <= 550, "{body}");
            assert!(
                body.chars().filter(|c| *c >= '\u{2300}').count() <= 10,
                "{body}"
            );
            assert!(
                !body.starts_with('{') && !body.trim_end_matches('.').ends_with('}'),
                "{body}"
            );
            assert!(!body.replace(' ', "").contains("}}{{"), "{body}");
            assert!(!body.contains("\n\n\n"), "{body}");
            for n in 1..=parameters.len() {
                assert!(body.contains(&format!("{{{{{n}}}}}")), "{body}");
            }
            assert_eq!(body.matches("{{").count(), parameters.len(), "{body}");
            assert_eq!(samples.len(), parameters.len());
            assert!(
                samples.iter().all(|s| s != "—" && !s.contains('\n')),
                "{samples:?}"
            );
        }
    }

    #[test]
    fn a_suggestion_reads_well_once_it_is_filled() {
        let created = &suggested(Language::Ru, Foot::Call, &place())[0];
        assert_eq!(
            created.body,
            "\
✅ *Вы записаны!*

📅 {{1}}
💰 Стоимость: {{2}}
📍 Адрес: {{3}}

Планы изменились? Позвоните нам: {{4}}. Подберём другое время."
        );
        assert_eq!(
            created.samples,
            [
                "21 августа в 14:30, МУЖСКАЯ СТРИЖКА, Бари",
                "1000 руб",
                "Южная улица, 38",
                "+7 900 000-00-00"
            ]
        );
        let updated = &suggested(Language::En, Foot::Write, &place())[1];
        assert_eq!(
            updated.samples[..2],
            [
                "📅 Before: 21 August at 14:30; Now: 22 August at 16:00",
                "22 August at 16:00, HAIRCUT, Bari"
            ]
        );
    }
}
