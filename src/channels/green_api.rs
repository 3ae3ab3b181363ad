//! Green API: WhatsApp over HTTP, with a journal and a queue of notifications to poll.

use secrecy::SecretString;

use super::Common;

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
