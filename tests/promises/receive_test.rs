//! `receive-test`: what would follow from a message, and nothing that does.

use crate::support::program::{Program, stderr, stdout};
use crate::support::world::SALON;
use booking_monitor::ports::{Clock as _, SystemClock};

const REST: &str = r#"
owner = [{ channel = "desk", to = "desk" }]
recent_activity = "10m"
replies = { write = true, cancel = "self" }
[channels.desk]
type = "console"
"#;

/// Every row of the database but those of `messages`.
fn rows(program: &Program) -> Vec<String> {
    let tables = [
        "booking_notifications",
        "contacts",
        "opt_outs",
        "writes",
        "talks",
        "questions",
        "known",
    ];
    let count = |table: &&str| program.rows(&format!("SELECT '{table} ' || count(*) FROM {table}"));
    tables.iter().flat_map(count).collect()
}

async fn watched() -> Program {
    let program = Program::new().await;
    program.configure(REST);
    assert_eq!(program.run(&["--once"]).await.status.code(), Some(0));
    program.book();
    assert_eq!(program.run(&["--once"]).await.status.code(), Some(0));
    program
}

#[tokio::test]
async fn each_step_is_shown_and_one_row_in_messages_is_all_that_stays() {
    let program = watched().await;
    let before = rows(&program);
    for (text, rule) in [
        ("Не смогу", "Правило: клиент не придёт"),
        ("стоп", "Правило: СТОП: больше не писать"),
        ("ок", "Правило: принято к сведению, ответа не ждут"),
        ("А можно с собакой?", "Правило: слова, их читает человек"),
    ] {
        let output = program
            .run(&[
                "receive-test",
                "--channel",
                "whatsapp",
                "--phone",
                "79000000001",
                "--text",
                text,
            ])
            .await;
        let said = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        for line in [
            "Сообщение получено: whatsapp, +7 *** ***-**-01",
            rule,
            "Запись: ",
            "Владельцу (desk)",
        ] {
            assert!(said.contains(line), "{line} in {said}");
        }
    }
    assert_eq!(rows(&program), before);
    assert_eq!(
        program.rows("SELECT count(*) || ' ' || min(external_id LIKE 'test-%') FROM messages"),
        ["4 1"]
    );
    assert!(program.green.sent().is_empty());
}

async fn tried(program: &Program, text: &str) -> (String, String) {
    let phone = ["--phone", "+79000000001", "--text", text];
    let call = [&["receive-test", "--channel", "whatsapp"], &phone[..]].concat();
    let output = program.run(&call).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    (stdout(&output), stderr(&output))
}

#[tokio::test]
async fn what_is_answered_after_a_look_into_the_journal_is_shown_as_it_would_be() {
    for (settings, text, lines) in [
        (
            "replies = { write = false }",
            "буду",
            [
                "Журнал: только читаем (replies.write = false)",
                "Клиенту: Спасибо, ждём вас! 🤍",
            ],
        ),
        (
            "replies = { write = true }",
            "буду",
            [
                "Журнал: отметить, что клиент придёт",
                "Клиенту: Спасибо, ждём вас! 🤍",
            ],
        ),
        (
            "replies = { write = true, cancel = \"self\" }",
            "не смогу",
            ["Журнал: отменить запись", "Клиенту: Готово, ваша запись на"],
        ),
        (
            "replies = { write = true }",
            "не смогу",
            [
                "Журнал: решает владелец",
                "Клиенту: Понятно. Передаю администратору",
            ],
        ),
    ] {
        let program = Program::new().await;
        program.configure(&REST.replace("replies = { write = true, cancel = \"self\" }", settings));
        program.run(&["--once"]).await;
        program.book();
        program.run(&["--once"]).await;
        let before = rows(&program);
        let (said, logged) = tried(&program, text).await;
        for line in lines {
            assert!(said.contains(line), "{line} in {said}");
        }
        assert!(!said.contains("Клиенту: ничего"), "{said}");
        // Nothing of it happened, so nothing of it is logged.
        assert!(!logged.contains("asks for a change"), "{logged}");
        assert_eq!(rows(&program), before);
        // What the real way would say to the owner stands there, too.
        assert!(said.contains("Владельцу (desk): "), "{said}");
    }
}

#[tokio::test]
async fn a_single_run_does_what_a_client_wants_and_explain_tells_of_it() {
    let program = Program::new().await;
    program.configure(REST);
    assert_eq!(program.run(&["--once"]).await.status.code(), Some(0));
    let record = program.book();
    let told = program.run(&["--once", "--drain"]).await;
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    program
        .green
        .push_text_at("79000000001", "Не смогу", SystemClock.now());
    let done = program.run(&["--once"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let row = program.salon.row(SALON, record).unwrap();
    assert_eq!(row["deleted"], true);
    let sent = program.green.sent();
    assert_eq!(sent.len(), 2);
    assert!(
        sent[1].text.starts_with("Готово, ваша запись на"),
        "{}",
        sent[1].text
    );
    let told = stdout(&program.run(&["explain", &record.to_string()]).await);
    for line in [
        "клиент просит отменить: пишем в журнал сами",
        "в журнале так и стоит",
    ] {
        assert!(told.contains(line), "{line} in {told}");
    }
    let json = stdout(
        &program
            .run(&["explain", &record.to_string(), "--json"])
            .await,
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["asked"][0]["state"], "done");
    assert_eq!(json["asked"][0]["tries"], 1);
    // What the client wrote waits for nobody.
    let waiting = stdout(&program.run(&["inbox", "--unanswered", "--json"]).await);
    assert_eq!(waiting.trim(), "[]");
}

#[tokio::test]
async fn a_channel_that_nobody_has_is_named_in_the_error() {
    let program = watched().await;
    let output = program
        .run(&[
            "receive-test",
            "--channel",
            "watsapp",
            "--phone",
            "+79000000001",
            "--text",
            "да",
        ])
        .await;
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("there are whatsapp, desk"),
        "{}",
        stderr(&output)
    );
}
