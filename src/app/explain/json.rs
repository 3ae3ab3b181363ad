//! `explain --json`: the same story for programs.

use serde_json::{Value, json};

use super::{Unseen, asked, log, proposals, reminders};
use crate::domain::phone::without_long_numbers;
use crate::store::At;
use crate::store::story::Story;

pub(super) fn of(story: &Story, unseen: &Unseen) -> Value {
    let record = &story.booking.record;
    json!({
        "company_id": record.company_id,
        "record_id": record.id,
        "visit_id": record.visit_id,
        "first_seen_at": At(story.booking.first_seen_at).text(),
        "last_seen_at": At(story.booking.last_seen_at).text(),
        "created_by_bot": story.booking.by_bot,
        "deleted": record.deleted,
        "missing_since": unseen.booking.map(|at| At(at).text()),
        "phones_hidden_since": unseen.phone.map(|at| At(at).text()),
        "events": story.events.iter().map(|e| json!({
            "event_id": e.payload["event_id"],
            "event_type": e.event_type,
            "created_at": At(e.created_at).text(),
            "processed_at": e.processed_at.map(|at| At(at).text()),
            "changes": e.payload["changes"].as_object().map(|c| c.keys().collect::<Vec<_>>()),
            "handed_on": e.owed.iter().map(|owed| json!({
                "sink": owed.label,
                "status": owed.status,
                "attempts": owed.attempts,
                "sent_at": owed.sent_at.map(|at| At(at).text()),
                "last_error": owed.last_error,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "settle_at": story.settle_at.map(|at| At(at).text()),
        "heard": story.heard.iter().map(|h| json!({
            "message_id": h.id,
            "channel": h.channel,
            "text": without_long_numbers(&h.text),
            "created_at": At(h.at).text(),
        })).collect::<Vec<_>>(),
        "asked": story.orders.iter().map(|o| json!({
            "id": o.id,
            "act": o.act.as_str(),
            "state": o.state.as_str(),
            "obstacle": asked::obstacle(o, record.id).map(|why| why.as_str()),
            "by_owner": o.by_owner,
            "tries": o.tries,
            "created_at": At(o.created_at).text(),
            "began_at": o.began_at.map(|at| At(at).text()),
            "ended_at": o.ended_at.map(|at| At(at).text()),
        })).collect::<Vec<_>>(),
        "proposed": story.proposals.iter().map(proposals::to_json).collect::<Vec<_>>(),
        "reminders": story.reminders.iter().map(reminders::to_json).collect::<Vec<_>>(),
        "notifications": story.told.iter().map(|t| {
            let mut n = log::to_json(&t.notification);
            n["tries"] = t.attempts.iter().map(|a| json!({
                "attempt": a.attempt,
                "channel": a.channel,
                "started_at": At(a.started_at).text(),
                "outcome": a.outcome,
                "error": a.error,
            })).collect();
            n
        }).collect::<Vec<_>>(),
    })
}
