//! Files that are in the page cache: looked up.

use std::hint::black_box;
use std::sync::Arc;

use crate::measure::Bench;
use crate::runtime;
use crate::scratch::Scratch;

pub(crate) fn run(bench: &mut Bench) {
    let scratch = Scratch::new();
    bench.timed_row("fs::metadata", |operations| {
        let scratch = Arc::clone(&scratch);
        async move {
            for _ in 0..operations {
                black_box(runtime::metadata(&scratch.0).await);
            }
        }
    });
}
