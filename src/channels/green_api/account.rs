//! The instance behind both sides of the channel: its requests, its state, what its answers mean.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::inbox::Inbox;
use super::{Flavour, Settings};
use crate::channels::classify::{Answer, by_status, exchange, pause, scrub, worded};
use crate::domain::delivery::Outcome;
use crate::http_client::{self, ClientError};

/// How long the account counts as authorized without being asked; the vendor advises to ask once a
/// minute.
const STATE_HOLDS: Duration = Duration::from_secs(60);

/// Chats of more phones are forgotten all at once and learnt anew.
const MOST_CHATS: usize = 20_000;

/// The vendor's status for an exhausted tariff.
const QUOTA: u16 = 466;
/// The vendor's status for too many number checks; the ban lasts hours.
const TOO_MANY_CHECKS: u16 = 469;

/// One instance: address, token, connection, and what is known of its state. Shared by the two
/// sides of the channel.
pub(super) struct Account {
    pub(super) flavour: Flavour,
    client: Client,
    api_url: String,
    instance_id: String,
    token: SecretString,
    state: Mutex<State>,
    /// Held while the state is asked for: one question serves all who wait.
    asking: tokio::sync::Mutex<()>,
    /// Held while the list of incoming messages is read, for the same reason.
    pub(super) reading_inbox: tokio::sync::Mutex<()>,
}

#[derive(Default)]
pub(super) struct State {
    /// When it was last known to be `authorized`; `None` when it was not, or may not be.
    authorized_at: Option<Instant>,
    /// Counts notifications of a change, which outdate an answer that was asked for before them.
    changes: u64,
    /// When the tariff last refused a new correspondent.
    pub(super) quota_at: Option<Instant>,
    /// When the queue was last looked at, and how many messages were in it.
    pub(super) queue: Option<(Instant, u64)>,
    /// What people wrote lately, and when that was read.
    pub(super) inbox: Option<(Instant, Inbox)>,
    /// Chat ids by phone, where the messenger has its own. Each costs a check, and many checks are
    /// taken for spam.
    chats: HashMap<String, String>,
}

impl Account {
    pub(super) fn new(settings: &Settings) -> Result<Self, ClientError> {
        Ok(Self {
            flavour: settings.flavour,
            client: http_client::client(&settings.common.client)?,
            api_url: settings.api_url.trim_end_matches('/').to_owned(),
            instance_id: settings.instance_id.clone(),
            token: settings.token.clone(),
            state: Mutex::default(),
            reading_inbox: tokio::sync::Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        })
    }

    pub(super) fn request(&self, http: Method, method: &str, tail: &str) -> RequestBuilder {
        let (url, id) = (&self.api_url, &self.instance_id);
        let token = self.token.expose_secret();
        self.client
            .request(http, format!("{url}/waInstance{id}/{method}/{token}{tail}"))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_fresh(&self) -> bool {
        let at = self.state().authorized_at;
        at.is_some_and(|at| at.elapsed() < STATE_HOLDS)
    }

    /// The account told us by itself that its state changed. Notifications may be hours old, so
    /// even a good one only means: ask before the next message.
    pub(super) fn state_changed(&self) {
        let mut state = self.state();
        state.authorized_at = None;
        state.changes += 1;
    }

    /// Whether the account may be sent through right now.
    pub(super) async fn authorized(&self) -> Result<(), Outcome> {
        let _one_at_a_time = self.asking.lock().await;
        if self.is_fresh() {
            return Ok(());
        }
        self.ask().await
    }

    /// Asks for the state. Reading has no effect, so whatever goes wrong can be tried again.
    pub(super) async fn ask(&self) -> Result<(), Outcome> {
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
                self.look_at_queue().await?;
                let mut state = self.state();
                if state.changes == changes {
                    state.authorized_at = Some(Instant::now());
                }
                Ok(())
            }
            "yellowCard" => Err(Outcome::ChannelDown {
                why: "the account is yellowCard: WhatsApp throttles this number; let it rest for \
                      some days, then reboot the instance"
                    .to_owned(),
            }),
            // A reboot; it comes back by itself within minutes.
            "starting" | "sleepMode" => Err(Outcome::Retry {
                why: format!("the account is {word}"),
            }),
            _ => Err(Outcome::ChannelDown {
                why: format!("the account is {}", self.scrub(&word)),
            }),
        }
    }

    /// The chat of this person, as this messenger names it. What is no phone is one already.
    pub(super) async fn chat_of(&self, to: &str) -> Result<String, Outcome> {
        if !self.flavour.hides_phones() {
            return Ok(whatsapp_chat(to));
        }
        let Some(digits) = to.strip_prefix('+') else {
            return Ok(to.to_owned());
        };
        if let Some(chat) = self.state().chats.get(digits) {
            return Ok(chat.clone());
        }
        let body = json!({"phoneNumber": digits.parse::<u64>().unwrap_or_default()});
        let request = self.request(Method::POST, "checkAccount", "").json(&body);
        let answer = exchange(request)
            .await
            .map_err(|s| Outcome::Retry { why: s.why })?;
        let said = answer.json();
        let chat = match &said["chatId"] {
            Value::String(id) if !id.is_empty() => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        };
        match (said["exist"].as_bool(), chat, answer.status.as_u16()) {
            (Some(true), Some(chat), 200) => {
                self.learn_chat(digits, &chat);
                Ok(chat)
            }
            (Some(false), _, 200) => Err(Outcome::Unreachable {
                why: "no account with this phone".to_owned(),
            }),
            // An older instance that takes phones as they are.
            (_, _, 404) => Ok(whatsapp_chat(to)),
            _ => Err(match self.outcome(&answer) {
                // Nothing was sent yet, so there is nothing to be uncertain of.
                Outcome::Uncertain { why } => Outcome::Retry { why },
                other => other,
            }),
        }
    }

    /// The phone (digits) of a chat, where it was learnt.
    pub(super) fn phone_of(&self, chat: &str) -> Option<String> {
        let state = self.state();
        let mut known = state.chats.iter();
        known.find_map(|(digits, known)| (known == chat).then(|| digits.clone()))
    }

    /// Keeps the chat of a phone (digits).
    pub(super) fn learn_chat(&self, digits: &str, chat: &str) {
        let mut state = self.state();
        if state.chats.len() >= MOST_CHATS {
            state.chats.clear();
        }
        state.chats.insert(digits.to_owned(), chat.to_owned());
    }

    /// The token, for taking it out of what is shown.
    pub(super) fn secret(&self) -> &str {
        self.token.expose_secret()
    }

    pub(super) fn scrub(&self, said: &str) -> String {
        scrub(said, self.token.expose_secret())
    }

    /// What an answer other than "taken" means, by the vendor's words where they say more than the
    /// status.
    pub(super) fn outcome(&self, answer: &Answer) -> Outcome {
        let said = self.scrub(&wording(answer.text()));
        let why = worded(answer.status, &said);
        let words = answer.text().to_lowercase();
        let has = |part: &str| words.contains(part);
        match answer.status.as_u16() {
            _ if answer.leaves_doubt() => Outcome::Uncertain { why },
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
            QUOTA if has("correspondents_quot") && has("_exceeded") => {
                self.quota_exceeded();
                Outcome::Unreachable { why }
            }
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
pub(super) fn wording(body: &str) -> String {
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

/// `79000000001@c.us`; a chat's own id (a reply to one that hides its phone) stays as it is.
fn whatsapp_chat(to: &str) -> String {
    if to.contains('@') {
        to.to_owned()
    } else {
        let digits: String = to.chars().filter(char::is_ascii_digit).collect();
        format!("{digits}@c.us")
    }
}
