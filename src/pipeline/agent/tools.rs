//! The tools, run: what the journal says now. Whose bookings are read or proposed about is decided by the
//! chat's phone and looked up in the journal each time; an argument only chooses among them.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Value, json};

use super::super::Pipeline;
use super::turn::{End, Turn};
use crate::domain::agent::proposal::{Existing, Line, Proposal};
use crate::domain::agent::state::Step;
use crate::domain::agent::tools::Wanted;
use crate::domain::catalogue::{Master, Offer};
use crate::domain::free;
use crate::domain::message::{Language, day, lasts, price, weekday};
use crate::domain::record::{Attendance, Money, Record, Staff};
use crate::ports::{ApiError, CompanyRef, Lookup, Urgency};
use crate::store::{self, cache};

/// More would not be read by anybody.
const MOST_OFFERS: usize = 60;
const MOST_DAYS: usize = 14;
const MOST_TIMES: usize = 24;
const MOST_BOOKINGS: usize = 6;
/// So many masters are asked for one time of "any".
const MOST_MASTERS: usize = 8;
/// A visit whose form names no length.
const HOUR: i64 = 3600;

/// What a call came to.
pub(super) enum Ran {
    /// The model goes on with this.
    Result(Value),
    /// The turn ends.
    End(End),
}

/// The journal gave no answer: nothing is invented in its place.
fn unread(turn: &Turn, error: &ApiError) -> Ran {
    tracing::warn!(company = turn.company.settings.id, turn = turn.id, %error, "a tool failed");
    Ran::End(End::Handed("journal"))
}

macro_rules! read {
    ($turn:expr, $answer:expr) => {
        match $answer {
            Ok(read) => read,
            Err(error) => return Ok(unread($turn, &error)),
        }
    };
}

fn problem(why: &str) -> Ran {
    Ran::Result(json!({ "error": why }))
}

impl Pipeline {
    /// Runs one call.
    pub(super) async fn run(&self, turn: &mut Turn, wanted: Wanted) -> store::Result<Ran> {
        let reference = turn.company.reference(turn.zone, Urgency::Look);
        let here = self.clock.now().with_timezone(&turn.zone).naive_local();
        Ok(match wanted {
            Wanted::Salon => {
                turn.steps.push(Step::Inquired);
                Ran::Result(turn.salon())
            }
            Wanted::Services => {
                let offers = read!(turn, self.api.offers(&reference, None).await);
                turn.steps.push(Step::Inquired);
                let titles = offers
                    .iter()
                    .take(MOST_OFFERS)
                    .map(|offer| json!({"service": offer.id, "title": offer.title}));
                Ran::Result(json!({ "services": titles.collect::<Value>() }))
            }
            Wanted::Prices { about } => {
                let offers = read!(turn, self.api.offers(&reference, None).await);
                turn.steps.push(Step::Priced);
                let about = about.to_lowercase();
                let named = |offer: &&Offer| offer.title.to_lowercase().contains(&about);
                let found: Vec<&Offer> = offers.iter().filter(named).collect();
                let shown: Vec<&Offer> = match found.is_empty() {
                    true => offers.iter().collect(),
                    false => found,
                };
                let lines = shown.into_iter().take(MOST_OFFERS).map(priced);
                Ran::Result(json!({ "services": lines.collect::<Value>() }))
            }
            Wanted::Masters { services } => {
                let masters = read!(turn, self.api.masters(&reference, &services).await);
                turn.steps.push(Step::Inquired);
                let lines = masters.iter().take(MOST_OFFERS).map(|master| {
                    json!({
                        "master": master.id, "name": master.name,
                        "specialization": master.specialization,
                    })
                });
                Ran::Result(json!({ "masters": lines.collect::<Value>() }))
            }
            Wanted::FreeDays { services, master } => {
                let named = read!(turn, self.master(&reference, &services, master).await);
                let wanted = free::Wanted {
                    staff: master,
                    services,
                };
                let days = read!(turn, self.api.bookable_days(&reference, &wanted).await);
                turn.steps.push(Step::Searched);
                let days = days.into_iter().filter(|day| *day >= here.date());
                let days = days.take(MOST_DAYS).map(|date| dated(date, here.date()));
                Ran::Result(of(named, json!({ "free_days": days.collect::<Value>() })))
            }
            Wanted::FreeTimes {
                services,
                master,
                day,
                time,
            } => {
                let named = read!(turn, self.master(&reference, &services, master).await);
                let wanted = free::Wanted {
                    staff: master,
                    services,
                };
                let times = self.api.bookable_times(&reference, &wanted, day).await;
                let times = read!(turn, times);
                turn.steps.push(Step::Searched);
                Ran::Result(of(named, free_times(day, &times, time, here)))
            }
            Wanted::Bookings => {
                let Some(theirs) = read!(turn, self.theirs(turn, &reference).await?) else {
                    return Ok(Ran::End(End::WantsNumber));
                };
                turn.steps.push(Step::Searched);
                for record in &theirs {
                    turn.evidence.show_booking(record.start_local);
                }
                let lines = theirs.iter().map(|record| booking(record, here.date()));
                Ran::Result(json!({ "bookings": lines.collect::<Value>() }))
            }
            Wanted::ProposeBooking {
                services,
                master,
                day,
                time,
            } => {
                if turn.contact.phone.is_empty() {
                    return Ok(Ran::End(End::WantsNumber));
                }
                let at = day.and_time(time);
                self.new_booking(turn, &reference, (&services, master), at, here)
                    .await
            }
            Wanted::ProposeMove {
                booking,
                master,
                day,
                time,
            } => {
                let Some(theirs) = read!(turn, self.theirs(turn, &reference).await?) else {
                    return Ok(Ran::End(End::WantsNumber));
                };
                let Some(record) = theirs.into_iter().find(|r| r.id == booking) else {
                    return Ok(Ran::End(End::NotYours));
                };
                let at = day.and_time(time);
                self.other_time(turn, &reference, &record, master, at, here)
                    .await
            }
            Wanted::ProposeCancel { booking } => {
                let Some(theirs) = read!(turn, self.theirs(turn, &reference).await?) else {
                    return Ok(Ran::End(End::WantsNumber));
                };
                let Some(record) = theirs.iter().find(|r| r.id == booking) else {
                    return Ok(Ran::End(End::NotYours));
                };
                Ran::End(End::Proposed(Proposal::Cancel {
                    was: Existing::of(record),
                }))
            }
            Wanted::Administrator => Ran::End(End::Person),
        })
    }

    /// What people call the master that was named by number: whoever is free is free by name.
    async fn master(
        &self,
        reference: &CompanyRef,
        services: &[i64],
        master: Option<i64>,
    ) -> Result<Option<String>, ApiError> {
        let Some(id) = master else {
            return Ok(None);
        };
        let masters = self.api.masters(reference, services).await?;
        Ok(masters.into_iter().find(|m| m.id == id).map(|m| m.name))
    }

    /// The bookings ahead of whoever this chat is linked to, as the journal has them now; `None` for a
    /// chat that is linked to nobody.
    async fn theirs(
        &self,
        turn: &Turn,
        reference: &CompanyRef,
    ) -> store::Result<Result<Option<Vec<Record>>, ApiError>> {
        let phone = turn.contact.phone.clone();
        if phone.is_empty() {
            return Ok(Ok(None));
        }
        let (now, company) = (self.clock.now(), turn.company.settings.id);
        let e164 = phone.clone();
        let cached = self
            .store
            .read(move |c| cache::ahead_of_phone(c, &e164, now))
            .await?;
        let mut theirs = Vec::new();
        let here = cached.into_iter().map(|cached| cached.record);
        let here = here.filter(|record| record.company_id == company);
        for record in here.take(MOST_BOOKINGS) {
            let looked = match self.api.record(reference, record.id).await {
                Ok(Lookup::Found(looked)) => looked,
                Ok(Lookup::Gone) => continue,
                Err(error) => return Ok(Err(error)),
            };
            let is_theirs = looked.phone().is_some_and(|p| p.e164() == phone);
            let is_ahead = !looked.deleted
                && looked.start_at(turn.zone) > now
                && matches!(
                    looked.attendance,
                    Attendance::Waiting | Attendance::Confirmed
                );
            if is_theirs && is_ahead && looked.is_same_booking(&record) {
                theirs.push(*looked);
            }
        }
        Ok(Ok(Some(theirs)))
    }

    /// A new booking, if everything about it is so.
    async fn new_booking(
        &self,
        turn: &mut Turn,
        reference: &CompanyRef,
        (services, master): (&[i64], Option<i64>),
        at: NaiveDateTime,
        here: NaiveDateTime,
    ) -> Ran {
        let offers = match self.api.offers(reference, master).await {
            Ok(offers) => offers,
            Err(error) => return unread(turn, &error),
        };
        let mut chosen = Vec::new();
        for id in services {
            match offers.iter().find(|offer| offer.id == *id) {
                Some(offer) => chosen.push(offer.clone()),
                None => return problem("такой услуги у этого мастера или в салоне нет"),
            }
        }
        let masters = match self.api.masters(reference, services).await {
            Ok(masters) => masters,
            Err(error) => return unread(turn, &error),
        };
        let candidates = masters
            .iter()
            .filter(|m| master.is_none_or(|id| m.id == id));
        let candidates: Vec<&Master> = candidates.take(MOST_MASTERS).collect();
        if candidates.is_empty() {
            return problem("такого мастера нет, или он не делает эту услугу");
        }
        let mut free_that_day = Vec::new();
        for candidate in candidates {
            let wanted = free::Wanted {
                staff: Some(candidate.id),
                services: services.to_vec(),
            };
            let times = self.api.bookable_times(reference, &wanted, at.date()).await;
            let times = match times {
                Ok(times) => times,
                Err(error) => return unread(turn, &error),
            };
            if at > here && times.contains(&at) {
                let lines = chosen.iter().map(|offer| Line {
                    id: offer.id,
                    title: offer.title.clone(),
                    price: offer.price(),
                });
                let length: i64 = chosen.iter().map(|offer| offer.length).sum();
                return Ran::End(End::Proposed(Proposal::Make {
                    start: at,
                    length: if length > 0 { length } else { HOUR },
                    staff: Staff {
                        id: candidate.id,
                        name: candidate.name.clone(),
                    },
                    services: lines.collect(),
                }));
            }
            free_that_day.extend(times);
        }
        turn.steps.push(Step::Searched);
        not_free(at, &free_that_day, here)
    }

    /// Another time or another master for a booking of theirs, if there is one.
    async fn other_time(
        &self,
        turn: &mut Turn,
        reference: &CompanyRef,
        record: &Record,
        master: Option<i64>,
        at: NaiveDateTime,
        here: NaiveDateTime,
    ) -> Ran {
        if record.activity_id != 0 {
            // A seat in a class moves only with the class.
            return Ran::End(End::Person);
        }
        let staff = master.unwrap_or(record.staff.id);
        if at == record.start_local && staff == record.staff.id {
            return problem("запись уже стоит на это время у этого мастера");
        }
        let services: Vec<i64> = record.services.iter().map(|line| line.id).collect();
        let name = if staff == record.staff.id {
            record.staff.name.clone()
        } else {
            match self.api.masters(reference, &services).await {
                Ok(masters) => match masters.into_iter().find(|m| m.id == staff) {
                    Some(master) => master.name,
                    None => return problem("такого мастера нет, или он не делает эту услугу"),
                },
                Err(error) => return unread(turn, &error),
            }
        };
        let wanted = free::Wanted {
            staff: Some(staff),
            services,
        };
        match self.api.bookable_times(reference, &wanted, at.date()).await {
            Ok(times) if at > here && times.contains(&at) => {
                Ran::End(End::Proposed(Proposal::Move {
                    was: Existing::of(record),
                    start: at,
                    staff: Staff { id: staff, name },
                }))
            }
            Ok(times) => {
                turn.steps.push(Step::Searched);
                not_free(at, &times, here)
            }
            Err(error) => unread(turn, &error),
        }
    }
}

impl Turn {
    fn salon(&self) -> Value {
        let settings = &self.company.settings;
        let or = |own: &Option<String>, api: &str| own.clone().unwrap_or_else(|| api.to_owned());
        json!({
            "title": self.company.title(&self.row),
            "address": or(&settings.address, &self.row.info.address),
            "phone": or(&settings.phone, &self.row.info.phone),
            "booking_link": or(&settings.booking_link, &self.row.info.booking_link),
        })
    }
}

fn priced(offer: &Offer) -> Value {
    let sum = |sum: Money| price(sum);
    let price = match offer.price() {
        Some(one) => sum(one),
        None if offer.price_min.0 == 0 && offer.price_max.0 == 0 => String::new(),
        None => format!("от {} до {}", sum(offer.price_min), sum(offer.price_max)),
    };
    let mut line = json!({"service": offer.id, "title": offer.title});
    if !price.is_empty() {
        line["price"] = price.into();
    }
    if offer.length > 0 {
        line["lasts"] = lasts(Language::Ru, offer.length).into();
        line["minutes"] = (offer.length / 60).into();
    }
    line
}

/// The answer, with the master that it is of.
fn of(master: Option<String>, mut answer: Value) -> Value {
    if let Some(name) = master {
        answer["name"] = name.into();
    }
    answer
}

/// A day as machines and as people write it.
fn dated(date: NaiveDate, today: NaiveDate) -> Value {
    json!({
        "day": date.to_string(),
        "date": format!("{}, {}", day(Language::Ru, date, today), weekday(Language::Ru, date)),
    })
}

fn clock(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

fn ahead(times: &[NaiveDateTime], here: NaiveDateTime) -> Vec<String> {
    let mut times: Vec<NaiveDateTime> = times.iter().copied().filter(|at| *at > here).collect();
    times.sort_unstable();
    times.dedup();
    times
        .iter()
        .take(MOST_TIMES)
        .map(|at| clock(at.time()))
        .collect()
}

fn free_times(
    date: NaiveDate,
    times: &[NaiveDateTime],
    asked: Option<NaiveTime>,
    here: NaiveDateTime,
) -> Value {
    let mut answer = dated(date, here.date());
    let free = ahead(times, here);
    if let Some(asked) = asked.map(clock).filter(|asked| !free.contains(asked)) {
        answer["not_free"] = json!([asked]);
    }
    answer["times"] = json!(free);
    answer
}

fn not_free(at: NaiveDateTime, times: &[NaiveDateTime], here: NaiveDateTime) -> Ran {
    let mut answer = free_times(at.date(), times, Some(at.time()), here);
    answer["error"] = "это время занято или недоступно".into();
    Ran::Result(answer)
}

fn booking(record: &Record, today: NaiveDate) -> Value {
    let titles: Vec<&str> = record.services.iter().map(|s| s.title.as_str()).collect();
    let mut line = dated(record.start_local.date(), today);
    line["booking"] = record.id.into();
    line["time"] = clock(record.start_local.time()).into();
    line["services"] = titles.join(", ").into();
    line["master"] = record.staff.name.as_str().into();
    let total: Money = record.services.iter().map(|s| s.cost).sum();
    if total.0 > 0 {
        line["price"] = price(total).into();
    }
    line
}
