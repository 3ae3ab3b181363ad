//! The shipped booking-monitor.toml, held against the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use booking_monitor::config::{Loaded, Secrets};

use super::draft::{Draft, FILE, draft, load};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE)
}

fn env() -> Vec<(&'static str, String)> {
    [
        "YCLIENTS_PARTNER_TOKEN",
        "YCLIENTS_USER_TOKEN",
        "GREEN_API_TOKEN",
        "TELEGRAM_CLIENT_BOT_TOKEN",
        "TELEGRAM_BOT_TOKEN",
        "WHATSAPP_CLOUD_TOKEN",
        "WAHA_KEY",
    ]
    .map(|name| (name, "t".to_owned()))
    .into()
}

pub(crate) fn example(path: &Path) -> Loaded {
    load(path, &env(), Secrets::Needed).unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn the_example_loads_without_a_warning() {
    assert_eq!(example(&shipped()).warnings, []);
}

/// Everything that must be written, and nothing else.
const REQUIRED: &str = r#"
[channels.whatsapp]
type = "green-api"
api_url = "https://7103.api.greenapi.com"
instance_id = "1101000001"
token = "t"
[channels.telegram]
type = "telegram"
token = "t"
[channels.owners]
type = "telegram"
token = "t"
"#;

#[test]
fn the_example_shows_the_defaults_that_the_program_has() {
    let minimal = Draft {
        channels: REQUIRED.into(),
        companies: "[[companies]]\nid = 962302\nchannels = [\"telegram\", \"whatsapp\"]\n\
            owner = [{ channel = \"owners\", to = \"123456789\" }]"
            .into(),
        ..draft()
    };
    let expected = format!("{:#?}", minimal.config());
    // Read from the same place, so that paths are the same.
    fs::copy(shipped(), minimal.path()).unwrap();
    let shown = format!("{:#?}", example(&minimal.path()).config);
    assert_eq!(shown, expected);
}

/// The example with the channels switched on that it shows behind a comment sign.
pub(crate) fn with_every_channel() -> Draft {
    let text = fs::read_to_string(shipped()).unwrap();
    let mut inside = false;
    let lines = text.lines().map(|line| {
        inside = line.starts_with("# [channels.") || (inside && line.starts_with("# "));
        match inside {
            true => line.trim_start_matches("# "),
            false => line,
        }
    });
    let whole: Vec<&str> = lines.collect();
    draft().with_file(FILE, &whole.join("\n"))
}

#[test]
fn the_channels_that_the_example_only_shows_can_be_switched_on() {
    let switched_on = with_every_channel();
    let loaded = example(&switched_on.path());
    let unused = |name: &str| format!("channels.{name}");
    let warned: Vec<String> = loaded.warnings.iter().map(|w| w.key.clone()).collect();
    assert_eq!(
        warned,
        ["cloud", "gateway", "own", "terminal"].map(unused),
        "each is unused, and nothing else is wrong: {:?}",
        loaded.warnings
    );
}

#[test]
fn the_example_shows_every_key_that_is_accepted() {
    let text = fs::read_to_string(shipped()).unwrap();
    let shown = keys_of(&text);
    let missing: Vec<String> = example(&with_every_channel().path())
        .keys
        .into_iter()
        .filter(|key| !shown.contains(key) && !is_shown_elsewhere(key, &shown))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// What a company may set again is shown where it is set for all.
fn is_shown_elsewhere(key: &str, shown: &BTreeSet<String>) -> bool {
    key.strip_prefix("companies[].").is_some_and(|key| {
        let whole = ["notify.", "templates.", "replies.", "agent."]
            .iter()
            .any(|t| key.starts_with(t));
        shown.contains(&if whole {
            key.to_owned()
        } else {
            format!("monitor.{key}")
        })
    })
}

/// The keys that a text shows, commented ones included, named as [`Loaded::keys`] names them.
pub(crate) fn keys_of(text: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut table = String::new();
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim_start_matches(['#', ' ']);
        if let Some(header) = line.strip_prefix('[') {
            let name = header.trim_matches(['[', ']']);
            table = match name.split_once('.') {
                Some(("templates", _)) => "templates.NAME.".into(),
                // A table of a channel: what it holds depends on the channel's type.
                Some(("channels", rest)) if rest.contains('.') => {
                    let (channel, part) = rest.split_once('.').unwrap();
                    format!("channels.{}.{part}.", types[channel])
                }
                _ if header.starts_with('[') => format!("{name}[]."),
                _ => format!("{name}."),
            };
        } else if let Some((key, value)) = line.split_once(" = ") {
            if table.starts_with("channels.") && key == "type" {
                let channel = table.trim_start_matches("channels.").trim_matches('.');
                types.insert(channel.to_owned(), value.trim_matches('"').to_owned());
                table = format!("channels.{}.", value.trim_matches('"'));
            }
            if table.ends_with(".templates.") && table.starts_with("channels.") {
                let inner = ["name", "language", "parameters"];
                let named = inner.iter().filter(|k| value.contains(&format!("{k} = ")));
                keys.extend(named.map(|k| format!("{table}KIND.{k}")));
            }
            keys.insert(format!("{table}{key}"));
            let inline = value.strip_prefix("{ ").filter(|_| key == "ignore");
            for (name, _) in inline
                .iter()
                .flat_map(|v| v.split("], "))
                .filter_map(|p| p.split_once(" = "))
            {
                keys.insert(format!("{table}{key}.{name}"));
            }
            if let Some(inline) = value.strip_prefix("[{ ") {
                // Good enough for a line in which no text holds " = ".
                let words: Vec<&str> = inline.split_whitespace().collect();
                let named = words.windows(2).filter(|pair| pair[1] == "=");
                keys.extend(named.map(|pair| format!("{table}{key}[].{}", pair[0])));
            }
        }
    }
    keys
}
