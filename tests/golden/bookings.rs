//! The bookings that every message is tried with, and the changes of a visit.

use booking_monitor::domain::change::Field;
use booking_monitor::domain::message::Place;
use booking_monitor::domain::record::{Money, Record, ServiceLine, Staff};
use booking_monitor::domain::zone::Zone;
use chrono::TimeDelta;

use crate::Case;
use crate::records::{at, haircut, moved, place, service, with};

fn master(name: &str) -> Staff {
    Staff {
        id: name.chars().count() as i64,
        name: name.into(),
    }
}

/// A visit that was a day earlier.
fn case(name: &'static str, now: Vec<Record>) -> Case {
    let before = now.iter().cloned().map(|mut record| {
        record.start_local -= TimeDelta::days(1);
        record
    });
    Case {
        name,
        before: Some(before.collect()),
        now,
        fields: vec![Field::Start],
        place: place(),
    }
}

fn elsewhere(name: &'static str, place: Place, now: Vec<Record>) -> Case {
    Case {
        place,
        ..case(name, now)
    }
}

fn nails(start: &str) -> Record {
    let mut record = at(haircut(), start);
    record.id = 2;
    record.staff = master("Ольга Петровна");
    record.services = vec![service(200, "Маникюр", 1500, 0, 1500)];
    record
}

fn class(seats: i64) -> Record {
    with(|r| {
        r.activity_id = 99;
        r.seats = seats;
        r.services = vec![service(300, "Стретчинг", 800, 0, 800)];
    })
}

/// As long as a salon ever wrote it.
fn long() -> Record {
    with(|r| {
        r.staff = master("Александра-Виктория Константинопольская-Задунайская, мастер-универсал");
        r.services = (0..4)
            .map(|n| {
                let title = "Сложное многоступенчатое окрашивание волос с тонированием, уходом и укладкой по форме, длина ниже лопаток, включая материалы";
                service(n, &format!("{} {title}", n + 1), 25_000, 0, 25_000)
            })
            .collect();
    })
}

fn hostile() -> Record {
    with(|r| {
        r.staff = master("*Бари* _@evil_bot_ [тут](https://evil.example)");
        r.services = vec![service(
            1,
            "<b>{{ phone }}</b>\n~evil.example~ `rm` &lt;",
            2000,
            50,
            1000,
        )];
        if let Some(client) = &mut r.client {
            client.name = "СКАНДАЛИСТКА".into();
        }
    })
}

pub(crate) fn bookings() -> Vec<Case> {
    let priced = |line: ServiceLine| vec![with(|r| r.services = vec![line])];
    let kopecks = ServiceLine {
        cost: Money(1_152_381),
        first_cost: Money(1_317_007),
        discount: 1250,
        ..service(100, "Стрижка", 0, 0, 0)
    };
    vec![
        case(
            "no discount",
            priced(service(100, "Стрижка", 1000, 0, 1000)),
        ),
        case("a discount", vec![haircut()]),
        case("kopecks and a broken percent", priced(kopecks)),
        case("no price", priced(service(100, "Консультация", 0, 0, 0))),
        case(
            "two services",
            vec![with(|r| {
                r.services.push(service(101, "Укладка", 500, 20, 400));
            })],
        ),
        case("two masters", vec![nails("2026-08-21T15:30:00"), haircut()]),
        case(
            "two masters on two days",
            vec![haircut(), nails("2026-08-22T10:00:00")],
        ),
        case("no master", vec![with(|r| r.staff = Staff::default())]),
        case("long names", vec![long()]),
        case(
            "emoji",
            vec![with(|r| {
                r.staff = master("👤 Бари 🔥");
                r.services = vec![service(1, "💇\u{200D}♀\u{FE0F} Стрижка ✨", 1000, 0, 1000)];
            })],
        ),
        case("hostile text", vec![hostile()]),
        case("a class", vec![class(1)]),
        case("a class for several", vec![class(12)]),
        case(
            "a class and a haircut",
            vec![class(2), {
                let mut record = at(haircut(), "2026-08-21T16:00:00");
                record.id = 3;
                record
            }],
        ),
        elsewhere(
            "the day the clocks change",
            Place {
                zone: Some("Europe/Berlin".parse::<Zone>().unwrap()),
                ..place()
            },
            vec![at(haircut(), "2026-10-25T02:30:00")],
        ),
        case("New Year", vec![at(haircut(), "2027-01-01T12:00:00")]),
        elsewhere(
            "no address",
            Place {
                address: String::new(),
                ..place()
            },
            vec![haircut()],
        ),
        elsewhere(
            "no telephone and no booking form",
            Place {
                phone: String::new(),
                booking_link: String::new(),
                ..place()
            },
            vec![haircut()],
        ),
        case(
            "nothing but the moment",
            vec![with(|r| {
                r.staff = Staff::default();
                r.services.clear();
                r.client = None;
            })],
        ),
    ]
}

fn changed(name: &'static str, before: Vec<Record>, now: Vec<Record>, fields: &[Field]) -> Case {
    Case {
        name,
        before: Some(before),
        now,
        fields: fields.to_vec(),
        place: place(),
    }
}

pub(crate) fn changes() -> Vec<Case> {
    use Field::{Duration, Price, Services, Staff as Master, Start};
    let timur = |mut record: Record| {
        record.staff = master("Тимур");
        record
    };
    let beard = || {
        with(|r| {
            r.services = vec![
                service(100, "МУЖСКАЯ СТРИЖКА", 2000, 50, 1000),
                service(102, "Оформление бороды", 1500, 0, 1500),
            ];
        })
    };
    let styled = || with(|r| r.services.push(service(101, "Укладка", 500, 0, 500)));
    let costs = |cost| with(|r| r.services = vec![service(100, "СТРИЖКА", cost, 0, cost)]);
    let takes = |length| with(|r| r.length = length);
    let other_class = with(|r| {
        r.activity_id = 100;
        r.services = vec![service(301, "Йога", 800, 0, 800)];
    });
    vec![
        changed(
            "another master",
            vec![haircut()],
            vec![timur(haircut())],
            &[Master],
        ),
        changed(
            "a master where there was none",
            vec![with(|r| r.staff = Staff::default())],
            vec![haircut()],
            &[Master],
        ),
        changed(
            "no master any more",
            vec![haircut()],
            vec![with(|r| r.staff = Staff::default())],
            &[Master],
        ),
        changed("services", vec![styled()], vec![beard()], &[Services]),
        changed(
            "a service less",
            vec![styled()],
            vec![haircut()],
            &[Services],
        ),
        changed("the price", vec![costs(1500)], vec![costs(1200)], &[Price]),
        changed(
            "the length",
            vec![takes(3600)],
            vec![takes(5400)],
            &[Duration],
        ),
        changed(
            "time and master",
            vec![haircut()],
            vec![timur(moved())],
            &[Start, Master],
        ),
        changed(
            "time and services",
            vec![styled()],
            vec![at(beard(), "2026-08-22T16:00:00")],
            &[Start, Services],
        ),
        Case {
            before: None,
            ..changed("what it was is unknown", Vec::new(), vec![haircut()], &[])
        },
        changed(
            "one of two moves",
            vec![haircut(), nails("2026-08-21T15:30:00")],
            vec![haircut(), nails("2026-08-21T17:00:00")],
            &[Start],
        ),
        changed(
            "one of two has another master",
            vec![haircut(), nails("2026-08-21T15:30:00")],
            vec![haircut(), timur(nails("2026-08-21T15:30:00"))],
            &[Master],
        ),
        changed(
            "one of two goes",
            vec![haircut(), nails("2026-08-21T15:30:00")],
            vec![haircut()],
            &[Services],
        ),
        changed(
            "a second one comes",
            vec![haircut()],
            vec![haircut(), nails("2026-08-21T15:30:00")],
            &[Services],
        ),
        changed(
            "into another year",
            vec![haircut()],
            vec![at(haircut(), "2027-01-02T12:00:00")],
            &[Start],
        ),
        changed(
            "another master of a class",
            vec![class(2)],
            vec![timur(class(2))],
            &[Master],
        ),
        changed(
            "another class",
            vec![class(1)],
            vec![other_class],
            &[Services],
        ),
    ]
}
