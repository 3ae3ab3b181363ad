//! A change as an event: its identity and its body, in the shape of a YClients webhook.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::change::{Change, ChangeKind, Field};
use super::record::{Client, Money, Record, ServiceLine};
use crate::domain::zone::Zone;

/// How a deletion became known. Stored in `data.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The API said `deleted: true`.
    Deleted,
    /// The API does not know the record any more.
    NotFound,
    /// The salon cancels by "did not come".
    Attendance,
}

impl Gone {
    fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::NotFound => "not_found",
            Self::Attendance => "attendance",
        }
    }
}

/// One event about one booking.
#[derive(Clone)]
pub struct Event {
    /// Deterministic: the same change recorded twice is one event.
    pub id: String,
    /// Created, updated or deleted.
    pub kind: ChangeKind,
    /// The webhook-shaped body.
    pub payload: Value,
}

debug_only!(Event: id, kind);

/// Namespace of event ids: UUIDv5 of the URL namespace and the product's name.
fn namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, b"booking-monitor:event")
}

impl Event {
    /// The event of a change.
    ///
    /// `unseen_past`: the booking is older than what we know of it, so it is an update without old
    /// values although nothing stands before it.
    #[must_use]
    pub fn of(
        change: &Change,
        record: &Record,
        unseen_past: bool,
        gone: Gone,
        revision: i64,
        zone: Zone,
        now: DateTime<Utc>,
    ) -> Self {
        let kind = if unseen_past {
            ChangeKind::Updated
        } else {
            change.kind()
        };
        let created = record.created_at.map_or(0, |t| t.timestamp());
        let name = format!("{}:{}:{created}:{revision}", record.company_id, record.id);
        let id = Uuid::new_v5(&namespace(), name.as_bytes()).to_string();
        let mut data = body(record, zone);
        if kind == ChangeKind::Deleted {
            data["deleted_by"] = Value::Null;
            data["reason"] = gone.as_str().into();
        }
        let changes = if kind == ChangeKind::Updated {
            changes(change)
        } else {
            Map::new()
        };
        let payload = json!({
            "event": kind.event_type(),
            "event_id": id,
            "company_id": record.company_id,
            "resource": "record",
            "resource_id": record.id,
            "status": kind.status(),
            "data": data,
            "changes": changes,
            "created_at": now.to_rfc3339_opts(SecondsFormat::Millis, true),
        });
        Self { id, kind, payload }
    }
}

/// A record in the API's own names, so that a salon's automation reads our events like the webhooks
/// it could not have. Times are the salon's wall clock; `sum` is ours: the total of the lines'
/// `cost`.
#[must_use]
pub fn body(record: &Record, zone: Zone) -> Value {
    let server = |t: Option<DateTime<Utc>>| {
        t.map(|t| {
            t.with_timezone(&zone)
                .format("%Y-%m-%dT%H:%M:%S%z")
                .to_string()
        })
    };
    json!({
        "id": record.id,
        "company_id": record.company_id,
        "visit_id": record.visit_id,
        "activity_id": record.activity_id,
        "staff_id": record.staff.id,
        "staff": {"id": record.staff.id, "name": record.staff.name},
        "services": services(&record.services),
        "client": client(record.client.as_ref()),
        "clients_count": record.seats,
        "datetime": naive(record.start_local),
        "seance_length": record.length,
        "comment": record.comment,
        "attendance": record.attendance.number(),
        "online": record.online,
        "created_user_id": record.created_user_id,
        "deleted": record.deleted,
        "record_labels": record.labels.iter().map(|title| json!({"title": title})).collect::<Vec<_>>(),
        "short_link": record.link,
        "create_date": server(record.created_at),
        "last_change_date": server(record.changed_at),
        "sum": amount(record.price()),
    })
}

fn changes(change: &Change) -> Map<String, Value> {
    let (Some(old), Some(new)) = (change.before(), change.after()) else {
        return Map::new();
    };
    let mut changes = Map::new();
    let mut note = |key: &str, old: Value, new: Value| {
        changes.insert(key.into(), json!({"old": old, "new": new}));
    };
    for field in change.fields() {
        match field {
            Field::Start => note("datetime", naive(old.start_local), naive(new.start_local)),
            Field::Staff => note("staff_id", old.staff.id.into(), new.staff.id.into()),
            Field::Services | Field::Price => {
                note("services", services(&old.services), services(&new.services));
            }
            Field::Duration => note("seance_length", old.length.into(), new.length.into()),
            Field::Client => {
                note(
                    "client",
                    client(old.client.as_ref()),
                    client(new.client.as_ref()),
                );
            }
            Field::Attendance => {
                note(
                    "attendance",
                    old.attendance.number().into(),
                    new.attendance.number().into(),
                );
            }
            Field::Comment => {
                note(
                    "comment",
                    old.comment.as_str().into(),
                    new.comment.as_str().into(),
                );
            }
            Field::Labels => {
                note("record_labels", json!(old.labels), json!(new.labels));
            }
        }
    }
    changes
}

fn naive(local: NaiveDateTime) -> Value {
    local.format("%Y-%m-%d %H:%M:%S").to_string().into()
}

fn services(lines: &[ServiceLine]) -> Value {
    lines
        .iter()
        .map(|s| {
            json!({
                "id": s.id,
                "title": s.title,
                "cost": amount(s.cost),
                "first_cost": amount(s.first_cost),
                "discount": amount(Money(s.discount)),
                "amount": s.amount,
            })
        })
        .collect()
}

fn client(client: Option<&Client>) -> Value {
    client.map_or(Value::Null, |c| {
        let phone = c
            .phone
            .as_ref()
            .map(|p| p.e164())
            .or(c.refused_phone.as_deref());
        json!({"id": c.id, "name": c.name, "phone": phone.unwrap_or("")})
    })
}

/// Whole numbers stay whole, as the API sends them.
fn amount(hundredths: Money) -> Value {
    if hundredths.0 % 100 == 0 {
        (hundredths.0 / 100).into()
    } else {
        #[expect(
            clippy::cast_precision_loss,
            reason = "prices and percents are far below 2^53"
        )]
        let units = hundredths.0 as f64 / 100.0;
        json!(units)
    }
}
