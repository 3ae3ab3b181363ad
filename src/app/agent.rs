//! The models of a configuration: one for each account, however many companies share it, because its
//! limits count for all of them together.

use std::sync::Arc;

use super::Failure;
use super::failure::code;
use crate::config;
use crate::models::{self, Settings};
use crate::ports::Model;

/// The models made so far.
#[derive(Default)]
pub(super) struct Models(Vec<(Settings, Arc<dyn Model>)>);

impl Models {
    /// The model of a company, where it has one.
    pub(super) fn of(
        &mut self,
        company: &config::Company,
    ) -> Result<Option<Arc<dyn Model>>, Failure> {
        let Some(settings) = &company.agent.model else {
            return Ok(None);
        };
        if let Some((_, model)) = self.0.iter().find(|(s, _)| s.is_same(settings)) {
            return Ok(Some(Arc::clone(model)));
        }
        let model = models::build(settings)
            .map_err(|e| Failure::new(code::USAGE, anyhow::Error::new(e).context("agent")))?;
        self.0.push((settings.clone(), Arc::clone(&model)));
        Ok(Some(model))
    }

    /// Every one, once.
    pub(super) fn all(self) -> impl Iterator<Item = Arc<dyn Model>> {
        self.0.into_iter().map(|(_, model)| model)
    }
}
