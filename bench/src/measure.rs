//! How a row is measured: calibrated, the median of several samples, then once more to count
//! allocations. Or, under a profiler, twice with fixed numbers of operations, to count
//! instructions.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::counting;
use crate::runtime::Runtime;

/// Which runtime a row runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// `current_thread`.
    One,
    /// `multi_thread` with two workers.
    Two,
    #[allow(dead_code, reason = "other runtimes have no such rows")]
    /// `multi_thread` with eight workers, more than there are cores.
    Eight,
}

/// The runtimes of most rows.
const FLAVORS: [Flavor; 2] = [Flavor::One, Flavor::Two];

/// What a runtime does for rows. Some ask for futures that may go to another thread.
pub(crate) trait Runs<F: Future> {
    /// Waits until a task has done `row`.
    fn run(&self, row: F) -> F::Output;
}

impl Flavor {
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
    /// What the names of rows have in them, between `| ` and ` |`.
    parts: Vec<String>,
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
    /// `[--short | --accounts] [PART..]`: rows that have one of the parts in their name, or all.
    pub(crate) fn from_args(args: impl Iterator<Item = String>) -> Self {
        let mut bench = Self {
            parts: Vec::new(),
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
            } else if !arg.starts_with("--switches=") {
                bench.parts.push(arg);
            }
        }
        bench
    }

    fn wants(&self, name: &str) -> bool {
        let full = format!("| {name} |");
        self.parts.is_empty() || self.parts.iter().any(|part| full.contains(part))
    }

    /// Measures nanoseconds an operation: `row` does as many operations as it is told.
    pub(crate) fn row<F>(&mut self, name: &str, row: impl Fn(u64) -> F)
    where
        F: Future<Output = ()>,
        Runtime: Runs<F>,
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
        F: Future<Output = ()>,
        Runtime: Runs<F>,
    {
        if !self.wants(name) {
            return;
        }
        let Some(runtime) = Runtime::new(Flavor::One) else {
            return;
        };
        let once = |operations| {
            runtime.run(row(operations));
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
        F: Future<Output = ()>,
        Runtime: Runs<F>,
    {
        self.prepared_row_on(&FLAVORS, name, |_| (), row);
    }

    /// A [`timed_row`](Self::timed_row) on eight workers.
    #[allow(dead_code, reason = "other runtimes have no such rows")]
    pub(crate) fn eight_row<F>(&mut self, name: &str, row: impl Fn(u64) -> F)
    where
        F: Future<Output = ()>,
        Runtime: Runs<F>,
    {
        self.prepared_row_on(&[Flavor::Eight], name, |_| (), row);
    }

    /// A figure that `row` finds by itself; less of it is better.
    #[allow(dead_code, reason = "other runtimes have no such rows")]
    pub(crate) fn figure_row<F>(&mut self, name: &str, unit: &str, row: impl Fn() -> F)
    where
        F: Future<Output = f64>,
        Runtime: Runs<F>,
    {
        self.figure_row_on(&FLAVORS, name, unit, row);
    }

    /// A [`figure_row`](Self::figure_row) on some runtimes.
    #[allow(dead_code, reason = "other runtimes have no such rows")]
    pub(crate) fn figure_row_on<F>(
        &mut self,
        flavors: &[Flavor],
        name: &str,
        unit: &str,
        row: impl Fn() -> F,
    ) where
        F: Future<Output = f64>,
        Runtime: Runs<F>,
    {
        if self.counts || !self.wants(name) {
            return;
        }
        for &flavor in flavors {
            let Some(runtime) = Runtime::new(flavor) else {
                continue;
            };
            let figure = runtime.run(row());
            println!("{name}\t{}\t{unit}\t{figure:.3}\t0", flavor.name());
        }
    }

    /// A [`timed_row`](Self::timed_row) on a runtime that `prepare` has made ready.
    #[allow(dead_code, reason = "other runtimes have no such rows")]
    pub(crate) fn prepared_row<F>(
        &mut self,
        name: &str,
        prepare: impl Fn(&Runtime),
        row: impl Fn(u64) -> F,
    ) where
        F: Future<Output = ()>,
        Runtime: Runs<F>,
    {
        self.prepared_row_on(&FLAVORS, name, prepare, row);
    }

    /// A [`prepared_row`](Self::prepared_row) on some runtimes.
    pub(crate) fn prepared_row_on<F>(
        &mut self,
        flavors: &[Flavor],
        name: &str,
        prepare: impl Fn(&Runtime),
        row: impl Fn(u64) -> F,
    ) where
        F: Future<Output = ()>,
        Runtime: Runs<F>,
    {
        if self.counts || !self.wants(name) {
            return;
        }
        for &flavor in flavors {
            let Some(runtime) = Runtime::new(flavor) else {
                continue;
            };
            prepare(&runtime);
            let once = |operations| {
                let begin = Instant::now();
                runtime.run(row(operations));
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
    pub(crate) fn bytes_row<K, F>(&mut self, name: &str, row: impl Fn(u64) -> F)
    where
        F: Future<Output = K>,
        Runtime: Runs<F>,
    {
        const NUMBER: u64 = 10_000;
        if self.counts || !self.wants(name) {
            return;
        }
        for flavor in FLAVORS {
            let Some(runtime) = Runtime::new(flavor) else {
                continue;
            };
            counting::begin();
            let kept = runtime.run(row(NUMBER));
            let bytes = counting::end().bytes as f64 / NUMBER as f64;
            drop(kept);
            println!("{name}\t{}\tB\t{bytes:.1}\t0", flavor.name());
        }
    }
}
