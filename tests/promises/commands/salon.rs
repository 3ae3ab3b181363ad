//! A salon to which everything happens that can happen to one, within a day that ends just now: every
//! command has something to say of it.

use std::process::{Command, Output, Stdio};

use booking_monitor::demo::salon::{BookingDraft, Fault, Route};
use booking_monitor::domain::zone::Zone;
use booking_monitor::ports::{Clock as _, SystemClock};
use booking_monitor::store;
use chrono::{
    DateTime, Datelike as _, DurationRound as _, FixedOffset, NaiveDateTime, TimeDelta,
    Timelike as _, Utc,
};
use serde_json::json;

use crate::support::dialogue;
use crate::support::fake::Answer;
use crate::support::program::{Daemon, stdout};
use crate::support::receiver::Receiver;
use crate::support::world::{SALON, World, haircut};

/// The other branch; nothing ever happens there.
pub(crate) const BRANCH: i64 = 222_222;
/// The master whom the robot loses sight of.
const HIDDEN: i64 = 6;
/// The column that is no bookings.
const LIST: i64 = 99;
/// A name that no command may log.
pub(crate) const NAME: &str = "Серафима";

/// Where the owner reads copies: on WhatsApp, which takes many at once.
pub(crate) const OWNER_PHONE: &str = "+79000000099";

/// Bookings by what became of them.
pub(crate) struct Fates {
    pub(crate) told: i64,
    pub(crate) old_and_moved: i64,
    pub(crate) old: i64,
    pub(crate) by_bot: i64,
    pub(crate) no_phone: i64,
    pub(crate) bad_phone: i64,
    pub(crate) visit: i64,
    pub(crate) visit_too: i64,
    pub(crate) there_and_back: i64,
    pub(crate) opted_out: i64,
    pub(crate) called_off: i64,
    pub(crate) ignored: i64,
    pub(crate) uncertain: i64,
    pub(crate) dead: i64,
    pub(crate) quiet: i64,
    pub(crate) held: i64,
    pub(crate) hidden: i64,
    pub(crate) reminded: i64,
    pub(crate) no_reminder: i64,
    pub(crate) waiting: i64,
    pub(crate) lost: i64,
}

/// The world after its day, and what was booked in it.
pub(crate) struct FaultySalon {
    pub(crate) world: World,
    pub(crate) fates: Fates,
    pub(crate) zone: Zone,
    /// Where the events of the salon should have gone.
    _receiver: Receiver,
}

/// A zone in which it is noon at that moment, so that the day is the same whenever the test is run.
fn noon_at(moment: DateTime<Utc>) -> Zone {
    let ahead = 12 - i64::from(moment.hour());
    // The sign of these zones is that of the hours behind.
    format!("Etc/GMT{:+}", -ahead).parse().unwrap()
}

fn phone(n: u32) -> String {
    format!("+790000000{n:02}")
}

impl FaultySalon {
    pub(crate) async fn new() -> Self {
        let hour = SystemClock.now().duration_trunc(TimeDelta::hours(1));
        let start = hour.unwrap() - TimeDelta::hours(20);
        let zone = noon_at(start);
        let receiver = Receiver::start().await;
        receiver.answer(502);
        let monitor = format!("ignore = {{ staff = [{LIST}] }}\nquiet_hours = \"22:00-23:00\"\n");
        let rest = format!(
            r#"
            owner = [
                {{ channel = "telegram", to = "500", events = [], alerts = false }},
                {{ channel = "whatsapp", to = "{OWNER_PHONE}" }},
            ]
            replies = {{ write = true, cancel = "self" }}
            notify = {{ reminders = ["24h"] }}
            [[companies]]
            id = {BRANCH}
            channels = ["whatsapp"]
            [channels.desk]
            type = "console"
            [[events]]
            to = "http"
            url = "{}"
            [[events]]
            to = "jsonl"
            path = "events.jsonl"
            "#,
            receiver.url
        );
        let world = World::beginning(start, zone, &monitor, &rest).await;
        let noon = start.with_timezone(&zone).naive_local();
        world
            .salon
            .add_company(BRANCH, "Удельная", "Удельная, Зелёный переулок, 1", zone);
        let mut day = Day { world, zone, noon };
        let fates = day.pass().await;
        let Day { world, .. } = day;
        // What is left of the day until now.
        let now = SystemClock.now();
        let left = now - world.clock.now() - TimeDelta::minutes(2);
        world.clock.advance(left.to_std().unwrap());
        world.poll().await;
        world.poll_of(BRANCH).await;
        world.turn().await;
        world.hand_on().await;
        // The last thing that happens: the messenger has enough of us.
        world.green.answer_next(Answer::http(401, "Unauthorized"));
        let start = (noon + TimeDelta::days(4))
            .format("%Y-%m-%dT%H:%M:%S")
            .to_string();
        let waiting = world.salon.book(haircut(&start).client(NAME, &phone(15)));
        world.tell().await;
        let fates = Fates { waiting, ..fates };
        Self {
            world,
            fates,
            zone,
            _receiver: receiver,
        }
    }
}

impl FaultySalon {
    /// Runs the program on it, in an environment that could mislead it: another zone, no terminal.
    pub(crate) async fn run(&self, call: &[String]) -> Output {
        let mut command = self.command(call);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    pub(crate) fn command(&self, call: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_booking-monitor"));
        command
            .arg("--config")
            .arg(self.world.folder.path().join("booking-monitor.toml"))
            .args(call)
            .env_clear()
            .env("TZ", "Asia/Kathmandu")
            .env("TERM", "xterm-256color")
            .stdin(Stdio::null());
        command
    }

    /// The pipeline ends, so that the database is free.
    pub(crate) async fn leave(&mut self) {
        let open = self.world.pipeline().store().clone();
        self.world.stop();
        open.close().await.unwrap();
    }

    /// A daemon on it that has read the journal already.
    pub(crate) async fn daemon(&self) -> Daemon {
        let mut command = self.command(&["run".to_owned()]);
        let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
        let before = self.world.salon.asked(Route::Records);
        let daemon = Daemon::of(command.spawn().unwrap());
        // Bounded by the patience of whoever runs the test.
        while self.world.salon.asked(Route::Records) == before {
            tokio::task::yield_now().await;
        }
        daemon
    }

    /// `log` tells times by the salon's clock, wherever the machine stands.
    pub(crate) async fn wrong_clocks(&self) -> Option<String> {
        let log = ["log", "--limit", "500"].map(str::to_owned);
        let log = stdout(&self.run(&log).await);
        let rows = "SELECT created_at FROM booking_notifications ORDER BY id";
        let missing = self.world.rows(rows).into_iter().find(|at| {
            let at: DateTime<Utc> = at.parse().unwrap();
            let local = at.with_timezone(&self.zone);
            !log.contains(&local.format("%d.%m %H:%M:%S").to_string())
        });
        missing.map(|at| format!("{at} is not in\n{log}"))
    }

    /// The day of the month for which the journal has this booking, as a message says it.
    pub(crate) fn day_of(&self, record: i64) -> String {
        let row = self.world.salon.row(SALON, record).unwrap();
        let start: DateTime<FixedOffset> = row["datetime"].as_str().unwrap().parse().unwrap();
        format!("📅 {} ", start.day())
    }

    /// The number of the last message to the client of a booking.
    pub(crate) fn number_of(&self, record: i64) -> i64 {
        let sql = "SELECT max(id) FROM booking_notifications WHERE record_id = ?1 AND phone <> ''";
        self.world
            .sql()
            .query_row(sql, [record], |r| r.get(0))
            .unwrap()
    }
}

/// What is done in it, in order.
struct Day {
    world: World,
    zone: Zone,
    noon: NaiveDateTime,
}

impl Day {
    /// A haircut so many days and hours after the first noon, for a client with this number.
    fn draft(&self, days: i64, hours: i64, client: u32) -> BookingDraft {
        let start = self.noon + TimeDelta::days(days) + TimeDelta::hours(hours);
        haircut(&start.format("%Y-%m-%dT%H:%M:%S").to_string()).client(NAME, &phone(client))
    }

    fn book(&self, draft: BookingDraft) -> i64 {
        self.world.salon.book(draft)
    }

    fn move_to(&self, record: i64, days: i64, hours: i64) {
        let start = self.noon + TimeDelta::days(days) + TimeDelta::hours(hours);
        self.world.salon.reschedule(SALON, record, start);
    }

    /// Turns as a daemon would have them, until so many hours after the first noon.
    async fn until(&self, hours: i64) {
        let then = self.noon + TimeDelta::hours(hours);
        loop {
            let now = self.world.clock.now().with_timezone(&self.zone);
            let left = then - now.naive_local();
            if left <= TimeDelta::zero() {
                break;
            }
            let step = left.min(TimeDelta::minutes(16));
            self.world.clock.advance(step.to_std().unwrap());
            self.turn().await;
        }
    }

    async fn turn(&self) {
        self.world.poll().await;
        self.world.poll_of(BRANCH).await;
        self.world.turn().await;
        self.world.hand_on().await;
    }

    async fn pass(&mut self) -> Fates {
        let old_and_moved = self.book(self.draft(3, 2, 31));
        let old = self.book(self.draft(3, 4, 32));
        let reminded = self.book(self.draft(1, 6, 33));
        let hidden = self.book(self.draft(4, 3, 34).staff(HIDDEN, "Тимур"));
        let many: Vec<i64> = (0..8)
            .map(|n| self.book(self.draft(5, i64::from(n) - 3, 40 + n)))
            .collect();
        let elsewhere = BookingDraft {
            company: BRANCH,
            ..self.draft(2, 2, 39)
        };
        self.book(elsewhere);
        self.turn().await;
        let lost = self.lost_in_a_restore().await;

        let told = self.book(self.draft(2, 2, 1));
        self.world.tell().await;
        self.heard_back(1, &["delivered", "read"]).await;

        let by_bot = self.book(self.draft(2, 3, 2).comment("AI Admin"));
        let no_phone = self.book(self.draft(2, 4, 3).client("Олег", ""));
        let bad_phone = self.book(self.draft(2, 5, 4).client("Инна", "8 900 12"));
        let ignored = self.book(self.draft(2, 2, 9).staff(LIST, "Лист ожидания"));
        let visit = self.book(self.draft(3, 0, 5));
        let id = self.world.salon.row(SALON, visit).unwrap()["visit_id"].as_i64();
        let with = self.draft(3, 1, 5).service(46, "УКЛАДКА", 800, 0);
        let visit_too = self.book(with.staff(7, "Анна").visit(id.unwrap()));
        let there_and_back = self.book(self.draft(2, 6, 6));
        let opted_out = self.book(self.draft(2, 7, 7));
        let called_off = self.book(self.draft(2, 8, 8));
        let no_reminder = self.book(self.draft(1, 1, 10));
        self.world.tell().await;

        self.until(1).await;
        dialogue::say(&self.world, &phone(7), "стоп").await;
        dialogue::say(&self.world, &phone(8), "отмена").await;
        dialogue::say(&self.world, &phone(1), "А можно на час позже?").await;
        self.move_to(there_and_back, 2, 9);
        self.move_to(old_and_moved, 3, 5);
        self.move_to(opted_out, 2, 5);
        self.world.poll().await;
        self.world.advance("10s");
        self.move_to(there_and_back, 2, 6);
        self.world.tell().await;

        self.world.shut_the_journal();
        self.world.green.answer_next(Answer::Drop { taken: true });
        let uncertain = self.book(self.draft(2, 1, 11));
        self.world.tell().await;
        self.world.give_up_searching().await;
        let dead = self.book(self.draft(2, 0, 12));
        self.world.tell().await;
        self.heard_back(12, &["noAccount"]).await;
        self.world.turn().await;
        self.faults().await;

        self.until(4).await;
        for record in &many {
            self.world.salon.cancel(SALON, *record);
        }
        self.world.tell().await;
        self.until(5).await;
        self.world.salon.hide_staff(SALON, HIDDEN);
        self.until(10).await;
        self.world.advance("5m");
        let quiet = self.book(self.draft(3, -1, 13));
        self.world.tell().await;
        self.until(12).await;
        let slot = BookingDraft {
            client: None,
            ..self.draft(6, 0, 14)
        };
        let unreadable = self.book(slot);
        let spoil = |row: &mut serde_json::Value| {
            row["date"] = json!("когда-нибудь");
            row["datetime"] = json!("когда-нибудь");
        };
        self.world.salon.edit(SALON, unreadable, spoil);
        Fates {
            told,
            old_and_moved,
            old,
            by_bot,
            no_phone,
            bad_phone,
            visit,
            visit_too,
            there_and_back,
            opted_out,
            called_off,
            ignored,
            uncertain,
            dead,
            quiet,
            held: many[0],
            hidden,
            reminded,
            no_reminder,
            waiting: 0,
            lost,
        }
    }

    /// The messenger says what became of the last message to this client.
    async fn heard_back(&self, client: u32, statuses: &[&str]) {
        let chat = format!("{}@c.us", phone(client).trim_start_matches('+'));
        let sent = self.world.green.sent();
        let last = sent.iter().rfind(|s| s.chat == chat).unwrap();
        for status in statuses {
            self.world.green.push_status(&last.id, status);
            self.world.receive().await;
            self.world.advance("1m");
        }
    }

    /// A booking that a backup, put in force after it, knows nothing of.
    async fn lost_in_a_restore(&mut self) -> i64 {
        let copy = self.world.folder.path().join("copy.db");
        store::backup(&self.world.database(), &copy).unwrap();
        let lost = self.book(self.draft(2, 10, 16));
        self.world.tell().await;
        let open = self.world.pipeline().store().clone();
        self.world.stop();
        open.close().await.unwrap();
        store::restore(&self.world.database(), &copy).unwrap();
        self.world.start().await;
        self.turn().await;
        lost
    }

    /// Everything that can be wrong with an answer, and none of it means anything.
    async fn faults(&self) {
        for fault in [
            Fault::Empty200,
            Fault::Html,
            Fault::Truncated,
            Fault::NullRow,
            Fault::Disconnect,
            Fault::SuccessFalse("Ошибка".to_owned()),
            Fault::Status(502, "Bad Gateway".to_owned()),
        ] {
            self.world.salon.fail_next(Route::Records, 1, fault);
            self.world.advance("16m");
            self.world.poll_of(SALON).await;
            self.world.turn().await;
        }
        // What is left of them in the queue goes wrong too, and then it is over.
        while self.world.poll_of(SALON).await.error.is_some() {
            self.world.advance("1m");
        }
        self.turn().await;
    }
}
