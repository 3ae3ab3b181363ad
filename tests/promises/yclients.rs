//! The client against the simulated salon, over real HTTP on loopback.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use booking_monitor::demo::salon::{
    BookingDraft, DraftService, Fault, PARTNER_TOKEN, Route, Salon,
};
use booking_monitor::domain::record::{Attendance, Money, Record};
use booking_monitor::domain::zone::Zone;
use booking_monitor::ports::{
    ApiError, BookingApi, Clock, CompanyRef, Lookup, Page, Query, Row, Standing,
};
use booking_monitor::yclients::{Client, Settings, User};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use secrecy::SecretString;

const COMPANY: i64 = 111_111;
const LOGIN: &str = "owner@salon.example";
const PASSWORD: &str = "canary-password";

/// A clock whose hands the test holds.
#[derive(Clone)]
struct Hands(Arc<Mutex<DateTime<Utc>>>);

impl Hands {
    fn at(text: &str) -> Self {
        Self(Arc::new(Mutex::new(text.parse().unwrap())))
    }

    fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Hands {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

struct World {
    clock: Hands,
    salon: Salon,
    client: Client,
    company: CompanyRef,
}

async fn world_with(adjust: impl FnOnce(&mut Settings)) -> World {
    let clock = Hands::at("2026-09-16T07:00:00Z");
    let salon = Salon::start(Arc::new(clock.clone())).await.unwrap();
    let zone = "Asia/Yekaterinburg".parse::<Zone>().unwrap();
    salon.add_company(COMPANY, "Салон", "Казань, Баумана, 1", zone);
    let mut settings = salon.settings();
    adjust(&mut settings);
    World {
        clock,
        client: Client::new(settings).unwrap(),
        company: CompanyRef {
            id: COMPANY,
            zone,
            country: "RU".to_owned(),
            standing: Standing::first(),
        },
        salon,
    }
}

async fn world() -> World {
    world_with(|_| {}).await
}

fn with_login(settings: &mut Settings) {
    settings.user = User::Login {
        login: LOGIN.to_owned(),
        password: SecretString::from(PASSWORD),
    };
}

fn start(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn draft(at: &str) -> BookingDraft {
    BookingDraft::new(COMPANY, start(at))
        .client("Анна", "+79000000001")
        .service(10_400_001, "Стрижка", 2000, 50)
}

fn days(first: &str, last: &str) -> Query {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    Query::Starting(day(first), day(last))
}

impl World {
    async fn page(&self, query: &Query, page: u32) -> Result<Page, ApiError> {
        self.client.page(&self.company, query, page).await
    }

    fn recently(&self) -> Query {
        Query::ChangedSince(self.clock.now() - TimeDelta::minutes(10))
    }

    async fn poll(&self) -> Result<Page, ApiError> {
        self.page(&self.recently(), 1).await
    }

    async fn lookup(&self, record: i64) -> Result<Lookup, ApiError> {
        self.client.record(&self.company, record).await
    }
}

fn records(page: Page) -> Vec<Record> {
    page.rows
        .into_iter()
        .map(|row| match row {
            Row::Record(record) => *record,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn four_hundred_and_fifty_records_come_in_three_pages_and_an_empty_one() {
    let world = world().await;
    for n in 0..450 {
        let at = start("2026-09-20T08:00:00") + TimeDelta::minutes(10 * n);
        world
            .salon
            .book(BookingDraft::new(COMPANY, at).client("Анна", "+79000000001"));
    }
    let query = days("2026-09-20", "2026-12-31");
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    for page in 1..=4 {
        let page = world.page(&query, page).await.unwrap();
        assert_eq!(page.total_count, Some(450));
        assert_eq!(page.server_date, Some(world.clock.now()));
        sizes.push(page.rows.len());
        seen.extend(records(page));
    }
    assert_eq!(sizes, [200, 200, 50, 0]);
    assert!(seen.is_sorted_by(|a, b| a.start_local > b.start_local));
    assert_eq!(
        world.salon.requests()[1].path,
        format!("/records/{COMPANY}?page=2&count=200&start_date=2026-09-20&end_date=2026-12-31")
    );
}

#[tokio::test]
async fn a_booking_is_read_as_it_was_dictated() {
    let world = world().await;
    let id = world.salon.book(
        draft("2026-09-20T12:30:00")
            .staff(9, "Мастер Я")
            .length(4500)
            .comment("с собакой")
            .online()
            .visit(77)
            .activity(5),
    );
    let read = &records(world.poll().await.unwrap())[0];
    assert_eq!((read.id, read.visit_id, read.activity_id), (id, 77, 5));
    assert_eq!(read.start_local, start("2026-09-20T12:30:00"));
    assert_eq!((read.staff.id, read.staff.name.as_str()), (9, "Мастер Я"));
    assert_eq!((read.length, read.comment.as_str()), (4500, "с собакой"));
    assert!(read.online);
    assert_eq!(
        (read.price(), read.services[0].discount),
        (Money(100_000), 5000)
    );
    assert_eq!(read.phone().unwrap().e164(), "+79000000001");
    assert_eq!(read.created_at, Some(world.clock.now()));
    assert_eq!(read.changed_at, Some(world.clock.now()));
}

#[tokio::test]
async fn a_poll_asks_in_the_salons_own_time_and_gets_only_what_changed_since() {
    let world = world().await;
    let quiet = world.salon.book(draft("2026-09-20T12:00:00"));
    let moved = world.salon.book(draft("2026-09-21T12:00:00"));
    world.clock.advance(TimeDelta::hours(1));
    world
        .salon
        .reschedule(COMPANY, moved, start("2026-09-22T09:15:00"));
    let seen = records(world.poll().await.unwrap());
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].id, moved);
    assert_eq!(seen[0].start_local, start("2026-09-22T09:15:00"));
    assert_eq!(
        world.salon.requests()[0].path,
        format!(
            "/records/{COMPANY}?page=1&count=200&changed_after=2026-09-16T12%3A50%3A00&with_deleted=1"
        )
    );
    world
        .salon
        .backdate(COMPANY, moved, "2026-09-01T00:00:00Z".parse().unwrap());
    assert!(world.poll().await.unwrap().rows.is_empty());
    assert!(matches!(world.lookup(quiet).await, Ok(Lookup::Found(_))));
}

#[tokio::test]
async fn every_verb_of_the_journal_shows() {
    let world = world().await;
    let id = world.salon.book(draft("2026-09-20T12:00:00"));
    let read = async || match world.lookup(id).await.unwrap() {
        Lookup::Found(record) => *record,
        Lookup::Gone => panic!("gone"),
    };
    world.salon.change_staff(COMPANY, id, 9, "Мастер Я");
    assert_eq!(read().await.staff.id, 9);
    let services = [DraftService::new(1, "Уход", 333, 10)];
    world.salon.change_services(COMPANY, id, &services);
    assert_eq!(read().await.price(), Money(29_970));
    world.salon.set_attendance(COMPANY, id, -1);
    assert_eq!(read().await.attendance, Attendance::NoShow);
    world
        .salon
        .edit(COMPANY, id, |row| row["client"]["phone"] = "12".into());
    let client = read().await.client.unwrap();
    assert_eq!(client.refused_phone.as_deref(), Some("12"));
    world.salon.cancel(COMPANY, id);
    assert!(read().await.deleted);
    assert!(records(world.poll().await.unwrap())[0].deleted);
    let sweep = days("2026-09-20", "2026-09-20");
    assert!(world.page(&sweep, 1).await.unwrap().rows.is_empty());
    world.salon.restore(COMPANY, id);
    assert_eq!(world.page(&sweep, 1).await.unwrap().rows.len(), 1);
    world.salon.erase(COMPANY, id);
    assert!(matches!(world.lookup(id).await, Ok(Lookup::Gone)));
    assert!(world.poll().await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn narrowed_rights_narrow_the_listing() {
    let world = world().await;
    let id = world
        .salon
        .book(draft("2026-09-20T12:00:00").staff(9, "Мастер Я"));
    world.salon.hide_phones(COMPANY);
    let client = records(world.poll().await.unwrap())
        .remove(0)
        .client
        .unwrap();
    assert_eq!(
        (client.name.as_str(), client.phone, client.refused_phone),
        ("Анна", None, None)
    );
    world.salon.hide_staff(COMPANY, 9);
    assert!(world.poll().await.unwrap().rows.is_empty());
    let denied = world.lookup(id).await.unwrap_err();
    assert!(
        matches!(denied, ApiError::Denied { status: 403, .. }),
        "{denied}"
    );
    world.salon.show_staff(COMPANY, 9);
    world.salon.show_phones(COMPANY);
    assert!(records(world.poll().await.unwrap())[0].phone().is_some());
}

#[tokio::test]
async fn a_company_is_known_foreign_or_none() {
    let world = world().await;
    world.salon.edit_company(COMPANY, |info| {
        info["phone"] = "+7 900 000-00-10".into();
        info["city"] = "Казань".into();
    });
    let info = world.client.company(COMPANY).await.unwrap();
    assert_eq!(
        (info.title.as_str(), info.address.as_str()),
        ("Салон", "Казань, Баумана, 1")
    );
    assert_eq!(
        info.zone,
        Some("Asia/Yekaterinburg".parse::<Zone>().unwrap())
    );
    world.salon.forbid(COMPANY, true);
    let denied = |status, message: &str| ApiError::Denied {
        status,
        message: message.to_owned(),
    };
    assert_eq!(
        world.poll().await.unwrap_err(),
        denied(403, "Нет прав на управление филиалом")
    );
    assert_eq!(
        world.client.company(5).await.unwrap_err(),
        denied(404, "Филиал не найден.")
    );
}

#[tokio::test]
async fn each_fault_is_the_error_it_should_be() {
    let world = world().await;
    world.salon.book(draft("2026-09-20T12:00:00"));
    let unreadable = |why: &str| ApiError::Unreadable(why.to_owned());
    let cases = [
        (Fault::Html, unreadable("HTML in place of JSON")),
        (Fault::Truncated, unreadable("JSON that breaks off")),
        (
            Fault::Status(200, String::new()),
            unreadable("an empty body"),
        ),
        (
            Fault::SuccessFalse("Сбой".to_owned()),
            unreadable("success: false, Сбой"),
        ),
        (
            Fault::Status(503, "busy".to_owned()),
            ApiError::Unavailable("HTTP 503: not JSON (no JSON object)".to_owned()),
        ),
    ];
    for (fault, expected) in cases {
        world.salon.fail_next(Route::Records, 1, fault.clone());
        assert_eq!(world.poll().await.unwrap_err(), expected, "{fault:?}");
    }
    world.salon.set_fault(Route::Records, Some(Fault::Empty200));
    let empty = world.poll().await.unwrap();
    assert_eq!((empty.rows.len(), empty.total_count), (0, Some(0)));
    let not_found = Fault::SuccessFalse("Не найдено".to_owned());
    world.salon.set_fault(Route::Records, Some(not_found));
    assert!(world.poll().await.unwrap().rows.is_empty());
    world.salon.set_fault(Route::Records, None);
    assert_eq!(world.poll().await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_repeated_page_is_the_first_one_again() {
    let world = world_with(|settings| settings.page_size = 1).await;
    let near = world.salon.book(draft("2026-09-20T12:00:00"));
    let far = world.salon.book(draft("2026-09-21T12:00:00"));
    world.salon.fail_next(Route::Records, 1, Fault::RepeatPage);
    let query = world.recently();
    let repeated = records(world.page(&query, 2).await.unwrap());
    let honest = records(world.page(&query, 2).await.unwrap());
    assert_eq!((repeated[0].id, honest[0].id), (far, near));
}

#[tokio::test]
async fn silence_and_a_closed_door_are_unavailable() {
    let world = world_with(|settings| settings.client.timeout = Duration::from_millis(200)).await;
    world.salon.fail_next(Route::Records, 1, Fault::Hang);
    let silence = world.poll().await.unwrap_err();
    assert_eq!(silence, ApiError::Unavailable("timed out".to_owned()));

    let mut settings = world.salon.settings();
    settings.base_url = "http://127.0.0.1:1/api/v1".to_owned();
    let nowhere = Client::new(settings).unwrap();
    let closed = nowhere.company(COMPANY).await.unwrap_err();
    assert!(matches!(&closed, ApiError::Unavailable(why) if why.starts_with("cannot connect")));
}

#[tokio::test]
async fn a_429_holds_every_request_of_every_clone_until_its_time() {
    let world = world().await;
    for fault in [
        Fault::TooManyRequests { seconds: 1 },
        Fault::RetryAfter { seconds: 1 },
        Fault::SuccessFalse(Fault::limit_message(1)),
    ] {
        world.salon.fail_next(Route::Records, 1, fault);
        let told = world.poll().await.unwrap_err();
        let pause = Duration::from_secs(1);
        assert_eq!(told, ApiError::Throttled { pause });
        let clone = world.client.clone();
        assert!(clone.company(COMPANY).await.is_ok());
        let requests = world.salon.requests();
        let [.., refused, next] = requests.as_slice() else {
            panic!("two requests expected");
        };
        assert!(next.at - refused.at >= pause);
    }
}

#[tokio::test]
async fn a_long_pause_is_answered_without_a_request() {
    let world = world().await;
    let long = Fault::TooManyRequests { seconds: 3600 };
    world.salon.fail_next(Route::Records, 1, long);
    assert!(world.poll().await.is_err());
    let held = world.client.company(COMPANY).await.unwrap_err();
    let ApiError::Throttled { pause } = held else {
        panic!("{held}");
    };
    assert!(pause > Duration::from_secs(3000));
    assert_eq!(world.salon.requests().len(), 1);
}

#[tokio::test]
async fn a_login_is_exchanged_once_and_again_only_when_its_token_is_refused() {
    let world = world_with(with_login).await;
    world.salon.allow_login(LOGIN, PASSWORD, false);
    let (first, second) = tokio::join!(world.poll(), world.client.company(COMPANY));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(world.salon.asked(Route::Auth), 1);

    // The password was changed within five minutes: the 401 stands, nobody hammers /auth.
    world.salon.revoke_user_tokens();
    let refused = world.poll().await.unwrap_err();
    assert!(
        matches!(refused, ApiError::Denied { status: 401, .. }),
        "{refused}"
    );
    assert_eq!(world.salon.asked(Route::Auth), 1);

    skip(Duration::from_secs(301)).await;
    let before = world.salon.asked(Route::Records);
    assert!(world.poll().await.is_ok());
    assert_eq!(world.salon.asked(Route::Auth), 2);
    assert_eq!(world.salon.asked(Route::Records), before + 2);
}

#[tokio::test]
async fn a_failed_sign_in_is_repeated_from_memory_for_five_minutes() {
    let world = world_with(with_login).await;
    let refused = world.poll().await.unwrap_err();
    assert_eq!(
        refused,
        ApiError::Denied {
            status: 401,
            message: "Не верный логин или пароль".to_owned()
        }
    );
    assert_eq!(world.poll().await.unwrap_err(), refused);
    assert_eq!(world.salon.requests().len(), 1);
    world.salon.allow_login(LOGIN, PASSWORD, true);
    skip(Duration::from_secs(301)).await;
    let factor = world.poll().await.unwrap_err().to_string();
    assert!(factor.contains("second factor"), "{factor}");
    assert_eq!(world.salon.asked(Route::Auth), 2);
}

/// Moves tokio's clock on while nothing is on the wire.
async fn skip(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_given_token_that_is_refused_is_not_tried_twice() {
    let world = world().await;
    world.salon.revoke_user_tokens();
    let refused = world.poll().await.unwrap_err();
    assert_eq!(refused.to_string(), "HTTP 401: Необходима авторизация");
    assert_eq!(world.salon.requests().len(), 1);
}

#[tokio::test]
async fn no_secret_is_ever_printed() {
    let user = "canary-user-token";
    let world = world_with(|settings| settings.user = User::Token(SecretString::from(user))).await;
    let echo = format!("Bearer {PARTNER_TOKEN}, User {user} unknown");
    let echoes = [
        Fault::SuccessFalse(echo.clone()),
        Fault::Status(500, format!(r#"{{"meta":{{"message":"{echo}"}}}}"#)),
        Fault::Status(403, format!(r#"{{"errors":{{"message":"{echo}"}}}}"#)),
    ];
    let mut printed = format!("{:?} {:?}", world.client, world.salon.settings());
    for fault in echoes {
        world.salon.fail_next(Route::Records, 1, fault);
        let error = world.poll().await.unwrap_err();
        printed += &format!("{error} {error:?}");
    }
    let signing_in = world_with(with_login).await;
    let echo = format!(r#"{{"success":false,"meta":{{"message":"{LOGIN} {PASSWORD} wrong"}}}}"#);
    signing_in
        .salon
        .fail_next(Route::Auth, 1, Fault::Status(422, echo));
    for _ in 0..2 {
        let error = signing_in.poll().await.unwrap_err();
        printed += &format!("{error} {error:?}");
    }
    for secret in [user, PARTNER_TOKEN, LOGIN, PASSWORD] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    assert!(printed.contains("*** unknown") && printed.contains("*** *** wrong"));
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_a_configuration_error() {
    let world = world().await;
    let mut settings = world.salon.settings();
    settings.partner_token = SecretString::from("canary\ntoken");
    let error = Client::new(settings).unwrap_err().to_string();
    assert!(error.contains("no HTTP header") && !error.contains("canary"));
}
