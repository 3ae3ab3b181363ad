//! Cards: what a program cannot do and a person must, soon.

use super::{Language, Voice, client_line, joined};
use crate::domain::message::compose::masters;
use crate::domain::message::markup::data;
use crate::domain::message::words;
use crate::domain::policy::Kind;
use crate::domain::record::Record;

/// Why a client heard nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untold<'a> {
    /// A stored reason of silence.
    Reason(&'a str),
    /// The messengers did not deliver it.
    NotDelivered,
    /// The booking went to where no bookings are kept.
    Ignored,
    /// The salon's number is new and has met enough people for the day.
    WarmingUp,
    /// Nobody knew whether it was still true: the journal, or the booking in it, was out of sight.
    Unseen,
}

impl Voice {
    /// What a message to a client was about, in a word or two.
    pub(super) fn about(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Created => self.say("Новая запись", "New booking"),
            Kind::Updated => self.say("Изменение", "Changed"),
            Kind::Cancelled => self.say("Отмена", "Cancelled"),
            Kind::NoShow => self.say("Клиент не пришёл", "No-show"),
            Kind::Visited => self.say("Визит", "Visit"),
            Kind::Reminder => self.say("Напоминание", "Reminder"),
        }
    }
}

/// `📞 *Позвоните клиенту* …`: a visit is near and its client could not be told; or it was, and they still
/// expect it as it was before it `moved`.
#[must_use]
pub fn card_call(
    voice: Voice,
    kind: Kind,
    (records, moved): (&[Record], &[&Record]),
    why: Untold<'_>,
    mask: bool,
) -> String {
    let mut records: Vec<&Record> = records.iter().collect();
    records.sort_by_key(|r| (r.start_local, r.id));
    let what = voice.about(kind);
    let mut lines = vec![
        voice
            .say("📞 *Позвоните клиенту*", "📞 *Call the client*")
            .to_owned(),
    ];
    for (n, record) in records.iter().enumerate() {
        let moment = words::dated_near_moment(voice.language, record.start_local, voice.today);
        let moment = match n {
            0 => format!("{what}: {moment}"),
            _ => moment,
        };
        lines.push(joined(&[data(&moment), data(&masters(&[record]))]));
    }
    for record in moved {
        let moment = words::dated_near_moment(voice.language, record.start_local, voice.today);
        let expects = voice.say("Клиент ждёт визита", "The client expects it");
        lines.push(data(&format!("{expects}: {moment}")));
    }
    lines.push(
        records
            .first()
            .or(moved.first())
            .map_or_else(String::new, |r| client_line(r, mask)),
    );
    lines.push(match (why, voice.language) {
        (Untold::Reason(stored), Language::Ru) => {
            format!("Сообщение не ушло: {}.", voice.reason(stored))
        }
        (Untold::Reason(stored), Language::En) => {
            format!("The message did not leave: {}.", voice.reason(stored))
        }
        (Untold::NotDelivered, Language::Ru) => "Сообщение не дошло.".to_owned(),
        (Untold::Ignored, Language::Ru) => {
            "Запись теперь в колонке, о которой клиентам не пишем. Клиент может прийти как договаривались."
                .to_owned()
        }
        (Untold::Ignored, Language::En) => {
            "The booking is in a column now of which clients are told nothing. The client may come as agreed."
                .to_owned()
        }
        (Untold::WarmingUp, Language::Ru) => {
            "Сообщение не ушло: номер салона новый, на сегодня новых собеседников довольно."
                .to_owned()
        }
        (Untold::WarmingUp, Language::En) => {
            "The message did not leave: the salon's number is new and has met enough people for today."
                .to_owned()
        }
        (Untold::NotDelivered, Language::En) => "The message did not arrive.".to_owned(),
        (Untold::Unseen, Language::Ru) => {
            "Сообщение не ушло: журнала сейчас не видно, и в силе ли запись, неизвестно.".to_owned()
        }
        (Untold::Unseen, Language::En) => {
            "The message did not leave: the journal cannot be seen at present, nor whether the booking stands."
                .to_owned()
        }
    });
    voice.write(&lines)
}
