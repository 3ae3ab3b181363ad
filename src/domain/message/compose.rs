//! From the records of one visit to the text its client reads.

use chrono::{NaiveDate, NaiveDateTime};

use super::brief::Brief;
use super::calendar;
use super::facts::{Facts, Item};
use super::markup::{LONGEST_TEXT, Markup, capped, data, fitted, length, named, render};
use super::price::Discount;
use super::template::{Key, Texts};
use super::{Language, words};
use crate::domain::agent::proposal::Proposal;
use crate::domain::change::Field;
use crate::domain::record::{Money, Record, ServiceLine};
use crate::domain::zone::Zone;

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
    /// A visit the client did not come to.
    NoShow {
        /// The visit.
        was: &'a [Record],
    },
    /// A visit that is over.
    Visited {
        /// The visit.
        was: &'a [Record],
    },
    /// The visits of one day that is near.
    Reminder {
        /// As they stand.
        now: &'a [Record],
        /// Whether it may ask for a "1" or a "2".
        asks: bool,
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
    /// The agent is greeted.
    Greeting {
        /// What the program itself writes into the journal: `make`, `move`, `cancel`.
        writes: &'a [&'static str],
    },
    /// It is taken leave of.
    Goodbye,
    /// The client's number is needed first.
    NumberWanted,
    /// What the client is to agree to.
    Proposed {
        /// What it is.
        what: &'a Proposal,
        /// Whether the program itself writes it into the journal.
        writes: bool,
    },
    /// A nod is no yes.
    YesWanted,
    /// The client said no.
    NothingChanged,
    /// The journal confirmed what the client agreed to.
    Written {
        /// What it is.
        what: &'a Proposal,
    },
    /// Somebody else has that time.
    Taken,
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
    /// Where it likes to be reviewed; empty when nowhere.
    pub review_link: String,
    /// Where its clocks are; without it no event can be put into a calendar.
    pub zone: Option<Zone>,
    /// Free times to be offered, in order; none where nothing is offered.
    pub free: Vec<NaiveDateTime>,
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
///
/// What would be longer than a messenger takes is told with shorter names, then in the built-in
/// words, and at last by its first lines.
#[must_use]
pub fn compose(
    texts: &Texts,
    told: &Told<'_>,
    place: &Place,
    way: Way<'_>,
    today: NaiveDate,
) -> String {
    let facts = |room| describe(texts, told, place, way, today, room);
    let (key, wide) = facts(Room::WIDE);
    let mut tight = None;
    let mut shortest = String::new();
    for template in texts.candidates(key, way.channel) {
        for room in [Room::WIDE, Room::TIGHT] {
            let facts = match room {
                Room::WIDE => &wide,
                _ => &*tight.get_or_insert_with(|| facts(room).1),
            };
            let Some(text) = texts.fill(template, facts) else {
                break;
            };
            shortest = render(&text, way.markup);
            if length(&shortest, way.markup) <= LONGEST_TEXT {
                return shortest;
            }
        }
    }
    fitted(shortest, way.markup, LONGEST_TEXT)
}

/// What a template that the messenger has approved is filled from, in the same values.
#[must_use]
pub fn brief(texts: &Texts, told: &Told<'_>, place: &Place, today: NaiveDate) -> Brief {
    let way = Way {
        channel: "",
        markup: Markup::Plain,
        invite: false,
    };
    let (key, facts) = describe(texts, told, place, way, today, Room::WIDE);
    Brief {
        kind: brief_kind(key),
        values: facts.values(),
    }
}

/// The word that approved templates have for a text.
pub(super) fn brief_kind(key: Key) -> &'static str {
    match key {
        Key::WrongNumber => "correction",
        key => key.as_str(),
    }
}

pub(super) fn describe(
    texts: &Texts,
    told: &Told<'_>,
    place: &Place,
    way: Way<'_>,
    today: NaiveDate,
    room: Room,
) -> (Key, Facts) {
    let writer = Writer {
        language: texts.language(),
        markup: way.markup,
        today,
        room,
    };
    let (key, mut facts) = match *told {
        Told::Created { now } => (Key::Created, writer.visit(&alive(now))),
        Told::Restored { now } => (Key::Restored, writer.visit(&alive(now))),
        Told::Cancelled { was } => (Key::Cancelled, writer.visit(&in_order(was))),
        Told::NoShow { was } => (Key::NoShow, writer.visit(&alive(was))),
        Told::Visited { was } => (Key::Visited, writer.visit(&alive(was))),
        Told::Reminder { now, asks } => (Key::Reminder, writer.reminder(&alive(now), asks)),
        Told::WrongNumber { was } => (Key::WrongNumber, writer.mistake(&in_order(was))),
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
        Told::Greeting { writes } => {
            let facts = Facts {
                writes: writes.to_vec(),
                ..Facts::default()
            };
            (Key::Greeting, facts)
        }
        Told::Goodbye => (Key::Goodbye, Facts::default()),
        Told::NumberWanted => (Key::NumberWanted, Facts::default()),
        Told::YesWanted => (Key::YesWanted, Facts::default()),
        Told::NothingChanged => (Key::NothingChanged, Facts::default()),
        Told::Taken => (Key::Taken, Facts::default()),
        Told::Proposed { what, writes } => {
            let facts = Facts {
                is_agreed_to: true,
                writes: writes.then(|| what.word()).into_iter().collect(),
                ..writer.proposal(what)
            };
            (proposing(what), facts)
        }
        Told::Written { what } => (done(what), writer.proposal(what)),
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
    // Nobody whose booking stands is offered other times.
    if matches!(told, Told::Cancelled { .. }) {
        facts.offers = words::moments(writer.language, &place.free, today);
    }
    facts.review_link.clone_from(&place.review_link);
    facts.invite = way.invite;
    // A question whose answer nobody hears is none.
    facts.asks &= way.invite;
    facts.strike = way.markup.strikes();
    let ahead = match *told {
        Told::Created { now }
        | Told::Restored { now }
        | Told::Updated { now, .. }
        | Told::Reminder { now, .. }
        | Told::Confirmed { now }
        | Told::Linked { next: now } => alive(now),
        // What does not take place belongs into no calendar, nor does what is over, nor does what nobody knows to take place.
        Told::Cancelled { .. }
        | Told::NoShow { .. }
        | Told::Visited { .. }
        | Told::WrongNumber { .. }
        | Told::Stopped
        | Told::Started
        | Told::Declined { .. }
        | Told::CalledOff { .. }
        | Told::HandedOn
        | Told::Which { .. }
        | Told::TextOnly
        | Told::NotYours
        | Told::Start { .. }
        | Told::ForeignContact
        | Told::Greeting { .. }
        | Told::Goodbye
        | Told::NumberWanted
        | Told::Proposed { .. }
        | Told::YesWanted
        | Told::NothingChanged
        | Told::Written { .. }
        | Told::Taken => Vec::new(),
    };
    if let Some(zone) = place.zone {
        facts.calendar_link = calendar::link(&ahead, &facts, zone);
    }
    (key, facts)
}

/// The text by which this is put to a client.
fn proposing(what: &Proposal) -> Key {
    match what {
        Proposal::Make { .. } => Key::ProposeBooking,
        Proposal::Move { .. } => Key::ProposeMove,
        Proposal::Cancel { .. } => Key::ProposeCancel,
    }
}

/// The text by which a client hears that it is done.
fn done(what: &Proposal) -> Key {
    match what {
        Proposal::Make { .. } => Key::Booked,
        Proposal::Move { .. } => Key::Moved,
        Proposal::Cancel { .. } => Key::CalledOff,
    }
}

/// Longest name of a person, in characters. Administrators put whole notes there.
const LONGEST_NAME: usize = 64;
/// Longest title of a service or a salon.
const LONGEST_TITLE: usize = 120;

/// How long names may be in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) title: usize,
    name: usize,
    /// A list of services or masters.
    list: usize,
}

impl Room {
    /// As people write them.
    pub(super) const WIDE: Self = Self {
        title: LONGEST_TITLE,
        name: LONGEST_NAME,
        list: 600,
    };
    /// Where there are so many of them that the text would not fit.
    pub(super) const TIGHT: Self = Self {
        title: 40,
        name: 30,
        list: 90,
    };

    pub(super) fn titles(self, records: &[&Record]) -> String {
        let all = records.iter().flat_map(|r| &r.services);
        self.listed(all.map(|s| named(&s.title, self.title)))
    }

    pub(super) fn masters(self, records: &[&Record]) -> String {
        let mut names: Vec<String> = Vec::new();
        for record in records {
            let name = named(&record.staff.name, self.name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        self.listed(names.into_iter())
    }

    pub(super) fn listed(self, parts: impl Iterator<Item = String>) -> String {
        let parts: Vec<String> = parts.filter(|p| !p.is_empty()).collect();
        capped(&parts.join(", "), self.list)
    }
}

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
    Room::WIDE.titles(records)
}

/// Names of the masters, each once, joined by commas.
pub(super) fn masters(records: &[&Record]) -> String {
    Room::WIDE.masters(records)
}

/// The client's name as typed, cut to a name's length.
pub(super) fn client_name(record: &Record) -> String {
    record
        .client
        .as_ref()
        .map_or_else(String::new, |c| named(&c.name, LONGEST_NAME))
}

/// Writes values in one language, for one kind of markup, as seen from one day.
pub(super) struct Writer {
    pub(super) language: Language,
    pub(super) markup: Markup,
    pub(super) today: NaiveDate,
    pub(super) room: Room,
}

impl Writer {
    /// What there is to say of a visit that is told whole.
    pub(super) fn visit(&self, records: &[&Record]) -> Facts {
        let total: Money = records.iter().map(|r| r.price()).sum();
        let lines: Vec<&ServiceLine> = records.iter().flat_map(|r| &r.services).collect();
        let discount = Discount::of(&lines);
        let is_class = !records.is_empty() && records.iter().all(|r| r.activity_id != 0);
        let mut facts = Facts {
            services: self.room.titles(records),
            staff: self.room.masters(records),
            price: words::money(total),
            old_price: discount.map_or_else(String::new, |d| words::money(d.before)),
            discount: discount
                .and_then(|d| d.percent)
                .map_or_else(String::new, words::percent),
            duration: words::span(self.language, occupied(records)),
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

    /// What there is to say of the visits of one day, as seen from today.
    fn reminder(&self, records: &[&Record], asks: bool) -> Facts {
        let mut facts = self.visit(records);
        if let Some(first) = records.first() {
            let day = words::near_day(self.language, first.start_local.date(), self.today);
            day.clone_into(&mut facts.day);
        }
        facts.asks = asks;
        facts
    }

    /// To a stranger: which moment the message was about, and nothing of whose it is. The booking's
    /// own page would let them cancel it.
    fn mistake(&self, records: &[&Record]) -> Facts {
        Facts {
            client_name: String::new(),
            link: String::new(),
            ..self.visit(records)
        }
    }

    fn item(&self, record: &Record) -> Item {
        let services = self.room.titles(&[record]);
        let staff = self.room.masters(&[record]);
        Item {
            date: words::date(self.language, record.start_local.date(), self.today),
            time: words::time(record.start_local),
            activity: if record.activity_id == 0 {
                String::new()
            } else {
                services.clone()
            },
            services,
            seats: self.seats(record.seats),
            moment: self.moment(record),
            when: data(&self.moment(record)),
            who: match data(&staff) {
                name if name.is_empty() => name,
                name => self.say("Мастер: ", "With ") + &name,
            },
            staff,
        }
    }

    pub(super) fn say(&self, ru: &str, en: &str) -> String {
        match self.language {
            Language::Ru => ru.to_owned(),
            Language::En => en.to_owned(),
        }
    }

    pub(super) fn moment(&self, record: &Record) -> String {
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

    pub(super) fn discount(&self, percent: &str) -> String {
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
    pub(super) fn became(&self, old: &str, new: &str) -> String {
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
}

/// How long the visit takes, in seconds: what two masters do at the same time counts once, and what
/// lies between two bookings not at all.
fn occupied(records: &[&Record]) -> i64 {
    let mut spans: Vec<(NaiveDateTime, NaiveDateTime)> = records
        .iter()
        .map(|r| (r.start_local, r.end_local()))
        .collect();
    spans.sort_unstable();
    let mut until = NaiveDateTime::MIN;
    let mut seconds = 0;
    for (start, end) in spans {
        let fresh = start.max(until);
        seconds += (end - fresh).num_seconds().max(0);
        until = until.max(end);
    }
    seconds
}
