//! Templates that a messenger has approved, by the kind of message they stand for.

use std::collections::BTreeMap;

use crate::domain::delivery::Outcome;
use crate::domain::message::Brief;

/// One approved template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name (Cloud API) or id (Green API) at the messenger.
    pub name: String,
    /// The language it was approved in.
    pub language: String,
    /// The variables that fill it, in order.
    pub parameters: Vec<String>,
}

/// The templates of one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Templates(pub BTreeMap<String, Template>);

/// A template with its parameters filled in.
pub(super) struct Letter<'a> {
    pub(super) name: &'a str,
    pub(super) language: &'a str,
    pub(super) parameters: Vec<String>,
}

impl Templates {
    /// The letter for a message, or why there is none.
    pub(super) fn letter(&self, brief: Option<&Brief>) -> Result<Letter<'_>, Outcome> {
        let refused = |why: String| Err(Outcome::Refused { why });
        let Some(brief) = brief else {
            return refused("official WhatsApp takes only approved templates, and none can stand for this message".to_owned());
        };
        let mut found = self.0.get(brief.kind);
        if brief.kind == "restored" {
            found = found.or_else(|| self.0.get("updated"));
        }
        match found {
            Some(template) => Ok(Letter {
                name: &template.name,
                language: &template.language,
                parameters: brief.parameters(&template.parameters),
            }),
            None => refused(format!("no approved template for \"{}\"", brief.kind)),
        }
    }
}
