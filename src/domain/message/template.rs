//! The texts of one company: the built-in ones of its language and its own in their place.
//!
//! Everything a template can get wrong is found when it is compiled, by trying it with every value
//! present and with every value missing. Printed values are foreign text: they pass
//! [`markup::data`], except the few that we composed ourselves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};

use super::facts::{Facts, ITEM, OURS, VARIABLES};
use super::markup::{self, LONGEST_TEXT, MISSING, Markup};
use super::{Language, Said, builtin, said, trial};

/// Instructions one text may take: the built-in ones need some hundreds, an endless loop is stopped
/// in a few milliseconds.
const FUEL: u64 = 50_000;

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A booking the client does not know of.
    Created,
    /// A booking that became another.
    Updated,
    /// A booking that is on again.
    Restored,
    /// A booking that is off.
    Cancelled,
    /// A visit the client did not come to.
    NoShow,
    /// A visit that is over.
    Visited,
    /// A visit that is near.
    Reminder,
    /// To a number that a booking's message went to by mistake.
    WrongNumber,
    /// The answer to a STOP.
    Stopped,
    /// The answer to a START.
    Started,
    /// To a client who said that they come.
    Confirmed,
    /// To a client who said that they do not come: a person takes it from here.
    Declined,
    /// To a client whose booking was taken off as they wanted.
    CalledOff,
    /// To a client who wants what a person has to do.
    HandedOn,
    /// To a client who has several bookings and meant one.
    Which,
    /// To a client who spoke, drew or sent a file.
    TextOnly,
    /// To a client who meant a booking that is not theirs.
    NotYours,
    /// To somebody who opened the bot.
    Start,
    /// To a client who sent their number.
    Linked,
    /// To somebody who sent another person's number.
    ForeignContact,
    /// To a client who greets the agent.
    Greeting,
    /// To a client who takes leave of it.
    Goodbye,
    /// To a client whose number the agent needs first.
    NumberWanted,
    /// What the agent puts to a client before it books.
    ProposeBooking,
    /// What it puts to them before it moves a booking.
    ProposeMove,
    /// What it puts to them before it takes one off.
    ProposeCancel,
    /// To a client who nodded where a yes was asked for.
    YesWanted,
    /// To a client who said no.
    NothingChanged,
    /// To a client who is booked as they agreed.
    Booked,
    /// To a client whose booking is moved as they agreed.
    Moved,
    /// To a client whose time somebody else took meanwhile.
    Taken,
}

impl Key {
    /// Every text.
    pub const ALL: [Self; 31] = [
        Self::Created,
        Self::Updated,
        Self::Restored,
        Self::Cancelled,
        Self::NoShow,
        Self::Visited,
        Self::Reminder,
        Self::WrongNumber,
        Self::Stopped,
        Self::Started,
        Self::Confirmed,
        Self::Declined,
        Self::CalledOff,
        Self::HandedOn,
        Self::Which,
        Self::TextOnly,
        Self::NotYours,
        Self::Start,
        Self::Linked,
        Self::ForeignContact,
        Self::Greeting,
        Self::Goodbye,
        Self::NumberWanted,
        Self::ProposeBooking,
        Self::ProposeMove,
        Self::ProposeCancel,
        Self::YesWanted,
        Self::NothingChanged,
        Self::Booked,
        Self::Moved,
        Self::Taken,
    ];

    /// The key in `[templates]`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Restored => "restored",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no_show",
            Self::Visited => "visited",
            Self::Reminder => "reminder",
            Self::WrongNumber => "wrong_number",
            Self::Stopped => "stopped",
            Self::Started => "started",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::CalledOff => "called_off",
            Self::HandedOn => "handed_on",
            Self::Which => "which",
            Self::TextOnly => "text_only",
            Self::NotYours => "not_yours",
            Self::Start => "start",
            Self::Linked => "linked",
            Self::ForeignContact => "foreign_contact",
            Self::Greeting => "greeting",
            Self::Goodbye => "goodbye",
            Self::NumberWanted => "number_wanted",
            Self::ProposeBooking => "propose_booking",
            Self::ProposeMove => "propose_move",
            Self::ProposeCancel => "propose_cancel",
            Self::YesWanted => "yes_wanted",
            Self::NothingChanged => "nothing_changed",
            Self::Booked => "booked",
            Self::Moved => "moved",
            Self::Taken => "taken",
        }
    }

    /// Its reader agrees to what it says, so it has to say all of it.
    fn is_agreed_to(self) -> bool {
        matches!(
            self,
            Self::ProposeBooking | Self::ProposeMove | Self::ProposeCancel
        )
    }

    fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == word)
    }
}

/// A company's own text.
#[derive(Clone, Copy, Debug)]
pub struct Override<'a> {
    /// The key in `[templates]`.
    pub key: &'a str,
    /// For this channel only; `None` for all.
    pub channel: Option<&'a str>,
    /// MiniJinja source.
    pub source: &'a str,
    /// Where it was written: a file's path, or the configuration's key path.
    pub origin: &'a str,
}

/// What is wrong with a company's own text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// Where the text was written.
    pub origin: String,
    /// The line in it, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: Said,
    /// The nearest name that would be right.
    pub nearest: Option<String>,
}

impl TemplateProblem {
    /// The whole line, as people read it; a log has the English of [`fmt::Display`].
    #[must_use]
    pub fn within(&self, language: Language) -> String {
        let (at, meant) = match language {
            Language::En => ("line", "did you mean"),
            Language::Ru => ("строка", "может быть,"),
        };
        let line = self
            .line
            .map_or_else(String::new, |line| format!(", {at} {line}"));
        let nearest = self.nearest.as_ref();
        let nearest = nearest.map_or_else(String::new, |name| format!("; {meant} `{name}`?"));
        format!(
            "{}{line}: {}{nearest}",
            self.origin,
            self.message.within(language)
        )
    }
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.within(Language::En))
    }
}

impl std::error::Error for TemplateProblem {}

/// The compiled texts of one company.
#[derive(Debug)]
pub struct Texts {
    language: Language,
    environment: Environment<'static>,
    /// By key and channel; `None` serves the channels without their own.
    own: BTreeMap<(Key, Option<String>), Own>,
}

/// A company's own text, compiled.
#[derive(Debug)]
struct Own {
    /// Its name in the environment.
    name: String,
    origin: String,
    /// The variables it asks for, each with the line that asks first.
    asks: Vec<(String, Option<usize>)>,
}

impl Texts {
    /// The built-in texts alone.
    #[must_use]
    pub fn builtin(language: Language) -> Self {
        let mut environment = environment();
        for key in Key::ALL {
            // A test compiles and fills each of them; one that failed would give an empty message.
            drop(environment.add_template(key.as_str(), builtin::source(language, key)));
        }
        Self {
            language,
            environment,
            own: BTreeMap::new(),
        }
    }

    /// The built-in texts with the company's own in their place, or everything wrong with those.
    pub fn new(language: Language, own: &[Override<'_>]) -> Result<Self, Vec<TemplateProblem>> {
        let mut texts = Self::builtin(language);
        let mut problems = Vec::new();
        for (number, text) in own.iter().enumerate() {
            if let Err(found) = texts.add(number, text) {
                problems.extend(found);
            }
        }
        if problems.is_empty() {
            Ok(texts)
        } else {
            Err(problems)
        }
    }

    fn add(&mut self, number: usize, text: &Override<'_>) -> Result<(), Vec<TemplateProblem>> {
        let problem = |line, message: Said, nearest| TemplateProblem {
            origin: text.origin.to_owned(),
            line,
            message,
            nearest,
        };
        let Some(key) = Key::named(text.key) else {
            return Err(vec![problem(
                None,
                said(
                    format!("there is no text `{}`", text.key),
                    format!("нет текста `{}`", text.key),
                ),
                nearest(text.key, Key::ALL.map(Key::as_str)),
            )]);
        };
        let source = markup::without_private(text.source);
        let name = format!("own-{number}");
        let broken = |e: &Error| vec![problem(e.line(), words(e), meant(e))];
        self.environment
            .add_template_owned(name.clone(), source.clone())
            .map_err(|e| broken(&e))?;
        let template = self
            .environment
            .get_template(&name)
            .map_err(|e| broken(&e))?;

        let asks = template.undeclared_variables(false).into_iter();
        let mut asks: Vec<(String, Option<usize>)> = asks
            .map(|name| {
                let line = line_of(&source, &name);
                (name, line)
            })
            .collect();
        asks.sort_by_key(|(name, line)| (*line, name.clone()));
        let unknown: Vec<TemplateProblem> = asks
            .iter()
            .filter(|(name, _)| !self.is_known(name))
            .map(|(name, line)| {
                let message = said(
                    format!("unknown variable `{name}`"),
                    format!("нет переменной `{name}`"),
                );
                problem(*line, message, nearest(name, VARIABLES))
            })
            .collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let mut longest = 0;
        let mut is_whole = true;
        for full in [true, false] {
            let facts = Facts {
                is_agreed_to: key.is_agreed_to(),
                ..Facts::sample(full)
            };
            let text = template.render(facts.context()).map_err(|e| broken(&e))?;
            let text = markup::drop_missing(&text);
            longest = longest.max(text.chars().count());
            is_whole &= facts.is_shown_by(&text);
        }
        let message = match longest {
            1.. if !is_whole => Some(said(
                "it has to show `details`: the client agrees to what, when, with whom and for how much",
                "в нём нужно `details`: клиент соглашается на то, что, когда, у кого и почём",
            )),
            0 => Some(said("it comes to nothing", "из него ничего не выходит")),
            1..=LONGEST_TEXT => None,
            _ => Some(said(
                format!("it comes to {longest} characters; messengers take {LONGEST_TEXT}"),
                format!("в нём выходит {longest} знаков, мессенджеры берут {LONGEST_TEXT}"),
            )),
        };
        if let Some(message) = message {
            return Err(vec![problem(None, message, None)]);
        }
        let own = Own {
            name,
            origin: text.origin.to_owned(),
            asks,
        };
        let place = (key, text.channel.map(str::to_owned));
        self.own.insert(place, own);
        Ok(())
    }

    /// What is legal in the company's own texts but hardly meant, on the channels it writes over.
    #[must_use]
    pub fn remarks(&self, channels: &[(&str, Markup)]) -> Vec<TemplateProblem> {
        let mut remarks = Vec::new();
        for ((key, only), own) in &self.own {
            let remark = |line, message| TemplateProblem {
                origin: own.origin.clone(),
                line,
                message,
                nearest: None,
            };
            let full = trial::everything(self, *key).context();
            let never = |(name, _): &&(String, Option<usize>)| {
                full.get_attr(name).unwrap_or_default().len() == Some(0)
            };
            // Once for a text: one that was made to try every variable is not worth a page of these.
            let never: Vec<_> = own.asks.iter().filter(never).collect();
            if let Some((_, line)) = never.first() {
                let names: Vec<String> =
                    never.iter().map(|(name, _)| format!("`{name}`")).collect();
                remarks.push(remark(*line, never_known(&names, *key)));
            }
            // A channel with a text of its own for this key is not told by this one.
            let here = channels.iter().filter(|(name, _)| match only {
                Some(only) => only == name,
                None => !self.own.contains_key(&(*key, Some((*name).to_owned()))),
            });
            let too_long = here.filter_map(|(channel, markup)| {
                let facts = trial::longest(self, *key, *markup);
                let text = self.fill(&own.name, &facts)?;
                let length = markup::length(&markup::render(&text, *markup), *markup);
                (length > LONGEST_TEXT).then_some((length, *channel))
            });
            let too_long: Vec<(usize, &str)> = too_long.collect();
            if let Some((length, _)) = too_long.iter().max() {
                let names: Vec<String> = too_long
                    .iter()
                    .map(|(_, name)| format!("`{name}`"))
                    .collect();
                let names = names.join(", ");
                let message = said(
                    format!(
                        "with the longest names it comes to {length} characters on {names}, \
                         which takes {LONGEST_TEXT}: then the built-in text goes in its place"
                    ),
                    format!(
                        "с самыми длинными именами выходит {length} знаков в {names}, \
                         а помещается {LONGEST_TEXT}: тогда вместо него уйдёт встроенный текст"
                    ),
                );
                remarks.push(remark(None, message));
            }
        }
        remarks
    }

    fn is_known(&self, variable: &str) -> bool {
        VARIABLES.contains(&variable)
            || OURS.contains(&variable)
            || self.environment.globals().any(|(name, _)| name == variable)
    }

    /// The built-in texts of a language, for whoever writes in another one than the salon's.
    #[must_use]
    pub fn of_language(language: Language) -> &'static Self {
        static RU: LazyLock<Texts> = LazyLock::new(|| Texts::builtin(Language::Ru));
        static EN: LazyLock<Texts> = LazyLock::new(|| Texts::builtin(Language::En));
        match language {
            Language::Ru => &RU,
            Language::En => &EN,
        }
    }

    /// The language these texts are in.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// The texts that may be told here, the nearest first: the channel's own, the company's own, the
    /// built-in one.
    pub(super) fn candidates<'t>(
        &'t self,
        key: Key,
        channel: &str,
    ) -> impl Iterator<Item = &'t str> + use<'t> {
        let own = [Some(channel.to_owned()), None].map(|c| self.own.get(&(key, c)));
        let own = own.into_iter().flatten().map(|own| own.name.as_str());
        own.chain([key.as_str()])
    }

    /// One of the [`Texts::candidates`] filled in, in neutral markup; `None` when it fails with values
    /// it was never tried with, or comes to nothing: then the next has its turn.
    #[must_use]
    pub(super) fn fill(&self, candidate: &str, facts: &Facts) -> Option<String> {
        let template = self.environment.get_template(candidate).ok()?;
        let text = markup::drop_missing(&template.render(facts.context()).ok()?);
        (!text.is_empty() && facts.is_shown_by(&text)).then_some(text)
    }
}

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        env.set_syntax(syntax);
    }
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    // Without it an undefined value is not named in release builds. Only the short form of an error
    // is ever shown: the long one prints the values.
    env.set_debug(true);
    // Not "none": then a captured block would come out as foreign text.
    env.set_auto_escape_callback(|_| AutoEscape::Custom("neutral".into()));
    env.set_formatter(print);
    // These two would let foreign text through as markup; this one would print all of it.
    env.remove_filter("safe");
    env.remove_filter("escape");
    env.remove_filter("e");
    env.remove_global("debug");
    env
}

/// Prints one value: ours as it is, a missing one as the mark that takes its line, foreign text made
/// harmless.
fn print(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let missing = value.is_undefined() || value.is_none();
    let text = match value.as_str() {
        _ if missing => String::new(),
        Some(ours) if value.is_safe() => ours.to_owned(),
        Some(foreign) => markup::data(foreign),
        None if value.kind() == ValueKind::Seq => listed(value),
        None => markup::data(&value.to_string()),
    };
    if text.is_empty() {
        out.write_str(MISSING.encode_utf8(&mut [0; 4]))
    } else {
        out.write_str(&text)
    }
    .map_err(|_| Error::from(ErrorKind::WriteFailure))
}

/// A list as people write one: bookings line by line, words with commas between.
fn listed(value: &Value) -> String {
    let parts = value.try_iter().into_iter().flatten();
    let (mut bookings, mut words) = (Vec::new(), Vec::new());
    for part in parts {
        let of = |name| part.get_attr(name).unwrap_or_default();
        match of("when").as_str() {
            // It is ours, and neutral markup already.
            Some(when) => {
                let rest = ["services", "staff", "seats"]
                    .map(|name| markup::data(of(name).as_str().unwrap_or_default()));
                let all = [when.to_owned()].into_iter().chain(rest);
                let there: Vec<String> = all.filter(|part| !part.is_empty()).collect();
                bookings.push(there.join(", "));
            }
            None => words.push(markup::data(&part.to_string())),
        }
    }
    match bookings.is_empty() {
        true => words.join(", "),
        false => bookings.join("\n"),
    }
}

/// Variables that a text of this kind never has.
fn never_known(names: &[String], key: Key) -> Said {
    let (all, key) = (names.join(", "), key.as_str());
    let en = match names {
        [_] => {
            format!("{all} is never known in `{key}`: a line with it is never shown")
        }
        _ => format!("never known in `{key}`: {all}; a line with any of them is never shown"),
    };
    let ru = format!("в `{key}` никогда не известно: {all}; строка с этим не показывается");
    said(en, ru)
}

/// An error in one line, without the values it met.
fn words(error: &Error) -> Said {
    let kind = match error.kind() {
        ErrorKind::OutOfFuel => {
            return said(
                "it takes too long: an endless loop?",
                "он работает слишком долго: бесконечный повтор?",
            );
        }
        ErrorKind::SyntaxError => "ошибка в разметке шаблона",
        ErrorKind::UndefinedError => "такого значения нет",
        ErrorKind::UnknownFilter => "такого фильтра нет",
        ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => "такой функции нет",
        ErrorKind::UnknownTest => "такой проверки нет",
        ErrorKind::TemplateNotFound => "другие шаблоны не подключаются",
        ErrorKind::InvalidOperation => "так с этим значением нельзя",
        _ => "шаблон не выполняется",
    };
    match error.detail() {
        Some(detail) => said(
            format!("{}: {detail}", error.kind()),
            format!("{kind}: {detail}"),
        ),
        None => said(error.kind().to_string(), kind),
    }
}

/// What a mistyped part of a booking (`item.datee`) was meant to be.
fn meant(error: &Error) -> Option<String> {
    let detail = error
        .detail()
        .filter(|_| error.kind() == ErrorKind::UndefinedError)?;
    let (of, part) = detail
        .split_once('`')?
        .1
        .split_once('`')?
        .0
        .rsplit_once('.')?;
    // A text such as `date` has no parts.
    if VARIABLES.contains(&of) {
        return None;
    }
    nearest(part, ITEM)
}

/// The known name nearest to a mistyped one, when it is near at all.
fn nearest<const N: usize>(word: &str, known: [&'static str; N]) -> Option<String> {
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(word, k), k))
        .min()
        .filter(|(distance, k)| *distance * 2 <= k.len().max(word.len()).min(8))
        .map(|(_, k)| k.to_owned())
}

/// The first line that holds this name as a whole word.
fn line_of(source: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    source
        .lines()
        .position(|line| line.split(|c| !is_part(c)).any(|word| word == name))
        .map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_text_fills_with_and_without_its_values() {
        for language in [Language::Ru, Language::En] {
            let texts = Texts::builtin(language);
            for key in Key::ALL {
                for full in [true, false] {
                    let template = texts.environment.get_template(key.as_str()).unwrap();
                    template.render(Facts::sample(full).context()).unwrap();
                    assert!(texts.fill(key.as_str(), &Facts::sample(full)).is_some());
                }
            }
        }
    }

    #[test]
    fn every_variable_of_the_contract_has_a_value() {
        let context = Facts::sample(true).context();
        for name in VARIABLES {
            assert!(!context.get_attr(name).unwrap().is_undefined(), "{name}");
        }
    }
}
