//! Receive: what channels tell by themselves. Stored first, acknowledged after, so what a crash
//! interrupts comes again; what comes again changes nothing.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{ChannelEnd, Pipeline};
use crate::domain::phone::Phone;
use crate::ports::{Incoming, Received, Receiver};
use crate::store::contacts::{self, Inbound};
use crate::store::{self, StoreError};

/// Why nothing was received.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The channel.
    #[error("{0}")]
    Channel(String),
    /// Our own database: nothing is acknowledged that is not stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Pipeline {
    /// Waits for one notification at most `patience`, stores it and acknowledges it. `false` when
    /// nothing came.
    pub async fn receive_once(
        &self,
        end: &Arc<ChannelEnd>,
        receiver: &Arc<dyn Receiver>,
        patience: Duration,
    ) -> Result<bool, ReceiveError> {
        let received = receiver
            .receive(patience)
            .await
            .map_err(ReceiveError::Channel)?;
        let Some(received) = received else {
            return Ok(false);
        };
        let receipt = received.receipt.clone();
        self.take_in(end, received).await?;
        receiver
            .acknowledge(&receipt)
            .await
            .map_err(ReceiveError::Channel)?;
        self.bell.notify_waiters();
        Ok(true)
    }

    /// Empties a channel's queue of notifications, for `--once`.
    pub async fn receive_all(
        &self,
        end: &Arc<ChannelEnd>,
        patience: Duration,
    ) -> Result<u32, ReceiveError> {
        let Some(receiver) = &end.receiver else {
            return Ok(0);
        };
        let mut count = 0;
        while !self.stopping.is_cancelled() && self.receive_once(end, receiver, patience).await? {
            count += 1;
        }
        Ok(count)
    }

    async fn take_in(&self, end: &Arc<ChannelEnd>, received: Received) -> store::Result<()> {
        let (name, now, channel) = (end.name.clone(), self.clock.now(), end.name.as_str());
        match received.what {
            Incoming::Status {
                message_id,
                status,
                why,
            } => {
                tracing::debug!(channel, ?status, "receipt");
                let desk = self.desk();
                self.store
                    .write(move |tx| {
                        desk.receipt(tx, &name, &message_id, status, why.as_deref(), now)
                    })
                    .await
            }
            Incoming::Text {
                message_id,
                chat_id,
                phone,
                name: sender,
                text,
                at,
            } => {
                let phone = phone.and_then(|digits| Phone::parse(&format!("+{digits}"), "RU").ok());
                tracing::info!(channel, phone_known = phone.is_some(), "message received");
                let company = self.only_company_of(channel);
                self.store_text(name, company, message_id, chat_id, phone, sender, text, at)
                    .await
            }
            Incoming::State { up, state } => {
                tracing::info!(channel, up, state, "channel state");
                let verdict = if up {
                    Ok(())
                } else {
                    Err(format!("the account is {state}"))
                };
                self.note_channel(end, verdict).await
            }
            Incoming::Started {
                chat_id,
                name: sender,
                ..
            } => {
                let company = self.only_company_of(channel);
                self.greet(end, company, chat_id, sender).await
            }
            Incoming::Contact {
                chat_id,
                phone,
                name: sender,
                ..
            } => {
                let phone = phone.and_then(|digits| Phone::parse(&format!("+{digits}"), "RU").ok());
                let company = self.only_company_of(channel);
                self.link(end, company, chat_id, phone, sender).await
            }
            Incoming::Reachable { chat_id, reachable } => {
                tracing::info!(channel, reachable, "chat reachable");
                self.store
                    .write(move |tx| contacts::set_reachable(tx, &name, &chat_id, reachable))
                    .await
            }
            Incoming::Other { kind } => {
                tracing::debug!(channel, kind, "acknowledged unread");
                Ok(())
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one message, named at the call"
    )]
    async fn store_text(
        &self,
        channel: String,
        company: Option<i64>,
        external_id: String,
        chat_id: String,
        phone: Option<Phone>,
        name: String,
        text: String,
        at: DateTime<Utc>,
    ) -> store::Result<()> {
        self.store
            .write(move |tx| {
                let message = Inbound {
                    channel: &channel,
                    company,
                    chat_id: &chat_id,
                    phone: phone.as_ref().map_or("", |p| p.e164()),
                    name: &name,
                    text: &text,
                    external_id: &external_id,
                    at,
                };
                contacts::store_inbound(tx, &message).map(|_| ())
            })
            .await
    }

    /// The company a channel belongs to, when it serves only one.
    fn only_company_of(&self, channel: &str) -> Option<i64> {
        let mut served = self
            .companies
            .values()
            .filter(|c| c.settings.channels.iter().any(|n| n == channel))
            .map(|c| c.settings.id);
        match (served.next(), served.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}
