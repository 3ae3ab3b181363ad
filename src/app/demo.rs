//! `demo`: puts the simulated salon, the daemon and the show together.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::failure::code;
use super::{Failure, Outcome, ended, refused, stop_on_signal, take_lock};
use crate::cli::DemoArgs;
use crate::config::Alerts;
use crate::daemon;
use crate::demo::answers::Answers;
use crate::demo::clock::TimeLapse;
use crate::demo::folder::Folder;
use crate::demo::phones::{Phones, Typed};
use crate::demo::salon::Salon;
use crate::demo::script;
use crate::demo::show::Show;
use crate::demo::stage::{Cast, Stage, StageError};
use crate::domain::zone::Zone;
use crate::pipeline::{ChannelEnd, Company, Pipeline};
use crate::ports::Clock;
use crate::store::{self, Store};
use crate::yclients;

/// Between two looks at the journal: short enough that nobody waits, long enough to stay calm.
const INTERVAL: Duration = Duration::from_millis(300);
const INTERVAL_FAST: Duration = Duration::from_millis(25);
/// When the script is cut short; leaving takes the rest of 30 and 5 seconds.
const LIMIT: Duration = Duration::from_secs(27);
const LIMIT_FAST: Duration = Duration::from_millis(4200);

pub(super) async fn run(args: DemoArgs) -> Outcome {
    let stop = stop_on_signal()?;
    if let Some(file) = &args.db {
        super::user::settle(file)?;
    }
    let folder = Folder::make().map_err(|e| failed(e, "cannot make a temporary folder"))?;
    let database = match &args.db {
        Some(file) => file.clone(),
        None => folder.path().join("demo.db"),
    };
    let lock = take_lock(&database)?;
    let store = Store::open(&database).await.map_err(refused)?;
    let company = free_company(&store, &database).await?;
    let (stage, pipeline) = set_up(company, store.clone(), args.fast).await?;
    let note = args
        .db
        .map(|file| format!("База сохранена: {}", file.display()));
    let shown = perform(stage, pipeline, stop, args.fast, note).await;
    store.close().await.map_err(refused)?;
    drop(lock);
    match shown {
        // `demo | head` closes the pipe: whoever watched has seen enough.
        Err(Ended::Stage(StageError::Output(e))) if e.kind() == std::io::ErrorKind::BrokenPipe => {}
        Err(Ended::Stage(StageError::Output(e))) => return Err(failed(e, "cannot write")),
        Err(Ended::Stage(StageError::Store(e))) => return Err(refused(e)),
        Err(Ended::Daemon(e)) => return Err(ended(e)),
        Ok(()) => {}
    }
    Ok(0)
}

fn failed(error: std::io::Error, what: &'static str) -> Failure {
    Failure::new(code::FAILED, anyhow::Error::new(error).context(what))
}

/// The id under which this run is kept. A second run on the same file is another company, or it
/// would meet the first one's bookings; a file with real companies is not touched.
async fn free_company(store: &Store, database: &Path) -> Result<i64, Failure> {
    let ids = store.read(store::companies::ids).await.map_err(refused)?;
    if ids.iter().any(|id| *id < script::FIRST_COMPANY) {
        let what = anyhow::anyhow!("{} holds real companies", database.display());
        return Err(Failure::new(code::USAGE, what)
            .hint("give --db a file of its own: the demonstration invents bookings"));
    }
    Ok(ids.last().map_or(script::FIRST_COMPANY, |id| id + 1))
}

async fn set_up(company: i64, store: Store, fast: bool) -> Result<(Stage, Arc<Pipeline>), Failure> {
    let clock: Arc<TimeLapse> = Arc::new(script::clock());
    let ticking = Arc::clone(&clock) as Arc<dyn Clock>;
    let salon = Salon::start(Arc::clone(&ticking))
        .await
        .map_err(|e| failed(e, "cannot open a port on the loopback"))?;
    let today = ticking.now().with_timezone(&Zone::moscow()).date_naive();
    // The journal has its bookings before anybody watches it.
    let regulars = script::open_salon(&salon, company, today);
    let api = yclients::Client::new(salon.settings())
        .map_err(|e| Failure::new(code::FAILED, anyhow::Error::new(e)))?;
    let settings = script::company(company, if fast { INTERVAL_FAST } else { INTERVAL });
    let pace = settings.pace.clone();
    let watched = Company::new(settings)
        .map_err(|_| Failure::new(code::FAILED, anyhow::anyhow!("a built-in text is broken")))?
        .with_model(Arc::new(Answers));
    let (channel, phones) = Phones::new();
    let name = script::CHANNEL.to_owned();
    let typed = Typed::default();
    let receiver = Arc::new(typed.clone());
    let end = ChannelEnd::new(name, "console", Arc::new(channel), Some(receiver), None);
    store
        .write(|tx| store::channels::ensure(tx, script::CHANNEL, "console"))
        .await
        .map_err(refused)?;
    let pipeline = Arc::new(Pipeline::new(
        store,
        ticking,
        Arc::new(api),
        vec![watched],
        vec![end],
        Alerts {
            after: Duration::from_mins(10),
            heartbeat_url: None,
            mask_phones: true,
            digest: None,
        },
    ));
    let out = std::io::stdout();
    let named = |name: &str| std::env::var_os(name);
    let rich = out.is_terminal()
        && named("NO_COLOR").is_none()
        && named("TERM").is_none_or(|term| term != "dumb");
    let stage = Stage::new(Cast {
        company,
        today,
        regulars,
        pace,
        salon,
        pipeline: Arc::clone(&pipeline),
        clock,
        phones,
        typed,
        show: Show::new(Box::new(out), rich),
        fast,
    });
    Ok((stage, pipeline))
}

/// What ended the performance.
enum Ended {
    Stage(StageError),
    Daemon(daemon::DaemonError),
}

/// Runs the daemon and the script beside it until the script, the time or the user ends it.
async fn perform(
    mut stage: Stage,
    pipeline: Arc<Pipeline>,
    stop: CancellationToken,
    fast: bool,
    note: Option<String>,
) -> Result<(), Ended> {
    let leave = CancellationToken::new();
    let watching = daemon::run(pipeline, leave.clone(), Arc::default());
    tokio::pin!(watching);
    let limit = if fast { LIMIT_FAST } else { LIMIT };
    let shown = tokio::select! {
        played = tokio::time::timeout(limit, script::play(&mut stage)) => match played {
            Ok(played) => played.and_then(|()| stage.closing(note.as_deref())),
            Err(_) => stage.closing(Some("Машина занята, время вышло: показано не всё.")),
        },
        () = stop.cancelled() => Ok(()),
        // It never ends by itself but in error.
        ended = &mut watching => return ended.map_err(Ended::Daemon),
    };
    leave.cancel();
    watching.await.map_err(Ended::Daemon)?;
    shown.map_err(Ended::Stage)
}
