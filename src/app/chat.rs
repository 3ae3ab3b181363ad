//! `chat`: a conversation with a salon's agent in the terminal, as its clients would have it: the same
//! rules, the same model, the same journal. Nobody else reads it, nothing is written into a real journal,
//! and the database that remembers it is thrown away.

use std::collections::VecDeque;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;

use super::failure::code;
use super::text::Say;
use super::{Failure, Outcome, api, loaded, names, pause, refused, say};
use crate::cli::ChatArgs;
use crate::config::{Agent, Alerts, Company as Settings};
use crate::demo::answers::Answers;
use crate::demo::folder::Folder;
use crate::demo::salon::Salon;
use crate::demo::script;
use crate::domain::delivery::Outcome as Sent;
use crate::domain::message::Markup;
use crate::domain::phone::Phone;
use crate::domain::policy::Rules;
use crate::domain::reply::{CancelBy, Replies};
use crate::domain::zone::Zone;
use crate::pipeline::{ChannelEnd, Company, Pipeline};
use crate::ports::{
    Addressing, BookingApi, Channel, Clock, Incoming, Keyboard, Model, Outgoing, Received,
    Receiver, SystemClock,
};
use crate::store::{self, Store, conversations, outbox, proposals, turns};
use crate::yclients;

const CHANNEL: &str = "chat";
/// Whoever types without a phone.
const STRANGER: &str = "terminal";
/// An answer that has not come by then will not.
const PATIENCE: Duration = Duration::from_mins(2);
const DEMO_INTERVAL: Duration = Duration::from_secs(60);

pub(super) async fn run(path: &Path, args: ChatArgs) -> Outcome {
    let scene = match args.demo {
        true => demo().await?,
        false => real(path, &args)?,
    };
    let language = scene.settings.language;
    let phone = match &args.phone {
        None => None,
        Some(written) => {
            let parsed = Phone::parse(written, &scene.settings.country);
            Some(parsed.map_err(|problem| pause::not_a_phone("--as", problem))?)
        }
    };
    let folder = Folder::make().map_err(failed)?;
    let store = Store::open(&folder.path().join("chat.db"))
        .await
        .map_err(refused)?;
    let terminal = Arc::new(Terminal::default());
    let end = ChannelEnd::new(
        CHANNEL.to_owned(),
        "console",
        Arc::clone(&terminal) as Arc<dyn Channel>,
        Some(Arc::clone(&terminal) as Arc<dyn Receiver>),
        None,
    );
    store
        .write(|tx| store::channels::ensure(tx, CHANNEL, "console"))
        .await
        .map_err(refused)?;
    let id = scene.settings.id;
    let company = Company::new(scene.settings)
        .map_err(|broken| {
            let all: Vec<String> = broken.iter().map(ToString::to_string).collect();
            Failure::usage(&all.join("\n"))
        })?
        .with_model(scene.model);
    let alerts = Alerts {
        after: Duration::from_mins(10),
        heartbeat_url: None,
        digest: None,
        mask_phones: true,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let pipeline = Pipeline::new(store, clock, scene.api, vec![company], vec![end], alerts);
    let talk = Talk {
        pipeline,
        terminal,
        phone,
        words: Say(language),
        writes: args.demo,
    };
    talk.read_journal(id).await?;
    let held = talk.hold().await;
    drop(scene.salon);
    held
}

fn failed(error: std::io::Error) -> Failure {
    Failure::new(code::FAILED, anyhow::Error::new(error))
}

/// What the conversation is held with.
struct Scene {
    settings: Settings,
    model: Arc<dyn Model>,
    api: Arc<dyn BookingApi>,
    /// Closes when it is dropped.
    salon: Option<Salon>,
}

/// A configured company: its journal is read and never written.
fn real(path: &Path, args: &ChatArgs) -> Result<Scene, Failure> {
    let config = loaded(path)?;
    let company = names::company(&config, args.company)?;
    let model = super::agent::Models::default().of(company)?;
    let Some(model) = model.filter(|_| company.agent.external) else {
        return Err(Failure::usage("this company has no model to talk with")
            .hint("fill in [agent]; agent.external has to be true"));
    };
    Ok(Scene {
        settings: tried_out(company.clone(), false),
        model,
        api: Arc::new(api(&config)?),
        salon: None,
    })
}

/// The simulated salon, with a model that needs no account.
async fn demo() -> Result<Scene, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let salon = Salon::start(clock).await.map_err(failed)?;
    let today = Utc::now().with_timezone(&Zone::moscow()).date_naive();
    let id = script::FIRST_COMPANY;
    let _regulars = script::open_salon(&salon, id, today);
    let api = yclients::Client::new(salon.settings())
        .map_err(|e| Failure::new(code::FAILED, anyhow::Error::new(e)))?;
    Ok(Scene {
        settings: tried_out(script::company(id, DEMO_INTERVAL), true),
        model: Arc::new(Answers),
        api: Arc::new(api),
        salon: Some(salon),
    })
}

/// The company as it is, but for the terminal in the place of its channels and its owners.
fn tried_out(company: Settings, write: bool) -> Settings {
    Settings {
        channels: vec![CHANNEL.to_owned()],
        owners: Vec::new(),
        quiet_hours: None,
        rules: Rules {
            only_phones: Vec::new(),
            dry_run: false,
            ..company.rules
        },
        replies: Replies {
            enabled: true,
            write,
            cancel: if write {
                CancelBy::Program
            } else {
                company.replies.cancel
            },
            ..company.replies
        },
        agent: Agent {
            enabled: true,
            join: Duration::ZERO,
            ..company.agent
        },
        ..company
    }
}

struct Talk {
    pipeline: Pipeline,
    terminal: Arc<Terminal>,
    phone: Option<Phone>,
    words: Say,
    writes: bool,
}

impl Talk {
    /// Whoever is booked has to be known before anybody asks.
    async fn read_journal(&self, id: i64) -> Result<(), Failure> {
        let Some(company) = self.pipeline.companies().get(&id) else {
            return Ok(());
        };
        let report = self.pipeline.poll_once(company).await.map_err(refused)?;
        match report.error {
            None => Ok(()),
            Some(error) => Err(Failure::new(
                code::FAILED,
                anyhow::Error::new(error).context("the journal cannot be read"),
            )
            .hint("booking-monitor check --online says more")),
        }
    }

    async fn hold(&self) -> Outcome {
        let asks = std::io::stdin().is_terminal();
        if asks {
            say(self.words.of(
                "Пишите, как написал бы клиент. Конец — Ctrl-D.",
                "Write as a client would. Ctrl-D ends.",
            ))?;
        }
        let (lines, mut typed) = tokio::sync::mpsc::unbounded_channel();
        // Its own thread: a read from the terminal cannot be called off.
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        let mut number = 0;
        loop {
            if asks {
                prompt()?;
            }
            let Some(line) = typed.recv().await else {
                return Ok(0);
            };
            if line.trim().is_empty() {
                continue;
            }
            number += 1;
            self.terminal.type_in(number, self.phone.as_ref(), &line);
            self.answer().await?;
        }
    }

    /// Everything that follows from what was typed, as long as something does.
    async fn answer(&self) -> Result<(), Failure> {
        let began = Utc::now();
        let pipeline = &self.pipeline;
        for end in pipeline.channels().values() {
            let received = pipeline.receive_all(end, Duration::ZERO).await;
            received.map_err(|e| Failure::new(code::FAILED, anyhow::Error::new(e)))?;
        }
        let mut silent = true;
        loop {
            let now = pipeline.clock().now();
            pipeline.answers_due(now).await.map_err(refused)?;
            pipeline.writes_due(now).await.map_err(refused)?;
            for end in pipeline.channels().values() {
                pipeline.deliver_due(end).await.map_err(refused)?;
            }
            for message in self.terminal.arrived() {
                silent = false;
                self.show(&message)?;
            }
            let next = pipeline.store().read(move |c| {
                let all = [
                    conversations::next_at(c)?,
                    proposals::next_at(c)?,
                    store::writes::next_at(c)?,
                    outbox::next_due_at(c, now)?,
                ];
                Ok(all.into_iter().flatten().min())
            });
            let Some(next) = next.await.map_err(refused)? else {
                break;
            };
            let wait = (next - now).to_std().unwrap_or_default();
            if (Utc::now() - began).to_std().unwrap_or_default() + wait > PATIENCE {
                break;
            }
            tokio::time::sleep(wait.max(Duration::from_millis(5))).await;
        }
        let tally = pipeline
            .store()
            .read(move |c| turns::called_since(c, began))
            .await
            .map_err(refused)?;
        if !tally.is_empty() {
            let looked = self.words.of("смотрел", "looked at");
            say(&format!("  · {looked}: {}", tally.join(", ")))?;
        }
        if silent {
            say(self.words.of("  · ответа нет", "  · no answer"))?;
        }
        Ok(())
    }

    fn show(&self, message: &Outgoing) -> Result<(), Failure> {
        say(&message.text)?;
        if message.keyboard == Some(Keyboard::AskContact) {
            say(self.words.of(
                "  · здесь у клиента кнопка; с номером: chat --as PHONE",
                "  · here a client has a button; with a number: chat --as PHONE",
            ))?;
        }
        if !self.writes
            && message
                .text
                .starts_with(self.words.of("Понятно.", "I see."))
        {
            say(self.words.of(
                "  · проба: в журнал ничего не пишется",
                "  · a trial: nothing is written into the journal",
            ))?;
        }
        Ok(())
    }
}

fn prompt() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(b"> ")
        .and_then(|()| out.flush())
        .map_err(failed)
}

/// The terminal as a bot's chat.
#[derive(Default)]
struct Terminal {
    typed: Mutex<VecDeque<Received>>,
    arrived: Mutex<Vec<Outgoing>>,
}

impl Terminal {
    fn type_in(&self, number: u32, phone: Option<&Phone>, text: &str) {
        let what = Incoming::Text {
            message_id: number.to_string(),
            edits: None,
            chat_id: phone.map_or_else(|| STRANGER.to_owned(), |p| p.e164().to_owned()),
            phone: phone.map(|p| p.digits().to_owned()),
            name: String::new(),
            text: text.to_owned(),
            at: Utc::now(),
            quoted: None,
            sender: String::new(),
            is_private: true,
        };
        let received = Received {
            receipt: number.to_string(),
            what,
        };
        let mut typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        typed.push_back(received);
    }

    fn arrived(&self) -> Vec<Outgoing> {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *arrived)
    }
}

#[async_trait]
impl Channel for Terminal {
    fn markup(&self) -> Markup {
        Markup::WhatsApp
    }

    fn addressing(&self) -> Addressing {
        Addressing::Phone
    }

    fn hears_replies(&self) -> bool {
        true
    }

    fn is_robot(&self) -> bool {
        true
    }

    fn has_buttons(&self) -> bool {
        true
    }

    async fn send(&self, message: &Outgoing) -> Sent {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        arrived.push(message.clone());
        Sent::Accepted { id: None }
    }

    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }
}

#[async_trait]
impl Receiver for Terminal {
    async fn receive(&self, _patience: Duration) -> Result<Option<Received>, String> {
        let typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(typed.front().cloned())
    }

    async fn acknowledge(&self, receipt: &str) -> Result<(), String> {
        let mut typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        typed.retain(|received| received.receipt != receipt);
        Ok(())
    }
}
