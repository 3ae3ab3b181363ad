//! What the commands' own output shares: two languages, spans of time, tables.

use std::time::Duration;

use chrono::{DateTime, Utc};
use comfy_table::{ContentArrangement, Table, presets};

use crate::domain::message::Language;

/// Picks the wording.
#[derive(Clone, Copy, Debug)]
pub(super) struct Say(pub(super) Language);

impl Say {
    pub(super) fn of<'t>(self, ru: &'t str, en: &'t str) -> &'t str {
        match self.0 {
            Language::Ru => ru,
            Language::En => en,
        }
    }

    /// `3 мин`, `2 ч 10 мин`, `5 с`.
    pub(super) fn span(self, span: Duration) -> String {
        let seconds = span.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        let (d, h, m, s) = match self.0 {
            Language::Ru => ("д", "ч", "мин", "с"),
            Language::En => ("d", "h", "min", "s"),
        };
        match (days, hours, minutes) {
            (0, 0, 0) => format!("{seconds} {s}"),
            (0, 0, _) => format!("{minutes} {m}"),
            (0, _, 0) => format!("{hours} {h}"),
            (0, _, _) => format!("{hours} {h} {minutes} {m}"),
            _ => format!("{days} {d} {hours} {h}"),
        }
    }

    /// How long ago, or a dash.
    pub(super) fn ago(self, at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
        at.map_or_else(
            || "—".to_owned(),
            |at| {
                let span = self.span((now - at).to_std().unwrap_or_default());
                match self.0 {
                    Language::Ru => format!("{span} назад"),
                    Language::En => format!("{span} ago"),
                }
            },
        )
    }
}

/// A plain table that fits 80 columns.
pub(super) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(80)
        .set_header(head.to_vec());
    table
}
