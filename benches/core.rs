//! The pure core: reading a page, judging its rows, the net change of a visit, a message.
#![expect(clippy::unwrap_used, reason = "whoever measures may fail by panicking")]

use std::hint::black_box;

use booking_monitor::domain::diff::{Baseline, judge};
use booking_monitor::domain::known::{Knowledge, Known};
use booking_monitor::domain::message::{Language, Markup, Place, Texts, Told, Way, compose};
use booking_monitor::domain::policy::Rules;
use booking_monitor::domain::record::Record;
use booking_monitor::domain::settle::{Member, net};
use booking_monitor::domain::zone::Zone;
use booking_monitor::ports::{CompanyRef, Query, Row, Standing};
use booking_monitor::yclients::read_page;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use serde_json::{Value, json};

/// Rows of a page, as `page_size` has it.
const ROWS: usize = 200;

fn main() {
    divan::main();
}

fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 9, number).unwrap()
}

fn page() -> Vec<u8> {
    let rows = (0..ROWS).map(|n| {
        let template = include_str!("../src/demo/salon/record.json");
        let mut row: Value = serde_json::from_str(template).unwrap();
        row["id"] = (1_947_900_001 + n).into();
        row["client"]["phone"] = format!("+7900000{n:04}").into();
        row
    });
    let rows: Vec<Value> = rows.collect();
    let page = json!({"success": true, "data": rows, "meta": {"page": 1, "total_count": ROWS}});
    page.to_string().into_bytes()
}

fn read(page: Vec<u8>) -> Vec<Row> {
    let company = CompanyRef {
        id: 111_111,
        zone: Zone::moscow(),
        country: "RU".into(),
        standing: Standing::first(),
    };
    let days = Query::Starting(day(1), day(30));
    read_page(page, &company, &days).unwrap().rows
}

fn records() -> Vec<Record> {
    let rows = read(page()).into_iter();
    rows.filter_map(|row| match row {
        Row::Record(record) => Some(*record),
        Row::Unreadable { .. } | Row::Null => None,
    })
    .collect()
}

/// The same bookings with another master.
fn handed_over() -> Vec<Record> {
    let mut records = records();
    for record in &mut records {
        record.staff.id += 1;
        record.staff.name = "Мастер Б".into();
    }
    records
}

#[divan::bench]
fn page_into_bookings(bencher: Bencher<'_, '_>) {
    let page = page();
    bencher
        .counter(ItemsCount::new(ROWS))
        .counter(BytesCount::new(page.len()))
        .with_inputs(|| page.clone())
        .bench_values(read);
}

#[divan::bench]
fn the_same_page_as_bare_json(bencher: Bencher<'_, '_>) {
    let page = page();
    bencher
        .counter(ItemsCount::new(ROWS))
        .counter(BytesCount::new(page.len()))
        .bench(|| serde_json::from_slice::<Value>(black_box(&page)).unwrap());
}

fn judging(bencher: Bencher<'_, '_>, seen: &[Record]) {
    let cached = records();
    let at: DateTime<Utc> = "2026-09-10T09:00:00Z".parse().unwrap();
    let baseline = Baseline {
        at,
        zone: Zone::moscow(),
    };
    bencher.counter(ItemsCount::new(ROWS)).bench(|| {
        for (cached, seen) in cached.iter().zip(black_box(seen)) {
            drop(black_box(judge(
                Some(cached),
                seen,
                baseline,
                at + TimeDelta::hours(1),
            )));
        }
    });
}

#[divan::bench]
fn judging_what_is_the_same(bencher: Bencher<'_, '_>) {
    judging(bencher, &records());
}

#[divan::bench]
fn judging_what_has_changed(bencher: Bencher<'_, '_>) {
    judging(bencher, &handed_over());
}

#[divan::bench]
fn net_change_of_a_visit(bencher: Bencher<'_, '_>) {
    let (known, record) = (records().swap_remove(0), handed_over().swap_remove(0));
    let members = [Member {
        known: Known::certain(Knowledge::of(&known)),
        record,
        theirs: true,
        by_bot: false,
    }];
    let rules = Rules::default();
    bencher.bench(|| net(black_box(&members), &rules));
}

#[divan::bench]
fn text_of_a_new_booking(bencher: Bencher<'_, '_>) {
    let texts = Texts::builtin(Language::Ru);
    let now = [records().swap_remove(0)];
    let place = Place {
        salon: "Малаховка".into(),
        address: "Малаховка, Южная улица, 38".into(),
        ..Place::default()
    };
    let way = Way {
        channel: "whatsapp",
        markup: Markup::WhatsApp,
        invite: true,
    };
    bencher.bench(|| {
        compose(
            &texts,
            &Told::Created {
                now: black_box(&now),
            },
            &place,
            way,
            day(1),
        )
    });
}
