//! A command as a row of a table: how it is called, and what everybody may rely on.

use std::process::Output;

use serde_json::Value;

use super::salon::{FaultySalon, NAME};
use crate::support::program::{stderr, stdout};

/// What becomes of a command where a daemon runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// The same as without one.
    Same,
    /// It needs the database for itself.
    Locked,
}

/// One call, and what it has to come to.
pub(crate) struct Row {
    call: Vec<String>,
    code: i32,
    says: Vec<String>,
    once: Option<&'static str>,
    keys: Vec<&'static str>,
    warns: Option<String>,
    beside: Beside,
    shows_phones: bool,
    is_json: bool,
}

/// A call that comes to this exit code.
pub(crate) fn row(call: &[&str], code: i32) -> Row {
    Row {
        call: call.iter().map(|&word| word.to_owned()).collect(),
        code,
        says: Vec::new(),
        once: None,
        keys: Vec::new(),
        warns: None,
        beside: Beside::Same,
        shows_phones: false,
        is_json: call.contains(&"--json"),
    }
}

/// A call that is wrong usage: it says why on stderr, with a hint, and nothing else.
pub(crate) fn refused(call: &[&str], why: &str) -> Row {
    row(call, 2).warns(why)
}

impl Row {
    /// This stands on stdout.
    pub(crate) fn says(mut self, parts: &[&str]) -> Self {
        self.says = parts.iter().map(|&part| part.to_owned()).collect();
        self
    }

    /// This stands on stdout, and does so once.
    pub(crate) fn says_once(mut self, part: &'static str) -> Self {
        self.once = Some(part);
        self
    }

    /// The JSON, or each of its rows, has these keys.
    pub(crate) fn keys(mut self, keys: &[&'static str]) -> Self {
        self.keys = keys.to_vec();
        self
    }

    /// This stands on stderr.
    pub(crate) fn warns(mut self, part: &str) -> Self {
        self.warns = Some(part.to_owned());
        self
    }

    /// The database has to be its own.
    pub(crate) fn alone(mut self) -> Self {
        self.beside = Beside::Locked;
        self
    }

    /// It shows what owners read, whole numbers among it.
    pub(crate) fn shows_phones(mut self) -> Self {
        self.shows_phones = true;
        self
    }

    /// A daemon would be in its way.
    pub(crate) fn needs_the_database(&self) -> bool {
        self.beside == Beside::Locked
    }

    /// Runs it, and says everything that is not as it should be.
    pub(crate) async fn problems(&self, salon: &FaultySalon, daemon: bool) -> Vec<String> {
        let output = salon.run(&self.call).await;
        let locked = daemon && self.beside == Beside::Locked && self.code != 2;
        let mut wrong = match locked {
            true => Self::problems_of_locked(&output),
            false => self.problems_of(&output),
        };
        wrong.extend(self.problems_of_any(&output));
        let call = self.call.join(" ");
        let (out, err) = (stdout(&output), stderr(&output));
        wrong
            .into_iter()
            .map(|what| format!("{call}: {what}\n--- stdout\n{out}--- stderr\n{err}"))
            .collect()
    }

    fn problems_of_locked(output: &Output) -> Vec<String> {
        let mut wrong = Vec::new();
        if output.status.code() != Some(75) || !output.stdout.is_empty() {
            wrong.push(format!("{:?} beside a daemon", output.status.code()));
        }
        wrong
    }

    fn problems_of(&self, output: &Output) -> Vec<String> {
        let (out, err) = (stdout(output), stderr(output));
        let mut wrong = Vec::new();
        if output.status.code() != Some(self.code) {
            wrong.push(format!(
                "exit {:?}, not {}",
                output.status.code(),
                self.code
            ));
        }
        for part in self.says.iter().filter(|part| !out.contains(*part)) {
            wrong.push(format!("{part:?} is missing on stdout"));
        }
        let is_test = self
            .call
            .first()
            .is_some_and(|command| command == "send-test");
        if is_test && (out.contains(" ,") || out.contains(" :")) {
            wrong.push("a hole where nothing is to be said".to_owned());
        }
        for part in self
            .once
            .iter()
            .filter(|part| out.matches(**part).count() != 1)
        {
            wrong.push(format!("{part:?} does not stand once on stdout"));
        }
        for part in self.warns.iter().filter(|part| !err.contains(*part)) {
            wrong.push(format!("{part:?} is missing on stderr"));
        }
        if self.code == 2 && !out.is_empty() {
            wrong.push("wrong usage, and something on stdout".to_owned());
        }
        if self.is_json {
            wrong.extend(self.problems_of_json(&out));
        }
        wrong
    }

    fn problems_of_json(&self, out: &str) -> Vec<String> {
        let Ok(json) = serde_json::from_str::<Value>(out) else {
            return vec!["no JSON".to_owned()];
        };
        let rows = match json {
            Value::Array(rows) => rows,
            one => vec![one],
        };
        if rows.is_empty() {
            return vec!["no rows to look at".to_owned()];
        }
        let has = |row: &Value, key: &str| row.get(key).is_some();
        let lacking = self
            .keys
            .iter()
            .filter(|key| !rows.iter().all(|row| has(row, key)));
        lacking.map(|key| format!("no {key} in the JSON")).collect()
    }

    /// What holds for every command.
    fn problems_of_any(&self, output: &Output) -> Vec<String> {
        let (out, err) = (stdout(output), stderr(output));
        let mut wrong = Vec::new();
        if out.contains('\x1b') || err.contains('\x1b') {
            wrong.push("colour in a pipe".to_owned());
        }
        for secret in ["CANARY", "demo-user-token", "demo-partner-token"] {
            if out.contains(secret) || err.contains(secret) {
                wrong.push(format!("the secret {secret}"));
            }
        }
        let logged = err.replace("hint: write it whole, as +79000000001", "");
        if logged.contains("79000000") || logged.contains(NAME) {
            wrong.push("a person on stderr".to_owned());
        }
        if !self.shows_phones && (out.contains("79000000") || out.contains("900 000-00")) {
            wrong.push("a whole number on stdout".to_owned());
        }
        let is_error = err.contains("error: ");
        if is_error && !err.contains("\nhint: ") {
            wrong.push("an error without a hint".to_owned());
        }
        if output.status.code() == Some(0) && is_error {
            wrong.push("an error, and exit 0".to_owned());
        }
        let tables = [
            "status", "log", "messages", "inbox", "explain", "pause", "resume",
        ];
        let in_columns = self
            .call
            .first()
            .is_some_and(|c| tables.contains(&c.as_str()));
        if in_columns && !self.is_json {
            let wide = out.lines().filter(|line| line.chars().count() > 80);
            wrong.extend(wide.map(|line| format!("wider than 80 columns: {line}")));
        }
        wrong
    }
}
