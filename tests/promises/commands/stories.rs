//! `explain` read aloud: whatever became of a booking, its story says so, with the reason, in order.

use super::salon::FaultySalon;
use crate::support::program::stdout;

/// The story without its times and line ends.
async fn story(salon: &FaultySalon, record: i64) -> String {
    let call = ["explain".to_owned(), record.to_string()];
    let told = stdout(&salon.run(&call).await);
    let words: Vec<&str> = told
        .split_whitespace()
        .filter(|word| !is_date(word) && !is_time(word))
        .collect();
    words.join(" ")
}

fn is_date(word: &str) -> bool {
    word.len() == 10 && word.matches('.').count() == 2
}

fn is_time(word: &str) -> bool {
    word.len() == 8 && word.matches(':').count() == 2
}

/// Every part stands there, each behind the one before it.
fn problem(told: &str, parts: &[&str]) -> Option<String> {
    let mut rest = told;
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return Some(format!("{part:?} is missing, or too early, in\n{told}")),
        }
    }
    None
}

const BASELINE: &str = "впервые увидена; клиент считается знающим о ней, сообщения нет";
const APPEARED: &str = "в журнале появилась";

/// What the story of each fate has to say, in order.
pub(crate) async fn problems(salon: &FaultySalon) -> Vec<String> {
    let f = &salon.fates;
    let all: Vec<(i64, &[&str])> = vec![
        (f.old, &[BASELINE, "напоминание (24h) о визите", ": будет"]),
        (
            f.old_and_moved,
            &[
                BASELINE,
                "в журнале изменилась: время",
                "→",
                "(изменение): решено отправить: whatsapp",
                "принято",
            ],
        ),
        (
            f.told,
            &[
                APPEARED,
                "(запись): решено отправить",
                "попытка 1 → whatsapp: принято",
                "доставлено",
                "прочитано",
                "клиент написал (whatsapp): «А можно на час позже?»",
            ],
        ),
        (
            f.by_bot,
            &[
                "записана ботом",
                APPEARED,
                "(запись): не отправлено — записал бот, он уже сообщил",
                "(владельцу, копия №",
            ],
        ),
        (
            f.no_phone,
            &["У клиента нет телефона", "не отправлено — нет телефона"],
        ),
        (
            f.bad_phone,
            &[
                "Номер клиента не годится: слишком короткий",
                "не отправлено — нет телефона (слишком короткий)",
            ],
        ),
        (
            f.visit,
            &[APPEARED, "(запись): решено отправить", "принято"],
        ),
        (
            f.visit_too,
            &[
                APPEARED,
                "не отправлено — вошло в сообщение №",
                "(запись): решено отправить",
                "принято",
            ],
        ),
        (
            f.there_and_back,
            &[
                APPEARED,
                "принято",
                "в журнале изменилась: время",
                "в журнале изменилась: время",
                "(изменение): не отправлено — ничего нового",
            ],
        ),
        (
            f.opted_out,
            &[
                APPEARED,
                "принято",
                "клиент написал (whatsapp): «стоп»",
                "(ответ): решено отправить",
                "в журнале изменилась",
                "не отправлено — клиент отписался",
            ],
        ),
        (
            f.called_off,
            &[
                "клиент написал (whatsapp): «отмена»",
                "клиент просит отменить: пишем в журнал сами",
                "из журнала удалена (по просьбе клиента, нами)",
                "в журнале так и стоит",
                "не будет — записи больше нет",
                "(ответ): решено отправить",
            ],
        ),
        (
            f.ignored,
            &["не отправлено — не считается записью", "monitor.ignore"],
        ),
        (
            f.uncertain,
            &[
                "решено отправить",
                "связь оборвалась, неизвестно, ушло ли",
                "отправить ли ещё раз, решает владелец (booking-monitor retry",
            ],
        ),
        (f.dead, &["(запись): решено отправить", "не дошло"]),
        (
            f.quiet,
            &[
                APPEARED,
                "(запись): решено отправить",
                "(тихие часы)",
                "попытка 1 → whatsapp: принято",
            ],
        ),
        (
            f.held,
            &[
                BASELINE,
                "из журнала удалена",
                "(отмена): придержано защитой от массовых изменений, решает владелец",
            ],
        ),
        (
            f.hidden,
            &[
                BASELINE,
                "Сейчас записи в журнале не видно",
                "клиенту ничего не пишем",
            ],
        ),
        (
            f.reminded,
            &[
                BASELINE,
                ": в сообщении №",
                "(напоминание): решено отправить",
                "принято",
            ],
        ),
        (
            f.no_reminder,
            &["не будет — незадолго до него клиенту уже писали об этой записи"],
        ),
        (
            f.waiting,
            &[
                "(запись): решено отправить",
                "попытка 1 → whatsapp: канал не работает",
                "ещё раз не раньше",
            ],
        ),
        (
            f.lost,
            &[
                APPEARED,
                "не сообщаем: база восстановлена из копии",
                "владельцу ушёл список",
            ],
        ),
    ];
    let mut wrong = Vec::new();
    for (record, parts) in all {
        wrong.extend(problem(&story(salon, record).await, parts));
    }
    wrong
}
