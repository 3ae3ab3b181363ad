//! What a newcomer sees first: the demonstration, as a script gets it through a pipe.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use booking_monitor::store::Lock;

/// The demonstration with these arguments, in an environment that could mislead it.
fn demo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_booking-monitor"));
    command.arg("demo").args(args);
    // Nothing answers there: whoever asks the proxy, asks in vain.
    command.env("HTTP_PROXY", "http://127.0.0.1:9");
    command.env("http_proxy", "http://127.0.0.1:9");
    command.env(
        "BOOKING_MONITOR_CONFIG",
        "/nonexistent/booking-monitor.toml",
    );
    command
}

fn fast(args: &[&str]) -> Output {
    let mut all = vec!["--fast"];
    all.extend(args);
    assert_cmd::Command::from_std(demo(&all))
        .timeout(Duration::from_secs(60))
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The day of the first message that has one; the others follow from it.
fn first_day(shown: &str) -> &str {
    let line = shown.lines().find_map(|l| l.strip_prefix("📅 ")).unwrap();
    line.strip_suffix(" в 14:30").unwrap()
}

#[test]
fn a_pipe_gets_the_whole_story_in_plain_text() {
    let shown = text(&fast(&[]));
    let day = first_day(&shown);
    let created = format!(
        "── WhatsApp → +7 *** ***-**-01
✅ *Вы записаны!*

📅 {day} в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇

3. Два переноса подряд — одно сообщение
"
    );
    assert!(shown.contains(&created), "{shown}");
    for part in [
        "
── тишина: запись была до начала наблюдения
   Прежних клиентов первый запуск не тревожит.
",
        "
   × Степан: запись снята
── тишина: ничего нового
   Запись исчезла раньше, чем о ней рассказали.
",
        "
── тишина: ничего нового
   Всё осталось так, как клиент и помнит.
",
        "
── тишина: записал бот, он уже сообщил
   Второе сообщение о том же было бы лишним.
",
        "
── тишина: нет телефона
   Написать некуда; причина сохранена в базе.
",
        "
🔄 *Вас примет другой мастер*

👤 ~Бари~ → *Тимур*
",
        "
  Событий в журнале                             12
  Сообщений клиентам                             9
  Не сообщили                                   16
    записал бот, он уже сообщил                  1
    запись была до начала наблюдения            12
    нет телефона                                 1
    ничего нового                                2
",
        "
── Павел пишет: Не смогу
── WhatsApp → +7 *** ***-**-15
Готово, ваша запись на ",
        "
── Егор пишет: Сколько стоит стрижка?
── WhatsApp → +7 *** ***-**-30
МУЖСКАЯ СТРИЖКА, 2000 руб, 1 ч
МОДЕЛИРОВАНИЕ БОРОДЫ, 1200 руб, 30 мин
── Егор пишет: Запишите на 12:00
── WhatsApp → +7 *** ***-**-30
Записываю:
",
        "
Всё верно? Ответьте *да*.
── Егор пишет: да
── WhatsApp → +7 *** ***-**-30
✅ *Вы записаны!*
",
        "booking-monitor init",
    ] {
        assert!(shown.contains(part), "{part}\n is missing in\n{shown}");
    }
    assert_eq!(shown.matches("Запись перенесена").count(), 1, "{shown}");
    assert_eq!(shown.matches("── WhatsApp").count(), 9, "{shown}");
    assert!(!shown.contains('\x1b'), "escape codes in a pipe");
    assert!(!shown.contains("79000000"), "a whole phone");
}

#[test]
fn a_database_that_is_kept_serves_a_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.db");
    let argument = file.to_str().unwrap();
    for _ in 0..2 {
        let shown = text(&fast(&["--db", argument]));
        assert!(shown.contains("  Сообщений клиентам                             9\n"));
        assert!(shown.contains(&format!("База сохранена: {argument}\n")));
    }
    let conn = booking_monitor::store::open_reader(&file).unwrap();
    let count = |sql: &str| -> i64 { conn.query_row(sql, [], |r| r.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM companies"), 2);
    assert_eq!(
        count("SELECT count(*) FROM booking_notifications WHERE status = 'sent'"),
        18
    );
    // What is kept holds nothing that is still to come.
    assert_eq!(
        count(
            "SELECT count(*) FROM booking_notifications
              WHERE max(created_at, sent_at) > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
        ),
        0
    );
}

#[test]
fn a_database_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.db");
    let _lock = Lock::take(&file).unwrap();
    let output = fast(&["--db", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(75));
    assert_eq!(output.stdout, b"");
    assert!(!Path::new(&file).exists());
}

#[tokio::test]
async fn a_database_of_real_companies_is_left_alone() {
    use booking_monitor::store::{Store, companies};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("booking-monitor.db");
    let store = Store::open(&file).await.unwrap();
    store
        .write(|tx| companies::ensure(tx, 962_302))
        .await
        .unwrap();
    store.close().await.unwrap();
    let output = fast(&["--db", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("holds real companies\n\nhint: "), "{told}");
}

#[test]
fn a_reader_who_leaves_early_ends_it_without_an_error() {
    let mut child = demo(&["--fast"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "Барбершоп на Южной — Малаховка, Южная улица, 38\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
