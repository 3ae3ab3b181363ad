//! `[channels.NAME.templates]`: what an official messenger has approved, by kind of message.

use std::collections::BTreeMap;

use super::problem::did_you_mean;
use super::reader::{Place, Value, Wrong};
use super::section::Section;
use super::values::{list, text};
use crate::channels::approved::{Template, Templates};
use crate::domain::message::brief::KINDS;
use crate::domain::message::facts::{PARAMETERS, VARIABLES};

/// Kinds that every salon's clients get: without a template they are refused.
const EXPECTED: [&str; 3] = ["created", "updated", "cancelled"];

/// Templates as they are written; one that is broken has been reported and is still there by name.
pub(super) struct Written(BTreeMap<String, Option<Template>>);

pub(super) fn read(at: &mut Section<'_>) -> Written {
    at.table("templates", |at| {
        let mut found = BTreeMap::new();
        for (kind, value) in at.others() {
            if !KINDS.contains(&kind.as_str()) {
                let hint = did_you_mean(&kind, KINDS);
                let hint = hint.unwrap_or_else(|| format!("known here: {}", KINDS.join(", ")));
                value.refuse::<()>(Wrong::new("unknown kind of message").hint(hint));
            }
            found.insert(kind, at.named(&value, "KIND", template));
        }
        Written(found)
    })
}

fn template(at: &mut Section<'_>) -> Option<Template> {
    let name = at.required("name", "the name it was approved under", text);
    let language = at.optional("language", text);
    let parameters = at.get("parameters", Vec::new(), list(parameter));
    Some(Template {
        name: name?,
        language: language.unwrap_or_else(|| "ru".into()),
        parameters,
    })
}

fn parameter(value: &Value<'_>) -> Option<String> {
    let name = text(value)?;
    let known = &VARIABLES[..PARAMETERS];
    if known.contains(&name.as_str()) {
        return Some(name);
    }
    let hint = did_you_mean(&name, known.iter().copied());
    let hint = hint.unwrap_or_else(|| format!("known: {}", known.join(", ")));
    value.wrong("no value has the name", Some(hint))
}

impl Written {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names the kinds that no template stands for.
    pub(super) fn warn_of_gaps(&self, at: &Section<'_>, place: &Place) {
        let missing: Vec<&str> = EXPECTED
            .into_iter()
            .filter(|kind| !self.0.contains_key(*kind))
            .collect();
        if !missing.is_empty() {
            let wrong = Wrong::new(format!("no approved template for {}", missing.join(", ")))
                .hint("clients who did not write lately cannot be told of these".to_owned());
            at.reader.warning(place, wrong);
        }
    }

    pub(super) fn whole(self) -> Templates {
        let whole = self.0.into_iter();
        Templates(whole.filter_map(|(kind, t)| Some((kind, t?))).collect())
    }
}
