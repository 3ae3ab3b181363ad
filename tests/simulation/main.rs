//! One salon, one program, one seed: the real pipeline and the real database between a records API
//! and a channel that fail in every way they can, with kills at any moment. First a phase of faults
//! in which nothing false may be said, then one without, in which everything must come to rest.
//!
//! `SIMULATION_SEED=7 cargo test --test simulation` replays one seed, `SIMULATION_SEEDS=5000` runs
//! that many, `SIMULATION_FIRST=1000` begins there, `SIMULATION_STORE=memory` or `file` chooses
//! where the database is. `SIMULATION_WHOLE=1` leaves no line out of a failed seed's story.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![expect(unreachable_pub, reason = "modules of a test program have no outside")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use booking_monitor::config;
use booking_monitor::domain::defences::Defences;
use booking_monitor::domain::message::Language;
use booking_monitor::domain::policy::{Kind, Pace, Rules};
use booking_monitor::domain::reply::Replies;
use booking_monitor::failpoint;
use booking_monitor::pipeline::{ChannelEnd, Company, Pipeline};
use booking_monitor::ports::Clock;
use booking_monitor::store::companies;
use booking_monitor::store::{self, Store};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

mod api;
mod channel;
mod journal;
mod oracle;

use api::{FakeApi, Faults, Hidden, Lies, Served};
use channel::{FakeChannel, Fate, Mood, OWNER, Said, Sent, TEMPLATES};
use journal::{COMPANY, Journal, View};
use oracle::Oracle;

pub(crate) const NOTIFICATION_DELAY: TimeDelta = TimeDelta::seconds(30);
pub(crate) const MAX_DELAY: TimeDelta = TimeDelta::minutes(5);
/// What is hidden is alerted to the owner after this.
const ALERT_AFTER: TimeDelta = TimeDelta::minutes(10);
/// Seeds without a wish, in memory and with the database in a file: a few seconds.
const SEEDS: u64 = 40;
const FILE_SEEDS: u64 = 5;

/// SplitMix64: the same on every machine and in every version.
#[derive(Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// Both ends included.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from + 1) as u64) as i64
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u64) as usize)
    }
}

/// Who is being called when the power goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    Api,
    Channel,
    /// The database has just committed.
    Database,
}

/// The electricity: goes out at the n-th call to one side, and everything stops where it is.
#[derive(Default)]
pub(crate) struct Power {
    armed: Mutex<Option<(Called, u64)>>,
    is_out: AtomicBool,
    out: Notify,
    /// A stage is under way: what the simulation itself stores is no moment to die in.
    working: AtomicBool,
}

impl Power {
    fn arm(&self, at: Option<(Called, u64)>) {
        *self.armed.lock().unwrap() = at;
        self.is_out.store(false, Ordering::SeqCst);
    }

    /// Counts a call; whether it is the one at which the power goes out.
    pub(crate) fn goes_out(&self, called: Called) -> bool {
        let mut armed = self.armed.lock().unwrap();
        match &mut *armed {
            Some((side, 1)) if *side == called => {
                *armed = None;
                self.is_out.store(true, Ordering::SeqCst);
                true
            }
            Some((side, left)) if *side == called => {
                *left -= 1;
                false
            }
            _ => false,
        }
    }

    pub(crate) fn is_out(&self) -> bool {
        self.is_out.load(Ordering::SeqCst)
    }

    /// Whoever calls now never hears an answer.
    pub(crate) async fn cut(&self) {
        self.out.notify_one();
        std::future::pending().await
    }

    /// The program goes on to its next wait, and no further.
    fn committed(&self) {
        if self.working.load(Ordering::SeqCst) && self.goes_out(Called::Database) {
            self.out.notify_one();
        }
    }

    /// A call to the API that may be the last one.
    pub(crate) async fn spend(&self) {
        if self.goes_out(Called::Api) || self.is_out() {
            self.cut().await;
        }
    }
}

/// Everything outside of the program.
pub(crate) struct World {
    pub(crate) power: Power,
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) seed: u64,
    pub(crate) rng: Rng,
    pub(crate) now: DateTime<Utc>,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) hidden: Hidden,
    pub(crate) lied_about: Lies,
    pub(crate) served: Served,
    /// There is a baseline.
    pub(crate) watching: bool,
    pub(crate) mood: Mood,
    pub(crate) sends: BTreeMap<String, u64>,
    pub(crate) sent: Vec<Sent>,
    trace: Vec<String>,
}

impl World {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl Inner {
    pub(crate) fn note(&mut self, what: String) {
        self.trace
            .push(format!("{} {what}", self.now.format("%d %H:%M:%S")));
    }
}

struct WorldClock(Arc<World>);

impl Clock for WorldClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.lock().now
    }
}

/// Where the database is, which outlives the process.
enum Disk {
    Memory(store::Keeper),
    File(tempfile::TempDir),
}

/// Which store a run is to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Memory,
    File,
}

impl Kept {
    fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File => "file",
        }
    }
}

/// What a run is to be like.
#[derive(Clone, Copy, Debug)]
struct Setup {
    kept: Kept,
    defences: Defences,
}

/// All defences but those that `SIMULATION_WITHOUT` names.
fn defences() -> Defences {
    let without = std::env::var("SIMULATION_WITHOUT").unwrap_or_default();
    let mut defences = Defences::all();
    for name in without.split(',').filter(|name| !name.is_empty()) {
        *switch(&mut defences, name) = false;
    }
    defences
}

fn switch<'a>(defences: &'a mut Defences, name: &str) -> &'a mut bool {
    match name {
        "sweep" => &mut defences.sweep,
        "overlap" => &mut defences.overlap,
        "guard" => &mut defences.guard,
        "confirmation" => &mut defences.confirmation,
        "stale_read" => &mut defences.stale_read,
        "completeness" => &mut defences.completeness,
        "look" => &mut defences.look,
        other => panic!("there is no defence called {other}"),
    }
}

impl Disk {
    fn new(kept: Kept) -> Self {
        match kept {
            Kept::Memory => Self::Memory(store::Keeper::new().unwrap()),
            // What is tested is that nothing is lost with a process; a power failure has a test of
            // its own, so the file need not reach a real disk.
            Kept::File if std::path::Path::new("/dev/shm").is_dir() => {
                Self::File(tempfile::tempdir_in("/dev/shm").unwrap())
            }
            Kept::File => Self::File(tempfile::tempdir().unwrap()),
        }
    }

    async fn open(&self) -> Store {
        match self {
            Self::Memory(keeper) => Store::in_memory(keeper).unwrap(),
            Self::File(folder) => Store::open(&folder.path().join("db")).await.unwrap(),
        }
    }
}

/// One program's lives on one database.
struct Life {
    world: Arc<World>,
    api: Arc<FakeApi>,
    company: config::Company,
    setup: Setup,
    disk: Disk,
    pipeline: Pipeline,
    oracle: Oracle,
    tally: Tally,
}

impl Life {
    async fn born(seed: u64, setup: Setup) -> Self {
        let mut rng = Rng::new(seed);
        let now: DateTime<Utc> = "2026-08-05T09:00:00Z".parse().unwrap();
        let strict = rng.chance(0.2);
        let faults = if strict {
            Faults::default()
        } else {
            Faults::drawn(&mut rng)
        };
        let mood = if strict {
            Mood::default()
        } else {
            Mood::drawn(&mut rng)
        };
        let skew = TimeDelta::seconds(if strict { 0 } else { rng.between(-900, 900) });
        let view = View {
            hide_phones: false,
            bare_deleted: rng.chance(0.5),
        };
        let (page_size, deleted_is_404) = (rng.between(4, 8) as u32, rng.chance(0.5));
        let journal = Journal::new(&mut rng, now, faults.lag);
        let company = company(rng.chance(0.5));
        let world = Arc::new(World {
            power: Power::default(),
            inner: Mutex::new(Inner {
                seed,
                rng,
                now,
                journal,
                hidden: Hidden::default(),
                lied_about: Lies::new(),
                served: Served::default(),
                watching: false,
                mood,
                sends: BTreeMap::new(),
                sent: Vec::new(),
                trace: vec![format!("skew {skew}, page size {page_size}, {faults:?}")],
                faults,
            }),
        });
        let (world_of_api, skew) = (Arc::clone(&world), skew);
        let api = FakeApi {
            world: world_of_api,
            page_size,
            skew,
            view,
            deleted_is_404,
        };
        let api = Arc::new(api);
        let disk = Disk::new(setup.kept);
        let pipeline =
            start(&world, &api, &company, disk.open().await).with_defences(setup.defences);
        let mut oracle = Oracle::default();
        oracle.strict = strict;
        Self {
            world,
            api,
            company,
            setup,
            disk,
            pipeline,
            oracle,
            tally: Tally::default(),
        }
    }

    /// The process is gone, and another one starts.
    async fn reborn(&mut self) {
        // What was handed to the database before the kill is done; nothing else is.
        self.pipeline.store().clone().close().await.unwrap();
        self.tally.kills += 1;
        self.world.power.arm(None);
        self.world.lock().note("a new process starts".into());
        self.pipeline = start(
            &self.world,
            &self.api,
            &self.company,
            self.disk.open().await,
        )
        .with_defences(self.setup.defences);
        self.interrupted().await;
        self.pipeline.recover_interrupted().await.unwrap();
    }

    /// What was on its way: nobody can know of it, whatever the channel answered into the void.
    async fn interrupted(&self) {
        let read = self.pipeline.store().read(|conn| {
            let sql = "SELECT phone, message FROM booking_notifications
                        WHERE status = 'sending' AND phone <> '' ORDER BY id";
            let mut query = conn.prepare(sql)?;
            let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<(String, String)>>>()?)
        });
        let rows = read.await.unwrap();
        let mut world = self.world.lock();
        let at = world.now;
        for (to, message) in rows {
            let said = Said::parse(&message).unwrap();
            let same = |s: &&mut Sent| s.at == at && s.to == to && s.said == said;
            match world.sent.iter_mut().find(same) {
                Some(sent) if sent.fate == Fate::Accepted => sent.fate = Fate::Taken,
                // That it did not arrive is known to the channel alone.
                Some(sent) if sent.fate == Fate::Unreachable => sent.fate = Fate::Lost,
                Some(_) => {}
                None => world.sent.push(Sent {
                    at,
                    to,
                    said,
                    fate: Fate::Lost,
                }),
            }
        }
    }

    /// One call of one stage, or as much of it as there is power for.
    async fn stage(&mut self, which: u64) -> Result<(), (i64, String)> {
        let (pipeline, now) = (&self.pipeline, self.world.lock().now);
        self.tally.steps += 1;
        let name = ["poll", "settle", "deliver", "alerts"][which as usize / 3];
        let shown = {
            let mut world = self.world.lock();
            world.note(format!("{name}:"));
            world.served.mark()
        };
        let company = Arc::clone(&pipeline.companies()[&COMPANY]);
        let end = Arc::clone(&pipeline.channels()["blind"]);
        let work = async {
            match which {
                0..=2 => pipeline.poll_once(&company).await.map(|_| ()),
                3..=5 => pipeline.settle_due(now).await.map(|_| ()),
                6..=8 => pipeline.deliver_due(&end).await.map(|_| ()),
                _ => pipeline.alerts_due(now).await.map(|_| ()),
            }
        };
        let power = &self.world.power;
        power.working.store(true, Ordering::SeqCst);
        let done = tokio::select! {
            biased;
            () = power.out.notified() => None,
            done = work => Some(done),
        };
        power.working.store(false, Ordering::SeqCst);
        let done = match done {
            // It went out at the last commit of the stage.
            Some(_) if power.is_out() => {
                power.out.notified().await;
                None
            }
            done => done,
        };
        match done {
            Some(done) => done.map_err(|e| (0, format!("a stage failed: {e}")))?,
            None => {
                self.world.lock().served.doubt_from(shown);
                self.reborn().await;
            }
        }
        self.tidy().await;
        self.oracle.look(&self.world.lock())
    }

    /// Jitter is chance that no seed rules. It alone makes fractions of seconds here, so what has
    /// some is a wait for a next try, and the seed says how long it is.
    async fn tidy(&mut self) {
        let mut rng = Rng::new(self.world.lock().rng.next());
        let skew = self.api.skew;
        let now = self.world.lock().now;
        let baseline = self.pipeline.store().write(move |tx| {
            for (table, column, most) in [
                ("booking_notifications", "due_at", 300),
                ("companies", "next_try_at", 60),
                ("channel_states", "blocked_until", 60),
            ] {
                let later = store::At(now + TimeDelta::seconds(rng.between(1, most)));
                let sql =
                    format!("UPDATE {table} SET {column} = ?1 WHERE {column} NOT LIKE '%.000Z'");
                tx.prepare_cached(&sql)?.execute([later])?;
            }
            Ok(companies::get(tx, COMPANY)?.and_then(|row| row.baseline_at))
        });
        self.oracle.baseline = baseline.await.unwrap().map(|at| at - skew);
        let mut world = self.world.lock();
        world.watching = self.oracle.baseline.is_some();
        if !world.watching {
            world.served.forget();
        }
    }

    /// Faults, changes and kills; whatever is said must be true.
    async fn safety(&mut self) -> Result<(), (i64, String)> {
        let mut rng = Rng::new(self.world.lock().rng.next());
        let (busy, kills) = (
            0.05 + rng.unit() * 0.3,
            if rng.chance(0.3) { 0.0 } else { 0.05 },
        );
        let jumps = if rng.chance(0.3) { 0.01 } else { 0.0 };
        for _ in 0..rng.between(100, 250) {
            {
                let mut inner = self.world.lock();
                let world = &mut *inner;
                world.now += TimeDelta::seconds(if rng.chance(jumps) {
                    rng.between(3600, 4 * 3600)
                } else {
                    rng.between(1, 30)
                });
                while rng.chance(busy) {
                    if let Some(done) = world.journal.act(&mut rng, world.now) {
                        world.note(done);
                    }
                }
                weather(world, &mut rng);
            }
            if rng.chance(kills) {
                let sides = [Called::Api, Called::Channel, Called::Database];
                let side = sides[rng.below(3) as usize];
                self.world.power.arm(Some((side, 1 + rng.below(6))));
            }
            self.stage(rng.below(10)).await?;
            if rng.chance(kills * 0.3) {
                self.reborn().await;
            }
        }
        Ok(())
    }

    fn tally(&self) -> Tally {
        let sends = self.world.lock().sent.len() as u64;
        Tally {
            sends,
            ..self.tally
        }
    }

    /// What the program decided about a visit, in its own words.
    async fn decisions(&self, visit: i64) -> Vec<String> {
        let read = self.pipeline.store().read(move |conn| {
            let sql = "SELECT id || ' ' || created_at || ' ' || kind || ' to ' || phone || ': ' || status
                           || coalesce(' ' || reason, '') || ' ' || message
                         FROM booking_notifications WHERE visit_id = ?1 AND phone <> '' ORDER BY id";
            let mut query = conn.prepare(sql)?;
            let rows = query.query_map([visit], |r| r.get::<_, String>(0))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        });
        read.await.unwrap()
    }

    /// The owner lets go what the guard holds, and says of what is hidden that it is gone, as they
    /// are asked to: all of a master's bookings erased cannot be told from narrowed rights.
    async fn owner_acts(&mut self) {
        let now = self.world.lock().now;
        let acts = move |tx: &rusqlite::Transaction<'_>| {
            let held = store::guard::held(tx, COMPANY, now)?.count;
            if held > 0 {
                store::guard::release(tx, COMPANY, now)?;
            }
            let hidden = store::rights::hidden(tx, COMPANY, now)?;
            let since = [hidden.staff_since, hidden.period.map(|p| p.since)];
            let lasts = since.into_iter().flatten().any(|at| now - at > ALERT_AFTER);
            let gone = if lasts {
                store::rights::give_up(tx, COMPANY, now)?
            } else {
                0
            };
            Ok((held, gone))
        };
        let (held, gone) = self.pipeline.store().write(acts).await.unwrap();
        let mut world = self.world.lock();
        if held > 0 {
            world.note(format!("the owner releases {held} held messages"));
        }
        if gone > 0 {
            world.note(format!(
                "--- the owner says that {gone} hidden bookings are gone ---"
            ));
        }
    }

    /// Nothing goes wrong any more and nothing changes: within an hour and a half everything is said.
    /// What was refused or hidden is asked for once an hour, and twice before it is believed gone.
    async fn liveness(&mut self) -> Result<(), (i64, String)> {
        {
            let mut inner = self.world.lock();
            let world = &mut *inner;
            self.world.power.arm(None);
            world.faults = Faults::default();
            world.hidden = Hidden::default();
            world.mood = Mood::default();
            world.note("--- faults are over ---".into());
        }
        for _ in 0..45 {
            self.world.lock().now += TimeDelta::seconds(120);
            for which in [0, 3, 6, 9] {
                self.stage(which).await?;
            }
            self.owner_acts().await;
        }
        let (world, mut oracle) = (Arc::clone(&self.world), std::mem::take(&mut self.oracle));
        let judged = self.pipeline.store().read(move |conn| {
            let verdict = oracle.at_rest(&world.lock(), conn);
            Ok((oracle, verdict))
        });
        let (oracle, verdict) = judged.await.unwrap();
        self.oracle = oracle;
        verdict
    }
}

/// What is hidden, and when the channel is down.
fn weather(world: &mut Inner, rng: &mut Rng) {
    let now = world.now;
    let span = TimeDelta::minutes(rng.between(1, 40));
    if world
        .hidden
        .master
        .is_some_and(|(_, until, _)| until <= now)
    {
        world.hidden.master = None;
        world.note("the hidden master is back".into());
    } else if world.hidden.master.is_none() && rng.chance(world.faults.hide) {
        let master = rng.between(1, 3);
        world.hidden.master = Some((master, now + span, rng.chance(0.5)));
        world.note(format!("master {master} is hidden for {span}"));
    }
    if world.hidden.period.is_some_and(|(_, until)| until <= now) {
        world.hidden.period = None;
        world.note("the whole period is shown again".into());
    } else if world.hidden.period.is_none() && rng.chance(world.faults.hide / 2.0) {
        let last = (now + TimeDelta::days(rng.between(0, 6))).date_naive();
        world.hidden.period = Some((last, now + span));
        world.note(format!("what is after {last} is hidden for {span}"));
    }
    if world.hidden.phones.is_some_and(|until| until <= now) {
        world.hidden.phones = None;
        world.note("phones are shown again".into());
    } else if world.hidden.phones.is_none() && rng.chance(world.faults.hide) {
        world.hidden.phones = Some(now + span);
        world.note(format!("phones are hidden for {span}"));
    }
    if world.mood.down.is_some_and(|until| until <= now) {
        world.mood.down = None;
    } else if world.mood.down.is_none() && rng.chance(world.mood.throttled / 3.0) {
        world.mood.down = Some(now + span / 4);
        world.note(format!("the channel is down for {}", span / 4));
    }
}

fn company(with_owner: bool) -> config::Company {
    let owner = config::Owner {
        channel: "blind".into(),
        to: OWNER.into(),
        events: vec![Kind::Created, Kind::Updated, Kind::Cancelled],
        alerts: true,
        messages: false,
        support: false,
        users: Vec::new(),
    };
    let template = |key: &str| config::Template {
        key: key.into(),
        channel: None,
        source: channel::template(key),
        origin: "the simulation".into(),
    };
    config::Company {
        id: COMPANY,
        title: None,
        address: None,
        phone: None,
        timezone: None,
        country: "RU".into(),
        language: Language::En,
        channels: vec!["blind".into()],
        owners: if with_owner { vec![owner] } else { Vec::new() },
        pace: Pace {
            interval: Duration::from_secs(10),
            auto: false,
            notification_delay: NOTIFICATION_DELAY.to_std().unwrap(),
            max_delay: MAX_DELAY.to_std().unwrap(),
            sweep_interval: Duration::from_mins(15),
            horizon_days: 30,
        },
        schedule: None,
        quiet_hours: None,
        // An hour of silence for a client who got many messages would be no rest here.
        rules: Rules {
            per_client_per_hour: 0,
            ..Rules::default()
        },
        booking_link: None,
        offer_times: 0,
        user_token: None,
        review_link: None,
        templates: TEMPLATES.iter().map(|key| template(key)).collect(),
        replies: Replies::default(),
        agent: config::Agent::default(),
    }
}

fn start(
    world: &Arc<World>,
    api: &Arc<FakeApi>,
    company: &config::Company,
    store: Store,
) -> Pipeline {
    let channel = Arc::new(FakeChannel {
        world: Arc::clone(world),
    });
    let company = Company::new(company.clone()).unwrap_or_else(|p| panic!("{p:?}"));
    Pipeline::new(
        store,
        Arc::new(WorldClock(Arc::clone(world))),
        Arc::clone(api) as _,
        vec![company],
        vec![ChannelEnd::new(
            "blind".into(),
            "console",
            channel,
            None,
            None,
        )],
        config::Alerts {
            after: ALERT_AFTER.to_std().unwrap(),
            heartbeat_url: None,
            mask_phones: false,
            digest: None,
        },
    )
}

/// One seed from its first to its last breath: what was sent, or the whole story of a failure.
fn run(seed: u64, setup: Setup) -> Result<Tally, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut life = Life::born(seed, setup).await;
        let world = Arc::clone(&life.world);
        failpoint::watch(Some(Arc::new(move |point| {
            if point == "after_commit" {
                world.power.committed();
            }
        })));
        let end = match life.safety().await {
            Ok(()) => life.liveness().await,
            failed => failed,
        };
        failpoint::watch(None);
        let (visit, why) = match end {
            Ok(()) => return Ok(life.tally()),
            Err(failed) => failed,
        };
        // Whoever hunts a fault wants to see another visit's story, too.
        let visit = number("SIMULATION_VISIT").map_or(visit, |visit| visit as i64);
        let decisions = life.decisions(visit).await;
        let inner = life.world.lock();
        let records: Vec<String> = inner.journal.of_visit(visit).map(|b| b.id.to_string()).collect();
        let about = |line: &&String| {
            let told = ["---", "process", "hidden", "shown"].iter().any(|word| line.contains(word));
            let listing = line.contains("api: ChangedSince") || line.contains("api: Starting");
            told || !listing && records.iter().any(|r| line.contains(r.as_str()))
        };
        let whole = std::env::var_os("SIMULATION_WHOLE").is_some();
        let about = |line: &&String| whole || about(line);
        let story: Vec<&str> = inner.trace.iter().filter(about).map(String::as_str).collect();
        let most = if whole { story.len() } else { 60 };
        let tail = &inner.trace[inner.trace.len().saturating_sub(40)..];
        Err(format!(
            "seed {seed}: {why}\n\n{}\n\nwhat concerns visit {visit} ({}):\n{}\n\nwhat was decided:\n{}\n\nthe last steps:\n{}\n\n\
             replay: SIMULATION_STORE={kept} SIMULATION_SEED={seed} cargo test --test simulation -- nothing_false\n",
            inner.trace[0],
            records.join(", "),
            story[story.len().saturating_sub(most)..].join("\n"),
            decisions.join("\n"),
            tail.join("\n"),
            kept = setup.kept.as_str(),
        ))
    })
}

/// What a seed, or many, came to.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    steps: u64,
    sends: u64,
    kills: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.sends += other.sends;
        self.kills += other.kills;
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs these seeds on every core, all of them or until one fails. Returns what they came to, and the stories of those that failed.
fn swarm(seeds: std::ops::Range<u64>, setup: Setup, all: bool) -> (Tally, Vec<(u64, String)>) {
    let next = AtomicU64::new(seeds.start);
    let found = Mutex::new((Tally::default(), Vec::new()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    let failed = !found.lock().unwrap().1.is_empty();
                    if seed >= seeds.end || failed && !all {
                        return;
                    }
                    let end = std::panic::catch_unwind(|| run(seed, setup));
                    let mut found = found.lock().unwrap();
                    match end {
                        Ok(Ok(tally)) => found.0 += tally,
                        Ok(Err(story)) => found.1.push((seed, story)),
                        Err(_) => found.1.push((seed, format!("seed {seed} panicked"))),
                    }
                }
            });
        }
    });
    let (tally, mut failures) = found.into_inner().unwrap();
    failures.sort();
    (tally, failures)
}

#[test]
fn nothing_false_is_ever_said_and_in_the_end_everything_is() {
    let stores = match std::env::var("SIMULATION_STORE").as_deref() {
        Ok("memory") => vec![(Kept::Memory, SEEDS)],
        Ok("file") => vec![(Kept::File, FILE_SEEDS)],
        Ok(other) => panic!("SIMULATION_STORE is memory or file, not {other}"),
        Err(_) => vec![(Kept::Memory, SEEDS), (Kept::File, FILE_SEEDS)],
    };
    for (kept, few) in stores {
        let first = number("SIMULATION_FIRST").unwrap_or(0);
        let seeds = match number("SIMULATION_SEED") {
            Some(one) => one..one + 1,
            None => first..first + number("SIMULATION_SEEDS").unwrap_or(few),
        };
        let setup = Setup {
            kept,
            defences: defences(),
        };
        let started = std::time::Instant::now();
        let count = seeds.end - seeds.start;
        let (
            Tally {
                steps,
                sends,
                kills,
            },
            failures,
        ) = swarm(seeds, setup, true);
        println!(
            "{count} seeds, store {}: {steps} steps, {sends} sends, {kills} kills, {} violations, {:.1} s",
            kept.as_str(),
            failures.len(),
            started.elapsed().as_secs_f64(),
        );
        if let Some((_, story)) = failures.first() {
            let line = |(seed, story): &(u64, String)| {
                format!("{seed}: {}", story.lines().next().unwrap_or_default())
            };
            let all: Vec<String> = failures.iter().map(line).collect();
            panic!(
                "{} of {count} seeds failed:\n{}\n\n{story}",
                failures.len(),
                all.join("\n")
            );
        }
    }
}

/// The ablation matrix: each defence taken away, alone or with the one that covers for it.
#[test]
fn a_defence_taken_away_is_missed_or_another_stands_in_for_it() {
    const MOST: u64 = 400;
    const ENOUGH: u64 = 25;
    let without = |names: &[&str]| {
        let mut defences = Defences::all();
        for name in names {
            *switch(&mut defences, name) = false;
        }
        Setup {
            kept: Kept::Memory,
            defences,
        }
    };
    for names in [
        &["sweep"][..],
        &["confirmation"],
        &["look"],
        &["stale_read"],
        &["sweep", "overlap"],
        &["confirmation", "completeness"],
        &["confirmation", "guard"],
    ] {
        let (_, failures) = swarm(0..MOST, without(names), false);
        let caught = failures
            .first()
            .map(|(seed, story)| (seed, story.lines().next()));
        println!("without {names:?}: {caught:?}");
        assert!(caught.is_some(), "nobody misses {names:?} in {MOST} seeds");
    }
    // Nothing false without one of these: a sweep makes good what a poll overlooked, and asking by id
    // what a listing left out.
    for names in [&["overlap"][..], &["completeness"], &["guard"]] {
        let (_, failures) = swarm(0..ENOUGH, without(names), true);
        assert!(failures.is_empty(), "without {names:?}: {failures:?}");
        println!("without {names:?}: {ENOUGH} seeds, nothing false");
    }
}
