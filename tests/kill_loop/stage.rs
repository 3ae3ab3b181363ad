//! A salon of two branches, one on a messenger with a journal, one on a bot; their clients, their
//! owner, and the program that is killed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use booking_monitor::demo::salon::{PARTNER_TOKEN, Salon, USER_TOKEN};
use booking_monitor::ports::{Clock as _, SystemClock};
use chrono::{NaiveDateTime, TimeDelta, Timelike as _};

use super::support::green_api::{self, GreenApi};
use super::support::telegram::{self, Telegram};
use super::support::world::haircut;
use booking_monitor::domain::zone::Zone;

/// The branch whose clients are written to over Green API.
pub(super) const JOURNAL: i64 = 111_111;
/// The branch whose clients are written to by a Telegram bot.
pub(super) const BLIND: i64 = 222_222;
pub(super) const OWNER: &str = "500";
/// Clients of each branch.
const CLIENTS: i64 = 30;
/// Of those, so many ask for silence at some time.
const SILENT: i64 = 4;

/// A number from the environment.
pub(super) fn setting<T: FromStr>(name: &str, default: T) -> T {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Everything that is left to chance, from one seed.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// splitmix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(super) fn between(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// One client, as they and the salon know them.
pub(super) struct Client {
    pub(super) company: i64,
    pub(super) number: i64,
    pub(super) record: Option<i64>,
    /// When their booking begins, or began before it was cancelled.
    pub(super) start: Option<NaiveDateTime>,
    pub(super) silent: bool,
    times: i64,
}

impl Client {
    pub(super) fn phone(&self) -> String {
        let branch = self.company / 111_111;
        format!("+790000{branch:02}{:03}", 100 + self.number)
    }

    pub(super) fn chat(&self) -> String {
        match self.company {
            JOURNAL => format!("{}@c.us", self.phone().trim_start_matches('+')),
            _ => (1000 + self.number).to_string(),
        }
    }
}

/// Whether the program listens to its messengers: a turn that does takes a second longer.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ears {
    Open,
    Closed,
}

pub(super) struct Stage {
    pub(super) salon: Salon,
    pub(super) green: GreenApi,
    pub(super) telegram: Telegram,
    pub(super) folder: tempfile::TempDir,
    pub(super) chance: Chance,
    pub(super) clients: Vec<Client>,
    day: NaiveDateTime,
}

impl Stage {
    /// Everything in its place, the first reading done.
    pub(super) async fn build(mut chance: Chance, ears: Ears) -> Self {
        let salon = Salon::start(Arc::new(SystemClock)).await.unwrap();
        for (id, title) in [(JOURNAL, "Малаховка"), (BLIND, "Раменское")] {
            salon.add_company(id, title, "Южная улица, 38", Zone::moscow());
        }
        let (green, telegram) = (GreenApi::start().await, Telegram::start().await);
        // So slow that a kill often comes in between, on either side of the message being taken.
        for desk in [&*green, &*telegram] {
            let mut pace = Chance::new(chance.next());
            desk.dawdle(move || pace.between(0, 40));
        }
        green.list_late(Duration::from_secs(1));
        let clients = [JOURNAL, BLIND].into_iter().flat_map(|company| {
            (0..CLIENTS).map(move |number| Client {
                company,
                number,
                record: None,
                start: None,
                silent: false,
                times: 0,
            })
        });
        let today = SystemClock.now().naive_utc();
        let stage = Self {
            salon,
            green,
            telegram,
            folder: tempfile::tempdir().unwrap(),
            chance,
            clients: clients.collect(),
            day: today.date().and_hms_opt(8, 0, 0).unwrap() + TimeDelta::days(3),
        };
        stage.configure(ears == Ears::Open);
        assert!(stage.command(&["--once"]).status().unwrap().success());
        let sql = stage.sql();
        for client in stage.clients.iter().filter(|c| c.company == BLIND) {
            sql.execute(
                "INSERT INTO contacts (phone, channel, chat_id) VALUES (?1, 'telegram', ?2)",
                (client.phone(), client.chat()),
            )
            .unwrap();
        }
        stage
    }

    fn configure(&self, receive: bool) {
        let company = |id: i64, channel: &str| {
            format!(
                "[[companies]]\nid = {id}\nchannels = [\"{channel}\"]\n\
                 owner = [{{ channel = \"telegram\", to = \"{OWNER}\", events = [] }}]\n"
            )
        };
        let text = format!(
            r#"
[monitor]
interval = "1s"
notification_delay = "1s"
max_delay = "3s"
sweep_interval = "20s"
per_client_per_hour = 0
missing_limit = "100%"
[yclients]
base_url = "{salon}"
partner_token = "{PARTNER_TOKEN}"
user_token = "{USER_TOKEN}"
requests_per_second = 1000
requests_per_minute = 60000
timeout = "5s"
[channels.whatsapp]
type = "green-api"
api_url = "{green}"
instance_id = "{instance}"
token = "{green_token}"
messages_per_second = 1000
journal_grace = "3s"
receive = {receive}
timeout = "5s"
[channels.telegram]
type = "telegram"
api_url = "{telegram}"
token = "{telegram_token}"
receive = {receive}
messages_per_second = 1000
timeout = "5s"
{journal}{blind}"#,
            salon = self.salon.base_url(),
            green = self.green.url,
            instance = green_api::INSTANCE,
            green_token = green_api::TOKEN,
            telegram = self.telegram.url,
            telegram_token = telegram::TOKEN,
            journal = company(JOURNAL, "whatsapp"),
            blind = company(BLIND, "telegram"),
        );
        std::fs::write(self.path("booking-monitor.toml"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program under test: the one that was built along, or another.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let built = env!("CARGO_BIN_EXE_booking-monitor").to_owned();
        let mut command = Command::new(setting("KILL_LOOP_PROGRAM", built));
        command
            .arg("--config")
            .arg(self.path("booking-monitor.toml"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    pub(super) fn daemon(&self) -> Child {
        let log = std::fs::File::options();
        let log = log.clone().create(true).append(true).open(self.path("log"));
        let mut command = self.command(&["run"]);
        command.stderr(log.unwrap()).spawn().unwrap()
    }

    pub(super) fn sql(&self) -> rusqlite::Connection {
        let conn = rusqlite::Connection::open(self.path("booking-monitor.db")).unwrap();
        conn.busy_timeout(Duration::from_secs(5)).unwrap();
        conn
    }

    pub(super) fn count(&self, query: &str) -> i64 {
        self.sql().query_row(query, [], |r| r.get(0)).unwrap()
    }

    /// Somebody books, moves, cancels, or asks for silence.
    pub(super) fn something_happens(&mut self) {
        let which = self.chance.below(self.clients.len() as u64);
        let what = self.chance.below(100);
        let day = self.day;
        let client = &mut self.clients[usize::try_from(which).unwrap()];
        let asks = client.number < SILENT && !client.silent && client.times > 3;
        if asks && what < 40 {
            client.silent = true;
            match client.company {
                JOURNAL => drop(self.green.push_text(&client.phone()[1..], "стоп")),
                _ => drop(self.telegram.push_text(1000 + client.number, "стоп")),
            }
            return;
        }
        // A time is never taken twice, so that every state of a booking has its own message.
        client.times += 1;
        let start =
            day + TimeDelta::days(client.times / 600) + TimeDelta::minutes(client.times % 600);
        match client.record {
            None => {
                let draft = haircut(&start.format("%Y-%m-%dT%H:%M:%S").to_string());
                let mut draft = draft.client("Анна", &client.phone());
                draft.company = client.company;
                client.record = Some(self.salon.book(draft));
                client.start = Some(start);
            }
            Some(record) if what < 12 => {
                self.salon.cancel(client.company, record);
                client.record = None;
            }
            Some(record) => {
                self.salon.reschedule(client.company, record, start);
                client.start = Some(start);
            }
        }
        debug_assert_eq!(start.second(), 0);
    }

    /// Waits until the program has nothing left to do, nor to tell the owner: doubts that follow each
    /// other are gathered for some seconds.
    pub(super) async fn wait_until_quiet(&self, most: Duration) {
        let ends = Instant::now() + most;
        let mut quiet = 0;
        // Looked at again a while later: what was just read may make something due.
        while quiet < 8 {
            assert!(Instant::now() < ends, "{}", self.unfinished());
            tokio::time::sleep(Duration::from_millis(500)).await;
            let open = self.count(
                "SELECT (SELECT count(*) FROM settling)
                      + (SELECT count(*) FROM booking_notifications WHERE status IN ('pending', 'sending'))
                      + (SELECT count(*) FROM booking_notifications n
                          WHERE status = 'uncertain' AND (phone <> '' OR kind = 'reply')
                            AND NOT EXISTS (SELECT 1 FROM alerts WHERE cause = 'uncertain:' || n.id))",
            );
            let unread = self.green.undeleted() + self.telegram.unconfirmed();
            quiet = if open == 0 && unread == 0 {
                quiet + 1
            } else {
                0
            };
        }
    }

    fn unfinished(&self) -> String {
        let sql = self.sql();
        let mut query = sql
            .prepare(
                "SELECT id || ' ' || kind || ' ' || channel || ' ' || status || ' ' || due_at || ' '
                        || coalesce(look_at, '') || ' ' || coalesce(last_error, '')
                   FROM booking_notifications WHERE status IN ('pending', 'sending') LIMIT 20",
            )
            .unwrap();
        let rows = query.query_map([], |r| r.get::<_, String>(0)).unwrap();
        let rows: Vec<String> = rows.map(Result::unwrap).collect();
        format!(
            "never quiet: {rows:?}, unread {} {}",
            self.green.undeleted(),
            self.telegram.unconfirmed()
        )
    }

    pub(super) async fn stop(&self, daemon: &mut Child) {
        let id = daemon.id().to_string();
        let told = Command::new("kill").args(["-s", "TERM", &id]).status();
        assert!(told.unwrap().success());
        let ends = Instant::now() + Duration::from_secs(15);
        while daemon.try_wait().unwrap().is_none() {
            assert!(Instant::now() < ends, "the program did not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
