//! The process environment as the configuration sees it, and the variables that win over the file.

use std::path::PathBuf;
use std::time::Duration;

use super::problem::{Problem, Said, said};
use super::values::{SHORTEST, spell};

/// Where variables are looked up; tests hand in a closure, so that they never share a process's own.
pub trait Environment {
    /// The variable's value; `None` when it is unset or no UTF-8.
    fn var(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl<F: Fn(&str) -> Option<String>> Environment for F {
    fn var(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// What the environment says in place of the file and of every company's own value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Overrides {
    pub(super) enabled: Option<bool>,
    pub(super) interval: Option<Duration>,
    pub(super) notification_delay: Option<Duration>,
}

impl Overrides {
    /// Reads the three variables. An empty one is not set, as everywhere in a shell or a unit; a
    /// broken one is a problem and never the default.
    pub(super) fn read(env: &dyn Environment, problems: &mut Vec<Problem>) -> Self {
        let take = |name: &str| Variable::find(env, name);
        let enabled = take("BOOKING_MONITOR_ENABLED");
        let interval = take("BOOKING_MONITOR_INTERVAL");
        let delay = take("BOOKING_NOTIFICATION_DELAY");
        Self {
            enabled: enabled.and_then(|v| v.switch(problems)),
            interval: interval.and_then(|v| v.milliseconds(problems)),
            notification_delay: delay.and_then(|v| v.milliseconds(problems)),
        }
    }
}

struct Variable {
    name: String,
    value: String,
}

impl Variable {
    fn find(env: &dyn Environment, name: &str) -> Option<Self> {
        let value = env.var(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| Self {
            name: name.into(),
            value: value.into(),
        })
    }

    fn switch(&self, problems: &mut Vec<Problem>) -> Option<bool> {
        match self.value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => self.wrong(
                said(
                    "expected true, false, 1, 0, yes, no, on or off, found",
                    "нужно true, false, 1, 0, yes, no, on или off, а стоит",
                ),
                problems,
            ),
        }
    }

    fn milliseconds(&self, problems: &mut Vec<Problem>) -> Option<Duration> {
        let Ok(number) = self.value.parse::<u32>() else {
            let message = said(
                "expected a number of milliseconds such as 60000, found",
                "нужно число миллисекунд вида 60000, а стоит",
            );
            return self.wrong(message, problems);
        };
        let span = Duration::from_millis(number.into());
        if span < SHORTEST {
            let (least, spelt) = (SHORTEST.as_millis(), spell(SHORTEST));
            let message = said(
                format!("must be at least {least} milliseconds ({spelt}), found"),
                format!("нужно не меньше {least} миллисекунд ({spelt}), а стоит"),
            );
            return self.wrong(message, problems);
        }
        Some(span)
    }

    fn wrong<T>(&self, message: Said, problems: &mut Vec<Problem>) -> Option<T> {
        problems.push(Problem {
            file: PathBuf::from("environment"),
            line: None,
            key: self.name.clone(),
            message,
            found: Some(format!("{:?}", self.value).into()),
            hint: None,
        });
        None
    }
}
