//! The built-in texts. A value that is missing takes its whole line with it, so none of them asks
//! whether a value is there. They never use `client_name`: administrators keep notes in it.

use super::Language;
use super::template::Key;

/// What the agent puts to a client. Where a person has to write it, the program promises no more than to
/// pass it on.
macro_rules! proposal_ru {
    ($head:literal, $asks:literal) => {
        concat!(
            "{% if writes %}",
            $head,
            "{% else %}",
            $asks,
            "{% endif +%}\n{{ details }}\n",
            "Всё верно? Ответьте *да*{% if not writes %}, и я передам администратору{% endif %}."
        )
    };
}

macro_rules! proposal_en {
    ($head:literal, $asks:literal) => {
        concat!(
            "{% if writes %}",
            $head,
            "{% else %}",
            $asks,
            "{% endif +%}\n{{ details }}\n",
            "Is everything right? Answer *yes*",
            "{% if not writes %}, and I will pass it to the administrator{% endif %}."
        )
    };
}

/// What the agent has done.
macro_rules! done {
    ($head:literal) => {
        concat!($head, "\n\n{{ details }}\n📍 {{ address }}")
    };
}

/// The built-in text of a kind.
pub(super) fn source(language: Language, key: Key) -> &'static str {
    match (language, key) {
        (Language::Ru, Key::Created) => CREATED_RU,
        (Language::Ru, Key::Updated) => UPDATED_RU,
        (Language::Ru, Key::Restored) => RESTORED_RU,
        (Language::Ru, Key::Cancelled) => CANCELLED_RU,
        (Language::Ru, Key::NoShow) => NO_SHOW_RU,
        (Language::Ru, Key::Visited) => VISITED_RU,
        (Language::Ru, Key::Reminder) => REMINDER_RU,
        (Language::Ru, Key::WrongNumber) => WRONG_NUMBER_RU,
        (Language::Ru, Key::Stopped) => STOPPED_RU,
        (Language::Ru, Key::Started) => STARTED_RU,
        (Language::Ru, Key::Confirmed) => "Спасибо, ждём вас! 🤍",
        (Language::Ru, Key::Declined) => DECLINED_RU,
        (Language::Ru, Key::CalledOff) => CALLED_OFF_RU,
        (Language::Ru, Key::HandedOn) => HANDED_ON_RU,
        (Language::Ru, Key::Which) => WHICH_RU,
        (Language::Ru, Key::TextOnly) => "Пока читаю только текст. Напишите, пожалуйста, словами.",
        (Language::Ru, Key::NotYours) => "Не вижу у вас такой записи.",
        (Language::En, Key::Created) => CREATED_EN,
        (Language::En, Key::Updated) => UPDATED_EN,
        (Language::En, Key::Restored) => RESTORED_EN,
        (Language::En, Key::Cancelled) => CANCELLED_EN,
        (Language::En, Key::NoShow) => NO_SHOW_EN,
        (Language::En, Key::Visited) => VISITED_EN,
        (Language::En, Key::Reminder) => REMINDER_EN,
        (Language::En, Key::WrongNumber) => WRONG_NUMBER_EN,
        (Language::En, Key::Stopped) => STOPPED_EN,
        (Language::En, Key::Started) => STARTED_EN,
        (Language::Ru, Key::Start) => START_RU,
        (Language::Ru, Key::Linked) => LINKED_RU,
        (Language::Ru, Key::ForeignContact) => {
            "Это чужой номер. Нажмите кнопку, чтобы прислать свой."
        }
        (Language::En, Key::Start) => START_EN,
        (Language::En, Key::Linked) => LINKED_EN,
        (Language::En, Key::ForeignContact) => {
            "This is somebody else's number. Press the button to send yours."
        }
        (Language::En, Key::Confirmed) => "Thank you, see you soon! 🤍",
        (Language::En, Key::Declined) => DECLINED_EN,
        (Language::En, Key::CalledOff) => CALLED_OFF_EN,
        (Language::En, Key::HandedOn) => HANDED_ON_EN,
        (Language::En, Key::Which) => WHICH_EN,
        (Language::En, Key::TextOnly) => "I can read only text so far. Please write it in words.",
        (Language::En, Key::NotYours) => "I do not see such a booking of yours.",
        (Language::Ru, Key::Greeting) => GREETING_RU,
        (Language::Ru, Key::Goodbye) => "Хорошего дня! 🤍",
        (Language::Ru, Key::NumberWanted) => {
            "Для этого нужен ваш номер. Нажмите кнопку, чтобы прислать его."
        }
        (Language::Ru, Key::ProposeBooking) => proposal_ru!("Записываю:", "Хотите записаться:"),
        (Language::Ru, Key::ProposeMove) => proposal_ru!("Переношу:", "Хотите перенести запись:"),
        (Language::Ru, Key::ProposeCancel) => proposal_ru!("Отменяю:", "Хотите отменить запись:"),
        (Language::Ru, Key::YesWanted) => "Если всё верно, ответьте *да*.",
        (Language::Ru, Key::NothingChanged) => "Хорошо, ничего не меняю. Чем ещё помочь?",
        (Language::Ru, Key::Booked) => done!("✅ *Вы записаны!*"),
        (Language::Ru, Key::Moved) => done!("🔄 *Запись перенесена*"),
        (Language::Ru, Key::Taken) => "Это время только что заняли. Подобрать другое?",
        (Language::En, Key::Greeting) => GREETING_EN,
        (Language::En, Key::Goodbye) => "Have a good day! 🤍",
        (Language::En, Key::NumberWanted) => {
            "I need your number for that. Press the button to send it."
        }
        (Language::En, Key::ProposeBooking) => proposal_en!("Booking:", "You would like to book:"),
        (Language::En, Key::ProposeMove) => {
            proposal_en!("Moving:", "You would like to move your booking:")
        }
        (Language::En, Key::ProposeCancel) => {
            proposal_en!("Cancelling:", "You would like to cancel your booking:")
        }
        (Language::En, Key::YesWanted) => "If everything is right, answer *yes*.",
        (Language::En, Key::NothingChanged) => "All right, nothing is changed. Anything else?",
        (Language::En, Key::Booked) => done!("✅ *You are booked!*"),
        (Language::En, Key::Moved) => done!("🔄 *Your booking was moved*"),
        (Language::En, Key::Taken) => "That time was just taken. Shall I look for another?",
    }
}

const GREETING_RU: &str = "\
Здравствуйте! Подскажу услуги\
{% if 'cancel' in writes %} и цены, запишу, перенесу или отменю запись\
{% elif writes %} и цены, запишу или перенесу запись, отмену передам администратору\
{% else %}, цены и свободное время, а запись, перенос или отмену передам администратору{% endif %}. Чем помочь?";

const GREETING_EN: &str = "\
Hello! I can tell you about services\
{% if 'cancel' in writes %} and prices, and book, move or cancel a visit\
{% elif writes %} and prices, and book or move a visit; a cancellation I pass to the administrator\
{% else %}, prices and free times; a booking, a move or a cancellation I pass to the administrator{% endif %}. How can I help?";

const START_RU: &str = "\
Здравствуйте!{% if salon %} Это «{{ salon }}».{% endif %} Буду писать сюда о ваших записях.
Нажмите кнопку, чтобы прислать свой номер.";

const LINKED_RU: &str = "\
Готово ✅
{% for item in items %}

📅 {{ item.date }} в {{ item.time }}
{% if item.activity %}🧘 {{ item.activity }}{% else %}💇 {{ item.services }}{% endif +%}
👤 Мастер: {{ item.staff }}
{% endfor %}
";

const START_EN: &str = "\
Hello!{% if salon %} This is {{ salon }}.{% endif %} I will write here about your bookings.
Press the button to send your number.";

const LINKED_EN: &str = "\
Done ✅
{% for item in items %}

📅 {{ item.date }} at {{ item.time }}
{% if item.activity %}🧘 {{ item.activity }}{% else %}💇 {{ item.services }}{% endif +%}
👤 With {{ item.staff }}
{% endfor %}
";

/// Where nobody reads along, a promise that somebody will answer would be false.
const DECLINED_RU: &str = "\
{% if invite %}Понятно. Передаю администратору, он ответит вам здесь.\
{% else %}Понятно.
Для отмены или переноса позвоните: {{ phone }}{% endif %}";

const HANDED_ON_RU: &str = "\
{% if invite %}Передаю администратору, он ответит вам здесь.\
{% else %}Здесь вам ответить некому.
Позвоните: {{ phone }}{% endif %}";

const CALLED_OFF_RU: &str = "\
Готово, ваша запись на {{ date }} в {{ time }} отменена. Захотите прийти в другой раз — напишите мне здесь 👇";

const WHICH_RU: &str = "\
О какой записи речь? Ответьте номером:

{% for item in items %}
*{{ loop.index }}* — {{ item.date }} в {{ item.time }}{% if item.services %}, {{ item.services }}{% endif +%}
{% endfor %}
";

const DECLINED_EN: &str = "\
{% if invite %}I see. I am passing this to the administrator, who will answer you here.\
{% else %}I see.
To cancel or reschedule, please call {{ phone }}{% endif %}";

const HANDED_ON_EN: &str = "\
{% if invite %}I am passing this to the administrator, who will answer you here.\
{% else %}There is nobody here to answer you.
Please call {{ phone }}{% endif %}";

const CALLED_OFF_EN: &str = "\
Done, your booking on {{ date }} at {{ time }} is cancelled. To come another time, just write to me here 👇";

const WHICH_EN: &str = "\
Which booking do you mean? Answer with its number:

{% for item in items %}
*{{ loop.index }}* — {{ item.date }} at {{ item.time }}{% if item.services %}, {{ item.services }}{% endif +%}
{% endfor %}
";

const STOPPED_RU: &str = "\
Хорошо, больше не буду присылать сообщения о записях. Сами записи остаются в силе. Передумаете — напишите СТАРТ.";

const STARTED_RU: &str = "Готово, снова буду писать о ваших записях 🤍";

const STOPPED_EN: &str = "\
All right, no more messages about bookings. The bookings themselves stand. If you change your mind, write START.";

const STARTED_EN: &str = "Done, I will write about your bookings again 🤍";

macro_rules! booked_ru {
    ($head:literal) => {
        concat!(
            $head,
            "

{% for item in items %}
📅 {{ item.date }} в {{ item.time }}
{% if item.activity %}🧘 {{ item.activity }}{% else %}💇 {{ item.services }}{% endif +%}
👤 Мастер: {{ item.staff }}
👥 {{ item.seats }}
{% if not loop.last %}

{% endif %}
{% endfor %}
💰 Стоимость: {{ price_line }}
📍 {{ address }}

{% if invite %}Для отмены или переноса напишите мне здесь 👇{% else %}Для отмены или переноса позвоните: {{ phone }}{% endif %}
"
        )
    };
}

const CREATED_RU: &str = booked_ru!("✅ *Вы записаны!*");

const RESTORED_RU: &str = booked_ru!("✅ *Ваша запись снова в силе*");

const UPDATED_RU: &str = "\
{% set one = changed | first if changed | length == 1 else '' %}
{% set heads = {
  'start': 'Запись перенесена',
  'staff': 'Вас примет другой мастер',
  'services': 'Изменилось занятие' if activity else 'Изменились услуги',
  'price': 'Изменилась стоимость',
  'duration': 'Изменилась длительность',
} %}
{% set doubts = {
  'start': 'Если время не подходит',
  'staff': 'Если это не подходит' if activity else 'Если хотите остаться у прежнего мастера',
  'services': 'Если что-то не так',
  'price': 'Если что-то не так',
  'duration': 'Если не подходит',
} %}
🔄 *{{ heads[one] if one else ('Запись изменилась' if changed else 'Запись обновлена') }}*

{% if not changed %}
Сейчас она такая:
{% endif %}
{{ change_lines }}
{% for item in items %}
{% if items | length > 1 or 'start' not in changed %}
📅 {{ item.when }}
{% endif %}
{% if item.activity %}🧘 {{ item.activity }}{% elif 'services' in changed and items | length == 1 %}💇 Теперь в записи: {{ item.services }}{% else %}💇 {{ item.services }}{% endif +%}
{% if items | length > 1 or 'staff' not in changed %}
👤 {{ item.who }}
{% endif %}
👥 {{ item.seats }}
{% if not loop.last %}

{% endif %}
{% endfor %}
{% if 'price' not in changed %}
💰 Стоимость: {{ price_line }}
{% endif %}
📍 {{ address }}

{% if invite %}{{ doubts[one] if one else 'Если что-то не подходит' }}, напишите мне здесь 👇{% else %}Для отмены или переноса позвоните: {{ phone }}{% endif %}
";

const CANCELLED_RU: &str = "\
❌ *{% if activity %}Занятие отменено{% else %}Запись отменена{% endif %}*

{% for item in items %}
📅 {{ item.date }} в {{ item.time }}
{% if item.activity %}
🧘 {{ item.activity }}
{% else %}
💇 {{ item.services }}
👤 Мастер: {{ item.staff }}
{% endif %}
{% if not loop.last %}

{% endif %}
{% endfor %}
Свободно: {{ offers }}

{% if invite %}Подобрать другое{% if not activity %} время{% endif %}? Напишите мне здесь 👇{% else %}Записаться снова: {{ booking_link or phone }}{% endif %}
";

const NO_SHOW_RU: &str = "\
*Мы вас не дождались* 🤍

{% for item in items %}
📅 {{ item.date }} в {{ item.time }}
{% if item.activity %}🧘 {{ item.activity }}{% else %}💇 {{ item.services }}{% endif +%}
{% if not loop.last %}

{% endif %}
{% endfor %}

{% if invite %}Надеемся, всё хорошо. Если мы ошиблись или вам нужно другое время, напишите мне здесь 👇{% else %}Надеемся, всё хорошо. Если мы ошиблись или вам нужно другое время, позвоните: {{ phone }}{% endif %}
";

const VISITED_RU: &str = "\
*Спасибо, что были у нас!* 🤍

{% if invite %}
Всё ли понравилось? Напишите пару слов прямо здесь 👇
{% endif %}
Отзыв можно оставить тут: {{ review_link }}
";

const REMINDER_RU: &str = "\
⏰ *Ждём вас {% if day %}{{ day }}, {{ date }}, в {{ time }}{% else %}{{ date }} в {{ time }}{% endif %}*

{% for item in items %}
{% if items | length > 1 %}
📅 {{ item.date }} в {{ item.time }}
{% endif %}
{% if item.activity %}🧘 {{ item.activity }}{% else %}💇 {{ item.services }}{% endif +%}
👤 Мастер: {{ item.staff }}
{% if not loop.last %}

{% endif %}
{% endfor %}
👥 {{ seats }}
📍 {{ address }}

{% if not invite %}
Для отмены или переноса позвоните: {{ phone }}
{% elif day == 'сегодня' %}
Опаздываете или не получается? Напишите мне здесь 👇
{% elif asks %}
Придёте? Ответьте *1* — да, *2* — не смогу. Нужно другое время — просто напишите 👇
{% else %}
Если планы изменились, напишите мне здесь 👇
{% endif %}
";

const WRONG_NUMBER_RU: &str = "\
Сообщение о записи на {{ date }} в {{ time }} пришло на этот номер по ошибке. \
Делать ничего не нужно, простите за беспокойство 🙏
";

macro_rules! booked_en {
    ($head:literal) => {
        concat!(
            $head,
            "

{% for item in items %}
📅 {{ item.date }} at {{ item.time }}
{% if item.activity %}🧘 {{ item.activity }}{% else %}💇 {{ item.services }}{% endif +%}
👤 With {{ item.staff }}
👥 {{ item.seats }}
{% if not loop.last %}

{% endif %}
{% endfor %}
💰 Price: {{ price_line }}
📍 {{ address }}

{% if invite %}To cancel or reschedule, just write to me here 👇{% else %}To cancel or reschedule, please call {{ phone }}{% endif %}
"
        )
    };
}

const CREATED_EN: &str = booked_en!("✅ *You are booked!*");

const RESTORED_EN: &str = booked_en!("✅ *Your booking is on again*");

const UPDATED_EN: &str = "\
{% set one = changed | first if changed | length == 1 else '' %}
{% set heads = {
  'start': 'Your booking has moved',
  'staff': 'Someone else will see you',
  'services': 'Your class has changed' if activity else 'Your services have changed',
  'price': 'The price has changed',
  'duration': 'The length has changed',
} %}
{% set doubts = {
  'start': 'If the time does not suit you',
  'staff': 'If it does not suit you' if activity else 'If you would rather stay with the one before',
  'services': 'If something is not right',
  'price': 'If something is not right',
  'duration': 'If it does not suit you',
} %}
🔄 *{{ heads[one] if one else ('Your booking has changed' if changed else 'Your booking was updated') }}*

{% if not changed %}
This is how it stands now:
{% endif %}
{{ change_lines }}
{% for item in items %}
{% if items | length > 1 or 'start' not in changed %}
📅 {{ item.when }}
{% endif %}
{% if item.activity %}🧘 {{ item.activity }}{% elif 'services' in changed and items | length == 1 %}💇 Booked now: {{ item.services }}{% else %}💇 {{ item.services }}{% endif +%}
{% if items | length > 1 or 'staff' not in changed %}
👤 {{ item.who }}
{% endif %}
👥 {{ item.seats }}
{% if not loop.last %}

{% endif %}
{% endfor %}
{% if 'price' not in changed %}
💰 Price: {{ price_line }}
{% endif %}
📍 {{ address }}

{% if invite %}{{ doubts[one] if one else 'If anything does not suit you' }}, just write to me here 👇{% else %}To cancel or reschedule, please call {{ phone }}{% endif %}
";

const CANCELLED_EN: &str = "\
❌ *{% if activity %}The class is cancelled{% else %}Your booking is cancelled{% endif %}*

{% for item in items %}
📅 {{ item.date }} at {{ item.time }}
{% if item.activity %}
🧘 {{ item.activity }}
{% else %}
💇 {{ item.services }}
👤 With {{ item.staff }}
{% endif %}
{% if not loop.last %}

{% endif %}
{% endfor %}
Free: {{ offers }}

{% if invite %}Shall we find another{% if not activity %} time{% endif %}? Write to me here 👇{% else %}Book again: {{ booking_link or phone }}{% endif %}
";

const NO_SHOW_EN: &str = "\
*We missed you* 🤍

{% for item in items %}
📅 {{ item.date }} at {{ item.time }}
{% if item.activity %}🧘 {{ item.activity }}{% else %}💇 {{ item.services }}{% endif +%}
{% if not loop.last %}

{% endif %}
{% endfor %}

{% if invite %}We hope all is well. If we got it wrong or you need another time, just write to me here 👇{% else %}We hope all is well. If we got it wrong or you need another time, please call {{ phone }}{% endif %}
";

const VISITED_EN: &str = "\
*Thank you for coming!* 🤍

{% if invite %}
Did you like everything? Write a few words right here 👇
{% endif %}
You can leave a review here: {{ review_link }}
";

const REMINDER_EN: &str = "\
⏰ *See you {% if day %}{{ day }}, {{ date }}, at {{ time }}{% else %}on {{ date }} at {{ time }}{% endif %}*

{% for item in items %}
{% if items | length > 1 %}
📅 {{ item.date }} at {{ item.time }}
{% endif %}
{% if item.activity %}🧘 {{ item.activity }}{% else %}💇 {{ item.services }}{% endif +%}
👤 With {{ item.staff }}
{% if not loop.last %}

{% endif %}
{% endfor %}
👥 {{ seats }}
📍 {{ address }}

{% if not invite %}
To cancel or reschedule, please call {{ phone }}
{% elif day == 'today' %}
Running late, or cannot make it? Write to me here 👇
{% elif asks %}
Are you coming? Answer *1* for yes, *2* for no. Need another time? Just write to me 👇
{% else %}
If your plans have changed, write to me here 👇
{% endif %}
";

const WRONG_NUMBER_EN: &str = "\
A message about a booking on {{ date }} at {{ time }} came to this number by mistake. \
There is nothing to do, sorry for the trouble 🙏
";
