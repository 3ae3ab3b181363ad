//! `log`: the words of its cells are those of its heads; `--json` keeps those of the database.

use crate::support::program::{Program, stdout};

/// What was told, and what was not, at moments that never change.
const TOLD: &str = "
    INSERT INTO booking_notifications
      (company_id, record_id, visit_id, unit, phone, recipient, channel, first_change_at, changed_at,
       due_at, created_at, kind, status, reason, superseded_by, message, last_error)
    SELECT 111111, CASE kind WHEN 'owner' THEN 0 ELSE 1213336367 END, 0, 'r', phone, CASE kind WHEN 'owner' THEN '123456789' ELSE phone END, channel,
           at, at, at, at, kind, status, reason, superseded_by, message, last_error
      FROM (SELECT '2026-08-21T11:30:00.000Z' AS at, column1 AS phone, column2 AS channel,
                   column3 AS kind, column4 AS status, column5 AS reason, column6 AS superseded_by,
                   column7 AS message, column8 AS last_error
              FROM (VALUES
      ('+79000000001', 'whatsapp', 'created', 'read', NULL, NULL, '', NULL),
      ('+79000000001', '', 'updated', 'suppressed', 'superseded', 1, '', NULL),
      ('+79000000002', 'whatsapp', 'cancelled', 'held', NULL, NULL, '', NULL),
      ('+79000000003', 'telegram', 'reminder', 'suppressed', 'test_mode', NULL, '⏰ *Напоминание*' || char(10) || 'Завтра', NULL),
      ('+79000000004', 'whatsapp', 'created', 'pending', NULL, NULL, '', 'cannot connect: Connection refused (os error 111)'),
      ('', 'owners', 'owner', 'uncertain', NULL, NULL, '', 'timed out'),
      ('+79000000005', 'whatsapp', 'correction', 'dead', NULL, NULL, '', 'HTTP 400: no such account'),
      ('', '', 'created', 'suppressed', 'no_phone', NULL, '', 'too short for a number')))";

const RUSSIAN: &str = "\
────────────────────────────────────────────────────────────────────────────────
 №   Когда            О чём, запись   Кому               Исход
════════════════════════════════════════════════════════════════════════════════
 8   21.08 14:30:00   запись          —                  не отправлено: нет
                      1213336367                         телефона (слишком
                                                         короткий)
────────────────────────────────────────────────────────────────────────────────
 7   21.08 14:30:00   не тот номер    whatsapp           не дошло: HTTP 400: no
                      1213336367      +7 *** ***-**-05   such account
────────────────────────────────────────────────────────────────────────────────
 6   21.08 14:30:00   владельцу       owners 123456789   неизвестно, дошло ли:
                                                         нет ответа вовремя
────────────────────────────────────────────────────────────────────────────────
 5   21.08 14:30:00   запись          whatsapp           ждёт: нет соединения:
                      1213336367      +7 *** ***-**-04   там никто не слушает
                                                         (os error 111)
────────────────────────────────────────────────────────────────────────────────
 4   21.08 14:30:00   напоминание     telegram           не отправлено: включён
                      1213336367      +7 *** ***-**-03   тестовый режим
                                                         ⏰ *Напоминание*
────────────────────────────────────────────────────────────────────────────────
 3   21.08 14:30:00   отмена          whatsapp           придержано: массовое
                      1213336367      +7 *** ***-**-02   изменение: решает
                                                         владелец
────────────────────────────────────────────────────────────────────────────────
 2   21.08 14:30:00   изменение       +7 *** ***-**-01   не отправлено: вошло в
                      1213336367                         сообщение № 1
────────────────────────────────────────────────────────────────────────────────
 1   21.08 14:30:00   запись          whatsapp           прочитано
                      1213336367      +7 *** ***-**-01
────────────────────────────────────────────────────────────────────────────────";

const ENGLISH: &str = "\
────────────────────────────────────────────────────────────────────────────────
 №   When             Kind, record   To                 Outcome
════════════════════════════════════════════════════════════════════════════════
 8   21.08 14:30:00   booking        —                  not sent: no phone (it
                      1213336367                        is too short)
────────────────────────────────────────────────────────────────────────────────
 7   21.08 14:30:00   wrong number   whatsapp           did not arrive: HTTP
                      1213336367     +7 *** ***-**-05   400: no such account
────────────────────────────────────────────────────────────────────────────────
 6   21.08 14:30:00   to the owner   owners 123456789   did it arrive? timed
                                                        out
────────────────────────────────────────────────────────────────────────────────
 5   21.08 14:30:00   booking        whatsapp           waiting: cannot
                      1213336367     +7 *** ***-**-04   connect: Connection
                                                        refused (os error 111)
────────────────────────────────────────────────────────────────────────────────
 4   21.08 14:30:00   reminder       telegram           not sent: test mode is
                      1213336367     +7 *** ***-**-03   on
                                                        ⏰ *Напоминание*
────────────────────────────────────────────────────────────────────────────────
 3   21.08 14:30:00   cancellation   whatsapp           held back: a mass
                      1213336367     +7 *** ***-**-02   change: the owner
                                                        decides
────────────────────────────────────────────────────────────────────────────────
 2   21.08 14:30:00   change         +7 *** ***-**-01   not sent: part of
                      1213336367                        message № 1
────────────────────────────────────────────────────────────────────────────────
 1   21.08 14:30:00   booking        whatsapp           read
                      1213336367     +7 *** ***-**-01
────────────────────────────────────────────────────────────────────────────────";

/// The table, without the spaces at the ends of its lines.
async fn shown(program: &Program) -> String {
    let table = stdout(&program.run(&["log"]).await);
    let lines: Vec<&str> = table.lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_the_log_speaks_the_language_of_its_head_and_json_that_of_the_database() {
    let program = Program::new().await;
    program.run(&["--once"]).await;
    program.sql(TOLD);
    assert_eq!(shown(&program).await, RUSSIAN);
    let config = std::fs::read_to_string(program.config()).unwrap();
    program.write(&format!("language = \"en\"\n{config}"));
    assert_eq!(shown(&program).await, ENGLISH);
    let json = stdout(&program.run(&["log", "--json"]).await);
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    let words = rows.as_array().unwrap().iter().map(|row| {
        let word = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        [word("kind"), word("status"), word("reason")].join(" ")
    });
    assert_eq!(
        words.collect::<Vec<_>>(),
        [
            "created suppressed no_phone",
            "correction dead -",
            "owner uncertain -",
            "created pending -",
            "reminder suppressed test_mode",
            "cancelled held -",
            "updated suppressed superseded",
            "created read -",
        ]
    );
}
