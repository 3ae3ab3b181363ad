//! Every message to a client as it is read: each kind, in both languages, on every channel, about a
//! table of bookings. A text that changes is seen in the snapshots, whole.
//!
//! Another kind is a line in `KINDS`, another booking one in `bookings`. After a change that is meant,
//! `INSTA_UPDATE=always cargo test --test golden` writes the snapshots anew: read them.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails its test")]

#[path = "../support/records.rs"]
mod records;

mod bookings;
mod channels;

use std::fmt::Write as _;

use booking_monitor::domain::change::Field;
use booking_monitor::domain::message::suggested::{Foot, suggested};
use booking_monitor::domain::message::{Language, Markup, Place, Texts, Told, brief, compose};
use booking_monitor::domain::record::Record;
use records::{place, today};

use bookings::{bookings, changes};
use channels::{End, ends};

/// A visit, as it was and as it is.
struct Case {
    name: &'static str,
    before: Option<Vec<Record>>,
    now: Vec<Record>,
    fields: Vec<Field>,
    place: Place,
}

/// What is told of a visit.
type Telling = for<'c> fn(&'c Case) -> Told<'c>;

/// The kinds that are told of each booking.
const KINDS: [(&str, Telling); 8] = [
    ("created", |case| Told::Created { now: &case.now }),
    ("updated", told_as_changed),
    ("restored", |case| Told::Restored { now: &case.now }),
    ("cancelled", |case| Told::Cancelled { was: &case.now }),
    ("no_show", |case| Told::NoShow { was: &case.now }),
    ("visited", |case| Told::Visited { was: &case.now }),
    ("reminder", |case| Told::Reminder {
        now: &case.now,
        asks: false,
    }),
    ("wrong_number", |case| Told::WrongNumber { was: &case.now }),
];

/// The kinds that are about no booking.
const ANSWERS: [(&str, Told<'static>); 2] =
    [("stopped", Told::Stopped), ("started", Told::Started)];

fn told_as_changed(case: &Case) -> Told<'_> {
    Told::Updated {
        before: case.before.as_deref(),
        now: &case.now,
        fields: &case.fields,
    }
}

/// What the client reads there.
fn text(end: &End, language: Language, told: &Told<'_>, place: &Place) -> String {
    let texts = Texts::builtin(language);
    let Some(foot) = end.template else {
        return compose(&texts, told, place, end.way(), today());
    };
    // What is not heard of lately is told by an approved template: the suggested one, filled.
    let brief = brief(&texts, told, place, today());
    let all = suggested(language, foot, place);
    let Some(template) = all.into_iter().find(|t| t.kind == brief.kind) else {
        return compose(&texts, told, place, end.way(), today());
    };
    let names: Vec<String> = template.parameters.iter().map(|&p| p.into()).collect();
    let filled = brief.parameters(&names).into_iter().enumerate();
    filled.fold(template.body, |body, (n, value)| {
        body.replace(&format!("{{{{{}}}}}", n + 1), &value)
    })
}

/// Everything that is ever told there.
fn everything(end: &End, language: Language) -> String {
    let mut all = String::new();
    let mut add = |kind: &str, case: &str, text: &str| {
        write!(all, "━━ {kind}: {case}\n{text}\n\n").unwrap();
    };
    for (kind, told) in KINDS {
        for case in &bookings() {
            add(
                kind,
                case.name,
                &text(end, language, &told(case), &case.place),
            );
        }
    }
    for case in &changes() {
        let text = text(end, language, &told_as_changed(case), &case.place);
        add("updated", case.name, &text);
    }
    for (kind, told) in &ANSWERS {
        add(
            kind,
            "to whom it may concern",
            &text(end, language, told, &place()),
        );
    }
    all
}

fn holds(language: Language, code: &str) {
    let mut seen: Vec<(Markup, bool, Option<Foot>, String)> = Vec::new();
    for end in ends() {
        let all = everything(&end, language);
        let way = end.way();
        let alike = seen
            .iter()
            .find(|s| (s.0, s.1, s.2) == (way.markup, way.invite, end.template));
        match alike {
            // Written once: it reads like a channel before it.
            Some((.., like)) => assert_eq!(&all, like, "{}", end.name),
            None => {
                insta::assert_snapshot!(format!("{code}_{}", end.name), all);
                seen.push((way.markup, way.invite, end.template, all));
            }
        }
    }
    assert_eq!(seen.len(), 6);
}

#[test]
fn every_russian_message_reads_as_it_should_on_every_channel() {
    holds(Language::Ru, "ru");
}

#[test]
fn every_english_message_reads_as_it_should_on_every_channel() {
    holds(Language::En, "en");
}

#[test]
fn no_message_has_a_hole() {
    for end in ends() {
        for language in [Language::Ru, Language::En] {
            for line in everything(&end, language).lines() {
                let shown = line.trim_end();
                assert_eq!(shown, line, "a space ends the line");
                for label in [
                    "Мастер",
                    "Стоимость",
                    "With",
                    "Price",
                    "📅",
                    "💇",
                    "👥",
                    "📍",
                ] {
                    assert!(!shown.trim_end_matches(':').ends_with(label), "{shown}");
                }
                assert!(!shown.contains("  "), "{shown}");
                let empty = ["**", "~~", "()", ": ,", "( "];
                assert!(!empty.iter().any(|hole| shown.contains(hole)), "{shown}");
            }
            assert!(!everything(&end, language).contains("\n\n\n"));
        }
    }
}
