//! The booking form of a company: what it sells, and who does it.

use serde_json::{Value, json};

use super::draft::DraftService;

#[derive(Default)]
pub(super) struct Form {
    services: Vec<Value>,
    masters: Vec<Employed>,
}

struct Employed {
    id: i64,
    name: String,
    services: Vec<i64>,
}

impl Form {
    pub(super) fn sell(&mut self, service: &DraftService, length: i64) {
        self.services.push(json!({
            "id": service.id, "title": service.title, "category_id": 1,
            "price_min": service.first_cost, "price_max": service.first_cost,
            "discount": 0, "seance_length": length, "active": 1, "weight": 1,
        }));
    }

    pub(super) fn employ(&mut self, id: i64, name: &str, services: &[i64]) {
        self.masters.push(Employed {
            id,
            name: name.to_owned(),
            services: services.to_vec(),
        });
    }

    /// What the form calls a master.
    pub(super) fn name_of(&self, staff: i64) -> Option<&str> {
        let master = self.masters.iter().find(|m| m.id == staff)?;
        Some(&master.name)
    }

    /// What the form calls a service.
    pub(super) fn title_of(&self, service: i64) -> Option<&str> {
        let found = self.services.iter().find(|s| s["id"] == json!(service))?;
        found["title"].as_str()
    }

    pub(super) fn services(&self, uri: &str) -> Value {
        let staff = numbers(uri, "staff_id").first().copied();
        let master = self.masters.iter().find(|m| Some(m.id) == staff);
        let does = |service: &&Value| {
            let id = service["id"].as_i64().unwrap_or(0);
            staff.is_none() || master.is_some_and(|m| m.services.contains(&id))
        };
        let services: Vec<&Value> = self.services.iter().filter(does).collect();
        json!({ "events": [], "services": services, "category": [{"id": 1, "title": "Услуги"}] })
    }

    pub(super) fn masters(&self, uri: &str) -> Value {
        let wanted = numbers(uri, "service_ids");
        let does = |m: &&Employed| wanted.iter().all(|id| m.services.contains(id));
        let masters = self.masters.iter().filter(does);
        masters
            .map(|m| {
                json!({
                    "id": m.id, "name": m.name, "specialization": "Мастер", "bookable": true,
                    "rating": 5, "seance_date": null, "seances": [],
                })
            })
            .collect()
    }
}

/// The values of a parameter that may stand several times, with or without brackets.
fn numbers(uri: &str, key: &str) -> Vec<i64> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, _)| name.split(['%', '[']).next() == Some(key))
        .filter_map(|(_, value)| value.parse().ok())
        .collect()
}
