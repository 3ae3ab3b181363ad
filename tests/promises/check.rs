//! `check`: every problem at once and in the reader's language, few warnings, each with what to do.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::program::{Program, given_to_nobody, stderr, stdout};
use booking_monitor::demo::salon::{PARTNER_TOKEN, USER_TOKEN};

/// `check` of this text, in a folder of its own.
fn check(folder: &Path, text: &str, arguments: &[&str]) -> Output {
    let config = folder.join("booking-monitor.toml");
    std::fs::write(&config, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_booking-monitor"))
        .arg("--config")
        .arg(config)
        .arg("check")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Everything that has to be written, in this language.
fn whole(language: &str) -> String {
    format!(
        r#"language = "{language}"
[yclients]
partner_token = "p"
user_token = "u"
[channels.terminal]
type = "console"
[channels.owners]
type = "console"
[[companies]]
id = 1
channels = ["terminal"]
owner = [{{ channel = "owners", to = "1" }}]
"#
    )
}

#[test]
fn what_is_wrong_in_the_file_the_texts_and_the_database_is_said_in_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "{}notify = {{ creatd = true }}\n[templates]\ncreated = \"{{{{ dat }}}}\"\n[http]\nlisten = \"here\"\n",
        whole("ru")
    );
    std::fs::write(folder.path().join("booking-monitor.db.id"), "x 3\n").unwrap();
    let run = check(folder.path(), &text, &[]);
    assert_eq!(run.status.code(), Some(2), "{}", stderr(&run));
    let said = stdout(&run).replace(&format!("{}/", folder.path().display()), "");
    for line in [
        "✗ booking-monitor.toml:13: companies[0].notify.creatd: такого ключа нет; может быть, \"created\"?\n",
        "✗ booking-monitor.toml:17: http.listen: нужен адрес с портом вида \"127.0.0.1:9464\", а стоит \"here\"\n",
        "✗ booking-monitor.toml:15: templates.created, строка 1: нет переменной `dat`; может быть, `date`?\n",
        "✗ database.path: базы нет или она пуста, хотя раньше была: booking-monitor.db\n  → Вернуть копию: booking-monitor db restore ФАЙЛ;",
        "Работать не может, причин: 4.",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
}

#[test]
fn the_reader_of_english_gets_the_same_in_english() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{}country = \"Russia\"\n", whole("en"));
    std::fs::write(folder.path().join("booking-monitor.db.id"), "x 3\n").unwrap();
    let run = check(folder.path(), &text, &[]);
    assert_eq!(run.status.code(), Some(2), "{}", stderr(&run));
    let said = stdout(&run);
    assert!(
        said.contains(
            "companies[0].country: unknown country \"Russia\"; write the country's two letters, such as \"RU\"\n"
        ),
        "{said}"
    );
    assert!(said.contains("the database is missing or empty"), "{said}");
    let russian = said.chars().any(|c| ('а'..='я').contains(&c));
    assert!(!russian, "{said}");
}

#[test]
fn a_database_that_vanished_cannot_run_and_one_that_never_was_can() {
    let folder = tempfile::tempdir().unwrap();
    let run = check(folder.path(), &whole("ru"), &[]);
    assert_eq!(run.status.code(), Some(0), "{}", stdout(&run));
    assert!(
        stdout(&run).contains("✓ база появится при первом запуске:"),
        "{}",
        stdout(&run)
    );
    std::fs::write(folder.path().join("booking-monitor.db.id"), "x 3\n").unwrap();
    let run = check(folder.path(), &whole("ru"), &[]);
    assert_eq!(run.status.code(), Some(2), "{}", stdout(&run));
    assert!(
        stdout(&run).contains("начать заново, молча: booking-monitor db accept."),
        "{}",
        stdout(&run)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_that_a_start_would_refuse_is_refused_by_check() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    let before = std::fs::read(program.database()).unwrap();
    program.run(&["--once"]).await;
    std::fs::write(program.database(), before).unwrap();
    let run = program.run(&["check"]).await;
    let said = stdout(&run);
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("✗ database.path: это старая копия"), "{said}");
    let start = program.run(&["--once"]).await;
    assert_eq!(start.status.code(), Some(78), "{}", stderr(&start));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_nobody_uses_is_no_reason_not_to_run_and_one_that_cannot_be_reached_is() {
    let program = Program::new().await;
    // Nobody listens there any more.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let cloud = format!(
        "[channels.cloud]\ntype = \"whatsapp-cloud\"\napi_url = \"http://{address}\"\nphone_number_id = \"1\"\ntoken = \"t\"\n"
    );
    program.configure(&cloud);
    let run = program.run(&["check", "--online"]).await;
    let said = stdout(&run);
    assert_eq!(run.status.code(), Some(0), "{said}");
    assert!(
        said.contains("! channels.cloud: нет соединения: там никто не слушает (os error 111)\n  → Этим каналом не пользуется ни один филиал"),
        "{said}"
    );
    program.configure(&format!(
        "owner = [{{ channel = \"cloud\", to = \"+79000000009\" }}]\n{cloud}"
    ));
    let run = program.run(&["check", "--online"]).await;
    let said = stdout(&run);
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(
        said.contains("✗ channels.cloud: нет соединения: там никто не слушает (os error 111)\n  → Проверьте сеть и api_url канала"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_to_anybody_while_all_is_paused_or_no_channel_is_named() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    program.run(&["pause"]).await;
    let said = stdout(&program.run(&["check"]).await);
    assert!(
        said.contains(
            "\nСейчас клиентам не уходит ничего. Пауза для всех: до booking-monitor resume.\n"
        ),
        "{said}"
    );
    program.run(&["resume"]).await;
    let text = std::fs::read_to_string(program.config()).unwrap();
    program.write(&text.replace("channels = [\"whatsapp\"]\n", ""));
    let said = stdout(&program.run(&["check"]).await);
    assert!(
        said.contains("Сообщения не уходят никому: ни у одного филиала нет channels.\n"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_status_says_of_a_refusal_is_read_in_the_owners_language_and_scripts_read_english() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    program.sql(
        "UPDATE companies SET last_error = 'cannot connect: Connection refused (os error 111)'",
    );
    let said = stdout(&program.run(&["status"]).await);
    assert!(said.contains("нет соединения"), "{said}");
    assert!(!said.contains("cannot connect"), "{said}");
    let json = stdout(&program.run(&["status", "--json"]).await);
    assert!(
        json.contains("cannot connect: Connection refused"),
        "{json}"
    );
    for secret in [PARTNER_TOKEN, USER_TOKEN] {
        assert!(!json.contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_where_no_database_was_is_a_first_run_to_everybody() {
    let program = Program::new().await;
    std::fs::write(program.database(), "").unwrap();
    let checked = program.run(&["check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", stdout(&checked));
    assert!(
        stdout(&checked).contains("✓ база появится при первом запуске:"),
        "{}",
        stdout(&checked)
    );
    for command in [&["status"][..], &["db", "check"]] {
        let run = program.run(command).await;
        assert_eq!(run.status.code(), Some(1), "{command:?}");
        assert!(
            stderr(&run).contains("hint: it appears with the first run"),
            "{}",
            stderr(&run)
        );
    }
    let first = program.run(&["--once"]).await;
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_could_not_be_written_to_cannot_run() {
    let program = Program::new().await;
    let state = program.folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    program.configure("[database]\npath = \"state/booking-monitor.db\"");
    if !given_to_nobody(&state) {
        return;
    }
    let mode = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode));
    mode(program.folder.path(), 0o755).unwrap();
    mode(&state, 0o555).unwrap();
    let cannot = async |when: &str| {
        let checked = program.run(&["check"]).await;
        assert_eq!(
            checked.status.code(),
            Some(2),
            "{when}: {}",
            stdout(&checked)
        );
        assert!(
            stdout(&checked).contains("✗ database.path: нельзя записать"),
            "{when}: {}",
            stdout(&checked)
        );
        let run = program.run(&["--once"]).await;
        assert_eq!(run.status.code(), Some(1), "{when}: {}", stderr(&run));
    };
    cannot("before the first run").await;

    mode(&state, 0o755).unwrap();
    let first = program.run(&["--once"]).await;
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let checked = program.run(&["check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", stdout(&checked));
    mode(&state.join("booking-monitor.db"), 0o444).unwrap();
    cannot("with a file that nobody may write to").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_its_messenger_took_away_is_no_wrong_address() {
    let program = Program::new().await;
    for (state, action) in [
        (
            "blocked",
            "  → Мессенджер заблокировал или ограничил номер салона.",
        ),
        (
            "suspended",
            "  → Мессенджер заблокировал или ограничил номер салона.",
        ),
        (
            "pendingPassword",
            "  → Аккаунт ждёт пароля двухэтапной проверки",
        ),
    ] {
        program.green.set_state(state);
        let checked = program.run(&["check", "--online"]).await;
        assert_eq!(checked.status.code(), Some(1), "{}", stdout(&checked));
        assert!(
            stdout(&checked).contains(action),
            "{state}: {}",
            stdout(&checked)
        );
    }
}
