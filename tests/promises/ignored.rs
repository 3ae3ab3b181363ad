//! Columns that are no bookings (`monitor.ignore`): never told; going there is silence and a card,
//! coming out is news.

use crate::support::world::{SALON, World, at, haircut};
use booking_monitor::demo::salon::{BookingDraft, DraftService};
use serde_json::json;

/// The waiting list's master.
const LIST: i64 = 99;

const OWNED: &str = r#"owner = [{ channel = "telegram", to = "500" }]"#;

fn waiting(start: &str) -> BookingDraft {
    haircut(start).staff(LIST, "Лист ожидания")
}

async fn world() -> World {
    World::watching_with(&format!("ignore = {{ staff = [{LIST}] }}"), OWNED).await
}

/// What the owner was asked to call about.
fn cards(world: &World) -> Vec<String> {
    let mut told = world.owner_told();
    told.retain(|text| text.contains("Позвоните клиенту"));
    told
}

fn to_list(world: &World, record: i64) {
    world
        .salon
        .change_staff(SALON, record, LIST, "Лист ожидания");
}

#[tokio::test]
async fn nothing_of_a_column_that_holds_no_bookings_is_ever_told() {
    let world = world().await;
    let record = world.salon.book(waiting("2026-08-21T14:30:00"));
    world.tell().await;
    world
        .salon
        .reschedule(SALON, record, at("2026-08-22T16:00:00"));
    world.tell().await;
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told(), Vec::<String>::new());
    assert_eq!(
        world.decisions(),
        [
            "created|suppressed|ignored",
            "updated|suppressed|ignored",
            "cancelled|suppressed|ignored"
        ]
    );
    // Nobody expects it, so nobody has to be called; the copies say why the client heard nothing.
    assert_eq!(cards(&world), Vec::<String>::new());
    let copies = world.owner_told();
    assert_eq!(copies.len(), 3);
    assert!(
        copies[0].ends_with("Клиенту не сообщили: не считается записью"),
        "{}",
        copies[0]
    );
    assert_eq!(world.rows("SELECT count(*) FROM known"), ["0"]);
}

#[tokio::test]
async fn a_booking_that_goes_there_is_silence_to_the_client_and_a_card_to_the_owner() {
    let world = world().await;
    // Far ahead: nothing would bring it up again when the visit comes near.
    let record = world.salon.book(haircut("2026-08-30T14:30:00"));
    world.tell().await;
    to_list(&world, record);
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(
        world.decisions(),
        ["created|sent|", "updated|suppressed|ignored"]
    );
    assert_eq!(
        cards(&world),
        [
            "📞 <b>Позвоните клиенту</b>\nИзменение: 30 августа в 14:30 · Бари\nАнна, +7 900 000-00-01\n\
             Запись теперь в колонке, о которой клиентам не пишем. Клиент может прийти как договаривались."
        ]
    );
    // Of what nobody knows of, nobody hears that it is off, and nobody is called twice.
    world.salon.cancel(SALON, record);
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(world.decisions()[2], "cancelled|suppressed|ignored");
    assert_eq!(cards(&world).len(), 1);
}

#[tokio::test]
async fn a_booking_that_comes_out_is_told_as_new() {
    let world = world().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    to_list(&world, record);
    world.tell().await;
    world.salon.change_staff(SALON, record, 5, "Бари");
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 2);
    assert!(told[1].starts_with("✅ *Вы записаны!*"), "{}", told[1]);
}

#[tokio::test]
async fn there_and_back_within_the_delay_is_nothing() {
    let world = world().await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    to_list(&world, record);
    world.poll().await;
    world.salon.change_staff(SALON, record, 5, "Бари");
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(cards(&world).len(), 0);
    assert_eq!(
        world.decisions(),
        ["created|sent|", "updated|suppressed|unchanged"]
    );
}

#[tokio::test]
async fn what_stood_there_before_we_came_is_news_when_it_comes_out() {
    let world = World::with(&format!("ignore = {{ staff = [{LIST}] }}"), "").await;
    let record = world.salon.book(waiting("2026-08-21T14:30:00"));
    world.advance("10m");
    world.poll().await;
    world.salon.change_staff(SALON, record, 5, "Бари");
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("✅ *Вы записаны!*"), "{}", told[0]);
}

#[tokio::test]
async fn a_label_alone_takes_a_booking_there_and_back() {
    let world = World::watching_with(r#"ignore = { labels = ["Резерв"] }"#, OWNED).await;
    let record = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    let label = |world: &World, labels: serde_json::Value| {
        world
            .salon
            .edit(SALON, record, |row| row["record_labels"] = labels);
    };
    label(&world, json!([{ "id": 1, "title": "Срочно" }]));
    world.tell().await;
    assert_eq!(world.decisions().len(), 1);
    label(&world, json!([{ "id": 2, "title": "Резерв" }]));
    world.tell().await;
    assert_eq!(world.decisions()[1], "updated|suppressed|ignored");
    assert_eq!(cards(&world).len(), 1);
    label(&world, json!([]));
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    assert_eq!(world.decisions()[2], "created|sent|");
}

#[tokio::test]
async fn of_services_all_have_to_be_listed_and_a_number_is_enough_by_itself() {
    let world = World::watching_with(
        r#"ignore = { services = [7, 8], phones = ["8 900 000-00-09"] }"#,
        "",
    )
    .await;
    let both = [
        DraftService::new(7, "Модель", 0, 0),
        DraftService::new(8, "Обучение", 0, 0),
    ];
    let draft = |phone: &str, services: &[DraftService]| {
        let mut draft = BookingDraft::new(SALON, at("2026-08-21T14:30:00"))
            .client("Анна", phone)
            .by_user(77);
        draft.services = services.to_vec();
        draft
    };
    world.salon.book(draft("+79000000002", &both));
    world.salon.book(draft(
        "+79000000003",
        &[both[0].clone(), DraftService::new(45, "Стрижка", 2000, 0)],
    ));
    world.salon.book(draft(
        "+79000000009",
        &[DraftService::new(45, "Стрижка", 2000, 0)],
    ));
    // No service at all is not all of them.
    world.salon.book(draft("+79000000004", &[]));
    world.tell().await;
    let mut chats: Vec<String> = world.green.sent().into_iter().map(|s| s.chat).collect();
    chats.sort();
    assert_eq!(chats, ["79000000003@c.us", "79000000004@c.us"]);
    let ignored = world.decisions();
    let ignored = ignored.iter().filter(|d| d.ends_with("|ignored"));
    assert_eq!(ignored.count(), 2);
}

#[tokio::test]
async fn of_a_visit_the_part_that_is_no_booking_is_not_spoken_of() {
    let world = world().await;
    let first = world
        .salon
        .book(haircut("2026-08-21T14:30:00").visit(548_900_001));
    let second = world.salon.book(
        haircut("2026-08-21T15:30:00")
            .service(46, "Укладка", 900, 0)
            .visit(548_900_001),
    );
    world.tell().await;
    assert!(world.told()[0].contains("Укладка"));
    to_list(&world, second);
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(cards(&world).len(), 1);
    assert!(
        cards(&world)[0].contains("21 августа, в 15:30"),
        "{:?}",
        cards(&world)
    );
    // Both change, and only the booking is told: what left the visit is neither removed nor moved.
    world
        .salon
        .reschedule(SALON, second, at("2026-08-21T17:30:00"));
    world
        .salon
        .reschedule(SALON, first, at("2026-08-21T16:30:00"));
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 2);
    assert!(told[1].contains("*21 августа в 16:30*"), "{}", told[1]);
    assert!(!told[1].contains("Укладка"), "{}", told[1]);
    // With the last booking the visit is off, whatever waits in the list.
    world.salon.cancel(SALON, first);
    world.tell().await;
    assert!(
        world.told()[2].starts_with("❌ *Запись отменена*"),
        "{:?}",
        world.told()
    );
}

#[tokio::test]
async fn deleted_here_and_made_anew_there_is_a_cancellation_and_the_other_way_round_news() {
    let world = world().await;
    let booked = world.salon.book(haircut("2026-08-21T14:30:00"));
    world.tell().await;
    world.salon.cancel(SALON, booked);
    let listed = world.salon.book(waiting("2026-08-21T14:30:00"));
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 2);
    assert!(told[1].starts_with("❌ *Запись отменена*"), "{}", told[1]);
    world.salon.cancel(SALON, listed);
    world.salon.book(haircut("2026-08-22T16:00:00"));
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 3);
    assert!(told[2].starts_with("✅ *Вы записаны!*"), "{}", told[2]);
}

#[tokio::test]
async fn a_new_setting_makes_no_burst_and_stops_what_still_waits() {
    let mut world = World::watching_with(r#"quiet_hours = "21:30-09:00""#, OWNED).await;
    let told = world.salon.book(waiting("2026-08-25T14:30:00"));
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    // 22:00 in Moscow: this one waits for the morning.
    world.advance("10h");
    world
        .salon
        .book(waiting("2026-08-26T14:30:00").client("Вера", "+79000000002"));
    world.tell().await;
    assert_eq!(world.decisions()[1], "created|pending|");
    world.config.companies[0].rules.ignore.staff = vec![LIST];
    world.restart().await;
    world.advance("12h");
    world.poll().await;
    world.turn().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(
        world.decisions(),
        ["created|sent|", "created|suppressed|ignored"]
    );
    assert_eq!(cards(&world).len(), 0);
    // The client who was told may still come.
    world.salon.cancel(SALON, told);
    world.tell().await;
    assert_eq!(world.told().len(), 1);
    assert_eq!(cards(&world).len(), 1);

    world.config.companies[0].rules.ignore.staff.clear();
    world.restart().await;
    world.poll().await;
    world.tell().await;
    world.advance("1h");
    world.tell().await;
    assert_eq!(world.told().len(), 1);
}

#[tokio::test]
async fn who_was_told_of_it_before_it_counted_as_none_hears_of_it_anew_when_it_comes_out() {
    let mut world = World::watching().await;
    let record = world.salon.book(waiting("2026-08-25T14:30:00"));
    world.tell().await;
    world.config.companies[0].rules.ignore.staff = vec![LIST];
    world.restart().await;
    world.salon.change_staff(SALON, record, 5, "Бари");
    world.tell().await;
    let told = world.told();
    assert_eq!(told.len(), 2);
    assert!(told[1].starts_with("✅ *Вы записаны!*"), "{}", told[1]);
}

#[tokio::test]
async fn a_list_that_is_cleared_holds_back_no_cancellation() {
    // Nobody is told of them all: a chat takes one message a second.
    let world = World::watching_with(&format!("ignore = {{ staff = [{LIST}] }}"), "").await;
    let phone = |n: i64| format!("+790000001{n:02}");
    let mut listed = Vec::new();
    for n in 0..12 {
        let start = format!("2026-08-2{}T1{}:00:00", 2 + n / 6, n % 6);
        listed.push(world.salon.book(waiting(&start).client("Вера", &phone(n))));
    }
    let booked = world.salon.book(haircut("2026-08-25T14:30:00"));
    world.tell().await;
    for record in listed {
        world.salon.cancel(SALON, record);
    }
    world.salon.cancel(SALON, booked);
    world.tell().await;
    assert_eq!(world.told().len(), 2);
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE status = 'held'"),
        ["0"]
    );
}

#[tokio::test]
async fn a_full_list_makes_the_guard_no_more_patient() {
    // Nobody is told of them all: a chat takes one message a second.
    let world = World::watching_with(&format!("ignore = {{ staff = [{LIST}] }}"), "").await;
    for n in 0..40 {
        let start = format!("2026-09-{:02}T1{}:00:00", 1 + n / 8, n % 8);
        let phone = format!("+790000002{n:02}");
        world.salon.book(waiting(&start).client("Вера", &phone));
    }
    let booked: Vec<i64> = (0..8)
        .map(|n| {
            let phone = format!("+790000003{n:02}");
            let draft = haircut(&format!("2026-08-25T1{n}:00:00")).client("Анна", &phone);
            world.salon.book(draft)
        })
        .collect();
    world.tell().await;
    assert_eq!(world.told().len(), 8);
    for record in booked {
        world.salon.cancel(SALON, record);
    }
    world.tell().await;
    // All eight bookings there are; of forty-eight rows it would be few.
    assert_eq!(
        world.rows("SELECT count(*) FROM booking_notifications WHERE status = 'held'"),
        ["8"]
    );
    assert_eq!(world.told().len(), 8);
}
