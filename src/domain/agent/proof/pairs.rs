//! What belongs together: a time with the day that stands by it, a price with its service. That the journal
//! named both does not make them a pair: 14:30 may be free on another day, 2000 roubles be another service's.
//! Where a sentence leaves open what belongs together, every time has to be one of every day.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, Timelike as _};
use serde_json::{Map, Value};

use super::super::words::{folded, split};
use super::clauses::{is_small, says};
use super::figures::{Figure, at_hour, figures, is_behind_at, is_told, near_day, spelled, weekday};

/// What the journal's answers name together.
#[derive(Clone, Default)]
pub(super) struct Pairs {
    /// When something is free, or a booking begins.
    moments: BTreeSet<NaiveDateTime>,
    /// Times of no day: the salon's hours.
    undated: BTreeSet<(u32, u32)>,
    /// How many hours services take.
    lengths: BTreeSet<u32>,
    services: Vec<Priced>,
}

/// A service, by the beginnings of its title's words, and what it costs.
#[derive(Clone)]
struct Priced {
    title: BTreeSet<String>,
    prices: BTreeSet<String>,
}

impl Pairs {
    /// An object of a tool's answer.
    pub(super) fn learn(&mut self, fields: &Map<String, Value>) {
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        if let Some(day) = text("day").and_then(|day| day.parse::<NaiveDate>().ok()) {
            let times = fields.get("times").and_then(Value::as_array);
            let times = times.into_iter().flatten().filter_map(Value::as_str);
            let times = times.chain(text("time"));
            let times = times.filter_map(|time| time.parse().ok());
            self.moments.extend(times.map(|time| day.and_time(time)));
        }
        if let Some(lasts) = text("lasts") {
            let hours = figures(&folded(lasts)).into_iter();
            self.lengths
                .extend(hours.filter_map(|found| match found.kind {
                    Figure::Hour(hours) => Some(hours),
                    _ => None,
                }));
        }
        // A line of the price list, or a booking.
        let is_service = fields.contains_key("service");
        let title = if is_service { "title" } else { "services" };
        if let Some(title) = text(title) {
            let price = folded(text("price").unwrap_or_default());
            let prices = figures(&price).into_iter();
            let prices = prices.filter(|found| found.kind == Figure::Money);
            self.services.push(Priced {
                title: beginnings(title),
                prices: prices.map(|found| found.value).collect(),
            });
        }
    }

    /// A moment that a booking has, or had.
    pub(super) fn learn_moment(&mut self, at: NaiveDateTime) {
        self.moments.insert(at);
    }

    /// Words of the salon itself: a time without a day is one of every day.
    pub(super) fn learn_undated(&mut self, text: &str) {
        let line = folded(text);
        let said = Said::of(&line, None);
        if said.days.is_empty() {
            for figure in said.times {
                match figure {
                    Figure::Time(h, m) | Figure::Either(h, m) => self.undated.insert((h, m)),
                    Figure::Hour(h) => self.undated.insert((h, 0)),
                    Figure::Half(h) => self.undated.insert((h, 30)),
                    _ => false,
                };
            }
        }
    }

    /// What was said in the salon's name before, a clause of it: dates and their times. `day` is the last
    /// that was named before it. Which day was tomorrow then, nobody knows any more.
    pub(super) fn learn_said(
        &mut self,
        clause: &str,
        today: NaiveDate,
        day: &mut Option<NaiveDate>,
    ) {
        for part in parts(clause, &|part| !Said::of(part, None).days.is_empty()) {
            let said = Said::of(part, None);
            let is_near = |word: &String| near_day(word, today).is_some();
            if split(part).iter().any(is_near) || (said.days.len() > 1 && !said.is_ordered) {
                *day = None;
                continue;
            }
            for figure in &said.stream {
                match *figure {
                    Figure::Day(d, m) => *day = next_of_name(today, d, m),
                    figure if is_day(figure) => *day = None,
                    Figure::Time(h, m) => {
                        let at = day.and_then(|day| day.and_hms_opt(h, m, 0));
                        self.moments.extend(at);
                    }
                    _ => {}
                }
            }
        }
    }

    fn is_one(&self, day: Figure, time: Figure) -> bool {
        let mut all = self.moments.iter();
        all.any(|at| day.is_on(at.date()) && time.is_time((at.hour(), at.minute())))
    }

    fn is_undated(&self, time: Figure) -> bool {
        self.undated.iter().any(|at| time.is_time(*at))
    }

    /// Whether this is how long a service takes, and none of these words makes it a time of day.
    fn is_length(&self, time: Figure, words: &[String]) -> bool {
        let Figure::Hour(hours) = time else {
            return false;
        };
        let is_part = |word: &String| PARTS_OF_A_DAY.contains(&word.as_str());
        self.lengths.contains(&hours) && !is_behind_at(words, hours) && !words.iter().any(is_part)
    }

    /// The sums of a part of a clause: what is money, and a bare figure that is some service's price.
    fn sums(&self, line: &str) -> Vec<String> {
        let words = split(line);
        let all = figures(line).into_iter().chain(spelled(&words));
        let is_price = |value: &String| self.services.iter().any(|s| s.prices.contains(value));
        let sums = all.filter(|found| match found.kind {
            Figure::Money => true,
            Figure::Other => is_price(&found.value),
            _ => false,
        });
        sums.map(|found| found.value).collect()
    }

    /// The services that these words name, as exactly as any is named: a whole title before a part of one.
    fn named(&self, words: &[String]) -> Vec<usize> {
        let is = |word: &str, beginning: &str| match word.strip_prefix(beginning) {
            // "СПА" is not "спасибо": of a short word only one letter may be another.
            Some(rest) => beginning.chars().count() >= 4 || rest.chars().count() <= 1,
            None => false,
        };
        let says = |beginning: &&String| words.iter().any(|word| is(word, beginning));
        let rank = |service: &Priced| {
            let count = service.title.iter().filter(says).count();
            (count, count == service.title.len())
        };
        let ranks: Vec<(usize, bool)> = self.services.iter().map(rank).collect();
        let best = ranks.iter().copied().max().filter(|(count, _)| *count > 0);
        let all = ranks.iter().enumerate();
        all.filter(|(_, rank)| Some(**rank) == best)
            .map(|(at, _)| at)
            .collect()
    }
}

/// A text, read from its beginning to its end: what stands without a day or a service belongs to the last
/// that was named.
pub(super) struct Reading<'a> {
    pairs: &'a Pairs,
    today: Option<NaiveDate>,
    days: Vec<Figure>,
    /// Times stood behind these days: the next day is another one.
    is_over: bool,
    /// Times of this sentence and the one before it, while no day is named.
    loose: Vec<Figure>,
    /// Whether this sentence added to them.
    is_fresh: bool,
    /// The salon's hours are told.
    works: bool,
    services: Vec<usize>,
}

/// How a clause stands in its sentence.
#[derive(Clone, Copy)]
pub(super) struct Stance {
    pub(super) denies: bool,
    /// Nothing but figures follows: these are of the day that the clause names.
    pub(super) leads: bool,
}

/// A clause with one of these tells of the salon's hours, if it offers nothing.
const WORKS: &[&str] = &[
    "работ",
    "открыт",
    "открыв",
    "закры",
    "график",
    "режим",
    "часы",
    "ежедневно",
    "перерыв",
    "обед",
    "длит",
    "занима",
    "займ",
    "open",
    "work",
    "close",
];
const OFFERS: &[&str] = &[
    "свобод",
    "доступ",
    "есть",
    "можно",
    "подойд",
    "подход",
    "запи",
    "предл",
    "free",
    "available",
    "book",
];
const SEEKS: [&str; 4] = ["посмотреть", "посмотрю", "поискать", "поищу"];
const PARTS_OF_A_DAY: [&str; 4] = ["утра", "дня", "вечера", "ночи"];

/// What does not belong together.
pub(super) enum Mismatch {
    Time(String),
    Price(String),
}

impl<'a> Reading<'a> {
    pub(super) fn of(pairs: &'a Pairs, today: Option<NaiveDate>) -> Self {
        Self {
            pairs,
            today,
            days: Vec::new(),
            is_over: false,
            loose: Vec::new(),
            is_fresh: false,
            works: false,
            services: Vec::new(),
        }
    }

    /// Another sentence begins.
    pub(super) fn sentence(&mut self) {
        if !std::mem::take(&mut self.is_fresh) {
            self.loose.clear();
        }
    }

    /// The next clause, folded.
    pub(super) fn clause(&mut self, line: &str, stance: Stance) -> Result<(), Mismatch> {
        let today = self.today;
        let words = split(line);
        if says(&words) {
            let has = |beginnings: &[&str]| {
                let mut all = words.iter();
                all.any(|word| beginnings.iter().any(|b| word.starts_with(b)))
            };
            self.works = has(WORKS) && !has(OFFERS);
        }
        let foreign = |time| Mismatch::Time(written(time));
        let has_day = |part: &str| !Said::of(part, today).days.is_empty();
        // "Завтра — 12:00 и 14:30, в субботу — 16:00": figures before another day are of the one before.
        let mut rest = line;
        if !self.days.is_empty()
            && !self.is_over
            && let Some(end) = counted(line).filter(|end| has_day(&line[*end..]))
        {
            rest = &line[end..];
            let affirms = Stance {
                denies: false,
                ..stance
            };
            self.times(&Said::of(&line[..end], today), affirms)
                .map_err(foreign)?;
        }
        // A day that is only to be looked at says nothing of the times before it.
        let seeks = words.iter().any(|word| SEEKS.contains(&word.as_str()));
        for part in parts(rest, &has_day) {
            let said = Said::of(part, today);
            if !(stance.denies || stance.leads || seeks) {
                self.held(&said).map_err(foreign)?;
            }
            self.times(&said, stance).map_err(foreign)?;
        }
        if !stance.denies && has_day(line) {
            self.loose.clear();
        }
        // "Маникюр — 1500, стрижка — 2000": what opens a clause belongs to the service before it.
        let lead = match lead(line) {
            Some(end) if !self.services.is_empty() => end,
            _ => 0,
        };
        self.prices(&line[..lead])?;
        for part in parts(&line[lead..], &|part| !self.pairs.sums(part).is_empty()) {
            self.prices(part)?;
        }
        Ok(())
    }

    fn prices(&mut self, part: &str) -> Result<(), Mismatch> {
        let named = self.pairs.named(&split(part));
        if !named.is_empty() {
            self.services = named;
        }
        let costs = |sum: &String| {
            let mut services = self.services.iter();
            services.any(|at| self.pairs.services[*at].prices.contains(sum))
        };
        let foreign = self.pairs.sums(part).into_iter().find(|sum| !costs(sum));
        match foreign.filter(|_| !self.services.is_empty()) {
            Some(sum) => Err(Mismatch::Price(sum)),
            None => Ok(()),
        }
    }

    /// Whether the times of no day are of these days. A day with times of its own says nothing of them.
    fn held(&self, said: &Said) -> Result<(), Figure> {
        let is_of = |time: &&Figure| said.days.iter().all(|day| self.pairs.is_one(*day, **time));
        let mut loose = self.loose.iter().filter(|_| said.times.is_empty());
        loose
            .find(|time| !is_of(time))
            .map_or(Ok(()), |time| Err(*time))
    }

    fn times(&mut self, said: &Said, stance: Stance) -> Result<(), Figure> {
        let denies = stance.denies;
        for figure in &said.stream {
            if said.days.contains(figure) {
                if self.is_over {
                    self.days.clear();
                    self.is_over = false;
                }
                self.days.push(*figure);
                continue;
            }
            let is_paired = |day: &Figure| self.pairs.is_one(*day, *figure);
            let is_free = denies
                || (self.works && self.pairs.is_undated(*figure))
                || self.pairs.is_length(*figure, &said.words);
            if !(is_free || self.days.iter().all(is_paired)) {
                return Err(*figure);
            }
            if !is_free && self.days.is_empty() {
                self.loose.push(*figure);
                self.is_fresh = true;
            }
            self.is_over = true;
        }
        // What is denied of a day is over with it.
        self.is_over |= denies;
        Ok(())
    }
}

/// The next day of that name.
fn next_of_name(today: NaiveDate, day: u32, month: u32) -> Option<NaiveDate> {
    let years = today.year()..=today.year() + 1;
    let mut dates = years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day));
    dates.find(|date| *date >= today)
}

/// The days and times of a part of a clause.
struct Said {
    words: Vec<String>,
    days: Vec<Figure>,
    times: Vec<Figure>,
    /// Each stands in its place.
    is_ordered: bool,
    /// Both, each time behind the days that it may be of.
    stream: Vec<Figure>,
}

impl Said {
    fn of(line: &str, today: Option<NaiveDate>) -> Self {
        let words = split(line);
        let in_words = words.iter().filter_map(|word| match weekday(word) {
            Some((number, _)) => Some(Figure::Weekday(number)),
            None => near_day(word, today?).map(|(day, month)| Figure::Day(day, month)),
        });
        let in_words: Vec<Figure> = in_words.collect();
        let is_moment = |figure: &Figure| figure.is_moment();
        let digits: Vec<Figure> = figures(line).into_iter().map(|found| found.kind).collect();
        let has_day = |all: &[Figure]| {
            let is = |f: &Figure| matches!(f, Figure::Day(..) | Figure::Weekday(_));
            all.iter().any(is)
        };
        let has_day = has_day(&in_words) || has_day(&digits);
        let digits = digits.into_iter().map(|figure| match figure {
            Figure::Either(h, m) if is_told(&words, h, m, has_day) => Figure::Time(h, m),
            figure => figure,
        });
        let digits: Vec<Figure> = digits.filter(is_moment).collect();
        let others = spelled(&words).into_iter().map(|found| found.kind);
        let others = others.filter(is_moment).chain(at_hour(&words));
        let others: Vec<Figure> = others.collect();
        // In digits alone everything stands in its order.
        let is_ordered = in_words.is_empty() && others.is_empty();
        let all: Vec<Figure> = in_words.into_iter().chain(digits).chain(others).collect();
        let (days, times): (Vec<Figure>, Vec<Figure>) = all.iter().partition(|f| is_day(**f));
        let begins = all.first().is_some_and(|figure| is_day(*figure));
        let is_ordered = is_ordered && begins;
        let stream = match is_ordered {
            true => all,
            false => days.iter().chain(&times).copied().collect(),
        };
        Self {
            words,
            days,
            times,
            is_ordered,
            stream,
        }
    }
}

/// `21.08` is a day and `14.30` a time; `10.12` is taken for a day.
fn is_day(figure: Figure) -> bool {
    match figure {
        Figure::Day(..) | Figure::Weekday(_) => true,
        Figure::Either(day, month) => (1..=31).contains(&day) && (1..=12).contains(&month),
        _ => false,
    }
}

/// Where the figures end that are counted up before anything else is said.
pub(super) fn counted(line: &str) -> Option<usize> {
    let ends = line.match_indices(", ").map(|(at, mark)| at + mark.len());
    let is_counted = |end: &usize| {
        let words = split(&line[..*end]);
        !words.is_empty() && !says(&words)
    };
    ends.filter(is_counted).last()
}

/// Where a clause that opens with a figure comes to something else.
fn lead(line: &str) -> Option<usize> {
    let opens = line.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let ends = [", ", " и ", " and "].into_iter();
    let end = ends.filter_map(|mark| line.find(mark)).min();
    end.filter(|_| opens)
}

/// A clause taken apart at each `и` and `или` that has such a thing on either side.
fn parts<'l>(line: &'l str, has: &dyn Fn(&str) -> bool) -> Vec<&'l str> {
    let mut all = Vec::new();
    let mut from = 0;
    for and in [" и ", " and ", " или ", " or "] {
        for (at, _) in line.match_indices(and) {
            if at >= from && has(&line[from..at]) && has(&line[at..]) {
                all.push(&line[from..at]);
                from = at;
            }
        }
    }
    all.push(&line[from..]);
    all
}

/// How the words of a title begin, whatever case they stand in.
fn beginnings(title: &str) -> BTreeSet<String> {
    let words = split(&folded(title));
    let words = words.iter().filter(|word| !is_small(word));
    let has_long = words.clone().any(|word| word.chars().count() >= 4);
    let is_kept = |word: &&String| !has_long || word.chars().count() >= 4;
    let kept = words.filter(is_kept).map(|word| {
        let kept = word.chars().count().saturating_sub(2).clamp(4, 6);
        word.chars().take(kept).collect::<String>()
    });
    kept.collect()
}

fn written(time: Figure) -> String {
    match time {
        Figure::Time(h, m) | Figure::Either(h, m) => format!("{h}:{m:02}"),
        Figure::Half(h) => format!("{h}:30"),
        Figure::Hour(h) => h.to_string(),
        _ => String::new(),
    }
}
