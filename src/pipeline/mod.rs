//! The stages that a change passes: poll, settle, deliver; beside them receive and maintain.
//!
//! Each stage does what is due and returns a report. The daemon calls it in a loop, `--once` calls
//! it once, tests call it by hand with a clock of their own. No stage keeps anything in memory that
//! the next one needs: what is due is a column.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::channels::DEFAULT_TIMEOUT;
use crate::config;
use crate::domain::defences::Defences;
use crate::domain::message::{Markup, Override, TemplateProblem, Texts};
use crate::domain::phone::Phone;
use crate::domain::zone::Zone;
use crate::meters::Meters;
use crate::ports::{
    Addressing, BookingApi, Channel, Clock, CompanyRef, Heartbeat, JOURNAL_GRACE, Model, Receiver,
    Standing, Urgency,
};
use crate::store::companies::CompanyRow;
use crate::store::{self, Store, contacts};

mod aftermath;
mod agent;
mod answers;
pub mod apply;
mod cards;
mod claim;
mod commands;
pub mod deliver;
mod edits;
pub mod events;
mod free;
mod guard;
mod happened;
mod heartbeat;
mod hidden;
mod ignored;
mod life;
mod link;
pub mod listing;
mod lookup;
pub mod maintain;
pub mod orders;
mod outcome;
mod owner_chat;
mod pace;
mod parked;
pub mod poll;
mod presses;
pub mod preview;
mod questions;
pub(crate) mod quiet;
pub mod receive;
mod recreated;
pub mod rehearse;
mod reminders;
mod renumbered;
pub mod settle;
mod slots;
mod talk;
pub mod trial;
mod upkeep;
mod visit;
mod warm_up;
mod who_wrote;
mod wishes;
mod words;
mod writes;

use events::SinkEnd;
use life::Life;
use pace::Pace;

/// A clock that is set right by less moves nothing.
const CLOCK_STEP: TimeDelta = TimeDelta::seconds(30);

/// One company as the stages need it.
pub struct Company {
    /// What the configuration says.
    pub settings: config::Company,
    texts: Arc<Texts>,
    /// What answers its clients where no rule does.
    model: Option<Arc<dyn Model>>,
    /// Held by whoever polls the company: its polls never overlap.
    turn: Mutex<()>,
    /// Messages that wait for a look at its journal.
    awaited: Arc<AtomicU32>,
}

impl Company {
    /// Compiles the company's texts. The error lists every broken template.
    pub fn new(settings: config::Company) -> Result<Self, Vec<TemplateProblem>> {
        let own: Vec<Override<'_>> = settings
            .templates
            .iter()
            .map(|t| Override {
                key: &t.key,
                channel: t.channel.as_deref(),
                source: &t.source,
                origin: &t.origin,
            })
            .collect();
        let texts = Arc::new(Texts::new(settings.language, &own)?);
        Ok(Self::with_texts(settings, texts))
    }

    /// The same without compiling a thing where one of these companies has the same texts: compiled,
    /// they take more memory than all else that a company needs.
    pub fn beside(all: &[Self], settings: config::Company) -> Result<Self, Vec<TemplateProblem>> {
        let same = all.iter().find(|other| {
            let other = &other.settings;
            other.language == settings.language && other.templates == settings.templates
        });
        match same {
            Some(other) => Ok(Self::with_texts(settings, Arc::clone(&other.texts))),
            None => Self::new(settings),
        }
    }

    fn with_texts(settings: config::Company, texts: Arc<Texts>) -> Self {
        Self {
            settings,
            texts,
            model: None,
            turn: Mutex::new(()),
            awaited: Arc::default(),
        }
    }

    /// The same with a model that answers its clients.
    #[must_use]
    pub fn with_model(mut self, model: Arc<dyn Model>) -> Self {
        self.model = Some(model);
        self
    }

    /// Whether there is a model that may answer its clients.
    fn has_agent(&self) -> bool {
        self.model.is_some() && self.settings.agent.external
    }

    /// What is legal in its own texts but hardly meant, on the channels it writes over.
    #[must_use]
    pub fn remarks(&self, ends: &[ChannelEnd]) -> Vec<TemplateProblem> {
        let ends = ends.iter().filter(|end| self.writes_over(&end.name));
        let channels: Vec<(&str, Markup)> = ends
            .map(|end| (end.name.as_str(), end.channel.markup()))
            .collect();
        self.texts.remarks(&channels)
    }

    /// The zone its naive times are meant in, once known.
    fn zone(&self, row: &CompanyRow) -> Option<Zone> {
        self.settings.timezone.or(row.info.zone)
    }

    fn reference(&self, zone: Zone, urgency: Urgency) -> CompanyRef {
        CompanyRef {
            id: self.settings.id,
            zone,
            country: self.settings.country.clone(),
            standing: Standing::new(urgency, Arc::clone(&self.awaited)),
        }
    }

    /// It writes to clients over this channel.
    fn writes_over(&self, channel: &str) -> bool {
        self.settings.channels.iter().any(|name| name == channel)
    }

    /// An owner of it reads this chat.
    fn is_owned_from(&self, channel: &str, chat_id: &str) -> bool {
        let mut owners = self.settings.owners.iter();
        owners.any(|o| o.channel == channel && o.to == chat_id)
    }

    /// What people call it.
    fn title(&self, row: &CompanyRow) -> String {
        match &self.settings.title {
            Some(title) => title.clone(),
            None if row.info.title.is_empty() => self.settings.id.to_string(),
            None => row.info.title.clone(),
        }
    }
}

/// One channel as the stages need it.
pub struct ChannelEnd {
    /// Its name in the configuration.
    pub name: String,
    /// The word after `type =`.
    pub kind: &'static str,
    /// The way out.
    pub channel: Arc<dyn Channel>,
    /// The way in, where it is read.
    pub receiver: Option<Arc<dyn Receiver>>,
    pace: Pace,
    life: Life,
    /// So many people a day that this channel has never written to; 0: as many as there are.
    new_recipients_per_day: u32,
    /// So long the messenger's journal may lag behind its sends.
    journal_grace: Duration,
}

impl ChannelEnd {
    /// A channel that sends at most so many messages a second.
    #[must_use]
    pub fn new(
        name: String,
        kind: &'static str,
        channel: Arc<dyn Channel>,
        receiver: Option<Arc<dyn Receiver>>,
        messages_per_second: Option<f64>,
    ) -> Self {
        let by_chat = channel.addressing() == Addressing::Chat;
        let pace = Pace::new(messages_per_second, channel.is_personal(), by_chat);
        Self {
            name,
            kind,
            channel,
            receiver,
            pace,
            life: Life::new(DEFAULT_TIMEOUT),
            new_recipients_per_day: 0,
            journal_grace: JOURNAL_GRACE,
        }
    }

    /// The same with another time within which its requests end.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.life = Life::new(timeout);
        self
    }

    /// Whether nothing hangs there: what was begun is over by then, or may still take its time.
    #[must_use]
    pub fn is_well(&self, now: Instant) -> bool {
        self.life.is_well(now)
    }

    /// The same with another grace for its journal.
    #[must_use]
    pub fn with_journal_grace(mut self, grace: Duration) -> Self {
        self.journal_grace = grace;
        self
    }

    /// The same for a new number: so many people a day that it has never written to, 0 for no limit.
    #[must_use]
    pub fn with_warm_up(mut self, new_recipients_per_day: u32) -> Self {
        self.new_recipients_per_day = new_recipients_per_day;
        self
    }

    /// From now on a chat takes messages as fast as they come: for tests, whose clock is not the one on
    /// the wall.
    #[cfg(debug_assertions)]
    pub fn hurry(&self) {
        self.pace.hurry();
    }

    /// How this channel addresses the owner of a phone, if it can.
    fn address(&self, conn: &rusqlite::Connection, phone: &Phone) -> store::Result<Option<String>> {
        match self.channel.addressing() {
            Addressing::Phone => Ok(Some(phone.e164().to_owned())),
            Addressing::Chat => contacts::chat_of(conn, &self.name, phone.e164()),
        }
    }
}

/// Everything the stages work with.
pub struct Pipeline {
    store: Store,
    clock: Arc<dyn Clock>,
    api: Arc<dyn BookingApi>,
    companies: Arc<BTreeMap<i64, Arc<Company>>>,
    channels: Arc<BTreeMap<String, Arc<ChannelEnd>>>,
    alerts: config::Alerts,
    sinks: Vec<Arc<SinkEnd>>,
    heartbeat: Option<heartbeat::Pulse>,
    defences: Defences,
    /// The latest time that a turn began with, in milliseconds.
    latest: AtomicI64,
    upkeep: Option<upkeep::Upkeep>,
    meters: Meters,
    /// Rung when something may have become due.
    pub bell: Arc<Notify>,
    /// Cancelled when the process is to end: no new send begins.
    pub stopping: CancellationToken,
}

impl Pipeline {
    /// Puts the stages together.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        api: Arc<dyn BookingApi>,
        companies: Vec<Company>,
        channels: Vec<ChannelEnd>,
        alerts: config::Alerts,
    ) -> Self {
        Self {
            store,
            clock,
            api,
            companies: Arc::new(
                companies
                    .into_iter()
                    .map(|c| (c.settings.id, Arc::new(c)))
                    .collect(),
            ),
            channels: Arc::new(
                channels
                    .into_iter()
                    .map(|c| (c.name.clone(), Arc::new(c)))
                    .collect(),
            ),
            alerts,
            sinks: Vec::new(),
            heartbeat: None,
            defences: Defences::all(),
            latest: AtomicI64::new(i64::MIN),
            upkeep: None,
            meters: Meters::default(),
            bell: Arc::new(Notify::new()),
            stopping: CancellationToken::new(),
        }
    }

    /// The same with daily chores: retention and backups.
    #[must_use]
    pub fn with_upkeep(mut self, database: &config::Database) -> Self {
        self.upkeep = Some(upkeep::Upkeep::of(database));
        self
    }

    /// The same with sinks that booking events are handed on to.
    #[must_use]
    pub fn with_sinks(mut self, sinks: Vec<SinkEnd>) -> Self {
        self.sinks = sinks.into_iter().map(Arc::new).collect();
        self
    }

    /// The same with a switch that is touched after every good cycle.
    #[must_use]
    pub fn with_heartbeat(mut self, switch: Option<Arc<dyn Heartbeat>>) -> Self {
        self.heartbeat = switch.map(heartbeat::Pulse::new);
        self
    }

    /// The same counting here.
    #[must_use]
    pub fn with_meters(mut self, meters: Meters) -> Self {
        self.meters = meters;
        self
    }

    /// The same with other defences, for a simulation that shows what each is worth.
    #[must_use]
    pub fn with_defences(mut self, defences: Defences) -> Self {
        self.defences = defences;
        self
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The companies, by id.
    #[must_use]
    pub fn companies(&self) -> &BTreeMap<i64, Arc<Company>> {
        &self.companies
    }

    /// The channels, by name.
    #[must_use]
    pub fn channels(&self) -> &BTreeMap<String, Arc<ChannelEnd>> {
        &self.channels
    }

    /// What is counted.
    #[must_use]
    pub fn meters(&self) -> Meters {
        self.meters.clone()
    }

    /// The sinks that booking events are handed on to.
    #[must_use]
    pub fn sinks(&self) -> &[Arc<SinkEnd>] {
        &self.sinks
    }

    /// When the clock was put back, what was planned by the old time moves along. Called with the time
    /// that a turn begins with.
    async fn heed_clock(&self, now: DateTime<Utc>) -> store::Result<()> {
        let at = now.timestamp_millis();
        let latest = self.latest.swap(at, Ordering::Relaxed);
        let step = TimeDelta::milliseconds(latest.max(at) - at);
        if step < CLOCK_STEP {
            return Ok(());
        }
        tracing::warn!(seconds = step.num_seconds(), "the clock was put back");
        self.store
            .write(move |tx| store::clock::put_back(tx, step, now))
            .await
    }

    /// What the transactions of a stage need beside their connection.
    fn desk(&self) -> Desk {
        Desk {
            companies: Arc::clone(&self.companies),
            channels: Arc::clone(&self.channels),
            sinks: self.sinks.clone(),
            mask_phones: self.alerts.mask_phones,
            defences: self.defences,
        }
    }
}

/// What a transaction needs beside its connection: who is served, and over what.
#[derive(Clone)]
struct Desk {
    companies: Arc<BTreeMap<i64, Arc<Company>>>,
    channels: Arc<BTreeMap<String, Arc<ChannelEnd>>>,
    sinks: Vec<Arc<SinkEnd>>,
    /// Owners read masked phones.
    mask_phones: bool,
    defences: Defences,
}

impl Desk {
    /// The first channel of the company, after `past` where given, that can address this phone, and
    /// the address there.
    fn way_to(
        &self,
        conn: &rusqlite::Connection,
        company: &Company,
        phone: &Phone,
        past: Option<&str>,
    ) -> store::Result<Option<(Arc<ChannelEnd>, String)>> {
        Ok(self.ways_to(conn, company, phone, past)?.into_iter().next())
    }

    /// Where else this may be sent from where it stands: the channels behind this one, then those before it;
    /// of both, those that it was never given to.
    fn other_ways(
        &self,
        conn: &rusqlite::Connection,
        company: &Company,
        n: &store::outbox::Notification,
    ) -> store::Result<Vec<Arc<ChannelEnd>>> {
        let phone = Phone::from_stored(n.phone.clone());
        let behind = self.ways_to(conn, company, &phone, Some(&n.channel))?;
        let all = self.ways_to(conn, company, &phone, None)?;
        let mut ways: Vec<Arc<ChannelEnd>> = Vec::new();
        for (end, _) in behind.into_iter().chain(all) {
            let listed = ways.iter().any(|way| way.name == end.name);
            let here = end.name == n.channel;
            if !listed && !here && !store::outbox::was_given_to(conn, n.id, &end.name)? {
                ways.push(end);
            }
        }
        Ok(ways)
    }

    /// All of them, in order.
    fn ways_to(
        &self,
        conn: &rusqlite::Connection,
        company: &Company,
        phone: &Phone,
        past: Option<&str>,
    ) -> store::Result<Vec<(Arc<ChannelEnd>, String)>> {
        let names = &company.settings.channels;
        let skip = past
            .and_then(|p| names.iter().position(|n| n == p))
            .map_or(0, |i| i + 1);
        let mut ways = Vec::new();
        for name in &names[skip..] {
            let Some(end) = self.channels.get(name) else {
                continue;
            };
            if let Some(address) = end.address(conn, phone)? {
                ways.push((Arc::clone(end), address));
            }
        }
        Ok(ways)
    }
}
