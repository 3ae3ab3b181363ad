//! What clients asked to have written into the journal, and what came of it.

use super::Say;
use super::tale::{Line, Step, Teller};
use crate::domain::message::Markup;
use crate::domain::message::owner::Voice;
use crate::domain::reply::order::{Act, Obstacle};
use crate::store::writes::{Order, State};

/// What its client wanted written, and what became of that for this booking.
pub(super) fn lines(by: &Teller<'_>, order: &Order, record: i64) -> Vec<Line> {
    let asked = (order.created_at, Step::Asked, line(order, by.words));
    let ended = order.ended_at;
    let ended = ended.map(|at| (at, Step::Written, end_line(order, record, by.words)));
    [Some(asked), ended].into_iter().flatten().collect()
}

/// A client asked for it by words or by a button.
fn line(order: &Order, words: Say) -> String {
    let what = match order.act {
        Act::Confirm => words.of("клиент придёт", "the client comes"),
        Act::Cancel => words.of("клиент просит отменить", "the client wants it cancelled"),
    };
    let how = match (order.state, order.by_owner) {
        (State::Asked, _) => words.of("решает владелец", "the owner decides"),
        (_, true) => words.of("владелец велел отменить", "the owner said so"),
        (_, false) => words.of("пишем в журнал сами", "written into the journal"),
    };
    format!("{what}: {how}")
}

/// Why this booking of it was not written: of a visit one may be, and another not.
pub(super) fn obstacle(order: &Order, record: i64) -> Option<Obstacle> {
    let part = order.parts.iter().find(|p| p.meant.record == record);
    part.map_or(order.obstacle, |part| part.obstacle)
}

/// What came of it, for this booking.
fn end_line(order: &Order, record: i64, words: Say) -> String {
    match (order.state, obstacle(order, record)) {
        (State::Done, _) => words
            .of("в журнале так и стоит", "the journal says so")
            .to_owned(),
        (State::Barred, Some(why)) => unwritten(why, words),
        (State::Barred, None) => words
            .of(
                "в журнале так и стоит, но не у всех записей визита: передано владельцу",
                "the journal says so, but not of every booking of the visit: handed to the owner",
            )
            .to_owned(),
        _ => words
            .of("больше не нужно", "nothing to do any more")
            .to_owned(),
    }
}

pub(super) fn unwritten(why: Obstacle, words: Say) -> String {
    let voice = Voice {
        language: words.0,
        markup: Markup::Plain,
        today: chrono::NaiveDate::default(),
    };
    let head = match why {
        Obstacle::Unknown => words.of(
            "неизвестно, записано ли в журнал",
            "nobody knows whether the journal says so",
        ),
        _ => words.of("в журнал не записано", "not written into the journal"),
    };
    format!("{head}: {}", voice.obstacle(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::Language;
    use crate::domain::reply::order::{Meant, Part};

    #[test]
    fn of_one_visit_each_booking_is_told_apart_and_what_is_unknown_is_said_to_be() {
        let part = |record, obstacle| Part {
            obstacle,
            ..Part::from(Meant {
                record,
                created_at: None,
                start_local: chrono::NaiveDateTime::default(),
            })
        };
        let order = Order {
            id: 1,
            company: 1,
            record: 7,
            unit: "v1".into(),
            phone: String::new(),
            contact: None,
            act: Act::Cancel,
            parts: vec![
                part(7, None),
                part(8, Some(Obstacle::Unknown)),
                part(9, Some(Obstacle::Refused)),
            ],
            state: State::Barred,
            created_at: chrono::DateTime::default(),
            give_up_at: None,
            began_at: None,
            tries: 1,
            ended_at: None,
            obstacle: Some(Obstacle::Unknown),
            by_owner: false,
            cards: Vec::new(),
        };
        for (record, told) in [
            (7, "в журнале так и стоит, но не у всех записей визита"),
            (8, "неизвестно, записано ли в журнал: связь оборвалась"),
            (9, "в журнал не записано: YClients не разрешил"),
        ] {
            let line = end_line(&order, record, Say(Language::Ru));
            assert!(line.starts_with(told), "{line}");
        }
    }
}
