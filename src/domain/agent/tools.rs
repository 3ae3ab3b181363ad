//! What the model may call, deny by default: every call is read into one of these, or refused.
//!
//! None of them writes and none names another person: whose bookings are meant is decided by the
//! linked phone, never by an argument.

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Map, Value, json};

/// More services in one booking are a mistake of the model's.
const MOST_SERVICES: usize = 6;

/// A tool as the model is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// A call that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Title, address, telephone.
    Salon,
    /// What is offered.
    Services,
    /// What it costs and how long it takes.
    Prices {
        /// Words that the title has to hold; empty for all.
        about: String,
    },
    /// Who works here.
    Masters {
        /// Only those who do all of these.
        services: Vec<i64>,
    },
    /// On which days there is time.
    FreeDays {
        /// For these.
        services: Vec<i64>,
        /// With this master; `None` for any.
        master: Option<i64>,
    },
    /// At which times.
    FreeTimes {
        /// For these.
        services: Vec<i64>,
        /// With this master; `None` for any.
        master: Option<i64>,
        /// On this day.
        day: NaiveDate,
        /// The client asked for this time.
        time: Option<NaiveTime>,
    },
    /// This client's bookings.
    Bookings,
    /// A new booking is to be put to the client.
    ProposeBooking {
        /// Of these.
        services: Vec<i64>,
        /// With this master; `None` for any.
        master: Option<i64>,
        /// On this day.
        day: NaiveDate,
        /// At this time.
        time: NaiveTime,
    },
    /// Another time, or another master.
    ProposeMove {
        /// Which booking.
        booking: i64,
        /// With this master; `None` for the same.
        master: Option<i64>,
        /// On this day.
        day: NaiveDate,
        /// At this time.
        time: NaiveTime,
    },
    /// A booking to be taken off.
    ProposeCancel {
        /// Which booking.
        booking: i64,
    },
    /// A person is to answer.
    Administrator,
}

/// Why a call is not done, in words that the model understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

/// Everything there is.
#[must_use]
pub fn all() -> Vec<Offered> {
    let services = json!({
        "type": "array", "items": {"type": "integer"},
        "description": "номера услуг из services или prices",
    });
    let master =
        json!({"type": "integer", "description": "номер мастера из masters; без него любой"});
    let day = json!({"type": "string", "description": "день, ГГГГ-ММ-ДД"});
    let time = json!({"type": "string", "description": "время, ЧЧ:ММ"});
    let booking = json!({"type": "integer", "description": "номер записи из my_bookings"});
    let object = |properties: Value, required: &[&str]| json!({"type": "object", "properties": properties, "required": required});
    let tool = |name, description, parameters| Offered {
        name,
        description,
        parameters,
    };
    vec![
        tool(
            "salon",
            "Название, адрес и телефон салона",
            object(json!({}), &[]),
        ),
        tool("services", "Список услуг салона", object(json!({}), &[])),
        tool(
            "prices",
            "Цены и длительность услуг",
            object(
                json!({"about": {"type": "string", "description": "слово из названия; без него все"}}),
                &[],
            ),
        ),
        tool(
            "masters",
            "Мастера; с услугами: только те, кто их делает",
            object(json!({"services": services}), &[]),
        ),
        tool(
            "free_days",
            "Дни, в которые есть свободное время",
            object(
                json!({"services": services, "master": master}),
                &["services"],
            ),
        ),
        tool(
            "free_times",
            "Свободное время в один день",
            object(
                json!({"services": services, "master": master, "day": day, "time": time}),
                &["services", "day"],
            ),
        ),
        tool(
            "my_bookings",
            "Будущие записи этого клиента",
            object(json!({}), &[]),
        ),
        tool(
            "propose_booking",
            "Предложить клиенту новую запись: программа сама покажет её и спросит согласия",
            object(
                json!({"services": services, "master": master, "day": day, "time": time}),
                &["services", "day", "time"],
            ),
        ),
        tool(
            "propose_move",
            "Предложить клиенту перенос его записи: программа сама покажет его и спросит согласия",
            object(
                json!({"booking": booking, "master": master, "day": day, "time": time}),
                &["booking", "day", "time"],
            ),
        ),
        tool(
            "propose_cancel",
            "Предложить клиенту отмену его записи: программа сама покажет её и спросит согласия",
            object(json!({"booking": booking}), &["booking"]),
        ),
        tool(
            "administrator",
            "Передать разговор администратору: жалоба, просьба о человеке, вопрос без ответа",
            object(json!({}), &[]),
        ),
    ]
}

/// Reads a call.
///
/// # Errors
/// An unknown tool, or arguments that it does not take.
pub fn read(name: &str, arguments: &Value) -> Result<Wanted, Refusal> {
    let empty = Map::new();
    let of = Arguments(arguments.as_object().unwrap_or(&empty));
    Ok(match name {
        "salon" => Wanted::Salon,
        "services" => Wanted::Services,
        "prices" => Wanted::Prices {
            about: of.text("about").unwrap_or_default().to_owned(),
        },
        "masters" => Wanted::Masters {
            services: of.services(false)?,
        },
        "free_days" => Wanted::FreeDays {
            services: of.services(true)?,
            master: of.master()?,
        },
        "free_times" => Wanted::FreeTimes {
            services: of.services(true)?,
            master: of.master()?,
            day: of.day()?,
            time: match of.text("time") {
                None => None,
                Some(_) => Some(of.time()?),
            },
        },
        "my_bookings" => Wanted::Bookings,
        "propose_booking" => Wanted::ProposeBooking {
            services: of.services(true)?,
            master: of.master()?,
            day: of.day()?,
            time: of.time()?,
        },
        "propose_move" => Wanted::ProposeMove {
            booking: of.booking()?,
            master: of.master()?,
            day: of.day()?,
            time: of.time()?,
        },
        "propose_cancel" => Wanted::ProposeCancel {
            booking: of.booking()?,
        },
        "administrator" => Wanted::Administrator,
        _ => return Err(Refusal("такого инструмента нет".into())),
    })
}

struct Arguments<'a>(&'a Map<String, Value>);

impl Arguments<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        let text = self.0.get(key)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// A whole number, or one that was written as text.
    fn number(&self, key: &str) -> Result<Option<i64>, Refusal> {
        let number = match self.0.get(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_i64(),
        };
        match number {
            Some(number) if number >= 0 => Ok(Some(number)),
            _ => Err(Refusal(format!("{key}: нужно целое число"))),
        }
    }

    fn services(&self, required: bool) -> Result<Vec<i64>, Refusal> {
        let wrong = || Refusal("services: нужен список номеров услуг из services".into());
        let items = match self.0.get("services") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
        };
        let mut ids = Vec::new();
        for item in items {
            let id = match &item {
                Value::String(text) => text.trim().parse().ok(),
                value => value.as_i64(),
            };
            let id = id.filter(|id| *id > 0).ok_or_else(wrong)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        match (ids.is_empty() && required) || ids.len() > MOST_SERVICES {
            true => Err(wrong()),
            false => Ok(ids),
        }
    }

    /// 0 is "any" to the journal, and to the model.
    fn master(&self) -> Result<Option<i64>, Refusal> {
        Ok(self.number("master")?.filter(|id| *id != 0))
    }

    fn booking(&self) -> Result<i64, Refusal> {
        let missing = || Refusal("booking: нужен номер записи из my_bookings".into());
        self.number("booking")?.ok_or_else(missing)
    }

    fn day(&self) -> Result<NaiveDate, Refusal> {
        let day = self.text("day").and_then(|text| {
            let text = text.get(..10).unwrap_or(text);
            NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
        });
        day.ok_or_else(|| Refusal("day: нужен день вида 2026-08-21".into()))
    }

    fn time(&self) -> Result<NaiveTime, Refusal> {
        let time = self.text("time").and_then(|text| {
            let text = text.get(..5).unwrap_or(text);
            NaiveTime::parse_from_str(text, "%H:%M").ok()
        });
        time.ok_or_else(|| Refusal("time: нужно время вида 14:30".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_tool_of_ours_is_refused() {
        for name in ["delete_record", "sql", "", "propose_cancel_all", "Services"] {
            let refused = Refusal("такого инструмента нет".into());
            assert_eq!(read(name, &json!({})), Err(refused), "{name}");
        }
    }

    #[test]
    fn every_tool_on_offer_is_understood() {
        let arguments = json!({
            "services": [45], "master": 5, "day": "2026-08-21", "time": "14:30", "booking": 7,
        });
        for tool in all() {
            assert!(read(tool.name, &arguments).is_ok(), "{}", tool.name);
            assert!(tool.parameters["properties"].is_object());
        }
    }

    #[test]
    fn arguments_are_read_as_models_write_them_and_no_further() {
        let day = NaiveDate::from_ymd_opt(2026, 8, 21).unwrap();
        let asked = json!({"services": ["45", 45], "master": "0", "day": "2026-08-21T00:00:00"});
        assert_eq!(
            read("free_times", &asked),
            Ok(Wanted::FreeTimes {
                services: vec![45],
                master: None,
                day,
                time: None
            })
        );
        for (name, arguments, why) in [
            (
                "free_times",
                json!({"services": [45]}),
                "day: нужен день вида 2026-08-21",
            ),
            (
                "free_times",
                json!({"services": [45], "day": "завтра"}),
                "day: нужен день вида 2026-08-21",
            ),
            (
                "free_days",
                json!({}),
                "services: нужен список номеров услуг из services",
            ),
            (
                "free_days",
                json!({"services": ["стрижка"]}),
                "services: нужен список номеров услуг из services",
            ),
            (
                "free_days",
                json!({"services": [1, 2, 3, 4, 5, 6, 7]}),
                "services: нужен список номеров услуг из services",
            ),
            (
                "propose_cancel",
                json!({}),
                "booking: нужен номер записи из my_bookings",
            ),
            (
                "propose_cancel",
                json!({"booking": "все"}),
                "booking: нужно целое число",
            ),
            (
                "propose_cancel",
                json!({"booking": -1}),
                "booking: нужно целое число",
            ),
            (
                "propose_cancel",
                json!([7]),
                "booking: нужен номер записи из my_bookings",
            ),
        ] {
            assert_eq!(
                read(name, &arguments),
                Err(Refusal(why.into())),
                "{name} {arguments}"
            );
        }
    }
}
