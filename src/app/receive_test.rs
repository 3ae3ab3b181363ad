//! `receive-test`: what would follow from a client's message, step by step. Nothing of it happens: one
//! row in `messages` is all that stays.

use std::path::Path;

use chrono::Utc;
use tracing::subscriber::NoSubscriber;

use super::failure::code;
use super::text::Say;
use super::{
    Failure, Outcome, channel_ends, companies, existing, load, names, pause, refused, say,
    stdout_sink,
};
use crate::cli::ReceiveTestArgs;
use crate::config::{Config, Secrets};
use crate::domain::phone::Phone;
use crate::domain::record::Record;
use crate::domain::reply::order::Act;
use crate::pipeline::rehearse::{Emulated, Rehearsed, rehearse};
use crate::store::{self, writes::State};

pub(super) fn run(path: &Path, of: &ReceiveTestArgs) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    if !config.channels.iter().any(|c| c.name == of.channel) {
        return Err(names::no_channel(&config, &of.channel));
    }
    let serves = |c: &&crate::config::Company| c.channels.contains(&of.channel);
    let Some(served) = config.companies.iter().find(serves) else {
        let wrong = anyhow::anyhow!("no company writes to clients over {}", of.channel);
        return Err(
            Failure::new(code::FAILED, wrong).hint("name the channel in a company's `channels`")
        );
    };
    let written = pause::phone(&config, Some(served.id), Some(&of.phone))?;
    let phone = Phone::from_stored(written.unwrap_or_default());
    let mut conn = existing(&config, store::open_writer)?;
    let name = format!("test-{}", Utc::now().format("%Y%m%dT%H%M%S%.6f"));
    let emulated = Emulated {
        channel: &of.channel,
        phone: &phone,
        text: &of.text,
        external_id: &name,
    };
    let (companies, ends) = (companies(&config)?, channel_ends(&config, &stdout_sink())?);
    let mask = config.alerts.mask_phones;
    // Nothing of it happens, so nothing of it is logged.
    let done = tracing::subscriber::with_default(NoSubscriber::default(), || {
        store::write_on(&mut conn, |tx| {
            rehearse(tx, companies, ends, mask, &emulated, Utc::now())
        })
    });
    let Some(done) = done.map_err(refused)? else {
        let wrong = anyhow::anyhow!("channel {} cannot be used", of.channel);
        return Err(Failure::new(code::FAILED, wrong));
    };
    for line in lines(&config, &done, &emulated) {
        say(&line)?;
    }
    Ok(0)
}

fn lines(config: &Config, done: &Rehearsed, emulated: &Emulated<'_>) -> Vec<String> {
    let words = Say(config.language);
    let mut lines = vec![
        format!(
            "{}: {}, {}",
            words.of("Сообщение получено", "Message received"),
            emulated.channel,
            emulated.phone.masked()
        ),
        match (done.is_forgotten, done.is_known) {
            (true, _) => words.of("Клиент: данные удалены", "Client: data erased"),
            (_, true) => words.of("Клиент: уже писал", "Client: wrote before"),
            (_, false) => words.of("Клиент: пишет впервые", "Client: writes for the first time"),
        }
        .to_owned(),
    ];
    if done.booking.is_empty() {
        lines.push(
            words
                .of("Запись: не найдена", "Booking: none found")
                .to_owned(),
        );
    }
    for record in &done.booking {
        lines.push(format!(
            "{}: {}",
            words.of("Запись", "Booking"),
            booking(record)
        ));
    }
    lines.push(format!(
        "{}: {}",
        words.of("Правило", "Rule"),
        rule(words, done.rule)
    ));
    for order in &done.orders {
        let what = match (order.state, order.act) {
            (State::Asked, _) => words.of("решает владелец", "the owner decides"),
            (_, _) if !done.writes => words.of(
                "только читаем (replies.write = false)",
                "it is only read (replies.write = false)",
            ),
            (_, Act::Confirm) => {
                words.of("отметить, что клиент придёт", "note that the client comes")
            }
            (_, Act::Cancel) => words.of("отменить запись", "cancel the booking"),
        };
        lines.push(format!("{}: {what}", words.of("Журнал", "Journal")));
    }
    if done.orders.iter().any(|order| order.state != State::Asked) {
        lines.push(
            words
                .of(
                    "Дальше, если в журнале всё так, как видели в последний раз:",
                    "What follows, if the journal says what was seen last:",
                )
                .to_owned(),
        );
    }
    for (_, text) in &done.answers {
        lines.push(format!("{}: {text}", words.of("Клиенту", "To the client")));
    }
    if done.answers.is_empty() {
        let what = match done.rule {
            "agent" => words.of("ответит модель", "the model will answer"),
            "agreed" => words.of(
                "ответ, когда журнал подтвердит",
                "an answer, once the journal confirms it",
            ),
            _ => words.of("ничего", "nothing"),
        };
        lines.push(format!("{}: {what}", words.of("Клиенту", "To the client")));
    }
    for (channel, text) in &done.cards {
        lines.push(format!(
            "{} ({channel}): {text}",
            words.of("Владельцу", "To the owner")
        ));
    }
    if done.cards.is_empty() {
        lines.push(
            words
                .of(
                    "Владельцу: некому, нет owner с alerts = true",
                    "To the owner: nobody, no owner has alerts = true",
                )
                .to_owned(),
        );
    }
    lines.push(format!(
        "{}: {}",
        words.of(
            "Ничего не отправлено и не записано; в messages осталась строка",
            "Nothing was sent or written; one row stays in messages",
        ),
        emulated.external_id
    ));
    lines
}

fn booking(record: &Record) -> String {
    let services: Vec<&str> = record.services.iter().map(|s| s.title.as_str()).collect();
    format!(
        "{} · {} · {} · {}",
        record.id,
        record.start_local.format("%d.%m.%Y %H:%M"),
        record.staff.name,
        services.join(", ")
    )
}

fn rule(words: Say, rule: &'static str) -> &'static str {
    match rule {
        "stop" => words.of("СТОП: больше не писать", "STOP: no more messages"),
        "start" => words.of("СТАРТ: снова писать", "START: messages again"),
        "acknowledged" => words.of(
            "принято к сведению, ответа не ждут",
            "an acknowledgement, nobody waits for an answer",
        ),
        "confirm" => words.of("клиент придёт", "the client comes"),
        "cancel" => words.of("клиент не придёт", "the client does not come"),
        "move" => words.of("просит перенести", "wants to reschedule"),
        "late" => words.of("опаздывает", "is late"),
        "person" => words.of("просит человека", "asks for a person"),
        "agent" => words.of("отвечает агент", "the agent answers"),
        "courtesy" => words.of("приветствие или прощание", "a greeting or a farewell"),
        "agreed" => words.of(
            "согласие с предложением агента",
            "a yes to what the agent proposed",
        ),
        "declined" => words.of(
            "отказ от предложения агента",
            "a no to what the agent proposed",
        ),
        "nodded" => words.of(
            "кивок: агент ждёт слова «да»",
            "a nod: the agent waits for the word",
        ),
        "which" => words.of(
            "спросить, о какой записи речь",
            "ask which booking is meant",
        ),
        "forgotten" => words.of(
            "данные удалены, не хранится",
            "data erased, nothing is kept",
        ),
        _ => words.of("слова, их читает человек", "words for a person to read"),
    }
}
