//! Where booking events are handed on to the salon's own automation: `[[events]]`.
//!
//! A sink takes one event when told to and says what became of it; order, repetition and filters
//! are the pipeline's. An event may come twice, always under its own id: a receiver drops what it
//! knows, a file is looked into first.

use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::change::ChangeKind;
use crate::http_client::ClientError;
use crate::ports::EventSink;

pub mod http;
mod jsonl;

/// `[[events]]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A hash of the address or path, which names the sink.
    pub sink: String,
    /// For people: the host, or the file.
    pub label: String,
    /// How it is reached.
    pub to: Target,
    /// Of these companies; empty: of all.
    pub companies: Vec<i64>,
    /// Of these kinds; empty: of all.
    pub types: Vec<ChangeKind>,
}

/// How a sink is reached.
#[derive(Clone, Debug)]
pub enum Target {
    /// `to = "http"`.
    Http(http::Settings),
    /// `to = "jsonl"`.
    Jsonl {
        /// The file, absolute.
        path: PathBuf,
    },
}

impl Target {
    /// The word after `to =`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Jsonl { .. } => "jsonl",
        }
    }
}

/// What stands for an address or a path wherever it is remembered: either may be as good as a
/// password.
#[must_use]
pub fn hash(place: &str) -> String {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"booking-monitor:sink");
    Uuid::new_v5(&namespace, place.as_bytes()).to_string()
}

/// An address that is asked for over and over, or one that is given events, may end in a password:
/// of it only this is shown.
#[must_use]
pub fn host_of(address: &str) -> String {
    let url = reqwest::Url::parse(address).ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str);
    match (host, url.as_ref().and_then(reqwest::Url::port)) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

/// Makes the sink that `settings` describe. Fails only by the configuration's fault; nothing is sent
/// or opened yet.
pub fn build(settings: &Settings) -> Result<Arc<dyn EventSink>, ClientError> {
    Ok(match &settings.to {
        Target::Http(to) => Arc::new(http::Http::build(to)?),
        Target::Jsonl { path } => Arc::new(jsonl::Jsonl::new(path)),
    })
}
