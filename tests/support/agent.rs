//! A salon whose clients are answered by a scripted model, and dialogues as plain text.

use booking_monitor::demo::salon::{DraftService, Salon};
use booking_monitor::ports::Clock as _;

use super::model::{Act, FakeModel, KEY, MODEL};
use super::world::{PHONE, SALON, World, at};

pub const OTHER: &str = "+79000000002";

/// The company's keys: the owner, the model, and more.
pub fn settings(model: &FakeModel, agent: &str, replies: &str) -> String {
    format!(
        r#"
        owner = [{{ channel = "telegram", to = "500" }}]
        agent_enabled = true
        agent = {{ type = "openai", base_url = "{}/openai", token = "{KEY}", model = "{MODEL}", timeout = "2s"{agent} }}
        replies = {{ {replies} }}
        "#,
        model.url
    )
}

/// What the salon sells, who works there, and when they are free.
pub fn furnish(salon: &Salon) {
    for (id, title, price, length) in [
        (45, "Мужская стрижка", 2000, 3600),
        (46, "Оформление бороды", 1000, 1800),
        (47, "Маникюр", 1500, 5400),
    ] {
        salon.sell(SALON, &DraftService::new(id, title, price, 0), length);
    }
    salon.employ(SALON, 5, "Бари", &[45, 46]);
    salon.employ(SALON, 6, "Анна", &[45, 47]);
    salon.offer(
        SALON,
        5,
        &[
            at("2026-08-21T12:00:00"),
            at("2026-08-21T14:30:00"),
            at("2026-08-22T12:00:00"),
            at("2026-08-22T16:00:00"),
        ],
    );
    salon.offer(
        SALON,
        6,
        &[at("2026-08-21T10:00:00"), at("2026-08-22T12:00:00")],
    );
}

/// A furnished world that watches, with its model.
pub async fn salon(agent: &str, replies: &str) -> (World, FakeModel) {
    salon_with("", agent, replies).await
}

/// The same with more of a company's settings.
pub async fn salon_with(more: &str, agent: &str, replies: &str) -> (World, FakeModel) {
    let model = FakeModel::start().await;
    let settings = format!("{more}\n{}", settings(&model, agent, replies));
    let world = World::with("", &settings).await;
    furnish(&world.salon);
    world.poll().await;
    (world, model)
}

pub const WRITES: &str = r#"write = true, cancel = "self""#;

/// A client's booking that stands and that they know of.
pub async fn booked(world: &World, phone: &str, start: &str) -> i64 {
    let record = world
        .salon
        .book(super::world::haircut(start).client("Анна Петрова", phone));
    world.tell().await;
    world.green.forget_sent();
    record
}

/// The client writes; the rules have their say at once.
pub async fn write(world: &World, phone: &str, text: &str) {
    world.advance("2s");
    world.green.push_text_at(phone, text, world.clock.now());
    world.receive().await;
    world.deliver().await;
}

/// Everything that follows: the answer of the model, and what is written.
pub async fn follow(world: &World) {
    world.advance("4s");
    let pipeline = world.pipeline();
    pipeline.answers_due(world.clock.now()).await.unwrap();
    world.advance("7s");
    world.deliver().await;
    pipeline.writes_due(world.clock.now()).await.unwrap();
    world.deliver().await;
}

/// The client writes, and everything that follows is done.
pub async fn say(world: &World, text: &str) {
    write(world, PHONE, text).await;
    follow(world).await;
}

/// What reached the client since the last look.
pub fn replies(world: &World, phone: &str) -> Vec<String> {
    let chat = format!("{}@c.us", phone.trim_start_matches('+'));
    let sent = world.green.sent().into_iter();
    sent.filter(|s| s.chat == chat).map(|s| s.text).collect()
}

/// One line of a dialogue.
#[derive(Debug)]
pub enum Line {
    /// `@ …`: the scene.
    Scene(String),
    /// `К: …`: the client writes.
    Client(String),
    /// `М: …`: what the model does next.
    Model(Act),
    /// `Р: …`: what the tool answered, as the model gets it.
    Result(String),
    /// `С: …`: what the client reads.
    Salon(String),
    /// `Ж: …`: what is written into the journal.
    Journal(String),
}

/// One dialogue.
#[derive(Debug)]
pub struct Dialogue {
    pub title: String,
    pub lines: Vec<Line>,
}

/// Reads a file of dialogues.
pub fn read(text: &str) -> Vec<Dialogue> {
    let mut all: Vec<Dialogue> = Vec::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        if let Some(title) = line.strip_prefix("== ") {
            all.push(Dialogue {
                title: title.to_owned(),
                lines: Vec::new(),
            });
            continue;
        }
        let dialogue = all.last_mut().unwrap();
        let (sign, rest) = match line.strip_prefix("@ ") {
            Some(scene) => ("@", scene),
            None => line.split_once(": ").unwrap_or_else(|| panic!("{line}")),
        };
        let whole = rest.replace('⏎', "\n");
        dialogue.lines.push(match sign {
            "@" => Line::Scene(whole),
            "К" => Line::Client(whole),
            "М" => Line::Model(act(&whole)),
            "Р" => Line::Result(rest.to_owned()),
            "С" => Line::Salon(whole),
            "Ж" => Line::Journal(whole),
            _ => panic!("{line}"),
        });
    }
    all
}

/// `«words»`, `tool {…}`, or a fault.
fn act(text: &str) -> Act {
    if let Some(words) = text.strip_prefix('«').and_then(|t| t.strip_suffix('»')) {
        return Act::Say(words.to_owned());
    }
    match text {
        "фильтр" => return Act::Blocked,
        "квота" => return Act::Http(402, "{}".into()),
        "авария" => return Act::Http(503, "<html>".into()),
        "чепуха" => return Act::Body("<html>".into()),
        "ключ" => return Act::Http(401, "{}".into()),
        _ => {}
    }
    let calls = text.split(" + ").map(|call| {
        let (name, arguments) = call.split_once(' ').unwrap_or((call, "{}"));
        let arguments = serde_json::from_str(arguments);
        (
            name.to_owned(),
            arguments.unwrap_or_else(|e| panic!("{call}: {e}")),
        )
    });
    Act::Call(calls.collect())
}
