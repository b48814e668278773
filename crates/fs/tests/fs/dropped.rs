//! Futures that are dropped at any point: nothing stays open, and nothing is written by whom
//! nobody waits for any more.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::thread;

use yamanote_base::rng::Rng;
use yamanote_fs as fs;
use yamanote_fs::File;
use yamanote_io::AsyncReadExt;

use crate::world::{Dir, Driven, handle, poll_once, run_on};

/// Operations of each of the threads.
const COUNT: u32 = 50_000;
/// Whatever else is in the file is not read.
const LEN: usize = 5000;

/// Polls `future` up to a few times, with other work in between, then drops it.
fn drop_at_random<F: Future>(rng: &mut Rng, future: F) {
    let mut future = pin!(future);
    for _ in 0..rng.below(4) {
        if poll_once(future.as_mut()).is_ready() {
            return;
        }
        for _ in 0..rng.below(300) {
            std::hint::spin_loop();
        }
        if rng.below(8) == 0 {
            thread::yield_now();
        }
    }
}

async fn drop_one(rng: &mut Rng, path: &Path) {
    match rng.below(4) {
        0 => drop_at_random(rng, File::open(path)),
        1 => drop_at_random(rng, fs::read(path)),
        2 => {
            let mut file = File::open(path).await.unwrap();
            let mut bytes = [0; LEN];
            drop_at_random(rng, file.read(&mut bytes));
        }
        _ => drop_at_random(rng, File::options().read(true).write(true).open(path)),
    }
}

fn drop_many(handle: &Driven, path: &Path, seed: u64) {
    let mut rng = Rng::new(seed);
    run_on(handle, async {
        for i in 0..COUNT {
            drop_one(&mut rng, path).await;
            if i % 500 == 0 {
                // What is read for somebody is right, whatever was dropped before.
                assert_eq!(fs::read(path).await.unwrap(), [7; LEN]);
            }
        }
    });
}

/// How many descriptors of files below `dir` the process has.
#[cfg(target_os = "linux")]
fn open_below(dir: &Path) -> usize {
    let all = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = all.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(dir)).count()
}

/// Nobody can tell here.
#[cfg(not(target_os = "linux"))]
fn open_below(_dir: &Path) -> usize {
    0
}

#[test]
fn of_100_000_operations_that_are_dropped_at_a_random_point_nothing_stays_open() {
    let dir = Dir::new();
    let path = dir.file("a", &[7; LEN]);
    let handle = handle();
    thread::scope(|scope| {
        let (handle, path) = (&handle, &path);
        for seed in 1..=2 {
            scope.spawn(move || drop_many(handle, path, seed));
        }
    });
    drop(handle);
    // The pool's threads may still be at the last of them.
    for _ in 0..3000 {
        if open_below(dir.path()) == 0 {
            return;
        }
        thread::park_timeout(std::time::Duration::from_millis(10));
    }
    assert_eq!(open_below(dir.path()), 0);
}
