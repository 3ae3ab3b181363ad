//! What words claim to have been done: `записал`, `перенесена`, `отмена подтверждена`, `cancelled`.

/// A deed of ours that the journal confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// A booking was made.
    Booked,
    /// A booking was moved.
    Moved,
    /// A booking was taken off.
    Cancelled,
}

/// What is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// We did it.
    Did(Deed),
    /// We are doing it, unless that is a question.
    Doing(Deed),
    /// "вы записаны", "ждём вас": there is a booking.
    Stands,
    /// We will.
    Promise,
    /// "готово", "done": whatever it was.
    Any,
}

/// Endings of a participle that claims: "оформление" claims nothing.
const DONE: &[&str] = &["", "а", "о", "ы"];
/// Endings of a verb in the past.
const PAST: &[&str] = &["", "ла", "ли", "ло", "ен", "ена", "ено", "ены"];
/// Endings of what one does now.
const NOW: &[&str] = &["ю", "ем"];
/// Endings of what one will do.
const WILL: &[&str] = &["у", "ем", "им"];
const ALL: &[&str] = &[];

/// Beginnings of words, the endings that they claim with (none: any), and what they claim.
const CLAIMS: &[(&str, &[&str], Claim)] = &[
    ("записал", ALL, Claim::Did(Deed::Booked)),
    ("записыва", NOW, Claim::Doing(Deed::Booked)),
    ("записан", DONE, Claim::Stands),
    ("запиш", WILL, Claim::Promise),
    ("забронировал", ALL, Claim::Did(Deed::Booked)),
    ("забронирован", DONE, Claim::Stands),
    ("забронируем", ALL, Claim::Promise),
    ("забронирую", ALL, Claim::Promise),
    ("брониру", NOW, Claim::Doing(Deed::Booked)),
    ("зарезервирова", ALL, Claim::Did(Deed::Booked)),
    ("оформил", ALL, Claim::Did(Deed::Booked)),
    ("оформля", NOW, Claim::Doing(Deed::Booked)),
    ("оформлен", DONE, Claim::Did(Deed::Booked)),
    ("оформл", &["ю"], Claim::Promise),
    ("оформим", ALL, Claim::Promise),
    ("подтвержден", DONE, Claim::Stands),
    ("подтвердил", ALL, Claim::Did(Deed::Booked)),
    ("внес", PAST, Claim::Did(Deed::Booked)),
    ("занес", PAST, Claim::Did(Deed::Booked)),
    ("вношу", ALL, Claim::Doing(Deed::Booked)),
    ("вносим", ALL, Claim::Doing(Deed::Booked)),
    ("создал", ALL, Claim::Did(Deed::Booked)),
    ("создан", DONE, Claim::Did(Deed::Booked)),
    ("закрепил", ALL, Claim::Did(Deed::Booked)),
    ("закреплен", DONE, Claim::Stands),
    ("поставил", ALL, Claim::Did(Deed::Booked)),
    ("добавил", ALL, Claim::Did(Deed::Booked)),
    ("добавлен", DONE, Claim::Did(Deed::Booked)),
    ("утвердил", ALL, Claim::Did(Deed::Booked)),
    ("утвержден", DONE, Claim::Stands),
    ("перенес", PAST, Claim::Did(Deed::Moved)),
    ("перенес", &["у", "ем"], Claim::Promise),
    ("перенош", &["у"], Claim::Doing(Deed::Moved)),
    ("переносим", ALL, Claim::Doing(Deed::Moved)),
    ("передвинул", ALL, Claim::Did(Deed::Moved)),
    ("передвинут", DONE, Claim::Did(Deed::Moved)),
    ("переместил", ALL, Claim::Did(Deed::Moved)),
    ("перемещен", DONE, Claim::Did(Deed::Moved)),
    ("перезаписал", ALL, Claim::Did(Deed::Moved)),
    ("перезаписан", DONE, Claim::Did(Deed::Moved)),
    ("переставил", ALL, Claim::Did(Deed::Moved)),
    ("сдвинул", ALL, Claim::Did(Deed::Moved)),
    ("сдвинут", DONE, Claim::Did(Deed::Moved)),
    ("изменил", ALL, Claim::Did(Deed::Moved)),
    ("изменен", DONE, Claim::Did(Deed::Moved)),
    ("поменял", ALL, Claim::Did(Deed::Moved)),
    ("отменил", ALL, Claim::Did(Deed::Cancelled)),
    ("отменен", DONE, Claim::Did(Deed::Cancelled)),
    ("отменя", NOW, Claim::Doing(Deed::Cancelled)),
    ("отменю", ALL, Claim::Promise),
    ("отменим", ALL, Claim::Promise),
    ("аннулирова", ALL, Claim::Did(Deed::Cancelled)),
    ("удалил", ALL, Claim::Did(Deed::Cancelled)),
    ("удален", DONE, Claim::Did(Deed::Cancelled)),
    ("удаля", NOW, Claim::Doing(Deed::Cancelled)),
    ("снял", ALL, Claim::Did(Deed::Cancelled)),
    ("снят", DONE, Claim::Did(Deed::Cancelled)),
    ("снима", NOW, Claim::Doing(Deed::Cancelled)),
    ("убрал", ALL, Claim::Did(Deed::Cancelled)),
    ("убира", NOW, Claim::Doing(Deed::Cancelled)),
    ("скас", ALL, Claim::Did(Deed::Cancelled)),
    ("освободил", ALL, Claim::Did(Deed::Cancelled)),
    ("готово", DONE, Claim::Any),
    ("сделан", DONE, Claim::Any),
    ("выполнен", DONE, Claim::Any),
    ("завершен", DONE, Claim::Any),
    ("принят", DONE, Claim::Any),
    ("успешно", ALL, Claim::Any),
    ("вписал", ALL, Claim::Did(Deed::Booked)),
    ("вписан", DONE, Claim::Stands),
    ("зафиксировал", ALL, Claim::Did(Deed::Booked)),
    ("зафиксирован", DONE, Claim::Stands),
    ("назначил", ALL, Claim::Did(Deed::Booked)),
    ("назначен", DONE, Claim::Stands),
    ("запланировал", ALL, Claim::Did(Deed::Booked)),
    ("запланирован", DONE, Claim::Stands),
    ("договорились", ALL, Claim::Any),
    ("увидимся", ALL, Claim::Stands),
    ("ждет", DONE, Claim::Stands),
    ("ждут", DONE, Claim::Stands),
    ("ждем", DONE, Claim::Stands),
    ("жду", DONE, Claim::Stands),
    ("ожидаем", DONE, Claim::Stands),
];

/// Whole words of other languages.
const FOREIGN: &[(&str, Claim)] = &[
    ("booked", Claim::Stands),
    ("scheduled", Claim::Stands),
    ("reserved", Claim::Stands),
    ("confirmed", Claim::Stands),
    ("arranged", Claim::Did(Deed::Booked)),
    ("moved", Claim::Did(Deed::Moved)),
    ("rescheduled", Claim::Did(Deed::Moved)),
    ("rebooked", Claim::Did(Deed::Moved)),
    ("postponed", Claim::Did(Deed::Moved)),
    ("changed", Claim::Did(Deed::Moved)),
    ("cancelled", Claim::Did(Deed::Cancelled)),
    ("canceled", Claim::Did(Deed::Cancelled)),
    ("deleted", Claim::Did(Deed::Cancelled)),
    ("removed", Claim::Did(Deed::Cancelled)),
    ("done", Claim::Any),
    ("completed", Claim::Any),
    ("gebucht", Claim::Any),
    ("storniert", Claim::Any),
    ("abgesagt", Claim::Any),
    ("verschoben", Claim::Any),
    ("reservado", Claim::Any),
    ("cancelado", Claim::Any),
    ("cancelada", Claim::Any),
    ("confirmado", Claim::Any),
    ("iptal", Claim::Any),
];

/// What a noun says to be done, where a word of doing stands beside it: "отмена подтверждена".
const NOUNS: [(&str, Deed); 6] = [
    ("отмена", Deed::Cancelled),
    ("отмену", Deed::Cancelled),
    ("перенос", Deed::Moved),
    ("переноса", Deed::Moved),
    ("cancellation", Deed::Cancelled),
    ("rescheduling", Deed::Moved),
];

/// Words of what is done already.
const DOING: &[&str] = &[
    "подтвержден",
    "подтвердил",
    "выполнен",
    "выполнил",
    "оформлен",
    "оформил",
    "сделан",
    "сделал",
    "принят",
    "принял",
    "прошла",
    "прошел",
    "готов",
    "завершен",
    "успешн",
    "confirmed",
    "complete",
];

/// Everything that these words of a sentence claim, each with the word that does.
pub(super) fn claims(words: &[String]) -> Vec<(Claim, &str)> {
    let mut all = Vec::new();
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    for (at, claiming) in words.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", word);
        if matches!(before, "не" | "not" | "never" | "isn" | "wasn") || denied_in_english(words, at)
        {
            continue;
        }
        all.extend(claim_of(claiming).map(|claim| (claim, claiming.as_str())));
        // "место за вами", "записи больше нет", "I will cancel it".
        let pair = (claiming.as_str(), word(at + 1));
        let of_pair = match pair {
            ("за", "вами") | ("до", "встречи") => Some(Claim::Stands),
            ("будем" | "буду" | "будет" | "будут", "ждать") => {
                Some(Claim::Stands)
            }
            ("запись" | "бронь", "у" | "есть" | "стоит" | "действует") if before == "ваша" => {
                Some(Claim::Stands)
            }
            ("see", "you") | ("appointment", "is") | ("put", "you") => Some(Claim::Stands),
            ("больше", "нет") if before.starts_with("запис") || before.starts_with("брон") => {
                Some(Claim::Did(Deed::Cancelled))
            }
            ("all", "set") => Some(Claim::Any),
            ("will" | "ll", "book" | "cancel" | "move" | "reschedule") => Some(Claim::Promise),
            _ => None,
        };
        all.extend(of_pair.map(|claim| (claim, claiming.as_str())));
    }
    let does = |w: &String| DOING.iter().any(|doing| w.starts_with(doing));
    if words.iter().any(does) {
        for word in words {
            let noun = NOUNS.iter().find(|(noun, _)| noun == word);
            all.extend(noun.map(|(_, deed)| (Claim::Did(*deed), word.as_str())));
        }
    }
    all
}

/// `isn't booked`, `can't be moved`: the apostrophe makes two words of it.
fn denied_in_english(words: &[String], at: usize) -> bool {
    let word = |back: usize| at.checked_sub(back).map_or("", |i| words[i].as_str());
    let verbs = [
        "isn", "wasn", "aren", "weren", "hasn", "haven", "didn", "couldn", "can",
    ];
    let after = |back: usize| word(back) == "t" && verbs.contains(&word(back + 1));
    after(1) || (matches!(word(1), "be" | "been" | "yet") && after(2))
}

fn claim_of(word: &str) -> Option<Claim> {
    if let Some((_, claim)) = FOREIGN.iter().find(|(w, _)| *w == word) {
        return Some(*claim);
    }
    let claim = CLAIMS.iter().find(|(beginning, endings, _)| {
        let rest = word.strip_prefix(*beginning);
        rest.is_some_and(|rest| endings.is_empty() || endings.contains(&rest))
    });
    claim.map(|(.., claim)| *claim)
}
