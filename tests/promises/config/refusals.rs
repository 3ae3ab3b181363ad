//! One broken file per rule, each with the whole text of what is said about it.

use booking_monitor::config::Language;

use super::draft::{Draft, draft};

#[test]
fn a_broken_value_under_monitor_names_what_is_allowed() {
    let cases = [
        (
            "interval = 60",
            r#"booking-monitor.toml:2: monitor.interval: expected a duration such as "60s", "15m", "2h" or "30d", found 60"#,
        ),
        (
            r#"interval = "often""#,
            r#"booking-monitor.toml:2: monitor.interval: expected a duration such as "60s", "15m", "2h" or "30d", found "often""#,
        ),
        (
            r#"interval = "1s500ms""#,
            r#"booking-monitor.toml:2: monitor.interval: expected a duration such as "60s", "15m", "2h" or "30d", found "1s500ms""#,
        ),
        (
            r#"interval = "0s""#,
            r#"booking-monitor.toml:2: monitor.interval: must be at least "1s", found "0s""#,
        ),
        (
            r#"notification_delay = "0s""#,
            r#"booking-monitor.toml:2: monitor.notification_delay: must be at least "1s", found "0s""#,
        ),
        (
            r#"max_delay = "99999999d""#,
            r#"booking-monitor.toml:2: monitor.max_delay: must be at most "3650d", found "99999999d""#,
        ),
        (
            r#"sweep_interval = "500ms""#,
            r#"booking-monitor.toml:2: monitor.sweep_interval: expected a duration such as "60s", "15m", "2h" or "30d", found "500ms""#,
        ),
        (
            r#"horizon = "36h""#,
            r#"booking-monitor.toml:2: monitor.horizon: expected whole days such as "180d", found "36h""#,
        ),
        (
            r#"horizon = "0d""#,
            r#"booking-monitor.toml:2: monitor.horizon: must be at least "1d", found "0d""#,
        ),
        (
            r#"schedule = "* * *""#,
            r#"booking-monitor.toml:2: monitor.schedule: expected a cron expression of 5 fields, or 6 with seconds first, found "* * *""#,
        ),
        (
            r#"schedule = "61 * * * *""#,
            r#"booking-monitor.toml:2: monitor.schedule: not a cron expression: "61 * * * *"; Component error: Number out of bounds"#,
        ),
        (
            r#"schedule = "0 0 30 2 *""#,
            r#"booking-monitor.toml:2: monitor.schedule: a cron expression that never comes due: "0 0 30 2 *""#,
        ),
        (
            r#"schedule = "@daily""#,
            r#"booking-monitor.toml:2: monitor.schedule: expected a cron expression of 5 fields, or 6 with seconds first, found "@daily""#,
        ),
        (
            r#"quiet_hours = "21:30""#,
            r#"booking-monitor.toml:2: monitor.quiet_hours: expected two different times such as "21:30-09:00", found "21:30""#,
        ),
        (
            r#"quiet_hours = "21:00-21:00""#,
            r#"booking-monitor.toml:2: monitor.quiet_hours: expected two different times such as "21:30-09:00", found "21:00-21:00""#,
        ),
        (
            r#"stale_after = "1w""#,
            r#"booking-monitor.toml:2: monitor.stale_after: expected a duration such as "60s", "15m", "2h" or "30d", found "1w""#,
        ),
        (
            r#"bot_markers = "x""#,
            "booking-monitor.toml:2: monitor.bot_markers: expected an array, found a string",
        ),
        (
            r#"bot_markers = [""]"#,
            r#"booking-monitor.toml:2: monitor.bot_markers[0]: expected a text that is not empty, found """#,
        ),
        (
            r#"bot_user_ids = ["a", 0]"#,
            r#"booking-monitor.toml:2: monitor.bot_user_ids[0]: expected a whole number from 1, found "a"
booking-monitor.toml:2: monitor.bot_user_ids[1]: expected a whole number from 1, found 0"#,
        ),
        (
            r#"bot_silences = ["create"]"#,
            r#"booking-monitor.toml:2: monitor.bot_silences[0]: expected one of "created", "updated", "cancelled", found "create"; did you mean "created"?"#,
        ),
        (
            "missing_limit = 20",
            r#"booking-monitor.toml:2: monitor.missing_limit: expected a share such as "20%", found 20"#,
        ),
        (
            r#"missing_limit = "120%""#,
            r#"booking-monitor.toml:2: monitor.missing_limit: expected a share such as "20%", found "120%""#,
        ),
        (
            r#"created_from = ["bot"]"#,
            r#"booking-monitor.toml:2: monitor.created_from[0]: expected one of "staff", "online", found "bot""#,
        ),
        (
            "quiet_markers = [1]",
            "booking-monitor.toml:2: monitor.quiet_markers[0]: expected a text that is not empty, found 1",
        ),
        (
            "min_shift = 0",
            r#"booking-monitor.toml:2: monitor.min_shift: expected a duration such as "60s", "15m", "2h" or "30d", found 0"#,
        ),
        (
            r#"only_phones = ["12345", true, ""]"#,
            r#"booking-monitor.toml:2: monitor.only_phones[1]: expected a string, found true or false
booking-monitor.toml:2: monitor.only_phones[0]: too short for a number; write it whole, as +79000000001
booking-monitor.toml:2: monitor.only_phones[2]: no digits; write it whole, as +79000000001"#,
        ),
        (
            r#"ignore = { staff = ["Лист"], services = [0], phones = ["12345"], labels = [""], masters = [] }"#,
            r#"booking-monitor.toml:2: monitor.ignore.staff[0]: expected a whole number from 1, found "Лист"
booking-monitor.toml:2: monitor.ignore.services[0]: expected a whole number from 1, found 0
booking-monitor.toml:2: monitor.ignore.labels[0]: expected a text that is not empty, found ""
booking-monitor.toml:2: monitor.ignore.masters: unknown key; known here: phones, staff, services, labels
booking-monitor.toml:2: monitor.ignore.phones[0]: too short for a number; write it whole, as +79000000001"#,
        ),
        (
            r#"dry_run = "yes""#,
            r#"booking-monitor.toml:2: monitor.dry_run: expected true or false, found "yes""#,
        ),
        (
            r#"on_uncertain = "send""#,
            r#"booking-monitor.toml:2: monitor.on_uncertain: expected one of "hold", "resend", found "send""#,
        ),
        (
            "enabled = 1",
            "booking-monitor.toml:2: monitor.enabled: expected true or false, found 1",
        ),
        (
            r#"intervall = "60s""#,
            r#"booking-monitor.toml:2: monitor.intervall: unknown key; did you mean "interval"?"#,
        ),
        (
            r#"retention = "180d""#,
            "booking-monitor.toml:2: monitor.retention: unknown key; it is a key of [database]",
        ),
    ];
    for (written, expected) in cases {
        let draft = Draft {
            monitor: written.into(),
            ..draft()
        };
        assert_eq!(draft.problems(), expected, "{written}");
    }
}

#[test]
fn a_broken_value_under_yclients_names_what_is_allowed() {
    let cases = [
        (
            "",
            r#"booking-monitor.toml: yclients.partner_token: missing; write { env = "NAME" } or { file = "PATH" }
booking-monitor.toml: yclients.user_token: missing; write { env = "YCLIENTS_USER_TOKEN" }, or login and password"#,
        ),
        (
            r#"partner_token = "p""#,
            r#"booking-monitor.toml:1: yclients.user_token: missing; write { env = "YCLIENTS_USER_TOKEN" }, or login and password"#,
        ),
        (
            r#"partner_token = "p"
user_token = "u"
login = "a""#,
            "booking-monitor.toml:3: yclients.user_token: user_token stands beside login or password; keep the token, or the other two",
        ),
        (
            r#"partner_token = "p"
login = "a""#,
            r#"booking-monitor.toml:1: yclients.password: missing; write { env = "YCLIENTS_PASSWORD" }"#,
        ),
        (
            r#"partner_token = "p"
password = "x""#,
            "booking-monitor.toml:1: yclients.login: missing; write the phone or e-mail of the user",
        ),
        (
            r#"partner_token = 5
user_token = "u""#,
            r#"booking-monitor.toml:2: yclients.partner_token: expected a string, { env = "NAME" }, { file = "PATH" } or { credential = "NAME" }, found an integer"#,
        ),
        (
            r#"partner_token = "p"
user_token = "u"
page_size = 301"#,
            "booking-monitor.toml:4: yclients.page_size: expected a whole number from 1 to 300, found 301",
        ),
        (
            r#"partner_token = "p"
user_token = "u"
requests_per_second = 0"#,
            "booking-monitor.toml:4: yclients.requests_per_second: expected a whole number from 1 to 100000, found 0",
        ),
        (
            r#"partner_token = "p"
user_token = "u"
requests_per_minute = "many""#,
            r#"booking-monitor.toml:4: yclients.requests_per_minute: expected a whole number from 1 to 6000000, found "many""#,
        ),
        (
            r#"partner_token = "p"
user_token = "u"
base_url = "http://api.yclients.com/api/v1""#,
            r#"booking-monitor.toml:4: yclients.base_url: must begin with https:// (http only for this machine), found "http://api.yclients.com/api/v1""#,
        ),
        (
            r#"partner_token = "p"
user_token = "u"
base_url = "api.yclients.com""#,
            r#"booking-monitor.toml:4: yclients.base_url: expected an address such as "https://host/path", found a string; begin it with https://"#,
        ),
        (
            r#"partner_token = "p"
user_token = "u"
base_url = "https://host/?a=1""#,
            "booking-monitor.toml:4: yclients.base_url: must hold neither a user, nor a password, nor anything after ? or #",
        ),
        (
            r#"partner_token = "p"
user_token = "u"
proxy = "host:1080""#,
            r#"booking-monitor.toml:4: yclients.proxy: expected an address such as "socks5h://host:1080", found a string; begin it with http://, https://, socks4://, socks4a://, socks5://, socks5h://"#,
        ),
        (
            r#"partner_token = "p"
user_token = "u"
ca_file = "none.pem""#,
            "booking-monitor.toml:4: yclients.ca_file: cannot read none.pem: No such file or directory (os error 2)",
        ),
        (
            r#"partner_token = "p"
user_token = "u"
timeout = "0s""#,
            r#"booking-monitor.toml:4: yclients.timeout: must be at least "1s", found "0s""#,
        ),
    ];
    for (written, expected) in cases {
        let draft = Draft {
            yclients: written.into(),
            ..draft()
        };
        assert_eq!(draft.problems(), expected, "{written}");
    }
}

#[test]
fn a_broken_channel_names_what_is_allowed() {
    let cases = [
        (
            "",
            r#"booking-monitor.toml:6: companies[0].owner[0].channel: no channel named "owners"; add it as [channels.NAME]"#,
        ),
        (
            r#"[channels]
owners = 1"#,
            "booking-monitor.toml:5: channels.owners: expected a table, found an integer",
        ),
        (
            r#"[channels.owners]
type = "signal"
phone_number_id = "1""#,
            r#"booking-monitor.toml:5: channels.owners.type: this version does not know the type "signal"; known: green-api, whatsapp-cloud, telegram, http, console"#,
        ),
        (
            r#"[channels.owners]
type = "telgram""#,
            r#"booking-monitor.toml:5: channels.owners.type: this version does not know the type "telgram"; did you mean "telegram"?"#,
        ),
        (
            r#"[channels.owners]
token = "t""#,
            r#"booking-monitor.toml:4: channels.owners.type: missing; write "green-api", "whatsapp-cloud", "telegram", "http" or "console""#,
        ),
        (
            r#"[channels.owners]
type = "green-api""#,
            r#"booking-monitor.toml:4: channels.owners.api_url: missing; write the instance's own address, such as "https://7103.api.greenapi.com"
booking-monitor.toml:4: channels.owners.instance_id: missing; write the number from the console, such as "1101000001"
booking-monitor.toml:4: channels.owners.token: missing; write { env = "NAME" } or { file = "PATH" }"#,
        ),
        (
            r#"[channels.owners]
type = "green-api"
api_url = "7103.api"
instance_id = "a/b"
token = {}
flavour = "viber"
messages_per_second = 0
receive = 1
timeout = 20"#,
            r#"booking-monitor.toml:6: channels.owners.api_url: expected an address such as "https://host/path", found a string; begin it with https://
booking-monitor.toml:7: channels.owners.instance_id: expected letters and digits only, found a string
booking-monitor.toml:8: channels.owners.token: expected a string, { env = "NAME" }, { file = "PATH" } or { credential = "NAME" }, found another table
booking-monitor.toml:9: channels.owners.flavour: expected one of "whatsapp", "waba", "max", "telegram", found "viber"
booking-monitor.toml:10: channels.owners.messages_per_second: expected a number from 0.001 to 100000, found 0
booking-monitor.toml:11: channels.owners.receive: expected true or false, found 1
booking-monitor.toml:12: channels.owners.timeout: expected a duration such as "60s", "15m", "2h" or "30d", found 20"#,
        ),
        (
            r#"[channels.owner]
type = "console""#,
            r#"booking-monitor.toml:8: companies[0].owner[0].channel: no channel named "owners"; did you mean "owner"?"#,
        ),
        (
            r#"[channels.owners]
type = "console"
token = "t""#,
            "booking-monitor.toml:6: channels.owners.token: unknown key; known here: type, messages_per_second, timeout, proxy, ca_file, new_recipients_per_day",
        ),
    ];
    for (written, expected) in cases {
        let draft = Draft {
            channels: written.into(),
            ..draft()
        };
        assert_eq!(draft.problems(), expected, "{written}");
    }
}

#[test]
fn a_broken_official_channel_names_what_is_allowed() {
    let cases = [
        (
            r#"[channels.owners]
type = "whatsapp-cloud"
phone_number_id = "+7 900"
templates = { created = { nam = "x", parameters = ["date", "dats"] }, creatd = { name = "y" } }"#,
            r#"booking-monitor.toml:4: channels.owners.token: missing; write { env = "NAME" } or { file = "PATH" }
booking-monitor.toml:6: channels.owners.phone_number_id: expected letters and digits only, found a string
booking-monitor.toml:7: channels.owners.templates.created.name: missing; write the name it was approved under
booking-monitor.toml:7: channels.owners.templates.created.parameters[1]: no value has the name "dats"; did you mean "date"?
booking-monitor.toml:7: channels.owners.templates.created.nam: unknown key; known here: name, language, parameters
booking-monitor.toml:7: channels.owners.templates.creatd: unknown kind of message; did you mean "created"?"#,
        ),
        (
            r#"[channels.owners]
type = "green-api"
api_url = "http://127.0.0.1:9"
instance_id = "1"
token = "t"
templates = { created = { name = "x" } }"#,
            r#"booking-monitor.toml:9: channels.owners.templates: approved templates belong to official WhatsApp; set flavour = "waba", or remove them"#,
        ),
    ];
    for (written, expected) in cases {
        let draft = Draft {
            channels: written.into(),
            ..draft()
        };
        assert_eq!(draft.problems(), expected, "{written}");
    }
}

#[test]
fn a_broken_gateway_names_what_is_allowed() {
    let cases = [
        (
            r#"[channels.owners]
type = "http""#,
            r#"booking-monitor.toml:4: channels.owners.preset: missing; write "waha", "evolution", "wppconnect", "wazzup" or "none""#,
        ),
        (
            r#"[channels.owners]
type = "http"
preset = "waha""#,
            r#"booking-monitor.toml:4: channels.owners.base_url: missing; write the gateway's address, such as "http://127.0.0.1:3000"
booking-monitor.toml:4: channels.owners.token: missing; write { env = "NAME" } or { file = "PATH" }"#,
        ),
        (
            r#"[channels.owners]
type = "http"
preset = "wazzup"
receive = true"#,
            r#"booking-monitor.toml:4: channels.owners.token: missing; write { env = "NAME" } or { file = "PATH" }
booking-monitor.toml:4: channels.owners.channel_id: missing; write the channel's id, from GET /v3/channels
booking-monitor.toml:7: channels.owners.receive: unknown key; known here: type, preset, base_url, token, session, channel_id, request, answer, messages_per_second, timeout, proxy, ca_file, new_recipients_per_day"#,
        ),
        (
            r#"[channels.owners]
type = "http"
preset = "none"
base_url = "http://127.0.0.1:9"
[channels.owners.request]
method = "DELETE"
path = "send"
headers = { X = "{text}", Y = "a\u0007", Z = "{tok}" }
body = { to = "{phone}", at = 2026-01-01 }
[channels.owners.answer]
ok = [404]
id = "id"
idempotent = "yes""#,
            r#"booking-monitor.toml:9: channels.owners.request.method: expected one of "POST", "PUT", "PATCH", "GET", found "DELETE"
booking-monitor.toml:10: channels.owners.request.path: expected a path that begins with /, found a string
booking-monitor.toml:11: channels.owners.request.headers.X: {text} has more than the one line of a header
booking-monitor.toml:11: channels.owners.request.headers.Y: expected the one line of a header, found a string
booking-monitor.toml:11: channels.owners.request.headers.Z: nothing has the name {tok}; known: {phone} {chat_id} {session} {token} {text} {key}
booking-monitor.toml:12: channels.owners.request.body.at: write a text in place of a date
booking-monitor.toml:14: channels.owners.answer.ok[0]: expected a whole number from 200 to 299, found 404
booking-monitor.toml:15: channels.owners.answer.id: expected a JSON pointer, found "id"; a JSON pointer begins with /, as "/message/id"
booking-monitor.toml:16: channels.owners.answer.idempotent: expected true or false, found "yes""#,
        ),
        (
            r#"[channels.owners]
type = "http"
preset = "none"
base_url = "http://127.0.0.1:9"
request = { path = "/send", body = { to = 1 } }"#,
            r#"booking-monitor.toml:8: channels.owners.request: neither path nor body says the text: name {text}
booking-monitor.toml:8: channels.owners.request: neither path nor body says the person: name {phone} or {chat_id}"#,
        ),
        (
            r#"[channels.owners]
type = "http"
preset = "none"
base_url = "http://127.0.0.1:9"
request = { path = "/{phone}", headers = { K = "{token}" }, body = { text = "{text}" } }
answer = { idempotent = true }"#,
            r#"booking-monitor.toml:4: channels.owners.token: missing; write { env = "NAME" } or { file = "PATH" }
booking-monitor.toml:9: channels.owners.answer.idempotent: the request does not name the {key} by which a repetition is known"#,
        ),
    ];
    for (written, expected) in cases {
        let draft = Draft {
            channels: written.into(),
            ..draft()
        };
        assert_eq!(draft.problems(), expected, "{written}");
    }
}

#[test]
fn what_a_gateway_or_an_official_channel_will_not_do_is_warned_of() {
    let gateway = Draft {
        channels: "[channels.owners]\ntype = \"http\"\npreset = \"waha\"\n\
            base_url = \"http://127.0.0.1:9\"\ntoken = \"t\"\nchannel_id = \"x\"\n\
            [channels.owners.request]\npath = \"/x\""
            .into(),
        ..draft()
    };
    assert_eq!(
        gateway.warnings(),
        r#"booking-monitor.toml:9: channels.owners.channel_id: read only with preset = "wazzup"
booking-monitor.toml:10: channels.owners.request: read only with preset = "none""#
    );
    let official = Draft {
        channels: "[channels.owners]\ntype = \"whatsapp-cloud\"\nphone_number_id = \"1\"\n\
            token = \"t\""
            .into(),
        companies: "[[companies]]\nid = 1\nchannels = [\"owners\"]\n\
            owner = [{ channel = \"owners\", to = \"1\" }]"
            .into(),
        ..draft()
    };
    assert_eq!(
        official.warnings(),
        "booking-monitor.toml:4: channels.owners.templates: no approved template for created, updated, cancelled; clients who did not write lately cannot be told of these: booking-monitor templates suggest\n\
         booking-monitor.toml:11: companies[0].owner[0].channel: official WhatsApp takes only approved templates; copies and alerts have none: choose another channel for the owner"
    );
}

#[test]
fn a_broken_company_names_what_is_allowed() {
    let cases = [
        (
            "",
            "booking-monitor.toml: companies: no company to watch; add [[companies]] with its id",
        ),
        (
            r#"[companies]
id = 1"#,
            "booking-monitor.toml:6: companies: expected an array of tables, found a table; write [[companies]]",
        ),
        (
            r#"[[companies]]
owner = [1]"#,
            r#"booking-monitor.toml:6: companies[0].id: missing; write the branch's number, such as 962302
booking-monitor.toml:7: companies[0].owner[0]: expected a table, found an integer"#,
        ),
        (
            r#"[[companies]]
id = 1
[[companies]]
id = 1"#,
            "booking-monitor.toml:9: companies[1].id: the company 1 is listed twice; its clients would be told everything twice; keep one",
        ),
        (
            r#"[[companies]]
id = "1"
owner = { channel = "owners" }"#,
            r#"booking-monitor.toml:7: companies[0].id: expected a whole number from 1, found "1"
booking-monitor.toml:8: companies[0].owner: expected an array of tables, found a table; write owner = [{ … }]"#,
        ),
        (
            r#"[[companies]]
id = 1
owner = [{ channel = "ownes", to = [], events = ["create"], alerts = 1, user = [] }, { to = "" }]"#,
            r#"booking-monitor.toml:8: companies[0].owner[0].channel: no channel named "ownes"; did you mean "owners"?
booking-monitor.toml:8: companies[0].owner[0].to: expected a string, found an array
booking-monitor.toml:8: companies[0].owner[0].events[0]: expected one of "created", "updated", "cancelled", "no_show", "visited", "support", "messages", found "create"; did you mean "created"?
booking-monitor.toml:8: companies[0].owner[0].alerts: expected true or false, found 1
booking-monitor.toml:8: companies[0].owner[0].user: unknown key; did you mean "users"?
booking-monitor.toml:8: companies[0].owner[1].channel: missing; write the name of a channel
booking-monitor.toml:8: companies[0].owner[1].to: missing; write the chat's id, or a phone"#,
        ),
        (
            r#"[[companies]]
id = 1
timezone = "Europe/Moskow"
country = "Russia"
language = "de"
channels = ["whatsapp", "owner"]"#,
            r#"booking-monitor.toml:8: companies[0].timezone: unknown time zone "Europe/Moskow"; did you mean "Europe/Moscow"?
booking-monitor.toml:9: companies[0].country: unknown country "Russia"; write the country's two letters, such as "RU"
booking-monitor.toml:10: companies[0].language: expected one of "ru", "en", found "de"
booking-monitor.toml:11: companies[0].channels[0]: no channel named "whatsapp"; known: owners
booking-monitor.toml:11: companies[0].channels[1]: no channel named "owner"; did you mean "owners"?"#,
        ),
        (
            r#"[[companies]]
id = 1
country = "XX"
[[companies]]
id = 2
country = "uk""#,
            r#"booking-monitor.toml:8: companies[0].country: unknown country "XX"; write the country's two letters, such as "RU"
booking-monitor.toml:11: companies[1].country: unknown country "uk"; write the country's two letters, such as "RU""#,
        ),
        (
            r#"[[companies]]
id = 1
timezone = "MSK"
title = 1
channels = ["owners", "owners"]
only_phones = ["+7 222 000-00-00"]"#,
            r#"booking-monitor.toml:8: companies[0].timezone: unknown time zone "MSK"; write a name such as "Europe/Moscow"
booking-monitor.toml:9: companies[0].title: expected a string, found 1
booking-monitor.toml:10: companies[0].channels: named twice: "owners"
booking-monitor.toml:11: companies[0].only_phones[0]: not a valid number; write it whole, as +79000000001"#,
        ),
        (
            r#"[[companies]]
id = 1
enabled = true"#,
            "booking-monitor.toml:8: companies[0].enabled: unknown key; known here: id, channels, owner, title, address, phone, timezone, country, language, user_token, interval, notification_delay, max_delay, sweep_interval, horizon, schedule, quiet_hours, only_phones, ignore, stale_after, bot_markers, bot_user_ids, bot_silences, missing_limit, created_from, quiet_markers, min_shift, dry_run, on_uncertain, attendance_minus_one, recent_activity, per_client_per_hour, notify, templates, replies, agent_enabled, agent",
        ),
        (
            r#"[[companies]]
id = 1
notify = { created = 1, update = true, updated_fields = ["staf"] }"#,
            r#"booking-monitor.toml:8: companies[0].notify.created: expected true or false, found 1
booking-monitor.toml:8: companies[0].notify.updated_fields[0]: expected one of "start", "staff", "services", "price", "duration", found "staf"; did you mean "staff"?
booking-monitor.toml:8: companies[0].notify.update: unknown key; did you mean "updated"?"#,
        ),
        (
            r#"[[companies]]
id = 1
[companies.replies]
cancel = "me"
takeover = "soon"
escalate_after = "0s"
opening_hours = "10-21"
words = { cancel = [""], canel = [] }"#,
            r#"booking-monitor.toml:9: companies[0].replies.cancel: expected one of "owner", "self", found "me"
booking-monitor.toml:10: companies[0].replies.takeover: expected a duration such as "60s", "15m", "2h" or "30d", found "soon"
booking-monitor.toml:11: companies[0].replies.escalate_after: must be at least "1s", found "0s"
booking-monitor.toml:12: companies[0].replies.opening_hours: expected two different times such as "21:30-09:00", found "10-21"
booking-monitor.toml:13: companies[0].replies.words.cancel[0]: expected a text that is not empty, found ""
booking-monitor.toml:13: companies[0].replies.words.canel: unknown key; did you mean "cancel"?"#,
        ),
        (
            r#"[[companies]]
id = 1
[companies.templates]
creatd = "x"
updated = { file = "none.txt" }
cancelled = { file = "empty.txt" }
updatd = { file = "none.txt" }
whatsapp = { created = "x" }
owners = { created = 1 }"#,
            r#"booking-monitor.toml:9: companies[0].templates.creatd: unknown key; did you mean "created"?
booking-monitor.toml:10: companies[0].templates.updated: cannot read none.txt: No such file or directory (os error 2)
booking-monitor.toml:11: companies[0].templates.cancelled: empty.txt is empty
booking-monitor.toml:12: companies[0].templates.updatd: unknown key; did you mean "updated"?
booking-monitor.toml:13: companies[0].templates.whatsapp: no channel named "whatsapp"; known: owners
booking-monitor.toml:14: companies[0].templates.owners.created: expected a string or { file = "PATH" }, found an integer"#,
        ),
    ];
    for (written, expected) in cases {
        let draft = Draft {
            companies: written.into(),
            ..draft()
        };
        let draft = draft.with_file("empty.txt", "\n");
        assert_eq!(draft.problems(), expected, "{written}");
    }
}

#[test]
fn a_key_of_another_table_is_sent_there() {
    let cases = [
        (
            "[monitor]\nreminders = [\"24h\"]",
            "booking-monitor.toml:2: monitor.reminders: unknown key; it is a key of [notify]",
        ),
        (
            "interval = \"60s\"",
            "booking-monitor.toml:1: interval: unknown key; it is a key of [monitor]",
        ),
        (
            "[monitor]\ntitle = \"Салон\"",
            "booking-monitor.toml:2: monitor.title: unknown key; it is a key of [[companies]]",
        ),
        (
            "[alerts]\nlanguage = \"en\"",
            "booking-monitor.toml:2: alerts.language: unknown key; it stands at the very beginning, before the first [table]",
        ),
        (
            "[monitor]\nmessages_per_second = 1",
            "booking-monitor.toml:2: monitor.messages_per_second: unknown key; it is a key of [channels.NAME]",
        ),
        // A word that is like one of the same table, and is one of another.
        (
            "[monitor.ignore]\nphone = \"+79000000001\"",
            "booking-monitor.toml:2: monitor.ignore.phone: unknown key; it is a key of [[companies]]",
        ),
        // Several tables have it: nobody can say which is meant.
        (
            "[alerts]\nenabled = true",
            "booking-monitor.toml:2: alerts.enabled: unknown key; known here: after, heartbeat_url, mask_phones, digest",
        ),
    ];
    for (written, expected) in cases {
        let draft = Draft {
            root: written.into(),
            ..draft()
        };
        assert_eq!(draft.problems(), expected, "{written}");
    }
    let companies = r#"[[companies]]
id = 1
reminders = ["24h"]
[companies.notify]
horizon = "30d""#;
    let draft = Draft {
        companies: companies.into(),
        ..draft()
    };
    assert_eq!(
        draft.problems(),
        "booking-monitor.toml:8: companies[0].reminders: unknown key; it is a key of [companies.notify]\n\
         booking-monitor.toml:10: companies[0].notify.horizon: unknown key; it is a key of [[companies]]"
    );
}

#[test]
fn a_broken_root_names_what_is_allowed() {
    let cases = [
        (
            r#"language = "de""#,
            r#"booking-monitor.toml:1: language: expected one of "ru", "en", found "de""#,
        ),
        (
            r#"[databse]
path = "x""#,
            r#"booking-monitor.toml:1: databse: unknown key; did you mean "database"?"#,
        ),
        (
            r#"[database]
path = "/etc/booking-monitor/x.db""#,
            r#"booking-monitor.toml:2: database.path: a database is not kept under /etc: "/etc/booking-monitor/x.db"; write a path such as "/var/lib/booking-monitor/booking-monitor.db""#,
        ),
        (
            r#"[database]
backups = "x"
retention = "23h""#,
            r#"booking-monitor.toml:2: database.backups: unknown key; known here: path, backup_dir, retention
booking-monitor.toml:3: database.retention: must be at least "1d", found "23h""#,
        ),
        (
            r#"[notify]
created = "yes"
no_shows = true"#,
            r#"booking-monitor.toml:2: notify.created: expected true or false, found "yes"
booking-monitor.toml:3: notify.no_shows: unknown key; did you mean "no_show"?"#,
        ),
        (
            r#"[notify]
reminders = ["24h", "18:00", "31d", "1d"]"#,
            r#"booking-monitor.toml:2: notify.reminders[1]: expected a span up to "30d" such as "24h", or an hour and a day before such as "18:00 -1d", found "18:00"
booking-monitor.toml:2: notify.reminders[2]: expected a span up to "30d" such as "24h", or an hour and a day before such as "18:00 -1d", found "31d""#,
        ),
        (
            r#"[notify]
reminders = ["24h", "1d"]"#,
            r#"booking-monitor.toml:2: notify.reminders: named twice: "24h""#,
        ),
        (
            r#"[monitor]
attendance_minus_one = "cancel"
bot_silences = ["visited"]"#,
            r#"booking-monitor.toml:2: monitor.attendance_minus_one: expected one of "no_show", "cancelled", found "cancel"
booking-monitor.toml:3: monitor.bot_silences[0]: expected one of "created", "updated", "cancelled", found "visited""#,
        ),
        (
            r#"[templates]
create = "x""#,
            r#"booking-monitor.toml:2: templates.create: unknown key; did you mean "created"?"#,
        ),
        (
            r#"[templates.owner]
created = "x""#,
            r#"booking-monitor.toml:1: templates.owner: no channel named "owner"; did you mean "owners"?"#,
        ),
        (
            r#"[alerts]
after = "0s"
mask_phones = 1
digest = "9 pm""#,
            r#"booking-monitor.toml:2: alerts.after: must be at least "1s", found "0s"
booking-monitor.toml:3: alerts.mask_phones: expected true or false, found 1
booking-monitor.toml:4: alerts.digest: expected an hour such as "21:00", found "9 pm""#,
        ),
        (
            r#"[alerts]
heartbeat_url = "hc-ping.com/CANARY""#,
            r#"booking-monitor.toml:2: alerts.heartbeat_url: expected an address such as "https://host/path", found a string; begin it with https://"#,
        ),
        (
            r#"[http]
listen = "9464"
port = 1"#,
            r#"booking-monitor.toml:2: http.listen: expected an address and a port such as "127.0.0.1:9464", found "9464"
booking-monitor.toml:3: http.port: unknown key; known here: listen, allow_remote, token"#,
        ),
        (
            r#"[http]
listen = "0.0.0.0:9464""#,
            r#"booking-monitor.toml:2: http.listen: others than this machine could read it: "0.0.0.0:9464"; write 127.0.0.1, or set allow_remote = true and a token"#,
        ),
        (
            r#"[http]
listen = "0.0.0.0:9464"
allow_remote = true"#,
            r#"booking-monitor.toml:2: http.listen: others than this machine may read it, and nothing asks who they are; set token = { file = "PATH" }"#,
        ),
        (
            r#"[[events]]
to = "htp"
[[events]]
url = "http://localhost"
[[events]]
to = "http"
path = "events.jsonl"
[[events]]
to = "http"
url = "https://me:CANARY@host/x"
companies = [2]
types = ["created"]"#,
            r#"booking-monitor.toml:2: events[0].to: expected one of "http", "jsonl", found "htp"
booking-monitor.toml:3: events[1].to: missing; write "http" or "jsonl"
booking-monitor.toml:5: events[2].url: missing; write "https://host/path"
booking-monitor.toml:7: events[2].path: unknown key; known here: to, types, companies, url, token, secret
booking-monitor.toml:10: events[3].url: must hold neither a user, nor a password, nor anything after #
booking-monitor.toml:11: events[3].companies[0]: no company has this id: 2; it must stand in [[companies]]
booking-monitor.toml:12: events[3].types[0]: expected one of "record.created", "record.updated", "record.deleted", found "created""#,
        ),
        (
            r#"[[events]]
to = "jsonl"
path = "booking-monitor.db-wal"
[[events]]
to = "jsonl"
path = "/etc/events.jsonl"
[[events]]
to = "jsonl"
path = "a.jsonl"
[[events]]
to = "jsonl"
path = "a.jsonl""#,
            r#"booking-monitor.toml:1: events: two of these go to the same place; every event would come twice; keep one, with the companies of both
booking-monitor.toml:3: events[0].path: must not be the database, nor one of its files: "booking-monitor.db-wal"
booking-monitor.toml:6: events[1].path: no data are kept under /etc: "/etc/events.jsonl""#,
        ),
        (
            "alerts = 1",
            "booking-monitor.toml:1: alerts: expected a table, found an integer",
        ),
        (
            "language = ru",
            "booking-monitor.toml:1: not TOML: string values must be quoted, expected literal string",
        ),
        (
            r#"a = 1
a = 2
[x
"#,
            r#"booking-monitor.toml:2: not TOML: duplicate key
booking-monitor.toml:3: not TOML: unclosed table, expected `]`"#,
        ),
    ];
    for (written, expected) in cases {
        let draft = Draft {
            root: written.into(),
            ..draft()
        };
        assert_eq!(draft.problems(), expected, "{written}");
    }
}

#[test]
fn a_broken_variable_is_named() {
    let draft = Draft {
        env: vec![
            ("BOOKING_MONITOR_ENABLED", "maybe".into()),
            ("BOOKING_MONITOR_INTERVAL", "60s".into()),
            ("BOOKING_NOTIFICATION_DELAY", "30".into()),
        ],
        ..draft()
    };
    assert_eq!(
        draft.problems(),
        r#"environment: BOOKING_MONITOR_ENABLED: expected true, false, 1, 0, yes, no, on or off, found "maybe"
environment: BOOKING_MONITOR_INTERVAL: expected a number of milliseconds such as 60000, found "60s"
environment: BOOKING_NOTIFICATION_DELAY: must be at least 1000 milliseconds (1s), found "30""#
    );
}

#[test]
fn all_problems_are_told_at_once_in_the_files_order() {
    let draft = Draft {
        root: "langauge = \"ru\"".into(),
        monitor: "max_delay = 5\ninterval = \"1\"".into(),
        yclients: "user_token = { env = \"UNSET\" }".into(),
        companies: "[[companies]]\nid = 1\ntimezone = \"Europe/Moskow\"".into(),
        env: vec![("BOOKING_MONITOR_ENABLED", "maybe".into())],
        ..draft()
    };
    assert_eq!(
        draft.problems(),
        r#"booking-monitor.toml:1: langauge: unknown key; did you mean "language"?
booking-monitor.toml:3: monitor.max_delay: expected a duration such as "60s", "15m", "2h" or "30d", found 5
booking-monitor.toml:4: monitor.interval: expected a duration such as "60s", "15m", "2h" or "30d", found "1"
booking-monitor.toml:5: yclients.partner_token: missing; write { env = "NAME" } or { file = "PATH" }
booking-monitor.toml:6: yclients.user_token: the environment variable UNSET is not set; set it, for a unit in its EnvironmentFile, or use { file = "PATH" }
booking-monitor.toml:11: companies[0].timezone: unknown time zone "Europe/Moskow"; did you mean "Europe/Moscow"?
environment: BOOKING_MONITOR_ENABLED: expected true, false, 1, 0, yes, no, on or off, found "maybe""#
    );
}

#[test]
fn a_file_that_cannot_be_read_says_how_to_name_another() {
    let draft = draft();
    let report = super::draft::load(&draft.folder.path().join("none.toml"), &[], draft.secrets);
    let said = report.unwrap_err().to_string();
    assert!(
        said.ends_with(
            "none.toml: cannot read the configuration: No such file or directory (os error 2); \
             name the file with --config or BOOKING_MONITOR_CONFIG"
        ),
        "{said}"
    );
}

#[test]
fn legal_but_risky_settings_are_warned_of_with_the_consequence() {
    let delays = Draft {
        monitor: "notification_delay = \"10m\"".into(),
        companies: "[[companies]]\nid = 1\nmax_delay = \"1m\"\n\
            owner = [{ channel = \"owners\", to = \"1\" }]"
            .into(),
        ..draft()
    };
    assert_eq!(
        delays.warnings(),
        r#"booking-monitor.toml:2: monitor.notification_delay: 10m is longer than max_delay (5m); every change is told 5m after it was seen, even while it is still being edited
booking-monitor.toml:8: companies[0].notification_delay: 10m is longer than max_delay (1m); every change is told 1m after it was seen, even while it is still being edited"#
    );

    let limits = Draft {
        yclients: "partner_token = \"p\"\nuser_token = \"u\"\nrequests_per_second = 10\n\
            requests_per_minute = 1000"
            .into(),
        ..draft()
    };
    assert_eq!(
        limits.warnings(),
        r#"booking-monitor.toml:4: yclients.requests_per_second: YClients allows 5 requests a second, not 10; above that it answers 429 and every company waits
booking-monitor.toml:5: yclients.requests_per_minute: YClients allows 200 requests a minute, not 1000; above that it answers 429 and every company waits"#
    );

    let silent = Draft {
        companies: "[[companies]]\nid = 1".into(),
        ..draft()
    };
    assert_eq!(
        silent.warnings(),
        r#"booking-monitor.toml:4: channels.owners: no company uses this channel; name it in a company's `channels` or `owner`
booking-monitor.toml:6: companies[0]: no channels and no owner; its bookings are watched, but nobody is told
booking-monitor.toml:6: companies: no company has an owner; nobody hears when something breaks or is held back"#
    );

    let open = Draft {
        channels: "[channels.owners]\ntype = \"telegram\"\ntoken = \"t\"\n\
            api_url = \"http://relay:8081\""
            .into(),
        ..draft()
    };
    assert_eq!(
        open.warnings(),
        "booking-monitor.toml:7: channels.owners.api_url: the token and the messages travel unencrypted over http; use https://, unless the network between is your own"
    );
}

#[test]
fn an_agent_that_could_not_answer_says_what_it_lacks() {
    let with = |agent: &str, company: &str| Draft {
        companies: format!(
            "[agent]\n{agent}\n[[companies]]\nid = 1\n{company}\nowner = [{{ channel = \"owners\", to = \"1\" }}]"
        ),
        ..draft()
    };
    let enabled = "agent_enabled = true";
    for (agent, company, problems) in [
        (
            "scope = \"GIGACHAT_API_PERS\"",
            enabled,
            "booking-monitor.toml:10: companies[0].agent_enabled: the agent has no key for its model; write agent.client_id and agent.client_secret, or agent.token",
        ),
        (
            "client_id = \"id\"",
            enabled,
            "booking-monitor.toml:6: agent.client_secret: missing; write { env = \"GIGACHAT_CLIENT_SECRET\" }\nbooking-monitor.toml:10: companies[0].agent_enabled: the agent has no key for its model; write agent.client_id and agent.client_secret, or agent.token",
        ),
        (
            "type = \"openai\"",
            "",
            "booking-monitor.toml:6: agent.base_url: missing; write the address, such as \"https://api.openai.com/v1\"\nbooking-monitor.toml:6: agent.model: missing; write the model's name, as that address lists it",
        ),
        (
            "type = \"gpt\"",
            "",
            "booking-monitor.toml:7: agent.type: expected one of \"gigachat\", \"openai\", found \"gpt\"",
        ),
        (
            "concurrency = 0",
            "",
            "booking-monitor.toml:7: agent.concurrency: expected a whole number from 1 to 100, found 0",
        ),
    ] {
        assert_eq!(with(agent, company).problems(), problems, "{agent}");
    }
    assert_eq!(
        with("token = \"t\"\nexternal = false", enabled).warnings(),
        "booking-monitor.toml:11: companies[0].agent_enabled: agent.external is false: no model is asked; clients are answered by rules and by people; say agent.external = true, or agent_enabled = false"
    );
}

#[test]
fn what_is_told_over_official_whatsapp_needs_a_template_and_what_is_not_needs_none() {
    let told = |notify: &str| {
        let channels = "[channels.owners]\ntype = \"console\"\n\
            [channels.wa]\ntype = \"green-api\"\nflavour = \"waba\"\n\
            api_url = \"https://7103.api.greenapi.com\"\ninstance_id = \"1\"\ntoken = \"t\"\n\
            [channels.wa.templates]\ncreated = { name = \"booked\" }";
        let companies = format!(
            "[[companies]]\nid = 1\nchannels = [\"wa\"]\n\
             owner = [{{ channel = \"owners\", to = \"1\" }}]\nnotify = {notify}"
        );
        let draft = Draft {
            channels: channels.into(),
            companies,
            ..draft()
        };
        let warnings = draft.warnings();
        let (_, gap) = warnings.split_once("no approved template for ")?;
        Some(gap.split_once(';')?.0.to_owned())
    };
    assert_eq!(
        told("{ reminders = [\"24h\"], visited = true }").as_deref(),
        Some("updated, cancelled, visited, reminder")
    );
    assert_eq!(told("{ updated = false, cancelled = false }"), None);
}

#[test]
fn a_broken_file_is_explained_in_its_own_language() {
    let broken = Draft {
        monitor: "interval = 60\nquiet = true".into(),
        ..draft()
    };
    let report = broken.load().unwrap_err();
    let folder = format!("{}/", broken.folder.path().display());
    let russian: Vec<String> = report
        .problems
        .iter()
        .map(|problem| problem.within(report.language).replace(&folder, ""))
        .collect();
    assert_eq!(
        russian,
        [
            r#"booking-monitor.toml:2: monitor.interval: нужен срок вида "60s", "15m", "2h" или "30d", а стоит 60"#,
            r#"booking-monitor.toml:3: monitor.quiet: такого ключа нет; здесь бывают: enabled, interval, notification_delay, max_delay, sweep_interval, horizon, schedule, quiet_hours, only_phones, ignore, stale_after, bot_markers, bot_user_ids, bot_silences, missing_limit, created_from, quiet_markers, min_shift, dry_run, on_uncertain, attendance_minus_one, recent_activity, per_client_per_hour"#,
        ]
    );
    // What the file says of its language holds although the rest of it is no TOML.
    let torn = Draft {
        root: "language = \"en\"".into(),
        monitor: "interval = ".into(),
        ..draft()
    };
    assert_eq!(torn.load().unwrap_err().language, Language::En);
    let slip = |line: &str| {
        let draft = Draft {
            root: line.into(),
            ..draft()
        };
        let said = draft.load().unwrap_err().problems[0].within(Language::Ru);
        let (_, slip) = said
            .split_once("строка записана не по правилам TOML: ")
            .unwrap();
        slip.to_owned()
    };
    for (line, russian) in [
        ("language = «ru»", "текст стоит в прямых кавычках: \"так\""),
        ("language = \"ru", "нет закрывающей кавычки"),
        ("language \"ru\"", "после ключа нужен знак ="),
        ("[monitor", "не закрыта скобка ]"),
    ] {
        assert_eq!(slip(line), russian, "{line}");
    }
}

#[test]
fn a_folder_is_no_database_and_the_file_in_it_is_named() {
    let root = "[database]\npath = \"data\"".to_owned();
    let draft = Draft { root, ..draft() };
    std::fs::create_dir(draft.folder.path().join("data")).unwrap();
    assert_eq!(
        draft.problems(),
        r#"booking-monitor.toml:2: database.path: a folder, not a file: "data"; write "data/booking-monitor.db""#
    );
}
