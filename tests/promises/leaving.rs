//! What leaves is true when it leaves, and what never leaves stays to be told.

use crate::support::dialogue::*;
use crate::support::fake::Answer;
use crate::support::world::{PHONE, SALON, World, at, haircut};
use booking_monitor::demo::salon::{BookingDraft, Route};
use booking_monitor::domain::zone::Zone;
use booking_monitor::ports::Clock as _;

/// The next message waits for an hour, and so does everything behind it.
fn block_for_an_hour(world: &World) {
    let answer = Answer::http(429, "Too Many Requests").with_header("Retry-After", "3600");
    world.green.answer_next(answer);
}

/// A client whose "1" stands in the journal, and to whom the answer leaves in an hour.
async fn unanswered(starts: &[&str]) -> (World, Vec<i64>) {
    let (world, records) = told_of(WRITES, starts).await;
    remind(&world, records[0]);
    block_for_an_hour(&world);
    say(&world, PHONE, "1").await;
    (world, records)
}

/// The turn of the answer comes, and then that of what is seen in the journal only now.
async fn an_hour_later(world: &World) {
    world.advance("1h");
    world.turn().await;
    world.advance("31s");
    world.turn().await;
}

fn replies(world: &World) -> Vec<String> {
    world.rows(
        "SELECT status, coalesce(reason, '') FROM booking_notifications WHERE kind = 'reply'
          ORDER BY id",
    )
}

fn cards(world: &World) -> Vec<String> {
    let mut told = world.owner_told();
    told.retain(|text| text.contains("ответ до клиента не дошёл"));
    told
}

#[tokio::test]
async fn nobody_is_awaited_at_a_booking_that_was_taken_off_meanwhile() {
    let (world, records) = unanswered(ONE).await;
    assert_eq!(journal(&world, &records), "confirmed");
    // The salon takes it off while the answer waits, and nobody polls before its turn comes.
    world.salon.cancel(SALON, records[0]);
    an_hour_later(&world).await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("❌"), "{told:?}");
    assert_eq!(replies(&world), ["suppressed|superseded"]);
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn nobody_is_awaited_at_the_time_that_a_booking_was_moved_from() {
    let (world, records) = unanswered(ONE).await;
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-22T16:00:00"));
    an_hour_later(&world).await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("🔄"), "{told:?}");
    assert_eq!(replies(&world), ["suppressed|superseded"]);
}

#[tokio::test]
async fn nobody_is_awaited_at_a_visit_that_has_begun_and_the_owner_reads_who_was_not_answered() {
    let (world, _) = unanswered(&["2026-08-20T12:45:00"]).await;
    world.advance("1h");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(replies(&world), ["suppressed|past"]);
    let cards = cards(&world);
    assert_eq!(cards.len(), 1, "{cards:?}");
    assert!(
        cards[0].contains("Анна, +7 900 000-00-01") && cards[0].contains(CONFIRMED),
        "{cards:?}"
    );
}

#[tokio::test]
async fn what_is_still_true_an_hour_later_is_said() {
    let (world, _) = unanswered(ONE).await;
    world.advance("1h");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told(), [CONFIRMED]);
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn a_list_of_bookings_that_changed_meanwhile_is_not_asked_about() {
    let (world, records) = told_of(CANCELS, TWO).await;
    block_for_an_hour(&world);
    say(&world, PHONE, "отмена").await;
    world
        .salon
        .reschedule(SALON, records[1], at("2026-08-24T16:00:00"));
    an_hour_later(&world).await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("🔄"), "{told:?}");
    // They asked for something, and nobody answered.
    assert_eq!(cards(&world).len(), 1, "{:?}", world.owner_told());
}

#[tokio::test]
async fn an_answer_that_no_journal_proves_is_too_old_in_an_hour() {
    let (world, _) = told_of(CANCELS, ONE).await;
    block_for_an_hour(&world);
    say(&world, PHONE, "перенести").await;
    world.advance("1h");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(replies(&world), ["suppressed|expired"]);
    let cards = cards(&world);
    assert_eq!(cards.len(), 1, "{cards:?}");
    assert!(cards[0].contains(HANDED_ON), "{cards:?}");
}

#[tokio::test]
async fn a_cancellation_whose_answer_is_never_taken_is_told_like_any_other() {
    let (world, records) = told_of(CANCELS, ONE).await;
    world
        .green
        .answer_next(Answer::http(400, "Validation failed"));
    say(&world, PHONE, "отмена").await;
    assert_eq!(journal(&world, &records), "off");
    assert_eq!(replies(&world), ["dead|"]);
    assert_eq!(world.told(), [""; 0]);
    world.tell().await;
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("❌"), "{told:?}");
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn a_cancellation_whose_answer_died_of_age_is_told_like_any_other() {
    let (mut world, records) = told_of(CANCELS, &["2026-08-25T14:30:00"]).await;
    world.green.set_state("notAuthorized");
    // What the gateway said of itself a moment ago counts no more.
    world.restart().await;
    say(&world, PHONE, "отмена").await;
    world.tell().await;
    assert_eq!(journal(&world, &records), "off");
    world.advance("25h");
    world.green.set_state("authorized");
    world.poll().await;
    world.turn().await;
    world.turn().await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("❌"), "{told:?}");
    assert_eq!(replies(&world), ["dead|"]);
    world.tell().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_cancellation_whose_answer_may_have_arrived_is_not_told_again() {
    let (world, _) = told_of(CANCELS, ONE).await;
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: true });
    say(&world, PHONE, "отмена").await;
    world.give_up_searching().await;
    assert_eq!(replies(&world), ["uncertain|"]);
    assert_eq!(world.told(), [CALLED_OFF]);
}

#[tokio::test]
async fn a_yes_whose_answer_is_never_taken_is_the_owners_to_answer() {
    let (world, records) = told_of(WRITES, ONE).await;
    remind(&world, records[0]);
    world
        .green
        .answer_next(Answer::http(400, "Validation failed"));
    say(&world, PHONE, "1").await;
    world.tell().await;
    world.tell().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(cards(&world).len(), 1, "{:?}", world.owner_told());
}

/// The owner has the answer that no channel took sent again.
async fn send_again(world: &World) {
    let dead = "SELECT id FROM booking_notifications WHERE kind = 'reply' AND status = 'dead'";
    let order = format!("/retry {}", world.rows(dead)[0]);
    world.telegram.push_text(500, &order);
    world.receive().await;
    world.deliver().await;
}

#[tokio::test]
async fn an_answer_that_is_sent_again_is_known_like_any_other() {
    let (world, records) = told_of(CANCELS, ONE).await;
    world
        .green
        .answer_next(Answer::http(400, "Validation failed"));
    say(&world, PHONE, "отмена").await;
    assert_eq!(replies(&world), ["dead|"]);
    send_again(&world).await;
    assert_eq!(replies(&world), ["sent|"]);
    world.tell().await;
    world.tell().await;
    assert_eq!(world.told(), [CALLED_OFF]);
    // What happens later is told from there.
    world.salon.restore(SALON, records[0]);
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].starts_with("✅ *Ваша запись снова в силе*"),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_answer_that_is_sent_again_and_may_have_arrived_leaves_a_doubt() {
    let (world, _) = told_of(CANCELS, ONE).await;
    world
        .green
        .answer_next(Answer::http(400, "Validation failed"));
    say(&world, PHONE, "отмена").await;
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: true });
    send_again(&world).await;
    world.give_up_searching().await;
    assert_eq!(replies(&world), ["uncertain|"]);
    // Whether they know it nobody can tell, so they are told.
    let told = world.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("❌"), "{told:?}");
}

#[tokio::test]
async fn what_something_else_told_meanwhile_is_not_answered_once_more() {
    let (world, _) = told_of(CANCELS, ONE).await;
    world
        .green
        .answer_next(Answer::http(400, "Validation failed"));
    say(&world, PHONE, "отмена").await;
    world.tell().await;
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("❌"), "{told:?}");
    send_again(&world).await;
    assert_eq!(world.told(), told);
    assert_eq!(replies(&world), ["suppressed|superseded"]);
    assert_eq!(cards(&world), [""; 0]);
}

#[tokio::test]
async fn what_something_else_told_before_its_answer_died_is_not_answered_once_more() {
    let (world, _) = told_of(CANCELS, ONE).await;
    block_for_an_hour(&world);
    say(&world, PHONE, "отмена").await;
    assert_eq!(replies(&world), ["pending|"]);
    world.advance("30m");
    // As a message on another channel does.
    let now = world.clock.now();
    let now = now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let told = "UPDATE known SET told_at = ?1";
    assert_eq!(world.sql().execute(told, [now]).unwrap(), 1);
    world.advance("30m");
    world
        .green
        .answer_next(Answer::http(400, "Validation failed"));
    world.poll().await;
    world.turn().await;
    assert_eq!(replies(&world), ["dead|"]);
    send_again(&world).await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(replies(&world), ["suppressed|superseded"]);
    assert_eq!(cards(&world), [""; 0]);
}

const BRANCH: i64 = 222_222;

/// Two salons share a bot; its answer to a shared contact, with a booking at the second, waits for an hour.
async fn linked_at_a_branch() -> (World, i64) {
    let rest = format!("[[companies]]\nid = {BRANCH}\nchannels = [\"telegram\"]");
    let mut world = World::with("", &rest).await;
    world.config.companies[0].channels = vec!["telegram".into()];
    world.restart().await;
    world
        .salon
        .add_company(BRANCH, "Томилино", "Томилино", Zone::moscow());
    world.poll().await;
    let mut draft = haircut("2026-08-21T14:30:00");
    draft.company = BRANCH;
    let record = world.salon.book(draft);
    world.poll_of(BRANCH).await;
    let shut = r#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":3590}}"#;
    world.telegram.answer_next(Answer::http(429, shut));
    world.telegram.push_contact(900, PHONE, Some(900));
    world.receive().await;
    world.deliver().await;
    assert_eq!(replies(&world), ["pending|"]);
    (world, record)
}

fn in_the_bot(world: &World) -> Vec<String> {
    let mut sent = world.telegram.sent();
    sent.retain(|sent| sent.chat == "900");
    sent.into_iter().map(|sent| sent.text).collect()
}

#[tokio::test]
async fn an_answer_about_another_salons_booking_is_compared_with_that_salons_journal() {
    let (world, record) = linked_at_a_branch().await;
    world.salon.cancel(BRANCH, record);
    world.advance("1h");
    world.deliver().await;
    assert_eq!(in_the_bot(&world), [""; 0]);
    assert_eq!(replies(&world), ["suppressed|superseded"]);
}

#[tokio::test]
async fn an_answer_waits_for_no_journal_but_that_of_its_booking() {
    let (world, _) = linked_at_a_branch().await;
    world.salon.forbid(SALON, true);
    world.advance("1h");
    world.deliver().await;
    assert_eq!(in_the_bot(&world), [LINKED]);
}

#[tokio::test]
async fn an_answer_waits_for_the_journal_of_its_booking() {
    let (world, _) = linked_at_a_branch().await;
    world.salon.forbid(BRANCH, true);
    world.advance("1h");
    world.poll().await;
    world.deliver().await;
    assert_eq!(in_the_bot(&world), [""; 0]);
    assert_eq!(replies(&world), ["pending|"]);
}

const LINKED: &str = "Готово ✅\n\n📅 21 августа в 14:30\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари";

#[tokio::test]
async fn an_answer_about_a_salon_that_is_watched_no_more_keeps_no_other_waiting() {
    let (mut world, _) = linked_at_a_branch().await;
    world.config.companies.truncate(1);
    world.restart().await;
    world.advance("1h");
    world.telegram.push_text(900, "стоп");
    world.receive().await;
    world.turn().await;
    // No journal says that it is still so.
    assert_eq!(in_the_bot(&world), [STOPPED]);
    assert_eq!(replies(&world), ["suppressed|expired", "sent|"]);
}

#[tokio::test]
async fn an_answer_whose_journal_cannot_be_read_for_a_day_comes_back_to_the_owner() {
    let (world, _) = unanswered(&["2026-08-25T14:30:00"]).await;
    world.salon.forbid(SALON, true);
    world.advance("23h");
    world.turn().await;
    assert_eq!(replies(&world), ["pending|"]);
    assert_eq!(cards(&world), [""; 0]);
    world.advance("2h");
    world.turn().await;
    world.turn().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(replies(&world), ["dead|"]);
    let cards = cards(&world);
    assert_eq!(cards.len(), 1, "{cards:?}");
    assert!(cards[0].contains(CONFIRMED), "{cards:?}");
}

#[tokio::test]
async fn an_answer_is_given_up_although_copies_wait_beside_it() {
    let (world, _) = unanswered(&["2026-08-25T14:30:00"]).await;
    for (name, phone) in [("Борис", "+79000000002"), ("Вера", "+79000000003")] {
        let booked = haircut("2026-08-26T14:30:00").client(name, phone);
        world.salon.book(booked);
    }
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    world.salon.forbid(SALON, true);
    let later = Answer::http(429, "Too Many Requests").with_header("Retry-After", "100000");
    world.telegram.answer_next(later);
    world.advance("23h");
    world.turn().await;
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE phone = '' AND kind <> 'reply' AND status = 'pending'"),
        ["3"]
    );
    world.advance("2h");
    world.turn().await;
    assert_eq!(replies(&world), ["dead|"]);
}

/// A world that asks who wrote before it tells of a new booking: by that a test sees a message on its way.
async fn asking() -> World {
    let mut world = World::with("recent_activity = \"10m\"", OWNED).await;
    for channel in &mut world.config.channels {
        if let booking_monitor::channels::Kind::GreenApi(green) = &mut channel.kind {
            green.common.receive = false;
        }
    }
    world.restart().await;
    world.poll().await;
    world
}

#[tokio::test]
async fn what_waited_for_its_turn_leaves_only_after_another_look() {
    let world = asking().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    world.poll().await;
    // Somebody else writes: the message stands before its intent until they are done.
    let other = world.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let meanwhile = async {
        world
            .green
            .wait_for_requests("lastIncomingMessages", 1)
            .await;
        world.salon.cancel(SALON, record);
        world.advance("60s");
        other.execute_batch("COMMIT").unwrap();
    };
    tokio::join!(world.deliver(), meanwhile);
    assert_eq!(world.told(), [""; 0]);
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(world.decisions(), ["created|suppressed|unchanged"]);
}

#[tokio::test]
async fn one_look_serves_all_who_waited_too_long_for_their_turn() {
    let world = asking().await;
    for minute in 10..18 {
        let phone = format!("+790000000{minute}");
        let start = format!("2026-08-21T14:{minute}:00");
        world.salon.book(haircut(&start).client("Вера", &phone));
    }
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    world.poll().await;
    let polls = world.salon.asked(Route::Records);
    let other = world.sql();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let meanwhile = async {
        world
            .green
            .wait_for_requests("lastIncomingMessages", 1)
            .await;
        world.advance("60s");
        other.execute_batch("COMMIT").unwrap();
    };
    tokio::join!(world.deliver(), meanwhile);
    assert_eq!(world.told().len(), 8);
    assert_eq!(world.salon.asked(Route::Records), polls + 1);
}

#[tokio::test]
async fn copies_about_a_company_that_is_watched_no_more_keep_nobodys_place() {
    let mut world = World::watching_with("", OWNED).await;
    let gone =
        "INSERT INTO booking_notifications (company_id, record_id, visit_id, unit, kind, phone,
                    recipient, channel, status, message, frozen, told, first_change_at, changed_at,
                    due_at, created_at)
                VALUES (222222, 1, 0, '', 'owner', '', '7' || ?1, 'whatsapp', 'pending', '', 0,
                        '{}', ?2, ?2, ?2, ?2)";
    for n in 0..70 {
        let added = world.sql().execute(gone, (n, "2026-08-20T08:59:00.000Z"));
        assert_eq!(added.unwrap(), 1);
    }
    world.restart().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn reminders_that_came_to_nothing_keep_no_other_waiting() {
    let world = World::watching_with("", "notify = { reminders = [\"24h\"] }").await;
    let record = world.salon.book(haircut("2026-08-22T15:00:00"));
    world.tell().await;
    world.green.forget_sent();
    // So many that are due before it, of bookings that nobody knows any more.
    for n in 0..150 {
        let added = world.sql().execute(
            "INSERT INTO reminders (company_id, record_id, phone, start_local, lead, due_at, state, changed_at)
             VALUES (?1, ?2, '+79000000009', '2026-08-21T14:00:00', '24h',
                     '2026-08-20T11:00:00.000Z', 'planned', '2026-08-20T09:00:00.000Z')",
            (SALON, 900_000 + n),
        );
        assert_eq!(added.unwrap(), 1);
    }
    world.advance("27h");
    world.poll().await;
    world.settle().await;
    let made = format!("SELECT state FROM reminders WHERE record_id = {record}");
    assert_eq!(world.rows(&made), ["made"]);
}

const BLIND: &str = "SELECT status, attempts FROM booking_notifications
                      WHERE kind IN ('owner', 'alert') ORDER BY id";

#[tokio::test]
async fn a_copy_that_may_have_arrived_is_repeated_once() {
    let world = World::watching_with("", OWNED).await;
    for _ in 0..9 {
        world.telegram.answer_next(Answer::Drop { taken: true });
    }
    world
        .salon
        .book(haircut("2026-08-21T14:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    for _ in 0..10 {
        world.advance("6m");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.rows(BLIND)[0], "uncertain|2");
    let mut copies = world.owner_told();
    copies.retain(|text| text.starts_with("🆕"));
    assert_eq!(copies.len(), 2, "{copies:?}");
}

#[tokio::test]
async fn an_alert_that_may_have_arrived_is_repeated_twice() {
    let world = World::watching_with("", OWNED).await;
    for _ in 0..9 {
        world.telegram.answer_next(Answer::Drop { taken: true });
    }
    world.salon.forbid(SALON, true);
    world.poll_of(SALON).await;
    for _ in 0..10 {
        world.turn().await;
        world.advance("6m");
    }
    assert_eq!(world.rows(BLIND), ["uncertain|3"]);
    assert_eq!(world.owner_told().len(), 3);
}

#[tokio::test]
async fn who_cannot_be_written_to_any_more_is_called() {
    let mut world = World::watching_with("", OWNED).await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    // The salon gives its WhatsApp up for a bot that this client never opened.
    let path = world.folder.path().join("booking-monitor.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let begin = text.find("[channels.whatsapp]").unwrap();
    let end = text.find("[channels.telegram]").unwrap();
    let text = format!("{}{}", &text[..begin], &text[end..]);
    let text = text.replace("[\"whatsapp\"]", "[\"telegram\"]");
    world.config = crate::support::world::parse(&path, &text);
    world.restart().await;
    world.poll().await;
    world.turn().await;
    assert_eq!(world.decisions(), ["created|suppressed|no_channel"]);
    let told = world.owner_told();
    let called = |t: &String| t.contains("+7 900 000-00-01") && t.contains("Позвоните клиенту");
    assert!(told.iter().any(called), "{told:?}");
}

#[tokio::test]
async fn a_salon_that_is_new_on_a_channel_keeps_the_silence_that_was_asked_for_there() {
    let mut world = World::watching_with("", OWNED).await;
    say(&world, PHONE, "СТОП").await;
    const NEW: i64 = 222_222;
    world
        .salon
        .add_company(NEW, "Томилино", "Томилино", Zone::moscow());
    let path = world.folder.path().join("booking-monitor.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = format!("{text}\n[[companies]]\nid = {NEW}\nchannels = [\"whatsapp\"]\n");
    world.config = crate::support::world::parse(&path, &more);
    world.restart().await;
    world.poll_of(NEW).await;
    let draft = BookingDraft::new(NEW, at("2026-08-21T14:30:00")).client("Анна", PHONE);
    world
        .salon
        .book(draft.service(45, "МУЖСКАЯ СТРИЖКА", 2000, 50));
    world.poll_of(NEW).await;
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told(), [STOPPED]);
    // A word to begin again is for all of them.
    say(&world, PHONE, "СТАРТ").await;
    assert_eq!(world.rows("SELECT count(*) FROM opt_outs"), ["0"]);
}

/// The salon writes over these channels, and the client has its bot.
async fn open_a_bot(world: &mut World, channels: &[&str]) {
    world.write_over(channels).await;
    world.poll().await;
    world
        .sql()
        .execute(
            "INSERT INTO contacts (phone, channel, chat_id) VALUES (?1, 'telegram', '900')",
            [PHONE],
        )
        .unwrap();
}

#[tokio::test]
async fn what_may_have_arrived_is_sent_again_twice_and_no_more_where_the_configuration_says_so() {
    let mut world = World::with("on_uncertain = \"resend\"", OWNED).await;
    open_a_bot(&mut world, &["telegram"]).await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    for _ in 0..20 {
        world.telegram.answer_next(Answer::Drop { taken: true });
    }
    world.advance("31s");
    for _ in 0..10 {
        world.turn().await;
        world.advance("6m");
        world.poll().await;
    }
    let mut told = world.telegram.sent();
    told.retain(|sent| sent.chat == "900");
    assert_eq!(told.len(), 3);
    assert_eq!(world.decisions(), ["created|uncertain|"]);
}

#[tokio::test]
async fn a_channel_that_is_to_wait_for_hours_is_left_for_the_next_one() {
    let mut world = World::new().await;
    open_a_bot(&mut world, &["telegram", "whatsapp"]).await;
    let shut = r#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":7200}}"#;
    world.telegram.answer_next(Answer::http(429, shut));
    world.salon.book(haircut("2026-08-20T13:30:00"));
    world.tell().await;
    world.advance("10s");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(
        world.rows("SELECT channel, outcome FROM delivery_attempts ORDER BY attempt"),
        ["telegram|retry_after", "whatsapp|accepted"]
    );
}

#[tokio::test]
async fn a_client_whose_reminder_was_kept_until_its_day_was_over_is_called() {
    let rest = format!("{OWNED}\nnotify = {{ reminders = [\"24h\"] }}");
    let world = World::watching_with("", &rest).await;
    world.salon.book(haircut("2026-08-21T20:00:00"));
    world.tell().await;
    let shut = Answer::http(429, "Too Many Requests").with_header("Retry-After", "18000");
    world.green.answer_next(shut);
    world.advance("8h");
    world.poll().await;
    world.turn().await;
    world.advance("5h");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(
        world.decisions(),
        ["created|sent|", "reminder|suppressed|expired"]
    );
    let mut told = world.owner_told();
    told.retain(|text| text.contains("Позвоните клиенту"));
    assert_eq!(told.len(), 1, "{told:?}");
}
