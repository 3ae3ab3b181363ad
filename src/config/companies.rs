//! `[[companies]]`: everything a company does not say itself is filled in from the whole program's.

use super::agent::AgentKeys;
use super::channels::Channels;
use super::environment::Overrides;
use super::monitor::{Inherited, KINDS};
use super::problem::said;
use super::reader::{Value, Wrong, named_twice};
use super::replies;
use super::section::Section;
use super::templates::{self, unknown_channel};
use super::values::{country, list, switch, text, text_or_number, timezone, whole, word};
use super::{Company, Language, Owner, Template};
use crate::domain::policy::Kind;
use crate::domain::reply::Replies;

/// The words for languages.
pub(super) const LANGUAGES: [(&str, Language); 2] = [("ru", Language::Ru), ("en", Language::En)];

/// What the rest of the file means for its companies.
pub(super) struct Surroundings<'a> {
    pub(super) language: Language,
    pub(super) inherited: Inherited,
    pub(super) templates: Vec<Template>,
    pub(super) replies: Replies,
    pub(super) agent: AgentKeys,
    pub(super) channels: &'a Channels,
    pub(super) overrides: Overrides,
}

pub(super) fn read(at: &mut Section<'_>, around: &Surroundings<'_>) -> Vec<Company> {
    let before = at.reader.problem_count();
    let mut seen: Vec<i64> = Vec::new();
    let companies = at.tables("companies", |at| {
        let company = company(at, around);
        // Zero is the placeholder of an id that could not be read.
        if company.id != 0 && seen.contains(&company.id) {
            let id = company.id;
            let wrong = Wrong::new(said(
                format!("the company {id} is listed twice"),
                format!("филиал {id} записан дважды"),
            ))
            .hint(said(
                "its clients would be told everything twice; keep one",
                "его клиентам всё пришло бы дважды; оставьте один",
            ));
            at.reader.problem(&at.place_of("id"), wrong);
        }
        seen.push(company.id);
        // What looks left out may only be broken, so gaps are named once the rest is right.
        let whole = at.reader.problem_count() == before;
        if whole && company.channels.is_empty() && company.owners.is_empty() {
            let wrong = Wrong::new(said(
                "no channels and no owner",
                "нет ни channels, ни owner",
            ))
            .hint(said(
                "its bookings are watched, but nobody is told",
                "за записями следят, но никому не сообщают",
            ));
            at.reader.warning(&at.place, wrong);
        }
        company
    });
    let place = at.place_of("companies");
    let whole = at.reader.problem_count() == before;
    if whole && companies.is_empty() {
        let wrong = Wrong::new(said("no company to watch", "нет ни одного филиала")).hint(said(
            "add [[companies]] with its id",
            "добавьте [[companies]] с его id",
        ));
        at.reader.problem(&place, wrong);
    } else if whole && companies.iter().all(|company| company.owners.is_empty()) {
        let wrong = Wrong::new(said(
            "no company has an owner",
            "ни у одного филиала нет owner",
        ))
        .hint(said(
            "nobody hears when something breaks or is held back",
            "никто не узнает, когда что-то сломается или придержано",
        ));
        at.reader.warning(&place, wrong);
    }
    companies
}

fn company(at: &mut Section<'_>, around: &Surroundings<'_>) -> Company {
    let id = at.required(
        "id",
        said(
            "the branch's number, such as 962302",
            "номер филиала вида 962302",
        ),
        whole(1, i64::MAX),
    );
    let channel = |value: &Value<'_>| channel_name(value, around.channels);
    let channels = at.get("channels", Vec::new(), |value| {
        let names = list(channel)(value)?;
        let twice = names
            .iter()
            .enumerate()
            .find(|(index, name)| names[..*index].contains(name));
        match twice {
            Some((_, name)) => value.refuse(named_twice(name)),
            None => Some(names),
        }
    });
    let owners = at.tables("owner", |at| owner(at, around.channels));
    let title = at.optional("title", text);
    let address = at.optional("address", text);
    let phone = at.optional("phone", text_or_number);
    let timezone = at.optional("timezone", timezone);
    let country = at
        .optional("country", country)
        .unwrap_or_else(|| "RU".into());
    let language = at.optional("language", word(&LANGUAGES));
    let user_token = at.optional_secret("user_token");

    let inherited = around.inherited.clone().monitor(at, &around.overrides);
    let inherited = at.table("notify", |at| {
        let inherited = inherited.notify(at);
        let switch = at.place_of("no_show");
        inherited.warn_of_idle_no_show(Some(&around.inherited), &switch, at);
        inherited
    });
    inherited.warn_of_other_delay(&around.inherited, at);
    let templates = at.table("templates", |at| {
        templates::read(at, &around.templates, around.channels)
    });
    let replies = at.table("replies", |at| replies::read(at, around.replies.clone()));
    let agent_enabled = at.get("agent_enabled", false, switch);
    let agent = around.agent.clone();
    let agent = at.table("agent", |at| agent.read(at));
    let agent = agent.of_company(at, agent_enabled, !owners.is_empty());
    Company {
        id: id.unwrap_or_default(),
        title,
        address,
        phone,
        timezone,
        language: language.unwrap_or(around.language),
        channels,
        owners: owners.into_iter().flatten().collect(),
        rules: inherited.rules_in(at, &country),
        country,
        user_token,
        pace: inherited.pace,
        schedule: inherited.schedule,
        quiet_hours: inherited.quiet_hours,
        booking_link: inherited.booking_link,
        offer_times: inherited.offer_times,
        review_link: inherited.review_link,
        templates,
        replies,
        agent,
    }
}

/// What an owner's chat may be sent besides alerts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    /// Copies of this kind of message.
    Kind(Kind),
    /// What clients ask of a person.
    Support,
    /// Everything clients write.
    Messages,
}

fn owner(at: &mut Section<'_>, channels: &Channels) -> Option<Owner> {
    let name = said("the name of a channel", "имя канала");
    let channel = at.required("channel", name, |value| channel_name(value, channels));
    if channel
        .as_ref()
        .is_some_and(|name| channels.is_official(name))
    {
        let wrong = Wrong::new(said(
            "official WhatsApp takes only approved templates",
            "официальный WhatsApp берёт только одобренные шаблоны",
        ))
        .hint(said(
            "copies and alerts have none: choose another channel for the owner",
            "для копий и тревог их нет: выберите владельцу другой канал",
        ));
        at.reader.warning(&at.place_of("channel"), wrong);
    }
    let to = at.required(
        "to",
        said("the chat's id, or a phone", "id чата или телефон"),
        text_or_number,
    );
    let news = Kind::NEWS.map(Copied::Kind).to_vec();
    let kinds = KINDS.map(|(name, kind)| (name, Copied::Kind(kind)));
    let [a, b, c, d, e] = kinds;
    let words = [
        a,
        b,
        c,
        d,
        e,
        ("support", Copied::Support),
        ("messages", Copied::Messages),
    ];
    let copied = at.get("events", news, list(word(&words)));
    let events = copied.iter().filter_map(|copied| match copied {
        Copied::Kind(kind) => Some(*kind),
        Copied::Support | Copied::Messages => None,
    });
    let alerts = at.get("alerts", true, switch);
    let users = at.get("users", Vec::new(), list(text_or_number));
    Some(Owner {
        channel: channel?,
        to: to?,
        events: events.collect(),
        alerts,
        messages: copied.contains(&Copied::Messages),
        support: copied.contains(&Copied::Support),
        users,
    })
}

fn channel_name(value: &Value<'_>, channels: &Channels) -> Option<String> {
    let name = text(value)?;
    if channels.names().any(|known| known == name) {
        Some(name)
    } else {
        value.refuse(unknown_channel(&name, channels))
    }
}
