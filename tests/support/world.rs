//! A whole small world: the simulated salon, a fake Green API and a fake Telegram, a clock whose
//! hands the test holds, a real database in a temporary folder, and the real pipeline between them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use booking_monitor::app;
use booking_monitor::config::{self, Config, Secrets};
use booking_monitor::demo::salon::{BookingDraft, PARTNER_TOKEN, Salon, USER_TOKEN};
use booking_monitor::domain::zone::Zone;
use booking_monitor::pipeline::Pipeline;
use booking_monitor::pipeline::poll::PollReport;
use booking_monitor::ports::Clock;
use booking_monitor::store::Store;
use booking_monitor::yclients;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::green_api::GreenApi;
use super::telegram::Telegram;

/// The company of most tests, in Moscow.
pub const SALON: i64 = 111_111;
/// The client of most tests.
pub const PHONE: &str = "+79000000001";
/// The owner's chat.
pub const OWNER: &str = "500";

/// A clock that moves only when told.
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<DateTime<Utc>>>);

impl ManualClock {
    fn new(at: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(at)))
    }

    /// The clock is put back.
    pub fn put_back(&self, span: Duration) {
        *self.0.lock().unwrap() -= TimeDelta::from_std(span).unwrap();
    }

    pub fn advance(&self, span: Duration) {
        *self.0.lock().unwrap() += TimeDelta::from_std(span).unwrap();
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub struct World {
    pub clock: ManualClock,
    pub salon: Salon,
    pub green: GreenApi,
    pub telegram: Telegram,
    pub config: Config,
    pub folder: tempfile::TempDir,
    pipeline: Option<Arc<Pipeline>>,
}

/// `21 August, 14:30` and the like, in the salon.
pub fn at(local: &str) -> NaiveDateTime {
    local.parse().unwrap()
}

/// The booking of most tests: by phone, with a discount, on the 21st of August.
pub fn haircut(start: &str) -> BookingDraft {
    BookingDraft::new(SALON, at(start))
        .client("Анна", PHONE)
        .staff(5, "Бари")
        .service(45, "МУЖСКАЯ СТРИЖКА", 2000, 50)
        .by_user(77)
}

impl World {
    /// A world in which nothing is configured beyond what has to be.
    pub async fn new() -> Self {
        Self::with("", "").await
    }

    /// A world with more keys: `monitor` below `[monitor]`, `rest` at the end, below the company.
    pub async fn with(monitor: &str, rest: &str) -> Self {
        // Thursday, 20 August 2026, noon in Moscow.
        let start = "2026-08-20T09:00:00Z".parse().unwrap();
        Self::beginning(start, Zone::moscow(), monitor, rest).await
    }

    /// The same, in another zone and from another moment on.
    pub async fn beginning(start: DateTime<Utc>, zone: Zone, monitor: &str, rest: &str) -> Self {
        let clock = ManualClock::new(start);
        let salon = Salon::start(Arc::new(clock.clone())).await.unwrap();
        salon.add_company(SALON, "Малаховка", "Малаховка, Южная улица, 38", zone);
        let (green, telegram) = (GreenApi::start().await, Telegram::start().await);
        let hands = clock.clone();
        green.use_clock(move || hands.now());
        let folder = tempfile::tempdir().unwrap();
        let config = parse(
            &folder.path().join("booking-monitor.toml"),
            &format!(
                r#"
            [monitor]
            {monitor}
            [yclients]
            base_url = "{base_url}"
            partner_token = "{PARTNER_TOKEN}"
            user_token = "{USER_TOKEN}"
            requests_per_second = 1000
            requests_per_minute = 60000
            [channels.whatsapp]
            type = "green-api"
            api_url = "{green}"
            instance_id = "{instance}"
            token = "{green_token}"
            messages_per_second = 1000
            timeout = "2s"
            [channels.telegram]
            type = "telegram"
            api_url = "{telegram}"
            token = "{telegram_token}"
            messages_per_second = 1000
            timeout = "2s"
            [[companies]]
            id = {SALON}
            channels = ["whatsapp"]
            {rest}
            "#,
                base_url = salon.base_url(),
                green = green.url,
                instance = super::green_api::INSTANCE,
                green_token = super::green_api::TOKEN,
                telegram = telegram.url,
                telegram_token = super::telegram::TOKEN,
            ),
        );
        let mut world = Self {
            clock,
            salon,
            green,
            telegram,
            config,
            folder,
            pipeline: None,
        };
        world.start().await;
        world
    }

    /// A world whose baseline is taken already.
    pub async fn watching() -> Self {
        let world = Self::new().await;
        world.poll().await;
        world
    }

    /// The same, with more keys.
    pub async fn watching_with(monitor: &str, rest: &str) -> Self {
        let world = Self::with(monitor, rest).await;
        world.poll().await;
        world
    }

    /// The program starts, on whatever database is there.
    pub async fn start(&mut self) {
        let store = Store::open(&self.database()).await.unwrap();
        let api = Arc::new(yclients::Client::new(self.config.yclients.clone()).unwrap());
        let sink = Arc::new(Mutex::new(Vec::<u8>::new()));
        let pipeline = app::assemble_with(
            &self.config,
            store,
            api,
            Arc::new(self.clock.clone()),
            &(sink as _),
        )
        .await;
        let pipeline = pipeline.unwrap();
        pipeline.recover_interrupted().await.unwrap();
        // A bot's second between two messages would be one of the machine's, not of ours.
        #[cfg(debug_assertions)]
        for end in pipeline.channels().values() {
            end.hurry();
        }
        self.pipeline = Some(pipeline);
    }

    /// The program ends.
    pub fn stop(&mut self) {
        self.pipeline = None;
    }

    /// The program ends and starts again.
    pub async fn restart(&mut self) {
        self.stop();
        self.start().await;
    }

    /// Its company writes over these channels from now on.
    pub async fn write_over(&mut self, channels: &[&str]) {
        let channels = channels.iter().map(|&name| name.to_owned());
        self.config.companies[0].channels = channels.collect();
        self.restart().await;
    }

    pub fn is_running(&self) -> bool {
        self.pipeline.is_some()
    }

    pub fn pipeline(&self) -> &Arc<Pipeline> {
        self.pipeline.as_ref().unwrap()
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("booking-monitor.db")
    }

    /// The clock goes on: `"90s"`, `"15m"`, `"2h"`.
    pub fn advance(&self, span: &str) {
        let (number, unit) = span.split_at(span.len() - 1);
        let number: u64 = number.parse().unwrap();
        let seconds = match unit {
            "s" => number,
            "m" => number * 60,
            "h" => number * 3600,
            "d" => number * 86_400,
            _ => panic!("what is {span}?"),
        };
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub async fn poll_of(&self, company: i64) -> PollReport {
        let company = Arc::clone(&self.pipeline().companies()[&company]);
        self.pipeline().poll_once(&company).await.unwrap()
    }

    /// One good poll of the salon.
    pub async fn poll(&self) -> PollReport {
        let report = self.poll_of(SALON).await;
        assert_eq!(report.error, None);
        report
    }

    pub async fn settle(&self) {
        self.pipeline().settle_due(self.clock.now()).await.unwrap();
    }

    pub async fn deliver(&self) {
        for end in self.pipeline().channels().values() {
            self.pipeline().deliver_due(end).await.unwrap();
        }
    }

    /// Every sink of events is given what it is due.
    pub async fn hand_on(&self) {
        for end in self.pipeline().sinks() {
            self.pipeline().events_due(end).await.unwrap();
        }
    }

    /// Every stage once, twice over, so that what one makes due for another is done.
    pub async fn turn(&self) {
        for _ in 0..2 {
            self.settle().await;
            self.deliver().await;
            self.pipeline().alerts_due(self.clock.now()).await.unwrap();
        }
        self.deliver().await;
    }

    /// A poll, the delay, and everything that is due after it.
    pub async fn tell(&self) {
        self.poll().await;
        self.advance("31s");
        self.turn().await;
    }

    /// From now on nobody can read Green API's journal, as if it were a channel without one.
    pub fn shut_the_journal(&self) {
        self.green.blind(u32::MAX);
    }

    /// So much time that the search in a shut journal is given up.
    pub async fn give_up_searching(&self) {
        for _ in 0..12 {
            self.advance("60s");
            self.poll().await;
            self.turn().await;
        }
    }

    /// Everything Green API has waiting for us is received. Nobody waits in real time for more of it.
    pub async fn receive(&self) {
        self.green.be_hasty(true);
        for end in self.pipeline().channels().values() {
            self.pipeline()
                .receive_all(end, Duration::from_millis(900))
                .await
                .unwrap();
        }
        self.green.be_hasty(false);
    }

    /// Texts that reached clients over WhatsApp, in order.
    pub fn told(&self) -> Vec<String> {
        self.green.sent().into_iter().map(|s| s.text).collect()
    }

    /// Texts that reached the owner over Telegram, in order.
    pub fn owner_told(&self) -> Vec<String> {
        self.telegram
            .sent()
            .into_iter()
            .filter(|s| s.chat == OWNER)
            .map(|s| s.text)
            .collect()
    }

    /// A connection of our own, as a person with `sqlite3` would open one.
    pub fn sql(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    /// Rows of a query whose columns are all text or null, joined by `|`.
    pub fn rows(&self, query: &str) -> Vec<String> {
        let conn = self.sql();
        let mut statement = conn.prepare(query).unwrap();
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| {
                let cells: Vec<String> = (0..columns)
                    .map(|i| match row.get_ref(i).unwrap() {
                        rusqlite::types::ValueRef::Null => "-".to_owned(),
                        rusqlite::types::ValueRef::Integer(n) => n.to_string(),
                        rusqlite::types::ValueRef::Real(n) => n.to_string(),
                        other => other.as_str().unwrap().to_owned(),
                    })
                    .collect();
                Ok(cells.join("|"))
            })
            .unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Kind, status and reason of every notification to clients, oldest first.
    pub fn decisions(&self) -> Vec<String> {
        self.rows(
            "SELECT kind, status, coalesce(reason, '') FROM booking_notifications
              WHERE kind NOT IN ('owner', 'alert') ORDER BY id",
        )
    }
}

/// Reads a configuration as the program does.
pub fn parse(path: &std::path::Path, text: &str) -> Config {
    std::fs::write(path, text).unwrap();
    let nothing = |_: &str| None;
    match config::load(path, &nothing, Secrets::Needed) {
        Ok(loaded) => loaded.config,
        Err(report) => panic!("{report}"),
    }
}
