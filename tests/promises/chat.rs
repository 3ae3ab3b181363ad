//! `chat`: the same conversation in a terminal.

use std::time::Duration;

fn chat(args: &[&str], typed: &str) -> assert_cmd::assert::Assert {
    let mut command = assert_cmd::Command::cargo_bin("booking-monitor").unwrap();
    command.arg("chat").args(args).write_stdin(typed.to_owned());
    command.env(
        "BOOKING_MONITOR_CONFIG",
        "/nonexistent/booking-monitor.toml",
    );
    command.env("BOOKING_MONITOR_LOG", "error");
    command.timeout(Duration::from_secs(60)).assert()
}

#[test]
fn the_simulated_salon_is_talked_with_from_prices_to_a_booking() {
    let done = chat(
        &["--demo", "--as", "+79000000030"],
        "Сколько стоит стрижка?\nЗапишите на 12:00\nда\n",
    )
    .success();
    let shown = String::from_utf8(done.get_output().stdout.clone()).unwrap();
    for part in [
        "МУЖСКАЯ СТРИЖКА, 2000 руб, 1 ч\n",
        "  · смотрел: prices\n",
        "Записываю:\n📅 ",
        "💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари\n💰 Стоимость: 2000 руб\nВсё верно? Ответьте *да*.\n",
        "✅ *Вы записаны!*\n",
    ] {
        assert!(shown.contains(part), "{part}\n is missing in\n{shown}");
    }
}

#[test]
fn who_shows_no_number_is_asked_for_it_when_a_booking_is_to_be_read() {
    let done = chat(&["--demo"], "Когда я записан?\n").success();
    let shown = String::from_utf8(done.get_output().stdout.clone()).unwrap();
    assert!(
        shown.contains("Для этого нужен ваш номер. Нажмите кнопку, чтобы прислать его.\n"),
        "{shown}"
    );
}

#[test]
fn without_a_company_there_is_nobody_to_talk_with() {
    chat(&[], "").code(2);
}
