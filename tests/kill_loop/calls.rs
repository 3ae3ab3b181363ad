//! One send, killed by strace at the N-th system call of each kind, N from 1 until it survives.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use booking_monitor::ports::{Clock as _, SystemClock};
use chrono::TimeDelta;

use super::stage::{BLIND, Chance, Ears, JOURNAL, OWNER, Stage};
use super::support::world::haircut;

/// The calls between which a send can be cut: what reaches the disk, what reaches the messenger, and
/// what comes back. Which of them a machine's libraries use differs, so the list has the kin of each.
const CALLS: [&str; 14] = [
    "pwrite64",
    "write",
    "writev",
    "sendto",
    "sendmsg",
    "fsync",
    "fdatasync",
    "ftruncate",
    "connect",
    "recvfrom",
    "read",
    "openat",
    "unlink",
    "close",
];

/// Every `step`th call of each kind, in both branches.
pub(super) async fn walk(step: u64) {
    assert!(
        Command::new("strace").arg("--version").output().is_ok(),
        "strace is not installed"
    );
    let began = Instant::now();
    for (company, name) in [(JOURNAL, "a journal"), (BLIND, "no proof")] {
        let site = Site::build(company).await;
        let (mut points, mut doubts) = (0, 0);
        for (offset, call) in (1..).zip(CALLS) {
            // Not the same numbers of each kind.
            let mut n = 1 + offset % step;
            while site.killed_at(call, n) {
                points += 1;
                doubts += u32::from(site.converges(&format!("{call} {n}")).await);
                n += step;
            }
        }
        println!("{name}: {points} kills, {doubts} in doubt, 0 lost, 0 doubled");
        assert!(points > 20, "{points} points");
    }
    println!("in {:.0?}", began.elapsed());
}

/// A branch with one message that is due, as often as needed.
struct Site {
    stage: Stage,
    company: i64,
    /// The folder as it was before the send.
    kept: tempfile::TempDir,
}

impl Site {
    async fn build(company: i64) -> Self {
        let stage = Stage::build(Chance::new(1), Ears::Closed).await;
        stage.green.dawdle(|| Duration::from_millis(3));
        stage.telegram.dawdle(|| Duration::from_millis(3));
        let client = stage.clients.iter().find(|c| c.company == company).unwrap();
        let start = SystemClock.now().naive_utc() + TimeDelta::days(5);
        let mut draft = haircut(&start.format("%Y-%m-%dT%H:%M:00").to_string());
        draft.company = company;
        stage.salon.book(draft.client("Анна", &client.phone()));
        assert!(stage.command(&["--once"]).status().unwrap().success());
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let kept = tempfile::tempdir().unwrap();
        copy(stage.folder.path(), kept.path());
        Self {
            stage,
            company,
            kept,
        }
    }

    /// Everything as it was, then the send up to this call. `false`: it survived.
    fn killed_at(&self, call: &str, n: u64) -> bool {
        for file in std::fs::read_dir(self.stage.folder.path()).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        copy(self.kept.path(), self.stage.folder.path());
        // Its journal must not list the same message of the time before.
        self.stage.green.forget_sent();
        self.stage.telegram.forget_sent();
        let program = self.stage.command(&["--once"]);
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "-qq", "-o", "/dev/null", "-e"])
            .arg(format!("trace={call}"))
            .arg("-e")
            .arg(format!("inject={call}:signal=KILL:when={n}"))
            .arg(program.get_program())
            .args(program.get_args())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        !strace.status().unwrap().success()
    }

    fn arrived(&self) -> usize {
        match self.company {
            JOURNAL => self.stage.green.sent().len(),
            _ => {
                let sent = self.stage.telegram.sent();
                sent.iter().filter(|s| s.chat != OWNER).count()
            }
        }
    }

    /// Runs on until the send is decided, and checks how. Returns whether it stays in doubt.
    async fn converges(&self, point: &str) -> bool {
        let ends = Instant::now() + Duration::from_secs(30);
        let status = loop {
            let ran = self.stage.command(&["--once"]).status().unwrap();
            assert!(ran.success(), "{point}: {ran}");
            let status: Option<String> = self
                .stage
                .sql()
                .query_row(
                    "SELECT status FROM booking_notifications WHERE kind = 'created'
                        AND status NOT IN ('pending', 'sending')",
                    [],
                    |r| r.get(0),
                )
                .ok();
            match status {
                Some(status) => break status,
                None => assert!(Instant::now() < ends, "{point}: never decided"),
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        };
        let arrived = self.arrived();
        match (self.company, status.as_str()) {
            (_, "sent" | "delivered") => assert_eq!(arrived, 1, "{point}"),
            (BLIND, "uncertain") => {
                assert!(arrived <= 1, "{point}: {arrived}");
                let told = self.stage.telegram.sent();
                let told = told
                    .iter()
                    .any(|s| s.chat == OWNER && s.text.contains("Не знаю, дошло ли"));
                assert!(told, "{point}: the owner was not told");
                return true;
            }
            other => panic!("{point}: {other:?}"),
        }
        false
    }
}

fn copy(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}
