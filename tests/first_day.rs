//! The first ten minutes of somebody who is no programmer, and what packagers need before that.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::process::Command;

use booking_monitor::demo::salon::{PARTNER_TOKEN, USER_TOKEN};
use support::green_api::TOKEN as GREEN_TOKEN;
use support::program::{Program, start, stderr, stdout};
use support::telegram::{TOKEN as TELEGRAM_TOKEN, Telegram};
use support::world::{SALON, haircut};

/// The program, in no folder of ours and with no configuration.
fn bare(arguments: &[&str]) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_booking-monitor"))
        .args(arguments)
        .env_clear()
        .current_dir(folder.path())
        .output()
        .unwrap()
}

#[test]
fn completions_and_the_manual_need_no_configuration() {
    for shell in ["bash", "zsh", "fish"] {
        let made = bare(&["completions", shell]);
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        assert!(stdout(&made).contains("explain"), "{shell}");
    }
    let unknown = bare(&["completions", "dos"]);
    assert_eq!(unknown.status.code(), Some(2));
    let page = bare(&["man"]);
    assert_eq!(page.status.code(), Some(0), "{}", stderr(&page));
    assert!(stdout(&page).contains(".TH booking-monitor 1"));
}

#[test]
fn every_command_has_a_manual_page_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let made = bare(&["man", "--into", pages.to_str().unwrap()]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    for page in [
        "booking-monitor.1",
        "booking-monitor-check.1",
        "booking-monitor-db-restore.1",
    ] {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
}

/// A bot for the owner beside the salon and its messenger.
async fn with_owner() -> (Program, Telegram) {
    let (program, telegram) = (Program::new().await, Telegram::start().await);
    program.configure(&owner(&telegram));
    (program, telegram)
}

/// The end of a configuration whose company has an owner with a bot of its own.
fn owner(telegram: &Telegram) -> String {
    format!(
        "owner = [{{ channel = \"owners\", to = \"500\" }}]\n[channels.owners]\ntype = \"telegram\"\napi_url = \"{}\"\ntoken = \"{TELEGRAM_TOKEN}\"\n",
        telegram.url
    )
}

async fn check_online(program: &Program) -> (Option<i32>, String) {
    let run = program.run(&["check", "--online"]).await;
    assert_eq!(stderr(&run), "");
    (run.status.code(), stdout(&run))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_the_branch_the_bot_and_whether_phones_are_visible() {
    let (program, telegram) = with_owner().await;
    let record = program.book();
    quiet(&program, record);
    let (code, said) = check_online(&program).await;
    assert_eq!(code, Some(0), "{said}");
    for line in [
        "✓ YClients: Малаховка (111111), Europe/Moscow, Малаховка, Южная улица, 38\n",
        "✓ Малаховка: телефоны видны в 1 из 1 записей, мастеров: 1\n",
        "✓ часы идут верно\n",
        "✓ канал owners (telegram, @salon_bot)\n",
        "Сообщения уходят всем клиентам.\nГотово к работе.\n",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    assert_eq!(telegram.count("sendMessage"), 0);
    assert_eq!(program.green.count("sendMessage"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_that_are_hidden_everywhere_are_a_reason_with_the_box_to_tick() {
    let (program, _telegram) = with_owner().await;
    for day in 0..5 {
        let record = program.salon.book(haircut(&day_of(day)));
        quiet(&program, record);
    }
    program.salon.hide_phones(SALON);
    let (code, said) = check_online(&program).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(
            "✗ Малаховка: телефоны видны в 0 из 5 записей, мастеров: 1\n  → Поставьте галочку:"
        ),
        "{said}"
    );
    assert!(
        said.ends_with("Работать не может, причин: 1. Каждая строка с ✗ говорит, что поправить.\n"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_yclients_sends_itself_is_a_remark_only_where_we_would_tell_the_same() {
    let (program, telegram) = with_owner().await;
    program.book();
    let (code, said) = check_online(&program).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("! Малаховка: YClients и сам сообщает о записи, SMS: 1, письмо: 1 из 1\n  → Клиент узнает дважды."), "{said}");
    assert!(
        said.contains("· Малаховка: YClients сам напоминает по SMS: 1 из 1."),
        "{said}"
    );
    program.configure(&format!(
        "notify = {{ created = false }}\n{}",
        owner(&telegram)
    ));
    let (_, said) = check_online(&program).await;
    assert!(!said.contains("Клиент узнает дважды"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_service_comes_with_what_to_do() {
    let (program, telegram) = with_owner().await;
    program.salon.forbid(SALON, true);
    program.green.set_state("notAuthorized");
    let (code, said) = check_online(&program).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("✗ companies.id = 111111: HTTP 403: Нет прав на управление филиалом\n  → Дайте роботу права:"), "{said}");
    assert!(
        said.contains("✗ channels.whatsapp: the account is notAuthorized\n  → Телефон отвязан:"),
        "{said}"
    );
    program.salon.forbid(SALON, false);
    program.green.set_state("authorized");
    program.green.set_settings(
        serde_json::json!({"webhookUrl": "https://crm.example/hook", "incomingWebhook": "yes"}),
    );
    telegram.set_webhook("https://crm.example/hook");
    program.salon.skew_clock(chrono::TimeDelta::minutes(-10));
    let (code, said) = check_online(&program).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("! channels.whatsapp: the instance has a webhookUrl"),
        "{said}"
    );
    assert!(
        said.contains("→ Уведомления инстанса уходят другой программе."),
        "{said}"
    );
    assert!(
        said.contains("! channels.owners: the bot has a webhook"),
        "{said}"
    );
    assert!(
        said.contains("! часы этой машины расходятся с YClients на"),
        "{said}"
    );
    assert!(
        said.ends_with("Может работать, но есть замечания: 3.\n"),
        "{said}"
    );
    for secret in [
        PARTNER_TOKEN,
        USER_TOKEN,
        GREEN_TOKEN,
        TELEGRAM_TOKEN,
        "crm.example",
    ] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_would_hear_of_a_broken_channel_over_that_channel_alone_is_warned_of() {
    let program = Program::new().await;
    program.configure("owner = [{ channel = \"whatsapp\", to = \"+79000000009\" }]");
    let run = program.run(&["check"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let said = stdout(&run);
    assert!(
        said.contains("о поломке канала узнать будет неоткуда"),
        "{said}"
    );
    program
        .configure("owner = [{ channel = \"whatsapp\", to = \"+79000000009\", alerts = false }]");
    let said = stdout(&program.run(&["check"]).await);
    assert!(
        said.contains("! некому узнать о поломке, филиалы: 111111\n"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_to_whom_messages_go_right_now() {
    let program = Program::new().await;
    program.configure("only_phones = [\"+79000000009\"]");
    let said = stdout(&program.run(&["check"]).await);
    assert!(
        said.contains("Сообщения уходят только на тестовые номера: +7 *** ***-**-09."),
        "{said}"
    );
    program.configure("dry_run = true");
    let said = stdout(&program.run(&["check"]).await);
    assert!(
        said.contains("Сообщения не уходят никому: dry_run."),
        "{said}"
    );
}

/// Half past two, some days from now.
fn day_of(days: i64) -> String {
    start(days).format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// YClients sends nothing of its own about this booking.
fn quiet(program: &Program, record: i64) {
    program.salon.edit(SALON, record, |row| {
        for key in ["sms_now", "sms_before", "email_now"] {
            row[key] = 0.into();
        }
    });
}
