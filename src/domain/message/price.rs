//! When an old price may be shown struck, and a percent named: only what the API's own figures prove.

use crate::domain::record::{Money, ServiceLine};

/// A total before discounts that is sure, and their percent when it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Discount {
    /// The total before.
    pub(super) before: Money,
    /// In hundredths, when it is one and the same.
    pub(super) percent: Option<i64>,
}

impl Discount {
    /// Struck only when the API's own percent leads from the old price to the new one in every
    /// line; a ratio of two totals would be our invention.
    pub(super) fn of(lines: &[&ServiceLine]) -> Option<Self> {
        let before = lines
            .iter()
            .map(|l| full_price(l))
            .sum::<Option<i64>>()
            .map(Money)?;
        let after: Money = lines.iter().map(|l| l.cost).sum();
        let percent = lines.first()?.discount;
        (before > after && after.0 > 0).then(|| Self {
            before,
            percent: (percent > 0 && lines.iter().all(|l| l.discount == percent))
                .then_some(percent),
        })
    }
}

/// A line's price before its discount: `first_cost` is per unit or per line, so the one that gives
/// the final price is it. `None` when neither or, differing, both do.
fn full_price(line: &ServiceLine) -> Option<i64> {
    let leads_to_cost = |full: i64| {
        let exact = i128::from(full) * i128::from(10_000 - line.discount);
        // Half a hundredth either way: the API rounds.
        ((exact - i128::from(line.cost.0) * 10_000).abs() <= 5_000).then_some(full)
    };
    let whole = leads_to_cost(line.first_cost.0);
    let each = leads_to_cost(line.first_cost.0.saturating_mul(line.amount.max(1)));
    match (whole, each) {
        (Some(a), Some(b)) if a != b => None,
        (whole, each) => whole.or(each),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(first: i64, discount: i64, amount: i64, cost: i64) -> ServiceLine {
        ServiceLine {
            first_cost: Money(first * 100),
            discount: discount * 100,
            amount,
            cost: Money(cost * 100),
            ..ServiceLine::default()
        }
    }

    fn of(lines: &[ServiceLine]) -> Option<(i64, Option<i64>)> {
        let lines: Vec<&ServiceLine> = lines.iter().collect();
        Discount::of(&lines).map(|d| (d.before.0 / 100, d.percent.map(|p| p / 100)))
    }

    #[test]
    fn the_old_price_is_shown_only_when_it_leads_to_the_new_one() {
        assert_eq!(of(&[line(2000, 50, 1, 1000)]), Some((2000, Some(50))));
        assert_eq!(
            of(&[line(1000, 50, 2, 1000)]),
            Some((2000, Some(50))),
            "per unit"
        );
        assert_eq!(
            of(&[line(2000, 50, 2, 1000)]),
            Some((2000, Some(50))),
            "per line"
        );
        assert_eq!(of(&[line(2000, 40, 1, 1000)]), None, "does not lead there");
        assert_eq!(of(&[line(1000, 0, 1, 1000)]), None, "no discount");
        assert_eq!(of(&[line(2000, 100, 1, 0)]), None, "nothing to pay");
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_percent_is_shown_only_when_it_is_one() {
        let half = line(2000, 50, 1, 1000);
        let fifth = line(1000, 20, 1, 800);
        let plain = line(500, 0, 1, 500);
        assert_eq!(of(&[half.clone(), half.clone()]), Some((4000, Some(50))));
        assert_eq!(of(&[half.clone(), fifth]), Some((3000, None)));
        assert_eq!(of(&[half.clone(), plain]), Some((2500, None)));
        assert_eq!(
            of(&[half, line(900, 50, 1, 100)]),
            None,
            "one line is unsure"
        );
    }
}
