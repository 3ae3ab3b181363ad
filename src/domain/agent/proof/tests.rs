use super::*;
use serde_json::json;

fn evidence() -> Evidence {
    let mut evidence = Evidence::on(NaiveDate::from_ymd_opt(2026, 8, 20).unwrap());
    evidence.learn(&json!({
        "services": [{"service": 45, "title": "Мужская стрижка", "price": "2000 руб", "minutes": 60}],
        "day": "2026-08-21", "date": "21 августа, пятница", "times": ["12:00", "14:30"], "not_free": ["15:00"],
        "masters": ["Бари", "Анна"],
    }));
    evidence.learn_text("Малаховка, Южная улица, 38. https://salon.example/book");
    evidence
}

#[test]
fn what_the_journal_answered_may_be_said() {
    let evidence = evidence();
    for text in [
        "Мужская стрижка стоит 2000 руб, занимает 60 минут.",
        "Мужская стрижка — 2 000 рублей.",
        "21 августа свободно в 12:00 и 14:30. На какое время вас записать?",
        "21.08 есть время 12:00.",
        "1. Бари\n2. Анна",
        "К сожалению, на 15:00 времени нет. Есть 14:30.",
        "Вас примет мастер Бари. Мы на Южной улице, 38.",
        "Записаться можно и тут: https://salon.example/book",
        "Запишу вас на 14:30?",
        "Записываем на 14:30?",
        "Это уточнит администратор. Оформляем?",
        "Я ещё не записал вас: нужно ваше «да».",
        "Здравствуйте! Чем помочь?",
        "Оформление бороды, подтверждение и создание образа.",
        "В 12 часов свободно.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
}

#[test]
fn a_deed_is_claimed_in_no_form_without_the_journals_answer() {
    let evidence = evidence();
    for text in [
        "Записал вас на 14:30!",
        "Готово, вы записаны.",
        "вы зaписaны",
        "З а п и с а л вас",
        "ЗАПИСАЛА, ждём!",
        "Ваша запись перенесена.",
        "Перенёс.",
        "Отменила вашу запись",
        "Запись отменена",
        "Запись снята.",
        "Всё, запись удалена",
        "Записываю вас на 14:30",
        "Запишу вас на 14:30.",
        "Ждём вас в 14:30!",
        "You are booked for 14:30.",
        "I have cancelled it.",
        "Your visit was moved",
        "Done!",
        "за\u{200b}писал",
        "Бронь подтверждена",
        "Забронировано на 12:00",
    ] {
        let breach = evidence.bears_out(text);
        assert!(matches!(breach, Err(Breach::Deed(_))), "{text}: {breach:?}");
    }
}

fn at(moment: &str) -> NaiveDateTime {
    moment.parse().unwrap()
}

#[test]
fn each_deed_is_said_with_its_own_proof() {
    let said = |deed: Deed, text: &str| {
        let mut evidence = evidence();
        let from = at("2026-08-21T12:00:00");
        let to = at("2026-08-21T14:30:00");
        match deed {
            Deed::Moved => evidence.prove(deed, &[from, to]),
            _ => evidence.prove(deed, &[to]),
        }
        evidence.bears_out(text).is_ok()
    };
    assert!(said(Deed::Booked, "Записал вас на 14:30. Ждём вас!"));
    assert!(said(Deed::Booked, "Да, вы записаны на завтра в 14:30."));
    assert!(said(Deed::Moved, "Перенёс с 12:00 на 14:30."));
    assert!(said(Deed::Moved, "Вы записаны на 21 августа в 14:30."));
    assert!(said(Deed::Cancelled, "Запись на 21 августа отменена."));
    assert!(!said(Deed::Cancelled, "Перенёс на 14:30."));
    assert!(!said(Deed::Moved, "Запись на 14:30 отменена."));
    assert!(!said(Deed::Moved, "Вы записаны на 12:00."));
    assert!(!said(Deed::Cancelled, "Ждём вас в 14:30!"));
    let mut standing = evidence();
    standing.show_booking(at("2026-08-21T14:30:00"));
    for (text, is_true) in [
        ("Вы записаны на 21 августа в 14:30.", true),
        ("Вы записаны на пятницу в 14:30.", true),
        ("Вы записаны на 12:00.", false),
        ("Вы записаны на 12.", false),
        ("Записал вас на 14:30.", false),
        ("Отмена подтверждена.", false),
        ("Перенос на 14:30 подтверждён.", false),
    ] {
        assert_eq!(standing.bears_out(text).is_ok(), is_true, "{text}");
    }
}

/// What was done an hour ago proves nothing of what is asked for now.
#[test]
fn an_earlier_deed_proves_no_other_one() {
    let mut evidence = evidence();
    evidence.learn(&json!({"day": "2026-08-22", "times": ["16:00"]}));
    evidence.prove(Deed::Booked, &[at("2026-08-21T14:30:00")]);
    evidence.prove(Deed::Cancelled, &[at("2026-08-23T12:00:00")]);
    for text in [
        "Готово, записал вас на 22 августа в 16:00!",
        "Записал и на 22 августа.",
        "Вы записаны на 22 августа в 16:00.",
        "Записал вас на 21 августа в 16:00.",
        "Готово!",
        "Отменил.",
        "Отменил и эту запись.",
        "Отменил запись на 21 августа.",
        "Ждём вас 22 августа в 16:00.",
    ] {
        let breach = evidence.bears_out(text);
        assert!(matches!(breach, Err(Breach::Deed(_))), "{text}: {breach:?}");
    }
}

#[test]
fn what_was_denied_is_not_confirmed_later() {
    let mut evidence = evidence();
    evidence.learn_question("А 25 августа в 18:30?");
    evidence.learn_said("К сожалению, на 25 августа в 18:30 времени нет, есть 14:30.");
    assert_eq!(evidence.bears_out("В 14:30 свободно."), Ok(()));
    for text in [
        "25 августа в 18:30 свободно.",
        "Не сомневайтесь, на 18:30 свободно!",
        "Нет проблем, 18:30.",
        "На 18:30 не занято.",
        "Не волнуйтесь: 18:30 есть.",
        "Нет, это не так: 18:30 свободно.",
        "No problem, 18:30 is free.",
    ] {
        assert!(evidence.bears_out(text).is_err(), "{text}");
    }
}

#[test]
fn figures_in_words_need_their_proof_too() {
    let evidence = evidence();
    for text in [
        "Свободно в четырнадцать тридцать.",
        "Стрижка стоит две тысячи рублей.",
        "Это займёт шестьдесят минут.",
        "Двадцать первого августа свободно.",
        "Есть время в полтретьего.",
        "Свободно в полдень.",
        "Завтра свободно в 12:00.",
        "В пятницу свободно в 12:00.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Свободно в пятнадцать ноль ноль.",
        "Свободно в пятнадцать тридцать.",
        "Приходите к шести.",
        "Ровно в семь вечера.",
        "Стрижка всего пятьсот.",
        "Тысяча — и готова причёска.",
        "Двадцать второго августа свободно.",
        "Приходите в полпятого.",
        "Без четверти пять подойдёт.",
        "Послезавтра свободно в 12:00.",
        "В субботу свободно в 12:00.",
        "Укладка бесплатно!",
        "Скидка шестьдесят процентов.",
        "Скидка 60%.",
        "Стоит 45 руб.",
        "Осталось 45.",
    ] {
        assert!(evidence.bears_out(text).is_err(), "{text}");
    }
}

#[test]
fn people_and_languages_that_nobody_named_are_not_spoken_of() {
    let evidence = evidence();
    assert_eq!(
        evidence.bears_out("Вас примет Бари, а Анну ждать долго."),
        Ok(())
    );
    assert_eq!(
        evidence.bears_out("We have 14:30 and 12:00, which do you like?"),
        Ok(())
    );
    assert_eq!(evidence.bears_out("Sure! Men's haircut: 2000 rub."), Ok(()));
    for (text, breach) in [
        ("Вас примет Карина.", "master"),
        ("Могу предложить: Карина или Бари.", "master"),
        ("Ваш запис скасовано.", "deed"),
        ("Вас записано, чекаємо!", "language"),
        ("Ihr Termin ist gebucht.", "language"),
        ("Su cita fue cancelada hoy.", "language"),
        ("Jūsu vizīte ir atcelta.", "language"),
        ("您的预约已取消", "language"),
    ] {
        let found = evidence.bears_out(text);
        assert_eq!(
            found.as_ref().map_err(Breach::as_str),
            Err(breach),
            "{text}"
        );
    }
}

#[test]
fn figures_that_no_answer_named_are_not_said() {
    let evidence = evidence();
    for (text, breach) in [
        ("Свободно в 13:00.", "time"),
        ("На 15:00 свободно.", "time"),
        ("Приходите 22 августа в 12:00.", "day"),
        ("Приходите 22.08", "day"),
        ("Стрижка стоит 1500 руб.", "price"),
        ("Стрижка стоит 1 500 ₽", "price"),
        ("Не 2000, а всего 500 руб!", "price"),
        ("Стоит пятьсот рублей.", "price"),
        ("В три часа свободно.", "time"),
        ("Скидка 20%!", "figure"),
        ("Это займёт 90 минут.", "figure"),
        ("Приходите в 13.", "figure"),
        ("Пишите на www.evil.example", "link"),
        ("Смотрите evil.ru/book", "link"),
        ("Вас примет мастер Карина.", "master"),
        ("٣ услуги", "figure"),
    ] {
        let found = evidence.bears_out(text);
        assert_eq!(
            found.as_ref().map_err(Breach::as_str),
            Err(breach),
            "{text}"
        );
    }
}

#[test]
fn what_the_client_asked_for_may_be_denied_and_not_confirmed() {
    let mut evidence = evidence();
    evidence.learn_question("А можно 25 августа в 18:30 за 300 руб?");
    assert_eq!(
        evidence.bears_out("На 25 августа в 18:30 времени нет."),
        Ok(())
    );
    assert!(evidence.bears_out("25 августа в 18:30 свободно.").is_err());
    assert!(evidence.bears_out("Нет проблем, 300 руб.").is_err());
}

/// Two days and three services, as the tools answer.
fn two_days() -> Evidence {
    let mut evidence = Evidence::on(NaiveDate::from_ymd_opt(2026, 8, 20).unwrap());
    evidence.learn_text("Работаем с 10:00 до 21:00.");
    for (day, date, times) in [
        ("2026-08-21", "21 августа, пятница", ["12:00", "14:30"]),
        ("2026-08-22", "22 августа, суббота", ["12:00", "16:00"]),
    ] {
        evidence.learn(&json!({"day": day, "date": date, "times": times, "not_free": ["18:00"]}));
    }
    evidence.learn(&json!({"services": [
        {"service": 45, "title": "Мужская стрижка", "price": "2000 руб", "lasts": "1 ч", "minutes": 60},
        {"service": 46, "title": "Женская стрижка", "price": "от 2500 руб до 3000 руб"},
        {"service": 47, "title": "Маникюр", "price": "1500 руб", "lasts": "1 ч 30 мин"},
    ]}));
    evidence
}

#[test]
fn a_time_is_said_only_of_its_own_day() {
    let evidence = two_days();
    for text in [
        "Завтра свободно в 14:30.",
        "Завтра, 21 августа, есть 12:00 и 14:30.",
        "21 августа в 14:30 и 22 августа в 16:00.",
        "Завтра есть 14:30, послезавтра 16:00.",
        "21 и 22 августа есть 12:00.",
        "Завтра и в субботу есть 12:00.",
        "12:00 и 14:30 завтра, 16:00 в субботу.",
        "На 18:00 завтра времени нет, есть 14:30.",
        "Завтра на 18:00 времени нет, в субботу есть 16:00.",
        "Есть 14:30 и 16:00. На какой день?",
        "В субботу свободно в четыре часа.",
        "В субботу в 16 свободно.",
        "Есть время на 21 и 22 августа.",
        "Завтра работаем с 10:00 до 21:00, свободно в 12:00.",
        "Завтра в 12:00 свободно, стрижка занимает 1 ч.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Завтра свободно в 16:00.",
        "Завтра в 16:00 подойдёт?",
        "В 16:00 завтра свободно.",
        "Завтра, 21 августа, есть 12:00 и 16:00.",
        "21 августа в 16:00 и 22 августа в 14:30.",
        "Завтра есть 16:00, послезавтра 14:30.",
        "21 августа и 22 августа есть 16:00.",
        "В субботу в полтретьего свободно.",
        "Завтра в четыре часа свободно.",
        "Завтра в 16 свободно.",
        "Завтра время есть. Приходите в 16:00.",
        "Завтра:\n12:00\n16:00",
        "На 18:00 в субботу времени нет, есть 14:30.",
        "On 21.08 we have 16:00 free.",
    ] {
        let breach = evidence.bears_out(text);
        assert!(matches!(breach, Err(Breach::Time(_))), "{text}: {breach:?}");
    }
}

#[test]
fn a_booking_and_what_was_said_before_have_their_own_day_too() {
    let mut evidence = two_days();
    evidence
        .learn(&json!({"day": "2026-08-23", "date": "23 августа, воскресенье", "time": "15:00"}));
    evidence.show_booking(at("2026-08-23T15:00:00"));
    evidence.learn_said("Переношу:\n📅 24 августа в 11:00 → 25 августа в 13:00");
    evidence.learn_said("⏰ Ждём вас завтра, 27 августа, в 17:00");
    evidence.learn_said("28 августа времени нет, завтра есть 19:00.");
    for (text, is_true) in [
        ("Вы записаны на 23 августа в 15:00.", true),
        ("Визит 27 августа в 17:00.", true),
        ("28 августа в 19:00 свободно.", false),
        ("24 августа в 11:00 свободно.", true),
        (
            "Перенести с 23 августа в 15:00 на 21 августа в 14:30?",
            true,
        ),
        (
            "Перенести с 23 августа в 15:00 на 21 августа в 16:00?",
            false,
        ),
        ("24 августа в 13:00 свободно.", false),
    ] {
        assert_eq!(evidence.bears_out(text).is_ok(), is_true, "{text}");
    }
}

#[test]
fn a_price_is_said_only_of_its_own_service() {
    let evidence = two_days();
    for text in [
        "Маникюр 1500 руб.",
        "Маникюр — полторы тысячи рублей.",
        "Мужская стрижка 2000 руб, маникюр 1500 руб.",
        "Мужская стрижка стоит 2000 руб и маникюр 1500 руб.",
        "Женская стрижка от 2500 до 3000 руб.",
        "Стрижка мужская: 2000 руб.",
        "Всего 2000 руб.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Маникюр 2000 руб.",
        "Маникюр — 2000 рублей.",
        "Маникюр всего две тысячи рублей.",
        "Мужская стрижка 1500 руб, маникюр 2000 руб.",
        "Мужская стрижка стоит 1500 руб и маникюр 2000 руб.",
        "Мужская стрижка 3000 руб.",
        "Маникюр делаем. Он стоит 2000 руб.",
    ] {
        let breach = evidence.bears_out(text);
        assert!(
            matches!(breach, Err(Breach::Price(_))),
            "{text}: {breach:?}"
        );
    }
}

#[test]
fn a_time_is_held_against_a_day_that_is_named_after_it() {
    let evidence = two_days();
    for text in [
        "Могу предложить 14:30, завтра подойдёт?",
        "Есть 14:30. Это завтра.",
        "Есть 16:00, завтра занято, в субботу подойдёт?",
        "Есть 14:30 и 16:00. На какой день?",
        "Есть 16:00, а завтра — 12:00 и 14:30.",
        "Есть 16:00. Завтра времени нет.",
        "Есть 16:00. Или завтра в 14:30?",
        "Работаем с 10:00 до 21:00. Завтра подойдёт?",
        "Есть 16:00. Если не подходит, могу посмотреть завтра.",
        "Есть 12:00, завтра и в субботу.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Могу предложить 16:00, завтра подойдёт?",
        "Есть 16:00. Это завтра.",
        "Есть время:\n12:00\n16:00\nЗавтра удобно?",
        "Могу предложить 16:00 — завтра, 14:30 — в субботу.",
        "Есть 14:30, завтра занято, в субботу подойдёт?",
        "Есть 14:30, завтра и в субботу.",
        "Есть 14:30, завтра или в субботу?",
    ] {
        let breach = evidence.bears_out(text);
        assert!(matches!(breach, Err(Breach::Time(_))), "{text}: {breach:?}");
    }
}

#[test]
fn a_question_denies_no_time_that_it_offers() {
    let mut evidence = two_days();
    evidence.learn_question("А 25 августа в 18:30?");
    for text in [
        "Не хотите завтра в 14:30?",
        "На 18:00 завтра времени нет, подойдёт 14:30?",
        "Завтра в 18:30 не получится, может, в 14:30?",
        "К сожалению, 18:30 уже занято, подойдёт 14:30?",
        "Завтра в 14:30 без предоплаты.",
        "На 18:30 завтра, к сожалению, занято, но есть 14:30.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Не хотите завтра в 16:00?",
        "Не хотите завтра в 16:00",
        "Не хотите в 16:00, завтра?",
        "Не против завтра в 16:00, на стрижку?",
        "Завтра в 16:00 без предоплаты.",
        "Не хотите в 18:30?",
        "Нет возражений против 18:30?",
    ] {
        let breach = evidence.bears_out(text);
        assert!(matches!(breach, Err(Breach::Time(_))), "{text}: {breach:?}");
    }
}

/// One title within another, and titles of short words.
fn alike_services() -> Evidence {
    let mut evidence = Evidence::on(NaiveDate::from_ymd_opt(2026, 8, 20).unwrap());
    evidence.learn(&json!({"services": [
        {"service": 1, "title": "Маникюр", "price": "1500 руб"},
        {"service": 2, "title": "Маникюр с покрытием", "price": "2500 руб"},
        {"service": 3, "title": "Стрижка", "price": "2000 руб"},
        {"service": 4, "title": "СПА", "price": "3000 руб"},
        {"service": 5, "title": "Лак на дом", "price": "700 руб"},
    ]}));
    evidence
}

#[test]
fn a_title_within_another_has_its_own_price() {
    let evidence = alike_services();
    for text in [
        "Маникюр стоит 1500 руб.",
        "Маникюр с покрытием стоит 2500 руб.",
        "Маникюр: обычный 1500 руб, с покрытием 2500 руб.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Маникюр стоит 2500 руб.",
        "Маникюр с покрытием стоит 1500 руб.",
    ] {
        let breach = evidence.bears_out(text);
        assert!(
            matches!(breach, Err(Breach::Price(_))),
            "{text}: {breach:?}"
        );
    }
}

#[test]
fn a_price_without_its_currency_is_a_price() {
    let evidence = alike_services();
    for text in [
        "Маникюр — 1500, стрижка — 2000.",
        "Маникюр 1500, стрижка 2000, маникюр с покрытием 2500.",
        "Маникюр — 1500 и стрижка — 2000.",
        "Маникюр — 1 500.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Маникюр — 2000, стрижка — 1500.",
        "Маникюр 2000, стрижка 1500.",
        "Маникюр — 1500 и стрижка — 1500.",
        "Стрижка — 2000, маникюр — 2000.",
    ] {
        let breach = evidence.bears_out(text);
        assert!(
            matches!(breach, Err(Breach::Price(_))),
            "{text}: {breach:?}"
        );
    }
}

#[test]
fn hours_of_work_and_lengths_are_no_free_times() {
    let mut evidence = two_days();
    evidence.learn(&json!({"day": "2026-08-22", "date": "22 августа, суббота",
        "times": ["10:00", "14:00"]}));
    evidence.learn(&json!({"services": [
        {"service": 48, "title": "Окрашивание", "price": "5000 руб", "lasts": "2 ч"},
    ]}));
    for text in [
        "Завтра работаем с 10:00 до 21:00.",
        "Завтра есть 14:30. Часы работы: 10:00–21:00.",
        "Завтра открываемся в 10:00, свободно в 12:00.",
        "Завтра есть 12:00, окрашивание — 2 ч.",
        "Завтра в 12:00, окрашивание длится 2 часа.",
        "Завтра в 12:00, окрашивание займёт два часа.",
        "В субботу свободно в 10:00.",
        "В субботу в 2 часа дня свободно.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Завтра свободно в 10:00.",
        "Завтра есть 10:00.",
        "Завтра — 10:00, 12:00 и 14:30.",
        "Завтра:\n10:00\n12:00",
        "Завтра в 10:00 подойдёт?",
        "Завтра работаем и есть 10:00.",
        "Завтра в 2 часа дня свободно.",
        "Завтра в два часа свободно.",
        "Завтра 2 часа дня.",
        "Завтра свободно с 2 часов.",
    ] {
        let breach = evidence.bears_out(text);
        assert!(matches!(breach, Err(Breach::Time(_))), "{text}: {breach:?}");
    }
}

#[test]
fn what_is_counted_is_no_hour() {
    let mut evidence = two_days();
    evidence.learn(&json!({"limits": "2 процедуры, 3 человека, 5 персон"}));
    evidence.learn_text("Южная улица, 38, к 2");
    for text in [
        "Завтра запишу на 2 процедуры?",
        "Завтра есть время на 3 человек.",
        "Завтра есть место для группы до 5 человек.",
        "Завтра в 14:30 свободно, мы на Южной улице, 38, к 2.",
        "Завтра в 14:30 свободно: Южная улица, 38 к 2.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Завтра на 16 свободно.",
        "Завтра на 16.",
        "Завтра в 16 вас примет Бари.",
        "На 16 завтра время есть.",
        "Завтра к 16 приходите.",
    ] {
        assert!(evidence.bears_out(text).is_err(), "{text}");
    }
}

#[test]
fn a_short_title_names_its_service_too() {
    let evidence = alike_services();
    for text in [
        "Маникюр 1500 руб, СПА 3000 руб, лак на дом 700 руб.",
        "Маникюр делаем. Спасибо, с вас 1500 руб.",
        "Стрижка на дому невозможна, но стоит 2000 руб.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in ["СПА стоит 1500 руб.", "Стрижка 2000 руб, СПА 2000 руб."]
    {
        let breach = evidence.bears_out(text);
        assert!(
            matches!(breach, Err(Breach::Price(_))),
            "{text}: {breach:?}"
        );
    }
}

#[test]
fn a_time_with_a_point_is_held_against_its_day() {
    let mut evidence = two_days();
    evidence.learn(&json!({"day": "2026-08-22", "date": "22 августа, суббота",
        "times": ["09:10"]}));
    for text in [
        "В субботу в 9.10 свободно.",
        "На 22.08 в 9.10 свободно.",
        "В пятницу, 21.08, есть 14.30.",
        "На 21.08 и 22.08 есть 12:00.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Завтра в 9.10 свободно.",
        "Завтра с 9.10 свободно.",
        "Завтра есть время, в 9.10 подойдёт?",
        "На 21.08 в 9.10 свободно.",
    ] {
        let breach = evidence.bears_out(text);
        assert!(matches!(breach, Err(Breach::Time(_))), "{text}: {breach:?}");
    }
}

#[test]
fn days_that_are_counted_up_keep_their_own_times() {
    let evidence = two_days();
    for text in [
        "Завтра — 12:00 и 14:30, в субботу — 12:00 и 16:00.",
        "Завтра: 12:00, 14:30, в субботу: 12:00, 16:00.",
        "Завтра — 12:00 и 14:30, в субботу времени нет.",
        "Есть 14:30 завтра или 16:00 в субботу.",
        "Завтра: 18:00 и 18:00 заняты.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Завтра — 12:00 и 16:00, в субботу — 12:00 и 16:00.",
        "Завтра — 12:00 и 16:00, в субботу времени нет.",
        "Завтра — 12:00, в субботу — 14:30.",
        "Есть 16:00 завтра или 14:30 в субботу.",
        "Завтра или в субботу есть 16:00.",
    ] {
        let breach = evidence.bears_out(text);
        assert!(matches!(breach, Err(Breach::Time(_))), "{text}: {breach:?}");
    }
}

#[test]
fn a_bound_is_a_time_that_is_offered() {
    let evidence = two_days();
    for text in [
        "В субботу не раньше 16:00.",
        "Завтра не позже 14:30.",
        "Завтра раньше 18:00 времени нет.",
        "Tomorrow, not before 12:00.",
    ] {
        assert_eq!(evidence.bears_out(text), Ok(()), "{text}");
    }
    for text in [
        "Завтра не раньше 16:00.",
        "Завтра не позже 16:00.",
        "Завтра не ранее 18:00.",
        "Tomorrow, not before 16:00.",
        "Tomorrow no earlier than 16:00.",
    ] {
        assert!(evidence.bears_out(text).is_err(), "{text}");
    }
}
