//! The booking that samples and tests are made of, where nothing else is said.

use chrono::{DateTime, Days, NaiveDateTime, NaiveTime, Utc};

use crate::config::{Company, Language};
use crate::domain::change::{Field, differing};
use crate::domain::policy::Kind;
use crate::domain::record::{Attendance, Client, Money, Record, ServiceLine, Staff};
use crate::domain::settle::{Form, Net};
use crate::domain::zone::Zone;
use crate::ports::CompanyInfo;
use crate::store::companies::CompanyRow;

/// Tomorrow at half past two, by the salon's clock.
pub(super) fn tomorrow(zone: Zone, now: DateTime<Utc>) -> NaiveDateTime {
    let today = now.with_timezone(&zone).date_naive();
    let day = today.checked_add_days(Days::new(1)).unwrap_or(today);
    day.and_time(NaiveTime::from_hms_opt(14, 30, 0).unwrap_or_default())
}

/// A booking with a discount.
pub(super) fn record(company: &Company, start: NaiveDateTime) -> Record {
    let of = |ru: &str, en: &str| match company.language {
        Language::Ru => ru.to_owned(),
        Language::En => en.to_owned(),
    };
    Record {
        company_id: company.id,
        id: 0,
        visit_id: 0,
        activity_id: 0,
        start_local: start,
        length: 3600,
        staff: Staff {
            id: 1,
            name: of("Бари", "Bari"),
        },
        services: vec![ServiceLine {
            id: 1,
            title: of("МУЖСКАЯ СТРИЖКА", "HAIRCUT"),
            amount: 1,
            cost: Money::from_units(1000.0),
            first_cost: Money::from_units(2000.0),
            discount: 5000,
        }],
        client: Some(Client {
            name: of("Анна", "Anna"),
            ..Client::default()
        }),
        seats: 1,
        attendance: Attendance::Waiting,
        deleted: false,
        online: false,
        created_user_id: 0,
        comment: String::new(),
        labels: Vec::new(),
        link: "https://example.com/c/AbC1d/".to_owned(),
        created_at: None,
        changed_at: None,
    }
}

/// What a message of this kind tells of a booking that was `before` and is `now`.
pub(super) fn net(kind: Kind, before: Option<Record>, now: Record) -> Net {
    let told = |f: &Field| {
        !matches!(
            f,
            Field::Client | Field::Attendance | Field::Comment | Field::Labels
        )
    };
    let (form, before) = match (kind, before) {
        (Kind::Created, _) => (Form::Created, None),
        (Kind::Cancelled, _) => (Form::Cancelled, None),
        (Kind::Updated, Some(before)) => (Form::Updated, Some(before)),
        // What is no change is told of the booking as it stands.
        (Kind::Updated, None) | (Kind::NoShow | Kind::Visited | Kind::Reminder, _) => {
            (Form::Restated, None)
        }
    };
    let mut fields = before
        .as_ref()
        .map_or_else(Vec::new, |b| differing(b, &now));
    fields.retain(told);
    Net {
        form,
        before: before.into_iter().collect(),
        now: vec![now],
        fields,
    }
}

/// What is known of a company, or how it might be where nothing is.
pub(super) fn row(row: Option<CompanyRow>, language: Language) -> CompanyRow {
    row.filter(|row| row.info_at.is_some()).unwrap_or_else(|| {
        let of = |ru: &str, en: &str| match language {
            Language::Ru => ru.to_owned(),
            Language::En => en.to_owned(),
        };
        CompanyRow {
            info: CompanyInfo {
                title: of("Ваш салон", "Your salon"),
                address: of("Южная улица, 38", "38 South Street"),
                phone: "+7 900 000-00-00".to_owned(),
                booking_link: "https://example.com/book".to_owned(),
                ..CompanyInfo::default()
            },
            ..CompanyRow::default()
        }
    })
}
