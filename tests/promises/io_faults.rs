//! System calls that fail: the N-th write or sync of a run, once or from then on, for want of room or
//! with an I/O error, and the next run on a disk that is well again. Nothing is sent without an
//! intent, nothing twice, nothing is lost, and the database stays whole.
//!
//! `strace` plants the errors into the real binary; it counts calls in each thread. A plain run tries
//! some points, `IO_FAULTS=all` every one.

use std::fmt;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::support::program::{Program, start, stderr, stdout};
use crate::support::world::haircut;

/// A failing run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);
/// Runs that mend what one left behind; the first may find the messenger's journal not sure yet.
const MENDS: usize = 6;

#[derive(Clone, Copy)]
struct Fault {
    call: &'static str,
    error: &'static str,
    nth: usize,
    lasts: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lasts = if self.lasts { "+" } else { "" };
        let Self {
            call, error, nth, ..
        } = self;
        write!(f, "{call}:error={error}:when={nth}{lasts}")
    }
}

/// The program under `strace` with these arguments of its own.
async fn traced(program: &Program, tracer: &[String]) -> Output {
    let run = program.command(&["--once"]);
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq"])
        .args(tracer)
        .arg(run.get_program())
        .args(run.get_args())
        .env_clear()
        .envs(run.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    tokio::time::timeout(LIMIT, ended)
        .await
        .expect("the program hangs")
        .unwrap()
}

/// How often a peaceful run makes this call, in the thread that makes it most.
async fn calls(program: &Program, call: &str) -> usize {
    let log = program.folder.path().join("calls");
    let arguments = [
        "-e".into(),
        format!("trace={call}"),
        "-o".into(),
        log.display().to_string(),
    ];
    let run = traced(program, &arguments).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let text = std::fs::read_to_string(log).unwrap();
    let mut threads = std::collections::BTreeMap::<&str, usize>::new();
    for line in text
        .lines()
        .filter(|line| line.contains(&format!("{call}(")))
    {
        *threads.entry(line.split(' ').next().unwrap()).or_default() += 1;
    }
    threads.into_values().max().unwrap_or(0)
}

/// A booking that the last run has seen and the next one tells.
async fn seen_booking(program: &Program, n: usize) -> String {
    let day = start(1).format("%Y-%m-%dT%H:%M:%S").to_string();
    let phone = format!("7900001{n:04}");
    program
        .salon
        .book(haircut(&day).client("Анна", &format!("+{phone}")));
    let seen = program.run(&["--once"]).await;
    assert_eq!(seen.status.code(), Some(0), "{}", stderr(&seen));
    // Its delay is over, whatever the clock says.
    program.sql("UPDATE settling SET settle_at = '2020-01-01T00:00:00.000Z'");
    format!("{phone}@c.us")
}

fn sent_to(program: &Program, chat: &str) -> usize {
    program
        .green
        .sent()
        .iter()
        .filter(|s| s.chat == chat)
        .count()
}

async fn suffer(program: &Program, n: usize, fault: Fault) {
    let chat = seen_booking(program, n).await;
    let inject = [
        "-e".into(),
        format!("trace={}", fault.call),
        "-e".into(),
        format!("inject={fault}"),
        "-o".into(),
        "/dev/null".into(),
    ];
    let run = traced(program, &inject).await;
    let code = run.status.code();
    assert!(
        matches!(code, Some(0 | 1)),
        "{fault}: {code:?} {}",
        stderr(&run)
    );
    let left = sent_to(program, &chat);
    assert!(left <= 1, "{fault}: sent {left} times");
    let check = program.run(&["db", "check"]).await;
    assert_eq!(
        check.status.code(),
        Some(0),
        "{fault}: {}{}",
        stdout(&check),
        stderr(&check)
    );
    let phone = format!("+{}", chat.split('@').next().unwrap());
    if left == 1 {
        let intents = program.rows(&format!(
            "SELECT status FROM booking_notifications
              WHERE phone = '{phone}' AND attempts > 0 AND status <> 'pending'"
        ));
        assert_eq!(
            intents.len(),
            1,
            "{fault}: sent without an intent on the disk"
        );
    }
    for _ in 0..MENDS {
        let mended = program.run(&["--once", "--drain"]).await;
        assert_eq!(
            mended.status.code(),
            Some(0),
            "{fault}: {}",
            stderr(&mended)
        );
        let open = program.rows(&format!(
            "SELECT status FROM booking_notifications WHERE phone = '{phone}'
              AND status IN ('sending', 'pending') UNION ALL
             SELECT unit FROM settling WHERE phone = '{phone}'"
        ));
        if open.is_empty() {
            break;
        }
        // Looks into the journal are some time apart; here it passes at once.
        program.sql(
            "UPDATE booking_notifications
                SET look_at = '2020-01-01T00:00:00.000Z', doubt_at = '2020-01-01T00:00:00.000Z'
              WHERE look_at IS NOT NULL",
        );
    }
    assert_eq!(sent_to(program, &chat), 1, "{fault}: lost or doubled");
    let check = program.run(&["db", "check"]).await;
    assert_eq!(check.status.code(), Some(0), "{fault}: {}", stdout(&check));
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_write_or_sync_fails_nothing_is_lost_doubled_or_sent_without_an_intent() {
    let tracer = Command::new("strace")
        .args(["-qq", "-e", "trace=none", "true"])
        .output();
    if !tracer.is_ok_and(|t| t.status.success()) {
        writeln!(
            std::io::stderr(),
            "SKIPPED: strace is not here, or may not trace"
        )
        .unwrap();
        return;
    }
    let program = Program::new().await;
    let text = std::fs::read_to_string(program.config()).unwrap();
    let rate = "messages_per_second = 100";
    // Nobody writes here, and nothing is waited for.
    let quick = format!("{rate}\njournal_grace = \"1s\"\nreceive = false");
    program.write(&text.replace(rate, &quick));
    assert_eq!(program.run(&["--once"]).await.status.code(), Some(0));
    let all = std::env::var("IO_FAULTS").is_ok_and(|how| how == "all");
    let mut n = 0;
    for call in ["pwrite64", "fsync"] {
        seen_booking(&program, n).await;
        let most = calls(&program, call).await;
        assert!(most >= 3, "{call} is made {most} times");
        n += 1;
        for nth in 1..=most {
            for (error, lasts) in [
                ("ENOSPC", false),
                ("EIO", false),
                ("ENOSPC", true),
                ("EIO", true),
            ] {
                // A few of them, spread over the run and over the kinds.
                let kind = usize::from(lasts) * 2 + usize::from(error == "EIO");
                let spread = nth * 5 / most != (nth - 1) * 5 / most;
                if all || spread && nth % 4 == kind {
                    let fault = Fault {
                        call,
                        error,
                        nth,
                        lasts,
                    };
                    suffer(&program, n, fault).await;
                    n += 1;
                }
            }
        }
    }
    writeln!(std::io::stderr(), "{} points", n - 2).unwrap();
}
