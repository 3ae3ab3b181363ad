//! `[replies]`: how clients are answered by rules, once for all and once more under a company.

use std::time::Duration;

use super::problem::said;
use super::reader::{Value, Wrong};
use super::section::Section;
use super::values::{SHORTEST, duration, hours, list, marker, switch, word};
use crate::domain::reply::{CancelBy, Replies, Words};

/// Reads the table; what it leaves out is as `old` has it.
pub(super) fn read(at: &mut Section<'_>, old: Replies) -> Replies {
    let who = word(&[("owner", CancelBy::Owner), ("self", CancelBy::Program)]);
    let replies = Replies {
        enabled: at.get("enabled", old.enabled, switch),
        write: at.get("write", old.write, switch),
        cancel: at.get("cancel", old.cancel, who),
        cancel_until: at.get("cancel_until", old.cancel_until, duration(Duration::ZERO)),
        takeover: at.get("takeover", old.takeover, duration(Duration::ZERO)),
        escalate_after: at.get("escalate_after", old.escalate_after, duration(SHORTEST)),
        opening_hours: at.or_off("opening_hours", old.opening_hours, hours),
        words: at.table("words", |at| words(at, old.words)),
    };
    if replies.cancel == CancelBy::Program && !replies.write && at.has("cancel") {
        let wrong = Wrong::new(said(
            "\"self\" needs write = true",
            "для \"self\" нужно write = true",
        ))
        .hint(said(
            "until then the owner is asked",
            "до тех пор спрашивают владельца",
        ));
        at.reader.warning(&at.place_of("cancel"), wrong);
    }
    replies
}

fn words(at: &mut Section<'_>, old: Words) -> Words {
    let own = |value: &Value<'_>| list(marker)(value);
    Words {
        confirm: at.get("confirm", old.confirm, own),
        cancel: at.get("cancel", old.cancel, own),
        shift: at.get("move", old.shift, own),
        late: at.get("late", old.late, own),
        thanks: at.get("thanks", old.thanks, own),
        person: at.get("person", old.person, own),
    }
}
