//! Never twice, never lost: what a channel answers decides, and every outcome is stored.

use std::sync::Arc;
use std::time::Duration;

use crate::support::fake::Answer;
use crate::support::world::{OWNER, SALON, World, at, haircut};
use booking_monitor::channels::Kind;
use booking_monitor::pipeline::orders;
use booking_monitor::ports::Clock as _;
use tokio::time::Instant;

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500" }]"#;

#[tokio::test]
async fn a_busy_gateway_gets_the_message_again_until_it_takes_it() {
    let world = World::watching().await;
    for _ in 0..3 {
        world.green.answer_next(Answer::http(
            400,
            r#"{"message":"instance in starting process try later"}"#,
        ));
    }
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    for _ in 0..6 {
        world.advance("7s");
        world.turn().await;
    }
    assert_eq!(world.told().len(), 1);
    assert_eq!(
        world.rows("SELECT outcome FROM delivery_attempts ORDER BY attempt"),
        ["retry", "retry", "retry", "accepted"]
    );
}

#[tokio::test]
async fn a_lost_answer_is_uncertain_and_nothing_is_sent_twice() {
    let mut world = World::watching_with("", OWNED).await;
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: true });
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    world.give_up_searching().await;
    assert_eq!(world.decisions(), ["created|uncertain|"]);
    world.restart().await;
    for _ in 0..5 {
        world.advance("10m");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.told().len(), 1);
    let alert = world
        .owner_told()
        .into_iter()
        .find(|t| t.contains("Не знаю, дошло ли"))
        .unwrap();
    assert!(alert.contains('1'), "{alert}");
    // What comes after it states the whole booking and names the row it stands for.
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    assert!(
        world.told()[1].starts_with("🔄 *Запись обновлена*"),
        "{}",
        world.told()[1]
    );
    assert_eq!(
        world.rows("SELECT status, superseded_by IS NOT NULL FROM booking_notifications WHERE kind = 'created'"),
        ["uncertain|1"]
    );
}

#[tokio::test]
async fn an_uncertain_send_goes_again_where_the_configuration_says_so() {
    let world = World::watching_with(r#"on_uncertain = "resend""#, "").await;
    world.shut_the_journal();
    world.green.answer_next(Answer::Drop { taken: false });
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    world.give_up_searching().await;
    assert_eq!(world.told().len(), 1);
    assert!(
        world.told()[0].starts_with("✅ *Вы записаны!*"),
        "{}",
        world.told()[0]
    );
}

#[tokio::test]
async fn what_was_on_its_way_when_the_program_died_is_uncertain_after_the_restart() {
    let mut world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    // The intent was written, then the power went.
    world
        .sql()
        .execute(
            "UPDATE booking_notifications SET status = 'sending', attempts = 1",
            [],
        )
        .unwrap();
    world
        .sql()
        .execute("INSERT INTO delivery_attempts VALUES (1, 1, 'whatsapp', '2026-08-20T09:00:31.000Z', NULL, NULL, NULL)", [])
        .unwrap();
    world.shut_the_journal();
    world.restart().await;
    world.give_up_searching().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(world.decisions(), ["created|uncertain|"]);
    assert_eq!(
        world.rows("SELECT outcome FROM delivery_attempts"),
        ["uncertain"]
    );
}

#[tokio::test]
async fn a_person_the_channel_cannot_reach_is_written_to_on_the_next_one() {
    let mut world = World::new().await;
    world.config.companies[0].channels = vec!["telegram".into(), "whatsapp".into()];
    world.restart().await;
    world.poll().await;
    // The client once linked a chat, and blocked the bot since.
    world
        .sql()
        .execute("INSERT INTO contacts (phone, channel, chat_id) VALUES ('+79000000001', 'telegram', '900')", [])
        .unwrap();
    world.telegram.block("900");
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(
        world.rows("SELECT channel, outcome FROM delivery_attempts ORDER BY attempt"),
        ["telegram|unreachable", "whatsapp|accepted"]
    );
}

#[tokio::test]
async fn a_linked_chat_gets_the_same_words_in_html() {
    let mut world = World::new().await;
    world.config.companies[0].channels = vec!["telegram".into()];
    world.restart().await;
    world.poll().await;
    world.telegram.push_text(900, "/start");
    world.telegram.push_contact(900, "79000000001", Some(900));
    world.receive().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let texts: Vec<String> = world.telegram.sent().into_iter().map(|s| s.text).collect();
    assert_eq!(
        texts[0],
        "Здравствуйте! Это «Малаховка». Буду писать сюда о ваших записях.\nНажмите кнопку, чтобы прислать свой номер."
    );
    assert_eq!(texts[1], "Готово ✅");
    assert_eq!(
        texts[2],
        "✅ <b>Вы записаны!</b>

📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: <s>2000 руб</s> 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38"
    );
}

#[tokio::test]
async fn a_foreign_contact_links_nothing() {
    let mut world = World::new().await;
    world.config.companies[0].channels = vec!["telegram".into()];
    world.restart().await;
    world.poll().await;
    world.telegram.push_contact(900, "79000000001", Some(901));
    world.receive().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(
        world.decisions(),
        ["reply|sent|", "created|suppressed|no_channel"]
    );
}

#[tokio::test]
async fn a_gateway_that_lost_its_phone_is_parked_and_resumes() {
    let world = World::watching_with("", OWNED).await;
    world.green.set_state("notAuthorized");
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(
        world.rows("SELECT name FROM channel_states WHERE down_since IS NOT NULL"),
        ["whatsapp"]
    );
    world.advance("11m");
    world.poll().await;
    world.turn().await;
    assert!(
        world.owner_told().iter().any(|t| t.contains("WhatsApp")),
        "{:?}",
        world.owner_told()
    );
    world.green.set_state("authorized");
    world.advance("11s");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn a_stated_pause_holds_the_whole_channel() {
    let world = World::watching().await;
    world
        .green
        .answer_next(Answer::http(429, "Too Many Requests").with_header("Retry-After", "60"));
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world
        .salon
        .book(haircut("2026-08-21T16:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    assert_eq!(
        world.green.count("sendMessage"),
        1,
        "not one request during the pause"
    );
    world.advance("30s");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 2);
}

#[tokio::test]
async fn receipts_move_a_message_forward_only() {
    let world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let id = world.green.sent()[0].id.clone();
    for status in ["delivered", "read", "delivered", "sent"] {
        world.green.push_status(&id, status);
    }
    world.receive().await;
    assert_eq!(world.decisions(), ["created|read|"]);
    assert_eq!(world.green.deleted().len(), 4);
    assert_eq!(
        world.rows(
            "SELECT delivered_at IS NOT NULL, read_at IS NOT NULL FROM booking_notifications"
        ),
        ["1|1"]
    );
}

#[tokio::test]
async fn a_receipt_that_overtakes_the_answer_is_not_lost() {
    let world = World::watching().await;
    world.green.push_status("3EB0FAKE1", "delivered");
    world.receive().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let id = world.green.sent()[0].id.clone();
    world.green.push_status(&id, "delivered");
    world.receive().await;
    assert_eq!(world.decisions(), ["created|delivered|"]);
    // The same, the other way round.
    world
        .sql()
        .execute(
            "INSERT INTO early_receipts VALUES ('whatsapp', ?1, 'read', NULL, '2026-08-20T09:00:00.000Z')",
            [id.replace('1', "2")],
        )
        .unwrap();
    world.salon.book(haircut("2026-08-21T16:30:00"));
    world.tell().await;
    assert_eq!(world.decisions()[1], "created|read|");
}

#[tokio::test]
async fn a_message_that_turns_out_undelivered_was_not_told() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let id = world.green.sent()[0].id.clone();
    world.green.push_status(&id, "noAccount");
    world.receive().await;
    assert_eq!(world.decisions(), ["created|failed|"]);
    // Nobody is told of the end of something they never heard of.
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn what_a_client_writes_is_kept_once() {
    let world = World::watching().await;
    world.green.push_text("79000000001", "Можно на час позже?");
    world.receive().await;
    assert_eq!(
        world.rows("SELECT channel, direction, phone, text FROM messages"),
        ["whatsapp|inbound|+79000000001|Можно на час позже?"]
    );
    assert_eq!(
        world.rows("SELECT phone, channel FROM contacts"),
        ["+79000000001|whatsapp"]
    );
}

#[tokio::test]
async fn what_a_client_writes_is_handed_to_the_owner_once() {
    let world = World::watching_with("", OWNED).await;
    world
        .green
        .push_text("79000000001", "Можно <b>на час</b> позже?");
    world.receive().await;
    world.turn().await;
    // The foreign tag is text, and what might be read as a link is broken by an invisible joiner.
    assert_eq!(
        world.owner_told(),
        ["💬 Анна, +7 900 000-00-01 · Малаховка: «Можно &lt;b&gt;на час&lt;/\u{2060}b&gt; позже?»"]
    );
}

#[tokio::test]
async fn a_bot_for_owners_tells_a_chat_its_number() {
    let world = World::watching_with("", OWNED).await;
    world.telegram.push_text(900, "/start");
    world.telegram.push_text(500, "/start");
    world.telegram.push_text(500, "а это просто слова");
    world.receive().await;
    world.turn().await;
    let answer = |chat: &str| {
        let sent = world.telegram.sent();
        let texts: Vec<String> = sent
            .iter()
            .filter(|s| s.chat == chat)
            .map(|s| s.text.clone())
            .collect();
        texts
    };
    assert!(
        answer("900")[0].starts_with("Номер этого чата: 900."),
        "{:?}",
        answer("900")
    );
    assert_eq!(
        answer(OWNER),
        [
            "Всё в порядке: копии и предупреждения приходят сюда.",
            "Чтобы ответить клиенту, ответьте на сообщение с его словами, и я передам."
        ]
    );
    // What an owner says is no client's message: only that it was read is kept.
    assert_eq!(
        world.rows("SELECT DISTINCT text FROM messages ORDER BY 1"),
        ["/start", "owner"]
    );
}

#[tokio::test]
async fn messages_to_one_person_leave_in_order() {
    let world = World::watching().await;
    world.green.answer_next(Answer::http(
        400,
        r#"{"message":"instance in starting process try later"}"#,
    ));
    for hour in 10..14 {
        world
            .salon
            .book(haircut(&format!("2026-08-21T{hour}:00:00")));
    }
    world.tell().await;
    for _ in 0..3 {
        world.advance("3s");
        world.turn().await;
    }
    let hours: Vec<String> = world
        .told()
        .iter()
        .map(|t| {
            t.lines()
                .nth(2)
                .unwrap()
                .chars()
                .rev()
                .take(5)
                .collect::<String>()
                .chars()
                .rev()
                .collect()
        })
        .collect();
    assert_eq!(hours, ["10:00", "11:00", "12:00", "13:00"]);
}

#[tokio::test]
async fn the_journal_is_looked_at_before_an_old_decision_is_spoken() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("20s");
    // Cancelled after the last poll; the delay of the confirmation ends before the next one.
    world.salon.cancel(SALON, record);
    world.advance("10s");
    world.turn().await;
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told().len(), 0);
    assert_eq!(world.decisions(), ["created|suppressed|unchanged"]);
}

#[tokio::test]
async fn a_message_waits_while_the_journal_cannot_be_read() {
    use booking_monitor::demo::salon::{Fault, Route};
    let world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world
        .salon
        .set_fault(Route::Records, Some(Fault::Status(500, String::new())));
    world.advance("4m");
    world.turn().await;
    assert_eq!(world.told().len(), 0);
    world.salon.set_fault(Route::Records, None);
    world.advance("20s");
    world.turn().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn the_owner_gets_a_copy_that_says_what_became_of_the_message() {
    let world = World::watching_with("", OWNED).await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world
        .salon
        .book(haircut("2026-08-21T16:30:00").client("Вера", ""));
    world.tell().await;
    let mut copies = world.owner_told();
    copies.retain(|text| text.starts_with("🆕"));
    copies.sort();
    assert_eq!(copies.len(), 2, "{copies:?}");
    let with_phone = copies.iter().find(|c| c.contains("900 000-00-01")).unwrap();
    assert!(
        with_phone.starts_with("🆕 <b>Новая запись</b> · Малаховка\n21 августа в 14:30 · Бари\n"),
        "{with_phone}"
    );
    assert!(
        with_phone.ends_with("Клиенту: принято WhatsApp"),
        "{with_phone}"
    );
    let without = copies.iter().find(|c| c.contains("16:30")).unwrap();
    assert!(
        without.ends_with("Клиенту не сообщили: нет телефона"),
        "{without}"
    );
    assert!(world.telegram.sent().iter().all(|s| s.chat == OWNER));
}

#[tokio::test]
async fn the_owner_hears_once_that_the_journal_is_closed_and_once_that_it_is_open_again() {
    let world = World::watching_with("", OWNED).await;
    world.salon.forbid(SALON, true);
    for _ in 0..3 {
        world.poll_of(SALON).await;
        world.turn().await;
        world.advance("5m");
    }
    assert_eq!(world.owner_told().len(), 1, "{:?}", world.owner_told());
    assert!(
        world.owner_told()[0].starts_with("⚠️ <b>Не вижу журнал: Малаховка</b>"),
        "{}",
        world.owner_told()[0]
    );
    world.salon.forbid(SALON, false);
    world.poll().await;
    world.turn().await;
    world.turn().await;
    assert_eq!(world.owner_told().len(), 2);
    assert!(
        world.owner_told()[1].starts_with("✅ <b>Снова вижу журнал: Малаховка</b>"),
        "{}",
        world.owner_told()[1]
    );
}

#[tokio::test]
async fn an_outage_is_told_after_a_while_and_not_before() {
    use booking_monitor::demo::salon::{Fault, Route};
    let world = World::watching_with("", OWNED).await;
    world
        .salon
        .set_fault(Route::Records, Some(Fault::Status(500, String::new())));
    world.poll_of(SALON).await;
    world.advance("9m");
    world.poll_of(SALON).await;
    world.turn().await;
    assert_eq!(world.owner_told().len(), 0);
    world.advance("1m");
    world.poll_of(SALON).await;
    world.turn().await;
    assert_eq!(world.owner_told().len(), 1);
}

#[tokio::test]
async fn what_waits_for_a_company_that_left_the_configuration_waits_for_its_return() {
    let mut world = World::watching().await;
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world
        .salon
        .book(haircut("2026-08-21T16:30:00").client("Вера", "+79000000002"));
    world.advance("31s");
    world.settle().await;
    world.poll().await;
    let companies = std::mem::take(&mut world.config.companies);
    world.restart().await;
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told().len(), 0);
    world.config.companies = companies;
    world.restart().await;
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 2);
}

/// Longer than any send may take.
const LATER: Duration = Duration::from_mins(10);

#[tokio::test]
async fn a_send_that_never_ends_is_no_sign_of_life() {
    let world = World::watching().await;
    let end = Arc::clone(&world.pipeline().channels()["whatsapp"]);
    let bell = world.green.hold_next();
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    let (pipeline, sending) = (Arc::clone(world.pipeline()), Arc::clone(&end));
    let sending = tokio::spawn(async move { pipeline.deliver_due(&sending).await });
    world.green.wait_for_requests("sendMessage", 1).await;
    assert!(end.is_well(Instant::now()), "it may take its time");
    assert!(!end.is_well(Instant::now() + LATER), "not for ever");
    bell.notify_one();
    sending.await.unwrap().unwrap();
    assert!(end.is_well(Instant::now() + LATER), "it is over");
}

#[tokio::test]
async fn whoever_waits_for_a_slow_channels_pace_is_well_however_long_that_takes() {
    let mut world = World::new().await;
    for channel in &mut world.config.channels {
        if let Kind::GreenApi(settings) = &mut channel.kind {
            settings.common.messages_per_second = 0.001;
        }
    }
    world.restart().await;
    world.poll().await;
    for phone in ["+79000000001", "+79000000002"] {
        let draft = haircut("2026-08-21T14:30:00").client("Вера", phone);
        world.salon.book(draft);
    }
    world.poll().await;
    world.advance("31s");
    world.settle().await;
    let end = Arc::clone(&world.pipeline().channels()["whatsapp"]);
    let (pipeline, sending) = (Arc::clone(world.pipeline()), Arc::clone(&end));
    let sending = tokio::spawn(async move { pipeline.deliver_due(&sending).await });
    world.green.wait_for(1).await;
    // The second waits a quarter of an hour for its turn. What the loop does in between is short.
    let at_rest = async {
        while !end.is_well(Instant::now() + LATER) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), at_rest)
        .await
        .unwrap();
    assert!(!sending.is_finished());
    sending.abort();
}

#[tokio::test]
async fn an_owners_copy_does_not_go_on_saying_that_what_is_dropped_was_not_sent_yet() {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, OWNED).await;
    // 22:00 in Moscow.
    world.advance("10h");
    let record = world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    world.advance("61s");
    world.poll().await;
    world.turn().await;
    let copy = || world.telegram.standing(OWNER)[0].text.clone();
    assert!(copy().contains("ещё не отправлено"), "{}", copy());
    world.salon.cancel(SALON, record);
    world.tell().await;
    for _ in 0..5 {
        world.advance("1m");
        world.poll().await;
        world.turn().await;
    }
    assert!(!copy().contains("ещё не отправлено"), "{}", copy());
}

#[tokio::test]
async fn an_owners_copy_tells_that_its_message_found_no_channel_after_a_restart() {
    let mut world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, OWNED).await;
    // 22:00 in Moscow.
    world.advance("10h");
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    world.advance("61s");
    world.poll().await;
    world.turn().await;
    world.write_over(&["telegram"]).await;
    for _ in 0..5 {
        world.advance("1m");
        world.poll().await;
        world.turn().await;
    }
    assert_eq!(world.decisions(), ["created|suppressed|no_channel"]);
    let copy = world.telegram.standing(OWNER)[0].text.clone();
    assert!(!copy.contains("ещё не отправлено"), "{copy}");
}

#[tokio::test]
async fn an_owners_copy_tells_that_its_message_was_dropped_at_the_command_line() {
    let world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, OWNED).await;
    // 22:00 in Moscow.
    world.advance("10h");
    world.salon.book(haircut("2026-08-23T14:30:00"));
    world.tell().await;
    world.advance("61s");
    world.poll().await;
    world.turn().await;
    let held = "UPDATE booking_notifications SET status = 'held' WHERE kind = 'created'";
    world.sql().execute(held, []).unwrap();
    // What `booking-monitor release --discard` writes.
    orders::discard_held(&world.sql(), SALON, world.clock.now()).unwrap();
    world.advance("1m");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.decisions(), ["created|suppressed|discarded"]);
    let copy = world.telegram.standing(OWNER)[0].text.clone();
    assert!(!copy.contains("ещё не отправлено"), "{copy}");
}
