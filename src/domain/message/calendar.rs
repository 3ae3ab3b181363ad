//! An event for the client's own calendar, as a link: a file would need a port of ours.
//!
//! Google's page takes an event in its address, on every phone and without an account of ours. The
//! times are instants, so that no zone of the reader's can shift the visit.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::facts::Facts;
use super::markup::capped;
use crate::domain::record::Record;
use crate::domain::zone::Zone;

const PAGE: &str = "https://calendar.google.com/calendar/render?action=TEMPLATE";

/// Longest title and longest place; a Cyrillic letter takes six characters of an address.
const LONGEST_TITLE: usize = 40;
const LONGEST_PLACE: usize = 40;
/// An address longer than this goes without the place.
const LONGEST: usize = 500;

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'/');

/// The link for a visit of these records, in order of time; empty when there are none, or when it
/// is not known how long they take.
pub(super) fn link(records: &[&Record], facts: &Facts, zone: Zone) -> String {
    let Some(first) = records.first().filter(|r| r.length > 0) else {
        return String::new();
    };
    let begin = first.start_at(zone);
    let ends = records.iter().map(|r| r.end_at(zone));
    let end = ends.max().unwrap_or(begin);
    let encoded = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let instant = |at: chrono::DateTime<chrono::Utc>| at.format("%Y%m%dT%H%M%SZ");
    let title = match facts.services.is_empty() {
        true => &facts.salon,
        false => &facts.services,
    };
    let url = format!(
        "{PAGE}&text={}&dates={}/{}&ctz={}",
        encoded(&capped(title, LONGEST_TITLE)),
        instant(begin),
        instant(end),
        encoded(zone.name()),
    );
    let place = match facts.address.is_empty() {
        true => &facts.salon,
        false => &facts.address,
    };
    let placed = format!("{url}&location={}", encoded(&capped(place, LONGEST_PLACE)));
    if place.is_empty() || placed.len() > LONGEST {
        return url;
    }
    placed
}
