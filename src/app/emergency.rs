//! The owners hear of the database's trouble past the outbox: an alert that waited in the database
//! would wait for what it tells of. It is the only message without an intent on the disk, and owners
//! read one twice more gladly than not at all. A sign beside the database keeps it to one.

use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;

use super::{Failure, channel_ends, stdout_sink};
use crate::config::{Config, Language, Owner};
use crate::domain::delivery::Outcome;
use crate::domain::message::owner::{Sick, Voice, alert_database};
use crate::ports::Outgoing;
use crate::store::{Ailment, Sign};

/// All owners together get no more of a stricken program's time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the owners were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Now or before, and a sign says so.
    Signed,
    /// Now; nothing could be written to remember it by.
    Unsigned,
    /// Nobody was reached, or there is nothing to tell.
    No,
}

/// Tells them, unless a sign says that they were told; where no sign can be put up, only a process
/// that lasts (`lasting`) may: it remembers by itself.
pub(super) async fn tell(config: &Config, failure: &Failure, lasting: bool) -> Told {
    let Some(ailment) = failure.ailment else {
        return Told::No;
    };
    let sick = match ailment {
        Ailment::NoRoom => Sick::NoRoom,
        Ailment::ReadOnly => Sick::ReadOnly,
        Ailment::Disk => Sick::Disk,
        Ailment::Damaged => Sick::Refused,
        Ailment::Busy | Ailment::Other => return Told::No,
    };
    if !config.enabled {
        return Told::No;
    }
    let sign = Sign::beside(&config.database.path);
    let signed = match sign.raise(ailment, Utc::now()) {
        Ok(true) => true,
        Ok(false) => return Told::Signed,
        Err(_) if !lasting => return Told::No,
        Err(_) => false,
    };
    let reached = tokio::time::timeout(PATIENCE, write_to_owners(config, sick)).await;
    match (reached, signed) {
        (Ok(1..), true) => Told::Signed,
        (Ok(1..), false) => Told::Unsigned,
        _ => {
            tracing::error!("no owner could be told of the database's trouble");
            if let Err(error) = sign.lower() {
                tracing::debug!(%error, "the sign stays");
            }
            Told::No
        }
    }
}

/// The same for a process that ends.
pub(super) async fn tell_if_remembered(config: &Config, failure: &Failure) {
    tell(config, failure, false).await;
}

/// Every owner's chat that takes alerts, once. Returns how many took it.
async fn write_to_owners(config: &Config, sick: Sick) -> usize {
    let Ok(ends) = channel_ends(config, &stdout_sink()) else {
        return 0;
    };
    let mut chats: Vec<(Language, &Owner)> = Vec::new();
    for company in &config.companies {
        for owner in company.owners.iter().filter(|owner| owner.alerts) {
            let same = |known: &Owner| known.channel == owner.channel && known.to == owner.to;
            if !chats.iter().any(|(_, known)| same(known)) {
                chats.push((company.language, owner));
            }
        }
    }
    let sends = chats.iter().filter_map(|(language, owner)| {
        let end = ends.iter().find(|end| end.name == owner.channel)?;
        let voice = Voice {
            language: *language,
            markup: end.channel.markup(),
            today: Utc::now().date_naive(),
        };
        let message = Outgoing {
            to: owner.to.clone(),
            text: alert_database(voice, sick),
            key: format!("{:032x}", rand::random::<u128>()),
            wrote_lately: true,
            ..Outgoing::default()
        };
        Some(async move {
            let outcome = end.channel.send(&message).await;
            match outcome.why() {
                None => tracing::info!(channel = end.name, "owner told of the database's trouble"),
                Some(why) => tracing::warn!(channel = end.name, why, "owner not told"),
            }
            matches!(
                outcome,
                Outcome::Accepted { .. } | Outcome::Uncertain { .. }
            )
        })
    });
    let taken = join_all(sends).await;
    taken.into_iter().filter(|taken| *taken).count()
}
