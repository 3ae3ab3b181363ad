//! One record as it is sent back: `PUT /record` replaces everything, so whatever is left out is lost.
//!
//! Only what the API takes is sent, as it said it; nothing of it is read or believed here.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::ports::Edit;

/// Sent back as they came.
const KEPT: [&str; 12] = [
    "staff_id",
    "seance_length",
    "comment",
    "attendance",
    "api_id",
    "custom_color",
    "custom_fields",
    "master_request",
    "technical_break_duration",
    "sms_remain_hours",
    "email_remain_hours",
    "resource_instance_ids",
];
const KEPT_OF_SERVICE: [&str; 5] = ["id", "amount", "first_cost", "discount", "cost"];
const KEPT_OF_CLIENT: [&str; 6] = ["id", "phone", "name", "surname", "patronymic", "email"];

/// One record, whole. It has a client's name and phone, hence no `Debug`.
pub(in crate::yclients) struct Whole(Map<String, Value>);

impl Whole {
    pub(super) fn read(data: &RawValue) -> Option<Self> {
        serde_json::from_str(data.get()).ok().map(Self)
    }

    /// The body that leaves everything as it is but for this.
    pub(in crate::yclients) fn whole(&self, edit: &Edit) -> Value {
        let mut body = picked(&self.0, &KEPT);
        let services = self.0.get("services").and_then(Value::as_array);
        let services = services.into_iter().flatten().filter_map(Value::as_object);
        let services: Vec<_> = services.map(|s| picked(s, &KEPT_OF_SERVICE)).collect();
        body.insert("services".to_owned(), json!(services));
        if let Some(client) = self.0.get("client").and_then(Value::as_object) {
            body.insert("client".to_owned(), json!(picked(client, &KEPT_OF_CLIENT)));
        }
        let labels = self.0.get("record_labels").and_then(Value::as_array);
        let labels = labels.into_iter().flatten().map(|label| &label["id"]);
        body.insert("record_labels".to_owned(), labels.cloned().collect());
        // The wall clock, not the moment: its offset is wrong where clocks change.
        let start = self.0.get("date").cloned().unwrap_or_default();
        body.insert("datetime".to_owned(), start);
        if let Some(id) = self.0.get("activity_id").filter(|id| **id != json!(0)) {
            body.insert("activity_id".to_owned(), id.clone());
        }
        // Where it stands already it may go on standing, whoever else is booked then.
        let stays = edit.start.is_none() && edit.staff.is_none();
        body.insert("save_if_busy".to_owned(), stays.into());
        // The client hears of it from us.
        body.insert("send_sms".to_owned(), false.into());
        if let Some(attendance) = edit.attendance {
            body.insert("attendance".to_owned(), attendance.number().into());
        }
        if let Some(start) = edit.start {
            let start = start.format("%Y-%m-%d %H:%M:%S").to_string();
            body.insert("datetime".to_owned(), start.into());
        }
        if let Some(staff) = edit.staff {
            body.insert("staff_id".to_owned(), staff.into());
        }
        Value::Object(body)
    }
}

fn picked(from: &Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    let there = keys.iter().filter_map(|key| {
        let value = from.get(*key).filter(|value| !value.is_null())?;
        Some(((*key).to_owned(), value.clone()))
    });
    there.collect()
}
