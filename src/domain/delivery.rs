//! The life of a notification once it exists: its statuses, what a channel's answer means, and
//! when to try again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a notification stands. The words are stored in `booking_notifications.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waiting for `due_at`.
    Pending,
    /// Kept back by the guard against mass change.
    Held,
    /// The intent is on disk; the outcome is not.
    Sending,
    /// It may have arrived, and the channel cannot tell.
    Uncertain,
    /// The channel took it.
    Sent,
    /// It reached the device.
    Delivered,
    /// It was opened.
    Read,
    /// The provider said later that it did not arrive, and no channel is left.
    Failed,
    /// Never accepted; no more tries.
    Dead,
    /// Not sent, for a reason that is stored.
    Suppressed,
}

impl Status {
    /// Every status, for tables and checks.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Held,
        Self::Sending,
        Self::Uncertain,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Dead,
        Self::Suppressed,
    ];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Sending => "sending",
            Self::Uncertain => "uncertain",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Suppressed => "suppressed",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// What a channel answered to a send: the decision, not the wording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Taken; the provider's id of the message, where it names one.
    Accepted {
        /// The provider's id.
        id: Option<String>,
    },
    /// Surely not sent, worth trying again.
    Retry {
        /// What went wrong, without secrets or phones.
        why: String,
    },
    /// Surely not sent; the whole channel has to wait.
    Throttled {
        /// The stated pause; `None` means by the retry steps.
        after: Option<Duration>,
        /// What the provider said.
        why: String,
    },
    /// This person cannot be reached here; another channel may.
    Unreachable {
        /// What the provider said.
        why: String,
    },
    /// Nobody can be reached here until somebody mends the configuration or the account.
    ChannelDown {
        /// What the provider said.
        why: String,
    },
    /// This message will never be taken as it is.
    Refused {
        /// What the provider said.
        why: String,
    },
    /// It may have arrived.
    Uncertain {
        /// What broke off.
        why: String,
    },
}

impl Outcome {
    /// The word stored in `delivery_attempts.outcome`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Retry { .. } => "retry",
            Self::Throttled { .. } => "retry_after",
            Self::Unreachable { .. } => "unreachable",
            Self::ChannelDown { .. } => "channel_down",
            Self::Refused { .. } => "refused",
            Self::Uncertain { .. } => "uncertain",
        }
    }

    /// The wording, where something went wrong.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Accepted { .. } => None,
            Self::Retry { why }
            | Self::Throttled { why, .. }
            | Self::Unreachable { why }
            | Self::ChannelDown { why }
            | Self::Refused { why }
            | Self::Uncertain { why } => Some(why),
        }
    }
}

/// Official WhatsApp takes free text for 24 h after the client wrote; an hour is left for the way.
const FREE_TEXT: TimeDelta = TimeDelta::hours(23);

/// Whether somebody who last wrote then may be sent free text by an official channel.
#[must_use]
pub fn wrote_lately(last_inbound_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    last_inbound_at.is_some_and(|at| now - at < FREE_TEXT)
}

/// The key under which a channel may know a message again: the same for every try of the same words
/// to the same person.
///
/// The words are part of it, or a message that had to be said anew would count as delivered already;
/// so is the time of its making, because a fresh database counts its notifications from one again.
#[must_use]
pub fn message_key(notification: i64, created_at: DateTime<Utc>, to: &str, text: &str) -> String {
    let made = created_at.timestamp_millis();
    let name = format!("{notification}\n{made}\n{to}\n{text}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

/// Waits between the tries of one send, in seconds; the last one repeats until the visit begins.
const RETRY_STEPS: [u64; 8] = [1, 2, 5, 10, 30, 60, 120, 300];

/// The wait after failed try number `failures` (1 for the first), not spread.
#[must_use]
pub fn retry_step(failures: u32) -> Duration {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    Duration::from_secs(RETRY_STEPS[index.min(RETRY_STEPS.len() - 1)])
}

/// A span moved by up to 20 % either way: those that failed together do not come back together. What
/// has this number (a message's, a company's) waits equally long at the same try, so that a story that
/// is told again goes the same way.
#[must_use]
pub fn spread(span: Duration, number: i64, tries: u32) -> Duration {
    let mut hasher = DefaultHasher::new();
    (number, tries).hash(&mut hasher);
    let unit = f64::from((hasher.finish() >> 32) as u32) / f64::from(u32::MAX);
    span.mul_f64(0.8 + 0.4 * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_become_rarer_and_then_come_every_five_minutes() {
        let steps: Vec<u64> = (1..=10).map(|n| retry_step(n).as_secs()).collect();
        assert_eq!(steps, [1, 2, 5, 10, 30, 60, 120, 300, 300, 300]);
    }

    #[test]
    fn free_text_is_for_those_who_wrote_within_23_hours() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let ago = |hours| Some(now - TimeDelta::hours(hours));
        assert!(wrote_lately(ago(22), now));
        assert!(!wrote_lately(ago(23), now));
        assert!(!wrote_lately(None, now));
    }

    #[test]
    fn a_key_stands_for_the_same_words_to_the_same_person() {
        let at = DateTime::UNIX_EPOCH;
        let key = message_key(1, at, "+79000000001", "текст");
        assert_eq!(key, message_key(1, at, "+79000000001", "текст"));
        for other in [
            message_key(2, at, "+79000000001", "текст"),
            message_key(1, at + TimeDelta::seconds(1), "+79000000001", "текст"),
            message_key(1, at, "+79000000002", "текст"),
            message_key(1, at, "+79000000001", "другой текст"),
        ] {
            assert_ne!(key, other);
        }
        assert_eq!(key.len(), 36);
    }

    #[test]
    fn pauses_are_spread_over_a_fifth_either_way_and_the_same_each_time() {
        let span = Duration::from_secs(10);
        let pauses: Vec<f64> = (0..1000)
            .map(|n| spread(span, n, 1).as_secs_f64())
            .collect();
        assert!(pauses.iter().all(|p| (8.0..=12.0).contains(p)));
        for quarter in [8.0..9.0, 9.0..10.0, 10.0..11.0, 11.0..12.0] {
            let within = pauses.iter().filter(|p| quarter.contains(*p)).count();
            assert!((150..350).contains(&within), "{within} in {quarter:?}");
        }
        assert_eq!(spread(span, 7, 2), spread(span, 7, 2));
        assert_ne!(spread(span, 7, 2), spread(span, 7, 3));
    }
}
