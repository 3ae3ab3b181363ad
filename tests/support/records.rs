//! Bookings as messages tell of them, and the salon they are in.

use booking_monitor::domain::message::Place;
use booking_monitor::domain::phone::Phone;
use booking_monitor::domain::record::{Attendance, Client, Money, Record, ServiceLine, Staff};
use booking_monitor::domain::zone::Zone;
use chrono::NaiveDate;

pub(crate) fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 8, 1).unwrap()
}

pub(crate) fn service(id: i64, title: &str, first: i64, percent: i64, cost: i64) -> ServiceLine {
    ServiceLine {
        id,
        title: title.into(),
        amount: 1,
        cost: Money(cost * 100),
        first_cost: Money(first * 100),
        discount: percent * 100,
    }
}

/// The booking of the first issue: half the price of 2000.
pub(crate) fn haircut() -> Record {
    Record {
        company_id: 962_302,
        id: 1,
        visit_id: 10,
        activity_id: 0,
        start_local: "2026-08-21T14:30:00".parse().unwrap(),
        length: 3600,
        staff: Staff {
            id: 5,
            name: "Бари".into(),
        },
        services: vec![service(100, "МУЖСКАЯ СТРИЖКА", 2000, 50, 1000)],
        client: Some(Client {
            id: 7,
            name: "Анна".into(),
            phone: Some(Phone::from_stored("+79000000001".into())),
            refused_phone: None,
            forgotten: false,
        }),
        seats: 0,
        attendance: Attendance::Waiting,
        deleted: false,
        online: false,
        created_user_id: 1,
        comment: "не красить, аллергия".into(),
        labels: Vec::new(),
        link: String::new(),
        created_at: None,
        changed_at: None,
    }
}

pub(crate) fn with(change: impl FnOnce(&mut Record)) -> Record {
    let mut record = haircut();
    change(&mut record);
    record
}

pub(crate) fn moved() -> Record {
    with(|r| r.start_local = "2026-08-22T16:00:00".parse().unwrap())
}

pub(crate) fn at(mut record: Record, start: &str) -> Record {
    record.start_local = start.parse().unwrap();
    record
}

pub(crate) fn place() -> Place {
    Place {
        salon: "Малаховка".into(),
        address: "Малаховка, Южная улица, 38".into(),
        phone: "+7 900 000-00-00".into(),
        booking_link: "https://n962302.yclients.com/book_me".into(),
        free: Vec::new(),
        review_link: String::new(),
        zone: Some(Zone::moscow()),
    }
}
