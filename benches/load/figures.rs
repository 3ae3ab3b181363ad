//! Figures: measured several times, shown beside what they should be.

use comfy_table::{CellAlignment, Table, presets};

/// One row of the table.
pub(crate) struct Figure {
    what: String,
    target: &'static str,
    unit: &'static str,
    values: Vec<f64>,
}

impl Figure {
    pub(crate) fn new(
        what: impl Into<String>,
        target: &'static str,
        unit: &'static str,
        values: Vec<f64>,
    ) -> Self {
        Self {
            what: what.into(),
            target,
            unit,
            values,
        }
    }
}

/// The middle one; of an even number the lower.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// So many of a hundred are at most this.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(last * percent / 100)
        .copied()
        .unwrap_or(f64::NAN)
}

/// The figures as a table: target, least, middle, greatest.
pub(crate) fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["what", "target", "min", "median", "max", "runs"]);
    for figure in figures {
        let number = |value: f64| format!("{}{}", digits(value), figure.unit);
        table.add_row([
            figure.what.clone(),
            figure.target.to_owned(),
            number(percentile(&figure.values, 0)),
            number(median(&figure.values)),
            number(percentile(&figure.values, 100)),
            figure.values.len().to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Three figures that count.
fn digits(value: f64) -> String {
    match value.abs() {
        0.0..1.0 => format!("{value:.3}"),
        1.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
