//! What an accepted file means: units, paths, inheritance, and what wins over what.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use booking_monitor::channels::Kind as ChannelKind;
use booking_monitor::config::{Company, Language, locate_from};
use booking_monitor::domain::change::Field;
use booking_monitor::domain::phone::Phone;
use booking_monitor::domain::policy::{Kind, MinusOne, OnUncertain};
use booking_monitor::domain::reminder::Lead;
use booking_monitor::domain::reply::CancelBy;

use super::draft::{Draft, FILE, draft};

fn company(draft: &Draft) -> Company {
    draft.config().companies.remove(0)
}

const COMPANY: &str = "[[companies]]\nid = 1\nowner = [{ channel = \"owners\", to = \"1\" }]\n";

#[test]
fn the_file_is_looked_up_in_the_promised_order() {
    let folder = tempfile::tempdir().unwrap();
    let unset = |_: &str| None;
    let set = |name: &str| (name == "BOOKING_MONITOR_CONFIG").then(|| "/from/env.toml".to_owned());
    let here = folder.path();
    let system = PathBuf::from("/etc/booking-monitor/booking-monitor.toml");

    assert_eq!(locate_from(None, &unset, here), system);
    fs::write(here.join(FILE), "").unwrap();
    assert_eq!(locate_from(None, &unset, here), here.join(FILE));
    assert_eq!(locate_from(None, &set, here), Path::new("/from/env.toml"));
    let given = Path::new("given.toml");
    assert_eq!(locate_from(Some(given), &set, here), given);
}

#[test]
fn a_duration_is_one_number_and_one_unit() {
    for (written, seconds) in [
        ("1s", 1),
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("30d", 2_592_000),
    ] {
        let draft = Draft {
            monitor: format!("stale_after = {written:?}"),
            ..draft()
        };
        let expected = Duration::from_secs(seconds);
        assert_eq!(company(&draft).rules.stale_after, expected, "{written}");
    }
}

#[test]
fn an_interval_left_to_the_program_is_what_the_budget_allows() {
    let salons = |count: u32, monitor: &str| {
        let one = |id| {
            format!("[[companies]]\nid = {id}\nowner = [{{ channel = \"owners\", to = \"1\" }}]\n")
        };
        let draft = Draft {
            monitor: monitor.into(),
            companies: (1..=count).map(one).collect(),
            ..draft()
        };
        draft.config().companies
    };
    let alone = salons(1, "interval = \"auto\"");
    assert!(alone[0].pace.auto);
    assert_eq!(alone[0].pace.interval, Duration::from_secs(1));
    let many = salons(100, "interval = \"auto\"");
    let interval = many[7].pace.interval.as_secs_f64();
    assert!((35.0..45.0).contains(&interval), "{interval}");
    let given = salons(1, "interval = \"45s\"");
    assert!(!given[0].pace.auto);
    assert_eq!(given[0].pace.interval, Duration::from_secs(45));
}

#[test]
fn a_company_may_leave_its_interval_to_the_program_or_have_one_of_its_own() {
    let draft = Draft {
        monitor: "interval = \"auto\"".into(),
        companies: format!(
            "{COMPANY}interval = \"3m\"\n[[companies]]\nid = 2\nowner = [{{ channel = \"owners\", to = \"1\" }}]\n"
        ),
        ..draft()
    };
    let autos: Vec<bool> = draft
        .config()
        .companies
        .iter()
        .map(|c| c.pace.auto)
        .collect();
    assert_eq!(autos, [false, true]);
}

#[test]
fn the_environment_wins_over_the_file_and_over_the_companies() {
    let draft = Draft {
        monitor: "enabled = true\ninterval = \"2m\"".into(),
        companies: format!("{COMPANY}interval = \"3m\"\nnotification_delay = \"10s\""),
        env: vec![
            ("BOOKING_MONITOR_ENABLED", "Off".into()),
            ("BOOKING_MONITOR_INTERVAL", "1500".into()),
            ("BOOKING_NOTIFICATION_DELAY", "2000".into()),
        ],
        ..draft()
    };
    let config = draft.config();
    assert!(!config.enabled);
    let pace = &config.companies[0].pace;
    assert_eq!(pace.interval, Duration::from_millis(1500));
    assert_eq!(pace.notification_delay, Duration::from_secs(2));
}

#[test]
fn every_spelling_of_a_switch_is_understood_and_an_empty_variable_is_not_set() {
    for (value, enabled) in [
        ("true", true),
        ("1", true),
        ("yes", true),
        ("ON", true),
        ("false", false),
        ("0", false),
        ("no", false),
        ("off", false),
        ("", true),
    ] {
        let draft = Draft {
            env: vec![("BOOKING_MONITOR_ENABLED", value.into())],
            ..draft()
        };
        assert_eq!(draft.config().enabled, enabled, "{value:?}");
    }
}

#[test]
fn a_company_ignores_what_all_do_unless_it_says_so_and_reads_numbers_by_its_country() {
    let draft = Draft {
        root: "[notify]\noffer_times = 2".into(),
        monitor: "ignore = { staff = [7], phones = [\"8 900 000-00-01\"], labels = [\"Резерв\"] }"
            .into(),
        companies: format!(
            "{COMPANY}ignore = {{ staff = [8], services = [9] }}\nnotify = {{ offer_times = 0 }}\n\
             {COMPANY}country = \"RS\"\nignore = {{ phones = [\"060 1234567\"] }}"
        )
        .replacen("id = 1", "id = 2", 1),
        ..draft()
    };
    let companies = draft.config().companies;
    let ignored = |n: usize| {
        let ignore = &companies[n].rules.ignore;
        let phones: Vec<&str> = ignore.phones.iter().map(Phone::e164).collect();
        (
            ignore.staff.clone(),
            ignore.services.clone(),
            phones,
            ignore.labels.clone(),
        )
    };
    let label = vec!["Резерв".to_owned()];
    assert_eq!(
        ignored(0),
        (vec![8], vec![9], vec!["+79000000001"], label.clone())
    );
    assert_eq!(ignored(1), (vec![7], vec![], vec!["+381601234567"], label));
    assert_eq!((companies[0].offer_times, companies[1].offer_times), (0, 2));
}

#[test]
fn a_company_says_only_what_is_different_there() {
    let draft = Draft {
        root: "language = \"en\"\n[notify]\nupdated = false\nvisited = true\nbooking_link = \"https://example.org\"\n\
            reminders = [\"1d\", \"18:00 -1d\"]\nreview_link = \"https://example.org/o\"".into(),
        monitor: "interval = \"2m\"\nquiet_hours = \"21:30-09:00\"\nschedule = \"*/5 9-21 * * *\"\n\
            dry_run = true\nmissing_limit = \"12.5%\""
            .into(),
        companies: format!(
            "{COMPANY}{COMPANY}interval = \"5m\"\nquiet_hours = \"\"\nschedule = \"30 0 9 * * *\"\n\
             horizon = \"30d\"\ndry_run = false\non_uncertain = \"resend\"\nlanguage = \"ru\"\n\
             notify = {{ updated = true, created = false, updated_fields = [\"price\"], booking_link = \"\", \
                          no_show = true, visited = false, reminders = [], review_link = \"\" }}\n\
             attendance_minus_one = \"cancelled\""
        )
        .replacen("id = 1", "id = 2", 1),
        ..draft()
    };
    let config = draft.config();
    let [plain, other] = config.companies.as_slice() else {
        panic!("two companies");
    };
    assert_eq!(plain.pace.interval, Duration::from_secs(120));
    assert_eq!(plain.schedule.as_deref(), Some("0 */5 9-21 * * *"));
    assert!(plain.quiet_hours.is_some() && plain.rules.dry_run);
    assert_eq!(plain.rules.missing_limit, 12.5);
    assert_eq!(
        plain.rules.kinds,
        [Kind::Created, Kind::Cancelled, Kind::Visited]
    );
    let leads: Vec<String> = plain.rules.reminders.iter().map(Lead::to_string).collect();
    assert_eq!(leads, ["24h", "18:00 -1d"]);
    assert_eq!(plain.review_link.as_deref(), Some("https://example.org/o"));
    assert_eq!(plain.rules.attendance_minus_one, MinusOne::NoShow);
    assert_eq!(plain.booking_link.as_deref(), Some("https://example.org"));
    assert_eq!(plain.language, Language::En);

    assert_eq!(other.pace.interval, Duration::from_secs(300));
    assert_eq!(other.schedule.as_deref(), Some("30 0 9 * * *"));
    assert_eq!(other.quiet_hours, None);
    assert_eq!(other.pace.horizon_days, 30);
    assert!(!other.rules.dry_run);
    assert_eq!(other.rules.on_uncertain, OnUncertain::Resend);
    assert_eq!(
        other.rules.kinds,
        [Kind::Updated, Kind::Cancelled, Kind::NoShow]
    );
    assert_eq!(other.rules.reminders, []);
    assert_eq!(other.review_link, None);
    assert_eq!(other.rules.attendance_minus_one, MinusOne::Cancelled);
    assert_eq!(other.rules.updated_fields, [Field::Price]);
    assert_eq!(other.booking_link, None);
    assert_eq!(other.language, Language::Ru);
}

#[test]
fn test_phones_are_read_in_the_companys_country() {
    let draft = Draft {
        monitor: "only_phones = [\"8 900 000-00-01\", 79000000002]".into(),
        ..draft()
    };
    let phones: Vec<Phone> = company(&draft).rules.only_phones;
    let phones: Vec<&str> = phones.iter().map(Phone::e164).collect();
    assert_eq!(phones, ["+79000000001", "+79000000002"]);
}

#[test]
fn an_owner_hears_of_everything_unless_told_otherwise() {
    let draft = Draft {
        companies: "[[companies]]\nid = 1\n[[companies.owner]]\nchannel = \"owners\"\nto = -100123\n\
            [[companies.owner]]\nchannel = \"owners\"\nto = \"2\"\nevents = [\"cancelled\"]\nalerts = false"
            .into(),
        ..draft()
    };
    let owners = company(&draft).owners;
    assert_eq!(owners[0].to, "-100123");
    assert_eq!(
        owners[0].events,
        [Kind::Created, Kind::Updated, Kind::Cancelled]
    );
    assert!(owners[0].alerts);
    assert_eq!(owners[1].events, [Kind::Cancelled]);
    assert!(!owners[1].alerts);
}

#[test]
fn channels_keep_the_files_order_and_their_own_defaults() {
    let draft = Draft {
        channels: "[channels.owners]\ntype = \"console\"\n\
            [channels.bot]\ntype = \"telegram\"\ntoken = \"t\"\nreceive = false\n\
            [channels.app]\ntype = \"green-api\"\napi_url = \"http://127.0.0.1:9/\"\n\
            instance_id = 1101000001\ntoken = \"t\"\nmessages_per_second = 2"
            .into(),
        ..draft()
    };
    let channels = draft.config().channels;
    let names: Vec<&str> = channels
        .iter()
        .map(|channel| channel.name.as_str())
        .collect();
    assert_eq!(names, ["owners", "bot", "app"]);
    match (&channels[1].kind, &channels[2].kind) {
        (ChannelKind::Telegram(bot), ChannelKind::GreenApi(app)) => {
            assert_eq!(bot.api_url, "https://api.telegram.org");
            assert!(!bot.common.receive && app.common.receive);
            assert_eq!(bot.common.messages_per_second, 25.0);
            assert_eq!(app.common.messages_per_second, 2.0);
            assert_eq!(app.api_url, "http://127.0.0.1:9");
            assert_eq!(app.instance_id, "1101000001");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_official_channel_and_a_gateway_have_their_own_defaults() {
    let draft = Draft {
        channels: r#"[channels.owners]
type = "console"
[channels.cloud]
type = "whatsapp-cloud"
phone_number_id = 106540352242922
token = "t"
[channels.cloud.templates]
created = { name = "booking_created", parameters = ["date", "time"] }
[channels.wazzup]
type = "http"
preset = "wazzup"
token = "t"
channel_id = "e0629e11-0f67"
[channels.own]
type = "http"
preset = "none"
base_url = "http://127.0.0.1:9/api/"
token = "t"
session = ""
[channels.own.request]
path = "/send"
headers = { Authorization = "Bearer {token}" }
body = { to = "{phone}", lines = ["{text}", 1, 1.5, true] }
[channels.own.answer]
down = ["Logged OUT"]
"#
        .into(),
        ..draft()
    };
    let channels = draft.config().channels;
    let (ChannelKind::WhatsAppCloud(cloud), ChannelKind::Http(wazzup), ChannelKind::Http(own)) =
        (&channels[1].kind, &channels[2].kind, &channels[3].kind)
    else {
        panic!("{channels:?}");
    };
    assert_eq!(cloud.api_url, "https://graph.facebook.com/v26.0");
    assert_eq!(cloud.phone_number_id, "106540352242922");
    assert!(cloud.common.receive && cloud.waba_id.is_none());
    assert_eq!(cloud.common.messages_per_second, 20.0);
    let created = &cloud.templates.0["created"];
    assert_eq!(
        (created.name.as_str(), created.language.as_str()),
        ("booking_created", "ru")
    );
    assert_eq!(created.parameters, ["date", "time"]);

    assert_eq!(wazzup.base_url, "https://api.wazzup24.com");
    assert_eq!(wazzup.common.messages_per_second, 1.0);
    assert!(!wazzup.common.receive);

    assert_eq!(
        (own.base_url.as_str(), own.session.as_str()),
        ("http://127.0.0.1:9/api", "default")
    );
    let form = &own.custom;
    assert_eq!(
        (form.method.as_str(), form.path.as_str()),
        ("POST", "/send")
    );
    assert_eq!(
        form.body,
        Some(serde_json::json!({"to": "{phone}", "lines": ["{text}", 1, 1.5, true]}))
    );
    assert_eq!(form.ok, [200, 201]);
    assert_eq!((form.id.as_str(), form.error.as_str()), ("/id", "/error"));
    assert_eq!(form.down, ["logged out"]);
    assert!(!form.idempotent);
}

#[test]
fn an_address_on_this_machine_needs_no_encryption_and_loses_its_slash() {
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let draft = Draft {
            yclients: format!(
                "partner_token = \"p\"\nuser_token = \"u\"\nbase_url = \"http://{host}:9/api/v1/\""
            ),
            ..draft()
        };
        let expected = format!("http://{host}:9/api/v1");
        assert_eq!(draft.config().yclients.base_url, expected);
    }
}

#[test]
fn the_database_lies_beside_the_file() {
    let draft = draft();
    let expected = draft.folder.path().join("booking-monitor.db");
    assert_eq!(draft.config().database.path, expected);
}

#[test]
fn a_companys_text_wins_over_everybodys_also_where_that_was_for_one_channel() {
    let draft = Draft {
        root: "[templates]\ncreated = \"all\"\nupdated = { file = \"updated.txt\" }\n\
            [templates.owners]\ncreated = \"all, owners\"\ncancelled = \"off, owners\""
            .into(),
        companies: format!("{COMPANY}templates = {{ created = \"own\", restored = \"\" }}"),
        ..draft()
    };
    let draft = draft.with_file("updated.txt", "moved\n\n");
    let file = draft
        .folder
        .path()
        .join("updated.txt")
        .display()
        .to_string();
    let templates = company(&draft).templates;
    let path = draft.path().display().to_string();
    let (off, own) = (
        format!("{path}:6: templates.owners.cancelled"),
        format!("{path}:15: companies[0].templates.created"),
    );
    let seen: Vec<_> = templates
        .iter()
        .map(|t| {
            (
                t.key.as_str(),
                t.channel.as_deref(),
                t.source.as_str(),
                t.origin.as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("updated", None, "moved", file.as_str()),
            ("cancelled", Some("owners"), "off, owners", off.as_str()),
            ("created", None, "own", own.as_str()),
        ]
    );
}

#[test]
fn backups_and_retention_are_off_and_half_a_year_unless_said_otherwise() {
    let plain = draft().config().database;
    assert_eq!(plain.backup_dir, None);
    assert_eq!(plain.retention, Duration::from_hours(180 * 24));
    let said = Draft {
        root: "[database]\nbackup_dir = \"backups\"\nretention = \"1d\"".into(),
        ..draft()
    };
    let database = said.config().database;
    assert_eq!(
        database.backup_dir,
        Some(said.folder.path().join("backups"))
    );
    assert_eq!(database.retention, Duration::from_hours(24));
    let short = Draft {
        root: "[database]\nretention = \"23h\"".into(),
        ..draft()
    };
    let problems = short.problems();
    assert!(
        problems.contains("database.retention: must be at least \"1d\""),
        "{problems}"
    );
}

#[test]
fn receivers_of_events_are_named_by_where_they_are_and_shown_without_what_may_be_a_password() {
    let events = "[[events]]\nto = \"http\"\nurl = \"https://n8n.example/webhook/CANARY?key=CANARY\"\n\
        [[events]]\nto = \"http\"\nurl = \"https://n8n.example/other\"\n\
        [[events]]\nto = \"jsonl\"\npath = \"events.jsonl\"\n";
    let draft = Draft {
        companies: format!("{COMPANY}{events}"),
        ..draft()
    };
    let config = draft.config();
    let labels: Vec<&str> = config.events.iter().map(|s| s.label.as_str()).collect();
    assert_eq!(labels, ["n8n.example", "n8n.example (2)", "events.jsonl"]);
    assert!(!format!("{config:?}").contains("CANARY"));
    let names = |config: &booking_monitor::config::Config| -> Vec<String> {
        config.events.iter().map(|s| s.sink.clone()).collect()
    };
    let unchanged = Draft {
        companies: draft.companies.clone(),
        ..draft
    };
    assert_eq!(names(&unchanged.config()), names(&config));
}

#[test]
fn the_page_listens_where_it_is_told_and_to_others_with_a_token_alone() {
    let http = |keys: &str| {
        let draft = Draft {
            root: format!("[http]\n{keys}\n"),
            ..draft()
        };
        draft.config().http
    };
    let at = |text: &str| Some(text.parse().unwrap());
    assert_eq!(http("").listen, None);
    assert_eq!(
        http("listen = \"localhost:9464\"").listen,
        at("127.0.0.1:9464")
    );
    assert_eq!(http("listen = \"[::1]:9464\"").listen, at("[::1]:9464"));
    let remote = http("listen = \"0.0.0.0:9464\"\nallow_remote = true\ntoken = \"t\"");
    assert_eq!(remote.listen, at("0.0.0.0:9464"));
    assert!(remote.token.is_some());
}

#[test]
fn a_company_answers_its_clients_in_its_own_way() {
    let draft = Draft {
        companies: r#"[replies]
write = true
takeover = "1h"
words = { cancel = ["снимите"] }
[[companies]]
id = 1
[[companies]]
id = 2
replies = { cancel = "self", opening_hours = "10:00-20:00" }
[[companies]]
id = 3
replies = { write = false, enabled = false }"#
            .into(),
        ..draft()
    };
    let config = draft.config();
    let of = |n: usize| &config.companies[n].replies;
    assert_eq!((of(0).write, of(1).write, of(2).write), (true, true, false));
    assert_eq!(of(0).cancel, CancelBy::Owner);
    assert_eq!(of(1).cancel, CancelBy::Program);
    assert_eq!(of(1).takeover, Duration::from_hours(1));
    assert!(of(1).opening_hours.is_some() && of(0).opening_hours.is_none());
    assert_eq!(of(1).words.cancel, ["снимите"]);
    assert!(of(0).enabled && !of(2).enabled);
}

#[test]
fn a_switch_that_another_key_leaves_without_effect_is_warned_of() {
    let draft = Draft {
        root: "[notify]\nno_show = true".into(),
        monitor: "attendance_minus_one = \"cancelled\"".into(),
        ..draft()
    };
    assert_eq!(
        draft.warnings(),
        r#"booking-monitor.toml:2: notify.no_show: no such message is ever sent; attendance_minus_one = "cancelled" makes "did not come" a cancellation"#
    );
}

#[test]
fn an_agent_is_off_until_a_company_says_otherwise_and_has_keys_of_its_own() {
    let config = Draft {
        companies: "[agent]\ntype = \"openai\"\nbase_url = \"http://127.0.0.1:8000/v1\"\nmodel = \"qwen\"\ntone = \"Коротко.\"\n[[companies]]\nid = 1\n[[companies]]\nid = 2\nagent_enabled = true\nagent = { tone = \"С юмором.\", join = \"2s\" }"
            .into(),
        ..draft()
    }
    .config();
    let [first, second] = config.companies.as_slice() else {
        panic!("two companies")
    };
    assert!(!first.agent.enabled && second.agent.enabled);
    assert_eq!(first.agent.tone, "Коротко.");
    assert_eq!(second.agent.tone, "С юмором.");
    assert_eq!(second.agent.join.as_secs(), 2);
    // A model on this machine may do without a key.
    let model = second.agent.model.as_ref().unwrap();
    assert_eq!(model.model, "qwen");
    assert_eq!(model.base_url, "http://127.0.0.1:8000/v1");
}

#[test]
fn a_console_takes_the_keys_that_every_channel_has() {
    let draft = Draft {
        channels: "[channels.owners]\ntype = \"console\"\ntimeout = \"20s\"\nproxy = \"\"\n\
                   ca_file = \"\"\nmessages_per_second = 2.5"
            .into(),
        ..draft()
    };
    let config = draft.config();
    assert_eq!(config.channels[0].kind.messages_per_second(), Some(2.5));
}

#[test]
fn an_owner_may_read_clients_words_without_alerts_and_a_company_may_have_its_own_user() {
    let draft = Draft {
        companies: r#"[[companies]]
id = 1
user_token = "CANARY"
owner = [{ channel = "owners", to = "1", alerts = false, events = ["created", "support"] },
         { channel = "owners", to = "2", alerts = false, events = ["messages"] }]
[[companies]]
id = 2"#
            .into(),
        ..draft()
    };
    let config = draft.config();
    let [support, messages] = config.companies[0].owners.as_slice() else {
        panic!("two owners");
    };
    assert_eq!(support.events, [Kind::Created]);
    assert_eq!(
        (support.reads_words(true), support.reads_words(false)),
        (true, false)
    );
    assert_eq!(
        (messages.reads_words(true), messages.reads_words(false)),
        (true, true)
    );
    assert_eq!(messages.events, []);
    let own: Vec<i64> = config.yclients.own_users.keys().copied().collect();
    assert_eq!(own, [1]);
    assert!(!format!("{config:?}").contains("CANARY"));
}
