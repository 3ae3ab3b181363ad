//! `[monitor]` and `[notify]`: the same keys, once for all and once more under a company.

use std::time::Duration;

use chrono::NaiveTime;

use super::environment::Overrides;
use super::reader::{Place, Value, Wrong};
use super::section::Section;
use super::values::{
    SHORTEST, count, days, duration, hours, list, marker, percent, schedule, spell, switch, text,
    text_or_number, whole, word,
};
use crate::domain::change::Field;
use crate::domain::phone::Phone;
use crate::domain::policy::{Ignore, Kind, OnUncertain, Pace, Rules};
use crate::domain::record::Origin;

/// The words for kinds of messages.
pub(super) const KINDS: [(&str, Kind); 3] = [
    ("created", Kind::Created),
    ("updated", Kind::Updated),
    ("cancelled", Kind::Cancelled),
];

const FIELDS: [(&str, Field); 5] = [
    ("start", Field::Start),
    ("staff", Field::Staff),
    ("services", Field::Services),
    ("price", Field::Price),
    ("duration", Field::Duration),
];

/// Everything a company inherits from `[monitor]` and `[notify]`.
#[derive(Clone, Default)]
pub(super) struct Inherited {
    pub(super) pace: Pace,
    pub(super) schedule: Option<String>,
    pub(super) quiet_hours: Option<(NaiveTime, NaiveTime)>,
    pub(super) rules: Rules,
    pub(super) booking_link: Option<String>,
    pub(super) offer_times: u32,
    /// Not yet phones: which numbers they are depends on the company's country.
    only_phones: Vec<(Place, String)>,
    /// The same.
    ignored_phones: Vec<(Place, String)>,
}

impl Inherited {
    /// The keys of `[monitor]` that a company may set again, in place of what `self` holds.
    pub(super) fn monitor(mut self, at: &mut Section<'_>, overrides: &Overrides) -> Self {
        let pace = self.pace;
        let chosen = at.get("interval", (!pace.auto).then_some(pace.interval), interval);
        // The file's own value is read first all the same, so that a broken one is not hidden.
        let chosen = overrides.interval.or(chosen);
        self.pace = Pace {
            interval: chosen.unwrap_or(pace.interval),
            auto: chosen.is_none(),
            notification_delay: at.get(
                "notification_delay",
                pace.notification_delay,
                duration(SHORTEST),
            ),
            max_delay: at.get("max_delay", pace.max_delay, duration(SHORTEST)),
            sweep_interval: at.get("sweep_interval", pace.sweep_interval, duration(SHORTEST)),
            horizon_days: at.get("horizon", pace.horizon_days, days),
        };
        self.pace.notification_delay = overrides
            .notification_delay
            .unwrap_or(self.pace.notification_delay);
        self.schedule = at.or_off("schedule", self.schedule, schedule);
        self.quiet_hours = at.or_off("quiet_hours", self.quiet_hours, hours);
        self.only_phones = at.get("only_phones", self.only_phones, phone_texts);
        let old = self.rules.ignore.clone();
        let ignore = at.table("ignore", |at| {
            let phones = std::mem::take(&mut self.ignored_phones);
            self.ignored_phones = at.get("phones", phones, phone_texts);
            Ignore {
                staff: at.get("staff", old.staff, list(whole(1, i64::MAX))),
                services: at.get("services", old.services, list(whole(1, i64::MAX))),
                phones: old.phones,
                labels: at.get("labels", old.labels, list(marker)),
            }
        });

        let origins = word(&[("staff", Origin::Staff), ("online", Origin::Online)]);
        let outcomes = word(&[("hold", OnUncertain::Hold), ("resend", OnUncertain::Resend)]);
        let old = self.rules;
        self.rules = Rules {
            kinds: old.kinds,
            updated_fields: old.updated_fields,
            stale_after: at.get("stale_after", old.stale_after, duration(SHORTEST)),
            bot_markers: at.get("bot_markers", old.bot_markers, list(marker)),
            bot_user_ids: at.get("bot_user_ids", old.bot_user_ids, list(whole(1, i64::MAX))),
            bot_silences: at.get("bot_silences", old.bot_silences, list(word(&KINDS))),
            missing_limit: at.get("missing_limit", old.missing_limit, percent),
            created_from: at.get("created_from", old.created_from, list(origins)),
            quiet_markers: at.get("quiet_markers", old.quiet_markers, list(marker)),
            ignore,
            min_shift: at.get("min_shift", old.min_shift, duration(Duration::ZERO)),
            only_phones: old.only_phones,
            dry_run: at.get("dry_run", old.dry_run, switch),
            on_uncertain: at.get("on_uncertain", old.on_uncertain, outcomes),
            recent_activity: at.get(
                "recent_activity",
                old.recent_activity,
                duration(Duration::ZERO),
            ),
            per_client_per_hour: at.get(
                "per_client_per_hour",
                old.per_client_per_hour,
                count(0, 1000),
            ),
        };
        self
    }

    /// `[notify]`, in place of what `self` holds.
    pub(super) fn notify(mut self, at: &mut Section<'_>) -> Self {
        let kinds = KINDS.into_iter().filter(|(name, kind)| {
            let told = self.rules.kinds.contains(kind);
            at.get(name, told, switch)
        });
        let kinds = kinds.map(|(_, kind)| kind).collect();
        self.rules.kinds = kinds;
        let fields = self.rules.updated_fields;
        self.rules.updated_fields = at.get("updated_fields", fields, list(word(&FIELDS)));
        self.offer_times = at.get("offer_times", self.offer_times, count(0, 3));
        self.booking_link = at.or_off("booking_link", self.booking_link, text);
        self
    }

    /// The rules with their phones read as numbers of this country.
    pub(super) fn rules_in(&self, at: &Section<'_>, country: &str) -> Rules {
        let mut rules = self.rules.clone();
        let phones = |written: &[(Place, String)]| {
            let mut phones = Vec::new();
            for (place, written) in written {
                match Phone::parse(written, country) {
                    Ok(phone) => phones.push(phone),
                    Err(problem) => {
                        let wrong = Wrong::new(problem.to_string())
                            .hint("write it whole, as +79000000001".to_owned());
                        at.reader.problem(place, wrong);
                    }
                }
            }
            phones
        };
        rules.only_phones = phones(&self.only_phones);
        rules.ignore.phones = phones(&self.ignored_phones);
        rules
    }

    /// Warns where a company's own delays differ from everybody's.
    pub(super) fn warn_of_other_delay(&self, than: &Self, at: &Section<'_>) {
        let delays = |pace: &Pace| (pace.notification_delay, pace.max_delay);
        if delays(&self.pace) != delays(&than.pace) {
            self.warn_of_delay(at);
        }
    }

    /// Warns of a delay that `max_delay` cuts short: legal, but hardly meant.
    pub(super) fn warn_of_delay(&self, at: &Section<'_>) {
        let Pace {
            notification_delay,
            max_delay,
            ..
        } = self.pace;
        if notification_delay > max_delay {
            let wrong = Wrong::new(format!(
                "{} is longer than max_delay ({})",
                spell(notification_delay),
                spell(max_delay)
            ))
            .hint(format!(
                "every change is told {} after it was seen, even while it is still being edited",
                spell(max_delay)
            ));
            at.reader.warning(&at.place_of("notification_delay"), wrong);
        }
    }
}

/// A duration, or nothing where `"auto"` leaves it to the program.
fn interval(value: &Value<'_>) -> Option<Option<Duration>> {
    if value.node.as_str() == Some("auto") {
        return Some(None);
    }
    duration(SHORTEST)(value).map(Some)
}

/// Broken items are reported and left out, so that the others are still looked at.
fn phone_texts(value: &Value<'_>) -> Option<Vec<(Place, String)>> {
    let written = |item: &Value<'_>| Some((item.place.clone(), text_or_number(item)?));
    Some(value.items()?.iter().filter_map(written).collect())
}
