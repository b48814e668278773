//! Calls of a user's code that must not end their caller: [`quietly`].

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does `work`. If it panics, the panic hook has reported that, and that is all that comes of it.
#[inline]
pub fn quietly(work: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
        discard(payload);
    }
}

/// Drops what a panic carried. It is a user's value: if its drop panics in turn, what that panic
/// carries is leaked, for it may do the same, and so on without an end.
#[cold]
pub fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::panic::resume_unwind;
    use std::sync::Arc;

    thread_local! {
        static DROPS: Cell<u32> = const { Cell::new(0) };
    }

    /// Panics when it is dropped, with another one of its kind. It takes no memory to be leaked.
    struct Endless;

    impl Drop for Endless {
        fn drop(&mut self) {
            DROPS.set(DROPS.get() + 1);
            resume_unwind(Box::new(Endless));
        }
    }

    #[test]
    fn a_panic_whose_payload_panics_endlessly_ends_there() {
        quietly(|| resume_unwind(Box::new(Endless)));
        assert_eq!(DROPS.get(), 1, "the second is leaked");
    }

    #[test]
    fn a_payload_is_dropped() {
        let count = Arc::new(());
        let payload = Box::new(count.clone());
        quietly(|| resume_unwind(payload));
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
