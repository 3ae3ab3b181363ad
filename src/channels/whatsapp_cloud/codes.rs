//! Meta's error codes. They decide, not the titles, which Meta rewords and takes away
//! (<https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>).

use std::time::Duration;

use serde_json::Value;

use crate::channels::classify::{Answer, by_status, worded};
use crate::domain::delivery::Outcome;

/// Free text more than 24 hours after the client's last word.
pub(super) const WINDOW_CLOSED: i64 = 131_047;

/// Too many messages to one person; the pair may speak again after this.
const PAIR_PAUSE: Duration = Duration::from_secs(6);
/// Too many requests in all.
const RATE_PAUSE: Duration = Duration::from_mins(1);
/// Too many people marked the number's messages as spam.
const SPAM_PAUSE: Duration = Duration::from_hours(1);

/// The code of an error, if this is one.
pub(super) fn of(json: &Value) -> Option<i64> {
    let code = &json["error"]["code"];
    code.as_i64()
        .or_else(|| code.as_str().and_then(|c| c.parse().ok()))
}

/// What an answer other than "taken" means.
pub(super) fn outcome(answer: &Answer, said: &str) -> Outcome {
    let why = worded(answer.status, said);
    // A server in trouble may have sent it, whatever code it names.
    let code = of(&answer.json()).filter(|_| !answer.leaves_doubt());
    let Some(code) = code else {
        return by_status(answer, said);
    };
    let throttled = |pause: Duration, why: String| Outcome::Throttled {
        after: Some(answer.pause.unwrap_or(pause)),
        why,
    };
    match code {
        // Token, permission, number, account, payment, policy.
        0
        | 3
        | 10
        | 33
        | 190
        | 200..=299
        | 368
        | 130_497
        | 131_005
        | 131_030
        | 131_031
        | 131_037
        | 131_042
        | 131_045
        | 133_006
        | 133_010 => Outcome::ChannelDown { why },
        // The template: missing in that language, paused, switched off.
        132_001 | 132_015 | 132_016 => Outcome::ChannelDown { why },
        // Out of service, and says so before taking anything.
        2 | 131_016 | 131_057 | 133_004 => Outcome::Retry { why },
        4 | 80_007 | 130_429 => throttled(RATE_PAUSE, why),
        131_056 => throttled(PAIR_PAUSE, why),
        131_048 => throttled(SPAM_PAUSE, why),
        // "Unknown error": it was seen with messages that did arrive.
        131_000 => Outcome::Uncertain { why },
        131_021 | 131_026 | 131_049 | 131_050 | 130_472 => Outcome::Unreachable { why },
        1
        | 100
        | 131_008
        | 131_009
        | 131_051..=131_053
        | WINDOW_CLOSED
        | 132_000
        | 132_005
        | 132_007
        | 132_012
        | 132_018 => Outcome::Refused { why },
        _ => by_status(answer, said),
    }
}
