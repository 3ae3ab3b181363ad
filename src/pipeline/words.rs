//! From what the stages know to what people read: fills in the salon, the channel and the day, and
//! leaves the wording to [`crate::domain::message`].

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ChannelEnd, Company};
use crate::domain::change::{Change, ChangeKind, Field};
use crate::domain::delivery::Status;
use crate::domain::message::owner::{OwnerCopy, ToClient, Voice, owner_copy};
use crate::domain::message::{self, Brief, Language, Markup, Texts, Told, Way, compose};
use crate::domain::policy::{Kind, Reason, Rules};
use crate::domain::record::{Attendance, Record};
use crate::domain::settle::{Form, Net, told_fields};
use crate::domain::zone::Zone;
use crate::store::companies::CompanyRow;
use crate::store::outbox::Notification;

/// The salon at a moment.
pub(super) struct Place<'a> {
    pub(super) company: &'a Company,
    pub(super) row: &'a CompanyRow,
    pub(super) zone: Zone,
    pub(super) now: DateTime<Utc>,
}

impl Place<'_> {
    fn described(&self) -> message::Place {
        let settings = &self.company.settings;
        let or = |own: &Option<String>, api: &str| own.clone().unwrap_or_else(|| api.to_owned());
        message::Place {
            salon: self.company.title(self.row),
            address: or(&settings.address, &self.row.info.address),
            phone: or(&settings.phone, &self.row.info.phone),
            booking_link: or(&settings.booking_link, &self.row.info.booking_link),
            zone: Some(self.zone),
            free: Vec::new(),
            review_link: settings.review_link.clone().unwrap_or_default(),
        }
    }

    fn today(&self) -> chrono::NaiveDate {
        self.now.with_timezone(&self.zone).date_naive()
    }

    fn way<'w>(&self, end: &'w ChannelEnd, markup: Markup) -> Way<'w> {
        // A bot's chat is read by people only where an owner gets what clients write there.
        let read = !end.channel.is_robot() || !self.company.settings.owners.is_empty();
        Way {
            channel: &end.name,
            markup,
            invite: end.channel.hears_replies() && read,
        }
    }

    /// How an owner is written to over this channel.
    pub(super) fn voice(&self, markup: Markup) -> Voice {
        Voice {
            language: self.company.settings.language,
            markup,
            today: self.today(),
        }
    }
}

/// What the client reads of a change.
pub(super) fn client(place: &Place<'_>, end: &ChannelEnd, net: &Net) -> String {
    offering(place, end, net, &[], end.channel.markup())
}

/// The same with free times for a cancellation to offer.
pub(super) fn offering(
    place: &Place<'_>,
    end: &ChannelEnd,
    net: &Net,
    free: &[NaiveDateTime],
    markup: Markup,
) -> String {
    let described = message::Place {
        free: free.to_vec(),
        ..place.described()
    };
    compose(
        &place.company.texts,
        &told(net),
        &described,
        place.way(end, markup),
        place.today(),
    )
}

/// What an official channel's approved template is filled from, for the same message.
pub(super) fn brief(
    place: &Place<'_>,
    net: &Net,
    free: &[NaiveDateTime],
    correction: bool,
) -> Brief {
    let told = if correction {
        Told::WrongNumber { was: &net.now }
    } else {
        told(net)
    };
    let described = message::Place {
        free: free.to_vec(),
        ..place.described()
    };
    message::brief(&place.company.texts, &told, &described, place.today())
}

/// The same of what is said of no change.
pub(super) fn brief_of(place: &Place<'_>, told: &Told<'_>) -> Brief {
    message::brief(
        &place.company.texts,
        told,
        &place.described(),
        place.today(),
    )
}

/// What a net change is told as.
pub(super) fn told(net: &Net) -> Told<'_> {
    let before =
        (!net.before.is_empty() && !net.form.states_whole()).then_some(net.before.as_slice());
    match net.form {
        Form::Created => Told::Created { now: &net.now },
        Form::Restored => Told::Restored { now: &net.now },
        Form::Updated | Form::Restated => Told::Updated {
            before,
            now: &net.now,
            fields: &net.fields,
        },
        Form::Cancelled => Told::Cancelled { was: &net.now },
    }
}

/// What somebody reads over this channel.
pub(super) fn said(place: &Place<'_>, end: &ChannelEnd, told: &Told<'_>) -> String {
    said_as(place, end, told, end.channel.markup())
}

/// The same in another markup than the channel's.
pub(super) fn said_as(
    place: &Place<'_>,
    end: &ChannelEnd,
    told: &Told<'_>,
    markup: Markup,
) -> String {
    compose(
        &place.company.texts,
        told,
        &place.described(),
        place.way(end, markup),
        place.today(),
    )
}

/// The same in the language of whoever reads it: the salon's own texts are in the salon's.
pub(super) fn said_in(
    place: &Place<'_>,
    end: &ChannelEnd,
    told: &Told<'_>,
    (language, markup): (Language, Markup),
) -> String {
    let own = &place.company.texts;
    let texts = match language == own.language() {
        true => own,
        false => Texts::of_language(language),
    };
    let way = place.way(end, markup);
    compose(texts, told, &place.described(), way, place.today())
}

/// The same without any markup, to be quoted elsewhere.
pub(super) fn plain(place: &Place<'_>, end: &ChannelEnd, told: &Told<'_>) -> String {
    said_as(place, end, told, Markup::Plain)
}

/// What stands in for a message that went to a wrong number.
pub(super) fn wrong_number(place: &Place<'_>, end: &ChannelEnd, record: &Record) -> String {
    let told = Told::WrongNumber {
        was: std::slice::from_ref(record),
    };
    said(place, end, &told)
}

/// What an owner's copy is composed from once the client's message has an outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Copy {
    pub(super) kind: Kind,
    before: Vec<Record>,
    now: Vec<Record>,
}

impl Copy {
    /// The copy of what happened to a visit; `None` when it is nothing that is told.
    pub(super) fn of(changes: &[Change], rules: &Rules) -> Option<Self> {
        let told = |c: &&Change| match (c.kind(), c.before(), c.after()) {
            (ChangeKind::Updated, Some(before), Some(after)) => {
                !told_fields(before, after, rules).is_empty() || c.fields().contains(&Field::Client)
            }
            _ => true,
        };
        let all_changes = changes;
        let changes: Vec<&Change> = changes.iter().filter(told).collect();
        let all = |kind| changes.iter().all(|c| c.kind() == kind);
        let kind = match changes.as_slice() {
            [] => return Self::of_attendance(all_changes),
            _ if all(ChangeKind::Created) => Kind::Created,
            _ if all(ChangeKind::Deleted) => Kind::Cancelled,
            _ => Kind::Updated,
        };
        let before = changes.iter().filter_map(|c| c.before().cloned()).collect();
        let now = changes.iter().filter_map(|c| c.after().cloned()).collect();
        Some(Self { kind, before, now })
    }

    /// The copy of what the journal says of a visit that is over, when that is all that happened.
    fn of_attendance(changes: &[Change]) -> Option<Self> {
        let known = |c: &&Change| c.fields().contains(&Field::Attendance);
        let now: Vec<Record> = changes
            .iter()
            .filter(known)
            .filter_map(|c| c.after().cloned())
            .collect();
        let has = |attendance| now.iter().any(|r| r.attendance == attendance);
        let kind = if has(Attendance::Arrived) {
            Kind::Visited
        } else if has(Attendance::NoShow) {
            Kind::NoShow
        } else {
            return None;
        };
        let before = Vec::new();
        Some(Self { kind, before, now })
    }

    /// The record it is filed under.
    pub(super) fn first(&self) -> Option<&Record> {
        self.now.first()
    }

    /// The text, once it is known what became of the client's message.
    pub(super) fn text(
        &self,
        place: &Place<'_>,
        markup: Markup,
        about: Option<&Notification>,
        channel_label: &str,
        mask: bool,
    ) -> String {
        let voice = place.voice(markup);
        let (told, words);
        let to_client = match about {
            Some(n) if n.status == Status::Suppressed => {
                words = voice.reason(n.reason.map_or("", Reason::as_str));
                ToClient::NotTold(words)
            }
            Some(n) => {
                told = standing(voice, n.status, channel_label);
                ToClient::Told(&told)
            }
            None => {
                words = voice.reason(Reason::Unchanged.as_str());
                ToClient::NotTold(words)
            }
        };
        owner_copy(
            voice,
            &OwnerCopy {
                kind: self.kind,
                before: (!self.before.is_empty()).then_some(self.before.as_slice()),
                records: &self.now,
                salon: &place.company.title(place.row),
                to_client,
                mask,
            },
        )
    }
}

/// Where the client's message stands, in the owner's words.
fn standing(voice: Voice, status: Status, channel: &str) -> String {
    let (ru, en) = match status {
        Status::Sent => return voice.accepted(channel),
        Status::Delivered => ("доставлено", "delivered"),
        Status::Read => ("прочитано", "read"),
        Status::Pending | Status::Sending => ("ещё не отправлено", "not sent yet"),
        Status::Held => (
            "придержано, ждёт вашего решения",
            "held back, waits for your decision",
        ),
        Status::Uncertain => ("неизвестно, дошло ли", "unknown whether it arrived"),
        Status::Failed | Status::Dead => ("не дошло", "did not arrive"),
        Status::Suppressed => ("не отправлено", "not sent"),
    };
    match voice.language {
        Language::Ru => ru.to_owned(),
        Language::En => en.to_owned(),
    }
}

/// What people call a channel.
pub(super) fn label(end: Option<&ChannelEnd>, name: &str) -> String {
    let messenger = end.and_then(|e| e.channel.messenger());
    messenger.unwrap_or(name).to_owned()
}
