//! The composition root: from a configuration to adapters to the pipeline, and one function for
//! each command.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::channels::{self, ConsoleSink};
use crate::cli::{Cli, Command};
use crate::config::{self, Config, Language, Loaded, ProcessEnvironment, Secrets};
use crate::daemon::{self, Pulse, Trouble};
use crate::heartbeat::HttpHeartbeat;
use crate::meters::Meters;
use crate::pipeline::events::SinkEnd;
use crate::pipeline::{ChannelEnd, Company, Pipeline};
use crate::ports::{BookingApi, Clock, Heartbeat, SystemClock};
use crate::store::{self, Store};
use crate::{sinks, yclients};

mod agent;
mod chat;
mod check;
mod database;
mod db;
mod demo;
mod emergency;
mod explain;
mod failure;
mod forget;
mod go_live;
mod init;
mod log;
mod logs;
mod manual;
mod messages;
mod names;
pub mod page;
mod pause;
mod preview;
mod progress;
mod receive_test;
mod release;
mod sample;
mod send_test;
mod spoken;
mod status;
mod templates;
mod text;
mod usage;
mod user;
mod verify;
mod waiting;

use database::{existing, present, refused, take_lock};
pub use failure::Failure;
use failure::code;
pub use usage::refuse;
use waiting::Patience;

/// What a command comes to: an exit code, or an error that is printed and has one.
pub type Outcome = Result<u8, Failure>;

/// Runs the command line and says what went wrong.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    failure::keep_panics_quiet();
    let talks = matches!(
        cli.command,
        Some(Command::Demo(_) | Command::Init(_) | Command::GoLive { .. } | Command::Chat(_))
    );
    logs::start(cli.verbose, talks);
    let code = run(cli).unwrap_or_else(|failure| {
        failure.print();
        failure.code
    });
    ExitCode::from(code)
}

fn run(cli: Cli) -> Outcome {
    let path = config::locate(cli.config.as_deref());
    if cli.once && cli.command.is_some() {
        return Err(Failure::usage("--once stands alone, without a command")
            .hint("booking-monitor --once, or the command by itself"));
    }
    match cli.command {
        None if cli.once => block_on(once(&path, cli.drain)),
        None | Some(Command::Run) => block_on(run_daemon(&path)),
        Some(Command::Demo(args)) => block_on(demo::run(args)),
        Some(Command::Init(args)) => block_on(init::run(cli.config.as_deref(), &args)),
        Some(Command::GoLive { yes }) => block_on(go_live::run(&path, yes)),
        Some(Command::Check { online }) => block_on(check::run(&path, online)),
        Some(Command::Status { json }) => status::run(&path, json),
        Some(Command::Explain {
            record,
            company,
            json,
        }) => explain::run(&path, record, company, json),
        Some(Command::Log {
            limit,
            company,
            status,
            json,
        }) => log::run(&path, limit, company, status.as_deref(), json),
        Some(Command::Preview(args)) => preview::run(&path, &args),
        Some(Command::SendTest(args)) => block_on(send_test::run(&path, &args)),
        Some(Command::Messages(of)) => messages::messages(&path, &of),
        Some(Command::Inbox { unanswered, of }) => messages::inbox(&path, unanswered, &of),
        Some(Command::ReceiveTest(of)) => receive_test::run(&path, &of),
        Some(Command::Chat(args)) => block_on(chat::run(&path, args)),
        Some(Command::Verify { company, json }) => block_on(verify::run(&path, company, json)),
        Some(Command::Retry { ids, dead }) => release::retry(&path, &ids, dead),
        Some(Command::Release {
            company,
            hidden: true,
            ..
        }) => release::give_up_hidden(&path, company),
        Some(Command::Release {
            company, discard, ..
        }) => release::release(&path, company, discard),
        Some(Command::Pause { of, span }) => pause::pause(&path, &of, span.as_deref()),
        Some(Command::Resume { of }) => pause::resume(&path, &of),
        Some(Command::Forget { phone }) => forget::run(&path, &phone),
        Some(Command::Templates(command)) => templates::run(&path, &command),
        Some(Command::Db(command)) => db::run(&path, command),
        Some(Command::Completions { shell }) => manual::completions(shell),
        Some(Command::Man { into }) => manual::man(into.as_deref()),
    }
}

fn block_on(work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| {
            Failure::new(
                code::FAILED,
                anyhow::Error::new(e).context("cannot start the runtime"),
            )
        })?;
    let outcome = runtime.block_on(work);
    // A request that nobody waits for any more must not keep the process.
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

/// Reads the configuration and goes on as the service's user; what is wrong with it, all at once, is
/// the error.
fn load(path: &Path, secrets: Secrets) -> Result<Loaded, Failure> {
    let loaded = read(path, secrets)?;
    user::settle(&loaded.config.database.path)?;
    Ok(loaded)
}

/// Reads the configuration and stays whoever we are.
fn read(path: &Path, secrets: Secrets) -> Result<Loaded, Failure> {
    // A folder that we may not look into says nothing about what is in there.
    if path.try_exists().is_ok_and(|there| !there) {
        return Err(Failure::new(
            code::USAGE,
            anyhow::anyhow!("no configuration at {}", path.display()),
        )
        .hint("make one by answering questions: booking-monitor init, or see how it works first: booking-monitor demo"));
    }
    config::load(path, &ProcessEnvironment, secrets).map_err(|report| {
        Failure::new(code::USAGE, anyhow::Error::new(report))
            .hint("booking-monitor check shows the same, with warnings")
    })
}

fn loaded(path: &Path) -> Result<Config, Failure> {
    let Loaded {
        config, warnings, ..
    } = load(path, Secrets::Needed)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

/// Every company with its texts compiled; the error lists every broken template.
fn companies(config: &Config) -> Result<Vec<Company>, Failure> {
    let companies = compiled(config, Language::En).map_err(|problems| {
        let all: Vec<String> = problems.into_iter().collect();
        Failure::new(code::USAGE, anyhow::anyhow!("{}", all.join("\n")))
            .hint("the variables a text may use are listed in the README")
    })?;
    let mut models = agent::Models::default();
    let mut with_models = Vec::new();
    for company in companies {
        with_models.push(match models.of(&company.settings)? {
            Some(model) => company.with_model(model),
            None => company,
        });
    }
    Ok(with_models)
}

/// The companies with their texts alone, or everything that is wrong with those; what many share is
/// said once.
fn compiled(config: &Config, language: Language) -> Result<Vec<Company>, BTreeSet<String>> {
    let mut companies = Vec::new();
    let mut problems = BTreeSet::new();
    for settings in &config.companies {
        match Company::beside(&companies, settings.clone()) {
            Ok(company) => companies.push(company),
            Err(broken) => problems.extend(broken.iter().map(|p| p.within(language))),
        }
    }
    match problems.is_empty() {
        true => Ok(companies),
        false => Err(problems),
    }
}

/// What is legal in the companies' own texts but hardly meant; what many share is said once.
fn text_remarks(
    companies: &[Company],
    ends: &[ChannelEnd],
    language: Language,
) -> BTreeSet<String> {
    let remarks = companies.iter().flat_map(|company| company.remarks(ends));
    remarks.map(|remark| remark.within(language)).collect()
}

/// Every channel, ready to send.
fn channel_ends(config: &Config, console: &ConsoleSink) -> Result<Vec<ChannelEnd>, Failure> {
    config
        .channels
        .iter()
        .map(|settings| {
            let built = channels::build(settings, console.clone()).map_err(|e| {
                Failure::new(
                    code::USAGE,
                    anyhow::Error::new(e).context(format!("channel {}", settings.name)),
                )
            })?;
            let pace = settings.kind.messages_per_second();
            let end = ChannelEnd::new(
                settings.name.clone(),
                settings.kind.as_str(),
                built.channel,
                built.receiver,
                pace,
            );
            Ok(end
                .with_timeout(settings.kind.timeout())
                .with_journal_grace(settings.kind.journal_grace())
                .with_warm_up(settings.new_recipients_per_day))
        })
        .collect()
}

/// Every sink of events, ready to be given some.
fn sink_ends(config: &Config) -> Result<Vec<SinkEnd>, Failure> {
    config
        .events
        .iter()
        .map(|settings| {
            let sink = sinks::build(settings).map_err(|e| {
                let what = format!("events: {}", settings.label);
                Failure::new(code::USAGE, anyhow::Error::new(e).context(what))
            })?;
            Ok(SinkEnd {
                name: settings.sink.clone(),
                label: settings.label.clone(),
                companies: settings.companies.clone(),
                sink,
            })
        })
        .collect()
}

/// The dead-man switch, where there is one.
fn switch(config: &Config) -> Result<Option<Arc<dyn Heartbeat>>, Failure> {
    let url = config.alerts.heartbeat_url.as_ref();
    let built = url.map(HttpHeartbeat::build).transpose();
    let built = built.map_err(|e| {
        Failure::new(
            code::USAGE,
            anyhow::Error::new(e).context("alerts.heartbeat_url"),
        )
    })?;
    Ok(built.map(|switch| Arc::new(switch) as Arc<dyn Heartbeat>))
}

/// What the database says of the sinks is what the configuration says.
fn keep_sinks(tx: &rusqlite::Transaction<'_>, events: &[sinks::Settings]) -> store::Result<()> {
    let wanted: Vec<_> = events
        .iter()
        .map(|settings| store::sinks::Wanted {
            sink: &settings.sink,
            label: &settings.label,
            companies: &settings.companies,
            types: settings.types.iter().map(|t| t.event_type()).collect(),
        })
        .collect();
    store::sinks::keep_only(tx, &wanted)
}

fn api(config: &Config) -> Result<yclients::Client, Failure> {
    yclients::Client::new(config.yclients.clone())
        .map_err(|e| Failure::new(code::USAGE, anyhow::Error::new(e).context("yclients")))
}

/// Puts everything together around an open database.
async fn assemble(
    config: &Config,
    store: Store,
    console: &ConsoleSink,
) -> Result<Arc<Pipeline>, Failure> {
    let api = api(config)?;
    let meters = api.meters();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    put_together(config, store, Arc::new(api), clock, console, meters).await
}

/// Puts everything together over a given API and clock: the way in for tests and for the demo.
pub async fn assemble_with(
    config: &Config,
    store: Store,
    api: Arc<dyn BookingApi>,
    clock: Arc<dyn Clock>,
    console: &ConsoleSink,
) -> Result<Arc<Pipeline>, Failure> {
    put_together(config, store, api, clock, console, Meters::default()).await
}

async fn put_together(
    config: &Config,
    store: Store,
    api: Arc<dyn BookingApi>,
    clock: Arc<dyn Clock>,
    console: &ConsoleSink,
    meters: Meters,
) -> Result<Arc<Pipeline>, Failure> {
    let ends = channel_ends(config, console)?;
    let named: Vec<(String, &'static str)> =
        ends.iter().map(|e| (e.name.clone(), e.kind)).collect();
    let (sinks, switch, events) = (sink_ends(config)?, switch(config)?, config.events.clone());
    store
        .write(move |tx| {
            keep_sinks(tx, &events)?;
            for (name, kind) in &named {
                store::channels::ensure(tx, name, kind)?;
            }
            let names: Vec<String> = named.into_iter().map(|(name, _)| name).collect();
            store::channels::keep_only(tx, &names)
        })
        .await
        .map_err(refused)?;
    let companies = companies(config)?;
    for remark in text_remarks(&companies, &ends, Language::En) {
        tracing::warn!("{remark}");
    }
    let pipeline = Pipeline::new(store, clock, api, companies, ends, config.alerts.clone());
    let pipeline = pipeline.with_sinks(sinks).with_heartbeat(switch);
    let pipeline = pipeline.with_meters(meters);
    Ok(Arc::new(pipeline.with_upkeep(&config.database)))
}

/// Where the console channel prints.
fn stdout_sink() -> ConsoleSink {
    Arc::new(std::sync::Mutex::new(std::io::stdout()))
}

async fn run_daemon(path: &Path) -> Outcome {
    let stop = stop_on_signal()?;
    // One for all rounds: between two of them a signal would be nobody's.
    let hangup = signal(SignalKind::hangup()).map_err(no_signals)?;
    let hangup = Arc::new(tokio::sync::Mutex::new(hangup));
    let mut config = loaded(path)?;
    companies(&config)?;
    let mut patience = Patience::default();
    let Some(lock) = patience.lock(&config, &stop).await? else {
        return Ok(0);
    };
    // Each time round on new connections: after a failed write nobody knows what the old ones hold.
    while let Some(store) = patience.open(&config, &stop).await? {
        let served = serve(path, &mut config, &store, &hangup, &stop).await;
        daemon::announce_stopping_unless(served.as_ref().is_err_and(Failure::may_pass));
        let closed = store.close().await.map_err(refused);
        match served {
            Ok(()) => {
                closed?;
                break;
            }
            Err(failure) => patience.pass(&config, failure).await?,
        }
    }
    drop(lock);
    Ok(0)
}

/// Rounds of the daemon on an open database, one for each configuration, until it is told to stop.
async fn serve(
    path: &Path,
    config: &mut Config,
    store: &Store,
    hangup: &Hangup,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    loop {
        let round = stop.child_token();
        let pulse = Arc::<Pulse>::default();
        let hangup = Arc::clone(hangup);
        let reload = reload_on_hup(path, config, hangup, round.clone(), Arc::clone(&pulse));
        let ended = if config.enabled {
            match assemble(config, store.clone(), &stdout_sink()).await {
                Ok(pipeline) => {
                    let shown = page::Shown::working(config, pipeline.meters(), &pulse);
                    let page = page::open(shown, round.child_token());
                    let ended = daemon::run(pipeline, round, pulse)
                        .await
                        .map_err(self::ended);
                    page.close().await;
                    ended
                }
                Err(failure) => Err(failure),
            }
        } else {
            let page = page::open(page::Shown::idle(config), round.child_token());
            tracing::info!("monitor.enabled is false: no request, no send");
            daemon::idle(round).await;
            page.close().await;
            Ok(())
        };
        reload.abort();
        ended?;
        match reload.await {
            Ok(new) if !stop.is_cancelled() => *config = new,
            _ => return Ok(()),
        }
        tracing::info!("the new configuration is in force");
    }
}

/// SIGHUP, whichever round waits for it.
type Hangup = Arc<tokio::sync::Mutex<Signal>>;

/// To whom a start by root gave secrets that are root's.
const ROOTS_ALONE: &str = "started by root, the daemon has given root up since: what root alone may read it reads at a start; restart it";

/// Waits for SIGHUP and a configuration that can be used, then ends this round. A broken one is
/// reported, to systemd too, and the old one stays in force.
fn reload_on_hup(
    path: &Path,
    config: &Config,
    hangup: Hangup,
    round: CancellationToken,
    pulse: Arc<Pulse>,
) -> tokio::task::JoinHandle<Config> {
    let (path, database) = (path.to_owned(), config.database.path.clone());
    tokio::spawn(async move {
        let mut hangup = hangup.lock().await;
        loop {
            if hangup.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            match usable(&path, &database) {
                Ok(new) => {
                    round.cancel();
                    return new;
                }
                Err(failure) => {
                    let failure = match user::gave_root_up() && failure.is_forbidden() {
                        true => failure.hint(ROOTS_ALONE),
                        false => failure,
                    };
                    failure.print();
                    tracing::error!(
                        "the new configuration is not used; the old one stays in force"
                    );
                    pulse.settings_refused();
                }
            }
        }
    })
}

/// A configuration that could be run on the database that is open.
fn usable(path: &Path, database: &Path) -> Result<Config, Failure> {
    let config = loaded(path)?;
    companies(&config)?;
    channel_ends(&config, &stdout_sink())?;
    sink_ends(&config)?;
    switch(&config)?;
    api(&config)?;
    if config.database.path != database {
        return Err(
            Failure::usage("database.path cannot change while the daemon runs")
                .hint("restart it instead"),
        );
    }
    Ok(config)
}

fn no_signals(error: std::io::Error) -> Failure {
    Failure::new(
        code::FAILED,
        anyhow::Error::new(error).context("cannot listen to signals"),
    )
}

fn ended(error: daemon::DaemonError) -> Failure {
    match error {
        daemon::DaemonError::Store(error) => refused(error),
        other => Failure::new(code::FAILED, anyhow::Error::new(other)),
    }
}

/// Cancelled by SIGTERM or SIGINT; a second one leaves at once.
fn stop_on_signal() -> Result<CancellationToken, Failure> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let cancelled = stop.clone();
    tokio::spawn(async move {
        for leaving in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if leaving {
                std::process::exit(i32::from(code::FAILED));
            }
            tracing::info!("leaving: what is in hand is finished first");
            cancelled.cancel();
        }
    });
    Ok(stop)
}

async fn once(path: &Path, drain: bool) -> Outcome {
    let config = loaded(path)?;
    companies(&config)?;
    if !config.enabled {
        say(text::Say(config.language).of(
            "monitor.enabled = false: ничего не спрошено и ничего не отправлено",
            "monitor.enabled = false: nothing was asked, nothing was sent",
        ))?;
        return Ok(0);
    }
    let done = once_through(&config, drain).await;
    if let Err(failure) = &done {
        emergency::tell_if_remembered(&config, failure).await;
    }
    done
}

async fn once_through(config: &Config, drain: bool) -> Outcome {
    let lock = take_lock(&config.database.path)?;
    let store = Store::open(&config.database.path).await.map_err(refused)?;
    let pipeline = assemble(config, store.clone(), &stdout_sink()).await?;
    let stop = stop_on_signal()?;
    let stopping = pipeline.stopping.clone();
    let watch = tokio::spawn(async move {
        stop.cancelled().await;
        stopping.cancel();
    });
    let drain_for = drain
        .then(|| config.companies.iter().map(|c| c.pace.max_delay).max())
        .flatten();
    let troubles = daemon::once(&pipeline, drain_for).await.map_err(ended)?;
    watch.abort();
    drop(pipeline);
    store.close().await.map_err(refused)?;
    drop(lock);
    for trouble in &troubles {
        trouble_failure(trouble).print();
    }
    Ok(if troubles.is_empty() { 0 } else { code::FAILED })
}

/// One thing that went wrong, with the hint that fits it.
fn trouble_failure(trouble: &Trouble) -> Failure {
    match trouble {
        Trouble::Company { id, why, denied } => {
            let hint = match denied {
                Some(401) => {
                    "check `yclients.partner_token` and `yclients.user_token`: a changed password makes a new user token"
                }
                Some(402) => "the branch's YClients licence has to be paid",
                Some(403) => "the robot's user needs rights to this branch's journal in YClients",
                Some(404) => "check `companies.id`: YClients knows no such branch",
                _ => {
                    "the next run tries again; `yclients.base_url` and the network are the usual suspects"
                }
            };
            Failure::new(code::FAILED, anyhow::anyhow!("company {id}: {why}")).hint(hint)
        }
        Trouble::Channel { name, why } => {
            Failure::new(code::FAILED, anyhow::anyhow!("channel {name}: {why}"))
                .hint(&format!("check `channels.{name}`; its messages wait"))
        }
    }
}

/// One line to stdout.
fn say(line: &str) -> Result<(), Failure> {
    print(format!("{line}\n").as_bytes())
}

/// Words for a person. A terminal breaks long lines anywhere, so they are broken between words there; a
/// file or a pipe gets each in one piece.
fn talk(text: &str) -> Result<(), Failure> {
    match std::io::stdout().is_terminal() {
        true => say(&text::folded(text)),
        false => say(text),
    }
}

/// These bytes to stdout. A closed pipe (`| head`) is no error.
fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(
            code::FAILED,
            anyhow::Error::new(e).context("cannot write"),
        )),
        _ => Ok(()),
    }
}
