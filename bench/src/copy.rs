//! How long does it take to copy a file of 1 GiB, by `fs::copy` and by `std::fs::copy`?
//!
//! Prints the milliseconds of each, in turn, and the ratio of the medians. Which is the first
//! changes, since the disk may still be busy with the copy before.

use std::path::Path;
use std::time::Instant;

use tokio::runtime::Builder;

/// Copies of each that count; there is one more before.
const SAMPLES: usize = 9;
/// Bytes of the file.
const LEN: u64 = 1 << 30;

fn main() {
    let name = format!("yamanote-bench-copy-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("the directory for temporary files is writable");
    let (from, to) = (folder.join("from"), folder.join("to"));
    let content = vec![7; 1 << 20];
    let mut file = std::fs::File::create(&from).expect("there is space");
    for _ in 0..LEN >> 20 {
        std::io::Write::write_all(&mut file, &content).expect("there is space");
    }
    file.sync_all().expect("there is space");
    let runtime = Builder::new_current_thread().build();
    let runtime = runtime.expect("a benchmark needs its runtime");
    let mut millis = [Vec::new(), Vec::new()];
    for turn in 0..2 * (SAMPLES + 1) {
        // Ours, std, std, ours, and so on.
        let way = turn.div_ceil(2) % 2;
        millis[way].push(match way {
            0 => timed(&to, || runtime.block_on(tokio::fs::copy(&from, &to))),
            _ => timed(&to, || std::fs::copy(&from, &to)),
        });
    }
    for all in &mut millis {
        all.remove(0);
    }
    for (ours, std) in millis[0].iter().zip(&millis[1]) {
        println!("{ours:.0}\t{std:.0}");
    }
    let _ = std::fs::remove_dir_all(&folder);
    let [ours, std] = millis.map(|mut all| {
        all.sort_by(f64::total_cmp);
        all[SAMPLES / 2]
    });
    println!("ratio {:.2}", std / ours);
}

fn timed(to: &Path, copy: impl FnOnce() -> std::io::Result<u64>) -> f64 {
    // Removing the last copy and bringing it to the disk are not part of it.
    let _ = std::fs::remove_file(to);
    let begin = Instant::now();
    assert_eq!(copy().expect("there is space"), LEN);
    begin.elapsed().as_secs_f64() * 1e3
}
