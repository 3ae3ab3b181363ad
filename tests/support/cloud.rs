//! A fake of WhatsApp's Cloud API: one number, its templates, its history.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Response};
use serde_json::{Value, json};

use super::fake::{Call, Desk, json as answer, lock, play, serve};

pub const NUMBER_ID: &str = "106540352242922";
pub const WABA_ID: &str = "102290129340398";
pub const TOKEN: &str = "CANARY-cloud-token";

/// The fake; its desk has the sent messages, the script and the log.
#[derive(Clone)]
pub struct Cloud {
    api: Arc<Api>,
    /// `http://127.0.0.1:…/v26.0`, for `api_url`.
    pub url: String,
}

struct Api {
    desk: Desk,
    templates: Mutex<Value>,
    /// Free text is taken, because the client wrote lately.
    is_open: Mutex<bool>,
    /// Statuses by message; `None` where there is no history at all.
    history: Mutex<Option<HashMap<String, Vec<String>>>>,
}

impl Deref for Cloud {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.api.desk
    }
}

impl Cloud {
    /// Starts a number in good standing.
    pub async fn start() -> Self {
        let api = Arc::new(Api {
            desk: Desk::default(),
            templates: Mutex::new(json!([])),
            is_open: Mutex::new(false),
            history: Mutex::new(Some(HashMap::new())),
        });
        let address = serve(Arc::clone(&api), |api, call| async move {
            api.handle(call).await
        })
        .await;
        Self {
            api,
            url: format!("http://{address}/v26.0"),
        }
    }

    /// The approved (or not) templates that are listed.
    pub fn set_templates(&self, templates: Value) {
        *lock(&self.api.templates) = templates;
    }

    /// The client wrote, or the day since then is over.
    pub fn set_window(&self, is_open: bool) {
        *lock(&self.api.is_open) = is_open;
    }

    /// A message came so far.
    pub fn set_status(&self, id: &str, status: &str) {
        let mut history = lock(&self.api.history);
        let history = history.get_or_insert_default();
        let events = history.entry(id.to_owned()).or_default();
        events.push(status.to_owned());
    }

    /// There is no history to be asked for.
    pub fn keep_no_history(&self) {
        *lock(&self.api.history) = None;
    }
}

/// An error in Meta's words.
pub fn error(status: u16, code: i64, details: &str) -> (u16, Value) {
    let error = json!({
        "message": format!("(#{code}) something"),
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
    });
    (status, json!({ "error": error }))
}

fn refuse(status: u16, code: i64, details: &str) -> Response<Body> {
    let (status, body) = error(status, code, details);
    answer(status, &body)
}

impl Api {
    async fn handle(&self, call: Call) -> Response<Body> {
        let path = call.uri.path().trim_start_matches("/v26.0/").to_owned();
        let (id, method) = path.split_once('/').unwrap_or((path.as_str(), "number"));
        let query = call.uri.query().unwrap_or_default();
        self.desk.log(&call.http, method, query, &call.body);
        let bearer = call.headers.get("authorization");
        if bearer.and_then(|b| b.to_str().ok()) != Some(&format!("Bearer {TOKEN}")) {
            return refuse(401, 190, "Error validating access token");
        }
        match (&call.http, id, method) {
            (&Method::GET, NUMBER_ID, "number") => answer(200, &json!({"id": NUMBER_ID})),
            (&Method::POST, NUMBER_ID, "messages") => self.send(&call.body).await,
            (&Method::GET, NUMBER_ID, "message_history") => self.history(query),
            (&Method::GET, WABA_ID, "message_templates") => self.templates(query),
            _ => refuse(400, 100, "Unsupported request"),
        }
    }

    /// One template on a page, as if there were a hundred.
    fn templates(&self, query: &str) -> Response<Body> {
        let all = lock(&self.templates).clone();
        let after = query.split('&').find_map(|p| p.strip_prefix("after="));
        let at: usize = after.map_or(0, |after| after.parse().unwrap());
        let page: Vec<&Value> = all
            .as_array()
            .into_iter()
            .flatten()
            .skip(at)
            .take(1)
            .collect();
        let mut paging = json!({"cursors": {"after": (at + 1).to_string()}});
        if all.as_array().is_some_and(|all| at + 1 < all.len()) {
            paging["next"] = "https://graph.facebook.com/next".into();
        }
        answer(200, &json!({"data": page, "paging": paging}))
    }

    async fn send(&self, body: &[u8]) -> Response<Body> {
        let body: Value = serde_json::from_slice(body).unwrap();
        let to = body["to"].as_str().unwrap_or_default().to_owned();
        let text = match body["type"].as_str() {
            Some("text") => body["text"]["body"].as_str().unwrap_or_default().to_owned(),
            _ => shown(&body["template"]),
        };
        if let Some(scripted) = self.desk.scripted() {
            return play(scripted, || {
                self.desk.take(&to, &text, "wamid.");
            })
            .await;
        }
        if body["type"] == "text" && !*lock(&self.is_open) {
            return refuse(400, 131_047, "More than 24 hours have passed");
        }
        let parameters = parameters(&body["template"]);
        let broken = |p: &String| p.is_empty() || p.contains(['\n', '\t']) || p.contains("     ");
        if parameters.iter().any(broken) {
            return refuse(400, 132_018, "a parameter breaks the rules");
        }
        let id = self.desk.take(&to, &text, "wamid.");
        answer(
            200,
            &json!({
                "messaging_product": "whatsapp",
                "contacts": [{"input": to, "wa_id": to}],
                "messages": [{"id": id, "message_status": "accepted"}],
            }),
        )
    }

    fn history(&self, query: &str) -> Response<Body> {
        let history = lock(&self.history);
        let Some(history) = history.as_ref() else {
            return refuse(400, 100, "Unsupported get request");
        };
        let id = query.split('&').find_map(|p| p.strip_prefix("message_id="));
        let events = id.and_then(|id| history.get(id)).cloned();
        let events: Vec<Value> = events
            .unwrap_or_default()
            .into_iter()
            .map(|status| json!({"id": "1", "delivery_status": status, "timestamp": 1_787_300_000}))
            .collect();
        let data = json!([{"id": "1", "message_id": id, "events": {"data": events}}]);
        answer(200, &json!({"data": data}))
    }
}

fn parameters(template: &Value) -> Vec<String> {
    let components = template["components"].as_array().into_iter().flatten();
    let all = components.flat_map(|c| c["parameters"].as_array().cloned().unwrap_or_default());
    all.map(|p| p["text"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// A template as one text: `name/language: first | second`.
fn shown(template: &Value) -> String {
    let name = template["name"].as_str().unwrap_or_default();
    let language = template["language"]["code"].as_str().unwrap_or_default();
    format!("{name}/{language}: {}", parameters(template).join(" | "))
}
