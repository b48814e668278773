//! Files that are in the page cache: read.

use std::hint::black_box;
use std::sync::Arc;

use crate::measure::Bench;
use crate::runtime;
use crate::scratch::Scratch;

pub(crate) fn run(bench: &mut Bench) {
    let scratch = Scratch::new();
    bench.timed_row("fs::read of 4 KiB", |operations| {
        read(Arc::clone(&scratch), operations)
    });
    bench.timed_row("fs::read of 4 KiB, 64 tasks", |operations| {
        let scratch = Arc::clone(&scratch);
        async move {
            let reader = |_| runtime::spawn(read(Arc::clone(&scratch), operations.div_ceil(64)));
            let readers: Vec<_> = (0..64).map(reader).collect();
            for reader in readers {
                runtime::join(reader).await;
            }
        }
    });
}

async fn read(scratch: Arc<Scratch>, times: u64) {
    for _ in 0..times {
        let bytes = black_box(runtime::read(&scratch.0).await);
        assert_eq!(bytes, 4096, "the whole file");
    }
}
