//! Limits, read off the log of what left. Time is tokio's own, held by the test, so that an hour of
//! pacing takes no time and no millisecond of it is the machine's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use booking_monitor::config;
use booking_monitor::domain::delivery::Outcome;
use booking_monitor::pipeline::{ChannelEnd, Pipeline};
use booking_monitor::ports::{
    Addressing, ApiError, BookingApi, Channel, Clock, CompanyInfo, CompanyRef, Lookup, Markup,
    Outgoing, Page, Query,
};
use booking_monitor::store::outbox::{self, New};
use booking_monitor::store::{self, Store, channels};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, sleep};

/// The machine's time goes with tokio's, but for the steps a person makes.
struct Wall {
    began: Instant,
    at: Mutex<DateTime<Utc>>,
}

impl Clock for Wall {
    fn now(&self) -> DateTime<Utc> {
        *self.at.lock().unwrap() + TimeDelta::from_std(self.began.elapsed()).unwrap()
    }
}

/// No salon is watched here.
struct NoApi;

fn nothing<T>() -> Result<T, ApiError> {
    Err(ApiError::Unavailable("nothing is there".into()))
}

#[async_trait]
impl BookingApi for NoApi {
    async fn page(&self, _: &CompanyRef, _: &Query, _: u32) -> Result<Page, ApiError> {
        nothing()
    }

    async fn record(&self, _: &CompanyRef, _: i64) -> Result<Lookup, ApiError> {
        nothing()
    }

    async fn company(&self, _: i64) -> Result<CompanyInfo, ApiError> {
        nothing()
    }

    fn page_size(&self) -> u32 {
        200
    }
}

/// A messenger that writes down when each message came and when it answered.
struct Log {
    addressing: Addressing,
    personal: bool,
    came: Mutex<Vec<(Instant, String)>>,
    answered: Mutex<Vec<(Instant, Outcome)>>,
    script: Mutex<VecDeque<Outcome>>,
}

#[async_trait]
impl Channel for Log {
    fn markup(&self) -> Markup {
        Markup::Plain
    }

    fn addressing(&self) -> Addressing {
        self.addressing
    }

    fn hears_replies(&self) -> bool {
        false
    }

    fn is_personal(&self) -> bool {
        self.personal
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let number = {
            let mut came = self.came.lock().unwrap();
            came.push((Instant::now(), message.to.clone()));
            came.len() as u64
        };
        // Answers take their time, some longer than it takes until the next message.
        sleep(Duration::from_millis(number * 337 % 3000)).await;
        let next = self.script.lock().unwrap().pop_front();
        let outcome = next.unwrap_or(Outcome::Accepted { id: None });
        let mut answered = self.answered.lock().unwrap();
        answered.push((Instant::now(), outcome.clone()));
        outcome
    }

    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }
}

struct Bench {
    _keeper: store::Keeper,
    wall: Arc<Wall>,
    log: Arc<Log>,
    pipeline: Pipeline,
}

const NAME: &str = "channel";

impl Bench {
    async fn new(addressing: Addressing, personal: bool, per_second: f64) -> Self {
        let keeper = store::Keeper::new().unwrap();
        let store = Store::in_memory(&keeper).unwrap();
        store
            .write(|tx| channels::ensure(tx, NAME, "test"))
            .await
            .unwrap();
        let log = Arc::new(Log {
            addressing,
            personal,
            came: Mutex::default(),
            answered: Mutex::default(),
            script: Mutex::default(),
        });
        let wall = Arc::new(Wall {
            began: Instant::now(),
            at: Mutex::new("2026-08-20T09:00:00Z".parse().unwrap()),
        });
        let end = ChannelEnd::new(
            NAME.into(),
            "test",
            Arc::clone(&log) as _,
            None,
            Some(per_second),
        );
        let alerts = config::Alerts {
            after: Duration::from_mins(10),
            heartbeat_url: None,
            mask_phones: false,
            digest: None,
        };
        let (clock, api) = (Arc::clone(&wall) as _, Arc::new(NoApi));
        let pipeline = Pipeline::new(store, clock, api, Vec::new(), vec![end], alerts);
        Self {
            _keeper: keeper,
            wall,
            log,
            pipeline,
        }
    }

    /// Messages to these people, due now.
    async fn write_to(&self, people: impl IntoIterator<Item = String>) {
        let (people, now) = (people.into_iter().collect::<Vec<_>>(), self.wall.now());
        self.pipeline
            .store()
            .write(move |tx| {
                for to in people {
                    let new = New {
                        recipient: &to,
                        channel: NAME,
                        message: "текст",
                        ..New::note("alert", now)
                    };
                    outbox::add(tx, &new, now)?;
                }
                Ok(())
            })
            .await
            .unwrap();
    }

    /// The channel's loop, for so long.
    async fn run(&self, span: Duration) {
        let end = &self.pipeline.channels()[NAME];
        let until = Instant::now() + span;
        while Instant::now() < until {
            self.pipeline.settle_due(self.wall.now()).await.unwrap();
            self.pipeline.deliver_due(end).await.unwrap();
            sleep(Duration::from_millis(500)).await;
        }
    }

    fn came(&self) -> Vec<(Instant, String)> {
        self.log.came.lock().unwrap().clone()
    }

    async fn count(&self, status: &'static str) -> i64 {
        let count = self.pipeline.store().read(move |conn| {
            let sql = "SELECT count(*) FROM booking_notifications WHERE status = ?1";
            Ok(conn.query_row(sql, [status], |r| r.get(0))?)
        });
        count.await.unwrap()
    }

    /// No `burst` + 1 messages came within less time than `burst` of them may.
    fn assert_paced(&self, per_second: f64) {
        let came = self.came();
        let shortest = Duration::from_secs_f64(1.0 / per_second);
        for pair in came.windows(2) {
            let apart = pair[1].0 - pair[0].0;
            assert!(
                apart >= shortest,
                "{apart:?} apart, the limit is {shortest:?}"
            );
        }
    }
}

fn people(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("+7900000{n:04}"))
}

#[tokio::test(start_paused = true)]
async fn a_persons_account_never_writes_faster_than_it_may() {
    let bench = Bench::new(Addressing::Phone, true, 1.0).await;
    bench.write_to(people(60)).await;
    bench.run(Duration::from_mins(3)).await;
    assert_eq!(bench.count("sent").await, 60);
    bench.assert_paced(1.0);
}

#[tokio::test(start_paused = true)]
async fn a_bot_keeps_its_limit_in_all_and_in_each_chat() {
    let bench = Bench::new(Addressing::Chat, false, 25.0).await;
    let talkative = (0..10).flat_map(|_| ["1".to_owned(), "2".to_owned()]);
    let others = (100..400).map(|n| n.to_string());
    bench.write_to(talkative.chain(others)).await;
    bench.run(Duration::from_mins(2)).await;
    assert_eq!(bench.count("sent").await, 320);
    bench.assert_paced(25.0);
    let mut chats: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    for (at, chat) in bench.came() {
        chats.entry(chat).or_default().push(at);
    }
    for (chat, times) in chats {
        for (i, from) in times.iter().enumerate() {
            // A burst of three, then one a second.
            for (n, to) in times[i..].iter().enumerate() {
                let most = 3 + (*to - *from).as_secs() as usize;
                assert!(
                    n < most,
                    "chat {chat}: {} messages in {:?}",
                    n + 1,
                    *to - *from
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stated_pause_is_kept_in_full_by_the_whole_channel() {
    let bench = Bench::new(Addressing::Phone, true, 2.0).await;
    let throttled = Outcome::Throttled {
        after: Some(Duration::from_secs(90)),
        why: "HTTP 429".into(),
    };
    let taken = Outcome::Accepted { id: None };
    let script = [taken.clone(), taken.clone(), throttled, taken];
    bench.log.script.lock().unwrap().extend(script);
    bench.write_to(people(30)).await;
    bench.run(Duration::from_mins(5)).await;
    assert_eq!(bench.count("sent").await, 30);
    let answered = bench.log.answered.lock().unwrap().clone();
    let refused = answered.iter().find(|(_, o)| o.as_str() == "retry_after");
    let said = refused.unwrap().0;
    let broken: Vec<Duration> = bench
        .came()
        .iter()
        .filter(|(at, _)| *at > said && *at < said + Duration::from_secs(90))
        .map(|(at, _)| *at - said)
        .collect();
    assert_eq!(broken, Vec::<Duration>::new(), "sent during the pause");
    bench.assert_paced(2.0);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_goes_down_gets_nothing_more_of_what_stood_in_line() {
    let bench = Bench::new(Addressing::Phone, true, 1.0).await;
    let down = Outcome::ChannelDown {
        why: "the account is notAuthorized".into(),
    };
    bench.log.script.lock().unwrap().push_back(down);
    bench.write_to(people(8)).await;
    let end = &bench.pipeline.channels()[NAME];
    bench.pipeline.deliver_due(end).await.unwrap();
    // The first answer takes a third of a second; the second message stood behind it for one.
    let (said, _) = bench.log.answered.lock().unwrap()[0].clone();
    let asked_again = said + Duration::from_secs(8);
    let early = bench.came().into_iter().filter(|(at, _)| *at < asked_again);
    assert_eq!(early.count(), 1);
    bench.run(Duration::from_mins(1)).await;
    assert_eq!(bench.count("sent").await, 8);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_makes_no_burst() {
    for step in [TimeDelta::hours(-1), TimeDelta::days(1)] {
        let bench = Bench::new(Addressing::Phone, true, 2.0).await;
        bench.write_to(people(20)).await;
        bench.run(Duration::from_secs(3)).await;
        *bench.wall.at.lock().unwrap() += step;
        bench.run(Duration::from_mins(1)).await;
        bench
            .write_to((20..40).map(|n| format!("+7900000{n:04}")))
            .await;
        bench.run(Duration::from_mins(2)).await;
        let lost = bench.count("pending").await + bench.count("dead").await;
        assert_eq!((bench.count("sent").await, lost), (40, 0), "{step}");
        assert_eq!(bench.came().len(), 40, "nothing twice");
        bench.assert_paced(2.0);
    }
}
