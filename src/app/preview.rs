//! `preview`: a message as its recipient would read it, of a sample or of a booking in the cache.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use chrono::{TimeDelta, Utc};
use rusqlite::Connection;

use super::failure::code;
use super::{
    Failure, Outcome, channel_ends, existing, load, names, refused, sample, say, stdout_sink,
};
use crate::channels;
use crate::cli::PreviewArgs;
use crate::config::{Company, Config, Secrets};
use crate::domain::agent::proposal::{Existing, Proposal};
use crate::domain::message::{Brief, Key, Markup, Told};
use crate::domain::policy::Kind;
use crate::domain::record::Record;
use crate::domain::settle::Net;
use crate::domain::zone::Zone;
use crate::pipeline::preview::{Scene, Shown};
use crate::pipeline::{self, ChannelEnd};
use crate::store::companies::CompanyRow;
use crate::store::{self, cache, companies, events};

pub(super) fn run(path: &Path, args: &PreviewArgs) -> Outcome {
    let key = key(&args.kind)?;
    let config = load(path, Secrets::NotNeeded)?.config;
    let conn = match args.record {
        Some(_) => Some(existing(&config, store::open_reader)?),
        None => store::open_reader(&config.database.path).ok(),
    };
    let booking = match (args.record, &conn) {
        (Some(id), Some(conn)) => Some(booking(conn, args.company, id)?),
        _ => None,
    };
    let of = booking.as_ref().map(|b| b.company).or(args.company);
    let settings = names::company(&config, of)?;
    let company = pipeline::Company::new(settings.clone()).map_err(|broken| {
        let all: Vec<String> = broken.iter().map(ToString::to_string).collect();
        Failure::new(code::USAGE, anyhow::anyhow!("{}", all.join("\n")))
    })?;
    let known = match &conn {
        Some(conn) => companies::get(conn, settings.id).map_err(refused)?,
        None => None,
    };
    let row = sample::row(known, settings.language);
    let end = end(&config, settings, args.channel.as_deref())?;
    show(&config, &end, &company, &row, booking, key)
}

/// A booking of the cache.
struct Booking {
    company: i64,
    /// The visit it belongs to, standing records or what they were.
    records: Vec<Record>,
    /// As it was before its last change.
    before: Option<Record>,
}

fn booking(conn: &Connection, company: Option<i64>, id: i64) -> Result<Booking, Failure> {
    let found = store::story::of_record(conn, company, id).map_err(refused)?;
    let [story] = found.as_slice() else {
        let (what, hint) = match found.is_empty() {
            true => (
                "was never seen",
                "booking-monitor preview KIND shows a sample",
            ),
            false => ("is in several companies", "name one with --company ID"),
        };
        let error = anyhow::anyhow!("record {id} {what}");
        return Err(Failure::new(code::FAILED, error).hint(hint));
    };
    let record = &story.booking.record;
    let company = record.company_id;
    let visit = cache::of_unit(conn, company, &cache::unit(record)).map_err(refused)?;
    let visit = visit.into_iter().map(|c| c.record);
    let theirs = visit.filter(|r| r.phone() == record.phone() && r.deleted == record.deleted);
    Ok(Booking {
        company,
        records: theirs.collect(),
        before: events::last_before(conn, company, id).map_err(refused)?,
    })
}

/// The text of this name.
fn key(word: &str) -> Result<Key, Failure> {
    Key::ALL
        .into_iter()
        .find(|k| k.as_str() == word)
        .ok_or_else(|| {
            let all: Vec<&str> = Key::ALL.iter().map(|k| k.as_str()).collect();
            Failure::usage(&format!("unknown kind {word:?}: one of {}", all.join(", ")))
                .hint("booking-monitor preview created shows how it is used")
        })
}

/// The channel of this name, or the company's first one.
fn end(config: &Config, company: &Company, named: Option<&str>) -> Result<ChannelEnd, Failure> {
    let name = named.or(company.channels.first().map(String::as_str));
    let Some(name) = name else {
        return Err(Failure::usage("the company has no channel to clients")
            .hint("name one with --channel NAME"));
    };
    let ends = channel_ends(config, &stdout_sink())?.into_iter();
    let found = ends.into_iter().find(|end| end.name == name);
    found.ok_or_else(|| names::no_channel(config, name))
}

fn show(
    config: &Config,
    end: &ChannelEnd,
    company: &pipeline::Company,
    row: &CompanyRow,
    booking: Option<Booking>,
    key: Key,
) -> Outcome {
    let settings = &company.settings;
    let (now, zone) = (Utc::now(), settings.timezone.or(row.info.zone));
    let zone = zone.unwrap_or(Zone::UTC);
    let tomorrow = sample::tomorrow(zone, now);
    let sampled = || sample::record(settings, tomorrow);
    let (records, before) = match booking {
        Some(booking) => (booking.records, booking.before),
        None => {
            let mut before = sampled();
            before.start_local -= TimeDelta::hours(26);
            (vec![sampled()], Some(before))
        }
    };
    let net = |kind| Net {
        now: records.clone(),
        ..sample::net(
            kind,
            before.clone(),
            records.first().cloned().unwrap_or_else(sampled),
        )
    };
    // Which of them is only asked of somebody with several.
    let mut another = records.first().cloned().unwrap_or_else(sampled);
    another.start_local += TimeDelta::days(7);
    let two: Vec<Record> = records.iter().take(1).cloned().chain([another]).collect();
    let what = proposal(key, before.as_ref(), records.first());
    let of_change;
    let shown = match key {
        Key::Created => {
            of_change = net(Kind::Created);
            Shown::Change(&of_change)
        }
        Key::Updated => {
            of_change = net(Kind::Updated);
            Shown::Change(&of_change)
        }
        Key::Cancelled => {
            of_change = net(Kind::Cancelled);
            Shown::Change(&of_change)
        }
        Key::Restored => Shown::News(Told::Restored { now: &records }),
        Key::NoShow => Shown::News(Told::NoShow { was: &records }),
        Key::Visited => Shown::News(Told::Visited { was: &records }),
        Key::Reminder => Shown::News(Told::Reminder {
            now: &records,
            asks: settings.replies.enabled,
        }),
        Key::WrongNumber => Shown::News(Told::WrongNumber { was: &records }),
        Key::Stopped => Shown::Answer(Told::Stopped),
        Key::Started => Shown::Answer(Told::Started),
        Key::Confirmed => Shown::Answer(Told::Confirmed { now: &records }),
        Key::Declined => Shown::Answer(Told::Declined { now: &records }),
        Key::CalledOff => Shown::Answer(Told::CalledOff { was: &records }),
        Key::HandedOn => Shown::Answer(Told::HandedOn),
        Key::Which => Shown::Answer(Told::Which { now: &two }),
        Key::TextOnly => Shown::Answer(Told::TextOnly),
        Key::NotYours => Shown::Answer(Told::NotYours),
        Key::Start => Shown::Answer(Told::Start { named: true }),
        Key::Linked => Shown::Answer(Told::Linked { next: &records }),
        Key::ForeignContact => Shown::Answer(Told::ForeignContact),
        Key::Greeting => Shown::Answer(Told::Greeting {
            writes: settings.replies.writes(),
        }),
        Key::Goodbye => Shown::Answer(Told::Goodbye),
        Key::NumberWanted => Shown::Answer(Told::NumberWanted),
        Key::YesWanted => Shown::Answer(Told::YesWanted),
        Key::NothingChanged => Shown::Answer(Told::NothingChanged),
        Key::Taken => Shown::Answer(Told::Taken),
        Key::ProposeBooking | Key::ProposeMove | Key::ProposeCancel => {
            Shown::Answer(Told::Proposed {
                what: &what,
                writes: settings.replies.writes().contains(&what.word()),
            })
        }
        Key::Booked | Key::Moved => Shown::Answer(Told::Written { what: &what }),
    };
    let offers = usize::try_from(settings.offer_times).unwrap_or(0);
    let free = [26, 29, 50].map(|hours| tomorrow + TimeDelta::hours(hours));
    let scene = Scene {
        company,
        row,
        zone,
        now,
        free: &free[..offers.min(free.len())],
    };
    let coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    match end.channel.markup() {
        // Emphasis as the messenger shows it, where the terminal can.
        markup if markup.strikes() && coloured => {
            say(&on_terminal(&scene.text(
                &shown,
                end,
                Some(Markup::TelegramHtml),
            )))?;
        }
        // Where nothing can be bold, the neutral signs for it: tags are not what anybody reads.
        Markup::TelegramHtml => say(&scene.text(&shown, end, Some(Markup::WhatsApp)))?,
        _ => say(&scene.text(&shown, end, None))?,
    }
    if let (Some(templates), Some(brief)) = (templates(config, &end.name), scene.brief(&shown)) {
        let note = format!("note: {}\n", template_note(templates, &brief));
        // Nothing can be done about a stderr that is gone.
        drop(std::io::stderr().lock().write_all(note.as_bytes()));
    }
    Ok(0)
}

/// What the agent would propose, or have done.
fn proposal(key: Key, before: Option<&Record>, record: Option<&Record>) -> Proposal {
    let existing = |of: Option<&Record>| of.map_or_else(Existing::none, Existing::of);
    let (was, now) = (existing(before.or(record)), existing(record));
    match key {
        Key::ProposeCancel => Proposal::Cancel { was: now },
        Key::ProposeMove | Key::Moved => Proposal::Move {
            was,
            start: now.start,
            staff: now.staff,
        },
        _ => Proposal::Make {
            start: now.start,
            length: record.map_or(0, |record| record.length),
            staff: now.staff,
            services: now.services,
        },
    }
}

/// The approved templates of an official channel.
fn templates<'c>(config: &'c Config, name: &str) -> Option<&'c channels::approved::Templates> {
    let channel = config.channels.iter().find(|c| c.name == name)?;
    match &channel.kind {
        channels::Kind::WhatsAppCloud(cloud) => Some(&cloud.templates),
        channels::Kind::GreenApi(green) => {
            (green.flavour == channels::green_api::Flavour::Waba).then_some(&green.templates)
        }
        channels::Kind::Telegram(_) | channels::Kind::Http(_) | channels::Kind::Console(_) => None,
    }
}

/// Official WhatsApp takes this text only for who wrote lately; everybody else gets a template.
fn template_note(templates: &channels::approved::Templates, brief: &Brief) -> String {
    let Some(template) = templates.0.get(brief.kind) else {
        return format!(
            "a client who did not write lately cannot be told: no approved template for {:?}",
            brief.kind
        );
    };
    let filled = brief.parameters(&template.parameters);
    let pairs = template.parameters.iter().zip(filled);
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    format!(
        "to a client who did not write lately goes the approved template {:?}: {}",
        template.name,
        pairs.join("; ")
    )
}

/// Telegram's HTML as a terminal shows it. Foreign text is escaped there, so every tag is ours.
fn on_terminal(html: &str) -> String {
    let mut text = html.to_owned();
    for (tag, on, off) in [("b", "1", "22"), ("s", "9", "29"), ("i", "3", "23")] {
        text = text
            .replace(&format!("<{tag}>"), &format!("\x1b[{on}m"))
            .replace(&format!("</{tag}>"), &format!("\x1b[{off}m"));
    }
    for (escaped, c) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ] {
        text = text.replace(escaped, c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_shows_emphasis_and_what_people_typed_as_it_is() {
        assert_eq!(
            on_terminal("<b>Запись</b> <s>2000</s> &lt;b&gt; &amp;lt;"),
            "\x1b[1mЗапись\x1b[22m \x1b[9m2000\x1b[29m <b> &lt;"
        );
    }
}
