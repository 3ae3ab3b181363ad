//! What `status` says of what is held and of what narrowed rights hide.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::text::Say;
use super::stamp;
use crate::config::Language;
use crate::store::companies::CompanyRow;
use crate::store::rights::Hidden;

/// `придержано отмен: 7; см. release`.
pub(super) fn held(all: i64, moves: i64, words: Say) -> String {
    let mut parts = Vec::new();
    for (count, ru, en) in [
        (all - moves, "отмен", "cancellations"),
        (moves, "переносов", "moves"),
    ] {
        if count > 0 {
            parts.push(match words.0 {
                Language::Ru => format!("придержано {ru}: {count}"),
                Language::En => format!("{en} held: {count}"),
            });
        }
    }
    parts.push(words.of("см. release", "see release").to_owned());
    parts.join("; ")
}

/// Something is hidden.
pub(super) fn is_narrow(row: &CompanyRow, hidden: &Hidden) -> bool {
    hidden.bookings > 0 || row.phones_hidden_since.is_some()
}

/// Something has been hidden since then, long enough for a person to act.
pub(super) fn is_narrow_since(row: &CompanyRow, hidden: &Hidden, then: DateTime<Utc>) -> bool {
    let since = [
        hidden.staff_since,
        hidden.period.map(|p| p.since),
        row.phones_hidden_for_certain(),
    ];
    since.into_iter().flatten().any(|since| since <= then)
}

pub(super) fn to_json(row: &CompanyRow, hidden: &Hidden) -> Value {
    json!({
        "staff_hidden": hidden.staff.iter().map(|s| json!({
            "id": s.id, "name": s.name, "bookings": s.bookings,
        })).collect::<Vec<_>>(),
        "staff_hidden_since": stamp(hidden.staff_since),
        "bookings_hidden": hidden.bookings,
        "hidden_from": hidden.period.map(|p| p.from.date().to_string()),
        "hidden_from_since": stamp(hidden.period.map(|p| p.since)),
        "phones_hidden_since": stamp(row.phones_hidden_since),
    })
}

/// `YClients отвечает 403, записей: 3. …`: they are there, and a person has to give back rights.
pub(in crate::app) fn refused(bookings: usize, words: Say) -> String {
    match words.0 {
        Language::Ru => format!(
            "YClients отвечает 403, записей: {bookings}. Они есть: верните пользователю робота право их видеть."
        ),
        Language::En => format!(
            "YClients answers 403, bookings: {bookings}. They are there: give the robot's user the right to see them again."
        ),
    }
}

/// What is hidden of a salon, paragraph by paragraph.
pub(super) fn lines(
    title: &str,
    row: &CompanyRow,
    hidden: &Hidden,
    words: Say,
    now: DateTime<Utc>,
) -> Vec<String> {
    if !is_narrow(row, hidden) {
        return Vec::new();
    }
    let mut parts = vec![format!(
        "{title}: {}",
        words.of(
            "видно не всё; отменами это не считается.",
            "not all is seen; none of it is taken for a cancellation.",
        )
    )];
    if !hidden.staff.is_empty() {
        let names: Vec<String> = hidden
            .staff
            .iter()
            .map(|s| format!("{} ({})", s.name, s.bookings))
            .collect();
        parts.push(format!(
            "{} {}, {}.",
            words.of("Скрыты мастера (записей):", "Masters hidden (bookings):"),
            names.join(", "),
            words.ago(hidden.staff_since, now)
        ));
    }
    if let Some(period) = hidden.period {
        parts.push(format!(
            "{} {} ({} {}), {}.",
            words.of("Скрыто всё начиная с", "Everything is hidden from"),
            period.from.format("%d.%m.%Y"),
            words.of("записей:", "bookings:"),
            period.bookings,
            words.ago(Some(period.since), now)
        ));
    }
    if hidden.staff.is_empty() && hidden.period.is_none() && hidden.bookings > 0 {
        parts.push(format!(
            "{} {}.",
            words.of(
                "YClients не показывает записей:",
                "Bookings refused by YClients:"
            ),
            hidden.bookings
        ));
    }
    if let Some(since) = row.phones_hidden_since {
        parts.push(format!(
            "{} {}.",
            words.of("Скрыты телефоны клиентов,", "Clients' phones are hidden,"),
            words.ago(Some(since), now)
        ));
    }
    if hidden.refused > 0 {
        parts.push(refused(hidden.refused, words));
    }
    if hidden.bookings > hidden.refused {
        parts.push(
            words
                .of(
                    "Если этих записей правда нет: booking-monitor release --hidden",
                    "If these bookings are really gone: booking-monitor release --hidden",
                )
                .to_owned(),
        );
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::rights::{HiddenPeriod, HiddenStaff};

    #[test]
    fn what_is_hidden_is_said_with_what_to_do_about_it() {
        let now: DateTime<Utc> = "2026-08-20T12:00:00Z".parse().unwrap();
        let since = now - chrono::TimeDelta::minutes(20);
        let staff = |id, name: &str| HiddenStaff {
            id,
            name: name.to_owned(),
            bookings: 12,
        };
        let hidden = Hidden {
            bookings: 34,
            refused: 2,
            staff: vec![
                staff(1, "Александра Константинопольская"),
                staff(2, "Бари"),
                staff(3, "Владимир"),
            ],
            staff_since: Some(since),
            period: Some(HiddenPeriod {
                from: "2026-09-01T10:00:00".parse().unwrap(),
                bookings: 10,
                since,
            }),
        };
        let row = CompanyRow {
            phones_hidden_since: Some(since),
            ..CompanyRow::default()
        };
        let said = lines("Малаховка", &row, &hidden, Say(Language::Ru), now);
        assert_eq!(
            said.join("\n"),
            "\
Малаховка: видно не всё; отменами это не считается.
Скрыты мастера (записей): Александра Константинопольская (12), Бари (12), Владимир (12), 20 мин назад.
Скрыто всё начиная с 01.09.2026 (записей: 10), 20 мин назад.
Скрыты телефоны клиентов, 20 мин назад.
YClients отвечает 403, записей: 2. Они есть: верните пользователю робота право их видеть.
Если этих записей правда нет: booking-monitor release --hidden"
        );
    }

    #[test]
    fn what_is_held_is_named_by_its_kind() {
        assert_eq!(
            held(7, 0, Say(Language::Ru)),
            "придержано отмен: 7; см. release"
        );
        assert_eq!(
            held(9, 6, Say(Language::Ru)),
            "придержано отмен: 3; придержано переносов: 6; см. release"
        );
    }
}
