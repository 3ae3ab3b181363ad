//! What `init` asks an instance, and the one thing it may change there: notifications that are off.
//! A webhook that another system has set is never touched.

use std::collections::BTreeMap;

use reqwest::Method;

use super::Settings;
use super::account::Account;
use super::watch::NOTIFICATIONS;
use crate::channels::classify::exchange;
use crate::http_client::ClientError;

/// An instance that is being set up.
pub struct Setup(Account);

/// How an instance is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Another program gets its notifications.
    pub has_webhook: bool,
    /// Notifications that have to be on and are not.
    pub off: Vec<&'static str>,
}

impl Setup {
    /// The instance with this number and token.
    pub fn new(settings: &Settings) -> Result<Self, ClientError> {
        Account::new(settings).map(Self)
    }

    /// Whether messages can be sent through it; the error says why not.
    pub async fn state(&self) -> Result<(), String> {
        let asked = self.0.ask().await;
        asked.map_err(|outcome| outcome.why().unwrap_or_default().to_owned())
    }

    /// How it is set.
    pub async fn settings(&self) -> Result<Found, String> {
        let request = self.0.request(Method::GET, "getSettings", "");
        let answer = exchange(request).await.map_err(|s| s.why)?;
        let settings = answer.listed(self.0.secret())?;
        let webhook = settings["webhookUrl"].as_str().unwrap_or_default();
        let off = NOTIFICATIONS
            .into_iter()
            .filter(|key| settings[key] != "yes");
        Ok(Found {
            has_webhook: !webhook.is_empty(),
            off: off.collect(),
        })
    }

    /// Switches these notifications on and changes nothing else. The instance reboots.
    pub async fn switch_on(&self, keys: &[&'static str]) -> Result<(), String> {
        let body: BTreeMap<_, _> = keys.iter().map(|key| (*key, "yes")).collect();
        let request = self.0.request(Method::POST, "setSettings", "").json(&body);
        let answer = exchange(request).await.map_err(|s| s.why)?;
        answer.listed(self.0.secret()).map(drop)
    }
}
