//! Why a channel does not work, as an owner can act on it. Channels speak to logs and `status` in one
//! line of English; what they say of the accounts that break most often has words here.

use super::super::Language;
use super::super::markup::data;
use super::Voice;

/// Part of what a channel says, and the same for an owner who reads Russian.
const KNOWN: [(&str, &str); 7] = [
    (
        "yellowCard",
        "WhatsApp ограничил номер (yellowCard): его сообщений никто не видит. Дайте номеру отдохнуть несколько дней, потом перезапустите инстанс в кабинете Green API",
    ),
    (
        "the account is notAuthorized",
        "телефон салона отключён от Green API: подключите его снова, QR-код в кабинете инстанса",
    ),
    (
        "not authorized",
        "телефон салона отключён от Green API: подключите его снова, QR-код в кабинете инстанса",
    ),
    (
        "the account is blocked",
        "мессенджер заблокировал номер салона",
    ),
    ("suspended", "мессенджер временно ограничил номер салона"),
    ("QUOT", "исчерпан тариф Green API: смените его в кабинете"),
    ("account is expired", "инстанс Green API не оплачен"),
];

/// How a channel says that its provider's own queue is long, after the number.
const QUEUE: &str = " messages wait in Green API's own queue";

/// What stands after the time in an alert of a channel.
pub(super) fn in_words(voice: Voice, why: &str) -> String {
    if voice.language == Language::En {
        return data(why);
    }
    if let Some(waiting) = why.strip_suffix(QUEUE) {
        return data(&format!(
            "в очереди Green API ждут сообщения ({waiting}): она стоит или занята чужой рассылкой"
        ));
    }
    let known = KNOWN.iter().find(|(part, _)| why.contains(part));
    known.map_or_else(|| data(why), |(_, words)| (*words).to_owned())
}

/// `⚠️ *Тариф исчерпан: WhatsApp* …`: the provider takes no new correspondents.
#[must_use]
pub fn alert_tariff(voice: Voice, channel: &str) -> String {
    voice.write(&[
        format!(
            "⚠️ *{}: {}*",
            voice.say("Тариф исчерпан", "The tariff is used up"),
            data(channel)
        ),
        voice
            .say(
                "Green API больше не берёт в этом месяце новых собеседников: новым клиентам сюда не пишу. Остальным пишу как прежде. Тариф меняют в кабинете Green API.",
                "Green API takes no new correspondents this month: new clients are not written to here. The others are, as before. The tariff is changed in Green API's console.",
            )
            .to_owned(),
    ])
}
