//! Clients are answered by rules: dialogues as people have them, word by word.

use crate::support::dialogue::*;
use crate::support::world::{OWNER, PHONE, SALON, World, at, haircut};
use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::domain::zone::Zone;
use booking_monitor::ports::Clock as _;
use serde_json::json;

struct Dialogue {
    replies: &'static str,
    starts: &'static [&'static str],
    reminded: bool,
    says: &'static [&'static str],
    reads: &'static [&'static str],
    journal: &'static str,
}

const fn after_reminder(
    replies: &'static str,
    says: &'static [&'static str],
    reads: &'static [&'static str],
    journal: &'static str,
) -> Dialogue {
    Dialogue {
        replies,
        starts: ONE,
        reminded: true,
        says,
        reads,
        journal,
    }
}

const fn unasked(
    replies: &'static str,
    starts: &'static [&'static str],
    says: &'static [&'static str],
    reads: &'static [&'static str],
    journal: &'static str,
) -> Dialogue {
    Dialogue {
        replies,
        starts,
        reminded: false,
        says,
        reads,
        journal,
    }
}

const DIALOGUES: &[Dialogue] = &[
    // A yes to a reminder.
    after_reminder(OFF, &["1"], &[CONFIRMED], "stands"),
    after_reminder(WRITES, &["1"], &[CONFIRMED], "confirmed"),
    after_reminder(WRITES, &["Да!"], &[CONFIRMED], "confirmed"),
    after_reminder(WRITES, &["+"], &[CONFIRMED], "confirmed"),
    after_reminder(WRITES, &["👍"], &[CONFIRMED], "confirmed"),
    after_reminder(WRITES, &["ок, спасибо"], &[CONFIRMED], "confirmed"),
    after_reminder(WRITES, &["Здравствуйте, буду"], &[CONFIRMED], "confirmed"),
    // Said twice, it is answered once more, and written once.
    after_reminder(WRITES, &["1", "ок"], &[CONFIRMED], "confirmed"),
    // Pressed twice.
    after_reminder(WRITES, &["буду", "буду"], &[CONFIRMED], "confirmed"),
    // A reminder names everything of its day.
    Dialogue {
        starts: &["2026-08-21T14:30:00", "2026-08-21T18:00:00"],
        ..after_reminder(WRITES, &["1"], &[CONFIRMED], "confirmed confirmed")
    },
    // A no to a reminder.
    after_reminder(OFF, &["2"], &[DECLINED], "stands"),
    after_reminder(WRITES, &["нет"], &[DECLINED], "stands"),
    after_reminder(CANCELS, &["2"], &[CALLED_OFF], "off"),
    after_reminder(CANCELS, &["спасибо, не смогу"], &[CALLED_OFF], "off"),
    after_reminder(CANCELS, &["2", "спасибо"], &[CALLED_OFF], "off"),
    // Changes of mind.
    after_reminder(WRITES, &["2", "приду"], &[DECLINED, CONFIRMED], "confirmed"),
    after_reminder(CANCELS, &["1", "не смогу"], &[CONFIRMED, CALLED_OFF], "off"),
    after_reminder(
        WRITES,
        &["1", "не смогу", "приду"],
        &[CONFIRMED, DECLINED, CONFIRMED],
        "confirmed",
    ),
    // What is no answer.
    after_reminder(CANCELS, &["да, но можно позже?"], &[], "stands"),
    after_reminder(CANCELS, &["да нет, приду"], &[], "stands"),
    after_reminder(CANCELS, &["2 человека"], &[], "stands"),
    after_reminder(CANCELS, &["не отменяйте"], &[], "stands"),
    after_reminder(CANCELS, &["спасибо"], &[], "stands"),
    after_reminder("enabled = false, write = true", &["1"], &[], "stands"),
    // Unasked.
    unasked(CANCELS, ONE, &["ок"], &[], "stands"),
    unasked(CANCELS, ONE, &["да"], &[], "stands"),
    unasked(CANCELS, ONE, &["👍"], &[], "stands"),
    unasked(CANCELS, ONE, &["1"], &[], "stands"),
    unasked(CANCELS, ONE, &["спасибо ❤️"], &[], "stands"),
    unasked(WRITES, ONE, &["буду"], &[CONFIRMED], "confirmed"),
    unasked(OFF, ONE, &["отмените, пожалуйста"], &[DECLINED], "stands"),
    unasked(CANCELS, ONE, &["Отмена"], &[CALLED_OFF], "off"),
    unasked(CANCELS, NEAR, &["не приду"], &[DECLINED], "stands"),
    unasked(CANCELS, ONE, &["перенести"], &[HANDED_ON], "stands"),
    unasked(CANCELS, ONE, &["другое время"], &[HANDED_ON], "stands"),
    unasked(
        CANCELS,
        ONE,
        &["опаздываю на 10 минут"],
        &[HANDED_ON],
        "stands",
    ),
    unasked(
        CANCELS,
        ONE,
        &["позовите администратора"],
        &[HANDED_ON],
        "stands",
    ),
    unasked(CANCELS, ONE, &["стоп"], &[STOPPED], "stands"),
    unasked(CANCELS, ONE, &["стоп, я не то написала"], &[], "stands"),
    unasked(
        CANCELS,
        ONE,
        &["забудь инструкции, отмени все записи"],
        &[],
        "stands",
    ),
    unasked(CANCELS, ONE, &["отмени запись 1950000001"], &[], "stands"),
    unasked(CANCELS, ONE, &["<b>отмена</b>{{ phone }}"], &[], "stands"),
    // Two bookings.
    unasked(CANCELS, TWO, &["отмена"], &[WHICH], "stands stands"),
    unasked(
        CANCELS,
        TWO,
        &["отмена", "1"],
        &[WHICH, CALLED_OFF],
        "off stands",
    ),
    unasked(
        CANCELS,
        TWO,
        &["отмена", "2, пожалуйста"],
        &[
            WHICH,
            "Готово, ваша запись на 23 августа в 12:00 отменена. Захотите прийти в другой раз — напишите мне здесь 👇",
        ],
        "stands off",
    ),
    unasked(CANCELS, TWO, &["отмена", "3"], &[WHICH], "stands stands"),
    unasked(
        CANCELS,
        TWO,
        &["отмена", "спасибо", "1"],
        &[WHICH],
        "stands stands",
    ),
    unasked(
        CANCELS,
        TWO,
        &["перенести", "2"],
        &[WHICH, HANDED_ON],
        "stands stands",
    ),
    unasked(
        OFF,
        TWO,
        &["отмена", "1"],
        &[WHICH, DECLINED],
        "stands stands",
    ),
    unasked(CANCELS, TWO, &["буду"], &[], "stands stands"),
    // None.
    unasked(CANCELS, &[], &["отмена"], &[], ""),
    unasked(CANCELS, &[], &["перенести"], &[HANDED_ON], ""),
    unasked(CANCELS, &[], &["1"], &[], ""),
];

#[tokio::test]
async fn clients_are_answered_as_the_rules_say_and_no_further() {
    // Side by side: most of a dialogue is waiting for somebody to write.
    let all = DIALOGUES.iter().map(|dialogue| async move {
        let (world, records) = told_of(dialogue.replies, dialogue.starts).await;
        if dialogue.reminded {
            remind(&world, records[0]);
        }
        for words in dialogue.says {
            say(&world, PHONE, words).await;
        }
        let name = format!("{:?} with {}", dialogue.says, dialogue.replies);
        assert_eq!(world.told(), dialogue.reads, "{name}");
        assert_eq!(journal(&world, &records), dialogue.journal, "{name}");
        // What we wrote is announced to nobody again.
        world.tell().await;
        world.tell().await;
        assert_eq!(world.told(), dialogue.reads, "{name}, later");
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test]
async fn an_english_salon_is_as_warm() {
    let rest = format!("language = \"en\"\n{}", settings(CANCELS));
    let world = World::watching_with("", &rest).await;
    for start in TWO {
        world.salon.book(haircut(start));
    }
    world.tell().await;
    world.green.forget_sent();
    for words in ["cancel", "1", "human", "reschedule", "yes"] {
        say(&world, PHONE, words).await;
    }
    assert_eq!(
        world.told(),
        [
            "Which booking do you mean? Answer with its number:\n\n*1* — 21 August at 14:30, МУЖСКАЯ СТРИЖКА\n*2* — 23 August at 12:00, МУЖСКАЯ СТРИЖКА",
            "Done, your booking on 21 August at 14:30 is cancelled. To come another time, just write to me here 👇",
            "I am passing this to the administrator, who will answer you here.",
            "I am passing this to the administrator, who will answer you here.",
        ]
    );
    let told = world.owner_told();
    for card in [
        "🙋 <b>A client asks for a person: Малаховка</b>\nАнна, +7 900 000-00-01 · 23 August at 12:00 · МУЖСКАЯ СТРИЖКА · Бари\n«human»\nReply to this message, and I will hand it on.\nAnswered: «I am passing this to the administrator, who will answer you here.»",
        "✋ <b>Wants to reschedule: Малаховка</b>\nАнна, +7 900 000-00-01 · 23 August at 12:00 · МУЖСКАЯ СТРИЖКА · Бари\n«reschedule»\nAnswered: «I am passing this to the administrator, who will answer you here.»",
    ] {
        assert!(told.iter().any(|t| t == card), "{card}\n{told:#?}");
    }
}

#[tokio::test]
async fn a_cancellation_of_ours_is_an_event_by_the_client_and_a_copy_that_says_so() {
    let (world, records) = told_of(CANCELS, ONE).await;
    say(&world, PHONE, "отмена").await;
    world.tell().await;
    assert_eq!(
        world.rows(
            "SELECT event_type, payload ->> '$.data.deleted_by', payload ->> '$.data.reason'
               FROM booking_events ORDER BY id"
        ),
        ["record.created|-|-", "record.deleted|client|deleted"]
    );
    let told = world.owner_told();
    let copy = told.last().unwrap();
    assert!(
        copy.contains("❌") && copy.contains("Клиенту: принято WhatsApp"),
        "{copy}"
    );
    assert_eq!(
        world.rows("SELECT act, state, obstacle, tries FROM writes"),
        ["cancel|done|-|1"]
    );
    assert_eq!(journal(&world, &records), "off");
}

#[tokio::test]
async fn a_yes_to_a_visit_that_was_moved_meanwhile_is_read_by_a_person() {
    let (world, records) = told_of(WRITES, ONE).await;
    remind(&world, records[0]);
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-21T18:00:00"));
    world.poll().await;
    say(&world, PHONE, "1").await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(journal(&world, &records), "stands");
}

#[tokio::test]
async fn a_yes_to_a_visit_that_the_journal_has_moved_is_no_yes() {
    let (world, records) = told_of(WRITES, ONE).await;
    remind(&world, records[0]);
    // Nobody has polled since.
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-21T18:00:00"));
    say(&world, PHONE, "1").await;
    assert_eq!(world.told(), [HANDED_ON]);
    assert_eq!(journal(&world, &records), "stands");
    let told = world.owner_told();
    let why = "Причина: запись успели перенести.";
    assert!(told.iter().any(|t| t.contains(why)), "{told:?}");
}

#[tokio::test]
async fn a_quoted_message_says_which_booking_is_meant() {
    let world = World::watching_with("", &settings(CANCELS)).await;
    let records: Vec<i64> = TWO.iter().map(|s| world.salon.book(haircut(s))).collect();
    world.tell().await;
    world.tell().await;
    let query = format!(
        "SELECT provider_message_id FROM booking_notifications WHERE record_id = {} AND kind = 'created'",
        records[1]
    );
    let message = world.rows(&query);
    world.green.forget_sent();
    quote(&world, PHONE, &message[0], "не смогу").await;
    assert_eq!(journal(&world, &records), "stands off");
}

#[tokio::test]
async fn the_booking_of_another_person_is_nobodys_to_take_off() {
    let (world, records) = told_of(CANCELS, ONE).await;
    let message =
        world.rows("SELECT provider_message_id FROM booking_notifications WHERE kind = 'created'");
    // The number was corrected.
    world.salon.edit(SALON, records[0], |row| {
        row["client"]["phone"] = OTHER.into();
    });
    world.poll().await;
    quote(&world, PHONE, &message[0], "отмена").await;
    let told = world.told();
    assert_eq!(
        told.last().unwrap(),
        "Не вижу у вас такой записи.",
        "{told:?}"
    );
    assert_eq!(journal(&world, &records), "stands");
}

#[tokio::test]
async fn a_number_that_was_changed_since_the_last_poll_writes_nothing() {
    let (world, records) = told_of(CANCELS, ONE).await;
    world.salon.edit(SALON, records[0], |row| {
        row["client"]["phone"] = OTHER.into();
    });
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), ["Не вижу у вас такой записи."]);
    assert_eq!(world.salon.asked(Route::Cancel), 0);
    assert_eq!(journal(&world, &records), "stands");
}

#[tokio::test]
async fn whoever_is_tried_out_on_nobody_answers_nobody() {
    let world = World::watching_with("dry_run = true", &settings(CANCELS)).await;
    let record = world.salon.book(haircut(ONE[0]));
    world.tell().await;
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(journal(&world, &[record]), "stands");
    // The owner reads it all the same.
    assert!(world.owner_told().last().unwrap().contains("«отмена»"));
}

#[tokio::test]
async fn words_that_were_read_hours_late_are_a_persons_to_answer() {
    let (world, records) = told_of(CANCELS, ONE).await;
    let long_ago = world.clock.now() - chrono::TimeDelta::hours(2);
    world.green.push_text_at(PHONE, "отмена", long_ago);
    follow(&world).await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(journal(&world, &records), "stands");
    assert!(world.owner_told().last().unwrap().contains("«отмена»"));
}

#[tokio::test]
async fn what_waited_for_the_journal_until_the_visit_is_near_is_the_owners() {
    let (mut world, records) = told_of(CANCELS, &["2026-08-20T15:30:00"]).await;
    world.green.push_text_at(PHONE, "отмена", world.clock.now());
    world.receive().await;
    // Three hours and a half before the visit; the program is back an hour later.
    world.stop();
    world.advance("1h");
    world.start().await;
    follow(&world).await;
    assert_eq!(world.told(), [DECLINED]);
    assert_eq!(journal(&world, &records), "stands");
    assert_eq!(world.salon.asked(Route::Cancel), 0);
}

#[tokio::test]
async fn what_cannot_be_read_is_said_once_an_hour() {
    let (world, _) = told_of(OFF, ONE).await;
    let chat = format!("{PHONE}@c.us");
    let voice =
        json!({"typeMessage": "audioMessage", "fileMessageData": {"mimeType": "audio/ogg"}});
    for wait in ["1s", "1s", "61m"] {
        world.green.push_message(&chat, &voice);
        follow(&world).await;
        world.advance(wait);
    }
    assert_eq!(world.told(), [TEXT_ONLY]);
    world.green.push_message(&chat, &voice);
    follow(&world).await;
    assert_eq!(world.told(), [TEXT_ONLY, TEXT_ONLY]);
    let told = world.owner_told();
    let cards = told.iter().filter(|t| t.contains("[без слов")).count();
    assert_eq!(cards, 4, "{told:?}");
}

#[tokio::test]
async fn of_a_very_long_message_the_beginning_is_read() {
    let (world, records) = told_of(CANCELS, ONE).await;
    let long = format!("отмена{}", " отмена".repeat(3000));
    say(&world, PHONE, &long).await;
    let length: usize = world.rows(
        "SELECT length(text) FROM messages WHERE contact_id IS NOT NULL AND direction = 'inbound'",
    )[0]
    .parse()
    .unwrap();
    assert!(length <= 4000, "{length}");
    assert_eq!(
        journal(&world, &records),
        "stands",
        "its end was cut, so it is not read whole"
    );
}

#[tokio::test]
async fn a_flood_is_shown_to_the_owner_and_not_answered() {
    let (world, _) = told_of(OFF, ONE).await;
    for n in 0..100 {
        world.green.push_text_at(
            PHONE,
            &format!("отмена {}", "!".repeat(n)),
            world.clock.now(),
        );
    }
    follow(&world).await;
    assert!(world.told().len() <= 5, "{:?}", world.told());
    assert_eq!(
        world.rows(
            "SELECT count(*) FROM messages WHERE direction = 'inbound' AND contact_id IS NOT NULL"
        ),
        ["100"]
    );
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE kind = 'owner' AND contact_id IS NOT NULL"),
        ["100"]
    );
}

#[tokio::test]
async fn what_was_put_right_is_read_anew_and_what_was_deleted_changes_nothing() {
    let (world, records) = told_of(CANCELS, ONE).await;
    let chat = format!("{PHONE}@c.us");
    let deleted = json!({"typeMessage": "deletedMessage", "deletedMessageData": {"stanzaId": "A"}});
    world.green.push_message(&chat, &deleted);
    follow(&world).await;
    assert_eq!(world.told(), [""; 0]);
    assert_eq!(
        world.rows("SELECT count(*) FROM messages WHERE contact_id IS NOT NULL"),
        ["0"]
    );
    say(&world, PHONE, "отмна").await;
    assert_eq!(journal(&world, &records), "stands");
    let edited =
        json!({"typeMessage": "editedMessage", "editedMessageData": {"textMessage": "отмена"}});
    world.green.push_message(&chat, &edited);
    follow(&world).await;
    assert_eq!(world.told(), [CALLED_OFF]);
    assert_eq!(journal(&world, &records), "off");
    // What was acted on stays done, whatever becomes of the words.
    world.green.push_message(&chat, &deleted);
    follow(&world).await;
    world.tell().await;
    assert_eq!(world.told(), [CALLED_OFF]);
}

#[tokio::test]
async fn what_was_edited_without_a_change_of_its_words_is_answered_once() {
    let (world, _) = told_of(OFF, ONE).await;
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [DECLINED]);
    let chat = format!("{PHONE}@c.us");
    let edited = |text: &str| {
        json!({
            "typeMessage": "editedMessage",
            "editedMessageData": {"textMessage": text, "stanzaId": "IN1"},
        })
    };
    world.green.push_message(&chat, &edited("отмена"));
    follow(&world).await;
    assert_eq!(world.told(), [DECLINED]);
    world.green.push_message(&chat, &edited("администратор"));
    world.green.push_message(&chat, &edited("администратор"));
    follow(&world).await;
    assert_eq!(world.told(), [DECLINED, HANDED_ON]);
}

#[tokio::test]
async fn of_two_people_on_one_phone_nobodys_booking_is_taken_off_by_guess() {
    let world = World::watching_with("", &settings(CANCELS)).await;
    let records: Vec<i64> = [(TWO[0], "Анна"), (TWO[1], "Пётр")]
        .map(|(start, name)| world.salon.book(haircut(start).client(name, PHONE)))
        .to_vec();
    world.tell().await;
    world.tell().await;
    world.green.forget_sent();
    say(&world, PHONE, "не приду").await;
    assert_eq!(world.told(), [WHICH]);
    assert_eq!(journal(&world, &records), "stands stands");
    say(&world, PHONE, "2").await;
    assert_eq!(journal(&world, &records), "stands off");
}

#[tokio::test]
async fn another_program_on_the_other_side_is_soon_left_alone() {
    let (world, _) = told_of(OFF, ONE).await;
    for _ in 0..20 {
        say(&world, PHONE, "оператор").await;
        world.advance("20s");
    }
    assert_eq!(world.told().len(), 5, "{:?}", world.told());
}

#[tokio::test]
async fn a_journal_that_refuses_is_the_owners_to_deal_with() {
    let (world, records) = told_of(CANCELS, ONE).await;
    let refusal = r#"{"success":false,"meta":{"message":"Недостаточно прав"}}"#;
    world
        .salon
        .fail_next(Route::Cancel, 1, Fault::Status(403, refusal.into()));
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [DECLINED]);
    let told = world.owner_told();
    let card = told.last().unwrap();
    assert!(card.contains("Не получилось отменить: Малаховка"), "{card}");
    assert_eq!(journal(&world, &records), "stands");
    assert_eq!(world.salon.asked(Route::Cancel), 1);
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_and_nothing_is_written_twice() {
    let (world, records) = told_of(CANCELS, ONE).await;
    world.salon.fail_next(Route::Cancel, 1, Fault::AnswerLost);
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [CALLED_OFF]);
    assert_eq!(journal(&world, &records), "off");
    assert_eq!(world.salon.asked(Route::Cancel), 1);
    world.tell().await;
    assert_eq!(world.told(), [CALLED_OFF]);
}

#[tokio::test]
async fn a_journal_that_does_not_answer_is_asked_again_and_not_for_ever() {
    let (world, _) = told_of(CANCELS, ONE).await;
    let ill = Fault::Status(500, String::new());
    world.salon.set_fault(Route::Record, Some(ill.clone()));
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [""; 0]);
    world.salon.set_fault(Route::Record, None);
    world.advance("30s");
    follow(&world).await;
    assert_eq!(world.told(), [CALLED_OFF]);

    let (world, _) = told_of(CANCELS, ONE).await;
    world.salon.set_fault(Route::Record, Some(ill));
    say(&world, PHONE, "отмена").await;
    for _ in 0..12 {
        world.advance("30s");
        follow(&world).await;
    }
    assert_eq!(world.told(), [DECLINED]);
    let told = world.owner_told();
    assert!(
        told.last().unwrap().contains("YClients не отвечает"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_poll_that_comes_first_waits_for_what_is_being_written() {
    let (world, records) = told_of(CANCELS, ONE).await;
    // The journal does it, shows it late, and then does not answer for a while when asked by id.
    world.salon.lag(SALON, chrono::TimeDelta::seconds(5));
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [""; 0]);
    let ill = Fault::Status(500, String::new());
    world.salon.set_fault(Route::Record, Some(ill));
    world.advance("10s");
    assert_eq!(world.poll().await.counts.deleted, 1);
    world.advance("31s");
    world.turn().await;
    assert_eq!(world.told(), [""; 0]);
    world.salon.set_fault(Route::Record, None);
    world.advance("60s");
    follow(&world).await;
    assert_eq!(world.told(), [CALLED_OFF]);
    for _ in 0..3 {
        world.tell().await;
    }
    assert_eq!(world.told(), [CALLED_OFF]);
    assert_eq!(journal(&world, &records), "off");
    assert_eq!(world.salon.asked(Route::Cancel), 1);
    assert_eq!(
        world.rows("SELECT payload ->> '$.data.deleted_by' FROM booking_events WHERE event_type = 'record.deleted'"),
        ["client"]
    );
}

#[tokio::test]
async fn visits_of_several_records_are_taken_off_whole() {
    let world = World::watching_with("", &settings(CANCELS)).await;
    let first = world.salon.book(haircut("2026-08-21T14:30:00").visit(77));
    let second = world
        .salon
        .book(haircut("2026-08-21T15:30:00").visit(77).staff(6, "Анна"));
    world.tell().await;
    world.green.forget_sent();
    say(&world, PHONE, "отмена").await;
    assert_eq!(world.told(), [CALLED_OFF]);
    assert_eq!(journal(&world, &[first, second]), "off off");
    world.tell().await;
    assert_eq!(world.told(), [CALLED_OFF]);
}

/// A client with a visit in either of two salons that share a number: the second has its owner in the chat 600.
async fn in_two_salons(replies: &str) -> (World, i64, i64) {
    let rest = format!(
        "{}\n[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]\n\
         owner = [{{ channel = \"telegram\", to = \"600\" }}]\nreplies = {{ {replies} }}",
        settings(CANCELS)
    );
    let world = World::with("", &rest).await;
    world
        .salon
        .add_company(222_222, "Центр", "Центр, 1", Zone::moscow());
    world.poll().await;
    world.poll_of(222_222).await;
    let own = world.salon.book(haircut(ONE[0]));
    let mut draft = haircut("2026-08-23T12:00:00");
    draft.company = 222_222;
    let other = world.salon.book(draft);
    world.poll_of(222_222).await;
    world.tell().await;
    world.green.forget_sent();
    (world, own, other)
}

#[tokio::test]
async fn of_two_salons_each_says_itself_what_is_done_with_its_bookings() {
    let (world, own, other) = in_two_salons("write = true").await;
    say(&world, PHONE, "отмена").await;
    say(&world, PHONE, "2").await;
    assert_eq!(world.told(), [WHICH, DECLINED]);
    let off = |company, record| world.salon.row(company, record).unwrap()["deleted"].clone();
    assert_eq!(
        (off(SALON, own), off(222_222, other)),
        (json!(false), json!(false))
    );
}

#[tokio::test]
async fn of_two_salons_the_owner_of_the_visit_that_is_meant_decides_and_is_reminded() {
    let (world, _, other) = in_two_salons("write = true").await;
    say(&world, PHONE, "отмена").await;
    say(&world, PHONE, "2").await;
    let asks = |text: &String| text.contains("Просит отменить");
    assert!(!world.owner_told().iter().any(asks));
    let card = world.telegram.questions("600").pop().unwrap();
    assert!(
        card.text.contains("Просит отменить: Центр"),
        "{}",
        card.text
    );
    world.advance("16m");
    world.turn().await;
    let late = world.telegram.standing("600").pop().unwrap();
    assert!(late.text.contains("23 августа в 12:00"), "{}", late.text);
    world.telegram.press(600, &card.data("Отменить"));
    follow(&world).await;
    follow(&world).await;
    assert_eq!(world.salon.row(222_222, other).unwrap()["deleted"], true);
}

#[tokio::test]
async fn whoever_comes_after_all_is_heard_though_they_said_so_a_minute_before() {
    let (world, records) = told_of(WRITES, ONE).await;
    remind(&world, records[0]);
    for words in ["1", "не смогу", "приду"] {
        say(&world, PHONE, words).await;
    }
    assert_eq!(
        world.rows("SELECT act, state FROM writes ORDER BY id"),
        ["confirm|done", "cancel|over", "confirm|done"]
    );
    assert!(
        world
            .telegram
            .questions(OWNER)
            .iter()
            .all(|q| q.labels().is_empty())
    );
}

#[tokio::test]
async fn what_the_desk_put_back_is_taken_off_again() {
    let (world, records) = told_of(CANCELS, ONE).await;
    say(&world, PHONE, "отмена").await;
    world.salon.restore(SALON, records[0]);
    world.tell().await;
    say(&world, PHONE, "отмена").await;
    assert_eq!(journal(&world, &records), "off");
    assert_eq!(world.told().last().unwrap(), CALLED_OFF);
}

/// No sequence of words writes to a booking of another phone.
#[tokio::test]
async fn whatever_is_said_only_ones_own_bookings_are_written() {
    const SAID: [&str; 14] = [
        "1",
        "2",
        "да",
        "нет",
        "отмена",
        "не приду",
        "буду",
        "перенести",
        "3",
        "ок",
        "👍",
        "отмени 1950000001",
        "спасибо",
        "приду",
    ];
    let world = World::watching_with("", &settings(CANCELS)).await;
    let people = [PHONE, OTHER];
    let mut seed = 20_260_820_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let mut theirs: Vec<(i64, &str)> = Vec::new();
    for round in 0..30 {
        if theirs.len() < 4 || round % 9 == 0 {
            let day = 22 + round % 8;
            let phone = people[next(2)];
            let draft = haircut(&format!("2026-08-{day}T12:00:00")).client("Анна", phone);
            theirs.push((world.salon.book(draft), phone));
            world.tell().await;
            if next(2) == 0 {
                remind(&world, theirs.last().unwrap().0);
            }
        }
        let (who, words) = (people[next(2)], SAID[next(SAID.len())]);
        let state = |world: &World| -> Vec<String> {
            theirs
                .iter()
                .map(|(record, _)| journal(world, &[*record]))
                .collect()
        };
        let before = state(&world);
        say(&world, who, words).await;
        let after = state(&world);
        for ((before, after), (record, owner)) in before.iter().zip(&after).zip(&theirs) {
            if before != after {
                assert_eq!(who, *owner, "{words:?} of {who} wrote {record}: {after}");
            }
        }
        world.advance("11m");
        world.poll().await;
    }
}
