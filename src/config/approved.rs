//! `[channels.NAME.templates]`: what an official messenger has approved, by kind of message.

use std::collections::BTreeMap;

use super::Company;
use super::problem::{did_you_mean, known, known_here, said};
use super::reader::{Place, Reader, Value, Wrong};
use super::section::Section;
use super::values::{list, text};
use crate::channels::approved::{Template, Templates};
use crate::domain::message::brief::KINDS;
use crate::domain::message::facts::{PARAMETERS, VARIABLES};
use crate::domain::policy::Kind;

/// Templates as they are written; one that is broken has been reported and is still there by name.
pub(super) struct Written(BTreeMap<String, Option<Template>>);

pub(super) fn read(at: &mut Section<'_>) -> Written {
    at.table("templates", |at| {
        let mut found = BTreeMap::new();
        for (kind, value) in at.others() {
            if !KINDS.contains(&kind.as_str()) {
                let hint = did_you_mean(&kind, KINDS);
                let hint = hint.unwrap_or_else(|| known_here(&KINDS.join(", ")));
                let message = said("unknown kind of message", "нет сообщения такого вида");
                value.refuse::<()>(Wrong::new(message).hint(hint));
            }
            found.insert(kind, at.named(&value, "KIND", template));
        }
        Written(found)
    })
}

fn template(at: &mut Section<'_>) -> Option<Template> {
    let name = at.required(
        "name",
        said(
            "the name it was approved under",
            "имя, под которым его одобрили",
        ),
        text,
    );
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
    let all = &VARIABLES[..PARAMETERS];
    if all.contains(&name.as_str()) {
        return Some(name);
    }
    let hint = did_you_mean(&name, all.iter().copied());
    let hint = hint.unwrap_or_else(|| known(&all.join(", ")));
    let message = said("no value has the name", "нет значения с именем");
    value.wrong(message, Some(hint))
}

impl Written {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn whole(self) -> Templates {
        let whole = self.0.into_iter();
        Templates(whole.filter_map(|(kind, t)| Some((kind, t?))).collect())
    }
}

/// Names the kinds that companies tell over this channel and that no template stands for.
pub(super) fn warn_of_gaps(
    reader: &Reader<'_>,
    place: &Place,
    templates: &Templates,
    companies: &[&Company],
) {
    let is_told = |kind: &Kind| companies.iter().any(|c| c.rules.tells(*kind));
    let lacks = |kind: &Kind| !templates.0.contains_key(kind.as_str());
    let missing: Vec<&str> = Kind::ALL
        .into_iter()
        .filter(|kind| is_told(kind) && lacks(kind))
        .map(Kind::as_str)
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let wrong = Wrong::new(said(
            format!("no approved template for {missing}"),
            format!("нет одобренного шаблона для {missing}"),
        ))
        .hint(said(
            "clients who did not write lately cannot be told of these: booking-monitor templates suggest",
            "клиенты, которые давно не писали, об этом не узнают: booking-monitor templates suggest",
        ));
        reader.warning(place, wrong);
    }
}
