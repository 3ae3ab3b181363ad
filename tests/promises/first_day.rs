//! The first ten minutes of somebody who is no programmer, and what packagers need before that.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::green_api::TOKEN as GREEN_TOKEN;
use crate::support::program::{NOBODY, Program, given_to_nobody, start, stderr, stdout};
use crate::support::telegram::{TOKEN as TELEGRAM_TOKEN, Telegram};
use crate::support::world::{SALON, haircut};
use booking_monitor::demo::salon::{PARTNER_TOKEN, Salon, USER_TOKEN};
use booking_monitor::domain::zone::Zone;

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
fn bash_completes_what_stands_behind_a_subcommand() {
    let script = stdout(&bare(&["completions", "bash"]));
    // What a Tab asks for: the function that is registered, with the words so far.
    let tab = r#"
        words=("$@")
        COMP_WORDS=(booking-monitor "${words[@]}")
        COMP_CWORD=${#words[@]}
        function=$(complete -p booking-monitor | sed 's/.*-F \([^ ]*\).*/\1/')
        "$function" booking-monitor "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
        echo "${COMPREPLY[*]}""#;
    for (words, completed) in [
        (&["sta"][..], "status"),
        (&["db", "ba"], "backup"),
        (&["status", "--js"], "--json"),
        (&["go-live", "--y"], "--yes"),
        (&["db", "prune", "--me"], "--messages"),
    ] {
        let asked = Command::new("bash")
            .args(["--norc", "-c", &format!("{script}\n{tab}"), "-"])
            .args(words)
            .output()
            .unwrap();
        assert_eq!(
            stdout(&asked).trim(),
            completed,
            "{words:?} {}",
            stderr(&asked)
        );
    }
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
        said.contains(
            "✗ channels.whatsapp: аккаунт в состоянии notAuthorized\n  → Телефон отвязан:"
        ),
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
        said.contains("! channels.whatsapp: у инстанса задан webhookUrl"),
        "{said}"
    );
    assert!(
        said.contains("→ Уведомления инстанса уходят другой программе."),
        "{said}"
    );
    assert!(
        said.contains("! channels.owners: у бота задан вебхук"),
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

/// Runs `init` in this folder with these answers. Whoever reads the terminal writes the word that it
/// shows to the bot, from chat 500.
async fn init(folder: &Path, salon: &Salon, telegram: &Telegram, answers: &[&str]) -> Init {
    let mut child = Command::new(env!("CARGO_BIN_EXE_booking-monitor"))
        .args(["init", "--yclients-url", &salon.base_url()])
        .args(["--telegram-url", &telegram.url])
        .env_clear()
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(answers.join("\n").as_bytes()).unwrap();
    stdin.write_all(b"\n").unwrap();
    drop(stdin);
    let telegram = telegram.clone();
    tokio::task::spawn_blocking(move || {
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (mut said, mut line) = (String::new(), String::new());
        while stdout.read_line(&mut line).unwrap() > 0 {
            if let Some((_, word)) = line.split_once("нажмите «Старт» и напишите: ")
            {
                telegram.push_text(500, word.trim());
            }
            said.push_str(&line);
            line.clear();
        }
        let mut errors = String::new();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        Init {
            code: child.wait().unwrap().code(),
            said,
            errors,
        }
    })
    .await
    .unwrap()
}

struct Init {
    code: Option<i32>,
    said: String,
    errors: String,
}

const LOGIN: &str = "robot@example.com";
const PASSWORD: &str = "CANARY-password";

/// The salon, its messenger and a bot, before anything is configured.
async fn unconfigured() -> (Program, Telegram) {
    let program = Program::new().await;
    std::fs::remove_file(program.config()).unwrap();
    program.salon.allow_login(LOGIN, PASSWORD, false);
    program
        .salon
        .add_company(222_222, "Вторая", "Москва", Zone::moscow());
    (program, Telegram::start().await)
}

/// Answers of somebody with WhatsApp and a bot of their own, from the channel on.
fn the_rest(program: &Program) -> Vec<String> {
    let own = |text: &str| text.to_owned();
    vec![
        own("1"),
        program.green.url.clone(),
        own(crate::support::green_api::INSTANCE),
        own(GREEN_TOKEN),
        // Switch the notifications on.
        own("да"),
        // A bot for the owner.
        own("да"),
        own(TELEGRAM_TOKEN),
        own("8 900 000-00-09"),
        // Silence after a chat, and the first reading.
        own("да"),
        own("да"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn init_makes_a_configuration_that_works_out_of_a_login_and_answers() {
    let (program, telegram) = unconfigured().await;
    let record = program.book();
    quiet(&program, record);
    let mut answers = vec!["1", PARTNER_TOKEN, "1", LOGIN, PASSWORD, "1"];
    let rest = the_rest(&program);
    answers.extend(rest.iter().map(String::as_str));
    let folder = program.folder.path();
    let done = init(folder, &program.salon, &telegram, &answers).await;
    assert_eq!(done.code, Some(0), "{}{}", done.said, done.errors);
    for said in [
        "  1. Малаховка, Малаховка, Южная улица, 38 (111111)\n  2. Вторая, Москва (222222)\n",
        "✓ Малаховка: телефоны видны в 1 из 1 записей, мастеров: 1\n",
        "✓ Вижу ваш чат.\n",
        "Сообщения уходят только на тестовые номера: +7 *** ***-**-09.",
        "Готово к работе.\n",
        "✓ Записей, о которых знаю и молчу: 1\n",
    ] {
        assert!(done.said.contains(said), "{said} in {}", done.said);
    }
    let config = std::fs::read_to_string(program.config()).unwrap();
    let expected = format!(
        r#"# Написано booking-monitor init. Все настройки с объяснением: booking-monitor.toml из поставки.
language = "ru"

[monitor]
# Пока список не пуст, пишем только на эти номера. Снимет его booking-monitor go-live.
only_phones = ["+79000000009"]
# Кто только что переписывался с салоном, тому о новой записи не пишем: ему уже ответили.
recent_activity = "10m"

[yclients]
base_url = "{}"
partner_token = {{ file = "secrets/yclients-partner" }}
user_token = {{ file = "secrets/yclients-user" }}

[channels.whatsapp]
type = "green-api"
api_url = "{}"
instance_id = "1101000001"
token = {{ file = "secrets/whatsapp" }}

[channels.owners]
type = "telegram"
api_url = "{}"
token = {{ file = "secrets/owners" }}

[[companies]]
# Малаховка, Малаховка, Южная улица, 38
id = 111111
channels = ["whatsapp"]
owner = [{{ channel = "owners", to = "500" }}]
"#,
        program.salon.base_url(),
        program.green.url,
        telegram.url
    );
    assert_eq!(config, expected);
    for file in [
        "booking-monitor.toml",
        "secrets/yclients-partner",
        "secrets/yclients-user",
        "secrets/whatsapp",
        "secrets/owners",
    ] {
        let path = folder.join(file);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains(PASSWORD), "{file}");
    }
    // Once, and only what was off.
    assert_eq!(program.green.count("setSettings"), 1);
    let set = program
        .green
        .requests()
        .into_iter()
        .find(|r| r.method == "setSettings");
    assert_eq!(
        set.unwrap().body,
        r#"{"outgoingMessageWebhook":"yes","outgoingWebhook":"yes","stateWebhook":"yes"}"#
    );
    assert_eq!(
        telegram.unconfirmed(),
        0,
        "the word is no message to the daemon"
    );
    let sent = telegram.count("sendMessage") + program.green.count("sendMessage");
    assert_eq!(sent, 0, "nobody was written to");
    for secret in [
        PARTNER_TOKEN,
        PASSWORD,
        GREEN_TOKEN,
        TELEGRAM_TOKEN,
        "demo-user-token",
    ] {
        assert!(
            !done.said.contains(secret) && !done.errors.contains(secret),
            "{secret}"
        );
    }

    // The daemon's own path, on that configuration: only the owner's number is written to.
    for (phone, day) in [("+79000000009", 1), ("+79000000002", 2)] {
        let draft = haircut(&day_of(day)).client("Вера", phone);
        program.salon.book(draft);
    }
    let config = config.replace("[monitor]", "[monitor]\nnotification_delay = \"1s\"");
    program.write(&config);
    program.run(&["--once"]).await;
    let run = program.run(&["--once", "--drain"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let chats: Vec<String> = program.green.sent().into_iter().map(|s| s.chat).collect();
    assert_eq!(chats, ["79000000009@c.us"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_root_sets_up_for_a_user_that_user_can_read_and_nobody_else() {
    let (program, telegram) = unconfigured().await;
    let folder = program.folder.path().join("salon");
    std::fs::create_dir(&folder).unwrap();
    if !given_to_nobody(&folder) {
        return;
    }
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(program.folder.path(), open).unwrap();
    let mut answers = vec!["1", PARTNER_TOKEN, "1", LOGIN, PASSWORD, "1"];
    let rest = the_rest(&program);
    answers.extend(rest.iter().map(String::as_str));
    let done = init(&folder, &program.salon, &telegram, &answers).await;
    assert_eq!(done.code, Some(0), "{}{}", done.said, done.errors);
    for (file, mode) in [
        ("booking-monitor.toml", 0o600),
        ("secrets", 0o700),
        ("secrets/yclients-user", 0o600),
        ("secrets/owners", 0o600),
        ("booking-monitor.db", 0o600),
        ("booking-monitor.db.id", 0o600),
    ] {
        let meta = std::fs::metadata(folder.join(file)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, mode, "{file}");
        assert_eq!(meta.uid(), NOBODY, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn init_explains_a_second_factor_and_takes_a_ready_token_instead() {
    let (program, telegram) = unconfigured().await;
    program.salon.allow_login("own@example.com", PASSWORD, true);
    let answers = [
        "1",
        PARTNER_TOKEN,
        "1",
        "own@example.com",
        PASSWORD,
        "2",
        USER_TOKEN,
        "все",
        "4",
        "нет",
        "+79000000009",
        "нет",
        "нет",
    ];
    let folder = program.folder.path();
    let done = init(folder, &program.salon, &telegram, &answers).await;
    assert_eq!(done.code, Some(0), "{}{}", done.said, done.errors);
    assert!(
        done.said.contains("вход с подтверждением (второй фактор)"),
        "{}",
        done.said
    );
    let config = std::fs::read_to_string(program.config()).unwrap();
    assert!(
        config.contains("id = 111111") && config.contains("id = 222222"),
        "{config}"
    );
    assert!(
        config.contains("[channels.terminal]\ntype = \"console\"\n"),
        "{config}"
    );
    assert!(!config.contains("recent_activity"), "{config}");
    let kept = std::fs::read_to_string(folder.join("secrets/yclients-user")).unwrap();
    assert_eq!(kept, USER_TOKEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn init_shows_which_box_to_tick_until_phones_are_visible_or_the_owner_goes_on() {
    let (program, telegram) = unconfigured().await;
    program.book();
    program.salon.hide_phones(SALON);
    let answers = [
        "1",
        PARTNER_TOKEN,
        "2",
        USER_TOKEN,
        "1",
        "да",
        "нет",
        "4",
        "нет",
        "+79000000009",
        "нет",
        "нет",
    ];
    let done = init(program.folder.path(), &program.salon, &telegram, &answers).await;
    assert_eq!(done.code, Some(0), "{}{}", done.said, done.errors);
    let seen = "✗ Малаховка: телефоны видны в 0 из 1 записей, мастеров: 1\n  → Поставьте галочку:";
    assert_eq!(done.said.matches(seen).count(), 2, "{}", done.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn init_never_touches_the_webhook_of_another_system() {
    let (program, telegram) = unconfigured().await;
    let theirs =
        serde_json::json!({"webhookUrl": "https://crm.example/hook", "incomingWebhook": "no"});
    program.green.set_settings(theirs);
    let green = program.green.url.clone();
    let answers = [
        "1",
        PARTNER_TOKEN,
        "2",
        USER_TOKEN,
        "2",
        "1",
        &green,
        crate::support::green_api::INSTANCE,
        GREEN_TOKEN,
        "нет",
        "+79000000009",
        "нет",
        "нет",
    ];
    let done = init(program.folder.path(), &program.salon, &telegram, &answers).await;
    assert_eq!(done.code, Some(0), "{}{}", done.said, done.errors);
    assert_eq!(program.green.count("setSettings"), 0);
    let config = std::fs::read_to_string(program.config()).unwrap();
    assert!(
        config.contains("token = { file = \"secrets/whatsapp\" }\nreceive = false\n"),
        "{config}"
    );
    assert!(!config.contains("owner ="), "{config}");
}

#[tokio::test(flavor = "multi_thread")]
async fn init_that_breaks_off_or_is_told_no_leaves_everything_as_it_was() {
    let (program, telegram) = unconfigured().await;
    let folder = program.folder.path();
    let cut_off = init(
        folder,
        &program.salon,
        &telegram,
        &["1", PARTNER_TOKEN, "2"],
    )
    .await;
    assert_eq!(cut_off.code, Some(1), "{}", cut_off.said);
    assert!(
        cut_off
            .errors
            .contains("error: the answers ended before the questions did; nothing was changed"),
        "{}",
        cut_off.errors
    );
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);

    program.write("# mine\n");
    let told_no = init(folder, &program.salon, &telegram, &["1", ""]).await;
    assert_eq!(told_no.code, Some(0), "{}", told_no.errors);
    assert!(
        told_no.said.ends_with("Ничего не изменено.\n"),
        "{}",
        told_no.said
    );
    assert_eq!(
        std::fs::read_to_string(program.config()).unwrap(),
        "# mine\n"
    );

    let answers = [
        "1",
        "да",
        PARTNER_TOKEN,
        "2",
        USER_TOKEN,
        "1",
        "4",
        "нет",
        "+79000000009",
        "нет",
        "нет",
    ];
    let replaced = init(folder, &program.salon, &telegram, &answers).await;
    assert_eq!(
        replaced.code,
        Some(0),
        "{}{}",
        replaced.said,
        replaced.errors
    );
    let old = folder.join("booking-monitor.toml.old");
    assert_eq!(std::fs::read_to_string(old).unwrap(), "# mine\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn init_sends_no_token_over_an_open_line() {
    let asked = bare(&["init", "--yclients-url", "http://journal.example/api/v1"]);
    assert_eq!(asked.status.code(), Some(2));
    assert!(
        stderr(&asked).contains("has to begin with https://"),
        "{}",
        stderr(&asked)
    );
}

/// Runs `go-live` with this answer.
async fn go_live(program: &Program, answer: &str) -> Output {
    let mut command = program.command(&["go-live"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let answer = format!("{answer}\n");
    tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        // It may have left without asking.
        drop(child.stdin.take().unwrap().write_all(answer.as_bytes()));
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn go_live_shows_what_test_mode_kept_and_lifts_it_only_when_told_to() {
    let program = Program::new().await;
    program.configure("# until we trust it\nonly_phones = [\"+79000000009\"] # me\n");
    program.run(&["--once"]).await;
    program.book();
    program.run(&["--once", "--drain"]).await;
    assert_eq!(program.green.sent().len(), 0);
    let before = std::fs::read_to_string(program.config()).unwrap();

    let asked = go_live(&program, "").await;
    assert_eq!(asked.status.code(), Some(1), "{}", stderr(&asked));
    let said = stdout(&asked);
    assert!(
        said.contains("За последние сутки ушло бы клиентам сообщений: 1\n"),
        "{said}"
    );
    assert!(
        said.contains("+7 *** ***-**-01") && !said.contains("9000000001"),
        "{said}"
    );
    assert!(
        said.contains("! Малаховка: YClients и сам сообщает о записи, SMS: 1, письмо: 1 из 1\n"),
        "{said}"
    );
    assert!(
        said.lines().all(|line| line.chars().count() <= 300),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(program.config()).unwrap(), before);

    std::fs::set_permissions(program.config(), std::fs::Permissions::from_mode(0o640)).unwrap();
    let done = go_live(&program, "да").await;
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert!(
        stdout(&done).contains("sudo systemctl reload booking-monitor"),
        "{}",
        stdout(&done)
    );
    let after = std::fs::read_to_string(program.config()).unwrap();
    assert_eq!(after, before.replace("[\"+79000000009\"] # me", "[] # me"));
    let mode = std::fs::metadata(program.config())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);

    // What was kept stays kept; what comes now is told.
    program
        .salon
        .book(haircut(&day_of(3)).client("Вера", "+79000000002"));
    program.run(&["--once"]).await;
    program.run(&["--once", "--drain"]).await;
    let chats: Vec<String> = program.green.sent().into_iter().map(|s| s.chat).collect();
    assert_eq!(chats, ["79000000002@c.us"]);

    let again = go_live(&program, "").await;
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert!(
        stdout(&again).starts_with("Сообщения и так уходят всем клиентам"),
        "{}",
        stdout(&again)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn init_speaks_english_to_whoever_chooses_it() {
    let (program, telegram) = unconfigured().await;
    let answers = [
        "2",
        PARTNER_TOKEN,
        "2",
        USER_TOKEN,
        "all",
        "4",
        "no",
        "+79000000009",
        "yes",
        "no",
    ];
    let done = init(program.folder.path(), &program.salon, &telegram, &answers).await;
    assert_eq!(done.code, Some(0), "{}{}", done.said, done.errors);
    for said in [
        "2. A user for the robot.",
        "Messages go to the test phones only: +7 *** ***-**-09.",
        "booking-monitor go-live shows what yesterday would have sent",
    ] {
        assert!(done.said.contains(said), "{said} in {}", done.said);
    }
    let config = std::fs::read_to_string(program.config()).unwrap();
    assert!(config.contains("language = \"en\"\n"), "{config}");
    let cyrillic = |c: &char| ('а'..='я').contains(c);
    let names = [
        "русский",
        "Язык",
        "Малаховка",
        "Южная улица",
        "Вторая",
        "Москва",
    ];
    let ours = names
        .iter()
        .fold(done.said.clone(), |text, name| text.replace(name, ""));
    assert_eq!(ours.chars().filter(cyrillic).collect::<String>(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn started_by_root_go_live_leaves_the_file_roots_and_the_database_its_users() {
    let program = Program::new().await;
    let state = program.folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    if !given_to_nobody(&state) {
        return;
    }
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(program.folder.path(), open).unwrap();
    let text = std::fs::read_to_string(program.config()).unwrap();
    let text = text.replace(
        "[[companies]]",
        "[database]\npath = \"state/booking-monitor.db\"\n[[companies]]",
    );
    program.write(&format!("{text}only_phones = [\"+79000000009\"]\n"));
    program.run(&["--once"]).await;
    let done = go_live(&program, "да").await;
    assert_eq!(
        done.status.code(),
        Some(0),
        "{}{}",
        stdout(&done),
        stderr(&done)
    );
    let config = std::fs::metadata(program.config()).unwrap();
    assert_eq!(config.uid(), 0);
    for file in std::fs::read_dir(&state).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().uid(), NOBODY, "{:?}", file.path());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn init_asks_nothing_where_it_could_not_write_the_answers_down() {
    let (program, telegram) = unconfigured().await;
    let folder = program.folder.path().join("salon");
    std::fs::write(&folder, "a file, and nothing can be made in it").unwrap();
    let config = folder.join("booking-monitor.toml");
    let asked = bare(&[
        "--config",
        config.to_str().unwrap(),
        "init",
        "--yclients-url",
        &program.salon.base_url(),
        "--telegram-url",
        &telegram.url,
    ]);
    assert_eq!(asked.status.code(), Some(1), "{}", stdout(&asked));
    assert_eq!(stdout(&asked), "");
    assert!(
        stderr(&asked).starts_with(&format!("error: cannot write {}", folder.display())),
        "{}",
        stderr(&asked)
    );
}
