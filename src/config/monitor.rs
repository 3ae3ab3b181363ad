//! `[monitor]` and `[notify]`: the same keys, once for all and once more under a company.

use std::time::Duration;

use chrono::NaiveTime;

use super::environment::Overrides;
use super::problem::said;
use super::reader::{Place, Value, Wrong, named_twice};
use super::section::Section;
use super::values::{
    SHORTEST, count, days, duration, hours, list, marker, parse_duration, percent, schedule, spell,
    switch, text, text_or_number, whole, word,
};
use crate::domain::change::Field;
use crate::domain::phone::Phone;
use crate::domain::policy::{Ignore, Kind, MinusOne, OnUncertain, Pace, Rules};
use crate::domain::record::Origin;
use crate::domain::reminder::Lead;

/// The words for kinds of messages.
pub(super) const KINDS: [(&str, Kind); 5] = [
    ("created", Kind::Created),
    ("updated", Kind::Updated),
    ("cancelled", Kind::Cancelled),
    ("no_show", Kind::NoShow),
    ("visited", Kind::Visited),
];

/// Those that a bot may tell itself.
const BOTS_KINDS: [(&str, Kind); 3] = [KINDS[0], KINDS[1], KINDS[2]];

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
    pub(super) review_link: Option<String>,
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
            bot_silences: at.get("bot_silences", old.bot_silences, list(word(&BOTS_KINDS))),
            missing_limit: at.get("missing_limit", old.missing_limit, percent),
            created_from: at.get("created_from", old.created_from, list(origins)),
            quiet_markers: at.get("quiet_markers", old.quiet_markers, list(marker)),
            ignore,
            min_shift: at.get("min_shift", old.min_shift, duration(Duration::ZERO)),
            only_phones: old.only_phones,
            dry_run: at.get("dry_run", old.dry_run, switch),
            on_uncertain: at.get("on_uncertain", old.on_uncertain, outcomes),
            reminders: old.reminders,
            attendance_minus_one: at.get(
                "attendance_minus_one",
                old.attendance_minus_one,
                word(&[
                    ("no_show", MinusOne::NoShow),
                    ("cancelled", MinusOne::Cancelled),
                ]),
            ),
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
        let reminders = self.rules.reminders;
        self.rules.reminders = at.get("reminders", reminders, leads);
        let fields = self.rules.updated_fields;
        self.rules.updated_fields = at.get("updated_fields", fields, list(word(&FIELDS)));
        self.offer_times = at.get("offer_times", self.offer_times, count(0, 3));
        self.booking_link = at.or_off("booking_link", self.booking_link, text);
        self.review_link = at.or_off("review_link", self.review_link, text);
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
                        let wrong = Wrong::new(said(problem.to_string(), problem.in_russian()))
                            .hint(said(
                                "write it whole, as +79000000001",
                                "напишите его целиком, вида +79000000001",
                            ));
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

    /// Warns of a switch that the meaning of "did not come" leaves without effect; `told_of` is what
    /// was warned of already.
    pub(super) fn warn_of_idle_no_show(
        &self,
        told_of: Option<&Self>,
        notify: &Place,
        at: &Section<'_>,
    ) {
        let is_idle = |of: &Self| {
            of.rules.kinds.contains(&Kind::NoShow)
                && of.rules.attendance_minus_one == MinusOne::Cancelled
        };
        if is_idle(self) && !told_of.is_some_and(is_idle) {
            let wrong = Wrong::new(said(
                "no such message is ever sent",
                "такое сообщение никогда не уйдёт",
            ))
            .hint(said(
                r#"attendance_minus_one = "cancelled" makes "did not come" a cancellation"#,
                r#"attendance_minus_one = "cancelled" делает из «не пришёл» отмену"#,
            ));
            at.reader.warning(notify, wrong);
        }
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
            let (delay, most) = (spell(notification_delay), spell(max_delay));
            let wrong = Wrong::new(said(
                format!("{delay} is longer than max_delay ({most})"),
                format!("{delay} больше, чем max_delay ({most})"),
            ))
            .hint(said(
                format!("every change is told {most} after it was seen, even while it is still being edited"),
                format!("о каждом изменении сообщат через {most}, даже если запись ещё правят"),
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

/// When to remind: spans before the visit, and hours of a day before it, none of them twice.
fn leads(value: &Value<'_>) -> Option<Vec<Lead>> {
    let leads = list(lead)(value)?;
    let twice = leads
        .iter()
        .enumerate()
        .find(|(index, lead)| leads[..*index].contains(lead));
    match twice {
        Some((_, lead)) => value.refuse(named_twice(&lead.to_string())),
        None => Some(leads),
    }
}

fn lead(value: &Value<'_>) -> Option<Lead> {
    let written = value.node.as_str().unwrap_or_default();
    let span = parse_duration(written).and_then(Lead::before);
    span.or_else(|| Lead::at_hour(written)).or_else(|| {
        let message = said(
            r#"expected a span up to "30d" such as "24h", or an hour and a day before such as "18:00 -1d", found"#,
            r#"нужен срок до "30d" вида "24h" или час и день до визита вида "18:00 -1d", а стоит"#,
        );
        value.wrong(message, None)
    })
}

/// Broken items are reported and left out, so that the others are still looked at.
fn phone_texts(value: &Value<'_>) -> Option<Vec<(Place, String)>> {
    let written = |item: &Value<'_>| Some((item.place.clone(), text_or_number(item)?));
    Some(value.items()?.iter().filter_map(written).collect())
}
