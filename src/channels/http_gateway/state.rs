//! Whether a gateway's phone is connected, where there is such a question.

use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::form::percent;
use super::{HttpGateway, Preset};
use crate::channels::classify::{exchange, scrub, worded};

impl HttpGateway {
    /// Asks for the state. Without such a question only a message can tell.
    pub(super) async fn state(&self) -> Result<(), String> {
        let session = percent(&self.settings.session);
        let path = match self.settings.preset {
            Preset::Waha => format!("/api/sessions/{session}"),
            Preset::Evolution => format!("/instance/connectionState/{session}"),
            Preset::WppConnect => format!("/api/{session}/status-session"),
            Preset::Wazzup | Preset::None => return Ok(()),
        };
        let answer = exchange(self.ask(Method::GET, &path)).await;
        let answer = answer.map_err(|silence| silence.why)?;
        let json = answer.json();
        if !answer.status.is_success() {
            return Err(worded(answer.status, &self.said(&answer, &json)));
        }
        let token = self.settings.token.expose_secret();
        match word(&json) {
            Some(word) if is_good(&word) => Ok(()),
            Some(word) => Err(format!("the session is {}", scrub(&word, token))),
            None => Err("the gateway does not say how its session fares".to_owned()),
        }
    }
}

/// The word for the state, wherever this version keeps it.
fn word(json: &Value) -> Option<String> {
    let places = [
        "/instance/state",
        "/instance/status",
        "/engine/state",
        "/state",
        "/status",
        "/response/status",
    ];
    let first = if json["status"].is_string() && json["instance"].is_null() {
        "/status"
    } else {
        "/instance/state"
    };
    let mut found = std::iter::once(first)
        .chain(places)
        .filter_map(|place| json.pointer(place));
    found.find_map(|value| match value {
        Value::String(word) if !word.is_empty() => Some(word.clone()),
        Value::Bool(true) => Some("connected".to_owned()),
        Value::Bool(false) => Some("disconnected".to_owned()),
        _ => None,
    })
}

fn is_good(word: &str) -> bool {
    let good = ["working", "open", "connected", "islogged", "inchat"];
    good.contains(&word.to_lowercase().as_str())
}
