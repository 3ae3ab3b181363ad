//! What owners decide by buttons: what the buttons say, what a press is answered, and what stands
//! under the message once it is decided.

use chrono::NaiveTime;

use super::super::compose::masters;
use super::super::markup::data;
use super::super::{Language, words};
use super::{Voice, client_line, joined};
use crate::domain::policy::Kind;
use crate::domain::question::{Choice, End, Matter};
use crate::domain::record::Record;

/// What waits for the end of a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseEnd {
    /// It ends by itself then.
    At(NaiveTime),
    /// Owners can end it.
    Open,
    /// Only who set it can end it: it is about more than this company.
    Foreign,
}

/// A press that decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody here may decide it.
    NotYours,
    /// No such button, or none that still means anything.
    Void,
    /// Meanwhile so many messages are concerned, more than the button spoke of.
    Grown(i64),
    /// The program may not write into the journal: it is done by hand.
    ByHand,
    /// The program is only tried out: nothing is written, and nobody is told.
    TriedOut,
}

impl Voice {
    /// What a button says. `number` where its message asks about several notifications; `count`
    /// messages are concerned.
    #[must_use]
    pub fn button(&self, choice: Choice, number: Option<i64>, count: i64) -> String {
        match (choice, number) {
            (Choice::Arrived, None) => self.say("Дошло", "It arrived").to_owned(),
            (Choice::Arrived, Some(n)) => format!("№ {n}: {}", self.say("дошло", "it arrived")),
            (Choice::Again, None) => self.say("Отправить ещё раз", "Send again").to_owned(),
            (Choice::Again, Some(n)) => format!("№ {n}: {}", self.say("ещё раз", "again")),
            (Choice::Send, _) => format!("{} {count}", self.say("Отправить", "Send")),
            (Choice::Drop, _) => self.say("Не отправлять", "Do not send").to_owned(),
            (Choice::Show, _) => self.say("Показать", "Show").to_owned(),
            (Choice::Called, _) => self.say("Позвонили", "Called").to_owned(),
            (Choice::TakeOff, _) => self.say("Отменить", "Cancel it").to_owned(),
            (Choice::Answer, _) => self.say("Ответить", "Answer").to_owned(),
        }
    }

    /// What stands under a message once a question of it is over.
    #[must_use]
    pub fn decided(&self, matter: &Matter, end: End, number: Option<i64>) -> String {
        let (sign, ru, en) = match end {
            End::Arrived => ("✅", "дошло", "it arrived"),
            End::Again => ("🔁", "отправляю ещё раз", "sending again"),
            End::Superseded => (
                "➡️",
                "об этом уже сказано в новом сообщении",
                "a later message says it",
            ),
            End::Sent(_) => ("✅", "отправляю", "sending"),
            End::Dropped(_) => ("🚫", "не отправляю", "not sending"),
            End::Called => ("✅", "позвонили", "called"),
            End::TakingOff => ("⏳", "отменяю", "cancelling"),
            End::TakenOff => ("✅", "запись отменена", "the booking is cancelled"),
            End::NotTakenOff => (
                "⚠️",
                "отмена не прошла, подробности ниже",
                "the cancellation did not go through, see below",
            ),
            End::Over => match matter {
                Matter::Pause(_) => ("▶️", "пауза кончилась", "the pause is over"),
                Matter::Guard(_) => (
                    "✅",
                    "больше ничего не придержано",
                    "nothing is held any more",
                ),
                Matter::Uncertain(_) | Matter::Dead(_) | Matter::Call(_) | Matter::Cancel(_) => {
                    ("✅", "больше не нужно", "nothing to decide any more")
                }
            },
        };
        let words = match (number, end) {
            (Some(n), _) => format!("№ {n}: {}", self.say(ru, en)),
            (None, End::Sent(count) | End::Dropped(count)) => {
                format!("{}: {count}", capital(self.say(ru, en)))
            }
            (None, _) => capital(self.say(ru, en)),
        };
        format!("{sign} {}", data(&words))
    }

    /// What a press that decided something is answered; `again` when it was decided before.
    #[must_use]
    pub fn pressed(&self, matter: &Matter, end: End, again: bool) -> String {
        let decided = self.decided(matter, end, None);
        let words = decided.split_once(' ').map_or("", |(_, words)| words);
        if again {
            let mut letters = words.chars();
            let first = letters.next().into_iter().flat_map(char::to_lowercase);
            let words: String = first.chain(letters).collect();
            return format!("{}: {words}.", self.say("Уже решено", "Already decided"));
        }
        format!("{words}.")
    }

    /// What a press is answered that asked for the list.
    #[must_use]
    pub fn shown(&self) -> String {
        self.say("Список в чате.", "The list is in the chat.")
            .to_owned()
    }

    /// What a press is answered that asked how to answer.
    #[must_use]
    pub fn how_to_answer(&self) -> String {
        self.say(
            "Ответьте на это сообщение, я передам.",
            "Reply to this message, and I will hand it on.",
        )
        .to_owned()
    }

    /// What a press that decides nothing is answered.
    #[must_use]
    pub fn refused(&self, why: Refusal) -> String {
        match why {
            Refusal::NotYours => self
                .say(
                    "Это решают владельцы салона.",
                    "This is for the salon's owners.",
                )
                .to_owned(),
            Refusal::Void => self
                .say(
                    "Эта кнопка больше не действует.",
                    "This button does nothing any more.",
                )
                .to_owned(),
            Refusal::ByHand => self
                .say(
                    "Отмените запись в YClients: мне писать в журнал не разрешено. Клиенту об отмене сообщу сам.",
                    "Cancel it in YClients: I may not write into the journal. I will tell the client by myself.",
                )
                .to_owned(),
            Refusal::TriedOut => self
                .say(
                    "Отмените запись в YClients и скажите клиенту сами: сейчас я никому не пишу (dry_run, only_phones).",
                    "Cancel it in YClients and tell the client yourself: I write to nobody now (dry_run, only_phones).",
                )
                .to_owned(),
            Refusal::Grown(count) => match self.language {
                Language::Ru => format!("Их уже {count}. Проверьте и нажмите ещё раз."),
                Language::En => format!("There are {count} by now. Check, and press again."),
            },
        }
    }

    fn clients_messages(&self, count: i64) -> String {
        let n = usize::try_from(count).unwrap_or(0);
        match self.language {
            Language::Ru => {
                words::count(self.language, n, "сообщение", "сообщения", "сообщений") + " клиентам"
            }
            Language::En => {
                words::count(self.language, n, "message", "", "messages") + " to clients"
            }
        }
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// What waits, one line for each: `Отмена: 24 августа в 10:00 · Бари · Анна, +7 900 000-00-01`; `more`
/// are left out.
#[must_use]
pub fn waiting_list(voice: Voice, waiting: &[(Kind, Record)], more: usize, mask: bool) -> String {
    let mut lines = Vec::new();
    for (kind, record) in waiting {
        let moment = words::near_moment(voice.language, record.start_local, voice.today);
        lines.push(joined(&[
            data(&format!("{}: {moment}", voice.about(*kind))),
            data(&masters(&[record])),
            client_line(record, mask),
        ]));
    }
    if more > 0 {
        lines.push(format!("{} {more}", voice.say("И ещё", "And")));
    }
    voice.write(&lines)
}

/// `⏸ *Пауза до 14:00: Малаховка* …`: what leaves when it ends.
#[must_use]
pub fn ask_pause(voice: Voice, salon: &str, end: PauseEnd, waiting: i64) -> String {
    let waiting = voice.clients_messages(waiting);
    let (head, story) = match (end, voice.language) {
        (PauseEnd::At(at), Language::Ru) => {
            let at = voice.clock(at);
            (
                format!("Пауза до {at}"),
                format!("Накопилось: {waiting}. В {at} уйдут, если не решите иначе."),
            )
        }
        (PauseEnd::At(at), Language::En) => {
            let at = voice.clock(at);
            (
                format!("Paused until {at}"),
                format!("Waiting: {waiting}. They go at {at} unless you decide otherwise."),
            )
        }
        (PauseEnd::Open, Language::Ru) => (
            "Пауза без срока".to_owned(),
            format!("Накопилось: {waiting}. Уйдут, когда снимете паузу."),
        ),
        (PauseEnd::Open, Language::En) => (
            "Paused without an end".to_owned(),
            format!("Waiting: {waiting}. They go when you end the pause."),
        ),
        (PauseEnd::Foreign, Language::Ru) => (
            "Пауза без срока".to_owned(),
            format!("Накопилось: {waiting}. Снять паузу: booking-monitor resume"),
        ),
        (PauseEnd::Foreign, Language::En) => (
            "Paused without an end".to_owned(),
            format!("Waiting: {waiting}. To end the pause: booking-monitor resume"),
        ),
    };
    voice.write(&[format!("⏸ *{head}: {}*", data(salon)), story])
}

/// `⚠️ *Не отправлено: 2 сообщения: Малаховка* …`, then one line for each of `list`, and how to send
/// one again where no button says so.
#[must_use]
pub fn alert_dead(
    voice: Voice,
    salon: &str,
    count: usize,
    list: &[String],
    has_buttons: bool,
) -> String {
    let mut lines = vec![format!(
        "⚠️ *{}: {}: {}*",
        voice.say("Не отправлено", "Not sent"),
        voice.messages(count),
        data(salon)
    )];
    lines.extend(list.iter().map(|line| data(line)));
    let left = count.saturating_sub(list.len());
    if left > 0 {
        lines.push(format!(
            "{} {left}: booking-monitor log --status dead",
            voice.say("И ещё", "And")
        ));
    }
    lines.extend(voice.retry_by_hand(has_buttons));
    voice.write(&lines)
}
