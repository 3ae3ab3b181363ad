//! Everything a text may name: the template variables and their values.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::Object;

use super::markup::{self, Markup, data, render};

/// Of [`VARIABLES`], so many can be a parameter of an approved template; the rest are no text.
pub const PARAMETERS: usize = 27;

/// The names templates may use: those of the public contract, then what only templates can ask.
pub const VARIABLES: [&str; 33] = [
    "client_name",
    "date",
    "time",
    "weekday",
    "day",
    "services",
    "staff",
    "price",
    "old_price",
    "discount",
    "duration",
    "address",
    "salon",
    "phone",
    "link",
    "calendar_link",
    "booking_link",
    "review_link",
    "offers",
    "changes",
    "old_date",
    "old_time",
    "old_staff",
    "old_services",
    "items",
    "activity",
    "seats",
    // Yes or no, three times, and two lists of words.
    "invite",
    "asks",
    "strike",
    "changed",
    "writes",
    // Ready-made lines: what an agent proposes, or has done.
    "details",
];

/// What each of `items` has.
pub(super) const ITEM: [&str; 8] = [
    "date", "time", "services", "staff", "activity", "seats", "when", "who",
];

/// What a built-in text may name besides: ready-made lines in neutral markup.
pub(super) const OURS: [&str; 2] = ["price_line", "change_lines"];

/// One record of a visit, as a text names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// `21 августа`.
    pub date: String,
    /// `14:30`.
    pub time: String,
    /// Titles joined by commas.
    pub services: String,
    /// The master's name.
    pub staff: String,
    /// The group activity's title; empty for an individual booking.
    pub activity: String,
    /// `2 места`; empty for one.
    pub seats: String,
    /// `21 августа в 14:30`.
    pub moment: String,
    /// Neutral markup: the moment, or the old and the new one.
    pub when: String,
    /// Neutral markup: the master, or the old and the new one.
    pub who: String,
}

/// The values of one message. Text is foreign and still raw, unless it says neutral markup; an empty
/// one is missing, and takes its line with it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// As the administrator typed it. Built-in texts never use it.
    pub client_name: String,
    /// The day, with its year when it is not this one.
    pub date: String,
    /// Hour and minute.
    pub time: String,
    /// The day's name.
    pub weekday: String,
    /// `сегодня`, `завтра`: in reminders alone, which are not sent on another day.
    pub day: String,
    /// Titles joined by commas, of all records.
    pub services: String,
    /// Names joined by commas.
    pub staff: String,
    /// The total to pay.
    pub price: String,
    /// The total before the discount, when it is sure.
    pub old_price: String,
    /// `50%`, when every line has it.
    pub discount: String,
    /// The length of the visit.
    pub duration: String,
    /// The salon's address.
    pub address: String,
    /// The salon's title.
    pub salon: String,
    /// The salon's telephone.
    pub phone: String,
    /// The client's own page of the booking.
    pub link: String,
    /// Puts the visit into the client's calendar.
    pub calendar_link: String,
    /// The booking form.
    pub booking_link: String,
    /// Where to leave a review.
    pub review_link: String,
    /// Free times.
    pub offers: String,
    /// Neutral markup: a line for each thing that became another.
    pub changes: String,
    /// The day before a move.
    pub old_date: String,
    /// The time before a move.
    pub old_time: String,
    /// The master before.
    pub old_staff: String,
    /// The services before.
    pub old_services: String,
    /// The visit's records in order of time.
    pub items: Vec<Item>,
    /// The group activity's title.
    pub activity: String,
    /// `2 места`; empty for one.
    pub seats: String,
    /// Whether an answer to this message is heard.
    pub invite: bool,
    /// Whether a "1" or a "2" in answer to it is understood.
    pub asks: bool,
    /// Whether the channel can strike text through.
    pub strike: bool,
    /// `start`, `staff`, `services`, `price`, `duration`: what an update tells.
    pub changed: Vec<&'static str>,
    /// `make`, `move`, `cancel`: what the program itself writes into the journal.
    pub writes: Vec<&'static str>,
    /// Neutral markup: the price with the old one struck and the discount named.
    pub price_line: String,
    /// Neutral markup: of `changes`, what the built-in text does not say beside the records.
    pub change_lines: String,
    /// Neutral markup: what an agent proposes or has done, whole: when, what, with whom, for how much.
    pub details: String,
    /// A text that does not show all of `details` is not to be sent: its reader agrees to them.
    pub is_agreed_to: bool,
}

debug_only!(Facts: date, time, services);

impl Facts {
    /// Whether this text says all that its reader would agree to.
    pub(super) fn is_shown_by(&self, text: &str) -> bool {
        !self.is_agreed_to || text.contains(&self.details)
    }

    /// The values under their names, as a template sees them. Only what it asks for is made.
    #[must_use]
    pub fn context(&self) -> Value {
        Value::from_object(self.clone())
    }

    fn value(&self, name: &str) -> Option<Value> {
        let text = |s: &str| Value::from(s);
        let url = |s: &str| markup::link(s).map_or_else(|| Value::from(s), Value::from_safe_string);
        let neutral = |s: &str| Value::from_safe_string(s.to_owned());
        Some(match name {
            "client_name" => text(&self.client_name),
            "date" => text(&self.date),
            "time" => text(&self.time),
            "weekday" => text(&self.weekday),
            "day" => text(&self.day),
            "services" => text(&self.services),
            "staff" => text(&self.staff),
            "price" => text(&self.price),
            "old_price" => text(&self.old_price),
            "discount" => text(&self.discount),
            "duration" => text(&self.duration),
            "address" => text(&self.address),
            "salon" => text(&self.salon),
            "phone" => text(&self.phone),
            "link" => url(&self.link),
            "calendar_link" => url(&self.calendar_link),
            "booking_link" => url(&self.booking_link),
            "review_link" => url(&self.review_link),
            "offers" => text(&self.offers),
            "changes" => neutral(&self.changes),
            "old_date" => text(&self.old_date),
            "old_time" => text(&self.old_time),
            "old_staff" => text(&self.old_staff),
            "old_services" => text(&self.old_services),
            "items" => self.items.iter().map(Item::context).collect(),
            "activity" => text(&self.activity),
            "seats" => text(&self.seats),
            "invite" => Value::from(self.invite),
            "asks" => Value::from(self.asks),
            "strike" => Value::from(self.strike),
            "changed" => Value::from(self.changed.clone()),
            "writes" => Value::from(self.writes.clone()),
            "details" => neutral(&self.details),
            "price_line" => neutral(&self.price_line),
            "change_lines" => neutral(&self.change_lines),
            _ => return None,
        })
    }

    /// The values as the parameters of an approved template name them, as text that WhatsApp shows
    /// as it is: foreign text can be neither emphasis nor a link there.
    #[must_use]
    pub fn values(&self) -> BTreeMap<&'static str, String> {
        let shown = |neutral: &str| render(neutral, Markup::WhatsApp);
        let text = |s: &str| shown(&data(s));
        let url = |s: &str| markup::link(s).map_or_else(|| text(s), |link| shown(&link));
        let item = |item: &Item| {
            let parts = [&item.moment, &item.services, &item.staff, &item.seats];
            let parts = parts.map(|s| text(s));
            let there = parts.into_iter().filter(|part| !part.is_empty());
            there.collect::<Vec<_>>().join(", ")
        };
        let items: Vec<String> = self.items.iter().map(item).collect();
        BTreeMap::from([
            ("client_name", text(&self.client_name)),
            ("date", text(&self.date)),
            ("time", text(&self.time)),
            ("weekday", text(&self.weekday)),
            ("day", text(&self.day)),
            ("services", text(&self.services)),
            ("staff", text(&self.staff)),
            ("price", text(&self.price)),
            ("old_price", text(&self.old_price)),
            ("discount", text(&self.discount)),
            ("duration", text(&self.duration)),
            ("address", text(&self.address)),
            ("salon", text(&self.salon)),
            ("phone", text(&self.phone)),
            ("link", url(&self.link)),
            ("calendar_link", url(&self.calendar_link)),
            ("booking_link", url(&self.booking_link)),
            ("review_link", url(&self.review_link)),
            ("offers", text(&self.offers)),
            ("changes", shown(&self.changes)),
            ("old_date", text(&self.old_date)),
            ("old_time", text(&self.old_time)),
            ("old_staff", text(&self.old_staff)),
            ("old_services", text(&self.old_services)),
            ("items", items.join("\n")),
            ("activity", text(&self.activity)),
            ("seats", text(&self.seats)),
        ])
    }

    /// Every value present, or every one that may be missing missing: what templates are tried with.
    #[must_use]
    pub(super) fn sample(full: bool) -> Self {
        let text = |s: &str| if full { s.to_owned() } else { String::new() };
        let item = Item {
            date: "21 августа".into(),
            time: "14:30".into(),
            services: text("МУЖСКАЯ СТРИЖКА"),
            staff: text("Бари"),
            activity: String::new(),
            seats: text("2 места"),
            moment: "21 августа в 14:30".into(),
            when: "21 августа в 14:30".into(),
            who: text("Бари"),
        };
        Self {
            client_name: text("Анна"),
            date: item.date.clone(),
            time: item.time.clone(),
            weekday: "пятница".into(),
            day: text("завтра"),
            services: item.services.clone(),
            staff: item.staff.clone(),
            price: text("1000 руб"),
            old_price: text("2000 руб"),
            discount: text("50%"),
            duration: text("1 ч"),
            address: text("Южная улица, 38"),
            salon: "Малаховка".into(),
            phone: text("+7 900 000-00-00"),
            link: text("https://example.com/r"),
            calendar_link: text("https://example.com/c"),
            booking_link: text("https://example.com/b"),
            review_link: text("https://example.com/o"),
            offers: text("22 августа в 12:00"),
            changes: text("📅 ~21 августа в 14:30~ → *22 августа в 16:00*"),
            old_date: text("20 августа"),
            old_time: text("12:00"),
            old_staff: text("Тимур"),
            old_services: text("Укладка"),
            items: vec![item.clone(), item],
            activity: text("Стретчинг"),
            seats: text("2 места"),
            invite: full,
            asks: full,
            strike: full,
            changed: if full { vec!["start"] } else { Vec::new() },
            writes: match full {
                true => vec!["make", "move", "cancel"],
                false => Vec::new(),
            },
            price_line: text("~2000 руб~ 1000 руб (скидка 50%)"),
            change_lines: text("📅 ~21 августа в 14:30~ → *22 августа в 16:00*"),
            details: text(
                "📅 21 августа в 14:30\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари\n💰 Стоимость: 1000 руб",
            ),
            is_agreed_to: false,
        }
    }
}

impl Object for Facts {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        self.value(name.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        self.value(name)
    }
}

impl Item {
    fn context(&self) -> Value {
        let text = |s: &str| Value::from(s);
        let values = [
            text(&self.date),
            text(&self.time),
            text(&self.services),
            text(&self.staff),
            text(&self.activity),
            text(&self.seats),
            Value::from_safe_string(self.when.clone()),
            Value::from_safe_string(self.who.clone()),
        ];
        Value::from_pairs(ITEM.into_iter().zip(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_has_a_value_under_its_name() {
        let values = Facts::sample(true).values();
        let named: Vec<&str> = VARIABLES[..PARAMETERS].to_vec();
        assert_eq!(values.len(), named.len());
        for name in named {
            assert!(!values[name].is_empty(), "{name}");
        }
    }

    #[test]
    fn foreign_text_in_a_parameter_is_neither_emphasis_nor_a_link() {
        let facts = Facts {
            client_name: "*Анна* http://evil.example".into(),
            booking_link: "https://example.com/a_b".into(),
            ..Facts::default()
        };
        let values = facts.values();
        assert_eq!(
            values["client_name"],
            "∗Анна∗ http:\u{2060}//\u{2060}evil.\u{2060}example"
        );
        assert_eq!(values["booking_link"], "https://example.com/a_b");
    }
}
