//! A messenger's own list of what went out, searched for a message whose answer was lost.

use chrono::{DateTime, Utc};

use super::delivery::Status;

/// A message of ours as the messenger lists it.
#[derive(Clone, PartialEq, Eq)]
pub struct Journaled {
    /// The provider's id of it.
    pub id: String,
    /// Its text, as the messenger keeps it.
    pub text: String,
    /// When it was taken, by this machine's clock; `None` while it waits in the provider's queue.
    pub at: Option<DateTime<Utc>>,
    /// What became of it, where the list says so: `Sent`, `Delivered`, `Read` or `Failed`.
    pub status: Option<Status>,
}

debug_only!(Journaled: id, at, status);

/// The listed message that is this text. One that `taken` knows as another notification's is no
/// match: the same words may go to one person twice. Of several the earliest is ours, because
/// whatever came later would have been held back behind it.
#[must_use]
pub fn find<'a>(
    listed: &'a [Journaled],
    text: &str,
    taken: impl Fn(&str) -> bool,
) -> Option<&'a Journaled> {
    let wanted = words(text);
    let matching = listed
        .iter()
        .filter(|entry| words(&entry.text) == wanted && !taken(&entry.id));
    // A queued one has no time yet and is the latest there can be.
    matching.min_by_key(|entry| entry.at.unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// The text with every run of white space as one space: messengers trim and rewrap.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, text: &str, at: Option<i64>) -> Journaled {
        Journaled {
            id: id.into(),
            text: text.into(),
            at: at.and_then(|s| DateTime::from_timestamp(s, 0)),
            status: None,
        }
    }

    fn found(listed: &[Journaled], text: &str, taken: &[&str]) -> Option<String> {
        find(listed, text, |id| taken.contains(&id)).map(|e| e.id.clone())
    }

    #[test]
    fn a_message_is_known_by_its_words_however_they_are_wrapped() {
        let listed = [
            entry("1", "Вы записаны", Some(1)),
            entry("2", " *Вы записаны!*\r\n\r\n\u{a0}📅 21 августа ", Some(2)),
        ];
        let text = "*Вы записаны!*\n\n📅 21 августа";
        assert_eq!(found(&listed, text, &[]).as_deref(), Some("2"));
        assert_eq!(found(&listed, "*Вы записаны!*", &[]), None);
        assert_eq!(found(&[], text, &[]), None);
    }

    #[test]
    fn an_id_adopted_elsewhere_is_no_match_and_the_earliest_of_the_others_is() {
        let listed = [
            entry("queued", "текст", None),
            entry("later", "текст", Some(9)),
            entry("earlier", "текст", Some(5)),
        ];
        assert_eq!(found(&listed, "текст", &[]).as_deref(), Some("earlier"));
        assert_eq!(
            found(&listed, "текст", &["earlier", "later"]).as_deref(),
            Some("queued")
        );
        assert_eq!(
            found(&listed, "текст", &["earlier", "later", "queued"]),
            None
        );
    }
}
