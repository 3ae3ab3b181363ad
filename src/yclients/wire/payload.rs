//! A booking told onwards in the API's own shape, so that a salon's automation reads our events
//! like the webhooks it could not have.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::domain::record::{Client, Money, Record, ServiceLine};

/// The booking as the API would show it, `data` of an event. Times are the salon's wall clock;
/// `sum` is ours: the total of the lines' `cost`.
#[must_use]
pub fn payload(record: &Record, zone: Tz) -> Value {
    let start = record.start_local.format("%Y-%m-%d %H:%M:%S").to_string();
    json!({
        "id": record.id,
        "company_id": record.company_id,
        "visit_id": record.visit_id,
        "activity_id": record.activity_id,
        "staff_id": record.staff.id,
        "staff": { "id": record.staff.id, "name": record.staff.name },
        "services": record.services.iter().map(service).collect::<Vec<_>>(),
        "client": record.client.as_ref().map(client),
        "clients_count": record.seats,
        "datetime": start,
        "seance_length": record.length,
        "comment": record.comment,
        "attendance": record.attendance.number(),
        "online": record.online,
        "created_user_id": record.created_user_id,
        "deleted": record.deleted,
        "record_labels": record.labels.iter().map(|title| json!({ "title": title })).collect::<Vec<_>>(),
        "short_link": record.link,
        "create_date": stamp(record.created_at, zone),
        "last_change_date": stamp(record.changed_at, zone),
        "sum": number(record.price().0),
    })
}

fn service(line: &ServiceLine) -> Value {
    let Money(cost) = line.cost;
    let Money(first_cost) = line.first_cost;
    json!({
        "id": line.id,
        "title": line.title,
        "cost": number(cost),
        "first_cost": number(first_cost),
        "discount": number(line.discount),
        "amount": line.amount,
    })
}

fn client(client: &Client) -> Value {
    let phone = match (&client.phone, &client.refused_phone) {
        (Some(phone), _) => phone.e164(),
        (None, Some(raw)) => raw,
        (None, None) => "",
    };
    json!({ "id": client.id, "name": client.name, "phone": phone })
}

/// Hundredths as the API's number: whole ones stay integers.
fn number(hundredths: i64) -> Value {
    if hundredths % 100 == 0 {
        json!(hundredths / 100)
    } else {
        #[expect(
            clippy::cast_precision_loss,
            reason = "prices and percents are far below 2^53"
        )]
        let units = hundredths as f64 / 100.0;
        json!(units)
    }
}

fn stamp(at: Option<DateTime<Utc>>, zone: Tz) -> Option<String> {
    at.map(|at| {
        at.with_timezone(&zone)
            .format("%Y-%m-%dT%H:%M:%S%z")
            .to_string()
    })
}
