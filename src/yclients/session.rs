//! The two tokens in one header, and how the user's one is had.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::User;
use crate::http_client::ClientError;
use crate::ports::ApiError;

/// `/auth` is asked at most this often: a wrong password tried every minute locks an account.
pub(super) const BETWEEN_SIGN_INS: Duration = Duration::from_secs(5 * 60);

/// Who we are to the API.
pub(super) struct Session {
    partner: SecretString,
    user: User,
    current: Mutex<State>,
    /// One sign-in at a time; the others wait for its token.
    pub(super) signing_in: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    token: Option<SecretString>,
    header: Option<HeaderValue>,
    asked_at: Option<Instant>,
    /// Why the last sign-in failed, repeated until another may be tried.
    refusal: Option<ApiError>,
}

/// What to do about the user's token.
pub(super) enum Step {
    /// Go with this header.
    Use(HeaderValue),
    /// Ask `/auth`.
    SignIn,
    /// It is too early to ask again.
    Refused(ApiError),
}

impl Session {
    pub(super) fn new(partner: SecretString, user: User) -> Result<Self, ClientError> {
        let mut state = State::default();
        match &user {
            User::Token(token) => {
                state.header = Some(both(&partner, token).ok_or_else(unfit)?);
                state.token = Some(token.clone());
            }
            User::Login { .. } => {
                partner_only(&partner).ok_or_else(unfit)?;
            }
        }
        Ok(Self {
            partner,
            user,
            current: Mutex::new(state),
            signing_in: tokio::sync::Mutex::new(()),
        })
    }

    /// The header for a request; `stale` is one that a 401 has just refused.
    pub(super) fn step(&self, stale: Option<&HeaderValue>) -> Step {
        let state = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(header) = &state.header
            && stale != Some(header)
        {
            return Step::Use(header.clone());
        }
        let denied = || ApiError::Denied {
            status: 401,
            message: "the user's token is refused; signing in waits 5 minutes".to_owned(),
        };
        let wait = state
            .asked_at
            .map(|at| BETWEEN_SIGN_INS.saturating_sub(at.elapsed()))
            .filter(|wait| !wait.is_zero());
        match (&self.user, wait, &state.refusal) {
            (User::Login { .. }, None, _) => Step::SignIn,
            // Its own pause is long over, but nobody gets anywhere before the next sign-in.
            (_, Some(pause), Some(ApiError::Throttled { .. })) => {
                Step::Refused(ApiError::Throttled { pause })
            }
            (_, _, refusal) => Step::Refused(refusal.clone().unwrap_or_else(denied)),
        }
    }

    /// The user's token, where there is one.
    pub(super) fn token(&self) -> Option<SecretString> {
        let state = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        state.token.clone()
    }

    /// Whether a refused token can be replaced at all.
    pub(super) fn can_sign_in(&self) -> bool {
        matches!(self.user, User::Login { .. })
    }

    /// The header and the body of `POST /auth`.
    pub(super) fn credentials(&self) -> Option<(HeaderValue, serde_json::Value)> {
        match &self.user {
            User::Token(_) => None,
            User::Login { login, password } => Some((
                partner_only(&self.partner)?,
                serde_json::json!({ "login": login, "password": password.expose_secret() }),
            )),
        }
    }

    /// Counts a sign-in that is about to be asked for.
    pub(super) fn asking(&self) {
        let mut state = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked_at = Some(Instant::now());
        state.refusal = None;
    }

    /// Takes the sign-in back: it never left the house.
    pub(super) fn never_asked(&self) {
        let mut state = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked_at = None;
    }

    /// What came of a sign-in.
    pub(super) fn signed_in(
        &self,
        outcome: Result<String, ApiError>,
    ) -> Result<HeaderValue, ApiError> {
        let mut state = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = outcome.and_then(|token| {
            let token = SecretString::from(token);
            let header = both(&self.partner, &token)
                .ok_or_else(|| ApiError::Unreadable("a token that no header can carry".into()))?;
            Ok((token, header))
        });
        // Counted from the answer: the request itself may have waited long for its turn.
        state.asked_at = Some(Instant::now());
        match outcome {
            Ok((token, header)) => {
                state.token = Some(token);
                state.header = Some(header.clone());
                Ok(header)
            }
            Err(error) => {
                let error = self.without_secrets(&state, error);
                state.refusal = Some(error.clone());
                Err(error)
            }
        }
    }

    /// An error as the API worded it may repeat what we sent.
    pub(super) fn redacted(&self, error: ApiError) -> ApiError {
        let state = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        self.without_secrets(&state, error)
    }

    fn without_secrets(&self, state: &State, error: ApiError) -> ApiError {
        let strike = |text: String| {
            let mut secrets = vec![self.partner.expose_secret()];
            secrets.extend(state.token.iter().map(|token| token.expose_secret()));
            if let User::Login { login, password } = &self.user {
                secrets.extend([login.as_str(), password.expose_secret()]);
            }
            secrets
                .into_iter()
                .map(str::trim)
                .filter(|secret| !secret.is_empty())
                .fold(text, |text, secret| text.replace(secret, "***"))
        };
        match error {
            ApiError::Denied { status, message } => ApiError::Denied {
                status,
                message: strike(message),
            },
            ApiError::Unavailable(text) => ApiError::Unavailable(strike(text)),
            ApiError::Unreadable(text) => ApiError::Unreadable(strike(text)),
            throttled @ ApiError::Throttled { .. } => throttled,
        }
    }
}

fn unfit() -> ClientError {
    ClientError::Setup("a YClients token holds characters that no HTTP header can carry".into())
}

fn both(partner: &SecretString, user: &SecretString) -> Option<HeaderValue> {
    header(&format!(
        "Bearer {}, User {}",
        partner.expose_secret().trim(),
        user.expose_secret().trim()
    ))
}

fn partner_only(partner: &SecretString) -> Option<HeaderValue> {
    header(&format!("Bearer {}", partner.expose_secret().trim()))
}

fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
