//! Places where a test may end the program as a power cut would: after each transaction, around each
//! request, in the middle of a migration. Whoever watches panics there, and the program is started
//! anew on what is on the disk.
//!
//! None of it is in a release: without `debug_assertions` everything here is empty, and no switch
//! brings it back.

#[cfg(debug_assertions)]
pub use armed::{Watch, watch};

/// The program gets here. Nothing happens unless a test watches this thread.
#[inline]
pub fn pass(point: &'static str) {
    #[cfg(debug_assertions)]
    armed::pass(point);
    #[cfg(not(debug_assertions))]
    let _ = point;
}

/// Who watches a thread, on the way to another one that works for it.
pub struct Carried {
    #[cfg(debug_assertions)]
    watch: Option<Watch>,
}

/// Takes along who watches this thread.
#[must_use]
pub fn carry() -> Carried {
    Carried {
        #[cfg(debug_assertions)]
        watch: armed::watching(),
    }
}

impl Carried {
    /// Works here for the thread that this comes from.
    pub fn run<T>(self, work: impl FnOnce() -> T) -> T {
        #[cfg(debug_assertions)]
        let _back = armed::in_place_of(self.watch);
        work()
    }
}

#[cfg(debug_assertions)]
mod armed {
    use std::cell::RefCell;
    use std::sync::Arc;

    /// What is told of every point that is passed. It may panic.
    pub type Watch = Arc<dyn Fn(&'static str) + Send + Sync>;

    thread_local! {
        static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
    }

    /// From now on everything that works for this thread is watched so, or not at all.
    pub fn watch(watch: Option<Watch>) {
        WATCH.set(watch);
    }

    pub(super) fn watching() -> Option<Watch> {
        WATCH.with_borrow(Clone::clone)
    }

    pub(super) fn pass(point: &'static str) {
        // Not borrowed while it is called: it may panic.
        if let Some(watch) = watching() {
            watch(point);
        }
    }

    pub(super) fn in_place_of(watch: Option<Watch>) -> Back {
        Back(WATCH.replace(watch))
    }

    /// A thread that works for several keeps none of their watches, panic or not.
    pub(super) struct Back(Option<Watch>);

    impl Drop for Back {
        fn drop(&mut self) {
            WATCH.set(self.0.take());
        }
    }
}
