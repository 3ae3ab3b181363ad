//! The smallest whole configuration, with places to break it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use booking_monitor::config::{self, Config, Language, Loaded, Problem, Report, Secrets};
use tempfile::TempDir;

pub(crate) const FILE: &str = "booking-monitor.toml";

/// Parts of a file, in its order. An empty part leaves its header out.
pub(crate) struct Draft {
    /// Before the first table.
    pub(crate) root: String,
    /// Under `[monitor]`.
    pub(crate) monitor: String,
    /// Under `[yclients]`.
    pub(crate) yclients: String,
    /// Whole tables, headers included.
    pub(crate) channels: String,
    /// Whole tables, headers included.
    pub(crate) companies: String,
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) secrets: Secrets,
    pub(crate) folder: TempDir,
}

/// Loads without a problem and without a warning, and says as little as that takes.
pub(crate) fn draft() -> Draft {
    Draft {
        root: String::new(),
        monitor: String::new(),
        yclients: "partner_token = \"p\"\nuser_token = \"u\"".into(),
        channels: "[channels.owners]\ntype = \"console\"".into(),
        companies: "[[companies]]\nid = 1\nowner = [{ channel = \"owners\", to = \"1\" }]".into(),
        env: Vec::new(),
        secrets: Secrets::Needed,
        folder: tempfile::tempdir().unwrap(),
    }
}

impl Draft {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// Puts a file beside the configuration.
    pub(crate) fn with_file(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    pub(crate) fn load(&self) -> Result<Loaded, Report> {
        let mut text = String::new();
        for (header, part) in [
            ("", &self.root),
            ("[monitor]", &self.monitor),
            ("[yclients]", &self.yclients),
            ("", &self.channels),
            ("", &self.companies),
        ] {
            for line in [header, part] {
                if !part.is_empty() && !line.is_empty() {
                    writeln!(text, "{line}").unwrap();
                }
            }
        }
        fs::write(self.path(), text).unwrap();
        load(&self.path(), &self.env, self.secrets)
    }

    pub(crate) fn config(&self) -> Config {
        self.load()
            .unwrap_or_else(|report| panic!("{report}"))
            .config
    }

    /// Every problem, one a line, without the temporary folder's path.
    pub(crate) fn problems(&self) -> String {
        match self.load() {
            Ok(_) => "(accepted)".into(),
            Err(report) => {
                report.problems.iter().for_each(in_russian_too);
                self.without_folder(&report.to_string())
            }
        }
    }

    /// Every warning, one a line, of a configuration that is accepted.
    pub(crate) fn warnings(&self) -> String {
        let loaded = self.load().unwrap_or_else(|report| panic!("{report}"));
        loaded.warnings.iter().for_each(in_russian_too);
        let lines: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        self.without_folder(&lines.join("\n"))
    }

    fn without_folder(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

/// Whatever is said is said in Russian, too.
fn in_russian_too(problem: &Problem) {
    let message = problem.message.within(Language::Ru);
    let is_russian = message.contains(|c: char| ('а'..='я').contains(&c));
    assert!(is_russian, "{message}");
}

pub(crate) fn load(
    path: &Path,
    env: &[(&str, String)],
    secrets: Secrets,
) -> Result<Loaded, Report> {
    let lookup = |name: &str| {
        let found = env.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone())
    };
    config::load(path, &lookup, secrets)
}
