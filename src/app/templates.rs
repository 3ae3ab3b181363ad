//! `templates suggest`: texts to submit where a messenger takes approved templates alone, and the
//! settings that fit them; beside it the words for what `check --online` finds wrong with templates.

use std::path::Path;

use super::failure::code;
use super::text::Say;
use super::{Failure, Outcome, load, say};
use crate::channels::{Kind, Settings, green_api::Flavour};
use crate::cli::TemplatesCommand;
use crate::config::{Company, Config, Language, Secrets};
use crate::domain::message::Place;
use crate::domain::message::suggested::{Foot, Suggested, suggested};
use crate::ports::{Gap, TemplateGap};

/// A channel that takes approved templates alone.
struct Official<'c> {
    name: &'c str,
    kind: &'static str,
    /// Templates are named by an id that only approval gives.
    by_id: bool,
    hears: bool,
}

pub(super) fn run(path: &Path, command: &TemplatesCommand) -> Outcome {
    let TemplatesCommand::Suggest { channel } = command;
    // Whoever prepares official WhatsApp may have no settings yet.
    let config = match (path.exists(), channel) {
        (false, None) => None,
        _ => Some(load(path, Secrets::NotNeeded)?.config),
    };
    let config = config.as_ref();
    let channels = config.map_or(&[][..], |config| &config.channels);
    let mut wanted: Vec<Official<'_>> = channels.iter().filter_map(official).collect();
    if let Some(name) = channel {
        wanted.retain(|official| official.name == name);
        if wanted.is_empty() {
            let problem = anyhow::anyhow!("`{name}` is no channel that takes approved templates");
            return Err(Failure::new(code::USAGE, problem)
                .hint("these are whatsapp-cloud, and green-api with flavour = \"waba\""));
        }
    } else if wanted.is_empty() {
        wanted.push(Official {
            name: "cloud",
            kind: "whatsapp-cloud",
            by_id: false,
            hears: false,
        });
    }
    for (index, official) in wanted.iter().enumerate() {
        if index > 0 {
            say("")?;
        }
        print(config, official)?;
    }
    Ok(0)
}

fn official(settings: &Settings) -> Option<Official<'_>> {
    let by_id = match &settings.kind {
        Kind::WhatsAppCloud(_) => false,
        Kind::GreenApi(green) if green.flavour == Flavour::Waba => true,
        Kind::GreenApi(_) | Kind::Telegram(_) | Kind::Http(_) | Kind::Console(_) => return None,
    };
    Some(Official {
        name: &settings.name,
        kind: settings.kind.as_str(),
        by_id,
        hears: settings.kind.hears(),
    })
}

fn print(config: Option<&Config>, official: &Official<'_>) -> Result<(), Failure> {
    let all = config.map_or(&[][..], |config| &config.companies);
    let writes = |c: &&Company| c.channels.iter().any(|name| name == official.name);
    let companies: Vec<&Company> = all.iter().filter(writes).collect();
    let language = companies
        .first()
        .map(|company| company.language)
        .or(config.map(|config| config.language))
        .unwrap_or_default();
    let words = Say(config.map_or(language, |config| config.language));
    // An answer is read by people only where every salon there has an owner to read it.
    let owned = !companies.is_empty() && companies.iter().all(|c| !c.owners.is_empty());
    let foot = match official.hears && owned {
        true => Foot::Write,
        false => Foot::Call,
    };
    let templates = suggested(language, foot, &place(companies.first().copied(), language));
    let code = match language {
        Language::Ru => "ru",
        Language::En => "en",
    };
    say(&head(words, official, code))?;
    for template in &templates {
        say("")?;
        say(&submitted(words, template, code))?;
    }
    say("")?;
    say(&settings(words, official, &templates, code))?;
    if companies.iter().any(|company| company.language != language) {
        say("")?;
        say(words.of(
            "# Салоны этого канала пишут на разных языках, а шаблон знает один: заведите второй канал.",
            "# The salons of this channel write in different languages, and a template knows one: make a second channel.",
        ))?;
    }
    Ok(())
}

/// What the samples say of the salon.
fn place(company: Option<&Company>, language: Language) -> Place {
    let of = |own: Option<&String>, ru: &str, en: &str| {
        own.cloned()
            .unwrap_or_else(|| Say(language).of(ru, en).to_owned())
    };
    let company = |key: fn(&Company) -> &Option<String>| company.and_then(|c| key(c).as_ref());
    Place {
        salon: of(company(|c| &c.title), "Малаховка", "Malakhovka"),
        address: of(
            company(|c| &c.address),
            "Малаховка, Южная улица, 38",
            "38 Yuzhnaya Street, Malakhovka",
        ),
        phone: of(
            company(|c| &c.phone),
            "+7 900 000-00-00",
            "+7 900 000-00-00",
        ),
        ..Place::default()
    }
}

fn head(words: Say, official: &Official<'_>, code: &str) -> String {
    let (name, kind) = (official.name, official.kind);
    match words.0 {
        Language::Ru => format!(
            "# Канал {name} ({kind}): шаблоны, которые надо подать на одобрение.\n\
             # WhatsApp Manager → Шаблоны сообщений → Создать. Категория: Utility (UTILITY), язык: {code},\n\
             # параметры: номера. Заголовок, подпись и кнопки не нужны: программа заполняет только текст."
        ),
        Language::En => format!(
            "# Channel {name} ({kind}): templates to submit for approval.\n\
             # WhatsApp Manager → Message templates → Create. Category: Utility (UTILITY), language: {code},\n\
             # variables: numbers. No header, footer or buttons: only the body is filled by this program."
        ),
    }
}

fn submitted(words: Say, template: &Suggested, code: &str) -> String {
    let Suggested {
        kind, name, body, ..
    } = template;
    let mut out = format!("── {kind}: {name} · UTILITY · {code}\n{body}\n");
    let samples = match template.samples.is_empty() {
        true => words.of(
            "Без переменных: примеров не спросят.",
            "No variables: no samples are asked for.",
        ),
        false => words.of("Примеры значений:", "Samples:"),
    };
    out.push_str(&format!("── {samples}"));
    for (index, sample) in template.samples.iter().enumerate() {
        out.push_str(&format!("\n{{{{{}}}}} {sample}", index + 1));
    }
    out
}

fn settings(words: Say, official: &Official<'_>, all: &[Suggested], code: &str) -> String {
    let mut out = words
        .of(
            "── В booking-monitor.toml, когда их одобрят:",
            "── For booking-monitor.toml, once they are approved:",
        )
        .to_owned();
    if official.by_id {
        out.push_str("\n# ");
        out.push_str(words.of(
            "name: id шаблона в Green API; пока он не вписан, check --online назовёт его.",
            "name: the template's id at Green API; until it is written there, check --online names it.",
        ));
    }
    out.push_str(&format!("\n[channels.{}.templates]", quoted(official.name)));
    for template in all {
        let names: Vec<String> = template
            .parameters
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        out.push_str(&format!(
            "\n{} = {{ name = \"{}\", language = \"{code}\", parameters = [{}] }}",
            template.kind,
            template.name,
            names.join(", ")
        ));
    }
    out
}

/// A channel's name as a key of TOML.
fn quoted(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match name.chars().all(bare) {
        true => name.to_owned(),
        false => format!("{name:?}"),
    }
}

/// What is wrong with a template, and what to do.
pub(super) fn gap(words: Say, channel: &str, gap: &TemplateGap) -> String {
    let TemplateGap {
        kind,
        name,
        language,
        what,
    } = gap;
    let said = match words.0 {
        Language::Ru => in_russian(what, language),
        Language::En => in_english(what, language),
    };
    let template = words.of("шаблон", "template");
    format!("channels.{channel}: {template} {name} ({kind}): {said}")
}

fn in_russian(what: &Gap, language: &str) -> String {
    match what {
        Gap::Missing => "у мессенджера такого нет; текст для подачи покажет booking-monitor templates suggest".to_owned(),
        Gap::Language(found) => format!("есть на языке {found}, а в настройках {language}: поправьте language или подайте его на {language}"),
        Gap::Id(id) => format!("в name нужен его id: \"{id}\""),
        Gap::Status(status) => match status.as_str() {
            "PENDING" | "IN_APPEAL" => format!("ещё на проверке ({status}); пока его не одобрят, такие сообщения не уйдут"),
            "REJECTED" | "FAILED" => format!("отклонён ({status}); исправьте текст в WhatsApp Manager и подайте снова"),
            "PAUSED" | "DISABLED" => format!("остановлен из-за жалоб ({status}), такие сообщения не уходят; проверьте его в WhatsApp Manager"),
            other => format!("в состоянии {other}, а нужно APPROVED"),
        },
        Gap::Parameters { takes, gives } => format!("в его тексте параметров: {takes}, в настройках: {gives}; в parameters должно быть столько же, по порядку"),
        Gap::Named => "его параметры названы словами; подайте его с номерами: {{1}}, {{2}}".to_owned(),
        Gap::Elsewhere => "параметр есть и в заголовке или кнопке, а заполняется только текст; подайте его без них".to_owned(),
        Gap::Category(category) => format!("его категория {category}: такие дороже и доходят не всем; подайте его как UTILITY"),
        Gap::Long(words) => format!("в нём своих {words} знаков, и вместе со значениями может стать больше 1024; сократите текст"),
    }
}

fn in_english(what: &Gap, language: &str) -> String {
    match what {
        Gap::Missing => "the messenger has none of this name; booking-monitor templates suggest shows the text to submit".to_owned(),
        Gap::Language(found) => format!("it is there in {found}, and in the settings in {language}: mend language, or submit it in {language}"),
        Gap::Id(id) => format!("name has to be its id: \"{id}\""),
        Gap::Status(status) => match status.as_str() {
            "PENDING" | "IN_APPEAL" => format!("it is being reviewed ({status}); until it is approved such messages do not leave"),
            "REJECTED" | "FAILED" => format!("it was rejected ({status}); mend its text in WhatsApp Manager and submit it again"),
            "PAUSED" | "DISABLED" => format!("it was stopped because of complaints ({status}), and such messages do not leave; look after it in WhatsApp Manager"),
            other => format!("it is {other}, and has to be APPROVED"),
        },
        Gap::Parameters { takes, gives } => format!("its text takes {takes} parameters, and the settings give {gives}; parameters has to list as many, in order"),
        Gap::Named => "its parameters have names; submit it with numbers: {{1}}, {{2}}".to_owned(),
        Gap::Elsewhere => "its heading or a button has a parameter too, and only the text is filled; submit it without them".to_owned(),
        Gap::Category(category) => format!("its category is {category}: such messages cost more and do not reach everybody; submit it as UTILITY"),
        Gap::Long(words) => format!("its own words are {words} characters, and with the values it may pass 1024; shorten them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_without_variables_asks_for_no_samples() {
        let mut template = Suggested {
            kind: "visited",
            name: "booking_visited",
            body: "Спасибо!".to_owned(),
            parameters: Vec::new(),
            samples: Vec::new(),
        };
        let words = Say(Language::Ru);
        let shown = submitted(words, &template, "ru");
        assert!(
            shown.ends_with("── Без переменных: примеров не спросят."),
            "{shown}"
        );
        template.samples.push("14:30".to_owned());
        let shown = submitted(words, &template, "ru");
        assert!(
            shown.ends_with("── Примеры значений:\n{{1}} 14:30"),
            "{shown}"
        );
    }
}
