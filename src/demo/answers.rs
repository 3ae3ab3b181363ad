//! A model without a model: it answers clients of the simulated salon by a handful of words, so that a
//! conversation can be shown and tried with nothing but this program. What it may say and do is decided
//! where it is for every model; it is only less clever.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::ports::{Ask, Call, Model, ModelError, Said, Thought};

/// The scripted model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers;

/// What the client wants, as far as words tell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Topic {
    Price,
    Book,
    Cancel,
    Bookings,
    Place,
    Other,
}

impl Topic {
    fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["отмен", "cancel"]) {
            Self::Cancel
        } else if has(&["когда я", "мои запис", "моя запись", "my booking"])
        {
            Self::Bookings
        } else if has(&["запис", "запиш", "свободн", "время", "book", "free"])
            || clock(&text).is_some()
        {
            Self::Book
        } else if has(&["цен", "стоит", "сколько", "price", "how much"]) {
            Self::Price
        } else if has(&["где", "адрес", "where", "address"]) {
            Self::Place
        } else {
            Self::Other
        }
    }
}

/// `14:30` in a text.
fn clock(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != ':');
    let mut times = words.filter(|w| w.len() == 5 && w.as_bytes()[2] == b':');
    times.next().map(str::to_owned)
}

fn call(name: &str, arguments: Value) -> Thought {
    Thought::Calls(vec![Call {
        id: name.to_owned(),
        name: name.to_owned(),
        arguments,
    }])
}

fn words(text: impl Into<String>) -> Thought {
    Thought::Words(text.into())
}

/// What a tool answered last in this turn.
fn last<'a>(said: &'a [Said], tool: &str) -> Option<&'a Value> {
    said.iter().rev().find_map(|said| match said {
        Said::Result { name, content, .. } if name == tool => Some(content),
        _ => None,
    })
}

fn list(content: &Value, key: &str, line: impl Fn(&Value) -> String) -> String {
    let items = content[key].as_array().into_iter().flatten();
    items.map(line).collect::<Vec<_>>().join("\n")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[async_trait]
impl Model for Answers {
    fn name(&self) -> &str {
        "demo"
    }

    async fn ask(&self, ask: &Ask) -> Result<Thought, ModelError> {
        let asked = ask.said.iter().rev().find_map(|said| match said {
            Said::Client { text } => Some(text.as_str()),
            _ => None,
        });
        let asked = asked.unwrap_or_default();
        Ok(match ask.said.last() {
            Some(Said::Result { name, content, .. }) => {
                next(Topic::of(asked), asked, name, content, &ask.said)
            }
            Some(Said::Note { .. }) => words("Об этом лучше спросить администратора."),
            _ => match Topic::of(asked) {
                Topic::Price | Topic::Book => call("prices", json!({})),
                Topic::Cancel | Topic::Bookings => call("my_bookings", json!({})),
                Topic::Place => call("salon", json!({})),
                Topic::Other => words("Подскажу цены и свободное время, запишу или отменю запись."),
            },
        })
    }

    async fn probe(&self) -> Result<(), ModelError> {
        Ok(())
    }
}

/// What follows from a tool's answer.
fn next(topic: Topic, asked: &str, tool: &str, content: &Value, said: &[Said]) -> Thought {
    let service = last(said, "prices").map(|prices| {
        let services = prices["services"].as_array().into_iter().flatten();
        let asked = asked.to_lowercase();
        let named = services.clone().find(|service| {
            let title = text(service, "title").to_lowercase();
            title.split_whitespace().any(|word| {
                let stem: String = word.chars().take(5).collect();
                asked.contains(&stem)
            })
        });
        let chosen = named.or_else(|| services.clone().next());
        chosen.map_or(Value::Null, |service| service["service"].clone())
    });
    let service = service.unwrap_or(Value::Null);
    match (tool, topic) {
        (_, _) if content["error"].is_string() && tool != "propose_booking" => {
            words("Об этом лучше спросить администратора.")
        }
        ("prices", Topic::Book) => call("free_days", json!({ "services": [service] })),
        ("prices", _) => words(list(content, "services", |service| {
            let parts = [
                text(service, "title"),
                text(service, "price"),
                text(service, "lasts"),
            ];
            let parts = parts.into_iter().filter(|part| !part.is_empty());
            parts.collect::<Vec<_>>().join(", ")
        })),
        ("free_days", _) => match content["free_days"][0]["day"].as_str() {
            Some(day) => call("free_times", json!({"services": [service], "day": day})),
            None => words("Свободного времени пока нет."),
        },
        ("free_times", _) => {
            let times = content["times"].as_array().into_iter().flatten();
            let times: Vec<&str> = times.filter_map(Value::as_str).collect();
            match clock(asked).filter(|time| times.contains(&time.as_str())) {
                Some(time) => call(
                    "propose_booking",
                    json!({"services": [service], "day": content["day"], "time": time}),
                ),
                None => words(format!(
                    "Свободно {}: {}. На какое время?",
                    text(content, "date"),
                    times.join(", ")
                )),
            }
        }
        ("my_bookings", Topic::Cancel) => match content["bookings"][0]["booking"].as_i64() {
            Some(id) => call("propose_cancel", json!({ "booking": id })),
            None => words("Будущих записей у вас не вижу."),
        },
        ("my_bookings", _) => match content["bookings"]
            .as_array()
            .is_some_and(|b| !b.is_empty())
        {
            true => words(list(content, "bookings", |booking| {
                format!(
                    "Вы записаны: {} в {}, {}.",
                    text(booking, "date"),
                    text(booking, "time"),
                    text(booking, "services")
                )
            })),
            false => words("Будущих записей у вас не вижу."),
        },
        ("salon", _) => words(format!("Мы здесь: {}.", text(content, "address"))),
        _ => words("Об этом лучше спросить администратора."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_found_among_words() {
        assert_eq!(
            clock("давайте на 14:30, пожалуйста").as_deref(),
            Some("14:30")
        );
        assert_eq!(clock("в 9 утра"), None);
        assert!(Topic::of("Отмените, пожалуйста") == Topic::Cancel);
        assert!(Topic::of("14:30") == Topic::Book);
    }
}
