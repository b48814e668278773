//! Which way is the fastest for files: at once where it cannot block, in a ring, or on the pool?
//!
//! `files-yamanote cached [LEAST [MOST]]` and `cold [LEAST [MOST]]` read whole files, of so many
//! bytes, that are in the page cache, or are not; `others` does other things. Each line is what,
//! how many tasks and workers, then the microseconds of one by the fastest way, without a ring,
//! with all that a ring can do in it, on the pool, and the pool's time over the fastest way's. Last
//! the noise: the pool's time over that of the same pool, measured like another way. The ways take
//! turns, sample by sample, and in being the first; each time is the median of the samples.

#[path = "files/cold.rs"]
mod cold;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::runtime::{Builder, FileRoute, Runtime};
use tokio::task::JoinSet;

/// The time of one sample, roughly.
const SAMPLE: Duration = Duration::from_millis(20);
/// Rounds of samples, as many as fit into this time, but one at least.
const ROUNDS_TIME: Duration = Duration::from_secs(1);
/// No more rounds than these: in each, each way is the first once, and comes after another one
/// than in those before.
const ROUNDS_MAX: usize = ROUTES.len() - 1;
/// The ways, in the order of the columns, and the last once more.
const ROUTES: [FileRoute; 5] = [
    FileRoute::Fastest,
    FileRoute::NoRing,
    FileRoute::Ring,
    FileRoute::Pool,
    FileRoute::Pool,
];

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

/// A way, with what it has taken for one.
struct Way {
    runtime: Runtime,
    micros: Vec<f64>,
}

/// A folder with a file for each task, which goes with the benchmark.
struct Folder(PathBuf);

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

    /// Has `tasks` tasks do `work` `times` times each; returns how long that took in all.
    fn sample(&mut self, folder: &Folder, work: Work, tasks: usize, times: usize) -> Duration {
        let mut took = Duration::ZERO;
        // What is read is out of the cache once only.
        let (rounds, times) = match work {
            Work::ReadCold(_) => (times, 1),
            _ => (1, times),
        };
        for _ in 0..rounds {
            if let Work::ReadCold(_) = work {
                let cold = (0..tasks).try_for_each(|task| cold::drop_cached(&folder.file(task)));
                cold.expect("the files are there");
            }
            let begin = Instant::now();
            self.runtime.block_on(async {
                let mut all = JoinSet::new();
                for task in 0..tasks {
                    all.spawn(repeat(folder.file(task), work, times));
                }
                while let Some(done) = all.join_next().await {
                    done.expect("no task panics").expect("the system does it");
                }
            });
            took += begin.elapsed();
        }
        let micros = took.as_secs_f64() * 1e6;
        self.micros.push(micros / (tasks * rounds * times) as f64);
        took
    }

    fn median(&mut self) -> f64 {
        self.micros.sort_by(f64::total_cmp);
        self.micros[self.micros.len() / 2]
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
    let number = |place, default| {
        let given = std::env::args().nth(place).map(|len| len.parse());
        given.map_or(default, |len| len.expect("a number of bytes"))
    };
    let wanted = number(2, 0)..=number(3, usize::MAX);
    let sizes = [12, 14, 16, 18, 20, 22, 24].map(|shift| 1_usize << shift);
    let sizes = sizes.into_iter().filter(|len| wanted.contains(len));
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
            println!("files-yamanote cached|cold|others [least [most bytes of a file]]");
            return;
        }
    };
    let folder = Folder::new();
    println!("what\ttasks\tworkers\tfastest\tno ring\tring\tpool\tratio\tnoise");
    for work in works {
        for tasks in [1, 64] {
            let len = match work {
                Work::ReadCached(len) | Work::ReadCold(len) => len,
                _ => 4096,
            };
            folder.fill(tasks, len);
            for workers in [1, 2] {
                compare(&folder, work, tasks, workers);
            }
        }
    }
}

fn compare(folder: &Folder, work: Work, tasks: usize, workers: usize) {
    let mut ways = ROUTES.map(|route| Way::new(workers, route));
    let mut times = 1;
    while ways[3].sample(folder, work, tasks, times) < SAMPLE && times < 1 << 14 {
        times *= 2;
    }
    for way in &mut ways {
        way.micros.clear();
    }
    let begin = Instant::now();
    for round in 0..ROUNDS_MAX {
        if round > 0 && begin.elapsed() > ROUNDS_TIME {
            break;
        }
        for turn in 0..ROUTES.len() * ROUTES.len() {
            let (first, step) = (turn / ROUTES.len(), round + 1);
            let way = &mut ways[(first + step * turn) % ROUTES.len()];
            way.sample(folder, work, tasks, times);
        }
    }
    let medians = ways.each_mut().map(Way::median);
    let (ratio, noise) = (medians[3] / medians[0], medians[3] / medians[4]);
    let columns = medians[..4].iter().map(|median| format!("{median:.1}"));
    let columns = columns.collect::<Vec<_>>().join("\t");
    println!("{work:?}\t{tasks}\t{workers}\t{columns}\t{ratio:.2}\t{noise:.2}");
}
