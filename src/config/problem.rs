//! What is wrong with a configuration, said in one line that names the place and the way out.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::Config;
use crate::domain::message::Language;
pub(super) use crate::domain::message::{Said, said};

/// What a list says, or that it may hold.
pub(super) fn known(names: &str) -> Said {
    said(format!("known: {names}"), format!("известны: {names}"))
}

/// The same of the keys of a table.
pub(super) fn known_here(names: &str) -> Said {
    said(
        format!("known here: {names}"),
        format!("здесь бывают: {names}"),
    )
}

/// A file that cannot be read.
pub(super) fn cannot_read(path: &Path, error: &io::Error) -> Said {
    let path = path.display();
    let ru = match error.kind() {
        io::ErrorKind::NotFound => format!("нет файла {path}"),
        io::ErrorKind::PermissionDenied => format!("нет прав прочитать {path}"),
        io::ErrorKind::IsADirectory => format!("{path}: это папка, а не файл"),
        _ => format!("не прочитать {path}: {error}"),
    };
    said(format!("cannot read {path}: {error}"), ru)
}

/// One broken rule, or one legal but risky setting.
///
/// It may be printed anywhere: values of secret keys, telephone numbers and addresses that hold a
/// password are never put into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, or `environment` for a variable.
    pub file: PathBuf,
    /// The line, counted from one, where there is one.
    pub line: Option<usize>,
    /// The whole path of the key (`companies[0].timezone`), or the variable's name.
    pub key: String,
    /// What is wrong or allowed, worded so that `found` may follow it.
    pub message: Said,
    /// What was found, as it is written in the file.
    pub found: Option<Said>,
    /// What to do about it.
    pub hint: Option<Said>,
}

impl Problem {
    /// The whole line, as people read it; a log has the English of [`fmt::Display`].
    #[must_use]
    pub fn within(&self, language: Language) -> String {
        let mut line = self.file.display().to_string();
        if let Some(number) = self.line {
            line += &format!(":{number}");
        }
        line += ": ";
        if !self.key.is_empty() {
            line += &format!("{}: ", self.key);
        }
        line += self.message.within(language);
        for (before, part) in [(" ", &self.found), ("; ", &self.hint)] {
            if let Some(part) = part {
                line += before;
                line += part.within(language);
            }
        }
        line
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.within(Language::En))
    }
}

/// Why a configuration cannot be used: every reason at once, in the file's order.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file that was read.
    pub file: PathBuf,
    /// What people read, as far as the file says.
    pub language: Language,
    /// At least one.
    pub problems: Vec<Problem>,
    /// What would be worth a word even without the problems.
    pub warnings: Vec<Problem>,
    /// What could be read, with placeholders for what could not: for `check` to look further, never
    /// to run with. `None` where the file is no TOML.
    pub partial: Option<Box<Config>>,
}

impl fmt::Display for Report {
    /// The problems, one a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}

/// The hint that names the known word closest to a mistyped one, if one is close enough for the
/// advice to be more likely right than wrong.
pub(super) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<Said> {
    let wanted = word.to_lowercase();
    // A short word is one slip away from many: MSK is not meant as MST.
    let allowed = wanted.chars().count() / 4;
    known
        .into_iter()
        .map(|name| {
            let distance = strsim::damerau_levenshtein(&wanted, &name.to_lowercase());
            (distance, name)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| {
            said(
                format!("did you mean {name:?}?"),
                format!("может быть, {name:?}?"),
            )
        })
}
