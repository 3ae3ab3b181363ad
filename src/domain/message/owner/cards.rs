//! Cards: what a program cannot do and a person must, soon.

use super::{ChangeKind, Language, Voice, client_line, joined};
use crate::domain::message::compose::masters;
use crate::domain::message::markup::data;
use crate::domain::message::words;
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
}

impl Voice {
    /// What happened to a booking, in a word or two.
    pub(super) fn happened(&self, kind: ChangeKind) -> &'static str {
        match kind {
            ChangeKind::Created => self.say("Новая запись", "New booking"),
            ChangeKind::Updated => self.say("Изменение", "Changed"),
            ChangeKind::Deleted => self.say("Отмена", "Cancelled"),
        }
    }
}

/// `📞 *Позвоните клиенту* …`: a visit is near and its client could not be told.
#[must_use]
pub fn card_call(
    voice: Voice,
    kind: ChangeKind,
    records: &[Record],
    why: Untold<'_>,
    mask: bool,
) -> String {
    let mut records: Vec<&Record> = records.iter().collect();
    records.sort_by_key(|r| (r.start_local, r.id));
    let what = voice.happened(kind);
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
    lines.push(
        records
            .first()
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
    });
    voice.write(&lines)
}
