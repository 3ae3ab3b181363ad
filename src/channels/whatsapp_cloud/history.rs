//! Delivery statuses without a webhook: `message_history`, asked message by message.
//!
//! Nobody promises that it answers an app without webhooks. Where it does not, statuses stay
//! unknown and nothing else suffers.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Line;
use super::codes::WINDOW_CLOSED;
use crate::channels::classify::{exchange, scrub};
use crate::ports::{Incoming, Receipt, Received, Receiver};
use secrecy::ExposeSecret as _;

/// A message is asked for again after so many seconds, then by the last of them for the rest of its
/// day: about seventy questions, where nobody reads it.
const STEPS: [u64; 7] = [10, 20, 30, 60, 120, 300, 1200];

/// Where the question itself is refused, it is put again after this.
const REFUSED: Duration = Duration::from_hours(1);

/// The reader of statuses.
pub struct History {
    line: Arc<Line>,
    followed: Mutex<Followed>,
}

#[derive(Default)]
struct Followed {
    /// Ids and what is known of them, the newest first.
    open: Vec<(String, Receipt)>,
    asked: HashMap<String, Asked>,
    /// Nobody is asked before this.
    rests_until: Option<Instant>,
}

struct Asked {
    times: usize,
    next: Instant,
    /// What is known of it.
    told: Receipt,
}

/// What there is to do now.
enum Next {
    Ask(String),
    Wait(Option<Instant>),
}

impl History {
    pub(super) fn new(line: Arc<Line>) -> Self {
        Self {
            line,
            followed: Mutex::default(),
        }
    }

    fn followed(&self) -> MutexGuard<'_, Followed> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One question, and what it brought that is new.
    async fn ask(&self, id: &str) -> Result<Option<Incoming>, String> {
        let path = format!("{}/message_history", self.line.phone_number_id);
        let fields = "id,message_id,events{delivery_status,timestamp,webhook_update_state,error_description}";
        let query = [("message_id", id), ("fields", fields), ("limit", "100")];
        let answer = exchange(self.line.get(&path, &query)).await;
        let answer = answer.map_err(|silence| silence.why)?;
        match answer.status.as_u16() {
            200..=299 => {}
            401 => return Err(self.line.refusal(&answer)),
            400..=499 => {
                self.followed().rests_until = Some(Instant::now() + REFUSED);
                let why = self.line.refusal(&answer);
                tracing::info!(
                    why,
                    "message_history does not answer: statuses stay unknown"
                );
                return Ok(None);
            }
            _ => return Ok(None),
        }
        let Some((status, why)) = newest(&answer.json()) else {
            return Ok(None);
        };
        let mut followed = self.followed();
        match followed.asked.get_mut(id) {
            Some(asked) if asked.told == status => return Ok(None),
            Some(asked) => asked.told = status,
            None => {}
        }
        let why = why.map(|why| scrub(&why, self.line.token.expose_secret()));
        Ok(Some(Incoming::Status {
            message_id: id.to_owned(),
            status,
            why,
            hidden_chat: None,
        }))
    }
}

impl Followed {
    /// The message whose turn it is, its next turn set already: one that hangs delays no other.
    fn next(&mut self, now: Instant) -> Next {
        if let Some(until) = self.rests_until.filter(|until| *until > now) {
            return Next::Wait(Some(until));
        }
        let turn = |asked: &HashMap<String, Asked>, id: &String| asked.get(id).map(|a| a.next);
        let first = self
            .open
            .iter()
            .min_by_key(|(id, _)| turn(&self.asked, id).unwrap_or(now))
            .cloned();
        let Some((id, told)) = first else {
            return Next::Wait(None);
        };
        let asked = self.asked.entry(id.clone()).or_insert(Asked {
            times: 0,
            next: now,
            told,
        });
        if asked.next > now {
            return Next::Wait(Some(asked.next));
        }
        let step = STEPS[asked.times.min(STEPS.len() - 1)];
        asked.times += 1;
        asked.next = now + Duration::from_secs(step);
        Next::Ask(id)
    }
}

#[async_trait]
impl Receiver for History {
    async fn receive(&self, patience: Duration) -> Result<Option<Received>, String> {
        let deadline = Instant::now() + patience;
        loop {
            let now = Instant::now();
            let next = self.followed().next(now);
            match next {
                Next::Ask(id) => {
                    let Ok(answer) = timeout_at(deadline, self.ask(&id)).await else {
                        return Ok(None);
                    };
                    if let Some(what) = answer? {
                        // There is no queue: it is asked for, and nothing has to be removed.
                        let receipt = id;
                        return Ok(Some(Received { receipt, what }));
                    }
                }
                Next::Wait(until) => {
                    sleep_until(until.map_or(deadline, |until| until.min(deadline))).await;
                }
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
        }
    }

    async fn acknowledge(&self, _receipt: &str) -> Result<(), String> {
        Ok(())
    }

    fn asks_by_id(&self) -> bool {
        true
    }

    fn follow(&self, open: Vec<(String, Receipt)>) {
        let mut followed = self.followed();
        let ids: HashSet<&String> = open.iter().map(|(id, _)| id).collect();
        followed.asked.retain(|id, _| ids.contains(id));
        followed.open = open;
    }
}

/// The furthest a message came, whatever the order of the events.
fn newest(json: &Value) -> Option<(Receipt, Option<String>)> {
    let entries = json["data"].as_array()?.iter();
    let events = entries.flat_map(|entry| entry["events"]["data"].as_array().into_iter().flatten());
    let read = |event: &Value| {
        let status = match event["delivery_status"].as_str()?.to_uppercase().as_str() {
            "DELIVERED" => Receipt::Delivered,
            "READ" => Receipt::Read,
            "FAILED" => Receipt::Failed,
            _ => return None,
        };
        let why = event["error_description"].as_str().map(str::to_owned);
        let why = why.filter(|_| status == Receipt::Failed);
        let closed = WINDOW_CLOSED.to_string();
        if why.as_ref().is_some_and(|why| why.contains(&closed)) {
            return Some((Receipt::NoSession, why));
        }
        Some((status, why))
    };
    let rank = |status: Receipt| match status {
        Receipt::Sent => 0,
        Receipt::Failed | Receipt::NoAccount | Receipt::NoSession | Receipt::Withheld => 1,
        Receipt::Delivered => 2,
        Receipt::Read => 3,
    };
    events
        .filter_map(read)
        .max_by_key(|(status, _)| rank(*status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn history(statuses: &[&str]) -> Value {
        let events: Vec<Value> = statuses
            .iter()
            .map(|s| json!({"delivery_status": s, "error_description": "why"}))
            .collect();
        json!({"data": [{"id": "1", "events": {"data": events}}]})
    }

    #[test]
    fn what_arrived_counts_for_more_than_what_failed_before() {
        let failed = Some((Receipt::Failed, Some("why".to_owned())));
        for (statuses, expected) in [
            (&["SENT"][..], None),
            (&["SENT", "FAILED"], failed),
            (&["FAILED", "DELIVERED"], Some((Receipt::Delivered, None))),
            (&["READ", "DELIVERED"], Some((Receipt::Read, None))),
            (&["DELETED", "NEW"], None),
        ] {
            assert_eq!(newest(&history(statuses)), expected);
        }
        assert_eq!(newest(&json!({"data": []})), None);
        assert_eq!(newest(&Value::Null), None);
    }

    #[test]
    fn every_message_has_its_turn_and_turns_become_rarer() {
        let mut followed = Followed {
            open: vec![("b".into(), Receipt::Sent), ("a".into(), Receipt::Sent)],
            ..Followed::default()
        };
        let start = Instant::now();
        let mut turns = Vec::new();
        for second in 0..100 {
            while let Next::Ask(id) = followed.next(start + Duration::from_secs(second)) {
                turns.push(format!("{id}{second}"));
            }
        }
        assert_eq!(
            turns,
            ["b0", "a0", "b10", "a10", "b30", "a30", "b60", "a60"]
        );
        followed.rests_until = Some(start + REFUSED);
        assert!(matches!(
            followed.next(start + Duration::from_secs(300)),
            Next::Wait(Some(_))
        ));
    }
}
