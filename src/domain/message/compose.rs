//! From the records of one visit to the text its client reads.

use chrono::NaiveDate;

use super::brief::Brief;
use super::facts::{Facts, Item};
use super::markup::{Markup, capped, data, named, render};
use super::price::Discount;
use super::template::{Key, Texts};
use super::{Language, words};
use crate::domain::change::Field;
use crate::domain::record::{Money, Record, ServiceLine};

/// What is told. The records are those of one visit; deleted ones are left out but for
/// `Cancelled` and `WrongNumber`, which tell of what was.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// A visit the client does not know of.
    Created {
        /// The visit as it is.
        now: &'a [Record],
    },
    /// A visit that became another.
    Updated {
        /// As the client knows it; `None` when that is not known.
        before: Option<&'a [Record]>,
        /// As it is.
        now: &'a [Record],
        /// What to tell of; others are passed over.
        fields: &'a [Field],
    },
    /// A visit that is on again.
    Restored {
        /// The visit as it is.
        now: &'a [Record],
    },
    /// A visit that is off.
    Cancelled {
        /// As the client knows it.
        was: &'a [Record],
    },
    /// To the number a message about this visit went to by mistake.
    WrongNumber {
        /// The visit that message was about.
        was: &'a [Record],
    },
    /// The answer to a STOP.
    Stopped,
    /// The answer to a START.
    Started,
    /// The client comes to these visits.
    Confirmed {
        /// The visits.
        now: &'a [Record],
    },
    /// The client does not come, and a person is told.
    Declined {
        /// The visit.
        now: &'a [Record],
    },
    /// The booking was taken off for the client.
    CalledOff {
        /// The visit as it was.
        was: &'a [Record],
    },
    /// A person is told what the client wants.
    HandedOn,
    /// One of these is meant, and nobody knows which.
    Which {
        /// The first booking of each visit.
        now: &'a [Record],
    },
    /// What cannot be read.
    TextOnly,
    /// What is not theirs.
    NotYours,
    /// Somebody opened the bot; of a bot of several salons none is named.
    Start {
        /// The bot is one salon's.
        named: bool,
    },
    /// The client's number is known now.
    Linked {
        /// Their next visit.
        next: &'a [Record],
    },
    /// The number is another person's.
    ForeignContact,
}

/// What a text says of the salon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its title.
    pub salon: String,
    /// Its address; empty when unknown.
    pub address: String,
    /// Its telephone; empty when unknown.
    pub phone: String,
    /// Its booking form; empty when unknown.
    pub booking_link: String,
}

/// The channel a text is for.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// Its name in the configuration.
    pub channel: &'a str,
    /// How it writes emphasis.
    pub markup: Markup,
    /// Whether an answer there is seen by a person: only then does a text invite one.
    pub invite: bool,
}

/// The text, in the channel's own markup. `today` is the salon's day: a date names its year only
/// when it is another one.
#[must_use]
pub fn compose(
    texts: &Texts,
    told: &Told<'_>,
    place: &Place,
    way: Way<'_>,
    today: NaiveDate,
) -> String {
    let (key, facts) = describe(texts, told, place, way, today);
    render(&texts.fill(key, way.channel, &facts), way.markup)
}

/// What a template that the messenger has approved is filled from, in the same values.
#[must_use]
pub fn brief(texts: &Texts, told: &Told<'_>, place: &Place, today: NaiveDate) -> Brief {
    let way = Way {
        channel: "",
        markup: Markup::Plain,
        invite: false,
    };
    let (key, facts) = describe(texts, told, place, way, today);
    Brief {
        kind: match key {
            Key::WrongNumber => "correction",
            key => key.as_str(),
        },
        values: facts.values(),
    }
}

fn describe(
    texts: &Texts,
    told: &Told<'_>,
    place: &Place,
    way: Way<'_>,
    today: NaiveDate,
) -> (Key, Facts) {
    let writer = Writer {
        language: texts.language(),
        markup: way.markup,
        today,
    };
    let (key, mut facts) = match *told {
        Told::Created { now } => (Key::Created, writer.visit(&alive(now))),
        Told::Restored { now } => (Key::Restored, writer.visit(&alive(now))),
        Told::Cancelled { was } => (Key::Cancelled, writer.visit(&in_order(was))),
        Told::WrongNumber { was } => (Key::WrongNumber, writer.visit(&in_order(was))),
        Told::Stopped => (Key::Stopped, Facts::default()),
        Told::Started => (Key::Started, Facts::default()),
        Told::Confirmed { now } => (Key::Confirmed, writer.visit(&in_order(now))),
        Told::Declined { now } => (Key::Declined, writer.visit(&in_order(now))),
        Told::CalledOff { was } => (Key::CalledOff, writer.visit(&in_order(was))),
        Told::HandedOn => (Key::HandedOn, Facts::default()),
        // In the order of the numbers.
        Told::Which { now } => (Key::Which, writer.visit(&now.iter().collect::<Vec<_>>())),
        Told::TextOnly => (Key::TextOnly, Facts::default()),
        Told::NotYours => (Key::NotYours, Facts::default()),
        Told::Start { .. } => (Key::Start, Facts::default()),
        Told::Linked { next } => (Key::Linked, writer.visit(&in_order(next))),
        Told::ForeignContact => (Key::ForeignContact, Facts::default()),
        Told::Updated {
            before,
            now,
            fields,
        } => (
            Key::Updated,
            writer.update(before.map(alive).as_deref(), &alive(now), fields),
        ),
    };
    if !matches!(told, Told::Start { named: false }) {
        facts.salon = capped(&place.salon, LONGEST_TITLE);
    }
    facts.address = capped(&place.address, 200);
    facts.phone = capped(&place.phone, LONGEST_NAME);
    facts.booking_link.clone_from(&place.booking_link);
    facts.invite = way.invite;
    facts.strike = way.markup.strikes();
    (key, facts)
}

/// Longest name of a person, in characters. Administrators put whole notes there.
const LONGEST_NAME: usize = 64;
/// Longest title of a service or a salon.
const LONGEST_TITLE: usize = 120;
/// Longest list of services or masters: several of them have to fit into one message of 4096.
const LONGEST_LIST: usize = 600;

/// The standing records, in order of time.
fn alive(records: &[Record]) -> Vec<&Record> {
    let standing: Vec<&Record> = records.iter().filter(|r| r.is_alive()).collect();
    // What is told as standing never comes without records; if it did, saying what is there is
    // better than an empty message.
    if standing.is_empty() {
        return in_order(records);
    }
    sorted(standing)
}

fn in_order(records: &[Record]) -> Vec<&Record> {
    sorted(records.iter().collect())
}

fn sorted(mut records: Vec<&Record>) -> Vec<&Record> {
    records.sort_by_key(|r| (r.start_local, r.id));
    records
}

/// Titles of a record, joined by commas.
pub(super) fn titles(records: &[&Record]) -> String {
    let all = records.iter().flat_map(|r| &r.services);
    listed(all.map(|s| named(&s.title, LONGEST_TITLE)))
}

/// Names of the masters, each once, joined by commas.
pub(super) fn masters(records: &[&Record]) -> String {
    let mut names: Vec<String> = Vec::new();
    for record in records {
        let name = named(&record.staff.name, LONGEST_NAME);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    listed(names.into_iter())
}

/// The client's name as typed, cut to a name's length.
pub(super) fn client_name(record: &Record) -> String {
    record
        .client
        .as_ref()
        .map_or_else(String::new, |c| named(&c.name, LONGEST_NAME))
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.filter(|p| !p.is_empty()).collect();
    capped(&parts.join(", "), LONGEST_LIST)
}

/// Writes values in one language, for one kind of markup, as seen from one day.
struct Writer {
    language: Language,
    markup: Markup,
    today: NaiveDate,
}

impl Writer {
    /// What there is to say of a visit that is told whole.
    fn visit(&self, records: &[&Record]) -> Facts {
        let total: Money = records.iter().map(|r| r.price()).sum();
        let lines: Vec<&ServiceLine> = records.iter().flat_map(|r| &r.services).collect();
        let discount = Discount::of(&lines);
        let is_class = records.iter().any(|r| r.activity_id != 0);
        let mut facts = Facts {
            services: titles(records),
            staff: masters(records),
            price: words::money(total),
            old_price: discount.map_or_else(String::new, |d| words::money(d.before)),
            discount: discount
                .and_then(|d| d.percent)
                .map_or_else(String::new, words::percent),
            duration: words::span(self.language, records.iter().map(|r| r.length).sum()),
            items: records.iter().map(|r| self.item(r)).collect(),
            seats: self.seats(records.iter().map(|r| r.seats).max().unwrap_or(0)),
            ..Facts::default()
        };
        if is_class {
            facts.activity.clone_from(&facts.services);
        }
        if let Some(first) = records.first() {
            facts.client_name = client_name(first);
            facts.date = words::date(self.language, first.start_local.date(), self.today);
            facts.time = words::time(first.start_local);
            facts.weekday = words::weekday(self.language, first.start_local.date());
            facts.link.clone_from(&first.link);
        }
        facts.price_line = self.price_line(&facts);
        facts
    }

    fn item(&self, record: &Record) -> Item {
        let services = titles(&[record]);
        let staff = masters(&[record]);
        Item {
            date: words::date(self.language, record.start_local.date(), self.today),
            time: words::time(record.start_local),
            activity: if record.activity_id == 0 {
                String::new()
            } else {
                services.clone()
            },
            services,
            when: data(&self.moment(record)),
            who: match data(&staff) {
                name if name.is_empty() => name,
                name => self.say("Мастер: ", "With ") + &name,
            },
            staff,
        }
    }

    fn say(&self, ru: &str, en: &str) -> String {
        match self.language {
            Language::Ru => ru.to_owned(),
            Language::En => en.to_owned(),
        }
    }

    fn moment(&self, record: &Record) -> String {
        words::moment(self.language, record.start_local, self.today)
    }

    /// `2 места`; one seat is not worth a line.
    fn seats(&self, seats: i64) -> String {
        let (one, few, many) = match self.language {
            Language::Ru => ("место", "места", "мест"),
            Language::En => ("seat", "seats", "seats"),
        };
        usize::try_from(seats)
            .ok()
            .filter(|n| *n > 1)
            .map_or_else(String::new, |n| {
                words::count(self.language, n, one, few, many)
            })
    }

    /// `~2000 руб~ 1000 руб (скидка 50%)`, or with words where nothing can be struck.
    fn price_line(&self, facts: &Facts) -> String {
        let (price, old) = (&facts.price, &facts.old_price);
        let discount = self.discount(&facts.discount);
        if price.is_empty() || old.is_empty() {
            price.clone()
        } else if self.markup.strikes() {
            format!("~{old}~ {price}{discount}")
        } else {
            format!(
                "{price} {} {old}{discount}",
                self.say("вместо", "instead of")
            )
        }
    }

    fn discount(&self, percent: &str) -> String {
        if percent.is_empty() {
            String::new()
        } else {
            self.say(
                &format!(" (скидка {percent})"),
                &format!(" ({percent} off)"),
            )
        }
    }

    /// `~old~ → *new*`, or `Было: old ⏎ Стало: new`. Without an old value, or when people would see
    /// the same twice, the new one alone.
    fn became(&self, old: &str, new: &str) -> String {
        let (old, new) = (data(old), data(new));
        if new.is_empty() {
            String::new()
        } else if old.is_empty() || old == new {
            format!("*{new}*")
        } else if self.markup.strikes() {
            format!("~{old}~ → *{new}*")
        } else {
            self.say(
                &format!("Было: {old}\nСтало: {new}"),
                &format!("Before: {old}\nNow: {new}"),
            )
        }
    }

    /// What there is to say of a visit that became another.
    fn update(&self, before: Option<&[&Record]>, now: &[&Record], fields: &[Field]) -> Facts {
        let mut facts = self.visit(now);
        let Some(before) = before.filter(|b| !b.is_empty()) else {
            return facts;
        };
        let old = self.visit(before);
        let told = |f| fields.contains(&f);
        // A price that became zero is never told: there is no line to say it in.
        let price = told(Field::Price) && !facts.price.is_empty();
        facts.changed = [
            (told(Field::Start), "start"),
            (told(Field::Staff), "staff"),
            (told(Field::Services), "services"),
            (told(Field::Duration), "duration"),
            (price, "price"),
        ]
        .into_iter()
        .filter_map(|(is_told, name)| is_told.then_some(name))
        .collect();
        if facts.changed.is_empty() {
            return facts;
        }
        if told(Field::Start) {
            facts.old_date.clone_from(&old.date);
            facts.old_time.clone_from(&old.time);
        }
        if told(Field::Staff) {
            facts.old_staff.clone_from(&old.staff);
        }
        if told(Field::Services) {
            facts.old_services.clone_from(&old.services);
        }
        self.mark_items(&mut facts, before, now, fields);
        facts.changes = self.changes(&facts, &old, before, now);
        facts
    }

    /// In a visit of several records each says for itself when and with whom it is now.
    fn mark_items(&self, facts: &mut Facts, before: &[&Record], now: &[&Record], fields: &[Field]) {
        for (item, record) in facts.items.iter_mut().zip(now) {
            let Some(was) = counterpart(record, before, now) else {
                continue;
            };
            if fields.contains(&Field::Start) && was.start_local != record.start_local {
                item.when = self.became(&self.moment(was), &self.moment(record));
            }
            let (old, new) = (masters(&[was]), masters(&[record]));
            if fields.contains(&Field::Staff) && old != new && !new.is_empty() {
                let label = if self.markup.strikes() || old.is_empty() {
                    self.say("Мастер: ", "With ")
                } else {
                    String::new()
                };
                item.who = label + &self.became(&old, &new);
            }
        }
    }

    /// A line for each thing that became another. When and with whom stand with the records
    /// themselves where there are several.
    fn changes(&self, facts: &Facts, old: &Facts, before: &[&Record], now: &[&Record]) -> String {
        let told = |name: &str| facts.changed.contains(&name);
        let alone = facts.changed.len() == 1;
        let mut lines = Vec::new();
        let mut line = |head: &str, text: &str| {
            if !text.is_empty() {
                lines.push(format!("{head} {text}"));
            }
        };
        if let ([item], [record]) = (facts.items.as_slice(), now) {
            let was = counterpart(record, before, now);
            if told("start") {
                let old = was.map_or_else(String::new, |w| self.moment(w));
                line("📅", &self.became(&old, &self.moment(record)));
            }
            if told("staff") {
                let old = was.map_or_else(String::new, |w| masters(&[w]));
                let bare = self.became(&old, &facts.staff);
                line("👤", if alone { &bare } else { &item.who });
            }
        }
        if told("services") {
            let (added, removed) = difference(before, now);
            for (head, ru, en, list) in [
                ("➕", "Добавили: ", "Added: ", added),
                ("➖", "Убрали: ", "Removed: ", removed),
            ] {
                if !list.is_empty() {
                    line(head, &(self.say(ru, en) + &data(&list)));
                }
            }
        }
        if told("duration") {
            line("🕒", &self.became(&old.duration, &facts.duration));
        }
        if told("price") {
            let text = self.became(&old.price, &facts.price) + &self.discount(&facts.discount);
            line("💰", &text);
        }
        lines.join("\n")
    }
}

/// What a record was: the one with its id, or the only one there was of the only one there is.
fn counterpart<'a>(record: &Record, before: &[&'a Record], now: &[&Record]) -> Option<&'a Record> {
    let same = before.iter().find(|b| b.id == record.id);
    let only = before
        .first()
        .filter(|_| before.len() == 1 && now.len() == 1);
    same.or(only).copied()
}

/// Titles that came and titles that went, by id and quantity.
fn difference(before: &[&Record], now: &[&Record]) -> (String, String) {
    let lines = |records: &[&Record]| -> Vec<ServiceLine> {
        records.iter().flat_map(|r| r.services.clone()).collect()
    };
    let (before, now) = (lines(before), lines(now));
    let quantity = |lines: &[ServiceLine], id| -> i64 {
        lines.iter().filter(|s| s.id == id).map(|s| s.amount).sum()
    };
    let more = |here: &[ServiceLine], there: &[ServiceLine]| {
        let mut seen = Vec::new();
        listed(here.iter().filter_map(|s| {
            let first = !seen.contains(&s.id);
            seen.push(s.id);
            (first && quantity(here, s.id) > quantity(there, s.id))
                .then(|| named(&s.title, LONGEST_TITLE))
        }))
    };
    (more(&now, &before), more(&before, &now))
}
