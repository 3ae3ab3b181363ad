//! A blind channel: what it takes is gone, what it answers may be lost on the way, and nobody can
//! ask it afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use booking_monitor::domain::delivery::Outcome;
use booking_monitor::ports::{Addressing, Channel, Markup, Outgoing};
use chrono::{DateTime, NaiveDateTime, Utc};

use crate::journal::Item;
use crate::{Called, Rng, World};

/// The owner's number: what goes there is no client's message.
pub const OWNER: &str = "+79000009999";

/// Templates that a program can read: the kind, then every record of the visit.
pub const TEMPLATES: [&str; 5] = [
    "created",
    "updated",
    "restored",
    "cancelled",
    "wrong_number",
];

pub fn template(key: &str) -> String {
    let each = "{{ item.date }}|{{ item.time }}|{{ item.staff }}|{{ item.services }}";
    let old = match key {
        // A line that names what is not there is left out. Of several bookings the old values are those
        // of the ones that changed, which a reader of this short text cannot tell apart.
        "updated" => {
            "\n{% if items | length == 1 %}began {{ old_date }}|{{ old_time }}\nwith {{ old_staff }}{% endif +%}\nhad {{ old_services }}\n"
        }
        _ => "",
    };
    [key, old, "{% for item in items %};", each, "{% endfor %}"].concat()
}

/// What an `updated` says of the time before, as far as it says anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Was {
    start: Option<NaiveDateTime>,
    staff: Vec<i64>,
    services: Vec<i64>,
    /// Titles name their records.
    pub records: BTreeSet<i64>,
}

impl Was {
    fn parse(text: &str) -> Option<Self> {
        let numbers = |word: &str, letter: char| -> Option<Vec<i64>> {
            let line = text.lines().find_map(|line| line.strip_prefix(word));
            let parts = line
                .unwrap_or_default()
                .split(", ")
                .filter(|part| !part.is_empty());
            parts
                .map(|p| p.strip_prefix(letter)?.split('R').next()?.parse().ok())
                .collect()
        };
        let began = text.lines().find_map(|line| line.strip_prefix("began "));
        let began = began.and_then(|at| at.split_once('|'));
        Some(Self {
            start: began.and_then(|(date, time)| start_of(date, time)),
            staff: numbers("with ", 'M')?,
            services: numbers("had ", 'S')?,
            records: text
                .lines()
                .filter_map(|line| line.strip_prefix("had "))
                .flat_map(|line| line.split(", "))
                .filter_map(|title| title.split_once('R')?.1.parse().ok())
                .collect(),
        })
    }

    /// It says nothing of the time before.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it may speak of this booking, as far as it says anything. Of a visit of several
    /// records the start is the first one's, masters and services are those of all.
    pub fn may_be(&self, item: &Item) -> bool {
        let (start, staff, services) = item;
        self.start.is_none_or(|was| was == *start)
            && (self.staff.is_empty() || self.staff.contains(staff))
            && (self.services.is_empty() || services.iter().all(|s| self.services.contains(s)))
    }

    /// Whether a reader recognises this booking in it; what is not mentioned is as it is now.
    pub fn is(&self, item: &Item, now: &BTreeMap<i64, Item>) -> bool {
        let (start, staff, services) = item;
        let now = || now.values();
        self.start
            .map_or_else(|| now().any(|i| i.0 == *start), |was| was == *start)
            && (self.staff.contains(staff) || self.staff.is_empty() && now().any(|i| i.1 == *staff))
            && services.iter().all(|s| {
                self.services.contains(s)
                    || self.services.is_empty() && now().any(|i| i.2.contains(s))
            })
    }
}

fn start_of(date: &str, time: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(&format!("{date} 2026 {time}"), "%d %B %Y %H:%M").ok()
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub kind: String,
    pub was: Was,
    pub items: BTreeMap<i64, Item>,
}

impl Said {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split(';');
        let head = parts.next()?;
        let was = Was::parse(head)?;
        let kind = head.lines().next()?.to_owned();
        let mut items = BTreeMap::new();
        for part in parts {
            let mut cells = part.split('|');
            let (date, time) = (cells.next()?, cells.next()?);
            let start = start_of(date, time)?;
            let staff = cells.next()?.strip_prefix('M')?.parse().ok()?;
            let (mut services, mut record) = (Vec::new(), 0);
            for title in cells.next()?.split(", ") {
                let (service, of) = title.strip_prefix('S')?.split_once('R')?;
                services.push(service.parse().ok()?);
                record = of.parse().ok()?;
            }
            services.sort_unstable();
            items.insert(record, (start, staff, services));
        }
        Some(Self { kind, was, items })
    }

    /// Whether it says that the visit is off, for this person at least.
    pub fn is_farewell(&self) -> bool {
        self.kind == "cancelled" || self.kind == "wrong_number"
    }

    /// The visit as the reader pictures it now.
    pub fn leaves(&self) -> BTreeMap<i64, Item> {
        if self.is_farewell() {
            BTreeMap::new()
        } else {
            self.items.clone()
        }
    }
}

/// What became of a send, as the channel knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Accepted,
    /// Reached the client, but the program cannot know.
    Taken,
    /// Did not reach the client, but the program cannot know.
    Lost,
    Unreachable,
}

/// A send that the client or the program may count.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub at: DateTime<Utc>,
    pub to: String,
    pub said: Said,
    pub fate: Fate,
}

/// How often a send ends how.
#[derive(Clone, Debug, Default)]
pub struct Mood {
    pub retry: f64,
    pub uncertain: f64,
    pub unreachable: f64,
    pub throttled: f64,
    /// Out of order until then.
    pub down: Option<DateTime<Utc>>,
}

impl Mood {
    pub fn drawn(rng: &mut Rng) -> Self {
        let mut rate = |most: f64| {
            if rng.chance(0.5) {
                0.0
            } else {
                rng.unit() * most
            }
        };
        Self {
            retry: rate(0.3),
            uncertain: rate(0.2),
            unreachable: rate(0.05),
            throttled: rate(0.05),
            down: None,
        }
    }
}

pub struct FakeChannel {
    pub world: Arc<World>,
}

#[async_trait]
impl Channel for FakeChannel {
    fn markup(&self) -> Markup {
        Markup::Plain
    }

    fn addressing(&self) -> Addressing {
        Addressing::Phone
    }

    fn hears_replies(&self) -> bool {
        false
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let cut = message.to != OWNER && self.world.power.goes_out(Called::Channel);
        if self.world.power.is_out() && !cut {
            std::future::pending::<()>().await;
        }
        let outcome = self.answer(message, cut);
        if cut {
            self.world.power.cut().await;
        }
        outcome
    }

    async fn probe(&self) -> Result<(), String> {
        match self.world.lock().mood.down {
            Some(_) => Err("simulated".into()),
            None => Ok(()),
        }
    }
}

impl FakeChannel {
    fn answer(&self, message: &Outgoing, cut: bool) -> Outcome {
        let mut inner = self.world.lock();
        let world = &mut *inner;
        let count = world.sends.entry(message.to.clone()).or_default();
        *count += 1;
        // Recipients are served side by side, so the dice of one must not depend on another's turn.
        let mut dice = Rng::new(world.seed ^ Rng::new(*count ^ digits(&message.to)).next());
        let why = || "simulated".to_owned();
        let mood = &world.mood;
        let (fate, outcome) = if cut || dice.chance(mood.uncertain) {
            let fate = if dice.chance(0.7) {
                Fate::Taken
            } else {
                Fate::Lost
            };
            (Some(fate), Outcome::Uncertain { why: why() })
        } else if mood.down.is_some() {
            (None, Outcome::ChannelDown { why: why() })
        } else if dice.chance(mood.retry) {
            (None, Outcome::Retry { why: why() })
        } else if dice.chance(mood.throttled) {
            let after = dice
                .chance(0.5)
                .then(|| Duration::from_secs(1 + dice.below(60)));
            (None, Outcome::Throttled { after, why: why() })
        } else if dice.chance(mood.unreachable) {
            (Some(Fate::Unreachable), Outcome::Unreachable { why: why() })
        } else {
            (
                Some(Fate::Accepted),
                Outcome::Accepted {
                    id: Some(format!("{}-{count}", message.to)),
                },
            )
        };
        let words = fate.map_or_else(|| outcome.as_str().to_owned(), |f| format!("{f:?}"));
        let cut = if cut {
            ", and the program is killed"
        } else {
            ""
        };
        world.note(format!(
            "send to {}: {words}{cut}: {}",
            message.to,
            message.text.trim()
        ));
        if let (Some(fate), true) = (fate, message.to != OWNER) {
            let said =
                Said::parse(&message.text).unwrap_or_else(|| panic!("what is {:?}?", message.text));
            world.sent.push(Sent {
                at: world.now,
                to: message.to.clone(),
                said,
                fate,
            });
        }
        outcome
    }
}

fn digits(phone: &str) -> u64 {
    phone.trim_start_matches('+').parse().unwrap_or(0)
}
