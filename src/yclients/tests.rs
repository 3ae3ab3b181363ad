//! Every shape of the API's answers that has been seen, read by the eyes the client reads with.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use serde_json::{Value, json};

use super::answer::Answer;
use crate::domain::event::body;
use crate::domain::record::{Attendance, Client, Money, Record};
use crate::domain::zone::Zone;
use crate::ports::{ApiError, CompanyRef, Lookup, Page, Query, Row, Standing};

const ORDINARY: &str = include_str!("../../tests/fixtures/yclients/ordinary.json");
const BLOCKED_SLOT: &str = include_str!("../../tests/fixtures/yclients/blocked_slot.json");
const OLD_SPELLING: &str = include_str!("../../tests/fixtures/yclients/old_spelling.json");
const NO_CLIENT_KEY: &str = include_str!("../../tests/fixtures/yclients/no_client_key.json");
const DELETED: &str = include_str!("../../tests/fixtures/yclients/deleted.json");

fn company() -> CompanyRef {
    CompanyRef {
        id: 111_111,
        zone: "Asia/Yekaterinburg".parse::<Zone>().unwrap(),
        country: "RU".to_owned(),
        standing: Standing::first(),
    }
}

fn since() -> Query {
    Query::ChangedSince(DateTime::UNIX_EPOCH)
}

fn starting() -> Query {
    let day = NaiveDate::from_ymd_opt(2026, 9, 16).unwrap();
    Query::Starting(day, day)
}

fn answer(status: u16, body: &str) -> Answer {
    Answer::new(status, &HeaderMap::new(), body.as_bytes().to_vec())
}

fn page_of(status: u16, body: &str, query: &Query) -> Result<Page, ApiError> {
    answer(status, body).page(&company(), query)
}

fn rows(elements: &str) -> Vec<Row> {
    let body =
        format!(r#"{{"success":true,"data":[{elements}],"meta":{{"page":1,"total_count":9}}}}"#);
    page_of(200, &body, &since()).unwrap().rows
}

fn record(element: &str) -> Record {
    match rows(element).remove(0) {
        Row::Record(record) => *record,
        other => panic!("{other:?}"),
    }
}

/// The ordinary record with some keys replaced.
fn altered(changes: Value) -> String {
    let mut row: Value = serde_json::from_str(ORDINARY).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        row[key] = value.clone();
    }
    row.to_string()
}

fn utc(text: &str) -> Option<DateTime<Utc>> {
    Some(text.parse().unwrap())
}

#[test]
fn an_ordinary_online_booking_is_read_whole() {
    let read = record(ORDINARY);
    assert_eq!((read.company_id, read.id), (111_111, 1_947_900_001));
    assert_eq!(read.start_local, "2026-09-16T19:30:00".parse().unwrap());
    assert_eq!((read.visit_id, read.activity_id), (547_850_001, 0));
    assert_eq!(
        (read.staff.id, read.staff.name.as_str()),
        (2_400_001, "Мастер А")
    );
    assert_eq!((read.length, read.seats), (4500, 1));
    assert!(read.online && !read.deleted && !read.is_blocked_slot());
    assert_eq!(read.attendance, Attendance::Waiting);
    assert_eq!(read.link, "https://salon.example/c/AbC1d/eFgH2/");
    assert_eq!(read.created_at, utc("2026-09-02T15:14:07Z"));
    assert_eq!(read.changed_at, utc("2026-09-09T15:05:21Z"));
    let client = read.client.unwrap();
    assert_eq!((client.id, client.name.as_str()), (245_500_001, "Клиент"));
    assert_eq!(client.phone.unwrap().e164(), "+79000000001");
    let line = &read.services[0];
    assert_eq!(
        (line.id, line.title.as_str()),
        (10_400_001, "Стрижка мужская")
    );
    assert_eq!(
        (line.amount, line.cost, line.discount),
        (1, Money(200_000), 0)
    );
}

#[test]
fn a_blocked_slot_is_nobodys_booking() {
    let read = record(BLOCKED_SLOT);
    assert!(read.is_blocked_slot());
    assert_eq!(read.visit_id, 0);
}

#[test]
fn the_documentations_old_spellings_are_read() {
    let read = record(OLD_SPELLING);
    assert_eq!(read.visit_id, 8_200_001);
    assert_eq!(read.attendance, Attendance::Confirmed);
    assert_eq!(read.labels, ["Сотрудник не важен"]);
    assert_eq!(read.services[0].cost, Money(10_050));
    assert_eq!(read.services[1].cost, Money(1_152_381));
    assert_eq!(read.services[1].amount, 2);
    assert_eq!(read.start_local, "2019-01-16T16:00:00".parse().unwrap());
    assert_eq!(read.created_at, utc("2019-01-16T11:35:11Z"));
    let phone = read.client.unwrap().phone.unwrap();
    assert_eq!(phone.e164(), "+79000000004");
    let without_client = record(NO_CLIENT_KEY);
    assert_eq!(without_client.client, None);
    assert!(!without_client.is_blocked_slot());
}

#[test]
fn a_deleted_row_is_a_record_that_is_off() {
    let read = record(DELETED);
    assert!(read.deleted && !read.online);
    assert_eq!(read.changed_at, utc("2026-09-10T04:15:00Z"));
    for deleted in [json!(1), json!("1"), json!("true"), json!(true)] {
        assert!(record(&altered(json!({ "deleted": deleted }))).deleted);
    }
    for alive in [json!(0), json!("0"), json!("false"), json!(null), json!("")] {
        assert!(!record(&altered(json!({ "deleted": alive }))).deleted);
    }
}

#[test]
fn a_deleted_row_without_its_date_is_still_evidence() {
    let read = record(r#"{"id": 5, "deleted": true, "date": "0000-00-00 00:00:00"}"#);
    assert_eq!(read.start_local, Record::START_UNKNOWN);
}

#[test]
fn nobody_is_a_client_however_it_is_spelled() {
    let nobody = [
        json!(null),
        json!([]),
        json!({}),
        json!(false),
        json!(""),
        json!({ "id": 0, "name": "", "phone": "" }),
        json!({ "id": null, "name": null, "phone": null }),
    ];
    for client in nobody {
        let read = record(&altered(json!({ "client": client })));
        assert_eq!(read.client, None, "{client}");
    }
}

#[test]
fn phones_come_as_text_number_or_not_at_all() {
    let client = |phone: Value| {
        let client = json!({ "id": "7", "name": "А", "phone": phone });
        record(&altered(json!({ "client": client })))
            .client
            .unwrap()
    };
    let phone = |raw: Value| client(raw).phone.map(|phone| phone.e164().to_owned());
    for raw in [
        json!("+7 900 000-00-05"),
        json!(79_000_000_005_i64),
        json!("89000000005"),
    ] {
        assert_eq!(phone(raw).as_deref(), Some("+79000000005"));
    }
    assert_eq!(
        phone(json!("+381 60 1234567")).as_deref(),
        Some("+381601234567")
    );
    for raw in [json!(null), json!(""), json!([]), json!(" ")] {
        let client = client(raw);
        assert_eq!(
            (client.id, client.phone, client.refused_phone),
            (7, None, None)
        );
    }
    let fake = client(json!("+7 222 000-00-00"));
    assert_eq!(fake.phone, None);
    assert_eq!(fake.refused_phone.as_deref(), Some("+7 222 000-00-00"));
}

#[test]
fn ids_flags_and_attendance_may_be_text() {
    let read = record(&altered(json!({
        "id": "3000000000", "staff_id": "9", "staff": [], "online": 1, "attendance": "-1",
        "activity_id": "12", "seance_length": null, "length": "600", "clients_count": null,
        "services": [null, { "id": "4", "title": null, "cost": "99.90", "amount": 0 }],
        "record_labels": {}, "short_link": null, "comment": null, "custom_fields": { "a": [1] },
    })));
    assert_eq!(
        (read.id, read.staff.id, read.activity_id),
        (3_000_000_000, 9, 12)
    );
    assert_eq!((read.length, read.seats), (600, 0));
    assert_eq!(read.attendance, Attendance::NoShow);
    assert!(read.online);
    let line = &read.services[0];
    assert_eq!((line.id, line.amount, line.cost), (4, 1, Money(9990)));
    assert_eq!(line.first_cost, line.cost);
}

#[test]
fn one_bad_row_leaves_the_others_alone_and_says_nothing_of_its_data() {
    let bad_client = altered(json!({ "id": 2, "client": "Анна +79000000009" }));
    let bad_services = altered(json!({ "id": 3, "services": "Стрижка" }));
    let no_date = altered(json!({ "id": 4, "date": "скоро", "datetime": null }));
    let doubled = r#"{"id": 5, "comment": "Анна", "comment": "Анна"}"#;
    let read = rows(&format!(
        r#"null, {ORDINARY}, "Анна", {bad_client}, {bad_services}, {no_date}, {doubled}, {{}}"#
    ));
    let said: Vec<_> = read
        .iter()
        .map(|row| match row {
            Row::Record(record) => format!("record {}", record.id),
            Row::Null => "null".to_owned(),
            Row::Unreadable { id, why } => format!("{id:?}: {why}"),
        })
        .collect();
    assert_eq!(
        said,
        [
            "null",
            "record 1947900001",
            "None: not an object",
            "Some(2): `client` is neither an object nor empty",
            "Some(3): `services` is not an array of objects",
            "Some(4): no readable `date`",
            "Some(5): not a record at column 42",
            "None: no `id`",
        ]
    );
}

#[test]
fn no_key_of_any_type_loses_the_page_or_shows_its_value() {
    let odd = [
        json!(null),
        json!([]),
        json!({}),
        json!([["Анна"]]),
        json!({ "Анна": "Анна" }),
        json!("Анна"),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(false),
        json!(true),
    ];
    let sample: Value = serde_json::from_str(ORDINARY).unwrap();
    for key in sample.as_object().unwrap().keys() {
        for value in &odd {
            let mut changes = json!({});
            changes[key] = value.clone();
            let read = rows(&altered(changes));
            assert_eq!(read.len(), 1, "{key}: {value}");
            if let Row::Unreadable { why, .. } = &read[0] {
                assert!(!why.contains("Анна"), "{key}: {why}");
            }
        }
    }
}

#[test]
fn a_name_cut_in_the_middle_of_a_character_costs_no_page() {
    let body = r#"{"success":true,"data":[{"id":1,"date":"2026-08-21 14:30:00",
        "staff":{"id":5,"name":"\ud83dБари"},"services":[{"id":1,"title":"Стрижка \ud83d\ude00\ude00"}],
        "client":{"id":7,"name":"Анна \ud83d","phone":"+79000000001"},"comment":"\udfff"}],
        "meta":{"total_count":1,"message":"\ud800"}}"#;
    let page = page_of(200, body, &since()).unwrap();
    let [Row::Record(record)] = page.rows.as_slice() else {
        panic!("{:?}", page.rows);
    };
    assert_eq!(record.staff.name, "\u{fffd}Бари");
    assert_eq!(record.services[0].title, "Стрижка 😀\u{fffd}");
}

#[test]
fn a_page_says_its_total_and_the_servers_date() {
    let mut headers = HeaderMap::new();
    let date = HeaderValue::from_static("Wed, 16 Sep 2026 10:00:00 GMT");
    headers.insert(DATE, date);
    let body = br#"{"success":true,"data":[],"meta":{"page":1,"total_count":"10"}}"#;
    let page = Answer::new(200, &headers, body.to_vec())
        .page(&company(), &since())
        .unwrap();
    assert_eq!(page.total_count, Some(10));
    assert_eq!(page.server_date, utc("2026-09-16T10:00:00Z"));
    let odd_meta = r#"{"success":true,"data":[],"meta":[]}"#;
    assert_eq!(page_of(200, odd_meta, &since()).unwrap().total_count, None);
}

#[test]
fn not_found_within_a_200_is_an_empty_page_that_proves_nothing() {
    for body in [
        r#"{"success":false,"data":null,"meta":{"message":"Не найдено"}}"#,
        r#"{"success":false,"data":[],"meta":{"message":"Не найдено."}}"#,
        r#"{"success":true,"data":null,"meta":{"message":"Not found","total_count":0}}"#,
        r#"{"success":true,"data":null,"meta":{"total_count":0}}"#,
    ] {
        assert!(
            page_of(200, body, &since()).unwrap().rows.is_empty(),
            "{body}"
        );
        let page = page_of(200, body, &starting()).unwrap();
        assert!(page.rows.is_empty() && page.total_count.is_none(), "{body}");
    }
}

#[test]
fn what_is_no_answer_is_never_an_empty_journal() {
    let cases = [
        (
            r#"{"success":true,"data":null,"meta":{}}"#,
            "no `data` array",
        ),
        (
            r#"{"success":true,"data":null,"meta":{"total_count":5}}"#,
            "no `data` array",
        ),
        (r#"{"success":true,"data":{},"meta":{}}"#, "no `data` array"),
        (
            r#"{"success":false,"data":[],"meta":{"message":"Сбой"}}"#,
            "success: false, Сбой",
        ),
        (
            r#"{"success":false,"data":null,"meta":{"total_count":0}}"#,
            "success: false, without a message",
        ),
        (
            r#"{"success":0,"data":null,"meta":{"message":"Филиал не найден."}}"#,
            "success: false, Филиал не найден.",
        ),
        (
            r#"{"success":true,"data":[{"id":1,"da"#,
            "JSON that breaks off",
        ),
        ("<html><body>502</body></html>", "HTML in place of JSON"),
        ("", "an empty body"),
        ("[]", "no JSON object"),
        ("oops", "no JSON object"),
    ];
    for (body, why) in cases {
        let error = page_of(200, body, &since()).unwrap_err();
        assert_eq!(error, ApiError::Unreadable(why.into()), "{body}");
    }
}

#[test]
fn a_status_decides_who_has_to_act() {
    let shape_a =
        r#"{"success":false,"data":null,"meta":{"message":"Недостаточно прав","errors":{}}}"#;
    let shape_b = r#"{"errors":{"code":401,"message":"Необходима авторизация"},"meta":{}}"#;
    let licence = r#"{"success":false,"data":null,"meta":{"message":"Необходимо продлить лицензию в филиале с id: 111111"}}"#;
    let denied = |status, message: &str| ApiError::Denied {
        status,
        message: message.to_owned(),
    };
    let unreadable = |text: &str| ApiError::Unreadable(text.to_owned());
    let unavailable = |text: &str| ApiError::Unavailable(text.to_owned());
    let cases = [
        (401, shape_b, denied(401, "Необходима авторизация")),
        (
            402,
            licence,
            denied(402, "Необходимо продлить лицензию в филиале с id: 111111"),
        ),
        (403, shape_a, denied(403, "Недостаточно прав")),
        (404, r#"{"success":false,"meta":[]}"#, denied(404, "")),
        (
            404,
            "<html></html>",
            denied(404, "not JSON (HTML in place of JSON)"),
        ),
        (400, shape_a, unreadable("HTTP 400: Недостаточно прав")),
        (301, "", unreadable("HTTP 301: not JSON (an empty body)")),
        (204, "", unreadable("an empty body")),
        (500, r#"{"success":false}"#, unavailable("HTTP 500")),
        (
            502,
            "<html></html>",
            unavailable("HTTP 502: not JSON (HTML in place of JSON)"),
        ),
    ];
    for (status, body, expected) in cases {
        assert_eq!(page_of(status, body, &since()).unwrap_err(), expected);
    }
}

#[test]
fn too_many_requests_names_its_pause() {
    let told = |seconds: u64| {
        format!(
            r#"{{"success":false,"meta":{{"message":"Превышен лимит запросов, попробуйте повторить запрос через {seconds} секунд."}}}}"#
        )
    };
    let pause = |status, header: Option<&'static str>, body: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(
            DATE,
            HeaderValue::from_static("Wed, 16 Sep 2026 10:00:00 GMT"),
        );
        if let Some(value) = header {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        }
        let answer = Answer::new(status, &headers, body.as_bytes().to_vec());
        match answer.page(&company(), &since()) {
            Err(ApiError::Throttled { pause }) => pause,
            other => panic!("{other:?}"),
        }
    };
    let seconds = Duration::from_secs;
    assert_eq!(pause(429, None, &told(17)), seconds(17));
    assert_eq!(pause(200, None, &told(17)), seconds(17));
    assert_eq!(pause(403, None, &told(2)), seconds(2));
    assert_eq!(pause(429, None, &told(0)), seconds(5));
    assert_eq!(pause(429, None, "<html></html>"), seconds(5));
    assert_eq!(pause(429, Some("30"), &told(17)), seconds(30));
    assert_eq!(pause(429, Some("0"), &told(17)), seconds(17));
    assert_eq!(pause(429, Some("soon"), ""), seconds(5));
    assert_eq!(pause(429, Some("99999999999999"), ""), seconds(86_400));
    let date = Some("Wed, 16 Sep 2026 10:01:30 GMT");
    assert_eq!(pause(429, date, ""), seconds(90));
}

#[test]
fn only_the_apis_own_404_says_that_a_record_is_gone() {
    let lookup = |status, body: &str| answer(status, body).lookup(&company(), 1_947_900_001);
    let found = format!(r#"{{"success":true,"data":{ORDINARY},"meta":[]}}"#);
    assert!(matches!(lookup(200, &found), Ok(Lookup::Found(_))));
    let missing = r#"{"success":false,"data":null,"meta":{"message":"Не найдено"}}"#;
    for missing in [
        missing,
        r#"{"success":false,"meta":[]}"#,
        r#"{"errors":{"code":404,"message":"Не найдено"},"meta":{"message":"Не найдено"}}"#,
    ] {
        assert!(
            matches!(lookup(404, missing), Ok(Lookup::Gone)),
            "{missing}"
        );
    }
    for (status, body) in [
        (404, "<html>nginx</html>"),
        (404, "404 page not found"),
        (404, ""),
        (404, r#"{"detail":"Not Found"}"#),
        (403, missing),
        (200, missing),
        (200, r#"{"success":true,"data":[],"meta":[]}"#),
        (
            200,
            r#"{"success":true,"data":{"id":1,"date":"2026-09-16 10:00:00"},"meta":[]}"#,
        ),
    ] {
        let read = lookup(status, body);
        assert!(read.is_err(), "{status} {body}");
    }
}

#[test]
fn a_company_says_who_and_where_it_is() {
    let body = r#"{"success":true,"data":{"id":111111,"title":"","public_title":"Салон","city":"Казань",
        "address":"Баумана, 1","phone":"","phones":["+7 900 000-00-10"],"timezone":"3",
        "timezone_name":"Europe/Moscow","bookforms":[{"id":1,"url":"https://n1.example/"}],"social":[]},"meta":[]}"#;
    let read = answer(200, body).company().unwrap();
    assert_eq!(read.title, "Салон");
    assert_eq!(read.address, "Казань, Баумана, 1");
    assert_eq!(read.phone, "+7 900 000-00-10");
    assert_eq!(read.zone, Some(Zone::moscow()));
    assert_eq!(read.booking_link, "https://n1.example/");
    let poor = answer(
        200,
        r#"{"data":{"id":1,"timezone_name":"Mars/Base","phones":{}}}"#,
    );
    assert_eq!(poor.company().unwrap().zone, None);
}

#[test]
fn a_sign_in_gives_its_token_from_either_place() {
    let token = |status, body: &str| answer(status, body).token();
    assert_eq!(token(201, r#"{"id":1,"user_token":"abc"}"#).unwrap(), "abc");
    let inner = r#"{"success":true,"data":{"user_token":"abc"},"meta":[]}"#;
    assert_eq!(token(201, inner).unwrap(), "abc");
    let refused = [
        (
            200,
            r#"{"success":true,"data":{"uuid":"0-0"}}"#,
            "second factor",
        ),
        (
            422,
            r#"{"success":false,"meta":{"message":"Не верный пароль"}}"#,
            "Не верный пароль",
        ),
        (
            200,
            r#"{"success":false,"meta":{"message":"Не верный пароль"}}"#,
            "Не верный пароль",
        ),
    ];
    for (status, body, words) in refused {
        match token(status, body) {
            Err(ApiError::Denied {
                status: 401,
                message,
            }) => assert!(message.contains(words)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_error_repeats_the_apis_words_shortly_and_without_a_phone() {
    let long = format!(
        r#"{{"success":false,"meta":{{"message":"Клиент 79000000001, запись 1947900001\n{}"}}}}"#,
        "я".repeat(300)
    );
    let Err(ApiError::Denied { message, .. }) = page_of(403, &long, &since()) else {
        panic!("not denied");
    };
    assert!(
        message.starts_with("Клиент …, запись 1947900001 я"),
        "{message}"
    );
    assert!(message.chars().count() <= 201);
}

#[test]
fn a_payload_has_the_apis_shape() {
    let zone = company().zone;
    let mut booking = record(ORDINARY);
    booking.services[0].cost = Money(1_152_381);
    booking.services[0].discount = 5000;
    assert_eq!(
        body(&booking, zone),
        json!({
            "id": 1_947_900_001_i64, "company_id": 111_111, "visit_id": 547_850_001,
            "activity_id": 0, "staff_id": 2_400_001,
            "staff": { "id": 2_400_001, "name": "Мастер А" },
            "services": [{
                "id": 10_400_001, "title": "Стрижка мужская", "cost": 11523.81,
                "first_cost": 2000, "discount": 50, "amount": 1,
            }],
            "client": { "id": 245_500_001, "name": "Клиент", "phone": "+79000000001" },
            "clients_count": 1, "datetime": "2026-09-16 19:30:00", "seance_length": 4500,
            "comment": "", "attendance": 0, "online": true, "created_user_id": 0,
            "deleted": false, "record_labels": [],
            "short_link": "https://salon.example/c/AbC1d/eFgH2/",
            "create_date": "2026-09-02T20:14:07+0500",
            "last_change_date": "2026-09-09T20:05:21+0500",
            "sum": 11523.81,
        })
    );
}

#[test]
fn a_payload_reads_back_as_the_same_booking() {
    for fixture in [ORDINARY, BLOCKED_SLOT, OLD_SPELLING, NO_CLIENT_KEY, DELETED] {
        let booking = record(fixture);
        let again = body(&booking, company().zone).to_string();
        assert_eq!(record(&again), booking);
    }
    let mut refused = record(ORDINARY);
    refused.client = Some(Client {
        name: "А".to_owned(),
        refused_phone: Some("+7 222 000-00-00".to_owned()),
        ..Client::default()
    });
    refused.created_at = None;
    let again = body(&refused, company().zone).to_string();
    assert_eq!(record(&again), refused);
}
