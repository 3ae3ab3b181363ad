//! Bookings that nobody has: what a company's own texts are tried with before a client reads them.
//!
//! They pass the way of real ones, so that a variable counts as known where it is known.

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::Language;
use super::compose::{Place, Room, Told, Way, describe};
use super::facts::Facts;
use super::markup::Markup;
use super::template::{Key, Texts};
use crate::domain::agent::proposal::{Existing, Proposal};
use crate::domain::change::Field;
use crate::domain::record::{Attendance, Client, Money, Record, ServiceLine, Staff};
use crate::domain::zone::Zone;

/// Records of the longest visit.
const MOST: i64 = 4;

/// Every value that this text can ever have.
pub(super) fn everything(texts: &Texts, key: Key) -> Facts {
    let (before, now) = (
        [record(1, "Бари", "Укладка")],
        [record(2, "Тимур", "Стрижка")],
    );
    facts(texts, key, Markup::WhatsApp, &before, &now, Room::WIDE)
}

/// The longest values that a salon would write, as they are cut where they are too long together.
pub(super) fn longest(texts: &Texts, key: Key, markup: Markup) -> Facts {
    let (master, title) = ("Константинопольская ".repeat(3), "Окрашивание ".repeat(12));
    let visit = |shift: i64| -> Vec<Record> {
        (0..MOST)
            .map(|n| Record {
                id: n,
                ..record(
                    n + shift,
                    &format!("{n} {master}"),
                    &format!("{n}{shift} {title}"),
                )
            })
            .collect()
    };
    facts(texts, key, markup, &visit(1), &visit(2), Room::TIGHT)
}

/// The day on which all of it is told.
pub(super) fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 8, 20).unwrap_or_default()
}

/// A haircut at half price that was moved by a day: what it was, and what it is.
pub(super) fn ordinary(language: Language) -> ([Record; 1], [Record; 1]) {
    let (master, title) = match language {
        Language::Ru => ("Бари", "МУЖСКАЯ СТРИЖКА"),
        Language::En => ("Bari", "HAIRCUT"),
    };
    let at = |day, hour, minute| {
        let day = today() + TimeDelta::days(day);
        let mut record = record(1, master, title);
        record.start_local = day.and_hms_opt(hour, minute, 0).unwrap_or_default();
        record.activity_id = 0;
        record.seats = 0;
        for service in &mut record.services {
            (service.cost, service.first_cost) = (Money(100_000), Money(200_000));
        }
        record
    };
    ([at(1, 14, 30)], [at(2, 16, 0)])
}

/// What an agent would propose of such a visit, or have done; other texts have no use for it.
pub(super) fn proposal(key: Key, before: &[Record], now: &[Record]) -> Proposal {
    let was = before.first().map_or_else(Existing::none, Existing::of);
    let to = now.first().map_or_else(Existing::none, Existing::of);
    match key {
        Key::ProposeCancel => Proposal::Cancel { was },
        Key::ProposeMove | Key::Moved => Proposal::Move {
            was,
            start: to.start,
            staff: to.staff,
        },
        _ => Proposal::Make {
            start: was.start,
            length: before.first().map_or(0, |record| record.length),
            staff: was.staff,
            services: was.services,
        },
    }
}

/// What such a text tells. All but a change tell of the visit as it was.
pub(super) fn told<'a>(
    key: Key,
    before: &'a [Record],
    now: &'a [Record],
    fields: &'a [Field],
    what: &'a Proposal,
) -> Told<'a> {
    match key {
        Key::Created => Told::Created { now: before },
        Key::Restored => Told::Restored { now: before },
        Key::Cancelled => Told::Cancelled { was: before },
        Key::NoShow => Told::NoShow { was: before },
        Key::Visited => Told::Visited { was: before },
        Key::Reminder => Told::Reminder {
            now: before,
            asks: true,
        },
        Key::WrongNumber => Told::WrongNumber { was: before },
        Key::Stopped => Told::Stopped,
        Key::Started => Told::Started,
        Key::Confirmed => Told::Confirmed { now: before },
        Key::Declined => Told::Declined { now: before },
        Key::CalledOff => Told::CalledOff { was: before },
        Key::HandedOn => Told::HandedOn,
        Key::Which => Told::Which { now: before },
        Key::TextOnly => Told::TextOnly,
        Key::NotYours => Told::NotYours,
        Key::Start => Told::Start { named: true },
        Key::Linked => Told::Linked { next: before },
        Key::ForeignContact => Told::ForeignContact,
        Key::Greeting => Told::Greeting {
            writes: &["make", "move", "cancel"],
        },
        Key::Goodbye => Told::Goodbye,
        Key::NumberWanted => Told::NumberWanted,
        Key::YesWanted => Told::YesWanted,
        Key::NothingChanged => Told::NothingChanged,
        Key::Taken => Told::Taken,
        Key::ProposeBooking | Key::ProposeMove | Key::ProposeCancel => {
            Told::Proposed { what, writes: true }
        }
        Key::Booked | Key::Moved => Told::Written { what },
        Key::Updated => Told::Updated {
            before: Some(before),
            now,
            fields,
        },
    }
}

fn facts(
    texts: &Texts,
    key: Key,
    markup: Markup,
    before: &[Record],
    now: &[Record],
    room: Room,
) -> Facts {
    let fields = [
        Field::Start,
        Field::Staff,
        Field::Services,
        Field::Duration,
        Field::Price,
    ];
    let what = proposal(key, before, now);
    let told = told(key, before, now, &fields, &what);
    let place = Place {
        salon: "Салон красоты ".repeat(4),
        address: "Малаховка, Южная улица, 38, второй этаж, вход со двора".into(),
        phone: "+7 900 000-00-00".into(),
        booking_link: format!("https://example.com/{}", "b".repeat(60)),
        review_link: format!("https://example.com/{}", "r".repeat(60)),
        zone: Some(Zone::moscow()),
        free: vec![today().and_time(NaiveTime::MIN); 3],
    };
    let way = Way {
        channel: "",
        markup,
        invite: true,
    };
    describe(texts, &told, &place, way, today(), room).1
}

/// A group booking with everything: the `n`th, and as long.
fn record(n: i64, master: &str, title: &str) -> Record {
    Record {
        company_id: 1,
        id: 1,
        visit_id: 1,
        activity_id: 1,
        start_local: NaiveDate::default()
            .and_hms_opt(9, 0, 0)
            .unwrap_or_default()
            + TimeDelta::hours(n),
        length: 3600 * n.max(1),
        staff: Staff {
            id: n,
            name: master.to_owned(),
        },
        services: vec![ServiceLine {
            id: n,
            title: title.to_owned(),
            amount: 1,
            cost: Money(100_000 + n * 100),
            first_cost: Money(2 * (100_000 + n * 100)),
            discount: 5000,
        }],
        client: Some(Client {
            id: 1,
            name: "Анна Константинопольская".into(),
            ..Client::default()
        }),
        seats: 12,
        attendance: Attendance::Waiting,
        deleted: false,
        online: false,
        created_user_id: 0,
        comment: String::new(),
        labels: Vec::new(),
        link: format!("https://example.com/{}", "r".repeat(30)),
        created_at: None,
        changed_at: None,
    }
}
