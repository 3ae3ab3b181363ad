//! What people name on the command line: a company, a channel. What nothing is called is refused, or a
//! slip of the finger would look like good news: "nothing there".

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{Failure, refused};
use crate::config::{Company, Config};
use crate::domain::zone::Zone;
use crate::store::{self, companies, prune};

/// The company of this id, or the first one.
pub(super) fn company(config: &Config, id: Option<i64>) -> Result<&Company, Failure> {
    let mut all = config.companies.iter();
    let found = all.find(|c| id.is_none_or(|id| c.id == id));
    found.ok_or_else(|| no_company(config, id.unwrap_or_default()))
}

/// Companies of these ids are watched, or were once: the database still tells of them.
pub(super) fn known_company(
    config: &Config,
    conn: &Connection,
    id: Option<i64>,
) -> Result<(), Failure> {
    let Some(id) = id.filter(|id| config.companies.iter().all(|c| c.id != *id)) else {
        return Ok(());
    };
    match companies::get(conn, id).map_err(refused)? {
        Some(_) => Ok(()),
        None => Err(no_company(config, id)),
    }
}

fn no_company(config: &Config, id: i64) -> Failure {
    let ids: Vec<String> = config.companies.iter().map(|c| c.id.to_string()).collect();
    let ids = ids.join(", ");
    Failure::usage(&format!("no company {id} is configured: there are {ids}"))
        .hint("--company takes a number that stands in the configuration as `companies.id`")
}

/// A channel of this name is configured, or something came over it once.
pub(super) fn known_channel(
    config: &Config,
    conn: &Connection,
    name: Option<&str>,
) -> Result<(), Failure> {
    let Some(name) = name.filter(|name| config.channels.iter().all(|c| c.name != *name)) else {
        return Ok(());
    };
    match prune::knows_channel(conn, name).map_err(refused)? {
        true => Ok(()),
        false => Err(no_channel(config, name)),
    }
}

pub(super) fn no_channel(config: &Config, name: &str) -> Failure {
    let names: Vec<&str> = config.channels.iter().map(|c| c.name.as_str()).collect();
    let names = names.join(", ");
    Failure::usage(&format!(
        "no channel {name:?} is configured: there are {names}"
    ))
    .hint("a channel is called as its table in the configuration: [channels.NAME]")
}

/// The clock that each company's people look at.
pub(super) struct Zones {
    by_company: BTreeMap<i64, Zone>,
    first: Zone,
}

impl Zones {
    pub(super) fn read(conn: &Connection, config: &Config) -> store::Result<Self> {
        let api = companies::all(conn)?;
        let mut by_company: BTreeMap<i64, Zone> = api
            .into_iter()
            .filter_map(|(id, row)| Some((id, row.info.zone?)))
            .collect();
        let own = config.companies.iter();
        by_company.extend(own.filter_map(|c| Some((c.id, c.timezone?))));
        let first = config.companies.first();
        let first = first.and_then(|c| by_company.get(&c.id).copied());
        Ok(Self {
            by_company,
            first: first.unwrap_or(Zone::UTC),
        })
    }

    /// The company's; of what is nobody's, such as an alert about a channel, the first company's.
    pub(super) fn of(&self, company: Option<i64>) -> Zone {
        let own = company.and_then(|id| self.by_company.get(&id).copied());
        own.unwrap_or(self.first)
    }
}
