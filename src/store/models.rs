//! How the language models fare: by what they answered, and by probes in between.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::chores::{self, Chore};
use super::{At, Result};

/// What was asked in turns older than this says nothing of today.
const LATELY: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// A question that was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When it failed.
    pub at: DateTime<Utc>,
    /// How, as [`crate::ports::ModelError::as_str`] has it.
    pub word: String,
    /// What was said.
    pub said: String,
}

/// How a model fares.
#[derive(Clone, Debug, Default)]
pub struct Fares {
    /// When it last answered, or a probe found that it is back.
    pub good_at: Option<DateTime<Utc>>,
    /// Every failure since, oldest first.
    pub failures: Vec<Failure>,
    /// The last probe failed, with these words.
    pub probe_error: Option<String>,
    /// The next probe.
    pub probe_at: Option<DateTime<Utc>>,
}

/// The alert's cause, and the chore of probing: of a model that serves these companies, the first one.
#[must_use]
pub fn name(first_company: i64) -> String {
    format!("model:{first_company}")
}

/// How the model that answers for these companies fares.
pub fn fares(conn: &Connection, companies: &[i64], now: DateTime<Utc>) -> Result<Fares> {
    let Chore {
        due_at,
        done_at,
        last_error,
    } = match companies.first() {
        Some(first) => chores::get(conn, &name(*first))?,
        None => Chore::default(),
    };
    let mut fares = Fares {
        good_at: done_at,
        probe_error: last_error,
        probe_at: due_at,
        ..Fares::default()
    };
    // From the newest back to the last good one.
    let mut query = conn.prepare_cached(
        "SELECT q.answered_at, q.outcome, q.answer
           FROM turns t JOIN model_questions q ON q.turn_id = t.id
          WHERE t.company_id = ?1 AND t.began_at >= ?2 AND q.outcome IS NOT NULL
          ORDER BY t.began_at DESC, q.id DESC",
    )?;
    for company in companies {
        let mut rows = query.query((company, At(now - LATELY)))?;
        while let Some(row) = rows.next()? {
            let at = row.get::<_, At>(0)?.0;
            let word: String = row.get(1)?;
            // Its filter is an answer, too.
            if matches!(word.as_str(), "words" | "calls" | "blocked") {
                fares.good_at = fares.good_at.max(Some(at));
                break;
            }
            let said = row.get::<_, Option<String>>(2)?.unwrap_or_default();
            fares.failures.push(Failure { at, word, said });
        }
    }
    let good_at = fares.good_at;
    fares
        .failures
        .retain(|f| good_at.is_none_or(|good| f.at > good));
    fares.failures.sort_by_key(|f| f.at);
    Ok(fares)
}
