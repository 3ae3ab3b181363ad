//! `to = "http"`: each event is a POST of its JSON.
//!
//! The body never changes and goes under the event's id, so that a receiver may be given it twice.
//! The signature covers a time of its own, renewed with each try: what was overheard cannot be
//! played back for long.

use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::failpoint;
use crate::http_client::{self, ClientError, ClientSettings, failure, retry_after};
use crate::ports::{EventSink, Handed, Handover};

/// A receiver has this long to answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// `[[events]]` with `to = "http"`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The whole address, which may end in a password.
    pub url: SecretString,
    /// Sent as Bearer.
    pub token: Option<SecretString>,
    /// Signs the POST.
    pub secret: Option<SecretString>,
}

/// A receiver of POSTs.
pub(super) struct Http {
    client: Client,
    settings: Settings,
}

impl Http {
    pub(super) fn build(settings: &Settings) -> Result<Self, ClientError> {
        let client = ClientSettings {
            timeout: TIMEOUT,
            proxy: None,
            ca_file: None,
        };
        Ok(Self {
            client: http_client::client_for(settings.url.expose_secret(), &client)?,
            settings: settings.clone(),
        })
    }

    fn request(&self, event: &Handover<'_>) -> reqwest::RequestBuilder {
        let mut request = self
            .client
            .post(self.settings.url.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", event.event_id);
        if let Some(token) = &self.settings.token {
            let bearer = format!("Bearer {}", token.expose_secret());
            // The configuration refuses what no header can hold.
            if let Ok(mut value) = HeaderValue::from_str(&bearer) {
                value.set_sensitive(true);
                request = request.header(AUTHORIZATION, value);
            }
        }
        let timestamp = event.now.timestamp();
        if let Some(secret) = &self.settings.secret {
            request = request
                .header("X-Booking-Monitor-Timestamp", timestamp)
                .header(
                    "X-Booking-Monitor-Signature",
                    signature(secret.expose_secret(), timestamp, event.body),
                );
        }
        request.body(event.body.to_owned())
    }
}

/// Hex HMAC-SHA256 of `<timestamp>.<body>`.
fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    // A key of any length will do: `new_from_slice` knows no other error.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{timestamp}.{body}").as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an answer means. Of the receiver's own words nothing is kept: they may quote the body.
fn meaning(status: StatusCode, after: Option<Duration>) -> Handed {
    let why = match status.canonical_reason() {
        Some(words) => format!("HTTP {} {words}", status.as_u16()),
        None => format!("HTTP {}", status.as_u16()),
    };
    let later = |closed| Handed::Later {
        why: why.clone(),
        after,
        closed,
    };
    match status.as_u16() {
        200..=299 => Handed::Taken,
        // The receiver is not in order: moved, without rights, overrun, under repair.
        300..=399 | 401 | 403 | 404 | 407 | 429 | 503 => later(true),
        // Perhaps this one alone is too much for it.
        408 | 425 | 500..=599 => later(false),
        // This one and no other: the next may be taken. 410 is the receiver's way to say so, too; who
        // wants nothing at all any more takes the sink out of the configuration.
        _ => Handed::Refused { why },
    }
}

#[async_trait]
impl EventSink for Http {
    async fn hand_over(&self, event: &Handover<'_>) -> Handed {
        failpoint::pass("before_request");
        let answer = self.request(event).send().await;
        failpoint::pass("after_request_written");
        match answer {
            Ok(answer) => meaning(answer.status(), retry_after(answer.headers())),
            Err(error) => Handed::Later {
                why: failure(error),
                after: None,
                closed: true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_openssl_makes_of_time_and_body() {
        // printf '%s' '1787216400.{"event":"record.created"}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            signature("secret", 1_787_216_400, r#"{"event":"record.created"}"#),
            "ec69ca70ecc15e2f37fb646322c0d767a940d3d23a5bdc86026abc93bd04e512"
        );
    }

    #[test]
    fn what_one_event_is_refused_for_holds_no_other_up() {
        let of = |status| meaning(StatusCode::from_u16(status).unwrap(), None);
        for taken in [200, 201, 204, 299] {
            assert_eq!(of(taken), Handed::Taken, "{taken}");
        }
        for refused in [400, 405, 409, 410, 413, 415, 422] {
            assert!(matches!(of(refused), Handed::Refused { .. }), "{refused}");
        }
        for closed in [301, 302, 401, 403, 404, 407, 429, 503] {
            let later = matches!(of(closed), Handed::Later { closed: true, .. });
            assert!(later, "{closed}");
        }
        for again in [408, 425, 500, 502, 504] {
            let later = matches!(of(again), Handed::Later { closed: false, .. });
            assert!(later, "{again}");
        }
    }
}
