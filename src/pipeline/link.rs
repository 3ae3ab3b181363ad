//! Linking a chat to a phone: a bot cannot write first, so a client opens it and sends their own
//! contact. The answers leave at once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::{ChannelEnd, Desk, Pipeline};
use crate::domain::delivery::Status;
use crate::domain::message::Language;
use crate::domain::message::markup::{data, render};
use crate::domain::phone::Phone;
use crate::ports::Keyboard;
use crate::store::outbox::{self, New};
use crate::store::{self, companies, contacts};

impl Pipeline {
    /// Somebody opened the bot: a greeting, and a button that sends their number.
    pub(super) async fn greet(
        &self,
        end: &Arc<ChannelEnd>,
        company: Option<i64>,
        chat_id: String,
        name: String,
    ) -> store::Result<()> {
        let (desk, end, now) = (self.desk(), Arc::clone(end), self.clock.now());
        self.store
            .write(move |tx| {
                contacts::ensure(tx, &end.name, &chat_id, &name)?;
                let (language, salon) = desk.salon(tx, company)?;
                let text = match language {
                    Language::Ru => format!(
                        "Здравствуйте!{} Буду писать сюда о ваших записях.\nНажмите кнопку, чтобы прислать свой номер.",
                        salon.map(|s| format!(" Это «{}».", data(&s))).unwrap_or_default()
                    ),
                    Language::En => format!(
                        "Hello!{} I will write here about your bookings.\nPress the button to send your number.",
                        salon.map(|s| format!(" This is {}.", data(&s))).unwrap_or_default()
                    ),
                };
                answer(tx, &end, company, &chat_id, &text, Some(Keyboard::AskContact), now)
            })
            .await
    }

    /// Somebody sent a contact: their own links the chat, another's links nothing.
    pub(super) async fn link(
        &self,
        end: &Arc<ChannelEnd>,
        company: Option<i64>,
        chat_id: String,
        phone: Option<Phone>,
        name: String,
    ) -> store::Result<()> {
        let channel = end.name.as_str();
        match &phone {
            Some(_) => tracing::info!(channel, "chat linked to a phone"),
            None => tracing::info!(channel, "contact refused: not the sender's own number"),
        }
        let (desk, end, now) = (self.desk(), Arc::clone(end), self.clock.now());
        self.store
            .write(move |tx| {
                let (language, _) = desk.salon(tx, company)?;
                let Some(phone) = phone else {
                    let text = match language {
                        Language::Ru => "Это чужой номер. Нажмите кнопку, чтобы прислать свой.",
                        Language::En => {
                            "This is somebody else's number. Press the button to send yours."
                        }
                    };
                    return answer(
                        tx,
                        &end,
                        company,
                        &chat_id,
                        text,
                        Some(Keyboard::AskContact),
                        now,
                    );
                };
                contacts::link(tx, &end.name, &chat_id, phone.e164(), &name)?;
                let text = match language {
                    Language::Ru => "Готово ✅",
                    Language::En => "Done ✅",
                };
                answer(
                    tx,
                    &end,
                    company,
                    &chat_id,
                    text,
                    Some(Keyboard::Remove),
                    now,
                )
            })
            .await
    }
}

impl Desk {
    /// The language and the title of the company a chat belongs to; of several, no title.
    fn salon(
        &self,
        conn: &Connection,
        company: Option<i64>,
    ) -> store::Result<(Language, Option<String>)> {
        let Some(company) = company.and_then(|id| self.companies.get(&id)) else {
            let any = self.companies.values().next();
            return Ok((any.map_or(Language::Ru, |c| c.settings.language), None));
        };
        let row = companies::ensure(conn, company.settings.id)?;
        Ok((company.settings.language, Some(company.title(&row))))
    }
}

/// Queues an answer to a chat; it leaves at once.
fn answer(
    conn: &Connection,
    end: &ChannelEnd,
    company: Option<i64>,
    chat_id: &str,
    text: &str,
    keyboard: Option<Keyboard>,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let message = render(text, end.channel.markup());
    outbox::add(
        conn,
        &New {
            company: company.unwrap_or(0),
            record: 0,
            visit: 0,
            unit: "",
            kind: "reply",
            phone: "",
            recipient: chat_id,
            channel: &end.name,
            status: Status::Pending,
            reason: None,
            superseded_by: None,
            message: &message,
            frozen: true,
            keyboard,
            about: None,
            told: "[]",
            first_change_at: now,
            changed_at: now,
            due_at: now,
        },
        now,
    )?;
    Ok(())
}
