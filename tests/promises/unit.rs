//! What systemd hears from the daemon: readiness, a state, signs of life, and that it leaves. And what
//! its unit files and its package say for themselves.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::support::program::{Daemon, NOBODY, Program, given_to_nobody};
use booking_monitor::demo::salon::{Fault, Route};

/// The socket of a service manager.
struct Manager(UnixDatagram);

impl Manager {
    fn under(program: &Program) -> Self {
        let socket = UnixDatagram::bind(program.folder.path().join("notify")).unwrap();
        // No test waits longer for what must come.
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self(socket)
    }

    fn start(program: &Program) -> Daemon {
        let mut command = program.command(&["run"]);
        command
            .env("NOTIFY_SOCKET", program.folder.path().join("notify"))
            .env("WATCHDOG_USEC", "300000")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Daemon::of(command.spawn().unwrap())
    }

    /// Reads until a message has this in it.
    fn hear(&self, wanted: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length = self.0.recv(&mut buffer).unwrap();
            let said = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if said.contains(wanted) {
                return said;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_when_it_is_ready_how_it_goes_that_it_lives_and_that_it_leaves() {
    let program = Program::new().await;
    let manager = Manager::under(&program);
    let refused = Fault::Status(
        403,
        "{\"success\":false,\"meta\":{\"message\":\"нет прав\"}}".into(),
    );
    program.salon.set_fault(Route::Records, Some(refused));
    program.run(&["--once"]).await;
    let daemon = Manager::start(&program);
    let heard = tokio::task::spawn_blocking(move || {
        manager.hear("READY=1");
        let state = manager.hear("STATUS=companies");
        manager.hear("WATCHDOG=1");
        (manager, state)
    });
    let (manager, state) = heard.await.unwrap();
    assert_eq!(
        state.trim(),
        "STATUS=companies: 1, not readable: 1; messages waiting: 0"
    );
    daemon.signal("TERM");
    let left = tokio::task::spawn_blocking(move || manager.hear("STOPPING=1"));
    left.await.unwrap();
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_that_new_settings_are_refused_and_nothing_of_it_once_they_are_mended() {
    let program = Program::new().await;
    let manager = Manager::under(&program);
    let good = std::fs::read_to_string(program.config()).unwrap();
    let daemon = Manager::start(&program);
    let manager = tokio::task::spawn_blocking(move || {
        manager.hear("STATUS=companies");
        manager
    });
    let manager = manager.await.unwrap();
    program.write(&good.replace("[monitor]", "[monitor]\ninterval = \"soon\""));
    daemon.signal("HUP");
    let heard = tokio::task::spawn_blocking(move || (manager.hear("refused"), manager));
    let (refused, manager) = heard.await.unwrap();
    assert_eq!(
        refused.trim(),
        "STATUS=the new settings are refused, see the log; the old ones are in force"
    );
    program.write(&good);
    daemon.signal("HUP");
    let heard = tokio::task::spawn_blocking(move || manager.hear("STATUS=companies"));
    let state = heard.await.unwrap();
    assert!(!state.contains("refused"), "{state}");
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A program whose state is `nobody`'s and one of whose secrets root alone may read. `None`, loudly,
/// for who is not root.
async fn with_roots_secret() -> Option<Program> {
    let program = Program::new().await;
    let folder = program.folder.path();
    let state = folder.join("state");
    std::fs::create_dir(&state).unwrap();
    if !given_to_nobody(&state) {
        return None;
    }
    mode(folder, 0o755);
    let secret = folder.join("green");
    std::fs::write(&secret, crate::support::green_api::TOKEN).unwrap();
    mode(&secret, 0o600);
    let text = std::fs::read_to_string(program.config()).unwrap();
    let text = text
        .replace("{ env = \"GREEN_API_TOKEN\" }", "{ file = \"green\" }")
        .replace(
            "[[companies]]",
            "[database]\npath = \"state/booking-monitor.db\"\n[[companies]]",
        );
    program.write(&text);
    Some(program)
}

#[tokio::test(flavor = "multi_thread")]
async fn started_by_root_the_daemon_reads_roots_secrets_and_goes_on_as_the_owner_of_the_state() {
    let Some(program) = with_roots_secret().await else {
        return;
    };
    let folder = program.folder.path();
    let state = folder.join("state");
    let manager = Manager::under(&program);
    mode(&folder.join("notify"), 0o777);
    let daemon = Manager::start(&program);
    let heard = tokio::task::spawn_blocking(move || manager.hear("READY=1"));
    heard.await.unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    for line in ["Uid:", "Gid:"] {
        let ids = status.lines().find_map(|l| l.strip_prefix(line)).unwrap();
        // Real, effective, saved and of the file system.
        let ids: Vec<&str> = ids.split_whitespace().collect();
        assert_eq!(ids, ["65534"; 4], "{line}");
    }
    for file in std::fs::read_dir(&state).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().uid(), NOBODY, "{:?}", file.path());
    }
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_only_root_may_read_anew_wait_for_a_restart_and_the_daemon_goes_on_and_says_so()
 {
    let Some(program) = with_roots_secret().await else {
        return;
    };
    let folder = program.folder.path();
    program.run(&["--once"]).await;
    let manager = Manager::under(&program);
    mode(&folder.join("notify"), 0o777);
    let daemon = Manager::start(&program);
    let heard = tokio::task::spawn_blocking(move || manager.hear("READY=1"));
    heard.await.unwrap();
    daemon.signal("HUP");
    // Still at work with the old ones.
    program.book();
    program.green.wait_for(1).await;
    // Not even the file itself.
    mode(&program.config(), 0o600);
    daemon.signal("HUP");
    program.book();
    program.green.wait_for(2).await;
    daemon.signal("TERM");
    let (status, log) = daemon.end(Duration::from_secs(15)).await;
    assert_eq!(status.code(), Some(0), "{log}");
    let (config, secret) = (program.config(), folder.join("green"));
    let (config, secret) = (config.display(), secret.display());
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.starts_with("error: ") || line.starts_with("hint: "))
        .collect();
    let hint = "hint: started by root, the daemon has given root up since: what root alone may read it reads at a start; restart it";
    assert_eq!(
        told,
        [
            format!("error: {config}:14: channels.whatsapp.token: cannot read {secret}: Permission denied (os error 13); it must exist, hold the secret alone, and be readable by the program's user").as_str(),
            hint,
            &format!("error: {config}: cannot read the configuration: Permission denied (os error 13); name the file with --config or BOOKING_MONITOR_CONFIG"),
            hint,
        ],
        "{log}"
    );
    let kept = "the new configuration is not used; the old one stays in force";
    assert_eq!(log.matches(kept).count(), 2, "{log}");
}

#[test]
fn every_directive_of_the_units_has_its_own_comment() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    for file in [
        "booking-monitor.service",
        "booking-monitor-once.service",
        "booking-monitor-once.timer",
    ] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let mut before = "";
        for line in text.lines() {
            let is_directive = !line.is_empty() && !line.starts_with(['#', '[']);
            assert!(!is_directive || before.starts_with('#'), "{file}: {line}");
            before = line;
        }
    }
}

#[test]
fn what_the_debian_package_is_made_of_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().unwrap();
    assert!(assets.len() > 10);
    for asset in assets {
        let source = asset[0].as_str().unwrap();
        // What is built is not in the repository.
        assert!(
            source.starts_with("target/") || root.join(source).is_file(),
            "{source}"
        );
    }
    let scripts = deb["maintainer-scripts"].as_str().unwrap();
    assert!(root.join(scripts).join("postinst").is_file());
}
