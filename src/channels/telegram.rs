//! A Telegram bot.

use secrecy::SecretString;

use super::Common;

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
