//! Files that are in the page cache; and the same by `std` on the task's thread, which is what the
//! system's calls cost: what runs them on another thread cannot be faster.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::fs;
use tokio::task::JoinSet;

use crate::measure::Bench;

/// A file of 4 KiB that goes with the benchmark.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("yamanote-bench-{}", std::process::id()));
        std::fs::write(&path, [7; 4096]).expect("the directory for temporary files is writable");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(crate) fn run(bench: &mut Bench) {
    let scratch = Arc::new(Scratch::new());
    bench.timed_row("fs::read of 4 KiB", |operations| {
        read(Arc::clone(&scratch), operations)
    });
    bench.timed_row("std::fs::read of 4 KiB", |operations| {
        read_by_std(Arc::clone(&scratch), operations)
    });
    bench.timed_row("fs::metadata", |operations| {
        let scratch = Arc::clone(&scratch);
        async move {
            for _ in 0..operations {
                black_box(fs::metadata(&scratch.0).await.expect("the file is there"));
            }
        }
    });
    bench.timed_row("std::fs::metadata", |operations| {
        let scratch = Arc::clone(&scratch);
        async move {
            for _ in 0..operations {
                black_box(std::fs::metadata(&scratch.0).expect("the file is there"));
            }
        }
    });
    bench.timed_row("fs::read of 4 KiB, 64 tasks", |operations| {
        crowd([(); 64].map(|()| read(Arc::clone(&scratch), operations.div_ceil(64))))
    });
    bench.timed_row("std::fs::read of 4 KiB, 64 tasks", |operations| {
        crowd([(); 64].map(|()| read_by_std(Arc::clone(&scratch), operations.div_ceil(64))))
    });
}

/// Readers that each are a task.
async fn crowd<F>(readers: [F; 64])
where
    F: Future<Output = ()> + Send + 'static,
{
    JoinSet::from_iter(readers).join_all().await;
}

async fn read_by_std(scratch: Arc<Scratch>, times: u64) {
    for _ in 0..times {
        black_box(std::fs::read(&scratch.0).expect("the file is there"));
    }
}

async fn read(scratch: Arc<Scratch>, times: u64) {
    for _ in 0..times {
        black_box(fs::read(&scratch.0).await.expect("the file is there"));
    }
}
