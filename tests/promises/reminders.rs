//! Reminders: each rule of when one goes, what it says, and why it does not go after all. The clock
//! stands at noon in Moscow on 20 August 2026, a Thursday, when a world begins.

use crate::support::fake::Answer;
use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::demo::salon::{BookingDraft, Fault, Route};
use booking_monitor::domain::phone::Phone;
use booking_monitor::domain::reminder::Lead;
use booking_monitor::domain::zone::Zone;
use booking_monitor::pipeline::orders;
use booking_monitor::ports::Clock as _;
use booking_monitor::store;
use booking_monitor::store::pauses::{Pause, Selector};
use chrono::{DateTime, TimeDelta, Utc};

const DAY: &str = r#"notify = { reminders = ["24h"] }"#;
const DAY_AND_OWNER: &str = r#"notify = { reminders = ["24h"] }
owner = [{ channel = "telegram", to = "500", events = [] }]"#;

/// The booking of most tests, told and long known by the time of its reminder.
const START: &str = "2026-08-24T14:30:00";

fn instant(local: &str) -> DateTime<Utc> {
    (at(local) - TimeDelta::hours(3)).and_utc()
}

/// The clock goes on to this moment in Moscow.
fn until(world: &World, local: &str) {
    let ahead = instant(local) - world.clock.now();
    world.clock.advance(ahead.to_std().unwrap());
}

/// A poll at that moment, and everything that is due.
async fn turn_at(world: &World, local: &str) {
    until(world, local);
    world.poll().await;
    world.turn().await;
}

fn reminders(world: &World) -> Vec<String> {
    let told = world.told();
    told.into_iter().filter(|t| t.starts_with('⏰')).collect()
}

fn heads(world: &World) -> Vec<String> {
    let first = |t: String| t.lines().next().unwrap().to_owned();
    reminders(world).into_iter().map(first).collect()
}

/// State and reason of every reminder, by record, start and moment.
fn states(world: &World) -> Vec<String> {
    world.rows(
        "SELECT lead, state, coalesce(reason, '') FROM reminders ORDER BY record_id, start_local, due_at",
    )
}

fn cards(world: &World) -> Vec<String> {
    let told = world.owner_told();
    told.into_iter()
        .filter(|t| t.contains("Позвоните"))
        .collect()
}

/// The program ends, and nothing holds its database.
async fn end(world: &mut World) {
    let store = world.pipeline().store().clone();
    world.stop();
    store.close().await.unwrap();
}

async fn told_of(rest: &str, start: &str) -> (World, i64) {
    let world = World::watching_with("", rest).await;
    let record = world.salon.book(haircut(start));
    world.tell().await;
    (world, record)
}

#[tokio::test]
async fn a_reminder_comes_a_day_before_and_says_tomorrow() {
    let (world, _) = told_of(DAY, START).await;
    turn_at(&world, "2026-08-23T14:29:00").await;
    assert_eq!(reminders(&world), [""; 0]);
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(
        reminders(&world),
        ["⏰ *Ждём вас завтра, 24 августа, в 14:30*\n\
          \n\
          💇 МУЖСКАЯ СТРИЖКА\n\
          👤 Мастер: Бари\n\
          📍 Малаховка, Южная улица, 38\n\
          \n\
          Придёте? Ответьте *1* — да, *2* — не смогу. Нужно другое время — просто напишите 👇"]
    );
    turn_at(&world, "2026-08-23T20:00:00").await;
    turn_at(&world, "2026-08-24T14:00:00").await;
    assert_eq!(reminders(&world).len(), 1);
    assert_eq!(world.decisions(), ["created|sent|", "reminder|sent|"]);
}

#[tokio::test]
async fn two_leads_are_two_reminders_and_an_hour_of_the_day_before_is_a_lead() {
    let rest = r#"notify = { reminders = ["18:00 -1d", "2h"] }"#;
    let (world, _) = told_of(rest, START).await;
    for moment in [
        "2026-08-23T17:59:00",
        "2026-08-23T18:00:00",
        "2026-08-24T12:30:00",
    ] {
        turn_at(&world, moment).await;
    }
    assert_eq!(
        heads(&world),
        [
            "⏰ *Ждём вас завтра, 24 августа, в 14:30*",
            "⏰ *Ждём вас сегодня, 24 августа, в 14:30*",
        ]
    );
    assert!(reminders(&world)[1].ends_with("Опаздываете или не получается? Напишите мне здесь 👇"));
}

#[tokio::test]
async fn what_is_planned_is_not_pending() {
    let (world, _) = told_of(DAY, START).await;
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE status = 'pending'"),
        ["0"]
    );
    assert_eq!(
        world.rows("SELECT lead, start_local, due_at, state FROM reminders"),
        ["24h|2026-08-24T14:30:00|2026-08-23T11:30:00.000Z|planned"]
    );
}

#[tokio::test]
async fn a_reminder_moves_with_its_booking() {
    let (world, record) = told_of(DAY, START).await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-26T10:00:00"));
    world.tell().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(heads(&world), [""; 0]);
    turn_at(&world, "2026-08-25T10:00:00").await;
    assert_eq!(heads(&world), ["⏰ *Ждём вас завтра, 26 августа, в 10:00*"]);
    assert_eq!(states(&world), ["24h|dropped|moved", "24h|made|"]);
}

#[tokio::test]
async fn a_reminder_dies_with_its_booking_and_comes_back_with_it() {
    let (world, record) = told_of(DAY, START).await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(states(&world), ["24h|dropped|off"]);
    world.salon.restore(SALON, record);
    world.tell().await;
    assert_eq!(states(&world), ["24h|planned|"]);
    world.salon.cancel(SALON, record);
    world.tell().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(reminders(&world), [""; 0]);
}

#[tokio::test]
async fn a_moment_that_had_passed_when_the_booking_was_made_or_moved_is_skipped() {
    let (world, record) = told_of(DAY, "2026-08-21T10:00:00").await;
    assert_eq!(states(&world), ["24h|dropped|too_late"]);
    world
        .salon
        .reschedule(SALON, record, at("2026-08-21T11:00:00"));
    world.tell().await;
    turn_at(&world, "2026-08-21T10:30:00").await;
    assert_eq!(reminders(&world), [""; 0]);
    assert_eq!(
        states(&world),
        ["24h|dropped|too_late", "24h|dropped|too_late"]
    );
}

#[tokio::test]
async fn who_was_told_within_a_quarter_of_the_lead_is_not_reminded() {
    // Booked 29 hours before the visit: five before its reminder, which is within six.
    let world = World::watching_with("", DAY).await;
    until(&world, "2026-08-23T09:30:00");
    world.salon.book(haircut(START));
    world.tell().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(reminders(&world), [""; 0]);
    assert_eq!(states(&world), ["24h|dropped|told"]);
}

#[tokio::test]
async fn who_was_told_earlier_than_a_quarter_of_the_lead_is_reminded() {
    let world = World::watching_with("", DAY).await;
    until(&world, "2026-08-23T07:30:00");
    world.salon.book(haircut(START));
    world.tell().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(reminders(&world).len(), 1);
}

#[tokio::test]
async fn who_was_told_lately_of_another_time_or_that_it_is_off_is_reminded() {
    // Nobody is told of changes, so the reminder alone says when the visit is.
    let rest = r#"notify = { updated = false, reminders = ["24h"] }"#;
    let world = World::watching_with("", rest).await;
    until(&world, "2026-08-23T12:00:00");
    let record = world.salon.book(haircut(START));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-24T16:00:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    turn_at(&world, "2026-08-23T16:00:00").await;
    assert_eq!(heads(&world), ["⏰ *Ждём вас завтра, 24 августа, в 16:00*"]);

    let world = World::watching_with("", rest).await;
    let record = world.salon.book(haircut(START));
    world.tell().await;
    until(&world, "2026-08-23T12:00:00");
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    world.salon.restore(SALON, record);
    world.tell().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(heads(&world), ["⏰ *Ждём вас завтра, 24 августа, в 14:30*"]);
}

#[tokio::test]
async fn who_was_told_lately_of_a_booking_that_was_made_anew_is_reminded_only_of_another_time() {
    for (start, heads_of) in [
        (START, None),
        (
            "2026-08-24T16:00:00",
            Some("⏰ *Ждём вас завтра, 24 августа, в 16:00*"),
        ),
    ] {
        // Nobody is told of changes.
        let rest = r#"notify = { updated = false, reminders = ["24h"] }"#;
        let world = World::watching_with("", rest).await;
        until(&world, "2026-08-23T12:00:00");
        let record = world.salon.book(haircut(START));
        world.tell().await;
        world.salon.cancel(SALON, record);
        world.salon.book(haircut(start));
        world.tell().await;
        assert_eq!(world.told().len(), 1, "{:?}", world.decisions());
        turn_at(&world, "2026-08-23T16:00:00").await;
        assert_eq!(heads(&world), Vec::from_iter(heads_of));
    }
}

#[tokio::test]
async fn a_short_lead_needs_an_hour_since_the_last_word_and_reminders_do_not_count() {
    let rest = r#"notify = { reminders = ["2h", "90m"] }"#;
    let (world, record) = told_of(rest, START).await;
    until(&world, "2026-08-24T11:40:00");
    world.salon.change_staff(SALON, record, 6, "Тимур");
    world.tell().await;
    turn_at(&world, "2026-08-24T12:30:00").await;
    assert_eq!(reminders(&world), [""; 0]);
    turn_at(&world, "2026-08-24T13:00:00").await;
    assert_eq!(
        heads(&world),
        ["⏰ *Ждём вас сегодня, 24 августа, в 14:30*"]
    );
    assert_eq!(states(&world), ["2h|dropped|told", "90m|made|"]);
}

#[tokio::test]
async fn a_client_who_came_or_did_not_is_not_reminded_and_one_who_is_sure_is() {
    for (attendance, count) in [(1, 0), (-1, 0), (2, 1)] {
        let (world, record) = told_of(DAY, START).await;
        world.salon.set_attendance(SALON, record, attendance);
        world.tell().await;
        turn_at(&world, "2026-08-23T14:30:00").await;
        assert_eq!(reminders(&world).len(), count, "{attendance}");
    }
}

#[tokio::test]
async fn the_bookings_of_the_baseline_get_those_that_lie_ahead() {
    let world = World::with("", DAY).await;
    world.salon.book(haircut("2026-08-21T10:00:00"));
    world.salon.book(haircut(START));
    world.poll().await;
    assert_eq!(states(&world), ["24h|dropped|too_late", "24h|planned|"]);
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(heads(&world), ["⏰ *Ждём вас завтра, 24 августа, в 14:30*"]);
}

#[tokio::test]
async fn reminders_that_are_switched_on_begin_with_the_moments_ahead() {
    let mut world = World::watching_with("", "").await;
    world.salon.book(haircut("2026-08-21T11:00:00"));
    world.salon.book(haircut(START));
    world.tell().await;
    assert_eq!(states(&world), [""; 0]);
    let evening = Lead::at_hour("18:00 -1d").unwrap();
    world.config.companies[0].rules.reminders = vec![evening];
    until(&world, "2026-08-20T19:00:00");
    world.restart().await;
    assert_eq!(
        states(&world),
        ["18:00 -1d|dropped|too_late", "18:00 -1d|planned|"]
    );
    turn_at(&world, "2026-08-23T18:00:00").await;
    assert_eq!(heads(&world), ["⏰ *Ждём вас завтра, 24 августа, в 14:30*"]);
}

#[tokio::test]
async fn reminders_that_are_switched_off_are_dropped_and_come_back_when_switched_on() {
    let (mut world, _) = told_of(DAY, START).await;
    let leads = std::mem::take(&mut world.config.companies[0].rules.reminders);
    world.restart().await;
    assert_eq!(states(&world), ["24h|dropped|disabled"]);
    world.config.companies[0].rules.reminders = leads;
    world.restart().await;
    assert_eq!(states(&world), ["24h|planned|"]);
}

#[tokio::test]
async fn several_visits_of_a_day_are_one_reminder_that_names_them_all() {
    let world = World::watching_with("", DAY).await;
    world.salon.book(haircut(START));
    world.salon.book(
        BookingDraft::new(SALON, at("2026-08-24T18:00:00"))
            .client("Анна", PHONE)
            .staff(6, "Тимур")
            .service(46, "УКЛАДКА", 1500, 0),
    );
    world.salon.book(haircut("2026-08-25T12:00:00"));
    world.tell().await;
    for moment in ["2026-08-23T14:30:00", "2026-08-23T18:00:00"] {
        turn_at(&world, moment).await;
    }
    assert_eq!(
        reminders(&world),
        ["⏰ *Ждём вас завтра, 24 августа, в 14:30*\n\
          \n\
          📅 24 августа в 14:30\n\
          💇 МУЖСКАЯ СТРИЖКА\n\
          👤 Мастер: Бари\n\
          \n\
          📅 24 августа в 18:00\n\
          💇 УКЛАДКА\n\
          👤 Мастер: Тимур\n\
          📍 Малаховка, Южная улица, 38\n\
          \n\
          Придёте? Ответьте *1* — да, *2* — не смогу. Нужно другое время — просто напишите 👇"]
    );
    turn_at(&world, "2026-08-24T12:00:00").await;
    assert_eq!(reminders(&world).len(), 2);
}

#[tokio::test]
async fn a_visit_that_was_named_is_reminded_of_again_when_it_moves() {
    let world = World::watching_with("", DAY).await;
    world.salon.book(haircut(START));
    let later = world.salon.book(haircut("2026-08-24T18:00:00"));
    world.tell().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    world
        .salon
        .reschedule(SALON, later, at("2026-08-26T18:00:00"));
    world.tell().await;
    turn_at(&world, "2026-08-25T18:00:00").await;
    assert_eq!(
        heads(&world),
        [
            "⏰ *Ждём вас завтра, 24 августа, в 14:30*",
            "⏰ *Ждём вас завтра, 26 августа, в 18:00*",
        ]
    );
}

#[tokio::test]
async fn of_several_that_are_overdue_only_the_latest_is_sent() {
    let rest = r#"notify = { reminders = ["20h", "4h", "2h"] }"#;
    let (mut world, _) = told_of(rest, "2026-08-24T22:00:00").await;
    world.stop();
    until(&world, "2026-08-24T20:30:00");
    world.start().await;
    world.poll().await;
    world.turn().await;
    assert_eq!(
        heads(&world),
        ["⏰ *Ждём вас сегодня, 24 августа, в 22:00*"]
    );
    assert_eq!(
        states(&world),
        [
            "20h|dropped|superseded",
            "4h|dropped|superseded",
            "2h|made|"
        ]
    );
}

#[tokio::test]
async fn a_reminder_expires_at_midnight() {
    let (mut world, _) = told_of(DAY, START).await;
    world.stop();
    until(&world, "2026-08-24T00:00:00");
    world.start().await;
    world.poll().await;
    world.turn().await;
    assert_eq!(reminders(&world), [""; 0]);
    assert_eq!(states(&world), ["24h|dropped|expired"]);
}

#[tokio::test]
async fn a_reminder_that_a_channel_keeps_past_midnight_expires() {
    let (world, _) = told_of(DAY, START).await;
    world.green.set_state("notAuthorized");
    world.green.answer_next(Answer::http(401, "{}"));
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(world.decisions()[1], "reminder|pending|");
    turn_at(&world, "2026-08-24T00:00:01").await;
    world.green.set_state("authorized");
    turn_at(&world, "2026-08-24T00:01:00").await;
    assert_eq!(world.decisions()[1], "reminder|suppressed|expired");
    assert_eq!(reminders(&world), [""; 0]);
}

#[tokio::test]
async fn quiet_hours_keep_a_reminder_until_their_end_and_it_says_today_then() {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, DAY).await;
    world.salon.book(haircut("2026-08-24T22:00:00"));
    world.tell().await;
    turn_at(&world, "2026-08-23T22:00:00").await;
    assert_eq!(world.decisions()[1], "reminder|pending|");
    turn_at(&world, "2026-08-24T09:00:00").await;
    assert_eq!(
        heads(&world),
        ["⏰ *Ждём вас сегодня, 24 августа, в 22:00*"]
    );
}

#[tokio::test]
async fn a_change_that_the_look_before_speaking_finds_is_told_and_the_reminder_goes_with_it() {
    let (world, record) = told_of(DAY, START).await;
    until(&world, "2026-08-23T14:30:00");
    world
        .salon
        .reschedule(SALON, record, at("2026-08-24T16:00:00"));
    world.turn().await;
    world.advance("31s");
    world.turn().await;
    assert_eq!(reminders(&world), [""; 0]);
    assert_eq!(
        world.told().last().unwrap().lines().next(),
        Some("🔄 *Запись перенесена*")
    );
    // Told an hour and a half before the new moment: within six hours.
    turn_at(&world, "2026-08-23T16:00:00").await;
    assert_eq!(reminders(&world), [""; 0]);
    assert_eq!(states(&world), ["24h|dropped|moved", "24h|dropped|told"]);
}

#[tokio::test]
async fn a_change_of_master_that_is_being_told_goes_first() {
    let (world, record) = told_of(DAY, START).await;
    until(&world, "2026-08-23T14:29:50");
    world.salon.change_staff(SALON, record, 6, "Тимур");
    world.poll().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(world.told().len(), 1);
    for _ in 0..4 {
        world.advance("31s");
        world.turn().await;
    }
    assert_eq!(
        world.decisions(),
        [
            "created|sent|",
            "reminder|suppressed|unchanged",
            "updated|sent|"
        ]
    );
    assert_eq!(states(&world), ["24h|dropped|told"]);
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_makes_a_reminder_a_call() {
    let (world, _) = told_of(DAY_AND_OWNER, START).await;
    until(&world, "2026-08-23T14:30:00");
    let fault = Fault::Status(500, "{}".into());
    world.salon.set_fault(Route::Records, Some(fault));
    world.turn().await;
    assert_eq!(reminders(&world), [""; 0]);
    assert_eq!(
        cards(&world),
        ["📞 <b>Позвоните клиенту</b>\n\
          Напоминание: завтра, 24 августа, в 14:30 · Бари\n\
          Анна, +7 900 000-00-01\n\
          Сообщение не ушло: журнала сейчас не видно, и в силе ли запись, неизвестно."]
    );
    assert_eq!(world.decisions()[1], "reminder|suppressed|stale");
}

#[tokio::test]
async fn an_opted_out_client_is_not_reminded_and_the_owner_is_asked_to_call_once() {
    let rest = r#"notify = { reminders = ["24h", "2h"] }
        owner = [{ channel = "telegram", to = "500", events = [] }]"#;
    let (world, _) = told_of(rest, START).await;
    world.green.push_text(PHONE, "стоп");
    world.receive().await;
    world.turn().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    turn_at(&world, "2026-08-24T12:30:00").await;
    assert_eq!(reminders(&world), [""; 0]);
    assert_eq!(
        cards(&world),
        ["📞 <b>Позвоните клиенту</b>\n\
          Напоминание: завтра, 24 августа, в 14:30 · Бари\n\
          Анна, +7 900 000-00-01\n\
          Сообщение не ушло: клиент отписался."]
    );
}

#[tokio::test]
async fn a_client_without_a_number_is_a_call() {
    let world = World::watching_with("", DAY_AND_OWNER).await;
    let draft = BookingDraft::new(SALON, at(START));
    world.salon.book(
        draft
            .client("Вера", "")
            .staff(5, "Бари")
            .service(45, "СТРИЖКА", 2000, 0),
    );
    world.tell().await;
    assert_eq!(cards(&world), [""; 0]);
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(
        cards(&world),
        ["📞 <b>Позвоните клиенту</b>\n\
          Напоминание: завтра, 24 августа, в 14:30 · Бари\n\
          Вера\n\
          Сообщение не ушло: нет телефона."]
    );
    assert_eq!(
        world.decisions(),
        [
            "created|suppressed|no_phone",
            "reminder|suppressed|no_phone"
        ]
    );
}

#[tokio::test]
async fn in_a_dry_run_the_reminder_is_recorded_as_it_would_have_been_sent() {
    let world = World::watching_with("dry_run = true", DAY_AND_OWNER).await;
    world.salon.book(haircut(START));
    world.tell().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(cards(&world), [""; 0]);
    let row = world.rows(
        "SELECT status, reason, substr(message, 1, 10) FROM booking_notifications WHERE kind = 'reminder'",
    );
    assert_eq!(row, ["suppressed|test_mode|⏰ *Ждём ва"]);
}

#[tokio::test]
async fn a_quiet_marker_silences_the_reminder() {
    let world = World::watching_with(r##"quiet_markers = ["#тихо"]"##, DAY).await;
    world.salon.book(haircut(START).comment("#тихо"));
    world.tell().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(world.decisions()[1], "reminder|suppressed|quiet_marker");
}

#[tokio::test]
async fn a_pause_keeps_a_reminder_and_midnight_ends_it() {
    let now = instant("2026-08-23T14:00:00");
    let everybody = Selector {
        company: None,
        staff: None,
        phone: None,
    };
    for (hours, sent) in [(2, 1), (11, 0)] {
        let (world, _) = told_of(DAY, START).await;
        until(&world, "2026-08-23T14:00:00");
        let pause = Pause {
            of: everybody.clone(),
            until: Some(now + TimeDelta::hours(hours)),
        };
        orders::pause(&world.sql(), &pause, now).unwrap();
        turn_at(&world, "2026-08-23T14:30:00").await;
        assert_eq!(reminders(&world), [""; 0]);
        turn_at(&world, "2026-08-23T16:00:00").await;
        turn_at(&world, "2026-08-24T01:00:00").await;
        assert_eq!(reminders(&world).len(), sent);
        let left = ["reminder|suppressed|expired", "reminder|sent|"][sent];
        assert_eq!(world.decisions()[1], left);
    }
}

#[tokio::test]
async fn a_later_reminder_takes_the_place_of_one_that_still_waits() {
    let rest = r#"notify = { reminders = ["4h", "2h"] }"#;
    let (world, _) = told_of(rest, START).await;
    world.green.set_state("notAuthorized");
    world.green.answer_next(Answer::http(401, "{}"));
    turn_at(&world, "2026-08-24T10:30:00").await;
    turn_at(&world, "2026-08-24T12:30:00").await;
    world.green.set_state("authorized");
    turn_at(&world, "2026-08-24T12:31:00").await;
    assert_eq!(
        heads(&world),
        ["⏰ *Ждём вас сегодня, 24 августа, в 14:30*"]
    );
    assert_eq!(
        world.decisions(),
        [
            "created|sent|",
            "reminder|suppressed|superseded",
            "reminder|sent|"
        ]
    );
}

#[tokio::test]
async fn an_uncertain_reminder_is_not_doubled() {
    let (world, _) = told_of(DAY, START).await;
    world.shut_the_journal();
    until(&world, "2026-08-23T14:30:00");
    world.poll().await;
    world.green.answer_next(Answer::Drop { taken: true });
    world.turn().await;
    world.give_up_searching().await;
    turn_at(&world, "2026-08-23T18:00:00").await;
    turn_at(&world, "2026-08-24T12:00:00").await;
    assert_eq!(reminders(&world).len(), 1);
    assert_eq!(world.decisions()[1], "reminder|uncertain|");
}

/// Its reminder waits for the morning, when somebody is at the journal again.
async fn waiting_for_the_morning() -> (World, i64) {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, DAY).await;
    let record = world.salon.book(haircut("2026-08-24T22:00:00"));
    world.tell().await;
    turn_at(&world, "2026-08-23T22:00:00").await;
    assert_eq!(world.decisions()[1], "reminder|pending|");
    (world, record)
}

#[tokio::test]
async fn what_goes_and_comes_back_while_its_reminder_waits_is_reminded_of() {
    let (world, record) = waiting_for_the_morning().await;
    until(&world, "2026-08-24T08:59:55");
    world
        .salon
        .reschedule(SALON, record, at("2026-08-24T20:00:00"));
    world.poll().await;
    world.turn().await;
    turn_at(&world, "2026-08-24T09:00:05").await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-24T22:00:00"));
    world.tell().await;
    assert_eq!(
        heads(&world),
        ["⏰ *Ждём вас сегодня, 24 августа, в 22:00*"]
    );
    assert_eq!(world.told().len(), 2, "{:?}", world.told());
}

#[tokio::test]
async fn what_moves_or_goes_while_its_reminder_waits_is_not_reminded_of() {
    for is_cancelled in [false, true] {
        let (world, record) = waiting_for_the_morning().await;
        until(&world, "2026-08-24T08:59:55");
        match is_cancelled {
            true => world.salon.cancel(SALON, record),
            false => world
                .salon
                .reschedule(SALON, record, at("2026-08-24T20:00:00")),
        }
        world.poll().await;
        for _ in 0..4 {
            world.advance("31s");
            world.turn().await;
        }
        assert_eq!(heads(&world), [""; 0]);
        assert_eq!(world.told().len(), 2, "{:?}", world.told());
        assert!(
            world
                .decisions()
                .contains(&"reminder|suppressed|superseded".to_owned())
        );
    }
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_asks_nobody_to_call_about_what_went_meanwhile() {
    let rest = r#"notify = { updated = false, cancelled = false, reminders = ["24h"] }
        owner = [{ channel = "telegram", to = "500", events = [] }]"#;
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, rest).await;
    let record = world.salon.book(haircut("2026-08-24T22:00:00"));
    world.tell().await;
    turn_at(&world, "2026-08-23T22:00:00").await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    until(&world, "2026-08-24T09:00:00");
    let fault = Fault::Status(500, "{}".into());
    world.salon.set_fault(Route::Records, Some(fault));
    world.turn().await;
    assert_eq!(reminders(&world), [""; 0]);
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn who_is_to_be_called_about_a_visit_that_moved_meanwhile_is_named() {
    let rest = r#"notify = { reminders = ["24h"] }
        owner = [{ channel = "telegram", to = "500", events = [] }]"#;
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, rest).await;
    let record = world.salon.book(haircut("2026-08-24T22:00:00"));
    world.tell().await;
    turn_at(&world, "2026-08-23T22:00:00").await;
    until(&world, "2026-08-24T06:00:00");
    let later = at("2026-08-29T22:00:00");
    world.salon.reschedule(SALON, record, later);
    world.tell().await;
    let fault = Fault::Status(500, "{}".into());
    world.salon.set_fault(Route::Records, Some(fault));
    until(&world, "2026-08-24T09:00:05");
    world.turn().await;
    let cards = cards(&world);
    assert!(!cards.is_empty());
    assert!(
        cards.iter().all(|card| card.contains("+7 900")),
        "{cards:?}"
    );
}

#[tokio::test]
async fn a_booking_that_was_off_at_its_moment_and_is_on_again_untold_is_reminded_of() {
    // More at once than is believed: nobody is told, and it was a mistake.
    let world = World::watching_with("per_client_per_hour = 0", DAY).await;
    let draft = |n: u32| haircut(START).client("Анна", &format!("+790000000{n:02}"));
    let records: Vec<i64> = (0..8).map(|n| world.salon.book(draft(n))).collect();
    world.tell().await;
    turn_at(&world, "2026-08-23T14:00:00").await;
    for record in &records {
        world.salon.cancel(SALON, *record);
    }
    world.tell().await;
    turn_at(&world, "2026-08-23T15:00:00").await;
    assert_eq!(world.told().len(), 8);
    for record in &records {
        world.salon.restore(SALON, *record);
    }
    world.tell().await;
    assert_eq!(
        heads(&world),
        vec!["⏰ *Ждём вас завтра, 24 августа, в 14:30*"; 8]
    );
    turn_at(&world, "2026-08-23T20:00:00").await;
    assert_eq!(world.told().len(), 16);
}

#[tokio::test]
async fn a_booking_that_was_off_in_the_copy_that_is_restored_is_reminded_of_once() {
    let (mut world, record) = told_of(DAY, START).await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    let copy = world.folder.path().join("copy.db");
    store::backup(&world.database(), &copy).unwrap();
    world.salon.restore(SALON, record);
    world.tell().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(reminders(&world).len(), 1);
    end(&mut world).await;
    store::restore(&world.database(), &copy).unwrap();
    world.start().await;
    world.advance("5m");
    world.poll().await;
    world.turn().await;
    assert_eq!(reminders(&world).len(), 1, "{:?}", states(&world));
}

#[tokio::test]
async fn a_restart_between_any_two_steps_reminds_once() {
    let (mut world, _) = told_of(DAY, START).await;
    world.restart().await;
    until(&world, "2026-08-23T14:30:00");
    world.poll().await;
    world.settle().await;
    world.restart().await;
    world.settle().await;
    world.restart().await;
    world.turn().await;
    world.restart().await;
    world.poll().await;
    world.turn().await;
    assert_eq!(reminders(&world).len(), 1);
}

#[tokio::test]
async fn a_reminder_states_the_booking_whole_so_what_was_uncertain_is_known_after_it() {
    let world = World::watching_with("", DAY).await;
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: true });
    let record = world.salon.book(haircut(START));
    world.tell().await;
    world.give_up_searching().await;
    assert_eq!(world.decisions(), ["created|uncertain|"]);
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(world.decisions()[1], "reminder|sent|");
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(
        world.told().last().unwrap().lines().next(),
        Some("❌ *Запись отменена*")
    );
}

#[tokio::test]
async fn each_salon_reminds_by_its_own_clock() {
    let rest = r#"notify = { reminders = ["18:00 -1d"] }
        [[companies]]
        id = 222222
        channels = ["whatsapp"]
        notify = { reminders = ["18:00 -1d"] }"#;
    let world = World::with("", rest).await;
    world.salon.add_company(
        222_222,
        "Восток",
        "Владивосток",
        "Asia/Vladivostok".parse::<Zone>().unwrap(),
    );
    world.poll().await;
    world.poll_of(222_222).await;
    world.salon.book(haircut(START));
    let draft = BookingDraft::new(222_222, at(START));
    world.salon.book(
        draft
            .client("Борис", "+79000000002")
            .staff(7, "Олег")
            .service(45, "СТРИЖКА", 2000, 0),
    );
    world.poll_of(222_222).await;
    world.tell().await;
    // Six in the evening in Vladivostok is eleven in the morning in Moscow.
    until(&world, "2026-08-23T11:00:00");
    world.poll_of(222_222).await;
    turn_at(&world, "2026-08-23T11:00:00").await;
    assert_eq!(reminders(&world).len(), 1);
    assert!(reminders(&world)[0].contains("Олег"));
    world.poll_of(222_222).await;
    turn_at(&world, "2026-08-23T18:00:00").await;
    assert_eq!(reminders(&world).len(), 2);
}

#[tokio::test]
async fn in_the_night_of_the_longer_day_a_reminder_counts_hours_that_pass() {
    let world = World::with(
        "",
        "timezone = \"Europe/Berlin\"\nnotify = { reminders = [\"24h\"] }",
    )
    .await;
    world.poll().await;
    world.salon.book(haircut("2026-10-25T12:00:00"));
    world.tell().await;
    assert_eq!(
        world.rows("SELECT due_at FROM reminders"),
        ["2026-10-24T11:00:00.000Z"]
    );
}

#[tokio::test]
async fn after_a_restored_backup_what_may_have_been_sent_since_is_not_sent_again() {
    let (mut world, _) = told_of(DAY, START).await;
    world.salon.book(haircut("2026-08-28T10:00:00"));
    world.tell().await;
    let backup = world.folder.path().join("backup.db");
    store::backup(&world.database(), &backup).unwrap();
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(reminders(&world).len(), 1);
    end(&mut world).await;
    store::restore(&world.database(), &backup).unwrap();
    world.start().await;
    world.poll().await;
    world.turn().await;
    assert_eq!(reminders(&world).len(), 1);
    turn_at(&world, "2026-08-27T10:00:00").await;
    assert_eq!(reminders(&world).len(), 2);
}

#[tokio::test]
async fn a_forgotten_client_is_reminded_of_nothing_and_no_row_names_them() {
    let (mut world, _) = told_of(DAY_AND_OWNER, START).await;
    end(&mut world).await;
    let phone = Phone::parse(PHONE, "RU").unwrap();
    store::forget(&world.database(), &phone, world.clock.now()).unwrap();
    assert_eq!(
        world.rows("SELECT count(*) FROM reminders WHERE phone <> ''"),
        ["0"]
    );
    world.start().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(reminders(&world), [""; 0]);
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn what_is_pruned_takes_its_reminders_along() {
    let (world, _) = told_of(DAY, START).await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    let conn = world.sql();
    let later = instant(START) + TimeDelta::days(400);
    while !store::prune::older_than(&conn, later).unwrap().is_nothing() {}
    assert_eq!(world.rows("SELECT count(*) FROM reminders"), ["0"]);
}

#[tokio::test]
async fn a_visit_after_midnight_is_tomorrow_s_a_day_before() {
    let (world, _) = told_of(DAY, "2026-08-24T00:30:00").await;
    turn_at(&world, "2026-08-23T00:30:00").await;
    assert_eq!(heads(&world), ["⏰ *Ждём вас завтра, 24 августа, в 00:30*"]);
}

#[tokio::test]
async fn a_quiet_booking_silences_itself_and_not_the_others_of_the_day() {
    let world = World::watching_with(r##"quiet_markers = ["#тихо"]"##, DAY).await;
    world.salon.book(haircut(START).comment("#тихо"));
    world.salon.book(haircut("2026-08-24T18:00:00"));
    world.tell().await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    assert_eq!(reminders(&world), [""; 0]);
    turn_at(&world, "2026-08-23T18:00:00").await;
    assert_eq!(heads(&world), ["⏰ *Ждём вас завтра, 24 августа, в 18:00*"]);
    assert_eq!(
        world.decisions()[2..],
        ["reminder|suppressed|quiet_marker", "reminder|sent|"]
    );
}

#[tokio::test]
async fn while_numbers_are_hidden_nobody_is_asked_to_call_everybody() {
    let world = World::with("", DAY_AND_OWNER).await;
    world.salon.hide_phones(SALON);
    for hour in 10..14 {
        let phone = format!("+790000000{hour}");
        world
            .salon
            .book(haircut(&format!("2026-08-24T{hour}:00:00")).client("Анна", &phone));
    }
    world.poll().await;
    turn_at(&world, "2026-08-23T15:00:00").await;
    assert_eq!(cards(&world), [""; 0]);
    assert_eq!(states(&world), ["24h|dropped|unseen"; 4]);
}

#[tokio::test]
async fn who_was_reminded_at_a_wrong_number_hears_that_it_was_a_mistake() {
    let (world, record) = told_of(DAY, START).await;
    turn_at(&world, "2026-08-23T14:30:00").await;
    world.advance("10m");
    world.salon.edit(SALON, record, |row| {
        row["client"]["phone"] = "+79000000002".into();
    });
    world.tell().await;
    let to_first: Vec<String> = world
        .green
        .sent()
        .into_iter()
        .filter(|s| s.chat == "79000000001@c.us")
        .map(|s| s.text)
        .collect();
    assert_eq!(
        to_first.last().unwrap(),
        "Сообщение о записи на 24 августа в 14:30 пришло на этот номер по ошибке. \
         Делать ничего не нужно, простите за беспокойство 🙏"
    );
}

#[tokio::test]
async fn a_reminder_that_no_channel_takes_is_a_call() {
    let (world, _) = told_of(DAY_AND_OWNER, START).await;
    until(&world, "2026-08-23T14:30:00");
    world.poll().await;
    let refused = r#"{"message":"Validation failed"}"#;
    world.green.answer_next(Answer::http(400, refused));
    world.turn().await;
    assert_eq!(world.decisions()[1], "reminder|dead|");
    assert_eq!(
        cards(&world),
        ["📞 <b>Позвоните клиенту</b>\n\
          Напоминание: завтра, 24 августа, в 14:30 · Бари\n\
          Анна, +7 900 000-00-01\n\
          Сообщение не дошло."]
    );
}

#[tokio::test]
async fn a_booking_that_the_last_comparison_lacks_is_a_call_and_no_reminder() {
    let world = World::watching_with("", DAY_AND_OWNER).await;
    world.salon.book(haircut(START));
    world
        .salon
        .book(haircut("2026-09-24T14:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    until(&world, "2026-08-23T14:00:00");
    world.salon.hide_staff(SALON, 5);
    world.poll().await;
    world.turn().await;
    for _ in 0..26 {
        world.advance("2m");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(reminders(&world), [""; 0]);
    assert_eq!(world.decisions()[2], "reminder|suppressed|stale");
    assert_eq!(cards(&world).len(), 1);
}

#[tokio::test]
async fn a_late_failure_of_a_message_unsays_nothing_that_a_reminder_told_since() {
    let (world, record) = told_of(DAY, START).await;
    turn_at(&world, "2026-08-23T14:30:01").await;
    assert_eq!(reminders(&world).len(), 1);
    let sent = world.green.sent();
    world.green.push_status(&sent[1].id, "read");
    world.green.push_status(&sent[0].id, "failed");
    world.receive().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 3, "{:?}", world.decisions());
    assert!(told[2].starts_with("❌ *Запись отменена*"), "{}", told[2]);
}
