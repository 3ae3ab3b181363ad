//! What a check found, each with what to do about it, and the one verdict at its end.

use std::io::IsTerminal as _;

use crate::app::text::{Say, folded};
use crate::app::{Failure, say, talk};
use crate::config::Language;

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// As it should be.
    Good,
    /// Worth knowing, and no reason to do anything.
    Note,
    /// It runs, but not as it should.
    Remark,
    /// It cannot run.
    Problem,
}

/// One thing found.
struct Finding {
    sign: Sign,
    what: String,
    action: Option<String>,
}

/// Everything found.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn good(&mut self, what: impl Into<String>) {
        self.add(Sign::Good, what, None);
    }

    pub(super) fn note(&mut self, what: impl Into<String>) {
        self.add(Sign::Note, what, None);
    }

    pub(super) fn remark(&mut self, what: impl Into<String>, action: &str) {
        self.add(Sign::Remark, what, Some(action));
    }

    pub(super) fn problem(&mut self, what: impl Into<String>, action: &str) {
        self.add(Sign::Problem, what, Some(action));
    }

    /// What says itself what to do.
    pub(super) fn said(&mut self, sign: Sign, what: impl Into<String>) {
        self.add(sign, what, None);
    }

    fn add(&mut self, sign: Sign, what: impl Into<String>, action: Option<&str>) {
        self.0.push(Finding {
            sign,
            what: what.into(),
            action: action.map(str::to_owned).filter(|a| !a.is_empty()),
        });
    }

    pub(super) fn count(&self, sign: Sign) -> usize {
        self.0.iter().filter(|f| f.sign == sign).count()
    }

    /// The good first, the worst last, where it is read.
    pub(super) fn print(&self) -> Result<(), Failure> {
        let terminal = std::io::stdout().is_terminal();
        let coloured = terminal && std::env::var_os("NO_COLOR").is_none();
        for sign in [Sign::Good, Sign::Note, Sign::Remark, Sign::Problem] {
            for finding in self.0.iter().filter(|f| f.sign == sign) {
                let line = format!("{} {}", sign.bare(), finding.what);
                match terminal {
                    // Folded with the bare sign: colours take no room.
                    true => {
                        let line = folded(&line);
                        let rest = line.trim_start_matches(sign.bare());
                        say(&format!("{}{rest}", sign.shown(coloured)))?;
                    }
                    false => say(&line)?,
                }
                if let Some(action) = &finding.action {
                    talk(&format!("  → {action}"))?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn verdict(&self, words: Say) -> String {
        let (problems, remarks) = (self.count(Sign::Problem), self.count(Sign::Remark));
        match (problems, remarks, words.0) {
            (0, 0, _) => words.of("Готово к работе.", "Ready.").to_owned(),
            (0, n, Language::Ru) => format!("Может работать, но есть замечания: {n}."),
            (0, n, Language::En) => format!("Can run, but there are remarks: {n}."),
            (n, _, Language::Ru) => {
                format!("Работать не может, причин: {n}. Каждая строка с ✗ говорит, что поправить.")
            }
            (n, _, Language::En) => {
                format!("Cannot run, reasons: {n}. Each line with ✗ says what to mend.")
            }
        }
    }
}

impl Sign {
    fn bare(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Note => "·",
            Self::Remark => "!",
            Self::Problem => "✗",
        }
    }

    fn shown(self, coloured: bool) -> String {
        let sign = self.bare();
        let colour = match self {
            Self::Good => "32",
            Self::Note => "2",
            Self::Remark => "33",
            Self::Problem => "31",
        };
        match coloured {
            true => format!("\u{1b}[{colour}m{sign}\u{1b}[0m"),
            false => sign.to_owned(),
        }
    }
}
