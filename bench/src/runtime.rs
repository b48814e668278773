//! What rows run on: the tokio that this program is built with.

use std::future::Future;

use crate::builder;
use crate::measure::{Flavor, Runs};

/// A runtime of tokio.
pub(crate) struct Runtime(tokio::runtime::Runtime);

impl Runtime {
    /// One of that flavor, if there is such: here there are all.
    pub(crate) fn new(flavor: Flavor) -> Option<Self> {
        let workers = match flavor {
            Flavor::One => None,
            Flavor::Two => Some(2),
            Flavor::Eight => Some(8),
        };
        let built = builder::of(workers).build();
        Some(Self(built.expect("a benchmark needs its runtime")))
    }
}

impl<F> Runs<F> for Runtime
where
    F: Future<Output: Send> + Send + 'static,
{
    fn run(&self, row: F) -> F::Output {
        // On a worker, not on the thread that waits: programs run there too.
        let task = self.0.spawn(row);
        self.0.block_on(task).expect("a row does not panic")
    }
}
