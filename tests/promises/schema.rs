//! schema.sql is what a fresh database gets, and a database made from it by hand is accepted.

use booking_monitor::store::{MIGRATIONS, SCHEMA, Store, StoreError};
use rusqlite::Connection;

/// What a schema is, whatever the order of its columns and the layout of its text.
fn shape(conn: &Connection) -> Vec<String> {
    let list = |sql: &str| -> Vec<String> {
        let mut query = conn.prepare(sql).unwrap();
        let rows = query.query_map([], |r| r.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut shape = list(
        "SELECT t.name || ' ' || t.type || ' strict ' || t.strict || ' without rowid ' || t.wr
             || ' column ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' '
             || coalesce(c.dflt_value, '-') || ' ' || c.pk
           FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c
          WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'
         UNION ALL
         SELECT t.name || ' refers by ' || f.\"from\" || ' to ' || f.\"table\" || ' ' || f.on_delete
           FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f
          WHERE t.schema = 'main'",
    );
    let texts =
        list("SELECT sql FROM sqlite_schema WHERE type IN ('index', 'view') AND sql IS NOT NULL");
    let words = |sql: &String| {
        let lines = sql
            .lines()
            .map(|l| l.split("--").next().unwrap_or_default());
        let words = lines.flat_map(str::split_whitespace).collect::<Vec<_>>();
        words.join(" ")
    };
    shape.extend(texts.iter().map(words));
    shape.sort_unstable();
    shape
}

fn pragma(conn: &Connection, name: &str) -> i64 {
    conn.query_row(&format!("PRAGMA {name}"), [], |r| r.get(0))
        .unwrap()
}

#[tokio::test]
async fn a_database_of_each_older_schema_becomes_one_of_schema_sql_and_a_copy_is_kept() {
    let by_hand = Connection::open_in_memory().unwrap();
    by_hand.execute_batch(SCHEMA).unwrap();
    let title = |conn: &Connection| -> String {
        conn.query_row("SELECT title FROM companies", [], |r| r.get(0))
            .unwrap()
    };
    for version in 1..MIGRATIONS.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let old = Connection::open(&path).unwrap();
        for migration in &MIGRATIONS[..version] {
            old.execute_batch(migration).unwrap();
        }
        let number = i64::try_from(version).unwrap();
        old.pragma_update(None, "user_version", number).unwrap();
        old.execute_batch("INSERT INTO companies (company_id, title) VALUES (7, 'Салон')")
            .unwrap();
        drop(old);
        Store::open(&path).await.unwrap().close().await.unwrap();
        let migrated = Connection::open(&path).unwrap();
        assert_eq!(shape(&migrated), shape(&by_hand), "from {version}");
        for name in ["user_version", "application_id"] {
            assert_eq!(pragma(&migrated, name), pragma(&by_hand, name), "{name}");
        }
        assert_eq!(title(&migrated), "Салон");
        let copy = folder.path().join(format!("old.db.schema-{version}"));
        let kept = Connection::open(copy).unwrap();
        assert_eq!(pragma(&kept, "user_version"), number);
        assert_eq!(title(&kept), "Салон");
    }
}

#[tokio::test]
async fn a_first_start_that_broke_off_is_still_a_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    drop(conn);
    assert!(std::fs::metadata(&path).unwrap().len() > 0);
    Store::open(&path).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_database_made_by_hand_from_schema_sql_is_a_first_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    drop(conn);
    Store::open(&path).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn an_older_copy_of_the_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("a.db"), folder.path().join("copy.db"));
    Store::open(&path).await.unwrap().close().await.unwrap();
    std::fs::copy(&path, &copy).unwrap();
    Store::open(&path).await.unwrap().close().await.unwrap();
    std::fs::copy(&copy, &path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = Store::open(&path).await.err().unwrap();
    assert!(matches!(refused, StoreError::Refused(_)), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn damaged_foreign_newer_and_missing_databases_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    Store::open(&path).await.unwrap().close().await.unwrap();
    let good = std::fs::read(&path).unwrap();

    let mut damaged = good.clone();
    for byte in &mut damaged[4096..12_288] {
        *byte = 0xAA;
    }
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    let newer = folder.path().join("newer.db");
    std::fs::write(&newer, &good).unwrap();
    Connection::open(&newer)
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let variants: [(&str, Vec<u8>); 5] = [
        ("damaged", damaged),
        (
            "no database",
            b"this is no database at all, whatever its name".repeat(200),
        ),
        ("empty", Vec::new()),
        ("foreign", std::fs::read(&foreign).unwrap()),
        ("newer", std::fs::read(&newer).unwrap()),
    ];
    for (what, bytes) in variants {
        for ending in ["-wal", "-shm"] {
            drop(std::fs::remove_file(
                folder.path().join(format!("a.db{ending}")),
            ));
        }
        std::fs::write(&path, &bytes).unwrap();
        let refused = Store::open(&path).await.err().unwrap();
        assert!(
            matches!(refused, StoreError::Refused(_)),
            "{what}: {refused}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{what}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(
        matches!(
            Store::open(&path).await.err().unwrap(),
            StoreError::Refused(_)
        ),
        "missing"
    );
}

#[tokio::test]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = Store::open(&path).await.unwrap();
    for name in ["a.db", "a.db-wal", "a.db.id"] {
        let mode = std::fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name} is {mode:o}");
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_promised_tables_and_views_have_their_columns() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    let promised = [
        (
            "appointments_cache",
            "company_id, record_id, visit_id, start_local, start_at, staff_id, staff_name, services, client_name, client_phone, attendance, deleted, created_by_bot, origin, comment, snapshot, first_seen_at, last_seen_at, last_change_at",
        ),
        (
            "booking_events",
            "id, event_id, event_type, company_id, record_id, payload, created_at, processed_at",
        ),
        (
            "booking_notifications",
            "id, company_id, record_id, visit_id, kind, recipient, channel, status, reason, superseded_by, message, due_at, created_at, sent_at, delivered_at, read_at, provider_message_id, attempts, last_error",
        ),
        (
            "delivery_attempts",
            "notification_id, attempt, channel, started_at, finished_at, outcome, error",
        ),
        (
            "messages",
            "id, company_id, contact_id, channel, direction, phone, chat_id, text, external_id, notification_id, created_at",
        ),
        (
            "contacts",
            "id, phone, name, channel, chat_id, opted_out_at, last_inbound_at",
        ),
        (
            "event_stats_24h",
            "event_type, total, processed, pending, avg_processing_seconds",
        ),
        (
            "notification_stats_24h",
            "kind, total, sent, delivered, read, failed, suppressed",
        ),
        ("bookings_by_origin_30d", "company_id, origin, total"),
    ];
    for (table, columns) in promised {
        conn.prepare(&format!("SELECT {columns} FROM {table}"))
            .unwrap();
    }
}

#[tokio::test]
async fn the_views_count_the_last_day_and_a_read_message_was_delivered_and_sent_too() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    let day = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-25 hours')";
    let hour = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 hour')";
    for (id, status, at) in [
        (1, "pending", hour),
        (2, "sent", hour),
        (3, "delivered", hour),
        (4, "read", hour),
        (5, "failed", hour),
        (6, "dead", hour),
        (7, "suppressed", hour),
        (8, "sent", day),
    ] {
        conn.execute_batch(&format!(
            "INSERT INTO booking_notifications (id, company_id, record_id, visit_id, unit, kind, phone,
                    recipient, channel, status, first_change_at, changed_at, due_at, created_at)
             VALUES ({id}, 1, 1, 1, 'r1', 'created', '', '', '', '{status}', {at}, {at}, {at}, {at})"
        ))
        .unwrap();
    }
    for (id, settled, at) in [(1, "created_at", hour), (2, "NULL", hour), (3, "NULL", day)] {
        conn.execute_batch(&format!(
            "INSERT INTO booking_events (id, event_id, event_type, company_id, record_id, payload, created_at)
             VALUES ({id}, '{id}', 'record.created', 1, 1, '{{}}', {at});
             UPDATE booking_events SET processed_at = {settled} WHERE id = {id}"
        ))
        .unwrap();
    }
    let row = |view: &str, columns: &str| -> String {
        conn.query_row(
            &format!("SELECT concat_ws('|', {columns}) FROM {view}"),
            [],
            |r| r.get(0),
        )
        .unwrap()
    };
    assert_eq!(
        row(
            "notification_stats_24h",
            "kind, total, sent, delivered, read, failed, suppressed"
        ),
        "created|7|3|2|1|2|1"
    );
    assert_eq!(
        row(
            "event_stats_24h",
            "event_type, total, processed, pending, avg_processing_seconds"
        ),
        "record.created|2|1|1|0.0"
    );
}
