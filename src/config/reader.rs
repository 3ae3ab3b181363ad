//! One file being read: its values, their places, and what was found wrong with them.
//!
//! Parsers report to the [`Reader`] and answer `None`, and the walk goes on with a placeholder, so
//! that one run finds every problem. No placeholder is run with: a load with problems is an error, and
//! what it carries of them is for `check` to look at.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::elsewhere::Stranger;
use super::environment::Environment;
use super::load::Secrets;
use super::problem::{Problem, Said, said};

/// A message is one line: longer values are quoted by their beginning.
const LONGEST_QUOTE: usize = 60;

/// One file being read.
pub(super) struct Reader<'r> {
    pub(super) file: &'r Path,
    /// Where relative paths of the file begin.
    pub(super) folder: PathBuf,
    pub(super) text: &'r str,
    pub(super) env: &'r dyn Environment,
    pub(super) secrets: Secrets,
    pub(super) notes: RefCell<Notes>,
}

/// What the walk has found out so far.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    pub(super) keys: BTreeSet<String>,
    pub(super) strangers: Vec<Stranger>,
}

impl Notes {
    /// Says of each unknown key where it is at home, which only the end of the walk knows.
    pub(super) fn send_home(&mut self) {
        for stranger in &self.strangers {
            let Some(home) = stranger.home(&self.keys) else {
                continue;
            };
            let of_it = self.problems.iter_mut().filter(|p| p.key == stranger.key);
            of_it.for_each(|problem| problem.hint = Some(home.clone()));
        }
    }
}

/// A spot in the file: what a message needs to point at it.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) line: Option<usize>,
}

/// What is wrong, before it has a place.
pub(super) struct Wrong {
    pub(super) message: Said,
    pub(super) found: Option<Said>,
    pub(super) hint: Option<Said>,
}

impl Wrong {
    pub(super) fn new(message: Said) -> Self {
        Self {
            message,
            found: None,
            hint: None,
        }
    }

    pub(super) fn found(mut self, found: impl Into<Said>) -> Self {
        self.found = Some(found.into());
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<Option<Said>>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// An item that a list holds already.
pub(super) fn named_twice(name: &str) -> Wrong {
    Wrong::new(said("named twice:", "названо дважды:")).found(format!("{name:?}"))
}

impl Reader<'_> {
    fn at(&self, place: &Place, wrong: Wrong) -> Problem {
        Problem {
            file: self.file.to_owned(),
            line: place.line,
            key: place.key.clone(),
            message: wrong.message,
            found: wrong.found,
            hint: wrong.hint,
        }
    }

    pub(super) fn problem(&self, place: &Place, wrong: Wrong) {
        let problem = self.at(place, wrong);
        let problems = &mut self.notes.borrow_mut().problems;
        // A value of [monitor] is read again for each company that inherits it.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// To tell whether a call has reported anything.
    pub(super) fn problem_count(&self) -> usize {
        self.notes.borrow().problems.len()
    }

    pub(super) fn warning(&self, place: &Place, wrong: Wrong) {
        let warning = self.at(place, wrong);
        self.notes.borrow_mut().warnings.push(warning);
    }

    pub(super) fn line(&self, offset: usize) -> Option<usize> {
        line_of(self.text, offset)
    }

    /// A path written in the file.
    pub(super) fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }
}

/// The line of a byte, counted from one.
pub(super) fn line_of(text: &str, offset: usize) -> Option<usize> {
    let before = text.as_bytes().get(..offset)?;
    Some(1 + before.iter().filter(|&&byte| byte == b'\n').count())
}

/// A value in its place.
#[derive(Clone)]
pub(super) struct Value<'r> {
    pub(super) reader: &'r Reader<'r>,
    pub(super) place: Place,
    pub(super) node: &'r DeValue<'r>,
}

impl<'r> Value<'r> {
    /// Reports that this value is not what `message` asks for and says what it is.
    pub(super) fn wrong<T>(&self, message: Said, hint: Option<Said>) -> Option<T> {
        let found: Said = match self.node {
            DeValue::String(text) if text.chars().count() > LONGEST_QUOTE => {
                let start: String = text.chars().take(LONGEST_QUOTE).collect();
                format!("{:?}", start + "…").into()
            }
            DeValue::String(text) => format!("{:?}", text.as_ref()).into(),
            DeValue::Integer(number) => number.to_string().into(),
            DeValue::Float(number) => number.to_string().into(),
            DeValue::Boolean(switch) => switch.to_string().into(),
            DeValue::Datetime(moment) => moment.to_string().into(),
            DeValue::Array(_) | DeValue::Table(_) => self.type_name(),
        };
        self.refuse(Wrong::new(message).found(found).hint(hint))
    }

    /// The same without the value itself: for secrets, phones and addresses with a password.
    pub(super) fn wrong_hidden<T>(&self, message: Said, hint: Option<Said>) -> Option<T> {
        self.refuse(Wrong::new(message).found(self.type_name()).hint(hint))
    }

    pub(super) fn refuse<T>(&self, wrong: Wrong) -> Option<T> {
        self.reader.problem(&self.place, wrong);
        None
    }

    fn type_name(&self) -> Said {
        let (en, ru) = match self.node {
            DeValue::String(_) => ("a string", "строка"),
            DeValue::Integer(_) => ("an integer", "целое число"),
            DeValue::Float(_) => ("a number with a fraction", "дробное число"),
            DeValue::Boolean(_) => ("true or false", "true или false"),
            DeValue::Datetime(_) => ("a date", "дата"),
            DeValue::Array(_) => ("an array", "массив"),
            DeValue::Table(_) => ("a table", "таблица"),
        };
        said(en, ru)
    }

    pub(super) fn is_empty_text(&self) -> bool {
        self.node
            .as_str()
            .is_some_and(|text| text.trim().is_empty())
    }

    /// The items of an array, each with its own place.
    pub(super) fn items(&self) -> Option<Vec<Value<'r>>> {
        let DeValue::Array(array) = self.node else {
            return self.wrong_hidden(
                said("expected an array, found", "нужен массив, а стоит"),
                None,
            );
        };
        let items = array.iter().enumerate().map(|(index, item)| Value {
            reader: self.reader,
            place: Place {
                key: format!("{}[{index}]", self.place.key),
                line: self.reader.line(item.span().start),
            },
            node: item.get_ref(),
        });
        Some(items.collect())
    }
}
