//! One row of the journal.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{List, Obj, Scalar};
use crate::domain::phone::Phone;
use crate::domain::record::{Attendance, Client, Money, Record, ServiceLine, Staff, instant};
use crate::domain::zone::Zone;
use crate::ports::{CompanyRef, Row};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireRecord {
    id: Scalar,
    staff_id: Scalar,
    staff: Obj<WireStaff>,
    services: List<Obj<WireService>>,
    client: Obj<WireClient>,
    clients_count: Scalar,
    date: Scalar,
    datetime: Scalar,
    create_date: Scalar,
    last_change_date: Scalar,
    comment: Scalar,
    online: Scalar,
    attendance: Scalar,
    seance_length: Scalar,
    length: Scalar,
    visit_id: Scalar,
    created_user_id: Scalar,
    deleted: Scalar,
    record_labels: List<Obj<WireLabel>>,
    activity_id: Scalar,
    short_link: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireStaff {
    id: Scalar,
    name: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireService {
    id: Scalar,
    title: Scalar,
    amount: Scalar,
    cost: Scalar,
    first_cost: Scalar,
    discount: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireClient {
    id: Scalar,
    name: Scalar,
    display_name: Scalar,
    phone: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireLabel {
    title: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OnlyId {
    id: Scalar,
}

/// One element of `data`.
pub(super) fn row(text: &RawValue, company: &CompanyRef) -> Row {
    if text.get() == "null" {
        return Row::Null;
    }
    let unreadable = |id: Option<i64>, why: &str| Row::Unreadable {
        id,
        why: why.to_owned(),
    };
    if !text.get().starts_with('{') {
        return unreadable(None, "not an object");
    }
    let wire: WireRecord = match serde_json::from_str(text.get()) {
        Ok(wire) => wire,
        // serde's words may quote the row; its column cannot.
        Err(error) => {
            let id = serde_json::from_str::<OnlyId>(text.get()).ok();
            return unreadable(
                id.and_then(|only| only.id.int()),
                &format!("not a record at column {}", error.column()),
            );
        }
    };
    let Some(id) = wire.id.int().filter(|id| *id > 0) else {
        return unreadable(None, "no `id`");
    };
    match record(id, wire, company) {
        Ok(record) => Row::Record(Box::new(record)),
        Err(why) => unreadable(Some(id), why),
    }
}

fn record(id: i64, wire: WireRecord, company: &CompanyRef) -> Result<Record, &'static str> {
    let deleted = wire.deleted.flag();
    let start = wall_clock(&wire.date.text()).or_else(|| wall_clock(&wire.datetime.text()));
    let start_local = match start {
        Some(start) => start,
        // A deletion is evidence even without a date; the start is then the one remembered.
        None if deleted => Record::START_UNKNOWN,
        None => return Err("no readable `date`"),
    };
    let services = wire
        .services
        .objects()
        .ok_or("`services` is not an array of objects")?;
    let client = match wire.client {
        Obj::None => None,
        Obj::Some(client) => person(client, &company.country),
        Obj::Odd => return Err("`client` is neither an object nor empty"),
    };
    let staff = match wire.staff {
        Obj::Some(staff) => staff,
        Obj::None | Obj::Odd => WireStaff::default(),
    };
    let number = |scalar: &Scalar| scalar.int().unwrap_or(0);
    let positive = |scalar: &Scalar| scalar.int().filter(|n| *n > 0);
    Ok(Record {
        company_id: company.id,
        id,
        visit_id: number(&wire.visit_id),
        activity_id: number(&wire.activity_id),
        start_local,
        length: positive(&wire.seance_length)
            .or_else(|| positive(&wire.length))
            .unwrap_or(0),
        staff: Staff {
            id: positive(&staff.id)
                .or_else(|| positive(&wire.staff_id))
                .unwrap_or(0),
            name: staff.name.text(),
        },
        services: services.into_iter().map(line).collect(),
        client,
        seats: number(&wire.clients_count),
        attendance: Attendance::from_number(number(&wire.attendance)),
        deleted,
        online: wire.online.flag(),
        created_user_id: number(&wire.created_user_id),
        comment: wire.comment.text(),
        labels: wire
            .record_labels
            .objects()
            .unwrap_or_default()
            .iter()
            .map(|label| label.title.text())
            .filter(|title| !title.is_empty())
            .collect(),
        link: wire.short_link.text(),
        created_at: stamp(&wire.create_date.text(), company.zone),
        changed_at: stamp(&wire.last_change_date.text(), company.zone),
    })
}

fn line(wire: WireService) -> ServiceLine {
    let money = |scalar: &Scalar| scalar.number().map(Money::from_units);
    let cost = money(&wire.cost).unwrap_or_default();
    ServiceLine {
        id: wire.id.int().unwrap_or(0),
        title: wire.title.text(),
        amount: wire.amount.int().unwrap_or(1).max(1),
        cost,
        // Without a price before the discount there was none.
        first_cost: money(&wire.first_cost).unwrap_or(cost),
        discount: money(&wire.discount).unwrap_or_default().0,
    }
}

/// The client, unless the object says nothing of anybody.
fn person(wire: WireClient, country: &str) -> Option<Client> {
    let id = wire.id.int().unwrap_or(0);
    let name = Some(wire.name.text())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| wire.display_name.text());
    let raw = wire.phone.text();
    // Behind a mask there is a number that we may not see: it is neither a wrong one nor none.
    let hidden = Phone::is_hidden(&raw);
    let phone = (!hidden)
        .then(|| Phone::parse(&raw, country).ok())
        .flatten();
    let somebody = id != 0 || !name.is_empty() || !raw.is_empty();
    let refused_phone = (phone.is_none() && !hidden).then_some(raw);
    somebody.then_some(Client {
        id,
        name,
        phone,
        refused_phone,
        forgotten: false,
    })
}

/// The wall clock of a date in any spelling. An offset is left unread: it is wrong where clocks
/// change (a salon in Belgrade was sent +01:00 in summer).
fn wall_clock(text: &str) -> Option<NaiveDateTime> {
    let text = text.replacen(' ', "T", 1);
    text.parse().ok().or_else(|| {
        let with_offset: DateTime<FixedOffset> = text.parse().ok()?;
        Some(with_offset.naive_local())
    })
}

/// An instant of the server: `+0300`, `+03:00`, `Z`, or naive in the company's zone. Zeros are none.
fn stamp(text: &str, zone: Zone) -> Option<DateTime<Utc>> {
    let text = text.replacen(' ', "T", 1);
    if let Ok(at) = text.parse::<DateTime<FixedOffset>>() {
        return Some(at.with_timezone(&Utc));
    }
    text.parse().ok().map(|naive| instant(naive, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_all_its_spellings() {
        let zone = Zone::moscow();
        let at = |text: &str| stamp(text, zone).map(|t| t.to_rfc3339());
        let expected = Some("2026-09-02T17:14:07+00:00".to_owned());
        for text in [
            "2026-09-02T20:14:07+0300",
            "2026-09-02T20:14:07+03:00",
            "2026-09-02T20:14:07.000+03:00",
            "2026-09-02 20:14:07",
            "2026-09-02T20:14:07",
            "2026-09-02T17:14:07Z",
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
        assert_eq!(at("0000-00-00 00:00:00"), None);
        assert_eq!(
            at("-0001-11-30T00:00:00+0230"),
            at("-0001-11-30T00:00:00+02:30")
        );
        assert_eq!(at(""), None);
    }

    #[test]
    fn the_wall_clock_ignores_the_offset() {
        let nine: NaiveDateTime = "2019-01-16T16:00:00".parse().unwrap();
        for text in [
            "2019-01-16 16:00:00",
            "2019-01-16T16:00:00.000+09:00",
            "2019-01-16T16:00:00+0000",
        ] {
            assert_eq!(wall_clock(text), Some(nine), "{text}");
        }
        assert_eq!(wall_clock("0000-00-00 00:00:00"), None);
    }
}
