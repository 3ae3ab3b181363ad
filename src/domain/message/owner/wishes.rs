//! What a client agreed to in a conversation with the agent and a person has to do: because the program
//! may not write, or because the journal did not let it.

use super::super::details;
use super::super::markup::data;
use super::threads::client;
use super::{Voice, joined};
use crate::domain::agent::proposal::Proposal;
use crate::domain::phone::Phone;
use crate::domain::reply::order::Obstacle;

/// `✋ *Просит записать: Малаховка* …`
#[must_use]
pub fn card_wanted(
    voice: Voice,
    salon: &str,
    (name, phone): (&str, Option<&Phone>),
    what: &Proposal,
    mask: bool,
) -> String {
    let head = match what {
        Proposal::Make { .. } => voice.say("Просит записать", "Wants a booking"),
        Proposal::Move { .. } => voice.say("Просит перенести", "Wants to reschedule"),
        Proposal::Cancel { .. } => voice.say("Просит отменить", "Wants to cancel"),
    };
    voice.write(&[
        format!("✋ *{head}: {}*", data(salon)),
        joined(&[client(name, phone, mask)]),
        details(voice.language, voice.today, what),
        data(&voice.how_to_answer()),
    ])
}

/// `⚠️ *Не получилось записать: Малаховка* …`
#[must_use]
pub fn card_undone(
    voice: Voice,
    salon: &str,
    (name, phone): (&str, Option<&Phone>),
    (what, why): (&Proposal, Obstacle),
    mask: bool,
) -> String {
    let head = match (what, why) {
        (Proposal::Make { .. }, Obstacle::Unknown) => voice.say(
            "Неизвестно, записан ли клиент",
            "Nobody knows whether it is booked",
        ),
        (Proposal::Move { .. }, Obstacle::Unknown) => voice.say(
            "Неизвестно, перенесена ли запись",
            "Nobody knows whether it is rescheduled",
        ),
        (Proposal::Make { .. }, _) => voice.say("Не получилось записать", "Could not book"),
        (Proposal::Move { .. }, _) => voice.say("Не получилось перенести", "Could not reschedule"),
        (Proposal::Cancel { .. }, _) => voice.say("Не получилось отменить", "Could not cancel"),
    };
    voice.write(&[
        format!("⚠️ *{head}: {}*", data(salon)),
        joined(&[client(name, phone, mask)]),
        details(voice.language, voice.today, what),
        format!(
            "{}: {}.",
            voice.say("Причина", "Why"),
            data(voice.obstacle(why))
        ),
    ])
}
