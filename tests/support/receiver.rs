//! A salon's own automation: it takes the events that are posted to it, and remembers each request
//! with its headers.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Response;
use serde_json::Value;

use super::fake::{Call, Desk, lock, play, serve};

/// The end of the address, which is as good as a password.
pub const PATH: &str = "/hook/CANARY-hook";
pub const TOKEN: &str = "CANARY-receiver-token";
pub const SECRET: &str = "CANARY-receiver-secret";

/// One request as it came.
#[derive(Clone)]
pub struct Posted {
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Posted {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The event's type and the booking's id.
    pub fn what(&self) -> String {
        let json = self.json();
        format!(
            "{} {}",
            json["event"].as_str().unwrap(),
            json["resource_id"]
        )
    }
}

#[derive(Clone)]
pub struct Receiver {
    inner: Arc<Inner>,
    /// Where events are posted to.
    pub url: String,
}

#[derive(Default)]
struct Inner {
    desk: Desk,
    posted: Mutex<Vec<Posted>>,
    taken: Mutex<Vec<Posted>>,
    /// What it answers unless something else was scripted.
    status: Mutex<u16>,
}

impl Deref for Receiver {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.inner.desk
    }
}

impl Receiver {
    pub async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        *lock(&inner.status) = 200;
        let address = serve(Arc::clone(&inner), |inner, call| async move {
            inner.handle(call).await
        })
        .await;
        Self {
            inner,
            url: format!("http://{address}{PATH}"),
        }
    }

    /// From now on it answers so.
    pub fn answer(&self, status: u16) {
        *lock(&self.inner.status) = status;
    }

    /// Every request so far, whatever was answered.
    pub fn posted(&self) -> Vec<Posted> {
        lock(&self.inner.posted).clone()
    }

    /// Those that were answered with 2xx.
    pub fn taken(&self) -> Vec<Posted> {
        lock(&self.inner.taken).clone()
    }

    /// What was taken, in order.
    pub fn took(&self) -> Vec<String> {
        self.taken().iter().map(Posted::what).collect()
    }
}

impl Inner {
    async fn handle(&self, call: Call) -> Response<Body> {
        let text = |v: &axum::http::HeaderValue| v.to_str().unwrap_or_default().to_owned();
        let headers = call.headers.iter();
        let posted = Posted {
            headers: headers.map(|(k, v)| (k.to_string(), text(v))).collect(),
            body: String::from_utf8(call.body.to_vec()).unwrap(),
        };
        lock(&self.posted).push(posted.clone());
        let query = call.uri.query().unwrap_or_default();
        self.desk
            .log(&call.http, call.uri.path(), query, &call.body);
        if let Some(answer) = self.desk.scripted() {
            return play(answer, || lock(&self.taken).push(posted)).await;
        }
        let status = *lock(&self.status);
        if (200..300).contains(&status) {
            lock(&self.taken).push(posted);
        }
        Response::builder()
            .status(status)
            .body(Body::from("+79000000001 Анна"))
            .unwrap()
    }
}
