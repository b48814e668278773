//! Which way is the fastest for files: at once where it cannot block, in a ring, or on the pool?
//!
//! `files-yamanote cached [LEAST [MOST [TASKS [WORKERS [SECONDS]]]]]` and `cold` read whole files,
//! of so many bytes, that are in the page cache, or are not; `others` does other things. Each way
//! is measured once a round, with a new runtime: where its threads run, and what they have learnt,
//! is no part of it. Times are medians, the ratios those of the rounds, with an interval. Noise is
//! the ratio of the pool to the same pool, measured like another way.

#[path = "files/cold.rs"]
mod cold;
mod ratio;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::runtime::{Builder, FileRoute, Runtime};
use tokio::task::JoinSet;

use ratio::Ratio;

/// The time of one sample, roughly.
const SAMPLE: Duration = Duration::from_millis(10);
/// Samples that take longer are taken without one before, from which threads would learn.
const LEARNING_MAX: Duration = Duration::from_millis(50);
/// Operations from which the threads of a new runtime learn.
const LEARNING: usize = 64;
/// Rounds of a row, as many as fit into this time, but no fewer than an interval needs.
const ROUNDS_TIME_S: usize = 6;
/// The ways, in the order of the columns, and the last once more.
const ROUTES: [FileRoute; 5] = [
    FileRoute::Fastest,
    FileRoute::NoRing,
    FileRoute::Ring,
    FileRoute::Pool,
    FileRoute::Pool,
];

/// Times are microseconds of one; the ratio is the pool's time over that of the fastest way.
const COLUMNS: &str =
    "what\ttasks\tworkers\trounds\tfastest\tno ring\tring\tpool\tratio\tfastest is\tnoise";

/// What each of the tasks does, over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    ReadCached(usize),
    ReadCold(usize),
    WriteAndSync,
    OpenForWriting,
    Rename,
    MakeAndRemoveDir,
}

/// What the ways are compared in.
#[derive(Clone, Copy)]
struct Row<'a> {
    folder: &'a Folder,
    work: Work,
    tasks: usize,
    workers: usize,
}

/// A folder with a file for each task, which goes with the benchmark.
struct Folder(PathBuf);

impl Row<'_> {
    fn runtime(&self, route: FileRoute) -> Runtime {
        let mut builder = if self.workers == 1 {
            Builder::new_current_thread()
        } else {
            Builder::new_multi_thread()
        };
        let builder = builder.worker_threads(self.workers).file_route(route);
        let runtime = builder.enable_all().build();
        runtime.expect("a benchmark needs its runtime")
    }

    /// Has each of the tasks do the work `times` times; returns how long that took in all.
    fn run(&self, runtime: &Runtime, times: usize) -> Duration {
        let mut took = Duration::ZERO;
        // What is read is out of the cache once only.
        let (rounds, times) = match self.work {
            Work::ReadCold(_) => (times, 1),
            _ => (1, times),
        };
        for _ in 0..rounds {
            if let Work::ReadCold(_) = self.work {
                let mut files = (0..self.tasks).map(|task| self.folder.file(task));
                let cold = files.try_for_each(|file| cold::drop_cached(&file));
                cold.expect("the files are there");
            }
            let begin = Instant::now();
            runtime.block_on(async {
                let mut all = JoinSet::new();
                for task in 0..self.tasks {
                    all.spawn(repeat(self.folder.file(task), self.work, times));
                }
                while let Some(done) = all.join_next().await {
                    done.expect("no task panics").expect("the system does it");
                }
            });
            took += begin.elapsed();
        }
        took
    }

    /// So many times make a sample; and whether there is one before it.
    fn times(&self) -> (usize, bool) {
        let runtime = self.runtime(FileRoute::Pool);
        let mut times = 1;
        loop {
            let took = self.run(&runtime, times);
            if took >= SAMPLE || times >= 1 << 14 {
                return (times, took <= LEARNING_MAX);
            }
            times *= 2;
        }
    }

    /// The microseconds of one on `route`, by a new runtime.
    fn sample(&self, route: FileRoute, times: usize, learns: bool) -> f64 {
        let runtime = self.runtime(route);
        if learns {
            self.run(&runtime, times.min(LEARNING.div_ceil(self.tasks)));
        }
        let micros = self.run(&runtime, times).as_secs_f64() * 1e6;
        micros / (self.tasks * times) as f64
    }

    /// Measures all ways for so long, and says how they compare.
    fn compare(&self, time: Duration) {
        let (times, learns) = self.times();
        let mut micros = ROUTES.map(|_| Vec::new());
        let begin = Instant::now();
        let mut rounds = 0;
        while rounds < ratio::PAIRS_MIN || begin.elapsed() < time {
            // The ways take turns in being the first, and in whom they come after.
            let (first, step) = (rounds, 1 + rounds / ROUTES.len() % (ROUTES.len() - 1));
            for turn in 0..ROUTES.len() {
                let way = (first + step * turn) % ROUTES.len();
                micros[way].push(self.sample(ROUTES[way], times, learns));
            }
            rounds += 1;
        }
        let ratio = Ratio::of(&micros[3], &micros[0]);
        let noise = Ratio::of(&micros[3], &micros[4]);
        let columns = micros[..4].iter_mut().map(|micros| {
            micros.sort_by(f64::total_cmp);
            format!("{:.1}", ratio::median(micros))
        });
        let columns = columns.collect::<Vec<_>>().join("\t");
        let Row {
            work,
            tasks,
            workers,
            ..
        } = self;
        let (shown, verdict, noise) = (ratio.shown(), ratio.verdict(), noise.shown());
        println!("{work:?}\t{tasks}\t{workers}\t{rounds}\t{columns}\t{shown}\t{verdict}\t{noise}");
    }
}

impl Folder {
    fn new() -> Self {
        let name = format!("yamanote-bench-files-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the directory for temporary files is writable");
        Self(path)
    }

    fn file(&self, task: usize) -> PathBuf {
        self.0.join(task.to_string())
    }

    /// A file of `len` bytes, on the disk, for each of `tasks` tasks.
    fn fill(&self, tasks: usize, len: usize) {
        for task in 0..tasks {
            std::fs::write(self.file(task), vec![7; len]).expect("there is space");
            let file = std::fs::File::open(self.file(task)).expect("it was just written");
            file.sync_all().expect("there is space");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn repeat(path: PathBuf, work: Work, times: usize) -> io::Result<()> {
    match work {
        Work::WriteAndSync => {
            let mut file = File::options().append(true).open(&path).await?;
            for _ in 0..times {
                file.write_all(&[7; 4096]).await?;
                file.sync_data().await?;
            }
        }
        _ => {
            for _ in 0..times {
                once(&path, work).await?;
            }
        }
    }
    Ok(())
}

async fn once(path: &Path, work: Work) -> io::Result<()> {
    let other = path.with_extension("other");
    match work {
        Work::ReadCached(_) | Work::ReadCold(_) => fs::read(path).await.map(drop),
        Work::OpenForWriting => File::options().append(true).open(path).await.map(drop),
        Work::Rename => {
            fs::rename(path, &other).await?;
            fs::rename(&other, path).await
        }
        Work::MakeAndRemoveDir => {
            fs::create_dir(&other).await?;
            fs::remove_dir(&other).await
        }
        Work::WriteAndSync => unreachable!("it has a file that stays open"),
    }
}

fn main() {
    let number = |place| {
        let given = std::env::args().nth(place);
        given.map(|number| number.parse::<usize>().expect("a number"))
    };
    let (least, most) = (number(2).unwrap_or(0), number(3).unwrap_or(usize::MAX));
    let time = Duration::from_secs(number(6).unwrap_or(ROUNDS_TIME_S) as u64);
    let is_wanted = |place, n: &usize| number(place).is_none_or(|wanted| wanted == *n);
    let sizes = [12, 14, 16, 18, 20, 22, 24].map(|shift| 1_usize << shift);
    let sizes = (sizes.into_iter()).filter(|len| (least..=most).contains(len));
    let works: Vec<Work> = match std::env::args().nth(1).as_deref() {
        Some("cached") => sizes.map(Work::ReadCached).collect(),
        Some("cold") => sizes.map(Work::ReadCold).collect(),
        Some("others") => vec![
            Work::WriteAndSync,
            Work::OpenForWriting,
            Work::Rename,
            Work::MakeAndRemoveDir,
        ],
        _ => {
            println!(
                "files-yamanote cached|cold|others [LEAST [MOST [TASKS [WORKERS [SECONDS]]]]]"
            );
            return;
        }
    };
    let folder = &Folder::new();
    println!("{COLUMNS}");
    for work in works {
        for tasks in [1, 64].into_iter().filter(|n| is_wanted(4, n)) {
            let len = match work {
                Work::ReadCached(len) | Work::ReadCold(len) => len,
                _ => 4096,
            };
            folder.fill(tasks, len);
            for workers in [1, 2].into_iter().filter(|n| is_wanted(5, n)) {
                let row = Row {
                    folder,
                    work,
                    tasks,
                    workers,
                };
                row.compare(time);
            }
        }
    }
}
