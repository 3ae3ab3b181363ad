//! Green API: WhatsApp over HTTP, with a journal and a queue of notifications to poll
//! (<https://green-api.com/en/docs/api/>).
//!
//! It accepts messages while the salon's phone is not connected and delivers them up to a day later:
//! a reminder of yesterday's visit. So nothing is sent unless the account was seen `authorized`
//! within the last minute.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Common;
use super::classify::{Answer, by_status, exchange, pause, scrub, worded};
use crate::domain::delivery::Outcome;
use crate::domain::message::Markup;
use crate::http_client::{self, ClientError};
use crate::ports::{Addressing, Channel, Outgoing};

mod notifications;

pub use notifications::Notifications;

/// Longest text, in characters.
const LONGEST_TEXT: usize = 20_000;

/// How long the account counts as authorized without being asked; the vendor advises to ask once a
/// minute.
const STATE_HOLDS: Duration = Duration::from_secs(60);

/// The vendor's status for an exhausted tariff.
const QUOTA: u16 = 466;
/// The vendor's status for too many number checks; the ban lasts hours.
const TOO_MANY_CHECKS: u16 = 469;

/// `type = "green-api"`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Without a trailing slash; per instance, as the console shows it.
    pub api_url: String,
    /// The instance's id.
    pub instance_id: String,
    /// The instance's token, which stands in the path of every request.
    pub token: SecretString,
    /// What every channel has.
    pub common: Common,
}

/// One instance: address, token, connection, and what is known of its state. Shared by the two
/// sides of the channel.
struct Account {
    client: Client,
    api_url: String,
    instance_id: String,
    token: SecretString,
    state: Mutex<State>,
    /// Held while the state is asked for: one question serves all who wait.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// When it was last known to be `authorized`; `None` when it was not, or may not be.
    authorized_at: Option<Instant>,
    /// Counts notifications of a change, which outdate an answer that was asked for before them.
    changes: u64,
}

impl Account {
    fn request(&self, http: Method, method: &str, tail: &str) -> RequestBuilder {
        let (url, id) = (&self.api_url, &self.instance_id);
        let token = self.token.expose_secret();
        self.client
            .request(http, format!("{url}/waInstance{id}/{method}/{token}{tail}"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_fresh(&self) -> bool {
        let at = self.state().authorized_at;
        at.is_some_and(|at| at.elapsed() < STATE_HOLDS)
    }

    /// The account told us by itself that its state changed. Notifications may be hours old, so
    /// even a good one only means: ask before the next message.
    fn state_changed(&self) {
        let mut state = self.state();
        state.authorized_at = None;
        state.changes += 1;
    }

    /// Whether the account may be sent through right now.
    async fn authorized(&self) -> Result<(), Outcome> {
        let _one_at_a_time = self.asking.lock().await;
        if self.is_fresh() {
            return Ok(());
        }
        self.ask().await
    }

    /// Asks for the state. Reading has no effect, so whatever goes wrong can be tried again.
    async fn ask(&self) -> Result<(), Outcome> {
        let changes = self.state().changes;
        let answer = exchange(self.request(Method::GET, "getStateInstance", ""))
            .await
            .map_err(|s| Outcome::Retry { why: s.why })?;
        let word = serde_json::from_str::<Value>(answer.text())
            .ok()
            .filter(|_| answer.status.is_success())
            .and_then(|v| v["stateInstance"].as_str().map(str::to_owned));
        let Some(word) = word else {
            return Err(match self.outcome(&answer) {
                Outcome::Uncertain { why } | Outcome::Refused { why } => Outcome::Retry { why },
                other => other,
            });
        };
        match word.as_str() {
            "authorized" => {
                let mut state = self.state();
                if state.changes == changes {
                    state.authorized_at = Some(Instant::now());
                }
                Ok(())
            }
            // A reboot; it comes back by itself within minutes.
            "starting" | "sleepMode" => Err(Outcome::Retry {
                why: format!("the account is {word}"),
            }),
            _ => Err(Outcome::ChannelDown {
                why: format!("the account is {}", self.scrub(&word)),
            }),
        }
    }

    fn scrub(&self, said: &str) -> String {
        scrub(said, self.token.expose_secret())
    }

    /// What an answer other than "taken" means, by the vendor's words where they say more than the
    /// status.
    fn outcome(&self, answer: &Answer) -> Outcome {
        let said = self.scrub(&wording(answer.text()));
        let why = worded(answer.status, &said);
        let words = answer.text().to_lowercase();
        let has = |part: &str| words.contains(part);
        match answer.status.as_u16() {
            400 if has("starting process") || has("check phone number timeout") => {
                Outcome::Retry { why }
            }
            400 if has("not authorized") || has("expired") || has("is deleted") => {
                Outcome::ChannelDown { why }
            }
            400 if has("validation failed") && (has("chatid") || has("phone")) => {
                Outcome::Unreachable { why }
            }
            400 if has("bad phone number") => Outcome::Unreachable { why },
            // Documented with both spellings, QUOTE and QUOTA.
            QUOTA if has("correspondents_quot") && has("_exceeded") => Outcome::Unreachable { why },
            QUOTA => Outcome::ChannelDown { why },
            TOO_MANY_CHECKS => Outcome::Throttled {
                after: answer.pause.or(Some(pause(3600))),
                why,
            },
            404 => Outcome::ChannelDown { why },
            _ => by_status(answer, &said),
        }
    }
}

/// The provider's own words in a body, JSON or plain.
fn wording(body: &str) -> String {
    let Ok(json) = serde_json::from_str::<Value>(body) else {
        return body.to_owned();
    };
    let texts = [
        &json["message"],
        &json["correspondentsStatus"]["status"],
        &json["invokeStatus"]["status"],
        &json["description"],
        &json["error"],
        &json["reason"],
    ];
    texts
        .into_iter()
        .filter_map(Value::as_str)
        .find(|t| !t.is_empty() && !t.ends_with("_ALLOWED"))
        .unwrap_or_default()
        .to_owned()
}

/// A channel through an instance.
pub struct GreenApi {
    account: Arc<Account>,
}

impl GreenApi {
    /// The channel, and its receiver when the settings ask for one.
    pub fn build(settings: &Settings) -> Result<(Self, Option<Notifications>), ClientError> {
        let account = Arc::new(Account {
            client: http_client::client(&settings.common.client)?,
            api_url: settings.api_url.trim_end_matches('/').to_owned(),
            instance_id: settings.instance_id.clone(),
            token: settings.token.clone(),
            state: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        });
        let receiver = settings
            .common
            .receive
            .then(|| Notifications::new(Arc::clone(&account)));
        Ok((Self { account }, receiver))
    }
}

#[async_trait]
impl Channel for GreenApi {
    fn markup(&self) -> Markup {
        Markup::WhatsApp
    }

    fn addressing(&self) -> Addressing {
        Addressing::Phone
    }

    fn hears_replies(&self) -> bool {
        // The salon's own phone rings, whether we poll or not.
        true
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let length = message.text.chars().count();
        if length > LONGEST_TEXT {
            return Outcome::Refused {
                why: format!("{length} characters, the limit is {LONGEST_TEXT}"),
            };
        }
        if let Err(outcome) = self.account.authorized().await {
            return outcome;
        }
        let body = json!({
            "chatId": chat_id(&message.to),
            "message": message.text,
            "linkPreview": false,
        });
        let request = self.account.request(Method::POST, "sendMessage", "");
        let answer = match exchange(request.json(&body)).await {
            Ok(answer) => answer,
            Err(silence) => return silence.of_send(),
        };
        let id = serde_json::from_str::<Value>(answer.text())
            .ok()
            .filter(|_| answer.status.is_success())
            .and_then(|v| v["idMessage"].as_str().map(str::to_owned))
            .filter(|id| !id.is_empty());
        if id.is_some() {
            return Outcome::Accepted { id };
        }
        let outcome = self.account.outcome(&answer);
        if matches!(outcome, Outcome::ChannelDown { .. }) {
            self.account.state_changed();
        }
        outcome
    }

    async fn probe(&self) -> Result<(), String> {
        match self.account.ask().await {
            Ok(()) => Ok(()),
            Err(outcome) => Err(outcome.why().unwrap_or_default().to_owned()),
        }
    }
}

/// `79000000001@c.us`; a chat's own id (a reply to one that hides its phone) stays as it is.
fn chat_id(to: &str) -> String {
    if to.contains('@') {
        to.to_owned()
    } else {
        let digits: String = to.chars().filter(char::is_ascii_digit).collect();
        format!("{digits}@c.us")
    }
}
