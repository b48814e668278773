//! What several test files of the crate need.

// Each test program uses a part of this.
#![allow(dead_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use yamanote_runtime::{Builder, Runtime};

/// A runtime with so many workers.
pub(crate) fn workers(count: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(count).enable_all().build().unwrap()
}

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

/// Sends when it is dropped.
pub(crate) struct Tells(pub(crate) mpsc::Sender<()>);

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}
