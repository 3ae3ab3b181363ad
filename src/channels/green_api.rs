//! Green API: WhatsApp, official WhatsApp, MAX and Telegram over HTTP, with a journal and a queue of
//! notifications to poll (<https://green-api.com/en/docs/api/>).
//!
//! It accepts messages while the salon's phone is not connected and delivers them up to a day later:
//! a reminder of yesterday's visit. So nothing is sent unless the account was seen `authorized`
//! within the last minute.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::Common;
use super::approved::Templates;
use super::classify::exchange;
use crate::domain::delivery::Outcome;
use crate::domain::message::Markup;
use crate::http_client::ClientError;
use crate::ports::{Addressing, Channel, Concern, Heard, Journaled, Outgoing, Proof, TemplateGap};

mod account;
mod inbox;
mod journal;
mod notifications;
pub mod setup;
mod templates;
mod watch;

use account::Account;
pub use notifications::Notifications;

/// The messenger behind an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// WhatsApp on the salon's own phone.
    WhatsApp,
    /// Official WhatsApp: approved templates, free text only to those who wrote lately.
    Waba,
    /// MAX on the salon's own phone.
    Max,
    /// Telegram on the salon's own phone.
    Telegram,
}

impl Flavour {
    /// Longest text, in characters.
    fn longest_text(self) -> usize {
        match self {
            Self::WhatsApp | Self::Waba => 20_000,
            Self::Telegram => 4096,
            Self::Max => 4000,
        }
    }

    /// Whether a person has a chat id of its own there, which the phone has to be exchanged for.
    fn hides_phones(self) -> bool {
        match self {
            Self::WhatsApp | Self::Waba => false,
            Self::Max | Self::Telegram => true,
        }
    }
}

/// `type = "green-api"`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Without a trailing slash; per instance, as the console shows it.
    pub api_url: String,
    /// The instance's id.
    pub instance_id: String,
    /// The instance's token, which stands in the path of every request.
    pub token: SecretString,
    /// The messenger behind it.
    pub flavour: Flavour,
    /// The approved templates of [`Flavour::Waba`].
    pub templates: Templates,
    /// What every channel has.
    pub common: Common,
}

/// A channel through an instance.
pub struct GreenApi {
    account: Arc<Account>,
    templates: Templates,
    receive: bool,
}

impl GreenApi {
    /// The channel, and its receiver when the settings ask for one.
    pub fn build(settings: &Settings) -> Result<(Self, Option<Notifications>), ClientError> {
        let account = Arc::new(Account::new(settings)?);
        let receive = settings.common.receive;
        let receiver = receive.then(|| Notifications::new(Arc::clone(&account)));
        let templates = settings.templates.clone();
        let channel = Self {
            account,
            templates,
            receive,
        };
        Ok((channel, receiver))
    }

    /// The method and body of a send. Free text, except that official WhatsApp takes it only from
    /// those who wrote lately; the others get what the messenger has approved.
    fn request_of(&self, message: &Outgoing, chat: &str) -> Result<(&'static str, Value), Outcome> {
        let flavour = self.account.flavour;
        if flavour == Flavour::Waba && !message.wrote_lately {
            let letter = self.templates.letter(message.brief.as_ref())?;
            let body = json!({
                "chatId": chat,
                "templateId": letter.name,
                "params": letter.parameters,
            });
            return Ok(("sendTemplate", body));
        }
        let (length, longest) = (message.text.chars().count(), flavour.longest_text());
        if length > longest {
            return Err(Outcome::Refused {
                why: format!("{length} characters, the limit is {longest}"),
            });
        }
        let body = json!({
            "chatId": chat,
            "message": message.text,
            "linkPreview": false,
        });
        Ok(("sendMessage", body))
    }

    async fn try_send(&self, message: &Outgoing) -> Result<Outcome, Outcome> {
        // Without a chat yet: what can never be sent asks nobody anything.
        self.request_of(message, "")?;
        self.account.authorized().await?;
        let chat = self.account.chat_of(&message.to).await?;
        let (method, body) = self.request_of(message, &chat)?;
        let request = self.account.request(Method::POST, method, "");
        let answer = match exchange(request.json(&body)).await {
            Ok(answer) => answer,
            Err(silence) => return Err(silence.of_send()),
        };
        let id = answer.json()["idMessage"].as_str().map(str::to_owned);
        let id = id.filter(|id| answer.status.is_success() && !id.is_empty());
        if id.is_some() {
            return Ok(Outcome::Accepted { id });
        }
        let outcome = self.account.outcome(&answer);
        if matches!(outcome, Outcome::ChannelDown { .. }) {
            self.account.state_changed();
        }
        Err(outcome)
    }
}

#[async_trait]
impl Channel for GreenApi {
    fn markup(&self) -> Markup {
        match self.account.flavour {
            Flavour::WhatsApp | Flavour::Waba => Markup::WhatsApp,
            // What a personal account writes there is shown as it stands.
            Flavour::Max | Flavour::Telegram => Markup::Plain,
        }
    }

    fn addressing(&self) -> Addressing {
        Addressing::Phone
    }

    fn hears_replies(&self) -> bool {
        match self.account.flavour {
            Flavour::Waba => self.receive,
            // The salon's own phone rings, whether we poll or not.
            Flavour::WhatsApp | Flavour::Max | Flavour::Telegram => true,
        }
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        match self.try_send(message).await {
            Ok(outcome) | Err(outcome) => outcome,
        }
    }

    async fn probe(&self) -> Result<(), String> {
        match self.account.ask().await {
            Ok(()) => Ok(()),
            Err(outcome) => Err(outcome.why().unwrap_or_default().to_owned()),
        }
    }

    fn proof(&self) -> Proof {
        match self.account.flavour {
            Flavour::WhatsApp | Flavour::Max | Flavour::Telegram => Proof::Journal,
            // What is listed there is the template's words and not ours: a look would always find
            // nothing, and the message would go out twice.
            Flavour::Waba => Proof::Nothing,
        }
    }

    async fn look_up(
        &self,
        to: &str,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Journaled>, String> {
        self.account.look_up(to, since, until).await
    }

    fn is_robot(&self) -> bool {
        self.account.flavour == Flavour::Waba
    }

    fn messenger(&self) -> Option<&'static str> {
        Some(match self.account.flavour {
            Flavour::WhatsApp | Flavour::Waba => "WhatsApp",
            Flavour::Max => "MAX",
            Flavour::Telegram => "Telegram",
        })
    }

    fn concern(&self) -> Option<Concern> {
        self.account.concern()
    }

    fn is_personal(&self) -> bool {
        self.account.flavour != Flavour::Waba
    }

    fn lists_inbox(&self) -> bool {
        !self.receive
    }

    async fn heard(&self, to: &str, since: DateTime<Utc>) -> Result<Vec<Heard>, String> {
        self.account.heard(to, since).await
    }

    async fn template_gaps(&self) -> Result<Vec<TemplateGap>, String> {
        match self.account.flavour {
            Flavour::Waba => Ok(self.templates.gaps(&self.account.templates().await?)),
            Flavour::WhatsApp | Flavour::Max | Flavour::Telegram => Ok(Vec::new()),
        }
    }

    async fn inspect(&self) -> Vec<String> {
        let mut found: Vec<String> = self.concern().iter().map(Concern::to_string).collect();
        if self.receive {
            found.extend(self.account.settings_against_us().await);
        }
        found
    }
}
