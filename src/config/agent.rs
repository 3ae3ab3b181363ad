//! `[agent]`: which model answers clients, in what tone, and how much of it a day. The same keys once
//! for all and once more under a company.

use std::path::PathBuf;
use std::time::Duration;

use super::Agent;
use super::address::{proxy, secure_address};
use super::load::Secrets;
use super::problem::{Said, said};
use super::reader::Wrong;
use super::section::Section;
use super::values::{SHORTEST, count, duration, switch, text, word};
use super::yclients::ca_file;
use crate::http_client::ClientSettings;
use crate::models::{Key, Kind, Settings};

const GIGACHAT: &str = "https://gigachat.devices.sberbank.ru/api/v1";
const GIGACHAT_AUTH: &str = "https://ngw.devices.sberbank.ru:9443/api/v2/oauth";

/// What a company inherits from `[agent]`.
#[derive(Clone)]
pub(super) struct AgentKeys {
    kind: Kind,
    base_url: Option<String>,
    auth_url: String,
    scope: String,
    key: Key,
    model: Option<String>,
    ca_file: Option<PathBuf>,
    proxy: Option<String>,
    concurrency: u32,
    timeout: Duration,
    join: Duration,
    per_client_per_day: u32,
    per_day: u32,
    external: bool,
    tone: String,
    restrictions: String,
}

impl Default for AgentKeys {
    fn default() -> Self {
        Self {
            kind: Kind::GigaChat,
            base_url: None,
            auth_url: GIGACHAT_AUTH.to_owned(),
            scope: "GIGACHAT_API_PERS".to_owned(),
            key: Key::default(),
            model: None,
            ca_file: None,
            proxy: None,
            concurrency: 1,
            timeout: Duration::from_secs(20),
            join: Duration::from_secs(4),
            per_client_per_day: 30,
            per_day: 1000,
            external: true,
            tone: String::new(),
            restrictions: String::new(),
        }
    }
}

impl AgentKeys {
    /// The keys of the table, in place of what `self` holds.
    pub(super) fn read(self, at: &mut Section<'_>) -> Self {
        let kinds = word(&[("gigachat", Kind::GigaChat), ("openai", Kind::OpenAi)]);
        let kind = at.get("type", self.kind, kinds);
        // Another service is another address, another model and another key.
        let is_same = kind == self.kind;
        let old = match is_same {
            true => self,
            false => Self {
                base_url: None,
                model: None,
                key: Key::default(),
                ..self
            },
        };
        let read = Self {
            kind,
            base_url: at.optional("base_url", secure_address).or(old.base_url),
            auth_url: at
                .optional("auth_url", secure_address)
                .unwrap_or(old.auth_url),
            scope: at.optional("scope", text).unwrap_or(old.scope),
            key: key(at, old.key),
            model: at.optional("model", text).or(old.model),
            ca_file: at.or_off("ca_file", old.ca_file, ca_file),
            proxy: at.or_off("proxy", old.proxy, proxy),
            concurrency: at.get("concurrency", old.concurrency, count(1, 100)),
            timeout: at.get("timeout", old.timeout, duration(SHORTEST)),
            join: at.get("join", old.join, duration(Duration::ZERO)),
            per_client_per_day: at.get(
                "per_client_per_day",
                old.per_client_per_day,
                count(0, 100_000),
            ),
            per_day: at.get("per_day", old.per_day, count(0, 1_000_000)),
            external: at.get("external", old.external, switch),
            tone: at.get("tone", old.tone, text),
            restrictions: at.get("restrictions", old.restrictions, text),
        };
        if kind == Kind::OpenAi && !is_same {
            if read.base_url.is_none() && !at.has("base_url") {
                at.missing(
                    "base_url",
                    said(
                        r#"the address, such as "https://api.openai.com/v1""#,
                        r#"адрес вида "https://api.openai.com/v1""#,
                    ),
                );
            }
            if read.model.is_none() && !at.has("model") {
                at.missing(
                    "model",
                    said(
                        "the model's name, as that address lists it",
                        "имя модели, как его называет этот адрес",
                    ),
                );
            }
        }
        read
    }

    /// What it comes to for a company that says `agent_enabled` or does not.
    pub(super) fn of_company(self, at: &Section<'_>, enabled: bool, has_owner: bool) -> Agent {
        let needs_key = self.kind == Kind::GigaChat;
        let has_key = self.key.is_given();
        let warn = |what: Said, hint: Said| {
            let wrong = Wrong::new(what).hint(hint);
            at.reader.warning(&at.place_of("agent_enabled"), wrong);
        };
        if enabled && needs_key && !has_key && at.reader.secrets == Secrets::Needed {
            let wrong = Wrong::new(said(
                "the agent has no key for its model",
                "у агента нет ключа к модели",
            ))
            .hint(said(
                "write agent.client_id and agent.client_secret, or agent.token",
                "напишите agent.client_id и agent.client_secret, или agent.token",
            ));
            at.reader.problem(&at.place_of("agent_enabled"), wrong);
        }
        if enabled && !self.external {
            warn(
                said(
                    "agent.external is false: no model is asked",
                    "agent.external = false: модель не спрашивают",
                ),
                said(
                    "clients are answered by rules and by people; say agent.external = true, or agent_enabled = false",
                    "клиентам отвечают правила и люди; напишите agent.external = true или agent_enabled = false",
                ),
            );
        }
        if enabled && !has_owner {
            warn(
                said(
                    "the agent has nobody to hand a conversation to",
                    "агенту некому передать разговор",
                ),
                said(
                    "name an owner: what no model answers goes to them",
                    "назовите owner: ему уходит то, на что модель не отвечает",
                ),
            );
        }
        let model = (has_key || !needs_key).then(|| Settings {
            kind: self.kind,
            base_url: self.base_url.unwrap_or_else(|| GIGACHAT.to_owned()),
            auth_url: self.auth_url,
            scope: self.scope,
            key: self.key,
            model: self.model.unwrap_or_else(|| "GigaChat-2".to_owned()),
            concurrency: self.concurrency,
            client: ClientSettings {
                timeout: self.timeout,
                proxy: self.proxy,
                ca_file: self.ca_file,
            },
        });
        Agent {
            enabled,
            model,
            join: self.join,
            per_client_per_day: self.per_client_per_day,
            per_day: self.per_day,
            external: self.external,
            tone: self.tone,
            restrictions: self.restrictions,
        }
    }
}

/// A client with its secret, or a ready key; what a company writes takes the place of both.
fn key(at: &mut Section<'_>, inherited: Key) -> Key {
    let key = Key {
        client_id: at.optional_secret("client_id"),
        client_secret: at.optional_secret("client_secret"),
        token: at.optional_secret("token"),
    };
    match (&key.client_id, &key.client_secret, &key.token) {
        (None, None, None) => inherited,
        (Some(_), None, _) if at.reader.secrets == Secrets::Needed && !at.has("client_secret") => {
            at.missing(
                "client_secret",
                r#"{ env = "GIGACHAT_CLIENT_SECRET" }"#.to_owned(),
            );
            key
        }
        (None, Some(_), _) if at.reader.secrets == Secrets::Needed && !at.has("client_id") => {
            at.missing("client_id", r#"{ env = "GIGACHAT_CLIENT_ID" }"#.to_owned());
            key
        }
        (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
            let wrong = Wrong::new(said(
                "token stands beside client_id or client_secret",
                "token стоит рядом с client_id или client_secret",
            ))
            .hint(said(
                "keep the token, or the other two",
                "оставьте токен или те два",
            ));
            at.reader.problem(&at.place_of("token"), wrong);
            key
        }
        _ => key,
    }
}
