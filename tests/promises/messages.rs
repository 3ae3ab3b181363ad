//! What people read, word for word: every text on every kind of channel, and what hostile data
//! cannot do to it.

use booking_monitor::domain::change::Field;
use booking_monitor::domain::message::owner::{
    Altered, Blind, Held, OwnerCopy, PauseEnd, Refusal, RestoredList, SeenAgain, Sick, ToClient,
    Unseen, Voice, Waited, alert_channel_down, alert_channel_up, alert_company_seen,
    alert_company_unseen, alert_database, alert_database_well, alert_dead, alert_guard,
    alert_many_moves, alert_uncertain, alert_unseen, alert_unseen_over, ask_pause, owner_copy,
    restored_list,
};
use booking_monitor::domain::message::{
    Language, Markup, Override, Place, TemplateProblem, Texts, Told, Way, compose,
};
use booking_monitor::domain::policy::Kind;
use booking_monitor::domain::question::{Choice, End, Matter};
use booking_monitor::domain::record::{Record, Staff};
use booking_monitor::domain::zone::Zone;
use chrono::{NaiveDate, NaiveTime};

use Markup::{Plain, TelegramHtml, WhatsApp};

use crate::support::records::{at, haircut, moved, place, service, today, with};

fn way(markup: Markup, invite: bool) -> Way<'static> {
    Way {
        channel: "whatsapp",
        markup,
        invite,
    }
}

fn ru(told: &Told<'_>, markup: Markup) -> String {
    let texts = Texts::builtin(Language::Ru);
    compose(&texts, told, &place(), way(markup, true), today())
}

fn en(told: &Told<'_>, markup: Markup) -> String {
    let texts = Texts::builtin(Language::En);
    compose(&texts, told, &place(), way(markup, true), today())
}

fn updated<'a>(before: &'a [Record], now: &'a [Record], fields: &'a [Field]) -> Told<'a> {
    Told::Updated {
        before: Some(before),
        now,
        fields,
    }
}

#[test]
fn a_new_booking_reads_as_the_salon_asked_on_whatsapp() {
    assert_eq!(
        ru(&Told::Created { now: &[haircut()] }, WhatsApp),
        "\
✅ *Вы записаны!*

📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇"
    );
}

#[test]
fn a_new_booking_on_telegram_and_in_plain_text() {
    assert_eq!(
        ru(&Told::Created { now: &[haircut()] }, TelegramHtml),
        "\
✅ <b>Вы записаны!</b>

📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: <s>2000 руб</s> 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇"
    );
    assert_eq!(
        ru(&Told::Created { now: &[haircut()] }, Plain),
        "\
✅ Вы записаны!

📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: 1000 руб вместо 2000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇"
    );
}

#[test]
fn a_visit_of_several_bookings_is_one_message_in_order_of_time() {
    let second = with(|r| {
        r.id = 2;
        r.start_local = "2026-08-21T15:30:00".parse().unwrap();
        r.staff = Staff {
            id: 6,
            name: "Анна".into(),
        };
        r.services = vec![
            service(200, "Маникюр", 1500, 0, 1500),
            service(201, "Покрытие", 500, 0, 500),
        ];
    });
    assert_eq!(
        ru(
            &Told::Created {
                now: &[second, haircut()]
            },
            WhatsApp
        ),
        "\
✅ *Вы записаны!*

📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари

📅 21 августа в 15:30
💇 Маникюр, Покрытие
👤 Мастер: Анна
💰 Стоимость: ~4000 руб~ 3000 руб
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇"
    );
}

#[test]
fn what_is_missing_takes_its_line_with_it() {
    let bare = with(|r| {
        r.staff.name.clear();
        r.services = vec![service(1, "Стрижка", 0, 0, 0)];
    });
    let nowhere = Place {
        address: String::new(),
        ..Place::default()
    };
    let texts = Texts::builtin(Language::Ru);
    let told = Told::Created { now: &[bare] };
    assert_eq!(
        compose(&texts, &told, &nowhere, way(WhatsApp, false), today()),
        "\
✅ *Вы записаны!*

📅 21 августа в 14:30
💇 Стрижка"
    );
}

#[test]
fn where_nobody_reads_answers_the_text_asks_to_call() {
    let texts = Texts::builtin(Language::Ru);
    let told = Told::Created { now: &[haircut()] };
    let text = compose(&texts, &told, &place(), way(WhatsApp, false), today());
    assert!(
        text.ends_with("\n\nДля отмены или переноса позвоните: +7 900 000-00-00"),
        "{text}"
    );
}

#[test]
fn another_year_is_named() {
    let next_year = at(haircut(), "2027-01-02T12:00:00");
    let text = ru(&Told::Created { now: &[next_year] }, WhatsApp);
    assert!(text.contains("📅 2 января 2027 года в 12:00\n"), "{text}");
}

#[test]
fn a_class_shows_its_title_and_seats() {
    let class = with(|r| {
        r.activity_id = 99;
        r.seats = 2;
        r.services = vec![service(300, "Стретчинг", 800, 0, 800)];
    });
    assert_eq!(
        ru(
            &Told::Created {
                now: std::slice::from_ref(&class)
            },
            WhatsApp
        ),
        "\
✅ *Вы записаны!*

📅 21 августа в 14:30
🧘 Стретчинг
👤 Мастер: Бари
👥 2 места
💰 Стоимость: 800 руб
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇"
    );
    assert_eq!(
        ru(&Told::Cancelled { was: &[class] }, WhatsApp),
        "\
❌ *Занятие отменено*

📅 21 августа в 14:30
🧘 Стретчинг

Подобрать другое? Напишите мне здесь 👇"
    );
}

#[test]
fn a_moved_booking() {
    let told = (&[haircut()], &[moved()], &[Field::Start]);
    let told = updated(told.0, told.1, told.2);
    assert_eq!(
        ru(&told, WhatsApp),
        "\
🔄 *Запись перенесена*

📅 ~21 августа в 14:30~ → *22 августа в 16:00*
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Если время не подходит, напишите мне здесь 👇"
    );
    assert_eq!(
        ru(&told, TelegramHtml),
        "\
🔄 <b>Запись перенесена</b>

📅 <s>21 августа в 14:30</s> → <b>22 августа в 16:00</b>
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: <s>2000 руб</s> 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Если время не подходит, напишите мне здесь 👇"
    );
    assert_eq!(
        ru(&told, Plain),
        "\
🔄 Запись перенесена

📅 Было: 21 августа в 14:30
Стало: 22 августа в 16:00
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: 1000 руб вместо 2000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Если время не подходит, напишите мне здесь 👇"
    );
}

fn other_master() -> Record {
    with(|r| {
        r.staff = Staff {
            id: 6,
            name: "Тимур".into(),
        }
    })
}

#[test]
fn another_master() {
    let (before, now) = ([haircut()], [other_master()]);
    let told = updated(&before, &now, &[Field::Staff]);
    assert_eq!(
        ru(&told, WhatsApp),
        "\
🔄 *Вас примет другой мастер*

👤 ~Бари~ → *Тимур*
📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Если хотите остаться у прежнего мастера, напишите мне здесь 👇"
    );
    assert_eq!(
        ru(&told, Plain),
        "\
🔄 Вас примет другой мастер

👤 Было: Бари
Стало: Тимур
📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
💰 Стоимость: 1000 руб вместо 2000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Если хотите остаться у прежнего мастера, напишите мне здесь 👇"
    );
}

#[test]
fn services_added_and_removed() {
    let before = [with(|r| {
        r.services = vec![
            service(1, "Стрижка", 1500, 0, 1500),
            service(2, "Укладка", 500, 0, 500),
        ];
    })];
    let now = [with(|r| {
        r.services = vec![
            service(1, "Стрижка", 1500, 0, 1500),
            service(3, "Оформление бороды", 1000, 0, 1000),
        ];
    })];
    assert_eq!(
        ru(&updated(&before, &now, &[Field::Services]), WhatsApp),
        "\
🔄 *Изменились услуги*

➕ Добавили: Оформление бороды
➖ Убрали: Укладка
📅 21 августа в 14:30
💇 Теперь в записи: Стрижка, Оформление бороды
👤 Мастер: Бари
💰 Стоимость: 2500 руб
📍 Малаховка, Южная улица, 38

Если что-то не так, напишите мне здесь 👇"
    );
}

#[test]
fn another_price_and_another_length() {
    let plain = |cost| with(|r| r.services = vec![service(1, "СТРИЖКА", cost, 0, cost)]);
    let (before, now) = ([plain(1500)], [plain(1200)]);
    assert_eq!(
        ru(&updated(&before, &now, &[Field::Price]), WhatsApp),
        "\
🔄 *Изменилась стоимость*

💰 ~1500 руб~ → *1200 руб*
📅 21 августа в 14:30
💇 СТРИЖКА
👤 Мастер: Бари
📍 Малаховка, Южная улица, 38

Если что-то не так, напишите мне здесь 👇"
    );
    let longer = [with(|r| {
        r.services = vec![service(1, "СТРИЖКА", 1500, 0, 1500)];
        r.length = 5400;
    })];
    assert_eq!(
        ru(&updated(&before, &longer, &[Field::Duration]), WhatsApp),
        "\
🔄 *Изменилась длительность*

🕒 ~1 ч~ → *1 ч 30 мин*
📅 21 августа в 14:30
💇 СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: 1500 руб
📍 Малаховка, Южная улица, 38

Если не подходит, напишите мне здесь 👇"
    );
}

#[test]
fn several_things_at_once() {
    let now = [with(|r| {
        r.start_local = "2026-08-22T16:00:00".parse().unwrap();
        r.staff = Staff {
            id: 6,
            name: "Тимур".into(),
        };
    })];
    let before = [haircut()];
    let told = updated(&before, &now, &[Field::Start, Field::Staff]);
    assert_eq!(
        ru(&told, WhatsApp),
        "\
🔄 *Запись изменилась*

📅 ~21 августа в 14:30~ → *22 августа в 16:00*
👤 Мастер: ~Бари~ → *Тимур*
💇 МУЖСКАЯ СТРИЖКА
💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Если что-то не подходит, напишите мне здесь 👇"
    );
    assert_eq!(
        ru(&told, Plain),
        "\
🔄 Запись изменилась

📅 Было: 21 августа в 14:30
Стало: 22 августа в 16:00
👤 Было: Бари
Стало: Тимур
💇 МУЖСКАЯ СТРИЖКА
💰 Стоимость: 1000 руб вместо 2000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Если что-то не подходит, напишите мне здесь 👇"
    );
}

#[test]
fn one_booking_of_a_visit_moves_and_another_goes() {
    let nails = |id, start: &str| {
        let mut r = at(haircut(), start);
        r.id = id;
        r.services = vec![service(id, "Маникюр", 1500, 0, 1500)];
        r
    };
    let brows = with(|r| {
        r.id = 3;
        r.services = vec![service(33, "Брови", 700, 0, 700)];
    });
    let before = [haircut(), nails(2, "2026-08-21T15:30:00"), brows];
    let now = [haircut(), nails(2, "2026-08-21T17:00:00")];
    assert_eq!(
        ru(
            &updated(&before, &now, &[Field::Start, Field::Services]),
            WhatsApp
        ),
        "\
🔄 *Запись изменилась*

➖ Убрали: Брови
📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари

📅 ~21 августа в 15:30~ → *21 августа в 17:00*
💇 Маникюр
👤 Мастер: Бари
💰 Стоимость: ~3500 руб~ 2500 руб
📍 Малаховка, Южная улица, 38

Если что-то не подходит, напишите мне здесь 👇"
    );
}

#[test]
fn a_booking_whose_past_is_unknown_is_told_as_it_is() {
    let told = Told::Updated {
        before: None,
        now: &[haircut()],
        fields: &[Field::Start],
    };
    assert_eq!(
        ru(&told, WhatsApp),
        "\
🔄 *Запись обновлена*

Сейчас она такая:
📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Если что-то не подходит, напишите мне здесь 👇"
    );
}

#[test]
fn a_booking_that_is_on_again() {
    assert_eq!(
        ru(&Told::Restored { now: &[haircut()] }, WhatsApp),
        "\
✅ *Ваша запись снова в силе*

📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари
💰 Стоимость: ~2000 руб~ 1000 руб (скидка 50%)
📍 Малаховка, Южная улица, 38

Для отмены или переноса напишите мне здесь 👇"
    );
}

#[test]
fn a_cancelled_booking_with_and_without_an_invitation() {
    let off = [with(|r| r.deleted = true)];
    let told = Told::Cancelled { was: &off };
    assert_eq!(
        ru(&told, WhatsApp),
        "\
❌ *Запись отменена*

📅 21 августа в 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 Мастер: Бари

Подобрать другое время? Напишите мне здесь 👇"
    );
    let texts = Texts::builtin(Language::Ru);
    let last_line = |place: &Place, markup| {
        let text = compose(&texts, &told, place, way(markup, false), today());
        text.lines().last().unwrap().to_owned()
    };
    let mut place = place();
    for markup in [WhatsApp, TelegramHtml, Plain] {
        assert_eq!(
            last_line(&place, markup),
            "Записаться снова: https://n962302.yclients.com/book_me"
        );
    }
    place.booking_link.clear();
    assert_eq!(
        last_line(&place, WhatsApp),
        "Записаться снова: +7 900 000-00-00"
    );
    place.phone.clear();
    assert_eq!(last_line(&place, WhatsApp), "👤 Мастер: Бари");
}

#[test]
fn the_wrong_number() {
    let told = Told::WrongNumber { was: &[haircut()] };
    for markup in [WhatsApp, TelegramHtml, Plain] {
        assert_eq!(
            ru(&told, markup),
            "Сообщение о записи на 21 августа в 14:30 пришло на этот номер по ошибке. \
             Делать ничего не нужно, простите за беспокойство 🙏"
        );
    }
    assert_eq!(
        en(&told, WhatsApp),
        "A message about a booking on 21 August at 14:30 came to this number by mistake. \
         There is nothing to do, sorry for the trouble 🙏"
    );
}

#[test]
fn english_texts() {
    let (before, now) = ([haircut()], [moved()]);
    assert_eq!(
        en(&Told::Created { now: &before }, WhatsApp),
        "\
✅ *You are booked!*

📅 21 August at 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 With Бари
💰 Price: ~2000 руб~ 1000 руб (50% off)
📍 Малаховка, Южная улица, 38

To cancel or reschedule, just write to me here 👇"
    );
    assert_eq!(
        en(&updated(&before, &now, &[Field::Start]), Plain),
        "\
🔄 Your booking has moved

📅 Before: 21 August at 14:30
Now: 22 August at 16:00
💇 МУЖСКАЯ СТРИЖКА
👤 With Бари
💰 Price: 1000 руб instead of 2000 руб (50% off)
📍 Малаховка, Южная улица, 38

If the time does not suit you, just write to me here 👇"
    );
    assert_eq!(
        en(&Told::Cancelled { was: &before }, TelegramHtml),
        "\
❌ <b>Your booking is cancelled</b>

📅 21 August at 14:30
💇 МУЖСКАЯ СТРИЖКА
👤 With Бари

Shall we find another time? Write to me here 👇"
    );
}

// Owners.

fn voice(language: Language, markup: Markup) -> Voice {
    Voice {
        language,
        markup,
        today: today(),
    }
}

fn copy<'a>(kind: Kind, before: Option<&'a [Record]>, now: &'a [Record]) -> OwnerCopy<'a> {
    OwnerCopy {
        kind,
        before,
        records: now,
        salon: "Малаховка",
        to_client: ToClient::Told("принято WhatsApp"),
        mask: false,
    }
}

#[test]
fn the_owner_gets_a_copy_of_each_kind() {
    let ru = voice(Language::Ru, TelegramHtml);
    let (before, now) = ([haircut()], [moved()]);
    assert_eq!(
        owner_copy(ru, &copy(Kind::Created, None, &before)),
        "\
🆕 <b>Новая запись</b> · Малаховка
21 августа в 14:30 · Бари
МУЖСКАЯ СТРИЖКА · 1000 руб
Анна, +7 900 000-00-01
Клиенту: принято WhatsApp"
    );
    assert_eq!(
        owner_copy(ru, &copy(Kind::Updated, Some(&before), &now)),
        "\
🔄 <b>Перенос</b> · Малаховка
<s>21 августа в 14:30</s> → <b>22 августа в 16:00</b> · Бари
МУЖСКАЯ СТРИЖКА · 1000 руб
Анна, +7 900 000-00-01
Клиенту: принято WhatsApp"
    );
    let other = [other_master()];
    assert_eq!(
        owner_copy(
            voice(Language::Ru, WhatsApp),
            &copy(Kind::Updated, Some(&before), &other)
        ),
        "\
🔄 *Изменение* · Малаховка
21 августа в 14:30 · ~Бари~ → *Тимур*
МУЖСКАЯ СТРИЖКА · 1000 руб
Анна, +7 900 000-00-01
Клиенту: принято WhatsApp"
    );
    let cancelled = OwnerCopy {
        to_client: ToClient::NotTold(ru.reason("no_phone")),
        mask: true,
        ..copy(Kind::Cancelled, None, &before)
    };
    assert_eq!(
        owner_copy(ru, &cancelled),
        "\
❌ <b>Отмена</b> · Малаховка
21 августа в 14:30 · Бари
МУЖСКАЯ СТРИЖКА · 1000 руб
Анна, +7 *** ***-**-01
Клиенту не сообщили: нет телефона"
    );
    let en = voice(Language::En, Plain);
    let told = en.accepted("WhatsApp");
    let english = OwnerCopy {
        to_client: ToClient::Told(&told),
        ..copy(Kind::Updated, Some(&before), &now)
    };
    assert_eq!(
        owner_copy(en, &english),
        "\
🔄 Moved · Малаховка
21 August at 14:30 → 22 August at 16:00 · Бари
МУЖСКАЯ СТРИЖКА · 1000 руб
Анна, +7 900 000-00-01
To the client: accepted by WhatsApp"
    );
}

#[test]
fn the_owner_is_told_of_trouble_and_of_its_end() {
    let ru = voice(Language::Ru, WhatsApp);
    let en = voice(Language::En, WhatsApp);
    let since = NaiveTime::from_hms_opt(10, 42, 0).unwrap();
    assert_eq!(
        alert_company_unseen(ru, "Малаховка", since, Blind::Key),
        "\
⚠️ *Не вижу журнал: Малаховка*
С 10:42 YClients не принимает ключ (401). Обычно это значит, что в YClients сменили пароль.
Сообщения клиентам ждут. После починки отправлю те, что не устарели."
    );
    assert_eq!(
        alert_company_unseen(en, "Малаховка", since, Blind::Other("HTTP 502.")),
        "\
⚠️ *I cannot see the journal: Малаховка*
Since 10:42 YClients does not answer properly: HTTP 502.
Messages to clients are waiting. Once it is mended, those still of use will go."
    );
    let waited = Waited {
        sending: 7,
        stale: 3,
    };
    assert_eq!(
        alert_company_seen(ru, "Малаховка", 7800, waited),
        "\
✅ *Снова вижу журнал: Малаховка*
Перерыв 2 ч 10 мин. Отправляю 7 сообщений, 3 устарели."
    );
    assert_eq!(
        alert_company_seen(en, "Малаховка", 30, Waited::default()),
        "\
✅ *I see the journal again: Малаховка*
Out for under a minute."
    );
    assert_eq!(
        alert_channel_down(ru, "whatsapp", since, "the account is notAuthorized"),
        "\
⚠️ *Не работает канал: whatsapp*
С 10:42: телефон салона отключён от Green API: подключите его снова, QR-код в кабинете инстанса.
Сообщения клиентам ждут. После починки отправлю те, что не устарели."
    );
    assert_eq!(
        alert_channel_up(en, "whatsapp", 3600, waited),
        "\
✅ *Channel works again: whatsapp*
Out for 1 h. Sending 7 messages, 3 are too old."
    );
    let nearest = "2026-08-01T16:00:00".parse().ok();
    assert_eq!(
        alert_guard(ru, "Малаховка", Held::Cancellations(14), nearest, false),
        "\
✋ *Придержал 14 отмен: Малаховка*
Из журнала сразу пропали 14 записей, ближайшая сегодня в 16:00. Клиентам об этих отменах не писал.
Отправить: booking-monitor release. Не отправлять: booking-monitor release --discard"
    );
    assert_eq!(
        alert_guard(en, "Малаховка", Held::Cancellations(14), None, false),
        "\
✋ *Held back 14 cancellations: Малаховка*
14 bookings vanished from the journal at once. Clients were not told of these.
To send them: booking-monitor release. To drop them: booking-monitor release --discard"
    );
    assert_eq!(
        alert_guard(ru, "Малаховка", Held::Moves(21, Some(-90)), nearest, false),
        "\
✋ *Придержал 21 перенос: Малаховка*
Почти все записи журнала сдвинулись разом на −1 ч 30 мин, ближайшая сегодня в 16:00. Похоже на неверный часовой пояс филиала в YClients. Клиентам об этих переносах не писал.
Отправить: booking-monitor release. Не отправлять: booking-monitor release --discard"
    );
    assert_eq!(
        alert_guard(en, "Малаховка", Held::Moves(14, Some(180)), None, false),
        "\
✋ *Held back 14 moves: Малаховка*
Nearly all bookings moved at once by +3 h. It looks like a wrong time zone of the branch in YClients. Clients were not told of these.
To send them: booking-monitor release. To drop them: booking-monitor release --discard"
    );
    assert_eq!(
        alert_many_moves(ru, "Малаховка", 22),
        "\
⚠️ *Сразу 22 переноса: Малаховка*
Клиентам об этом пишу. Если это ошибка, верните время в журнале: напишу им и об этом."
    );
    assert_eq!(
        alert_many_moves(en, "Малаховка", 22),
        "\
⚠️ *22 moves at once: Малаховка*
Clients are being told. If this is a mistake, put the times right in the journal: they will be told that too."
    );
    let list = ["Анна, 21 августа в 14:30".to_owned()];
    assert_eq!(
        alert_uncertain(ru, 3, &list, true),
        "\
❔ *Не знаю, дошло ли: 3 сообщения*
Связь оборвалась во время отправки.
Анна, 21 августа в 14:30"
    );
    assert_eq!(
        alert_uncertain(ru, 3, &list, false),
        "\
❔ *Не знаю, дошло ли: 3 сообщения*
Связь оборвалась во время отправки.
Анна, 21 августа в 14:30
Отправить ещё раз: booking-monitor retry НОМЕР"
    );
    assert_eq!(
        alert_uncertain(en, 1, &[], false),
        "\
❔ *Did it arrive? I cannot tell: 1 message*
The connection broke off while sending.
To send one again: booking-monitor retry NUMBER"
    );
}

#[test]
fn what_no_channel_took_and_what_a_pause_keeps_back_is_told_in_both_languages() {
    let (ru, en) = (voice(Language::Ru, WhatsApp), voice(Language::En, WhatsApp));
    let list = ["№ 17: ✅ Вы записаны!".to_owned()];
    assert_eq!(
        alert_dead(ru, "Малаховка", 3, &list, true),
        "\
⚠️ *Не отправлено: 3 сообщения: Малаховка*
№ 17: ✅ Вы записаны!
И ещё 2: booking-monitor log --status dead"
    );
    assert_eq!(
        alert_dead(en, "Малаховка", 1, &list, false),
        "\
⚠️ *Not sent: 1 message: Малаховка*
№ 17: ✅ Вы записаны!
To send one again: booking-monitor retry NUMBER"
    );
    let two = "14:00:00".parse().unwrap();
    assert_eq!(
        ask_pause(ru, "Малаховка", PauseEnd::At(two), 5),
        "\
⏸ *Пауза до 14:00: Малаховка*
Накопилось: 5 сообщений клиентам. В 14:00 уйдут, если не решите иначе."
    );
    assert_eq!(
        ask_pause(en, "Малаховка", PauseEnd::At(two), 1),
        "\
⏸ *Paused until 14:00: Малаховка*
Waiting: 1 message to clients. They go at 14:00 unless you decide otherwise."
    );
    assert_eq!(
        ask_pause(ru, "Малаховка", PauseEnd::Open, 1),
        "\
⏸ *Пауза без срока: Малаховка*
Накопилось: 1 сообщение клиентам. Уйдут, когда снимете паузу."
    );
    assert_eq!(
        ask_pause(en, "Малаховка", PauseEnd::Open, 2),
        "\
⏸ *Paused without an end: Малаховка*
Waiting: 2 messages to clients. They go when you end the pause."
    );
    assert_eq!(
        ask_pause(ru, "Малаховка", PauseEnd::Foreign, 2),
        "\
⏸ *Пауза без срока: Малаховка*
Накопилось: 2 сообщения клиентам. Снять паузу: booking-monitor resume"
    );
    assert_eq!(
        ask_pause(en, "Малаховка", PauseEnd::Foreign, 2),
        "\
⏸ *Paused without an end: Малаховка*
Waiting: 2 messages to clients. To end the pause: booking-monitor resume"
    );
}

#[test]
fn buttons_presses_and_decisions_are_worded_in_both_languages() {
    let (ru, en) = (voice(Language::Ru, WhatsApp), voice(Language::En, WhatsApp));
    let labels = |v: Voice, number| {
        let all = [Choice::Arrived, Choice::Again, Choice::Send, Choice::Drop];
        all.map(|choice| v.button(choice, number, 14)).join(" | ")
    };
    assert_eq!(
        labels(ru, None),
        "Дошло | Отправить ещё раз | Отправить 14 | Не отправлять"
    );
    assert_eq!(
        labels(en, None),
        "It arrived | Send again | Send 14 | Do not send"
    );
    assert_eq!(
        labels(ru, Some(17)),
        "№ 17: дошло | № 17: ещё раз | Отправить 14 | Не отправлять"
    );
    assert_eq!(
        labels(en, Some(17)),
        "№ 17: it arrived | № 17: again | Send 14 | Do not send"
    );
    let (doubt, held) = (Matter::Uncertain(17), Matter::Guard(Kind::Cancelled));
    let pause = Matter::Pause("2026-08-20T09:00:00.000Z".to_owned());
    let decided = |v: Voice| {
        [
            v.decided(&doubt, End::Arrived, None),
            v.decided(&doubt, End::Again, Some(17)),
            v.decided(&doubt, End::Superseded, None),
            v.decided(&doubt, End::Over, None),
            v.decided(&held, End::Sent(14), None),
            v.decided(&held, End::Dropped(14), None),
            v.decided(&held, End::Over, None),
            v.decided(&pause, End::Over, None),
        ]
        .join("\n")
    };
    assert_eq!(
        decided(ru),
        "\
✅ Дошло
🔁 № 17: отправляю ещё раз
➡️ Об этом уже сказано в новом сообщении
✅ Больше не нужно
✅ Отправляю: 14
🚫 Не отправляю: 14
✅ Больше ничего не придержано
▶️ Пауза кончилась"
    );
    assert_eq!(
        decided(en),
        "\
✅ It arrived
🔁 № 17: sending again
➡️ A later message says it
✅ Nothing to decide any more
✅ Sending: 14
🚫 Not sending: 14
✅ Nothing is held any more
▶️ The pause is over"
    );
    let answers = |v: Voice| {
        [
            v.pressed(&held, End::Sent(14), false),
            v.pressed(&held, End::Sent(14), true),
            v.pressed(&doubt, End::Arrived, true),
            v.refused(Refusal::NotYours),
            v.refused(Refusal::Void),
            v.refused(Refusal::Grown(15)),
        ]
        .join("\n")
    };
    assert_eq!(
        answers(ru),
        "\
Отправляю: 14.
Уже решено: отправляю: 14.
Уже решено: дошло.
Это решают владельцы салона.
Эта кнопка больше не действует.
Их уже 15. Проверьте и нажмите ещё раз."
    );
    assert_eq!(
        answers(en),
        "\
Sending: 14.
Already decided: sending: 14.
Already decided: it arrived.
This is for the salon's owners.
This button does nothing any more.
There are 15 by now. Check, and press again."
    );
}

// Templates of a company's own.

fn own<'a>(key: &'a str, channel: Option<&'a str>, source: &'a str) -> Override<'a> {
    Override {
        key,
        channel,
        source,
        origin: "templates.created",
    }
}

#[test]
fn an_owner_reads_what_is_hidden_and_what_to_tick() {
    let (ru, en) = (voice(Language::Ru, WhatsApp), voice(Language::En, WhatsApp));
    let since = |text: &str| text.parse().unwrap();
    let staff = Unseen::Staff {
        names: &["Бари", "Тимур"],
        bookings: 12,
    };
    assert_eq!(
        alert_unseen(ru, "Малаховка", since("2026-08-01T10:42:00"), staff),
        "\
⚠️ *Не вижу часть журнала: Малаховка*
С 10:42 в журнале не видно ни одной записи мастеров: Бари, Тимур (12 записей).
Похоже, в YClients сузили права моего пользователя. Настройки → Пользователи → Права доступа → Журнал записи: откройте журнал всех сотрудников.
Отменами это не считаю, клиентам об этом не пишу. Если этих записей правда больше нет: booking-monitor release --hidden"
    );
    let period = Unseen::Period {
        from: "2027-01-02".parse().unwrap(),
        bookings: 1,
    };
    assert_eq!(
        alert_unseen(ru, "Малаховка", since("2026-07-31T10:42:00"), period),
        "\
⚠️ *Не вижу часть журнала: Малаховка*
С 31 июля в 10:42 в журнале не видно ничего начиная с 2 января 2027 года (1 запись).
Похоже, моему пользователю в YClients сократили период. Настройки → Пользователи → Права доступа → Журнал записи: снимите ограничение по дням.
Отменами это не считаю, клиентам об этом не пишу. Если этих записей правда больше нет: booking-monitor release --hidden"
    );
    let phones = Unseen::Phones { bookings: 3 };
    assert_eq!(
        alert_unseen(ru, "Малаховка", since("2026-08-01T10:42:00"), phones),
        "\
⚠️ *Не вижу телефоны клиентов: Малаховка*
С 10:42 записи приходят без номеров (впереди 3 записи).
Похоже, моему пользователю в YClients закрыли телефоны. Настройки → Пользователи → Права доступа → Журнал записи и Клиенты: отметьте «Видит телефоны».
Кого знаю, тем пишу по прежним номерам; о новых записях без номера сообщу, когда номер станет виден."
    );
    assert_eq!(
        alert_unseen(en, "Малаховка", since("2026-08-01T10:42:00"), phones),
        "\
⚠️ *I cannot see clients' phones: Малаховка*
Since 10:42 bookings come without numbers (ahead: 3 bookings).
It looks as if phones were closed to my user in YClients. Settings → Users → Access rights → Appointment calendar and Clients: tick that phones are shown.
Those whose number I know are written to as before; new bookings without one are told once it is seen."
    );
    assert_eq!(
        alert_unseen_over(ru, "Малаховка", SeenAgain::Phones, 7_800),
        "\
✅ *Снова вижу телефоны клиентов: Малаховка*
Перерыв 2 ч 10 мин."
    );
    assert_eq!(
        alert_unseen_over(en, "Малаховка", SeenAgain::Period, 30),
        "\
✅ *The end of the journal is hidden no more: Малаховка*
Out for under a minute."
    );
}

#[test]
fn a_companys_own_text_stands_in_place_of_the_builtin_one() {
    let texts = Texts::new(
        Language::Ru,
        &[
            own("created", None, "Всем: {{ date }}\n{{ review_link }}\n*{{ services }}*"),
            own(
                "created",
                Some("whatsapp"),
                "{% if strike %}~{{ old_price }}~{% endif %} {{ price }}, {{ weekday }}, {{ duration }}",
            ),
        ],
    )
    .unwrap();
    let told = Told::Created { now: &[haircut()] };
    let text = |channel| {
        let way = Way {
            channel,
            markup: TelegramHtml,
            invite: true,
        };
        compose(&texts, &told, &place(), way, today())
    };
    assert_eq!(text("telegram"), "Всем: 21 августа\n<b>МУЖСКАЯ СТРИЖКА</b>");
    assert_eq!(text("whatsapp"), "<s>2000 руб</s> 1000 руб, пятница, 1 ч");
}

#[test]
fn own_texts_know_what_was_before_only_where_it_changed() {
    let source = "{{ changes }}\nбыло {{ old_date }} {{ old_time }}\nмастер был {{ old_staff }}";
    let texts = Texts::new(Language::Ru, &[own("updated", None, source)]).unwrap();
    let (before, now) = ([haircut()], [moved()]);
    let told = updated(&before, &now, &[Field::Start]);
    assert_eq!(
        compose(&texts, &told, &place(), way(WhatsApp, true), today()),
        "📅 ~21 августа в 14:30~ → *22 августа в 16:00*\nбыло 21 августа 14:30"
    );
}

fn problems(texts: &[Override<'_>]) -> Vec<String> {
    let found: Vec<TemplateProblem> = Texts::new(Language::Ru, texts).unwrap_err();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_wrong_template_is_named_with_its_line_and_the_nearest_right_name() {
    let cases = [
        (
            own("created", None, "Здравствуйте\n{{ clint_name }}"),
            "templates.created, line 2: unknown variable `clint_name`; did you mean `client_name`?",
        ),
        (
            own("created", None, "{{ zzz }}"),
            "templates.created, line 1: unknown variable `zzz`",
        ),
        (
            own("creatd", None, "x"),
            "templates.created: there is no text `creatd`; did you mean `created`?",
        ),
        (
            own(
                "created",
                None,
                "a\n{% for item in items %}{{ item.datee }}{% endfor %}",
            ),
            "templates.created, line 2: undefined value: `item.datee` is undefined; did you mean `date`?",
        ),
        (
            own("created", None, "{% if %}"),
            "templates.created, line 1: syntax error: unexpected end of block",
        ),
        (
            own("created", None, "{{ client_name|safe }}"),
            "templates.created, line 1: unknown filter: filter safe is unknown",
        ),
        (
            own(
                "created",
                None,
                "{% for a in range(999) %}{% for b in range(999) %}x{% endfor %}{% endfor %}",
            ),
            "templates.created, line 1: it takes too long: an endless loop?",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(problems(&[text]), [expected]);
    }
}

#[test]
fn all_wrong_templates_are_named_at_once() {
    let found = problems(&[
        own("created", None, "{{ b_b_b }}\n{{ clients_name }}"),
        own("cancelled", None, "{{ tme }}"),
    ]);
    assert_eq!(
        found,
        [
            "templates.created, line 1: unknown variable `b_b_b`",
            "templates.created, line 2: unknown variable `clients_name`; did you mean `client_name`?",
            "templates.created, line 1: unknown variable `tme`; did you mean `time`?",
        ]
    );
}

// Hostile data.

/// Names, titles and addresses as people who wish us ill would write them.
fn hostile() -> Vec<String> {
    let mut corpus: Vec<String> = [
        "*bold*",
        "_italic_",
        "~struck~",
        "`code`",
        "```block```",
        "*_~all~_*",
        "* x",
        "- x",
        "> quote",
        "1. list",
        "# head",
        "*",
        "**",
        "_",
        "~",
        "`",
        "a*b*c",
        "*\n*",
        "<b>x</b>",
        "<a href=\"http://evil.example\">x</a>",
        "<script>alert(1)</script>",
        "</b></s>",
        "&lt;b&gt;",
        "&amp;",
        "<",
        "<!--",
        "<tg-spoiler>x</tg-spoiler>",
        "{{ phone }}",
        "{{ client_name|safe }}",
        "{% if true %}x{% endif %}",
        "{% raw %}",
        "{# c #}",
        "{{",
        "}}",
        "${phone}",
        "{phone}",
        "%s",
        "%n%n%n",
        "%(phone)s",
        "\u{202E}gnp.exe",
        "\u{2066}x\u{2069}",
        "\u{200F}עברית",
        "a\u{200B}b",
        "\u{FEFF}x",
        "\u{2060}x",
        "\u{AD}x",
        "\u{3164}",
        "\u{E0041}x",
        "\u{E000}x\u{E000}",
        "\u{E020}",
        "\u{0}x",
        "\u{1b}[31mred",
        "\u{7}",
        "line\nbreak",
        "a\r\nb",
        "a\u{2028}b",
        "a\u{85}b",
        "\t\ttabs",
        "https://evil.example/pay",
        "http://evil.example",
        "HTTPS://EVIL.EXAMPLE",
        "evil.example",
        "www.evil.example",
        "злой.рф",
        "evil.рф",
        "xn--80ak6aa92e.com",
        "t.me/evil",
        "evil\u{3002}com",
        "例子.中国",
        "tg://resolve?domain=evil",
        "mailto:evil@evil.example",
        "evil@evil.example",
        "@evil_bot",
        "@79000000001",
        "/start",
        "/start@evil_bot",
        "#tag",
        "$USD",
        "192.168.0.1",
        "10.0.0.1:8080/x",
        "*https://evil.example/*",
        "_www.evil.example_",
        "[x](http://evil.example)",
        "![x](http://evil.example)",
        "||spoiler||",
        "__u__",
        "'; DROP TABLE x",
        "\\*x\\*",
        "null",
        "Анна 💇\u{200D}♀\u{FE0F}",
    ]
    .map(str::to_owned)
    .into();
    corpus.push("я".repeat(10_000));
    corpus.push("*_~`<&>@/{{".repeat(1_000));
    corpus.push("evil.example ".repeat(800));
    corpus
}

fn infected(word: &str) -> Record {
    with(|r| {
        r.staff.name = word.into();
        r.services = vec![
            service(1, word, 2000, 50, 1000),
            service(2, word, 2000, 50, 1000),
        ];
        r.comment = word.into();
        if let Some(client) = &mut r.client {
            client.name = word.into();
        }
        // The one value that is meant to be a link: the API makes it, nobody types it.
        r.link = "https://ours.test/b".into();
    })
}

/// Every text there is, about this booking, in this place.
fn every_text(word: &str, markup: Markup) -> Vec<String> {
    let greeting = "Здравствуйте!\n{{ client_name }}, ждём вас\n*{{ staff }}* {{ address }} {{ link }}\n{% set x %}{{ salon }}{% endset %}{{ x }} {{ staff|upper }} {{ [staff, address]|join('*') }}\n[{{ staff }} {{ salon }}]({{ booking_link }})";
    let texts = Texts::new(Language::Ru, &[own("restored", None, greeting)]).unwrap();
    let place = Place {
        salon: word.into(),
        address: word.into(),
        phone: word.into(),
        booking_link: "https://ours.test/b".into(),
        zone: Some(Zone::moscow()),
        free: Vec::new(),
        review_link: "https://ours.test/o".into(),
    };
    let (was, now) = ([haircut()], [infected(word)]);
    let fields = [Field::Start, Field::Staff, Field::Services, Field::Price];
    let kinds = [
        Told::Created { now: &now },
        updated(&was, &now, &fields),
        updated(&now, &was, &fields),
        Told::Restored { now: &now },
        Told::Cancelled { was: &now },
    ];
    let mut all: Vec<String> = kinds
        .iter()
        .map(|told| compose(&texts, told, &place, way(markup, false), today()))
        .collect();
    let voice = voice(Language::Ru, markup);
    all.push(owner_copy(
        voice,
        &OwnerCopy {
            salon: word,
            to_client: ToClient::NotTold(word),
            ..copy(Kind::Updated, Some(&was), &now)
        },
    ));
    all
}

/// What a messenger would turn into something one can press.
fn active_links(text: &str) -> Vec<String> {
    let mut text = text.replace("https://ours.test/b", "");
    for tag in ["<b>", "</b>", "<s>", "</s>", "<a href=\"\">", "</a>"] {
        text = text.replace(tag, " ");
    }
    let separators = |c: char| c.is_whitespace() || c == '\u{2060}' || "<>,;()[]\"'".contains(c);
    let is_label = |s: &str| s.chars().next().is_some_and(char::is_alphanumeric);
    text.split(separators)
        .filter(|word| {
            let domain = word.rsplit_once(['.', '\u{3002}']).is_some_and(|(a, b)| {
                a.ends_with(char::is_alphanumeric)
                    && is_label(b)
                    && (b.is_ascii() || b == "рф" || b == "中国")
            });
            let mention =
                word.starts_with(['@', '/', '#', '$']) && word.len() > 1 && is_label(&word[1..]);
            let dots = word.matches('.').count();
            (domain && (dots >= 3 || word.chars().any(|c| c.is_alphabetic())))
                || word.contains("://")
                || mention
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_search_for_links_finds_them_where_nothing_breaks_them() {
    for active in [
        "https://evil.example/pay",
        "вот evil.example тут",
        "злой.рф",
        "@evil_bot",
        "/start",
        "192.168.0.1",
    ] {
        assert_eq!(active_links(active).len(), 1, "{active}");
    }
    assert!(active_links("21 августа в 14:30, ул.Южная, 5").is_empty());
}

fn is_invisible_or_private(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200B}'..='\u{200C}' | '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{AD}'
            | '\u{E000}'..='\u{F8FF}' | '\u{E0000}'..)
}

#[test]
fn hostile_words_become_neither_links_nor_hidden_text_in_any_channel() {
    let corpus = hostile();
    assert!(corpus.len() >= 60, "{}", corpus.len());
    for word in corpus {
        let name: String = word.chars().take(40).collect();
        for markup in [WhatsApp, TelegramHtml, Plain] {
            for text in every_text(&word, markup) {
                let shown: String = text.chars().take(400).collect();
                assert_eq!(
                    active_links(&text),
                    Vec::<String>::new(),
                    "{name:?}: {shown}"
                );
                assert!(
                    !text.contains(is_invisible_or_private),
                    "{name:?}: {shown:?}"
                );
                let visible = text
                    .replace("&amp;", "&")
                    .replace("&lt;", "<")
                    .replace("&gt;", ">");
                assert!(visible.chars().count() <= 4096, "{name:?}: too long");
                assert!(
                    !text.contains("+7 900 000-00-00"),
                    "a template came to life: {shown}"
                );
            }
        }
    }
}

#[test]
fn hostile_words_add_no_emphasis_on_whatsapp() {
    let marks =
        |text: &str| -> Vec<usize> { ['*', '_', '~', '`'].map(|m| text.matches(m).count()).into() };
    for word in hostile() {
        let name: String = word.chars().take(40).collect();
        // What the same texts hold about a harmless word that is missing nowhere.
        let harmless = every_text("Слово", WhatsApp);
        for (text, model) in every_text(&word, WhatsApp).iter().zip(&harmless) {
            for (here, there) in marks(text).into_iter().zip(marks(model)) {
                assert!(here <= there, "{name:?}: {text}");
            }
            let blocks = ["> ", "- ", "* ", "1. ", "# "];
            assert!(
                !text
                    .lines()
                    .any(|l| blocks.iter().any(|b| l.starts_with(b))),
                "{name:?}: {text}"
            );
        }
    }
}

#[test]
fn hostile_words_leave_telegrams_html_whole_and_ours() {
    for word in hostile() {
        let name: String = word.chars().take(40).collect();
        for text in every_text(&word, TelegramHtml) {
            let mut open = Vec::new();
            for piece in text.split('<').skip(1) {
                let (tag, _) = piece.split_once('>').unwrap_or((piece, ""));
                match tag.strip_prefix('/') {
                    Some(name) => assert_eq!(open.pop(), Some(name), "{name:?}"),
                    None => {
                        let ours = ["b", "s", "i", "a href=\"https://ours.test/b\""];
                        assert!(ours.contains(&tag), "{name:?}: <{tag}>");
                        open.push(&tag[..1]);
                    }
                }
            }
            assert_eq!(open, Vec::<&str>::new(), "{name:?}");
            for piece in text.split('&').skip(1) {
                let known = ["amp;", "lt;", "gt;"].iter().any(|e| piece.starts_with(e));
                assert!(known, "{name:?}: &{piece:.20}");
            }
        }
    }
}

#[test]
fn builtin_texts_never_show_what_administrators_note() {
    let noted = with(|r| {
        r.comment = "СЕКРЕТ".into();
        r.client.as_mut().unwrap().name = "СЕКРЕТ скандальная".into();
    });
    let (was, now) = ([haircut()], [noted]);
    for told in [
        Told::Created { now: &now },
        updated(&was, &now, &[Field::Start]),
        Told::Restored { now: &now },
        Told::Cancelled { was: &now },
        Told::WrongNumber { was: &now },
    ] {
        assert!(!ru(&told, WhatsApp).contains("СЕКРЕТ"));
        assert!(!en(&told, WhatsApp).contains("СЕКРЕТ"));
    }
}

#[test]
fn the_databases_trouble_and_its_end() {
    let ru = voice(Language::Ru, WhatsApp);
    assert_eq!(
        alert_database(ru, Sick::Disk),
        "\
⚠️ *База данных: диск даёт ошибки*
Клиентам ничего не отправляю, пока база не откроется снова.
Проверьте диск сервера и сделайте копию базы."
    );
    let waited = Waited {
        sending: 7,
        stale: 0,
    };
    assert_eq!(
        alert_database_well(ru, 7800, waited),
        "✅ *База данных снова в порядке*\nПерерыв 2 ч 10 мин. Отправляю 7 сообщений."
    );
    let en = voice(Language::En, Plain);
    let english = [Sick::NoRoom, Sick::ReadOnly, Sick::Disk, Sick::Refused];
    let english = english.map(|what| alert_database(en, what));
    assert_eq!(
        english.join("\n\n"),
        "\
⚠️ Database: the disk is full
Nothing can be written down, so nothing is sent to clients: messages wait.
Make room on the server, then it goes on by itself.

⚠️ Database: the disk takes no writes
Nothing can be written down, so nothing is sent to clients: messages wait.
A disk that failed does that: look after the server. Then it goes on by itself.

⚠️ Database: the disk fails
Nothing is sent to clients until the database opens again.
Look after the server's disk and make a copy of the database.

⚠️ Database: damaged, missing or another
Nothing is sent to clients until a person has looked.
On the server: booking-monitor db check, then booking-monitor db restore with a copy."
    );
}

#[test]
fn the_list_after_a_restore_names_thirty_bookings_ahead_and_counts_the_rest() {
    let altered: Vec<Altered> = (0..35)
        .map(|n| Altered {
            before: None,
            after: Some(Record {
                id: n,
                start_local: if n == 0 {
                    "2026-07-01T10:00:00".parse().unwrap()
                } else {
                    haircut().start_local
                },
                ..haircut()
            }),
        })
        .collect();
    let list = RestoredList {
        salon: "Малаховка",
        as_of: Some("2026-07-31T21:14:00".parse().unwrap()),
        now: "2026-08-01T09:00:00".parse().unwrap(),
        altered: &altered,
        mask: true,
    };
    let text = restored_list(voice(Language::En, Plain), &list);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "♻️ The database was restored from a copy: Малаховка",
            "The copy knows the journal as of 31 July at 21:14.",
            "What has changed since. Clients are not told of it any more: some were before the failure. Whom to call is for you to decide.",
            "🆕 21 August at 14:30 · Бари · Анна, +7 *** ***-**-01",
        ]
    );
    assert_eq!(lines.len(), 3 + 30 + 2);
    assert_eq!(
        lines[33..],
        ["And more: 4.", "New changes are told as ever."]
    );
    assert!(text.chars().count() < 4096);
}

/// As a channel says it on this day, to somebody whose answer is heard or not.
fn on(day: u32, language: Language, told: &Told<'_>, invite: bool) -> String {
    let texts = Texts::builtin(language);
    let today = NaiveDate::from_ymd_opt(2026, 8, day).unwrap();
    let place = Place {
        review_link: "https://yandex.ru/maps/org/1".into(),
        ..place()
    };
    compose(&texts, told, &place, way(WhatsApp, invite), today)
}

#[test]
fn a_reminder_names_the_day_by_its_distance_and_always_by_its_date() {
    let told = Told::Reminder {
        now: &[haircut()],
        asks: false,
    };
    let body = "\n\n💇 МУЖСКАЯ СТРИЖКА\n👤 Мастер: Бари\n📍 Малаховка, Южная улица, 38\n\n";
    for (day, head, foot) in [
        (
            20,
            "⏰ *Ждём вас завтра, 21 августа, в 14:30*",
            "Если планы изменились, напишите мне здесь 👇",
        ),
        (
            21,
            "⏰ *Ждём вас сегодня, 21 августа, в 14:30*",
            "Опаздываете или не получается? Напишите мне здесь 👇",
        ),
        (
            18,
            "⏰ *Ждём вас 21 августа в 14:30*",
            "Если планы изменились, напишите мне здесь 👇",
        ),
    ] {
        assert_eq!(
            on(day, Language::Ru, &told, true),
            format!("{head}{body}{foot}")
        );
    }
    assert_eq!(
        on(20, Language::Ru, &told, false),
        format!(
            "⏰ *Ждём вас завтра, 21 августа, в 14:30*{body}Для отмены или переноса позвоните: +7 900 000-00-00"
        )
    );
    let body = "\n\n💇 МУЖСКАЯ СТРИЖКА\n👤 With Бари\n📍 Малаховка, Южная улица, 38\n\n";
    for (day, head, foot) in [
        (
            20,
            "⏰ *See you tomorrow, 21 August, at 14:30*",
            "If your plans have changed, write to me here 👇",
        ),
        (
            21,
            "⏰ *See you today, 21 August, at 14:30*",
            "Running late, or cannot make it? Write to me here 👇",
        ),
        (
            18,
            "⏰ *See you on 21 August at 14:30*",
            "If your plans have changed, write to me here 👇",
        ),
    ] {
        assert_eq!(
            on(day, Language::En, &told, true),
            format!("{head}{body}{foot}")
        );
    }
}

#[test]
fn a_reminder_asks_only_the_day_before_and_only_where_an_answer_is_heard() {
    let told = Told::Reminder {
        now: &[haircut()],
        asks: true,
    };
    let asked =
        "Придёте? Ответьте *1* — да, *2* — не смогу. Нужно другое время — просто напишите 👇";
    assert!(on(20, Language::Ru, &told, true).ends_with(asked));
    assert!(!on(20, Language::Ru, &told, false).contains("Придёте?"));
    assert!(!on(21, Language::Ru, &told, true).contains("Придёте?"));
    let asked =
        "Are you coming? Answer *1* for yes, *2* for no. Need another time? Just write to me 👇";
    assert!(on(20, Language::En, &told, true).ends_with(asked));
}

#[test]
fn a_reminder_of_a_class_names_it_and_the_seats() {
    let class = with(|r| {
        r.activity_id = 9;
        r.seats = 2;
        r.services = vec![service(200, "Стретчинг", 900, 0, 900)];
    });
    let told = Told::Reminder {
        now: &[class],
        asks: false,
    };
    assert_eq!(
        on(20, Language::Ru, &told, true),
        "⏰ *Ждём вас завтра, 21 августа, в 14:30*\n\n🧘 Стретчинг\n👤 Мастер: Бари\n👥 2 места\n\
         📍 Малаховка, Южная улица, 38\n\nЕсли планы изменились, напишите мне здесь 👇"
    );
}

#[test]
fn thanks_and_a_missed_visit_read_the_same_in_both_languages() {
    let was = [haircut()];
    let (visited, missed) = (Told::Visited { was: &was }, Told::NoShow { was: &was });
    let all: Vec<String> = [Language::Ru, Language::En]
        .into_iter()
        .flat_map(|language| {
            [
                (&visited, true),
                (&visited, false),
                (&missed, true),
                (&missed, false),
            ]
            .map(|(told, invite)| on(22, language, told, invite))
        })
        .collect();
    assert_eq!(
        all,
        [
            "*Спасибо, что были у нас!* 🤍\n\nВсё ли понравилось? Напишите пару слов прямо здесь 👇\n\
             Отзыв можно оставить тут: https://yandex.ru/maps/org/1",
            "*Спасибо, что были у нас!* 🤍\n\nОтзыв можно оставить тут: https://yandex.ru/maps/org/1",
            "*Мы вас не дождались* 🤍\n\n📅 21 августа в 14:30\n💇 МУЖСКАЯ СТРИЖКА\n\n\
             Надеемся, всё хорошо. Если мы ошиблись или вам нужно другое время, напишите мне здесь 👇",
            "*Мы вас не дождались* 🤍\n\n📅 21 августа в 14:30\n💇 МУЖСКАЯ СТРИЖКА\n\n\
             Надеемся, всё хорошо. Если мы ошиблись или вам нужно другое время, позвоните: +7 900 000-00-00",
            "*Thank you for coming!* 🤍\n\nDid you like everything? Write a few words right here 👇\n\
             You can leave a review here: https://yandex.ru/maps/org/1",
            "*Thank you for coming!* 🤍\n\nYou can leave a review here: https://yandex.ru/maps/org/1",
            "*We missed you* 🤍\n\n📅 21 August at 14:30\n💇 МУЖСКАЯ СТРИЖКА\n\n\
             We hope all is well. If we got it wrong or you need another time, just write to me here 👇",
            "*We missed you* 🤍\n\n📅 21 August at 14:30\n💇 МУЖСКАЯ СТРИЖКА\n\n\
             We hope all is well. If we got it wrong or you need another time, please call +7 900 000-00-00",
        ]
    );
}
