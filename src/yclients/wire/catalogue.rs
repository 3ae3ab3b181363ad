//! What the booking form offers: services and masters. A row that cannot be read is left out: it can
//! not be booked through us, and that is all.

use serde::Deserialize;

use super::lenient::{List, Obj, Scalar};
use crate::domain::catalogue::{Master, Offer};
use crate::domain::record::Money;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireServices {
    services: List<Obj<WireService>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireService {
    id: Scalar,
    title: Scalar,
    price_min: Scalar,
    price_max: Scalar,
    seance_length: Scalar,
    active: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireMaster {
    id: Scalar,
    name: Scalar,
    specialization: Scalar,
    bookable: Scalar,
}

pub(super) fn offers(data: &str) -> Option<Vec<Offer>> {
    let Obj::Some(WireServices { services }) = serde_json::from_str(data).ok()? else {
        return None;
    };
    let offer = |row: WireService| {
        let id = row.id.int().filter(|id| *id > 0)?;
        let title = row.title.text();
        if title.is_empty() || row.active.denied() {
            return None;
        }
        let money = |sum: &Scalar| Money::from_units(sum.number().unwrap_or(0.0));
        Some(Offer {
            id,
            title,
            price_min: money(&row.price_min),
            price_max: money(&row.price_max),
            length: row.seance_length.int().unwrap_or(0).max(0),
        })
    };
    Some(services.objects()?.into_iter().filter_map(offer).collect())
}

pub(super) fn masters(data: &str) -> Option<Vec<Master>> {
    let rows: List<Obj<WireMaster>> = serde_json::from_str(data).ok()?;
    let master = |row: WireMaster| {
        let id = row.id.int().filter(|id| *id > 0)?;
        let name = row.name.text();
        (!name.is_empty() && !row.bookable.denied()).then(|| Master {
            id,
            name,
            specialization: row.specialization.text(),
        })
    };
    Some(rows.objects()?.into_iter().filter_map(master).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_and_masters_are_read_and_what_cannot_be_booked_is_left_out() {
        let offers = offers(
            r#"{"services":[
                {"id":45,"title":"Стрижка","price_min":1000,"price_max":"1500.50","seance_length":3600,"active":1},
                {"id":"46","title":"Борода","price_min":0,"price_max":0,"seance_length":null},
                {"id":47,"title":"Архив","active":0},{"id":0,"title":"?"},null],"category":[]}"#,
        )
        .unwrap();
        let shown: Vec<_> = offers
            .iter()
            .map(|o| {
                (
                    o.id,
                    o.title.as_str(),
                    o.price_min.0,
                    o.price_max.0,
                    o.length,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (45, "Стрижка", 100_000, 150_050, 3600),
                (46, "Борода", 0, 0, 0)
            ]
        );
        let masters = masters(
            r#"[{"id":5,"name":"Бари","specialization":"Барбер"},{"id":6,"name":"Лист","bookable":false},{"name":"?"}]"#,
        );
        assert_eq!(masters.unwrap().len(), 1);
        for odd in ["null", "[]", r#"{"services":7}"#] {
            assert_eq!(super::offers(odd), None, "{odd}");
        }
    }
}
