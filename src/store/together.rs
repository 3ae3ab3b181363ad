//! Small writes of many callers in one transaction: the disk is waited for once for all of them.
//!
//! Whatever waits when the writer gets to it goes together, and nobody waits for company. Each write
//! has a savepoint of its own, so that one that fails takes nothing of the others along; each caller is
//! answered when the transaction is on the disk, and not before.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::{Ailment, Result, Room, StoreError, execute, make_room, note, unless_ended};
use crate::failpoint;

/// A write that waits: it is given the transaction, or why there is none.
type Work = Box<dyn FnOnce(Result<&Transaction<'_>>) -> Done + Send>;

/// A write that was worked through, and is answered once it is known whether it is on the disk.
struct Done {
    failed: Option<StoreError>,
    answer: Box<dyn FnOnce(Result<()>) + Send>,
}

/// Writes that wait to be done together.
#[derive(Clone, Default)]
pub(super) struct Together(Arc<Mutex<Vec<Work>>>);

impl Together {
    /// One more write. The answer comes when it is on the disk.
    pub(super) fn add<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> oneshot::Receiver<Result<T>> {
        let (answer, answered) = oneshot::channel();
        let watched = failpoint::carry();
        let work = move |tx: Result<&Transaction<'_>>| {
            // A mistake in one must not lose what the others have to write down.
            let done = tx.and_then(|tx| {
                catch_unwind(AssertUnwindSafe(|| watched.run(|| work(tx))))
                    .unwrap_or(Err(StoreError::Broken))
            });
            let failed = done.as_ref().err().map(again);
            let answer = move |written: Result<()>| {
                // Nobody may be waiting for it any more.
                drop(answer.send(done.and_then(|value| written.map(|()| value))));
            };
            Done {
                failed,
                answer: Box::new(answer),
            }
        };
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(Box::new(work));
        answered
    }

    /// Writes what waits, and answers.
    pub(super) fn write(
        &self,
        conn: &mut Connection,
        room: &Room,
        ended: &OnceLock<(Ailment, String)>,
    ) {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if waiting.is_empty() {
            return;
        }
        let mut waiting = waiting.into_iter();
        let mut done = Vec::with_capacity(waiting.len());
        let written = unless_ended(ended, || each(conn, &mut waiting, &mut done, ended));
        if let Err(error) = &written {
            note(ended, error);
        }
        // Whoever is answered that there was no room may try again at once.
        let mut failures = done.iter().filter_map(|one| one.failed.as_ref());
        if let Some(error) = written
            .as_ref()
            .err()
            .or_else(|| failures.find(|e| e.ailment() == Ailment::NoRoom))
        {
            make_room(conn, room, error);
        }
        let left = waiting.map(|work| {
            work(Err(written
                .as_ref()
                .err()
                .map_or(StoreError::Broken, again)))
        });
        for one in done.into_iter().chain(left) {
            (one.answer)(written.as_ref().copied().map_err(again));
        }
    }
}

fn each(
    conn: &mut Connection,
    waiting: &mut dyn Iterator<Item = Work>,
    done: &mut Vec<Done>,
    ended: &OnceLock<(Ailment, String)>,
) -> Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for work in waiting {
        if let Err(error) = execute(&tx, "SAVEPOINT one", []).map_err(StoreError::from) {
            done.push(work(Err(again(&error))));
            return Err(error);
        }
        let one = work(Ok(&tx));
        let failed = one.failed.as_ref().map(again);
        done.push(one);
        if let Some(error) = failed {
            note(ended, &error);
            // SQLite has taken everything back by itself, or nothing may be written any more.
            if tx.is_autocommit() || ended.get().is_some() {
                return Err(error);
            }
            execute(&tx, "ROLLBACK TO one", [])?;
        }
        execute(&tx, "RELEASE one", [])?;
    }
    failpoint::pass("before_common_commit");
    tx.commit()?;
    Ok(())
}

/// The same once more, for another caller.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Sqlite(rusqlite::Error::SqliteFailure(failure, why)) => {
            rusqlite::Error::SqliteFailure(*failure, why.clone()).into()
        }
        StoreError::Broken => StoreError::Broken,
        other => StoreError::Abandoned {
            ailment: other.ailment(),
            why: other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        folder: tempfile::TempDir,
        conn: Connection,
        together: Together,
        ended: OnceLock<(Ailment, String)>,
    }

    impl Scene {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let conn = Connection::open(folder.path().join("db")).unwrap();
            conn.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;
                 CREATE TABLE person (id INTEGER PRIMARY KEY);
                 CREATE TABLE note (person REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED);",
            )
            .unwrap();
            Self {
                folder,
                conn,
                together: Together::default(),
                ended: OnceLock::new(),
            }
        }

        fn add(&self, person: i64) -> oneshot::Receiver<Result<()>> {
            self.together.add(move |tx| {
                Ok(tx
                    .execute("INSERT INTO person VALUES (?1)", [person])
                    .map(drop)?)
            })
        }

        fn write(&mut self) {
            let room = Room::beside(&self.folder.path().join("db"));
            self.together.write(&mut self.conn, &room, &self.ended);
        }

        fn persons(&self) -> Vec<i64> {
            let conn = Connection::open(self.folder.path().join("db")).unwrap();
            let mut query = conn.prepare("SELECT id FROM person ORDER BY id").unwrap();
            let rows = query.query_map([], |r| r.get(0)).unwrap();
            rows.map(|id| id.unwrap()).collect()
        }
    }

    #[test]
    fn a_write_that_fails_takes_nothing_of_the_others_along() {
        let mut scene = Scene::new();
        let mut first = scene.add(1);
        let mut failing = scene.together.add(|tx| {
            tx.execute("INSERT INTO person VALUES (2)", [])?;
            Err::<(), _>(
                tx.execute("INSERT INTO person VALUES (1)", [])
                    .unwrap_err()
                    .into(),
            )
        });
        let mut panicking = scene.together.add(|tx| -> Result<()> {
            tx.execute("INSERT INTO person VALUES (3)", [])?;
            std::panic::resume_unwind(Box::new("a mistake"))
        });
        let mut last = scene.add(4);
        scene.write();
        assert!(matches!(first.try_recv(), Ok(Ok(()))));
        assert!(matches!(failing.try_recv(), Ok(Err(StoreError::Sqlite(_)))));
        assert!(matches!(panicking.try_recv(), Ok(Err(StoreError::Broken))));
        assert!(matches!(last.try_recv(), Ok(Ok(()))));
        assert_eq!(scene.persons(), [1, 4]);
    }

    #[test]
    fn nobody_is_answered_before_all_of_it_is_on_the_disk() {
        let mut scene = Scene::new();
        let mut first = scene.add(1);
        let elsewhere = scene.folder.path().join("db");
        let second = scene.together.add(move |tx| {
            let count = |conn: &Connection| {
                conn.query_row("SELECT count(*) FROM person", [], |r| r.get::<_, i64>(0))
                    .unwrap()
            };
            assert!(matches!(
                first.try_recv(),
                Err(oneshot::error::TryRecvError::Empty)
            ));
            Ok((count(tx), count(&Connection::open(elsewhere).unwrap())))
        });
        scene.write();
        assert_eq!(
            second.blocking_recv().unwrap().unwrap(),
            (1, 0),
            "one transaction"
        );
        assert_eq!(scene.persons(), [1]);
    }

    #[test]
    fn a_commit_that_fails_fails_all() {
        let mut scene = Scene::new();
        let mut first = scene.add(1);
        let mut second = scene
            .together
            .add(|tx| Ok(tx.execute("INSERT INTO note VALUES (7)", [])?));
        scene.write();
        assert!(matches!(first.try_recv(), Ok(Err(StoreError::Sqlite(_)))));
        assert!(matches!(second.try_recv(), Ok(Err(StoreError::Sqlite(_)))));
        assert!(scene.persons().is_empty());
        let mut later = scene.add(1);
        scene.write();
        assert!(
            matches!(later.try_recv(), Ok(Ok(()))),
            "the next ones are as before"
        );
    }

    #[test]
    fn after_damage_nothing_is_written_and_nobody_is_told_otherwise() {
        let mut scene = Scene::new();
        let mut first = scene.add(1);
        let mut damaged = scene
            .together
            .add(|_| Err::<(), _>(StoreError::Corrupt("note")));
        let mut last = scene.add(2);
        scene.write();
        for ailing in [first.try_recv(), damaged.try_recv(), last.try_recv()] {
            assert_eq!(ailing.unwrap().unwrap_err().ailment(), Ailment::Damaged);
        }
        assert!(scene.persons().is_empty());
        let mut later = scene.add(3);
        scene.write();
        assert!(matches!(
            later.try_recv(),
            Ok(Err(StoreError::Abandoned { .. }))
        ));
    }

    #[test]
    fn where_sqlite_takes_everything_back_all_are_told_why() {
        let mut scene = Scene::new();
        scene
            .conn
            .execute_batch("PRAGMA max_page_count = 6; PRAGMA cache_size = 1;")
            .unwrap();
        let mut first = scene.add(1);
        let mut full = scene.together.add(|tx| {
            tx.execute_batch("CREATE TABLE large AS SELECT zeroblob(1000000)")?;
            Ok(())
        });
        let mut last = scene.add(2);
        scene.write();
        assert_eq!(
            full.try_recv().unwrap().unwrap_err().ailment(),
            Ailment::NoRoom
        );
        // Whether SQLite gives up the transaction or the statement alone is its own business.
        let kept = match first.try_recv().unwrap() {
            Ok(()) => vec![1, 2],
            Err(error) => {
                assert_eq!(error.ailment(), Ailment::NoRoom);
                vec![]
            }
        };
        assert_eq!(last.try_recv().unwrap().is_ok(), !kept.is_empty());
        assert_eq!(scene.persons(), kept);
    }
}
