//! Reminders against a model: bookings of one client are made, moved, cancelled, restored and marked
//! at random, with restarts in between, and every hour what reached the client is what a few lines
//! of arithmetic say.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::world::{SALON, World, haircut};
use booking_monitor::ports::Clock as _;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Hours before a visit.
const LEADS: [i64; 2] = [24, 3];
/// So many hours are lived.
const HOURS: usize = 60;

/// Reminders that were read, over all lives: a model that expects none proves nothing.
static READ: AtomicUsize = AtomicUsize::new(0);

/// What happens in one hour.
#[derive(Clone, Debug)]
enum Act {
    Nothing,
    Book { day: i64, hour: i64 },
    Move { which: usize, day: i64, hour: i64 },
    Cancel { which: usize },
    Restore { which: usize },
    Mark { which: usize, attendance: i64 },
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    // Few days and hours, so that visits meet on one day.
    let time = || (1_i64..4, 9_i64..20);
    prop_oneof![
        6 => Just(Act::Nothing),
        4 => time().prop_map(|(day, hour)| Act::Book { day, hour }),
        3 => (0_usize..6, time()).prop_map(|(which, (day, hour))| Act::Move { which, day, hour }),
        1 => (0_usize..6).prop_map(|which| Act::Cancel { which }),
        1 => (0_usize..6).prop_map(|which| Act::Restore { which }),
        1 => (0_usize..6, prop_oneof![Just(0), Just(1), Just(2), Just(-1)])
            .prop_map(|(which, attendance)| Act::Mark { which, attendance }),
        1 => Just(Act::Restart),
    ]
}

/// A booking as the model has it.
struct Booking {
    record: i64,
    start: NaiveDateTime,
    alive: bool,
    attendance: i64,
    /// Since when the program knows that it stands so and then.
    since: NaiveDateTime,
    told_at: Option<NaiveDateTime>,
    /// Starts and leads that were named, or passed over for good.
    done: BTreeSet<(NaiveDateTime, i64)>,
}

/// A reminder as the client reads it: the day, and the times in order.
type Read = (NaiveDate, Vec<String>);

impl Booking {
    fn is_expected(&self, now: NaiveDateTime) -> bool {
        self.alive && self.start > now && matches!(self.attendance, 0 | 2)
    }

    /// The moment of its reminder, where it has one yet to come or just come.
    fn moment(&self, lead: i64) -> Option<NaiveDateTime> {
        let moment = self.start - TimeDelta::hours(lead);
        let open = !self.done.contains(&(self.start, lead));
        (open && moment > self.since).then_some(moment)
    }
}

/// What the client is to read now.
fn due(bookings: &mut [Booking], now: NaiveDateTime) -> Vec<Read> {
    let mut all = Vec::new();
    for lead in LEADS {
        let quiet = TimeDelta::hours(lead) / 4;
        let mut days = BTreeSet::new();
        for booking in bookings.iter_mut().filter(|b| b.is_expected(now)) {
            let Some(moment) = booking.moment(lead).filter(|moment| *moment <= now) else {
                continue;
            };
            if booking
                .told_at
                .is_some_and(|at| at >= moment - quiet.max(TimeDelta::hours(1)))
            {
                booking.done.insert((booking.start, lead));
            } else {
                days.insert(booking.start.date());
            }
        }
        for day in days {
            let mut named: Vec<&mut Booking> = bookings
                .iter_mut()
                .filter(|b| b.is_expected(now) && b.start.date() == day)
                .filter(|b| b.moment(lead).is_some())
                .collect();
            named.sort_by_key(|b| (b.start, b.record));
            let mut times = Vec::new();
            for booking in named {
                booking.done.insert((booking.start, lead));
                times.push(booking.start.format("%H:%M").to_string());
            }
            all.push((day, times));
        }
    }
    all
}

fn read(text: &str) -> Read {
    let head = text.lines().next().unwrap();
    let day: u32 = head
        .split_whitespace()
        .find_map(|word| word.parse().ok())
        .unwrap();
    let listed = text.lines().filter_map(|line| line.strip_prefix("📅 "));
    let mut times: Vec<String> = listed
        .map(|line| line.rsplit(' ').next().unwrap().to_owned())
        .collect();
    if times.is_empty() {
        let time = head.trim_end_matches('*').rsplit(' ').next().unwrap();
        times.push(time.to_owned());
    }
    (NaiveDate::from_ymd_opt(2026, 8, day).unwrap(), times)
}

fn local(at: DateTime<Utc>) -> NaiveDateTime {
    at.naive_utc() + TimeDelta::hours(3)
}

async fn live(acts: &[Act]) -> Result<(), TestCaseError> {
    let rest = r#"notify = { reminders = ["24h", "3h"] }"#;
    let mut world = World::watching_with("per_client_per_hour = 0", rest).await;
    let mut bookings: Vec<Booking> = Vec::new();
    for act in acts {
        let now = local(world.clock.now());
        let had = world.told().len();
        world.poll().await;
        world.turn().await;
        let mut seen: Vec<Read> = world.told()[had..].iter().map(|text| read(text)).collect();
        let mut expected = due(&mut bookings, now);
        READ.fetch_add(seen.len(), Ordering::Relaxed);
        seen.sort();
        expected.sort();
        prop_assert_eq!(seen, expected, "at {}", now);

        let start = |day: i64, hour: i64| {
            let midnight = now.date().and_hms_opt(0, 0, 0).unwrap();
            midnight + TimeDelta::hours(day * 24 + hour)
        };
        let ahead = |b: &Booking| b.start > now + TimeDelta::hours(1);
        let told = Some(now + TimeDelta::seconds(31));
        match *act {
            Act::Nothing => {}
            Act::Restart => world.restart().await,
            Act::Book { day, hour } => {
                let start = start(day, hour);
                if start > now + TimeDelta::hours(1) {
                    let record = world
                        .salon
                        .book(haircut(&start.format("%Y-%m-%dT%H:%M:%S").to_string()));
                    bookings.push(Booking {
                        record,
                        start,
                        alive: true,
                        attendance: 0,
                        since: now,
                        told_at: told,
                        done: BTreeSet::new(),
                    });
                }
            }
            Act::Move { which, day, hour } => {
                let start = start(day, hour);
                if let Some(b) = bookings.get_mut(which).filter(|b| b.alive && ahead(b))
                    && start > now + TimeDelta::hours(1)
                    && start != b.start
                {
                    world.salon.reschedule(SALON, b.record, start);
                    (b.start, b.since, b.told_at) = (start, now, told);
                }
            }
            Act::Cancel { which } => {
                if let Some(b) = bookings.get_mut(which).filter(|b| b.alive && ahead(b)) {
                    world.salon.cancel(SALON, b.record);
                    (b.alive, b.told_at) = (false, told);
                }
            }
            Act::Restore { which } => {
                if let Some(b) = bookings.get_mut(which).filter(|b| !b.alive && ahead(b)) {
                    world.salon.restore(SALON, b.record);
                    (b.alive, b.since, b.told_at) = (true, now, told);
                }
            }
            Act::Mark { which, attendance } => {
                if let Some(b) = bookings.get_mut(which).filter(|b| b.alive && ahead(b)) {
                    let was = b.is_expected(now);
                    world.salon.set_attendance(SALON, b.record, attendance);
                    b.attendance = attendance;
                    if !was {
                        b.since = now;
                    }
                }
            }
        }
        world.tell().await;
        let next = TimeDelta::hours(1) - TimeDelta::seconds(31);
        world.clock.advance(next.to_std().unwrap());
    }
    Ok(())
}

#[test]
fn whatever_becomes_of_the_bookings_the_client_reads_what_the_model_says() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases.and_then(|n| n.parse().ok()).unwrap_or(8);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let acts = prop::collection::vec(act(), HOURS);
    TestRunner::new(config)
        .run(&acts, |acts| runtime.block_on(live(&acts)))
        .unwrap();
    // Chance decides how many: some lives have none, most have several.
    assert!(READ.load(Ordering::Relaxed) > cases as usize, "{READ:?}");
}
