//! The salon's journal as it really is, with its whole history: what the fake API shows of it, and
//! what the oracle compares messages with.

use std::collections::BTreeMap;

use booking_monitor::domain::phone::Phone;
use booking_monitor::domain::record::{Attendance, Client, Record, ServiceLine, Staff};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike, Utc};

use crate::Rng;

pub const COMPANY: i64 = 111_111;
/// Moscow has had no summer time since 2014, so the salon's wall clock is a plain shift.
const ZONE: TimeDelta = TimeDelta::hours(3);

/// What a client is told of one record: start, master, services in order of their ids.
pub type Item = (NaiveDateTime, i64, Vec<i64>);

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub alive: bool,
    /// Not even a deleted row is left of it.
    pub erased: bool,
    pub client: i64,
    /// Empty when the client left none.
    pub phone: String,
    pub start: NaiveDateTime,
    pub staff: i64,
    pub services: Vec<i64>,
    comment: String,
    attendance: i64,
}

impl State {
    pub fn item(&self) -> Item {
        let mut services = self.services.clone();
        services.sort_unstable();
        (self.start, self.staff, services)
    }

    /// What this phone has here: nothing when the record is off or somebody else's.
    pub fn item_of(&self, phone: &str) -> Option<Item> {
        (self.alive && self.phone == phone).then(|| self.item())
    }
}

/// One state of a record, from when it held, and from when listings show it.
#[derive(Clone, Debug)]
pub struct Version {
    pub at: DateTime<Utc>,
    pub visible_at: DateTime<Utc>,
    pub state: State,
}

pub struct Booking {
    pub id: i64,
    pub visit: i64,
    pub history: Vec<Version>,
}

impl Booking {
    pub fn created(&self) -> DateTime<Utc> {
        self.history[0].at
    }

    pub fn now(&self) -> &State {
        &self.history.last().unwrap().state
    }

    /// The state at a moment, unless it was not there yet.
    pub fn at(&self, moment: DateTime<Utc>) -> Option<&State> {
        let version = self.history.iter().rev().find(|v| v.at <= moment);
        version.map(|v| &v.state)
    }

    /// The states that held at some time between, both ends included; `None` is "not there yet".
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Option<&State>> {
        let mut states = Vec::new();
        if self.created() > from {
            states.push(None);
        }
        for (index, version) in self.history.iter().enumerate() {
            let end = self.history.get(index + 1).map(|next| next.at);
            if version.at <= to && end.is_none_or(|end| end >= from) {
                states.push(Some(&version.state));
            }
        }
        states
    }

    /// The row as the API would write it, its clock `skew` ahead of ours.
    pub fn row(&self, version: &Version, skew: TimeDelta, view: View) -> Record {
        let State { alive, client, .. } = version.state;
        let state = &version.state;
        let bare = !alive && view.bare_deleted;
        let phone = (!state.phone.is_empty() && !view.hide_phones)
            .then(|| Phone::from_stored(state.phone.clone()));
        Record {
            company_id: COMPANY,
            id: self.id,
            visit_id: self.visit,
            activity_id: 0,
            start_local: if bare {
                Record::START_UNKNOWN
            } else {
                state.start
            },
            length: 3600,
            staff: Staff {
                id: state.staff,
                name: format!("M{}", state.staff),
            },
            services: if bare {
                Vec::new()
            } else {
                self.services(state)
            },
            client: (!bare).then(|| Client {
                id: client,
                name: format!("Client {client}"),
                phone,
                refused_phone: None,
                forgotten: false,
            }),
            seats: 1,
            attendance: Attendance::from_number(state.attendance),
            deleted: !alive,
            online: false,
            created_user_id: 77,
            comment: state.comment.clone(),
            labels: Vec::new(),
            link: String::new(),
            created_at: Some(self.created() + skew),
            changed_at: Some(version.at + skew),
        }
    }

    /// The title names the record, so that a message says whom it is about.
    fn services(&self, state: &State) -> Vec<ServiceLine> {
        let line = |id: &i64| ServiceLine {
            id: *id,
            title: format!("S{id}R{}", self.id),
            amount: 1,
            ..ServiceLine::default()
        };
        state.services.iter().map(line).collect()
    }
}

/// How much of a row the API shows.
#[derive(Clone, Copy, Default)]
pub struct View {
    pub hide_phones: bool,
    pub bare_deleted: bool,
}

#[derive(Default)]
pub struct Journal {
    pub bookings: BTreeMap<i64, Booking>,
    /// Listings show a change this much later, at most.
    pub lag: i64,
    clients: u64,
    masters: u64,
    /// Numbers that were typed in place of a client's own.
    corrected: i64,
}

impl Journal {
    /// A journal of bookings made long before the program came.
    pub fn new(rng: &mut Rng, now: DateTime<Utc>, lag: i64) -> Self {
        let mut journal = Self {
            lag,
            clients: 1 + rng.below(6),
            masters: 2 + rng.below(2),
            ..Self::default()
        };
        for _ in 0..rng.between(3, 20) {
            let made = now - TimeDelta::minutes(rng.between(60 * 24, 60 * 24 * 10));
            journal.book(rng, made, now);
        }
        journal
    }

    /// The records of a visit.
    pub fn of_visit(&self, visit: i64) -> impl Iterator<Item = &Booking> {
        self.bookings.values().filter(move |b| b.visit == visit)
    }

    /// Something happens at the desk; what, in words, unless it came to nothing.
    pub fn act(&mut self, rng: &mut Rng, now: DateTime<Utc>) -> Option<String> {
        if rng.chance(0.2) && self.bookings.len() < 30 {
            return Some(self.book(rng, now, now));
        }
        if rng.chance(0.05) && self.bookings.len() < 30 {
            return self.make_anew(rng, now);
        }
        let ids: Vec<i64> = self.bookings.keys().copied().collect();
        let id = *rng.pick(&ids)?;
        let booking = &self.bookings[&id];
        let mut state = booking.now().clone();
        if state.erased {
            return None;
        }
        let mut whole_visit = false;
        let what = match rng.below(if state.alive { 14 } else { 3 }) {
            _ if !state.alive && rng.chance(0.7) => {
                state.alive = true;
                "restore"
            }
            _ if !state.alive => {
                state.erased = true;
                "erase (was off)"
            }
            0..=2 => {
                state.start = start(rng, now);
                "move"
            }
            3 | 4 => {
                let former = &rng.pick(&booking.history)?.state;
                state.start = former.start;
                state.staff = former.staff;
                state.services.clone_from(&former.services);
                "put back as it was"
            }
            5 => {
                state.staff = 1 + rng.below(self.masters) as i64;
                "change master"
            }
            6 => {
                state.services.reverse();
                "reorder services"
            }
            7 => {
                state.services = services(rng);
                "change services"
            }
            8 | 9 => {
                whole_visit = rng.chance(0.5);
                state.alive = false;
                "cancel"
            }
            10 => {
                state.alive = false;
                state.erased = true;
                "erase"
            }
            11 => {
                state.comment = format!("note {}", rng.below(100));
                "comment"
            }
            12 => {
                state.attendance = [0, 1, 2, -1][rng.below(4) as usize];
                "attendance"
            }
            _ => {
                whole_visit = true;
                if rng.chance(0.5) {
                    self.corrected += 1;
                    state.phone = format!("+7900000{:04}", 1000 + self.corrected);
                    "correct the phone"
                } else {
                    state.client = 1 + rng.below(self.clients) as i64;
                    state.phone = phone_of(state.client);
                    "replace the client"
                }
            }
        };
        let visit = booking.visit;
        // A client's number stands in all of their bookings at once.
        let is_touched = |b: &Booking| b.history.last().is_some_and(|v| v.at >= now);
        if what == "correct the phone" && self.of_visit(visit).any(is_touched) {
            return None;
        }
        let mut changed = self
            .put(rng, id, state.clone(), now)
            .then(|| format!("{id}"))?;
        let others: Vec<i64> = self
            .of_visit(visit)
            .map(|b| b.id)
            .filter(|other| *other != id && whole_visit)
            .collect();
        for other in others {
            let mut now_there = self.bookings[&other].now().clone();
            // A number is the client's, whatever became of their bookings.
            let corrected = what == "correct the phone" && now_there.client == state.client;
            if corrected && !now_there.alive {
                now_there.phone.clone_from(&state.phone);
                self.put(rng, other, now_there, now);
                continue;
            }
            if now_there.alive {
                now_there.alive = state.alive;
                now_there.client = state.client;
                now_there.phone.clone_from(&state.phone);
                if self.put(rng, other, now_there, now) {
                    changed += &format!(" and {other}");
                }
            }
        }
        Some(format!(
            "{what}: record {changed} of v{visit} is {}",
            shown(&state)
        ))
    }

    /// An administrator moves a booking by deleting it and making another. Never one just like it:
    /// nobody could say which of the two a message is about (a test in `life.rs` has that case).
    fn make_anew(&mut self, rng: &mut Rng, now: DateTime<Utc>) -> Option<String> {
        let standing: Vec<i64> = self
            .bookings
            .values()
            .filter(|b| b.now().alive)
            .map(|b| b.id)
            .collect();
        let id = *rng.pick(&standing)?;
        let was = self.bookings[&id].now().clone();
        let off = State {
            alive: false,
            ..was.clone()
        };
        let mut state = was;
        state.start = start(rng, now);
        if !self.put(rng, id, off, now) {
            return None;
        }
        let new = 1001 + self.bookings.len() as i64;
        let visible_at = now + TimeDelta::seconds(rng.between(0, self.lag));
        let words = format!(
            "make anew: record {id} is off, record {new} of v{} is {}",
            new + 8000,
            shown(&state)
        );
        let history = vec![Version {
            at: now,
            visible_at,
            state,
        }];
        self.bookings.insert(
            new,
            Booking {
                id: new,
                visit: new + 8000,
                history,
            },
        );
        Some(words)
    }

    /// One change a second of one record: two within the same second have the same change date, and
    /// nobody could tell which came first.
    fn put(&mut self, rng: &mut Rng, id: i64, state: State, now: DateTime<Utc>) -> bool {
        let visible_at = now + TimeDelta::seconds(rng.between(0, self.lag));
        let booking = self.bookings.get_mut(&id).unwrap();
        let last = booking.history.last().unwrap();
        if last.at >= now || last.state == state {
            return false;
        }
        booking.history.push(Version {
            at: now,
            visible_at,
            state,
        });
        true
    }

    fn book(&mut self, rng: &mut Rng, made: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let client = 1 + rng.below(self.clients) as i64;
        let phone = if rng.chance(0.05) {
            String::new()
        } else {
            phone_of(client)
        };
        let first = 1001 + self.bookings.len() as i64;
        let mut at = start(rng, now);
        let mut words = String::new();
        for id in first..=first + i64::from(rng.chance(0.3)) {
            let state = State {
                alive: true,
                erased: false,
                client,
                phone: phone.clone(),
                start: at,
                staff: 1 + rng.below(self.masters) as i64,
                services: services(rng),
                comment: String::new(),
                attendance: 0,
            };
            words += &format!(" record {id} of v{} as {}", first + 8000, shown(&state));
            let visible_at = made + TimeDelta::seconds(rng.between(0, self.lag));
            let history = vec![Version {
                at: made,
                visible_at,
                state,
            }];
            self.bookings.insert(
                id,
                Booking {
                    id,
                    visit: first + 8000,
                    history,
                },
            );
            at += TimeDelta::hours(1);
        }
        format!("book{words}")
    }
}

pub fn shown(state: &State) -> String {
    let State {
        alive,
        erased,
        phone,
        start,
        staff,
        services,
        ..
    } = state;
    let stands = match (alive, erased) {
        (true, _) => "on",
        (false, false) => "off",
        (false, true) => "erased",
    };
    format!(
        "{stands} {} M{staff} S{services:?} {phone}",
        start.format("%d.%m. %H:%M")
    )
}

pub fn to_utc(local: NaiveDateTime) -> DateTime<Utc> {
    (local - ZONE).and_utc()
}

fn phone_of(client: i64) -> String {
    format!("+7900000{client:04}")
}

/// Mostly ahead, at times very soon or over already.
fn start(rng: &mut Rng, now: DateTime<Utc>) -> NaiveDateTime {
    let minutes = match rng.below(10) {
        0 => rng.between(-120, 0),
        1 | 2 => rng.between(0, 60),
        3..=5 => rng.between(60, 60 * 24),
        _ => rng.between(60 * 24, 60 * 24 * 12),
    };
    let local = (now + TimeDelta::minutes(minutes)).naive_utc() + ZONE;
    let minute = local.minute() - local.minute() % 5;
    local.with_minute(minute).unwrap().with_second(0).unwrap()
}

fn services(rng: &mut Rng) -> Vec<i64> {
    let first = 1 + rng.below(4) as i64;
    if rng.chance(0.4) {
        vec![first, 5 + rng.below(3) as i64]
    } else {
        vec![first]
    }
}
