//! Where a key is at home that somebody wrote into another table.

use std::collections::BTreeSet;

use super::problem::{Said, said};

/// What a company may say differently, it says in a table of the same name, or itself.
const COMPANY: &str = "companies[]";
/// Its keys depend on the kind, so that a key of another table may be one of another kind here.
const OF_A_KIND: [&str; 2] = ["channels.", "events[]"];

/// A key that nobody asked for where it stands.
pub(super) struct Stranger {
    /// Its whole path in the file.
    pub(super) key: String,
    /// The table it stands in, as the list of keys has it.
    pub(super) table: String,
    pub(super) name: String,
}

impl Stranger {
    /// The one table that knows such a key. Of several nobody can say which is meant.
    pub(super) fn home(&self, keys: &BTreeSet<String>) -> Option<Said> {
        if OF_A_KIND.iter().any(|start| self.table.starts_with(start)) {
            return None;
        }
        let tables: Vec<String> = keys
            .iter()
            .filter_map(|key| match key.rsplit_once('.') {
                Some((table, name)) => (name == self.name).then(|| any_channel(table)),
                None => (*key == self.name).then(String::new),
            })
            .collect();
        let homes: BTreeSet<String> = tables.iter().map(|at| for_all(at, &tables)).collect();
        let mut homes = homes.into_iter();
        let home = homes.next().filter(|_| homes.next().is_none())?;
        // Under a company, where the company may say it, too.
        let of_company = tables.into_iter().find(|at| at.starts_with(COMPANY));
        let of_company = of_company.filter(|_| self.table.starts_with(COMPANY));
        Some(named(&of_company.unwrap_or(home)))
    }
}

/// The table of a channel, whatever its kind.
fn any_channel(table: &str) -> String {
    let mut parts: Vec<&str> = table.split('.').collect();
    if let ["channels", name, ..] = parts.as_mut_slice() {
        *name = "NAME";
    }
    parts.join(".")
}

/// The table that speaks for all companies, where this one speaks for one alone.
fn for_all(table: &str, tables: &[String]) -> String {
    let general = match table.strip_prefix(COMPANY) {
        Some("") => ["", "monitor"].map(str::to_owned),
        Some(own) => [own.trim_start_matches('.').to_owned(), String::new()],
        None => return table.to_owned(),
    };
    let found = general.into_iter().find(|at| tables.contains(at));
    found.unwrap_or_else(|| table.to_owned())
}

/// `it is a key of [notify]`.
fn named(table: &str) -> Said {
    let path = table.replace("[]", "");
    match table {
        "" => said(
            "it stands at the very beginning, before the first [table]",
            "его место в самом начале, до первой [таблицы]",
        ),
        list if list.ends_with("[]") => said(
            format!("it is a key of [[{path}]]"),
            format!("это ключ из [[{path}]]"),
        ),
        _ => said(
            format!("it is a key of [{path}]"),
            format!("это ключ из [{path}]"),
        ),
    }
}
