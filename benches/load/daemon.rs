//! The release program as a person runs it: a folder with a configuration, a process, its log, and
//! what the kernel says of it.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Nothing here takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// What a run is configured with beyond the common part.
#[derive(Clone)]
pub(crate) struct Setup {
    /// The companies' numbers.
    pub(crate) companies: Vec<i64>,
    /// Below `[monitor]`.
    pub(crate) monitor: String,
    /// Messages a second.
    pub(crate) rate: f64,
}

impl Setup {
    pub(crate) fn of(companies: impl IntoIterator<Item = i64>, monitor: &str) -> Self {
        Self {
            companies: companies.into_iter().collect(),
            monitor: monitor.to_owned(),
            rate: FAST,
        }
    }

    /// The same with another pace of the channel.
    pub(crate) fn at_rate(&self, rate: f64) -> Self {
        Self {
            rate,
            ..self.clone()
        }
    }
}

/// No pace at all.
const FAST: f64 = 100_000.0;

/// The folder of one installation.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// On the disk that holds the build, so that a sync costs what it costs.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("booking-monitor.db")
    }

    fn configure(&self, url: &str, setup: &Setup) {
        let mut text = format!(
            r#"
[monitor]
{monitor}
[yclients]
base_url = "{url}"
partner_token = "partner"
user_token = "user"
requests_per_second = 100000
requests_per_minute = 6000000
page_size = 300
[channels.load]
type = "http"
preset = "none"
base_url = "{url}"
token = "secret"
messages_per_second = {rate:?}
request = {{ path = "/send", body = {{ to = "{{phone}}", text = "{{text}}" }} }}
"#,
            monitor = setup.monitor,
            rate = setup.rate,
        );
        for company in &setup.companies {
            write!(
                text,
                "[[companies]]\nid = {company}\nchannels = [\"load\"]\n"
            )
            .unwrap();
        }
        std::fs::write(self.path().join("booking-monitor.toml"), text).unwrap();
    }

    fn command(&self) -> Command {
        let built = env!("CARGO_BIN_EXE_booking-monitor").to_owned();
        let mut command = Command::new(std::env::var("BOOKING_MONITOR").unwrap_or(built));
        command
            .arg("--config")
            .arg(self.path().join("booking-monitor.toml"))
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// Starts the daemon. `debug` also logs polls that brought nothing.
    pub(crate) fn start(&self, url: &str, setup: &Setup, debug: bool) -> Daemon {
        self.configure(url, setup);
        let mut command = self.command();
        command.stderr(Stdio::piped());
        let level = match debug {
            true => "info,booking_monitor::pipeline::poll=debug",
            false => "info",
        };
        command.env("BOOKING_MONITOR_LOG", level);
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        let (said, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Nobody may be listening any more.
                drop(said.send((Instant::now(), line)));
            }
        });
        Daemon {
            child,
            log,
            started,
        }
    }

    /// One run from start to end, which takes the baseline of a fresh database.
    pub(crate) fn once(&self, url: &str, setup: &Setup) {
        self.configure(url, setup);
        let done = self.command().arg("--once").output().unwrap();
        let why = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{why}");
    }
}

/// A running daemon; it is ended when this is dropped.
pub(crate) struct Daemon {
    child: Child,
    log: Receiver<(Instant, String)>,
    /// When it was started.
    pub(crate) started: Instant,
}

/// A line of the log that somebody waited for.
pub(crate) struct Line {
    /// When it was read.
    pub(crate) at: Instant,
    text: String,
}

impl Line {
    /// A field of the line that is a number; 0 where it has none of that name.
    pub(crate) fn number(&self, field: &str) -> u64 {
        let mut words = self.text.split_whitespace();
        let value = words.find_map(|word| word.strip_prefix(field)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).unwrap_or(0)
    }
}

impl Daemon {
    /// The next line of the log that has all of these words.
    pub(crate) fn line(&self, words: &[&str]) -> Line {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.log.recv_timeout(left) {
                Ok((at, text)) if words.iter().all(|word| text.contains(word)) => {
                    return Line { at, text };
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("the daemon never said {words:?}")
                }
            }
        }
    }

    /// What it has used up to now.
    pub(crate) fn usage(&self) -> Usage {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let stat = std::fs::read_to_string(folder.join("stat")).unwrap();
        // Behind the name in parentheses: the state is the third field, user time the fourteenth.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split(' ').collect();
        let ticks: u64 = fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap();
        let mut usage = Usage {
            cpu: Duration::from_millis(ticks * 10),
            resident: number_in(&folder.join("status"), "VmRSS:") as f64 / 1024.0,
            peak: number_in(&folder.join("status"), "VmHWM:") as f64 / 1024.0,
            wakes: 0,
        };
        for task in std::fs::read_dir(folder.join("task")).unwrap() {
            let status = task.unwrap().path().join("status");
            usage.wakes += number_in(&status, "voluntary_ctxt_switches:");
        }
        usage
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        if asked.is_ok_and(|status| status.success()) {
            drop(self.child.wait());
        }
    }
}

/// What a process has used.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// MB in memory now.
    pub(crate) resident: f64,
    /// The most there ever were.
    pub(crate) peak: f64,
    /// How often a thread was woken.
    pub(crate) wakes: u64,
}

fn number_in(file: &Path, key: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}
