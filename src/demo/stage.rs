//! From a deed in the journal to what came of it: does it, waits until the program has seen it,
//! skips the delay, and reads from the database what was decided.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime};
use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::clock::TimeLapse;
use super::phones::Typed;
use super::salon::Salon;
use super::script::{ADDRESS, Regulars, TITLE};
use super::show::{Mark, Show};
use crate::domain::delivery::Status;
use crate::domain::message::owner::Voice;
use crate::domain::message::{Language, Markup, moment};
use crate::domain::phone::Phone;
use crate::domain::policy::{Pace, Reason};
use crate::pipeline::Pipeline;
use crate::ports::{Clock as _, Outgoing};
use crate::store::outbox::{self, Notification};
use crate::store::{self, StoreError, cache, companies, story};

/// How often the database is asked whether what is waited for has come.
const TICK: Duration = Duration::from_millis(15);
/// So often a bit of time is skipped for one answer: a slow machine is waited for as it is.
const MOST_SKIPS: u32 = 60;
/// People are given time to read only as long as this leaves enough for the rest.
const READING_ENDS: Duration = Duration::from_secs(21);

/// What ends a demonstration before its end.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing can be written any more; a closed pipe is no fault.
    #[error("cannot write")]
    Output(#[from] std::io::Error),
}

/// What functions of this room return.
pub type Result<T> = std::result::Result<T, StageError>;

/// Who takes part.
pub struct Cast {
    /// The company's id.
    pub company: i64,
    /// The salon's day, when it all began.
    pub today: NaiveDate,
    /// Who was booked already.
    pub regulars: Regulars,
    /// Its delays.
    pub pace: Pace,
    /// The salon.
    pub salon: Salon,
    /// The program.
    pub pipeline: Arc<Pipeline>,
    /// The clock that both go by.
    pub clock: Arc<TimeLapse>,
    /// What arrives on clients' phones.
    pub phones: mpsc::UnboundedReceiver<Outgoing>,
    /// What clients type.
    pub typed: Typed,
    /// Where it is shown.
    pub show: Show,
    /// Nobody reads along.
    pub fast: bool,
}

/// What came of it all.
#[derive(Default)]
struct Tally {
    /// Events by record.
    events: BTreeMap<i64, usize>,
    sent: usize,
    silent: BTreeMap<&'static str, usize>,
}

/// A demonstration under way.
pub struct Stage {
    cast: Cast,
    tally: Tally,
    started: Instant,
    /// Messages typed so far.
    said: u32,
}

impl Stage {
    /// Everybody in place.
    #[must_use]
    pub fn new(cast: Cast) -> Self {
        Self {
            cast,
            tally: Tally::default(),
            started: Instant::now(),
            said: 0,
        }
    }

    /// The company's id.
    #[must_use]
    pub fn company(&self) -> i64 {
        self.cast.company
    }

    /// The salon's day.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.cast.today
    }

    /// Who was booked already.
    #[must_use]
    pub fn regulars(&self) -> Regulars {
        self.cast.regulars
    }

    /// `22 ноября в 14:30`, with the year when it is another one.
    #[must_use]
    pub fn when(&self, at: NaiveDateTime) -> String {
        moment(Language::Ru, at, self.today())
    }

    /// Says what there is to see.
    pub async fn opening(&mut self) -> Result<()> {
        let delay = self.cast.pace.notification_delay.as_secs();
        let notes = [
            "Салон выдуман; опрос журнала, база и отправка настоящие.",
            &format!(
                "Программа ждёт {delay} секунд тишины после правки; здесь ожидание пропускается."
            ),
        ];
        self.cast.show.opening(TITLE, ADDRESS, &notes)?;
        self.rest(1200).await;
        Ok(())
    }

    /// A scene begins.
    pub async fn scene(&mut self, title: &str) -> Result<()> {
        self.cast.show.scene(title)?;
        self.rest(350).await;
        Ok(())
    }

    /// The program meets a salon that has been at work for long. Returns when it has.
    pub async fn first_look(&mut self, line: &str, because: &str) -> Result<()> {
        let company = self.cast.company;
        let now = self.cast.clock.now();
        let met = self
            .until(move |conn| {
                let row = companies::get(conn, company)?;
                match row.and_then(|r| r.baseline_at) {
                    Some(_) => cache::count_ahead(conn, company, now).map(Some),
                    None => Ok(None),
                }
            })
            .await?;
        self.cast.show.journal(Mark::New, line)?;
        self.rest(400).await;
        let reason = words(Some(Reason::Baseline));
        self.cast.show.silence(reason, because)?;
        let count = usize::try_from(met).unwrap_or(0);
        *self.tally.silent.entry(reason).or_default() += count;
        self.rest(1000).await;
        Ok(())
    }

    /// Somebody does something in the journal; goes on when the program has seen it. `act` returns
    /// the record it was done to.
    pub async fn act(
        &mut self,
        mark: Mark,
        line: &str,
        act: impl FnOnce(&Salon) -> i64,
    ) -> Result<i64> {
        let record = act(&self.cast.salon);
        let company = self.cast.company;
        let seen = self.tally.events.get(&record).copied().unwrap_or(0);
        self.until(move |conn| {
            let stories = story::of_record(conn, Some(company), record)?;
            Ok(stories
                .first()
                .filter(|s| s.events.len() > seen)
                .map(|_| ()))
        })
        .await?;
        self.tally.events.insert(record, seen + 1);
        self.cast.show.journal(mark, line)?;
        self.rest(300).await;
        Ok(record)
    }

    /// The same for what only a comparison of the whole journal brings to light.
    pub async fn act_unseen(
        &mut self,
        mark: Mark,
        line: &str,
        act: impl FnOnce(&Salon) -> i64,
    ) -> Result<i64> {
        let (clock, span) = (Arc::clone(&self.cast.clock), self.cast.pace.sweep_interval);
        self.act(mark, line, |salon| {
            let record = act(salon);
            clock.skip(span);
            record
        })
        .await
    }

    /// The delay passes, and the client reads something or does not. `because` explains a silence.
    pub async fn outcome(&mut self, record: i64, because: &str) -> Result<()> {
        let company = self.cast.company;
        let before = self.told(record).await?.len();
        self.rest(350).await;
        self.cast.clock.skip(self.cast.pace.notification_delay);
        let decided = self
            .until(move |conn| {
                let told = told(conn, company, record)?;
                let news = told.get(before..).and_then(<[_]>::last);
                Ok(news.filter(|n| is_final(n.status)).cloned())
            })
            .await?;
        if decided.status == Status::Suppressed {
            let reason = words(decided.reason);
            *self.tally.silent.entry(reason).or_default() += 1;
            self.cast.show.silence(reason, because)?;
        } else if let Some(message) = self.cast.phones.recv().await {
            self.tally.sent += 1;
            let phone = Phone::from_stored(message.to).masked();
            self.cast.show.message(&phone, &message.text)?;
        }
        self.rest(1000).await;
        Ok(())
    }

    /// A client writes, and reads an answer.
    pub async fn exchange(&mut self, name: &str, phone: &str, text: &str) -> Result<()> {
        self.cast.show.said(name, text)?;
        self.rest(700).await;
        self.said += 1;
        let of = Phone::from_stored(phone.to_owned());
        let at = self.cast.clock.now();
        self.cast.typed.say(self.said, &of, text, at);
        for tick in 0_u32.. {
            // Whoever answers lets a few seconds pass: those are skipped, a bit at a time.
            if tick < MOST_SKIPS {
                self.cast.clock.skip(Duration::from_millis(700));
            }
            self.cast.pipeline.bell.notify_waiters();
            tokio::select! {
                Some(message) = self.cast.phones.recv() => {
                    self.tally.sent += 1;
                    let phone = Phone::from_stored(message.to).masked();
                    self.cast.show.message(&phone, &message.text)?;
                    break;
                }
                () = sleep(TICK) => {}
            }
        }
        // What the client reads the program has yet to write down: words that came before that would
        // answer nothing.
        self.until(|conn| Ok(outbox::interrupted(conn)?.is_empty().then_some(())))
            .await?;
        self.rest(900).await;
        Ok(())
    }

    /// The figures and the way on. `note` is a last word about this run.
    pub fn closing(&mut self, note: Option<&str>) -> Result<()> {
        let tally = &self.tally;
        let mut figures = vec![
            (false, "Событий в журнале", tally.events.values().sum()),
            (false, "Сообщений клиентам", tally.sent),
            (false, "Не сообщили", tally.silent.values().sum()),
        ];
        figures.extend(tally.silent.iter().map(|(why, n)| (true, *why, *n)));
        let asked = self.cast.salon.requests().len();
        figures.push((false, "Запросов к API", asked));
        self.cast.show.figures("Итого", &figures)?;
        let mut lines: Vec<String> = note.map(str::to_owned).into_iter().collect();
        lines.extend([
            "Дальше: booking-monitor init спросит о вашем салоне, напишет настройки".into(),
            "и проверит их.".into(),
        ]);
        self.cast.show.closing(&lines)?;
        Ok(())
    }

    async fn told(&self, record: i64) -> store::Result<Vec<Notification>> {
        let company = self.cast.company;
        let store = self.cast.pipeline.store();
        store.read(move |conn| told(conn, company, record)).await
    }

    /// Waits until the database shows what is looked for.
    async fn until<T, F>(&self, look: F) -> store::Result<T>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> store::Result<Option<T>> + Clone + Send + 'static,
    {
        loop {
            if let Some(found) = self.cast.pipeline.store().read(look.clone()).await? {
                return Ok(found);
            }
            // The loops sleep by the machine's clock and cannot know that ours was moved on.
            self.cast.pipeline.bell.notify_waiters();
            sleep(TICK).await;
        }
    }

    /// Leaves people time to read.
    async fn rest(&self, milliseconds: u64) {
        if !self.cast.fast && self.started.elapsed() < READING_ENDS {
            sleep(Duration::from_millis(milliseconds)).await;
        }
    }
}

fn told(conn: &Connection, company: i64, record: i64) -> store::Result<Vec<Notification>> {
    let stories = story::of_record(conn, Some(company), record)?;
    let told = stories.into_iter().flat_map(|s| s.told);
    Ok(told.map(|t| t.notification).collect())
}

/// Sent or passed over; whatever else is still on its way there.
fn is_final(status: Status) -> bool {
    match status {
        Status::Sent | Status::Delivered | Status::Read | Status::Suppressed => true,
        Status::Pending
        | Status::Held
        | Status::Sending
        | Status::Uncertain
        | Status::Failed
        | Status::Dead => false,
    }
}

/// A reason as the owner would read it.
fn words(reason: Option<Reason>) -> &'static str {
    let voice = Voice {
        language: Language::Ru,
        markup: Markup::Plain,
        today: NaiveDate::default(),
    };
    voice.reason(reason.map_or("", Reason::as_str))
}
