//! What a program writes into the journal: `PUT /record` replaces the whole row, `DELETE /record` takes
//! it off, `PUT /visits` notes whether the client comes.

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use super::draft::BookingDraft;
use super::journal::{Journal, set_start};
use super::server::{Asked, Reply};

/// Without these nothing is replaced.
const REQUIRED: [&str; 5] = [
    "staff_id",
    "services",
    "client",
    "datetime",
    "seance_length",
];

/// What the row has when the request does not say.
fn unsaid(key: &str) -> Value {
    match key {
        "attendance" | "master_request" | "technical_break_duration" => 0.into(),
        "custom_fields" | "record_labels" | "resource_instance_ids" => json!([]),
        "sms_remain_hours" | "email_remain_hours" => Value::Null,
        _ => "".into(),
    }
}

/// Taken over as the request has them.
const REPLACED: [&str; 10] = [
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

fn error(fields: &[&str]) -> Reply {
    let errors: serde_json::Map<String, Value> = fields
        .iter()
        .map(|field| ((*field).to_owned(), json!(["Поле обязательно"])))
        .collect();
    Reply::json(
        422,
        &json!({
            "success": false, "data": null,
            "meta": { "message": "Произошла ошибка", "errors": errors },
        }),
    )
}

/// Replaces the row by what the request says; what it does not say is gone.
pub(super) fn change(journal: &mut Journal, company: i64, record: i64, asked: Asked<'_>) -> Reply {
    let said: Value = serde_json::from_slice(asked.body).unwrap_or_default();
    let missing: Vec<&str> = REQUIRED
        .into_iter()
        .filter(|key| said[*key].is_null())
        .collect();
    if !missing.is_empty() {
        return error(&missing);
    }
    let text = said["datetime"].as_str().unwrap_or_default();
    let Ok(start) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S") else {
        return error(&["datetime"]);
    };
    let row = journal.row(company, record).cloned().unwrap_or_default();
    let closed = row["is_update_blocked"] == json!(true)
        || row["paid_full"] == json!(1)
        || row["attendance"] == json!(1)
        || row["deleted"] == json!(true);
    if closed {
        return Reply::refused(422, "Редактирование записи запрещено");
    }
    if said["client"]["phone"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        return error(&["client"]);
    }
    let staff = said["staff_id"].as_i64().unwrap_or(0);
    let length = said["seance_length"].as_i64().unwrap_or(0);
    let here = journal.company(company);
    if said["save_if_busy"] != json!(true) && here.is_busy(staff, start, length, Some(record)) {
        return Reply::refused(409, "Указанное время занято");
    }
    let named = here.form.name_of(staff).map(str::to_owned);
    let zone = here.zone;
    journal.edit(company, record, asked.now, |row| {
        let staff = &said["staff_id"];
        if row["staff_id"] != *staff {
            row["staff_id"] = staff.clone();
            let name = named.unwrap_or_else(|| format!("Мастер {staff}"));
            row["staff"] = json!({ "id": staff, "name": name });
        }
        let titles = row["services"].clone();
        let services = said["services"].as_array().cloned().unwrap_or_default();
        row["services"] = services
            .into_iter()
            .map(|mut line| {
                let known = titles.as_array().into_iter().flatten();
                let mut title = known
                    .filter(|had| had["id"] == line["id"])
                    .map(|had| had["title"].clone());
                line["title"] = title.next_back().unwrap_or_else(|| "Услуга".into());
                line
            })
            .collect();
        for field in ["phone", "name", "surname", "patronymic", "email"] {
            let value = &said["client"][field];
            row["client"][field] = if value.is_null() {
                "".into()
            } else {
                value.clone()
            };
        }
        for field in REPLACED {
            let value = &said[field];
            row[field] = if value.is_null() {
                unsaid(field)
            } else {
                value.clone()
            };
        }
        row["visit_attendance"] = row["attendance"].clone();
        row["seance_length"] = said["seance_length"].clone();
        row["length"] = said["seance_length"].clone();
        let kept = said["record_labels"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if let Some(labels) = row["record_labels"].as_array_mut() {
            labels.retain(|label| kept.contains(&label["id"]));
        }
        set_start(row, start, zone);
    });
    let row = journal.row(company, record).cloned().unwrap_or_default();
    Reply::good(row, json!([])).created()
}

/// Makes a booking, unless its master is busy then.
pub(super) fn make(journal: &mut Journal, company: i64, asked: Asked<'_>) -> Reply {
    let said: Value = serde_json::from_slice(asked.body).unwrap_or_default();
    let missing: Vec<&str> = REQUIRED
        .into_iter()
        .filter(|key| said[*key].is_null())
        .collect();
    if !missing.is_empty() {
        return error(&missing);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (phone, name) = (
        text(&said["client"]["phone"]),
        text(&said["client"]["name"]),
    );
    if phone.len() < 11 || name.is_empty() || !phone.bytes().all(|b| b.is_ascii_digit()) {
        return error(&["client"]);
    }
    let start = text(&said["datetime"]);
    let Ok(start) = NaiveDateTime::parse_from_str(&start, "%Y-%m-%d %H:%M:%S") else {
        return error(&["datetime"]);
    };
    let (staff, length) = (&said["staff_id"], &said["seance_length"]);
    let (staff, length) = (staff.as_i64().unwrap_or(0), length.as_i64().unwrap_or(0));
    let here = journal.company(company);
    if here.is_busy(staff, start, length, None) && said["save_if_busy"] != json!(true) {
        return Reply::refused(409, "Указанное время занято");
    }
    let mut draft = BookingDraft::new(company, start)
        .client(&name, &format!("+{phone}"))
        .staff(staff, here.form.name_of(staff).unwrap_or("Мастер"))
        .length(length)
        .by_user(0);
    for line in said["services"].as_array().into_iter().flatten() {
        let id = line["id"].as_i64().unwrap_or(0);
        let title = here.form.title_of(id).unwrap_or("Услуга").to_owned();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a price of the simulated salon"
        )]
        let cost = line["cost"].as_f64().unwrap_or(0.0) as i64;
        draft = draft.service(id, &title, cost, 0);
    }
    here.free.remove(&(start, staff));
    let id = journal.book(draft, asked.now);
    journal.edit(company, id, asked.now, |row| {
        row["api_id"] = said["api_id"].clone();
        row["comment"] = said["comment"].clone();
    });
    let row = journal.row(company, id).cloned().unwrap_or_default();
    Reply::good(row, json!([])).created()
}

/// Takes the booking off: 204 and no body.
pub(super) fn cancel(journal: &mut Journal, company: i64, record: i64, asked: Asked<'_>) -> Reply {
    journal.edit(company, record, asked.now, |row| {
        row["deleted"] = true.into()
    });
    Reply::plain(204, String::new())
}

/// Notes whether the client comes, also of a booking that is closed for everything else.
pub(super) fn attend(journal: &mut Journal, company: i64, record: i64, asked: Asked<'_>) -> Reply {
    let said: Value = serde_json::from_slice(asked.body).unwrap_or_default();
    let missing: Vec<&str> = ["attendance", "comment"]
        .into_iter()
        .filter(|key| said[*key].is_null())
        .collect();
    if !missing.is_empty() {
        return error(&missing);
    }
    journal.edit(company, record, asked.now, |row| {
        for key in ["attendance", "visit_attendance"] {
            row[key] = said["attendance"].clone();
        }
        row["comment"] = said["comment"].clone();
    });
    Reply::good(json!({}), json!([]))
}
