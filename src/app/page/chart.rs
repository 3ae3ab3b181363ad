//! The charts: messages to clients by hour and by day, stacked by what became of them. Drawn here,
//! as shapes in a picture one hundred units high; words stand beside it, where they keep their size.

use chrono::{DateTime, Datelike as _, Duration, Timelike as _, Utc};
use serde::Serialize;

use super::super::text::Say;
use crate::config::Language;
use crate::domain::delivery::Status;
use crate::domain::zone::Zone;
use crate::store::stats::Hour;

/// Of a column's width this much is the bar.
const BAR: f64 = 0.72;
/// Units that a column is wide.
const STEP: f64 = 10.0;
/// Units that the picture is high.
const HEIGHT: f64 = 100.0;

/// One chart.
#[derive(Serialize)]
pub(super) struct Chart {
    title: &'static str,
    /// What it shows, for who cannot see it.
    summary: String,
    width: f64,
    /// The figure at the upper edge.
    top: i64,
    half: Option<i64>,
    bars: Vec<Bar>,
    changes: String,
}

/// One column.
#[derive(Serialize)]
struct Bar {
    x: f64,
    width: f64,
    /// Under it; empty for most hours.
    label: String,
    /// What it shows, in words.
    words: String,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    class: &'static str,
    y: f64,
    height: f64,
}

/// What became of messages, from the bottom up.
#[derive(Clone, Copy, Default)]
struct Counts {
    told: i64,
    waiting: i64,
    silent: i64,
    trouble: i64,
}

impl Counts {
    fn add(&mut self, status: Status, count: i64) {
        *match status {
            Status::Sent | Status::Delivered | Status::Read => &mut self.told,
            Status::Pending | Status::Sending => &mut self.waiting,
            Status::Suppressed => &mut self.silent,
            Status::Held | Status::Uncertain | Status::Failed | Status::Dead => &mut self.trouble,
        } += count;
    }

    fn parts(&self) -> [(&'static str, i64); 4] {
        [
            ("told", self.told),
            ("waiting", self.waiting),
            ("silent", self.silent),
            ("trouble", self.trouble),
        ]
    }

    fn total(&self) -> i64 {
        self.parts().iter().map(|(_, count)| count).sum()
    }

    fn words(&self, words: Say) -> String {
        let named = [
            (words.of("сообщили", "told"), self.told),
            (words.of("ждут", "waiting"), self.waiting),
            (words.of("промолчали", "silent"), self.silent),
            (words.of("с трудностями", "in trouble"), self.trouble),
        ];
        let named = named.into_iter().filter(|(_, count)| *count > 0);
        let named: Vec<String> = named
            .map(|(what, count)| format!("{what} {count}"))
            .collect();
        match named.is_empty() {
            true => words.of("ничего", "nothing").to_owned(),
            false => named.join(", "),
        }
    }
}

/// A column before it is drawn.
struct Column {
    name: String,
    label: String,
    counts: Counts,
}

/// The last 24 hours.
pub(super) fn day(hours: &[Hour], zone: Zone, now: DateTime<Utc>, words: Say) -> Chart {
    let this = now - Duration::minutes(now.minute().into());
    let begins = |n: i64| this - Duration::hours(23 - n);
    let same = |a: DateTime<Utc>, b: DateTime<Utc>| a.timestamp() / 3600 == b.timestamp() / 3600;
    let columns = (0..24).map(|n| {
        let local = begins(n).with_timezone(&zone);
        let clock = local.format("%H:00").to_string();
        Column {
            label: match local.hour().is_multiple_of(6) {
                true => clock.clone(),
                false => String::new(),
            },
            name: clock,
            counts: counted(hours, |at| same(at, begins(n))),
        }
    });
    let from = begins(0);
    let changes = changes(hours, |at| at >= from - Duration::minutes(59));
    let title = words.of("За сутки, по часам", "Last 24 hours, by the hour");
    drawn(title, columns.collect(), changes, words)
}

/// The last 7 days, today included.
pub(super) fn week(hours: &[Hour], zone: Zone, now: DateTime<Utc>, words: Say) -> Chart {
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let today = local(now);
    let date = |n: i64| today - Duration::days(6 - n);
    let columns = (0..7).map(|n| {
        let day = date(n);
        let name = match words.0 {
            Language::Ru => ["пн", "вт", "ср", "чт", "пт", "сб", "вс"],
            Language::En => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        }[day.weekday().num_days_from_monday() as usize];
        let label = format!("{name} {}", day.day());
        Column {
            name: label.clone(),
            label,
            counts: counted(hours, |at| local(at) == day),
        }
    });
    let changes = changes(hours, |at| local(at) >= date(0));
    let title = words.of("За 7 дней", "Last 7 days");
    drawn(title, columns.collect(), changes, words)
}

fn counted(hours: &[Hour], within: impl Fn(DateTime<Utc>) -> bool) -> Counts {
    let mut counts = Counts::default();
    for hour in hours.iter().filter(|hour| within(hour.at)) {
        if let Some(status) = hour.status.as_deref().and_then(Status::from_stored) {
            counts.add(status, hour.count);
        }
    }
    counts
}

fn changes(hours: &[Hour], within: impl Fn(DateTime<Utc>) -> bool) -> i64 {
    let of_changes = hours.iter().filter(|h| h.status.is_none() && within(h.at));
    of_changes.map(|hour| hour.count).sum()
}

fn drawn(title: &'static str, columns: Vec<Column>, changes: i64, words: Say) -> Chart {
    let most = columns.iter().map(|c| c.counts.total()).max();
    let top = round_up(most.unwrap_or_default());
    let mut all = Counts::default();
    let width = STEP * columns.len() as f64;
    let bars = columns.into_iter().enumerate().map(|(n, column)| {
        all.told += column.counts.told;
        all.waiting += column.counts.waiting;
        all.silent += column.counts.silent;
        all.trouble += column.counts.trouble;
        let mut y = HEIGHT;
        let parts = column
            .counts
            .parts()
            .into_iter()
            .filter(|(_, count)| *count > 0);
        let parts = parts.map(|(class, count)| {
            let height = HEIGHT * count as f64 / top as f64;
            y -= height;
            Part {
                class,
                y: hundredths(y),
                height: hundredths(height),
            }
        });
        Bar {
            x: hundredths(STEP * (n as f64 + (1.0 - BAR) / 2.0)),
            width: hundredths(STEP * BAR),
            label: column.label,
            words: format!("{}: {}", column.name, column.counts.words(words)),
            parts: parts.collect(),
        }
    });
    let bars = bars.collect();
    Chart {
        title,
        summary: format!("{title}: {}", all.words(words)),
        width,
        top,
        half: (top % 2 == 0).then_some(top / 2),
        bars,
        changes: format!(
            "{} {changes}",
            words.of("изменений в журнале:", "changes in the journal:")
        ),
    }
}

fn hundredths(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

/// The next figure that an axis may end in.
fn round_up(most: i64) -> i64 {
    let mut unit = 1;
    loop {
        for step in [2, 4, 6, 10] {
            if most <= step * unit {
                return step * unit;
            }
        }
        unit *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_in_a_figure_that_can_be_halved() {
        let tops: Vec<i64> = [0, 1, 2, 3, 5, 9, 11, 41, 70].map(round_up).to_vec();
        assert_eq!(tops, [2, 2, 2, 4, 6, 10, 20, 60, 100]);
    }

    #[test]
    fn every_message_of_the_last_24_hours_is_in_one_bar_that_is_no_higher_than_the_picture() {
        let now: DateTime<Utc> = "2026-08-20T09:30:00Z".parse().unwrap();
        let hour = |ago: i64, status: &str, count| Hour {
            at: "2026-08-20T09:00:00Z".parse::<DateTime<Utc>>().unwrap() - Duration::hours(ago),
            status: (!status.is_empty()).then(|| status.to_owned()),
            count,
        };
        let hours = [
            hour(0, "sent", 3),
            hour(0, "suppressed", 2),
            hour(23, "dead", 1),
            hour(24, "sent", 7),
            hour(0, "", 4),
        ];
        let chart = day(&hours, Zone::moscow(), now, Say(Language::En));
        assert_eq!(chart.bars.len(), 24);
        assert_eq!(
            chart.summary,
            "Last 24 hours, by the hour: told 3, silent 2, in trouble 1"
        );
        assert_eq!(chart.bars[23].words, "12:00: told 3, silent 2");
        assert_eq!(chart.bars[0].words, "13:00: in trouble 1");
        assert_eq!(chart.changes, "changes in the journal: 4");
        for bar in &chart.bars {
            assert!(
                bar.parts
                    .iter()
                    .all(|p| p.y >= 0.0 && p.y + p.height <= 100.01)
            );
        }
        let week = week(&hours, Zone::moscow(), now, Say(Language::Ru));
        assert_eq!(week.bars[6].words, "чт 20: сообщили 3, промолчали 2");
        assert_eq!(week.bars[5].words, "ср 19: сообщили 7, с трудностями 1");
    }
}
