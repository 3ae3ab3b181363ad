//! What is wrong with a configuration, said in one line that names the place and the way out.

use std::fmt;
use std::path::PathBuf;

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
    pub message: String,
    /// What was found, as it is written in the file.
    pub found: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(found) = &self.found {
            write!(f, " {found}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

/// Why a configuration cannot be used: every reason at once, in the file's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The file that was read.
    pub file: PathBuf,
    /// At least one.
    pub problems: Vec<Problem>,
    /// What would be worth a word even without the problems.
    pub warnings: Vec<Problem>,
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
) -> Option<String> {
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
        .map(|(_, name)| format!("did you mean {name:?}?"))
}
