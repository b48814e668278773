//! Timeouts: around what is ready at once, and around what is not.

use std::future::ready;
use std::hint::black_box;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::timeout;

use crate::measure::Bench;

const LONG: Duration = Duration::from_secs(30);

pub(crate) fn run(bench: &mut Bench) {
    bench.row("timeout around ready", |operations| async move {
        for number in 0..operations {
            black_box(timeout(LONG, ready(number)).await.expect("it is ready"));
        }
    });
    bench.row("timeout around a yield", |operations| async move {
        for _ in 0..operations {
            timeout(LONG, yield_now()).await.expect("a yield is short");
        }
    });
}
