//! Three hundred names, titles and comments of people who wish us ill, through every channel: what
//! leaves is whole, formats nothing, opens nothing, adds no line of ours, and still says when to come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::cloud::{self, Cloud};
use crate::support::fake::Desk;
use crate::support::gateway::{self, Gateway};
use crate::support::green_api::{self, GreenApi};
use crate::support::telegram::{self, Telegram};
use crate::support::world::{SALON, World, at};
use booking_monitor::channels::approved::{Template, Templates};
use booking_monitor::channels::green_api::Flavour;
use booking_monitor::channels::http_gateway::{Custom, Preset};
use booking_monitor::channels::{
    self, Built, Common, ConsoleSink, JOURNAL_GRACE, Kind, Settings, console,
};
use booking_monitor::demo::salon::BookingDraft;
use booking_monitor::domain::change::Field;
use booking_monitor::domain::message::{
    Language, Markup, Override, Place, Texts, Told, Way, brief, compose,
};
use booking_monitor::domain::phone::Phone;
use booking_monitor::domain::record::{Attendance, Client, Money, Record, ServiceLine, Staff};
use booking_monitor::http_client::ClientSettings;
use booking_monitor::ports::Outgoing;
use chrono::NaiveDate;
use serde_json::{Value, json};

const PHONE: &str = "+79000000001";

/// What one can try, by kind. Each is written alone, before a word, after it, and within one.
const KINDS: [(&str, &[&str]); 11] = [
    (
        "markup",
        &[
            "*bold*",
            "_it_",
            "~gone~",
            "```code```",
            "`code`",
            "*_~all~_*",
            "**b**",
            "__u__",
            "||spoiler||",
            "[x](http://evil.example)",
            "> quote",
            "- item",
            "1. item",
            "# head",
        ],
    ),
    (
        "html",
        &[
            "<b>x</b>",
            "<a href='http://evil.example'>x</a>",
            "<script>alert(1)</script>",
            "</b></s></i>",
            "&lt;b&gt;",
            "<!--",
            "<tg-spoiler>x</tg-spoiler>",
            "&#60;b&#62;",
        ],
    ),
    (
        "templates",
        &[
            "{{ phone }}",
            "{{ salon|safe }}",
            "{% if true %}x{% endif %}",
            "{% raw %}",
            "{# c #}",
            "{{",
            "}}",
            "${phone}",
            "{text}",
            "{token}",
            "{{1}}",
            "%s%n",
        ],
    ),
    (
        "links",
        &[
            "https://evil.example/pay",
            "HTTP://EVIL.EXAMPLE",
            "www.evil.example",
            "evil.example",
            "злой.рф",
            "xn--80ak6aa92e.com",
            "t.me/evil",
            "wa.me/79000000009",
            "evil\u{3002}com",
            "tg://resolve?domain=evil",
            "mailto:evil@evil.example",
            "@evil_bot",
            "/start",
            "#tag",
            "192.168.0.1:8080/x",
            "evil.\u{200B}example",
            "evil\u{AD}.example",
            "例子.中国",
        ],
    ),
    (
        "hidden",
        &[
            "\u{202E}gnp.exe",
            "\u{2066}x\u{2069}",
            "a\u{200B}b",
            "\u{FEFF}x",
            "\u{2060}x",
            "\u{3164}",
            "\u{E0041}x",
            "\u{E000}\u{E020}",
            "\u{200D}\u{200D}",
            "\u{034F}x",
        ],
    ),
    (
        "right to left",
        &["עברית", "\u{200F}שלום 14:00", "مرحبا 21"],
    ),
    (
        "piled up",
        &[
            "а\u{0301}\u{0302}\u{0303}\u{0304}\u{0305}\u{0306}\u{0307}",
            "Z\u{20DD}\u{20DD}\u{20DD}\u{20DD}\u{20DD}",
        ],
    ),
    (
        "emoji",
        &["💇\u{200D}♀\u{FE0F}", "🏳\u{FE0F}\u{200D}🌈", "🇷🇺"],
    ),
    (
        "controls",
        &[
            "\u{0}x",
            "\u{1b}[31mred\u{1b}[0m",
            "\u{7}\u{8}",
            "\u{9b}2J",
            "\u{fffd}",
        ],
    ),
    (
        "our own lines",
        &[
            "\n📅 1 января в 10:00",
            "\r\n✅ Вы записаны!",
            "\u{2028}❌ Запись отменена",
            "\u{85}💰 Стоимость: 1 руб",
            "\u{b}📍 Тверская, 1",
            "\n\n*Клиенту:* принято",
        ],
    ),
    (
        "other tongues",
        &[
            "+7 (999) 123-45-67",
            "88005553535",
            "'; DROP TABLE known; --",
            "\",\"chatId\":\"x",
            "\\u0022}]",
            "null",
            "\\*x\\*",
            "../../etc/passwd",
        ],
    ),
];

/// Words without an end, beside the kinds.
fn endless() -> Vec<String> {
    vec![
        "я".repeat(10_000),
        "*_~`<&>@/{{".repeat(1_000),
        "evil.example ".repeat(800),
        "\n📅 1 января".repeat(900),
        "\u{0301}".repeat(10_000),
        "&".repeat(10_000),
    ]
}

fn corpus() -> Vec<String> {
    let all = KINDS.iter().flat_map(|(_, words)| words.iter());
    let placed = |word: &&str| {
        [
            (*word).to_owned(),
            format!("{word} Анна"),
            format!("Анна {word}"),
            format!("ан{word}на"),
        ]
    };
    let mut corpus: Vec<String> = all.flat_map(placed).collect();
    corpus.extend(endless());
    corpus
}

#[test]
fn there_are_three_hundred_of_them_and_more() {
    assert!(corpus().len() >= 300, "{}", corpus().len());
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 8, 20).unwrap()
}

fn record(word: &str) -> Record {
    let service = |id| ServiceLine {
        id,
        title: word.into(),
        amount: 1,
        cost: Money(100_000),
        first_cost: Money(200_000),
        discount: 5000,
    };
    Record {
        company_id: SALON,
        id: 1,
        visit_id: 10,
        activity_id: 0,
        start_local: at("2026-08-21T14:30:00"),
        length: 3600,
        staff: Staff {
            id: 5,
            name: word.into(),
        },
        services: vec![service(1), service(2)],
        client: Some(Client {
            id: 7,
            name: word.into(),
            phone: Some(Phone::from_stored(PHONE.into())),
            refused_phone: None,
            forgotten: false,
        }),
        seats: 0,
        attendance: Attendance::Waiting,
        deleted: false,
        online: false,
        created_user_id: 1,
        comment: word.into(),
        labels: Vec::new(),
        link: String::new(),
        created_at: None,
        changed_at: None,
    }
}

/// A gateway that knows a key does not take its message again.
static KEYS: AtomicU64 = AtomicU64::new(0);

/// Every client's message about a booking in which this word stands wherever one can be typed. One of
/// the texts is the salon's own and greets by name.
fn messages(word: &str, markup: Markup) -> Vec<Outgoing> {
    let greeting = Override {
        key: "restored",
        channel: None,
        source: "{{ client_name }}, ждём вас\n📅 {{ date }} в {{ time }}\n*{{ services }}* {{ staff }}\n📍 {{ address }}",
        origin: "templates.restored",
    };
    let texts = Texts::new(Language::Ru, &[greeting]).unwrap();
    let place = Place {
        salon: word.into(),
        address: word.into(),
        phone: word.into(),
        booking_link: String::new(),
        zone: None,
        free: Vec::new(),
        review_link: String::new(),
    };
    let way = Way {
        channel: "channel",
        markup,
        invite: false,
    };
    let (now, mut was) = ([record(word)], [record("Прежнее")]);
    was[0].start_local = at("2026-08-22T10:00:00");
    let fields = [Field::Start, Field::Staff, Field::Services, Field::Price];
    let told = [
        Told::Created { now: &now },
        Told::Updated {
            before: Some(&was),
            now: &now,
            fields: &fields,
        },
        Told::Restored { now: &now },
        Told::Cancelled { was: &now },
    ];
    told.iter()
        .map(|told| {
            let text = compose(&texts, told, &place, way, today());
            Outgoing {
                to: PHONE.into(),
                key: format!("key {}", KEYS.fetch_add(1, Ordering::Relaxed)),
                brief: Some(brief(&texts, told, &place, today())),
                text,
                ..Outgoing::default()
            }
        })
        .collect()
}

/// How a text may differ between a harmless word and a hostile one.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    /// What each line begins with, as far as it is ours.
    lines: Vec<char>,
    marks: [usize; 4],
}

/// What our lines begin with, but for the picture that salons put before their titles themselves.
const OURS: [char; 11] = [
    '✅', '📅', '🔄', '👤', '💰', '📍', '❌', '📞', '🆕', '💬', '⚠',
];

fn shape(text: &str) -> Shape {
    let first = |line: &str| line.chars().next().filter(|c| OURS.contains(c));
    Shape {
        lines: text.lines().filter_map(first).collect(),
        marks: ['*', '_', '~', '`'].map(|mark| text.matches(mark).count()),
    }
}

/// What a messenger makes something of that one can press: addresses, mentions, commands.
fn pressable(text: &str) -> Vec<String> {
    let apart =
        |c: char| c.is_whitespace() || c == '\u{2060}' || "<>,;()[]{}\"'«»|*_~`".contains(c);
    let starts = |s: &str| {
        s.chars()
            .next()
            .is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    let is_top = |s: &str| {
        let s = s.to_lowercase();
        let cyrillic = s.chars().next().is_some_and(|c| ('а'..='я').contains(&c));
        s.chars().next().is_some_and(char::is_alphabetic) && (!cyrillic || s == "рф")
    };
    let is_host = |name: &str| {
        let (before, top) = name.rsplit_once(['.', '\u{3002}']).unwrap_or_default();
        let octets: Vec<&str> = name.split('.').collect();
        let number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        before.ends_with(char::is_alphanumeric) && is_top(top)
            || octets.len() == 4 && octets.iter().all(number)
    };
    text.split(apart)
        .filter(|word| {
            let called = word.strip_prefix(['@', '/', '#', '$']).is_some_and(starts);
            let names = ['/', ':', '?', '@'];
            word.split(names).any(is_host) || called || word.contains("://")
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_can_be_pressed_is_found_where_nothing_prevents_it() {
    for word in KINDS.iter().find(|(kind, _)| *kind == "links").unwrap().1 {
        let shown = word.replace(['\u{200B}', '\u{AD}'], "");
        assert_eq!(pressable(&shown).len(), 1, "{word}");
    }
    assert!(pressable("21 августа в 14:30, ул.Южная, 5 (скидка 50%)").is_empty());
}

/// Shows nothing, or turns the line around. The joiner that breaks links is ours; the one within
/// pictures is part of them.
fn deceives(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{AD}' | '\u{034F}' | '\u{061C}' | '\u{200B}' | '\u{200C}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2061}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}'
            | '\u{E000}'..='\u{F8FF}' | '\u{E0000}'..)
}

/// One text as it arrived, against the same about a harmless word.
fn assert_harmless(text: &str, model: &str, markup: Markup, longest: usize, word: &str) {
    let name: String = word.chars().take(40).collect();
    let about = format!("{name:?}: {:?}", text.chars().take(400).collect::<String>());
    let visible = visible(text, markup, &about);
    assert_eq!(pressable(&visible), Vec::<String>::new(), "{about}");
    assert!(!visible.contains(deceives), "{about}");
    assert!(visible.chars().count() <= longest, "{about}");
    let (here, there) = (
        shape(&visible),
        shape(&self::visible(model, markup, "model")),
    );
    let mut lines = there.lines.iter();
    assert!(
        here.lines.iter().all(|line| lines.any(|ours| ours == line)),
        "a line that is not ours, {about}"
    );
    if markup == Markup::WhatsApp {
        let added = here
            .marks
            .iter()
            .zip(there.marks)
            .any(|(here, there)| *here > there);
        assert!(!added, "formatted, {about}");
        let blocks = ["> ", "- ", "* ", "1. ", "# "];
        let block = |line: &str| blocks.iter().any(|b| line.starts_with(b));
        assert!(
            !visible.lines().any(block),
            "a list or a quotation, {about}"
        );
    }
    let piled = visible.chars().fold((0, 0), |(most, run), c| {
        let run = if ('\u{0300}'..='\u{036F}').contains(&c) {
            run + 1
        } else {
            0
        };
        (most.max(run), run)
    });
    assert!(piled.0 <= 3, "{about}");
}

/// The text as it is shown: of Telegram's HTML only our own three tags, closed in order.
fn visible(text: &str, markup: Markup, about: &str) -> String {
    if markup != Markup::TelegramHtml {
        return text.to_owned();
    }
    let mut open = Vec::new();
    let mut shown = String::new();
    for (i, piece) in text.split('<').enumerate() {
        let Some((tag, rest)) = piece.split_once('>').filter(|_| i > 0) else {
            assert_eq!(i, 0, "{about}");
            shown.push_str(piece);
            continue;
        };
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{about}"),
            None => {
                assert!(["b", "s", "i"].contains(&tag), "<{tag}>, {about}");
                open.push(tag);
            }
        }
        shown.push_str(rest);
    }
    assert_eq!(open, Vec::<&str>::new(), "{about}");
    shown
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn assert_says_when(text: &str, about: &str) {
    for needed in ["21 августа", "14:30"] {
        assert!(
            text.contains(needed),
            "{needed} is missing, {about}: {text:.300}"
        );
    }
}

fn common() -> Common {
    Common {
        journal_grace: JOURNAL_GRACE,
        client: ClientSettings {
            timeout: Duration::from_secs(20),
            proxy: None,
            ca_file: None,
        },
        messages_per_second: 1000.0,
        receive: false,
    }
}

fn built(kind: Kind, sink: ConsoleSink) -> Built {
    let settings = Settings {
        name: "channel".into(),
        kind,
        new_recipients_per_day: 0,
    };
    channels::build(&settings, sink).unwrap()
}

fn silent() -> ConsoleSink {
    Arc::new(Mutex::new(std::io::sink()))
}

fn green(url: &str, flavour: Flavour) -> Built {
    let kind = Kind::GreenApi(channels::green_api::Settings {
        api_url: url.to_owned(),
        instance_id: green_api::INSTANCE.into(),
        token: green_api::TOKEN.into(),
        flavour,
        templates: match flavour {
            Flavour::Waba => templates(),
            _ => Templates::default(),
        },
        common: common(),
    });
    built(kind, silent())
}

/// Every kind has its template, with all that can be foreign in it.
fn templates() -> Templates {
    let names = [
        "date",
        "time",
        "services",
        "staff",
        "client_name",
        "address",
        "salon",
        "phone",
        "items",
        "changes",
    ];
    let template = |kind: &str| Template {
        name: format!("booking_{kind}"),
        language: "ru".into(),
        parameters: names.map(str::to_owned).into(),
    };
    let kinds = ["created", "updated", "restored", "cancelled"];
    Templates(kinds.map(|kind| (kind.to_owned(), template(kind))).into())
}

fn http(url: &str, preset: Preset) -> Built {
    let custom = Custom {
        path: "/api/sendText".into(),
        headers: vec![("X-Api-Key".into(), "{token}".into())],
        body: Some(json!({"chatId": "{chat_id}", "text": "{text}", "key": "{key}"})),
        id: "/id/_serialized".into(),
        ..Custom::default()
    };
    let kind = Kind::Http(Box::new(channels::http_gateway::Settings {
        preset,
        base_url: url.to_owned(),
        token: gateway::TOKEN.into(),
        session: gateway::SESSION.into(),
        channel_id: "e0629e11".into(),
        custom,
        common: common(),
    }));
    built(kind, silent())
}

/// Sends the whole corpus and holds every text that arrived against the harmless one.
async fn through(built: &Built, desk: &Desk, to: &str, longest: usize, wrote_lately: bool) {
    let channel = &built.channel;
    let markup = channel.markup();
    let prepared = |word: &str| {
        let mut all = messages(word, markup);
        for message in &mut all {
            message.to = to.to_owned();
            message.wrote_lately = wrote_lately;
        }
        all
    };
    let mut models = Vec::new();
    for message in prepared("Слово") {
        let outcome = channel.send(&message).await;
        assert_eq!(outcome.as_str(), "accepted", "{outcome:?}");
        models.push(desk.last_sent().text);
    }
    for word in corpus() {
        for (message, model) in prepared(&word).into_iter().zip(&models) {
            let outcome = channel.send(&message).await;
            assert_eq!(outcome.as_str(), "accepted", "{outcome:?}: {word:.40}");
            let sent = desk.last_sent();
            assert_harmless(&sent.text, model, markup, longest, &word);
            assert_says_when(&sent.text, &word);
        }
    }
    for request in desk.requests() {
        if request.http == "POST" {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            assert!(body.is_object(), "{:.200}", request.body);
        }
    }
}

#[tokio::test]
async fn whatsapp_and_official_whatsapp_through_green_api() {
    let fake = GreenApi::start().await;
    through(
        &green(&fake.url, Flavour::WhatsApp),
        &fake,
        PHONE,
        4096,
        false,
    )
    .await;
    for wrote_lately in [false, true] {
        let fake = GreenApi::start().await;
        through(
            &green(&fake.url, Flavour::Waba),
            &fake,
            PHONE,
            4096,
            wrote_lately,
        )
        .await;
    }
}

#[tokio::test]
async fn max_and_telegram_by_a_persons_account() {
    for (flavour, longest) in [(Flavour::Max, 4000), (Flavour::Telegram, 4096)] {
        let fake = GreenApi::start_hiding_phones().await;
        through(&green(&fake.url, flavour), &fake, PHONE, longest, false).await;
    }
}

#[tokio::test]
async fn a_telegram_bot() {
    let fake = Telegram::start().await;
    let kind = Kind::Telegram(channels::telegram::Settings {
        api_url: fake.url.clone(),
        token: telegram::TOKEN.into(),
        common: common(),
    });
    through(&built(kind, silent()), &fake, "900", 4096, false).await;
}

#[tokio::test]
async fn the_cloud_api_by_template_and_in_free_text() {
    for wrote_lately in [false, true] {
        let fake = Cloud::start().await;
        fake.set_window(true);
        let kind = Kind::WhatsAppCloud(channels::whatsapp_cloud::Settings {
            api_url: fake.url.clone(),
            phone_number_id: cloud::NUMBER_ID.into(),
            waba_id: None,
            token: cloud::TOKEN.into(),
            templates: templates(),
            common: common(),
        });
        // A template's body has 1024 characters, its own words included.
        let longest = if wrote_lately { 4096 } else { 1024 };
        through(&built(kind, silent()), &fake, PHONE, longest, wrote_lately).await;
    }
}

#[tokio::test]
async fn every_gateway() {
    for preset in [
        Preset::Waha,
        Preset::Evolution,
        Preset::WppConnect,
        Preset::Wazzup,
        Preset::None,
    ] {
        let fake = Gateway::start().await;
        let before = fake.requests().len();
        through(&http(&fake.url, preset), &fake, PHONE, 4096, false).await;
        assert!(fake.requests().len() > before);
    }
}

#[tokio::test]
async fn the_console_and_the_terminal_behind_it() {
    for word in corpus() {
        let shown = Arc::new(Mutex::new(Vec::<u8>::new()));
        let console = built(
            Kind::Console(console::Settings::default()),
            Arc::clone(&shown) as ConsoleSink,
        );
        for (message, model) in messages(&word, Markup::WhatsApp)
            .iter()
            .zip(messages("Слово", Markup::WhatsApp))
        {
            shown.lock().unwrap().clear();
            assert_eq!(console.channel.send(message).await.as_str(), "accepted");
            let printed = String::from_utf8(shown.lock().unwrap().clone()).unwrap();
            let (_, text) = printed.split_once('\n').unwrap();
            assert_harmless(text, &model.text, Markup::WhatsApp, 4200, &word);
            assert_says_when(text, &word);
        }
    }
}

/// A booking with this word in every place, for a client of its own.
fn draft(n: usize, word: &str) -> BookingDraft {
    BookingDraft::new(SALON, at("2026-08-21T14:30:00"))
        .client(word, &format!("+7900001{n:04}"))
        .staff(5, word)
        .service(45, word, 2000, 50)
        .comment(word)
        .by_user(77)
}

/// The owner reads WhatsApp, too: a bot may write to one chat but once a second.
const OWNER: &str = "+79000009999";

fn owned(events: &str) -> String {
    format!(r#"owner = [{{ channel = "whatsapp", to = "{OWNER}"{events} }}]"#)
}

/// Texts that reached the owner.
fn owner_told(world: &World) -> Vec<String> {
    let sent = world.green.sent().into_iter();
    let theirs = sent.filter(|s| s.chat == "79000009999@c.us");
    theirs.map(|s| s.text).collect()
}

fn everything() -> Vec<String> {
    std::iter::once("Слово".to_owned())
        .chain(corpus())
        .collect()
}

async fn booked(monitor: &str, owner: &str, draft: impl Fn(usize, &str) -> BookingDraft) -> World {
    let world = World::watching_with(monitor, owner).await;
    for (n, word) in everything().iter().enumerate() {
        world.salon.book(draft(n, word));
    }
    world.tell().await;
    world.turn().await;
    world
}

#[tokio::test]
async fn from_the_journal_to_the_client_and_to_the_owner() {
    let all = everything();
    let world = booked("bot_markers = []", &owned(""), draft).await;
    let sent = world.green.sent();
    let text = |n: usize| {
        let chat = format!("7900001{n:04}@c.us");
        let mut theirs = sent.iter().filter(|s| s.chat == chat);
        let text = theirs.next().unwrap().text.clone();
        assert!(theirs.next().is_none(), "told twice");
        text
    };
    for (n, word) in all.iter().enumerate() {
        assert_harmless(&text(n), &text(0), Markup::WhatsApp, 4096, word);
        assert_says_when(&text(n), word);
    }
    let copies = owner_told(&world);
    assert_eq!(copies.len(), all.len());
    let model = copies.iter().find(|c| c.contains("Слово")).unwrap();
    for copy in &copies {
        assert_harmless(copy, model, Markup::WhatsApp, 4096, copy);
        assert_says_when(copy, copy);
        assert!(copy.lines().count() <= model.lines().count(), "{copy}");
    }
}

#[tokio::test]
async fn cards_in_the_owners_chat() {
    // Nobody can be written to, so the owner is asked to call.
    let owner = owned(", events = []");
    let world = booked("", &owner, |n, word| draft(n, word).client(word, "")).await;
    let cards = owner_told(&world);
    assert_eq!(cards.len(), everything().len());
    let model = cards.iter().find(|c| c.contains("Слово")).unwrap();
    for card in &cards {
        assert_harmless(card, model, Markup::WhatsApp, 4096, card);
        assert_says_when(card, card);
    }
}

#[tokio::test]
async fn words_of_clients_in_the_owners_chat() {
    let world = World::watching_with("", &owned("")).await;
    let all = everything();
    for word in &all {
        world.green.push_text("79000000001", word);
    }
    for _ in &all {
        let end = &world.pipeline().channels()["whatsapp"];
        let receiver = end.receiver.as_ref().unwrap();
        let heard = world
            .pipeline()
            .receive_once(end, receiver, Duration::from_secs(5));
        assert!(heard.await.unwrap());
    }
    world.turn().await;
    let told = owner_told(&world);
    // What has no words to show is not handed on.
    assert!(told.len() > all.len() - 20, "{}", told.len());
    for words in &told {
        let model = "💬 Анна, +7 900 000-00-01 · Малаховка: «Слово»";
        assert_harmless(words, model, Markup::WhatsApp, 4096, words);
        assert_eq!(words.lines().count(), 1, "{words}");
    }
}
