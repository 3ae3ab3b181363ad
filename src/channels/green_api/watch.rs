//! What an instance is watched for beside its state: the tariff, the provider's own queue, and
//! settings by which nothing can be received. None of it stops a message.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::Instant;

use super::account::Account;
use crate::channels::classify::exchange;

/// How long a look at the provider's queue holds, and how long one may take.
const QUEUE_HOLDS: Duration = Duration::from_mins(10);
const QUEUE_PATIENCE: Duration = Duration::from_secs(5);
/// So many messages take minutes at the vendor's advised pace of one in five seconds.
const LONG_QUEUE: u64 = 50;

/// An exhausted tariff is worth saying for a day after it last refused somebody.
const QUOTA_HOLDS: Duration = Duration::from_hours(24);

impl Account {
    /// The tariff takes no new correspondents this month.
    pub(super) fn quota_exceeded(&self) {
        self.state().quota_at = Some(Instant::now());
    }

    /// Now and then, how many messages the provider has not sent on. It is a sign and no more, so
    /// no answer is as good as any.
    pub(super) async fn look_at_queue(&self) {
        let looked = self.state().queue.map(|(at, _)| at);
        if looked.is_some_and(|at| at.elapsed() < QUEUE_HOLDS) {
            return;
        }
        let request = self.request(Method::GET, "getMessagesCount", "");
        let answer = exchange(request.timeout(QUEUE_PATIENCE)).await.ok();
        let json = answer.filter(|a| a.status.is_success()).map(|a| a.json());
        // The key is documented with letters of two alphabets.
        let counts = json.as_ref().and_then(Value::as_object);
        let count = counts.and_then(|fields| fields.values().find_map(Value::as_u64));
        self.state().queue = Some((Instant::now(), count.unwrap_or(0)));
    }

    /// What was noticed lately that does not stop messages from leaving.
    pub(super) fn concern(&self) -> Option<String> {
        let state = self.state();
        let quota = state.quota_at.is_some_and(|at| at.elapsed() < QUOTA_HOLDS);
        match state.queue {
            _ if quota => Some(
                "the tariff's correspondents of this month are used up: new clients are not reached"
                    .to_owned(),
            ),
            Some((_, waiting)) if waiting >= LONG_QUEUE => Some(format!(
                "{waiting} messages wait in Green API's own queue"
            )),
            _ => None,
        }
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
        for key in ["incomingWebhook", "outgoingWebhook", "stateWebhook"] {
            if settings[key] == "no" {
                found.push(format!("{key} of the instance is off; switch it on"));
            }
        }
        found
    }
}
