//! A company's own texts: what is wrong with one, what each variable is, how long a text may be; and
//! the READMEs' tables, held against the program.

use std::collections::BTreeMap;

use crate::support::program::{Program, stderr, stdout};
use crate::support::records::{at, haircut, moved, place, service, today, with};
use crate::support::world::{OWNER, PHONE, SALON, World};
use booking_monitor::demo::salon::BookingDraft;
use booking_monitor::domain::agent::proposal::{Existing, Proposal};
use booking_monitor::domain::change::Field;
use booking_monitor::domain::message::facts::VARIABLES;
use booking_monitor::domain::message::markup::{LONGEST_TEXT, length};
use booking_monitor::domain::message::{
    Language, Markup, Override, Place, Texts, Told, Way, compose,
};
use booking_monitor::domain::record::{Record, Staff};
use booking_monitor::domain::zone::Zone;

const CHANNELS: [(&str, Markup); 3] = [
    ("whatsapp", Markup::WhatsApp),
    ("telegram", Markup::TelegramHtml),
    ("max", Markup::Plain),
];

fn own<'a>(key: &'a str, source: &'a str) -> Override<'a> {
    Override {
        key,
        channel: None,
        source,
        origin: "booking-monitor.toml:7: templates.created",
    }
}

fn texts(key: &str, source: &str) -> Texts {
    Texts::new(Language::Ru, &[own(key, source)]).unwrap()
}

/// The whole words of what is wrong with this text.
fn problems(key: &str, source: &str) -> Vec<String> {
    let found = Texts::new(Language::Ru, &[own(key, source)]).unwrap_err();
    found.iter().map(ToString::to_string).collect()
}

/// The whole words of what is remarkable about it.
fn remarks(key: &str, source: &str) -> Vec<String> {
    let found = texts(key, source).remarks(&CHANNELS);
    found.iter().map(ToString::to_string).collect()
}

fn way(markup: Markup) -> Way<'static> {
    Way {
        channel: "whatsapp",
        markup,
        invite: true,
    }
}

fn filled(texts: &Texts, told: &Told<'_>, markup: Markup) -> String {
    let place = Place {
        review_link: "https://n962302.yclients.com/reviews".into(),
        ..place()
    };
    compose(texts, told, &place, way(markup), today())
}

#[test]
fn what_is_wrong_with_a_text_names_the_file_the_line_and_the_way_out() {
    for (source, expected) in [
        (
            "Здравствуйте\n{{ old_tme }}",
            "line 2: unknown variable `old_tme`; did you mean `old_time`?",
        ),
        (
            "{% if ofers %}x{% endif %}",
            "line 1: unknown variable `ofers`; did you mean `offers`?",
        ),
        (
            "{{ date.day }}",
            "line 1: undefined value: `date.day` is undefined",
        ),
        (
            "{{ date|uper }}",
            "line 1: unknown filter: filter uper is unknown",
        ),
        (
            "{% if date is odd_day %}x{% endif %}",
            "line 1: unknown test: test odd_day is unknown",
        ),
        (
            "{{ price + 1 }}",
            "line 1: invalid operation: tried to use + operator on unsupported types string and number",
        ),
        (
            "x\n{% for item in items %}{{ item.time }}",
            "line 2: syntax error: unexpected end of input, expected end of block",
        ),
        (
            "{{ date",
            "line 1: syntax error: unexpected end of input, expected end of variable block",
        ),
        (
            "{% include 'other.txt' %}",
            "line 1: template not found: tried to include non-existing template 'other.txt'",
        ),
        ("{% set x = 1 %}", "it comes to nothing"),
        ("{{ nothing or '' }}", "line 1: unknown variable `nothing`"),
    ] {
        let found = problems("created", source);
        let [found] = found.as_slice() else {
            panic!("{found:?}")
        };
        let where_it_stands = "booking-monitor.toml:7: templates.created";
        let said = found.strip_prefix(where_it_stands).unwrap();
        assert_eq!(said.trim_start_matches([',', ':', ' ']), expected);
    }
}

#[test]
fn a_text_that_no_messenger_takes_is_wrong_and_one_that_grows_too_long_is_remarkable() {
    let endless = "я".repeat(LONGEST_TEXT + 1);
    assert_eq!(
        problems("created", &endless),
        [
            "booking-monitor.toml:7: templates.created: it comes to 4001 characters; \
             messengers take 4000"
        ]
    );
    let wide = format!(
        "{{{{ date }}}} {}{}",
        "я".repeat(3000),
        "{{ services }} ".repeat(15)
    );
    let found = remarks("cancelled", &wide);
    assert_eq!(
        found.len(),
        1,
        "once for a text, however many channels: {found:?}"
    );
    let (start, rest) = found[0].split_once(" characters ").unwrap();
    assert!(
        start.starts_with(
            "booking-monitor.toml:7: templates.created: with the longest names it comes to 4"
        ),
        "{start}"
    );
    assert_eq!(
        rest,
        "on `whatsapp`, `telegram`, `max`, which takes 4000: then the built-in text goes in its place"
    );
}

#[test]
fn a_text_may_speak_only_where_something_is_missing() {
    let only_there = "{% if not invite %}Звоните: {{ salon }}{% endif %}";
    assert_eq!(remarks("created", only_there), Vec::<String>::new());
}

#[test]
fn a_variable_that_its_kind_never_knows_is_remarkable() {
    assert_eq!(
        remarks("created", "{{ date }}\nбыло {{ old_date }}"),
        [
            "booking-monitor.toml:7: templates.created, line 2: `old_date` is never known in \
          `created`: a line with it is never shown"
        ]
    );
    assert_eq!(
        remarks("stopped", "Хорошо, {{ client_name }}.\nХорошо."),
        [
            "booking-monitor.toml:7: templates.created, line 1: `client_name` is never known in \
          `stopped`: a line with it is never shown"
        ]
    );
    for (key, source) in [
        (
            "updated",
            "{{ changes }} {{ old_date }} {{ old_time }} {{ old_staff }} {{ old_services }}",
        ),
        (
            "created",
            "{{ calendar_link }} {{ link }} {{ seats }} {{ activity }} {{ invite }}",
        ),
        (
            "cancelled",
            "{{ booking_link }} {{ phone }}\n{% if changed %}x{% endif %}y",
        ),
    ] {
        let found = remarks(key, source);
        let expected = usize::from(key == "cancelled");
        assert_eq!(found.len(), expected, "{found:?}");
    }
}

#[test]
fn a_text_made_to_try_every_variable_is_remarked_on_once() {
    let every: String = VARIABLES.map(|name| format!("{{{{ {name} }}}}\n")).concat();
    for key in ["created", "stopped"] {
        let found = remarks(key, &every);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("`old_date`, "), "{found:#?}");
    }
}

#[test]
fn a_template_links_with_a_label_or_without() {
    let source = "[Отменить запись]({{ booking_link }})\n{{ booking_link }}\n\
                  [Как пройти](https://maps.example/_x_)\n[Отзыв]({{ link }})";
    let texts = texts("created", source);
    let told = Told::Created { now: &[haircut()] };
    assert_eq!(
        filled(&texts, &told, Markup::TelegramHtml),
        "<a href=\"https://n962302.yclients.com/book_me\">Отменить запись</a>\n\
         https://n962302.yclients.com/book_me\n\
         <a href=\"https://maps.example/_x_\">Как пройти</a>",
        "the booking has no page of its own: its line is gone"
    );
    for markup in [Markup::WhatsApp, Markup::Plain] {
        assert_eq!(
            filled(&texts, &told, markup),
            "Отменить запись: https://n962302.yclients.com/book_me\n\
             https://n962302.yclients.com/book_me\n\
             Как пройти: https://maps.example/_x_"
        );
    }
}

#[test]
fn the_calendar_gets_the_instants_of_the_whole_visit() {
    let texts = texts("created", "[В календарь]({{ calendar_link }})");
    let link = |now: &[Record], place: &Place| {
        let told = Told::Created { now };
        let text = compose(&texts, &told, place, way(Markup::Plain), today());
        text.trim_start_matches("В календарь: ").to_owned()
    };
    let short = with(|r| r.services[0].title = "Cut & go".into());
    assert_eq!(
        link(std::slice::from_ref(&short), &place()),
        "https://calendar.google.com/calendar/render?action=TEMPLATE&text=Cut%20%26%20go\
         &dates=20260821T113000Z/20260821T123000Z&ctz=Europe/Moscow\
         &location=%D0%9C%D0%B0%D0%BB%D0%B0%D1%85%D0%BE%D0%B2%D0%BA%D0%B0%2C%20\
         %D0%AE%D0%B6%D0%BD%D0%B0%D1%8F%20%D1%83%D0%BB%D0%B8%D1%86%D0%B0%2C%2038"
    );
    // From the first booking's start to the last one's end, and over the change of clocks.
    let berlin = Place {
        zone: Some("Europe/Berlin".parse::<Zone>().unwrap()),
        ..place()
    };
    let night = [
        at(short.clone(), "2026-10-25T04:00:00"),
        Record {
            length: 4 * 3600,
            ..at(short, "2026-10-25T00:30:00")
        },
    ];
    let url = link(&night, &berlin);
    assert!(
        url.contains("&dates=20261024T223000Z/20261025T040000Z&ctz=Europe/Berlin"),
        "{url}"
    );
    // However much is written, a link stays short enough to be one.
    let long = with(|r| r.services[0].title = "Окрашивание ".repeat(20));
    let far = Place {
        address: "Малаховка, Южная улица, 38, второй этаж".into(),
        ..place()
    };
    let url = link(&[long], &far);
    assert!(
        url.starts_with("https://calendar.google.com/") && url.len() <= 500,
        "{url}"
    );
    assert!(!url.contains("location"), "{url}");
    // What is off belongs into no calendar.
    let off = Texts::new(Language::Ru, &[own("cancelled", "x\n{{ calendar_link }}")]).unwrap();
    let told = Told::Cancelled { was: &[haircut()] };
    assert_eq!(filled(&off, &told, Markup::Plain), "x");
}

#[test]
fn a_strangers_number_hears_neither_the_name_nor_the_bookings_own_page() {
    let texts = texts(
        "wrong_number",
        "{{ date }}, {{ salon }}\n{{ client_name }}\n{{ link }}\n{{ calendar_link }}",
    );
    let booked = with(|r| r.link = "https://salon.example/c/AbC1d/1/".into());
    let told = Told::WrongNumber { was: &[booked] };
    assert_eq!(
        filled(&texts, &told, Markup::WhatsApp),
        "21 августа, Малаховка"
    );
}

/// Two hours: a haircut of one, beside it a manicure of an hour and a half that begins later.
fn visit() -> Vec<Record> {
    let nails = Record {
        id: 2,
        length: 5400,
        staff: Staff {
            id: 6,
            name: "Ольга".into(),
        },
        services: vec![service(200, "Маникюр", 1500, 0, 1500)],
        ..at(haircut(), "2026-08-21T15:00:00")
    };
    vec![haircut(), nails]
}

#[test]
fn what_two_masters_do_at_the_same_time_takes_its_time_once() {
    let texts = texts("created", "{{ duration }}");
    let takes = |now: &[Record]| filled(&texts, &Told::Created { now }, Markup::Plain);
    assert_eq!(takes(&visit()), "2 ч");
    let mut apart = visit();
    apart[1].start_local = "2026-08-21T18:00:00".parse().unwrap();
    assert_eq!(
        takes(&apart),
        "2 ч 30 мин",
        "the afternoon between is the client's"
    );
}

#[test]
fn a_change_of_one_booking_of_a_visit_names_it_and_what_it_was() {
    let texts = texts(
        "updated",
        "{{ changes }}\n{{ old_date }} {{ old_time }}\n{{ old_staff }}\n{{ old_services }}",
    );
    let (before, mut now) = (visit(), visit());
    now[1].start_local = "2026-08-21T17:00:00".parse().unwrap();
    now[1].staff.name = "Тимур".into();
    let told = |fields| Told::Updated {
        before: Some(&before),
        now: &now,
        fields,
    };
    assert_eq!(
        filled(
            &texts,
            &told(&[Field::Start, Field::Staff]),
            Markup::WhatsApp
        ),
        "📅 Маникюр: ~21 августа в 15:00~ → *21 августа в 17:00*\n\
         👤 Маникюр: ~Ольга~ → *Тимур*\n\
         21 августа 15:00\nОльга"
    );
    assert_eq!(
        filled(&texts, &told(&[Field::Start]), Markup::Plain),
        "📅 Маникюр. Было: 21 августа в 15:00\nСтало: 21 августа в 17:00\n21 августа 15:00"
    );
}

#[test]
fn lists_are_printed_as_people_write_them() {
    let texts = texts("updated", "{{ items }}\n{{ changed }}");
    let (before, mut now) = (visit(), visit());
    now[1].start_local = "2026-08-21T17:00:00".parse().unwrap();
    now[1].staff.name = "*Тимур*".into();
    let told = Told::Updated {
        before: Some(&before),
        now: &now,
        fields: &[Field::Start, Field::Staff],
    };
    assert_eq!(
        filled(&texts, &told, Markup::TelegramHtml),
        "21 августа в 14:30, МУЖСКАЯ СТРИЖКА, Бари\n\
         <s>21 августа в 15:00</s> → <b>21 августа в 17:00</b>, Маникюр, *Тимур*\n\
         start, staff"
    );
}

/// A visit of so many bookings, each with names as long as they may be.
fn marathon(bookings: i64) -> Vec<Record> {
    (0..bookings)
        .map(|n| {
            let mut record = with(|r| {
                r.id = n;
                r.staff.name = format!("{n} {}", "Константинопольская ".repeat(5));
                r.services = (0..5)
                    .map(|s| service(s, &format!("{s} {}", "окрашивание ".repeat(12)), 0, 0, 0))
                    .collect();
            });
            record.start_local += chrono::TimeDelta::hours(n);
            record
        })
        .collect()
}

#[test]
fn a_long_visit_is_told_shorter_before_it_is_told_in_part() {
    for language in [Language::Ru, Language::En] {
        let texts = Texts::builtin(language);
        for (_, markup) in CHANNELS {
            let told = |n| filled(&texts, &Told::Created { now: &marathon(n) }, markup);
            // Short names, but every booking and the foot.
            let many = told(12);
            assert!(length(&many, markup) <= LONGEST_TEXT, "{many}");
            assert_eq!(many.matches('📅').count(), 12);
            assert!(many.ends_with('👇'), "{many}");
            // The first of too many, whole lines of them.
            let most = told(100);
            let size = length(&most, markup);
            assert!(size <= LONGEST_TEXT && size > LONGEST_TEXT / 2, "{size}");
            assert!(most.ends_with("\n…"), "{most}");
        }
    }
}

#[test]
fn an_own_text_that_grows_too_long_gives_way_to_the_builtin_one() {
    let long = format!("{{{{ services }}}}{}", "я".repeat(3800));
    let texts = texts("created", &long);
    let told = |now: &[Record]| filled(&texts, &Told::Created { now }, Markup::WhatsApp);
    assert!(told(&[haircut()]).starts_with("МУЖСКАЯ СТРИЖКАя"));
    assert!(
        told(&marathon(1)).starts_with("0 окрашивание окр"),
        "shorter names fit"
    );
    let much: Vec<Record> = marathon(1)
        .into_iter()
        .map(|mut r| {
            let more = (0..50).map(|n| service(n, "Оформление бороды и усов, брови", 0, 0, 0));
            r.services = more.collect();
            r
        })
        .collect();
    let far_too_long = Texts::new(
        Language::Ru,
        &[own(
            "created",
            &format!("{long}{}", "{{ services }}".repeat(3)),
        )],
    )
    .unwrap();
    let told = Told::Created { now: &much };
    let text = filled(&far_too_long, &told, Markup::WhatsApp);
    assert!(text.starts_with("✅ *Вы записаны!*"), "{text}");
}

#[tokio::test]
async fn nothing_that_is_too_long_is_handed_to_a_messenger() {
    let owner = format!("owner = [{{ channel = \"telegram\", to = \"{OWNER}\" }}]");
    let world = World::watching_with("", &owner).await;
    for n in 0..60 {
        let start =
            crate::support::world::at("2026-08-21T08:00:00") + chrono::TimeDelta::minutes(10 * n);
        let name = format!("{n} {}", "Константинопольская ".repeat(3));
        world.salon.book(
            BookingDraft::new(SALON, start)
                .client("Анна", PHONE)
                .staff(100 + n, &name)
                .service(45, "МУЖСКАЯ СТРИЖКА", 2000, 50)
                .visit(4711)
                .by_user(77),
        );
    }
    world.tell().await;
    let (told, copies) = (world.told(), world.owner_told());
    assert_eq!((told.len(), copies.len()), (1, 1));
    for text in [&told[0], &copies[0]] {
        let length = text.chars().count();
        assert!(
            length <= LONGEST_TEXT && length > LONGEST_TEXT / 2,
            "{length}"
        );
        assert!(text.ends_with("\n…"), "{text}");
    }
    let open = "SELECT status FROM booking_notifications WHERE status <> 'sent'
                 AND reason IS NOT 'superseded'";
    assert_eq!(world.rows(open), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_what_is_wrong_or_odd_in_own_texts_where_it_stands() {
    let program = Program::new().await;
    let folder = program.folder.path();
    std::fs::write(folder.join("off.txt"), "Отменено\n{{ dat }}\n").unwrap();
    program.configure("templates = { cancelled = { file = \"off.txt\" } }");
    let run = program.run(&["check"]).await;
    assert_eq!(run.status.code(), Some(2), "{}", stderr(&run));
    let file = folder.join("off.txt").display().to_string();
    let said = stdout(&run);
    let wanted = format!("✗ {file}, строка 2: нет переменной `dat`; может быть, `date`?");
    assert!(said.lines().any(|line| line == wanted), "{said}");

    program.configure("templates = { created = \"{{ date }} {{ old_date }}\\nx\" }");
    let run = program.run(&["check"]).await;
    let said = stdout(&run);
    assert_eq!(run.status.code(), Some(0), "{said}{}", stderr(&run));
    let config = program.config().display().to_string();
    let wanted = ": companies[0].templates.created, строка 1: в `created` никогда не известно: `old_date`; \
                  строка с этим не показывается";
    assert!(
        said.lines()
            .any(|line| line.starts_with(&format!("! {config}:")) && line.ends_with(wanted)),
        "{said}"
    );
}

// The READMEs.

/// What each variable comes to in some message; a list of words as it stands in a template.
fn values(language: Language) -> BTreeMap<&'static str, Vec<String>> {
    let mut seen: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let booked = |change: fn(&mut Record)| {
        let linked = |r: &mut Record| r.link = "https://n962302.yclients.com/c/AbC1d/".into();
        with(|r| {
            linked(r);
            change(r);
        })
    };
    let class = booked(|r| {
        r.activity_id = 99;
        r.seats = 2;
        r.services = vec![service(300, "Стретчинг", 800, 0, 800)];
    });
    let two = booked(|r| {
        r.services = vec![
            service(100, "Стрижка", 2000, 50, 1000),
            service(101, "Укладка", 500, 0, 500),
        ];
    });
    let (plain, class, two) = ([booked(|_| ())], [class], [two]);
    let later = [Record {
        link: plain[0].link.clone(),
        staff: Staff {
            id: 6,
            name: "Тимур".into(),
        },
        ..moved()
    }];
    let tomorrow = [at(haircut(), "2026-08-02T14:30:00")];
    let made = made();
    let told = [
        (
            "reminder",
            Told::Reminder {
                now: &tomorrow,
                asks: true,
            },
        ),
        ("created", Told::Created { now: &plain }),
        ("created", Told::Created { now: &two }),
        ("created", Told::Created { now: &class }),
        (
            "updated",
            Told::Updated {
                before: Some(&plain),
                now: &later,
                fields: &[Field::Start],
            },
        ),
        (
            "updated",
            Told::Updated {
                before: Some(&two),
                now: &later,
                fields: &[Field::Staff, Field::Services],
            },
        ),
        ("cancelled", Told::Cancelled { was: &plain }),
        ("booked", Told::Written { what: &made }),
        ("greeting", Told::Greeting { writes: &["make"] }),
    ];
    let free = ["2026-08-22T12:00:00", "2026-08-22T14:30:00"];
    let offering = Place {
        review_link: "https://n962302.yclients.com/reviews".into(),
        free: free.map(|at| at.parse().unwrap()).to_vec(),
        ..place()
    };
    for name in VARIABLES {
        let source = match name {
            "changed" => "{{ changed | join(' ') }}".to_owned(),
            "items" => {
                "{% for item in items %}{{ item.date }} {{ item.time }} {{ item.services }} \
                 {{ item.staff }}{% endfor %}"
                    .to_owned()
            }
            "invite" | "asks" | "strike" => format!("{{% if {name} %}}yes{{% endif %}}"),
            _ => format!("{{{{ {name} }}}}"),
        };
        for (key, told) in &told {
            let source = format!("{source}\nx");
            let texts = Texts::new(language, &[own(key, &source)]).unwrap();
            let way = way(Markup::WhatsApp);
            let text = compose(&texts, told, &offering, way, today());
            let value = text.trim_end_matches('x').trim_end().to_owned();
            seen.entry(name).or_default().push(value);
        }
    }
    seen
}

/// What an agent booked.
fn made() -> Proposal {
    let was = Existing::of(&haircut());
    Proposal::Make {
        start: was.start,
        length: 3600,
        staff: was.staff,
        services: was.services,
    }
}

#[test]
fn what_a_client_agrees_to_is_said_whole_in_whatever_words() {
    for key in ["propose_booking", "propose_move", "propose_cancel"] {
        assert_eq!(
            problems(key, "Запишу вас на {{ date }}, да?"),
            [
                "booking-monitor.toml:7: templates.created: it has to show `details`: the client agrees to what, when, with whom and for how much"
            ]
        );
    }
    let told = Told::Proposed {
        what: &made(),
        writes: true,
    };
    let way = way(Markup::WhatsApp);
    let own = texts(
        "propose_booking",
        "Ну что, пишу?\n{{ details }}\nОтветьте *да* 😉",
    );
    let text = compose(&own, &told, &place(), way, today());
    assert!(
        text.starts_with("Ну что, пишу?\n📅 21 августа в 14:30\n💇"),
        "{text}"
    );
    // One that shows them only now and then gives way to the built-in words.
    let sly = texts(
        "propose_booking",
        "Пишу?{% if staff != 'Бари' or old_staff %}\n{{ details }}{% endif %}",
    );
    let text = compose(&sly, &told, &place(), way, today());
    assert!(
        text.starts_with("Записываю:\n📅 21 августа в 14:30\n💇"),
        "{text}"
    );
}

/// The rows of a README's table of variables: the name, and the examples beside it.
fn documented(readme: &str, head: &str) -> Vec<(String, String)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(readme);
    let text = std::fs::read_to_string(path).unwrap();
    let (_, table) = text.split_once(head).unwrap();
    let rows = table.trim_start().lines().skip(1);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let (name, example) = line[1..].split_once('|').unwrap();
            (name.trim().trim_matches('`').to_owned(), example.to_owned())
        })
        .collect()
}

#[test]
fn the_readmes_tables_show_every_variable_with_what_it_really_comes_to() {
    for (readme, head, language, unfilled) in [
        (
            "README.md",
            "| variable | example | what it is |",
            Language::En,
            "empty in this version",
        ),
        (
            "README.ru.md",
            "| переменная | пример | что это |",
            Language::Ru,
            "в этой версии пусто",
        ),
    ] {
        let rows = documented(readme, head);
        let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, VARIABLES, "{readme}");
        let values = values(language);
        for (name, row) in &rows {
            let real = &values[name.as_str()];
            let (example, _) = row.split_once('|').unwrap();
            let example = example.trim();
            let shown = example.trim_matches('`');
            match real.iter().all(String::is_empty) {
                true => assert!(row.contains(unfilled), "{readme}: {name} has no value"),
                false if ["items", "invite", "asks", "strike"].contains(&name.as_str()) => {
                    assert!(!example.is_empty(), "{readme}: {name}");
                }
                false if shown.ends_with('…') => {
                    let start = shown.trim_end_matches('…');
                    let begins = real.iter().any(|value| value.starts_with(start));
                    assert!(begins, "{readme}: {name} never begins so, but {real:?}");
                }
                false => assert!(
                    real.iter().any(|value| value == shown),
                    "{readme}: {name} is never {shown:?}, but {real:?}"
                ),
            }
        }
    }
}
