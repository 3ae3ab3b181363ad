//! Orders in the owner's chat: `/status`, `/release`, `/retry 17`, `/pause 2h`, `/resume`, `/agent off`. They reach
//! only the companies that list the chat.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::{Company, Desk, orders, words};
use crate::config::parse_span;
use crate::domain::message::Language;
use crate::domain::message::markup::data;
use crate::store::pauses::{Pause, Selector};
use crate::store::{self, channels, companies, conversations, guard, outbox, pauses, stats};

/// One order as it was written.
pub(super) struct Order<'a> {
    /// The word, without its slash and without the bot's name.
    word: &'a str,
    /// What follows it.
    rest: &'a str,
}

impl<'a> Order<'a> {
    /// `/retry@salon_bot 17` and the like.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim().strip_prefix('/')?;
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let word = word.split_once('@').map_or(word, |(word, _)| word);
        Some(Self {
            word,
            rest: rest.trim(),
        })
    }
}

impl Desk {
    /// Does what an order says for these companies; what to answer.
    pub(super) fn obey(
        &self,
        conn: &Connection,
        scope: &[&Company],
        language: Language,
        order: &Order<'_>,
        now: DateTime<Utc>,
    ) -> store::Result<String> {
        let ru = language == Language::Ru;
        let say = |russian: &str, english: &str| if ru { russian } else { english }.to_owned();
        match order.word.to_lowercase().as_str() {
            "status" => self.state_of(conn, scope, language, now),
            "release" => {
                let mut count = 0;
                for company in scope {
                    count += guard::release(conn, company.settings.id, now)?;
                }
                Ok(match count {
                    0 => say("Ничего не придержано.", "Nothing is held."),
                    n => format!("{} {n}", say("Отпустил сообщений:", "Messages let go:")),
                })
            }
            "retry" => {
                let numbers: Vec<i64> = order
                    .rest
                    .split(|c: char| !c.is_ascii_digit())
                    .filter_map(|number| number.parse().ok())
                    .collect();
                if numbers.is_empty() {
                    return Ok(say(
                        "Какое? Например: /retry 17",
                        "Which one? Such as /retry 17",
                    ));
                }
                let mut again = Vec::new();
                for number in numbers {
                    let theirs = outbox::get(conn, number)?
                        .filter(|n| scope.iter().any(|c| c.settings.id == n.company));
                    if let Some(n) = theirs
                        && orders::retry(conn, &n, self.repeats(n.company), now)?
                    {
                        again.push(number.to_string());
                    }
                }
                Ok(match again.as_slice() {
                    [] => say(
                        "Таких сообщений, чтобы отправить ещё раз, нет.",
                        "There are no such messages to send again.",
                    ),
                    _ => format!(
                        "{} {}",
                        say("Отправлю ещё раз:", "Sending again:"),
                        again.join(", ")
                    ),
                })
            }
            "pause" => {
                let span = match order.rest {
                    "" => None,
                    written => {
                        match parse_span(written).and_then(|s| TimeDelta::from_std(s).ok()) {
                            Some(span) => Some(span),
                            None => {
                                return Ok(say(
                                    "На сколько? Например: /pause 2h",
                                    "How long? Such as /pause 2h",
                                ));
                            }
                        }
                    }
                };
                for company in scope {
                    let pause = Pause {
                        of: Selector {
                            company: Some(company.settings.id),
                            ..Selector::default()
                        },
                        until: span.and_then(|span| now.checked_add_signed(span)),
                    };
                    orders::pause(conn, &pause, now)?;
                }
                Ok(say(
                    "Пауза: клиентам не пишу. Снять: /resume",
                    "Paused: nothing goes to clients. To end it: /resume",
                ))
            }
            "agent" => {
                let is_on = match order.rest.to_lowercase().as_str() {
                    "on" => true,
                    "off" => false,
                    _ => {
                        return Ok(say(
                            "Как? /agent on или /agent off",
                            "How? /agent on or /agent off",
                        ));
                    }
                };
                let able: Vec<_> = scope.iter().filter(|c| c.has_agent()).collect();
                for company in &able {
                    conversations::set_switch(conn, company.settings.id, is_on, now)?;
                }
                Ok(match (able.is_empty(), is_on) {
                    (true, _) => say(
                        "Агент не настроен: нужна секция [agent] в booking-monitor.toml.",
                        "There is no agent: it needs [agent] in booking-monitor.toml.",
                    ),
                    (false, true) => say(
                        "Агент отвечает клиентам. Выключить: /agent off",
                        "The agent answers clients. To end it: /agent off",
                    ),
                    (false, false) => say(
                        "Агент молчит, клиентам отвечаете вы. Включить: /agent on",
                        "The agent is silent, you answer clients. To begin again: /agent on",
                    ),
                })
            }
            "resume" => {
                let mut lifted = 0;
                for company in scope {
                    lifted += pauses::lift_company(conn, company.settings.id)?;
                }
                outbox::replan(conn, now)?;
                // A pause about more than these companies is not theirs to end.
                let running = pauses::running(conn, now)?;
                let goes_on = running.iter().any(|pause| pause.of.company.is_none());
                Ok(match (lifted, goes_on) {
                    (0, false) => say("Паузы не было.", "There was no pause."),
                    (_, false) => say("Пауза снята.", "The pause is over."),
                    (0, true) => say(
                        "Идёт пауза, поставленная для всех салонов: из чата её не снять. Снять: booking-monitor resume",
                        "A pause for all salons is on, which this chat cannot end. To end it: booking-monitor resume",
                    ),
                    (_, true) => say(
                        "Пауза салона снята, но идёт ещё одна, для всех салонов. Снять её: booking-monitor resume",
                        "The salon's pause is over, but one for all salons is still on. To end that: booking-monitor resume",
                    ),
                })
            }
            _ => Ok(say(
                "Понимаю: /status, /release, /retry НОМЕР, /pause 2h, /resume, /agent on|off",
                "I know: /status, /release, /retry NUMBER, /pause 2h, /resume, /agent on|off",
            )),
        }
    }

    /// How the companies of this chat fare, in few lines.
    fn state_of(
        &self,
        conn: &Connection,
        scope: &[&Company],
        language: Language,
        now: DateTime<Utc>,
    ) -> store::Result<String> {
        let ru = language == Language::Ru;
        let mut lines = Vec::new();
        let paused = pauses::running(conn, now)?;
        for company in scope {
            let id = company.settings.id;
            let row = companies::ensure(conn, id)?;
            let (waiting, held) = (stats::waiting(conn, Some(id))?, guard::held(conn, id, now)?);
            let journal = match (row.last_poll_at, &row.last_error) {
                (_, Some(error)) => data(error),
                (Some(at), None) => {
                    let seconds = (now - at).num_seconds();
                    if ru {
                        format!("журнал прочитан {seconds} с назад")
                    } else {
                        format!("journal read {seconds} s ago")
                    }
                }
                (None, None) if ru => "журнал ещё не прочитан".to_owned(),
                (None, None) => "journal not read yet".to_owned(),
            };
            lines.push(format!("*{}*: {journal}", data(&company.title(&row))));
            if company.has_agent() {
                let is_on = self.agent_of(conn, company)?.is_some();
                lines.push(match (ru, is_on) {
                    (true, true) => "агент: отвечает".to_owned(),
                    (true, false) => "агент: выключен".to_owned(),
                    (false, true) => "agent: answers".to_owned(),
                    (false, false) => "agent: off".to_owned(),
                });
            }
            let of_company = |p: &&Pause| p.of.company.is_none_or(|of| of == id);
            let figures = [
                (waiting, "ждут отправки", "wait to be sent"),
                (held.count, "придержано", "held back"),
                (
                    paused.iter().filter(of_company).count() as i64,
                    "пауз",
                    "pauses",
                ),
            ];
            for (count, russian, english) in figures.into_iter().filter(|(count, ..)| *count > 0) {
                lines.push(format!("{}: {count}", if ru { russian } else { english }));
            }
        }
        let named = |name: &str| {
            scope.iter().any(|c| {
                let owners = c.settings.owners.iter().map(|o| &o.channel);
                c.settings.channels.iter().chain(owners).any(|n| n == name)
            })
        };
        for state in channels::all(conn)?.iter().filter(|s| named(&s.name)) {
            let end = self.channels.get(&state.name).map(|e| e.as_ref());
            let label = words::label(end, &state.name);
            let how = match (state.fails_since(), &state.last_error) {
                (None, _) if ru => "работает".to_owned(),
                (None, _) => "works".to_owned(),
                (Some(_), Some(error)) => data(error),
                (Some(_), None) if ru => "не работает".to_owned(),
                (Some(_), None) => "down".to_owned(),
            };
            lines.push(format!("{}: {how}", data(&label)));
        }
        Ok(lines.join("\n"))
    }
}
