//! A Telegram bot: `sendMessage`, `getMe`, `getUpdates` of the Bot API
//! (<https://core.telegram.org/bots/api>).
//!
//! A bot cannot write first: people are named by the chat they opened. There is no journal and no
//! idempotency key, so a send whose answer was lost stays uncertain for good.

use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Common;
use super::classify::{Answer, Silence, by_status, exchange, pause, scrub, worded};
use crate::domain::delivery::Outcome;
use crate::domain::message::Markup;
use crate::domain::message::markup::length;
use crate::http_client::{self, ClientError};
use crate::ports::{Addressing, Channel, EditOutcome, Edited, Keyboard, Outgoing};

mod buttons;
pub mod setup;
mod updates;

pub use updates::Updates;

/// Longest text after its tags and entities are read, in characters.
const LONGEST_TEXT: usize = 4096;

/// Beginnings and parts of descriptions that mean: this chat cannot be written to. The status is no
/// guide: some of them come with 400 and some with 403.
const UNREACHABLE: [&str; 12] = [
    "chat not found",
    "user not found",
    "blocked by the user",
    "user is deactivated",
    "can't initiate conversation",
    "can't send messages to bots",
    "bot was kicked",
    "bot is not a member",
    "have no rights to send",
    "not enough rights to send",
    "peer_id_invalid",
    "chat_id is empty",
];

/// `type = "telegram"`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Without a trailing slash; `https://api.telegram.org` or a relay.
    pub api_url: String,
    /// The bot's token, which stands in the path of every request.
    pub token: SecretString,
    /// What every channel has.
    pub common: Common,
}

/// The bot's account: address, token and connection.
#[derive(Clone)]
struct Bot {
    client: Client,
    api_url: String,
    token: SecretString,
}

/// The Bot API's envelope.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Envelope {
    ok: bool,
    result: Value,
    description: String,
    parameters: Parameters,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    retry_after: Option<u64>,
    migrate_to_chat_id: Option<i64>,
}

impl Bot {
    fn new(settings: &Settings) -> Result<Self, ClientError> {
        Ok(Self {
            client: http_client::client(&settings.common.client)?,
            api_url: settings.api_url.trim_end_matches('/').to_owned(),
            token: settings.token.clone(),
        })
    }

    fn request(&self, method: &str, body: &Value) -> reqwest::RequestBuilder {
        let token = self.token.expose_secret();
        self.client
            .post(format!("{}/bot{token}/{method}", self.api_url))
            .json(body)
    }

    async fn call(&self, method: &str, body: &Value) -> Result<Reply, Silence> {
        let answer = exchange(self.request(method, body)).await?;
        Ok(self.read(answer))
    }

    fn read(&self, answer: Answer) -> Reply {
        let envelope = serde_json::from_str(answer.text()).ok();
        let said = match &envelope {
            Some(Envelope { description, .. }) => description.as_str(),
            None => answer.text(),
        };
        Reply {
            said: scrub(said, self.token.expose_secret()),
            envelope,
            answer,
        }
    }
}

/// An answer, its envelope when it has one, and the description fit to be shown.
struct Reply {
    answer: Answer,
    envelope: Option<Envelope>,
    said: String,
}

impl Reply {
    /// The result of a call that worked.
    fn result(&self) -> Option<&Value> {
        let envelope = self.envelope.as_ref()?;
        (self.answer.status.is_success() && envelope.ok).then_some(&envelope.result)
    }

    fn why(&self) -> String {
        worded(self.answer.status, &self.said)
    }

    fn outcome(&self) -> Outcome {
        if let Some(id) = self.result().and_then(|r| r["message_id"].as_i64()) {
            return Outcome::Accepted {
                id: Some(id.to_string()),
            };
        }
        let why = self.why();
        let said = self.said.to_lowercase();
        let status = self.answer.status.as_u16();
        match (&self.envelope, status) {
            (Some(_), 400 | 403) if UNREACHABLE.iter().any(|part| said.contains(part)) => {
                Outcome::Unreachable { why }
            }
            // Telegram's own 403 is always about the chat; a page of a proxy in between is not.
            (Some(envelope), 403) if !envelope.description.is_empty() => {
                Outcome::Unreachable { why }
            }
            (Some(envelope), 429) => Outcome::Throttled {
                after: self.pause(envelope),
                why,
            },
            _ => by_status(&self.answer, &self.said),
        }
    }

    /// The longer of the two stated pauses, and a second: Telegram rounds its own down.
    fn pause(&self, envelope: &Envelope) -> Option<std::time::Duration> {
        let in_body = envelope.parameters.retry_after.map(pause);
        let stated = in_body.max(self.answer.pause)?;
        Some(stated + std::time::Duration::from_secs(1))
    }

    /// A group that became a supergroup has a new id; nothing was sent to the old one.
    fn moved_to(&self) -> Option<i64> {
        self.envelope.as_ref()?.parameters.migrate_to_chat_id
    }
}

/// A channel through a bot.
pub struct Telegram {
    bot: Bot,
    receive: bool,
}

impl Telegram {
    /// The channel, and its receiver when the settings ask for one.
    pub fn build(settings: &Settings) -> Result<(Self, Option<Updates>), ClientError> {
        let bot = Bot::new(settings)?;
        let receive = settings.common.receive;
        let updates = receive.then(|| Updates::new(bot.clone()));
        Ok((Self { bot, receive }, updates))
    }
}

/// `reply_markup`: a button that sends the person's own number, or no button any more.
fn markup_of(keyboard: Keyboard) -> Value {
    match keyboard {
        Keyboard::AskContact => json!({
            "keyboard": [[{"text": "Отправить номер", "request_contact": true}]],
            "resize_keyboard": true,
            "one_time_keyboard": true,
        }),
        Keyboard::Remove => json!({"remove_keyboard": true}),
    }
}

#[async_trait]
impl Channel for Telegram {
    fn markup(&self) -> Markup {
        Markup::TelegramHtml
    }

    fn addressing(&self) -> Addressing {
        Addressing::Chat
    }

    fn hears_replies(&self) -> bool {
        self.receive
    }

    fn is_robot(&self) -> bool {
        true
    }

    fn messenger(&self) -> Option<&'static str> {
        Some("Telegram")
    }

    fn has_buttons(&self) -> bool {
        self.receive
    }

    async fn edit(&self, message: &Edited) -> EditOutcome {
        self.bot.edit(message).await
    }

    async fn answer_press(&self, press_id: &str, text: &str) -> Result<(), String> {
        self.bot.answer_press(press_id, text).await
    }

    async fn introduce(&self) -> Option<String> {
        let me = self.bot.call("getMe", &json!({})).await.ok()?;
        let name = me.result()?["username"].as_str()?;
        Some(format!("@{name}"))
    }

    async fn inspect(&self) -> Vec<String> {
        if !self.receive {
            return Vec::new();
        }
        let info = self.bot.call("getWebhookInfo", &json!({})).await.ok();
        let url = info.as_ref().and_then(Reply::result).map(|r| &r["url"]);
        let set = url
            .and_then(Value::as_str)
            .is_some_and(|url| !url.is_empty());
        let taken = "the bot has a webhook: nothing can be received; call deleteWebhook, unless another service needs it";
        set.then(|| taken.to_owned()).into_iter().collect()
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let length = length(&message.text, Markup::TelegramHtml);
        if length > LONGEST_TEXT {
            return Outcome::Refused {
                why: format!("{length} characters, the limit is {LONGEST_TEXT}"),
            };
        }
        let to_chat = |chat: Value| {
            let mut body = json!({
                "chat_id": chat,
                "text": message.text,
                "parse_mode": "HTML",
                "link_preview_options": {"is_disabled": true},
            });
            if let Some(follows) = message
                .follows
                .as_ref()
                .and_then(|id| id.parse::<i64>().ok())
            {
                body["reply_parameters"] =
                    json!({"message_id": follows, "allow_sending_without_reply": true});
            }
            if !message.buttons.is_empty() {
                body["reply_markup"] = buttons::under(&message.buttons);
            } else if let Some(keyboard) = message.keyboard {
                body["reply_markup"] = markup_of(keyboard);
            }
            body
        };
        let chat = message
            .to
            .parse::<i64>()
            .map_or_else(|_| Value::from(message.to.as_str()), Value::from);
        let mut reply = self.bot.call("sendMessage", &to_chat(chat)).await;
        if let Some(new) = reply.as_ref().ok().and_then(Reply::moved_to) {
            reply = self.bot.call("sendMessage", &to_chat(new.into())).await;
        }
        match reply {
            Ok(reply) => reply.outcome(),
            Err(silence) => silence.of_send(),
        }
    }

    async fn probe(&self) -> Result<(), String> {
        let reply = self
            .bot
            .call("getMe", &json!({}))
            .await
            .map_err(|s| s.why)?;
        match reply.result() {
            Some(_) => Ok(()),
            None => Err(reply.why()),
        }
    }
}
