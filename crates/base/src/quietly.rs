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
    use std::panic::resume_unwind;
    use std::sync::Arc;

    /// Panics when it is dropped, with another one of its kind.
    struct Endless(Arc<()>);

    impl Drop for Endless {
        fn drop(&mut self) {
            resume_unwind(Box::new(Endless(self.0.clone())));
        }
    }

    #[test]
    fn a_panic_whose_payload_panics_endlessly_ends_there() {
        let count = Arc::new(());
        let payload = Box::new(Endless(count.clone()));
        quietly(|| resume_unwind(payload));
        // This one, and the one that was leaked.
        assert_eq!(Arc::strong_count(&count), 2);
    }

    #[test]
    fn a_payload_is_dropped() {
        let count = Arc::new(());
        let payload = Box::new(count.clone());
        quietly(|| resume_unwind(payload));
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
