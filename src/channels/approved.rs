//! Templates that a messenger has approved, by the kind of message they stand for.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::delivery::Outcome;
use crate::domain::message::Brief;
use crate::domain::message::brief::{LONGEST_BODY, LONGEST_TOGETHER};
use crate::ports::{Gap, TemplateGap};

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

/// A template as the messenger lists it.
pub(super) struct Listed {
    pub(super) name: String,
    /// By which it is sent, where that is not the name.
    pub(super) id: Option<String>,
    pub(super) language: String,
    pub(super) status: String,
    pub(super) category: String,
    /// The text that the settings' parameters fill.
    pub(super) body: String,
    /// Its heading or a button takes a parameter, too.
    pub(super) elsewhere: bool,
}

impl Templates {
    /// What is wrong with them, held against the messenger's whole list.
    pub(super) fn gaps(&self, listed: &[Listed]) -> Vec<TemplateGap> {
        let gap = |(kind, template): (&String, &Template)| {
            Some(TemplateGap {
                kind: kind.clone(),
                name: template.name.clone(),
                language: template.language.clone(),
                what: template.gap(listed)?,
            })
        };
        self.0.iter().filter_map(gap).collect()
    }
}

impl Template {
    fn gap(&self, listed: &[Listed]) -> Option<Gap> {
        let key = |l: &Listed| l.id.clone().unwrap_or_else(|| l.name.clone());
        let named: Vec<&Listed> = listed.iter().filter(|l| key(l) == self.name).collect();
        if named.is_empty() {
            let by_name = listed.iter().find(|l| l.name == self.name);
            return Some(by_name.map_or(Gap::Missing, |l| Gap::Id(key(l))));
        }
        let Some(found) = named.iter().find(|l| l.language == self.language) else {
            let mut languages: Vec<&str> = named.iter().map(|l| l.language.as_str()).collect();
            languages.sort_unstable();
            return Some(Gap::Language(languages.join(", ")));
        };
        if found.status != "APPROVED" {
            return Some(Gap::Status(found.status.clone()));
        }
        let names = placeholders(&found.body);
        if names.iter().any(|name| name.parse::<u32>().is_err()) {
            return Some(Gap::Named);
        }
        let (takes, gives) = (names.len(), self.parameters.len());
        if takes != gives {
            return Some(Gap::Parameters { takes, gives });
        }
        if found.elsewhere {
            return Some(Gap::Elsewhere);
        }
        let words = found.body.chars().count();
        if gives > 0 && words + LONGEST_TOGETHER > LONGEST_BODY {
            return Some(Gap::Long(words));
        }
        let other = !matches!(found.category.as_str(), "" | "UTILITY");
        other.then(|| Gap::Category(found.category.clone()))
    }
}

/// The parameters that a text takes, each once.
pub(super) fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}").map(|(name, _)| name.trim()))
        .collect()
}
