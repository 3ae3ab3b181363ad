//! `preview`, and what the test modes leave behind to be read: `explain` and `log`.

use std::process::Output;

use crate::support::program::{Program, start, stderr, stdout};
use crate::support::world::{SALON, haircut};

const KINDS: [&str; 31] = [
    "created",
    "updated",
    "restored",
    "cancelled",
    "no_show",
    "visited",
    "reminder",
    "wrong_number",
    "stopped",
    "started",
    "confirmed",
    "declined",
    "called_off",
    "handed_on",
    "which",
    "text_only",
    "not_yours",
    "start",
    "linked",
    "foreign_contact",
    "greeting",
    "goodbye",
    "number_wanted",
    "propose_booking",
    "propose_move",
    "propose_cancel",
    "yes_wanted",
    "nothing_changed",
    "booked",
    "moved",
    "taken",
];

/// Without a single secret.
async fn bare(program: &Program, arguments: &[&str]) -> Output {
    let mut command = program.command(arguments);
    command.env_clear();
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

const EVERY_CHANNEL: &str = r#"
[channels.bot]
type = "telegram"
token = { env = "NOWHERE" }
[channels.max]
type = "green-api"
flavour = "max"
api_url = "http://127.0.0.1:9"
instance_id = "1"
token = { env = "NOWHERE" }
[channels.cloud]
type = "whatsapp-cloud"
phone_number_id = "1"
token = { env = "NOWHERE" }
[channels.cloud.templates]
created = { name = "booking_created", language = "ru", parameters = ["services", "time"] }
[channels.waha]
type = "http"
preset = "waha"
base_url = "http://127.0.0.1:9"
token = { env = "NOWHERE" }
[channels.terminal]
type = "console"
"#;

#[tokio::test]
async fn every_kind_is_shown_on_every_channel_without_a_secret_or_a_database() {
    let program = Program::new().await;
    program.configure(EVERY_CHANNEL);
    for kind in KINDS {
        for channel in ["whatsapp", "bot", "max", "cloud", "waha", "terminal"] {
            let shown = bare(&program, &["preview", kind, "--channel", channel]).await;
            assert_eq!(
                shown.status.code(),
                Some(0),
                "{kind}, {channel}: {}",
                stderr(&shown)
            );
            let text = stdout(&shown);
            assert!(text.chars().count() > 15, "{kind}, {channel}: {text}");
            assert!(!text.contains('\x1b'), "{kind}, {channel}: {text}");
        }
    }
    assert!(!program.database().exists());
    let shown = bare(&program, &["preview", "created"]).await;
    assert!(
        stdout(&shown).starts_with("✅ *Вы записаны!*\n\n📅 "),
        "{}",
        stdout(&shown)
    );
    assert!(
        stdout(&shown).ends_with(
            " в 14:30\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари\n💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)\n\
             📍 Южная улица, 38\n\nДля отмены или переноса напишите мне здесь 👇\n"
        ),
        "{}",
        stdout(&shown)
    );
    let bot = bare(&program, &["preview", "created", "--channel", "bot"]).await;
    assert!(
        stdout(&bot).starts_with("✅ *Вы записаны!*\n"),
        "{}",
        stdout(&bot)
    );
    let cloud = bare(&program, &["preview", "created", "--channel", "cloud"]).await;
    assert_eq!(
        stderr(&cloud),
        "note: to a client who did not write lately goes the approved template \"booking_created\": \
         services = МУЖСКАЯ СТРИЖКА; time = 14:30\n"
    );
}

#[tokio::test]
async fn a_kind_or_a_channel_that_there_is_not_is_answered_with_those_that_there_are() {
    let program = Program::new().await;
    let unknown = bare(&program, &["preview", "birthday"]).await;
    assert_eq!(unknown.status.code(), Some(2));
    let all = KINDS.join(", ");
    assert!(stderr(&unknown).contains(&all), "{}", stderr(&unknown));
    let unknown = bare(&program, &["preview", "created", "--channel", "pigeon"]).await;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        stderr(&unknown).contains("there are whatsapp"),
        "{}",
        stderr(&unknown)
    );
}

#[tokio::test]
async fn a_booking_of_the_cache_is_shown_as_its_client_would_read_of_it() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let record = program.book();
    program.run(&["--once", "--drain"]).await;
    program.salon.change_staff(SALON, record, 6, "Тимур");
    program.run(&["--once", "--drain"]).await;
    let sent = program.green.sent();
    assert_eq!(sent.len(), 2);
    let id = record.to_string();
    let shown = bare(&program, &["preview", "updated", "--record", &id]).await;
    assert_eq!(
        stdout(&shown),
        format!("{}\n", sent[1].text),
        "{}",
        stderr(&shown)
    );
    let shown = bare(&program, &["preview", "cancelled", "--record", &id]).await;
    assert!(stdout(&shown).contains("Тимур"), "{}", stdout(&shown));
    let nobody = bare(&program, &["preview", "created", "--record", "7"]).await;
    assert_eq!(nobody.status.code(), Some(1));
    assert!(
        stderr(&nobody).contains("was never seen"),
        "{}",
        stderr(&nobody)
    );
}

#[tokio::test]
async fn a_dry_run_leaves_the_text_and_the_channel_to_be_read() {
    let program = Program::new().await;
    program.configure("dry_run = true\n");
    program.run(&["--once"]).await;
    let record = program.book().to_string();
    program.run(&["--once", "--drain"]).await;
    assert_eq!(program.green.sent().len(), 0);
    let told = stdout(&program.run(&["explain", &record]).await);
    assert!(told.contains("включён тестовый режим"), "{told}");
    assert!(
        told.contains("ушло бы: whatsapp +7 *** ***-**-01:\n    ✅ *Вы записаны!*\n"),
        "{told}"
    );
    assert!(told.contains("    💇 МУЖСКАЯ СТРИЖКА\n"), "{told}");
    let listed = stdout(&program.run(&["log"]).await);
    assert!(
        listed.contains("не отправлено: включён") && listed.contains("записаны!*"),
        "{listed}"
    );
    let json = stdout(&program.run(&["log", "--json"]).await);
    assert!(json.contains("\"channel\": \"whatsapp\""), "{json}");
    assert!(json.contains("Вы записаны"), "{json}");
}

#[tokio::test]
async fn explain_says_what_is_wrong_with_a_number_and_that_a_column_is_none() {
    let program = Program::new().await;
    program.configure("ignore = { staff = [99] }\n");
    program.run(&["--once"]).await;
    let day = start(0).format("%Y-%m-%dT%H:%M:%S").to_string();
    let short = program
        .salon
        .book(haircut(&day).client("Борис", "8 900 12"));
    let fake = program
        .salon
        .book(haircut(&day).client("Вера", "+7 222 000-00-00"));
    let listed = program.salon.book(haircut(&day).staff(99, "Лист ожидания"));
    program.run(&["--once", "--drain"]).await;
    assert_eq!(program.green.sent().len(), 0);
    let explain = |record: i64| {
        let program = &program;
        async move {
            let story = stdout(&program.run(&["explain", &record.to_string()]).await);
            // Where its lines end is not what this is about.
            story.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    };
    let told = explain(short).await;
    assert!(
        told.contains("Номер клиента не годится: слишком короткий"),
        "{told}"
    );
    assert!(
        told.contains("не отправлено — нет телефона (слишком короткий)"),
        "{told}"
    );
    let told = explain(fake).await;
    assert!(
        told.contains("нет телефона (такого номера не бывает)"),
        "{told}"
    );
    assert!(!told.contains("222"), "{told}");
    let told = explain(listed).await;
    assert!(
        told.contains("не отправлено — не считается записью"),
        "{told}"
    );
    assert!(told.contains("monitor.ignore"), "{told}");
    assert_eq!(
        program.rows("SELECT reason || '|' || coalesce(last_error, '') FROM booking_notifications ORDER BY record_id"),
        ["no_phone|too short for a number", "no_phone|not a valid number", "ignored|"]
    );
}
