//! How a command fails: an exit code, one line, its causes, a hint.

use std::io::{IsTerminal as _, Write as _};

use super::text::folded;
use crate::store::Ailment;

/// Exit codes.
pub(super) mod code {
    /// Something went wrong; the rest was done.
    pub(crate) const FAILED: u8 = 1;
    /// Wrong usage or configuration.
    pub(crate) const USAGE: u8 = 2;
    /// Another instance holds the database.
    pub(crate) const LOCKED: u8 = 75;
    /// The database is damaged, newer than the program, or not the one that was here before.
    pub(crate) const DATABASE: u8 = 78;
}

/// In these words the system refuses what only others may do.
const FORBIDDEN: &str = "Permission denied";

/// An error on its way to stderr.
#[derive(Debug)]
pub struct Failure {
    /// The process's exit code.
    pub code: u8,
    error: anyhow::Error,
    hint: Option<String>,
    /// What is wrong with the database, where that is it.
    pub(super) ailment: Option<Ailment>,
}

impl Failure {
    pub(super) fn new(code: u8, error: anyhow::Error) -> Self {
        Self {
            code,
            error,
            hint: None,
            ailment: None,
        }
    }

    pub(super) fn usage(what: &str) -> Self {
        Self::new(code::USAGE, anyhow::anyhow!("{what}"))
    }

    pub(super) fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }

    /// It is the database's.
    pub(super) fn with_ailment(mut self, ailment: Ailment) -> Self {
        self.ailment = Some(ailment);
        self
    }

    /// The database's, and such that it goes away by itself or when a person makes room.
    pub(super) fn may_pass(&self) -> bool {
        self.ailment.is_some_and(Ailment::may_pass)
    }

    /// The system lets us not read something.
    pub(super) fn is_forbidden(&self) -> bool {
        self.causes().iter().any(|cause| cause.contains(FORBIDDEN))
    }

    /// What went wrong, line by line.
    pub(super) fn lines(&self) -> Vec<String> {
        let causes = self.causes();
        let lines = causes.iter().flat_map(|cause| cause.lines());
        lines.map(str::to_owned).collect()
    }

    /// Each cause in words. What the one before ends with is not said twice.
    fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        for cause in self.error.chain().map(ToString::to_string) {
            if causes.last().is_none_or(|said| !said.ends_with(&cause)) {
                causes.push(cause);
            }
        }
        causes
    }

    /// `error: …`, each cause on a line of its own, then the hint.
    pub(super) fn print(&self) {
        let mut stderr = std::io::stderr().lock();
        let mut text = String::new();
        for (n, cause) in self.causes().iter().enumerate() {
            for line in cause.lines() {
                let head = if n == 0 { "error: " } else { "  caused by: " };
                text.push_str(&format!("{head}{line}\n"));
            }
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\nhint: {hint}\n"));
        }
        if stderr.is_terminal() {
            text = format!("{}\n", folded(&text));
        }
        // Nothing can be done about a stderr that is gone.
        drop(stderr.write_all(text.as_bytes()));
    }
}

/// A panic says where it happened. Its words are repeated only where they were written with the
/// program: others may quote what it worked on, a client's name among it.
pub(super) fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        let line = panic_line(&place, panic.payload());
        drop(std::io::stderr().lock().write_all(line.as_bytes()));
    }));
}

fn panic_line(place: &str, payload: &dyn std::any::Any) -> String {
    match payload.downcast_ref::<&'static str>() {
        Some(words) => format!("error: internal error at {place}: {words}\n"),
        None => format!("error: internal error at {place}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let io = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        let file = crate::store::StoreError::File {
            path: "copy.db".into(),
            source: io,
        };
        let error = anyhow::Error::new(file).context("no copy");
        let lines = Failure::new(code::FAILED, error).lines();
        assert_eq!(lines, ["no copy", "copy.db: entity already exists"]);
    }

    #[test]
    fn a_panic_repeats_no_words_that_were_made_while_running() {
        let name = "Канарейкина".to_owned();
        let line = panic_line("src/a.rs:1:2", &format!("no char boundary in {name}"));
        assert_eq!(line, "error: internal error at src/a.rs:1:2\n");
        let line = panic_line("src/a.rs:1:2", &"no such day");
        assert_eq!(line, "error: internal error at src/a.rs:1:2: no such day\n");
    }
}
