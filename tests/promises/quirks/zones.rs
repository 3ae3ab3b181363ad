//! The salon's own wall clock: nights in which it jumps, offsets that lie, hosts elsewhere.

use booking_monitor::demo::salon::BookingDraft;
use booking_monitor::domain::zone::Zone;
use booking_monitor::ports::Clock;
use chrono::{NaiveDateTime, TimeDelta};

use super::{heads, told_to};
use crate::support::program::{Program, start as in_days, stderr};
use crate::support::world::{World, haircut};

const BERLIN: i64 = 222_222;
const COMPANY: &str = "[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]\ncountry = \"RU\"";
const CREATED: &str = "✅ *Вы записаны!*";
const OTHER_MASTER: &str = "🔄 *Вас примет другой мастер*";

/// A salon in Berlin, watched from this instant on.
async fn berlin(from: &str) -> World {
    let world = World::with("", COMPANY).await;
    world.salon.add_company(
        BERLIN,
        "Salon",
        "Berlin",
        "Europe/Berlin".parse::<Zone>().unwrap(),
    );
    go_to(&world, from);
    poll(&world).await;
    world
}

/// The clock goes on to this instant.
fn go_to(world: &World, at: &str) {
    let at: chrono::DateTime<chrono::Utc> = at.parse().unwrap();
    world
        .clock
        .advance((at - world.clock.now()).to_std().unwrap());
}

fn draft(n: u32, start: &str) -> BookingDraft {
    let mut draft = haircut(start).client("Анна", &format!("+790000000{n:02}"));
    draft.company = BERLIN;
    draft
}

fn local(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

async fn poll(world: &World) {
    assert_eq!(world.poll_of(BERLIN).await.error, None);
}

async fn tell(world: &World) {
    poll(world).await;
    world.advance("31s");
    poll(world).await;
    world.turn().await;
}

#[tokio::test]
async fn in_the_night_with_an_hour_too_many_texts_delay_and_past_keep_to_the_wall_clock() {
    let world = berlin("2026-10-24T18:00:00Z").await;
    world.advance("1m");
    let before = world.salon.book(draft(1, "2026-10-25T01:30:00"));
    let doubled = world.salon.book(draft(2, "2026-10-25T02:30:00"));
    let after = world.salon.book(draft(3, "2026-10-25T03:30:00"));
    tell(&world).await;
    for (phone, time) in [("01", "01:30"), ("02", "02:30"), ("03", "03:30")] {
        let told = told_to(&world, &format!("+790000000{phone}"));
        assert_eq!(told.len(), 1);
        let line = format!("📅 25 октября в {}\n", time.trim_start_matches('0'));
        let padded = format!("📅 25 октября в {time}\n");
        assert!(
            told[0].contains(&line) || told[0].contains(&padded),
            "{}",
            told[0]
        );
    }
    // 01:20 in summer time: all three lie ahead.
    go_to(&world, "2026-10-24T23:20:00Z");
    for record in [before, doubled, after] {
        world.salon.change_staff(BERLIN, record, 6, "Тимур");
    }
    tell(&world).await;
    assert_eq!(heads(&world, 3), vec![OTHER_MASTER; 3]);
    // 02:29 for the first time.
    go_to(&world, "2026-10-25T00:29:00Z");
    for record in [before, doubled, after] {
        world.salon.change_staff(BERLIN, record, 7, "Вера");
    }
    tell(&world).await;
    assert_eq!(
        heads(&world, 6),
        vec![OTHER_MASTER; 2],
        "half past one has begun"
    );
    // 02:10 for the second time: half past two was an instant ago, and is not told of again.
    go_to(&world, "2026-10-25T01:10:00Z");
    for record in [before, doubled, after] {
        world.salon.change_staff(BERLIN, record, 8, "Глеб");
    }
    tell(&world).await;
    assert_eq!(heads(&world, 8), [OTHER_MASTER]);
    world
        .salon
        .reschedule(BERLIN, after, local("2026-10-25T12:00:00"));
    tell(&world).await;
    assert!(
        world.told()[9].contains("→ *25 октября в 12:00*"),
        "{}",
        world.told()[9]
    );
    assert_eq!(world.told().len(), 10);
}

#[tokio::test]
async fn changes_across_the_doubled_hour_are_neither_stale_nor_lost() {
    let world = berlin("2026-10-24T18:00:00Z").await;
    let record = world.salon.book(draft(1, "2026-10-27T10:00:00"));
    tell(&world).await;
    // 02:50 in summer time, 02:10 in winter time, 02:55, 03:05: `last_change_date` runs on, the
    // wall clock does not.
    for (n, at) in [
        (1, "2026-10-25T00:50:00Z"),
        (2, "2026-10-25T01:10:00Z"),
        (3, "2026-10-25T01:55:00Z"),
        (4, "2026-10-25T02:05:00Z"),
    ] {
        go_to(&world, at);
        let start = format!("2026-10-27T1{n}:00:00");
        world.salon.reschedule(BERLIN, record, local(&start));
        tell(&world).await;
        let told = world.told();
        assert_eq!(told.len(), n + 1, "{at}");
        let to = format!("→ *27 октября в 1{n}:00*");
        assert!(told[n].contains(&to), "{}", told[n]);
    }
    world.advance("15m");
    tell(&world).await;
    assert_eq!(world.told().len(), 5);
}

#[tokio::test]
async fn in_the_night_with_an_hour_too_few_a_time_that_never_was_is_the_moment_after() {
    let world = berlin("2027-03-27T18:00:00Z").await;
    world.advance("1m");
    let skipped = world.salon.book(draft(1, "2027-03-28T02:30:00"));
    world.salon.book(draft(2, "2027-03-28T01:45:00"));
    tell(&world).await;
    assert_eq!(heads(&world, 0), [CREATED, CREATED]);
    assert!(told_to(&world, "+79000000001")[0].contains("28 марта в 02:30"));
    // 01:59 in winter time.
    go_to(&world, "2027-03-28T00:59:00Z");
    world.salon.change_staff(BERLIN, skipped, 6, "Тимур");
    tell(&world).await;
    assert_eq!(heads(&world, 2), [OTHER_MASTER]);
    // 03:29 in summer time, a minute before the moment that the journal means.
    go_to(&world, "2027-03-28T01:28:00Z");
    world.salon.change_staff(BERLIN, skipped, 7, "Вера");
    tell(&world).await;
    assert_eq!(heads(&world, 3), [OTHER_MASTER]);
    go_to(&world, "2027-03-28T01:31:00Z");
    world.salon.change_staff(BERLIN, skipped, 8, "Глеб");
    tell(&world).await;
    assert_eq!(world.told().len(), 4, "it has begun");
    // The days after it are read as any.
    world.salon.book(draft(3, "2027-03-29T10:00:00"));
    tell(&world).await;
    assert!(
        world.told()[4].contains("29 марта в 10:00"),
        "{}",
        world.told()[4]
    );
}

#[tokio::test]
async fn a_wrong_offset_is_no_change_and_decides_nothing() {
    let world = berlin("2026-08-20T09:00:00Z").await;
    let record = world.salon.book(draft(1, "2026-08-20T12:00:00"));
    // Noon in Berlin is 10:00 UTC; the offset says that it was 09:00 or will be 22:00.
    for (n, wrong) in ["+03:00", "-10:00", "+0000", ".000+01:00"]
        .iter()
        .enumerate()
    {
        world.salon.edit(BERLIN, record, |row| {
            row["datetime"] = format!("2026-08-20T12:00:00{wrong}").into();
        });
        tell(&world).await;
        assert_eq!(world.told().len(), 1, "{n}: {:?}", world.told());
    }
    assert!(
        world.told()[0].contains("📅 20 августа в 12:00"),
        "{}",
        world.told()[0]
    );
    assert_eq!(world.rows("SELECT count(*) FROM booking_events"), ["1"]);
    assert_eq!(
        world.rows("SELECT start_at FROM appointments_cache WHERE company_id = 222222"),
        ["2026-08-20T10:00:00.000Z"]
    );
    go_to(&world, "2026-08-20T09:58:00Z");
    world.salon.change_staff(BERLIN, record, 6, "Тимур");
    tell(&world).await;
    assert_eq!(heads(&world, 1), [OTHER_MASTER]);
    go_to(&world, "2026-08-20T10:01:00Z");
    world.salon.change_staff(BERLIN, record, 7, "Вера");
    tell(&world).await;
    assert_eq!(world.told().len(), 2, "it has begun");
}

#[tokio::test]
async fn every_russian_zone_tells_its_own_time_and_knows_its_own_past() {
    let zones: [&str; 11] = [
        "Europe/Kaliningrad",
        "Europe/Moscow",
        "Europe/Samara",
        "Asia/Yekaterinburg",
        "Asia/Omsk",
        "Asia/Krasnoyarsk",
        "Asia/Irkutsk",
        "Asia/Yakutsk",
        "Asia/Vladivostok",
        "Asia/Magadan",
        "Asia/Kamchatka",
    ];
    let zones = zones.map(|name| name.parse::<Zone>().unwrap());
    let companies: String = (1..=zones.len())
        .map(|id| format!("[[companies]]\nid = {id}\nchannels = [\"whatsapp\"]\n"))
        .collect();
    let world = World::with("", &companies).await;
    for (id, zone) in (1..).zip(zones) {
        world.salon.add_company(id, zone.name(), "", zone);
        assert_eq!(world.poll_of(id).await.error, None);
    }
    world.advance("1m");
    let mut expected = Vec::new();
    for (id, zone) in (1..).zip(zones) {
        let now = world.clock.now().with_timezone(&zone).naive_local();
        let book = |kind: i64, start: NaiveDateTime| {
            let mut draft = haircut("2026-08-21T14:30:00");
            let phone = format!("+79000{id:02}000{kind}");
            (draft.company, draft.start) = (id, start);
            world.salon.book(draft.client("Анна", &phone));
            phone
        };
        book(1, now - TimeDelta::minutes(1));
        expected.push((
            book(2, now + TimeDelta::minutes(2)),
            now + TimeDelta::minutes(2),
        ));
        let tomorrow = local("2026-08-21T14:30:00");
        expected.push((book(3, tomorrow), tomorrow));
        assert_eq!(world.poll_of(id).await.error, None);
    }
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told().len(), expected.len(), "nothing of the past");
    for (phone, start) in expected {
        let told = told_to(&world, &phone);
        assert_eq!(told.len(), 1, "{phone}");
        let time = start.format(" августа в %H:%M\n").to_string();
        assert!(told[0].contains(&time), "{start}: {}", told[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_in_another_zone_tells_the_same() {
    let mut told = Vec::new();
    for zone in [
        "",
        "Pacific/Kiritimati",
        "America/Los_Angeles",
        "Europe/Berlin",
    ] {
        let program = Program::new().await;
        let run = async |arguments: &[&str]| {
            let mut command = program.command(arguments);
            if !zone.is_empty() {
                command.env("TZ", zone);
            }
            let output = tokio::task::spawn_blocking(move || command.output().unwrap());
            let output = output.await.unwrap();
            assert_eq!(output.status.code(), Some(0), "{zone}: {}", stderr(&output));
        };
        run(&["--once"]).await;
        let (first, last) = (in_days(0), in_days(3));
        let midnight = first.date().and_hms_opt(0, 5, 0).unwrap();
        let text = |at: NaiveDateTime| at.format("%Y-%m-%dT%H:%M:%S").to_string();
        let record = program.salon.book(haircut(&text(midnight)));
        run(&["--once", "--drain"]).await;
        program
            .salon
            .reschedule(crate::support::world::SALON, record, last);
        run(&["--once", "--drain"]).await;
        let sent = program.green.sent();
        told.push(sent.into_iter().map(|s| s.text).collect::<Vec<_>>());
    }
    assert_eq!(told[0].len(), 2, "{told:?}");
    assert!(told[0][0].contains(" в 00:05\n"), "{}", told[0][0]);
    assert!(told.iter().all(|t| *t == told[0]), "{told:?}");
}
