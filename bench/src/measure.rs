//! How a row is measured: calibrated, the median of several samples, then once more to count
//! allocations. Or, under a profiler, twice with fixed numbers of operations, to count
//! instructions.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, yield_now};

use crate::counting;

/// Which runtime a row runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// `current_thread`.
    One,
    /// `multi_thread` with two workers.
    Two,
    /// `multi_thread` with eight workers, more than there are cores.
    Eight,
}

/// The runtimes of most rows.
const FLAVORS: [Flavor; 2] = [Flavor::One, Flavor::Two];

impl Flavor {
    fn runtime(self) -> Runtime {
        let workers = match self {
            Flavor::One => None,
            Flavor::Two => Some(2),
            Flavor::Eight => Some(8),
        };
        let built = match workers {
            None => Builder::new_current_thread().enable_all().build(),
            Some(workers) => Builder::new_multi_thread()
                .worker_threads(workers)
                .enable_all()
                .build(),
        };
        built.expect("a benchmark needs its runtime")
    }

    fn name(self) -> &'static str {
        match self {
            Flavor::One => "ct",
            Flavor::Two => "mt",
            Flavor::Eight => "8 workers",
        }
    }
}

/// How often a row's operation is done to count instructions: multiples of what rows do in one go.
const COUNTED: [u64; 2] = [8_000, 40_000];

/// Runs rows, and prints them.
pub(crate) struct Bench {
    filter: Option<String>,
    sample: Duration,
    samples: usize,
    /// Instructions are counted, by a profiler that this program runs under.
    counts: bool,
}

/// Where the profiler closes an account: its name is told on the profiler's command line.
#[inline(never)]
fn account_closed() {
    std::hint::black_box(());
}

impl Bench {
    /// `[--short | --accounts] [FILTER]`.
    pub(crate) fn from_args(args: impl Iterator<Item = String>) -> Self {
        let mut bench = Self {
            filter: None,
            sample: Duration::from_millis(40),
            samples: 5,
            counts: false,
        };
        for arg in args {
            if arg == "--short" {
                bench.sample = Duration::from_millis(10);
                bench.samples = 3;
            } else if arg == "--accounts" {
                bench.counts = true;
            } else {
                bench.filter = Some(arg);
            }
        }
        bench
    }

    fn wants(&self, name: &str) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// Measures nanoseconds an operation: `row` does as many operations as it is told.
    pub(crate) fn row<F>(&mut self, name: &str, row: impl Fn(u64) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.counts {
            self.count(name, row);
        } else {
            self.timed_row(name, row);
        }
    }

    /// Prints `name, operations, operations`, and closes an account before and after each number.
    fn count<F>(&mut self, name: &str, row: impl Fn(u64) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if !self.wants(name) {
            return;
        }
        let runtime = Flavor::One.runtime();
        let once = |operations| {
            let task = runtime.spawn(row(operations));
            runtime.block_on(task).expect("a row does not panic");
            account_closed();
        };
        for operations in [COUNTED[0], COUNTED[0], COUNTED[1]] {
            once(operations);
        }
        println!("{name}\t{}\t{}", COUNTED[0], COUNTED[1]);
    }

    /// A [`row`](Self::row) whose instructions are not counted: what it does is done by other
    /// threads, or by the kernel.
    pub(crate) fn timed_row<F>(&mut self, name: &str, row: impl Fn(u64) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.timed_row_on(&FLAVORS, name, |_| (), row);
    }

    /// A [`timed_row`](Self::timed_row) on eight workers.
    pub(crate) fn eight_row<F>(&mut self, name: &str, row: impl Fn(u64) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.timed_row_on(&[Flavor::Eight], name, |_| (), row);
    }

    /// A figure that `row` finds by itself; less of it is better.
    pub(crate) fn figure_row<F>(&mut self, name: &str, unit: &str, row: impl Fn() -> F)
    where
        F: Future<Output = f64> + Send + 'static,
    {
        if self.counts || !self.wants(name) {
            return;
        }
        for flavor in FLAVORS {
            let runtime = flavor.runtime();
            let figure = runtime.block_on(runtime.spawn(row()));
            let figure = figure.expect("a row does not panic");
            println!("{name}\t{}\t{unit}\t{figure:.3}\t0", flavor.name());
        }
    }

    /// A [`timed_row`](Self::timed_row) beside `crowd` tasks that wait, each made by `make`.
    pub(crate) fn row_beside<F>(
        &mut self,
        name: &str,
        crowd: u64,
        make: fn() -> JoinHandle<()>,
        row: impl Fn(u64) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let gather = |runtime: &Runtime| {
            let gathered = runtime.spawn(gather(crowd, make));
            runtime.block_on(gathered).expect("it does not panic");
        };
        self.timed_row_on(&FLAVORS, name, gather, row);
    }

    fn timed_row_on<F>(
        &mut self,
        flavors: &[Flavor],
        name: &str,
        prepare: impl Fn(&Runtime),
        row: impl Fn(u64) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.counts || !self.wants(name) {
            return;
        }
        for flavor in flavors {
            let runtime = flavor.runtime();
            prepare(&runtime);
            // On a worker, not on the thread that waits: programs run there too.
            let once = |operations| {
                let begin = Instant::now();
                let task = runtime.spawn(row(operations));
                runtime.block_on(task).expect("a row does not panic");
                begin.elapsed()
            };
            let operations = self.calibrate(&once);
            let mut samples: Vec<Duration> = (0..self.samples).map(|_| once(operations)).collect();
            samples.sort();
            let nanos = samples[self.samples / 2].as_nanos() as f64 / operations as f64;
            counting::begin();
            once(operations);
            let allocations = counting::end().allocations as f64 / operations as f64;
            println!(
                "{name}\t{}\tns\t{nanos:.2}\t{allocations:.3}",
                flavor.name()
            );
        }
    }

    fn calibrate(&self, once: &impl Fn(u64) -> Duration) -> u64 {
        let mut operations = 64;
        loop {
            let took = once(operations);
            if took >= self.sample / 4 || operations >= 1 << 30 {
                let scale = self.sample.as_secs_f64() / took.as_secs_f64().max(1e-9);
                return ((operations as f64 * scale) as u64).max(64);
            }
            operations *= 4;
        }
    }

    /// Measures bytes: `row` gets a number, makes as many of something, and returns what keeps
    /// them alive.
    pub(crate) fn bytes_row<K: Send + 'static, F>(&mut self, name: &str, row: impl Fn(u64) -> F)
    where
        F: Future<Output = K> + Send + 'static,
    {
        const NUMBER: u64 = 10_000;
        if self.counts || !self.wants(name) {
            return;
        }
        for flavor in FLAVORS {
            let runtime = flavor.runtime();
            counting::begin();
            let kept = runtime
                .block_on(runtime.spawn(row(NUMBER)))
                .expect("a row does not panic");
            let bytes = counting::end().bytes as f64 / NUMBER as f64;
            drop(kept);
            println!("{name}\t{}\tB\t{bytes:.1}\t0", flavor.name());
        }
    }
}

/// Makes as many tasks, and returns once each was polled, and waits.
async fn gather(crowd: u64, make: fn() -> JoinHandle<()>) {
    for number in 0..crowd {
        drop(make());
        if number % 1000 == 0 {
            yield_now().await;
        }
    }
    // Queues are first in, first out; other workers are given time besides.
    tokio::time::sleep(Duration::from_millis(50)).await;
}
