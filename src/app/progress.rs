//! A line on the terminal while something takes longer than two seconds, gone when it is over.
//! Nothing is written where stderr is no terminal.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What is over by then needs no word.
const PATIENCE: Duration = Duration::from_secs(2);

/// Something under way; dropped when it is over.
pub(super) struct Progress(Option<JoinHandle<()>>);

impl Progress {
    /// Says what is under way, should it take long.
    pub(super) fn of(what: String) -> Self {
        let shown = std::io::stderr().is_terminal();
        Self(shown.then(|| tokio::spawn(tick(what))))
    }
}

async fn tick(what: String) {
    let began = Instant::now();
    tokio::time::sleep(PATIENCE).await;
    loop {
        write(&format!("\r{what} … {}", began.elapsed().as_secs()));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn write(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // Nothing can be done about a stderr that is gone.
    drop(
        stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush()),
    );
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(line) = self.0.take() {
            line.abort();
            write("\r\u{1b}[K");
        }
    }
}
