//! Which way is faster for reading whole files: at once where it cannot block, or on the pool?
//!
//! Prints `bytes, readers, runtime, microseconds a read by the fastest way, by the pool, ratio`.
//! Both ways take turns, sample by sample; the ratio is that of the medians.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, FileRoute, Runtime};
use tokio::task::JoinSet;

/// The time of one sample.
const SAMPLE: Duration = Duration::from_millis(30);
/// Samples of each way.
const SAMPLES: usize = 7;

/// A way, with what it has taken for a read.
struct Way {
    runtime: Runtime,
    micros: Vec<f64>,
}

impl Way {
    fn new(workers: usize, route: FileRoute) -> Self {
        let mut builder = if workers == 1 {
            Builder::new_current_thread()
        } else {
            Builder::new_multi_thread()
        };
        let runtime = builder
            .worker_threads(workers)
            .file_route(route)
            .enable_all()
            .build()
            .expect("a benchmark needs its runtime");
        Self {
            runtime,
            micros: Vec::new(),
        }
    }

    fn sample(&mut self, path: &Path, readers: usize, reads: usize) -> Duration {
        let begin = Instant::now();
        self.runtime.block_on(async {
            let mut all = JoinSet::new();
            for _ in 0..readers {
                all.spawn(read(path.to_owned(), reads));
            }
            all.join_all().await;
        });
        let took = begin.elapsed();
        let micros = took.as_secs_f64() * 1e6;
        self.micros.push(micros / (readers * reads) as f64);
        took
    }

    fn median(&mut self) -> f64 {
        self.micros.sort_by(f64::total_cmp);
        self.micros[self.micros.len() / 2]
    }
}

async fn read(path: PathBuf, times: usize) {
    for _ in 0..times {
        tokio::fs::read(&path).await.expect("the file is there");
    }
}

fn main() {
    let name = format!("yamanote-bench-files-{}", std::process::id());
    let path: PathBuf = std::env::temp_dir().join(name);
    println!("bytes\treaders\tworkers\tfastest\tpool\tratio");
    for shift in [12, 14, 15, 16, 17, 18, 20, 22, 24] {
        std::fs::write(&path, vec![7; 1 << shift]).expect("the directory is writable");
        for readers in [1, 64] {
            for workers in [1, 2] {
                compare(&path, 1 << shift, readers, workers);
            }
        }
    }
    let _ = std::fs::remove_file(&path);
}

fn compare(path: &Path, bytes: usize, readers: usize, workers: usize) {
    let mut ways = [FileRoute::Fastest, FileRoute::Pool].map(|route| Way::new(workers, route));
    let mut reads = 1;
    while ways[1].sample(path, readers, reads) < SAMPLE && reads < 1 << 20 {
        reads *= 2;
    }
    for way in &mut ways {
        way.micros.clear();
    }
    for _ in 0..SAMPLES {
        for way in &mut ways {
            way.sample(path, readers, reads);
        }
    }
    let [fastest, pool] = ways.each_mut().map(Way::median);
    let ratio = pool / fastest;
    println!("{bytes}\t{readers}\t{workers}\t{fastest:.1}\t{pool:.1}\t{ratio:.2}");
}
