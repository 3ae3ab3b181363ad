//! The YClients (Altegio) records API: transport, paging, wire types to domain.

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderMap;
use secrecy::SecretString;

use self::answer::Answer;
use crate::http_client::ClientSettings;
use crate::ports::{ApiError, CompanyRef, Page, Query};

mod answer;
pub mod client;
pub mod limit;
mod line;
mod session;
mod survey;
pub mod wire;

pub use client::Client;
pub use limit::sustained_per_minute;
pub use survey::{Notices, Survey};

/// `[yclients]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Without a trailing slash.
    pub base_url: String,
    /// The partner's (application's) token.
    pub partner_token: SecretString,
    /// Whose eyes the journal is read with.
    pub user: User,
    /// Companies that are read with other eyes: their own user's token.
    pub own_users: std::collections::BTreeMap<i64, SecretString>,
    /// The `Accept` header.
    pub accept: String,
    /// Hard cap in any second.
    pub requests_per_second: u32,
    /// Hard cap in any minute.
    pub requests_per_minute: u32,
    /// Rows of a page, 1 to 300.
    pub page_size: u32,
    /// Time-out, proxy, extra roots.
    pub client: ClientSettings,
}

/// How the user's token is had.
#[derive(Clone)]
pub enum User {
    /// Given.
    Token(SecretString),
    /// Fetched at `POST /auth`, kept in memory.
    Login {
        /// Phone or e-mail.
        login: String,
        /// The password.
        password: SecretString,
    },
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(***)",
            Self::Login { .. } => "Login(***)",
        })
    }
}

/// What the body of a page lists: the client's own reading of it, for whoever has it at hand.
pub fn read_page(body: Vec<u8>, company: &CompanyRef, query: &Query) -> Result<Page, ApiError> {
    Answer::new(200, &HeaderMap::new(), body).page(company, query)
}

/// The default time-out of a request.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests;
