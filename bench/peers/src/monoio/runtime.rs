//! A runtime of monoio's, which is one thread.

use std::cell::RefCell;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use local_sync::mpsc::bounded::{Rx, Tx, channel};
use monoio::blocking::DefaultThreadPool;
use monoio::time::TimeDriver;
use monoio::{IoUringDriver, RuntimeBuilder};

use crate::measure::{Flavor, Runs};

pub(crate) use futures_lite::future::yield_now;
pub(crate) use monoio::task::JoinHandle as Task;
pub(crate) use monoio::{spawn, time::sleep};

/// Threads for blocking work.
const THREADS: usize = 4;

pub(crate) struct Runtime(RefCell<monoio::Runtime<TimeDriver<IoUringDriver>>>);

impl Runtime {
    pub(crate) fn new(flavor: Flavor) -> Option<Self> {
        if flavor != Flavor::One {
            return None;
        }
        let built = RuntimeBuilder::<IoUringDriver>::new()
            .attach_thread_pool(Box::new(DefaultThreadPool::new(THREADS)))
            .enable_timer()
            .build();
        Some(Self(built.expect("io_uring is there").into()))
    }
}

impl<F: Future<Output: 'static> + 'static> Runs<F> for Runtime {
    fn run(&self, row: F) -> F::Output {
        self.0.borrow_mut().block_on(async { spawn(row).await })
    }
}

pub(crate) async fn join<T>(task: Task<T>) -> T {
    task.await
}

/// Nothing, if the time is over first.
pub(crate) async fn timeout<T>(time: Duration, waited: impl Future<Output = T>) -> Option<T> {
    monoio::time::timeout(time, waited).await.ok()
}

pub(crate) async fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let done = monoio::spawn_blocking(work).await;
    done.unwrap_or_else(|_| panic!("there is a pool"))
}

pub(crate) fn bounded<T>(len_max: usize) -> (Tx<T>, Rx<T>) {
    channel(len_max)
}

pub(crate) async fn receive<T>(receiver: &mut Rx<T>) -> Option<T> {
    receiver.recv().await
}

/// How many bytes there were.
pub(crate) async fn read(path: &Path) -> usize {
    let read = monoio::fs::read(path).await;
    read.expect("the file is there").len()
}

/// How long the file is.
pub(crate) async fn metadata(path: &Path) -> u64 {
    let metadata = monoio::fs::metadata(path).await;
    metadata.expect("the file is there").len()
}
