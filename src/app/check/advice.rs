//! What to do about what a service said, in the words of somebody who is no programmer.

use crate::app::text::Say;
use crate::channels::Kind;
use crate::channels::green_api::Flavour;
use crate::ports::ApiError;

/// What the records API refuses a company for.
pub(in crate::app) fn of_company(words: Say, error: &ApiError) -> &'static str {
    match error {
        ApiError::Denied { status: 401, .. } => words.of(
            "YClients не принимает токены. Пользователю робота сменили пароль? Тогда нужен новый user_token: booking-monitor init. Иначе проверьте partner_token.",
            "YClients takes no token. Was the robot's password changed? Then a new user_token is needed: booking-monitor init. Else check partner_token.",
        ),
        ApiError::Denied { status: 402, .. } => words.of(
            "Оплатите лицензию этого филиала в YClients.",
            "Pay this branch's YClients licence.",
        ),
        ApiError::Denied { status: 403, .. } => words.of(
            "Дайте роботу права: YClients → Настройки → Пользователи → его пользователь → «Журнал записи», все сотрудники. Если права есть, подключите приложение к филиалу.",
            "Give the robot its rights: YClients → Settings → Users → its user → Appointment calendar, all staff. If it has them, connect the application to the branch.",
        ),
        ApiError::Denied { status: 404, .. } => words.of(
            "Такого филиала YClients не знает: сверьте companies.id с адресной строкой журнала.",
            "YClients knows no such branch: compare companies.id with the address of its calendar.",
        ),
        ApiError::Denied { .. } => words.of(
            "Отказ требует человека: спросите поддержку YClients.",
            "Such a refusal needs a person: ask YClients' support.",
        ),
        ApiError::Throttled { .. } => words.of(
            "Слишком много запросов с этого адреса: подождите и повторите. Если так всегда, рядом работает другая программа.",
            "Too many requests from this address: wait and try again. If it is always so, another program works beside.",
        ),
        ApiError::Unavailable(_) => words.of(
            "Проверьте сеть и yclients.base_url; если всё верно, не работает сам YClients: повторите позже.",
            "Check the network and yclients.base_url; if both are right, YClients itself is down: try later.",
        ),
        ApiError::Unreadable(_) => words.of(
            "Ответ не разобрать. Проверьте yclients.base_url и, если филиал без часового пояса, напишите ему timezone.",
            "The answer cannot be read. Check yclients.base_url and, for a branch without a time zone, write its timezone.",
        ),
    }
}

/// What a channel that does not work said.
pub(in crate::app) fn of_channel(words: Say, kind: &Kind, said: &str) -> &'static str {
    let has = |part: &str| said.contains(part);
    let unreached = ["cannot connect", "timed out", "the request failed"];
    let is_away = unreached.into_iter().any(has);
    match kind {
        Kind::Telegram(_) if is_away => words.of(
            "Если Telegram отсюда недоступен, напишите каналу proxy или api_url ретранслятора.",
            "If Telegram cannot be reached from here, give the channel a proxy or a relay's api_url.",
        ),
        Kind::Http(_) if is_away => words.of(
            "Запущен ли шлюз? Проверьте base_url канала. Сообщения подождут.",
            "Does the gateway run? Check the channel's base_url. Messages wait.",
        ),
        _ if is_away => words.of(
            "Проверьте сеть и api_url канала, а если выход только через прокси, его proxy. Сообщения подождут.",
            "Check the network and the channel's api_url, and where a proxy is the only way out, its proxy. Messages wait.",
        ),
        _ if has("HTTP 5") => words.of(
            "Не работает сам сервис: повторите позже. Сообщения подождут.",
            "The service itself is down: try later. Messages wait.",
        ),
        Kind::GreenApi(settings) if has("notAuthorized") => match settings.flavour {
            Flavour::WhatsApp | Flavour::Waba => words.of(
                "Телефон отвязан: console.green-api.com, инстанс, отсканируйте QR-код в WhatsApp → «Связанные устройства».",
                "The phone is unlinked: console.green-api.com, the instance, scan its QR code in WhatsApp → Linked devices.",
            ),
            Flavour::Max | Flavour::Telegram => words.of(
                "Телефон отвязан: войдите в аккаунт заново на console.green-api.com.",
                "The account is signed out: sign in anew at console.green-api.com.",
            ),
        },
        Kind::GreenApi(_) if has("is blocked") || has("suspended") => words.of(
            "Мессенджер заблокировал или ограничил номер салона. Откройте его на телефоне салона: там сказано, за что и на сколько. А филиалу дайте второй канал. Сообщения подождут.",
            "The messenger blocked or restricted the salon's number. Open it on the salon's phone: it says why and for how long. And give the branch a second channel. Messages wait.",
        ),
        Kind::GreenApi(_) if has("pendingPassword") => words.of(
            "Аккаунт ждёт пароля двухэтапной проверки: введите его на console.green-api.com.",
            "The account waits for its two-step password: enter it at console.green-api.com.",
        ),
        Kind::GreenApi(_) if has("yellowCard") => words.of(
            "Номеру нужен отдых в несколько дней, потом перезапустите инстанс. Потом поставьте new_recipients_per_day = 20.",
            "The number needs some days of rest, then reboot the instance. Later set new_recipients_per_day = 20.",
        ),
        Kind::GreenApi(_) if has("starting") || has("sleepMode") => words.of(
            "Инстанс запускается: повторите через пять минут.",
            "The instance is starting: try again in five minutes.",
        ),
        Kind::GreenApi(_) if has("HTTP 401") || has("HTTP 403") || has("HTTP 404") => words.of(
            "Сверьте api_url, instance_id и token со страницей инстанса на console.green-api.com.",
            "Compare api_url, instance_id and token with the instance's page at console.green-api.com.",
        ),
        Kind::GreenApi(_) if has("HTTP 466") => words.of(
            "Тариф Green API исчерпан или не оплачен: console.green-api.com.",
            "The Green API tariff is used up or unpaid: console.green-api.com.",
        ),
        Kind::Telegram(_) if has("HTTP 401") || has("HTTP 404") => words.of(
            "Telegram не знает такого бота: возьмите токен у @BotFather заново.",
            "Telegram knows no such bot: take its token from @BotFather anew.",
        ),
        Kind::Telegram(_) => words.of(
            "Telegram ответил отказом: проверьте токен и api_url канала.",
            "Telegram refuses: check the channel's token and api_url.",
        ),
        Kind::WhatsAppCloud(_) if has("HTTP 400") || has("HTTP 404") => words.of(
            "Сверьте phone_number_id со страницей API Setup приложения: это не сам номер, а его id.",
            "Compare phone_number_id with the app's API setup page: it is not the number but its id.",
        ),
        Kind::WhatsAppCloud(_) => words.of(
            "Проверьте phone_number_id и токен в Business settings: у него бывает срок.",
            "Check phone_number_id and the token in Business settings: tokens can expire.",
        ),
        Kind::Http(_) if has("the session is") => words.of(
            "Телефон не привязан к шлюзу: отсканируйте QR-код на его странице. Сообщения подождут.",
            "No phone is linked to the gateway: scan the QR code on its page. Messages wait.",
        ),
        Kind::GreenApi(_) | Kind::Http(_) => words.of(
            "Проверьте адрес канала и его token. Сообщения подождут.",
            "Check the channel's address and its token. Messages wait.",
        ),
        Kind::Console(_) => "",
    }
}

/// What a channel that works is in the way of.
pub(in crate::app) fn of_remark(words: Say, remark: &str) -> &'static str {
    let has = |part: &str| remark.contains(part);
    if has("webhookUrl") {
        words.of(
            "Уведомления инстанса уходят другой программе. Если она нужна, напишите receive = false; если нет, сотрите адрес вебхука на console.green-api.com.",
            "Another program gets the instance's notifications. If it is needed, write receive = false; if not, clear the webhook's address at console.green-api.com.",
        )
    } else if has("has a webhook") {
        words.of(
            "Бота читает другой сервис. Если он нужен, заведите у @BotFather второго бота или напишите receive = false; если нет, вызовите deleteWebhook.",
            "Another service reads the bot. If it is needed, make a second bot at @BotFather or write receive = false; if not, call deleteWebhook.",
        )
    } else if has("of the instance is off") {
        words.of(
            "Включите эти уведомления на console.green-api.com: без них не видно ответов и доставки.",
            "Switch these notifications on at console.green-api.com: without them no answer and no delivery is seen.",
        )
    } else if has("tariff") {
        words.of(
            "Тариф этого месяца исчерпан: новым клиентам не написать. Смените тариф или дайте второй канал.",
            "This month's tariff is used up: new clients cannot be written to. Take a larger one, or a second channel.",
        )
    } else {
        ""
    }
}
