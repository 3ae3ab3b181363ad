//! Five hundred polls, each with a fault of its own, while the salon goes on working: at the end
//! everybody knows what is true, and nobody was ever told anything else, or anything twice.

use std::collections::BTreeMap;

use booking_monitor::demo::salon::{DraftService, Fault, Route, Salon};
use booking_monitor::ports::ApiError;
use chrono::{NaiveDateTime, TimeDelta};

use crate::support::world::{SALON, World, at, haircut};

const POLLS: u32 = 500;
const SEED: u64 = 20_260_820;
const PAGE: u32 = 30;
/// Polls that no answer comes to: each costs a real second, a few are enough.
const HANGS: u32 = 3;

/// SplitMix64: the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let sides = u64::try_from(sides).unwrap();
        usize::try_from((z ^ (z >> 31)) % sides).unwrap()
    }
}

const NOT_FOUND: &str = r#"{"success":false,"data":null,"meta":{"message":"Не найдено"}}"#;

/// Everything that listings have been seen to do wrong.
fn listing_faults() -> Vec<Fault> {
    let denied = |code: u16, text: &str| {
        Fault::Status(
            code,
            format!(r#"{{"success":false,"meta":{{"message":"{text}"}}}}"#),
        )
    };
    vec![
        Fault::Empty200,
        Fault::Html,
        Fault::Truncated,
        Fault::SuccessFalse("Внутренняя ошибка".into()),
        Fault::SuccessFalse("Не найдено".into()),
        Fault::SuccessFalse(Fault::limit_message(0)),
        Fault::TooManyRequests { seconds: 1 },
        Fault::RetryAfter { seconds: 2 },
        Fault::Status(500, String::new()),
        Fault::Status(502, "<html>bad gateway</html>".into()),
        Fault::Status(200, String::new()),
        Fault::Status(404, NOT_FOUND.into()),
        denied(401, "Необходима авторизация"),
        denied(403, "Недостаточно прав"),
        Fault::RepeatPage,
        Fault::EndlessPages,
        Fault::SmallPages(15),
        Fault::Drift,
        Fault::Miscounted(5),
        Fault::Miscounted(-5),
        Fault::NullRow,
        Fault::Disconnect,
        Fault::Hang,
    ]
}

/// The same of single records. The 404 is a lie, which the API is not taken to tell twice running.
fn lookup_faults() -> Vec<Fault> {
    vec![
        Fault::Status(500, String::new()),
        Fault::Truncated,
        Fault::SuccessFalse("Внутренняя ошибка".into()),
        Fault::Disconnect,
        Fault::Status(404, NOT_FOUND.into()),
    ]
}

/// What a client was told last: where the journal's truth has to be in the end.
#[derive(Clone, Debug, Default, PartialEq)]
struct Truth {
    start: Option<NaiveDateTime>,
    staff: i64,
    services: usize,
}

/// The salon's people at work.
struct Staff {
    salon: Salon,
    dice: Dice,
    truth: BTreeMap<i64, Truth>,
    phones: BTreeMap<i64, String>,
}

impl Staff {
    fn day(&mut self) -> NaiveDateTime {
        let days = i64::try_from(self.dice.roll(12)).unwrap();
        let half_hours = i64::try_from(self.dice.roll(16)).unwrap();
        at("2026-09-10T10:00:00") + TimeDelta::days(days) + TimeDelta::minutes(30 * half_hours)
    }

    fn book(&mut self) -> i64 {
        let start = self.day();
        let n = self.truth.len();
        let phone = format!("+7900{n:07}");
        let staff = i64::try_from(self.dice.roll(3)).unwrap() + 5;
        let text = start.format("%Y-%m-%dT%H:%M:%S").to_string();
        let draft = haircut(&text)
            .client("Анна", &phone)
            .staff(staff, &format!("Мастер {staff}"));
        let record = self.salon.book(draft);
        self.phones.insert(record, phone);
        let truth = Truth {
            start: Some(start),
            staff,
            services: 1,
        };
        self.truth.insert(record, truth);
        record
    }

    /// One edit of one booking.
    fn work(&mut self) {
        let nth = self.dice.roll(self.truth.len());
        let record = *self.truth.keys().nth(nth).unwrap();
        let salon = self.salon.clone();
        let dice = self.dice.roll(12);
        // What is off stays off: what nobody can see is nobody's to edit.
        if dice > 2 && self.truth[&record].start.is_none() {
            return;
        }
        match dice {
            0..=2 => {
                self.book();
            }
            3..=5 => {
                let start = self.day();
                salon.reschedule(SALON, record, start);
                self.truth.get_mut(&record).unwrap().start = Some(start);
            }
            6 => {
                let staff = i64::try_from(self.dice.roll(3)).unwrap() + 5;
                salon.change_staff(SALON, record, staff, &format!("Мастер {staff}"));
                self.truth.get_mut(&record).unwrap().staff = staff;
            }
            7 => {
                let services = self.dice.roll(2) + 1;
                let lines = [
                    DraftService::new(45, "МУЖСКАЯ СТРИЖКА", 2000, 50),
                    DraftService::new(47, "Борода", 1500, 0),
                ];
                salon.change_services(SALON, record, &lines[..services]);
                self.truth.get_mut(&record).unwrap().services = services;
            }
            8 => {
                salon.cancel(SALON, record);
                self.truth.get_mut(&record).unwrap().start = None;
            }
            9 => {
                salon.erase(SALON, record);
                self.truth.get_mut(&record).unwrap().start = None;
            }
            10 => {
                salon.edit(SALON, record, |row| row["comment"] = "перезвонить".into());
            }
            _ => salon.set_attendance(SALON, record, 2),
        }
    }
}

/// Reads back what the last message to this number says.
fn last_told(world: &World, phone: &str) -> Option<String> {
    super::told_to(world, phone).pop()
}

fn says(text: &str, truth: &Truth) -> bool {
    let Some(start) = truth.start else {
        return text.starts_with("❌ *Запись отменена*");
    };
    let when = start.format("%-d сентября в %H:%M").to_string();
    let master = format!("Мастер {}", truth.staff);
    let beard = text.contains("Борода") && !text.contains("Убрали: Борода");
    !text.starts_with("❌")
        && text.contains(&when)
        && text.contains(&master)
        && beard == (truth.services == 2)
}

#[tokio::test]
async fn five_hundred_faulty_polls_tell_nothing_false_nothing_twice_and_lose_nothing() {
    let mut world = World::with(r#"sweep_interval = "2m""#, "").await;
    world.config.yclients.page_size = PAGE;
    world.config.yclients.client.timeout = std::time::Duration::from_secs(1);
    world.restart().await;
    let mut staff = Staff {
        salon: world.salon.clone(),
        dice: Dice(SEED),
        truth: BTreeMap::new(),
        phones: BTreeMap::new(),
    };
    // More than a page, and a few days with more than a page to themselves.
    for _ in 0..60 {
        staff.book();
    }
    world.advance("10m");
    world.poll().await;
    let known_before = staff.truth.clone();
    let (listing, lookup) = (listing_faults(), lookup_faults());
    let mut lied = 0;
    let (mut ill, mut hung) = (0, 0);
    for n in 0..POLLS {
        world.advance("20s");
        if n % 3 == 0 {
            staff.work();
        }
        let fault = listing[staff.dice.roll(listing.len())].clone();
        let by_id = lookup[staff.dice.roll(lookup.len())].clone();
        if staff.dice.roll(3) == 0 {
            // Lookups are well this time.
        } else if by_id != lookup[lookup.len() - 1] {
            world.salon.set_fault(Route::Record, Some(by_id));
        } else if n > lied + 10 {
            lied = n;
            world.salon.set_fault(Route::Record, Some(by_id));
        }
        let hidden =
            (staff.dice.roll(12) == 0).then(|| i64::try_from(staff.dice.roll(3)).unwrap() + 5);
        if let Some(master) = hidden {
            world.salon.hide_staff(SALON, master);
        }
        let fault = match fault {
            Fault::Hang if hung == HANGS => Fault::Disconnect,
            Fault::Hang => {
                hung += 1;
                Fault::Hang
            }
            other => other,
        };
        world.salon.set_fault(Route::Records, Some(fault));
        let error = world.poll_of(SALON).await.error;
        ill += usize::from(error.is_some());
        if matches!(error, Some(ApiError::Throttled { .. })) {
            // The client sits out a stated pause by the real clock, which nobody waits for here.
            world.restart().await;
        }
        world.settle().await;
        world.deliver().await;
        world.salon.set_fault(Route::Records, None);
        world.salon.set_fault(Route::Record, None);
        if let Some(master) = hidden {
            world.salon.show_staff(SALON, master);
        }
        assert!(
            world
                .rows("SELECT kind FROM booking_notifications WHERE status = 'held'")
                .is_empty(),
            "poll {n}"
        );
    }
    assert!(ill > 200, "{ill} polls failed");

    // The faults are over.
    for _ in 0..8 {
        world.advance("15m");
        world.poll_of(SALON).await;
        world.turn().await;
        world.advance("31s");
        world.poll_of(SALON).await;
        world.turn().await;
    }
    world.poll().await;
    let mut told_of = 0;
    for (record, truth) in &staff.truth {
        let phone = &staff.phones[record];
        let told = super::told_to(&world, phone);
        let twice = told.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None, "record {record}");
        match last_told(&world, phone) {
            Some(last) => {
                told_of += 1;
                assert!(says(&last, truth), "record {record} is {truth:?}: {told:?}");
            }
            // Silence is right where nothing is new: as at the baseline, or come and gone unseen.
            None => assert!(
                truth.start.is_none() && !known_before.contains_key(record)
                    || known_before.get(record) == Some(truth),
                "record {record} is {truth:?} and was never told"
            ),
        }
        let cancelled = told.iter().filter(|t| t.starts_with("❌")).count();
        assert_eq!(
            cancelled,
            usize::from(truth.start.is_none() && !told.is_empty()),
            "record {record} is {truth:?}: {told:?}"
        );
    }
    assert!(told_of > 50, "{told_of} of {}", staff.truth.len());
    assert_eq!(
        world.rows("SELECT count(*) FROM settling UNION ALL SELECT count(*) FROM booking_notifications WHERE status IN ('pending', 'held', 'sending', 'uncertain')"),
        ["0", "0"]
    );
}
