//! A runtime of one future for the driver's tests.
#![allow(dead_code, reason = "each test file uses its part")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use yamanote_base::wake::WakeList;
use yamanote_driver::{Config, Driver, Handle, context, new};
use yamanote_pool::{self as pool, Pool};

/// Ends the wait of one driver when woken.
struct Unpark(Handle, usize);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark(self.1);
    }
}

/// A pool of a few threads.
pub(crate) fn pool() -> Pool {
    pool_of(4)
}

/// A pool of at most so many threads.
pub(crate) fn pool_of(threads_max: usize) -> Pool {
    Pool::new(pool::Config::plain(
        "driver-test",
        threads_max,
        Duration::from_secs(1),
    ))
}

/// One driver made with `config`.
pub(crate) fn driver(config: Config) -> Driver {
    let (mut drivers, _) = new(config).expect("descriptors are left");
    drivers.pop().expect("at least one")
}

/// One driver on the real system.
pub(crate) fn system() -> Driver {
    driver(Config::new(pool()))
}

/// A waker that ends the wait of `driver`.
pub(crate) fn waker(driver: &Driver) -> Waker {
    Waker::from(Arc::new(Unpark(driver.handle().clone(), driver.shard())))
}

/// Polls `future` until it ends; turns `driver` meanwhile.
pub(crate) fn run<F: Future>(driver: &mut Driver, future: F) -> F::Output {
    let _entered = context::enter(driver.handle().clone());
    let _worker = context::enter_worker(driver.handle(), driver.shard());
    let waker = waker(driver);
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    let mut wakes = WakeList::new();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        driver.turn(None, &mut wakes);
        wakes.wake_all();
    }
}
