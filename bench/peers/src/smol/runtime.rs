//! One executor of smol's, run by one thread or by two.

use std::cell::Cell;
use std::future::Future;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use smol::{Executor, Timer, channel, future};

use crate::measure::{Flavor, Runs};

pub(crate) use smol::Task;
pub(crate) use smol::channel::bounded;
pub(crate) use smol::future::yield_now;

thread_local! {
    /// The executor that this thread runs.
    static EXECUTOR: Cell<Option<&'static Executor<'static>>> = const { Cell::new(None) };
}

/// The executor, and the thread that runs it beside the one that waits.
pub(crate) struct Runtime {
    executor: &'static Executor<'static>,
    second: Option<(channel::Sender<()>, JoinHandle<()>)>,
}

impl Runtime {
    pub(crate) fn new(flavor: Flavor) -> Option<Self> {
        // Tasks that never end are not dropped: the row that made them is over.
        let executor: &'static Executor<'static> = Box::leak(Box::new(Executor::new()));
        let second = (flavor == Flavor::Two).then(|| {
            let (stop, stopped) = channel::bounded::<()>(1);
            let run = move || {
                EXECUTOR.set(Some(executor));
                // Its end is the sender's.
                let _ = smol::block_on(executor.run(stopped.recv()));
            };
            (stop, std::thread::spawn(run))
        });
        Some(Self { executor, second })
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.second.take() {
            drop(stop);
            thread.join().expect("it does not panic");
        }
    }
}

impl<F> Runs<F> for Runtime
where
    F: Future<Output: Send> + Send + 'static,
{
    fn run(&self, row: F) -> F::Output {
        EXECUTOR.set(Some(self.executor));
        smol::block_on(self.executor.run(spawn(row)))
    }
}

pub(crate) fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> Task<T> {
    let executor = EXECUTOR.get().expect("this thread runs one");
    executor.spawn(task)
}

pub(crate) async fn join<T>(task: Task<T>) -> T {
    task.await
}

pub(crate) async fn sleep(time: Duration) {
    Timer::after(time).await;
}

/// Nothing, if the time is over first.
pub(crate) async fn timeout<T>(time: Duration, waited: impl Future<Output = T>) -> Option<T> {
    let waited = async { Some(waited.await) };
    future::or(waited, async {
        Timer::after(time).await;
        None
    })
    .await
}

pub(crate) async fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    smol::unblock(work).await
}

pub(crate) async fn receive<T>(receiver: &mut channel::Receiver<T>) -> Option<T> {
    receiver.recv().await.ok()
}

/// How many bytes there were.
pub(crate) async fn read(path: &Path) -> usize {
    smol::fs::read(path).await.expect("the file is there").len()
}

/// How long the file is.
pub(crate) async fn metadata(path: &Path) -> u64 {
    let metadata = smol::fs::metadata(path).await;
    metadata.expect("the file is there").len()
}
