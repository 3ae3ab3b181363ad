//! The agents' models: probed while they give no answers, and told of to the owners.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Watch;
use crate::domain::message::owner::{Mute, alert_model_down, alert_model_up};
use crate::pipeline::poll::delta;
use crate::pipeline::{Company, Desk, Pipeline};
use crate::ports::{Model, ModelError};
use crate::store::models::{self, Fares};
use crate::store::{self, alerts, chores, companies};

/// A model that is out of order is asked this often whether it is back.
const PROBE: TimeDelta = TimeDelta::minutes(1);
/// One that refuses the key is a person's to mend, and does not like to be asked.
const PROBE_REFUSED: TimeDelta = TimeDelta::minutes(5);

/// A model, and the companies for which it answers.
struct Serving {
    model: Arc<dyn Model>,
    companies: Vec<Arc<Company>>,
}

impl Serving {
    fn ids(&self) -> Vec<i64> {
        self.companies.iter().map(|c| c.settings.id).collect()
    }

    fn cause(&self) -> String {
        models::name(self.companies.first().map_or(0, |c| c.settings.id))
    }
}

impl Desk {
    /// Every model once: companies with the same account share it.
    fn models(&self) -> Vec<Serving> {
        let mut all: Vec<Serving> = Vec::new();
        for company in self.companies.values().filter(|c| c.has_agent()) {
            let Some(model) = &company.model else {
                continue;
            };
            let same =
                |s: &&mut Serving| std::ptr::addr_eq(Arc::as_ptr(&s.model), Arc::as_ptr(model));
            match all.iter_mut().find(same) {
                Some(serving) => serving.companies.push(Arc::clone(company)),
                None => all.push(Serving {
                    model: Arc::clone(model),
                    companies: vec![Arc::clone(company)],
                }),
            }
        }
        all
    }
}

impl Pipeline {
    /// Asks the models that give no answers whether they are back. Sends nobody's words.
    pub async fn models_due(&self, now: DateTime<Utc>) -> store::Result<()> {
        for serving in self.desk().models() {
            let (ids, cause) = (serving.ids(), serving.cause());
            let of = cause.clone();
            let (fares, is_told) = self
                .store
                .read(move |c| {
                    Ok((
                        models::fares(c, &ids, now)?,
                        alerts::open_since(c, &of)?.is_some(),
                    ))
                })
                .await?;
            let is_due = fares.probe_at.is_none_or(|at| at <= now);
            if !is_due || (fares.failures.is_empty() && !is_told && fares.probe_error.is_none()) {
                continue;
            }
            let probed = serving.model.probe().await;
            let now = self.clock.now();
            self.store
                .write(move |tx| match probed {
                    Err(error) => {
                        let pause = match error {
                            ModelError::Refused { .. } => PROBE_REFUSED,
                            _ => PROBE,
                        };
                        chores::put(tx, &cause, Some(&error.to_string()), now, now + pause)
                    }
                    Ok(()) if fares.probe_error.is_some() => {
                        chores::put(tx, &cause, None, now, now)
                    }
                    // A probe mends only what a probe has found broken: a list of models is free where
                    // answers are not paid for.
                    Ok(()) => chores::postpone(tx, &cause, now + PROBE),
                })
                .await?;
        }
        Ok(())
    }
}

impl Watch<'_> {
    /// A model that gives no answers: the owners of every company it answers for hear of it, once, and
    /// once more when it is back. One that serves nobody any more is over without a word.
    pub(super) fn models(&self) -> store::Result<u32> {
        let all = self.desk.models();
        let causes: Vec<String> = all.iter().map(Serving::cause).collect();
        alerts::keep(self.conn, "model:", &causes)?;
        let mut raised = 0;
        for serving in all {
            raised += self.model(&serving)?;
        }
        Ok(raised)
    }

    fn model(&self, serving: &Serving) -> store::Result<u32> {
        let cause = serving.cause();
        let fares = models::fares(self.conn, &serving.ids(), self.now)?;
        let name = serving.model.name();
        let (mut raised, mut told) = (0, Vec::new());
        if let Some(since) = alerts::open_since(self.conn, &cause)? {
            let is_back = fares.failures.is_empty() && fares.good_at.is_some_and(|at| at > since);
            if !is_back {
                return Ok(0);
            }
            alerts::close(self.conn, &cause)?;
            let gap = (self.now - since).num_seconds();
            for company in &serving.companies {
                let row = companies::ensure(self.conn, company.settings.id)?;
                raised += self.tell_once(company, &row, &mut told, |voice, _| {
                    alert_model_up(voice, name, gap)
                })?;
            }
            return Ok(raised);
        }
        let Some((since, why)) = self.mute(&fares) else {
            return Ok(0);
        };
        alerts::open(self.conn, &cause, since, self.now)?;
        for company in &serving.companies {
            let row = companies::ensure(self.conn, company.settings.id)?;
            let at = self.local(company, &row, since).time();
            raised += self.tell_once(company, &row, &mut told, |voice, _| {
                alert_model_down(voice, name, at, why)
            })?;
        }
        Ok(raised)
    }

    /// Since when and why a model gives no answers, where that is worth telling: at once where a person
    /// has to act, else when it has lasted, by a later question or by a probe.
    fn mute<'f>(&self, fares: &'f Fares) -> Option<(DateTime<Utc>, Mute<'f>)> {
        let (first, last) = (fares.failures.first()?, fares.failures.last()?);
        let why = Mute::of(&last.word, &last.said);
        let after = delta(self.settings.after);
        let lasts = last.at - first.at >= after
            || (fares.probe_error.is_some() && self.now - first.at >= after);
        (why.wants_person() || lasts).then_some((first.at, why))
    }
}
