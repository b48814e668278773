//! A local executor of glommio's, which is one thread.

use std::future::Future;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use glommio::channels::local_channel::{LocalReceiver, LocalSender, new_bounded};
use glommio::{LocalExecutor, LocalExecutorBuilder, Placement, io::BufferedFile};

use crate::measure::{Flavor, Runs};

pub(crate) use futures_lite::future::yield_now;
pub(crate) use glommio::task::JoinHandle as Task;
pub(crate) use glommio::timer::sleep;

pub(crate) struct Runtime(LocalExecutor);

impl Runtime {
    pub(crate) fn new(flavor: Flavor) -> Option<Self> {
        if flavor != Flavor::One {
            return None;
        }
        let built = LocalExecutorBuilder::new(Placement::Unbound).make();
        Some(Self(built.expect("io_uring is there")))
    }
}

impl<F: Future<Output: 'static> + 'static> Runs<F> for Runtime {
    fn run(&self, row: F) -> F::Output {
        self.0.run(async { join(spawn(row)).await })
    }
}

/// Detached: its handle may be dropped where no executor runs.
pub(crate) fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Task<T> {
    glommio::spawn_local(task).detach()
}

pub(crate) async fn join<T>(task: Task<T>) -> T {
    task.await.expect("nobody cancels it")
}

/// Nothing, if the time is over first.
pub(crate) async fn timeout<T>(time: Duration, waited: impl Future<Output = T>) -> Option<T> {
    let waited = async { Ok(waited.await) };
    glommio::timer::timeout(time, waited).await.ok()
}

pub(crate) async fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    glommio::executor().spawn_blocking(work).await
}

/// Its senders are not cloned, but shared.
pub(crate) fn bounded<T>(len_max: usize) -> (Rc<LocalSender<T>>, LocalReceiver<T>) {
    let (sender, receiver) = new_bounded(len_max);
    (Rc::new(sender), receiver)
}

pub(crate) async fn receive<T>(receiver: &mut LocalReceiver<T>) -> Option<T> {
    receiver.recv().await
}

/// How many bytes there were.
pub(crate) async fn read(path: &Path) -> usize {
    let file = BufferedFile::open(path).await.expect("the file is there");
    let len = file.file_size().await.expect("it is a file") as usize;
    let bytes = file.read_at(0, len).await.expect("it is readable");
    file.close().await.expect("it was open");
    bytes.len()
}
