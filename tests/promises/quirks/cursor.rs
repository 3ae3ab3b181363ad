//! The cursor: zones in which nobody documents that it is read, clocks that are off, many changes
//! in one second, and rows that come to light late.

use booking_monitor::demo::salon::{BookingDraft, Fault, Route};
use booking_monitor::domain::zone::Zone;
use chrono::{NaiveDateTime, TimeDelta};

use super::heads;
use crate::support::world::{World, haircut};

/// Five hours east of London, two of Moscow.
const URALS: i64 = 222_222;
const COMPANY: &str = "[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]";
const CREATED: &str = "✅ *Вы записаны!*";
const MOVED: &str = "🔄 *Запись перенесена*";
const CANCELLED: &str = "❌ *Запись отменена*";

/// A world in which only the salon in the Urals is looked at.
async fn urals(monitor: &str) -> World {
    let world = World::with(monitor, COMPANY).await;
    world.salon.add_company(
        URALS,
        "Урал",
        "Екатеринбург",
        "Asia/Yekaterinburg".parse::<Zone>().unwrap(),
    );
    world
}

fn draft(n: u32) -> BookingDraft {
    let mut draft = haircut("2026-08-23T14:30:00").client("Анна", &format!("+790000000{n:02}"));
    draft.company = URALS;
    draft
}

fn start(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

async fn poll(world: &World) {
    assert_eq!(world.poll_of(URALS).await.error, None);
}

async fn tell(world: &World) {
    poll(world).await;
    world.advance("31s");
    // The look before speaking has to be fresh, as the daemon's is.
    poll(world).await;
    world.turn().await;
}

fn overlap(world: &World) -> String {
    let query = "SELECT overlap_seconds FROM companies WHERE company_id = 222222";
    world.rows(query).remove(0)
}

/// Every change is told once, whatever the API takes `changed_after` for and whatever its clock
/// shows. `blind`: polls see nothing until a sweep has proved it.
async fn nothing_is_lost(reads_in: Option<Zone>, ahead: i64, blind: bool) {
    let case = format!("cursors read in {reads_in:?}, clock {ahead} min ahead");
    let world = urals("").await;
    if let Some(zone) = reads_in {
        world.salon.read_cursors_in(URALS, zone);
    }
    world.salon.skew_clock(TimeDelta::minutes(ahead));
    for n in 0..3 {
        world.salon.book(draft(n));
    }
    world.advance("1h");
    poll(&world).await;
    world.advance("1m");
    world.salon.book(draft(3));
    tell(&world).await;
    assert_eq!(world.told().len(), usize::from(!blind), "{case}");
    world.advance("15m");
    tell(&world).await;
    assert_eq!(heads(&world, 0), [CREATED], "{case}");
    assert_eq!(
        overlap(&world),
        if blind { "93600" } else { "600" },
        "{case}"
    );

    // From here on polls see for themselves.
    let moved = world.salon.book(draft(4));
    world.advance("1m");
    tell(&world).await;
    assert_eq!(heads(&world, 1), [CREATED], "{case}");
    world
        .salon
        .reschedule(URALS, moved, start("2026-08-24T16:00:00"));
    tell(&world).await;
    world.salon.cancel(URALS, moved);
    tell(&world).await;
    assert_eq!(heads(&world, 2), [MOVED, CANCELLED], "{case}");
    let sweeps = world.rows("SELECT last_sweep_at FROM companies WHERE company_id = 222222");
    for _ in 0..8 {
        world.advance("15m");
        tell(&world).await;
    }
    assert_ne!(
        world.rows("SELECT last_sweep_at FROM companies WHERE company_id = 222222"),
        sweeps
    );
    assert_eq!(world.told().len(), 4, "{case}: {:?}", world.told());
}

#[tokio::test]
async fn whatever_zone_cursors_are_read_in_nothing_is_lost_or_told_twice() {
    nothing_is_lost(None, 0, false).await;
    // Hours later than meant: nothing that changed lately is listed.
    nothing_is_lost(Some(Zone::UTC), 0, true).await;
    nothing_is_lost(Some(Zone::moscow()), 0, true).await;
    nothing_is_lost(Some("Etc/GMT+8".parse::<Zone>().unwrap()), 0, true).await;
    // Hours earlier than meant: the same changes are listed again and again.
    nothing_is_lost(Some("Asia/Kamchatka".parse::<Zone>().unwrap()), 0, false).await;
}

#[tokio::test]
async fn a_server_clock_a_quarter_of_an_hour_off_loses_and_repeats_nothing() {
    for ahead in [-15, 15] {
        nothing_is_lost(None, ahead, false).await;
        nothing_is_lost(Some(Zone::UTC), ahead, true).await;
        nothing_is_lost(Some(Zone::moscow()), ahead, true).await;
    }
}

#[tokio::test]
async fn a_server_clock_that_is_set_right_loses_and_repeats_nothing() {
    for ahead in [-15, 15] {
        let world = urals("").await;
        world.salon.skew_clock(TimeDelta::minutes(ahead));
        poll(&world).await;
        world.advance("1h");
        let first = world.salon.book(draft(1));
        tell(&world).await;
        world.salon.skew_clock(TimeDelta::zero());
        // Else the move would bear an older date than the booking, as a stale read does.
        world.advance("20m");
        world.salon.book(draft(2));
        world
            .salon
            .reschedule(URALS, first, start("2026-08-24T16:00:00"));
        for _ in 0..4 {
            tell(&world).await;
            world.advance("15m");
        }
        let mut told = heads(&world, 0);
        told.sort();
        assert_eq!(told, [CREATED, CREATED, MOVED], "{ahead} min ahead");
    }
}

#[tokio::test]
async fn fifty_changes_within_one_second_are_all_told_whatever_fits_a_page() {
    let mut world = urals("").await;
    world.config.yclients.page_size = 20;
    world.restart().await;
    poll(&world).await;
    world.advance("1m");
    let mut records: Vec<i64> = (0..30).map(|n| world.salon.book(draft(n))).collect();
    // The second page fails: what the first one brought is kept, the cursor stays.
    world
        .salon
        .fail_next(Route::Records, 1, Fault::SmallPages(20));
    world
        .salon
        .fail_next(Route::Records, 1, Fault::Status(500, String::new()));
    assert!(world.poll_of(URALS).await.error.is_some());
    poll(&world).await;
    // Still the same second, after the cursor has reached it.
    records.extend((30..50).map(|n| world.salon.book(draft(n))));
    tell(&world).await;
    assert_eq!(heads(&world, 0), vec![CREATED; 50]);
    let phones = world.rows("SELECT count(DISTINCT phone) FROM booking_notifications");
    assert_eq!(phones, ["50"]);

    for record in &records {
        world
            .salon
            .reschedule(URALS, *record, start("2026-08-24T16:00:00"));
    }
    tell(&world).await;
    assert_eq!(heads(&world, 50), vec![MOVED; 50]);
    assert_eq!(overlap(&world), "600", "no sweep was needed");
}

#[tokio::test]
async fn what_comes_to_light_late_is_told_once() {
    // Later than the overlap, and not: minutes until it is visible, minutes until the cursor passes
    // it by another booking.
    for (lag, passed, wide) in [(6, "5m", false), (20, "12m", true)] {
        let world = urals(r#"sweep_interval = "1h""#).await;
        let known = world.salon.book(draft(1));
        world.advance("1h");
        poll(&world).await;
        world.advance("1m");
        world.salon.lag(URALS, TimeDelta::minutes(lag));
        world.salon.book(draft(2));
        world
            .salon
            .reschedule(URALS, known, start("2026-08-24T16:00:00"));
        world.salon.lag(URALS, TimeDelta::zero());
        world.advance(passed);
        world.salon.book(draft(3));
        tell(&world).await;
        assert_eq!(heads(&world, 0), [CREATED], "{lag} min late");
        world.advance("9m");
        tell(&world).await;
        assert_eq!(
            world.told().len(),
            if wide { 1 } else { 3 },
            "{lag} min late"
        );
        world.advance("1h");
        tell(&world).await;
        let mut told = heads(&world, 1);
        told.sort();
        assert_eq!(told, [CREATED, MOVED], "{lag} min late");
        assert_eq!(overlap(&world), if wide { "93600" } else { "600" });

        // A view once widened needs no sweep for the next one.
        world.salon.lag(URALS, TimeDelta::minutes(lag));
        world.salon.book(draft(4));
        world.salon.lag(URALS, TimeDelta::zero());
        world.advance(passed);
        world.salon.book(draft(5));
        tell(&world).await;
        world.advance("9m");
        tell(&world).await;
        assert_eq!(heads(&world, 3), [CREATED, CREATED], "{lag} min late");
        for _ in 0..4 {
            world.advance("1h");
            tell(&world).await;
        }
        assert_eq!(world.told().len(), 5, "{lag} min late: {:?}", world.told());
    }
}
