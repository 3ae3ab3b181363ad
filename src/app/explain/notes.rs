//! What `explain` tells of a notification: what was decided and why, each try, how it ended.

use chrono::{DateTime, TimeDelta, Utc};

use super::log::masked;
use super::tale::{Line, Step, Teller};
use crate::domain::delivery::Status;
use crate::domain::policy::Reason;
use crate::pipeline::quiet;
use crate::store::outbox::Notification;
use crate::store::story::{Attempt, Told};

/// A message that leaves within this time did not wait.
const AT_ONCE: TimeDelta = TimeDelta::minutes(2);

/// Everything about one notification.
pub(super) fn lines(by: &Teller<'_>, told: &Told) -> Vec<Line> {
    let Told {
        notification: n,
        attempts,
    } = told;
    if let [attempt] = attempts.as_slice()
        && is_for_owners(n)
        && attempt.outcome.as_deref() == Some("accepted")
    {
        // How a copy fared in detail is not this booking's story.
        return vec![(attempt.started_at, Step::Tried, copy(by, n, attempt))];
    }
    let mut lines = vec![(n.created_at, Step::Decided, decision(by, n, attempts))];
    for attempt in attempts {
        lines.push((attempt.started_at, Step::Tried, tried(by, attempt)));
    }
    lines.extend(end(by, n, attempts));
    let words = by.words;
    for (at, what) in [
        (n.delivered_at, words.of("доставлено", "delivered")),
        (n.read_at, words.of("прочитано", "read")),
    ] {
        lines.extend(at.map(|at| (at, Step::Received, format!("№ {}: {what}", n.id))));
    }
    lines
}

fn is_for_owners(n: &Notification) -> bool {
    n.phone.is_empty() && matches!(n.kind.as_str(), "owner" | "alert")
}

/// `№ 3 (запись)`; a message to owners says what of it is about.
fn head(by: &Teller<'_>, n: &Notification) -> String {
    let kind = by.words.kind(&n.kind);
    let about = match (n.about, n.contact, is_for_owners(n)) {
        (Some(id), _, true) => format!(", {} № {id}", by.words.of("копия", "copy of")),
        (None, Some(_), true) => {
            format!(", {}", by.words.of("слова клиента", "the client's words"))
        }
        _ => String::new(),
    };
    format!("№ {} ({kind}{about})", n.id)
}

fn copy(by: &Teller<'_>, n: &Notification, attempt: &Attempt) -> String {
    format!(
        "{}: {} {}: {}",
        head(by, n),
        attempt.channel,
        masked(n),
        outcome(by, attempt)
    )
}

/// What was decided when it was made, as far as it left; else what became of it.
fn decision(by: &Teller<'_>, n: &Notification, attempts: &[Attempt]) -> String {
    let (words, head, to) = (by.words, head(by, n), masked(n));
    match n.status {
        Status::Suppressed if attempts.is_empty() => format!("{head}: {}", silence(by, n)),
        Status::Held => format!(
            "{head}: {}",
            words.of(
                "придержано защитой от массовых изменений, решает владелец (booking-monitor release)",
                "held by the mass-change guard, the owner decides (booking-monitor release)"
            )
        ),
        Status::Pending if attempts.is_empty() => format!(
            "{head}: {} {} {to}{}",
            words.of("ждёт отправки:", "waits to be sent:"),
            n.channel,
            waits(by, n, attempts)
        ),
        _ => format!(
            "{head}: {} {} {to}{}",
            words.of("решено отправить:", "to be sent:"),
            n.channel,
            waits(by, n, attempts)
        ),
    }
}

/// `; не раньше 22.08.2026 09:00:00: тихие часы`, where it waits, or waited.
fn waits(by: &Teller<'_>, n: &Notification, attempts: &[Attempt]) -> String {
    let words = by.words;
    let is_open = n.status == Status::Pending;
    let until = attempts.first().map_or(n.due_at, |first| first.started_at);
    let is_long = until - n.created_at > AT_ONCE;
    let local = n.created_at.with_timezone(&by.zone).time();
    let hours = by.company.and_then(|company| company.quiet_hours);
    let channel = by.channels.iter().find(|c| c.name == n.channel);
    let down = channel.filter(|c| c.down_since.is_some());
    let to_client = !n.phone.is_empty();
    let told_to_wait = channel.and_then(|c| c.blocked_until);
    let told_to_wait = told_to_wait.filter(|until| is_open && *until > by.now);
    let noted = n
        .last_error
        .as_deref()
        .filter(|_| is_open && attempts.is_empty());
    let why = if to_client && is_open && by.is_paused {
        words.of("пауза", "a pause").to_owned()
    } else if let (true, Some(down)) = (is_open, down) {
        let error = words.spoken(down.last_error.as_deref().unwrap_or_default());
        format!(
            "{}: {error}",
            words.of("канал не работает", "the channel is down")
        )
    } else if let Some(until) = told_to_wait {
        let asks = words.of(
            "мессенджер просит подождать до",
            "the messenger asks to wait until",
        );
        format!("{asks} {}", by.when(until))
    } else if let Some(noted) = noted {
        words.spoken(noted)
    } else if to_client && is_long && hours.is_some_and(|hours| quiet::covers(hours, local)) {
        words.of("тихие часы", "quiet hours").to_owned()
    } else {
        String::new()
    };
    match (is_long, is_open, why.as_str()) {
        (true, true, _) => {
            let not_before = words.of("не раньше", "not before");
            let why = if why.is_empty() {
                why
            } else {
                format!(" ({why})")
            };
            format!("; {not_before} {}{why}", by.when(n.due_at))
        }
        (_, _, "") => String::new(),
        _ => format!(" ({why})"),
    }
}

/// `не отправлено — нет телефона`.
fn silence(by: &Teller<'_>, n: &Notification) -> String {
    format!(
        "{} — {}{}",
        by.words.of("не отправлено", "not sent"),
        by.words.why(n),
        would_read(by, n)
    )
}

/// In a test mode: what the client would have read, and where.
fn would_read(by: &Teller<'_>, n: &Notification) -> String {
    if n.reason != Some(Reason::TestMode) || n.message.is_empty() {
        return String::new();
    }
    let text: Vec<String> = n.message.lines().map(|l| format!("    {l}")).collect();
    format!(
        "\n  {} {} {}:\n{}",
        by.words.of("ушло бы:", "would have gone:"),
        n.channel,
        masked(n),
        text.join("\n")
    )
}

fn tried(by: &Teller<'_>, attempt: &Attempt) -> String {
    let error = attempt.error.as_deref().map(|e| by.words.spoken(e));
    let error = error.map(|e| format!(" ({e})")).unwrap_or_default();
    format!(
        "№ {} {} {} → {}: {}{error}",
        attempt.notification,
        by.words.of("попытка", "attempt"),
        attempt.attempt,
        attempt.channel,
        outcome(by, attempt)
    )
}

/// What a channel answered, in words.
fn outcome(by: &Teller<'_>, attempt: &Attempt) -> &'static str {
    let (ru, en) = match attempt.outcome.as_deref() {
        None => ("отправляется", "under way"),
        Some("accepted") => ("принято", "accepted"),
        Some("retry") => ("не вышло, попробуем ещё раз", "failed, is tried again"),
        Some("retry_after") => ("мессенджер просит подождать", "the messenger asks to wait"),
        Some("unreachable") => (
            "этого клиента тут не достать",
            "this client cannot be reached there",
        ),
        Some("channel_down") => ("канал не работает", "the channel is down"),
        Some("uncertain") => (
            "связь оборвалась, неизвестно, ушло ли",
            "the connection broke, nobody knows whether it left",
        ),
        Some(_) => ("не принято", "not accepted"),
    };
    by.words.of(ru, en)
}

/// How it ended where it did not simply arrive.
fn end(by: &Teller<'_>, n: &Notification, attempts: &[Attempt]) -> Option<Line> {
    let last = attempts.last()?;
    let at: DateTime<Utc> = last.finished_at.unwrap_or(last.started_at);
    let words = by.words;
    let what = match (n.status, n.superseded_by) {
        (Status::Suppressed, _) => silence(by, n),
        (Status::Dead | Status::Failed, _) => {
            let error = n.last_error.as_deref().map(|e| words.spoken(e));
            let error = error.map(|e| format!(" ({e})")).unwrap_or_default();
            format!("{}{error}", words.of("не дошло", "did not arrive"))
        }
        (Status::Uncertain, Some(id)) => format!(
            "{} № {id}",
            words.of(
                "дошло ли, неизвестно; всё целиком говорит сообщение",
                "nobody knows whether it arrived; the whole is told by message"
            )
        ),
        (Status::Uncertain, None) => format!(
            "{} (booking-monitor retry {})",
            words.of(
                "дошло ли, неизвестно; отправить ли ещё раз, решает владелец",
                "nobody knows whether it arrived; the owner decides whether to send it again"
            ),
            n.id
        ),
        (Status::Sending, _) if last.outcome.as_deref() == Some("uncertain") => words
            .of(
                "ищем его среди отправленных в мессенджере",
                "it is looked for among what the messenger sent",
            )
            .to_owned(),
        (Status::Pending, _) => {
            let not_before = words.of("ещё раз не раньше", "again not before");
            // What the try itself said stands beside it.
            let why = n
                .last_error
                .as_ref()
                .filter(|why| last.error.as_ref() != Some(*why));
            let why = why.map_or_else(String::new, |why| format!(" ({})", words.spoken(why)));
            format!("{not_before} {}{why}", by.when(n.due_at))
        }
        (Status::Held, _)
        | (Status::Sending | Status::Sent | Status::Delivered | Status::Read, _) => return None,
    };
    Some((at, Step::Ended, format!("№ {}: {what}", n.id)))
}
