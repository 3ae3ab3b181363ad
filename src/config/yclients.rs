//! `[yclients]`: the journal's address, the tokens and the limits.

use std::path::PathBuf;
use std::time::Duration;

use super::address::{proxy, secure_address};
use super::load::Secrets;
use super::problem::{cannot_read, said};
use super::reader::{Value, Wrong};
use super::section::Section;
use super::values::{SHORTEST, count, duration, text, text_or_number};
use crate::http_client::ClientSettings;
use crate::yclients::{DEFAULT_TIMEOUT, Settings, User};

/// What YClients allows one address, per second and per minute.
const API_PER_SECOND: u32 = 5;
const API_PER_MINUTE: u32 = 200;

pub(super) fn read(at: &mut Section<'_>) -> Settings {
    let settings = Settings {
        base_url: at
            .optional("base_url", secure_address)
            .unwrap_or_else(|| "https://api.yclients.com/api/v1".into()),
        partner_token: at.secret("partner_token"),
        user: user(at),
        accept: at
            .optional("accept", text)
            .unwrap_or_else(|| "application/vnd.yclients.v2+json".into()),
        requests_per_second: at.get("requests_per_second", 3, count(1, 100_000)),
        requests_per_minute: at.get("requests_per_minute", 180, count(1, 6_000_000)),
        page_size: at.get("page_size", 200, count(1, 300)),
        own_users: std::collections::BTreeMap::new(),
        client: client(at, DEFAULT_TIMEOUT),
    };
    let limits = [
        (
            "requests_per_second",
            settings.requests_per_second,
            API_PER_SECOND,
            ("second", "секунду"),
        ),
        (
            "requests_per_minute",
            settings.requests_per_minute,
            API_PER_MINUTE,
            ("minute", "минуту"),
        ),
    ];
    for (key, asked, allowed, (span, russian)) in limits {
        if asked > allowed {
            let wrong = Wrong::new(said(
                format!("YClients allows {allowed} requests a {span}, not {asked}"),
                format!("YClients разрешает запросов в {russian}: {allowed}, а не {asked}"),
            ))
            .hint(said(
                "above that it answers 429 and every company waits",
                "сверх этого он отвечает 429, и ждут все филиалы",
            ));
            at.reader.warning(&at.place_of(key), wrong);
        }
    }
    settings
}

/// A ready token, or a login and a password: exactly one of the two ways.
fn user(at: &mut Section<'_>) -> User {
    let before = at.reader.problem_count();
    let token = at.optional_secret("user_token");
    let login = at.optional("login", text_or_number);
    let password = at.optional_secret("password");
    let place = at.place_of("user_token");
    match (token, login, password) {
        (Some(token), None, None) => User::Token(token),
        (None, Some(login), Some(password)) => User::Login { login, password },
        (Some(_), _, _) => {
            let wrong = Wrong::new(said(
                "user_token stands beside login or password",
                "user_token стоит рядом с login или password",
            ))
            .hint(said(
                "keep the token, or the other two",
                "оставьте токен или те два",
            ));
            at.reader.problem(&place, wrong);
            User::Token(Default::default())
        }
        (None, login, password) => {
            // A key that is there but broken has been reported; a second "missing" would mislead.
            let reported = at.reader.problem_count() > before;
            if at.reader.secrets == Secrets::Needed && !reported {
                match (login, password) {
                    (Some(_), None) => {
                        at.missing("password", r#"{ env = "YCLIENTS_PASSWORD" }"#.to_owned());
                    }
                    (None, Some(_)) => at.missing(
                        "login",
                        said(
                            "the phone or e-mail of the user",
                            "телефон или почту пользователя",
                        ),
                    ),
                    _ => at.missing(
                        "user_token",
                        said(
                            r#"{ env = "YCLIENTS_USER_TOKEN" }, or login and password"#,
                            r#"{ env = "YCLIENTS_USER_TOKEN" }, или login и password"#,
                        ),
                    ),
                }
            }
            User::Token(Default::default())
        }
    }
}

/// `timeout`, `proxy` and `ca_file`, which every connection has.
pub(super) fn client(at: &mut Section<'_>, timeout: Duration) -> ClientSettings {
    ClientSettings {
        timeout: at.get("timeout", timeout, duration(SHORTEST)),
        proxy: at.optional("proxy", proxy),
        ca_file: at.optional("ca_file", ca_file),
    }
}

/// A file of extra roots, which has to be readable now: later nobody would look.
pub(super) fn ca_file(value: &Value<'_>) -> Option<PathBuf> {
    let path = value.reader.path(&text(value)?);
    match std::fs::File::open(&path) {
        Ok(_) => Some(path),
        Err(error) => value.refuse(Wrong::new(cannot_read(&path, &error))),
    }
}
