//! Laws of change, as properties: what happens in between leaves no trace in the net.

use booking_monitor::domain::change::{Change, ChangeKind, differing};
use booking_monitor::domain::known::{Knowledge, Known};
use booking_monitor::domain::phone::Phone;
use booking_monitor::domain::policy::Rules;
use booking_monitor::domain::record::{Attendance, Client, Money, Record, ServiceLine, Staff};
use booking_monitor::domain::settle::{Form, Member, net};
use proptest::prelude::*;

/// States of one booking; small ranges, so that equal ones meet often.
fn record() -> impl Strategy<Value = Record> {
    let services = prop::collection::vec((1..3_i64, 1..3_i64, 0..3_i64), 0..3);
    (
        (
            0..3_u32,
            1..3_i64,
            services,
            prop::option::of((1..3_i64, 1..3_u32)),
        ),
        (
            any::<bool>(),
            prop::sample::select(vec![0_i64, 1, 2, -1]),
            "[ab]?",
            1..3_i64,
            0..3_i64,
        ),
    )
        .prop_map(
            |((day, staff, services, client), (deleted, attendance, comment, length, noise))| {
                Record {
                    company_id: 1,
                    id: 1,
                    visit_id: 7,
                    activity_id: 0,
                    start_local: chrono::NaiveDate::from_ymd_opt(2026, 8, 21 + day)
                        .unwrap()
                        .and_hms_opt(14, 30, 0)
                        .unwrap(),
                    length: length * 1800,
                    staff: Staff {
                        id: staff,
                        name: format!("Мастер {staff}"),
                    },
                    services: services
                        .into_iter()
                        .map(|(id, amount, cost)| ServiceLine {
                            id,
                            title: format!("Услуга {id}"),
                            amount,
                            cost: Money(cost * 10_000),
                            ..ServiceLine::default()
                        })
                        .collect(),
                    client: client.map(|(id, phone)| Client {
                        id,
                        name: "Анна".into(),
                        phone: Phone::parse(&format!("+7900000000{phone}"), "RU").ok(),
                        refused_phone: None,
                        forgotten: false,
                    }),
                    seats: 1,
                    attendance: Attendance::from_number(attendance),
                    deleted,
                    online: false,
                    created_user_id: 77,
                    comment,
                    labels: Vec::new(),
                    // Noise: differs without meaning anything.
                    link: format!("https://salon.example/{noise}"),
                    created_at: Some("2026-08-01T09:00:00Z".parse().unwrap()),
                    changed_at: Some(format!("2026-08-01T09:00:0{noise}Z").parse().unwrap()),
                }
            },
        )
}

fn state() -> impl Strategy<Value = Option<Record>> {
    prop::option::weighted(0.8, record())
}

/// What of a change can be seen: its kind, its fields and both sides as far as they are watched.
fn seen(change: Option<&Change>) -> Option<(ChangeKind, Vec<String>)> {
    change.map(|c| {
        (
            c.kind(),
            c.fields().iter().map(|f| format!("{f:?}")).collect(),
        )
    })
}

fn watched_equal(a: Option<&Record>, b: Option<&Record>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.deleted == b.deleted && (a.deleted || differing(a, b).is_empty()),
        (None, None) => true,
        (Some(one), None) | (None, Some(one)) => one.deleted,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn two_changes_in_a_row_are_the_change_from_first_to_last(a in state(), b in state(), c in state()) {
        let first = Change::between(a.as_ref(), b.as_ref());
        let second = Change::between(b.as_ref(), c.as_ref());
        let both = Change::coalesce(first, second);
        let direct = Change::between(a.as_ref(), c.as_ref());
        prop_assert_eq!(seen(both.as_ref()), seen(direct.as_ref()));
        if let (Some(both), Some(direct)) = (&both, &direct) {
            prop_assert!(watched_equal(both.before(), direct.before()));
            prop_assert!(watched_equal(both.after(), direct.after()));
        }
    }

    #[test]
    fn a_state_against_itself_is_no_change(a in state()) {
        prop_assert!(Change::between(a.as_ref(), a.as_ref()).is_none());
    }

    #[test]
    fn there_and_back_is_no_change(a in state(), b in state()) {
        let there = Change::between(a.as_ref(), b.as_ref());
        let back = Change::between(b.as_ref(), a.as_ref());
        prop_assert!(Change::coalesce(there, back).is_none());
    }

    #[test]
    fn the_order_of_services_is_no_change(a in record()) {
        let mut turned = a.clone();
        turned.services.reverse();
        prop_assert!(Change::between(Some(&a), Some(&turned)).is_none());
    }

    #[test]
    fn whoever_knows_how_things_stand_is_told_nothing(a in record()) {
        let member = Member { known: Known::certain(Knowledge::of(&a)), record: a, theirs: true, by_bot: false };
        prop_assert!(net(&[member], &Rules::default()).is_none());
    }

    #[test]
    fn being_told_leaves_nothing_to_tell(known in state(), now in record()) {
        let known = known.map_or(Knowledge::Nothing, |r| Knowledge::of(&r));
        let member = Member { known: Known::certain(known), record: now, theirs: true, by_bot: false };
        let told = Member { known: Known::certain(member.told()), ..member.clone() };
        prop_assert!(net(&[told], &Rules::default()).is_none());
    }

    #[test]
    fn nobody_is_told_of_the_end_of_something_they_never_heard_of(now in record()) {
        let gone = Record { deleted: true, ..now };
        let member = Member { known: Known::default(), record: gone, theirs: true, by_bot: false };
        prop_assert!(net(&[member], &Rules::default()).is_none());
    }

    #[test]
    fn a_visit_is_cancelled_exactly_when_somebody_believed_in_it_and_nothing_stands(
        parts in prop::collection::vec((state(), record(), any::<bool>()), 1..4),
    ) {
        let members: Vec<Member> = parts
            .into_iter()
            .enumerate()
            .map(|(n, (known, record, theirs))| Member {
                known: Known::certain(known.map_or(Knowledge::Nothing, |r| Knowledge::of(&r))),
                record: Record { id: n as i64 + 1, ..record },
                theirs,
                by_bot: false,
            })
            .collect();
        let cancelled = net(&members, &Rules::default()).is_some_and(|n| n.form == Form::Cancelled);
        let stands = members.iter().any(Member::is_alive);
        let believed = members.iter().any(|m| m.known.single().unwrap().is_alive());
        prop_assert_eq!(cancelled, believed && !stands);
    }
}
