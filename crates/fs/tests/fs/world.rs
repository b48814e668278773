//! What the tests stand on: a directory that is removed again, and a driver with a pool.

use std::future::Future;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use yamanote_base::block;
use yamanote_base::wake::WakeList;
use yamanote_driver::{Config, Driver, Handle, context, new};
use yamanote_pool::{self as pool, Pool};

/// A directory of its own for one test.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("yamanote-fs-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Drivers that threads of their own turn, with a pool.
pub(crate) struct Driven {
    handle: Handle,
    turning: Vec<JoinHandle<()>>,
}

impl Deref for Driven {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        let mut wakes = WakeList::new();
        self.handle.shut_down(&mut wakes);
        wakes.wake_all();
        let mut turning = self.turning.drain(..);
        assert!(turning.all(|thread| thread.join().is_ok()));
    }
}

pub(crate) fn handle() -> Driven {
    handle_with(1)
}

/// With so many threads of the pool.
pub(crate) fn handle_with(threads_max: usize) -> Driven {
    let pool = Pool::new(pool::Config::plain(
        "fs-test",
        threads_max,
        Duration::from_secs(1),
    ));
    let config = Config {
        file_route: crate::ROUTE,
        // A ring is chosen, unless it is forced, where there are several workers only.
        shards: 2,
        ..Config::new(pool)
    };
    let (drivers, handle) = new(config).unwrap();
    // Each on a thread of its own, as after `block_in_place`: the tests stand on that of a worker.
    let turning = drivers
        .into_iter()
        .map(|driver| thread::spawn(|| turn(driver)));
    let turning = turning.collect();
    Driven { handle, turning }
}

fn turn(mut driver: Driver) {
    let mut wakes = WakeList::new();
    while !driver.handle().is_shut_down() {
        driver.turn(None, &mut wakes);
        wakes.wake_all();
    }
}

pub(crate) fn run<F: Future>(future: F) -> F::Output {
    run_on(&handle(), future)
}

pub(crate) fn run_on<F: Future>(handle: &Handle, future: F) -> F::Output {
    let _entered = context::enter(handle.clone());
    // What a ring takes it takes from workers.
    let _worker = context::enter_worker(handle, 0);
    block::block_on(future)
}

/// Polls `future` once, on behalf of nobody.
pub(crate) fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
