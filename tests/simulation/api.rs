//! The records API as it is feared to be: a listing that moves while it is read, comes late, comes
//! short, comes empty, hides masters and phones, and has a clock of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use booking_monitor::ports::{
    ApiError, BookingApi, CompanyInfo, CompanyRef, Lookup, Page, Query, Row,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::journal::{Booking, Item, Journal, State, Version, View, to_utc};
use crate::{Rng, World};
use booking_monitor::domain::zone::Zone;

/// How often what goes wrong; all zero in a seed without faults.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub error: f64,
    pub throttled: f64,
    pub denied: f64,
    pub empty: f64,
    pub truncated: f64,
    pub repeated: f64,
    pub drift: f64,
    pub stale: f64,
    pub no_total: f64,
    pub false_404: f64,
    pub hide: f64,
    /// Pages are this short, whatever was asked for.
    pub short_pages: Option<u32>,
    /// Hours by which the server takes `changed_after` for later than it was meant.
    pub zone: i64,
    /// Seconds for which listings may not show a change yet.
    pub lag: i64,
}

impl Faults {
    pub fn drawn(rng: &mut Rng) -> Self {
        let short_pages = rng.chance(0.1).then(|| 2 + rng.below(2) as u32);
        let zone = if rng.chance(0.1) {
            [-3, 3][rng.below(2) as usize]
        } else {
            0
        };
        // A swarm: each kind is off in half of the seeds, or the rarest would hide behind the others.
        let mut rate = |most: f64| {
            if rng.chance(0.5) {
                0.0
            } else {
                rng.unit() * most
            }
        };
        Self {
            error: rate(0.3),
            throttled: rate(0.1),
            denied: rate(0.05),
            empty: rate(0.2),
            truncated: rate(0.3),
            repeated: rate(0.2),
            drift: rate(0.5),
            stale: rate(0.3),
            no_total: rate(0.3),
            false_404: rate(0.2),
            hide: rate(0.05),
            short_pages,
            zone,
            // Below the overlap of ten minutes: what comes later is for the sweep.
            lag: rate(540.0) as i64,
        }
    }
}

/// What the API hides for a while.
#[derive(Clone, Debug, Default)]
pub struct Hidden {
    pub master: Option<(i64, DateTime<Utc>, bool)>,
    pub phones: Option<DateTime<Utc>>,
    /// Nothing after this day is shown.
    pub period: Option<(NaiveDate, DateTime<Utc>)>,
}

impl Hidden {
    fn hides(&self, state: &State) -> bool {
        self.master.is_some_and(|(id, ..)| id == state.staff)
            || self
                .period
                .is_some_and(|(last, _)| state.start.date() > last)
    }
}

/// A visit was seen to have changed.
pub struct Change {
    pub at: DateTime<Utc>,
    pub visit: i64,
    record: i64,
    /// Whose visit it was and is.
    pub phones: [String; 2],
    /// It surely restarts the delay; other news may.
    pub surely: bool,
}

/// A client and the number that was shown of them.
type Number = (i64, String);

/// What had been shown when a stage began.
pub struct Mark {
    changes: usize,
    numbers: BTreeMap<i64, Number>,
    all_numbers: BTreeMap<i64, Vec<Number>>,
}

/// When the API first showed a new state of a record, and which.
#[derive(Default)]
pub struct Served {
    /// The newest state shown of each record, and since when.
    newest: BTreeMap<i64, (Version, DateTime<Utc>)>,
    /// Of these it is not sure that the newest state was stored.
    doubted: BTreeSet<i64>,
    /// Of these it is not sure that anything was: all that was shown went to a killed program.
    unsure: BTreeSet<i64>,
    /// These were shown standing before they were to begin.
    ahead: BTreeSet<i64>,
    /// All standing states that were shown.
    items: BTreeSet<(i64, Item)>,
    /// The client and the number shown last of each record.
    numbers: BTreeMap<i64, Number>,
    /// All numbers that were ever shown, the first ones first.
    all_numbers: BTreeMap<i64, Vec<Number>>,
    /// When the last of them was shown.
    numbered_at: BTreeMap<i64, DateTime<Utc>>,
    /// These were off when they were first shown.
    off_at_first: BTreeSet<i64>,
    pub changes: Vec<Change>,
}

impl Served {
    /// `perhaps`: it was shown, but may be forgotten.
    fn note(&mut self, booking: &Booking, version: &Version, perhaps: bool, at: DateTime<Utc>) {
        let mut version = version.clone();
        let newest = self.newest.get(&booking.id);
        // What is older than what was shown already is not believed.
        let is_old = newest.is_some_and(|(had, _)| version.at < had.at);
        if version.state.alive && !is_old {
            self.show(booking.id, &version.state, perhaps, at);
        }
        if self.unsure.remove(&booking.id) {
            // Now is when it is surely known, whatever was stored of it before.
            let entry = self.newest.get_mut(&booking.id);
            entry.into_iter().for_each(|(_, first)| *first = at);
        }
        let Some((had, first)) = self.newest.get(&booking.id) else {
            self.changed(booking, [&version.state; 2], false, at);
            // Off at first sight: it may not even say whose it was.
            if version.state.alive {
                self.newest.insert(booking.id, (version, at));
            } else {
                self.off_at_first.insert(booking.id);
            }
            return;
        };
        let again = version.at == had.at && self.doubted.remove(&booking.id);
        if again {
            // The second time it is stored, if it was not the first time.
            let state = version.state.clone();
            self.changed(booking, [&state; 2], false, at);
            return;
        }
        if version.at <= had.at {
            return;
        }
        let perhaps = perhaps || self.doubted.remove(&booking.id);
        let (was, first) = (had.state.clone(), *first);
        if !version.state.alive {
            // A deleted row proves the deletion; whose it was is remembered.
            version.state.phone.clone_from(&was.phone);
        }
        let is = &version.state;
        let surely = was.item_of(&was.phone) != is.item_of(&was.phone) || was.phone != is.phone;
        self.changed(booking, [&was, is], surely && !perhaps, at);
        self.newest.insert(booking.id, (version, first));
    }

    /// A standing state that the program may believe; `perhaps`: without its number.
    fn show(&mut self, record: i64, state: &State, perhaps: bool, at: DateTime<Utc>) {
        self.items.insert((record, state.item()));
        if to_utc(state.start) > at {
            self.ahead.insert(record);
        }
        if !perhaps {
            let number = (state.client, state.phone.clone());
            let all = self.all_numbers.entry(record).or_default();
            // Of two pages of one reading the later one counts.
            if self.numbered_at.insert(record, at) == Some(at) {
                all.pop();
            }
            all.push(number.clone());
            self.numbers.insert(record, number);
        }
    }

    /// What has been shown up to now.
    pub fn mark(&self) -> Mark {
        Mark {
            changes: self.changes.len(),
            numbers: self.numbers.clone(),
            all_numbers: self.all_numbers.clone(),
        }
    }

    /// What was shown from then on went to a program that was killed over it: it may have been stored
    /// and may not.
    pub fn doubt_from(&mut self, mark: Mark) {
        self.numbers = mark.numbers;
        self.all_numbers = mark.all_numbers;
        for change in &mut self.changes[mark.changes..] {
            change.surely = false;
            self.doubted.insert(change.record);
            let first = self.newest.get(&change.record).map(|(_, first)| *first);
            if first.is_some_and(|first| first >= change.at) {
                self.unsure.insert(change.record);
            }
        }
    }

    /// A first listing that failed is forgotten whole.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn changed(&mut self, of: &Booking, states: [&State; 2], surely: bool, at: DateTime<Utc>) {
        let phones = states.map(|s| s.phone.clone());
        let (visit, record) = (of.visit, of.id);
        self.changes.push(Change {
            at,
            visit,
            record,
            phones,
            surely,
        });
    }

    /// Whether this record was ever shown as this number's.
    pub fn was_of(&self, record: i64, phone: &str) -> bool {
        let all = self.all_numbers.get(&record);
        all.is_some_and(|all| all.iter().any(|(_, number)| number == phone))
    }

    /// Whose a state was taken for before the record's first number was shown: that client's, or as
    /// long as there is none, whoever has that number elsewhere.
    pub fn taken_for(&self, record: i64, state: &State, phone: &str) -> Option<Item> {
        let mut all = self.all_numbers.get(&record).into_iter().flatten();
        let Some((client, number)) = all.next() else {
            return self.may_be_of(state, phone);
        };
        (state.alive && *client == state.client && number == phone).then(|| state.item())
    }

    /// Whoever had no number may be taken for the one whose number is shown first, as long as phones
    /// are hidden between the two.
    pub fn may_have_been(&self, record: i64, state: &State, phone: &str) -> Option<Item> {
        let mut all = self.all_numbers.get(&record).into_iter().flatten();
        let first = all.find(|(_, number)| !number.is_empty());
        let is = first.is_some_and(|(client, number)| *client == state.client && number == phone);
        (state.alive && state.phone.is_empty() && is).then(|| state.item())
    }

    /// A state whose number was not shown: as far as anybody can tell it is its client's as shown last.
    pub fn may_be_of(&self, state: &State, phone: &str) -> Option<Item> {
        let mut numbers = self.numbers.values();
        let has = numbers.any(|(client, number)| *client == state.client && number == phone);
        (state.alive && has).then(|| state.item())
    }

    /// How many bookings ahead a master has, as far as it was shown, and has indeed.
    fn of_master(&self, master: i64, journal: &Journal, now: DateTime<Utc>) -> usize {
        let has = |s: &State| s.alive && s.staff == master && to_utc(s.start) > now;
        let shown = self.newest.iter().filter(|(_, (v, _))| has(&v.state));
        shown
            .filter(|(id, _)| has(journal.bookings[id].now()))
            .count()
    }

    /// Whether this state of a record was ever shown.
    pub fn was_shown(&self, record: i64, item: &Item) -> bool {
        self.items.contains(&(record, item.clone()))
    }

    /// Whether this record was off when it was first shown: how it was before, nobody knows.
    pub fn was_off_at_first(&self, record: i64) -> bool {
        self.off_at_first.contains(&record)
    }

    /// Whether this record was ever shown as one that lies ahead.
    pub fn was_ahead(&self, record: i64) -> bool {
        self.ahead.contains(&record)
    }

    /// Whether the program knew of this record at that time.
    pub fn is_known(&self, record: i64, at: DateTime<Utc>) -> bool {
        let first = self.newest.get(&record).map(|(_, first)| *first);
        !self.unsure.contains(&record) && first.is_some_and(|first| first <= at)
    }
}

pub struct FakeApi {
    pub world: Arc<World>,
    pub page_size: u32,
    /// The server's clock minus ours.
    pub skew: TimeDelta,
    pub view: View,
    /// By id, a deleted record is 404 rather than marked.
    pub deleted_is_404: bool,
}

impl FakeApi {
    /// An answer that is none, of the kinds that any request can meet.
    fn out_of_order(world: &mut crate::Inner) -> Option<ApiError> {
        let faults = world.faults.clone();
        let rng = &mut world.rng;
        if rng.chance(faults.error) {
            let unreadable = rng.chance(0.5);
            let why = "simulated".to_owned();
            return Some(if unreadable {
                ApiError::Unreadable(why)
            } else {
                ApiError::Unavailable(why)
            });
        }
        if rng.chance(faults.throttled) {
            return Some(ApiError::Throttled {
                pause: Duration::from_secs(1 + rng.below(60)),
            });
        }
        rng.chance(faults.denied).then(|| ApiError::Denied {
            status: 403,
            message: "simulated".into(),
        })
    }
}

/// The state of a record that a listing shows at `as_of`, as far as it is visible by now.
fn visible(booking: &Booking, as_of: DateTime<Utc>, by_id: bool) -> Option<&Version> {
    booking
        .history
        .iter()
        .rev()
        .find(|v| v.at <= as_of && (by_id || v.visible_at <= as_of))
}

#[async_trait]
impl BookingApi for FakeApi {
    async fn page(&self, _: &CompanyRef, query: &Query, number: u32) -> Result<Page, ApiError> {
        self.world.power.spend().await;
        let mut inner = self.world.lock();
        let world = &mut *inner;
        let now = world.now;
        if let Some(error) = Self::out_of_order(world) {
            world.note(format!("api: {query:?} page {number}: {error}"));
            return Err(error);
        }
        let faults = world.faults.clone();
        if number > 1 && world.rng.chance(faults.drift) {
            let done = world.journal.act(&mut world.rng, now);
            world.note(format!("between two pages: {}", done.unwrap_or_default()));
        }
        let mut as_of = now;
        if world.rng.chance(faults.stale) {
            as_of -= TimeDelta::seconds(world.rng.between(1, 60));
        }
        let hidden = world.hidden.clone();
        let mut rows: Vec<(&Booking, &Version)> = world
            .journal
            .bookings
            .values()
            .filter_map(|b| visible(b, as_of, faults.lag == 0).map(|v| (b, v)))
            .filter(|(_, v)| !v.state.erased && !hidden.hides(&v.state))
            .filter(|(_, v)| match query {
                Query::ChangedSince(since) => {
                    v.at + self.skew >= *since + TimeDelta::hours(faults.zone)
                }
                Query::Starting(from, to) => {
                    v.state.alive && (*from..=*to).contains(&v.state.start.date())
                }
            })
            .collect();
        rows.sort_by_key(|(b, v)| std::cmp::Reverse((v.state.start, b.id)));
        let total = rows.len() as u64;
        let mut page = number;
        if number > 1 && world.rng.chance(faults.repeated) {
            page -= 1;
        }
        let size = faults.short_pages.unwrap_or(self.page_size) as usize;
        let mut rows: Vec<_> = rows
            .into_iter()
            .skip((page as usize - 1) * size)
            .take(size)
            .collect();
        let mut total_count = (!world.rng.chance(faults.no_total)).then_some(total);
        let mut fault = "";
        if world.rng.chance(faults.truncated) {
            let most = world.rng.below(rows.len() as u64 + 1) as usize;
            rows.truncate(most);
            fault = " TRUNCATED";
        }
        let empty = world.rng.chance(faults.empty);
        if empty {
            rows.clear();
            total_count = world.rng.chance(0.5).then_some(0);
            fault = " EMPTY";
        }
        let view = View {
            hide_phones: hidden.phones.is_some(),
            ..self.view
        };
        for (booking, version) in &rows {
            // A number that is not shown is no change before our eyes.
            let perhaps = view.hide_phones;
            world.served.note(booking, version, perhaps, now);
        }
        let ids: Vec<i64> = rows.iter().map(|(b, _)| b.id).collect();
        let rows = rows
            .iter()
            .map(|(b, v)| Row::Record(Box::new(b.row(v, self.skew, view))))
            .collect();
        world.note(format!(
            "api: {query:?} page {number}: {ids:?} of {total_count:?}{fault}"
        ));
        Ok(Page {
            rows,
            total_count,
            server_date: Some(now + self.skew),
        })
    }

    async fn record(&self, _: &CompanyRef, id: i64) -> Result<Lookup, ApiError> {
        self.world.power.spend().await;
        let mut inner = self.world.lock();
        let world = &mut *inner;
        let now = world.now;
        if let Some(error) = Self::out_of_order(world) {
            return Err(error);
        }
        // Once a record: a server that says 404 of the same standing record again and again cannot
        // be told from one that tells the truth.
        if world.rng.chance(world.faults.false_404) && world.lied_about.insert(id) {
            world.note(format!("api: record {id}: 404, falsely"));
            return Ok(Lookup::Gone);
        }
        let booking = &world.journal.bookings[&id];
        let version = visible(booking, now, true).filter(|v| !v.state.erased);
        let hidden = world.hidden.clone();
        let answer = match version {
            None => Ok(Lookup::Gone),
            Some(v) if hidden.hides(&v.state) => {
                // One booking alone cannot be told from an erased one.
                let served = &world.served;
                let says_404 = |(master, _, says_404): (i64, _, bool)| {
                    let is_one_of_many = served.of_master(master, &world.journal, now) > 1;
                    says_404 && master == v.state.staff && is_one_of_many
                };
                match hidden.master.is_some_and(says_404) {
                    true => Ok(Lookup::Gone),
                    false => Err(ApiError::Denied {
                        status: 403,
                        message: "simulated".into(),
                    }),
                }
            }
            Some(v) if !v.state.alive && self.deleted_is_404 => Ok(Lookup::Gone),
            Some(v) => {
                let view = View {
                    hide_phones: hidden.phones.is_some(),
                    ..self.view
                };
                if v.state.alive {
                    world.served.note(booking, v, view.hide_phones, now);
                }
                Ok(Lookup::Found(Box::new(booking.row(v, self.skew, view))))
            }
        };
        let is_off = |found: &Lookup| !matches!(found, Lookup::Found(r) if r.is_alive());
        if answer.as_ref().is_ok_and(is_off) {
            // Told twice, it counts as shown.
            world.served.doubted.insert(id);
        }
        let words = match &answer {
            Ok(Lookup::Found(r)) => format!("found, deleted: {}", r.deleted),
            Ok(Lookup::Gone) => "404".into(),
            Err(e) => e.to_string(),
        };
        world.note(format!("api: record {id}: {words}"));
        answer
    }

    async fn company(&self, _: i64) -> Result<CompanyInfo, ApiError> {
        self.world.power.spend().await;
        match Self::out_of_order(&mut self.world.lock()) {
            Some(error) => Err(error),
            None => Ok(CompanyInfo {
                title: "Salon".into(),
                zone: Some(Zone::moscow()),
                ..CompanyInfo::default()
            }),
        }
    }

    fn page_size(&self) -> u32 {
        self.page_size
    }
}

/// Records about which the API lied once.
pub type Lies = BTreeSet<i64>;
