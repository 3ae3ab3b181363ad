//! A typed walk over the spanned TOML tree. Each key is declared by the one call that names it,
//! its default and its parser; what no call has named is an unknown key.

use toml::de::{DeTable, DeValue};

use super::elsewhere::Stranger;
use super::problem::{Said, did_you_mean, known_here, said};
use super::reader::{Place, Reader, Value, Wrong};
use crate::domain::message::Language;

/// A table, or the place where an absent one would be: absent tables are walked too, so that
/// defaults and the list of known keys do not depend on what the file happens to show.
pub(super) struct Section<'r> {
    pub(super) reader: &'r Reader<'r>,
    pub(super) place: Place,
    /// The path with `[]` and kinds in place of indices and names, as the list of keys has it.
    pattern: String,
    table: Option<&'r DeTable<'r>>,
    known: Vec<String>,
    /// Something else than a table stood here, which has been reported.
    broken: bool,
}

impl<'r> Section<'r> {
    pub(super) fn root(reader: &'r Reader<'r>, table: &'r DeTable<'r>) -> Self {
        Self {
            reader,
            place: Place::default(),
            pattern: String::new(),
            table: Some(table),
            known: Vec::new(),
            broken: false,
        }
    }

    /// Reads a table's keys with `read`, then names the keys that it did not ask for.
    fn walk<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let read = read(&mut self);
        self.finish();
        read
    }

    /// Names the keys that nobody asked for.
    pub(super) fn finish(self) {
        for (name, value) in self.entries() {
            let known = self.known.iter().map(String::as_str);
            if !self.known.contains(&name) {
                let hint = did_you_mean(&name, known)
                    .unwrap_or_else(|| known_here(&self.known.join(", ")));
                let wrong = Wrong::new(unknown_key()).hint(hint);
                self.reader.problem(&value.place, wrong);
                let stranger = Stranger {
                    key: value.place.key,
                    table: self.pattern.clone(),
                    name,
                };
                self.reader.notes.borrow_mut().strangers.push(stranger);
            }
        }
    }

    /// Everything the table holds, in the file's order.
    fn entries(&self) -> Vec<(String, Value<'r>)> {
        let mut entries: Vec<_> = self.table.into_iter().flatten().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        entries
            .into_iter()
            .map(|(name, value)| {
                let place = Place {
                    key: join(&self.place.key, name.get_ref()),
                    line: self.reader.line(name.span().start),
                };
                let value = Value {
                    reader: self.reader,
                    place,
                    node: value.get_ref(),
                };
                (name.get_ref().to_string(), value)
            })
            .collect()
    }

    /// Entries that no call has named yet: the ones whose names the user chooses.
    pub(super) fn others(&mut self) -> Vec<(String, Value<'r>)> {
        let mut others = self.entries();
        others.retain(|(name, _)| !self.known.contains(name));
        self.known
            .extend(others.iter().map(|(name, _)| name.clone()));
        others
    }

    fn find(&mut self, key: &'static str) -> Option<Value<'r>> {
        self.known.push(key.to_owned());
        let mut entries = self.entries().into_iter();
        entries.find_map(|(name, value)| (name == key).then_some(value))
    }

    fn value(&mut self, key: &'static str) -> Option<Value<'r>> {
        let pattern = join(&self.pattern, key);
        self.reader.notes.borrow_mut().keys.insert(pattern);
        self.find(key)
    }

    /// Whether the file shows this key here.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries().iter().any(|(name, _)| name == key)
    }

    /// Where a key stands, or would.
    pub(super) fn place_of(&self, key: &str) -> Place {
        let found = self.entries().into_iter().find(|(name, _)| name == key);
        found.map_or_else(
            || Place {
                key: join(&self.place.key, key),
                line: self.place.line,
            },
            |(_, value)| value.place,
        )
    }

    /// A key with a default.
    pub(super) fn get<T>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl FnOnce(&Value<'r>) -> Option<T>,
    ) -> T {
        match self.value(key) {
            Some(value) => parse(&value).unwrap_or(default),
            None => default,
        }
    }

    /// A text that may be left out, or left empty.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Value<'r>) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(key).filter(|value| !value.is_empty_text())?;
        parse(&value)
    }

    /// A text for which `""` under a company takes back what `[monitor]` or `[notify]` says.
    pub(super) fn or_off<T>(
        &mut self,
        key: &'static str,
        inherited: Option<T>,
        parse: impl FnOnce(&Value<'r>) -> Option<T>,
    ) -> Option<T> {
        self.get(key, inherited, |value| match value.is_empty_text() {
            true => Some(None),
            false => parse(value).map(Some),
        })
    }

    /// A key that nothing can stand in for; `example` says how to write it.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        example: impl Into<Said>,
        parse: impl FnOnce(&Value<'r>) -> Option<T>,
    ) -> Option<T> {
        match self.value(key) {
            Some(value) if !value.is_empty_text() => parse(&value),
            _ => {
                self.missing(key, example);
                None
            }
        }
    }

    pub(super) fn missing(&self, key: &str, example: impl Into<Said>) {
        // What is no table lacks every key; once said is enough.
        if self.broken {
            return;
        }
        let wrong = Wrong::new(said("missing", "не задано")).hint(write(&example.into()));
        self.reader.problem(&self.place_of(key), wrong);
    }

    /// A table of its own.
    pub(super) fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'r>) -> T,
    ) -> T {
        let pattern = join(&self.pattern, key);
        match self.find(key) {
            Some(value) => section(&value, pattern).walk(read),
            None => Section {
                reader: self.reader,
                place: Place {
                    key: join(&self.place.key, key),
                    line: self.place.line,
                },
                pattern,
                table: None,
                known: Vec::new(),
                broken: false,
            }
            .walk(read),
        }
    }

    /// An array of tables, `[[key]]` or inline.
    pub(super) fn tables<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Section<'r>) -> T,
    ) -> Vec<T> {
        let pattern = format!("{}[]", join(&self.pattern, key));
        let items = self.find(key).and_then(|value| match value.node {
            DeValue::Array(_) => value.items(),
            _ => value.wrong_hidden(
                said(
                    "expected an array of tables, found",
                    "нужен массив таблиц, а стоит",
                ),
                Some(write(&match self.place.key.as_str() {
                    "" => format!("[[{key}]]").into(),
                    _ => format!("{key} = [{{ … }}]").into(),
                })),
            ),
        });
        let mut read_one = |item: &Value<'r>| section(item, pattern.clone()).walk(&mut read);
        items.iter().flatten().map(&mut read_one).collect()
    }

    /// A table whose name the user chose; `label` stands for the name in the list of keys.
    pub(super) fn named<T>(
        &self,
        value: &Value<'r>,
        label: &str,
        read: impl FnOnce(&mut Section<'r>) -> T,
    ) -> T {
        section(value, join(&self.pattern, label)).walk(read)
    }
}

fn section<'r>(value: &Value<'r>, pattern: String) -> Section<'r> {
    let table = value.node.as_table();
    if table.is_none() {
        value.wrong_hidden::<()>(a_table(), None);
    }
    Section {
        reader: value.reader,
        place: value.place.clone(),
        pattern,
        table,
        known: Vec::new(),
        broken: table.is_none(),
    }
}

pub(super) fn a_table() -> Said {
    said("expected a table, found", "нужна таблица, а стоит")
}

pub(super) fn unknown_key() -> Said {
    said("unknown key", "такого ключа нет")
}

/// How to write what is missing.
fn write(example: &Said) -> Said {
    let [en, ru] = [Language::En, Language::Ru].map(|language| example.within(language));
    said(format!("write {en}"), format!("напишите {ru}"))
}

fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}
