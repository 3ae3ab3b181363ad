//! Telegram's buttons: under a message, in an edit, and a press of one.

use booking_monitor::ports::{Button, EditOutcome, Edited, Incoming, Outgoing};
use serde_json::{Value, json};
use std::time::Duration;

use super::{common, next, telegram_at};
use crate::support::fake::Answer;
use crate::support::telegram::Telegram;

fn row(data: &str) -> Vec<Vec<Button>> {
    let button = |label: &str, data: String| Button {
        label: label.to_owned(),
        data,
    };
    vec![vec![
        button("Дошло", format!("{data}:y:0")),
        button("Ещё раз", format!("{data}:a:0")),
    ]]
}

fn edited(message_id: &str, text: &str, buttons: Vec<Vec<Button>>) -> Edited {
    Edited {
        to: "500".to_owned(),
        message_id: message_id.to_owned(),
        text: text.to_owned(),
        buttons,
    }
}

#[tokio::test]
async fn a_message_has_its_buttons_and_loses_them_in_an_edit() {
    let fake = Telegram::start().await;
    let channel = telegram_at(&fake.url, common()).channel;
    assert!(channel.has_buttons());
    let message = Outgoing {
        to: "500".to_owned(),
        text: "<b>Не знаю</b>".to_owned(),
        buttons: row("q1"),
        ..Outgoing::default()
    };
    channel.send(&message).await;
    let sent: Value = serde_json::from_str(&fake.requests()[0].body).unwrap();
    assert_eq!(
        sent["reply_markup"],
        json!({"inline_keyboard": [[
            {"text": "Дошло", "callback_data": "q1:y:0"},
            {"text": "Ещё раз", "callback_data": "q1:a:0"},
        ]]})
    );
    let id = fake.sent()[0].id.clone();
    let decided = edited(&id, "<b>Не знаю</b>\n✅ Дошло", Vec::new());
    assert_eq!(channel.edit(&decided).await, EditOutcome::Done);
    let standing = fake.standing("500");
    assert_eq!(standing[0].text, "<b>Не знаю</b>\n✅ Дошло");
    assert_eq!(standing[0].labels(), [""; 0]);
    // The same once more is no failure.
    assert_eq!(channel.edit(&decided).await, EditOutcome::Done);
    // A message that is gone will never stand so.
    for gone in [edited("99", "x", Vec::new()), edited("x", "x", Vec::new())] {
        let outcome = channel.edit(&gone).await;
        assert!(matches!(outcome, EditOutcome::Never { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn what_an_edit_is_answered_says_whether_to_try_again_and_never_the_token() {
    let fake = Telegram::start().await;
    let channel = telegram_at(&fake.url, common()).channel;
    let described = |status, text: &str| {
        Answer::http(
            status,
            &json!({"ok": false, "description": text}).to_string(),
        )
    };
    let token = crate::support::telegram::TOKEN;
    let again = [
        (described(401, "Unauthorized"), None),
        (described(404, "Not Found"), None),
        (
            described(500, &format!("Internal Server Error at /bot{token}/")),
            None,
        ),
        (Answer::http(403, "<html>proxy</html>"), None),
        (Answer::Drop { taken: false }, None),
        (
            Answer::http(
                429,
                r#"{"ok":false,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#,
            ),
            Some(Duration::from_secs(8)),
        ),
    ];
    for (answer, pause) in again {
        fake.answer_next_edit(answer.clone());
        match channel.edit(&edited("1", "x", Vec::new())).await {
            EditOutcome::Later { after, why } => {
                assert_eq!(after, pause, "{answer:?}");
                assert!(!why.contains("CANARY"), "{why}");
            }
            other => panic!("{answer:?}: {other:?}"),
        }
    }
    for text in [
        "Bad Request: message can't be edited",
        "Forbidden: bot was blocked by the user",
    ] {
        let status = if text.starts_with("Bad") { 400 } else { 403 };
        fake.answer_next_edit(described(status, text));
        let outcome = channel.edit(&edited("1", "x", Vec::new())).await;
        assert!(matches!(outcome, EditOutcome::Never { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_press_is_read_and_answered_and_one_without_a_message_is_let_go() {
    let fake = Telegram::start().await;
    let built = telegram_at(&fake.url, common());
    let (channel, receiver) = (built.channel, built.receiver.unwrap());
    let press = fake.press(500, "q1:y:0");
    assert_eq!(
        next(&receiver).await,
        Some(Incoming::Pressed {
            press_id: press.clone(),
            chat_id: "500".to_owned(),
            message_id: "1".to_owned(),
            sent_at: None,
            sender: "500".to_owned(),
            is_private: true,
            data: "q1:y:0".to_owned(),
        })
    );
    assert_eq!(channel.answer_press(&press, "Дошло.").await, Ok(()));
    assert_eq!(fake.answered(&press).unwrap(), "Дошло.");
    // Telegram takes no longer text; a longer one is cut, not lost.
    assert_eq!(channel.answer_press(&press, &"я".repeat(300)).await, Ok(()));
    assert_eq!(fake.answered(&press).unwrap().chars().count(), 200);
    let late = channel.answer_press("unknown", "Дошло.").await;
    assert!(late.unwrap_err().contains("query is too old"));
    fake.press_in(&json!({"id": -700, "type": "supergroup"}), 41, "q2:a:0");
    let Some(Incoming::Pressed {
        sender, is_private, ..
    }) = next(&receiver).await
    else {
        panic!("no press");
    };
    assert_eq!((sender.as_str(), is_private), ("41", false));
    for query in [
        json!({"id": "1", "from": {"id": 500}, "message": {"chat": {"id": 500}}, "data": "q1:y:0"}),
        json!({"id": "1", "from": {"id": 500}, "inline_message_id": "x", "data": "q1:y:0"}),
        json!({"id": "1", "from": {"id": 500}, "message": {"chat": {"id": 500}}, "game_short_name": "x"}),
        json!({}),
        Value::Null,
    ] {
        fake.push_update(json!({ "callback_query": query }));
        let read = next(&receiver).await;
        assert!(matches!(read, Some(Incoming::Other { .. })), "{read:?}");
    }
}

#[tokio::test]
async fn a_bot_that_reads_nothing_has_no_buttons() {
    let mut deaf = common();
    deaf.receive = false;
    assert!(
        !telegram_at("http://127.0.0.1:1", deaf)
            .channel
            .has_buttons()
    );
}

#[tokio::test]
async fn updates_are_read_although_telegram_numbers_them_anew() {
    let fake = Telegram::start().await;
    let receiver = telegram_at(&fake.url, common()).receiver.unwrap();
    for n in 1..=5 {
        fake.push_text(500, &format!("слово {n}"));
        assert!(matches!(next(&receiver).await, Some(Incoming::Text { .. })));
    }
    // Asked once more, Telegram forgets what was read.
    assert!(receiver.receive(Duration::ZERO).await.unwrap().is_none());
    fake.number_anew();
    for n in 6..=7 {
        let said = format!("слово {n}");
        fake.push_text(500, &said);
        match next(&receiver).await {
            Some(Incoming::Text { text, .. }) => assert_eq!(text, said),
            other => panic!("{other:?}"),
        }
    }
}
