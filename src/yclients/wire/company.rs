//! A company's own data.

use serde::Deserialize;

use super::lenient::{List, Obj, Scalar};
use crate::domain::reply::hours;
use crate::ports::CompanyInfo;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireCompany {
    pub(super) id: Scalar,
    title: Scalar,
    public_title: Scalar,
    city: Scalar,
    address: Scalar,
    phone: Scalar,
    phones: List<Scalar>,
    timezone_name: Scalar,
    bookforms: List<Obj<WireForm>>,
    schedule: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireForm {
    url: Scalar,
}

pub(super) fn info(company: WireCompany) -> CompanyInfo {
    let phones = match &company.phones {
        List::Items(phones) => phones.iter().map(Scalar::text).collect(),
        List::Odd => Vec::new(),
    };
    let forms = company.bookforms.objects().unwrap_or_default();
    CompanyInfo {
        title: first_of([company.title.text(), company.public_title.text()]),
        address: address(&company.city.text(), &company.address.text()),
        phone: first_of(std::iter::once(company.phone.text()).chain(phones)),
        zone: company.timezone_name.text().parse().ok(),
        booking_link: first_of(forms.iter().map(|form| form.url.text())),
        opening_hours: hours::named_in(&company.schedule.text()),
    }
}

fn first_of(texts: impl IntoIterator<Item = String>) -> String {
    texts
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

/// "city, address", unless the address names the city itself.
fn address(city: &str, address: &str) -> String {
    if city.is_empty() || address.to_lowercase().contains(&city.to_lowercase()) {
        address.to_owned()
    } else if address.is_empty() {
        city.to_owned()
    } else {
        format!("{city}, {address}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_city_stands_once_before_the_street() {
        assert_eq!(address("Москва", "Ленина, 1"), "Москва, Ленина, 1");
        assert_eq!(
            address("Москва", "г. москва, Ленина, 1"),
            "г. москва, Ленина, 1"
        );
        assert_eq!(address("", "Ленина, 1"), "Ленина, 1");
        assert_eq!(address("Москва", ""), "Москва");
    }
}
