//! A runtime of compio's, which is one thread.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use crate::measure::{Flavor, Runs};

pub(crate) use compio::runtime::{JoinHandle as Task, spawn};
pub(crate) use compio::time::sleep;
pub(crate) use futures_lite::future::yield_now;

pub(crate) struct Runtime(compio::runtime::Runtime);

impl Runtime {
    pub(crate) fn new(flavor: Flavor) -> Option<Self> {
        if flavor != Flavor::One {
            return None;
        }
        let built = compio::runtime::Runtime::new();
        Some(Self(built.expect("io_uring is there")))
    }
}

impl<F: Future<Output: 'static> + 'static> Runs<F> for Runtime {
    fn run(&self, row: F) -> F::Output {
        self.0.block_on(async { join(spawn(row)).await })
    }
}

pub(crate) async fn join<T>(task: Task<T>) -> T {
    task.await
        .unwrap_or_else(|_| panic!("a row does not panic"))
}

/// Nothing, if the time is over first.
pub(crate) async fn timeout<T>(time: Duration, waited: impl Future<Output = T>) -> Option<T> {
    compio::time::timeout(time, waited).await.ok()
}

pub(crate) async fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    join(compio::runtime::spawn_blocking(work)).await
}

/// How many bytes there were.
pub(crate) async fn read(path: &Path) -> usize {
    let read = compio::fs::read(path).await;
    read.expect("the file is there").len()
}

/// How long the file is.
pub(crate) async fn metadata(path: &Path) -> u64 {
    let metadata = compio::fs::metadata(path).await;
    metadata.expect("the file is there").len()
}
