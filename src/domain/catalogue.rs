//! What a salon offers and who works there, as its booking form shows it.

use super::record::Money;

/// A service that can be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its id.
    pub id: i64,
    /// Its title, as the salon wrote it.
    pub title: String,
    /// The lowest price.
    pub price_min: Money,
    /// The highest; the same where there is one price.
    pub price_max: Money,
    /// Length in seconds; 0 where the form does not say.
    pub length: i64,
}

impl Offer {
    /// Its price, where there is one and not a range.
    #[must_use]
    pub fn price(&self) -> Option<Money> {
        let is_one = self.price_max.0 == 0 || self.price_max == self.price_min;
        (is_one && self.price_min.0 > 0).then_some(self.price_min)
    }
}

/// Somebody who can be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    /// Their id.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// What they are.
    pub specialization: String,
}
