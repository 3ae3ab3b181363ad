//! What an instance is watched for beside its state: the provider's own queue, the tariff, and
//! settings by which nothing can be received.
//!
//! A long queue parks the channel. What waits here is still decided anew and may take another
//! channel; what waits there for hours is delivered as it was, "your visit is in an hour" included.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::Instant;

use super::account::Account;
use crate::channels::classify::exchange;
use crate::domain::delivery::Outcome;
use crate::ports::Concern;

/// How long a look at the provider's queue holds while that is short, and how long one may take.
const QUEUE_HOLDS: Duration = Duration::from_mins(1);
const QUEUE_PATIENCE: Duration = Duration::from_secs(5);
/// So many messages take minutes at the vendor's advised pace of one in five seconds.
const LONG_QUEUE: u64 = 50;

/// An exhausted tariff is worth saying for a day after it last refused somebody.
const QUOTA_HOLDS: Duration = Duration::from_hours(24);

/// Kinds of notifications that are read; a new instance has them off. Without the last nobody knows
/// that a person answered from the phone.
pub(super) const NOTIFICATIONS: [&str; 4] = [
    "incomingWebhook",
    "outgoingWebhook",
    "stateWebhook",
    "outgoingMessageWebhook",
];

impl Account {
    /// The tariff takes no new correspondents this month.
    pub(super) fn quota_exceeded(&self) {
        self.state().quota_at = Some(Instant::now());
    }

    /// How many messages the provider has not sent on. Only a length that it states holds anything
    /// back: no answer is as good as any.
    pub(super) async fn look_at_queue(&self) -> Result<(), Outcome> {
        let looked = self.state().queue;
        if looked.is_some_and(|(at, waiting)| waiting < LONG_QUEUE && at.elapsed() < QUEUE_HOLDS) {
            return Ok(());
        }
        let request = self.request(Method::GET, "getMessagesCount", "");
        let answer = exchange(request.timeout(QUEUE_PATIENCE)).await.ok();
        let json = answer.filter(|a| a.status.is_success()).map(|a| a.json());
        // The key is documented with letters of two alphabets.
        let counts = json.as_ref().and_then(Value::as_object);
        let count = counts.and_then(|fields| fields.values().find_map(Value::as_u64));
        let waiting = count.unwrap_or(0);
        self.state().queue = Some((Instant::now(), waiting));
        if waiting < LONG_QUEUE {
            return Ok(());
        }
        Err(Outcome::ChannelDown {
            why: format!("{waiting} messages wait in Green API's own queue"),
        })
    }

    /// What was noticed lately that does not stop messages from leaving.
    pub(super) fn concern(&self) -> Option<Concern> {
        let refused = self.state().quota_at;
        let is_recent = refused.is_some_and(|at| at.elapsed() < QUOTA_HOLDS);
        is_recent.then_some(Concern::Tariff)
    }

    /// Settings of the instance by which nothing could be received.
    pub(super) async fn settings_against_us(&self) -> Vec<String> {
        let request = self.request(Method::GET, "getSettings", "");
        let Ok(answer) = exchange(request).await else {
            return Vec::new();
        };
        let settings = answer.json();
        let mut found = Vec::new();
        let webhook = settings["webhookUrl"].as_str().unwrap_or_default();
        if !webhook.is_empty() {
            found.push(
                "the instance has a webhookUrl: it gives nothing to those who ask; clear it, or set receive = false"
                    .to_owned(),
            );
        }
        for key in NOTIFICATIONS {
            if settings[key] == "no" {
                found.push(format!("{key} of the instance is off; switch it on"));
            }
        }
        found
    }
}
