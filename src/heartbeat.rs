//! The dead-man switch over HTTP: `[alerts] heartbeat_url`.
//!
//! The address is as good as a password: it stands in no log and no error.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};

use crate::http_client::{self, ClientError, ClientSettings, failure};
use crate::ports::Heartbeat;

/// Whoever listens has this long to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// An address that is asked for after every good cycle.
pub struct HttpHeartbeat {
    client: Client,
    url: SecretString,
}

impl HttpHeartbeat {
    /// The switch at this address. Fails only by the configuration's fault; nothing is asked yet.
    pub fn build(url: &SecretString) -> Result<Self, ClientError> {
        let settings = ClientSettings {
            timeout: TIMEOUT,
            proxy: None,
            ca_file: None,
        };
        Ok(Self {
            client: http_client::client_for(url.expose_secret(), &settings)?,
            url: url.clone(),
        })
    }
}

#[async_trait]
impl Heartbeat for HttpHeartbeat {
    async fn beat(&self) -> Result<(), String> {
        let answer = self.client.get(self.url.expose_secret()).send().await;
        let status = answer.map_err(failure)?.status();
        match status.is_success() {
            true => Ok(()),
            false => Err(format!("HTTP {}", status.as_u16())),
        }
    }
}
