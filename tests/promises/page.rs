//! The status page: who may look at it, what it says, and that nobody's name or number is on it.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::support::agent;
use crate::support::fake::Answer;
use crate::support::program::{Program, stderr};
use crate::support::receiver::Receiver;
use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::app::page::{self, Shown};
use booking_monitor::daemon::Pulse;
use booking_monitor::demo::salon::{Fault, Route};
use booking_monitor::http_client::{ClientSettings, client_for};
use booking_monitor::pipeline::orders;
use booking_monitor::ports::Clock as _;
use booking_monitor::store::{self, pauses::Pause, pauses::Selector};
use chrono::{TimeDelta, Utc};
use reqwest::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use reqwest::{Client, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500" }]"#;

/// The page of this world, for as long as the runtime lives.
async fn served(world: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let pulse = Arc::<Pulse>::default();
    let shown = Shown::working(&world.config, world.pipeline().meters(), &pulse);
    let shown = shown.by_clock(Arc::new(world.clock.clone()));
    tokio::spawn(page::serve(listener, shown, CancellationToken::new()));
    address
}

fn client() -> Client {
    let settings = ClientSettings {
        timeout: Duration::from_secs(30),
        proxy: None,
        ca_file: None,
    };
    client_for("http://127.0.0.1", &settings).unwrap()
}

async fn get(address: SocketAddr, path: &str) -> Response {
    client()
        .get(format!("http://{address}{path}"))
        .send()
        .await
        .unwrap()
}

/// A day with everything in it: told, silent, held up, in doubt; a client with a name that would like
/// to be a tag, and a channel that is down.
async fn eventful(language: &str) -> World {
    let receiver = Receiver::start().await;
    receiver.answer(502);
    let sinks = format!("[[events]]\nto = \"http\"\nurl = \"{}\"", receiver.url);
    let mut world =
        World::watching_with("", &format!("title = \"Малаховка <b>&\"\n{OWNED}\n{sinks}")).await;
    world.config.language = match language {
        "en" => booking_monitor::config::Language::En,
        _ => booking_monitor::config::Language::Ru,
    };
    let people = [
        ("Анна", "+79000000001", "2026-08-21T14:30:00"),
        ("Вера", "+79000000002", "2026-08-21T16:00:00"),
        (
            "<script>alert(1)</script>",
            "+79000000003",
            "2026-08-22T11:00:00",
        ),
        ("Инна", "+79000000004", "2026-08-22T12:00:00"),
        ("Олег", "", "2026-08-23T12:00:00"),
        ("Лев", "+79000000005", "2026-08-23T18:00:00"),
    ];
    let mut records = Vec::new();
    for (n, (name, phone, start)) in people.into_iter().enumerate() {
        let mut draft = haircut(start).client(name, phone);
        if name == "Лев" {
            draft = draft.comment("AI Admin");
        }
        if name == "Инна" {
            world.shut_the_journal();
            world.green.answer_next(Answer::Drop { taken: true });
        }
        records.push(world.salon.book(draft));
        world.tell().await;
        if name == "Инна" {
            world.give_up_searching().await;
        }
        if n % 2 == 0 {
            world.advance("3h");
        }
    }
    world
        .salon
        .reschedule(SALON, records[0], at("2026-08-24T15:00:00"));
    world.tell().await;
    let sent = world.green.sent();
    world.green.push_status(&sent[0].id, "read");
    world.green.push_status(&sent[1].id, "delivered");
    world.receive().await;
    world.hand_on().await;
    world.salon.cancel(SALON, records[1]);
    world.tell().await;
    world.advance("20m");
    world.poll().await;
    world.green.answer_next(Answer::http(401, "Unauthorized"));
    world
        .salon
        .book(haircut("2026-08-24T17:00:00").client("Яна", "+79000000006"));
    world.tell().await;
    world
}

#[tokio::test]
async fn the_page_says_how_everything_fares_and_names_nobody() {
    let world = eventful("ru").await;
    let answer = get(served(&world).await, "/").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    let policy = answer.headers()[CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned();
    let html = answer.text().await.unwrap();
    let nonce = html.split("<style nonce=\"").nth(1).unwrap();
    let nonce = nonce.split('"').next().unwrap();
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
    for shown in [
        "lang=\"ru\"",
        "Не всё в порядке",
        "Малаховка &lt;b&gt;&amp;",
        "+7 *** ***-**-01",
        "прочитано",
        "доставлено",
        "нет телефона",
        "записал бот, он уже сообщил",
        "неизвестно, дошло ли",
        "HTTP 502 Bad Gateway",
        "HTTP 401",
        "За сутки, по часам: сообщили",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    for hidden in [
        "9000000001",
        "Анна",
        "alert(1)",
        "<script",
        "CANARY",
        "МУЖСКАЯ",
        "style=\"",
        "http-equiv=\"set",
    ] {
        assert!(!html.contains(hidden), "{hidden}: {html}");
    }
}

#[tokio::test]
async fn the_page_speaks_the_languages_of_the_configuration() {
    let mut world = World::watching().await;
    world.config.language = booking_monitor::config::Language::En;
    let html = get(served(&world).await, "/").await.text().await.unwrap();
    for shown in ["lang=\"en\"", "All is well", "Last 7 days", "Nothing yet."] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    let russian = |c: char| ('а'..='я').contains(&c.to_ascii_lowercase());
    let left: Vec<&str> = html
        .split(|c: char| !russian(c))
        .filter(|w| !w.is_empty())
        .collect();
    assert_eq!(left, ["алаховка"], "the salon's own name");
}

#[tokio::test]
async fn metrics_have_a_type_a_help_and_base_units() {
    let world = eventful("ru").await;
    let answer = get(served(&world).await, "/metrics").await;
    let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    assert_eq!(
        kind,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = answer.text().await.unwrap();
    for line in [
        "# TYPE booking_monitor_poll_age_seconds gauge",
        "# UNIT booking_monitor_poll_age_seconds seconds",
        "# TYPE booking_monitor_send_duration_seconds histogram",
        "# TYPE booking_monitor_changes counter",
        "booking_monitor_changes_total{company=\"111111\",type=\"created\"} 7",
        "booking_monitor_changes_total{company=\"111111\",type=\"updated\"} 1",
        "booking_monitor_channel_up{channel=\"whatsapp\",type=\"green-api\"} 0.0",
        "booking_monitor_channel_up{channel=\"telegram\",type=\"telegram\"} 1.0",
        "booking_monitor_outbox{status=\"uncertain\"} 1.0",
        "booking_monitor_uncertain 1.0",
        "booking_monitor_guard_held{company=\"111111\"} 0.0",
        "booking_monitor_poll_age_seconds{company=\"111111\"} 0.0",
        "booking_monitor_sweep_age_seconds{company=\"111111\"} 31.0",
        "booking_monitor_company_healthy{company=\"111111\"} 1.0",
        "booking_monitor_sends_total{channel=\"whatsapp\",outcome=\"uncertain\"} 1",
        "# EOF",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    for name in text.lines().filter(|l| !l.starts_with('#')) {
        assert!(name.starts_with("booking_monitor_"), "{name}");
        let of = name.split(['{', ' ']).next().unwrap();
        let known = |line: &str| {
            let named = line
                .strip_prefix("# HELP ")
                .and_then(|l| l.split(' ').next());
            named.is_some_and(|named| of.starts_with(named))
        };
        assert!(text.lines().any(known), "{name}");
    }
    // A value may have any digits, also these.
    let labels = |line: &str| {
        line.rsplit_once(' ')
            .map(|(labels, _)| format!("{labels}\n"))
    };
    let said: String = text.lines().filter_map(labels).collect();
    for hidden in ["9000000", "Анна", "CANARY"] {
        assert!(!said.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn the_readmes_tables_of_metrics_have_each_of_them_and_no_other() {
    let world = eventful("en").await;
    // This world's journal is read by a client that counts for nobody.
    world.pipeline().meters().requested(Some(200));
    let answer = get(served(&world).await, "/metrics").await;
    let text = answer.text().await.unwrap();
    let mut real: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some(family) = line.strip_prefix("# TYPE booking_monitor_") else {
            continue;
        };
        real.push(match family.split_once(' ').unwrap() {
            (name, "counter") => format!("{name}_total"),
            (name, "info") => format!("{name}_info"),
            (name, _) => name.to_owned(),
        });
    }
    real.sort();
    for (file, head) in [
        (
            "README.md",
            "| metric (all begin with `booking_monitor_`) |",
        ),
        (
            "README.ru.md",
            "| метрика (все начинаются с `booking_monitor_`) |",
        ),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let readme = std::fs::read_to_string(path).unwrap();
        let (_, table) = readme.split_once(head).unwrap();
        let rows = table.lines().skip(2).take_while(|l| l.starts_with('|'));
        let first = rows.map(|row| row[1..].split('|').next().unwrap());
        let names = first.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        let mut shown: Vec<&str> = names.collect();
        shown.sort_unstable();
        assert_eq!(shown, real, "{file}");
    }
}

#[tokio::test]
async fn with_a_token_only_health_is_for_everybody() {
    let mut world = World::watching().await;
    world.config.http.token = Some("CANARY-page".into());
    let address = served(&world).await;
    let health = get(address, "/healthz").await;
    assert_eq!(health.status(), 200);
    assert_eq!(health.text().await.unwrap(), r#"{"status":"ok"}"#);
    for path in ["/", "/metrics", "/other"] {
        let url = format!("http://{address}{path}");
        let refused = client().get(&url).send().await.unwrap();
        assert_eq!(refused.status(), 401, "{path}");
        assert!(
            refused.headers()[WWW_AUTHENTICATE]
                .to_str()
                .unwrap()
                .starts_with("Basic ")
        );
        let wrong = client()
            .get(&url)
            .bearer_auth("CANARY")
            .send()
            .await
            .unwrap();
        assert_eq!(wrong.status(), 401, "{path}");
        let right = if path == "/other" { 404 } else { 200 };
        let bearer = client()
            .get(&url)
            .bearer_auth("CANARY-page")
            .send()
            .await
            .unwrap();
        assert_eq!(bearer.status(), right, "{path}");
        let basic = client().get(&url).basic_auth("me", Some("CANARY-page"));
        assert_eq!(basic.send().await.unwrap().status(), right, "{path}");
    }
}

#[tokio::test]
async fn a_name_that_points_to_this_machine_shows_nothing_and_nothing_can_be_changed() {
    let world = World::watching().await;
    let address = served(&world).await;
    let url = format!("http://{address}/");
    let foreign = client().get(&url).header(HOST, "salon.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let local = client().get(&url).header(HOST, "localhost:9464");
    assert_eq!(local.send().await.unwrap().status(), 200);
    let changed = client().post(&url).send().await.unwrap();
    assert_eq!(changed.status(), 405);
    assert_eq!(changed.headers()["allow"], "GET, HEAD");
    let head = client().head(&url).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.text().await.unwrap(), "");
}

#[tokio::test]
async fn without_a_database_the_page_says_so_and_health_goes_by_the_loops() {
    let mut world = World::watching().await;
    let address = served(&world).await;
    world.stop();
    std::fs::rename(world.database(), world.folder.path().join("elsewhere")).unwrap();
    assert_eq!(get(address, "/").await.status(), 503);
    assert_eq!(get(address, "/metrics").await.status(), 503);
    assert_eq!(get(address, "/healthz").await.status(), 200);
}

#[tokio::test]
async fn health_is_503_once_the_loops_stand_still() {
    let world = World::watching().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let still = Arc::new(Pulse::last_at(Utc::now() - TimeDelta::minutes(2)));
    let shown = Shown::working(&world.config, world.pipeline().meters(), &still);
    tokio::spawn(page::serve(listener, shown, CancellationToken::new()));
    let answer = get(address, "/healthz").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.text().await.unwrap(), r#"{"status":"stuck"}"#);
}

#[tokio::test]
async fn who_is_slow_to_ask_is_hung_up_on_and_keeps_nobody_waiting() {
    let world = World::watching().await;
    let address = served(&world).await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut guest = TcpStream::connect(address).await.unwrap();
        guest.write_all(b"GET / HT").await.unwrap();
        slow.push(guest);
    }
    assert_eq!(get(address, "/healthz").await.status(), 200);
    for mut guest in slow {
        let mut said = Vec::new();
        let left = tokio::time::timeout(Duration::from_secs(30), guest.read_to_end(&mut said));
        drop(left.await.expect("still listened to"));
    }
}

/// A port that is free now.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

fn listen(port: u16) -> String {
    format!("[http]\nlisten = \"127.0.0.1:{port}\"\n")
}

/// Asks until the page is there, or gone.
async fn until(port: u16, there: bool) {
    let url = format!("http://127.0.0.1:{port}/healthz");
    let wait = async {
        while client()
            .get(&url)
            .send()
            .await
            .is_ok_and(|a| a.status() == 200)
            != there
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_daemon_opens_the_page_a_reload_moves_it_and_a_port_that_is_taken_stops_no_message() {
    let program = Program::new().await;
    let (first, second) = (free_port().await, free_port().await);
    program.configure(&listen(first));
    let daemon = program.daemon();
    until(first, true).await;
    program.configure(&listen(second));
    daemon.signal("HUP");
    until(second, true).await;
    until(first, false).await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    program.configure(&listen(taken.local_addr().unwrap().port()));
    daemon.signal("HUP");
    until(second, false).await;
    program.book();
    program.green.wait_for(1).await;
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(20)).await;
    assert!(status.success(), "{log}");
    let said = log
        .lines()
        .filter(|l| l.contains("the status page cannot be opened"));
    assert_eq!(said.count(), 1, "{log}");
}

#[tokio::test]
async fn a_switched_off_program_still_shows_its_page() {
    let program = Program::new().await;
    let first = program.run(&["--once"]).await;
    assert!(first.status.success(), "{}", stderr(&first));
    let port = free_port().await;
    program.configure(&listen(port));
    let text = std::fs::read_to_string(program.config()).unwrap();
    program.write(&text.replace("[monitor]", "[monitor]\nenabled = false"));
    let _daemon = program.daemon();
    until(port, true).await;
    let page = get(([127, 0, 0, 1], port).into(), "/").await;
    assert_eq!(page.status(), 200);
}

/// What a browser makes of the page, if there is one on this machine.
struct Browser {
    folder: tempfile::TempDir,
}

impl Browser {
    fn find() -> Option<Self> {
        let found = Command::new("chromium").arg("--version").output();
        if found.is_ok_and(|output| output.status.success()) {
            let folder = tempfile::tempdir().unwrap();
            return Some(Self { folder });
        }
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "SKIPPED: chromium is not here (Debian: apt-get install chromium)"
        )
        .unwrap();
        None
    }

    fn command(&self, width: u32, dark: bool) -> Command {
        let mut command = Command::new("chromium");
        command
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
            ])
            .arg("--disable-dev-shm-usage")
            .arg("--virtual-time-budget=3000")
            .arg("--no-first-run")
            .arg(format!(
                "--user-data-dir={}",
                self.folder.path().join("profile").display()
            ))
            .arg(format!("--window-size={width},2600"));
        if dark {
            command.arg("--blink-settings=preferredColorScheme=0");
        }
        command
    }

    /// What this file reads as after its script has run.
    async fn read(&self, file: &Path, width: u32, dark: bool) -> String {
        let mut command = self.command(width, dark);
        command.args(["--allow-file-access-from-files", "--dump-dom"]);
        command.arg(format!("file://{}", file.display()));
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = tokio::time::timeout(Duration::from_secs(120), run).await;
        let output = output.unwrap().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    async fn picture(&self, file: &Path, width: u32, dark: bool, to: PathBuf) {
        let mut command = self.command(width, dark);
        command.arg(format!("--screenshot={}", to.display()));
        command.arg(format!("file://{}", file.display()));
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        drop(tokio::time::timeout(Duration::from_secs(120), run).await);
    }
}

/// The page in a frame of exactly this width, as on a phone, and what a browser measures in it: how
/// far it reaches to the right, which words are wider than their box, and in which colours.
fn measured(page: &Path, width: u32) -> String {
    format!(
        r#"<!doctype html><html style="color-scheme: light dark"><body style="margin:0">
<iframe src="{}" style="width:{width}px;height:2600px;border:0" onload="
  const d = this.contentDocument, w = this.contentWindow;
  const wide = [...d.querySelectorAll('body *')].filter(e =>
    e.getBoundingClientRect().right > {width} + 1 && !e.closest('thead'));
  document.body.dataset.reach = d.documentElement.scrollWidth;
  document.body.dataset.wide = wide.map(e => e.tagName + '.' + e.className + ':' + e.textContent.slice(0, 20)).join('|');
  document.body.dataset.ground = w.getComputedStyle(d.body).backgroundColor;
  document.body.dataset.bars = [...d.querySelectorAll('svg rect.told')].filter(e => e.getBoundingClientRect().height > 1).length;
  document.body.dataset.rows = d.querySelectorAll('#last tbody tr').length;
  document.body.dataset.fetched = w.performance.getEntriesByType('resource').length;
"></iframe></body></html>"#,
        page.display()
    )
}

#[tokio::test]
async fn in_a_browser_nothing_overflows_and_the_page_is_light_and_dark() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let world = eventful("ru").await;
    let html = get(served(&world).await, "/").await.text().await.unwrap();
    let folder = browser.folder.path().to_owned();
    let file = folder.join("page.html");
    std::fs::write(&file, html).unwrap();
    for (width, dark) in [(375, false), (375, true), (1280, false), (1280, true)] {
        let frame = folder.join("frame.html");
        std::fs::write(&frame, measured(&file, width)).unwrap();
        let dom = browser.read(&frame, 1400, dark).await;
        let ground = if dark {
            "rgb(20, 24, 27)"
        } else {
            "rgb(246, 247, 248)"
        };
        for measured in [
            format!("data-reach=\"{width}\""),
            "data-wide=\"\"".to_owned(),
            format!("data-ground=\"{ground}\""),
            "data-rows=\"9\"".to_owned(),
            "data-fetched=\"0\"".to_owned(),
        ] {
            assert!(
                dom.contains(&measured),
                "{width} dark={dark}: {measured}\n{dom}"
            );
        }
        assert!(!dom.contains("data-bars=\"0\""), "{dom}");
        // To be looked at by people.
        if let Ok(pictures) = std::env::var("PAGE_PICTURES") {
            let kind = if dark { "dark" } else { "light" };
            let to = Path::new(&pictures).join(format!("page-{width}-{kind}.png"));
            // A window is never narrower than a browser's own least; the frame is.
            let shown = if width < 500 { &frame } else { &file };
            browser.picture(shown, width.max(500), dark, to).await;
        }
    }
}

#[tokio::test]
async fn a_salon_that_cannot_be_read_is_shown_with_its_reason() {
    let world = World::watching().await;
    let body = r#"{"success":false,"meta":{"message":"Необходима авторизация"}}"#;
    let refused = Fault::Status(401, body.to_owned());
    world.salon.set_fault(Route::Records, Some(refused));
    world.poll_of(SALON).await;
    let html = get(served(&world).await, "/").await.text().await.unwrap();
    assert!(html.contains("<span class=\"bad\">HTTP 401"), "{html}");
    assert!(html.contains("Не всё в порядке"), "{html}");
}

/// `status`, beside the running program.
async fn status(world: &World) -> String {
    let config = world.folder.path().join("booking-monitor.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_booking-monitor"));
    command.arg("--config").arg(config).arg("status");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_test_is_about_no_record() {
    let world = World::watching().await;
    let sql = "INSERT INTO booking_notifications (company_id, record_id, visit_id, unit, kind, phone, recipient,
                   channel, status, first_change_at, changed_at, due_at, created_at)
               VALUES (111111, 0, 0, '', 'test', '+79000000009', '+79000000009', 'whatsapp', 'sent',
                   '2026-08-20T09:00:00.000Z', '2026-08-20T09:00:00.000Z', '2026-08-20T09:00:00.000Z',
                   '2026-08-20T09:00:00.000Z')";
    world.sql().execute(sql, []).unwrap();
    let html = get(served(&world).await, "/").await.text().await.unwrap();
    assert!(html.contains("data-name=\"Запись\">—</td>"), "{html}");
}

#[tokio::test]
async fn what_is_switched_off_says_so_and_not_only_that_it_is_late() {
    let mut world = World::watching().await;
    world.config.enabled = false;
    let html = get(served(&world).await, "/").await.text().await.unwrap();
    assert!(
        html.contains("Выключено (monitor.enabled = false)"),
        "{html}"
    );
    let config = world.folder.path().join("booking-monitor.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let off = match text.contains("[monitor]") {
        true => text.replace("[monitor]", "[monitor]\nenabled = false"),
        false => format!("{text}\n[monitor]\nenabled = false\n"),
    };
    std::fs::write(&config, off).unwrap();
    let told = status(&world).await;
    assert!(
        told.contains("Выключено (monitor.enabled = false)"),
        "{told}"
    );
}

#[tokio::test]
async fn an_alert_that_did_not_arrive_is_named_where_the_page_says_that_not_all_is_well() {
    let world = World::watching_with("", OWNED).await;
    world.telegram.answer_next(Answer::http(
        400,
        r#"{"ok":false,"error_code":400,"description":"Bad Request: message is too long"}"#,
    ));
    world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    assert_eq!(
        world.rows("SELECT kind FROM booking_notifications WHERE status = 'dead'"),
        ["owner"]
    );
    let html = get(served(&world).await, "/").await.text().await.unwrap();
    assert!(html.contains("Не всё в порядке"), "{html}");
    assert!(
        html.contains("Не дошло или неизвестно, дошло ли, за 24 ч: 1"),
        "{html}"
    );
}

#[tokio::test]
async fn what_waited_for_two_days_and_was_lost_just_now_is_no_good_news() {
    let world = World::watching().await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    let pause = Pause {
        of: Selector::default(),
        until: Some(world.clock.now() + TimeDelta::hours(48)),
    };
    let now = world.clock.now();
    let mut conn = store::open_writer(&world.database()).unwrap();
    store::write_on(&mut conn, |tx| orders::pause(tx, &pause, now)).unwrap();
    let later = at("2026-08-25T17:00:00");
    world.salon.reschedule(SALON, record, later);
    world.tell().await;
    world.advance("48h");
    world.poll().await;
    world
        .green
        .answer_next(Answer::http(400, r#"{"message":"Validation failed"}"#));
    world.turn().await;
    assert_eq!(
        world.rows("SELECT status FROM booking_notifications WHERE kind = 'updated'"),
        ["dead"]
    );
    let html = get(served(&world).await, "/").await.text().await.unwrap();
    assert!(html.contains("Не всё в порядке"), "{html}");
}

#[tokio::test]
async fn the_oldest_waits_so_long_and_does_so_in_grammar() {
    let world = World::watching().await;
    world.green.set_state("notAuthorized");
    world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    let told = status(&world).await;
    let line = told.lines().find(|line| line.starts_with("Самое старое"));
    let line = line.unwrap_or_else(|| panic!("{told}"));
    assert!(!line.contains("назад"), "{line}");
}

#[tokio::test]
async fn an_agent_without_its_model_is_named_on_the_page() {
    let (world, model) = agent::salon("", agent::WRITES).await;
    model.be_in_trouble(Some(401));
    agent::say(&world, "Сколько стоит стрижка?").await;
    let now = world.clock.now();
    world.pipeline().models_due(now).await.unwrap();
    world.pipeline().alerts_due(now).await.unwrap();
    let html = get(served(&world).await, "/").await.text().await.unwrap();
    assert!(html.contains("Не всё в порядке"), "{html}");
    assert!(html.contains("Агент, Малаховка: отвечает"), "{html}");
    assert!(html.contains("модель не отвечает, началось:"), "{html}");
}

#[tokio::test]
async fn a_channel_that_answers_and_takes_no_message_is_down_to_everybody() {
    let world = World::watching_with("", OWNED).await;
    let record = world.salon.book(haircut("2026-08-25T14:30:00"));
    let exhausted = r#"{"invokeStatus":{"status":"QUOTE_EXCEEDED"}}"#;
    world.green.answer_next(Answer::http(466, exhausted));
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    // Asked for its state it says that it is authorized; there is no message to find out with.
    world.advance("1m");
    world.poll().await;
    world.turn().await;
    world.telegram.push_text(500, "/status");
    world.receive().await;
    world.deliver().await;
    let told = world.owner_told().pop().unwrap();
    assert!(told.contains("WhatsApp: HTTP 466"), "{told}");
    let address = served(&world).await;
    let html = get(address, "/").await.text().await.unwrap();
    assert!(html.contains("Не всё в порядке"), "{html}");
    let metrics = get(address, "/metrics").await.text().await.unwrap();
    let down = r#"channel_up{channel="whatsapp",type="green-api"} 0.0"#;
    assert!(metrics.contains(down), "{metrics}");
}
