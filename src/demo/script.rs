//! The salon and its day: who is booked, who calls, what the administrator does about it.
//!
//! Days count from today, because nobody is told of the past. People and phones are invented.

use std::time::Duration;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::clock::TimeLapse;
use super::salon::{BookingDraft, DraftService, Salon};
use super::show::Mark::{Changed, Gone, New};
use super::stage::{Result, Stage};
use crate::config;
use crate::domain::message::Language;
use crate::domain::policy::{Pace, Rules};
use crate::domain::reply::{CancelBy, Replies};
use crate::domain::zone::Zone;

/// The salon's name.
pub const TITLE: &str = "Барбершоп на Южной";
/// Where it is.
pub const ADDRESS: &str = "Малаховка, Южная улица, 38";
/// The channel that its clients read.
pub const CHANNEL: &str = "whatsapp";
/// The first id a demonstration uses, far above those of real companies: a database that holds
/// smaller ones is somebody's own.
pub const FIRST_COMPANY: i64 = 900_000_001;

const BARI: (i64, &str) = (2_400_001, "Бари");
const TIMUR: (i64, &str) = (2_400_002, "Тимур");
const HAIRCUT: &str = "МУЖСКАЯ СТРИЖКА";
const BEARD: &str = "МОДЕЛИРОВАНИЕ БОРОДЫ";

/// Set back by more than the whole script skips.
#[must_use]
pub fn clock() -> TimeLapse {
    TimeLapse::behind(Duration::from_mins(30))
}

/// The salon as booking-monitor.toml would describe it. All delays are the defaults but the
/// interval, which runs by the machine's clock and so cannot be skipped.
#[must_use]
pub fn company(id: i64, interval: Duration) -> config::Company {
    config::Company {
        id,
        title: None,
        address: None,
        phone: None,
        timezone: None,
        country: "RU".into(),
        language: Language::Ru,
        channels: vec![CHANNEL.into()],
        owners: Vec::new(),
        pace: Pace {
            interval,
            ..Pace::default()
        },
        schedule: None,
        quiet_hours: None,
        rules: Rules::default(),
        booking_link: None,
        offer_times: 0,
        user_token: None,
        review_link: None,
        templates: Vec::new(),
        replies: Replies {
            write: true,
            cancel: CancelBy::Program,
            ..Replies::default()
        },
        agent: config::Agent {
            enabled: true,
            ..config::Agent::default()
        },
    }
}

/// Records of clients who were booked before anybody watched.
#[derive(Clone, Copy, Debug)]
pub struct Regulars {
    oleg: i64,
    maria: i64,
    igor: i64,
    vera: i64,
}

/// How many of them there are.
const REGULARS: u32 = 12;

/// Fills the journal with what was booked in the days before.
#[must_use]
pub fn open_salon(salon: &Salon, id: i64, today: NaiveDate) -> Regulars {
    salon.add_company(id, TITLE, ADDRESS, Zone::moscow());
    open_form(salon, id, today);
    let names = [
        "Олег",
        "Мария",
        "Игорь",
        "Вера",
        "Павел",
        "Нина",
        "Глеб",
        "Роман",
        "Ольга",
        "Артём",
        "Денис",
        "Юлия",
    ];
    let mut records = Vec::new();
    for (n, name) in (0..REGULARS).zip(names) {
        let start = at(today, 2 + u64::from(n / 4), 11 + n % 4 * 2, 0);
        let draft = BookingDraft::new(id, start)
            .client(name, &phone(11 + n))
            .staff(BARI.0, BARI.1)
            .service(1, HAIRCUT, 2000, 0);
        let record = salon.book(draft);
        salon.backdate(id, record, Utc::now() - TimeDelta::days(3));
        records.push(record);
    }
    Regulars {
        oleg: records[0],
        maria: records[1],
        igor: records[2],
        vera: records[3],
    }
}

/// Fills the booking form: what is sold, who does it, and when they are free.
fn open_form(salon: &Salon, id: i64, today: NaiveDate) {
    for (service, title, price, length) in [(1, HAIRCUT, 2000, 3600), (2, BEARD, 1200, 1800)] {
        salon.sell(id, &DraftService::new(service, title, price, 0), length);
    }
    for (staff, name) in [BARI, TIMUR] {
        salon.employ(id, staff, name, &[1, 2]);
    }
    for day in 4..8 {
        salon.offer(id, BARI.0, &[at(today, day, 12, 0), at(today, day, 15, 30)]);
        salon.offer(id, TIMUR.0, &[at(today, day, 18, 0)]);
    }
}

/// Plays the whole day.
pub async fn play(stage: &mut Stage) -> Result<()> {
    let regulars = stage.regulars();
    stage.opening().await?;
    stage.scene("Первое знакомство с журналом").await?;
    let line = format!("В журнале уже есть записи: {REGULARS}");
    stage
        .first_look(&line, "Прежних клиентов первый запуск не тревожит.")
        .await?;
    bookings(stage).await?;
    second_thoughts(stage, regulars).await?;
    changes(stage, regulars).await?;
    quiet_ones(stage).await?;
    without_a_trace(stage, regulars).await?;
    conversations(stage).await
}

/// One booking, told; its moves, told once.
async fn bookings(stage: &mut Stage) -> Result<()> {
    let (id, today) = (stage.company(), stage.today());
    stage.scene("Звонок: запись со скидкой").await?;
    let start = at(today, 1, 14, 30);
    let line = format!("Анна: {}, стрижка у Бари за полцены", stage.when(start));
    let anna = stage
        .act(New, &line, |salon| {
            salon.book(
                BookingDraft::new(id, start)
                    .client("Анна", &phone(1))
                    .staff(BARI.0, BARI.1)
                    .service(1, HAIRCUT, 2000, 50),
            )
        })
        .await?;
    stage.outcome(anna, "").await?;

    stage.scene("Два переноса подряд — одно сообщение").await?;
    for start in [at(today, 2, 16, 0), at(today, 2, 17, 30)] {
        let line = format!("Анна: теперь {}", stage.when(start));
        stage
            .act(Changed, &line, |salon| {
                salon.reschedule(id, anna, start);
                anna
            })
            .await?;
    }
    stage.outcome(anna, "").await
}

/// What comes to nothing before anybody was told.
async fn second_thoughts(stage: &mut Stage, regulars: Regulars) -> Result<()> {
    let (id, today) = (stage.company(), stage.today());
    stage.scene("Записали и тут же сняли").await?;
    let start = at(today, 1, 18, 0);
    let line = format!("Степан: {}, борода у Тимура", stage.when(start));
    let stepan = stage
        .act(New, &line, |salon| {
            salon.book(
                BookingDraft::new(id, start)
                    .client("Степан", &phone(2))
                    .staff(TIMUR.0, TIMUR.1)
                    .service(2, BEARD, 1200, 0),
            )
        })
        .await?;
    stage
        .act(Gone, "Степан: запись снята", |salon| {
            salon.cancel(id, stepan);
            stepan
        })
        .await?;
    stage
        .outcome(stepan, "Запись исчезла раньше, чем о ней рассказали.")
        .await?;

    stage.scene("Перенесли и вернули обратно").await?;
    let (there, back) = (at(today, 2, 20, 0), at(today, 2, 11, 0));
    for (what, start) in [("теперь", there), ("снова", back)] {
        let line = format!("Олег: {what} {}", stage.when(start));
        stage
            .act(Changed, &line, |salon| {
                salon.reschedule(id, regulars.oleg, start);
                regulars.oleg
            })
            .await?;
    }
    stage
        .outcome(regulars.oleg, "Всё осталось так, как клиент и помнит.")
        .await
}

/// What clients who were booked long ago are told.
async fn changes(stage: &mut Stage, regulars: Regulars) -> Result<()> {
    let id = stage.company();
    stage.scene("Мастер заболел").await?;
    stage
        .act(
            Changed,
            "Мария: вместо Бари принимает Тимур",
            |salon| {
                salon.change_staff(id, regulars.maria, TIMUR.0, TIMUR.1);
                regulars.maria
            },
        )
        .await?;
    stage.outcome(regulars.maria, "").await?;

    stage.scene("Отмена").await?;
    stage
        .act(Gone, "Игорь: запись снята", |salon| {
            salon.cancel(id, regulars.igor);
            regulars.igor
        })
        .await?;
    stage.outcome(regulars.igor, "").await
}

/// Bookings whose clients know already, or cannot be reached.
async fn quiet_ones(stage: &mut Stage) -> Result<()> {
    let (id, today) = (stage.company(), stage.today());
    stage.scene("Записал чат-бот").await?;
    let start = at(today, 1, 12, 0);
    let line = format!("Лев: {}, в комментарии «AI Admin»", stage.when(start));
    let lev = stage
        .act(New, &line, |salon| {
            salon.book(
                BookingDraft::new(id, start)
                    .client("Лев", &phone(3))
                    .staff(TIMUR.0, TIMUR.1)
                    .service(1, HAIRCUT, 2000, 0)
                    .comment("Записан через AI Admin"),
            )
        })
        .await?;
    stage
        .outcome(lev, "Второе сообщение о том же было бы лишним.")
        .await?;

    stage.scene("Клиент без телефона").await?;
    let start = at(today, 1, 16, 0);
    let line = format!("Гость: {}, номера не оставил", stage.when(start));
    let guest = stage
        .act(New, &line, |salon| {
            salon.book(
                BookingDraft::new(id, start)
                    .client("Гость", "")
                    .staff(BARI.0, BARI.1)
                    .service(2, BEARD, 1200, 0),
            )
        })
        .await?;
    stage
        .outcome(guest, "Написать некуда; причина сохранена в базе.")
        .await
}

/// A deletion that no listing shows.
async fn without_a_trace(stage: &mut Stage, regulars: Regulars) -> Result<()> {
    let id = stage.company();
    stage.scene("Запись стёрли бесследно").await?;
    let line = "Вера: записи нет; сверка её не нашла, и YClients дважды ответил, что её нет";
    stage
        .act_unseen(Gone, line, |salon| {
            salon.erase(id, regulars.vera);
            regulars.vera
        })
        .await?;
    stage.outcome(regulars.vera, "").await
}

/// Clients write: one word that a rule understands, and a conversation with the agent.
async fn conversations(stage: &mut Stage) -> Result<()> {
    stage
        .scene("Клиент пишет одно слово: отвечает правило")
        .await?;
    stage.exchange("Павел", &phone(15), "Не смогу").await?;
    stage.scene("Клиент спрашивает: отвечает агент").await?;
    let nobody = phone(30);
    for text in ["Сколько стоит стрижка?", "Запишите на 12:00", "да"]
    {
        stage.exchange("Егор", &nobody, text).await?;
    }
    Ok(())
}

fn phone(n: u32) -> String {
    format!("+79000000{n:03}")
}

/// So many days from `today`, at this hour.
fn at(today: NaiveDate, days: u64, hour: u32, minute: u32) -> NaiveDateTime {
    let day = today.checked_add_days(Days::new(days)).unwrap_or(today);
    let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
    day.and_time(time)
}
