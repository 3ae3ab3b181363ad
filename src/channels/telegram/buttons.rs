//! Buttons under a message: `inline_keyboard`, `editMessageText`, `answerCallbackQuery`.
//!
//! None of these says whether the channel is down: an edit that fails leaves old words in a chat,
//! and an answer that comes too late leaves a button spinning, but what was decided is decided.

use serde_json::{Value, json};

use super::Bot;
use crate::ports::{Button, EditOutcome, Edited};

/// `answerCallbackQuery` takes no longer text, in characters.
const LONGEST_ANSWER: usize = 200;

/// `reply_markup` with these buttons; without any it takes them away.
pub(super) fn under(buttons: &[Vec<Button>]) -> Value {
    let button = |b: &Button| json!({"text": b.label, "callback_data": b.data});
    let rows: Vec<Vec<Value>> = buttons
        .iter()
        .map(|row| row.iter().map(button).collect())
        .collect();
    json!({ "inline_keyboard": rows })
}

impl Bot {
    /// Writes a message of ours anew.
    pub(super) async fn edit(&self, message: &Edited) -> EditOutcome {
        let Ok(id) = message.message_id.parse::<i64>() else {
            return EditOutcome::Never {
                why: "the message has no number".to_owned(),
            };
        };
        let chat = message.to.parse::<i64>();
        let body = json!({
            "chat_id": chat.map_or_else(|_| Value::from(message.to.as_str()), Value::from),
            "message_id": id,
            "text": message.text,
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": true},
            "reply_markup": under(&message.buttons),
        });
        let reply = match self.call("editMessageText", &body).await {
            Ok(reply) => reply,
            Err(silence) => {
                return EditOutcome::Later {
                    after: None,
                    why: silence.why,
                };
            }
        };
        let why = reply.why();
        match (reply.answer.status.as_u16(), &reply.envelope) {
            _ if reply.result().is_some() => EditOutcome::Done,
            _ if reply
                .said
                .to_lowercase()
                .contains("message is not modified") =>
            {
                EditOutcome::Done
            }
            (429, envelope) => EditOutcome::Later {
                after: envelope.as_ref().and_then(|e| reply.pause(e)),
                why,
            },
            // A page of a proxy in between is no word of Telegram's.
            (400 | 403, Some(_)) => EditOutcome::Never { why },
            _ => EditOutcome::Later { after: None, why },
        }
    }

    /// Ends the waiting of whoever pressed, with a line of text over the chat.
    pub(super) async fn answer_press(&self, press_id: &str, text: &str) -> Result<(), String> {
        let text: String = text.chars().take(LONGEST_ANSWER).collect();
        let body = json!({"callback_query_id": press_id, "text": text});
        let reply = self
            .call("answerCallbackQuery", &body)
            .await
            .map_err(|silence| silence.why)?;
        match reply.result() {
            Some(_) => Ok(()),
            None => Err(reply.why()),
        }
    }
}
