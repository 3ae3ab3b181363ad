//! The program itself, as a person runs it: the binary, a configuration in a folder, real time.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use booking_monitor::demo::salon::{PARTNER_TOKEN, Salon, USER_TOKEN};
use booking_monitor::ports::{Clock, SystemClock};
use chrono::{NaiveDateTime, TimeDelta};

use super::green_api::{self, GreenApi};
use super::world::{SALON, haircut};
use booking_monitor::domain::zone::Zone;

/// `nobody` of Debian.
pub const NOBODY: u32 = 65_534;

/// Gives a folder to `nobody`. `false`, loudly, for who is not root.
pub fn given_to_nobody(folder: &Path) -> bool {
    let given = std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)).is_ok();
    if !given {
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED: only root can give a folder away").unwrap();
    }
    given
}

/// A salon, a messenger and a folder with a configuration for the program.
pub struct Program {
    pub salon: Salon,
    pub green: GreenApi,
    pub folder: tempfile::TempDir,
}

impl Program {
    /// One company, WhatsApp through Green API, the shortest intervals.
    pub async fn new() -> Self {
        let salon = Salon::start(Arc::new(SystemClock)).await.unwrap();
        salon.add_company(
            SALON,
            "Малаховка",
            "Малаховка, Южная улица, 38",
            Zone::moscow(),
        );
        let program = Self {
            salon,
            green: GreenApi::start().await,
            folder: tempfile::tempdir().unwrap(),
        };
        program.configure("");
        program
    }

    /// Writes the configuration, with more companies or other tables at its end.
    pub fn configure(&self, rest: &str) {
        let text = format!(
            r#"
[monitor]
interval = "1s"
notification_delay = "1s"
[yclients]
base_url = "{base_url}"
partner_token = {{ env = "YCLIENTS_PARTNER_TOKEN" }}
user_token = {{ env = "YCLIENTS_USER_TOKEN" }}
timeout = "5s"
[channels.whatsapp]
type = "green-api"
api_url = "{green}"
instance_id = "{instance}"
token = {{ env = "GREEN_API_TOKEN" }}
messages_per_second = 100
timeout = "5s"
[[companies]]
id = {SALON}
channels = ["whatsapp"]
{rest}
"#,
            base_url = self.salon.base_url(),
            green = self.green.url,
            instance = green_api::INSTANCE,
        );
        self.write(&text);
    }

    /// Writes this configuration as it is.
    pub fn write(&self, text: &str) {
        std::fs::write(self.config(), text).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("booking-monitor.toml")
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("booking-monitor.db")
    }

    /// The program, about to be run with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_booking-monitor"));
        command
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .env_clear()
            .env("YCLIENTS_PARTNER_TOKEN", PARTNER_TOKEN)
            .env("YCLIENTS_USER_TOKEN", USER_TOKEN)
            .env("GREEN_API_TOKEN", green_api::TOKEN)
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    /// Starts the daemon.
    pub fn daemon(&self) -> Daemon {
        let child = self
            .command(&["run"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Daemon(child)
    }

    /// A booking of the day after tomorrow.
    pub fn book(&self) -> i64 {
        self.salon
            .book(haircut(&start(0).format("%Y-%m-%dT%H:%M:%S").to_string()))
    }

    /// Rows of a query with one text column.
    /// Writes to the database, as a person with `sqlite3` would.
    pub fn sql(&self, statement: &str) {
        let conn = rusqlite::Connection::open(self.database()).unwrap();
        conn.execute_batch(statement).unwrap();
    }

    pub fn rows(&self, query: &str) -> Vec<String> {
        let conn = rusqlite::Connection::open(self.database()).unwrap();
        let mut statement = conn.prepare(query).unwrap();
        let rows = statement.query_map([], |r| r.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

/// Half past two, the day after tomorrow and some days more, in Moscow.
pub fn start(days: i64) -> NaiveDateTime {
    let today = SystemClock
        .now()
        .with_timezone(&Zone::moscow())
        .date_naive();
    (today + TimeDelta::days(2 + days))
        .and_hms_opt(14, 30, 0)
        .unwrap()
}

/// A running daemon; killed when dropped.
pub struct Daemon(Child);

impl Daemon {
    /// One that was started otherwise.
    pub fn of(child: Child) -> Self {
        Self(child)
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end, at most `most`; returns its status and what it logged.
    pub async fn end(mut self, most: Duration) -> (ExitStatus, String) {
        let mut stderr = self.0.stderr.take().unwrap();
        let log = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut stderr, &mut text).unwrap();
            text
        });
        let log = tokio::time::timeout(most, log)
            .await
            .expect("the program did not end")
            .unwrap();
        (self.0.wait().unwrap(), log)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|status| status.is_none()) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
