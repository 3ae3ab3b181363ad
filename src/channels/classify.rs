//! One reading of HTTP outcomes for all channels: what surely was not sent, what may have been.
//!
//! An adapter asks its own API's words first and leaves the rest to [`by_status`]. Everything a
//! provider says passes [`scrub`] before it may stand in a `why`: providers echo phones, addresses
//! with tokens, and pieces of the message.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{DATE, HeaderMap};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use crate::domain::delivery::Outcome;
use crate::domain::phone::without_long_numbers;
use crate::failpoint;
pub(super) use crate::http_client::pause;
use crate::http_client::{failure, never_left, readable, retry_after};

/// No answer to a send is longer; more is not read.
const LONGEST_ANSWER: usize = 1 << 20;

/// A journal of a day may be; it is read whole or not at all.
const LONGEST_JOURNAL: usize = 16 << 20;

/// Longest quotation of a provider, in characters.
const LONGEST_QUOTE: usize = 120;

/// An answer whose meaning is still to be read.
#[derive(Debug)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: StatusCode,
    /// `Retry-After`, in full.
    pub(super) pause: Option<Duration>,
    /// By how much the provider's clock is ahead of ours.
    pub(super) skew: TimeDelta,
    /// The body; `None` when it broke off or was too long.
    pub(super) body: Option<String>,
}

impl Answer {
    /// The body, empty when it broke off.
    pub(super) fn text(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }

    /// The body as JSON; null when it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or(Value::Null)
    }

    /// Whether this answers a send that may have gone out all the same, whatever the body says.
    pub(super) fn leaves_doubt(&self) -> bool {
        matches!(self.status.as_u16(), 200..=299 | 408 | 499 | 500..=599)
    }

    /// The list that a good answer holds. Anything else is no empty list, but nothing.
    pub(super) fn listed(&self, secret: &str) -> Result<Value, String> {
        if !self.status.is_success() {
            let json = self.json();
            let said = json["message"].as_str().unwrap_or(self.text());
            return Err(worded(self.status, &scrub(said, secret)));
        }
        let body = self.body.as_ref().ok_or("the answer broke off")?;
        serde_json::from_str(body).map_err(|_| "the answer is no JSON".to_owned())
    }
}

/// Why there is no answer at all.
#[derive(Debug)]
pub(super) struct Silence {
    /// The request surely never left.
    pub(super) unsent: bool,
    /// What broke, without the address.
    pub(super) why: String,
}

impl Silence {
    /// What silence means for a send: without a connection nothing left, with one it may have.
    pub(super) fn of_send(self) -> Outcome {
        if self.unsent {
            Outcome::Retry { why: self.why }
        } else {
            Outcome::Uncertain { why: self.why }
        }
    }
}

/// Sends a request and reads its answer. A body that breaks off is no failure yet: the status line
/// of a 4xx says enough.
pub(super) async fn exchange(request: RequestBuilder) -> Result<Answer, Silence> {
    exchange_up_to(LONGEST_ANSWER, request).await
}

/// The same for a question whose answer may be long.
pub(super) async fn read_journal(request: RequestBuilder) -> Result<Answer, String> {
    exchange_up_to(LONGEST_JOURNAL, request)
        .await
        .map_err(|silence| silence.why)
}

async fn exchange_up_to(longest: usize, request: RequestBuilder) -> Result<Answer, Silence> {
    failpoint::pass("before_request");
    let mut response = request.send().await.map_err(|e| Silence {
        unsent: never_left(&e),
        why: failure(e),
    })?;
    failpoint::pass("after_request_written");
    let status = response.status();
    let pause = retry_after(response.headers());
    let skew = skew(response.headers());
    let mut body = Some(Vec::new());
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) => {
                if let Some(read) = body.as_mut().filter(|b| b.len() < longest) {
                    read.extend_from_slice(&chunk);
                    continue;
                }
                body = None;
                break;
            }
            Err(_) => {
                body = None;
                break;
            }
        }
    }
    failpoint::pass("after_response");
    Ok(Answer {
        status,
        pause,
        skew,
        body: body.map(|b| readable(&b)),
    })
}

/// What the status alone says of a *send* that got no id. `said` is the provider's wording, scrubbed.
pub(super) fn by_status(answer: &Answer, said: &str) -> Outcome {
    let why = worded(answer.status, said);
    match answer.status.as_u16() {
        // A 2xx that cannot be read is a message that most likely went out.
        _ if answer.leaves_doubt() => Outcome::Uncertain { why },
        429 => Outcome::Throttled {
            after: answer.pause,
            why,
        },
        // A redirect is not followed: the token must not go elsewhere.
        300..=399 | 401..=407 | 410 | 421 | 451 => Outcome::ChannelDown { why },
        409 | 423 | 425 => Outcome::Retry { why },
        _ => Outcome::Refused { why },
    }
}

/// `HTTP 403: Forbidden: bot was blocked by the user`.
pub(super) fn worded(status: StatusCode, said: &str) -> String {
    if said.is_empty() {
        format!("HTTP {}", status.as_u16())
    } else {
        format!("HTTP {}: {said}", status.as_u16())
    }
}

/// The `Date` header against our own clock.
fn skew(headers: &HeaderMap) -> TimeDelta {
    let date = headers.get(DATE).and_then(|d| d.to_str().ok());
    let date = date.and_then(|d| httpdate::parse_http_date(d).ok());
    let ahead = date.map(|date| DateTime::<Utc>::from(date) - Utc::now());
    // The header has whole seconds and took its time: less than this is no difference.
    ahead
        .filter(|ahead| ahead.abs() > TimeDelta::seconds(3))
        .unwrap_or_default()
}

/// A provider's words, fit for logs and owners: one short line without `secret`, addresses, runs of
/// more than six digits, or quoted pieces of the message.
pub(super) fn scrub(said: &str, secret: &str) -> String {
    let said = if secret.is_empty() {
        said.to_owned()
    } else {
        said.replace(secret, "***")
    };
    if said.trim_start().starts_with('<') {
        return "an HTML page".to_owned();
    }
    let mut line = String::new();
    for (i, part) in said.split('"').enumerate() {
        // Between quotation marks stands what was sent.
        line.push_str(if i % 2 == 0 { part } else { "\"…\"" });
    }
    let words: Vec<String> = line
        .split_whitespace()
        .map(|w| {
            if w.contains("://") || w.contains("/bot") {
                "***".into()
            } else {
                w.to_owned()
            }
        })
        .collect();
    let masked = without_long_numbers(&words.join(" "));
    match masked.char_indices().nth(LONGEST_QUOTE) {
        Some((cut, _)) => format!("{}…", &masked[..cut]),
        None => masked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_words_lose_phones_tokens_addresses_and_quotations() {
        assert_eq!(
            scrub(
                "no account for 79000000001@c.us, +7 900 000-00-01 at https://x/bot1:A/y \"Анна\" (code 400) s3cret",
                "s3cret"
            ),
            "no account for ***@c.us, +*** at *** \"…\" (code 400) ***"
        );
        assert_eq!(scrub("<html>secret</html>", ""), "an HTML page");
        assert_eq!(scrub(&"а ".repeat(200), "").chars().count(), 121);
    }
}
