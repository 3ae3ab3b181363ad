//! Alerts of the agent's model: that it gives no answers, why, and that it does again.

use chrono::NaiveTime;

use super::super::markup::data;
use super::{Voice, Waited};

/// Why a model gives no answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mute<'a> {
    /// 401, 403.
    Key,
    /// What was paid for is used up.
    Unpaid,
    /// It refuses the request, in its words.
    Refuses(&'a str),
    /// Anything else, in words.
    Other(&'a str),
}

impl<'a> Mute<'a> {
    /// From how a question to it failed: the stored word, and what was said.
    #[must_use]
    pub fn of(word: &str, said: &'a str) -> Self {
        let key = ["HTTP 401", "HTTP 403"].iter().any(|h| said.starts_with(h));
        match word {
            "refused" if key => Self::Key,
            "refused" => Self::Refuses(said),
            "over_quota" => Self::Unpaid,
            _ => Self::Other(said),
        }
    }

    /// Time does not mend it, a person has to. One question that was refused may have been an odd one.
    #[must_use]
    pub fn wants_person(self) -> bool {
        match self {
            Self::Key | Self::Unpaid => true,
            Self::Refuses(said) => said.starts_with("HTTP 404"),
            Self::Other(_) => false,
        }
    }
}

/// `⚠️ *Агент без модели: GigaChat-2* …`
#[must_use]
pub fn alert_model_down(voice: Voice, model: &str, since: NaiveTime, why: Mute<'_>) -> String {
    let reason = match why {
        Mute::Key => voice
            .say(
                "модель не принимает ключ. Проверьте его в [agent]",
                "the model refuses the key. Check it in [agent]",
            )
            .to_owned(),
        Mute::Unpaid => voice
            .say(
                "кончилось оплаченное. Пополните счёт модели",
                "what was paid for is used up. Top the model's account up",
            )
            .to_owned(),
        Mute::Refuses(said) => format!(
            "{} ({}). {}",
            voice.say(
                "модель не принимает вопросов",
                "the model takes no questions"
            ),
            data(said),
            voice.say("Проверьте [agent]", "Check [agent]"),
        ),
        Mute::Other(said) => format!(
            "{} ({})",
            voice.say("ни одного ответа", "not one answer"),
            data(said)
        ),
    };
    voice.write(&[
        format!(
            "⚠️ *{}: {}*",
            voice.say("Агент без модели", "The agent is without its model"),
            data(model)
        ),
        format!(
            "{} {}: {reason}.",
            voice.say("С", "Since"),
            voice.clock(since)
        ),
        voice
            .say(
                "Клиентам отвечаю, что ответит администратор: их слова у вас. Простые ответы и напоминания идут как прежде.",
                "Clients are told that the administrator will answer: you have their words. Simple answers and reminders go on as before.",
            )
            .to_owned(),
    ])
}

/// `✅ *Агент снова с моделью: GigaChat-2* …`
#[must_use]
pub fn alert_model_up(voice: Voice, model: &str, gap_seconds: i64) -> String {
    voice.write(&[
        format!(
            "✅ *{}: {}*",
            voice.say("Агент снова с моделью", "The agent has its model again"),
            data(model)
        ),
        voice.recovery(gap_seconds, Waited::default()),
    ])
}
