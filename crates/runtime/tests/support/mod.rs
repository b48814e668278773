//! What several test files of the crate need.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `f` panics with; `nothing` if it does not.
pub(crate) fn panic_of<T>(f: impl FnOnce() -> T) -> String {
    let Err(message) = catch_unwind(AssertUnwindSafe(|| drop(f()))) else {
        return "nothing".to_owned();
    };
    let text = message.downcast_ref::<String>().cloned();
    text.or_else(|| {
        message
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
    })
    .expect("panics have a text")
}
