//! `verify`: the whole horizon as YClients shows it against the cache. Changes and sends nothing,
//! and works beside a running daemon.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::failure::code;
use super::progress::Progress;
use super::text::Say;
use super::{Failure, Outcome, api, existing, loaded, names, refused, say, trouble_failure};
use crate::config::{Company, Config, Language};
use crate::daemon::Trouble;
use crate::domain::record::Record;
use crate::pipeline::listing::{self, Sweep};
use crate::ports::{ApiError, BookingApi, CompanyRef, Lookup, Standing};
use crate::store::companies;
use crate::store::forgotten::Forgotten;
use crate::store::{self, StoreError, cache};

mod fields;

use fields::Changes;

/// What the daemon's caps leave of the API's own limit is about this part of them. Both ask from
/// one address, and a 429 would stop the daemon, too.
const SHARE: u32 = 10;
/// Bookings asked for by id at most; so many that agree speak for the rest.
const MOST_LOOKUPS: usize = 50;
/// Stamps of the API have whole seconds, and its answers take some.
const MEANWHILE: TimeDelta = TimeDelta::seconds(5);

/// One company's journal against its cache.
struct Comparison {
    title: String,
    id: i64,
    from: NaiveDate,
    to: NaiveDate,
    listed: usize,
    differences: Vec<Difference>,
}

/// One booking that is not the same in both.
struct Difference {
    record: i64,
    start: NaiveDateTime,
    what: What,
}

enum What {
    /// The journal has it, the cache does not.
    NotInCache,
    /// The cache has it standing, the journal does not.
    NotInJournal,
    /// The cache has it standing, the robot's user has no right to see it.
    NotShown,
    /// Both have it, and something watched differs.
    Differs(Changes),
}

/// Why a company could not be compared.
enum Problem {
    Api(ApiError),
    Store(StoreError),
    /// Nothing was ever read, so there is nothing to compare with.
    NeverRead,
    /// The listing contradicts itself or the API: of such a one nothing is missing.
    NotWhole(&'static str),
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub(super) async fn run(path: &Path, company: Option<i64>, as_json: bool) -> Outcome {
    let mut config = loaded(path)?;
    let chosen = chosen(&config, company)?;
    let conn = existing(&config, store::open_reader)?;
    let yclients = &mut config.yclients;
    yclients.requests_per_second = (yclients.requests_per_second / SHARE).max(1);
    yclients.requests_per_minute = (yclients.requests_per_minute / SHARE).max(1);
    let api = api(&config)?;
    let (mut told, mut sound) = (Vec::new(), true);
    for company in &chosen {
        let reading = Say(config.language).of("Читаю журнал филиала", "Reading the journal of");
        let shown = Progress::of(format!("{reading} {}", company.id));
        let compared = compare(&api, &conn, company).await;
        drop(shown);
        match compared {
            Ok(comparison) => {
                sound &= comparison.differences.is_empty();
                if as_json {
                    told.push(comparison.to_json());
                } else {
                    for line in comparison.lines(Say(config.language)) {
                        say(&line)?;
                    }
                }
            }
            Err(problem) => {
                sound = false;
                let failure = failure(company.id, problem)?;
                failure.print();
                told.push(json!({"id": company.id, "error": failure.lines().join(": ")}));
            }
        }
    }
    if as_json {
        say(&format!("{:#}", json!({"same": sound, "companies": told})))?;
    }
    Ok(if sound { 0 } else { code::FAILED })
}

fn chosen(config: &Config, company: Option<i64>) -> Result<Vec<Company>, Failure> {
    Ok(match company {
        Some(_) => vec![names::company(config, company)?.clone()],
        None => config.companies.clone(),
    })
}

/// The company's failure; a database that is refused ends the command.
fn failure(id: i64, problem: Problem) -> Result<Failure, Failure> {
    Ok(match problem {
        Problem::Store(error) => return Err(refused(error)),
        Problem::Api(error) => trouble_failure(&Trouble::Company {
            id,
            denied: match &error {
                ApiError::Denied { status, .. } => Some(*status),
                _ => None,
            },
            why: error.to_string(),
        }),
        Problem::NeverRead => Failure::new(
            code::FAILED,
            anyhow::anyhow!("company {id}: its journal was never read whole"),
        )
        .hint("booking-monitor --once reads it; `status` says what stands in the way"),
        Problem::NotWhole(why) => {
            Failure::new(code::FAILED, anyhow::anyhow!("company {id}: {why}"))
                .hint("such a reading proves nothing missing: run verify again")
        }
    })
}

async fn compare(
    api: &dyn BookingApi,
    conn: &Connection,
    company: &Company,
) -> Result<Comparison, Problem> {
    let row = companies::get(conn, company.id)?.ok_or(Problem::NeverRead)?;
    if row.baseline_at.is_none() {
        return Err(Problem::NeverRead);
    }
    let zone = company.timezone.or(row.info.zone).ok_or_else(|| {
        ApiError::Unreadable("the company names no time zone: set `timezone` under it".into())
    })?;
    let reference = CompanyRef {
        id: company.id,
        zone,
        country: company.country.clone(),
        standing: Standing::first(),
    };
    let from = Utc::now().with_timezone(&zone).date_naive();
    let to = from + TimeDelta::days(i64::from(company.pace.horizon_days));
    let mut sweep = listing::sweep(api, &reference, from, to, row.slice_days).await;
    if let Some(error) = sweep.failure.take() {
        return Err(error.into());
    }
    if !sweep.covers(from, to) {
        return Err(Problem::NotWhole("the listing is not whole"));
    }
    // The cache is read after the journal: what a daemon stores meanwhile is newer, never older.
    let mut differences = listed_ones(conn, company, &sweep)?;
    differences.extend(absent_ones(api, conn, company, &reference, &sweep).await?);
    differences.sort_by_key(|d| (d.start, d.record));
    Ok(Comparison {
        title: company.title.clone().unwrap_or(row.info.title),
        id: company.id,
        from,
        to,
        listed: sweep
            .records
            .values()
            .filter(|r| is_kept(&company.rules.as_meant(r)))
            .count(),
        differences,
    })
}

/// Whether the cache would hold it: breaks and blocked slots are nobody's bookings.
fn is_kept(record: &Record) -> bool {
    record.is_alive() && !record.is_blocked_slot()
}

/// What the journal lists and the cache lacks or has otherwise.
fn listed_ones(
    conn: &Connection,
    company: &Company,
    sweep: &Sweep,
) -> store::Result<Vec<Difference>> {
    let mut differences = Vec::new();
    let forgotten = Forgotten::read(conn)?;
    for listed in sweep.records.values() {
        let cached = cache::get(conn, company.id, listed.id)?;
        let seen = forgotten.without_them(listed, cached.as_ref().map(|c| &c.record));
        let seen = company.rules.as_meant(seen.as_ref());
        let seen = seen.as_ref();
        let what = match cached {
            None if is_kept(seen) => Some(What::NotInCache),
            None => None,
            Some(cached) => differing(&cached.record, seen).map(What::Differs),
        };
        differences.extend(what.map(|what| Difference {
            record: seen.id,
            start: seen.start_local,
            what,
        }));
    }
    Ok(differences)
}

fn differing(cached: &Record, seen: &Record) -> Option<Changes> {
    let is_older = matches!((cached.changed_at, seen.changed_at), (Some(c), Some(s)) if s < c);
    // The daemon has heard of a change since the journal was read.
    if is_older {
        return None;
    }
    Some(Changes::between(cached, seen)).filter(|changes| !changes.is_empty())
}

/// What the cache has standing on days that were listed whole, and the listing does not have. Each
/// is asked for by its id: it may only have moved, or be hidden from the robot's user.
async fn absent_ones(
    api: &dyn BookingApi,
    conn: &Connection,
    company: &Company,
    reference: &CompanyRef,
    sweep: &Sweep,
) -> Result<Vec<Difference>, Problem> {
    let mut absent: BTreeMap<i64, Record> = BTreeMap::new();
    for days in &sweep.days {
        for id in cache::standing(conn, reference.id, days.from, days.to)? {
            if sweep.listed.contains(&id) {
                continue;
            }
            if !days.proves_absence {
                return Err(Problem::NotWhole(
                    "the listing of some days is no proof, and bookings of theirs are not in it",
                ));
            }
            if let Some(cached) = cache::get(conn, reference.id, id)? {
                absent.insert(id, cached.record);
            }
        }
    }
    let forgotten = Forgotten::read(conn)?;
    let mut differences = Vec::new();
    for (asked, (id, cached)) in absent.into_iter().enumerate() {
        let found = if asked < MOST_LOOKUPS {
            look(api, reference, id).await?
        } else {
            Look::Absent
        };
        let what = match found {
            Look::Absent => What::NotInJournal,
            Look::Hidden => What::NotShown,
            Look::There(seen) => {
                let seen = forgotten.without_them(&seen, Some(&cached));
                match differing(&cached, &company.rules.as_meant(&seen)) {
                    Some(changes) => What::Differs(changes),
                    // Written between the two readings.
                    None if is_newer(&cached, sweep.server_date) => continue,
                    None => {
                        return Err(Problem::NotWhole(
                            "the listing left out a booking that is there when asked for by its id",
                        ));
                    }
                }
            }
        };
        differences.push(Difference {
            record: id,
            start: cached.start_local,
            what,
        });
    }
    Ok(differences)
}

/// A booking asked for by its id.
enum Look {
    There(Box<Record>),
    /// Deleted or unknown.
    Absent,
    /// Not for this user's eyes.
    Hidden,
}

async fn look(api: &dyn BookingApi, reference: &CompanyRef, id: i64) -> Result<Look, ApiError> {
    match api.record(reference, id).await {
        Ok(Lookup::Found(record)) if record.is_alive() => Ok(Look::There(record)),
        Ok(Lookup::Found(_) | Lookup::Gone) => Ok(Look::Absent),
        Err(ApiError::Denied { status: 403, .. }) => Ok(Look::Hidden),
        Err(error) => Err(error),
    }
}

fn is_newer(cached: &Record, read_at: Option<DateTime<Utc>>) -> bool {
    matches!((cached.changed_at, read_at), (Some(changed), Some(read)) if changed >= read - MEANWHILE)
}

impl Comparison {
    fn lines(&self, words: Say) -> Vec<String> {
        let head = format!(
            "{} ({}), {} – {}",
            self.title,
            self.id,
            self.from.format("%d.%m.%Y"),
            self.to.format("%d.%m.%Y")
        );
        let (listed, count) = (self.listed, self.differences.len());
        let mut lines = vec![match (count, words.0) {
            (0, Language::Ru) => format!("{head}: записей {listed}, расхождений нет"),
            (0, Language::En) => format!("{head}: {listed} bookings, no difference"),
            (_, Language::Ru) => format!("{head}: записей {listed}, расхождений {count}"),
            (_, Language::En) => format!("{head}: {listed} bookings, {count} differences"),
        }];
        lines.extend(self.differences.iter().map(|d| {
            let what = match &d.what {
                What::NotInCache => words
                    .of(
                        "в журнале есть, в базе нет",
                        "in the journal, not in the cache",
                    )
                    .to_owned(),
                What::NotInJournal => words
                    .of(
                        "в базе есть, в журнале нет",
                        "in the cache, not in the journal",
                    )
                    .to_owned(),
                What::NotShown => words
                    .of(
                        "в базе есть, пользователю робота YClients её не показывает",
                        "in the cache, not shown to the robot's user",
                    )
                    .to_owned(),
                What::Differs(changes) => changes.to_string(),
            };
            let start = d.start.format("%d.%m.%Y %H:%M");
            format!("  {} · {start} · {what}", d.record)
        }));
        lines
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "title": self.title,
            "from": self.from.to_string(),
            "to": self.to.to_string(),
            "listed": self.listed,
            "differences": self.differences.iter().map(|d| {
                let (what, changes) = match &d.what {
                    What::NotInCache => ("not_in_cache", json!({})),
                    What::NotInJournal => ("not_in_journal", json!({})),
                    What::NotShown => ("not_shown", json!({})),
                    What::Differs(changes) => ("differs", changes.to_json()),
                };
                json!({
                    "record_id": d.record,
                    "datetime": d.start.format("%Y-%m-%d %H:%M:%S").to_string(),
                    "difference": what,
                    "changes": changes,
                })
            }).collect::<Vec<_>>(),
        })
    }
}
