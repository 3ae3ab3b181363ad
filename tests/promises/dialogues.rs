//! Recorded dialogues (tests/dialogues/*.txt), replayed against a scripted model: what it calls, what the
//! tools answer, what the client reads and what is written are held to the letter.

mod hostile;

use std::collections::VecDeque;

use crate::support::agent::{
    Dialogue, Line, OTHER, WRITES, booked, follow, read, replies, salon, write,
};
use crate::support::world::{PHONE, World, haircut};
use serde_json::Value;

/// What the journal was asked to write so far.
fn written(world: &World) -> Vec<String> {
    let requests = world.salon.requests().into_iter();
    let writes = requests.filter(|r| r.method != "GET");
    writes.map(|r| format!("{} {}", r.method, r.path)).collect()
}

/// `{ПЕРВАЯ}` and `{ВТОРАЯ}` stand for the client's own bookings, `{ЧУЖАЯ}` for another's.
struct Names(Vec<(&'static str, i64)>);

impl Names {
    fn fill(&self, text: &str) -> String {
        let fill = |text: String, (name, id): &(&str, i64)| text.replace(name, &id.to_string());
        let text = text.replace("{ДЛИННО}", &"а".repeat(2000));
        self.0.iter().fold(text, fill)
    }
}

async fn replay(dialogue: Dialogue) {
    let title = dialogue.title.clone();
    let scene = |name: &str| {
        let mut scenes = dialogue.lines.iter().filter_map(|line| match line {
            Line::Scene(scene) => scene.strip_prefix(name),
            _ => None,
        });
        scenes.next().map(|rest| rest.trim().to_owned())
    };
    let allowed = scene("ответы").unwrap_or_else(|| WRITES.to_owned());
    let (world, model) = salon(&scene("агент").unwrap_or_default(), &allowed).await;
    let mut names = Names(Vec::new());
    let mut own = ["{ПЕРВАЯ}", "{ВТОРАЯ}"].into_iter();
    for line in &dialogue.lines {
        let Line::Scene(scene) = line else { continue };
        if let Some(start) = scene.strip_prefix("запись ") {
            let id = booked(&world, PHONE, start).await;
            names.0.push((own.next().unwrap(), id));
        } else if let Some(start) = scene.strip_prefix("чужая ") {
            let id = booked(&world, OTHER, start).await;
            names.0.push(("{ЧУЖАЯ}", id));
        }
    }
    let before = written(&world).len();
    let mut lines: VecDeque<Line> = dialogue
        .lines
        .into_iter()
        .filter(|line| !matches!(line, Line::Scene(_)))
        .collect();
    let (mut results, mut read_by_client, mut journal) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(line) = lines.pop_front() {
        match line {
            Line::Client(text) if text.starts_with('[') && text.ends_with(']') => {
                let inside = text.trim_matches(['[', ']']);
                match inside.strip_prefix("другой занял ") {
                    Some(start) => {
                        world.salon.book(haircut(start).client("Анна", OTHER));
                    }
                    None => world.advance(inside),
                }
            }
            Line::Client(text) => {
                write(&world, PHONE, &names.fill(&text)).await;
                // What the model does before the client writes again.
                let next = |l: &Line| matches!(l, Line::Client(_));
                let until = lines.iter().position(next).unwrap_or(lines.len());
                for line in lines.iter().take(until) {
                    if let Line::Model(act) = line {
                        model.then(filled(act, &names));
                    }
                }
                // Several in a row are one turn.
                if until > 0 || lines.is_empty() {
                    follow(&world).await;
                }
            }
            Line::Model(_) | Line::Scene(_) => {}
            Line::Result(text) => {
                let text = names.fill(&text);
                results.push(serde_json::from_str::<Value>(&text).unwrap());
            }
            Line::Salon(text) => read_by_client.push(names.fill(&text)),
            Line::Journal(text) => journal.push(names.fill(&text)),
        }
    }
    assert_eq!(replies(&world, PHONE), read_by_client, "{title}");
    assert_eq!(written(&world)[before..], journal, "{title}: the journal");
    assert_eq!(
        model.unsaid(),
        0,
        "{title}: the model was not asked so often"
    );
    // What the tools answered, each once, in the order in which the model got it.
    let mut got: Vec<Value> = Vec::new();
    for body in model.asked() {
        let messages = body["messages"].as_array().unwrap().iter();
        let answers = messages.filter(|m| m["role"] == "tool");
        let answers: Vec<Value> = answers
            .map(|m| serde_json::from_str(m["content"].as_str().unwrap()).unwrap())
            .collect();
        let last = body["messages"].as_array().unwrap().last().unwrap();
        if last["role"] == "tool" {
            let calls = body["messages"].as_array().unwrap().iter().rev();
            let fresh = calls.take_while(|m| m["role"] == "tool").count();
            got.extend(answers[answers.len() - fresh..].iter().cloned());
        }
    }
    if !results.is_empty() {
        assert_eq!(got, results, "{title}: what the tools answered");
    }
}

fn filled(act: &crate::support::model::Act, names: &Names) -> crate::support::model::Act {
    use crate::support::model::Act;
    match act {
        Act::Say(text) => Act::Say(names.fill(text)),
        Act::Call(calls) => Act::Call(
            calls
                .iter()
                .map(|(name, arguments)| {
                    let text = names.fill(&arguments.to_string());
                    // A placeholder in the place of a number stands there as text.
                    let value: Value = serde_json::from_str(&text).unwrap();
                    (name.clone(), value)
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

async fn replay_all(text: &str, least: usize) {
    let all = read(text);
    assert!(all.len() >= least, "{} dialogues", all.len());
    for dialogue in all {
        replay(dialogue).await;
    }
}

#[tokio::test]
async fn questions_are_answered_from_the_journal() {
    replay_all(include_str!("dialogues/questions.txt"), 15).await;
}

#[tokio::test]
async fn bookings_are_made_moved_and_taken_off_only_after_a_yes() {
    replay_all(include_str!("dialogues/bookings.txt"), 20).await;
}

#[tokio::test]
async fn nothing_false_and_nothing_foreign_is_said_or_done() {
    replay_all(include_str!("dialogues/refusals.txt"), 25).await;
}

#[tokio::test]
async fn whatever_a_model_makes_of_it_the_salon_says_nothing_false() {
    replay_all(include_str!("dialogues/hostile.txt"), 19).await;
}
