//! What services and the system said, for people who read Russian: the database and the logs keep the
//! English of the adapters, which know no reader.

use super::text::Say;
use crate::config::Language;

/// English phrases of ours and of the system, each with its Russian. The longer before what it contains.
const PHRASES: [(&str, &str); 73] = [
    (
        "the account is yellowCard: WhatsApp throttles this number; let it rest for some days, then reboot the instance",
        "аккаунт в состоянии yellowCard: WhatsApp придерживает этот номер",
    ),
    ("the account is ", "аккаунт в состоянии "),
    (
        "messages wait in Green API's own queue",
        "сообщений ждут в очереди самого Green API",
    ),
    (
        "the instance has a webhookUrl: it gives nothing to those who ask; clear it, or set receive = false",
        "у инстанса задан webhookUrl: тем, кто спрашивает, он ничего не отдаёт",
    ),
    (
        " of the instance is off; switch it on",
        ": эти уведомления инстанса выключены",
    ),
    (
        "the bot has a webhook: nothing can be received; call deleteWebhook, unless another service needs it",
        "у бота задан вебхук: получить от него ничего нельзя",
    ),
    (
        "the tariff's correspondents of this month are used up: new clients are not reached",
        "собеседники этого месяца по тарифу исчерпаны: до новых клиентов не дойдёт",
    ),
    ("the session is ", "сессия в состоянии "),
    (
        "the gateway does not say how its session fares",
        "шлюз не говорит, в каком состоянии его сессия",
    ),
    ("waba_id is not set", "не задан waba_id"),
    ("cannot receive: ", "не получает: "),
    (
        "too many requests, told to wait ",
        "слишком много запросов, велено ждать, секунд: ",
    ),
    ("unreadable answer: ", "ответ не разобрать: "),
    ("no `data` array", "в нём нет массива data"),
    ("no `data` object", "в нём нет объекта data"),
    ("not JSON (", "это не JSON ("),
    ("an empty body", "ответ пуст"),
    ("HTML in place of JSON", "вместо него HTML"),
    ("JSON that breaks off", "JSON обрывается"),
    ("no JSON object", "в нём нет объекта"),
    ("without a message", "без пояснения"),
    ("the answer is no JSON", "ответ не JSON"),
    (
        "the company names no time zone: set `timezone` under it",
        "у филиала нет часового пояса",
    ),
    (
        "the first listing is not whole",
        "первое чтение журнала неполное",
    ),
    (
        "the listing of the horizon is not whole",
        "чтение журнала неполное",
    ),
    (
        "this account signs in with a second factor: give `user_token` in place of login and password",
        "у этого входа второй фактор: вместо login и password нужен user_token",
    ),
    ("login refused: ", "вход не принят: "),
    ("timed out", "нет ответа вовремя"),
    ("cannot connect", "нет соединения"),
    ("the answer broke off", "ответ оборвался"),
    ("the request failed", "запрос не удался"),
    ("Connection refused", "там никто не слушает"),
    ("Connection reset by peer", "соединение сброшено"),
    (
        "connection closed before message completed",
        "соединение закрыто",
    ),
    (
        "failed to lookup address information: Name or service not known",
        "такого имени в сети нет",
    ),
    (
        "failed to lookup address information: Temporary failure in name resolution",
        "имена в сети сейчас не узнать",
    ),
    ("Network is unreachable", "сеть недоступна"),
    ("No route to host", "туда нет пути"),
    ("No such file or directory", "нет такого файла"),
    ("Permission denied", "нет прав"),
    ("No space left on device", "на диске нет места"),
    ("Read-only file system", "на этот диск не пишут"),
    ("cannot read ca_file", "не прочитать ca_file"),
    (
        "no PEM certificate in ca_file",
        "нет сертификата PEM в ca_file",
    ),
    (
        "the file is not a booking-monitor database",
        "этот файл не база booking-monitor",
    ),
    (
        "the database is damaged, or the log beside it is another's",
        "база повреждена, или журнал рядом с ней чужой",
    ),
    ("the database is damaged", "база повреждена"),
    ("the database has schema ", "схема базы "),
    (", this program knows ", ", а эта программа знает до "),
    (
        " at most: it is older than the database",
        ": она старше базы, поставьте новую",
    ),
    (", this program works with ", ", а нужна "),
    (
        ": restart the daemon, or run --once",
        ": перезапустите службу или выполните --once",
    ),
    (
        "cannot set up the connection: ",
        "соединение не настроить: ",
    ),
    ("the proxy's address is not one", "proxy: это не адрес"),
    // What the program itself notes of a message.
    ("the visit has begun", "визит уже начался"),
    (
        "could not be sent for a day",
        "за сутки отправить не удалось",
    ),
    (
        "the channel is new and has met enough people for today",
        "номер новый, на сегодня новых собеседников довольно",
    ),
    (
        "the client got as many messages within an hour as one may",
        "за час клиент получил столько сообщений, сколько можно",
    ),
    (
        "the channel is new and has others on their way",
        "номер новый, сначала станет ясно, дошло ли до других",
    ),
    (
        "news of the visit goes first",
        "сначала уйдёт новость об этом визите",
    ),
    (
        "the booking is not seen in the journal",
        "записи сейчас не видно в журнале",
    ),
    ("the visit is not over", "визит ещё не окончен"),
    ("paused by a person", "пауза"),
    ("quiet hours", "тихие часы"),
    (
        "phones are hidden in the journal",
        "номера в журнале сейчас скрыты",
    ),
    ("the journal cannot be read", "журнал сейчас не прочитать"),
    ("the journal could not be seen", "журнала не было видно"),
    (
        "the program ended while it was being sent",
        "программа остановилась, пока оно отправлялось",
    ),
    (
        "not in the messenger's journal",
        "среди отправленных в мессенджере его нет",
    ),
    (
        "its channel is configured no more",
        "его канала в настройках больше нет",
    ),
    ("no account with this phone", "на этом номере нет аккаунта"),
    ("no account there", "там нет такого аккаунта"),
    ("the client did not write lately", "клиент давно не писал"),
];

impl Say {
    /// An error as an adapter or the system worded it. What is not known stays as it was said.
    pub(super) fn spoken(self, error: &str) -> String {
        let said = error.to_owned();
        match self.0 {
            Language::En => said,
            Language::Ru => PHRASES
                .iter()
                .fold(said, |said, (en, ru)| said.replace(en, ru)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_is_said_in_russian_and_what_a_service_said_is_left_as_it_is() {
        for (error, russian) in [
            (
                "cannot connect: Connection refused (os error 111)",
                "нет соединения: там никто не слушает (os error 111)",
            ),
            ("HTTP 401: Unauthorized", "HTTP 401: Unauthorized"),
            (
                "unreadable answer: not JSON (HTML in place of JSON)",
                "ответ не разобрать: это не JSON (вместо него HTML)",
            ),
        ] {
            assert_eq!(Say(Language::Ru).spoken(error), russian);
            assert_eq!(Say(Language::En).spoken(error), error);
        }
    }

    #[test]
    fn no_phrase_is_hidden_behind_a_shorter_one() {
        for (at, (long, _)) in PHRASES.iter().enumerate() {
            for (short, _) in &PHRASES[..at] {
                assert!(!long.contains(short), "{short} comes before {long}");
            }
        }
    }
}
