//! Every command of the program, run as a person or a script runs it, against a database made by a
//! salon to which everything happened that can happen to one: beside a running daemon, and with none.

mod drain;
mod figures;
mod log;
mod run;
mod salon;
mod stories;
mod terminal;

use crate::support::world::SALON;
use run::{Row, refused, row};
use salon::{BRANCH, FaultySalon};

/// What is only looked at: the same beside a daemon and without one.
fn looks(salon: &FaultySalon) -> Vec<Row> {
    let told_id = salon.fates.told;
    let told = told_id.to_string();
    let company = SALON.to_string();
    vec![
        row(&["status"], 1).says(&["Не всё в порядке", "Малаховка", "whatsapp", "events.jsonl"]),
        row(&["status", "--json"], 1).keys(&["companies", "channels", "outbox", "messages"]),
        row(&["explain", &told], 0).says(&["решено отправить", "прочитано"]),
        row(&["explain", &told, "--company", &company, "--json"], 0).keys(&[
            "company_id",
            "record_id",
            "events",
            "notifications",
            "reminders",
        ]),
        row(&["explain", "5"], 1).warns("record 5 was never seen"),
        refused(&["explain", &told, "--company", "5"], "no company 5"),
        row(&["explain", &told, "--company", &BRANCH.to_string()], 1).warns("never seen"),
        refused(&["explain", "one"], "invalid value"),
        row(&["log"], 0).says(&["запись", "отмена", "+7 *** ***-**-"]),
        row(&["log", "--limit", "5", "--json"], 0).keys(&[
            "id",
            "kind",
            "recipient",
            "channel",
            "status",
            "reason",
            "created_at",
        ]),
        row(&["log", "--status", "suppressed"], 0).says(&[
            "телефона (слишком",
            "отписался",
            "считается записью",
        ]),
        row(&["log", "--status", "suppressed", "--json"], 0).says(&[
            "\"no_phone\"",
            "\"opted_out\"",
            "\"ignored\"",
        ]),
        row(&["log", "--company", &BRANCH.to_string()], 0).says(&["Ничего нет."]),
        refused(&["log", "--company", "5"], "no company 5 is configured"),
        refused(
            &["log", "--status", "nope"],
            "one of pending, held, sending",
        ),
        refused(&["log", "--limti", "5"], "--limit perhaps"),
        row(&["messages"], 0).says(&["стоп", "отмена", "А можно на час позже?"]),
        row(&["messages", "--json"], 0).keys(&["id", "channel", "direction", "text"]),
        row(&["messages", "--phone", "89000000007"], 0).says(&["стоп"]),
        refused(&["messages", "--phone", "12"], "--phone"),
        refused(
            &["messages", "--channel", "nope"],
            "there are whatsapp, telegram",
        ),
        row(&["messages", "--channel", "telegram"], 0).says(&["Ничего нет."]),
        row(&["inbox"], 0).says(&["А можно на час позже?", "ждёт"]),
        row(&["inbox", "--unanswered", "--json"], 0).keys(&["unanswered", "text"]),
        refused(&["inbox", "--channel", "nope"], "no channel \"nope\""),
        row(&["preview", "created"], 0).says(&["*Вы записаны!*"]),
        row(&["preview", "created", "--channel", "telegram"], 0).says(&["*Вы записаны!*"]),
        row(&["preview", "updated", "--record", &told], 0)
            .says(&[&salon.day_of(told_id), "в 14:00"]),
        refused(&["preview", "nope"], "one of created, updated"),
        refused(
            &["preview", "created", "--channel", "nope"],
            "no channel \"nope\"",
        ),
        refused(&["preview", "created", "--company", "5"], "no company 5"),
        row(&["check"], 0).says(&["база цела"]),
        row(&["check", "--online"], 0).says(&["Малаховка"]),
        row(&["verify"], 1).says(&["пользователю робота YClients её не показывает"]),
        row(&["verify", "--json"], 1).keys(&["same", "companies"]),
        row(&["verify", "--company", &BRANCH.to_string()], 0),
        refused(&["verify", "--company", "5"], "no company 5"),
        row(&["templates", "suggest"], 0)
            .says(&["booking_created"])
            .shows_phones(),
        row(&["db", "check"], 0).says(&["База цела."]),
        row(&["completions", "bash"], 0).says(&["booking-monitor"]),
        row(&["man"], 0).says(&["booking\\-monitor"]),
        row(&["demo", "--fast"], 0).says(&["Сообщений клиентам"]),
        row(&["chat", "--demo"], 0),
        refused(&["chat", "--company", "5"], "no company 5"),
        refused(&["chat", "--company", &company], "[agent]"),
        row(
            &[
                "receive-test",
                "--channel",
                "whatsapp",
                "--phone",
                "+79000000001",
                "--text",
                "стоп",
            ],
            0,
        )
        .says(&["Правило"])
        .shows_phones(),
        refused(
            &[
                "receive-test",
                "--channel",
                "nope",
                "--phone",
                "+79000000001",
                "--text",
                "да",
            ],
            "no channel \"nope\"",
        ),
        refused(&["bogus"], "unrecognized subcommand"),
        refused(&["statsu"], "status perhaps"),
        refused(&["--drain"], "--once"),
        refused(&["--once", "status"], "--once stands alone"),
        row(&["--help"], 0).says(&["explain"]),
        row(&["--version"], 0).says(&["booking-monitor"]),
    ]
}

/// What changes something, in an order in which each finds something to do.
fn deeds(salon: &FaultySalon) -> Vec<Row> {
    let uncertain = salon.number_of(salon.fates.uncertain).to_string();
    let copy = salon.world.folder.path().join("another.db");
    let copy = copy.to_str().unwrap();
    let old = salon.world.folder.path().join("copy.db");
    let old = old.to_str().unwrap();
    let to = ["--company", "111111", "--phone", "+79000000001"];
    vec![
        row(&["pause", "--company", "111111", "--for", "2h"], 0).says(&["Пауза (салон 111111)"]),
        row(&["status"], 1).says(&["Пауза (салон 111111): ещё"]),
        row(&["resume", "--company", "222222"], 0).says(&["Такой паузы не было."]),
        row(&["resume"], 0).says(&["Снято пауз: 1"]),
        refused(&["pause", "--company", "5"], "no company 5"),
        refused(&["pause", "--for", "soon"], "write it as 30m, 2h or 3d"),
        refused(&["resume", "--phone", "12"], "write it whole"),
        row(&["release"], 0).says(&["Отпущено сообщений: 8"]),
        row(&["release"], 0).says(&["Ничего не придержано."]),
        row(&["release", "--discard", "--company", "111111"], 0).says(&["Ничего не придержано."]),
        row(&["release", "--hidden"], 0).says(&["YClients отвечает 403, записей: 1"]),
        refused(&["release", "--company", "5"], "no company 5"),
        refused(&["release", "--hidden", "--discard"], "cannot be used"),
        row(&["retry", &uncertain], 0).says(&["Уйдут ещё раз: 1"]),
        row(&["retry", "99999"], 1)
            .says(&["Уйдут ещё раз: 0"])
            .warns("99999"),
        row(&["retry", "--dead"], 0).says(&["Уйдут ещё раз: "]),
        refused(&["retry"], "required"),
        row(&[&["send-test"], &to[..]].concat(), 0).says(&["Отправлено: №"]),
        row(&[&["send-test", "--channel", "desk"], &to[..]].concat(), 0)
            .says_once("*Вы записаны!*"),
        row(
            &[&["send-test", "--channel", "telegram"], &to[..]].concat(),
            1,
        )
        .says(&["Не отправлено: №", "нет канала связи"])
        .warns("nothing went out"),
        refused(
            &["send-test", "--company", "5", "--phone", "+79000000001"],
            "no company 5",
        ),
        refused(
            &[&["send-test", "--event", "nope"], &to[..]].concat(),
            "unknown event",
        ),
        refused(
            &[&["send-test", "--channel", "nope"], &to[..]].concat(),
            "no channel",
        ),
        refused(
            &[&["send-test", "--datetime", "завтра"], &to[..]].concat(),
            "2026-08-21 14:30",
        ),
        row(&["db", "backup", copy], 0),
        row(&["db", "backup", copy], 1).warns("exists"),
        row(&["db", "prune"], 0).says(&["Удалено"]),
        row(&["db", "prune", "--messages", "nope"], 1).warns("no channel"),
        row(&["forget", "89000000013"], 0)
            .says(&["стёрто имя и телефон"])
            .alone(),
        row(&["forget", "+79000000077"], 0)
            .says(&["стирать нечего"])
            .alone(),
        refused(&["forget", "12"], "write it whole"),
        row(&["--once"], 0).alone(),
        row(&["db", "restore", old], 0).alone(),
        row(&["db", "restore", "/nonexistent.db"], 1).warns("no file at"),
        row(&["--once", "--drain"], 0).alone(),
        row(&["db", "accept"], 0).alone(),
        row(&["--once"], 0).alone(),
    ]
}

/// Rows of the table that went wrong, one after the other.
async fn problems(salon: &FaultySalon, rows: Vec<Row>, daemon: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        wrong.extend(row.problems(salon, daemon).await);
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_does_what_the_contract_says_beside_a_daemon_and_without_one() {
    let mut salon = FaultySalon::new().await;
    let mut wrong = stories::problems(&salon).await;
    wrong.extend(figures::problems(&salon).await);
    salon.leave().await;
    wrong.extend(salon.wrong_clocks().await);
    wrong.extend(problems(&salon, looks(&salon), false).await);
    wrong.extend(problems(&salon, deeds(&salon), false).await);
    assert_eq!(wrong.len(), 0, "{}", wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_daemon_everything_works_but_what_needs_the_database_for_itself() {
    let mut salon = FaultySalon::new().await;
    salon.leave().await;
    let daemon = salon.daemon().await;
    let locked = deeds(&salon).into_iter().chain([row(&["run"], 0).alone()]);
    let locked = locked.filter(Row::needs_the_database).collect();
    let mut wrong = problems(&salon, looks(&salon), true).await;
    wrong.extend(problems(&salon, locked, true).await);
    daemon.signal("TERM");
    let (status, log) = daemon.end(std::time::Duration::from_secs(20)).await;
    assert!(status.success(), "{log}");
    assert!(
        !log.contains("79000000") && !log.contains(salon::NAME),
        "{log}"
    );
    assert_eq!(wrong.len(), 0, "{}", wrong.join("\n\n"));
}
