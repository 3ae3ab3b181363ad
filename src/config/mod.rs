//! What may be written in booking-monitor.toml, and what comes of it.
//!
//! [`locate`] finds the file, [`load`] reads it. A broken value never falls back to a default: a
//! load ends in a whole [`Config`] with its warnings, or in a [`Report`] of every [`Problem`] at
//! once. Defaults stand beside the call that reads their key; booking-monitor.toml shows them to
//! people, and a test holds the two together.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveTime;
use secrecy::SecretString;

pub use crate::domain::message::Language;
use crate::domain::policy::{Kind, Pace, Rules};
use crate::domain::reply::Replies;
use crate::domain::zone::Zone;
pub use values::parse_duration as parse_span;

mod address;
mod agent;
mod approved;
mod budget;
mod channels;
mod companies;
mod elsewhere;
mod environment;
mod events;
mod gateway;
mod http;
mod load;
mod monitor;
mod problem;
mod reader;
mod replies;
mod secret;
mod section;
mod templates;
mod values;
mod yclients;

pub use address::is_open;
pub use environment::{Environment, ProcessEnvironment};
pub use load::{Loaded, Secrets, load, locate, locate_from};
pub use problem::{Problem, Report};

/// A whole, checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// What people read.
    pub language: Language,
    /// `[database]`.
    pub database: Database,
    /// `[monitor] enabled`: false means no request and no send.
    pub enabled: bool,
    /// `[yclients]`.
    pub yclients: crate::yclients::Settings,
    /// `[channels.*]`, in the file's order.
    pub channels: Vec<crate::channels::Settings>,
    /// `[[companies]]`, in the file's order.
    pub companies: Vec<Company>,
    /// `[alerts]`.
    pub alerts: Alerts,
    /// `[[events]]`, in the file's order.
    pub events: Vec<crate::sinks::Settings>,
    /// `[http]`.
    pub http: Http,
}

/// `[database]`.
#[derive(Clone, Debug)]
pub struct Database {
    /// The SQLite file, absolute or relative to the working folder.
    pub path: PathBuf,
    /// Where a backup is put every day; `None`: nowhere.
    pub backup_dir: Option<PathBuf>,
    /// How long events, notifications, messages and past bookings are kept.
    pub retention: Duration,
}

/// `[[companies]]`, with everything inherited filled in.
#[derive(Clone, Debug)]
pub struct Company {
    /// The company's (branch's) id in YClients.
    pub id: i64,
    /// In place of the API's title.
    pub title: Option<String>,
    /// In place of the API's address.
    pub address: Option<String>,
    /// In place of the API's telephone.
    pub phone: Option<String>,
    /// In place of the API's zone.
    pub timezone: Option<Zone>,
    /// ISO 3166; completes phones without a code.
    pub country: String,
    /// What its people read.
    pub language: Language,
    /// Channels to clients by name, in the order of trying.
    pub channels: Vec<String>,
    /// Who hears of what happens here.
    pub owners: Vec<Owner>,
    /// The token of the user whose eyes this company's journal is read with, in place of everybody's.
    pub user_token: Option<secrecy::SecretString>,
    /// Intervals, delays and the horizon.
    pub pace: Pace,
    /// When polls run, in place of `interval`: a cron expression in the company's zone.
    pub schedule: Option<String>,
    /// No client is written to between these hours of the company's day.
    pub quiet_hours: Option<(NaiveTime, NaiveTime)>,
    /// What is told and what is not.
    pub rules: Rules,
    /// `notify.booking_link`.
    pub booking_link: Option<String>,
    /// So many free times are offered in a cancellation; 0: none.
    pub offer_times: u32,
    /// `notify.review_link`.
    pub review_link: Option<String>,
    /// Texts in place of the built-in ones.
    pub templates: Vec<Template>,
    /// How clients are answered.
    pub replies: Replies,
    /// `agent_enabled`, and `[agent]`.
    pub agent: Agent,
}

/// `[agent]` of one company.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its clients are answered by a model, unless an owner says otherwise.
    pub enabled: bool,
    /// Which one; `None` where no key is given.
    pub model: Option<crate::models::Settings>,
    /// Messages this close together are answered together.
    pub join: Duration,
    /// So many answers one client gets in a day; 0: any number.
    pub per_client_per_day: u32,
    /// So many answers in a day; 0: any number.
    pub per_day: u32,
    /// Conversations may leave to the model's address.
    pub external: bool,
    /// How it speaks.
    pub tone: String,
    /// What it must not do.
    pub restrictions: String,
}

impl Default for Agent {
    /// Nobody is answered by a model.
    fn default() -> Self {
        Self {
            enabled: false,
            model: None,
            join: Duration::from_secs(4),
            per_client_per_day: 30,
            per_day: 1000,
            external: true,
            tone: String::new(),
            restrictions: String::new(),
        }
    }
}

/// An owner's chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The channel's name.
    pub channel: String,
    /// The chat id or phone.
    pub to: String,
    /// Kinds that are copied there.
    pub events: Vec<Kind>,
    /// Alerts, cards, the day's digest and clients' words go there too.
    pub alerts: bool,
    /// Clients' words go there in any case.
    pub messages: bool,
    /// What clients ask of a person goes there in any case.
    pub support: bool,
    /// In a group: the users who may answer clients and give orders.
    pub users: Vec<String>,
}

impl Owner {
    /// Whether clients' words are read there; `asks` where they want something of the salon's people.
    #[must_use]
    pub fn reads_words(&self, asks: bool) -> bool {
        self.alerts || self.messages || (asks && self.support)
    }
}

/// One text that stands in place of a built-in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// `created`, `updated`, `restored`, `cancelled` …
    pub key: String,
    /// For this channel only; `None` for all.
    pub channel: Option<String>,
    /// MiniJinja source.
    pub source: String,
    /// Where it was written: a file's path, or the configuration's key path.
    pub origin: String,
}

/// `[alerts]`.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// How long something is broken before the owners are told.
    pub after: Duration,
    /// A dead-man switch: asked for after every good cycle.
    pub heartbeat_url: Option<SecretString>,
    /// Owners' copies show masked phones.
    pub mask_phones: bool,
    /// At which hour of the company's day its owners are told of it; `None`: never.
    pub digest: Option<NaiveTime>,
}

/// `[http]`.
#[derive(Clone, Debug)]
pub struct Http {
    /// Where the status page is; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Who looks at it has to name this.
    pub token: Option<SecretString>,
}
