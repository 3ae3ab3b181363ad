//! A booking as it is dictated at the desk.

use chrono::NaiveDateTime;
use serde_json::{Value, json};

/// A booking to be written into the journal.
#[derive(Clone, Debug)]
pub struct BookingDraft {
    /// The company.
    pub company: i64,
    /// Wall-clock start.
    pub start: NaiveDateTime,
    /// Name and phone; `None` makes a blocked slot.
    pub client: Option<(String, String)>,
    /// The master's id and name.
    pub staff: (i64, String),
    /// What is done.
    pub services: Vec<DraftService>,
    /// Length in seconds.
    pub length: i64,
    /// The administrator's comment.
    pub comment: String,
    /// Made by the client, in the widget.
    pub online: bool,
    /// The visit it belongs to; `None` begins a new one.
    pub visit_id: Option<i64>,
    /// The group activity, 0 for none.
    pub activity_id: i64,
    /// Who made it; 0 for the client.
    pub created_user_id: i64,
}

/// A service with its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftService {
    /// Its id in the catalogue.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// The price before the discount, whole units.
    pub first_cost: i64,
    /// The discount in percent.
    pub discount: i64,
}

impl DraftService {
    /// A service at its full price less a discount in percent.
    #[must_use]
    pub fn new(id: i64, title: &str, first_cost: i64, discount: i64) -> Self {
        Self {
            id,
            title: title.to_owned(),
            first_cost,
            discount,
        }
    }
}

impl BookingDraft {
    /// An hour with the first master, booked at the desk, as yet for nobody and nothing.
    #[must_use]
    pub fn new(company: i64, start: NaiveDateTime) -> Self {
        Self {
            company,
            start,
            client: None,
            staff: (2_400_001, "Мастер А".to_owned()),
            services: Vec::new(),
            length: 3600,
            comment: String::new(),
            online: false,
            visit_id: None,
            activity_id: 0,
            created_user_id: 12_100_001,
        }
    }

    /// For this person.
    #[must_use]
    pub fn client(mut self, name: &str, phone: &str) -> Self {
        self.client = Some((name.to_owned(), phone.to_owned()));
        self
    }

    /// With this master.
    #[must_use]
    pub fn staff(mut self, id: i64, name: &str) -> Self {
        self.staff = (id, name.to_owned());
        self
    }

    /// With one more service.
    #[must_use]
    pub fn service(mut self, id: i64, title: &str, first_cost: i64, discount: i64) -> Self {
        self.services
            .push(DraftService::new(id, title, first_cost, discount));
        self
    }

    /// Of this length in seconds.
    #[must_use]
    pub fn length(mut self, seconds: i64) -> Self {
        self.length = seconds;
        self
    }

    /// With this comment.
    #[must_use]
    pub fn comment(mut self, comment: &str) -> Self {
        comment.clone_into(&mut self.comment);
        self
    }

    /// By the client, in the widget.
    #[must_use]
    pub fn online(mut self) -> Self {
        self.online = true;
        self.created_user_id = 0;
        self
    }

    /// Within an existing visit.
    #[must_use]
    pub fn visit(mut self, id: i64) -> Self {
        self.visit_id = Some(id);
        self
    }

    /// As a seat in a group activity.
    #[must_use]
    pub fn activity(mut self, id: i64) -> Self {
        self.activity_id = id;
        self
    }

    /// By this user.
    #[must_use]
    pub fn by_user(mut self, id: i64) -> Self {
        self.created_user_id = id;
        self
    }
}

pub(super) fn set_staff(row: &mut Value, id: i64, name: &str) {
    row["staff_id"] = id.into();
    row["staff"]["id"] = id.into();
    row["staff"]["name"] = name.into();
}

pub(super) fn set_services(row: &mut Value, services: &[DraftService]) {
    let lines = services.iter().map(|service| {
        let cost = cost(service);
        json!({
            "id": service.id,
            "title": service.title,
            "cost": cost,
            "cost_to_pay": cost,
            "manual_cost": service.first_cost,
            "cost_per_unit": service.first_cost,
            "discount": service.discount,
            "first_cost": service.first_cost,
            "amount": 1,
        })
    });
    row["services"] = lines.collect();
}

/// The price after the discount: an integer where it is one, as the API writes it.
fn cost(service: &DraftService) -> Value {
    let hundredths = service.first_cost * (100 - service.discount);
    if hundredths % 100 == 0 {
        json!(hundredths / 100)
    } else {
        #[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53")]
        let units = hundredths as f64 / 100.0;
        json!(units)
    }
}
