//! `verify`: every difference between the journal and the cache, and nothing that is none.

use std::process::Output;

use crate::support::program::{Program, start, stderr, stdout};
use crate::support::world::{SALON, haircut};
use booking_monitor::demo::salon::{BookingDraft, DraftService, Fault, Route};
use booking_monitor::domain::zone::Zone;
use booking_monitor::ports::{Clock as _, SystemClock};
use chrono::{Days, NaiveDateTime, TimeDelta};
use serde_json::{Value, json};

/// A salon with so many bookings, a day apart, all of them in the cache.
async fn read_once(bookings: i64) -> (Program, Vec<i64>) {
    let program = Program::new().await;
    let text = std::fs::read_to_string(program.config()).unwrap();
    // The fake has no limits, and nobody is to wait here.
    program.write(&text.replace(
        "[yclients]",
        "[yclients]\nrequests_per_second = 1000\nrequests_per_minute = 60000",
    ));
    let records: Vec<i64> = (0..bookings).map(|n| book(&program, n)).collect();
    for record in &records {
        // Long ago: what was written just now may rightly be in one of the two only.
        let made_at = SystemClock.now() - TimeDelta::hours(1);
        program.salon.backdate(SALON, *record, made_at);
    }
    let run = program.run(&["--once"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    (program, records)
}

fn book(program: &Program, days: i64) -> i64 {
    let start = start(days).format("%Y-%m-%dT%H:%M:%S").to_string();
    let phone = format!("+790000000{days:02}");
    program.salon.book(haircut(&start).client("Анна", &phone))
}

fn english(program: &Program) {
    let text = std::fs::read_to_string(program.config()).unwrap();
    program.write(&format!("language = \"en\"\n{text}"));
}

/// Half past two of the first day, so many days on, as people and as the API write it.
fn human(days: i64) -> String {
    start(days).format("%d.%m.%Y %H:%M").to_string()
}

fn api(start: NaiveDateTime) -> String {
    start.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// From today to the horizon.
fn span() -> String {
    let today = start(-2).date();
    let last = today + Days::new(180);
    format!("{} – {}", today.format("%d.%m.%Y"), last.format("%d.%m.%Y"))
}

fn assert_says(output: &Output, code: i32, text: &str) {
    assert_eq!(stdout(output), text, "{}", stderr(output));
    assert_eq!(output.status.code(), Some(code));
}

fn dump(program: &Program) -> Vec<String> {
    let mut rows = program.rows("SELECT quote(snapshot) || last_seen_at FROM appointments_cache");
    rows.extend(program.rows("SELECT quote(cursor_at) || last_sweep_at FROM companies"));
    rows.extend(program.rows("SELECT event_id FROM booking_events"));
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_same_is_exit_0_and_nothing_is_touched() {
    let (program, _) = read_once(3).await;
    // A break: the cache holds none, on purpose.
    program.salon.book(BookingDraft::new(SALON, start(1)));
    let before = dump(&program);
    let asked = program.salon.requests().len();
    let run = program.run(&["verify"]).await;
    let text = format!(
        "Малаховка ({SALON}), {}: записей 3, расхождений нет\n",
        span()
    );
    assert_says(&run, 0, &text);
    assert_eq!(dump(&program), before);
    assert_eq!(program.salon.requests().len() - asked, 1);
    assert_eq!(program.green.sent().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_difference_is_shown_with_its_values_and_without_people() {
    let (program, records) = read_once(8).await;
    let salon = &program.salon;
    let later = start(0) + TimeDelta::hours(2);
    salon.reschedule(SALON, records[0], later);
    salon.change_staff(SALON, records[0], 6, "Вера");
    salon.change_services(
        SALON,
        records[1],
        &[
            DraftService::new(45, "МУЖСКАЯ СТРИЖКА", 2000, 50),
            DraftService::new(47, "Борода", 1500, 0),
        ],
    );
    salon.edit(SALON, records[2], |row| {
        row["client"]["phone"] = "+79000000067".into();
        row["comment"] = "Звонить Анне на +79000000067".into();
        row["seance_length"] = 5400.into();
        row["attendance"] = 2.into();
    });
    salon.erase(SALON, records[3]);
    salon.cancel(SALON, records[4]);
    // Out of the horizon is not out of the journal.
    salon.reschedule(SALON, records[5], start(300));
    let new = book(&program, 8);
    let run = program.run(&["verify"]).await;
    let text = format!(
        "Малаховка ({SALON}), {}: записей 6, расхождений 7\n  \
         {} · {} · datetime: {} → {}; staff_id: 5 → 6\n  \
         {} · {} · services: 45 → 45, 47; cost: 1000 → 2500\n  \
         {} · {} · seance_length: 3600 → 5400; client.phone: +7 *** ***-**-02 → +7 *** ***-**-67; attendance: 0 → 2; comment: — → …\n  \
         {} · {} · в базе есть, в журнале нет\n  \
         {} · {} · в базе есть, в журнале нет\n  \
         {} · {} · datetime: {} → {}\n  \
         {new} · {} · в журнале есть, в базе нет\n",
        span(),
        records[0],
        later.format("%d.%m.%Y %H:%M"),
        api(start(0)),
        api(later),
        records[1],
        human(1),
        records[2],
        human(2),
        records[3],
        human(3),
        records[4],
        human(4),
        records[5],
        human(5),
        api(start(5)),
        api(start(300)),
        human(8),
    );
    assert_says(&run, 1, &text);
    english(&program);
    let run = program.run(&["verify"]).await;
    let told = stdout(&run);
    for words in [
        "6 bookings, 7 differences",
        "in the journal, not in the cache",
        "in the cache, not in the journal",
    ] {
        assert!(told.contains(words), "{words} in {told}");
    }
    assert!(!told.contains("90000000"), "{told}");
    let run = program
        .run(&["verify", "--json", "--company", "111111"])
        .await;
    let said: Value = serde_json::from_str(&stdout(&run)).unwrap();
    assert_eq!(said["same"], false);
    assert_eq!(said["companies"][0]["id"], SALON);
    assert_eq!(said["companies"][0]["listed"], 6);
    assert_eq!(
        said["companies"][0]["differences"][0],
        json!({
            "record_id": records[0],
            "datetime": api(later),
            "difference": "differs",
            "changes": {
                "datetime": {"old": api(start(0)), "new": api(later)},
                "staff_id": {"old": 5, "new": 6},
            },
        })
    );
    let kinds: Vec<&Value> = said["companies"][0]["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| &d["difference"])
        .collect();
    assert_eq!(
        kinds,
        [
            "differs",
            "differs",
            "differs",
            "not_in_journal",
            "not_in_journal",
            "differs",
            "not_in_cache"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_beside_the_running_program() {
    let (program, _) = read_once(2).await;
    let _daemon = program.daemon();
    book(&program, 5);
    program.green.wait_for(1).await;
    let run = program.run(&["verify"]).await;
    assert_eq!(
        run.status.code(),
        Some(0),
        "{}{}",
        stdout(&run),
        stderr(&run)
    );
    assert!(
        stdout(&run).contains("записей 3, расхождений нет"),
        "{}",
        stdout(&run)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_is_no_whole_one_is_an_error_and_nothing_is_missing() {
    let (program, _) = read_once(3).await;
    let faults = [
        (Fault::Truncated, "unreadable answer: JSON that breaks off"),
        (Fault::Status(502, String::new()), "HTTP 502"),
        (
            Fault::SuccessFalse("Не найдено".into()),
            "the listing of some days is no proof",
        ),
        (
            Fault::Empty200,
            "the listing left out a booking that is there when asked for by its id",
        ),
    ];
    for (fault, said) in faults {
        program.salon.set_fault(Route::Records, Some(fault.clone()));
        let run = program.run(&["verify"]).await;
        assert_says(&run, 1, "");
        let told = stderr(&run);
        assert!(
            told.contains("error: company 111111: "),
            "{fault:?}: {told}"
        );
        assert!(told.contains(said), "{fault:?}: {told}");
        assert!(told.contains("\nhint: "), "{fault:?}: {told}");
        let run = program.run(&["verify", "--json"]).await;
        let json: Value = serde_json::from_str(&stdout(&run)).unwrap();
        assert_eq!(json["same"], false);
        assert!(
            json["companies"][0]["error"]
                .as_str()
                .unwrap()
                .contains(said)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_robot_may_not_see_is_called_so() {
    let (program, records) = read_once(2).await;
    program.salon.hide_phones(SALON);
    let run = program.run(&["verify"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stdout(&run));
    program.salon.hide_staff(SALON, 5);
    let run = program.run(&["verify"]).await;
    let text = format!(
        "Малаховка ({SALON}), {}: записей 0, расхождений 2\n  \
         {} · {} · в базе есть, пользователю робота YClients её не показывает\n  \
         {} · {} · в базе есть, пользователю робота YClients её не показывает\n",
        span(),
        records[0],
        human(0),
        records[1],
        human(1),
    );
    assert_says(&run, 1, &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_company_in_trouble_leaves_the_others_compared() {
    let (program, _) = read_once(1).await;
    program
        .salon
        .add_company(222_222, "Вторая", "Москва", Zone::moscow());
    program.configure("[[companies]]\nid = 222222\nchannels = [\"whatsapp\"]");
    let run = program.run(&["verify"]).await;
    assert_eq!(run.status.code(), Some(1));
    assert!(
        stdout(&run).contains("записей 1, расхождений нет"),
        "{}",
        stdout(&run)
    );
    assert!(
        stderr(&run).contains("error: company 222222: its journal was never read whole"),
        "{}",
        stderr(&run)
    );
    let run = program.run(&["verify", "--company", "111111"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let run = program.run(&["verify", "--company", "3"]).await;
    assert_eq!(run.status.code(), Some(2));
    assert!(
        stderr(&run).contains("there are 111111, 222222"),
        "{}",
        stderr(&run)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_nothing_is_asked() {
    let program = Program::new().await;
    let run = program.run(&["verify"]).await;
    assert_eq!(run.status.code(), Some(1));
    assert!(stderr(&run).contains("\nhint: "), "{}", stderr(&run));
    assert_eq!(program.salon.requests().len(), 0);
    assert!(!program.database().exists());
}
